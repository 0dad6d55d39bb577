/* print: see print.h. SPDX-License-Identifier: MIT */
#include "tools/verify/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/lib/bar.h"
#include "tools/lib/jsonout.h"

enum { MISSING_BYTES = 256 };

/* ---- results ------------------------------------------------------------------------------ */

static const char *const part_names[] = {
    [CH_VERIFY_NOTHING] = NULL,
    [CH_VERIFY_LOG] = "log",
    [CH_VERIFY_RECORD] = "record",
    [CH_VERIFY_TILE] = "tile",
    [CH_VERIFY_CHECKPOINT] = "checkpoint",
    [CH_VERIFY_STATE] = "state",
    [CH_VERIFY_HEAD] = "head",
    [CH_VERIFY_AGAINST] = "against",
    [CH_VERIFY_SNAPSHOT] = "snapshot",
    [CH_VERIFY_BUNDLE] = "bundle",
};

static void hex_of(const struct ch_hash *hash, char out[2 * CH_HASH_BYTES + 1])
{
    for (size_t i = 0; i < CH_HASH_BYTES; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", hash->bytes[i]);
    }
}

/* By a key given, or one that follows from these. Those of a key before it are of no known one. */
static uint64_t unsigned_checkpoints(const struct ch_verify_report *report)
{
    return report->checkpoints - report->signed_checkpoints;
}

/* What could not be checked, perhaps in `room`; NULL: nothing. */
static const char *missing(const struct options *options, const struct ch_verify_report *report,
                           char room[MISSING_BYTES])
{
    const uint64_t unknown = unsigned_checkpoints(report);
    if (options->key_count == 0) {
        return "no signature was checked: without --key anybody could have made the checkpoints";
    }
    if (report->checkpoints == 0) return "the log has no checkpoint yet";
    if (unknown > 0) {
        (void)snprintf(room, MISSING_BYTES,
                       "%" PRIu64 " of %" PRIu64 " checkpoints %s signed by no key known: give the "
                       "log's older key with another --key (charter checkpoint key lists it)",
                       unknown, report->checkpoints, unknown == 1 ? "is" : "are");
        return room;
    }
    if (report->newer > 0) {
        return "some records are of a later charterd's types: from the first on nothing is "
               "replayed";
    }
    if (report->other_states > 0) {
        return "some state hashes are of another dump version, which this program does not know";
    }
    return NULL;
}

static bool print_json(const struct options *options, const struct ch_verify_report *report)
{
    char root[2 * CH_HASH_BYTES + 1];
    char room[MISSING_BYTES];
    const char *lacks = missing(options, report, room);
    const char *part = part_names[report->part];
    hex_of(&report->root, root);
    json_t *tree = json_pack(
        "{s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "good",
        (int)(report->part == CH_VERIFY_NOTHING), "origin", jsonout_string(report->origin),
        "records", (json_int_t)report->records, "bytes", (json_int_t)report->bytes, "tiles",
        (json_int_t)report->tiles, "checkpoints", (json_int_t)report->checkpoints, "signed",
        (json_int_t)report->signed_checkpoints, "unsigned",
        (json_int_t)unsigned_checkpoints(report), "covered", (json_int_t)report->covered, "states",
        (json_int_t)report->states, "snapshots", (json_int_t)report->snapshots, "cosignatures",
        (json_int_t)report->cosignatures, "against", (json_int_t)report->against, "root", root);
    if (report->remark[0] != '\0') jsonout_put(&tree, "remark", jsonout_string(report->remark));
    if (part != NULL) {
        jsonout_put(&tree, "part", json_string(part));
        jsonout_put(&tree, "number", json_integer((json_int_t)report->number));
        jsonout_put(&tree, "text", jsonout_string(report->text));
    } else if (lacks != NULL) {
        jsonout_put(&tree, "unchecked", json_string(lacks));
    }
    return jsonout_print("charter-verify", stdout, tree, JSON_INDENT(2));
}

static void print_row(const char *name, uint64_t number, const char *more)
{
    char text[GROUPED_BYTES];
    (void)printf("  %-13s %s%s\n", name, grouped(number, text), more);
}

static void print_good(const struct options *options, const struct ch_verify_report *report)
{
    char root[2 * CH_HASH_BYTES + 1];
    char room[MISSING_BYTES];
    const char *lacks = missing(options, report, room);
    hex_of(&report->root, root);
    (void)printf("%s: good\n", report->origin[0] == '\0' ? options->path : report->origin);
    print_row("records", report->records, "");
    print_row("tiles", report->tiles, "");
    (void)printf("  %-13s %s\n", "root", root);
    print_row("checkpoints", report->checkpoints, "");
    print_row("signed", report->signed_checkpoints, " of them, by a key known");
    if (report->covered > 0) {
        print_row("covered", report->covered, " records, by the newest of these");
        if (report->covered < report->records) {
            print_row("", report->records - report->covered,
                      " records behind it are under no signature yet");
        }
    }
    if (report->key[0] != '\0') (void)printf("  %-13s %s\n", "key", report->key);
    if (options->no_replay) {
        (void)printf("  %-13s not replayed\n", "states");
    } else {
        print_row("states", report->states, ", as replay gives them");
    }
    if (report->snapshots > 0) print_row("snapshots", report->snapshots, "");
    if (report->other_states > 0) {
        print_row("", report->other_states, " of another dump version: not checked");
    }
    if (options->witness_count > 0) print_row("cosignatures", report->cosignatures, "");
    if (options->against_count > 0) {
        print_row("against", report->against, " kept elsewhere: the log goes on from there");
    }
    if (report->remark[0] != '\0') (void)printf("  %-13s %s\n", "remark", report->remark);
    if (lacks != NULL) (void)printf("  %-13s %s\n", "but", lacks);
}

enum exit_code print_report(const struct options *options, const struct ch_verify_report *report)
{
    bool printed = true;
    if (options->json) {
        printed = print_json(options, report);
    } else if (report->part == CH_VERIFY_NOTHING && !options->quiet) {
        print_good(options, report);
    }
    if (report->part != CH_VERIFY_NOTHING) {
        (void)fprintf(stderr, "charter-verify: FALSE: %s\n", report->text);
        return EXIT_FALSE;
    }
    if (!printed) return EXIT_FAILED;
    char room[MISSING_BYTES];
    return missing(options, report, room) == NULL ? EXIT_GOOD : EXIT_PARTLY;
}
