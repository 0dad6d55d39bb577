/* history: see history.h. SPDX-License-Identifier: MIT */
#include "tools/bench/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/chance.h"
#include "tools/bench/daemon.h"
#include "tools/bench/feed.h"

enum { NAME_BYTES = 40, SUBS_OF_MASTER = 4, GROUP_SIZE = 40, GROUPS_MOST = 50, TRIES = 4 };

struct account {
    uint64_t id;
    uint64_t first_share; /* its place among all shares */
    uint64_t shares;
    uint64_t groups[GROUPS_MOST]; /* ids */
    uint32_t groups_len;
};

struct share {
    uint32_t account;
    uint32_t user; /* place among the users */
};

struct history {
    struct ch_feed *feed;
    struct ch_chance chance;
    struct account *accounts;
    uint32_t accounts_len;
    uint64_t *users;
    uint32_t users_len;
    struct share *shares;
    uint64_t shares_len;
    uint64_t resources;
};

static enum ch_err call(struct history *h, const char *type, uint64_t on, uint64_t *ret_seq,
                        struct charter_message **ret, struct ch_why *why)
{
    const struct charter_call_head head = {.type = type, .on_id = on};
    return ch_feed_call(h->feed, &head, ret_seq, ret, why);
}

static enum ch_err open_accounts(struct history *h, struct ch_why *why)
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

static enum ch_err create_users(struct history *h, struct ch_why *why)
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
static void size_accounts(struct history *h)
{
    double sum = 0;
    uint64_t placed = 0;
    for (uint32_t i = 0; i < h->accounts_len; i++) {
        sum += 1.0 / (i + 1);
    }
    for (uint32_t i = 0; i < h->accounts_len; i++) {
        struct account *account = &h->accounts[i];
        uint64_t size = (uint64_t)((double)h->shares_len / sum / (i + 1)) + 1;
        if (size > h->users_len) size = h->users_len;
        if (size > h->shares_len - placed) size = h->shares_len - placed;
        account->first_share = placed;
        account->shares = size;
        placed += size;
    }
    h->shares_len = placed;
}

static enum ch_err give_shares(struct history *h, struct ch_why *why)
{
    static const char *const roles[] = {"user", "list_manager", "collaborator", "watcher"};
    struct charter_message *message = NULL;
    enum ch_err err = CH_OK;
    for (uint32_t a = 0; err == CH_OK && a < h->accounts_len; a++) {
        const struct account *account = &h->accounts[a];
        const uint64_t start = ch_chance_below(&h->chance, h->users_len);
        for (uint64_t i = 0; err == CH_OK && i < account->shares; i++) {
            struct share *share = &h->shares[account->first_share + i];
            share->account = a;
            share->user = (uint32_t)((start + i) % h->users_len);
            err = call(h, "share.give", account->id, NULL, &message, why);
            if (err != CH_OK) break;
            charter_arg_uint(message, "user", h->users[share->user]);
            if (ch_chance_below(&h->chance, 3) > 0) {
                charter_arg_text(message, "role", roles[ch_chance_below(&h->chance, 4)]);
            }
        }
    }
    return err == CH_OK ? ch_feed_finish(h->feed, why) : err;
}

static enum ch_err create_groups(struct history *h, struct ch_why *why)
{
    char name[NAME_BYTES];
    struct charter_message *message = NULL;
    enum ch_err err = CH_OK;
    for (uint32_t a = 0; err == CH_OK && a < h->accounts_len; a++) {
        struct account *account = &h->accounts[a];
        uint64_t wanted = account->shares / GROUP_SIZE;
        account->groups_len = wanted > GROUPS_MOST ? GROUPS_MOST : (uint32_t)wanted;
        for (uint32_t g = 0; err == CH_OK && g < account->groups_len; g++) {
            (void)snprintf(name, sizeof name, "team %" PRIu32, g);
            err = call(h, "group.create", account->id, &account->groups[g], &message, why);
            if (err == CH_OK) charter_arg_text(message, "name", name);
        }
    }
    return err == CH_OK ? ch_feed_finish(h->feed, why) : err;
}

