#!/usr/bin/env python3
# charter_replay: charter replay: every event that is wanted once, with names, and where to go on.
# SPDX-License-Identifier: MIT
import csv
import io
import json
import signal
import subprocess

from _daemon import Daemon, need_program

MANY = 5 * 1000


def replay(daemon, *words, status=0):
    done = daemon.charter("replay", *words, check=False)
    assert done.returncode == status, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout if status == 0 else done.stderr


def seqs(daemon, *words):
    text = replay(daemon, *words, "--format", "json")
    return [json.loads(line)["seq"] for line in text.split("\n") if line]


def world(daemon):
    daemon.do("clock.set", to="2020-01-01T12:00:00Z")
    for name in ("ann", "bob", "carl"):
        daemon.do("user.create", username=name)
    daemon.do("account.open_master", name="agency", owner="ann")
    daemon.do("account.open_sub", "agency", name="shop, \"the\" one")
    daemon.do("clock.set", to="2020-01-02T12:00:00Z")
    marks = {"first": daemon.do("share.give", "agency", user="bob", role="user")["seq"]}
    daemon.do("share.give", "agency", user="carl", role="user")
    daemon.do("group.create", "agency", name="crew")
    daemon.do("group.add", "agency", group="crew", user="bob")
    marks["last"] = daemon.status()["durable"]
    daemon.do("clock.set", to="2020-01-03T12:00:00Z")
    marks["restricted"] = daemon.do("share.restrict", "agency", user="bob",
                                    scopes=["campaigns.send", "contacts.export"])["seq"]
    marks["ended"] = daemon.do("share.end", "agency", user="carl")["seq"]
    marks["renamed"] = daemon.do("account.rename", "agency/shop, \"the\" one", name="store")["seq"]
    return marks


def what_is_wanted_and_nothing_else(daemon, marks):
    all_of = [event["seq"] for event in daemon.events()]
    assert seqs(daemon) == all_of
    between = list(range(marks["first"], marks["last"] + 1))
    assert seqs(daemon, "--from", str(marks["first"]), "--to", str(marks["last"])) == between
    # a time is the first event that is not before it, and the last that is not after it
    assert seqs(daemon, "--from", "2020-01-02T12:00:00Z", "--to", "2020-01-02T12:00:00Z") == between
    assert seqs(daemon, "--from", "2020-01-01T12:00:01Z", "--to", "2020-01-03T11:59:59Z") == between
    assert seqs(daemon, "--from", "2020-02-01T00:00:00Z") == []
    assert seqs(daemon, "--to", "1970-01-01T00:00:00Z")[-1] < marks["first"]
    assert seqs(daemon, "--from", "99999") == []
    assert seqs(daemon, "--from", str(marks["last"]), "--to", str(marks["first"])) == []
    types = {event["seq"]: event["type"] for event in daemon.events()}
    shares = [seq for seq in all_of if types[seq].startswith("share_")]
    assert seqs(daemon, "--type", "share.*") == seqs(daemon, "--type", "share_*") == shares
    assert seqs(daemon, "--type", "share_ended") == [marks["ended"]]
    assert seqs(daemon, "--type", "share_ended,account_renamed") == \
        [marks["ended"], marks["renamed"]]
    # --on, which every command takes, is not passed over
    agency = seqs(daemon, "--account", "agency")
    assert agency and agency == seqs(daemon, "--on", "agency") != all_of
    listed = daemon.charter("events", "--on", "agency", "--json").strip().split("\n")
    assert [json.loads(line)["seq"] for line in listed] == agency
    bob = seqs(daemon, "--user", "bob")
    assert marks["first"] in bob and marks["restricted"] in bob and marks["ended"] not in bob, bob
    assert seqs(daemon, "--user", "bob", "--account", "agency", "--type", "share.*",
                "--from", str(marks["last"])) == [marks["restricted"]]


def with_names(daemon, marks):
    text = replay(daemon, "--from", str(marks["restricted"]), "--to", str(marks["renamed"]))
    lines = text.rstrip("\n").split("\n")
    assert "(bob on agency); denied: contacts.export, campaigns.send" in lines[0], lines
    assert "(carl on agency)" in lines[1], "of a share that has ended: " + lines[1]
    assert "(agency/store)" in lines[2] and "operator" in lines[2], lines
    # nothing is cut, however much it is
    owner = json.loads(replay(daemon, "--format", "json", "--type", "key_created").split("\n")[0])
    shown = replay(daemon, "--type", "key_created").split("\n")[0]
    assert len(owner["fields"]["scopes"]) > 50
    assert all(scope in shown for scope in owner["fields"]["scopes"]), shown
    event = json.loads(replay(daemon, "--from", str(marks["restricted"]), "--json").split("\n")[0])
    assert event["names"] == {"account": "agency", "fields.share": "bob on agency"}, event
    plain = dict(event)
    del plain["names"]
    read = daemon.do("events.read", **{"from": marks["restricted"], "limit": 1})["events"][0]
    assert plain == read, (plain, read)
    rows = list(csv.DictReader(io.StringIO(replay(daemon, "--csv", "--account", "agency"))))
    assert [int(row["seq"]) for row in rows] == seqs(daemon, "--account", "agency")
    opened = list(csv.DictReader(io.StringIO(replay(daemon, "--format", "csv",
                                                    "--type", "account_opened"))))
    assert "name: shop, \"the\" one;" in opened[1]["fields"], opened
    assert opened[0]["account_name"] == "agency" and opened[0]["actor_kind"] == "operator"
    by_ann = daemon.ask(("group.create", "agency", {"name": "hers"}),
                        auth=["as", "user", "ann"])["results"][0]["result"]["seq"]
    assert "(ann)  " in replay(daemon, "--from", str(by_ann))
    header = replay(daemon, "--from", "99999", "--format", "csv")
    assert header.startswith("seq,at,type,") and header.count("\n") == 1, header


