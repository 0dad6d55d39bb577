/* daemon: one charterd, started for one row in a directory of its own, and how to talk to it.
 * SPDX-License-Identifier: MIT
 * Nothing stays: the directory is removed and the process killed, whatever way the runner ends. */
#ifndef CH_SCENARIO_DAEMON_H
#define CH_SCENARIO_DAEMON_H
#include <nng/nng.h>
#include <sys/types.h>

#include "schema/base/buf.h"

struct daemon {
    char mailer_key[80]; /* hex of the public key that charterd seals tokens to; empty: none */
    const char *program;
    char dir[64];
    char url[96];
    pid_t pid; /* 0: not running */
    nng_socket socket;
    bool has_socket;
};

/* Makes the directory and starts `program` in it; tells on standard error when that fails. All of
 * `daemon` is zero before but its mailer_key. */
bool daemon_begin(struct daemon *daemon, const char *program);

/* Ends the process, by SIGTERM or at once, and starts it again on the same directory. */
bool daemon_restart(struct daemon *daemon, bool at_once);

/* Sends one message and waits for the reply, which replaces what `reply` holds. */
bool daemon_ask(struct daemon *daemon, struct ch_bytes message, struct ch_buf *reply);

/* Ends everything; shows what the daemon wrote if `show`. True if it ended as it should. */
bool daemon_end(struct daemon *daemon, bool show);
#endif
