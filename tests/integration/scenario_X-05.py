#!/usr/bin/env python3
# scenario_X-05: a receipt: what was answered, signed, for others to check with the key alone; and
# what no receipt survives. SPDX-License-Identifier: MIT
import base64
import hashlib
import json
import os
import random
import re

import _ed25519 as ed
from _daemon import Daemon
from _logfile import verify, verify_raw

FLIPS = int(os.environ.get("CH_FLIPS", "80"))
ROUNDS = FLIPS


def receipt(daemon, name, *words, status=0):
    """Asks for one by the command line; its path."""
    path = os.path.join(daemon.dir, name)
    done = daemon.charter("receipt", *words, "--out", path, check=False)
    assert done.returncode == status, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
    return path if status == 0 else done.stderr


def asked(account, user, scope, *more):
    return ["--on", account, "--user", user, "--scope", scope, *more]


def told(path, key, *words, status=0):
    """What charter-verify says of it to programs."""
    text = verify("receipt", path, "--key", key, "--json", *words, status=status)
    return json.loads(text[:text.rindex("}") + 1])


def named_in(text, *names):
    """Whether a name stands in what people read."""
    words = re.findall(r"\w+", text.split("\n\nrecord ")[0])
    return any(name in words for name in names)


def world(daemon):
    ids = {name: daemon.do("user.create", username=name)["user"]
           for name in ("ann", "bob", "carl", "dora", "eve", "tim")}
    ids["agency"] = daemon.do("account.open_master", name="agency", owner="ann")["account"]
    ids["shop"] = daemon.do("account.open_sub", "agency", name="shop")["account"]
    ids["before"] = daemon.status()["revision"]
    daemon.do("group.create", "agency", name="staff")
    daemon.do("group.create", "agency", name="writers", parent="staff")
    ids["bob_share"] = daemon.do("share.give", "agency", user="bob", role="user")["share"]
    daemon.do("share.give", "agency", user="carl")
    daemon.do("group.add", "agency", group="writers", user="carl")
    daemon.do("share.give", "agency/shop", group="staff", role="user")
    daemon.do("share.give", "agency/shop", user="dora")
    grant = {"user": "dora", "kind": "list", "resource": "spring", "scopes": ["lists.read"]}
    assert daemon.ask(("share.grant", "agency/shop", grant))["ok"]
    daemon.do("share.give", "agency/shop", user="eve", role="full")
    daemon.do("share.give", "agency", user="tim", role="user",
              expires_at="2090-01-01T00:00:00Z")
    ids["robot"] = daemon.do("key.create", "agency/shop", name="robot",
                             scopes=["reports.read"])["key"]
    ids["given"] = daemon.status()["revision"]
    for name in ("fay", "gil", "hal"):
        daemon.do("user.create", username=name)
    daemon.do("share.give", "agency/shop", user="fay")
    grant["user"] = "fay"
    assert daemon.ask(("share.grant", "agency/shop", grant))["ok"]
    daemon.do("share.give", "agency", user="gil")
    daemon.do("group.add", "agency", group="writers", user="gil")
    daemon.do("share.give", "agency", user="hal", role="statistics", reach="subtree")
    return ids


def a_receipt_is_checked_with_the_key_alone(daemon, key, ids):
    path = receipt(daemon, "bob", *asked("agency", "bob", "campaigns.send"))
    text = open(path, encoding="utf-8").read()
    assert text.startswith("charterd receipt 1\nlog example.com/charterd\nmade "), text
    assert not named_in(text, "bob", "ann"), "people stand as ids"
    said = verify("receipt", path, "--key", key, says="allowed: a share that counts gives it")
    for words in ("good: example.com/charterd said so", "campaigns.send on account acc_",
                  "role user", "proves not    that nothing else in the log bears on it",
                  "that it is still so", "names the hash of the state that was asked"):
        assert words in said, said
    assert verify("receipt", path, "--key", key, "--quiet") == ""
    tree = told(path, key)
    assert tree["good"] and tree["key"] == key and "unchecked" not in tree, tree
    statement = tree["statement"]
    assert (statement["user"], statement["account"], statement["decision"]) == \
        (ids["bob"], ids["agency"], "allowed"), statement
    assert statement["seq"] == tree["size"] == daemon.status()["durable"]
    facts = {line["fact"]: line for line in tree["explanation"] if "fact" in line}
    assert facts["share"]["share"] == facts["share"]["seq"] == ids["bob_share"], facts
    assert len(tree["proves"]) == 2 and len(tree["proves_not"]) == 5
    # another one while nothing happens is of the same checkpoint
    count = daemon.do("checkpoint.show")["checkpoint"]["number"]
    receipt(daemon, "again", *asked("agency", "bob", "campaigns.send"))
    assert daemon.do("checkpoint.show")["checkpoint"]["number"] == count
    # with names, which one asks for
    named = receipt(daemon, "named", *asked("agency", "bob", "campaigns.send", "--names"))
    verify("receipt", named, "--key", key, says=" bob do campaigns.send")
    whole = daemon.charter("receipt", *asked("agency", "bob", "campaigns.send"))
    assert whole.startswith("charterd receipt 1\n"), "without --out to standard output"
    return path


