/* input: see input.h. SPDX-License-Identifier: MIT */
#include "tests/scenarios/input.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/base/check.h"
#include "schema/pack.h"
#include "tests/scenarios/message.h"

enum { SHOWN_MOST = 40, BATCH_MOST = 200 };

/* Values that cannot be read, sent together. */
struct batch {
    struct ch_buf bytes;
    struct {
        const char *what;
        const char *code;
        size_t at, len;
    } all[BATCH_MOST];
    uint32_t count;
};

/* What is being tried. */
struct trial {
    struct world *w;
    const struct input_base *base;
    int type;
    const char *key;
    struct batch *batch;
    bool on_north;
    unsigned place; /* of the call in the message */
    bool by_person; /* whom D-18 binds: a user or a key */
};

static bool lost; /* an answer did not come: nothing more is sent */
static uint64_t faults, arguments_tried, values_tried, strange_tried, standings_tried;

static void fault(const struct trial *t, const char *key, const char *what, const char *problem)
{
    if (++faults > SHOWN_MOST) return;
    (void)fprintf(stderr, "input: %s: %s: %s: %s\n  of: %s\n", ch_calls[t->type].args.name,
                  key == NULL ? "-" : key, what, problem, t->base->line);
    if (t->w->reply.len > 0) answer_show(ch_buf_view(&t->w->reply));
}

/* ---- one message ---------------------------------------------------------------------------- */

/* Sends the line with its twists, as a dry run unless it must not be one. False: it never came
 * back. */
static bool send(struct trial *t, struct ch_text line, const struct twist *twists, uint32_t count)
{
    struct world *w = t->w;
    const char *problem = NULL;
    struct ch_buf text = {0};
    if (lost) return false;
    ch_buf_put_text(&text, line);
    const bool dry = (t->base->flags & BASE_WORLDLY) == 0;
    if (dry) ch_buf_put_text(&text, ch_text_of(" dry_run=true"));
    ch_buf_reset(&w->message);
    ch_arena_reset(&w->arena);
    bool good = message_twist((struct ch_text){(const char *)text.ptr, text.len}, &w->labels,
                              ++w->messages, twists, count, &w->arena, &w->message, &problem);
    if (!good) (void)fprintf(stderr, "input: %s: %s\n", t->base->line, problem);
    good = good && daemon_ask(&w->daemon, ch_buf_view(&w->message), &w->reply) &&
           answer_read(ch_buf_view(&w->reply), &w->outcome);
    ch_buf_deinit(&text);
    if (!good) faults++;
    lost = lost || !good;
    return good;
}

static bool send_twisted(struct trial *t, const char *key, enum twist_how how,
                         struct ch_bytes value)
{
    const struct twist twist = {key, how, value};
    return send(t, ch_text_of(t->base->line), &twist, 1);
}

static bool read_no(const struct trial *t, struct ch_reply_no *ret)
{
    struct ch_why why = {0};
    *ret = (struct ch_reply_no){0};
    if (t->w->outcome.kind == CH_OUTCOME_RESULT) return true;
    return ch_reply_read_no(t->w->outcome.value, ret, &why) == CH_OK;
}

/* ---- what came back ------------------------------------------------------------------------- */

static bool is_failure_of(const struct ch_reply_no *no, uint32_t place, const char *key,
                          const char *code)
{
    char path[CH_WHY_FIELD_BYTES];
    const bool of_call =
        strcmp(key, "on") == 0 || strcmp(key, "expect") == 0 || strcmp(key, "note") == 0;
    (void)snprintf(path, sizeof path, "calls[%u].%s%s", place, of_call ? "" : "args.", key);
    return ch_text_is(no->code, code) && ch_text_is(no->field, path);
}

static bool is_failure(const struct trial *t, const char *key, const char *code)
{
    struct ch_reply_no no;
    return read_no(t, &no) && t->w->outcome.kind == CH_OUTCOME_FAILURE &&
           is_failure_of(&no, t->place, key, code);
}

static bool is_refusal(const struct trial *t, const char *key, const char *reason)
{
    struct ch_reply_no no;
    if (!read_no(t, &no) || t->w->outcome.kind != CH_OUTCOME_REJECTION) return false;
    return ch_text_is(no.code, reason) && ch_text_is(no.field, key);
}

