/* check: see check.h. SPDX-License-Identifier: MIT */
#include "schema/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local const struct ch_check_replay *replaying;

void ch_check_replaying(const struct ch_check_replay *replay)
{
    replaying = replay;
}

/* Other threads may be at work: what they have not committed is as if the process was killed. */
static _Noreturn void end_replay(const char *file, int line, const char *condition)
{
    (void)fprintf(
        stderr,
        "charterd: log_corrupt: event %" PRIu64 " of %s cannot be applied (%s:%d: %s does "
        "not hold)\n"
        "charterd: the log is damaged or was changed, there or before: run charter-verify "
        "%s, which names what is false; then restore a backup\n",
        replaying->seq, replaying->dir, file, line, condition, replaying->dir);
    _exit(replaying->exit_status);
}

_Noreturn void ch_check_failed(const char *file, int line, const char *condition)
{
    if (replaying != NULL) end_replay(file, line, condition);
    (void)fprintf(stderr, "charterd: bug at %s:%d: %s does not hold\n", file, line, condition);
    abort();
}
