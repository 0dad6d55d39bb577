/* test_credits: random histories of credit commands, by core and by an oracle that adds up what was
 * taken; and the bounds of plans. SPDX-License-Identifier: MIT
 * The oracle knows no pool: it keeps every single taking of credits and where it counts, and adds
 * them up. It is written from the rows D-03, D-17 and X-09 of the feature list and from the text at
 * the top of ledger.h. Of core it uses the calendar, which has a test of its own. Seed:
 * CH_TEST_SEED. */
#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"
#include "schema/limits.h"
#include "tests/unit/core_world.h"

#include <stdlib.h>

#ifdef CH_SLOW_CHECKS
enum { HISTORIES = 3 };
#else
enum { HISTORIES = 12 };
#endif
enum { STEPS = 500, ACCOUNTS = 6, CLOSED = 4, TAKINGS = 4096, PERIODS = 600, NOBODY = -1 };

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)

/* ---- the oracle ----------------------------------------------------------------------------- */

/* Credits that somebody used or reserved. */
struct taking {
    uint64_t id; /* of a reservation; 0: used */
    uint64_t amount;
    uint64_t expires_at;
    int account;
    int period;
    bool counts; /* in the present period's ledger */
    int holder;  /* in whose allocation; NOBODY: in the pool */
};

struct holding {
    int type; /* NOBODY: no allocation */
    uint64_t grant, total;
    int frequency;
    bool is_short;
};

struct oracle {
    int parent[ACCOUNTS]; /* account 0 has the plan */
    bool closed[ACCOUNTS];
    uint64_t gone_at; /* when the closed one can no longer be reopened; 0: none is, or it is gone */
    uint64_t total, next_total, anchor;
    int frequency;
    uint64_t prices[2]; /* of the rates from 0 and from 500 on */
    uint64_t since[3];  /* ends of days, weeks, months are counted from then */
    int period;
    struct holding held[ACCOUNTS];
    struct taking takings[TAKINGS];
    int count;
};

static uint64_t taken(const struct oracle *o, int holder, bool reserved)
{
    uint64_t sum = 0;
    for (int i = 0; i < o->count; i++) {
        const struct taking *t = &o->takings[i];
        if (t->counts && t->holder == holder && (t->id != 0) == reserved) sum += t->amount;
    }
    return sum;
}

static bool finite(const struct oracle *o, int account)
{
    return o->held[account].type == CH_allocation_type_recurring ||
           o->held[account].type == CH_allocation_type_nonrecurring;
}

static uint64_t remains(const struct oracle *o, int holder)
{
    uint64_t total = holder == NOBODY ? o->total : o->held[holder].total;
    for (int a = 0; a < ACCOUNTS && holder == NOBODY; a++) {
        if (finite(o, a)) total -= o->held[a].total;
    }
    return total - taken(o, holder, false) - taken(o, holder, true);
}

static int draws_on(const struct oracle *o, int account)
{
    for (int a = account; a != 0; a = o->parent[a]) {
        if (o->held[a].type == CH_allocation_type_unlimited) return NOBODY;
        if (finite(o, a)) return a;
    }
    return NOBODY;
}

static uint64_t end_of(const struct oracle *o, int frequency)
{
    return ch_calendar_next(o->anchor, (enum ch_frequency)frequency, o->since[frequency]);
}

static bool due(const struct oracle *o, int account, uint64_t now)
{
    const struct holding *h = &o->held[account];
    return h->type == CH_allocation_type_recurring && end_of(o, h->frequency) <= now;
}

/* When something is over next. */
static uint64_t next_end(const struct oracle *o)
{
    uint64_t first = end_of(o, o->frequency);
    for (int a = 0; a < ACCOUNTS; a++) {
        if (o->held[a].type != CH_allocation_type_recurring) continue;
        if (end_of(o, o->held[a].frequency) < first) first = end_of(o, o->held[a].frequency);
    }
    return first;
}

static bool is_shut(const struct oracle *o, int account)
{
    return o->closed[account] || (account != 0 && is_shut(o, o->parent[account]));
}

