/* runner: runs one row of a scenario file against a real charterd. SPDX-License-Identifier: MIT
 *
 *     scenario-runner --charterd PROGRAM --row ROW-ID FILE.scn
 *     scenario-runner --charterd PROGRAM --input FILE      bad input for every call; see input.h
 *
 * A file holds rows; `row ID title` begins one, at the start of the line. Each row gets a charterd
 * of its own on an empty directory, with a clock that moves only when told (it begins at
 * 2020-01-01), and is asked over its socket. Lines:
 *
 *     given ACTOR: CALL        sends a command, which must be accepted
 *     when ACTOR: CALL         sends a command; one of the next three lines must follow
 *     accepted
 *     refused REASON [...]     a rule says no: schema/rejections.def
 *     failure CODE [...]       it could not be decided: schema/failures.def
 *     events [TYPE ...]        what the last command appended, in order; none: nothing
 *     result KEY=VALUE ...     what the last command answered
 *     ask ACTOR: CALL -> ...   asks; behind the arrow KEY=VALUE ..., or refused ..., or failure ...
 *     alike                    the last two answers are the same refusal, byte for byte
 *     token NAME ...           opens the sealed tokens of the last command's events, in order;
 *                              $NAME stands for the token
 *     secret NAME              remembers the secret that the last answer shows, as $NAME
 *     unmailed                 starts charterd again without a mailer
 *     label NAME [KEY]         remembers the seq of the last answer, or what its result says at KEY
 *                              (label shop account), a number; $NAME stands for it
 *     clock TIME               moves the clock; what is due happens
 *     times N LINE [| LINE]    says these lines N times; @ stands for 1, 2, ... N
 *     restart                  stops charterd and starts it again: revision and state are the same
 *     kill                     the same with kill -9
 *     send VALUE               sends a message as it stands: {"v": 1, "id": h'00ff', ...}
 *     bytes TEXT               sends these bytes: "\xdd\x04", "\x00"*1048577
 *     # ...                    a comment; also behind a line
 *
 * ACTOR is `operator`, or a username, or `key $NAME`, `session $NAME` (secrets), or `as-key ID`.
 * CALL is `TYPE key=value ...`, several of one message with && between them. Keys are the
 * arguments of schema/REFERENCE.md, and: on (the account), expect, note,
 * as_of, at_least, at, via (the channel), id, mode, dry_run. Values: as they stand, or "in quotes"
 * with \" \\ \n \xNN, or "a"*129; lists with commas. A line that ends with \ goes on in the next.
 * In answers `a.b=x` looks into nested maps and lists (of a list: each item's, with commas),
 * `key~x` says that the list holds x, `key!~x` that it does not, `key=absent` that there is none.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>

#include "schema/promise.h"
#include "schema/records.h"
#include "schema/json.h"
#include "tests/scenarios/input.h"
#include "tests/scenarios/message.h"
#include "tests/scenarios/world.h"

enum { LINE_BYTES = 65536 };

static bool problem(const char *what)
{
    (void)fprintf(stderr, "scenario: %s\n", what);
    return false;
}

static bool send_built(struct world *w)
{
    const struct ch_buf old = w->earlier;
    w->earlier = w->reply;
    w->reply = old;
    return daemon_ask(&w->daemon, ch_buf_view(&w->message), &w->reply) &&
           answer_read(ch_buf_view(&w->reply), &w->outcome);
}

static int rejection_of(struct ch_text name)
{
    for (size_t code = 1; code < ch_rejection_count; code++) {
        if (ch_rejections[code].name != NULL && ch_text_is(name, ch_rejections[code].name)) {
            return (int)code;
        }
    }
    return 0;
}

/* A command is refused only with what its row in commands.def says. `line` is ACTOR: CALL [&& …] */
static bool keeps_promise(const struct world *w, struct ch_text line)
{
    struct ch_reply_no no = {0};
    struct ch_why why = {0};
    if (w->outcome.kind != CH_OUTCOME_REJECTION) return true;
    if (ch_reply_read_no(w->outcome.value, &no, &why) != CH_OK) return problem(why.text);
    (void)text_cut(&line, ": ");
    struct ch_text call = text_trim(text_cut(&line, "&&"));
    for (uint32_t i = 0; i < w->outcome.place; i++) {
        call = text_trim(text_cut(&line, "&&"));
    }
    const int type = ch_call_find(word_next(&call));
    const int code = rejection_of(no.code);
    if (type < 0 || code == 0 || ch_calls[type].query || ch_promise_keeps(type, code)) return true;
    (void)fprintf(stderr, "scenario: MAY(%s) in commands.def lacks %s\n", ch_calls[type].args.name,
                  ch_rejections[code].name);
    return problem("put it in: python3 tests/golden/promises.py --write");
}

