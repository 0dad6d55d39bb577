/* test_log_stored: the checkpoints that the log keeps. SPDX-License-Identifier: MIT */
#include "daemon/log/committer.h"
#include "daemon/log/stored.h"
#include "tests/unit/log_scratch.h"

#include <inttypes.h>
#include <sys/eventfd.h>

enum { SEED = 51, MAP = 8 << 20 };

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

/* A note of this size; whose signature line it has does not matter here. */
static struct ch_text note_of(uint64_t size, const char *more, char room[512])
{
    const int len =
        snprintf(room, 512, "o\n%" PRIu64 "\n" ROOT "\n\n\xe2\x80\x94 o AAAAAAAA\n%s", size, more);
    return (struct ch_text){room, (size_t)len};
}

static void put(struct ch_evlog *log, uint64_t number, uint64_t size)
{
    char room[512];
    struct ch_why why = {0};
    if (ch_stored_put(log, number, 10 * number, note_of(size, "", room), &why) != CH_OK) {
        fail_msg("%s", why.text);
    }
}

static void what_was_stored_is_found_by_number_and_size(void **state)
{
    struct scratch *scratch = *state;
    static const uint64_t sizes[] = {3, 3, 10, 11, 500, 500, 500};
    struct ch_evlog *log = scratch_open(scratch, MAP);
    struct ch_buf copy = {0};
    struct ch_stored stored;
    struct ch_why why = {0};
    assert_int_equal(ch_stored_get(log, 0, &copy, &stored, &why), CH_OK);
    assert_int_equal(stored.number, 0);
    assert_int_equal(ch_stored_find(log, 3, &copy, &stored, &why), CH_OK);
    assert_int_equal(stored.number, 0);
    for (uint64_t i = 0; i < 7; i++) {
        put(log, i + 1, sizes[i]);
    }
    ch_evlog_close(log);
    log = scratch_open(scratch, MAP);
    for (uint64_t number = 1; number <= 7; number++) {
        char room[512];
        assert_int_equal(ch_stored_get(log, number, &copy, &stored, &why), CH_OK);
        assert_int_equal(stored.number, number);
        assert_int_equal(stored.at_ns, 10 * number);
        assert_true(ch_text_equal(stored.note, note_of(sizes[number - 1], "", room)));
    }
    assert_int_equal(ch_stored_get(log, 0, &copy, &stored, &why), CH_OK);
    assert_int_equal(stored.number, 7);
    assert_int_equal(ch_stored_get(log, 8, &copy, &stored, &why), CH_OK);
    assert_int_equal(stored.number, 0);
    static const uint64_t found[][2] = {{2, 0},  {3, 2},   {4, 0},   {10, 3},
                                        {11, 4}, {499, 0}, {500, 7}, {501, 0}};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        assert_int_equal(ch_stored_find(log, found[i][0], &copy, &stored, &why), CH_OK);
        assert_int_equal(stored.number, found[i][1]);
    }
    /* one that is there gets a new note */
    char room[512];
    const struct ch_text more = note_of(11, "\xe2\x80\x94 w AAAAAAAA\n", room);
    assert_int_equal(ch_stored_put(log, 4, 40, more, &why), CH_OK);
    assert_int_equal(ch_stored_get(log, 4, &copy, &stored, &why), CH_OK);
    assert_true(ch_text_equal(stored.note, more));
    assert_int_equal(ch_stored_get(log, 0, &copy, &stored, &why), CH_OK);
    assert_int_equal(stored.number, 7);
    ch_buf_deinit(&copy);
    ch_evlog_close(log);
}

static void a_full_log_takes_no_checkpoint_and_goes_on(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, 1 << 20);
    struct ch_buf copy = {0};
    struct ch_stored stored;
    struct ch_why why = {0};
    char room[512];
    put(log, 1, 3);
    while (scratch_append(log, SEED, 50, &why) == CH_OK) {
    }
    assert_int_equal(why.err, CH_ERR_STORAGE_FULL);
    uint64_t number = 2;
    while (ch_stored_put(log, number, 1, note_of(number + 5, "", room), &why) == CH_OK) {
        number++;
    }
    assert_int_equal(why.err, CH_ERR_STORAGE_FULL);
    assert_int_equal(ch_stored_get(log, 0, &copy, &stored, &why), CH_OK);
    assert_int_equal(stored.number, number - 1);
    ch_buf_deinit(&copy);
    ch_evlog_close(log);
}

static void ring(void *arg)
{
    assert_int_equal(eventfd_write(*(int *)arg, 1), 0);
}

/* The commit thread stores records first, then the checkpoint, then makes the head durable. */
static void the_commit_thread_stores_one_behind_its_records(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    struct ch_committer *committer = NULL;
    struct ch_batch_result result;
    struct ch_buf copy = {0};
    struct ch_stored stored;
    struct ch_why why = {0};
    char room[512];
    uint8_t record[SCRATCH_RECORD_BYTES];
    eventfd_t rings = 0;
    int bell = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(ch_committer_start(log, NULL, ring, &bell, &committer, &why), CH_OK);
    for (uint64_t turn = 1; turn <= 2; turn++) {
        const struct ch_bytes bytes = scratch_record(SEED, 1, record);
        const struct ch_batch batch = {.first_seq = 1,
                                       .records = &bytes,
                                       .count = turn == 1 ? 1 : 0, /* then a checkpoint alone */
                                       .sync_head = true,
                                       .checkpoint = turn,
                                       .checkpoint_at_ns = 7,
                                       .checkpoint_note = note_of(1, "", room)};
        ch_committer_submit(committer, &batch);
        assert_int_equal(eventfd_read(bell, &rings), 0);
        assert_true(ch_committer_collect(committer, &result));
        assert_int_equal(result.err, CH_OK);
        assert_int_equal(result.checkpoint_err, CH_OK);
        assert_int_equal(result.end.seq, 1);
        assert_int_equal(ch_stored_get(log, 0, &copy, &stored, &why), CH_OK);
        assert_int_equal(stored.number, turn);
        assert_int_equal(stored.at_ns, 7);
    }
    ch_committer_stop(committer);
    (void)close(bell);
    ch_buf_deinit(&copy);
    ch_evlog_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_was_stored_is_found_by_number_and_size),
        SCRATCH_TEST(a_full_log_takes_no_checkpoint_and_goes_on),
        SCRATCH_TEST(the_commit_thread_stores_one_behind_its_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