/* Everything taken from one's allocation counts in the pool from now on. */
static void to_pool(struct oracle *o, int holder)
{
    for (int i = 0; i < o->count; i++) {
        if (o->takings[i].counts && o->takings[i].holder == holder) o->takings[i].holder = NOBODY;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool turn(struct oracle *o, uint64_t now)
{
    if (next_end(o) > now) return false;
    const bool whole = end_of(o, o->frequency) <= now;
    int order[ACCOUNTS];
    int count = 0;
    bool is_due[ACCOUNTS] = {false};
    for (int a = 0; a < ACCOUNTS; a++) { /* as they were opened */
        if (finite(o, a)) order[count++] = a;
    }
    for (int a = 0; a < ACCOUNTS; a++) {
        is_due[a] = due(o, a, now);
    }
    if (whole) {
        uint64_t kept[ACCOUNTS] = {0};
        for (int i = 0; i < count; i++) {
            kept[order[i]] = remains(o, order[i]);
        }
        for (int i = 0; i < o->count; i++) {
            o->takings[i].counts = false;
        }
        uint64_t left = o->total = o->next_total;
        for (int i = 0; i < count; i++) {
            struct holding *h = &o->held[order[i]];
            h->total = is_due[order[i]] ? 0 : least(kept[order[i]], left);
            if (!is_due[order[i]] && h->total < kept[order[i]]) h->is_short = true;
            left -= h->total;
        }
        o->period++;
    }
    for (int i = 0; i < count; i++) {
        struct holding *h = &o->held[order[i]];
        if (!is_due[order[i]]) continue;
        to_pool(o, order[i]);
        h->total = 0;
        const uint64_t wanted = is_shut(o, order[i]) ? 0 : h->grant;
        const uint64_t got = least(wanted, remains(o, NOBODY));
        h->total = got;
        h->is_short = got < wanted;
    }
    for (int f = 0; f < 3; f++) {
        o->since[f] = now;
    }
    return true;
}

static void take(struct oracle *o, int account, uint64_t amount, uint64_t id, uint64_t expires_at)
{
    assert_true(o->count < TAKINGS);
    o->takings[o->count++] = (struct taking){.id = id,
                                             .amount = amount,
                                             .expires_at = expires_at,
                                             .account = account,
                                             .period = o->period,
                                             .counts = true,
                                             .holder = draws_on(o, account)};
}

static void settle(struct taking *t, uint64_t used)
{
    t->id = 0;
    t->amount = used;
}

static void drop_holding(struct oracle *o, int account)
{
    to_pool(o, account);
    o->held[account] = (struct holding){.type = NOBODY};
}

static void set_holding(struct oracle *o, int account, int type, uint64_t total, int frequency,
                        uint64_t now)
{
    struct holding *h = &o->held[account];
    bool first = frequency != o->frequency;
    for (int a = 0; a < ACCOUNTS; a++) {
        if (o->held[a].type != CH_allocation_type_recurring) continue;
        if (o->held[a].frequency == frequency) first = false;
    }
    if (type == CH_allocation_type_recurring && first) o->since[frequency] = now;
    if (type == CH_allocation_type_unlimited) to_pool(o, account);
    *h = (struct holding){.type = type, .grant = total, .total = total, .frequency = frequency};
}

/* ---- both ----------------------------------------------------------------------------------- */

static const uint64_t rates_from[2] = {0, 500};

struct both {
    struct world *w;
    struct oracle o;
    uint64_t random;
    uint64_t id[ACCOUNTS];
    uint32_t done, refused, turns;
};

/* splitmix64. source: prng.di.unimi.it/splitmix64.c */
static uint64_t below(struct both *b, uint64_t bound)
{
    uint64_t z = b->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static void compare_use(struct both *b, uint32_t period_row, int period)
{
    const struct ch_state *s = &b->w->state;
    for (int a = 0; a < ACCOUNTS; a++) {
        uint64_t used = 0, reserved = 0;
        for (int i = 0; i < b->o.count; i++) {
            const struct taking *t = &b->o.takings[i];
            if (t->account != a || t->period != period) continue;
            *(t->id != 0 ? &reserved : &used) += t->amount;
        }
        const uint32_t row = ch_find_usage(s, period_row, ch_find_account(s, b->id[a]));
        assert_true(used == (row == 0 ? 0 : ch_usage_row(s, row)->used));
        assert_true(reserved == (row == 0 ? 0 : ch_usage_row(s, row)->reserved));
    }
}

/* Pool, holdings and what each account used in every period that is kept. */
static void compare(struct both *b)
{
    const struct ch_state *s = &b->w->state;
    const struct oracle *o = &b->o;
    const struct ch_row_plan *plan = ch_plan_row(s, ch_find_plan(s, ch_find_account(s, b->id[0])));
    assert_true(plan->total == o->total && plan->next_total == o->next_total);
    const struct ch_row_period *present = ch_period_row(s, plan->present);
    assert_int_equal(present->rate_count, 2);
    assert_true(memcmp(present->rate_from, rates_from, sizeof rates_from) == 0);
    assert_true(memcmp(present->rate_price, o->prices, sizeof o->prices) == 0);
    assert_true(plan->used == taken(o, NOBODY, false));
    assert_true(plan->reserved == taken(o, NOBODY, true));
    assert_true(plan->remain == remains(o, NOBODY));
    for (int a = 1; a < ACCOUNTS; a++) {
        const uint32_t row = ch_find_allocation(s, ch_find_account(s, b->id[a]));
        assert_true((row == 0) == (o->held[a].type == NOBODY));
        if (row == 0 || !finite(o, a)) continue;
        const struct ch_row_allocation *allocation = ch_allocation_row(s, row);
        assert_true(allocation->total == o->held[a].total);
        assert_true(allocation->used == taken(o, a, false));
        assert_true(allocation->reserved == taken(o, a, true));
        assert_true(allocation->remain == remains(o, a));
        assert_true((allocation->is_short != 0) == o->held[a].is_short);
    }
    int period = o->period;
    for (uint32_t p = plan->present; p != 0; p = ch_period_row(s, p)->older) {
        compare_use(b, p, period--);
    }
}

/* What the account could send now, as decide and queries see it: before any turn took effect. */
static void compare_sight(struct both *b, int account)
{
    struct oracle *later = malloc(sizeof *later);
    assert_non_null(later);
    *later = b->o;
    (void)turn(later, b->w->now);
    const struct ch_state *s = &b->w->state;
    const uint32_t row = ch_find_account(s, b->id[account]);
    const uint32_t plan = ch_plan_over(s, row);
    const uint32_t from = ch_drawn_from(s, plan, row);
    struct ch_holding held;
    const struct ch_turn sight = ch_turn_at(s, plan, b->w->now, from, &held);
    assert_true((from == 0 ? sight.pool.remain : held.remain) ==
                remains(later, draws_on(later, account)));
    free(later);
}

static int expected(struct both *b, int code, const struct oracle *before, bool turned)
{
    const bool accepted = b->w->reject.code == CH_REJ_none;
    assert_int_equal(b->w->reject.code, code);
    if (accepted && b->w->count > 0) {
        b->done++;
        b->turns += turned;
        assert_int_equal(b->w->count, 1 + turned);
        return 1;
    }
    b->refused++;
    b->o = *before; /* no turn without an event */
    return 0;
}

static void some_use(struct both *b, int account, const struct oracle *before)
{
    struct world *w = b->w;
    const bool spend = below(b, 2) == 0;
    const bool turned = turn(&b->o, w->now);
    const uint64_t left = remains(&b->o, draws_on(&b->o, account));
    const uint64_t amount = below(b, 8) == 0 ? left + below(b, 2) : below(b, 60);
    const uint64_t expires_at = w->now + (1 + below(b, 6 * 24)) * (CH_DAY_NS / 24);
    const int code = is_shut(&b->o, account) ? CH_REJ_account_closed
                     : amount == 0           ? CH_REJ_amount_zero
                     : amount > left         ? CH_REJ_credits_exhausted
                                             : CH_REJ_none;
    if (spend) {
        (void)RUN(w, SERVICE, credits_spend, b->id[account], .amount = amount);
    } else {
        (void)RUN(w, SERVICE, credits_reserve, b->id[account], .amount = amount,
                  .has_expires_at = true, .expires_at = expires_at);
    }
    if (!expected(b, code, before, turned)) return;
    take(&b->o, account, amount, spend ? 0 : w->made, spend ? 0 : expires_at);
}

static void some_settlement(struct both *b, const struct oracle *before)
{
    struct world *w = b->w;
    int open = NOBODY;
    for (int i = 0; i < b->o.count; i++) {
        if (b->o.takings[i].id != 0 && (open == NOBODY || below(b, 3) == 0)) open = i;
    }
    if (open == NOBODY) return;
    struct taking *t = &b->o.takings[open];
    const bool turned = turn(&b->o, w->now);
    const bool release = below(b, 3) == 0;
    const uint64_t used = release ? 0 : below(b, t->amount + 2);
    const int code = t->expires_at <= w->now ? CH_REJ_reservation_over
                     : used > t->amount      ? CH_REJ_over_reserved
                                             : CH_REJ_none;
    if (release) {
        (void)RUN(w, SERVICE, credits_release, 0, .reservation = {t->id});
    } else {
        (void)RUN(w, SERVICE, credits_settle, 0, .reservation = {t->id}, .used = used);
    }
    if (expected(b, code, before, turned)) settle(t, used);
}

static void some_allocation(struct both *b, int account, const struct oracle *before)
{
    struct world *w = b->w;
    const bool turned = turn(&b->o, w->now);
    const struct holding *h = &b->o.held[account];
    const int type = (int)below(b, 3);
    const bool own = type != CH_allocation_type_unlimited;
    const int frequency = type == CH_allocation_type_recurring ? (int)below(b, 3) : 0;
    const uint64_t total = own ? 1 + below(b, 300) : 0;
    const uint64_t in_use = taken(&b->o, account, false) + taken(&b->o, account, true);
    const uint64_t held = finite(&b->o, account) ? h->total : 0;
    const bool same = !turned && h->type == type && h->grant == total && h->total == total &&
                      h->frequency == frequency;
    const int code = is_shut(&b->o, account)                        ? CH_REJ_account_closed
                     : account == 0                                 ? CH_REJ_outside_plan
                     : same                                         ? CH_REJ_none
                     : own && total < in_use                        ? CH_REJ_credits_in_use
                     : own && total > remains(&b->o, NOBODY) + held ? CH_REJ_credits_exhausted
                                                                    : CH_REJ_none;
    (void)RUN(w, w->owner, credits_allocate, w->top, .account = {.id = b->id[account]},
              .type = (uint8_t)type, .has_total = own, .total = total,
              .has_reset_frequency = type == CH_allocation_type_recurring,
              .reset_frequency = (uint8_t)frequency);
    if (expected(b, code, before, turned)) {
        set_holding(&b->o, account, type, total, frequency, w->now);
    }
}

static void some_withdrawal(struct both *b, int account, const struct oracle *before)
{
    struct world *w = b->w;
    const bool turned = turn(&b->o, w->now);
    const int code = account == 0                        ? CH_REJ_outside_plan
                     : b->o.held[account].type == NOBODY ? CH_REJ_no_allocation
                                                         : CH_REJ_none;
    (void)RUN(w, w->owner, credits_withdraw, w->top, .account = {.id = b->id[account]});
    if (expected(b, code, before, turned)) drop_holding(&b->o, account);
}

static void some_change(struct both *b, const struct oracle *before)
{
    struct world *w = b->w;
    const bool turned = turn(&b->o, w->now);
    struct ch_cmd_plan_change args = {0};
    const uint64_t in_use = b->o.total - remains(&b->o, NOBODY);
    args.has_total = below(b, 2) == 0;
    args.total = below(b, 4) == 0 ? in_use + below(b, 2) : 200 + below(b, 900);
    args.has_next_total = below(b, 3) == 0;
    args.next_total = 1 + below(b, 1000);
    args.has_anchor = below(b, 6) == 0;
    args.anchor = w->now + below(b, 40) * CH_DAY_NS + below(b, 24) * (CH_DAY_NS / 24);
    args.has_period = below(b, 6) == 0;
    args.period = (uint8_t)below(b, 3);
    if (args.has_total && args.total == 0) args.total = 1;
    const uint64_t prices[2] = {below(b, 100), below(b, 100)};
    if (below(b, 4) == 0) {
        args.rate_from = rates_from;
        args.rate_price = prices;
        args.rate_from_len = args.rate_price_len = 2;
    }
    const int code = args.has_total && args.total < in_use ? CH_REJ_credits_in_use : CH_REJ_none;
    (void)run(w, OPERATOR, CH_CMD_plan_change, w->top, &args);
    if (!expected(b, code, before, turned)) return;
    if (args.rate_from_len > 0) memcpy(b->o.prices, prices, sizeof prices);
    if (args.has_total) b->o.total = b->o.next_total = args.total;
    if (args.has_next_total) b->o.next_total = args.next_total;
    const bool moved = (args.has_anchor && args.anchor != b->o.anchor) ||
                       (args.has_period && args.period != b->o.frequency);
    if (args.has_anchor) b->o.anchor = args.anchor;
    if (args.has_period) b->o.frequency = args.period;
    for (int f = 0; f < 3 && moved; f++) {
        b->o.since[f] = w->now;
    }
}

/* The daemon's clock: what is due first, first; a period before the end of an account, and that
 * before a reservation. An account that is gone leaves its allocation to the pool. */
static void let_time_pass(struct both *b)
{
    for (;;) {
        struct taking *first = NULL;
        for (int i = 0; i < b->o.count; i++) {
            struct taking *t = &b->o.takings[i];
            if (t->id == 0 || (first != NULL && t->expires_at >= first->expires_at)) continue;
            first = t;
        }
        const uint64_t end = next_end(&b->o);
        const uint64_t gone = b->o.gone_at == 0 ? UINT64_MAX : b->o.gone_at;
        if (end <= b->w->now && end <= gone && (first == NULL || end <= first->expires_at)) {
            (void)turn(&b->o, b->w->now);
            b->turns++;
        } else if (gone <= b->w->now && (first == NULL || gone <= first->expires_at)) {
            if (b->o.held[CLOSED].type != NOBODY) drop_holding(&b->o, CLOSED);
            b->o.gone_at = 0;
        } else if (first != NULL && first->expires_at <= b->w->now) {
            settle(first, 0);
        } else {
            break;
        }
    }
    pass_time(b->w, 0);
}

static void step(struct both *b)
{
    struct oracle *before = malloc(sizeof *before);
    assert_non_null(before);
    const int account = (int)below(b, ACCOUNTS);
    b->w->now += below(b, 3) == 0 ? below(b, 3 * 24) * (CH_DAY_NS / 24) : 1;
    if (below(b, 40) == 0) b->w->now += below(b, 90) * CH_DAY_NS;
    if (below(b, 3) == 0) let_time_pass(b); /* else the next command closes what is over */
    compare(b);
    compare_sight(b, account);
    *before = b->o;
    const uint64_t what = below(b, 20);
    if (what < 9) {
        some_use(b, account, before);
    } else if (what < 13) {
        some_settlement(b, before);
    } else if (what < 17) {
        some_allocation(b, account, before);
    } else if (what < 18) {
        some_withdrawal(b, account, before);
    } else {
        some_change(b, before);
    }
    compare(b);
    free(before);
}

/* Of every byte of every table that is dumped. */
static uint64_t fingerprint(const struct ch_state *state)
{
    uint64_t hash = 0;
    for (uint32_t t = 0; t < state->store.table_count; t++) {
        const struct ch_table *table = &state->store.tables[t];
        if (!table->def.dumped) continue;
        hash = ch_hash_mix(hash, ch_hash_mix(table->used, table->free_head));
        for (uint32_t row = 1; row <= table->used; row++) {
            hash = ch_hash_mix(hash, ch_hash_bytes(ch_table_ptr(table, row), table->def.row_bytes));
        }
    }
    return hash;
}

/* Some steps and back: no byte may tell of them. */
static void roll_back(struct both *b)
{
    struct oracle *before = malloc(sizeof *before);
    assert_non_null(before);
    const uint64_t now = b->w->now;
    const uint64_t bytes = fingerprint(&b->w->state);
    const size_t logged = world_log->len;
    const struct ch_mark mark = ch_store_mark(&b->w->state.store);
    *before = b->o;
    for (uint64_t i = 1 + below(b, 6); i > 0; i--) {
        step(b);
    }
    ch_store_rollback(&b->w->state.store, mark);
    assert_true(fingerprint(&b->w->state) == bytes);
    world_log->len = logged;
    b->o = *before;
    b->w->now = now;
    free(before);
    compare(b);
}

static void play(struct both *b, uint64_t seed)
{
    struct world *w = b->w;
    memset(&b->o, 0, sizeof b->o);
    b->random = seed;
    b->id[0] = w->top;
    b->id[1] = w->mid;
    b->id[2] = w->low;
    b->id[3] = w->side;
    b->id[4] = add_sub(w, w->top, "four");
    b->id[5] = add_sub(w, w->side, "five");
    static const int parents[ACCOUNTS] = {0, 0, 1, 0, 0, 3};
    memcpy(b->o.parent, parents, sizeof parents);
    for (int a = 0; a < ACCOUNTS; a++) {
        b->o.held[a].type = NOBODY;
    }
    b->o.anchor = w->now - below(b, 800) * CH_DAY_NS - below(b, 24) * (CH_DAY_NS / 24);
    b->o.frequency = (int)below(b, 3);
    b->o.total = b->o.next_total = 1000;
    b->o.prices[0] = 7;
    for (int f = 0; f < 3; f++) {
        b->o.since[f] = w->now;
    }
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = 1000, .has_period = true,
         .period = (uint8_t)b->o.frequency, .has_anchor = true, .anchor = b->o.anchor,
         .rate_from = rates_from, .rate_from_len = 2, .rate_price = b->o.prices,
         .rate_price_len = 2);
    for (int i = 0; i < STEPS; i++) {
        if (i == STEPS / 2) { /* one is closed, and takes nothing at a reset */
            DONE(w->owner, account_close, b->id[CLOSED], .has_below = false);
            b->o.closed[CLOSED] = true;
            b->o.gone_at = w->now + 30 * CH_DAY_NS;
        }
        if (below(b, 25) == 0) roll_back(b);
        step(b);
    }
}

/* The log again, from its bytes: every byte of the state is the same. */
static void replay(const struct both *b)
{
    struct ch_state state;
    struct ch_arena arena = {0};
    assert_true(ch_state_init(&state));
    for (size_t at = 0; at < world_log->len;) {
        union ch_event_body body;
        struct ch_event event;
        struct ch_why why = {0};
        size_t len;
        memcpy(&len, world_log->ptr + at, sizeof len);
        const struct ch_bytes record = {world_log->ptr + at + sizeof len, len};
        ch_arena_reset(&arena);
        assert_int_equal(ch_event_decode(record, &arena, &body, &event, &why), CH_OK);
        assert_true(ch_apply_reserve(&state, &event));
        ch_apply(&state, &event);
        at += sizeof len + len;
    }
    assert_true(fingerprint(&state) == fingerprint(&b->w->state));
    ch_state_deinit(&state);
    ch_arena_deinit(&arena);
}

static void core_and_the_oracle_agree_on_random_histories(void **test)
{
    const char *given = getenv("CH_TEST_SEED");
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261126;
    print_message("credits: seed %llu\n", (unsigned long long)seed);
    (void)test;
    struct both *b = calloc(1, sizeof *b);
    assert_non_null(b);
    for (uint64_t i = 0; i < HISTORIES; i++) {
        void *world = NULL;
        struct ch_buf log = {0};
        world_log = &log;
        (void)world_setup(&world);
        b->w = world;
        play(b, seed + i);
        replay(b);
        (void)world_teardown(&world);
        ch_buf_deinit(&log);
        world_log = NULL;
    }
    print_message("%u accepted, %u refused, %u turns\n", b->done, b->refused, b->turns);
    assert_true(b->done > HISTORIES * STEPS / 4 && b->turns > HISTORIES * 20);
    free(b);
}

/* ---- bounds --------------------------------------------------------------------------------- */

/* One command without the walk over everything that `run` does: for thousands of them. */
static int run_quick(struct world *w, int type, uint64_t on, void *args)
{
    struct ch_call call = {.type = type, .has_on = on != 0, .on = {.id = on}, .args = args};
    struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_operator}};
    struct ch_verdict verdict = {0};
    uint64_t read_seq = 0;
    ch_put_be64(moment.id, ++w->messages);
    struct ch_minted minted[1];
    learn_minted(&moment, minted, 1, w->messages);
    ch_arena_reset(&w->arena);
    if (ch_enter(&w->state, &moment, &call, &read_seq, &verdict.reject)) {
        assert_true(ch_decide_reserve(&w->state, &call));
        ch_decide(&w->state, &moment, &call, &w->arena, &verdict);
    }
    w->reject = verdict.reject;
    w->count = verdict.count;
    for (uint32_t i = 0; verdict.reject.code == CH_REJ_none && i < verdict.count; i++) {
        ch_apply(&w->state, &verdict.events[i]); /* in the room that was reserved, no other */
        w->made = verdict.events[i].seq;
    }
    ch_store_forget(&w->state.store, ch_store_mark(&w->state.store));
    return (int)verdict.reject.code;
}
#define QUICK(ident, on, ...)                                                                      \
    run_quick(w, CH_CMD_##ident, (on), &(struct ch_cmd_##ident){__VA_ARGS__})

static void holds(const struct world *w)
{
    const char *broken = ch_invariant_broken(&w->state);
    if (broken != NULL) fail_msg("does not hold: %s", broken);
}

static void a_plan_has_so_many_allocations_and_one_event_resets_them_all(void **test)
{
    struct world *w = *test;
    uint64_t last = 0;
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = 10 * LIMIT_ALLOCATIONS_OF_PLAN,
         .has_period = true, .period = CH_frequency_monthly);
    for (uint32_t i = 0; i <= LIMIT_ALLOCATIONS_OF_PLAN; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "client %u", i);
        assert_int_equal(QUICK(account_open_sub, w->top, .name = ch_text_of(name)), CH_REJ_none);
        last = w->made - 1; /* its first key came last */
        const int code = QUICK(credits_allocate, w->top, .account = {.id = last},
                               .type = CH_allocation_type_recurring, .has_total = true, .total = 2,
                               .has_reset_frequency = true, .reset_frequency = CH_frequency_daily);
        const bool full = i == LIMIT_ALLOCATIONS_OF_PLAN;
        assert_int_equal(code, full ? CH_REJ_limit_reached : CH_REJ_none);
    }
    assert_string_equal(w->reject.limit, "ALLOCATIONS_OF_PLAN");
    holds(w);
    /* by a command's own turn, then by the clock's */
    w->now += CH_DAY_NS;
    assert_int_equal(QUICK(credits_spend, last, .amount = 1), CH_REJ_none);
    assert_int_equal(w->count, 2);
    holds(w);
    pass_time(w, CH_DAY_NS);
}