static bool speak(struct world *w, struct ch_text line)
{
    const char *why = NULL;
    ch_buf_reset(&w->message);
    if (!message_build(line, &w->labels, ++w->messages, &w->arena, &w->message, &why)) {
        return problem(why);
    }
    return send_built(w) && keeps_promise(w, line);
}

/* One value of the daemon's status. */
static bool status_of(struct world *w, const char *line, const char *name, struct ch_buf *ret)
{
    struct ch_buf reply = {0};
    struct outcome outcome;
    const char *why = NULL;
    ch_buf_reset(&w->message);
    ch_buf_reset(ret);
    bool good =
        message_build(ch_text_of(line), &w->labels, ++w->messages, &w->arena, &w->message, &why) &&
        daemon_ask(&w->daemon, ch_buf_view(&w->message), &reply) &&
        answer_read(ch_buf_view(&reply), &outcome) && outcome.kind == CH_OUTCOME_RESULT;
    if (!good && reply.len > 0) answer_show(ch_buf_view(&reply));
    /* An empty list is left out. */
    if (good && !answer_text(outcome.value, ch_text_of(name), ret)) ch_buf_reset(ret);
    ch_buf_deinit(&reply);
    return good || problem("the status could not be read");
}

static bool remember_revision(struct world *w)
{
    struct ch_buf text = {0};
    bool good =
        status_of(w, "operator: status", "revision", &text) &&
        word_number(&w->labels, (struct ch_text){(const char *)text.ptr, text.len}, &w->before);
    ch_buf_deinit(&text);
    return good;
}

static bool say_given(struct world *w, struct ch_text line)
{
    return remember_revision(w) && speak(w, line) &&
           answer_is(&w->outcome, ch_text_of("accepted"), &w->labels, &w->arena);
}

static bool say_when(struct world *w, struct ch_text line)
{
    w->unsaid = true;
    return remember_revision(w) && speak(w, line);
}

static bool say_send(struct world *w, struct ch_text line)
{
    w->unsaid = true;
    ch_buf_reset(&w->message);
    if (!word_msgpack(&line, &w->arena, &w->message) || text_trim(line).len > 0) {
        return problem("send takes one value, such as {\"v\": 1}");
    }
    struct ch_buf message = w->message;
    w->message = (struct ch_buf){0};
    bool good = remember_revision(w);
    ch_buf_deinit(&w->message);
    w->message = message;
    return good && send_built(w);
}

static bool say_bytes(struct world *w, struct ch_text line)
{
    w->unsaid = true;
    if (!remember_revision(w)) return false;
    ch_buf_reset(&w->message);
    ch_buf_put_text(&w->message, word_value(line, &w->arena));
    return send_built(w);
}

static bool say_outcome(struct world *w, struct ch_text line)
{
    w->unsaid = false;
    return answer_is(&w->outcome, line, &w->labels, &w->arena);
}

static bool say_result(struct world *w, struct ch_text line)
{
    return answer_holds(&w->outcome, line, &w->labels, &w->arena);
}

