/* orphans: see orphans.h. SPDX-License-Identifier: MIT */
#include "daemon/orphans.h"

#include "daemon/core/query.h"
#include "daemon/outcome.h"

static const struct ch_ref *user_of(const struct ch_call *call)
{
    if (call->type == CH_CMD_share_deactivate) {
        const struct ch_cmd_share_deactivate *args = call->args;
        return args->has_user ? &args->user : NULL;
    }
    if (call->type == CH_CMD_share_end) {
        const struct ch_cmd_share_end *args = call->args;
        return args->has_user ? &args->user : NULL;
    }
    return NULL;
}

void ch_orphans_tell(const struct ch_state *state, const struct ch_moment *moment,
                     const struct ch_call *call, struct ch_arena *arena,
                     struct ch_outcome_of_call *outcome)
{
    const struct ch_ref *user = user_of(call);
    if (user == NULL) return;
    struct ch_qry_access_orphans args = {.user = *user};
    const struct ch_call asked = {
        .type = CH_QRY_access_orphans, .has_on = true, .on = call->on, .args = &args};
    struct ch_query_answer answer = {0};
    ch_query(state, moment, &asked, arena, &answer);
    if (answer.result == NULL) return; /* too many for one answer, or no memory: ask by itself */
    const struct ch_qry_access_orphans_result *found = answer.result;
    if (found->shares_len + found->grants_len > 0) outcome->result = found;
}
