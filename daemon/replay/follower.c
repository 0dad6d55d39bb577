/* follower: see follower.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/follower.h"

#include <stdlib.h>

#include "daemon/core/apply.h"
#include "daemon/core/dump.h"
#include "daemon/log/digest.h"
#include "daemon/replay/decoder.h"
#include "daemon/replay/vouch.h"

enum {
    PROGRESS_EVENTS = 65536,
    TOGETHER = 64,      /* events whose memory is touched before the first of them is applied */
    LONG_EVENTS = 16384 /* from here on a second thread is worth its start */
};

enum ch_err ch_follower_open(struct ch_follower *follower, struct ch_evlog *log,
                             const struct ch_directory *directory, struct ch_why *why)
{
    *follower = (struct ch_follower){.log = log, .directory = directory};
    enum ch_err err = log == NULL ? CH_OK : ch_reader_open(log, &follower->reader, why);
    if (err != CH_OK) return err;
    follower->group = calloc(1, sizeof *follower->group);
    if (follower->group == NULL || !ch_state_init(&follower->state)) {
        free(follower->group);
        ch_reader_close(follower->reader);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for an empty state");
    }
    follower->open = true;
    return CH_OK;
}

enum ch_err ch_follower_vouch(struct ch_follower *follower, struct ch_why *why)
{
    return ch_vouch_open(follower->log, &follower->vouch, why);
}

void ch_follower_close(struct ch_follower *follower)
{
    if (follower == NULL || !follower->open) return;
    ch_reader_close(follower->reader);
    ch_vouch_close(follower->vouch);
    ch_state_deinit(&follower->state);
    ch_group_deinit(follower->group);
    free(follower->group);
    ch_arena_deinit(&follower->arena);
    *follower = (struct ch_follower){0};
}

enum ch_err ch_follower_rewind(struct ch_follower *follower, struct ch_why *why)
{
    ch_state_deinit(&follower->state);
    if (ch_state_init(&follower->state)) return CH_OK;
    ch_follower_close(follower); /* without a state it is none */
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for an empty state");
}

static enum ch_err apply_one(struct ch_follower *follower, const struct ch_event *event,
                             struct ch_bytes record, struct ch_why *why)
{
    const struct ch_row_meta *meta = ch_meta(&follower->state);
    if (event->seq != meta->head + 1 || event->at < meta->last_at) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu does not follow event %llu",
                       (unsigned long long)event->seq, (unsigned long long)meta->head);
    }
    if (follower->before != NULL) {
        enum ch_err err =
            follower->before(follower->before_arg, &follower->state, event, record, why);
        if (err != CH_OK) return err;
    }
    follower->replay.seq = event->seq;
    ch_apply(&follower->state, event);
    if (follower->directory == NULL) return CH_OK;
    return ch_directory_learn(follower->directory, &follower->state, event, why);
}

