/* call_impl: what the call_* files share. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_CALL_IMPL_H
#define CH_TESTS_MODEL_CALL_IMPL_H
#include "tests/model/call.h"

#include "schema/base/check.h"

#define ARGS(ident) struct ch_cmd_##ident *args = m_take(arena, sizeof *args)

void *m_take(struct ch_arena *arena, size_t bytes);
struct ch_ref m_ref(const struct o_pick *pick);
struct ch_ref *m_refs(const struct o_pick *picks, uint32_t count, struct ch_arena *arena);
struct ch_named m_named(const char *text);
struct ch_secret m_password(const struct o_command *c);
struct ch_secret m_own_password(const struct o_command *c);
/* The resources whose bits are set. */
const struct ch_text *m_texts(uint8_t resources, struct ch_arena *arena, uint32_t *ret_count);

/* NULL: the command is not one of these. */
void *m_people_args(const struct o_command *c, struct ch_arena *arena);
void *m_mail_args(const struct o_command *c, struct ch_arena *arena);
void *m_billing_args(const struct o_command *c, struct ch_arena *arena);
#endif