def every_kind_of_answer(daemon, key, ids):
    """Each with its own facts; all of them fit the events."""
    daemon.do("guardrail.set", "agency", scopes=["templates.update"])
    daemon.do("share.restrict", "agency/shop", group="staff", scopes=["campaigns.send"])
    daemon.do("account.suspend", "agency/shop", reason="spam")
    daemon.do("share.deactivate", "agency", user="tim")
    daemon.do("user.lock", user="dora")
    seen = set()
    questions = [
        (asked("agency/shop", "carl", "campaigns.update"), None),
        (asked("agency/shop", "carl", "campaigns.send"), "explicit_deny"),
        (asked("agency/shop", "carl", "templates.update"), None),
        (asked("agency/shop", "eve", "templates.update"), None),
        (asked("agency/shop", "dora", "lists.read", "--resource", "spring"), "explicit_deny"),
        (asked("agency/shop", "dora", "lists.read", "--any", "--as-of", str(ids["given"])),
         "allowed"),
        (asked("agency", "tim", "campaigns.send"), "implicit_deny"),
        (asked("agency", "tim", "campaigns.send", "--as-of", str(ids["given"])), "allowed"),
        (asked("agency/shop", "ann", "account.suspend"), None),
        (["--on", "agency/shop", "--key", str(ids["robot"]), "--scope", "reports.read"], None),
    ]
    for number, (words, decision) in enumerate(questions):
        path = receipt(daemon, f"kind-{number}", *words)
        tree = told(path, key)
        got = tree["statement"]["decision"]
        assert decision is None or got == decision, (words, tree)
        seen |= {line["fact"] for line in tree["explanation"] if "fact" in line}
        assert (got == "allowed") == any(line["line"] == "way" and line["text"].startswith("open")
                                         for line in tree["explanation"]), tree
    wanted = {"share", "role", "role_version", "membership", "parent_group", "restriction",
              "guardrail", "suspended", "share_inactive", "user_locked", "grant", "key"}
    assert wanted <= seen, wanted - seen
    daemon.do("account.resume", "agency/shop", reason="done")
    print(f"{len(questions)} receipts with {len(seen)} kinds of facts")


def of_what_was(daemon, key, ids):
    """As of a moment before: nothing that happened since changes it."""
    past = receipt(daemon, "past", *asked("agency", "bob", "campaigns.send",
                                          "--as-of", str(ids["given"])))
    daemon.do("share.end", "agency", user="bob")
    tree = told(receipt(daemon, "now", *asked("agency", "bob", "campaigns.send")), key)
    assert tree["statement"]["decision"] == "implicit_deny", tree
    later = told(receipt(daemon, "later", *asked("agency", "bob", "campaigns.send",
                                                 "--as-of", str(ids["given"]))), key)
    for tree in (later, told(past, key)):
        assert tree["statement"]["decision"] == "allowed", tree
        assert tree["statement"]["seq"] == ids["given"] < tree["size"], tree
    tree = told(receipt(daemon, "unborn", *asked(str(ids["agency"]), str(ids["bob"]),
                                                 "campaigns.send", "--as-of", "5")), key)
    assert tree["statement"]["reason"] == "did_not_exist" and tree["records"] == 0, tree
    assert tree["statement"]["account"] == ids["agency"], tree
    for name, more in (("seq", "999999"), ("time", "2190-01-01T00:00:00Z")):
        text = receipt(daemon, name, *asked("agency", "bob", "campaigns.send", "--as-of", more),
                       status=4)
        assert "not_yet" in text, text
        assert not os.path.exists(os.path.join(daemon.dir, name)), "nothing was written"


