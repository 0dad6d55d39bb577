/* explain: see explain.h. SPDX-License-Identifier: MIT */
#include "daemon/core/explain.h"

#include <stdlib.h>

bool ch_gives(const struct ch_evidence *fact)
{
    return fact->kind == CH_fact_role || fact->kind == CH_fact_grant ||
           fact->kind == CH_fact_own_scopes || fact->kind == CH_fact_key;
}

bool ch_is_uncounted(const struct ch_evidence *fact)
{
    return fact->kind == CH_fact_share_inactive || fact->kind == CH_fact_share_expired ||
           fact->kind == CH_fact_share_pending || fact->kind == CH_fact_channel ||
           fact->kind == CH_fact_key_expired || fact->kind == CH_fact_share_ended_by_date ||
           fact->kind == CH_fact_limited_out;
}

static bool binds(const struct ch_evidence *fact)
{
    return fact->kind == CH_fact_guardrail || fact->kind == CH_fact_content_lock;
}

bool ch_denies_way(const struct ch_evidence *fact, const struct ch_evidence *giver, uint8_t scope)
{
    return binds(fact) && fact->share == giver->share && fact->member == giver->member &&
           fact->key == giver->key && ch_scopes_has(fact->scopes, scope);
}

bool ch_denies_supposed(const struct ch_evidence *fact, uint8_t scope)
{
    return binds(fact) && fact->share == 0 && ch_scopes_has(fact->scopes, scope);
}

bool ch_denies_all(const struct ch_explained *e, const struct ch_evidence *fact, uint8_t scope)
{
    switch ((enum ch_fact)fact->kind) {
    case CH_fact_account_closed:
    case CH_fact_user_locked:
    case CH_fact_user_erased:
    case CH_fact_login_deleted:
    case CH_fact_not_accepted: return true;
    case CH_fact_restriction:
    case CH_fact_suspended:
    case CH_fact_unpaid:
    case CH_fact_other_login:
    case CH_fact_master_key: return ch_scopes_has(fact->scopes, scope);
    /* What is stopped is the mail, not what is implied by it. */
    case CH_fact_stream_stopped:
        return !ch_scopes_empty(ch_scopes_and(fact->scopes, e->question.wanted));
    case CH_fact_share:
    case CH_fact_membership:
    case CH_fact_role:
    case CH_fact_grant:
    case CH_fact_guardrail:
    case CH_fact_share_inactive:
    case CH_fact_share_expired:
    case CH_fact_share_ended_by_date:
    case CH_fact_channel:
    case CH_fact_parent_group:
    case CH_fact_content_lock:
    case CH_fact_own_scopes:
    case CH_fact_fed:
    case CH_fact_share_pending:
    case CH_fact_key:
    case CH_fact_key_expired:
    case CH_fact_reach:
    case CH_fact_role_version:
    case CH_fact_limited:
    case CH_fact_limited_out:
    case CH_fact_end_: break;
    }
    return false;
}

bool ch_is_repeated(const struct ch_explained *e, uint32_t place)
{
    const struct ch_evidence *fact = &e->fact[place];
    for (uint32_t i = 0; i < place; i++) {
        const struct ch_evidence *other = &e->fact[i];
        if (other->kind == fact->kind && other->seq == fact->seq && other->share == fact->share &&
            other->account == fact->account && other->stream == fact->stream) {
            return true;
        }
    }
    return false;
}

/* ---- gathering ------------------------------------------------------------------------------- */

struct gathering {
    struct ch_asking *q;
    struct ch_explained *e;
};

static void gather(void *arg, const struct ch_evidence *fact)
{
    const struct gathering *g = arg;
    struct ch_explained *e = g->e;
    if (e->fact_count == e->fact_room) {
        const uint32_t room = e->fact_room == 0 ? 32 : 2 * e->fact_room;
        struct ch_evidence *more = ch_take(g->q, room, sizeof *more);
        e->no_memory = e->no_memory || more == NULL;
        if (more == NULL) return;
        if (e->fact_count > 0) memcpy(more, e->fact, e->fact_count * sizeof *more);
        e->fact = more;
        e->fact_room = room;
    }
    e->fact[e->fact_count++] = *fact;
}

/* Whether some fact denies it to whatever gives it. */
static bool is_denied(const struct ch_explained *e, uint8_t scope)
{
    for (uint32_t i = 0; i < e->fact_count; i++) {
        if (ch_denies_all(e, &e->fact[i], scope)) return true;
    }
    return false;
}

