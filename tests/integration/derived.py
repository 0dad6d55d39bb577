#!/usr/bin/env python3
# derived: the index is the log's, and can be lost. SPDX-License-Identifier: MIT
"""events.read with a filter by account or user answers what a filter over the whole log does, in
pages of any size; and after kill -9, with and without the directory `derived` deleted or damaged,
answers and state hash are the same."""
import os
import random
import shutil

from _daemon import Daemon, make_call

EVENTS = int(os.environ.get("CH_DERIVED_EVENTS", "70000"))  # more than one run of the index
BATCH = 500
SAMPLES = 12
USERS = 40


def people(daemon, chance):
    """Users, accounts, shares of all sorts; then what a run needs."""
    for number in range(USERS):
        daemon.do("user.create", username=f"u{number}")
    for number in range(8):
        daemon.do("account.open_master", name=f"a{number}", owner=f"u{number}")
        daemon.do("account.open_sub", f"a{number}", name="sub")
        daemon.do("group.create", f"a{number}", name="crew")
        daemon.do("share.give", f"a{number}", group="crew", role="watcher")
    for number in range(USERS):
        account = f"a{chance.randrange(8)}"
        reply = daemon.ask(("share.give", account, {"user": f"u{number}", "role": "watcher"}))
        if not reply["ok"]:
            continue
        daemon.do("share.set_role", account, user=f"u{number}", role="developer")
        daemon.do("group.add", account, group="crew", user=f"u{number}")
        if number % 3 == 0:
            daemon.do("share.deactivate", account, user=f"u{number}")
        if number % 4 == 0:
            daemon.do("share.end", account, user=f"u{number}")
        if number % 5 == 0:
            daemon.do("user.lock", user=f"u{number}")
    daemon.do("group.delete", "a7", group="crew")
    reply = daemon.ask(("account.close", "a6", {"below": True}), auth=["as", "user", "u6"])
    assert reply["ok"], reply  # only the owner closes


