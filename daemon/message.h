/* message: the calls of one request, run against the state. SPDX-License-Identifier: MIT
 * Commands are decided, sealed, appended to the open batch and applied, call by call, under a mark,
 * so that a message of mode "all" that fails half way, and a dry run, leave no trace. */
#ifndef CH_DAEMON_MESSAGE_H
#define CH_DAEMON_MESSAGE_H
#include "daemon/batch.h"
#include "daemon/core/decide.h"
#include "daemon/host/entropy.h"
#include "daemon/replay/directory.h"

struct ch_reader;
struct ch_shown;
struct ch_telling;
struct ch_outcome_of_call;
struct ch_uses;

/* What a message runs against. */
struct ch_ground {
    struct ch_state *state;
    struct ch_open_batch *batch;
    const struct ch_directory *directory;
    struct ch_entropy *entropy;
    struct ch_reader *reader;  /* of the durable log, for repeats */
    struct ch_shown *shown;    /* keeps the secrets that are shown; NULL: nothing does */
    struct ch_uses *uses;      /* notes what checks use; NULL: nothing does */
    const uint8_t *mailer_key; /* 32 bytes: whom tokens are sealed to; NULL: there is no mailer */
    /* Queries that are not answered from state: writes the value of `result` and returns true, or
     * fills `reject` or else `why`. */
    bool (*answer)(void *arg, const struct ch_moment *moment, const struct ch_call *call,
                   struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why);
    void *arg;
};

struct ch_ran {
    bool changed;      /* events were appended to the batch; the reply waits for it */
    uint64_t read_seq; /* the reply may not leave before this seq is durable */
};

/* Whether any call of the request is a command. */
bool ch_message_commands(const struct ch_request *request);

/* Runs the message and writes its reply.
 * moment: time, actor and channel are set */
void ch_message_run(const struct ch_ground *where, struct ch_request *request,
                    struct ch_moment *moment, struct ch_arena *arena, struct ch_buf *reply,
                    struct ch_ran *ret);

/* Runs the calls and leaves the state as the commands make it, for the caller to take back. false:
 * a message of mode "all" failed, and nothing is left of it. outcomes: one for each call */
bool ch_message_try(const struct ch_ground *ground, struct ch_request *request,
                    struct ch_moment *moment, struct ch_arena *arena,
                    struct ch_outcome_of_call *outcomes);

/* The same for a message of queries about a state that is not the live one (the worker's).
 * telling: what the facts of the answers are told from */
void ch_message_ask(const struct ch_directory *directory, const struct ch_state *state,
                    struct ch_request *request, struct ch_moment *moment,
                    const struct ch_telling *telling, struct ch_arena *arena, struct ch_buf *reply);

/* One query, resolved, admitted and answered. */
void ch_message_query(const struct ch_ground *ground, const struct ch_state *state,
                      const struct ch_moment *moment, struct ch_call *call, struct ch_arena *arena,
                      struct ch_outcome_of_call *ret);

/* Appends one decided event of the daemon's own to the batch and applies it.
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_message_append(const struct ch_ground *ground,
                                          const struct ch_verdict *verdict,
                                          const struct ch_call *call,
                                          const struct ch_moment *moment, struct ch_arena *arena,
                                          struct ch_why *why);
#endif
