/* verify_notes: checkpoints, the head file and notes from elsewhere; see verify_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/replay/verify_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/dump.h"
#include "daemon/log/stored.h"

struct notes {
    const struct ch_verify_options *options;
    struct ch_verify_report *report;
    struct ch_expected *ret;
    uint64_t size;  /* of what is looked at */
    uint64_t whole; /* of the log */
    bool beyond;    /* a checkpoint of more than is looked at: the rest is not looked at either */
    /* of the checkpoint before */
    uint64_t last; /* its size */
    struct ch_buf text, lines;
    /* Keys that count: those given, and the one that follows; who was followed counts no more. */
    struct ch_verifier keys[CH_VERIFY_KEYS_MOST + 1];
    size_t key_count;
    bool any_signed;
};

static bool grow(void **list, size_t *cap, size_t count, size_t item)
{
    if (count < *cap) return true;
    const size_t more = *cap == 0 ? 64 : *cap * 2;
    void *grown = realloc(*list, more * item);
    if (grown == NULL) return false;
    *list = grown;
    *cap = more;
    return true;
}

bool ch_expected_add_root(struct ch_expected *expected, const struct ch_expected_root *root)
{
    void *list = expected->roots;
    const bool good = grow(&list, &expected->root_cap, expected->root_count, sizeof *root);
    expected->roots = list;
    if (good) expected->roots[expected->root_count++] = *root;
    return good;
}

bool ch_expected_add_state(struct ch_expected *expected, const struct ch_expected_state *state)
{
    void *list = expected->states;
    const bool good = grow(&list, &expected->state_cap, expected->state_count, sizeof *state);
    expected->states = list;
    if (good) expected->states[expected->state_count++] = *state;
    return good;
}

static bool add_state(struct notes *notes, uint64_t number, const struct ch_checkpoint *checkpoint)
{
    if (!checkpoint->has_state) return true;
    if (checkpoint->dump_version != CH_DUMP_VERSION) {
        notes->report->other_states++;
        return true;
    }
    if (notes->options->last_state) notes->ret->state_count = 0;
    struct ch_expected_state state = {
        .seq = checkpoint->state_seq, .part = CH_VERIFY_STATE, .number = number};
    memcpy(state.hash, checkpoint->state_hash, sizeof state.hash);
    if (notes->ret->state_count > 0) { /* not every checkpoint tells of a state of its own */
        const struct ch_expected_state *before = &notes->ret->states[notes->ret->state_count - 1];
        if (before->seq == state.seq && memcmp(before->hash, state.hash, sizeof state.hash) == 0) {
            return true;
        }
    }
    return ch_expected_add_state(notes->ret, &state);
}

/* Which of the keys that count signed it; key_count: none. ret_bad: a line that says to be of one
 * of them is not. */
static size_t signer_of(const struct notes *notes, const struct ch_note *note, bool *ret_bad)
{
    size_t found = notes->key_count;
    *ret_bad = false;
    for (size_t i = notes->key_count; i-- > 0;) {
        const enum ch_note_answer answer =
            ch_note_check(note->text, note->lines, &notes->keys[i], NULL);
        if (answer == CH_NOTE_GOOD) found = i;
        if (answer == CH_NOTE_BAD) *ret_bad = true;
    }
    return found;
}

/* The key of place `from` is followed by the next one, which must have signed too. */
static bool follow_key(struct notes *notes, size_t from, const struct ch_note *note,
                       const struct ch_verifier *next)
{
    if (ch_note_check(note->text, note->lines, next, NULL) != CH_NOTE_GOOD) return false;
    for (size_t i = 0; i < notes->key_count; i++) {
        if (ch_verifier_equal(&notes->keys[i], next)) return true; /* it was given, too */
    }
    notes->keys[from] = *next;
    return true;
}

static void check_cosignatures(struct notes *notes, uint64_t number, const struct ch_note *note)
{
    for (size_t i = 0; i < notes->options->witness_count; i++) {
        const struct ch_verifier *witness = &notes->options->witnesses[i];
        const enum ch_note_answer answer = ch_note_check(note->text, note->lines, witness, NULL);
        if (answer == CH_NOTE_GOOD) notes->report->cosignatures++;
        if (answer == CH_NOTE_BAD) {
            ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, number,
                            "checkpoint %" PRIu64 ": the cosignature of %s does not verify", number,
                            witness->name);
        }
    }
}

