/* load: a state from its dump. SPDX-License-Identifier: MIT
 * The reverse of dump.h: tables byte for byte, free lists too, so that what is applied afterwards
 * gives the bytes that it would have given; the indexes, which are no part of the dump, are made
 * anew. The tables outside the dump stay empty: whoever has the keys fills the directory.
 * No bytes break it: sizes, free lists, and whatever making the indexes follows are checked. That
 * rows agree with each other otherwise is not: the caller compares the state's hash. */
#ifndef CH_CORE_LOAD_H
#define CH_CORE_LOAD_H
#include "daemon/core/state.h"

enum { CH_LOAD_HEAD_BYTES = 64 }; /* of a table, at most */

struct ch_load {
    struct ch_state *state; /* borrowed */
    uint64_t left;          /* bytes of the dump that are still to come */
    bool begun;             /* the version was there */
    bool in_table;          /* the table's head was there */
    uint32_t table;         /* CH_TABLES: all are there */
    uint64_t rows_at;       /* bytes of its rows that are there */
    uint32_t head_len;
    uint8_t head[CH_LOAD_HEAD_BYTES];
    const char *wrong; /* what is wrong with the bytes, a static text; NULL: nothing yet */
    bool no_memory;
};

/* state: fresh from ch_state_init, journal off. When anything fails, it is good for
 *        ch_state_deinit only
 * len:   bytes of the dump */
void ch_load_begin(struct ch_load *load, struct ch_state *state, uint64_t len);

/* The next bytes, in any pieces. False: load->wrong or load->no_memory. */
CH_MUST_USE bool ch_load_more(struct ch_load *load, const void *ptr, size_t len);

/* All bytes were given: the tables are whole, and may be read. False as above. */
CH_MUST_USE bool ch_load_end(struct ch_load *load);

/* Then: makes the indexes. Tables are read only, so that another thread may read them meanwhile.
 * False as above. */
CH_MUST_USE bool ch_load_index(struct ch_load *load);

/* The name of the table that was being looked at, for messages. */
const char *ch_load_table(const struct ch_load *load);
#endif
