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
#include "daemon/log/stored.h"
#include "daemon/replay/verify_impl.h"

enum { SLICE_EVENTS = 512, SLICE_PIECES = 4 };
enum { NS_PER_S = 1000000000 };

enum stage {
    STAGE_REST,   /* no pass is under way */
    STAGE_REPLAY, /* with a state */
    STAGE_TAIL,   /* behind a pass: what was appended since, without a state */
};

struct ch_scrub {
    struct ch_scrub_options options;
    char dir[PATH_MAX];
    enum stage stage;
    uint64_t next_ns;  /* the next slice */
    uint64_t again_ns; /* the next pass */
    uint64_t seq;      /* of the pass */
    uint64_t good;     /* up to here nothing is wrong, as far as the tree tells */
    struct ch_expected expected;
    struct ch_expected_state last; /* of the last checkpoint that has a state; seq 0: none */
    struct ch_verify_tree *tree;
    struct ch_follower follower;
    /* the tail's */
    struct ch_reader *reader;
    struct ch_arena arena;
    uint64_t last_at;
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

static void end_pass(struct ch_scrub *scrub)
{
    ch_verify_tree_destroy(scrub->tree); /* it has no thread */
    scrub->tree = NULL;
    ch_follower_close(&scrub->follower);
    ch_reader_close(scrub->reader);
    scrub->reader = NULL;
    ch_snapshot_close(scrub->body);
    scrub->body = NULL;
    ch_expected_deinit(&scrub->expected);
    scrub->stage = STAGE_REST;
}

/* What checkpoints say of the log. */
static enum ch_err gather(struct ch_scrub *scrub, uint64_t end, struct ch_why *why)
{
    struct ch_buf copy = {0};
    struct ch_buf roots = {0};
    enum ch_err err = CH_OK;
    scrub->last = (struct ch_expected_state){.seq = 0};
    for (uint64_t number = 1; err == CH_OK; number++) {
        struct ch_stored stored;
        struct ch_note note;
        struct ch_checkpoint read;
        err = ch_stored_get(scrub->options.log, number, &copy, &stored, why);
        if (err != CH_OK || stored.number == 0) break;
        if (!ch_checkpoint_read_note(stored.note, &note, &read)) {
            err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                          number);
            break;
        }
        if (read.size > end) break;
        const struct ch_expected_root root = {.size = read.size,
                                              .part = CH_VERIFY_CHECKPOINT,
                                              .number = number,
                                              .trusted = true,
                                              .root = read.root};
        ch_buf_put(&roots, &root, sizeof root);
        if (!read.has_state || read.dump_version != CH_DUMP_VERSION) continue;
        scrub->last = (struct ch_expected_state){.seq = read.state_seq, .number = number};
        memcpy(scrub->last.hash, read.state_hash, sizeof scrub->last.hash);
    }
    ch_buf_deinit(&copy);
    if (roots.failed) {
        ch_buf_deinit(&roots);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the checkpoints");
    }
    scrub->expected.roots = (struct ch_expected_root *)(void *)roots.ptr; /* moved */
    scrub->expected.root_count = roots.len / sizeof *scrub->expected.roots;
    return err;
}

static enum ch_err before(void *arg, const struct ch_state *state, const struct ch_event *event,
                          struct ch_bytes record, struct ch_why *why)
{
    struct ch_scrub *scrub = arg;
    (void)state;
    (void)event;
    if (ch_verify_tree_add(scrub->tree, record)) return CH_OK;
    return ch_fail(why, CH_ERR_STOPPED, 0, "the tree is another");
}

/* What ended the pass: a fault of the log, or the world. */
static void judge(struct ch_scrub *scrub, enum ch_err err, const struct ch_why *why)
{
    struct ch_verify_report report = {.part = CH_VERIFY_NOTHING};
    struct ch_why tree_why;
    if (scrub->tree != NULL && ch_verify_tree_finish(scrub->tree, &report, &tree_why) == CH_OK &&
        report.part != CH_VERIFY_NOTHING) {
        fault(scrub, "%s", report.text);
    } else if (err == CH_ERR_LOG_CORRUPT || err == CH_ERR_LOG_IO) {
        fault(scrub, "%s", why->text);
    }
    if (scrub->facts.seq > scrub->good) scrub->facts.seq = scrub->good;
    end_pass(scrub);
}

static void begin_pass(struct ch_scrub *scrub, uint64_t end)
{
    struct ch_why why = {0};
    end_pass(scrub);
    scrub->seq = 0;
    scrub->good = 0;
    enum ch_err err = gather(scrub, end, &why);
    if (err == CH_OK) {
        err = ch_verify_tree_create(scrub->options.log, CH_TILES_STORED, &scrub->expected,
                                    /* threads= */ 1, &scrub->tree, &why);
    }
    if (err == CH_OK) err = ch_follower_open(&scrub->follower, scrub->options.log, NULL, &why);
    if (err != CH_OK) {
        judge(scrub, err, &why);
        return;
    }
    scrub->follower.before = before;
    scrub->follower.before_arg = scrub;
    scrub->stage = STAGE_REPLAY;
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static void drop(struct ch_scrub *scrub, const char *text)
{
    fault(scrub, "snapshot of event %" PRIu64 ": %s", scrub->head.seq, text);
    ch_keeper_drop(scrub->options.keeper, scrub->head.seq, text);
    ch_snapshot_close(scrub->body);
    scrub->body = NULL;
}

/* The state has come to where a snapshot is of. */
static void check_snapshot(struct ch_scrub *scrub, const struct ch_snapshot *known)
{
    struct ch_why why = {0};
    uint8_t hash[CH_STATE_HASH_BYTES];
    scrub->head = *known;
    ch_state_hash(&scrub->follower.state, hash);
    if (memcmp(hash, known->hash, sizeof hash) != 0) {
        drop(scrub, "replay gives another state");
        return;
    }
    const enum ch_err err =
        ch_snapshot_open(scrub->dir, scrub->head.seq, &scrub->body, &scrub->head, &why);
    if (err != CH_OK && ch_snapshot_is_bad(&why)) drop(scrub, why.text);
    ch_digest_begin(&scrub->digest);
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
        ch_digest_end(&scrub->digest, hash);
        ch_snapshot_close(scrub->body);
        scrub->body = NULL;
        if (memcmp(hash, scrub->head.hash, sizeof hash) != 0) {
            drop(scrub, "its bytes have another hash than it names");
        }
        return;
    }
}

