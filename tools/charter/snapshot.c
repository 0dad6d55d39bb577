/* snapshot: see snapshot.h. SPDX-License-Identifier: MIT */
#include "tools/charter/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/buf.h"
#include "schema/cursor.h"
#include "schema/json.h"
#include "schema/records.h"
#include "schema/text.h"
#include "tools/charter/ask.h"
#include "tools/charter/cell.h"
#include "tools/charter/ref.h"
#include "tools/lib/jsonout.h"

enum { PAGE = 1000, KEY_BYTES = 400, NAME_BYTES = 320, PATH_BYTES = 1152 };

const char *const snapshot_kinds[SNAPSHOT_KINDS] = {
    "account", "settings", "plan", "credits", "person", "share", "group", "key", "role", "limit"};

/* One question, and the things that its answer holds. */
struct source {
    int type;
    const char *kind;
    const char *list;  /* of the answer; NULL: the answer itself is the thing */
    const char *id;    /* the row's field; NULL: the account's id */
    const char *title; /* the row's field; NULL: the account's path */
    const char *other; /* the same, where the first is absent */
};

static const struct source of_account[] = {
    {CH_QRY_account_show, "account", NULL, NULL, NULL, NULL},
    {CH_QRY_settings_show, "settings", NULL, NULL, NULL, NULL},
    {CH_QRY_plan_show, "plan", NULL, NULL, NULL, NULL},
    {CH_QRY_credits_show, "credits", NULL, NULL, NULL, NULL},
    {CH_QRY_user_list, "person", "users", "user", "username", "email"},
    {CH_QRY_share_list, "share", "shares", "share", "subject_name", NULL},
    {CH_QRY_group_list, "group", "groups", "group", "name", NULL},
    {CH_QRY_key_list, "key", "keys", "key", "name", NULL},
    {CH_QRY_role_list, "role", "roles", "role", "name", NULL},
};
static const struct source of_all[] = {
    {CH_QRY_limit_list, "limit", "limits", NULL, "name", NULL},
    {CH_QRY_role_list, "role", "roles", "role", "name", NULL},
};

/* What moves with every event, counts what is told by itself, or is no more than the past. */
static const char *const passed_over[] = {
    "seq",   "since",        "changed", "revision", "next",          "sub_accounts",
    "depth", "shares",       "groups",  "members",  "grants",        "list_count",
    "path",  "account_name", "unit",    "account",  "last_login_at", "subject_name"};

struct taking {
    struct charter *c;
    const struct options *o;
    struct snapshot *ret;
    uint64_t account; /* the one looked at; 0: none */
    char path[PATH_BYTES];
    enum exit_code code;
};

static bool is_passed_over(const char *name)
{
    for (size_t i = 0; i < sizeof passed_over / sizeof passed_over[0]; i++) {
        if (strcmp(name, passed_over[i]) == 0) return true;
    }
    return false;
}

/* ---- values ------------------------------------------------------------------------------- */

static json_t *text_of(const struct ch_field *field, struct charter_bytes object)
{
    struct ch_buf text = {0};
    cell_write(&text, field, object, /* shorten= */ false);
    json_t *value = jsonout_text((const char *)text.ptr, text.len);
    ch_buf_deinit(&text);
    return value;
}

/* A set as a list of its texts. */
static json_t *set_of(struct charter_bytes value)
{
    json_t *list = json_array();
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){value.ptr, value.len});
    const uint32_t items = ch_read_array(&c);
    for (uint32_t i = 0; i < items && c.err == CH_OK; i++) {
        const struct ch_bytes item = ch_read_value(&c);
        struct ch_buf text = {0};
        cell_write_plain(&text, (struct charter_bytes){item.ptr, item.len});
        jsonout_add(&list, jsonout_text((const char *)text.ptr, text.len));
        ch_buf_deinit(&text);
    }
    return list;
}

static json_t *both(json_t *text, json_t *raw)
{
    json_t *value = json_object();
    jsonout_put(&value, "text", text);
    jsonout_put(&value, "raw", raw);
    return value;
}

/* As the protocol has it; NULL when out of memory. */
static json_t *raw_of(struct charter_bytes value)
{
    json_t *raw = NULL;
    if (ch_json_tree((struct ch_bytes){value.ptr, value.len}, &raw, NULL) != CH_OK) return NULL;
    return raw;
}

static json_t *value_of(const struct ch_field *field, struct charter_bytes object)
{
    struct charter_bytes value;
    const bool set = field->list || ch_kinds[field->kind].form == CH_FORM_SCOPES;
    if (!charter_get(object, field->name, &value)) return NULL;
    return both(set ? set_of(value) : text_of(field, object), raw_of(value));
}

