/* review: see review.h. SPDX-License-Identifier: MIT */
#include "tools/charter/review.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "schema/json.h"
#include "schema/pack.h"
#include "schema/text.h"
#include "tools/charter/ask.h"
#include "tools/charter/ref.h"
#include "tools/lib/clean.h"
#include "tools/lib/jsonout.h"

enum { OPTION_UNUSED_DAYS, OPTION_BELOW, OPTION_ENDS, OPTIONS };
enum { PAGE = 1000, SHARES_A_MESSAGE = 8000 }; /* a message appends 8,192 events at most */

static const struct option_row rows[] = {
    [OPTION_UNUSED_DAYS] = {"unused-days", "NUMBER", "also those unused for so many days"},
    [OPTION_BELOW] = {"below", NULL, "also shares of the accounts below"},
    [OPTION_ENDS] = {"end", NULL, "end those that you may end, in one act"},
};

const struct special review_special = {
    .words = "access-review",
    .usage = "access-review ACCOUNT [--unused-days N] [--below] [--end]",
    .doc = "Lists shares whose certification is due or that nobody used, by who can end them.\n"
           "How often to certify: access set-review; to certify: access certify. With --end they\n"
           "are ended, all or none, unless one of them is used meanwhile; with --dry-run nothing\n"
           "is. More than 8,000 are ended in several such acts.",
    .rows = rows,
    .row_count = OPTIONS,
};

struct review {
    const struct options *options;
    struct charter *c;
    json_t *shares; /* of all pages */
    json_t *people;
    json_t *last; /* the last page */
    uint64_t unused_days;
    bool below;
    bool end;
    uint64_t ended;
};

/* ---- the list ----------------------------------------------------------------------------- */

static size_t put_conditions(const struct review *r, struct ch_buf *pairs)
{
    ch_pack_chars(pairs, "due");
    ch_pack_bool(pairs, true);
    if (r->unused_days == 0) return 1;
    ch_pack_chars(pairs, "unused_days");
    ch_pack_uint(pairs, r->unused_days);
    return 2;
}

/* Asks for one page. ret_next: the cursor of the next; 0: this was the last */
static enum exit_code ask_page(struct review *r, uint64_t after, uint64_t *ret_next)
{
    struct ch_buf pairs = {0};
    struct charter_reply *reply = NULL;
    struct options o = *r->options; /* what is left out is of the acts that may follow */
    o.note = NULL;
    o.has_expect = o.has_id = o.dry_run = false;
    size_t count = put_conditions(r, &pairs) + 2;
    ch_pack_chars(&pairs, "below");
    ch_pack_bool(&pairs, r->below);
    ch_pack_chars(&pairs, "limit");
    ch_pack_uint(&pairs, PAGE);
    if (after != 0) {
        ch_pack_chars(&pairs, "after");
        ch_pack_uint(&pairs, after);
        count++;
    }
    enum exit_code code =
        ask_call(r->c, &o, "access.review", /* on= */ true, &pairs, count, &reply);
    ch_buf_deinit(&pairs);
    if (code != EXIT_DONE) return code;
    const struct charter_bytes value = charter_reply_result(reply, 0)->value;
    json_t *page = NULL;
    if (ch_json_tree((struct ch_bytes){value.ptr, value.len}, &page, NULL) != CH_OK) {
        (void)fprintf(stderr, "charter: failed: out of memory\n");
        code = EXIT_FAILED;
    }
    charter_reply_destroy(reply);
    if (code != EXIT_DONE) return code;
    (void)json_array_extend(r->shares, json_object_get(page, "shares"));
    (void)json_array_extend(r->people, json_object_get(page, "people"));
    *ret_next = (uint64_t)json_integer_value(json_object_get(page, "next"));
    json_decref(r->last);
    r->last = page;
    return EXIT_DONE;
}

static enum exit_code ask_list(struct review *r)
{
    uint64_t after = 0;
    r->shares = json_array();
    r->people = json_array();
    if (r->shares == NULL || r->people == NULL) return EXIT_FAILED;
    do {
        const enum exit_code code = ask_page(r, after, &after);
        if (code != EXIT_DONE) return code;
    } while (after != 0);
    return EXIT_DONE;
}

