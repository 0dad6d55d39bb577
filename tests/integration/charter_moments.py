#!/usr/bin/env python3
# charter_moments: the moment that is asked about: before the first event, to come, or left empty.
# SPDX-License-Identifier: MIT
"""0 is before the first event, not now; a value that a script forgot to set is told, not passed
over; what has not come is not answered."""
import json
import os
import re

from _daemon import Daemon
from _logfile import verify

CHECK = ("check", "--on", "agency", "--user", "ann", "--scopes", "campaigns.send")
EMPTY = "the value is empty"


def ended(daemon, status, says, *words):
    done = daemon.charter(*words, check=False)
    assert done.returncode == status, (words, done)
    assert says in done.stdout + done.stderr, (words, done)
    return done


def before_the_first(daemon, ids):
    check = ("check", "--on", ids["agency"], "--user", ids["ann"], "--scopes", "campaigns.send")
    for moment in ("0", "1999-01-01T00:00:00Z"):
        assert json.loads(daemon.charter(*check, "--as-of", moment, "--json", check=False)
                          .stdout)["reason"] == "did_not_exist"
        listed = json.loads(daemon.charter("account", "list", "--as-of", moment, "--json"))
        assert "accounts" not in listed, listed
        done = ended(daemon, 1, "+ account agency", "diff", "--at", moment, "--at", "now")
        assert "\n- " not in done.stdout
        ended(daemon, 0, "", "diff", "--at", moment, "--at", moment)
        receipt = ("receipt", *check[1:5], "--scope", "campaigns.send", "--as-of", moment)
        out = os.path.join(daemon.dir, "receipt")
        ended(daemon, 0, "(did_not_exist)", *receipt, "--out", out)
        verify("receipt", out, "--key", daemon.do("checkpoint.key")["key"])
    lines = os.path.join(daemon.dir, "questions")
    with open(lines, "w", encoding="utf-8") as file:
        for as_of, allowed in ((0, False), ("0", False), (daemon.status()["revision"], True)):
            file.write(json.dumps({"as_of": as_of, "user": "ann", "account": "agency",
                                   "level": "read", "allowed": allowed}) + "\n")
    ended(daemon, 0, "3 asked, 3 agree, 0 differ", "check", "--from", lines)
    for as_of in ("", None, -1, 1.5, ["0"]):
        with open(lines, "w", encoding="utf-8") as file:
            file.write(json.dumps({"as_of": as_of, "user": "ann", "account": "agency",
                                   "level": "read", "allowed": True}) + "\n")
        ended(daemon, 2, "line 1 is no question", "check", "--from", lines)


def what_is_empty(daemon):
    for option in ("--as-of", "--as", "--on", "--connect", "--channel", "--at-least", "--expect",
                   "--at", "--id", "--timeout", "--key-file", "--session-file"):
        ended(daemon, 2, f"{option}: {EMPTY}", "user", "list", option, "")
    ended(daemon, 2, f"--as-of: {EMPTY}", *CHECK, "--as-of=")
    for option in ("--from", "--to", "--account", "--user"):
        ended(daemon, 2, f"{option}: {EMPTY}", "replay", option, "")
    ended(daemon, 2, EMPTY, "events", "--from", "")
    ended(daemon, 2, EMPTY, "diff", "--at", "", "--at", "now")
    ended(daemon, 2, EMPTY, "proof", "inclusion", "--seq", "")
    ended(daemon, 2, EMPTY, "proof", "inclusion", "5", "--out", "")
    ended(daemon, 2, "--out takes a value", "receipt", *CHECK[1:5], "--scope", "campaigns.send",
          "--out", "")
    ended(daemon, 2, "", "check", "--on", "agency", "--user", "", "--scopes", "campaigns.send")
    # an empty list is one
    daemon.charter("account", "open-sub", "--on", "agency", "--name", "shop")
    daemon.charter("user", "create", "--username", "bob")
    daemon.charter("share", "give", "--on", "agency/shop", "--user", "bob", "--role", "user")
    daemon.charter("share", "restrict", "--on", "agency/shop", "--user", "bob", "--scopes", "",
                   "--note", "")
    ended(daemon, 2, f"--data: {EMPTY}", "backup", "x", "--data", "")


def what_has_not_come(daemon):
    for words in (CHECK, ("explain", *CHECK[1:5], "--scope", "campaigns.send"),
                  ("user", "list", "--on", "agency"),
                  ("receipt", *CHECK[1:5], "--scope", "campaigns.send")):
        for moment in ("2200-01-01T00:00:00Z", "4000000"):
            done = ended(daemon, 4, "failed: not_yet: as_of: ", *words, "--as-of", moment)
            assert "next: --as-of takes a time that has come" in done.stderr, done
    ended(daemon, 4, "not_yet", "diff", "--at", "1", "--at", "2200-01-01T00:00:00Z")
    last = daemon.status()["revision"]
    for says, *words in (
            ("no events from 4000000 to the last: the log ends with event", "--from", "4000000"),
            ("no events from 5 to 3: none lies between", "--from", "5", "--to", "3"),
            ("from the first to 0: the log begins after that", "--to", "0"),
            ("the log ends with event", "--from", "2200-01-01T00:00:00Z"),
            ("none lies between", "--from", "1999-01-01T00:00:00Z", "--to",
             "2000-01-01T00:00:00Z")):
        done = ended(daemon, 0, says, "replay", *words)
        assert done.stdout == "" and done.stderr.count("\n") == 1, done
    done = ended(daemon, 0, "", "replay", "--from", str(last), "--to", "4000000")
    assert done.stdout.count("\n") >= 1 and done.stderr == "", done


def a_new_witness(daemon):
    """C2SP tlog-witness: one that never saw this log takes old 0 and no proof."""
    note = daemon.charter("checkpoint", "make")
    assert daemon.charter("proof", "consistency", "0") == f"old 0\n\n{note}"
    first = int(re.search(r"\n(\d+)\n", note)[1])
    daemon.do("group.create", "agency", name="writers")
    later = daemon.charter("checkpoint", "make")
    body = daemon.charter("proof", "consistency", str(first))
    assert re.fullmatch(rf"old {first}\n([A-Za-z0-9+/=]+\n)+\n{re.escape(later)}", body), body
    assert daemon.charter("proof", "consistency", "0", str(first)) == f"old 0\n\n{note}"
    ended(daemon, 2, "no number from 1", "proof", "consistency", "1", "0")
    ended(daemon, 2, "no number from 1", "proof", "inclusion", "0")
    done = ended(daemon, 3, "not_found", "proof", "inclusion", "5", "--checkpoint", "6")
    assert "charter checkpoint list" in done.stderr and "account list" not in done.stderr, done


def main():
    with Daemon("--origin", "example.com/charterd") as daemon:
        ids = {"ann": str(daemon.do("user.create", username="ann")["user"]),
               "agency": str(daemon.do("account.open_master", name="agency",
                                       owner="ann")["account"])}
        daemon.charter(*CHECK)
        before_the_first(daemon, ids)
        what_is_empty(daemon)
        what_has_not_come(daemon)
        a_new_witness(daemon)
    print("0 is before all, nothing is not a moment, and what has not come is not known")


main()
