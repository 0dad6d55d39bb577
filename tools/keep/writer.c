/* writer: see writer.h. SPDX-License-Identifier: MIT */
#include "tools/keep/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/log/thread.h"
#include "schema/base/check.h"

/* So many pieces that filling goes on while the disk makes what was written durable, and no more
 * than stay in the processor's last cache. */
enum { PIECES = 16, PIECE_BYTES = 512 << 10, ALIGN_BYTES = 4096, DURABLE_BYTES = 16 << 20 };
enum { PAGE_BYTES = 2 << 20 }; /* of memory, where there are large ones */

struct writer {
    int fd;
    bool piped;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards full, ending and code */
    pthread_cond_t changed;
    uint8_t *pieces; /* one behind the other, aligned */
    size_t lens[PIECES];
    bool full[PIECES]; /* with the writing thread */
    bool ending;
    int code;            /* what went wrong first */
    unsigned filling;    /* of whoever puts */
    _Atomic bool others; /* make the disk durable */
    /* of whoever writes */
    bool direct; /* past the page cache */
    off_t written;
    off_t sent;    /* of what lies in the page cache: on its way to the disk */
    off_t durable; /* of what was written */
};

/* ---- writing ------------------------------------------------------------------------------ */

static void set_direct(struct writer *writer, bool wanted)
{
    const int flags = fcntl(writer->fd, F_GETFL);
    const int other = wanted ? flags | O_DIRECT : flags & ~O_DIRECT;
    writer->direct = flags >= 0 && fcntl(writer->fd, F_SETFL, other) == 0 && wanted;
}

/* In the page cache no more than two pieces stay. Failing costs only evenness. */
static void send(struct writer *writer)
{
    const off_t from = writer->sent;
    const off_t before = from > PIECE_BYTES ? from - PIECE_BYTES : 0;
    if (writer->piped || writer->direct) return;
    (void)sync_file_range(writer->fd, from, writer->written - from, SYNC_FILE_RANGE_WRITE);
    (void)sync_file_range(writer->fd, before, from - before,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                              SYNC_FILE_RANGE_WAIT_AFTER);
    (void)posix_fadvise(writer->fd, before, from - before, POSIX_FADV_DONTNEED);
    writer->sent = writer->written;
}

/* The disk has a cache, too: emptied now and then, or the end waits for all of it. */
static int make_durable(struct writer *writer)
{
    if (writer->piped || writer->written - writer->durable < DURABLE_BYTES) return 0;
    writer->durable = writer->written;
    if (atomic_load_explicit(&writer->others, memory_order_relaxed)) return 0;
    return fdatasync(writer->fd) == 0 ? 0 : errno;
}

/* Only whole blocks go past the page cache: the last piece is none, and what a short write leaves
 * may be none. */
static int write_piece(struct writer *writer, const uint8_t *piece, size_t len)
{
    for (size_t at = 0; at < len;) {
        if (writer->direct && (at % ALIGN_BYTES != 0 || len % ALIGN_BYTES != 0)) {
            set_direct(writer, false);
        }
        const ssize_t done = write(writer->fd, piece + at, len - at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && errno == EINVAL && writer->direct) { /* other blocks than thought */
            set_direct(writer, false);
            continue;
        }
        if (done < 0) return errno;
        at += (size_t)done;
    }
    writer->written += (off_t)len;
    send(writer);
    return make_durable(writer);
}

/* ---- threads ------------------------------------------------------------------------------ */

static uint8_t *piece_at(const struct writer *writer, unsigned at)
{
    return writer->pieces + (size_t)at * PIECE_BYTES;
}

static void lock(struct writer *writer)
{
    CH_CHECK(pthread_mutex_lock(&writer->mutex) == 0);
}

static void unlock(struct writer *writer)
{
    CH_CHECK(pthread_mutex_unlock(&writer->mutex) == 0);
}

static void wait_change(struct writer *writer)
{
    CH_CHECK(pthread_cond_wait(&writer->changed, &writer->mutex) == 0);
}

static void tell_change(struct writer *writer)
{
    CH_CHECK(pthread_cond_signal(&writer->changed) == 0);
}

