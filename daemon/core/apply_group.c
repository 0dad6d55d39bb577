/* apply_group: groups and their members; see apply.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_group *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_GROUP, row);
}

static struct ch_row_member *edit_member(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_MEMBER, row);
}

void ch_apply_group_created(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_group_created *body = event->body;
    uint32_t account = ch_find_account(state, event->account);
    uint32_t row = ch_row_take(&state->store, CH_T_GROUP);
    struct ch_row_group *group = edit(state, row);
    group->account = account;
    group->id = event->seq;
    group->changed = event->seq;
    group->parent_seq = event->seq;
    group->name = ch_text_take(state, body->name);
    group->parent = body->has_parent ? ch_find_group(state, body->parent.seq) : 0;
    if (group->parent != 0) edit(state, group->parent)->child_count++;
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    group->next_of_account = owner->first_group;
    owner->first_group = row;
    owner->group_count++;
    if (group->next_of_account != 0) edit(state, group->next_of_account)->prev_of_account = row;
    ch_index_insert(&state->store, CH_I_GROUP_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_GROUP_NAME, ch_hash_in(account, body->name), row);
}

void ch_apply_group_moved(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_group_moved *body = event->body;
    struct ch_row_group *group = edit(state, ch_find_group(state, body->group.seq));
    if (group->parent != 0) edit(state, group->parent)->child_count--;
    group->parent = body->has_parent ? ch_find_group(state, body->parent.seq) : 0;
    group->parent_seq = event->seq;
    group->changed = event->seq;
    if (group->parent != 0) edit(state, group->parent)->child_count++;
}

void ch_apply_group_member_added(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_group_member_added *body = event->body;
    uint32_t group_row = ch_find_group(state, body->group.seq);
    uint32_t user_row = ch_find_user(state, body->user.seq);
    struct ch_row_group *group = edit(state, group_row);
    uint32_t share_row = ch_find_share(state, CH_subject_kind_user, user_row, group->account);
    struct ch_row_share *share = ch_row_edit(&state->store, CH_T_SHARE, share_row);
    uint32_t row = ch_row_take(&state->store, CH_T_MEMBER);
    struct ch_row_member *member = edit_member(state, row);
    member->share = share_row;
    member->group = group_row;
    member->seq = event->seq;
    member->next_of_share = share->first_member;
    member->next_of_group = group->first_member;
    if (share->first_member != 0) edit_member(state, share->first_member)->prev_of_share = row;
    if (group->first_member != 0) edit_member(state, group->first_member)->prev_of_group = row;
    share->first_member = row;
    CH_CHECK(share->member_count < UINT8_MAX);
    share->member_count++;
    share->changed = event->seq;
    group->first_member = row;
    group->member_count++;
    group->changed = event->seq;
    ch_index_insert(&state->store, CH_I_MEMBER, ch_hash_member(share_row, group_row), row);
}

void ch_apply_group_member_removed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_group_member_removed *body = event->body;
    uint32_t group = ch_find_group(state, body->group.seq);
    uint32_t user = ch_find_user(state, body->user.seq);
    uint32_t share =
        ch_find_share(state, CH_subject_kind_user, user, ch_group_row(state, group)->account);
    ch_end_member(state, ch_find_member(state, share, group), event->seq);
}

void ch_apply_group_deleted(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_group_deleted *body = event->body;
    ch_end_group(state, ch_find_group(state, body->group.seq), event->seq);
}
