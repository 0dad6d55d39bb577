/* strand_ask: which questions a strand answers; see strand.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/strand_impl.h"

#include "daemon/core/decide.h"
#include "daemon/core/query_impl.h"

#include <stdlib.h>

/* What decides the answer of each query that state answers, as `enum ch_strand_by` has it. A query
 * without a row here does not compile. */
enum {
    BY_check = CH_BY_SUBJECT, /* with facts, or fed content, where they are asked for */
    BY_access_explain = CH_BY_SUBJECT | CH_BY_FACTS,
    BY_access_receipt = CH_BY_SUBJECT | CH_BY_FACTS, /* it is explained in the same state */
    BY_access_origins = CH_BY_SUBJECT,
    BY_access_scopes = CH_BY_SUBJECT,
    BY_access_holders = CH_BY_ABOVE,
    BY_access_who = CH_BY_ABOVE | CH_BY_ELSEWHERE,
    BY_access_remedy = CH_BY_WHOLE, /* tries what many others could do */
    BY_user_show = CH_BY_SUBJECT | CH_BY_ELSEWHERE,
    BY_user_list = CH_BY_PEOPLE | CH_BY_LOGINS,
    BY_login_list = CH_BY_PEOPLE | CH_BY_LOGINS,
    BY_share_show = CH_BY_SUBJECT,
    BY_share_list = CH_BY_PEOPLE,
    BY_group_list = CH_BY_PEOPLE,
    BY_group_members = CH_BY_SUBJECT | CH_BY_PEOPLE | CH_BY_ELSEWHERE,
    BY_key_list = CH_BY_PEOPLE,
    BY_key_show = CH_BY_SUBJECT,
    BY_key_scopes = CH_BY_SUBJECT,
    BY_settings_show = CH_BY_SETTINGS | CH_BY_BELOW,
    BY_account_switches = CH_BY_BELOW,
    BY_credits_show = CH_BY_CREDITS,
    BY_credits_list = CH_BY_CREDITS,
    BY_credits_reservations = CH_BY_CREDITS,
    BY_plan_show = CH_BY_CREDITS,
    BY_billing_statement = CH_BY_CREDITS,
    BY_billing_separation = CH_BY_CREDITS,
    BY_account_show = CH_BY_SET | CH_BY_OWNER | CH_BY_PEOPLE | CH_BY_BELOW,
    BY_ownership_offers = CH_BY_ASKER | CH_BY_OFFERS | CH_BY_OWNER,
    BY_limit_list = CH_BY_LOG | CH_BY_LIMITS,
    BY_page_list = CH_BY_LOG,
    BY_role_list = CH_BY_LOG, /* and an account's own, where it names one */
    BY_role_show = CH_BY_PEOPLE,
    BY_role_change_effect = CH_BY_PEOPLE,
    BY_session_list = CH_BY_ASKER | CH_BY_SESSIONS,
    BY_session_accounts = CH_BY_ASKER | CH_BY_ELSEWHERE | CH_BY_TREE,
    BY_access_requests = CH_BY_REQUESTS,
    BY_access_orphans = CH_BY_SUBJECT | CH_BY_MADE,
    /* of one account; with those below it, every share there */
    BY_access_review =
        CH_BY_USES | CH_BY_SETTINGS | CH_BY_PEOPLE | CH_BY_ABOVE | CH_BY_ELSEWHERE | CH_BY_GROUPS,
    BY_access_mine = CH_BY_ASKER | CH_BY_REQUESTS,
    /* who covers what is asked for, on the account and below it: as an approval would ask */
    BY_access_deciders = CH_BY_REQUESTS | CH_BY_ABOVE | CH_BY_ELSEWHERE | CH_BY_GROUPS,
    BY_campaign_submissions = CH_BY_CAMPAIGNS,
    BY_campaign_approvers = CH_BY_CAMPAIGNS | CH_BY_ABOVE | CH_BY_ELSEWHERE,
    BY_campaign_send_check = CH_BY_CAMPAIGNS | CH_BY_SUBJECT, /* or the asker */
    BY_command_needs = CH_BY_LOG,
    BY_plan_list = CH_BY_WHOLE,           /* every plan there is */
    BY_account_list = CH_BY_WHOLE,        /* every account there is, or below those of a person */
    BY_role_publish_effect = CH_BY_WHOLE, /* every share there is that has the role */
    BY_import_status = CH_BY_WHOLE,       /* tells when the last event of the log was */
    BY_invitation_preview = CH_BY_WHOLE,  /* tells whether anybody has the address; whoever had
                                           * it then, no stream says */
    BY_suppression_keys = CH_BY_WHOLE,    /* tells how many addresses of all lists have each key */
    BY_stats_show = CH_BY_MAIL | CH_BY_SUBJECT,
    BY_stats_series = CH_BY_MAIL | CH_BY_SUBJECT | CH_BY_LIMITS, /* or of those below it, too */
    BY_usage_history = CH_BY_MAIL | CH_BY_LIMITS,                /* likewise */
    BY_reputation_show = CH_BY_MAIL | CH_BY_LIMITS,
    BY_reputation_list = CH_BY_MAIL | CH_BY_MAIL_BELOW | CH_BY_TREE | CH_BY_LIMITS,
    BY_suppression_check = CH_BY_LIST | CH_BY_LISTS | CH_BY_BELOW,
    BY_suppression_list = CH_BY_LIST, /* if one page shows all of it */
    BY_content_check = CH_BY_FED,
    BY_content_list = CH_BY_FED,
    BY_content_feeds = CH_BY_FEEDS | CH_BY_BELOW,
};

