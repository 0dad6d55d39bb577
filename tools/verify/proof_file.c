/* proof_file: see proof_file.h. SPDX-License-Identifier: MIT */
#include "tools/verify/proof_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/log/checkpoint.h"
#include "daemon/log/proof.h"
#include "schema/base/arena.h"
#include "schema/base/base64.h"
#include "schema/base/lines.h"
#include "schema/event.h"
#include "schema/text.h"
#include "tools/lib/file.h"
#include "tools/lib/jsonout.h"
#include "tools/verify/known.h"

enum { FILE_MOST = 4 << 20, RECORD_MOST = 1 << 20 };

/* A proof file in its parts; views of its bytes. */
struct parsed {
    uint64_t number; /* the leaf's index; of a consistency proof the earlier size */
    bool has_record;
    struct ch_buf record;
    struct ch_proof proof;
    struct ch_note note;
    struct ch_checkpoint checkpoint;
};

/* ---- what it comes to --------------------------------------------------------------------- */

/* where: the file that is at fault */
static enum exit_code tell(const struct options *options, const char *where, const char *what)
{
    if (options->json) {
        json_t *tree = json_object();
        jsonout_put(&tree, "good", json_false());
        jsonout_put(&tree, "text", jsonout_string(what));
        (void)jsonout_print("charter-verify", stdout, tree, JSON_INDENT(2));
    }
    (void)fprintf(stderr, "charter-verify: FALSE: %s: %s\n", where, what);
    return EXIT_FALSE;
}

/* The record as an event, where this program knows its form. */
static bool read_event(struct ch_bytes record, uint64_t seq, struct ch_arena *arena,
                       union ch_event_body *body, struct ch_event *ret)
{
    return ch_event_decode(record, arena, body, ret, NULL) == CH_OK && ret->seq == seq;
}

static json_t *json_event(struct ch_bytes record, uint64_t seq)
{
    struct ch_arena arena = {0};
    union ch_event_body body;
    struct ch_event event;
    char at[CH_TIME_TEXT_BYTES];
    json_t *tree = json_null();
    if (read_event(record, seq, &arena, &body, &event)) {
        (void)ch_time_write(event.at, at);
        tree = json_object();
        jsonout_put(&tree, "type", json_string(ch_events[event.tag].record.name));
        jsonout_put(&tree, "at", json_string(at));
        jsonout_put(&tree, "actor_kind",
                    json_string(ch_enum_name(CH_KIND_actor_kind, event.actor.kind)));
        jsonout_put(&tree, "actor", json_integer((json_int_t)event.actor.id));
        jsonout_put(&tree, "account", json_integer((json_int_t)event.account));
    }
    ch_arena_deinit(&arena);
    return tree;
}

static void print_event(struct ch_bytes record, uint64_t seq)
{
    struct ch_arena arena = {0};
    union ch_event_body body;
    struct ch_event event;
    char at[CH_TIME_TEXT_BYTES];
    if (read_event(record, seq, &arena, &body, &event)) {
        (void)ch_time_write(event.at, at);
        (void)printf("  event       %s at %s, account %" PRIu64 ", by %s %" PRIu64 "\n",
                     ch_events[event.tag].record.name, at, event.account,
                     ch_enum_name(CH_KIND_actor_kind, event.actor.kind), event.actor.id);
    } else {
        (void)printf("  event       %zu bytes, not of a form that this program knows\n",
                     record.len);
    }
    ch_arena_deinit(&arena);
}

/* All is good, but perhaps for a checkpoint that could not be compared. */
static enum exit_code tell_good(const struct options *options, const struct parsed *parsed,
                                bool apart)
{
    const struct ch_text origin = parsed->checkpoint.origin;
    const uint64_t size = parsed->checkpoint.size;
    const bool inclusion = options->what == VERIFY_PROOF;
    const uint64_t seq = parsed->number + 1;
    const enum exit_code code = apart ? EXIT_PARTLY : EXIT_GOOD;
    if (options->json) {
        json_t *tree = json_object();
        jsonout_put(&tree, "good", json_true());
        jsonout_put(&tree, "origin", jsonout_text(origin.ptr, origin.len));
        jsonout_put(&tree, "size", json_integer((json_int_t)size));
        if (inclusion) {
            jsonout_put(&tree, "seq", json_integer((json_int_t)seq));
            jsonout_put(&tree, "event", json_event(ch_buf_view(&parsed->record), seq));
        } else {
            jsonout_put(&tree, "from", json_integer((json_int_t)parsed->number));
        }
        if (apart) jsonout_put(&tree, "unchecked", json_string(known_apart));
        return jsonout_print("charter-verify", stdout, tree, JSON_INDENT(2)) ? code : EXIT_FAILED;
    }
    if (options->quiet) return code;
    if (inclusion) {
        (void)printf("good: record %" PRIu64 " is in the log %.*s of %" PRIu64 " records\n", seq,
                     (int)origin.len, origin.ptr, size);
        print_event(ch_buf_view(&parsed->record), seq);
    } else {
        (void)printf("good: the log %.*s of %" PRIu64 " records begins with that of %" PRIu64 "\n",
                     (int)origin.len, origin.ptr, size, parsed->number);
    }
    if (apart) (void)printf("  but         %s\n", known_apart);
    return code;
}

/* ---- the file ----------------------------------------------------------------------------- */

static bool read_record(struct ch_text text, struct ch_buf *ret)
{
    size_t len = 0;
    if (!ch_buf_reserve(ret, text.len + 1)) return false;
    if (!ch_base64_read(text, ret->ptr, text.len, &len)) return false;
    ret->len = len;
    return true;
}

