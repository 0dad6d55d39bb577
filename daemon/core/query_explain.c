/* query_explain: why, and what would have to change; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/explain.h"
#include "daemon/core/fact.h"
#include "daemon/core/steps.h"
#include "schema/limits.h"

enum { FACTS_MOST = 1024, WAY_FACTS_MOST = 32, WAY_DENIES_MOST = 64 }; /* as in the .def rows */

/* The question in the args of another query, which name its parts as access.explain does. */
#define EXPLAIN_ARGS(args)                                                                         \
    {                                                                                              \
        .has_user = (args)->has_user, .user = (args)->user, .has_key = (args)->has_key,            \
        .key = (args)->key, .scope = (args)->scope, .has_resource = (args)->has_resource,          \
        .resource = (args)->resource, .has_any = (args)->has_any, .any = (args)->any,              \
        .has_channel = (args)->has_channel, .channel = (args)->channel                             \
    }

struct ch_qry_access_explain ch_receipt_asked(const struct ch_qry_access_receipt *args)
{
    return (struct ch_qry_access_explain)EXPLAIN_ARGS(args);
}

/* Who is asked about, and what. false after refusing */
static bool question_of(struct ch_asking *q, const struct ch_qry_access_explain *args,
                        struct ch_question *ret)
{
    *ret = (struct ch_question){
        .account = q->on,
        .wanted = ch_scopes_of(args->scope),
        .has_resource = args->has_resource,
        .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
        .any = args->has_any && args->any,
        .channel = args->has_channel ? args->channel : (uint8_t)CH_channel_api,
        .now = q->moment->now};
    return ch_subject_asked(q, args->has_user, &args->user, args->has_key, args->key, &ret->user,
                            &ret->key);
}

static void add_fact(void *arg, const struct ch_evidence *fact)
{
    ch_facts_add(arg, fact);
}

static struct ch_rec_way_row way_record(struct ch_asking *q, const struct ch_explained *e,
                                        const struct ch_way *way)
{
    struct ch_facts facts = {.q = q, .most = WAY_FACTS_MOST};
    struct ch_facts denies = {.q = q, .most = WAY_DENIES_MOST};
    ch_each_of_way(q, e, way, add_fact, &facts);
    for (uint32_t i = 0; i < e->fact_count; i++) {
        if (ch_denies_way(&e->fact[i], &e->fact[way->giver], way->scope)) {
            ch_facts_add(&denies, &e->fact[i]);
        }
    }
    ch_facts_close(&facts);
    ch_facts_close(&denies);
    return (struct ch_rec_way_row){.scope = way->scope,
                                   .open = way->open,
                                   .facts = facts.row,
                                   .facts_len = facts.count,
                                   .denies = denies.row,
                                   .denies_len = denies.count};
}

/* Whether a fact denies what is asked, or what would imply it where a way is by that. */
static bool denies_some(const struct ch_explained *e, const struct ch_evidence *fact)
{
    for (uint32_t i = 0; i < e->way_count; i++) {
        if (ch_denies_all(e, fact, e->way[i].scope)) return true;
    }
    return false;
}

/* What denies it, and what does not count. supposed: where there is no way, what a grant would
 * meet; else e itself */
static void list_facts(struct ch_asking *q, const struct ch_explained *e,
                       const struct ch_explained *supposed, uint8_t scope,
                       struct ch_qry_access_explain_result *result)
{
    struct ch_facts denies = {.q = q, .most = FACTS_MOST};
    struct ch_facts uncounted = {.q = q, .most = FACTS_MOST};
    for (uint32_t i = 0; i < supposed->fact_count; i++) {
        const struct ch_evidence *fact = &supposed->fact[i];
        const bool denied = supposed->way_count > 0 ? denies_some(supposed, fact)
                                                    : ch_denies_all(supposed, fact, scope) ||
                                                          ch_denies_supposed(fact, scope);
        if (denied && !ch_is_repeated(supposed, i)) ch_facts_add(&denies, fact);
    }
    for (uint32_t i = 0; i < e->fact_count; i++) {
        if (ch_is_uncounted(&e->fact[i]) && !ch_is_repeated(e, i)) {
            ch_facts_add(&uncounted, &e->fact[i]);
        }
    }
    ch_facts_close(&denies);
    ch_facts_close(&uncounted);
    result->denies = denies.row;
    result->denies_len = denies.count;
    result->uncounted = uncounted.row;
    result->uncounted_len = uncounted.count;
}

/* The ways of the page; cursor: how many came before. */
static void list_ways(struct ch_asking *q, const struct ch_explained *e, struct ch_page page,
                      struct ch_qry_access_explain_result *result)
{
    const uint32_t first = page.after < e->way_count ? (uint32_t)page.after : e->way_count;
    const uint32_t left = e->way_count - first;
    const uint32_t shown = left < page.limit ? left : page.limit;
    struct ch_rec_way_row *ways = ch_take(q, shown, sizeof *ways);
    if (ways == NULL) return;
    for (uint32_t i = 0; i < shown; i++) {
        ways[i] = way_record(q, e, &e->way[first + i]);
    }
    result->ways = ways;
    result->ways_len = shown;
    result->way_count = e->way_count;
    result->has_next = shown < left;
    result->next = first + shown;
}

