/* ahead: touches, before it is needed, the memory that the next events will need; see apply.h.
 * SPDX-License-Identifier: MIT
 * A long log is replayed at the speed of memory: nearly every event names a thing at a random
 * place. So events come in groups, and each step below is done for all of a group before the next:
 * the index cells of what an event names; the rows they lead to; the rows and cells next to those;
 * the rows that these cells lead to. Nothing here decides anything: a wrong guess costs time only.
 */
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

/* Step 0 touches the cell; step 1 the row, which it returns; 0: none. */
static uint32_t touch_thing(const struct ch_state *state, uint8_t kind, uint64_t id, int step)
{
    struct place place;
    if (id == 0 || !place_of(kind, &place)) return 0;
    const uint64_t hash = ch_hash_mix(id, 0);
    if (step == 0) {
        touch_cell(state, place.index, hash);
        return 0;
    }
    const uint32_t row = expected(state, place.index, hash);
    touch_row(state, place.table, row);
    return row;
}

static uint32_t touch_text(const struct ch_state *state, struct ch_text text, int step)
{
    const uint64_t hash = ch_hash_bytes(text.ptr, text.len);
    if (step == 0) {
        touch_cell(state, CH_I_TEXT, hash);
        return 0;
    }
    const uint32_t row = expected(state, CH_I_TEXT, hash);
    touch_row(state, CH_T_TEXT, row);
    return row;
}

static bool by_person(const struct ch_event *event)
{
    return event->actor.kind == CH_actor_kind_user && event->account != 0;
}

/* Steps 0 and 1: all that the event names by id or by text. */
static void touch_named(const struct ch_state *state, const struct ch_event *event,
                        struct ch_ahead_rows *a, int step)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    a->account = touch_thing(state, CH_KIND_account, event->account, step);
    if (by_person(event)) a->actor = touch_thing(state, CH_KIND_user, event->actor.id, step);
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->list || field->personal) continue;
        const void *at = ch_field_at(field, event->body);
        if (ch_kinds[field->kind].form == CH_FORM_ID) {
            uint64_t id; /* every id is a struct of one number */
            memcpy(&id, at, sizeof id);
            const uint32_t row = touch_thing(state, field->kind, id, step);
            if (field->kind == CH_KIND_share) a->share = row;
            if (field->kind == CH_KIND_user) a->subject = row;
        } else if (field->kind == CH_KIND_resource_id) {
            a->text = touch_text(state, *(const struct ch_text *)at, step);
        }
    }
    if (event->tag == CH_EV_share_given) {
        const struct ch_ev_share_given *given = event->body;
        const bool user = given->subject_kind == CH_subject_kind_user;
        a->subject = touch_thing(state, user ? CH_KIND_user : CH_KIND_group, given->subject, step);
    }
}

/* The lists that a new share will be linked into, and its cells. */
static void touch_given(const struct ch_state *state, const struct ch_ev_share_given *given,
                        const struct ch_ahead_rows *a)
{
    if (a->account == 0 || a->subject == 0) return;
    touch_row(state, CH_T_SHARE, ch_account_row(state, a->account)->first_share);
    touch_row(state, CH_T_SHARE, ch_first_of_subject(state, given->subject_kind, a->subject));
    touch_cell(state, CH_I_SHARE, ch_hash_share(given->subject_kind, a->subject, a->account));
    if (given->subject_kind != CH_subject_kind_user) return;
    touch_cell(state, CH_I_SEAT, ch_hash_seat(a->subject, a->account));
}

/* The lists that a share will leave. */
static void touch_left(const struct ch_state *state, const struct ch_row_share *share)
{
    touch_row(state, CH_T_SEAT, share->seat);
    touch_row(state, CH_T_SHARE, share->next_of_subject);
    touch_row(state, CH_T_SHARE, share->prev_of_subject);
    touch_row(state, CH_T_SHARE, share->next_of_account);
    touch_row(state, CH_T_SHARE, share->prev_of_account);
    if (share->subject_kind == CH_subject_kind_user) touch_row(state, CH_T_USER, share->subject);
    touch_cell(state, CH_I_SHARE,
               ch_hash_share(share->subject_kind, share->subject, share->account));
}

