# _ed25519: signatures and Merkle proofs in plain Python, sharing nothing with charterd.
# SPDX-License-Identifier: MIT
"""Ed25519 after RFC 8032, section 5.1 (slow, and not for secrets that matter); C2SP signed notes;
the tree of RFC 6962."""
import base64
import hashlib
import struct

P = 2 ** 255 - 19
Q = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)


def _add(a, b):
    """Extended coordinates (X, Y, Z, T)."""
    s = (a[1] - a[0]) * (b[1] - b[0]) % P
    t = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = t - s, z - c, z + c, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = _add(result, point)
        point = _add(point, point)
        n >>= 1
    return result


def _x_of(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * I % P
    assert (x * x - x2) % P == 0, "no point"
    return P - x if x & 1 != sign else x


_Y = 4 * pow(5, P - 2, P) % P
BASE = (_x_of(_Y, 0), _Y, 1, _x_of(_Y, 0) * _Y % P)


def _pack(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _unpack(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    assert y < P
    x = _x_of(y, sign)
    return x, y, 1, x * y % P


def _number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % Q


def _expand(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:]


def public_key(seed):
    return _pack(_times(_expand(seed)[0], BASE))


def sign(seed, message):
    a, prefix = _expand(seed)
    public = _pack(_times(a, BASE))
    r = _number(prefix, message)
    big_r = _pack(_times(r, BASE))
    s = (r + _number(big_r, public, message) * a) % Q
    return big_r + s.to_bytes(32, "little")


def verifies(public, message, signature):
    r, s = _unpack(signature[:32]), int.from_bytes(signature[32:], "little")
    h = _number(signature[:32], public, message)
    left, right = _times(s, BASE), _add(r, _times(h, _unpack(public)))
    return s < Q and (left[0] * right[2] - right[0] * left[2]) % P == 0 and \
        (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- signed notes -------------------------------------------------------------------------------

ED25519, COSIGNATURE = 1, 4


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def verifier_key(name, kind, public):
    text = base64.b64encode(bytes([kind]) + public).decode()
    return f"{name}+{key_id(name, kind, public).hex()}+{text}"


def note_text(note):
    return note[:note.rindex("\n\n") + 1]


def signed_by(note, key):
    """Whether the note carries a good signature of this verifier key of a log."""
    name, _, material = key.split("+", 2)
    raw = base64.b64decode(material, validate=True)
    assert raw[0] == ED25519
    for line in note[note.rindex("\n\n") + 2:].splitlines():
        dash, signer, signature = line.split(" ")
        data = base64.b64decode(signature, validate=True)
        if dash == "\u2014" and signer == name and data[:4] == key_id(name, ED25519, raw[1:]):
            return verifies(raw[1:], note_text(note).encode(), data[4:])
    return False


def cosign(note, name, seed, at):
    """A witness's signature line."""
    message = f"cosignature/v1\ntime {at}\n{note_text(note)}".encode()
    data = key_id(name, COSIGNATURE, public_key(seed)) + struct.pack(">Q", at)
    return f"\u2014 {name} {base64.b64encode(data + sign(seed, message)).decode()}\n"


# ---- the tree -----------------------------------------------------------------------------------

def leaf_hash(record):
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def root_from_inclusion(index, size, leaf, hashes):
    """RFC 6962, 2.1.1, read backwards."""
    if size == 1:
        assert not hashes
        return leaf
    k = split(size)
    if index < k:
        return node_hash(root_from_inclusion(index, k, leaf, hashes[:-1]), hashes[-1])
    return node_hash(hashes[-1], root_from_inclusion(index - k, size - k, leaf, hashes[:-1]))


def roots_from_consistency(size1, size2, hashes, root1, whole=True):
    """RFC 6962, 2.1.2, read backwards: the earlier root and the later."""
    if size1 == size2:
        if whole:
            assert not hashes
            return root1, root1
        assert len(hashes) == 1
        return hashes[0], hashes[0]
    k = split(size2)
    if size1 <= k:
        first, second = roots_from_consistency(size1, k, hashes[:-1], root1, whole)
        return first, node_hash(second, hashes[-1])
    first, second = roots_from_consistency(size1 - k, size2 - k, hashes[:-1], root1, False)
    return node_hash(hashes[-1], first), node_hash(hashes[-1], second)