/* A row of a list within a thing is a value: its first fields name it, the others are what it says.
 * Of a grant two are its name: the kind and the resource. */
static void put_row(json_t **values, const char *list, const struct ch_record *record,
                    struct charter_bytes row)
{
    const uint16_t named = record->count > 1 && strcmp(record->fields[1].name, "resource") == 0;
    struct ch_buf key = {0};
    struct ch_buf text = {0};
    json_t *only = NULL;
    json_t *raw = json_object();
    size_t said = 0;
    ch_buf_put_text(&key, ch_text_of(list));
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        struct charter_bytes value;
        if (i <= named) {
            ch_buf_put(&key, " ", 1);
            cell_write(&key, field, row, /* shorten= */ false);
        } else if (!is_passed_over(field->name) && charter_get(row, field->name, &value)) {
            if (said++ == 0) only = value_of(field, row);
            jsonout_put(&raw, field->name, raw_of(value));
            if (said > 1) ch_buf_put(&text, ", ", 2);
            ch_buf_put_text(&text, ch_text_of(field->name));
            ch_buf_put(&text, " ", 1);
            cell_write(&text, field, row, /* shorten= */ false);
        }
    }
    ch_buf_put(&key, "", 1);
    if (said == 1) {
        json_decref(raw);
        jsonout_put(values, (const char *)key.ptr, only);
    } else if (said == 0) {
        json_decref(raw);
        jsonout_put(values, (const char *)key.ptr, both(json_string("yes"), json_true()));
    } else {
        json_decref(only);
        jsonout_put(values, (const char *)key.ptr,
                    both(jsonout_text((const char *)text.ptr, text.len), raw));
    }
    ch_buf_deinit(&key);
    ch_buf_deinit(&text);
}

static void put_values(json_t **values, const char *prefix, const struct ch_record *record,
                       struct charter_bytes object)
{
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        struct charter_bytes value;
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "%s%s", prefix, field->name);
        if (!charter_get(object, field->name, &value)) continue;
        if (field->record != NULL && field->list) {
            struct ch_cursor c = ch_cursor_of((struct ch_bytes){value.ptr, value.len});
            const uint32_t items = ch_read_array(&c);
            for (uint32_t k = 0; k < items && c.err == CH_OK; k++) {
                const struct ch_bytes item = ch_read_value(&c);
                put_row(values, name, field->record, (struct charter_bytes){item.ptr, item.len});
            }
        } else if (field->record != NULL) {
            /* The thing itself, or a part of it. */
            const bool itself = is_passed_over(field->name) || strcmp(field->name, "plan") == 0 ||
                                strcmp(field->name, "allocation") == 0;
            char inner[NAME_BYTES + 1];
            (void)snprintf(inner, sizeof inner, "%s.", name);
            put_values(values, itself ? prefix : inner, field->record, value);
        } else if (!is_passed_over(field->name)) {
            jsonout_put(values, name, value_of(field, object));
        }
    }
}

/* ---- things ------------------------------------------------------------------------------- */

static enum exit_code no_memory(void)
{
    (void)fprintf(stderr, "charter: failed: out of memory\n");
    return EXIT_FAILED;
}

/* Adds a thing, which takes over its values. number: 0: it has no id, but a name */
static void add_thing(struct taking *t, const struct source *source, const char *id,
                      uint64_t number, struct charter_text title, json_t *values)
{
    char key[KEY_BYTES];
    json_t *thing = json_object();
    (void)snprintf(key, sizeof key, "%s %" PRIu64 " %s", source->kind, t->account, id);
    jsonout_put(&thing, "kind", json_string(source->kind));
    jsonout_put(&thing, "id", json_string(id));
    jsonout_put(&thing, "number", number == 0 ? json_string(id) : json_integer((json_int_t)number));
    jsonout_put(&thing, "account", json_string(t->path));
    jsonout_put(&thing, "title", jsonout_text(title.ptr, title.len));
    jsonout_put(&thing, "values", values);
    if (json_object_set_new(t->ret->things, key, thing) != 0) t->code = no_memory();
}

static void write_id(const char *prefix, uint64_t id, char out[CH_ID_TEXT_BYTES])
{
    if (prefix == NULL || id == 0) {
        (void)snprintf(out, CH_ID_TEXT_BYTES, "%s", "-");
    } else {
        (void)ch_id_write(prefix, id, out);
    }
}

static enum exit_code ask(struct taking *t, int type, const char *word, uint64_t number,
                          uint64_t after, struct charter_reply **ret);

