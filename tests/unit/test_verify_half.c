/* test_verify_half: two halves of a log at the same time find what one run finds.
 * SPDX-License-Identifier: MIT
 * The same log, with three snapshots, of which the first is the joint. Whatever is damaged or
 * forged, in the log or in a snapshot, before, at or behind the joint: the reports are the same. */
#include "daemon/replay/verify_impl.h"
#include "tests/unit/verify_log.h"

#include <poll.h>
#include <sys/inotify.h>

enum { JOINT = 200 };

/* One place of so many is tried. */
#ifdef CH_SLOW_CHECKS
enum { NEXT = 13 };
#else
enum { NEXT = 4 };
#endif

/* ---- both ways ---------------------------------------------------------------------------- */

static enum ch_err verify(const struct fixture *f, bool halves, struct ch_verify_report *ret,
                          struct ch_why *why)
{
    const struct ch_verify_options options = {.dir = f->scratch.dir,
                                              .keys = &f->signer.verifier,
                                              .key_count = 1,
                                              .replay = true,
                                              .threads = 2,
                                              .halves_from = halves ? 1 : 0};
    return ch_verify(&options, ret, why);
}

/* Returns what one run finds, which is what two halves find; ret_halves: they could be made. */
static struct ch_verify_report verify_both(const struct fixture *f, bool *ret_halves)
{
    struct ch_verify_report one;
    struct ch_verify_report two;
    struct ch_why why = {0};
    assert_int_equal(verify(f, /* halves= */ false, &one, &why), CH_OK);
    assert_int_equal(verify(f, /* halves= */ true, &two, &why), CH_OK);
    assert_false(one.in_halves);
    *ret_halves = two.in_halves;
    two.in_halves = false;
    assert_string_equal(two.text, one.text);
    assert_int_equal(two.part, one.part);
    assert_int_equal(two.number, one.number);
    if (one.part != CH_VERIFY_NOTHING) return one;
    assert_int_equal(two.records, one.records);
    assert_int_equal(two.bytes, one.bytes);
    assert_int_equal(two.snapshots, one.snapshots);
    assert_int_equal(two.states, one.states);
    assert_int_equal(two.newer, one.newer);
    assert_int_equal(two.tiles, one.tiles);
    assert_int_equal(two.against, one.against);
    assert_int_equal(two.covered, one.covered);
    assert_true(ch_hash_equal(&two.root, &one.root));
    return one;
}

static void expect(const struct ch_verify_report *report, enum ch_verify_part part, uint64_t number,
                   const char *text)
{
    if (report->part == part && report->number == number && strstr(report->text, text) != NULL) {
        return;
    }
    fail_msg("%d %llu: %s", (int)report->part, (unsigned long long)report->number, report->text);
}

static void a_good_log_is_good_in_halves(void **state)
{
    struct fixture *f = *state;
    bool halves = false;
    const struct ch_verify_report report = verify_both(f, &halves);
    assert_string_equal(report.text, "");
    assert_true(halves);
    assert_int_equal(report.records, f->records);
    assert_int_equal(report.snapshots, 3);
    assert_int_equal(report.states, 2);
    assert_int_equal(report.tiles, 1);
}

static void halves_are_made_only_where_they_can_be(void **state)
{
    struct fixture *f = *state;
    const struct ch_verify_options usual = {.dir = f->scratch.dir,
                                            .keys = &f->signer.verifier,
                                            .key_count = 1,
                                            .replay = true,
                                            .threads = 2,
                                            .halves_from = f->records};
    struct ch_verify_options options[5] = {usual, usual, usual, usual, usual};
    options[1].halves_from = f->records + 1;
    options[2].threads = 1;
    options[3].replay = false;
    options[4].size = FIRST; /* the joint is still near the middle */
    for (size_t i = 0; i < 5; i++) {
        struct ch_verify_report report;
        struct ch_why why = {0};
        if (i == 4) options[i].halves_from = FIRST;
        assert_int_equal(ch_verify(&options[i], &report, &why), CH_OK);
        assert_string_equal(report.text, "");
        assert_int_equal(report.in_halves, i == 0 || i == 4);
        assert_int_equal(report.records, i == 4 ? FIRST : f->records);
    }
}

/* ---- the log ------------------------------------------------------------------------------ */

