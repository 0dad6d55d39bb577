/* known: see known.h. SPDX-License-Identifier: MIT */
#include "tools/keep/known.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/checkpoint.h"
#include "daemon/log/evlog.h"
#include "daemon/log/stored.h"
#include "daemon/replay/apart.h"
#include "tools/lib/file.h"

/* More checkpoints than that are thinned out: the newest always is there. */
enum { HISTORY_MOST = 65536 };

/* The checkpoints of a directory, read by a process of its own: the log may be damaged. */
struct known_history {
    const char *dir;
    size_t len; /* of the newest's note; 0: there is none, or it cannot be read */
    char note[CH_NOTE_MOST_BYTES];
    size_t count;
    struct ch_log_end ends[HISTORY_MOST + 1]; /* the newest may come twice */
};

/* False: it cannot be read. */
static bool read_one(struct known_history *history, struct ch_evlog *log, uint64_t number,
                     struct ch_buf *copy)
{
    struct ch_stored stored;
    struct ch_note note;
    struct ch_checkpoint read;
    if (ch_stored_get(log, number, copy, &stored, NULL) != CH_OK || stored.number == 0 ||
        stored.note.len > sizeof history->note ||
        !ch_checkpoint_read_note(stored.note, &note, &read)) {
        return false;
    }
    history->ends[history->count++] = (struct ch_log_end){.seq = read.size, .root = read.root};
    memcpy(history->note, stored.note.ptr, stored.note.len);
    history->len = stored.note.len;
    return true;
}

static void read_history(void *arg)
{
    struct known_history *history = arg;
    struct ch_evlog *log = NULL;
    struct ch_buf copy = {0};
    struct ch_evlog_counts counts = {0};
    if (ch_evlog_open_read(history->dir, &log, NULL) != CH_OK) return;
    if (ch_evlog_count(log, &counts, NULL) != CH_OK) counts.checkpoints = 0;
    const uint64_t step = counts.checkpoints / HISTORY_MOST + 1;
    for (uint64_t number = 1; number < counts.checkpoints; number += step) {
        if (!read_one(history, log, number, &copy)) continue;
    }
    if (counts.checkpoints > 0) (void)read_one(history, log, counts.checkpoints, &copy);
    ch_buf_deinit(&copy);
    ch_evlog_close(log);
}

static bool add_note(struct known *known, const struct ch_buf *file, const char *from)
{
    struct ch_note note;
    struct ch_checkpoint read;
    const struct ch_text whole = {(const char *)file->ptr, file->len};
    if (!ch_checkpoint_read_note(whole, &note, &read)) return false;
    known->notes[known->note_count] = whole;
    known->note_sizes[known->note_count] = read.size;
    known->note_from[known->note_count++] = from;
    return true;
}

static bool add_directory(struct known *known, const char *dir, struct ch_buf *file)
{
    struct ch_why why = {0};
    bool found = false;
    struct ch_log_end *head = &known->heads[known->head_count];
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || ch_head_read(fd, "head", head, &found, &why) != CH_OK) {
        (void)fprintf(stderr, "charter: %s: %s\n", dir, fd < 0 ? strerror(errno) : why.text);
        if (fd >= 0) (void)close(fd);
        return false;
    }
    (void)close(fd);
    if (found) known->head_from[known->head_count++] = dir;

    struct known_history *history = ch_apart_memory(sizeof *history);
    if (history == NULL) {
        (void)fprintf(stderr, "charter: out of memory\n");
        return false;
    }
    known->history_from[known->history_count] = dir;
    known->histories[known->history_count++] = history;
    history->dir = dir;
    const struct ch_apart apart = {.work = read_history, .arg = history};
    if (ch_apart_run(&apart) != 0) { /* what it read before that may be false, too */
        history->len = 0;
        history->count = 0;
    }
    ch_buf_put(file, history->note, history->len);
    const bool has_note = history->len > 0 && !file->failed && add_note(known, file, dir);
    if (has_note || found) return true;
    (void)fprintf(stderr,
                  "charter: %s: neither its head file nor a checkpoint can be read, so nothing is "
                  "known of it\n",
                  dir);
    return false;
}