def by_few_events_as_by_all(daemon, ids):
    """The worker may answer from the few events that decide: then the receipt says the same."""
    daemon.do("account.open_master", name="crowd")
    for start in range(0, 4000, 1000):
        assert daemon.ask(*[("group.create", "crowd", {"name": f"g{start + number}"})
                            for number in range(1000)])["ok"]
    names = ("ann", "carl", "dora", "eve", "tim")  # of bob the name is gone, which takes the whole
    questions = [(name, account, head) for name in names for account in ("agency", "agency/shop")
                 for head in ({}, {"auth": ["as", "user", "ann"]})]
    told = []
    before = daemon.status()["as_of_strands"]
    for more in ([], [("share.list", "agency", {})]):  # with this it takes the whole state
        for name, account, head in questions:
            call = ("access.receipt", account, {"user": name, "scope": "campaigns.send"})
            one = daemon.ask(call, *more, as_of=ids["given"] + 3500, **head)["results"][0]
            told.append(told_by(one["result"]["receipt"]) if one["ok"] else one)
        if not more:
            by_few = daemon.status()["as_of_strands"] - before
    assert told[:len(questions)] == told[len(questions):]
    assert by_few > 0, "none was answered from few events"
    print(f"{by_few} of {len(questions)} receipts from few events, all as from the whole log")


def told_by(file):
    """Statement without its time and hash, and explanation."""
    head, _, rest = file.decode().partition("\n\n")
    explanation = rest.partition("\n\n")[2].partition("\n\n")[0]
    return [line for line in head.split("\n") if line.split(" ")[0] not in ("made", "attached")], \
        explanation


def who_may(daemon):
    question = asked("agency/shop", "carl", "campaigns.update")
    assert "not_allowed" in receipt(daemon, "x", *question, "--as", "dora", status=3), "locked"
    assert "not_allowed" in receipt(daemon, "x", *question, "--as", "carl", status=3)
    assert "not_found" in receipt(daemon, "x", *question, "--as", "bob", status=3)
    assert "not_found" in receipt(daemon, "x", "--on", "nowhere/at/all", "--user", "nobody",
                                  "--scope", "campaigns.send", status=3)
    assert "scope" in receipt(daemon, "x", "--on", "agency", "--user", "bob", status=2)
    receipt(daemon, "x", "--user", "bob", "--scope", "campaigns.send", status=2)
    # a receipt is asked for by itself: not with what changes, nor on trial
    call = ("access.receipt", "agency", {"user": "ann", "scope": "campaigns.send"})
    reply = daemon.ask(("group.create", "agency", {"name": "beside"}), call)
    assert reply["results"][1]["failure"]["code"] == "bad_combination", reply
    groups = daemon.do("group.list", "agency")["groups"]
    assert not any(group["name"] == "beside" for group in groups)
    reply = daemon.ask(call, ("status", None, {}), mode="each")
    assert reply["results"][0]["failure"]["code"] == "bad_combination", reply
    trial = daemon.ask(call, dry_run=True)["results"][0]["result"]
    assert trial["decision"] == "allowed" and "receipt" not in trial, trial
    both = daemon.ask(call, ("check", "agency", {"user": "ann", "scopes": ["campaigns.send"]}))
    assert both["ok"] and both["results"][1]["result"]["decision"] == "allowed", both


def what_the_asker_may_not_see_is_withheld(daemon, key):
    """The guardrail of the account above: that it is there, not what it says."""
    path = receipt(daemon, "eve", *asked("agency/shop", "eve", "templates.update", "--as", "eve"))
    text = open(path, encoding="utf-8").read()
    assert "\nwithheld " in text and "agency" not in text, text
    said = verify("receipt", path, "--key", key, status=3, says="their content was withheld")
    assert "good" in said and "guardrail of an account above" in said, said
    whole = receipt(daemon, "whole", *asked("agency/shop", "eve", "templates.update"))
    assert "\nwithheld " not in open(whole, encoding="utf-8").read()
    verify("receipt", whole, "--key", key)


