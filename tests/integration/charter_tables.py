#!/usr/bin/env python3
# charter_tables: what stands in tables for people. SPDX-License-Identifier: MIT
"""Lists within a row as words and not as JSON, erased people as elsewhere, and one share as one."""
from _daemon import Daemon


def main():
    with Daemon("--clock", "manual") as daemon:
        run = daemon.charter
        daemon.do("clock.set", to="2020-01-01T00:00:00Z")
        for name in ("ann", "bob"):
            daemon.do("user.create", username=name)
        daemon.do("account.open_master", name="agency", owner="ann")
        daemon.do("account.open_master", name="solo", owner="ann")
        daemon.do("group.create", "agency", name="crew")
        for whose in ({"user": "bob"}, {"group": "crew"}):
            daemon.do("share.give", "agency", role="user", **whose)
        daemon.do("group.add", "agency", group="crew", user="bob")
        who = run("who", "--on", "agency", "--scope", "campaigns.send")
        assert "{" not in who and "[" not in who, who
        assert ("role user of the user's own share of account agency gives campaigns.send; "
                "role user of group crew's share of account agency gives") in who, who
        assert run("who", "--on", "agency", "--scope", "campaigns.send", "--json").count("{") > 3
        daemon.do("share.end", "agency", group="crew")
        text = run("access-review", "agency", "--unused-days", "9")
        assert text == "no share is to be looked at\n", text
        assert "nobody said how often" in run("access-review", "agency")
        daemon.do("clock.set", to="2020-01-15T00:00:00Z")
        text = run("access-review", "agency", "--unused-days", "9")
        assert text.endswith("\n2 shares; --end ends 1 of them\n"), text
        text = run("access-review", "solo", "--unused-days", "9")
        assert text.endswith("\n1 share\n"), text
        daemon.do("user.erase", user="bob")
        assert "  erased user #2  " in run("share", "list", "--on", "agency")
        done = run("diff", "--at", "now", "--at", "now", check=False)
        assert done.returncode == 0, done
    print("tables are for people")


main()
