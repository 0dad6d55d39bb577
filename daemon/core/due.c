/* due: the heap of what happens by itself at its time; see apply.h. SPDX-License-Identifier: MIT
 * A binary heap whose places are the rows 1..n of its table; what is due knows its place. */
#include "daemon/core/apply.h"

static bool before(const struct ch_row_due *a, const struct ch_row_due *b)
{
    if (a->at != b->at) return a->at < b->at;
    return a->kind != b->kind ? a->kind < b->kind : a->row < b->row;
}

/* Where a row keeps its place in the heap; journaled. */
static uint32_t *place_of(struct ch_state *state, uint32_t kind, uint32_t row)
{
    switch ((enum ch_due_kind)kind) {
    case CH_DUE_SHARE: {
        struct ch_row_terms *terms = ch_row_edit(&state->store, CH_T_TERMS, row);
        return &terms->due;
    }
    case CH_DUE_OFFER: {
        struct ch_row_offer *offer = ch_row_edit(&state->store, CH_T_OFFER, row);
        return &offer->due;
    }
    case CH_DUE_ACCOUNT: {
        struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
        return &account->due;
    }
    case CH_DUE_PERIOD: {
        struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, row);
        return &plan->due;
    }
    case CH_DUE_REQUEST: {
        struct ch_row_request *request = ch_row_edit(&state->store, CH_T_REQUEST, row);
        return &request->due;
    }
    case CH_DUE_RESERVATION: {
        struct ch_row_reservation *reservation = ch_row_edit(&state->store, CH_T_RESERVATION, row);
        return &reservation->due;
    }
    case CH_DUE_INVITATION: {
        struct ch_row_invitation *invitation = ch_row_edit(&state->store, CH_T_INVITATION, row);
        return &invitation->due;
    }
    case CH_DUE_SESSION: {
        struct ch_row_session *session = ch_row_edit(&state->store, CH_T_SESSION, row);
        return &session->due;
    }
    case CH_DUE_KEY: {
        struct ch_row_key *key = ch_row_edit(&state->store, CH_T_KEY, row);
        return &key->due;
    }
    }
    CH_CHECK(kind == CH_DUE_SHARE); /* no other kind comes here */
    return NULL;
}

static void put(struct ch_state *state, uint32_t place, const struct ch_row_due *due)
{
    struct ch_row_due *row = ch_row_edit(&state->store, CH_T_DUE, place);
    row->kind = due->kind;
    row->row = due->row;
    row->at = due->at;
    *place_of(state, due->kind, due->row) = place;
}

static void swap(struct ch_state *state, uint32_t a, uint32_t b)
{
    const struct ch_row_due x = *ch_due_row(state, a);
    const struct ch_row_due y = *ch_due_row(state, b);
    put(state, a, &y);
    put(state, b, &x);
}

static void settle(struct ch_state *state, uint32_t place)
{
    const uint32_t count = ch_meta(state)->dues;
    while (place > 1 && before(ch_due_row(state, place), ch_due_row(state, place / 2))) {
        swap(state, place, place / 2);
        place /= 2;
    }
    for (;;) {
        uint32_t least = place;
        for (uint32_t child = 2 * place; child <= 2 * place + 1 && child <= count; child++) {
            if (before(ch_due_row(state, child), ch_due_row(state, least))) least = child;
        }
        if (least == place) return;
        swap(state, place, least);
        place = least;
    }
}

static void remove_place(struct ch_state *state, uint32_t place)
{
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    const uint32_t last = meta->dues;
    if (place != last) swap(state, place, last);
    meta->dues--;
    ch_row_give(&state->store, CH_T_DUE, last);
    if (place != last) settle(state, place);
}

void ch_due_set(struct ch_state *state, enum ch_due_kind kind, uint32_t row, uint64_t at)
{
    const struct ch_row_due due = {.kind = (uint32_t)kind, .row = row, .at = at};
    const uint32_t place = *place_of(state, due.kind, row);
    if (at == 0) {
        if (place == 0) return;
        remove_place(state, place);
        *place_of(state, due.kind, row) = 0; /* the swap before the removal had put it last */
        return;
    }
    if (place != 0) {
        put(state, place, &due);
        settle(state, place);
        return;
    }
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    const uint32_t fresh = ch_row_take(&state->store, CH_T_DUE);
    meta->dues++;
    CH_CHECK(fresh == meta->dues);
    put(state, fresh, &due);
    settle(state, fresh);
}

const struct ch_row_due *ch_due_first(const struct ch_state *state)
{
    return ch_meta(state)->dues == 0 ? NULL : ch_due_row(state, 1);
}
