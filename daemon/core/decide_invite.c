/* decide_invite: rules of invitations; see decide_impl.h. SPDX-License-Identifier: MIT
 * An invitation is a pending share and a token, whose hash the log keeps. The token itself goes
 * through the log to the mailer, sealed to its key, and nowhere else. */
#include "daemon/core/calendar.h"
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

/* Until when an invitation that is sent now can be accepted. */
static uint64_t open_until(const struct ch_case *c)
{
    return c->moment->now + ch_limit(c->state, "INVITATION_DAYS") * CH_DAY_NS;
}

/* The account of the `i`th share that is asked for: by its place in the list, or `on`. */
static uint32_t account_at(const struct ch_case *c, const struct ch_cmd_share_invite *args,
                           uint32_t i)
{
    return args->accounts_len == 0 ? c->on : ch_find_account(c->state, args->accounts[i].id);
}

static uint32_t account_count(const struct ch_cmd_share_invite *args)
{
    return args->accounts_len == 0 ? 1 : args->accounts_len;
}

/* What the invitation gives, restrictions taken off: nobody gives what they do not have. */
static struct ch_scopes given(const struct ch_case *c, const struct ch_cmd_share_invite *args)
{
    struct ch_scopes gives = args->has_scopes ? args->scopes : (struct ch_scopes){{0, 0}};
    if (args->has_role) {
        const uint32_t role = ch_find_role(c->state, args->role.id);
        gives = ch_scopes_or(gives, ch_scopes_at(c->state, ch_role_row(c->state, role)->scopes));
    }
    return ch_scopes_but(gives, ch_pages_scopes(c->state, args->pages, args->pages_len));
}

static uint32_t chosen_resources(const struct ch_cmd_share_invite *args)
{
    return args->lists_len + args->campaigns_len + args->automations_len +
           args->contact_groups_len + args->templates_len;
}

/* Whether each account may be shared, by the scope: each stands for itself. */
static bool may_share(struct ch_case *c, const struct ch_cmd_share_invite *args)
{
    for (uint32_t i = 0; i < args->accounts_len; i++) {
        const uint32_t account = account_at(c, args, i);
        if (!ch_may_there(c, account, CH_SCOPE_shares_create, "accounts")) return false;
    }
    return true;
}

/* Whether the actor has on each what the invitation gives. */
static bool covers(struct ch_case *c, const struct ch_cmd_share_invite *args)
{
    const uint8_t reach = args->has_reach ? args->reach : (uint8_t)CH_reach_account;
    for (uint32_t i = 0; i < account_count(args); i++) {
        const struct ch_scopes missing =
            ch_uncovered(c, account_at(c, args, i), reach, given(c, args), NULL);
        if (ch_scopes_empty(missing)) continue;
        (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, "role", missing);
        return false;
    }
    return true;
}

/* The user's pending share of the account, where its invitation can be accepted no longer; 0: none.
 * It does not stand in the way of another one. */
static uint32_t lapsed_share(const struct ch_case *c, uint32_t user, uint32_t account)
{
    const uint32_t row =
        user == 0 ? 0 : ch_find_share(c->state, CH_subject_kind_user, user, account);
    if (row == 0 || ch_share_row(c->state, row)->status != CH_share_status_pending) return 0;
    const struct ch_row_invitation *last =
        ch_invitation_of(c->state, ch_share_row(c->state, row)->seat);
    const bool open = last->status == CH_invitation_open && last->open_until > c->moment->now;
    return open ? 0 : row;
}

/* Whether the user has a share of one of the accounts, or one of them is named twice. */
static bool shared_already(const struct ch_case *c, const struct ch_cmd_share_invite *args,
                           uint32_t user)
{
    for (uint32_t i = 0; i < account_count(args); i++) {
        const uint32_t account = account_at(c, args, i);
        if (user != 0 && ch_find_share(c->state, CH_subject_kind_user, user, account) != 0 &&
            lapsed_share(c, user, account) == 0) {
            return true;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (account_at(c, args, k) == account) return true;
        }
    }
    return false;
}

/* Whether the user owns one of the trees: a share beside the owner's could only restrict them. */
static bool is_owners(const struct ch_case *c, const struct ch_cmd_share_invite *args,
                      uint32_t user)
{
    for (uint32_t i = 0; user != 0 && i < account_count(args); i++) {
        if (ch_is_owner(c->state, user, account_at(c, args, i))) return true;
    }
    return false;
}

/* An own role is of one account. */
static bool role_is_of(const struct ch_case *c, const struct ch_cmd_share_invite *args)
{
    if (!args->has_role) return true;
    const uint32_t owner = ch_role_row(c->state, ch_find_role(c->state, args->role.id))->account;
    for (uint32_t i = 0; owner != 0 && i < account_count(args); i++) {
        if (account_at(c, args, i) != owner) return false;
    }
    return true;
}

