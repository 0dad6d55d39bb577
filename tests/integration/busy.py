#!/usr/bin/env python3
# busy: more in flight than the daemon holds is answered, not queued without end.
# SPDX-License-Identifier: MIT
"""256 commands in flight against 64 contexts, three quarters of which may hold commands: some are
answered `busy` with a time to wait, are sent again with the same id, and all are done once."""
import threading

from _daemon import Daemon, make_call

IN_FLIGHT = 256
EACH = 12


def ask_until_done(daemon, request, busy, wait):
    while True:
        reply = daemon.send(request)
        error = reply.get("error")
        if error is None:
            assert reply["ok"], reply
            return
        assert error["code"] == "busy", reply
        assert 1 <= error["retry_ms"] <= 10000, error
        busy.append(error["retry_ms"])
        wait.wait(error["retry_ms"] / 1000)


def load(daemon, number, busy, problems):
    wait = threading.Event()  # never set: a wait that ends by itself
    try:
        for turn in range(EACH):
            request = {"id": bytes(8) + number.to_bytes(4, "big") + turn.to_bytes(4, "big"),
                       "v": 1, "auth": ["peer"],
                       "calls": [make_call("user.create", None,
                                           {"username": f"u-{number}-{turn}"})]}
            ask_until_done(daemon, request, busy, wait)
    except Exception as problem:
        problems.append(problem)


def main():
    with Daemon("--contexts", "64") as daemon:
        before = daemon.status()
        busy, problems = [], []
        threads = [threading.Thread(target=load, args=(daemon, number, busy, problems))
                   for number in range(IN_FLIGHT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]
        after = daemon.status()
        made = IN_FLIGHT * EACH
        assert after["users"] - before["users"] == made, (before, after)
        assert after["revision"] - before["revision"] == made, (before, after)
        assert after["busy_answers"] >= len(busy), (after["busy_answers"], len(busy))
        print(f"{IN_FLIGHT} in flight: {made} commands done once each, "
              f"{after['busy_answers']} busy answers")
        if not busy:
            print("none came: this machine was too slow in sending for the contexts to fill")


if __name__ == "__main__":
    main()
