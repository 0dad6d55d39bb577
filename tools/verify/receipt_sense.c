/* receipt_sense: see receipt_sense.h. SPDX-License-Identifier: MIT */
#include "tools/verify/receipt_sense.h"

#include "schema/codec.h"
#include "schema/records.h"
#include "schema/text.h"

/* ---- the statement ------------------------------------------------------------------------ */

enum { NO_FACT = -1, NOT_OF_A_QUESTION = -2 };

/* The fact that a reason is about, and the answer it goes with. */
static int fact_of(enum ch_reason reason, enum ch_decision *ret)
{
    *ret = CH_decision_explicit_deny;
    switch (reason) {
    case CH_reason_granted: *ret = CH_decision_allowed; return NO_FACT;
    case CH_reason_did_not_exist:
    case CH_reason_unknown_name:
    case CH_reason_no_share:
    case CH_reason_not_granted: *ret = CH_decision_implicit_deny; return NO_FACT;
    case CH_reason_channel: *ret = CH_decision_implicit_deny; return CH_fact_channel;
    case CH_reason_key_expired: *ret = CH_decision_implicit_deny; return CH_fact_key_expired;
    case CH_reason_restricted: return CH_fact_restriction;
    case CH_reason_guardrail: return CH_fact_guardrail;
    case CH_reason_account_closed: return CH_fact_account_closed;
    case CH_reason_user_locked: return CH_fact_user_locked;
    case CH_reason_suspended: return CH_fact_suspended;
    case CH_reason_content_locked: return CH_fact_content_lock;
    case CH_reason_unpaid: return CH_fact_unpaid;
    case CH_reason_stream_stopped: return CH_fact_stream_stopped;
    case CH_reason_not_accepted: return CH_fact_not_accepted;
    case CH_reason_user_erased: return CH_fact_user_erased;
    case CH_reason_login_deleted: return CH_fact_login_deleted;
    case CH_reason_other_login: return CH_fact_other_login;
    case CH_reason_master_key: return CH_fact_master_key;
    case CH_reason_operator:
    case CH_reason_approved:
    case CH_reason_not_approved:
    case CH_reason_approval_void:
    case CH_reason_not_fed:
    case CH_reason_fed_content:
    case CH_reason_end_: break;
    }
    return NOT_OF_A_QUESTION;
}

static int reason_of(const struct statement *statement, enum ch_decision *ret)
{
    const int reason = ch_enum_find(CH_KIND_reason, statement->said[SAID_reason]);
    return reason < 0 ? NOT_OF_A_QUESTION : fact_of((enum ch_reason)reason, ret);
}

const char *sense_of_statement(const struct statement *statement)
{
    enum ch_decision decision = CH_decision_explicit_deny;
    uint64_t moment, until;
    const int fact = reason_of(statement, &decision);
    if (ch_scope_find(statement->said[SAID_scope]) < 0) return "it is about no scope";
    if (fact == NOT_OF_A_QUESTION) return "the reason is none of an answer to such a question";
    if ((int)decision != ch_enum_find(CH_KIND_decision, statement->said[SAID_decision])) {
        return "the answer and its reason do not go together";
    }
    if (!ch_time_read(statement->said[SAID_moment], &moment)) return "its moment is no time";
    if (statement->said[SAID_valid_until].ptr != NULL &&
        (!ch_time_read(statement->said[SAID_valid_until], &until) || until <= moment)) {
        return "the answer ends before its moment";
    }
    return NULL;
}

bool sense_needs_reason(const struct statement *statement)
{
    enum ch_decision unused;
    return reason_of(statement, &unused) >= 0;
}

bool sense_is_reason(const struct statement *statement, const struct fact *fact)
{
    enum ch_decision unused;
    const int about = reason_of(statement, &unused);
    return about >= 0 && ch_enum_find(CH_KIND_fact, fact->name) == about;
}

bool sense_is_absent(const struct statement *statement)
{
    return ch_text_is(statement->said[SAID_reason], "did_not_exist") ||
           ch_text_is(statement->said[SAID_reason], "unknown_name");
}

/* ---- a way -------------------------------------------------------------------------------- */

