#!/usr/bin/env python3
# charter_explain: charter explain, as a tree for people and as JSON. SPDX-License-Identifier: MIT
"""Also when the key of a person is gone: what they did is still explained, and they are told as
erased, now and in the past."""
import json
import os

from _daemon import Daemon

SLOT = 32


def tree(daemon, *words, status):
    done = daemon.charter("explain", "--on", "agency/shop", *words, check=False)
    assert done.returncode == status, done
    return done.stdout.splitlines()


def names(fact):
    return fact["fact"], fact["by"]


def command(step):
    """A step as a line for whatif: its type, its account, and the arguments as they are named."""
    args = {key: value for key, value in step.items()
            if key not in ("by", "text", "type", "on", "key_kind")}
    if "key_kind" in step:
        args["kind"] = step["key_kind"]
    line = {"type": step["type"], "args": args}
    if "on" in step:
        line["on"] = step["on"]
    return json.dumps(line)


def tried(daemon, sender, scope, types):
    """Every step can be tried as it stands, and together they give back what is denied."""
    run = daemon.charter
    who = ("--as", sender) if sender else ()
    answer = json.loads(run("access", "remedy", "--on", "agency/shop", "--user", "bob", "--scope",
                            scope, "--json"))
    assert [step["type"] for step in answer["steps"]] == types, answer
    for step in answer["steps"]:
        assert ("reason" in step) == step["text"].endswith("and say why"), step
    path = os.path.join(daemon.dir, "steps")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(command(step) for step in answer["steps"]) + "\n")
    out = run("whatif", "--file", path, *who)
    assert any(line.split()[:4] == ["+", "bob", scope, "agency/shop"]
               for line in out.splitlines()), out


def complete(daemon):
    run = daemon.charter
    for name in ("ann", "bob"):
        run("user", "create", "--username", name)
    run("account", "open-master", "--name", "agency", "--owner", "ann")
    run("account", "open-sub", "--on", "agency", "--name", "shop", "--as", "ann")
    run("share", "give", "--on", "agency/shop", "--user", "bob", "--role", "user", "--as", "ann")
    run("plan", "set", "--on", "agency", "--name", "Bronze", "--total", "1000")
    run("account", "suspend", "--on", "agency/shop", "--reason", "pause", "--as", "ann")
    run("account", "set-switches", "--on", "agency", "--account", "agency/shop",
        "--content-locked", "--as", "ann")
    tried(daemon, "ann", "campaigns.update", ["account.resume", "account.set_switches"])
    run("account", "resume", "--on", "agency/shop", "--reason", "on", "--as", "ann")
    run("account", "suspend", "--on", "agency/shop", "--reason", "spam")
    run("stream", "stop", "--on", "agency/shop", "--stream", "marketing", "--reason", "spam")
    tried(daemon, None, "campaigns.send", ["account.resume", "stream.resume"])
    run("plan", "change", "--on", "agency", "--paid=false")
    tried(daemon, None, "subaccounts.create",
          ["account.resume", "plan.change", "share.set_scopes"])


def main():
    with Daemon("--clock", "manual") as daemon:
        complete(daemon)
    with Daemon("--clock", "manual") as daemon:
        run = daemon.charter
        for name in ("ann", "bob", "cal"):
            run("user", "create", "--username", name)
        run("account", "open-master", "--name", "agency", "--owner", "ann")
        run("account", "open-sub", "--on", "agency", "--name", "shop", "--as", "ann")
        run("share", "give", "--on", "agency", "--user", "cal", "--role", "account_manager",
            "--reach", "subtree", "--as", "ann")
        run("clock", "set", "--to", "2020-03-01T00:00:00Z")
        run("share", "give", "--on", "agency/shop", "--user", "bob", "--role", "user",
            "--as", "cal")
        allowed = ("--user", "bob", "--scope", "campaigns.send")
        lines = tree(daemon, *allowed, status=0)
        assert lines[0] == ("bob: allowed: a share that counts gives it (allowed, granted)"), lines
        assert lines[3] == "way 1 of 1, to campaigns.send: suffices", lines
        assert lines[4].startswith("  the user's own share of account shop is in use  ["), lines
        assert lines[4].endswith(", 2020-03-01T00:00:00Z, cal]"), lines
        role = "    the user's own share of account shop has role user  ["
        assert lines[5].startswith(role), lines
        assert lines[6].startswith("      version 1 of role user gives campaigns.send  ["), lines
        assert lines[6].endswith(", system]") and len(lines) == 7, lines
        given = daemon.status()["revision"]
        run("guardrail", "set", "--on", "agency", "--scopes", "campaigns.send", "--as", "cal")
        run("share", "restrict", "--on", "agency/shop", "--user", "bob", "--scopes",
            "campaigns.send", "--as", "ann")
        lines = tree(daemon, *allowed, status=1)
        assert lines[0].startswith("bob: denied: ") and lines[0].endswith(
            "(explicit_deny, guardrail)"), lines
        assert "way 1 of 1, to campaigns.send: denied" in lines, lines
        assert "  denied on this way by" in lines and "denied whatever gives it, by" in lines
        assert any(line.startswith("    the guardrail of account agency takes") for line in lines)
        assert lines[-3].startswith("  1. take campaigns.send out of the guardrail"), lines
        assert lines[-2].startswith("  2. take campaigns.send out of the restriction"), lines
        assert lines[-1] == "who may make it: charter access remedy, asked the same", lines
        answer = json.loads(run("access", "explain", "--on", "agency/shop", *allowed, "--json",
                                check=False).stdout)
        assert answer["decision"] == "explicit_deny", answer
        assert names(answer["ways"][0]["denies"][0]) == ("guardrail", "cal"), answer
        assert names(answer["denies"][0]) == ("restriction", "ann"), answer
        assert [step["type"] for step in answer["steps"]] == ["guardrail.set", "share.restrict"]
        # before any of it, and of somebody whom nothing leads there
        lines = tree(daemon, *allowed, "--as-of", str(given), status=0)
        assert lines[0].startswith("bob: allowed: "), lines
        lines = tree(daemon, "--key", "1", "--scope", "campaigns.send", status=3)
        # a key of the vault is gone
        daemon.stop()
        with open(os.path.join(daemon.data, "vault"), "r+b") as vault:
            vault.seek(SLOT * 3)
            vault.write(b"\xff" * SLOT)
        daemon.start()
        for words in (("--as-of", str(given)), ()):
            lines = tree(daemon, *allowed, *words, status=0 if words else 1)
            assert any(line.endswith(", erased user #3]") for line in lines), lines
            assert not any("cal]" in line for line in lines), lines


if __name__ == "__main__":
    main()
