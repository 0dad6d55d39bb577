#!/usr/bin/env python3
# past_cut: as_of equals the answer of a log that was cut there. SPDX-License-Identifier: MIT
"""A random history through sockets. At random moments the daemon is stopped and its data directory
copied: a log that ends there. Later a charterd on each copy is asked, and the one on the whole log
with as_of: everything but the revision of the reply is the same. What few events decide is asked by
itself, too, which status counts, and the answers are the same: what one user may do on one account;
an account's users, shares, keys and groups; its settings; its credits; one user with all shares;
roles; requests and campaigns; what people are told of themselves; mail, lists and content.
The seed is CH_TEST_SEED."""
import itertools
import os
import random
import shutil

from _daemon import Daemon

STEPS, CUTS, NOISE = 300, int(os.environ.get("CH_CUTS", "5")), 2560
USERS = ["ann", "bob", "cy", "dan", "eve"]
ACCOUNTS = ["top", "top/mid", "top/mid/low", "top/side"]
ROLES = ["account_manager", "user", "watcher", "list_manager", "full", "crew"]
# each sort in a message of its own for each account: what is read for one is not there for another
LISTS = [["user.list", "login.list"], ["share.list", "group.list", "key.list"],
         ["settings.show"], ["account.switches"],
         ["credits.show", "credits.list", "credits.reservations", "plan.show",
          "billing.statement", "billing.separation"],
         ["account.show"], ["access.requests"], ["campaign.submissions"],
         ["suppression.list"], ["stats.show", "stats.series", "usage.history", "reputation.show"],
         ["reputation.list"], ["content.list"], ["content.feeds"], ["access.review"]]
# and what they name
NAMED = [["role.show", "role.change_effect"], ["campaign.approvers"], ["suppression.check"]]
MINE = ["session.list", "session.accounts", "access.mine", "ownership.offers"]
CODES = [bytes([i]) * 32 for i in range(2)]
SCOPES = ["campaigns.send", "lists.select", "lists.read", "reports.read", "billing.read",
          "templates.update", "account.close", "users.read"]


def questions():
    """Every query that state answers, and what can be asked of it here."""
    for on in ACCOUNTS:
        for kind in sum(LISTS, []):
            yield kind, on, {}
        yield "usage.history", on, {"subtree": True}
        yield "suppression.check", on, {"address": "ann@example.org"}
        for role in ("crew", "user"):
            yield "role.show", on, {"role": role}
            yield "role.change_effect", on, {"role": role, "scopes": SCOPES[:3]}
        yield "campaign.approvers", on, {"campaign": "C1"}
        if on == "top":
            yield "group.members", on, {"group": "crew"}
            yield "share.show", on, {"group": "crew"}
        for user in USERS:
            yield "access.scopes", on, {"user": user}
            yield "access.origins", on, {"user": user, "limit": 1000}
            yield "share.show", on, {"user": user}
            yield "access.orphans", on, {"user": user}
            yield "campaign.send_check", on, {"user": user, "campaign": "C1", "list": "L1",
                                              "content_hash": CODES[0]}
            for scope in SCOPES:
                yield "check", on, {"user": user, "scopes": [scope], "explain": True}
                for where in ({}, {"resource": "L1"}):
                    yield "access.explain", on, {"user": user, "scope": scope, **where}
                    yield "access.remedy", on, {"user": user, "scope": scope, **where}
        for scope in SCOPES:
            yield "access.holders", on, {"scope": scope}
            yield "access.who", on, {"scopes": [scope]}
    yield "account.list", None, {}
    for kind in ("role.list", "page.list", "limit.list"):
        yield kind, None, {}
    yield "role.list", None, {"account": "top"}
    for user in USERS:
        yield "user.show", None, {"user": user}
        for kind in MINE:
            yield kind, None, {}, user  # asked by them


def by_subject(asked):
    """The questions that few events decide, those of one sort about the same in one message."""
    groups = {}
    for place, (kind, on, args, *asker) in enumerate(asked):
        sort = [i for i, kinds in enumerate(LISTS + NAMED) if kind in kinds]
        if asker or kind in ("role.list", "page.list", "limit.list"):
            groups.setdefault((kind, str(args), *asker), []).append(place)
        elif kind in ("check", "access.explain", "access.origins", "access.scopes", "share.show",
                      "user.show", "group.members", "campaign.send_check", "access.orphans"):
            groups.setdefault((on, str(args.get("user")), "group" in args), []).append(place)
        elif kind in ("access.holders", "access.who") or sort:
            groups.setdefault((on, kind if not sort else sort[0]), []).append(place)
    return list(groups.values())