/* ---- for people --------------------------------------------------------------------------- */

static uint64_t number_of(const json_t *row, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(row, name));
}

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text == NULL ? "" : text;
}

static bool is_set(const json_t *row, const char *name)
{
    return json_is_true(json_object_get(row, name));
}

/* Columns that a terminal takes for it: code points; wide ones count as one. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xc0) != 0x80) width++;
    }
    return width;
}

static void put(const char *text, int width)
{
    const int pad = width - width_of(text);
    clean_print(stdout, ch_text_of(text));
    (void)printf("%*s", pad > 0 ? pad : 0, "");
}

static const json_t *person_of(const struct review *r, uint64_t id)
{
    size_t i;
    json_t *person;
    json_array_foreach(r->people, i, person)
    {
        if (number_of(person, "user") == id) return person;
    }
    return NULL;
}

static void put_decider(const struct review *r, uint64_t id)
{
    char text[CH_ID_TEXT_BYTES + 1] = "";
    const json_t *person = person_of(r, id);
    const char *name = text_of(person, "username");
    if (name[0] == '\0') name = text_of(person, "email");
    if (name[0] == '\0') {
        text[ch_id_write("usr", id, text)] = '\0';
        name = text;
    }
    put(name, 0);
}

static void put_heading(const struct review *r, const json_t *row)
{
    const json_t *deciders = json_object_get(row, "deciders");
    const uint64_t count = number_of(row, "decider_count");
    if (is_set(row, "owner")) {
        (void)printf("the owner's: only a transfer of ownership ends it\n");
        return;
    }
    if (count == 0) {
        (void)printf("the operator can decide\n");
        return;
    }
    (void)printf("can decide: ");
    for (size_t i = 0; i < json_array_size(deciders); i++) {
        if (i > 0) (void)printf(", ");
        put_decider(r, (uint64_t)json_integer_value(json_array_get(deciders, i)));
    }
    if (count > json_array_size(deciders)) {
        (void)printf(" and %llu more", (unsigned long long)(count - json_array_size(deciders)));
    }
    (void)printf("\n");
}

static bool is_same_group(const json_t *a, const json_t *b)
{
    const uint64_t count = number_of(a, "decider_count");
    if (is_set(a, "owner") != is_set(b, "owner")) return false;
    if (number_of(b, "decider_count") != count) return false;
    return count == 0 || json_equal(json_object_get(a, "deciders"), json_object_get(b, "deciders"));
}

enum { COLUMN_SUBJECT, COLUMN_ACCOUNT, COLUMN_ROLE, COLUMNS };

static const char *cell_of(const json_t *row, int column)
{
    if (column == COLUMN_SUBJECT) return text_of(row, "subject_name");
    if (column == COLUMN_ACCOUNT) return text_of(row, "account_name");
    const char *role = text_of(row, "role");
    return role[0] == '\0' ? "custom" : role;
}

static void put_day(const char *moment)
{
    (void)printf("%.10s", moment); /* the day of an RFC 3339 time */
}

static void put_reasons(const json_t *row)
{
    const char *used = text_of(row, "last_used");
    const char *certified = text_of(row, "certified");
    (void)printf("unused %llu days", (unsigned long long)number_of(row, "unused_days"));
    (void)printf(used[0] == '\0' ? ", never used" : ", used ");
    put_day(used);
    if (is_set(row, "due")) {
        (void)printf("; to be certified since ");
        put_day(text_of(row, "due_from"));
    }
    if (certified[0] != '\0') {
        (void)printf("; certified ");
        put_day(certified);
        if (text_of(row, "certified_by")[0] != '\0') (void)printf(" by ");
        put(text_of(row, "certified_by"), 0);
    }
    if (strcmp(text_of(row, "status"), "active") != 0) {
        (void)printf("; ");
        put(text_of(row, "status"), 0);
    }
    (void)printf("\n");
}

static void put_row(const json_t *row, const int *widths)
{
    char id[CH_ID_TEXT_BYTES + 1];
    id[ch_id_write("shr", number_of(row, "share"), id)] = '\0';
    (void)printf("  %s  ", id);
    put(strcmp(text_of(row, "subject_kind"), "group") == 0 ? "group" : "user", 5);
    (void)printf("  ");
    for (int i = 0; i < COLUMNS; i++) {
        put(cell_of(row, i), widths[i]);
        (void)printf("  ");
    }
    put_reasons(row);
}

