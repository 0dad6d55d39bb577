/* child: see child.h. SPDX-License-Identifier: MIT */
#include "tools/bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_TIMEOUT_MS = 10000, STOP_TIMEOUT_MS = 60000 };

/* Between fork and exec in a program with threads: only calls that are safe in a signal handler. */
static _Noreturn void become(const char *program, char *const argv[], const char *log, pid_t parent,
                             int ready_fd)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127); /* the bench died before the line above */
    (void)setpgid(0, 0);
    if (log != NULL) {
        int log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (log_fd < 0 || dup2(log_fd, STDERR_FILENO) < 0) _exit(127);
    }
    if (ready_fd == CH_CHILD_READY_FD) {
        (void)fcntl(ready_fd, F_SETFD, 0);
    } else {
        (void)dup2(ready_fd, CH_CHILD_READY_FD);
    }
    (void)close_range(CH_CHILD_READY_FD + 1, ~0U, 0);
    (void)execv(program, argv);
    _exit(127);
}

static enum ch_err wait_ready(int fd, const char *program, struct ch_why *why)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int events;
    do {
        events = poll(&ready, 1, READY_TIMEOUT_MS);
    } while (events < 0 && errno == EINTR);
    if (events == 0) {
        return ch_fail(why, CH_ERR_TIMED_OUT, 0, "%s was not ready in 10 s", program);
    }
    char byte;
    if (events < 0 || read(fd, &byte, 1) != 1) {
        return ch_fail(why, CH_ERR_STOPPED, 0, "%s ended before it was ready", program);
    }
    return CH_OK;
}

enum ch_err ch_child_start(const char *program, char *const argv[], const char *log,
                           bool waits_ready, struct ch_child *ret, struct ch_why *why)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "pipe2: %s", strerror(errno));
    }
    pid_t parent = getpid();
    struct ch_child child = {.pid = fork()};
    if (child.pid == 0) become(program, argv, log, parent, ready[1]);
    (void)close(ready[1]);
    enum ch_err err = CH_OK;
    if (child.pid < 0) {
        err = ch_fail(why, CH_ERR_FILE_IO, errno, "fork: %s", strerror(errno));
        goto out;
    }
    if (waits_ready) err = wait_ready(ready[0], argv[0], why);
    if (err != CH_OK) {
        ch_child_kill(&child);
        goto out;
    }
    *ret = child;
out:
    (void)close(ready[0]);
    return err;
}

bool ch_child_stop(struct ch_child *child)
{
    if (child == NULL || child->pid <= 0) return false;
    (void)kill(child->pid, SIGTERM);
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int waited_ms = 0; waited_ms < STOP_TIMEOUT_MS; waited_ms++) {
        int status = 0;
        pid_t ended = waitpid(child->pid, &status, WNOHANG);
        if (ended == child->pid || (ended < 0 && errno == ECHILD)) {
            child->pid = 0;
            return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
        (void)nanosleep(&pause, NULL);
    }
    ch_child_kill(child);
    return false;
}

bool ch_child_wait(struct ch_child *child)
{
    if (child == NULL || child->pid <= 0) return false;
    int status = 0;
    pid_t ended;
    do {
        ended = waitpid(child->pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    child->pid = 0;
    return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool ch_child_runs(struct ch_child *child)
{
    if (child == NULL || child->pid <= 0) return false;
    if (waitpid(child->pid, NULL, WNOHANG) == 0) return true;
    child->pid = 0;
    return false;
}

void ch_child_kill(struct ch_child *child)
{
    if (child == NULL || child->pid <= 0) return;
    (void)kill(child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    child->pid = 0;
}

void ch_child_ready(void)
{
    const char byte = '1';
    if (write(CH_CHILD_READY_FD, &byte, 1) != 1) return; /* the parent is gone, and we with it */
    (void)close(CH_CHILD_READY_FD);
}
