/* steps: see steps.h. SPDX-License-Identifier: MIT */
#include "daemon/core/steps.h"

#include "daemon/core/decide_impl.h"
#include "daemon/core/fact.h"
#include "schema/base/arena.h"

/* A change being put together. */
struct plan {
    struct ch_asking *q;
    const struct ch_explained *seen; /* what is looked at: with something supposed, or as it is */
    struct ch_text resource;
    struct ch_step *step;
    uint32_t count;
    struct ch_step spare;        /* what is beyond CH_STEPS_MOST */
    uint32_t user, key, account; /* of the question; rows */
    uint8_t scope;
    uint8_t told;     /* the scope that is told: of the way that is opened, one that implies it */
    uint32_t idle[2]; /* shares that are to count; rows, 0: none */
};

static struct ch_step *add(struct plan *p, int type, enum ch_step_by by, uint32_t on)
{
    if (p->count == CH_STEPS_MOST) return &p->spare;
    struct ch_step *step = &p->step[p->count++];
    *step = (struct ch_step){.type = type, .by = (uint8_t)by, .on = on};
    return step;
}

/* A step on a share, the user's own or a group's. */
static struct ch_step *add_of_share(struct plan *p, int type, const struct ch_row_share *share)
{
    struct ch_step *step = add(p, type, CH_step_by_rights, share->account);
    if (share->subject_kind == CH_subject_kind_user) {
        step->user = share->subject;
    } else {
        step->group = share->subject;
    }
    return step;
}

static uint32_t own_share(const struct plan *p)
{
    return ch_find_share(p->q->state, CH_subject_kind_user, p->user, p->account);
}

/* ---- what denies, taken back ------------------------------------------------------------------
 * */

/* What a restriction or a guardrail leaves when the scope is taken out of it. Nothing takes
 * lists.select away alone. */
static struct ch_scopes without(struct ch_scopes denied, uint8_t scope)
{
    struct ch_scopes left = ch_scopes_but(denied, ch_scopes_of(scope));
    if (scope == CH_SCOPE_campaigns_send) {
        left = ch_scopes_but(left, ch_scopes_of(CH_SCOPE_lists_select));
    }
    return left;
}

static void lift_restriction(struct plan *p, uint32_t row, uint8_t scope)
{
    const struct ch_row_share *share = ch_share_row(p->q->state, row);
    struct ch_step *step = add_of_share(p, CH_CMD_share_restrict, share);
    step->scopes =
        without(ch_scopes_at(p->q->state, ch_terms_of(p->q->state, share)->denied), scope);
}

static void lift_bound(struct plan *p, const struct ch_evidence *fact, uint8_t scope)
{
    const struct ch_row_account *account = ch_account_row(p->q->state, fact->account);
    if (fact->kind == CH_fact_guardrail) {
        struct ch_step *step = add(p, CH_CMD_guardrail_set, CH_step_by_rights, fact->account);
        step->scopes =
            ch_scopes_but(ch_scopes_at(p->q->state, account->guardrail), ch_scopes_of(scope));
        return;
    }
    struct ch_step *step = add(p, CH_CMD_account_set_switches, CH_step_by_rights, account->parent);
    step->account = fact->account;
}

static void lift_stream(struct plan *p, const struct ch_evidence *fact)
{
    const struct ch_row_stream *stream = ch_stream_row(p->q->state, fact->stream);
    const bool by_operator = stream->stopped_seq[CH_authority_operator] == fact->seq;
    struct ch_step *step =
        add(p, CH_CMD_stream_resume, by_operator ? CH_step_by_operator : CH_step_by_rights,
            stream->account);
    step->has_stream = true;
    step->stream = (uint8_t)stream->stream;
    if (stream->key != 0) step->key = ch_find_key(p->q->state, stream->key);
}

static void lift_suspension(struct plan *p, const struct ch_evidence *fact)
{
    const struct ch_row_account *account = ch_account_row(p->q->state, fact->account);
    const bool by_operator = account->suspended_seq[CH_authority_operator] == fact->seq;
    (void)add(p, CH_CMD_account_resume, by_operator ? CH_step_by_operator : CH_step_by_rights,
              fact->account);
}

