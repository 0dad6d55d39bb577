/* test_explain: every explanation is complete and as small as it can be, over random histories.
 * SPDX-License-Identifier: MIT
 * The seed is CH_TEST_SEED from the environment, or a fixed one; it is printed. Facts are taken
 * back under a mark, and the answer must flip, or must not:
 * - allowed: without one fact of each open way it is denied; each way alone suffices;
 * - denied: without all that is listed as denying it, and with a grant of just this where that is
 *   said to be missing, it is allowed; each thing that denies it whatever gives it does so alone;
 * - the least change, sent as commands by those who are said to be able to, allows it; and where
 *   one share would do if it counted, it is one step to such a share. */
#include "daemon/core/steps.h"
#include "tests/unit/explain_history.h"
#include "tests/unit/explain_withdraw.h"

#include <stdlib.h>

enum { STEPS = 1500, QUESTIONS = 4, FACTS_OF_WAY = 32, WAYS = 256 };

/* One proof on its way. */
struct proof {
    struct world *w;
    struct people *p;
    struct chance *c;
    struct ch_arena arena;
    struct ch_query_answer answer;
    struct ch_moment moment;
    struct ch_asking q;
    struct ch_question question;
    struct ch_text resource;
    uint64_t allowed, denied, lacking, several, by_steps, unmade, unblocked, idle, inherited;
};

static bool is_allowed(const struct proof *t)
{
    struct ch_answer answer;
    ch_access(&t->w->state, &t->question, &answer, NULL, NULL);
    return answer.decision == CH_decision_allowed;
}

static uint8_t scope_of(const struct proof *t)
{
    for (uint8_t scope = 0;; scope++) {
        if (ch_scopes_has(t->question.wanted, scope)) return scope;
    }
}

static void print_fact(void *arg, const struct ch_evidence *fact)
{
    (void)arg;
    print_message("  %s by %llu: share %u member %u group %u account %u key %u, %llx %llx\n",
                  ch_enum_name(CH_KIND_fact, fact->kind), (unsigned long long)fact->seq,
                  fact->share, fact->member, fact->group, fact->account, fact->key,
                  (unsigned long long)fact->scopes.words[0],
                  (unsigned long long)fact->scopes.words[1]);
}

static void wrong(const struct proof *t, const char *what)
{
    struct ch_answer answer;
    ch_access(&t->w->state, &t->question, &answer, print_fact, NULL);
    print_message("  %s, %s\n", ch_enum_name(CH_KIND_decision, answer.decision),
                  ch_enum_name(CH_KIND_reason, answer.reason));
    fail_msg("%s: user %u key %u account %u scope %s resource %d any %d channel %d at %llu", what,
             t->question.user, t->question.key, t->question.account,
             ch_scopes_table[scope_of(t)].name, t->question.has_resource, t->question.any,
             t->question.channel, (unsigned long long)ch_meta(&t->w->state)->head);
}

/* ---- allowed --------------------------------------------------------------------------------- */

struct chain {
    struct ch_evidence fact[FACTS_OF_WAY];
    uint32_t count;
};

static void take_fact(void *arg, const struct ch_evidence *fact)
{
    struct chain *chain = arg;
    assert_true(chain->count < FACTS_OF_WAY);
    assert_true(fact->seq != 0);
    chain->fact[chain->count++] = *fact;
}

/* Whether taking the one back takes the other back. */
static bool same(const struct ch_evidence *a, const struct ch_evidence *b)
{
    if (a->kind != b->kind || a->seq != b->seq) return false;
    if (a->kind == CH_fact_parent_group) return a->group == b->group;
    if (a->kind == CH_fact_role_version || a->kind == CH_fact_own_scopes ||
        a->kind == CH_fact_grant || a->kind == CH_fact_key) {
        return ch_scopes_equal(a->scopes, b->scopes);
    }
    return a->share == b->share;
}

static bool has(const struct chain *chain, const struct ch_evidence *fact)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        if (same(&chain->fact[i], fact)) return true;
    }
    return false;
}

/* Without every other way, this one suffices. */
static void prove_suffices(struct proof *t, const struct chain *chains, uint32_t count,
                           uint32_t which)
{
    const struct ch_mark mark = ch_store_mark(&t->w->state.store);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t own = 0;
        if (i == which) continue;
        const uint32_t from = below(t->c, chains[i].count);
        while (own < chains[i].count &&
               has(&chains[which], &chains[i].fact[(from + own) % chains[i].count])) {
            own++;
        }
        if (own == chains[i].count) wrong(t, "a way holds another one");
        withdraw(&t->w->state, &chains[i].fact[(from + own) % chains[i].count], t->question.user);
    }
    if (!is_allowed(t)) wrong(t, "one way alone does not suffice");
    ch_store_rollback(&t->w->state.store, mark);
}

