/* cascade: what goes when a share, a membership or a group ends; see apply.h.
 * SPDX-License-Identifier: MIT
 * Each takes its rows out of every list and index, and gives back the texts and sets they held. */
#include "daemon/core/apply.h"

static struct ch_row_share *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_SHARE, row);
}

static struct ch_row_group *edit_group(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_GROUP, row);
}

static struct ch_row_member *edit_member(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_MEMBER, row);
}

void ch_count_made(struct ch_state *state, uint32_t user, int32_t more)
{
    if (user == 0) return;
    struct ch_row_user *row = ch_row_edit(&state->store, CH_T_USER, user);
    row->made += (uint32_t)more;
}

void ch_link_subject(struct ch_state *state, uint8_t kind, uint32_t subject, uint32_t first,
                     int32_t more, uint64_t seq)
{
    if (kind == CH_subject_kind_user) {
        struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, subject);
        user->first_share = first;
        user->share_count += (uint32_t)more;
        user->changed = seq;
    } else {
        struct ch_row_group *group = ch_row_edit(&state->store, CH_T_GROUP, subject);
        group->first_share = first;
        group->share_count += (uint32_t)more;
        group->changed = seq;
    }
}

uint32_t ch_first_of_subject(const struct ch_state *state, uint8_t kind, uint32_t subject)
{
    return kind == CH_subject_kind_user ? ch_user_row(state, subject)->first_share
                                        : ch_group_row(state, subject)->first_share;
}

static uint64_t hash_of_grant(const struct ch_row_grant *grant)
{
    return ch_hash_resource(grant->share, (uint8_t)grant->kind, grant->resource);
}

/* The first grant of a list moves into a row further down: its place in the index is changed, and
 * its own row is free. */
static void move_first(struct ch_state *state, uint32_t first, uint32_t row)
{
    struct ch_row_grant *to = ch_row_edit(&state->store, CH_T_GRANT, row);
    const uint32_t next = to->next;
    *to = *ch_grant_row(state, first);
    to->next = next;
    ch_index_remove(&state->store, CH_I_GRANT, hash_of_grant(to), first);
    ch_index_insert(&state->store, CH_I_GRANT, hash_of_grant(to), row);
}

void ch_end_grant(struct ch_state *state, uint32_t row)
{
    const struct ch_row_grant grant = *ch_grant_row(state, row);
    struct ch_row_share *share = edit(state, grant.share);
    const uint32_t first = share->first_grant;
    share->first_grant = ch_grant_row(state, first)->next;
    share->grant_count--;
    ch_index_remove(&state->store, CH_I_GRANT, hash_of_grant(&grant), row);
    if (first != row) move_first(state, first, row);
    ch_text_drop(state, grant.resource);
    ch_scopes_drop(state, grant.scopes);
    ch_count_made(state, grant.made_by, -1);
    ch_row_give(&state->store, CH_T_GRANT, first);
}

void ch_end_limits(struct ch_state *state, uint32_t share, uint32_t kind)
{
    uint32_t before = 0;
    uint32_t row = ch_terms_of(state, ch_share_row(state, share))->first_limited;
    while (row != 0) {
        const struct ch_row_limited limited = *ch_limited_row(state, row);
        if (kind != 0 && limited.kind != kind) {
            before = row;
            row = limited.next;
            continue;
        }
        if (before == 0) {
            ch_edit_terms(state, share)->first_limited = limited.next;
        } else {
            struct ch_row_limited *prev = ch_row_edit(&state->store, CH_T_LIMITED, before);
            prev->next = limited.next;
        }
        ch_edit_terms(state, share)->limited_count--;
        ch_index_remove(&state->store, CH_I_LIMITED,
                        ch_hash_resource(share, (uint8_t)limited.kind, limited.resource), row);
        ch_text_drop(state, limited.resource);
        ch_row_give(&state->store, CH_T_LIMITED, row);
        row = limited.next;
    }
}

/* Who was invited, accepted nothing and has no invitation left is let go: the address is free. */
static void let_go(struct ch_state *state, uint32_t row)
{
    const struct ch_row_user *user = ch_user_row(state, row);
    if (user->status != CH_user_status_invited || user->share_count > 0) return;
    ch_sealed_drop(state, user->profile_seq);
}

