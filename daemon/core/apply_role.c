/* apply_role: roles with their versions, and pages; see apply_impl.h. SPDX-License-Identifier: MIT
 */
#include "daemon/core/apply_impl.h"

static struct ch_row_role *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_ROLE, row);
}

/* Puts a version before those that there were. */
static void add_version(struct ch_state *state, uint32_t role_row, uint64_t version,
                        struct ch_scopes scopes, uint64_t seq)
{
    const uint32_t fresh = ch_row_take(&state->store, CH_T_ROLE_VERSION);
    struct ch_row_role *role = edit(state, role_row);
    struct ch_row_role_version *row = ch_row_edit(&state->store, CH_T_ROLE_VERSION, fresh);
    row->role = role_row;
    row->version = (uint32_t)version;
    row->scopes = ch_scopes_take(state, scopes);
    row->seq = seq;
    row->before = role->last_version;
    role->last_version = fresh;
    role->version = (uint32_t)version;
    role->changed = seq;
}

void ch_apply_role_defined(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_role_defined *body = event->body;
    uint32_t account = event->account == 0 ? 0 : ch_find_account(state, event->account);
    uint32_t row = ch_row_take(&state->store, CH_T_ROLE);
    struct ch_row_role *role = edit(state, row);
    role->account = account;
    role->id = event->seq;
    role->name = ch_text_take(state, body->name);
    role->scopes = ch_scopes_take(state, body->scopes);
    add_version(state, row, 1, body->scopes, event->seq);
    if (account != 0) {
        struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
        role->next_of_account = owner->first_role;
        if (owner->first_role != 0) edit(state, owner->first_role)->prev_of_account = row;
        owner->first_role = row;
    }
    ch_index_insert(&state->store, CH_I_ROLE_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_ROLE_NAME, ch_hash_in(account, body->name), row);
}

void ch_apply_role_changed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_role_changed *body = event->body;
    uint32_t row = ch_find_role(state, body->role.seq);
    struct ch_row_role *role = edit(state, row);
    uint32_t old = role->scopes;
    role->scopes = ch_scopes_take(state, body->scopes);
    ch_scopes_drop(state, old);
    add_version(state, row, body->version, body->scopes, event->seq);
}

/* Takes the role out of the index of names, and lets the name go. */
static void drop_name(struct ch_state *state, uint32_t row)
{
    const struct ch_row_role *role = ch_role_row(state, row);
    char name[128];
    const size_t len = ch_chain_get(state, CH_T_TEXT, role->name, name, sizeof name);
    ch_index_remove(&state->store, CH_I_ROLE_NAME,
                    ch_hash_in(role->account, (struct ch_text){name, len}), row);
    ch_text_drop(state, role->name);
}

void ch_apply_role_renamed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_role_renamed *body = event->body;
    const uint32_t row = ch_find_role(state, body->role.seq);
    drop_name(state, row);
    struct ch_row_role *role = edit(state, row);
    role->name = ch_text_take(state, body->name);
    role->changed = event->seq;
    ch_index_insert(&state->store, CH_I_ROLE_NAME, ch_hash_in(role->account, body->name), row);
}

void ch_apply_role_deleted(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_role_deleted *body = event->body;
    const uint32_t row = ch_find_role(state, body->role.seq);
    const struct ch_row_role role = *ch_role_row(state, row);
    for (uint32_t v = role.last_version; v != 0;) {
        const uint32_t before = ch_role_version_row(state, v)->before;
        ch_scopes_drop(state, ch_role_version_row(state, v)->scopes);
        ch_row_give(&state->store, CH_T_ROLE_VERSION, v);
        v = before;
    }
    if (role.next_of_account != 0) {
        edit(state, role.next_of_account)->prev_of_account = role.prev_of_account;
    }
    if (role.prev_of_account != 0) {
        edit(state, role.prev_of_account)->next_of_account = role.next_of_account;
    } else {
        struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, role.account);
        owner->first_role = role.next_of_account;
    }
    drop_name(state, row);
    ch_scopes_drop(state, role.scopes);
    ch_index_remove(&state->store, CH_I_ROLE_ID, ch_hash_mix(role.id, 0), row);
    ch_row_give(&state->store, CH_T_ROLE, row);
}

void ch_apply_page_defined(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_page_defined *body = event->body;
    uint32_t row = ch_row_take(&state->store, CH_T_PAGE);
    struct ch_row_page *page = ch_row_edit(&state->store, CH_T_PAGE, row);
    page->id = event->seq;
    page->changed = event->seq;
    page->version = 1;
    page->name = ch_text_take(state, body->name);
    page->scopes = ch_scopes_take(state, body->scopes);
    ch_index_insert(&state->store, CH_I_PAGE_NAME, ch_hash_in(0, body->name), row);
}

void ch_apply_page_changed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_page_changed *body = event->body;
    const uint32_t row = ch_find_page(state, body->page.seq);
    struct ch_row_page *page = ch_row_edit(&state->store, CH_T_PAGE, row);
    const uint32_t old = page->scopes;
    page->scopes = ch_scopes_take(state, body->scopes);
    page->version = (uint32_t)body->version;
    page->changed = event->seq;
    ch_scopes_drop(state, old);
}
