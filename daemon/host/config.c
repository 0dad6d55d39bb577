/* config: see config.h. SPDX-License-Identifier: MIT */
#include "daemon/host/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/json.h"
#include "schema/limits.h"

enum form { FORM_TEXT, FORM_LIST, FORM_FLAG, FORM_NUMBER, FORM_UIDS };

struct setting {
    const char *name;
    enum form form;
    size_t offset;
    const char *standard;
    const char *help;
};

static const struct setting settings[] = {
#define CONFIG(id, kind, value, text)                                                              \
    {.name = #id,                                                                                  \
     .form = FORM_##kind,                                                                          \
     .offset = offsetof(struct ch_config, id),                                                     \
     .standard = (value),                                                                          \
     .help = (text)},
#include "schema/config.def"
};
enum { SETTINGS = sizeof settings / sizeof settings[0], FILE_MOST = 65536 };

static bool parse_number(const char *text, uint64_t most, uint64_t *ret)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > most) return false;
    *ret = value;
    return true;
}

static bool parse_uids(const char *text, struct ch_config_uids *ret)
{
    ret->count = 0;
    while (*text != '\0') {
        char *end = NULL;
        errno = 0;
        unsigned long long value = strtoull(text, &end, 10);
        if (errno != 0 || end == text || value > UINT32_MAX || ret->count == CH_CONFIG_UIDS_MOST) {
            return false;
        }
        ret->items[ret->count++] = (uint32_t)value;
        if (*end != ',' && *end != '\0') return false;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

/* Bounds of a number; its limit row says why. */
static const struct {
    const char *name;
    uint64_t least;
    uint64_t most;
} bounds[] = {
    {"contexts", 1, LIMIT_CONTEXTS_MAX},
    {"password_kib", 8, LIMIT_PASSWORD_KIB_MAX}, /* Argon2id takes no less */
    {"password_passes", 1, LIMIT_PASSWORD_PASSES_MAX},
    {"checkpoint_events", 1, LIMIT_CHECKPOINT_EVENTS_MAX},
    {"checkpoint_seconds", 1, LIMIT_CHECKPOINT_SECONDS_MAX},
    {"snapshot_events", 0, LIMIT_SNAPSHOT_EVENTS_MAX},
    {"snapshot_mib", 0, LIMIT_SNAPSHOT_MIB_MAX},
    {"scrub_rate", 0, LIMIT_SCRUB_RATE_MAX},
    {"scrub_hours", 1, LIMIT_SCRUB_HOURS_MAX},
};

static bool set_number(const struct setting *setting, const char *value, uint64_t *ret)
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (strcmp(bounds[i].name, setting->name) != 0) continue;
        return parse_number(value, bounds[i].most, ret) && *ret >= bounds[i].least;
    }
    return false; /* a number has its row */
}

static enum ch_err set(const struct setting *setting, const char *value, struct ch_config *config,
                       struct ch_why *why)
{
    void *at = (uint8_t *)config + setting->offset;
    bool good = true;
    switch (setting->form) {
    case FORM_TEXT: *(const char **)at = value; break;
    case FORM_LIST: {
        struct ch_config_list *list = at;
        good = list->count < CH_CONFIG_LIST_MOST;
        if (good) list->items[list->count++] = value;
        break;
    }
    case FORM_FLAG:
        good = value == NULL || value[0] == '\0' || strcmp(value, "yes") == 0 ||
               strcmp(value, "no") == 0;
        *(bool *)at = value == NULL || strcmp(value, "yes") == 0;
        break;
    case FORM_NUMBER: good = set_number(setting, value, at); break;
    case FORM_UIDS: good = parse_uids(value, at); break;
    }
    if (good) return CH_OK;
    return ch_fail(why, CH_ERR_CONFIG, 0, "setting %s: cannot be %s; it is: %s", setting->name,
                   value == NULL ? "(nothing)" : value, setting->help);
}

/* Names are written with - or _ alike. */
static const struct setting *find(const char *name, size_t len)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *known = settings[i].name;
        bool same = strlen(known) == len;
        for (size_t k = 0; same && k < len; k++) {
            same = known[k] == name[k] || (known[k] == '_' && name[k] == '-');
        }
        if (same) return &settings[i];
    }
    return NULL;
}

static char *trimmed(char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r')) {
        text[--len] = '\0';
    }
    return text;
}

static enum ch_err read_line(char *line, unsigned number, const bool *given,
                             struct ch_config *config, struct ch_why *why)
{
    char *hash = strchr(line, '#');
    if (hash != NULL) *hash = '\0';
    char *name = trimmed(line);
    if (*name == '\0') return CH_OK;
    char *equals = strchr(name, '=');
    if (equals == NULL) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "line %u of the file: write name = value", number);
    }
    *equals = '\0';
    char *value = trimmed(equals + 1);
    name = trimmed(name);
    const struct setting *setting = find(name, strlen(name));
    if (setting == NULL) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "line %u of the file: there is no setting %s", number,
                       name);
    }
    if (given[setting - settings]) return CH_OK; /* the command line said otherwise */
    return set(setting, value, config, why);
}

