#!/usr/bin/env python3
# charter_outfile: a file that --out names is written whole or left alone.
# SPDX-License-Identifier: MIT
"""What had the name stays until all of the new one is on the disk; what is no regular file is
written to, never removed or replaced."""
import os
import resource
import signal
import stat
import subprocess

from _daemon import Daemon, need_program

KEPT = "precious\n"


def no_room():
    """The next byte of any file is one too many."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def fails(daemon, *words, says, preexec_fn=None):
    done = subprocess.run([need_program("charter"), "--connect", daemon.url, *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=preexec_fn)
    assert done.returncode == 4 and says in done.stderr, (words, done)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def an_older_file_stays(daemon, dir, words):
    out = os.path.join(dir, "kept")
    write(out, KEPT)
    os.chmod(out, 0o640)
    fails(daemon, *words, "--out", out, says="File too large", preexec_fn=no_room)
    assert read(out) == KEPT and os.listdir(dir) == ["kept"], os.listdir(dir)
    fails(daemon, *words, "--out", os.path.join(dir, "new"), says="File too large",
          preexec_fn=no_room)
    assert os.listdir(dir) == ["kept"], os.listdir(dir)
    daemon.charter(*words, "--out", out)
    assert read(out) != KEPT and os.listdir(dir) == ["kept"]
    assert stat.S_IMODE(os.stat(out).st_mode) == 0o640
    # by a link, which stays one
    link = os.path.join(dir, "link")
    os.symlink("kept", link)
    write(out, KEPT)
    daemon.charter(*words, "--out", link)
    assert os.path.islink(link) and read(out) != KEPT and len(os.listdir(dir)) == 2
    os.unlink(out)
    fails(daemon, *words, "--out", link, says="No such file")  # it leads nowhere now
    assert os.path.islink(link)
    os.unlink(link)


def what_is_no_file_stays(daemon, dir, words):
    full = os.path.join(dir, "full")
    os.symlink("/dev/full", full)
    fails(daemon, *words, "--out", full, says="No space left")
    assert os.readlink(full) == "/dev/full" and os.listdir(dir) == ["full"]
    os.unlink(full)
    pipe = os.path.join(dir, "pipe")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    done = daemon.charter(*words, "--out", pipe)
    assert os.read(reader, 1 << 20) and stat.S_ISFIFO(os.stat(pipe).st_mode), done
    os.close(reader)
    os.unlink(pipe)
    fails(daemon, *words, "--out", dir, says="Is a directory")
    # a file that standard output was sent to keeps what was in it
    out = os.path.join(dir, "sent")
    write(out, KEPT)
    with open(out, "a", encoding="utf-8") as file:
        subprocess.run([need_program("charter"), "--connect", daemon.url, *words, "--out",
                        "/dev/stdout"], stdout=file, check=True)
    assert read(out).startswith(KEPT) and len(read(out)) > 100
    os.unlink(out)


def main():
    with Daemon() as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("account.open_master", name="agency", owner="ann")
        dir = os.path.join(daemon.dir, "out")
        os.mkdir(dir)
        receipt = ("receipt", "--on", "agency", "--user", "ann", "--scope", "campaigns.send")
        daemon.charter(*receipt)  # there is a checkpoint now
        for words in (("proof", "inclusion", "5"), ("proof", "consistency", "5", "--json"),
                      receipt, (*receipt, "--json")):
            an_older_file_stays(daemon, dir, words)
            what_is_no_file_stays(daemon, dir, words)
        # another process is writing it, or was killed when it did
        out = os.path.join(dir, "file")
        write(out + ".partial", "half")
        with subprocess.Popen(["flock", out + ".partial", "sh", "-c", "echo locked; cat"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == b"locked\n"
            fails(daemon, *receipt, "--out", out, says="another process writes it")
            assert read(out + ".partial") == "half" and not os.path.exists(out)
            other.communicate()
        daemon.charter(*receipt, "--out", out)
        assert os.listdir(dir) == ["file"]
        # standard output by its usual name
        text = daemon.charter(*receipt, "--out", "-", cwd=dir)
        assert text.startswith("charterd receipt 1\n") and os.listdir(dir) == ["file"], text
        # nothing is written where nothing is to be done
        text = daemon.charter(*receipt, "--dry-run", "--out", os.path.join(dir, "none"))
        assert text.startswith("not written: allowed (granted) as of event "), text
        assert os.listdir(dir) == ["file"]
    print("a file is written whole, or left alone")


main()
