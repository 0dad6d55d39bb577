/* test_verify: a log is checked from its bytes, and each flipped bit is found and named.
 * SPDX-License-Identifier: MIT
 * The log is what a daemon writes at its first start, with two checkpoints. Bits are flipped where
 * LMDB keeps a key or a value: in the file, which is put right again behind each. */
#include "tests/unit/verify_log.h"

/* ---- verifying it ------------------------------------------------------------------------- */

static void verify(struct fixture *f, const struct ch_verify_options *more,
                   struct ch_verify_report *report)
{
    struct ch_verify_options options = *more;
    struct ch_why why = {0};
    options.dir = f->scratch.dir;
    if (options.keys == NULL) {
        options.keys = &f->signer.verifier;
        options.key_count = 1;
    }
    if (options.threads == 0) options.threads = 1;
    const enum ch_err err = ch_verify(&options, report, &why);
    if (err != CH_OK) fail_msg("%s: %s", ch_err_code(err), why.text);
}

static const struct ch_verify_options usual = {.replay = true};
static const struct ch_verify_options no_replay = {.replay = false};
static const struct ch_verify_options forms_later = {.forms_later = true};

/* One of the ways to look, as chance has it; the slow one seldom. */
static const struct ch_verify_options *some_way(struct fixture *f)
{
    const uint64_t chance = scratch_random(&f->random) % 8;
    if (chance == 0) return &usual;
    return chance % 2 == 0 ? &no_replay : &forms_later;
}

/* One bit, there and back; it must be found, and what it belongs to named. */
static void check_bit(struct fixture *f, const struct place *place, size_t bit)
{
    struct ch_verify_report report;
    const size_t offset = place->offset + bit / 8;
    flip(f, offset, (unsigned)(bit % 8));
    verify(f, some_way(f), &report);
    flip(f, offset, (unsigned)(bit % 8));
    if (report.part != place->part || report.number != place->number) {
        fail_msg("bit %zu of the %s of %d %llu: found %d %llu: %s", bit,
                 place->key ? "key" : "value", (int)place->part, (unsigned long long)place->number,
                 (int)report.part, (unsigned long long)report.number, report.text);
    }
}

static void the_log_is_good_with_and_without_threads_and_replay(void **state)
{
    struct fixture *f = *state;
    for (unsigned threads = 1; threads <= 2; threads++) {
        for (unsigned replay = 0; replay <= 1; replay++) {
            const struct ch_verify_options options = {.replay = replay != 0, .threads = threads};
            struct ch_verify_report report;
            verify(f, &options, &report);
            assert_string_equal(report.text, "");
            assert_int_equal(report.part, CH_VERIFY_NOTHING);
            assert_int_equal(report.records, f->records);
            assert_int_equal(report.covered, f->records);
            assert_int_equal(report.tiles, 1);
            assert_int_equal(report.checkpoints, 2);
            assert_int_equal(report.signed_checkpoints, 2);
            assert_int_equal(report.states, replay != 0 ? 2 : 0);
            assert_string_equal(report.origin, "example.com/log");
        }
    }
}

/* Under the sanitizers every fifth bit: all places of a byte come up. */
#ifdef CH_SLOW_CHECKS
enum { NEXT_BIT = 11 };
#else
enum { NEXT_BIT = 1 };
#endif

static void each_flipped_bit_of_a_record_or_key_is_found_and_named(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->place_count; i++) {
        const struct place *place = &f->places[i];
        if (place->part != CH_VERIFY_RECORD) continue;
        const bool all = place->number == 200 || place->number == f->records;
        if (all) {
            for (size_t bit = 0; bit < place->len * 8; bit += NEXT_BIT) {
                check_bit(f, place, bit);
            }
        } else {
            check_bit(f, place, (size_t)(scratch_random(&f->random) % (place->len * 8)));
        }
    }
}

static void flipped_bits_of_tiles_and_their_keys_are_found_and_named(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->place_count; i++) {
        const struct place *place = &f->places[i];
        if (place->part != CH_VERIFY_TILE) continue;
        const size_t bits = place->len * 8;
        const size_t step = place->key ? NEXT_BIT : 131; /* every bit position of a byte comes up */
        for (size_t bit = 0; bit < bits; bit += step) {
            check_bit(f, place, bit);
        }
    }
}

