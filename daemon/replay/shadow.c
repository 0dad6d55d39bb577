/* shadow: the queue and the thread; see shadow.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/shadow_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "daemon/log/crc.h"
#include "daemon/log/thread.h"
#include "daemon/replay/touched.h"
#include "schema/limits.h"

enum {
    SLICE_EVENTS = 4096,
    LAST_EVENTS = 65536, /* so far behind, a last snapshot is not waited for */
    NICE = 10
};

/* Inserts by seq, so that a pass only goes forward. */
static void insert_sorted(struct ch_shadow_job **list, struct ch_shadow_job *job)
{
    while (*list != NULL && (*list)->seq <= job->seq) {
        list = &(*list)->next;
    }
    job->next = *list;
    *list = job;
}

static void finish(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    job->next = NULL;
    (void)pthread_mutex_lock(&shadow->mutex);
    *shadow->done_end = job;
    shadow->done_end = &job->next;
    (void)pthread_mutex_unlock(&shadow->mutex);
    shadow->on_done(shadow->arg);
}

bool ch_shadow_may_go_on(void *arg, uint64_t seq)
{
    struct ch_shadow *shadow = arg;
    (void)seq;
    (void)pthread_mutex_lock(&shadow->mutex);
    bool stopping = shadow->stopping;
    (void)pthread_mutex_unlock(&shadow->mutex);
    return !stopping;
}

void ch_shadow_note_facts(struct ch_shadow *shadow)
{
    struct ch_shadow_facts facts = {0};
    const struct ch_snapshot *newest = ch_keeper_before(shadow->keeper, UINT64_MAX);
    if (newest != NULL) facts.snapshot = newest->seq;
    facts.snapshots = ch_keeper_count(shadow->keeper, &facts.snapshot_bytes);
    facts.scrub = *ch_scrub_facts(shadow->scrub);
    (void)pthread_mutex_lock(&shadow->mutex);
    shadow->facts = facts;
    (void)pthread_mutex_unlock(&shadow->mutex);
}

/* One slice of the way to `follow`, with a stop where a snapshot is due. Damage is told once; any
 * failure by the job that needs the head there. Until the loop tells of more, the head stays where
 * it is. */
static void follow_on(struct ch_shadow *shadow, uint64_t follow)
{
    struct ch_why why;
    const uint64_t at = ch_follower_seq(&shadow->head);
    const uint64_t due = ch_keeper_due_at(shadow->keeper);
    uint64_t to = follow - at > SLICE_EVENTS ? at + SLICE_EVENTS : follow;
    if (due > at && due < to) to = due;
    const enum ch_err err = ch_shadow_go_to(shadow, &shadow->head, to, &why);
    if (err == CH_OK && ch_follower_seq(&shadow->head) == to) return;
    if (err == CH_ERR_LOG_CORRUPT && shadow->tells_damage) {
        shadow->tells_damage = false;
        ch_scrub_tell(shadow->scrub, why.text);
        ch_shadow_note_facts(shadow);
    }
    (void)pthread_mutex_lock(&shadow->mutex);
    if (shadow->follow == follow) shadow->follow = 0;
    (void)pthread_mutex_unlock(&shadow->mutex);
}

static void refuse_all(struct ch_shadow *shadow, struct ch_shadow_job *jobs)
{
    while (jobs != NULL) {
        struct ch_shadow_job *job = jobs;
        jobs = job->next;
        job->err = ch_fail(&job->why, CH_ERR_STOPPED, 0, "the daemon is stopping");
        finish(shadow, job);
    }
}

/* Where the worker begins: the index must be fed with every event that it lacks. */
static void begin(struct ch_shadow *shadow)
{
    struct ch_why why;
    uint64_t end = 0;
    if (ch_reader_end(shadow->head.reader, &end, &why) != CH_OK) return;
    ch_keeper_survey(shadow->keeper, end);
    ch_shadow_note_facts(shadow);
    const uint64_t lacks = ch_streams_next_seq(shadow->streams);
    const enum ch_err err = ch_shadow_load_before(shadow, &shadow->head, lacks - 1, &why);
    (void)err; /* a failure is met again by the first job */
}

