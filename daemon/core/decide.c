/* decide: see decide.h. Admission, dispatch and what all rules share. SPDX-License-Identifier:
 * MIT */
#include "daemon/core/decide_impl.h"

#include "daemon/core/apply.h"
#include "daemon/core/decide_plan.h"
#include "schema/limits.h"
#include "schema/promise.h"

enum ch_rejection_code ch_reject(struct ch_case *c, enum ch_rejection_code code, const char *field)
{
    c->ret->reject = (struct ch_reject){.code = code, .field = field};
    c->ret->count = 0;
    return code;
}

enum ch_rejection_code ch_reject_scopes(struct ch_case *c, enum ch_rejection_code code,
                                        const char *field, struct ch_scopes scopes)
{
    (void)ch_reject(c, code, field);
    c->ret->reject.scopes = scopes;
    return code;
}

enum ch_rejection_code ch_reject_limit(struct ch_case *c, const char *limit, const char *field)
{
    (void)ch_reject(c, CH_REJ_limit_reached, field);
    c->ret->reject.limit = limit;
    return CH_REJ_limit_reached;
}

void *ch_emit(struct ch_case *c, enum ch_event_tag tag, uint64_t account)
{
    struct ch_verdict *ret = c->ret;
    const uint32_t known = ret->count;
    struct ch_event *events = ret->events;
    if ((known & (known - 1)) == 0) { /* 0, 1, 2, 4, 8 …: the array is full and doubles */
        events = ch_arena_take(c->arena, (known == 0 ? 1 : 2 * (size_t)known) * sizeof *events);
        if (events != NULL && known > 0) memcpy(events, ret->events, known * sizeof *events);
    }
    void *body = ch_arena_take(c->arena, ch_events[tag].record.size);
    if (events == NULL || body == NULL) {
        ret->no_memory = true;
        return NULL;
    }
    struct ch_event *event = &events[known];
    event->seq = ch_meta(c->state)->head + 1 + known;
    event->at = c->moment->now;
    event->tag = (uint16_t)tag;
    event->channel = c->moment->channel;
    event->actor = c->moment->actor;
    event->account = account;
    event->body = body;
    if (known > 0 && c->call != NULL) {
        event->cause.kind = CH_CAUSE_EVENT;
        event->cause.first = events[0].seq;
    } else if (c->call != NULL) {
        event->cause.kind = CH_CAUSE_COMMAND;
        event->cause.index = c->moment->index;
        memcpy(event->cause.id, c->moment->id, sizeof event->cause.id);
        memcpy(event->cause.fingerprint, c->moment->fingerprint, sizeof event->cause.fingerprint);
        event->note = c->call->note;
    }
    ret->events = events;
    ret->count = known + 1;
    return body;
}

/* The row of the same text in another state. */
static uint32_t text_there(const struct ch_state *from, uint32_t text, const struct ch_state *to)
{
    char chars[128];
    const size_t len = ch_chain_get(from, CH_T_TEXT, text, chars, sizeof chars);
    return ch_text_find(to, (struct ch_text){chars, len});
}

void ch_actor_access(const struct ch_state *state, const struct ch_moment *moment,
                     const struct ch_question *question, struct ch_answer *ret)
{
    const struct ch_judge *judge = moment->judge;
    struct ch_question asked = *question;
    asked.user = moment->user_row;
    asked.key = moment->key_row;
    asked.channel = moment->channel;
    asked.now = moment->now;
    if (judge == NULL) {
        ch_access(state, &asked, ret, NULL, NULL);
        return;
    }
    *ret = (struct ch_answer){0};
    ret->decision = CH_decision_implicit_deny;
    ret->reason = CH_reason_no_share;
    asked.user = judge->user_row;
    asked.key = judge->key_row;
    asked.now = judge->now;
    asked.account = ch_find_account(judge->state, ch_account_row(state, question->account)->id);
    if (asked.resource != 0) asked.resource = text_there(state, asked.resource, judge->state);
    if (asked.account != 0) ch_access(judge->state, &asked, ret, NULL, NULL);
    ret->read_seq = 0; /* it is of another state, and durable */
}

/* A question about the actor's own rights on an account. */
static struct ch_answer ask(const struct ch_state *state, const struct ch_moment *moment,
                            uint32_t account, uint8_t reach, struct ch_scopes wanted,
                            const struct ch_text *resource, bool granting)
{
    struct ch_question question = {.account = account,
                                   .wanted = wanted,
                                   .granting = granting,
                                   .subtree_only = reach == CH_reach_subtree};
    if (resource != NULL) {
        question.has_resource = true;
        question.resource = ch_text_find(state, *resource);
    }
    struct ch_answer answer;
    ch_actor_access(state, moment, &question, &answer);
    return answer;
}

