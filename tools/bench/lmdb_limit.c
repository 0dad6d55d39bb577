/* lmdb_limit: see lmdb_limit.h. SPDX-License-Identifier: MIT */
#include "tools/bench/lmdb_limit.h"

#include "schema/base/check.h"
#include "tools/bench/bare_log.h"
#include "tools/bench/hist.h"
#include "tools/bench/interrupt.h"

static enum ch_err commit_group(const struct ch_lmdb_limit *limit, struct ch_bare_log *log,
                                uint8_t *record, struct ch_why *why)
{
    for (uint32_t i = 0; i < limit->records; i++) {
        ch_put_be64(record, log->next_seq);
        struct ch_bytes view = {.ptr = record, .len = limit->record_bytes};
        enum ch_err err = ch_bare_log_append(log, view, why);
        if (err != CH_OK) return err;
    }
    return ch_bare_log_commit(log, why);
}

/* Commits until the time is over; groups begun while it ran count, and so does their time. */
static enum ch_err commit_for(const struct ch_lmdb_limit *limit, struct ch_bare_log *log,
                              double seconds, struct ch_sample *ret, struct ch_why *why)
{
    uint8_t record[CH_LMDB_LIMIT_RECORD_MAX];
    for (size_t i = 0; i < sizeof record; i++) {
        record[i] = (uint8_t)(i * 167 + (i >> 8) * 59);
    }
    struct ch_hist latency = {0};
    uint64_t begin_ns = ch_interrupt_now_ns();
    uint64_t until_ns = begin_ns + (uint64_t)(seconds * 1e9);
    uint64_t before_ns = begin_ns;
    while (before_ns < until_ns) {
        if (ch_interrupt_seen()) return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
        enum ch_err err = commit_group(limit, log, record, why);
        if (err != CH_OK) return err;
        uint64_t after_ns = ch_interrupt_now_ns();
        ch_hist_add(&latency, after_ns - before_ns);
        before_ns = after_ns;
    }
    double took = (double)(before_ns - begin_ns) / 1e9;
    *ret = (struct ch_sample){
        .per_second = (double)latency.count * limit->records / took,
        .p50_us = ch_hist_quantile_ns(&latency, 0.50) / 1e3,
        .p99_us = ch_hist_quantile_ns(&latency, 0.99) / 1e3,
    };
    return CH_OK;
}

enum ch_err ch_lmdb_limit_run(void *context, struct ch_sample *ret, struct ch_why *why)
{
    const struct ch_lmdb_limit *limit = context;
    CH_CHECK(limit->record_bytes >= 8 && limit->record_bytes <= CH_LMDB_LIMIT_RECORD_MAX);
    char dir[CH_WORKDIR_NAME_BYTES];
    ch_workdir_name(limit->workdir, "lmdb", dir);
    enum ch_err err = ch_workdir_make(dir, why);
    if (err != CH_OK) return err;
    struct ch_bare_log log = {0};
    struct ch_sample unused;
    err = ch_bare_log_open(&log, dir, why);
    if (err == CH_OK) err = commit_for(limit, &log, limit->warm_up_seconds, &unused, why);
    if (err == CH_OK) err = commit_for(limit, &log, limit->seconds, ret, why);
    ch_bare_log_close(&log);
    ch_workdir_remove(dir);
    return err;
}
