/* room: allocates a file's blocks before they are needed. SPDX-License-Identifier: MIT
 * A full disk is then found out before a transaction begins, and not inside its commit. The file's
 * size does not change (FALLOC_FL_KEEP_SIZE), so it still says how far pages were written.
 * Threads: one at a time. */
#ifndef CH_LOG_ROOM_H
#define CH_LOG_ROOM_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_room {
    int fd;               /* borrowed */
    uint64_t step_bytes;  /* allocate so much at once */
    uint64_t limit_bytes; /* never beyond */
    uint64_t allocated;   /* every block below it has its place on the disk */
    bool unsupported;     /* the file system cannot allocate ahead: only free space is looked at */
};

/* Makes sure that the file may grow to used + more (RLIMIT_FSIZE, which may change at any time),
 * and that all blocks below are allocated; a full step if the disk has it.
 * used:   how far the file is written
 * errors: CH_ERR_STORAGE_FULL (code = errno) */
CH_MUST_USE enum ch_err ch_room_reserve(struct ch_room *room, uint64_t used, uint64_t more,
                                        struct ch_why *why);

/* Allocates the next step when less than half a step is allocated behind `used`. */
void ch_room_ahead(struct ch_room *room, uint64_t used);
#endif
