/* known: see known.h. SPDX-License-Identifier: MIT */
#include "tools/keep/known.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/checkpoint.h"
#include "daemon/log/evlog.h"
#include "daemon/log/stored.h"
#include "daemon/replay/apart.h"
#include "tools/lib/file.h"

/* The newest checkpoint of a directory, read by a process of its own: the log may be damaged. */
struct newest {
    const char *dir;
    size_t len; /* 0: there is none, or it cannot be read */
    char note[CH_NOTE_MOST_BYTES];
};

static void read_newest(void *arg)
{
    struct newest *newest = arg;
    struct ch_evlog *log = NULL;
    struct ch_buf copy = {0};
    struct ch_stored stored = {.number = 0};
    enum ch_err err = ch_evlog_open_read(newest->dir, &log, NULL);
    if (err == CH_OK) err = ch_stored_get(log, 0, &copy, &stored, NULL);
    if (err == CH_OK && stored.number > 0 && stored.note.len <= sizeof newest->note) {
        memcpy(newest->note, stored.note.ptr, stored.note.len);
        newest->len = stored.note.len;
    }
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

    struct newest *newest = ch_apart_memory(sizeof *newest);
    if (newest == NULL) {
        (void)fprintf(stderr, "charter: out of memory\n");
        return false;
    }
    newest->dir = dir;
    const struct ch_apart apart = {.work = read_newest, .arg = newest};
    const bool lived = ch_apart_run(&apart) == 0;
    ch_buf_put(file, newest->note, lived ? newest->len : 0);
    const bool has_note = lived && newest->len > 0 && !file->failed && add_note(known, file, dir);
    ch_apart_free(newest, sizeof *newest);
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
    size_t heads = 0;
    for (size_t i = 0; i < known->note_count; i++) {
        if (known->note_sizes[i] > size) continue;
        known->notes[notes] = known->notes[i];
        known->note_sizes[notes] = known->note_sizes[i];
        known->note_from[notes++] = known->note_from[i];
    }
    for (size_t i = 0; i < known->head_count; i++) {
        if (known->heads[i].seq > size) continue;
        known->heads[heads] = known->heads[i];
        known->head_from[heads++] = known->head_from[i];
    }
    known->note_count = notes;
    known->head_count = heads;
}
