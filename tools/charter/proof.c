/* proof: see proof.h. SPDX-License-Identifier: MIT */
#include "tools/charter/proof.h"

#include <stdlib.h>
#include <string.h>

#include "schema/base/base64.h"
#include "schema/cursor.h"
#include "schema/pack.h"
#include "tools/charter/ask.h"
#include "tools/charter/outfile.h"

enum { OPTION_SEQ, OPTION_CHECKPOINT, OPTION_FROM, OPTION_TO, OPTION_OUT, OPTIONS };

static const struct option_row rows[] = {
    [OPTION_SEQ] = {"seq", "SEQ", "inclusion: the event"},
    [OPTION_CHECKPOINT] = {"checkpoint", "SIZE",
                           "inclusion: the size of the checkpoint; the newest unless said"},
    [OPTION_FROM] = {"from", "SIZE", "consistency: the earlier size; 0: of a witness that is new"},
    [OPTION_TO] = {"to", "SIZE", "consistency: a checkpoint's size; the newest unless said"},
    [OPTION_OUT] = {"out", "FILE",
                    "write the proof there; to standard output unless said, or with -"},
};

const struct special proof_special = {
    .words = "proof",
    .usage = "proof inclusion SEQ [--checkpoint SIZE] [--out FILE]\n"
             "       charter proof consistency FROM [TO] [--out FILE]",
    .doc = "Writes what proves that an event is in the log (a C2SP tlog-proof with the event's\n"
           "record), or that the log of an earlier size is the beginning of a checkpoint's (what\n"
           "a C2SP witness takes). charter-verify proof FILE and consistency FILE check them.",
    .rows = rows,
    .row_count = OPTIONS,
};

struct wanted {
    bool inclusion;
    const char *texts[OPTIONS]; /* NULL: not given */
    uint64_t numbers[OPTIONS];
};

bool proof_wanted(const struct command_line *line)
{
    const char *word = line->at < line->argc ? line->argv[line->at] : "";
    return strcmp(word, "inclusion") == 0 || strcmp(word, "consistency") == 0 ||
           strcmp(word, "--help") == 0;
}

bool proof_print_note(struct charter_bytes answer)
{
    struct charter_text note;
    if (!charter_get_text(answer, "note", &note)) return false;
    (void)fwrite(note.ptr, 1, note.len, stdout);
    return true;
}

/* ---- the command line --------------------------------------------------------------------- */

static bool take_number(struct wanted *wanted, int place, const char *value)
{
    wanted->texts[place] = value;
    if (place == OPTION_OUT) return true;
    const uint64_t least = place == OPTION_FROM ? 0 : 1;
    if (option_number(value, &wanted->numbers[place]) && wanted->numbers[place] >= least) {
        return true;
    }
    (void)fprintf(stderr, "charter: '%s' is no number from %d\n", value, (int)least);
    return false;
}

static bool read_options(struct command_line *line, struct wanted *wanted)
{
    const char *word = option_word(line);
    if (word == NULL) word = "inclusion"; /* only --help follows */
    wanted->inclusion = strcmp(word, "inclusion") == 0;
    const int first = wanted->inclusion ? OPTION_SEQ : OPTION_FROM;
    for (int place = first; place <= first + 1; place++) {
        word = option_word(line);
        if (word == NULL) break;
        if (!take_number(wanted, place, word)) return false;
    }
    for (;;) {
        const char *value = NULL;
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_END) break;
        if (place == OPTION_BAD) return false;
        if (place >= 0 && !take_number(wanted, place, value)) return false;
    }
    const bool strange =
        wanted->inclusion
            ? wanted->texts[OPTION_FROM] != NULL || wanted->texts[OPTION_TO] != NULL
            : wanted->texts[OPTION_SEQ] != NULL || wanted->texts[OPTION_CHECKPOINT] != NULL;
    if (line->options.help) return true;
    if (wanted->texts[first] != NULL && !strange) return true;
    (void)fprintf(stderr, "charter: usage: charter %s\n", proof_special.usage);
    return false;
}

