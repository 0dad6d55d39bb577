/* config: what charterd was told, from the command line and a file. SPDX-License-Identifier: MIT
 * The rows of schema/config.def give names, defaults and help. Every value is checked here, so that
 * nothing of it fails later without naming the setting. */
#ifndef CH_HOST_CONFIG_H
#define CH_HOST_CONFIG_H
#include "schema/base/arena.h"
#include "schema/base/err.h"

enum { CH_CONFIG_LIST_MOST = 16, CH_CONFIG_UIDS_MOST = 32 };

struct ch_config_list {
    const char *items[CH_CONFIG_LIST_MOST];
    size_t count;
};

struct ch_config_uids {
    uint32_t items[CH_CONFIG_UIDS_MOST];
    size_t count;
};

typedef const char *ch_config_TEXT;
typedef struct ch_config_list ch_config_LIST;
typedef bool ch_config_FLAG;
typedef uint64_t ch_config_NUMBER;
typedef struct ch_config_uids ch_config_UIDS;

struct ch_config {
#define CONFIG(name, form, standard, help) ch_config_##form name;
#include "schema/config.def"
    bool has_mailer; /* mailer_key, read */
    uint8_t mailer[32];
    bool show_help;    /* --help was given; nothing else is checked then */
    bool show_version; /* --version was given */
};

/* Reads the command line, then the file it names; defaults fill the rest.
 * arena:  holds what the file said; texts of the command line are borrowed
 * errors: CH_ERR_CONFIG (the text names the setting), CH_ERR_FILE_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_config_read(int argc, char *const *argv, struct ch_arena *arena,
                                       struct ch_config *ret, struct ch_why *why);

/* The help text, to standard output. */
void ch_config_help(void);
#endif