/* Whether a refusal names `on` or one of the call's arguments. */
static bool names_a_field(const struct trial *t)
{
    struct ch_reply_no no;
    if (!read_no(t, &no) || t->w->outcome.kind != CH_OUTCOME_REJECTION) return false;
    if (ch_text_is(no.field, "on")) return true;
    const struct ch_record *args = &ch_calls[t->type].args;
    for (uint16_t i = 0; i < args->count; i++) {
        if (ch_text_is(no.field, args->fields[i].name)) return true;
    }
    return false;
}

static bool is_taken(const struct trial *t)
{
    return t->w->outcome.kind == CH_OUTCOME_RESULT;
}

/* What nobody is told apart from a wrong one: a log-in. */
static bool is_silent(const struct trial *t)
{
    struct ch_reply_no no;
    return (t->base->flags & BASE_SILENT) != 0 && read_no(t, &no) &&
           t->w->outcome.kind == CH_OUTCOME_REJECTION && no.field.len == 0;
}

static void judge(const struct trial *t, const char *key, const struct input_value *value)
{
    char problem[128];
    bool good = false;
    switch (value->expect) {
    case INPUT_FAILS: good = is_failure(t, key, value->code); break;
    case INPUT_REFUSED:
        good = is_refusal(t, key, input_other_reason(t->type, key, value->code)) || is_silent(t);
        break;
    case INPUT_EITHER: good = is_taken(t) || names_a_field(t) || is_silent(t); break;
    }
    if (good) return;
    (void)snprintf(problem, sizeof problem, "expected %s %s with the field named",
                   value->expect == INPUT_FAILS     ? "failure"
                   : value->expect == INPUT_REFUSED ? "refused"
                                                    : "taken, or refused",
                   value->code == NULL ? "" : value->code);
    fault(t, key, value->what, problem);
}

/* The answers to a batch, each to its own value. */
static void judge_batch(struct trial *t)
{
    struct ch_reply reply;
    struct ch_why why = {0};
    if (ch_reply_decode(ch_buf_view(&t->w->reply), &reply, &why) != CH_OK || reply.failed ||
        reply.result_count != t->batch->count) {
        fault(t, t->key, "many values at once", "not one answer for each");
        return;
    }
    struct ch_cursor walk = ch_reply_walk(&reply);
    for (uint32_t i = 0; i < t->batch->count; i++) {
        char problem[128];
        struct ch_reply_result result;
        struct ch_reply_no no = {0};
        const bool read = ch_reply_next(&walk, &result, &why) == CH_OK;
        if (read && result.outcome == CH_OUTCOME_FAILURE &&
            ch_reply_read_no(result.value, &no, &why) == CH_OK &&
            is_failure_of(&no, t->place + i, t->key, t->batch->all[i].code)) {
            continue;
        }
        (void)snprintf(problem, sizeof problem, "expected failure %s, in answer %u",
                       t->batch->all[i].code, i);
        fault(t, t->key, t->batch->all[i].what, problem);
    }
}

static void flush(struct trial *t)
{
    struct twist twists[BATCH_MOST];
    struct batch *batch = t->batch;
    for (uint32_t i = 0; i < batch->count; i++) {
        const uint8_t *at = batch->bytes.ptr + batch->all[i].at;
        twists[i] = (struct twist){t->key, TWIST_SET, {at, batch->all[i].len}};
    }
    if (batch->count > 0 && send(t, ch_text_of(t->base->line), twists, batch->count)) {
        judge_batch(t);
    }
    batch->count = 0;
    ch_buf_reset(&batch->bytes);
}

/* What cannot be read has no effect on the call behind it, so many go in one message. */
static void add_to_batch(struct trial *t, const struct input_value *value)
{
    struct batch *batch = t->batch;
    if (batch->count == BATCH_MOST) flush(t);
    batch->all[batch->count].what = value->what;
    batch->all[batch->count].code = value->code;
    batch->all[batch->count].at = batch->bytes.len;
    batch->all[batch->count].len = value->value.len;
    ch_buf_put(&batch->bytes, value->value.ptr, value->value.len);
    batch->count++;
}

static void try_value(void *arg, const struct input_value *value)
{
    struct trial *t = arg;
    values_tried++;
    if (value->expect == INPUT_FAILS && t->place == 0) {
        add_to_batch(t, value);
        return;
    }
    if (value->expect == INPUT_EITHER && (t->base->flags & BASE_WORLDLY) != 0) return;
    if (send_twisted(t, t->key, TWIST_SET, value->value)) judge(t, t->key, value);
}

