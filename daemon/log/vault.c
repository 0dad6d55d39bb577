/* vault: see vault.h. SPDX-License-Identifier: MIT */
#include "daemon/log/vault.h"

#include "daemon/log/file.h"
#include "schema/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEY_BYTES = CH_VAULT_KEY_BYTES,
    CHUNK_KEYS = 32768, /* sodium_malloc makes four mappings, of which a process has 65,530 */
    CHUNK_BYTES = CHUNK_KEYS * KEY_BYTES,
    ERASED_BYTE = 0xff,
};

struct ch_vault {
    int fd;
    bool mutex_made;
    pthread_mutex_t mutex;
    uint8_t **chunks; /* each CHUNK_BYTES by sodium_malloc, or NULL: all missing */
    size_t chunk_count;
    uint64_t *changed; /* numbers that the file does not have yet, in order of change */
    size_t changed_count;
    size_t changed_room;
    uint64_t erasures;
    uint8_t *scratch; /* CHUNK_BYTES; what sync is writing; only sync's */
};

static bool is_filled(const uint8_t slot[KEY_BYTES], uint8_t with)
{
    uint8_t other = 0;
    for (unsigned i = 0; i < KEY_BYTES; i++) {
        other |= slot[i] ^ with;
    }
    return other == 0;
}

static enum ch_vault_state state_of(const uint8_t slot[KEY_BYTES])
{
    if (is_filled(slot, 0)) return CH_VAULT_MISSING;
    return is_filled(slot, ERASED_BYTE) ? CH_VAULT_ERASED : CH_VAULT_PRESENT;
}

static void lock(struct ch_vault *vault)
{
    CH_CHECK(pthread_mutex_lock(&vault->mutex) == 0);
}

static void unlock(struct ch_vault *vault)
{
    CH_CHECK(pthread_mutex_unlock(&vault->mutex) == 0);
}

/* NULL: the slot has no memory, so it is missing. */
static uint8_t *slot_of(const struct ch_vault *vault, uint64_t number)
{
    uint64_t chunk = number / CHUNK_KEYS;
    if (chunk >= vault->chunk_count || vault->chunks[chunk] == NULL) return NULL;
    return vault->chunks[chunk] + number % CHUNK_KEYS * KEY_BYTES;
}

static bool grow_chunks(struct ch_vault *vault, size_t chunk)
{
    size_t count = vault->chunk_count == 0 ? 16 : vault->chunk_count;
    while (count <= chunk) {
        count *= 2;
    }
    uint8_t **grown = realloc(vault->chunks, count * sizeof *grown);
    if (grown == NULL) return false;
    for (size_t i = vault->chunk_count; i < count; i++) {
        grown[i] = NULL;
    }
    vault->chunks = grown;
    vault->chunk_count = count;
    return true;
}

/* NULL: out of memory. */
static uint8_t *make_slot(struct ch_vault *vault, uint64_t number)
{
    CH_CHECK(number < CH_VAULT_MAX_SLOTS);
    size_t chunk = (size_t)(number / CHUNK_KEYS);
    if (chunk >= vault->chunk_count && !grow_chunks(vault, chunk)) return NULL;
    if (vault->chunks[chunk] == NULL) {
        uint8_t *made = sodium_malloc(CHUNK_BYTES);
        if (made == NULL) return NULL;
        sodium_memzero(made, CHUNK_BYTES);
        vault->chunks[chunk] = made;
    }
    return slot_of(vault, number);
}

static bool reserve_change(struct ch_vault *vault)
{
    if (vault->changed_count < vault->changed_room) return true;
    size_t room = vault->changed_room == 0 ? 256 : vault->changed_room * 2;
    uint64_t *grown = realloc(vault->changed, room * sizeof *grown);
    if (grown == NULL) return false;
    vault->changed = grown;
    vault->changed_room = room;
    return true;
}

static enum ch_err change(struct ch_vault *vault, uint64_t number, const uint8_t value[KEY_BYTES],
                          struct ch_why *why)
{
    enum ch_err err = CH_OK;
    lock(vault);
    uint8_t *slot = make_slot(vault, number);
    if (slot == NULL || !reserve_change(vault)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "vault slot %" PRIu64, number);
    } else {
        memcpy(slot, value, KEY_BYTES);
        vault->changed[vault->changed_count++] = number;
    }
    unlock(vault);
    return err;
}

