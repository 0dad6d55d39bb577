/* fuzz_receipt: any bytes as a receipt, a note, a checkpoint or a verifier key.
 * SPDX-License-Identifier: MIT
 * No change of a byte leaves a receipt good. */
#include "daemon/log/checkpoint.h"
#include "daemon/log/receipt.h"
#include "tests/fuzz/_fuzz.h"

#include <stdlib.h>

const unsigned ch_fuzz_weight = 1;

static const uint8_t key_seed[CH_NOTE_SEED_BYTES] = {7};

struct made {
    struct ch_hasher hasher;
    struct ch_signer signer;
    struct ch_buf note;
    struct ch_buf receipt;
};

static struct ch_text text_of(const struct ch_buf *buf)
{
    return (struct ch_text){(const char *)buf->ptr, buf->len};
}

static void make(struct made *m)
{
    struct ch_buf line = {0};
    struct ch_buf attached = {0};
    CH_CHECK(ch_hasher_init(&m->hasher, NULL) == CH_OK);
    CH_CHECK(ch_signer_init(ch_text_of("example.com/log"), key_seed, &m->signer, NULL) == CH_OK);
    struct ch_checkpoint checkpoint = {.origin = ch_text_of("example.com/log"),
                                       .size = 7,
                                       .has_state = true,
                                       .dump_version = 1,
                                       .state_seq = 6,
                                       .has_next_key = true,
                                       .next_key = m->signer.verifier};
    ch_checkpoint_put(&m->note, &checkpoint);
    ch_signer_put_line(&m->signer, text_of(&m->note), &line);
    ch_buf_put(&m->note, "\n", 1);
    ch_buf_put(&m->note, line.ptr, line.len);
    ch_receipt_begin(&attached, ch_text_of("way open campaigns.send\nneeds share 2\n"));
    struct ch_receipt_record record = {.seq = 2, .bytes = {(const uint8_t *)"record", 6}};
    record.proof.count = 2;
    ch_receipt_add(&attached, &record);
    record =
        (struct ch_receipt_record){.seq = 5, .withheld = true, .bytes = {key_seed, CH_HASH_BYTES}};
    ch_receipt_add(&attached, &record);
    ch_receipt_end(&attached, ch_text_of("log example.com/log\nseq 7\ndecision allowed\n"),
                   text_of(&m->note), &m->signer, &m->hasher, &m->receipt);
    CH_CHECK(!m->note.failed && !m->receipt.failed);
    ch_buf_deinit(&line);
    ch_buf_deinit(&attached);
}

/* Made once; the process keeps it. */
static struct made *made(void)
{
    static struct made one;
    if (one.receipt.len == 0) make(&one);
    return &one;
}

bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    struct made *m = made();
    char key[CH_VERIFIER_TEXT_BYTES];
    if (at == 0) ch_buf_put(out, m->receipt.ptr, m->receipt.len);
    if (at == 1) ch_buf_put(out, m->note.ptr, m->note.len);
    if (at == 2) ch_buf_put(out, key, ch_verifier_write(&m->signer.verifier, key));
    return at < 3;
}

static void look_at_receipt(struct made *m, struct ch_text file)
{
    struct ch_receipt receipt;
    struct ch_receipt_record record;
    struct ch_buf room = {0};
    const char *why = NULL;
    if (!ch_receipt_split(file, &m->hasher, &receipt, &why)) {
        CH_CHECK(why != NULL);
        return;
    }
    for (size_t at = 0; ch_receipt_next(&receipt, &at, &room, &record);) {
        CH_CHECK(at <= receipt.records.len && record.proof.count <= CH_PROOF_MOST);
    }
    ch_buf_deinit(&room);
    const enum ch_note_answer answer =
        ch_note_check(receipt.text, receipt.line, &m->signer.verifier, NULL);
    const bool same = file.len == m->receipt.len && memcmp(file.ptr, m->receipt.ptr, file.len) == 0;
    CH_CHECK(answer != CH_NOTE_GOOD || same);
}

static void look_at_note(struct made *m, struct ch_text whole)
{
    struct ch_note note;
    struct ch_note_line line;
    struct ch_checkpoint checkpoint;
    struct ch_verifier verifier;
    struct ch_buf again = {0};
    uint64_t time = 0;
    if (ch_note_split(whole, &note)) {
        for (size_t at = 0; ch_note_next(note.lines, &at, &line);) {
            CH_CHECK(at <= note.lines.len && line.name.len > 0);
        }
        (void)ch_note_check(note.text, note.lines, &m->signer.verifier, &time);
    }
    if (ch_checkpoint_read_note(whole, &note, &checkpoint)) {
        ch_checkpoint_put(&again, &checkpoint);
        struct ch_checkpoint second;
        CH_CHECK(ch_checkpoint_read(text_of(&again), &second) && second.size == checkpoint.size &&
                 second.state_seq == checkpoint.state_seq);
    }
    ch_buf_deinit(&again);
    if (ch_verifier_read(whole, &verifier)) {
        char text[CH_VERIFIER_TEXT_BYTES];
        CH_CHECK(ch_verifier_write(&verifier, text) == whole.len &&
                 memcmp(text, whole.ptr, whole.len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ch_text text = {(const char *)data, size};
    look_at_receipt(made(), text);
    look_at_note(made(), text);
    return 0;
}
