/* lines_write: a log as JSON lines. SPDX-License-Identifier: MIT
 * One JSON object a line, in this order:
 *   {"charterd_export":1,"size":N}              once: how many events follow
 *   {"key":"VERIFIER-KEY"}                      a key of the log; for convenience
 *   {"checkpoint":1,"at":TIME,"note":"…"}       each checkpoint, from 1
 *   {"seq":1,"at":TIME,"type":…,…,"record":"…"} each event, from 1: as `charter events --json` has
 *                                               it, and the record's bytes in base 64. The bytes
 *                                               decide; the rest is for who reads it
 *   {"end":true,"size":N,"checkpoints":N,"root":"…"}  once
 * Free text and names of people stay sealed: they are not among the fields. */
#ifndef CH_KEEP_LINES_WRITE_H
#define CH_KEEP_LINES_WRITE_H
#include "daemon/log/bundle.h"
#include "daemon/log/stored.h"
#include "schema/base/arena.h"

struct lines_writer { /* zeroed: ready */
    struct ch_arena arena;
    struct ch_buf fields;
    struct ch_buf map;
};
void lines_writer_deinit(struct lines_writer *writer);

void lines_put_head(struct ch_buf *out, uint64_t size);
void lines_put_key(struct ch_buf *out, const char *key);
void lines_put_checkpoint(struct ch_buf *out, const struct ch_stored *stored);
/* errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err lines_put_record(struct lines_writer *writer, struct ch_buf *out,
                                         uint64_t seq, struct ch_bytes record, struct ch_why *why);
void lines_put_end(struct ch_buf *out, const struct ch_bundle_end *end);
#endif
