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

/* The event's seq must be the head's next, its time not before the last. */
void ch_apply(struct ch_state *state, const struct ch_event *event);

/* One file each: what an event does beyond the head, the account's last seq and the message ids. */
void ch_apply_system(struct ch_state *state, const struct ch_event *event);
void ch_apply_account(struct ch_state *state, const struct ch_event *event);
void ch_apply_share(struct ch_state *state, const struct ch_event *event);
void ch_apply_group(struct ch_state *state, const struct ch_event *event);

/* cascade.c: each leaves the rows it names freed. */
void ch_end_grant(struct ch_state *state, uint32_t grant);
void ch_end_limits(struct ch_state *state, uint32_t share, uint32_t kind); /* kind 0: every */
void ch_end_share(struct ch_state *state, uint32_t share, uint64_t seq);
void ch_end_member(struct ch_state *state, uint32_t member, uint64_t seq);
void ch_end_group(struct ch_state *state, uint32_t group, uint64_t seq);

/* The first of a subject's shares, and their count, wherever the subject's row keeps them. */
uint32_t ch_first_of_subject(const struct ch_state *state, uint8_t kind, uint32_t subject);
void ch_link_subject(struct ch_state *state, uint8_t kind, uint32_t subject, uint32_t first,
                     int32_t more, uint64_t seq);

/* The expiry heap. */
void ch_expiry_set(struct ch_state *state, uint32_t share, uint64_t at); /* 0: none */
/* The share that expires first, and when; 0 if none does. */
uint32_t ch_expiry_first(const struct ch_state *state, uint64_t *ret_at);

/* The directory, outside the dump: filled by the line after apply and by replay at load.
 * plain: the opened personal part of the event that made the user; hashes: NULL where the user has
 * no such name. Room: as ch_state_reserve with the plain text's bytes. */
void ch_directory_add(struct ch_state *state, uint32_t user, struct ch_bytes plain,
                      const uint8_t *username_hash, const uint8_t *email_hash);
#endif
