/* touched: see touched.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/touched.h"

#include "schema/base/check.h"

struct touching {
    const struct ch_state *before;
    const struct ch_event *event;
    bool rights; /* the event decides about rights of whom it names */
    uint64_t *keys;
    size_t count;
};

/* What an event that decides about rights is about. */
enum bearing {
    BEARS_NOTHING,
    BEARS_RIGHTS,
    BEARS_PLACE,
    BEARS_SYSTEM,
    BEARS_ROLE,
    BEARS_STREAM,
    BEARS_BOTH
};

static const uint8_t bearings[CH_EVENT_TAGS] = {
    [CH_EV_schema_declared] = BEARS_SYSTEM,
    [CH_EV_mask_defined] = BEARS_SYSTEM,
    [CH_EV_role_defined] = BEARS_ROLE,
    [CH_EV_role_changed] = BEARS_ROLE,
    [CH_EV_role_renamed] = BEARS_ROLE,
    [CH_EV_role_deleted] = BEARS_ROLE,
    [CH_EV_account_opened] = BEARS_PLACE,
    [CH_EV_account_closed] = BEARS_PLACE,
    [CH_EV_account_reopened] = BEARS_PLACE,
    [CH_EV_account_dissolved] = BEARS_PLACE,
    [CH_EV_account_renamed] = BEARS_PLACE,
    [CH_EV_account_suspended] = BEARS_PLACE,
    [CH_EV_account_resumed] = BEARS_PLACE,
    [CH_EV_guardrail_set] = BEARS_PLACE,
    [CH_EV_master_granted] = BEARS_PLACE,
    [CH_EV_switches_set] = BEARS_PLACE,
    [CH_EV_plan_set] = BEARS_PLACE,
    [CH_EV_plan_changed] = BEARS_PLACE,
    [CH_EV_plan_ended] = BEARS_PLACE,
    [CH_EV_stream_stopped] = BEARS_STREAM,
    [CH_EV_stream_resumed] = BEARS_STREAM,
    [CH_EV_ownership_transferred] = BEARS_BOTH,
    [CH_EV_user_created] = BEARS_RIGHTS,
    [CH_EV_user_invited] = BEARS_RIGHTS,
    [CH_EV_user_locked] = BEARS_RIGHTS,
    [CH_EV_user_unlocked] = BEARS_RIGHTS,
    [CH_EV_user_erased] = BEARS_RIGHTS,
    [CH_EV_login_created] = BEARS_RIGHTS,
    [CH_EV_login_deleted] = BEARS_RIGHTS,
    [CH_EV_profile_changed] = BEARS_RIGHTS,
    [CH_EV_share_given] = BEARS_RIGHTS,
    [CH_EV_share_role_set] = BEARS_RIGHTS,
    [CH_EV_share_expiry_set] = BEARS_RIGHTS,
    [CH_EV_share_limited] = BEARS_RIGHTS,
    [CH_EV_share_restricted] = BEARS_RIGHTS,
    [CH_EV_share_scopes_set] = BEARS_RIGHTS,
    [CH_EV_grant_set] = BEARS_RIGHTS,
    [CH_EV_grant_revoked] = BEARS_RIGHTS,
    [CH_EV_share_deactivated] = BEARS_RIGHTS,
    [CH_EV_share_activated] = BEARS_RIGHTS,
    [CH_EV_share_ended] = BEARS_RIGHTS,
    [CH_EV_share_expired] = BEARS_RIGHTS,
    [CH_EV_share_invited] = BEARS_RIGHTS,
    [CH_EV_invitation_sent] = BEARS_RIGHTS,
    [CH_EV_invitation_accepted] = BEARS_RIGHTS,
    [CH_EV_invitation_declined] = BEARS_RIGHTS,
    [CH_EV_invitation_cancelled] = BEARS_RIGHTS,
    [CH_EV_invitation_expired] = BEARS_RIGHTS,
    [CH_EV_group_created] = BEARS_RIGHTS,
    [CH_EV_group_moved] = BEARS_RIGHTS,
    [CH_EV_group_deleted] = BEARS_RIGHTS,
    [CH_EV_group_member_added] = BEARS_RIGHTS,
    [CH_EV_group_member_removed] = BEARS_RIGHTS,
    [CH_EV_key_created] = BEARS_RIGHTS,
    [CH_EV_key_renamed] = BEARS_RIGHTS,
    [CH_EV_key_revoked] = BEARS_RIGHTS,
    [CH_EV_key_expired] = BEARS_RIGHTS,
};

static void touch(struct touching *touching, enum ch_touch kind, uint64_t id)
{
    CH_CHECK(touching->count < CH_STREAMS_KEYS);
    if (id != 0) touching->keys[touching->count++] = ch_stream_key((uint8_t)kind, id);
}

static void touch_rights(struct touching *touching, uint64_t id)
{
    if (touching->rights) touch(touching, CH_TOUCH_RIGHTS, id);
}

static void touch_user(struct touching *touching, uint64_t id)
{
    touch(touching, CH_TOUCH_USER, id);
    touch_rights(touching, id);
}