static bool mailable(const struct ch_case *c, uint32_t count)
{
    if (c->moment->minted_count < count) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (c->moment->minted[i].sealed.len == 0) return false;
    }
    return true;
}

static uint64_t emit_user(struct ch_case *c, const struct ch_cmd_share_invite *args)
{
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    struct ch_ev_user_invited *body = ch_emit(c, CH_EV_user_invited, account);
    if (body == NULL) return 0;
    body->number = ch_meta(c->state)->next_user_number;
    body->has_email = true;
    body->email = args->email;
    body->has_full_name = args->has_full_name;
    body->full_name = args->full_name;
    return c->ret->events[c->ret->count - 1].seq;
}

/* The chosen resources of an invitation, by kind. */
struct chosen {
    uint8_t kind;
    const struct ch_text *resources;
    uint32_t count;
};
enum { CHOSEN_KINDS = 5 };

static void chosen_of(const struct ch_cmd_share_invite *args, struct chosen *ret)
{
    ret[0] = (struct chosen){CH_resource_kind_list, args->lists, args->lists_len};
    ret[1] = (struct chosen){CH_resource_kind_campaign, args->campaigns, args->campaigns_len};
    ret[2] = (struct chosen){CH_resource_kind_automation, args->automations, args->automations_len};
    ret[3] = (struct chosen){CH_resource_kind_contact_group, args->contact_groups,
                             args->contact_groups_len};
    ret[4] = (struct chosen){CH_resource_kind_template, args->templates, args->templates_len};
}

static struct ch_scopes of_kind(const struct ch_state *state, struct ch_scopes scopes, uint8_t kind)
{
    struct ch_scopes some = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_has(scopes, (uint8_t)scope) && ch_meta(state)->scope_kinds[scope] == kind) {
            ch_scopes_add(&some, (uint8_t)scope);
        }
    }
    return some;
}

static void emit_grant(struct ch_case *c, uint64_t account, uint64_t share, uint8_t kind,
                       struct ch_text resource, struct ch_scopes scopes)
{
    struct ch_ev_grant_set *body = ch_emit(c, CH_EV_grant_set, account);
    if (body == NULL) return;
    body->share.seq = share;
    body->kind = kind;
    body->resource = resource;
    body->scopes = scopes;
}

/* Limits what the role gives to the chosen resources, and gives the actions of its own that take
 * such a resource on these only; the others hold for all. */
static void emit_custom(struct ch_case *c, const struct ch_cmd_share_invite *args, uint64_t account,
                        uint64_t share)
{
    struct chosen chosen[CHOSEN_KINDS];
    struct ch_scopes own = args->has_scopes ? args->scopes : (struct ch_scopes){{0, 0}};
    chosen_of(args, chosen);
    for (uint32_t k = 0; k < CHOSEN_KINDS; k++) {
        if (chosen[k].count == 0) continue;
        struct ch_ev_share_limited *body = ch_emit(c, CH_EV_share_limited, account);
        if (body == NULL) return;
        body->share.seq = share;
        body->kind = chosen[k].kind;
        body->resources = chosen[k].resources;
        body->resources_len = chosen[k].count;
        const struct ch_scopes scopes = of_kind(c->state, own, chosen[k].kind);
        for (uint32_t i = 0; !ch_scopes_empty(scopes) && i < chosen[k].count; i++) {
            emit_grant(c, account, share, chosen[k].kind, chosen[k].resources[i], scopes);
        }
        own = ch_scopes_but(own, scopes);
    }
    if (ch_scopes_empty(own)) return;
    struct ch_ev_share_scopes_set *body = ch_emit(c, CH_EV_share_scopes_set, account);
    if (body == NULL) return;
    body->share.seq = share;
    body->scopes = own;
}

static void emit_share(struct ch_case *c, const struct ch_cmd_share_invite *args, uint32_t i,
                       uint64_t user)
{
    const uint64_t account = ch_account_row(c->state, account_at(c, args, i))->id;
    struct ch_ev_share_invited *body = ch_emit(c, CH_EV_share_invited, account);
    if (body == NULL) return;
    const struct ch_minted *minted = &c->moment->minted[i];
    const uint64_t share = c->ret->events[c->ret->count - 1].seq;
    body->user.seq = user;
    body->has_role = args->has_role;
    body->role.seq = args->has_role ? args->role.id : 0;
    body->reach = args->has_reach ? args->reach : (uint8_t)CH_reach_account;
    body->denied = ch_pages_scopes(c->state, args->pages, args->pages_len);
    body->has_expires_at = args->has_expires_at;
    body->expires_at = args->expires_at;
    body->token_hash = (struct ch_bytes){minted->hash, sizeof minted->hash};
    body->token_sealed = minted->sealed;
    body->open_until = open_until(c);
    emit_custom(c, args, account, share);
}

