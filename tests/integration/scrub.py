#!/usr/bin/env python3
# scrub: what rots in the log or in a snapshot is found while charterd runs, and by charter-verify.
# SPDX-License-Identifier: MIT
"""Flips bits of a snapshot; forges one that has the right checksums; rots and forges an old record,
which a start from a snapshot does not read, one that cannot be applied, a tile, a checkpoint. Each
is named; none stops the daemon, but where it must replay what is false."""
import hashlib
import json
import os
import random
import shutil
import struct

from _daemon import Daemon
from _logfile import copy, crc32c, replace, stored, verify, verify_raw
from snapshot import EVENTS, begin, files, fill, folder, seq_of, wait_for, wait_for_snapshot

FLIPS = int(os.environ.get("CH_FLIPS", "200")) // 20
HEAD, CRC_AT, BODY_AT, HASH_AT, BODY_CRC_AT = 128, 12, 16, 80, 112


def forge(whole, old, new):
    """Another state, with the hashes and checksums that belong to it."""
    assert old in whole[HEAD:] and len(old) == len(new)
    body = whole[HEAD:].replace(old, new)
    head = bytearray(whole[:HEAD])
    head[HASH_AT:HASH_AT + 32] = hashlib.blake2b(body).digest()[:32]
    head[BODY_CRC_AT:BODY_CRC_AT + 4] = struct.pack("<I", crc32c(body))
    head[CRC_AT:CRC_AT + 4] = struct.pack("<I", crc32c(bytes(head[BODY_AT:])))
    return bytes(head) + body


def put(path, content):
    with open(path, "wb") as file:
        file.write(content)


def is_verified(daemon, faults=0):
    """All of the log was, but what the worker was not told of yet."""
    return wait_for(daemon, "verified",
                    lambda s: s["durable"] - s.get("scrubbed", 0) < EVENTS and s["scrubs"] > 0 and
                    s["faults"] == faults)


def flips_are_found(daemon, data, key, seed):
    chance = random.Random(seed)
    told = json.loads(verify(data, "--key", key, "--json"))
    assert told["snapshots"] == len(files(daemon)) > 1, told
    assert "snapshots" in verify(data, "--key", key)
    for name in files(daemon)[:1] + files(daemon)[-1:]:
        path = os.path.join(data, "snapshots", name)
        whole = open(path, "rb").read()
        bits = [chance.randrange(8 * len(whole)) for _ in range(FLIPS)]
        bits += [8 * byte + chance.randrange(8) for byte in range(chance.randrange(7), HEAD, 7)]
        for bit in bits:
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            put(path, flipped)
            status, text = verify_raw(data, "--key", key)
            assert status == 1 and f"snapshot of event {seq_of(name)}: " in text, (bit, text)
        put(path, whole[:-1])
        verify(data, "--key", key, status=1, says=f"snapshot of event {seq_of(name)}: its body has")
        put(path, whole)
        ahead = os.path.join(data, "snapshots", "0000000000999999.snap")
        put(ahead, whole)
        verify(data, "--key", key, status=1, says="snapshot of event 999999: it is the one of")
        os.remove(ahead)
    assert json.loads(verify(data, "--key", key, "--json")) == told
    print(f"{2 * len(bits)} flipped bits of snapshots found and named")


def a_forged_snapshot_is_found(daemon, data, key):
    """Its checksums are right, so a start takes it; replay tells, whoever does it."""
    name = files(daemon)[-1]
    path = os.path.join(data, "snapshots", name)
    whole = open(path, "rb").read()
    put(path, forge(whole, b"named-first-10", b"NAMED-first-10"))
    says = f"snapshot of event {seq_of(name)}: replay gives another state"
    verify(data, "--key", key, status=1, says=says)
    daemon.kill()
    shutil.copyfile(path, os.path.join(folder(daemon), name))
    daemon.start()
    assert daemon.status()["resumed"] == seq_of(name)
    status = wait_for(daemon, "the fault", lambda s: s["faults"] > 0)
    assert status["fault"] == says, status
    assert f"FAULT found while verifying: {says}" in daemon.output()
    wait_for(daemon, "it goes", lambda _: name not in files(daemon))
    put(path, whole)
    daemon.kill()
    daemon.start()
    is_verified(daemon)
    print("a forged snapshot is found by replay, and deleted")


