/* rules: what a command comes to, in the oracle's world. SPDX-License-Identifier: MIT
 * Every rule sets a bit; the lowest number of rejections.def among the bits is the answer. */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

#include <stdio.h>

/* ---- names to ids ----------------------------------------------------------------------------*/

static struct o_account *account_of(struct o_world *w, const struct o_pick *p)
{
    if (p->id != 0) return o_account(w, p->id);
    uint64_t parent = 0;
    struct o_account *found = NULL;
    for (const char *at = p->name;;) {
        size_t len = strcspn(at, "/");
        found = NULL;
        for (size_t i = 0; i < w->account_count; i++) {
            struct o_account *a = &w->accounts[i];
            if (a->parent == parent && strlen(a->name) == len && memcmp(a->name, at, len) == 0) {
                found = a;
            }
        }
        if (found == NULL || at[len] == 0) return found;
        parent = found->id;
        at += len + 1;
    }
}

static struct o_user *user_of(struct o_world *w, const struct o_pick *p)
{
    if (p->id != 0) return o_user(w, p->id);
    for (size_t i = 0; i < w->user_count && p->name[0] != 0; i++) {
        struct o_user *u = &w->users[i];
        if (strcmp(u->username, p->name) == 0 || strcmp(u->email, p->name) == 0) return u;
    }
    return NULL;
}

/* A group of the account or, as they may be given shares of it, of one above. */
static struct o_group *group_of(struct o_world *w, const struct o_pick *p, uint64_t account)
{
    for (uint64_t a = account; a != 0; a = o_account(w, a)->parent) {
        for (size_t i = 0; i < O_GROUPS; i++) {
            struct o_group *g = &w->groups[i];
            if (g->id == 0 || g->account != a) continue;
            if (p->id != 0 ? g->id == p->id : strcmp(g->name, p->name) == 0) return g;
        }
    }
    return NULL;
}

static struct o_role *role_named(struct o_world *w, const char *name, uint64_t account)
{
    for (size_t i = 0; i < w->role_count; i++) {
        struct o_role *r = &w->roles[i];
        if (r->account == account && strcmp(r->name, name) == 0) return r;
    }
    return NULL;
}

static struct o_role *role_of(struct o_world *w, const struct o_pick *p, uint64_t account)
{
    if (p->id != 0) {
        struct o_role *r = o_role(w, p->id);
        return r != NULL && (r->account == 0 || r->account == account) ? r : NULL;
    }
    struct o_role *own = role_named(w, p->name, account);
    return own != NULL ? own : role_named(w, p->name, 0);
}

static struct o_page *page_of(struct o_world *w, const struct o_pick *p)
{
    for (size_t i = 0; i < w->page_count; i++) {
        struct o_page *page = &w->pages[i];
        if (p->id != 0 ? page->id == p->id : strcmp(page->name, p->name) == 0) return page;
    }
    return NULL;
}

/* ---- who is shown to whom --------------------------------------------------------------------*/

/* Notes who has a share of what, so that it is known when they have none any more. */
static void note_seats(struct o_world *w)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user) continue;
        w->sat[o_user(w, s->subject) - w->users][o_account(w, s->account) - w->accounts] = true;
    }
}

/* Whether the user has a share of another tree than that of the account. */
static bool is_elsewhere(struct o_world *w, const struct o_user *user, uint64_t account)
{
    uint64_t root = account;
    while (o_account(w, root)->parent != 0) {
        root = o_account(w, root)->parent;
    }
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user || s->subject != user->id) {
            continue;
        }
        if (!o_stands_in(w, s->account, root)) return true;
    }
    return false;
}

/* Whether a person or a key may know that a user is there: those of their accounts, and of those
 * above the one they act on. Who is nowhere else can be called in. */
static bool is_shown(const struct o_case *k, const struct o_user *user)
{
    const struct o_command *c = k->c;
    if (!o_is_bound(k) || (o_is_person(k) && user->id == c->actor)) return true;
    const bool calls_in = c->type == CH_CMD_share_give || c->type == CH_CMD_ownership_offer;
    if (calls_in && k->on != NULL && !is_elsewhere(k->w, user, k->on->id)) return true;
    const bool takes_back = c->type == CH_CMD_ownership_withdraw;
    if (takes_back && k->on != NULL && k->on->offered_to == user->id) return true;
    if (k->on != NULL && k->w->sat[user - k->w->users][k->on - k->w->accounts]) return true;
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user || s->subject != user->id) {
            continue;
        }
        if (k->on != NULL && o_stands_in(k->w, k->on->id, s->account)) return true;
        if (o_is_led(k, s->account)) return true;
    }
    return false;
}