void ch_end_share(struct ch_state *state, uint32_t row, uint64_t seq)
{
    while (ch_share_row(state, row)->first_grant != 0) {
        ch_end_grant(state, ch_share_row(state, row)->first_grant);
    }
    ch_end_limits(state, row, 0);
    while (ch_share_row(state, row)->first_member != 0) {
        ch_end_member(state, ch_share_row(state, row)->first_member, seq);
    }
    ch_end_terms(state, row);
    if (ch_share_row(state, row)->seat != 0) ch_seat_leave(state, row, seq);
    const struct ch_row_share share = *ch_share_row(state, row);
    if (share.next_of_subject != 0) {
        edit(state, share.next_of_subject)->prev_of_subject = share.prev_of_subject;
    }
    uint32_t first = ch_first_of_subject(state, share.subject_kind, share.subject);
    if (share.prev_of_subject != 0) {
        edit(state, share.prev_of_subject)->next_of_subject = share.next_of_subject;
    } else {
        first = share.next_of_subject;
    }
    ch_link_subject(state, share.subject_kind, share.subject, first, -1, seq);
    if (share.next_of_account != 0) {
        edit(state, share.next_of_account)->prev_of_account = share.prev_of_account;
    }
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, share.account);
    if (share.prev_of_account != 0) {
        edit(state, share.prev_of_account)->next_of_account = share.next_of_account;
    } else {
        account->first_share = share.next_of_account;
    }
    account->share_count--;
    ch_count_made(state, share.made_by, -1);
    if (account->owner == row) account->owner = 0;
    if (share.subject_kind == CH_subject_kind_user) let_go(state, share.subject);
    ch_index_remove(&state->store, CH_I_SHARE_ID, ch_hash_mix(share.id, 0), row);
    ch_index_remove(&state->store, CH_I_SHARE,
                    ch_hash_share(share.subject_kind, share.subject, share.account), row);
    ch_row_give(&state->store, CH_T_SHARE, row);
}

void ch_end_member(struct ch_state *state, uint32_t row, uint64_t seq)
{
    const struct ch_row_member member = *ch_member_row(state, row);
    if (member.next_of_share != 0) {
        edit_member(state, member.next_of_share)->prev_of_share = member.prev_of_share;
    }
    struct ch_row_share *share = ch_row_edit(&state->store, CH_T_SHARE, member.share);
    if (member.prev_of_share != 0) {
        edit_member(state, member.prev_of_share)->next_of_share = member.next_of_share;
    } else {
        share->first_member = member.next_of_share;
    }
    share->member_count--;
    share->changed = seq;
    if (member.next_of_group != 0) {
        edit_member(state, member.next_of_group)->prev_of_group = member.prev_of_group;
    }
    struct ch_row_group *group = edit_group(state, member.group);
    if (member.prev_of_group != 0) {
        edit_member(state, member.prev_of_group)->next_of_group = member.next_of_group;
    } else {
        group->first_member = member.next_of_group;
    }
    group->member_count--;
    group->changed = seq;
    ch_index_remove(&state->store, CH_I_MEMBER, ch_hash_member(member.share, member.group), row);
    ch_row_give(&state->store, CH_T_MEMBER, row);
}

/* A group whose account closes may have others below it; they lose their parent and go next. */
static void orphan_children(struct ch_state *state, uint32_t parent)
{
    uint32_t account = ch_group_row(state, parent)->account;
    uint32_t row = ch_account_row(state, account)->first_group;
    while (row != 0 && ch_group_row(state, parent)->child_count > 0) {
        if (ch_group_row(state, row)->parent == parent) {
            edit_group(state, row)->parent = 0;
            edit_group(state, parent)->child_count--;
        }
        row = ch_group_row(state, row)->next_of_account;
    }
}

void ch_end_group(struct ch_state *state, uint32_t row, uint64_t seq)
{
    while (ch_group_row(state, row)->first_member != 0) {
        ch_end_member(state, ch_group_row(state, row)->first_member, seq);
    }
    while (ch_group_row(state, row)->first_share != 0) {
        ch_end_share(state, ch_group_row(state, row)->first_share, seq);
    }
    if (ch_group_row(state, row)->child_count > 0) orphan_children(state, row);
    const struct ch_row_group group = *ch_group_row(state, row);
    if (group.parent != 0) edit_group(state, group.parent)->child_count--;
    if (group.next_of_account != 0) {
        edit_group(state, group.next_of_account)->prev_of_account = group.prev_of_account;
    }
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, group.account);
    if (group.prev_of_account != 0) {
        edit_group(state, group.prev_of_account)->next_of_account = group.next_of_account;
    } else {
        account->first_group = group.next_of_account;
    }
    account->group_count--;
    uint8_t name[256];
    size_t len = ch_chain_get(state, CH_T_TEXT, group.name, name, sizeof name);
    ch_index_remove(&state->store, CH_I_GROUP_ID, ch_hash_mix(group.id, 0), row);
    ch_index_remove(&state->store, CH_I_GROUP_NAME,
                    ch_hash_in(group.account, (struct ch_text){(const char *)name, len}), row);
    ch_text_drop(state, group.name);
    ch_row_give(&state->store, CH_T_GROUP, row);
}
