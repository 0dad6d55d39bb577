#!/usr/bin/env python3
# snapshot: a start from a snapshot is a start from the log, only sooner; a false one is found.
# SPDX-License-Identifier: MIT
"""Kills a daemon that makes snapshots, starts it from one, without any, and from damaged, cut,
foreign and later ones: the state is the same each time. Asks the past with and without them."""
import base64
import os
import random
import shutil
import time

from _daemon import Daemon
from _logfile import verify

EVENTS = 200  # between two snapshots
FLIPS = int(os.environ.get("CH_FLIPS", "200")) // 20


def folder(daemon):
    return os.path.join(daemon.data, "snapshots")


def files(daemon):
    if not os.path.isdir(folder(daemon)):
        return []
    return sorted(name for name in os.listdir(folder(daemon)) if name.endswith(".snap"))


def seq_of(name):
    return int(name.split(".")[0])


def fill(daemon, name, count):
    """Shares, groups, grants and people with names, some of which go again."""
    for number in range(0, count, 10):
        user = f"{name}-{number}"
        reply = daemon.ask(
            ("user.create", None, {"username": user, "email": f"{user}@example.com"}),
            ("share.give", "agency", {"user": user, "role": "user"}),
            ("group.create", "agency", {"name": f"group-{user}"}),
            ("group.add", "agency", {"group": f"group-{user}", "user": user}),
            ("account.open_sub", "agency", {"name": f"sub-{user}"}),
            ("share.give", f"agency/sub-{user}", {"group": f"group-{user}", "role": "user"}),
            ("account.rename", f"agency/sub-{user}", {"name": f"named-{user}"}))
        assert reply["ok"], reply
        if number % 30 == 0:
            daemon.do("group.delete", "agency", group=f"group-{user}")
        if number % 40 == 0:
            daemon.do("share.end", "agency", user=user)


def wait_for(daemon, what, holds):
    for _ in range(400):
        status = daemon.status()
        if holds(status):
            return status
        time.sleep(0.02)
    raise AssertionError(f"{what}: {daemon.status()}")


def wait_for_snapshot(daemon):
    return wait_for(daemon, "a snapshot",
                    lambda s: s["durable"] < s.get("snapshot", 0) + 2 * EVENTS)


def answers(daemon, last):
    """What the past tells, at many moments of it."""
    told = []
    for seq in list(range(350, last, 97)) + [last]:
        for call in (("share.list", "agency", {"limit": 1000}), ("account.list", None, {}),
                     ("user.show", None, {"user": "ann"}), ("group.list", "agency", {})):
            told.append(daemon.ask(call, as_of=seq)["results"])
    return told


def starts_are_the_same(daemon):
    before = daemon.state()
    daemon.kill()
    daemon.start()
    status = daemon.status()
    assert status["resumed"] >= before[0] - 2 * EVENTS, status
    assert status["replayed"] == before[0] - status["resumed"], status
    assert f"from the snapshot of event {status['resumed']}" in daemon.output()
    assert daemon.state() == before
    told = answers(daemon, before[0])
    daemon.kill()
    shutil.rmtree(folder(daemon))
    daemon.start("--snapshot-events", "0", "--scrub-rate", "0")
    assert "resumed" not in daemon.status() and files(daemon) == []
    assert daemon.state() == before
    assert answers(daemon, before[0]) == told
    assert "scrubbed" not in daemon.status() and files(daemon) == []
    print(f"{before[0]} events: the same state and {len(told)} answers about the past from a "
          f"snapshot of {status['resumed']} and from the log alone")
    daemon.kill()
    daemon.start()
    wait_for_snapshot(daemon)
    assert daemon.state() == before


def names_are_found(daemon):
    """The directory is filled from the state, and names go on being unique and free."""
    before = daemon.do("user.show", user="ann")["user"]
    daemon.do("user.create", username="rena", full_name="Rena")
    login = daemon.do("login.create", "agency", username="gone-login", password="eight888")
    wait_for_snapshot(daemon)
    daemon.do("login.delete", "agency", user=login["user"])
    fill(daemon, "names", 2 * EVENTS)
    wait_for_snapshot(daemon)
    daemon.stop()
    daemon.start()
    assert daemon.status()["resumed"] > login["user"]
    assert daemon.do("user.show", user="ann")["user"] == before
    assert daemon.do("user.show", user="rena")["user"]["full_name"] == "Rena"
    taken = daemon.ask(("user.create", None, {"username": "RENA"}))["results"][0]
    assert taken["rejection"]["reason"] == "username_taken", taken
    daemon.do("user.create", username="gone-login")  # free again
    print("names are found, taken and free as before")


