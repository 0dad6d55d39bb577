#!/usr/bin/env python3
# checkpoints: signed tree heads, proofs, witnesses and keys, checked by code of its own.
# SPDX-License-Identifier: MIT
import json
import base64
import hashlib
import os
import stat

import _ed25519 as ed
from _daemon import Daemon
from _logfile import verify

SEED = bytes(range(32))
WITNESS = "witness.example/w1"
WITNESS_KEY = ed.verifier_key(WITNESS, ed.COSIGNATURE, ed.public_key(SEED))
OTHER_SEED = bytes(range(1, 33))


def refused(daemon, reason, kind, head=None, **args):
    reply = daemon.ask((kind, None, args), **(head or {}))
    result = reply["results"][0]
    assert "rejection" in result, f"{kind} {args}: {reply}"
    assert result["rejection"]["reason"] == reason, f"{kind} {args}: {reply}"
    return result["rejection"]


def read(note):
    """Origin, size, root and the lines of charterd's own."""
    lines = ed.note_text(note).splitlines()
    own = dict(line.split(" ", 1) for line in lines[3:])
    return lines[0], int(lines[1]), base64.b64decode(lines[2]), own


def a_checkpoint_is_what_its_text_says(daemon):
    daemon.do("user.create", username="ann")
    daemon.do("account.open_master", name="agency", owner="ann")
    refused(daemon, "no_checkpoint", "checkpoint.show")
    refused(daemon, "no_checkpoint", "proof.inclusion", seq=1)
    key = daemon.do("checkpoint.key")
    status = daemon.status(state_hash=True)
    made = daemon.do("checkpoint.make")
    origin, size, root, own = read(made["note"])
    assert origin == key["origin"] == "example.com/charterd", key
    assert size == status["durable"] and root == status["root"], (made, status)
    assert made["checkpoint"]["root"] == root and made["checkpoint"]["size"] == size
    version, seq, state = own["charterd-state"].split()
    assert int(version) >= 1 and int(seq) == size
    assert base64.b64decode(state) == status["state_hash"], (own, status)
    assert ed.signed_by(made["note"], key["key"])
    assert not ed.signed_by(made["note"].replace("example", "exbmple", 1), key["key"])
    again = daemon.do("checkpoint.make")
    assert again == made, "nothing happened, so there is nothing new to sign"
    assert daemon.status()["checkpoint"] == size
    return made


def proofs_lead_to_its_root(daemon, made):
    size = made["checkpoint"]["size"]
    root = made["checkpoint"]["root"]
    roots = {}
    for seq in (1, 2, 3, 17, 255, 256, 257, size - 1, size):
        proof = daemon.do("proof.inclusion", seq=seq)
        assert (proof["index"], proof["size"], proof["note"]) == (seq - 1, size, made["note"])
        leaf = ed.leaf_hash(proof["record"])
        assert leaf == proof["leaf"]
        assert ed.root_from_inclusion(seq - 1, size, leaf, proof.get("hashes", [])) == root, seq
        earlier = daemon.do("proof.consistency", **{"from": seq})
        roots[seq] = earlier["from_root"]
        assert ed.roots_from_consistency(seq, size, earlier.get("hashes", []),
                                         earlier["from_root"]) == (earlier["from_root"], root)
    assert roots[1] == ed.leaf_hash(daemon.do("proof.inclusion", seq=1)["record"])
    for number in range(300):
        daemon.do("group.create", "agency", name=f"group-{number}")
    refused(daemon, "no_checkpoint", "proof.inclusion", seq=size + 1)
    later = daemon.do("checkpoint.make")
    assert later["checkpoint"]["number"] == 2
    proof = daemon.do("proof.consistency", **{"from": size})
    assert proof["from_root"] == root
    assert ed.roots_from_consistency(size, proof["to"], proof["hashes"], root) == \
        (root, later["checkpoint"]["root"])
    old = daemon.do("proof.inclusion", seq=5, size=size)
    assert old["note"] == made["note"]
    for seq in (17, 256):
        now = daemon.do("proof.consistency", **{"from": seq})
        assert now["from_root"] == roots[seq], "a past root never changes"
    refused(daemon, "not_found", "proof.inclusion", seq=5, size=size + 1)
    refused(daemon, "not_found", "proof.inclusion", seq=0)
    empty = daemon.do("proof.consistency", **{"from": 0})  # what every log begins with
    assert empty["from_root"] == hashlib.sha256(b"").digest() and "hashes" not in empty, empty
    refused(daemon, "no_checkpoint", "proof.consistency", **{"from": proof["to"] + 1})
    print(f"18 proofs lead to the roots of sizes {size} and {proof['to']}")


