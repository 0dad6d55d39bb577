/* decide_ownership: rules of who owns a tree; see decide_impl.h. SPDX-License-Identifier: MIT
 * A tree has one owner, by one share of its root. Ownership passes in one event, so that at every
 * seq there is exactly one. */
#include "daemon/core/decide_impl.h"

static uint64_t user_id(const struct ch_case *c, uint32_t user)
{
    return ch_user_row(c->state, user)->id;
}

/* Whether the actor is the owner in person. */
static bool is_owner(const struct ch_case *c)
{
    return c->moment->actor.kind == CH_actor_kind_user &&
           ch_is_owner(c->state, c->moment->user_row, c->on);
}

/* Whether the user is a person who may act. */
static bool may_own(struct ch_case *c, uint32_t user)
{
    const uint32_t status = ch_user_row(c->state, user)->status;
    if (status == CH_user_status_locked) {
        return ch_reject(c, CH_REJ_user_locked, "user") == CH_REJ_none;
    }
    return status == CH_user_status_active ||
           ch_reject(c, CH_REJ_not_accepted, "user") == CH_REJ_none;
}

enum ch_rejection_code ch_decide_ownership_offer(struct ch_case *c)
{
    const struct ch_cmd_ownership_offer *args = c->call->args;
    const uint32_t user = ch_find_user(c->state, args->user.id);
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    if (account->parent != 0) return ch_reject(c, CH_REJ_not_a_root, "on");
    if (account->offer != 0) return ch_reject(c, CH_REJ_already_asked, "on");
    if (!may_own(c, user)) return CH_REJ_none;
    if (!is_owner(c)) return ch_reject(c, CH_REJ_owner_only, "on");
    if (ch_is_owner(c->state, user, c->on)) return ch_reject(c, CH_REJ_own_rights, "user");
    struct ch_ev_ownership_offered *body = ch_emit(c, CH_EV_ownership_offered, account->id);
    if (body == NULL) return CH_REJ_none;
    body->user.seq = user_id(c, user);
    body->until = ch_days_ahead(c, ch_limit(c->state, "OFFER_DAYS"));
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_ownership_withdraw(struct ch_case *c)
{
    const struct ch_cmd_ownership_withdraw *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    if (account->offer == 0) return ch_reject(c, CH_REJ_nothing_asked, "on");
    const uint64_t user = user_id(c, ch_offer_row(c->state, account->offer)->user);
    if (args->has_user && args->user.id != user) {
        return ch_reject(c, CH_REJ_nothing_asked, "user");
    }
    if (!is_owner(c)) return ch_reject(c, CH_REJ_owner_only, "on");
    struct ch_ev_ownership_withdrawn *body = ch_emit(c, CH_EV_ownership_withdrawn, account->id);
    if (body != NULL) body->user.seq = user;
    return CH_REJ_none;
}

/* The account whose tree is offered to the actor; to everybody else the offer, and the account, are
 * not there. 0 after refusing. */
static uint32_t offered(struct ch_case *c, const struct ch_ref *ref)
{
    const uint32_t account = ch_find_account(c->state, ref->id);
    const uint32_t row = ch_account_row(c->state, account)->offer;
    if (row != 0) {
        const struct ch_row_offer *offer = ch_offer_row(c->state, row);
        if (offer->user == c->moment->user_row && offer->until > c->moment->now) return account;
    }
    (void)ch_reject(c, CH_REJ_not_found, "account");
    return 0;
}

static enum ch_rejection_code transfer(struct ch_case *c, uint32_t root, uint32_t user)
{
    const uint32_t owner = ch_find_role_name(c->state, 0, ch_text_of("owner"));
    const uint32_t manager = ch_find_role_name(c->state, 0, ch_text_of("account_manager"));
    const struct ch_row_account *account = ch_account_row(c->state, root);
    CH_CHECK(owner != 0 && manager != 0); /* every log begins with them; no command deletes them */
    struct ch_ev_ownership_transferred *body = ch_emit(c, CH_EV_ownership_transferred, account->id);
    if (body == NULL) return CH_REJ_none;
    body->user.seq = user_id(c, user);
    body->role.seq = ch_role_row(c->state, owner)->id;
    if (account->owner == 0) return CH_REJ_none;
    body->has_former = true;
    body->former.seq = ch_share_row(c->state, account->owner)->id;
    body->has_former_role = true;
    body->former_role.seq = ch_role_row(c->state, manager)->id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_ownership_accept(struct ch_case *c)
{
    const struct ch_cmd_ownership_accept *args = c->call->args;
    const uint32_t account = offered(c, &args->account);
    if (account == 0) return CH_REJ_none;
    if (!ch_is_open(c->state, account)) return ch_reject(c, CH_REJ_account_closed, "account");
    return transfer(c, account, c->moment->user_row);
}

enum ch_rejection_code ch_decide_ownership_decline(struct ch_case *c)
{
    const struct ch_cmd_ownership_decline *args = c->call->args;
    const uint32_t account = offered(c, &args->account);
    if (account == 0) return CH_REJ_none;
    struct ch_ev_ownership_declined *body =
        ch_emit(c, CH_EV_ownership_declined, ch_account_row(c->state, account)->id);
    if (body == NULL) return CH_REJ_none;
    body->user.seq = user_id(c, c->moment->user_row);
    body->has_reason = args->has_reason;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_ownership_assign(struct ch_case *c)
{
    const struct ch_cmd_ownership_assign *args = c->call->args;
    const uint32_t user = ch_find_user(c->state, args->user.id);
    if (ch_account_row(c->state, c->on)->parent != 0) return ch_reject(c, CH_REJ_not_a_root, "on");
    if (!may_own(c, user)) return CH_REJ_none;
    if (ch_is_owner(c->state, user, c->on)) return CH_REJ_none; /* is it already */
    return transfer(c, c->on, user);
}

void ch_due_offer(struct ch_case *c, uint32_t row)
{
    const struct ch_row_offer *offer = ch_offer_row(c->state, row);
    struct ch_ev_ownership_offer_expired *body =
        ch_emit(c, CH_EV_ownership_offer_expired, ch_account_row(c->state, offer->account)->id);
    if (body != NULL) body->user.seq = user_id(c, offer->user);
}
