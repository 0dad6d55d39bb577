# _daemon: a charterd of a test's own, and a plain way to ask it. SPDX-License-Identifier: MIT
"""with Daemon() as daemon: ... ends with the process killed and the directory removed."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

import msgpack

from _nng import NngError, Socket, TIMED_OUT

ROOT = os.environ.get("CH_SOURCE_DIR") or \
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("CH_BIN_DIR") or os.path.join(ROOT, "build", "dev", "bin")
SHARED = os.path.join(ROOT, "..", "shared")
SKIPPED = 77
PR_SET_PDEATHSIG = 1
TRIES, TRY_MS = 20, 5000


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIPPED)


def need_program(name):
    path = os.path.join(BIN, name)
    if not os.path.exists(path):
        sys.exit(f"no {name} in {BIN}: build first, or set CH_BIN_DIR")
    return path


def need_data(*names):
    paths = [os.path.join(SHARED, "data", name) for name in names]
    for path in paths:
        if not os.path.exists(path):
            skip(f"{path} is not there; this test needs the real history")
    return paths


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Daemon:
    def __init__(self, *options):
        self.options = options
        self.dir = tempfile.mkdtemp(prefix="charterd-")
        self.data = os.path.join(self.dir, "data")
        self.url = f"ipc://{self.dir}/c.ipc"
        self.process = None
        self.socket = None
        self._ids = 0
        self._run = os.urandom(8)
        self._local = threading.local()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(f"-- what charterd wrote\n{self.output()[-4000:]}", flush=True)
            traceback.print_exception(kind, value, trace)
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
        if kind is not None:
            sys.stderr.flush()
            os._exit(1)  # threads may still wait for answers that nobody will give
        if self.socket is not None:
            self.socket.close()

    def start(self, *more):
        """Starts and waits until it answers."""
        self._spawn(*more)
        if self.socket is None:
            self.socket = Socket(self.url)
        self.status()

    def _spawn(self, *more):
        with open(os.path.join(self.dir, "output"), "ab") as output:
            self.process = subprocess.Popen(
                [need_program("charterd"), "--data", self.data, "--listen", self.url,
                 *self.options, *more],
                stdout=output, stderr=output, preexec_fn=_die_with_parent)

    def start_refused(self, *more):
        """Starts, waits for the end; status and what it said since."""
        before = len(self.output())
        self._spawn(*more)
        status = self.process.wait(timeout=60)
        self.process = None
        return status, self.output()[before:]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        self.process = None
        assert status == 0, f"charterd ended with {status}:\n{self.output()[-4000:]}"

    def output(self):
        path = os.path.join(self.dir, "output")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- asking ----

    def fresh_id(self):
        self._ids += 1
        return self._run + self._ids.to_bytes(8, "big")

    def send(self, request):
        """Asks until there is an answer. What got none for a while is sent again, the same bytes,
        over a connection of its own: nng 1.5.2 sometimes never makes a lost connection again
        (seen in a few of a hundred kills on a busy machine; a fresh socket is answered at once)."""
        message = msgpack.packb(request)
        for _ in range(TRIES):
            if not hasattr(self._local, "context"):
                self._local.context = self.socket.context()
            try:
                return msgpack.unpackb(self._local.context.ask(message, TRY_MS))
            except NngError as problem:
                if problem.code != TIMED_OUT:
                    raise
            self._local.socket = Socket(self.url)
            self._local.context = self._local.socket.context()
        raise AssertionError("no answer, although asked again and again")

    def ask(self, *calls, **head):
        """calls: (type, on or None, args); the reply."""
        request = {"id": head.pop("id", None) or self.fresh_id(), "v": 1, "auth": ["peer"]}
        request["calls"] = [make_call(*call) for call in calls]
        request.update(head)
        return self.send(request)

    def do(self, kind, on=None, **args):
        """One call that must be accepted; its result."""
        reply = self.ask((kind, on, args))
        assert reply["ok"], f"{kind}: {reply}"
        return reply["results"][0]["result"]

    def status(self, state_hash=False):
        return self.do("status", **({"state_hash": True} if state_hash else {}))

    def state(self):
        """What must be the same after every restart."""
        status = self.status(state_hash=True)
        assert status["state_seq"] == status["revision"], status
        return status["revision"], status["state_hash"].hex(), status["root"].hex()

    def events(self, start=1):
        """All events from a seq on, page by page."""
        while True:
            page = self.do("events.read", **{"from": start, "limit": 1000})
            yield from page.get("events", [])
            if page["next"] > page["head"] or page["next"] == start:
                return
            start = page["next"]

    def charter(self, *words, check=True, **more):
        """Runs the command line; its output."""
        done = subprocess.run([need_program("charter"), "--connect", self.url, *words],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"charter {' '.join(words)}: ended {done.returncode}\n"
                                 f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done if not check else done.stdout


def make_call(kind, on=None, args=None):
    call = {"type": kind, "args": args or {}}
    if on is not None:
        call["on"] = on
    return call