static void flipped_bits_of_checkpoints_and_their_keys_are_found_and_named(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->place_count; i++) {
        const struct place *place = &f->places[i];
        if (place->part != CH_VERIFY_CHECKPOINT) continue;
        for (size_t bit = 0; bit < place->len * 8;
             bit += place->number == 2 || place->key ? NEXT_BIT : 7) {
            check_bit(f, place, bit);
        }
    }
}

/* ---- what no checksum finds --------------------------------------------------------------- */

static void a_forged_record_is_named_by_its_tile_and_a_root(void **state)
{
    struct fixture *f = *state;
    struct ch_verify_report report;
    forge(f, 77);
    verify(f, &usual, &report);
    assert_int_equal(report.part, CH_VERIFY_RECORD);
    assert_int_equal(report.number, 77);
    assert_non_null(strstr(report.text, "record 77 was changed"));
    forge(f, 77);
    /* behind the last full tile there is only the signed root */
    forge(f, f->records - 1);
    verify(f, &usual, &report);
    assert_int_equal(report.part, CH_VERIFY_RECORD);
    assert_int_equal(report.number, FIRST + 1);
    assert_non_null(strstr(report.text, "signed"));
    forge(f, f->records - 1);
    verify(f, &usual, &report);
    assert_int_equal(report.part, CH_VERIFY_NOTHING);
}

static void keys_that_did_not_sign_are_told(void **state)
{
    struct fixture *f = *state;
    struct ch_verify_report report;
    const struct ch_verify_options other = {
        .replay = true, .keys = &f->stranger.verifier, .key_count = 1};
    verify(f, &other, &report);
    assert_int_equal(report.part, CH_VERIFY_CHECKPOINT);
    const struct ch_verifier both[] = {f->stranger.verifier, f->signer.verifier};
    const struct ch_verify_options two = {.replay = true, .keys = both, .key_count = 2};
    verify(f, &two, &report);
    assert_int_equal(report.part, CH_VERIFY_NOTHING);
}

/* A value with its checksum; the bytes are good until the next call. */
static MDB_val summed(uint64_t number, const void *content, size_t len)
{
    static uint8_t room[8192];
    assert_true(len + CH_CRC_BYTES <= sizeof room);
    memcpy(room, content, len);
    ch_put_le32(room + len, ch_crc_record(number, (struct ch_bytes){room, len}));
    return (MDB_val){.mv_size = len + CH_CRC_BYTES, .mv_data = room};
}

static MDB_val key_of(uint64_t number, uint8_t room[8])
{
    ch_put_be64(room, number);
    return (MDB_val){.mv_size = 8, .mv_data = room};
}

static void check_fault(struct fixture *f, enum ch_verify_part part, uint64_t number,
                        const char *text)
{
    for (unsigned replay = 0; replay <= 1; replay++) {
        struct ch_verify_report report;
        verify(f, replay != 0 ? &usual : &no_replay, &report);
        if (report.part != part || report.number != number || strstr(report.text, text) == NULL) {
            fail_msg("%d %llu: %s", (int)report.part, (unsigned long long)report.number,
                     report.text);
        }
    }
}

/* Each changes the file, so the log is made anew for them and again behind them. */
static void records_that_lack_and_what_is_none_are_named(void **state)
{
    struct fixture *f = *state;
    uint8_t room[8];
    char text[64];
    size_t len = 0;
    uint8_t *file = scratch_read(&f->scratch, "log.mdb", &len);
    scratch_tamper(&f->scratch, "events", key_of(200, room), NULL);
    check_fault(f, CH_VERIFY_RECORD, 200, "record 200 is missing: the next there is is 201");
    scratch_write(&f->scratch, "log.mdb", file, len);
    const MDB_val garbage = summed(f->records + 1, "hello", 5);
    scratch_tamper(&f->scratch, "events", key_of(f->records + 1, room), &garbage);
    (void)snprintf(text, sizeof text, "record %llu: ", (unsigned long long)f->records + 1);
    check_fault(f, CH_VERIFY_RECORD, f->records + 1, text);
    scratch_write(&f->scratch, "log.mdb", file, len);
    scratch_tamper(&f->scratch, "events", key_of(0, room), &garbage);
    check_fault(f, CH_VERIFY_LOG, 0, "with the number 0 stands before record 1: it is no record");
    scratch_write(&f->scratch, "log.mdb", file, len);
    scratch_tamper(&f->scratch, "events", (MDB_val){.mv_size = 7, .mv_data = room}, &garbage);
    check_fault(f, CH_VERIFY_LOG, 0, "a key of 7 bytes stands before record 1: it is no record");
    scratch_write(&f->scratch, "log.mdb", file, len);
    free(file);
    check_fault(f, CH_VERIFY_NOTHING, 0, "");
}

