#!/usr/bin/env python3
# charter_csv: charter activity list --csv, and --csv of any list. SPDX-License-Identifier: MIT
"""The output is read by Python's csv module, which shares no code with charter."""
import csv
import io
import subprocess

from _daemon import Daemon, need_program


def rows_of(daemon, *words):
    """The rows that charter prints; as bytes, for the ends of lines count."""
    done = subprocess.run([need_program("charter"), "--connect", daemon.url, *words, "--csv"],
                          stdout=subprocess.PIPE, check=True)
    text = done.stdout.decode()
    assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n"), text
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def main():
    with Daemon() as daemon:
        run = daemon.charter
        run("user", "create", "--username", "ann", "--full-name", 'Ann "A" Miller, Jr.')
        run("user", "create", "--username", "bob")
        run("account", "open-master", "--name", "agency", "--owner", "ann")
        run("share", "give", "--on", "agency", "--user", "bob", "--role", "user", "--as", "ann")
        for n in range(7):
            run("activity", "record", "--on", "agency", "--as", "bob", "--section", "Lists",
                "--path", f"News, {n} > Edited", "--object", 'say "hi"')
        rows = rows_of(daemon, "activity", "list", "--on", "agency")
        assert rows[0] == ["user", "details", "at"], rows[0]
        assert rows[1][:2] == ["bob", 'Lists > News, 6 > Edited: say "hi"'], rows[1]
        assert rows[8][:2] == ['Ann "A" Miller, Jr. (ann)', "Users > Access given: bob"], rows[8]
        assert len({len(row) for row in rows}) == 1
        # pages are joined, and without --all something says that there is more
        paged = rows_of(daemon, "activity", "list", "--on", "agency", "--limit", "2", "--all")
        assert paged == rows
        short = run("activity", "list", "--on", "agency", "--limit", "2", "--csv", check=False)
        assert "there is more" in short.stderr and short.returncode == 0
        full = rows_of(daemon, "activity", "list", "--on", "agency", "--full")
        assert full[0] == ["user", "details", "at", "seq", "type", "actor_kind", "actor", "channel"]
        # any list; an empty one has its header
        users = rows_of(daemon, "user", "list", "--on", "agency")
        assert "username" in users[0] and len(users) == 3, users
        groups = rows_of(daemon, "group", "list", "--on", "agency")
        assert len(groups) == 1 and "name" in groups[0], groups
        # what is no list is refused before anything is asked
        refused = run("status", "--csv", check=False)
        assert refused.returncode == 2 and "no list" in refused.stderr, refused


if __name__ == "__main__":
    main()
