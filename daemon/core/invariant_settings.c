/* invariant_settings: what holds of settings; see invariant.h. SPDX-License-Identifier: MIT */
#include "daemon/core/invariant_impl.h"
#include "daemon/core/use.h"
#include "schema/limits.h"

/* Of one account: its list, and each row of it among those of its address. */
static const char *suppressed(struct tally *t, const struct ch_row_settings *settings)
{
    const struct ch_state *s = t->state;
    uint32_t count = 0;
    uint32_t before = 0;
    for (uint32_t r = settings->first_suppressed; r != 0; r = ch_suppressed_row(s, r)->next) {
        HOLDS(live(s, CH_T_SUPPRESSED, r) && count++ < settings->suppressed_count,
              "an account counts the addresses on its list");
        const struct ch_row_suppressed *row = ch_suppressed_row(s, r);
        HOLDS(row->account == settings->account && row->prev == before,
              "an unsubscribe list is its account's, and linked both ways");
        HOLDS(row->seq <= settings->lists_seq, "settings know the last change of the list");
        HOLDS(ch_find_suppressed(s, row->account, row->hash) == r,
              "an address is found, and is on a list once");
        t->addresses += ch_first_suppressed(s, row->account, row->hash) == r;
        before = r;
    }
    HOLDS(count == settings->suppressed_count, "an account counts the addresses on its list");
    return NULL;
}

/* What one account feeds. */
static const char *feeds(struct tally *t, const struct ch_row_settings *settings)
{
    const struct ch_state *s = t->state;
    uint32_t count = 0;
    uint32_t before = 0;
    for (uint32_t f = settings->first_feed; f != 0; f = ch_feed_row(s, f)->next) {
        HOLDS(live(s, CH_T_FEED, f) && count++ < settings->feed_count,
              "an account counts its feeds");
        const struct ch_row_feed *feed = ch_feed_row(s, f);
        HOLDS(feed->account == settings->account && feed->prev == before,
              "feeds are their account's, and linked both ways");
        HOLDS(count_text(t, feed->resource), "what is fed has a name");
        HOLDS(feed->to == 0 || (live(s, CH_T_ACCOUNT, feed->to) &&
                                ch_account_row(s, feed->to)->parent == feed->account),
              "content is fed to an account right below");
        HOLDS(ch_find_feed(s, feed->account, (uint8_t)feed->kind, feed->resource, feed->to) == f,
              "a feed is found, and is there once");
        before = f;
    }
    HOLDS(count == settings->feed_count, "an account counts its feeds");
    return NULL;
}

/* Keys know how many addresses are hashed with them. */
static const char *hash_keys(const struct ch_state *s)
{
    const uint32_t keys = live_rows(s, CH_T_HASH_KEY);
    HOLDS(keys == s->store.tables[CH_T_HASH_KEY].used, "keys of hashes are numbered from 1");
    for (uint32_t k = 1; k <= keys; k++) {
        const struct ch_row_hash_key *key = ch_hash_key_row(s, k);
        uint64_t count = 0;
        for (uint32_t r = next(s, CH_T_SUPPRESSED, 0); r != 0; r = next(s, CH_T_SUPPRESSED, r)) {
            HOLDS(ch_suppressed_row(s, r)->hash_key <= keys, "an address is hashed with a key");
            count += ch_suppressed_row(s, r)->hash_key == k;
        }
        HOLDS(count == key->addresses, "a key counts the addresses that are hashed with it");
        HOLDS(key->retired_seq == 0 || (count == 0 && k < keys),
              "a retired key has no addresses, and is not the newest");
        HOLDS((k == 1) == (key->slot == 0) && key->slot < ch_meta(s)->next_user_number,
              "a key lies in the vault");
    }
    HOLDS(keys > 0 || live_rows(s, CH_T_SUPPRESSED) == 0, "an address is hashed with a key");
    return NULL;
}

/* When a share was used and certified: by whom, and on days that have been. */
bool ch_days_are_right(const struct ch_state *state, const struct ch_row_share *share)
{
    const uint32_t today = ch_day_of(ch_meta(state)->last_at);
    const bool given = (share->certified_day & CH_DAY_GIVEN) != 0;
    if (ch_day_in(share->used_day) > today || ch_day_in(share->certified_day) > today) return false;
    const uint32_t by = ch_terms_of(state, share)->certified_by;
    return by == 0 || (!given && live(state, CH_T_USER, by));
}

const char *ch_settings_broken(struct tally *t)
{
    uint64_t listed = 0;
    uint64_t fed = 0;
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
        HOLDS(settings->review_days <= LIMIT_SETTING_DAYS && settings->review_seq <= head &&
                  (settings->review_days == 0 || settings->review_seq != 0),
              "how often to certify was set by an event");
        const uint32_t locked = settings->switches >> CH_setting_switch_content_locked & 1;
        HOLDS((locked != 0) == (account->content_lock_seq != 0),
              "an account's content is locked by its switch");
        const char *broken = suppressed(t, settings);
        if (broken == NULL) broken = feeds(t, settings);
        if (broken != NULL) return broken;
        fed += settings->feed_count;
        listed += settings->suppressed_count;
        for (uint32_t i = 0; i < CH_TEXTS; i++) {
            HOLDS(settings->text_seq[i] <= head &&
                      (settings->text[i] == 0 || settings->text_seq[i] != 0),
                  "a header or footer was set by an event");
            if (settings->text[i] != 0)
                broken = ch_chain_broken(t, CH_T_PASSAGE, settings->text[i]);
            if (broken != NULL) return broken;
        }
    }
    const char *keyed = hash_keys(s);
    if (keyed != NULL) return keyed;
    HOLDS(listed == live_rows(s, CH_T_SUPPRESSED), "every address is in its account's list");
    HOLDS(fed == live_rows(s, CH_T_FEED), "every feed is in its account's list");
    return ch_parts_broken(t, CH_T_PASSAGE);
}
