/* evlog_open: opening and closing the event log; see evlog.h. SPDX-License-Identifier: MIT */
#include "daemon/log/evlog_impl.h"
#include "daemon/log/file.h"
#include "schema/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TABLES = 8, /* four now; LMDB wants to know before */
    STEP_BYTES = 64 << 20,
    LEAST_MAP_BYTES = 1 << 20,
};

static const char format[] = "charterd log 1";

static enum ch_err fail_file(struct ch_why *why, const char *what)
{
    int code = errno;
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", what, strerror(code));
}

static enum ch_err open_dir(struct ch_evlog *log, const char *dir, struct ch_why *why)
{
    bool made = mkdir(dir, 0700) == 0;
    if (!made && errno != EEXIST) return fail_file(why, dir);
    if (made) {
        int code = ch_file_sync_parent(dir);
        if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", dir, strerror(code));
    }
    log->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return log->dir_fd < 0 ? fail_file(why, dir) : CH_OK;
}

/* The holder's process number stands in the file, for people; the lock itself is the kernel's. */
static enum ch_err lock_dir(struct ch_evlog *log, const char *dir, struct ch_why *why)
{
    log->lock_fd = openat(log->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (log->lock_fd < 0) return fail_file(why, "lock");
    char text[32] = "";
    if (flock(log->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return fail_file(why, "lock");
        size_t len = 0;
        (void)ch_file_read(log->lock_fd, 0, text, sizeof text - 1, &len);
        text[strcspn(text, "\n")] = '\0';
        return ch_fail(why, CH_ERR_LOG_LOCKED, 0, "process %s has %s open", text, dir);
    }
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(log->lock_fd, 0) != 0) return fail_file(why, "lock");
    int code = ch_file_write(log->lock_fd, 0, text, (size_t)len);
    if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "lock: %s", strerror(code));
    return CH_OK;
}

static int configure(MDB_env *env, uint64_t map_bytes)
{
    int code = mdb_env_set_mapsize(env, (size_t)map_bytes);
    return code != 0 ? code : mdb_env_set_maxdbs(env, TABLES);
}

enum ch_err ch_evlog_check_length(MDB_env *env, const char *path, struct ch_why *why)
{
    MDB_envinfo info;
    MDB_stat pages;
    struct stat file;
    int code = mdb_env_info(env, &info);
    if (code == 0) code = mdb_env_stat(env, &pages);
    if (code != 0) return ch_evlog_fail_read(why, code, path);
    if (stat(path, &file) != 0) return fail_file(why, path);
    const uint64_t needed = ((uint64_t)info.me_last_pgno + 1) * pages.ms_psize;
    if ((uint64_t)file.st_size >= needed) return CH_OK;
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                   "%s is cut off: it has %llu bytes, and its last commit needs %llu", path,
                   (unsigned long long)file.st_size, (unsigned long long)needed);
}

static enum ch_err open_env(struct ch_evlog *log, const char *dir, uint64_t map_bytes,
                            struct ch_why *why)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/log.mdb", dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        return ch_fail(why, CH_ERR_FILE_IO, ENAMETOOLONG, "%s", dir);
    }
    int code = mdb_env_create(&log->env);
    if (code != 0) return ch_evlog_fail_read(why, code, "mdb_env_create");
    code = configure(log->env, map_bytes);
    if (code != 0) return ch_evlog_fail_read(why, code, "configure LMDB");
    /* Default durability. NOTLS: a reader belongs to its struct, not to the thread that made it. */
    code = mdb_env_open(log->env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600);
    if (code != 0) return ch_evlog_fail_read(why, code, path);
    enum ch_err err = ch_evlog_check_length(log->env, path, why);
    if (err != CH_OK) return err;
    int dead = 0; /* readers of a process that was killed would keep old pages for ever */
    code = mdb_reader_check(log->env, &dead);
    if (code != 0) return ch_evlog_fail_read(why, code, "mdb_reader_check");
    return CH_OK;
}

/* Opens a table, makes it if it is not there; *made says so. */
static int open_table(MDB_txn *txn, const char *name, MDB_dbi *ret, bool *made)
{
    int code = mdb_dbi_open(txn, name, 0, ret);
    if (code != MDB_NOTFOUND) return code;
    *made = true;
    return mdb_dbi_open(txn, name, MDB_CREATE, ret);
}

