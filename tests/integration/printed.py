#!/usr/bin/env python3
# printed: an answer that cannot be printed is an error. SPDX-License-Identifier: MIT
"""Standard output is /dev/full: every program ends with 4 and says why; nothing that was asked for
is lost in silence."""
import os
import subprocess

from _daemon import Daemon, need_program


def print_nowhere(*words):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([need_program(words[0]), *words[1:]], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 4, f"{words}: ended {done.returncode}: {done.stderr}"
    assert "charter" in done.stderr and "failed: " in done.stderr, (words, done.stderr)


def main():
    with Daemon("--origin", "example.com/charterd") as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        for number in range(100):
            daemon.do("group.create", "agency", name=f"group-number-{number}")
        key = daemon.do("checkpoint.key")["key"]
        charter = ("charter", "--connect", daemon.url)
        print_nowhere(*charter, "status")
        print_nowhere(*charter, "status", "--json")
        print_nowhere(*charter, "group", "list", "--on", "agency", "--json")
        print_nowhere(*charter, "group", "list", "--on", "agency", "--all", "--json")
        print_nowhere(*charter, "group", "list", "--on", "agency", "--csv")
        print_nowhere(*charter, "replay", "--format", "json")
        print_nowhere(*charter, "replay", "--format", "csv")
        print_nowhere(*charter, "access-review", "--on", "agency", "--json")
        print_nowhere(*charter, "whatif", "group", "create", "--on", "agency", "--name", "x",
                      "--json")
        print_nowhere(*charter, "diff", "--json", "--at", "100", "--at", "100")
        daemon.stop()
        print_nowhere("charter-verify", daemon.data, "--key", key)
        print_nowhere("charter-verify", daemon.data, "--key", key, "--json")
        print_nowhere("charter-keep", "backup", os.path.join(daemon.dir, "b"), "--data",
                      daemon.data, "--json")
    print("what cannot be printed is an error")


main()
