/* test_partial: a file that is not whole goes with the program that is interrupted twice.
 * SPDX-License-Identifier: MIT */
#include "tests/unit/log_scratch.h"
#include "tools/lib/interrupt.h"
#include "tools/lib/partial.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

enum how { STILL_OPEN, PLACED, CLOSED, WATCHED_TWICE };

/* In a process of its own: what it does ends by the last of two or three signals. */
static void begin_and_be_interrupted(const char *path, enum how how)
{
    struct partial partial;
    if (how == WATCHED_TWICE) interrupt_watch_twice();
    if (how != WATCHED_TWICE) interrupt_watch();
    if (interrupted() || partial_open(&partial, path, 0600) != 0) _exit(1);
    if (write(partial.fd, "half", 4) != 4) _exit(1);
    if (how == PLACED && partial_place(&partial, /* replace= */ true) != 0) _exit(1);
    if (how == CLOSED) partial_close(&partial);
    (void)raise(SIGTERM);
    if (!interrupted() || interrupted_twice()) _exit(1);
    if (how == WATCHED_TWICE) (void)raise(SIGINT);
    if (how == WATCHED_TWICE && !interrupted_twice()) _exit(1);
    if (how != CLOSED && access(how == PLACED ? path : partial.name, F_OK) != 0) _exit(1);
    if (how == CLOSED) { /* somebody else's now */
        const int fd = open(partial.name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || close(fd) != 0) _exit(1);
    }
    (void)raise(SIGINT);
    _exit(1);
}

static bool is_there(const struct scratch *scratch, const char *name)
{
    return access(scratch_path(scratch, name), F_OK) == 0;
}

static void a_second_interrupt_removes_what_is_not_whole(void **state)
{
    (void)state;
    struct scratch scratch = {0};
    for (int how = STILL_OPEN; how <= WATCHED_TWICE; how++) {
        int status = 0;
        scratch_make(&scratch);
        scratch_write(&scratch, "file", (const uint8_t *)"old", 3);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) begin_and_be_interrupted(scratch_path(&scratch, "file"), (enum how)how);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGINT);
        assert_int_equal(is_there(&scratch, "file.partial"), how == CLOSED);
        size_t len = 0;
        uint8_t *bytes = scratch_read(&scratch, "file", &len);
        assert_int_equal(len, how == PLACED ? 4 : 3);
        assert_memory_equal(bytes, how == PLACED ? "half" : "old", len);
        free(bytes);
        scratch_remove(&scratch);
    }
}

static void what_another_process_writes_stays(void **state)
{
    (void)state;
    struct scratch scratch = {0};
    int status = 0;
    scratch_make(&scratch);
    scratch_write(&scratch, "file.partial", (const uint8_t *)"half", 4);
    const int ours = open(scratch_path(&scratch, "file.partial"), O_RDWR | O_CLOEXEC);
    assert_true(ours >= 0);
    assert_int_equal(flock(ours, LOCK_EX), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct partial theirs;
        interrupt_watch();
        if (partial_open(&theirs, scratch_path(&scratch, "file"), 0600) != EWOULDBLOCK) _exit(1);
        (void)raise(SIGINT);
        (void)raise(SIGINT);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_true(is_there(&scratch, "file.partial"));
    assert_int_equal(close(ours), 0);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_interrupt_removes_what_is_not_whole),
        cmocka_unit_test(what_another_process_writes_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
