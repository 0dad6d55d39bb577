/* touched: see touched.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/touched.h"

#include "daemon/core/use.h"
#include "schema/base/check.h"

struct touching {
    const struct ch_state *before;
    const struct ch_event *event;
    uint32_t on; /* what the event bears on; a set of enum bearing */
    bool rights; /* the event decides about rights of whom it names */
    uint64_t *keys;
    size_t count;
};

/* What an event bears on; each is a stream, or says which. */
enum bearing {
    NOTHING = 0,
    RIGHTS = 1 << 0,    /* of whom it names, and the account's people */
    PLACE = 1 << 1,     /* the account's own standing */
    SYSTEM = 1 << 2,    /* the whole log */
    ROLE = 1 << 3,      /* PLACE, or SYSTEM where it is built in */
    STREAM = 1 << 4,    /* a key, or PLACE: one stream of mail */
    SETTINGS = 1 << 5,  /* the account's own settings */
    BELOW = 1 << 6,     /* the account above the one it is about, which shows those below it */
    CREDITS = 1 << 7,   /* those of the tree */
    LOGIN = 1 << 8,     /* when a user logged in */
    PERSON = 1 << 9,    /* it is about a user, wherever they caused it */
    TREE = 1 << 10,     /* what accounts there are in the tree */
    LIMIT = 1 << 11,    /* the whole log's limits */
    OFFER = 1 << 12,    /* what is offered to the user it names */
    SESSION = 1 << 13,  /* sessions of the user it names */
    REQUEST = 1 << 14,  /* requests for access: of the account, and of the user it names */
    CAMPAIGN = 1 << 15, /* submitted campaigns of the account */
    MAIL = 1 << 16,     /* what was counted of the account's mail, and its bounds */
    FEED = 1 << 17,     /* what the account feeds */
    LIST = 1 << 18,     /* its unsubscribe list */
    MADE = 1 << 19,     /* a person made something by it */
};

/* What each event bears on. */
enum {
    ON_schema_declared = SYSTEM,
    ON_limit_defined = LIMIT,
    ON_role_defined = ROLE,
    ON_role_changed = ROLE,
    ON_role_renamed = ROLE,
    ON_role_deleted = ROLE,
    ON_page_defined = SYSTEM,
    ON_page_changed = SYSTEM,
    ON_command_refused = NOTHING,
    ON_mask_defined = SYSTEM,
    ON_account_opened = PLACE | BELOW | CREDITS | TREE,
    ON_account_closed = PLACE | BELOW | CREDITS | TREE,
    ON_account_reopened = PLACE | BELOW | CREDITS | TREE,
    ON_account_dissolved = PLACE | BELOW | CREDITS | TREE,
    ON_account_renamed = PLACE | BELOW | CREDITS | TREE,
    ON_account_suspended = PLACE,
    ON_account_resumed = PLACE,
    ON_guardrail_set = PLACE,
    ON_master_requested = PLACE,
    ON_master_granted = PLACE,
    ON_master_declined = PLACE,
    ON_from_domain_set = PLACE,
    ON_switches_set = PLACE | BELOW,
    ON_settings_set = SETTINGS,
    ON_review_set = SETTINGS,
    ON_ownership_offered = PLACE | OFFER,
    ON_ownership_withdrawn = PLACE,
    ON_ownership_declined = PLACE,
    ON_ownership_offer_expired = PLACE,
    ON_ownership_transferred = RIGHTS | PLACE | MADE,
    ON_user_created = RIGHTS | PERSON,
    ON_user_invited = RIGHTS | PERSON,
    ON_user_locked = RIGHTS | PERSON,
    ON_user_unlocked = RIGHTS | PERSON,
    ON_user_erased = RIGHTS | PERSON,
    ON_login_created = RIGHTS | PERSON,
    ON_login_deleted = RIGHTS | PERSON,
    ON_profile_changed = RIGHTS | PERSON,
    ON_password_set = RIGHTS | PERSON,
    ON_session_opened = LOGIN | PERSON | SESSION,
    ON_session_moved = SESSION | PERSON,
    ON_session_closed = SESSION | PERSON,
    ON_session_expired = SESSION | PERSON,
    ON_share_given = RIGHTS | MADE,
    ON_share_role_set = RIGHTS,
    ON_share_expiry_set = RIGHTS,
    ON_share_limited = RIGHTS,
    ON_share_restricted = RIGHTS,
    ON_share_scopes_set = RIGHTS,
    ON_grant_set = RIGHTS | MADE,
    ON_grant_revoked = RIGHTS,
    ON_share_deactivated = RIGHTS,
    ON_share_activated = RIGHTS,
    ON_share_ended = RIGHTS,
    ON_share_expired = RIGHTS,
    ON_share_invited = RIGHTS | MADE,
    ON_invitation_sent = RIGHTS,
    ON_invitation_accepted = RIGHTS,
    ON_invitation_declined = RIGHTS,
    ON_invitation_cancelled = RIGHTS,
    ON_invitation_expired = RIGHTS,
    ON_group_created = RIGHTS,
    ON_group_moved = RIGHTS,
    ON_group_deleted = RIGHTS,
    ON_group_member_added = RIGHTS,
    ON_group_member_removed = RIGHTS,
    ON_key_created = RIGHTS | MADE,
    ON_key_renamed = RIGHTS,
    ON_key_rotated = RIGHTS,
    ON_key_revoked = RIGHTS,
    ON_key_expired = RIGHTS,
    ON_plan_set = PLACE | CREDITS,
    ON_plan_changed = PLACE | CREDITS,
    ON_plan_ended = PLACE | CREDITS,
    ON_credits_allocated = CREDITS,
    ON_allocation_withdrawn = CREDITS,
    ON_credits_reserved = CREDITS,
    ON_credits_settled = CREDITS,
    ON_credits_released = CREDITS,
    ON_reservation_expired = CREDITS,
    ON_credits_spent = CREDITS,
    ON_period_closed = CREDITS,
    ON_separation_requested = CREDITS,
    ON_separation_granted = CREDITS,
    ON_separation_refused = CREDITS,
    ON_separation_ended = CREDITS,
    ON_stream_stopped = STREAM | MAIL,
    ON_stream_resumed = STREAM | MAIL,
    ON_stats_added = MAIL,
    ON_reputation_alert = MAIL,
    ON_reputation_recovered = MAIL,
    ON_thresholds_set = MAIL,
    ON_suppression_added = LIST,
    ON_suppression_removed = LIST,
    ON_hash_key_made = SYSTEM,
    ON_hash_key_retired = SYSTEM,
    ON_content_fed = FEED,
    ON_content_unfed = FEED,
    ON_access_requested = REQUEST,
    ON_access_approved = REQUEST,
    ON_access_denied = REQUEST,
    ON_access_withdrawn = REQUEST,
    ON_access_request_expired = REQUEST,
    ON_access_certified = NOTHING,
    ON_access_used = NOTHING,
    ON_campaign_submitted = CAMPAIGN,
    ON_campaign_approved = CAMPAIGN,
    ON_campaign_rejected = CAMPAIGN,
    ON_campaign_edited = CAMPAIGN,
    ON_campaign_sent = CAMPAIGN,
    ON_activity_recorded = NOTHING,
    ON_import_begun = NOTHING,
    ON_import_advanced = NOTHING,
    ON_import_ended = NOTHING,
};

