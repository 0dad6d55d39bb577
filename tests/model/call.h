/* call: a command of the model as core takes it. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_CALL_H
#define CH_TESTS_MODEL_CALL_H
#include "schema/request.h"
#include "tests/model/oracle.h"

/* Everything is in the arena. */
void m_call(const struct o_command *c, struct ch_arena *arena, struct ch_call *ret);

/* Stands for the daemon's keyed hash of a username or an e-mail address. */
void m_name_hash(const char *name, uint8_t ret[CH_KEYED_HASH_BYTES]);

/* A command in words, for a report. */
void m_print(const struct o_command *c);
#endif
