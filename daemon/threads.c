/* threads: see threads.h. SPDX-License-Identifier: MIT */
#include "daemon/threads.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/log/committer.h"
#include "daemon/log/evlog.h"
#include "daemon/log/password.h"
#include "daemon/replay/shadow.h"

enum { FOLLOW_EVENTS = 1024 };

/* Called on other threads: only rings the loop's descriptor. */
static void wake(void *arg)
{
    const int *fd = arg;
    const uint64_t one = 1;
    ssize_t written = write(*fd, &one, sizeof one);
    (void)written; /* a counter that is full wakes as well */
}

bool ch_threads_rang(int fd)
{
    uint64_t counter;
    return read(fd, &counter, sizeof counter) >= 0;
}

/* A line of the worker's; on its thread. */
static void tell(void *arg, const char *text)
{
    (void)arg;
    (void)fprintf(stderr, "charterd: %s\n", text);
}

static enum ch_err start_shadow(struct ch_pipeline *line, struct ch_why *why)
{
    const struct ch_config *config = line->config;
    const uint64_t often = config->snapshot_events;
    const uint64_t mended = ch_evlog_mended(line->log);
    char fault[256];
    (void)snprintf(fault, sizeof fault,
                   "%llu of the log's tiles were missing or false when it was opened; its records "
                   "have the root that the head file says, and the tiles were made again from them",
                   (unsigned long long)mended);
    const struct ch_shadow_options options = {.dir = config->data,
                                              .log = line->log,
                                              .directory = line->directory,
                                              .snapshot_events = config->snapshot_events,
                                              .snapshot_bytes = config->snapshot_mib << 20,
                                              .scrub_rate = config->scrub_rate,
                                              .scrub_again_ns =
                                                  config->scrub_hours * 3600u * 1000000000u,
                                              .fault = mended > 0 ? fault : NULL,
                                              .tell = tell,
                                              .on_done = wake,
                                              .arg = &line->shadow_fd};
    line->follow_events = often > 0 && often < FOLLOW_EVENTS ? often : FOLLOW_EVENTS;
    return ch_shadow_start(&options, &line->shadow, why);
}

enum ch_err ch_threads_start(struct ch_pipeline *line, struct ch_why *why)
{
    line->commit_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    line->shadow_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    line->password_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (line->commit_fd < 0 || line->shadow_fd < 0 || line->password_fd < 0) {
        return ch_fail(why, CH_ERR_FILE_IO, 0, "eventfd failed");
    }
    enum ch_err err = ch_committer_start(line->log, line->directory->vault, wake, &line->commit_fd,
                                         &line->committer, why);
    if (err == CH_OK) err = start_shadow(line, why);
    if (err == CH_OK) err = ch_passwords_start(line, wake, &line->password_fd, why);
    return err;
}

void ch_threads_destroy(struct ch_pipeline *line)
{
    ch_shadow_destroy(line->shadow);
    ch_password_pool_destroy(line->password_pool);
    ch_committer_stop(line->committer);
    if (line->commit_fd > 0) (void)close(line->commit_fd);
    if (line->shadow_fd > 0) (void)close(line->shadow_fd);
    if (line->password_fd > 0) (void)close(line->password_fd);
}
