#!/usr/bin/env python3
# scenario_X-08: exact replay: the same log gives the same state everywhere, and checkpoints commit
# to it.
# SPDX-License-Identifier: MIT
import base64
import json
import os

from _daemon import Daemon
from _logfile import copy, verify


def state_line(note):
    for line in note.splitlines():
        if line.startswith("charterd-state "):
            _, version, seq, digest = line.split(" ")
            return int(version), int(seq), base64.b64decode(digest)
    raise AssertionError(f"no state in {note}")


def history(daemon, turn):
    """Things that come and go, so that rows are used again and lists are linked anew."""
    for number in range(20):
        user = f"user-{turn}-{number}"
        daemon.do("user.create", username=user, email=f"{user}@example.org")
        daemon.do("share.give", "agency", user=user, role="user")
        daemon.do("group.create", "agency", name=f"group-{turn}-{number}")
        daemon.do("group.add", "agency", group=f"group-{turn}-{number}", user=user)
        if number % 3 == 0:
            daemon.do("share.end", "agency", user=user)
        if number % 4 == 0:
            daemon.do("group.delete", "agency", group=f"group-{turn}-{number}")


def checked(daemon):
    """The checkpoint's state is the one that the worker gives for its seq."""
    made = daemon.do("checkpoint.make")
    seq, digest, _ = daemon.state()
    version, at, stated = state_line(made["note"])
    assert version >= 1 and at == made["checkpoint"]["size"] == seq
    assert stated.hex() == digest == made["checkpoint"]["state_hash"].hex()
    return seq, digest


def main():
    with Daemon() as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        seen = []
        for turn, stop in enumerate((None, daemon.stop, daemon.kill, daemon.stop)):
            if stop is not None:
                stop()
                daemon.start()
                assert daemon.state()[:2] == seen[-1], "a start changes nothing"
            history(daemon, turn)
            seen.append(checked(daemon))
        key = daemon.do("checkpoint.key")["key"]
        told = json.loads(verify(daemon.data, "--key", key, "--json"))
        assert told["good"] and told["states"] >= len(seen), told
        # Elsewhere, without the vault: names stay closed, the state is the same.
        away = copy(daemon.data, os.path.join(daemon.dir, "away"))
        os.remove(os.path.join(away, "vault"))
        os.remove(os.path.join(away, "signing-key"))
        there = json.loads(verify(away, "--key", key, "--json"))
        assert there == told, (there, told)
        last = json.loads(verify(away, "--key", key, "--json", "--last-state"))
        assert last["good"] and last["states"] == 1, last
        print(f"{told['states']} state hashes of {told['records']} records agree with replay")


if __name__ == "__main__":
    main()
