/* query_access: who may do what, and why; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/fact.h"
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

enum { FACTS_MOST = 1024 }; /* as in queries.def */

static void take_fact(void *arg, const struct ch_evidence *fact)
{
    ch_facts_add(arg, fact);
}

/* Who may ask about this user here; refuses otherwise. */
static bool may_ask(struct ch_asking *q, uint32_t user)
{
    if (user != 0 && user == q->moment->user_row) return true;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_access_explain);
    if (ch_actor_has(q, q->on, wanted)) return true;
    return ch_refuse_scopes(q, CH_REJ_not_allowed, "user", wanted);
}

/* Whether the question may be about a resource of `of`: content has a kind and an id, and the
 * account above is known to those of the account, every other one only to whom it is shown. */
static bool may_be_of(struct ch_asking *q, const struct ch_qry_check *args, uint32_t of)
{
    const struct ch_scopes asked = args->scopes;
    if (of == q->on) return true;
    if (ch_root_of(q->state, of) != ch_root_of(q->state, q->on) ||
        (of != ch_account_row(q->state, q->on)->parent && !ch_actor_is_led(q, of))) {
        return ch_refuse(q, CH_REJ_not_found, "of");
    }
    if (!args->has_resource) return ch_refuse(q, CH_REJ_wrong_resource, "resource");
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const uint8_t kind = ch_meta(q->state)->scope_kinds[scope];
        if (!ch_scopes_has(asked, (uint8_t)scope) || ch_is_content(kind)) continue;
        return ch_refuse_scopes(q, CH_REJ_wrong_resource, "scopes", ch_scopes_of((uint8_t)scope));
    }
    return true;
}

/* What the rights on the account come to for content of another one: it must be fed, and then it is
 * used here, and changed only where it comes from. To whom nothing is given nothing is told. */
static void judge_fed(struct ch_asking *q, const struct ch_qry_check *args, uint32_t of,
                      struct ch_answer *answer, struct ch_facts *facts)
{
    const uint32_t text = ch_text_find(q->state, args->resource);
    const struct ch_scopes edits =
        ch_scopes_and(args->scopes, ch_mask(q->state, CH_mask_kind_content_lock));
    ch_saw_account(q, q->on);
    if (!answer->led) return;
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (!ch_scopes_has(args->scopes, (uint8_t)scope)) continue;
        const uint8_t kind = ch_meta(q->state)->scope_kinds[scope];
        const uint32_t feed = ch_fed_by(q->state, q->on, kind, text);
        if (feed == 0 || ch_feed_row(q->state, feed)->account != of) {
            answer->decision = CH_decision_implicit_deny;
            answer->reason = CH_reason_not_fed;
            return;
        }
        const struct ch_evidence fact = {
            .kind = CH_fact_fed, .seq = ch_feed_row(q->state, feed)->seq, .account = of};
        if (args->has_explain && args->explain) ch_facts_add(facts, &fact);
    }
    if (answer->decision != CH_decision_allowed || ch_scopes_empty(edits)) return;
    answer->decision = CH_decision_explicit_deny;
    answer->reason = CH_reason_fed_content;
}

/* The key asked about, where the actor may ask: about itself, or with api_keys.read. 0 after
 * refusing. */
static uint32_t key_asked(struct ch_asking *q, struct ch_key_id id)
{
    const uint32_t own = q->moment->key_row;
    if (own != 0 && ch_key_row(q->state, own)->id == id.seq) return own;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_api_keys_read);
    if (ch_actor_has(q, q->on, wanted)) return ch_key_asked(q, id);
    (void)ch_refuse_scopes(q, CH_REJ_not_allowed, "key", wanted);
    return 0;
}

/* The user asked about, where the actor may ask. 0 after refusing. */
static uint32_t user_asked(struct ch_asking *q, const struct ch_ref *ref)
{
    const uint32_t user = ch_find_user(q->state, ref->id);
    if (!ch_is_known_here(q, user)) {
        (void)ch_refuse(q, CH_REJ_not_found, "user");
        return 0;
    }
    return may_ask(q, user) ? user : 0;
}

