#!/usr/bin/env python3
# fsize: charterd where files may not grow (ulimit -f). SPDX-License-Identifier: MIT
"""The kernel's answer to a write beyond the limit is a signal that ends a program. charterd refuses
to start and says why, or, when it runs, refuses commands as on a full disk, answers queries, and
goes on when it may; nothing that was acknowledged is lost."""
import os
import resource
import subprocess

from _daemon import Daemon, need_program
from _logfile import verify

SAYS = ("File too large", "limit of a file's size")


def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def start_refused(daemon, size):
    done = subprocess.run([need_program("charterd"), "--data", daemon.data, "--listen", daemon.url],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          preexec_fn=lambda: limit(size))
    assert done.returncode == 1, f"{size} bytes: ended {done.returncode}: {done.stdout}"
    assert any(words in done.stdout for words in SAYS), f"{size} bytes: {done.stdout}"


def a_start_is_refused_and_leaves_nothing_in_its_way():
    for size in (4096, 32768):
        daemon = Daemon()
        start_refused(daemon, size)
        with daemon:
            daemon.do("user.create", username="ann")
            daemon.stop()
            start_refused(daemon, 0)
            daemon.start()
            assert daemon.do("user.show", user="ann")["user"]["username"] == "ann"
    print("a start without room for a file is refused, and says why")


def groups(daemon):
    names, after = [], {}
    while True:
        page = daemon.do("group.list", "agency", limit=1000, **after)
        names += [group["name"] for group in page.get("groups", [])]
        if "next" not in page:
            return set(names)
        after = {"after": page["next"]}


def a_running_one_refuses_commands_and_goes_on():
    with Daemon("--origin", "example.com/charterd") as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        log = os.path.join(daemon.data, "log.mdb")
        size = os.path.getsize(log) + (1 << 20)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        acknowledged, refused = set(), None
        for number in range(20000):
            name = f"group-{number}"
            reply = daemon.ask(*[("group.create", "agency", {"name": f"{name}-{i}"})
                                 for i in range(20)])
            if not reply["ok"]:
                refused = reply["error"]
                break
            acknowledged |= {f"{name}-{i}" for i in range(20)}
        assert refused is not None and refused["code"] == "storage_full", refused
        assert "limit of a file's size" in refused["text"], refused
        assert acknowledged and os.path.getsize(log) <= size
        assert groups(daemon) == acknowledged, "queries go on, and see nothing that was taken back"
        hard = resource.RLIM_INFINITY
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        daemon.do("group.create", "agency", name="afterwards")
        acknowledged.add("afterwards")
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, hard))
        reply = daemon.ask(*[("group.create", "agency", {"name": f"too-late-{i}"})
                             for i in range(20)])
        assert reply["error"]["code"] == "storage_full", reply
        daemon.stop()
        start_refused(daemon, 0)
        daemon.start()
        assert groups(daemon) == acknowledged
        daemon.stop()
        verify(daemon.data, status=3)
    print(f"{len(acknowledged)} groups below the limit, none lost, and on when it is gone")


a_start_is_refused_and_leaves_nothing_in_its_way()
a_running_one_refuses_commands_and_goes_on()
