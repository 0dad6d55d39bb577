/* invariant_account: what must hold of accounts and of roles; see invariant.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/invariant_impl.h"

#include "daemon/core/apply.h"
#include "schema/limits.h"

static const char *account_lists(const struct ch_state *s, uint32_t row, uint64_t *sums)
{
    const struct ch_row_account *account = ch_account_row(s, row);
    uint32_t open = 0;
    uint32_t before = 0;
    for (uint32_t c = account->first_child; c != 0; c = ch_account_row(s, c)->next_sibling) {
        HOLDS(live(s, CH_T_ACCOUNT, c) && sums[0]++ < live_rows(s, CH_T_ACCOUNT),
              "accounts below an account stand in one list");
        HOLDS(ch_account_row(s, c)->parent == row, "an account is listed below its own parent");
        HOLDS(ch_account_row(s, c)->prev_sibling == before, "siblings are linked both ways");
        open += ch_account_row(s, c)->status == CH_account_status_open;
        before = c;
    }
    HOLDS(open == account->open_children, "an account counts the open ones below it");
    uint32_t count = 0;
    before = 0;
    for (uint32_t h = account->first_share; h != 0; h = ch_share_row(s, h)->next_of_account) {
        HOLDS(live(s, CH_T_SHARE, h) && count++ < account->share_count,
              "an account counts its shares");
        HOLDS(ch_share_row(s, h)->account == row, "a share is listed under its account");
        HOLDS(ch_share_row(s, h)->prev_of_account == before,
              "an account's shares are linked both ways");
        before = h;
    }
    HOLDS(count == account->share_count, "an account counts its shares");
    sums[1] += count;
    count = 0;
    before = 0;
    for (uint32_t g = account->first_group; g != 0; g = ch_group_row(s, g)->next_of_account) {
        HOLDS(live(s, CH_T_GROUP, g) && count++ < account->group_count,
              "an account counts its groups");
        HOLDS(ch_group_row(s, g)->account == row, "a group is listed under its account");
        HOLDS(ch_group_row(s, g)->prev_of_account == before,
              "an account's groups are linked both ways");
        before = g;
    }
    HOLDS(count == account->group_count, "an account counts its groups");
    sums[2] += count;
    uint32_t last = 0;
    for (uint32_t r = account->first_role; r != 0; r = ch_role_row(s, r)->next_of_account) {
        HOLDS(live(s, CH_T_ROLE, r) && sums[3]++ < live_rows(s, CH_T_ROLE),
              "an account's roles stand in one list");
        HOLDS(ch_role_row(s, r)->account == row, "a role is listed under its account");
        HOLDS(ch_role_row(s, r)->prev_of_account == last,
              "an account's roles are linked both ways");
        last = r;
    }
    return NULL;
}

/* A role's versions, the newest first, without a gap; the newest is what it gives. */
static const char *role_versions(struct tally *t, uint32_t row, uint64_t *sum)
{
    const struct ch_state *s = t->state;
    const struct ch_row_role *role = ch_role_row(s, row);
    uint32_t expected = role->version;
    for (uint32_t v = role->last_version; v != 0; v = ch_role_version_row(s, v)->before) {
        HOLDS(live(s, CH_T_ROLE_VERSION, v) && expected > 0, "a role counts its versions");
        const struct ch_row_role_version *version = ch_role_version_row(s, v);
        HOLDS(version->role == row && version->version == expected, "versions follow each other");
        HOLDS(count_scopes(t, version->scopes), "a version's set is there");
        HOLDS(expected != role->version || version->scopes == role->scopes,
              "a role gives what its last version says");
        expected--;
        (*sum)++;
    }
    HOLDS(expected == 0, "a role counts its versions");
    return NULL;
}

