/* diff: see diff.h. SPDX-License-Identifier: MIT
 * Both moments are asked about in turn, each with all its questions, so that the daemon's worker
 * goes through the log once for each. */
#include "tools/charter/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/buf.h"
#include "tools/charter/ask.h"
#include "tools/charter/progress.h"
#include "tools/charter/ref.h"
#include "tools/charter/snapshot.h"
#include "tools/lib/clean.h"
#include "tools/lib/interrupt.h"
#include "tools/lib/jsonout.h"

enum { MOMENTS = 2, NUMBER_BYTES = 24 };

static const struct option_row rows[] = {
    {"at", "SEQ|TIME|now", "a moment; given twice: what changed from the first to the second"},
};

const struct special diff_special = {
    .words = "diff",
    .usage = "diff --at SEQ|TIME --at SEQ|TIME|now [ACCOUNT]",
    .doc =
        "Shows what changed between two moments, of an account and all below it, or of\n"
        "everything: accounts, settings, plans, credits, people, shares with their grants, groups\n"
        "with their members, keys, roles, limits. Ends with 0 if nothing did, 1 if something did,\n"
        "3 if the asker may not see all of it.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

/* Something that is not the same at both moments. */
struct change {
    const char *mark; /* "+", "-", "~" */
    json_t *before;   /* NULL: it was not there; borrowed */
    json_t *after;
};

struct diff {
    const char *at[MOMENTS];
    char now[NUMBER_BYTES];
    const char *account;
    struct snapshot moments[MOMENTS];
    struct change *changes;
    size_t count;
    size_t cap;
};

/* ---- comparing ---------------------------------------------------------------------------- */

static bool add_change(struct diff *d, const char *mark, json_t *before, json_t *after)
{
    if (d->count == d->cap) {
        const size_t cap = d->cap == 0 ? 64 : d->cap * 2;
        struct change *changes = realloc(d->changes, cap * sizeof *changes);
        if (changes == NULL) return false;
        d->changes = changes;
        d->cap = cap;
    }
    d->changes[d->count++] = (struct change){mark, before, after};
    return true;
}

static const char *word_of(json_t *thing, const char *name)
{
    const char *word = json_string_value(json_object_get(thing, name));
    return word == NULL ? "" : word;
}

static int kind_of(json_t *thing)
{
    int kind = 0;
    while (kind < SNAPSHOT_KINDS && strcmp(word_of(thing, "kind"), snapshot_kinds[kind]) != 0) {
        kind++;
    }
    return kind;
}

/* Whether a thing is called something else; what is called by its account's path is told there. */
static bool is_renamed(json_t *before, json_t *after)
{
    return strcmp(word_of(before, "title"), word_of(after, "title")) != 0 &&
           strcmp(word_of(after, "title"), word_of(after, "account")) != 0;
}

/* By account, kind, title and id, so that the same difference always looks the same. */
static int by_place(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;
    json_t *one = x->after != NULL ? x->after : x->before;
    json_t *other = y->after != NULL ? y->after : y->before;
    int order = strcmp(word_of(one, "account"), word_of(other, "account"));
    if (order == 0) order = kind_of(one) - kind_of(other);
    if (order == 0) order = strcmp(word_of(one, "title"), word_of(other, "title"));
    if (order == 0) order = strcmp(word_of(one, "id"), word_of(other, "id"));
    return order;
}

static bool compare(struct diff *d)
{
    const char *key;
    json_t *thing;
    bool good = true;
    json_object_foreach(d->moments[0].things, key, thing)
    {
        json_t *after = json_object_get(d->moments[1].things, key);
        if (after == NULL) {
            good = good && add_change(d, "-", thing, NULL);
        } else if (is_renamed(thing, after) || !json_equal(json_object_get(thing, "values"),
                                                           json_object_get(after, "values"))) {
            good = good && add_change(d, "~", thing, after);
        }
    }
    json_object_foreach(d->moments[1].things, key, thing)
    {
        if (json_object_get(d->moments[0].things, key) == NULL) {
            good = good && add_change(d, "+", NULL, thing);
        }
    }
    if (d->count > 0) qsort(d->changes, d->count, sizeof *d->changes, by_place);
    return good;
}

/* ---- for people --------------------------------------------------------------------------- */

static void put(const char *text)
{
    clean_print(stdout, ch_text_of(text));
}

static void put_value(json_t *value)
{
    size_t i;
    json_t *item;
    if (json_is_string(value)) put(json_string_value(value));
    if (json_is_array(value) && json_array_size(value) == 0) put("-");
    json_array_foreach(value, i, item)
    {
        if (i > 0) put(", ");
        put(json_string_value(item));
    }
}

static bool holds(json_t *list, json_t *item)
{
    size_t i;
    json_t *other;
    json_array_foreach(list, i, other)
    {
        if (json_equal(item, other)) return true;
    }
    return false;
}

/* What came to a set, and what left it. */
static void put_set(json_t *before, json_t *after)
{
    size_t i;
    json_t *item;
    json_array_foreach(after, i, item)
    {
        if (holds(before, item)) continue;
        put(" +");
        put(json_string_value(item));
    }
    json_array_foreach(before, i, item)
    {
        if (holds(after, item)) continue;
        put(" -");
        put(json_string_value(item));
    }
}

static json_t *text_of(json_t *value)
{
    return json_object_get(value, "text");
}

/* before, after: texts or lists of texts */
static void put_changed(const char *name, json_t *before, json_t *after)
{
    (void)printf("    %s ", before == NULL ? "+" : after == NULL ? "-" : "~");
    put(name);
    put(":");
    if (json_is_array(before) && json_is_array(after)) {
        put_set(before, after);
    } else if (before != NULL && after != NULL) {
        put(" ");
        put_value(before);
        put(" -> ");
        put_value(after);
    } else {
        put(" ");
        put_value(before != NULL ? before : after);
    }
    (void)putchar('\n');
}

static void print_values(const struct change *change)
{
    const char *name;
    json_t *value;
    json_t *before = json_object_get(change->before, "values");
    json_t *after = json_object_get(change->after, "values");
    if (before == NULL || after == NULL) {
        bool first = true;
        json_object_foreach(before != NULL ? before : after, name, value)
        {
            json_t *text = text_of(value);
            if (json_is_array(text) && json_array_size(text) == 0) continue;
            put(first ? "    " : "; ");
            first = false;
            put(name);
            put(": ");
            put_value(text);
        }
        if (!first) (void)putchar('\n');
        return;
    }
    if (is_renamed(change->before, change->after) && json_object_get(after, "name") == NULL) {
        put_changed("name", json_object_get(change->before, "title"),
                    json_object_get(change->after, "title"));
    }
    json_object_foreach(before, name, value)
    {
        json_t *now = json_object_get(after, name);
        if (!json_equal(value, now)) put_changed(name, text_of(value), text_of(now));
    }
    json_object_foreach(after, name, value)
    {
        if (json_object_get(before, name) == NULL) put_changed(name, NULL, text_of(value));
    }
}

static void print_table(const struct diff *d)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct change *change = &d->changes[i];
        json_t *thing = change->after != NULL ? change->after : change->before;
        const char *account = word_of(thing, "account");
        (void)printf("%s %s ", change->mark, word_of(thing, "kind"));
        put(word_of(thing, "title"));
        if (account[0] != '\0' && strcmp(account, word_of(thing, "title")) != 0) {
            put(" on ");
            put(account);
        }
        (void)printf("  [%s]\n", word_of(thing, "id"));
        print_values(change);
    }
}

