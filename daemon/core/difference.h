/* difference: what commands would change, as an answer to whoever asks.
 * SPDX-License-Identifier: MIT
 * What-if must be no way to learn of others what nothing else tells: of an account that no share
 * leads the asker to nothing is said, not even how much; of one that they are led to, but may not
 * explain, how much. People see what happens to themselves. What the commands make has names and
 * no ids, as in any dry run. */
#ifndef CH_CORE_DIFFERENCE_H
#define CH_CORE_DIFFERENCE_H
#include "daemon/core/decide.h"
#include "daemon/core/flips.h"

struct ch_made_thing; /* something that the commands make */

struct ch_difference {
    const struct ch_flips *flips; /* borrowed */
    uint64_t head;                /* of the state before: ids above it are of what is made */
    uint64_t revision;            /* for the answer */
    struct ch_arena *arena;       /* of the answer */
    struct ch_made_thing *made;
    size_t made_count;
    bool no_memory;
};

/* Notes how that is called which the commands make, and what of it the asker may see.
 * after:  the state with what they make
 * moment: the asker's, with the rows of that state */
void ch_difference_note(struct ch_difference *d, const struct ch_state *after,
                        const struct ch_moment *moment);

/* The answer, one page of it.
 * before: the state without what they make
 * moment: the asker's, with the rows of that state
 * ret:    in the arena; NULL when out of memory */
const struct ch_qry_whatif_result *ch_difference_tell(struct ch_difference *d,
                                                      const struct ch_state *before,
                                                      const struct ch_moment *moment,
                                                      const struct ch_qry_whatif *args);
#endif
