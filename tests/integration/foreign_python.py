#!/usr/bin/env python3
# foreign_python: a client that shares no code with charterd. SPDX-License-Identifier: MIT
"""Uses what schema/README.md and schema/REFERENCE.md say, and msgpack, libnng, liblmdb and
libsodium: opens accounts, shares, checks, sends a message again, reads events; then reads the
stored records, their checksums, the Merkle root over them and what is sealed in one."""
import ctypes
import hashlib
import os

import msgpack

from _daemon import Daemon

PEER = ["peer"]


class Client:
    def __init__(self, context):
        self.context = context

    def send(self, message):
        return msgpack.unpackb(self.context.ask(msgpack.packb(message)))

    def message(self, calls, auth=None, **more):
        request = {"id": os.urandom(16), "v": 1, "auth": auth or PEER, "calls": calls}
        request.update(more)
        return request

    def ask(self, calls, auth=None, **more):
        request = self.message(calls, auth, **more)
        reply = self.send(request)
        assert reply["id"] == request["id"]
        return reply

    def one(self, kind, on=None, auth=None, **args):
        call = {"type": kind, "args": args}
        if on is not None:
            call["on"] = on
        reply = self.ask([call], auth)
        assert "error" not in reply, reply
        return reply["results"][0]


def commands(client):
    ann = client.one("user.create", username="Ann", email="Ann@Example.org", full_name="Ann Ek")
    assert ann["ok"] and ann["result"]["events"] == 1, ann
    assert ann["result"]["user"] == ann["result"]["seq"], ann
    root = client.one("account.open_master", name="north", owner="ann")["result"]
    assert root["events"] == 3 and root["account"] == root["seq"], root
    assert (root["key"], root["share"]) == (root["seq"] + 1, root["seq"] + 2), root
    by_key = client.one("key.scopes", auth=["key", root["secret"]])["result"]
    assert by_key["key"]["key"] == root["key"] and "campaigns.send" in by_key["scopes"], by_key
    shop = client.one("account.open_sub", on="north", name="shop")["result"]
    as_ann = ["as", "user", "ann@example.org"]
    bob = client.one("user.create", username="bob")["result"]["user"]
    given = client.one("share.give", on=shop["account"], auth=as_ann, user="bob",
                       role="list_manager", expires_at="2099-01-01T00:00:00Z")
    assert given["ok"], given
    refused = client.one("share.give", on="north/shop", auth=["as", "user", bob], user="ann")
    assert not refused["ok"], refused
    assert refused["rejection"]["reason"] == "not_allowed", refused
    assert refused["rejection"]["detail"] == ["shares.create"], refused
    again = client.one("share.give", on="north/shop", auth=as_ann, user="bob")
    assert again["rejection"]["reason"] == "share_exists", again
    return shop["account"], bob, as_ann


def checks(client, shop, bob):
    """A batch of questions in one message, answered in order."""
    def question(scope, **more):
        return {"type": "check", "on": shop, "args": {"user": bob, "scopes": [scope], **more}}
    reply = client.ask([question("contacts.create"), question("contacts.export"),
                        question("lists.read", resource="L-1"),
                        question("lists.read", explain=True)])
    assert reply["ok"], reply
    answers = [result["result"] for result in reply["results"]]
    assert [a["decision"] for a in answers] == \
        ["allowed", "implicit_deny", "allowed", "allowed"], answers
    assert answers[1]["reason"] == "not_granted", answers
    assert answers[0]["valid_until"] == "2099-01-01T00:00:00Z", answers
    assert {fact["fact"] for fact in answers[3]["facts"]} >= {"share", "role"}, answers
    assert all(a["revision"] == reply["seq"] for a in answers), (answers, reply["seq"])


def all_or_nothing(client):
    before = client.one("status")["result"]["revision"]
    calls = [{"type": "user.create", "args": {"username": "carl"}},
             {"type": "user.create", "args": {"username": "ann"}}]
    reply = client.ask(calls)
    assert not reply["ok"], reply
    assert reply["results"][0]["failure"]["code"] == "not_decided", reply
    assert reply["results"][1]["rejection"]["reason"] == "username_taken", reply
    assert client.one("status")["result"]["revision"] == before
    reply = client.ask(calls, mode="each")
    assert reply["results"][0]["ok"] and not reply["results"][1]["ok"], reply
    dry = client.ask([{"type": "user.create", "args": {"username": "dora"}}], dry_run=True)
    assert dry["ok"] and "user" not in dry["results"][0]["result"], dry
    assert client.one("status")["result"]["revision"] == before + 1


def repeats(client):
    request = client.message([{"type": "account.open_master", "args": {"name": "south"}}])
    first = client.send(request)
    again = client.send(request)
    assert first["ok"] and again["results"] == first["results"], (first, again)
    request["calls"][0]["args"]["name"] = "west"
    other = client.send(request)
    assert other["results"][0]["rejection"]["reason"] == "id_reused", other
    return request["id"], first["results"][0]["result"]["account"]


def bad_requests(client):
    for change, code, field in (
            ({"v": 2}, "bad_version", "v"),
            ({"auth": ["key", "x"]}, "auth_refused", "auth"),
            ({"auth": ["signed", "x"]}, "auth_unsupported", "auth"),
            ({"wish": 1}, "unknown_field", "wish"),
            ({"calls": []}, "out_of_bounds", "calls")):
        request = client.message([{"type": "status"}])
        request.update(change)
        reply = client.send(request)
        assert not reply["ok"] and "results" not in reply, reply
        assert (reply["error"]["code"], reply["error"].get("field")) == (code, field), reply
    reply = msgpack.unpackb(client.context.ask(b"\xc1"))
    assert reply["id"] is None and reply["error"]["code"] == "undecodable", reply
    reply = client.ask([{"type": "status"}, {"type": "user.create", "args": {"username": 7}}])
    failure = reply["results"][1]["failure"]
    assert (failure["code"], failure["field"]) == ("wrong_kind", "calls[1].args.username"), reply