struct ch_scopes ch_uncovered(const struct ch_case *c, uint32_t account, uint8_t reach,
                              struct ch_scopes scopes, const struct ch_text *resource)
{
    if (!ch_is_bound(c->moment)) return (struct ch_scopes){{0, 0}};
    struct ch_answer answer =
        ask(c->state, c->moment, account, reach, scopes, resource, /* granting= */ true);
    struct ch_scopes given = answer.given;
    if (reach == CH_reach_subtree && c->moment->user_row != 0) {
        /* What is taken from the actor on the account alone, or further down, they lack there. */
        answer = ask(c->state, c->moment, account, CH_reach_account, scopes, resource, true);
        given = ch_scopes_and(given, answer.given);
        given = ch_scopes_but(given, ch_denied_below(c, c->moment->user_row, account));
    }
    return ch_scopes_but(scopes, given);
}

bool ch_may_there(struct ch_case *c, uint32_t account, uint8_t scope, const char *field)
{
    if (ch_is_bound(c->moment)) {
        const struct ch_answer answer =
            ask(c->state, c->moment, account, CH_reach_account, ch_scopes_of(scope),
                /* resource= */ NULL, /* granting= */ false);
        if (!answer.led) return ch_reject(c, CH_REJ_not_found, field) == CH_REJ_none;
        if (answer.decision != CH_decision_allowed && answer.reason != CH_reason_account_closed) {
            return ch_reject_scopes(c, CH_REJ_not_allowed, field, ch_scopes_of(scope)) ==
                   CH_REJ_none;
        }
    }
    return ch_is_open(c->state, account) ||
           ch_reject(c, CH_REJ_account_closed, field) == CH_REJ_none;
}

struct ch_scopes ch_undelegated(const struct ch_case *c, uint32_t account, struct ch_scopes scopes)
{
    struct ch_scopes missing = ch_uncovered(c, account, CH_reach_subtree, scopes, NULL);
    if (c->moment->key_row == 0) return missing;
    const struct ch_row_key *key = ch_key_row(c->state, c->moment->key_row);
    const struct ch_scopes masked = ch_scopes_and(ch_scopes_at(c->state, key->scopes),
                                                  ch_mask(c->state, CH_mask_kind_master_key));
    return ch_scopes_but(missing, masked);
}

bool ch_is_own(const struct ch_case *c, uint8_t subject_kind, uint32_t subject)
{
    const uint32_t person = ch_person_behind(c->state, &c->moment->actor);
    if (person == 0) return false;
    if (subject_kind == CH_subject_kind_user) return subject == person;
    const struct ch_row_group *group = ch_group_row(c->state, subject);
    uint32_t mine = ch_find_share(c->state, CH_subject_kind_user, person, group->account);
    if (mine == 0) return false;
    for (uint32_t m = ch_share_row(c->state, mine)->first_member; m != 0;
         m = ch_member_row(c->state, m)->next_of_share) {
        for (uint32_t g = ch_member_row(c->state, m)->group; g != 0;
             g = ch_group_row(c->state, g)->parent) {
            if (g == subject) return true;
        }
    }
    return false;
}

uint32_t ch_subject_share(struct ch_case *c, bool has_user, const struct ch_ref *user,
                          bool has_group, const struct ch_ref *group)
{
    if (has_user == has_group) {
        (void)ch_reject(c, CH_REJ_one_subject, "user");
        return 0;
    }
    uint32_t subject =
        has_user ? ch_find_user(c->state, user->id) : ch_find_group(c->state, group->id);
    uint32_t share = ch_find_share(
        c->state, has_user ? CH_subject_kind_user : CH_subject_kind_group, subject, c->on);
    if (share == 0) ch_reject(c, CH_REJ_not_a_member, has_user ? "user" : "group");
    return share;
}

static bool refuse(struct ch_reject *ret, enum ch_rejection_code code, const char *field)
{
    *ret = (struct ch_reject){.code = code, .field = field};
    return false;
}

/* While an import runs, only its own messages are decided; they carry its time. */
static bool may_run_in_import(const struct ch_call *call, const struct ch_moment *moment)
{
    return moment->imported || call->type == CH_CMD_import_begin ||
           call->type == CH_CMD_import_advance || call->type == CH_CMD_import_end;
}

/* The resource on which the call's scope is asked for; NULL: all of its kind. */
static const struct ch_text *resource_of(const struct ch_call *call)
{
    const struct ch_field *field = ch_call_resource(call->type);
    return field == NULL ? NULL : ch_field_at(field, call->args);
}

