/* query_billing: statements, and whether an account is billed by itself; see query.h.
 * SPDX-License-Identifier: MIT
 * The volume of all accounts of a plan together decides the rate of a period: the price of the last
 * rate whose volume is reached, for every credit of it. */
#include "daemon/core/query_ledger.h"

/* The periods and the accounts of a statement. */
struct statement {
    uint32_t plan;
    bool whole;             /* of the account that has the plan: with prices */
    struct ch_rows periods; /* oldest first */
    struct ch_rows accounts;
};

static uint64_t price_of(const struct ch_row_period *period)
{
    uint64_t price = 0;
    for (uint32_t i = 0; i < period->rate_count; i++) {
        if (period->rate_from[i] <= period->used) price = period->rate_price[i];
    }
    return price;
}

static bool stands_in(const struct ch_state *state, uint32_t account, uint32_t above)
{
    uint32_t a = account;
    while (a != 0 && a != above) {
        a = ch_account_row(state, a)->parent;
    }
    return a == above;
}

/* Periods of the plan that are asked for. The list begins with the newest. */
static bool gather_periods(struct ch_asking *q, const struct ch_qry_billing_statement *args,
                           struct statement *s)
{
    const struct ch_row_plan *plan = ch_plan_row(q->state, s->plan);
    const struct ch_turn turn = ch_turn_begin(q->state, s->plan, q->moment->now);
    for (uint32_t p = plan->oldest; p != 0; p = ch_period_row(q->state, p)->newer) {
        const struct ch_row_period *period = ch_period_row(q->state, p);
        ch_saw(q, period->changed);
        const bool present = p == plan->present && !turn.whole;
        if (!args->has_from && !args->has_to && !present) continue;
        if (args->has_from && period->from < args->from) continue;
        if (args->has_to && period->from >= args->to) continue;
        if (!ch_rows_add(q, &s->periods, p)) return false;
    }
    return true;
}

/* The accounts at and below `on` that are under its plan now, and those that were when they used
 * credits. */
static bool gather_accounts(struct ch_asking *q, struct statement *s)
{
    const struct ch_state *state = q->state;
    uint32_t at = q->on;
    for (;;) {
        const struct ch_row_account *row = ch_account_row(state, at);
        const bool apart = at != q->on && ch_find_plan(state, at) != 0;
        ch_saw(q, row->changed);
        if (!apart && row->status == CH_account_status_open && !ch_rows_add(q, &s->accounts, at)) {
            return false;
        }
        if (!apart && row->first_child != 0) {
            at = row->first_child;
            continue;
        }
        while (at != q->on && ch_account_row(state, at)->next_sibling == 0) {
            at = ch_account_row(state, at)->parent;
        }
        if (at == q->on) break;
        at = ch_account_row(state, at)->next_sibling;
    }
    for (uint32_t i = 0; i < s->periods.count; i++) {
        const struct ch_row_period *period = ch_period_row(state, s->periods.row[i]);
        for (uint32_t u = period->first_usage; u != 0; u = ch_usage_row(state, u)->next) {
            const uint32_t account = ch_usage_row(state, u)->account;
            if (!stands_in(state, account, q->on)) continue;
            if (!ch_rows_add(q, &s->accounts, account)) return false;
        }
    }
    ch_rows_sort(&s->accounts);
    return true;
}

/* Adds to a sum that stays below 2^53; false after refusing. */
static bool add(struct ch_asking *q, uint64_t *sum, uint64_t count, uint64_t price)
{
    uint64_t more;
    if (__builtin_mul_overflow(count, price, &more) || more > CH_MAX_INTEGER ||
        *sum > CH_MAX_INTEGER - more) {
        return ch_refuse(q, CH_REJ_amount_too_large, "from");
    }
    *sum += more;
    return true;
}

/* What the account used in the periods of the statement; added to its line, and where `periods` is
 * not NULL to theirs. */
