/* decoder: see decoder.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/decoder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/thread.h"
#include "daemon/replay/vouch.h"
#include "schema/base/check.h"

/* Groups made ahead, while one more is applied. The thread is woken when half of them are used. */
enum { GROUPS = 8 };

/* A group with the reader that its records live in. */
struct place {
    struct ch_group group;
    struct ch_reader *reader;
};

struct ch_decoder {
    struct place places[GROUPS]; /* group number n stands in n % GROUPS */
    struct ch_vouch *vouch;      /* the thread's; NULL: nobody is asked */
    uint64_t from, to;
    pthread_t thread;
    bool started;
    bool holds; /* the consumer looks at group `used` */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t room;
    pthread_cond_t ready;
    uint64_t made; /* groups, ever */
    uint64_t used;
    bool waits; /* the consumer does, for `ready` */
    bool ended; /* no group will be made any more */
    bool stopping;
    enum ch_err err; /* behind the last group */
    struct ch_why why;
};

enum ch_err ch_group_decode(struct ch_group *group, struct ch_why *why)
{
    ch_arena_reset(&group->arena);
    for (size_t i = 0; i < group->count; i++) {
        const struct ch_log_record *record = &group->records[i];
        struct ch_event *event = &group->events[i];
        enum ch_err err =
            ch_event_decode(record->bytes, &group->arena, &group->bodies[i], event, why);
        if (err == CH_OK && event->seq != record->seq) {
            err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %llu says that it is event %llu",
                          (unsigned long long)record->seq, (unsigned long long)event->seq);
        }
        if (err == CH_OK) continue;
        group->count = i;
        return i > 0 ? CH_OK : err;
    }
    return CH_OK;
}

enum ch_err ch_group_read(struct ch_group *group, struct ch_reader *reader, struct ch_vouch *vouch,
                          uint64_t from, uint64_t to, struct ch_why *why)
{
    CH_CHECK(from <= to);
    const uint64_t left = to - from + 1;
    const size_t most = left < CH_GROUP_EVENTS ? (size_t)left : CH_GROUP_EVENTS;
    ch_reader_seek(reader, from);
    enum ch_err err = ch_reader_next_some(reader, group->records, most, &group->count, why);
    if (err == CH_OK && vouch != NULL) {
        err = ch_vouch_check(vouch, group->records, &group->count, why);
    }
    return err == CH_OK ? ch_group_decode(group, why) : err;
}

void ch_group_deinit(struct ch_group *group)
{
    ch_arena_deinit(&group->arena);
    *group = (struct ch_group){0};
}

/* Makes one group. Returns false at the end, or when it is told to stop. */
static bool make_one(struct ch_decoder *d)
{
    (void)pthread_mutex_lock(&d->mutex);
    if (d->made - d->used == GROUPS) {
        while (d->made - d->used > GROUPS / 2 && !d->stopping) {
            (void)pthread_cond_wait(&d->room, &d->mutex);
        }
    }
    const bool stopping = d->stopping;
    struct place *place = &d->places[d->made % GROUPS];
    (void)pthread_mutex_unlock(&d->mutex);
    if (stopping || d->from > d->to) return false;

    struct ch_why why = {0};
    const enum ch_err err =
        ch_group_read(&place->group, place->reader, d->vouch, d->from, d->to, &why);
    (void)pthread_mutex_lock(&d->mutex);
    if (err != CH_OK) {
        d->err = err;
        d->why = why;
    } else if (place->group.count > 0) {
        d->from += place->group.count;
        d->made++;
    }
    if (d->waits) (void)pthread_cond_signal(&d->ready);
    (void)pthread_mutex_unlock(&d->mutex);
    return err == CH_OK && place->group.count > 0;
}

static void *run(void *arg)
{
    struct ch_decoder *d = arg;
    while (make_one(d)) {
    }
    (void)pthread_mutex_lock(&d->mutex);
    d->ended = true;
    (void)pthread_cond_signal(&d->ready);
    (void)pthread_mutex_unlock(&d->mutex);
    return NULL;
}

enum ch_err ch_decoder_start(struct ch_evlog *log, struct ch_vouch *vouch, uint64_t from,
                             uint64_t to, struct ch_decoder **ret, struct ch_why *why)
{
    struct ch_decoder *d = calloc(1, sizeof *d);
    if (d == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to decode ahead");
    d->vouch = vouch;
    d->from = from;
    d->to = to;
    d->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    d->room = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    d->ready = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    enum ch_err err = CH_OK;
    for (size_t i = 0; err == CH_OK && i < GROUPS; i++) {
        err = ch_reader_open(log, &d->places[i].reader, why);
    }
    const int code = err == CH_OK ? ch_thread_start(&d->thread, "decode", run, d) : 0;
    d->started = err == CH_OK && code == 0;
    if (code != 0) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, code, "decode thread: %s", strerror(code));
    }
    if (err != CH_OK) {
        ch_decoder_stop(d);
        return err;
    }
    *ret = d;
    return CH_OK;
}

enum ch_err ch_decoder_next(struct ch_decoder *d, const struct ch_group **ret, struct ch_why *why)
{
    (void)pthread_mutex_lock(&d->mutex);
    if (d->holds) {
        d->used++;
        d->holds = false;
        if (d->made - d->used == GROUPS / 2) (void)pthread_cond_signal(&d->room);
    }
    while (d->made == d->used && !d->ended) {
        d->waits = true;
        (void)pthread_cond_wait(&d->ready, &d->mutex);
        d->waits = false;
    }
    d->holds = d->made > d->used;
    const struct ch_group *group = d->holds ? &d->places[d->used % GROUPS].group : NULL;
    const enum ch_err err = d->holds ? CH_OK : d->err;
    if (err != CH_OK && why != NULL) *why = d->why;
    (void)pthread_mutex_unlock(&d->mutex);
    *ret = group;
    return err;
}

void ch_decoder_stop(struct ch_decoder *d)
{
    if (d == NULL) return;
    (void)pthread_mutex_lock(&d->mutex);
    d->stopping = true;
    (void)pthread_cond_signal(&d->room);
    (void)pthread_mutex_unlock(&d->mutex);
    if (d->started) (void)pthread_join(d->thread, NULL);
    for (size_t i = 0; i < GROUPS; i++) {
        ch_group_deinit(&d->places[i].group);
        ch_reader_close(d->places[i].reader);
    }
    free(d);
}
