/* test_log_keys: the signing key, and a rotation that is cut short. SPDX-License-Identifier: MIT */
#include "daemon/log/checkpoint.h"
#include "daemon/log/keys.h"
#include "tests/unit/log_scratch.h"

#include <sodium.h>

static const uint8_t first_seed[CH_NOTE_SEED_BYTES] = {1};
static const uint8_t second_seed[CH_NOTE_SEED_BYTES] = {2};

/* A checkpoint's note by this key; next: the key it names, which signs too, or NULL. */
static void put_note(const struct ch_keys *keys, const struct ch_keys *next, struct ch_buf *note)
{
    struct ch_checkpoint made = {
        .origin = ch_text_of(keys->signer.verifier.name), .size = 5, .has_next_key = next != NULL};
    struct ch_buf lines = {0};
    if (next != NULL) made.next_key = next->signer.verifier;
    ch_buf_reset(note);
    ch_checkpoint_put(note, &made);
    const struct ch_text text = {(const char *)note->ptr, note->len};
    ch_signer_put_line(&keys->signer, text, &lines);
    if (next != NULL) ch_signer_put_line(&next->signer, text, &lines);
    ch_buf_put(note, "\n", 1);
    ch_buf_put(note, lines.ptr, lines.len);
    ch_buf_deinit(&lines);
}

static struct ch_text view(const struct ch_buf *note)
{
    return (struct ch_text){(const char *)note->ptr, note->len};
}

static enum ch_err open_keys(const struct scratch *scratch, const char *name, struct ch_text last,
                             bool may_replace, struct ch_keys *ret, struct ch_why *why)
{
    const struct ch_keys_options options = {.dir = scratch->dir,
                                            .name = ch_text_of(name),
                                            .seed = first_seed,
                                            .last = last,
                                            .may_replace = may_replace};
    *why = (struct ch_why){0};
    return ch_keys_open(&options, ret, why);
}

static const struct ch_text none = {NULL, 0};

static void a_key_is_made_once_and_read_again(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_keys again;
    struct ch_why why;
    struct stat info;
    assert_int_equal(open_keys(scratch, "example.com/log", none, false, &keys, &why), CH_OK);
    assert_int_equal(stat(scratch_path(scratch, "signing-key"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(open_keys(scratch, "", none, false, &again, &why), CH_OK);
    assert_true(ch_verifier_equal(&keys.signer.verifier, &again.signer.verifier));
    assert_string_equal(again.signer.verifier.name, "example.com/log");
    ch_keys_deinit(&again);
    assert_int_equal(open_keys(scratch, "other.example", none, false, &again, &why), CH_ERR_CONFIG);
    ch_keys_deinit(&keys);
}

static void a_name_is_made_up_and_a_bad_one_refused(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_why why;
    assert_int_equal(open_keys(scratch, "two words", none, false, &keys, &why), CH_ERR_CONFIG);
    assert_int_equal(open_keys(scratch, "a+b", none, false, &keys, &why), CH_ERR_CONFIG);
    assert_int_equal(access(scratch_path(scratch, "signing-key"), F_OK), -1);
    assert_int_equal(open_keys(scratch, "", none, false, &keys, &why), CH_OK);
    assert_int_equal(strncmp(keys.signer.verifier.name, "charterd-", 9), 0);
    ch_keys_deinit(&keys);
}

static void a_file_that_others_may_read_or_that_is_damaged_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_why why;
    assert_int_equal(open_keys(scratch, "example.com/log", none, false, &keys, &why), CH_OK);
    ch_keys_deinit(&keys);
    static const mode_t loose[] = {0640, 0604, 0660, 0602, 0601};
    for (size_t i = 0; i < sizeof loose / sizeof *loose; i++) {
        assert_int_equal(chmod(scratch_path(scratch, "signing-key"), loose[i]), 0);
        assert_int_equal(open_keys(scratch, "", none, false, &keys, &why), CH_ERR_KEY_UNSAFE);
    }
    assert_int_equal(chmod(scratch_path(scratch, "signing-key"), 0600), 0);
    /* each flipped bit: another key whose id does not fit, or no key at all */
    size_t len = 0;
    uint8_t *bytes = scratch_read(scratch, "signing-key", &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);
        scratch_write(scratch, "signing-key", bytes, len);
        const enum ch_err err = open_keys(scratch, "", none, false, &keys, &why);
        if (err != CH_ERR_KEY_UNSAFE) fail_msg("bit %zu: %s", bit, ch_err_code(err));
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);
    }
    free(bytes);
}

