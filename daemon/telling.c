/* telling: see telling.h. SPDX-License-Identifier: MIT */
#include "daemon/telling.h"

#include "daemon/core/query_impl.h"
#include "daemon/log/digest.h"
#include "daemon/log/vault.h"
#include "daemon/opened.h"
#include "schema/activity.h"

enum { DEEPEST = 4 }; /* a thing is told by the event that made it, which may name another */

/* One line being made. */
struct line {
    const struct ch_telling *t;
    struct ch_buf out;
    struct ch_asking asking; /* for the records of core */
    struct ch_query_answer answer;
    struct ch_why *why;
    bool failed; /* why says so */
};

static void put(struct line *line, const char *words)
{
    ch_buf_put_text(&line->out, ch_text_of(words));
}

static void put_number(struct line *line, uint64_t number)
{
    char digits[20];
    size_t len = 0;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    ch_buf_put(&line->out, digits + sizeof digits - len, len);
}

/* A name of the protocol as words. */
static void put_plain(struct line *line, const char *name)
{
    const size_t from = line->out.len;
    put(line, name);
    for (size_t i = from; i < line->out.len; i++) {
        if (line->out.ptr[i] == '_') line->out.ptr[i] = ' ';
    }
}

/* Opens the sealed part into the body. */
static enum ch_seal_state open_sealed(struct line *line, struct ch_event *event,
                                      union ch_event_body *body)
{
    enum ch_seal_state seal = CH_SEAL_OPEN;
    const enum ch_err err =
        ch_opened(line->t->vault, event, body, line->t->arena, &seal, line->why);
    line->failed = line->failed || err != CH_OK;
    return seal;
}

/* "Ann Miller (ann)", or the one name there is; one whose names are gone by number. */
static void put_user(struct line *line, uint64_t id)
{
    const struct ch_state *state = line->t->state;
    const uint32_t row = ch_find_user(state, id);
    if (row == 0) {
        put(line, "user ");
        put_number(line, id);
        return;
    }
    const struct ch_rec_user_row user = ch_user_record(&line->asking, row);
    const struct ch_text name = user.has_username ? user.username : user.email;
    const bool has_name = user.has_username || user.has_email;
    if (user.has_full_name) ch_buf_put_text(&line->out, user.full_name);
    if (user.has_full_name && has_name) put(line, " (");
    if (has_name) ch_buf_put_text(&line->out, name);
    if (user.has_full_name && has_name) put(line, ")");
    if (user.has_full_name || has_name) return;
    uint8_t key[CH_VAULT_KEY_BYTES];
    const uint64_t number = ch_user_row(state, row)->number;
    const enum ch_vault_state had = ch_vault_get(line->t->vault, number, key);
    if (had == CH_VAULT_PRESENT) ch_wipe(key, sizeof key);
    put(line, had == CH_VAULT_ERASED ? "erased user #" : "user #");
    put_number(line, number);
    if (had == CH_VAULT_MISSING) put(line, " (name lost)");
}

static void put_chain(struct line *line, uint32_t text)
{
    ch_buf_put_text(&line->out, ch_copy_text(&line->asking, text));
}

static void put_object(struct line *line, struct ch_event *event, union ch_event_body *body,
                       uint32_t depth);

/* A thing by the event that made it. */
static void put_made(struct line *line, uint8_t kind, uint64_t id, uint32_t depth)
{
    struct ch_log_record record;
    union ch_event_body body;
    struct ch_event event;
    const size_t from = line->out.len;
    if (depth < DEEPEST && !line->failed) {
        struct ch_bytes own = {0};
        bool good = ch_reader_read(line->t->reader, id, &record, line->why) == CH_OK;
        if (good && record.bytes.ptr != NULL) {
            own.ptr = ch_arena_copy(line->t->arena, record.bytes.ptr, record.bytes.len);
            own.len = record.bytes.len;
            good = own.ptr != NULL &&
                   ch_event_decode(own, line->t->arena, &body, &event, line->why) == CH_OK;
            if (own.ptr == NULL) {
                (void)ch_fail(line->why, CH_ERR_NO_MEMORY, 0, "no memory for the activity log");
            }
            if (good && ch_events[event.tag].makes == kind) {
                put_object(line, &event, &body, depth + 1);
            }
        }
        line->failed = line->failed || !good;
    }
    if (line->out.len > from) return;
    put_plain(line, ch_kinds[kind].name);
    put(line, " ");
    put_number(line, id);
}

