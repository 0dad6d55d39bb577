/* main: random histories of commands, by core and by the oracle. SPDX-License-Identifier: MIT
 * Every command must come to the same in both; so must every right that is asked about. From time
 * to time a part of a history is rolled back, and must have left no trace; and every log is
 * replayed, whole and in two parts, and must give the same bytes and, at the cut, the rights of
 * that moment. Arguments: seed, histories, commands of each. */
#include "schema/promise.h"
#include "tests/model/ask.h"
#include "tests/model/call.h"
#include "tests/model/compare.h"
#include "tests/model/coverage.h"
#include "tests/model/gains.h"
#include "tests/model/generate.h"
#include "tests/model/live.h"
#include "tests/model/whatif.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Slow checks take ten times as long; the release build then makes up for the histories. */
#ifdef CH_SLOW_CHECKS
enum { HISTORIES = 50, WHAT_IF_HISTORIES = 12 };
#else
enum { HISTORIES = 220, WHAT_IF_HISTORIES = 150 };
#endif
enum { COVERED_FROM = 220, STEPS = 400, FIRST_TIME = 1600000000 };

struct history {
    struct m_random random;
    struct m_live live;
    struct o_world world;
    struct o_world at_cut; /* a copy from some moment of the history */
    uint64_t cut_now;
    uint64_t now;
    struct m_memory before;
    struct m_memory after;
    struct m_rights had, have;
    bool what_if; /* asks again and again what commands would change */
    struct m_list list;
    struct m_everything all_before, all_after;
};

static struct {
    uint64_t seed;
    uint32_t number, step;
    const struct o_command *command;
    uint64_t weighed, commands, accepted, refused, events, expired, questions, allowed, rollbacks;
    uint64_t simulated, lines;
    uint64_t numbers; /* of commands, ever: ids and secrets are made of them */
    struct m_coverage coverage;
} run;

void m_fail(const char *format, ...)
{
    va_list args;
    printf("seed %llu, history %u, step %u\n", (unsigned long long)run.seed, run.number, run.step);
    if (run.command != NULL) m_print(run.command);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    exit(1);
}

static void print_outcome(const char *who, const struct o_outcome *o)
{
    printf("  %s: %s, %u events:", who, o->code == 0 ? "accepted" : ch_rejections[o->code].name,
           o->count);
    for (uint32_t i = 0; i < o->count; i++) {
        printf(" %s(%llu)", ch_events[o->tags[i]].record.name, (unsigned long long)o->accounts[i]);
    }
    printf("\n");
}

/* ---- rights ----------------------------------------------------------------------------------*/

static void check_answer(const struct ch_state *state, struct o_world *w,
                         const struct o_question *q)
{
    struct ch_answer core;
    struct o_answer oracle;
    m_ask(state, q, &core);
    o_access(w, q, &oracle);
    run.questions++;
    run.allowed += oracle.decision == CH_decision_allowed;
    bool same = core.decision == oracle.decision && ch_scopes_equal(core.given, oracle.given);
    if (same && core.led == oracle.led) return;
    printf("user %llu key %llu on %llu, granting %d, channel %d, resource %d:%d, any %d, at %llu, "
           "wanted %016llx%016llx\n",
           (unsigned long long)q->user, (unsigned long long)q->key, (unsigned long long)q->account,
           q->granting, q->channel, q->has_resource, q->resource, q->any,
           (unsigned long long)q->now, (unsigned long long)q->wanted.words[1],
           (unsigned long long)q->wanted.words[0]);
    printf("  core:   %s (%s), led %d, given %016llx%016llx\n",
           ch_enum_name(CH_KIND_decision, core.decision), ch_enum_name(CH_KIND_reason, core.reason),
           core.led, (unsigned long long)core.given.words[1],
           (unsigned long long)core.given.words[0]);
    printf("  oracle: %s, led %d, given %016llx%016llx\n",
           ch_enum_name(CH_KIND_decision, oracle.decision), oracle.led,
           (unsigned long long)oracle.given.words[1], (unsigned long long)oracle.given.words[0]);
    m_fail("core and oracle answer differently");
}

/* Time alone changes nothing before valid_until. */
static void check_valid_until(const struct ch_state *state, struct o_world *w,
                              const struct o_question *q)
{
    struct ch_answer now;
    struct o_answer then;
    struct o_question later = *q;
    m_ask(state, q, &now);
    for (uint64_t at = q->now + 1; at < q->now + 70; at += 7) {
        if (now.valid_until != 0 && at >= now.valid_until) at = now.valid_until - 1;
        later.now = at;
        o_access(w, &later, &then);
        if (then.decision != now.decision) {
            m_fail("user %llu on %llu at %llu: %d until %llu, but %d at %llu",
                   (unsigned long long)q->user, (unsigned long long)q->account,
                   (unsigned long long)q->now, now.decision, (unsigned long long)now.valid_until,
                   then.decision, (unsigned long long)at);
        }
        if (now.valid_until != 0 && at + 1 >= now.valid_until) return;
    }
}

