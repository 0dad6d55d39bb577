/* invariant: see invariant.h. SPDX-License-Identifier: MIT
 * Lists are walked with a bound, so that one that runs in a circle is found and not followed. Every
 * member of a list names its owner, and the lists' lengths add up to the live rows: so each row
 * stands in exactly one list, once. */
#include "daemon/core/invariant.h"

#include "daemon/core/apply.h"
#include "daemon/core/index.h"
#include "daemon/core/invariant_impl.h"
#include "daemon/core/ledger.h"
#include "schema/base/arena.h"
#include "schema/limits.h"

static const char *free_rows(const struct ch_state *s)
{
    for (uint32_t table = 0; table < CH_TABLES; table++) {
        const struct ch_table *t = &s->store.tables[table];
        uint32_t alive = 0;
        for (uint32_t row = next(s, table, 0); row != 0; row = next(s, table, row)) {
            alive++;
        }
        HOLDS(alive + t->free_rows == t->used, "a row is either live or free");
        HOLDS(alive == live_rows(s, table), "a table knows how many rows are live");
        uint32_t length = 0;
        for (uint32_t row = t->free_head; row != 0; length++) {
            HOLDS(length < t->free_rows && row <= t->used && !live(s, table, row),
                  "the free list holds the free rows, each once");
            const uint8_t *bytes = ch_table_ptr(t, row);
            for (uint32_t i = 4; i < t->def.row_bytes; i++) {
                HOLDS(bytes[i] == 0, "a free row is zero behind its link");
            }
            row = ch_get_le32(bytes);
        }
        HOLDS(length == t->free_rows, "the free list is as long as the table says");
    }
    return NULL;
}

const char *ch_chain_broken(struct tally *t, uint32_t table, uint32_t first)
{
    const struct ch_state *s = t->state;
    HOLDS(live(s, table, first), "a chain that is referred to is there");
    const struct ch_row_chain *row = ch_row(&s->store, table, first);
    HOLDS(row->refs != 0, "a chain is referred to by its first row");
    const uint32_t len = row->len;
    uint32_t parts = len == 0 ? 1 : (len + CH_CHAIN_BYTES - 1) / CH_CHAIN_BYTES;
    for (uint32_t at = first; at != 0; at = row->next) {
        HOLDS(parts > 0 && live(s, table, at), "a chain has as many rows as its length needs");
        row = ch_row(&s->store, table, at);
        HOLDS(at == first || (row->len == 0 && row->refs == 0), "only a chain's first row counts");
        t->parts[at]++;
        parts--;
    }
    HOLDS(parts == 0, "a chain has as many rows as its length needs");
    return NULL;
}

const char *ch_parts_broken(struct tally *t, uint32_t table)
{
    const struct ch_state *s = t->state;
    for (uint32_t row = next(s, table, 0); row != 0; row = next(s, table, row)) {
        HOLDS(t->parts[row] == 1, "a row of a chain is in one chain, once");
    }
    memset(t->parts, 0, ((size_t)s->store.tables[table].used + 1) * sizeof *t->parts);
    return NULL;
}

static const char *texts(struct tally *t)
{
    const struct ch_state *s = t->state;
    const char *broken = NULL;
    for (uint32_t row = next(s, CH_T_TEXT, 0); row != 0; row = next(s, CH_T_TEXT, row)) {
        const struct ch_row_chain *first = ch_row(&s->store, CH_T_TEXT, row);
        HOLDS(first->refs == t->texts[row], "a text counts the references to it");
        if (first->refs == 0) continue;
        if ((broken = ch_chain_broken(t, CH_T_TEXT, row)) != NULL) return broken;
        struct short_text space;
        HOLDS(ch_text_find(s, text_at(s, row, &space)) == row, "an interned text is found");
    }
    if ((broken = ch_parts_broken(t, CH_T_TEXT)) != NULL) return broken;
    for (uint32_t row = next(s, CH_T_SCOPES, 0); row != 0; row = next(s, CH_T_SCOPES, row)) {
        const struct ch_row_scopes *set = ch_row(&s->store, CH_T_SCOPES, row);
        HOLDS(set->refs != 0 && set->refs == t->scopes[row], "a set counts the references to it");
        HOLDS((set->words[0] | set->words[1]) != 0, "an interned set is not empty");
        uint32_t found = 0;
        struct ch_probe probe =
            ch_probe_start(&s->store, CH_I_SCOPES, ch_hash_mix(set->words[0], set->words[1]));
        for (uint32_t p = ch_probe_next(&probe); p != 0; p = ch_probe_next(&probe)) {
            if (ch_scopes_equal(ch_scopes_at(s, p), ch_scopes_at(s, row))) found = p;
        }
        HOLDS(found == row, "an interned set is found, and is there once");
    }
    return NULL;
}

