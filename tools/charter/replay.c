/* replay: see replay.h. SPDX-License-Identifier: MIT */
#include "tools/charter/replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/cursor.h"
#include "schema/pack.h"
#include "schema/text.h"
#include "tools/charter/ask.h"
#include "tools/charter/eventline.h"
#include "tools/lib/interrupt.h"
#include "tools/charter/progress.h"
#include "tools/charter/ref.h"

enum { OPTION_FROM, OPTION_TO, OPTION_ACCOUNT, OPTION_USER, OPTION_TYPE, OPTION_FORMAT, OPTIONS };
enum { PAGE = 1000, TYPES_MOST = 32 };

static const struct option_row rows[] = {
    [OPTION_FROM] = {"from", "SEQ|TIME", "the first event; the log's first unless said"},
    [OPTION_TO] = {"to", "SEQ|TIME", "the last event; the log's last unless said"},
    [OPTION_ACCOUNT] = {"account", "ACCOUNT", "only events of this account; --on says the same"},
    [OPTION_USER] = {"user", "USER", "only events about this user or their shares"},
    [OPTION_TYPE] = {"type", "TYPE,...", "only of these types: share_given, or all share.*"},
    [OPTION_FORMAT] = {"format", "FORMAT", "table, json (an object a line) or csv"},
};

const struct special replay_special = {
    .words = "replay",
    .usage = "replay [--from SEQ|TIME] [--to SEQ|TIME] [--account ACCOUNT] [--user USER]\n"
             "       [--type TYPE,...] [--format table|json|csv]",
    .doc = "Prints what happened: the log's events in order, decoded, with the names of what they\n"
           "are about beside the ids. Interrupted, it says where to go on.",
    .rows = rows,
    .row_count = OPTIONS,
};

struct replay {
    struct charter *c;
    const struct options *o;
    const char *texts[OPTIONS]; /* NULL: not given */
    char *types[TYPES_MOST];
    size_t type_count;
    char *type_texts; /* what they point into */
    uint64_t from;
    uint64_t to;
    uint64_t head;
    struct eventline *out;
};

/* ---- which events ------------------------------------------------------------------------- */

/* "share_given" as it stands; "share.*" and "share_*" all that begin so. */
static bool is_like(const char *pattern, struct charter_text type)
{
    const size_t len = strlen(pattern);
    const bool prefix = len > 0 && pattern[len - 1] == '*';
    const size_t compared = prefix ? len - 1 : len;
    if (prefix ? type.len < compared : type.len != compared) return false;
    return compared == 0 || memcmp(pattern, type.ptr, compared) == 0;
}

static bool is_wanted(const struct replay *r, struct charter_text type)
{
    for (size_t i = 0; i < r->type_count; i++) {
        if (is_like(r->types[i], type)) return true;
    }
    return r->type_count == 0;
}

static bool read_types(struct replay *r)
{
    const char *text = r->texts[OPTION_TYPE];
    bool known = true;
    if (text == NULL) return true;
    r->type_texts = strdup(text);
    if (r->type_texts == NULL) {
        (void)fprintf(stderr, "charter: failed: out of memory\n");
        return false;
    }
    for (char *at = r->type_texts; at != NULL;) {
        char *comma = strchr(at, ',');
        if (comma != NULL) *comma = '\0';
        for (char *c = at; *c != '\0'; c++) {
            if (*c == '.' || *c == '-') *c = '_';
        }
        if (r->type_count == TYPES_MOST) {
            (void)fprintf(stderr, "charter: --type takes %d types at most; share.* is one\n",
                          TYPES_MOST);
            return false;
        }
        r->types[r->type_count++] = at;
        known = known && eventline_knows(at, is_like);
        at = comma == NULL ? NULL : comma + 1;
    }
    if (!known) {
        (void)fprintf(
            stderr, "charter: --type %s: there is no such event; see schema/REFERENCE.md\n", text);
    }
    return known;
}

static size_t put_arguments(const struct replay *r, uint64_t from, uint64_t limit,
                            struct ch_buf *pairs)
{
    static const struct {
        int place;
        const char *name;
        uint8_t kind;
    } refs[] = {{OPTION_ACCOUNT, "account", CH_KIND_account_ref},
                {OPTION_USER, "user", CH_KIND_user_ref}};
    size_t count = 3;
    ch_pack_chars(pairs, "opened");
    ch_pack_bool(pairs, limit != 1);
    ch_pack_chars(pairs, "from");
    ch_pack_uint(pairs, from);
    ch_pack_chars(pairs, "limit");
    ch_pack_uint(pairs, limit);
    for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) {
        if (r->texts[refs[i].place] == NULL || limit == 1) continue;
        const struct ref ref = ref_of(refs[i].kind, r->texts[refs[i].place]);
        ch_pack_chars(pairs, refs[i].name);
        if (ref.id != 0) {
            ch_pack_uint(pairs, ref.id);
        } else {
            ch_pack_chars(pairs, ref.name);
        }
        count++;
    }
    const bool exact = r->type_count == 1 && strchr(r->types[0], '*') == NULL;
    if (exact && limit != 1) {
        ch_pack_chars(pairs, "type");
        ch_pack_chars(pairs, r->types[0]);
        count++;
    }
    return count;
}

