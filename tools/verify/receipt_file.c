/* receipt_file: see receipt_file.h. SPDX-License-Identifier: MIT */
#include "tools/verify/receipt_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "schema/text.h"
#include "tools/lib/clean.h"
#include "tools/lib/file.h"
#include "tools/lib/jsonout.h"
#include "tools/verify/receipt_check.h"

enum { FILE_MOST = 4 << 20, LINE_BYTES = 320 };

/* ---- what it comes to --------------------------------------------------------------------- */

static const char proves_answer[] =
    "that whoever holds the log's key stated this answer to this question, as of this event and "
    "this moment";
static const char proves_events[] =
    "that the events shown are in the log of this checkpoint, at their places, unchanged";

static const char not_complete[] =
    "that nothing else in the log bears on it: who replays the log finds out (charter-verify DIR "
    "--against with the checkpoint, then charter explain --as-of)";
static const char not_now[] = "that it is still so: later events may have changed it";
static const char not_same[] =
    "that others are shown the same log: compare the checkpoint with one kept elsewhere "
    "(charter-verify consistency)";
static const char not_words[] =
    "the words of the facts, and whose names these are: of an event only its place, time, actor, "
    "the things it names, and of what gives or takes the scope and the resource are compared";
static const char not_place[] = "which account or group stands above which, and whose a share is "
                                "that is shown by a later event "
                                "than the one that gave it: other events say so";

static const char *const proves[] = {proves_answer, proves_events};
static const char *const not_proves[] = {not_complete, not_now, not_same, not_place, not_words};
enum { PROVES = sizeof proves / sizeof proves[0] };
enum { NOT_PROVES = sizeof not_proves / sizeof not_proves[0] };

/* What could not be checked; an empty text: nothing. */
static void missing(const struct checked *checked, char out[LINE_BYTES])
{
    out[0] = '\0';
    if (checked->withheld > 0) {
        (void)snprintf(out, LINE_BYTES,
                       "%" PRIu64 " of the events are in the log, but their content was withheld "
                       "from who asked",
                       checked->withheld);
    } else if (checked->unknown > 0) {
        (void)snprintf(out, LINE_BYTES,
                       "%" PRIu64 " of the events are in the log, but of a form that this program "
                       "does not know",
                       checked->unknown);
    } else if (checked->apart > 0) {
        (void)snprintf(out, LINE_BYTES, "%s", known_apart);
    }
}

static void put_text(struct ch_text text)
{
    clean_print(stdout, text);
}

static const char *reason_text(struct ch_text name)
{
    for (const struct ch_enum_value *v = ch_kinds[CH_KIND_reason].values; v->name != NULL; v++) {
        if (ch_text_is(name, v->name)) return v->text;
    }
    return "";
}

/* ---- for people --------------------------------------------------------------------------- */

static void put_id(const char *prefix, uint64_t id)
{
    char text[CH_ID_TEXT_BYTES];
    (void)ch_id_write(prefix, id, text);
    (void)printf("%s", text);
}

static void print_question(const struct statement *s)
{
    (void)printf("  question      may ");
    if (s->subject != 0) {
        (void)printf(s->by_key ? "key " : "user ");
        put_id(s->by_key ? "key" : "usr", s->subject);
    } else {
        (void)printf("somebody called");
    }
    if (s->said[SAID_subject_name].ptr != NULL) {
        (void)printf(" ");
        put_text(s->said[SAID_subject_name]);
    }
    (void)printf(" do ");
    put_text(s->said[SAID_scope]);
    if (s->said[SAID_resource].ptr != NULL) {
        (void)printf(" with ");
        put_text(s->said[SAID_resource]);
    } else if (s->said[SAID_any].ptr != NULL) {
        (void)printf(" with any resource");
    }
    (void)printf(" on account ");
    if (s->account != 0) put_id("acc", s->account);
    put_text(s->said[SAID_account_path]);
    if (s->said[SAID_account_name].ptr != NULL) {
        (void)printf(" (");
        put_text(s->said[SAID_account_name]);
        (void)printf(")");
    }
    (void)printf(", by ");
    put_text(s->said[SAID_channel]);
    (void)printf("?\n");
}