/* ---- one argument --------------------------------------------------------------------------- */

static bool names(const struct input_base *base, const char *key)
{
    char word[64];
    struct ch_text line = ch_text_of(base->line);
    struct ch_text call = {0};
    while (line.len > 0) {
        call = text_cut(&line, "&&");
    }
    (void)snprintf(word, sizeof word, "%s=", key);
    const size_t len = strlen(word);
    for (struct ch_text next = word_next(&call); next.len > 0; next = word_next(&call)) {
        if (next.len >= len && memcmp(next.ptr, word, len) == 0) return true;
    }
    return false;
}

/* The same call without the argument, and with it twice. */
static void try_presence(struct trial *t, const struct ch_field *field)
{
    const bool needed = !field->optional && !field->list;
    const struct input_value absent = {
        "left out", {0}, needed ? INPUT_FAILS : INPUT_EITHER, ch_err_code(CH_ERR_MISSING_FIELD)};
    const struct input_value twice = {
        "said twice", {0}, INPUT_FAILS, ch_err_code(CH_ERR_REPEATED_FIELD)};
    values_tried += 2;
    if (send_twisted(t, field->name, TWIST_DROP, absent.value)) judge(t, field->name, &absent);
    if (send_twisted(t, field->name, TWIST_TWICE, twice.value)) judge(t, field->name, &twice);
}

/* What answers about a thing of the other tenant says as little as about one that is not there. */
static void compare(struct trial *t, struct ch_bytes nowhere, struct ch_bytes elsewhere,
                    const char *what)
{
    struct outcome first;
    struct ch_buf kept = {0};
    values_tried++;
    strange_tried++;
    if (!send_twisted(t, t->key, TWIST_SET, nowhere)) return;
    ch_buf_put(&kept, t->w->reply.ptr, t->w->reply.len);
    if (!send_twisted(t, t->key, TWIST_SET, elsewhere)) return;
    const bool good = answer_read(ch_buf_view(&kept), &first) && first.kind == t->w->outcome.kind &&
                      kept.len == t->w->reply.len &&
                      ch_bytes_equal(first.value, t->w->outcome.value) && !is_taken(t);
    if (!good) {
        fault(t, t->key, what, "differs from what is not there, which is answered so:");
        if (faults <= SHOWN_MOST) answer_show(ch_buf_view(&kept));
    }
    ch_buf_deinit(&kept);
}

static void pack_item(struct ch_buf *buf, bool list, uint64_t id, const char *name)
{
    ch_buf_reset(buf);
    if (list) ch_pack_array(buf, 1);
    if (name != NULL) {
        ch_pack_chars(buf, name);
    } else {
        ch_pack_uint(buf, id);
    }
}

static void try_strange(struct trial *t, uint8_t kind, bool list)
{
    struct ch_buf nowhere = {0}, elsewhere = {0};
    const char *label = input_foreign_label(kind);
    const char *name = input_foreign_name(kind);
    uint64_t id = 0;
    if (label != NULL && word_number(&t->w->labels, ch_text_of(label), &id)) {
        pack_item(&nowhere, list, CH_MAX_INTEGER - 1, NULL);
        pack_item(&elsewhere, list, id, NULL);
        compare(t, ch_buf_view(&nowhere), ch_buf_view(&elsewhere), "an id of the other tenant");
    } else if (label != NULL && id == 0) {
        fault(t, t->key, label, "the world has no such label");
    }
    if (name != NULL) {
        pack_item(&nowhere, list, 0, strchr(name, '@') != NULL ? "no@example.org" : "nothing");
        pack_item(&elsewhere, list, 0, name);
        compare(t, ch_buf_view(&nowhere), ch_buf_view(&elsewhere), "a name of the other tenant");
    }
    ch_buf_deinit(&nowhere);
    ch_buf_deinit(&elsewhere);
}

/* The same, asked by a key of the account, where it may say the line at all. */
static void try_strange_as_key(const struct trial *person, const struct ch_field *field)
{
    char line[1024];
    const char *behind = strchr(person->base->line, ':');
    (void)snprintf(line, sizeof line, "key $north_secret%s", behind);
    const struct input_base base = {line, person->base->flags};
    struct trial t = *person;
    t.base = &base;
    if (!send(&t, ch_text_of(line), NULL, 0) || !is_taken(&t)) return;
    try_strange(&t, field->kind, field->list);
}