static void check_last(struct ch_scrub *scrub)
{
    uint8_t hash[CH_STATE_HASH_BYTES];
    ch_state_hash(&scrub->follower.state, hash);
    if (memcmp(hash, scrub->last.hash, sizeof hash) == 0) return;
    fault(scrub,
          "replay gives another state behind event %" PRIu64 " than checkpoint %" PRIu64 " says",
          scrub->last.seq, scrub->last.number);
}

/* ---- slices ------------------------------------------------------------------------------- */

/* So far records were read. False: one of them is false. */
static bool reach(struct ch_scrub *scrub, uint64_t seq)
{
    scrub->seq = seq;
    scrub->good = ch_verify_tree_settle(scrub->tree);
    if (scrub->good > scrub->facts.seq) scrub->facts.seq = scrub->good;
    return scrub->good == seq;
}

/* The pass is at its end. */
static void go_to_tail(struct ch_scrub *scrub, uint64_t now_ns)
{
    struct ch_why why = {0};
    if (scrub->good != scrub->seq) {
        judge(scrub, CH_OK, &why);
        return;
    }
    scrub->facts.passes++;
    scrub->again_ns = now_ns + scrub->options.again_ns;
    scrub->last_at = ch_meta(&scrub->follower.state)->last_at;
    ch_follower_close(&scrub->follower);
    if (ch_reader_open(scrub->options.log, &scrub->reader, &why) != CH_OK) {
        end_pass(scrub);
        return;
    }
    ch_reader_seek(scrub->reader, scrub->seq + 1);
    scrub->stage = STAGE_TAIL;
}

static void replay_some(struct ch_scrub *scrub, uint64_t now_ns, uint64_t end)
{
    struct ch_why why = {0};
    const struct ch_snapshot *next = ch_keeper_after(scrub->options.keeper, scrub->seq);
    uint64_t to = end - scrub->seq > SLICE_EVENTS ? scrub->seq + SLICE_EVENTS : end;
    if (next != NULL && next->seq < to) to = next->seq;
    if (scrub->last.seq > scrub->seq && scrub->last.seq < to) to = scrub->last.seq;
    const enum ch_err err = ch_follower_go(&scrub->follower, to, NULL, NULL, &why);
    if (err != CH_OK || ch_follower_seq(&scrub->follower) != to) {
        judge(scrub, err, &why);
        return;
    }
    /* What is made of a false record is not held against a snapshot. */
    const bool compared = to == scrub->last.seq || (next != NULL && to == next->seq);
    if (!reach(scrub, to) && compared) {
        judge(scrub, CH_OK, &why);
        return;
    }
    if (to == scrub->last.seq) check_last(scrub);
    if (next != NULL && to == next->seq) check_snapshot(scrub, next);
    if (to == end && scrub->body == NULL) go_to_tail(scrub, now_ns);
}

static void tail_some(struct ch_scrub *scrub, uint64_t end)
{
    struct ch_why why = {0};
    enum ch_err err = CH_OK;
    uint64_t seq = scrub->seq;
    for (int i = 0; err == CH_OK && seq < end && i < SLICE_EVENTS; i++) {
        struct ch_log_record record;
        err = ch_reader_next(scrub->reader, &record, &why);
        if (err == CH_OK && record.bytes.ptr == NULL) break;
        if (err == CH_OK)
            err = ch_verify_record(record.seq, record.bytes, &scrub->last_at, &scrub->arena, &why);
        if (err == CH_OK && !ch_verify_tree_add(scrub->tree, record.bytes)) err = CH_ERR_STOPPED;
        if (err == CH_OK) seq = record.seq;
    }
    if (!reach(scrub, seq) && err == CH_OK && seq == end) err = CH_ERR_STOPPED;
    if (err != CH_OK) judge(scrub, err, &why);
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
    const uint64_t seq = scrub->seq;
    if (scrub->stage != STAGE_REPLAY && now_ns >= scrub->again_ns) {
        begin_pass(scrub, end);
    } else if (scrub->stage == STAGE_TAIL) {
        tail_some(scrub, end);
    } else if (scrub->body != NULL) {
        read_snapshot(scrub);
    } else if (scrub->stage == STAGE_REPLAY && scrub->seq < end) {
        replay_some(scrub, now_ns, end);
    } else if (scrub->stage == STAGE_REPLAY) {
        go_to_tail(scrub, now_ns);
    }
    const uint64_t done = scrub->seq > seq ? scrub->seq - seq : 1;
    scrub->next_ns = now_ns + done * NS_PER_S / scrub->options.rate;
    if (scrub->stage == STAGE_REST) scrub->again_ns = now_ns + scrub->options.again_ns;
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
    free(scrub);
}
