/* apply_settings: switches, header and footer; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

struct ch_row_settings *ch_edit_settings(struct ch_state *state, uint32_t account)
{
    uint32_t row = ch_account_row(state, account)->settings;
    if (row == 0) {
        row = ch_row_take(&state->store, CH_T_SETTINGS);
        struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
        owner->settings = row;
    }
    struct ch_row_settings *settings = ch_row_edit(&state->store, CH_T_SETTINGS, row);
    settings->account = account;
    return settings;
}

static void set_switch(struct ch_row_settings *settings, enum ch_setting_switch which, bool given,
                       bool on, uint64_t seq)
{
    if (!given) return;
    settings->switches &= ~(1u << which);
    settings->switches |= (on ? 1u : 0u) << which;
    settings->switch_seq[which] = seq;
}

void ch_apply_switches_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_switches_set *body = event->body;
    const uint64_t seq = event->seq;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_settings *s = ch_edit_settings(state, row);
    set_switch(s, CH_setting_switch_use_master_header_footer, body->has_use_master_header_footer,
               body->use_master_header_footer, seq);
    set_switch(s, CH_setting_switch_feed_from_master, body->has_feed_from_master,
               body->feed_from_master, seq);
    set_switch(s, CH_setting_switch_content_locked, body->has_content_locked, body->content_locked,
               seq);
    set_switch(s, CH_setting_switch_use_master_unsubscribe_list,
               body->has_use_master_unsubscribe_list, body->use_master_unsubscribe_list, seq);
    set_switch(s, CH_setting_switch_honour_list_in_master, body->has_honour_list_in_master,
               body->honour_list_in_master, seq);
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
    account->changed = seq;
    if (body->has_content_locked) account->content_lock_seq = body->content_locked ? seq : 0;
    /* What counts for the account above changes, too. */
    struct ch_row_account *above = ch_row_edit(&state->store, CH_T_ACCOUNT, account->parent);
    above->changed = seq;
}

static void set_text(struct ch_state *state, struct ch_row_settings *settings,
                     enum ch_text_setting which, struct ch_text text, uint64_t seq)
{
    ch_chain_drop(state, CH_T_PASSAGE, settings->text[which]);
    settings->text[which] =
        text.len == 0 ? 0 : ch_chain_put(state, CH_T_PASSAGE, text.ptr, text.len);
    settings->text_seq[which] = seq;
}

void ch_apply_settings_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_settings_set *body = event->body;
    struct ch_row_settings *s = ch_edit_settings(state, ch_find_account(state, event->account));
    if (body->has_header) set_text(state, s, CH_TEXT_HEADER, body->header, event->seq);
    if (body->has_footer) set_text(state, s, CH_TEXT_FOOTER, body->footer, event->seq);
}
