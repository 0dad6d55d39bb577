/* bar: see bar.h. SPDX-License-Identifier: MIT */
#include "tools/lib/bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/lib/now.h"

enum { BAR_CELLS = 24 };

const char *grouped(uint64_t number, char out[GROUPED_BYTES])
{
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

void bar_begin(struct bar *bar, bool quiet)
{
    *bar = (struct bar){.wanted = !quiet && isatty(STDERR_FILENO) != 0, .began_ns = now_ns()};
}

void bar_show(struct bar *bar, uint64_t done, uint64_t total)
{
    char cells[BAR_CELLS + 1];
    char shown[2][GROUPED_BYTES];
    if (!bar->wanted || total == 0) return;
    const double seconds = (double)(now_ns() - bar->began_ns) / 1e9;
    const double rate = seconds > 0 ? (double)done / seconds : 0;
    const size_t full = (size_t)(done * BAR_CELLS / total);
    memset(cells, '.', BAR_CELLS);
    memset(cells, '#', full < BAR_CELLS ? full : BAR_CELLS);
    cells[BAR_CELLS] = '\0';
    (void)fprintf(stderr, "\r\033[K[%s] %3" PRIu64 " %%  %s of %s records, %s/s", cells,
                  done * 100 / total, grouped(done, shown[0]), grouped(total, shown[1]),
                  grouped((uint64_t)rate, (char[GROUPED_BYTES]){0}));
    if (rate > 0) (void)fprintf(stderr, ", %.0f s left", (double)(total - done) / rate);
    (void)fflush(stderr);
    bar->shown = true;
}

void bar_end(struct bar *bar)
{
    if (bar->shown) (void)fprintf(stderr, "\r\033[K");
    bar->shown = false;
}
