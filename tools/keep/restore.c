/* restore: see restore.h. SPDX-License-Identifier: MIT */
#include "tools/keep/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "daemon/log/bundle.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/evlog.h"
#include "daemon/log/keys.h"
#include "daemon/log/seal.h"
#include "daemon/log/stored.h"
#include "daemon/log/vault.h"
#include "daemon/replay/directory.h"
#include "schema/limits.h"
#include "tools/keep/job.h"
#include "tools/keep/known.h"
#include "tools/keep/lines_read.h"
#include "tools/keep/out.h"
#include "tools/keep/print.h"
#include "tools/keep/staging.h"

/* What one transaction takes. */
enum { BATCH_RECORDS = 16384, BATCH_BYTES = 4 << 20, BATCH_NOTES = 256 };

struct restore {
    struct job *job;
    const char *path; /* of the staging directory */
    struct known known;
    struct ch_verify_options verify;
    struct ch_log_end *ends_known; /* what directories say of the log */
    struct ch_evlog *log;
    struct ch_vault *vault; /* while it is not known whether it is this log's; NULL: none */
    unsigned opened;        /* sealed parts of the log */
    struct ch_arena arena;
    /* the batch */
    struct ch_buf bytes;
    size_t *ends;
    struct ch_bytes *views;
    size_t count;
    uint64_t first;
    uint64_t at_ns;
    /* the checkpoints that wait */
    struct ch_buf notes;
    size_t note_ends[BATCH_NOTES];
    struct ch_stored stored[BATCH_NOTES];
    size_t note_count;
};

/* ---- what passes -------------------------------------------------------------------------- */

/* A log that is known to have gone on is not taken for the whole. What is known of a part of it the
 * file must agree with, whatever loss is accepted. */
static enum ch_err check_behind(struct restore *r, uint64_t size, struct ch_why *why)
{
    uint64_t knows = 0;
    const char *who = known_beyond(&r->known, size, &knows);
    enum ch_err err = known_ends(&r->known, size, &r->ends_known, &r->verify.head_count, why);
    if (err != CH_OK) return err;
    r->verify.heads = r->ends_known;
    if (who == NULL) return CH_OK;
    if (!r->job->options->accept_loss) {
        return ch_fail(
            why, CH_ERR_LOG_BEHIND, 0,
            "the file ends with record %" PRIu64 ", but %s knows of %" PRIu64
            ": what came after would be lost. Find a newer backup, or take this one with "
            "--accept-loss",
            size, who, knows);
    }
    (void)snprintf(r->job->notice, sizeof r->job->notice,
                   "records %" PRIu64 " to %" PRIu64 " are lost, as accepted", size + 1, knows);
    known_forget(&r->known, size);
    r->verify.against_count = r->known.note_count;
    return CH_OK;
}

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* How many records the last was of that the file agreed with; 0: none. */
static uint64_t agreed(const struct restore *r)
{
    const size_t notes = r->verify.against_count;
    const size_t all = notes + r->verify.head_count;
    const uint64_t good = r->job->report.against;
    uint64_t *sizes = calloc(all + 1, sizeof *sizes);
    if (sizes == NULL || good == 0 || good > all) {
        free(sizes);
        return 0;
    }
    for (size_t i = 0; i < all; i++) {
        sizes[i] = i < notes ? r->known.note_sizes[i] : r->ends_known[i - notes].seq;
    }
    qsort(sizes, all, sizeof *sizes, compare);
    const uint64_t last = sizes[good - 1];
    free(sizes);
    return last;
}

/* Two histories: it is not only the end that would be lost. */
static void name_fork(struct restore *r)
{
    uint64_t knows = 0;
    struct ch_verify_report *report = &r->job->report;
    if (report->part != CH_VERIFY_AGAINST || strstr(report->text, "forked") == NULL) return;
    const char *who = known_of(&r->known, report->number, &knows);
    if (who == NULL) return;
    const uint64_t good = agreed(r);
    r->job->notice[0] = '\0'; /* nothing is lost: nothing is done */
    (void)snprintf(report->text, sizeof report->text,
                   "the file and %.200s tell two histories: they agree on records 1 to %" PRIu64
                   ", but not on those up to %" PRIu64 ", so all of records %" PRIu64 " to %" PRIu64
                   " of it would be lost. --accept-loss is not for that; who wants it leaves out "
                   "that --against",
                   who, good, report->number, good + 1, knows);
}

