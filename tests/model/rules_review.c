/* rules_review: reviews of access, and when shares were used, in the oracle.
 * SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

static uint64_t today(const struct o_case *k)
{
    return k->c->now / O_DAY_NS;
}

static void break_days(struct o_case *k)
{
    const uint64_t days = k->c->amount[0];
    o_break_if(k, k->c->has_amount[0] && days == 0, CH_REJ_amount_zero);
    o_break_if(k, k->c->has_amount[0] && days > LIMIT_SETTING_DAYS, CH_REJ_limit_reached);
}

static void set_review(struct o_case *k)
{
    const uint64_t days = k->c->has_amount[0] ? k->c->amount[0] : 0;
    break_days(k);
    if (k->code != 0 || days == k->on->review_days) return;
    o_event(k, CH_EV_review_set, k->on->id);
    k->on->review_days = days;
}

/* The shortest time of the account and those above it; 0: none says any. */
static uint64_t every_days(const struct o_case *k)
{
    uint64_t shortest = 0;
    for (uint64_t a = k->on->id; a != 0; a = o_account(k->w, a)->parent) {
        const uint64_t days = o_account(k->w, a)->review_days;
        if (days != 0 && (shortest == 0 || days < shortest)) shortest = days;
    }
    return shortest;
}

static bool is_owners(const struct o_case *k, const struct o_share *s)
{
    return k->on->parent == 0 && s->subject_kind == CH_subject_kind_user &&
           o_owner(k->w, k->on->id) == s->subject;
}

/* The rules of both, for each share that is listed; false: there is nothing more to look at. */
static bool judge(struct o_case *k)
{
    for (uint32_t i = 0; i < k->c->listed_count; i++) {
        const struct o_share *s = o_share_id(k->w, k->c->listed[i]);
        o_break_if(k, s == NULL || s->account != k->on->id, CH_REJ_not_found);
    }
    for (uint32_t i = 0; i < k->c->listed_count && k->code == 0; i++) {
        const struct o_share *s = o_share_id(k->w, k->c->listed[i]);
        o_break_if(k, s->status == CH_share_status_pending, CH_REJ_not_accepted);
    }
    if (k->code != 0) return false;
    for (uint32_t i = 0; i < k->c->listed_count; i++) {
        const struct o_share *s = o_share_id(k->w, k->c->listed[i]);
        o_break_if(k, o_is_of_actor(k, s->subject_kind, s->subject), CH_REJ_own_rights);
        o_break_if(k, is_owners(k, s), CH_REJ_owner_share);
    }
    o_break_if(k, k->c->listed_count == 0, CH_REJ_nothing_to_set);
    return true;
}

static void certify(struct o_case *k)
{
    if (!judge(k)) return;
    for (uint32_t i = 0; i < k->c->listed_count; i++) {
        const struct o_share *s = o_share_id(k->w, k->c->listed[i]);
        o_break_if(k, !o_covers_share(k, s) || !o_covers_memberships(k, s),
                   CH_REJ_uncovered_scopes);
    }
    if (k->code != 0) return;
    o_event(k, CH_EV_access_certified, k->on->id);
    for (uint32_t i = 0; i < k->c->listed_count; i++) {
        struct o_share *s = o_share_id(k->w, k->c->listed[i]);
        s->certified = true;
        s->certified_day = today(k);
        s->certified_by = o_person(k->w, k->c->actor_kind, k->c->actor);
    }
}

static bool is_idle(const struct o_case *k, const struct o_share *s)
{
    const uint64_t every = every_days(k);
    if (k->c->has_amount[0] && today(k) >= s->used_day + k->c->amount[0]) return true;
    return k->c->has_flag && k->c->flag && every != 0 && today(k) >= s->certified_day + every;
}

static void end_listed(struct o_case *k)
{
    const struct o_command *c = k->c;
    if (!judge(k)) return;
    /* All of them at once must give nobody back what the actor does not have. */
    static struct o_world copy;
    struct o_world *after = &copy;
    for (uint32_t i = 0; i < c->listed_count; i++) {
        o_break_if(k, !o_may_go(k, o_share_id(k->w, c->listed[i])), CH_REJ_uncovered_scopes);
    }
    *after = *k->w;
    for (uint32_t i = 0; i < c->listed_count; i++) {
        struct o_share *s = o_share_id(after, c->listed[i]);
        if (s != NULL) o_end_share(after, s);
    }
    for (size_t u = 0; u < k->w->user_count && k->code == 0; u++) {
        CH_CHECK(o_gives_nothing_back(k, after, k->w->users[u].id));
    }
    o_break_if(k, !c->has_amount[0] && !(c->has_flag && c->flag), CH_REJ_fields_disagree);
    break_days(k);
    for (uint32_t i = 0; i < c->listed_count && k->code == 0; i++) {
        o_break_if(k, !is_idle(k, o_share_id(k->w, c->listed[i])), CH_REJ_in_use);
    }
    for (uint32_t i = 0; i < c->listed_count && k->code == 0; i++) {
        struct o_share *s = o_share_id(k->w, c->listed[i]);
        if (s == NULL) continue; /* named twice */
        o_event(k, CH_EV_share_ended, k->on->id);
        o_end_share(k->w, s);
    }
}

void o_review_rules(struct o_case *k)
{
    if (k->c->type == CH_CMD_access_set_review) set_review(k);
    if (k->c->type == CH_CMD_access_certify) certify(k);
    if (k->c->type == CH_CMD_access_review_end) end_listed(k);
}

static void use(struct o_case *k, struct o_share *s)
{
    s->used = true;
    s->used_day = today(k);
}

/* The person's own shares by which they are in the group of the share that was used. */
static void use_memberships(struct o_case *k, const struct o_question *q, uint64_t group)
{
    for (size_t i = 0; i < O_MEMBERS; i++) {
        const struct o_member *m = &k->w->members[i];
        if (m->group == 0 || m->user != q->user || !o_group_in(k->w, m->group, group)) continue;
        struct o_share *own =
            o_share(k->w, CH_subject_kind_user, q->user, o_group(k->w, m->group)->account);
        if (!o_counts(own, q->now)) continue;
        if (own->kind != CH_share_kind_login || q->channel == CH_channel_web) use(k, own);
    }
}

/* A command of a person is a use of every share that counts and leads them where it was sent, and
 * of those that make them a member of such a share's group. */
void o_note_use(struct o_case *k)
{
    if (!o_is_person(k) || k->out->count == 0 || k->out->accounts[0] == 0) return;
    struct o_question q = o_about_actor(k, k->out->accounts[0]);
    if (k->out->tags[0] == CH_EV_account_opened) {
        q.account = o_account(k->w, q.account)->parent; /* it is opened for the one above */
    }
    for (size_t i = 0; i < O_SHARES && q.account != 0; i++) {
        struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || !o_leads(k->w, &q, s)) continue;
        use(k, s);
        if (s->subject_kind == CH_subject_kind_group) use_memberships(k, &q, s->subject);
    }
}
