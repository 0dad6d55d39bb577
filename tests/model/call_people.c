/* call_people: commands about people, keys, requests, for core. SPDX-License-Identifier: MIT */
#include "daemon/core/store.h"
#include "tests/model/call_impl.h"

/* The secret that was minted for a command, as its receiver sends it back. */
static struct ch_secret token_of(const struct o_command *c)
{
    struct ch_secret secret = {.text = ch_text_of("cht_model")};
    const uint64_t number = c->token / O_PICKED_ACCOUNTS, n = c->token % O_PICKED_ACCOUNTS;
    ch_put_be64(secret.hash, ch_hash_mix(number, n));
    ch_put_be64(secret.hash + 8, number);
    ch_put_be64(secret.hash + 16, n);
    return secret;
}

static void *user_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_user_update_profile) {
        ARGS(user_update_profile);
        args->has_username = c->has_name;
        if (c->has_name) args->username = m_named(c->name);
        args->has_email = c->has_email;
        if (c->has_email) args->email = m_named(c->email);
        args->has_full_name = c->has_full_name;
        if (c->has_full_name) args->full_name = m_named(c->full_name);
        return args;
    }
    if (c->type == CH_CMD_user_set_password) {
        ARGS(user_set_password);
        args->has_user = c->user.given;
        args->user = m_ref(&c->user);
        args->has_old = c->has_old;
        args->old = m_own_password(c);
        args->password = m_password(c);
        return args;
    }
    if (c->type == CH_CMD_session_log_in) {
        ARGS(session_log_in);
        args->user = m_ref(&c->user);
        args->password = m_own_password(c);
        args->has_seconds = c->has_amount[0];
        args->seconds = c->amount[0];
        return args;
    }
    if (c->type == CH_CMD_session_log_out) {
        ARGS(session_log_out);
        args->has_session = c->has_thing;
        args->session.seq = c->thing;
        args->has_all = c->has_flag;
        args->all = c->flag;
        return args;
    }
    if (c->type == CH_CMD_account_switch) return m_take(arena, 1);
    if (c->type == CH_CMD_account_open_own) {
        ARGS(account_open_own);
        args->name = ch_text_of(c->name);
        return args;
    }
    return NULL;
}

static void *invitation_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_share_invite) {
        ARGS(share_invite);
        args->email = m_named(c->email);
        args->has_full_name = c->has_full_name;
        if (c->has_full_name) args->full_name = m_named(c->full_name);
        args->accounts = m_refs(c->accounts, c->account_count, arena);
        args->accounts_len = c->account_count;
        args->has_role = c->role.given;
        args->role = m_ref(&c->role);
        args->has_scopes = c->has_scopes;
        args->scopes = c->scopes;
        args->has_reach = c->has_reach;
        args->reach = c->reach;
        args->pages = m_refs(c->pages, c->page_count, arena);
        args->pages_len = c->page_count;
        args->has_expires_at = c->has_expiry;
        args->expires_at = c->expires_at;
        args->lists = m_texts(c->chosen[1], arena, &args->lists_len);
        args->campaigns = m_texts(c->chosen[2], arena, &args->campaigns_len);
        args->automations = m_texts(c->chosen[3], arena, &args->automations_len);
        args->contact_groups = m_texts(c->chosen[4], arena, &args->contact_groups_len);
        args->templates = m_texts(c->chosen[5], arena, &args->templates_len);
        return args;
    }
    if (c->type == CH_CMD_invitation_resend) {
        ARGS(invitation_resend);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_invitation_cancel) {
        ARGS(invitation_cancel);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_invitation_accept) {
        ARGS(invitation_accept);
        args->token = token_of(c);
        args->has_password = c->has_password;
        args->password = m_password(c);
        return args;
    }
    if (c->type == CH_CMD_invitation_decline) {
        ARGS(invitation_decline);
        args->token = token_of(c);
        return args;
    }
    return NULL;
}

static const uint8_t *restrictions_of(const struct o_command *c, struct ch_arena *arena,
                                      uint32_t *ret_count)
{
    uint8_t *list = m_take(arena, O_RESTRICTIONS);
    *ret_count = 0;
    for (uint32_t i = 0; i < O_RESTRICTIONS; i++) {
        if (c->restrictions >> i & 1) list[(*ret_count)++] = (uint8_t)i;
    }
    return list;
}