/* The shares of one user or group. */
static const char *shares_of(const struct ch_state *s, uint8_t kind, uint32_t subject,
                             uint32_t first, uint32_t share_count)
{
    uint32_t count = 0;
    uint32_t before = 0;
    for (uint32_t h = first; h != 0; h = ch_share_row(s, h)->next_of_subject) {
        HOLDS(live(s, CH_T_SHARE, h) && count++ < share_count, "a subject counts its shares");
        const struct ch_row_share *share = ch_share_row(s, h);
        HOLDS(share->subject_kind == kind && share->subject == subject,
              "a share is listed under its subject");
        HOLDS(share->prev_of_subject == before, "a subject's shares are linked both ways");
        before = h;
    }
    HOLDS(count == share_count, "a subject counts its shares");
    return NULL;
}

/* What is sealed under one user's key; nothing of an erased one is open. */
static const char *sealed_of(const struct ch_state *s, const struct ch_row_user *user)
{
    uint32_t before = 0;
    for (uint32_t row = user->first_sealed; row != 0; row = ch_sealed_row(s, row)->next_of_user) {
        HOLDS(live(s, CH_T_SEALED, row), "a user's sealed parts are there");
        const struct ch_row_sealed *sealed = ch_sealed_row(s, row);
        HOLDS(sealed->number == user->number, "a user's sealed parts are under their key");
        HOLDS(sealed->prev_of_user == before, "a user's sealed parts are linked both ways");
        HOLDS(user->status != CH_user_status_erased || ch_find_opened(s, row) == 0,
              "nothing of an erased user is open");
        before = row;
    }
    HOLDS(user->status != CH_user_status_erased || user->session_count == 0,
          "an erased user has no sessions");
    return NULL;
}

static const char *users(struct tally *t)
{
    const struct ch_state *s = t->state;
    const char *broken = NULL;
    for (uint32_t row = next(s, CH_T_USER, 0); row != 0; row = next(s, CH_T_USER, row)) {
        const struct ch_row_user *user = ch_user_row(s, row);
        HOLDS(user->id != 0 && user->id <= user->changed && user->changed <= ch_meta(s)->head,
              "a user's seqs are in order");
        HOLDS(user->number != 0 && user->number < ch_meta(s)->next_user_number,
              "a user's number was given out");
        HOLDS(ch_find_user_number(s, user->number) == row, "a user is found by number");
        const char *sealed = sealed_of(s, user);
        if (sealed != NULL) return sealed;
        HOLDS(ch_find_user(s, user->id) == row, "a user is found by id");
        HOLDS(user->password_seq == 0 || ch_find_sealed(s, user->password_seq) != 0,
              "a user's password has its verifier");
        broken = shares_of(s, CH_subject_kind_user, row, user->first_share, user->share_count);
        if (broken != NULL) return broken;
    }
    return NULL;
}

static const char *sealed_parts(struct tally *t)
{
    const struct ch_state *s = t->state;
    const char *broken = NULL;
    for (uint32_t row = next(s, CH_T_SEALED, 0); row != 0; row = next(s, CH_T_SEALED, row)) {
        const struct ch_row_sealed *sealed = ch_sealed_row(s, row);
        HOLDS(sealed->seq != 0 && sealed->seq <= ch_meta(s)->head &&
                  sealed->number < ch_meta(s)->next_user_number,
              "a sealed part is of an event, under a key");
        HOLDS(ch_find_sealed(s, sealed->seq) == row, "a sealed part is found, and is there once");
        if ((broken = ch_chain_broken(t, CH_T_CIPHER, sealed->cipher)) != NULL) return broken;
    }
    if ((broken = ch_parts_broken(t, CH_T_CIPHER)) != NULL) return broken;
    for (uint32_t row = next(s, CH_T_OPENED, 0); row != 0; row = next(s, CH_T_OPENED, row)) {
        const struct ch_row_opened *opened = ch_opened_row(s, row);
        HOLDS(live(s, CH_T_SEALED, opened->sealed), "what was opened was sealed");
        HOLDS(ch_find_opened(s, opened->sealed) == row,
              "an opened part is found by its sealed one");
        if ((broken = ch_chain_broken(t, CH_T_PLAIN, opened->plain)) != NULL) return broken;
        for (uint32_t n = 0; n < 2; n++) {
            HOLDS(opened->name[n] == 0 ||
                      (live(s, CH_T_NAME, opened->name[n]) &&
                       ch_name_row(s, opened->name[n])->sealed == opened->sealed),
                  "hashed names know where they stand");
        }
    }
    if ((broken = ch_parts_broken(t, CH_T_PLAIN)) != NULL) return broken;
    for (uint32_t row = next(s, CH_T_NAME, 0); row != 0; row = next(s, CH_T_NAME, row)) {
        const struct ch_row_name *name = ch_name_row(s, row);
        HOLDS(live(s, CH_T_USER, name->user), "a hashed name is a user's");
        HOLDS(ch_find_user_hash(s, (uint8_t)name->kind, name->hash) == name->user,
              "a hashed name leads to one user");
    }
    return NULL;
}