/* ---- for programs ------------------------------------------------------------------------- */

/* The values as in the protocol. */
static json_t *raw_of(json_t *values)
{
    const char *name;
    json_t *value;
    json_t *raw = json_object();
    json_object_foreach(values, name, value)
    {
        jsonout_put(&raw, name, json_incref(json_object_get(value, "raw")));
    }
    return raw;
}

static json_t *moment_of(const char *at)
{
    uint64_t seq;
    return option_number(at, &seq) ? json_integer((json_int_t)seq) : jsonout_string(at);
}

static bool print_json(const struct diff *d)
{
    /* Each with what stands for it in a thing. */
    static const char *const names[][2] = {
        {"kind", "kind"}, {"id", "number"}, {"account", "account"}, {"title", "title"}};
    json_t *list = json_array();
    for (size_t i = 0; i < d->count; i++) {
        const struct change *change = &d->changes[i];
        json_t *thing = change->after != NULL ? change->after : change->before;
        json_t *one = json_object();
        jsonout_put(&one, "change",
                    json_string(change->before == NULL  ? "added"
                                : change->after == NULL ? "removed"
                                                        : "changed"));
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            jsonout_put(&one, names[k][0], json_incref(json_object_get(thing, names[k][1])));
        }
        if (change->before != NULL && change->after != NULL &&
            is_renamed(change->before, change->after)) {
            jsonout_put(&one, "title_before",
                        json_incref(json_object_get(change->before, "title")));
        }
        json_t *before = json_object_get(change->before, "values");
        json_t *after = json_object_get(change->after, "values");
        if (before != NULL) jsonout_put(&one, "before", raw_of(before));
        if (after != NULL) jsonout_put(&one, "after", raw_of(after));
        jsonout_add(&list, one);
    }
    json_t *tree = json_object();
    jsonout_put(&tree, "from", moment_of(d->at[0]));
    jsonout_put(&tree, "to", moment_of(d->at[1]));
    jsonout_put(&tree, "changes", list);
    jsonout_put(&tree, "left_out", json_incref(d->moments[1].left_out));
    return jsonout_print("charter", stdout, tree, JSON_INDENT(2));
}

