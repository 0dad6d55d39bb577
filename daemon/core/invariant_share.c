/* invariant_share: what must hold of shares, their owners, terms and seats; see invariant.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/invariant_impl.h"

static const char *share_lists(struct tally *t, uint32_t row, uint64_t *sums)
{
    const struct ch_state *s = t->state;
    const struct ch_row_share *share = ch_share_row(s, row);
    uint32_t count = 0;
    for (uint32_t g = share->first_grant; g != 0; g = ch_grant_row(s, g)->next) {
        HOLDS(live(s, CH_T_GRANT, g) && count++ < share->grant_count, "a share counts its grants");
        const struct ch_row_grant *grant = ch_grant_row(s, g);
        HOLDS(grant->share == row, "a grant is listed under its share");
        HOLDS(count_text(t, grant->resource) && grant->scopes != 0 &&
                  count_scopes(t, grant->scopes),
              "a grant has its parts");
        HOLDS(ch_find_grant(s, row, (uint8_t)grant->kind, grant->resource) == g,
              "a grant is found, and a resource has one of a share");
    }
    HOLDS(count == share->grant_count, "a share counts its grants");
    sums[0] += count;
    count = 0;
    const struct ch_row_terms *terms = ch_terms_of(s, share);
    for (uint32_t l = terms->first_limited; l != 0; l = ch_limited_row(s, l)->next) {
        HOLDS(live(s, CH_T_LIMITED, l) && count++ < terms->limited_count,
              "a share counts the resources it is limited to");
        const struct ch_row_limited *limited = ch_limited_row(s, l);
        HOLDS(limited->share == row && (terms->limited_kinds >> limited->kind & 1) != 0,
              "a share is limited on the kinds of its list");
        HOLDS(count_text(t, limited->resource), "a resource has a name");
        HOLDS(ch_is_limited_to(s, row, (uint8_t)limited->kind, limited->resource),
              "a resource that a share is limited to is found");
    }
    HOLDS(count == terms->limited_count, "a share counts the resources it is limited to");
    sums[1] += count;
    count = 0;
    uint32_t before = 0;
    for (uint32_t m = share->first_member; m != 0; m = ch_member_row(s, m)->next_of_share) {
        HOLDS(live(s, CH_T_MEMBER, m) && count++ < share->member_count,
              "a share counts its memberships");
        const struct ch_row_member *member = ch_member_row(s, m);
        HOLDS(member->share == row && member->prev_of_share == before,
              "a share's memberships are linked both ways");
        HOLDS(live(s, CH_T_GROUP, member->group) &&
                  ch_group_row(s, member->group)->account == share->account &&
                  share->subject_kind == CH_subject_kind_user,
              "a member of a group has a share of the group's account");
        HOLDS(ch_find_member(s, row, member->group) == m,
              "a membership is found, and is there once");
        before = m;
    }
    HOLDS(count == share->member_count, "a share counts its memberships");
    sums[2] += count;
    return NULL;
}

/* A tree has one owner at most: a user, by a share of the root that reaches everything and has no
 * end; it is the only one they have in the tree. */
static const char *owners(const struct ch_state *s)
{
    for (uint32_t row = next(s, CH_T_ACCOUNT, 0); row != 0; row = next(s, CH_T_ACCOUNT, row)) {
        const uint32_t owner = ch_account_row(s, row)->owner;
        if (owner == 0) continue;
        HOLDS(ch_account_row(s, row)->parent == 0 && live(s, CH_T_SHARE, owner) &&
                  ch_share_row(s, owner)->account == row,
              "an owner's share is of the root");
    }
    for (uint32_t row = next(s, CH_T_SHARE, 0); row != 0; row = next(s, CH_T_SHARE, row)) {
        const struct ch_row_share *share = ch_share_row(s, row);
        const uint32_t root = ch_root_of(s, share->account);
        const uint32_t owner = ch_account_row(s, root)->owner;
        const bool owns = ch_is_built_in(s, share->role, "owner");
        HOLDS(owns == (owner == row), "a tree has one owner");
        if (!owns) continue;
        const struct ch_row_terms *terms = ch_terms_of(s, share);
        HOLDS(share->subject_kind == CH_subject_kind_user && share->reach == CH_reach_subtree &&
                  share->status == CH_share_status_active && share->kind == CH_share_kind_member &&
                  terms->expires_at == 0 && terms->denied == 0 && terms->limited_kinds == 0 &&
                  share->member_count == 0,
              "nothing is taken from an owner's share");
    }
    return NULL;
}

