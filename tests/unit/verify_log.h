/* verify_log: a log that a daemon writes at its first start, with two checkpoints, and places in
 * its file. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_VERIFY_LOG_H
#define CH_TESTS_VERIFY_LOG_H
#include "daemon/core/apply.h"
#include "daemon/core/decide.h"
#include "daemon/core/dump.h"
#include "daemon/log/bundle.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/crc.h"
#include "daemon/log/prover.h"
#include "daemon/log/snapshot.h"
#include "daemon/log/stored.h"
#include "daemon/log/stored_tile.h"
#include "daemon/replay/follower.h"
#include "daemon/replay/verify.h"
#include "schema/pack.h"
#include "tests/unit/log_scratch.h"

#include <lmdb.h>
#include <sodium.h>
#include <sys/mman.h>

enum { MAP = 64 << 20, FIRST = 300 };

/* A key or a value of a table. */
struct place {
    enum ch_verify_part part;
    uint64_t number; /* seq, tile index, checkpoint number */
    size_t offset;   /* in the file */
    size_t len;
    bool key;
};

struct fixture {
    struct scratch scratch;
    struct ch_signer signer;
    struct ch_signer stranger;
    uint64_t records;
    struct place *places;
    size_t place_count;
    struct ch_buf first_note; /* the first checkpoint's */
    uint64_t snapshots[4];    /* wanted of these events; 0: no more */
    uint64_t random;
};

static const uint8_t seed[CH_NOTE_SEED_BYTES] = {7};
static const uint8_t other_seed[CH_NOTE_SEED_BYTES] = {8};

/* ---- making the log ----------------------------------------------------------------------- */

static void put_checkpoint(struct fixture *f, struct ch_evlog *log, uint64_t number,
                           const struct ch_state *state)
{
    struct ch_checkpoint made = {.origin = ch_text_of("example.com/log"),
                                 .size = ch_evlog_end(log)->seq,
                                 .root = ch_evlog_end(log)->root,
                                 .has_state = true,
                                 .dump_version = CH_DUMP_VERSION,
                                 .state_seq = ch_evlog_end(log)->seq};
    struct ch_buf note = {0};
    struct ch_buf line = {0};
    struct ch_why why = {0};
    assert_int_equal(ch_state_hash(state, made.state_hash, &why), CH_OK);
    ch_checkpoint_put(&note, &made);
    ch_signer_put_line(&f->signer, (struct ch_text){(const char *)note.ptr, note.len}, &line);
    ch_buf_put(&note, "\n", 1);
    ch_buf_put(&note, line.ptr, line.len);
    const struct ch_text whole = {(const char *)note.ptr, note.len};
    assert_int_equal(ch_stored_put(log, number, /* at_ns= */ 0, whole, &why), CH_OK);
    if (number == 1) ch_buf_put(&f->first_note, note.ptr, note.len);
    ch_buf_deinit(&line);
    ch_buf_deinit(&note);
}

static void dump_into(void *arg, const void *ptr, size_t len)
{
    ch_snapshot_put(arg, ptr, len);
}

static void put_snapshot(struct fixture *f, struct ch_evlog *log, const struct ch_state *state)
{
    struct ch_snapshot_writer *writer = NULL;
    struct ch_snapshot head = {.seq = ch_evlog_end(log)->seq,
                               .at_ns = ch_meta(state)->last_at,
                               .body_version = CH_DUMP_VERSION,
                               .event_types = CH_EVENT_TAGS,
                               .root = ch_evlog_end(log)->root};
    struct ch_why why = {0};
    assert_int_equal(ch_snapshot_begin(f->scratch.dir, &writer, &why), CH_OK);
    ch_dump(state, dump_into, writer);
    assert_int_equal(ch_snapshot_commit(writer, &head, &why), CH_OK);
}

static void make_log(struct fixture *f)
{
    struct ch_state state;
    struct ch_arena arena = {0};
    struct ch_verdict verdict;
    struct ch_why why = {0};
    struct ch_evlog *log = scratch_open(&f->scratch, MAP);
    assert_true(ch_state_init(&state));
    ch_decide_start(&state, &arena, &verdict);
    assert_true(verdict.count > FIRST);
    for (uint32_t i = 0; i < verdict.count; i++) {
        struct ch_buf record = {0};
        ch_event_encode(&record, &verdict.events[i]);
        const struct ch_bytes view = ch_buf_view(&record);
        assert_true(ch_apply_reserve(&state, &verdict.events[i]));
        ch_apply(&state, &verdict.events[i]);
        assert_int_equal(ch_evlog_append(log, verdict.events[i].seq, &view, 1, 1000, &why), CH_OK);
        if (i + 1 == FIRST) put_checkpoint(f, log, 1, &state);
        for (size_t k = 0; k < 4; k++) {
            if (f->snapshots[k] == i + 1) put_snapshot(f, log, &state);
        }
        ch_buf_deinit(&record);
    }
    f->records = verdict.count;
    put_checkpoint(f, log, 2, &state);
    ch_evlog_close(log);
    ch_state_deinit(&state);
    ch_arena_deinit(&arena);
}

