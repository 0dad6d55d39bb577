/* apart: see apart.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_FIRST_US = 1000, POLL_MOST_US = 100000 };

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

static pid_t start(const struct ch_apart *apart)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child != 0) return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    const int nowhere = apart->tells ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
    if (getppid() != parent) _exit(EXIT_FAILURE);
    apart->work(apart->arg);
    _exit(EXIT_SUCCESS);
}

int ch_apart_run(const struct ch_apart *apart)
{
    long pause_us = POLL_FIRST_US; /* short work is done at once */
    int status = 0;
    pid_t got;
    const pid_t child = start(apart);
    if (child < 0) return -1;
    while ((got = waitpid(child, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (apart->look != NULL && !apart->look(apart->arg)) (void)kill(child, SIGTERM);
        const struct timespec pause = {.tv_nsec = pause_us * 1000};
        (void)nanosleep(&pause, NULL);
        pause_us = pause_us < POLL_MOST_US / 2 ? pause_us * 2 : POLL_MOST_US;
    }
    if (got < 0) return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