/* Signatures. ret_trusted: it is signed by a key that counts. */
static void check_signatures(struct notes *notes, uint64_t number, const struct ch_note *note,
                             const struct ch_checkpoint *checkpoint, bool *ret_trusted)
{
    bool bad = false;
    const size_t signer = signer_of(notes, note, &bad);
    *ret_trusted = signer < notes->key_count;
    if (bad) {
        ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64 ": its signature does not verify", number);
    } else if (!*ret_trusted && notes->any_signed) {
        ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64
                        " is not signed by the log's key, as those before it are",
                        number);
    }
    check_cosignatures(notes, number, note);
    if (!*ret_trusted) return;
    notes->any_signed = true;
    notes->report->signed_checkpoints++;
    notes->report->covered = checkpoint->size;
    if (checkpoint->has_next_key && !follow_key(notes, signer, note, &checkpoint->next_key)) {
        ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64 " names a next key that has not signed it", number);
    }
    const struct ch_verifier *now =
        checkpoint->has_next_key ? &checkpoint->next_key : &notes->keys[signer];
    (void)ch_verifier_write(now, notes->report->key);
}

/* Whether it says what the one before says, signed by the same key: charterd makes no such. */
static bool is_copy(const struct notes *notes, const struct ch_note *note)
{
    size_t at = 0;
    struct ch_note_line line;
    const struct ch_text before = {(const char *)notes->lines.ptr, notes->lines.len};
    if (notes->text.len != note->text.len || note->text.len == 0 ||
        memcmp(notes->text.ptr, note->text.ptr, note->text.len) != 0) {
        return false;
    }
    while (ch_note_next(note->lines, &at, &line)) {
        size_t before_at = 0;
        struct ch_note_line other;
        while (ch_note_next(before, &before_at, &other)) {
            if (ch_text_equal(line.line, other.line)) return true;
        }
    }
    return false;
}

static void remember(struct notes *notes, uint64_t size, const struct ch_note *note)
{
    notes->last = size;
    ch_buf_reset(&notes->text);
    ch_buf_reset(&notes->lines);
    ch_buf_put_text(&notes->text, note->text);
    ch_buf_put_text(&notes->lines, note->lines);
}

static enum ch_err check_stored(struct notes *notes, const struct ch_stored *stored,
                                struct ch_why *why)
{
    struct ch_verify_report *report = notes->report;
    const uint64_t number = stored->number;
    struct ch_note note;
    struct ch_checkpoint read;
    if (!ch_checkpoint_read_note(stored->note, &note, &read) ||
        read.origin.len > CH_NOTE_NAME_MOST) {
        ch_verify_fault(report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64 " has another form", number);
        return CH_OK;
    }
    if (number == 1) memcpy(report->origin, read.origin.ptr, read.origin.len);
    if (!ch_text_is(read.origin, report->origin)) {
        ch_verify_fault(report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64 " is of another log, %.*s", number,
                        (int)read.origin.len, read.origin.ptr);
    } else if (read.size > notes->size && read.size <= notes->whole) {
        notes->beyond = true;
        return CH_OK;
    } else if (read.size < notes->last || read.size > notes->size) {
        ch_verify_fault(report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64 " is of %" PRIu64 " records; the log has %" PRIu64
                        ", and the checkpoint before %" PRIu64,
                        number, read.size, notes->size, notes->last);
    } else if (is_copy(notes, &note)) {
        ch_verify_fault(report, CH_VERIFY_CHECKPOINT, number,
                        "checkpoint %" PRIu64 " is the same as checkpoint %" PRIu64
                        ": one of the two was replaced by a copy",
                        number - 1, number);
        report->number = number - 1;
    }
    if (report->part != CH_VERIFY_NOTHING) return CH_OK;
    remember(notes, read.size, &note);
    struct ch_expected_root root = {.size = read.size,
                                    .part = CH_VERIFY_CHECKPOINT,
                                    .number = number,
                                    .timed = true,
                                    .at_ns = stored->at_ns,
                                    .root = read.root};
    check_signatures(notes, number, &note, &read, &root.trusted);
    report->checkpoints++;
    if (notes->text.failed || notes->lines.failed || !ch_expected_add_root(notes->ret, &root) ||
        !add_state(notes, number, &read)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the checkpoints");
    }
    const struct ch_verify_copy *copy = notes->options->copy;
    return copy == NULL ? CH_OK : copy->checkpoint(copy->arg, stored, why);
}

