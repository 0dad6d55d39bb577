/* call_billing: commands about plans and credits, for core. SPDX-License-Identifier: MIT */
#include "tests/model/call_impl.h"

/* One rate from 0 on; or what is no list of rates: no price, or nothing from 0 on. */
static void rates_of(const struct o_command *c, struct ch_arena *arena, const uint64_t **ret_from,
                     uint32_t *ret_froms, const uint64_t **ret_price, uint32_t *ret_prices)
{
    uint64_t *from = m_take(arena, sizeof *from);
    uint64_t *price = m_take(arena, sizeof *price);
    *from = c->rates == 3 ? 5 : 0;
    *price = c->price;
    *ret_from = from;
    *ret_price = price;
    *ret_froms = c->rates == 0 ? 0 : 1;
    *ret_prices = c->rates == 1 || c->rates == 3 ? 1 : 0;
}

#define RATES                                                                                      \
    rates_of(c, arena, &args->rate_from, &args->rate_from_len, &args->rate_price,                  \
             &args->rate_price_len)
#define TERMS                                                                                      \
    args->name = ch_text_of(c->name);                                                              \
    args->total = c->amount[0];                                                                    \
    args->has_paid = c->has_flag;                                                                  \
    args->paid = c->flag;                                                                          \
    args->has_period = c->has_frequency;                                                           \
    args->period = c->frequency;                                                                   \
    args->has_anchor = c->has_anchor;                                                              \
    args->anchor = c->anchor;                                                                      \
    RATES

static void *plan_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_plan_set) {
        ARGS(plan_set);
        TERMS;
        return args;
    }
    if (c->type == CH_CMD_billing_grant_separation) {
        ARGS(billing_grant_separation);
        TERMS;
        return args;
    }
    if (c->type == CH_CMD_plan_change) {
        ARGS(plan_change);
        TERMS;
        args->has_name = c->has_name;
        args->has_total = c->has_amount[0];
        args->has_next_total = c->has_amount[1];
        args->next_total = c->amount[1];
        return args;
    }
    if (c->type == CH_CMD_billing_request_separation) {
        ARGS(billing_request_separation);
        args->has_reason = (c->now & 1) != 0;
        args->reason = m_named("its own books");
        return args;
    }
    if (c->type == CH_CMD_plan_end || c->type == CH_CMD_billing_end_separation) {
        return m_take(arena, 1);
    }
    if (c->type == CH_CMD_billing_refuse_separation) {
        ARGS(billing_refuse_separation);
        args->reason = m_named("too small");
        return args;
    }
    return NULL;
}

static void *credit_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_credits_allocate) {
        ARGS(credits_allocate);
        args->account = m_ref(&c->below);
        args->type = c->allocation;
        args->has_total = c->has_amount[0];
        args->total = c->amount[0];
        args->has_reset_frequency = c->has_frequency;
        args->reset_frequency = c->frequency;
        return args;
    }
    if (c->type == CH_CMD_credits_withdraw) {
        ARGS(credits_withdraw);
        args->account = m_ref(&c->below);
        return args;
    }
    if (c->type == CH_CMD_credits_reserve) {
        ARGS(credits_reserve);
        args->amount = c->amount[0];
        args->has_expires_at = c->has_expiry;
        args->expires_at = c->expires_at;
        args->has_reference = (c->now & 1) != 0;
        args->reference = ch_text_of("block 7");
        return args;
    }
    if (c->type == CH_CMD_credits_settle) {
        ARGS(credits_settle);
        args->reservation.seq = c->thing;
        args->used = c->amount[0];
        return args;
    }
    if (c->type == CH_CMD_credits_release) {
        ARGS(credits_release);
        args->reservation.seq = c->thing;
        return args;
    }
    if (c->type == CH_CMD_credits_spend) {
        ARGS(credits_spend);
        args->amount = c->amount[0];
        return args;
    }
    return NULL;
}

void *m_billing_args(const struct o_command *c, struct ch_arena *arena)
{
    void *args = plan_args(c, arena);
    return args != NULL ? args : credit_args(c, arena);
}
