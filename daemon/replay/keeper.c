/* keeper: see keeper.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/keeper.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/dump.h"
#include "daemon/log/prover.h"
#include "daemon/replay/resume.h"
#include "schema/base/check.h"
#include "schema/event.h"
#include "schema/limits.h"

enum { PIECE_BYTES = 4 << 20, LINE_BYTES = 480 };

enum stage {
    STAGE_NONE,
    STAGE_DUMPING, /* the state is written */
    STAGE_DUMPED,  /* all of it is; it is made durable next */
};

struct ch_keeper {
    char dir[PATH_MAX];
    struct ch_evlog *log;
    uint64_t events, bytes;
    ch_keeper_tell *tell;
    void *arg;
    struct ch_prover *prover;

    struct ch_snapshot kept[CH_SNAPSHOTS_READ]; /* good ones, ascending */
    size_t count;
    struct ch_snapshot made; /* the newest that was made; seq 0: none */
    uint64_t others;         /* of other versions of charterd: left alone */
    uint64_t tried;          /* the seq of the last try, which may have failed */

    enum stage stage;
    struct ch_snapshot_writer *writer;
    struct ch_dump_place place;
    struct ch_snapshot head; /* of the one that is made */
};

static void say(const struct ch_keeper *keeper, const char *format, ...) CH_PRINTF(2, 3);
static void say(const struct ch_keeper *keeper, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    keeper->tell(keeper->arg, line);
}

enum ch_err ch_keeper_open(const struct ch_keeper_options *options, struct ch_keeper **ret,
                           struct ch_why *why)
{
    struct ch_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for snapshots");
    keeper->log = options->log;
    keeper->events = options->events;
    keeper->bytes = options->bytes;
    keeper->tell = options->tell;
    keeper->arg = options->arg;
    enum ch_err err = ch_prover_open(options->log, &keeper->prover, why);
    const int len = snprintf(keeper->dir, sizeof keeper->dir, "%s", options->dir);
    if (err == CH_OK && (len < 0 || (size_t)len >= sizeof keeper->dir)) {
        err = ch_fail(why, CH_ERR_FILE_IO, 0, "the path of the data directory is too long");
    }
    if (err != CH_OK) {
        ch_keeper_close(keeper);
        return err;
    }
    *ret = keeper;
    return CH_OK;
}

void ch_keeper_close(struct ch_keeper *keeper)
{
    if (keeper == NULL) return;
    ch_snapshot_abort(keeper->writer);
    ch_prover_close(keeper->prover);
    free(keeper);
}

/* ---- what there is ------------------------------------------------------------------------ */

static void delete (struct ch_keeper *keeper, uint64_t seq)
{
    struct ch_why why;
    if (ch_snapshot_remove(keeper->dir, seq, &why) != CH_OK) {
        say(keeper, "%s", why.text);
    }
    size_t to = 0;
    for (size_t i = 0; i < keeper->count; i++) {
        if (keeper->kept[i].seq != seq) keeper->kept[to++] = keeper->kept[i];
    }
    keeper->count = to;
}

void ch_keeper_drop(struct ch_keeper *keeper, uint64_t seq, const char *text)
{
    say(keeper, "snapshot of event %" PRIu64 ": %s; it is deleted", seq, text);
    delete (keeper, seq);
    if (keeper->made.seq == seq) keeper->made.seq = 0;
}

void ch_keeper_survey(struct ch_keeper *keeper, uint64_t log_end)
{
    struct ch_snapshot_file files[CH_SNAPSHOTS_READ];
    struct ch_why why = {0};
    size_t count = 0;
    keeper->count = 0;
    if (ch_snapshot_list(keeper->dir, files, CH_SNAPSHOTS_READ, &count, &why) != CH_OK) {
        say(keeper, "%s", why.text);
    }
    for (size_t i = 0; i < count; i++) {
        struct ch_snapshot *head = &keeper->kept[keeper->count];
        enum ch_resume_fit fit = CH_RESUME_OTHER;
        const enum ch_err err =
            ch_resume_check(keeper->dir, files[i].seq, log_end, keeper->prover, head, &fit, &why);
        if (err != CH_OK) {
            say(keeper, "snapshot of event %" PRIu64 ": %s", files[i].seq, why.text);
        } else if (fit == CH_RESUME_GOOD) {
            keeper->count++;
        } else if (fit == CH_RESUME_OTHER) {
            keeper->others++;
        } else {
            ch_keeper_drop(keeper, files[i].seq, why.text);
        }
    }
}

const struct ch_snapshot *ch_keeper_before(const struct ch_keeper *keeper, uint64_t seq)
{
    for (size_t i = keeper->count; i > 0; i--) {
        if (keeper->kept[i - 1].seq <= seq) return &keeper->kept[i - 1];
    }
    return NULL;
}

const struct ch_snapshot *ch_keeper_after(const struct ch_keeper *keeper, uint64_t seq)
{
    for (size_t i = 0; i < keeper->count; i++) {
        if (keeper->kept[i].seq > seq) return &keeper->kept[i];
    }
    return NULL;
}

const struct ch_snapshot *ch_keeper_made(const struct ch_keeper *keeper)
{
    return keeper->made.seq == 0 ? NULL : &keeper->made;
}

