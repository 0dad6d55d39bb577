/* head: see head.h. SPDX-License-Identifier: MIT */
#include "daemon/log/head.h"

#include "daemon/log/crc.h"
#include "daemon/log/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char magic[] = "charterd head 1\n";

enum {
    MAGIC_BYTES = 16,
    TURN_AT = 16,
    SEQ_AT = 24,
    TIME_AT = 32,
    ROOT_AT = 40,
    CRC_AT = 72,
    USED_BYTES = 76,
};

_Static_assert(sizeof magic == MAGIC_BYTES + 1, "the magic text has the length of its field");
_Static_assert((int)ROOT_AT + (int)CH_HASH_BYTES == (int)CRC_AT, "the fields follow each other");

static bool decode_block(const uint8_t block[USED_BYTES], uint64_t *ret_turn,
                         struct ch_log_end *ret)
{
    if (memcmp(block, magic, MAGIC_BYTES) != 0) return false;
    uint32_t crc = ch_crc((struct ch_bytes){.ptr = block, .len = CRC_AT});
    if (ch_get_le32(block + CRC_AT) != crc) return false;
    *ret_turn = ch_get_le64(block + TURN_AT);
    ret->seq = ch_get_le64(block + SEQ_AT);
    ret->at_ns = ch_get_le64(block + TIME_AT);
    memcpy(ret->root.bytes, block + ROOT_AT, CH_HASH_BYTES);
    return true;
}

/* found: whether a block is valid; then head->turn and *ret are set from the newer one. */
static int read_blocks(struct ch_head *head, struct ch_log_end *ret, bool *found)
{
    *found = false;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t block[USED_BYTES] = {0};
        size_t len = 0;
        int code =
            ch_file_read(head->fd, (uint64_t)i * CH_HEAD_BLOCK_BYTES, block, sizeof block, &len);
        if (code != 0) return code;
        uint64_t turn = 0;
        struct ch_log_end end;
        if (len < sizeof block || !decode_block(block, &turn, &end)) continue;
        if (*found && turn < head->turn) continue;
        *found = true;
        head->turn = turn;
        *ret = end;
    }
    return 0;
}

static enum ch_err create(struct ch_head *head, const struct ch_log_end *end, struct ch_why *why)
{
    /* Both blocks have their place before the first batch, so that no disk can be too full for one.
     */
    static const uint8_t zeros[2 * CH_HEAD_BLOCK_BYTES];
    int code = ch_file_write(head->fd, 0, zeros, sizeof zeros);
    if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "head: %s", strerror(code));
    enum ch_err err = ch_head_write(head, end, why);
    return err != CH_OK ? err : ch_head_sync(head, why);
}

enum ch_err ch_head_open(struct ch_head *head, int dir_fd, const char *name, bool may_create,
                         struct ch_log_end *end, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    bool found = false;
    struct ch_log_end said = *end;
    struct ch_head made = {.fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC, 0600)};
    if (made.fd < 0 && errno == ENOENT && may_create) {
        made.fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    }
    if (made.fd < 0 && errno == ENOENT) {
        err = ch_fail(why, CH_ERR_LOG_BEHIND, ENOENT,
                      "the head file is missing, so what was acknowledged cannot be told");
        goto out;
    }
    if (made.fd < 0) {
        err = ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", name, strerror(errno));
        goto out;
    }
    int code = read_blocks(&made, &said, &found);
    if (code != 0) {
        err = ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", name, strerror(code));
    } else if (!found && may_create) {
        err = create(&made, end, why);
    } else if (!found) {
        err = ch_fail(why, CH_ERR_LOG_BEHIND, 0,
                      "the head file is damaged, so what was acknowledged cannot be told");
    }
    if (err != CH_OK) goto out;
    *end = said;
    *head = made;
    made.fd = -1; /* given to the caller */
out:
    ch_head_close(&made);
    return err;
}

enum ch_err ch_head_read(int dir_fd, const char *name, struct ch_log_end *ret, bool *ret_found,
                         struct ch_why *why)
{
    *ret_found = false;
    struct ch_head head = {.fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC)};
    if (head.fd < 0 && errno == ENOENT) return CH_OK;
    const int code = head.fd < 0 ? errno : read_blocks(&head, ret, ret_found);
    ch_head_close(&head);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", name, strerror(code));
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

static int look_at(int fd, struct ch_head_look *ret)
{
    uint64_t turns[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t block[CH_HEAD_BLOCK_BYTES] = {0};
        struct ch_log_end end;
        size_t len = 0;
        const int code =
            ch_file_read(fd, (uint64_t)i * CH_HEAD_BLOCK_BYTES, block, sizeof block, &len);
        if (code != 0) return code;
        ret->blocks[i] = CH_HEAD_DAMAGED;
        if (decode_block(block, &turns[i], &end)) {
            const bool rest = is_zero(block + USED_BYTES, sizeof block - USED_BYTES);
            ret->blocks[i] = rest ? CH_HEAD_GOOD : CH_HEAD_ODD;
        } else if (len == sizeof block && is_zero(block, sizeof block)) {
            ret->blocks[i] = CH_HEAD_UNUSED;
        }
    }
    ret->used = turns[0] == 0 && turns[1] == 0 ? 0 : turns[1] >= turns[0] ? 2 : 1;
    for (unsigned i = 0; i < 2; i++) { /* the second write fills the block that the first did not */
        const bool first = turns[1 - i] == 1;
        if (ret->blocks[i] == CH_HEAD_UNUSED && !first) ret->blocks[i] = CH_HEAD_DAMAGED;
    }
    return 0;
}

enum ch_err ch_head_look(int dir_fd, const char *name, struct ch_head_look *ret, struct ch_why *why)
{
    enum { TRIES = 5 }; /* a daemon may be writing one just then */
    *ret = (struct ch_head_look){.missing = false};
    struct ch_head head = {.fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC)};
    ret->missing = head.fd < 0 && errno == ENOENT;
    if (ret->missing) return CH_OK;
    int code = head.fd < 0 ? errno : 0;
    for (int i = 0; code == 0 && i < TRIES; i++) {
        code = look_at(head.fd, ret);
        const bool damaged = ret->blocks[0] == CH_HEAD_DAMAGED || ret->blocks[1] == CH_HEAD_DAMAGED;
        if (!damaged) break;
    }
    ch_head_close(&head);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", name, strerror(code));
}

enum ch_err ch_head_write(struct ch_head *head, const struct ch_log_end *end, struct ch_why *why)
{
    uint8_t block[USED_BYTES] = {0};
    uint64_t turn = head->turn + 1;
    memcpy(block, magic, MAGIC_BYTES);
    ch_put_le64(block + TURN_AT, turn);
    ch_put_le64(block + SEQ_AT, end->seq);
    ch_put_le64(block + TIME_AT, end->at_ns);
    memcpy(block + ROOT_AT, end->root.bytes, CH_HASH_BYTES);
    ch_put_le32(block + CRC_AT, ch_crc((struct ch_bytes){.ptr = block, .len = CRC_AT}));
    int code = ch_file_write(head->fd, turn % 2 * CH_HEAD_BLOCK_BYTES, block, sizeof block);
    if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "head: %s", strerror(code));
    head->turn = turn;
    return CH_OK;
}

enum ch_err ch_head_sync(struct ch_head *head, struct ch_why *why)
{
    if (fdatasync(head->fd) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, errno, "fdatasync of head: %s", strerror(errno));
}

void ch_head_close(struct ch_head *head)
{
    if (head->fd >= 0) (void)close(head->fd);
    head->fd = -1;
}