static size_t put_arguments(const struct wanted *wanted, struct ch_buf *pairs)
{
    static const char *const names[OPTIONS] = {[OPTION_SEQ] = "seq",
                                               [OPTION_CHECKPOINT] = "size",
                                               [OPTION_FROM] = "from",
                                               [OPTION_TO] = "to"};
    size_t count = 0;
    for (int i = 0; i < OPTION_OUT; i++) {
        if (wanted->texts[i] == NULL) continue;
        ch_pack_chars(pairs, names[i]);
        ch_pack_uint(pairs, wanted->numbers[i]);
        count++;
    }
    return count;
}

/* ---- the file ----------------------------------------------------------------------------- */

static void put_hashes(struct ch_buf *out, struct charter_bytes answer)
{
    struct charter_bytes list;
    if (!charter_get(answer, "hashes", &list)) return; /* none is left out */
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){list.ptr, list.len});
    const uint32_t count = ch_read_array(&c);
    for (uint32_t i = 0; i < count && c.err == CH_OK; i++) {
        ch_base64_put(out, ch_read_bytes(&c));
        ch_buf_put(out, "\n", 1);
    }
}

static void put_word(struct ch_buf *out, const char *word, uint64_t number)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s %llu\n", word, (unsigned long long)number);
    ch_buf_put_text(out, ch_text_of(text));
}

/* False when out of memory, or the answer is not what it should be. */
static bool compose(const struct wanted *wanted, struct charter_bytes answer, struct ch_buf *out)
{
    struct charter_text note;
    struct charter_bytes record;
    uint64_t number = 0;
    bool good = charter_get_text(answer, "note", &note);
    if (wanted->inclusion) {
        good = good && charter_get_uint(answer, "index", &number) &&
               charter_get_bytes(answer, "record", &record);
        ch_buf_put_text(out, ch_text_of("c2sp.org/tlog-proof@v1\n"));
        if (good) {
            ch_buf_put_text(out, ch_text_of("extra "));
            ch_base64_put(out, (struct ch_bytes){record.ptr, record.len});
            ch_buf_put(out, "\n", 1);
        }
        put_word(out, "index", number);
    } else {
        good = good && charter_get_uint(answer, "from", &number);
        put_word(out, "old", number);
    }
    put_hashes(out, answer);
    ch_buf_put(out, "\n", 1);
    if (good) ch_buf_put(out, note.ptr, note.len);
    return good && !out->failed;
}

static enum exit_code write_answer(const struct options *o, const struct wanted *wanted,
                                   struct charter_bytes answer)
{
    struct ch_buf text = {0};
    enum exit_code code = EXIT_FAILED;
    if (o->json) {
        char *json = charter_json(answer, 2);
        ch_buf_put_text(&text, ch_text_of(json));
        ch_buf_put(&text, "\n", 1);
        if (json != NULL && !text.failed)
            code = outfile_write(wanted->texts[OPTION_OUT], text.ptr, text.len);
        free(json);
    } else if (compose(wanted, answer, &text)) {
        code = outfile_write(wanted->texts[OPTION_OUT], text.ptr, text.len);
    } else {
        (void)fprintf(stderr, "charter: failed: the answer is no proof\n");
    }
    ch_buf_deinit(&text);
    return code;
}

enum exit_code proof_run(struct command_line *line)
{
    struct wanted wanted = {.inclusion = false};
    struct ch_buf pairs = {0};
    struct charter *c = NULL;
    struct charter_reply *reply = NULL;
    if (!read_options(line, &wanted)) return EXIT_USAGE;
    if (line->options.help) {
        help_special(stdout, &proof_special);
        return EXIT_DONE;
    }
    const size_t count = put_arguments(&wanted, &pairs);
    enum exit_code code = ask_connect(&line->options, 1, &c);
    if (code == EXIT_DONE) {
        code =
            ask_call(c, &line->options, wanted.inclusion ? "proof.inclusion" : "proof.consistency",
                     false, &pairs, count, &reply);
    }
    if (code == EXIT_DONE) {
        code = write_answer(&line->options, &wanted, charter_reply_result(reply, 0)->value);
    }
    charter_reply_destroy(reply);
    charter_close(c);
    ch_buf_deinit(&pairs);
    return code;
}
