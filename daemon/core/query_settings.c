/* query_settings: effective settings and where each comes from; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "daemon/core/use.h"
#include "schema/limits.h"

/* The event that set a switch last; never set: the one that opened the account. */
static uint64_t switch_seq(const struct ch_state *state, uint32_t account,
                           enum ch_setting_switch which)
{
    const struct ch_row_account *row = ch_account_row(state, account);
    const uint64_t seq =
        row->settings == 0 ? 0 : ch_settings_row(state, row->settings)->switch_seq[which];
    return seq == 0 ? row->id : seq;
}

static struct ch_text copy_passage(struct ch_asking *q, uint32_t passage)
{
    const size_t len = ch_chain_len(q->state, CH_T_PASSAGE, passage);
    char *chars = ch_take(q, len + 1, 1);
    if (chars == NULL) return (struct ch_text){"", 0};
    return (struct ch_text){chars, ch_chain_get(q->state, CH_T_PASSAGE, passage, chars, len)};
}

/* An account's own header or footer. */
static struct ch_rec_text_setting own_text(struct ch_asking *q, uint32_t account,
                                           enum ch_text_setting which)
{
    const struct ch_row_account *row = ch_account_row(q->state, account);
    struct ch_rec_text_setting ret = {.account.seq = row->id, .seq = row->id};
    if (row->settings == 0) return ret;
    const struct ch_row_settings *settings = ch_settings_row(q->state, row->settings);
    if (settings->text_seq[which] != 0) ret.seq = settings->text_seq[which];
    ret.has_text = settings->text[which] != 0;
    if (ret.has_text) ret.text = copy_passage(q, settings->text[which]);
    return ret;
}

/* The account whose header and footer are used: the first, going up, that does not use those of the
 * account above it. */
static uint32_t text_owner(const struct ch_state *state, uint32_t account)
{
    while (ch_is_on(state, account, CH_setting_switch_use_master_header_footer)) {
        account = ch_account_row(state, account)->parent;
    }
    return account;
}

/* The nearest content lock that binds the account's people. */
static struct ch_rec_flag_setting lock_of(struct ch_asking *q, uint32_t account)
{
    const uint64_t id = ch_account_row(q->state, account)->id;
    struct ch_rec_flag_setting ret = {
        .account.seq = id, .seq = switch_seq(q->state, account, CH_setting_switch_content_locked)};
    for (uint32_t a = account; a != 0 && !ret.on; a = ch_account_row(q->state, a)->parent) {
        const struct ch_row_account *row = ch_account_row(q->state, a);
        if (row->content_lock_seq == 0) continue;
        ret.on = true;
        ret.account.seq = row->id;
        ret.seq = row->content_lock_seq;
    }
    return ret;
}

/* The unsubscribe lists that count: one step up, one step down, never further. */
static void fill_lists(struct ch_asking *q, struct ch_qry_settings_show_result *result)
{
    const struct ch_row_account *account = ch_account_row(q->state, q->on);
    struct ch_rows rows = {0};
    for (uint32_t c = account->first_child; c != 0; c = ch_account_row(q->state, c)->next_sibling) {
        if (!ch_is_on(q->state, c, CH_setting_switch_honour_list_in_master)) continue;
        if (!ch_rows_add(q, &rows, c)) return;
    }
    ch_rows_sort(&rows);
    const bool up = ch_is_on(q->state, q->on, CH_setting_switch_use_master_unsubscribe_list);
    const uint32_t first = up ? 2 : 1;
    result->list_count = (uint64_t)first + rows.count;
    uint32_t count = first + rows.count;
    if (count > LIMIT_LIST_ITEMS) count = (uint32_t)LIMIT_LIST_ITEMS;
    struct ch_rec_list_source *lists = ch_take(q, count, sizeof *lists);
    if (lists == NULL) return;
    lists[0] = (struct ch_rec_list_source){.account.seq = account->id, .seq = account->id};
    if (up) {
        lists[1] = (struct ch_rec_list_source){
            .account.seq = ch_account_row(q->state, account->parent)->id,
            .has_through = true,
            .through = CH_setting_switch_use_master_unsubscribe_list,
            .seq = switch_seq(q->state, q->on, CH_setting_switch_use_master_unsubscribe_list)};
    }
    for (uint32_t i = first; i < count; i++) {
        const uint32_t child = rows.row[i - first];
        lists[i] = (struct ch_rec_list_source){
            .account.seq = ch_account_row(q->state, child)->id,
            .has_through = true,
            .through = CH_setting_switch_honour_list_in_master,
            .seq = switch_seq(q->state, child, CH_setting_switch_honour_list_in_master)};
    }
    result->unsubscribe_lists = lists;
    result->unsubscribe_lists_len = count;
}

