/* answer: judges charterd's answers under load. SPDX-License-Identifier: MIT
 * Looks at no more than the head where all is well: the load shares the machine with the daemon.
 * Threads: any. */
#ifndef CH_BENCH_ANSWER_H
#define CH_BENCH_ANSWER_H
#include "tools/bench/load.h"

enum { CH_ANSWER_ID_BYTES = 16 };

/* An id of a message that no other row, round or slot has. run: differs between runs of a row. */
void ch_answer_id(uint8_t out[CH_ANSWER_ID_BYTES], uint64_t run, const struct ch_load_turn *turn);

/* For ch_load_ops.look: done when every call succeeded, busy when the daemon says so.
 * id: of the request; 16 bytes */
enum ch_load_verdict ch_answer_look(const uint8_t *id, struct ch_load_turn *turn,
                                    struct ch_bytes reply, struct ch_why *why);
#endif
