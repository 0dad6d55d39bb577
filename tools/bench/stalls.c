/* stalls: see stalls.h. SPDX-License-Identifier: MIT */
#include "tools/bench/stalls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/include/charter/charter.h"
#include "tools/bench/daemon.h"
#include "tools/bench/feed.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/machine.h"

const char ch_stalls_help[] =
    "Adds shares (--events N, 1000000) to a fresh charterd in messages of 1,024 commands, a "
    "quarter\n"
    "as many users and a hundredth as many accounts before them, five grants for each behind "
    "them;\n"
    "and prints the longest turn of the daemon's loop: from one wait of the loop to the next, in\n"
    "which nobody else is answered. The daemon measures it itself (`status`); it is asked after "
    "each\n"
    "tenth. Prints, too, how much of the state each takes, and all of the state for each share.\n";

enum {
    SHARES = 1000000,
    PARTS = 10,
    NAME_BYTES = 48,
    GRANTS = 5,     /* of a share */
    RESOURCES = 100 /* of an account */
};

/* One kind of thing that is added; numbers count from 0. */
struct phase {
    const char *name;
    uint64_t count;
    enum ch_err (*add)(void *stalls, uint64_t number, struct ch_why *why);
};

struct stalls {
    struct charter *connection;
    struct ch_feed *feed;
    uint64_t accounts_len;
    uint64_t users_len;
    uint64_t shares_len;
    uint64_t *accounts;
    uint64_t *users;
    uint64_t longest_us;  /* of all phases */
    uint64_t state_bytes; /* after the last phase */
};

static enum ch_err add_account(void *context, uint64_t number, struct ch_why *why)
{
    struct stalls *stalls = context;
    char name[NAME_BYTES];
    struct charter_message *message = NULL;
    (void)snprintf(name, sizeof name, "master-%" PRIu64, number);
    enum ch_err err =
        ch_feed_call(stalls->feed, &(struct charter_call_head){.type = "account.open_master"},
                     &stalls->accounts[number], &message, why);
    if (err == CH_OK) charter_arg_text(message, "name", name);
    return err;
}

static enum ch_err add_user(void *context, uint64_t number, struct ch_why *why)
{
    struct stalls *stalls = context;
    char name[NAME_BYTES];
    struct charter_message *message = NULL;
    (void)snprintf(name, sizeof name, "user-%" PRIu64, number);
    enum ch_err err = ch_feed_call(stalls->feed, &(struct charter_call_head){.type = "user.create"},
                                   &stalls->users[number], &message, why);
    if (err == CH_OK) charter_arg_text(message, "username", name);
    return err;
}

/* Of a share's number: every user gets a share of as many accounts, never twice of the same. */
static uint64_t account_of(const struct stalls *stalls, uint64_t number)
{
    const uint64_t user = number % stalls->users_len;
    return (user + number / stalls->users_len) % stalls->accounts_len;
}

static enum ch_err add_share(void *context, uint64_t number, struct ch_why *why)
{
    struct stalls *stalls = context;
    struct charter_message *message = NULL;
    const uint64_t user = number % stalls->users_len;
    const struct charter_call_head head = {.type = "share.give",
                                           .on_id = stalls->accounts[account_of(stalls, number)]};
    enum ch_err err = ch_feed_call(stalls->feed, &head, NULL, &message, why);
    if (err != CH_OK) return err;
    charter_arg_uint(message, "user", stalls->users[user]);
    charter_arg_text(message, "role", "user");
    return err;
}

/* One more for each share, until each has all of them. */
static enum ch_err add_grant(void *context, uint64_t number, struct ch_why *why)
{
    static const char *const scopes[] = {"lists.read"};
    struct stalls *stalls = context;
    char resource[NAME_BYTES];
    struct charter_message *message = NULL;
    const uint64_t share = number % stalls->shares_len;
    const uint64_t account = account_of(stalls, share);
    const uint64_t which = (share * 7 + number / stalls->shares_len * 13) % RESOURCES;
    const struct charter_call_head head = {.type = "share.grant",
                                           .on_id = stalls->accounts[account]};
    enum ch_err err = ch_feed_call(stalls->feed, &head, NULL, &message, why);
    if (err != CH_OK) return err;
    (void)snprintf(resource, sizeof resource, "list-%" PRIu64, account * RESOURCES + which);
    charter_arg_uint(message, "user", stalls->users[share % stalls->users_len]);
    charter_arg_text(message, "kind", "list");
    charter_arg_text(message, "resource", resource);
    charter_arg_texts(message, "scopes", scopes, 1);
    return err;
}

