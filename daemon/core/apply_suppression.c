/* apply_suppression: unsubscribe lists; see apply_impl.h. SPDX-License-Identifier: MIT
 * An address is in the index once for each tree: its rows in the lists of that tree are chained
 * by `same`, the index leads to the first. So an account's own list, its master's and its
 * sub-accounts' are all asked with one look-up. */
#include "daemon/core/apply_impl.h"

_Static_assert(sizeof(struct ch_row_suppressed) == 48, "there may be millions of them");

static struct ch_row_suppressed *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_SUPPRESSED, row);
}

/* What counts for the account, and, by its switch, for the one above, is another list from now on.
 */
static struct ch_row_settings *touch(struct ch_state *state, uint32_t account, uint64_t seq)
{
    if (ch_is_on(state, account, CH_setting_switch_honour_list_in_master)) {
        ch_edit_settings(state, ch_account_row(state, account)->parent)->lists_seq = seq;
    }
    struct ch_row_settings *settings = ch_edit_settings(state, account);
    settings->lists_seq = seq;
    return settings;
}

/* The row of a key, made with the first use of number 1 or with the key. */
static struct ch_row_hash_key *edit_key(struct ch_state *state, uint64_t number, uint64_t seq)
{
    const uint32_t rows = state->store.tables[CH_T_HASH_KEY].used;
    if (number > rows) {
        const uint32_t row = ch_row_take(&state->store, CH_T_HASH_KEY);
        CH_CHECK(row == number);
    }
    struct ch_row_hash_key *key = ch_row_edit(&state->store, CH_T_HASH_KEY, (uint32_t)number);
    key->changed = seq;
    return key;
}

void ch_apply_hash_key_made(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_hash_key_made *body = event->body;
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    CH_CHECK(body->slot == meta->next_user_number);
    meta->next_user_number++;
    if (body->number == 2) (void)edit_key(state, 1, event->seq);
    struct ch_row_hash_key *key = edit_key(state, body->number, event->seq);
    key->seq = event->seq;
    key->slot = body->slot;
}

void ch_apply_hash_key_retired(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_hash_key_retired *body = event->body;
    edit_key(state, body->number, event->seq)->retired_seq = event->seq;
}

void ch_apply_suppression_added(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_suppression_added *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t first = ch_first_suppressed(state, account, body->hash.ptr);
    struct ch_row_settings *settings = touch(state, account, event->seq);
    edit_key(state, body->hash_key, event->seq)->addresses++;
    const uint32_t row = ch_row_take(&state->store, CH_T_SUPPRESSED);
    struct ch_row_suppressed *added = edit(state, row);
    added->account = account;
    added->seq = event->seq;
    memcpy(added->hash, body->hash.ptr, sizeof added->hash);
    added->hash_key = (uint16_t)body->hash_key;
    added->reason = body->reason;
    added->next = settings->first_suppressed;
    if (added->next != 0) edit(state, added->next)->prev = row;
    settings->first_suppressed = row;
    settings->suppressed_count++;
    if (first != 0) {
        added->same = ch_suppressed_row(state, first)->same;
        edit(state, first)->same = row;
        return;
    }
    ch_index_insert(&state->store, CH_I_SUPPRESSED,
                    ch_hash_suppressed(ch_root_of(state, account), added->hash), row);
}

/* Takes a row out of those of its address. */
static void unchain(struct ch_state *state, uint32_t row, uint32_t first)
{
    const struct ch_row_suppressed gone = *ch_suppressed_row(state, row);
    if (row != first) {
        uint32_t before = first;
        while (ch_suppressed_row(state, before)->same != row) {
            before = ch_suppressed_row(state, before)->same;
        }
        edit(state, before)->same = gone.same;
        return;
    }
    const uint64_t hash = ch_hash_suppressed(ch_root_of(state, gone.account), gone.hash);
    ch_index_remove(&state->store, CH_I_SUPPRESSED, hash, row);
    if (gone.same != 0) ch_index_insert(&state->store, CH_I_SUPPRESSED, hash, gone.same);
}

void ch_apply_suppression_removed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_suppression_removed *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row = ch_find_suppressed(state, account, body->hash.ptr);
    struct ch_row_settings *settings = touch(state, account, event->seq);
    const struct ch_row_suppressed gone = *ch_suppressed_row(state, row);
    edit_key(state, gone.hash_key, event->seq)->addresses--;
    unchain(state, row, ch_first_suppressed(state, account, gone.hash));
    if (gone.next != 0) edit(state, gone.next)->prev = gone.prev;
    if (gone.prev != 0) {
        edit(state, gone.prev)->next = gone.next;
    } else {
        settings->first_suppressed = gone.next;
    }
    settings->suppressed_count--;
    ch_row_give(&state->store, CH_T_SUPPRESSED, row);
}
