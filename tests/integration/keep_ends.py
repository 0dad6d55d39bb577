#!/usr/bin/env python3
# keep_ends: a backup or a restore that ends before the time. SPDX-License-Identifier: MIT
"""Interrupted once or twice, killed, or with somebody's files in its way: it leaves nothing, or
what the next one removes, and touches nothing of others."""
import os
import shutil
import signal
import subprocess
import threading

from _daemon import Daemon, need_program
from keep import fill, keep, place

PAUSE = threading.Event()


def half_restored(data, file, *words):
    """A restore that waits for the rest of its file, which is given, too."""
    content = open(file, "rb").read()
    reader, writer = os.pipe()
    process = subprocess.Popen([need_program("charter"), "restore", "-", "--data", data, *words],
                               stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(reader)
    half = min(60000, len(content) * 2 // 3)  # a pipe holds that much
    os.write(writer, content[:half])
    while not os.path.exists(os.path.join(data, "restoring", "log.mdb")):
        assert process.poll() is None, process.communicate()
        PAUSE.wait(0.002)
    return process, writer, content[half:]


def what_has_no_place_is_taken_back(daemon, backup):
    """Files are placed one after another: one that cannot be takes the others back."""
    file, vault, secret = backup
    for name in ("signing-key", "log.mdb"):
        data = place(daemon, "placed")
        process, writer, rest = half_restored(data, file, "--vault", vault, "--signing-key", secret)
        os.mkdir(os.path.join(data, name))  # somebody's, who came meanwhile
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(rest)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 3 and name.encode() in said, (process.returncode, said)
        assert os.listdir(data) == [name], os.listdir(data)
        os.rmdir(os.path.join(data, name))


def killed_between_two_files_is_known_again(daemon, backup):
    """As it stands when the machine fails there: the next run removes what is the last one's, and
    nothing else."""
    file, vault, _ = backup
    data = place(daemon, "between")
    process, writer, _ = half_restored(data, file)
    process.kill()
    process.communicate()
    os.close(writer)
    staged, placed = os.path.join(data, "restoring", "vault"), os.path.join(data, "vault")
    shutil.copy(vault, placed)  # somebody's own, put there before the time
    keep(daemon, "restore", file, "--data", data, status=3, says="it has vault")
    assert open(placed, "rb").read() == open(vault, "rb").read()
    os.remove(placed)
    shutil.copy(vault, staged)
    os.link(staged, placed)
    with open(os.path.join(data, "log.mdb"), "wb"):  # a log: somebody went on from there
        pass
    keep(daemon, "restore", file, "--data", data, status=3, says="not empty")
    assert os.path.samefile(staged, placed)
    os.remove(os.path.join(data, "log.mdb"))
    keep(daemon, "restore", file, "--data", data)
    assert sorted(os.listdir(data)) == ["head", "log.mdb"]
    print("a restore that ends half way leaves nothing, or what the next one removes")


def interrupt_leaves_nothing(daemon, file):
    """Slowed down by --rate, so that there is time for it."""
    slow = place(daemon, "slow.bundle")
    words = [need_program("charter"), "backup", slow, "--data", daemon.data, "--offline", "--rate",
             "1"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 130, -signal.SIGINT), process.returncode
    assert not os.path.exists(slow + ".partial")
    assert os.path.exists(slow) == (process.returncode == 0)
    data = place(daemon, "slow")
    process, writer, _ = half_restored(data, file)
    process.kill()  # at the worst moment: it cannot clean up
    process.communicate()
    os.close(writer)
    assert not os.path.exists(os.path.join(data, "log.mdb"))
    keep(daemon, "restore", file, "--data", data)
    assert sorted(os.listdir(data)) == ["head", "log.mdb"]
    data = place(daemon, "slow")
    process, writer, _ = half_restored(data, file)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == 130 and not os.path.exists(data), process.returncode


def signal_and_wait(process, number):
    """Until it has been heard: two of the same that wait are one."""
    process.send_signal(number)
    bit = 1 << number - 1
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
            pending = [int(line.split()[1], 16) for line in file if line[3:].startswith("Pnd:")]
        if not any(mask & bit for mask in pending):
            return
        PAUSE.wait(0.002)


def child_of(parent):
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == parent:
                    return int(name)
        except OSError:
            pass  # it has ended
    return None


def stopped_at_work(daemon, out):
    """A backup whose working process is stopped before its file is whole; both processes."""
    words = [need_program("charter"), "backup", out, "--data", daemon.data, "--offline", "--rate",
             "1"]
    while True:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not os.path.exists(out + ".partial") and process.poll() is None:
            PAUSE.wait(0.002)
        worker = child_of(process.pid)
        try:
            os.kill(worker, signal.SIGSTOP)
        except (ProcessLookupError, TypeError):
            worker = None
        if worker is not None and os.path.exists(out + ".partial"):
            return process, worker
        process.communicate()  # it was done before it could be stopped
        os.remove(out)


def second_interrupt_leaves_nothing(daemon, file):
    """Though the process that works does not hear the first one."""
    slow = place(daemon, "slow.bundle")
    process, worker = stopped_at_work(daemon, slow)
    signal_and_wait(process, signal.SIGINT)
    assert os.path.exists(slow + ".partial")
    signal_and_wait(process, signal.SIGINT)
    try:
        os.kill(worker, signal.SIGCONT)
    except ProcessLookupError:
        pass
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and b"interrupted" in said, (process.returncode, said)
    assert not os.path.exists(slow) and not os.path.exists(slow + ".partial")
    data = place(daemon, "slow")
    process, writer, _ = half_restored(data, file)
    signal_and_wait(process, signal.SIGINT)
    signal_and_wait(process, signal.SIGTERM)
    process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == 130 and not os.path.exists(data), process.returncode
    print("an interrupt leaves nothing behind, nor does a second one")


def main():
    with Daemon("--origin", "example.com/charterd") as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        fill(daemon, "first", 400)
        daemon.do("checkpoint.make")
        daemon.stop()
        backup = tuple(place(daemon, name) for name in ("b.bundle", "b.vault", "b.key"))
        keep(daemon, "backup", backup[0], "--data", daemon.data, "--offline", "--vault", backup[1],
             "--signing-key", backup[2])
        what_has_no_place_is_taken_back(daemon, backup)
        killed_between_two_files_is_known_again(daemon, backup)
        interrupt_leaves_nothing(daemon, backup[0])
        second_interrupt_leaves_nothing(daemon, backup[0])


if __name__ == "__main__":
    main()