/* Each group where its first share stands, with all shares of it. */
static void put_groups(const struct review *r)
{
    const size_t count = json_array_size(r->shares);
    int widths[COLUMNS] = {0};
    for (size_t i = 0; i < count; i++) {
        for (int k = 0; k < COLUMNS; k++) {
            const int width = width_of(cell_of(json_array_get(r->shares, i), k));
            if (width > widths[k]) widths[k] = width;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *first = json_array_get(r->shares, i);
        bool told = false;
        for (size_t k = 0; k < i && !told; k++) {
            told = is_same_group(json_array_get(r->shares, k), first);
        }
        if (told) continue;
        put_heading(r, first);
        for (size_t k = i; k < count; k++) {
            const json_t *row = json_array_get(r->shares, k);
            if (is_same_group(row, first)) put_row(row, widths);
        }
        (void)printf("\n");
    }
}

/* ---- the end ------------------------------------------------------------------------------ */

/* A call that ends shares of one account, from the row `at` on, up to `most`; they follow each
 * other in the list. Its count. */
static size_t add_call(const struct review *r, struct charter_message *m, size_t at, size_t most)
{
    struct ch_buf ids = {0};
    struct ch_buf pairs = {0};
    size_t count = 0;
    size_t looked = 0;
    const uint64_t account = number_of(json_array_get(r->shares, at), "account");
    while (at + looked < json_array_size(r->shares) && count < most && count < PAGE) {
        const json_t *row = json_array_get(r->shares, at + looked);
        if (number_of(row, "account") != account) break;
        looked++;
        if (!is_set(row, "may_end")) continue;
        ch_pack_uint(&ids, number_of(row, "share"));
        count++;
    }
    if (count > 0) {
        const struct charter_call_head head = {
            .type = "access.review_end", .on_id = account, .note = r->options->note};
        ch_pack_chars(&pairs, "shares");
        ch_pack_array(&pairs, count);
        ch_buf_put(&pairs, ids.ptr, ids.len);
        const size_t conditions = put_conditions(r, &pairs);
        charter_message_call(m, &head);
        charter_args_pairs(m, pairs.ptr, pairs.len, conditions + 1);
    }
    ch_buf_deinit(&ids);
    ch_buf_deinit(&pairs);
    return looked;
}

static uint64_t ended_by(const struct charter_reply *reply)
{
    uint64_t ended = 0;
    for (size_t i = 0; i < charter_reply_count(reply); i++) {
        uint64_t events = 0;
        (void)charter_get_uint(charter_reply_result(reply, i)->value, "events", &events);
        ended += events;
    }
    return ended;
}

/* Tells the call that was refused; the others were not decided because of it. */
static enum exit_code tell_no(const struct charter_reply *reply)
{
    for (size_t i = 0; i < charter_reply_count(reply); i++) {
        const struct charter_result *result = charter_reply_result(reply, i);
        if (result->outcome == CHARTER_REJECTION) return ask_tell_no(result);
    }
    for (size_t i = 0; i < charter_reply_count(reply); i++) {
        const struct charter_result *result = charter_reply_result(reply, i);
        if (result->outcome == CHARTER_FAILURE) return ask_tell_no(result);
    }
    return EXIT_FAILED;
}

static enum exit_code send(struct review *r, struct charter_message *m)
{
    struct charter_error error = {0};
    struct charter_reply *reply = NULL;
    enum exit_code code = EXIT_DONE;
    if (charter_call(r->c, m, &reply, &error) != 0) return ask_tell_error(&error);
    if (charter_reply_ok(reply)) {
        r->ended += ended_by(reply);
    } else {
        code = tell_no(reply);
        (void)fprintf(stderr, "charter: %s\n",
                      r->ended == 0 ? "nothing was ended" : "the rest was not ended");
    }
    charter_reply_destroy(reply);
    return code;
}

static enum exit_code end_all(struct review *r)
{
    struct charter_head head = ask_head(r->options);
    enum exit_code code = EXIT_DONE;
    size_t at = 0;
    while (at < json_array_size(r->shares) && code == EXIT_DONE) {
        struct charter_message *m = charter_message_create(&head);
        size_t room = SHARES_A_MESSAGE;
        if (m == NULL) return EXIT_FAILED;
        while (at < json_array_size(r->shares) && room > 0) {
            const size_t looked = add_call(r, m, at, room);
            at += looked;
            room -= looked < room ? looked : room;
            if (charter_message_calls(m) == 1000) break;
        }
        if (charter_message_calls(m) > 0) {
            code = send(r, m);
            head.id = NULL; /* it is one message's */
        }
        charter_message_destroy(m);
    }
    return code;
}

/* ---- the command -------------------------------------------------------------------------- */

static bool put_json(const struct review *r)
{
    json_t *whole = json_object();
    static const char *const kept[] = {"every_days", "revision"};
    jsonout_put(&whole, "shares", json_incref(r->shares));
    jsonout_put(&whole, "people", json_incref(r->people));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_t *value = json_object_get(r->last, kept[i]);
        if (value != NULL) jsonout_put(&whole, kept[i], json_incref(value));
    }
    if (r->end) jsonout_put(&whole, "ended", json_integer((json_int_t)r->ended));
    return jsonout_print("charter", stdout, whole, JSON_INDENT(2));
}

