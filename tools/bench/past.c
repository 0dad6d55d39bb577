/* past: see past.h. SPDX-License-Identifier: MIT */
#include "tools/bench/past.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/include/charter/charter.h"
#include "tools/bench/chance.h"
#include "tools/bench/daemon.h"
#include "tools/bench/feed.h"
#include "tools/bench/history.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/machine.h"

const char ch_past_help[] =
    "Makes a log of mixed events by chance of a seed (--events N, 200000; --seed N) and asks "
    "charterd\n"
    "what somebody might do close to its end: people of whom there are so many events, between "
    "those\n"
    "of others. `first` is the first question about each; `again` goes back a little each time, "
    "so\n"
    "that nothing that is kept helps (median of --rounds, and the range); `goes on` is a later\n"
    "moment than the one before. The last row needs the whole state of then, from a snapshot or "
    "from\n"
    "the log's begin; it goes back, too. The log is in the page cache. The longest turn of the\n"
    "daemon's loop is of the same time: it answers others while the worker is busy.\n";

enum {
    EVENTS = 200000,
    SIZES = 5,
    SPREAD = 8,      /* events of others for each of theirs */
    RESOURCES = 500, /* each is granted anew again and again */
    NAME_BYTES = 32,
    ASKED_MOST = 64,
};

static const uint64_t sizes[SIZES] = {10, 1000, 10000, 50000, 100000};

struct past {
    struct charter *connection;
    struct ch_feed *feed;
    struct ch_chance chance;
    uint64_t account;
    uint64_t user[SIZES];
    uint64_t other; /* somebody else there */
    uint32_t count; /* of the sizes that fit the log */
};

static enum ch_err call(struct past *p, const char *type, uint64_t on, uint64_t *ret_seq,
                        struct charter_message **ret, struct ch_why *why)
{
    const struct charter_call_head head = {.type = type, .on_id = on};
    return ch_feed_call(p->feed, &head, ret_seq, ret, why);
}

static enum ch_err add_people(struct past *p, struct ch_why *why)
{
    struct charter_message *message = NULL;
    enum ch_err err = call(p, "account.open_master", 0, &p->account, &message, why);
    if (err == CH_OK) charter_arg_text(message, "name", "past");
    for (uint32_t i = 0; err == CH_OK && i <= SIZES; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "past-%" PRIu32, i);
        err = call(p, "user.create", 0, i == SIZES ? &p->other : &p->user[i], &message, why);
        if (err == CH_OK) charter_arg_text(message, "username", name);
    }
    if (err == CH_OK) err = ch_feed_finish(p->feed, why);
    for (uint32_t i = 0; err == CH_OK && i <= SIZES; i++) {
        err = call(p, "share.give", p->account, NULL, &message, why);
        if (err != CH_OK) break;
        charter_arg_uint(message, "user", i == SIZES ? p->other : p->user[i]);
        charter_arg_text(message, "role", "watcher");
    }
    return err == CH_OK ? ch_feed_finish(p->feed, why) : err;
}

/* One event: a grant that is not what it was. */
static enum ch_err grant(struct past *p, uint64_t user, uint64_t number, struct ch_why *why)
{
    static const char *const scopes[] = {"lists.read", "contacts.read"};
    char resource[NAME_BYTES];
    struct charter_message *message = NULL;
    enum ch_err err = call(p, "share.grant", p->account, NULL, &message, why);
    if (err != CH_OK) return err;
    (void)snprintf(resource, sizeof resource, "list-%" PRIu64, number % RESOURCES);
    charter_arg_uint(message, "user", user);
    charter_arg_text(message, "kind", "list");
    charter_arg_text(message, "resource", resource);
    charter_arg_texts(message, "scopes", scopes, 1 + number / RESOURCES % 2);
    return err;
}

