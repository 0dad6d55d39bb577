/* follower: see follower.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/follower.h"

#include "daemon/core/apply.h"
#include "daemon/core/dump.h"
#include "daemon/log/digest.h"

enum { PROGRESS_EVENTS = 65536, GROUP_EVENTS = 32 };

enum ch_err ch_follower_open(struct ch_follower *follower, struct ch_evlog *log,
                             const struct ch_directory *directory, struct ch_why *why)
{
    *follower = (struct ch_follower){.directory = directory};
    enum ch_err err = ch_reader_open(log, &follower->reader, why);
    if (err != CH_OK) return err;
    if (!ch_state_init(&follower->state)) {
        ch_reader_close(follower->reader);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for an empty state");
    }
    follower->open = true;
    return CH_OK;
}

void ch_follower_close(struct ch_follower *follower)
{
    if (follower == NULL || !follower->open) return;
    ch_reader_close(follower->reader);
    ch_state_deinit(&follower->state);
    ch_arena_deinit(&follower->arena);
    *follower = (struct ch_follower){0};
}

enum ch_err ch_follower_rewind(struct ch_follower *follower, struct ch_why *why)
{
    ch_state_deinit(&follower->state);
    if (ch_state_init(&follower->state)) return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for an empty state");
}

/* Events that are read, decoded and touched together, and then applied one by one. */
struct group {
    struct ch_log_record records[GROUP_EVENTS];
    struct ch_event events[GROUP_EVENTS];
    union ch_event_body bodies[GROUP_EVENTS];
    size_t count;
};

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
    ch_apply(&follower->state, event);
    if (follower->directory == NULL) return CH_OK;
    return ch_directory_learn(follower->directory, &follower->state, event, why);
}

/* Decodes the group's records; on a failure those before the bad one stay good. */
static enum ch_err decode(struct ch_follower *follower, struct group *group, struct ch_why *why)
{
    size_t items = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct ch_log_record *record = &group->records[i];
        struct ch_event *event = &group->events[i];
        enum ch_err err =
            ch_event_decode(record->bytes, &follower->arena, &group->bodies[i], event, why);
        if (err == CH_OK && event->seq != record->seq) {
            err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %llu says that it is event %llu",
                          (unsigned long long)record->seq, (unsigned long long)event->seq);
        }
        if (err != CH_OK && i > 0) {
            group->count = i; /* met again as the first of the next group */
            break;
        }
        if (err != CH_OK) return err;
        ch_apply_needs(event, &items, &bytes);
    }
    if (ch_apply_reserve_many(&follower->state, group->count, items, bytes)) return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to apply event %llu",
                   (unsigned long long)group->events[0].seq);
}

static enum ch_err apply(struct ch_follower *follower, const struct group *group,
                         struct ch_why *why)
{
    for (int step = 0; step < CH_AHEAD_STEPS; step++) {
        for (size_t i = 0; i < group->count; i++) {
            ch_apply_ahead(&follower->state, &group->events[i], step);
        }
    }
    for (size_t i = 0; i < group->count; i++) {
        enum ch_err err = apply_one(follower, &group->events[i], group->records[i].bytes, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

enum ch_err ch_follower_go(struct ch_follower *follower, uint64_t seq,
                           ch_follower_progress *progress, void *arg, struct ch_why *why)
{
    uint64_t at = ch_follower_seq(follower);
    uint64_t told = at;
    struct group group;
    while (at < seq) {
        const uint64_t left = seq - at;
        ch_reader_seek(follower->reader, at + 1);
        enum ch_err err = ch_reader_next_some(follower->reader, group.records,
                                              left < GROUP_EVENTS ? (size_t)left : GROUP_EVENTS,
                                              &group.count, why);
        if (err == CH_OK && group.count == 0) break;
        if (err == CH_OK) err = decode(follower, &group, why);
        if (err == CH_OK) err = apply(follower, &group, why);
        ch_arena_reset(&follower->arena);
        if (err != CH_OK) return err;
        at += group.count;
        if (at - told < PROGRESS_EVENTS) continue;
        told = at;
        if (progress != NULL && !progress(arg, at)) {
            return ch_fail(why, CH_ERR_STOPPED, 0, "stopped at event %llu", (unsigned long long)at);
        }
    }
    return CH_OK;
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

void ch_state_hash(const struct ch_state *state, uint8_t ret[CH_STATE_HASH_BYTES])
{
    struct ch_digest digest;
    ch_digest_begin(&digest);
    ch_dump(state, hash_more, &digest);
    ch_digest_end(&digest, ret);
}
