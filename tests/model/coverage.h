/* coverage: what the random histories have met. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_COVERAGE_H
#define CH_TESTS_MODEL_COVERAGE_H
#include "tests/model/oracle.h"

struct m_coverage {
    uint64_t codes[256];
    uint64_t accepted[CH_COMMANDS]; /* with an event, at least */
    uint64_t idle[CH_COMMANDS];     /* accepted, and nothing had to change */
    uint64_t refused[CH_COMMANDS];
    uint64_t by_key[CH_COMMANDS]; /* of the accepted ones, by an account's API key */
    uint64_t by_master[CH_COMMANDS];
    uint64_t tags[CH_EVENT_TAGS];
};

void m_cover(struct m_coverage *coverage, struct o_world *w, const struct o_command *c,
             const struct o_outcome *o);
void m_print_coverage(const struct m_coverage *coverage);

/* Whether every command of the schema was accepted and refused at least once, by a master key, too,
 * where it administers a tree; and every event of the domain appended. Prints what was not. */
bool m_is_covered(const struct m_coverage *coverage);
#endif
