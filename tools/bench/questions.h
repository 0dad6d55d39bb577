/* questions: what checks are asked about, drawn from what is there. SPDX-License-Identifier: MIT
 * Accounts, their users and the resources of grants are listed by queries; each question joins an
 * account, one of its users, a scope and a resource of the account by chance of a fixed seed. Kept
 * encoded, so that a message is put together by copying. Threads: read-only after being made. */
#ifndef CH_BENCH_QUESTIONS_H
#define CH_BENCH_QUESTIONS_H
#include "client/include/charter/charter.h"
#include "schema/base/buf.h"
#include "schema/base/err.h"

enum { CH_QUESTIONS = 8192 };

struct ch_questions {
    struct ch_buf bytes; /* encoded calls, one after another */
    uint32_t ends[CH_QUESTIONS];
    uint32_t accounts; /* how many they were drawn from */
    uint32_t users;
    uint32_t resources;
};

/* questions: the caller's, zeroed; release with ch_questions_deinit also after a failure
 * errors: CH_ERR_NET_IO, CH_ERR_NO_MEMORY, CH_ERR_CONFIG (there is nothing to ask about) */
CH_MUST_USE enum ch_err ch_questions_draw(struct charter *connection, uint64_t seed,
                                          struct ch_questions *questions, struct ch_why *why);
void ch_questions_deinit(struct ch_questions *questions);

/* The encoded question of a number; any number. */
struct ch_bytes ch_questions_at(const struct ch_questions *questions, uint64_t number);
#endif
