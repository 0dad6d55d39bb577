/* streams: see streams.h. SPDX-License-Identifier: MIT */
#include "daemon/log/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/crc.h"
#include "daemon/log/file.h"
#include "daemon/log/streams_run.h"
#include "schema/base/check.h"

struct run {
    uint64_t at; /* of its head in the file */
    uint64_t body_bytes;
    struct ch_fence *fences;
    size_t fence_count;
    uint8_t *kept; /* the whole run, when the file did not take it; else NULL */
};

struct ch_streams {
    int fd;       /* -1: none */
    bool no_file; /* what is new stays in memory */
    bool rebuilt;
    uint64_t end;           /* of the last run in the file */
    uint64_t next;          /* seq */
    struct ch_buf runs;     /* struct run */
    struct ch_buf postings; /* struct ch_posting; the newest part */
    struct ch_buf spare;    /* for sorting */
    struct ch_buf block;    /* a run being written, or a block being read */
};

static size_t run_count(const struct ch_streams *streams)
{
    return streams->runs.len / sizeof(struct run);
}

static struct run *run_at(const struct ch_streams *streams, size_t place)
{
    return (struct run *)(void *)streams->runs.ptr + place;
}

/* Takes a run in, whose bytes are in streams->block. False: damaged, of another log, or no
 * memory. */
static bool take_run(struct ch_streams *streams, uint64_t at, const uint32_t *mark)
{
    struct ch_buf fences = {0};
    uint32_t found = 0;
    const bool good = ch_run_check(ch_buf_view(&streams->block), &fences, &found);
    struct run run = {.at = at,
                      .body_bytes = streams->block.len - CH_RUN_HEAD_BYTES,
                      .fences = (struct ch_fence *)(void *)fences.ptr,
                      .fence_count = fences.len / sizeof(struct ch_fence)};
    if (good && (mark == NULL || *mark == found)) {
        ch_buf_put(&streams->runs, &run, sizeof run);
        if (!streams->runs.failed) return true;
        streams->runs.failed = false; /* those before it stay */
    }
    ch_buf_deinit(&fences);
    return false;
}

/* Reads len bytes at a place into streams->block. errors: an errno; EIO at the end of the file */
static int read_block(struct ch_streams *streams, uint64_t at, size_t len)
{
    size_t got = 0;
    ch_buf_reset(&streams->block);
    if (!ch_buf_reserve(&streams->block, len)) return ENOMEM;
    int code = ch_file_read(streams->fd, at, streams->block.ptr, len, &got);
    streams->block.len = got;
    return code == 0 && got < len ? EIO : code;
}

static bool load_run(struct ch_streams *streams, ch_streams_mark *mark, void *arg)
{
    uint64_t body;
    uint32_t wanted;
    const uint64_t first = streams->next;
    if (read_block(streams, streams->end, CH_RUN_HEAD_BYTES) != 0) return false;
    if (!ch_run_head(streams->block.ptr, first, &body)) return false;
    if (read_block(streams, streams->end, CH_RUN_HEAD_BYTES + (size_t)body) != 0) return false;
    if (!mark(arg, first + CH_STREAMS_RUN - 1, &wanted)) return false;
    if (!take_run(streams, streams->end, &wanted)) return false;
    streams->end += CH_RUN_HEAD_BYTES + body;
    streams->next += CH_STREAMS_RUN;
    return true;
}

static int open_file(const char *dir)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/derived", dir);
    if (len < 0 || (size_t)len >= sizeof path) return -1;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return -1;
    len = snprintf(path, sizeof path, "%s/derived/streams", dir);
    if (len < 0 || (size_t)len >= sizeof path) return -1;
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

