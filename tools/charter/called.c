/* called: see called.h. SPDX-License-Identifier: MIT */
#include "tools/charter/called.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "schema/cursor.h"
#include "schema/records.h"
#include "tools/charter/ask.h"
#include "tools/charter/ref.h"

enum { KEY_BYTES = 48, NAME_BYTES = 1200 };

struct called {
    struct charter *c;
    const struct options *o;
    json_t *names; /* "usr 17" -> its name; null: it has none */
};

struct called *called_create(struct charter *c, const struct options *o)
{
    struct called *called = calloc(1, sizeof *called);
    if (called == NULL) return NULL;
    *called = (struct called){.c = c, .o = o, .names = json_object()};
    if (called->names != NULL) return called;
    called_destroy(called);
    return NULL;
}

void called_destroy(struct called *called)
{
    if (called == NULL) return;
    json_decref(called->names);
    free(called);
}

static const char *key_of(const char *prefix, uint64_t id, char out[KEY_BYTES])
{
    (void)snprintf(out, KEY_BYTES, "%s %" PRIu64, prefix, id);
    return out;
}

static void learn(struct called *called, const char *prefix, uint64_t id, struct charter_text name)
{
    char key[KEY_BYTES];
    (void)json_object_set_new(called->names, key_of(prefix, id, key),
                              json_stringn(name.ptr, name.len));
}

/* ---- asking ------------------------------------------------------------------------------- */

/* One call about one thing. NULL: it is refused, or fails: then there is no name. */
static struct charter_reply *ask(struct called *called, const char *type, uint64_t on,
                                 const char *word, uint64_t number, uint64_t limit)
{
    struct options o = *called->o;
    struct charter_error error;
    struct charter_reply *reply = NULL;
    o.as_of = NULL;
    o.at_least = 0;
    const struct charter_head head = ask_head(&o);
    struct charter_message *m = charter_message_create(&head);
    if (m == NULL) return NULL;
    charter_message_call(m, &(struct charter_call_head){.type = type, .on_id = on});
    if (word != NULL) charter_arg_uint(m, word, number);
    if (limit != 0) charter_arg_uint(m, "limit", limit);
    if (charter_call(called->c, m, &reply, &error) == 0 &&
        charter_reply_result(reply, 0)->outcome != CHARTER_RESULT) {
        charter_reply_destroy(reply);
        reply = NULL;
    }
    charter_message_destroy(m);
    return reply;
}

static void ask_user(struct called *called, uint64_t id)
{
    struct charter_bytes user;
    struct charter_text name;
    struct charter_reply *reply = ask(called, "user.show", 0, "user", id, 0);
    if (reply != NULL && charter_get(charter_reply_result(reply, 0)->value, "user", &user) &&
        (charter_get_text(user, "username", &name) || charter_get_text(user, "email", &name) ||
         charter_get_text(user, "full_name", &name))) {
        learn(called, "usr", id, name);
    }
    charter_reply_destroy(reply);
}

static void ask_account(struct called *called, uint64_t id)
{
    struct charter_text path;
    struct charter_reply *reply = ask(called, "account.show", id, NULL, 0, 0);
    if (reply != NULL && charter_get_text(charter_reply_result(reply, 0)->value, "path", &path)) {
        learn(called, "acc", id, path);
    }
    charter_reply_destroy(reply);
}

/* A share is called after whose it is, and where. */
static void learn_share(struct called *called, uint64_t id, uint64_t account,
                        struct charter_bytes fields)
{
    struct charter_text kind = {"", 0};
    char name[NAME_BYTES];
    uint64_t subject = 0;
    (void)charter_get_text(fields, "subject_kind", &kind);
    (void)charter_get_uint(fields, "subject", &subject);
    const char *prefix = ref_prefix_of((struct ch_text){kind.ptr, kind.len});
    const char *who = prefix == NULL ? NULL : called_name(called, prefix, subject);
    const char *where = called_name(called, "acc", account);
    if (who == NULL || where == NULL) return;
    (void)snprintf(name, sizeof name, "%s on %s", who, where);
    learn(called, "shr", id, (struct charter_text){name, strlen(name)});
}

void called_event(struct called *called, struct charter_bytes event)
{
    struct charter_text type = {"", 0};
    struct charter_text name;
    struct charter_bytes fields;
    uint64_t seq = 0, account = 0, renamed = 0;
    (void)charter_get_uint(event, "seq", &seq);
    (void)charter_get_uint(event, "account", &account);
    (void)charter_get_text(event, "type", &type);
    const int tag = ch_event_find((struct ch_text){type.ptr, type.len});
    if (tag < 0 || !charter_get(event, "fields", &fields)) return;
    const uint8_t makes = ch_events[tag].makes;
    const char *made = makes < CH_KINDS ? ref_prefix(makes) : NULL;
    if (made != NULL && strcmp(made, "shr") == 0) {
        learn_share(called, seq, account, fields);
    } else if (!charter_get_text(fields, "name", &name)) {
        return;
    } else if (made != NULL && strcmp(made, "acc") != 0) { /* that is called by its path */
        learn(called, made, seq, name);
    } else if (tag == CH_EV_key_renamed && charter_get_uint(fields, "key", &renamed)) {
        learn(called, "key", renamed, name);
    } else if (tag == CH_EV_role_renamed && charter_get_uint(fields, "role", &renamed)) {
        learn(called, "rol", renamed, name);
    }
}

/* An id is the seq of the event that made the thing, which tells its name for good. */
static void ask_event(struct called *called, const char *prefix, uint64_t id)
{
    struct charter_bytes events;
    struct charter_text name;
    struct charter_bytes fields;
    uint64_t seq = 0;
    struct charter_reply *reply = ask(called, "events.read", 0, "from", id, 1);
    if (reply != NULL && charter_get(charter_reply_result(reply, 0)->value, "events", &events)) {
        struct ch_cursor c = ch_cursor_of((struct ch_bytes){events.ptr, events.len});
        (void)ch_read_array(&c);
        const struct ch_bytes item = ch_read_value(&c);
        const struct charter_bytes event = {item.ptr, item.len};
        const bool it = charter_get_uint(event, "seq", &seq) && seq == id;
        if (it) called_event(called, event);
        /* Of an account that is gone the name is left. */
        if (it && strcmp(prefix, "acc") == 0 && charter_get(event, "fields", &fields) &&
            charter_get_text(fields, "name", &name)) {
            learn(called, prefix, id, name);
        }
    }
    charter_reply_destroy(reply);
}

const char *called_name(struct called *called, const char *prefix, uint64_t id)
{
    char key[KEY_BYTES];
    json_t *name = json_object_get(called->names, key_of(prefix, id, key));
    if (name == NULL && id != 0) {
        /* Set first, so that nothing is asked for twice, whatever an event says. */
        (void)json_object_set_new(called->names, key, json_null());
        if (strcmp(prefix, "usr") == 0) ask_user(called, id);
        if (strcmp(prefix, "acc") == 0) ask_account(called, id);
        name = json_object_get(called->names, key);
        if (json_is_null(name) && strcmp(prefix, "usr") != 0) ask_event(called, prefix, id);
        name = json_object_get(called->names, key);
    }
    return json_string_value(name);
}
