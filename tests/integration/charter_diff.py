#!/usr/bin/env python3
# charter_diff: charter diff: what changed between two moments, of whatever there is.
# SPDX-License-Identifier: MIT
import json
import subprocess

from _daemon import Daemon, need_program


def diff(daemon, before, after, *words, status=1):
    done = daemon.charter("diff", "--at", str(before), "--at", str(after), *words, check=False)
    assert done.returncode == status, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout if status <= 1 else done.stderr


def changes(daemon, before, after, *words, status=1):
    return json.loads(diff(daemon, before, after, "--json", *words, status=status))["changes"]


def short(listed):
    return {(one["change"], one["kind"], one["title"]) for one in listed}


def grant(daemon, scopes):
    args = {"user": "bob", "kind": "list", "resource": "L1", "scopes": scopes}
    assert daemon.ask(("share.grant", "agency", args))["ok"]


def world(daemon):
    daemon.do("clock.set", to="2020-01-01T12:00:00Z")
    marks = {"empty": daemon.status()["durable"]}
    for name in ("ann", "bob", "carl", "dora"):
        daemon.do("user.create", username=name)
    daemon.do("account.open_master", name="agency", owner="ann")
    daemon.do("account.open_sub", "agency", name="shop")
    daemon.do("account.open_master", name="other", owner="dora")
    daemon.do("share.give", "agency", user="bob", role="user")
    grant(daemon, ["lists.read", "contacts.read"])
    daemon.do("share.give", "agency/shop", user="carl", role="user",
              expires_at="2020-01-05T00:00:00Z")
    daemon.do("group.create", "agency", name="crew")
    daemon.do("group.add", "agency", group="crew", user="bob")
    daemon.do("role.define", "agency", name="peeker", scopes=["reports.read"])
    marks["before"] = daemon.status()["durable"]
    daemon.do("clock.set", to="2020-01-02T12:00:00Z")
    daemon.do("share.restrict", "agency", user="bob", scopes=["campaigns.send"])
    grant(daemon, ["lists.read", "lists.update"])  # as many grants as before
    daemon.do("group.remove", "agency", group="crew", user="bob")
    daemon.do("role.define", "agency", name="peeker", scopes=["reports.export"])
    daemon.do("share.give", "agency", group="crew", role="user")
    daemon.do("account.suspend", "agency/shop", reason="spam")
    daemon.do("key.create", "agency", name="robot", scopes=["reports.read"])
    daemon.do("settings.set", "agency", header="Hello")
    daemon.do("limit.set", name="OFFER_DAYS", value=9)
    daemon.do("plan.set", "agency", name="big", total=1000)
    daemon.do("account.rename", "agency/shop", name="store")
    daemon.do("account.open_sub", "other", name="branch")
    marks["after"] = daemon.status()["durable"]
    return marks


def all_kinds_of_things(daemon, marks):
    listed = changes(daemon, marks["before"], marks["after"])
    assert short(listed) == {
        ("changed", "share", "bob"), ("changed", "group", "crew"), ("changed", "role", "peeker"),
        ("added", "share", "crew"), ("added", "key", "robot"), ("changed", "settings", "agency"),
        ("changed", "account", "agency/store"), ("added", "plan", "agency"),
        ("added", "credits", "agency"), ("added", "credits", "agency/store"),
        ("changed", "limit", "OFFER_DAYS"), ("added", "account", "other/branch"),
        ("added", "settings", "other/branch"), ("added", "key", "first")}, short(listed)
    share = [one for one in listed if one["title"] == "bob"][0]
    assert share["before"]["denied"] == [] and share["after"]["denied"] == ["campaigns.send"]
    assert share["before"]["grants list L1"] == ["lists.read", "contacts.read"]
    text = diff(daemon, marks["before"], marks["after"])
    for line in ("~ share bob on agency", "    ~ denied: +campaigns.send",
                 "    ~ grants list L1: +lists.update -contacts.read", "    - member bob: yes",
                 "+ share crew on agency", "    ~ scopes: +reports.export -reports.read",
                 "    ~ name: shop -> store", "    ~ suspended: no -> yes",
                 "    + header.text: Hello", "~ limit OFFER_DAYS"):
        assert line in text, f"{line} in\n{text}"
    assert text == diff(daemon, marks["before"], marks["after"]), "the same twice"
    # the other way round
    back = changes(daemon, marks["after"], marks["before"])
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(turned[a], b) for a, b, _ in short(back)} == {(a, b) for a, b, _ in short(listed)}
    by_id = {(one["kind"], one["id"]): one for one in back}
    for one in listed:
        other = by_id[(one["kind"], one["id"])]
        assert one.get("before") == other.get("after"), (one, other)


