/* verify_source: verifying what comes item by item, as a bundle does; see verify_impl.h.
 * SPDX-License-Identifier: MIT
 * Records are collected up to the next tile, state hash that is due, or end; then applied and given
 * to the tree; then come the tiles that they have filled. */
#include "daemon/replay/verify_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/replay/decoder.h"
#include "daemon/replay/follower.h"

enum { TIME_BYTES = 8 };

struct feeding {
    struct ch_verifying *v;
    struct ch_bundle_item item; /* the next, while `held` */
    bool held;
    uint64_t checkpoints;
    /* the records collected */
    struct ch_group *group;
    struct ch_buf bytes;
    size_t ends[CH_GROUP_EVENTS];
    size_t count;
    struct ch_bundle_end end;
    bool ended;
};

static enum ch_verify_part part_of(enum ch_bundle_kind kind)
{
    if (kind == CH_BUNDLE_CHECKPOINT) return CH_VERIFY_CHECKPOINT;
    if (kind == CH_BUNDLE_RECORD) return CH_VERIFY_RECORD;
    if (kind == CH_BUNDLE_TILE) return CH_VERIFY_TILE;
    return CH_VERIFY_BUNDLE;
}

/* The next item; it stays until `held` is taken away. Damage of it is a fault, and then there is
 * none. */
static enum ch_err peek(struct feeding *f, struct ch_why *why)
{
    const struct ch_verify_source *source = f->v->options->source;
    if (f->held) return CH_OK;
    enum ch_err err = source->next(source->arg, &f->item, why);
    if (err == CH_ERR_LOG_CORRUPT) {
        ch_verify_fault(f->v->report, part_of(f->item.kind), f->item.number, "%s", why->text);
        f->item = (struct ch_bundle_item){.kind = CH_BUNDLE_NONE};
        err = CH_OK;
    }
    f->held = err == CH_OK;
    return err;
}

/* ---- before the records ------------------------------------------------------------------- */

static enum ch_err read_head(struct feeding *f, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    const struct ch_verify_copy *copy = v->options->copy;
    uint64_t size = 0;
    enum ch_err err = peek(f, why);
    if (err != CH_OK || ch_verify_over(v)) return err;
    if (f->item.kind != CH_BUNDLE_HEAD || !ch_bundle_read_head(f->item.content, &size)) {
        ch_verify_fault(v->report, CH_VERIFY_BUNDLE, 0, "the head has another form");
        return CH_OK;
    }
    f->held = false;
    v->begin.whole = v->begin.counts.last = size;
    if (v->options->progress != NULL) atomic_store(&v->options->progress->total, size);
    return copy == NULL ? CH_OK : copy->begin(copy->arg, NULL, size, why);
}

static enum ch_err get_checkpoint(void *arg, uint64_t number, struct ch_buf *copy,
                                  struct ch_stored *ret, struct ch_why *why)
{
    struct feeding *f = arg;
    *ret = (struct ch_stored){.number = 0};
    enum ch_err err = peek(f, why);
    while (err == CH_OK && f->item.kind == CH_BUNDLE_KEY) {
        f->held = false;
        err = peek(f, why);
    }
    if (err != CH_OK || f->item.kind != CH_BUNDLE_CHECKPOINT) return err;
    if (f->item.content.len <= TIME_BYTES) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                       number);
    }
    ch_buf_reset(copy);
    ch_buf_put(copy, f->item.content.ptr, f->item.content.len);
    if (copy->failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "copy of a checkpoint");
    f->held = false;
    f->checkpoints++;
    *ret =
        (struct ch_stored){.number = number,
                           .at_ns = ch_get_le64(copy->ptr),
                           .note = {(const char *)copy->ptr + TIME_BYTES, copy->len - TIME_BYTES}};
    return CH_OK;
}

/* ---- records ------------------------------------------------------------------------------ */

/* The state hash that comes next; NULL: none, or nothing is replayed. */
static const struct ch_expected_state *due_state(const struct feeding *f)
{
    const struct ch_verifying *v = f->v;
    if (!v->follower.open || v->newer || v->next_state == v->expected.state_count) return NULL;
    return &v->expected.states[v->next_state];
}

