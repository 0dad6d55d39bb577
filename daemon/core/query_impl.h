/* query_impl: what the query_* files share. SPDX-License-Identifier: MIT */
#ifndef CH_CORE_QUERY_IMPL_H
#define CH_CORE_QUERY_IMPL_H
#include "daemon/core/query.h"
#include "schema/base/arena.h"

/* One question on its way to its answer. */
struct ch_asking {
    const struct ch_state *state;
    const struct ch_moment *moment;
    const struct ch_call *call;
    struct ch_arena *arena;
    struct ch_query_answer *ret;
    uint32_t on; /* row of the account; 0: none */
};

/* A row that changed at `seq` was read. */
void ch_saw(struct ch_asking *q, uint64_t seq);
/* An account and those above it were read, with what hangs on them: also what is no longer there,
 * whose end was an event of one of them. */
void ch_saw_account(struct ch_asking *q, uint32_t account);

/* A refusal; always false, as a statement: return ch_refuse(q, CH_REJ_not_found, "user"); */
bool ch_refuse(struct ch_asking *q, enum ch_rejection_code code, const char *field);
bool ch_refuse_scopes(struct ch_asking *q, enum ch_rejection_code code, const char *field,
                      struct ch_scopes scopes);
bool ch_refuse_limit(struct ch_asking *q, const char *limit, const char *field);

/* Zeroed memory for `count` items, never NULL but when there is no more; no_memory is set then. */
void *ch_take(struct ch_asking *q, size_t count, size_t bytes);
struct ch_text ch_copy_text(struct ch_asking *q, uint32_t text); /* of an interned text's row */

/* An account's names from the root down, with / between. */
struct ch_text ch_path_of(struct ch_asking *q, uint32_t account);

/* The records of answers. */
struct ch_rec_account_row ch_account_record(struct ch_asking *q, uint32_t account);
struct ch_rec_user_row ch_user_record(struct ch_asking *q, uint32_t user);
/* Their username or e-mail address, or "user 7" of one without a name. */
struct ch_text ch_user_name(struct ch_asking *q, uint32_t user);
struct ch_rec_share_row ch_share_record(struct ch_asking *q, uint32_t share);
struct ch_rec_key_row ch_key_record(struct ch_asking *q, uint32_t key);

/* Row numbers gathered for a list; memory is the arena's. A list is gathered, then sorted, so that
 * its order does not depend on the order of the links. */
struct ch_rows {
    uint32_t *row;
    uint32_t count;
    uint32_t room;
};
bool ch_rows_add(struct ch_asking *q, struct ch_rows *rows, uint32_t row); /* false: no memory */
void ch_rows_sort(struct ch_rows *rows); /* each row once, ascending */

/* What part of a list is asked for; `limit` of a page is 1 to LIMIT_LIST_ITEMS, and what is beyond
 * it is reached by the cursor. */
struct ch_page {
    uint64_t after;
    uint32_t limit;
};
struct ch_page ch_page_of(bool has_after, uint64_t after, bool has_limit, uint64_t limit);

/* Cuts the page out of sorted rows, in place; has_next and next as in every list's answer. */
void ch_rows_cut(struct ch_rows *rows, struct ch_page page, bool *has_next, uint64_t *next);

/* What a list is in the order of, and its cursor. Where rows are given back and taken again, their
 * numbers tell nothing of age, and differ where only a part of the log was applied. */
typedef uint64_t ch_id_fn(const struct ch_state *state, uint32_t row);
ch_id_fn ch_id_of_account, ch_id_of_user, ch_id_of_share, ch_id_of_group, ch_id_of_key;
ch_id_fn ch_id_of_grant; /* the seq that set it last */
/* Leaves the page of the rows, each of which stands there once, ascending by their ids. */
void ch_rows_page(struct ch_asking *q, struct ch_rows *rows, struct ch_page page, ch_id_fn *id_of,
                  bool *has_next, uint64_t *next);
/* All of them, ascending. */
void ch_rows_order(struct ch_asking *q, struct ch_rows *rows, ch_id_fn *id_of);

/* The user's rights for a wanted set on an account, over the channel of the moment. */
struct ch_answer ch_ask(struct ch_asking *q, uint32_t user, uint32_t account,
                        struct ch_scopes wanted);
/* The actor's own rights, where ch_is_bound says that there are bounds to them. */
struct ch_answer ch_ask_actor(struct ch_asking *q, uint32_t account, struct ch_scopes wanted);
/* Whether the actor has all of this on the account, or needs no right. */
bool ch_actor_has(struct ch_asking *q, uint32_t account, struct ch_scopes wanted);
/* The key with the id that leads to the account asked about; 0 after refusing. */
uint32_t ch_key_asked(struct ch_asking *q, struct ch_key_id id);
/* The user or the key that args name, either of them, where the actor may ask what they may do:
 * about themselves, or with access.explain (of a key api_keys.read). false after refusing */
bool ch_subject_asked(struct ch_asking *q, bool has_user, const struct ch_ref *user, bool has_key,
                      struct ch_key_id key, uint32_t *ret_user, uint32_t *ret_key);
/* Whether the actor, if a person or a key, is led to the account. */
bool ch_actor_is_led(struct ch_asking *q, uint32_t account);

/* Whether the user has a share of the account or of one above it. To an actor that is a person, a
 * user from elsewhere answers as one that is not there; true for every other actor. */
bool ch_is_known_here(struct ch_asking *q, uint32_t user);

/* Whether of a user only the address is shown that they were invited at: to a person, one who has
 * an account elsewhere and has not come. */
bool ch_is_veiled(struct ch_asking *q, uint32_t user);

/* Users with a share of the account asked about or of one above it, those with an id above `after`,
 * sorted; whoever has a right through a group is a member by such a share, so nobody is missed.
 * false: no memory */
bool ch_rows_users(struct ch_asking *q, struct ch_rows *rows, uint64_t after);
/* Cuts the page out of such rows, with the records of its users. NULL: no memory */
const struct ch_rec_user_row *ch_users_page(struct ch_asking *q, struct ch_rows *rows,
                                            struct ch_page page, bool *has_next, uint64_t *next);

/* The personal texts of the event at seq, in the order of its rows, where state keeps them and the
 * directory could open them; a text of no length where there is none. */
void ch_opened_texts(struct ch_asking *q, uint64_t seq, struct ch_text *ret, uint32_t count);

/* Each answers one query: q->ret->result, or a refusal, or no_memory. */
typedef void ch_asked_fn(struct ch_asking *q);
#define QUERY_BEGIN(ident, type, who, scope, on, from, text) ch_asked_fn ch_query_##ident;
#define QUERY_END(ident)
#define RESULT_BEGIN(ident)
#define RESULT_END(ident)
#include "schema/words_none.h"
#include "schema/queries.def"
#endif