/* An event without a row above does not compile. */
static const uint32_t bearings[CH_EVENT_TAGS] = {
#define EVENT_BEGIN(name, tag, makes, text) [tag] = ON_##name,
#define EVENT_END(name)
#include "schema/words_none.h"
#include "schema/events.def"
};

bool ch_touched_is_of_user(uint16_t tag)
{
    return (bearings[tag] & PERSON) != 0;
}

bool ch_touched_is_of_tree(uint16_t tag)
{
    return (bearings[tag] & (SETTINGS | BELOW | CREDITS | TREE | MAIL | FEED | LIST)) != 0;
}

bool ch_touched_is_of_mail(uint16_t tag)
{
    return (bearings[tag] & MAIL) != 0;
}

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
    if ((touching->on & LOGIN) != 0) touch(touching, CH_TOUCH_LOGINS, id);
    if ((touching->on & SESSION) != 0) touch(touching, CH_TOUCH_SESSIONS, id);
    if ((touching->on & OFFER) != 0) touch(touching, CH_TOUCH_OFFERS, id);
    if ((touching->on & REQUEST) != 0) touch(touching, CH_TOUCH_REQUESTS, id);
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

/* The account right above that one; 0: there is none. */
static uint32_t row_above(const struct ch_state *state, const struct ch_event *event)
{
    if (event->tag == CH_EV_account_opened) {
        const struct ch_ev_account_opened *opened = event->body;
        return opened->has_parent ? ch_find_account(state, opened->parent.seq) : 0;
    }
    const uint32_t row = ch_find_account(state, place_of(event));
    return row == 0 ? 0 : ch_account_row(state, row)->parent;
}

/* The root of the tree that the event's account stands in, or makes. */
static uint64_t root_of(const struct ch_state *state, const struct ch_event *event)
{
    const bool opened = event->tag == CH_EV_account_opened;
    const uint32_t row = opened ? row_above(state, event) : ch_find_account(state, event->account);
    if (row == 0) return opened ? event->seq : 0;
    return ch_account_row(state, ch_root_of(state, row))->id;
}

