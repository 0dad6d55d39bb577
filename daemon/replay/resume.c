/* resume: see resume.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/resume.h"

#include <inttypes.h>
#include <pthread.h>

#include "daemon/core/dump.h"
#include "daemon/core/load.h"
#include "daemon/log/prover.h"
#include "daemon/log/thread.h"

static enum ch_err misfit(enum ch_resume_fit fit, enum ch_resume_fit *ret)
{
    *ret = fit;
    return CH_OK;
}

enum ch_err ch_resume_check(const char *dir, uint64_t seq, uint64_t log_end,
                            struct ch_prover *prover, struct ch_snapshot *head,
                            enum ch_resume_fit *ret_fit, struct ch_why *why)
{
    struct ch_snapshot_reader *reader = NULL;
    struct ch_hash root;
    enum ch_err err = ch_snapshot_open(dir, seq, &reader, head, why);
    ch_snapshot_close(reader);
    if (err == CH_ERR_LOG_CORRUPT) return misfit(CH_RESUME_DAMAGED, ret_fit);
    if (err != CH_OK) return err;
    if (head->body_version != CH_DUMP_VERSION || head->event_types > CH_EVENT_TAGS) {
        (void)ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "another version of charterd made it");
        return misfit(CH_RESUME_OTHER, ret_fit);
    }
    if (head->seq > log_end) {
        (void)ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the log ends at %" PRIu64 ", before it",
                      log_end);
        return misfit(CH_RESUME_FOREIGN, ret_fit);
    }
    err = ch_prover_root(prover, head->seq, &root, why);
    if (err != CH_OK) return err;
    if (!ch_hash_equal(&root, &head->root)) {
        (void)ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "it is of another log: the root is another");
        return misfit(CH_RESUME_FOREIGN, ret_fit);
    }
    return misfit(CH_RESUME_GOOD, ret_fit);
}

/* ---- loading ------------------------------------------------------------------------------ */

/* The state hash, made beside the indexes. */
struct hashing {
    const struct ch_state *state;
    uint8_t hash[CH_STATE_HASH_BYTES];
    enum ch_err err;
    struct ch_why why;
    pthread_t thread;
    bool threaded;
};

static void *run_hash(void *arg)
{
    struct hashing *hashing = arg;
    hashing->err = ch_state_hash(hashing->state, hashing->hash, &hashing->why);
    return NULL;
}

static void start_hash(struct hashing *hashing)
{
    hashing->threaded = ch_thread_start(&hashing->thread, "hash", run_hash, hashing) == 0;
}

static void finish_hash(struct hashing *hashing)
{
    if (hashing->threaded) {
        (void)pthread_join(hashing->thread, NULL);
    } else {
        (void)run_hash(hashing);
    }
}

static enum ch_err tell(const struct ch_load *load, struct ch_why *why)
{
    if (load->no_memory) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a snapshot");
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "table %s: %s", ch_load_table(load), load->wrong);
}

static enum ch_err read_tables(struct ch_load *load, struct ch_snapshot_reader *reader,
                               uint64_t seq, ch_follower_progress *go_on, void *arg,
                               struct ch_why *why)
{
    for (;;) {
        struct ch_bytes piece;
        const enum ch_err err = ch_snapshot_next(reader, &piece, why);
        if (err != CH_OK) return err;
        if (piece.len == 0) break;
        if (!ch_load_more(load, piece.ptr, piece.len)) return tell(load, why);
        if (go_on != NULL && !go_on(arg, seq)) {
            return ch_fail(why, CH_ERR_STOPPED, 0, "stopped while a snapshot was loaded");
        }
    }
    return ch_load_end(load) ? CH_OK : tell(load, why);
}