static bool is_pending(const struct plan *p, uint32_t share)
{
    return share != 0 && ch_share_row(p->q->state, share)->status == CH_share_status_pending;
}

/* The user accepts an invitation; a deleted login never does, nor does who was erased. */
static void lift_user(struct plan *p, enum ch_fact kind)
{
    const struct ch_row_user *user = ch_user_row(p->q->state, p->user);
    if (kind == CH_fact_user_locked) {
        add(p, CH_CMD_user_unlock, CH_step_by_operator, 0)->user = p->user;
    } else if (user->status == CH_user_status_invited) {
        if (is_pending(p, p->idle[0]) || is_pending(p, p->idle[1])) return; /* accepted below */
        add(p, CH_CMD_invitation_accept, CH_step_by_person, 0)->user = p->user;
    } else {
        add(p, -1, CH_step_by_nobody, 0)->user = p->user;
    }
}

static void lift(struct plan *p, const struct ch_evidence *fact, uint8_t scope)
{
    switch (fact->kind) {
    case CH_fact_restriction: lift_restriction(p, fact->share, scope); return;
    case CH_fact_guardrail:
    case CH_fact_content_lock: lift_bound(p, fact, scope); return;
    case CH_fact_suspended: lift_suspension(p, fact); return;
    case CH_fact_unpaid:
        (void)add(p, CH_CMD_plan_change, CH_step_by_operator, fact->account);
        return;
    case CH_fact_stream_stopped: lift_stream(p, fact); return;
    case CH_fact_account_closed:
        (void)add(p, CH_CMD_account_reopen, CH_step_by_operator, fact->account);
        return;
    case CH_fact_user_locked:
    case CH_fact_user_erased:
    case CH_fact_login_deleted:
    case CH_fact_not_accepted: lift_user(p, (enum ch_fact)fact->kind); return;
    default: (void)add(p, -1, CH_step_by_nobody, 0); return; /* another login never has it */
    }
}

/* ---- which way ------------------------------------------------------------------------------ */

static bool is_denied_by(const struct plan *p, const struct ch_way *way, uint32_t place)
{
    const struct ch_explained *e = p->seen;
    const struct ch_evidence *fact = &e->fact[place];
    const uint8_t scope = way == NULL ? p->scope : way->scope;
    const bool own = way == NULL ? ch_denies_supposed(fact, scope)
                                 : ch_denies_way(fact, &e->fact[way->giver], scope);
    return (own || ch_denies_all(e, fact, scope)) && !(ch_is_repeated(e, place) && !own);
}

enum { UNCHANGEABLE = 1 << 20 }; /* more than there can be facts that deny one way */

/* How much denies a way: facts, and far more for what nobody can change. */
static uint32_t cost(const struct plan *p, const struct ch_way *way)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < p->seen->fact_count; i++) {
        if (!is_denied_by(p, way, i)) continue;
        const uint8_t kind = p->seen->fact[i].kind;
        sum += kind == CH_fact_other_login || kind == CH_fact_master_key ? UNCHANGEABLE : 1;
    }
    return sum;
}

static const struct ch_way *cheapest(const struct plan *p)
{
    const struct ch_way *best = NULL;
    uint32_t least = 0;
    for (uint32_t i = 0; i < p->seen->way_count; i++) {
        const struct ch_way *way = &p->seen->way[i];
        const uint32_t sum = cost(p, way);
        if (best != NULL && sum >= least) continue;
        best = way;
        least = sum;
    }
    return best;
}

/* Takes back what denies the way, or, without one, what would deny a grant.
 * besides: the scope comes from elsewhere than a share of the account, so that nothing of the
 * user's shares there denies it, nor what binds the account
 * Closed accounts come from the account asked about upwards, and are reopened from the top. */