/* Whether the share that is given makes its user the owner of the account's tree. */
static bool gives_tree(const struct ch_state *state, const struct ch_event *event)
{
    if (event->tag != CH_EV_share_given) return false;
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

/* A request that is forgotten for a new one may be of another account. */
static void touch_requests(struct touching *touching)
{
    const struct ch_state *state = touching->before;
    const struct ch_event *event = touching->event;
    touch(touching, CH_TOUCH_REQUESTS, event->account);
    if (event->tag != CH_EV_access_requested) return;
    const struct ch_ev_access_requested *body = event->body;
    const uint32_t row = body->has_forgets ? ch_find_request(state, body->forgets.seq) : 0;
    if (row == 0) return;
    const uint32_t account = ch_request_row(state, row)->account;
    touch(touching, CH_TOUCH_REQUESTS, ch_account_row(state, account)->id);
}

/* Most campaigns are sent without ever having been submitted. */
static bool is_of_submission(const struct ch_event *event)
{
    return event->tag != CH_EV_campaign_sent ||
           ((const struct ch_ev_campaign_sent *)event->body)->has_submission;
}

/* Who made something, also by a key of theirs. */
static void touch_maker(struct touching *touching)
{
    const struct ch_state *state = touching->before;
    const uint32_t user = ch_person_behind(state, &touching->event->actor);
    if (user != 0) touch(touching, CH_TOUCH_MADE, ch_user_row(state, user)->id);
}

static void touch_use_of(struct touching *touching, uint64_t share)
{
    const struct ch_state *state = touching->before;
    const uint32_t row = ch_find_share_id(state, share);
    if (row == 0) return;
    const uint64_t account = ch_account_row(state, ch_share_row(state, row)->account)->id;
    const uint64_t key = ch_stream_key(CH_TOUCH_USES, account);
    if (touching->count > 0 && touching->keys[touching->count - 1] == key) return;
    touch(touching, CH_TOUCH_USES, account);
}

/* The accounts whose shares are used by it, or certified. */
static void touch_uses(struct touching *touching)
{
    const struct ch_event *event = touching->event;
    struct ch_used used;
    ch_used_by(touching->before, event, &used);
    for (uint32_t i = 0; i < used.count; i++) {
        touch(touching, CH_TOUCH_USES, used.account[i]);
        if (used.over != 0) touch(touching, CH_TOUCH_OVERUSED, used.account[i]);
    }
    if (event->tag == CH_EV_access_certified) touch(touching, CH_TOUCH_USES, event->account);
    if (event->tag != CH_EV_access_used) return;
    const struct ch_ev_access_used *checks = event->body;
    for (uint32_t i = 0; i < checks->shares_len; i++) {
        touch_use_of(touching, checks->shares[i].seq);
    }
}

/* The streams of what one account, and only there, is shown. */
static void touch_account(struct touching *touching)
{
    const struct ch_event *event = touching->event;
    const uint32_t on = touching->on;
    if (!ch_events[event->tag].traffic) {
        touch(touching, CH_TOUCH_SET, event->account);
        if (event->tag == CH_EV_account_opened) touch(touching, CH_TOUCH_SET, event->seq);
    }
    touch_uses(touching);
    if ((on & MADE) != 0) touch_maker(touching);
    if ((on & LIMIT) != 0) touch(touching, CH_TOUCH_LIMITS, 1);
    if ((on & REQUEST) != 0) touch_requests(touching);
    if ((on & CAMPAIGN) != 0 && is_of_submission(event)) {
        touch(touching, CH_TOUCH_CAMPAIGNS, event->account);
    }
    if ((on & MAIL) != 0) touch(touching, CH_TOUCH_MAIL, event->account);
    if ((on & FEED) != 0) touch(touching, CH_TOUCH_FEEDS, event->account);
    if ((on & LIST) != 0) touch(touching, CH_TOUCH_LIST, event->account);
    if ((on & TREE) != 0) touch(touching, CH_TOUCH_TREE, root_of(touching->before, event));
}

/* The streams of what it bears on, but those of whom the event names. */
static void touch_bearing(struct touching *touching)
{
    const struct ch_state *state = touching->before;
    const struct ch_event *event = touching->event;
    const uint32_t on = touching->on = bearings[event->tag];
    const bool built_in = (on & ROLE) != 0 && event->account == 0;
    const bool of_key = (on & STREAM) != 0 && stops_key(event);
    const bool place = (on & PLACE) != 0 || ((on & ROLE) != 0 && !built_in) ||
                       ((on & STREAM) != 0 && !of_key) || gives_tree(state, event);
    touching->rights = (on & RIGHTS) != 0 || of_key;
    if (place) touch(touching, CH_TOUCH_PLACE, place_of(event));
    if (((on & SYSTEM) != 0 && declares_scope(event)) || built_in) {
        touch(touching, CH_TOUCH_SYSTEM, 1);
    }
    if (of_key || ((on & RIGHTS) != 0 && (on & PERSON) == 0)) {
        touch(touching, CH_TOUCH_PEOPLE, event->account);
    }
    if ((on & SETTINGS) != 0) touch(touching, CH_TOUCH_SETTINGS, event->account);
    if ((on & BELOW) != 0) {
        const uint32_t above = row_above(state, event);
        if (above != 0) touch(touching, CH_TOUCH_BELOW, ch_account_row(state, above)->id);
    }
    if ((on & CREDITS) != 0) touch(touching, CH_TOUCH_CREDITS, root_of(state, event));
    touch_account(touching);
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