static void check_rights_of(struct history *h, const struct ch_state *state, struct o_world *w,
                            uint64_t user, uint64_t key, uint64_t now, uint32_t each)
{
    for (size_t a = 0; a < w->account_count; a++) {
        if (h->random.whole && !m_chance(&h->random, 30)) continue;
        for (uint32_t i = 0; i < each; i++) {
            struct o_question q;
            m_question(&h->random, user, key, w->accounts[a].id, now, &q);
            check_answer(state, w, &q);
            if (i == 0 && m_chance(&h->random, 20)) check_valid_until(state, w, &q);
        }
    }
}

static void check_rights(struct history *h, const struct ch_state *state, struct o_world *w,
                         uint64_t now, uint32_t each)
{
    for (size_t u = 0; u < w->user_count; u++) {
        if (h->random.whole && !m_chance(&h->random, 30)) continue;
        check_rights_of(h, state, w, w->users[u].id, 0, now, each);
    }
    for (size_t k = 0; k < O_KEYS; k++) {
        if (w->keys[k].id == 0 || !m_chance(&h->random, 30)) continue;
        check_rights_of(h, state, w, 0, w->keys[k].id, now, each);
    }
    m_compare(state, w);
    if (m_chance(&h->random, 30)) m_check_deciders(state, w, now);
}

/* ---- steps -----------------------------------------------------------------------------------*/

/* An account that has much ends in several events; the oracle's in one. */
static void finish(struct history *h, const struct o_due *due)
{
    const struct ch_state *state = &h->live.state;
    if (due->tag != CH_EV_account_dissolved) return;
    const uint32_t row = ch_find_account(state, due->id);
    while (ch_account_row(state, row)->status != CH_account_status_dissolved) {
        struct o_due next = {0};
        M_CHECK(m_live_due(&h->live, h->now, &next));
        M_CHECK(next.tag == due->tag && next.id == due->id);
        o_account(&h->world, due->id)->last_seq = ++h->world.head;
    }
}

static void expire(struct history *h)
{
    if (h->world.importing) return; /* no timer fires */
    for (;;) {
        struct o_due core = {0}, oracle;
        bool due = m_live_due(&h->live, h->now, &core);
        oracle = core;
        bool wanted = o_due(&h->world, h->now, &oracle);
        if (due != wanted || (due && (core.tag != oracle.tag || core.id != oracle.id))) {
            m_fail("due: core %d tag %d of %llu, oracle %d tag %d of %llu", due, core.tag,
                   (unsigned long long)core.id, wanted, oracle.tag, (unsigned long long)oracle.id);
        }
        if (!due) return;
        finish(h, &core);
        run.coverage.tags[core.tag]++;
        run.expired++;
    }
}

/* In which order siblings are closed or reopened, and what somebody made ends, is core's own. */
static bool is_in_any_order(const struct o_command *c)
{
    return c->type == CH_CMD_account_close || c->type == CH_CMD_account_reopen ||
           c->type == CH_CMD_share_deactivate || c->type == CH_CMD_share_end ||
           c->type == CH_CMD_reputation_set_thresholds;
}

/* The same events in another order; but nothing is closed before what is below it, nor reopened
 * before what is above it. The accounts' last events are as core has them. */
static bool same_in_any_order(struct history *h, const struct o_outcome *core,
                              const struct o_outcome *oracle)
{
    bool taken[O_EVENTS] = {false};
    for (uint32_t i = 0; i < core->count; i++) {
        uint32_t j = 0;
        while (j < oracle->count && (taken[j] || oracle->tags[j] != core->tags[i] ||
                                     oracle->accounts[j] != core->accounts[i])) {
            j++;
        }
        if (j == oracle->count) return false;
        taken[j] = true;
        for (uint32_t n = i + 1; n < core->count; n++) {
            const bool closes = core->tags[i] == CH_EV_account_closed;
            if (!closes && core->tags[i] != CH_EV_account_reopened) break;
            const uint64_t first = core->accounts[closes ? n : i];
            if (o_stands_in(&h->world, first, core->accounts[closes ? i : n])) return false;
        }
        if (o_is_traffic(core->tags[i])) continue;
        o_account(&h->world, core->accounts[i])->last_seq = h->world.head - core->count + 1 + i;
    }
    return true;
}

