#!/usr/bin/env python3
# golden.readme: the examples in schema/README.md are the bytes of what stands beside them.
# SPDX-License-Identifier: MIT
import os
import re
import sys

try:
    import msgpack
except ImportError:
    print("skipped: python3-msgpack is not installed")
    sys.exit(77)

ROOT = os.environ.get("CH_SOURCE_DIR") or os.path.join(os.path.dirname(__file__), "..", "..")
ID = bytes(range(16))
FINGERPRINT = bytes.fromhex("1122334455667788")
EXPECTED = [
    (86, {"id": ID, "v": 1, "auth": ["peer"],
          "calls": [{"type": "account.open_master", "args": {"name": "north"}}]}),
    (75, {"id": ID, "ok": True, "seq": 120,
          "results": [{"ok": True, "result": {"seq": 120, "events": 1, "account": 120}}]}),
    (57, [120, 1534997499000000000, 10, [1, 0], 5, 120, [ID, 0, FINGERPRINT],
          ["north", None, 1], None]),
]


def blocks(text):
    """The bytes of each indented block: of every line the hex pairs it begins with."""
    block = b""
    for line in text.split("\n") + [""]:
        if not line.startswith("    "):
            if block:
                yield block
            block = b""
            continue
        for word in line.split():
            if re.fullmatch("([0-9a-f]{2})+", word) is None:
                break
            block += bytes.fromhex(word)


def main():
    with open(os.path.join(ROOT, "schema", "README.md"), encoding="utf-8") as file:
        found = list(blocks(file.read()))
    if len(found) != len(EXPECTED):
        print(f"{len(found)} examples in hex, not {len(EXPECTED)}")
        return 1
    for block, (size, value) in zip(found, EXPECTED):
        if len(block) != size or msgpack.unpackb(block, raw=False) != value:
            print(f"{len(block)} bytes, {size} expected: {block.hex()}")
            return 1
    return 0


sys.exit(main())