/* ---- the command -------------------------------------------------------------------------- */

static bool read_options(struct command_line *line, struct diff *d)
{
    int count = 0;
    for (;;) {
        const char *value = NULL;
        const char *word = option_word(line);
        if (word != NULL && d->account != NULL) {
            (void)fprintf(stderr, "charter: '%s': one account at a time\n", word);
            return false;
        }
        if (word != NULL) {
            d->account = word;
            continue;
        }
        const int place = option_next(line, rows, 1, &value);
        if (place == OPTION_END) break;
        if (place == OPTION_BAD) return false;
        if (place == OPTION_GLOBAL) continue;
        if (count < MOMENTS) d->at[count] = value;
        count++;
    }
    if (d->account == NULL) d->account = line->options.on;
    if (!line->options.help && line->options.as_of != NULL) {
        (void)fprintf(stderr, "charter: diff takes its moments with --at, not with --as-of\n");
        return false;
    }
    if (line->options.help || count == MOMENTS) return true;
    (void)fprintf(stderr, "charter: usage: charter %s\n", diff_special.usage);
    return false;
}

static enum exit_code tell_no_memory(void)
{
    (void)fprintf(stderr, "charter: failed: out of memory\n");
    return EXIT_FAILED;
}

/* The present moment as a seq, so that all questions are about the same one. */
static enum exit_code set_now(struct charter *c, const struct options *o, struct diff *d)
{
    struct ch_buf none = {0};
    struct charter_reply *reply = NULL;
    uint64_t durable = 0;
    if (strcmp(d->at[0], "now") != 0 && strcmp(d->at[1], "now") != 0) return EXIT_DONE;
    const enum exit_code code = ask_call(c, o, "status", false, &none, 0, &reply);
    if (code != EXIT_DONE) return code;
    (void)charter_get_uint(charter_reply_result(reply, 0)->value, "durable", &durable);
    charter_reply_destroy(reply);
    (void)snprintf(d->now, sizeof d->now, "%" PRIu64, durable);
    for (int i = 0; i < MOMENTS; i++) {
        if (strcmp(d->at[i], "now") == 0) d->at[i] = d->now;
    }
    return EXIT_DONE;
}