/* The rows of a share's grants, or of a group's members. */
static void add_rows(struct taking *t, int type, const char *list, const char *word,
                     uint64_t number, json_t **values)
{
    uint64_t after = 0;
    bool more = true;
    while (more && t->code == EXIT_DONE) {
        struct charter_reply *reply = NULL;
        t->code = ask(t, type, word, number, after, &reply);
        if (t->code != EXIT_DONE || reply == NULL) return;
        const struct charter_bytes answer = charter_reply_result(reply, 0)->value;
        const struct ch_record *result = &ch_calls[type].result;
        struct charter_bytes rows;
        for (uint16_t i = 0; i < result->count; i++) {
            const struct ch_field *field = &result->fields[i];
            if (strcmp(field->name, list) != 0 || !charter_get(answer, list, &rows)) continue;
            struct ch_cursor c = ch_cursor_of((struct ch_bytes){rows.ptr, rows.len});
            const uint32_t items = ch_read_array(&c);
            for (uint32_t k = 0; k < items && c.err == CH_OK; k++) {
                const struct ch_bytes row = ch_read_value(&c);
                const struct charter_bytes object = {row.ptr, row.len};
                struct charter_text name;
                if (strcmp(list, "users") != 0) {
                    put_row(values, list, field->record, object);
                } else if (charter_get_text(object, "username", &name) ||
                           charter_get_text(object, "email", &name)) {
                    char key[NAME_BYTES];
                    (void)snprintf(key, sizeof key, "member %.*s", (int)name.len, name.ptr);
                    jsonout_put(values, key, both(json_string("yes"), json_true()));
                } else {
                    char id[CH_ID_TEXT_BYTES];
                    char key[NAME_BYTES];
                    uint64_t user = 0;
                    (void)charter_get_uint(object, "user", &user);
                    write_id("usr", user, id);
                    (void)snprintf(key, sizeof key, "member %s", id);
                    jsonout_put(values, key, both(json_string("yes"), json_true()));
                }
            }
        }
        more = charter_get_uint(answer, "next", &after);
        charter_reply_destroy(reply);
    }
}

/* What of a thing another question answers. */
static void add_inside(struct taking *t, const struct source *source, struct charter_bytes row,
                       json_t **values)
{
    uint64_t count = 0;
    if (source->type == CH_QRY_share_list && charter_get_uint(row, "grants", &count) && count > 0) {
        struct charter_text kind = {"", 0};
        uint64_t subject = 0;
        (void)charter_get_text(row, "subject_kind", &kind);
        (void)charter_get_uint(row, "subject", &subject);
        const bool user = ch_text_is((struct ch_text){kind.ptr, kind.len}, "user");
        add_rows(t, CH_QRY_share_show, "grants", user ? "user" : "group", subject, values);
    }
    if (source->type == CH_QRY_group_list && charter_get_uint(row, "members", &count) &&
        count > 0) {
        uint64_t group = 0;
        (void)charter_get_uint(row, "group", &group);
        add_rows(t, CH_QRY_group_members, "users", "group", group, values);
    }
}

static void add_row(struct taking *t, const struct source *source, const struct ch_record *record,
                    struct charter_bytes row)
{
    struct charter_text title = {t->path, strlen(t->path)};
    char id[NAME_BYTES] = "";
    uint64_t number = 0;
    bool built_in = false;
    if (charter_get_bool(row, "built_in", &built_in) && built_in != (t->account == 0)) return;
    const bool titled = source->title == NULL || charter_get_text(row, source->title, &title) ||
                        (source->other != NULL && charter_get_text(row, source->other, &title));
    if (source->id != NULL) {
        (void)charter_get_uint(row, source->id, &number);
        write_id(ref_prefix_of(ch_text_of(source->id)), number, id);
    } else if (source->list == NULL) {
        number = t->account;
        write_id("acc", t->account, id);
    } else {
        (void)snprintf(id, sizeof id, "%.*s", (int)title.len, title.ptr);
    }
    if (!titled) title = (struct charter_text){id, strlen(id)}; /* who was erased has no name */
    json_t *values = json_object();
    put_values(&values, "", record, row);
    (void)json_object_del(values, source->id == NULL ? "id" : source->id);
    if (source->type == CH_QRY_credits_show) (void)json_object_del(values, "name");
    add_inside(t, source, row, &values);
    add_thing(t, source, id, number, title, values);
}

