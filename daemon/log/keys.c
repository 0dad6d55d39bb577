/* keys: see keys.h. SPDX-License-Identifier: MIT */
#include "daemon/log/keys.h"

#include "daemon/log/checkpoint.h"
#include "daemon/log/file.h"
#include "schema/base/base64.h"
#include "schema/base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MOST = 64 + CH_KEYS_RETIRED_MOST * (CH_VERIFIER_TEXT_BYTES + 16) + 256,
    SEED_RAW_BYTES = 1 + CH_NOTE_SEED_BYTES,
};

static const char head_line[] = "charterd signing key 1\n";
static const char retired_word[] = "retired ";
static const char private_word[] = "PRIVATE+KEY+";
static const char key_file[] = "signing-key";
static const char next_file[] = "signing-key.new";
static const char part_word[] = ".part"; /* behind the name of a file that is being written */

static enum ch_err path_of(const char *dir, const char *name, char out[PATH_MAX],
                           struct ch_why *why)
{
    const int len = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    if (len > 0 && len < PATH_MAX) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, ENAMETOOLONG, "%s", dir);
}

static enum ch_err fail_file(struct ch_why *why, const char *path, int code)
{
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", path, strerror(code));
}

static enum ch_err fail_form(struct ch_why *why, const char *path)
{
    return ch_fail(why, CH_ERR_KEY_UNSAFE, EBADMSG,
                   "%s is damaged: it is no signing key of charterd; put back a good copy, or "
                   "start with --accept-new-key",
                   path);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* NAME+ID+BASE64 with a seed; the id must be that of its public key. */
static bool read_private(struct ch_text line, struct ch_signer *ret)
{
    uint8_t raw[SEED_RAW_BYTES];
    char id[9];
    size_t len = 0;
    struct ch_signer made = {.secret = NULL};
    const char *plus = line.len == 0 ? NULL : memchr(line.ptr, '+', line.len);
    if (plus == NULL) return false;
    const struct ch_text name = {line.ptr, (size_t)(plus - line.ptr)};
    const struct ch_text rest = {plus + 1, line.len - name.len - 1};
    if (!ch_note_name_good(name) || rest.len < 9 || rest.ptr[8] != '+') return false;
    bool good =
        ch_base64_read((struct ch_text){rest.ptr + 9, rest.len - 9}, raw, sizeof raw, &len) &&
        len == sizeof raw && raw[0] == CH_NOTE_ED25519 &&
        ch_signer_init(name, raw + 1, &made, NULL) == CH_OK;
    sodium_memzero(raw, sizeof raw);
    if (good) {
        (void)sodium_bin2hex(id, sizeof id, made.verifier.id, sizeof made.verifier.id);
        good = memcmp(id, rest.ptr, 8) == 0;
    }
    if (good) {
        *ret = made;
    } else {
        ch_signer_deinit(&made);
    }
    return good;
}

static bool parse(struct ch_text text, struct ch_keys *ret)
{
    struct ch_text line;
    if (!ch_text_take_prefix(&text, head_line)) return false;
    while (ch_text_take_line(&text, &line)) {
        if (ch_text_take_prefix(&line, private_word)) {
            return text.len == 0 && read_private(line, &ret->signer);
        }
        if (!ch_text_take_prefix(&line, retired_word) ||
            ret->retired_count == CH_KEYS_RETIRED_MOST ||
            !ch_verifier_read(line, &ret->retired[ret->retired_count])) {
            return false;
        }
        ret->retired_count++;
    }
    return false;
}

/* Whose a key may be: ours, root's, or, where we are root, theirs to whom the directory belongs. */
static bool is_owner(uid_t uid, const char *dir)
{
    struct stat info;
    if (uid == geteuid() || uid == 0) return true;
    return geteuid() == 0 && stat(dir, &info) == 0 && info.st_uid == uid;
}

/* Nobody but the owner may read or change it. */
static enum ch_err check_mode(int fd, const char *dir, const char *path, struct ch_why *why)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return fail_file(why, path, errno);
    if (!S_ISREG(info.st_mode)) {
        return ch_fail(why, CH_ERR_KEY_UNSAFE, 0, "%s is no file", path);
    }
    if ((info.st_mode & 077) != 0) {
        return ch_fail(
            why, CH_ERR_KEY_UNSAFE, 0,
            "%s has mode %04o, so others may have read it; chmod 600 it, and if they may "
            "have, take a new key then: charter checkpoint rotate",
            path, (unsigned)(info.st_mode & 07777));
    }
    if (!is_owner(info.st_uid, dir)) {
        return ch_fail(why, CH_ERR_KEY_UNSAFE, 0, "%s belongs to uid %u", path,
                       (unsigned)info.st_uid);
    }
    return CH_OK;
}

