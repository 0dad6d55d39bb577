#!/usr/bin/env python3
# activity_erased: the activity log when a key of the vault is gone. SPDX-License-Identifier: MIT
"""What was sealed under an erased key is told as erased, under a lost one as lost; the acts, their
times and everybody else stay."""
import os

from _daemon import Daemon

SLOT = 32


def put_slot(daemon, number, byte):
    with open(os.path.join(daemon.data, "vault"), "r+b") as vault:
        vault.seek(SLOT * number)
        vault.write(bytes([byte]) * SLOT)


def told(daemon, **args):
    acts = daemon.do("activity.list", on="agency", **args)["acts"]
    return [(act["user"], act["details"]) for act in acts]


def main():
    with Daemon() as daemon:
        numbers = {}
        for number, name in enumerate(("ann", "bob", "cal"), 1):
            daemon.charter("user", "create", "--username", name)
            numbers[name] = number
        daemon.charter("account", "open-master", "--name", "agency", "--owner", "ann")
        for name in ("bob", "cal"):
            daemon.charter("share", "give", "--on", "agency", "--user", name, "--role", "user",
                           "--as", "ann")
            daemon.charter("activity", "record", "--on", "agency", "--as", name,
                           "--section", "Lists", "--path", "News > Edited", "--object", "a@b.c")
        before = told(daemon)
        assert before[0] == ("cal", "Lists > News > Edited: a@b.c"), before
        assert before[1] == ("ann", "Users > Access given: cal"), before
        daemon.stop()
        put_slot(daemon, numbers["bob"], 0xff)
        put_slot(daemon, numbers["cal"], 0)
        daemon.start()
        after = told(daemon)
        bob, cal = numbers["bob"], numbers["cal"]
        assert after[0] == (f"user #{cal} (name lost)", "Lists > (lost)"), after
        assert after[1] == ("ann", f"Users > Access given: user #{cal} (name lost)"), after
        assert after[2] == (f"erased user #{bob}", "Lists > (erased)"), after
        assert after[3] == ("ann", f"Users > Access given: erased user #{bob}"), after
        assert after[4:] == before[4:], after
        assert [row[1] for row in told(daemon, section="Lists")] == ["Lists > (lost)",
                                                                     "Lists > (erased)"]


if __name__ == "__main__":
    main()
