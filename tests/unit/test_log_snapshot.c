/* test_log_snapshot: files of snapshots: written, read, damaged, and thinned out.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/digest.h"
#include "daemon/log/snapshot.h"
#include "schema/event.h"
#include "tests/unit/log_scratch.h"

#include <sys/resource.h>

enum { BODY_BYTES = (1 << 20) + 777 }; /* more than a piece */

static uint8_t body[BODY_BYTES];

static void make_body(void)
{
    uint64_t state = 7;
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)scratch_random(&state);
    }
}

static struct ch_snapshot write_one(const struct scratch *scratch, uint64_t seq, size_t len)
{
    struct ch_snapshot_writer *writer = NULL;
    struct ch_why why;
    struct ch_snapshot head = {.seq = seq, .at_ns = seq * 10, .body_version = 3, .event_types = 9};
    memset(head.root.bytes, 0xab, sizeof head.root.bytes);
    make_body();
    assert_int_equal(ch_snapshot_begin(scratch->dir, &writer, &why), CH_OK);
    for (size_t at = 0; at < len;) {
        const size_t here = len - at < 100001 ? len - at : 100001;
        ch_snapshot_put(writer, body + at, here);
        at += here;
    }
    assert_false(ch_snapshot_failed(writer));
    assert_int_equal(ch_snapshot_commit(writer, &head, &why), CH_OK);
    return head;
}

/* What is wrong with one; NULL: it was read to its end, and is the body. */
static const char *read_one(const struct scratch *scratch, uint64_t seq, struct ch_snapshot *head)
{
    static struct ch_why why;
    struct ch_snapshot_reader *reader = NULL;
    struct ch_bytes piece = {.len = 1};
    size_t at = 0;
    why = (struct ch_why){.err = CH_OK};
    enum ch_err err = ch_snapshot_open(scratch->dir, seq, &reader, head, &why);
    while (err == CH_OK && piece.len > 0) {
        err = ch_snapshot_next(reader, &piece, &why);
        if (err == CH_OK && piece.len > 0 && memcmp(piece.ptr, body + at, piece.len) != 0) {
            assert_int_equal(ch_snapshot_next(reader, &piece, &why), CH_ERR_LOG_CORRUPT);
            err = CH_ERR_LOG_CORRUPT;
        }
        at += piece.len;
    }
    if (err == CH_OK) ch_snapshot_close(reader);
    if (err == CH_OK) return NULL;
    if (reader != NULL) ch_snapshot_close(reader);
    assert_int_equal(err, CH_ERR_LOG_CORRUPT);
    return why.text;
}

static void what_is_written_is_read(void **unused)
{
    (void)unused;
    struct scratch scratch;
    struct ch_snapshot found;
    uint8_t hash[CH_DIGEST_BYTES];
    struct ch_digest digest;
    scratch_make(&scratch);
    const struct ch_snapshot head = write_one(&scratch, 42, BODY_BYTES);
    assert_int_equal(head.bytes, BODY_BYTES);
    ch_digest_begin(&digest);
    ch_digest_add(&digest, body, sizeof body);
    assert_int_equal(ch_digest_end(&digest, hash, NULL), CH_OK);
    assert_memory_equal(head.hash, hash, sizeof hash);
    assert_null(read_one(&scratch, 42, &found));
    assert_int_equal(found.seq, 42);
    assert_int_equal(found.at_ns, 420);
    assert_int_equal(found.body_version, 3);
    assert_int_equal(found.event_types, 9);
    assert_memory_equal(found.root.bytes, head.root.bytes, sizeof head.root.bytes);
    assert_memory_equal(found.hash, hash, sizeof hash);
    (void)write_one(&scratch, 42, 10); /* takes its place */
    assert_null(read_one(&scratch, 42, &found));
    assert_int_equal(found.bytes, 10);
    scratch_remove(&scratch);
}

/* The sanitizers look at some, the release build at all. */
#ifdef CH_SLOW_CHECKS
enum { NEXT_BIT = 7, NEXT_CUT = 5 };
#else
enum { NEXT_BIT = 1, NEXT_CUT = 1 };
#endif

static void every_flipped_bit_is_found(void **unused)
{
    (void)unused;
    struct scratch scratch;
    struct ch_snapshot found;
    size_t len = 0;
    const char name[] = "snapshots/0000000000000042.snap";
    scratch_make(&scratch);
    (void)write_one(&scratch, 42, 300);
    uint8_t *bytes = scratch_read(&scratch, name, &len);
    assert_int_equal(len, CH_SNAPSHOT_HEAD_BYTES + 300);
    for (size_t bit = 0; bit < 8 * len; bit += NEXT_BIT) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        scratch_write(&scratch, name, bytes, len);
        if (read_one(&scratch, 42, &found) == NULL) fail_msg("bit %zu is not found", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut += NEXT_CUT) {
        scratch_write(&scratch, name, bytes, cut);
        assert_non_null(read_one(&scratch, 42, &found));
    }
    scratch_write(&scratch, "snapshots/0000000000000043.snap", bytes, len);
    assert_string_equal(read_one(&scratch, 43, &found), "it is the one of event 42");
    free(bytes);
    scratch_remove(&scratch);
}

