/* access: who may do what in the oracle's world; by the page of rules in daemon/core/access.h.
 * SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

bool o_counts(const struct o_share *s, uint64_t now)
{
    return s->id != 0 && s->status == CH_share_status_active &&
           (s->expires_at == 0 || now < s->expires_at);
}

/* Whether a share counts by itself: active, unexpired, and it works over the channel. */
static bool counts(const struct o_share *s, uint8_t channel, uint64_t now)
{
    return o_counts(s, now) && (s->kind != CH_share_kind_login || channel == CH_channel_web);
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

bool o_leads(struct o_world *w, const struct o_question *q, const struct o_share *s)
{
    if (q->user == 0 || !counts(s, q->channel, q->now)) return false;
    if (q->subtree_only && s->reach != CH_reach_subtree) return false;
    if (s->account != q->account &&
        (s->reach != CH_reach_subtree || !o_stands_in(w, q->account, s->account))) {
        return false;
    }
    return is_theirs(w, q, s);
}

/* Whether the role or a grant of the share gives one scope for what is asked. */
static bool gives(const struct o_question *q, const struct o_share *s, const struct o_role *role,
                  uint8_t scope)
{
    uint8_t kind = ch_scopes_table[scope].resource_kind;
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
        if (o_account(w, a)->switches[CH_setting_switch_content_locked]) return o_content_edits();
    }
    return none;
}

struct ch_scopes o_bound(struct o_world *w, uint64_t account)
{
    return ch_scopes_or(guardrails_above(w, account), locked_for(w, account));
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
struct ch_scopes o_never_a_logins(void)
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

/* What transmits: never a master key's. */
struct ch_scopes o_transmits(void)
{
    static const uint8_t scopes[] = {CH_SCOPE_campaigns_send, CH_SCOPE_sms_send,
                                     CH_SCOPE_automations_run, CH_SCOPE_transactional_send,
                                     CH_SCOPE_smtp_use};
    struct ch_scopes set = {{0, 0}};
    for (size_t i = 0; i < sizeof scopes; i++) {
        ch_scopes_add(&set, scopes[i]);
    }
    return set;
}

struct ch_scopes o_denies(const struct o_world *w, const struct o_share *s)
{
    (void)w;
    return s->kind == CH_share_kind_login ? ch_scopes_or(s->denied, o_never_a_logins()) : s->denied;
}

bool o_is_stopped(const struct o_world *w, uint64_t account, uint64_t key, uint8_t stream)
{
    for (size_t i = 0; i < O_STREAMS; i++) {
        const struct o_stream *s = &w->streams[i];
        if (s->account == 0 || s->stream != stream || !(s->stopped[0] || s->stopped[1])) continue;
        if (s->account == account && s->key == 0) return true;
        if (key != 0 && s->key == key) return true;
    }
    return false;
}

/* What stopped mail takes from the account's people and keys, or from the one key. */
static struct ch_scopes stopped(const struct o_world *w, const struct o_question *q)
{
    struct ch_scopes set = {{0, 0}};
    if (q->granting) return set;
    if (o_is_stopped(w, q->account, q->key, CH_mail_stream_marketing)) {
        set = ch_scopes_but(o_transmits(), ch_scopes_of(CH_SCOPE_transactional_send));
    }
    if (o_is_stopped(w, q->account, q->key, CH_mail_stream_transactional)) {
        ch_scopes_add(&set, CH_SCOPE_transactional_send);
    }
    return set;
}

struct sum {
    struct ch_scopes promised, given, denied;
};

static void add_shares(struct o_world *w, const struct o_question *q, struct o_answer *ret,
                       struct sum *sum)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (!o_leads(w, q, s)) continue;
        const struct o_role *role = o_role(w, s->role);
        const struct ch_scopes bound = o_bound(w, s->account);
        ret->led = true;
        sum->denied = ch_scopes_or(sum->denied, o_denies(w, s));
        for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
            if (!gives(q, s, role, scope)) continue;
            ch_scopes_add(&sum->promised, scope);
            if (!ch_scopes_has(bound, scope)) ch_scopes_add(&sum->given, scope);
        }
    }
}

static void add_key(struct o_world *w, const struct o_question *q, struct o_answer *ret,
                    struct sum *sum)
{
    const struct o_key *key = o_key(w, q->key);
    if (key == NULL || (key->expires_at != 0 && key->expires_at <= q->now)) return;
    const bool master = key->kind == CH_key_kind_master;
    if (q->subtree_only && !master) return;
    if (key->account != q->account && !(master && o_stands_in(w, q->account, key->account))) return;
    ret->led = true;
    sum->promised = key->scopes;
    sum->given = ch_scopes_but(key->scopes, o_bound(w, key->account));
    if (master) sum->given = ch_scopes_but(sum->given, o_transmits());
}

void o_access(struct o_world *w, const struct o_question *q, struct o_answer *ret)
{
    struct sum sum = {0};
    memset(ret, 0, sizeof *ret);
    const bool closed = o_closed(w, q->account);
    const bool may_act = q->user == 0 || o_user(w, q->user)->status == CH_user_status_active;
    add_shares(w, q, ret, &sum);
    if (q->key != 0) add_key(w, q, ret, &sum);
    for (uint64_t a = q->account; a != 0; a = o_account(w, a)->parent) {
        const struct o_account *at = o_account(w, a);
        if (at->suspended[0] || at->suspended[1]) {
            sum.denied = ch_scopes_or(sum.denied, w->masks[CH_mask_kind_suspended]);
        }
        const struct o_plan *plan = o_plan_of(w, a);
        if (plan != NULL && !plan->paid) ch_scopes_add(&sum.denied, CH_SCOPE_subaccounts_create);
    }
    struct ch_scopes given = and_choosing(ch_scopes_but(sum.given, sum.denied));
    given = ch_scopes_but(given, stopped(w, q));
    const struct ch_scopes promised = and_choosing(sum.promised);
    if (!may_act || closed) given = (struct ch_scopes){{0, 0}};
    ret->given = ch_scopes_and(given, q->wanted);
    bool all_given = ch_scopes_empty(ch_scopes_but(q->wanted, given));
    bool all_promised = ch_scopes_empty(ch_scopes_but(q->wanted, promised));
    ret->decision = CH_decision_implicit_deny;
    if (all_promised) ret->decision = CH_decision_explicit_deny;
    if (all_given) ret->decision = CH_decision_allowed;
    /* Closing is a denial by name, to everybody. */
    if (closed && may_act) ret->decision = CH_decision_explicit_deny;
}
