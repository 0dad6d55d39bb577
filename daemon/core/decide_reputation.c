/* decide_reputation: rules of statistics, thresholds and stopped streams; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "daemon/core/reputation.h"

/* One stream whose rates are judged: as it is, and what the command adds to it. */
struct judged {
    uint32_t row; /* 0: it is not there yet */
    uint64_t key;
    uint8_t stream;
    const uint64_t *more; /* NULL: nothing */
};

static void emit_alert(struct ch_case *c, const struct judged *judged, enum ch_measure measure,
                       const struct ch_rate *rate, uint64_t threshold)
{
    struct ch_ev_reputation_alert *body =
        ch_emit(c, CH_EV_reputation_alert, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return;
    body->stream = judged->stream;
    body->has_key = judged->key != 0;
    body->key.seq = judged->key;
    body->measure = (uint8_t)measure;
    body->rate_ppm = rate->ppm;
    body->threshold_ppm = threshold;
    body->volume = rate->whole;
}

static void emit_recovered(struct ch_case *c, const struct judged *judged, enum ch_measure measure,
                           const struct ch_rate *rate)
{
    struct ch_ev_reputation_recovered *body =
        ch_emit(c, CH_EV_reputation_recovered, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return;
    body->stream = judged->stream;
    body->has_key = judged->key != 0;
    body->key.seq = judged->key;
    body->measure = (uint8_t)measure;
    body->rate_ppm = rate->ppm;
}

/* An alert when a rate passes its threshold, once; and one event when it no longer does. */
static void judge(struct ch_case *c, const struct judged *judged,
                  const struct ch_thresholds *thresholds)
{
    uint64_t count[CH_COUNTS];
    const uint32_t today = ch_day_of(c->moment->now);
    ch_counted_from(c->state, judged->row, ch_rate_from(c->state, today), count);
    for (uint32_t i = 0; judged->more != NULL && i < CH_COUNTS; i++) {
        count[i] += judged->more[i];
    }
    for (uint32_t m = 0; m < CH_MEASURES; m++) {
        const enum ch_measure measure = (enum ch_measure)m;
        const struct ch_rate rate = ch_rate_of(count, thresholds, measure);
        const bool alerted =
            judged->row != 0 && ch_stream_row(c->state, judged->row)->alert_seq[m] != 0;
        if (rate.passed && !alerted) emit_alert(c, judged, measure, &rate, thresholds->ppm[m]);
        if (!rate.passed && alerted) emit_recovered(c, judged, measure, &rate);
    }
}

/* Whether a key is there and the account's. One that is gone counts where it sent before: what came
 * of that mail is still told. */
static bool is_key_of(const struct ch_case *c, bool has_key, struct ch_key_id key)
{
    const uint32_t row = has_key ? ch_find_key(c->state, key.seq) : 0;
    if (!has_key || (row != 0 && ch_key_row(c->state, row)->account == c->on)) return true;
    if (key.seq == 0) return false; /* under which the account's own streams are found */
    return ch_find_stream(c->state, c->on, key.seq, CH_mail_stream_marketing) != 0 ||
           ch_find_stream(c->state, c->on, key.seq, CH_mail_stream_transactional) != 0;
}

/* The counter of the account's stream that would pass what an integer on the wire can hold; NULL:
 * none. A key's counters are never above the account's. */
static const char *overflowing(const struct ch_case *c, uint32_t row,
                               const uint64_t more[CH_COUNTS])
{
    static const char *const names[CH_COUNTS] = {
        [CH_COUNT_SENT] = "sent",
        [CH_COUNT_DELIVERED] = "delivered",
        [CH_COUNT_BOUNCED] = "bounced",
        [CH_COUNT_COMPLAINED] = "complained",
        [CH_COUNT_OPENED] = "opened",
        [CH_COUNT_CLICKED] = "clicked",
        [CH_COUNT_UNSUBSCRIBED] = "unsubscribed",
    };
    for (uint32_t i = 0; i < CH_COUNTS; i++) {
        const uint64_t total = row == 0 ? 0 : ch_stream_row(c->state, row)->total[i];
        if (more[i] > CH_MAX_INTEGER - total) return names[i];
    }
    return NULL;
}

enum ch_rejection_code ch_decide_stats_add(struct ch_case *c)
{
    const struct ch_cmd_stats_add *args = c->call->args;
    const uint64_t more[CH_COUNTS] = {args->has_sent ? args->sent : 0,
                                      args->has_delivered ? args->delivered : 0,
                                      args->has_bounced ? args->bounced : 0,
                                      args->has_complained ? args->complained : 0,
                                      args->has_opened ? args->opened : 0,
                                      args->has_clicked ? args->clicked : 0,
                                      args->has_unsubscribed ? args->unsubscribed : 0};
    if (!is_key_of(c, args->has_key, args->key)) return ch_reject(c, CH_REJ_not_found, "key");
    uint64_t any = 0;
    for (uint32_t i = 0; i < CH_COUNTS; i++) {
        any |= more[i];
    }
    if (any == 0) return ch_reject(c, CH_REJ_nothing_counted, NULL);
    const uint32_t row = ch_find_stream(c->state, c->on, 0, args->stream);
    const char *overflows = overflowing(c, row, more);
    if (overflows != NULL) return ch_reject(c, CH_REJ_counter_overflow, overflows);
    struct ch_ev_stats_added *body =
        ch_emit(c, CH_EV_stats_added, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    *body = (struct ch_ev_stats_added){.stream = args->stream,
                                       .has_key = args->has_key,
                                       .key = args->key,
                                       .sent = more[CH_COUNT_SENT],
                                       .delivered = more[CH_COUNT_DELIVERED],
                                       .bounced = more[CH_COUNT_BOUNCED],
                                       .complained = more[CH_COUNT_COMPLAINED],
                                       .opened = more[CH_COUNT_OPENED],
                                       .clicked = more[CH_COUNT_CLICKED],
                                       .unsubscribed = more[CH_COUNT_UNSUBSCRIBED]};
    const struct ch_thresholds thresholds = ch_thresholds_of(c->state, c->on);
    judge(c, &(struct judged){.row = row, .stream = args->stream, .more = more}, &thresholds);
    if (!args->has_key) return CH_REJ_none;
    const struct judged of_key = {.row =
                                      ch_find_stream(c->state, c->on, args->key.seq, args->stream),
                                  .key = args->key.seq,
                                  .stream = args->stream,
                                  .more = more};
    judge(c, &of_key, &thresholds);
    return CH_REJ_none;
}

/* Whether the account has these thresholds of its own already. */
static bool has_thresholds(const struct ch_case *c, uint32_t own,
                           const struct ch_cmd_reputation_set_thresholds *args)
{
    const uint32_t row = ch_find_threshold(c->state, c->on);
    if (row == 0) return own == 0;
    const struct ch_row_threshold *known = ch_threshold_row(c->state, row);
    return known->own == own && ((own & 1) == 0 || known->bounce_ppm == args->bounce_ppm) &&
           ((own & 2) == 0 || known->complaint_ppm == args->complaint_ppm) &&
           ((own & 4) == 0 || known->volume == args->volume);
}

enum ch_rejection_code ch_decide_reputation_set_thresholds(struct ch_case *c)
{
    const struct ch_cmd_reputation_set_thresholds *args = c->call->args;
    if (args->has_bounce_ppm && args->bounce_ppm > CH_PPM) {
        return ch_reject(c, CH_REJ_rate_too_high, "bounce_ppm");
    }
    if (args->has_complaint_ppm && args->complaint_ppm > CH_PPM) {
        return ch_reject(c, CH_REJ_rate_too_high, "complaint_ppm");
    }
    const uint32_t own = (args->has_bounce_ppm ? 1u : 0) | (args->has_complaint_ppm ? 2u : 0) |
                         (args->has_volume ? 4u : 0);
    if (has_thresholds(c, own, args)) return CH_REJ_none;
    struct ch_ev_thresholds_set *body =
        ch_emit(c, CH_EV_thresholds_set, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    *body = (struct ch_ev_thresholds_set){.has_bounce_ppm = args->has_bounce_ppm,
                                          .bounce_ppm = args->bounce_ppm,
                                          .has_complaint_ppm = args->has_complaint_ppm,
                                          .complaint_ppm = args->complaint_ppm,
                                          .has_volume = args->has_volume,
                                          .volume = args->volume};
    const struct ch_row_meta *meta = ch_meta(c->state);
    const struct ch_thresholds thresholds = {
        .ppm = {args->has_bounce_ppm ? args->bounce_ppm : meta->bounce_ppm,
                args->has_complaint_ppm ? args->complaint_ppm : meta->complaint_ppm},
        .volume = args->has_volume ? args->volume : meta->rate_volume};
    for (uint32_t s = ch_account_row(c->state, c->on)->first_stream; s != 0;
         s = ch_stream_row(c->state, s)->next_of_account) {
        const struct ch_row_stream *stream = ch_stream_row(c->state, s);
        judge(c, &(struct judged){.row = s, .key = stream->key, .stream = (uint8_t)stream->stream},
              &thresholds);
    }
    return CH_REJ_none;
}

/* The operator; and of the customer, who could suspend the account from above it. Of a root, its
 * own people are the master's. */
static enum ch_rejection_code may_stop(struct ch_case *c)
{
    const uint8_t kind = c->moment->actor.kind;
    if (kind == CH_actor_kind_operator) return CH_REJ_none;
    if (!ch_is_bound(c->moment)) return ch_reject(c, CH_REJ_operator_only, NULL);
    const uint32_t parent = ch_account_row(c->state, c->on)->parent;
    const struct ch_scopes missing =
        ch_uncovered(c, parent == 0 ? c->on : parent, CH_reach_account,
                     ch_scopes_of(CH_SCOPE_account_suspend), /* resource= */ NULL);
    if (ch_scopes_empty(missing)) return CH_REJ_none;
    return ch_reject_scopes(c, CH_REJ_not_allowed, "on", missing);
}

enum ch_rejection_code ch_decide_stream_stop(struct ch_case *c)
{
    const struct ch_cmd_stream_stop *args = c->call->args;
    if (may_stop(c) != CH_REJ_none) return c->ret->reject.code;
    if (!is_key_of(c, args->has_key, args->key)) return ch_reject(c, CH_REJ_not_found, "key");
    const bool by_operator = c->moment->actor.kind == CH_actor_kind_operator;
    const uint32_t row =
        ch_find_stream(c->state, c->on, args->has_key ? args->key.seq : 0, args->stream);
    if (row != 0 && ch_stream_row(c->state, row)->stopped_seq[by_operator] != 0) return CH_REJ_none;
    struct ch_ev_stream_stopped *body =
        ch_emit(c, CH_EV_stream_stopped, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->stream = args->stream;
    body->has_key = args->has_key;
    body->key = args->key;
    body->by_operator = by_operator;
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_stream_resume(struct ch_case *c)
{
    const struct ch_cmd_stream_resume *args = c->call->args;
    if (may_stop(c) != CH_REJ_none) return c->ret->reject.code;
    if (!is_key_of(c, args->has_key, args->key)) return ch_reject(c, CH_REJ_not_found, "key");
    const bool by_operator = c->moment->actor.kind == CH_actor_kind_operator;
    const uint32_t row =
        ch_find_stream(c->state, c->on, args->has_key ? args->key.seq : 0, args->stream);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_stream *stream = ch_stream_row(c->state, row);
    if (stream->stopped_seq[by_operator] == 0) {
        if (!by_operator && stream->stopped_seq[1] != 0) {
            return ch_reject(c, CH_REJ_operator_stopped, "stream");
        }
        return CH_REJ_none;
    }
    struct ch_ev_stream_resumed *body =
        ch_emit(c, CH_EV_stream_resumed, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->stream = args->stream;
    body->has_key = args->has_key;
    body->key = args->key;
    body->by_operator = by_operator;
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}
