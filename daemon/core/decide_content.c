/* decide_content: rules of feeding content to accounts below; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

enum ch_rejection_code ch_decide_content_feed(struct ch_case *c)
{
    const struct ch_cmd_content_feed *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    const uint32_t to = args->has_account ? ch_named_sub(c, &args->account) : 0;
    if (args->has_account && to == 0) return c->ret->reject.code;
    if (to == 0 && ch_levels_below(c->state, c->on) == 0) {
        return ch_reject(c, CH_REJ_not_a_master, "on");
    }
    if (!ch_is_content(args->kind)) return ch_reject(c, CH_REJ_wrong_resource, "kind");
    if (to != 0 && !ch_is_on(c->state, to, CH_setting_switch_feed_from_master)) {
        return ch_reject(c, CH_REJ_feed_off, "account");
    }
    const uint32_t text = ch_text_find(c->state, args->resource);
    if (ch_find_feed(c->state, c->on, args->kind, text, to) != 0) return CH_REJ_none;
    if (account->settings != 0 &&
        ch_settings_row(c->state, account->settings)->feed_count >= LIMIT_FEEDS_OF_ACCOUNT) {
        return ch_reject_limit(c, "FEEDS_OF_ACCOUNT", "resource");
    }
    struct ch_ev_content_fed *body = ch_emit(c, CH_EV_content_fed, account->id);
    if (body == NULL) return CH_REJ_none;
    body->kind = args->kind;
    body->resource = args->resource;
    body->has_to = to != 0;
    if (to != 0) body->to.seq = ch_account_row(c->state, to)->id;
    return CH_REJ_none;
}

/* A feed is taken back also from an account that takes nothing any more, or is closed. */
enum ch_rejection_code ch_decide_content_unfeed(struct ch_case *c)
{
    const struct ch_cmd_content_unfeed *args = c->call->args;
    const uint32_t to = args->has_account ? ch_find_account(c->state, args->account.id) : 0;
    if (to != 0 && ch_account_row(c->state, to)->parent != c->on) {
        if (ch_named_sub(c, &args->account) == 0) return c->ret->reject.code;
    }
    const uint32_t text = ch_text_find(c->state, args->resource);
    if (ch_find_feed(c->state, c->on, args->kind, text, to) == 0) {
        return ch_reject(c, CH_REJ_not_fed, "resource");
    }
    struct ch_ev_content_unfed *body =
        ch_emit(c, CH_EV_content_unfed, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->kind = args->kind;
    body->resource = args->resource;
    body->has_to = to != 0;
    if (to != 0) body->to.seq = ch_account_row(c->state, to)->id;
    return CH_REJ_none;
}