static void add_way(struct ch_explained *e, uint32_t giver, uint8_t scope, bool denied)
{
    struct ch_way way = {.giver = giver, .scope = scope};
    if (!ch_scopes_has(e->fact[giver].scopes, scope)) return;
    for (uint32_t i = 0; i < e->fact_count; i++) {
        way.denies += ch_denies_way(&e->fact[i], &e->fact[giver], scope);
    }
    way.open = !denied && way.denies == 0;
    e->way[e->way_count++] = way;
}

/* The scope that is asked for. */
static uint8_t asked(const struct ch_explained *e)
{
    uint8_t scope = 0;
    while (!ch_scopes_has(e->question.wanted, scope)) {
        scope++;
    }
    return scope;
}

static bool find_ways(struct ch_asking *q, struct ch_explained *e)
{
    const uint8_t scope = asked(e);
    const bool denied = is_denied(e, scope);
    const bool implied = is_denied(e, CH_SCOPE_campaigns_send);
    uint32_t givers = 0;
    for (uint32_t i = 0; i < e->fact_count; i++) {
        givers += ch_gives(&e->fact[i]);
    }
    e->way = ch_take(q, 2 * (size_t)givers, sizeof *e->way);
    if (e->way == NULL) return false;
    for (uint32_t i = 0; i < e->fact_count; i++) {
        if (!ch_gives(&e->fact[i])) continue;
        add_way(e, i, scope, denied);
        if (scope == CH_SCOPE_lists_select) add_way(e, i, CH_SCOPE_campaigns_send, implied);
    }
    return true;
}

/* For the slow check below alone. */
__attribute__((unused)) static bool has_open(const struct ch_explained *e)
{
    for (uint32_t i = 0; i < e->way_count; i++) {
        if (e->way[i].open) return true;
    }
    return false;
}

bool ch_explain(struct ch_asking *q, const struct ch_question *question, struct ch_explained *ret)
{
    struct gathering g = {.q = q, .e = ret};
    *ret = (struct ch_explained){.question = *question};
    CH_CHECK(!ch_scopes_empty(question->wanted));
    ch_access(q->state, question, &ret->answer, gather, &g);
    ch_saw(q, ret->answer.read_seq);
    if (ret->no_memory || !find_ways(q, ret)) return false;
    CH_CHECK_SLOW(question->as_given ||
                  has_open(ret) == (ret->answer.decision == CH_decision_allowed));
    return true;
}

bool ch_explain_lack(struct ch_asking *q, const struct ch_explained *e, struct ch_explained *ret,
                     enum ch_lack *ret_lack)
{
    struct ch_question question = e->question;
    *ret_lack = CH_LACK_nothing;
    if (e->way_count > 0) return true;
    if (question.user != 0) {
        question.counted[0] =
            ch_find_share(q->state, CH_subject_kind_user, question.user, question.account);
    }
    *ret_lack = CH_LACK_activation;
    if (question.counted[0] != 0 && !ch_explain(q, &question, ret)) return false;
    if (question.counted[0] != 0 && ret->way_count > 0) return true;
    *ret_lack = CH_LACK_grant;
    question.as_given = true;
    return ch_explain(q, &question, ret);
}

/* ---- shares that do not count ----------------------------------------------------------------
 * */

static bool is_idle(const struct ch_asking *q, const struct ch_question *question, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(q->state, row);
    return share->status != CH_share_status_active || ch_is_over(q->state, share, question->now);
}

/* Which shares of a way do not count; false: all do. */
static bool idle_of(const struct ch_asking *q, const struct ch_explained *all,
                    const struct ch_way *way, struct ch_idle *ret)
{
    const struct ch_evidence *giver = &all->fact[way->giver];
    uint32_t count = 0;
    *ret = (struct ch_idle){{0, 0}};
    if (giver->member != 0) {
        const uint32_t own = ch_member_row(q->state, giver->member)->share;
        if (is_idle(q, &all->question, own)) ret->share[count++] = own;
    }
    if (is_idle(q, &all->question, giver->share)) ret->share[count++] = giver->share;
    return count > 0;
}

static int by_shares(const void *a, const void *b)
{
    const uint32_t *x = ((const struct ch_idle *)a)->share;
    const uint32_t *y = ((const struct ch_idle *)b)->share;
    if ((x[1] != 0) != (y[1] != 0)) return x[1] != 0 ? 1 : -1;
    if (x[0] != y[0]) return x[0] > y[0] ? 1 : -1;
    return (x[1] > y[1]) - (x[1] < y[1]);
}

