/* machine: what else ran on this machine while we measured. SPDX-License-Identifier: MIT
 * Figures of a busy machine are not those of an idle one, so every table says which it was.
 * Reads /proc/stat and takes off the processor time of this process and its children. */
#ifndef CH_BENCH_MACHINE_H
#define CH_BENCH_MACHINE_H
#include <stdint.h>

struct ch_machine {
    uint64_t at_ns;
    double busy_seconds; /* of all processors together, since start of the machine */
    double own_seconds;  /* this process and its children, running and ended */
};

void ch_machine_look(struct ch_machine *ret);

/* Processors that others kept busy between two looks; never negative. 0.1 is an idle machine. */
double ch_machine_foreign_cores(const struct ch_machine *from, const struct ch_machine *to);
#endif
