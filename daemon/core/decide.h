/* decide: a command, and what it would do to what is known: events, or a refusal.
 * SPDX-License-Identifier: MIT
 * Pure: the same state, moment and command give the same events, everywhere and for ever. It knows
 * no clock, random, I/O or library; what it needs of the world comes in struct ch_moment. Every
 * rule is one line, in the order of schema/rejections.def: the first broken one is the answer.
 * decide reads; ch_apply writes. */
#ifndef CH_CORE_DECIDE_H
#define CH_CORE_DECIDE_H
#include "daemon/core/access.h"
#include "schema/event.h"
#include "schema/reply.h"
#include "schema/request.h"

/* A secret made for a command before it is decided: what of it goes into the log. */
struct ch_minted {
    uint8_t hash[32];       /* BLAKE2b-256 of its text */
    struct ch_bytes sealed; /* its text, sealed to the mailer; empty: not to be mailed */
};

/* The state in which the rights of an actor who asks about the past are judged, and the rows they
 * have there: what they may see of the past is what they may see now. */
struct ch_judge {
    const struct ch_state *state;
    uint32_t user_row;
    uint32_t key_row;
    uint64_t now;
};

/* The hash of an address under one key; room for LIMIT_HASH_KEYS of them. */
enum { CH_ADDRESS_HASHES = 8 };
struct ch_address_hash {
    uint32_t key;
    uint8_t hash[16];
};

struct ch_moment {
    uint64_t now; /* nanoseconds UTC; never before the last event's time */
    struct ch_actor actor;
    uint8_t channel;      /* enum ch_channel */
    bool imported;        /* of an import message: its time is the imported one */
    uint32_t user_row;    /* of an actor of kind user; else 0 */
    uint32_t key_row;     /* of an actor of kind key; else 0 */
    uint32_t session_row; /* by which a user acts; 0: none */
    uint8_t id[16];       /* of the message, for the cause; so are fingerprint and index */
    uint8_t fingerprint[8];
    uint32_t index; /* the call's place in the message */
    /* Of the address that the call names, under every key in use, the newest last. */
    const struct ch_address_hash *address;
    uint32_t address_count;
    const struct ch_minted *minted; /* of a call whose row says MINTS; one for each account named */
    uint32_t minted_count;
    const struct ch_judge *judge; /* of a question about the past; NULL: the state asked judges */
};

/* The actor's own rights. question: everything but user, key, channel and time; its rows are of
 * `state` */
void ch_actor_access(const struct ch_state *state, const struct ch_moment *moment,
                     const struct ch_question *question, struct ch_answer *ret);

/* Whether the actor may do no more than their rights allow: a person or a key; not the operator, a
 * service or the daemon itself. */
static inline bool ch_is_bound(const struct ch_moment *moment)
{
    return moment->actor.kind == CH_actor_kind_user || moment->actor.kind == CH_actor_kind_key;
}

/* What was decided; events are in the arena, their bodies too. */
struct ch_verdict {
    struct ch_reject reject; /* code CH_REJ_none: not refused */
    struct ch_event *events;
    uint32_t count; /* 0 and not refused: nothing had to change */
    bool no_memory;
};

/* Fills in `on` where a call that needs it names none: an account key's own account, a session's
 * current one. A master key says on whose behalf it acts, always.
 * read_seq: raised to the newest change of what was read
 * ret: rejection on_behalf_missing, or access_revoked where no share leads the user to the current
 * account any more; false then */
bool ch_default_on(const struct ch_state *state, const struct ch_moment *moment,
                   struct ch_call *call, uint64_t *read_seq, struct ch_reject *ret);

/* Fills in the ids behind the names of a call, in the state as it is now: `on`, and every argument
 * of a reference kind. The keyed hashes of users' names must be in place.
 * ret: rejection not_found naming the field; false then */
bool ch_resolve(const struct ch_state *state, struct ch_call *call, struct ch_reject *ret);

/* Whether the actor may send this call at all: who, scope, import, account; before any other rule.
 * *read_seq is raised to the newest change of what was read. false: `ret` says why */
bool ch_admit(const struct ch_state *state, const struct ch_moment *moment,
              const struct ch_call *call, uint64_t *read_seq, struct ch_reject *ret);

/* Both: resolves and admits. A person or a key whom the call is not for is told so before anything
 * of what its arguments name; and a user or an account that nothing shows to them answers as one
 * that is not there, before any rule: each difference would tell what exists elsewhere. Only
 * share.give and ownership.offer take somebody who has no share of another tree. */
bool ch_enter(const struct ch_state *state, const struct ch_moment *moment, struct ch_call *call,
              uint64_t *read_seq, struct ch_reject *ret);

/* Decides one resolved and admitted command. The seq of events[0] is the one after the head's. */
void ch_decide(const struct ch_state *state, const struct ch_moment *moment,
               const struct ch_call *call, struct ch_arena *arena, struct ch_verdict *ret);

/* The events of the daemon's own clock and of its start: one event for what is due first, or for
 * what the log lacks (declarations, limits, roles, pages); count 0: nothing is due or lacking. */
void ch_decide_due(const struct ch_state *state, uint64_t now, struct ch_arena *arena,
                   struct ch_verdict *ret);
void ch_decide_start(const struct ch_state *state, struct ch_arena *arena, struct ch_verdict *ret);
/* At the start, too: user_erased for users (rows) whose key was destroyed, as the vault says, and
 * who are not erased in this log, because it is an older copy. */
void ch_decide_start_erased(const struct ch_state *state, const uint32_t *users, size_t count,
                            struct ch_arena *arena, struct ch_verdict *ret);

/* access_used: what checks used on the day that began at `day_at`, as the daemon's loop noted it.
 * shares: at most LIMIT_USED_PAGE that are there; borrowed. Room: ch_used_reserve. */
void ch_decide_used(const struct ch_state *state, uint64_t now, uint64_t day_at,
                    const struct ch_share_id *shares, uint32_t count, uint64_t unnoted,
                    struct ch_arena *arena, struct ch_verdict *ret);
CH_MUST_USE bool ch_used_reserve(struct ch_state *state, uint32_t count);

/* Room that the event that is due first needs; false when out of memory. */
CH_MUST_USE bool ch_due_reserve(struct ch_state *state);

/* One command_refused event for a rejection of class rights, unless the actor's allowance is used
 * up. */
void ch_decide_refused(const struct ch_state *state, const struct ch_moment *moment,
                       const struct ch_call *call, const struct ch_reject *reject,
                       struct ch_arena *arena, struct ch_verdict *ret);

/* Room that deciding and applying the call may need; false when out of memory. */
CH_MUST_USE bool ch_decide_reserve(struct ch_state *state, const struct ch_call *call);
#endif
