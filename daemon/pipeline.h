/* pipeline: THE LINE, from a request to its reply. SPDX-License-Identifier: MIT
 *
 *   socket -> decode -> authenticate -> decide -> seal -> append -> apply
 *          -> commit (one fsync for the batch) -> doorbell -> reply
 *
 * One command's way: edge/ingress hands a request to take(). decode (schema/request.h) makes a
 * struct
 * of it; authenticate (edge/authenticate.h) finds the actor; ch_message_run (message.h) resolves,
 * admits and decides each call (core/decide.h), seals what is personal (personal.h), appends the
 * records to the open batch and applies them (core/apply.h). At the end of the loop's turn the
 * batch
 * goes to the commit thread (log/committer.h), if that is idle; what arrives meanwhile forms the
 * next
 * one. When it is durable, finish() rings the doorbell and lets the replies go.
 * A query is answered at once, unless it read a row newer than what is durable: then it waits for
 * it.
 * Threads: all of it is the loop's. */
#ifndef CH_DAEMON_PIPELINE_H
#define CH_DAEMON_PIPELINE_H
#include "daemon/batch.h"
#include "daemon/host/clock.h"
#include "daemon/host/config.h"
#include "daemon/host/entropy.h"
#include "daemon/host/loop.h"
#include "daemon/message.h"

struct ch_evlog;
struct ch_committer;
struct ch_doorbell;
struct ch_shadow;

/* A request that waits for a seq to become durable, or for its time to run out. */
struct ch_waiter {
    struct ch_ingress_arrival arrival;
    uint64_t seq;         /* asked again when this is durable */
    uint64_t deadline_ns; /* monotonic; asked for the last time then */
};

struct ch_pipeline {
    /* set by the owner before ch_pipeline_start; borrowed */
    const struct ch_config *config;
    struct ch_loop *loop;
    struct ch_clock *clock;
    struct ch_entropy *entropy;
    struct ch_evlog *log;
    struct ch_reader *reader;
    struct ch_directory *directory;
    struct ch_ingress *ingress;
    struct ch_doorbell *doorbell; /* NULL: none */
    struct ch_state *state;       /* replayed to the log's end, with its journal on */
    uint32_t own_uid;
    uint64_t replayed, replay_ms; /* for status */

    /* its own */
    struct ch_committer *committer;
    struct ch_shadow *shadow;
    struct ch_open_batch batches[2];
    struct ch_open_batch *open;   /* being filled */
    struct ch_open_batch *flying; /* being made durable; NULL: none */
    struct ch_arena arena;        /* of one message */
    struct ch_buf reply;
    struct ch_buf waiters; /* struct ch_waiter */
    struct ch_loop_timer *waiter_timer;
    struct ch_loop_timer *due_timer;
    struct ch_loop_watch *arrivals_watch, *commit_watch, *shadow_watch;
    int commit_fd, shadow_fd;
    uint64_t durable; /* seq */
    uint64_t log_bytes;
    uint8_t root[32];
    uint32_t held_commands; /* requests whose replies wait for a batch */
    uint32_t past_jobs;
    uint64_t busy_answers;
    uint64_t started_ns; /* monotonic */
    bool hash_ready;     /* the request taken now wanted a state hash, and here it is */
    uint8_t state_hash[32];
    uint64_t state_seq;
    bool last_try;        /* the request taken now has waited long enough */
    enum ch_err stop_err; /* not CH_OK: the loop ended for this */
    struct ch_why stop_why;
};

/* Starts commit thread, worker and watches. errors: CH_ERR_NO_MEMORY, CH_ERR_FILE_IO,
 * CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_pipeline_start(struct ch_pipeline *line, struct ch_why *why);
/* Makes durable what was decided, answers it, stops the threads. The loop has ended. */
void ch_pipeline_stop(struct ch_pipeline *line);

/* The time at which a command would be decided now: never before the last event's. */
uint64_t ch_pipeline_now(const struct ch_pipeline *line);
/* Appends the events of what is due now; for clock.set and the timer. */
void ch_pipeline_fire_due(struct ch_pipeline *line);

/* worldly.c: the answers of status, events.read and clock.set; see struct ch_ground. */
bool ch_worldly_answer(void *arg, const struct ch_moment *moment, const struct ch_call *call,
                       struct ch_buf *buf, struct ch_why *why);
/* past.c: hands a request about the past, or for a state hash, to the worker. True: it took it. */
bool ch_past_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const struct ch_request *request, const struct ch_moment *moment);
void ch_past_collect(struct ch_pipeline *line);
/* repeat.c: a message whose id was used before. True: the reply is made, or the request waits. */
bool ch_repeat_answer(struct ch_pipeline *line, const struct ch_request *request,
                      const struct ch_moment *moment, struct ch_buf *reply, uint64_t *ret_wait_seq);

/* Takes a request as if it had just arrived. */
void ch_pipeline_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival);
/* The whole of a request is answered with one failure. */
void ch_pipeline_refuse(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                        const uint8_t *id, const struct ch_why *why);
void ch_pipeline_send(struct ch_pipeline *line, struct ch_ingress_slot slot, struct ch_bytes reply);
void ch_pipeline_wait(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                      uint64_t seq, uint64_t wait_ms);
#endif
