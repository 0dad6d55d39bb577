#!/usr/bin/env python3
# kill9: nothing acknowledged is lost or done twice. SPDX-License-Identifier: MIT
"""32 commands are in flight while charterd is killed at random moments and started again. nng sends
again what got no answer, so commands arrive twice. At the end every acknowledged command is in the
log exactly once, a message sent again is answered as the first time, and the state made anew from
the log has the same hash."""
import collections
import os
import random
import threading

from _daemon import Daemon, make_call

IN_FLIGHT = 32
ROUNDS = int(os.environ.get("CH_KILL_ROUNDS", "12"))


class Load(threading.Thread):
    """Makes groups and users, one command a message, until told to stop."""

    def __init__(self, daemon, number, stop):
        super().__init__(daemon=True)
        self.charterd, self.number, self.stop = daemon, number, stop
        self.acknowledged = []  # (request, result)
        self.problem = None

    def run(self):
        count = 0
        try:
            while not self.stop.is_set():
                count += 1
                name = f"{self.number}-{count}"
                call = make_call("user.create", None, {"username": name}) if count % 4 == 0 \
                    else make_call("group.create", "agency", {"name": name})
                identity = self.number.to_bytes(8, "big") + count.to_bytes(8, "big")
                request = {"id": identity, "v": 1, "auth": ["peer"], "calls": [call]}
                self.acknowledged.append((request, self.answer(request)))
        except Exception as problem:  # told by the main thread
            self.problem = problem

    def answer(self, request):
        while True:
            reply = self.charterd.send(request)
            code = reply.get("error", {}).get("code")
            if code not in ("busy", "stopped"):
                assert reply["ok"] and reply["id"] == request["id"], reply
                return reply["results"][0]["result"]


def is_user(request):
    return request["calls"][0]["type"] == "user.create"


def name_of(request):
    args = request["calls"][0]["args"]
    return args["username"] if is_user(request) else args["name"]


def kill_some_rounds(daemon, loads, chance):
    """Kills at random moments; after each start, all acknowledged before must be known."""
    for turn in range(1, ROUNDS + 1):
        wanted = sum(len(load.acknowledged) for load in loads) + chance.randrange(50, 1500)
        while sum(len(load.acknowledged) for load in loads) < wanted:
            alive = [load for load in loads if load.is_alive()]
            assert alive, f"no load is left: {loads[0].problem!r}"
            alive[0].join(timeout=0.002)
            assert daemon.process.poll() is None, "charterd ended by itself"
        daemon.kill()
        newest = max(load.acknowledged[-1][1]["seq"] for load in loads if load.acknowledged)
        acknowledged = sum(len(load.acknowledged) for load in loads)
        daemon.start()
        revision = daemon.status()["revision"]
        assert revision >= newest, f"seq {newest} was acknowledged, the log ends at {revision}"
        print(f"round {turn}: killed after {acknowledged} acknowledged, seq {newest}; "
              f"back at {revision}", flush=True)


def check_once(daemon, loads):
    """Each acknowledged name stands in the log once, at the seq that was told."""
    groups, users = collections.defaultdict(list), []
    for event in daemon.events():
        if event["type"] == "group_created":
            groups[event["fields"]["name"]].append(event["seq"])
        elif event["type"] == "user_created":
            users.append(event["seq"])
    known = [pair for load in loads for pair in load.acknowledged]
    for request, result in known:
        if not is_user(request):
            assert groups[name_of(request)] == [result["seq"]], \
                f"{name_of(request)}: told {result['seq']}, in the log {groups[name_of(request)]}"
    assert sorted(result["seq"] for request, result in known if is_user(request)) == users
    assert len(groups) + len(users) == len(known), "the log has more than was acknowledged"
    print(f"{len(known)} commands acknowledged, each in the log once", flush=True)


def check_users(daemon, loads, chance):
    """Users are found by their sealed names: the key in the vault is there, too."""
    known = [pair for load in loads for pair in load.acknowledged if is_user(pair[0])]
    for request, result in chance.sample(known, min(200, len(known))):
        user = daemon.do("user.show", user=name_of(request))["user"]
        assert (user["user"], user["username"]) == (result["user"], name_of(request)), user


def check_repeats(daemon, loads, chance):
    """The same message again: the same answer, and nothing appended."""
    before = daemon.status()["revision"]
    known = [pair for load in loads for pair in load.acknowledged]
    for request, result in chance.sample(known, min(300, len(known))):
        again = daemon.send(request)
        assert again["ok"] and again["results"][0]["result"] == result, (result, again)
    assert daemon.status()["revision"] == before, "a repeat appended something"


def main():
    seed = int(os.environ.get("CH_SEED") or random.randrange(1 << 32))
    print(f"seed {seed} (again with CH_SEED={seed})", flush=True)
    chance = random.Random(seed)
    with Daemon() as daemon:
        daemon.do("account.open_master", name="agency")
        stop = threading.Event()
        loads = [Load(daemon, number, stop) for number in range(1, IN_FLIGHT + 1)]
        for load in loads:
            load.start()
        kill_some_rounds(daemon, loads, chance)
        stop.set()
        for load in loads:
            load.join(timeout=120)
            assert not load.is_alive(), "a command got no answer within two minutes"
            if load.problem is not None:
                raise load.problem
        check_once(daemon, loads)
        check_repeats(daemon, loads, chance)
        check_users(daemon, loads, chance)
        live = daemon.state()
        daemon.kill()
        daemon.start()
        assert daemon.state() == live, (live, daemon.state())
        check_repeats(daemon, loads, chance)
        check_users(daemon, loads, chance)
        print(f"state {live[1]} at seq {live[0]}, the same after one more kill", flush=True)


if __name__ == "__main__":
    main()
