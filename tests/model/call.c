/* call: a command of the model as core takes it. SPDX-License-Identifier: MIT */
#include "tests/model/call.h"

#include "daemon/core/store.h"

#include <stdio.h>

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

static struct ch_ref ref_of(const struct o_pick *pick)
{
    struct ch_ref ref = {.id = pick->id};
    if (pick->id == 0) {
        ref.name = ch_text_of(pick->name);
        m_name_hash(pick->name, ref.hash);
    }
    return ref;
}

static struct ch_named named(const char *text)
{
    struct ch_named n = {.text = ch_text_of(text)};
    m_name_hash(text, n.hash);
    return n;
}

static void *take(struct ch_arena *arena, size_t bytes)
{
    void *ptr = ch_arena_take(arena, bytes == 0 ? 1 : bytes);
    CH_CHECK(ptr != NULL);
    return ptr;
}

#define ARGS(ident) struct ch_cmd_##ident *args = take(arena, sizeof *args)
#define SUBJECT                                                                                    \
    args->has_user = c->user.given;                                                                \
    args->user = ref_of(&c->user);                                                                 \
    args->has_group = c->group.given;                                                              \
    args->group = ref_of(&c->group)

#define SWITCHES                                                                                   \
    args->has_content_locked = c->has_lock;                                                        \
    args->content_locked = c->lock;                                                                \
    args->has_feed_from_master = c->has_take;                                                      \
    args->feed_from_master = c->take

static void *account_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_account_open_master) {
        ARGS(account_open_master);
        args->name = ch_text_of(c->name);
        args->has_owner = c->user.given;
        args->owner = ref_of(&c->user);
        args->has_sub_depth = c->has_depth;
        args->sub_depth = c->depth;
        return args;
    }
    if (c->type == CH_CMD_account_open_sub) {
        ARGS(account_open_sub);
        args->name = ch_text_of(c->name);
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
        if (c->has_name) args->username = named(c->name);
        args->has_email = c->has_email;
        if (c->has_email) args->email = named(c->email);
        args->has_full_name = c->has_full_name;
        if (c->has_full_name) args->full_name = named("Somebody Else");
        return args;
    }
    if (c->type == CH_CMD_user_lock) {
        ARGS(user_lock);
        args->user = ref_of(&c->user);
        return args;
    }
    if (c->type == CH_CMD_user_unlock) {
        ARGS(user_unlock);
        args->user = ref_of(&c->user);
        return args;
    }
    return NULL;
}

static void *ownership_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_ownership_offer) {
        ARGS(ownership_offer);
        args->user = ref_of(&c->user);
        return args;
    }
    if (c->type == CH_CMD_ownership_withdraw) {
        ARGS(ownership_withdraw);
        return args;
    }
    if (c->type == CH_CMD_ownership_accept) {
        ARGS(ownership_accept);
        args->account = ref_of(&c->account);
        return args;
    }
    if (c->type == CH_CMD_ownership_decline) {
        ARGS(ownership_decline);
        args->account = ref_of(&c->account);
        return args;
    }
    if (c->type == CH_CMD_ownership_assign) {
        ARGS(ownership_assign);
        args->user = ref_of(&c->user);
        return args;
    }
    return NULL;
}

static void *standing_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_account_set_switches) {
        ARGS(account_set_switches);
        args->account = ref_of(&c->below);
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
        args->reason = named("we grow");
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
        args->reason = named("late payment");
        return args;
    }
    if (c->type == CH_CMD_account_resume) {
        ARGS(account_resume);
        args->reason = named("paid");
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
        args->reason = named("not yet");
        return args;
    }
    return NULL;
}

static const struct ch_text *resources_of(const struct o_command *c, struct ch_arena *arena,
                                          uint32_t *ret_count)
{
    struct ch_text *list = take(arena, O_RESOURCES * sizeof *list);
    *ret_count = 0;
    for (int r = 0; r < O_RESOURCES; r++) {
        if (c->resources >> r & 1) list[(*ret_count)++] = ch_text_of(o_resources[r]);
    }
    return list;
}

