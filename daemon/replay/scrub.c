/* scrub: see scrub.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/scrub.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/dump.h"
#include "daemon/log/digest.h"
#include "daemon/log/keys.h"
#include "daemon/log/stored.h"
#include "daemon/replay/verify_impl.h"

enum { SLICE_EVENTS = 2 * CH_TILE_WIDTH, SLICE_PIECES = 4, SLICE_NOTES = 64 };
enum { NS_PER_S = 1000000000 };

enum stage {
    STAGE_REST,   /* no pass is under way */
    STAGE_NOTES,  /* what checkpoints say of the log is gathered */
    STAGE_REPLAY, /* with a state */
    STAGE_TAIL,   /* behind a pass: what was appended since, without a state */
};

struct ch_scrub {
    struct ch_scrub_options options;
    char dir[PATH_MAX];
    enum stage stage;
    uint64_t next_ns;  /* the next slice */
    uint64_t again_ns; /* the next pass */
    uint64_t seq;      /* of the pass: so far records were applied */
    uint64_t read;     /* so far they were given to the tree */
    uint64_t good;     /* up to here nothing is wrong, as far as the tree tells */
    uint64_t vouched;  /* up to here a tile or a root says that they are what they were */
    /* checkpoints */
    uint64_t pass_end; /* of the log when the pass began */
    uint64_t number;   /* the next */
    struct ch_verifier keys[CH_KEYS_RETIRED_MOST + 1];
    size_t key_count;
    struct ch_buf copy;
    struct ch_expected expected;
    struct ch_expected_state last; /* of the last checkpoint that has a state; seq 0: none */
    struct ch_verify_tree *tree;
    struct ch_follower follower;
    struct ch_reader *reader;
    struct ch_arena arena;
    uint64_t last_at; /* of the records read */
    /* a snapshot whose bytes are read */
    struct ch_snapshot_reader *body;
    struct ch_snapshot head;
    struct ch_digest digest;
    struct ch_scrub_facts facts;
};

static void fault(struct ch_scrub *scrub, const char *format, ...) CH_PRINTF(2, 3);
static void fault(struct ch_scrub *scrub, const char *format, ...)
{
    char line[CH_SCRUB_TEXT_BYTES + 128];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(scrub->facts.fault, sizeof scrub->facts.fault, format, args);
    va_end(args);
    scrub->facts.faults++;
    (void)snprintf(line, sizeof line,
                   "FAULT found while verifying: %s. Run charter-verify; have a backup at hand",
                   scrub->facts.fault);
    scrub->options.tell(scrub->options.arg, line);
}

/* ---- a pass ------------------------------------------------------------------------------- */

static void close_body(struct ch_scrub *scrub)
{
    ch_digest_drop(&scrub->digest);
    ch_snapshot_close(scrub->body);
    scrub->body = NULL;
}

static void end_pass(struct ch_scrub *scrub)
{
    ch_verify_tree_destroy(scrub->tree); /* it has no thread */
    scrub->tree = NULL;
    ch_follower_close(&scrub->follower);
    ch_reader_close(scrub->reader);
    scrub->reader = NULL;
    close_body(scrub);
    ch_expected_deinit(&scrub->expected);
    scrub->stage = STAGE_REST;
}

/* By a key that the log has or had. ret_bad: a line that says to be of one of them is not. */
static bool is_signed(const struct ch_scrub *scrub, const struct ch_note *note, bool *ret_bad)
{
    bool found = false;
    *ret_bad = false;
    for (size_t i = 0; i < scrub->key_count; i++) {
        const enum ch_note_answer answer =
            ch_note_check(note->text, note->lines, &scrub->keys[i], NULL);
        found = found || answer == CH_NOTE_GOOD;
        *ret_bad = *ret_bad || answer == CH_NOTE_BAD;
    }
    return found;
}