static bool say_events(struct world *w, struct ch_text line)
{
    char call[96];
    struct ch_buf types = {0};
    struct ch_buf wanted = {0};
    (void)snprintf(call, sizeof call, "operator: events.read from=%" PRIu64 " limit=1000",
                   w->before + 1);
    for (struct ch_text word = word_next(&line); word.len > 0; word = word_next(&line)) {
        if (wanted.len > 0) ch_buf_put(&wanted, ",", 1);
        ch_buf_put_text(&wanted, word);
    }
    bool good = status_of(w, call, "events.type", &types);
    const struct ch_text got = {(const char *)types.ptr, types.len};
    const struct ch_text expected = {(const char *)wanted.ptr, wanted.len};
    if (good && !ch_text_equal(got, expected)) {
        (void)fprintf(stderr, "scenario: events: expected '%.*s', got '%.*s'\n", (int)expected.len,
                      expected.ptr, (int)got.len, got.ptr);
        good = false;
    }
    ch_buf_deinit(&types);
    ch_buf_deinit(&wanted);
    return good;
}

static bool say_ask(struct world *w, struct ch_text line)
{
    struct ch_text call = text_cut(&line, "->");
    return speak(w, call) && answer_holds(&w->outcome, text_trim(line), &w->labels, &w->arena);
}

static bool say_alike(struct world *w, struct ch_text line)
{
    struct outcome earlier;
    (void)line;
    if (!answer_read(ch_buf_view(&w->earlier), &earlier)) return false;
    if (earlier.kind == w->outcome.kind && ch_bytes_equal(earlier.value, w->outcome.value) &&
        w->reply.len == w->earlier.len) {
        return true;
    }
    answer_show(ch_buf_view(&w->earlier));
    return problem("the last two answers are not alike");
}

static bool say_label(struct world *w, struct ch_text line)
{
    const struct ch_text name = word_next(&line);
    const struct ch_text key = word_next(&line);
    uint64_t number = w->outcome.seq;
    if (key.len > 0) {
        struct ch_buf text = {0};
        bool good =
            answer_text(w->outcome.value, key, &text) &&
            word_number(&w->labels, (struct ch_text){(const char *)text.ptr, text.len}, &number);
        ch_buf_deinit(&text);
        if (!good) return problem("the answer has no number there");
    }
    return labels_set(&w->labels, name, number) ||
           problem("label takes a short name, and there is room for 64");
}

/* What a mailer does with the events of the log. */
static bool open_token(const struct world *w, struct ch_text hex, uint8_t *out, size_t most)
{
    uint8_t sealed[256];
    const size_t len = hex.len / 2;
    return len > crypto_box_SEALBYTES && len <= sizeof sealed &&
           len - crypto_box_SEALBYTES <= most && ch_hex_read(hex, sealed, len) &&
           crypto_box_seal_open(out, sealed, len, w->mailer_public, w->mailer_secret) == 0;
}

static bool say_token(struct world *w, struct ch_text line)
{
    char call[96];
    uint8_t token[96];
    struct ch_buf found = {0};
    (void)snprintf(call, sizeof call, "operator: events.read from=%" PRIu64 " limit=1000",
                   w->before + 1);
    bool good = status_of(w, call, "events.fields.token_sealed", &found);
    struct ch_text rest = {(const char *)found.ptr, found.len};
    for (struct ch_text name = word_next(&line); good && name.len > 0; name = word_next(&line)) {
        const struct ch_text hex = text_cut(&rest, ",");
        good = open_token(w, hex, token, sizeof token) &&
               labels_set_text(
                   &w->labels, name,
                   (struct ch_text){(const char *)token, hex.len / 2 - crypto_box_SEALBYTES});
    }
    ch_buf_deinit(&found);
    if (good && rest.len > 0) return problem("the last command sealed more tokens than are named");
    return good || problem("the last command sealed no such token to the mailer");
}

