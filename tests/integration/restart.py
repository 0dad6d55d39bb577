#!/usr/bin/env python3
# restart: a mere restart changes nothing, and what is damaged is refused.
# SPDX-License-Identifier: MIT
import os
import shutil

from _daemon import Daemon

MARK = "zebra-crossing-mark"


def fill(daemon):
    daemon.do("user.create", username="ann")
    daemon.do("account.open_master", name="agency", owner="ann")
    for number in range(300):
        daemon.do("group.create", "agency", name=f"group-{number}")
    daemon.do("group.create", "agency", name=MARK)
    for number in range(300, 600):
        daemon.do("group.create", "agency", name=f"group-{number}")


def nothing_is_appended(daemon):
    """By stopping and starting, by killing and starting, several times."""
    daemon.do("checkpoint.make")  # else the first stop makes one
    first = daemon.state()
    bytes_before = daemon.status()["log_bytes"]
    for turn in range(4):
        if turn % 2 == 0:
            daemon.stop()
        else:
            daemon.kill()
        daemon.start()
        assert daemon.state() == first, f"start {turn}: {daemon.state()} after {first}"
    assert daemon.status()["log_bytes"] == bytes_before
    print(f"4 restarts: revision {first[0]} and state {first[1]} each time")


def second_daemon_is_refused(daemon):
    other = Daemon()
    other.data = daemon.data
    try:
        status, said = other.start_refused()
    finally:
        other.__exit__(None, None, None)
    assert status not in (0, None) and status > 0, f"ended {status}: {said}"
    assert "another process" in said or "log_locked" in said, said
    print(f"a second daemon on the directory: ended {status}: {said.strip().splitlines()[-1]}")


def log_behind_is_refused(daemon):
    """The log of yesterday with the head file of today."""
    log = os.path.join(daemon.data, "log.mdb")
    daemon.stop()
    old = os.path.join(daemon.dir, "old.mdb")
    shutil.copyfile(log, old)
    daemon.start()
    daemon.do("group.create", "agency", name="tomorrow")
    daemon.stop()
    new = os.path.join(daemon.dir, "new.mdb")
    shutil.copyfile(log, new)
    shutil.copyfile(old, log)
    status, said = daemon.start_refused()
    assert status > 0, f"ended {status}: {said}"
    assert "log_behind" in said or "ends before" in said or "behind" in said, said
    print(f"a log behind the head file: ended {status}: {said.strip().splitlines()[-1]}")
    daemon.start("--accept-loss")
    names = [event["fields"].get("name") for event in daemon.events()]
    assert MARK in names and "tomorrow" not in names
    daemon.do("group.create", "agency", name="another-day")
    daemon.stop()
    daemon.start()
    print("with --accept-loss it goes on without what is gone")


def replace_all(path, old, new):
    """LMDB keeps pages that are free already, so a text may stand in the file more than once."""
    assert len(old) == len(new)
    with open(path, "r+b") as file:
        content = file.read()
        assert old in content
        file.seek(0)
        file.write(content.replace(old, new))


def damage_is_refused(daemon):
    """One flipped bit of one record."""
    daemon.stop()
    path = os.path.join(daemon.data, "log.mdb")
    good = MARK.encode()
    bad = bytes([good[0] ^ 1]) + good[1:]
    replace_all(path, good, bad)
    status, said = daemon.start_refused()
    assert status > 0, f"ended {status}: {said}"
    assert "log_corrupt" in said or "does not match" in said, said
    print(f"one flipped bit: ended {status}: {said.strip().splitlines()[-1]}")
    replace_all(path, bad, good)
    daemon.start()
    daemon.status()


def missing_vault_is_refused(daemon):
    """Without it every name would be lost, so nothing goes on as if there were none."""
    daemon.stop()
    vault = os.path.join(daemon.data, "vault")
    os.rename(vault, vault + ".away")
    status, said = daemon.start_refused()
    assert status > 0 and "vault_io" in said, f"ended {status}: {said}"
    assert not os.path.exists(vault), "a new vault was made beside an old log"
    print(f"no vault: ended {status}: {said.strip().splitlines()[-1]}")
    os.rename(vault + ".away", vault)
    daemon.start()
    assert daemon.do("user.show", user="ann")["user"]["username"] == "ann"


def main():
    with Daemon() as daemon:
        fill(daemon)
        nothing_is_appended(daemon)
        second_daemon_is_refused(daemon)
        log_behind_is_refused(daemon)
        damage_is_refused(daemon)
        missing_vault_is_refused(daemon)


if __name__ == "__main__":
    main()