static enum ch_err check_checkpoints(struct notes *notes, const struct ch_verify_checkpoints *from,
                                     struct ch_why *why)
{
    struct ch_buf copy = {0};
    enum ch_err err = CH_OK;
    for (uint64_t number = 1; number <= from->count && err == CH_OK && !notes->beyond &&
                              notes->report->part == CH_VERIFY_NOTHING;
         number++) {
        struct ch_stored stored;
        err = from->get(from->arg, number, &copy, &stored, why);
        if (err == CH_ERR_LOG_CORRUPT) {
            ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, number, "%s", why->text);
            err = CH_OK;
            break;
        }
        if (err == CH_OK && stored.number == 0 && from->count == UINT64_MAX) break;
        if (err == CH_OK && stored.number == 0) {
            ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, number,
                            "checkpoint %" PRIu64 " is missing", number);
            break;
        }
        if (err == CH_OK) err = check_stored(notes, &stored, why);
    }
    ch_buf_deinit(&copy);
    if (err != CH_OK || notes->report->part != CH_VERIFY_NOTHING) return err;
    const uint64_t count = notes->report->checkpoints;
    if (count > 0 && notes->options->key_count > 0 && !notes->any_signed) {
        ch_verify_fault(notes->report, CH_VERIFY_CHECKPOINT, count,
                        "none of the %" PRIu64 " checkpoints is signed by a key given", count);
    }
    return CH_OK;
}

static enum ch_err check_against(struct notes *notes, struct ch_why *why)
{
    for (size_t i = 0; i < notes->options->against_count; i++) {
        struct ch_note note;
        struct ch_checkpoint read;
        bool bad = false;
        const char *fault = NULL;
        if (!ch_checkpoint_read_note(notes->options->against[i], &note, &read)) {
            fault = "it is no signed checkpoint";
        } else if (notes->report->origin[0] != '\0' &&
                   !ch_text_is(read.origin, notes->report->origin)) {
            fault = "it is of another log";
        } else if (notes->options->key_count > 0 &&
                   signer_of(notes, &note, &bad) == notes->key_count) {
            /* by a key that was given and followed since */
            const size_t now = notes->key_count;
            memcpy(notes->keys, notes->options->keys, now * sizeof *notes->keys);
            if (signer_of(notes, &note, &bad) == now) fault = "no key known has signed it";
        }
        if (fault != NULL) {
            ch_verify_fault(notes->report, CH_VERIFY_AGAINST, i + 1,
                            "the checkpoint given to compare with (%zu): %s", i + 1, fault);
            return CH_OK;
        }
        if (read.size > notes->size) {
            ch_verify_fault(notes->report, CH_VERIFY_AGAINST, read.size,
                            "the log was cut: it has %" PRIu64
                            " records, and the checkpoint given is of %" PRIu64,
                            notes->size, read.size);
            return CH_OK;
        }
        const struct ch_expected_root root = {.size = read.size,
                                              .part = CH_VERIFY_AGAINST,
                                              .number = i + 1,
                                              .trusted = notes->options->key_count > 0,
                                              .root = read.root};
        if (!ch_expected_add_root(notes->ret, &root)) {
            return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the checkpoints");
        }
    }
    return CH_OK;
}

/* One block is enough; that the other is damaged is told. */
static void look_at_head(struct notes *notes, const struct ch_head_look *look, uint64_t seq)
{
    struct ch_verify_report *report = notes->report;
    for (unsigned i = 0; i < 2; i++) {
        const unsigned number = i + 1;
        if (look->blocks[i] == CH_HEAD_ODD) {
            (void)snprintf(report->remark, sizeof report->remark,
                           "block %u of 2 of the head file has bytes behind its content that "
                           "charterd does not write",
                           number);
        } else if (look->blocks[i] == CH_HEAD_DAMAGED && look->used == 3 - number) {
            (void)snprintf(report->remark, sizeof report->remark,
                           "block %u of 2 of the head file is damaged, or a write of it was "
                           "interrupted; block %u is used: %" PRIu64 " records were acknowledged",
                           number, 3 - number, seq);
        }
    }
}