/* ret_found: false if there is no such file. */
static enum ch_err read_file(const char *dir, const char *name, struct ch_keys *ret,
                             bool *ret_found, struct ch_why *why)
{
    char path[PATH_MAX];
    char text[FILE_MOST];
    size_t len = 0;
    struct ch_keys made = {.retired_count = 0};
    *ret_found = false;
    enum ch_err err = path_of(dir, name, path, why);
    if (err != CH_OK) return err;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? CH_OK : fail_file(why, path, errno);
    err = check_mode(fd, dir, path, why);
    if (err == CH_OK) {
        const int code = ch_file_read(fd, 0, text, sizeof text, &len);
        if (code != 0) err = fail_file(why, path, code);
    }
    (void)close(fd);
    if (err == CH_OK && (len == sizeof text || !parse((struct ch_text){text, len}, &made))) {
        err = fail_form(why, path);
    }
    sodium_memzero(text, sizeof text);
    if (err == CH_OK) {
        *ret = made;
        *ret_found = true;
    } else {
        ch_keys_deinit(&made);
    }
    return err;
}

/* ---- writing ------------------------------------------------------------------------------ */

static void put_text(const struct ch_keys *keys, struct ch_buf *out)
{
    uint8_t raw[SEED_RAW_BYTES] = {CH_NOTE_ED25519};
    char key[CH_VERIFIER_TEXT_BYTES];
    ch_buf_put_text(out, ch_text_of(head_line));
    for (size_t i = 0; i < keys->retired_count; i++) {
        (void)ch_verifier_write(&keys->retired[i], key);
        ch_buf_put_text(out, ch_text_of(retired_word));
        ch_buf_put_text(out, ch_text_of(key));
        ch_buf_put(out, "\n", 1);
    }
    /* The private line has the same name and id as the verifier key. */
    (void)ch_verifier_write(&keys->signer.verifier, key);
    ch_buf_put_text(out, ch_text_of(private_word));
    ch_buf_put(out, key, strlen(keys->signer.verifier.name) + 10);
    ch_signer_seed(&keys->signer, raw + 1);
    ch_base64_put(out, (struct ch_bytes){raw, sizeof raw});
    ch_buf_put(out, "\n", 1);
    sodium_memzero(raw, sizeof raw);
}

/* Puts a whole file in the place of what there is, durable: whenever it ends, the one or the other
 * is there, and it is whole. */
static enum ch_err write_file(const char *dir, const char *name, const struct ch_keys *keys,
                              struct ch_why *why)
{
    char path[PATH_MAX];
    char part[PATH_MAX + sizeof part_word];
    struct ch_buf text = {0};
    enum ch_err err = path_of(dir, name, path, why);
    if (err != CH_OK) return err;
    (void)snprintf(part, sizeof part, "%s%s", path, part_word);
    /* room first, so that the text is never left behind in memory that grew away from it */
    if (!ch_buf_reserve(&text, FILE_MOST)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the signing key's file");
    }
    put_text(keys, &text);
    (void)unlink(part); /* of a process that was killed: its key never counted */
    const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = fd < 0 ? errno : ch_file_write(fd, 0, text.ptr, text.len);
    if (code == 0 && fsync(fd) != 0) code = errno;
    if (fd >= 0) (void)close(fd);
    if (code == 0 && rename(part, path) != 0) code = errno;
    if (code != 0 && fd >= 0) (void)unlink(part);
    if (code == 0) code = ch_file_sync_parent(path);
    if (code != 0) err = fail_file(why, path, code);
    sodium_memzero(text.ptr, text.len);
    ch_buf_deinit(&text);
    return err;
}

/* A key of this name, or of one made up from it. */
static enum ch_err make(const struct ch_keys_options *options, struct ch_keys *ret,
                        struct ch_why *why)
{
    char made_up[32];
    struct ch_text name = options->name;
    struct ch_note note;
    struct ch_checkpoint last;
    if (name.len == 0 && ch_checkpoint_read_note(options->last, &note, &last)) name = last.origin;
    if (name.len == 0) {
        struct ch_signer trial;
        enum ch_err err = ch_signer_init(ch_text_of("charterd"), options->seed, &trial, why);
        if (err != CH_OK) return err;
        char digits[17];
        (void)sodium_bin2hex(digits, sizeof digits, trial.verifier.public_key, 8);
        (void)snprintf(made_up, sizeof made_up, "charterd-%s", digits);
        ch_signer_deinit(&trial);
        name = ch_text_of(made_up);
    }
    if (!ch_note_name_good(name)) {
        return ch_fail(why, CH_ERR_CONFIG, 0,
                       "setting origin: 1 to %d bytes without white space and +",
                       CH_NOTE_NAME_MOST);
    }
    return ch_signer_init(name, options->seed, &ret->signer, why);
}

