/* load: keeps requests in flight and measures the answers. SPDX-License-Identifier: MIT
 * Each slot is one REQ context with one aio: it sends, waits for the answer, looks at it and sends
 * the next, all in nng's callback threads. The generator shares the machine with what it measures,
 * so a turn of a slot does nothing but patch a message made before, copy it and add to its own
 * histogram. Threads: ch_load_run from one thread; the two callbacks run in nng's threads, at the
 * same time for different slots, never twice at once for one slot. */
#ifndef CH_BENCH_LOAD_H
#define CH_BENCH_LOAD_H
#include "schema/base/buf.h"
#include "schema/base/err.h"
#include "tools/bench/hist.h"
#include "tools/bench/rounds.h"

enum ch_load_verdict {
    CH_LOAD_DONE,   /* counts; make the next request */
    CH_LOAD_BUSY,   /* counts as busy; send the same bytes again after slot->retry_ms */
    CH_LOAD_FAILED, /* the run ends as failed; the callback filled `why` */
};

/* What the callbacks see of a slot. */
struct ch_load_turn {
    uint32_t slot;         /* 0..in_flight-1 */
    uint64_t serial;       /* number of the request within its slot, from 0 */
    uint32_t retry_ms;     /* set by `look` with CH_LOAD_BUSY; 0: at once */
    struct ch_buf request; /* kept between turns: empty at serial 0, later only patched */
};

struct ch_load_ops {
    /* Leaves the bytes of request `serial` in turn->request. */
    void (*make)(void *context, struct ch_load_turn *turn);
    /* Judges the answer to turn->request. reply: dies at return; why: filled with CH_LOAD_FAILED.
     */
    enum ch_load_verdict (*look)(void *context, struct ch_load_turn *turn, struct ch_bytes reply,
                                 struct ch_why *why);
    void *context; /* borrowed until ch_load_run returns */
};

struct ch_load_config {
    const char *url;
    uint32_t in_flight;     /* 1..CH_LOAD_IN_FLIGHT_MAX */
    uint32_t calls;         /* operations that one answered message counts for */
    double warm_up_seconds; /* runs but does not count */
    double seconds;         /* counts */
    struct ch_load_ops ops;
};

enum { CH_LOAD_IN_FLIGHT_MAX = 1024 };

struct ch_load_result {
    double seconds;      /* as measured */
    uint64_t operations; /* messages x calls */
    uint64_t messages;
    uint64_t busy; /* busy answers, each retried */
    struct ch_hist
        latency; /* from the first sending to the answer that counted, busy ones between */
};

/* Runs to the end of the time, then lets every request in flight finish (at most 5 s).
 * ret:    untouched on failure
 * errors: CH_ERR_NET_IO (code = nng), CH_ERR_NO_MEMORY, CH_ERR_STOPPED (interrupted),
 *         CH_ERR_TIMED_OUT (not one answer in the whole time), and what `look` said */
CH_MUST_USE enum ch_err ch_load_run(const struct ch_load_config *config, struct ch_load_result *ret,
                                    struct ch_why *why);

/* The figures of a row. */
struct ch_sample ch_load_sample(const struct ch_load_result *result);
#endif