static const char *terms_of_shares(struct tally *t)
{
    const struct ch_state *s = t->state;
    for (uint32_t row = next(s, CH_T_TERMS, 0); row != 0; row = next(s, CH_T_TERMS, row)) {
        const struct ch_row_terms *terms = ch_terms_row(s, row);
        HOLDS(live(s, CH_T_SHARE, terms->share) && ch_share_row(s, terms->share)->terms == row,
              "terms are of one share, which knows them");
        HOLDS(count_scopes(t, terms->denied), "a restriction's set is there");
        HOLDS(count_scopes(t, terms->own), "a share's own scopes are there");
        HOLDS((terms->own == 0) == (terms->own_seq == 0) &&
                  (terms->denied == 0) == (terms->denied_seq == 0),
              "a share's own scopes, and its restrictions, were set by an event");
        HOLDS((terms->expires_at != 0) == (terms->due != 0), "a share that ends is in the heap");
        HOLDS((terms->expires_at != 0) == (terms->expiry_seq != 0), "its end was set by an event");
        for (uint32_t kind = 1; kind <= CH_LIMITED_KINDS; kind++) {
            HOLDS((terms->limited_kinds >> kind & 1) == (terms->limited_seq[kind - 1] != 0),
                  "a share was limited on a kind by an event");
        }
        HOLDS(terms->status_seq == 0 || ch_share_row(s, terms->share)->seat == 0,
              "since when a user's share stands so is in the seat");
        HOLDS((terms->own | terms->denied | terms->due | terms->limited_kinds |
               terms->certified_by) != 0 ||
                  terms->status_seq != 0,
              "a share without terms has no row of them");
        t->dues += terms->due != 0;
    }
    return NULL;
}

const char *ch_shares_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t sums[3] = {0, 0, 0}; /* grants, limited resources, members in lists */
    for (uint32_t row = next(s, CH_T_SHARE, 0); row != 0; row = next(s, CH_T_SHARE, row)) {
        const struct ch_row_share *share = ch_share_row(s, row);
        const bool of_user = share->subject_kind == CH_subject_kind_user;
        HOLDS(live(s, CH_T_ACCOUNT, share->account), "a share's account is there");
        HOLDS(live(s, of_user ? CH_T_USER : CH_T_GROUP, share->subject),
              "a share's subject is there");
        HOLDS(share->id != 0 && share->id <= share->changed && share->changed <= ch_meta(s)->head,
              "a share's seqs are in order");
        HOLDS(ch_find_share_id(s, share->id) == row, "a share is found by id");
        HOLDS(ch_find_share(s, share->subject_kind, share->subject, share->account) == row,
              "a share is found, and a subject has one of an account");
        if (share->role != 0) {
            HOLDS(live(s, CH_T_ROLE, share->role), "a share's role is there");
            const uint32_t owner = ch_role_row(s, share->role)->account;
            HOLDS(owner == 0 || owner == share->account,
                  "a share's role is built in or its account's");
        }
        HOLDS(share->terms == 0 || (live(s, CH_T_TERMS, share->terms) &&
                                    ch_terms_row(s, share->terms)->share == row),
              "a share's terms are its own");
        HOLDS(ch_days_are_right(s, share), "a share's days of use lie in the past");
        HOLDS(of_user ? live(s, CH_T_SEAT, share->seat) &&
                            ch_seat_share(ch_seat_row(s, share->seat)) == row
                      : share->seat == 0,
              "a user's share has its place in the list of users");
        if (!of_user) {
            uint32_t above = share->account;
            while (above != 0 && above != ch_group_row(s, share->subject)->account) {
                above = ch_account_row(s, above)->parent;
            }
            HOLDS(above != 0, "a group's share is of its account or one below");
        }
        const char *broken = share_lists(t, row, sums);
        if (broken != NULL) return broken;
    }
    const char *broken = owners(s);
    if (broken == NULL) broken = terms_of_shares(t);
    if (broken != NULL) return broken;
    HOLDS(sums[0] == live_rows(s, CH_T_GRANT), "every grant is in its share's list");
    HOLDS(sums[1] == live_rows(s, CH_T_LIMITED), "every limit is in its share's list");
    HOLDS(sums[2] == live_rows(s, CH_T_MEMBER), "every membership is in its share's list");
    return NULL;
}

