/* line: what the loop knows, and the few things every part of it does. SPDX-License-Identifier: MIT
 * pipeline.h is the way of a request; waiting.c, past.c, passwords.c, whatif.c, repeat.c and
 * worldly.c are its side roads. They all see this struct.
 * Threads: all of it is the loop's. */
#ifndef CH_DAEMON_LINE_H
#define CH_DAEMON_LINE_H
#include "daemon/batch.h"
#include "daemon/host/clock.h"
#include "daemon/host/config.h"
#include "daemon/host/entropy.h"
#include "daemon/host/loop.h"
#include "daemon/message.h"

struct ch_evlog;
struct ch_activity;
struct ch_checkpoints;
struct ch_committer;
struct ch_doorbell;
struct ch_page;
struct ch_password_job;
struct ch_password_pool;
struct ch_past;
struct ch_proved;
struct ch_shadow;
struct ch_shadow_job;
struct ch_uses;

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
    uint64_t resumed;             /* the seq of the snapshot that the start went on from; 0: none */
    uint64_t replayed, replay_ms; /* for status */

    /* its own */
    struct ch_committer *committer;
    struct ch_shadow *shadow;
    struct ch_checkpoints *checkpoints;
    struct ch_open_batch batches[2];
    struct ch_open_batch *open;   /* being filled */
    struct ch_open_batch *flying; /* being made durable; NULL: none */
    struct ch_arena arena;        /* of one message */
    struct ch_buf reply;
    struct ch_buf waiters, again; /* waiting.c: those that wait, and those that do no more */
    size_t again_at;
    struct ch_loop_timer *waiter_timer;
    struct ch_loop_timer *due_timer;
    uint64_t own_retry_ns; /* events of the daemon's own could not be appended: not before this */
    struct ch_loop_watch *arrivals_watch, *commit_watch, *shadow_watch, *password_watch;
    int commit_fd, shadow_fd, password_fd;
    struct ch_password_pool *password_pool;
    struct ch_uses *uses;   /* what checks used, until the log is told */
    struct ch_shown *shown; /* secrets, for messages that are sent again */
    uint32_t password_jobs;
    struct ch_password_job *entered; /* what the pool found for the request taken now, or NULL */
    uint64_t durable;                /* seq */
    uint64_t log_bytes;
    uint8_t root[32];
    uint32_t held_commands; /* requests whose replies wait for a batch */
    uint32_t past_jobs;
    uint64_t busy_answers;
    uint64_t past_strands; /* questions about the past that few events answered */
    uint64_t past_wholes;  /* and those that took the whole state */
    uint64_t passwords;    /* that went through the pool */
    uint64_t started_ns;   /* monotonic */
    struct ch_past
        *served;     /* the request taken now comes back from the worker; NULL: it does not */
    bool hash_ready; /* it wanted a state hash, and here it is */
    uint8_t state_hash[32];
    uint64_t state_seq;
    const struct ch_page *pages;          /* by call: the filtered events it wanted; NULL: none */
    const struct ch_activity *activities; /* by call: the activity logs it wanted; NULL: none */
    const struct ch_made *made;           /* by call: what users had made; NULL: none */
    const struct ch_proved *proofs;       /* by call: the proofs it wanted; NULL: none */
    uint64_t followed;                    /* the durable seq that the worker was told last */
    uint64_t follow_events;               /* it is told again after so many */
    bool last_try;                        /* the request taken now has waited long enough */
    enum ch_err stop_err;                 /* not CH_OK: the loop ended for this */
    struct ch_why stop_why;
};

/* The time at which a command would be decided now: never before the last event's. */
uint64_t ch_line_now(const struct ch_pipeline *line);
/* Sends a reply; the slot is given back whatever happens. */
void ch_line_send(struct ch_pipeline *line, struct ch_ingress_slot slot, struct ch_bytes reply);
/* The whole of a request is answered with one failure. id: NULL where it could not be read. */
void ch_line_refuse(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                    const uint8_t *id, const struct ch_why *why);
/* Keeps the reply in line->reply until the seq is durable. Without memory for it the request is let
 * go: it is answered when it comes again.
 * changes: its events are in the open batch. */
