/* query_content: what is fed to an account, and by it; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

void ch_query_content_check(struct ch_asking *q)
{
    const struct ch_qry_content_check *args = q->call->args;
    struct ch_qry_content_check_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_saw_account(q, q->on);
    const uint32_t feed =
        ch_fed_by(q->state, q->on, args->kind, ch_text_find(q->state, args->resource));
    result->fed = result->has_account = result->has_seq = feed != 0;
    if (feed != 0) {
        const struct ch_row_feed *row = ch_feed_row(q->state, feed);
        result->account.seq = ch_account_row(q->state, row->account)->id;
        result->seq = row->seq;
    }
    result->revision = ch_meta(q->state)->head;
    q->ret->result = result;
}

/* The first feed of an account's list; 0: none. */
static uint32_t first_feed(const struct ch_state *state, uint32_t account)
{
    const uint32_t settings = account == 0 ? 0 : ch_account_row(state, account)->settings;
    return settings == 0 ? 0 : ch_settings_row(state, settings)->first_feed;
}

static uint64_t seq_of_feed(const struct ch_state *state, uint32_t row)
{
    return ch_feed_row(state, row)->seq;
}

void ch_query_content_list(struct ch_asking *q)
{
    const struct ch_qry_content_list *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t f = first_feed(q->state, ch_account_row(q->state, q->on)->parent); f != 0;
         f = ch_feed_row(q->state, f)->next) {
        const struct ch_row_feed *feed = ch_feed_row(q->state, f);
        if (args->has_kind && args->kind != feed->kind) continue;
        /* What is fed both to it and to all stands here once. */
        if (ch_fed_by(q->state, q->on, (uint8_t)feed->kind, feed->resource) != f) continue;
        if (!ch_rows_add(q, &rows, f)) return;
    }
    struct ch_qry_content_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 seq_of_feed, &result->has_next, &result->next);
    struct ch_rec_fed_row *content = ch_take(q, rows.count, sizeof *content);
    if (content == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_feed *feed = ch_feed_row(q->state, rows.row[i]);
        content[i].kind = (uint8_t)feed->kind;
        content[i].resource = ch_copy_text(q, feed->resource);
        content[i].account.seq = ch_account_row(q->state, feed->account)->id;
        content[i].seq = feed->seq;
    }
    result->content = content;
    result->content_len = rows.count;
    q->ret->result = result;
}

/* Whether some account right below takes what is fed to all. */
static bool some_take(const struct ch_state *state, uint32_t account)
{
    for (uint32_t c = ch_account_row(state, account)->first_child; c != 0;
         c = ch_account_row(state, c)->next_sibling) {
        if (ch_is_on(state, c, CH_setting_switch_feed_from_master)) return true;
    }
    return false;
}

void ch_query_content_feeds(struct ch_asking *q)
{
    const struct ch_qry_content_feeds *args = q->call->args;
    const uint32_t to = args->has_account ? ch_find_account(q->state, args->account.id) : 0;
    struct ch_rows rows = {0};
    if (to != 0 && ch_account_row(q->state, to)->parent != q->on) {
        (void)ch_refuse(q, CH_REJ_not_found, "account"); /* also to whom it is shown elsewhere */
        return;
    }
    ch_saw_account(q, q->on);
    for (uint32_t f = first_feed(q->state, q->on); f != 0; f = ch_feed_row(q->state, f)->next) {
        if (to != 0 && ch_feed_row(q->state, f)->to != to) continue;
        if (!ch_rows_add(q, &rows, f)) return;
    }
    struct ch_qry_content_feeds_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 seq_of_feed, &result->has_next, &result->next);
    struct ch_rec_feed_row *feeds = ch_take(q, rows.count, sizeof *feeds);
    const bool some = some_take(q->state, q->on);
    if (feeds == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_feed *feed = ch_feed_row(q->state, rows.row[i]);
        feeds[i].kind = (uint8_t)feed->kind;
        feeds[i].resource = ch_copy_text(q, feed->resource);
        feeds[i].has_to = feed->to != 0;
        if (feed->to != 0) feeds[i].to.seq = ch_account_row(q->state, feed->to)->id;
        feeds[i].taken =
            feed->to == 0 ? some : ch_is_on(q->state, feed->to, CH_setting_switch_feed_from_master);
        feeds[i].seq = feed->seq;
    }
    result->feeds = feeds;
    result->feeds_len = rows.count;
    q->ret->result = result;
}