#define FROM_STATE(ident) [CH_QRY_##ident] = BY_##ident,
#define FROM_DAEMON(ident)
static const uint32_t by[CH_CALL_TYPES] = {
#define QUERY_BEGIN(ident, type, who, scope, on, from, text) FROM_##from(ident)
#define QUERY_END(ident)
#define RESULT_BEGIN(ident)
#define RESULT_END(ident)
#include "schema/words_none.h"
#include "schema/queries.def"
};

/* Whom a call names; NULL and 0 where it names none. */
struct subject {
    const struct ch_ref *user;
    const struct ch_ref *group;
    const struct ch_ref *account; /* beside the one that the call is on */
    uint64_t key;
};

/* false: it names what no strand is made of. */
static bool read_subject(const struct ch_call *call, struct subject *ret)
{
    const struct ch_record *record = &ch_calls[call->type].args;
    *ret = (struct subject){0};
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!ch_field_present(field, call->args)) continue;
        if (field->kind == CH_KIND_key) {
            ret->key = ((const struct ch_key_id *)ch_field_at(field, call->args))->seq;
        } else if (ch_kinds[field->kind].form == CH_FORM_REF) {
            if (field->list) return false;
            if (field->kind == CH_KIND_user_ref) {
                ret->user = ch_field_at(field, call->args);
            } else if (field->kind == CH_KIND_group_ref) {
                ret->group = ch_field_at(field, call->args);
            } else if (field->kind == CH_KIND_account_ref) {
                ret->account = ch_field_at(field, call->args);
            } else if (field->kind != CH_KIND_role_ref) { /* all roles of the account are there */
                return false;
            }
        }
    }
    return true;
}

/* Whether mail is summed up over all accounts below. */
static bool is_of_subtree(const struct ch_call *call)
{
    const struct ch_qry_stats_series *series = call->args;
    const struct ch_qry_usage_history *usage = call->args;
    if (call->type == CH_QRY_stats_series) return series->has_subtree && series->subtree;
    return call->type == CH_QRY_usage_history && usage->has_subtree && usage->subtree;
}

