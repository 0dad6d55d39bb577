/* rules_mail: statistics, thresholds, stopped mail in the oracle: everything that was ever counted
 * is in one list, and added up. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

enum { BOUNCE_PPM = 50000, COMPLAINT_PPM = 1000, VOLUME = 1000, RATE_DAYS = 30, PPM = 1000000 };

static struct o_stream *find_stream(struct o_world *w, uint64_t account, uint64_t key,
                                    uint8_t stream)
{
    for (size_t i = 0; i < O_STREAMS; i++) {
        struct o_stream *s = &w->streams[i];
        if (s->account == account && s->key == key && s->stream == stream) return s;
    }
    return NULL;
}

static struct o_stream *need_stream(struct o_world *w, uint64_t account, uint64_t key,
                                    uint8_t stream)
{
    struct o_stream *there = find_stream(w, account, key, stream);
    if (there != NULL) return there;
    for (size_t i = 0; i < O_STREAMS; i++) {
        if (w->streams[i].account != 0) continue;
        w->streams[i] = (struct o_stream){.account = account, .key = key, .stream = stream};
        return &w->streams[i];
    }
    CH_CHECK(w == NULL); /* there is always a place */
    return NULL;
}

/* A key of the account; one that is gone counts where it sent, or was stopped, before. */
static bool is_key_here(struct o_case *k)
{
    const struct o_command *c = k->c;
    if (!c->has_thing) return true;
    const struct o_key *key = o_key(k->w, c->thing);
    if (key != NULL && key->account == k->on->id) return true;
    return find_stream(k->w, k->on->id, c->thing, 0) != NULL ||
           find_stream(k->w, k->on->id, c->thing, 1) != NULL;
}

static uint64_t threshold_of(const struct o_account *a, uint32_t which)
{
    static const uint64_t usual[3] = {BOUNCE_PPM, COMPLAINT_PPM, VOLUME};
    return a->own_threshold[which] ? a->threshold[which] : usual[which];
}

/* An alert when a rate passes its threshold, once; and an event when it no longer does. */
static void judge(struct o_case *k, struct o_stream *s)
{
    for (uint32_t m = 0; m < O_MEASURES; m++) {
        uint64_t part = 0, whole = 0;
        for (size_t i = 0; i < k->w->counted_count; i++) {
            const struct o_counted *c = &k->w->counted[i];
            if (c->account != s->account || c->stream != s->stream) continue;
            if (s->key != 0 && c->key != s->key) continue;
            if (c->day + RATE_DAYS <= k->c->now / O_DAY_NS) continue;
            part += c->part[m];
            whole += c->whole[m];
        }
        uint64_t ppm = whole == 0 ? 0 : part * PPM / whole;
        if (ppm > PPM) ppm = PPM;
        const uint64_t threshold = threshold_of(k->on, m);
        const bool passed =
            whole > 0 && whole >= threshold_of(k->on, 2) && threshold > 0 && ppm > threshold;
        if (passed == s->alerted[m]) continue;
        o_event(k, passed ? CH_EV_reputation_alert : CH_EV_reputation_recovered, k->on->id);
        s->alerted[m] = passed;
    }
}

static void add_stats(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_world *w = k->w;
    o_break_if(k, !is_key_here(k), CH_REJ_not_found);
    o_break_if(k, (c->parts[0] | c->parts[1] | c->wholes[0] | c->wholes[1]) == 0,
               CH_REJ_nothing_counted);
    if (k->code != 0) return;
    CH_CHECK(w->counted_count < O_COUNTED);
    struct o_counted *one = &w->counted[w->counted_count++];
    *one = (struct o_counted){.account = k->on->id,
                              .key = c->has_thing ? c->thing : 0,
                              .stream = c->stream,
                              .day = c->now / O_DAY_NS};
    memcpy(one->part, c->parts, sizeof one->part);
    memcpy(one->whole, c->wholes, sizeof one->whole);
    o_event(k, CH_EV_stats_added, k->on->id);
    judge(k, need_stream(w, k->on->id, 0, c->stream));
    if (c->has_thing) judge(k, need_stream(w, k->on->id, c->thing, c->stream));
}

static void set_thresholds(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_account *a = k->on;
    bool same = true;
    for (uint32_t i = 0; i < 3; i++) {
        o_break_if(k, i < 2 && c->has_amount[i] && c->amount[i] > PPM, CH_REJ_rate_too_high);
        same = same && c->has_amount[i] == a->own_threshold[i] &&
               (!c->has_amount[i] || c->amount[i] == a->threshold[i]);
    }
    if (k->code != 0 || same) return;
    o_event(k, CH_EV_thresholds_set, a->id);
    for (uint32_t i = 0; i < 3; i++) {
        a->own_threshold[i] = c->has_amount[i];
        a->threshold[i] = c->amount[i];
    }
    for (size_t i = 0; i < O_STREAMS; i++) {
        if (k->w->streams[i].account == a->id) judge(k, &k->w->streams[i]);
    }
}

/* The operator; and of the customer, who could suspend the account from above it: of a root, its
 * own people. */
static bool may_stop(struct o_case *k)
{
    const uint64_t from = k->on->parent == 0 ? k->on->id : k->on->parent;
    if (o_is_operator(k)) return true;
    o_break_if(k, !o_is_bound(k), CH_REJ_operator_only);
    o_break_if(k,
               !o_covers(k, from, CH_reach_account, ch_scopes_of(CH_SCOPE_account_suspend), NULL),
               CH_REJ_not_allowed);
    return k->code == 0;
}

static void stop(struct o_case *k, bool stops)
{
    const struct o_command *c = k->c;
    const bool operator= o_is_operator(k);
    if (!may_stop(k)) return;
    o_break_if(k, !is_key_here(k), CH_REJ_not_found);
    const uint64_t key = c->has_thing ? c->thing : 0;
    struct o_stream *s = find_stream(k->w, k->on->id, key, c->stream);
    const bool mine = s != NULL && s->stopped[operator];
    o_break_if(k, !stops && !mine && !operator&& s != NULL && s->stopped[1],
               CH_REJ_operator_stopped);
    if (k->code != 0 || mine == stops) return;
    o_event(k, stops ? CH_EV_stream_stopped : CH_EV_stream_resumed, k->on->id);
    need_stream(k->w, k->on->id, key, c->stream)->stopped[operator] = stops;
}

void o_mail_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_stats_add) add_stats(k);
    if (type == CH_CMD_reputation_set_thresholds) set_thresholds(k);
    if (type == CH_CMD_stream_stop) stop(k, true);
    if (type == CH_CMD_stream_resume) stop(k, false);
}