/* What the command came to is what its row in commands.def says. */
static void keep_promise(int type, const struct o_outcome *core)
{
    if (!ch_promise_is_told(type)) return;
    if (core->code != 0 && !ch_promise_keeps(type, core->code)) {
        m_fail("MAY of commands.def lacks %s", ch_rejections[core->code].name);
    }
    for (uint32_t i = 0; core->code == 0 && i < core->count; i++) {
        if (ch_promise_event(type, core->tags[i])) continue;
        m_fail("EVENTS of commands.def lacks %s", ch_events[core->tags[i]].record.name);
    }
}

/* Time goes on by a little, and sometimes by days. */
static void pass_time(struct history *h)
{
    h->now += m_below(&h->random, 6);
    if (!h->random.whole) return;
    if (m_chance(&h->random, 4)) h->now += m_below(&h->random, 36) * O_DAY_NS / 12;
    if (m_chance(&h->random, 1)) h->now += m_below(&h->random, 40) * O_DAY_NS;
}

/* One command more, by both. ret: it; true: it was accepted, and did something */
static bool command(struct history *h, bool log_refusal, struct o_command *ret)
{
    struct o_command c;
    struct o_outcome core, oracle;
    m_generate(&h->random, &h->world, h->now, &c);
    if (h->random.wanted != NULL && m_chance(&h->random, 60)) { /* who may do everything */
        c.actor_kind = CH_actor_kind_operator;
        c.actor = c.session = 0;
        c.via = false;
        c.channel = CH_channel_operator;
    }
    c.number = ++run.numbers;
    *ret = c;
    run.command = &c;
    const bool bound = c.actor_kind == CH_actor_kind_user || c.actor_kind == CH_actor_kind_key;
    const bool weighed = bound && m_chance(&h->random, 12);
    const uint32_t form = m_below(&h->random, M_FORMS);
    if (weighed) m_rights_take(&h->had, &h->live.state, &h->world, &c, form);
    m_live_command(&h->live, &c, log_refusal, &core);
    o_command(&h->world, &c, &oracle);
    keep_promise(c.type, &core);
    if (oracle.code != 0 && oracle.also[core.code]) oracle.code = core.code;
    bool same = core.code == oracle.code && core.count == oracle.count;
    const bool any_order = is_in_any_order(&c) && core.code == 0;
    for (uint32_t i = 0; same && !any_order && i < core.count; i++) {
        same = core.tags[i] == oracle.tags[i] && core.accounts[i] == oracle.accounts[i];
    }
    if (same && any_order) same = same_in_any_order(h, &core, &oracle);
    if (!same) {
        print_outcome("core", &core);
        print_outcome("oracle", &oracle);
        m_fail("core and oracle decide differently");
    }
    if (oracle.code != 0 && m_live_head(&h->live) == h->world.head + 1) {
        o_refused(&h->world);
    }
    if (h->world.head != m_live_head(&h->live)) m_fail("heads differ");
    if (weighed && oracle.code == 0) {
        m_rights_take(&h->have, &h->live.state, &h->world, &c, form);
        m_rights_compare(&h->had, &h->have, &h->world, &c);
        run.weighed++;
    }
    run.commands++;
    m_cover(&run.coverage, &h->world, &c, &oracle);
    run.accepted += oracle.code == 0;
    run.refused += oracle.code != 0;
    run.events += oracle.count;
    run.command = NULL;
    return oracle.code == 0 && oracle.count > 0;
}

static void step(struct history *h)
{
    struct o_command c;
    pass_time(h);
    /* A command may come before the clock's own events: then it is judged by the moment. */
    if (!h->random.whole || m_chance(&h->random, 70)) expire(h);
    (void)command(h, /* log_refusal= */ m_chance(&h->random, 30), &c);
}

/* Often one of those that are rare, and touch what others have; the last are no structure. */
static void want(struct history *h)
{
    static const int touching[] = {
        CH_CMD_group_move,     CH_CMD_group_delete,     CH_CMD_role_define,
        CH_CMD_share_limit,    CH_CMD_share_limit,      CH_CMD_share_grant,
        CH_CMD_share_set_role, CH_CMD_share_set_expiry, CH_CMD_group_add,
        CH_CMD_group_remove,   CH_CMD_share_deactivate, CH_CMD_share_set_scopes,
        CH_CMD_guardrail_set,  CH_CMD_stream_stop,      CH_CMD_stream_resume,
        CH_CMD_key_create,     CH_CMD_user_unlock,      CH_CMD_account_close,
        CH_CMD_account_resume, CH_CMD_plan_change};
    const size_t all = sizeof touching / sizeof touching[0];
    const uint32_t count = (uint32_t)(h->random.whole ? all : all - 7);
    const bool any = h->world.account_count < 2 || h->world.user_count < 3;
    h->random.wanted =
        any || m_chance(&h->random, 40) ? NULL : &touching[m_below(&h->random, count)];
}

