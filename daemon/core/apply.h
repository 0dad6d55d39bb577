/* apply: the only thing that changes state; the same function live and in replay.
 * SPDX-License-Identifier: MIT
 * It cannot fail and never allocates: room was reserved before (ch_apply_reserve, or for live calls
 * ch_state_reserve before decide). A cascade is the effect of its one event. An event that does not
 * fit the state is a bug or a forged log; apply stops the process. */
#ifndef CH_CORE_APPLY_H
#define CH_CORE_APPLY_H
#include "daemon/core/state.h"
#include "schema/event.h"

/* Room for one event of a log, at replay. errors: false when out of memory */
CH_MUST_USE bool ch_apply_reserve(struct ch_state *state, const struct ch_event *event);

/* The same for `count` events of a log, `items` list items and `bytes` of texts in all. */
CH_MUST_USE bool ch_apply_reserve_many(struct ch_state *state, size_t count, size_t items,
                                       size_t bytes);
/* List items of an event, and bytes of its texts, for that. */
void ch_apply_needs(const struct ch_event *event, size_t *items, size_t *bytes);

/* ahead.c: touches the memory that an event will need, so that a group of them waits for it
 * together. step: 0 to CH_AHEAD_STEPS - 1, each for the whole group before the next, with nothing
 * applied between them. ahead: one for each event, what a step found for the next; step 0 makes
 * it. */
enum { CH_AHEAD_STEPS = 4 };
struct ch_ahead_rows { /* rows; 0: none */
    uint32_t account;
    uint32_t actor;
    uint32_t share;
    uint32_t subject;
    uint32_t text;
};
void ch_apply_ahead(const struct ch_state *state, const struct ch_event *event,
                    struct ch_ahead_rows *ahead, int step);

/* The event's seq must be the head's next, its time not before the last. */
void ch_apply(struct ch_state *state, const struct ch_event *event);

/* The same for a state that holds a part of what there was: events before this one may have been
 * left out, and the message is not remembered. What the event needs must be there. */
void ch_apply_part(struct ch_state *state, const struct ch_event *event);
/* Nothing up to `seq` bears on the part any more. */
void ch_apply_part_to(struct ch_state *state, uint64_t seq);
/* How the account is set up was changed last by the event `seq`, which need not be in the part.
 * account: an id; nothing happens where it is not in the part */
void ch_apply_part_set(struct ch_state *state, uint64_t account, uint64_t seq);

/* cascade.c: each leaves the rows it names freed. */
void ch_end_grant(struct ch_state *state, uint32_t grant);
void ch_end_limits(struct ch_state *state, uint32_t share, uint32_t kind); /* kind 0: every */
void ch_end_share(struct ch_state *state, uint32_t share, uint64_t seq);
void ch_end_member(struct ch_state *state, uint32_t member, uint64_t seq);
void ch_end_group(struct ch_state *state, uint32_t group, uint64_t seq);
void ch_end_session(struct ch_state *state, uint32_t session, uint64_t seq);
/* Every session of the user but one (0: every one); of an erased user, or after a new password. */
void ch_end_sessions(struct ch_state *state, uint32_t user, uint32_t but, uint64_t seq);
void ch_end_key(struct ch_state *state, uint32_t key, uint64_t seq);

/* A share, a grant or a key of theirs more, or less. user: a row; 0: nobody. */
void ch_count_made(struct ch_state *state, uint32_t user, int32_t more);

/* The first of a subject's shares, and their count, wherever the subject's row keeps them. */
uint32_t ch_first_of_subject(const struct ch_state *state, uint8_t kind, uint32_t subject);
void ch_link_subject(struct ch_state *state, uint8_t kind, uint32_t subject, uint32_t first,
                     int32_t more, uint64_t seq);

/* apply_request.c: a settled request goes, with its note and its reason. */
void ch_forget_request(struct ch_state *state, uint32_t request);

/* parts.c: ends the next part of what a closed account still has; false when there is none. */
bool ch_end_part(struct ch_state *state, uint32_t account, uint64_t seq);

/* apply_credits.c: what the allocation holds becomes the pool's, and it is gone; of a reservation
 * nothing was used. */
