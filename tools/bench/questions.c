/* questions: see questions.h. SPDX-License-Identifier: MIT */
#include "tools/bench/questions.h"

#include <stdlib.h>

#include "schema/cursor.h"
#include "schema/pack.h"
#include "schema/request.h"
#include "tools/bench/chance.h"
#include "tools/bench/daemon.h"

enum { ACCOUNTS_MOST = 64, SUBJECTS_ASKED = 500 };

/* Growing lists of what was found in one account. */
struct found {
    uint64_t id;
    struct ch_buf users;          /* uint64_t */
    struct ch_buf resources;      /* bytes of names, one after another */
    struct ch_buf resources_ends; /* uint32_t */
};

struct finder {
    struct charter *connection;
    struct found accounts[ACCOUNTS_MOST];
    uint32_t accounts_len;
};

static size_t users_of(const struct found *account)
{
    return account->users.len / sizeof(uint64_t);
}

static size_t resources_of(const struct found *account)
{
    return account->resources_ends.len / sizeof(uint32_t);
}

/* One query; its message is filled by the caller. *ret must be released. */
static enum ch_err ask(struct charter *connection, struct charter_message *message,
                       struct charter_reply **ret, struct ch_why *why)
{
    struct charter_error error = {0};
    if (charter_call(connection, message, ret, &error) != 0) {
        return ch_daemon_fail(why, "drawing questions", &error);
    }
    const struct charter_result *result = charter_reply_result(*ret, 0);
    if (result->outcome == CHARTER_RESULT) return CH_OK;
    return ch_fail(why, CH_ERR_NET_IO, 0, "drawing questions: %.*s", (int)result->text.len,
                   result->text.ptr);
}

/* Begins to walk a list of maps that a reply's result holds. */
static uint32_t walk(struct charter_bytes result, const char *name, struct ch_cursor *ret)
{
    struct charter_bytes list = {0};
    *ret = ch_cursor_of((struct ch_bytes){0});
    if (!charter_get(result, name, &list)) return 0; /* empty lists are left out */
    *ret = ch_cursor_of((struct ch_bytes){list.ptr, list.len});
    return ch_read_array(ret);
}

static struct charter_bytes next_map(struct ch_cursor *c)
{
    struct ch_bytes value = ch_read_value(c);
    return (struct charter_bytes){value.ptr, value.len};
}

/* All pages of account.list or user.list; each item's id goes to `put`. */
static enum ch_err list_ids(struct finder *finder, const char *type, uint64_t on, const char *items,
                            const char *id_name, struct ch_buf *ret, struct ch_why *why)
{
    uint64_t after = 0;
    enum ch_err err = CH_OK;
    do {
        struct charter_reply *reply = NULL;
        struct charter_message *message = charter_message_create(NULL);
        if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
        charter_message_call(message, &(struct charter_call_head){.type = type, .on_id = on});
        charter_arg_uint(message, "limit", 1000);
        if (after != 0) charter_arg_uint(message, "after", after);
        err = ask(finder->connection, message, &reply, why);
        if (err == CH_OK) {
            struct charter_bytes result = charter_reply_result(reply, 0)->value;
            struct ch_cursor c;
            uint32_t len = walk(result, items, &c);
            for (uint32_t i = 0; i < len; i++) {
                uint64_t id = 0;
                if (!charter_get_uint(next_map(&c), id_name, &id)) continue;
                ch_buf_put(ret, &id, sizeof id);
            }
            after = 0;
            (void)charter_get_uint(result, "next", &after);
        }
        charter_reply_destroy(reply);
        charter_message_destroy(message);
    } while (err == CH_OK && after != 0);
    if (err == CH_OK && ret->failed) err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for ids");
    return err;
}

/* The resources of the grants of one share, the user's or the group's. */
static enum ch_err list_resources(struct finder *finder, struct found *account,
                                  const char *subject_kind, uint64_t subject, struct ch_why *why)
{
    struct charter_reply *reply = NULL;
    struct charter_message *message = charter_message_create(NULL);
    if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
    charter_message_call(message,
                         &(struct charter_call_head){.type = "share.show", .on_id = account->id});
    charter_arg_uint(message, subject_kind, subject);
    enum ch_err err = ask(finder->connection, message, &reply, why);
    if (err == CH_OK) {
        struct ch_cursor c;
        uint32_t len = walk(charter_reply_result(reply, 0)->value, "grants", &c);
        for (uint32_t i = 0; i < len; i++) {
            struct charter_text name;
            if (!charter_get_text(next_map(&c), "resource", &name)) continue;
            ch_buf_put(&account->resources, name.ptr, name.len);
            uint32_t end = (uint32_t)account->resources.len;
            ch_buf_put(&account->resources_ends, &end, sizeof end);
        }
    }
    charter_reply_destroy(reply);
    charter_message_destroy(message);
    return err;
}

