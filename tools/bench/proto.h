/* proto: the bare prototype, charterd's limit on this machine. SPDX-License-Identifier: MIT
 * nng contexts -> eventfd -> libevent loop -> LMDB group commit in a thread of its own -> reply,
 * without decoding, deciding or applying anything. What charterd does beyond it is charterd's own
 * cost. Runs in a child process of the bench; see serve.h. */
#ifndef CH_BENCH_PROTO_H
#define CH_BENCH_PROTO_H
#include <stddef.h>
#include <stdint.h>
#include "schema/base/err.h"

/* Serves until SIGTERM. Each request is stored as records of `record_bytes`, durable before its
 * reply. dir:    an existing empty directory for the log errors: those of ch_rep_open,
 * ch_bare_log_open and ch_group_commit_start */
CH_MUST_USE enum ch_err ch_proto_serve(const char *url, uint32_t contexts, const char *dir,
                                       size_t record_bytes, struct ch_why *why);
#endif