static enum exit_code read_page(const struct replay *r, uint64_t from, uint64_t limit,
                                struct charter_reply **ret)
{
    struct ch_buf pairs = {0};
    const size_t count = put_arguments(r, from, limit, &pairs);
    const enum exit_code code = ask_call(r->c, r->o, "events.read", false, &pairs, count, ret);
    ch_buf_deinit(&pairs);
    return code;
}

/* ---- from when to when -------------------------------------------------------------------- */

/* The first seq whose event is not before a time; times never go back. */
static enum exit_code find_seq(const struct replay *r, uint64_t at_ns, uint64_t *ret)
{
    uint64_t low = 1;
    uint64_t high = r->head + 1;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        struct charter_reply *reply = NULL;
        struct charter_bytes events;
        struct charter_text text = {"", 0};
        uint64_t at = 0;
        const enum exit_code code = read_page(r, middle, 1, &reply);
        if (code != EXIT_DONE) return code;
        if (charter_get(charter_reply_result(reply, 0)->value, "events", &events)) {
            struct ch_cursor c = ch_cursor_of((struct ch_bytes){events.ptr, events.len});
            (void)ch_read_array(&c);
            const struct ch_bytes event = ch_read_value(&c);
            (void)charter_get_text((struct charter_bytes){event.ptr, event.len}, "at", &text);
        }
        const bool good = ch_time_read((struct ch_text){text.ptr, text.len}, &at);
        charter_reply_destroy(reply);
        if (!good) {
            (void)fprintf(stderr, "charter: failed: event %llu has no time\n",
                          (unsigned long long)middle);
            return EXIT_FAILED;
        }
        if (at >= at_ns) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *ret = low;
    return EXIT_DONE;
}

/* A seq as it stands, or by a time. last: the last event that is not after it */
static enum exit_code locate(const struct replay *r, int place, bool last, uint64_t *ret)
{
    const char *text = r->texts[place];
    uint64_t at = 0;
    if (text == NULL) return EXIT_DONE;
    if (option_number(text, ret)) return EXIT_DONE;
    if (!ch_time_read(ch_text_of(text), &at)) {
        (void)fprintf(stderr, "charter: --%s takes a seq or an RFC 3339 time, not '%s'\n",
                      rows[place].name, text);
        return EXIT_USAGE;
    }
    const enum exit_code code = find_seq(r, last ? at + 1 : at, ret);
    if (code == EXIT_DONE && last) (*ret)--;
    return code;
}

/* A name that nothing has is told, rather than that there are no events. An id may be of what is
 * gone. */
static enum exit_code check_names(const struct replay *r)
{
    struct options o = *r->o;
    struct ch_buf pairs = {0};
    struct charter_reply *reply = NULL;
    enum exit_code code = EXIT_DONE;
    o.on = r->texts[OPTION_ACCOUNT];
    if (o.on != NULL && ref_of(CH_KIND_account_ref, o.on).id == 0) {
        code = ask_call(r->c, &o, "account.show", true, &pairs, 0, &reply);
        charter_reply_destroy(reply);
        reply = NULL;
    }
    const char *user = r->texts[OPTION_USER];
    if (code == EXIT_DONE && user != NULL && ref_of(CH_KIND_user_ref, user).id == 0) {
        ch_pack_chars(&pairs, "user");
        ch_pack_chars(&pairs, ref_of(CH_KIND_user_ref, user).name);
        code = ask_call(r->c, r->o, "user.show", false, &pairs, 1, &reply);
        charter_reply_destroy(reply);
    }
    ch_buf_deinit(&pairs);
    return code;
}

/* A range in which no event can be; else nothing would be said at all. */
static void tell_empty(const struct replay *r, uint64_t asked_to)
{
    const char *from = r->texts[OPTION_FROM];
    const char *to = r->texts[OPTION_TO];
    (void)fprintf(stderr, "charter: no events from %s to %s: ", from == NULL ? "the first" : from,
                  to == NULL ? "the last" : to);
    if (r->from > r->head) {
        (void)fprintf(stderr, "the log ends with event %llu\n", (unsigned long long)r->head);
    } else if (asked_to == 0) {
        (void)fprintf(stderr, "the log begins after that\n");
    } else {
        (void)fprintf(stderr, "none lies between\n");
    }
}

static enum exit_code set_range(struct replay *r)
{
    struct ch_buf none = {0};
    struct charter_reply *reply = NULL;
    enum exit_code code = ask_call(r->c, r->o, "status", false, &none, 0, &reply);
    if (code != EXIT_DONE) return code;
    (void)charter_get_uint(charter_reply_result(reply, 0)->value, "durable", &r->head);
    charter_reply_destroy(reply);
    r->from = 1;
    r->to = r->head;
    code = locate(r, OPTION_FROM, false, &r->from);
    if (code == EXIT_DONE) code = locate(r, OPTION_TO, true, &r->to);
    if (r->from == 0) r->from = 1;
    const uint64_t asked = r->to;
    if (r->to > r->head) r->to = r->head;
    if (code == EXIT_DONE && r->from > r->to) tell_empty(r, asked);
    return code;
}