/* What decides the call; CH_BY_WHOLE: the whole state. */
static uint32_t by_of(const struct ch_call *call, struct subject *ret)
{
    uint32_t deciding = by[call->type];
    if (deciding == CH_BY_WHOLE || !read_subject(call, ret)) return CH_BY_WHOLE;
    if (call->type == CH_QRY_check) {
        const struct ch_qry_check *args = call->args;
        if (args->has_explain && args->explain) deciding |= CH_BY_FACTS;
        if (args->has_of) deciding |= CH_BY_FED;
    }
    if (call->type == CH_QRY_campaign_send_check &&
        !((const struct ch_qry_campaign_send_check *)call->args)->has_user) {
        deciding |= CH_BY_ASKER;
    }
    if (call->type == CH_QRY_access_review) {
        const struct ch_qry_access_review *args = call->args;
        if (args->has_below && args->below) return CH_BY_WHOLE;
    }
    if (is_of_subtree(call)) deciding |= CH_BY_MAIL_BELOW | CH_BY_TREE;
    if (ch_calls[call->type].on && !call->has_on) return CH_BY_WHOLE; /* it is refused */
    return deciding;
}

/* Adds an id, each once; false: too many, or none. */
static bool add(uint64_t *ids, uint32_t *count, uint64_t id)
{
    if (id == 0) return false;
    for (uint32_t i = 0; i < *count; i++) {
        if (ids[i] == id) return true;
    }
    if (*count == CH_STRAND_ROOTS) return false;
    ids[(*count)++] = id;
    return true;
}

/* A group by its name, where it is the account's own. */
static uint32_t find_group(const struct ch_state *state, uint32_t on, const struct ch_ref *ref)
{
    if (ref->id != 0) return ch_find_group(state, ref->id);
    return on == 0 ? 0 : ch_find_group_name(state, on, ref->name);
}

/* An account that is named; 0 into *ret_row where it is not there now. */
static bool add_account(struct ch_strand_roots *roots, const struct ch_state *head,
                        const struct ch_ref *ref, uint32_t *ret_row)
{
    *ret_row = ch_find_account_ref(head, ref);
    const uint64_t id = *ret_row == 0 ? ref->id : ch_account_row(head, *ret_row)->id;
    return add(roots->account, &roots->accounts, id);
}

/* Whoever is named. Who or what is not there now was never there, but under a name it may have
 * been. */
static bool add_subject(struct ch_strand_roots *roots, const struct ch_state *head, uint32_t on,
                        const struct subject *subject)
{
    if (subject->key != 0 && !add(roots->subject, &roots->subjects, subject->key)) return false;
    if (subject->user != NULL) {
        const uint32_t row = ch_find_user_ref(head, subject->user);
        const uint64_t id = row == 0 ? subject->user->id : ch_user_row(head, row)->id;
        if (!add(roots->subject, &roots->subjects, id)) return false;
    }
    if (subject->group == NULL) return true;
    const uint32_t row = find_group(head, on, subject->group);
    const uint64_t id = row == 0 ? subject->group->id : ch_group_row(head, row)->id;
    return add(roots->subject, &roots->subjects, id);
}

static bool add_call(struct ch_strand_roots *roots, const struct ch_state *head,
                     const struct ch_call *call)
{
    struct subject subject;
    uint32_t on = 0;
    const uint32_t deciding = by_of(call, &subject);
    if (deciding == CH_BY_WHOLE) return false;
    roots->by |= deciding;
    uint32_t other;
    if (call->has_on && !add_account(roots, head, &call->on, &on)) return false;
    if (subject.account != NULL && !add_account(roots, head, subject.account, &other)) return false;
    if ((deciding & CH_BY_ASKER) != 0 && roots->asker != 0 &&
        !add(roots->subject, &roots->subjects, roots->asker)) {
        return false;
    }
    return add_subject(roots, head, on, &subject);
}

static int by_id(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a;
    const uint64_t two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

bool ch_strand_roots(const struct ch_strand_asked *asked, const struct ch_state *head,
                     struct ch_strand_roots *ret)
{
    const struct ch_request *request = asked->request;
    const uint8_t kind = asked->asker.kind;
    memset(ret, 0, sizeof *ret);
    if (kind == CH_actor_kind_user || kind == CH_actor_kind_key) ret->asker = asked->asker.id;
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why == NULL && !add_call(ret, head, call)) return false;
    }
    if (ret->accounts != 1 && (ret->by & CH_BY_USES) != 0) return false;
    if (ret->accounts + ret->subjects == 0 && (ret->by & CH_BY_LOG) == 0) return false;
    qsort(ret->account, ret->accounts, sizeof *ret->account, by_id);
    qsort(ret->subject, ret->subjects, sizeof *ret->subject, by_id);
    return true;
}

