/* message: one line of a scenario as the bytes of a request. SPDX-License-Identifier: MIT */
#ifndef CH_SCENARIO_MESSAGE_H
#define CH_SCENARIO_MESSAGE_H
#include "tests/scenarios/words.h"

/* Appends the request of `ACTOR: TYPE key=value ... [&& TYPE key=value ...]`.
 * number: makes the message's id, unless the line says id=NAME
 * ret:    false: *problem says what is wrong with the line, a static text */
bool message_build(struct ch_text line, const struct labels *labels, uint64_t number,
                   struct ch_arena *arena, struct ch_buf *buf, const char **problem);

/* The same with one argument of the last call, or its `on`, another than the line says; with
 * several twists, that call once for each, in mode each. */
enum twist_how { TWIST_SET, TWIST_TWICE, TWIST_DROP };
struct twist {
    const char *key;
    enum twist_how how;
    struct ch_bytes value; /* msgpack; of TWIST_SET, which also adds an argument */
};
bool message_twist(struct ch_text line, const struct labels *labels, uint64_t number,
                   const struct twist *twists, uint32_t twist_count, struct ch_arena *arena,
                   struct ch_buf *buf, const char **problem);
#endif
