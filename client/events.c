/* events: the log's events from a seq on, page by page. SPDX-License-Identifier: MIT
 * Every page begins where the last one ended, so there are no gaps and nothing comes twice. */
#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>

#include "client/failure.h"
#include "schema/cursor.h"

enum { PAGE_EVENTS = 1000, WAIT_MS = 1000, RETRY_MOST_MS = 1000 };

static struct charter_text as_text(struct ch_text text)
{
    return (struct charter_text){text.ptr, text.len};
}

static struct charter_message *page_message(const struct charter_events_options *o, uint64_t from)
{
    const struct charter_head head = {
        .as_user = o->as_user, .as_user_id = o->as_user_id, .key = o->key, .session = o->session};
    struct charter_message *m = charter_message_create(&head);
    if (m == NULL) return NULL;
    charter_message_call(m, &(struct charter_call_head){.type = "events.read"});
    charter_arg_uint(m, "from", from);
    charter_arg_uint(m, "limit", o->page == 0 ? PAGE_EVENTS : o->page);
    if (o->type != NULL) charter_arg_text(m, "type", o->type);
    if (o->account_id != 0) {
        charter_arg_uint(m, "account", o->account_id);
    } else if (o->account != NULL) {
        charter_arg_text(m, "account", o->account);
    }
    if (o->follow) charter_arg_uint(m, "wait_ms", o->wait_ms == 0 ? WAIT_MS : o->wait_ms);
    return m;
}

/* Gives the page's events out. False if the caller wants no more; *next is then behind the last. */
static bool give_events(struct charter_bytes list, charter_event_fn *fn, void *context,
                        uint64_t *next)
{
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){list.ptr, list.len});
    const uint32_t items = ch_read_array(&c);
    for (uint32_t i = 0; i < items; i++) {
        struct ch_bytes raw = ch_read_value(&c);
        if (c.err != CH_OK) return false;
        struct charter_event event = {.record = {raw.ptr, raw.len}};
        struct ch_cursor e = ch_cursor_of(raw);
        const uint32_t pairs = ch_read_map(&e);
        for (uint32_t k = 0; k < pairs && e.err == CH_OK; k++) {
            struct ch_text key = ch_read_text(&e);
            if (ch_text_is(key, "seq")) {
                event.seq = ch_read_uint(&e);
            } else if (ch_text_is(key, "at")) {
                event.at = as_text(ch_read_text(&e));
            } else if (ch_text_is(key, "type")) {
                event.type = as_text(ch_read_text(&e));
            } else if (ch_text_is(key, "account")) {
                event.account = ch_read_uint(&e);
            } else {
                (void)ch_read_value(&e);
            }
        }
        *next = event.seq + 1;
        if (!fn(context, &event)) return false;
    }
    return true;
}

static int fail_result(const struct charter_result *result, struct charter_error *error)
{
    const struct ch_reply_no no = {.code = {result->code.ptr, result->code.len},
                                   .text = {result->text.ptr, result->text.len},
                                   .field = {result->field.ptr, result->field.len}};
    const int number = ch_client_fail_no(error, &no);
    if (result->outcome == CHARTER_FAILURE) return number;
    if (error != NULL) error->number = -1;
    return -1;
}

enum page_end { PAGE_MORE, PAGE_LAST, PAGE_STOP };

/* Reads one page's result. */
static enum page_end take_page(const struct charter_events_options *o,
                               const struct charter_result *result, charter_event_fn *fn,
                               void *context, uint64_t *next)
{
    struct charter_bytes list;
    const bool any = charter_get(result->value, "events", &list);
    if (any && !give_events(list, fn, context, next)) return PAGE_STOP;
    uint64_t told = 0;
    uint64_t head = 0;
    uint64_t retry_ms = 0;
    if (charter_get_uint(result->value, "next", &told) && told > *next) *next = told;
    const bool end = charter_get_uint(result->value, "head", &head) && *next > head;
    if (!end) return PAGE_MORE;
    if (!o->follow) return PAGE_LAST;
    if (charter_get_uint(result->value, "retry_ms", &retry_ms) && retry_ms > 0) {
        nng_msleep((nng_duration)(retry_ms > RETRY_MOST_MS ? RETRY_MOST_MS : retry_ms));
    }
    return PAGE_MORE;
}

int charter_events(struct charter *c, const struct charter_events_options *options,
                   charter_event_fn *fn, void *context, uint64_t *ret_next,
                   struct charter_error *error)
{
    uint64_t next = options->from == 0 ? 1 : options->from;
    int number = 0;
    enum page_end end = PAGE_MORE;
    while (end == PAGE_MORE && (options->go_on == NULL || options->go_on(context))) {
        struct charter_reply *reply = NULL;
        struct charter_message *m = page_message(options, next);
        if (m == NULL) {
            const struct ch_why why = {.err = CH_ERR_NO_MEMORY};
            number = ch_client_fail(error, &why);
            break;
        }
        number = charter_call(c, m, &reply, error);
        charter_message_destroy(m);
        if (number != 0) break;
        const struct charter_result *result = charter_reply_result(reply, 0);
        if (result->outcome != CHARTER_RESULT) {
            number = fail_result(result, error);
        } else {
            end = take_page(options, result, fn, context, &next);
        }
        charter_reply_destroy(reply);
        if (number != 0) break;
    }
    if (ret_next != NULL) *ret_next = next;
    return number;
}
