/* promise: what a command may come to, from the words EVENTS and MAY of commands.def.
 * SPDX-License-Identifier: MIT
 * Admission's rejections are not written at each command: they follow from its row (who may send
 * it, whether it names an account, which arguments are references). Tests hold core to all of
 * it. */
#ifndef CH_SCHEMA_PROMISE_H
#define CH_SCHEMA_PROMISE_H
#include "schema/records.h"

/* Whether the command's row has the word EVENTS at all. */
bool ch_promise_is_told(int type);

/* Whether a command of this type may append an event of this tag. */
bool ch_promise_event(int type, uint16_t tag);

/* Whether the rejection is one of the command's own rules; whether it is one of admission, which
 * every command with such a row may meet. */
bool ch_promise_rule(int type, int code);
bool ch_promise_admission(int type, int code);

/* Whether a command may be answered so; every command whose row tells nothing may. */
static inline bool ch_promise_keeps(int type, int code)
{
    return !ch_promise_is_told(type) || ch_promise_rule(type, code) ||
           ch_promise_admission(type, code);
}

/* The argument that names the resource on which the scope is asked for; NULL: on all. */
const struct ch_field *ch_call_resource(int type);
#endif