/* One that is false itself says nothing of the records. */
static enum ch_err take_checkpoint(struct ch_scrub *scrub, uint64_t at_ns,
                                   const struct ch_note *note, const struct ch_checkpoint *read,
                                   struct ch_why *why)
{
    struct ch_expected *expected = &scrub->expected;
    const uint64_t number = scrub->number;
    bool bad = false;
    const struct ch_expected_root root = {.size = read->size,
                                          .part = CH_VERIFY_CHECKPOINT,
                                          .number = number,
                                          .trusted = is_signed(scrub, note, &bad),
                                          .timed = true,
                                          .at_ns = at_ns,
                                          .root = read->root};
    const size_t count = expected->root_count;
    if (bad) {
        fault(scrub, "checkpoint %" PRIu64 ": its signature does not verify", number);
        return CH_OK;
    }
    if (count > 0 && expected->roots[count - 1].size > read->size) {
        fault(scrub, "checkpoint %" PRIu64 " is of fewer records than the one before", number);
        return CH_OK;
    }
    if (!ch_expected_add_root(expected, &root)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the checkpoints");
    }
    if (!read->has_state || read->dump_version != CH_DUMP_VERSION) return CH_OK;
    scrub->last = (struct ch_expected_state){.seq = read->state_seq, .number = number};
    memcpy(scrub->last.hash, read->state_hash, sizeof scrub->last.hash);
    return CH_OK;
}

/* Some of what checkpoints say of the log. ret_all: there is no more. */
static enum ch_err gather_some(struct ch_scrub *scrub, bool *ret_all, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    *ret_all = false;
    for (int i = 0; i < SLICE_NOTES && err == CH_OK; i++, scrub->number++) {
        struct ch_stored stored;
        struct ch_note note;
        struct ch_checkpoint read;
        err = ch_stored_get(scrub->options.log, scrub->number, &scrub->copy, &stored, why);
        if (err != CH_OK) return err;
        *ret_all = stored.number == 0;
        if (*ret_all) return CH_OK;
        if (!ch_checkpoint_read_note(stored.note, &note, &read)) {
            return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                           scrub->number);
        }
        *ret_all = read.size > scrub->pass_end;
        if (*ret_all) return CH_OK;
        err = take_checkpoint(scrub, stored.at_ns, &note, &read, why);
    }
    return err;
}

/* What ended the pass: a fault of the log, or the world. */
static void judge(struct ch_scrub *scrub, enum ch_err err, const struct ch_why *why)
{
    struct ch_verify_report report = {.part = CH_VERIFY_NOTHING};
    struct ch_why tree_why;
    const uint64_t faults = scrub->facts.faults;
    if (scrub->tree != NULL && ch_verify_tree_finish(scrub->tree, &report, &tree_why) == CH_OK &&
        report.part != CH_VERIFY_NOTHING) {
        fault(scrub, "%s", report.text);
    } else if (err == CH_ERR_LOG_CORRUPT || err == CH_ERR_LOG_IO) {
        fault(scrub, "%s", why->text);
    }
    const bool told = scrub->facts.faults > faults;
    if (told && scrub->facts.seq > scrub->good) scrub->facts.seq = scrub->good;
    end_pass(scrub);
}

static void begin_pass(struct ch_scrub *scrub, uint64_t end)
{
    end_pass(scrub);
    scrub->seq = scrub->read = scrub->good = scrub->vouched = 0;
    scrub->pass_end = end;
    scrub->number = 1;
    scrub->last = (struct ch_expected_state){.seq = 0};
    scrub->last_at = 0;
    scrub->key_count = ch_keys_public(scrub->dir, scrub->keys);
    scrub->stage = STAGE_NOTES;
}

