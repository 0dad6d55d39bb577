/* follower: see follower.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/follower.h"

#include "daemon/core/apply.h"
#include "daemon/core/dump.h"
#include "daemon/log/digest.h"

enum { PROGRESS_EVENTS = 65536, ARENA_EVENTS = 256 };

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

static enum ch_err take(struct ch_follower *follower, const struct ch_log_record *record,
                        struct ch_why *why)
{
    union ch_event_body body;
    struct ch_event event;
    enum ch_err err = ch_event_decode(record->bytes, &follower->arena, &body, &event, why);
    if (err != CH_OK) return err;
    const struct ch_row_meta *meta = ch_meta(&follower->state);
    if (event.seq != record->seq || event.seq != meta->head + 1 || event.at < meta->last_at) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu does not follow event %llu",
                       (unsigned long long)event.seq, (unsigned long long)meta->head);
    }
    if (!ch_apply_reserve(&follower->state, &event)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to apply event %llu",
                       (unsigned long long)event.seq);
    }
    if (follower->before != NULL) {
        err = follower->before(follower->before_arg, &follower->state, &event, record->bytes, why);
        if (err != CH_OK) return err;
    }
    ch_apply(&follower->state, &event);
    if (follower->directory == NULL) return CH_OK;
    return ch_directory_learn(follower->directory, &follower->state, &event, why);
}

enum ch_err ch_follower_go(struct ch_follower *follower, uint64_t seq,
                           ch_follower_progress *progress, void *arg, struct ch_why *why)
{
    uint64_t at = ch_follower_seq(follower);
    if (at >= seq) return CH_OK;
    ch_reader_seek(follower->reader, at + 1);
    while (at < seq) {
        struct ch_log_record record;
        enum ch_err err = ch_reader_next(follower->reader, &record, why);
        if (err != CH_OK) return err;
        if (record.bytes.ptr == NULL) break;
        err = take(follower, &record, why);
        if (err != CH_OK) return err;
        at = record.seq;
        if (at % ARENA_EVENTS == 0) ch_arena_reset(&follower->arena);
        if (at % PROGRESS_EVENTS == 0 && progress != NULL && !progress(arg, at)) {
            return ch_fail(why, CH_ERR_STOPPED, 0, "stopped at event %llu", (unsigned long long)at);
        }
    }
    ch_arena_reset(&follower->arena);
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