static void add_answer(struct taking *t, const struct source *source, struct charter_bytes answer)
{
    const struct ch_record *result = &ch_calls[source->type].result;
    struct charter_bytes rows;
    if (source->list == NULL) {
        add_row(t, source, result, answer);
        return;
    }
    for (uint16_t i = 0; i < result->count; i++) {
        const struct ch_field *field = &result->fields[i];
        if (strcmp(field->name, source->list) != 0 || !charter_get(answer, field->name, &rows)) {
            continue;
        }
        struct ch_cursor c = ch_cursor_of((struct ch_bytes){rows.ptr, rows.len});
        const uint32_t items = ch_read_array(&c);
        for (uint32_t k = 0; k < items && c.err == CH_OK && t->code == EXIT_DONE; k++) {
            const struct ch_bytes row = ch_read_value(&c);
            add_row(t, source, field->record, (struct charter_bytes){row.ptr, row.len});
        }
    }
}

/* ---- asking ------------------------------------------------------------------------------- */

static bool takes(int type, const char *name)
{
    const struct ch_record *args = &ch_calls[type].args;
    for (uint16_t i = 0; i < args->count; i++) {
        if (strcmp(args->fields[i].name, name) == 0) return true;
    }
    return false;
}

static void put_call(const struct taking *t, struct charter_message *m, int type, uint64_t after)
{
    struct charter_call_head head = {.type = ch_calls[type].args.name};
    if (ch_calls[type].on) head.on_id = t->account;
    charter_message_call(m, &head);
    if (takes(type, "limit")) charter_arg_uint(m, "limit", PAGE);
    if (takes(type, "after") && after != 0) charter_arg_uint(m, "after", after);
    if (type == CH_QRY_role_list && t->account != 0) charter_arg_uint(m, "account", t->account);
}

static enum exit_code send(struct taking *t, struct charter_message *m, struct charter_reply **ret)
{
    struct charter_error error = {0};
    if (charter_call(t->c, m, ret, &error) == 0) return EXIT_DONE;
    return ask_tell_error(&error);
}

static struct charter_message *begin(const struct taking *t)
{
    struct options o = *t->o;
    o.as_of = t->ret->as_of;
    struct charter_head head = ask_head(&o);
    head.each = true;
    return charter_message_create(&head);
}

/* An answer that is refused because there is nothing is none; another is told at the end. */
static enum exit_code judge(struct taking *t, int type, const struct charter_result *result)
{
    const struct ch_text code = {result->code.ptr, result->code.len};
    if (result->outcome == CHARTER_RESULT) return EXIT_DONE;
    if (result->outcome == CHARTER_FAILURE) return ask_tell_no(result);
    if (ch_text_is(code, "no_plan") || ch_text_is(code, "not_found")) return EXIT_DONE;
    const int failed = json_object_set_new(t->ret->left_out, ch_calls[type].args.name,
                                           jsonout_text(code.ptr, code.len));
    return failed != 0 ? no_memory() : EXIT_DONE;
}

/* One call. *ret stays NULL where it was refused. */
static enum exit_code ask(struct taking *t, int type, const char *word, uint64_t number,
                          uint64_t after, struct charter_reply **ret)
{
    struct charter_message *m = begin(t);
    if (m == NULL) return no_memory();
    put_call(t, m, type, after);
    if (word != NULL) charter_arg_uint(m, word, number);
    enum exit_code code = send(t, m, ret);
    charter_message_destroy(m);
    if (code != EXIT_DONE) return code;
    const struct charter_result *result = charter_reply_result(*ret, 0);
    code = judge(t, type, result);
    if (code != EXIT_DONE || result->outcome != CHARTER_RESULT) {
        charter_reply_destroy(*ret);
        *ret = NULL;
    }
    return code;
}

/* The pages behind the first. */
static void follow(struct taking *t, const struct source *source, struct charter_bytes first)
{
    uint64_t after = 0;
    bool more = charter_get_uint(first, "next", &after);
    while (more && t->code == EXIT_DONE) {
        struct charter_reply *reply = NULL;
        t->code = ask(t, source->type, NULL, 0, after, &reply);
        if (t->code != EXIT_DONE || reply == NULL) return;
        add_answer(t, source, charter_reply_result(reply, 0)->value);
        more = charter_get_uint(charter_reply_result(reply, 0)->value, "next", &after);
        charter_reply_destroy(reply);
    }
}

