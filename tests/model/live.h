/* live: core, driven as the daemon's line drives it, with its log. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_LIVE_H
#define CH_TESTS_MODEL_LIVE_H
#include "daemon/core/apply.h"
#include "daemon/core/decide.h"
#include "tests/model/oracle.h"

struct m_record {
    size_t at; /* in the log's bytes */
    size_t len;
};

struct m_live {
    struct ch_state state;
    struct ch_arena arena;
    struct ch_buf bytes;   /* every record, one behind the other */
    struct ch_buf records; /* struct m_record for each seq */
    struct ch_buf plain;
    struct ch_buf cipher;
};

/* A copy of what a store's tables hold. */
struct m_memory {
    struct ch_buf bytes;
};

/* Prints where it happened and ends the program. */
_Noreturn void m_fail(const char *format, ...) CH_PRINTF(1, 2);
#define M_CHECK(condition)                                                                         \
    ((condition) ? (void)0 : m_fail("%s:%d: %s", __FILE__, __LINE__, #condition))

/* An empty state with the events that a new log begins with, and the journal on. */
void m_live_init(struct m_live *live);
void m_live_deinit(struct m_live *live);

/* One command; the answer as the oracle gives it. With `log_refusal` a refusal of class rights
 * leaves its event. */
void m_live_command(struct m_live *live, const struct o_command *c, bool log_refusal,
                    struct o_outcome *ret);

/* The next due event of the daemon's clock; false: none was due. */
bool m_live_due(struct m_live *live, uint64_t now, struct o_due *ret);

uint64_t m_live_head(const struct m_live *live);

/* The log, cut after `head`. */
void m_live_cut(struct m_live *live, uint64_t head);
struct ch_bytes m_live_record(const struct m_live *live, uint64_t seq);

/* Decodes and applies the records after the state's head up to `head`. */
void m_replay(struct ch_state *state, const struct m_live *from, uint64_t head);

/* Makes `ret` from the dump of a state, given in pieces of so many bytes. */
void m_reload(const struct ch_state *state, size_t piece, struct ch_state *ret);

void m_memory_take(struct m_memory *memory, const struct ch_state *state, bool all);
void m_memory_compare(const struct m_memory *one, const struct m_memory *two, const char *what);

/* Of the dump: what a checkpoint commits to. */
uint64_t m_dump_hash(const struct ch_state *state);

void m_ask(const struct ch_state *state, const struct o_question *q, struct ch_answer *ret);
#endif
