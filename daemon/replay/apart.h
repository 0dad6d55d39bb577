/* apart: work in a process of its own. SPDX-License-Identifier: MIT
 * A damaged LMDB file can crash liblmdb, and a forged record can break an assertion of apply: then
 * the process that reads dies, and the one that asked for it tells so and cleans up.
 * Threads: one at a time; the process must have no other. */
#ifndef CH_REPLAY_APART_H
#define CH_REPLAY_APART_H
#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory that both processes see; free with ch_apart_free. NULL: none. */
void *ch_apart_memory(size_t bytes);
void ch_apart_free(void *memory, size_t bytes); /* NULL is a no-op */

struct ch_apart {
    void (*work)(void *arg); /* in the new process; what it finds goes into shared memory */
    /* in this one, every 100 ms until the end; false: the work is ended, however far it is.
     * NULL: not wanted */
    bool (*look)(void *arg);
    void *arg;
    bool tells; /* it may write to standard error; else what it says there is lost */
};

/* Runs the work and waits for its end. The new process ends with this one, takes no SIGINT (look
 * tells it to stop), and may be ended by SIGTERM.
 * returns: 0, the number of the signal that it died of, or -1 (errno): it could not be started */
int ch_apart_run(const struct ch_apart *apart);
#endif