/* A group's many members are not what it has, and what is below it neither. */
static void touch_group(struct touching *touching, uint64_t id, bool above)
{
    const uint16_t tag = touching->event->tag;
    touch(touching, CH_TOUCH_GROUP, id);
    if (above || tag == CH_EV_group_member_added || tag == CH_EV_group_member_removed) return;
    touch_rights(touching, id);
}

static void touch_subject(struct touching *touching, uint8_t kind, uint64_t id)
{
    if (kind == CH_subject_kind_user) {
        touch_user(touching, id);
    } else {
        touch_group(touching, id, /* above= */ false);
    }
}

static void touch_share(struct touching *touching, uint64_t id)
{
    const struct ch_state *state = touching->before;
    const uint32_t row = ch_find_share_id(state, id);
    if (row == 0) return;
    const struct ch_row_share *share = ch_share_row(state, row);
    const bool user = share->subject_kind == CH_subject_kind_user;
    touch(touching, CH_TOUCH_ACCOUNT, ch_account_row(state, share->account)->id);
    touch_subject(touching, share->subject_kind,
                  user ? ch_user_row(state, share->subject)->id
                       : ch_group_row(state, share->subject)->id);
}

static void touch_kind(struct touching *touching, uint8_t kind, uint64_t id, bool above)
{
    if (kind == CH_KIND_account) touch(touching, CH_TOUCH_ACCOUNT, id);
    if (kind == CH_KIND_user) touch_user(touching, id);
    if (kind == CH_KIND_group) touch_group(touching, id, above);
    if (kind == CH_KIND_share) touch_share(touching, id);
    if (kind == CH_KIND_key) touch_rights(touching, id);
}

/* The account whose own standing the event changes. */
static uint64_t place_of(const struct ch_event *event)
{
    if (event->tag == CH_EV_account_opened) return event->seq;
    if (event->tag != CH_EV_switches_set) return event->account;
    return ((const struct ch_ev_switches_set *)event->body)->account.seq; /* of one above */
}

/* Whether the share that is given makes its user the owner of the account's tree. */
static bool gives_tree(const struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_given *given = event->body;
    if (!given->has_role) return false;
    const uint32_t account = ch_find_account(state, event->account);
    return account != 0 && ch_account_row(state, account)->parent == 0 &&
           ch_is_built_in(state, ch_find_role(state, given->role.seq), "owner");
}

/* Whether a declaration is one of what decides. */
static bool declares_scope(const struct ch_event *event)
{
    if (event->tag != CH_EV_schema_declared) return true;
    return ((const struct ch_ev_schema_declared *)event->body)->category == CH_declared_scope;
}

static bool stops_key(const struct ch_event *event)
{
    return event->tag == CH_EV_stream_stopped
               ? ((const struct ch_ev_stream_stopped *)event->body)->has_key
               : ((const struct ch_ev_stream_resumed *)event->body)->has_key;
}

/* The streams of what decides about rights, but those of whom the event names. */
static void touch_bearing(struct touching *touching)
{
    const struct ch_event *event = touching->event;
    bool place = false;
    bool system = false;
    switch ((enum bearing)bearings[event->tag]) {
    case BEARS_NOTHING: return;
    case BEARS_RIGHTS:
        touching->rights = true;
        place = event->tag == CH_EV_share_given && gives_tree(touching->before, event);
        break;
    case BEARS_PLACE: place = true; break;
    case BEARS_BOTH: place = touching->rights = true; break;
    case BEARS_SYSTEM: system = declares_scope(event); break;
    case BEARS_ROLE:
        system = event->account == 0;
        place = !system;
        break;
    case BEARS_STREAM:
        touching->rights = stops_key(event);
        place = !touching->rights;
        break;
    }
    if (place) touch(touching, CH_TOUCH_PLACE, place_of(event));
    if (system) touch(touching, CH_TOUCH_SYSTEM, 1);
}

size_t ch_touched(const struct ch_state *before, const struct ch_event *event,
                  uint64_t keys[CH_STREAMS_KEYS])
{
    struct touching touching = {.before = before, .event = event, .keys = keys};
    const struct ch_event_row *row = &ch_events[event->tag];
    touch(&touching, CH_TOUCH_ACCOUNT, event->account);
    touch_bearing(&touching);
    if (row->makes != CH_KIND_share) touch_kind(&touching, row->makes, event->seq, false);
    for (uint16_t i = 0; i < row->record.count; i++) {
        const struct ch_field *field = &row->record.fields[i];
        if (field->list || ch_kinds[field->kind].form != CH_FORM_ID) continue;
        if (!ch_field_present(field, event->body)) continue;
        uint64_t id; /* every id is a struct of one number */
        memcpy(&id, ch_field_at(field, event->body), sizeof id);
        touch_kind(&touching, field->kind, id, strcmp(field->name, "parent") == 0);
    }
    if (event->tag == CH_EV_share_given) {
        const struct ch_ev_share_given *given = event->body;
        touch_subject(&touching, given->subject_kind, given->subject);
    }
    return touching.count;
}