/* The last thing it does. */
static void end(struct ch_shadow *shadow, uint64_t last)
{
    struct ch_why why;
    const uint64_t at = ch_follower_seq(&shadow->head);
    if (last < at || last - at > LAST_EVENTS) return;
    ch_keeper_release(shadow->keeper, &shadow->head.state);
    if (ch_follower_go(&shadow->head, last, NULL, NULL, &why) != CH_OK) return;
    ch_keeper_last(shadow->keeper, &shadow->head.state,
                   shadow->snapshot_events / LIMIT_SNAPSHOT_LAST);
}

static void serve_all(struct ch_shadow *shadow, struct ch_shadow_job *taken)
{
    struct ch_shadow_job *sorted = NULL;
    while (taken != NULL) {
        struct ch_shadow_job *job = taken;
        taken = job->next;
        ch_shadow_locate(shadow, job);
        insert_sorted(&sorted, job);
    }
    while (sorted != NULL) {
        struct ch_shadow_job *job = sorted;
        sorted = job->next;
        ch_shadow_answer(shadow, job);
        finish(shadow, job);
    }
}

/* One piece of what is done between jobs. */
static void go_on(struct ch_shadow *shadow, uint64_t follow)
{
    if (ch_keeper_has_work(shadow->keeper, ch_follower_seq(&shadow->head))) {
        ch_keeper_step(shadow->keeper, &shadow->head.state);
        ch_shadow_note_facts(shadow);
    } else if (follow > ch_follower_seq(&shadow->head)) {
        follow_on(shadow, follow);
    }
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    CH_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The log's end, as far as the worker knows: also where the head cannot go on to it. */
static uint64_t known_end(const struct ch_shadow *shadow, uint64_t told)
{
    const uint64_t at = ch_follower_seq(&shadow->head);
    return told > at ? told : at;
}

/* Verifies some of the log, when it is time for that. */
static void scrub_some(struct ch_shadow *shadow, uint64_t told)
{
    const uint64_t end = known_end(shadow, told);
    const uint64_t due = ch_scrub_due_ns(shadow->scrub, end);
    if (due == UINT64_MAX) return;
    const uint64_t now = monotonic_ns();
    if (due > now) return;
    ch_scrub_slice(shadow->scrub, now, end);
    ch_shadow_note_facts(shadow);
}

/* Until there is something to do; the mutex is held. */
static void wait_some(struct ch_shadow *shadow)
{
    const uint64_t due = ch_scrub_due_ns(shadow->scrub, known_end(shadow, shadow->told));
    if (due == UINT64_MAX) {
        (void)pthread_cond_wait(&shadow->woken, &shadow->mutex);
        return;
    }
    const struct timespec until = {.tv_sec = (time_t)(due / 1000000000u),
                                   .tv_nsec = (long)(due % 1000000000u)};
    (void)pthread_cond_timedwait(&shadow->woken, &shadow->mutex, &until);
}

static bool is_idle(const struct ch_shadow *shadow)
{
    const uint64_t at = ch_follower_seq(&shadow->head);
    return shadow->waiting == NULL && !shadow->stopping && !shadow->forget &&
           shadow->follow <= at && !ch_keeper_has_work(shadow->keeper, at) &&
           ch_scrub_due_ns(shadow->scrub, known_end(shadow, shadow->told)) > monotonic_ns();
}

static void *run(void *arg)
{
    struct ch_shadow *shadow = arg;
    /* Of this thread alone, on Linux: the loop and the commit thread go first where there are fewer
     * processors than threads with work. Its own work is bounded and can wait. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    begin(shadow);
    for (;;) {
        (void)pthread_mutex_lock(&shadow->mutex);
        while (is_idle(shadow)) {
            wait_some(shadow);
        }
        struct ch_shadow_job *taken = shadow->waiting;
        shadow->waiting = NULL;
        const bool stopping = shadow->stopping;
        const bool forget = shadow->forget;
        shadow->forget = false;
        const uint64_t follow = shadow->follow;
        const uint64_t told = shadow->told;
        const uint64_t last = shadow->last;
        (void)pthread_mutex_unlock(&shadow->mutex);
        if (stopping) {
            refuse_all(shadow, taken);
            if (last > 0) end(shadow, last);
            return NULL;
        }
        if (forget) ch_shadow_forget_erased(shadow);
        serve_all(shadow, taken);
        go_on(shadow, follow);
        scrub_some(shadow, told);
    }
}

/* The head's events go into the index, but for those it knows from its file. */
static enum ch_err before(void *arg, const struct ch_state *state, const struct ch_event *event,
                          struct ch_bytes record, struct ch_why *why)
{
    struct ch_shadow *shadow = arg;
    uint64_t keys[CH_STREAMS_KEYS];
    if (event->seq < ch_streams_next_seq(shadow->streams)) return CH_OK;
    const size_t count = ch_touched(state, event, keys);
    return ch_streams_add(shadow->streams, event->seq, record, keys, count, why);
}

static bool mark_of(void *arg, uint64_t seq, uint32_t *ret)
{
    struct ch_log_record record;
    struct ch_why why;
    if (ch_reader_read(arg, seq, &record, &why) != CH_OK || record.bytes.ptr == NULL) return false;
    *ret = ch_crc_record(seq, record.bytes);
    return true;
}

static enum ch_err learn(void *arg, struct ch_state *state, const struct ch_event *event,
                         struct ch_why *why)
{
    const struct ch_follower *head = arg;
    return head->directory == NULL ? CH_OK : ch_directory_learn(head->directory, state, event, why);
}

static enum ch_err create_strands(struct ch_shadow *shadow, struct ch_why *why)
{
    const struct ch_strands_options options = {.streams = shadow->streams,
                                               .reader = shadow->head.reader,
                                               .learn = learn,
                                               .arg = &shadow->head};
    return ch_strands_create(&options, &shadow->strands, why);
}

static enum ch_err open_keeper(struct ch_shadow *shadow, const struct ch_shadow_options *options,
                               struct ch_why *why)
{
    const struct ch_keeper_options keeper = {.dir = options->dir,
                                             .log = options->log,
                                             .events = options->snapshot_events,
                                             .bytes = options->snapshot_bytes,
                                             .tell = options->tell,
                                             .arg = options->arg};
    const int len = snprintf(shadow->dir, sizeof shadow->dir, "%s", options->dir);
    if (len < 0 || (size_t)len >= sizeof shadow->dir) {
        return ch_fail(why, CH_ERR_FILE_IO, 0, "the path of the data directory is too long");
    }
    const enum ch_err err = ch_keeper_open(&keeper, &shadow->keeper, why);
    if (err != CH_OK) return err;
    const struct ch_scrub_options scrub = {.log = options->log,
                                           .dir = options->dir,
                                           .keeper = shadow->keeper,
                                           .rate = options->scrub_rate,
                                           .again_ns = options->scrub_again_ns,
                                           .tell = options->tell,
                                           .arg = options->arg};
    const enum ch_err opened = ch_scrub_open(&scrub, &shadow->scrub, why);
    if (opened != CH_OK) return opened;
    shadow->tells_damage = options->scrub_rate == 0;
    if (options->fault != NULL) {
        ch_scrub_tell(shadow->scrub, options->fault);
        shadow->facts.scrub = *ch_scrub_facts(shadow->scrub);
    }
    return CH_OK;
}

enum ch_err ch_shadow_start(const struct ch_shadow_options *options, struct ch_shadow **ret,
                            struct ch_why *why)
{
    struct ch_shadow *shadow = calloc(1, sizeof *shadow);
    if (shadow == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the worker");
    shadow->log = options->log;
    shadow->on_done = options->on_done;
    shadow->arg = options->arg;
    shadow->done_end = &shadow->done_first;
    (void)pthread_mutex_init(&shadow->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&shadow->woken, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    shadow->snapshot_events = options->snapshot_events;
    uint64_t end = 0;
    enum ch_err err = ch_follower_open(&shadow->head, options->log, options->directory, why);
    if (err == CH_OK) err = ch_follower_vouch(&shadow->head, why);
    if (err == CH_OK) err = open_keeper(shadow, options, why);
    if (err == CH_OK) err = ch_reader_end(shadow->head.reader, &end, why);
    if (err == CH_OK) {
        err =
            ch_streams_open(options->dir, end, mark_of, shadow->head.reader, &shadow->streams, why);
    }
    if (err == CH_OK) err = create_strands(shadow, why);
    if (err != CH_OK) {
        ch_shadow_destroy(shadow);
        return err;
    }
    shadow->replay = (struct ch_check_replay){.dir = shadow->dir, .exit_status = CH_EXIT_DAMAGED};
    shadow->head.replay = shadow->replay;
    shadow->head.before = before;
    shadow->head.before_arg = shadow;
    const int rc = ch_thread_start(&shadow->thread, "worker", run, shadow);
    if (rc != 0) {
        ch_shadow_destroy(shadow);
        return ch_fail(why, CH_ERR_NO_MEMORY, rc, "the worker's thread does not start");
    }
    *ret = shadow;
    return CH_OK;
}

void ch_shadow_stop(struct ch_shadow *shadow)
{
    if (shadow == NULL) return;
    (void)pthread_mutex_lock(&shadow->mutex);
    shadow->stopping = true;
    (void)pthread_cond_signal(&shadow->woken);
    (void)pthread_mutex_unlock(&shadow->mutex);
    (void)pthread_join(shadow->thread, NULL);
}

void ch_shadow_destroy(struct ch_shadow *shadow)
{
    if (shadow == NULL) return;
    (void)pthread_mutex_destroy(&shadow->mutex);
    (void)pthread_cond_destroy(&shadow->woken);
    ch_follower_close(&shadow->head);
    ch_follower_close(&shadow->past);
    ch_scrub_close(shadow->scrub);
    ch_keeper_close(shadow->keeper);
    ch_strands_destroy(shadow->strands);
    ch_streams_close(shadow->streams);
    free(shadow);
}

void ch_shadow_keep_last(struct ch_shadow *shadow, uint64_t durable)
{
    if (shadow == NULL) return;
    (void)pthread_mutex_lock(&shadow->mutex);
    shadow->last = durable;
    (void)pthread_mutex_unlock(&shadow->mutex);
}

void ch_shadow_tell_facts(struct ch_shadow *shadow, struct ch_shadow_facts *ret)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    *ret = shadow->facts;
    (void)pthread_mutex_unlock(&shadow->mutex);
}

void ch_shadow_follow(struct ch_shadow *shadow, uint64_t durable)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    shadow->follow = durable;
    shadow->told = durable;
    (void)pthread_cond_signal(&shadow->woken);
    (void)pthread_mutex_unlock(&shadow->mutex);
}

void ch_shadow_forget(struct ch_shadow *shadow)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    shadow->forget = true;
    (void)pthread_cond_signal(&shadow->woken);
    (void)pthread_mutex_unlock(&shadow->mutex);
}

void ch_shadow_submit(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    job->next = shadow->waiting;
    shadow->waiting = job;
    (void)pthread_cond_signal(&shadow->woken);
    (void)pthread_mutex_unlock(&shadow->mutex);
}

struct ch_shadow_job *ch_shadow_collect(struct ch_shadow *shadow)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    struct ch_shadow_job *job = shadow->done_first;
    if (job != NULL) {
        shadow->done_first = job->next;
        if (shadow->done_first == NULL) shadow->done_end = &shadow->done_first;
        job->next = NULL;
    }
    (void)pthread_mutex_unlock(&shadow->mutex);
    return job;
}