/* Some commands, done and undone; then core is asked what they would change. Nothing may tell of
 * it. */
static void what_if(struct history *h)
{
    struct o_world *world = malloc(sizeof *world);
    struct m_memory before = {0};
    M_CHECK(world != NULL);
    if (m_chance(&h->random, 70)) expire(h);
    *world = h->world;
    h->list.now = h->now;
    h->list.count = 1 + m_below(&h->random, m_chance(&h->random, 50) ? 2 : M_LIST_MOST);
    m_memory_take(&before, &h->live.state, /* all= */ true);
    const struct ch_mark mark = ch_store_mark(&h->live.state.store);
    for (size_t i = 0, tries = 0; i < h->list.count; tries++) {
        want(h);
        const bool done = command(h, /* log_refusal= */ false, &h->list.commands[i]);
        if (done || tries > 60 || m_chance(&h->random, 5)) i++; /* refusals are told nothing of */
    }
    h->random.wanted = NULL;
    m_list_about(&h->list, world, &h->world);
    m_everything_take(&h->all_after, &h->live.state, &h->list);
    ch_store_rollback(&h->live.state.store, mark);
    m_everything_take(&h->all_before, &h->live.state, &h->list);
    const size_t most = m_chance(&h->random, 10) ? 1 + m_below(&h->random, 40) : 1000000;
    run.lines += m_what_if(&h->live, &h->list, &h->all_before, &h->all_after, most);
    m_memory_take(&h->after, &h->live.state, /* all= */ true);
    m_memory_compare(&before, &h->after, "what-if");
    h->world = *world;
    run.simulated++;
    ch_buf_deinit(&before.bytes);
    free(world);
}

/* Some commands and back: no byte of any table may tell of them. */
static void roll_back(struct history *h, int nested)
{
    struct o_world *world = malloc(sizeof *world);
    struct m_memory before = {0};
    uint64_t now = h->now;
    M_CHECK(world != NULL);
    *world = h->world;
    m_memory_take(&before, &h->live.state, /* all= */ true);
    struct ch_mark mark = ch_store_mark(&h->live.state.store);
    for (uint32_t i = 1 + m_below(&h->random, 12); i > 0; i--) {
        step(h);
        if (nested < 2 && m_chance(&h->random, 4)) roll_back(h, nested + 1);
    }
    ch_store_rollback(&h->live.state.store, mark);
    m_memory_take(&h->after, &h->live.state, /* all= */ true);
    m_memory_compare(&before, &h->after, "rollback");
    h->world = *world;
    h->now = now;
    m_live_cut(&h->live, m_live_head(&h->live));
    run.rollbacks++;
    ch_buf_deinit(&before.bytes);
    free(world);
}

/* The log again, in two parts, of which the second goes on from a dump of the first: that gives the
 * rights of then, both give every byte. */
static void replay(struct history *h)
{
    struct ch_state first, state;
    M_CHECK(ch_state_init(&first));
    m_replay(&first, &h->live, h->at_cut.head);
    m_reload(&first, 1 + m_live_head(&h->live) % 9000, &state);
    ch_state_deinit(&first);
    check_rights(h, &state, &h->at_cut, h->cut_now, 1);
    m_replay(&state, &h->live, m_live_head(&h->live));
    m_memory_take(&h->before, &h->live.state, /* all= */ false);
    m_memory_take(&h->after, &state, /* all= */ false);
    m_memory_compare(&h->before, &h->after, "replay of prefix, its dump loaded, and tail");
    ch_state_deinit(&state);

    M_CHECK(ch_state_init(&state));
    m_replay(&state, &h->live, m_live_head(&h->live));
    m_memory_take(&h->after, &state, /* all= */ false);
    m_memory_compare(&h->before, &h->after, "replay of the whole");
    M_CHECK(m_dump_hash(&state) == m_dump_hash(&h->live.state));
    check_rights(h, &state, &h->world, h->now, 1);
    ch_state_deinit(&state);
}