static void take_back(struct plan *p, const struct ch_way *way, bool besides)
{
    const uint8_t scope = way == NULL ? p->scope : way->scope;
    for (uint32_t i = p->seen->fact_count; i-- > 0;) {
        const struct ch_evidence *fact = &p->seen->fact[i];
        if (fact->kind == CH_fact_account_closed) lift(p, fact, scope);
    }
    for (uint32_t i = 0; i < p->seen->fact_count; i++) {
        const struct ch_evidence *fact = &p->seen->fact[i];
        if (fact->kind == CH_fact_account_closed || !is_denied_by(p, way, i)) continue;
        const bool of_share = fact->kind == CH_fact_restriction ||
                              fact->kind == CH_fact_other_login ||
                              ch_denies_supposed(fact, p->scope);
        if (besides && of_share) continue;
        lift(p, fact, scope);
    }
}

/* ---- what is missing, given -------------------------------------------------------------------
 * */

/* A share comes to count. */
static void activate(struct plan *p, uint32_t row)
{
    const struct ch_state *state = p->q->state;
    const struct ch_row_share *share = ch_share_row(state, row);
    if (share->status == CH_share_status_pending) {
        const struct ch_row_invitation *last = ch_invitation_of(state, share->seat);
        const bool over = last->open_until <= p->q->moment->now;
        if (over) (void)add_of_share(p, CH_CMD_invitation_resend, share);
        add(p, CH_CMD_invitation_accept, CH_step_by_person, 0)->user = p->user;
        return;
    }
    if (share->status == CH_share_status_inactive) {
        (void)add_of_share(p, CH_CMD_share_activate, share);
    }
    if (ch_is_over(state, share, p->q->moment->now)) {
        (void)add_of_share(p, CH_CMD_share_set_expiry, share);
    }
}

/* Whether the user's share of the account is an other login that does not work over the channel. */
static bool is_elsewhere(const struct plan *p, uint32_t row)
{
    return row != 0 && ch_share_row(p->q->state, row)->kind == CH_share_kind_login &&
           p->seen->question.channel != CH_channel_web;
}

/* Just this scope: on the resource, or beside the role of the user's share. */
static void give(struct plan *p, uint32_t row)
{
    const struct ch_state *state = p->q->state;
    const uint8_t kind = ch_meta(state)->scope_kinds[p->scope];
    const bool granted = p->seen->question.has_resource && kind != CH_resource_kind_none;
    struct ch_step *step = add(p, granted ? CH_CMD_share_grant : CH_CMD_share_set_scopes,
                               CH_step_by_rights, p->account);
    step->user = p->user;
    step->is_new = row == 0;
    step->scopes = ch_scopes_of(p->scope);
    if (granted) {
        const uint32_t text = ch_text_find(state, p->resource);
        const uint32_t known = row == 0 || text == 0 ? 0 : ch_find_grant(state, row, kind, text);
        step->kind = kind;
        step->resource = p->resource;
        if (known == 0) return;
        step->scopes =
            ch_scopes_or(step->scopes, ch_scopes_at(state, ch_grant_row(state, known)->scopes));
    } else if (row != 0) {
        step->scopes = ch_scopes_or(
            step->scopes, ch_scopes_at(state, ch_terms_of(state, ch_share_row(state, row))->own));
    }
}

static void give_what_lacks(struct plan *p, enum ch_lack lack)
{
    const uint32_t row = own_share(p);
    if (is_elsewhere(p, row)) {
        add(p, -1, CH_step_by_person, p->account)->user = p->user;
        return;
    }
    if (row == 0) {
        add(p, CH_CMD_share_give, CH_step_by_rights, p->account)->user = p->user;
    } else {
        activate(p, row);
    }
    if (lack == CH_LACK_grant) give(p, row);
}

/* Whether the owner of the tree can offer it: in person, and not to themselves. */
static bool can_offer(const struct plan *p, uint32_t root)
{
    const uint32_t row = ch_owner_share(p->q->state, root);
    if (row == 0) return false;
    const struct ch_row_share *share = ch_share_row(p->q->state, row);
    return share->subject != p->user && share->status == CH_share_status_active &&
           ch_user_row(p->q->state, share->subject)->status == CH_user_status_active;
}

