#!/usr/bin/env python3
# golden.promises: EVENTS and MAY of schema/commands.def are what the rules in daemon/core can give.
# SPDX-License-Identifier: MIT
"""Usage: promises.py [--write]

Reads daemon/core/decide*.c as text: what a rule, and every function that it calls there, names as
CH_EV_… and CH_REJ_… is what its command can come to. The words must say just that. --write puts
them into commands.def, in the order of the tags and of precedence.
"""
import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ.get("CH_SOURCE_DIR") or Path(__file__).resolve().parents[2])
COMMANDS = ROOT / "schema" / "commands.def"
FUNCTION = re.compile(r"^[A-Za-z_][^\n;{}]*?\b(\w+)\(([^;{}]*?)\)\n\{\n(.*?)^\}", re.M | re.S)
MACRO = re.compile(r"^#define (\w+)(?:\([^)]*\))?((?:.*\\\n)*.*)$", re.M)
BLOCK = re.compile(r"^COMMAND_BEGIN\((\w+),.*?^COMMAND_END\(\1\)\n", re.M | re.S)
# ch_admit meets these before any rule; and a rule may meet them again for what is no reference.
ANY = {"limit_reached": "ch_reject_limit"}


def bodies():
    """(file, name) -> text of each function and macro of the rules."""
    found = {}
    core = ROOT / "daemon" / "core"
    for path in sorted(core.glob("decide*.c")) + sorted(core.glob("decide*.h")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for m in MACRO.finditer(text):
            found[(path.name, m.group(1))] = m.group(2)
        text = re.sub(r"^#.*(?:\\\n.*)*$", "", text, flags=re.M)
        for m in FUNCTION.finditer(text):
            found[(path.name, m.group(1))] = m.group(3)
    return found


def reach(found, key, seen):
    """The events and rejections that a function can name, with all that it calls."""
    if key in seen or key not in found:
        return set(), set()
    seen.add(key)
    body = found[key]
    events = set(re.findall(r"CH_EV_(\w+)", body)) - {"none"}
    rejections = set(re.findall(r"CH_REJ_(\w+)", body)) - {"none"}
    rejections |= {name for name, word in ANY.items() if re.search(rf"\b{word}\b", body)}
    for word in set(re.findall(r"\b\w+\b", body)):
        places = [(key[0], word)]
        if word.startswith("ch_"):
            places += [k for k in found if k[1] == word]
        for place in places:
            more = reach(found, place, seen)
            events |= more[0]
            rejections |= more[1]
    return events, rejections


def order_of(name, word):
    """Name -> place, from the rows of a .def file."""
    text = (ROOT / "schema" / name).read_text()
    names = re.findall(rf"^{word}\((\w+),\s*(\d+)", text, re.M)
    if word == "EVENT_BEGIN":
        return {name: int(tag) for name, tag in names}
    return {name: place for place, (name, _) in enumerate(names)}


def words(block):
    return {w: re.findall(r"\w+", m) for w, m in re.findall(r"^(EVENTS|MAY)\(\w+, ([^)]*)\)", block,
                                                            re.M)}


def written(ident, block, events, rejections):
    """The block with its words put in, or put right."""
    block = re.sub(r"^(EVENTS|MAY)\([^)]*\)\n", "", block, flags=re.M)
    lines = ""
    for word, names in (("EVENTS", events), ("MAY", rejections)):
        if names:
            lines += f"{word}({ident}, {', '.join(names)})\n"
    return block.replace(f"COMMAND_END({ident})", f"{lines}COMMAND_END({ident})")


def main():
    write = "--write" in sys.argv[1:]
    found = bodies()
    tags = order_of("events.def", "EVENT_BEGIN")
    ranks = order_of("rejections.def", "REJECTION")
    text = COMMANDS.read_text()
    faults = []
    for match in list(BLOCK.finditer(text)):
        ident, block = match.group(1), match.group(0)
        rule = [k for k in found if k[1] == f"ch_decide_{ident}"]
        if len(rule) != 1:
            faults.append(f"{ident}: its rule ch_decide_{ident} is not found")
            continue
        events, rejections = reach(found, rule[0], set())
        events = sorted(events, key=lambda e: tags[e])
        rejections = sorted(rejections, key=lambda r: ranks[r])
        said = words(block)
        for word, names in (("EVENTS", events), ("MAY", rejections)):
            if said.get(word, []) != names:
                faults.append(f"{ident}: should say {word}({ident}, {', '.join(names)})")
        if write:
            text = text.replace(block, written(ident, block, events, rejections))
    if write:
        COMMANDS.write_text(text)
        return 0
    for fault in faults:
        print(f"schema/commands.def: {fault}")
    if faults:
        print("Put them in: python3 tests/golden/promises.py --write")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