/* Ends what the new invitation replaces. Gives the user's id, or 0 where that lets them go: who was
 * only ever invited, and nowhere else. */
static uint64_t replace_lapsed(struct ch_case *c, const struct ch_cmd_share_invite *args,
                               uint32_t user)
{
    if (user == 0) return 0;
    const struct ch_row_user *row = ch_user_row(c->state, user);
    uint32_t left = row->share_count;
    for (uint32_t i = 0; i < account_count(args); i++) {
        const uint32_t share = lapsed_share(c, user, account_at(c, args, i));
        if (share == 0) continue;
        (void)ch_cancel_invitation(c, share);
        left--;
    }
    return row->status == CH_user_status_invited && left == 0 ? 0 : row->id;
}

enum ch_rejection_code ch_decide_share_invite(struct ch_case *c)
{
    const struct ch_cmd_share_invite *args = c->call->args;
    const uint32_t user = ch_find_user_hash(c->state, CH_KIND_email, args->email.hash);
    const uint32_t count = account_count(args);
    const bool own = user != 0 && ch_is_own(c, CH_subject_kind_user, user);
    if (!role_is_of(c, args)) return ch_reject(c, CH_REJ_not_found, "role");
    if (!may_share(c, args)) return CH_REJ_none;
    if (own) return ch_reject(c, CH_REJ_own_rights, "email");
    if (!covers(c, args)) return CH_REJ_none;
    if (args->has_scopes && !ch_is_givable(c, args->scopes, "scopes")) return CH_REJ_none;
    if (args->has_role &&
        ch_is_built_in(c->state, ch_find_role(c->state, args->role.id), "owner")) {
        return ch_reject(c, CH_REJ_owner_share, "role");
    }
    if (is_owners(c, args, user)) return ch_reject(c, CH_REJ_owner_share, "email");
    if (shared_already(c, args, user)) {
        return ch_reject(c, CH_REJ_share_exists, args->accounts_len > 0 ? "accounts" : "email");
    }
    if (!args->has_role && !args->has_scopes) return ch_reject(c, CH_REJ_no_permission, "role");
    if (count > 1 && chosen_resources(args) > 0)
        return ch_reject(c, CH_REJ_one_account, "accounts");
    if (args->has_expires_at && args->expires_at <= c->moment->now) {
        return ch_reject(c, CH_REJ_in_the_past, "expires_at");
    }
    if (!mailable(c, count)) return ch_reject(c, CH_REJ_mailer_missing, NULL);
    if (args->has_scopes && chosen_resources(args) > LIMIT_GRANTS_OF_SHARE) {
        return ch_reject_limit(c, "GRANTS_OF_SHARE", "lists");
    }
    uint64_t id = replace_lapsed(c, args, user);
    if (id == 0) id = emit_user(c, args);
    for (uint32_t i = 0; i < count; i++) {
        emit_share(c, args, i, id);
    }
    return CH_REJ_none;
}

/* Sending anew gives, so what the share gives must be covered. */
enum ch_rejection_code ch_decide_invitation_resend(struct ch_case *c)
{
    const struct ch_cmd_invitation_resend *args = c->call->args;
    const uint32_t row = ch_share_to_change(c, true, &args->user, false, NULL);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const struct ch_scopes missing =
        ch_scopes_or(ch_uncovered_share(c, row), ch_uncovered_memberships(c, row));
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "user", missing);
    }
    if (share->status == CH_share_status_active) return ch_reject(c, CH_REJ_no_invitation, "user");
    if (!mailable(c, 1)) return ch_reject(c, CH_REJ_mailer_missing, NULL);
    const uint64_t account = ch_account_row(c->state, share->account)->id;
    struct ch_ev_invitation_sent *body = ch_emit(c, CH_EV_invitation_sent, account);
    if (body == NULL) return CH_REJ_none;
    const struct ch_minted *minted = &c->moment->minted[0];
    body->share.seq = share->id;
    body->token_hash = (struct ch_bytes){minted->hash, sizeof minted->hash};
    body->token_sealed = minted->sealed;
    body->open_until = open_until(c);
    return CH_REJ_none;
}

