/* progress: see progress.h. SPDX-License-Identifier: MIT */
#include "tools/charter/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "tools/lib/now.h"

void progress_begin(struct progress *progress, bool wanted, uint64_t first)
{
    const bool terminal = isatty(STDERR_FILENO) == 1;
    *progress = (struct progress){.shown = wanted || terminal,
                                  .terminal = terminal,
                                  .began_ns = now_ns(),
                                  .first = first,
                                  .noun = "lines"};
    progress->told_ns = progress->began_ns;
}

double progress_seconds(const struct progress *progress)
{
    return (double)(now_ns() - progress->began_ns) / 1e9;
}

void progress_tell(struct progress *progress, uint64_t lines, int permille)
{
    if (!progress->shown) return;
    const uint64_t pause_ns = progress->terminal ? 200000000u : 1000000000u;
    const uint64_t now = now_ns();
    if (now - progress->told_ns < pause_ns) return;
    progress->told_ns = now;
    const double seconds = progress_seconds(progress);
    const double rate = seconds > 0 ? (double)(lines - progress->first) / seconds : 0;
    (void)fprintf(stderr, "%s%llu %s, %.0f %s/s", progress->terminal ? "\r\033[K" : "",
                  (unsigned long long)lines, progress->noun, rate, progress->noun);
    if (permille > 0 && permille <= 1000) {
        const double total = (double)lines * 1000 / permille;
        const double left = rate > 0 ? (total - (double)lines) / rate : 0;
        (void)fprintf(stderr, ", %d %%, about %.0f s left", permille / 10, left);
    }
    if (!progress->terminal) (void)fputc('\n', stderr);
    (void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown && progress->terminal) (void)fprintf(stderr, "\r\033[K");
}
