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
    assert len(tree["proves"]) == 2 and len(tree["proves_not"]) == 4
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


def sign_again(daemon, text, change):
    """What the operator could write, who has the key: the receipt with a change."""
    head, _, rest = text.partition("\n\n")
    signature, _, attached = rest.partition("\n\n")
    attached = change(attached)
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
           says="says denied, and shows a way that is open")
    # and the share of another person is no share of this one
    head, rest = text.split("\n\n", 1)
    other = sign_again(daemon, head.replace(f"subject user {ids['bob']}",
                                            f"subject user {ids['tim']}") + "\n\n" + rest,
                       lambda a: a)
    verify("receipt", other, "--key", key, status=1, says="somebody else's")


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


def another_key_is_followed_or_refused(daemon, key, path):
    other = Daemon("--origin", "example.com/charterd")
    with other:
        foreign = other.do("checkpoint.key")["key"]
    verify("receipt", path, "--key", foreign, status=1, says="not signed by a key given")
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
        another_log_of_this_size_is_found(daemon, key, path)
        another_key_is_followed_or_refused(daemon, key, path)
        it_outlives_an_erasure(daemon, key, path, ids)
        by_few_events_as_by_all(daemon, ids)
        print("X-05: receipts are what they say, and nothing else")


main()