/* The cell of a person's share of the account. Step 3: the share. */
static void touch_share_of(const struct ch_state *state, uint32_t user,
                           const struct ch_ahead_rows *a, int step)
{
    if (user == 0 || a->account == 0) return;
    const uint64_t hash = ch_hash_share(CH_subject_kind_user, user, a->account);
    if (step == 2) {
        touch_cell(state, CH_I_SHARE, hash);
    } else {
        touch_row(state, CH_T_SHARE, expected(state, CH_I_SHARE, hash));
    }
}

/* The cell of the share's grant on a resource. Step 3: the grant. */
static void touch_grant(const struct ch_state *state, const struct ch_ahead_rows *a, uint8_t kind,
                        int step)
{
    if (a->share == 0 || a->text == 0) return;
    const uint64_t hash = ch_hash_resource(a->share, kind, a->text);
    if (step == 2) {
        touch_cell(state, CH_I_GRANT, hash);
    } else {
        touch_row(state, CH_T_GRANT, expected(state, CH_I_GRANT, hash));
    }
}

/* The first grant of a share, and, in step 3, its cell: it moves into the row of one that is
 * revoked. */
static void touch_first_grant(const struct ch_state *state, const struct ch_ahead_rows *a, int step)
{
    const struct ch_table *t = &state->store.tables[CH_T_GRANT];
    const uint32_t row = a->share == 0 ? 0 : ch_share_row(state, a->share)->first_grant;
    if (step == 2) {
        touch_row(state, CH_T_GRANT, row);
    } else if (row != 0 && row <= t->used) {
        const struct ch_row_grant *grant = ch_grant_row(state, row);
        touch_cell(state, CH_I_GRANT,
                   ch_hash_resource(grant->share, (uint8_t)grant->kind, grant->resource));
    }
}

/* Steps 2 and 3: what hangs on the rows of step 1. */
static void touch_next(const struct ch_state *state, const struct ch_event *event,
                       const struct ch_ahead_rows *a, int step)
{
    touch_share_of(state, a->actor, a, step); /* by which the command was sent; see use.h */
    if (event->tag == CH_EV_group_member_added || event->tag == CH_EV_group_member_removed) {
        touch_share_of(state, a->subject, a, step);
    }
    if (event->tag == CH_EV_grant_set) {
        touch_grant(state, a, ((const struct ch_ev_grant_set *)event->body)->kind, step);
    } else if (event->tag == CH_EV_grant_revoked) {
        touch_grant(state, a, ((const struct ch_ev_grant_revoked *)event->body)->kind, step);
        touch_first_grant(state, a, step);
    }
    if (step == 3) return;
    if (event->tag == CH_EV_share_given) touch_given(state, event->body, a);
    if (a->share == 0 || event->tag == CH_EV_grant_set || event->tag == CH_EV_grant_revoked) return;
    const struct ch_row_share *share = ch_share_row(state, a->share);
    const bool ends = event->tag == CH_EV_share_ended || event->tag == CH_EV_share_expired;
    if (ends) touch_row(state, CH_T_GRANT, share->first_grant);
    touch_row(state, CH_T_TERMS, share->terms);
    if (ends) touch_left(state, share);
    if (event->tag == CH_EV_share_deactivated || event->tag == CH_EV_share_activated) {
        touch_row(state, CH_T_SEAT, share->seat);
    }
}

void ch_apply_ahead(const struct ch_state *state, const struct ch_event *event,
                    struct ch_ahead_rows *a, int step)
{
    struct place place;
    const uint8_t makes = ch_events[event->tag].makes;
    if (step == 0) *a = (struct ch_ahead_rows){0};
    if (step == 0 && makes < CH_KINDS && place_of(makes, &place)) { /* its own id, in an index */
        touch_cell(state, place.index, ch_hash_mix(event->seq, 0));
    }
    if (step < 2) {
        touch_named(state, event, a, step);
    } else {
        touch_next(state, event, a, step);
    }
}