def read_events(client):
    events, start = [], 1
    while True:
        page = client.one("events.read", **{"from": start, "limit": 50})["result"]
        events += page.get("events", [])  # an empty list is left out
        if page["next"] > page["head"]:
            break
        start = page["next"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "schema_declared", events[0]
    opened = [event for event in events if event["type"] == "account_opened"]
    assert [event["fields"]["name"] for event in opened] == ["north", "shop", "south"], opened
    assert opened[0]["actor_kind"] == "operator" and opened[0]["channel"] == "operator", opened
    return events


# ---- what is stored ----------------------------------------------------------------------------

class Value(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]


def stored(path):
    """seq -> value of the database `events`, by liblmdb."""
    lmdb = ctypes.CDLL("liblmdb.so.0")
    nosubdir, rdonly, nolock, first, after = 0x4000, 0x20000, 0x400000, 0, 8
    env, txn, cursor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    dbi, key, value = ctypes.c_uint(), Value(), Value()
    assert lmdb.mdb_env_create(ctypes.byref(env)) == 0
    assert lmdb.mdb_env_set_maxdbs(env, 16) == 0
    assert lmdb.mdb_env_open(env, path.encode(), nosubdir | rdonly | nolock, 0o600) == 0
    assert lmdb.mdb_txn_begin(env, None, rdonly, ctypes.byref(txn)) == 0
    assert lmdb.mdb_dbi_open(txn, b"events", 0, ctypes.byref(dbi)) == 0
    assert lmdb.mdb_cursor_open(txn, dbi, ctypes.byref(cursor)) == 0
    found, step = {}, first
    while lmdb.mdb_cursor_get(cursor, ctypes.byref(key), ctypes.byref(value), step) == 0:
        seq = int.from_bytes(ctypes.string_at(key.data, key.size), "big")
        found[seq] = ctypes.string_at(value.data, value.size)
        step = after
    lmdb.mdb_cursor_close(cursor)
    lmdb.mdb_txn_abort(txn)
    lmdb.mdb_env_close(env)
    return found


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def merkle_root(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return hashlib.sha256(b"\1" + merkle_root(leaves[:left]) + merkle_root(leaves[left:])).digest()


def opened(vault, seq, personal):
    """What is sealed in an event, by libsodium and the vault's slot."""
    number, nonce, sealed = personal
    sodium = ctypes.CDLL("libsodium.so.23")
    out = ctypes.create_string_buffer(len(sealed))
    length = ctypes.c_ulonglong()
    extra = seq.to_bytes(8, "big")
    code = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, ctypes.byref(length), None, sealed, ctypes.c_ulonglong(len(sealed)), extra,
        ctypes.c_ulonglong(len(extra)), nonce, vault[32 * number:32 * number + 32])
    assert code == 0, "what is sealed does not open"
    return msgpack.unpackb(out.raw[:length.value])


def read_log(data, events, root, repeat):
    found = stored(os.path.join(data, "log.mdb"))
    assert sorted(found) == list(range(1, len(found) + 1))
    for seq in range(len(events) + 1, len(found) + 1):  # at its end: which shares were used
        assert msgpack.unpackb(found[seq][:-4])[2] == 92, seq
    records = []
    for seq in range(1, len(events) + 1):
        record, checksum = found[seq][:-4], found[seq][-4:]
        assert crc32c(seq.to_bytes(8, "big") + record) == int.from_bytes(checksum, "little"), seq
        items = msgpack.unpackb(record)
        assert len(items) == 9 and items[0] == seq, items
        assert msgpack.packb(items) == record, f"seq {seq} is not in its shortest form"
        assert items[5] == events[seq - 1]["account"], (items, events[seq - 1])
        records.append(record)
    assert merkle_root(records) == root, "the Merkle root is another one"
    identity, account = repeat
    items = msgpack.unpackb(records[account - 1])
    assert items[2] == 10 and items[3][:2] == [1, os.getuid()] and items[4] == 5, items
    assert items[6][:2] == [identity, 0] and len(items[6][2]) == 8, items
    assert items[7] == ["south", None, 1] and items[8] is None, items
    with open(os.path.join(data, "vault"), "rb") as file:
        vault = file.read()
    created = [e["seq"] for e in events if e["type"] == "user_created"][0]
    items = msgpack.unpackb(records[created - 1])
    assert items[7] == [items[8][0]], items
    assert opened(vault, created, items[8]) == ["ann", "Ann@Example.org", "Ann Ek"], items
    for name in (b"Ann@Example.org", b"Ann Ek"):
        assert not any(name in record for record in records), "a name stands in the log in clear"


def main():
    with Daemon() as daemon:
        client = Client(daemon.socket.context())
        shop, bob, _ = commands(client)
        checks(client, shop, bob)
        all_or_nothing(client)
        repeat = repeats(client)
        bad_requests(client)
        events = read_events(client)
        root = client.one("status")["result"]["root"]
        daemon.stop()
        read_log(daemon.data, events, root, repeat)
        print(f"{len(events)} events read, by the wire and from the log; root {root.hex()}")


if __name__ == "__main__":
    main()
