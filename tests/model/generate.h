/* generate: random commands and questions about a small world. SPDX-License-Identifier: MIT
 * The world is small so that collisions, refusals and cascades are frequent. */
#ifndef CH_TESTS_MODEL_GENERATE_H
#define CH_TESTS_MODEL_GENERATE_H
#include "tests/model/oracle.h"

struct m_random {
    uint64_t state;
    bool whole;        /* over all commands; else mostly accounts, shares, groups, roles */
    const int *wanted; /* only this type of command; NULL: any */
};

uint32_t m_below(struct m_random *random, uint32_t bound);
static inline bool m_chance(struct m_random *random, uint32_t percent)
{
    return m_below(random, 100) < percent;
}

/* A command that fits the oracle's arrays; `now` is its time. */
void m_generate(struct m_random *random, struct o_world *w, uint64_t now, struct o_command *ret);

/* A question about this user, or key, and account, at or after `now`. */
void m_question(struct m_random *random, uint64_t user, uint64_t key, uint64_t account,
                uint64_t now, struct o_question *ret);
#endif