static void add_place(struct fixture *f, const struct place *place)
{
    f->places = realloc(f->places, (f->place_count + 1) * sizeof *f->places);
    assert_non_null(f->places);
    f->places[f->place_count++] = *place;
}

/* Where the file is mapped: LMDB does not tell. source: man 5 proc, /proc/self/maps */
static const uint8_t *map_of(const struct fixture *f)
{
    char line[PATH_MAX + 128];
    uintptr_t base = 0;
    const char *path = scratch_path(&f->scratch, "log.mdb\n");
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (base == 0 && fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, path) != NULL) base = (uintptr_t)strtoull(line, NULL, 16);
    }
    (void)fclose(maps);
    assert_true(base != 0);
    return (const uint8_t *)base; // NOLINT(performance-no-int-to-ptr): the kernel says it as text
}

/* Where the keys and values of a table stand in the file. */
static void find_places(struct fixture *f, MDB_txn *txn, const char *table,
                        enum ch_verify_part part)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    const uint8_t *base = map_of(f);
    assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
    assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        const uint8_t *at = key.mv_data;
        struct place place = {.part = part, .len = key.mv_size, .key = true};
        place.number = key.mv_size == 9 ? ch_get_be64(at + 1) : ch_get_be64(at);
        place.offset = (size_t)(at - base);
        add_place(f, &place);
        place.key = false;
        place.len = value.mv_size;
        place.offset = (size_t)((const uint8_t *)value.mv_data - base);
        add_place(f, &place);
    }
    mdb_cursor_close(cursor);
}

static void find_all_places(struct fixture *f)
{
    MDB_env *env;
    MDB_txn *txn;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
    const char *path = scratch_path(&f->scratch, "log.mdb");
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    find_places(f, txn, "events", CH_VERIFY_RECORD);
    find_places(f, txn, "tiles", CH_VERIFY_TILE);
    find_places(f, txn, "checkpoints", CH_VERIFY_CHECKPOINT);
    mdb_txn_abort(txn);
    mdb_env_close(env);
}

static void flip(struct fixture *f, size_t offset, unsigned bit)
{
    uint8_t byte = 0;
    const int fd = open(scratch_path(&f->scratch, "log.mdb"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte = (uint8_t)(byte ^ 1U << bit);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    assert_int_equal(close(fd), 0);
}

static const struct place *place_of(const struct fixture *f, enum ch_verify_part part,
                                    uint64_t number)
{
    for (size_t i = 0; i < f->place_count; i++) {
        const struct place *place = &f->places[i];
        if (place->part == part && place->number == number && !place->key) return place;
    }
    return NULL;
}

/* Changes a byte in the middle of a record and its checksum, or puts both back. */
static void forge(struct fixture *f, uint64_t seq)
{
    const struct place *place = place_of(f, CH_VERIFY_RECORD, seq);
    uint8_t value[4096];
    assert_non_null(place);
    const int fd = open(scratch_path(&f->scratch, "log.mdb"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, value, place->len, (off_t)place->offset), (ssize_t)place->len);
    const struct ch_bytes record = {value, place->len - CH_CRC_BYTES};
    value[record.len - 3] ^= 1; /* within a name: still a canonical record */
    ch_put_le32(value + record.len, ch_crc_record(seq, record));
    assert_int_equal(pwrite(fd, value, place->len, (off_t)place->offset), (ssize_t)place->len);
    assert_int_equal(close(fd), 0);
}

static int make_fixture(struct fixture *f)
{
    f->random = 41;
    if (sodium_init() < 0) return 1;
    scratch_make(&f->scratch);
    assert_int_equal(ch_signer_init(ch_text_of("example.com/log"), seed, &f->signer, NULL), CH_OK);
    assert_int_equal(ch_signer_init(ch_text_of("example.com/log"), other_seed, &f->stranger, NULL),
                     CH_OK);
    make_log(f);
    find_all_places(f);
    return 0;
}

static int drop_fixture(struct fixture *f)
{
    ch_signer_deinit(&f->signer);
    ch_signer_deinit(&f->stranger);
    ch_buf_deinit(&f->first_note);
    free(f->places);
    scratch_remove(&f->scratch);
    return 0;
}
#endif
