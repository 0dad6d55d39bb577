/* decide_activity: acts done elsewhere; see decide_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"

/* Whether every step between the signs > has something that is no space. */
static bool has_steps(struct ch_text path)
{
    bool any = false;
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '>') {
            if (!any) return false;
            any = false;
        } else if (path.ptr[i] != ' ') {
            any = true;
        }
    }
    return any;
}

enum ch_rejection_code ch_decide_activity_record(struct ch_case *c)
{
    const struct ch_cmd_activity_record *args = c->call->args;
    const struct ch_actor actor = c->moment->actor;
    /* Only a service says what was done elsewhere, and it says for whom: it acts as the user. */
    if (actor.kind == CH_actor_kind_operator || actor.kind == CH_actor_kind_service) {
        return ch_reject(c, CH_REJ_self_only, NULL);
    }
    if (!actor.has_via) return ch_reject(c, CH_REJ_service_only, NULL);
    if (memchr(args->section.ptr, '>', args->section.len) != NULL) {
        return ch_reject(c, CH_REJ_bad_path, "section");
    }
    if (!has_steps(args->path.text)) return ch_reject(c, CH_REJ_bad_path, "path");
    struct ch_ev_activity_recorded *body =
        ch_emit(c, CH_EV_activity_recorded, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->section = args->section;
    body->has_path = true;
    body->path = args->path;
    body->has_object = args->has_object;
    body->object = args->object;
    return CH_REJ_none;
}