enum ch_err ch_vault_put(struct ch_vault *vault, uint64_t number,
                         const uint8_t key[CH_VAULT_KEY_BYTES], struct ch_why *why)
{
    CH_CHECK(number >= 1);
    CH_CHECK(state_of(key) == CH_VAULT_PRESENT);
    return change(vault, number, key, why);
}

enum ch_err ch_vault_erase(struct ch_vault *vault, uint64_t number, struct ch_why *why)
{
    CH_CHECK(number >= 1);
    uint8_t erased[KEY_BYTES];
    memset(erased, ERASED_BYTE, sizeof erased);
    enum ch_err err = change(vault, number, erased, why);
    if (err != CH_OK) return err;
    lock(vault);
    vault->erasures++;
    unlock(vault);
    return CH_OK;
}

uint64_t ch_vault_erasures(struct ch_vault *vault)
{
    lock(vault);
    const uint64_t count = vault->erasures;
    unlock(vault);
    return count;
}

enum ch_vault_state ch_vault_get(struct ch_vault *vault, uint64_t number,
                                 uint8_t ret_key[CH_VAULT_KEY_BYTES])
{
    lock(vault);
    const uint8_t *slot = slot_of(vault, number);
    enum ch_vault_state state = slot == NULL ? CH_VAULT_MISSING : state_of(slot);
    if (state == CH_VAULT_PRESENT) memcpy(ret_key, slot, KEY_BYTES);
    unlock(vault);
    return state;
}

/* How many of changed[from..upto) follow each other without a gap, and fit the scratch. */
static size_t run_length(const struct ch_vault *vault, size_t from, size_t upto)
{
    size_t len = 1;
    while (from + len < upto && len < CHUNK_KEYS &&
           vault->changed[from + len] == vault->changed[from] + len) {
        len++;
    }
    return len;
}

/* Writes changed[0..upto): run by run, the keys copied under the mutex, written without it. */
static int write_changed(struct ch_vault *vault, size_t upto)
{
    int code = 0;
    for (size_t from = 0; from < upto && code == 0;) {
        lock(vault);
        uint64_t number = vault->changed[from];
        size_t len = run_length(vault, from, upto);
        for (size_t i = 0; i < len; i++) {
            memcpy(vault->scratch + i * KEY_BYTES, slot_of(vault, number + i), KEY_BYTES);
        }
        unlock(vault);
        code = ch_file_write(vault->fd, number * KEY_BYTES, vault->scratch, len * KEY_BYTES);
        sodium_memzero(vault->scratch, len * KEY_BYTES);
        from += len;
    }
    return code;
}

enum ch_err ch_vault_sync(struct ch_vault *vault, struct ch_why *why)
{
    lock(vault);
    size_t upto = vault->changed_count; /* what comes later waits for the next sync */
    unlock(vault);
    if (upto == 0) return CH_OK;
    int code = write_changed(vault, upto);
    if (code == 0 && fdatasync(vault->fd) != 0) code = errno;
    if (code != 0) {
        enum ch_err err = code == ENOSPC || code == EDQUOT ? CH_ERR_STORAGE_FULL : CH_ERR_VAULT_IO;
        return ch_fail(why, err, code, "write %zu keys to the vault: %s", upto, strerror(code));
    }
    lock(vault);
    vault->changed_count -= upto;
    memmove(vault->changed, vault->changed + upto, vault->changed_count * sizeof *vault->changed);
    unlock(vault);
    return CH_OK;
}

/* Reads the whole file into memory. A last slot that is cut short was never acknowledged: missing.
 */