const char *sense_begin_way(const struct statement *statement, struct ch_text rest, struct way *ret)
{
    const int asked = ch_scope_find(statement->said[SAID_scope]);
    *ret = (struct way){.there = true};
    if (!ch_receipt_word(&rest, "open") && !ch_receipt_word(&rest, "denied")) {
        return "a way is neither open nor denied";
    }
    const int scope = ch_scope_find(rest);
    const bool implies = asked == CH_SCOPE_lists_select && scope == CH_SCOPE_campaigns_send;
    if (scope < 0 || (scope != asked && !implies)) return "a way is to another scope";
    ret->scope = (uint8_t)scope;
    return NULL;
}

static bool is(const struct way *way, uint32_t place, const char *name)
{
    return place < way->count && ch_text_is(way->fact[place].name, name);
}

/* What the last share gives, from `at` on. */
static const char *end_of_way(const struct way *way, uint32_t at, uint64_t share)
{
    const bool role = is(way, at, "role");
    const uint64_t *given = at < way->count ? way->fact[at].ids : NULL;
    if (!role && !is(way, at, "grant") && !is(way, at, "own_scopes")) {
        return "a way shows nothing that gives the scope";
    }
    at++;
    if (role) {
        if (!is(way, at, "role_version") || way->fact[at].ids[CLAIM_role] != given[CLAIM_role] ||
            way->fact[at].ids[CLAIM_version] != given[CLAIM_version]) {
            return "a way does not show the version of its role";
        }
        at++;
        if (is(way, at, "limited")) at++;
    }
    if (at != way->count) return "a way has facts that do not belong to it";
    for (uint32_t i = 0; i < way->count; i++) {
        const struct fact *fact = &way->fact[i];
        const bool leads = ch_text_is(fact->name, "share") ||
                           ch_text_is(fact->name, "membership") ||
                           ch_text_is(fact->name, "parent_group");
        if (!leads && fact->ids[CLAIM_share] != share) return "a way changes the share on it";
    }
    return NULL;
}

const char *sense_of_way(const struct statement *statement, const struct way *way)
{
    uint32_t at = 0;
    if (!way->there || way->count == WAY_FACTS_MOST) return NULL; /* it may go on */
    if (statement->by_key) {
        const bool own = way->count == 1 && is(way, 0, "key") &&
                         way->fact[0].ids[CLAIM_key] == statement->subject;
        return own ? NULL : "a way is not that of the key";
    }
    if (!is(way, at, "share")) return "a way does not begin with a share";
    const struct fact *last = &way->fact[at++];
    if (is(way, at, "membership")) {
        const struct fact *member = &way->fact[at++];
        if (member->ids[CLAIM_account] != last->ids[CLAIM_account]) {
            return "a membership is of another account than the share that makes it";
        }
        while (is(way, at, "parent_group")) {
            at++;
        }
        if (!is(way, at, "share")) return "a way does not show the share of the group";
        last = &way->fact[at++];
    }
    if (statement->account == 0) return "a way leads to an account that is not named";
    if (last->ids[CLAIM_account] != statement->account) { /* of one above: it must reach down */
        if (!is(way, at, "reach")) return "a way is to another account";
        at++;
    }
    return end_of_way(way, at, last->ids[CLAIM_share]);
}

/* ---- a fact, and what its event says -------------------------------------------------------- */

/* The asked resource is that of the event, where one was asked about. */
static bool is_asked(const struct statement *statement, struct ch_text resource)
{
    const struct ch_text asked = statement->said[SAID_resource];
    return asked.ptr == NULL || ch_text_equal(asked, resource);
}

static bool is_among(const struct statement *statement, const struct ch_ev_share_limited *body)
{
    for (uint32_t i = 0; i < body->resources_len; i++) {
        if (is_asked(statement, body->resources[i])) return true;
    }
    return false;
}