static void put_thing(struct line *line, uint8_t kind, uint64_t id, uint32_t depth)
{
    const struct ch_state *state = line->t->state;
    uint32_t row = 0;
    if (id == 0) return;
    if (kind == CH_KIND_user) {
        put_user(line, id);
    } else if (kind == CH_KIND_account && (row = ch_find_account(state, id)) != 0) {
        put_chain(line, ch_account_row(state, row)->name);
    } else if (kind == CH_KIND_group && (row = ch_find_group(state, id)) != 0) {
        put_chain(line, ch_group_row(state, row)->name);
    } else if (kind == CH_KIND_role && (row = ch_find_role(state, id)) != 0) {
        put_chain(line, ch_role_row(state, row)->name);
    } else if (kind == CH_KIND_key && (row = ch_find_key(state, id)) != 0) {
        put_chain(line, ch_key_row(state, row)->name);
    } else {
        put_made(line, kind, id, depth);
    }
}

/* Whose the share is that share_given names by kind and number. */
static bool put_subject(struct line *line, const struct ch_event *event, const char *field,
                        uint32_t depth)
{
    if (event->tag != CH_EV_share_given || strcmp(field, "subject") != 0) return false;
    const struct ch_ev_share_given *given = event->body;
    const bool user = given->subject_kind == CH_subject_kind_user;
    put_thing(line, user ? CH_KIND_user : CH_KIND_group, given->subject, depth);
    return true;
}

static void put_field(struct line *line, const struct ch_event *event, const struct ch_field *field,
                      uint32_t depth)
{
    const void *at = ch_field_at(field, event->body);
    uint64_t number;
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_ID:
        memcpy(&number, at, sizeof number); /* every id is a struct of one number */
        put_thing(line, field->kind, number, depth);
        return;
    case CH_FORM_UINT:
        if (put_subject(line, event, field->name, depth)) return;
        memcpy(&number, at, sizeof number);
        put_number(line, number);
        return;
    case CH_FORM_TEXT:
    case CH_FORM_NAME: ch_buf_put_text(&line->out, *(const struct ch_text *)at); return;
    case CH_FORM_NAMED: ch_buf_put_text(&line->out, ((const struct ch_named *)at)->text); return;
    case CH_FORM_ENUM: put_plain(line, ch_enum_name(field->kind, *(const uint8_t *)at)); return;
    case CH_FORM_SCOPE:
        if (ch_scopes_table[*(const uint8_t *)at].name != NULL) {
            put(line, ch_scopes_table[*(const uint8_t *)at].name);
        }
        return;
    case CH_FORM_FLAG:
    case CH_FORM_MOMENT:
    case CH_FORM_SECRET:
    case CH_FORM_REF:
    case CH_FORM_SCOPES:
    case CH_FORM_BYTES:
    case CH_FORM_VALUE:
    case CH_FORM_RECORD: return;
    }
}

static void put_seal(struct line *line, enum ch_seal_state seal)
{
    if (seal != CH_SEAL_OPEN) put(line, seal == CH_SEAL_ERASED ? "(erased)" : "(lost)");
}

static void put_object(struct line *line, struct ch_event *event, union ch_event_body *body,
                       uint32_t depth)
{
    bool made = false;
    const struct ch_field *field = ch_activity_object(event->tag, &made);
    if (made) {
        put_thing(line, ch_events[event->tag].makes, event->seq, DEEPEST);
    } else if (field != NULL) {
        const enum ch_seal_state seal =
            field->personal ? open_sealed(line, event, body) : CH_SEAL_OPEN;
        if (line->failed) return;
        if (seal != CH_SEAL_OPEN) {
            put_seal(line, seal);
        } else if (!field->list && ch_field_present(field, event->body)) {
            put_field(line, event, field, depth);
        }
    }
}