void ch_line_hold(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const uint8_t id[16], bool changes, uint64_t seq);
/* Whether the worker's queue takes one more request. errors: CH_ERR_BUSY */
CH_MUST_USE enum ch_err ch_line_worker_room(struct ch_pipeline *line, struct ch_why *why);
/* Appends an entry to a list of requests that wait. Without memory for it those before it stay, and
 * the request is let go: its client, who gets no answer, asks again. */
void ch_line_keep(struct ch_pipeline *line, struct ch_buf *list, const void *entry, size_t bytes,
                  const struct ch_ingress_arrival *arrival);
/* Takes the next entry of such a list, at *at. False: that were all; it is empty now. */
bool ch_line_next(struct ch_buf *list, size_t *at, void *ret, size_t bytes);
/* A timer that cannot be set for want of memory is set again at the end of the next turn. */
void ch_line_set_timer(struct ch_loop_timer *timer, uint64_t at_ns);
/* What messages run against now. */
struct ch_ground ch_line_ground(struct ch_pipeline *line);
/* Appends the events of what is due now; for commands, clock.set and the timer. */
void ch_line_fire_due(struct ch_pipeline *line);
/* Sets the timer for what is due first. */
void ch_line_set_due_timer(struct ch_pipeline *line);
/* Tells the log what checks used on the day that is over; at_end: today, too. */
void ch_line_tell_uses(struct ch_pipeline *line, bool at_end);

/* Whether a user or key may do this now on the account that a call names; who has no bounds may. */
bool ch_line_may(const struct ch_pipeline *line, const struct ch_call *call,
                 const struct ch_moment *moment, enum ch_scope scope);

/* worldly.c: the answers of status, events.read, activity.list, clock.set, proofs and checkpoints;
 * see struct ch_ground. */
bool ch_worldly_answer(void *arg, const struct ch_moment *moment, const struct ch_call *call,
                       struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why);
/* What a user had made at the seq `at`, before a call took their access away. */
struct ch_made {
    uint64_t at;        /* 0: not wanted */
    const void *result; /* of access.orphans; NULL: nothing */
};

/* past.c: hands a request about the past, for a state hash, for filtered events, for an activity
 * log or for a proof to the worker. True: it took it. */
bool ch_past_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const struct ch_request *request, const struct ch_moment *moment);
/* Answers what the worker has done. True: a state hash or pages are ready, and their request (ret)
 * must be taken again with line->served set; call again for the rest. */
bool ch_past_collect(struct ch_pipeline *line, struct ch_ingress_arrival *ret);
/* Hands a repeated message to the worker, for what users had made then; it is taken again with
 * line->made. wanted: by call, ascending in `at`. */
void ch_past_made(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const struct ch_request *request, const struct ch_moment *moment,
                  const struct ch_made *wanted);
/* passwords.c: hands a request that holds passwords to the pool, or, where it comes back from there
 * (line->entered), puts what was found beside each. True: it went, or was refused. */
bool ch_passwords_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                       const struct ch_request *request, const struct ch_moment *moment);
/* True: a request (ret) comes back and must be taken again with line->entered set; call again for
 * the rest. */
bool ch_passwords_collect(struct ch_pipeline *line, struct ch_ingress_arrival *ret);
/* on_done: rings the loop, on a thread of the pool. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_passwords_start(struct ch_pipeline *line, void (*on_done)(void *arg),
                                           void *arg, struct ch_why *why);
/* whatif.c: whether a request asks what its commands would change. */
bool ch_whatif_asked(const struct ch_request *request);
/* Whether the rest of such a request goes with that.
 * errors: CH_ERR_BAD_COMBINATION */
CH_MUST_USE enum ch_err ch_whatif_check(const struct ch_request *request, struct ch_why *why);
/* Hands it to the worker. True: it took it, or it was refused. */
bool ch_whatif_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                    const struct ch_request *request, const struct ch_moment *moment);
/* The worker has done a job. True: it was ours, and is answered. */
bool ch_whatif_made(struct ch_pipeline *line, struct ch_shadow_job *job);

/* repeat.c: a message whose id was used before. */
enum ch_repeat {
    CH_REPEAT_NONE,     /* it was not */
    CH_REPEAT_ANSWERED, /* the reply is made */
    CH_REPEAT_AWAY,     /* it waits to be durable, or for the worker */
};
enum ch_repeat ch_repeat_answer(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                                const struct ch_request *request, const struct ch_moment *moment,
                                struct ch_buf *reply);
#endif