static void put_sum(const struct review *r)
{
    const size_t count = json_array_size(r->shares);
    size_t mine = 0;
    for (size_t i = 0; i < count; i++) {
        mine += is_set(json_array_get(r->shares, i), "may_end");
    }
    if (count == 0) {
        (void)printf("no share is to be looked at%s\n",
                     json_object_get(r->last, "every_days") == NULL && r->unused_days == 0
                         ? "; nobody said how often to certify: access set-review"
                         : "");
        return;
    }
    (void)printf("%zu share%s", count, count == 1 ? "" : "s");
    if (r->end) {
        (void)printf(r->options->dry_run ? ", %llu would be ended" : ", %llu ended",
                     (unsigned long long)r->ended);
        if (count > mine) {
            (void)printf(", %zu %s for others to decide", count - mine,
                         count - mine == 1 ? "is" : "are");
        }
    } else if (mine > 0) {
        (void)printf("; --end ends %zu of them", mine);
    }
    (void)printf("\n");
}

static bool read_options(struct command_line *line, struct review *r)
{
    const char *account = option_word(line);
    for (;;) {
        const char *value = NULL;
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_BAD) return false;
        if (place == OPTION_END) break;
        if (place == OPTION_BELOW) r->below = strcmp(value, "false") != 0;
        if (place == OPTION_ENDS) r->end = strcmp(value, "false") != 0;
        if (place != OPTION_UNUSED_DAYS) continue;
        if (option_number(value, &r->unused_days) && r->unused_days > 0) continue;
        (void)fprintf(stderr, "charter: --unused-days: '%s' is no number from 1\n", value);
        return false;
    }
    if (account != NULL) line->options.on = account;
    if (line->options.help) return true;
    if (line->options.csv) {
        (void)fprintf(stderr, "charter: access-review has no CSV form; try --json\n");
        return false;
    }
    if (r->end && line->options.as_of != NULL) {
        (void)fprintf(stderr, "charter: what was is not ended: --end goes without --as-of\n");
        return false;
    }
    if (line->options.on != NULL) return true;
    (void)fprintf(stderr, "charter: usage: charter %s\n", review_special.usage);
    return false;
}

enum exit_code review_run(struct command_line *line)
{
    struct review r = {.options = &line->options};
    if (!read_options(line, &r)) return EXIT_USAGE;
    if (line->options.help) {
        help_special(stdout, &review_special);
        return EXIT_DONE;
    }
    enum exit_code code = ask_connect(&line->options, 1, &r.c);
    if (code == EXIT_DONE) code = ask_list(&r);
    const bool listed = code == EXIT_DONE;
    if (listed && r.end) code = end_all(&r);
    if (listed && line->options.json) {
        if (!put_json(&r)) code = EXIT_FAILED;
    } else if (listed) {
        put_groups(&r);
        put_sum(&r);
    }
    charter_close(r.c);
    json_decref(r.shares);
    json_decref(r.people);
    json_decref(r.last);
    return code;
}
