/* query_reputation: what was counted, rates and alerts; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "daemon/core/reputation.h"
#include "schema/limits.h"

enum { DAYS_SHOWN = 30, DAYS_MOST = 1000 }; /* as in queries.def */

/* Whether the asker may do this on an account; for the operator and services always. */
static bool may(struct ch_asking *q, uint32_t account, enum ch_scope scope)
{
    return ch_actor_has(q, account, ch_scopes_of((uint8_t)scope));
}

/* The account's streams, those of the whole account before its keys'. */
static bool add_streams(struct ch_asking *q, struct ch_rows *rows, uint32_t account)
{
    ch_saw_account(q, account);
    for (uint32_t s = ch_account_row(q->state, account)->first_stream; s != 0;
         s = ch_stream_row(q->state, s)->next_of_account) {
        if (!ch_rows_add(q, rows, s)) return false;
    }
    return true;
}

/* Whether the key is the account's, or, with `subtree`, of one below it; or is gone, and counted
 * there. Refuses otherwise. */
static bool is_key_here(struct ch_asking *q, struct ch_key_id key, bool subtree)
{
    const uint32_t row = ch_find_key(q->state, key.seq);
    const uint32_t owner = row == 0 ? 0 : ch_key_row(q->state, row)->account;
    ch_saw_account(q, q->on);
    for (uint32_t a = key.seq == 0 ? 0 : q->on; a != 0; a = ch_tree_next(q->state, q->on, a)) {
        if (a == owner || ch_find_stream(q->state, a, key.seq, CH_mail_stream_marketing) != 0 ||
            ch_find_stream(q->state, a, key.seq, CH_mail_stream_transactional) != 0) {
            return true;
        }
        if (!subtree) break;
    }
    return ch_refuse(q, CH_REJ_not_found, "key");
}

/* Streams of one account: its own, then its keys'; and those of several, of whole accounts. The
 * numbers are cursors, too: ids stay so far below CH_MAX_INTEGER that twice as much fits. */
static uint64_t place_of_stream(const struct ch_state *state, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(state, row);
    return 2 * stream->key + stream->stream + 1;
}

static uint64_t place_in_tree(const struct ch_state *state, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(state, row);
    return 2 * ch_id_of_account(state, stream->account) + stream->stream + 1;
}

void ch_query_stats_show(struct ch_asking *q)
{
    const struct ch_qry_stats_show *args = q->call->args;
    struct ch_rows rows = {0};
    if (args->has_key && !is_key_here(q, args->key, /* subtree= */ false)) return;
    if (!add_streams(q, &rows, q->on)) return;
    struct ch_qry_stats_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        const uint64_t key = ch_stream_row(q->state, rows.row[i])->key;
        if (!args->has_key || key == args->key.seq) rows.row[kept++] = rows.row[i];
    }
    rows.count = kept;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 place_of_stream, &result->has_next, &result->next);
    struct ch_rec_stats_row *streams = ch_take(q, rows.count, sizeof *streams);
    if (streams == NULL) return;
    const bool complaints = may(q, q->on, CH_SCOPE_complaints_read);
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_stream *row = ch_stream_row(q->state, rows.row[i]);
        ch_saw(q, row->changed);
        streams[i] = (struct ch_rec_stats_row){.stream = (uint8_t)row->stream,
                                               .has_key = row->key != 0,
                                               .key = {row->key},
                                               .sent = row->total[CH_COUNT_SENT],
                                               .delivered = row->total[CH_COUNT_DELIVERED],
                                               .bounced = row->total[CH_COUNT_BOUNCED],
                                               .has_complained = complaints,
                                               .complained = row->total[CH_COUNT_COMPLAINED],
                                               .opened = row->total[CH_COUNT_OPENED],
                                               .clicked = row->total[CH_COUNT_CLICKED],
                                               .unsubscribed = row->total[CH_COUNT_UNSUBSCRIBED]};
    }
    result->streams = streams;
    result->streams_len = rows.count;
    q->ret->result = result;
}

