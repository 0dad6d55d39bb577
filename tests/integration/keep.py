#!/usr/bin/env python3
# keep: backup, restore and export of a log, and what they refuse. SPDX-License-Identifier: MIT
"""A backup is made while commands are written; a daemon goes on from it. What was restored has the
same records byte for byte, the same root and state. Damaged, cut and older files are refused, and
nothing is left behind."""
import json
import os
import random
import resource
import shutil
import subprocess
import threading

from _daemon import Daemon, need_program
from _logfile import crc32c, verify, verify_raw

NAMES = ("record ", "tile ", "checkpoint ", "byte ", "key ", "the end", "no bundle")
FLIPS = int(os.environ.get("CH_FLIPS", "300")) // 10


def fill(daemon, name, count):
    for number in range(count):
        daemon.do("group.create", "agency", name=f"{name}-{number}")


def keep_raw(daemon, *words, **more):
    return daemon.charter(*words, check=False, **more)


def keep(daemon, *words, status=0, says=None):
    done = keep_raw(daemon, *words)
    text = done.stdout + done.stderr
    assert done.returncode == status, f"charter {words}: ended {done.returncode}: {text}"
    assert says is None or says in text, f"charter {words}: {text}"
    return done.stdout


def place(daemon, name):
    path = os.path.join(daemon.dir, name)
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)
    return path


