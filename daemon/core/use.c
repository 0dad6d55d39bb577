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
    const struct ch_state *state;
    const struct ch_event *event;
    uint32_t account; /* for which it was sent */
    uint32_t only;    /* shares of this account alone; 0: of every one */
    uint32_t day;
    uint64_t left;            /* rows that may still be written */
    struct ch_state *written; /* where they are; NULL: it is only asked which there are */
    struct ch_used *used;
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

static void add_used(const struct using *u, uint32_t account)
{
    struct ch_used *used = u->used;
    const uint64_t id = ch_account_row(u->state, account)->id;
    if (used->count > 0 && used->account[used->count - 1] == id) return;
    CH_CHECK(used->count < CH_USED_MOST);
    used->account[used->count++] = id;
}

static void note(struct using *u, uint32_t row)
{
    const struct ch_row_share *known = ch_share_row(u->state, row);
    if (u->left == 0 || known->used_day == u->day) return;
    if (u->only != 0 && known->account != u->only) return;
    u->left--;
    if (u->written == NULL) {
        add_used(u, known->account);
        return;
    }
    struct ch_row_share *share = ch_row_edit(&u->written->store, CH_T_SHARE, row);
    share->used_day = u->day;
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

/* One that is just being opened is opened for the one above it. */
uint64_t ch_account_meant(const struct ch_event *event)
{
    if (event->tag != CH_EV_account_opened) return event->account;
    const struct ch_ev_account_opened *opened = event->body;
    return opened->has_parent ? opened->parent.seq : 0;
}

/* Who uses; 0: nobody does. */
static uint32_t user_of(const struct ch_state *state, const struct ch_event *event)
{
    if (event->actor.kind != CH_actor_kind_user || event->account == 0) return 0;
    if (event->cause.kind != CH_CAUSE_COMMAND) return 0; /* a command is one use */
    return ch_find_user(state, event->actor.id);
}

static void note_all(struct using *u, uint32_t user)
{
    for (uint32_t a = u->account; a != 0; a = ch_account_row(u->state, a)->parent) {
        const uint32_t row = ch_find_share(u->state, CH_subject_kind_user, user, a);
        if (row == 0 || !counts(u, ch_share_row(u->state, row))) continue;
        if (reaches(u, ch_share_row(u->state, row))) note(u, row);
        if (note_groups(u, ch_share_row(u->state, row)->first_member)) note(u, row);
    }
}

void ch_note_use(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t user = user_of(state, event);
    if (user == 0) return;
    struct using u = {.state = state,
                      .event = event,
                      .account = ch_find_account(state, ch_account_meant(event)),
                      .day = ch_day_of(event->at),
                      .left = LIMIT_USES_A_COMMAND,
                      .written = state};
    note_all(&u, user);
}

void ch_note_use_of(struct ch_state *state, const struct ch_event *event, uint32_t account)
{
    const uint32_t user = user_of(state, event);
    if (user == 0 || account == 0) return;
    struct using u = {.state = state,
                      .event = event,
                      .account = ch_find_account(state, ch_account_meant(event)),
                      .only = account,
                      .day = ch_day_of(event->at),
                      .left = UINT64_MAX,
                      .written = state};
    note_all(&u, user);
}

/* Whether whoever has the share, which an event names first, is the actor or a group. */
static bool is_of_actor(const struct ch_state *state, const struct ch_event *event, uint32_t user)
{
    const uint32_t row = ch_find_share_id(state, ((const struct ch_share_id *)event->body)->seq);
    if (row == 0) return false;
    const struct ch_row_share *share = ch_share_row(state, row);
    return share->subject_kind != CH_subject_kind_user || share->subject == user;
}

/* Whether by the event itself the actor may have more to use. */
static bool may_gain(const struct ch_state *state, const struct ch_event *event, uint32_t user)
{
    switch (event->tag) {
    case CH_EV_share_given: {
        const struct ch_ev_share_given *given = event->body;
        return given->subject_kind != CH_subject_kind_user || given->subject == event->actor.id;
    }
    case CH_EV_ownership_transferred:
    case CH_EV_group_moved:
    case CH_EV_group_member_added: return true;
    case CH_EV_invitation_accepted:
    case CH_EV_share_activated:
    case CH_EV_share_role_set:
    case CH_EV_share_expiry_set: return is_of_actor(state, event, user);
    default: return false;
    }
}

void ch_used_by(const struct ch_state *before, const struct ch_event *event, struct ch_used *ret)
{
    const uint32_t user = user_of(before, event);
    ret->count = ret->over = 0;
    if (user == 0) return;
    struct using u = {.state = before,
                      .event = event,
                      .account = ch_find_account(before, ch_account_meant(event)),
                      .day = ch_day_of(event->at),
                      .left = LIMIT_USES_A_COMMAND,
                      .used = ret};
    note_all(&u, user);
    ret->over = u.left == 0;
    if (ret->over == 0 && !may_gain(before, event, user)) return;
    for (uint32_t a = u.account; a != 0; a = ch_account_row(before, a)->parent) {
        add_used(&u, a);
    }
}

uint64_t ch_uses_room(const struct ch_state *state)
{
    return LIMIT_USES_A_COMMAND * ch_store_edit_bytes(&state->store, CH_T_SHARE);
}