bool known_read(const struct options *options, struct known *ret)
{
    *ret = (struct known){.note_count = 0};
    for (size_t i = 0; i < options->against_count; i++) {
        const char *from = options->against[i];
        struct stat info;
        if (stat(from, &info) != 0) {
            (void)fprintf(stderr, "charter: %s: %s\n", from, strerror(errno));
            return false;
        }
        if (S_ISDIR(info.st_mode)) {
            if (!add_directory(ret, from, &ret->files[i])) return false;
        } else if (!file_read("charter", from, CH_NOTE_MOST_BYTES, &ret->files[i])) {
            return false;
        } else if (!add_note(ret, &ret->files[i], from)) {
            (void)fprintf(stderr, "charter: %s: is no signed checkpoint, nor a directory\n", from);
            return false;
        }
    }
    return true;
}

void known_deinit(struct known *known)
{
    for (size_t i = 0; i < AGAINST_MOST; i++) {
        ch_buf_deinit(&known->files[i]);
        ch_apart_free(known->histories[i], sizeof *known->histories[i]);
    }
}

const char *known_beyond(const struct known *known, uint64_t size, uint64_t *ret_size)
{
    const char *from = NULL;
    *ret_size = size;
    for (size_t i = 0; i < known->note_count; i++) {
        if (known->note_sizes[i] <= *ret_size) continue;
        *ret_size = known->note_sizes[i];
        from = known->note_from[i];
    }
    for (size_t i = 0; i < known->head_count; i++) {
        if (known->heads[i].seq <= *ret_size) continue;
        *ret_size = known->heads[i].seq;
        from = known->head_from[i];
    }
    return from;
}

void known_forget(struct known *known, uint64_t size)
{
    size_t notes = 0;
    for (size_t i = 0; i < known->note_count; i++) {
        if (known->note_sizes[i] > size) {
            known->forgotten[known->forgotten_count] = known->notes[i];
            known->forgotten_from[known->forgotten_count++] = known->note_from[i];
            continue;
        }
        known->notes[notes] = known->notes[i];
        known->note_sizes[notes] = known->note_sizes[i];
        known->note_from[notes++] = known->note_from[i];
    }
    known->note_count = notes;
}

const char *known_other(const struct known *known, struct ch_text name)
{
    for (size_t i = 0; i < known->forgotten_count; i++) {
        struct ch_note note;
        struct ch_checkpoint read;
        if (!ch_checkpoint_read_note(known->forgotten[i], &note, &read)) continue;
        if (!ch_text_equal(read.origin, name)) return known->forgotten_from[i];
    }
    return NULL;
}

enum ch_err known_ends(const struct known *known, uint64_t size, struct ch_log_end **ret,
                       size_t *ret_count, struct ch_why *why)
{
    size_t most = known->head_count;
    size_t count = 0;
    for (size_t i = 0; i < known->history_count; i++) {
        most += known->histories[i]->count;
    }
    struct ch_log_end *ends = calloc(most + 1, sizeof *ends);
    if (ends == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for what is known");
    for (size_t i = 0; i < known->head_count; i++) {
        if (known->heads[i].seq <= size) ends[count++] = known->heads[i];
    }
    for (size_t i = 0; i < known->history_count; i++) {
        const struct known_history *history = known->histories[i];
        for (size_t k = 0; k < history->count; k++) {
            if (history->ends[k].seq <= size) ends[count++] = history->ends[k];
        }
    }
    *ret = ends;
    *ret_count = count;
    return CH_OK;
}

const char *known_of(const struct known *known, uint64_t size, uint64_t *ret_knows)
{
    for (size_t i = 0; i < known->history_count; i++) {
        const struct known_history *history = known->histories[i];
        const uint64_t newest = history->count == 0 ? 0 : history->ends[history->count - 1].seq;
        for (size_t k = 0; k < history->count; k++) {
            if (history->ends[k].seq != size) continue;
            *ret_knows = newest;
            for (size_t h = 0; h < known->head_count; h++) {
                const bool same = strcmp(known->head_from[h], known->history_from[i]) == 0;
                if (same && known->heads[h].seq > newest) *ret_knows = known->heads[h].seq;
            }
            return known->history_from[i];
        }
    }
    *ret_knows = size;
    for (size_t i = 0; i < known->head_count; i++) {
        if (known->heads[i].seq == size) return known->head_from[i];
    }
    for (size_t i = 0; i < known->note_count; i++) {
        if (known->note_sizes[i] == size) return known->note_from[i];
    }
    return NULL;
}