static void begin_records(struct ch_scrub *scrub)
{
    struct ch_why why = {0};
    bool all = false;
    enum ch_err err = gather_some(scrub, &all, &why);
    if (err == CH_OK && !all) return;
    if (err == CH_OK) {
        err = ch_verify_tree_create(scrub->options.log, CH_TILES_STORED, &scrub->expected,
                                    /* threads= */ 1, &scrub->tree, &why);
    }
    if (err == CH_OK) err = ch_reader_open(scrub->options.log, &scrub->reader, &why);
    if (err == CH_OK) err = ch_follower_open(&scrub->follower, scrub->options.log, NULL, &why);
    if (err != CH_OK) {
        judge(scrub, err, &why);
        return;
    }
    ch_reader_seek(scrub->reader, 1);
    scrub->follower.replay =
        (struct ch_check_replay){.dir = scrub->dir, .exit_status = CH_EXIT_DAMAGED};
    scrub->stage = STAGE_REPLAY;
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static void drop(struct ch_scrub *scrub, const char *text)
{
    fault(scrub, "snapshot of event %" PRIu64 ": %s", scrub->head.seq, text);
    ch_keeper_drop(scrub->options.keeper, scrub->head.seq, text);
    close_body(scrub);
}

/* The state has come to where a snapshot is of. */
static void check_snapshot(struct ch_scrub *scrub, const struct ch_snapshot *known)
{
    struct ch_why why = {0};
    uint8_t hash[CH_STATE_HASH_BYTES];
    scrub->head = *known;
    enum ch_err err = ch_state_hash(&scrub->follower.state, hash, &why);
    if (err != CH_OK) {
        judge(scrub, err, &why);
        return;
    }
    if (memcmp(hash, known->hash, sizeof hash) != 0) {
        drop(scrub, "replay gives another state");
        return;
    }
    err = ch_snapshot_open(scrub->dir, scrub->head.seq, &scrub->body, &scrub->head, &why);
    if (err == CH_OK) {
        ch_digest_begin(&scrub->digest);
    } else if (ch_snapshot_is_bad(&why)) {
        drop(scrub, why.text);
    }
}

/* Some of its bytes. */
static void read_snapshot(struct ch_scrub *scrub)
{
    uint8_t hash[CH_DIGEST_BYTES];
    for (int i = 0; i < SLICE_PIECES; i++) {
        struct ch_why why;
        struct ch_bytes piece;
        if (ch_snapshot_next(scrub->body, &piece, &why) != CH_OK) {
            drop(scrub, why.text);
            return;
        }
        ch_digest_add(&scrub->digest, piece.ptr, piece.len);
        if (piece.len > 0) continue;
        const enum ch_err err = ch_digest_end(&scrub->digest, hash, &why);
        close_body(scrub);
        if (err != CH_OK) {
            judge(scrub, err, &why);
        } else if (memcmp(hash, scrub->head.hash, sizeof hash) != 0) {
            drop(scrub, "its bytes have another hash than it names");
        }
        return;
    }
}

static void check_last(struct ch_scrub *scrub)
{
    struct ch_why why = {0};
    uint8_t hash[CH_STATE_HASH_BYTES];
    const enum ch_err err = ch_state_hash(&scrub->follower.state, hash, &why);
    if (err != CH_OK) {
        judge(scrub, err, &why);
        return;
    }
    if (memcmp(hash, scrub->last.hash, sizeof hash) == 0) return;
    fault(scrub,
          "replay gives another state behind event %" PRIu64 " than checkpoint %" PRIu64 " says",
          scrub->last.seq, scrub->last.number);
}

/* ---- slices ------------------------------------------------------------------------------- */

/* Gives the tree the records up to `to`. */
static enum ch_err read_to(struct ch_scrub *scrub, uint64_t to, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    while (err == CH_OK && scrub->read < to) {
        struct ch_log_record record;
        err = ch_reader_next(scrub->reader, &record, why);
        if (err == CH_OK && record.bytes.ptr == NULL) break;
        if (err == CH_OK)
            err = ch_verify_record(record.seq, record.bytes, &scrub->last_at, &scrub->arena, why);
        if (err == CH_OK && !ch_verify_tree_add(scrub->tree, record.bytes))
            err = ch_fail(why, CH_ERR_STOPPED, 0, "the tree is another");
        if (err == CH_OK) scrub->read = record.seq;
    }
    return err;
}

static void settle(struct ch_scrub *scrub)
{
    scrub->good = ch_verify_tree_settle(scrub->tree);
    if (scrub->good > scrub->facts.seq) scrub->facts.seq = scrub->good;
}

/* Whether something is false and no record comes any more that the tree could tell it by. */
static bool is_odd(const struct ch_scrub *scrub, uint64_t end)
{
    const bool odd = scrub->good < scrub->read || ch_verify_tree_is_over(scrub->tree);
    return odd && scrub->read >= end;
}

/* How far to read, so that something vouches for what was read: whole tiles; behind them what the
 * head file says. ret_alone: nothing can. */
static enum ch_err aim(struct ch_scrub *scrub, uint64_t end, uint64_t *ret, bool *ret_alone,
                       struct ch_why *why)
{
    struct ch_log_end head;
    bool found = false;
    const size_t count = scrub->expected.root_count;
    const uint64_t last = count == 0 ? 0 : scrub->expected.roots[count - 1].size;
    const uint64_t far = scrub->read + SLICE_EVENTS;
    *ret = far - far % CH_TILE_WIDTH;
    *ret_alone = false;
    if (*ret <= end) return CH_OK;
    enum ch_err err = ch_evlog_read_head(scrub->options.log, &head, &found, why);
    if (err != CH_OK) return err;
    if (!found) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the head file is missing or damaged");
    }
    if (head.seq >= *ret) return CH_OK; /* the log has gone on */
    const struct ch_expected_root root = {
        .size = head.seq, .part = CH_VERIFY_HEAD, .root = head.root};
    *ret = head.seq;
    /* After a power cut it may be behind the log, until there is a new event. */
    *ret_alone = head.seq < end || head.seq < scrub->read || head.seq < last;
    if (*ret_alone) *ret = end;
    if (*ret_alone || ch_expected_add_root(&scrub->expected, &root)) return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the head's root");
}