bool ch_subject_asked(struct ch_asking *q, bool has_user, const struct ch_ref *user, bool has_key,
                      struct ch_key_id key, uint32_t *ret_user, uint32_t *ret_key)
{
    if (has_user == has_key) return ch_refuse(q, CH_REJ_one_subject, "user");
    *ret_user = has_user ? user_asked(q, user) : 0;
    *ret_key = has_key ? key_asked(q, key) : 0;
    return *ret_user != 0 || *ret_key != 0;
}

/* What a check used: an allowed one that the platform asks, or the person themselves. Whoever asks
 * about others, or for an explanation, looks into things and uses nothing. */
static void tell_use(struct ch_asking *q, const struct ch_question *question,
                     const struct ch_answer *answer)
{
    enum { MOST = 8192 }; /* 64 groups, and those above them, with shares of their own */
    struct ch_rows rows = {0};
    struct ch_question all = *question;
    struct ch_answer again;
    if (answer->decision != CH_decision_allowed || question->user == 0) return;
    if (ch_is_bound(q->moment) && question->user != q->moment->user_row) return;
    q->ret->through = answer->through;
    if (answer->through.count <= CH_THROUGH_MOST) return;
    rows.row = ch_take(q, MOST, sizeof *rows.row);
    if (rows.row == NULL) return;
    all.through = rows.row;
    all.through_room = MOST;
    ch_access(q->state, &all, &again, NULL, NULL);
    rows.count = again.through.count < MOST ? again.through.count : MOST;
    ch_rows_sort(&rows);
    q->ret->through_more = rows.row;
    q->ret->through.count = rows.count;
}

void ch_query_check(struct ch_asking *q)
{
    const struct ch_qry_check *args = q->call->args;
    uint32_t user = 0;
    uint32_t key = 0;
    if (!ch_subject_asked(q, args->has_user, &args->user, args->has_key, args->key, &user, &key)) {
        return;
    }
    if (ch_scopes_empty(args->scopes)) {
        (void)ch_refuse(q, CH_REJ_wrong_resource, "scopes");
        return;
    }
    const uint32_t of = args->has_of ? ch_find_account(q->state, args->of.id) : q->on;
    if (!may_be_of(q, args, of)) return;
    const struct ch_question question = {
        .user = user,
        .key = key,
        .account = q->on,
        .wanted = args->scopes,
        .has_resource = args->has_resource,
        .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
        .any = args->has_any && args->any,
        .channel = args->has_channel ? args->channel : (uint8_t)CH_channel_api,
        .now = q->moment->now};
    struct ch_facts facts = {.q = q, .most = FACTS_MOST};
    const bool explain = args->has_explain && args->explain;
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, explain ? take_fact : NULL, &facts);
    ch_saw(q, answer.read_seq);
    if (of != q->on) judge_fed(q, args, of, &answer, &facts);
    if (!explain) tell_use(q, &question, &answer);
    ch_facts_close(&facts);
    struct ch_qry_check_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->decision = answer.decision;
    result->reason = answer.reason;
    result->revision = ch_meta(q->state)->head;
    result->has_valid_until = answer.valid_until != 0;
    result->valid_until = answer.valid_until;
    result->facts = facts.row;
    result->facts_len = facts.count;
    q->ret->result = result;
}

/* Those of the known scopes that take `kind`, or, with kind 0, all. */
static struct ch_scopes known_scopes(const struct ch_state *state, uint8_t kind)
{
    struct ch_scopes some = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name == NULL) continue;
        if (kind != 0 && ch_meta(state)->scope_kinds[scope] != kind) continue;
        ch_scopes_add(&some, (uint8_t)scope);
    }
    return some;
}

/* The channel asked over, where that is a user's; else the platform's API, as in check. */
static uint8_t user_channel(const struct ch_asking *q)
{
    const uint8_t channel = q->moment->channel;
    const bool own =
        channel == CH_channel_web || channel == CH_channel_smtp || channel == CH_channel_ftp;
    return own ? channel : (uint8_t)CH_channel_api;
}

