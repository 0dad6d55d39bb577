/* ahead: touches, before it is needed, the memory that the next events will need; see apply.h.
 * SPDX-License-Identifier: MIT
 * A long log is replayed at the speed of memory: nearly every event names a thing at a random
 * place. So events come in groups, and each step below is done for all of a group before the next:
 * the index cells of what an event names, then the rows they lead to, then what hangs on those.
 * Nothing here decides anything: a wrong guess costs time only. */
#include "daemon/core/apply.h"

#include "daemon/core/index.h"
#include "schema/codec.h"

static void touch_cell(const struct ch_state *state, uint32_t index, uint64_t hash)
{
    const struct ch_probe probe = ch_probe_start(&state->store, index, hash);
    if (probe.cells != NULL) __builtin_prefetch(&probe.cells->cell[probe.place]);
}

/* The row that an index most likely leads to; 0: none. Its key is not compared. */
static uint32_t expected(const struct ch_state *state, uint32_t index, uint64_t hash)
{
    struct ch_probe probe = ch_probe_start(&state->store, index, hash);
    return ch_probe_next(&probe);
}

static void touch_row(const struct ch_state *state, uint32_t table, uint32_t row)
{
    enum { LINE = 64 };
    const struct ch_table *t = &state->store.tables[table];
    if (row == 0 || row > t->used) return;
    const uint8_t *ptr = ch_table_ptr(t, row);
    for (uint32_t at = 0; at < t->def.row_bytes; at += LINE) {
        __builtin_prefetch(ptr + at);
    }
    __builtin_prefetch(ptr + t->def.row_bytes - 1);
}

struct place {
    uint32_t index;
    uint32_t table;
};

/* Where things of a kind are found by id; false: not at random places. */
static bool place_of(uint8_t kind, struct place *ret)
{
    switch (kind) {
    case CH_KIND_share: *ret = (struct place){CH_I_SHARE_ID, CH_T_SHARE}; return true;
    case CH_KIND_user: *ret = (struct place){CH_I_USER_ID, CH_T_USER}; return true;
    case CH_KIND_group: *ret = (struct place){CH_I_GROUP_ID, CH_T_GROUP}; return true;
    case CH_KIND_account: *ret = (struct place){CH_I_ACCOUNT_ID, CH_T_ACCOUNT}; return true;
    default: return false;
    }
}

static void touch_thing(const struct ch_state *state, uint8_t kind, uint64_t id, int step)
{
    struct place place;
    if (id == 0 || !place_of(kind, &place)) return;
    const uint64_t hash = ch_hash_mix(id, 0);
    if (step == 0) {
        touch_cell(state, place.index, hash);
        return;
    }
    const uint32_t row = expected(state, place.index, hash);
    if (step == 1) {
        touch_row(state, place.table, row);
        return;
    }
    if (kind != CH_KIND_share || row == 0) return;
    const struct ch_row_share *share = ch_share_row(state, row);
    touch_row(state, CH_T_GRANT, share->first_grant);
}

static void touch_text(const struct ch_state *state, struct ch_text text, int step)
{
    const uint64_t hash = ch_hash_bytes(text.ptr, text.len);
    if (step == 0) touch_cell(state, CH_I_TEXT, hash);
    if (step == 1) touch_row(state, CH_T_TEXT, expected(state, CH_I_TEXT, hash));
}

/* The share's list of the account, or of the subject, that a new share will be linked into. */
static void touch_given(const struct ch_state *state, const struct ch_ev_share_given *given,
                        uint64_t account, int step)
{
    const bool user = given->subject_kind == CH_subject_kind_user;
    touch_thing(state, user ? CH_KIND_user : CH_KIND_group, given->subject, step);
    if (step != 2) return;
    const uint32_t owner = expected(state, CH_I_ACCOUNT_ID, ch_hash_mix(account, 0));
    const uint32_t subject =
        expected(state, user ? CH_I_USER_ID : CH_I_GROUP_ID, ch_hash_mix(given->subject, 0));
    if (owner == 0 || subject == 0) return;
    touch_row(state, CH_T_SHARE, ch_account_row(state, owner)->first_share);
    touch_row(state, CH_T_SHARE, ch_first_of_subject(state, given->subject_kind, subject));
    touch_cell(state, CH_I_SHARE, ch_hash_share(given->subject_kind, subject, owner));
}

/* The cell of a share's grant on a resource. */
static void touch_grant(const struct ch_state *state, uint64_t share_id, uint8_t kind,
                        struct ch_text resource)
{
    const uint32_t share = expected(state, CH_I_SHARE_ID, ch_hash_mix(share_id, 0));
    const uint32_t text = expected(state, CH_I_TEXT, ch_hash_bytes(resource.ptr, resource.len));
    if (share != 0 && text != 0) touch_cell(state, CH_I_GRANT, ch_hash_resource(share, kind, text));
}

/* The share by which somebody sends a command for the account; see use.h. */
static void touch_use(const struct ch_state *state, const struct ch_event *event, int step)
{
    const uint64_t user = ch_hash_mix(event->actor.id, 0);
    if (event->actor.kind != CH_actor_kind_user || event->account == 0) return;
    if (step == 0) touch_cell(state, CH_I_USER_ID, user);
    if (step != 2) return;
    const uint32_t row = expected(state, CH_I_USER_ID, user);
    const uint32_t account = expected(state, CH_I_ACCOUNT_ID, ch_hash_mix(event->account, 0));
    if (row == 0 || account == 0) return;
    touch_cell(state, CH_I_SHARE, ch_hash_share(CH_subject_kind_user, row, account));
}

void ch_apply_ahead(const struct ch_state *state, const struct ch_event *event, int step)
{
    const struct ch_event_row *row = &ch_events[event->tag];
    if (step == 0 && row->makes < CH_KINDS) { /* its own id goes into an index */
        struct place place;
        if (place_of(row->makes, &place)) {
            touch_cell(state, place.index, ch_hash_mix(event->seq, 0));
        }
    }
    touch_thing(state, CH_KIND_account, event->account, step);
    touch_use(state, event, step);
    for (uint16_t i = 0; i < row->record.count; i++) {
        const struct ch_field *field = &row->record.fields[i];
        if (field->list || field->personal) continue;
        const void *at = ch_field_at(field, event->body);
        if (ch_kinds[field->kind].form == CH_FORM_ID) {
            uint64_t id; /* every id is a struct of one number */
            memcpy(&id, at, sizeof id);
            touch_thing(state, field->kind, id, step);
        } else if (field->kind == CH_KIND_resource_id) {
            touch_text(state, *(const struct ch_text *)at, step);
        }
    }
    if (event->tag == CH_EV_share_given) touch_given(state, event->body, event->account, step);
    if (event->tag == CH_EV_grant_set && step == 2) {
        const struct ch_ev_grant_set *set = event->body;
        touch_grant(state, set->share.seq, set->kind, set->resource);
    }
    if (event->tag == CH_EV_grant_revoked && step == 2) {
        const struct ch_ev_grant_revoked *revoked = event->body;
        touch_grant(state, revoked->share.seq, revoked->kind, revoked->resource);
    }
}
