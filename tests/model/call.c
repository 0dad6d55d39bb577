/* call: a command of the model as core takes it. SPDX-License-Identifier: MIT */
#include "tests/model/call.h"

#include "daemon/core/store.h"
#include "tests/model/call_impl.h"

void m_name_hash(const char *name, uint8_t ret[CH_KEYED_HASH_BYTES])
{
    char folded[3 * O_NAME + 1] = "";
    size_t len = strlen(name);
    CH_CHECK(len < sizeof folded - 1);
    for (size_t i = 0; i < len; i++) {
        folded[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    }
    ch_put_be64(ret, ch_hash_bytes(folded, len));
    folded[len] = '+';
    ch_put_be64(ret + 8, ch_hash_bytes(folded, len + 1));
}

struct ch_ref m_ref(const struct o_pick *pick)
{
    struct ch_ref ref = {.id = pick->id};
    if (pick->id == 0) {
        ref.name = ch_text_of(pick->name);
        m_name_hash(pick->name, ref.hash);
    }
    return ref;
}

struct ch_named m_named(const char *text)
{
    struct ch_named n = {.text = ch_text_of(text)};
    m_name_hash(text, n.hash);
    return n;
}

/* Compared, or hashed, by Argon2id before it comes to core. */
struct ch_secret m_password(const struct o_command *c)
{
    (void)c;
    return (struct ch_secret){.verifier = ch_text_of("$argon2id$of$the$model")};
}

struct ch_secret m_own_password(const struct o_command *c)
{
    return (struct ch_secret){.good = c->old_good, .of = c->old_of};
}

void *m_take(struct ch_arena *arena, size_t bytes)
{
    void *ptr = ch_arena_take(arena, bytes == 0 ? 1 : bytes);
    CH_CHECK(ptr != NULL);
    return ptr;
}

#define SUBJECT                                                                                    \
    args->has_user = c->user.given;                                                                \
    args->user = m_ref(&c->user);                                                                  \
    args->has_group = c->group.given;                                                              \
    args->group = m_ref(&c->group)

#define SWITCHES                                                                                   \
    args->has_use_master_header_footer = c->has_switch[0];                                         \
    args->use_master_header_footer = c->switch_on[0];                                              \
    args->has_feed_from_master = c->has_switch[1];                                                 \
    args->feed_from_master = c->switch_on[1];                                                      \
    args->has_content_locked = c->has_switch[2];                                                   \
    args->content_locked = c->switch_on[2];                                                        \
    args->has_use_master_unsubscribe_list = c->has_switch[3];                                      \
    args->use_master_unsubscribe_list = c->switch_on[3];                                           \
    args->has_honour_list_in_master = c->has_switch[4];                                            \
    args->honour_list_in_master = c->switch_on[4]

static void *account_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_account_open_master) {
        ARGS(account_open_master);
        args->name = ch_text_of(c->name);
        args->has_owner = c->user.given;
        args->owner = m_ref(&c->user);
        args->has_sub_depth = c->has_depth;
        args->sub_depth = c->depth;
        return args;
    }
    if (c->type == CH_CMD_account_open_sub) {
        ARGS(account_open_sub);
        args->name = ch_text_of(c->name);
        args->has_username = c->has_name;
        if (c->has_name) args->username = m_named(c->login);
        args->has_password = c->has_password;
        args->password = m_password(c);
        args->has_full_name = c->has_full_name;
        if (c->has_full_name) args->full_name = m_named(c->full_name);
        args->has_from_domain = c->domain[0] != 0;
        args->from_domain = ch_text_of(c->domain);
        SWITCHES;
        return args;
    }
    if (c->type == CH_CMD_account_close) {
        ARGS(account_close);
        args->has_below = c->has_flag;
        args->below = c->flag;
        return args;
    }
    if (c->type == CH_CMD_guardrail_set) {
        ARGS(guardrail_set);
        args->scopes = c->scopes;
        return args;
    }
    if (c->type == CH_CMD_user_create) {
        ARGS(user_create);
        args->has_username = c->has_name;
        if (c->has_name) args->username = m_named(c->name);
        args->has_email = c->has_email;
        if (c->has_email) args->email = m_named(c->email);
        args->has_full_name = c->has_full_name;
        if (c->has_full_name) args->full_name = m_named(c->full_name);
        return args;
    }
    if (c->type == CH_CMD_user_lock) {
        ARGS(user_lock);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_user_erase) {
        ARGS(user_erase);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_user_unlock) {
        ARGS(user_unlock);
        args->user = m_ref(&c->user);
        return args;
    }
    return NULL;
}