/* An account is shown to whom it is shown by a share, and to those of one above it. */
static bool account_is_shown(const struct o_case *k, const struct o_account *account)
{
    if (!o_is_bound(k)) return true;
    if (k->on != NULL && o_stands_in(k->w, account->id, k->on->id)) return true;
    return o_is_led(k, account->id);
}

static void resolve(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_world *w = k->w;
    if (c->on.given) {
        k->on = account_of(w, &c->on);
        o_break_if(k, k->on == NULL, CH_REJ_not_found);
        if (k->on == NULL) return;
    }
    uint64_t on = k->on == NULL ? 0 : k->on->id;
    if (c->below.given) {
        k->below = account_of(w, &c->below);
        o_break_if(k, k->below == NULL || !account_is_shown(k, k->below), CH_REJ_not_found);
    }
    if (c->account.given) {
        o_break_if(k, (k->account = account_of(w, &c->account)) == NULL, CH_REJ_not_found);
    }
    if (c->user.given) {
        k->user = user_of(w, &c->user);
        /* Who is not there and who says a wrong password are told the same. */
        const bool there = k->user != NULL && is_shown(k, k->user);
        o_break_if(k, !there && c->type != CH_CMD_session_log_in, CH_REJ_not_found);
    }
    if (c->group.given) {
        o_break_if(k, (k->group = group_of(w, &c->group, on)) == NULL, CH_REJ_not_found);
    }
    if (c->parent.given) {
        o_break_if(k, (k->parent = group_of(w, &c->parent, on)) == NULL, CH_REJ_not_found);
    }
    if (c->role.given) {
        o_break_if(k, (k->role = role_of(w, &c->role, on)) == NULL, CH_REJ_not_found);
    }
    for (uint32_t i = 0; i < c->account_count; i++) {
        k->accounts[i] = account_of(w, &c->accounts[i]);
        o_break_if(k, k->accounts[i] == NULL || !account_is_shown(k, k->accounts[i]),
                   CH_REJ_not_found);
    }
    if (c->page.given) o_break_if(k, (k->page = page_of(w, &c->page)) == NULL, CH_REJ_not_found);
    for (uint32_t i = 0; i < c->page_count; i++) {
        const struct o_page *page = page_of(w, &c->pages[i]);
        o_break_if(k, page == NULL, CH_REJ_not_found);
        if (page != NULL) k->hidden = ch_scopes_or(k->hidden, page->scopes);
    }
}

/* ---- rights of the actor ---------------------------------------------------------------------*/

struct o_question o_about_actor(const struct o_case *k, uint64_t account)
{
    return (struct o_question){
        .user = o_is_person(k) ? k->c->actor : 0,
        .key = k->c->actor_kind == CH_actor_kind_key ? k->c->actor : 0,
        .account = account,
        .channel = k->c->channel,
        .now = k->c->now,
    };
}

/* What reaches the subtree the actor must not be denied further down. */
static void take_denied_below(const struct o_case *k, uint64_t account, struct ch_scopes *given)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || s->account == account || !o_stands_in(k->w, s->account, account))
            continue;
        if (!o_counts(s, k->c->now)) continue;
        bool theirs = s->subject_kind == CH_subject_kind_user && s->subject == k->c->actor;
        for (size_t m = 0; m < O_MEMBERS && s->subject_kind == CH_subject_kind_group; m++) {
            const struct o_member *member = &k->w->members[m];
            theirs = theirs || (member->group != 0 && member->user == k->c->actor &&
                                o_group_in(k->w, member->group, s->subject));
        }
        if (theirs) *given = ch_scopes_but(*given, o_denies(k->w, s));
    }
}

struct ch_scopes o_covered(const struct o_case *k, uint64_t account, uint8_t reach,
                           struct ch_scopes scopes, const uint8_t *resource)
{
    if (!o_is_bound(k)) return scopes;
    struct o_question q = o_about_actor(k, account);
    struct o_answer answer;
    q.wanted = scopes;
    q.granting = true;
    q.subtree_only = reach == CH_reach_subtree;
    q.has_resource = resource != NULL;
    if (resource != NULL) q.resource = *resource;
    o_access(k->w, &q, &answer);
    struct ch_scopes given = answer.given;
    if (q.subtree_only && o_is_person(k)) {
        q.subtree_only = false; /* what the actor is denied on the account itself counts, too */
        o_access(k->w, &q, &answer);
        given = ch_scopes_and(given, answer.given);
        take_denied_below(k, account, &given);
    }
    return given;
}

