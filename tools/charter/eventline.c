/* eventline: see eventline.h. SPDX-License-Identifier: MIT */
#include "tools/charter/eventline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "schema/base/buf.h"
#include "schema/cursor.h"
#include "schema/json.h"
#include "schema/records.h"
#include "schema/text.h"
#include "tools/charter/called.h"
#include "tools/charter/cell.h"
#include "tools/charter/csv.h"
#include "tools/charter/ref.h"
#include "tools/lib/clean.h"
#include "tools/lib/jsonout.h"

struct eventline {
    struct called *called;
    enum eventline_format format;
    bool begun;
};

/* The parts of an event that every line needs. */
struct parts {
    struct charter_bytes event;
    uint64_t seq, actor, account;
    struct charter_text at, type, actor_kind, channel;
    struct charter_bytes fields;
    int tag; /* -1: a type that this program does not know */
};

struct eventline *eventline_create(struct charter *c, const struct options *o,
                                   enum eventline_format format)
{
    struct eventline *out = calloc(1, sizeof *out);
    if (out == NULL) return NULL;
    out->format = format;
    out->called = called_create(c, o);
    if (out->called != NULL) return out;
    free(out);
    return NULL;
}

static void print_header(struct eventline *out)
{
    if (out->begun) return;
    out->begun = true;
    if (out->format == EVENTLINE_CSV) {
        (void)fputs(
            "seq,at,type,actor_kind,actor,actor_name,channel,account,account_name,fields\r\n",
            stdout);
    }
}

void eventline_destroy(struct eventline *out)
{
    if (out == NULL) return;
    print_header(out);
    called_destroy(out->called);
    free(out);
}

bool eventline_knows(const char *pattern, bool (*like)(const char *, struct charter_text))
{
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const char *name = ch_events[tag].record.name;
        if (name != NULL && like(pattern, (struct charter_text){name, strlen(name)})) return true;
    }
    return false;
}

static struct parts parts_of(struct charter_bytes event)
{
    struct parts p = {.event = event};
    (void)charter_get_uint(event, "seq", &p.seq);
    (void)charter_get_text(event, "at", &p.at);
    (void)charter_get_text(event, "type", &p.type);
    (void)charter_get_text(event, "actor_kind", &p.actor_kind);
    (void)charter_get_uint(event, "actor", &p.actor);
    (void)charter_get_text(event, "channel", &p.channel);
    (void)charter_get_uint(event, "account", &p.account);
    (void)charter_get(event, "fields", &p.fields);
    p.tag = ch_event_find((struct ch_text){p.type.ptr, p.type.len});
    return p;
}

/* ---- names -------------------------------------------------------------------------------- */

void eventline_learn(struct eventline *out, struct charter_bytes event)
{
    const struct parts p = parts_of(event);
    /* A share's name is asked for where it is needed: the event that made it tells it then, too. */
    if (p.tag >= 0 && ch_events[p.tag].makes != CH_KIND_share) called_event(out->called, event);
}

/* The prefix of the id that a field holds, and the id; NULL: it is none. */
static const char *id_of(const struct ch_field *field, struct charter_bytes fields, uint64_t *ret)
{
    char name[48];
    struct charter_text kind;
    if (!charter_get_uint(fields, field->name, ret)) return NULL;
    if (ch_kinds[field->kind].form == CH_FORM_ID) return ref_prefix(field->kind);
    (void)snprintf(name, sizeof name, "%s_kind", field->name);
    if (field->kind != CH_KIND_count || !charter_get_text(fields, name, &kind)) return NULL;
    return ref_prefix_of((struct ch_text){kind.ptr, kind.len});
}

static const char *actor_name(struct eventline *out, const struct parts *p)
{
    const char *prefix = ref_prefix_of((struct ch_text){p->actor_kind.ptr, p->actor_kind.len});
    return prefix == NULL ? NULL : called_name(out->called, prefix, p->actor);
}

/* ---- lines -------------------------------------------------------------------------------- */

/* A line that lacks a part of it was printed. */
static bool tell_no_memory(void)
{
    (void)fprintf(stderr, "charter: failed: out of memory\n");
    return false;
}

static void put(struct ch_buf *out, const char *words)
{
    ch_buf_put_text(out, ch_text_of(words));
}

static void put_name(struct ch_buf *line, const char *name)
{
    if (name == NULL) return;
    put(line, " (");
    put(line, name);
    put(line, ")");
}

/* What was noted with the command, and what is not there any more. */
static void put_written(const struct parts *p, bool first, struct ch_buf *line)
{
    struct charter_text text;
    if (charter_get_text(p->event, "note", &text)) {
        put(line, first ? "note: " : "; note: ");
        ch_buf_put(line, text.ptr, text.len);
        first = false;
    }
    if (charter_get_text(p->event, "sealed", &text)) {
        const bool erased = ch_text_is((struct ch_text){text.ptr, text.len}, "erased");
        put(line, first ? "" : "; ");
        put(line, erased ? "(erased user)" : "(what it sealed is lost)");
    }
}