/* All questions in one message. */
static void take_sources(struct taking *t, const struct source *sources, size_t count)
{
    struct charter_reply *reply = NULL;
    struct charter_message *m = begin(t);
    if (m == NULL) {
        t->code = no_memory();
        return;
    }
    for (size_t i = 0; i < count; i++) {
        put_call(t, m, sources[i].type, 0);
    }
    t->code = send(t, m, &reply);
    charter_message_destroy(m);
    for (size_t i = 0; i < count && t->code == EXIT_DONE; i++) {
        const struct charter_result *result = charter_reply_result(reply, i);
        t->code = judge(t, sources[i].type, result);
        if (t->code != EXIT_DONE || result->outcome != CHARTER_RESULT) continue;
        if (sources[i].type == CH_QRY_account_show) {
            struct charter_text path = {"", 0};
            struct charter_bytes account;
            if (!charter_get_text(result->value, "path", &path) &&
                charter_get(result->value, "account", &account)) {
                (void)charter_get_text(account, "name", &path);
            }
            (void)snprintf(t->path, sizeof t->path, "%.*s", (int)path.len, path.ptr);
        }
        add_answer(t, &sources[i], result->value);
        if (sources[i].list != NULL) follow(t, &sources[i], result->value);
    }
    charter_reply_destroy(reply);
}

/* ---- accounts ----------------------------------------------------------------------------- */

/* id -> id of the account above, of all that are there to see; in order. */
static json_t *list_accounts(struct taking *t)
{
    json_t *parents = json_object();
    uint64_t after = 0;
    bool more = true;
    while (more && t->code == EXIT_DONE) {
        struct charter_reply *reply = NULL;
        struct charter_bytes rows;
        t->code = ask(t, CH_QRY_account_list, NULL, 0, after, &reply);
        if (t->code != EXIT_DONE || reply == NULL) break;
        const struct charter_bytes answer = charter_reply_result(reply, 0)->value;
        if (charter_get(answer, "accounts", &rows)) {
            struct ch_cursor c = ch_cursor_of((struct ch_bytes){rows.ptr, rows.len});
            const uint32_t items = ch_read_array(&c);
            for (uint32_t i = 0; i < items && c.err == CH_OK; i++) {
                const struct ch_bytes item = ch_read_value(&c);
                const struct charter_bytes row = {item.ptr, item.len};
                uint64_t id = 0, parent = 0;
                char key[24];
                (void)charter_get_uint(row, "account", &id);
                (void)charter_get_uint(row, "parent", &parent);
                (void)snprintf(key, sizeof key, "%" PRIu64, id);
                jsonout_put(&parents, key, json_integer((json_int_t)parent));
            }
        }
        more = charter_get_uint(answer, "next", &after);
        charter_reply_destroy(reply);
    }
    if (parents == NULL && t->code == EXIT_DONE) t->code = no_memory();
    return parents;
}

static bool is_below(json_t *parents, uint64_t id, uint64_t top)
{
    enum { DEEPEST = 64 };
    for (int depth = 0; depth < DEEPEST && id != 0; depth++) {
        char key[24];
        if (id == top) return true;
        (void)snprintf(key, sizeof key, "%" PRIu64, id);
        id = (uint64_t)json_integer_value(json_object_get(parents, key));
    }
    return top == 0;
}

enum exit_code snapshot_take(struct charter *c, const struct options *o, const char *as_of,
                             uint64_t account, bool (*go_on)(void *arg, uint64_t accounts),
                             void *arg, struct snapshot *ret)
{
    struct taking *t = calloc(1, sizeof *t);
    const char *key;
    json_t *parent;
    *ret = (struct snapshot){.things = json_object(), .left_out = json_object(), .as_of = as_of};
    if (t == NULL || ret->things == NULL || ret->left_out == NULL) {
        free(t);
        return no_memory();
    }
    t->c = c;
    t->o = o;
    t->ret = ret;
    json_t *parents = list_accounts(t);
    json_object_foreach(parents, key, parent)
    {
        const uint64_t id = strtoull(key, NULL, 10);
        if (t->code != EXIT_DONE) break;
        if (!is_below(parents, id, account)) continue;
        t->account = id;
        take_sources(t, of_account, sizeof of_account / sizeof of_account[0]);
        ret->accounts++;
        if (!go_on(arg, ret->accounts)) t->code = EXIT_INTERRUPTED;
    }
    t->account = 0;
    t->path[0] = '\0';
    if (account == 0 && t->code == EXIT_DONE) {
        take_sources(t, of_all, sizeof of_all / sizeof of_all[0]);
    }
    const enum exit_code code = t->code;
    json_decref(parents);
    free(t);
    return code;
}

void snapshot_deinit(struct snapshot *snapshot)
{
    json_decref(snapshot->things);
    json_decref(snapshot->left_out);
    *snapshot = (struct snapshot){.things = NULL};
}
