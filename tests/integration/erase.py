#!/usr/bin/env python3
# erase: a person's data is gone from every file and answer, and stays gone. Row X-07.
# SPDX-License-Identifier: MIT
"""Reads the raw files, LMDB's free pages and the snapshots included, before and after; asks the
past; looks for opened data in the running daemon's memory; takes the key back in by hand, as a
crash between log and vault would leave it; puts an older log beside the newer vault."""
import os
import re
import shutil
import time

from _daemon import Daemon

SLOT = 32
MAPPED_MOST = 1 << 28
SECRETS = ("zebra.quagga", "okapi@plains.example", "Oona Kapinski", "a remark on giraffes",
           "Savannah > Tapir")


def slot_of(daemon, number):
    with open(os.path.join(daemon.data, "vault"), "rb") as vault:
        vault.seek(SLOT * number)
        return vault.read(SLOT)


def put_slot(daemon, number, key):
    with open(os.path.join(daemon.data, "vault"), "r+b") as vault:
        vault.seek(SLOT * number)
        vault.write(key)


def is_in_a_file(daemon, wanted):
    """Looks again where a file goes meanwhile: the worker puts a newer snapshot in its place."""
    for _ in range(100):
        try:
            for folder, _, names in os.walk(daemon.data):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        if wanted in file.read():
                            return name
            return None
        except FileNotFoundError:
            continue
    raise AssertionError("files come and go all the time")


def opened_in_memory(daemon):
    """How often what was sealed of the person stands in the daemon's memory as it is when opened:
    in rows of names, and in what was made to answer. None: nobody may look, or a sanitizer keeps
    what was freed."""
    opened = b"\x93\xac" + SECRETS[0].encode() + b"\xb4" + SECRETS[1].encode()
    count = 0
    try:
        with open(f"/proc/{daemon.process.pid}/maps", encoding="ascii") as file:
            lines = list(file)
        if any("libasan" in line or "libtsan" in line for line in lines):
            return None
        maps = [re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line) for line in lines]
        with open(f"/proc/{daemon.process.pid}/mem", "rb", 0) as memory:
            for begin, end in ((int(m[1], 16), int(m[2], 16)) for m in maps if m):
                if end - begin > MAPPED_MOST:  # room that is kept; of the sanitizers' own, too
                    continue
                try:
                    memory.seek(begin)
                    count += memory.read(end - begin).count(opened)
                except OSError:
                    continue
    except PermissionError:
        return None
    return count


def memory_forgets(daemon):
    """What is dropped is cleared, by the worker soon after."""
    for _ in range(60):
        count = opened_in_memory(daemon)
        if not count:
            return
        time.sleep(0.05)
    raise AssertionError(f"opened data of an erased person stands {count} times in memory")


def nothing_is_told(daemon, what, answer):
    text = repr(answer) + daemon.output()
    for secret in SECRETS:
        assert secret not in text, f"{what} tells {secret!r}: {answer}"


def make_a_life(daemon):
    daemon.charter("user", "create", "--username", "ann")
    daemon.charter("account", "open-master", "--name", "agency", "--owner", "ann")
    daemon.do("user.create", username=SECRETS[0], email=SECRETS[1], full_name=SECRETS[2])
    daemon.charter("share", "give", "--on", "agency", "--user", SECRETS[0], "--role", "user",
                   "--as", "ann", "--note", SECRETS[3])
    section, path = SECRETS[4].split(" > ")
    daemon.charter("activity", "record", "--on", "agency", "--as", SECRETS[0],
                   "--section", section, "--path", path)
    daemon.do("user.set_password", user=SECRETS[0], password="eight888")
    return daemon.do("user.show", user=SECRETS[0])["user"]


def ask_then(daemon, seq, kind, on=None, **args):
    reply = daemon.ask((kind, on, args), as_of=seq)
    assert reply["ok"], reply
    return reply["results"][0]["result"]


