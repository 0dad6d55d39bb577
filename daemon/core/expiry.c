/* expiry: the heap of shares that end by themselves; see apply.h. SPDX-License-Identifier: MIT
 * A binary heap whose places are the rows 1..n of its table; the share knows its place. */
#include "daemon/core/apply.h"

static bool before(const struct ch_row_expiry *a, const struct ch_row_expiry *b)
{
    return a->at != b->at ? a->at < b->at : a->share < b->share;
}

static void put(struct ch_state *state, uint32_t place, uint32_t share, uint64_t at)
{
    struct ch_row_expiry *row = ch_row_edit(&state->store, CH_T_EXPIRY, place);
    row->share = share;
    row->at = at;
    struct ch_row_share *owner = ch_row_edit(&state->store, CH_T_SHARE, share);
    owner->expiry = place;
}

static void swap(struct ch_state *state, uint32_t a, uint32_t b)
{
    const struct ch_row_expiry x = *ch_expiry_row(state, a);
    const struct ch_row_expiry y = *ch_expiry_row(state, b);
    put(state, a, y.share, y.at);
    put(state, b, x.share, x.at);
}

static void settle(struct ch_state *state, uint32_t place)
{
    const uint32_t count = ch_meta(state)->expiries;
    while (place > 1 && before(ch_expiry_row(state, place), ch_expiry_row(state, place / 2))) {
        swap(state, place, place / 2);
        place /= 2;
    }
    for (;;) {
        uint32_t least = place;
        for (uint32_t child = 2 * place; child <= 2 * place + 1 && child <= count; child++) {
            if (before(ch_expiry_row(state, child), ch_expiry_row(state, least))) least = child;
        }
        if (least == place) return;
        swap(state, place, least);
        place = least;
    }
}

static void remove_place(struct ch_state *state, uint32_t place)
{
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    const uint32_t last = meta->expiries;
    if (place != last) swap(state, place, last);
    meta->expiries--;
    ch_row_give(&state->store, CH_T_EXPIRY, last);
    if (place != last) settle(state, place);
}

void ch_expiry_set(struct ch_state *state, uint32_t share, uint64_t at)
{
    struct ch_row_share *row = ch_row_edit(&state->store, CH_T_SHARE, share);
    const uint32_t place = row->expiry;
    row->expires_at = at;
    if (at == 0) {
        row->expiry = 0;
        if (place != 0) remove_place(state, place);
        row->expiry = 0; /* the swap before the removal had put it last */
        return;
    }
    if (place != 0) {
        put(state, place, share, at);
        settle(state, place);
        return;
    }
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    uint32_t fresh = ch_row_take(&state->store, CH_T_EXPIRY);
    meta->expiries++;
    CH_CHECK(fresh == meta->expiries);
    put(state, fresh, share, at);
    settle(state, fresh);
}

uint32_t ch_expiry_first(const struct ch_state *state, uint64_t *ret_at)
{
    if (ch_meta(state)->expiries == 0) return 0;
    const struct ch_row_expiry *row = ch_expiry_row(state, 1);
    *ret_at = row->at;
    return row->share;
}