def many(daemon, chance, wanted):
    """Memberships that come and go, until the log is long enough."""
    members = [(event["account"], event["fields"]["subject"])
               for event in daemon.events() if event["type"] == "share_given"
               and event["fields"]["subject_kind"] == "user"]
    pairs = []
    for account, user in members:
        reply = daemon.ask(("group.add", account, {"group": "crew", "user": user}))
        if reply["ok"]:
            pairs.append((account, user))
    assert pairs
    while daemon.status()["revision"] < wanted:
        calls = []
        for account, user in chance.choices(pairs, k=BATCH // 2):
            args = {"group": "crew", "user": user}
            calls.append(make_call("group.remove", account, args))
            calls.append(make_call("group.add", account, args))
        request = {"id": daemon.fresh_id(), "v": 1, "auth": ["peer"], "calls": calls}
        assert daemon.send(request)["ok"]


def touches(events):
    """user -> seqs, as README says it, from the whole log."""
    subject_of = {}
    seqs = {}
    for event in events:
        fields = event["fields"]
        users = set()
        if event["type"] == "user_created":
            users.add(event["seq"])
        if event["type"] == "share_given":
            subject_of[event["seq"]] = (fields["subject_kind"], fields["subject"])
            users.add(fields["subject"] if fields["subject_kind"] == "user" else None)
        if "user" in fields:
            users.add(fields["user"])
        if "share" in fields:
            kind, subject = subject_of[fields["share"]]
            users.add(subject if kind == "user" else None)
        for user in users - {None}:
            seqs.setdefault(user, set()).add(event["seq"])
    return seqs


def read_all(daemon, limit, **filters):
    """All pages; the cursor must move and never pass an event."""
    start, found = 1, []
    while True:
        page = daemon.do("events.read", **{"from": start, "limit": limit}, **filters)
        events = page.get("events", [])
        assert len(events) <= limit
        assert page["next"] > start or not events, page
        assert all(start <= event["seq"] < page["next"] for event in events)
        found += events
        if page["next"] > page["head"]:
            return found
        start = page["next"]


def samples(daemon, chance):
    """(filters, limit, what a filter over the whole log finds)."""
    events = list(daemon.events())
    by_user = touches(events)
    created = [event["seq"] for event in events if event["type"] == "user_created"]
    names = {seq: f"u{number}" for number, seq in enumerate(created[:USERS])}
    accounts = sorted({event["account"] for event in events} - {0})
    cases = []
    for user in chance.sample(sorted(by_user), SAMPLES):
        mine = [event for event in events if event["seq"] in by_user[user]]
        cases.append(({"user": names.get(user, user)}, chance.choice((7, 100, 1000)), mine))
        account = chance.choice(mine)["account"]
        if account:
            cases.append(({"user": user, "account": account}, 1000,
                          [event for event in mine if event["account"] == account]))
        cases.append(({"user": user, "type": "share_given"}, 1,
                      [event for event in mine if event["type"] == "share_given"]))
    for account in accounts:
        mine = [event for event in events if event["account"] == account]
        cases.append(({"account": account}, 1000, mine))
        cases.append(({"account": account, "type": "group_created"}, 3,
                      [event for event in mine if event["type"] == "group_created"]))
    return cases


def check(daemon, cases, what):
    for filters, limit, wanted in cases:
        found = read_all(daemon, limit, **filters)
        assert found == wanted, f"{what}: {filters}: {len(found)} events, not {len(wanted)}"
    print(f"{what}: {len(cases)} filtered reads are what a filter over the log finds", flush=True)


def odd_questions(daemon):
    """Beside the pages: a message of several calls, what is not there, the end of the log."""
    head = daemon.status()["durable"]
    reply = daemon.ask(("events.read", None, {"user": "u1", "limit": 2}), ("status", None, {}),
                       ("events.read", None, {"account": "a1", "from": head + 1}),
                       ("events.read", None, {"limit": 3}))
    results = [entry["result"] for entry in reply["results"]]
    assert len(results[0]["events"]) == 2 and len(results[3]["events"]) == 3
    assert results[1]["durable"] == head and results[2]["next"] == head + 1
    assert not daemon.ask(("events.read", None, {"user": "nobody"}))["ok"]
    assert not daemon.ask(("events.read", None, {"user": "u1"}), as_of=head)["ok"]
    page = daemon.do("events.read", **{"user": "u1", "from": head + 1, "wait_ms": 20})
    assert not page.get("events") and page["next"] == head + 1
    first = daemon.do("user.create", username="newcomer")
    page = daemon.do("events.read", user="newcomer")
    assert [event["seq"] for event in page["events"]] == [first["seq"]], page
    answer = daemon.ask(("user.create", None, {"username": "newest"}),
                        ("events.read", None, {"user": "newest"}))
    assert answer["ok"], answer


def damage(path, chance):
    with open(path, "r+b") as file:
        file.seek(chance.randrange(os.path.getsize(path)))
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def main():
    seed = int(os.environ.get("CH_SEED") or random.randrange(1 << 32))
    print(f"seed {seed} (again with CH_SEED={seed})", flush=True)
    chance = random.Random(seed)
    with Daemon() as daemon:
        people(daemon, chance)
        many(daemon, chance, EVENTS)
        odd_questions(daemon)
        derived = os.path.join(daemon.data, "derived")
        streams = os.path.join(derived, "streams")
        cases = samples(daemon, chance)
        check(daemon, cases, "live")
        state = daemon.state()
        size = os.path.getsize(streams)
        assert size > 0 or EVENTS < 65536, "no run was written"
        print(f"{state[0]} events; derived/streams has {size} bytes", flush=True)
        daemon.kill()
        daemon.start()
        check(daemon, cases, "after kill -9")
        assert daemon.state() == state
        daemon.kill()
        shutil.rmtree(derived)
        daemon.start()
        check(daemon, cases, "after kill -9 and without derived")
        assert daemon.state() == state
        assert os.path.getsize(streams) == size
        daemon.kill()
        if size > 0:
            damage(streams, chance)
        daemon.start()
        check(daemon, cases, "with one bit of the index flipped")
        assert daemon.state() == state
        print(f"state {state[1]} at seq {state[0]} each time", flush=True)


if __name__ == "__main__":
    main()