/* What was recorded tells its own path. */
static void put_recorded(struct line *line, struct ch_event *event, union ch_event_body *body)
{
    const enum ch_seal_state seal = open_sealed(line, event, body);
    const struct ch_ev_activity_recorded *recorded = event->body;
    if (line->failed) return;
    ch_buf_put_text(&line->out, recorded->section);
    put(line, " > ");
    put_seal(line, seal);
    if (seal != CH_SEAL_OPEN) return;
    ch_buf_put_text(&line->out, recorded->path.text);
    if (!recorded->has_object) return;
    put(line, ": ");
    ch_buf_put_text(&line->out, recorded->object.text);
}

static void put_details(struct line *line, struct ch_event *event, union ch_event_body *body)
{
    if (event->tag == CH_EV_activity_recorded) {
        put_recorded(line, event, body);
        return;
    }
    ch_buf_put_text(&line->out, ch_activity_path(event->tag));
    const size_t end = line->out.len;
    put(line, ": ");
    const size_t from = line->out.len;
    put_object(line, event, body, /* depth= */ 0);
    if (line->out.len == from) line->out.len = end; /* towards nobody */
}

static void put_actor(struct line *line, const struct ch_actor *actor)
{
    if (actor->kind == CH_actor_kind_user) {
        put_user(line, actor->id);
    } else if (actor->kind == CH_actor_kind_system) {
        put(line, "system");
    } else if (actor->kind == CH_actor_kind_operator) {
        put(line, "operator");
    } else if (actor->kind == CH_actor_kind_key) {
        put(line, "API key ");
        put_thing(line, CH_KIND_key, actor->id, /* depth= */ 0);
    } else {
        put_plain(line, ch_enum_name(CH_KIND_actor_kind, actor->kind));
        put(line, " ");
        put_number(line, actor->id);
    }
}

/* The words as a text of the arena. Only a whole passage as object could be more than the record's
 * kind takes; its end is then three dots. */
static struct ch_text taken(struct line *line, uint64_t most)
{
    static const char dots[] = "\xe2\x80\xa6";
    if (line->out.len > most) {
        size_t len = (size_t)most - (sizeof dots - 1);
        while (len > 0 && (line->out.ptr[len] & 0xc0) == 0x80) { /* the last letter stays whole */
            len--;
        }
        line->out.len = len;
        put(line, dots);
    }
    const char *chars = "";
    if (line->out.len > 0) chars = ch_arena_copy(line->t->arena, line->out.ptr, line->out.len);
    const struct ch_text text = {chars, chars == NULL ? 0 : line->out.len};
    ch_buf_reset(&line->out);
    return text;
}

struct ch_text ch_tell_section(const struct ch_event *event)
{
    if (event->tag == CH_EV_activity_recorded) {
        return ((const struct ch_ev_activity_recorded *)event->body)->section;
    }
    const struct ch_text path = ch_activity_path(event->tag);
    const char *end = memchr(path.ptr, '>', path.len);
    return (struct ch_text){path.ptr, end == NULL ? path.len : (size_t)(end - path.ptr) - 1};
}

bool ch_tell_actor(const struct ch_telling *telling, const struct ch_actor *actor,
                   struct ch_text *ret, struct ch_why *why)
{
    struct line line = {.t = telling, .why = why};
    line.asking =
        (struct ch_asking){.state = telling->state, .arena = telling->arena, .ret = &line.answer};
    put_actor(&line, actor);
    *ret = taken(&line, ch_kinds[CH_KIND_line].most);
    const bool no_memory = line.out.failed || line.answer.no_memory || ret->ptr == NULL;
    ch_buf_deinit(&line.out);
    if (line.failed) return false;
    if (no_memory) (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to tell who it was");
    return !no_memory;
}

bool ch_tell(const struct ch_telling *telling, struct ch_event *event, union ch_event_body *body,
             struct ch_rec_activity_row *ret, struct ch_why *why)
{
    struct line line = {.t = telling, .why = why};
    line.asking =
        (struct ch_asking){.state = telling->state, .arena = telling->arena, .ret = &line.answer};
    put_actor(&line, &event->actor);
    ret->user = taken(&line, ch_kinds[CH_KIND_line].most);
    put_details(&line, event, body);
    ret->details = taken(&line, ch_kinds[CH_KIND_story].most);
    const bool no_memory = line.out.failed || line.answer.no_memory || ret->user.ptr == NULL ||
                           ret->details.ptr == NULL;
    ch_buf_deinit(&line.out);
    if (line.failed) return false;
    if (no_memory) (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the activity log");
    return !no_memory;
}
