/* receipt_sense: whether what a receipt says agrees with itself. SPDX-License-Identifier: MIT
 * The question, the answer, its reason, and the facts that are said to make it so are of one piece:
 * a way hangs together from the subject's share to what gives the scope, on the account and the
 * resource that were asked about, and the events that set the facts give just that. That the rules
 * come to this answer in that state is replay's to show. */
#ifndef CH_VERIFY_RECEIPT_SENSE_H
#define CH_VERIFY_RECEIPT_SENSE_H
#include "tools/verify/receipt_read.h"

enum { WAY_FACTS_MOST = 32 }; /* as daemon/core/query_explain.c shows at most */

/* A way as the explanation shows it. */
struct way {
    bool there;
    uint8_t scope; /* what its giver gives: the one asked about, or one that implies it */
    uint32_t count;
    struct fact fact[WAY_FACTS_MOST]; /* what it needs */
};

/* Each gives what is wrong; NULL: nothing. */
const char *sense_of_statement(const struct statement *statement);
/* rest: of the line that begins it, behind the word */
const char *sense_begin_way(const struct statement *statement, struct ch_text rest,
                            struct way *ret);
/* All its facts are there. */
const char *sense_of_way(const struct statement *statement, const struct way *way);
/* A fact and its event, NULL where that cannot be read.
 * way: which the fact is needed by or denies; NULL: neither */
const char *sense_of_fact(const struct statement *statement, const struct fact *fact,
                          const struct ch_event *event, const struct way *way);
/* Whether a fact that does not give is what the reason is about. */
bool sense_is_reason(const struct statement *statement, const struct fact *fact);
/* Whether the reason is about some such fact; else, of a denial, that nothing gives it. */
bool sense_needs_reason(const struct statement *statement);
/* Whether the user or the account was not there, so that there is nothing to explain. */
bool sense_is_absent(const struct statement *statement);
#endif
