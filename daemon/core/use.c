/* use: see use.h. SPDX-License-Identifier: MIT */
#include "daemon/core/use.h"

#include "schema/limits.h"

uint32_t ch_review_account(const struct ch_state *state, uint32_t account)
{
    uint32_t found = 0;
    uint32_t shortest = 0;
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        const uint32_t settings = ch_account_row(state, a)->settings;
        const uint32_t days = settings == 0 ? 0 : ch_settings_row(state, settings)->review_days;
        if (days == 0 || (found != 0 && days >= shortest)) continue;
        found = a;
        shortest = days;
    }
    return found;
}

uint32_t ch_review_days(const struct ch_state *state, uint32_t account)
{
    const uint32_t by = ch_review_account(state, account);
    return by == 0 ? 0 : ch_settings_row(state, ch_account_row(state, by)->settings)->review_days;
}

uint32_t ch_unused_days(const struct ch_row_share *share, uint64_t now)
{
    const uint32_t since = ch_day_in(share->used_day);
    const uint32_t today = ch_day_of(now);
    return today > since ? today - since : 0;
}

uint32_t ch_due_day(const struct ch_state *state, uint32_t share, uint32_t every_days)
{
    const struct ch_row_share *row = ch_share_row(state, share);
    if (every_days == 0 || ch_account_row(state, row->account)->owner == share) return 0;
    return ch_day_in(row->certified_day) + every_days;
}

/* One command on its way to the shares it used. */
struct using
{
    struct ch_state *state;
    const struct ch_event *event;
    uint32_t account; /* for which it was sent */
    uint32_t day;
    uint64_t left; /* rows that may still be written */
};

static bool counts(const struct using *u, const struct ch_row_share *share)
{
    return share->status == CH_share_status_active && !ch_is_over(u->state, share, u->event->at) &&
           (share->kind != CH_share_kind_login || u->event->channel == CH_channel_web);
}

/* Whether the share's account is the one meant, or one above it that the share reaches it from. */
static bool reaches(const struct using *u, const struct ch_row_share *share)
{
    if (share->account == u->account) return true;
    if (share->reach != CH_reach_subtree) return false;
    for (uint32_t a = u->account; a != 0; a = ch_account_row(u->state, a)->parent) {
        if (a == share->account) return true;
    }
    return false;
}

static void note(struct using *u, uint32_t row)
{
    if (u->left == 0 || ch_share_row(u->state, row)->used_day == u->day) return;
    struct ch_row_share *share = ch_row_edit(&u->state->store, CH_T_SHARE, row);
    share->used_day = u->day;
    u->left--;
}

/* Whether some group's share was used: then the one that makes the user a member was, too. */
static bool note_groups(struct using *u, uint32_t first_member)
{
    const struct ch_state *state = u->state;
    bool used = false;
    for (uint32_t m = first_member; m != 0; m = ch_member_row(state, m)->next_of_share) {
        for (uint32_t g = ch_member_row(state, m)->group; g != 0;
             g = ch_group_row(state, g)->parent) {
            for (uint32_t s = ch_group_row(state, g)->first_share; s != 0;
                 s = ch_share_row(state, s)->next_of_subject) {
                const struct ch_row_share *share = ch_share_row(state, s);
                if (!reaches(u, share) || !counts(u, share)) continue;
                note(u, s);
                used = true;
            }
        }
    }
    return used;
}

/* An account that is just being opened is opened for the one above it. */
static uint32_t account_meant(const struct ch_state *state, const struct ch_event *event)
{
    const uint32_t account = ch_find_account(state, event->account);
    if (event->tag != CH_EV_account_opened || account == 0) return account;
    return ch_account_row(state, account)->parent;
}

void ch_note_use(struct ch_state *state, const struct ch_event *event)
{
    if (event->actor.kind != CH_actor_kind_user || event->account == 0) return;
    if (event->cause.kind != CH_CAUSE_COMMAND) return; /* a command is one use */
    struct using u = {.state = state,
                      .event = event,
                      .account = account_meant(state, event),
                      .day = ch_day_of(event->at),
                      .left = LIMIT_USES_A_COMMAND};
    const uint32_t user = ch_find_user(state, event->actor.id);
    if (user == 0) return;
    for (uint32_t a = u.account; a != 0; a = ch_account_row(state, a)->parent) {
        const uint32_t row = ch_find_share(state, CH_subject_kind_user, user, a);
        if (row == 0 || !counts(&u, ch_share_row(state, row))) continue;
        if (reaches(&u, ch_share_row(state, row))) note(&u, row);
        if (note_groups(&u, ch_share_row(state, row)->first_member)) note(&u, row);
    }
}

uint64_t ch_uses_room(const struct ch_state *state)
{
    return LIMIT_USES_A_COMMAND * ch_store_edit_bytes(&state->store, CH_T_SHARE);
}
