/* batch: see batch.h. SPDX-License-Identifier: MIT */
#include "daemon/batch.h"

#include "schema/event.h"

void ch_batch_deinit(struct ch_open_batch *batch)
{
    ch_buf_deinit(&batch->records);
    ch_buf_deinit(&batch->ends);
    ch_buf_deinit(&batch->rings);
    ch_buf_deinit(&batch->views);
    ch_buf_deinit(&batch->replies);
    ch_buf_deinit(&batch->held);
    ch_buf_deinit(&batch->erased);
}

void ch_batch_reset(struct ch_open_batch *batch, struct ch_mark mark, uint64_t first_seq)
{
    batch->mark = mark;
    batch->first_seq = first_seq;
    batch->last_at = 0;
    batch->count = 0;
    batch->sync_vault = false;
    ch_buf_reset(&batch->records);
    ch_buf_reset(&batch->ends);
    ch_buf_reset(&batch->rings);
    ch_buf_reset(&batch->views);
    ch_buf_reset(&batch->replies);
    ch_buf_reset(&batch->held);
    ch_buf_reset(&batch->erased);
}

struct ch_batch_place ch_batch_place(const struct ch_open_batch *batch)
{
    return (struct ch_batch_place){.records = batch->records.len,
                                   .ends = batch->ends.len,
                                   .rings = batch->rings.len,
                                   .erased = batch->erased.len,
                                   .count = batch->count};
}

void ch_batch_back_to(struct ch_open_batch *batch, struct ch_batch_place place)
{
    batch->records.len = place.records;
    batch->records.failed = false;
    batch->ends.len = place.ends;
    batch->ends.failed = false;
    batch->rings.len = place.rings;
    batch->rings.failed = false;
    batch->erased.len = place.erased;
    batch->erased.failed = false;
    batch->views.failed = false;
    batch->count = place.count;
}

void ch_batch_put(struct ch_open_batch *batch, const struct ch_event *event)
{
    ch_event_encode(&batch->records, event);
    ch_buf_put(&batch->ends, &batch->records.len, sizeof batch->records.len);
    (void)ch_buf_reserve(&batch->views, (batch->count + 1) * sizeof(struct ch_bytes));
}

const struct ch_bytes *ch_batch_views(struct ch_open_batch *batch)
{
    ch_buf_reset(&batch->views);
    size_t start = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        size_t end;
        memcpy(&end, batch->ends.ptr + i * sizeof end, sizeof end);
        const struct ch_bytes view = {batch->records.ptr + start, end - start};
        ch_buf_put(&batch->views, &view, sizeof view);
        start = end;
    }
    CH_CHECK(!batch->views.failed);
    return (const struct ch_bytes *)(const void *)batch->views.ptr;
}
