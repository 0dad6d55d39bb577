/* waiting: see waiting.h. SPDX-License-Identifier: MIT */
#include "daemon/waiting.h"

#include "schema/limits.h"

struct waiter {
    struct ch_ingress_arrival arrival;
    uint64_t seq;         /* asked again when this is durable */
    uint64_t deadline_ns; /* monotonic; asked for the last time then */
};

/* One that waits no more. */
struct again {
    struct ch_ingress_arrival arrival;
    bool last_try;
};

static size_t count_of(const struct ch_pipeline *line)
{
    return line->waiters.len / sizeof(struct waiter);
}

static struct waiter waiter_at(const struct ch_pipeline *line, size_t at)
{
    struct waiter waiter;
    memcpy(&waiter, line->waiters.ptr + at * sizeof waiter, sizeof waiter);
    return waiter;
}

/* Sets the timer for the one whose time runs out first. */
static void set_timer(struct ch_pipeline *line)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < count_of(line); i++) {
        const struct waiter waiter = waiter_at(line, i);
        if (waiter.deadline_ns < first) first = waiter.deadline_ns;
    }
    if (first != UINT64_MAX) ch_line_set_timer(line->waiter_timer, first);
}

void ch_line_wait(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival, uint64_t seq,
                  uint64_t wait_ms)
{
    const struct waiter waiter = {.arrival = *arrival,
                                  .seq = seq,
                                  .deadline_ns = ch_clock_monotonic_ns() + wait_ms * 1000000u};
    ch_line_keep(line, &line->waiters, &waiter, sizeof waiter, arrival);
    set_timer(line);
}

/* The seq that an events.read with wait_ms waits for; 0: it need not or may not wait. Only while
 * few others wait, so that waiting readers never take the contexts that commands need. */
static uint64_t event_awaited(const struct ch_pipeline *line, const struct ch_request *request,
                              uint64_t *ret_wait_ms)
{
    if (request->call_count != 1 || request->calls[0].why != NULL || line->last_try) return 0;
    if (request->calls[0].type != CH_QRY_events_read) return 0;
    const struct ch_qry_events_read *args = request->calls[0].args;
    const uint64_t from = args->has_from && args->from > 0 ? args->from : 1;
    if (!args->has_wait_ms || from <= line->durable) return 0;
    if (count_of(line) >= ch_ingress_slots(line->ingress) / 4) return 0;
    *ret_wait_ms = args->wait_ms < LIMIT_WAIT_MS ? args->wait_ms : LIMIT_WAIT_MS;
    return from;
}

bool ch_waiting_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                     const struct ch_request *request)
{
    uint64_t wait_ms = LIMIT_WAIT_MS;
    const bool ahead = request->has_at_least && request->at_least > ch_meta(line->state)->head;
    const uint64_t seq = ahead ? request->at_least : event_awaited(line, request, &wait_ms);
    if (seq == 0) return false;
    if (!line->last_try) {
        ch_line_wait(line, arrival, seq, wait_ms);
        return true;
    }
    struct ch_why why = {0};
    (void)ch_fail_field(&why, CH_ERR_NOT_YET, "at_least", "at_least: the log ends at %llu",
                        (unsigned long long)ch_meta(line->state)->head);
    ch_line_refuse(line, arrival, request->id, &why);
    return true;
}

void ch_waiting_end(struct ch_pipeline *line)
{
    const uint64_t now = ch_clock_monotonic_ns();
    size_t staying = 0;
    for (size_t i = 0; i < count_of(line); i++) {
        const struct waiter waiter = waiter_at(line, i);
        if (waiter.seq > line->durable && waiter.deadline_ns > now) {
            memcpy(line->waiters.ptr + staying, &waiter, sizeof waiter);
            staying += sizeof waiter;
            continue;
        }
        const struct again again = {.arrival = waiter.arrival,
                                    .last_try = waiter.deadline_ns <= now};
        ch_line_keep(line, &line->again, &again, sizeof again, &waiter.arrival);
    }
    line->waiters.len = staying;
    set_timer(line);
}

void ch_waiting_again(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival)
{
    const struct again again = {.arrival = *arrival};
    ch_line_keep(line, &line->again, &again, sizeof again, arrival);
}

bool ch_waiting_collect(struct ch_pipeline *line, struct ch_ingress_arrival *ret)
{
    struct again again;
    line->last_try = false;
    if (!ch_line_next(&line->again, &line->again_at, &again, sizeof again)) return false;
    line->last_try = again.last_try;
    *ret = again.arrival;
    return true;
}

void ch_waiting_deinit(struct ch_pipeline *line)
{
    ch_buf_deinit(&line->waiters);
    ch_buf_deinit(&line->again);
}