def what_is_wrong_is_told(daemon):
    assert "share_gone" in replay(daemon, "--type", "share_gone", status=2)
    assert "table json csv" in replay(daemon, "--format", "xml", status=2)
    assert "RFC 3339" in replay(daemon, "--from", "yesterday", status=2)
    assert "not_found" in replay(daemon, "--account", "agency/nowhere", status=3)
    assert "not_found" in replay(daemon, "--user", "nobody", status=3)
    assert "service_only" in replay(daemon, "--as", "ann", status=3)
    assert "no option --since" in replay(daemon, "--since", "5", status=2)
    assert "32 types" in replay(daemon, "--type", ",".join(["share_given"] * 33), status=2)
    assert "--type" in replay(daemon, "--help")
    for word in ("--as-of=5", "--csv"):
        done = daemon.charter("events", word, check=False)
        assert done.returncode == 2 and done.stdout == "" and "events has no " in done.stderr, done
    plain = daemon.charter("events", "--from", "1", "--limit", "1")
    assert plain.endswith("}\n"), f"nothing stands for what is not there: {plain}"


def an_erased_person_has_no_name(daemon):
    assert "(bob)" in replay(daemon, "--type", "share_given")
    daemon.do("user.erase", user="bob")
    text = replay(daemon, "--type", "share_given,user_erased")
    assert "bob" not in text and "usr_" in text, text


def what_was_written_is_shown(daemon):
    """Names, reasons and notes, on the way by the whole log and by one stream; until the person is
    erased. Passwords are never."""
    dora = daemon.do("user.create", username="dora", full_name="Dora D.")["user"]
    daemon.do("user.set_password", user="dora", password="doras-first-word")
    call = {"type": "share.give", "on": "agency", "args": {"user": "dora", "role": "user"},
            "note": "by ticket 17"}
    assert daemon.send({"id": daemon.fresh_id(), "v": 1, "auth": ["as", "user", "ann"],
                        "calls": [call]})["ok"]
    daemon.do("account.suspend", "agency/store", reason="spam, told twice")
    for words in ((), ("--user", "dora")):
        text = replay(daemon, *words)
        assert "username: dora; full_name: Dora D." in text, text
        assert text.count("; note: by ticket 17\n") == 1, text
        assert "argon2" not in text and "verifier: " not in text, text
        assert ("reason: spam, told twice" in text) == (words == ()), text
    event = json.loads(replay(daemon, "--type", "share_given", "--user", "dora", "--json"))
    assert event["note"] == "by ticket 17" and "sealed" not in event, event
    assert "note: by ticket 17" in replay(daemon, "--csv", "--user", "dora")
    plain = [event for event in daemon.events() if "note" in event or "sealed" in event
             or "username" in event["fields"]]
    assert plain == [], "only where it is asked for"
    acts = daemon.do("activity.list", "agency", full=True)["acts"]
    assert [act["note"] for act in acts if "note" in act] == ["by ticket 17"], acts
    stop = ("activity.list", "agency/store", {"full": True})
    assert daemon.ask(stop)["results"][0]["result"]["acts"][0]["reason"] == "spam, told twice"
    ann = {"auth": ["as", "user", "ann"]}
    hers = daemon.ask(stop, **ann)["results"][0]["result"]["acts"]
    assert hers and not any("reason" in act for act in hers), "the operator's reason is theirs"
    hers = daemon.ask(("activity.list", "agency", {"full": True}), **ann)["results"][0]["result"]
    assert [act["note"] for act in hers["acts"] if "note" in act] == ["by ticket 17"], hers
    assert "note" not in str(daemon.do("activity.list", "agency")), "only with full"
    assert "by ticket 17" in daemon.charter("activity", "list", "--on", "agency", "--full")
    daemon.do("user.erase", user="dora")
    for words in ((), ("--user", str(dora))):
        text = replay(daemon, *words)
        assert "ticket" not in text and "Dora" not in text and "(erased user)" in text, text
        assert ("reason: spam, told twice" in text) == (words == ()), text
    event = json.loads(replay(daemon, "--type", "share_given", "--user", str(dora), "--json"))
    assert event["sealed"] == "erased" and "note" not in event, event
    acts = daemon.do("activity.list", "agency", full=True)["acts"]
    assert not any("note" in act for act in acts), acts


def it_can_be_stopped_and_goes_on(daemon):
    for start in range(0, MANY, 1000):
        reply = daemon.ask(*[("group.create", "agency", {"name": f"group-{number}"})
                             for number in range(start, start + 1000)])
        assert reply["ok"]
    head = daemon.status()["durable"]
    wanted = list(range(1, head + 1))
    words = [need_program("charter"), "--connect", daemon.url, "replay", "--json"]
    process = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)  # it waits for us to read on
    text, told = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    assert process.returncode == 130, (process.returncode, told)
    seen = [json.loads(line)["seq"] for line in (first + text).split("\n") if line]
    assert told.startswith("charter: go on with --from "), told
    more = seqs(daemon, "--from", told.split()[-1])
    assert len(seen) < head and seen + more == wanted, (len(seen), len(more), head)
    print(f"{len(seen)} events, then {len(more)}")


def main():
    with Daemon("--clock", "manual") as daemon:
        marks = world(daemon)
        what_is_wanted_and_nothing_else(daemon, marks)
        with_names(daemon, marks)
        what_is_wrong_is_told(daemon)
        what_was_written_is_shown(daemon)
        it_can_be_stopped_and_goes_on(daemon)
        an_erased_person_has_no_name(daemon)


main()
