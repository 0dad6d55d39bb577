/* sp_listen: the listening sockets of our own SP. SPDX-License-Identifier: MIT
 * ipc:// and tcp:// as listen.h says of them. Nothing here is called after start-up but close. */
#ifndef CH_EDGE_SP_LISTEN_H
#define CH_EDGE_SP_LISTEN_H
#include "daemon/edge/listen.h"
#include "schema/base/err.h"

struct ch_sp_listen {
    int fd; /* does not block */
    bool is_ipc;
    char url[CH_LISTEN_URL_BYTES]; /* as it can be dialled */
};

/* ret:    filled on success only; close with ch_sp_listen_close
 * errors: CH_ERR_CONFIG, CH_ERR_NET_IO (code = errno), CH_ERR_FILE_IO; see ch_listen_start */
CH_MUST_USE enum ch_err ch_sp_listen_open(const char *url, const struct ch_listen_options *options,
                                          struct ch_sp_listen *ret, struct ch_why *why);

/* Removes the socket file, too. */
void ch_sp_listen_close(struct ch_sp_listen *listener);
#endif