/* What else the command must have, so that it can be sent, or tried, as it stands. */
static void complete(struct ch_asking *q, const struct ch_step *step, struct ch_rec_step_row *row)
{
    const struct ch_text words = ch_text_of(CH_STEP_WORDS);
    row->has_reason = step->type == CH_CMD_account_resume || step->type == CH_CMD_stream_resume;
    if (row->has_reason) row->reason = words;
    row->has_name = step->type == CH_CMD_key_create;
    if (row->has_name) row->name = ch_step_name(q, step->on);
    row->has_paid = row->paid = step->type == CH_CMD_plan_change;
    row->has_content_locked = step->type == CH_CMD_account_set_switches;
}

static struct ch_rec_step_row step_record(struct ch_asking *q, const struct ch_step *step)
{
    struct ch_rec_step_row row = {
        .by = step->by,
        .text = step->text,
        .has_type = step->type >= 0,
        .has_user = step->user != 0,
        .has_group = step->group != 0,
        .has_key = step->key != 0,
        .has_scopes = step->type == CH_CMD_share_restrict || step->type == CH_CMD_guardrail_set ||
                      step->type == CH_CMD_key_create || step->type == CH_CMD_share_set_scopes ||
                      step->type == CH_CMD_share_grant,
        .scopes = step->scopes,
        .has_kind = step->type == CH_CMD_share_grant,
        .kind = step->kind,
        .has_resource = step->type == CH_CMD_share_grant,
        .resource = step->resource,
        .has_key_kind = step->type == CH_CMD_key_create,
        .key_kind = (uint8_t)(step->master ? CH_key_kind_master : CH_key_kind_account),
        .has_stream = step->has_stream,
        .stream = step->stream};
    complete(q, step, &row);
    if (row.has_type) row.type = ch_text_of(ch_calls[step->type].args.name);
    row.has_on = step->on != 0 && (step->on == q->on || ch_actor_is_led(q, step->on));
    if (row.has_on) row.on.seq = ch_account_row(q->state, step->on)->id;
    row.has_account =
        step->account != 0 && (step->account == q->on || ch_actor_is_led(q, step->account));
    if (row.has_account) row.account.seq = ch_account_row(q->state, step->account)->id;
    if (row.has_user) row.user.seq = ch_user_row(q->state, step->user)->id;
    if (row.has_group) row.group.seq = ch_group_row(q->state, step->group)->id;
    if (row.has_key) row.key.seq = ch_key_row(q->state, step->key)->id;
    return row;
}

static const struct ch_rec_step_row *step_records(struct ch_asking *q, const struct ch_step *steps,
                                                  uint32_t count)
{
    struct ch_rec_step_row *rows = ch_take(q, count, sizeof *rows);
    for (uint32_t i = 0; rows != NULL && i < count; i++) {
        rows[i] = step_record(q, &steps[i]);
    }
    return rows;
}

void ch_query_access_explain(struct ch_asking *q)
{
    const struct ch_qry_access_explain *args = q->call->args;
    struct ch_question question;
    struct ch_explained e;
    struct ch_explained supposed;
    enum ch_lack lack = CH_LACK_nothing;
    struct ch_step *steps = ch_take(q, CH_STEPS_MOST, sizeof *steps);
    struct ch_qry_access_explain_result *result = ch_take(q, 1, sizeof *result);
    if (steps == NULL || result == NULL || !question_of(q, args, &question)) return;
    if (!ch_explain(q, &question, &e) || !ch_explain_lack(q, &e, &supposed, &lack)) return;
    const uint32_t count = ch_least_steps(q, &e, args->resource, steps);
    result->decision = e.answer.decision;
    result->reason = e.answer.reason;
    result->revision = ch_meta(q->state)->head;
    result->has_valid_until = e.answer.valid_until != 0;
    result->valid_until = e.answer.valid_until;
    result->lacking = lack != CH_LACK_nothing;
    list_ways(q, &e, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
              result);
    list_facts(q, &e, lack == CH_LACK_nothing ? &e : &supposed, args->scope, result);
    result->steps = step_records(q, steps, count);
    result->steps_len = count;
    if (!q->ret->no_memory) q->ret->result = result;
}

void ch_query_access_receipt(struct ch_asking *q)
{
    const struct ch_qry_access_receipt *args = q->call->args;
    const struct ch_qry_access_explain same = ch_receipt_asked(args);
    struct ch_question question;
    struct ch_answer answer;
    struct ch_qry_access_receipt_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL || !question_of(q, &same, &question)) return;
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    result->decision = answer.decision;
    result->reason = answer.reason;
    result->revision = ch_meta(q->state)->head;
    result->has_valid_until = answer.valid_until != 0;
    result->valid_until = answer.valid_until;
    q->ret->result = result; /* the file is made by the worker */
}

