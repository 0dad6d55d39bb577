/* main: random histories of commands, by core and by the oracle. SPDX-License-Identifier: MIT
 * Every command must come to the same in both; so must every right that is asked about. From time
 * to time a part of a history is rolled back, and must have left no trace; and every log is
 * replayed, whole and in two parts, and must give the same bytes and, at the cut, the rights of
 * that moment. Arguments: seed, histories, commands of each. */
#include "schema/promise.h"
#include "tests/model/call.h"
#include "tests/model/generate.h"
#include "tests/model/live.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { HISTORIES = 220, STEPS = 400, FIRST_TIME = 1600000000 };

struct history {
    struct m_random random;
    struct m_live live;
    struct o_world world;
    struct o_world at_cut; /* a copy from some moment of the history */
    uint64_t cut_now;
    uint64_t now;
    struct m_memory before;
    struct m_memory after;
};

static struct {
    uint64_t seed;
    uint32_t number, step;
    const struct o_command *command;
    uint64_t commands, accepted, refused, events, expired, questions, allowed, rollbacks;
    uint64_t codes[256];
    uint64_t types[CH_COMMANDS];
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
    printf(
        "user %llu on %llu, channel %d, resource %d:%d, any %d, at %llu, wanted %016llx%016llx\n",
        (unsigned long long)q->user, (unsigned long long)q->account, q->channel, q->has_resource,
        q->resource, q->any, (unsigned long long)q->now, (unsigned long long)q->wanted.words[1],
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

static void check_rights(struct history *h, const struct ch_state *state, struct o_world *w,
                         uint64_t now, uint32_t each)
{
    for (size_t u = 0; u < w->user_count; u++) {
        for (size_t a = 0; a < w->account_count; a++) {
            for (uint32_t i = 0; i < each; i++) {
                struct o_question q;
                m_question(&h->random, w->users[u].id, w->accounts[a].id, now, &q);
                check_answer(state, w, &q);
                if (i == 0 && m_chance(&h->random, 20)) check_valid_until(state, w, &q);
            }
        }
    }
}

/* ---- steps -----------------------------------------------------------------------------------*/

static void expire(struct history *h)
{
    uint16_t tag = 0;
    uint64_t core = 0, oracle = 0;
    for (;;) {
        bool due = m_live_due(&h->live, h->now, &tag, &core);
        oracle = core;
        bool wanted = o_expire(&h->world, h->now, &oracle);
        if (due != wanted || (due && core != oracle)) {
            m_fail("due: core %d share %llu, oracle %d share %llu", due, (unsigned long long)core,
                   wanted, (unsigned long long)oracle);
        }
        if (!due) return;
        run.expired++;
    }
}

/* In which order siblings are closed or reopened is core's own; nothing is closed before what is
 * below it, nor reopened before what is above it. */
static bool closed_alike(struct history *h, const struct o_outcome *core,
                         const struct o_outcome *oracle)
{
    for (uint32_t i = 0; i < core->count; i++) {
        bool known = false;
        for (uint32_t j = 0; j < oracle->count; j++) {
            known = known || oracle->accounts[j] == core->accounts[i];
        }
        if (!known) return false;
        for (uint32_t j = i + 1; j < core->count; j++) {
            const bool closes = core->tags[i] == CH_EV_account_closed;
            const uint64_t first = core->accounts[closes ? j : i];
            if (o_stands_in(&h->world, first, core->accounts[closes ? i : j])) return false;
        }
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

static void step(struct history *h)
{
    struct o_command c;
    struct o_outcome core, oracle;
    h->now += m_below(&h->random, 6);
    expire(h);
    m_generate(&h->random, &h->world, h->now, &c);
    run.command = &c;
    bool log_refusal = m_chance(&h->random, 30);
    m_live_command(&h->live, &c, log_refusal, &core);
    o_command(&h->world, &c, &oracle);
    const bool many = c.type == CH_CMD_account_close || c.type == CH_CMD_account_reopen;
    keep_promise(c.type, &core);
    bool same = core.code == oracle.code && core.count == oracle.count;
    for (uint32_t i = 0; same && i < core.count; i++) {
        same = core.tags[i] == oracle.tags[i] && (many || core.accounts[i] == oracle.accounts[i]);
    }
    if (same && many) same = closed_alike(h, &core, &oracle);
    if (!same) {
        print_outcome("core", &core);
        print_outcome("oracle", &oracle);
        m_fail("core and oracle decide differently");
    }
    if (oracle.code != 0 && m_live_head(&h->live) == h->world.head + 1) {
        o_refused(&h->world);
    }
    if (h->world.head != m_live_head(&h->live)) m_fail("heads differ");
    run.commands++;
    run.codes[oracle.code]++;
    run.types[c.type] += oracle.code == 0;
    run.accepted += oracle.code == 0;
    run.refused += oracle.code != 0;
    run.events += oracle.count;
    run.command = NULL;
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

/* The log again, in two parts: its first part gives the rights of then, both give every byte. */
static void replay(struct history *h)
{
    struct ch_state state;
    M_CHECK(ch_state_init(&state));
    m_replay(&state, &h->live, h->at_cut.head);
    check_rights(h, &state, &h->at_cut, h->cut_now, 1);
    m_replay(&state, &h->live, m_live_head(&h->live));
    m_memory_take(&h->before, &h->live.state, /* all= */ false);
    m_memory_take(&h->after, &state, /* all= */ false);
    m_memory_compare(&h->before, &h->after, "replay of prefix and tail");
    ch_state_deinit(&state);

    M_CHECK(ch_state_init(&state));
    m_replay(&state, &h->live, m_live_head(&h->live));
    m_memory_take(&h->after, &state, /* all= */ false);
    m_memory_compare(&h->before, &h->after, "replay of the whole");
    check_rights(h, &state, &h->world, h->now, 1);
    ch_state_deinit(&state);
}

/* The built-in roles and pages have the ids that the log's first events gave them. */
static void start(struct history *h)
{
    struct o_world *w = &h->world;
    o_start(w);
    w->head = m_live_head(&h->live);
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
        if (event.tag == CH_EV_mask_defined && body.mask_defined.kind == CH_mask_kind_suspended) {
            w->suspension = body.mask_defined.scopes;
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
        if (m_chance(&h->random, 2)) {
            roll_back(h, 0);
        } else {
            step(h);
        }
        if (m_chance(&h->random, 10)) {
            ch_store_forget(&h->live.state.store, ch_store_mark(&h->live.state.store));
        }
        if (m_chance(&h->random, 5)) {
            check_rights(h, &h->live.state, &h->world, h->now, 2);
        }
        if (run.step == cut) {
            h->at_cut = h->world;
            h->cut_now = h->now;
        }
        if (run.step == steps / 2) replay(h);
    }
    replay(h);
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
    uint64_t first = argument(argc, argv, 1, 20260901);
    uint32_t histories = (uint32_t)argument(argc, argv, 2, HISTORIES);
    uint32_t steps = (uint32_t)argument(argc, argv, 3, STEPS);
    printf("model: seed %llu, %u histories of %u steps\n", (unsigned long long)first, histories,
           steps);
    for (run.number = 0; run.number < histories; run.number++) {
        run.seed = first + run.number;
        h->random.state = run.seed;
        play(h, steps);
    }
    printf("%llu commands: %llu accepted (%llu events), %llu refused; %llu shares expired; "
           "%llu questions, %llu allowed; %llu rollbacks\n",
           (unsigned long long)run.commands, (unsigned long long)run.accepted,
           (unsigned long long)run.events, (unsigned long long)run.refused,
           (unsigned long long)run.expired, (unsigned long long)run.questions,
           (unsigned long long)run.allowed, (unsigned long long)run.rollbacks);
    for (size_t i = 1; i < ch_rejection_count; i++) {
        if (run.codes[i] != 0) {
            printf("  %-18s %llu\n", ch_rejections[i].name, (unsigned long long)run.codes[i]);
        }
    }
    for (int i = 0; i < CH_COMMANDS; i++) {
        if (i > CH_CMD_role_define && run.types[i] == 0) continue; /* not of the model */
        printf("  %-20s %llu accepted\n", ch_calls[i].args.name, (unsigned long long)run.types[i]);
    }
    ch_buf_deinit(&h->before.bytes);
    ch_buf_deinit(&h->after.bytes);
    free(h);
    return 0;
}
