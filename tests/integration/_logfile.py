# _logfile: forges what charterd has written, as somebody with the disk in hand would.
# SPDX-License-Identifier: MIT
import os
import shutil
import struct
import subprocess

from _daemon import need_program

_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
    _TABLE.append(byte)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def stored(seq, record):
    """A record as it stands in the file, with its checksum."""
    return record + struct.pack("<I", crc32c(struct.pack(">Q", seq) + record))


def replace(data, old, new):
    """In every copy of a page that the file has; how many there were."""
    assert len(old) == len(new)
    path = os.path.join(data, "log.mdb")
    with open(path, "r+b") as file:
        content = file.read()
        count = content.count(old)
        file.seek(0)
        file.write(content.replace(old, new))
    return count


def copy(source, target):
    """A data directory as a backup has it."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("log.mdb-lock", "lock"))
    return target


def verify_raw(*words):
    """Runs charter-verify: its status and what it wrote."""
    done = subprocess.run([need_program("charter-verify"), *words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout + done.stderr


def verify(*words, status=0, says=None):
    """The same, with what is expected; what it wrote."""
    code, text = verify_raw(*words)
    assert code == status, f"verify {words}: ended {code}: {text}"
    assert says is None or says in text, f"verify {words}: {text}"
    return text