/* The resources of those shares of a page that have grants. */
static enum ch_err take_page(struct finder *finder, struct found *account,
                             struct charter_bytes page, uint32_t *asked, struct ch_why *why)
{
    struct ch_cursor c;
    uint32_t len = walk(page, "shares", &c);
    for (uint32_t i = 0; i < len && *asked < SUBJECTS_ASKED; i++) {
        struct charter_bytes share = next_map(&c);
        uint64_t grants = 0;
        uint64_t subject = 0;
        struct charter_text kind = {0};
        (void)charter_get_uint(share, "grants", &grants);
        if (grants == 0 || !charter_get_uint(share, "subject", &subject) ||
            !charter_get_text(share, "subject_kind", &kind)) {
            continue;
        }
        (*asked)++;
        const char *subject_kind = kind.ptr[0] == 'g' ? "group" : "user";
        enum ch_err err = list_resources(finder, account, subject_kind, subject, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

/* All pages of the account's shares, of users and groups. */
static enum ch_err find_resources(struct finder *finder, struct found *account, struct ch_why *why)
{
    const struct charter_call_head head = {.type = "share.list", .on_id = account->id};
    uint64_t after = 0;
    uint32_t asked = 0;
    enum ch_err err = CH_OK;
    do {
        struct charter_reply *reply = NULL;
        struct charter_message *message = charter_message_create(NULL);
        if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
        charter_message_call(message, &head);
        charter_arg_uint(message, "limit", 1000);
        if (after != 0) charter_arg_uint(message, "after", after);
        err = ask(finder->connection, message, &reply, why);
        if (err == CH_OK) {
            struct charter_bytes result = charter_reply_result(reply, 0)->value;
            err = take_page(finder, account, result, &asked, why);
            after = 0;
            (void)charter_get_uint(result, "next", &after);
        }
        charter_reply_destroy(reply);
        charter_message_destroy(message);
    } while (err == CH_OK && after != 0);
    return err;
}

static enum ch_err find_all(struct finder *finder, struct ch_why *why)
{
    struct ch_buf ids = {0};
    enum ch_err err = list_ids(finder, "account.list", 0, "accounts", "account", &ids, why);
    for (size_t i = 0; err == CH_OK && i < ids.len / sizeof(uint64_t); i++) {
        if (finder->accounts_len == ACCOUNTS_MOST) break;
        struct found *account = &finder->accounts[finder->accounts_len];
        *account = (struct found){0};
        memcpy(&account->id, ids.ptr + i * sizeof account->id, sizeof account->id);
        finder->accounts_len++;
        err = list_ids(finder, "user.list", account->id, "users", "user", &account->users, why);
        if (err == CH_OK) err = find_resources(finder, account, why);
        if (err != CH_OK || users_of(account) > 0) continue;
        ch_buf_deinit(&account->resources); /* nobody to ask about */
        ch_buf_deinit(&account->resources_ends);
        finder->accounts_len--;
    }
    ch_buf_deinit(&ids);
    return err;
}

static struct ch_text resource_at(const struct found *account, size_t place)
{
    uint32_t start = 0;
    uint32_t end;
    const uint8_t *ends = account->resources_ends.ptr;
    if (place > 0) memcpy(&start, ends + (place - 1) * sizeof start, sizeof start);
    memcpy(&end, ends + place * sizeof end, sizeof end);
    return (struct ch_text){(const char *)account->resources.ptr + start, end - start};
}

static void put_question(struct ch_buf *buf, const struct found *account, struct ch_chance *chance)
{
    static const char *const scopes[] = {"lists.read", "contacts.read", "lists.update",
                                         "contacts.export", "lists.delete"};
    uint64_t user;
    memcpy(&user, account->users.ptr + ch_chance_below(chance, users_of(account)) * sizeof user,
           sizeof user);
    const size_t resources = resources_of(account);
    ch_request_call(buf, &(struct ch_call_head){.type = ch_text_of("check"), .on_id = account->id});
    ch_pack_map(buf, resources > 0 ? 3 : 2);
    ch_pack_chars(buf, "user");
    ch_pack_uint(buf, user);
    ch_pack_chars(buf, "scopes");
    ch_pack_array(buf, 1);
    ch_pack_chars(buf, scopes[ch_chance_below(chance, sizeof scopes / sizeof scopes[0])]);
    if (resources == 0) return;
    ch_pack_chars(buf, "resource");
    ch_pack_text(buf, resource_at(account, ch_chance_below(chance, resources)));
}

/* Larger accounts are asked about more often: the account of a user drawn from all of them. */
static const struct found *draw_account(const struct finder *finder, uint64_t place)
{
    const struct found *account = finder->accounts;
    while (place >= users_of(account)) {
        place -= users_of(account);
        account++;
    }
    return account;
}

enum ch_err ch_questions_draw(struct charter *connection, uint64_t seed,
                              struct ch_questions *questions, struct ch_why *why)
{
    struct ch_chance chance = {.state = seed};
    struct finder *finder = calloc(1, sizeof *finder);
    if (finder == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for questions");
    finder->connection = connection;
    enum ch_err err = find_all(finder, why);
    for (uint32_t i = 0; i < finder->accounts_len; i++) {
        questions->users += (uint32_t)users_of(&finder->accounts[i]);
        questions->resources += (uint32_t)resources_of(&finder->accounts[i]);
    }
    questions->accounts = finder->accounts_len;
    if (err == CH_OK && questions->users == 0) {
        err = ch_fail(why, CH_ERR_CONFIG, 0, "the history has nobody to ask about");
    }
    for (uint32_t i = 0; err == CH_OK && i < CH_QUESTIONS; i++) {
        const uint64_t place = ch_chance_below(&chance, questions->users);
        put_question(&questions->bytes, draw_account(finder, place), &chance);
        questions->ends[i] = (uint32_t)questions->bytes.len;
    }
    if (err == CH_OK && questions->bytes.failed) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for questions");
    }
    for (uint32_t i = 0; i < finder->accounts_len; i++) {
        ch_buf_deinit(&finder->accounts[i].users);
        ch_buf_deinit(&finder->accounts[i].resources);
        ch_buf_deinit(&finder->accounts[i].resources_ends);
    }
    free(finder);
    return err;
}

void ch_questions_deinit(struct ch_questions *questions)
{
    ch_buf_deinit(&questions->bytes);
}

struct ch_bytes ch_questions_at(const struct ch_questions *questions, uint64_t number)
{
    const uint64_t place = number % CH_QUESTIONS;
    const uint32_t start = place == 0 ? 0 : questions->ends[place - 1];
    return (struct ch_bytes){questions->bytes.ptr + start, questions->ends[place] - start};
}