def whatever_is_changed_is_found(daemon, key, path):
    content = open(path, "rb").read()
    bad = os.path.join(daemon.dir, "bad")
    chance = random.Random(5)
    places = list(range(len(content)))
    chance.shuffle(places)

    def check(changed, why):
        with open(bad, "wb") as file:
            file.write(changed)
        status, text = verify_raw("receipt", bad, "--key", key, "--quiet")
        assert status == 1 and "FALSE" in text, f"{why}: {status} {text}"

    for place in places[:FLIPS]:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        check(changed, f"byte {place}")
    for length in [0, 1, len(content) - 1] + places[:FLIPS // 4]:
        check(content[:length], f"cut to {length}")
    check(content + b"\n", "one more line")
    check(content.replace(b"decision allowed", b"decision denied", 1), "another answer")
    other = open(os.path.join(daemon.dir, "kind-0"), "rb").read()
    mine, theirs = content.index(b"\n\nexplanation\n"), other.index(b"\n\nexplanation\n")
    check(content[:mine] + other[theirs:], "the explanation of another receipt")
    verify("receipt", os.path.join(daemon.dir, "nothing"), "--key", key, status=4)
    verify("receipt", path, status=2)


def seed_of(daemon):
    with open(os.path.join(daemon.data, "signing-key"), encoding="utf-8") as file:
        line = [text for text in file.read().split("\n") if text.startswith("PRIVATE")][0]
    return base64.b64decode(line.split("+", 4)[4])[1:]


def sign_again(daemon, text, change, say=lambda statement: statement):
    """What the operator could write, who has the key: the receipt with a change."""
    head, _, rest = text.partition("\n\n")
    signature, _, attached = rest.partition("\n\n")
    attached = change(attached)
    head = say(head)
    lines = head.split("\n")
    digest = base64.b64encode(hashlib.sha256(attached.encode()).digest()).decode()
    lines[-1] = f"attached {len(attached.encode())} {digest}"
    head = "\n".join(lines) + "\n"
    name = signature.split(" ")[1]
    keyed = base64.b64decode(signature.split(" ")[2])[:4]
    made = base64.b64encode(keyed + ed.sign(seed_of(daemon), head.encode())).decode()
    path = os.path.join(daemon.dir, "forged")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}\n\u2014 {name} {made}\n\n{attached}")
    return path


def not_even_the_operator_can_name_other_events(daemon, key, path, ids):
    """A receipt whose facts are not what their events say is false, whoever signed it."""
    text = open(path, encoding="utf-8").read()
    verify("receipt", sign_again(daemon, text, lambda a: a), "--key", key)
    share, agency = ids["bob_share"], ids["agency"]
    for before, after, says in (
            (f" share {share}: the user's own share of account agency is in use",
             f" share {share + 1}: the user's own share of account agency is in use",
             "another share"),
            (f"account {agency} share", f"account {agency + 1} share", "another account"),
            ("by operator 0", "by operator 1", "somebody else caused"),
            (" at 20", " at 19", "another time"),
            (f"needs share {share} at", f"needs share {share - 1} at", "its record is not there"),
            ("way open", "way denied", "says allowed, and shows no way that is open"),
            (f"record {share} ", f"record {share + 1} ", "does not lead to the checkpoint's root"),
            ("needs share", "wants share", "does not know")):
        forged = sign_again(daemon, text, lambda a: a.replace(before, after, 1))
        assert open(forged, encoding="utf-8").read().count(after) > 0, before
        verify("receipt", forged, "--key", key, status=1, says=says)
    denied = text.replace("decision allowed", "decision explicit_deny", 1)
    verify("receipt", sign_again(daemon, denied, lambda a: a), "--key", key, status=1,
           says="the answer and its reason do not go together")
    denied = denied.replace("reason granted", "reason suspended", 1)
    verify("receipt", sign_again(daemon, denied, lambda a: a), "--key", key, status=1,
           says="says denied, and shows a way that is open")
    # and the share of another person is no share of this one
    head, rest = text.split("\n\n", 1)
    other = sign_again(daemon, head.replace(f"subject user {ids['bob']}",
                                            f"subject user {ids['tim']}") + "\n\n" + rest,
                       lambda a: a)
    verify("receipt", other, "--key", key, status=1, says="somebody else's")