/* What the past needs beside the scope of the question; refuses otherwise. */
static bool may_ask_past(const struct ch_state *state, const struct ch_moment *moment, uint32_t on,
                         struct ch_reject *ret)
{
    const struct ch_scopes needed = ch_scopes_of(CH_SCOPE_access_explain);
    if (moment->judge == NULL) return true;
    if (ask(state, moment, on, CH_reach_account, needed, NULL, false).decision ==
        CH_decision_allowed) {
        return true;
    }
    (void)refuse(ret, CH_REJ_not_allowed, "on");
    ret->scopes = needed;
    return false;
}

bool ch_admit(const struct ch_state *state, const struct ch_moment *moment,
              const struct ch_call *call, uint64_t *read_seq, struct ch_reject *ret)
{
    const struct ch_call_row *row = &ch_calls[call->type];
    const bool operator= moment->actor.kind == CH_actor_kind_operator;
    const bool service = moment->actor.kind == CH_actor_kind_service;
    const uint32_t on = call->has_on ? ch_find_account(state, call->on.id) : 0;
    if (ch_is_bound(moment) && on != 0) {
        struct ch_answer answer = ask(state, moment, on, CH_reach_account, ch_scopes_of(row->scope),
                                      resource_of(call), /* granting= */ false);
        if (answer.read_seq > *read_seq) *read_seq = answer.read_seq;
        /* Who had access is told that it was revoked. */
        const bool told = call->type == CH_CMD_account_switch && ch_was_revoked(state, moment, on);
        if (!answer.led && !told) return refuse(ret, CH_REJ_not_found, "on");
        if (!may_ask_past(state, moment, on, ret)) return false;
        if (row->who == CH_WHO_SCOPE && row->query && answer.reason == CH_reason_account_closed) {
            return refuse(ret, CH_REJ_account_closed, "on"); /* a command meets this rule below */
        }
        if (row->who == CH_WHO_SCOPE && answer.decision != CH_decision_allowed &&
            answer.reason != CH_reason_account_closed) {
            (void)refuse(ret, CH_REJ_not_allowed, "on");
            ret->scopes = ch_scopes_of(row->scope);
            return false;
        }
    }
    if (row->who == CH_WHO_OPERATOR && !operator) return refuse(ret, CH_REJ_operator_only, NULL);
    if (row->who == CH_WHO_SERVICE && !operator&& !service) {
        return refuse(ret, CH_REJ_service_only, NULL);
    }
    if (row->who == CH_WHO_SELF && moment->actor.kind != CH_actor_kind_user) {
        return refuse(ret, CH_REJ_self_only, NULL);
    }
    if (row->who == CH_WHO_SELF && moment->user_row == 0) {
        return refuse(ret, CH_REJ_not_found, NULL); /* in the past asked about */
    }
    if (row->who == CH_WHO_SELF) {
        const struct ch_judge *judge = moment->judge;
        const struct ch_row_user *user = judge == NULL ? ch_user_row(state, moment->user_row)
                                                       : ch_user_row(judge->state, judge->user_row);
        if (user->changed > *read_seq) *read_seq = user->changed;
        if (user->status == CH_user_status_locked) return refuse(ret, CH_REJ_user_locked, NULL);
        if (user->status != CH_user_status_active) return refuse(ret, CH_REJ_not_accepted, NULL);
    }
    if (row->who == CH_WHO_SCOPE && service && !row->query) {
        return refuse(ret, CH_REJ_operator_only, NULL); /* a service acts as somebody */
    }
    if (row->query) return true;
    if (ch_meta(state)->importing != 0 && !may_run_in_import(call, moment)) {
        return refuse(ret, CH_REJ_import_running, NULL);
    }
    if (call->has_expect && on != 0 && ch_account_row(state, on)->set_seq != call->expect) {
        return refuse(ret, CH_REJ_conflict, "expect");
    }
    if (on != 0 && call->type != CH_CMD_account_reopen && !ch_is_open(state, on)) {
        return refuse(ret, CH_REJ_account_closed, "on");
    }
    return true;
}

/* The rule of each command: ch_decide_<ident>, in the decide_ file of its noun. */
static ch_rule_fn *const rules[CH_COMMANDS] = {
#define COMMAND_BEGIN(ident, type, who, scope, on, text) [CH_CMD_##ident] = ch_decide_##ident,
#define COMMAND_END(ident)
#include "schema/words_none.h"
#include "schema/commands.def"
};

