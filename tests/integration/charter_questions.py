#!/usr/bin/env python3
# charter_questions: charter check --from FILE. SPDX-License-Identifier: MIT
"""Answers are compared with those due. An account that is not there is told once, with what to do,
and its questions neither agree nor differ; one that was not there yet is answered."""
import datetime
import json
import os

from _daemon import Daemon


def question(account, allowed, user="max", resource="L1", **more):
    return dict(more, user=user, account=account, resource=resource, level="read", allowed=allowed)


def check(daemon, questions, *words, status=0):
    path = os.path.join(daemon.dir, "questions")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in questions)
    done = daemon.charter("check", "--from", path, *words, check=False)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def main():
    with Daemon() as daemon:
        for user in ("ann", "max"):
            daemon.do("user.create", username=user)
        daemon.do("account.open_master", name="agency", owner="ann")
        daemon.do("account.open_sub", "agency", name="shop")
        daemon.do("share.give", "agency/shop", user="max")
        granted = daemon.ask(("share.grant", "agency/shop",
                              {"user": "max", "kind": "list", "resource": "L1",
                               "scopes": ["lists.read", "contacts.read"]}))
        assert granted["ok"], granted
        before = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        daemon.do("account.open_sub", "agency", name="cafe")
        good = [question("shop", True), question("shop", False, resource="L2"),
                question("cafe", False), question("cafe", False, as_of=before)]

        out, err = check(daemon, good, "--under", "agency")
        assert out == "4 asked, 4 agree, 0 differ\n" and err == "", (out, err)

        wrong = good + [question("shop", False)]
        out, _ = check(daemon, wrong, "--under", "agency", status=1)
        assert out.startswith("differs: line 5: answered allowed granted: ") and \
            out.endswith("5 asked, 4 agree, 1 differ\n"), out

        # what is no question is told by its line, and steers no terminal
        with open(os.path.join(daemon.dir, "odd"), "w", encoding="utf-8") as file:
            file.write("\x1b[31m" + "x" * 1000 + "\n")
        done = daemon.charter("check", "--from", file.name, check=False)
        assert done.returncode == 2 and "line 1 is no question: ?[31mxx" in done.stderr, done
        assert "\x1b" not in done.stderr and len(done.stderr) < 400, done

        # a path that is longer than any is none; cut short it would be another's, as shop is here
        under = "agency" + "/" * (1023 - len("agency") - len("/shop"))
        _, err = check(daemon, [question("shop" + "x" * 9, True)], "--under", under, status=2)
        assert "line 1 is no question" in err, err

        # without --under none is there: each is told once, and what to do
        out, err = check(daemon, good, status=3)
        assert out == "4 asked, 0 agree, 0 differ, 4 about accounts that are not there\n", out
        assert err.count("there is no account shop\n") == 1, err
        assert err.count("there is no account cafe\n") == 1, err
        assert "--under NAME" in err, err
        out, _ = check(daemon, good, "--json", status=3)
        assert json.loads(out) == {"asked": 4, "agree": 0, "differ": 0, "unknown": 4}, out

        # the others are compared all the same, and many are not told one by one
        some = wrong + [question(f"none-{number}", True) for number in range(2000)]
        out, err = check(daemon, some, "--under", "agency", status=3)
        assert out.count("differs: ") == 1 and out.endswith(
            "2005 asked, 4 agree, 1 differ, 2000 about accounts that are not there\n"), out
        assert "line 6: there is no account agency/none-0\n" in err, err
        assert err.count("there is no account") == 5 and "2000 accounts" in err, err

        # whoever is led to no account is told as much
        key = os.path.join(daemon.dir, "key")
        with open(key, "w", encoding="utf-8") as file:
            file.write(daemon.do("key.create", "agency/shop", name="k",
                                 scopes=["settings.read"])["secret"])
        os.chmod(key, 0o600)
        out, err = check(daemon, good[:1], "--under", "agency", "--key-file", key, status=1)
        assert "1 differ" in out, (out, err)
        out, err = check(daemon, good[2:3], "--under", "agency", "--key-file", key, status=3)
        assert "there is no account agency/cafe" in err, (out, err)
    print("questions about accounts that are not there are told apart")


main()