enum ch_err ch_streams_open(const char *dir, uint64_t log_end, ch_streams_mark *mark, void *arg,
                            struct ch_streams **ret, struct ch_why *why)
{
    struct ch_streams *streams = calloc(1, sizeof *streams);
    if (streams == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the index");
    streams->next = 1;
    streams->fd = open_file(dir);
    streams->no_file = streams->fd < 0;
    while (!streams->no_file && log_end >= CH_STREAMS_RUN - 1 + streams->next &&
           load_run(streams, mark, arg)) {
    }
    streams->rebuilt = streams->next + CH_STREAMS_RUN - 1 <= log_end;
    struct stat info;
    if (!streams->no_file && fstat(streams->fd, &info) == 0 &&
        (uint64_t)info.st_size != streams->end) {
        streams->rebuilt = true;
        streams->no_file = ftruncate(streams->fd, (off_t)streams->end) != 0;
    }
    *ret = streams;
    return CH_OK;
}

void ch_streams_close(struct ch_streams *streams)
{
    if (streams == NULL) return;
    for (size_t i = 0; i < run_count(streams); i++) {
        free(run_at(streams, i)->fences);
        free(run_at(streams, i)->kept);
    }
    if (streams->fd >= 0) (void)close(streams->fd);
    ch_buf_deinit(&streams->runs);
    ch_buf_deinit(&streams->postings);
    ch_buf_deinit(&streams->spare);
    ch_buf_deinit(&streams->block);
    free(streams);
}

bool ch_streams_rebuilt(const struct ch_streams *streams)
{
    return streams->rebuilt;
}

uint64_t ch_streams_next_seq(const struct ch_streams *streams)
{
    return streams->next;
}

uint64_t ch_streams_bytes(const struct ch_streams *streams)
{
    return streams->end;
}

/* Puts the run in streams->block into the file, or keeps it. False: no memory. */
static bool store_run(struct ch_streams *streams)
{
    const size_t place = run_count(streams);
    const size_t len = streams->block.len;
    if (!take_run(streams, streams->end, NULL)) return false;
    if (!streams->no_file &&
        ch_file_write(streams->fd, streams->end, streams->block.ptr, len) == 0) {
        streams->end += len;
        return true;
    }
    /* What was written of it is cut off at the next open, if not now. */
    if (!streams->no_file && ftruncate(streams->fd, (off_t)streams->end) != 0) errno = 0;
    streams->no_file = true;
    struct run *run = run_at(streams, place);
    run->kept = malloc(len);
    if (run->kept == NULL) {
        free(run->fences);
        streams->runs.len -= sizeof *run;
        return false;
    }
    memcpy(run->kept, streams->block.ptr, len);
    return true;
}

/* The newest part becomes a run. */
static bool seal(struct ch_streams *streams, uint64_t seq, struct ch_bytes record)
{
    const size_t count = streams->postings.len / sizeof(struct ch_posting);
    ch_buf_reset(&streams->spare);
    ch_buf_reset(&streams->block);
    if (count > 0 && !ch_buf_reserve(&streams->spare, streams->postings.len)) return false;
    struct ch_posting *postings = (struct ch_posting *)(void *)streams->postings.ptr;
    if (count > 0) ch_run_sort(postings, (struct ch_posting *)(void *)streams->spare.ptr, count);
    ch_run_write(&streams->block, seq - CH_STREAMS_RUN + 1, ch_crc_record(seq, record), postings,
                 count);
    return !streams->block.failed && store_run(streams);
}

/* Takes the last event's postings away, which sorting may have moved. */
static void take_back(struct ch_streams *streams, uint64_t at)
{
    struct ch_posting *postings = (struct ch_posting *)(void *)streams->postings.ptr;
    size_t kept = 0;
    for (size_t i = 0; i < streams->postings.len / sizeof *postings; i++) {
        if (postings[i].at != at) postings[kept++] = postings[i];
    }
    streams->postings.len = kept * sizeof *postings;
}

enum ch_err ch_streams_add(struct ch_streams *streams, uint64_t seq, struct ch_bytes record,
                           const uint64_t *keys, size_t count, struct ch_why *why)
{
    CH_CHECK(seq == streams->next);
    CH_CHECK(count <= CH_STREAMS_KEYS);
    const uint64_t at = (seq - 1) % CH_STREAMS_RUN;
    bool good = ch_buf_reserve(&streams->postings, count * sizeof(struct ch_posting) + 1);
    for (size_t i = 0; good && i < count; i++) {
        const struct ch_posting posting = {.key = keys[i], .at = at};
        bool known = false;
        for (size_t before = 0; before < i; before++) {
            known = known || keys[before] == keys[i];
        }
        if (!known) ch_buf_put(&streams->postings, &posting, sizeof posting);
    }
    if (good && at == CH_STREAMS_RUN - 1) {
        good = seal(streams, seq, record);
        if (good) ch_buf_reset(&streams->postings);
    }
    if (!good) {
        streams->postings.failed = false;
        take_back(streams, at);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the index of event %llu",
                       (unsigned long long)seq);
    }
    streams->next = seq + 1;
    return CH_OK;
}

