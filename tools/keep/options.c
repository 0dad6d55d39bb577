/* options: see options.h. SPDX-License-Identifier: MIT */
#include "tools/keep/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lib/file.h"
#include "tools/lib/option.h"

enum { BACKUP = 1, RESTORE = 2, EXPORT = 4 }; /* bits of the subcommands */

enum option {
    OPTION_data,
    OPTION_format,
    OPTION_out,
    OPTION_from_export,
    OPTION_key,
    OPTION_against,
    OPTION_vault,
    OPTION_signing_key,
    OPTION_accept_loss,
    OPTION_replay,
    OPTION_rate,
    OPTION_offline,
    OPTION_made,
    OPTION_json,
    OPTION_quiet,
    OPTION_help,
    OPTION_version,
    OPTIONS
};

static const struct option_row rows[OPTIONS] = {
    [OPTION_data] = {"data", "DIR", "charterd's directory", EVERYWHERE},
    [OPTION_format] = {"format", "F", "bundle (with proofs) or jsonl (one JSON object a line)",
                       RESTORE | EXPORT},
    [OPTION_out] = {"out", "FILE", "the file to write; -: standard output", BACKUP | EXPORT},
    [OPTION_from_export] = {"from-export", "FILE", "the file to restore from", RESTORE},
    [OPTION_key] = {"key", "KEY", "the log's verifier key, or a file that holds it (several)",
                    EVERYWHERE},
    [OPTION_against] = {"against", "WHAT",
                        "a checkpoint that was kept elsewhere, or the data directory that was: the "
                        "log must reach it and go on from it (several)",
                        EVERYWHERE},
    [OPTION_vault] = {"vault", "FILE", "copy the vault, too: to this file, or from it",
                      BACKUP | RESTORE},
    [OPTION_signing_key] = {"signing-key", "FILE", "copy the log's signing key, too",
                            BACKUP | RESTORE},
    [OPTION_accept_loss] = {"accept-loss", NULL,
                            "restore although the log is known to have gone on", RESTORE},
    [OPTION_replay] = {"replay", NULL,
                       "check the form of each record and the state hashes, too; it takes longer",
                       BACKUP | EXPORT},
    [OPTION_rate] = {"rate", "MB", "write at most so many megabytes a second", BACKUP | EXPORT},
    [OPTION_offline] = {"offline", NULL, "do not ask charterd for a checkpoint first",
                        BACKUP | EXPORT},
    [OPTION_made] = {"made", "NOTE", NULL, BACKUP | EXPORT},
    [OPTION_json] = {"json", NULL, "print the result as JSON", EVERYWHERE},
    [OPTION_quiet] = {"quiet", NULL, "no progress and no result", EVERYWHERE},
    [OPTION_help] = {"help", NULL, "this text", EVERYWHERE},
    [OPTION_version] = {"version", NULL, "the version", EVERYWHERE},
};

static const char backup_text[] =
    "Usage: charter backup FILE --data DIR [--vault FILE] [--signing-key FILE]\n"
    "\n"
    "Writes the whole log to one file, while charterd runs: records, tree and checkpoints, their\n"
    "checksums, order, hashes and signatures checked on the way. It ends with a checkpoint that\n"
    "charterd makes for it; without charterd, with what is durable. Until it is whole it is\n"
    "called FILE.partial. charter-verify bundle FILE checks it, also the form of each record, as\n"
    "does --replay here; charter restore FILE puts it back.\n"
    "\n"
    "Neither the vault (the keys to people's names) nor the signing key is in it. --vault and\n"
    "--signing-key copy them to files of their own; keep these apart from the log, and let no\n"
    "copy of the vault outlive the next one: it can open what was erased since.\n";
static const char restore_text[] =
    "Usage: charter restore FILE --data DIR [--vault FILE] [--signing-key FILE]\n"
    "                       [--against WHAT]... [--accept-loss]\n"
    "\n"
    "Makes a data directory from a backup or an export: the same records byte for byte, the same\n"
    "root and state. Everything is checked, also what replaying the events gives; nothing\n"
    "stands in DIR before that. DIR must be empty, or not be there.\n"
    "\n"
    "A log that ends before a checkpoint given (or before what an old data directory given had\n"
    "acknowledged) is refused: what came after would be lost without a word. --accept-loss takes\n"
    "it all the same.\n"
    "\n"
    "charterd starts there only with the vault of that log; the newest one there is: who was\n"
    "erased since the backup then stays erased. Without the signing key start charterd with\n"
    "--accept-new-key.\n";
static const char export_text[] =
    "Usage: charter export --data DIR [--format bundle|jsonl] [--out FILE]\n"
    "\n"
    "Writes the whole log for others to read: as a bundle (what a backup is), or as JSON lines,\n"
    "one for each event with its fields by name and the record's bytes in base 64, after the\n"
    "checkpoints and before a line that counts them. Names of people stay sealed. Both can be\n"
    "restored: charter restore --from-export FILE --data DIR.\n";

static const struct option_table table = {
    .program = "charter", .rows = rows, .count = OPTIONS, .help_columns = 20};

static const struct {
    const char *word;
    unsigned bit;
    const char *text;
} subcommands[] = {
    [KEEP_BACKUP] = {"backup", BACKUP, backup_text},
    [KEEP_RESTORE] = {"restore", RESTORE, restore_text},
    [KEEP_EXPORT] = {"export", EXPORT, export_text},
};

