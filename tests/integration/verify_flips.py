#!/usr/bin/env python3
# verify_flips: single bits of the whole log file: charter-verify finds them, or
# reads exactly the same records. It survives what crashes liblmdb.
# SPDX-License-Identifier: MIT
import json
import os
import random
from collections import Counter

from _daemon import Daemon
from _logfile import copy, verify_raw

FLIPS = int(os.environ.get("CH_FLIPS", "200"))
SEED = 20261126


def main():
    seed = int(os.environ.get("CH_SEED", SEED))
    print(f"seed {seed} (CH_SEED), {FLIPS} flips (CH_FLIPS)", flush=True)
    chance = random.Random(seed)
    with Daemon("--origin", "example.com/charterd") as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        for number in range(150):
            daemon.do("group.create", "agency", name=f"group-{number}")
        daemon.do("checkpoint.make")
        key = daemon.do("checkpoint.key")["key"]
        daemon.stop()
        data = copy(daemon.data, os.path.join(daemon.dir, "t"))
        status, text = verify_raw(data, "--key", key, "--json")
        assert status == 0, text
        good = json.loads(text)
        path = os.path.join(data, "log.mdb")
        size = os.path.getsize(path)
        seen = Counter()
        with open(path, "r+b", buffering=0) as file:
            # the more is free the fewer hit something; one must
            while seen.total() < FLIPS or (seen[1] == 0 and seen.total() < 500):
                place, bit = chance.randrange(size), 1 << chance.randrange(8)
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ bit]))
                status, text = verify_raw(data, "--key", key, "--json")
                file.seek(place)
                file.write(bytes([byte]))
                if status == 0:
                    assert json.loads(text) == good, f"byte {place} bit {bit}: {text}"
                elif status == 3:
                    # A damaged meta page puts LMDB back to the commit before: every record, but
                    # not yet the checkpoint. That is told as unchecked, never as good.
                    said = json.loads(text)
                    assert said["root"] == good["root"] and said["unchecked"], text
                else:
                    assert status in (1, 4), f"byte {place} bit {bit}: ended {status}: {text}"
                    assert "charter-verify" in text, f"byte {place} bit {bit}: {text}"
                seen[status] += 1
        assert verify_raw(data, "--key", key, "--json") == (0, json.dumps(good, indent=2) + "\n")
        print(f"{size} bytes: {seen[1]} flips found, {seen[4]} made it unreadable, {seen[3]} hid "
              f"the checkpoint, {seen[0]} change nothing that any reader sees")
        assert seen[1] > 0


if __name__ == "__main__":
    main()
