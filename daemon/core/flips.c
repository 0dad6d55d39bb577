/* flips: see flips.h. SPDX-License-Identifier: MIT */
#include "daemon/core/flips.h"

#include "daemon/core/access.h"
#include "daemon/core/flips_impl.h"
#include "daemon/core/ledger.h"

enum { KINDS_MOST = 8 };

struct finding {
    struct ch_state *state;
    const struct ch_flips_way *way;
    struct ch_concern reach;
    struct ch_flips *ret;
    struct ch_scopes of_kind[KINDS_MOST]; /* scopes by the kind of resource that they take */
};

static struct ch_flip_item *items_of(const struct finding *f)
{
    return (struct ch_flip_item *)(void *)f->reach.items.ptr;
}

static struct ch_flip_ledger *ledgers_of(const struct finding *f)
{
    return (struct ch_flip_ledger *)(void *)f->reach.ledgers.ptr;
}

/* ---- what there is in one state -------------------------------------------------------------- */

/* Every right; none for what is not there. Over the web: an other login has none elsewhere. */
static struct ch_scopes rights_of(const struct finding *f, const struct ch_flip_item *item)
{
    const struct ch_state *s = f->state;
    struct ch_answer answer = {0};
    struct ch_question question = {.account = ch_find_account(s, item->account),
                                   .wanted = {{UINT64_MAX, UINT64_MAX}},
                                   .has_resource = item->resource.len > 0,
                                   .channel = CH_channel_web,
                                   .now = f->way->now};
    if (item->is_key != 0) {
        question.key = ch_find_key(s, item->subject);
    } else {
        question.user = ch_find_user(s, item->subject);
    }
    if (question.account == 0 || (question.user == 0 && question.key == 0)) return answer.given;
    if (question.has_resource) question.resource = ch_text_find(s, item->resource);
    ch_access(s, &question, &answer, NULL, NULL);
    return answer.given;
}

static struct ch_ledger_side pool_of(const struct ch_state *state, uint32_t account)
{
    const uint32_t row = account == 0 ? 0 : ch_find_plan(state, account);
    if (row == 0) return (struct ch_ledger_side){.there = false};
    const struct ch_row_plan *plan = ch_plan_row(state, row);
    return (struct ch_ledger_side){.there = true,
                                   .total = plan->total,
                                   .used = plan->used,
                                   .reserved = plan->reserved,
                                   .remain = plan->remain};
}

static struct ch_ledger_side allocation_of(const struct ch_state *state, uint32_t account)
{
    const uint32_t row = account == 0 ? 0 : ch_find_allocation(state, account);
    if (row == 0) return (struct ch_ledger_side){.there = false};
    const struct ch_row_allocation *allocation = ch_allocation_row(state, row);
    return (struct ch_ledger_side){.there = true,
                                   .type = (uint8_t)allocation->type,
                                   .total = allocation->total,
                                   .used = allocation->used,
                                   .reserved = allocation->reserved,
                                   .remain = allocation->remain};
}

static struct ch_ledger_side side_of(const struct finding *f, const struct ch_flip_ledger *ledger)
{
    const uint32_t account = ch_find_account(f->state, ledger->account);
    return ledger->is_allocation != 0 ? allocation_of(f->state, account)
                                      : pool_of(f->state, account);
}

static void look(struct finding *f, bool after)
{
    for (size_t i = 0; i < ch_reach_items(&f->reach); i++) {
        struct ch_flip_item *item = &items_of(f)[i];
        *(after ? &item->has : &item->had) = rights_of(f, item);
    }
    for (size_t i = 0; i < ch_reach_ledgers(&f->reach); i++) {
        struct ch_flip_ledger *ledger = &ledgers_of(f)[i];
        *(after ? &ledger->has : &ledger->had) = side_of(f, ledger);
    }
}

/* ---- the difference -------------------------------------------------------------------------- */

static void put_flip(struct finding *f, const struct ch_flip_item *item, uint8_t kind,
                     struct ch_scopes gained, struct ch_scopes lost, struct ch_scopes same)
{
    const struct ch_flip flip = {.account = item->account,
                                 .user = item->is_key != 0 ? 0 : item->subject,
                                 .key = item->is_key != 0 ? item->subject : 0,
                                 .kind = kind,
                                 .resource = item->resource,
                                 .gained = gained,
                                 .lost = lost,
                                 .same = same};
    if (ch_scopes_empty(ch_scopes_or(ch_scopes_or(gained, lost), same))) return;
    ch_buf_put(&f->ret->flips, &flip, sizeof flip);
}

