/* verify_snapshots: the snapshots beside the log; see verify_impl.h. SPDX-License-Identifier: MIT
 * Their heads are read before the records; bytes, root and state are checked when the records
 * before them have been read. */
#include "daemon/replay/verify_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "daemon/core/dump.h"
#include "daemon/log/digest.h"
#include "schema/event.h"

enum ch_err ch_verify_list_snapshots(const char *dir, struct ch_verify_begin *begin,
                                     struct ch_verify_report *report, struct ch_why *why)
{
    const enum ch_err err = ch_snapshot_list(dir, begin->snapshots, CH_VERIFY_SNAPSHOTS_MOST,
                                             &begin->snapshot_count, why);
    if (err == CH_ERR_FILE_IO) {
        ch_verify_fault(report, CH_VERIFY_SNAPSHOT, 0, "%s", why->text);
        return CH_OK;
    }
    return err;
}

static bool is_known(const struct ch_snapshot *head)
{
    return head->body_version == CH_DUMP_VERSION && head->event_types <= CH_EVENT_TAGS;
}

/* Its bytes against what its head says of them: the checksum, which the reader knows, and the hash,
 * of which the dump's version tells how it is made. */
static enum ch_err read_body(struct ch_snapshot_reader *reader, const struct ch_snapshot *head,
                             struct ch_why *why)
{
    uint8_t hash[CH_DIGEST_BYTES];
    struct ch_digest digest;
    struct ch_bytes piece;
    enum ch_err err = CH_OK;
    ch_digest_begin(&digest);
    do {
        err = ch_snapshot_next(reader, &piece, why);
        if (err == CH_OK) ch_digest_add(&digest, piece.ptr, piece.len);
    } while (err == CH_OK && piece.len > 0);
    if (err == CH_OK) err = ch_digest_end(&digest, hash, why);
    ch_digest_drop(&digest);
    if (err != CH_OK || head->body_version != CH_DUMP_VERSION) return err;
    if (memcmp(hash, head->hash, sizeof hash) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its bytes have another hash than it names");
}

/* body: its bytes, too. ret_gone: a daemon at work deleted it meanwhile */
static enum ch_err check_one(const char *dir, uint64_t seq, bool body, struct ch_snapshot *head,
                             bool *ret_gone, struct ch_why *why)
{
    struct ch_snapshot_reader *reader = NULL;
    enum ch_err err = ch_snapshot_open(dir, seq, &reader, head, why);
    *ret_gone = err == CH_ERR_FILE_IO && why->code == ENOENT;
    if (err == CH_OK && body) err = read_body(reader, head, why);
    ch_snapshot_close(reader);
    return err;
}

/* What is wrong with a snapshot is a fault; what is not its own, a failure. */
static enum ch_err judge(struct ch_verify_report *report, uint64_t seq, enum ch_err err,
                         const struct ch_why *why)
{
    if (err != CH_ERR_LOG_CORRUPT && err != CH_ERR_FILE_IO) return err;
    ch_verify_fault(report, CH_VERIFY_SNAPSHOT, seq, "snapshot of event %" PRIu64 ": %s", seq,
                    why->text);
    return CH_OK;
}

enum ch_err ch_verify_snapshots(const struct ch_verify_options *options,
                                const struct ch_verify_begin *begin, struct ch_expected *expected,
                                struct ch_verify_report *report, struct ch_why *why)
{
    for (size_t i = 0; i < begin->snapshot_count; i++) {
        struct ch_snapshot head;
        bool gone = false;
        const uint64_t seq = begin->snapshots[i].seq;
        enum ch_err err = check_one(options->dir, seq, /* body= */ false, &head, &gone, why);
        const bool newest = i + 1 == begin->snapshot_count;
        const bool compared = err == CH_OK && is_known(&head) && seq <= begin->counts.last &&
                              options->replay && (newest || !options->last_state);
        if (err == CH_OK && !compared) {
            err = check_one(options->dir, seq, /* body= */ true, &head, &gone, why);
        }
        if (gone) continue;
        if (err != CH_OK) return judge(report, seq, err, why);
        if (seq > begin->whole) {
            ch_verify_fault(report, CH_VERIFY_SNAPSHOT, seq,
                            "snapshot of event %" PRIu64 ": the log ends at %" PRIu64 ", before it",
                            seq, begin->whole);
            return CH_OK;
        }
        if (seq > begin->counts.last) continue; /* not looked at so far */
        report->snapshots++;
        const struct ch_expected_root root = {
            .size = seq, .part = CH_VERIFY_SNAPSHOT, .number = seq, .root = head.root};
        struct ch_expected_state state = {
            .seq = seq, .part = CH_VERIFY_SNAPSHOT, .at_ns = head.at_ns};
        memcpy(state.hash, head.hash, sizeof state.hash);
        if (!is_known(&head)) report->other_states++;
        if (!ch_expected_add_root(expected, &root) ||
            (compared && !ch_expected_add_state(expected, &state))) {
            return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the snapshots");
        }
    }
    return CH_OK;
}

/* ---- against replay ----------------------------------------------------------------------- */

struct comparing {
    struct ch_snapshot_reader *reader;
    struct ch_bytes piece;   /* what is left of it */
    struct ch_digest digest; /* of the state's dump */
    bool hashes;             /* unless that has been made before */
    bool other;              /* the file has other bytes */
    enum ch_err err;
    struct ch_why *why;
};

/* Some of the state's dump against the bytes that come next. */
static void compare(void *arg, const void *ptr, size_t len)
{
    struct comparing *c = arg;
    const uint8_t *at = ptr;
    if (c->hashes) ch_digest_add(&c->digest, ptr, len);
    while (len > 0 && !c->other && c->err == CH_OK) {
        if (c->piece.len == 0) {
            c->err = ch_snapshot_next(c->reader, &c->piece, c->why);
            c->other = c->err == CH_OK && c->piece.len == 0; /* it is shorter */
            continue;
        }
        const size_t both = len < c->piece.len ? len : c->piece.len;
        c->other = memcmp(at, c->piece.ptr, both) != 0;
        at += both;
        len -= both;
        c->piece.ptr += both;
        c->piece.len -= both;
    }
}

/* What follows: the end, where the checksum is found right. */
static void compare_end(struct comparing *c)
{
    if (c->other || c->err != CH_OK) return;
    c->other = c->piece.len > 0;
    if (!c->other) c->err = ch_snapshot_next(c->reader, &c->piece, c->why);
    if (c->err == CH_OK) c->other = c->piece.len > 0;
}

enum ch_err ch_verify_snapshot(struct ch_verifying *v, const struct ch_expected_state *expected,
                               struct ch_why *why)
{
    struct ch_snapshot head;
    const uint64_t seq = expected->seq;
    struct comparing c = {.why = why, .hashes = v->hashed_seq != seq};
    enum ch_err err = ch_snapshot_open(v->options->dir, seq, &c.reader, &head, why);
    if (err == CH_ERR_FILE_IO && why->code == ENOENT) {
        v->report->snapshots--; /* deleted meanwhile, but a second half may have begun with it */
        bool same = false;
        err = ch_verify_state_is(v, expected->hash, &same, why);
        if (err != CH_OK || same) return err;
        err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "replay gives another state");
    }
    if (err != CH_OK) return judge(v->report, seq, err, why);
    if (c.hashes) ch_digest_begin(&c.digest);
    ch_dump(&v->follower.state, compare, &c);
    compare_end(&c);
    ch_snapshot_close(c.reader);
    if (c.hashes) {
        err = ch_digest_end(&c.digest, v->hashed, why);
        if (err != CH_OK) return err;
        v->hashed_seq = seq;
    }
    const bool same_hash = memcmp(v->hashed, head.hash, sizeof head.hash) == 0;
    const bool as_listed = memcmp(head.hash, expected->hash, sizeof head.hash) == 0;
    if (c.err == CH_OK && c.other && !same_hash) { /* which of both is it that is not replay's? */
        bool gone = false;
        c.err = check_one(v->options->dir, seq, /* body= */ true, &head, &gone, why);
        if (c.err == CH_OK)
            c.err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "replay gives another state");
    } else if (c.err == CH_OK && (c.other || !same_hash)) {
        c.err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its bytes have another hash than it names");
    } else if (c.err == CH_OK && !as_listed) { /* a second half may have begun with the other */
        c.err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "replay gives another state than it had");
    } else if (c.err == CH_OK && ch_meta(&v->follower.state)->last_at != expected->at_ns) {
        c.err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "replay gives another time");
    }
    return judge(v->report, seq, c.err, why);
}

enum ch_err ch_verify_snapshots_left(struct ch_verifying *v, struct ch_why *why)
{
    for (size_t i = v->next_state; i < v->expected.state_count && !ch_verify_over(v); i++) {
        struct ch_snapshot head;
        bool gone = false;
        const uint64_t seq = v->expected.states[i].seq;
        if (v->expected.states[i].part != CH_VERIFY_SNAPSHOT) continue;
        enum ch_err err = check_one(v->options->dir, seq, /* body= */ true, &head, &gone, why);
        if (!gone) err = judge(v->report, seq, err, why);
        if (err != CH_OK && !gone) return err;
    }
    return CH_OK;
}
