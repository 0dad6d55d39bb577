# _nng: libnng by ctypes, as little of it as a client needs. SPDX-License-Identifier: MIT
"""A REQ socket; each thread asks through a context of its own, so many requests are in flight."""
import ctypes
import ctypes.util

_LIB = ctypes.CDLL(ctypes.util.find_library("nng") or "libnng.so.1")
_NONBLOCK = 2
TIMED_OUT = 5


class _Id(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint32)]


class NngError(Exception):
    def __init__(self, code):
        super().__init__(_LIB.nng_strerror(code).decode())
        self.code = code


_LIB.nng_strerror.restype = ctypes.c_char_p
_LIB.nng_msg_body.restype = ctypes.c_void_p
_LIB.nng_msg_body.argtypes = [ctypes.c_void_p]
_LIB.nng_msg_len.restype = ctypes.c_size_t
_LIB.nng_msg_len.argtypes = [ctypes.c_void_p]
_LIB.nng_msg_free.argtypes = [ctypes.c_void_p]
_LIB.nng_msg_append.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_LIB.nng_aio_get_msg.restype = ctypes.c_void_p
_LIB.nng_aio_set_timeout.argtypes = [ctypes.c_void_p, ctypes.c_int32]
for _name in ("nng_aio_get_msg", "nng_aio_wait", "nng_aio_result", "nng_aio_free"):
    getattr(_LIB, _name).argtypes = [ctypes.c_void_p]
_LIB.nng_aio_set_msg.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_LIB.nng_ctx_send.argtypes = [_Id, ctypes.c_void_p]
_LIB.nng_ctx_recv.argtypes = [_Id, ctypes.c_void_p]
_LIB.nng_socket_set_ms.argtypes = [_Id, ctypes.c_char_p, ctypes.c_int32]


def _check(code):
    if code != 0:
        raise NngError(code)


class Socket:
    """Dials in the background, and again whenever the connection is lost."""

    def __init__(self, url, resend_ms=60000):
        self._socket = _Id()
        _check(_LIB.nng_req0_open(ctypes.byref(self._socket)))
        for option in (b"reconnect-time-min", b"reconnect-time-max"):
            _check(_LIB.nng_socket_set_ms(self._socket, option, 10))
        _check(_LIB.nng_socket_set_ms(self._socket, b"req:resend-time", resend_ms))
        _check(_LIB.nng_dial(self._socket, url.encode(), None, _NONBLOCK))

    def context(self):
        return Context(self._socket)

    def close(self):
        _LIB.nng_close(self._socket)


class Context:
    def __init__(self, socket):
        self._context = _Id()
        self._aio = ctypes.c_void_p()
        _check(_LIB.nng_ctx_open(ctypes.byref(self._context), socket))
        _check(_LIB.nng_aio_alloc(ctypes.byref(self._aio), None, None))

    def ask(self, request, timeout_ms=60000):
        """Sends the bytes and waits for the reply's bytes."""
        message = ctypes.c_void_p()
        _check(_LIB.nng_msg_alloc(ctypes.byref(message), 0))
        _check(_LIB.nng_msg_append(message, request, len(request)))
        _LIB.nng_aio_set_timeout(self._aio, timeout_ms)
        _LIB.nng_aio_set_msg(self._aio, message)
        _LIB.nng_ctx_send(self._context, self._aio)
        _LIB.nng_aio_wait(self._aio)
        code = _LIB.nng_aio_result(self._aio)
        if code != 0:
            _LIB.nng_msg_free(message)
            raise NngError(code)
        _LIB.nng_ctx_recv(self._context, self._aio)
        _LIB.nng_aio_wait(self._aio)
        _check(_LIB.nng_aio_result(self._aio))
        answer = _LIB.nng_aio_get_msg(self._aio)
        body = ctypes.string_at(_LIB.nng_msg_body(answer), _LIB.nng_msg_len(answer))
        _LIB.nng_msg_free(answer)
        return body
