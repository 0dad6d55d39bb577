/* options: see options.h. SPDX-License-Identifier: MIT */
#include "tools/verify/options.h"

#include <stdio.h>
#include <string.h>

#include "tools/lib/file.h"
#include "tools/lib/option.h"

enum option {
    OPTION_key,
    OPTION_witness,
    OPTION_against,
    OPTION_record,
    OPTION_no_replay,
    OPTION_last_state,
    OPTION_threads,
    OPTION_json,
    OPTION_quiet,
    OPTION_help,
    OPTION_version,
    OPTIONS
};

static const struct option_row rows[OPTIONS] = {
    [OPTION_key] = {"key", "KEY",
                    "the log's verifier key, or a file that holds it (several: the log had keys "
                    "that no checkpoint links)",
                    EVERYWHERE},
    [OPTION_witness] = {"witness", "KEY", "a witness whose cosignatures must verify (several)",
                        EVERYWHERE},
    [OPTION_against] =
        {"against", "FILE",
         "a checkpoint that was kept elsewhere: the log must go on from it (several); proof, "
         "consistency, receipt: one that names the log's next key leads to it, one of the same "
         "size "
         "must have the same root",
         EVERYWHERE},
    [OPTION_record] = {"record", "FILE",
                       "proof: the record's bytes; those in the proof unless said", EVERYWHERE},
    [OPTION_no_replay] = {"no-replay", NULL, "make no state, so check no state hash", EVERYWHERE},
    [OPTION_last_state] = {"last-state", NULL, "check only the newest state hash", EVERYWHERE},
    [OPTION_threads] = {"threads", "N", "1 or 2; as there are processors unless said", EVERYWHERE},
    [OPTION_json] = {"json", NULL, "print the result as JSON", EVERYWHERE},
    [OPTION_quiet] = {"quiet", NULL, "no progress, and nothing where all is good", EVERYWHERE},
    [OPTION_help] = {"help", NULL, "this text", EVERYWHERE},
    [OPTION_version] = {"version", NULL, "the version", EVERYWHERE},
};
static const struct option_table table = {
    .program = "charter-verify", .rows = rows, .count = OPTIONS, .help_columns = 16};

void options_help(void)
{
    (void)printf(
        "Usage: charter-verify DIR --key KEY [--against FILE]...\n"
        "       charter-verify bundle FILE|- --key KEY [--against FILE]...\n"
        "       charter-verify proof FILE --key KEY\n"
        "       charter-verify consistency FILE --against OLD --key KEY\n"
        "       charter-verify receipt FILE --key KEY\n"
        "\n"
        "Checks charterd's log, or a proof about it, without charterd and without trusting it.\n"
        "\n"
        "What you need: the verifier key of the log, from `charter checkpoint key`, written down\n"
        "at a time and in a place that nobody who could change the log can reach; and now and\n"
        "then a checkpoint (`charter checkpoint show > FILE`), kept in such a place, too.\n"
        "\n"
        "  charter-verify /var/lib/charterd --key log.key --against last-month.checkpoint\n"
        "      Reads every record: checksum, form, order. Computes the tree and compares it with\n"
        "      every stored tile and every checkpoint; replays all events and compares the state\n"
        "      with what the checkpoints say. A log that was cut, re-ordered or rewritten since\n"
        "      last month is not the log of that checkpoint. Charterd may run meanwhile.\n"
        "  charter-verify bundle backup.bundle --key log.key --against last-month.checkpoint\n"
        "      The same for a backup, or an export as a bundle (charter backup, charter export).\n"
        "  charter-verify proof event-5.tlog-proof --key log.key\n"
        "      Is the event in the log, at its place? (charter proof inclusion 5 --out FILE)\n"
        "  charter-verify consistency now.proof --against last-month.checkpoint --key log.key\n"
        "      Does the log of now begin with that of last month? (charter proof consistency)\n"
        "  charter-verify receipt answer.receipt --key log.key\n"
        "      Did charterd answer this, and are the events it names in its log? (charter "
        "receipt)\n"
        "      It says what the receipt proves, and what it does not.\n"
        "\n"
        "Without --key the checkpoints' signatures are not checked: whoever could change the\n"
        "records could have made new checkpoints, too.\n"
        "\n"
        "Options:\n");
    option_list(&table, EVERYWHERE);
    (void)printf("\n"
                 "Exit status: 0 all is good; 1 something is false, and standard error names the\n"
                 "first such record, tile or checkpoint; 2 the command line is wrong; 3 nothing\n"
                 "false was found, but not all could be checked; 4 it could not be read;\n"
                 "130 interrupted.\n");
}