/* The events of each, spread evenly over the end of the log. */
static enum ch_err add_grants(struct past *p, struct ch_why *why)
{
    uint64_t left[SIZES];
    uint64_t done[SIZES + 1] = {0};
    uint64_t total = 0;
    enum ch_err err = CH_OK;
    for (uint32_t i = 0; i < p->count; i++) {
        left[i] = sizes[i];
        total += sizes[i];
    }
    while (err == CH_OK && total > 0) {
        for (uint32_t i = 0; err == CH_OK && i < SPREAD; i++) {
            err = grant(p, p->other, done[SIZES]++, why);
        }
        uint64_t at = ch_chance_below(&p->chance, total);
        uint32_t who = 0;
        while (at >= left[who]) {
            at -= left[who++];
        }
        if (err == CH_OK) err = grant(p, p->user[who], done[who]++, why);
        left[who]--;
        total--;
    }
    return err == CH_OK ? ch_feed_finish(p->feed, why) : err;
}

/* Asks one thing about the past. user: 0: something about the account */
static enum ch_err ask(struct past *p, const struct charter_head *head, const char *type,
                       uint64_t user, double *ret_ms, struct ch_why *why)
{
    static const char *const scopes[] = {"lists.read"};
    const struct charter_call_head what = {.type = type, .on_id = p->account};
    struct charter_error error = {0};
    struct charter_reply *reply = NULL;
    struct charter_message *message = charter_message_create(head);
    if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a question");
    charter_message_call(message, &what);
    if (user != 0) {
        charter_arg_uint(message, "user", user);
        charter_arg_texts(message, "scopes", scopes, 1);
        charter_arg_text(message, "resource", "list-7");
    }
    const uint64_t began_ns = ch_interrupt_now_ns();
    enum ch_err err = CH_OK;
    if (charter_call(p->connection, message, &reply, &error) != 0) {
        err = ch_daemon_fail(why, "asking about the past", &error);
    } else if (!charter_reply_ok(reply)) {
        err = ch_fail(why, CH_ERR_NET_IO, 0, "a question about the past was refused");
    }
    *ret_ms = (double)(ch_interrupt_now_ns() - began_ns) / 1e6;
    charter_reply_destroy(reply);
    charter_message_destroy(message);
    if (err == CH_OK && ch_interrupt_seen()) err = ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
    return err;
}

static int by_size(const void *a, const void *b)
{
    const double one = *(const double *)a;
    const double two = *(const double *)b;
    return (one > two) - (one < two);
}

/* One row: a question a little further back each time, then forward. user 0: one that needs the
 * whole state. */
static enum ch_err run_row(struct past *p, const char *name, uint64_t user, uint64_t end,
                           uint32_t rounds, struct ch_why *why)
{
    const char *type = user == 0 ? "account.show" : "check";
    double first = 0;
    double forward = 0;
    double again[ASKED_MOST];
    struct charter_head head = {.as_of_seq = end};
    enum ch_err err = ask(p, &head, type, user, &first, why);
    for (uint32_t i = 0; err == CH_OK && i < rounds; i++) {
        head.as_of_seq -= 3;
        err = ask(p, &head, type, user, &again[i], why);
    }
    head.as_of_seq++;
    if (err == CH_OK) err = ask(p, &head, type, user, &forward, why);
    if (err != CH_OK) return err;
    qsort(again, rounds, sizeof again[0], by_size);
    (void)printf("  %-28s %9.2f ms %9.2f ms (%.2f to %.2f) %9.2f ms\n", name, first,
                 again[rounds / 2], again[0], again[rounds - 1], forward);
    (void)fflush(stdout);
    return CH_OK;
}

/* Brings the worker to the log's end, by a state hash. */
static enum ch_err catch_up(struct past *p, struct ch_why *why)
{
    struct charter_error error = {0};
    struct charter_reply *reply = NULL;
    struct charter_message *message = charter_message_create(NULL);
    if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a question");
    charter_message_call(message, &(struct charter_call_head){.type = "status"});
    charter_arg_bool(message, "state_hash", true);
    enum ch_err err = CH_OK;
    if (charter_call(p->connection, message, &reply, &error) != 0) {
        err = ch_daemon_fail(why, "waiting for the worker", &error);
    }
    uint64_t strands = 0;
    uint64_t wholes = 0;
    if (err == CH_OK) {
        const struct charter_bytes value = charter_reply_result(reply, 0)->value;
        (void)charter_get_uint(value, "as_of_strands", &strands);
        (void)charter_get_uint(value, "as_of_wholes", &wholes);
        if (strands + wholes > 0) {
            (void)printf("%" PRIu64 " questions were answered from few events, %" PRIu64
                         " from the whole state of then\n",
                         strands, wholes);
        }
    }
    charter_reply_destroy(reply);
    charter_message_destroy(message);
    return err;
}

