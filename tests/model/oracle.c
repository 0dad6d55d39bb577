/* oracle: the plain world, and who may do what in it. SPDX-License-Identifier: MIT */
#include "tests/model/oracle.h"

#include "tests/model/rules.h"

#include "schema/base/check.h"

const char *const o_resources[O_RESOURCES] = {"red", "green", "blue", "white"};

void o_start(struct o_world *w)
{
    memset(w, 0, sizeof *w);
}

struct o_account *o_account(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->account_count; i++) {
        if (id != 0 && w->accounts[i].id == id) return &w->accounts[i];
    }
    return NULL;
}

struct o_user *o_user(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->user_count; i++) {
        if (id != 0 && w->users[i].id == id) return &w->users[i];
    }
    return NULL;
}

struct o_group *o_group(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < O_GROUPS; i++) {
        if (id != 0 && w->groups[i].id == id) return &w->groups[i];
    }
    return NULL;
}

struct o_role *o_role(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->role_count; i++) {
        if (id != 0 && w->roles[i].id == id) return &w->roles[i];
    }
    return NULL;
}

struct o_share *o_share(struct o_world *w, uint8_t subject_kind, uint64_t subject, uint64_t account)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0 && s->subject_kind == subject_kind && s->subject == subject &&
            s->account == account) {
            return s;
        }
    }
    return NULL;
}

bool o_is_member(const struct o_world *w, uint64_t user, uint64_t group)
{
    for (size_t i = 0; i < O_MEMBERS; i++) {
        if (group != 0 && w->members[i].group == group && w->members[i].user == user) return true;
    }
    return false;
}

bool o_stands_in(struct o_world *w, uint64_t account, uint64_t above)
{
    for (; account != 0; account = o_account(w, account)->parent) {
        if (account == above) return true;
    }
    return false;
}

bool o_closed(struct o_world *w, uint64_t account)
{
    for (; account != 0; account = o_account(w, account)->parent) {
        if (o_account(w, account)->closed) return true;
    }
    return false;
}

bool o_group_in(struct o_world *w, uint64_t group, uint64_t above)
{
    for (; group != 0; group = o_group(w, group)->parent) {
        if (group == above) return true;
    }
    return false;
}

void o_end_share(struct o_world *w, struct o_share *s)
{
    for (size_t i = 0; i < O_MEMBERS && s->subject_kind == CH_subject_kind_user; i++) {
        struct o_member *m = &w->members[i];
        if (m->group != 0 && m->user == s->subject && o_group(w, m->group)->account == s->account) {
            memset(m, 0, sizeof *m);
        }
    }
    memset(s, 0, sizeof *s);
}

void o_end_group(struct o_world *w, struct o_group *g)
{
    for (size_t i = 0; i < O_MEMBERS; i++) {
        if (w->members[i].group == g->id) memset(&w->members[i], 0, sizeof w->members[i]);
    }
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0 && s->subject_kind == CH_subject_kind_group && s->subject == g->id) {
            o_end_share(w, s);
        }
    }
    memset(g, 0, sizeof *g);
}

void o_refused(struct o_world *w)
{
    w->head++;
}

bool o_expire(struct o_world *w, uint64_t now, uint64_t *ret_share)
{
    struct o_share *first = NULL;
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->expires_at == 0 || s->expires_at > now) continue;
        bool sooner = first == NULL || s->expires_at < first->expires_at;
        bool tie = first != NULL && s->expires_at == first->expires_at && s->id == *ret_share;
        if (sooner || tie) first = s;
    }
    if (first == NULL) return false;
    w->head++;
    o_account(w, first->account)->last_seq = w->head;
    *ret_share = first->id;
    o_end_share(w, first);
    return true;
}

/* Whether a share counts by itself: active, unexpired, and it works over the channel. */
static bool counts(const struct o_share *s, uint8_t channel, uint64_t now)
{
    return s->id != 0 && s->status == CH_share_status_active &&
           (s->expires_at == 0 || now < s->expires_at) &&
           (s->kind != CH_share_kind_login || channel == CH_channel_web);
}

/* Whether the share is the user's: their own, or that of a group they are in. */
static bool is_theirs(struct o_world *w, const struct o_question *q, const struct o_share *s)
{
    if (s->subject_kind == CH_subject_kind_user) return s->subject == q->user;
    for (size_t i = 0; i < O_MEMBERS; i++) {
        const struct o_member *m = &w->members[i];
        if (m->group == 0 || m->user != q->user || !o_group_in(w, m->group, s->subject)) continue;
        const struct o_share *through =
            o_share(w, CH_subject_kind_user, q->user, o_group(w, m->group)->account);
        CH_CHECK(through != NULL);
        if (counts(through, q->channel, q->now)) return true;
    }
    return false;
}

static bool leads(struct o_world *w, const struct o_question *q, const struct o_share *s)
{
    if (!counts(s, q->channel, q->now) || !is_theirs(w, q, s)) return false;
    if (q->subtree_only && s->reach != CH_reach_subtree) return false;
    return s->account == q->account ||
           (s->reach == CH_reach_subtree && o_stands_in(w, q->account, s->account));
}