static void a_plan_has_so_many_open_reservations(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = CH_MAX_INTEGER);
    for (uint32_t i = 0; i < LIMIT_RESERVATIONS_OF_PLAN; i++) {
        assert_int_equal(QUICK(credits_reserve, w->mid, .amount = 1), CH_REJ_none);
    }
    const uint64_t one = w->made;
    assert_int_equal(QUICK(credits_reserve, w->low, .amount = 1), CH_REJ_limit_reached);
    assert_string_equal(w->reject.limit, "RESERVATIONS_OF_PLAN");
    assert_int_equal(QUICK(credits_settle, 0, .reservation = {one}, .used = 1), CH_REJ_none);
    assert_int_equal(QUICK(credits_reserve, w->low, .amount = 1), CH_REJ_none);
    holds(w);
}

/* Thirteen periods stay, with what each account used in them; one with an open reservation
 * longer. */
static void old_periods_are_let_go(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = 100, .has_period = true,
         .period = CH_frequency_daily);
    const uint32_t plan = ch_find_plan(&w->state, ch_find_account(&w->state, w->top));
    for (uint64_t day = 1; day <= 40; day++) {
        DONE(OPERATOR, credits_spend, w->mid, .amount = day);
        pass_time(w, CH_DAY_NS);
        const uint32_t count = ch_plan_row(&w->state, plan)->period_count;
        assert_int_equal(count, day + 1 < LIMIT_PERIODS_KEPT ? day + 1 : LIMIT_PERIODS_KEPT);
    }
    uint32_t row = ch_plan_row(&w->state, plan)->oldest;
    assert_int_equal(ch_period_row(&w->state, row)->used, 40 - LIMIT_PERIODS_KEPT + 2);
    assert_int_equal(ch_table_live(&w->state.store, CH_T_USAGE), LIMIT_PERIODS_KEPT - 1);
    /* Shifting the anchor makes short periods, so that thirteen end within a reservation's week. */
    DONE(OPERATOR, credits_reserve, w->mid, .amount = 7, .has_expires_at = true,
         .expires_at = w->now + 7 * CH_DAY_NS);
    const uint64_t reservation = w->made;
    for (uint32_t i = 0; i < 2 * LIMIT_PERIODS_KEPT; i++) {
        DONE(OPERATOR, plan_change, w->top, .has_anchor = true, .anchor = w->now + CH_DAY_NS / 24);
        pass_time(w, CH_DAY_NS / 24);
    }
    assert_true(ch_plan_row(&w->state, plan)->period_count > LIMIT_PERIODS_KEPT);
    DONE(OPERATOR, credits_settle, 0, .reservation = {reservation}, .used = 7);
    pass_time(w, CH_DAY_NS);
    assert_int_equal(ch_plan_row(&w->state, plan)->period_count, LIMIT_PERIODS_KEPT);
}

