/* pack: writes msgpack by msgpack-c into a ch_buf. SPDX-License-Identifier: MIT
 * Failure is the buffer's sticky `failed`. Integers and lengths take their shortest form. */
#ifndef CH_SCHEMA_PACK_H
#define CH_SCHEMA_PACK_H
#include "schema/base/buf.h"
#include "schema/kinds.h"

void ch_pack_nil(struct ch_buf *buf);
void ch_pack_bool(struct ch_buf *buf, bool value);
void ch_pack_uint(struct ch_buf *buf, uint64_t value);
void ch_pack_text(struct ch_buf *buf, struct ch_text text);
void ch_pack_chars(struct ch_buf *buf, const char *chars);
void ch_pack_bytes(struct ch_buf *buf, struct ch_bytes bytes);
void ch_pack_array(struct ch_buf *buf, size_t items);
void ch_pack_map(struct ch_buf *buf, size_t pairs);
#endif