def a_receipt_asks_for_no_state_hash(daemon):
    """It needs a checkpoint that covers it; one made for it repeats the state told of before."""
    before = daemon.do("checkpoint.make")
    daemon.do("group.create", "agency", name="received")
    receipt = daemon.do("access.receipt", "agency", user="ann", scope="campaigns.send")
    after = daemon.do("checkpoint.show")
    assert receipt["size"] == after["checkpoint"]["size"] > before["checkpoint"]["size"], after
    state = read(before["note"])[3]["charterd-state"]
    assert read(after["note"])[3]["charterd-state"] == state, after
    daemon.do("group.create", "agency", name="asked")
    asked = read(daemon.do("checkpoint.make")["note"])
    assert int(asked[3]["charterd-state"].split()[1]) == asked[1], asked


def lists_and_limits(daemon):
    rows = daemon.do("checkpoint.list")["checkpoints"]
    assert [row["number"] for row in rows] == list(range(len(rows), 0, -1)), rows
    first = daemon.do("checkpoint.list", limit=1)
    assert len(first["checkpoints"]) == 1 and first["next"] == len(rows)
    second = daemon.do("checkpoint.list", limit=1, after=first["next"])
    assert second["checkpoints"] == rows[1:2]
    assert daemon.do("checkpoint.show", size=rows[1]["size"])["checkpoint"] == rows[1]
    assert daemon.do("checkpoint.show", number=1)["checkpoint"] == rows[-1]
    refused(daemon, "not_found", "checkpoint.show", number=99)
    refused(daemon, "not_found", "checkpoint.show", number=0)
    refused(daemon, "not_found", "checkpoint.show", size=rows[0]["size"] + 1)
    both = daemon.ask(("checkpoint.show", None, {"number": 1, "size": 5}))["results"][0]
    assert both["failure"]["code"] == "bad_combination", both
    ann = {"auth": ["as", "user", "ann"]}
    refused(daemon, "service_only", "checkpoint.make", ann)
    refused(daemon, "operator_only", "checkpoint.rotate", ann)
    refused(daemon, "service_only", "checkpoint.cosign", ann, lines="x")
    refused(daemon, "service_only", "proof.inclusion", ann, seq=1)
    assert daemon.ask(("checkpoint.show", None, {}), **ann)["ok"], "checkpoints are for everybody"
    assert daemon.ask(("proof.consistency", None, {"from": 1}), **ann)["ok"]
    reply = daemon.ask(("checkpoint.rotate", None, {}), dry_run=True)
    assert reply["error"]["code"] == "bad_combination", reply


