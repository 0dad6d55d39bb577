/* apply: see apply.h. What every event does, then its own effect. SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"

#include "daemon/core/apply_impl.h"
#include "daemon/core/use.h"

/* The message that an event belongs to is remembered, so that a repeat finds its answer. The events
 * of a message follow each other, so a first seq and a count name them all. */
static void remember_message(struct ch_state *state, const struct ch_event *event)
{
    struct ch_store *store = &state->store;
    const struct ch_row_meta *meta = ch_meta(state);
    if (event->cause.kind == CH_CAUSE_NONE || meta->ids_kept == 0) return;
    const uint64_t place = meta->ids_count == 0 ? 0 : (meta->ids_count - 1) % meta->ids_kept + 1;
    if (event->cause.kind == CH_CAUSE_EVENT) {
        if (place == 0) return;
        struct ch_row_seen *seen = ch_row_edit(store, CH_T_SEEN, (uint32_t)place);
        seen->count++;
        return;
    }
    uint32_t known = ch_find_seen(state, event->actor.kind, event->actor.id, event->cause.id);
    if (known != 0 && known == place) {
        struct ch_row_seen *seen = ch_row_edit(store, CH_T_SEEN, known);
        seen->count++;
        return;
    }
    uint32_t row = (uint32_t)(meta->ids_count % meta->ids_kept) + 1;
    if (meta->ids_count >= meta->ids_kept) { /* the ring is full: its oldest is forgotten */
        const struct ch_row_seen *old = ch_seen_row(state, row);
        ch_index_remove(store, CH_I_SEEN,
                        ch_hash_seen((uint8_t)old->actor_kind, old->actor_id, old->id), row);
    } else {
        uint32_t taken = ch_row_take(store, CH_T_SEEN);
        CH_CHECK(taken == row);
    }
    struct ch_row_seen *seen = ch_row_edit(store, CH_T_SEEN, row);
    *seen = (struct ch_row_seen){.live = seen->live,
                                 .actor_kind = event->actor.kind,
                                 .actor_id = event->actor.id,
                                 .first_seq = event->seq,
                                 .count = 1};
    memcpy(seen->id, event->cause.id, sizeof seen->id);
    memcpy(seen->fingerprint, event->cause.fingerprint, sizeof seen->fingerprint);
    ch_index_insert(store, CH_I_SEEN, ch_hash_seen(event->actor.kind, event->actor.id, seen->id),
                    row);
    struct ch_row_meta *now = ch_row_edit(store, CH_T_META, 1);
    now->ids_count++;
}

static void move_head(struct ch_state *state, const struct ch_event *event)
{
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    CH_CHECK(event->seq == meta->head + 1);
    CH_CHECK(event->at >= meta->last_at);
    meta->head = event->seq;
    meta->last_at = event->at;
    const bool imported = meta->importing != 0 || event->tag == CH_EV_import_begun;
    if (!imported && event->at != 0) meta->own_at = event->at;
    if (event->account == 0) return;
    uint32_t account = ch_find_account(state, event->account);
    if (account == 0) return; /* it is just being opened */
    struct ch_row_account *row = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    row->last_seq = event->seq;
    if (!ch_events[event->tag].traffic) row->set_seq = event->seq;
}

/* The effect of each event: ch_apply_<name>, in the apply_ file of its noun. */
static ch_effect_fn *const effects[CH_EVENT_TAGS] = {
#define EVENT_BEGIN(name, tag, makes, text) [tag] = ch_apply_##name,
#define EVENT_END(name)
#include "schema/words_none.h"
#include "schema/events.def"
};

void ch_apply(struct ch_state *state, const struct ch_event *event)
{
    CH_CHECK(event->tag < CH_EVENT_TAGS && effects[event->tag] != NULL);
    move_head(state, event);
    remember_message(state, event);
    effects[event->tag](state, event);
    ch_note_use(state, event);
}

void ch_apply_part_to(struct ch_state *state, uint64_t seq)
{
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    CH_CHECK(seq >= meta->head);
    meta->head = seq;
}

void ch_apply_part_set(struct ch_state *state, uint64_t account, uint64_t seq)
{
    const uint32_t row = ch_find_account(state, account);
    if (row == 0) return;
    struct ch_row_account *set = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
    set->set_seq = seq;
}

void ch_apply_part(struct ch_state *state, const struct ch_event *event)
{
    CH_CHECK(event->tag < CH_EVENT_TAGS && effects[event->tag] != NULL);
    ch_apply_part_to(state, event->seq - 1);
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    if (ch_events[event->tag].makes == CH_KIND_user) { /* the number is the body's first field */
        meta->next_user_number = (uint32_t) * (const uint64_t *)event->body;
    } else if (event->tag == CH_EV_hash_key_made) {
        meta->next_user_number = (uint32_t)((const struct ch_ev_hash_key_made *)event->body)->slot;
    }
    move_head(state, event);
    effects[event->tag](state, event);
}

/* Bytes of a long text or blob. */
static size_t text_bytes(const struct ch_field *field, const struct ch_event *event)
{
    const enum ch_form form = ch_kinds[field->kind].form;
    if (form != CH_FORM_TEXT && form != CH_FORM_NAME && form != CH_FORM_BYTES) return 0;
    const struct ch_bytes *bytes = ch_field_at(field, event->body);
    return bytes->len;
}
_Static_assert(sizeof(struct ch_bytes) == sizeof(struct ch_text) &&
                   offsetof(struct ch_bytes, len) == offsetof(struct ch_text, len),
               "a text's length stands where a blob's does");

void ch_apply_needs(const struct ch_event *event, size_t *items, size_t *bytes)
{
    size_t listed = 0;
    const struct ch_record *record = &ch_events[event->tag].record;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->list) listed += ch_field_items(field, event->body);
        if (!field->list && ch_kinds[field->kind].most > 128) *bytes += text_bytes(field, event);
    }
    *items += listed;
    *bytes += 512 + event->personal.cipher.len * 2 + listed * 64;
}

bool ch_apply_reserve_many(struct ch_state *state, size_t count, size_t items, size_t bytes)
{
    /* Nothing is journaled at replay, so a cascade needs no room: it only frees rows. */
    return ch_state_reserve(state, items + 4 * count, bytes, 0);
}

bool ch_apply_reserve(struct ch_state *state, const struct ch_event *event)
{
    size_t items = 0;
    size_t bytes = 0;
    ch_apply_needs(event, &items, &bytes);
    return ch_apply_reserve_many(state, 1, items, bytes);
}
