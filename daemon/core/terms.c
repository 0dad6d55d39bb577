/* terms: what most shares never have, in a row of its own; see apply.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"

struct ch_row_terms *ch_edit_terms(struct ch_state *state, uint32_t share_row)
{
    const uint32_t known = ch_share_row(state, share_row)->terms;
    if (known != 0) return ch_row_edit(&state->store, CH_T_TERMS, known);
    const uint32_t row = ch_row_take(&state->store, CH_T_TERMS);
    struct ch_row_share *share = ch_row_edit(&state->store, CH_T_SHARE, share_row);
    share->terms = row;
    struct ch_row_terms *terms = ch_row_edit(&state->store, CH_T_TERMS, row);
    terms->share = share_row;
    return terms;
}

/* What has a seq of its own is 0 where that is. */
static bool say_nothing(const struct ch_row_terms *terms)
{
    return terms->denied == 0 && terms->own == 0 && terms->expires_at == 0 &&
           terms->limited_kinds == 0 && terms->status_seq == 0 && terms->certified_by == 0;
}

static void give(struct ch_state *state, uint32_t share_row)
{
    struct ch_row_share *share = ch_row_edit(&state->store, CH_T_SHARE, share_row);
    const struct ch_row_terms *terms = ch_terms_row(state, share->terms);
    CH_CHECK(terms->due == 0 && terms->limited_count == 0);
    ch_row_give(&state->store, CH_T_TERMS, share->terms);
    share->terms = 0;
}

void ch_settle_terms(struct ch_state *state, uint32_t share)
{
    const uint32_t row = ch_share_row(state, share)->terms;
    if (row != 0 && say_nothing(ch_terms_row(state, row))) give(state, share);
}

void ch_end_terms(struct ch_state *state, uint32_t share)
{
    const uint32_t row = ch_share_row(state, share)->terms;
    if (row == 0) return;
    ch_due_set(state, CH_DUE_SHARE, row, 0);
    ch_scopes_drop(state, ch_terms_row(state, row)->own);
    ch_scopes_drop(state, ch_terms_row(state, row)->denied);
    give(state, share);
}