def witnesses_cosign(daemon):
    note = daemon.do("checkpoint.show")["note"]
    line = ed.cosign(note, WITNESS, SEED, 1700000000)
    assert daemon.do("checkpoint.key")["witnesses"] == [{"key": WITNESS_KEY}]
    cosigned = daemon.do("checkpoint.cosign", lines=line)
    assert cosigned["note"] == note + line
    assert cosigned["checkpoint"]["witnesses"] == [WITNESS]
    assert daemon.do("checkpoint.show")["note"] == note + line
    assert daemon.do("checkpoint.cosign", lines=line.rstrip("\n"))["note"] == note + line
    other = ed.cosign(note, WITNESS, SEED, 1700000001)
    assert daemon.do("checkpoint.cosign", lines=other)["note"] == note + line
    first = daemon.do("checkpoint.show", number=1)["note"]
    late = ed.cosign(first, WITNESS, SEED, 1700000002)
    assert daemon.do("checkpoint.cosign", number=1, lines=late)["note"] == first + late
    refused(daemon, "bad_cosignature", "checkpoint.cosign", lines=late)  # of another checkpoint
    refused(daemon, "bad_cosignature", "checkpoint.cosign", lines="nothing")
    refused(daemon, "bad_cosignature", "checkpoint.cosign", lines=line + "more")
    refused(daemon, "bad_cosignature", "checkpoint.cosign", lines="")
    broken = line[:-10] + ("A" if line[-10] != "A" else "B") + line[-9:]
    refused(daemon, "bad_cosignature", "checkpoint.cosign", lines=broken)
    stranger = ed.cosign(note, "stranger.example", OTHER_SEED, 1700000000)
    refused(daemon, "unknown_witness", "checkpoint.cosign", lines=stranger)
    namesake = ed.cosign(note, WITNESS, OTHER_SEED, 1700000000)
    refused(daemon, "unknown_witness", "checkpoint.cosign", lines=namesake)
    refused(daemon, "not_found", "checkpoint.cosign", number=77, lines=line)
    key = daemon.do("checkpoint.key")["key"]
    assert ed.signed_by(daemon.do("checkpoint.show")["note"], key)
    printed = os.path.join(daemon.dir, "printed.key")
    with open(printed, "w", encoding="ascii") as file:
        file.write(daemon.charter("checkpoint", "key"))  # as a person keeps it
    verify(daemon.data, "--key", printed)
    text = verify(daemon.data, "--key", key, "--witness", WITNESS_KEY)
    assert "cosignatures  2\n" in text, text
    verify(daemon.data, "--key", key, "--witness", key, status=2)
    proof = os.path.join(daemon.dir, "event.tlog-proof")
    daemon.charter("proof", "inclusion", "5", "--out", proof)
    verify("proof", proof, "--key", key, "--witness", WITNESS_KEY)
    nobody = ed.verifier_key("stranger.example", ed.COSIGNATURE, ed.public_key(OTHER_SEED))
    verify("proof", proof, "--key", key, "--witness", nobody, status=1, says="cosigned")


def the_key_is_rotated(daemon):
    old = daemon.do("checkpoint.key")["key"]
    rotated = daemon.do("checkpoint.rotate")
    note, new = rotated["note"], rotated["key"]
    assert new != old and ed.signed_by(note, old) and ed.signed_by(note, new)
    assert read(note)[3]["charterd-next-key"] == new == rotated["checkpoint"]["next_key"]
    key = daemon.do("checkpoint.key")
    assert key["key"] == new and key["retired"] == [{"key": old}], key
    daemon.do("group.create", "agency", name="after the rotation")
    later = daemon.do("checkpoint.make")["note"]
    assert ed.signed_by(later, new) and not ed.signed_by(later, old)
    before = rotated["checkpoint"]["number"] - 1
    says = f"{before} of {before + 2} checkpoints are signed by no key known"
    verify(daemon.data, "--key", new, status=3, says=says)
    told = json.loads(verify(daemon.data, "--key", new, "--json", status=3))
    assert told["good"] and told["unsigned"] == before and says in told["unchecked"], told
    for keys in ((old,), (new, old)):
        told = json.loads(verify(daemon.data, "--json", *(w for k in keys for w in ("--key", k))))
        assert told["unsigned"] == 0 and "unchecked" not in told, told
    for stop in (daemon.stop, daemon.kill):
        stop()
        daemon.start()
        assert daemon.do("checkpoint.key") == key
    secret = open(os.path.join(daemon.data, "signing-key"), encoding="ascii").read()
    assert secret.count("PRIVATE") == 1, "the retired key's private part is gone"