static enum ch_err check_format(struct ch_evlog *log, MDB_txn *txn, bool made, struct ch_why *why)
{
    char name[] = "format";
    char text[sizeof format];
    memcpy(text, format, sizeof text);
    MDB_val key = {.mv_size = sizeof name - 1, .mv_data = name};
    MDB_val value = {.mv_size = sizeof text - 1, .mv_data = text};
    if (made) {
        int code = mdb_put(txn, log->meta, &key, &value, MDB_NOOVERWRITE);
        return code == 0 ? CH_OK : ch_evlog_fail_read(why, code, "write the log's format");
    }
    int code = mdb_get(txn, log->meta, &key, &value);
    if (code != 0 && code != MDB_NOTFOUND) return ch_evlog_fail_read(why, code, "meta");
    if (code != 0 || value.mv_size != sizeof format - 1 ||
        memcmp(value.mv_data, format, sizeof format - 1) != 0) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, code, "log.mdb is no log of the form \"%s\"",
                       format);
    }
    return CH_OK;
}

/* A transaction that only opens tables writes nothing, so a restart leaves the file as it was. */
static enum ch_err open_tables(struct ch_evlog *log, struct ch_why *why)
{
    MDB_txn *txn = NULL;
    bool made = false;
    bool made_later = false; /* a log of before there were checkpoints */
    enum ch_err err = CH_OK;
    int code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (code == 0) code = open_table(txn, "meta", &log->meta, &made);
    if (code == 0) code = open_table(txn, "events", &log->events, &made);
    if (code == 0) code = open_table(txn, "tiles", &log->tiles_table, &made);
    if (code == 0) code = open_table(txn, "checkpoints", &log->checkpoints, &made_later);
    if (code != 0) {
        err = ch_evlog_fail_read(why, code, "open the tables of the log");
        goto out;
    }
    err = check_format(log, txn, made, why);
    if (err != CH_OK) goto out;
    code = mdb_txn_commit(txn);
    txn = NULL; /* gone, whatever commit said */
    if (code != 0) err = ch_evlog_fail_read(why, code, "make the tables of the log");
out:
    if (txn != NULL) mdb_txn_abort(txn);
    return err;
}

static enum ch_err open_room(struct ch_evlog *log, uint64_t step_bytes, struct ch_why *why)
{
    MDB_stat stat;
    MDB_envinfo info;
    int fd = -1;
    int code = mdb_env_stat(log->env, &stat);
    if (code == 0) code = mdb_env_info(log->env, &info);
    if (code == 0) code = mdb_env_get_fd(log->env, &fd);
    if (code != 0) return ch_evlog_fail_read(why, code, "size of the log");
    log->page_bytes = stat.ms_psize;
    log->room = (struct ch_room){
        .fd = fd,
        .step_bytes = step_bytes == 0 ? STEP_BYTES : step_bytes,
        .limit_bytes = info.me_mapsize, /* as LMDB has it: not below what the log already has */
    };
    return CH_OK;
}

enum ch_err ch_evlog_open(const char *dir, const struct ch_evlog_options *options,
                          struct ch_evlog **ret, struct ch_why *why)
{
    CH_CHECK(options->map_bytes >= LEAST_MAP_BYTES);
    enum ch_err err = CH_OK;
    struct ch_evlog *log = calloc(1, sizeof *log);
    if (log == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "event log handle");
    log->dir_fd = log->lock_fd = log->head.fd = -1;
    log->tree = calloc(1, sizeof *log->tree);
    log->next = calloc(1, sizeof *log->next);
    if (log->tree == NULL || log->next == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "tree of the event log");
        goto out;
    }
    err = ch_hasher_init(&log->hasher, why);
    if (err != CH_OK) goto out;
    err = open_dir(log, dir, why);
    if (err != CH_OK) goto out;
    err = lock_dir(log, dir, why);
    if (err != CH_OK) goto out;
    err = open_env(log, dir, options->map_bytes - options->map_bytes % 4096, why);
    if (err != CH_OK) goto out;
    err = open_tables(log, why);
    if (err != CH_OK) goto out;
    err = open_room(log, options->step_bytes, why);
    if (err != CH_OK) goto out;
    err = ch_evlog_recover(log, why);
    if (err != CH_OK) goto out;
    err = ch_evlog_check_head(log, options->accept_loss, why);
    if (err != CH_OK) goto out;
    if (fsync(log->dir_fd) != 0) {
        err = fail_file(why, dir);
        goto out;
    }
    *ret = log;
    log = NULL; /* given to the caller */
out:
    ch_evlog_close(log);
    return err;
}

void ch_evlog_close(struct ch_evlog *log)
{
    if (log == NULL) return;
    if (log->head.fd >= 0) {
        /* If it fails, the next open finds the log ahead of the head file, which is allowed. */
        enum ch_err unused = ch_head_sync(&log->head, NULL);
        (void)unused;
    }
    ch_head_close(&log->head);
    if (log->env != NULL) mdb_env_close(log->env);
    ch_hasher_deinit(&log->hasher);
    free(log->tree);
    free(log->next);
    if (log->dir_fd >= 0) (void)close(log->dir_fd);
    if (log->lock_fd >= 0) (void)close(log->lock_fd); /* last: the directory is free from here */
    free(log);
}
