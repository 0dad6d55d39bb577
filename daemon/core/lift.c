/* lift: what taking something away would give back; see decide_impl.h. SPDX-License-Identifier: MIT
 * A share gives, and it also denies: by its restrictions and by those of the groups that it makes
 * its user a member of. Where it ends, its subject has again what it denied and something else
 * gives. So ending, deactivating and leaving meet the same rule as a grant: nobody brings about
 * more than they have themselves. */
#include "daemon/core/decide_impl.h"

struct ch_scopes ch_share_denies(const struct ch_state *state, const struct ch_row_share *share)
{
    const struct ch_scopes denied = ch_scopes_at(state, ch_terms_of(state, share)->denied);
    if (share->kind != CH_share_kind_login) return denied;
    return ch_scopes_or(denied, ch_mask(state, CH_mask_kind_login));
}

struct lifting {
    struct ch_case *c;
    uint32_t user;          /* whose rights are looked at */
    uint32_t share, member; /* what would be gone; 0: none */
    uint32_t maker;         /* and what this user made on `on` and below */
    struct ch_scopes missing;
};

static struct ch_scopes given(const struct lifting *l, uint32_t account, bool gone)
{
    const struct ch_question question = {.user = l->user,
                                         .account = account,
                                         .wanted = {{UINT64_MAX, UINT64_MAX}},
                                         .any = true,
                                         .without_share = gone ? l->share : 0,
                                         .without_member = gone ? l->member : 0,
                                         .without_maker = gone ? l->maker : 0,
                                         .without_in = gone ? l->c->on : 0,
                                         .channel = CH_channel_web,
                                         .now = l->c->moment->now};
    struct ch_answer answer;
    ch_access(l->c->state, &question, &answer, NULL, NULL);
    return answer.given;
}

/* Adds what the user would gain on one account and the actor does not have there. */
static void look(struct lifting *l, uint32_t account)
{
    const struct ch_scopes gained =
        ch_scopes_but(given(l, account, true), given(l, account, false));
    if (ch_scopes_empty(gained)) return;
    const bool own = ch_is_own(l->c, CH_subject_kind_user, l->user);
    const struct ch_scopes beyond =
        own ? gained : ch_uncovered(l->c, account, CH_reach_account, gained, NULL);
    l->missing = ch_scopes_or(l->missing, beyond);
}

static bool is_below(const struct ch_state *state, uint32_t account, uint32_t above)
{
    for (uint32_t a = ch_account_row(state, account)->parent; a != 0;
         a = ch_account_row(state, a)->parent) {
        if (a == above) return true;
    }
    return false;
}

/* Calls for each share of the user below the account, own or of a group. */
typedef void place_fn(void *arg, uint32_t share);
static void each_below(const struct ch_state *state, uint32_t user, uint32_t account,
                       place_fn *place, void *arg)
{
    for (uint32_t s = ch_user_row(state, user)->first_share; s != 0;
         s = ch_share_row(state, s)->next_of_subject) {
        if (is_below(state, ch_share_row(state, s)->account, account)) place(arg, s);
        for (uint32_t m = ch_share_row(state, s)->first_member; m != 0;
             m = ch_member_row(state, m)->next_of_share) {
            for (uint32_t g = ch_member_row(state, m)->group; g != 0;
                 g = ch_group_row(state, g)->parent) {
                for (uint32_t h = ch_group_row(state, g)->first_share; h != 0;
                     h = ch_share_row(state, h)->next_of_subject) {
                    if (is_below(state, ch_share_row(state, h)->account, account)) place(arg, h);
                }
            }
        }
    }
}

static void look_at_share(void *arg, uint32_t share)
{
    struct lifting *l = arg;
    look(l, ch_share_row(l->c->state, share)->account);
}

static struct ch_scopes lift(struct ch_case *c, uint32_t user, uint32_t account, uint32_t share,
                             uint32_t member, uint32_t maker)
{
    struct lifting l = {.c = c, .user = user, .share = share, .member = member, .maker = maker};
    look(&l, account);
    each_below(c->state, user, account, look_at_share, &l); /* where it has other shares, too */
    return l.missing;
}

static bool counts(const struct ch_case *c, const struct ch_row_share *share)
{
    return share->status == CH_share_status_active && !ch_is_over(c->state, share, c->moment->now);
}

struct ch_scopes ch_lifted_by_share(struct ch_case *c, uint32_t row)
{
    return ch_lifted_with_made(c, row, /* maker= */ 0);
}

struct ch_scopes ch_lifted_with_made(struct ch_case *c, uint32_t row, uint32_t maker)
{
    const struct ch_scopes none = {{0, 0}};
    const struct ch_row_share *share = ch_share_row(c->state, row);
    if (c->moment->actor.kind == CH_actor_kind_operator || !counts(c, share)) return none;
    if (share->subject_kind == CH_subject_kind_user) {
        if (ch_scopes_empty(ch_share_denies(c->state, share)) && share->member_count == 0)
            return none;
        return lift(c, share->subject, share->account, row, 0, maker);
    }
    /* Its members are many: what it denies must be covered, whether one of them would gain or not.
     */
    return ch_uncovered(c, share->account, share->reach, ch_share_denies(c->state, share), NULL);
}

struct ch_scopes ch_lifted_by_leaving(struct ch_case *c, uint32_t member)
{
    const struct ch_scopes none = {{0, 0}};
    const uint32_t share = ch_member_row(c->state, member)->share;
    if (c->moment->actor.kind == CH_actor_kind_operator) return none;
    const struct ch_row_share *row = ch_share_row(c->state, share);
    return lift(c, row->subject, row->account, 0, member, 0);
}

struct ch_scopes ch_lifted_by_group(struct ch_case *c, uint32_t group)
{
    struct ch_scopes missing = {{0, 0}};
    for (uint32_t g = group; g != 0; g = ch_group_row(c->state, g)->parent) {
        for (uint32_t s = ch_group_row(c->state, g)->first_share; s != 0;
             s = ch_share_row(c->state, s)->next_of_subject) {
            missing = ch_scopes_or(missing, ch_lifted_by_share(c, s));
        }
    }
    return missing;
}

struct denying {
    const struct ch_case *c;
    struct ch_scopes scopes;
};

static void add_denied(void *arg, uint32_t row)
{
    struct denying *d = arg;
    const struct ch_row_share *share = ch_share_row(d->c->state, row);
    if (!counts(d->c, share)) return;
    d->scopes = ch_scopes_or(d->scopes, ch_share_denies(d->c->state, share));
}

struct ch_scopes ch_denied_below(const struct ch_case *c, uint32_t user, uint32_t account)
{
    struct denying d = {.c = c};
    each_below(c->state, user, account, add_denied, &d);
    return d.scopes;
}