void ch_decide(const struct ch_state *state, const struct ch_moment *moment,
               const struct ch_call *call, struct ch_arena *arena, struct ch_verdict *ret)
{
    *ret = (struct ch_verdict){0};
    struct ch_case c = {.state = state,
                        .moment = moment,
                        .call = call,
                        .arena = arena,
                        .ret = ret,
                        .on = call->has_on ? ch_find_account(state, call->on.id) : 0};
    CH_CHECK(call->type >= 0 && call->type < CH_COMMANDS);
    enum ch_rejection_code code = rules[call->type](&c);
    /* A rule that refused through a helper gives none; what counts is in ret. */
    CH_CHECK(code == CH_REJ_none || code == ret->reject.code);
    CH_CHECK(ret->reject.code == CH_REJ_none || ret->count == 0);
    if (ret->count > LIMIT_MESSAGE_EVENTS) (void)ch_reject_limit(&c, "MESSAGE_EVENTS", NULL);
}

void ch_decide_refused(const struct ch_state *state, const struct ch_moment *moment,
                       const struct ch_call *call, const struct ch_reject *reject,
                       struct ch_arena *arena, struct ch_verdict *ret)
{
    static const uint64_t hour_ns = 3600000000000u;
    *ret = (struct ch_verdict){0};
    uint32_t row = ch_find_refused(state, moment->actor.kind, moment->actor.id);
    if (row != 0) {
        const struct ch_row_refused *refused = ch_refused_row(state, row);
        bool same_hour = moment->now - refused->since < hour_ns;
        if (same_hour && refused->count >= LIMIT_REFUSED_PER_HOUR) return;
    }
    struct ch_case c = {.state = state, .moment = moment, .arena = arena, .ret = ret};
    const uint64_t account = call->has_on && reject->code != CH_REJ_not_found ? call->on.id : 0;
    struct ch_ev_command_refused *body = ch_emit(&c, CH_EV_command_refused, account);
    if (body == NULL) return;
    body->type = ch_text_of(ch_calls[call->type].args.name);
    body->rejection = (uint64_t)reject->code;
}

/* share_expired: a share has reached its end. */
static void share_due(struct ch_case *c, uint32_t terms)
{
    const uint32_t row = ch_terms_row(c->state, terms)->share;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    struct ch_ev_share_expired *body =
        ch_emit(c, CH_EV_share_expired, ch_account_row(c->state, share->account)->id);
    if (body != NULL) body->share.seq = share->id;
}

/* invitation_expired: an invitation can be accepted no longer. */
static void invitation_due(struct ch_case *c, uint32_t row)
{
    const uint32_t seat_row = ch_invitation_row(c->state, row)->seat;
    const struct ch_row_seat *seat = ch_seat_row(c->state, seat_row);
    struct ch_ev_invitation_expired *body =
        ch_emit(c, CH_EV_invitation_expired, ch_account_row(c->state, seat->account)->id);
    if (body != NULL) body->share.seq = ch_share_row(c->state, ch_seat_share(seat))->id;
}

void ch_decide_due(const struct ch_state *state, uint64_t now, struct ch_arena *arena,
                   struct ch_verdict *ret)
{
    *ret = (struct ch_verdict){0};
    const struct ch_row_due *due = ch_due_first(state);
    if (due == NULL || due->at > now) return;
    const struct ch_moment moment = {.now = now};
    struct ch_case c = {.state = state, .moment = &moment, .arena = arena, .ret = ret};
    switch ((enum ch_due_kind)due->kind) {
    case CH_DUE_SHARE: share_due(&c, due->row); return;
    case CH_DUE_PERIOD: ch_due_period(&c, due->row); return;
    case CH_DUE_REQUEST: ch_due_request(&c, due->row); return;
    case CH_DUE_RESERVATION: ch_due_reservation(&c, due->row); return;
    case CH_DUE_INVITATION: invitation_due(&c, due->row); return;
    case CH_DUE_KEY: ch_key_due(&c, due->row); return;
    case CH_DUE_SESSION: ch_session_due(&c, due->row); return;
    case CH_DUE_ACCOUNT: ch_due_account(&c, due->row); return;
    case CH_DUE_OFFER: ch_due_offer(&c, due->row); return;
    }
    CH_CHECK(ret->count > 0);
}

bool ch_due_reserve(struct ch_state *state)
{
    size_t cascade = 0;
    const struct ch_row_due *due = ch_due_first(state);
    if (due != NULL && due->kind == CH_DUE_SHARE) {
        cascade = ch_cascade_of_share(state, ch_terms_row(state, due->row)->share);
    }
    if (due != NULL && due->kind == CH_DUE_PERIOD) cascade = ch_cascade_of_turn(state, due->row);
    if (due != NULL && due->kind == CH_DUE_RESERVATION) cascade = CH_PLACE_ROWS;
    if (due != NULL && due->kind == CH_DUE_OFFER) cascade = CH_PLACE_ROWS;
    if (due != NULL && due->kind == CH_DUE_ACCOUNT) {
        cascade = ch_cascade_of_parts(state, due->row, LIMIT_DISSOLVE_PARTS);
    }
    return ch_state_reserve(state, 0, 0, cascade);
}