bool o_covers(const struct o_case *k, uint64_t account, uint8_t reach, struct ch_scopes scopes,
              const uint8_t *resource)
{
    return ch_scopes_empty(ch_scopes_but(scopes, o_covered(k, account, reach, scopes, resource)));
}

bool o_gives_nothing_back(const struct o_case *k, struct o_world *after, uint64_t user)
{
    if (o_is_operator(k)) return true;
    for (size_t i = 0; i < k->w->account_count; i++) {
        struct o_question q = {.user = user,
                               .account = k->w->accounts[i].id,
                               .wanted = {{UINT64_MAX, UINT64_MAX}},
                               .any = true,
                               .channel = CH_channel_web,
                               .now = k->c->now};
        struct o_answer now, then;
        o_access(k->w, &q, &now);
        o_access(after, &q, &then);
        struct ch_scopes gained = ch_scopes_but(then.given, now.given);
        if (ch_scopes_empty(gained)) continue;
        if (user == o_person(k->w, k->c->actor_kind, k->c->actor)) return false;
        if (!o_covers(k, q.account, CH_reach_account, gained, NULL)) return false;
    }
    return true;
}

bool o_covers_denied(const struct o_case *k, const struct o_share *s)
{
    return !o_counts(s, k->c->now) || o_covers(k, s->account, s->reach, o_denies(k->w, s), NULL);
}

bool o_is_led(const struct o_case *k, uint64_t account)
{
    if (!o_is_bound(k)) return true;
    struct o_question q = o_about_actor(k, account);
    struct o_answer answer;
    o_access(k->w, &q, &answer);
    return answer.led;
}

static bool may_act(const struct o_case *k)
{
    return !o_is_person(k) || o_user(k->w, k->c->actor)->status == CH_user_status_active;
}

int o_may_there(const struct o_case *k, uint64_t account, uint8_t scope)
{
    const bool closed = o_closed(k->w, account);
    if (o_is_bound(k)) {
        struct o_question q = o_about_actor(k, account);
        struct o_answer answer;
        q.wanted = ch_scopes_of(scope);
        o_access(k->w, &q, &answer);
        if (!answer.led) return CH_REJ_not_found;
        if (answer.decision != CH_decision_allowed && !(closed && may_act(k))) {
            return CH_REJ_not_allowed;
        }
    }
    return closed ? CH_REJ_account_closed : CH_REJ_none;
}

/* Those whose scope is asked for on the campaign that they name. */
static bool is_on_campaign(int type)
{
    return type == CH_CMD_campaign_submit || type == CH_CMD_campaign_approve ||
           type == CH_CMD_campaign_reject || type == CH_CMD_campaign_edit;
}

/* While an import runs, only its own messages are taken. */
static bool waits_for_import(const struct o_case *k)
{
    const int type = k->c->type;
    return k->w->importing && !k->c->imported && type != CH_CMD_import_begin &&
           type != CH_CMD_import_advance && type != CH_CMD_import_end;
}

