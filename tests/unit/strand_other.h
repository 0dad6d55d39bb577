/* strand_other: random requests, campaigns, sessions, mail and content, and the questions about
 * these, about roles and accounts, for test_strand. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_STRAND_OTHER_H
#define CH_TESTS_STRAND_OTHER_H
#include "tests/unit/strand_more.h"

enum { ASKED_MOST = 32, LOGGED_IN = 16, CODES = 3, BURST = 140 };

struct other {
    struct {
        uint64_t id, on, user;
    } request[ASKED_MOST]; /* the last that were made */
    uint64_t requests;
    struct {
        uint64_t id, user;
    } session[LOGGED_IN];
    uint64_t sessions;
    uint64_t key; /* one that may submit campaigns; 0: none */
};

static const char *const other_things[] = {"C1", "C2", "L1"};
static const uint8_t other_codes[CODES][32] = {{1}, {2}, {3}};

static inline struct ch_text other_thing(struct chance *c)
{
    return ch_text_of(other_things[below(c, 3)]);
}

static inline struct ch_bytes other_code(struct chance *c)
{
    return (struct ch_bytes){other_codes[below(c, CODES)], 32};
}

/* ---- what happens ---------------------------------------------------------------------------- */

static inline int decide_request(struct world *w, struct chance *c, struct other *o, uint64_t which)
{
    const struct ch_request_id id = {o->request[which].id};
    const uint64_t on = o->request[which].on;
    switch (below(c, 3)) {
    case 0: return RUN(w, OPERATOR, access_approve, on, .request = id);
    case 1: return RUN(w, OPERATOR, access_deny, on, .request = id, .reason = more_reason);
    default: return RUN(w, o->request[which].user, access_withdraw, on, .request = id);
    }
}

static inline int make_request(struct world *w, struct chance *c, struct other *o, uint64_t user,
                               uint64_t on)
{
    const bool one = below(c, 3) == 0;
    const struct ch_scopes some = one ? ch_scopes_of(CH_SCOPE_lists_read) : some_scopes(c);
    const int code = RUN(w, user, access_request, on, .has_scopes = true, .scopes = some,
                         .has_kind = one, .kind = CH_resource_kind_list, .has_resource = one,
                         .resource = ch_text_of(resources[below(c, RESOURCES)]),
                         .has_remark = below(c, 2) == 0, .remark = more_reason);
    if (code != CH_REJ_none || w->count == 0) return code;
    const uint64_t place = o->requests++ % ASKED_MOST;
    o->request[place].id = w->made;
    o->request[place].on = on;
    o->request[place].user = user;
    return code;
}

static inline int request_step(struct world *w, const struct people *p, struct chance *c,
                               struct other *o, uint64_t on)
{
    const uint64_t known = o->requests < ASKED_MOST ? o->requests : ASKED_MOST;
    const uint64_t user = p->user[below(c, PEOPLE)];
    if (known == 0 || below(c, 2) == 0) return make_request(w, c, o, user, on);
    return decide_request(w, c, o, below(c, (uint32_t)known));
}

/* One user asks so often that their oldest requests are forgotten, also elsewhere. */
static inline void many_requests(struct world *w, const struct people *p, struct chance *c,
                                 struct other *o)
{
    const uint64_t user = p->user[5];
    const uint64_t some[2] = {w->mid, w->side};
    for (uint32_t i = 0; i < 2; i++) {
        (void)RUN(w, OPERATOR, share_give, some[i], USER(user), ROLE("watcher"));
    }
    for (uint32_t i = 0; i < BURST; i++) {
        if (make_request(w, c, o, user, some[below(c, 2)]) != CH_REJ_none || w->count == 0) {
            continue;
        }
        const uint64_t last = (o->requests - 1) % ASKED_MOST;
        (void)RUN(w, user, access_withdraw, o->request[last].on, .request = {o->request[last].id});
    }
}