/* Some events, touched together and then applied one by one. */
static enum ch_err apply_some(struct ch_follower *follower, const struct ch_event *events,
                              const struct ch_log_record *records, size_t count, struct ch_why *why)
{
    size_t items = 0;
    size_t bytes = 0;
    follower->replay.seq = events[0].seq;
    for (size_t i = 0; i < count; i++) {
        ch_apply_needs(&events[i], &items, &bytes);
    }
    if (!ch_apply_reserve_many(&follower->state, count, items, bytes)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to apply event %llu",
                       (unsigned long long)events[0].seq);
    }
    struct ch_ahead_rows ahead[TOGETHER];
    for (int step = 0; step < CH_AHEAD_STEPS; step++) {
        for (size_t i = 0; i < count; i++) {
            ch_apply_ahead(&follower->state, &events[i], &ahead[i], step);
        }
    }
    for (size_t i = 0; i < count; i++) {
        enum ch_err err = apply_one(follower, &events[i], records[i].bytes, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

static enum ch_err apply(struct ch_follower *follower, const struct ch_group *group,
                         struct ch_why *why)
{
    for (size_t at = 0; at < group->count; at += TOGETHER) {
        const size_t left = group->count - at;
        enum ch_err err = apply_some(follower, &group->events[at], &group->records[at],
                                     left < TOGETHER ? left : TOGETHER, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

enum ch_err ch_follower_take(struct ch_follower *follower, struct ch_group *group,
                             struct ch_why *why)
{
    size_t left = group->count;
    enum ch_err err = CH_OK;
    while (err == CH_OK && left > 0) {
        group->count = left;
        err = ch_group_decode(group, why); /* perhaps only those before a bad one */
        if (err == CH_OK) err = apply(follower, group, why);
        left -= group->count;
        memmove(group->records, group->records + group->count, left * sizeof *group->records);
    }
    return err;
}

/* The group that comes next, from the decoder where there is one; NULL at the end. */
static enum ch_err next_group(struct ch_follower *follower, struct ch_decoder *decoder, uint64_t to,
                              const struct ch_group **ret, struct ch_why *why)
{
    if (decoder != NULL) return ch_decoder_next(decoder, ret, why);
    struct ch_group *group = follower->group;
    *ret = NULL;
    if (ch_follower_seq(follower) >= to) return CH_OK;
    enum ch_err err = ch_group_read(group, follower->reader, follower->vouch,
                                    ch_follower_seq(follower) + 1, to, why);
    if (err == CH_OK && group->count > 0) *ret = group;
    return err;
}

static enum ch_err go_on(struct ch_follower *follower, struct ch_decoder *decoder, uint64_t to,
                         ch_follower_progress *progress, void *arg, struct ch_why *why)
{
    uint64_t told = ch_follower_seq(follower);
    for (;;) {
        const struct ch_group *group;
        enum ch_err err = next_group(follower, decoder, to, &group, why);
        if (err != CH_OK || group == NULL) return err;
        err = apply(follower, group, why);
        if (err != CH_OK) return err;
        const uint64_t at = ch_follower_seq(follower);
        if (at - told < PROGRESS_EVENTS) continue;
        told = at;
        if (progress != NULL && !progress(arg, at)) {
            return ch_fail(why, CH_ERR_STOPPED, 0, "stopped at event %llu", (unsigned long long)at);
        }
    }
}

enum ch_err ch_follower_go(struct ch_follower *follower, uint64_t seq,
                           ch_follower_progress *progress, void *arg, struct ch_why *why)
{
    struct ch_decoder *decoder = NULL;
    uint64_t to = seq;
    uint64_t end = 0;
    const uint64_t at = ch_follower_seq(follower);
    if (seq <= at) return CH_OK;
    if (!follower->alone && seq - at >= LONG_EVENTS) {
        enum ch_err err = ch_reader_end(follower->reader, &end, why);
        if (err != CH_OK) return err;
        if (to > end) to = end;
    }
    if (!follower->alone && to > at && to - at >= LONG_EVENTS) {
        enum ch_err err =
            ch_decoder_start(follower->log, follower->vouch, at + 1, to, &decoder, why);
        if (err != CH_OK) return err;
    }
    if (follower->replay.dir != NULL) ch_check_replaying(&follower->replay);
    enum ch_err err = go_on(follower, decoder, to, progress, arg, why);
    ch_check_replaying(NULL);
    ch_decoder_stop(decoder);
    return err;
}

enum ch_err ch_follower_time_of(struct ch_follower *follower, uint64_t seq, uint64_t *ret_at_ns,
                                struct ch_why *why)
{
    struct ch_log_record record;
    enum ch_err err = ch_reader_read(follower->reader, seq, &record, why);
    if (err != CH_OK) return err;
    if (record.bytes.ptr == NULL) {
        return ch_fail_field(why, CH_ERR_NOT_YET, "as_of",
                             "as_of: the log does not reach event %llu", (unsigned long long)seq);
    }
    union ch_event_body body;
    struct ch_event event;
    err = ch_event_decode(record.bytes, &follower->arena, &body, &event, why);
    if (err == CH_OK) *ret_at_ns = event.at;
    ch_arena_reset(&follower->arena);
    return err;
}

enum ch_err ch_follower_seq_at(struct ch_follower *follower, uint64_t at_ns, uint64_t *ret_seq,
                               struct ch_why *why)
{
    uint64_t low = 0; /* every event up to low is not after at_ns */
    uint64_t high;    /* every event above high is */
    enum ch_err err = ch_reader_end(follower->reader, &high, why);
    while (err == CH_OK && low < high) {
        const uint64_t middle = low + (high - low + 1) / 2;
        uint64_t at = 0;
        err = ch_follower_time_of(follower, middle, &at, why);
        if (at <= at_ns) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    if (err == CH_OK) *ret_seq = low;
    return err;
}

static void hash_more(void *arg, const void *ptr, size_t len)
{
    ch_digest_add(arg, ptr, len);
}

enum ch_err ch_state_hash(const struct ch_state *state, uint8_t ret[CH_STATE_HASH_BYTES],
                          struct ch_why *why)
{
    struct ch_digest digest;
    ch_digest_begin(&digest);
    ch_dump(state, hash_more, &digest);
    return ch_digest_end(&digest, ret, why);
}
