/* print: see print.h. SPDX-License-Identifier: MIT */
#include "tools/keep/print.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tools/lib/jsonout.h"

static void hex_of(const struct ch_hash *hash, char out[2 * CH_HASH_BYTES + 1])
{
    for (size_t i = 0; i < CH_HASH_BYTES; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", hash->bytes[i]);
    }
}

static bool print_json(FILE *out, const struct job *job)
{
    char root[2 * CH_HASH_BYTES + 1];
    const struct ch_verify_report *report = &job->report;
    hex_of(&report->root, root);
    json_t *tree = json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "origin", jsonout_string(report->origin),
        "records", (json_int_t)report->records, "checkpoints", (json_int_t)report->checkpoints,
        "signed", (json_int_t)report->signed_checkpoints, "covered", (json_int_t)report->covered,
        "states", (json_int_t)report->states, "bytes", (json_int_t)job->bytes, "root", root);
    return jsonout_print("charter", out, tree, JSON_INDENT(2));
}

static void print_row(FILE *out, const char *name, uint64_t number, const char *more)
{
    char text[GROUPED_BYTES];
    (void)fprintf(out, "  %-13s %s%s\n", name, grouped(number, text), more);
}

static void print_common(FILE *out, const struct job *job)
{
    char root[2 * CH_HASH_BYTES + 1];
    const struct ch_verify_report *report = &job->report;
    hex_of(&report->root, root);
    print_row(out, "records", report->records, "");
    print_row(out, "checkpoints", report->checkpoints, "");
    if (report->covered > 0) {
        print_row(out, "covered", report->covered,
                  job->options->key_count > 0
                      ? " records, by a checkpoint signed with the key given"
                      : " records, by a checkpoint signed with the log's "
                        "own key");
    }
    if (report->states > 0) print_row(out, "state", report->states, " hash as replay gives it");
    (void)fprintf(out, "  %-13s %s\n", "root", root);
}

bool print_backup(const struct job *job)
{
    const struct options *o = job->options;
    FILE *out = strcmp(o->file, "-") == 0 ? stderr : stdout;
    if (o->quiet) return true;
    if (o->json) return print_json(out, job);
    (void)fprintf(out, "%s: done\n", o->file);
    print_row(out, "bytes", job->bytes, "");
    print_common(out, job);
    if (o->what != KEEP_BACKUP) return true;
    if (o->vault == NULL) {
        (void)fprintf(out, "  %-13s not in it; names need it: --vault FILE, kept apart\n", "vault");
    }
    if (o->signing_key == NULL) {
        (void)fprintf(out, "  %-13s not in it; see --signing-key FILE\n", "signing key");
    }
    return true;
}

bool print_restore(const struct job *job)
{
    const struct options *o = job->options;
    if (o->quiet) return true;
    if (o->json) return print_json(stdout, job);
    (void)printf("%s: restored\n", o->data);
    print_common(stdout, job);
    if (o->vault == NULL) {
        (void)printf("  %-13s put the newest one there is to %s/vault before charterd starts\n",
                     "vault", o->data);
    }
    if (o->signing_key == NULL) {
        (void)printf("  %-13s put it to %s/signing-key, or start with --accept-new-key\n",
                     "signing key", o->data);
    }
    return true;
}