static inline int campaign_step(struct world *w, const struct people *p, struct chance *c,
                                struct other *o, uint64_t on)
{
    const struct ch_scopes all = ch_scopes_or(SCOPES(campaigns_submit, campaigns_approve),
                                              SCOPES(campaigns_send, access_decide));
    const uint64_t user = p->user[below(c, PEOPLE)];
    uint64_t actor = below(c, 2) == 0 ? OPERATOR : user;
    if (below(c, 4) == 0 && o->key != 0 && ch_find_key(&w->state, o->key) != 0) actor = o->key;
    switch (below(c, 10)) {
    case 9:
    case 0: return RUN(w, OPERATOR, share_set_scopes, on, USER(user), .scopes = all);
    case 1: {
        const uint64_t maker = below(c, 2) == 0 ? OPERATOR : w->owner;
        char name[24];
        (void)snprintf(name, sizeof name, "s%llu", (unsigned long long)w->messages);
        if (RUN(w, maker, key_create, on, .name = ch_text_of(name),
                .scopes = SCOPE(campaigns_submit)) == CH_REJ_none) {
            o->key = w->made;
        }
        return 0;
    }
    case 2:
    case 3:
    case 4:
        return RUN(w, actor, campaign_submit, on, .campaign = other_thing(c),
                   .content_hash = other_code(c), .has_remark = below(c, 2) == 0,
                   .remark = more_reason);
    case 5:
        return RUN(w, actor, campaign_approve, on, .campaign = other_thing(c),
                   .content_hash = other_code(c));
    case 6:
        return RUN(w, actor, campaign_reject, on, .campaign = other_thing(c),
                   .reason = more_reason);
    case 7:
        return RUN(w, actor, campaign_edit, on, .campaign = other_thing(c),
                   .content_hash = other_code(c));
    default:
        return RUN(w, below(c, 2) == 0 ? SERVICE : actor, campaign_send, on,
                   .campaign = other_thing(c), .content_hash = other_code(c),
                   .list = ch_text_of("L1"));
    }
}

static inline int session_step(struct world *w, const struct people *p, struct chance *c,
                               struct other *o, uint64_t on)
{
    const uint64_t known = o->sessions < LOGGED_IN ? o->sessions : LOGGED_IN;
    const uint64_t user = p->user[below(c, PEOPLE)];
    const uint32_t row = ch_find_user(&w->state, user);
    if (known == 0 || below(c, 3) == 0) {
        if (RUN(w, SERVICE, session_log_in, 0, .user = {.id = user},
                .password = {.good = true, .of = ch_user_row(&w->state, row)->password_seq},
                .has_seconds = true, .seconds = 2592000) != CH_REJ_none) {
            return RUN(w, OPERATOR, user_set_password, 0, .has_user = true, .user = {.id = user},
                       .password = {.verifier = ch_text_of("v")});
        }
        const uint64_t place = o->sessions++ % LOGGED_IN;
        o->session[place].id = w->made;
        o->session[place].user = user;
        return 0;
    }
    const uint32_t which = below(c, (uint32_t)known);
    const uint64_t owner = o->session[which].user;
    if (ch_find_session(&w->state, o->session[which].id) == 0) return 0;
    w->session = o->session[which].id;
    int code;
    if (below(c, 4) != 0) {
        code = run(w, owner, CH_CMD_account_switch, on, NULL);
    } else {
        code = RUN(w, owner, session_log_out, 0, .has_all = below(c, 8) == 0, .all = true);
    }
    w->session = 0;
    return code;
}

static inline int standing_step(struct world *w, struct chance *c, uint64_t on)
{
    static const char *const limits[] = {"OFFER_DAYS", "INVITATION_DAYS", "CLOSE_GRACE_DAYS"};
    switch (below(c, 6)) {
    case 0:
        return RUN(w, w->owner, account_request_master, on, .has_reason = true,
                   .reason = more_reason);
    case 1: return RUN(w, OPERATOR, account_decline_master, on, .reason = more_reason);
    case 2:
        return RUN(w, OPERATOR, account_set_from_domain, on, .has_from_domain = below(c, 3) != 0,
                   .from_domain = ch_text_of(below(c, 2) == 0 ? "a.example" : "b.example"));
    case 3:
        return RUN(w, OPERATOR, limit_set, 0, .name = ch_text_of(limits[below(c, 3)]),
                   .value = 20 + below(c, 12));
    case 4: return RUN(w, OPERATOR, ownership_withdraw, w->top, .has_user = false);
    default: {
        const uint32_t offer = ch_account_row(&w->state, ch_find_account(&w->state, w->top))->offer;
        if (offer == 0) return 0;
        const uint32_t user = ch_offer_row(&w->state, offer)->user;
        return RUN(w, ch_user_row(&w->state, user)->id, ownership_decline, 0,
                   .account = {.id = w->top}, .has_reason = true, .reason = more_reason);
    }
    }
}