static const char *groups(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t members = 0;
    struct short_text space;
    for (uint32_t row = next(s, CH_T_GROUP, 0); row != 0; row = next(s, CH_T_GROUP, row)) {
        const struct ch_row_group *group = ch_group_row(s, row);
        HOLDS(live(s, CH_T_ACCOUNT, group->account), "a group's account is there");
        HOLDS(count_text(t, group->name), "a group has a name");
        HOLDS(ch_find_group(s, group->id) == row, "a group is found by id");
        HOLDS(ch_find_group_name(s, group->account, text_at(s, group->name, &space)) == row,
              "a group is found by name, and an account's groups differ in name");
        if (group->parent != 0) {
            HOLDS(live(s, CH_T_GROUP, group->parent) &&
                      ch_group_row(s, group->parent)->account == group->account,
                  "the group above is of the same account");
            t->children[group->parent]++;
        }
        uint32_t depth = 1;
        for (uint32_t g = group->parent; g != 0; g = ch_group_row(s, g)->parent) {
            HOLDS(depth++ < LIMIT_GROUP_DEPTH, "no group stands below itself or too deep");
        }
        const char *broken =
            shares_of(s, CH_subject_kind_group, row, group->first_share, group->share_count);
        if (broken != NULL) return broken;
        uint32_t count = 0;
        uint32_t before = 0;
        for (uint32_t m = group->first_member; m != 0; m = ch_member_row(s, m)->next_of_group) {
            HOLDS(live(s, CH_T_MEMBER, m) && count++ < group->member_count,
                  "a group counts its members");
            HOLDS(ch_member_row(s, m)->group == row && ch_member_row(s, m)->prev_of_group == before,
                  "a group's members are linked both ways");
            before = m;
        }
        HOLDS(count == group->member_count, "a group counts its members");
        members += count;
    }
    HOLDS(members == live_rows(s, CH_T_MEMBER), "every membership is in its group's list");
    for (uint32_t row = next(s, CH_T_GROUP, 0); row != 0; row = next(s, CH_T_GROUP, row)) {
        HOLDS(ch_group_row(s, row)->child_count == t->children[row],
              "a group counts the groups below it");
    }
    return NULL;
}

/* Whether the row in the heap is live, knows its place and agrees on its time. */
static bool knows_its_place(const struct ch_state *s, const struct ch_row_due *due, uint32_t place)
{
    switch ((enum ch_due_kind)due->kind) {
    case CH_DUE_SHARE:
        return live(s, CH_T_TERMS, due->row) && ch_terms_row(s, due->row)->due == place &&
               ch_terms_row(s, due->row)->expires_at == due->at;
    case CH_DUE_OFFER:
        return live(s, CH_T_OFFER, due->row) && ch_offer_row(s, due->row)->due == place &&
               ch_offer_row(s, due->row)->until == due->at;
    case CH_DUE_ACCOUNT:
        return live(s, CH_T_ACCOUNT, due->row) && ch_account_row(s, due->row)->due == place &&
               ch_account_row(s, due->row)->reopen_until == due->at;
    case CH_DUE_PERIOD:
        return live(s, CH_T_PLAN, due->row) && ch_plan_row(s, due->row)->due == place &&
               ch_plan_due(s, due->row) == due->at;
    case CH_DUE_REQUEST:
        return live(s, CH_T_REQUEST, due->row) && ch_request_row(s, due->row)->due == place &&
               ch_request_row(s, due->row)->expires_at == due->at;
    case CH_DUE_RESERVATION:
        return live(s, CH_T_RESERVATION, due->row) &&
               ch_reservation_row(s, due->row)->due == place &&
               ch_reservation_row(s, due->row)->expires_at == due->at;
    case CH_DUE_INVITATION:
        return live(s, CH_T_INVITATION, due->row) && ch_invitation_row(s, due->row)->due == place &&
               ch_invitation_row(s, due->row)->open_until == due->at;
    case CH_DUE_SESSION:
        return live(s, CH_T_SESSION, due->row) && ch_session_row(s, due->row)->due == place &&
               ch_session_row(s, due->row)->expires_at == due->at;
    case CH_DUE_KEY:
        return live(s, CH_T_KEY, due->row) && ch_key_row(s, due->row)->due == place &&
               ch_key_row(s, due->row)->expires_at == due->at;
    }
    return false;
}