static enum ch_err find_in_run(struct ch_streams *streams, size_t place, uint64_t key,
                               uint64_t from_seq, uint64_t *seqs, size_t most, size_t *ret_count,
                               struct ch_why *why)
{
    const struct run *run = run_at(streams, place);
    size_t low = 0; /* the fences below it are not above the key */
    size_t high = run->fence_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (run->fences[middle].key <= key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) return CH_OK;
    const struct ch_fence fence = run->fences[low - 1];
    const uint64_t end = low < run->fence_count ? run->fences[low].at : run->body_bytes;
    struct ch_bytes block = {.len = (size_t)(end - fence.at)};
    if (run->kept != NULL) {
        block.ptr = run->kept + CH_RUN_HEAD_BYTES + fence.at;
    } else {
        int code = read_block(streams, run->at + CH_RUN_HEAD_BYTES + fence.at, block.len);
        if (code == ENOMEM) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the index");
        if (code != 0) {
            return ch_fail(why, CH_ERR_FILE_IO, code, "the index derived/streams is not readable");
        }
        block.ptr = streams->block.ptr;
    }
    const uint64_t first = (uint64_t)place * CH_STREAMS_RUN + 1;
    if (ch_run_find(block, fence.key, key, first, from_seq, seqs, most, ret_count)) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, 0,
                   "the index derived/streams is damaged; a restart makes it anew");
}

enum ch_err ch_streams_find_to(struct ch_streams *streams, uint64_t key, uint64_t from_seq,
                               uint64_t to_seq, uint64_t *seqs, size_t most, size_t *ret_count,
                               struct ch_why *why)
{
    size_t count = 0;
    if (from_seq == 0) from_seq = 1;
    size_t place = (size_t)((from_seq - 1) / CH_STREAMS_RUN);
    for (; place < run_count(streams) && count < most; place++) {
        if ((uint64_t)place * CH_STREAMS_RUN >= to_seq) break;
        enum ch_err err = find_in_run(streams, place, key, from_seq, seqs, most, &count, why);
        if (err != CH_OK) return err;
    }
    const uint64_t first = (uint64_t)run_count(streams) * CH_STREAMS_RUN + 1;
    const struct ch_posting *postings =
        (const struct ch_posting *)(const void *)streams->postings.ptr;
    const size_t newest = first > to_seq ? 0 : streams->postings.len / sizeof *postings;
    for (size_t i = 0; i < newest && count < most; i++) {
        if (postings[i].key != key || first + postings[i].at < from_seq) continue;
        seqs[count++] = first + postings[i].at;
    }
    while (count > 0 && seqs[count - 1] > to_seq) {
        count--;
    }
    *ret_count = count;
    return CH_OK;
}

enum ch_err ch_streams_find(struct ch_streams *streams, uint64_t key, uint64_t from_seq,
                            uint64_t *seqs, size_t most, size_t *ret_count, struct ch_why *why)
{
    return ch_streams_find_to(streams, key, from_seq, UINT64_MAX, seqs, most, ret_count, why);
}

/* A run tells its seqs upwards only, so all of the key's are taken and the last ones kept. */
static enum ch_err last_in_run(struct ch_streams *streams, size_t place, uint64_t key,
                               uint64_t below_seq, uint64_t *seqs, size_t most, size_t *ret_count,
                               struct ch_why *why)
{
    uint64_t *all = malloc(CH_STREAMS_RUN * sizeof *all);
    size_t found = 0;
    if (all == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the index");
    const enum ch_err err =
        find_in_run(streams, place, key, /* from_seq= */ 1, all, CH_STREAMS_RUN, &found, why);
    while (err == CH_OK && found > 0 && *ret_count < most) {
        found--;
        if (all[found] < below_seq) seqs[(*ret_count)++] = all[found];
    }
    free(all);
    return err;
}

enum ch_err ch_streams_find_last(struct ch_streams *streams, uint64_t key, uint64_t below_seq,
                                 uint64_t *seqs, size_t most, size_t *ret_count, struct ch_why *why)
{
    size_t count = 0;
    const uint64_t first = (uint64_t)run_count(streams) * CH_STREAMS_RUN + 1;
    const struct ch_posting *postings =
        (const struct ch_posting *)(const void *)streams->postings.ptr;
    for (size_t i = streams->postings.len / sizeof *postings; i > 0 && count < most; i--) {
        if (postings[i - 1].key != key || first + postings[i - 1].at >= below_seq) continue;
        seqs[count++] = first + postings[i - 1].at;
    }
    for (size_t place = run_count(streams); place > 0 && count < most; place--) {
        if ((uint64_t)(place - 1) * CH_STREAMS_RUN + 1 >= below_seq) continue;
        enum ch_err err = last_in_run(streams, place - 1, key, below_seq, seqs, most, &count, why);
        if (err != CH_OK) return err;
    }
    *ret_count = count;
    return CH_OK;
}
