/* codec: one writer and one reader for every record of the .def rows. SPDX-License-Identifier: MIT
 * Two forms. `map`: the wire, a map by field names, enums and scopes by name, times as RFC 3339
 * text; `list`: an event's fields, an array in row order, everything by number, so that one value
 * has one byte string. Readers take untrusted bytes, check kind, bounds and UTF-8, and name the
 * field. */
#ifndef CH_SCHEMA_CODEC_H
#define CH_SCHEMA_CODEC_H
#include "schema/base/arena.h"
#include "schema/base/buf.h"
#include "schema/base/err.h"
#include "schema/cursor.h"
#include "schema/records.h"

/* Writes the record at `object` as a map; absent optional fields and empty lists are left out. */
void ch_encode_map(struct ch_buf *buf, const struct ch_record *record, const void *object);

/* Writes an event's fields, the personal ones left out, as an array. */
void ch_encode_list(struct ch_buf *buf, const struct ch_record *record, const void *object);

/* Reads a map.
 * path:   how `why` calls the map ("calls[2].args"); borrowed for the call
 * arena:  holds lists and folded texts; other texts are borrowed from the cursor's bytes
 * object: record->size bytes; zeroed first, and not to be used after a failure
 * errors: CH_ERR_UNDECODABLE, UNKNOWN_FIELD, MISSING_FIELD, REPEATED_FIELD, WRONG_KIND,
 *         OUT_OF_BOUNDS, NOT_TEXT, NO_MEMORY */
CH_MUST_USE enum ch_err ch_decode_map(struct ch_cursor *c, const struct ch_record *record,
                                      const char *path, struct ch_arena *arena, void *object,
                                      struct ch_why *why);

/* Reads an event's fields; the personal ones stay absent. Errors as above. */
CH_MUST_USE enum ch_err ch_decode_list(struct ch_cursor *c, const struct ch_record *record,
                                       struct ch_arena *arena, void *object, struct ch_why *why);

/* Writes what ch_decode_map would fill in: the value of a personal or named text, for sealing. */
static inline const void *ch_field_at(const struct ch_field *field, const void *object)
{
    return (const uint8_t *)object + field->offset;
}

/* Whether a field is present: always, unless it is optional and absent, or an empty list. */
bool ch_field_present(const struct ch_field *field, const void *object);
uint32_t ch_field_items(const struct ch_field *field, const void *object);

/* A scope set as an array of numbers (events) or names (wire). */
void ch_pack_scopes(struct ch_buf *buf, struct ch_scopes scopes, bool names);
#endif
