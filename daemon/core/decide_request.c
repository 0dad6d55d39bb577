/* decide_request: asking for access, and deciding it; see decide_impl.h.
 * SPDX-License-Identifier: MIT
 * What is approved becomes the requester's own: scopes of their share, or a grant on the resource;
 * and what their own restriction takes of it is lifted. Who decides a request is never stored: it
 * is whoever has access.decide on the account when it is decided. */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

static const struct ch_scopes no_scopes = {{0, 0}};

/* What a request is about, while it is decided. */
struct wish {
    uint32_t user;
    uint32_t share; /* the user's own of the account; 0: they come by another */
    struct ch_scopes scopes;
    uint8_t kind; /* of the resource; none: on all */
    struct ch_text resource;
};

static struct ch_text text_at(const struct ch_state *state, uint32_t row, char chars[128])
{
    return (struct ch_text){chars, ch_chain_get(state, CH_T_TEXT, row, chars, 128)};
}

/* Scopes that take, or do not take, this kind of resource. */
static struct ch_scopes of_kind(const struct ch_state *state, struct ch_scopes scopes, uint8_t kind)
{
    struct ch_scopes some = no_scopes;
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (!ch_scopes_has(scopes, (uint8_t)scope)) continue;
        if (ch_meta(state)->scope_kinds[scope] == kind) ch_scopes_add(&some, (uint8_t)scope);
    }
    return some;
}

/* What restrictions that stay take away, and what no other login has. */
struct elsewhere {
    uint32_t lifted; /* the share whose restriction an approval would lift; 0: none */
    struct ch_scopes denied;
};

static void take_denial(void *arg, const struct ch_evidence *fact)
{
    struct elsewhere *e = arg;
    const bool stays = fact->kind == CH_fact_restriction && fact->share != e->lifted;
    if (!stays && fact->kind != CH_fact_other_login) return;
    e->denied = ch_scopes_or(e->denied, fact->scopes);
}

/* What of the wish no request can give: what guardrails above, content locks and restrictions of
 * other shares take away; what an other login never has; on one resource, what the user's own
 * restriction takes, which could be lifted only for all; and what the owner lacks, who has all that
 * shares give. *ret_led: whether some share leads the user here at all. */
static struct ch_scopes blocked(const struct ch_case *c, const struct wish *wish, bool *ret_led)
{
    const struct ch_question question = {.user = wish->user,
                                         .account = c->on,
                                         .wanted = wish->scopes,
                                         .channel = CH_channel_web,
                                         .now = c->moment->now};
    struct elsewhere e = {.lifted = wish->kind == 0 ? wish->share : 0};
    struct ch_answer answer;
    ch_access(c->state, &question, &answer, take_denial, &e);
    *ret_led = answer.led;
    if (ch_is_owner(c->state, wish->user, c->on)) return wish->scopes;
    struct ch_scopes taken = e.denied;
    for (uint32_t a = c->on; a != 0; a = ch_account_row(c->state, a)->parent) {
        const struct ch_row_account *account = ch_account_row(c->state, a);
        if (a != c->on) taken = ch_scopes_or(taken, ch_scopes_at(c->state, account->guardrail));
        if (account->content_lock_seq == 0) continue;
        taken = ch_scopes_or(taken, ch_mask(c->state, CH_mask_kind_content_lock));
    }
    return ch_scopes_and(wish->scopes, taken);
}

static uint64_t account_id(const struct ch_case *c)
{
    return ch_account_row(c->state, c->on)->id;
}

static bool is_pending(const struct ch_case *c, const struct ch_row_request *request)
{
    return request->status == CH_request_status_pending && c->moment->now < request->expires_at;
}

/* A settled request of the user that gives its place to a new one: the oldest. 0: there is room. */
static uint64_t to_forget(const struct ch_case *c)
{
    const struct ch_row_user *user = ch_user_row(c->state, c->moment->user_row);
    uint64_t oldest = 0;
    if (user->request_count < LIMIT_REQUESTS_OF_USER) return 0;
    for (uint32_t r = user->first_request; r != 0; r = ch_request_row(c->state, r)->next_of_user) {
        const struct ch_row_request *request = ch_request_row(c->state, r);
        if (request->status != CH_request_status_pending) oldest = request->id;
    }
    return oldest;
}