def from_strands(daemon, asked, cut):
    """place -> answer, of the questions that few events decide."""
    told = {}
    for places in by_subject(asked):
        for place, answer in zip(places, answers(daemon, [asked[i] for i in places], as_of=cut)):
            told[place] = answer
    return told


def step(daemon, chance, day):
    """One command; what is refused changes nothing."""
    on, user, scope = chance.choice(ACCOUNTS), chance.choice(USERS), chance.choice(SCOPES)
    some = chance.sample(SCOPES, chance.randint(1, 3))
    kind, args = chance.choice([
        ("share.give", {"user": user, "role": chance.choice(ROLES),
                        "reach": chance.choice(["account", "subtree"])}),
        ("share.give", {"group": "crew", "role": chance.choice(ROLES)}),
        ("share.set_role", {"user": user, "role": chance.choice(ROLES)}),
        ("share.restrict", {"user": user, "scopes": some}),
        ("share.set_scopes", {"user": user, "scopes": some}),
        ("share.grant", {"user": user, "kind": "list", "resource": "L1",
                         "scopes": ["lists.read", "campaigns.send"]}),
        ("share.limit", {"user": user, "kind": "list", "resources": ["L1"]}),
        ("share.deactivate", {"user": user}),
        ("share.activate", {"user": user}),
        ("share.end", {"user": user}),
        ("group.add", {"group": "crew", "user": user}),
        ("guardrail.set", {"scopes": [scope] if chance.random() < 0.5 else []}),
        ("role.define", {"name": "crew", "scopes": some}),
        ("settings.set", {"header": f"of day {day}"}),
        ("account.suspend", {"reason": "because"}),
        ("account.resume", {"reason": "because"}),
        ("stream.stop", {"stream": "marketing", "reason": "because"}),
        ("stream.resume", {"stream": "marketing", "reason": "because"}),
        ("suppression.add", {"address": f"{user}@example.org"}),
        ("stats.add", {"stream": "marketing", "sent": 10}),
        ("credits.spend", {"amount": 1 + day % 5}),
        ("settings.set", {"footer": f"footer {day}"}),
        ("access.set_review", {"every_days": 1 + day}),
        ("key.create", {"name": f"key{day}", "scopes": [scope]}),
        ("credits.reserve", {"amount": 1 + day % 7, "reference": f"r{day}"}),
        ("account.set_switches", {"account": "top/mid", "honour_list_in_master": day % 2 == 0,
                                  "use_master_header_footer": day % 3 == 0}),
        ("credits.allocate", {"account": chance.choice(ACCOUNTS[1:]), "type": "recurring",
                              "total": 1 + day, "reset_frequency": "daily"}),
        ("credits.allocate", {"account": chance.choice(ACCOUNTS[1:]), "type": "unlimited"}),
        ("credits.withdraw", {"account": chance.choice(ACCOUNTS[1:])}),
        ("user.lock" if chance.random() < 0.3 else "user.unlock", {"user": user}),
        ("role.rename", {"role": "crew", "name": chance.choice(["crew", "team"])}),
        ("login.create", {"username": f"login{day}"}),
        ("account.set_from_domain", {"from_domain": f"d{day % 3}.example"}),
        ("campaign.submit", {"campaign": "C1", "content_hash": chance.choice(CODES)}),
        ("campaign.approve", {"campaign": "C1", "content_hash": chance.choice(CODES)}),
        ("campaign.edit", {"campaign": "C1", "content_hash": chance.choice(CODES)}),
        ("access.request", {"scopes": [scope], "remark": "please"}),
        ("content.feed", {"kind": "campaign", "resource": f"C{day % 5}"}),
        ("content.unfeed", {"kind": "campaign", "resource": f"C{day % 5}"}),
        ("account.set_switches", {"account": "top/mid", "feed_from_master": day % 4 != 0}),
        ("reputation.set_thresholds", {"bounce_ppm": 1000 * day, "volume": 1}),
        ("suppression.remove", {"address": f"{user}@example.org"}),
        ("stats.add", {"stream": "transactional", "sent": day, "bounced": day // 3}),
        ("limit.set", {"name": "OFFER_DAYS", "value": 1 + day}),
        ("ownership.offer", {"user": user}),
    ])
    by = {}
    if kind in ("access.request", "campaign.submit", "share.give", "share.grant",
                "key.create") and chance.random() < 0.6:
        by = {"auth": ["as", "user", user]}
    if kind == "limit.set":
        on = None
    if kind in ("user.lock", "user.unlock"):
        on = None
    if kind in ("account.set_switches", "credits.allocate", "credits.withdraw"):
        on = "top"
    daemon.ask((kind, on, args), **by)
    daemon.do("clock.set", to=f"2020-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00Z")


def answers(daemon, asked, **head):
    """What is answered, or refused; in messages of many calls."""
    told = []
    at = 0
    while at < len(asked):
        who = tuple(asked[at][3:])
        same = itertools.takewhile(lambda question: tuple(question[3:]) == who, asked[at:at + 64])
        calls = [question[:3] for question in same]
        by = {"auth": ["as", "user", who[0]]} if who else {}
        reply = daemon.ask(*calls, **by, **head)
        assert "results" in reply, reply
        told += reply["results"]
        at += len(calls)
    return told


def history(daemon, chance):
    """Plays it; gives the seqs at which copies were made."""
    for user in USERS:
        daemon.do("user.create", username=user)
    daemon.do("account.open_master", name="top", owner="ann", sub_depth=2)
    for above, name in (("top", "mid"), ("top/mid", "low"), ("top", "side")):
        daemon.do("account.open_sub", above, name=name)
    daemon.do("account.open_master", name="elsewhere", owner="ann")
    for _ in range(NOISE // 64):  # so that all of the log is more than few events
        daemon.ask(*[("stats.add", "elsewhere", {"stream": "marketing", "sent": 1})] * 64)
    daemon.do("group.create", "top", name="crew")
    daemon.do("plan.set", "top", name="Plan", total=1000)
    cuts = []
    for i in range(STEPS):
        step(daemon, chance, i)
        if chance.randrange(STEPS // CUTS) != 0:
            continue
        at = daemon.status()["revision"]
        if at in cuts:
            continue
        cuts.append(at)
        daemon.stop()
        shutil.copytree(daemon.data, os.path.join(daemon.dir, f"cut{cuts[-1]}"))
        daemon.start()
    return cuts


def main():
    seed = int(os.environ.get("CH_TEST_SEED", "20261126"))
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    asked = list(questions())
    with Daemon("--clock", "manual") as daemon:
        cuts = history(daemon, chance)
        assert cuts, "no moment was chosen; take another seed"
        answered = 0
        # before anything that needs the whole state, which would stand close by then
        few = {cut: from_strands(daemon, asked, cut) for cut in cuts}
        status = daemon.status()
        print(f"{status['as_of_strands']} messages were answered from few events, "
              f"{status['as_of_wholes']} from all", flush=True)
        assert status["as_of_strands"] > 3 * status["as_of_wholes"], status
        for cut in cuts:
            with Daemon("--clock", "manual") as other:
                other.stop()
                shutil.rmtree(other.data)
                shutil.copytree(os.path.join(daemon.dir, f"cut{cut}"), other.data)
                other.start()
                then = answers(other, asked, as_of=cut)
                # of explanations the times and actors come only from the worker: it answers both
                now = answers(other, asked)
            past = answers(daemon, asked, as_of=cut)
            for place, answer in few[cut].items():
                assert answer == past[place], \
                    f"{asked[place]} as of {cut}:\n{answer}\nfrom the whole log:\n{past[place]}"
            for question, one, two, three in zip(asked, past, then, now):
                answered += "result" in one
                if len(question) > 3:
                    continue  # what they may see now is not what they might see then
                assert one == two, f"{question} as of {cut}:\n{one}\nof the log cut there:\n{two}"
                if question[0] != "check":
                    assert one == three, f"{question} as of {cut}:\n{one}\nthen:\n{three}"
        print(f"{len(cuts)} cuts, {len(asked)} questions each, {answered} answered")
        assert answered > len(asked)


if __name__ == "__main__":
    main()