/* What a share, a role or a key gives. */
static const char *sense_of_giving(const struct statement *statement, enum ch_fact kind,
                                   const struct fact *fact, const struct ch_event *event,
                                   uint8_t scope)
{
    static const char kind_of[] = "the event is of a kind that does not set such a fact";
    static const char nothing[] = "the event does not give the scope";
    struct ch_scopes scopes = {{0, 0}};
    uint64_t version = 1;
    if (kind == CH_fact_grant) {
        const struct ch_ev_grant_set *body = event->body;
        if (event->tag != CH_EV_grant_set) return kind_of;
        if (!is_asked(statement, body->resource)) return "the event is about another resource";
        scopes = body->scopes;
    } else if (kind == CH_fact_own_scopes) {
        if (event->tag != CH_EV_share_scopes_set) return kind_of;
        scopes = ((const struct ch_ev_share_scopes_set *)event->body)->scopes;
    } else if (kind == CH_fact_key) {
        if (event->tag != CH_EV_key_created) return kind_of;
        scopes = ((const struct ch_ev_key_created *)event->body)->scopes;
    } else if (event->tag == CH_EV_role_changed) {
        scopes = ((const struct ch_ev_role_changed *)event->body)->scopes;
        version = ((const struct ch_ev_role_changed *)event->body)->version;
    } else if (event->tag == CH_EV_role_defined) {
        scopes = ((const struct ch_ev_role_defined *)event->body)->scopes;
    } else {
        return kind_of;
    }
    if (!ch_scopes_has(scopes, scope)) return nothing;
    if (kind == CH_fact_role_version && fact->ids[CLAIM_version] != version) {
        return "the event is of another version of the role";
    }
    return NULL;
}

/* How far a share reaches, where its event says so. */
static bool reaches(const struct ch_event *event)
{
    switch (event->tag) {
    case CH_EV_share_given:
        return ((const struct ch_ev_share_given *)event->body)->reach == CH_reach_subtree;
    case CH_EV_share_role_set:
        return ((const struct ch_ev_share_role_set *)event->body)->reach == CH_reach_subtree;
    case CH_EV_share_invited:
        return ((const struct ch_ev_share_invited *)event->body)->reach == CH_reach_subtree;
    default: return true;
    }
}

/* What an event takes away, where it says so. */
static bool takes(const struct statement *statement, const struct ch_event *event)
{
    const int asked = ch_scope_find(statement->said[SAID_scope]);
    struct ch_scopes denied = {{0, 0}};
    switch (event->tag) {
    case CH_EV_share_restricted:
        denied = ((const struct ch_ev_share_restricted *)event->body)->denied;
        break;
    case CH_EV_share_invited:
        denied = ((const struct ch_ev_share_invited *)event->body)->denied;
        break;
    case CH_EV_guardrail_set:
        denied = ((const struct ch_ev_guardrail_set *)event->body)->denied;
        break;
    default: return true;
    }
    return ch_scopes_has(denied, (uint8_t)asked) ||
           (asked == CH_SCOPE_lists_select && ch_scopes_has(denied, CH_SCOPE_campaigns_send));
}

const char *sense_of_fact(const struct statement *statement, const struct fact *fact,
                          const struct ch_event *event, const struct way *way)
{
    const int kind = ch_enum_find(CH_KIND_fact, fact->name);
    uint64_t at, moment;
    if (!fact->has_event) return "it is not said when that was, and who did it";
    if (!ch_time_read(fact->at, &at) || !ch_time_read(statement->said[SAID_moment], &moment) ||
        at > moment) {
        return "the event came after the moment of the answer";
    }
    if (event == NULL || kind < 0) return NULL;
    switch (kind) {
    case CH_fact_grant:
    case CH_fact_own_scopes:
    case CH_fact_key:
    case CH_fact_role_version:
        if (way == NULL) return NULL;
        return sense_of_giving(statement, (enum ch_fact)kind, fact, event, way->scope);
    case CH_fact_limited:
        if (event->tag != CH_EV_share_limited || !is_among(statement, event->body)) {
            return "the event does not choose the resource";
        }
        return NULL;
    case CH_fact_reach: return reaches(event) ? NULL : "the event does not reach below";
    case CH_fact_restriction:
    case CH_fact_guardrail:
        return takes(statement, event) ? NULL : "the event does not take the scope away";
    default: return NULL;
    }
}