static inline int mail_step(struct world *w, const struct people *p, struct chance *c, uint64_t on)
{
    const uint64_t known = p->keys == 0 ? 0 : p->key[below(c, p->keys)];
    const uint32_t row = ch_find_key(&w->state, known);
    const bool of_key = row != 0 && below(c, 2) == 0;
    const struct ch_key_id key = {known};
    const uint8_t stream = (uint8_t)below(c, 2);
    const uint64_t sent = below(c, 2) == 0 ? below(c, 30) : below(c, 3000);
    if (of_key) on = ch_account_row(&w->state, ch_key_row(&w->state, row)->account)->id;
    switch (below(c, 8)) {
    case 0:
        return RUN(w, OPERATOR, reputation_set_thresholds, on, .has_bounce_ppm = below(c, 2) == 0,
                   .bounce_ppm = 20000, .has_volume = below(c, 2) == 0, .volume = 100);
    case 1:
        return RUN(w, below(c, 2) == 0 ? OPERATOR : w->owner, stream_stop, on, .stream = stream,
                   .has_key = of_key, .key = key, .reason = more_reason);
    case 2:
        return RUN(w, below(c, 2) == 0 ? OPERATOR : w->owner, stream_resume, on, .stream = stream,
                   .has_key = of_key, .key = key, .reason = more_reason);
    default:
        return RUN(w, SERVICE, stats_add, on, .stream = stream, .has_key = of_key, .key = key,
                   .has_sent = true, .sent = sent, .has_delivered = true, .delivered = sent / 2,
                   .has_bounced = true, .bounced = below(c, 4) == 0 ? sent / 4 : 0,
                   .has_complained = true, .complained = below(c, 6) == 0 ? sent / 20 : 0);
    }
}

static inline int list_step(struct world *w, const struct people *p, struct chance *c, uint64_t on)
{
    static const char *const addresses[] = {"a1@x.org", "a2@x.org", "a3@x.org"};
    const struct ch_ref sub = {.id = p->account[1 + below(c, ACCOUNTS - 1)]};
    const struct ch_named address = person_name(addresses[below(c, 3)]);
    const uint64_t above = sub.id == w->low ? w->mid : w->top;
    const bool one = below(c, 2) == 0;
    switch (below(c, 9)) {
    case 0:
    case 1: return RUN(w, SERVICE, suppression_add, on, .address = address);
    case 2: return RUN(w, SERVICE, suppression_remove, on, .address = address);
    case 3:
        if (ch_hash_key_newest(&w->state) > 5 || below(c, 4) != 0) return 0;
        return run(w, OPERATOR, CH_CMD_suppression_rotate_key, 0, NULL);
    case 4: return RUN(w, OPERATOR, suppression_retire_key, 0, .key = 1 + below(c, 4));
    case 5:
    case 6:
        return RUN(w, OPERATOR, content_feed, above, .kind = CH_resource_kind_campaign,
                   .resource = other_thing(c), .has_account = one, .account = sub);
    case 7:
        return RUN(w, OPERATOR, content_unfeed, above, .kind = CH_resource_kind_campaign,
                   .resource = other_thing(c), .has_account = one, .account = sub);
    default:
        return RUN(w, OPERATOR, account_set_switches, above, .account = sub,
                   .has_feed_from_master = true, .feed_from_master = below(c, 4) != 0);
    }
}