/* A share that ends also denies no longer: another way may then come free, by what implies the
 * scope, which was listed as denied. */
static bool was_listed(struct proof *t, const struct ch_explained *e)
{
    struct ch_explained then;
    assert_true(ch_explain(&t->q, &t->question, &then));
    for (uint32_t i = 0; i < then.way_count; i++) {
        bool known = false;
        const struct ch_evidence *giver = &then.fact[then.way[i].giver];
        for (uint32_t j = 0; j < e->way_count; j++) {
            const struct ch_evidence *old = &e->fact[e->way[j].giver];
            known = known || (!e->way[j].open && old->kind == giver->kind &&
                              old->seq == giver->seq && e->way[j].scope == then.way[i].scope);
        }
        if (then.way[i].open && !known) return false;
    }
    return true;
}

/* Without one fact of each way it is denied. */
static void prove_flips(struct proof *t, const struct ch_explained *e, const struct chain *chains,
                        uint32_t count)
{
    const struct ch_mark mark = ch_store_mark(&t->w->state.store);
    for (uint32_t i = 0; i < count; i++) {
        withdraw(&t->w->state, &chains[i].fact[below(t->c, chains[i].count)], t->question.user);
    }
    if (is_allowed(t)) {
        if (scope_of(t) != CH_SCOPE_lists_select || !was_listed(t, e)) {
            wrong(t, "allowed without one fact of each way");
        }
        t->unblocked++;
    }
    ch_store_rollback(&t->w->state.store, mark);
}

static void prove_allowed(struct proof *t, const struct ch_explained *e)
{
    struct chain *chains = ch_arena_take(&t->arena, WAYS * sizeof *chains);
    uint32_t count = 0;
    assert_non_null(chains);
    for (uint32_t i = 0; i < e->way_count; i++) {
        if (!e->way[i].open) continue;
        assert_true(count < WAYS);
        ch_each_of_way(&t->q, e, &e->way[i], take_fact, &chains[count++]);
    }
    if (count == 0) wrong(t, "allowed by no way");
    for (int i = 0; i < 3; i++) {
        prove_flips(t, e, chains, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        prove_suffices(t, chains, count, i);
    }
    t->allowed++;
    t->several += count > 1;
}

/* ---- denied ---------------------------------------------------------------------------------- */

/* What is listed as denying it. */
static uint32_t denials(const struct ch_explained *seen, uint8_t scope, struct ch_evidence *ret,
                        uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < seen->fact_count; i++) {
        bool denies = seen->way_count == 0 && (ch_denies_supposed(&seen->fact[i], scope) ||
                                               ch_denies_all(seen, &seen->fact[i], scope));
        for (uint32_t j = 0; j < seen->way_count; j++) {
            const struct ch_way *way = &seen->way[j];
            denies = denies || ch_denies_all(seen, &seen->fact[i], way->scope) ||
                     ch_denies_way(&seen->fact[i], &seen->fact[way->giver], way->scope);
        }
        if (!denies || ch_is_repeated(seen, i)) continue;
        assert_true(count < most);
        ret[count++] = seen->fact[i];
    }
    return count;
}

/* The least grant, straight into the state. */
static void grant(struct proof *t, enum ch_lack lack)
{
    struct ch_state *state = &t->w->state;
    if (t->question.key != 0) {
        struct ch_row_key *key = EDIT(state, key, KEY, t->question.key);
        key->scopes = scopes_and_more(state, key->scopes, t->question.wanted);
        return;
    }
    uint32_t row =
        ch_find_share(state, CH_subject_kind_user, t->question.user, t->question.account);
    if (row == 0) {
        const struct ch_ev_share_given body = {.subject = ch_user_row(state, t->question.user)->id};
        struct ch_event event = {.seq = ch_meta(state)->head + 1,
                                 .at = t->w->now,
                                 .tag = CH_EV_share_given,
                                 .account = ch_account_row(state, t->question.account)->id,
                                 .body = &body};
        take_event(t->w, &event);
        row = ch_find_share(state, CH_subject_kind_user, t->question.user, t->question.account);
    }
    struct ch_row_share *share = EDIT(state, share, SHARE, row);
    share->status = CH_share_status_active;
    assert_true(ch_state_reserve(state, 4, 0, 0));
    struct ch_row_terms *terms = ch_edit_terms(state, row);
    terms->expires_at = 0;
    if (lack == CH_LACK_grant) {
        terms->own = scopes_and_more(state, terms->own, t->question.wanted);
    }
}