static void *login_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_login_create) {
        ARGS(login_create);
        args->username = m_named(c->login);
        args->has_password = c->has_password;
        args->password = m_password(c);
        args->has_full_name = c->has_full_name;
        if (c->has_full_name) args->full_name = m_named(c->full_name);
        args->restrictions = restrictions_of(c, arena, &args->restrictions_len);
        args->has_expires_at = c->has_expiry;
        args->expires_at = c->expires_at;
        return args;
    }
    if (c->type == CH_CMD_login_edit) {
        ARGS(login_edit);
        args->user = m_ref(&c->user);
        args->restrictions = restrictions_of(c, arena, &args->restrictions_len);
        return args;
    }
    if (c->type == CH_CMD_login_delete) {
        ARGS(login_delete);
        args->user = m_ref(&c->user);
        return args;
    }
    return NULL;
}

static void *key_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_key_create) {
        ARGS(key_create);
        args->name = ch_text_of(c->name);
        args->has_kind = c->has_share_kind;
        args->kind = c->share_kind;
        args->scopes = c->scopes;
        args->has_expires_at = c->has_expiry;
        args->expires_at = c->expires_at;
        return args;
    }
    if (c->type == CH_CMD_key_rename) {
        ARGS(key_rename);
        args->key.seq = c->thing;
        args->name = ch_text_of(c->name);
        return args;
    }
    if (c->type == CH_CMD_key_rotate) {
        ARGS(key_rotate);
        args->key.seq = c->thing;
        args->has_overlap_s = c->has_amount[0];
        args->overlap_s = c->amount[0];
        return args;
    }
    if (c->type == CH_CMD_key_revoke) {
        ARGS(key_revoke);
        args->key.seq = c->thing;
        return args;
    }
    return NULL;
}

static void *request_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_access_request) {
        ARGS(access_request);
        args->has_scopes = c->has_scopes;
        args->scopes = c->scopes;
        args->has_page = c->page.given;
        args->page = m_ref(&c->page);
        args->has_kind = c->has_kind;
        args->kind = c->resource_kind;
        args->has_resource = c->has_resource;
        args->resource = ch_text_of(o_resources[c->resource]);
        args->has_remark = (c->now & 1) != 0;
        args->remark = m_named("for the spring sale");
        return args;
    }
    if (c->type == CH_CMD_access_approve) {
        ARGS(access_approve);
        args->request.seq = c->thing;
        return args;
    }
    if (c->type == CH_CMD_access_deny) {
        ARGS(access_deny);
        args->request.seq = c->thing;
        args->reason = m_named("not now");
        return args;
    }
    if (c->type == CH_CMD_access_withdraw) {
        ARGS(access_withdraw);
        args->request.seq = c->thing;
        return args;
    }
    return NULL;
}

static struct ch_share_id *listed(const struct o_command *c, struct ch_arena *arena)
{
    struct ch_share_id *ids = m_take(arena, sizeof c->listed / sizeof *c->listed * sizeof *ids);
    for (uint32_t i = 0; i < c->listed_count; i++) {
        ids[i].seq = c->listed[i];
    }
    return ids;
}

static void *review_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_access_set_review) {
        ARGS(access_set_review);
        args->has_every_days = c->has_amount[0];
        args->every_days = c->amount[0];
        return args;
    }
    if (c->type == CH_CMD_access_certify) {
        ARGS(access_certify);
        args->shares = listed(c, arena);
        args->shares_len = c->listed_count;
        return args;
    }
    if (c->type == CH_CMD_access_review_end) {
        ARGS(access_review_end);
        args->shares = listed(c, arena);
        args->shares_len = c->listed_count;
        args->has_unused_days = c->has_amount[0];
        args->unused_days = c->amount[0];
        args->has_due = c->has_flag;
        args->due = c->flag;
        return args;
    }
    return NULL;
}

void *m_people_args(const struct o_command *c, struct ch_arena *arena)
{
    void *args = user_args(c, arena);
    if (args == NULL) args = invitation_args(c, arena);
    if (args == NULL) args = login_args(c, arena);
    if (args == NULL) args = key_args(c, arena);
    if (args == NULL) args = request_args(c, arena);
    if (args == NULL) args = review_args(c, arena);
    return args;
}