def records_of(path):
    """The records of an export as JSON lines, byte for byte."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line["record"] for line in lines if "record" in line]


def start_on(daemon, data, *options):
    other = Daemon("--origin", "example.com/charterd", *options)
    other.data = data
    return other


def backup_is_made_while_commands_run(daemon, key):
    """It ends with a checkpoint of what was there when it began."""
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            daemon.do("group.create", "agency", name=f"busy-{number}")
            number += 1

    file, vault, secret = (place(daemon, name) for name in ("b.bundle", "b.vault", "b.key"))
    writer = threading.Thread(target=write)
    writer.start()
    before = daemon.status()["durable"]
    told = json.loads(keep(daemon, "backup", file, "--data", daemon.data, "--vault", vault,
                           "--signing-key", secret, "--json"))
    stop.set()
    writer.join()
    assert told["records"] >= before and told["covered"] == told["records"], told
    assert not os.path.exists(file + ".partial")
    for path in (file, vault, secret):
        assert os.stat(path).st_mode & 0o777 == 0o600, path
    said = json.loads(verify("bundle", file, "--key", key, "--json"))
    assert said["good"] and said["root"] == told["root"] and said["states"] > 0, said
    verify("bundle", file, status=3, says="--key")
    keep(daemon, "backup", file, "--data", daemon.data, status=3, says="exists")
    print(f"{told['records']} records backed up in {told['bytes']} bytes while commands ran")
    return file, vault, secret, told


def daemon_goes_on_from_it(daemon, key, backup):
    file, vault, secret, told = backup
    data = place(daemon, "restored")
    out = keep(daemon, "restore", file, "--data", data, "--vault", vault, "--signing-key", secret,
               "--key", key)
    assert told["root"] in out, out
    assert sorted(os.listdir(data)) == ["head", "log.mdb", "signing-key", "vault"]
    verify(data, "--key", key)
    with start_on(daemon, data) as other:
        seq, state, root = other.state()
        assert seq == told["records"] and root == told["root"]
        assert other.do("user.show", user="ann")["user"]["username"] == "ann"
        then = daemon.do("checkpoint.show", size=seq)["checkpoint"]
        assert then["root"].hex() == root and then["state_seq"] == seq, then
        assert then["state_hash"].hex() == state
        fill(other, "afterwards", 3)
        other.stop()
    keep(daemon, "restore", file, "--data", data, status=3, says="not empty")
    print(f"a daemon goes on from record {seq}, with the same state")


def without_its_vault_it_does_not_start(daemon, backup):
    file, vault, _, _ = backup
    data = place(daemon, "restored")
    keep(daemon, "restore", file, "--data", data, says="put the newest one there is")
    other = start_on(daemon, data)
    try:
        status, said = other.start_refused()
    finally:
        other.__exit__(None, None, None)
    assert status > 0 and "vault_io" in said, said


def exports_come_back(daemon, key):
    """Both forms: the same records byte for byte, the same root and state."""
    daemon.do("checkpoint.make")
    lines, bundle = place(daemon, "all.jsonl"), place(daemon, "all.bundle")
    keep(daemon, "export", "--data", daemon.data, "--format", "jsonl", "--out", lines)
    keep(daemon, "export", "--data", daemon.data, "--format=bundle", "--out", bundle, "--replay")
    known = daemon.state()
    first = open(lines, encoding="utf-8").readline()
    assert json.loads(first) == {"charterd_export": 1, "size": known[0]}, first
    names = [event["type"] for event in map(json.loads, open(lines, encoding="utf-8"))
             if "type" in event]
    assert "user_created" in names and len(names) == known[0]
    assert "zebra.quagga" not in open(lines, encoding="utf-8").read()
    copies = []
    for number, file in enumerate((lines, bundle)):
        data = place(daemon, f"again-{number}")
        keep(daemon, "restore", "--from-export", file, "--data", data, "--key", key, "--vault",
             os.path.join(daemon.data, "vault"), "--signing-key",
             os.path.join(daemon.data, "signing-key"))
        verify(data, "--key", key)
        with start_on(daemon, data) as other:
            assert other.state() == known
            other.stop()
        again = place(daemon, "again.jsonl")
        keep(daemon, "export", "--data", data, "--format", "jsonl", "--out", again, "--offline")
        copies.append(open(again, "rb").read())
        assert records_of(again) == records_of(lines)
    assert copies[0] == copies[1] == open(lines, "rb").read()
    piped = subprocess.run([need_program("charter"), "export", "--data", daemon.data, "--format",
                            "bundle", "--offline"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           check=True)
    assert piped.stdout == open(bundle, "rb").read()
    print(f"{known[0]} events came back byte for byte from JSON lines and from a bundle")
    return lines, bundle


def older_backup_is_refused(daemon, key, bundle):
    """Behind a checkpoint that was kept, or behind what an old directory had acknowledged."""
    fill(daemon, "later", 5)
    later = daemon.status()["durable"]
    kept = os.path.join(daemon.dir, "kept.checkpoint")
    with open(kept, "w", encoding="utf-8") as file:
        file.write(daemon.do("checkpoint.make")["note"])
    data = place(daemon, "older")
    for against in (kept, daemon.data):
        keep(daemon, "restore", bundle, "--data", data, "--against", against, status=3,
             says=f"knows of {later}")
        assert not os.path.exists(data)
    keep(daemon, "restore", bundle, "--data", data, "--against", daemon.data, "--against", kept,
         "--accept-loss", says="are lost, as accepted")
    assert sorted(os.listdir(data)) == ["head", "log.mdb"]
    newer = place(daemon, "newer.bundle")
    keep(daemon, "backup", newer, "--data", daemon.data, "--against", kept, "--key", key)
    data = place(daemon, "older")
    os.mkdir(data)
    keep(daemon, "restore", newer, "--data", data, "--against", daemon.data, "--against", kept)
    assert os.path.exists(os.path.join(data, "log.mdb"))
    print(f"a backup behind record {later} is refused, unless the loss is accepted")


def a_fork_is_refused_whatever_is_accepted(daemon, backup):
    """The directory went on otherwise than the log of the backup: both have a checkpoint that the
    other has not, of no more records than the backup has."""
    file, vault, secret, told = backup
    data, forked = place(daemon, "forked"), place(daemon, "forked.bundle")
    fill(daemon, "here", 1)
    behind = daemon.do("checkpoint.make")["checkpoint"]["size"]
    keep(daemon, "restore", file, "--data", data, "--vault", vault, "--signing-key", secret)
    with start_on(daemon, data) as other:
        fill(other, "otherwise", behind - told["records"] + 12)
        ends = other.do("checkpoint.make")["checkpoint"]["size"]
        keep(other, "backup", forked, "--data", data)
        other.stop()
    fill(daemon, "further", max(0, ends - daemon.status()["durable"]) + 5)
    assert told["records"] < behind < ends < daemon.status()["durable"]
    # a checkpoint that is of more records than the file has shows no fork before its end
    kept = os.path.join(daemon.dir, "fork.checkpoint")
    with open(kept, "w", encoding="utf-8") as note:
        note.write(daemon.do("checkpoint.make")["note"])
    data = place(daemon, "older")
    keep(daemon, "restore", forked, "--data", data, "--against", kept, "--accept-loss",
         says=f"; and records 1 to {ends} of the file may be others")
    first = min(row["size"] for row in daemon.do("checkpoint.list")["checkpoints"]
                if row["size"] > told["records"])
    data = place(daemon, "older")
    for more in ((), ("--accept-loss",)):
        keep(daemon, "restore", forked, "--data", data, "--against", daemon.data, *more, status=3,
             says="tell two histories" if more else "knows of")
        assert not os.path.exists(data)
    says = f"they agree on records 1 to {told['records']}, but not on those up to {first}"
    keep(daemon, "restore", forked, "--data", data, "--against", daemon.data, "--accept-loss",
         status=3, says=says)
    keep(daemon, "restore", forked, "--data", data)
    print(f"a log that forked behind record {told['records']} is refused")


def another_vault_is_refused(daemon, backup):
    file, vault, _, _ = backup
    other = place(daemon, "other.vault")
    whole = open(vault, "rb").read()
    with open(other, "wb") as copy:
        copy.write(whole[:32] + os.urandom(len(whole) - 32))
    data = place(daemon, "older")
    keep(daemon, "restore", file, "--data", data, "--vault", other, status=3,
         says=f"{other} is not the vault of this log: what event")
    assert not os.path.exists(data)


def another_log_is_refused(daemon, bundle):
    with Daemon("--origin", "example.com/charterd") as other:
        for number in range(40):
            other.do("user.create", username=f"user-{number}")
        note = other.do("checkpoint.make")["note"]
        key = other.do("checkpoint.key")["key"]
        file = place(daemon, "other.bundle")
        done = other.charter("backup", file, "--data", daemon.data, check=False)
        assert done.returncode == 0 and "is not the directory of the charterd" in done.stderr, done
    path = os.path.join(daemon.dir, "foreign.checkpoint")
    with open(path, "w", encoding="utf-8") as file:
        file.write(note)
    data = place(daemon, "older")
    keep(daemon, "restore", bundle, "--data", data, "--against", path, status=3,
         says=f"the file and {path} tell two histories")
    keep(daemon, "restore", bundle, "--data", data, "--key", key, status=1, says="signed by a key")
    assert not os.path.exists(data)


def who_was_erased_stays_erased(daemon, key, backup):
    """By the mark in the newer vault, though the older log knows nothing of it; an older vault
    brings back what only the log can take away again."""
    older, older_vault, secret, _ = backup
    user = daemon.do("user.show", user="zebra.quagga")["user"]["user"]
    daemon.do("user.erase", user=user)
    newer, newer_vault = place(daemon, "erased.bundle"), place(daemon, "erased.vault")
    keep(daemon, "backup", newer, "--data", daemon.data, "--vault", newer_vault)
    for log, vault, erased, says_so in ((older, newer_vault, True, True),
                                        (newer, older_vault, True, False),
                                        (older, older_vault, False, False)):
        data = place(daemon, "person")
        told = json.loads(keep(daemon, "restore", log, "--data", data, "--vault", vault,
                               "--signing-key", secret, "--json"))
        with start_on(daemon, data) as other:
            shown = other.do("user.show", user=user)["user"]
            assert (shown["status"] == "erased") == erased, shown
            assert (shown.get("username") is None) == erased, shown
            last = list(other.events(told["records"]))[-1]
            assert last["seq"] == told["records"] + says_so, last
            assert last["type"] == "user_erased" or not says_so, last
            with open(os.path.join(data, "vault"), "rb") as file:
                file.seek(2 * 32)
                assert (file.read(32) == b"\xff" * 32) == erased
            other.stop()
            other.start()
            assert other.status()["revision"] == last["seq"], "it is said once"
            verify(data, "--key", key)
            other.stop()
    print("who was erased stays erased beside a newer vault, and beside a newer log")


def flipped_bits_are_named(daemon, key, bundle, chance):
    content = bytearray(open(bundle, "rb").read())
    path = place(daemon, "flipped.bundle")
    with open(path, "wb") as file:
        file.write(content)
    named = 0
    with open(path, "r+b", buffering=0) as file:
        for _ in range(FLIPS):
            at, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
            file.seek(at)
            file.write(bytes([content[at] ^ bit]))
            status, text = verify_raw("bundle", path, "--key", key, "--no-replay")
            assert status == 1, f"byte {at} bit {bit}: ended {status}: {text}"
            named += any(word in text for word in NAMES)
            file.seek(at)
            file.write(bytes([content[at]]))
    assert named == FLIPS, f"{named} of {FLIPS} named"
    data = place(daemon, "flipped")
    content[len(content) // 2] ^= 1
    with open(path, "wb") as file:
        file.write(content)
    keep(daemon, "restore", path, "--data", data, status=1, says="damaged")
    assert not os.path.exists(data)
    print(f"{FLIPS} flipped bits of a bundle of {len(content)} bytes: each found and named")


def items_of(content):
    """kind, start and end of each item."""
    at = content.index(b"\n") + 1
    while at < len(content):
        end = at + 9 + int.from_bytes(content[at + 1:at + 5], "little")
        yield chr(content[at]), at, end
        at = end


def forged_item_is_named(daemon, key, bundle):
    """A record whose checksum was put right, too: only tree and checkpoints can tell."""
    content = bytearray(open(bundle, "rb").read())
    number = 0
    for kind, start, end in items_of(content):
        number += kind == "r"
        if kind == "r" and b"busy-1" in content[start:end]:
            break
    place_of = content.index(b"busy-1", start)
    content[place_of:place_of + 6] = b"lazy-1"
    covered = number.to_bytes(8, "big") + content[start:end - 4]
    content[end - 4:end] = crc32c(covered).to_bytes(4, "little")
    path = place(daemon, "forged.bundle")
    with open(path, "wb") as file:
        file.write(content)
    text = verify("bundle", path, "--key", key, status=1)
    assert f"record {number} was changed" in text or "one of records" in text, text
    data = place(daemon, "forged")
    keep(daemon, "restore", path, "--data", data, status=1, says="record")
    assert not os.path.exists(data)
    print(text.strip())


def cut_files_are_refused(daemon, lines, bundle, chance):
    data = place(daemon, "cut")
    for source, name in ((bundle, "cut.bundle"), (lines, "cut.jsonl")):
        content = open(source, "rb").read()
        for end in (0, 5, len(content) // 2, len(content) - 2, chance.randrange(len(content))):
            path = place(daemon, name)
            with open(path, "wb") as file:
                file.write(content[:end])
            keep(daemon, "restore", path, "--data", data, status=1)
            assert not os.path.exists(data), end
        with open(path, "wb") as file:
            file.write(content + content[-40:])
        keep(daemon, "restore", path, "--data", data, status=1)
        assert not os.path.exists(data)


def bad_lines_are_named(daemon, lines):
    good = open(lines, encoding="utf-8").read().splitlines(keepends=True)
    middle = len(good) // 2
    data, path = place(daemon, "bad"), place(daemon, "bad.jsonl")
    event = json.loads(good[middle])
    # No list any more: what is changed within a text may read as well as before, and then it is the
    # checkpoint behind it that says so.
    changed = dict(event, record="AAAA" + event["record"][4:])
    for number, replaced in ((middle + 1, ["not JSON\n"]),
                             (middle + 1, []),
                             (middle + 1, [good[middle + 1], good[middle]]),
                             (middle + 1, [json.dumps(dict(event, record="!")) + "\n"]),
                             (middle + 1, ['{"seq": 1, "seq": 2}\n']),
                             (middle + 1, ['{"unknown": 1}\n'])):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(good[:middle] + replaced + good[middle + 1:])
        keep(daemon, "restore", path, "--data", data, status=1, says=f"line {number}:")
        assert not os.path.exists(data)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(good[:middle] + [json.dumps(changed) + "\n"] + good[middle + 1:])
    keep(daemon, "restore", path, "--data", data, status=1, says=f"line {middle + 1}:")
    assert not os.path.exists(data)
    print(f"a bad line {middle + 1} is named")


def damaged_log_is_not_backed_up(daemon, key):
    """And a bad command line, or a place that cannot be written, leaves nothing."""
    daemon.do("group.create", "agency", name="zebra-crossing-mark")
    fill(daemon, "behind-the-mark", 300)
    daemon.stop()
    data = place(daemon, "damaged")
    shutil.copytree(daemon.data, data)
    log = os.path.join(data, "log.mdb")
    content = open(log, "rb").read()
    with open(log, "wb") as file:
        file.write(content.replace(b"zebra-crossing-mark", b"zebra-crossing-nark"))
    file = place(daemon, "never.bundle")
    keep(daemon, "backup", file, "--data", data, "--offline", status=1, says="checksum")
    for words, status in ((("backup", file), 2), (("backup", file, "--data"), 2),
                          (("backup", file, file, "--data", data), 2),
                          (("export", "--data", data, "--format", "xml"), 2),
                          (("backup", file, "--data", data, "--accept-loss"), 2),
                          (("restore", file, "--data", data, "--accept-loss=false"), 2),
                          (("backup", file, "--data", data, "--rate", "0"), 2),
                          (("restore", file, "--data", data, "--key", "nonsense"), 2),
                          # that a copy has no place is seen before the log is read
                          (("backup", file, "--data", data, "--offline", "--vault", log), 3),
                          (("backup", file, "--data", data, "--offline", "--signing-key", log), 3),
                          (("restore", file, "--data", place(daemon, "no")), 4),
                          (("backup", file, "--data", place(daemon, "no")), 4),
                          (("backup", "/nowhere/b", "--data", data), 4)):
        keep(daemon, *words, status=status)
    assert not os.path.exists(file) and not os.path.exists(file + ".partial")
    for word in ("backup", "restore", "export"):
        assert "Exit status" in keep(daemon, word, "--help")
    vault = place(daemon, "alone.vault")  # the key is copied to where the backup is to stand
    keep(daemon, "backup", file, "--data", daemon.data, "--offline", "--vault", vault,
         "--signing-key", file, status=3, says="exists")
    assert not any(os.path.exists(path) for path in (vault, file, file + ".partial"))
    full = keep_raw(daemon, "backup", file, "--data", daemon.data, "--offline",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384)))
    assert full.returncode == 4 and "File too large" in full.stderr, full
    assert not os.path.exists(file + ".partial")
    file = place(daemon, "offline.bundle")
    keep(daemon, "backup", file, "--data", daemon.data, says="no checkpoint from charterd")
    verify("bundle", file, "--key", key)


def main():
    chance = random.Random(int(os.environ.get("CH_SEED", "20261126")))
    with Daemon("--origin", "example.com/charterd") as daemon:
        daemon.do("user.create", username="ann")
        daemon.do("user.create", username="zebra.quagga")
        daemon.do("account.open_master", name="agency", owner="ann")
        fill(daemon, "first", 250)
        daemon.do("checkpoint.make")
        key = daemon.do("checkpoint.key")["key"]
        backup = backup_is_made_while_commands_run(daemon, key)
        daemon_goes_on_from_it(daemon, key, backup)
        without_its_vault_it_does_not_start(daemon, backup)
        another_vault_is_refused(daemon, backup)
        a_fork_is_refused_whatever_is_accepted(daemon, backup)
        lines, bundle = exports_come_back(daemon, key)
        older_backup_is_refused(daemon, key, bundle)
        another_log_is_refused(daemon, bundle)
        who_was_erased_stays_erased(daemon, key, backup)
        flipped_bits_are_named(daemon, key, bundle, chance)
        forged_item_is_named(daemon, key, bundle)
        cut_files_are_refused(daemon, lines, bundle, chance)
        bad_lines_are_named(daemon, lines)
        damaged_log_is_not_backed_up(daemon, key)


if __name__ == "__main__":
    main()
