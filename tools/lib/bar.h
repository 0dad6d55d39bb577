/* bar: a progress bar on the terminal, with rate and time left. SPDX-License-Identifier: MIT
 * On standard error; nothing where that is no terminal. */
#ifndef CH_LIB_BAR_H
#define CH_LIB_BAR_H
#include <stdbool.h>
#include <stdint.h>

struct bar {
    bool shown; /* there is something on the line */
    bool wanted;
    uint64_t began_ns;
};

void bar_begin(struct bar *bar, bool quiet);
/* of records; total 0: not known yet */
void bar_show(struct bar *bar, uint64_t done, uint64_t total);
void bar_end(struct bar *bar);

enum { GROUPED_BYTES = 32 };
/* 1234567 as 1,234,567; returns out. */
const char *grouped(uint64_t number, char out[GROUPED_BYTES]);
#endif