static bool say_secret(struct world *w, struct ch_text line)
{
    struct ch_buf text = {0};
    bool good = answer_text(w->outcome.value, ch_text_of("secret"), &text) &&
                labels_set_text(&w->labels, text_trim(line),
                                (struct ch_text){(const char *)text.ptr, text.len});
    ch_buf_deinit(&text);
    return good || problem("the last answer shows no secret");
}

static bool say_clock(struct world *w, struct ch_text line)
{
    char call[128];
    (void)snprintf(call, sizeof call, "operator: clock.set to=%.*s", (int)line.len, line.ptr);
    return say_given(w, ch_text_of(call));
}

/* Ends the process and starts it again: what it knows must be the same, and nothing appended. */
static bool start_again(struct world *w, bool at_once)
{
    static const char hash_line[] = "operator: status state_hash=true";
    struct ch_buf revision = {0}, hash = {0}, revision_after = {0}, hash_after = {0};
    bool good = status_of(w, hash_line, "state_hash", &hash) &&
                status_of(w, "operator: status", "revision", &revision) &&
                daemon_restart(&w->daemon, at_once) &&
                status_of(w, hash_line, "state_hash", &hash_after) &&
                status_of(w, "operator: status", "revision", &revision_after);
    if (good && !ch_bytes_equal(ch_buf_view(&hash), ch_buf_view(&hash_after))) {
        good = problem("the state is another one after the start");
    }
    if (good && !ch_bytes_equal(ch_buf_view(&revision), ch_buf_view(&revision_after))) {
        good = problem("the start appended something");
    }
    ch_buf_deinit(&revision);
    ch_buf_deinit(&hash);
    ch_buf_deinit(&revision_after);
    ch_buf_deinit(&hash_after);
    return good;
}

static bool say_restart(struct world *w, struct ch_text line)
{
    (void)line;
    return start_again(w, /* at_once= */ false);
}

static bool say_kill(struct world *w, struct ch_text line)
{
    (void)line;
    return start_again(w, /* at_once= */ true);
}

static bool say_unmailed(struct world *w, struct ch_text line)
{
    (void)line;
    w->daemon.mailer_key[0] = '\0';
    return start_again(w, /* at_once= */ false);
}

/* about_last: it says more about the command before, so it may follow one that is still unsaid. */
static const struct statement {
    const char *word;
    bool (*say)(struct world *w, struct ch_text line);
    bool whole; /* takes its own word, too */
    bool about_last;
} statements[] = {
    {"given", say_given, false, false},    {"when", say_when, false, false},
    {"accepted", say_outcome, true, true}, {"refused", say_outcome, true, true},
    {"failure", say_outcome, true, true},  {"events", say_events, false, true},
    {"result", say_result, false, true},   {"ask", say_ask, false, false},
    {"alike", say_alike, false, true},     {"label", say_label, false, false},
    {"clock", say_clock, false, false},    {"restart", say_restart, false, false},
    {"kill", say_kill, false, false},      {"send", say_send, false, false},
    {"bytes", say_bytes, false, false},    {"token", say_token, false, true},
    {"secret", say_secret, false, true},   {"unmailed", say_unmailed, false, false},
};

static bool run_line(struct world *w, struct ch_text line)
{
    const struct ch_text whole = line;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        const struct statement *statement = &statements[i];
        if (!word_is(&line, statement->word)) continue;
        if (w->unsaid && !statement->about_last) {
            return problem("the command before: nothing says what it comes to");
        }
        w->statements++;
        return statement->say(w, statement->whole ? whole : line);
    }
    return problem("no line begins like this");
}

