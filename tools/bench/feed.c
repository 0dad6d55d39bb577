/* feed: see feed.h. SPDX-License-Identifier: MIT */
#include "tools/bench/feed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/daemon.h"
#include "tools/bench/interrupt.h"

enum { MESSAGE_BYTES_MOST = 900000 }; /* leaves room for one more command below the limit */

struct wagon {
    struct charter_message *message; /* NULL: empty */
    uint64_t *seqs[CH_FEED_CALLS];   /* where each command's seq is wanted */
    size_t len;
    bool sent;
};

struct ch_feed {
    struct charter *connection;
    struct wagon wagons[CH_FEED_IN_FLIGHT + 1];
    struct wagon *open; /* being filled; NULL: none */
};

enum ch_err ch_feed_create(struct charter *connection, struct ch_feed **ret, struct ch_why *why)
{
    struct ch_feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a feed");
    feed->connection = connection;
    *ret = feed;
    return CH_OK;
}

static void empty(struct wagon *wagon)
{
    charter_message_destroy(wagon->message);
    wagon->message = NULL;
    wagon->len = 0;
    wagon->sent = false;
}

void ch_feed_destroy(struct ch_feed *feed)
{
    if (feed == NULL) return;
    for (size_t i = 0; i < sizeof feed->wagons / sizeof feed->wagons[0]; i++) {
        empty(&feed->wagons[i]);
    }
    free(feed);
}

static bool is_text(struct charter_text text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

static enum ch_err take_seqs(const struct wagon *wagon, const struct charter_reply *reply,
                             struct ch_why *why)
{
    for (size_t i = 0; i < wagon->len; i++) {
        const struct charter_result *result = charter_reply_result(reply, i);
        if (result->outcome != CHARTER_RESULT) {
            /* Of a message that was taken back, only one call says why. */
            if (is_text(result->code, "not_decided")) continue;
            return ch_fail(why, CH_ERR_NET_IO, 0, "a command was refused: %.*s (%.*s), %.*s",
                           (int)result->code.len, result->code.ptr, (int)result->field.len,
                           result->field.ptr, (int)result->text.len, result->text.ptr);
        }
        if (wagon->seqs[i] == NULL) continue;
        if (!charter_get_uint(result->value, "seq", wagon->seqs[i])) {
            return ch_fail(why, CH_ERR_UNDECODABLE, 0, "an answer has no seq");
        }
    }
    return CH_OK;
}

/* Waits for one answer. */
static enum ch_err collect(struct ch_feed *feed, struct ch_why *why)
{
    uint64_t tag = 0;
    struct charter_reply *reply = NULL;
    struct charter_error error = {0};
    if (charter_collect(feed->connection, &tag, &reply, &error) != 0) {
        return ch_daemon_fail(why, "feeding commands", &error);
    }
    struct wagon *wagon = &feed->wagons[tag];
    enum ch_err err = take_seqs(wagon, reply, why);
    charter_reply_destroy(reply);
    empty(wagon);
    return err;
}

static enum ch_err send_open(struct ch_feed *feed, struct ch_why *why)
{
    struct charter_error error = {0};
    if (feed->open == NULL) return CH_OK;
    if (ch_interrupt_seen()) return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
    const uint64_t tag = (uint64_t)(feed->open - feed->wagons);
    if (charter_submit(feed->connection, feed->open->message, tag, &error) != 0) {
        return ch_daemon_fail(why, "feeding commands", &error);
    }
    feed->open->sent = true;
    feed->open = NULL;
    if (charter_in_flight(feed->connection) < CH_FEED_IN_FLIGHT) return CH_OK;
    return collect(feed, why);
}

enum ch_err ch_feed_call(struct ch_feed *feed, const struct charter_call_head *head,
                         uint64_t *ret_seq, struct charter_message **ret_message,
                         struct ch_why *why)
{
    if (feed->open != NULL && (feed->open->len == CH_FEED_CALLS ||
                               charter_message_bytes(feed->open->message) > MESSAGE_BYTES_MOST)) {
        enum ch_err err = send_open(feed, why);
        if (err != CH_OK) return err;
    }
    if (feed->open == NULL) {
        struct wagon *wagon = feed->wagons;
        while (wagon->message != NULL) {
            wagon++; /* one more wagon than messages in flight: there is an empty one */
        }
        wagon->message = charter_message_create(NULL);
        if (wagon->message == NULL) {
            return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
        }
        feed->open = wagon;
    }
    charter_message_call(feed->open->message, head);
    feed->open->seqs[feed->open->len++] = ret_seq;
    *ret_message = feed->open->message;
    return CH_OK;
}

enum ch_err ch_feed_finish(struct ch_feed *feed, struct ch_why *why)
{
    enum ch_err err = send_open(feed, why);
    while (err == CH_OK && charter_in_flight(feed->connection) > 0) {
        err = collect(feed, why);
    }
    return err;
}