/* ---- who could make the change --------------------------------------------------------------- */

struct helping {
    struct ch_asking *q;
    struct ch_asking scratch; /* with memory of its own, for one candidate */
    struct ch_query_answer answer;
    struct ch_arena arena;
    const struct ch_step *steps;
    uint32_t count;
    uint32_t by_rights;
};

/* Which steps the actor of the moment could make; gives how many of them are by rights. */
static uint32_t helps(struct helping *h, const struct ch_moment *moment, uint64_t *steps,
                      uint32_t *ret_count)
{
    uint32_t rights = 0;
    *ret_count = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if (!ch_may_step(&h->scratch, &h->steps[i], moment)) continue;
        steps[(*ret_count)++] = i + 1;
        rights += h->steps[i].by == CH_step_by_rights;
    }
    if (h->answer.no_memory) h->q->ret->no_memory = true;
    ch_arena_reset(&h->arena);
    return rights;
}

static const uint64_t *copy_steps(struct ch_asking *q, const uint64_t *steps, uint32_t count)
{
    uint64_t *copy = ch_take(q, count, sizeof *copy);
    if (copy != NULL && count > 0) memcpy(copy, steps, count * sizeof *copy);
    return copy;
}

/* A user who acts in the console, now. */
static struct ch_moment moment_of(const struct ch_asking *q, uint32_t user)
{
    struct ch_moment moment = {.now = q->moment->now, .channel = CH_channel_web};
    moment.actor.kind = CH_actor_kind_user;
    moment.actor.id = ch_user_row(q->state, user)->id;
    moment.user_row = user;
    return moment;
}

static bool list_helpers(struct helping *h, struct ch_page page,
                         struct ch_qry_access_remedy_result *result)
{
    struct ch_asking *q = h->q;
    struct ch_rows rows = {0};
    uint64_t steps[CH_STEPS_MOST];
    uint32_t found = 0; /* one more than the page holds shows that there is more */
    if (!ch_rows_users(q, &rows, page.after)) return false;
    struct ch_rec_helper_row *people =
        ch_take(q, rows.count < page.limit ? rows.count : page.limit, sizeof *people);
    if (people == NULL) return false;
    for (uint32_t i = 0; i < rows.count && !result->has_next; i++) {
        const struct ch_moment moment = moment_of(q, rows.row[i]);
        uint32_t count = 0;
        const uint32_t rights = helps(h, &moment, steps, &count);
        if (count == 0) continue;
        result->has_next = found == page.limit;
        if (result->has_next) break;
        const struct ch_rec_user_row user = ch_user_record(q, rows.row[i]);
        people[found++] = (struct ch_rec_helper_row){.user = user.user,
                                                     .has_username = user.has_username,
                                                     .username = user.username,
                                                     .has_email = user.has_email,
                                                     .email = user.email,
                                                     .has_full_name = user.has_full_name,
                                                     .full_name = user.full_name,
                                                     .all = rights == h->by_rights,
                                                     .steps = copy_steps(q, steps, count),
                                                     .steps_len = count};
        result->next = ch_id_of_user(q->state, rows.row[i]);
    }
    result->people = people;
    result->people_len = found;
    return true;
}

void ch_query_access_remedy(struct ch_asking *q)
{
    const struct ch_qry_access_remedy *args = q->call->args;
    const struct ch_qry_access_explain same = EXPLAIN_ARGS(args);
    struct ch_question question;
    struct ch_explained e;
    struct ch_step *steps = ch_take(q, CH_STEPS_MOST, sizeof *steps);
    struct ch_qry_access_remedy_result *result = ch_take(q, 1, sizeof *result);
    if (steps == NULL || result == NULL || !question_of(q, &same, &question)) return;
    if (!ch_explain(q, &question, &e)) return;
    struct helping h = {.q = q, .steps = steps};
    h.count = ch_least_steps(q, &e, args->resource, steps);
    for (uint32_t i = 0; i < h.count; i++) {
        h.by_rights += steps[i].by == CH_step_by_rights;
    }
    h.scratch = *q;
    h.scratch.arena = &h.arena;
    h.scratch.ret = &h.answer;
    result->decision = e.answer.decision;
    result->reason = e.answer.reason;
    result->revision = ch_meta(q->state)->head;
    result->steps = step_records(q, steps, h.count);
    result->steps_len = h.count;
    const struct ch_moment operator= {.now = q->moment->now,
                                      .channel = CH_channel_operator,
                                      .actor = {.kind = CH_actor_kind_operator}};
    uint64_t made[CH_STEPS_MOST];
    (void)helps(&h, &operator, made, &result->operator_steps_len);
    result->operator_steps = copy_steps(q, made, result->operator_steps_len);
    const bool listed = list_helpers(
        &h, ch_page_of(args->has_after, args->after, args->has_limit, args->limit), result);
    ch_arena_deinit(&h.arena);
    if (listed && !q->ret->no_memory) q->ret->result = result;
}
