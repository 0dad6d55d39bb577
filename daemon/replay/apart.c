/* apart: see apart.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 100 };

void *ch_apart_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    return memory;
}

void ch_apart_free(void *memory, size_t bytes)
{
    if (memory != NULL) (void)munmap(memory, bytes);
}

/* ended: of a pipe, the end that is open as long as the process lives. */
static pid_t start(const struct ch_apart *apart, const int ended[2])
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child != 0) return child;
    (void)close(ended[0]);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    const int nowhere = apart->tells ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
    if (getppid() != parent) _exit(EXIT_FAILURE);
    apart->work(apart->arg);
    _exit(EXIT_SUCCESS);
}

/* Looks from time to time, until the process has ended. Returns as waitpid. */
static pid_t wait_end(const struct ch_apart *apart, pid_t child, int ended, int *ret_status)
{
    pid_t got;
    while ((got = waitpid(child, ret_status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        struct pollfd end = {.fd = ended, .events = POLLIN};
        if (apart->look != NULL && !apart->look(apart->arg)) (void)kill(child, SIGTERM);
        if (poll(&end, 1, LOOK_MS) <= 0) continue;
        /* It has let go of all it had, and is a moment from its end. */
        do {
            got = waitpid(child, ret_status, 0);
        } while (got < 0 && errno == EINTR);
        break;
    }
    return got;
}

int ch_apart_run(const struct ch_apart *apart)
{
    int ended[2];
    int status = 0;
    pid_t got = -1;
    if (pipe2(ended, O_CLOEXEC) != 0) return -1;
    const pid_t child = start(apart, ended);
    (void)close(ended[1]);
    if (child >= 0) got = wait_end(apart, child, ended[0], &status);
    (void)close(ended[0]);
    if (got < 0) return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
