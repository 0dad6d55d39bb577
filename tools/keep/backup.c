/* backup: see backup.h. SPDX-License-Identifier: MIT
 * A log only grows, so a backup is consistent that ends at one of its sizes, however long it takes:
 * the one of a checkpoint that charterd has made for it, or what was durable at its beginning. The
 * log is read in short transactions, so charterd's file does not grow because of it. */
#include "tools/keep/backup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log/checkpoint.h"
#include "daemon/log/evlog.h"
#include "daemon/log/keys.h"
#include "tools/keep/form.h"
#include "tools/keep/job.h"
#include "tools/keep/known.h"
#include "tools/keep/out.h"
#include "tools/keep/print.h"
#include "tools/keep/writer.h"
#include "tools/lib/now.h"

/* What is written at once, and how long charterd is given way to behind it while it commits: while
 * its last commit is not longer ago, for one that still waits for the disk is not seen. */
enum { WRITE_BYTES = 256 << 10, PAUSE_NS = 3000000, AT_WORK_NS = 50000000 };

struct backup {
    struct job *job;
    struct form *form;
    struct out out;
    struct ch_buf buf;
    struct ch_evlog *log; /* borrowed; NULL: nothing more is read */
    uint64_t commits;     /* of the log, as seen last */
    uint64_t moved_ns;    /* when they were seen to become more; 0: never */
    struct ch_verifier own_keys[CH_KEYS_RETIRED_MOST + 1];
    size_t own_key_count;
};

/* ---- what passes -------------------------------------------------------------------------- */

static enum ch_err on_begin(void *arg, struct ch_evlog *log, uint64_t size, struct ch_why *why)
{
    struct backup *b = arg;
    uint64_t knows = 0;
    const char *who = known_beyond(b->job->known, size, &knows);
    if (who != NULL) {
        return ch_fail(why, CH_ERR_LOG_BEHIND, 0,
                       "the log ends with record %" PRIu64 ", but %s knows of %" PRIu64, size, who,
                       knows);
    }
    b->log = log;
    b->commits = ch_evlog_commits(log);
    enum ch_err err = form_begin(b->form, &b->buf, log, size, why);
    for (size_t i = 0; i < b->own_key_count && err == CH_OK; i++) {
        form_key(b->form, &b->buf, &b->own_keys[i]);
    }
    return err;
}

/* Its commits wait until the disk has what was written before, by us too; so while there are some,
 * most of the disk's and the processors' time is left to it. */
static void give_way(struct backup *b)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const uint64_t commits = ch_evlog_commits(b->log);
    const uint64_t now = now_ns();
    if (commits != b->commits) b->moved_ns = now;
    b->commits = commits;
    const bool at_work = b->moved_ns > 0 && now - b->moved_ns < AT_WORK_NS;
    writer_beside(b->out.writer, at_work);
    if (at_work) (void)nanosleep(&pause, NULL);
}

static enum ch_err pass(struct backup *b, struct ch_why *why)
{
    if (b->buf.len < WRITE_BYTES && !b->buf.failed) return CH_OK;
    give_way(b);
    return out_write(&b->out, &b->buf, why);
}

static enum ch_err on_checkpoint(void *arg, const struct ch_stored *stored, struct ch_why *why)
{
    struct backup *b = arg;
    form_checkpoint(b->form, &b->buf, stored);
    return pass(b, why);
}

static enum ch_err on_record(void *arg, uint64_t seq, uint64_t at_ns, struct ch_bytes record,
                             struct ch_why *why)
{
    struct backup *b = arg;
    (void)at_ns;
    enum ch_err err = form_record(b->form, &b->buf, seq, record, why);
    return err == CH_OK ? pass(b, why) : err;
}

static void on_end(void *arg)
{
    struct backup *b = arg;
    form_let_go(b->form);
    b->log = NULL;
}

/* ---- where it ends ------------------------------------------------------------------------ */

/* The size of the checkpoint that charterd made just now, if it is in this directory; else 0. */
static enum ch_err find_made(struct job *job, uint64_t *ret_size, struct ch_why *why)
{
    struct ch_note note;
    struct ch_note stored_note;
    struct ch_checkpoint made;
    struct ch_checkpoint read;
    struct ch_evlog *log = NULL;
    struct ch_stored stored = {.number = 0};
    struct ch_buf copy = {0};
    *ret_size = 0;
    if (job->options->made == NULL ||
        !ch_checkpoint_read_note(ch_text_of(job->options->made), &note, &made)) {
        return CH_OK;
    }
    enum ch_err err = ch_evlog_open_read(job->options->data, &log, why);
    if (err == CH_OK) err = ch_stored_find(log, made.size, &copy, &stored, why);
    if (err == CH_OK && stored.number > 0 &&
        ch_checkpoint_read_note(stored.note, &stored_note, &read) &&
        ch_hash_equal(&read.root, &made.root) && ch_text_equal(read.origin, made.origin)) {
        *ret_size = made.size;
    } else if (err == CH_OK) {
        (void)snprintf(job->notice, sizeof job->notice,
                       "%s is not the directory of the charterd that was asked for a checkpoint; "
                       "it ends with what is durable there",
                       job->options->data);
    }
    ch_evlog_close(log);
    ch_buf_deinit(&copy);
    return err;
}