static bool add_line(struct ch_asking *q, const struct statement *s, uint32_t account,
                     struct ch_rec_statement_line *line, struct ch_rec_statement_period *periods)
{
    for (uint32_t i = 0; i < s->periods.count; i++) {
        const uint32_t usage_row = ch_find_usage(q->state, s->periods.row[i], account);
        if (usage_row == 0) continue;
        const struct ch_row_usage *usage = ch_usage_row(q->state, usage_row);
        const uint64_t price = price_of(ch_period_row(q->state, s->periods.row[i]));
        if (!add(q, &line->used, usage->used, 1) || !add(q, &line->reserved, usage->reserved, 1)) {
            return false;
        }
        if (s->whole && !add(q, &line->cost, usage->used, price)) return false;
        if (periods != NULL && !add(q, &periods[i].used, usage->used, 1)) return false;
    }
    line->has_cost = s->whole;
    return true;
}

/* The periods' sums: of the whole plan they are known, of a part its accounts are added up. */
static struct ch_rec_statement_period *add_periods(struct ch_asking *q, const struct statement *s)
{
    struct ch_rec_statement_period *periods = ch_take(q, s->periods.count, sizeof *periods);
    if (periods == NULL) return NULL;
    for (uint32_t i = 0; i < s->periods.count; i++) {
        const struct ch_row_period *period = ch_period_row(q->state, s->periods.row[i]);
        periods[i].from = period->from;
        periods[i].has_to = period->to != 0;
        periods[i].to = period->to;
        if (!s->whole) continue;
        periods[i].used = period->used;
        periods[i].has_price = true;
        periods[i].price = price_of(period);
        periods[i].has_cost = true;
        if (!add(q, &periods[i].cost, period->used, periods[i].price)) return NULL;
    }
    for (uint32_t i = 0; !s->whole && i < s->accounts.count; i++) {
        struct ch_rec_statement_line line = {0};
        if (!add_line(q, s, s->accounts.row[i], &line, periods)) return NULL;
    }
    return periods;
}

static bool fill(struct ch_asking *q, struct statement *s, struct ch_page page,
                 struct ch_qry_billing_statement_result *result)
{
    const struct ch_rec_statement_period *periods = add_periods(q, s);
    if (periods == NULL) return false;
    result->periods = periods;
    result->periods_len = s->periods.count;
    result->accounts = s->accounts.count;
    result->has_cost = s->whole;
    for (uint32_t i = 0; i < s->periods.count; i++) {
        if (!add(q, &result->used, periods[i].used, 1)) return false;
        if (!add(q, &result->cost, periods[i].cost, 1)) return false;
    }
    ch_rows_page(q, &s->accounts, page, ch_id_of_account, &result->has_next, &result->next);
    struct ch_rec_statement_line *lines = ch_take(q, s->accounts.count, sizeof *lines);
    if (lines == NULL) return false;
    for (uint32_t i = 0; i < s->accounts.count; i++) {
        const struct ch_row_account *account = ch_account_row(q->state, s->accounts.row[i]);
        if (!add_line(q, s, s->accounts.row[i], &lines[i], /* periods= */ NULL)) return false;
        lines[i].account.seq = account->id;
        lines[i].name = ch_copy_text(q, account->name);
    }
    result->lines = lines;
    result->lines_len = s->accounts.count;
    return true;
}

void ch_query_billing_statement(struct ch_asking *q)
{
    const struct ch_qry_billing_statement *args = q->call->args;
    struct statement s = {.plan = ch_plan_over(q->state, q->on)};
    ch_saw_account(q, q->on);
    if (s.plan == 0) {
        (void)ch_refuse(q, CH_REJ_no_plan, "on");
        return;
    }
    ch_saw(q, ch_plan_row(q->state, s.plan)->changed);
    s.whole = ch_plan_row(q->state, s.plan)->account == q->on;
    if (!gather_periods(q, args, &s) || !gather_accounts(q, &s)) return;
    struct ch_qry_billing_statement_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    if (fill(q, &s, page, result)) q->ret->result = result;
}

void ch_query_billing_separation(struct ch_asking *q)
{
    ch_saw_account(q, q->on);
    struct ch_qry_billing_separation_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    q->ret->result = result;
    const uint32_t row = ch_find_separation(q->state, q->on);
    if (row == 0) return;
    const struct ch_row_separation *separation = ch_separation_row(q->state, row);
    ch_saw(q, separation->changed);
    result->status = (uint8_t)separation->status;
    result->has_since = true;
    result->since = separation->changed;
    result->has_user = separation->user != 0;
    result->user.seq = separation->user;
    ch_opened_texts(q, separation->changed, &result->reason, 1);
    result->has_reason = result->reason.len > 0;
}