/* Their checksums are right, and their signatures, too. */
static void checkpoints_of_another_time_and_copies_are_named(void **state)
{
    struct fixture *f = *state;
    uint8_t room[8];
    uint8_t stored[4096] = {0};
    size_t len = 0;
    uint8_t *file = scratch_read(&f->scratch, "log.mdb", &len);
    const size_t note_len = f->first_note.len;
    memcpy(stored + 8, f->first_note.ptr, note_len);
    const MDB_val copy = summed(2, stored, 8 + note_len);
    scratch_tamper(&f->scratch, "checkpoints", key_of(2, room), &copy);
    check_fault(f, CH_VERIFY_CHECKPOINT, 1, "checkpoint 1 is the same as checkpoint 2");
    scratch_write(&f->scratch, "log.mdb", file, len);
    ch_put_le64(stored, 123);
    const MDB_val late = summed(1, stored, 8 + note_len);
    scratch_tamper(&f->scratch, "checkpoints", key_of(1, room), &late);
    check_fault(f, CH_VERIFY_CHECKPOINT, 1,
                "checkpoint 1 has another time than record 300, its last: 123 and not 0");
    scratch_write(&f->scratch, "log.mdb", file, len);
    free(file);
    check_fault(f, CH_VERIFY_NOTHING, 0, "");
}

/* A note over this size and root, signed by the log's key. */
static void put_note(struct fixture *f, uint64_t size, const struct ch_hash *root,
                     const char *origin, struct ch_buf *ret)
{
    const struct ch_checkpoint made = {.origin = ch_text_of(origin), .size = size, .root = *root};
    struct ch_buf line = {0};
    ch_buf_reset(ret);
    ch_checkpoint_put(ret, &made);
    ch_signer_put_line(&f->signer, (struct ch_text){(const char *)ret->ptr, ret->len}, &line);
    ch_buf_put(ret, "\n", 1);
    ch_buf_put(ret, line.ptr, line.len);
    ch_buf_deinit(&line);
}

static void check_against(struct fixture *f, const struct ch_buf *note, enum ch_verify_part part,
                          const char *text)
{
    struct ch_verify_report report;
    const struct ch_text view = {(const char *)note->ptr, note->len};
    const struct ch_verify_options options = {.replay = true, .against = &view, .against_count = 1};
    verify(f, &options, &report);
    assert_int_equal(report.part, part);
    if (part == CH_VERIFY_NOTHING) assert_int_equal(report.against, 1);
    if (strstr(report.text, text) == NULL) fail_msg("%s", report.text);
}

static void a_log_is_compared_with_what_was_kept_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct ch_buf note = {0};
    struct ch_hash root = {{1}};
    check_against(f, &f->first_note, CH_VERIFY_NOTHING, "");
    put_note(f, f->records + 1, &root, "example.com/log", &note);
    check_against(f, &note, CH_VERIFY_AGAINST, "cut");
    put_note(f, 250, &root, "example.com/log", &note);
    check_against(f, &note, CH_VERIFY_AGAINST, "forked or re-ordered in records 1 to 250");
    put_note(f, 350, &root, "example.com/log", &note);
    check_against(f, &note, CH_VERIFY_AGAINST, "forked or re-ordered in records 1 to 350");
    put_note(f, 250, &root, "example.com/other", &note);
    check_against(f, &note, CH_VERIFY_AGAINST, "another log");
    ch_buf_reset(&note);
    ch_buf_put(&note, "nonsense\n", 9);
    check_against(f, &note, CH_VERIFY_AGAINST, "no signed checkpoint");
    ch_buf_deinit(&note);
}

