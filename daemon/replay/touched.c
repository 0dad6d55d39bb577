/* touched: see touched.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/touched.h"

#include "schema/base/check.h"

struct touching {
    const struct ch_state *before;
    uint64_t *keys;
    size_t count;
};

static void touch(struct touching *touching, enum ch_touch kind, uint64_t id)
{
    CH_CHECK(touching->count < CH_STREAMS_KEYS);
    if (id != 0) touching->keys[touching->count++] = ch_stream_key((uint8_t)kind, id);
}

static void touch_subject(struct touching *touching, uint8_t kind, uint64_t id)
{
    touch(touching, kind == CH_subject_kind_user ? CH_TOUCH_USER : CH_TOUCH_GROUP, id);
}

static void touch_share(struct touching *touching, uint64_t id)
{
    const struct ch_state *state = touching->before;
    const uint32_t row = ch_find_share_id(state, id);
    if (row == 0) return;
    const struct ch_row_share *share = ch_share_row(state, row);
    const bool user = share->subject_kind == CH_subject_kind_user;
    touch(touching, CH_TOUCH_ACCOUNT, ch_account_row(state, share->account)->id);
    touch_subject(touching, share->subject_kind,
                  user ? ch_user_row(state, share->subject)->id
                       : ch_group_row(state, share->subject)->id);
}

static void touch_kind(struct touching *touching, uint8_t kind, uint64_t id)
{
    if (kind == CH_KIND_account) touch(touching, CH_TOUCH_ACCOUNT, id);
    if (kind == CH_KIND_user) touch(touching, CH_TOUCH_USER, id);
    if (kind == CH_KIND_group) touch(touching, CH_TOUCH_GROUP, id);
    if (kind == CH_KIND_share) touch_share(touching, id);
}

size_t ch_touched(const struct ch_state *before, const struct ch_event *event,
                  uint64_t keys[CH_STREAMS_KEYS])
{
    struct touching touching = {.before = before, .keys = keys};
    const struct ch_event_row *row = &ch_events[event->tag];
    touch(&touching, CH_TOUCH_ACCOUNT, event->account);
    if (row->makes != CH_KIND_share) touch_kind(&touching, row->makes, event->seq);
    for (uint16_t i = 0; i < row->record.count; i++) {
        const struct ch_field *field = &row->record.fields[i];
        if (field->list || ch_kinds[field->kind].form != CH_FORM_ID) continue;
        if (!ch_field_present(field, event->body)) continue;
        uint64_t id; /* every id is a struct of one number */
        memcpy(&id, ch_field_at(field, event->body), sizeof id);
        touch_kind(&touching, field->kind, id);
    }
    if (event->tag == CH_EV_share_given) {
        const struct ch_ev_share_given *given = event->body;
        touch_subject(&touching, given->subject_kind, given->subject);
    }
    return touching.count;
}