bool ch_explain_idle(struct ch_asking *q, const struct ch_explained *e, struct ch_idle **ret,
                     uint32_t *ret_count)
{
    struct ch_question question = e->question;
    struct ch_explained all;
    uint32_t found = 0;
    *ret = NULL;
    *ret_count = 0;
    if (question.user == 0) return true;
    question.all_counted = true;
    if (!ch_explain(q, &question, &all)) return false;
    struct ch_idle *idle = ch_take(q, all.way_count, sizeof *idle);
    if (idle == NULL) return false;
    for (uint32_t i = 0; i < all.way_count; i++) {
        found += idle_of(q, &all, &all.way[i], &idle[found]);
    }
    if (found > 0) qsort(idle, found, sizeof *idle, by_shares);
    for (uint32_t i = 0; i < found; i++) {
        if (i > 0 && by_shares(&idle[i], &idle[*ret_count - 1]) == 0) continue;
        idle[(*ret_count)++] = idle[i];
    }
    *ret = idle;
    return true;
}

/* ---- the chain of a way ---------------------------------------------------------------------- */

struct telling {
    const struct ch_state *state;
    ch_fact_fn *each;
    void *arg;
    struct ch_evidence base; /* share, member, scopes of all facts of the way */
};

static void tell(const struct telling *t, enum ch_fact kind, uint64_t seq, uint32_t share,
                 uint32_t group, uint32_t account)
{
    struct ch_evidence fact = t->base;
    if (kind == CH_fact_role) fact.scopes = (struct ch_scopes){{0, 0}}; /* its version gives them */
    fact.kind = (uint8_t)kind;
    fact.seq = seq;
    fact.share = share;
    fact.group = group;
    fact.account = account;
    t->each(t->arg, &fact);
}

static void tell_share(const struct telling *t, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(t->state, row);
    tell(t, CH_fact_share, ch_status_seq(t->state, share), row, 0, share->account);
}

/* How the user comes to the group whose share gives: member of one, which stands below it. */
static void tell_groups(const struct telling *t, uint32_t member, uint32_t to)
{
    const struct ch_row_member *row = ch_member_row(t->state, member);
    tell_share(t, row->share);
    tell(t, CH_fact_membership, row->seq, 0, row->group,
         ch_group_row(t->state, row->group)->account);
    for (uint32_t g = row->group; g != to;) {
        const struct ch_row_group *below = ch_group_row(t->state, g);
        g = below->parent;
        tell(t, CH_fact_parent_group, below->parent_seq, 0, g, ch_group_row(t->state, g)->account);
    }
}

/* The event that made the present version of a role. */
static uint64_t version_seq(const struct ch_state *state, const struct ch_row_role *role)
{
    return ch_role_version_row(state, role->last_version)->seq;
}

/* The role, its version, and that the resource is among the chosen ones. */
static void tell_role(const struct telling *t, const struct ch_question *question, uint32_t row,
                      uint8_t scope)
{
    const struct ch_row_share *share = ch_share_row(t->state, row);
    const struct ch_row_role *role = ch_role_row(t->state, share->role);
    const uint8_t kind = ch_meta(t->state)->scope_kinds[scope];
    tell(t, CH_fact_role, share->role_seq, row, 0, share->account);
    tell(t, CH_fact_role_version, version_seq(t->state, role), row, 0, share->account);
    const struct ch_row_terms *terms = ch_terms_of(t->state, share);
    if ((terms->limited_kinds >> kind & 1) == 0) return;
    uint32_t limited = terms->first_limited;
    if (question->has_resource) {
        limited = ch_find_limited(t->state, row, kind, question->resource);
    } else {
        while (limited != 0 && ch_limited_row(t->state, limited)->kind != kind) {
            limited = ch_limited_row(t->state, limited)->next;
        }
    }
    CH_CHECK(limited != 0); /* else the role would not have given it */
    tell(t, CH_fact_limited, ch_limited_row(t->state, limited)->seq, row, 0, share->account);
}

void ch_each_of_way(struct ch_asking *q, const struct ch_explained *e, const struct ch_way *way,
                    ch_fact_fn *each, void *arg)
{
    const struct ch_evidence *giver = &e->fact[way->giver];
    struct ch_evidence given = *giver;
    struct telling t = {.state = q->state, .each = each, .arg = arg};
    given.scopes = ch_scopes_of(way->scope);
    if (giver->share == 0) { /* a key */
        each(arg, &given);
        return;
    }
    const struct ch_row_share *share = ch_share_row(q->state, giver->share);
    t.base.member = giver->member;
    t.base.scopes = given.scopes;
    if (giver->member != 0) tell_groups(&t, giver->member, share->subject);
    tell_share(&t, giver->share);
    if (share->account != e->question.account) {
        tell(&t, CH_fact_reach, share->role_seq, giver->share, 0, share->account);
    }
    if (giver->kind == CH_fact_role) {
        tell_role(&t, &e->question, giver->share, way->scope);
    } else {
        each(arg, &given);
    }
}