/* ---- together ----------------------------------------------------------------------------- */

/* Whether the last checkpoint is by this key, or by one that it followed: then the log was put back
 * from before the rotation, and the key is the right one all the same. */
static bool signed_last(const struct ch_keys_options *options, const struct ch_keys *keys)
{
    struct ch_note note;
    if (options->last.len == 0) return true;
    if (!ch_note_split(options->last, &note)) return false;
    bool good = ch_note_check(note.text, note.lines, &keys->signer.verifier, NULL) == CH_NOTE_GOOD;
    for (size_t i = 0; i < keys->retired_count && !good; i++) {
        good = ch_note_check(note.text, note.lines, &keys->retired[i], NULL) == CH_NOTE_GOOD;
    }
    return good;
}

static enum ch_err settle(const char *dir, bool durable, struct ch_why *why)
{
    char path[PATH_MAX];
    char next[PATH_MAX];
    enum ch_err err = path_of(dir, key_file, path, why);
    if (err == CH_OK) err = path_of(dir, next_file, next, why);
    if (err != CH_OK) return err;
    int code = rename(next, path) == 0 ? 0 : errno;
    if (code == 0 && durable) code = ch_file_sync_parent(path);
    return code == 0 ? CH_OK : fail_file(why, next, code);
}

/* Whether the last checkpoint names this key as the next, or is by it already: a daemon that could
 * not settle it goes on with it. */
static bool counts(const struct ch_keys_options *options, const struct ch_verifier *prepared)
{
    struct ch_note note;
    struct ch_checkpoint last;
    if (!ch_checkpoint_read_note(options->last, &note, &last)) return false;
    if (last.has_next_key && ch_verifier_equal(&last.next_key, prepared)) return true;
    return ch_note_check(note.text, note.lines, prepared, NULL) == CH_NOTE_GOOD;
}

/* Whether the key in its place is all that the last checkpoint needs, so that one prepared beside
 * it is of a rotation that never was. */
static bool is_enough(const struct ch_keys_options *options)
{
    bool found = false;
    struct ch_note note;
    struct ch_checkpoint last;
    struct ch_keys keys = {.retired_count = 0};
    if (options->last.len == 0 || options->may_replace) return true;
    if (read_file(options->dir, key_file, &keys, &found, NULL) != CH_OK || !found) return false;
    bool enough = signed_last(options, &keys);
    if (enough && ch_checkpoint_read_note(options->last, &note, &last) && last.has_next_key) {
        enough = ch_verifier_equal(&last.next_key, &keys.signer.verifier);
    }
    ch_keys_deinit(&keys);
    return enough;
}

/* A rotation that was not finished: its key counts, or is dropped. Where the one in its place is
 * not enough it stays, also a damaged one, which then is the failure. */
static enum ch_err finish_rotation(const struct ch_keys_options *options, struct ch_why *why)
{
    bool found = false;
    struct ch_why own;
    struct ch_keys prepared = {.retired_count = 0};
    const enum ch_err err = read_file(options->dir, next_file, &prepared, &found, &own);
    const bool damaged = err == CH_ERR_KEY_UNSAFE && own.code == EBADMSG;
    if (err == CH_OK && !found) return CH_OK;
    const bool finish = found && counts(options, &prepared.signer.verifier);
    ch_keys_deinit(&prepared);
    if (finish) return settle(options->dir, /* durable= */ true, why);
    if ((found || damaged) && is_enough(options)) {
        ch_keys_drop(options->dir);
        return CH_OK;
    }
    if (err != CH_OK && why != NULL) *why = own;
    return err;
}

/* The key in its place. One that is damaged is none where a new one may be made. */
static enum ch_err read_own(const struct ch_keys_options *options, struct ch_keys *ret,
                            bool *ret_found, struct ch_why *why)
{
    struct ch_why own;
    enum ch_err err = read_file(options->dir, key_file, ret, ret_found, &own);
    if (err == CH_ERR_KEY_UNSAFE && own.code == EBADMSG && options->may_replace) return CH_OK;
    if (err != CH_OK && why != NULL) *why = own;
    return err;
}