static void print_line(const struct line *line)
{
    if (!line->is_fact) {
        const bool deeper = ch_text_is(line->word, "by-name");
        (void)printf("    %s", deeper ? "    by " : "");
        if (!deeper) put_text(line->word);
        if (!deeper && line->rest.len > 0) (void)printf(" ");
        put_text(line->rest);
        (void)printf("\n");
        return;
    }
    const struct fact *fact = &line->fact;
    const bool way = ch_text_is(line->word, "needs") || ch_text_is(line->word, "way-denied-by");
    (void)printf(way ? "      " : "    ");
    put_text(line->word);
    (void)printf(" ");
    put_text(fact->words);
    (void)printf("  [%" PRIu64, fact->seq);
    if (fact->has_event) {
        (void)printf(", ");
        put_text(fact->at);
        (void)printf(", ");
        put_text(fact->by_kind);
        if (ch_text_is(fact->by_kind, "user")) {
            (void)printf(" ");
            put_id("usr", fact->by);
        } else if (ch_text_is(fact->by_kind, "key")) {
            (void)printf(" ");
            put_id("key", fact->by);
        }
    }
    (void)printf("]\n");
}

static void print_list(const char *title, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)printf("  %-13s %s\n", i == 0 ? title : "", texts[i]);
    }
}

static void print_good(const struct checked *checked, const char *lacks)
{
    const struct statement *s = &checked->statement;
    struct ch_text explanation = checked->receipt.explanation;
    struct line line;
    (void)printf("good: ");
    put_text(s->said[SAID_log]);
    (void)printf(" said so at ");
    put_text(s->said[SAID_made]);
    (void)printf("\n");
    print_question(s);
    (void)printf("  answer        %s: %s (",
                 ch_text_is(s->said[SAID_decision], "allowed") ? "allowed" : "denied",
                 reason_text(s->said[SAID_reason]));
    put_text(s->said[SAID_decision]);
    (void)printf(", ");
    put_text(s->said[SAID_reason]);
    (void)printf(")\n  as of         event %" PRIu64 ", the moment ", s->seq);
    put_text(s->said[SAID_moment]);
    if (s->said[SAID_valid_until].ptr != NULL) {
        (void)printf("; time alone changes nothing before ");
        put_text(s->said[SAID_valid_until]);
    }
    (void)printf("\n  because\n");
    while (explanation.len > 0 && receipt_read_line(&explanation, &line)) {
        print_line(&line);
    }
    (void)printf("  checked       statement and checkpoint are signed by %s\n"
                 "                %" PRIu64 " facts, by %" PRIu64 " events of a log of %" PRIu64
                 "\n",
                 checked->key, checked->facts, checked->records, checked->checkpoint.size);
    if (checked->checkpoint.has_state && checked->checkpoint.state_seq == s->seq) {
        (void)printf("                the checkpoint also names the hash of the state that was "
                     "asked\n");
    }
    if (lacks[0] != '\0') (void)printf("  but           %s\n", lacks);
    print_list("proves", proves, PROVES);
    print_list("proves not", not_proves, NOT_PROVES);
}

/* ---- for programs ------------------------------------------------------------------------- */

static json_t *json_of(struct ch_text text)
{
    return jsonout_text(text.ptr, text.len);
}

static json_t *json_statement(const struct statement *s)
{
    json_t *tree = json_object();
    for (int i = 0; i < SAIDS; i++) {
        char name[32];
        if (s->said[i].ptr == NULL || i == SAID_account || i == SAID_seq || i == SAID_subject) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s", said_words[i]);
        for (char *at = name; *at != '\0'; at++) {
            if (*at == '-') *at = '_';
        }
        jsonout_put(&tree, name, json_of(s->said[i]));
    }
    jsonout_put(&tree, "seq", json_integer((json_int_t)s->seq));
    if (s->account != 0) {
        jsonout_put(&tree, "account", json_integer((json_int_t)s->account));
    }
    if (s->subject != 0) {
        jsonout_put(&tree, s->by_key ? "key" : "user", json_integer((json_int_t)s->subject));
    }
    return tree;
}

