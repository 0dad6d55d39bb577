/* receipt_check: see receipt_check.h. SPDX-License-Identifier: MIT */
#include "tools/verify/receipt_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/buf.h"
#include "tools/verify/receipt_fit.h"
#include "tools/verify/receipt_sense.h"

/* A record of the receipt, decoded. */
struct shown {
    uint64_t seq;
    bool readable; /* neither withheld nor of a form that is not known */
    struct ch_event event;
};

struct checking {
    const struct options *options;
    struct ch_hasher *hasher;
    struct checked *ret;
    struct ch_arena arena;
    struct ch_buf shown;  /* struct shown, by seq */
    struct ch_buf groups; /* uint64_t: of the subject */
    struct way way;       /* whose lines are being read */
    bool reasoned;        /* some fact is what the reason is about */
    bool lacking;         /* it says that nothing gives it */
};

static bool fault(struct checked *checked, const char *text)
{
    (void)snprintf(checked->text, sizeof checked->text, "%s", text);
    return false;
}

static bool fault_of(struct checked *checked, const char *what, uint64_t seq, const char *text)
{
    (void)snprintf(checked->text, sizeof checked->text, "%s %" PRIu64 ": %s", what, seq, text);
    return false;
}

/* ---- signatures --------------------------------------------------------------------------- */

/* The statement is signed by one of the keys that count; `line` is the only signature there is. */
static bool check_statement(struct checked *checked, const struct known *known)
{
    const struct ch_receipt *receipt = &checked->receipt;
    for (size_t i = 0; i < known->count; i++) {
        const enum ch_note_answer answer =
            ch_note_check(receipt->text, receipt->line, &known->keys[i], NULL);
        if (answer == CH_NOTE_BAD)
            return fault(checked, "the statement's signature does not verify");
        if (answer == CH_NOTE_UNSIGNED) continue;
        (void)ch_verifier_write(&known->keys[i], checked->key);
        if (!ch_text_is(checked->statement.said[SAID_log], known->keys[i].name)) {
            return fault(checked, "the statement is of another log than its key");
        }
        return true;
    }
    return fault(checked, "the statement is not signed by a key given");
}

static bool check_checkpoint(const struct options *options, struct checked *checked,
                             const struct known *known)
{
    if (!ch_checkpoint_read_note(checked->receipt.note, &checked->note, &checked->checkpoint)) {
        return fault(checked, "it holds no signed checkpoint");
    }
    const char *wrong = known_check(options, known, &checked->note);
    if (wrong != NULL) return fault(checked, wrong);
    if (!ch_text_equal(checked->checkpoint.origin, checked->statement.said[SAID_log])) {
        return fault(checked, "the checkpoint is of another log");
    }
    wrong = known_compare(options, &checked->checkpoint, &checked->apart);
    if (wrong != NULL) return fault(checked, wrong);
    if (checked->statement.seq > checked->checkpoint.size) {
        return fault(checked, "the checkpoint does not reach to the event that the answer is of");
    }
    return true;
}

/* ---- records ------------------------------------------------------------------------------ */

static bool check_record(struct checking *c, const struct ch_receipt_record *record,
                         uint64_t before)
{
    struct checked *checked = c->ret;
    const struct ch_checkpoint *checkpoint = &checked->checkpoint;
    struct shown shown = {.seq = record->seq};
    struct ch_hash leaf;
    if (record->seq <= before) return fault_of(checked, "record", record->seq, "out of order");
    if (record->withheld) {
        memcpy(leaf.bytes, record->bytes.ptr, sizeof leaf.bytes);
    } else {
        ch_merkle_leaf(c->hasher, record->bytes, &leaf);
    }
    if (record->seq > checkpoint->size ||
        !ch_proof_check_inclusion(c->hasher, record->seq - 1, checkpoint->size, &leaf,
                                  &record->proof, &checkpoint->root)) {
        return fault_of(checked, "record", record->seq,
                        "it does not lead to the checkpoint's root at this place");
    }
    checked->records++;
    checked->withheld += record->withheld;
    if (!record->withheld) {
        union ch_event_body *body = ch_arena_take(&c->arena, sizeof *body);
        const void *copy = ch_arena_copy(&c->arena, record->bytes.ptr, record->bytes.len);
        if (body == NULL || copy == NULL) return fault(checked, "out of memory");
        shown.readable = ch_event_decode((struct ch_bytes){copy, record->bytes.len}, &c->arena,
                                         body, &shown.event, NULL) == CH_OK;
        checked->unknown += !shown.readable;
    }
    ch_buf_put(&c->shown, &shown, sizeof shown);
    return !c->shown.failed || fault(checked, "out of memory");
}

static bool check_records(struct checking *c)
{
    struct ch_buf room = {0};
    struct ch_receipt_record *record = calloc(1, sizeof *record);
    size_t at = 0;
    uint64_t before = 0;
    bool good = record != NULL;
    while (good && ch_receipt_next(&c->ret->receipt, &at, &room, record)) {
        good = check_record(c, record, before);
        before = record->seq;
    }
    if (good && at != c->ret->receipt.records.len) {
        good = fault_of(c->ret, "the record behind", before, "it has another form");
    }
    free(record);
    ch_buf_deinit(&room);
    return good;
}

/* ---- the explanation ---------------------------------------------------------------------- */