/* What is there and no longer what it was. */
static void try_states(struct trial *t, const struct ch_field *field)
{
    struct ch_buf item = {0};
    for (const char *const *state = input_states(field->kind); *state != NULL; state++) {
        uint64_t id = 0;
        const bool label = (*state)[0] == '$';
        if (label && !word_number(&t->w->labels, ch_text_of(*state), &id)) {
            fault(t, t->key, *state, "the world has no such label");
            continue;
        }
        pack_item(&item, field->list, id, label ? NULL : *state);
        const struct input_value value = {*state, ch_buf_view(&item), INPUT_EITHER, NULL};
        try_value(t, &value);
    }
    ch_buf_deinit(&item);
}

static void try_argument(struct trial *t, const struct ch_field *field)
{
    t->key = field->name;
    arguments_tried++;
    try_presence(t, field);
    try_states(t, field);
    input_values(field, try_value, t);
    flush(t);
}

/* ---- one line ------------------------------------------------------------------------------- */

static struct ch_text actor_of(const struct input_base *base)
{
    struct ch_text line = ch_text_of(base->line);
    return text_trim(text_cut(&line, ": "));
}

static struct trial trial_of(struct world *w, const struct input_base *base)
{
    static struct batch batch;
    struct trial t = {.w = w, .base = base, .type = -1, .batch = &batch};
    struct ch_text line = ch_text_of(base->line);
    (void)text_cut(&line, ": ");
    while (line.len > 0) {
        struct ch_text call = text_cut(&line, "&&");
        t.type = ch_call_find(word_next(&call));
        t.place += line.len > 0;
        t.on_north = false;
        for (struct ch_text word = word_next(&call); word.len > 0; word = word_next(&call)) {
            t.on_north = t.on_north || (word.len >= 8 && memcmp(word.ptr, "on=north", 8) == 0);
        }
    }
    t.by_person = !ch_text_is(actor_of(base), "operator");
    return t;
}

/* The line as it stands must be taken, else no bad value of it proves anything. */
static bool is_good(struct trial *t)
{
    if (!send(t, ch_text_of(t->base->line), NULL, 0)) return false;
    if (is_taken(t) == ((t->base->flags & BASE_REFUSED) == 0)) return true;
    fault(t, NULL, "as it stands", "is not taken, or not refused");
    return false;
}

/* The line said by another tenant's people: `on` is as if it were not there. */
static void try_as_stranger(struct trial *t, const char *stranger)
{
    static const uint8_t nothing[] = "\xcf\x00\x1f\xff\xff\xff\xff\xff\xfe";
    struct ch_buf text = {0};
    struct ch_buf kept = {0};
    struct ch_text line = ch_text_of(t->base->line);
    struct outcome first;
    const struct twist twist = {"on", TWIST_SET, {nothing, 9}};
    (void)text_cut(&line, ": ");
    ch_buf_put_text(&text, ch_text_of(stranger));
    ch_buf_put_text(&text, ch_text_of(": "));
    ch_buf_put_text(&text, line);
    CH_CHECK(text.ptr != NULL);
    line = (struct ch_text){(const char *)text.ptr, text.len};
    strange_tried++;
    bool good = send(t, line, &twist, 1);
    ch_buf_put(&kept, t->w->reply.ptr, t->w->reply.len);
    good = good && send(t, line, NULL, 0) && answer_read(ch_buf_view(&kept), &first) &&
           first.kind == t->w->outcome.kind && ch_bytes_equal(first.value, t->w->outcome.value) &&
           !is_taken(t);
    if (!good) {
        fault(t, "on", stranger, "is told more than of an account that is not there:");
        if (faults <= SHOWN_MOST) answer_show(ch_buf_view(&kept));
    }
    ch_buf_deinit(&text);
    ch_buf_deinit(&kept);
}

/* The same of the past: an account of another tenant is not there either. */
static void try_past_as_stranger(struct trial *t)
{
    char line[1024];
    const char *behind = strchr(t->base->line, ':');
    strange_tried++;
    (void)snprintf(line, sizeof line, "zoe%s as_of=$before_all", behind);
    struct ch_reply_no no;
    if (!send(t, ch_text_of(line), NULL, 0)) return;
    if (t->w->outcome.kind != CH_OUTCOME_REJECTION || !read_no(t, &no) ||
        !ch_text_is(no.code, "not_found") || !ch_text_is(no.field, "on")) {
        fault(t, "on", "the past", "expected not_found, field on");
    }
}