/* Only the owner has it: they offer the tree, and the user accepts; where they cannot, the operator
 * assigns it. All else that the user has in it ends then, with what that denies. */
static void make_owner(struct plan *p)
{
    const uint32_t root = ch_root_of(p->q->state, p->account);
    take_back(p, NULL, /* besides= */ true);
    if (!can_offer(p, root)) {
        add(p, CH_CMD_ownership_assign, CH_step_by_operator, root)->user = p->user;
        return;
    }
    add(p, CH_CMD_ownership_offer, CH_step_by_rights, root)->user = p->user;
    struct ch_step *step = add(p, CH_CMD_ownership_accept, CH_step_by_person, 0);
    step->user = p->user;
    step->account = root;
}

/* ---- in words -------------------------------------------------------------------------------- */

static void say_target(struct plan *p, struct ch_sentence *s, const struct ch_step *step)
{
    uint32_t share = 0;
    if (step->user != 0) {
        share = ch_find_share(p->q->state, CH_subject_kind_user, step->user, step->on);
    } else if (step->group != 0) {
        share = ch_find_share(p->q->state, CH_subject_kind_group, step->group, step->on);
    }
    if (share != 0) {
        ch_say_share(p->q, s, share);
        return;
    }
    ch_say(s, "the user's new share of ");
    ch_say_account(p->q, s, step->on);
}

static void say_scope(const struct plan *p, struct ch_sentence *s)
{
    ch_say_scopes(s, ch_scopes_of(p->told));
}

static void say_on(struct plan *p, struct ch_sentence *s, const char *before, uint32_t account,
                   const char *after)
{
    ch_say(s, before);
    ch_say_account(p->q, s, account);
    ch_say(s, after);
}

static void say_share_step(struct plan *p, struct ch_sentence *s, const struct ch_step *step)
{
    if (step->type == CH_CMD_share_give) {
        say_on(p, s, "give the user a share of ", step->on, ", without a role");
    } else if (step->type == CH_CMD_share_activate) {
        ch_say(s, "activate ");
        say_target(p, s, step);
    } else if (step->type == CH_CMD_share_set_expiry) {
        ch_say(s, "take away the end of ");
        say_target(p, s, step);
        ch_say(s, ", or give it a later one");
    } else if (step->type == CH_CMD_share_restrict) {
        ch_say(s, "take ");
        say_scope(p, s);
        ch_say(s, " out of the restriction of ");
        say_target(p, s, step);
    } else {
        ch_say(s, "add ");
        say_scope(p, s);
        if (step->type == CH_CMD_share_grant) {
            ch_say(s, " on ");
            ch_say(s, ch_enum_name(CH_KIND_resource_kind, step->kind));
            ch_say(s, " ");
            ch_say_text(s, step->resource);
        }
        ch_say(s, " to ");
        say_target(p, s, step);
    }
}

static void say_none(struct plan *p, struct ch_sentence *s, const struct ch_step *step)
{
    if (p->key != 0) {
        ch_say(s, "nothing: no key may do it, only a person");
    } else if (step->by == CH_step_by_person) {
        ch_say(s, "do it over the web: the user is an other login");
    } else if (p->user != 0 && step->user != 0) {
        const bool erased = ch_user_row(p->q->state, p->user)->status == CH_user_status_erased;
        ch_say(s, erased ? "nothing: the user was erased" : "nothing: the login is deleted");
    } else {
        ch_say(s, "nothing: an other login never has it");
    }
}