/* Undecided requests of the actor; *ret_same: one of them is this wish. */
static uint32_t pending(const struct ch_case *c, const struct wish *wish, bool *ret_same)
{
    uint32_t count = 0;
    *ret_same = false;
    const uint32_t text = wish->kind == 0 ? 0 : ch_text_find(c->state, wish->resource);
    for (uint32_t r = ch_user_row(c->state, c->moment->user_row)->first_request; r != 0;
         r = ch_request_row(c->state, r)->next_of_user) {
        const struct ch_row_request *request = ch_request_row(c->state, r);
        count += request->status == CH_request_status_pending;
        if (!is_pending(c, request) || request->account != c->on) continue;
        if (request->kind != wish->kind || (wish->kind != 0 && request->resource != text)) continue;
        if (ch_scopes_equal(ch_scopes_at(c->state, request->scopes), wish->scopes)) {
            *ret_same = true;
        }
    }
    return count;
}

/* What is named: the scopes, or those of the page. false after refusing */
static bool named(struct ch_case *c, const struct ch_cmd_access_request *args, struct wish *wish)
{
    if (args->has_kind != args->has_resource ||
        (args->has_kind && args->kind == CH_resource_kind_none)) {
        (void)ch_reject(c, CH_REJ_wrong_resource, args->has_kind ? "kind" : "resource");
        return false;
    }
    if (args->has_scopes == args->has_page) {
        (void)ch_reject(c, CH_REJ_one_of_two, "scopes");
        return false;
    }
    wish->kind = args->has_kind ? args->kind : (uint8_t)CH_resource_kind_none;
    wish->resource = args->resource;
    wish->scopes = args->scopes;
    if (args->has_page) {
        const uint32_t page = ch_find_page(c->state, args->page.id);
        wish->scopes = ch_scopes_at(c->state, ch_page_row(c->state, page)->scopes);
        if (args->has_kind) wish->scopes = of_kind(c->state, wish->scopes, args->kind);
    }
    const struct ch_scopes fit =
        args->has_kind ? of_kind(c->state, wish->scopes, args->kind) : wish->scopes;
    if (!ch_scopes_empty(wish->scopes) && ch_scopes_equal(fit, wish->scopes)) return true;
    (void)ch_reject_scopes(c, CH_REJ_wrong_resource, args->has_page ? "page" : "scopes",
                           ch_scopes_but(wish->scopes, fit));
    return false;
}