/* A resource stands for the scopes of its kind; of the others those that hold for all are given. */
void ch_query_access_scopes(struct ch_asking *q)
{
    const struct ch_qry_access_scopes *args = q->call->args;
    const uint32_t user = ch_find_user(q->state, args->user.id);
    if (!ch_is_known_here(q, user)) {
        (void)ch_refuse(q, CH_REJ_not_found, "user");
        return;
    }
    const uint8_t kind = args->has_kind ? args->kind : (uint8_t)CH_resource_kind_none;
    struct ch_question question = {.user = user,
                                   .account = q->on,
                                   .wanted = known_scopes(q->state, 0),
                                   .channel = user_channel(q),
                                   .now = q->moment->now};
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    struct ch_scopes given = answer.given;
    if (args->has_resource) {
        question.wanted = known_scopes(q->state, kind);
        question.has_resource = true;
        question.resource_kind = kind;
        question.resource = ch_text_find(q->state, args->resource);
        ch_access(q->state, &question, &answer, NULL, NULL);
        given = ch_scopes_or(ch_scopes_but(given, question.wanted), answer.given);
    }
    struct ch_qry_access_scopes_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->scopes = given;
    result->revision = ch_meta(q->state)->head;
    q->ret->result = result;
}

bool ch_rows_users(struct ch_asking *q, struct ch_rows *rows, uint64_t after)
{
    ch_saw_account(q, q->on);
    for (uint32_t a = q->on; a != 0; a = ch_account_row(q->state, a)->parent) {
        for (uint32_t s = ch_account_row(q->state, a)->first_share; s != 0;
             s = ch_share_row(q->state, s)->next_of_account) {
            const struct ch_row_share *share = ch_share_row(q->state, s);
            if (share->subject_kind != CH_subject_kind_user) continue;
            if (after != 0 && ch_id_of_user(q->state, share->subject) <= after) continue;
            if (!ch_rows_add(q, rows, share->subject)) return false;
        }
    }
    ch_rows_sort(rows);
    return true;
}

const struct ch_rec_user_row *ch_users_page(struct ch_asking *q, struct ch_rows *rows,
                                            struct ch_page page, bool *has_next, uint64_t *next)
{
    ch_rows_page(q, rows, page, ch_id_of_user, has_next, next);
    struct ch_rec_user_row *users = ch_take(q, rows->count, sizeof *users);
    for (uint32_t i = 0; users != NULL && i < rows->count; i++) {
        users[i] = ch_user_record(q, rows->row[i]);
    }
    return users;
}

void ch_query_access_who(struct ch_asking *q)
{
    const struct ch_qry_access_who *args = q->call->args;
    if (ch_scopes_empty(args->scopes)) {
        (void)ch_refuse(q, CH_REJ_wrong_resource, "scopes");
        return;
    }
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    struct ch_rows rows = {0};
    if (!ch_rows_users(q, &rows, page.after)) return;
    struct ch_question question = {
        .account = q->on,
        .wanted = args->scopes,
        .has_resource = args->has_resource,
        .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
        .channel = user_channel(q),
        .now = q->moment->now};
    uint32_t found = 0; /* one more than the page holds shows that there is more */
    for (uint32_t i = 0; i < rows.count && found <= page.limit; i++) {
        question.user = rows.row[i];
        struct ch_answer answer;
        ch_access(q->state, &question, &answer, NULL, NULL);
        ch_saw(q, answer.read_seq);
        if (answer.decision == CH_decision_allowed) rows.row[found++] = rows.row[i];
    }
    rows.count = found;
    struct ch_qry_access_who_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->users = ch_users_page(q, &rows, page, &result->has_next, &result->next);
    result->users_len = rows.count;
    result->revision = ch_meta(q->state)->head;
    if (result->users != NULL) q->ret->result = result;
}