static void a_log_with_checkpoints_needs_the_key_that_signed_the_last(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_keys other = {.retired_count = 0};
    struct ch_buf note = {0};
    struct ch_why why;
    assert_int_equal(
        ch_signer_init(ch_text_of("example.com/log"), second_seed, &other.signer, NULL), CH_OK);
    put_note(&other, NULL, &note);
    assert_int_equal(open_keys(scratch, "", view(&note), false, &keys, &why), CH_ERR_KEY_WRONG);
    assert_int_equal(open_keys(scratch, "", view(&note), true, &keys, &why), CH_OK);
    assert_string_equal(keys.signer.verifier.name, "example.com/log"); /* the log keeps its name */
    assert_false(ch_verifier_equal(&keys.signer.verifier, &other.signer.verifier));
    /* made, but the last checkpoint is still the other's */
    struct ch_keys again;
    assert_int_equal(open_keys(scratch, "", view(&note), false, &again, &why), CH_ERR_KEY_WRONG);
    put_note(&keys, NULL, &note);
    assert_int_equal(open_keys(scratch, "", view(&note), false, &again, &why), CH_OK);
    ch_keys_deinit(&again);
    ch_keys_deinit(&keys);
    ch_keys_deinit(&other);
    ch_buf_deinit(&note);
}

static void a_rotation_counts_when_its_checkpoint_was_stored(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_keys next;
    struct ch_keys again;
    struct ch_buf before = {0};
    struct ch_buf after = {0};
    struct ch_why why;
    assert_int_equal(open_keys(scratch, "example.com/log", none, false, &keys, &why), CH_OK);
    put_note(&keys, NULL, &before);
    /* cut short before the checkpoint was stored */
    assert_int_equal(ch_keys_prepare(scratch->dir, &keys, second_seed, &next, &why), CH_OK);
    put_note(&keys, &next, &after);
    assert_int_equal(open_keys(scratch, "", view(&before), false, &again, &why), CH_OK);
    assert_true(ch_verifier_equal(&again.signer.verifier, &keys.signer.verifier));
    assert_int_equal(access(scratch_path(scratch, "signing-key.new"), F_OK), -1);
    ch_keys_deinit(&again);
    ch_keys_deinit(&next);
    /* cut short after it was stored, before the file got its name */
    assert_int_equal(ch_keys_prepare(scratch->dir, &keys, second_seed, &next, &why), CH_OK);
    assert_int_equal(open_keys(scratch, "", view(&after), false, &again, &why), CH_OK);
    assert_true(ch_verifier_equal(&again.signer.verifier, &next.signer.verifier));
    assert_int_equal(again.retired_count, 1);
    assert_true(ch_verifier_equal(&again.retired[0], &keys.signer.verifier));
    assert_int_equal(access(scratch_path(scratch, "signing-key.new"), F_OK), -1);
    ch_keys_deinit(&again);
    /* a log that is put back from before the rotation goes on with the new key */
    assert_int_equal(open_keys(scratch, "", view(&before), false, &again, &why), CH_OK);
    assert_true(ch_verifier_equal(&again.signer.verifier, &next.signer.verifier));
    assert_true(again.unlinked);
    ch_keys_deinit(&again);
    assert_int_equal(open_keys(scratch, "", view(&after), false, &again, &why), CH_OK);
    assert_false(again.unlinked);
    ch_keys_deinit(&again);
    ch_keys_deinit(&next);
    ch_keys_deinit(&keys);
    ch_buf_deinit(&before);
    ch_buf_deinit(&after);
}

static void settles_to(const struct scratch *scratch, struct ch_text last,
                       const struct ch_verifier *expected)
{
    struct ch_keys keys;
    struct ch_why why;
    if (open_keys(scratch, "", last, false, &keys, &why) != CH_OK) fail_msg("%s", why.text);
    assert_true(ch_verifier_equal(&keys.signer.verifier, expected));
    assert_int_equal(access(scratch_path(scratch, "signing-key.new"), F_OK), -1);
    ch_keys_deinit(&keys);
}

/* A daemon that cannot rename the file goes on with the new key all the same. */
static void a_key_that_signs_under_the_name_of_a_prepared_one_is_not_lost(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_keys next;
    struct ch_keys third;
    struct ch_buf note = {0};
    struct ch_why why;
    static const uint8_t third_seed[CH_NOTE_SEED_BYTES] = {3};
    assert_int_equal(open_keys(scratch, "example.com/log", none, false, &keys, &why), CH_OK);
    assert_int_equal(ch_keys_prepare(scratch->dir, &keys, second_seed, &next, &why), CH_OK);
    put_note(&next, NULL, &note); /* behind the one that named it */
    settles_to(scratch, view(&note), &next.signer.verifier);
    /* it takes its place before another is prepared */
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", scratch_path(scratch, "signing-key"));
    assert_int_equal(rename(path, scratch_path(scratch, "signing-key.new")), 0);
    assert_int_equal(ch_keys_prepare(scratch->dir, &next, third_seed, &third, &why), CH_OK);
    settles_to(scratch, view(&note), &next.signer.verifier);
    ch_keys_deinit(&third);
    ch_keys_deinit(&next);
    ch_keys_deinit(&keys);
    ch_buf_deinit(&note);
}