static enum ch_err run_part(struct stalls *stalls, const struct phase *phase, uint64_t from,
                            uint64_t to, struct ch_why *why)
{
    struct ch_daemon_status status;
    const uint64_t began_ns = ch_interrupt_now_ns();
    enum ch_err err = CH_OK;
    for (uint64_t number = from; err == CH_OK && number < to; number++) {
        err = phase->add(stalls, number, why);
    }
    if (err == CH_OK) err = ch_feed_finish(stalls->feed, why);
    if (err == CH_OK) err = ch_daemon_status(stalls->connection, &status, why);
    if (err != CH_OK) return err;
    const double seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    stalls->state_bytes = status.state_bytes;
    if (status.longest_turn_us > stalls->longest_us) stalls->longest_us = status.longest_turn_us;
    (void)printf("  %-9s %9" PRIu64 " to %9" PRIu64 " %8.2f s %9.0f/s   %8.2f ms   %7.1f MiB\n",
                 phase->name, from, to, seconds, (double)(to - from) / seconds,
                 (double)status.longest_turn_us / 1e3,
                 (double)status.resident_bytes / (1024.0 * 1024.0));
    (void)fflush(stdout);
    return CH_OK;
}

static enum ch_err run_all(struct stalls *stalls, uint64_t shares, struct ch_why *why)
{
    const struct phase phases[] = {{"accounts", stalls->accounts_len, add_account},
                                   {"users", stalls->users_len, add_user},
                                   {"shares", shares, add_share},
                                   {"grants", shares * GRANTS, add_grant}};
    struct ch_daemon_status status; /* the start itself does not count */
    enum ch_err err = ch_daemon_status(stalls->connection, &status, why);
    if (err != CH_OK) return err;
    stalls->state_bytes = status.state_bytes;
    (void)printf("  added                            in time              longest turn   memory\n");
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        const struct phase *phase = &phases[i];
        const uint64_t bytes_before = stalls->state_bytes;
        const uint64_t parts = i >= 2 ? PARTS : 1;
        for (uint64_t part = 0; err == CH_OK && part < parts; part++) {
            err = run_part(stalls, phase, phase->count * part / parts,
                           phase->count * (part + 1) / parts, why);
        }
        if (err == CH_OK && phase->count > 0) {
            (void)printf("  one of them takes %.0f bytes of the state, with its place in indexes\n",
                         (double)(stalls->state_bytes - bytes_before) / (double)phase->count);
        }
    }
    if (err == CH_OK) {
        (void)printf("  all of the state: %.0f bytes a share, at %d grants each\n",
                     (double)stalls->state_bytes / (double)shares, GRANTS);
    }
    return err;
}

enum ch_err ch_stalls_run(const struct ch_options *options, struct ch_why *why)
{
    const uint64_t shares = options->events > 0 ? options->events : SHARES;
    struct ch_workdir workdir = {0};
    struct ch_daemon daemon = {0};
    struct stalls stalls = {
        .accounts_len = shares / 100 + 4, .users_len = shares / 4 + 1, .shares_len = shares};
    struct ch_machine before;
    struct ch_machine after;
    stalls.accounts = calloc(stalls.accounts_len, sizeof *stalls.accounts);
    stalls.users = calloc(stalls.users_len, sizeof *stalls.users);
    enum ch_err err = CH_OK;
    if (stalls.accounts == NULL || stalls.users == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for ids");
    }
    if (err == CH_OK) err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) err = ch_daemon_init(options, &workdir, &daemon, why);
    if (err == CH_OK) err = ch_daemon_start(&daemon, &stalls.connection, why);
    if (err == CH_OK) err = ch_feed_create(stalls.connection, &stalls.feed, why);
    if (err != CH_OK) goto out;
    (void)printf("stalls: %" PRIu64 " shares added to a fresh charterd, in %s\n", shares,
                 workdir.path);
    ch_machine_look(&before);
    err = run_all(&stalls, shares, why);
    ch_machine_look(&after);
    if (err != CH_OK) goto out;
    (void)printf("longest turn of the loop: %.2f ms\n"
                 "machine: other programs kept %.2f processors busy\n",
                 (double)stalls.longest_us / 1e3, ch_machine_foreign_cores(&before, &after));
out:
    ch_feed_destroy(stalls.feed);
    charter_close(stalls.connection);
    if (err == CH_OK) err = ch_daemon_stop(&daemon, why);
    ch_daemon_discard(&daemon);
    ch_workdir_close(&workdir);
    free(stalls.accounts);
    free(stalls.users);
    return err;
}