/* The line with something more behind it. */
static void try_with(struct trial *t, const char *more, const char *key, enum input_expect expect,
                     const char *code)
{
    char line[1024];
    const struct input_value value = {more, {0}, expect, code};
    (void)snprintf(line, sizeof line, "%s %s", t->base->line, more);
    values_tried++;
    if (send(t, ch_text_of(line), NULL, 0)) judge(t, key, &value);
}

/* What an answer is bound to, and what is noted with the command; of no question. */
static void try_expect_and_note(struct trial *t)
{
    const struct ch_call_row *row = &ch_calls[t->type];
    const char *unknown = ch_err_code(CH_ERR_UNKNOWN_FIELD);
    const char *not_text = ch_err_code(CH_ERR_NOT_TEXT);
    if (row->query || !row->on) {
        try_with(t, "expect=1", "expect", INPUT_FAILS, unknown);
    } else {
        try_with(t, "expect=1", "expect", INPUT_REFUSED, "conflict");
    }
    if (row->query) {
        try_with(t, "note=why", "note", INPUT_FAILS, unknown);
        return;
    }
    try_with(t, "note=\"n\"*1025", "note", INPUT_FAILS, not_text);
    try_with(t, "note=\"\\xff\"", "note", INPUT_FAILS, not_text);
    try_with(t, "note=\"two\\nlines\"", "note", INPUT_FAILS, not_text);
}

/* What all calls have beside their arguments. */
static void try_call(struct trial *t)
{
    static const uint8_t seven[] = {7};
    const struct ch_bytes value = {seven, sizeof seven};
    const struct input_value unknown = {"an argument that there is not", value, INPUT_FAILS,
                                        ch_err_code(CH_ERR_UNKNOWN_FIELD)};
    values_tried += 2;
    if (send_twisted(t, "no_such_argument", TWIST_SET, value)) {
        judge(t, "no_such_argument", &unknown);
    }
    try_expect_and_note(t);
    t->key = "on";
    if (!ch_calls[t->type].on) {
        const struct input_value strange = {"an account", value, INPUT_FAILS,
                                            ch_err_code(CH_ERR_UNKNOWN_FIELD)};
        if (send_twisted(t, "on", TWIST_SET, value)) judge(t, "on", &strange);
        return;
    }
    arguments_tried++;
    input_values_of_on(try_value, t);
    flush(t);
    const struct ch_text actor = actor_of(t->base);
    const bool secret = actor.len > 4 && memchr(actor.ptr, '$', actor.len) != NULL;
    if (!secret && send_twisted(t, "on", TWIST_DROP, value)) {
        const struct input_value absent = {
            "left out", {0}, INPUT_FAILS, ch_err_code(CH_ERR_MISSING_FIELD)};
        judge(t, "on", &absent);
    }
}

