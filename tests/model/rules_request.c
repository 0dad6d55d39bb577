/* rules_request: asking for access in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

struct ch_scopes o_of_kind(struct ch_scopes scopes, uint8_t kind)
{
    struct ch_scopes some = {{0, 0}};
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (!ch_scopes_has(scopes, scope)) continue;
        if (ch_scopes_table[scope].resource_kind == kind) ch_scopes_add(&some, scope);
    }
    return some;
}

struct wish {
    uint64_t user;
    struct o_share *share; /* the user's own there; NULL: they come by another */
    struct ch_scopes scopes;
    uint8_t kind; /* 0: on all resources */
    uint8_t resource;
};

static bool is_pending(const struct o_case *k, const struct o_request *r)
{
    return r->status == CH_request_status_pending && k->c->now < r->expires_at;
}

/* What no request can give: what the restrictions of other shares, guardrails above and content
 * locks take; what an other login never has, and only an owner can have. On one resource, what
 * the own restriction takes, neither: it cannot be lifted there alone. The owner of the tree has
 * all there is; what they lack, no share gives. */
static struct ch_scopes blocked(const struct o_case *k, const struct wish *wish, bool *ret_led)
{
    struct o_world *w = k->w;
    struct ch_scopes taken = ch_scopes_or(o_bound(w, k->on->id), o_owners_own());
    *ret_led = false;
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id == 0) continue;
        const struct o_question q = {.user = wish->user,
                                     .account = k->on->id,
                                     .wanted = wish->scopes,
                                     .channel = CH_channel_web,
                                     .now = k->c->now};
        if (!o_leads(w, &q, s)) continue;
        *ret_led = true;
        if (s->kind == CH_share_kind_login) taken = ch_scopes_or(taken, o_never_a_logins());
        if (s != wish->share || wish->kind != 0) taken = ch_scopes_or(taken, s->denied);
    }
    if (o_owner(w, k->on->id) == wish->user) return wish->scopes;
    return ch_scopes_and(wish->scopes, taken);
}

static struct o_share *own_share(const struct o_case *k, uint64_t user)
{
    return o_share(k->w, CH_subject_kind_user, user, k->on->id);
}

static void ask(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct wish wish = {.user = c->actor, .share = own_share(k, c->actor), .scopes = c->scopes};
    const bool odd = c->has_kind != c->has_resource || (c->has_kind && c->resource_kind == 0);
    o_break_if(k, odd, CH_REJ_wrong_resource);
    o_break_if(k, c->has_scopes == (k->page != NULL), CH_REJ_one_of_two);
    if (k->code != 0) return;
    if (c->has_kind) wish.kind = c->resource_kind;
    wish.resource = c->resource;
    if (k->page != NULL) {
        wish.scopes = k->page->scopes;
        if (wish.kind != 0) wish.scopes = o_of_kind(wish.scopes, wish.kind);
    }
    const bool fits =
        wish.kind == 0 || ch_scopes_equal(o_of_kind(wish.scopes, wish.kind), wish.scopes);
    o_break_if(k, ch_scopes_empty(wish.scopes) || !fits, CH_REJ_wrong_resource);
    if (k->code != 0) return;
    const struct ch_scopes has = o_covered(k, k->on->id, CH_reach_account, wish.scopes,
                                           wish.kind == 0 ? NULL : &wish.resource);
    wish.scopes = ch_scopes_but(wish.scopes, has);
    o_break_if(k, ch_scopes_empty(wish.scopes), CH_REJ_nothing_lacking);
    bool led;
    const struct ch_scopes never = blocked(k, &wish, &led);
    const struct ch_scopes left = ch_scopes_but(wish.scopes, never);
    o_break_if(k, k->page != NULL ? ch_scopes_empty(left) : !ch_scopes_empty(never),
               CH_REJ_not_requestable);
    if (k->code != 0) return;
    uint32_t waiting = 0;
    for (size_t i = 0; i < k->w->request_count; i++) {
        const struct o_request *r = &k->w->requests[i];
        if (r->user != c->actor || r->status != CH_request_status_pending) continue;
        waiting++;
        const bool same = is_pending(k, r) && r->account == k->on->id && r->kind == wish.kind &&
                          (wish.kind == 0 || r->resource == wish.resource) &&
                          ch_scopes_equal(r->scopes, left);
        if (same) return;
    }
    o_break_if(k, waiting >= LIMIT_PENDING_REQUESTS, CH_REJ_limit_reached);
    if (k->code != 0) return;
    CH_CHECK(k->w->request_count < O_REQUESTS);
    k->w->requests[k->w->request_count++] =
        (struct o_request){.id = o_event(k, CH_EV_access_requested, k->on->id),
                           .account = k->on->id,
                           .user = c->actor,
                           .scopes = left,
                           .kind = wish.kind,
                           .resource = wish.resource,
                           .expires_at = c->now + LIMIT_REQUEST_MS * UINT64_C(1000000)};
}