/* Whether the last checkpoint leads to this key. */
static bool is_linked(const struct ch_keys_options *options, const struct ch_verifier *own)
{
    return options->last.len == 0 || counts(options, own);
}

enum ch_err ch_keys_open(const struct ch_keys_options *options, struct ch_keys *ret,
                         struct ch_why *why)
{
    bool found = false;
    struct ch_keys keys = {.retired_count = 0};
    enum ch_err err = finish_rotation(options, why);
    if (err == CH_OK) err = read_own(options, &keys, &found, why);
    if (err != CH_OK) goto out;
    const bool right = found && signed_last(options, &keys);
    if (!right && options->last.len > 0 && !options->may_replace) {
        err = ch_fail(why, CH_ERR_KEY_WRONG, 0,
                      found ? "%s/%s is not the key that signed the last checkpoint; put back the "
                              "right one, or start with --accept-new-key"
                            : "%s/%s is missing; put it back, or start with --accept-new-key",
                      options->dir, key_file);
        goto out;
    }
    if (!right) {
        ch_keys_deinit(&keys);
        err = make(options, &keys, why);
        if (err == CH_OK) err = write_file(options->dir, key_file, &keys, why);
    } else if (options->name.len > 0 && !ch_text_is(options->name, keys.signer.verifier.name)) {
        err = ch_fail(why, CH_ERR_CONFIG, 0,
                      "setting origin: the log's name is %s since its key was made",
                      keys.signer.verifier.name);
    }
    if (err != CH_OK) goto out;
    keys.unlinked = !is_linked(options, &keys.signer.verifier);
    *ret = keys;
    keys = (struct ch_keys){.retired_count = 0}; /* given to the caller */
out:
    ch_keys_deinit(&keys);
    return err;
}

size_t ch_keys_public(const char *dir, struct ch_verifier *ret)
{
    bool found = false;
    struct ch_keys keys = {.retired_count = 0};
    if (read_file(dir, key_file, &keys, &found, NULL) != CH_OK || !found) return 0;
    const size_t count = keys.retired_count;
    memcpy(ret, keys.retired, count * sizeof *ret);
    ret[count] = keys.signer.verifier;
    ch_keys_deinit(&keys);
    return count + 1;
}

void ch_keys_deinit(struct ch_keys *keys)
{
    if (keys == NULL) return;
    ch_signer_deinit(&keys->signer);
    keys->retired_count = 0;
}

/* The key in use may still have the name of a prepared one: that is its only file. */
static enum ch_err settle_own(const char *dir, const struct ch_keys *keys, struct ch_why *why)
{
    bool found = false;
    struct ch_keys prepared = {.retired_count = 0};
    enum ch_err err = read_file(dir, next_file, &prepared, &found, why);
    if (err == CH_ERR_KEY_UNSAFE) return CH_OK; /* ours is whole */
    if (err != CH_OK || !found) return err;
    const bool own = ch_verifier_equal(&prepared.signer.verifier, &keys->signer.verifier);
    ch_keys_deinit(&prepared);
    return own ? settle(dir, /* durable= */ true, why) : CH_OK;
}

enum ch_err ch_keys_prepare(const char *dir, const struct ch_keys *keys,
                            const uint8_t seed[CH_NOTE_SEED_BYTES], struct ch_keys *ret,
                            struct ch_why *why)
{
    struct ch_keys made = {.retired_count = keys->retired_count};
    if (keys->retired_count == CH_KEYS_RETIRED_MOST) {
        return ch_fail(why, CH_ERR_KEY_WRONG, 0, "the log has had %d keys; it takes no more",
                       CH_KEYS_RETIRED_MOST + 1);
    }
    memcpy(made.retired, keys->retired, keys->retired_count * sizeof *keys->retired);
    made.retired[made.retired_count++] = keys->signer.verifier;
    enum ch_err err = settle_own(dir, keys, why);
    if (err == CH_OK) {
        err = ch_signer_init(ch_text_of(keys->signer.verifier.name), seed, &made.signer, why);
    }
    if (err == CH_OK) err = write_file(dir, next_file, &made, why);
    if (err != CH_OK) {
        ch_keys_deinit(&made);
        return err;
    }
    *ret = made;
    return CH_OK;
}

enum ch_err ch_keys_settle(const char *dir, struct ch_why *why)
{
    return settle(dir, /* durable= */ false, why);
}

void ch_keys_drop(const char *dir)
{
    char next[PATH_MAX];
    if (path_of(dir, next_file, next, NULL) == CH_OK) (void)unlink(next);
}