static enum ch_err check_states(struct feeding *f, struct ch_why *why)
{
    const uint64_t seq = ch_follower_seq(&f->v->follower);
    const struct ch_expected_state *due;
    enum ch_err err = CH_OK;
    while (err == CH_OK && (due = due_state(f)) != NULL && due->seq <= seq) {
        if (due->seq == seq) err = ch_verify_check_state(f->v, due, why);
        f->v->next_state++;
    }
    return err;
}

static struct ch_bytes collected(const struct feeding *f, size_t i)
{
    const size_t start = i == 0 ? 0 : f->ends[i - 1];
    return (struct ch_bytes){f->bytes.ptr + start, f->ends[i] - start};
}

/* Applies what was collected, as far as it is of types known. */
static enum ch_err replay(struct feeding *f, uint64_t first, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    for (size_t i = 0; i < f->count; i++) {
        f->group->records[i] = (struct ch_log_record){.seq = first + i, .bytes = collected(f, i)};
    }
    f->group->count = f->count;
    enum ch_err err = ch_follower_take(&v->follower, f->group, why);
    const uint64_t done = v->report->records + 1 - first;
    if (err == CH_ERR_LOG_CORRUPT && done < f->count &&
        ch_verify_is_newer(collected(f, (size_t)done))) {
        v->newer = true;
        v->last_at = ch_meta(&v->follower.state)->last_at;
        err = CH_OK;
    }
    return err == CH_OK ? check_states(f, why) : err;
}

/* Everything that is done with the records collected. */
static enum ch_err flush(struct feeding *f, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    const uint64_t first = v->report->records + 1;
    enum ch_err err = CH_OK;
    if (f->count > 0 && v->follower.open && !v->newer) err = replay(f, first, why);
    for (size_t i = (size_t)(v->report->records + 1 - first);
         i < f->count && err == CH_OK && !ch_verify_over(v); i++) {
        uint64_t at_ns = 0;
        err = ch_verify_check_record(v, first + i, collected(f, i), &at_ns, why);
        if (err == CH_OK) err = ch_verify_take(v, collected(f, i), at_ns, why);
    }
    f->count = 0;
    ch_buf_reset(&f->bytes);
    return ch_verify_judge(v, err, why);
}