static enum ch_err load(struct ch_vault *vault, uint64_t file_bytes, struct ch_why *why)
{
    uint64_t slots = file_bytes / KEY_BYTES;
    if (slots > CH_VAULT_MAX_SLOTS) {
        return ch_fail(why, CH_ERR_VAULT_IO, 0, "the vault has %" PRIu64 " slots", slots);
    }
    for (uint64_t first = 0; first < slots; first += CHUNK_KEYS) {
        uint8_t *chunk = make_slot(vault, first);
        if (chunk == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "vault in memory");
        uint64_t count = slots - first < CHUNK_KEYS ? slots - first : CHUNK_KEYS;
        size_t len = 0;
        int code = ch_file_read(vault->fd, first * KEY_BYTES, chunk, count * KEY_BYTES, &len);
        if (code == 0 && len < count * KEY_BYTES) code = EIO;
        if (code != 0) {
            return ch_fail(why, CH_ERR_VAULT_IO, code, "read the vault: %s", strerror(code));
        }
    }
    return CH_OK;
}

static enum ch_err make_installation_key(struct ch_vault *vault, const char *path,
                                         struct ch_why *why)
{
    uint8_t *slot = make_slot(vault, 0);
    if (slot == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "vault in memory");
    randombytes_buf(slot, KEY_BYTES);
    int code = ch_file_write(vault->fd, 0, slot, KEY_BYTES);
    if (code == 0 && fdatasync(vault->fd) != 0) code = errno;
    if (code == 0) code = ch_file_sync_parent(path);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_VAULT_IO, code, "make %s: %s", path, strerror(code));
}

/* Opens the file, loads it, and makes slot 0 where that is right: a vault of which nothing was ever
 * acknowledged has at most that slot, cut short by a crash. */
static enum ch_err open_file(struct ch_vault *vault, const char *path, bool may_create,
                             struct ch_why *why)
{
    struct stat stat;
    vault->fd = open(path, O_RDWR | O_CLOEXEC | (may_create ? O_CREAT : 0), 0600);
    if (vault->fd < 0 || fstat(vault->fd, &stat) != 0) {
        return ch_fail(why, CH_ERR_VAULT_IO, errno, "%s: %s", path, strerror(errno));
    }
    if ((stat.st_mode & 077) != 0) {
        return ch_fail(why, CH_ERR_VAULT_IO, 0,
                       "%s has mode %04o, so others may have read the keys of people's names; "
                       "chmod 600 it",
                       path, (unsigned)(stat.st_mode & 07777));
    }
    enum ch_err err = load(vault, (uint64_t)stat.st_size, why);
    if (err != CH_OK) return err;
    const uint8_t *slot = slot_of(vault, 0);
    if (slot != NULL && state_of(slot) == CH_VAULT_PRESENT) return CH_OK;
    if (may_create && stat.st_size <= KEY_BYTES) return make_installation_key(vault, path, why);
    return ch_fail(why, CH_ERR_VAULT_IO, 0, "%s has no installation key", path);
}

enum ch_err ch_vault_open(const char *path, bool may_create, struct ch_vault **ret,
                          struct ch_why *why)
{
    enum ch_err err = CH_OK;
    if (sodium_init() < 0) return ch_fail(why, CH_ERR_VAULT_IO, 0, "libsodium does not start");
    struct ch_vault *vault = calloc(1, sizeof *vault);
    if (vault == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "vault handle");
    vault->fd = -1;
    int code = pthread_mutex_init(&vault->mutex, NULL);
    if (code != 0) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, code, "vault mutex");
        goto out;
    }
    vault->mutex_made = true;
    vault->scratch = sodium_malloc(CHUNK_BYTES);
    if (vault->scratch == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "vault in memory");
        goto out;
    }
    err = open_file(vault, path, may_create, why);
    if (err != CH_OK) goto out;
    *ret = vault;
    vault = NULL; /* given to the caller */
out:
    ch_vault_close(vault);
    return err;
}

void ch_vault_close(struct ch_vault *vault)
{
    if (vault == NULL) return;
    for (size_t i = 0; i < vault->chunk_count; i++) {
        sodium_free(vault->chunks[i]); /* clears */
    }
    free(vault->chunks);
    free(vault->changed);
    sodium_free(vault->scratch);
    if (vault->fd >= 0) (void)close(vault->fd);
    if (vault->mutex_made) (void)pthread_mutex_destroy(&vault->mutex);
    free(vault);
}
