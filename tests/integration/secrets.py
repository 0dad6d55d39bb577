#!/usr/bin/env python3
# secrets: what was given in confidence stands in no file and no output.
# SPDX-License-Identifier: MIT
import hashlib
import os
import socket
import threading

import msgpack

from _daemon import Daemon, make_call
from _nng import Socket

FIRST, SECOND, WRONG = "zebra crossing at noon", "quagga crossing at dusk", "okapi crossing at dawn"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def traces_of(secret):
    """The text, and what would let somebody try texts: its plain hashes."""
    raw = secret.encode()
    yield raw
    if secret.startswith("ch"):
        return  # 256 random bits: its hash stands in the log and tells nobody anything
    for size in (16, 32, 64):
        yield hashlib.blake2b(raw, digest_size=size).digest()[:8]
    yield hashlib.sha256(raw).digest()[:8]


def nothing_is_left(daemon, secrets, replies):
    places = {"output": daemon.output().encode(), "replies": repr(replies).encode()}
    for folder, _, names in os.walk(daemon.data):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                places[name] = file.read()
    for place, content in places.items():
        for secret in secrets:
            for trace in traces_of(secret):
                assert trace not in content, f"{secret!r} is found in {place} by {trace!r}"
    assert b"$argon2id$" not in b"".join(places.values()), "a verifier stands in the clear"
    print(f"{len(secrets)} secrets in none of {sorted(places)}")


def no_password_can_be_tried_against_the_log(daemon):
    """The fingerprint of a message is in the log; without a key of the installation, whoever has
    the log could compute it for one password after the other."""
    call = [make_call("user.set_password", None, {"user": "ann", "password": FIRST})]
    message_id = daemon.fresh_id()
    assert daemon.send({"v": 1, "id": message_id, "auth": ["peer"], "calls": call})["ok"]
    covered = b"".join(bytes([mark]) + msgpack.packb(value)
                       for mark, value in ((0, 1), (1, message_id), (4, call)))
    with open(os.path.join(daemon.data, "log.mdb"), "rb") as file:
        log = file.read()
    assert message_id in log
    assert hashlib.blake2b(covered, digest_size=16).digest()[:8] not in log


def passwords(daemon):
    replies = []

    def ask(auth, **args):
        replies.append(daemon.ask(("user.set_password", None, args), auth=auth))
        return replies[-1]["ok"]

    ann = ["as", "user", "ann"]
    daemon.do("user.create", username="ann")
    assert ask(["peer"], user="ann", password=FIRST)
    assert not ask(ann, old=WRONG, password=SECOND)
    assert ask(ann, old=FIRST, password=SECOND)
    replies.extend(daemon.events())
    replies.append(daemon.do("user.show", user="ann"))
    return replies


ADDRESS = "who.asked.for.no.more@example.com"


def an_unsubscribed_address(daemon):
    daemon.do("account.open_master", name="agency")
    replies = []
    for call, more in (("suppression.add", {"reason": "complained"}), ("suppression.check", {}),
                       ("suppression.list", None), ("suppression.remove", {}),
                       ("suppression.add", {})):
        args = {} if more is None else {"address": ADDRESS, **more}
        replies.append(daemon.ask((call, "agency", args)))
        assert replies[-1]["ok"], replies[-1]
    return replies + list(daemon.events())


def keys_and_sessions(daemon, tcp):
    """Whoever has the secret speaks, also over TCP; without one a TCP peer is nobody."""
    opened = daemon.do("account.open_master", name="keyed", owner="ann")
    session = daemon.do("session.log_in", user="ann", password=FIRST)
    peer = Socket(tcp).context()

    def ask(auth, kind, on=None, **args):
        return msgpack.unpackb(peer.ask(msgpack.packb(
            {"v": 1, "id": daemon.fresh_id(), "auth": auth, "calls": [make_call(kind, on, args)]})))

    for auth in (["peer"], ["as", "user", "ann"], ["as", "key", opened["key"]], ["key", "chk_x"],
                 ["session", opened["secret"]], ["key", session["secret"]]):
        reply = ask(auth, "account.list")
        assert not reply["ok"] and reply["error"]["code"] == "auth_refused", (auth, reply)
    assert ask(["key", opened["secret"]], "key.scopes")["ok"]
    assert ask(["session", session["secret"]], "account.show")["ok"]
    path = os.path.join(daemon.dir, "session")
    with open(path, "w", encoding="utf-8") as file:
        file.write(session["secret"] + "\n")
    daemon.charter("--session-file", path, "group", "create", "--name", "crew")
    env = dict(os.environ, CHARTER_KEY=opened["secret"])
    shown = daemon.charter("--json", "key", "scopes", env=env)
    assert '"first"' in shown, shown
    os.remove(path)
    return [opened["secret"], session["secret"]]


def the_loop_goes_on_while_passwords_are_worked_on(daemon):
    """More messages with passwords than may wait: busy, and queries are answered all the while."""
    daemon.do("user.create", username="bob")
    answers = []

    def one(number):
        reply = daemon.ask(("user.set_password", None,
                            {"user": "bob", "password": f"word-{number:04}"}))
        answers.append("ok" if reply["ok"] else reply["error"]["code"])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    asked = 0
    while any(thread.is_alive() for thread in threads):
        daemon.do("user.show", user="bob")
        asked += 1
    for thread in threads:
        thread.join()
    assert set(answers) <= {"ok", "busy"} and answers.count("ok") >= 16, answers
    assert "busy" in answers and asked > len(answers), (answers, asked)
    print(f"40 passwords at once: {answers.count('ok')} set, {answers.count('busy')} busy, "
          f"{asked} queries answered meanwhile")


def main():
    tcp = f"tcp://127.0.0.1:{free_port()}"
    with Daemon("--password-kib", "4096", "--listen", tcp) as daemon:
        replies = passwords(daemon) + an_unsubscribed_address(daemon)
        no_password_can_be_tried_against_the_log(daemon)
        secrets = keys_and_sessions(daemon, tcp)
        the_loop_goes_on_while_passwords_are_worked_on(daemon)
        daemon.stop()
        nothing_is_left(daemon, [FIRST, SECOND, WRONG, "word-0001", ADDRESS, *secrets],
                        replies)
        daemon.start()
        reply = daemon.ask(("user.set_password", None, {"old": FIRST, "password": SECOND}),
                           auth=["as", "user", "ann"])
        assert reply["ok"], reply


if __name__ == "__main__":
    main()