static enum ch_err load_state(struct ch_state *state, const char *dir,
                              const struct ch_snapshot *head, ch_follower_progress *go_on,
                              void *arg, struct ch_why *why)
{
    struct ch_snapshot_reader *reader = NULL;
    struct ch_snapshot found;
    struct ch_load load;
    enum ch_err err = ch_snapshot_open(dir, head->seq, &reader, &found, why);
    if (err != CH_OK) return err;
    ch_load_begin(&load, state, found.bytes);
    err = read_tables(&load, reader, head->seq, go_on, arg, why);
    ch_snapshot_close(reader);
    if (err != CH_OK) return err;
    struct hashing hashing = {.state = state};
    start_hash(&hashing);
    const bool indexed = ch_load_index(&load);
    finish_hash(&hashing);
    if (hashing.err != CH_OK) {
        *why = hashing.why;
        return hashing.err;
    }
    if (memcmp(hashing.hash, head->hash, sizeof head->hash) != 0) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its state has another hash than it names");
    }
    if (!indexed) return tell(&load, why);
    const struct ch_row_meta *meta = ch_meta(state);
    if (meta->head != found.seq || found.seq != head->seq || meta->last_at != found.at_ns) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its state is that of event %" PRIu64,
                       meta->head);
    }
    return CH_OK;
}

enum ch_err ch_resume_load(struct ch_follower *follower, const char *dir,
                           const struct ch_snapshot *head, ch_follower_progress *go_on, void *arg,
                           struct ch_why *why)
{
    enum ch_err err = ch_follower_rewind(follower, why);
    if (err != CH_OK) return err;
    err = load_state(&follower->state, dir, head, go_on, arg, why);
    if (err == CH_OK && follower->directory != NULL) {
        err = ch_directory_fill(follower->directory, &follower->state, why);
    }
    if (err == CH_OK) return CH_OK;
    const enum ch_err again = ch_follower_rewind(follower, NULL);
    return again == CH_OK ? err : ch_fail(why, again, 0, "no memory for an empty state");
}

/* ---- the newest --------------------------------------------------------------------------- */

static bool matters(enum ch_err err)
{
    return err == CH_ERR_NO_MEMORY;
}

/* True: it was loaded, or there is no memory. */
static bool try_one(struct ch_follower *follower, const char *dir, uint64_t seq, uint64_t log_end,
                    struct ch_prover *prover, enum ch_err *ret, struct ch_why *why)
{
    struct ch_snapshot head;
    enum ch_resume_fit fit = CH_RESUME_DAMAGED;
    *ret = ch_resume_check(dir, seq, log_end, prover, &head, &fit, why);
    if (*ret != CH_OK || fit != CH_RESUME_GOOD) return matters(*ret);
    *ret = ch_resume_load(follower, dir, &head, NULL, NULL, why);
    return *ret == CH_OK || matters(*ret);
}

enum ch_err ch_resume_newest(struct ch_follower *follower, const char *dir, uint64_t at_most,
                             ch_resume_refused *refused, void *arg, struct ch_why *why)
{
    struct ch_snapshot_file files[CH_SNAPSHOTS_READ];
    struct ch_prover *prover = NULL;
    size_t count = 0;
    uint64_t log_end = 0;
    enum ch_err err = ch_snapshot_list(dir, files, CH_SNAPSHOTS_READ, &count, why);
    if (err != CH_OK) {
        refused(arg, 0, why->text);
        return CH_OK;
    }
    if (count == 0) return CH_OK;
    err = ch_reader_end(follower->reader, &log_end, why);
    if (err == CH_OK) err = ch_prover_open(follower->log, &prover, why);
    if (err != CH_OK) {
        refused(arg, files[count - 1].seq, why->text);
        return matters(err) ? err : CH_OK;
    }
    bool done = false;
    for (size_t i = count; i > 0 && !done; i--) {
        if (files[i - 1].seq > at_most) continue;
        done = try_one(follower, dir, files[i - 1].seq, log_end, prover, &err, why);
        if (!done) refused(arg, files[i - 1].seq, why->text);
    }
    ch_prover_close(prover);
    return done ? err : CH_OK;
}
