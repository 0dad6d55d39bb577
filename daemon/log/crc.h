/* crc: the checksum that stands behind every record. SPDX-License-Identifier: MIT
 * CRC32C (RFC 3720, appendix B.4) over the record's seq as 8 big-endian bytes, then the record. The
 * seq is part of it, so a record that was moved to another place does not match either.
 * Chance is its business; malice is the Merkle tree's. Threads: any. */
#ifndef CH_LOG_CRC_H
#define CH_LOG_CRC_H
#include "schema/base/bytes.h"

enum { CH_CRC_BYTES = 4 }; /* stored little-endian */

/* CRC32C of the bytes alone. At most INT_MAX bytes. */
uint32_t ch_crc(struct ch_bytes bytes);

/* The same of bytes that come in pieces: crc is that of those before; 0: none came. */
uint32_t ch_crc_more(uint32_t crc, struct ch_bytes bytes);

/* The checksum of a record at its place in the log. Where the seq stands before the record already,
 * ch_crc of both is the same, at a third of the time or less for a short record. */
uint32_t ch_crc_record(uint64_t seq, struct ch_bytes record);
#endif
