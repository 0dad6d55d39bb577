/* serve: the bench as its own server. SPDX-License-Identifier: MIT
 * A limit is only comparable when its server is a process of its own, so the bench starts itself
 * again with a hidden option, `--serve KIND URL DIR CONTEXTS RECORD_BYTES`, as a child (child.h).
 */
#ifndef CH_BENCH_SERVE_H
#define CH_BENCH_SERVE_H
#include <stddef.h>
#include <stdint.h>
#include "schema/base/err.h"
#include "tools/bench/child.h"

enum ch_serve_kind {
    CH_SERVE_ECHO_CALLBACK, /* echo answered in nng's callback */
    CH_SERVE_ECHO_LOOP,     /* echo through eventfd and libevent */
    CH_SERVE_PROTO,         /* the bare prototype */
};

struct ch_serve {
    enum ch_serve_kind kind;
    const char *url;
    const char *dir; /* of the log; "" for the echoes */
    uint32_t contexts;
    size_t record_bytes;
};

/* Starts the server as a child that listens when this returns.
 * errors: those of ch_child_start */
CH_MUST_USE enum ch_err ch_serve_start(const struct ch_serve *serve, struct ch_child *ret,
                                       struct ch_why *why);

/* In the child: main() hands over when argv[1] is "--serve". ret: the exit status. */
int ch_serve_main(int argc, char **argv);
#endif