/* The hashes, the empty line, the checkpoint. */
static bool read_rest(struct ch_text text, struct parsed *ret)
{
    struct ch_text line;
    while (ch_text_take_line(&text, &line) && line.len > 0) {
        size_t len = 0;
        if (ret->proof.count == CH_PROOF_MOST) return false;
        uint8_t *hash = ret->proof.hashes[ret->proof.count++].bytes;
        if (!ch_base64_read(line, hash, CH_HASH_BYTES, &len) || len != CH_HASH_BYTES) return false;
    }
    return ch_checkpoint_read_note(text, &ret->note, &ret->checkpoint);
}

static bool parse(struct ch_text text, bool inclusion, struct parsed *ret)
{
    struct ch_text line;
    if (!ch_text_take_line(&text, &line)) return false;
    if (inclusion) {
        if (!ch_text_is(line, "c2sp.org/tlog-proof@v1") || !ch_text_take_line(&text, &line))
            return false;
        ret->has_record = ch_text_take_prefix(&line, "extra ");
        if (ret->has_record &&
            (!read_record(line, &ret->record) || !ch_text_take_line(&text, &line))) {
            return false;
        }
    }
    return ch_text_take_prefix(&line, inclusion ? "index " : "old ") &&
           ch_decimal_read(line, &ret->number) && read_rest(text, ret);
}

/* The record that the proof is about: given beside it, or in it. EXIT_GOOD: it is there */
static enum exit_code record_of(const struct options *options, struct parsed *parsed)
{
    if (options->record != NULL) {
        ch_buf_deinit(&parsed->record);
        const bool read =
            file_read("charter-verify", options->record, RECORD_MOST, &parsed->record);
        return read ? EXIT_GOOD : EXIT_FAILED;
    }
    if (parsed->has_record) return EXIT_GOOD;
    (void)fprintf(stderr, "charter-verify: the proof holds no record; name it with --record\n");
    return EXIT_USAGE;
}

static enum exit_code check_inclusion(const struct options *options, struct ch_text text,
                                      struct parsed *parsed)
{
    struct ch_hasher hasher;
    struct ch_hash leaf;
    struct known known;
    size_t apart = 0;
    if (!parse(text, true, parsed)) return tell(options, options->path, "this is no tlog-proof");
    known_follow(options, &known);
    const char *fault = known_check(options, &known, &parsed->note);
    if (fault != NULL) return tell(options, options->path, fault);
    fault = known_compare(options, &parsed->checkpoint, &apart);
    if (fault != NULL) return tell(options, "--against", fault);
    const enum exit_code code = record_of(options, parsed);
    if (code != EXIT_GOOD) return code;
    if (ch_hasher_init(&hasher, NULL) != CH_OK) return EXIT_FAILED;
    ch_merkle_leaf(&hasher, ch_buf_view(&parsed->record), &leaf);
    const bool good = ch_proof_check_inclusion(&hasher, parsed->number, parsed->checkpoint.size,
                                               &leaf, &parsed->proof, &parsed->checkpoint.root);
    ch_hasher_deinit(&hasher);
    if (!good) {
        return tell(options, options->path,
                    "the record does not lead to the checkpoint's root at this "
                    "place");
    }
    return tell_good(options, parsed, apart > 0);
}

static enum exit_code check_consistency(const struct options *options, struct ch_text text,
                                        struct parsed *parsed)
{
    const struct ch_buf *file = &options->against[0];
    struct ch_note old_note;
    struct ch_checkpoint old;
    struct known known;
    struct ch_hasher hasher;
    size_t apart; /* the one that it is compared with is */
    if (!parse(text, false, parsed))
        return tell(options, options->path, "this is no consistency proof");
    if (!ch_checkpoint_read_note((struct ch_text){(const char *)file->ptr, file->len}, &old_note,
                                 &old)) {
        return tell(options, "--against", "this is no signed checkpoint");
    }
    known_follow(options, &known);
    const char *fault = known_check(options, &known, &parsed->note);
    if (fault != NULL) return tell(options, options->path, fault);
    fault = known_check(options, &known, &old_note);
    if (fault != NULL) return tell(options, "--against", fault);
    if (!ch_text_equal(old.origin, parsed->checkpoint.origin)) {
        return tell(options, options->path, "the checkpoints are of two logs");
    }
    fault = known_compare(options, &parsed->checkpoint, &apart);
    if (fault != NULL) return tell(options, "--against", fault);
    if (old.size != parsed->number) {
        return tell(options, options->path,
                    "the proof is from another size than the earlier checkpoint's");
    }
    if (ch_hasher_init(&hasher, NULL) != CH_OK) return EXIT_FAILED;
    const bool good =
        ch_proof_check_consistency(&hasher, old.size, parsed->checkpoint.size, &parsed->proof,
                                   &old.root, &parsed->checkpoint.root);
    ch_hasher_deinit(&hasher);
    if (!good)
        return tell(options, options->path, "the later log does not begin with the earlier one");
    return tell_good(options, parsed, /* apart= */ false);
}

static enum exit_code check(const struct options *options, bool inclusion)
{
    struct ch_buf file = {0};
    struct parsed *parsed = calloc(1, sizeof *parsed);
    enum exit_code code = EXIT_FAILED;
    if (parsed != NULL && file_read("charter-verify", options->path, FILE_MOST, &file)) {
        const struct ch_text text = {(const char *)file.ptr, file.len};
        code = inclusion ? check_inclusion(options, text, parsed)
                         : check_consistency(options, text, parsed);
    }
    if (parsed != NULL) ch_buf_deinit(&parsed->record);
    free(parsed);
    ch_buf_deinit(&file);
    return code;
}

enum exit_code proof_file_inclusion(const struct options *options)
{
    return check(options, true);
}

enum exit_code proof_file_consistency(const struct options *options)
{
    return check(options, false);
}