static void one_that_is_not_whole_is_not_there(void **unused)
{
    (void)unused;
    struct scratch scratch;
    struct ch_snapshot_writer *writer = NULL;
    struct ch_snapshot_file files[3];
    struct ch_why why;
    size_t count = 7;
    scratch_make(&scratch);
    assert_int_equal(ch_snapshot_list(scratch.dir, files, 3, &count, &why), CH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(ch_snapshot_begin(scratch.dir, &writer, &why), CH_OK);
    ch_snapshot_put(writer, "x", 1);
    assert_int_equal(ch_snapshot_list(scratch.dir, files, 3, &count, &why), CH_OK);
    assert_int_equal(count, 0);
    ch_snapshot_abort(writer);
    assert_int_not_equal(access(scratch_path(&scratch, "snapshots/new"), F_OK), 0);
    for (uint64_t seq = 5; seq > 0; seq--) {
        (void)write_one(&scratch, seq * 100, seq);
    }
    scratch_write(&scratch, "snapshots/0000000000000900.snap.old", (const uint8_t *)"", 0);
    scratch_write(&scratch, "snapshots/900.snap", (const uint8_t *)"", 0);
    assert_int_equal(ch_snapshot_list(scratch.dir, files, 3, &count, &why), CH_OK);
    assert_int_equal(count, 3); /* the newest */
    assert_int_equal(files[0].seq, 300);
    assert_int_equal(files[2].seq, 500);
    assert_int_equal(files[2].bytes, CH_SNAPSHOT_HEAD_BYTES + 5);
    assert_int_equal(ch_snapshot_remove(scratch.dir, 400, &why), CH_OK);
    assert_int_equal(ch_snapshot_remove(scratch.dir, 400, &why), CH_ERR_FILE_IO);
    assert_int_equal(ch_snapshot_list(scratch.dir, files, 3, &count, &why), CH_OK);
    assert_int_equal(files[0].seq, 200);
    scratch_remove(&scratch);
}

/* However long a log becomes, the way to any seq from the snapshot before it is a bounded part of
 * its age. */
static void no_descriptor_left_is_not_the_files_fault(void **unused)
{
    (void)unused;
    struct scratch scratch;
    struct ch_snapshot head;
    struct ch_snapshot_reader *reader = NULL;
    struct ch_why why = {0};
    struct rlimit before;
    scratch_make(&scratch);
    (void)write_one(&scratch, 42, 1000);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const enum ch_err err = ch_snapshot_open(scratch.dir, 42, &reader, &head, &why);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(err, CH_ERR_FILE_IO);
    assert_false(ch_snapshot_is_bad(&why));
    assert_int_equal(ch_snapshot_open(scratch.dir, 43, &reader, &head, &why), CH_ERR_FILE_IO);
    assert_true(ch_snapshot_is_bad(&why)); /* it is not there */
    assert_null(read_one(&scratch, 42, &head));
    scratch_remove(&scratch);
}

static void the_older_the_further_apart(void **unused)
{
    (void)unused;
    struct ch_snapshot_file files[16];
    size_t count = 0;
    enum { MOST = 12 };
    for (uint64_t seq = 1; seq <= 4000; seq++) {
        files[count++] = (struct ch_snapshot_file){.seq = seq, .bytes = 10};
        size_t surplus;
        while ((surplus = ch_snapshot_surplus(files, count, MOST, 1000)) < count) {
            assert_true(surplus + 2 < count);
            memmove(files + surplus, files + surplus + 1, (count - surplus - 1) * sizeof *files);
            count--;
        }
        assert_int_equal(count, seq < MOST ? seq : MOST);
        assert_int_equal(files[count - 1].seq, seq);
        if (seq > 1) assert_int_equal(files[count - 2].seq, seq - 1);
        for (size_t i = 0; i + 1 < count; i++) {
            const uint64_t gap = files[i].seq - (i == 0 ? 0 : files[i - 1].seq);
            if (gap > 1 && gap > 3 * (seq - files[i].seq) + 3) {
                fail_msg("at %llu the gap before %llu is %llu", (unsigned long long)seq,
                         (unsigned long long)files[i].seq, (unsigned long long)gap);
            }
        }
    }
    assert_int_equal(ch_snapshot_surplus(files, count, MOST, 119),
                     ch_snapshot_surplus(files, count, MOST - 1, 1000));
    assert_int_equal(ch_snapshot_surplus(files, 2, MOST, 15), 0); /* too many bytes */
    assert_int_equal(ch_snapshot_surplus(files, 1, MOST, 5), 1);  /* the newest stays */
    assert_int_equal(ch_snapshot_surplus(files, 2, 1, 1000), 2);
    assert_int_equal(ch_snapshot_surplus(files, 0, MOST, 0), 0);
}

/* replay/directory.c reads a profile without its event's type. */
static void every_profile_has_the_same_personal_texts(void **unused)
{
    (void)unused;
    static const uint8_t wanted[] = {CH_KIND_username, CH_KIND_email, CH_KIND_full_name};
    size_t profiles = 0;
    for (size_t tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const struct ch_record *record = &ch_events[tag].record;
        bool names = false;
        size_t personal = 0;
        if (record->name == NULL) continue;
        for (size_t i = 0; i < record->count; i++) {
            const uint8_t kind = record->fields[i].kind;
            if (!record->fields[i].personal) continue;
            names = names || kind == CH_KIND_username || kind == CH_KIND_email;
            if (names) assert_int_equal(kind, wanted[personal]);
            personal++;
        }
        if (!names) continue;
        assert_int_equal(personal, 3);
        profiles++;
    }
    assert_int_equal(profiles, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(one_that_is_not_whole_is_not_there),
        cmocka_unit_test(no_descriptor_left_is_not_the_files_fault),
        cmocka_unit_test(the_older_the_further_apart),
        cmocka_unit_test(every_profile_has_the_same_personal_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