static bool is_reference(const struct ch_field *field)
{
    const enum ch_form form = ch_kinds[field->kind].form;
    return form == CH_FORM_REF || form == CH_FORM_ID;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static void try_all_of(struct world *w, int type)
{
    uint64_t seen = 0;
    bool found = false;
    const struct ch_record *args = &ch_calls[type].args;
    for (size_t i = 0; i < input_base_count; i++) {
        struct trial t = trial_of(w, &input_bases[i]);
        if (t.type != type || !is_good(&t)) {
            found = found || t.type == type;
            continue;
        }
        if (!found) try_call(&t);
        found = true;
        for (uint16_t f = 0; f < args->count; f++) {
            const struct ch_field *field = &args->fields[f];
            if (!names(t.base, field->name)) continue;
            t.key = field->name;
            if (t.by_person && is_reference(field)) {
                try_strange(&t, field->kind, field->list);
                if (t.on_north) try_strange_as_key(&t, field);
            }
            if ((seen >> f & 1) != 0) continue;
            seen |= (uint64_t)1 << f;
            try_argument(&t, field);
        }
        if (!ch_calls[type].on) continue;
        t.key = "on";
        if (t.by_person) try_strange(&t, CH_KIND_account_ref, false);
        if (!t.on_north) continue;
        if (ch_calls[type].query) try_past_as_stranger(&t);
        try_as_stranger(&t, "zoe");
        try_as_stranger(&t, "zed");
        try_as_stranger(&t, "key $south_secret");
        try_as_stranger(&t, "key $south_master_secret");
    }
    const struct trial none = {.w = w, .base = &input_bases[0], .type = type};
    if (!found) fault(&none, NULL, "input_base.c", "has no line for it");
    for (uint16_t f = 0; found && f < args->count; f++) {
        if ((seen >> f & 1) != 0) continue;
        fault(&none, args->fields[f].name, "input_base.c", "no line names this argument");
    }
}

/* The scopes that a suspension takes away. */
static struct ch_scopes suspension(void)
{
    for (size_t i = 0; i < ch_mask_count(); i++) {
        const struct ch_set_row row = ch_mask_at(i);
        if (row.name != NULL && strcmp(row.name, "suspended") == 0) return row.scopes;
    }
    return (struct ch_scopes){{0, 0}};
}

/* All lines about an account that is suspended: what is left can be done, the rest is refused. */
static void try_suspended(struct world *w)
{
    const struct ch_scopes taken = suspension();
    for (size_t i = 0; i < input_base_count; i++) {
        struct trial t = trial_of(w, &input_bases[i]);
        if (!t.on_north || !send(&t, ch_text_of(t.base->line), NULL, 0)) continue;
        const struct ch_call_row *row = &ch_calls[t.type];
        const bool by_scope = row->who == CH_WHO_SCOPE && t.by_person;
        const bool no = by_scope && ch_scopes_has(taken, row->scope);
        standings_tried++;
        if (no ? !is_refusal(&t, "on", "not_allowed") : by_scope && !is_taken(&t)) {
            fault(&t, "on", "suspended", no ? "expected refused not_allowed" : "expected taken");
        } else if (!is_taken(&t) && !names_a_field(&t)) {
            fault(&t, "on", "suspended", "expected taken, or refused with the field named");
        }
    }
}

/* All lines about an account that is closed. */
static void try_closed(struct world *w)
{
    for (size_t i = 0; i < input_base_count; i++) {
        struct trial t = trial_of(w, &input_bases[i]);
        if (!t.on_north || t.type == CH_CMD_account_reopen) continue;
        if (!send(&t, ch_text_of(t.base->line), NULL, 0)) continue;
        const struct ch_call_row *row = &ch_calls[t.type];
        const bool no = !row->query || (row->who == CH_WHO_SCOPE && t.by_person);
        standings_tried++;
        if (no && !is_refusal(&t, "on", "account_closed")) {
            fault(&t, "on", "closed", "expected refused account_closed field=on");
        } else if (!no && !is_taken(&t) && !names_a_field(&t)) {
            fault(&t, "on", "closed", "expected taken, or refused with the field named");
        }
    }
}

/* The lines of a row of the world's file, from the state it was in before. */
static bool say(struct world *w, const char *path, const char *row)
{
    return world_run_row(w, path, row);
}

bool input_run(struct world *w, const char *path)
{
    if (!say(w, path, "world") || !say(w, path, "before")) return false;
    for (int type = 0; type < CH_CALL_TYPES && !lost; type++) {
        try_all_of(w, type);
    }
    if (lost) return false;
    for (size_t i = 0; i < input_base_count; i++) {
        const struct trial t = trial_of(w, &input_bases[i]);
        if (t.type < 0) (void)fprintf(stderr, "input: no such call: %s\n", input_bases[i].line);
        faults += t.type < 0;
    }
    bool good = say(w, path, "after") && say(w, path, "suspended");
    if (good) try_suspended(w);
    good = good && say(w, path, "resumed") && say(w, path, "closed");
    if (good) try_closed(w);
    good = good && say(w, path, "reopened");
    (void)fprintf(stderr,
                  "input: %d commands and %d queries, %" PRIu64 " arguments, %" PRIu64
                  " values; %" PRIu64 " of another tenant, %" PRIu64
                  " about what is suspended or closed\n",
                  CH_COMMANDS, CH_CALL_TYPES - CH_COMMANDS, arguments_tried, values_tried,
                  strange_tried, standings_tried);
    if (faults > 0) (void)fprintf(stderr, "input: %" PRIu64 " faults\n", faults);
    return good && faults == 0;
}