/* Changes a byte of the head file, or puts it back; what is found then. */
static void look_with(struct fixture *f, size_t at, uint8_t bits, struct ch_verify_report *report)
{
    size_t len = 0;
    uint8_t *head = scratch_read(&f->scratch, "head", &len);
    head[at] ^= bits;
    scratch_write(&f->scratch, "head", head, len);
    free(head);
    verify(f, &no_replay, report);
}

static void a_damaged_head_file_is_told(void **state)
{
    struct fixture *f = *state;
    struct ch_verify_report report;
    for (unsigned block = 1; block <= 2; block++) {
        char text[64];
        const size_t at = (block - 1) * CH_HEAD_BLOCK_BYTES;
        for (size_t byte = 0; byte < 76; byte += 5) {
            look_with(f, at + byte, 4, &report);
            assert_int_equal(report.part, CH_VERIFY_NOTHING);
            (void)snprintf(text, sizeof text, "block %u of 2 of the head file is damaged", block);
            if (strstr(report.remark, text) == NULL) fail_msg("%zu: %s", byte, report.remark);
            (void)snprintf(text, sizeof text, "block %u is used: ", 3 - block);
            if (strstr(report.remark, text) == NULL) fail_msg("%zu: %s", byte, report.remark);
            look_with(f, at + byte, 4, &report);
            assert_string_equal(report.remark, "");
        }
        look_with(f, at + 100, 4, &report);
        assert_non_null(strstr(report.remark, "does not write"));
        look_with(f, at + 100, 4, &report);
    }
    look_with(f, 30, 4, &report);
    look_with(f, CH_HEAD_BLOCK_BYTES + 30, 4, &report);
    assert_int_equal(report.part, CH_VERIFY_HEAD);
    assert_non_null(strstr(report.text, "both blocks"));
    look_with(f, CH_HEAD_BLOCK_BYTES + 30, 4, &report);
    look_with(f, 30, 4, &report);
    assert_string_equal(report.remark, "");
}

/* ---- a bundle ----------------------------------------------------------------------------- */

/* The log as a bundle, by what passes ch_verify. */
struct bundle {
    struct ch_bundle_writer writer;
    struct ch_buf out;
    struct ch_tile_reader *tiles;
    size_t copies; /* of each tile */
};

static enum ch_err bundle_begin(void *arg, struct ch_evlog *log, uint64_t size, struct ch_why *why)
{
    struct bundle *b = arg;
    struct ch_buf text = {0};
    ch_bundle_begin(&b->out);
    ch_bundle_text_head(&text, size);
    ch_bundle_put(&b->writer, CH_BUNDLE_HEAD, ch_buf_view(&text), (struct ch_bytes){0});
    ch_buf_deinit(&text);
    return ch_tile_reader_open(log, &b->tiles, why);
}

static enum ch_err bundle_checkpoint(void *arg, const struct ch_stored *stored, struct ch_why *why)
{
    struct bundle *b = arg;
    uint8_t at[8];
    (void)why;
    ch_put_le64(at, stored->at_ns);
    ch_bundle_put(&b->writer, CH_BUNDLE_CHECKPOINT, (struct ch_bytes){at, sizeof at},
                  (struct ch_bytes){(const uint8_t *)stored->note.ptr, stored->note.len});
    return CH_OK;
}

static enum ch_err bundle_record(void *arg, uint64_t seq, uint64_t at_ns, struct ch_bytes record,
                                 struct ch_why *why)
{
    struct bundle *b = arg;
    const uint8_t *hashes = NULL;
    uint8_t key[CH_TILE_KEY_BYTES];
    (void)at_ns;
    ch_bundle_put(&b->writer, CH_BUNDLE_RECORD, record, (struct ch_bytes){0});
    if (seq % CH_TILE_WIDTH != 0) return CH_OK;
    ch_tile_key(0, seq / CH_TILE_WIDTH - 1, key);
    assert_int_equal(ch_tile_reader_get(b->tiles, 0, seq / CH_TILE_WIDTH - 1, &hashes, why), CH_OK);
    for (size_t i = 0; i < b->copies; i++) {
        ch_bundle_put(&b->writer, CH_BUNDLE_TILE, (struct ch_bytes){key, sizeof key},
                      (struct ch_bytes){hashes, CH_TILE_VALUE_BYTES});
    }
    return CH_OK;
}

