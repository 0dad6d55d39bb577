/* room: see room.h. SPDX-License-Identifier: MIT */
#include "daemon/log/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

/* From `allocated` on; the first time from 0, which also fills holes that LMDB may have left. */
static int allocate(struct ch_room *room, uint64_t upto)
{
    int code = 0;
    do {
        code = fallocate(room->fd, FALLOC_FL_KEEP_SIZE, (off_t)room->allocated,
                         (off_t)(upto - room->allocated)) == 0
                   ? 0
                   : errno;
    } while (code == EINTR);
    if (code == 0) room->allocated = upto;
    return code;
}

/* The next best where blocks cannot be allocated: is there free space now? */
static int look(const struct ch_room *room, uint64_t bytes)
{
    struct statvfs stat;
    if (fstatvfs(room->fd, &stat) != 0) return errno;
    return (uint64_t)stat.f_bavail * (uint64_t)stat.f_frsize >= bytes ? 0 : ENOSPC;
}

static uint64_t step_from(const struct ch_room *room, uint64_t upto)
{
    uint64_t target = upto + room->step_bytes;
    target -= target % room->step_bytes;
    return target < room->limit_bytes ? target : room->limit_bytes;
}

/* How large the process may make a file; blocks are allocated beyond that all the same. */
static uint64_t largest_file(void)
{
    struct rlimit limit;
    const bool told = getrlimit(RLIMIT_FSIZE, &limit) == 0;
    return told && limit.rlim_cur != RLIM_INFINITY ? (uint64_t)limit.rlim_cur : UINT64_MAX;
}

enum ch_err ch_room_reserve(struct ch_room *room, uint64_t used, uint64_t more, struct ch_why *why)
{
    uint64_t upto = used + more;
    const uint64_t largest = largest_file();
    if (upto > largest) {
        return ch_fail(why, CH_ERR_STORAGE_FULL, EFBIG,
                       "room for the log: it may need %llu bytes, and the limit of a file's size "
                       "(ulimit -f) is %llu",
                       (unsigned long long)upto, (unsigned long long)largest);
    }
    if (upto <= room->allocated) return CH_OK;
    int code = 0;
    if (!room->unsupported) {
        uint64_t target = step_from(room, upto);
        code = allocate(room, target > upto ? target : upto);
        if (code == ENOSPC || code == EDQUOT) code = allocate(room, upto);
        room->unsupported = code == EOPNOTSUPP || code == ENOSYS;
    }
    if (room->unsupported) code = look(room, more);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_STORAGE_FULL, code, "room for the log: %s", strerror(code));
}

void ch_room_ahead(struct ch_room *room, uint64_t used)
{
    if (room->unsupported || used + room->step_bytes / 2 <= room->allocated) return;
    uint64_t target = step_from(room, used + room->step_bytes / 2);
    if (target > room->allocated) (void)allocate(room, target); /* append asks again, and says */
}
