/* fact: a fact that bears on a right, as a row of an answer and in words.
 * SPDX-License-Identifier: MIT
 * Words name no person: who set a fact is told by the event (daemon/explaining.h). What belongs to
 * an account above to which nothing leads the asker is told without its name. */
#ifndef CH_CORE_FACT_H
#define CH_CORE_FACT_H
#include "daemon/core/query_impl.h"

/* Which things a fact is about, as rows; made from what ch_access met, or by hand. */
struct ch_rec_fact_row ch_fact_record(struct ch_asking *q, const struct ch_evidence *fact);

/* Rows as they are met; memory is the arena's. */
struct ch_facts {
    struct ch_asking *q;
    struct ch_rec_fact_row *row;
    uint32_t count;
    uint32_t room;
    uint32_t most;   /* beyond it they are counted only */
    uint64_t beyond; /* met when the list was full */
};
void ch_facts_add(struct ch_facts *facts, const struct ch_evidence *fact);
/* A list that could not hold all says so in its last row, which gives its place to the count. */
void ch_facts_close(struct ch_facts *facts);

/* A sentence being made; what no longer fits is left out. */
enum { CH_SENTENCE_BYTES = 1024 }; /* as the kind `line` takes */
struct ch_sentence {
    size_t len;
    char chars[CH_SENTENCE_BYTES];
};
void ch_say(struct ch_sentence *s, const char *words);
void ch_say_text(struct ch_sentence *s, struct ch_text words);
void ch_say_number(struct ch_sentence *s, const char *noun, uint64_t number);
void ch_say_scopes(struct ch_sentence *s, struct ch_scopes scopes);
/* The account by its name, where the asker may know it. */
void ch_say_account(struct ch_asking *q, struct ch_sentence *s, uint32_t account);
void ch_say_share(struct ch_asking *q, struct ch_sentence *s, uint32_t share);
struct ch_text ch_said(struct ch_asking *q, const struct ch_sentence *s); /* in the arena */
#endif
