/* orphans: see orphans.h. SPDX-License-Identifier: MIT */
#include "daemon/orphans.h"

#include "daemon/core/query.h"
#include "schema/limits.h"

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
    if (call->type == CH_CMD_login_delete) {
        const struct ch_cmd_login_delete *args = call->args;
        return &args->user;
    }
    return NULL;
}

bool ch_orphans_asked(const struct ch_call *call)
{
    return call->why == NULL && user_of(call) != NULL;
}

const void *ch_orphans_of(const struct ch_state *state, const struct ch_moment *moment,
                          const struct ch_call *call, struct ch_arena *arena, bool *no_memory)
{
    const struct ch_ref *user = user_of(call);
    if (user == NULL) return NULL;
    const uint32_t row = ch_find_user(state, user->id);
    if (row == 0 || ch_user_row(state, row)->made == 0) return NULL; /* most made nothing */
    struct ch_qry_access_orphans args = {
        .user = *user, .has_limit = true, .limit = LIMIT_LIST_ITEMS};
    const struct ch_call asked = {
        .type = CH_QRY_access_orphans, .has_on = true, .on = call->on, .args = &args};
    struct ch_query_answer answer = {0};
    ch_query(state, moment, &asked, arena, &answer);
    *no_memory = *no_memory || answer.no_memory;
    if (answer.result == NULL) return NULL;
    const struct ch_qry_access_orphans_result *found = answer.result;
    return found->shares_len + found->grants_len + found->keys_len > 0 ? found : NULL;
}