/* The days of a range, each with the sum of what is asked for. */
struct series {
    uint32_t first, last; /* days; the range is within those kept */
    uint32_t kept_from;
    uint32_t accounts;
    bool complaints; /* of every account in it */
    uint64_t rows;   /* read */
    uint64_t (*sum)[CH_COUNTS];
};

/* What of the account's streams is asked for. */
struct wanted {
    bool has_stream;
    uint8_t stream;
    uint64_t key; /* 0: the whole account's */
    bool subtree;
    enum ch_scope scope; /* needed on each account below */
};

static bool set_range(struct ch_asking *q, bool has_from, uint64_t from, bool has_to, uint64_t to,
                      struct series *series)
{
    const uint32_t today = ch_day_of(q->moment->now);
    series->kept_from = ch_series_from(q->state, today);
    if (today - series->kept_from >= DAYS_MOST) series->kept_from = today + 1 - DAYS_MOST;
    if (has_from && has_to && from > to) return ch_refuse(q, CH_REJ_range_reversed, "to");
    series->last = has_to && ch_day_of(to) < today ? ch_day_of(to) : today;
    series->first = series->last < DAYS_SHOWN ? 0 : series->last + 1 - DAYS_SHOWN;
    if (has_from) series->first = ch_day_of(from);
    if (series->first < series->kept_from) series->first = series->kept_from;
    const uint32_t days = series->last < series->first ? 0 : series->last - series->first + 1;
    series->sum = ch_take(q, days, sizeof *series->sum);
    return series->sum != NULL;
}

/* Adds a stream's days. False: refused, a sum would not fit. */
static bool add_days(struct ch_asking *q, struct series *series, uint32_t stream)
{
    uint32_t at = ch_stream_row(q->state, stream)->last_day;
    ch_saw(q, ch_stream_row(q->state, stream)->changed);
    for (; at != 0 && ch_day_row(q->state, at)->day >= series->first;
         at = ch_day_row(q->state, at)->prev) {
        const struct ch_row_day *day = ch_day_row(q->state, at);
        series->rows++;
        if (day->day > series->last) continue;
        uint64_t *sum = series->sum[day->day - series->first];
        for (uint32_t i = 0; i < CH_COUNTS; i++) {
            if (day->count[i] > CH_MAX_INTEGER - sum[i]) {
                return ch_refuse(q, CH_REJ_counter_overflow, "subtree");
            }
            sum[i] += day->count[i];
        }
    }
    return true;
}

static bool add_account(struct ch_asking *q, struct series *series, const struct wanted *wanted,
                        uint32_t account)
{
    ch_saw_account(q, account);
    const bool open = ch_account_row(q->state, account)->status == CH_account_status_open;
    /* A closed account answers nobody; what it sent stays in the sum of those above it. */
    if (account != q->on && open && !may(q, account, wanted->scope)) {
        return ch_refuse_scopes(q, CH_REJ_not_allowed, "subtree",
                                ch_scopes_of((uint8_t)wanted->scope));
    }
    series->complaints = series->complaints && (!open || may(q, account, CH_SCOPE_complaints_read));
    series->accounts++;
    for (uint8_t kind = 0; kind < 2; kind++) {
        if (wanted->has_stream && wanted->stream != kind) continue;
        const uint32_t stream = ch_find_stream(q->state, account, wanted->key, kind);
        if (stream != 0 && !add_days(q, series, stream)) return false;
    }
    if (series->rows <= LIMIT_SERIES_ROWS) return true;
    return ch_refuse_limit(q, "SERIES_ROWS", "subtree");
}

static bool gather(struct ch_asking *q, struct series *series, const struct wanted *wanted)
{
    series->complaints = true;
    for (uint32_t a = q->on; a != 0; a = ch_tree_next(q->state, q->on, a)) {
        if (!add_account(q, series, wanted, a)) return false;
        if (!wanted->subtree) return true;
    }
    return true;
}