/* A daily allocation of a monthly plan that is made days after the plan: the days before do not
 * end now. */
static void a_new_allocation_does_not_begin_anew_at_once(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = 100);
    w->now += 3 * CH_DAY_NS + 1;
    DONE(w->owner, credits_allocate, w->top, .account = {.id = w->mid},
         .type = CH_allocation_type_recurring, .has_total = true, .total = 10,
         .has_reset_frequency = true, .reset_frequency = CH_frequency_daily);
    DONE(OPERATOR, credits_spend, w->mid, .amount = 10);
    assert_int_equal(w->count, 1);
    REFUSED(credits_exhausted, OPERATOR, credits_spend, w->mid, .amount = 1);
    w->now += CH_DAY_NS;
    DONE(OPERATOR, credits_spend, w->mid, .amount = 1);
    assert_int_equal(w->count, 2);
}

/* Amounts beyond the wire's bound never come; core refuses their sums all the same. */
static void amounts_beyond_what_there_is_are_refused(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = CH_MAX_INTEGER);
    REFUSED(credits_exhausted, OPERATOR, credits_spend, w->top, .amount = UINT64_MAX);
    REFUSED(credits_exhausted, OPERATOR, credits_reserve, w->top, .amount = UINT64_MAX);
    REFUSED(credits_exhausted, OPERATOR, credits_allocate, w->top, .account = {.id = w->mid},
            .type = CH_allocation_type_nonrecurring, .has_total = true, .total = UINT64_MAX);
    DONE(OPERATOR, credits_reserve, w->top, .amount = CH_MAX_INTEGER);
    REFUSED(credits_exhausted, OPERATOR, credits_spend, w->low, .amount = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_and_the_oracle_agree_on_random_histories),
        WORLD_TEST(a_plan_has_so_many_allocations_and_one_event_resets_them_all),
        WORLD_TEST(a_plan_has_so_many_open_reservations),
        WORLD_TEST(old_periods_are_let_go),
        WORLD_TEST(a_new_allocation_does_not_begin_anew_at_once),
        WORLD_TEST(amounts_beyond_what_there_is_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
