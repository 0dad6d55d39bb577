/* step_call: a step of a change as a command, and who could send it; see steps.h.
 * SPDX-License-Identifier: MIT
 * Who could is decided by the command's own rules. */
#include "daemon/core/decide_impl.h"
#include "daemon/core/fact.h"
#include "daemon/core/steps.h"

/* The arguments of the one command that is being made; each is among those of its type. */
struct making {
    struct ch_asking *q;
    const struct ch_step *step;
    void *args;
};

static struct ch_ref user_of(const struct making *m)
{
    const uint32_t row = m->step->user;
    return (struct ch_ref){.id = row == 0 ? 0 : ch_user_row(m->q->state, row)->id};
}

static struct ch_ref group_of(const struct making *m)
{
    const uint32_t row = m->step->group;
    return (struct ch_ref){.id = row == 0 ? 0 : ch_group_row(m->q->state, row)->id};
}

static struct ch_ref account_of(const struct making *m)
{
    const uint32_t row = m->step->account;
    return (struct ch_ref){.id = row == 0 ? 0 : ch_account_row(m->q->state, row)->id};
}

/* Somebody from elsewhere is called in by name. */
static struct ch_ref called_in(const struct making *m)
{
    struct ch_ref ref = user_of(m);
    ref.name = ch_text_of("by name");
    return ref;
}

#define OF_USER(m) .has_user = true, .user = user_of(m)
#define OF_SUBJECT(m)                                                                              \
    .has_user = (m)->step->user != 0, .user = user_of(m), .has_group = (m)->step->group != 0,      \
    .group = group_of(m)
#define MAKE(m, ident, ...)                                                                        \
    do {                                                                                           \
        struct ch_cmd_##ident *made = ch_take((m)->q, 1, sizeof *made);                            \
        if (made != NULL) *made = (struct ch_cmd_##ident){__VA_ARGS__};                            \
        (m)->args = made;                                                                          \
    } while (false)

static const struct ch_named reason = {.text = {CH_STEP_WORDS, sizeof CH_STEP_WORDS - 1}};

struct ch_text ch_step_name(struct ch_asking *q, uint32_t on)
{
    struct ch_text name = ch_text_of(CH_STEP_WORDS);
    for (uint64_t n = 2; ch_find_key_name(q->state, on, name) != 0 && !q->ret->no_memory; n++) {
        struct ch_sentence s = {.len = 0};
        ch_say_number(&s, CH_STEP_WORDS " ", n);
        name = ch_said(q, &s);
    }
    return name;
}

static void make_share(struct making *m)
{
    const struct ch_step *step = m->step;
    switch (step->type) {
    case CH_CMD_share_give: MAKE(m, share_give, .has_user = true, .user = called_in(m)); return;
    case CH_CMD_share_activate: MAKE(m, share_activate, OF_SUBJECT(m)); return;
    case CH_CMD_share_set_expiry: MAKE(m, share_set_expiry, OF_SUBJECT(m)); return;
    case CH_CMD_share_set_scopes:
        MAKE(m, share_set_scopes, OF_USER(m), .scopes = step->scopes);
        return;
    case CH_CMD_share_grant:
        MAKE(m, share_grant, OF_USER(m), .kind = step->kind, .resource = step->resource,
             .scopes = step->scopes);
        return;
    case CH_CMD_share_restrict:
        MAKE(m, share_restrict, OF_SUBJECT(m), .has_scopes = true, .scopes = step->scopes);
        return;
    default: return;
    }
}

static void make_other(struct making *m)
{
    const struct ch_step *step = m->step;
    const bool keyed = step->key != 0;
    struct ch_key_id key = {0};
    if (keyed) key.seq = ch_key_row(m->q->state, step->key)->id;
    switch (step->type) {
    case CH_CMD_guardrail_set: MAKE(m, guardrail_set, .scopes = step->scopes); return;
    case CH_CMD_account_set_switches:
        MAKE(m, account_set_switches, .account = account_of(m), .has_content_locked = true);
        return;
    case CH_CMD_account_resume: MAKE(m, account_resume, .reason = reason); return;
    case CH_CMD_stream_resume:
        MAKE(m, stream_resume, .stream = step->stream, .has_key = keyed, .key = key,
             .reason = reason);
        return;
    case CH_CMD_account_reopen: MAKE(m, account_reopen, .has_below = false); return;
    case CH_CMD_plan_change: MAKE(m, plan_change, .has_paid = true, .paid = true); return;
    case CH_CMD_user_unlock: MAKE(m, user_unlock, .user = user_of(m)); return;
    case CH_CMD_invitation_resend: MAKE(m, invitation_resend, .user = user_of(m)); return;
    case CH_CMD_key_create:
        MAKE(m, key_create, .name = ch_step_name(m->q, step->on), .has_kind = step->master,
             .kind = CH_key_kind_master, .scopes = step->scopes);
        return;
    case CH_CMD_ownership_offer: MAKE(m, ownership_offer, .user = called_in(m)); return;
    case CH_CMD_ownership_assign: MAKE(m, ownership_assign, .user = user_of(m)); return;
    case CH_CMD_ownership_accept: MAKE(m, ownership_accept, .account = account_of(m)); return;
    default: return;
    }
}

bool ch_step_call(struct ch_asking *q, const struct ch_step *step, struct ch_call *ret)
{
    struct making m = {.q = q, .step = step};
    if (step->type < 0) return false;
    make_share(&m);
    if (m.args == NULL) make_other(&m);
    if (m.args == NULL) return false;
    *ret = (struct ch_call){.type = step->type, .has_on = ch_calls[step->type].on, .args = m.args};
    if (ret->has_on) ret->on.id = ch_account_row(q->state, step->on)->id;
    return true;
}

/* Whether they could add to the share that the step before would make. */
static bool may_add(struct ch_asking *q, const struct ch_step *step, const struct ch_call *call,
                    const struct ch_moment *moment)
{
    uint64_t read_seq = 0;
    struct ch_reject reject;
    struct ch_verdict verdict = {0};
    struct ch_case c = {.state = q->state,
                        .moment = moment,
                        .call = call,
                        .arena = q->arena,
                        .ret = &verdict,
                        .on = step->on};
    return ch_admit(q->state, moment, call, &read_seq, &reject) &&
           !ch_is_own(&c, CH_subject_kind_user, step->user) &&
           ch_may_add_scopes(&c, step->scopes,
                             step->type == CH_CMD_share_grant ? &step->resource : NULL);
}

bool ch_may_step(struct ch_asking *q, const struct ch_step *step, const struct ch_moment *moment)
{
    static const struct ch_bytes sealed = {(const uint8_t *)"sealed", 6};
    const struct ch_minted minted = {.sealed = sealed};
    const bool by_operator = moment->actor.kind == CH_actor_kind_operator;
    struct ch_moment when = *moment;
    struct ch_call call;
    uint64_t read_seq = 0;
    struct ch_verdict verdict = {0};
    when.minted = &minted;
    when.minted_count = 1;
    if (step->by == CH_step_by_nobody || step->by == CH_step_by_person) return false;
    if (step->by == CH_step_by_operator && !by_operator) return false;
    if (!ch_step_call(q, step, &call)) return false;
    if (step->is_new) return may_add(q, step, &call, &when);
    if (!ch_enter(q->state, &when, &call, &read_seq, &verdict.reject)) return false;
    ch_decide(q->state, &when, &call, q->arena, &verdict);
    if (verdict.no_memory) q->ret->no_memory = true;
    return !verdict.no_memory && verdict.reject.code == CH_REJ_none && verdict.count > 0;
}