/* The built-in roles and pages have the ids that the log's first events gave them. */
static void start(struct history *h)
{
    struct o_world *w = &h->world;
    o_start(w);
    w->head = m_live_head(&h->live);
    w->invitation_days = w->offer_days = 7;
    w->grace_days = 30;
    w->hash_keys = 1;
    for (uint64_t seq = 1; seq <= w->head; seq++) {
        struct ch_arena arena = {0};
        union ch_event_body body;
        struct ch_event event;
        struct ch_why why;
        M_CHECK(ch_event_decode(m_live_record(&h->live, seq), &arena, &body, &event, &why) ==
                CH_OK);
        if (event.tag == CH_EV_role_defined) {
            struct o_role *r = &w->roles[w->role_count++];
            *r = (struct o_role){.id = seq, .scopes = body.role_defined.scopes};
            memcpy(r->name, body.role_defined.name.ptr, body.role_defined.name.len);
        }
        if (event.tag == CH_EV_mask_defined) {
            w->masks[body.mask_defined.kind] = body.mask_defined.scopes;
        }
        if (event.tag == CH_EV_page_defined) {
            struct o_page *p = &w->pages[w->page_count++];
            *p = (struct o_page){.id = seq, .scopes = body.page_defined.scopes};
            memcpy(p->name, body.page_defined.name.ptr, body.page_defined.name.len);
        }
        ch_arena_deinit(&arena);
    }
    M_CHECK(w->role_count == ch_role_count() && w->page_count == ch_page_count());
}

static void play(struct history *h, uint32_t steps)
{
    m_live_init(&h->live);
    start(h);
    h->now = FIRST_TIME;
    h->at_cut = h->world;
    h->cut_now = h->now;
    uint32_t cut = m_below(&h->random, steps);
    for (run.step = 0; run.step < steps; run.step++) {
        if (h->what_if && run.step > steps / 3 && m_chance(&h->random, 16)) {
            what_if(h);
        } else if (m_chance(&h->random, 2)) {
            roll_back(h, 0);
        } else {
            step(h);
        }
        if (m_chance(&h->random, 10)) {
            ch_store_forget(&h->live.state.store, ch_store_mark(&h->live.state.store));
        }
        if (!h->what_if && m_chance(&h->random, 5)) {
            check_rights(h, &h->live.state, &h->world, h->now, 2);
        }
        if (run.step == cut) {
            h->at_cut = h->world;
            h->cut_now = h->now;
        }
        if (run.step == steps / 2 && !h->what_if) replay(h);
    }
    if (!h->what_if) replay(h);
    m_live_deinit(&h->live);
}

static uint64_t argument(int argc, char **argv, int place, uint64_t other)
{
    return argc > place ? strtoull(argv[place], NULL, 0) : other;
}

int main(int argc, char **argv)
{
    struct history *h = calloc(1, sizeof *h);
    if (h == NULL) return 1;
    setvbuf(stdout, NULL, _IOLBF, 0); /* a failed check aborts */
    h->what_if = argc > 1 && strcmp(argv[1], "whatif") == 0;
    h->random.whole = h->what_if || (argc > 1 && strcmp(argv[1], "whole") == 0);
    const char *times = getenv("CH_MODEL_TIMES");
    uint64_t first = argument(argc, argv, 2, 20260901);
    uint32_t histories =
        (uint32_t)argument(argc, argv, 3, h->what_if ? WHAT_IF_HISTORIES : HISTORIES);
    uint32_t steps = (uint32_t)argument(argc, argv, 4, STEPS);
    if (times != NULL) histories *= (uint32_t)strtoul(times, NULL, 10);
    printf("model: seed %llu, %u histories of %u steps\n", (unsigned long long)first, histories,
           steps);
    for (run.number = 0; run.number < histories; run.number++) {
        run.seed = first + run.number;
        h->random.state = run.seed;
        if (h->what_if) h->random.whole = run.number % 3 == 0;
        play(h, steps);
    }
    printf("%llu commands: %llu accepted (%llu events), %llu refused; %llu events of the clock; "
           "%llu questions, %llu allowed; %llu rollbacks; gains weighed %llu times\n",
           (unsigned long long)run.commands, (unsigned long long)run.accepted,
           (unsigned long long)run.events, (unsigned long long)run.refused,
           (unsigned long long)run.expired, (unsigned long long)run.questions,
           (unsigned long long)run.allowed, (unsigned long long)run.rollbacks,
           (unsigned long long)run.weighed);
    if (h->what_if) {
        printf("%llu lists simulated, %llu lines of difference\n",
               (unsigned long long)run.simulated, (unsigned long long)run.lines);
    }
    m_print_coverage(&run.coverage);
    const bool covered =
        !h->random.whole || argc > 2 || histories < COVERED_FROM || m_is_covered(&run.coverage);
    ch_buf_deinit(&h->before.bytes);
    ch_buf_deinit(&h->after.bytes);
    free(h);
    return covered ? 0 : 1;
}