/* Reads on. What a tile and a record disagree about is read on for, too: a root tells which of the
 * two is false. */
static enum ch_err read_some(struct ch_scrub *scrub, uint64_t end, struct ch_why *why)
{
    uint64_t to = 0;
    bool alone = false;
    enum ch_err err = aim(scrub, end, &to, &alone, why);
    if (err == CH_OK) err = read_to(scrub, to, why);
    settle(scrub);
    if (err != CH_OK) return err;
    const uint64_t whole = scrub->good - scrub->good % CH_TILE_WIDTH;
    const uint64_t rooted = ch_verify_tree_rooted(scrub->tree);
    scrub->vouched = whole > rooted ? whole : rooted;
    if (alone || scrub->good < scrub->read) scrub->vouched = scrub->good;
    return is_odd(scrub, end) ? ch_fail(why, CH_ERR_STOPPED, 0, "the tree is another") : CH_OK;
}

/* The pass is at its end. */
static void go_to_tail(struct ch_scrub *scrub, uint64_t now_ns)
{
    scrub->facts.passes++;
    scrub->again_ns = now_ns + scrub->options.again_ns;
    ch_follower_close(&scrub->follower);
    scrub->stage = STAGE_TAIL;
}

/* Applies some of what is vouched for: a record that was changed could break any assertion. */
static void apply_some(struct ch_scrub *scrub)
{
    struct ch_why why = {0};
    const struct ch_snapshot *next = ch_keeper_after(scrub->options.keeper, scrub->seq);
    uint64_t to = scrub->vouched;
    if (next != NULL && next->seq < to) to = next->seq;
    if (scrub->last.seq > scrub->seq && scrub->last.seq < to) to = scrub->last.seq;
    enum ch_err err = ch_follower_go(&scrub->follower, to, NULL, NULL, &why);
    const uint64_t at = ch_follower_seq(&scrub->follower);
    if (err == CH_OK && at != to) {
        err = ch_fail(&why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " is missing", at + 1);
    }
    if (err != CH_OK) {
        judge(scrub, err, &why);
        return;
    }
    scrub->seq = to;
    if (to == scrub->last.seq) check_last(scrub);
    if (scrub->stage != STAGE_REPLAY) return;
    if (next != NULL && to == next->seq) check_snapshot(scrub, next);
}

