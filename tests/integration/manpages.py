#!/usr/bin/env python3
# manpages: every option that a program's --help tells stands in its man page, too.
# SPDX-License-Identifier: MIT
"""The commands that are made from the schema have their options in --help alone; of charter's own
ones, and of all other programs, the man page has them."""
import os
import re
import subprocess

from _daemon import ROOT, need_program

SPECIALS = ("check --from x", "explain", "who", "orphans", "access-review", "import", "events",
            "replay", "diff", "proof", "receipt", "whatif", "backup", "restore", "export")
BY_SCHEMA = ("explain", "who", "orphans")  # each stands for a call, and takes what it takes


def help_of(*words):
    done = subprocess.run([need_program(words[0]), *words[1:], "--help"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, (words, done)
    return done.stdout + done.stderr


def options_of(text):
    return set(re.findall(r"^ +(--[a-z][a-z-]+)", text, re.MULTILINE))


def page_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return set(re.findall(r"--[a-z][a-z-]+", file.read().replace("\\-", "-")))


def compare(path, *commands):
    page = page_of(path)
    told = set()
    for words in commands:
        options = options_of(help_of(*words))
        assert options, f"{words}: no options in its help"
        told |= options
        missing = sorted(options - page)
        assert not missing, f"{path} lacks of {' '.join(words)}: {' '.join(missing)}"
    return len(told)


def main():
    count = compare("daemon/charterd.8", ("charterd",))
    count += compare("tools/verify/charter-verify.1", ("charter-verify",))
    count += compare("tools/bench/charter-bench.1", ("charter-bench",))
    specials = [("charter", *words.split()) for words in SPECIALS if words not in BY_SCHEMA]
    count += compare("tools/charter/charter.1", ("charter",), *specials)
    keys = {"CHARTER_URL", "CHARTER_KEY", "CHARTER_SESSION"}
    with open(os.path.join(ROOT, "tools/charter/charter.1"), encoding="utf-8") as file:
        page = file.read()
    assert all(f"\n.B {key}\n" in page for key in keys), "the environment's words"
    print(f"{count} options stand in the man pages")


main()