def the_end_is_covered(daemon):
    """At shutdown, and after so many events."""
    daemon.do("group.create", "agency", name="the last of the day")
    head = daemon.status()["durable"]
    daemon.stop()
    daemon.start()
    rows = daemon.do("checkpoint.list")["checkpoints"]
    assert rows[0]["size"] == head, rows[0]
    daemon.stop()
    daemon.start("--checkpoint-events", "50")
    assert daemon.do("checkpoint.list")["checkpoints"] == rows, "an idle day is not signed again"
    made = 0
    while made < 200 or len(daemon.do("checkpoint.list")["checkpoints"]) < len(rows) + 2:
        daemon.do("group.create", "agency", name=f"more-{made}")
        made += 1  # a busy machine's worker makes one for more than 50
        assert made < 5000, "no two checkpoints in 5,000 events"
    daemon.kill()
    daemon.start()
    more = daemon.do("checkpoint.list")["checkpoints"]
    assert len(more) >= len(rows) + 2, (len(more), len(rows))
    sizes = [row["size"] for row in more]
    assert sizes == sorted(sizes, reverse=True)
    print(f"{len(more) - len(rows)} checkpoints in {made} events at one for each 50")


def time_makes_one(daemon):
    """The first event that none covers is covered a second later."""
    daemon.stop()
    daemon.start("--checkpoint-seconds", "1")
    before = daemon.status()["checkpoint"]
    daemon.do("group.create", "agency", name="of its time")
    head = daemon.status()["durable"]
    waited = 0
    while daemon.status()["checkpoint"] < head and waited < 300:
        daemon.do("events.read", **{"from": head + 1, "wait_ms": 100})  # nothing comes
        waited += 1
    assert daemon.status()["checkpoint"] == head > before, daemon.status()


def keys_are_guarded(daemon):
    path = os.path.join(daemon.data, "signing-key")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    daemon.do("checkpoint.make")
    daemon.stop()
    for mode in (0o640, 0o604):
        os.chmod(path, mode)
        status, said = daemon.start_refused()
        assert status == 1 and "key_unsafe" in said and "signing-key" in said, said
    os.chmod(path, 0o600)
    os.rename(path, path + ".away")
    status, said = daemon.start_refused()
    assert status == 1 and "key_wrong" in said, said
    assert not os.path.exists(path)
    with open(path, "w", encoding="ascii") as file:
        file.write("charterd signing key 1\nsomething\n")
    os.chmod(path, 0o600)
    status, said = daemon.start_refused()
    assert status == 1 and "key_unsafe" in said and "damaged" in said, said
    os.remove(path)
    status, said = daemon.start_refused("--origin", "bad name", "--accept-new-key")
    assert status == 2 and "origin" in said, said
    daemon.start("--accept-new-key")
    fresh = daemon.do("checkpoint.key")
    assert "retired" not in fresh and fresh["origin"] == "example.com/charterd"
    assert ed.signed_by(daemon.do("checkpoint.make")["note"], fresh["key"])
    daemon.stop()
    daemon.start()
    assert daemon.do("checkpoint.key") == fresh
    daemon.stop()
    status, said = daemon.start_refused("--witness", "no+key")
    assert status == 2 and "witness" in said, said
    os.rename(path + ".away", path)
    status, said = daemon.start_refused()
    assert status == 1 and "key_wrong" in said, "the old key did not sign the last checkpoint"


def main():
    with Daemon("--origin", "example.com/charterd", "--witness", WITNESS_KEY) as daemon:
        made = a_checkpoint_is_what_its_text_says(daemon)
        proofs_lead_to_its_root(daemon, made)
        a_receipt_asks_for_no_state_hash(daemon)
        lists_and_limits(daemon)
        witnesses_cosign(daemon)
        the_key_is_rotated(daemon)
        the_end_is_covered(daemon)
        time_makes_one(daemon)
        keys_are_guarded(daemon)


if __name__ == "__main__":
    main()