def as_in_the_protocol(daemon, marks):
    """Numbers, booleans and ids: what json.loads makes of the answers themselves."""
    whole = json.loads(diff(daemon, marks["before"], marks["after"], "--json"))
    assert (whole["from"], whole["to"]) == (marks["before"], marks["after"]), whole
    of = {(one["kind"], one["title"]): one for one in whole["changes"]}
    store = daemon.do("account.show", "agency/store")["account"]["account"]
    account = of[("account", "agency/store")]
    assert account["id"] == store and account["after"]["suspended"] is True, account
    assert account["before"]["suspended"] is False, account
    plan = of[("plan", "agency")]["after"]
    assert plan["total"] == 1000 and isinstance(plan["paid"], bool), plan
    limit = of[("limit", "OFFER_DAYS")]
    assert limit["id"] == "OFFER_DAYS" and limit["after"]["value"] == 9, limit
    group = of[("group", "crew")]
    assert group["before"]["member bob"] is True and isinstance(group["id"], int), group
    now = json.loads(diff(daemon, "2020-01-01T12:00:00Z", "now", "--json"))
    assert now["from"] == "2020-01-01T12:00:00Z" and now["to"] == daemon.status()["durable"]
    assert "--json" in daemon.charter("diff", "--at", "1", "--at", "now", "--csv",
                                      check=False).stderr
    with open("/dev/full", "w", encoding="utf-8") as full:
        for more in ((), ("--json",)):
            done = subprocess.run([need_program("charter"), "--connect", daemon.url, "diff",
                                   "--at", str(marks["before"]), "--at", "now", *more],
                                  stdout=full, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 4 and "failed: " in done.stderr, done


def moments_and_accounts(daemon, marks):
    for seq in (1, marks["before"], marks["after"]):
        assert diff(daemon, seq, seq, status=0) == ""
    assert json.loads(diff(daemon, 5, 5, "--json", status=0))["changes"] == []
    # by time, and as of now
    assert changes(daemon, "2020-01-01T12:00:00Z", "now") == \
        changes(daemon, marks["before"], marks["after"])
    one = changes(daemon, marks["before"], marks["after"], "agency/store")
    assert {change["account"] for change in one} == {"agency/store"}, one
    then = changes(daemon, marks["before"], marks["after"], "agency/shop")
    assert one == then, "by what it was called"
    other = changes(daemon, marks["before"], marks["after"], "other")
    assert ("added", "account", "other/branch") in short(other)
    assert not any(change["account"].startswith("agency") for change in other)
    born = short(changes(daemon, marks["empty"], marks["before"], "agency"))
    assert ("added", "account", "agency") in born and ("added", "person", "bob") in born, born
    # what runs out changes without an act
    daemon.do("clock.set", to="2020-01-06T00:00:00Z")
    listed = changes(daemon, marks["after"], "now")
    assert [one["title"] for one in listed if one["kind"] == "share"] == ["carl"], listed


def pages_are_followed(daemon):
    before = daemon.status()["durable"]
    for start in (0, 600):
        assert daemon.ask(*[("group.create", "other", {"name": f"g{number:04}"})
                            for number in range(start, start + 600)])["ok"]
    listed = changes(daemon, before, "now", "other")
    assert len([one for one in listed if one["kind"] == "group"]) == 1200, len(listed)
    assert diff(daemon, "now", "now", status=0) == ""


def people_are_renamed_and_erased(daemon):
    person = daemon.do("user.create", username="ivo", email="ivo@example.org")["user"]
    daemon.do("share.give", "agency", user="ivo", role="user")
    before = daemon.status()["durable"]
    assert daemon.ask(("user.update_profile", None, {"username": "iwo"}),
                      auth=["as", "user", "ivo"])["ok"]
    renamed = daemon.status()["durable"]
    share = [one for one in changes(daemon, before, renamed) if one["kind"] == "share"][0]
    assert (share["title_before"], share["title"]) == ("ivo", "iwo"), share
    assert "~ name: ivo -> iwo" in diff(daemon, before, renamed)
    daemon.do("user.erase", user="iwo")
    text = diff(daemon, before, "now", "agency")
    whose = [line for line in text.split("\n") if line.startswith("~ person ")]
    assert len(whose) == 1 and whose[0].startswith("~ person usr_"), \
        f"an erased person is not called as the account: {text}"
    assert person in [one["id"] for one in changes(daemon, before, "now")]


def what_is_wrong_is_told(daemon, marks):
    assert "not_yet" in diff(daemon, 1, 99999, status=4)
    assert "not_found" in diff(daemon, 1, "now", "nowhere", status=3)
    assert "one account" in diff(daemon, 1, "now", "agency", "other", status=2)
    assert "usage" in daemon.charter("diff", "--at", "5", check=False).stderr
    assert "as_of" in diff(daemon, 1, "yesterday", status=4)
    # a moment that is none is not taken for one at which the account was not there
    assert "neither a seq nor" in diff(daemon, "yesterday", "tomorrow", "agency", status=4)
    assert "--at" in diff(daemon, 1, "now", "--as-of", "3", status=2)
    # a person sees what they may see now, and is told what they may not
    assert "account.show" in diff(daemon, marks["before"], "now", "--as", "bob", status=3)
    hers = changes(daemon, marks["before"], marks["after"], "--as", "ann")
    assert not any(one["account"].startswith("other") for one in hers), hers
    assert ("changed", "share", "bob") in short(hers)


def main():
    with Daemon("--clock", "manual") as daemon:
        marks = world(daemon)
        all_kinds_of_things(daemon, marks)
        as_in_the_protocol(daemon, marks)
        moments_and_accounts(daemon, marks)
        what_is_wrong_is_told(daemon, marks)
        pages_are_followed(daemon)
        people_are_renamed_and_erased(daemon)
        print("what changed is told")


main()