/* It is at work seldom and never for long, and what feeds it always: so of ours it goes first, or
 * the disk waits for the end of somebody's turn. Of all others it stays the last. */
static void go_before_ours(void)
{
    const struct sched_param none = {.sched_priority = 0};
    (void)sched_setscheduler(0, SCHED_OTHER, &none);
    (void)setpriority(PRIO_PROCESS, 0, PRIO_MAX);
}

static void *run(void *arg)
{
    struct writer *writer = arg;
    go_before_ours();
    for (unsigned at = 0;; at = (at + 1) % PIECES) {
        lock(writer);
        while (!writer->full[at] && !writer->ending) {
            wait_change(writer);
        }
        const bool work = writer->full[at] && writer->code == 0;
        unlock(writer);
        if (!work) return NULL;
        const int code = write_piece(writer, piece_at(writer, at), writer->lens[at]);
        lock(writer);
        writer->code = code;
        writer->full[at] = false;
        tell_change(writer);
        unlock(writer);
        if (code != 0) return NULL;
    }
}

/* The piece that is being filled goes to be written; the next one is waited for. */
static int hand_over(struct writer *writer)
{
    const unsigned at = writer->filling;
    if (!writer->threaded) {
        if (writer->code == 0) {
            writer->code = write_piece(writer, piece_at(writer, at), writer->lens[at]);
        }
        writer->lens[at] = 0;
        return writer->code;
    }
    lock(writer);
    writer->full[at] = true;
    tell_change(writer);
    writer->filling = (at + 1) % PIECES;
    while (writer->full[writer->filling] && writer->code == 0) {
        wait_change(writer);
    }
    const int code = writer->code;
    unlock(writer);
    writer->lens[writer->filling] = 0;
    return code;
}

static void join(struct writer *writer)
{
    if (!writer->threaded) return;
    lock(writer);
    writer->ending = true;
    tell_change(writer);
    unlock(writer);
    CH_CHECK(pthread_join(writer->thread, NULL) == 0);
    writer->threaded = false;
}

/* ---- the whole ---------------------------------------------------------------------------- */

enum ch_err writer_open(int fd, bool piped, struct writer **ret, struct ch_why *why)
{
    void *pieces = NULL;
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL || posix_memalign(&pieces, PAGE_BYTES, PIECES * PIECE_BYTES) != 0) {
        free(writer);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to write");
    }
    (void)madvise(pieces, PIECES * PIECE_BYTES, MADV_HUGEPAGE); /* an advice, taken or not */
    writer->fd = fd;
    writer->piped = piped;
    writer->pieces = pieces;
    writer->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    writer->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    if (!piped) set_direct(writer, true);
    /* Where it does not start, without. */
    writer->threaded = ch_thread_start(&writer->thread, "writer", run, writer) == 0;
    *ret = writer;
    return CH_OK;
}

int writer_put(struct writer *writer, struct ch_bytes bytes)
{
    while (bytes.len > 0) {
        size_t *len = &writer->lens[writer->filling];
        const size_t room = PIECE_BYTES - *len;
        const size_t more = bytes.len < room ? bytes.len : room;
        memcpy(piece_at(writer, writer->filling) + *len, bytes.ptr, more);
        *len += more;
        bytes = (struct ch_bytes){bytes.ptr + more, bytes.len - more};
        const int code = *len == PIECE_BYTES ? hand_over(writer) : 0;
        if (code != 0) return code;
    }
    return 0;
}

void writer_beside(struct writer *writer, bool others)
{
    atomic_store_explicit(&writer->others, others, memory_order_relaxed);
}

int writer_finish(struct writer *writer)
{
    const int code = writer->lens[writer->filling] > 0 ? hand_over(writer) : 0;
    join(writer);
    return code == 0 ? writer->code : code;
}

void writer_close(struct writer *writer)
{
    if (writer == NULL) return;
    join(writer);
    (void)pthread_cond_destroy(&writer->changed);
    (void)pthread_mutex_destroy(&writer->mutex);
    free(writer->pieces);
    free(writer);
}