def nor_make_one_that_contradicts_itself(daemon, key, ids):
    """Statement, reason, ways and events are of one piece, or it is false; whoever signed it."""
    shop, agency = ids["shop"], ids["agency"]

    def forge(path, says, *changes):
        text = open(path, encoding="utf-8").read()
        for before, after in changes:
            assert re.search(before, text), (before, text)
        head, _, rest = text.partition("\n\n")

        def changed(part):
            for before, after in changes:
                part = re.sub(before, after, part, count=1)
            return part

        assert changed(head) + changed(rest) != head + rest, changes
        verify("receipt", sign_again(daemon, text, changed, changed), "--key", key, status=1,
               says=says)

    one = receipt(daemon, "of-one", *asked("agency/shop", "fay", "lists.read", "--resource",
                                           "spring"))
    verify("receipt", one, "--key", key)
    forge(one, "a way is to another scope", ("\nscope lists.read", "\nscope account.close"))
    forge(one, "the event does not give the scope", ("\nscope lists.read", "\nscope lists.delete"),
          ("way open lists.read", "way open lists.delete"))
    forge(one, "a way is to another account",
          (f"\naccount {shop}\naccount-name shop", f"\naccount {agency}\naccount-name agency"))
    forge(one, "the answer and its reason do not go together",
          ("reason granted", "reason suspended"))
    forge(one, "none of an answer to such a question", ("reason granted", "reason approved"))
    forge(one, "the event is about another resource",
          ("\nresource spring", "\nresource autumn"))
    forge(one, "after the moment of the answer",
          (r"\nmoment [^\n]*", "\nmoment 1999-01-01T00:00:00Z"))
    forge(one, "shows nothing that gives the scope", (r"\nneeds grant [^\n]*", ""))
    forge(one, "does not begin with a share", (r"\nneeds share [^\n]*", ""))
    forge(one, "it is not said when that was", (r"(\nneeds grant \d+) at \S+ by \S+ \d+", r"\1"))
    forge(one, "facts that do not belong to it",
          (r"(\nneeds grant [^\n]*)", r"\1\1"))
    forge(one, "that nothing gives it", ("(\nneeds grant [^\n]*)", r"\1\nnothing-gives-it"))
    forge(one, "kind that does not set such a fact", ("\nneeds grant ", "\nneeds own_scopes "))
    group = receipt(daemon, "of-group", *asked("agency/shop", "gil", "campaigns.update"))
    verify("receipt", group, "--key", key)
    forge(group, "the version of its role", (r"( version) 1:", r"\1 7:"))
    forge(group, "another version of the role", (r"( version) 1:", r"\1 7:"),
          (r"( version) 1:", r"\1 7:"))
    forge(group, "the version of its role", (r"\nneeds role_version [^\n]*", ""))
    forge(group, "the share of the group",
          (r"(\nneeds parent_group [^\n]*)\nneeds share [^\n]*", r"\1"))
    forge(group, "a way is to another account", (r"\nneeds membership [^\n]*", ""))
    forge(group, "changes the share", (r"(\nneeds role_version \d+ at [^\n]* share) (\d+)",
                                       r"\1 999"))
    above = receipt(daemon, "from-above", *asked("agency/shop", "hal", "reports.read"))
    verify("receipt", above, "--key", key)
    forge(above, "a way is to another account", (r"\nneeds reach [^\n]*", ""))
    robot = receipt(daemon, "of-key", "--on", "agency/shop", "--key", str(ids["robot"]), "--scope",
                    "reports.read")
    forge(robot, "a way is not that of the key", (r"(\nneeds key [^\n]*)", r"\1\1"))
    denied = receipt(daemon, "denied", *asked("agency/shop", "gil", "campaigns.send"))
    verify("receipt", denied, "--key", key)
    forge(denied, "no fact is what the reason is about", ("reason restricted", "reason suspended"))
    forge(denied, "no fact is what the reason is about", (r"\ndenied-by [^\n]*", ""))
    forge(denied, "do not go together", ("explicit_deny", "implicit_deny"))
    nothing = receipt(daemon, "nothing-given", *asked("agency/shop", "fay", "billing.read"))
    verify("receipt", nothing, "--key", key)
    forge(nothing, "and that is not said", ("\nnothing-gives-it", ""))