/* A key itself, or the first word of a file. */
static bool read_key(const char *value, uint8_t type, struct ch_verifier *ret)
{
    struct ch_buf file = {0};
    struct ch_text word = {0};
    bool good = file_word(table.program, value, &file, &word);
    if (good && (!ch_verifier_read(word, ret) || ret->type != type)) {
        (void)fprintf(stderr,
                      "charter-verify: %s: is no verifier key of a %s, nor a file that holds one; "
                      "it looks like example.com/log+1a2b3c4d+A…\n",
                      value, type == CH_NOTE_ED25519 ? "log" : "witness");
        good = false;
    }
    ch_buf_deinit(&file);
    return good;
}

static bool too_many(const char *name)
{
    (void)fprintf(stderr, "charter-verify: --%s was given too often\n", name);
    return false;
}

static bool take(struct options *o, enum option option, const char *value)
{
    switch (option) {
    case OPTION_key:
        if (o->key_count == CH_VERIFY_KEYS_MOST) return too_many(rows[option].name);
        return read_key(value, CH_NOTE_ED25519, &o->keys[o->key_count++]);
    case OPTION_witness:
        if (o->witness_count == CH_VERIFY_KEYS_MOST) return too_many(rows[option].name);
        return read_key(value, CH_NOTE_COSIGNATURE, &o->witnesses[o->witness_count++]);
    case OPTION_against:
        if (o->against_count == AGAINST_MOST) return too_many(rows[option].name);
        return file_read(table.program, value, CH_NOTE_MOST_BYTES, &o->against[o->against_count++]);
    case OPTION_record: o->record = value; return true;
    case OPTION_no_replay: o->no_replay = true; return true;
    case OPTION_last_state: o->last_state = true; return true;
    case OPTION_json: o->json = true; return true;
    case OPTION_quiet: o->quiet = true; return true;
    case OPTION_help: o->help = true; return true;
    case OPTION_version: o->version = true; return true;
    case OPTION_threads:
        o->threads = value[0] == '1' ? 1 : 2;
        if ((value[0] == '1' || value[0] == '2') && value[1] == '\0') return true;
        (void)fprintf(stderr, "charter-verify: --threads takes 1 or 2\n");
        return false;
    case OPTIONS: break;
    }
    return false;
}

static bool take_option(struct options *o, int argc, char **argv, int *at)
{
    const char *value;
    const int place = option_read(&table, EVERYWHERE, argc, argv, at, &value);
    return place >= 0 && take(o, (enum option)place, value);
}

static const struct {
    const char *word;
    enum verify_what what;
} subcommands[] = {{"proof", VERIFY_PROOF},
                   {"consistency", VERIFY_CONSISTENCY},
                   {"receipt", VERIFY_RECEIPT},
                   {"bundle", VERIFY_BUNDLE}};

/* A subcommand before the path, or the path. */
static bool take_word(struct options *o, const char *word)
{
    if (o->path != NULL) {
        (void)fprintf(stderr, "charter-verify: '%s': one thing at a time\n", word);
        return false;
    }
    for (size_t i = 0; o->what == VERIFY_DIR && i < sizeof subcommands / sizeof *subcommands; i++) {
        if (strcmp(word, subcommands[i].word) != 0) continue;
        o->what = subcommands[i].what;
        return true;
    }
    o->path = word;
    return true;
}

bool options_read(int argc, char **argv, struct options *ret)
{
    *ret = (struct options){.what = VERIFY_DIR};
    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "-h") == 0) {
            ret->help = true;
            continue;
        }
        const bool good = strncmp(argv[at], "--", 2) == 0 ? take_option(ret, argc, argv, &at)
                                                          : take_word(ret, argv[at]);
        if (!good) return false;
    }
    if (ret->help || ret->version) return true;
    if (ret->path == NULL) {
        (void)fprintf(stderr, "charter-verify: name the data directory or file; see charter-verify "
                              "--help\n");
        return false;
    }
    const bool log = ret->what == VERIFY_DIR || ret->what == VERIFY_BUNDLE;
    if (!log && ret->key_count == 0) {
        (void)fprintf(stderr, "charter-verify: a proof or receipt is checked with --key KEY\n");
        return false;
    }
    if (ret->what == VERIFY_CONSISTENCY && ret->against_count == 0) {
        (void)fprintf(stderr, "charter-verify: name the earlier checkpoint with --against FILE\n");
        return false;
    }
    return true;
}

void options_deinit(struct options *options)
{
    for (size_t i = 0; i < AGAINST_MOST; i++) {
        ch_buf_deinit(&options->against[i]);
    }
}
