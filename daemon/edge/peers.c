/* peers: who is connected now. SPDX-License-Identifier: MIT */
#include "daemon/edge/peers.h"
#include "schema/base/check.h"
#include <stdlib.h>

/* nng numbers pipes one after another from a random start, so the low bits spread well; linear
 * probing, and removal shifts back instead of leaving marks. */
static uint32_t next_cell(const struct ch_peers *peers, uint32_t cell)
{
    return (cell + 1) & peers->mask;
}

enum ch_err ch_peers_init(struct ch_peers *peers, uint32_t max, struct ch_why *why)
{
    CH_CHECK(max > 0);
    CH_CHECK(max <= UINT32_MAX / 4);
    uint32_t cells = 2;
    while (cells < 2 * max) {
        cells *= 2;
    }
    struct ch_peer *memory = calloc(cells, sizeof *memory);
    if (memory == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "table of peers");
    *peers = (struct ch_peers){.cells = memory, .mask = cells - 1, .max = max};
    return CH_OK;
}

void ch_peers_deinit(struct ch_peers *peers)
{
    if (peers == NULL) return;
    free(peers->cells);
    *peers = (struct ch_peers){0};
}

/* The peer's cell, or the empty one where it belongs. */
static uint32_t cell_of(const struct ch_peers *peers, uint32_t pipe_id)
{
    uint32_t cell = pipe_id & peers->mask;
    while (peers->cells[cell].pipe_id != 0 && peers->cells[cell].pipe_id != pipe_id) {
        cell = next_cell(peers, cell);
    }
    return cell;
}

bool ch_peers_add(struct ch_peers *peers, struct ch_peer peer)
{
    CH_CHECK(peer.pipe_id != 0);
    if (peers->count == peers->max) return false;
    uint32_t cell = cell_of(peers, peer.pipe_id);
    CH_CHECK(peers->cells[cell].pipe_id == 0);
    peers->cells[cell] = peer;
    peers->count++;
    return true;
}

void ch_peers_remove(struct ch_peers *peers, uint32_t pipe_id)
{
    CH_CHECK(pipe_id != 0);
    uint32_t hole = cell_of(peers, pipe_id);
    if (peers->cells[hole].pipe_id == 0) return;
    for (uint32_t cell = next_cell(peers, hole); peers->cells[cell].pipe_id != 0;
         cell = next_cell(peers, cell)) {
        uint32_t home = peers->cells[cell].pipe_id & peers->mask;
        /* moves back only if the hole lies between its home and where it stands */
        if (((cell - home) & peers->mask) < ((cell - hole) & peers->mask)) continue;
        peers->cells[hole] = peers->cells[cell];
        hole = cell;
    }
    peers->cells[hole] = (struct ch_peer){0};
    peers->count--;
}

const struct ch_peer *ch_peers_find(const struct ch_peers *peers, uint32_t pipe_id)
{
    if (pipe_id == 0) return NULL;
    const struct ch_peer *peer = &peers->cells[cell_of(peers, pipe_id)];
    return peer->pipe_id == 0 ? NULL : peer;
}