/* Each group gets a share, each person of an account with groups is in one of them. */
static enum ch_err fill_groups(struct history *h, struct ch_why *why)
{
    struct charter_message *message = NULL;
    enum ch_err err = CH_OK;
    for (uint32_t a = 0; err == CH_OK && a < h->accounts_len; a++) {
        const struct account *account = &h->accounts[a];
        for (uint32_t g = 0; err == CH_OK && g < account->groups_len; g++) {
            err = call(h, "share.give", account->id, NULL, &message, why);
            if (err == CH_OK) charter_arg_uint(message, "group", account->groups[g]);
        }
        const uint64_t members = account->groups_len == 0 ? 0 : account->shares / 2;
        for (uint64_t i = 0; err == CH_OK && i < members; i++) {
            const struct share *share = &h->shares[account->first_share + i];
            err = call(h, "group.add", account->id, NULL, &message, why);
            if (err != CH_OK) break;
            charter_arg_uint(message, "group", account->groups[i % account->groups_len]);
            charter_arg_uint(message, "user", h->users[share->user]);
        }
    }
    return err == CH_OK ? ch_feed_finish(h->feed, why) : err;
}

/* One change to a share; nearly all of them make one event. */
static enum ch_err change(struct history *h, const struct share *share, struct ch_why *why)
{
    static const char *const scopes[] = {"lists.read", "contacts.read", "lists.update",
                                         "contacts.export"};
    char resource[NAME_BYTES];
    struct charter_message *message = NULL;
    const uint64_t on = h->accounts[share->account].id;
    const uint64_t kind = ch_chance_below(&h->chance, 20);
    const char *type = kind == 0 ? "share.restrict" : kind == 1 ? "share.set_role" : "share.grant";
    enum ch_err err = call(h, type, on, NULL, &message, why);
    if (err != CH_OK) return err;
    charter_arg_uint(message, "user", h->users[share->user]);
    const uint64_t first = ch_chance_below(&h->chance, 3);
    if (kind == 1) {
        charter_arg_text(message, "role", first == 0 ? "user" : "watcher");
        return CH_OK;
    }
    charter_arg_texts(message, "scopes", scopes + first, 1 + ch_chance_below(&h->chance, 2));
    if (kind == 0) return CH_OK;
    (void)snprintf(resource, sizeof resource, "list-%" PRIu64,
                   ch_chance_skewed(&h->chance, h->resources));
    charter_arg_text(message, "kind", "list");
    charter_arg_text(message, "resource", resource);
    return CH_OK;
}

/* Changes until the log is long enough; a change to what already is makes no event. */
static enum ch_err change_shares(struct history *h, struct charter *connection, uint64_t events,
                                 struct ch_why *why)
{
    struct ch_daemon_status status;
    for (uint32_t tries = 0; tries < TRIES; tries++) {
        enum ch_err err = ch_daemon_status(connection, &status, why);
        if (err != CH_OK) return err;
        if (status.revision >= events) return CH_OK;
        for (uint64_t i = status.revision; err == CH_OK && i < events; i++) {
            err = change(h, &h->shares[ch_chance_skewed(&h->chance, h->shares_len)], why);
        }
        if (err == CH_OK) err = ch_feed_finish(h->feed, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

enum ch_err ch_history_make(struct charter *connection, uint64_t events, uint64_t seed,
                            struct ch_why *why)
{
    struct history h = {.chance = {.state = seed},
                        .accounts_len = (uint32_t)(events / 1000),
                        .users_len = (uint32_t)(events / 12),
                        .shares_len = events / 5,
                        .resources = events / 50};
    h.accounts = calloc(h.accounts_len, sizeof *h.accounts);
    h.users = calloc(h.users_len, sizeof *h.users);
    h.shares = calloc(h.shares_len, sizeof *h.shares);
    enum ch_err err = CH_OK;
    if (h.accounts == NULL || h.users == NULL || h.shares == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a history");
    }
    if (err == CH_OK) err = ch_feed_create(connection, &h.feed, why);
    if (err == CH_OK) err = open_accounts(&h, why);
    if (err == CH_OK) err = create_users(&h, why);
    size_accounts(&h);
    if (err == CH_OK) err = give_shares(&h, why);
    if (err == CH_OK) err = create_groups(&h, why);
    if (err == CH_OK) err = fill_groups(&h, why);
    if (err == CH_OK) err = change_shares(&h, connection, events, why);
    ch_feed_destroy(h.feed);
    free(h.accounts);
    free(h.users);
    free(h.shares);
    return err;
}
