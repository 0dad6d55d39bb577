/* apply_system: declarations, limits, masks, refusals, imports; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

void ch_apply_schema_declared(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_schema_declared *body = event->body;
    uint32_t row = ch_row_take(&state->store, CH_T_DECLARED);
    struct ch_row_declared *fresh = ch_row_edit(&state->store, CH_T_DECLARED, row);
    fresh->category = body->category;
    fresh->number = body->number;
    fresh->seq = event->seq;
    ch_index_insert(&state->store, CH_I_DECLARED, ch_hash_declared(body->category, body->number),
                    row);
    if (body->category != CH_declared_scope || body->parts_len == 0) return;
    CH_CHECK(body->number <= CH_MAX_SCOPE);
    int kind = ch_enum_find(CH_KIND_resource_kind, body->parts[0]);
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    meta->scope_kinds[body->number] = kind > 0 ? (uint8_t)kind : 0;
}

void ch_apply_limit_defined(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_limit_defined *body = event->body;
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    if (ch_text_is(body->token, "IDS_KEPT") && meta->ids_count == 0) meta->ids_kept = body->value;
    if (ch_text_is(body->token, "BOUNCE_PPM")) meta->bounce_ppm = body->value;
    if (ch_text_is(body->token, "COMPLAINT_PPM")) meta->complaint_ppm = body->value;
    if (ch_text_is(body->token, "RATE_VOLUME")) meta->rate_volume = body->value;
    if (ch_text_is(body->token, "RATE_DAYS")) meta->rate_days = body->value;
    if (ch_text_is(body->token, "SERIES_DAYS")) meta->series_days = body->value;
    uint32_t row = ch_find_bound(state, body->token);
    if (row == 0) {
        row = ch_row_take(&state->store, CH_T_BOUND);
        struct ch_row_bound *fresh = ch_row_edit(&state->store, CH_T_BOUND, row);
        fresh->name = ch_text_take(state, body->token);
    }
    struct ch_row_bound *limit = ch_row_edit(&state->store, CH_T_BOUND, row);
    limit->value = body->value;
    limit->seq = event->seq;
}

void ch_apply_mask_defined(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_mask_defined *body = event->body;
    CH_CHECK(body->kind > 0);
    while (state->store.tables[CH_T_MASK].used <
           body->kind) { /* a number left out has a row, too */
        const uint32_t row = ch_row_take(&state->store, CH_T_MASK);
        CH_CHECK(row <= body->kind);
    }
    struct ch_row_mask *mask = ch_row_edit(&state->store, CH_T_MASK, body->kind);
    CH_CHECK(mask->seq == 0);
    mask->scopes = ch_scopes_take(state, body->scopes);
    mask->seq = event->seq;
}

void ch_apply_command_refused(struct ch_state *state, const struct ch_event *event)
{
    static const uint64_t hour_ns = 3600000000000u;
    uint32_t row = ch_find_refused(state, event->actor.kind, event->actor.id);
    if (row == 0) {
        row = ch_row_take(&state->store, CH_T_REFUSED);
        struct ch_row_refused *fresh = ch_row_edit(&state->store, CH_T_REFUSED, row);
        fresh->actor_kind = event->actor.kind;
        fresh->actor_id = event->actor.id;
        fresh->since = event->at;
        ch_index_insert(&state->store, CH_I_REFUSED,
                        ch_hash_actor(event->actor.kind, event->actor.id), row);
    }
    struct ch_row_refused *refused = ch_row_edit(&state->store, CH_T_REFUSED, row);
    if (event->at - refused->since >= hour_ns) {
        refused->since = event->at;
        refused->count = 0;
    }
    refused->count++;
}

static struct ch_row_meta *import_moved(struct ch_state *state, const struct ch_event *event)
{
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    meta->import_seq = event->seq;
    return meta;
}

void ch_apply_import_begun(struct ch_state *state, const struct ch_event *event)
{
    import_moved(state, event)->importing = 1;
}

void ch_apply_import_advanced(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_import_advanced *body = event->body;
    struct ch_row_meta *meta = import_moved(state, event);
    meta->import_line = body->line;
    memcpy(meta->import_digest, body->digest.ptr, sizeof meta->import_digest);
}

void ch_apply_import_ended(struct ch_state *state, const struct ch_event *event)
{
    import_moved(state, event)->importing = 0;
}

/* It changes nothing but what every event does: the log itself is where it is read. */
void ch_apply_activity_recorded(struct ch_state *state, const struct ch_event *event)
{
    (void)state;
    (void)event;
}
