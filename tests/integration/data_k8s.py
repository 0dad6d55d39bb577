#!/usr/bin/env python3
# data_k8s: eight years of real access changes, and 2,000 questions about them.
# SPDX-License-Identifier: MIT
"""Imports the history, asks all questions; again after kill -9, after everything derived was
deleted, after a second import, and after an import that was stopped half way."""
import gzip
import json
import os
import re
import shutil
import subprocess
import threading
import time

from _daemon import Daemon, need_data, need_program
from _logfile import verify

UNDER = "k8s"
STEP = int(os.environ.get("CH_QUESTIONS_STEP", "1"))  # each so many is asked again
KEPT = {"log.mdb", "head", "vault", "signing-key"}  # all else can be made again from these


def some_of(checks, path):
    """Every STEPth question."""
    with gzip.open(checks, "rt", encoding="utf-8") as file, \
            open(path, "w", encoding="utf-8") as some:
        some.writelines(line for number, line in enumerate(file) if number % STEP == 0)
    return path


def check(daemon, checks, what, count=2000 // STEP):
    began = time.monotonic()
    done = daemon.charter("check", "--from", checks, "--under", UNDER, check=False)
    last = [line for line in done.stdout.splitlines() if "asked" in line]
    right = f"{count} asked, {count} agree, 0 differ"
    assert last and re.sub(",(?=[0-9])", "", last[0]) == right, \
        f"{what}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
    assert done.returncode == 0, f"{what}: ended {done.returncode}"
    print(f"{what}: {last[0]} ({time.monotonic() - began:.1f} s)", flush=True)


def import_words(history):
    return ["import", "--format", "access-ndjson", history, "--under", UNDER]


def state(daemon):
    words = daemon.charter("status", "--state-hash", "--json")
    status = json.loads(words)
    assert status["state_seq"] == status["revision"], status
    return status["revision"], status["state_hash"]


def whole_import(daemon, history, checks):
    began = time.monotonic()
    said = daemon.charter(*import_words(history))
    print(f"import: {time.monotonic() - began:.1f} s\n  " +
          "\n  ".join(said.strip().splitlines()[-6:]), flush=True)
    check(daemon, checks, "after the import", count=2000)
    checks = some_of(checks, os.path.join(daemon.dir, "some.ndjson"))
    first = state(daemon)
    daemon.kill()
    daemon.start()
    check(daemon, checks, "after kill -9")
    assert state(daemon) == first, f"after kill -9: {state(daemon)}, before {first}"
    daemon.stop()
    gone = sorted(name for name in os.listdir(daemon.data) if name not in KEPT)
    for name in gone:
        path = os.path.join(daemon.data, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    daemon.start()
    check(daemon, checks, f"without everything derived ({', '.join(gone) or 'nothing there'})")
    assert state(daemon) == first, f"rebuilt: {state(daemon)}, before {first}"
    daemon.charter(*import_words(history))
    assert state(daemon) == first, f"a second import changed it: {state(daemon)}, before {first}"
    print(f"a second import changed nothing: revision {first[0]}, state {first[1]}", flush=True)
    note = daemon.do("checkpoint.make")["checkpoint"]
    assert (note["size"], note["state_hash"].hex()) == first, (note, first)
    verify(daemon.data, "--key", daemon.do("checkpoint.key")["key"])
    print("charter-verify: good", flush=True)
    return first


def kill_halfway(daemon, history, revision):
    """Kills the importer as soon as the log has grown so far; false if it was done before."""
    importer = subprocess.Popen([need_program("charter"), "--connect", daemon.url,
                                 *import_words(history)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
    wait = threading.Event()
    while daemon.status()["revision"] < revision and importer.poll() is None:
        wait.wait(0.005)
    importer.kill()
    importer.wait()
    return importer.returncode != 0


def stopped_import(history, checks, whole):
    """Stopped twice, once with the daemon killed too; the second half goes on where it was."""
    with Daemon() as daemon:
        checks = some_of(checks, os.path.join(daemon.dir, "some.ndjson"))
        assert kill_halfway(daemon, history, whole[0] // 3), "done before it could be stopped"
        first = daemon.do("import.status")
        assert first["running"] and 0 < first["line"] < 23921, first
        daemon.kill()
        daemon.start()
        assert kill_halfway(daemon, history, whole[0] * 2 // 3), "done before it could be stopped"
        second = daemon.do("import.status")
        assert second["running"] and first["line"] <= second["line"] < 23921, (first, second)
        daemon.charter(*import_words(history))
        check(daemon, checks, f"stopped at lines {first['line']} and {second['line']}, then on")
        assert daemon.status()["revision"] == whole[0], (daemon.status()["revision"], whole)


def main():
    history, checks = need_data("k8s-org-history.ndjson.gz", "k8s-org-checks.ndjson.gz")
    with Daemon() as daemon:
        whole = whole_import(daemon, history, checks)
    stopped_import(history, checks, whole)


if __name__ == "__main__":
    main()