/* `times N LINE | LINE`: each line N times in turn, @ replaced by the number of the turn. */
static bool run_times(struct world *w, struct ch_text lines)
{
    uint64_t times;
    if (!word_number(&w->labels, word_next(&lines), &times)) return problem("times takes a number");
    for (uint64_t turn = 1; turn <= times; turn++) {
        char number[24];
        const size_t digits = (size_t)snprintf(number, sizeof number, "%" PRIu64, turn);
        struct ch_text rest = lines;
        while (rest.len > 0) {
            const struct ch_text line = text_trim(text_cut(&rest, "|"));
            char *out = ch_arena_take(&w->arena, line.len * sizeof number + 1);
            if (out == NULL) return problem("out of memory");
            size_t len = 0;
            for (size_t i = 0; i < line.len; i++) {
                const bool mark = line.ptr[i] == '@';
                memcpy(out + len, mark ? number : &line.ptr[i], mark ? digits : 1);
                len += mark ? digits : 1;
            }
            if (!run_line(w, (struct ch_text){out, len})) return false;
        }
    }
    return times > 0;
}

/* The next line without comment, joined where it ends with a backslash; false at the end. */
static bool read_line(FILE *file, char *line, unsigned *number)
{
    size_t len = 0;
    line[0] = '\0';
    while (len + 2 < LINE_BYTES && fgets(line + len, (int)(LINE_BYTES - len), file) != NULL) {
        ++*number;
        len += strlen(line + len);
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == ' ')) {
            line[--len] = '\0';
        }
        if (len == 0 || line[len - 1] != '\\') return true;
        line[--len] = '\0';
    }
    return len > 0;
}

bool world_run_row(struct world *w, const char *path, const char *row)
{
    static char line[LINE_BYTES];
    FILE *file = fopen(path, "re");
    if (file == NULL) return problem(strerror(errno));
    unsigned number = 0;
    bool good = true;
    bool inside = false;
    bool found = false;
    while (good && read_line(file, line, &number)) {
        struct ch_text text = ch_text_of(line);
        if (word_is(&text, "row")) {
            inside = ch_text_is(word_next(&text), row);
            found = found || inside;
            continue;
        }
        struct ch_text rest = ch_text_of(line);
        text = text_trim(text_cut(&rest, " #"));
        if (!inside || text.len == 0 || text.ptr[0] == '#') continue;
        good = word_is(&text, "times") ? run_times(w, text) : run_line(w, text);
        if (!good) (void)fprintf(stderr, "%s:%u: %.*s\n", path, number, (int)text.len, text.ptr);
        if (!good && w->reply.len > 0) answer_show(ch_buf_view(&w->reply));
        ch_arena_reset(&w->arena);
    }
    (void)fclose(file);
    if (!found) return problem("there is no such row in the file");
    if (good && w->unsaid) return problem("nothing says what the last command comes to");
    return good && (w->statements > 0 || problem("the row says nothing"));
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: scenario-runner --charterd PROGRAM --row ROW-ID FILE.scn\n"
                          "       scenario-runner --charterd PROGRAM --input FILE\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct world w;
    const bool input = argc == 5 && strcmp(argv[3], "--input") == 0;
    const bool row = argc == 6 && strcmp(argv[3], "--row") == 0;
    if ((!input && !row) || strcmp(argv[1], "--charterd") != 0) return usage();
    (void)signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0) return EXIT_FAILURE;
    (void)crypto_box_keypair(w.mailer_public, w.mailer_secret);
    (void)sodium_bin2hex(w.daemon.mailer_key, sizeof w.daemon.mailer_key, w.mailer_public,
                         sizeof w.mailer_public);
    bool good = daemon_begin(&w.daemon, argv[2]) &&
                (input ? input_run(&w, argv[4]) : world_run_row(&w, argv[5], argv[4]));
    good = daemon_end(&w.daemon, !good) && good;
    ch_buf_deinit(&w.message);
    ch_buf_deinit(&w.reply);
    ch_buf_deinit(&w.earlier);
    ch_arena_deinit(&w.arena);
    nng_fini();
    (void)fprintf(stderr, "%s %s: %" PRIu32 " statements, %s\n", argv[3], argv[4], w.statements,
                  good ? "all as expected" : "FAILED");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