/* "share: shr_1a (bob on agency); role: rol_2b (user); note: by ticket 17" */
static void put_fields(struct eventline *out, const struct parts *p, struct ch_buf *line)
{
    bool first = true;
    if (p->tag < 0) {
        cell_write_plain(line, p->fields);
        return;
    }
    const struct ch_record *record = &ch_events[p->tag].record;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        struct charter_bytes value;
        uint64_t id = 0;
        if (!charter_get(p->fields, field->name, &value)) continue;
        if (!first) put(line, "; ");
        first = false;
        put(line, field->name);
        put(line, ": ");
        cell_write(line, field, p->fields, /* shorten= */ false);
        const char *prefix = id_of(field, p->fields, &id);
        if (prefix != NULL && id != 0) {
            put_name(line, called_name(out->called, prefix, id));
        }
    }
    put_written(p, first, line);
}

static void put_id(struct ch_buf *line, struct ch_text kind, uint64_t id)
{
    const char *prefix = ref_prefix_of(kind);
    char text[CH_ID_TEXT_BYTES];
    if (prefix == NULL) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)id);
        put(line, text);
    } else if (id == 0) {
        put(line, "-");
    } else {
        ch_buf_put(line, text, ch_id_write(prefix, id, text));
    }
}

static bool print_table(struct eventline *out, const struct parts *p)
{
    struct ch_buf line = {0};
    const struct ch_text kind = {p->actor_kind.ptr, p->actor_kind.len};
    char head[96];
    (void)snprintf(head, sizeof head, "%7llu  %-20.*s  %-20.*s  ", (unsigned long long)p->seq,
                   (int)p->at.len, p->at.ptr, (int)p->type.len, p->type.ptr);
    put(&line, head);
    if (ref_prefix_of(kind) == NULL) {
        ch_buf_put_text(&line, kind);
        put(&line, " ");
    }
    put_id(&line, kind, p->actor);
    put_name(&line, actor_name(out, p));
    put(&line, "  ");
    ch_buf_put(&line, p->channel.ptr, p->channel.len);
    put(&line, "  ");
    put_id(&line, ch_text_of("account"), p->account);
    if (p->account != 0) put_name(&line, called_name(out->called, "acc", p->account));
    put(&line, "  ");
    put_fields(out, p, &line);
    clean_print(stdout, (struct ch_text){(const char *)line.ptr, line.len});
    (void)putchar('\n');
    const bool good = !line.failed;
    ch_buf_deinit(&line);
    return good || tell_no_memory();
}

static bool print_json(struct eventline *out, const struct parts *p)
{
    json_t *tree = NULL;
    json_t *names = json_object();
    const char *name = actor_name(out, p);
    if (ch_json_tree((struct ch_bytes){p->event.ptr, p->event.len}, &tree, NULL) != CH_OK) {
        json_decref(names);
        return jsonout_print("charter", stdout, NULL, 0);
    }
    if (name != NULL) jsonout_put(&names, "actor", jsonout_string(name));
    name = p->account == 0 ? NULL : called_name(out->called, "acc", p->account);
    if (name != NULL) jsonout_put(&names, "account", jsonout_string(name));
    for (uint16_t i = 0; p->tag >= 0 && i < ch_events[p->tag].record.count; i++) {
        const struct ch_field *field = &ch_events[p->tag].record.fields[i];
        uint64_t id = 0;
        char key[64];
        const char *prefix = id_of(field, p->fields, &id);
        name = prefix == NULL ? NULL : called_name(out->called, prefix, id);
        if (name == NULL) continue;
        (void)snprintf(key, sizeof key, "fields.%s", field->name);
        jsonout_put(&names, key, jsonout_string(name));
    }
    if (names != NULL && json_object_size(names) == 0) {
        json_decref(names);
    } else {
        jsonout_put(&tree, "names", names);
    }
    return jsonout_print("charter", stdout, tree, JSON_COMPACT);
}

static bool print_csv(struct eventline *out, const struct parts *p)
{
    struct ch_buf text = {0};
    const char *name = actor_name(out, p);
    (void)printf("%llu,", (unsigned long long)p->seq);
    const struct charter_text plain[] = {p->at, p->type, p->actor_kind};
    for (size_t i = 0; i < 3; i++) {
        csv_print_cell((struct ch_text){plain[i].ptr, plain[i].len});
        (void)putchar(',');
    }
    put_id(&text, (struct ch_text){p->actor_kind.ptr, p->actor_kind.len}, p->actor);
    csv_print_cell((struct ch_text){(const char *)text.ptr, text.len});
    (void)putchar(',');
    csv_print_cell(ch_text_of(name));
    (void)putchar(',');
    csv_print_cell((struct ch_text){p->channel.ptr, p->channel.len});
    (void)putchar(',');
    ch_buf_reset(&text);
    if (p->account != 0) put_id(&text, ch_text_of("account"), p->account);
    csv_print_cell((struct ch_text){(const char *)text.ptr, text.len});
    (void)putchar(',');
    csv_print_cell(
        ch_text_of(p->account == 0 ? NULL : called_name(out->called, "acc", p->account)));
    (void)putchar(',');
    ch_buf_reset(&text);
    put_fields(out, p, &text);
    csv_print_cell((struct ch_text){(const char *)text.ptr, text.len});
    (void)fputs("\r\n", stdout);
    const bool good = !text.failed;
    ch_buf_deinit(&text);
    return good || tell_no_memory();
}

bool eventline_print(struct eventline *out, struct charter_bytes event)
{
    const struct parts p = parts_of(event);
    print_header(out);
    eventline_learn(out, event);
    switch (out->format) {
    case EVENTLINE_TABLE: return print_table(out, &p);
    case EVENTLINE_JSON: return print_json(out, &p);
    case EVENTLINE_CSV: return print_csv(out, &p);
    }
    return true;
}
