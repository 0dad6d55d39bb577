#!/usr/bin/env python3
# charter_whatif: charter whatif, for people and as JSON. SPDX-License-Identifier: MIT
"""Nothing is written: neither the log, nor the vault, nor the state."""
import hashlib
import json
import os
import time

from _daemon import Daemon

PEOPLE = int(os.environ.get("CH_WHATIF_PEOPLE", "1200"))


def vault_of(daemon):
    with open(os.path.join(daemon.data, "vault"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def whatif(daemon, *words, status=0, **more):
    done = daemon.charter("whatif", *words, check=False, **more)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout.splitlines(), done.stderr


def table(lines):
    """The cells of the lines that begin with a sign."""
    return [line.split() for line in lines if line[:1] in "+-=" and len(line.split()) > 4]


def a_table(daemon):
    run = daemon.charter
    for name in ("ann", "bob", "cal"):
        run("user", "create", "--username", name)
    run("account", "open-master", "--name", "agency", "--owner", "ann")
    run("account", "open-sub", "--on", "agency", "--name", "shop", "--as", "ann")
    run("share", "give", "--on", "agency/shop", "--user", "bob", "--role", "watcher", "--as", "ann")
    run("plan", "set", "--on", "agency", "--name", "Bronze", "--total", "1000")
    before = daemon.state(), vault_of(daemon)
    lines, _ = whatif(daemon, "share", "set-role", "--on", "agency/shop", "--user", "bob",
                      "--role", "list_manager", "--as", "ann")
    rows = table(lines)
    assert lines[0].split() == ["subject", "scope", "account", "resource"], lines
    assert ["+", "bob", "contacts.delete", "agency/shop", "all"] in rows, lines
    assert ["-", "bob", "reports.read", "agency/shop", "all"] in rows, lines
    assert any(line.startswith("+  bob: ") for line in lines), lines
    gained = sum(row[0] == "+" for row in rows)
    lost = sum(row[0] == "-" for row in rows)
    assert lines[-1] == f"{gained} gained, {lost} lost; 1 widened; 0 of credits", lines
    # options may stand anywhere, as ever
    again, _ = whatif(daemon, "--as", "ann", "share", "set-role", "--user", "bob", "--role",
                      "list_manager", "--on", "agency/shop")
    assert again == lines
    lines, _ = whatif(daemon, "share", "grant", "--on", "agency/shop", "--user", "bob", "--kind",
                      "list", "--resource", "news", "--scopes", "lists.read")
    assert table(lines) == [["+", "bob", "lists.read", "agency/shop", "list", "news"]], lines
    lines, _ = whatif(daemon, "credits", "allocate", "--on", "agency", "--account", "agency/shop",
                      "--type", "nonrecurring", "--total", "300")
    assert "~  agency, pool:  remain 1000 -> 700" in lines, lines
    assert ("~  agency/shop, allocation:  type - -> nonrecurring  total - -> 300  used - -> 0  "
            "reserved - -> 0  remain - -> 300") in lines, lines
    lines, _ = whatif(daemon, "share", "set-role", "--on", "agency/shop", "--user", "bob",
                      "--role", "watcher")
    assert lines == ["nothing would change of what anybody may do, nor of credits"], lines
    # a key is not taken for a user of its name
    lines, _ = whatif(daemon, "account", "suspend", "--on", "agency/shop", "--reason", "spam")
    assert any(line.startswith("-  first (key)  lists.create ") for line in lines), lines
    assert any(line.startswith("-  ann          lists.create ") for line in lines), lines
    # refused: told as by the command itself
    lines, told = whatif(daemon, "share", "end", "--on", "agency/shop", "--user", "cal",
                         "--as", "ann", status=3)
    assert lines == [] and "refused: not_found" in told, (lines, told)
    _, told = whatif(daemon, "share", "list", "--on", "agency", status=2)
    assert "takes a command" in told, told
    _, told = whatif(daemon, "share", "end", "--user", "cal", status=2)
    assert "needs --on" in told, told
    whatif(daemon, status=2)
    assert "charter whatif" in whatif(daemon, "--help")[0][0]
    assert "--role ROLE" in whatif(daemon, "share", "set-role", "--help")[0][0]
    assert (daemon.state(), vault_of(daemon)) == before


def a_file(daemon):
    """Commands of a file: all or none, or each for itself."""
    before = daemon.state(), vault_of(daemon)
    path = os.path.join(daemon.dir, "commands")
    commands = [
        {"type": "user.create", "args": {"username": "new"}},
        {"type": "share.give", "on": "agency/shop", "args": {"user": "new", "role": "watcher"}},
        {"type": "share.end", "on": "agency/shop", "args": {"user": "cal"}, "note": "a try"},
        {"type": "suppression.rotate_key"},
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(command) + "\n" for command in commands)
    lines, told = whatif(daemon, "--file", path, status=3)
    assert lines == [] and "command 3, share.end:" in told and "not_a_member" in told, told
    lines, told = whatif(daemon, "--file", path, "--each", status=3)
    assert "command 3, share.end:" in told, told
    assert {row[1] for row in table(lines)} == {"new"}, lines
    lines, _ = whatif(daemon, "--file", path, "--each", "--json", status=3)
    answer = json.loads("\n".join(lines))
    results = answer["results"]
    assert results[0] == {"result": {"events": 1}} and len(results) == 4, results
    assert results[2]["rejection"]["reason"] == "not_a_member", results
    flips = answer["whatif"]["flips"]
    assert [flip["subject"] for flip in flips] == ["new"] and "user" not in flips[0], flips
    assert answer["whatif"]["gained"] == len(flips[0]["gained"]), answer
    text = json.dumps(commands[1])
    lines, told = whatif(daemon, "--file", "-", input=text, status=3)
    assert "not_found" in told, told
    _, told = whatif(daemon, "--file", "-", input="{}\n", status=2)
    assert "line 1 is no command" in told, told
    assert (daemon.state(), vault_of(daemon)) == before


def many(daemon):
    """More than a page holds: told so, and all with --all; the daemon answers meanwhile."""
    for start in range(0, PEOPLE, 400):
        names = [f"p{n}" for n in range(start, min(start + 400, PEOPLE))]
        for calls in ([("user.create", None, {"username": name}) for name in names],
                      [("share.give", "agency", {"user": name, "role": "watcher",
                                                 "reach": "subtree"}) for name in names]):
            assert daemon.ask(*calls)["ok"]
    before = daemon.state(), vault_of(daemon)
    words = ("guardrail", "set", "--on", "agency", "--scopes", "reports.read")
    began = time.monotonic()
    lines, told = whatif(daemon, *words)
    took = time.monotonic() - began
    # a guardrail binds what stands below: the share of bob, not those of the account above
    assert {row[1] for row in table(lines)} == {"bob", "first"} and told == "", (lines, told)
    words = ("account", "suspend", "--on", "agency", "--reason", "test")
    lines, told = whatif(daemon, *words)
    assert "there is more" in told, told
    lines, told = whatif(daemon, *words, "--all")
    assert told == "", told
    met = {(row[1], row[3]) for row in table(lines)}
    for name in ("ann", "p0", f"p{PEOPLE - 1}"):
        assert (name, "agency") in met and (name, "agency/shop") in met, (name, len(met))
    assert len({name for name, _ in met}) == PEOPLE + 3, len(met)  # ann, bob, and keys called first
    answer = json.loads("\n".join(whatif(daemon, *words, "--all", "--json")[0]))["whatif"]
    lost = sum(len(flip["lost"]) for flip in answer["flips"])
    assert lost == answer["lost"] == len(table(lines)) and "next" not in answer, answer["lost"]
    assert (daemon.state(), vault_of(daemon)) == before
    print(f"{PEOPLE} people: one answer in {took * 1000:.0f} ms, the program's start included")


def main():
    with Daemon("--clock", "manual") as daemon:
        a_table(daemon)
        a_file(daemon)
        many(daemon)


if __name__ == "__main__":
    main()