static void a_flipped_bit_of_the_log_is_found_as_in_one_run(void **state)
{
    struct fixture *f = *state;
    size_t in_halves = 0;
    for (size_t i = 0; i < f->place_count; i += NEXT) {
        const struct place *place = &f->places[i];
        const size_t bit = (size_t)(scratch_random(&f->random) % (place->len * 8));
        bool halves = false;
        flip(f, place->offset + bit / 8, (unsigned)(bit % 8));
        const struct ch_verify_report report = verify_both(f, &halves);
        flip(f, place->offset + bit / 8, (unsigned)(bit % 8));
        expect(&report, place->part, place->number, "");
        if (halves) in_halves++;
    }
    /* what is behind the joint is found by the second half */
    assert_true(in_halves > (f->records - JOINT) / NEXT);
    assert_true(in_halves < (f->place_count - JOINT) / NEXT);
}

static void a_forged_record_is_found_as_in_one_run(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t seq;
        enum ch_verify_part part;
        uint64_t number;
        const char *text;
    } rows[] = {
        {77, CH_VERIFY_SNAPSHOT, JOINT, "or one of records 1 to 200 was changed"},
        {JOINT, CH_VERIFY_SNAPSHOT, JOINT, "or one of records 1 to 200 was changed"},
        {JOINT + 1, CH_VERIFY_RECORD, JOINT + 1, "record 201 was changed: tile 0/0"},
        {270, CH_VERIFY_RECORD, JOINT + 1, "one of records 201 to 300 was changed: checkpoint 1"},
        {FIRST + 50, CH_VERIFY_SNAPSHOT, FIRST + 50, "or one of records 301 to 350 was changed"},
        {FIRST + 60, CH_VERIFY_RECORD, FIRST + 51, "one of records 351 to"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool halves = false;
        forge(f, rows[i].seq);
        const struct ch_verify_report report = verify_both(f, &halves);
        forge(f, rows[i].seq);
        expect(&report, rows[i].part, rows[i].number, rows[i].text);
    }
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static const char *path_of(const struct fixture *f, uint64_t seq)
{
    char name[64];
    (void)snprintf(name, sizeof name, "snapshots/%016llu.snap", (unsigned long long)seq);
    return scratch_path(&f->scratch, name);
}

static void read_file(const char *path, struct ch_buf *ret)
{
    uint8_t piece[4096];
    size_t len;
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0) {
        ch_buf_put(ret, piece, len);
    }
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *path, const uint8_t *ptr, size_t len)
{
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(ptr, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void a_flipped_bit_of_a_snapshot_is_found_as_in_one_run(void **state)
{
    struct fixture *f = *state;
    for (size_t k = 0; f->snapshots[k] != 0; k++) {
        struct ch_buf whole = {0};
        read_file(path_of(f, f->snapshots[k]), &whole);
        for (size_t i = 0; i < CH_SNAPSHOT_HEAD_BYTES + 40; i += NEXT) { /* each byte of the head */
            bool halves = false;
            const size_t at =
                i < CH_SNAPSHOT_HEAD_BYTES ? i : (size_t)(scratch_random(&f->random) % whole.len);
            const uint8_t bit = (uint8_t)(1U << scratch_random(&f->random) % 8);
            whole.ptr[at] ^= bit;
            write_file(path_of(f, f->snapshots[k]), whole.ptr, whole.len);
            whole.ptr[at] ^= bit;
            const struct ch_verify_report report = verify_both(f, &halves);
            expect(&report, CH_VERIFY_SNAPSHOT, f->snapshots[k], "snapshot of event");
            assert_true(!halves || f->snapshots[k] != JOINT);
        }
        write_file(path_of(f, f->snapshots[k]), whole.ptr, whole.len - 1);
        bool halves = false;
        const struct ch_verify_report report = verify_both(f, &halves);
        expect(&report, CH_VERIFY_SNAPSHOT, f->snapshots[k], "its body has");
        write_file(path_of(f, f->snapshots[k]), whole.ptr, whole.len);
        ch_buf_deinit(&whole);
    }
}

/* The first byte of a stored checkpoint is of its time; with the checksum that belongs to it. */
static void forge_time(const struct fixture *f, uint64_t number)
{
    const struct place *place = place_of(f, CH_VERIFY_CHECKPOINT, number);
    uint8_t value[4096];
    assert_non_null(place);
    const int fd = open(scratch_path(&f->scratch, "log.mdb"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, value, place->len, (off_t)place->offset), (ssize_t)place->len);
    const struct ch_bytes stored = {value, place->len - CH_CRC_BYTES};
    value[0] ^= 1;
    ch_put_le32(value + stored.len, ch_crc_record(number, stored));
    assert_int_equal(pwrite(fd, value, place->len, (off_t)place->offset), (ssize_t)place->len);
    assert_int_equal(close(fd), 0);
}

/* In the body: the seq of the first row of table `declared`, of which no later event depends. */
static size_t harmless(const struct ch_buf *body)
{
    static const char name[] = "declared";
    const size_t behind = sizeof name - 1 + 4 * sizeof(uint32_t); /* the table's head; dump.c */
    for (size_t at = 0; at + sizeof name < body->len; at++) {
        if (memcmp(body->ptr + at, name, sizeof name - 1) != 0) continue;
        return at + behind + offsetof(struct ch_row_declared, seq);
    }
    fail_msg("no such table in the snapshot");
    return 0;
}

enum forgery { OTHER_STATE, OTHER_ROOT, OTHER_TIME };

/* With the hashes and checksums that belong to it. */
static void forge_snapshot(const struct fixture *f, const struct ch_buf *whole, uint64_t seq,
                           enum forgery forgery)
{
    struct ch_snapshot_reader *reader = NULL;
    struct ch_snapshot_writer *writer = NULL;
    struct ch_snapshot head;
    struct ch_why why = {0};
    struct ch_buf body = {0};
    assert_int_equal(ch_snapshot_open(f->scratch.dir, seq, &reader, &head, &why), CH_OK);
    ch_snapshot_close(reader);
    ch_buf_put(&body, whole->ptr + CH_SNAPSHOT_HEAD_BYTES, whole->len - CH_SNAPSHOT_HEAD_BYTES);
    if (forgery == OTHER_STATE) body.ptr[harmless(&body)] ^= 1;
    if (forgery == OTHER_ROOT) head.root.bytes[5] ^= 1;
    if (forgery == OTHER_TIME) head.at_ns++;
    assert_int_equal(ch_snapshot_begin(f->scratch.dir, &writer, &why), CH_OK);
    ch_snapshot_put(writer, body.ptr, body.len);
    assert_int_equal(ch_snapshot_commit(writer, &head, &why), CH_OK);
    ch_buf_deinit(&body);
}

static void a_forged_snapshot_is_found_as_in_one_run(void **state)
{
    static const char *const texts[] = {
        [OTHER_STATE] = "replay gives another state",
        [OTHER_ROOT] = "it names another root than records 1 to",
        [OTHER_TIME] = "replay gives another time",
    };
    struct fixture *f = *state;
    for (size_t k = 0; f->snapshots[k] != 0; k++) {
        struct ch_buf whole = {0};
        read_file(path_of(f, f->snapshots[k]), &whole);
        for (int forgery = OTHER_STATE; forgery <= OTHER_TIME; forgery++) {
            bool halves = false;
            forge_snapshot(f, &whole, f->snapshots[k], (enum forgery)forgery);
            const struct ch_verify_report report = verify_both(f, &halves);
            expect(&report, CH_VERIFY_SNAPSHOT, f->snapshots[k], texts[forgery]);
            assert_true(!halves || f->snapshots[k] != JOINT);
            write_file(path_of(f, f->snapshots[k]), whole.ptr, whole.len);
        }
        ch_buf_deinit(&whole);
    }
}

/* The time beside a checkpoint is under no signature. Only where the halves meet does the first
 * one end with the checkpoint's last record, with nothing behind it that would tell. */
static void a_forged_time_of_a_checkpoint_is_found_as_in_one_run(void **state)
{
    struct fixture *f = *state;
    struct ch_buf whole = {0};
    bool halves = false;
    read_file(path_of(f, JOINT), &whole);
    assert_int_equal(unlink(path_of(f, JOINT)),
                     0); /* the next one is the joint, and checkpoint 1 */
    assert_string_equal(verify_both(f, &halves).text, "");
    assert_true(halves);
    for (uint64_t number = 1; number <= 2; number++) {
        forge_time(f, number);
        const struct ch_verify_report report = verify_both(f, &halves);
        forge_time(f, number);
        expect(&report, CH_VERIFY_CHECKPOINT, number, "has another time than record");
    }
    write_file(path_of(f, JOINT), whole.ptr, whole.len);
    ch_buf_deinit(&whole);
}

/* ---- a snapshot that changes meanwhile ---------------------------------------------------- */

/* The work of ch_verify in its steps, with room in between for what a daemon does there. */
struct steps {
    struct ch_verify_options options;
    struct ch_verify_report report;
    struct ch_verifying v;
    struct ch_verify_half *half;
    struct ch_why why;
};

static enum ch_err get_stored(void *arg, uint64_t number, struct ch_buf *copy,
                              struct ch_stored *ret, struct ch_why *why)
{
    return ch_stored_get(arg, number, copy, ret, why);
}

/* Reads the heads of the snapshots. */
static void list(const struct fixture *f, struct steps *s)
{
    struct ch_verifying *v = &s->v;
    *s = (struct steps){.options = {.dir = f->scratch.dir,
                                    .keys = &f->signer.verifier,
                                    .key_count = 1,
                                    .replay = true,
                                    .threads = 2,
                                    .halves_from = 1}};
    v->options = &s->options;
    v->report = &s->report;
    assert_int_equal(ch_verify_list_snapshots(f->scratch.dir, &v->begin, &s->report, &s->why),
                     CH_OK);
    assert_int_equal(ch_evlog_open_read(f->scratch.dir, &v->log, &s->why), CH_OK);
    assert_int_equal(ch_evlog_read_head(v->log, &v->begin.head, &v->begin.has_head, &s->why),
                     CH_OK);
    assert_int_equal(ch_evlog_look_at_head(v->log, &v->begin.look, &s->why), CH_OK);
    assert_int_equal(ch_evlog_count(v->log, &v->begin.counts, &s->why), CH_OK);
    v->to = v->begin.whole = v->begin.counts.last;
    const struct ch_verify_checkpoints from = {
        .get = get_stored, .arg = v->log, .count = v->begin.counts.checkpoints};
    assert_int_equal(
        ch_verify_notes(&from, &s->options, &v->begin, &v->expected, &s->report, &s->why), CH_OK);
    assert_int_equal(s->report.part, CH_VERIFY_NOTHING);
}

/* How often the joint was closed by who read it, since `fd` was read last; waits for it so long.
 * source: man 7 inotify: what happens is told in order, and the same only once in a row */
static int closed_since(int fd, int wait_ms)
{
    _Alignas(struct inotify_event) char room[4096];
    int closed = 0;
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    const int told = poll(&watched, 1, wait_ms);
    assert_true(told >= 0);
    const ssize_t len = told == 0 ? 0 : read(fd, room, sizeof room);
    assert_true(len >= 0);
    for (ssize_t at = 0; at < len; at += (ssize_t)sizeof(struct inotify_event)) {
        struct inotify_event event; /* of a file that is watched itself: without a name */
        memcpy(&event, room + at, sizeof event);
        assert_int_equal(event.len, 0);
        if ((event.mask & IN_CLOSE_NOWRITE) != 0) closed++;
    }
    return closed;
}

/* Starts the second half, and waits until it has read the joint: its head, then all of it, unless
 * the head tells it that this is another one. */
static void begin_second(const struct fixture *f, struct steps *s, bool another)
{
    enum { FOR_EVER = -1, A_WHILE_MS = 200 };
    int closed = 0;
    const int fd = inotify_init1(IN_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(inotify_add_watch(fd, path_of(f, JOINT), IN_OPEN | IN_CLOSE_NOWRITE) >= 0);
    s->half = ch_verify_half_start(&s->v);
    assert_non_null(s->half);
    for (bool more = true; closed < 2 && more;) {
        const int now = closed_since(fd, another && closed == 1 ? A_WHILE_MS : FOR_EVER);
        more = !another || closed == 0 || now > 0;
        closed += now;
    }
    assert_int_equal(close(fd), 0);
}

/* The first half, and both together. */
static void end(struct steps *s)
{
    struct ch_verifying *v = &s->v;
    struct ch_why *why = &s->why;
    assert_int_equal(ch_verify_tree_create(v->log, CH_TILES_STORED, &v->expected, /* threads= */ 1,
                                           &v->tree, why),
                     CH_OK);
    assert_int_equal(ch_follower_open(&v->follower, v->log, NULL, why), CH_OK);
    v->follower.before = ch_verify_before;
    v->follower.before_arg = v;
    v->follower.alone = true;
    enum ch_err err = ch_verify_half_join(s->half, v, ch_verify_go(v, why), why);
    if (err == CH_OK) err = ch_verify_snapshots_left(v, why);
    assert_int_equal(ch_verify_end_tree(v, err, why), CH_OK);
    ch_follower_close(&v->follower);
    ch_expected_deinit(&v->expected);
    ch_arena_deinit(&v->arena);
    ch_evlog_close(v->log);
}

static void a_joint_that_is_deleted_was_good_or_is_told(void **state)
{
    struct fixture *f = *state;
    struct steps s;
    struct ch_buf whole = {0};
    read_file(path_of(f, JOINT), &whole);
    for (unsigned forged = 0; forged <= 1; forged++) {
        if (forged != 0) forge_snapshot(f, &whole, JOINT, OTHER_STATE);
        list(f, &s);
        begin_second(f, &s, /* another= */ false);
        assert_int_equal(unlink(path_of(f, JOINT)), 0);
        end(&s);
        write_file(path_of(f, JOINT), whole.ptr, whole.len);
        assert_int_equal(s.report.in_halves, forged == 0);
        if (forged != 0) {
            expect(&s.report, CH_VERIFY_SNAPSHOT, JOINT, "replay gives another state");
            continue;
        }
        assert_string_equal(s.report.text, "");
        assert_int_equal(s.report.records, f->records);
        assert_int_equal(s.report.snapshots, 2);
    }
    ch_buf_deinit(&whole);
}

static void a_forged_joint_that_a_good_one_replaces_is_told(void **state)
{
    struct fixture *f = *state;
    struct steps s;
    struct ch_buf whole = {0};
    read_file(path_of(f, JOINT), &whole);
    forge_snapshot(f, &whole, JOINT, OTHER_STATE);
    list(f, &s);
    begin_second(f, &s, /* another= */ false);
    write_file(path_of(f, JOINT), whole.ptr, whole.len);
    end(&s);
    expect(&s.report, CH_VERIFY_SNAPSHOT, JOINT, "replay gives another state than it had");
    assert_false(s.report.in_halves);
    ch_buf_deinit(&whole);
}

static void a_second_half_that_began_with_another_joint_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct steps s;
    struct ch_buf whole = {0};
    read_file(path_of(f, JOINT), &whole);
    list(f, &s);
    forge_snapshot(f, &whole, JOINT, OTHER_STATE);
    begin_second(f, &s, /* another= */ true);
    write_file(path_of(f, JOINT), whole.ptr, whole.len);
    end(&s);
    assert_string_equal(s.report.text, "");
    assert_false(s.report.in_halves);
    assert_int_equal(s.report.records, f->records);
    assert_int_equal(s.report.snapshots, 3);
    ch_buf_deinit(&whole);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void both_halves_stop_when_told(void **state)
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
                                              .halves_from = 1,
                                              .progress = &progress};
    assert_int_equal(ch_verify(&options, &report, &why), CH_ERR_STOPPED);
    progress.stop = false;
    assert_int_equal(ch_verify(&options, &report, &why), CH_OK);
    assert_true(report.in_halves);
    assert_int_equal(progress.done, f->records);
    assert_int_equal(progress.total, f->records);
}

static int make(void **state)
{
    static struct fixture f = {.snapshots = {JOINT, FIRST, FIRST + 50}};
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
        cmocka_unit_test(a_good_log_is_good_in_halves),
        cmocka_unit_test(halves_are_made_only_where_they_can_be),
        cmocka_unit_test(a_flipped_bit_of_the_log_is_found_as_in_one_run),
        cmocka_unit_test(a_forged_record_is_found_as_in_one_run),
        cmocka_unit_test(a_flipped_bit_of_a_snapshot_is_found_as_in_one_run),
        cmocka_unit_test(a_forged_snapshot_is_found_as_in_one_run),
        cmocka_unit_test(a_forged_time_of_a_checkpoint_is_found_as_in_one_run),
        cmocka_unit_test(a_joint_that_is_deleted_was_good_or_is_told),
        cmocka_unit_test(a_forged_joint_that_a_good_one_replaces_is_told),
        cmocka_unit_test(a_second_half_that_began_with_another_joint_is_not_believed),
        cmocka_unit_test(both_halves_stop_when_told),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