void options_help(enum keep_what what)
{
    if (what == KEEP_NOTHING) {
        (void)printf("%s\n%s\n%s", backup_text, restore_text, export_text);
        return;
    }
    (void)printf("%s\nOptions:\n", subcommands[what].text);
    option_list(&table, subcommands[what].bit);
    (void)printf("\n"
                 "Exit status: 0 done; 1 the log or the file is damaged, and the text names the\n"
                 "first bad record, tile or checkpoint; 2 the command line is wrong; 3 refused;\n"
                 "4 failed; 130 interrupted. Whatever is not 0 leaves nothing half done behind.\n");
}

/* A key itself, or the first word of a file. */
static bool take_key(struct options *o, const char *value)
{
    struct ch_buf file = {0};
    struct ch_text word = {0};
    const bool room = o->key_count < CH_VERIFY_KEYS_MOST;
    struct ch_verifier *key = &o->keys[o->key_count];
    const bool good = room && file_word(table.program, value, &file, &word) &&
                      ch_verifier_read(word, key) && key->type == CH_NOTE_ED25519;
    if (good) {
        o->key_count++;
    } else {
        (void)fprintf(stderr,
                      "charter: %s: is no verifier key of a log, nor a file that holds one, or "
                      "was given too often; it looks like example.com/log+1a2b3c4d+A…\n",
                      value);
    }
    ch_buf_deinit(&file);
    return good;
}

static bool take_file(struct options *o, const char *value)
{
    if (o->file == NULL) {
        o->file = value;
        return true;
    }
    (void)fprintf(stderr, "charter: '%s': one file at a time\n", value);
    return false;
}

static bool take_format(struct options *o, const char *value)
{
    o->lines = strcmp(value, "jsonl") == 0;
    o->format_said = true;
    if (o->lines || strcmp(value, "bundle") == 0) return true;
    (void)fprintf(stderr, "charter: --format takes bundle or jsonl, not '%s'\n", value);
    return false;
}

static bool take_rate(struct options *o, const char *value)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long megabytes = strtoull(value, &end, 10);
    o->rate = megabytes * 1000000u;
    if (errno == 0 && *end == '\0' && megabytes > 0 && megabytes <= 1000000) return true;
    (void)fprintf(stderr, "charter: --rate takes a whole number of megabytes, not '%s'\n", value);
    return false;
}

static bool take(struct options *o, enum option option, const char *value)
{
    switch (option) {
    case OPTION_data: o->data = value; return true;
    case OPTION_format: return take_format(o, value);
    case OPTION_out:
    case OPTION_from_export: return take_file(o, value);
    case OPTION_key: return take_key(o, value);
    case OPTION_against:
        if (o->against_count < AGAINST_MOST) {
            o->against[o->against_count++] = value;
            return true;
        }
        (void)fprintf(stderr, "charter: --against was given too often\n");
        return false;
    case OPTION_vault: o->vault = value; return true;
    case OPTION_signing_key: o->signing_key = value; return true;
    case OPTION_accept_loss: o->accept_loss = true; return true;
    case OPTION_replay: o->replay = true; return true;
    case OPTION_rate: return take_rate(o, value);
    case OPTION_offline: return true; /* charter's business */
    case OPTION_made: o->made = value; return true;
    case OPTION_json: o->json = true; return true;
    case OPTION_quiet: o->quiet = true; return true;
    case OPTION_help: o->help = true; return true;
    case OPTION_version: o->version = true; return true;
    case OPTIONS: break;
    }
    return false;
}

static bool take_option(struct options *o, int argc, char **argv, int *at)
{
    const char *value;
    const int place = option_read(&table, subcommands[o->what].bit, argc, argv, at, &value);
    return place >= 0 && take(o, (enum option)place, value);
}

static bool take_what(struct options *o, const char *word)
{
    for (enum keep_what what = KEEP_BACKUP; what <= KEEP_EXPORT; what++) {
        if (strcmp(word, subcommands[what].word) == 0) o->what = what;
    }
    if (o->what != KEEP_NOTHING) return true;
    (void)fprintf(stderr, "charter-keep: backup, restore or export; see charter-keep --help\n");
    return false;
}

bool options_read(int argc, char **argv, struct options *ret)
{
    *ret = (struct options){.what = KEEP_NOTHING};
    const char *first = argc < 2 ? "" : argv[1];
    ret->help = strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0;
    ret->version = strcmp(first, "--version") == 0;
    if (ret->help || ret->version) return true;
    if (!take_what(ret, first)) return false;
    for (int at = 2; at < argc; at++) {
        if (strcmp(argv[at], "-h") == 0) {
            ret->help = true;
            continue;
        }
        const bool good = strncmp(argv[at], "--", 2) == 0 ? take_option(ret, argc, argv, &at)
                                                          : take_file(ret, argv[at]);
        if (!good) return false;
    }
    if (ret->help || ret->version) return true;
    if (ret->file == NULL && ret->what == KEEP_EXPORT) ret->file = "-";
    if (ret->file != NULL && ret->data != NULL) return true;
    (void)fprintf(stderr,
                  "charter: name the file, and the directory with --data DIR; see --help\n");
    return false;
}