static void *ownership_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_ownership_offer) {
        ARGS(ownership_offer);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_ownership_withdraw) {
        ARGS(ownership_withdraw);
        args->has_user = c->user.given;
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_ownership_accept) {
        ARGS(ownership_accept);
        args->account = m_ref(&c->account);
        return args;
    }
    if (c->type == CH_CMD_ownership_decline) {
        ARGS(ownership_decline);
        args->account = m_ref(&c->account);
        return args;
    }
    if (c->type == CH_CMD_ownership_assign) {
        ARGS(ownership_assign);
        args->user = m_ref(&c->user);
        return args;
    }
    return NULL;
}

static void *standing_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_account_set_switches) {
        ARGS(account_set_switches);
        args->account = m_ref(&c->below);
        SWITCHES;
        return args;
    }
    if (c->type == CH_CMD_account_rename) {
        ARGS(account_rename);
        args->name = ch_text_of(c->name);
        return args;
    }
    if (c->type == CH_CMD_account_set_from_domain) {
        ARGS(account_set_from_domain);
        args->has_from_domain = c->domain[0] != 0;
        args->from_domain = ch_text_of(c->domain);
        return args;
    }
    if (c->type == CH_CMD_account_request_master) {
        ARGS(account_request_master);
        args->has_reason = (c->now & 1) != 0;
        args->reason = m_named("we grow");
        return args;
    }
    if (c->type == CH_CMD_account_reopen) {
        ARGS(account_reopen);
        args->has_below = c->has_flag;
        args->below = c->flag;
        return args;
    }
    if (c->type == CH_CMD_account_suspend) {
        ARGS(account_suspend);
        args->reason = m_named("late payment");
        return args;
    }
    if (c->type == CH_CMD_account_resume) {
        ARGS(account_resume);
        args->reason = m_named("paid");
        return args;
    }
    if (c->type == CH_CMD_account_grant_master) {
        ARGS(account_grant_master);
        args->has_sub_depth = c->has_depth;
        args->sub_depth = c->depth;
        return args;
    }
    if (c->type == CH_CMD_account_decline_master) {
        ARGS(account_decline_master);
        args->reason = m_named("not yet");
        return args;
    }
    return NULL;
}

const struct ch_text *m_texts(uint8_t resources, struct ch_arena *arena, uint32_t *ret_count)
{
    struct ch_text *list = m_take(arena, O_RESOURCES * sizeof *list);
    *ret_count = 0;
    for (int r = 0; r < O_RESOURCES; r++) {
        if (resources >> r & 1) list[(*ret_count)++] = ch_text_of(o_resources[r]);
    }
    return list;
}

struct ch_ref *m_refs(const struct o_pick *picks, uint32_t count, struct ch_arena *arena)
{
    struct ch_ref *list = m_take(arena, count * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = m_ref(&picks[i]);
    }
    return list;
}