/* Shares of the account are certified, or some anywhere used by checks. */
static inline int use_step(struct world *w, const struct people *p, struct chance *c, uint64_t on)
{
    struct ch_share_id ids[8];
    uint32_t count = 0;
    const bool certify = below(c, 2) == 0;
    const uint32_t account = ch_find_account(&w->state, on);
    uint32_t row = below(c, w->state.store.tables[CH_T_SHARE].used + 1);
    while (count < 8 && (row = ch_row_next(&w->state.store, CH_T_SHARE, row)) != 0) {
        if (certify && ch_share_row(&w->state, row)->account != account) continue;
        ids[count++].seq = ch_share_row(&w->state, row)->id;
    }
    if (count == 0) return 0;
    if (certify) {
        const uint64_t actor = below(c, 2) == 0 ? OPERATOR : p->user[below(c, PEOPLE)];
        return RUN(w, actor, access_certify, on, .shares = ids, .shares_len = 1 + below(c, count));
    }
    struct ch_verdict verdict = {0};
    ch_arena_reset(&w->arena);
    assert_true(ch_used_reserve(&w->state, count));
    ch_decide_used(&w->state, w->now, w->now, ids, count, 0, &w->arena, &verdict);
    assert_int_equal(verdict.count, 1);
    take_event(w, &verdict.events[0]);
    return 0;
}