/* Whether there is a share or a key that could be given it at all. */
static bool can_have(const struct proof *t)
{
    const struct ch_state *state = &t->w->state;
    if (t->question.key != 0) {
        const struct ch_row_key *key = ch_key_row(state, t->question.key);
        return ch_key_leads(state, t->question.key, t->question.account) &&
               (key->expires_at == 0 || key->expires_at > t->question.now);
    }
    const uint32_t row =
        ch_find_share(state, CH_subject_kind_user, t->question.user, t->question.account);
    return row == 0 || t->question.channel == CH_channel_web ||
           ch_share_row(state, row)->kind != CH_share_kind_login;
}

static void prove_denied(struct proof *t, const struct ch_explained *e)
{
    struct ch_explained supposed;
    struct ch_evidence denies[64];
    enum ch_lack lack = CH_LACK_nothing;
    assert_true(ch_explain_lack(&t->q, e, &supposed, &lack));
    const struct ch_explained *seen = lack == CH_LACK_nothing ? e : &supposed;
    const uint32_t count = denials(seen, scope_of(t), denies, 64);
    if (lack == CH_LACK_nothing && count == 0) wrong(t, "denied by nothing");
    t->denied++;
    t->lacking += lack != CH_LACK_nothing;
    if (lack != CH_LACK_nothing && !can_have(t)) return;
    /* all taken back: allowed; but one: denied, if it denies whatever gives it */
    for (uint32_t but = 0; but <= count; but++) {
        const struct ch_mark mark = ch_store_mark(&t->w->state.store);
        for (uint32_t i = 0; i < count; i++) {
            if (i != but) withdraw(&t->w->state, &denies[i], t->question.user);
        }
        if (lack != CH_LACK_nothing) grant(t, lack);
        bool alone = but < count;
        for (uint32_t i = 0; alone && i < seen->way_count; i++) {
            alone = ch_denies_all(seen, &denies[but], seen->way[i].scope);
        }
        if (but == count && !is_allowed(t)) wrong(t, "denied by more than is listed");
        if (alone && is_allowed(t)) wrong(t, "what is listed does not deny it");
        ch_store_rollback(&t->w->state.store, mark);
    }
}

/* ---- the least change -------------------------------------------------------------------------
 * */

static struct ch_moment person(const struct proof *t, uint64_t user)
{
    struct ch_moment moment = {.now = t->w->now, .channel = CH_channel_web};
    moment.actor.kind = CH_actor_kind_user;
    moment.actor.id = user;
    moment.user_row = ch_find_user(&t->w->state, user);
    return moment;
}

static struct ch_moment the_operator(const struct proof *t)
{
    struct ch_moment moment = {.now = t->w->now, .channel = CH_channel_operator};
    moment.actor.kind = CH_actor_kind_operator;
    return moment;
}

/* Sends the step's command; what is refused changes nothing. */
static bool send(struct proof *t, const struct ch_step *step, uint64_t sender)
{
    struct ch_call call;
    if (!ch_step_call(&t->q, step, &call)) return false;
    const int code = run(t->w, sender, call.type, call.on.id, call.args);
    return code == CH_REJ_none && t->w->count > 0;
}

/* Who is said to be able to make a step is, and nobody else. */
static void prove_who(struct proof *t, const struct ch_step *step)
{
    if (step->by == CH_step_by_person || step->by == CH_step_by_nobody) return;
    for (int u = -1; u < PEOPLE; u++) {
        const uint64_t sender = u < 0 ? OPERATOR : t->p->user[u];
        const struct ch_moment moment = u < 0 ? the_operator(t) : person(t, sender);
        const struct ch_mark mark = ch_store_mark(&t->w->state.store);
        const bool said = ch_may_step(&t->q, step, &moment);
        t->w->mints = 1;
        const bool done = send(t, step, sender);
        ch_store_rollback(&t->w->state.store, mark);
        if (step->type == CH_CMD_invitation_resend) continue; /* this world has no mailer */
        if (said != done && !(step->by == CH_step_by_operator && u >= 0)) {
            wrong(t, said ? "said to be able, and is not" : "is able, and not said to be");
        }
    }
}