static void replay_some(struct ch_scrub *scrub, uint64_t now_ns, uint64_t end)
{
    struct ch_why why = {0};
    enum ch_err err = CH_OK;
    if (scrub->seq == scrub->vouched && scrub->read < end) err = read_some(scrub, end, &why);
    if (err != CH_OK) {
        judge(scrub, err, &why);
        return;
    }
    if (scrub->seq < scrub->vouched) apply_some(scrub);
    if (scrub->stage != STAGE_REPLAY || scrub->body != NULL) return;
    if (scrub->seq >= end && scrub->seq == scrub->read) go_to_tail(scrub, now_ns);
}

static void tail_some(struct ch_scrub *scrub, uint64_t end)
{
    struct ch_why why = {0};
    const uint64_t most = scrub->read + SLICE_EVENTS;
    const enum ch_err err = read_to(scrub, end < most ? end : most, &why);
    settle(scrub);
    scrub->seq = scrub->read;
    if (err == CH_OK && is_odd(scrub, end)) {
        judge(scrub, CH_ERR_STOPPED, &why);
    } else if (err != CH_OK) {
        judge(scrub, err, &why);
    }
}

uint64_t ch_scrub_due_ns(const struct ch_scrub *scrub, uint64_t end)
{
    if (scrub->options.rate == 0 || end == 0) return UINT64_MAX;
    if (scrub->stage == STAGE_REST) return scrub->again_ns;
    if (scrub->stage == STAGE_TAIL && scrub->seq >= end) return scrub->again_ns;
    return scrub->next_ns;
}

void ch_scrub_slice(struct ch_scrub *scrub, uint64_t now_ns, uint64_t end)
{
    const uint64_t read = scrub->read;
    const bool between = scrub->stage == STAGE_REST || scrub->stage == STAGE_TAIL;
    if (between && now_ns >= scrub->again_ns) {
        begin_pass(scrub, end);
    } else if (scrub->stage == STAGE_NOTES) {
        begin_records(scrub);
    } else if (scrub->stage == STAGE_TAIL) {
        tail_some(scrub, end);
    } else if (scrub->body != NULL) {
        read_snapshot(scrub);
    } else if (scrub->stage == STAGE_REPLAY) {
        replay_some(scrub, now_ns, end);
    }
    const uint64_t done = scrub->read > read ? scrub->read - read : 1;
    scrub->next_ns = now_ns + done * NS_PER_S / scrub->options.rate;
    if (scrub->stage == STAGE_REST) scrub->again_ns = now_ns + scrub->options.again_ns;
}

void ch_scrub_tell(struct ch_scrub *scrub, const char *text)
{
    fault(scrub, "%s", text);
}

const struct ch_scrub_facts *ch_scrub_facts(const struct ch_scrub *scrub)
{
    return &scrub->facts;
}

enum ch_err ch_scrub_open(const struct ch_scrub_options *options, struct ch_scrub **ret,
                          struct ch_why *why)
{
    struct ch_scrub *scrub = calloc(1, sizeof *scrub);
    if (scrub == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to verify");
    scrub->options = *options;
    const int len = snprintf(scrub->dir, sizeof scrub->dir, "%s", options->dir);
    if (len < 0 || (size_t)len >= sizeof scrub->dir) {
        free(scrub);
        return ch_fail(why, CH_ERR_FILE_IO, 0, "the path of the data directory is too long");
    }
    *ret = scrub;
    return CH_OK;
}

void ch_scrub_close(struct ch_scrub *scrub)
{
    if (scrub == NULL) return;
    end_pass(scrub);
    ch_arena_deinit(&scrub->arena);
    ch_buf_deinit(&scrub->copy);
    free(scrub);
}
