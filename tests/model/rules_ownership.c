/* rules_ownership: who owns a tree, in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

/* One event: the new owner's only share in the tree is that of its root, and who owned it before
 * manages it. */
static void pass_ownership(struct o_case *k, struct o_account *root, uint64_t user)
{
    struct o_world *w = k->w;
    const uint64_t owner = o_built_in(w, "owner")->id;
    const uint64_t manager = o_built_in(w, "account_manager")->id;
    uint64_t seq = o_event(k, CH_EV_ownership_transferred, root->id);
    root->offered_to = 0;
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id == 0 || !o_stands_in(w, s->account, root->id)) continue;
        if (s->subject_kind == CH_subject_kind_user && s->subject == user) {
            o_end_share(w, s);
        } else if (s->role == owner) {
            s->role = manager;
        }
    }
    const struct o_share made = {.account = root->id,
                                 .subject_kind = CH_subject_kind_user,
                                 .subject = user,
                                 .role = owner,
                                 .reach = CH_reach_subtree};
    (void)o_new_share(k, &made, seq);
}

/* Whether the user is a person who may act. */
static void may_own(struct o_case *k)
{
    const uint8_t status = k->user->status;
    o_break_if(k, status == CH_user_status_locked, CH_REJ_user_locked);
    o_break_if(k, status != CH_user_status_locked && status != CH_user_status_active,
               CH_REJ_not_accepted);
}

static void offer(struct o_case *k)
{
    uint64_t owner = o_owner(k->w, k->on->id);
    o_break_if(k, k->on->parent != 0, CH_REJ_not_a_root);
    o_break_if(k, k->on->offered_to != 0, CH_REJ_already_asked);
    may_own(k);
    o_break_if(k, k->c->actor_kind != CH_actor_kind_user || k->c->actor != owner,
               CH_REJ_owner_only);
    o_break_if(k, k->user->id == owner, CH_REJ_own_rights);
    if (k->code != 0) return;
    o_event(k, CH_EV_ownership_offered, k->on->id);
    k->on->offered_to = k->user->id;
    k->on->offered_until = k->c->now + k->w->offer_days * O_DAY_NS;
}

static void withdraw(struct o_case *k)
{
    uint64_t owner = o_owner(k->w, k->on->id);
    o_break_if(k, k->on->offered_to == 0, CH_REJ_nothing_asked);
    o_break_if(k, k->user != NULL && k->on->offered_to != k->user->id, CH_REJ_nothing_asked);
    o_break_if(k, k->c->actor_kind != CH_actor_kind_user || k->c->actor != owner,
               CH_REJ_owner_only);
    if (k->code != 0) return;
    o_event(k, CH_EV_ownership_withdrawn, k->on->id);
    k->on->offered_to = 0;
}

/* To everybody but the one it was made to, the offer is not there. */
static void answer_offer(struct o_case *k, bool accepts)
{
    struct o_account *root = k->account;
    o_break_if(k, root->offered_to != k->c->actor || root->offered_until <= k->c->now,
               CH_REJ_not_found);
    if (k->code != 0) return;
    if (accepts) {
        o_break_if(k, o_closed(k->w, root->id), CH_REJ_account_closed);
        if (k->code == 0) pass_ownership(k, root, k->c->actor);
        return;
    }
    o_event(k, CH_EV_ownership_declined, root->id);
    root->offered_to = 0;
}

void o_ownership_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_ownership_offer) offer(k);
    if (type == CH_CMD_ownership_withdraw) withdraw(k);
    if (type == CH_CMD_ownership_accept) answer_offer(k, true);
    if (type == CH_CMD_ownership_decline) answer_offer(k, false);
    if (type != CH_CMD_ownership_assign) return;
    o_break_if(k, k->on->parent != 0, CH_REJ_not_a_root);
    may_own(k);
    if (k->code != 0 || o_owner(k->w, k->on->id) == k->user->id) return;
    pass_ownership(k, k->on, k->user->id);
}