/* What is accepted as lost is the end that is known of; the file may have gone on otherwise before
 * it, where nothing is known that could be compared. */
static void name_uncompared(struct restore *r)
{
    char *notice = r->job->notice;
    const size_t len = strlen(notice);
    const uint64_t size = r->job->report.records;
    const uint64_t good = agreed(r);
    if (len == 0 || good >= size) return;
    (void)snprintf(notice + len, sizeof r->job->notice - len,
                   "; and records %" PRIu64 " to %" PRIu64
                   " of the file may be others than were there: no checkpoint known is of so many",
                   good + 1, size);
}

static enum ch_err on_begin(void *arg, struct ch_evlog *log, uint64_t size, struct ch_why *why)
{
    struct restore *r = arg;
    const struct ch_evlog_options options = {.map_bytes = LIMIT_MAP_BYTES};
    (void)log;
    enum ch_err err = check_behind(r, size, why);
    return err == CH_OK ? ch_evlog_open(r->path, &options, &r->log, why) : err;
}

static enum ch_err put_notes(struct restore *r, struct ch_why *why)
{
    size_t start = 0;
    if (r->notes.failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for checkpoints");
    for (size_t i = 0; i < r->note_count; i++) {
        r->stored[i].note =
            (struct ch_text){(const char *)r->notes.ptr + start, r->note_ends[i] - start};
        start = r->note_ends[i];
    }
    enum ch_err err =
        r->note_count == 0 ? CH_OK : ch_stored_put_many(r->log, r->stored, r->note_count, why);
    r->note_count = 0;
    ch_buf_reset(&r->notes);
    return err;
}

/* The end of a log may be lost, as accepted; but it is to be the end of this one. */
static enum ch_err check_name(const struct restore *r, struct ch_text text, struct ch_why *why)
{
    struct ch_note note;
    struct ch_checkpoint read;
    if (!ch_checkpoint_read_note(text, &note, &read)) return CH_OK;
    const char *who = known_other(&r->known, read.origin);
    if (who == NULL) return CH_OK;
    return ch_fail(why, CH_ERR_LOG_BEHIND, 0,
                   "the file is of the log %.*s, but %s knows of another. --accept-loss is not for "
                   "that; who wants it leaves out that --against",
                   (int)read.origin.len, read.origin.ptr, who);
}

static enum ch_err on_checkpoint(void *arg, const struct ch_stored *stored, struct ch_why *why)
{
    struct restore *r = arg;
    enum ch_err err = check_name(r, stored->note, why);
    if (err != CH_OK) return err;
    ch_buf_put_text(&r->notes, stored->note);
    r->stored[r->note_count] = *stored;
    r->note_ends[r->note_count++] = r->notes.len;
    return r->note_count == BATCH_NOTES ? put_notes(r, why) : CH_OK;
}

static enum ch_err put_records(struct restore *r, struct ch_why *why)
{
    size_t start = 0;
    if (r->bytes.failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for records");
    for (size_t i = 0; i < r->count; i++) {
        r->views[i] = (struct ch_bytes){r->bytes.ptr + start, r->ends[i] - start};
        start = r->ends[i];
    }
    enum ch_err err = r->count == 0
                          ? CH_OK
                          : ch_evlog_append(r->log, r->first, r->views, r->count, r->at_ns, why);
    r->count = 0;
    ch_buf_reset(&r->bytes);
    return err;
}

/* Sealed parts that a vault must open before it is taken for the log's own. */
enum { PROOFS = 16 };

static enum ch_err check_vault(struct restore *r, const struct ch_event *event, struct ch_why *why)
{
    uint8_t key[CH_VAULT_KEY_BYTES];
    uint8_t aad[8];
    const struct ch_bytes cipher = event->personal.cipher;
    if (!event->personal.present || cipher.len <= CH_SEAL_TAG_BYTES) return CH_OK;
    if (ch_vault_get(r->vault, event->personal.number, key) != CH_VAULT_PRESENT) return CH_OK;
    ch_directory_aad(event->seq, aad);
    uint8_t *plain = calloc(1, cipher.len);
    enum ch_err err = plain != NULL ? CH_OK : ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory");
    if (err == CH_OK) {
        err = ch_seal_open(key, event->personal.nonce, (struct ch_bytes){aad, sizeof aad}, cipher,
                           plain, why);
    }
    if (plain != NULL) sodium_memzero(plain, cipher.len);
    free(plain);
    sodium_memzero(key, sizeof key);
    r->opened++;
    if (err != CH_ERR_SEAL_BROKEN) return err;
    return ch_fail(why, CH_ERR_SEAL_BROKEN, 0,
                   "%s is not the vault of this log: what event %" PRIu64
                   " has sealed does not open with its key",
                   r->job->options->vault, event->seq);
}

static enum ch_err look_at_sealed(struct restore *r, struct ch_bytes record, struct ch_why *why)
{
    union ch_event_body body;
    struct ch_event event;
    if (r->vault == NULL || r->opened >= PROOFS) return CH_OK;
    enum ch_err err = ch_event_decode(record, &r->arena, &body, &event, NULL);
    err = err == CH_OK ? check_vault(r, &event, why) : CH_OK; /* of a later charterd's types */
    ch_arena_reset(&r->arena);
    return err;
}

static enum ch_err on_record(void *arg, uint64_t seq, uint64_t at_ns, struct ch_bytes record,
                             struct ch_why *why)
{
    struct restore *r = arg;
    enum ch_err err = look_at_sealed(r, record, why);
    if (err != CH_OK) return err;
    if (r->count == 0) r->first = seq;
    ch_buf_put(&r->bytes, record.ptr, record.len);
    r->ends[r->count++] = r->bytes.len;
    r->at_ns = at_ns;
    const bool full = r->count == BATCH_RECORDS || r->bytes.len >= BATCH_BYTES;
    return full ? put_records(r, why) : CH_OK;
}

/* ---- the file ----------------------------------------------------------------------------- */

static enum ch_err next_of_bundle(void *arg, struct ch_bundle_item *ret, struct ch_why *why)
{
    return ch_bundle_next(arg, ret, why);
}

static enum ch_err next_of_lines(void *arg, struct ch_bundle_item *ret, struct ch_why *why)
{
    return lines_next(arg, ret, why);
}

/* By what it begins with; a pipe by what was said, or as a bundle. */
static bool is_lines(const struct options *o, int fd)
{
    char first = '\0';
    if (o->format_said || pread(fd, &first, 1, 0) != 1) return o->lines;
    return first == '{';
}

/* What begins otherwise may be lines, which could not be looked at before they were read. */
static enum ch_err hint_at_lines(int fd, enum ch_err err, struct ch_why *why)
{
    char text[sizeof why->text];
    if (err != CH_ERR_LOG_CORRUPT || lseek(fd, 0, SEEK_CUR) >= 0) return err;
    memcpy(text, why->text, sizeof text);
    return ch_fail(why, err, 0, "%.300s; JSON lines through a pipe need --format jsonl", text);
}

/* A record that reads well and is false all the same: its line is named, too. */
static void name_line(struct ch_verify_report *report, const struct lines_reader *lines)
{
    char text[CH_VERIFY_TEXT_BYTES];
    if (report->part != CH_VERIFY_RECORD || strncmp(report->text, "line ", 5) == 0) return;
    memcpy(text, report->text, sizeof text);
    (void)snprintf(report->text, sizeof report->text, "line %" PRIu64 ": %.400s",
                   lines_number_of(lines, report->number), text);
}

static enum ch_err verify_file(struct restore *r, int fd, struct ch_why *why)
{
    struct ch_bundle_reader *bundle = NULL;
    struct lines_reader *lines = NULL;
    const bool is_text = is_lines(r->job->options, fd);
    enum ch_err err = is_text ? lines_open(fd, &lines, why) : ch_bundle_open(fd, &bundle, why);
    if (err != CH_OK) return is_text ? err : hint_at_lines(fd, err, why);
    const struct ch_verify_source source = {.next = is_text ? next_of_lines : next_of_bundle,
                                            .arg = is_text ? (void *)lines : (void *)bundle,
                                            .tiles = !is_text};
    const struct ch_verify_copy copy = {
        .begin = on_begin, .checkpoint = on_checkpoint, .record = on_record, .arg = r};
    r->verify.source = &source;
    r->verify.copy = &copy;
    err = ch_verify(&r->verify, &r->job->report, why);
    r->verify.source = NULL;
    r->verify.copy = NULL;
    if (is_text) name_line(&r->job->report, lines);
    lines_close(lines);
    ch_bundle_close(bundle);
    return err;
}

static enum ch_err read_file(struct restore *r, struct ch_why *why)
{
    const char *path = r->job->options->file;
    const bool piped = strcmp(path, "-") == 0;
    const int fd = piped ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", path, strerror(errno));
    enum ch_err err = verify_file(r, fd, why);
    if (!piped) (void)close(fd);
    const bool good = err == CH_OK && r->job->report.part == CH_VERIFY_NOTHING;
    if (good) err = put_notes(r, why);
    if (good && err == CH_OK) err = put_records(r, why);
    ch_evlog_close(r->log); /* makes the head file durable */
    r->log = NULL;
    return err;
}

/* ---- the secrets -------------------------------------------------------------------------- */

static enum ch_err take_vault(struct restore *r, struct ch_why *why)
{
    char path[PATH_MAX];
    const char *from = r->job->options->vault;
    if (from == NULL) return CH_OK;
    enum ch_err err = path_join(r->path, "vault", path, why);
    if (err == CH_OK) err = out_copy(from, path, why);
    return err == CH_OK ? ch_vault_open(path, /* may_create= */ false, &r->vault, why) : err;
}

static enum ch_err take_key(struct restore *r, struct ch_why *why)
{
    char path[PATH_MAX];
    struct ch_verifier keys[CH_KEYS_RETIRED_MOST + 1];
    const char *from = r->job->options->signing_key;
    if (from == NULL) return CH_OK;
    enum ch_err err = path_join(r->path, "signing-key", path, why);
    if (err == CH_OK) err = out_copy(from, path, why);
    if (err != CH_OK || ch_keys_public(r->path, keys) > 0) return err;
    return ch_fail(why, CH_ERR_KEY_UNSAFE, 0, "%s is no signing key of charterd", from);
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* What stands on the disk now, read as anybody will read it. */
static enum ch_err read_again(struct restore *r, struct ch_why *why)
{
    struct ch_verify_report report;
    r->verify.dir = r->path;
    r->verify.replay = false; /* the same bytes give the same state */
    enum ch_err err = ch_verify(&r->verify, &report, why);
    if (err != CH_OK ||
        (report.part == CH_VERIFY_NOTHING && ch_hash_equal(&report.root, &r->job->report.root))) {
        return err;
    }
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "what was written reads otherwise: %s", report.text);
}

static enum ch_err work(struct job *job, struct ch_why *why)
{
    struct staging staging;
    const struct options *o = job->options;
    struct restore r = {.job = job, .known = *job->known};
    r.verify = (struct ch_verify_options){.keys = o->keys,
                                          .key_count = o->key_count,
                                          .against = r.known.notes,
                                          .against_count = r.known.note_count,
                                          .replay = true,
                                          .last_state = true,
                                          .threads = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1,
                                          .progress = &job->progress};
    r.ends = calloc(BATCH_RECORDS, sizeof *r.ends);
    r.views = calloc(BATCH_RECORDS, sizeof *r.views);
    enum ch_err err = staging_open(&staging, o->data, why);
    job->made = staging.dir_fd >= 0;
    job->made_dir = staging.made_dir;
    r.path = staging.path;
    if (err == CH_OK && (r.ends == NULL || r.views == NULL)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a batch");
    }
    if (err == CH_OK) err = take_vault(&r, why);
    if (err == CH_OK) err = read_file(&r, why);
    ch_vault_close(r.vault);
    name_fork(&r);
    const bool good = err == CH_OK && job->report.part == CH_VERIFY_NOTHING;
    if (good) name_uncompared(&r);
    if (good) err = take_key(&r, why);
    if (good && err == CH_OK) err = read_again(&r, why);
    if (good && err == CH_OK) err = staging_settle(&staging, why);
    staging_close(&staging);
    job->made = false;
    job->bytes = job->report.bytes;
    free(r.ends);
    free(r.views);
    free(r.ends_known);
    ch_arena_deinit(&r.arena);
    ch_buf_deinit(&r.bytes);
    ch_buf_deinit(&r.notes);
    return err;
}

/* The process died before it could remove what it had begun: opening the place again does. */
static void clean_up(const struct job *job)
{
    struct staging staging;
    if (!job->made) return;
    if (staging_open(&staging, job->options->data, NULL) == CH_OK) {
        staging.made_dir = job->made_dir;
    }
    staging_close(&staging);
}

enum exit_code restore_run(const struct options *options)
{
    static const struct job_steps steps = {
        .work = work, .clean_up = clean_up, .print = print_restore};
    return job_run(options, &steps);
}
