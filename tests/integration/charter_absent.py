#!/usr/bin/env python3
# charter_absent: what is answered about whom or what is not there. SPDX-License-Identifier: MIT
"""A name that leads nowhere is no statement about the past: whoever had it may be erased. By id the
past is answered, of erased people too, and by explain as by check."""
import json
import os

from _daemon import Daemon
from _logfile import verify


def ended(daemon, status, *words):
    done = daemon.charter(*words, check=False)
    assert done.returncode == status, (words, done)
    return done.stdout + done.stderr


def said(daemon, *words):
    return json.loads(daemon.charter(*words, "--json", check=False).stdout)


def main():
    with Daemon("--origin", "example.com/charterd") as daemon:
        bob = daemon.do("user.create", username="bob")["user"]
        alone = daemon.status()["revision"]
        daemon.do("user.create", username="ann")
        shop = daemon.do("account.open_master", name="shop", owner="ann")["account"]
        empty = daemon.status()["revision"]
        daemon.do("share.give", "shop", user="bob", role="user")
        given = str(daemon.status()["revision"])
        asked = ("--user", str(bob), "--scopes", "campaigns.send", "--on", "shop")
        daemon.do("user.erase", user="bob")
        # an erased person
        assert ended(daemon, 0, "check", *asked, "--as-of", given).startswith("allowed")
        for more in (("--as-of", given), ()):
            text = ended(daemon, 1, "check", "--user", "bob", *asked[2:], *more)
            assert text.startswith("denied: no user or account is known by this name; ask by id "
                                   "about who was erased"), text
            assert "(implicit_deny, unknown_name)\n  field: user\n" in text, text
            assert "did not exist" not in text and "moment" not in text, text
        # a slip of the pen, and a batch in which it is one of many
        text = ended(daemon, 1, "check", *asked[:4], "--on", "shop/tpyo")
        assert "unknown_name)\n  field: on\n" in text, text
        calls = [("check", "shop", {"user": user, "scopes": ["campaigns.send"]})
                 for user in ("ann", "tpyo", 999999, bob)]
        reply = daemon.ask(*calls)
        assert reply["ok"], reply
        assert [row["result"]["reason"] for row in reply["results"]] == \
            ["granted", "unknown_name", "did_not_exist", "user_erased"], reply
        # explain: by id as check, by name refused
        explain = ("explain", *asked[:2], "--scope", "campaigns.send", "--on")
        for on, as_of in ((str(shop), alone), ("shop", empty), (str(shop), 5)):
            answer = said(daemon, *explain, on, "--as-of", str(as_of))
            check = said(daemon, "check", *asked[:4], "--on", on, "--as-of", str(as_of))
            assert answer["reason"] == check["reason"], (answer, check)
        text = ended(daemon, 1, *explain, str(shop), "--as-of", str(alone))
        assert text.startswith("denied: there is no user or account with this id, or there was "
                               "none yet at the moment asked about (implicit_deny, "
                               "did_not_exist)\n"
                               "known up to seq "), text
        assert "nothing gives it" not in text and "least change" not in text, text
        assert "field: on" in ended(daemon, 3, *explain, "shop", "--as-of", str(alone))
        ended(daemon, 3, "explain", "--user", "tpyo", *explain[3:], "shop")
        # a receipt: who was there is named though the account was not
        key = daemon.do("checkpoint.key")["key"]
        daemon.do("user.create", username="eve")
        late = daemon.status()["revision"]
        daemon.do("account.open_master", name="later", owner="ann")
        out = os.path.join(daemon.dir, "receipt")
        words = ("receipt", "--on", "later", "--scope", "campaigns.send", "--as-of", str(late),
                 "--out", out)
        assert "(unknown_name)" in ended(daemon, 0, *words, "--user", "eve")
        verify("receipt", out, "--key", key)
        with open(out, encoding="utf-8") as file:
            assert "\naccount-path later\nsubject user " in file.read()
        assert "field: user" in ended(daemon, 3, *words, "--user", "bob")
        words = (*words[:-4], "--as-of", str(empty))
        assert "field: user" in ended(daemon, 3, *words, "--user", "eve")
    print("a name that leads nowhere says nothing of the past")


main()