static const struct ch_ref *pages_of(const struct o_command *c, struct ch_arena *arena)
{
    struct ch_ref *list = take(arena, c->page_count * sizeof *list);
    for (uint32_t i = 0; i < c->page_count; i++) {
        list[i] = ref_of(&c->pages[i]);
    }
    return list;
}

static void *share_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_share_give) {
        ARGS(share_give);
        SUBJECT;
        args->has_role = c->role.given;
        args->role = ref_of(&c->role);
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
        args->role = ref_of(&c->role);
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
        args->resources = resources_of(c, arena, &args->resources_len);
        return args;
    }
    if (c->type == CH_CMD_share_restrict) {
        ARGS(share_restrict);
        SUBJECT;
        args->has_scopes = c->has_scopes;
        args->scopes = c->scopes;
        args->pages = pages_of(c, arena);
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
        args->parent = ref_of(&c->parent);
        return args;
    }
    if (c->type == CH_CMD_group_move) {
        ARGS(group_move);
        args->group = ref_of(&c->group);
        args->has_parent = c->parent.given;
        args->parent = ref_of(&c->parent);
        return args;
    }
    if (c->type == CH_CMD_group_delete) {
        ARGS(group_delete);
        args->group = ref_of(&c->group);
        return args;
    }
    if (c->type == CH_CMD_group_add) {
        ARGS(group_add);
        args->group = ref_of(&c->group);
        args->user = ref_of(&c->user);
        return args;
    }
    if (c->type == CH_CMD_group_remove) {
        ARGS(group_remove);
        args->group = ref_of(&c->group);
        args->user = ref_of(&c->user);
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
    ret->on = ref_of(&c->on);
    ret->has_expect = c->has_expect;
    ret->expect = c->expect;
    ret->args = account_args(c, arena);
    if (ret->args == NULL) ret->args = standing_args(c, arena);
    if (ret->args == NULL) ret->args = ownership_args(c, arena);
    if (ret->args == NULL) ret->args = share_args(c, arena);
    if (ret->args == NULL) ret->args = grant_args(c, arena);
    if (ret->args == NULL) ret->args = group_args(c, arena);
    CH_CHECK(ret->args != NULL);
}

static void print_pick(const char *what, const struct o_pick *pick)
{
    if (!pick->given) return;
    if (pick->id != 0) {
        printf(" %s=%llu", what, (unsigned long long)pick->id);
    } else {
        printf(" %s=\"%s\"", what, pick->name);
    }
}

void m_print(const struct o_command *c)
{
    printf("  %s by %s %llu over %s at %llu", ch_calls[c->type].args.name,
           ch_enum_name(CH_KIND_actor_kind, c->actor_kind), (unsigned long long)c->actor,
           ch_enum_name(CH_KIND_channel, c->channel), (unsigned long long)c->now);
    print_pick("on", &c->on);
    print_pick("below", &c->below);
    if (c->has_lock) printf(" lock=%d", c->lock);
    if (c->has_take) printf(" take=%d", c->take);
    print_pick("user", &c->user);
    print_pick("account", &c->account);
    print_pick("group", &c->group);
    print_pick("parent", &c->parent);
    print_pick("role", &c->role);
    for (uint32_t i = 0; i < c->page_count; i++) {
        print_pick("page", &c->pages[i]);
    }
    if (c->name[0] != 0) printf(" name=%s", c->name);
    if (c->has_email) printf(" email=%s", c->email);
    if (c->has_depth) printf(" depth=%llu", (unsigned long long)c->depth);
    if (c->has_flag) printf(" flag=%d", c->flag);
    if (c->has_reach) printf(" reach=%d", c->reach);
    if (c->has_share_kind) printf(" share_kind=%d", c->share_kind);
    if (c->has_expiry) printf(" expires_at=%llu", (unsigned long long)c->expires_at);
    if (c->has_expect) printf(" expect=%llu", (unsigned long long)c->expect);
    printf(" kind=%d resource=%d resources=%x scopes=%d:%016llx%016llx\n", c->resource_kind,
           c->resource, c->resources, c->has_scopes, (unsigned long long)c->scopes.words[1],
           (unsigned long long)c->scopes.words[0]);
}