/* Whether the role or a grant of the share gives one scope for what is asked. */
static bool gives(struct o_world *w, const struct o_question *q, const struct o_share *s,
                  uint8_t scope)
{
    uint8_t kind = ch_scopes_table[scope].resource_kind;
    const struct o_role *role = o_role(w, s->role);
    if (role != NULL && ch_scopes_has(role->scopes, scope)) {
        if (kind == 0 || !s->limited[kind]) return true;
        if (q->has_resource && q->resource < O_RESOURCES && (s->chosen[kind] >> q->resource & 1)) {
            return true;
        }
        if (q->any && !q->has_resource && s->chosen[kind] != 0) return true;
    }
    if (ch_scopes_has(s->own, scope)) return true; /* on every resource, whatever the limits */
    for (uint8_t r = 0; r < O_RESOURCES && kind != 0; r++) {
        if (!s->granted[kind][r] || !ch_scopes_has(s->grant[kind][r], scope)) continue;
        if (q->has_resource ? q->resource == r : q->any) return true;
    }
    return false;
}

static struct ch_scopes guardrails_above(struct o_world *w, uint64_t account)
{
    struct ch_scopes all = {{0, 0}};
    for (uint64_t a = o_account(w, account)->parent; a != 0; a = o_account(w, a)->parent) {
        all = ch_scopes_or(all, o_account(w, a)->guardrail);
    }
    return all;
}

struct ch_scopes o_content_edits(void)
{
    static const uint8_t edits[] = {
        CH_SCOPE_campaigns_create,     CH_SCOPE_campaigns_update,   CH_SCOPE_campaigns_delete,
        CH_SCOPE_sms_update,           CH_SCOPE_automations_update, CH_SCOPE_templates_update,
        CH_SCOPE_transactional_update, CH_SCOPE_surveys_update,     CH_SCOPE_files_update};
    struct ch_scopes all = {{0, 0}};
    for (size_t i = 0; i < sizeof edits; i++) {
        ch_scopes_add(&all, edits[i]);
    }
    return all;
}

/* A lock binds the people of its account and of those below. */
static struct ch_scopes locked_for(struct o_world *w, uint64_t account)
{
    const struct ch_scopes none = {{0, 0}};
    for (uint64_t a = account; a != 0; a = o_account(w, a)->parent) {
        if (o_account(w, a)->content_locked) return o_content_edits();
    }
    return none;
}

/* Sending campaigns to a list implies choosing it; nothing that leaves the one takes the other. */
static struct ch_scopes and_choosing(struct ch_scopes scopes)
{
    if (ch_scopes_has(scopes, CH_SCOPE_campaigns_send)) {
        ch_scopes_add(&scopes, CH_SCOPE_lists_select);
    }
    return scopes;
}

/* What an other login never has, whatever gives it: keys, smtp, ftp. */
static struct ch_scopes never_a_logins(void)
{
    static const uint8_t scopes[] = {
        CH_SCOPE_api_keys_read,   CH_SCOPE_api_keys_create,    CH_SCOPE_api_keys_rotate,
        CH_SCOPE_api_keys_revoke, CH_SCOPE_master_keys_create, CH_SCOPE_smtp_use,
        CH_SCOPE_ftp_use};
    struct ch_scopes set = {{0, 0}};
    for (size_t i = 0; i < sizeof scopes; i++) {
        ch_scopes_add(&set, scopes[i]);
    }
    return set;
}

struct ch_scopes o_denies(const struct o_share *s)
{
    return s->kind == CH_share_kind_login ? ch_scopes_or(s->denied, never_a_logins()) : s->denied;
}

void o_access(struct o_world *w, const struct o_question *q, struct o_answer *ret)
{
    struct ch_scopes promised = {{0, 0}}, given = {{0, 0}}, denied = {{0, 0}};
    memset(ret, 0, sizeof *ret);
    bool closed = o_closed(w, q->account);
    bool nothing = o_user(w, q->user)->locked || closed;
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (!leads(w, q, s)) continue;
        ret->led = true;
        denied = ch_scopes_or(denied, o_denies(s));
        struct ch_scopes guarded =
            ch_scopes_or(guardrails_above(w, s->account), locked_for(w, s->account));
        for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
            if (!gives(w, q, s, scope)) continue;
            ch_scopes_add(&promised, scope);
            if (!ch_scopes_has(guarded, scope)) ch_scopes_add(&given, scope);
        }
    }
    for (uint64_t a = q->account; a != 0; a = o_account(w, a)->parent) {
        const struct o_account *at = o_account(w, a);
        if (at->suspended[0] || at->suspended[1]) denied = ch_scopes_or(denied, w->suspension);
    }
    given = and_choosing(ch_scopes_but(given, denied));
    promised = and_choosing(promised);
    if (nothing) given = (struct ch_scopes){{0, 0}};
    ret->given = ch_scopes_and(given, q->wanted);
    bool all_given = ch_scopes_empty(ch_scopes_but(q->wanted, given));
    bool all_promised = ch_scopes_empty(ch_scopes_but(q->wanted, promised));
    ret->decision = CH_decision_implicit_deny;
    if (all_promised) ret->decision = CH_decision_explicit_deny;
    if (all_given) ret->decision = CH_decision_allowed;
    /* Closing is a denial by name, to everybody. */
    if (closed && !o_user(w, q->user)->locked) ret->decision = CH_decision_explicit_deny;
}