/* How an account stands, and whether its name leads to it. */
static const char *standing(struct tally *t, uint32_t row)
{
    const struct ch_state *s = t->state;
    const struct ch_row_account *account = ch_account_row(s, row);
    struct short_text space;
    const uint32_t named =
        ch_find_account_name(s, account->parent, text_at(s, account->name, &space));
    const bool gone = account->status == CH_account_status_dissolved;
    HOLDS(gone ? named != row : named == row,
          "an account is found by name, until it is dissolved, and siblings differ in name");
    t->unnamed += gone;
    HOLDS(!gone || ch_parts_of(s, row) == 0,
          "a dissolved account has neither shares nor groups, keys, seats, nor a plan");
    HOLDS((account->status == CH_account_status_closed) == (account->due != 0),
          "a closed account is in the heap of what is due");
    HOLDS((account->due != 0) == (account->reopen_until != 0) &&
              (account->status == CH_account_status_open) == (account->closed_seq == 0),
          "a closed account knows since when, and until when it can be reopened");
    t->dues += account->due != 0;
    if (account->offer != 0) {
        HOLDS(account->parent == 0 && live(s, CH_T_OFFER, account->offer) &&
                  ch_offer_row(s, account->offer)->account == row &&
                  ch_offer_row(s, account->offer)->due != 0,
              "an offer of ownership is of a root, and runs out");
        t->dues++;
        t->offers++;
    }
    for (uint32_t authority = 0; authority < 2; authority++) {
        const uint64_t suspended = account->suspended_seq[authority];
        HOLDS(suspended == 0 || suspended == account->standing_seq[authority],
              "a suspension is what its authority said last");
    }
    return NULL;
}

const char *ch_accounts_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    const uint64_t head = ch_meta(s)->head;
    uint64_t sums[4] = {0, 0, 0, 0}; /* children, shares, groups, roles in lists */
    uint64_t roots = 0;
    struct short_text space;
    for (uint32_t row = next(s, CH_T_ACCOUNT, 0); row != 0; row = next(s, CH_T_ACCOUNT, row)) {
        const struct ch_row_account *account = ch_account_row(s, row);
        HOLDS(count_text(t, account->name), "an account has a name");
        HOLDS(count_scopes(t, account->guardrail), "a guardrail's set is there");
        HOLDS(account->from_domain == 0 || count_text(t, account->from_domain),
              "a FROM domain is there");
        HOLDS(account->master_asked_seq == 0 || account->master_declined_seq == 0,
              "what was asked is open or refused");
        HOLDS(account->id != 0 && account->id <= account->changed && account->changed <= head &&
                  account->last_seq <= head && account->set_seq <= account->last_seq,
              "an account's seqs are in order");
        if (account->parent == 0) {
            roots++;
            HOLDS(account->depth == 0, "a root account has depth 0");
        } else {
            HOLDS(live(s, CH_T_ACCOUNT, account->parent), "the account above is there");
            HOLDS(account->depth == ch_account_row(s, account->parent)->depth + 1,
                  "an account stands one deeper than the one above");
        }
        HOLDS(account->depth <= LIMIT_ACCOUNT_DEPTH, "the account tree is as deep as allowed");
        HOLDS(ch_find_account(s, account->id) == row, "an account is found by id");
        const char *broken = standing(t, row);
        if (broken == NULL) broken = account_lists(s, row, sums);
        if (broken != NULL) return broken;
    }
    HOLDS(t->offers == live_rows(s, CH_T_OFFER), "every offer is an account's");
    HOLDS(sums[0] + roots == live_rows(s, CH_T_ACCOUNT), "every account is in its parent's list");
    HOLDS(sums[1] == live_rows(s, CH_T_SHARE), "every share is in its account's list");
    HOLDS(sums[2] == live_rows(s, CH_T_GROUP), "every group is in its account's list");
    uint64_t built_in = 0;
    uint64_t versions = 0;
    for (uint32_t row = next(s, CH_T_ROLE, 0); row != 0; row = next(s, CH_T_ROLE, row)) {
        const struct ch_row_role *role = ch_role_row(s, row);
        built_in += role->account == 0;
        const char *broken = role_versions(t, row, &versions);
        if (broken != NULL) return broken;
        HOLDS(count_text(t, role->name) && count_scopes(t, role->scopes), "a role has its parts");
        HOLDS(ch_find_role(s, role->id) == row, "a role is found by id");
        HOLDS(ch_find_role_name(s, role->account, text_at(s, role->name, &space)) == row,
              "a role is found by name");
    }
    HOLDS(sums[3] + built_in == live_rows(s, CH_T_ROLE), "every own role is in its account's list");
    HOLDS(versions == live_rows(s, CH_T_ROLE_VERSION), "every version is in its role's list");
    return NULL;
}