void ch_end_allocation(struct ch_state *state, uint32_t allocation, uint64_t seq);
void ch_end_reservation(struct ch_state *state, uint32_t reservation, uint64_t seq);
/* apply_plan.c: one of a plan's allocations, reservations and periods goes; with the last the
 * plan. */
void ch_end_plan_part(struct ch_state *state, uint32_t plan, uint64_t seq);

/* apply_share.c. A fresh share of the event's account, linked and found; its seq is the event's. */
uint32_t ch_begin_share(struct ch_state *state, const struct ch_event *event, uint8_t subject_kind,
                        uint32_t subject);

/* seat.c: the place of a user in the list of an account's users, which outlives the share. */
uint32_t ch_seat_sit(struct ch_state *state, uint32_t share, uint64_t seq); /* found or made */
void ch_seat_leave(struct ch_state *state, uint32_t share, uint64_t seq);   /* before it is freed */
void ch_end_seat(struct ch_state *state,
                 uint32_t seat); /* the account's newest; nobody sits there */
void ch_seat_activate(struct ch_state *state, uint32_t seat, const struct ch_event *event);
void ch_seat_invite(struct ch_state *state, uint32_t seat, const struct ch_event *event,
                    struct ch_bytes token_hash, uint64_t open_until);
void ch_seat_answer(struct ch_state *state, uint32_t seat, enum ch_invitation status);
void ch_seat_ran_out(struct ch_state *state, uint32_t seat, uint64_t seq); /* left by its date */
void ch_seat_stands(struct ch_state *state, uint32_t seat, uint64_t seq);  /* another way, since */

/* terms.c: a share's terms to write, made with the first of them; when all was written, they are
 * settled: given back where nothing is set. */
struct ch_row_terms *ch_edit_terms(struct ch_state *state, uint32_t share);
void ch_settle_terms(struct ch_state *state, uint32_t share);
void ch_end_terms(struct ch_state *state, uint32_t share); /* its limits are gone */

/* due.c: what happens by itself. Each kind names a table; a row of it knows its place in the heap.
 * A new kind: its place in due.c, its event in ch_decide_due, its room in ch_due_reserve. */
enum ch_due_kind {
    CH_DUE_SHARE = 1,        /* of a share's terms: share_expired */
    CH_DUE_INVITATION = 2,   /* invitation_expired */
    CH_DUE_PERIOD = 5,       /* period_closed of a plan */
    CH_DUE_REQUEST = 6,      /* access_request_expired */
    CH_DUE_RESERVATION = 12, /* reservation_expired */
    CH_DUE_KEY = 3,          /* key_expired */
    CH_DUE_SESSION = 4,      /* session_expired */
    CH_DUE_OFFER = 11,       /* ownership_offer_expired */
    CH_DUE_ACCOUNT = 10,     /* account_dissolved of a closed account */
};
void ch_due_set(struct ch_state *state, enum ch_due_kind kind, uint32_t row,
                uint64_t at);                                        /* at 0: never */
const struct ch_row_due *ch_due_first(const struct ch_state *state); /* NULL: nothing is due */

/* apply_settings.c. The settings of an account to write; made with the first of them. */
struct ch_row_settings *ch_edit_settings(struct ch_state *state, uint32_t account);

/* sealed.c. Keeps the event's sealed part, if it has one, to be found by its seq; or lets it go,
 * with what the directory made of it. */
void ch_sealed_keep(struct ch_state *state, const struct ch_event *event);
void ch_sealed_drop(struct ch_state *state, uint64_t seq);
/* Its names lead nowhere any more and are free, but can still be shown. */
void ch_sealed_free_names(struct ch_state *state, uint64_t seq);
/* Forgets what the directory made of everything sealed under the user's key; the sealed parts
 * stay. Room: ch_cascade_of_sealed. */
void ch_sealed_close(struct ch_state *state, uint32_t user);
size_t ch_cascade_of_sealed(const struct ch_state *state, uint32_t user);

/* The directory, outside the dump: filled by the line after apply and by replay at load.
 * seq: of an event whose sealed part was kept; plain: that part, opened. user: the row of whom the
 * names are; hashes: NULL where there is no such name. Room: as ch_state_reserve with the plain
 * text's bytes. */
void ch_directory_add(struct ch_state *state, uint64_t seq, struct ch_bytes plain, uint32_t user,
                      const uint8_t *username_hash, const uint8_t *email_hash);
#endif