enum ch_rejection_code ch_cancel_invitation(struct ch_case *c, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const uint64_t account = ch_account_row(c->state, share->account)->id;
    struct ch_ev_invitation_cancelled *body = ch_emit(c, CH_EV_invitation_cancelled, account);
    if (body != NULL) body->share.seq = share->id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_invitation_cancel(struct ch_case *c)
{
    const struct ch_cmd_invitation_cancel *args = c->call->args;
    const uint32_t row = ch_share_to_change(c, true, &args->user, false, NULL);
    if (row == 0) return CH_REJ_none;
    if (ch_share_row(c->state, row)->status != CH_share_status_pending) {
        return ch_reject(c, CH_REJ_no_invitation, "user");
    }
    return ch_cancel_invitation(c, row);
}

/* The seat whose invitation waits and has this token; 0 after refusing. */
static uint32_t invited_seat(struct ch_case *c, const struct ch_secret *token)
{
    const uint32_t row = ch_find_token(c->state, token->hash);
    enum ch_rejection_code code = CH_REJ_token_wrong;
    if (row != 0) {
        const struct ch_row_invitation *last = ch_invitation_row(c->state, row);
        code = CH_REJ_none;
        switch ((enum ch_invitation)last->status) {
        case CH_invitation_none: code = CH_REJ_token_wrong; break;
        case CH_invitation_accepted:
        case CH_invitation_declined: code = CH_REJ_token_used; break;
        case CH_invitation_cancelled: code = CH_REJ_token_cancelled; break;
        case CH_invitation_expired: code = CH_REJ_token_expired; break;
        case CH_invitation_open:
            if (last->open_until <= c->moment->now) code = CH_REJ_token_expired;
            break;
        case CH_invitation_end_: CH_CHECK(last->status != CH_invitation_end_); break;
        }
    }
    if (code == CH_REJ_none) return ch_invitation_row(c->state, row)->seat;
    (void)ch_reject(c, code, "token");
    return 0;
}

/* Whether the actor is a person, and not the one who was invited. */
static bool is_other_person(const struct ch_case *c, const struct ch_row_seat *seat)
{
    return c->moment->actor.kind == CH_actor_kind_user && c->moment->user_row != seat->user;
}

/* A new person comes by the platform, which is told the password; who has credentials uses them, so
 * that a mail alone that somebody else reads gives nothing of theirs away. */
enum ch_rejection_code ch_decide_invitation_accept(struct ch_case *c)
{
    const struct ch_cmd_invitation_accept *args = c->call->args;
    const uint32_t row = invited_seat(c, &args->token);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_seat *seat = ch_seat_row(c->state, row);
    const struct ch_row_user *user = ch_user_row(c->state, seat->user);
    const bool fresh = user->status == CH_user_status_invited;
    const bool person = c->moment->actor.kind == CH_actor_kind_user;
    if (is_other_person(c, seat)) return ch_reject(c, CH_REJ_other_person, "token");
    if (!fresh && !person) return ch_reject(c, CH_REJ_log_in_first, "token");
    if (fresh && !args->has_password) return ch_reject(c, CH_REJ_password_missing, "password");
    if (!ch_is_open(c->state, seat->account)) return ch_reject(c, CH_REJ_account_closed, "token");
    if (user->status == CH_user_status_locked) return ch_reject(c, CH_REJ_user_locked, NULL);
    if (!fresh && args->has_password) return ch_reject(c, CH_REJ_password_known, "password");
    const uint64_t account = ch_account_row(c->state, seat->account)->id;
    struct ch_ev_invitation_accepted *body = ch_emit(c, CH_EV_invitation_accepted, account);
    if (body == NULL) return CH_REJ_none;
    body->share.seq = ch_share_row(c->state, ch_seat_share(seat))->id;
    body->user.seq = user->id;
    if (!fresh) return CH_REJ_none;
    struct ch_ev_password_set *password = ch_emit(c, CH_EV_password_set, /* account= */ 0);
    if (password == NULL) return CH_REJ_none;
    CH_CHECK(args->password.verifier.len > 0);
    password->user.seq = user->id;
    password->has_verifier = true;
    password->verifier.text = args->password.verifier;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_invitation_decline(struct ch_case *c)
{
    const struct ch_cmd_invitation_decline *args = c->call->args;
    const uint32_t row = invited_seat(c, &args->token);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_seat *seat = ch_seat_row(c->state, row);
    if (is_other_person(c, seat)) return ch_reject(c, CH_REJ_other_person, "token");
    const uint64_t account = ch_account_row(c->state, seat->account)->id;
    struct ch_ev_invitation_declined *body = ch_emit(c, CH_EV_invitation_declined, account);
    if (body != NULL) body->share.seq = ch_share_row(c->state, ch_seat_share(seat))->id;
    return CH_REJ_none;
}