const char *ch_seats_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t listed = 0;
    for (uint32_t a = next(s, CH_T_ACCOUNT, 0); a != 0; a = next(s, CH_T_ACCOUNT, a)) {
        uint32_t count = 0;
        for (uint32_t r = ch_account_row(s, a)->first_seat; r != 0;
             r = ch_seat_row(s, r)->next_of_account) {
            HOLDS(live(s, CH_T_SEAT, r) && count++ < ch_account_row(s, a)->seat_count,
                  "an account counts the seats of its users");
            HOLDS(ch_seat_row(s, r)->account == a, "a seat is listed under its account");
        }
        HOLDS(count == ch_account_row(s, a)->seat_count, "an account counts its users' seats");
        listed += count;
    }
    HOLDS(listed == live_rows(s, CH_T_SEAT), "every seat is in its account's list");
    for (uint32_t row = next(s, CH_T_SEAT, 0); row != 0; row = next(s, CH_T_SEAT, row)) {
        const struct ch_row_seat *seat = ch_seat_row(s, row);
        HOLDS(live(s, CH_T_USER, seat->user), "a seat is a user's");
        HOLDS(ch_find_seat(s, seat->user, seat->account) == row,
              "a seat is found, and a user has one on an account");
        const uint32_t share = ch_seat_share(seat);
        HOLDS(share == ch_find_share(s, CH_subject_kind_user, seat->user, seat->account),
              "a seat knows the share of its user");
        HOLDS(seat->invitation == 0 || (live(s, CH_T_INVITATION, seat->invitation) &&
                                        ch_invitation_row(s, seat->invitation)->seat == row),
              "a seat's invitation is its own");
        const struct ch_row_invitation *last = ch_invitation_of(s, row);
        const bool open = last->status == CH_invitation_open;
        const bool pending =
            share != 0 && ch_share_row(s, share)->status == CH_share_status_pending;
        HOLDS(pending == (open || last->status == CH_invitation_expired),
              "a share is pending while its invitation waits or can be sent again");
        HOLDS(open == (last->due != 0), "an open invitation is in the heap");
        HOLDS((seat->invitation == 0) == (last->status == CH_invitation_none),
              "only who was invited has an invitation");
        HOLDS(!seat->by_date || seat->ended, "a share that was ended by its date is gone");
        HOLDS(ch_seat_role_name(seat) == 0 || count_text(t, seat->holds),
              "what the role was is named");
        t->dues += last->due != 0;
    }
    for (uint32_t r = next(s, CH_T_INVITATION, 0); r != 0; r = next(s, CH_T_INVITATION, r)) {
        const struct ch_row_invitation *one = ch_invitation_row(s, r);
        HOLDS(live(s, CH_T_SEAT, one->seat) && ch_seat_row(s, one->seat)->invitation == r,
              "an invitation is of one seat, which knows it");
        HOLDS(ch_find_token(s, one->token_hash) == r, "an invitation is found by its token");
    }
    return NULL;
}
