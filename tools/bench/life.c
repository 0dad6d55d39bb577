/* life: see life.h. SPDX-License-Identifier: MIT */
#include "tools/bench/life.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "tools/bench/daemon.h"

enum {
    TEXT_BYTES = 40,
    WEEK_S = 7 * 24 * 3600,
    STAY_S = 8 * WEEK_S,                            /* of those who come for a while */
    REST = (CH_FEED_IN_FLIGHT + 2) * CH_FEED_CALLS, /* turns, each a command or more */
    LOOKS = 16,
    ROLES = 4,
};

enum seat_state { EMPTY, TAKEN, FOR_A_WHILE, DEACTIVATED };

static const char *const roles[ROLES] = {"user", "list_manager", "collaborator", "watcher"};

static struct charter_message *command(struct ch_life *life, const char *type,
                                       const struct ch_life_seat *seat, enum ch_err *err,
                                       struct ch_why *why)
{
    struct charter_message *message = NULL;
    const struct charter_call_head head = {.type = type, .on_id = life->accounts[seat->account].id};
    if (*err == CH_OK) *err = ch_feed_call(life->feed, &head, NULL, &message, why);
    if (*err != CH_OK) return NULL;
    charter_arg_uint(message, "user", life->users[seat->user]);
    return message;
}

static void empty(struct ch_life_seat *seat)
{
    seat->state = EMPTY;
    seat->grant = 0;
    seat->grants = 0;
    seat->mistaken = 0;
    seat->group = 0;
    seat->restricted = false;
}

/* ---- what happens at a seat ------------------------------------------------------------------*/

static enum ch_err join(struct ch_life *life, struct ch_life_seat *seat, bool for_a_while,
                        struct ch_why *why)
{
    enum ch_err err = CH_OK;
    struct charter_message *message = command(life, "share.give", seat, &err, why);
    if (message == NULL) return err;
    seat->role = (uint8_t)ch_chance_below(&life->chance, ROLES);
    charter_arg_text(message, "role", roles[seat->role]);
    seat->state = for_a_while ? FOR_A_WHILE : TAKEN;
    life->joined++;
    if (!for_a_while) return CH_OK;
    char text[TEXT_BYTES];
    struct tm tm;
    const time_t until = (time_t)(life->now_s + STAY_S);
    (void)gmtime_r(&until, &tm);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    charter_arg_text(message, "expires_at", text);
    life->stays[(life->stays_first + life->stays_len++) % life->seats_len] =
        (struct ch_life_stay){(uint64_t)(seat - life->seats), life->now_s + STAY_S};
    return CH_OK;
}

static enum ch_err leave(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    if (command(life, "share.end", seat, &err, why) == NULL) return err;
    empty(seat);
    life->left++;
    return CH_OK;
}

/* To a seat that the same person could have on another account; there may be none just now. */
static enum ch_err move(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    for (int look = 0; look < LOOKS; look++) {
        const struct ch_life_account *to =
            &life->accounts[ch_chance_skewed(&life->chance, life->accounts_len)];
        const uint64_t place =
            ((uint64_t)seat->user + life->users_len - to->first_user) % life->users_len;
        if (place >= to->seats) continue;
        struct ch_life_seat *other = &life->seats[to->first_seat + place];
        if (other->state != EMPTY || (other->turn != 0 && life->turns - other->turn < REST)) {
            continue;
        }
        enum ch_err err = leave(life, seat, why);
        if (err == CH_OK) err = join(life, other, /* for_a_while= */ false, why);
        other->turn = life->turns;
        life->moved++;
        return err;
    }
    return CH_OK;
}

static enum ch_err grant(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    static const char *const scopes[] = {"lists.read", "contacts.read", "lists.update",
                                         "contacts.export"};
    char list[TEXT_BYTES];
    enum ch_err err = CH_OK;
    struct charter_message *message = command(life, "share.grant", seat, &err, why);
    if (message == NULL) return err;
    seat->grant = 1 + (uint32_t)ch_chance_skewed(&life->chance, life->lists);
    seat->grants++;
    (void)snprintf(list, sizeof list, "list-%" PRIu32, seat->grant);
    charter_arg_text(message, "kind", "list");
    charter_arg_text(message, "resource", list);
    charter_arg_texts(message, "scopes", scopes + ch_chance_below(&life->chance, 3),
                      1 + ch_chance_below(&life->chance, 2));
    return CH_OK;
}

static enum ch_err revoke(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    char list[TEXT_BYTES];
    enum ch_err err = CH_OK;
    if (seat->grant == 0) return grant(life, seat, why);
    struct charter_message *message = command(life, "share.revoke", seat, &err, why);
    if (message == NULL) return err;
    (void)snprintf(list, sizeof list, "list-%" PRIu32, seat->grant);
    charter_arg_text(message, "kind", "list");
    charter_arg_text(message, "resource", list);
    seat->grant = 0;
    seat->grants--;
    return CH_OK;
}

static enum ch_err set_role(struct ch_life *life, struct ch_life_seat *seat, uint8_t role,
                            struct ch_why *why)
{
    enum ch_err err = CH_OK;
    struct charter_message *message = command(life, "share.set_role", seat, &err, why);
    if (message == NULL) return err;
    charter_arg_text(message, "role", roles[role]);
    seat->role = role;
    return CH_OK;
}

/* The wrong role for a short while. */
static enum ch_err mistake(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    seat->mistaken = (uint8_t)(seat->role + 1);
    life->mistakes++;
    return set_role(life, seat, (uint8_t)((seat->role + 1) % ROLES), why);
}