static bool any(const uint64_t count[CH_COUNTS])
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < CH_COUNTS; i++) {
        all |= count[i];
    }
    return all != 0;
}

void ch_query_stats_series(struct ch_asking *q)
{
    const struct ch_qry_stats_series *args = q->call->args;
    const struct wanted wanted = {.has_stream = args->has_stream,
                                  .stream = args->stream,
                                  .key = args->has_key ? args->key.seq : 0,
                                  .subtree = args->has_subtree && args->subtree,
                                  .scope = CH_SCOPE_reports_read};
    struct series series = {0};
    if (args->has_key && !is_key_here(q, args->key, wanted.subtree)) return;
    if (!set_range(q, args->has_from, args->from, args->has_to, args->to, &series)) return;
    if (!gather(q, &series, &wanted)) return;
    struct ch_qry_stats_series_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_day_row *days = ch_take(q, DAYS_MOST, sizeof *days);
    if (result == NULL || days == NULL) return;
    for (uint32_t day = series.first; day <= series.last; day++) {
        const uint64_t *sum = series.sum[day - series.first];
        if (!any(sum)) continue;
        days[result->days_len++] =
            (struct ch_rec_day_row){.day = day * CH_DAY_NS,
                                    .sent = sum[CH_COUNT_SENT],
                                    .delivered = sum[CH_COUNT_DELIVERED],
                                    .bounced = sum[CH_COUNT_BOUNCED],
                                    .has_complained = series.complaints,
                                    .complained = sum[CH_COUNT_COMPLAINED],
                                    .opened = sum[CH_COUNT_OPENED],
                                    .clicked = sum[CH_COUNT_CLICKED],
                                    .unsubscribed = sum[CH_COUNT_UNSUBSCRIBED]};
    }
    result->days = days;
    result->accounts = series.accounts;
    result->kept_from = series.kept_from * CH_DAY_NS;
    q->ret->result = result;
}

void ch_query_usage_history(struct ch_asking *q)
{
    const struct ch_qry_usage_history *args = q->call->args;
    const struct wanted wanted = {.has_stream = args->has_stream,
                                  .stream = args->stream,
                                  .subtree = args->has_subtree && args->subtree,
                                  .scope = CH_SCOPE_usage_read};
    struct series series = {0};
    if (!set_range(q, args->has_from, args->from, args->has_to, args->to, &series)) return;
    if (!gather(q, &series, &wanted)) return;
    struct ch_qry_usage_history_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_usage_row *days = ch_take(q, DAYS_MOST, sizeof *days);
    if (result == NULL || days == NULL) return;
    CH_CHECK(series.sum != NULL);
    for (uint32_t day = series.first; day <= series.last; day++) {
        const uint64_t sent = series.sum[day - series.first][CH_COUNT_SENT];
        if (sent == 0) continue;
        days[result->days_len++] = (struct ch_rec_usage_row){.day = day * CH_DAY_NS, .sent = sent};
    }
    result->days = days;
    result->accounts = series.accounts;
    result->kept_from = series.kept_from * CH_DAY_NS;
    q->ret->result = result;
}

