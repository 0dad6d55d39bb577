/* options: see options.h. SPDX-License-Identifier: MIT */
#include "tools/charter/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/json.h"

enum global {
    GLOBAL_connect,
    GLOBAL_on,
    GLOBAL_as,
    GLOBAL_key_file,
    GLOBAL_session_file,
    GLOBAL_channel,
    GLOBAL_as_of,
    GLOBAL_at_least,
    GLOBAL_expect,
    GLOBAL_note,
    GLOBAL_dry_run,
    GLOBAL_all,
    GLOBAL_json,
    GLOBAL_csv,
    GLOBAL_timeout,
    GLOBAL_id,
    GLOBAL_at,
    GLOBAL_help,
    GLOBAL_version,
    GLOBALS,
};

const struct option_row global_options[] = {
    [GLOBAL_connect] = {"connect", "URL",
                        "the daemon; else CHARTER_URL, else "
                        "ipc:///run/charterd/charterd.ipc"},
    [GLOBAL_on] = {"on", "ACCOUNT", "the account: path of names root/sub, or id"},
    [GLOBAL_as] = {"as", "USER", "act for this user: username, e-mail address or id"},
    [GLOBAL_key_file] = {"key-file", "FILE",
                         "act as the API key whose secret is in the file; else CHARTER_KEY"},
    [GLOBAL_session_file] = {"session-file", "FILE",
                             "act by the session whose secret is in the file; else "
                             "CHARTER_SESSION"},
    [GLOBAL_channel] = {"channel", "CHANNEL", "how the act came: web, api, smtp, ftp, operator"},
    [GLOBAL_as_of] = {"as-of", "SEQ|TIME", "answer with what was known then"},
    [GLOBAL_at_least] = {"at-least", "SEQ", "answer with what is known at this seq at least"},
    [GLOBAL_expect] = {"expect", "SEQ", "refuse if the account changed after this seq"},
    [GLOBAL_note] = {"note", "TEXT", "a note that is kept with the events"},
    [GLOBAL_dry_run] = {"dry-run", NULL, "decide and answer, but change nothing"},
    [GLOBAL_all] = {"all", NULL, "all pages of a list"},
    [GLOBAL_json] = {"json", NULL, "print JSON, with ids as numbers"},
    [GLOBAL_csv] = {"csv", NULL, "print the rows of a list as CSV, by RFC 4180"},
    [GLOBAL_timeout] = {"timeout", "SECONDS", "wait so long for an answer; 30 unless said"},
    [GLOBAL_id] = {"id", "HEX", "the message's id, to send a message again"},
    [GLOBAL_at] = {"at", "TIME", "the time of what is imported"},
    [GLOBAL_help] = {"help", NULL, "this text; also for a group or a command"},
    [GLOBAL_version] = {"version", NULL, "the program's version"},
};
const size_t global_option_count = GLOBALS;

bool option_number(const char *text, uint64_t *ret)
{
    if (text[0] < '0' || text[0] > '9') return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') return false;
    *ret = value;
    return true;
}

static bool take_number(const char *name, const char *value, uint64_t most, uint64_t *ret)
{
    if (option_number(value, ret) && *ret <= most) return true;
    (void)fprintf(stderr, "charter: --%s takes a whole number, not '%s'\n", name, value);
    return false;
}

static bool take_id(struct options *o, const char *value)
{
    o->has_id = ch_hex_read(ch_text_of(value), o->id, sizeof o->id);
    if (!o->has_id) {
        (void)fprintf(stderr, "charter: --id takes 32 hexadecimal digits, not '%s'\n", value);
    }
    return o->has_id;
}

static bool take_timeout(struct options *o, const char *value)
{
    uint64_t seconds;
    if (!take_number("timeout", value, 86400, &seconds)) return false;
    o->timeout_ms = (unsigned)seconds * 1000;
    return true;
}

/* A secret stands in a file or in the environment: the command line is for everybody to see. */
static bool take_secret(struct options *o, const char *path, const char **ret)
{
    FILE *file = fopen(path, "re");
    size_t len = file == NULL ? 0 : fread(o->secret, 1, sizeof o->secret - 1, file);
    const bool good = file != NULL && ferror(file) == 0;
    if (file != NULL) (void)fclose(file);
    o->secret[len] = '\0';
    o->secret[strcspn(o->secret, " \r\n")] = '\0';
    *ret = o->secret;
    if (good && o->secret[0] != '\0') return true;
    (void)fprintf(stderr, "charter: %s: holds no secret, or cannot be read\n", path);
    return false;
}