static const char *dues(const struct tally *t)
{
    const struct ch_state *s = t->state;
    const uint32_t count = ch_meta(s)->dues;
    HOLDS(count == live_rows(s, CH_T_DUE) && count == t->dues, "the heap counts its places");
    for (uint32_t place = 1; place <= count; place++) {
        HOLDS(live(s, CH_T_DUE, place), "the heap's places are its first rows");
        const struct ch_row_due *row = ch_due_row(s, place);
        HOLDS(knows_its_place(s, row, place), "what is due knows its place in the heap");
        if (place == 1) continue;
        const struct ch_row_due *above = ch_due_row(s, place / 2);
        HOLDS(above->at < row->at ||
                  (above->at == row->at && (above->kind < row->kind ||
                                            (above->kind == row->kind && above->row < row->row))),
              "the heap is in order");
    }
    return NULL;
}

static const char *others(struct tally *t)
{
    const struct ch_state *s = t->state;
    struct short_text space;
    const struct ch_row_meta *meta = ch_meta(s);
    HOLDS(live_rows(s, CH_T_META) == 1, "there is one meta row");
    HOLDS(meta->own_at <= meta->last_at && meta->import_seq <= meta->head,
          "what moves with seq is in order");
    for (uint32_t row = next(s, CH_T_PAGE, 0); row != 0; row = next(s, CH_T_PAGE, row)) {
        const struct ch_row_page *page = ch_page_row(s, row);
        HOLDS(count_text(t, page->name) && count_scopes(t, page->scopes), "a page has its parts");
        HOLDS(ch_find_page_name(s, text_at(s, page->name, &space)) == row,
              "a page is found by name");
    }
    for (uint32_t row = next(s, CH_T_BOUND, 0); row != 0; row = next(s, CH_T_BOUND, row)) {
        HOLDS(count_text(t, ch_bound_row(s, row)->name), "a setting has a name");
        HOLDS(ch_find_bound(s, text_at(s, ch_bound_row(s, row)->name, &space)) == row,
              "a setting is found by name");
    }
    for (uint32_t row = next(s, CH_T_MASK, 0); row != 0; row = next(s, CH_T_MASK, row)) {
        HOLDS(count_scopes(t, ch_mask_row(s, row)->scopes), "a mask's set is there");
    }
    for (uint32_t row = next(s, CH_T_DECLARED, 0); row != 0; row = next(s, CH_T_DECLARED, row)) {
        const struct ch_row_declared *declared = ch_declared_row(s, row);
        HOLDS(ch_find_declared(s, declared->category, declared->number) == row,
              "a declaration is found, and is there once");
    }
    for (uint32_t row = next(s, CH_T_SEEN, 0); row != 0; row = next(s, CH_T_SEEN, row)) {
        const struct ch_row_seen *seen = ch_seen_row(s, row);
        HOLDS(ch_find_seen(s, (uint8_t)seen->actor_kind, seen->actor_id, seen->id) == row,
              "a remembered message is found, and is there once");
        HOLDS(seen->count != 0 && seen->first_seq + seen->count - 1 <= meta->head,
              "a remembered message has its events");
    }
    const uint64_t remembered = meta->ids_count < meta->ids_kept ? meta->ids_count : meta->ids_kept;
    HOLDS(live_rows(s, CH_T_SEEN) == remembered, "as many messages are remembered as are kept");
    for (uint32_t row = next(s, CH_T_REFUSED, 0); row != 0; row = next(s, CH_T_REFUSED, row)) {
        const struct ch_row_refused *refused = ch_refused_row(s, row);
        HOLDS(ch_find_refused(s, (uint8_t)refused->actor_kind, refused->actor_id) == row,
              "an actor's refusals are found, and are there once");
    }
    return NULL;
}