/* ---- the way through ---------------------------------------------------------------------- */

/* Prints what of a page is wanted. False: the last wanted event is behind, or *ret_code is none of
 * EXIT_DONE. */
static bool print_page(const struct replay *r, struct charter_bytes answer,
                       enum exit_code *ret_code)
{
    struct charter_bytes events;
    if (!charter_get(answer, "events", &events)) return true;
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){events.ptr, events.len});
    const uint32_t items = ch_read_array(&c);
    for (uint32_t i = 0; i < items && c.err == CH_OK; i++) {
        const struct ch_bytes item = ch_read_value(&c);
        const struct charter_bytes event = {item.ptr, item.len};
        struct charter_text type = {"", 0};
        uint64_t seq = 0;
        (void)charter_get_uint(event, "seq", &seq);
        (void)charter_get_text(event, "type", &type);
        if (seq > r->to) return false;
        if (!is_wanted(r, type)) {
            eventline_learn(r->out, event);
        } else if (!eventline_print(r->out, event)) {
            *ret_code = EXIT_FAILED;
            return false;
        }
    }
    return true;
}

static enum exit_code go(struct replay *r)
{
    struct progress progress;
    uint64_t at = r->from;
    bool more = r->from <= r->to;
    enum exit_code code = EXIT_DONE;
    progress_begin(&progress, false, 0);
    progress.noun = "events";
    /* On a terminal the events are progress enough. */
    if (isatty(STDOUT_FILENO) == 1) progress.shown = false;
    while (more && code == EXIT_DONE) {
        struct charter_reply *reply = NULL;
        uint64_t next = 0;
        code = read_page(r, at, PAGE, &reply);
        if (code != EXIT_DONE) break;
        const struct charter_bytes answer = charter_reply_result(reply, 0)->value;
        more = print_page(r, answer, &code) && charter_get_uint(answer, "next", &next) &&
               next > at && next <= r->to;
        charter_reply_destroy(reply);
        if (fflush(stdout) != 0 || ferror(stdout)) code = EXIT_FAILED;
        if (more) at = next;
        progress_tell(&progress, at - r->from,
                      (int)((at - r->from) * 1000 / (r->to - r->from + 1)));
        if (more && interrupted()) code = EXIT_INTERRUPTED;
    }
    progress_end(&progress);
    if (more && code != EXIT_DONE) {
        (void)fprintf(stderr, "charter: go on with --from %llu\n", (unsigned long long)at);
    }
    return code;
}

static bool read_options(struct command_line *line, struct replay *r, enum eventline_format *format)
{
    static const char *const formats[] = {"table", "json", "csv"};
    for (;;) {
        const char *value = NULL;
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_END) break;
        if (place == OPTION_BAD) return false;
        if (place >= 0) r->texts[place] = value;
    }
    if (r->texts[OPTION_ACCOUNT] == NULL) r->texts[OPTION_ACCOUNT] = line->options.on;
    *format = line->options.json  ? EVENTLINE_JSON
              : line->options.csv ? EVENTLINE_CSV
                                  : EVENTLINE_TABLE;
    if (line->options.help || r->texts[OPTION_FORMAT] == NULL) return true;
    for (int i = 0; i < 3; i++) {
        if (strcmp(r->texts[OPTION_FORMAT], formats[i]) != 0) continue;
        *format = (enum eventline_format)i;
        return true;
    }
    (void)fprintf(stderr, "charter: --format takes one of: table json csv; not '%s'\n",
                  r->texts[OPTION_FORMAT]);
    return false;
}

enum exit_code replay_run(struct command_line *line)
{
    struct replay r = {.o = &line->options};
    enum eventline_format format = EVENTLINE_TABLE;
    enum exit_code code = EXIT_USAGE;
    if (!read_options(line, &r, &format)) return EXIT_USAGE;
    if (line->options.help) {
        help_special(stdout, &replay_special);
        return EXIT_DONE;
    }
    if (!read_types(&r)) goto out;
    code = ask_connect(&line->options, 1, &r.c);
    if (code == EXIT_DONE) code = check_names(&r);
    if (code == EXIT_DONE) code = set_range(&r);
    if (code != EXIT_DONE) goto out;
    r.out = eventline_create(r.c, &line->options, format);
    if (r.out == NULL) {
        (void)fprintf(stderr, "charter: failed: out of memory\n");
        code = EXIT_FAILED;
        goto out;
    }
    interrupt_watch();
    code = go(&r);
out:
    eventline_destroy(r.out);
    charter_close(r.c);
    free(r.type_texts);
    return code;
}