size_t ch_keeper_count(const struct ch_keeper *keeper, uint64_t *ret_bytes)
{
    *ret_bytes = 0;
    for (size_t i = 0; i < keeper->count; i++) {
        *ret_bytes += keeper->kept[i].bytes + CH_SNAPSHOT_HEAD_BYTES;
    }
    return keeper->count;
}

/* ---- making one --------------------------------------------------------------------------- */

static uint64_t newest(const struct ch_keeper *keeper)
{
    const uint64_t seq = keeper->count == 0 ? 0 : keeper->kept[keeper->count - 1].seq;
    return seq > keeper->tried ? seq : keeper->tried;
}

uint64_t ch_keeper_due_at(const struct ch_keeper *keeper)
{
    return keeper->events == 0 ? UINT64_MAX : newest(keeper) + keeper->events;
}

bool ch_keeper_has_work(const struct ch_keeper *keeper, uint64_t seq)
{
    return keeper->stage != STAGE_NONE || seq >= ch_keeper_due_at(keeper);
}

bool ch_keeper_holds(const struct ch_keeper *keeper)
{
    return keeper->stage == STAGE_DUMPING;
}

static void give_up(struct ch_keeper *keeper, const struct ch_why *why)
{
    say(keeper, "no snapshot of event %" PRIu64 ": %s", keeper->head.seq, why->text);
    keeper->stage = STAGE_NONE;
}

static void begin(struct ch_keeper *keeper, const struct ch_state *state)
{
    struct ch_why why;
    const struct ch_row_meta *meta = ch_meta(state);
    keeper->head = (struct ch_snapshot){.seq = meta->head,
                                        .at_ns = meta->last_at,
                                        .body_version = CH_DUMP_VERSION,
                                        .event_types = CH_EVENT_TAGS};
    keeper->place = (struct ch_dump_place){.begun = false};
    keeper->tried = meta->head;
    if (ch_snapshot_begin(keeper->dir, &keeper->writer, &why) != CH_OK) {
        give_up(keeper, &why);
        return;
    }
    keeper->stage = STAGE_DUMPING;
}

static void put(void *arg, const void *ptr, size_t len)
{
    ch_snapshot_put(arg, ptr, len);
}

static void dump(struct ch_keeper *keeper, const struct ch_state *state)
{
    CH_CHECK(ch_meta(state)->head == keeper->head.seq); /* see ch_keeper_release */
    const bool more = ch_dump_some(state, &keeper->place, PIECE_BYTES, put, keeper->writer);
    if (!more || ch_snapshot_failed(keeper->writer)) keeper->stage = STAGE_DUMPED;
}

static void thin(struct ch_keeper *keeper)
{
    struct ch_snapshot_file files[CH_SNAPSHOTS_READ];
    for (;;) {
        for (size_t i = 0; i < keeper->count; i++) {
            files[i].seq = keeper->kept[i].seq;
            files[i].bytes = keeper->kept[i].bytes + CH_SNAPSHOT_HEAD_BYTES;
        }
        const size_t surplus =
            ch_snapshot_surplus(files, keeper->count, LIMIT_SNAPSHOTS, keeper->bytes);
        if (surplus == keeper->count) return;
        delete (keeper, files[surplus].seq);
    }
}

static void commit(struct ch_keeper *keeper)
{
    struct ch_why why;
    struct ch_snapshot_writer *writer = keeper->writer;
    keeper->writer = NULL;
    enum ch_err err = CH_OK;
    if (!ch_snapshot_failed(writer)) {
        err = ch_prover_root(keeper->prover, keeper->head.seq, &keeper->head.root, &why);
    }
    if (err != CH_OK) {
        ch_snapshot_abort(writer);
    } else {
        err = ch_snapshot_commit(writer, &keeper->head, &why);
    }
    if (err != CH_OK) {
        give_up(keeper, &why);
        return;
    }
    keeper->stage = STAGE_NONE;
    if (keeper->count == CH_SNAPSHOTS_READ) delete (keeper, keeper->kept[0].seq);
    keeper->kept[keeper->count++] = keeper->head; /* seqs only go up */
    keeper->made = keeper->head;
    thin(keeper);
}

void ch_keeper_step(struct ch_keeper *keeper, const struct ch_state *state)
{
    switch (keeper->stage) {
    case STAGE_NONE: begin(keeper, state); return;
    case STAGE_DUMPING: dump(keeper, state); return;
    case STAGE_DUMPED: commit(keeper); return;
    }
}

void ch_keeper_release(struct ch_keeper *keeper, const struct ch_state *state)
{
    while (ch_keeper_holds(keeper)) {
        dump(keeper, state);
    }
}

void ch_keeper_last(struct ch_keeper *keeper, const struct ch_state *state, uint64_t events)
{
    ch_keeper_release(keeper, state);
    if (keeper->stage == STAGE_DUMPED) commit(keeper);
    const uint64_t seq = ch_meta(state)->head;
    if (keeper->events == 0 || seq <= newest(keeper) || seq < newest(keeper) + events) return;
    do {
        ch_keeper_step(keeper, state);
    } while (keeper->stage != STAGE_NONE);
}
