/* population: see population.h. SPDX-License-Identifier: MIT */
#include "tools/bench/population.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = 32 };

static enum ch_err make_accounts(struct ch_feed *feed, struct ch_population *population,
                                 struct ch_why *why)
{
    for (uint32_t i = 0; i < population->accounts_len; i++) {
        char name[NAME_BYTES];
        struct charter_message *message = NULL;
        (void)snprintf(name, sizeof name, "master-%" PRIu32, i);
        enum ch_err err =
            ch_feed_call(feed, &(struct charter_call_head){.type = "account.open_master"},
                         &population->accounts[i], &message, why);
        if (err != CH_OK) return err;
        charter_arg_text(message, "name", name);
    }
    return ch_feed_finish(feed, why);
}

static enum ch_err make_users(struct ch_feed *feed, struct ch_population *population,
                              struct ch_why *why)
{
    for (uint32_t i = 0; i < population->users_len; i++) {
        char name[NAME_BYTES];
        struct charter_message *message = NULL;
        (void)snprintf(name, sizeof name, "user-%" PRIu32, i);
        enum ch_err err = ch_feed_call(feed, &(struct charter_call_head){.type = "user.create"},
                                       &population->users[i], &message, why);
        if (err != CH_OK) return err;
        charter_arg_text(message, "username", name);
    }
    return ch_feed_finish(feed, why);
}

static enum ch_err make_shares(struct ch_feed *feed, const struct ch_population *population,
                               const char *role, struct ch_why *why)
{
    for (uint32_t i = 0; i < population->users_len; i++) {
        struct charter_message *message = NULL;
        const struct charter_call_head head = {
            .type = "share.give", .on_id = population->accounts[i % population->accounts_len]};
        enum ch_err err = ch_feed_call(feed, &head, NULL, &message, why);
        if (err != CH_OK) return err;
        charter_arg_uint(message, "user", population->users[i]);
        if (role != NULL) charter_arg_text(message, "role", role);
    }
    return ch_feed_finish(feed, why);
}

enum ch_err ch_population_make(struct charter *connection, uint32_t accounts, uint32_t users,
                               const char *role, struct ch_population *ret, struct ch_why *why)
{
    struct ch_feed *feed = NULL;
    struct ch_population population = {.accounts_len = accounts, .users_len = users};
    population.accounts = calloc(accounts, sizeof *population.accounts);
    population.users = calloc(users, sizeof *population.users);
    enum ch_err err = CH_OK;
    if (population.accounts == NULL || population.users == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a population");
    }
    if (err == CH_OK) err = ch_feed_create(connection, &feed, why);
    if (err == CH_OK) err = make_accounts(feed, &population, why);
    if (err == CH_OK) err = make_users(feed, &population, why);
    if (err == CH_OK) err = make_shares(feed, &population, role, why);
    ch_feed_destroy(feed);
    if (err == CH_OK) {
        *ret = population;
        population = (struct ch_population){0};
    }
    ch_population_deinit(&population);
    return err;
}

void ch_population_deinit(struct ch_population *population)
{
    free(population->accounts);
    free(population->users);
    *population = (struct ch_population){0};
}
