/* verify_snapshots: the snapshots beside the log; see verify_impl.h. SPDX-License-Identifier: MIT
 * Their bytes are checked here; root and state when the records before them have been read. */
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

/* Its bytes against what its head says of them. */
static enum ch_err read_body(struct ch_snapshot_reader *reader, const struct ch_snapshot *head,
                             struct ch_why *why)
{
    uint8_t hash[CH_DIGEST_BYTES];
    struct ch_digest digest;
    struct ch_bytes piece;
    ch_digest_begin(&digest);
    do {
        const enum ch_err err = ch_snapshot_next(reader, &piece, why);
        if (err != CH_OK) return err;
        ch_digest_add(&digest, piece.ptr, piece.len);
    } while (piece.len > 0);
    ch_digest_end(&digest, hash);
    if (memcmp(hash, head->hash, sizeof hash) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its bytes have another hash than it names");
}

static bool is_known(const struct ch_snapshot *head)
{
    return head->body_version == CH_DUMP_VERSION && head->event_types <= CH_EVENT_TAGS;
}

/* ret_gone: a daemon at work deleted it meanwhile */
static enum ch_err check_one(const char *dir, uint64_t seq, struct ch_snapshot *head,
                             bool *ret_gone, struct ch_why *why)
{
    struct ch_snapshot_reader *reader = NULL;
    enum ch_err err = ch_snapshot_open(dir, seq, &reader, head, why);
    *ret_gone = err == CH_ERR_FILE_IO && why->code == ENOENT;
    if (err == CH_OK) err = read_body(reader, head, why);
    ch_snapshot_close(reader);
    return err;
}

enum ch_err ch_verify_snapshots(const struct ch_verify_options *options,
                                const struct ch_verify_begin *begin, struct ch_expected *expected,
                                struct ch_verify_report *report, struct ch_why *why)
{
    for (size_t i = 0; i < begin->snapshot_count; i++) {
        struct ch_snapshot head;
        bool gone = false;
        const uint64_t seq = begin->snapshots[i].seq;
        const enum ch_err err = check_one(options->dir, seq, &head, &gone, why);
        if (gone) continue;
        if (err == CH_ERR_LOG_CORRUPT || err == CH_ERR_FILE_IO) {
            ch_verify_fault(report, CH_VERIFY_SNAPSHOT, seq, "snapshot of event %" PRIu64 ": %s",
                            seq, why->text);
            return CH_OK;
        }
        if (err != CH_OK) return err;
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
        const bool newest = i + 1 == begin->snapshot_count;
        const bool wanted = is_known(&head) && (newest || !options->last_state);
        if (!ch_expected_add_root(expected, &root) ||
            (wanted && !ch_expected_add_state(expected, &state))) {
            return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the snapshots");
        }
    }
    return CH_OK;
}