static json_t *json_line(const struct line *line)
{
    json_t *tree = json_object();
    const struct fact *fact = &line->fact;
    jsonout_put(&tree, "line", json_of(line->word));
    if (!line->is_fact) {
        if (line->rest.len > 0) jsonout_put(&tree, "text", json_of(line->rest));
        return tree;
    }
    jsonout_put(&tree, "fact", json_of(fact->name));
    jsonout_put(&tree, "seq", json_integer((json_int_t)fact->seq));
    if (fact->has_event) {
        jsonout_put(&tree, "at", json_of(fact->at));
        jsonout_put(&tree, "actor_kind", json_of(fact->by_kind));
        jsonout_put(&tree, "actor", json_integer((json_int_t)fact->by));
    }
    for (int i = 0; i < CLAIMS; i++) {
        if (fact->ids[i] == 0) continue;
        jsonout_put(&tree, claim_words[i], json_integer((json_int_t)fact->ids[i]));
    }
    jsonout_put(&tree, "text", json_of(fact->words));
    return tree;
}

static json_t *json_texts(const char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        jsonout_add(&list, json_string(texts[i]));
    }
    return list;
}

static bool print_json(const struct checked *checked, bool good, const char *lacks)
{
    json_t *tree = json_object();
    jsonout_put(&tree, "good", json_boolean(good));
    if (!good) jsonout_put(&tree, "text", jsonout_string(checked->text));
    if (good) {
        struct ch_text explanation = checked->receipt.explanation;
        struct line line;
        json_t *lines = json_array();
        while (explanation.len > 0 && receipt_read_line(&explanation, &line)) {
            jsonout_add(&lines, json_line(&line));
        }
        jsonout_put(&tree, "statement", json_statement(&checked->statement));
        jsonout_put(&tree, "explanation", lines);
        jsonout_put(&tree, "key", jsonout_string(checked->key));
        jsonout_put(&tree, "records", json_integer((json_int_t)checked->records));
        jsonout_put(&tree, "size", json_integer((json_int_t)checked->checkpoint.size));
        jsonout_put(&tree, "proves", json_texts(proves, PROVES));
        jsonout_put(&tree, "proves_not", json_texts(not_proves, NOT_PROVES));
        if (lacks[0] != '\0') jsonout_put(&tree, "unchecked", jsonout_string(lacks));
    }
    return jsonout_print("charter-verify", stdout, tree, JSON_INDENT(2));
}

/* ------------------------------------------------------------------------------------------- */

static enum exit_code check(const struct options *options, struct ch_text file)
{
    struct checked *checked = calloc(1, sizeof *checked);
    struct ch_hasher hasher = {0};
    char lacks[LINE_BYTES];
    enum exit_code code = EXIT_FAILED;
    if (checked == NULL || ch_hasher_init(&hasher, NULL) != CH_OK) {
        (void)fprintf(stderr, "charter-verify: out of memory\n");
        free(checked);
        return EXIT_FAILED;
    }
    const bool good = receipt_check(options, file, &hasher, checked);
    missing(checked, lacks);
    code = !good ? EXIT_FALSE : lacks[0] != '\0' ? EXIT_PARTLY : EXIT_GOOD;
    if (options->json) {
        if (!print_json(checked, good, lacks) && good) code = EXIT_FAILED;
    } else if (good && !options->quiet) {
        print_good(checked, lacks);
    }
    if (!good) {
        (void)fprintf(stderr, "charter-verify: FALSE: %s: %s\n", options->path, checked->text);
    }
    ch_hasher_deinit(&hasher);
    free(checked);
    return code;
}

enum exit_code receipt_file(const struct options *options)
{
    struct ch_buf file = {0};
    enum exit_code code = EXIT_FAILED;
    if (file_read("charter-verify", options->path, FILE_MOST, &file)) {
        code = check(options, (struct ch_text){(const char *)file.ptr, file.len});
    }
    ch_buf_deinit(&file);
    return code;
}
