#!/usr/bin/env python3
# golden.refusals: every rejection that a command's row names is met by a scenario or a unit test.
# SPDX-License-Identifier: MIT
"""Reads MAY of schema/commands.def, the lines of tests/scenarios/*.scn and the REFUSED of
tests/unit/*.c. What the schema's kinds alone bring about (names of nothing, an account that is
closed, bad values) is met by the test `input`, for every argument."""
import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ.get("CH_SOURCE_DIR") or Path(__file__).resolve().parents[2])
ROW = re.compile(r'^COMMAND_BEGIN\((\w+), "([^"]+)", \w+, \w+, (\w+),')
REFERENCE = re.compile(r"^FIELD(?:_OPT|_LIST)?\(\w+, \w+_ref, ")
MAY = re.compile(r"^MAY\(\w+, (.*)\)")
# What a row names and nothing can meet, or not here; and why.
NOT_MET = {
    ("account.open_sub", "too_deep"): "an account so deep has no levels left: not_a_master",
    ("account.open_own", "not_found"): "of a log older than the role owner",
    ("share.give", "outside_tree"): "a group's name or id is looked for on the way up only",
    ("user.set_password", "password_known"): "scenarios have no service beside the operator",
    ("stream.stop", "operator_only"): "the same",
    ("stream.resume", "operator_only"): "the same",
    ("campaign.send", "operator_only"): "the same",
    ("share.deactivate", "not_allowed"): "by end_made, as share.end, whose rule it is",
    ("share.deactivate", "owner_only"): "the same",
    ("credits.allocate", "limit_reached"): "unit.credits fills a plan",
    ("campaign.submit", "limit_reached"): "65,536 campaigns; the rule is one comparison",
    # A user is named, never a group, so there always is one subject.
    ("invitation.resend", "one_subject"): "names a user",
    ("invitation.cancel", "one_subject"): "names a user",
    ("login.edit", "one_subject"): "names a user",
    ("login.delete", "one_subject"): "names a user",
}


def promised():
    """(command, rejection) of every row; the commands by their name in C; and what the test
    `input` meets of each reference and of each `on`."""
    pairs, idents, by_kind, command = [], {}, set(), None
    for line in (ROOT / "schema" / "commands.def").read_text().splitlines():
        row = ROW.match(line)
        if row:
            command = row.group(2)
            idents[row.group(1)] = command
            if row.group(3) == "ON":
                by_kind |= {(command, "not_found"), (command, "account_closed")}
        if REFERENCE.match(line):
            by_kind.add((command, "not_found"))
        may = MAY.match(line)
        if may:
            pairs += [(command, reason) for reason in may.group(1).split(", ")]
    return pairs, idents, by_kind


def met_by_scenarios():
    met = set()
    for path in sorted((ROOT / "tests" / "scenarios").glob("*.scn")):
        calls = []
        for line in path.read_text().replace("\\\n", "").splitlines():
            for part in line.split(" | "):
                part = re.sub(r"^\s*(times \d+ )?", "", part)
                if re.match(r"(when|given|ask) ", part):
                    calls = re.findall(r"(?:: |&& )([a-z_.]+)", part)
                refused = re.match(r"(?:refused |ask .*-> *refused )(\w+)", part)
                if refused:
                    met |= {(call, refused.group(1)) for call in calls}
    return met


def met_by_units(idents):
    met = set()
    for path in sorted((ROOT / "tests" / "unit").glob("test_*.c")):
        for reason, ident in re.findall(r"REFUSED\((\w+),\s*[^,]+,\s*(\w+),", path.read_text()):
            if ident in idents:
                met.add((idents[ident], reason))
    return met


def main():
    pairs, idents, by_kind = promised()
    met = met_by_scenarios() | met_by_units(idents)
    faults = 0
    for pair in pairs:
        if pair in by_kind or pair in met or pair in NOT_MET:
            continue
        faults += 1
        print(f"{pair[0]}: no scenario and no unit test is refused {pair[1]}")
    for pair in NOT_MET:
        if pair not in pairs:
            faults += 1
            print(f"NOT_MET names {pair[0]} {pair[1]}, which its row does not")
    print(f"golden.refusals: {len(pairs)} rejections of {len(idents)} commands, {faults} not met")
    return 1 if faults else 0


sys.exit(main())