static void admit(struct o_case *k)
{
    const struct o_command *c = k->c;
    const struct ch_call_row *row = &ch_calls[c->type];
    const bool service = c->actor_kind == CH_actor_kind_service;
    struct o_answer answer = {0};
    if (o_is_bound(k) && k->on != NULL) {
        struct o_question q = o_about_actor(k, k->on->id);
        q.wanted = ch_scopes_of(row->scope);
        q.has_resource = is_on_campaign(c->type);
        q.resource = c->resource;
        o_access(k->w, &q, &answer);
        /* Who had access is told that it was revoked. */
        const bool told = c->type == CH_CMD_account_switch && o_was_revoked(k);
        o_break_if(k, !answer.led && !told, CH_REJ_not_found);
    }
    switch (row->who) {
    case CH_WHO_OPERATOR: o_break_if(k, !o_is_operator(k), CH_REJ_operator_only); break;
    case CH_WHO_SERVICE: o_break_if(k, !o_is_operator(k) && !service, CH_REJ_service_only); break;
    case CH_WHO_SCOPE:
        /* A service acts as somebody. */
        o_break_if(k, service, CH_REJ_operator_only);
        if (o_is_bound(k) && k->on != NULL) {
            bool allowed = answer.decision == CH_decision_allowed;
            /* In a closed account nobody may do anything, which says more than not_allowed. */
            bool closed = o_closed(k->w, k->on->id) && may_act(k);
            o_break_if(k, !allowed && !closed, CH_REJ_not_allowed);
        }
        break;
    case CH_WHO_SELF:
        o_break_if(k, !o_is_person(k), CH_REJ_self_only);
        if (o_is_person(k)) {
            const uint8_t status = o_user(k->w, c->actor)->status;
            o_break_if(k, status == CH_user_status_locked, CH_REJ_user_locked);
            o_break_if(k, status != CH_user_status_active && status != CH_user_status_locked,
                       CH_REJ_not_accepted);
        }
        break;
    case CH_WHO_ANYONE: break;
    }
    if (k->code != 0) return; /* whom it is not for learns no more */
    o_break_if(k, waits_for_import(k), CH_REJ_import_running);
    if (k->on == NULL) return;
    o_break_if(k, c->has_expect && c->expect != k->on->last_seq, CH_REJ_conflict);
    o_break_if(k, c->type != CH_CMD_account_reopen && o_closed(k->w, k->on->id),
               CH_REJ_account_closed);
}

void o_break_if(struct o_case *k, bool broken, int code)
{
    if (!broken) return;
    if (k->code == 0 || ch_rejections[code].rank < ch_rejections[k->code].rank) k->code = code;
}

uint64_t o_event(struct o_case *k, uint16_t tag, uint64_t account)
{
    CH_CHECK(k->out->count < O_EVENTS);
    k->out->tags[k->out->count] = tag;
    k->out->accounts[k->out->count++] = account;
    k->w->head++;
    if (account != 0 && !o_is_traffic(tag)) o_account(k->w, account)->last_seq = k->w->head;
    return k->w->head;
}

/* Where a call that needs an account names none: a key's own account, a session's current one. A
 * master key always says on whose behalf it acts. */
static uint64_t default_on(struct o_world *w, const struct o_command *c)
{
    if (c->actor_kind == CH_actor_kind_key) {
        const struct o_key *key = o_key(w, c->actor);
        return key->kind == CH_key_kind_account ? key->account : 0;
    }
    if (c->session == 0) return 0;
    const struct o_account *current = o_account(w, o_session(w, c->session)->current);
    return current == NULL || current->dissolved ? 0 : current->id;
}

void o_command(struct o_world *w, const struct o_command *said, struct o_outcome *ret)
{
    struct o_command meant = *said;
    const struct o_command *c = &meant;
    struct o_case k = {.w = w, .c = c, .out = ret};
    memset(ret, 0, sizeof *ret);
    if (ch_calls[c->type].on && !c->on.given) {
        meant.on = (struct o_pick){.given = true, .id = default_on(w, c)};
        ret->code = c->on.id == 0 ? CH_REJ_on_behalf_missing : CH_REJ_none;
        /* Who was there knows of it, so they are told what became of it. */
        if (ret->code == 0 && c->session != 0 && !o_is_led(&k, c->on.id)) {
            ret->code = CH_REJ_access_revoked;
        }
        if (ret->code != 0) return;
    }
    resolve(&k);
    const int resolved = k.code;
    const bool bound = o_is_bound(&k);
    if (resolved == 0 || (bound && (k.on != NULL || !c->on.given))) {
        /* Whom the call is not for learns that first, and nothing of what its arguments name. */
        k.code = 0;
        admit(&k);
        if (k.code == 0) k.code = resolved;
    }
    if (k.code == 0) {
        static void (*const rules[])(struct o_case *) = {
            o_account_rules, o_standing_rules,   o_group_rules,     o_role_rules,
            o_share_rules,   o_review_rules,     o_ownership_rules, o_user_rules,
            o_session_rules, o_invitation_rules, o_login_rules,     o_key_rules,
            o_request_rules, o_campaign_rules,   o_setting_rules,   o_credit_rules,
            o_plan_rules,    o_mail_rules,       o_system_rules,
        };
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
            rules[i](&k);
        }
    }
    note_seats(w);
    if (k.code == 0) o_note_use(&k);
    ret->also[CH_REJ_none] = false;
    ret->code = k.code;
    CH_CHECK(k.code == 0 || ret->count == 0);
}