static void say_step(struct plan *p, struct ch_sentence *s, const struct ch_step *step)
{
    const bool by_operator = step->by == CH_step_by_operator;
    switch (step->type) {
    case CH_CMD_share_give:
    case CH_CMD_share_activate:
    case CH_CMD_share_set_expiry:
    case CH_CMD_share_restrict:
    case CH_CMD_share_grant:
    case CH_CMD_share_set_scopes: say_share_step(p, s, step); return;
    case CH_CMD_guardrail_set:
        ch_say(s, "take ");
        say_scope(p, s);
        say_on(p, s, " out of the guardrail of ", step->on, "");
        return;
    case CH_CMD_account_set_switches:
        say_on(p, s, "unlock the content of ", step->account, "");
        return;
    case CH_CMD_account_resume:
        say_on(p, s, "resume ", step->on,
               by_operator ? ", which the operator suspended, and say why"
                           : ", which the customer suspended, and say why");
        return;
    case CH_CMD_stream_resume:
        ch_say(s, step->stream == CH_mail_stream_marketing ? "resume the marketing mail of "
                                                           : "resume the transactional mail of ");
        say_on(p, s, "", step->on,
               by_operator ? ", which the operator stopped, and say why"
                           : ", which the customer stopped, and say why");
        return;
    case CH_CMD_account_reopen: say_on(p, s, "reopen ", step->on, ""); return;
    case CH_CMD_plan_change: say_on(p, s, "make the plan of ", step->on, " a paid one"); return;
    case CH_CMD_user_unlock: ch_say(s, "unlock the user"); return;
    case CH_CMD_invitation_resend:
        say_on(p, s, "send the invitation to ", step->on, " again");
        return;
    case CH_CMD_invitation_accept: ch_say(s, "the user accepts the invitation"); return;
    case CH_CMD_ownership_assign:
        say_on(p, s, "make the user the owner of ", step->on, ": only its owner has it");
        return;
    case CH_CMD_key_create:
        say_on(p, s, step->master ? "make a master key of " : "make another key of ", step->on,
               " with ");
        say_scope(p, s);
        return;
    case CH_CMD_ownership_offer:
        say_on(p, s, "offer the user the ownership of ", step->on, ": only its owner has it");
        return;
    case CH_CMD_ownership_accept: ch_say(s, "the user accepts the ownership"); return;
    default: say_none(p, s, step); return;
    }
}

/* The scopes of a key do not change, nor does its kind: another key of the account has it. */
static bool replace_key(struct plan *p)
{
    struct ch_question question = p->seen->question;
    question.key = 0;
    question.as_given = true;
    struct ch_explained *other = ch_take(p->q, 1, sizeof *other);
    if (other == NULL || !ch_explain(p->q, &question, other)) return false;
    p->seen = other;
    p->told = p->scope;
    const bool never = ch_scopes_has(ch_key_never(CH_key_kind_master), p->scope);
    const bool master = ch_scopes_has(ch_key_never(CH_key_kind_account), p->scope);
    const bool levels = ch_levels_below(p->q->state, p->account) > 0;
    const uint32_t on = master && !levels ? ch_root_of(p->q->state, p->account) : p->account;
    take_back(p, NULL, /* besides= */ on != p->account);
    struct ch_step *step =
        add(p, never ? -1 : CH_CMD_key_create, never ? CH_step_by_nobody : CH_step_by_rights, on);
    step->scopes = ch_scopes_of(p->scope);
    step->master = master;
    return true;
}

/* What has to change, as steps without words; false: no memory. */
static bool find_steps(struct plan *p, const struct ch_explained *e)
{
    struct ch_explained *supposed = ch_take(p->q, 1, sizeof *supposed);
    enum ch_lack lack = CH_LACK_nothing;
    if (supposed == NULL || !ch_explain_lack(p->q, e, supposed, &lack)) return false;
    if (lack != CH_LACK_nothing) p->seen = supposed;
    const struct ch_way *way = lack == CH_LACK_grant ? NULL : cheapest(p);
    const bool owners = !ch_scopes_empty(ch_owners_own(e->question.wanted));
    if (p->key != 0 && (way == NULL || cost(p, way) >= UNCHANGEABLE)) return replace_key(p);
    if (lack == CH_LACK_grant && owners) {
        make_owner(p);
        return true;
    }
    p->told = way != NULL ? way->scope : p->scope;
    if (lack != CH_LACK_nothing) p->idle[0] = own_share(p);
    take_back(p, way, /* besides= */ false);
    if (lack != CH_LACK_nothing) give_what_lacks(p, lack);
    return true;
}