static enum ch_err restrict_or_not(struct ch_life *life, struct ch_life_seat *seat,
                                   struct ch_why *why)
{
    static const char *const scopes[] = {"contacts.export", "lists.update"};
    enum ch_err err = CH_OK;
    struct charter_message *message = command(life, "share.restrict", seat, &err, why);
    if (message == NULL) return err;
    charter_arg_texts(message, "scopes", scopes, seat->restricted ? 0 : 2);
    seat->restricted = !seat->restricted;
    return CH_OK;
}

static enum ch_err change_group(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    const struct ch_life_account *account = &life->accounts[seat->account];
    enum ch_err err = CH_OK;
    if (account->groups_len == 0) return grant(life, seat, why);
    const bool in = seat->group != 0;
    if (!in) seat->group = (uint8_t)(1 + ch_chance_below(&life->chance, account->groups_len));
    struct charter_message *message =
        command(life, in ? "group.remove" : "group.add", seat, &err, why);
    if (message == NULL) return err;
    charter_arg_uint(message, "group", account->groups[seat->group - 1]);
    if (in) seat->group = 0;
    return CH_OK;
}

static enum ch_err set_active(struct ch_life *life, struct ch_life_seat *seat, bool active,
                              struct ch_why *why)
{
    enum ch_err err = CH_OK;
    const char *type = active ? "share.activate" : "share.deactivate";
    if (command(life, type, seat, &err, why) == NULL) return err;
    seat->state = active ? TAKEN : DEACTIVATED;
    return CH_OK;
}

/* ---- turns -----------------------------------------------------------------------------------*/

static enum ch_err of_taken(struct ch_life *life, struct ch_life_seat *seat, struct ch_why *why)
{
    if (seat->mistaken != 0) {
        const uint8_t before = (uint8_t)(seat->mistaken - 1);
        seat->mistaken = 0;
        return set_role(life, seat, before, why);
    }
    const uint64_t percent = ch_chance_below(&life->chance, 100);
    if (percent < 64) return grant(life, seat, why);
    if (percent < 72) return revoke(life, seat, why);
    if (percent < 79) return change_group(life, seat, why);
    if (percent < 83) {
        return set_role(life, seat, (uint8_t)ch_chance_below(&life->chance, ROLES), why);
    }
    if (percent < 86) return mistake(life, seat, why);
    if (percent < 90) return restrict_or_not(life, seat, why);
    if (percent < 93) return set_active(life, seat, false, why);
    if (percent < 96) return move(life, seat, why);
    return leave(life, seat, why);
}

enum ch_err ch_life_turn(struct ch_life *life, struct ch_why *why)
{
    struct ch_life_seat *seat = NULL;
    life->turns++;
    for (int look = 0; look < LOOKS && seat == NULL; look++) {
        struct ch_life_seat *one = &life->seats[ch_chance_below(&life->chance, life->seats_len)];
        const bool rests = one->turn != 0 && life->turns - one->turn < REST;
        if (!rests && one->state != FOR_A_WHILE) seat = one;
    }
    if (seat == NULL) return CH_OK;
    seat->turn = life->turns;
    switch ((enum seat_state)seat->state) {
    case EMPTY: return join(life, seat, ch_chance_below(&life->chance, 20) == 0, why);
    case DEACTIVATED:
        if (ch_chance_below(&life->chance, 3) == 0) return leave(life, seat, why);
        return set_active(life, seat, true, why);
    case TAKEN: return of_taken(life, seat, why);
    case FOR_A_WHILE: break;
    }
    return CH_OK;
}

static enum ch_err set_clock(struct ch_life *life, struct ch_why *why)
{
    char text[TEXT_BYTES];
    struct tm tm;
    struct charter_error error = {0};
    struct charter_reply *reply = NULL;
    struct charter_message *message = charter_message_create(NULL);
    if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
    const time_t now = (time_t)life->now_s;
    (void)gmtime_r(&now, &tm);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    charter_message_call(message, &(struct charter_call_head){.type = "clock.set"});
    charter_arg_text(message, "to", text);
    enum ch_err err = CH_OK;
    if (charter_call(life->connection, message, &reply, &error) != 0) {
        err = ch_daemon_fail(why, "clock.set", &error);
    } else if (charter_reply_result(reply, 0)->outcome != CHARTER_RESULT) {
        err = ch_fail(why, CH_ERR_NET_IO, 0, "the daemon's clock cannot be moved");
    }
    charter_reply_destroy(reply);
    charter_message_destroy(message);
    return err;
}

enum ch_err ch_life_week(struct ch_life *life, struct ch_why *why)
{
    enum ch_err err = ch_feed_finish(life->feed, why);
    if (err != CH_OK) return err;
    life->now_s += WEEK_S;
    err = set_clock(life, why);
    while (err == CH_OK && life->stays_len > 0) {
        const struct ch_life_stay *stay = &life->stays[life->stays_first];
        if (stay->until_s > life->now_s) break;
        empty(&life->seats[stay->seat]);
        life->stays_first = (life->stays_first + 1) % life->seats_len;
        life->stays_len--;
        life->expired++;
    }
    return err;
}

uint64_t ch_life_grants(const struct ch_life *life)
{
    uint64_t grants = 0;
    for (uint64_t i = 0; i < life->seats_len; i++) {
        grants += life->seats[i].grants;
    }
    return grants;
}