def an_old_record_rots(daemon, data, key):
    """Where a start from a snapshot does not look."""
    ann = daemon.do("user.show", user="ann")["user"]["user"]
    seq = next(e["seq"] for e in daemon.events(ann) if e["type"] == "group_created")
    record = daemon.do("proof.inclusion", seq=seq)["record"]
    before = daemon.state()
    daemon.stop()
    rotten = bytearray(stored(seq, record))
    rotten[len(record) // 2] ^= 1
    forged = record.replace(b"group-first", b"GROUP-first")
    kept = copy(daemon.data, os.path.join(daemon.dir, "kept"))
    for false, says in ((bytes(rotten), f"record {seq} does not match its checksum"),
                        (stored(seq, forged), f"record {seq}")):
        assert replace(daemon.data, stored(seq, record), false) > 0
        verify(daemon.data, "--key", key, status=1, says=f"record {seq}")
        said = len(daemon.output())
        daemon.start()
        assert daemon.status()["resumed"] > seq
        status = wait_for(daemon, "the fault", lambda s: s["faults"] > 0)
        assert says in status["fault"] and status["faults"] == 1, status
        assert status.get("scrubbed", 0) < seq, status
        assert "FAULT found while verifying: " + status["fault"] in daemon.output()[said:]
        daemon.do("group.create", "agency", name="it-goes-on")
        daemon.stop()
        shutil.rmtree(daemon.data)
        copy(kept, daemon.data)
    daemon.start()
    is_verified(daemon)
    assert daemon.state() == before
    print(f"record {seq}, rotten and forged, is named while charterd runs")


def a_record_that_cannot_be_applied_stops_nothing(daemon, data, key):
    """Checksum and form are right, but it names a group that is none: to apply it would break an
    assertion. It is told instead; only a start that must apply it ends, and says what to do."""
    ann = daemon.do("user.show", user="ann")["user"]["user"]
    events = daemon.events(ann)
    joined = next(event for event in events if event["type"] == "group_member_added")
    seq, group = joined["seq"], joined["fields"]["group"]
    record = daemon.do("proof.inclusion", seq=seq)["record"]
    daemon.stop()
    named, none = (b"\xcd" + struct.pack(">H", number) for number in (group, ann))
    forged = record.replace(named, none)
    assert forged != record
    assert replace(daemon.data, stored(seq, record), stored(seq, forged)) > 0
    verify(daemon.data, "--key", key, status=1, says=f"record {seq}")
    # The worker must read it, too, when it has to make its index again.
    for number, options in enumerate(((), (), ("--scrub-rate", "0"))):
        if number > 0:
            daemon.kill()
            shutil.rmtree(os.path.join(daemon.data, "derived"), ignore_errors=True)
        said = len(daemon.output())
        daemon.start(*options)
        assert daemon.status()["resumed"] > seq
        daemon.do("group.create", "agency", name=f"it-goes-on-{number}")
        status = wait_for(daemon, "the fault", lambda s: s["faults"] > 0)
        assert f"record {seq} was changed: tile 0/{(seq - 1) // 256} " in status["fault"], status
        assert status.get("scrubbed", 0) < seq and status["faults"] == 1, status
        assert "FAULT found while verifying: " + status["fault"] in daemon.output()[said:]
    past = daemon.ask(("account.show", "agency", {}), as_of=seq + 1)
    assert not past["ok"] and f"record {seq} was changed" in str(past), past
    daemon.kill()
    shutil.rmtree(os.path.join(daemon.data, "snapshots"))
    for options in ((), ("--scrub-rate", "0")):
        status, said = daemon.start_refused(*options)
        assert status == 3, (status, said)
        assert f"log_corrupt: event {seq} of {daemon.data} cannot be applied" in said, said
        assert f"run charter-verify {daemon.data}" in said and "restore a backup" in said, said
    copy(data, daemon.data)
    daemon.start()
    is_verified(daemon)
    print(f"record {seq}, which cannot be applied, is told and stops nothing")


def a_false_tile_is_made_again(daemon, key):
    """Records are the truth and tiles follow from them: a start goes on, and tells."""
    record = daemon.do("proof.inclusion", seq=300)["record"]
    daemon.stop()
    leaf = hashlib.sha256(b"\0" + record).digest()
    assert replace(daemon.data, leaf, leaf[:-1] + bytes([leaf[-1] ^ 1])) > 0
    verify(daemon.data, "--key", key, status=1, says="tile 0/1 has a false hash of record 300")
    said = len(daemon.output())
    daemon.start()
    status = is_verified(daemon, faults=1)
    assert status["fault"].startswith("1 of the log's tiles were missing or false"), status
    assert "FAULT found" in daemon.output()[said:] and status["fault"] in daemon.output()[said:]
    assert daemon.do("proof.inclusion", seq=300)["record"] == record
    daemon.do("checkpoint.make")
    daemon.stop()
    verify(daemon.data, "--key", key)
    daemon.start()
    assert is_verified(daemon)["faults"] == 0
    print("a false tile is made again, and told")


def replace_stored(data, number, old, new):
    """A checkpoint's time and note, in every copy that the file has, with its checksum."""
    assert replace(data, stored(number, old), stored(number, new)) > 0


def time_beside(data, note):
    with open(os.path.join(data, "log.mdb"), "rb") as file:
        content = file.read()
    at = content.index(note) - 8
    return content[at:at + 8]


def a_forged_checkpoint_is_not_held_against_records(daemon, key):
    daemon.do("group.create", "agency", name="last")  # the last checkpoint a start looks at itself
    assert daemon.do("checkpoint.make")["checkpoint"]["number"] > 1
    note = daemon.do("checkpoint.show", number=1)["note"].encode()
    lines = note.split(b"\n")
    lines[2] = (b"B" if lines[2][:1] == b"A" else b"A") + lines[2][1:]
    forged = b"\n".join(lines)
    daemon.stop()
    time = time_beside(daemon.data, note)
    replace_stored(daemon.data, 1, time + note, time + forged)
    says = "checkpoint 1: its signature does not verify"
    verify(daemon.data, "--key", key, status=1, says=says)
    daemon.start()
    assert is_verified(daemon, faults=1)["fault"] == says
    daemon.stop()
    replace_stored(daemon.data, 1, time + forged, time + note)
    verify(daemon.data, "--key", key)
    daemon.start()
    is_verified(daemon)
    print("a forged checkpoint is named, and no record for it")


def a_forged_time_at_the_end_is_told(daemon, key):
    """The time beside a checkpoint is under no signature; behind the last one no record follows."""
    daemon.do("group.create", "agency", name="timed")
    made = daemon.do("checkpoint.make")
    number, seq = made["checkpoint"]["number"], made["checkpoint"]["size"]
    note = made["note"].encode()
    daemon.stop()
    before = time_beside(daemon.data, note)
    after = bytes([before[0] ^ 1]) + before[1:]
    replace_stored(daemon.data, number, before + note, after + note)
    says = f"checkpoint {number} has another time than record {seq}, its last: "
    verify(daemon.data, "--key", key, status=1, says=says)
    daemon.start()
    assert says in wait_for(daemon, "the fault", lambda s: s["faults"] > 0)["fault"]
    daemon.stop()
    replace_stored(daemon.data, number, after + note, before + note)
    verify(daemon.data, "--key", key)
    daemon.start()
    is_verified(daemon)
    print("a forged time beside the last checkpoint is told")


def main():
    seed = int(os.environ.get("CH_SEED", "20261126"))
    print(f"seed {seed} (CH_SEED)", flush=True)
    with Daemon("--snapshot-events", str(EVENTS), "--scrub-rate", "1000000") as daemon:
        begin(daemon)
        fill(daemon, "first", 3 * EVENTS)
        is_verified(daemon)
        fill(daemon, "more", EVENTS)  # behind the end of the pass
        wait_for_snapshot(daemon)
        status = is_verified(daemon)
        assert status["scrubs"] == 1, status
        daemon.do("checkpoint.make")
        key = daemon.do("checkpoint.key")["key"]
        daemon.stop()
        daemon.start()
        is_verified(daemon)
        data = copy(daemon.data, os.path.join(daemon.dir, "t"))
        flips_are_found(daemon, data, key, seed)
        a_forged_snapshot_is_found(daemon, data, key)
        an_old_record_rots(daemon, data, key)
        a_record_that_cannot_be_applied_stops_nothing(daemon, data, key)
        a_false_tile_is_made_again(daemon, key)
        a_forged_checkpoint_is_not_held_against_records(daemon, key)
        a_forged_time_at_the_end_is_told(daemon, key)


if __name__ == "__main__":
    main()