static void *share_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_share_give) {
        ARGS(share_give);
        SUBJECT;
        args->has_role = c->role.given;
        args->role = m_ref(&c->role);
        args->has_reach = c->has_reach;
        args->reach = c->reach;
        args->has_kind = c->has_share_kind;
        args->kind = c->share_kind;
        args->has_expires_at = c->has_expiry;
        args->expires_at = c->expires_at;
        return args;
    }
    if (c->type == CH_CMD_share_set_role) {
        ARGS(share_set_role);
        SUBJECT;
        args->has_role = c->role.given;
        args->role = m_ref(&c->role);
        args->has_reach = c->has_reach;
        args->reach = c->reach;
        return args;
    }
    if (c->type == CH_CMD_share_set_expiry) {
        ARGS(share_set_expiry);
        SUBJECT;
        args->has_expires_at = c->has_expiry;
        args->expires_at = c->expires_at;
        return args;
    }
    if (c->type == CH_CMD_share_limit) {
        ARGS(share_limit);
        SUBJECT;
        args->kind = c->resource_kind;
        args->has_all = c->has_flag;
        args->all = c->flag;
        args->resources = m_texts(c->resources, arena, &args->resources_len);
        return args;
    }
    if (c->type == CH_CMD_share_restrict) {
        ARGS(share_restrict);
        SUBJECT;
        args->has_scopes = c->has_scopes;
        args->scopes = c->scopes;
        args->pages = m_refs(c->pages, c->page_count, arena);
        args->pages_len = c->page_count;
        return args;
    }
    return NULL;
}

static void *grant_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_share_grant) {
        ARGS(share_grant);
        SUBJECT;
        args->kind = c->resource_kind;
        args->resource = ch_text_of(o_resources[c->resource]);
        args->scopes = c->scopes;
        return args;
    }
    if (c->type == CH_CMD_share_revoke) {
        ARGS(share_revoke);
        SUBJECT;
        args->kind = c->resource_kind;
        args->resource = ch_text_of(o_resources[c->resource]);
        return args;
    }
    if (c->type == CH_CMD_share_set_scopes) {
        ARGS(share_set_scopes);
        SUBJECT;
        args->scopes = c->scopes;
        return args;
    }
    if (c->type == CH_CMD_share_deactivate) {
        ARGS(share_deactivate);
        SUBJECT;
        args->has_end_made = c->has_flag;
        args->end_made = c->flag;
        return args;
    }
    if (c->type == CH_CMD_share_activate) {
        ARGS(share_activate);
        SUBJECT;
        return args;
    }
    if (c->type == CH_CMD_share_end) {
        ARGS(share_end);
        SUBJECT;
        args->has_end_made = c->has_flag;
        args->end_made = c->flag;
        return args;
    }
    return NULL;
}

static void *group_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_group_create) {
        ARGS(group_create);
        args->name = ch_text_of(c->name);
        args->has_parent = c->parent.given;
        args->parent = m_ref(&c->parent);
        return args;
    }
    if (c->type == CH_CMD_group_move) {
        ARGS(group_move);
        args->group = m_ref(&c->group);
        args->has_parent = c->parent.given;
        args->parent = m_ref(&c->parent);
        return args;
    }
    if (c->type == CH_CMD_group_delete) {
        ARGS(group_delete);
        args->group = m_ref(&c->group);
        return args;
    }
    if (c->type == CH_CMD_group_add) {
        ARGS(group_add);
        args->group = m_ref(&c->group);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_group_remove) {
        ARGS(group_remove);
        args->group = m_ref(&c->group);
        args->user = m_ref(&c->user);
        return args;
    }
    if (c->type == CH_CMD_role_define) {
        ARGS(role_define);
        args->name = ch_text_of(c->name);
        args->scopes = c->scopes;
        return args;
    }
    return NULL;
}

void m_call(const struct o_command *c, struct ch_arena *arena, struct ch_call *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->type = c->type;
    ret->has_on = c->on.given;
    ret->on = m_ref(&c->on);
    ret->has_expect = c->has_expect;
    ret->expect = c->expect;
    ret->args = account_args(c, arena);
    if (ret->args == NULL) ret->args = standing_args(c, arena);
    if (ret->args == NULL) ret->args = ownership_args(c, arena);
    if (ret->args == NULL) ret->args = share_args(c, arena);
    if (ret->args == NULL) ret->args = grant_args(c, arena);
    if (ret->args == NULL) ret->args = group_args(c, arena);
    if (ret->args == NULL) ret->args = m_people_args(c, arena);
    if (ret->args == NULL) ret->args = m_mail_args(c, arena);
    if (ret->args == NULL) ret->args = m_billing_args(c, arena);
    CH_CHECK(ret->args != NULL);
}