/* One resource, beside what is told of all. */
static void put_resource(struct finding *f, const struct ch_flip_item *item,
                         struct ch_scopes all_gained, struct ch_scopes all_lost)
{
    const struct ch_scopes gained = ch_scopes_but(item->has, item->had);
    const struct ch_scopes lost = ch_scopes_but(item->had, item->has);
    const struct ch_scopes told = ch_scopes_or(all_gained, all_lost);
    const struct ch_scopes same = ch_scopes_but(told, ch_scopes_or(gained, lost));
    for (uint32_t kind = 1; kind < KINDS_MOST; kind++) {
        const struct ch_scopes mask = f->of_kind[kind];
        put_flip(f, item, (uint8_t)kind, ch_scopes_and(ch_scopes_but(gained, all_gained), mask),
                 ch_scopes_and(ch_scopes_but(lost, all_lost), mask), ch_scopes_and(same, mask));
    }
}

static void put_flips(struct finding *f)
{
    const struct ch_scopes none = {{0, 0}};
    struct ch_scopes gained = none;
    struct ch_scopes lost = none;
    for (size_t i = 0; i < ch_reach_items(&f->reach); i++) {
        const struct ch_flip_item *item = &items_of(f)[i];
        if (item->resource.len > 0) {
            put_resource(f, item, gained, lost);
            continue;
        }
        gained = ch_scopes_but(item->has, item->had);
        lost = ch_scopes_but(item->had, item->has);
        put_flip(f, item, /* kind= */ 0, gained, lost, none);
    }
    f->ret->flip = (const struct ch_flip *)(void *)f->ret->flips.ptr;
    f->ret->flip_count = f->ret->flips.len / sizeof(struct ch_flip);
}

static bool same_side(const struct ch_ledger_side *a, const struct ch_ledger_side *b)
{
    return a->there == b->there && a->type == b->type && a->total == b->total &&
           a->used == b->used && a->reserved == b->reserved && a->remain == b->remain;
}

static void put_moves(struct finding *f)
{
    for (size_t i = 0; i < ch_reach_ledgers(&f->reach); i++) {
        const struct ch_flip_ledger *ledger = &ledgers_of(f)[i];
        const struct ch_ledger_move move = {.account = ledger->account,
                                            .pool = ledger->is_allocation == 0,
                                            .had = ledger->had,
                                            .has = ledger->has};
        if (same_side(&move.had, &move.has)) continue;
        ch_buf_put(&f->ret->moves, &move, sizeof move);
    }
    f->ret->move = (const struct ch_ledger_move *)(void *)f->ret->moves.ptr;
    f->ret->move_count = f->ret->moves.len / sizeof(struct ch_ledger_move);
}

static bool ran(struct finding *f)
{
    return f->way->run(f->way->arg);
}

/* Learns who is concerned: in the state that the commands leave, and in the one before. */
static bool gather(struct finding *f, struct ch_mark mark)
{
    const bool good = ran(f);
    if (good) {
        ch_reach_touch(&f->reach, f->state, mark);
        ch_reach_gather(&f->reach, f->state);
        ch_reach_settle(&f->reach);
    }
    ch_store_rollback(&f->state->store, mark);
    if (!good || ch_reach_failed(&f->reach)) return false;
    ch_reach_gather(&f->reach, f->state);
    ch_reach_settle(&f->reach);
    return !ch_reach_failed(&f->reach);
}

bool ch_flips_find(struct ch_state *state, const struct ch_flips_way *way, struct ch_flips *ret)
{
    const struct ch_mark mark = ch_store_mark(&state->store);
    struct finding f = {
        .state = state, .way = way, .reach = {.arena = way->arena, .most = way->most}, .ret = ret};
    *ret = (struct ch_flips){0};
    for (uint32_t scope = 0; scope < sizeof ch_meta(state)->scope_kinds; scope++) {
        const uint8_t kind = ch_meta(state)->scope_kinds[scope];
        CH_CHECK(kind < KINDS_MOST);
        ch_scopes_add(&f.of_kind[kind], (uint8_t)scope);
    }
    bool good = gather(&f, mark);
    if (good) {
        look(&f, /* after= */ false);
        good = ran(&f);
        if (good) look(&f, /* after= */ true);
        put_flips(&f);
        put_moves(&f);
        ret->uncompared = f.reach.uncompared;
        good = good && !ret->flips.failed && !ret->moves.failed;
        if (good && way->there != NULL) way->there(way->arg, ret);
        ch_store_rollback(&state->store, mark);
    }
    ch_reach_deinit(&f.reach);
    return good;
}

void ch_flips_deinit(struct ch_flips *flips)
{
    if (flips == NULL) return;
    ch_buf_deinit(&flips->flips);
    ch_buf_deinit(&flips->moves);
    *flips = (struct ch_flips){0};
}