static void fill_switches(struct ch_asking *q, struct ch_qry_settings_show_result *result)
{
    if (ch_account_row(q->state, q->on)->parent == 0) return;
    struct ch_rec_switch_row *switches = ch_take(q, CH_SWITCHES, sizeof *switches);
    if (switches == NULL) return;
    for (uint32_t i = 0; i < CH_SWITCHES; i++) {
        switches[i].name = (uint8_t)i;
        switches[i].on = ch_is_on(q->state, q->on, (enum ch_setting_switch)i);
        switches[i].seq = switch_seq(q->state, q->on, (enum ch_setting_switch)i);
    }
    result->switches = switches;
    result->switches_len = CH_SWITCHES;
}

void ch_query_settings_show(struct ch_asking *q)
{
    struct ch_qry_settings_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_saw_account(q, q->on);
    const uint32_t owner = text_owner(q->state, q->on);
    result->header = own_text(q, owner, CH_TEXT_HEADER);
    result->footer = own_text(q, owner, CH_TEXT_FOOTER);
    if (owner != q->on) {
        const struct ch_rec_text_setting header = own_text(q, q->on, CH_TEXT_HEADER);
        const struct ch_rec_text_setting footer = own_text(q, q->on, CH_TEXT_FOOTER);
        result->has_own_header = header.has_text;
        result->own_header = header.text;
        result->has_own_footer = footer.has_text;
        result->own_footer = footer.text;
    }
    result->content_lock = lock_of(q, q->on);
    const uint32_t reviewer = ch_review_account(q->state, q->on);
    if (reviewer != 0) {
        const struct ch_row_account *account = ch_account_row(q->state, reviewer);
        const struct ch_row_settings *settings = ch_settings_row(q->state, account->settings);
        result->has_review_every_days = result->has_review_account = result->has_review_seq = true;
        result->review_every_days = settings->review_days;
        result->review_account.seq = account->id;
        result->review_seq = settings->review_seq;
    }
    fill_switches(q, result);
    fill_lists(q, result);
    result->revision = ch_meta(q->state)->head;
    const struct ch_qry_settings_show *args = q->call->args;
    if (args->has_brief && args->brief) {
        result->header.has_text = result->footer.has_text = false;
        result->has_own_header = result->has_own_footer = false;
    }
    q->ret->result = result;
}

static struct ch_rec_sub_switches_row sub_record(struct ch_asking *q, uint32_t row)
{
    const struct ch_row_account *account = ch_account_row(q->state, row);
    struct ch_rec_sub_switches_row ret = {
        .account.seq = account->id,
        .name = ch_copy_text(q, account->name),
        .status = (uint8_t)account->status,
        .use_master_header_footer =
            ch_is_on(q->state, row, CH_setting_switch_use_master_header_footer),
        .feed_from_master = ch_is_on(q->state, row, CH_setting_switch_feed_from_master),
        .content_locked = ch_is_on(q->state, row, CH_setting_switch_content_locked),
        .use_master_unsubscribe_list =
            ch_is_on(q->state, row, CH_setting_switch_use_master_unsubscribe_list),
        .honour_list_in_master = ch_is_on(q->state, row, CH_setting_switch_honour_list_in_master),
        .changed = account->id};
    ch_saw(q, account->changed);
    for (uint32_t i = 0; i < CH_SWITCHES; i++) {
        const uint64_t seq = switch_seq(q->state, row, (enum ch_setting_switch)i);
        if (seq > ret.changed) ret.changed = seq;
    }
    return ret;
}

void ch_query_account_switches(struct ch_asking *q)
{
    const struct ch_qry_account_switches *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t c = ch_account_row(q->state, q->on)->first_child; c != 0;
         c = ch_account_row(q->state, c)->next_sibling) {
        if (!ch_rows_add(q, &rows, c)) return;
    }
    struct ch_qry_account_switches_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 ch_id_of_account, &result->has_next, &result->next);
    struct ch_rec_sub_switches_row *accounts = ch_take(q, rows.count, sizeof *accounts);
    if (accounts == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        accounts[i] = sub_record(q, rows.row[i]);
    }
    result->accounts = accounts;
    result->accounts_len = rows.count;
    q->ret->result = result;
}