/* Beside a charterd at work LMDB's table of readers is needed. */
static enum ch_err check_access(const char *data, struct ch_why *why)
{
    char path[PATH_MAX];
    enum ch_err err = path_join(data, "log.mdb-lock", path, why);
    if (err != CH_OK || access(path, F_OK) != 0 || access(path, R_OK | W_OK) == 0) return err;
    return ch_fail(why, CH_ERR_FILE_IO, errno,
                   "%s may not be written by this user; run it as the one charterd runs as", path);
}

/* That a copy of the vault has no place is told before the log is copied, not behind it. */
static enum ch_err check_place(const char *to, struct ch_why *why)
{
    if (to == NULL || access(to, F_OK) != 0) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, EEXIST, "%s: %s", to, strerror(EEXIST));
}

/* ---- the whole ---------------------------------------------------------------------------- */

static enum ch_err copy_secret(const struct options *o, const char *name, const char *to,
                               bool *copied, struct ch_why *why)
{
    char path[PATH_MAX];
    if (to == NULL) return CH_OK;
    enum ch_err err = path_join(o->data, name, path, why);
    if (err == CH_OK) err = out_copy(path, to, why);
    *copied = err == CH_OK;
    return err;
}

static enum ch_err copy_secrets(struct job *job, struct ch_why *why)
{
    const struct options *o = job->options;
    enum ch_err err = copy_secret(o, "vault", o->vault, &job->copied_vault, why);
    return err == CH_OK ? copy_secret(o, "signing-key", o->signing_key, &job->copied_key, why)
                        : err;
}

/* They go with a backup that is whole, or not at all. */
static void drop_secrets(const struct job *job)
{
    if (job->copied_vault) (void)unlink(job->options->vault);
    if (job->copied_key) (void)unlink(job->options->signing_key);
}

static enum ch_err verify(struct backup *b, struct ch_why *why)
{
    struct job *job = b->job;
    const struct options *o = job->options;
    const struct ch_verify_copy copy = {.begin = on_begin,
                                        .checkpoint = on_checkpoint,
                                        .record = on_record,
                                        .end = on_end,
                                        .arg = b};
    struct ch_verify_options options = {.dir = o->data,
                                        .copy = &copy,
                                        .keys = o->keys,
                                        .key_count = o->key_count,
                                        .against = job->known->notes,
                                        .against_count = job->known->note_count,
                                        .heads = job->known->heads,
                                        .head_count = job->known->head_count,
                                        .replay = o->replay,
                                        .forms_later = !o->lines,
                                        .last_state = true,
                                        .threads = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1,
                                        .progress = &job->progress};
    if (o->key_count == 0) { /* its own keys say less, but that all is of one hand */
        const size_t most = CH_VERIFY_KEYS_MOST;
        options.key_count = b->own_key_count < most ? b->own_key_count : most;
        options.keys = b->own_keys + (b->own_key_count - options.key_count);
    }
    enum ch_err err = find_made(job, &options.size, why);
    return err == CH_OK ? ch_verify(&options, &job->report, why) : err;
}

static enum ch_err finish(struct backup *b, struct ch_why *why)
{
    const struct ch_verify_report *report = &b->job->report;
    const struct ch_bundle_end end = {
        .size = report->records, .checkpoints = report->checkpoints, .root = report->root};
    form_end(b->form, &b->buf, &end);
    enum ch_err err = out_write(&b->out, &b->buf, why);
    if (err == CH_OK) err = copy_secrets(b->job, why);
    if (err == CH_OK) err = out_finish(&b->out, why);
    if (err != CH_OK) drop_secrets(b->job);
    b->job->copied_vault = b->job->copied_key = false; /* gone, or to stay */
    b->job->bytes = b->out.written;
    return err;
}

static enum ch_err work(struct job *job, struct ch_why *why)
{
    struct backup b = {.job = job, .out = {.fd = -1}};
    const struct options *o = job->options;
    job_yield();
    enum ch_err err = check_access(o->data, why);
    if (err == CH_OK) err = check_place(o->vault, why);
    if (err == CH_OK) err = check_place(o->signing_key, why);
    job->made = err == CH_OK && strcmp(o->file, "-") != 0;
    if (err == CH_OK) err = out_open(&b.out, o->file, o->rate, why);
    if (err != CH_OK) {
        out_close(&b.out);
        job->made = false;
        return err;
    }
    b.own_key_count = ch_keys_public(o->data, b.own_keys);
    b.form = form_create(o->lines);
    if (b.form == NULL) err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a backup");
    if (err == CH_OK) err = verify(&b, why);
    if (err == CH_OK && job->report.part == CH_VERIFY_NOTHING) err = finish(&b, why);
    out_close(&b.out);
    job->made = false;
    form_destroy(b.form);
    ch_buf_deinit(&b.buf);
    return err;
}

/* The process died before it could remove what it had begun. */
static void clean_up(const struct job *job)
{
    struct partial file;
    if (!job->made) return;
    drop_secrets(job);
    /* Taken over and dropped, unless it is another process's. */
    if (partial_open(&file, job->options->file, 0600) == 0) partial_close(&file);
}

enum exit_code backup_run(const struct options *options)
{
    static const struct job_steps steps = {
        .work = work, .clean_up = clean_up, .print = print_backup};
    return job_run(options, &steps);
}