static enum ch_err collect(struct feeding *f, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    const uint64_t seq = v->report->records + f->count + 1;
    if (seq > v->begin.counts.last) {
        ch_verify_fault(v->report, CH_VERIFY_RECORD, seq,
                        "record %" PRIu64 " stands behind the %" PRIu64 " that the head says", seq,
                        v->begin.counts.last);
        return CH_OK;
    }
    ch_buf_put(&f->bytes, f->item.content.ptr, f->item.content.len);
    if (f->bytes.failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for records");
    f->ends[f->count++] = f->bytes.len;
    const struct ch_expected_state *due = due_state(f);
    if (f->count == CH_GROUP_EVENTS || (due != NULL && due->seq == seq)) return flush(f, why);
    return CH_OK;
}

static enum ch_err take_tile(struct feeding *f, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    const struct ch_bytes tile = f->item.content;
    enum ch_err err = flush(f, why);
    if (err != CH_OK || ch_verify_over(v)) return err;
    if (tile.len != CH_TILE_KEY_BYTES + CH_TILE_VALUE_BYTES || tile.ptr[0] >= CH_TILE_LEVELS) {
        ch_verify_fault(v->report, CH_VERIFY_TILE, f->item.number,
                        "tile number %" PRIu64 " has another form", f->item.number);
    } else if (v->options->source->tiles) {
        v->tree_over = !ch_verify_tree_tile(v->tree, tile);
    }
    return CH_OK;
}

static enum ch_err take_end(struct feeding *f, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    enum ch_err err = flush(f, why);
    if (err != CH_OK || ch_verify_over(v)) return err;
    f->ended = true;
    if (!ch_bundle_read_end(f->item.content, &f->end)) {
        ch_verify_fault(v->report, CH_VERIFY_BUNDLE, 0, "the end has another form");
    }
    return CH_OK;
}

static enum ch_err run(struct feeding *f, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    while (err == CH_OK && !ch_verify_over(f->v)) {
        err = peek(f, why);
        if (err != CH_OK || f->item.kind == CH_BUNDLE_NONE) break;
        if (f->ended) {
            ch_verify_fault(f->v->report, CH_VERIFY_BUNDLE, 0, "something stands behind the end");
            break;
        }
        switch (f->item.kind) {
        case CH_BUNDLE_RECORD: err = collect(f, why); break;
        case CH_BUNDLE_TILE: err = take_tile(f, why); break;
        case CH_BUNDLE_END: err = take_end(f, why); break;
        case CH_BUNDLE_HEAD:
        case CH_BUNDLE_KEY:
        case CH_BUNDLE_CHECKPOINT:
            ch_verify_fault(f->v->report, CH_VERIFY_BUNDLE, 0, "an item stands out of its place");
            break;
        case CH_BUNDLE_NONE: break;
        }
        f->held = false;
    }
    return err == CH_OK && !ch_verify_over(f->v) ? flush(f, why) : err;
}

/* What was read against what the file says of itself. */
static void check_end(struct feeding *f)
{
    struct ch_verify_report *report = f->v->report;
    const uint64_t size = f->v->begin.counts.last;
    if (report->part != CH_VERIFY_NOTHING) return;
    if (!f->ended) {
        ch_verify_fault(report, CH_VERIFY_BUNDLE, 0, "the end is missing");
    } else if (report->records != size || f->end.size != size) {
        ch_verify_fault(report, CH_VERIFY_RECORD, report->records + 1,
                        "record %" PRIu64 " is missing: the head says %" PRIu64
                        " records, the end %" PRIu64 ", and there are %" PRIu64,
                        report->records + 1, size, f->end.size, report->records);
    } else if (f->checkpoints != f->end.checkpoints) {
        ch_verify_fault(report, CH_VERIFY_CHECKPOINT, f->checkpoints + 1,
                        "there are %" PRIu64 " checkpoints, and the end says %" PRIu64,
                        f->checkpoints, f->end.checkpoints);
    } else if (!ch_hash_equal(&report->root, &f->end.root)) {
        ch_verify_fault(report, CH_VERIFY_BUNDLE, 0,
                        "the end names another root than the %" PRIu64 " records have", size);
    }
}

static enum ch_err check_records(struct feeding *f, struct ch_why *why)
{
    struct ch_verifying *v = f->v;
    const enum ch_verify_tiles tiles = v->options->source->tiles ? CH_TILES_GIVEN : CH_TILES_NONE;
    enum ch_err err =
        ch_verify_tree_create(NULL, tiles, &v->expected, v->options->threads, &v->tree, why);
    if (err != CH_OK) return err;
    if (v->options->replay) {
        err = ch_follower_open(&v->follower, NULL, NULL, why);
        v->follower.before = ch_verify_before;
        v->follower.before_arg = v;
    }
    if (err == CH_OK) err = run(f, why);
    err = ch_verify_end_tree(v, err, why);
    if (err == CH_OK) check_end(f);
    return err;
}

enum ch_err ch_verify_from_source(struct ch_verifying *v, struct ch_why *why)
{
    struct feeding f = {.v = v};
    const struct ch_verify_checkpoints from = {
        .get = get_checkpoint, .arg = &f, .count = UINT64_MAX};
    f.group = calloc(1, sizeof *f.group);
    if (f.group == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for records");
    enum ch_err err = read_head(&f, why);
    if (err == CH_OK && !ch_verify_over(v)) {
        err = ch_verify_notes(&from, v->options, &v->begin, &v->expected, v->report, why);
    }
    if (err == CH_OK && !ch_verify_over(v)) err = check_records(&f, why);
    ch_group_deinit(f.group);
    free(f.group);
    ch_buf_deinit(&f.bytes);
    return err;
}
