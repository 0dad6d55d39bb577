#!/usr/bin/env python3
# scenario_X-04: tamper-evident: what is proved to others, and what somebody who changes the files
# cannot hide.
# SPDX-License-Identifier: MIT
import json
import os
import shutil

import msgpack

from _daemon import Daemon
from _logfile import copy, replace, stored, verify, verify_raw


def fill(daemon, name, count):
    for number in range(count):
        daemon.do("group.create", "agency", name=f"{name}-{number}")


def write(daemon, name, text):
    path = os.path.join(daemon.dir, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def record_of(daemon, seq):
    return daemon.do("proof.inclusion", seq=seq)["record"]


def a_log_is_verified_while_it_is_written(daemon, key):
    text = verify(daemon.data, "--key", key)
    assert "good" in text and "against" not in text, text
    fill(daemon, "live", 50)
    told = json.loads(verify(daemon.data, "--key", key, "--json"))
    status = daemon.status()
    assert told["good"] and told["records"] == status["durable"], (told, status)
    assert told["root"] == status["root"].hex() and told["covered"] < told["records"]
    assert told["states"] == told["checkpoints"] > 0
    verify(daemon.data, status=3, says="--key")
    verify(daemon.data, "--key", os.path.join(daemon.dir, "nothing"), status=2)
    verify(os.path.join(daemon.dir, "nowhere"), "--key", key, status=4)
    verify(status=2)
    print(f"{told['records']} records verified beside a running daemon")


def proofs_are_checked_offline(daemon, key):
    seq = daemon.do("user.create", username="bob")["user"]
    old = write(daemon, "old.checkpoint", daemon.do("checkpoint.make")["note"])
    proof = os.path.join(daemon.dir, "event.tlog-proof")
    daemon.charter("proof", "inclusion", str(seq), "--out", proof)
    verify("proof", proof, "--key", key, says="user_created")
    text = open(proof, encoding="utf-8").read()
    assert text.startswith("c2sp.org/tlog-proof@v1\n")
    for change in (("index ", "index 1"), ("extra ", "extra AA"), ("\n\n", "\n")):
        bad = write(daemon, "bad.tlog-proof", text.replace(*change, 1))
        verify("proof", bad, "--key", key, status=1, says="FALSE")
    verify("proof", proof, status=2)
    fill(daemon, "later", 20)
    daemon.do("checkpoint.make")
    size = daemon.do("checkpoint.show", number=1)["checkpoint"]["size"]
    now = os.path.join(daemon.dir, "now.proof")
    earlier = open(old, encoding="utf-8").read().split("\n")[1]
    daemon.charter("proof", "consistency", earlier, "--out", now)
    verify("consistency", now, "--against", old, "--key", key, says="begins with")
    first = write(daemon, "first.checkpoint", daemon.do("checkpoint.show", number=1)["note"])
    verify("consistency", now, "--against", first, "--key", key, status=1, says="another size")
    assert size < int(earlier)
    return old


def a_changed_record_is_named(daemon, key, at):
    """With its checksum put right, so that only the tree can tell."""
    record = record_of(daemon, at)
    forged = record.replace(b"live-1", b"lived1", 1)
    assert forged != record and len(forged) == len(record)
    shutil.rmtree(daemon.dir + "/t", ignore_errors=True)
    data = copy(daemon.data, daemon.dir + "/t")
    verify(data, "--key", key)
    assert replace(data, record, forged) > 0
    verify(data, "--key", key, status=1, says=f"record {at} does not match its checksum")
    data = copy(daemon.data, daemon.dir + "/t")
    assert replace(data, stored(at, record), stored(at, forged)) > 0
    text = verify(data, "--key", key, status=1)
    assert f"record {at} was changed" in text or "one of records" in text, text
    told = json.loads(verify(data, "--key", key, "--json", status=1).split("charter-verify")[0])
    assert told["part"] == "record" and not told["good"], told
    print(text.strip())


def an_impossible_record_is_found(daemon, key, at):
    """A record that says what cannot be: replaying it may well be the end of the process."""
    record = record_of(daemon, at)
    event = msgpack.unpackb(record)
    event[5] = event[5] + 20000  # of an account that there is not
    forged = msgpack.packb(event)
    assert len(forged) == len(record)
    data = copy(daemon.data, daemon.dir + "/t")
    assert replace(data, stored(at, record), stored(at, forged)) > 0
    status, text = verify_raw(data, "--key", key)
    assert status == 1 and "record" in text, text
    print(text.strip())


def two_records_that_changed_places_are_found(daemon, key, first, second):
    one, two = record_of(daemon, first), record_of(daemon, second)
    assert len(one) == len(two) and one != two
    data = copy(daemon.data, daemon.dir + "/t")
    mark = os.urandom(len(one) + 4)
    replace(data, stored(first, one), mark)
    replace(data, stored(second, two), stored(second, one))
    replace(data, mark, stored(first, two))
    verify(data, "--key", key, status=1, says=f"{first}")
    verify(data, "--key", key, "--no-replay", status=1, says="event")


def a_changed_checkpoint_is_named(daemon, key):
    note = daemon.do("checkpoint.show", number=2)["note"].encode()
    data = copy(daemon.data, daemon.dir + "/t")
    assert replace(data, note[-20:], note[-20:-8] + b"AAAAAA" + note[-2:]) > 0
    verify(data, "--key", key, status=1, says="checkpoint 2")


def a_changed_bundle_is_named(daemon, key):
    """A backup; any byte of it, here one in each part of the file."""
    path = os.path.join(daemon.dir, "x.bundle")
    daemon.charter("backup", path, "--data", daemon.data)
    verify("bundle", path, "--key", key, says="good")
    with open(path, "rb") as file:
        content = file.read()
    for part in range(8):
        at = part * (len(content) - 1) // 7
        with open(path, "wb") as file:
            file.write(content[:at] + bytes([content[at] ^ 4]) + content[at + 1:])
        text = verify("bundle", path, "--key", key, status=1, says="FALSE")
    print(text.strip())


def another_key_signs_nothing_here(daemon, key):
    other = Daemon("--origin", "example.com/charterd")
    with other:
        other.do("checkpoint.make")
        foreign = other.do("checkpoint.key")["key"]
        note = write(daemon, "foreign.checkpoint", other.do("checkpoint.show")["note"])
    verify(daemon.data, "--key", foreign, status=1, says="is signed by a key given")
    verify(daemon.data, "--key", key, "--against", note, status=1, says="no key known")


def a_log_that_was_cut_or_forked_is_found(daemon, key, old):
    """Against a checkpoint that somebody else kept; the head file is put right, too."""
    backup = copy(daemon.data, daemon.dir + "/backup")
    fill(daemon, "after the backup", 10)
    kept = write(daemon, "kept.checkpoint", daemon.do("checkpoint.make")["note"])
    verify(daemon.data, "--key", key, "--against", kept, "--against", old,
           says="against       2 kept elsewhere")
    verify(backup, "--key", key)
    verify(backup, "--key", key, "--against", kept, status=1, says="cut")
    fork = Daemon("--origin", "example.com/charterd")
    fork.data = backup
    with fork:
        fill(fork, "another history", 30)
        fork.do("checkpoint.make")
        fork.stop()
        verify(backup, "--key", key)
        verify(backup, "--key", key, "--against", old)
        verify(backup, "--key", key, "--against", kept, status=1, says="forked or re-ordered")


def the_new_key_is_followed(daemon, key):
    """Who knows only the first key follows it to the present one."""
    before = write(daemon, "before.checkpoint", daemon.do("checkpoint.make")["note"])
    size = daemon.do("checkpoint.show")["checkpoint"]["size"]
    rotation = daemon.do("checkpoint.rotate")
    rotated, link = rotation["key"], write(daemon, "rotation.checkpoint", rotation["note"])
    fill(daemon, "rotated", 5)
    daemon.do("checkpoint.make")
    text = verify(daemon.data, "--key", key)
    assert rotated in text, text
    verify(daemon.data, "--key", rotated, status=3, says="signed by no key known")
    verify(daemon.data, "--key", rotated, "--key", key)
    proof = os.path.join(daemon.dir, "rotated.tlog-proof")
    daemon.charter("proof", "inclusion", "7", "--out", proof)
    verify("proof", proof, "--key", rotated)
    told = json.loads(verify("proof", proof, "--key", rotated, "--json"))
    assert (told["good"], told["seq"], told["event"]["type"]) == (True, 7, "schema_declared"), told
    verify("proof", proof, "--key", rotated, "--against", before, status=3, says="of another size")
    verify("proof", proof, "--key", rotated, "--record", proof + ".none", status=4)
    newest = write(daemon, "newest.checkpoint", daemon.do("checkpoint.show")["note"])
    verify("proof", proof, "--key", rotated, "--against", newest)
    other = open(newest, encoding="utf-8").read().split("\n")
    other[2] = "A" * 43 + "="
    verify("proof", proof, "--key", rotated, "--against",
           write(daemon, "other.checkpoint", "\n".join(other)), status=1, says="of this size")
    verify("proof", proof, "--key", rotated, "--against", proof, status=1, says="is no signed")
    told = verify("proof", proof, "--key", key, "--json", status=1)
    assert json.loads(told[:told.rindex("}") + 1])["good"] is False, told
    verify("proof", proof, "--key", key, status=1, says="not signed by a key given")
    verify("proof", proof, "--key", key, "--against", before, status=1)
    verify("proof", proof, "--key", key, "--against", link, says="good")
    daemon.charter("proof", "consistency", str(size), "--out", proof)
    verify("consistency", proof, "--key", key, "--against", before, status=1)
    verify("consistency", proof, "--key", key, "--against", before, "--against", link)
    told = json.loads(verify("consistency", proof, "--key", key, "--against", before, "--against",
                             link, "--json"))
    assert told["good"] and told["from"] == size, told
    verify("consistency", proof, "--key", rotated, "--against", before, status=1)


def main():
    with Daemon("--origin", "example.com/charterd") as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        fill(daemon, "first", 200)
        daemon.do("checkpoint.make")
        key = daemon.do("checkpoint.key")["key"]
        a_log_is_verified_while_it_is_written(daemon, key)
        path = write(daemon, "log.key", key + "\n")
        old = proofs_are_checked_offline(daemon, path)
        names = {event["fields"].get("name"): event["seq"] for event in daemon.events()}
        a_changed_record_is_named(daemon, key, names["live-1"])
        an_impossible_record_is_found(daemon, key, names["first-20"])
        an_impossible_record_is_found(daemon, key, names["live-49"])
        two_records_that_changed_places_are_found(daemon, key, names["first-10"], names["first-11"])
        a_changed_checkpoint_is_named(daemon, key)
        a_changed_bundle_is_named(daemon, key)
        another_key_signs_nothing_here(daemon, key)
        a_log_that_was_cut_or_forked_is_found(daemon, key, old)
        the_new_key_is_followed(daemon, key)


if __name__ == "__main__":
    main()
