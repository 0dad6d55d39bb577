/* explain_withdraw: takes one fact back from the state, and nothing else, for test_explain.
 * SPDX-License-Identifier: MIT
 * Rows are edited as they stand, under a mark: what a command would change besides is not
 * changed. */
#ifndef CH_TESTS_EXPLAIN_WITHDRAW_H
#define CH_TESTS_EXPLAIN_WITHDRAW_H
#include "daemon/core/explain.h"
#include "tests/unit/core_world.h"

static inline uint32_t scopes_but(struct ch_state *state, uint32_t row, struct ch_scopes scopes)
{
    assert_true(ch_state_reserve(state, 4, 0, 0));
    return ch_scopes_take(state, ch_scopes_but(ch_scopes_at(state, row), scopes));
}

static inline uint32_t scopes_and_more(struct ch_state *state, uint32_t row,
                                       struct ch_scopes scopes)
{
    assert_true(ch_state_reserve(state, 4, 0, 0));
    return ch_scopes_take(state, ch_scopes_or(ch_scopes_at(state, row), scopes));
}

#define EDIT(state, noun, TABLE, row)                                                              \
    ((struct ch_row_##noun *)ch_row_edit(&(state)->store, CH_T_##TABLE, (row)))

static inline void withdraw_membership(struct ch_state *state, uint32_t member)
{
    struct ch_row_share *share = EDIT(state, share, SHARE, ch_member_row(state, member)->share);
    const uint32_t next = ch_member_row(state, member)->next_of_share;
    if (share->first_member == member) {
        share->first_member = next;
        return;
    }
    uint32_t before = share->first_member;
    while (before != 0 && ch_member_row(state, before)->next_of_share != member) {
        before = ch_member_row(state, before)->next_of_share;
    }
    if (before != 0) EDIT(state, member, MEMBER, before)->next_of_share = next;
}

/* The group that stands right below `group`, on the way up from the member's. */
static inline void withdraw_parent(struct ch_state *state, const struct ch_evidence *fact)
{
    uint32_t g = ch_member_row(state, fact->member)->group;
    while (g != 0 && ch_group_row(state, g)->parent != fact->group) {
        g = ch_group_row(state, g)->parent;
    }
    if (g != 0) EDIT(state, group, GROUP, g)->parent = 0;
}

static inline void withdraw_limited(struct ch_state *state, const struct ch_evidence *fact)
{
    const struct ch_row_terms *terms = ch_terms_of(state, ch_share_row(state, fact->share));
    for (uint32_t l = terms->first_limited; l != 0; l = ch_limited_row(state, l)->next) {
        if (ch_limited_row(state, l)->seq == fact->seq) EDIT(state, limited, LIMITED, l)->kind = 0;
    }
}

static inline void withdraw_of_share(struct ch_state *state, const struct ch_evidence *fact)
{
    struct ch_row_share *share = EDIT(state, share, SHARE, fact->share);
    switch (fact->kind) {
    case CH_fact_share: share->status = CH_share_status_inactive; return;
    case CH_fact_reach: share->reach = CH_reach_account; return;
    case CH_fact_role: share->role = 0; return;
    case CH_fact_role_version: {
        struct ch_row_role *role = share->role == 0 ? NULL : EDIT(state, role, ROLE, share->role);
        if (role != NULL) role->scopes = scopes_but(state, role->scopes, fact->scopes);
        return;
    }
    case CH_fact_limited: withdraw_limited(state, fact); return;
    case CH_fact_own_scopes: {
        struct ch_row_terms *terms = ch_edit_terms(state, fact->share);
        terms->own = scopes_but(state, terms->own, fact->scopes);
        return;
    }
    case CH_fact_grant: {
        struct ch_row_grant *grant = EDIT(state, grant, GRANT, fact->grant);
        grant->scopes = scopes_but(state, grant->scopes, fact->scopes);
        return;
    }
    case CH_fact_restriction: {
        struct ch_row_terms *terms = ch_edit_terms(state, fact->share);
        terms->denied = scopes_but(state, terms->denied, fact->scopes);
        return;
    }
    case CH_fact_other_login: share->kind = CH_share_kind_member; return;
    default: fail_msg("fact %s of a share", ch_enum_name(CH_KIND_fact, fact->kind));
    }
}

static inline void withdraw_of_account(struct ch_state *state, const struct ch_evidence *fact)
{
    struct ch_row_account *account = EDIT(state, account, ACCOUNT, fact->account);
    switch (fact->kind) {
    case CH_fact_guardrail:
        account->guardrail = scopes_but(state, account->guardrail, fact->scopes);
        return;
    case CH_fact_content_lock: account->content_lock_seq = 0; return;
    case CH_fact_unpaid: account->unpaid_seq = 0; return;
    case CH_fact_account_closed: account->status = CH_account_status_open; return;
    case CH_fact_suspended:
        for (int a = 0; a < 2; a++) {
            if (account->suspended_seq[a] == fact->seq) account->suspended_seq[a] = 0;
        }
        return;
    case CH_fact_stream_stopped: {
        struct ch_row_stream *stream = EDIT(state, stream, STREAM, fact->stream);
        for (int a = 0; a < 2; a++) {
            if (stream->stopped_seq[a] == fact->seq) stream->stopped_seq[a] = 0;
        }
        if (stream->key == 0 && (stream->stopped_seq[0] | stream->stopped_seq[1]) == 0) {
            account->stopped &= ~(1u << stream->stream);
        }
        return;
    }
    default: fail_msg("fact %s of an account", ch_enum_name(CH_KIND_fact, fact->kind));
    }
}

static inline void withdraw(struct ch_state *state, const struct ch_evidence *fact, uint32_t user)
{
    switch (fact->kind) {
    case CH_fact_membership: withdraw_membership(state, fact->member); return;
    case CH_fact_parent_group: withdraw_parent(state, fact); return;
    case CH_fact_user_locked:
    case CH_fact_not_accepted:
        EDIT(state, user, USER, user)->status = CH_user_status_active;
        return;
    case CH_fact_key: {
        struct ch_row_key *key = EDIT(state, key, KEY, fact->key);
        key->scopes = scopes_but(state, key->scopes, fact->scopes);
        return;
    }
    case CH_fact_master_key: {
        struct ch_row_mask *mask = EDIT(state, mask, MASK, CH_mask_kind_master_key);
        mask->scopes = scopes_but(state, mask->scopes, fact->scopes);
        return;
    }
    case CH_fact_guardrail:
    case CH_fact_content_lock:
    case CH_fact_unpaid:
    case CH_fact_account_closed:
    case CH_fact_suspended:
    case CH_fact_stream_stopped: withdraw_of_account(state, fact); return;
    default: withdraw_of_share(state, fact); return;
    }
}
#endif