/* Makes the step by whoever can. */
static bool make(struct proof *t, const struct ch_step *step)
{
    if (step->by == CH_step_by_person && step->type == CH_CMD_ownership_accept) {
        return send(t, step, ch_user_row(&t->w->state, t->question.user)->id);
    }
    if (step->by == CH_step_by_person || step->by == CH_step_by_nobody) return false;
    if (send(t, step, OPERATOR)) return true;
    for (int u = 0; u < PEOPLE; u++) {
        if (send(t, step, t->p->user[u])) return true;
    }
    return false;
}

static void prove_steps(struct proof *t, const struct ch_explained *e)
{
    struct ch_step steps[CH_STEPS_MOST];
    const uint32_t count = ch_least_steps(&t->q, e, t->resource, steps);
    const struct ch_question asked = t->question;
    if (count == 0) wrong(t, "denied, and nothing to do about it");
    const struct ch_mark mark = ch_store_mark(&t->w->state.store);
    bool made = true;
    for (uint32_t i = 0; i < count && made; i++) {
        assert_true(steps[i].text.len > 0);
        if (i == 0 || steps[i].is_new) prove_who(t, &steps[i]);
        made = make(t, &steps[i]);
        if (made && steps[i].type == CH_CMD_key_create) {
            t->question.key = ch_find_key(&t->w->state, t->w->made);
        }
    }
    if (t->question.has_resource) { /* it may have been named for the first time */
        t->question.resource = ch_text_find(&t->w->state, t->resource);
    }
    if (made && !is_allowed(t)) wrong(t, "denied after the least change");
    t->by_steps += made;
    t->unmade += !made;
    t->question = asked;
    ch_store_rollback(&t->w->state.store, mark);
}

/* Whether it would be allowed with this share, which does not count, and what it lacks. */
static bool would_do(struct proof *t, uint32_t row, uint32_t *ret_steps)
{
    struct ch_state *state = &t->w->state;
    const struct ch_row_share *share = ch_share_row(state, row);
    const bool over = ch_is_over(state, share, t->question.now);
    *ret_steps = (share->status == CH_share_status_inactive ? 1u : 0u) + (over ? 1u : 0u);
    if (share->status == CH_share_status_pending || *ret_steps == 0) return false;
    const struct ch_mark mark = ch_store_mark(&state->store);
    EDIT(state, share, SHARE, row)->status = CH_share_status_active;
    if (over) ch_edit_terms(state, row)->expires_at = 0;
    const bool would = is_allowed(t);
    ch_store_rollback(&state->store, mark);
    return would;
}

/* One share that alone would do is what the least change is about. */
static void prove_idle(struct proof *t, const struct ch_explained *e)
{
    const struct ch_state *state = &t->w->state;
    struct ch_step steps[CH_STEPS_MOST];
    uint32_t least = 0;
    bool inherited = false;
    for (uint32_t row = 1; row <= state->store.tables[CH_T_SHARE].used; row++) {
        uint32_t needed = 0;
        if (!ch_row_is_live(&state->store, CH_T_SHARE, row) || !would_do(t, row, &needed)) continue;
        if (least == 0 || needed < least) least = needed;
        inherited = inherited || ch_share_row(state, row)->account != t->question.account ||
                    ch_share_row(state, row)->subject_kind == CH_subject_kind_group;
    }
    if (least == 0 || t->question.user == 0) return;
    const uint32_t count = ch_least_steps(&t->q, e, t->resource, steps);
    if (count > least) wrong(t, "one share would do, and more is asked for");
    if (least == 1 && steps[0].type != CH_CMD_share_activate &&
        steps[0].type != CH_CMD_share_set_expiry) {
        wrong(t, "a share that would do is not what the least change is about");
    }
    t->idle++;
    t->inherited += inherited;
}

/* ---- the proofs -------------------------------------------------------------------------------
 * */

/* A person who was invited and has not accepted: no command of this world makes one. */
static void invite(struct proof *t)
{
    const uint32_t row =
        ch_find_share(&t->w->state, CH_subject_kind_user, t->question.user, t->question.account);
    if (row == 0 || ch_share_row(&t->w->state, row)->status != CH_share_status_active) return;
    EDIT(&t->w->state, share, SHARE, row)->status = CH_share_status_pending;
}

