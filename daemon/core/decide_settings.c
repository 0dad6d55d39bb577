/* decide_settings: rules of switches, header and footer; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"

/* Whether some share of the actor leads to the account; the operator sees every account. */
static bool is_led(const struct ch_case *c, uint32_t account)
{
    if (!ch_is_bound(c->moment)) return true;
    const struct ch_question question = {.user = c->moment->user_row,
                                         .key = c->moment->key_row,
                                         .account = account,
                                         .channel = c->moment->channel,
                                         .now = c->moment->now};
    struct ch_answer answer;
    ch_access(c->state, &question, &answer, NULL, NULL);
    return answer.led;
}

uint32_t ch_named_sub(struct ch_case *c, const struct ch_ref *ref)
{
    const uint32_t row = ch_find_account(c->state, ref->id);
    const struct ch_row_account *account = ch_account_row(c->state, row);
    if (account->parent != c->on && !is_led(c, row)) {
        (void)ch_reject(c, CH_REJ_not_found, "account");
    } else if (account->status != CH_account_status_open) {
        (void)ch_reject(c, CH_REJ_account_closed, "account");
    } else if (account->parent != c->on) {
        (void)ch_reject(c, CH_REJ_not_a_sub_account, "account");
    } else {
        return row;
    }
    return 0;
}

uint32_t ch_emit_switches(struct ch_case *c, uint64_t account, uint32_t now,
                          const struct ch_switches *wanted)
{
    uint32_t given = 0, on = 0;
    for (uint32_t i = 0; i < CH_SWITCHES; i++) {
        given |= (wanted->given[i] ? 1u : 0u) << i;
        on |= (wanted->given[i] && wanted->on[i] ? 1u : 0u) << i;
    }
    const uint32_t changed = given & (on ^ now);
    struct ch_ev_switches_set *body = changed == 0 ? NULL : ch_emit(c, CH_EV_switches_set, account);
    if (body == NULL) return given;
    body->account.seq = account;
#define SWITCH(name)                                                                               \
    body->has_##name = (changed >> CH_setting_switch_##name & 1) != 0;                             \
    body->name = (on >> CH_setting_switch_##name & 1) != 0 && body->has_##name
    SWITCH(use_master_header_footer);
    SWITCH(feed_from_master);
    SWITCH(content_locked);
    SWITCH(use_master_unsubscribe_list);
    SWITCH(honour_list_in_master);
#undef SWITCH
    return given;
}

enum ch_rejection_code ch_decide_account_set_switches(struct ch_case *c)
{
    const struct ch_cmd_account_set_switches *args = c->call->args;
    const struct ch_switches wanted = CH_SWITCHES_OF(args);
    const uint32_t row = ch_named_sub(c, &args->account);
    if (row == 0) return c->ret->reject.code;
    const struct ch_row_account *account = ch_account_row(c->state, row);
    const bool unlocks = args->has_content_locked && !args->content_locked;
    if (unlocks && account->content_lock_seq != 0) {
        /* Lifting a lock gives what it took, so it must be covered as a grant is. */
        const struct ch_scopes lock = ch_mask(c->state, CH_mask_kind_content_lock);
        const struct ch_scopes missing = ch_uncovered(c, row, CH_reach_account, lock, NULL);
        if (!ch_scopes_empty(missing)) {
            return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "content_locked", missing);
        }
    }
    const uint32_t now =
        account->settings == 0 ? 0 : ch_settings_row(c->state, account->settings)->switches;
    if (ch_emit_switches(c, account->id, now, &wanted) == 0) {
        return ch_reject(c, CH_REJ_nothing_to_set, NULL);
    }
    return CH_REJ_none;
}

/* Whether the text differs from what the account has. */
static bool differs(const struct ch_state *state, uint32_t settings, enum ch_text_setting which,
                    struct ch_text text)
{
    const uint32_t known = settings == 0 ? 0 : ch_settings_row(state, settings)->text[which];
    if (known == 0) return text.len > 0;
    return !ch_chain_is(state, CH_T_PASSAGE, known, text.ptr, text.len);
}

enum ch_rejection_code ch_decide_settings_set(struct ch_case *c)
{
    const struct ch_cmd_settings_set *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    const uint32_t known = account->settings;
    if (!args->has_header && !args->has_footer) {
        return ch_reject(c, CH_REJ_nothing_to_set, NULL);
    }
    const bool header = args->has_header && differs(c->state, known, CH_TEXT_HEADER, args->header);
    const bool footer = args->has_footer && differs(c->state, known, CH_TEXT_FOOTER, args->footer);
    if (!header && !footer) return CH_REJ_none;
    struct ch_ev_settings_set *body = ch_emit(c, CH_EV_settings_set, account->id);
    if (body == NULL) return CH_REJ_none;
    body->has_header = header;
    body->has_footer = footer;
    if (header) body->header = args->header;
    if (footer) body->footer = args->footer;
    return CH_REJ_none;
}
