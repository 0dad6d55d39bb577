/* outcome: what became of each call of a message, and the reply it makes.
 * SPDX-License-Identifier: MIT */
#ifndef CH_DAEMON_OUTCOME_H
#define CH_DAEMON_OUTCOME_H
#include "daemon/core/state.h"
#include "schema/reply.h"
#include "schema/request.h"

enum ch_outcome_kind {
    CH_CALL_DONE,     /* a command, with `events` events from first_seq on */
    CH_CALL_ANSWERED, /* a query; result is the struct of its answer */
    CH_CALL_RAW,      /* a query whose answer is msgpack already */
    CH_CALL_REJECTED,
    CH_CALL_FAILED,
};

struct ch_outcome_of_call {
    enum ch_outcome_kind kind;
    int type;
    uint64_t first_seq;
    uint32_t events;
    uint16_t *tags;        /* of the events */
    struct ch_text secret; /* made for it, and shown once; no length: none */
    bool secret_gone;      /* it was shown, and is kept no longer */
    bool absent;           /* answered about somebody or something that is not there */
    const void *result;    /* of a command that takes access away: what the user had made */
    struct ch_bytes raw;
    struct ch_reject reject;
    const struct ch_why *why;
};

void ch_outcome_rejected(struct ch_outcome_of_call *outcome, const struct ch_reject *reject);
void ch_outcome_failed(struct ch_outcome_of_call *outcome, struct ch_arena *arena, enum ch_err err,
                       const char *field, const char *text);

/* A check, an explanation or a receipt about a user or an account that is not there is answered
 * denied: did_not_exist where an id was asked about, unknown_name where a name leads nowhere, which
 * says nothing of whoever had it before. False: the field at fault is another, or an explanation is
 * asked for by name, which is refused, as elsewhere. */
bool ch_outcome_absent(struct ch_outcome_of_call *outcome, const struct ch_call *call,
                       const struct ch_reject *reject, struct ch_arena *arena,
                       const struct ch_state *state);

/* Writes the whole reply. seq: the head after the message. */
void ch_outcomes_reply(struct ch_buf *reply, const struct ch_request *request,
                       const struct ch_outcome_of_call *outcomes, uint64_t seq);
#endif