static inline int other_step(struct world *w, const struct people *p, struct chance *c,
                             struct other *o)
{
    const uint64_t on = p->account[below(c, ACCOUNTS)];
    switch (below(c, 10)) {
    case 9: return use_step(w, p, c, on);
    case 5:
    case 6: return mail_step(w, p, c, on);
    case 7:
    case 8: return list_step(w, p, c, on);
    case 0: return request_step(w, p, c, o, on);
    case 1:
    case 2: return campaign_step(w, p, c, o, on);
    case 3: return session_step(w, p, c, o, on);
    default: return standing_step(w, c, on);
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

static const int other_types[] = {CH_QRY_account_show,       CH_QRY_ownership_offers,
                                  CH_QRY_limit_list,         CH_QRY_page_list,
                                  CH_QRY_role_list,          CH_QRY_role_show,
                                  CH_QRY_role_change_effect, CH_QRY_session_list,
                                  CH_QRY_session_accounts,   CH_QRY_access_requests,
                                  CH_QRY_access_mine,        CH_QRY_access_deciders,
                                  CH_QRY_command_needs,      CH_QRY_campaign_submissions,
                                  CH_QRY_campaign_approvers, CH_QRY_campaign_send_check,
                                  CH_QRY_stats_show,         CH_QRY_stats_series,
                                  CH_QRY_usage_history,      CH_QRY_reputation_show,
                                  CH_QRY_reputation_list,    CH_QRY_suppression_check,
                                  CH_QRY_suppression_list,   CH_QRY_content_check,
                                  CH_QRY_content_list,       CH_QRY_content_feeds,
                                  CH_QRY_access_orphans,     CH_QRY_access_review};
enum { OTHER_TYPES = sizeof other_types / sizeof other_types[0] };

union other_args {
    struct ch_qry_account_show account_show;
    struct ch_qry_ownership_offers ownership_offers;
    struct ch_qry_limit_list limit_list;
    struct ch_qry_page_list page_list;
    struct ch_qry_role_list role_list;
    struct ch_qry_role_show role_show;
    struct ch_qry_role_change_effect role_change_effect;
    struct ch_qry_session_list session_list;
    struct ch_qry_session_accounts session_accounts;
    struct ch_qry_access_requests access_requests;
    struct ch_qry_access_mine access_mine;
    struct ch_qry_access_deciders access_deciders;
    struct ch_qry_command_needs command_needs;
    struct ch_qry_campaign_submissions campaign_submissions;
    struct ch_qry_campaign_approvers campaign_approvers;
    struct ch_qry_campaign_send_check campaign_send_check;
    struct ch_qry_stats_show stats_show;
    struct ch_qry_stats_series stats_series;
    struct ch_qry_usage_history usage_history;
    struct ch_qry_reputation_show reputation_show;
    struct ch_qry_reputation_list reputation_list;
    struct ch_qry_suppression_check suppression_check;
    struct ch_qry_suppression_list suppression_list;
    struct ch_qry_content_check content_check;
    struct ch_qry_content_list content_list;
    struct ch_qry_content_feeds content_feeds;
    struct ch_qry_access_orphans access_orphans;
    struct ch_qry_access_review access_review;
};

/* What is named in one: of all the sorts of things the one that it asks for. */
struct other_named {
    struct ch_ref user;
    struct ch_ref account;
    uint64_t request;
    uint64_t key;
    uint64_t now;
    uint64_t seed; /* of the rest */
};

static inline bool is_other(int type)
{
    int i = 0;
    while (i < OTHER_TYPES && other_types[i] != type) {
        i++;
    }
    return i < OTHER_TYPES;
}

static inline bool is_self(int type)
{
    return ch_calls[type].who == CH_WHO_SELF;
}

static inline uint64_t other_number(struct chance *c, const struct ch_field *field)
{
    return strcmp(field->name, "after") == 0 ? below(c, 2000) : 1 + below(c, 4);
}

/* A field's value by its kind. */
static inline void other_fill(const struct ch_field *field, const struct other_named *named,
                              struct chance *c, void *at)
{
    static const char *const roles[] = {"crew", "team", "owner", "user", "watcher"};
    const uint64_t day = UINT64_C(86400000000000);
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_FLAG: *(bool *)at = below(c, 2) == 0; return;
    case CH_FORM_UINT: *(uint64_t *)at = other_number(c, field); return;
    case CH_FORM_MOMENT: *(uint64_t *)at = named->now - day * below(c, 90); return;
    case CH_FORM_TEXT: *(struct ch_text *)at = ch_text_of("OFFER_DAYS"); return;
    case CH_FORM_NAME: *(struct ch_text *)at = other_thing(c); return;
    case CH_FORM_NAMED: *(struct ch_named *)at = person_name("a1@x.org"); return;
    case CH_FORM_BYTES: *(struct ch_bytes *)at = other_code(c); return;
    case CH_FORM_ENUM: {
        if (field->kind == CH_KIND_resource_kind) {
            *(uint8_t *)at = CH_resource_kind_campaign;
            return;
        }
        const struct ch_enum_value *values = ch_kinds[field->kind].values;
        uint32_t count = 0;
        while (values[count].name != NULL) {
            count++;
        }
        *(uint8_t *)at = values[below(c, count)].number;
        return;
    }
    case CH_FORM_SCOPES: *(struct ch_scopes *)at = some_scopes(c); return;
    case CH_FORM_ID:
        *(uint64_t *)at = field->kind == CH_KIND_request ? named->request : named->key;
        return;
    case CH_FORM_REF:
        *(struct ch_ref *)at = field->kind == CH_KIND_user_ref ? named->user
                               : field->kind == CH_KIND_account_ref
                                   ? named->account
                                   : (struct ch_ref){.name = ch_text_of(roles[below(c, 5)])};
        return;
    case CH_FORM_SECRET:
    case CH_FORM_SCOPE:
    case CH_FORM_VALUE:
    case CH_FORM_RECORD:
    default: fail_msg("%s has no value here", field->name);
    }
}

static inline void other_call(int type, const struct other_named *named, void *args)
{
    const struct ch_record *record = &ch_calls[type].args;
    struct chance c = {named->seed};
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->optional && below(&c, 3) != 0) continue;
        if (field->optional) *((bool *)args + field->has_offset) = true;
        other_fill(field, named, &c, (uint8_t *)args + field->offset);
    }
    if (type == CH_QRY_command_needs) {
        ((struct ch_qry_command_needs *)args)->type = ch_text_of("share.give");
    }
}

/* Whether an answer tells of anything: one of its lists does, or it has none. */
static inline bool is_filled(int type, const void *result)
{
    const struct ch_record *record = &ch_calls[type].result;
    bool list = false;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!field->list && field->record != NULL) return true; /* the thing itself */
        if (!field->list) continue;
        list = true;
        if (ch_field_items(field, result) > 0) return true;
    }
    if (type == CH_QRY_content_check) {
        return ((const struct ch_qry_content_check_result *)result)->fed;
    }
    if (type == CH_QRY_campaign_send_check) {
        return ((const struct ch_qry_campaign_send_check_result *)result)->has_submission;
    }
    return !list;
}
#endif