def receipts_of_many_answers_agree(daemon, key):
    """None that is true is taken for false: of a world in which much denies, by chance."""
    chance = random.Random(11)
    people, reasons = ("kit", "lea", "moe"), set()
    for name in people:
        daemon.do("user.create", username=name)
    daemon.do("account.open_master", name="firm", owner="ann")
    daemon.do("account.open_sub", "firm", name="den")
    daemon.do("group.create", "firm", name="all")
    daemon.do("group.create", "firm", name="some", parent="all")
    daemon.do("plan.set", "firm", name="Free", total=10, paid=False)
    daemon.do("login.create", "firm", username="desk")
    scopes = ("lists.select", "campaigns.send", "lists.read", "templates.update",
              "subaccounts.create", "smtp.use")
    roles = ("user", "watcher", "account_manager", "full")
    acts = (
        lambda who, on: ("share.give", on, {"user": who, "role": chance.choice(roles),
                                            "reach": chance.choice(("account", "subtree"))}),
        lambda who, on: ("share.give", on, {"group": chance.choice(("all", "some")),
                                            "role": chance.choice(roles)}),
        lambda who, on: ("group.add", "firm", {"group": "some", "user": who}),
        lambda who, on: ("share.restrict", on, {"user": who, "scopes": [chance.choice(scopes)]}),
        lambda who, on: ("share.restrict", on, {"user": who}),
        lambda who, on: ("share.set_scopes", on, {"user": who, "scopes": [chance.choice(scopes)]}),
        lambda who, on: ("share.grant", on, {"user": who, "kind": "list", "resource": "L1",
                                             "scopes": ["lists.read", "campaigns.send"]}),
        lambda who, on: ("share.limit", on, {"user": who, "kind": "list", "resources": ["L1"]}),
        lambda who, on: ("share.deactivate", on, {"user": who}),
        lambda who, on: ("share.activate", on, {"user": who}),
        lambda who, on: ("guardrail.set", "firm", {"scopes": [chance.choice(scopes)]}),
        lambda who, on: ("account.set_switches", "firm", {
            "account": "firm/den", "content_locked": chance.random() < 0.5}),
        lambda who, on: ("account.suspend", on, {"reason": "x"}),
        lambda who, on: ("account.resume", on, {"reason": "y"}),
        lambda who, on: ("stream.stop", on, {"stream": "marketing", "reason": "x"}),
        lambda who, on: ("stream.resume", on, {"stream": "marketing", "reason": "y"}),
        lambda who, on: ("user.lock", None, {"user": who}),
        lambda who, on: ("user.unlock", None, {"user": who}),
    )
    path = os.path.join(daemon.dir, "by-chance")
    for number in range(ROUNDS):
        for _ in range(4):
            daemon.ask(chance.choice(acts)(chance.choice(people), chance.choice(
                ("firm", "firm/den"))))
        who, on = chance.choice(people + ("desk",)), chance.choice(("firm", "firm/den"))
        args = {"user": who, "scope": chance.choice(scopes), "channel": chance.choice(
            ("web", "api"))}
        if chance.random() < 0.3:
            args["resource"] = chance.choice(("L1", "L2"))
        elif chance.random() < 0.3:
            args["any"] = True
        answer = daemon.ask(("access.receipt", on, args))["results"][0]
        if not answer["ok"]:
            continue
        reasons.add(answer["result"]["reason"])
        with open(path, "wb") as file:
            file.write(answer["result"]["receipt"])
        verify("receipt", path, "--key", key, "--quiet")
    assert len(reasons) >= min(5, ROUNDS // 10), reasons
    print(f"{ROUNDS} receipts by chance, with {len(reasons)} reasons: {', '.join(sorted(reasons))}")


def another_log_of_this_size_is_found(daemon, key, path):
    """Against a checkpoint of the same size that was kept elsewhere."""
    content = open(path, encoding="utf-8").read()
    note = content[content.index("\n\ncheckpoint\n") + len("\n\ncheckpoint\n"):]
    kept = os.path.join(daemon.dir, "kept.checkpoint")
    lines = note.split("\n")
    for root, status in ((lines[2], 0), ("A" * 43 + "=", 1)):
        with open(kept, "w", encoding="utf-8") as file:
            file.write("\n".join(lines[:2] + [root] + lines[3:]))
        verify("receipt", path, "--key", key, "--against", kept, status=status)
    # one of another size is no comparison, and what is no checkpoint is none at all
    with open(kept, "w", encoding="utf-8") as file:
        file.write("\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]]))
    assert "consistency" in told(path, key, "--against", kept, status=3)["unchecked"]
    verify("receipt", path, "--key", key, "--against", path, status=1, says="is no signed")


def another_key_is_followed_or_refused(daemon, key, path):
    other = Daemon("--origin", "example.com/charterd")
    with other:
        foreign = other.do("checkpoint.key")["key"]
    verify("receipt", path, "--key", foreign, status=1, says="not signed by a key given")
    # the first word of a file, whatever letters the log's name is of
    named, public = "b\u00fccher.example/log".encode(), b"\x01" + bytes(range(32))
    word = named + b"+" + hashlib.sha256(named + b"\n" + public).hexdigest()[:8].encode() + b"+" + \
        base64.b64encode(public)
    with open(os.path.join(daemon.dir, "a.key"), "wb") as file:
        file.write(word + b"  kept since May\n")
    verify("receipt", path, "--key", file.name, status=1, says="not signed by a key given")
    rotation = daemon.do("checkpoint.rotate")
    link = os.path.join(daemon.dir, "rotation.checkpoint")
    with open(link, "w", encoding="utf-8") as file:
        file.write(rotation["note"])
    fresh = receipt(daemon, "fresh", *asked("agency", "tim", "campaigns.send"))
    assert told(fresh, rotation["key"])["key"] == rotation["key"]
    verify("receipt", fresh, "--key", key, status=1, says="not signed by a key given")
    verify("receipt", fresh, "--key", key, "--against", link)
    verify("receipt", path, "--key", key)
    verify("receipt", path, "--key", rotation["key"], status=1, says="not signed by a key given")
    daemon.stop()
    daemon.start()
    again = receipt(daemon, "restarted", *asked("agency", "tim", "campaigns.send"))
    verify("receipt", again, "--key", rotation["key"])


def it_outlives_an_erasure(daemon, key, path, ids):
    """The file holds ciphertext and ids; with the person's key gone it still verifies."""
    daemon.do("user.erase", user=ids["bob"])
    verify("receipt", path, "--key", key, says="good")
    fresh = receipt(daemon, "erased", *asked("agency", str(ids["bob"]), "campaigns.send",
                                             "--as-of", str(ids["given"]), "--names"))
    text = open(fresh, encoding="utf-8").read()
    assert not named_in(text, "bob") and "subject-name erased user #" in text, text
    assert told(fresh, daemon.do("checkpoint.key")["key"])["statement"]["decision"] == "allowed"


def main():
    with Daemon("--origin", "example.com/charterd") as daemon:
        ids = world(daemon)
        key = daemon.do("checkpoint.key")["key"]
        path = a_receipt_is_checked_with_the_key_alone(daemon, key, ids)
        every_kind_of_answer(daemon, key, ids)
        of_what_was(daemon, key, ids)
        who_may(daemon)
        what_the_asker_may_not_see_is_withheld(daemon, key)
        whatever_is_changed_is_found(daemon, key, path)
        not_even_the_operator_can_name_other_events(daemon, key, path, ids)
        nor_make_one_that_contradicts_itself(daemon, key, ids)
        receipts_of_many_answers_agree(daemon, key)
        another_log_of_this_size_is_found(daemon, key, path)
        another_key_is_followed_or_refused(daemon, key, path)
        it_outlives_an_erasure(daemon, key, path, ids)
        by_few_events_as_by_all(daemon, ids)
        print("X-05: receipts are what they say, and nothing else")


main()