static void cut_file(const struct scratch *scratch, const char *name, size_t len)
{
    static const uint8_t nothing[1] = {0};
    size_t had = 0;
    uint8_t *bytes = scratch_read(scratch, name, &had);
    assert_true(len < had);
    scratch_write(scratch, name, len == 0 ? nothing : bytes, len);
    free(bytes);
}

static void a_torn_file_of_a_prepared_key_is_dropped_unless_it_is_needed(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_keys next;
    struct ch_buf before = {0};
    struct ch_buf after = {0};
    struct ch_why why;
    assert_int_equal(open_keys(scratch, "example.com/log", none, false, &keys, &why), CH_OK);
    put_note(&keys, NULL, &before);
    for (size_t len = 0; len < 80; len += 40) {
        assert_int_equal(ch_keys_prepare(scratch->dir, &keys, second_seed, &next, &why), CH_OK);
        cut_file(scratch, "signing-key.new", len);
        settles_to(scratch, len == 0 ? none : view(&before), &keys.signer.verifier);
        ch_keys_deinit(&next);
    }
    assert_int_equal(ch_keys_prepare(scratch->dir, &keys, second_seed, &next, &why), CH_OK);
    put_note(&keys, &next, &after);
    cut_file(scratch, "signing-key.new", 40);
    struct ch_keys again;
    assert_int_equal(open_keys(scratch, "", view(&after), false, &again, &why), CH_ERR_KEY_UNSAFE);
    assert_non_null(strstr(why.text, "signing-key.new is damaged"));
    assert_int_equal(access(scratch_path(scratch, "signing-key.new"), F_OK), 0);
    /* a damaged key in its place is none where a new one may be made */
    cut_file(scratch, "signing-key", 40);
    assert_int_equal(open_keys(scratch, "", view(&before), false, &again, &why), CH_ERR_KEY_UNSAFE);
    assert_int_equal(open_keys(scratch, "", view(&before), true, &again, &why), CH_OK);
    assert_string_equal(again.signer.verifier.name, "example.com/log");
    ch_keys_deinit(&again);
    ch_keys_deinit(&next);
    ch_keys_deinit(&keys);
    ch_buf_deinit(&before);
    ch_buf_deinit(&after);
}

static void retired_keys_are_kept_up_to_a_bound(void **state)
{
    struct scratch *scratch = *state;
    struct ch_keys keys;
    struct ch_why why;
    uint8_t seed[CH_NOTE_SEED_BYTES] = {3};
    assert_int_equal(open_keys(scratch, "example.com/log", none, false, &keys, &why), CH_OK);
    for (size_t i = 0; i <= CH_KEYS_RETIRED_MOST; i++) {
        struct ch_keys next;
        seed[1] = (uint8_t)i;
        const enum ch_err err = ch_keys_prepare(scratch->dir, &keys, seed, &next, &why);
        if (i == CH_KEYS_RETIRED_MOST) {
            assert_int_equal(err, CH_ERR_KEY_WRONG);
            break;
        }
        assert_int_equal(err, CH_OK);
        assert_int_equal(ch_keys_settle(scratch->dir, &why), CH_OK);
        ch_keys_deinit(&keys);
        keys = next;
    }
    struct ch_keys again;
    assert_int_equal(open_keys(scratch, "", none, false, &again, &why), CH_OK);
    assert_int_equal(again.retired_count, CH_KEYS_RETIRED_MOST);
    assert_true(ch_verifier_equal(&again.signer.verifier, &keys.signer.verifier));
    ch_keys_deinit(&again);
    ch_keys_deinit(&keys);
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_key_is_made_once_and_read_again),
        SCRATCH_TEST(a_name_is_made_up_and_a_bad_one_refused),
        SCRATCH_TEST(a_file_that_others_may_read_or_that_is_damaged_is_refused),
        SCRATCH_TEST(a_log_with_checkpoints_needs_the_key_that_signed_the_last),
        SCRATCH_TEST(a_rotation_counts_when_its_checkpoint_was_stored),
        SCRATCH_TEST(a_key_that_signs_under_the_name_of_a_prepared_one_is_not_lost),
        SCRATCH_TEST(a_torn_file_of_a_prepared_key_is_dropped_unless_it_is_needed),
        SCRATCH_TEST(retired_keys_are_kept_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
