#!/usr/bin/env python3
# access_review: charter access-review, orphans and who; and what checks used is not lost by a stop.
# SPDX-License-Identifier: MIT
import json
import time

from _daemon import Daemon


def uses(daemon):
    return [event["fields"] for event in daemon.events() if event["type"] == "access_used"]


def world(run):
    for name in ("ann", "max", "bob", "cleo"):
        run("user", "create", "--username", name)
    run("account", "open-master", "--name", "agency", "--owner", "ann")
    run("account", "open-sub", "--on", "agency", "--name", "shop", "--as", "ann")
    run("share", "give", "--on", "agency", "--user", "max", "--role", "account_manager",
        "--as", "ann")
    run("share", "give", "--on", "agency", "--user", "bob", "--role", "user", "--as", "max")
    run("share", "give", "--on", "agency/shop", "--user", "cleo", "--role", "watcher",
        "--as", "ann")


def review():
    """The command line, over days of a clock that is moved."""
    with Daemon("--clock", "manual") as daemon:
        run = daemon.charter
        world(run)
        out = run("access-review", "agency", "--below")
        assert out == "no share is to be looked at; nobody said how often to certify: " \
            "access set-review\n", out
        run("clock", "set", "--to", "2020-03-01T00:00:00Z")
        run("access", "set-review", "--on", "agency", "--every-days", "30", "--as", "ann")
        run("check", "--on", "agency", "--user", "bob", "--scopes", "campaigns.send")
        run("clock", "set", "--to", "2020-03-02T00:00:00Z")
        out = run("access-review", "agency", "--below", "--unused-days", "60")
        lines = out.splitlines()
        assert lines[0] == "can decide: ann, max", out
        assert " bob " in lines[1] and "used 2020-03-01; to be certified since 2020-01-31" in out
        assert "can decide: ann\n" in out and "unused 61 days, never used; to be" in out
        assert lines[-1] == "3 shares; --end ends 3 of them", out
        found = json.loads(run("access-review", "agency", "--below", "--unused-days", "60",
                               "--json", "--as", "max"))
        assert [row["subject_name"] for row in found["shares"]] == ["bob", "max"], found
        assert [row["may_end"] for row in found["shares"]] == [True, False], found
        assert {row["username"] for row in found["people"]} == {"ann", "max"}, found
        # one page after another: more shares than a page holds
        for n in range(12):
            run("user", "create", "--username", f"u{n}")
            run("share", "give", "--on", "agency/shop", "--user", f"u{n}", "--role", "statistics",
                "--as", "ann")
        run("clock", "set", "--to", "2020-06-01T00:00:00Z")
        before = daemon.status()["revision"]
        out = run("access-review", "agency", "--below", "--end", "--dry-run")
        assert out.endswith("15 shares, 15 would be ended\n"), out
        assert daemon.status()["revision"] == before
        past = run("access-review", "agency", "--end", "--as-of", "2020-04-01T00:00:00Z",
                   check=False)
        assert past.returncode == 2, past
        # who may end only some of them ends those
        out = run("access-review", "agency", "--below", "--end", "--as", "max")
        assert out.endswith("2 shares, 1 ended, 1 is for others to decide\n"), out
        out = run("access-review", "agency", "--below", "--end", "--json", "--note", "spring")
        assert json.loads(out)["ended"] == 14, out
        assert "no share is to be looked at\n" in run("access-review", "agency", "--below")
        # the owner's is shown, and stays
        run("clock", "set", "--to", "2020-12-01T00:00:00Z")
        out = run("access-review", "agency", "--unused-days", "100", "--end")
        assert "the owner's: only a transfer of ownership ends it" in out, out
        assert out.endswith("1 share, 0 ended, 1 is for others to decide\n"), out
        # short words for what is asked most
        at = "2020-03-01T00:00:00Z"
        assert "max" in run("orphans", "--on", "agency", "--user", "ann", "--as-of", at)
        assert " bob " in run("who", "--on", "agency", "--scope", "campaigns.send", "--as-of", at)
        assert " bob " not in run("who", "--on", "agency", "--scope", "campaigns.send")
        wrong = run("access-review", check=False)
        assert wrong.returncode == 2 and "usage" in wrong.stderr, wrong


def stop():
    """With the machine's clock: the running day's uses are told by a stop, and not by a kill."""
    with Daemon() as daemon:
        world(daemon.charter)
        if time.time() % 86400 > 86300:
            time.sleep(120)  # not over midnight
        share = daemon.do("share.list", "agency/shop")["shares"][0]["share"]
        ask = {"user": "cleo", "scopes": ["reports.read"]}
        daemon.do("check", "agency/shop", **ask)
        assert uses(daemon) == []
        daemon.stop()
        daemon.start()
        told = uses(daemon)
        assert len(told) == 1 and told[0]["shares"] == [share] and told[0]["unnoted"] == 0, told
        # known already: not told again
        daemon.do("check", "agency/shop", **ask)
        before = daemon.state()
        daemon.stop()
        daemon.start()
        assert daemon.state() == before
        daemon.do("check", "agency", user="bob", scopes=["reports.read"])
        daemon.kill()
        daemon.start()
        assert daemon.state() == before


if __name__ == "__main__":
    review()
    stop()