/* Shares on the way to the account are deactivated: the person's own, and groups'. */
static void put_to_rest(struct proof *t)
{
    const struct ch_ref user = {.id = ch_user_row(&t->w->state, t->question.user)->id};
    for (int a = 0; a < ACCOUNTS; a++) {
        if (below(t->c, 2) == 0) continue;
        (void)RUN(t->w, OPERATOR, share_deactivate, t->p->account[a], .has_user = true,
                  .user = user);
    }
    if (below(t->c, 3) != 0) return;
    (void)RUN(t->w, OPERATOR, share_deactivate, t->p->account[below(t->c, ACCOUNTS)],
              .has_group = true, .group = {.id = t->p->group[below(t->c, GROUPS)]});
}

static void some_question(struct proof *t)
{
    const struct world *w = t->w;
    struct chance *c = t->c;
    const uint32_t on = ch_find_account(&w->state, t->p->account[below(c, ACCOUNTS)]);
    const uint32_t kind = below(c, 4);
    t->question = (struct ch_question){
        .account = on,
        .wanted = ch_scopes_of(met[below(c, METS)]),
        .has_resource = kind < 2,
        .any = kind == 2,
        .channel = (uint8_t)(below(c, 3) == 0 ? CH_channel_api : CH_channel_web),
        .now = w->now + (below(c, 6) == 0 ? below(c, 60) : 0)};
    t->resource = ch_text_of(kind == 0 ? resources[below(c, RESOURCES)] : "L9");
    if (kind < 2) t->question.resource = ch_text_find(&w->state, t->resource);
    if (t->p->keys > 0 && below(c, 6) == 0) {
        t->question.key = ch_find_key(&w->state, t->p->key[below(c, t->p->keys)]);
    } else {
        t->question.user = ch_find_user(&w->state, t->p->user[below(c, PEOPLE)]);
    }
    t->moment = the_operator(t);
    t->moment.now = t->question.now;
    t->q = (struct ch_asking){
        .state = &w->state, .moment = &t->moment, .arena = &t->arena, .ret = &t->answer, .on = on};
    ch_arena_reset(&t->arena);
}

static void prove_one(struct proof *t)
{
    struct ch_explained e;
    some_question(t);
    const struct ch_mark mark = ch_store_mark(&t->w->state.store);
    const bool invited = t->question.user != 0 && below(t->c, 12) == 0;
    if (invited) invite(t);
    if (!invited && t->question.user != 0 && below(t->c, 3) == 0) put_to_rest(t);
    assert_true(ch_explain(&t->q, &t->question, &e));
    bool open = false;
    for (uint32_t i = 0; i < e.way_count; i++) {
        open = open || e.way[i].open;
    }
    if (open != is_allowed(t)) wrong(t, "explanation and answer differ");
    if (open) {
        prove_allowed(t, &e);
    } else {
        prove_denied(t, &e);
        prove_idle(t, &e);
        if (!invited) prove_steps(t, &e); /* a row that was edited breaks the invariants */
    }
    ch_store_rollback(&t->w->state.store, mark);
}

static void every_explanation_is_complete_and_minimal(void **test)
{
    struct world *w = *test;
    const char *given = getenv("CH_TEST_SEED");
    struct chance c = {given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20261126)};
    print_message("seed %llu\n", (unsigned long long)c.state);
    struct people p;
    make_people(w, &p);
    struct proof t = {.w = w, .p = &p, .c = &c};
    for (int i = 0; i < STEPS; i++) {
        const uint64_t actor = below(&c, 3) != 0 ? OPERATOR : p.user[below(&c, PEOPLE)];
        (void)history_step(w, &p, &c, actor);
        if (i % 40 == 0) heal(w, &p);
        if (below(&c, 8) == 0) pass_time(w, below(&c, 30));
        for (int k = 0; k < QUESTIONS; k++) {
            prove_one(&t);
        }
        ch_store_forget(&w->state.store, ch_store_mark(&w->state.store));
    }
    print_message(
        "%llu allowed (%llu by several ways), %llu denied (%llu lacking); the least change "
        "was made %llu times, could not be %llu times; %llu came free; %llu by one share "
        "(%llu inherited)\n",
        (unsigned long long)t.allowed, (unsigned long long)t.several, (unsigned long long)t.denied,
        (unsigned long long)t.lacking, (unsigned long long)t.by_steps, (unsigned long long)t.unmade,
        (unsigned long long)t.unblocked, (unsigned long long)t.idle,
        (unsigned long long)t.inherited);
    assert_true(t.allowed > STEPS / 10 && t.several > STEPS / 100 && t.by_steps > STEPS / 4);
    assert_true(t.inherited > STEPS / 30);
    ch_arena_deinit(&t.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {WORLD_TEST(every_explanation_is_complete_and_minimal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