/* What the share gives of the wish, whatever takes it away again. */
static struct ch_scopes already(struct o_world *w, const struct wish *wish)
{
    const struct o_share *s = wish->share;
    const struct o_role *role = o_role(w, s->role);
    struct ch_scopes gives = role == NULL ? (struct ch_scopes){{0, 0}} : role->scopes;
    for (uint32_t kind = 1; kind < O_KINDS; kind++) {
        if (!s->limited[kind]) continue;
        if (kind == wish->kind && (s->chosen[kind] >> wish->resource & 1)) continue;
        gives = ch_scopes_but(gives, o_of_kind(gives, (uint8_t)kind));
    }
    return ch_scopes_or(gives, s->own);
}

static void lift(struct o_case *k, const struct wish *wish)
{
    struct o_share *s = wish->share;
    if (ch_scopes_empty(ch_scopes_and(s->denied, wish->scopes))) return;
    s->denied = ch_scopes_but(s->denied, wish->scopes);
    if (!ch_scopes_has(s->denied, CH_SCOPE_campaigns_send)) { /* choosing goes with sending */
        s->denied = ch_scopes_but(s->denied, ch_scopes_of(CH_SCOPE_lists_select));
    }
    o_event(k, CH_EV_share_restricted, k->on->id);
}

static void give(struct o_case *k, struct wish *wish)
{
    struct ch_scopes more = wish->scopes;
    if (wish->share == NULL) {
        const struct o_share made = {
            .account = k->on->id, .subject_kind = CH_subject_kind_user, .subject = wish->user};
        wish->share = o_new_share(k, &made, o_event(k, CH_EV_share_given, k->on->id));
    } else {
        more = ch_scopes_but(more, already(k->w, wish));
        lift(k, wish);
    }
    struct o_share *s = wish->share;
    if (wish->kind == 0) {
        if (ch_scopes_empty(more)) return;
        o_event(k, CH_EV_share_scopes_set, k->on->id);
        s->own = ch_scopes_or(s->own, more);
        return;
    }
    struct ch_scopes *at = &s->grant[wish->kind][wish->resource];
    more = ch_scopes_but(more, *at);
    if (ch_scopes_empty(more)) return;
    o_event(k, CH_EV_grant_set, k->on->id);
    *at = ch_scopes_or(*at, more);
    s->granted[wish->kind][wish->resource] = true;
    s->grant_by[wish->kind][wish->resource] = o_person(k->w, k->c->actor_kind, k->c->actor);
}

static void approve(struct o_case *k, struct o_request *r)
{
    struct wish wish = {.user = r->user,
                        .share = own_share(k, r->user),
                        .scopes = r->scopes,
                        .kind = r->kind,
                        .resource = r->resource};
    const uint8_t reach = wish.share == NULL ? (uint8_t)CH_reach_account : wish.share->reach;
    bool led;
    o_break_if(k,
               !o_covers(k, k->on->id, reach, wish.scopes, wish.kind == 0 ? NULL : &wish.resource),
               CH_REJ_uncovered_scopes);
    const struct ch_scopes never = blocked(k, &wish, &led);
    const bool counts = wish.share == NULL || wish.share->status == CH_share_status_active;
    o_break_if(k, !led || !counts, CH_REJ_not_a_member);
    o_break_if(k, !ch_scopes_empty(never), CH_REJ_not_requestable);
    o_break_if(k, !is_pending(k, r), CH_REJ_decided_already);
    if (k->code != 0) return;
    o_event(k, CH_EV_access_approved, k->on->id);
    r->status = CH_request_status_approved;
    give(k, &wish);
}

void o_request_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_access_request) ask(k);
    if (type != CH_CMD_access_approve && type != CH_CMD_access_deny &&
        type != CH_CMD_access_withdraw) {
        return;
    }
    struct o_request *r = NULL;
    for (size_t i = 0; i < k->w->request_count; i++) {
        struct o_request *one = &k->w->requests[i];
        if (one->id == k->c->thing && one->account == k->on->id) r = one;
    }
    const bool own = r != NULL && r->user == o_person(k->w, k->c->actor_kind, k->c->actor);
    const bool takes_back = type == CH_CMD_access_withdraw;
    o_break_if(k, r == NULL || (takes_back && !own), CH_REJ_not_found);
    o_break_if(k, !takes_back && own, CH_REJ_own_request);
    if (k->code != 0) return;
    CH_CHECK(r != NULL);
    if (type == CH_CMD_access_approve) {
        approve(k, r);
        return;
    }
    o_break_if(k, !is_pending(k, r), CH_REJ_decided_already);
    if (k->code != 0) return;
    o_event(k, takes_back ? CH_EV_access_withdrawn : CH_EV_access_denied, k->on->id);
    r->status = takes_back ? CH_request_status_withdrawn : CH_request_status_denied;
}