/* With every row found above, equal counts mean that nothing else stands in an index. */
static const char *index_sizes(const struct tally *t)
{
    static const uint8_t tables[CH_INDEXES] = {
#define TABLE(id, noun, in_dump)
#define CHAINS(id, noun, in_dump)
#define INDEX(id, table) [CH_I_##id] = CH_T_##table,
#define INDEX_SOME(id, table) [CH_I_##id] = CH_T_##table,
#include "daemon/core/tables.def"
    };
    const struct ch_state *s = t->state;
    for (uint32_t i = 0; i < CH_INDEXES; i++) {
        uint64_t rows = live_rows(s, tables[i]);
        if (i == CH_I_TEXT) { /* chains, not their rows */
            rows = 0;
            for (uint32_t row = next(s, CH_T_TEXT, 0); row != 0; row = next(s, CH_T_TEXT, row)) {
                rows += t->texts[row] != 0;
            }
        }
        if (i == CH_I_ACCOUNT_NAME) rows -= t->unnamed;
        if (i == CH_I_SUPPRESSED) rows = t->addresses;
        if (i == CH_I_KEY_OLD) rows = t->olds;
        const struct ch_index *index = &s->store.indexes[i];
        const uint64_t cells = (index->now == NULL ? 0 : index->now->live) +
                               (index->old == NULL ? 0 : index->old->live);
        HOLDS(cells == rows, "an index holds its table's rows and nothing else");
    }
    return NULL;
}

static const char *walk(struct tally *t)
{
    const char *broken = free_rows(t->state);
    if (broken == NULL) broken = ch_accounts_broken(t);
    if (broken == NULL) broken = users(t);
    if (broken == NULL) broken = ch_shares_broken(t);
    if (broken == NULL) broken = ch_seats_broken(t);
    if (broken == NULL) broken = groups(t);
    if (broken == NULL) broken = sealed_parts(t);
    if (broken == NULL) broken = ch_requests_broken(t);
    if (broken == NULL) broken = ch_submissions_broken(t);
    if (broken == NULL) broken = ch_settings_broken(t);
    if (broken == NULL) broken = ch_ledger_broken(t);
    if (broken == NULL) broken = ch_keys_broken(t);
    if (broken == NULL) broken = ch_sessions_broken(t);
    if (broken == NULL) broken = dues(t); /* after all that may be due */
    if (broken == NULL) broken = others(t);
    if (broken == NULL) broken = ch_invariant_reputation(t->state);
    if (broken == NULL) broken = ch_made_broken(t);
    if (broken == NULL) broken = texts(t); /* after all that refers to them */
    if (broken == NULL) broken = index_sizes(t);
    return broken;
}

const char *ch_invariant_broken(const struct ch_state *state)
{
    static const uint32_t chains[] = {CH_T_TEXT, CH_T_CIPHER, CH_T_PLAIN, CH_T_PASSAGE};
    struct ch_arena arena = {0};
    uint32_t most = 0;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        const uint32_t used = state->store.tables[chains[i]].used;
        if (used > most) most = used;
    }
    const struct ch_table *tables = state->store.tables;
    struct tally t = {.state = state};
    t.texts = ch_arena_take(&arena, ((size_t)tables[CH_T_TEXT].used + 1) * sizeof *t.texts);
    t.scopes = ch_arena_take(&arena, ((size_t)tables[CH_T_SCOPES].used + 1) * sizeof *t.scopes);
    t.children = ch_arena_take(&arena, ((size_t)tables[CH_T_GROUP].used + 1) * sizeof *t.children);
    t.parts = ch_arena_take(&arena, ((size_t)most + 1) * sizeof *t.parts);
    t.made = ch_arena_take(&arena, ((size_t)tables[CH_T_USER].used + 1) * sizeof *t.made);
    const bool room = t.texts != NULL && t.scopes != NULL && t.children != NULL &&
                      t.parts != NULL && t.made != NULL;
    const char *broken = room ? walk(&t) : "there is memory to check with";
    ch_arena_deinit(&arena);
    return broken;
}
