/* socket_file: the file of a unix socket: whose it is, and who may open it.
 * SPDX-License-Identifier: MIT
 * Nothing here is called after start-up. */
#ifndef CH_EDGE_SOCKET_FILE_H
#define CH_EDGE_SOCKET_FILE_H
#include "daemon/edge/listen.h"
#include "schema/base/err.h"

/* Makes the place free: removes the socket file of a process that is gone.
 * path:   NUL-terminated, borrowed for the call
 * errors: CH_ERR_CONFIG (no path, or one too long for a socket), CH_ERR_NET_IO (somebody listens
 *         there), CH_ERR_FILE_IO (it is no socket, or cannot be removed) */
CH_MUST_USE enum ch_err ch_socket_file_claim(const char *path, struct ch_why *why);

/* Gives the bound file its group and its mode.
 * errors: CH_ERR_CONFIG (no such group), CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err ch_socket_file_open(const char *path,
                                            const struct ch_listen_options *options,
                                            struct ch_why *why);
#endif