enum ch_rejection_code ch_decide_access_request(struct ch_case *c)
{
    const struct ch_cmd_access_request *args = c->call->args;
    struct wish wish = {.user = c->moment->user_row};
    wish.share = ch_find_share(c->state, CH_subject_kind_user, wish.user, c->on);
    const char *field = args->has_page ? "page" : "scopes";
    if (!named(c, args, &wish)) return CH_REJ_none;
    wish.scopes = ch_uncovered(c, c->on, CH_reach_account, wish.scopes,
                               wish.kind == 0 ? NULL : &wish.resource);
    if (ch_scopes_empty(wish.scopes)) return ch_reject(c, CH_REJ_nothing_lacking, field);
    bool led = false;
    const struct ch_scopes never =
        ch_scopes_or(blocked(c, &wish, &led), ch_owners_own(wish.scopes));
    const struct ch_scopes left = ch_scopes_but(wish.scopes, never);
    if (args->has_page ? ch_scopes_empty(left) : !ch_scopes_empty(never)) {
        return ch_reject_scopes(c, CH_REJ_not_requestable, field, never);
    }
    wish.scopes = left;
    bool same = false;
    const uint32_t count = pending(c, &wish, &same);
    if (same) return CH_REJ_none;
    if (count >= LIMIT_PENDING_REQUESTS) return ch_reject_limit(c, "PENDING_REQUESTS", NULL);
    struct ch_ev_access_requested *body = ch_emit(c, CH_EV_access_requested, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->user.seq = c->moment->actor.id;
    body->scopes = wish.scopes;
    body->has_kind = args->has_kind;
    body->kind = wish.kind;
    body->has_resource = args->has_resource;
    body->resource = wish.resource;
    body->expires_at = c->moment->now + (uint64_t)LIMIT_REQUEST_MS * 1000000u;
    body->forgets.seq = to_forget(c);
    body->has_forgets = body->forgets.seq != 0;
    body->has_remark = args->has_remark;
    body->remark = args->remark;
    return CH_REJ_none;
}

/* The request of the account that args name; 0 after refusing. */
static uint32_t request_here(struct ch_case *c, struct ch_request_id id)
{
    const uint32_t row = ch_find_request(c->state, id.seq);
    if (row != 0 && ch_request_row(c->state, row)->account == c->on) return row;
    (void)ch_reject(c, CH_REJ_not_found, "request");
    return 0;
}

/* Whether it is of the person who acts, also by a key of theirs. */
static bool is_own(const struct ch_case *c, const struct ch_row_request *request)
{
    return ch_person_behind(c->state, &c->moment->actor) == request->user;
}

/* What the share gives of the wish, whatever takes it away again. */
static struct ch_scopes already(const struct ch_state *state, const struct wish *wish)
{
    const struct ch_row_share *share = ch_share_row(state, wish->share);
    const struct ch_scopes own = ch_scopes_at(state, ch_terms_of(state, share)->own);
    struct ch_scopes role = no_scopes;
    if (share->role != 0) role = ch_scopes_at(state, ch_role_row(state, share->role)->scopes);
    const uint32_t text = wish->kind == 0 ? 0 : ch_text_find(state, wish->resource);
    for (uint32_t kinds = ch_terms_of(state, share)->limited_kinds; kinds != 0;
         kinds &= kinds - 1) {
        const uint8_t kind = (uint8_t)__builtin_ctz(kinds);
        if (kind == wish->kind && ch_is_limited_to(state, wish->share, kind, text)) continue;
        role = ch_scopes_but(role, of_kind(state, role, kind));
    }
    return ch_scopes_or(own, role);
}

/* Lifts what the user's own restriction takes of the wish. */
static void lift(struct ch_case *c, const struct wish *wish)
{
    const struct ch_row_share *share = ch_share_row(c->state, wish->share);
    const struct ch_scopes denied = ch_scopes_at(c->state, ch_terms_of(c->state, share)->denied);
    if (ch_scopes_empty(ch_scopes_and(denied, wish->scopes))) return;
    struct ch_scopes left = ch_scopes_but(denied, wish->scopes);
    if (!ch_scopes_has(left, CH_SCOPE_campaigns_send)) { /* which takes lists.select with it */
        left = ch_scopes_but(left, ch_scopes_of(CH_SCOPE_lists_select));
    }
    struct ch_ev_share_restricted *body = ch_emit(c, CH_EV_share_restricted, account_id(c));
    if (body == NULL) return;
    body->share.seq = share->id;
    body->denied = left;
}

/* Scopes of the share, on every resource. */
static void add_scopes(struct ch_case *c, uint64_t share, struct ch_scopes now,
                       struct ch_scopes more)
{
    struct ch_ev_share_scopes_set *body = ch_emit(c, CH_EV_share_scopes_set, account_id(c));
    if (body == NULL) return;
    body->share.seq = share;
    body->scopes = ch_scopes_or(now, more);
}

/* A grant on the resource. */
static void add_grant(struct ch_case *c, uint64_t share, const struct wish *wish,
                      struct ch_scopes now, struct ch_scopes more)
{
    struct ch_ev_grant_set *body = ch_emit(c, CH_EV_grant_set, account_id(c));
    if (body == NULL) return;
    body->share.seq = share;
    body->kind = wish->kind;
    body->resource = wish->resource;
    body->scopes = ch_scopes_or(now, more);
}

/* A share for one who came here by a group's, or by one of an account above: it has no role. */
static uint64_t fresh_share(struct ch_case *c, const struct wish *wish)
{
    struct ch_ev_share_given *body = ch_emit(c, CH_EV_share_given, account_id(c));
    if (body == NULL) return 0;
    body->subject_kind = CH_subject_kind_user;
    body->subject = ch_user_row(c->state, wish->user)->id;
    body->kind = CH_share_kind_member;
    body->reach = CH_reach_account;
    return c->ret->events[c->ret->count - 1].seq;
}

static void give(struct ch_case *c, const struct wish *wish)
{
    struct ch_scopes own = no_scopes;
    struct ch_scopes granted = no_scopes;
    struct ch_scopes more = wish->scopes;
    uint64_t share = 0;
    if (wish->share == 0) {
        share = fresh_share(c, wish);
    } else {
        const struct ch_row_share *row = ch_share_row(c->state, wish->share);
        const uint32_t text = wish->kind == 0 ? 0 : ch_text_find(c->state, wish->resource);
        const uint32_t grant =
            text == 0 ? 0 : ch_find_grant(c->state, wish->share, wish->kind, text);
        share = row->id;
        own = ch_scopes_at(c->state, ch_terms_of(c->state, row)->own);
        if (grant != 0) granted = ch_scopes_at(c->state, ch_grant_row(c->state, grant)->scopes);
        more = ch_scopes_but(ch_scopes_but(more, already(c->state, wish)), granted);
        lift(c, wish);
    }
    if (share == 0 || ch_scopes_empty(more)) return;
    if (wish->kind == 0) {
        add_scopes(c, share, own, more);
    } else {
        add_grant(c, share, wish, granted, more);
    }
}

enum ch_rejection_code ch_decide_access_approve(struct ch_case *c)
{
    const struct ch_cmd_access_approve *args = c->call->args;
    const uint32_t row = request_here(c, args->request);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_request *request = ch_request_row(c->state, row);
    if (is_own(c, request)) return ch_reject(c, CH_REJ_own_request, "request");
    char chars[128];
    struct wish wish = {.user = request->user,
                        .scopes = ch_scopes_at(c->state, request->scopes),
                        .kind = (uint8_t)request->kind};
    if (request->resource != 0) wish.resource = text_at(c->state, request->resource, chars);
    wish.share = ch_find_share(c->state, CH_subject_kind_user, wish.user, c->on);
    const struct ch_row_share *share = wish.share == 0 ? NULL : ch_share_row(c->state, wish.share);
    const uint8_t reach = share == NULL ? (uint8_t)CH_reach_account : share->reach;
    const struct ch_scopes missing =
        ch_uncovered(c, c->on, reach, wish.scopes, wish.kind == 0 ? NULL : &wish.resource);
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "request", missing);
    }
    bool led = false;
    const struct ch_scopes never =
        ch_scopes_or(blocked(c, &wish, &led), ch_owners_own(wish.scopes));
    if (!led || (share != NULL && share->status != CH_share_status_active)) {
        return ch_reject(c, CH_REJ_not_a_member, "request");
    }
    if (!ch_scopes_empty(never)) {
        return ch_reject_scopes(c, CH_REJ_not_requestable, "request", never);
    }
    if (!is_pending(c, request)) return ch_reject(c, CH_REJ_decided_already, "request");
    if (wish.kind != 0 && share != NULL && share->grant_count >= LIMIT_GRANTS_OF_SHARE) {
        return ch_reject_limit(c, "GRANTS_OF_SHARE", "request");
    }
    struct ch_ev_access_approved *body = ch_emit(c, CH_EV_access_approved, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->request.seq = request->id;
    body->user.seq = ch_user_row(c->state, request->user)->id;
    if (request->resource != 0) { /* the event outlives this frame */
        char *kept = ch_arena_copy(c->arena, wish.resource.ptr, wish.resource.len);
        if (kept == NULL) {
            c->ret->no_memory = true;
            return CH_REJ_none;
        }
        wish.resource.ptr = kept;
    }
    give(c, &wish);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_access_deny(struct ch_case *c)
{
    const struct ch_cmd_access_deny *args = c->call->args;
    const uint32_t row = request_here(c, args->request);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_request *request = ch_request_row(c->state, row);
    if (is_own(c, request)) return ch_reject(c, CH_REJ_own_request, "request");
    if (!is_pending(c, request)) return ch_reject(c, CH_REJ_decided_already, "request");
    struct ch_ev_access_denied *body = ch_emit(c, CH_EV_access_denied, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->request.seq = request->id;
    body->user.seq = ch_user_row(c->state, request->user)->id;
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_access_withdraw(struct ch_case *c)
{
    const struct ch_cmd_access_withdraw *args = c->call->args;
    const uint32_t row = request_here(c, args->request);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_request *request = ch_request_row(c->state, row);
    if (!is_own(c, request)) return ch_reject(c, CH_REJ_not_found, "request");
    if (!is_pending(c, request)) return ch_reject(c, CH_REJ_decided_already, "request");
    struct ch_ev_access_withdrawn *body = ch_emit(c, CH_EV_access_withdrawn, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->request.seq = request->id;
    body->user.seq = c->moment->actor.id;
    return CH_REJ_none;
}

void ch_due_request(struct ch_case *c, uint32_t row)
{
    const struct ch_row_request *request = ch_request_row(c->state, row);
    struct ch_ev_access_request_expired *body =
        ch_emit(c, CH_EV_access_request_expired, ch_account_row(c->state, request->account)->id);
    if (body == NULL) return;
    body->request.seq = request->id;
    body->user.seq = ch_user_row(c->state, request->user)->id;
}