static enum ch_err read_file(const char *path, const bool *given, struct ch_arena *arena,
                             struct ch_config *config, struct ch_why *why)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", path, strerror(errno));
    }
    enum ch_err err = CH_OK;
    char *text = ch_arena_take(arena, FILE_MOST + 1);
    size_t len = text == NULL ? 0 : fread(text, 1, FILE_MOST + 1, file);
    if (text == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for %s", path);
    } else if (ferror(file) != 0 || len > FILE_MOST) {
        err = ch_fail(why, CH_ERR_FILE_IO, 0, "%s: cannot be read, or is larger than 64 KiB", path);
    } else {
        text[len] = '\0';
    }
    (void)fclose(file);
    unsigned number = 0;
    char *line = text;
    while (err == CH_OK && line != NULL) {
        char *end = strchr(line, '\n');
        if (end != NULL) *end = '\0';
        err = read_line(line, ++number, given, config, why);
        line = end == NULL ? NULL : end + 1;
    }
    return err;
}

static enum ch_err read_arguments(int argc, char *const *argv, bool *given,
                                  struct ch_config *config, struct ch_why *why)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        config->show_help = config->show_help || strcmp(word, "--help") == 0;
        config->show_version = config->show_version || strcmp(word, "--version") == 0;
        if (config->show_help || config->show_version) return CH_OK;
        if (strncmp(word, "--", 2) != 0) {
            return ch_fail(why, CH_ERR_CONFIG, 0, "%s: not an option; see charterd --help", word);
        }
        const char *equals = strchr(word, '=');
        size_t len = equals == NULL ? strlen(word) - 2 : (size_t)(equals - word) - 2;
        const struct setting *setting = find(word + 2, len);
        if (setting == NULL) {
            return ch_fail(why, CH_ERR_CONFIG, 0,
                           "%s: there is no such option; see charterd --help", word);
        }
        const char *value = equals == NULL ? NULL : equals + 1;
        if (value == NULL && setting->form != FORM_FLAG) {
            if (i + 1 == argc) {
                return ch_fail(why, CH_ERR_CONFIG, 0, "%s needs a value: %s", word, setting->help);
            }
            value = argv[++i];
        }
        given[setting - settings] = true;
        enum ch_err err = set(setting, value, config, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

enum ch_err ch_config_read(int argc, char *const *argv, struct ch_arena *arena,
                           struct ch_config *ret, struct ch_why *why)
{
    bool given[SETTINGS] = {false};
    *ret = (struct ch_config){0};
    enum ch_err err = CH_OK;
    for (size_t i = 0; err == CH_OK && i < SETTINGS; i++) { /* 0 can be meant */
        if (settings[i].form == FORM_NUMBER) {
            err = set(&settings[i], settings[i].standard, ret, why);
        }
    }
    if (err == CH_OK) err = read_arguments(argc, argv, given, ret, why);
    if (err != CH_OK || ret->show_help || ret->show_version) return err;
    if (ret->config != NULL) err = read_file(ret->config, given, arena, ret, why);
    for (size_t i = 0; err == CH_OK && i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        const void *at = (const uint8_t *)ret + setting->offset;
        bool empty = true;
        if (setting->form == FORM_TEXT) empty = *(const char *const *)at == NULL;
        if (setting->form == FORM_LIST) empty = ((const struct ch_config_list *)at)->count == 0;
        if (setting->form == FORM_FLAG || setting->form == FORM_UIDS) empty = false;
        if (setting->form == FORM_NUMBER) empty = false;
        if (setting->form == FORM_LIST && setting->standard[0] == '\0') empty = false;
        if (empty) err = set(setting, setting->standard, ret, why);
    }
    if (err == CH_OK && ret->data[0] == '\0') {
        err = ch_fail(why, CH_ERR_CONFIG, 0, "name the data directory: charterd --data DIR");
    }
    if (err == CH_OK && ret->mailer_key[0] != '\0') {
        ret->has_mailer = ch_hex_read(ch_text_of(ret->mailer_key), ret->mailer, sizeof ret->mailer);
        if (!ret->has_mailer) {
            err = ch_fail(why, CH_ERR_CONFIG, 0,
                          "setting mailer_key: takes 64 hex digits, the mailer's public key");
        }
    }
    if (err == CH_OK && strcmp(ret->clock, "real") != 0 && strcmp(ret->clock, "manual") != 0) {
        err = ch_fail(why, CH_ERR_CONFIG, 0, "setting clock: takes real or manual");
    }
    return err;
}

void ch_config_help(void)
{
    (void)printf(
        "usage: charterd --data DIR [--listen URL]... [--doorbell URL] [--config FILE]\n"
        "\n"
        "Keeps who may do what. Takes commands over nng sockets, appends them as events to\n"
        "a log in DIR, and answers questions from what the log says. Stop it with SIGTERM.\n"
        "Try it: charterd --data /tmp/try --listen ipc:///tmp/try.ipc &\n"
        "        charter --connect ipc:///tmp/try.ipc status\n"
        "\n"
        "Settings; also in the file of --config, as name = value:\n");
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        char shown[32];
        size_t at = 0;
        for (; setting->name[at] != '\0' && at + 1 < sizeof shown; at++) {
            shown[at] = setting->name[at] == '_' ? '-' : setting->name[at];
        }
        shown[at] = '\0';
        (void)printf("  --%-13s %s\n", shown, setting->help);
        if (setting->standard[0] != '\0')
            (void)printf("  %15s default: %s\n", "", setting->standard);
    }
    (void)printf("  --%-13s this text\n  --%-13s the version\n", "help", "version");
}