def the_answers(daemon, user, seq):
    """Everything that could name the person, now and in the past."""
    yield "user.show", daemon.do("user.show", user=user)
    yield "user.show then", ask_then(daemon, seq, "user.show", user=user)
    yield "user.list", daemon.do("user.list", on="agency")
    yield "user.list then", ask_then(daemon, seq, "user.list", "agency")
    yield "activity.list", daemon.do("activity.list", on="agency")
    yield "events.read", daemon.do("events.read", **{"from": 1})
    yield "charter activity", daemon.charter("activity", "list", "--on", "agency")
    yield "charter events", daemon.charter("events", "--from", "1")


def is_erased(daemon, user, seq):
    shown = daemon.do("user.show", user=user)["user"]
    assert shown["status"] == "erased" and "username" not in shown, shown
    for what, answer in the_answers(daemon, user, seq):
        nothing_is_told(daemon, what, answer)


def main():
    with Daemon("--snapshot-events", "5") as daemon:
        person = make_a_life(daemon)
        user, seq = person["user"], daemon.status()["revision"]
        number = 2
        key = slot_of(daemon, number)
        assert is_in_a_file(daemon, key) == "vault"
        for secret in SECRETS:
            assert is_in_a_file(daemon, secret.encode()) is None, "it was never in the clear"
        told = [repr(answer) for _, answer in the_answers(daemon, user, seq)]
        assert SECRETS[0] in told[0] and SECRETS[0] in told[1], "it could be told before"
        session = daemon.do("session.log_in", user=user, password="eight888")["secret"]
        daemon.stop()
        snapshots = os.listdir(os.path.join(daemon.data, "snapshots"))
        assert len(snapshots) > 1, snapshots  # is_in_a_file reads them, too
        older = daemon.data + ".older"
        shutil.copytree(daemon.data, older)
        daemon.start()
        assert SECRETS[0] in repr(ask_then(daemon, seq, "user.show", user=user))

        assert opened_in_memory(daemon) != 0, "nothing was looked at"
        daemon.do("user.erase", user=user)
        memory_forgets(daemon)
        assert slot_of(daemon, number) == b"\xff" * SLOT, "the answer came before the key was gone"
        assert is_in_a_file(daemon, key) is None
        is_erased(daemon, user, seq)
        daemon.do("user.erase", user=user)  # nothing more to do
        assert not daemon.send({"v": 1, "id": daemon.fresh_id(), "auth": ["session", session],
                                "calls": [{"type": "session.accounts", "args": {}}]})["ok"]
        assert "erased user #2" in daemon.charter("activity", "list", "--on", "agency")
        daemon.do("user.create", username=SECRETS[0])  # the name is free
        known = daemon.state()
        daemon.stop()
        daemon.start()
        assert daemon.state() == known and daemon.status()["resumed"] > seq
        is_erased(daemon, user, seq)
        for secret in SECRETS:
            assert is_in_a_file(daemon, secret.encode()) is None
        assert is_in_a_file(daemon, key) is None

        # A crash between log and vault, or an older vault: the key is still there. The next start
        # destroys it, and tells nothing that it opens, also where a snapshot is behind the erasure.
        daemon.kill()
        put_slot(daemon, number, key)
        daemon.start()
        assert slot_of(daemon, number) == b"\xff" * SLOT
        assert daemon.status()["resumed"] > seq
        is_erased(daemon, user, seq)
        daemon.stop()

        # An older log beside the newer vault: the start erases the person there, too.
        shutil.copy(os.path.join(daemon.data, "vault"), os.path.join(older, "vault"))
        shutil.rmtree(daemon.data)
        shutil.move(older, daemon.data)
        daemon.start()
        is_erased(daemon, user, seq)
        last = list(daemon.events(daemon.status()["revision"]))[-1]
        assert last["type"] == "user_erased", last
        daemon.stop()
        before = daemon.output()
        daemon.start()
        assert daemon.status()["revision"] == last["seq"], "it is said once"
        assert "rror" not in daemon.output()[len(before):]

        # A vault that is cut off, or lacks the newest: it is told.
        assert "vault never had" not in daemon.output()
        daemon.stop()
        os.truncate(os.path.join(daemon.data, "vault"), SLOT)
        daemon.start()
        assert "the vault never had the keys of" in daemon.output(), daemon.output()


if __name__ == "__main__":
    main()