enum { IDLE_MOST = 256 }; /* tries of shares that do not count */

/* How long a change is; one that nobody can make is longer than any. */
static uint32_t length(const struct plan *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->step[i].by == CH_step_by_nobody) return UNCHANGEABLE;
    }
    return p->count;
}

/* The change by which these shares come to count. false: no memory */
static bool find_idle_steps(struct plan *p, const struct ch_question *asked,
                            const struct ch_idle *idle)
{
    struct ch_question question = *asked;
    struct ch_explained *supposed = ch_take(p->q, 1, sizeof *supposed);
    memcpy(p->idle, idle->share, sizeof p->idle);
    memcpy(question.counted, idle->share, sizeof question.counted);
    if (supposed == NULL || !ch_explain(p->q, &question, supposed)) return false;
    p->seen = supposed;
    const struct ch_way *way = cheapest(p);
    CH_CHECK(way != NULL); /* by which the shares were found */
    p->told = way->scope;
    take_back(p, way, /* besides= */ false);
    for (int i = 0; i < 2; i++) {
        if (p->idle[i] != 0) activate(p, p->idle[i]);
    }
    return true;
}

/* Looks whether it takes fewer steps that shares come to count that do not, here or above, the
 * user's own or a group's. What is there comes before what would be new: where as many steps would
 * do, they come to count. Of very many only the first are tried, and of two shares none where one
 * has done it in two steps. */
static bool find_idle(struct plan *best, const struct ch_explained *e)
{
    struct ch_idle *idle = NULL;
    uint32_t count = 0;
    struct ch_arena arena = {0}; /* of one try, given back before the next */
    struct ch_asking scratch = *best->q;
    const struct plan blank = {.q = &scratch,
                               .resource = best->resource,
                               .step = ch_take(best->q, CH_STEPS_MOST, sizeof *best->step),
                               .user = best->user,
                               .account = best->account,
                               .scope = best->scope};
    uint32_t bound = length(best) + 1; /* the first one may be as long */
    if (blank.step == NULL || !ch_explain_idle(best->q, e, &idle, &count)) return false;
    scratch.arena = &arena;
    bool good = true;
    for (uint32_t i = 0; i < count && i < IDLE_MOST && good; i++) {
        struct plan p = blank;
        const uint32_t least = idle[i].share[1] == 0 ? 1 : 2;
        if (bound <= least) break;
        good = find_idle_steps(&p, &e->question, &idle[i]);
        const uint32_t found = good ? length(&p) : bound;
        if (found < bound) {
            memcpy(best->step, p.step, p.count * sizeof *p.step);
            best->count = p.count;
            best->told = p.told;
            bound = found;
        }
        ch_arena_reset(&arena);
    }
    ch_arena_deinit(&arena);
    return good;
}

uint32_t ch_least_steps(struct ch_asking *q, const struct ch_explained *e, struct ch_text resource,
                        struct ch_step steps[CH_STEPS_MOST])
{
    struct plan p = {.q = q,
                     .seen = e,
                     .resource = resource,
                     .step = steps,
                     .user = e->question.user,
                     .key = e->question.key,
                     .account = e->question.account};
    if (e->answer.decision == CH_decision_allowed) return 0;
    while (!ch_scopes_has(e->question.wanted, p.scope)) {
        p.scope++;
    }
    if (!find_steps(&p, e) || !find_idle(&p, e)) return 0;
    for (uint32_t i = 0; i < p.count; i++) {
        if (steps[i].by != CH_step_by_nobody) continue;
        steps[0] = steps[i]; /* then nothing else helps */
        p.count = 1;
    }
    for (uint32_t i = 0; i < p.count; i++) {
        struct ch_sentence s;
        s.len = 0;
        say_step(&p, &s, &steps[i]);
        steps[i].text = ch_said(q, &s);
    }
    return q->ret->no_memory ? 0 : p.count;
}
