/* json: msgpack of the wire as JSON, and back. SPDX-License-Identifier: MIT
 * Bytes are hexadecimal text in JSON; a record's rows say which fields of a JSON object are bytes.
 * Everything else has one form in both. jansson does the text. Pure.
 * source: RFC 8259; schema/README.md, "JSON" */
#ifndef CH_SCHEMA_JSON_H
#define CH_SCHEMA_JSON_H
#include "schema/base/buf.h"
#include "schema/base/err.h"
#include "schema/records.h"

struct json_t; /* <jansson.h> */

/* One msgpack value as a tree.
 * ret:    the caller's, release with json_decref; untouched on failure
 * errors: CH_ERR_UNDECODABLE (not one value, or too deep), OUT_OF_BOUNDS (integer from 2^63 on),
 *         REPEATED_FIELD, NOT_TEXT, NO_MEMORY */
CH_MUST_USE enum ch_err ch_json_tree(struct ch_bytes value, struct json_t **ret,
                                     struct ch_why *why);

/* Appends one msgpack value as JSON text.
 * indent: spaces for each level; 0: all on one line */
CH_MUST_USE enum ch_err ch_json_write(struct ch_buf *buf, struct ch_bytes value, unsigned indent,
                                      struct ch_why *why);

/* Appends a tree as msgpack; texts stay texts.
 * errors: CH_ERR_OUT_OF_BOUNDS (too deep), NO_MEMORY */
CH_MUST_USE enum ch_err ch_json_pack(struct ch_buf *buf, const struct json_t *tree,
                                     struct ch_why *why);

/* Appends an object as the record's wire map: what ch_decode_map reads. A null is left out.
 * errors: CH_ERR_WRONG_KIND (not an object, not hexadecimal), UNKNOWN_FIELD, NO_MEMORY */
CH_MUST_USE enum ch_err ch_json_pack_record(struct ch_buf *buf, const struct ch_record *record,
                                            const struct json_t *object, struct ch_why *why);

/* The same from text. errors: also CH_ERR_UNDECODABLE (not JSON; says where) */
CH_MUST_USE enum ch_err ch_json_read_record(struct ch_buf *buf, const struct ch_record *record,
                                            struct ch_text json, struct ch_why *why);

/* Appends bytes as small hexadecimal digits; reads them, false unless there are 2 * len digits. */
void ch_hex_write(struct ch_buf *buf, struct ch_bytes bytes);
bool ch_hex_read(struct ch_text hex, uint8_t *out, size_t len);
#endif