static struct ch_rec_reputation_row rate_record(struct ch_asking *q, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(q->state, row);
    const struct ch_row_account *account = ch_account_row(q->state, stream->account);
    const struct ch_thresholds thresholds = ch_thresholds_of(q->state, stream->account);
    uint64_t count[CH_COUNTS];
    ch_saw(q, stream->changed);
    ch_counted_from(q->state, row, ch_rate_from(q->state, ch_day_of(q->moment->now)), count);
    const struct ch_rate bounces = ch_rate_of(count, &thresholds, CH_measure_bounces);
    const struct ch_rate complaints = ch_rate_of(count, &thresholds, CH_measure_complaints);
    struct ch_rec_reputation_row record = {
        .account = {account->id},
        .account_name = ch_copy_text(q, account->name),
        .stream = (uint8_t)stream->stream,
        .has_key = stream->key != 0,
        .key = {stream->key},
        .sent = count[CH_COUNT_SENT],
        .delivered = count[CH_COUNT_DELIVERED],
        .bounced = count[CH_COUNT_BOUNCED],
        .complained = count[CH_COUNT_COMPLAINED],
        .bounce_ppm = bounces.ppm,
        .bounce_counts = bounces.counts,
        .complaint_ppm = complaints.ppm,
        .complaint_counts = complaints.counts,
        .has_bounce_alert = stream->alert_seq[CH_measure_bounces] != 0,
        .bounce_alert = stream->alert_seq[CH_measure_bounces],
        .has_complaint_alert = stream->alert_seq[CH_measure_complaints] != 0,
        .complaint_alert = stream->alert_seq[CH_measure_complaints],
        .has_customer_stopped = stream->stopped_seq[0] != 0,
        .customer_stopped = stream->stopped_seq[0],
        .has_operator_stopped = stream->stopped_seq[1] != 0,
        .operator_stopped = stream->stopped_seq[1]};
    for (uint32_t authority = 0; authority < 2; authority++) {
        if (stream->stopped_seq[authority] == 0) continue;
        struct ch_text reason;
        ch_opened_texts(q, stream->stopped_seq[authority], &reason, 1);
        if (reason.len == 0) continue; /* its key is gone */
        record.has_reason = true;
        record.reason = reason; /* the operator's is the last, and the one that is shown */
    }
    return record;
}

static const struct ch_rec_reputation_row *rate_records(struct ch_asking *q,
                                                        const struct ch_rows *rows)
{
    struct ch_rec_reputation_row *rates = ch_take(q, rows->count, sizeof *rates);
    for (uint32_t i = 0; rates != NULL && i < rows->count; i++) {
        rates[i] = rate_record(q, rows->row[i]);
    }
    return rates;
}

void ch_query_reputation_show(struct ch_asking *q)
{
    const struct ch_qry_reputation_show *args = q->call->args;
    struct ch_rows rows = {0};
    if (!add_streams(q, &rows, q->on)) return;
    struct ch_qry_reputation_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 place_of_stream, &result->has_next, &result->next);
    const struct ch_thresholds thresholds = ch_thresholds_of(q->state, q->on);
    result->bounce_threshold_ppm = thresholds.ppm[CH_measure_bounces];
    result->complaint_threshold_ppm = thresholds.ppm[CH_measure_complaints];
    result->volume = thresholds.volume;
    result->has_own = thresholds.seq != 0;
    result->own = thresholds.seq;
    result->days = ch_meta(q->state)->rate_days;
    result->rates = rate_records(q, &rows);
    result->rates_len = rows.count;
    q->ret->result = result;
}

static bool alerts(const struct ch_row_stream *stream)
{
    return (stream->alert_seq[0] | stream->alert_seq[1]) != 0;
}

void ch_query_reputation_list(struct ch_asking *q)
{
    const struct ch_qry_reputation_list *args = q->call->args;
    const bool only_alerts = args->has_alerts && args->alerts;
    struct ch_rows rows = {0};
    for (uint32_t a = q->on; a != 0; a = ch_tree_next(q->state, q->on, a)) {
        ch_saw_account(q, a);
        if (a != q->on && !may(q, a, CH_SCOPE_complaints_read)) continue;
        for (uint8_t kind = 0; kind < 2; kind++) {
            const uint32_t stream = ch_find_stream(q->state, a, 0, kind);
            if (stream == 0) continue;
            if (only_alerts && !alerts(ch_stream_row(q->state, stream))) continue;
            if (!ch_rows_add(q, &rows, stream)) return;
        }
    }
    struct ch_qry_reputation_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 place_in_tree, &result->has_next, &result->next);
    result->rates = rate_records(q, &rows);
    result->rates_len = rows.count;
    q->ret->result = result;
}
