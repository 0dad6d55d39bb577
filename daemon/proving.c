/* proving: see proving.h. SPDX-License-Identifier: MIT */
#include "daemon/proving.h"

#include <inttypes.h>

#include "daemon/log/checkpoint.h"
#include "daemon/log/prover.h"
#include "daemon/log/reader.h"
#include "daemon/log/stored.h"
#include "schema/codec.h"

bool ch_proving_wanted(const struct ch_call *call)
{
    return call->why == NULL &&
           (call->type == CH_QRY_proof_inclusion || call->type == CH_QRY_proof_consistency);
}

static bool refuse(struct ch_proved *ret, enum ch_rejection_code code, const char *field)
{
    ret->reject = (struct ch_reject){.code = code, .field = field};
    return true;
}

/* The checkpoint of this size, or the newest; its note is copied into the arena. ret_size: 0 where
 * there is none. */
static bool checkpoint_of(struct ch_evlog *log, bool by_size, uint64_t size, struct ch_arena *arena,
                          struct ch_text *ret_note, uint64_t *ret_size, struct ch_why *why)
{
    struct ch_buf copy = {0};
    struct ch_stored stored;
    struct ch_note note;
    struct ch_checkpoint read;
    const enum ch_err err = by_size ? ch_stored_find(log, size, &copy, &stored, why)
                                    : ch_stored_get(log, 0, &copy, &stored, why);
    bool good = err == CH_OK;
    *ret_size = 0;
    if (good && stored.number != 0) {
        ret_note->len = stored.note.len;
        ret_note->ptr = ch_arena_copy(arena, stored.note.ptr, stored.note.len);
        good = ret_note->ptr != NULL;
        if (!good) {
            (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a proof");
        } else if (!ch_checkpoint_read_note(*ret_note, &note, &read)) {
            (void)ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                          stored.number);
            good = false;
        } else {
            *ret_size = read.size;
        }
    }
    ch_buf_deinit(&copy);
    return good;
}

/* The hashes as views. NULL: no memory */
static struct ch_bytes *views_of(const struct ch_proof *proof, struct ch_arena *arena,
                                 struct ch_why *why)
{
    struct ch_bytes *views = ch_arena_take(arena, (proof->count + 1) * sizeof *views);
    if (views == NULL) (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a proof");
    for (uint32_t i = 0; views != NULL && i < proof->count; i++) {
        views[i] = (struct ch_bytes){proof->hashes[i].bytes, CH_HASH_BYTES};
    }
    return views;
}

/* The answer's value. */
static bool encode(int type, const void *result, struct ch_arena *arena, struct ch_proved *ret,
                   struct ch_why *why)
{
    struct ch_buf buf = {0};
    ch_encode_map(&buf, &ch_calls[type].result, result);
    ret->value = (struct ch_bytes){ch_arena_copy(arena, buf.ptr, buf.len), buf.len};
    const bool good = !buf.failed && ret->value.ptr != NULL;
    ch_buf_deinit(&buf);
    if (!good) (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a proof");
    return good;
}

static bool inclusion(struct ch_evlog *log, struct ch_prover *prover,
                      const struct ch_qry_proof_inclusion *args, struct ch_arena *arena,
                      struct ch_proved *ret, struct ch_why *why)
{
    struct ch_qry_proof_inclusion_result result = {.index = args->seq - 1};
    struct ch_reader *reader = NULL;
    struct ch_log_record record = {.seq = 0};
    struct ch_proof proof;
    struct ch_hash leaf;
    struct ch_hasher hasher = {0};
    if (args->seq == 0) return refuse(ret, CH_REJ_not_found, "seq");
    if (!checkpoint_of(log, args->has_size, args->size, arena, &result.note, &result.size, why)) {
        return false;
    }
    if (args->has_size && result.size == 0) return refuse(ret, CH_REJ_not_found, "size");
    if (args->seq > result.size) return refuse(ret, CH_REJ_no_checkpoint, "seq");
    enum ch_err err = ch_prover_inclusion(prover, result.index, result.size, &proof, why);
    if (err == CH_OK) err = ch_hasher_init(&hasher, why);
    if (err == CH_OK) err = ch_reader_open(log, &reader, why);
    if (err == CH_OK) err = ch_reader_read(reader, args->seq, &record, why);
    if (err == CH_OK && record.bytes.ptr == NULL) {
        err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " is missing", args->seq);
    }
    bool good = err == CH_OK;
    if (good) {
        ch_merkle_leaf(&hasher, record.bytes, &leaf);
        result.leaf = (struct ch_bytes){leaf.bytes, CH_HASH_BYTES};
        result.record = record.bytes;
        result.hashes = views_of(&proof, arena, why);
        result.hashes_len = result.hashes == NULL ? 0 : proof.count;
        good = result.hashes != NULL && encode(CH_QRY_proof_inclusion, &result, arena, ret, why);
    }
    ch_reader_close(reader);
    ch_hasher_deinit(&hasher);
    return good;
}

static bool consistency(struct ch_evlog *log, struct ch_prover *prover,
                        const struct ch_qry_proof_consistency *args, struct ch_arena *arena,
                        struct ch_proved *ret, struct ch_why *why)
{
    struct ch_qry_proof_consistency_result result = {.from = args->from};
    struct ch_proof proof = {.count = 0};
    struct ch_hash root;
    if (!checkpoint_of(log, args->has_to, args->to, arena, &result.note, &result.to, why)) {
        return false;
    }
    if (args->has_to && result.to == 0) return refuse(ret, CH_REJ_not_found, "to");
    if (args->from > result.to) return refuse(ret, CH_REJ_no_checkpoint, "from");
    /* Every log begins with the empty one, and nothing proves it: RFC 6962 has no such proof. */
    enum ch_err err =
        args->from == 0 ? CH_OK : ch_prover_consistency(prover, args->from, result.to, &proof, why);
    if (err == CH_OK) err = ch_prover_root(prover, args->from, &root, why);
    if (err != CH_OK) return false;
    result.from_root = (struct ch_bytes){root.bytes, CH_HASH_BYTES};
    result.hashes = views_of(&proof, arena, why);
    if (result.hashes == NULL) return false;
    result.hashes_len = proof.count;
    return encode(CH_QRY_proof_consistency, &result, arena, ret, why);
}

bool ch_proving_find(struct ch_evlog *log, struct ch_prover *prover, const struct ch_call *call,
                     struct ch_arena *arena, struct ch_proved *ret, struct ch_why *why)
{
    *ret = (struct ch_proved){.reject = {.code = CH_REJ_none}};
    if (call->type == CH_QRY_proof_inclusion) {
        return inclusion(log, prover, call->args, arena, ret, why);
    }
    return consistency(log, prover, call->args, arena, ret, why);
}
