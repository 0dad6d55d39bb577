/* listen: makes an nng socket listen at a URL, and refuses what is not safe.
 * SPDX-License-Identifier: MIT ipc://PATH        a socket file; a stale one is removed, a live one
 * is an error; mode and group as given tcp://HOST:PORT   on loopback (127/8, ::1, localhost),
 * elsewhere only where allow_remote is set tls+tcp://H:PORT  with certificate and key; with a CA
 * file only clients that show a certificate of it Any other scheme is refused. Nothing here is
 * called after start-up. */
#ifndef CH_EDGE_LISTEN_H
#define CH_EDGE_LISTEN_H
#include "schema/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <nng/nng.h>

/* A zeroed struct is the default of everything; texts are borrowed for the call, NUL-terminated. */
struct ch_listen_options {
    size_t receive_bytes_max;         /* larger messages get no reply; 0: unlimited */
    bool allow_remote;                /* plain tcp beyond loopback */
    bool needs_client_certificate;    /* tls+tcp without tls_ca_file is refused */
    const char *tls_certificate_file; /* PEM, the chain */
    const char *tls_key_file;         /* PEM; NULL: the certificate file holds it */
    const char *tls_ca_file;          /* PEM; NULL: clients need no certificate */
    uint32_t socket_mode;             /* of an ipc socket file; 0: 0660 */
    const char *socket_group;         /* name of its group; NULL: left as it is */
};

enum { CH_LISTEN_URL_BYTES = 160 };

/* A listener that was started. */
struct ch_listen {
    nng_listener listener;
    bool is_ipc;
    char url[CH_LISTEN_URL_BYTES]; /* as it can be dialled: with the port the system chose for port
                                      0 */
};

/* Starts a listener of `socket`; it ends with the socket, which also removes the socket file.
 * ret:    filled on success only
 * errors: CH_ERR_CONFIG (URL, scheme, remote address, TLS files or group are not as above; path too
 *         long), CH_ERR_NET_IO (code = nng; someone listens there already), CH_ERR_FILE_IO (the
 *         path is taken by something that is no socket; its mode or group cannot be set) */
CH_MUST_USE enum ch_err ch_listen_start(nng_socket socket, const char *url,
                                        const struct ch_listen_options *options,
                                        struct ch_listen *ret, struct ch_why *why);

/* 127/8, ::1 and localhost. */
bool ch_listen_is_loopback(const char *host);

/* Closes the socket on a thread of its own and waits for it at most `wait_ms`: nng 1.5.2 loses a
 * completion when a connection is closed between the head and the body of a message that comes in
 * (ipc_pipe_recv_cb submits the second read to an aio that was stopped), and nng_close then waits
 * for ever. returns: false if it did not end; callbacks of the socket may then still come, at any
 * time. */
CH_MUST_USE bool ch_listen_close_socket(nng_socket socket, uint32_t wait_ms);
#endif
