/* invariant_settings: what holds of settings; see invariant.h. SPDX-License-Identifier: MIT */
#include "daemon/core/invariant_impl.h"

const char *ch_settings_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    const uint64_t head = ch_meta(s)->head;
    for (uint32_t row = next(s, CH_T_SETTINGS, 0); row != 0; row = next(s, CH_T_SETTINGS, row)) {
        const struct ch_row_settings *settings = ch_settings_row(s, row);
        HOLDS(live(s, CH_T_ACCOUNT, settings->account) &&
                  ch_account_row(s, settings->account)->settings == row,
              "settings are of one account, which knows them");
        const struct ch_row_account *account = ch_account_row(s, settings->account);
        HOLDS(settings->switches == 0 || account->parent != 0, "only a sub-account has switches");
        for (uint32_t i = 0; i < CH_SWITCHES; i++) {
            const bool on = (settings->switches >> i & 1) != 0;
            HOLDS(settings->switch_seq[i] <= head && (!on || settings->switch_seq[i] != 0),
                  "a switch that is on was set by an event");
        }
        const uint32_t locked = settings->switches >> CH_setting_switch_content_locked & 1;
        HOLDS((locked != 0) == (account->content_lock_seq != 0),
              "an account's content is locked by its switch");
        for (uint32_t i = 0; i < CH_TEXTS; i++) {
            HOLDS(settings->text_seq[i] <= head &&
                      (settings->text[i] == 0 || settings->text_seq[i] != 0),
                  "a header or footer was set by an event");
            const char *broken =
                settings->text[i] == 0 ? NULL : ch_chain_broken(t, CH_T_PASSAGE, settings->text[i]);
            if (broken != NULL) return broken;
        }
    }
    return ch_parts_broken(t, CH_T_PASSAGE);
}
