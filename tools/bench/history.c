/* history: see history.h. SPDX-License-Identifier: MIT */
#include "tools/bench/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/daemon.h"
#include "tools/bench/life.h"

enum {
    NAME_BYTES = 40,
    SUBS_OF_MASTER = 4,
    SEATS_OF_GROUP = 40,
    WEEKS = 52 * 6,
    FIRST_TIME_S = 1577836800, /* a manual clock's in a new log: 2020-01-01 */
};

static enum ch_err call(struct ch_life *h, const char *type, uint64_t on, uint64_t *ret_seq,
                        struct charter_message **ret, struct ch_why *why)
{
    const struct charter_call_head head = {.type = type, .on_id = on};
    return ch_feed_call(h->feed, &head, ret_seq, ret, why);
}

static enum ch_err open_accounts(struct ch_life *h, struct ch_why *why)
{
    char name[NAME_BYTES];
    struct charter_message *message = NULL;
    enum ch_err err = CH_OK;
    for (uint32_t subs = 0; err == CH_OK && subs < 2; subs++) {
        for (uint32_t i = 0; err == CH_OK && i < h->accounts_len; i++) {
            const bool is_sub = i % (SUBS_OF_MASTER + 1) != 0;
            if (is_sub != (subs == 1)) continue;
            const uint64_t master = h->accounts[i - i % (SUBS_OF_MASTER + 1)].id;
            (void)snprintf(name, sizeof name, "account-%" PRIu32, i);
            err = call(h, is_sub ? "account.open_sub" : "account.open_master", is_sub ? master : 0,
                       &h->accounts[i].id, &message, why);
            if (err == CH_OK) charter_arg_text(message, "name", name);
        }
        if (err == CH_OK) err = ch_feed_finish(h->feed, why);
    }
    return err;
}

static enum ch_err create_users(struct ch_life *h, struct ch_why *why)
{
    char name[NAME_BYTES];
    struct charter_message *message = NULL;
    enum ch_err err = CH_OK;
    for (uint32_t i = 0; err == CH_OK && i < h->users_len; i++) {
        (void)snprintf(name, sizeof name, "person-%" PRIu32 "@example.com", i);
        err = call(h, "user.create", 0, &h->users[i], &message, why);
        if (err == CH_OK) charter_arg_text(message, "email", name);
    }
    return err == CH_OK ? ch_feed_finish(h->feed, why) : err;
}

/* Sizes by Zipf's law: the n-th account has a share of 1/n of the largest's. */
static void place_seats(struct ch_life *h)
{
    double sum = 0;
    uint64_t placed = 0;
    for (uint32_t i = 0; i < h->accounts_len; i++) {
        sum += 1.0 / (i + 1);
    }
    for (uint32_t i = 0; i < h->accounts_len; i++) {
        struct ch_life_account *account = &h->accounts[i];
        uint64_t size = (uint64_t)((double)h->seats_len / sum / (i + 1)) + 1;
        if (size > h->users_len) size = h->users_len;
        if (size > h->seats_len - placed) size = h->seats_len - placed;
        account->first_seat = placed;
        account->seats = size;
        account->first_user = (uint32_t)ch_chance_below(&h->chance, h->users_len);
        for (uint64_t seat = 0; seat < size; seat++) {
            h->seats[placed + seat] = (struct ch_life_seat){
                .account = i, .user = (uint32_t)((account->first_user + seat) % h->users_len)};
        }
        placed += size;
    }
    h->seats_len = placed;
}

static enum ch_err create_groups(struct ch_life *h, struct ch_why *why)
{
    char name[NAME_BYTES];
    struct charter_message *message = NULL;
    enum ch_err err = CH_OK;
    for (uint32_t a = 0; err == CH_OK && a < h->accounts_len; a++) {
        struct ch_life_account *account = &h->accounts[a];
        const uint64_t wanted = account->seats / SEATS_OF_GROUP;
        account->groups_len = wanted > CH_LIFE_GROUPS_MOST ? CH_LIFE_GROUPS_MOST : (uint32_t)wanted;
        for (uint32_t g = 0; err == CH_OK && g < account->groups_len; g++) {
            (void)snprintf(name, sizeof name, "team %" PRIu32, g);
            err = call(h, "group.create", account->id, &account->groups[g], &message, why);
            if (err == CH_OK) charter_arg_text(message, "name", name);
        }
    }
    if (err == CH_OK) err = ch_feed_finish(h->feed, why);
    for (uint32_t a = 0; err == CH_OK && a < h->accounts_len; a++) {
        const struct ch_life_account *account = &h->accounts[a];
        for (uint32_t g = 0; err == CH_OK && g < account->groups_len; g++) {
            err = call(h, "share.give", account->id, NULL, &message, why);
            if (err == CH_OK) charter_arg_uint(message, "group", account->groups[g]);
        }
    }
    return err == CH_OK ? ch_feed_finish(h->feed, why) : err;
}

/* Turns until the log is long enough, and as many weeks as it is years long. */
static enum ch_err live(struct ch_life *h, uint64_t events, struct ch_why *why)
{
    struct ch_daemon_status status;
    enum ch_err err = ch_daemon_status(h->connection, &status, why);
    while (err == CH_OK && status.revision < events) {
        /* What changes nothing makes no event: a week may have more turns than events. */
        for (uint64_t i = 0; err == CH_OK && i < events / WEEKS + 1; i++) {
            err = ch_life_turn(h, why);
        }
        if (err == CH_OK) err = ch_life_week(h, why);
        if (err == CH_OK) err = ch_daemon_status(h->connection, &status, why);
    }
    return err;
}

enum ch_err ch_history_make(struct charter *connection, uint64_t events, uint64_t seed,
                            struct ch_history *ret, struct ch_why *why)
{
    struct ch_life h = {.connection = connection,
                        .chance = {.state = seed},
                        .accounts_len = (uint32_t)(events / 1000),
                        .users_len = (uint32_t)(events / 50),
                        .seats_len = events / 9,
                        .lists = events / 50,
                        .now_s = FIRST_TIME_S};
    h.accounts = calloc(h.accounts_len, sizeof *h.accounts);
    h.users = calloc(h.users_len, sizeof *h.users);
    h.seats = calloc(h.seats_len, sizeof *h.seats);
    h.stays = calloc(h.seats_len, sizeof *h.stays);
    enum ch_err err = CH_OK;
    if (h.accounts == NULL || h.users == NULL || h.seats == NULL || h.stays == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a history");
    }
    if (err == CH_OK) err = ch_feed_create(connection, &h.feed, why);
    if (err == CH_OK) err = open_accounts(&h, why);
    if (err == CH_OK) err = create_users(&h, why);
    if (err == CH_OK) place_seats(&h);
    if (err == CH_OK) err = create_groups(&h, why);
    if (err == CH_OK) err = live(&h, events, why);
    ch_feed_destroy(h.feed);
    if (err == CH_OK) {
        *ret = (struct ch_history){.joined = h.joined,
                                   .left = h.left,
                                   .moved = h.moved,
                                   .mistakes = h.mistakes,
                                   .expired = h.expired,
                                   .grants = ch_life_grants(&h)};
    }
    free(h.accounts);
    free(h.users);
    free(h.seats);
    free(h.stays);
    return err;
}
