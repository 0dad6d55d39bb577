/* test_log_password: Argon2id and its threads. SPDX-License-Identifier: MIT */
#include "daemon/log/password.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

static const struct ch_password_cost cheap = {.kib = 8, .passes = 1};

static void put(struct ch_password *password, const char *text)
{
    password->len = strlen(text);
    memcpy(password->text, text, password->len);
}

static void work(struct ch_password *password)
{
    assert_int_equal(ch_password_work(password, cheap, NULL), CH_OK);
    for (size_t i = 0; i < sizeof password->text; i++) {
        assert_int_equal(password->text[i], 0);
    }
}

static void a_verifier_takes_its_own_password_and_no_other(void **state)
{
    (void)state;
    struct ch_password made = {0}, same = {.compare = true}, other = {.compare = true};
    put(&made, "correct horse");
    work(&made);
    assert_memory_equal(made.verifier, "$argon2id$", 10);
    memcpy(same.verifier, made.verifier, sizeof same.verifier);
    memcpy(other.verifier, made.verifier, sizeof other.verifier);
    put(&same, "correct horse");
    put(&other, "correct horsf");
    work(&same);
    work(&other);
    assert_true(same.good);
    assert_false(other.good);
}

static void two_verifiers_of_one_password_differ(void **state)
{
    (void)state;
    struct ch_password one = {0}, two = {0};
    put(&one, "correct horse");
    put(&two, "correct horse");
    work(&one);
    work(&two);
    assert_memory_not_equal(one.verifier, two.verifier, sizeof one.verifier);
}

static void nobodys_password_is_never_good(void **state)
{
    (void)state;
    struct ch_password none = {.compare = true};
    work(&none);
    assert_false(none.good);
    put(&none, "correct horse");
    work(&none);
    assert_false(none.good);
    assert_int_equal(none.verifier[0], 0); /* nothing of what was computed is left */
    struct ch_password odd = {.compare = true, .verifier = "no verifier"};
    put(&odd, "correct horse");
    work(&odd);
    assert_false(odd.good);
}

static void ring(void *arg)
{
    const uint64_t one = 1;
    assert_int_equal(write(*(const int *)arg, &one, sizeof one), sizeof one);
}

static void the_pool_does_every_job_and_stops_with_those_it_had_not_begun(void **state)
{
    (void)state;
    enum { JOBS = 40 };
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct ch_password_pool *pool = NULL;
    assert_int_equal(ch_password_pool_start(2, cheap, ring, &fd, &pool, NULL), CH_OK);
    uint32_t seen = 0, failed = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        struct ch_password_job *job = ch_password_job_create(3);
        assert_non_null(job);
        for (uint32_t k = 0; k < 3; k++) {
            put(&job->passwords[k], "correct horse");
        }
        ch_password_submit(pool, job);
    }
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    while (seen < JOBS / 2) {
        struct ch_password_job *job = ch_password_collect(pool);
        if (job == NULL) {
            assert_int_equal(poll(&poll_fd, 1, 60000), 1);
            uint64_t rung;
            (void)!read(fd, &rung, sizeof rung);
            continue;
        }
        assert_int_equal(job->err, CH_OK);
        assert_memory_equal(job->passwords[2].verifier, "$argon2id$", 10);
        ch_password_job_destroy(job);
        seen++;
    }
    ch_password_pool_stop(pool);
    for (struct ch_password_job *job = ch_password_collect(pool); job != NULL;
         job = ch_password_collect(pool)) {
        if (job->err != CH_OK) assert_int_equal(job->err, CH_ERR_STOPPED);
        failed += job->err != CH_OK;
        ch_password_job_destroy(job);
        seen++;
    }
    assert_int_equal(seen, JOBS);
    assert_true(failed <= JOBS / 2);
    ch_password_pool_destroy(pool);
    (void)close(fd);
}

static int setup(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verifier_takes_its_own_password_and_no_other),
        cmocka_unit_test(two_verifiers_of_one_password_differ),
        cmocka_unit_test(nobodys_password_is_never_good),
        cmocka_unit_test(the_pool_does_every_job_and_stops_with_those_it_had_not_begun),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