static enum ch_err make_log(struct past *p, uint64_t events, uint64_t seed, uint64_t *ret_end,
                            struct ch_why *why)
{
    struct ch_daemon_status status;
    struct ch_history history;
    uint64_t own = 0;
    while (p->count < SIZES && (own + sizes[p->count]) * (SPREAD + 1) < events / 2) {
        own += sizes[p->count++];
    }
    const uint64_t began_ns = ch_interrupt_now_ns();
    enum ch_err err =
        ch_history_make(p->connection, events - own * (SPREAD + 1), seed, &history, why);
    if (err == CH_OK) err = ch_feed_create(p->connection, &p->feed, why);
    if (err == CH_OK) err = add_people(p, why);
    if (err == CH_OK) err = add_grants(p, why);
    if (err == CH_OK) err = catch_up(p, why);
    if (err == CH_OK) err = ch_daemon_status(p->connection, &status, why);
    if (err != CH_OK) return err;
    *ret_end = status.revision;
    (void)printf("past: a log of %" PRIu64 " events (seed %" PRIu64 "), %" PRIu64 " users, %" PRIu64
                 " shares, made in %.1f s\n",
                 status.revision, seed, status.users, status.shares,
                 (double)(ch_interrupt_now_ns() - began_ns) / 1e9);
    (void)fflush(stdout);
    return CH_OK;
}

static enum ch_err run_rows(struct past *p, uint64_t end, uint32_t rounds, struct ch_why *why)
{
    struct ch_daemon_status status;
    enum ch_err err = CH_OK;
    if (rounds == 0) rounds = 1;
    if (rounds > ASKED_MOST) rounds = ASKED_MOST;
    (void)printf("  %-28s %12s %12s %27s\n", "events about who is asked", "first", "again",
                 "goes on");
    for (uint32_t i = 0; err == CH_OK && i < p->count; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "%" PRIu64, sizes[i]);
        err = run_row(p, name, p->user[i], end - 1, rounds, why);
    }
    if (err == CH_OK) err = run_row(p, "the whole state", 0, end - 1, rounds > 3 ? 3 : rounds, why);
    if (err == CH_OK) err = catch_up(p, why);
    if (err == CH_OK) err = ch_daemon_status(p->connection, &status, why);
    if (err != CH_OK) return err;
    (void)printf("longest turn of the loop meanwhile: %.2f ms; %.0f MiB of memory\n",
                 (double)status.longest_turn_us / 1e3,
                 (double)status.resident_bytes / (1024.0 * 1024.0));
    return CH_OK;
}

enum ch_err ch_past_run(const struct ch_options *options, struct ch_why *why)
{
    const uint64_t events = options->events > 0 ? options->events : EVENTS;
    struct ch_workdir workdir = {0};
    struct ch_daemon daemon = {0};
    struct past p = {.chance = {.state = options->seed}};
    struct ch_machine before;
    struct ch_machine after;
    uint64_t end = 0;
    enum ch_err err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) err = ch_daemon_init(options, &workdir, &daemon, why);
    daemon.manual_clock = true; /* as the history needs */
    if (err == CH_OK) err = ch_daemon_start(&daemon, &p.connection, why);
    if (err == CH_OK) err = make_log(&p, events, options->seed, &end, why);
    if (err != CH_OK) goto out;
    ch_machine_look(&before);
    err = run_rows(&p, end, options->rounds, why);
    ch_machine_look(&after);
    if (err != CH_OK) goto out;
    (void)printf("machine: other programs kept %.2f processors busy\n",
                 ch_machine_foreign_cores(&before, &after));
out:
    ch_feed_destroy(p.feed);
    charter_close(p.connection);
    if (err == CH_OK) err = ch_daemon_stop(&daemon, why);
    ch_daemon_discard(&daemon);
    ch_workdir_close(&workdir);
    return err;
}
