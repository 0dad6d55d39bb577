/* world: one charterd, and what a scenario knows of it. SPDX-License-Identifier: MIT */
#ifndef CH_SCENARIO_WORLD_H
#define CH_SCENARIO_WORLD_H
#include <sodium.h>

#include "tests/scenarios/answer.h"
#include "tests/scenarios/daemon.h"

struct world {
    struct daemon daemon;
    struct labels labels;
    struct ch_arena arena;
    struct ch_buf message;
    struct ch_buf reply;
    struct ch_buf earlier; /* the reply before */
    struct outcome outcome;
    uint8_t mailer_public[crypto_box_PUBLICKEYBYTES];
    uint8_t mailer_secret[crypto_box_SECRETKEYBYTES];
    uint64_t messages;
    uint64_t before; /* the revision before the last command */
    bool unsaid;     /* nothing said yet what the last command comes to */
    uint32_t statements;
};

/* Runs the lines of one row of a file; tells on standard error what is not as they say. */
bool world_run_row(struct world *w, const char *path, const char *row);
#endif
