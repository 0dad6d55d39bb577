/* message: one line of a scenario as the bytes of a request. SPDX-License-Identifier: MIT */
#ifndef CH_SCENARIO_MESSAGE_H
#define CH_SCENARIO_MESSAGE_H
#include "tests/scenarios/words.h"

/* Appends the request of `ACTOR: TYPE key=value ... [&& TYPE key=value ...]`.
 * number: makes the message's id, unless the line says id=NAME
 * ret:    false: *problem says what is wrong with the line, a static text */
bool message_build(struct ch_text line, const struct labels *labels, uint64_t number,
                   struct ch_arena *arena, struct ch_buf *buf, const char **problem);
#endif
