/* explaining: see explaining.h. SPDX-License-Identifier: MIT */
#include "daemon/explaining.h"

#include "schema/records.h"

bool ch_is_explained(int type)
{
    return type == CH_QRY_access_explain || type == CH_QRY_access_remedy ||
           type == CH_QRY_access_origins || type == CH_QRY_access_holders ||
           type == CH_QRY_access_receipt;
}

struct explaining {
    const struct ch_telling *t;
    struct ch_why *why;
    bool named; /* persons are told by name */
    bool failed;
};

static void fail(struct explaining *x)
{
    if (!x->failed) (void)ch_fail(x->why, CH_ERR_NO_MEMORY, 0, "no memory to explain");
    x->failed = true;
}

/* When the fact's event was, and who caused it. */
static void tell_fact(struct explaining *x, struct ch_rec_fact_row *fact)
{
    struct ch_log_record record;
    union ch_event_body body;
    struct ch_event event;
    if (fact->seq == 0 || x->failed) return;
    if (ch_reader_read(x->t->reader, fact->seq, &record, x->why) != CH_OK) {
        x->failed = true;
        return;
    }
    if (record.bytes.ptr == NULL) return;
    if (ch_event_decode(record.bytes, x->t->arena, &body, &event, x->why) != CH_OK) {
        x->failed = true;
        return;
    }
    fact->has_at = fact->has_actor_kind = fact->has_actor = true;
    fact->at = event.at;
    fact->actor_kind = event.actor.kind;
    fact->actor = event.actor.id;
    if (!x->named) return;
    fact->has_by = ch_tell_actor(x->t, &event.actor, &fact->by, x->why);
    x->failed = x->failed || !fact->has_by;
}

/* The facts again, told. */
static const struct ch_rec_fact_row *tell_facts(struct explaining *x,
                                                const struct ch_rec_fact_row *facts, uint32_t count)
{
    if (count == 0 || x->failed) return facts;
    struct ch_rec_fact_row *told = ch_arena_copy(x->t->arena, facts, count * sizeof *told);
    if (told == NULL) {
        fail(x);
        return facts;
    }
    for (uint32_t i = 0; i < count; i++) {
        tell_fact(x, &told[i]);
    }
    return told;
}

static const void *tell_explain(struct explaining *x, const struct ch_call *call,
                                const struct ch_qry_access_explain_result *result)
{
    const struct ch_qry_access_explain *args = call->args;
    struct ch_qry_access_explain_result *told = ch_arena_copy(x->t->arena, result, sizeof *told);
    struct ch_rec_way_row *ways = ch_arena_take(x->t->arena, (result->ways_len + 1) * sizeof *ways);
    if (told == NULL || ways == NULL) {
        fail(x);
        return result;
    }
    for (uint32_t i = 0; i < result->ways_len; i++) {
        ways[i] = result->ways[i];
        ways[i].facts = tell_facts(x, ways[i].facts, ways[i].facts_len);
        ways[i].denies = tell_facts(x, ways[i].denies, ways[i].denies_len);
    }
    told->ways = ways;
    told->denies = tell_facts(x, result->denies, result->denies_len);
    told->uncounted = tell_facts(x, result->uncounted, result->uncounted_len);
    const struct ch_actor subject = {
        .kind = (uint8_t)(args->has_user ? CH_actor_kind_user : CH_actor_kind_key),
        .id = args->has_user ? args->user.id : args->key.seq};
    told->has_subject = ch_tell_actor(x->t, &subject, &told->subject, x->why);
    x->failed = x->failed || !told->has_subject;
    return told;
}

/* Whether who asked may know who else did something on the account. */
static bool may_name(const struct ch_state *state, const struct ch_moment *moment,
                     const struct ch_call *call)
{
    if (!ch_is_bound(moment)) return true;
    const struct ch_question question = {.account = ch_find_account(state, call->on.id),
                                         .wanted = ch_scopes_of(CH_SCOPE_access_explain)};
    struct ch_answer answer;
    ch_actor_access(state, moment, &question, &answer);
    return answer.decision == CH_decision_allowed;
}

bool ch_explain_told(const struct ch_telling *telling, const struct ch_moment *moment,
                     const struct ch_call *call, const void **result, struct ch_why *why)
{
    struct explaining x = {.t = telling, .why = why};
    if (call->type == CH_QRY_access_explain) {
        x.named = may_name(telling->state, moment, call);
        *result = tell_explain(&x, call, *result);
    } else if (call->type == CH_QRY_check) {
        const struct ch_qry_check_result *had = *result;
        if (had->facts_len == 0) return true;
        struct ch_qry_check_result *told = ch_arena_copy(telling->arena, had, sizeof *told);
        if (told == NULL) {
            fail(&x);
            return false;
        }
        x.named = may_name(telling->state, moment, call);
        told->facts = tell_facts(&x, had->facts, had->facts_len);
        *result = told;
    }
    return !x.failed;
}
