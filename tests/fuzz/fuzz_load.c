/* fuzz_load: any bytes as the dump of a state. SPDX-License-Identifier: MIT
 * What is loaded gives the same dump, byte for byte. */
#include "daemon/core/dump.h"
#include "daemon/core/load.h"
#include "tests/fuzz/_fuzz.h"
#include "tests/unit/core_world.h"

const unsigned ch_fuzz_weight = 8;

static void collect(void *arg, const void *ptr, size_t len)
{
    ch_buf_put(arg, ptr, len);
}

/* An empty state, a small one, and one with things that come and go. */
bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    struct world w = {0};
    if (at > 2) return false;
    if (at == 0) {
        CH_CHECK(ch_state_init(&w.state));
    } else {
        start_world(&w);
    }
    if (at == 2) {
        const uint64_t team = add_group(&w, w.top, 0, "team");
        GIVE(&w, w.top, USER(w.ann), ROLE("user"));
        GIVE(&w, w.mid, USER(w.bob), ROLE("developer"), SUBTREE);
        join(&w, w.top, w.ann, team);
        GIVE(&w, w.mid, GROUP(team), ROLE("watcher"));
        (void)RUN(&w, OPERATOR, share_end, w.mid, USER(w.bob));
        pass_time(&w, UINT64_C(86400000000000));
    }
    ch_dump(&w.state, collect, out);
    ch_state_deinit(&w.state);
    ch_arena_deinit(&w.arena);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ch_state state;
    struct ch_load load;
    struct ch_buf again = {0};
    const size_t half = size / 2;
    CH_CHECK(ch_state_init(&state));
    ch_load_begin(&load, &state, size);
    const bool good = ch_load_more(&load, data, half) &&
                      ch_load_more(&load, data + half, size - half) && ch_load_end(&load) &&
                      ch_load_index(&load);
    if (good) {
        ch_dump(&state, collect, &again);
        CH_CHECK(!again.failed && again.len == size && memcmp(again.ptr, data, size) == 0);
    } else {
        CH_CHECK(load.wrong != NULL || load.no_memory);
    }
    ch_buf_deinit(&again);
    ch_state_deinit(&state);
    return 0;
}