static const struct shown *shown_of(const struct checking *c, uint64_t seq)
{
    const struct shown *all = (const struct shown *)(const void *)c->shown.ptr;
    for (size_t i = 0; i < c->shown.len / sizeof *all; i++) {
        if (all[i].seq == seq) return &all[i];
    }
    return NULL;
}

/* needed: by the way that is being read */
static bool check_fact(struct checking *c, const struct fact *fact, bool needed)
{
    const struct statement *statement = &c->ret->statement;
    const bool group =
        ch_text_is(fact->name, "membership") || ch_text_is(fact->name, "parent_group");
    c->ret->facts++;
    if (group) ch_buf_put(&c->groups, &fact->ids[CLAIM_group], sizeof fact->ids[CLAIM_group]);
    const struct shown *shown = shown_of(c, fact->seq);
    if (shown == NULL) return fault_of(c->ret, "event", fact->seq, "its record is not there");
    const char *wrong = NULL;
    if (fact->has_event && shown->readable) {
        wrong = receipt_misfit(statement, fact, &shown->event,
                               (const uint64_t *)(const void *)c->groups.ptr,
                               c->groups.len / sizeof(uint64_t));
    }
    if (wrong == NULL) {
        wrong = sense_of_fact(statement, fact, shown->readable ? &shown->event : NULL,
                              needed ? &c->way : NULL);
    }
    return wrong == NULL || fault_of(c->ret, "event", fact->seq, wrong);
}

static bool agrees(struct checking *c, const char *wrong)
{
    return wrong == NULL || fault(c->ret, wrong);
}

/* All lines of a way have been read; what follows belongs to none, or begins the next. */
static bool end_way(struct checking *c)
{
    const char *wrong = sense_of_way(&c->ret->statement, &c->way);
    c->way.there = false;
    return agrees(c, wrong);
}

static bool check_line(struct checking *c, const struct line *line)
{
    const bool needed = ch_text_is(line->word, "needs");
    const bool of_way = needed || ch_text_is(line->word, "way-denied-by");
    if (!of_way && !ch_text_is(line->word, "by-name") && !end_way(c)) return false;
    if (of_way && !c->way.there) return fault(c->ret, "a fact of a way stands behind no way");
    if (ch_text_is(line->word, "way")) {
        return agrees(c, sense_begin_way(&c->ret->statement, line->rest, &c->way));
    }
    c->lacking = c->lacking || ch_text_is(line->word, "nothing-gives-it");
    if (!line->is_fact) return true;
    if (needed && c->way.count < WAY_FACTS_MOST) c->way.fact[c->way.count++] = line->fact;
    c->reasoned = c->reasoned || (!needed && sense_is_reason(&c->ret->statement, &line->fact));
    return check_fact(c, &line->fact, needed);
}

/* What the explanation comes to must be what the statement says. */
static bool check_explanation(struct checking *c)
{
    enum { FACTS_MOST = 1024 }; /* of one list; what is beyond is only counted */
    const struct statement *statement = &c->ret->statement;
    struct ch_text text = c->ret->receipt.explanation;
    struct line line;
    bool open = false;
    bool more = false;
    bool some = false;
    const bool allowed = ch_text_is(statement->said[SAID_decision], "allowed");
    while (text.len > 0) {
        some = true;
        if (!receipt_read_line(&text, &line)) {
            return fault(c->ret, "the explanation has a line that this program does not know");
        }
        if (!check_line(c, &line)) return false;
        open = open || (ch_text_is(line.word, "way") && ch_receipt_word(&line.rest, "open"));
        more = more || ch_text_is(line.word, "more-ways"); /* one of them may be open */
    }
    if (!end_way(c)) return false;
    if (allowed && !open && !more) {
        return fault(c->ret, "it says allowed, and shows no way that is open");
    }
    if (!allowed && open) return fault(c->ret, "it says denied, and shows a way that is open");
    more = more || c->ret->facts >= FACTS_MOST;
    if (sense_is_absent(statement)) {
        if (some) return fault(c->ret, "it explains what was not there");
    } else if (sense_needs_reason(statement)) {
        if (!c->reasoned && !more) return fault(c->ret, "no fact is what the reason is about");
    } else if (allowed == c->lacking) {
        return fault(c->ret, allowed ? "it says allowed, and that nothing gives it"
                                     : "the reason is that nothing gives it, and that is not said");
    }
    return !c->groups.failed || fault(c->ret, "out of memory");
}

bool receipt_check(const struct options *options, struct ch_text file, struct ch_hasher *hasher,
                   struct checked *ret)
{
    struct checking c = {.options = options, .hasher = hasher, .ret = ret};
    struct known known;
    const char *why = NULL;
    *ret = (struct checked){.records = 0};
    known_follow(options, &known);
    if (!ch_receipt_split(file, hasher, &ret->receipt, &why)) return fault(ret, why);
    if (!receipt_read_statement(ret->receipt.statement, &ret->statement)) {
        return fault(ret, "the statement has lines that this program does not know");
    }
    const bool good =
        check_statement(ret, &known) && agrees(&c, sense_of_statement(&ret->statement)) &&
        check_checkpoint(options, ret, &known) && check_records(&c) && check_explanation(&c);
    ch_arena_deinit(&c.arena);
    ch_buf_deinit(&c.shown);
    ch_buf_deinit(&c.groups);
    return good;
}
