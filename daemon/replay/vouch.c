/* vouch: see vouch.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/vouch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/stored_tile.h"

struct ch_vouch {
    struct ch_tile_reader *reader;
    struct ch_hasher hasher;
    uint64_t index; /* of the tile read last */
    bool known;     /* it is in `tile` */
    uint8_t tile[CH_TILE_VALUE_BYTES];
};

enum ch_err ch_vouch_open(struct ch_evlog *log, struct ch_vouch **ret, struct ch_why *why)
{
    struct ch_vouch *vouch = calloc(1, sizeof *vouch);
    if (vouch == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to compare with tiles");
    enum ch_err err = ch_hasher_init(&vouch->hasher, why);
    if (err == CH_OK) err = ch_tile_reader_open(log, &vouch->reader, why);
    if (err != CH_OK) {
        ch_vouch_close(vouch);
        return err;
    }
    *ret = vouch;
    return CH_OK;
}

void ch_vouch_close(struct ch_vouch *vouch)
{
    if (vouch == NULL) return;
    ch_tile_reader_close(vouch->reader);
    ch_hasher_deinit(&vouch->hasher);
    free(vouch);
}

/* A tile; NULL: it is not full yet, or not there, which others find. */
static enum ch_err get(struct ch_vouch *vouch, unsigned level, uint64_t index, const uint8_t **ret,
                       struct ch_why *why)
{
    const enum ch_err err = ch_tile_reader_get(vouch->reader, level, index, ret, why);
    if (err != CH_ERR_LOG_CORRUPT) return err;
    *ret = NULL;
    return CH_OK;
}

/* Makes `tile` the one of this number, if there is one. */
static enum ch_err turn_to(struct ch_vouch *vouch, uint64_t index, struct ch_why *why)
{
    const uint8_t *found = NULL;
    if (vouch->known && vouch->index == index) return CH_OK;
    const enum ch_err err = get(vouch, 0, index, &found, why);
    vouch->index = index;
    vouch->known = err == CH_OK && found != NULL;
    if (vouch->known) memcpy(vouch->tile, found, sizeof vouch->tile);
    return err;
}

/* Whether the tile is what the one above has of it. Where that is not full yet the start has seen
 * that it is. */
static enum ch_err is_right(struct ch_vouch *vouch, bool *ret, struct ch_why *why)
{
    struct ch_merkle_range range = {0};
    const uint8_t *above = NULL;
    for (size_t i = 0; i < CH_TILE_WIDTH; i++) {
        struct ch_hash hash;
        memcpy(hash.bytes, vouch->tile + i * CH_HASH_BYTES, CH_HASH_BYTES);
        ch_merkle_push(&range, &vouch->hasher, &hash, NULL, NULL);
    }
    const enum ch_err err = get(vouch, 1, vouch->index / CH_TILE_WIDTH, &above, why);
    if (err != CH_OK) return err;
    const size_t place = (size_t)(vouch->index % CH_TILE_WIDTH) * CH_HASH_BYTES;
    *ret = above == NULL ||
           memcmp(above + place, range.peaks[CH_TILE_HEIGHT].bytes, CH_HASH_BYTES) == 0;
    return CH_OK;
}

enum ch_err ch_vouch_check(struct ch_vouch *vouch, const struct ch_log_record *records,
                           size_t *count, struct ch_why *why)
{
    for (size_t i = 0; i < *count; i++) {
        struct ch_hash leaf;
        bool right = false;
        const uint64_t at = records[i].seq - 1;
        enum ch_err err = turn_to(vouch, at / CH_TILE_WIDTH, why);
        if (err != CH_OK) return err;
        if (!vouch->known) {
            i += (size_t)(CH_TILE_WIDTH - 1 - at % CH_TILE_WIDTH);
            continue;
        }
        ch_merkle_leaf(&vouch->hasher, records[i].bytes, &leaf);
        const uint8_t *own = vouch->tile + at % CH_TILE_WIDTH * CH_HASH_BYTES;
        if (memcmp(own, leaf.bytes, CH_HASH_BYTES) == 0) continue;
        err = is_right(vouch, &right, why);
        if (err != CH_OK) return err;
        if (!right) continue;
        *count = i;
        if (i > 0) return CH_OK;
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "record %" PRIu64 " was changed: tile 0/%" PRIu64 " has another hash of it",
                       records[i].seq, vouch->index);
    }
    return CH_OK;
}