static bool take_global(struct options *o, enum global place, const char *value)
{
    const bool yes = strcmp(value, "false") != 0;
    switch (place) {
    case GLOBAL_connect: o->url = value; return true;
    case GLOBAL_on: o->on = value; return true;
    case GLOBAL_as: o->as = value; return true;
    case GLOBAL_key_file: return take_secret(o, value, &o->key);
    case GLOBAL_session_file: return take_secret(o, value, &o->session);
    case GLOBAL_channel: o->channel = value; return true;
    case GLOBAL_as_of: o->as_of = value; return true;
    case GLOBAL_at: o->at = value; return true;
    case GLOBAL_note: o->note = value; return true;
    case GLOBAL_at_least: return take_number("at-least", value, INT64_MAX, &o->at_least);
    case GLOBAL_expect:
        o->has_expect = true;
        return take_number("expect", value, INT64_MAX, &o->expect);
    case GLOBAL_timeout: return take_timeout(o, value);
    case GLOBAL_id: return take_id(o, value);
    case GLOBAL_dry_run: o->dry_run = yes; return true;
    case GLOBAL_all: o->all = yes; return true;
    case GLOBAL_json: o->json = yes; return true;
    case GLOBAL_csv: o->csv = yes; return true;
    case GLOBAL_help: o->help = yes; return true;
    case GLOBAL_version: o->version = yes; return true;
    case GLOBALS: break;
    }
    return false;
}

static int find_row(const struct option_row *rows, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0) return (int)i;
    }
    return -1;
}

static void tell_unknown(const char *word, const struct option_row *rows, size_t count)
{
    (void)fprintf(stderr, "charter: there is no option %s here", word);
    if (count > 0) {
        (void)fprintf(stderr, "; the command takes");
        for (size_t i = 0; i < count; i++) {
            (void)fprintf(stderr, " --%s", rows[i].name);
        }
    }
    (void)fprintf(stderr, "; and everywhere there are");
    for (size_t i = 0; i < global_option_count; i++) {
        (void)fprintf(stderr, " --%s", global_options[i].name);
    }
    (void)fprintf(stderr, "\n");
}

/* The value of the option at line->at - 1; NULL and told if it misses. */
static const char *value_of(struct command_line *line, const struct option_row *row,
                            const char *equals, bool may_be_empty)
{
    const char *value = NULL;
    if (equals == NULL && row->value == NULL) return "true";
    if (equals != NULL) {
        value = equals + 1;
    } else if (line->at < line->argc) {
        value = line->argv[line->at++];
    }
    if (value != NULL && (value[0] != '\0' || may_be_empty)) return value;
    if (value != NULL) {
        (void)fprintf(stderr, "charter: --%s: the value is empty; it takes %s\n", row->name,
                      row->value == NULL ? "none" : row->value);
        return NULL;
    }
    (void)fprintf(stderr, "charter: --%s takes a value: %s\n", row->name, row->value);
    return NULL;
}

static int next(struct command_line *line, const struct option_row *rows, size_t count,
                bool may_be_empty, const char **ret_value)
{
    if (line->at >= line->argc) return OPTION_END;
    const char *word = line->argv[line->at];
    if (strcmp(word, "-h") == 0) word = "--help";
    if (strncmp(word, "--", 2) != 0 || word[2] == '\0') {
        (void)fprintf(stderr, "charter: '%s' is no option; values follow an option's name\n", word);
        return OPTION_BAD;
    }
    line->at++;
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    const size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);
    int place = find_row(rows, count, name, len);
    if (place >= 0) {
        *ret_value = value_of(line, &rows[place], equals, may_be_empty);
        return *ret_value == NULL ? OPTION_BAD : place;
    }
    place = find_row(global_options, global_option_count, name, len);
    if (place < 0) {
        tell_unknown(word, rows, count);
        return OPTION_BAD;
    }
    const char *value = value_of(line, &global_options[place], equals, place == GLOBAL_note);
    if (value == NULL || !take_global(&line->options, (enum global)place, value)) return OPTION_BAD;
    return OPTION_GLOBAL;
}

int option_next(struct command_line *line, const struct option_row *rows, size_t count,
                const char **ret_value)
{
    return next(line, rows, count, /* may_be_empty= */ false, ret_value);
}

int option_next_any(struct command_line *line, const struct option_row *rows, size_t count,
                    const char **ret_value)
{
    return next(line, rows, count, /* may_be_empty= */ true, ret_value);
}

const char *option_word(struct command_line *line)
{
    if (line->at >= line->argc || line->argv[line->at][0] == '-') return NULL;
    return line->argv[line->at++];
}
