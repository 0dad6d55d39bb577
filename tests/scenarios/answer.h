/* answer: what came back, against what a scenario says. SPDX-License-Identifier: MIT
 * Each function prints the difference on standard error and gives false if there is one. */
#ifndef CH_SCENARIO_ANSWER_H
#define CH_SCENARIO_ANSWER_H
#include "schema/reply.h"
#include "tests/scenarios/words.h"

/* What a message came to: the first result that is no result, or the first one. */
struct outcome {
    bool failed; /* the message as a whole */
    enum ch_outcome kind;
    struct ch_bytes value; /* result, rejection or failure */
    uint64_t seq;
    uint32_t place; /* of the result in the message */
};

bool answer_read(struct ch_bytes reply, struct outcome *ret);

/* `accepted`, `refused REASON [field=F] [detail=D]`, `failure CODE [field=F]` */
bool answer_is(const struct outcome *outcome, struct ch_text expected, const struct labels *labels,
               struct ch_arena *arena);

/* `key=value ...`, `key~item`, `key!~item`; or as answer_is, if it begins with refused or failure
 */
bool answer_holds(const struct outcome *outcome, struct ch_text expected,
                  const struct labels *labels, struct ch_arena *arena);

/* The whole answer as JSON, for people. */
void answer_show(struct ch_bytes reply);

/* Appends the value at a path of names as text: numbers decimal, bytes in hexadecimal, the items of
 * a list joined by commas, a path into a list taking that of each item. False if there is none. */
bool answer_text(struct ch_bytes value, struct ch_text path, struct ch_buf *out);
#endif