def an_end_makes_one(daemon):
    fill(daemon, "end", EVENTS // 4)
    durable = daemon.status()["durable"]
    daemon.stop()
    assert seq_of(files(daemon)[-1]) == durable, files(daemon)
    daemon.start()
    status = daemon.status()
    assert status["resumed"] == durable and status["replayed"] == 0, status
    wait_for(daemon, "all are known", lambda s: s["snapshots"] == len(files(daemon)))
    print(f"a clean end leaves a snapshot of {durable}; nothing was replayed")


def damage_costs_time_only(daemon, seed):
    chance = random.Random(seed)
    before = daemon.state()
    daemon.kill()
    kept = os.path.join(daemon.dir, "kept")
    shutil.copytree(folder(daemon), kept)
    names = files(daemon)
    path = os.path.join(folder(daemon), names[-1])
    whole = open(path, "rb").read()

    def start_with(content, says):
        shutil.rmtree(folder(daemon))
        shutil.copytree(kept, folder(daemon))
        with open(path, "wb") as file:
            file.write(content)
        said = len(daemon.output())
        daemon.start("--snapshot-events", "1000000")
        status = daemon.status()
        assert status["resumed"] == seq_of(names[-2]), (status, names)
        assert daemon.state() == before
        assert f"snapshot of event {seq_of(names[-1])} is not used" in daemon.output()[said:]
        assert says in daemon.output()[said:], daemon.output()[said:]
        daemon.kill()

    for _ in range(FLIPS):
        bit = chance.randrange(8 * len(whole))
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        start_with(bytes(flipped), "")
    for bit in (0, 8 * 9, 8 * 20, 8 * 50, 8 * 100, 8 * 112, 8 * 127):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1
        start_with(bytes(flipped), "")
    start_with(whole[:chance.randrange(len(whole))], "")
    start_with(b"", "it is no snapshot")
    start_with(whole + b"\0", "of ")
    start_with(open(os.path.join(kept, names[0]), "rb").read(), "it is the one of event")
    daemon.start()
    assert daemon.state() == before
    print(f"{len(whole)} bytes: {FLIPS + 11} times damaged, and only told")


def foreign_ones_are_not_taken(daemon):
    """Of another log, and of the same one when it was longer. All new logs begin alike."""
    own = daemon.do("user.show", user="ann")["user"]["user"]
    with Daemon("--snapshot-events", str(EVENTS)) as other:
        begin(other)
        fill(other, "other", 4 * EVENTS)
        wait_for_snapshot(other)
        other.stop()
        before = daemon.state()
        daemon.kill()
        shutil.rmtree(folder(daemon))
        shutil.copytree(folder(other), folder(daemon))
        said = len(daemon.output())
        daemon.start("--snapshot-events", "0")
        assert daemon.status().get("resumed", 0) < own, daemon.status()
        assert daemon.state() == before, (daemon.state(), before)
        assert "it is of another log" in daemon.output()[said:], daemon.output()[said:]
        wait_for(daemon, "foreign ones go",
                 lambda _: all(seq_of(name) < own for name in files(daemon)))
    daemon.stop()
    saved = os.path.join(daemon.dir, "saved")
    os.mkdir(saved)
    for name in ("log.mdb", "head"):
        shutil.copyfile(os.path.join(daemon.data, name), os.path.join(saved, name))
    daemon.start()
    fill(daemon, "ahead", 2 * EVENTS)
    daemon.stop()
    ahead = files(daemon)[-1]
    for name in ("log.mdb", "head"):
        shutil.copyfile(os.path.join(saved, name), os.path.join(daemon.data, name))
    said = len(daemon.output())
    daemon.start()
    assert daemon.state() == before
    assert f"snapshot of event {seq_of(ahead)} is not used: the log ends" in daemon.output()[said:]
    print("snapshots of another log and of a longer one are not taken, and go")


def checkpoints_tell_of_one():
    """Where a new state is due in a checkpoint, it is that of a snapshot: hashed once for both."""
    with Daemon("--snapshot-events", str(EVENTS), "--checkpoint-events", "20") as daemon:
        begin(daemon)
        told = None
        for part in range(50):
            fill(daemon, f"part{part}", EVENTS // 4)
            wait_for_snapshot(daemon)
            note = daemon.do("checkpoint.show")["note"]
            line = next(x for x in note.splitlines() if x.startswith("charterd-state "))
            _, _, seq, told = line.split()
            if f"{int(seq):016}.snap" in files(daemon):
                break
        else:
            raise AssertionError(f"no checkpoint tells of a snapshot: {line}, {files(daemon)}")
        with open(os.path.join(folder(daemon), f"{int(seq):016}.snap"), "rb") as file:
            head = file.read(112)
        assert base64.b64encode(head[80:112]).decode() == told, (line, head)
        daemon.stop()
        verify(daemon.data, status=3, says="as replay gives them")  # 3: no key was given
        print(f"a checkpoint tells of the state of the snapshot of event {seq}")


def begin(daemon):
    daemon.do("user.create", username="ann", email="Ann@example.com", full_name="Ann A.")
    daemon.do("account.open_master", name="agency", owner="ann")


def main():
    seed = int(os.environ.get("CH_SEED", "20261126"))
    print(f"seed {seed} (CH_SEED)", flush=True)
    with Daemon("--snapshot-events", str(EVENTS)) as daemon:
        begin(daemon)
        fill(daemon, "first", 5 * EVENTS)
        wait_for_snapshot(daemon)
        starts_are_the_same(daemon)
        names_are_found(daemon)
        an_end_makes_one(daemon)
        damage_costs_time_only(daemon, seed)
        foreign_ones_are_not_taken(daemon)
    checkpoints_tell_of_one()


if __name__ == "__main__":
    main()