/* The account's id, as it was called at that moment; *ret 0: there was none. */
static enum exit_code account_at(struct charter *c, const struct options *given,
                                 const struct diff *d, int moment, uint64_t *ret)
{
    struct options o = *given;
    struct charter_error error;
    struct charter_reply *reply = NULL;
    struct charter_bytes account;
    enum exit_code code = EXIT_DONE;
    o.as_of = d->at[moment];
    const struct charter_head head = ask_head(&o);
    struct charter_message *m = charter_message_create(&head);
    if (m == NULL) return tell_no_memory();
    const struct ref ref = ref_of(CH_KIND_account_ref, d->account);
    charter_message_call(
        m, &(struct charter_call_head){.type = "account.show", .on = ref.name, .on_id = ref.id});
    if (charter_call(c, m, &reply, &error) != 0) {
        code = ask_tell_error(&error);
    } else if (charter_reply_result(reply, 0)->outcome == CHARTER_FAILURE) {
        code = ask_tell_no(charter_reply_result(reply, 0));
    } else if (charter_get(charter_reply_result(reply, 0)->value, "account", &account)) {
        (void)charter_get_uint(account, "account", ret);
    }
    charter_reply_destroy(reply);
    charter_message_destroy(m);
    return code;
}

static bool go_on(void *arg, uint64_t accounts)
{
    progress_tell(arg, accounts, -1);
    return !interrupted();
}

static enum exit_code take(struct charter *c, const struct options *o, struct diff *d)
{
    uint64_t account = 0;
    enum exit_code code = EXIT_DONE;
    for (int i = MOMENTS - 1; d->account != NULL && account == 0 && i >= 0; i--) {
        code = account_at(c, o, d, i, &account);
        if (code != EXIT_DONE) return code;
    }
    if (d->account != NULL && account == 0) {
        (void)fprintf(stderr,
                      "charter: refused: not_found: there is no account %s at either "
                      "moment, or it may not be seen\n",
                      d->account);
        return EXIT_REJECTED;
    }
    for (int i = 0; i < MOMENTS && code == EXIT_DONE; i++) {
        struct progress progress;
        progress_begin(&progress, false, 0);
        progress.noun = i == 0 ? "accounts before" : "accounts after";
        code = snapshot_take(c, o, d->at[i], account, go_on, &progress, &d->moments[i]);
        progress_end(&progress);
    }
    return code;
}

/* What the asker could not see at either moment is told. */
static bool tell_left_out(const struct diff *d)
{
    const char *call;
    json_t *reason;
    bool any = false;
    for (int i = 0; i < MOMENTS; i++) {
        json_object_foreach(d->moments[i].left_out, call, reason)
        {
            if (i == 1 && json_object_get(d->moments[0].left_out, call) != NULL) continue;
            (void)fprintf(stderr, "charter: refused: %s: %s, so this is left out\n", call,
                          json_string_value(reason));
            any = true;
        }
    }
    return any;
}

enum exit_code diff_run(struct command_line *line)
{
    struct diff d = {.account = NULL};
    struct charter *c = NULL;
    enum exit_code code = EXIT_USAGE;
    if (!read_options(line, &d)) return EXIT_USAGE;
    if (line->options.help) {
        help_special(stdout, &diff_special);
        return EXIT_DONE;
    }
    if (line->options.csv) {
        (void)fprintf(stderr, "charter: diff has no list to print as CSV; try --json\n");
        return EXIT_USAGE;
    }
    interrupt_watch();
    code = ask_connect(&line->options, 1, &c);
    if (code == EXIT_DONE) code = set_now(c, &line->options, &d);
    if (code == EXIT_DONE) code = take(c, &line->options, &d);
    if (code == EXIT_DONE && !compare(&d)) code = tell_no_memory();
    if (code == EXIT_DONE) {
        bool printed = true;
        if (line->options.json) {
            printed = print_json(&d);
        } else {
            print_table(&d);
        }
        if (d.count > 0) code = EXIT_NO;
        if (tell_left_out(&d)) code = EXIT_REJECTED;
        if (!printed) code = EXIT_FAILED;
    }
    for (int i = 0; i < MOMENTS; i++) {
        snapshot_deinit(&d.moments[i]);
    }
    free(d.changes);
    charter_close(c);
    return code;
}
