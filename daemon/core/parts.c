/* parts: what a closed account still has when it can no longer be reopened, in the order in which
 * it goes; see apply.h. SPDX-License-Identifier: MIT
 * A part is what one step takes: a share, a group, a key, a seat, and of its plan an allocation, a
 * reservation or a period. So many parts go with one event that the loop never stops for a large
 * account; between two events everything holds together. */
#include "daemon/core/apply.h"
#include "daemon/core/ledger.h"

uint64_t ch_parts_of(const struct ch_state *state, uint32_t account)
{
    const struct ch_row_account *row = ch_account_row(state, account);
    const uint32_t plan = ch_find_plan(state, account);
    uint64_t parts = (uint64_t)row->share_count + row->group_count + row->key_count +
                     row->seat_count + (ch_find_allocation(state, account) != 0);
    if (plan == 0) return parts;
    const struct ch_row_plan *own = ch_plan_row(state, plan);
    return parts + own->allocation_count + own->reservation_count + own->period_count;
}

bool ch_end_part(struct ch_state *state, uint32_t account, uint64_t seq)
{
    const struct ch_row_account *row = ch_account_row(state, account);
    const uint32_t plan = ch_find_plan(state, account);
    const uint32_t allocation = ch_find_allocation(state, account);
    if (row->first_share != 0) {
        ch_end_share(state, row->first_share, seq);
    } else if (row->first_group != 0) {
        ch_end_group(state, row->first_group, seq);
    } else if (row->first_key != 0) {
        ch_end_key(state, row->first_key, seq);
    } else if (row->first_seat != 0) {
        ch_end_seat(state, row->first_seat);
    } else if (allocation != 0) { /* what remains of it is the pool's above */
        const uint32_t above = ch_allocation_row(state, allocation)->plan;
        ch_end_allocation(state, allocation, seq);
        ch_due_set(state, CH_DUE_PERIOD, above, ch_plan_due(state, above));
    } else if (plan != 0) {
        ch_end_plan_part(state, plan, seq);
    } else {
        return false;
    }
    return true;
}

/* Rows are ten writes each: a key's end, and a seat's, are fewer. */
enum { KEY_ROWS = 3 + CH_PLACE_ROWS, SEAT_ROWS = 1 };

size_t ch_cascade_of_plan(const struct ch_state *state, uint32_t plan, uint64_t most)
{
    const struct ch_row_plan *row = ch_plan_row(state, plan);
    size_t rows = CH_PLACE_ROWS;
    uint64_t left = most;
    for (uint64_t i = 0; i < row->allocation_count && left > 0; i++, left--) {
        rows += 1;
    }
    for (uint64_t i = 0; i < row->reservation_count && left > 0; i++, left--) {
        rows += 1 + CH_PLACE_ROWS;
    }
    for (uint32_t p = row->oldest; p != 0 && left > 0; p = ch_period_row(state, p)->newer, left--) {
        rows += 2 + ch_period_row(state, p)->usage_count / 4; /* two writes each */
    }
    return rows;
}

size_t ch_cascade_of_parts(const struct ch_state *state, uint32_t account, uint64_t most)
{
    const struct ch_row_account *row = ch_account_row(state, account);
    const uint32_t plan = ch_find_plan(state, account);
    size_t rows = 4 + CH_PLACE_ROWS;
    uint64_t left = most;
    for (uint32_t s = row->first_share; s != 0 && left > 0; left--) {
        rows += ch_cascade_of_share(state, s);
        s = ch_share_row(state, s)->next_of_account;
    }
    for (uint32_t g = row->first_group; g != 0 && left > 0; left--) {
        rows += ch_cascade_of_group(state, g);
        g = ch_group_row(state, g)->next_of_account;
    }
    for (uint32_t k = row->first_key; k != 0 && left > 0; left--) {
        rows += KEY_ROWS;
        k = ch_key_row(state, k)->next_of_account;
    }
    for (uint32_t s = row->first_seat; s != 0 && left > 0; left--) {
        rows += SEAT_ROWS;
        s = ch_seat_row(state, s)->next_of_account;
    }
    if (ch_find_allocation(state, account) != 0 && left > 0) {
        rows += 1 + CH_PLACE_ROWS;
        left--;
    }
    return plan == 0 ? rows : rows + ch_cascade_of_plan(state, plan, left);
}