static void bundle_end(void *arg)
{
    struct bundle *b = arg;
    ch_tile_reader_close(b->tiles);
    b->tiles = NULL;
}

/* Its bytes are the caller's. size: 0 for all; copies: of each tile */
static struct ch_buf make_bundle_with(struct fixture *f, uint64_t size, size_t copies)
{
    struct bundle b = {.copies = copies};
    struct ch_buf text = {0};
    struct ch_verify_report report;
    const struct ch_verify_copy copy = {.begin = bundle_begin,
                                        .checkpoint = bundle_checkpoint,
                                        .record = bundle_record,
                                        .end = bundle_end,
                                        .arg = &b};
    const struct ch_verify_options options = {.copy = &copy, .size = size};
    verify(f, &options, &report);
    assert_int_equal(report.part, CH_VERIFY_NOTHING);
    assert_int_equal(report.records, size == 0 ? f->records : size);
    const struct ch_bundle_end end = {
        .size = report.records, .checkpoints = report.checkpoints, .root = report.root};
    ch_bundle_text_end(&text, &end);
    ch_bundle_put(&b.writer, CH_BUNDLE_END, ch_buf_view(&text), (struct ch_bytes){0});
    ch_bundle_pass(&b.writer, &b.out);
    ch_bundle_writer_deinit(&b.writer);
    ch_buf_deinit(&text);
    assert_false(b.out.failed);
    return b.out;
}

static struct ch_buf make_bundle(struct fixture *f, uint64_t size)
{
    return make_bundle_with(f, size, /* copies= */ 1);
}

/* A bundle being read, and how many tiles were. */
struct reading {
    struct ch_bundle_reader *reader;
    size_t tiles;
};

static enum ch_err next_item(void *arg, struct ch_bundle_item *ret, struct ch_why *why)
{
    struct reading *reading = arg;
    const enum ch_err err = ch_bundle_next(reading->reader, ret, why);
    reading->tiles += ret->kind == CH_BUNDLE_TILE;
    return err;
}

