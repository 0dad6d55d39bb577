/* head: the file that remembers how far the log was acknowledged. SPDX-License-Identifier: MIT
 * LMDB can lose its last commit without a word when its meta page is torn below a sector; a log
 * that ends before what this file says is then refused.
 * Format: two blocks of 4,096 bytes, written in turn. In each: "charterd head 1\n" (16 bytes),
 * turn, seq, at in ns (8 each, little-endian), root (32), CRC32C of these 72 bytes (4,
 * little-endian), zeros. The valid block with the higher turn counts. A block's content lies
 * within one sector, so a torn write leaves it old or new, and the other block as it was.
 * Threads: one at a time. */
#ifndef CH_LOG_HEAD_H
#define CH_LOG_HEAD_H
#include "daemon/log/hasher.h"

enum { CH_HEAD_BLOCK_BYTES = 4096 };

/* Where the log ends. */
struct ch_log_end {
    uint64_t seq;   /* of the last event; 0: the log is empty */
    uint64_t at_ns; /* as append was told; after open as the head file says, which may be older */
    struct ch_hash root;
};

struct ch_head {
    int fd; /* -1: closed */
    uint64_t turn;
};

/* Opens the head file.
 * may_create: when there is none, or neither block is valid, make one that says *end; pass true
 *             for an empty log, or when loss was accepted
 * end:        set to what the file says, on success only
 * errors:     CH_ERR_FILE_IO (code = errno); CH_ERR_LOG_BEHIND (none that can be read, and
 *             may_create is false: how much was acknowledged cannot be told). *head is untouched */
CH_MUST_USE enum ch_err ch_head_open(struct ch_head *head, int dir_fd, const char *name,
                                     bool may_create, struct ch_log_end *end, struct ch_why *why);

/* Reads the head file without changing it. ret_found: false if there is none, or neither block is
 * valid; then *ret is untouched. errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_head_read(int dir_fd, const char *name, struct ch_log_end *ret,
                                     bool *ret_found, struct ch_why *why);

/* What its blocks look like, for whoever verifies. */
enum ch_head_block {
    CH_HEAD_GOOD,
    CH_HEAD_UNUSED,  /* not written yet */
    CH_HEAD_DAMAGED, /* a write that was interrupted leaves that, too */
    CH_HEAD_ODD,     /* good, but bytes stand behind it that charterd does not write */
};
struct ch_head_look {
    bool missing;
    enum ch_head_block blocks[2];
    unsigned used; /* 1 or 2: the one that counts; 0: neither */
};
/* errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_head_look(int dir_fd, const char *name, struct ch_head_look *ret,
                                     struct ch_why *why);

/* Overwrites the older block; not synced. errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_head_write(struct ch_head *head, const struct ch_log_end *end,
                                      struct ch_why *why);
/* errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_head_sync(struct ch_head *head, struct ch_why *why);
void ch_head_close(struct ch_head *head); /* closed is a no-op */
#endif
