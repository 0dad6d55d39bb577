/* strand_ask: which questions a strand answers; see strand.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/strand_impl.h"

#include "daemon/core/decide.h"

#include <stdlib.h>

/* What decides the answer of each query that state answers, as `enum ch_strand_by` has it. A query
 * without a row here does not compile. */
enum {
    BY_check = CH_BY_SUBJECT, /* with facts, where they are asked for */
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
    BY_plan_list = CH_BY_WHOLE,
    BY_account_list = CH_BY_WHOLE,
    BY_account_show = CH_BY_WHOLE, /* tells when anything of it changed last */
    BY_ownership_offers = CH_BY_WHOLE,
    BY_limit_list = CH_BY_WHOLE,
    BY_invitation_preview = CH_BY_WHOLE, /* tells whether an address is known at all */
    BY_access_orphans = CH_BY_WHOLE,
    BY_access_review = CH_BY_WHOLE,
    BY_role_list = CH_BY_WHOLE,
    BY_role_show = CH_BY_WHOLE,
    BY_role_change_effect = CH_BY_WHOLE,
    BY_role_publish_effect = CH_BY_WHOLE,
    BY_page_list = CH_BY_WHOLE,
    BY_session_list = CH_BY_WHOLE,
    BY_session_accounts = CH_BY_WHOLE,
    BY_command_needs = CH_BY_WHOLE,
    BY_access_requests = CH_BY_WHOLE,
    BY_access_mine = CH_BY_WHOLE,
    BY_access_deciders = CH_BY_WHOLE,
    BY_campaign_submissions = CH_BY_WHOLE,
    BY_campaign_approvers = CH_BY_WHOLE,
    BY_campaign_send_check = CH_BY_WHOLE,
    BY_import_status = CH_BY_WHOLE,
    BY_stats_show = CH_BY_WHOLE,
    BY_stats_series = CH_BY_WHOLE,
    BY_usage_history = CH_BY_WHOLE,
    BY_reputation_show = CH_BY_WHOLE,
    BY_reputation_list = CH_BY_WHOLE,
    BY_suppression_check = CH_BY_WHOLE,
    BY_suppression_list = CH_BY_WHOLE,
    BY_suppression_keys = CH_BY_WHOLE,
    BY_content_check = CH_BY_WHOLE,
    BY_content_list = CH_BY_WHOLE,
    BY_content_feeds = CH_BY_WHOLE,
};

#define FROM_STATE(ident) [CH_QRY_##ident] = BY_##ident,
#define FROM_DAEMON(ident)
static const uint16_t by[CH_CALL_TYPES] = {
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
            } else {
                return false; /* another account: content that it feeds */
            }
        }
    }
    return true;
}

/* What decides the call; CH_BY_WHOLE: the whole state. */
static uint32_t by_of(const struct ch_call *call, struct subject *ret)
{
    uint32_t deciding = by[call->type];
    if (deciding == CH_BY_WHOLE || !read_subject(call, ret)) return CH_BY_WHOLE;
    if (call->type == CH_QRY_check) {
        const struct ch_qry_check *args = call->args;
        if (args->has_explain && args->explain) deciding |= CH_BY_FACTS;
    }
    if (ch_calls[call->type].on && !call->has_on) return CH_BY_WHOLE; /* it is refused */
    return deciding;
}

static uint32_t find_user(const struct ch_state *state, const struct ch_ref *ref)
{
    if (ref->id != 0) return ch_find_user(state, ref->id);
    const bool email = memchr(ref->name.ptr, '@', ref->name.len) != NULL;
    return ch_find_user_hash(state, email ? CH_KIND_email : CH_KIND_username, ref->hash);
}

static uint32_t find_on(const struct ch_state *state, const struct ch_call *call)
{
    return call->on.id != 0 ? ch_find_account(state, call->on.id)
                            : ch_find_account_path(state, call->on.name);
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

/* Whoever is named. Who or what is not there now was never there, but under a name it may have
 * been. */
static bool add_subject(struct ch_strand_roots *roots, const struct ch_state *head, uint32_t on,
                        const struct subject *subject)
{
    if (subject->key != 0 && !add(roots->subject, &roots->subjects, subject->key)) return false;
    if (subject->user != NULL) {
        const uint32_t row = find_user(head, subject->user);
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
    if (call->has_on) {
        on = find_on(head, call);
        const uint64_t account = on == 0 ? call->on.id : ch_account_row(head, on)->id;
        if (!add(roots->account, &roots->accounts, account)) return false;
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
    if (ret->accounts + ret->subjects == 0) return false;
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
    const uint32_t user = find_user(part, subject->user);
    if (user == 0) return subject->user->id != 0;
    const uint64_t id = ch_user_row(part, user)->id;
    if (!is_among(roots->subject, roots->subjects, id)) return false;
    if (roots->asker == 0 || id == roots->asker) return true;
    return is_known_on(part, user, on);
}

static bool answers_call(const struct ch_strand_roots *roots, const struct ch_state *part,
                         const struct ch_call *call)
{
    struct subject subject;
    if (by_of(call, &subject) == CH_BY_WHOLE) return false;
    if (!call->has_on) return answers_about(roots, part, /* on= */ 0, &subject);
    const uint32_t on = find_on(part, call);
    if (on == 0) return call->on.id != 0;
    if (!is_among(roots->account, roots->accounts, ch_account_row(part, on)->id)) return false;
    return answers_about(roots, part, on, &subject);
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