/* Returns how many tiles it read. */
static size_t verify_bundle(struct fixture *f, struct ch_bytes bytes,
                            const struct ch_verify_options *more, struct ch_verify_report *report)
{
    struct reading reading = {.tiles = 0};
    const int fd = memfd_create("bundle", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    struct ch_why why = {0};
    *report = (struct ch_verify_report){.part = CH_VERIFY_BUNDLE}; /* no bundle at all */
    if (ch_bundle_open(fd, &reading.reader, &why) == CH_OK) {
        const struct ch_verify_source source = {.next = next_item, .arg = &reading, .tiles = true};
        struct ch_verify_options options = *more;
        options.source = &source;
        verify(f, &options, report);
        ch_bundle_close(reading.reader);
    }
    assert_int_equal(close(fd), 0);
    return reading.tiles;
}

static void a_bundle_says_the_same_as_its_log(void **state)
{
    struct fixture *f = *state;
    struct ch_verify_report of_log;
    struct ch_verify_report report;
    struct ch_buf bundle = make_bundle(f, 0);
    verify(f, &usual, &of_log);
    for (unsigned threads = 1; threads <= 2; threads++) {
        for (unsigned replay = 0; replay <= 1; replay++) {
            const struct ch_verify_options options = {.replay = replay != 0, .threads = threads};
            verify_bundle(f, ch_buf_view(&bundle), &options, &report);
            assert_string_equal(report.text, "");
            assert_int_equal(report.part, CH_VERIFY_NOTHING);
            assert_true(ch_hash_equal(&report.root, &of_log.root));
            assert_int_equal(report.records, of_log.records);
            assert_int_equal(report.bytes, of_log.bytes);
            assert_int_equal(report.tiles, of_log.tiles);
            assert_int_equal(report.covered, of_log.covered);
            assert_int_equal(report.signed_checkpoints, 2);
            assert_int_equal(report.states, replay != 0 ? 2 : 0);
        }
    }
    ch_buf_deinit(&bundle);
    bundle = make_bundle(f, FIRST); /* it ends with the first checkpoint */
    verify_bundle(f, ch_buf_view(&bundle), &usual, &report);
    assert_string_equal(report.text, "");
    assert_int_equal(report.records, FIRST);
    assert_int_equal(report.covered, FIRST);
    assert_int_equal(report.checkpoints, 1);
    ch_buf_deinit(&bundle);
}

/* The item that a byte belongs to; its first byte and the one behind its last. */
static void item_of(const struct ch_buf *bundle, size_t at, uint64_t counts[256], size_t *ret_begin,
                    size_t *ret_end)
{
    size_t begin = sizeof "charterd bundle 1\n" - 1;
    for (;;) {
        const size_t end = begin + 5 + ch_get_le32(bundle->ptr + begin + 1) + CH_CRC_BYTES;
        counts[bundle->ptr[begin]]++;
        *ret_begin = begin;
        *ret_end = end;
        if (at < end) return;
        begin = end;
    }
}

static void flipped_bits_of_a_bundle_are_found_and_named(void **state)
{
    struct fixture *f = *state;
    struct ch_buf bundle = make_bundle(f, 0);
    const size_t first = sizeof "charterd bundle 1\n" - 1;
    for (size_t bit = 0; bit < bundle.len * 8; bit += bit < 8 * first ? 1 : 331) {
        struct ch_verify_report report;
        uint64_t counts[256] = {0};
        size_t begin = 0;
        size_t end = 0;
        const size_t at = bit / 8;
        item_of(&bundle, at < first ? first : at, counts, &begin, &end);
        const uint8_t kind = bundle.ptr[begin];
        bundle.ptr[at] ^= (uint8_t)(1U << bit % 8);
        verify_bundle(f, ch_buf_view(&bundle), bit % 8 == 0 ? &usual : &no_replay, &report);
        bundle.ptr[at] ^= (uint8_t)(1U << bit % 8);
        if (report.part == CH_VERIFY_NOTHING) fail_msg("byte %zu goes unseen", at);
        if (at < begin + 5) continue; /* kind or length: what it then is cannot be told */
        const enum ch_verify_part part = kind == CH_BUNDLE_RECORD       ? CH_VERIFY_RECORD
                                         : kind == CH_BUNDLE_CHECKPOINT ? CH_VERIFY_CHECKPOINT
                                         : kind == CH_BUNDLE_TILE       ? CH_VERIFY_TILE
                                                                        : CH_VERIFY_BUNDLE;
        assert_int_equal(report.part, part);
        assert_int_equal(report.number, counts[kind]);
    }
    ch_buf_deinit(&bundle);
}

/* Changes a byte of an item of this kind and number, and puts its checksum right. */
static void forge_item(struct ch_buf *bundle, enum ch_bundle_kind kind, uint64_t number,
                       size_t from_end)
{
    uint64_t counts[256] = {0};
    size_t begin = sizeof "charterd bundle 1\n" - 1;
    size_t end = begin;
    while (counts[(uint8_t)kind] < number) {
        uint64_t seen[256] = {0};
        item_of(bundle, end, seen, &begin, &end);
        memcpy(counts, seen, sizeof counts);
    }
    bundle->ptr[end - CH_CRC_BYTES - from_end] ^= 1;
    const struct ch_bytes covered = {bundle->ptr + begin, end - CH_CRC_BYTES - begin};
    ch_put_le32(bundle->ptr + end - CH_CRC_BYTES, ch_crc_record(number, covered));
}

static void what_no_checksum_finds_in_a_bundle_is_named(void **state)
{
    static const struct {
        enum ch_bundle_kind kind;
        uint64_t number;
        size_t from_end;
        enum ch_verify_part part;
        uint64_t names;
        const char *text;
    } rows[] = {
        {CH_BUNDLE_RECORD, 77, 3, CH_VERIFY_RECORD, 77, "record 77 was changed"},
        {CH_BUNDLE_RECORD, FIRST + 5, 3, CH_VERIFY_RECORD, FIRST + 1, "signed, has another root"},
        {CH_BUNDLE_TILE, 1, 32 * 56, CH_VERIFY_TILE, 0, "has a false hash of record 201"},
        {CH_BUNDLE_TILE, 1, CH_TILE_VALUE_BYTES + 1, CH_VERIFY_TILE, 0, "tile 0/0 is missing"},
        {CH_BUNDLE_CHECKPOINT, 2, 20, CH_VERIFY_CHECKPOINT, 2, "checkpoint 2"},
        {CH_BUNDLE_END, 1, 10, CH_VERIFY_BUNDLE, 0, "the end"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ch_verify_report report;
        struct ch_buf bundle = make_bundle(f, 0);
        forge_item(&bundle, rows[i].kind, rows[i].number, rows[i].from_end);
        verify_bundle(f, ch_buf_view(&bundle), &usual, &report);
        if (report.part != rows[i].part || report.number != rows[i].names ||
            strstr(report.text, rows[i].text) == NULL) {
            fail_msg("row %zu: %d %llu: %s", i, (int)report.part, (unsigned long long)report.number,
                     report.text);
        }
        ch_buf_deinit(&bundle);
    }
}

/* They stay in memory until their records are hashed. */
static void tiles_without_end_are_not_collected(void **state)
{
    enum { COPIES = 500, READ_MOST = 200 }; /* twelve blocks of a dozen each, and some */
    struct fixture *f = *state;
    struct ch_buf bundle = make_bundle_with(f, 0, COPIES);
    for (unsigned threads = 1; threads <= 2; threads++) {
        const struct ch_verify_options options = {.threads = threads};
        struct ch_verify_report report;
        assert_true(verify_bundle(f, ch_buf_view(&bundle), &options, &report) < READ_MOST);
        assert_int_equal(report.part, CH_VERIFY_TILE);
        assert_non_null(strstr(report.text, "a tile of level 0 stands where none is full"));
    }
    ch_buf_deinit(&bundle);
}

static void it_stops_when_told(void **state)
{
    struct fixture *f = *state;
    struct ch_verify_progress progress = {.done = 0, .stop = true};
    struct ch_verify_report report;
    struct ch_why why = {0};
    const struct ch_verify_options options = {.dir = f->scratch.dir,
                                              .keys = &f->signer.verifier,
                                              .key_count = 1,
                                              .replay = true,
                                              .threads = 2,
                                              .progress = &progress};
    assert_int_equal(ch_verify(&options, &report, &why), CH_ERR_STOPPED);
    progress.stop = false;
    assert_int_equal(ch_verify(&options, &report, &why), CH_OK);
    assert_int_equal(progress.done, f->records);
    assert_int_equal(progress.total, f->records);
}

static void what_is_no_log_cannot_be_verified(void **state)
{
    struct fixture *f = *state;
    struct ch_verify_report report;
    struct ch_why why = {0};
    const struct ch_verify_options options = {
        .dir = scratch_path(&f->scratch, "nowhere"), .replay = true, .threads = 1};
    assert_int_equal(ch_verify(&options, &report, &why), CH_ERR_FILE_IO);
}

/* A log of a later charterd: what is not known is not called false, and not called checked. The
 * last test: the log is longer behind it. */
static void records_of_later_types_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct ch_evlog *log = scratch_open(&f->scratch, MAP);
    struct ch_verify_report report;
    struct ch_why why = {0};
    for (uint64_t i = 1; i <= 2; i++) {
        struct ch_buf record = {0};
        ch_pack_array(&record, 9);
        ch_pack_uint(&record, f->records + i);
        ch_pack_uint(&record, 0);
        ch_pack_uint(&record, 9999); /* the tag */
        for (unsigned k = 0; k < 6; k++) {
            ch_pack_nil(&record);
        }
        const struct ch_bytes view = ch_buf_view(&record);
        assert_int_equal(ch_evlog_append(log, f->records + i, &view, 1, 1000, &why), CH_OK);
        ch_buf_deinit(&record);
    }
    ch_evlog_close(log);
    verify(f, &usual, &report);
    assert_string_equal(report.text, "");
    assert_int_equal(report.records, f->records + 2);
    assert_int_equal(report.newer, 2);
    assert_int_equal(report.states, 2);
    forge(f, 77);
    verify(f, &usual, &report);
    assert_int_equal(report.number, 77);
    forge(f, 77);
}

/* A record of another form, with the place and time that it says. */
static void append_odd(struct fixture *f, uint64_t says, uint64_t at)
{
    struct ch_evlog *log = scratch_open(&f->scratch, MAP);
    struct ch_buf record = {0};
    struct ch_why why = {0};
    const uint64_t seq = ch_evlog_end(log)->seq + 1;
    ch_pack_array(&record, 9);
    ch_pack_uint(&record, says);
    ch_pack_uint(&record, at);
    ch_pack_uint(&record, 1); /* a tag there is; what follows is none of its fields */
    for (unsigned k = 0; k < 6; k++) {
        ch_pack_nil(&record);
    }
    const struct ch_bytes view = ch_buf_view(&record);
    assert_int_equal(ch_evlog_append(log, seq, &view, 1, 1000, &why), CH_OK);
    ch_buf_deinit(&record);
    ch_evlog_close(log);
}

static void check_last(struct fixture *f, const struct ch_verify_options *options, const char *says)
{
    struct ch_verify_report report;
    verify(f, options, &report);
    if (says == NULL) {
        assert_string_equal(report.text, "");
        assert_int_equal(report.records, f->records);
        return;
    }
    assert_int_equal(report.part, CH_VERIFY_RECORD);
    assert_int_equal(report.number, f->records);
    assert_non_null(strstr(report.text, says));
}

/* The form is left to whoever reads the copy; place and time are not. */
static void a_copy_may_leave_the_form_to_its_reader(void **state)
{
    static const uint64_t at = UINT64_C(1) << 60;
    (void)state;
    for (unsigned early = 0; early <= 1; early++) {
        struct fixture f = {0};
        assert_int_equal(make_fixture(&f), 0);
        f.records++;
        append_odd(&f, f.records, at);
        check_last(&f, &forms_later, NULL);
        check_last(&f, &no_replay, "");
        f.records++;
        append_odd(&f, early != 0 ? f.records : f.records + 1, early != 0 ? at - 1 : at);
        check_last(&f, &forms_later, early != 0 ? "is earlier" : "says that it is event");
        assert_int_equal(drop_fixture(&f), 0);
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int make(void **state)
{
    static struct fixture f;
    *state = &f;
    return make_fixture(&f);
}

static int drop(void **state)
{
    return drop_fixture(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_is_good_with_and_without_threads_and_replay),
        cmocka_unit_test(each_flipped_bit_of_a_record_or_key_is_found_and_named),
        cmocka_unit_test(flipped_bits_of_tiles_and_their_keys_are_found_and_named),
        cmocka_unit_test(flipped_bits_of_checkpoints_and_their_keys_are_found_and_named),
        cmocka_unit_test(a_forged_record_is_named_by_its_tile_and_a_root),
        cmocka_unit_test(records_that_lack_and_what_is_none_are_named),
        cmocka_unit_test(checkpoints_of_another_time_and_copies_are_named),
        cmocka_unit_test(keys_that_did_not_sign_are_told),
        cmocka_unit_test(a_log_is_compared_with_what_was_kept_elsewhere),
        cmocka_unit_test(a_damaged_head_file_is_told),
        cmocka_unit_test(a_bundle_says_the_same_as_its_log),
        cmocka_unit_test(flipped_bits_of_a_bundle_are_found_and_named),
        cmocka_unit_test(what_no_checksum_finds_in_a_bundle_is_named),
        cmocka_unit_test(tiles_without_end_are_not_collected),
        cmocka_unit_test(it_stops_when_told),
        cmocka_unit_test(what_is_no_log_cannot_be_verified),
        cmocka_unit_test(a_copy_may_leave_the_form_to_its_reader),
        cmocka_unit_test(records_of_later_types_are_told_apart),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