static enum ch_err check_head(struct notes *notes, const struct ch_verify_begin *begin,
                              struct ch_why *why)
{
    const struct ch_log_end *head = &begin->head;
    if (!begin->has_head) {
        ch_verify_fault(notes->report, CH_VERIFY_HEAD, 0,
                        "%s, so what was acknowledged cannot be told",
                        begin->look.missing ? "the head file is missing"
                                            : "both blocks of the head file are damaged");
        return CH_OK;
    }
    look_at_head(notes, &begin->look, head->seq);
    if (head->seq > notes->whole) {
        ch_verify_fault(notes->report, CH_VERIFY_HEAD, head->seq,
                        "the log was cut: it has %" PRIu64
                        " records, and the head file says that %" PRIu64 " were acknowledged",
                        notes->whole, head->seq);
        return CH_OK;
    }
    const struct ch_expected_root root = {
        .size = head->seq, .part = CH_VERIFY_HEAD, .root = head->root};
    if (head->seq == 0 || head->seq > notes->size || ch_expected_add_root(notes->ret, &root))
        return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the checkpoints");
}

/* What head files elsewhere say that a log had. */
static enum ch_err check_heads(struct notes *notes, struct ch_why *why)
{
    for (size_t i = 0; i < notes->options->head_count; i++) {
        const struct ch_log_end *head = &notes->options->heads[i];
        const struct ch_expected_root root = {.size = head->seq,
                                              .part = CH_VERIFY_AGAINST,
                                              .number = notes->options->against_count + i + 1,
                                              .root = head->root};
        if (head->seq > notes->size) {
            ch_verify_fault(notes->report, CH_VERIFY_AGAINST, head->seq,
                            "the log was cut: it has %" PRIu64
                            " records, and a head file says that %" PRIu64 " were acknowledged",
                            notes->size, head->seq);
        } else if (head->seq > 0 && !ch_expected_add_root(notes->ret, &root)) {
            return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the checkpoints");
        }
    }
    return CH_OK;
}

/* By size; of one size what is signed first, since it tells more. */
static int compare_roots(const void *left, const void *right)
{
    const struct ch_expected_root *a = left;
    const struct ch_expected_root *b = right;
    if (a->size != b->size) return a->size < b->size ? -1 : 1;
    if (a->trusted != b->trusted) return a->trusted ? -1 : 1;
    return (a->part > b->part) - (a->part < b->part);
}

static int compare_states(const void *left, const void *right)
{
    const struct ch_expected_state *a = left;
    const struct ch_expected_state *b = right;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

enum ch_err ch_verify_notes(const struct ch_verify_checkpoints *from,
                            const struct ch_verify_options *options,
                            const struct ch_verify_begin *begin, struct ch_expected *ret,
                            struct ch_verify_report *report, struct ch_why *why)
{
    struct notes notes = {.options = options,
                          .report = report,
                          .ret = ret,
                          .size = begin->counts.last,
                          .whole = begin->whole};
    notes.key_count =
        options->key_count < CH_VERIFY_KEYS_MOST ? options->key_count : CH_VERIFY_KEYS_MOST;
    for (size_t i = 0; i < notes.key_count; i++) {
        notes.keys[i] = options->keys[i];
    }
    enum ch_err err = check_checkpoints(&notes, from, why);
    if (err == CH_OK && report->part == CH_VERIFY_NOTHING) err = check_against(&notes, why);
    if (err == CH_OK && report->part == CH_VERIFY_NOTHING) err = check_heads(&notes, why);
    if (err == CH_OK && report->part == CH_VERIFY_NOTHING && options->source == NULL) {
        err = check_head(&notes, begin, why);
    }
    if (err == CH_OK && report->part == CH_VERIFY_NOTHING) {
        err = ch_verify_snapshots(options, begin, ret, report, why);
    }
    ch_buf_deinit(&notes.text);
    ch_buf_deinit(&notes.lines);
    if (err != CH_OK) return err;
    if (ret->root_count > 0) {
        qsort(ret->roots, ret->root_count, sizeof *ret->roots, compare_roots);
    }
    if (ret->state_count > 0) {
        qsort(ret->states, ret->state_count, sizeof *ret->states, compare_states);
    }
    return CH_OK;
}

void ch_expected_deinit(struct ch_expected *expected)
{
    free(expected->roots);
    free(expected->states);
    *expected = (struct ch_expected){.root_count = 0};
}