/* Whether the user has to do with the account or one above it, so that nobody who may ask there
 * must look at their shares elsewhere. As user_is_shown in core/resolve.c. */
static bool is_known_on(const struct ch_state *part, uint32_t user, uint32_t on)
{
    if (ch_find_seat(part, user, on) != 0) return true;
    for (uint32_t a = on; a != 0; a = ch_account_row(part, a)->parent) {
        if (ch_find_share(part, CH_subject_kind_user, user, a) != 0) return true;
    }
    return false;
}

static bool is_among(const uint64_t *ids, uint32_t count, uint64_t id)
{
    uint32_t i = 0;
    while (i < count && ids[i] != id) {
        i++;
    }
    return i < count;
}

/* The account that a name leads to in the part is one that the part was made for. */
static bool answers_on(const struct ch_strand_roots *roots, const struct ch_state *part,
                       const struct ch_ref *ref, uint32_t *ret_row)
{
    *ret_row = ch_find_account_ref(part, ref);
    if (*ret_row == 0) return ref->id != 0;
    return is_among(roots->account, roots->accounts, ch_account_row(part, *ret_row)->id);
}

/* A name leads in the part where it led then, or nowhere: the names of whoever is there are as they
 * were, and no two had the same. Now it may lead to somebody else. */
static bool answers_about(const struct ch_strand_roots *roots, const struct ch_state *part,
                          uint32_t on, const struct subject *subject)
{
    if (subject->group != NULL) {
        const uint32_t group = find_group(part, on, subject->group);
        const uint64_t id = group == 0 ? subject->group->id : ch_group_row(part, group)->id;
        if (id == 0 || !is_among(roots->subject, roots->subjects, id)) return false;
    }
    if (subject->user == NULL) return true;
    const uint32_t user = ch_find_user_ref(part, subject->user);
    if (user == 0) return subject->user->id != 0;
    const uint64_t id = ch_user_row(part, user)->id;
    if (!is_among(roots->subject, roots->subjects, id)) return false;
    if (roots->asker == 0 || id == roots->asker) return true;
    return is_known_on(part, user, on);
}

/* The cursor of an unsubscribe list is a place in the whole state's, so that a page of millions is
 * found without a walk. A part of it answers if it needs none. */
static bool answers_list(const struct ch_state *part, const struct ch_call *call, uint32_t on)
{
    if (call->type != CH_QRY_suppression_list) return true;
    const struct ch_qry_suppression_list *args = call->args;
    const uint32_t settings = ch_account_row(part, on)->settings;
    const struct ch_page page = ch_page_of(false, 0, args->has_limit, args->limit);
    if (args->has_after) return false;
    return settings == 0 || ch_settings_row(part, settings)->suppressed_count <= page.limit;
}

static bool answers_call(const struct ch_strand_roots *roots, const struct ch_state *part,
                         const struct ch_call *call)
{
    struct subject subject;
    if (by_of(call, &subject) == CH_BY_WHOLE) return false;
    uint32_t on = 0;
    uint32_t other;
    if (call->has_on && !answers_on(roots, part, &call->on, &on)) return false;
    if (call->has_on && on == 0) return true; /* it was not there then */
    if (subject.account != NULL && !answers_on(roots, part, subject.account, &other)) return false;
    return answers_list(part, call, on) && answers_about(roots, part, on, &subject);
}

bool ch_strand_answers(const struct ch_strand_asked *asked, const struct ch_strand_roots *roots,
                       const struct ch_state *part)
{
    for (uint32_t i = 0; i < asked->request->call_count; i++) {
        const struct ch_call *call = &asked->request->calls[i];
        if (call->why == NULL && !answers_call(roots, part, call)) return false;
    }
    return true;
}
