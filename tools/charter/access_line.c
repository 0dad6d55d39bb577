/* access_line: see access_line.h. SPDX-License-Identifier: MIT */
#include "tools/charter/access_line.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "schema/text.h"
#include "tools/charter/levels.h"

enum op {
    OP_account_open,
    OP_account_close,
    OP_member_add,
    OP_member_role,
    OP_member_remove,
    OP_group_create,
    OP_group_move,
    OP_group_delete,
    OP_group_add,
    OP_group_remove,
    OP_grant_set,
    OP_grant_revoke,
    OPS,
};

enum { NEEDS_USER = 1, NEEDS_GROUP = 2, NEEDS_ROLE = 4, NEEDS_SUBJECT = 8, NEEDS_LEVEL = 16 };

static const struct {
    const char *name;
    unsigned needs;
} ops[OPS] = {
    [OP_account_open] = {"account.open", 0},
    [OP_account_close] = {"account.close", 0},
    [OP_member_add] = {"member.add", NEEDS_USER | NEEDS_ROLE},
    [OP_member_role] = {"member.role", NEEDS_USER | NEEDS_ROLE},
    [OP_member_remove] = {"member.remove", NEEDS_USER},
    [OP_group_create] = {"group.create", NEEDS_GROUP},
    [OP_group_move] = {"group.move", NEEDS_GROUP},
    [OP_group_delete] = {"group.delete", NEEDS_GROUP},
    [OP_group_add] = {"group.add", NEEDS_GROUP | NEEDS_USER},
    [OP_group_remove] = {"group.remove", NEEDS_GROUP | NEEDS_USER},
    [OP_grant_set] = {"grant.set", NEEDS_SUBJECT | NEEDS_LEVEL},
    [OP_grant_revoke] = {"grant.revoke", NEEDS_SUBJECT},
};

static const char *text_of(const struct access_line *line, const char *name)
{
    return json_string_value(json_object_get(line->tree, name));
}

static void bad(struct access_line *line, const char *reason, const char *text)
{
    line->op = -1;
    line->reason = reason;
    line->text = text;
}

/* What the operation needs and the line does not have; NULL: nothing. */
static const char *missing(const struct access_line *line, unsigned needs)
{
    const char *const *scopes;
    if (line->account == NULL) return "it has no account";
    if ((needs & NEEDS_USER) != 0 && line->user == NULL) return "it has no user";
    if ((needs & NEEDS_GROUP) != 0 && line->group == NULL) return "it has no group";
    if ((needs & NEEDS_SUBJECT) != 0 && (line->user == NULL) == (line->group == NULL)) {
        return "it needs either a user or a group";
    }
    if ((needs & NEEDS_SUBJECT) != 0 && line->resource == NULL) return "it has no resource";
    if ((needs & NEEDS_ROLE) != 0 && (line->role == NULL || (strcmp(line->role, "member") != 0 &&
                                                             strcmp(line->role, "admin") != 0))) {
        return "its role is neither member nor admin";
    }
    if ((needs & NEEDS_LEVEL) != 0 &&
        (line->level == NULL || levels_scopes(line->level, &scopes) == 0)) {
        return "its level is none of read, triage, write, maintain, admin";
    }
    return NULL;
}

static bool is_blank(struct ch_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(" \t\r\n", text.ptr[i]) == NULL || text.ptr[i] == '\0') return false;
    }
    return true;
}

void access_line_read(struct ch_text text, struct access_line *ret)
{
    *ret = (struct access_line){.op = -1};
    if (is_blank(text)) return;
    ret->tree = json_loadb(text.len == 0 ? "" : text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(ret->tree)) {
        bad(ret, "malformed", "it is no JSON object");
        return;
    }
    const char *at = text_of(ret, "at");
    if (at == NULL || !ch_time_read(ch_text_of(at), &ret->at_ns)) {
        bad(ret, "bad_time", "it has no RFC 3339 time in at");
        return;
    }
    ret->at = at;
    ret->account = text_of(ret, "account");
    ret->user = text_of(ret, "user");
    ret->group = text_of(ret, "group");
    ret->parent = text_of(ret, "parent");
    ret->resource = text_of(ret, "resource");
    ret->role = text_of(ret, "role");
    ret->level = text_of(ret, "level");
    const char *op = text_of(ret, "op");
    for (int i = 0; i < OPS && op != NULL; i++) {
        if (strcmp(ops[i].name, op) == 0) ret->op = i;
    }
    if (ret->op < 0) {
        bad(ret, "unknown_op", "its op is none that the format has");
        return;
    }
    const char *lack = missing(ret, ops[ret->op].needs);
    if (lack != NULL) bad(ret, "missing_field", lack);
}

void access_line_deinit(struct access_line *line)
{
    json_decref(line->tree);
    *line = (struct access_line){0};
}

void access_line_learn(const struct access_line *line, struct names *known)
{
    if (line->op == OP_member_add) (void)names_add(known, line->user);
}

static void subject(const struct access_line *line, struct charter_message *m)
{
    if (line->user != NULL) {
        charter_arg_text(m, "user", line->user);
    } else {
        charter_arg_text(m, "group", line->group);
    }
}

static void call(struct charter_message *m, const char *type, const char *on)
{
    charter_message_call(m, &(struct charter_call_head){.type = type, .on = on});
}

static void grant(const struct access_line *line, struct charter_message *m)
{
    const char *const *scopes = NULL;
    subject(line, m);
    charter_arg_text(m, "kind", "list");
    charter_arg_text(m, "resource", line->resource);
    if (line->op != OP_grant_set) return;
    const size_t count = levels_scopes(line->level, &scopes);
    charter_arg_texts(m, "scopes", scopes, count);
}

/* A share of the account for the user; first the user, where this run has not made them yet. */
static size_t member_add(const struct access_line *line, const char *on, struct names *known,
                         struct charter_message *m, bool *ret_user)
{
    *ret_user = names_add(known, line->user);
    if (*ret_user) {
        call(m, "user.create", NULL);
        charter_arg_text(m, "username", line->user);
    }
    call(m, "share.give", on);
    charter_arg_text(m, "user", line->user);
    if (strcmp(line->role, "admin") == 0) charter_arg_text(m, "role", "account_manager");
    return *ret_user ? 2 : 1;
}

static size_t group_create(const struct access_line *line, const char *on,
                           struct charter_message *m)
{
    call(m, "group.create", on);
    charter_arg_text(m, "name", line->group);
    if (line->parent != NULL) charter_arg_text(m, "parent", line->parent);
    call(m, "share.give", on);
    charter_arg_text(m, "group", line->group);
    return 2;
}

static void group_call(const struct access_line *line, const char *type, const char *on,
                       struct charter_message *m)
{
    call(m, type, on);
    charter_arg_text(m, "group", line->group);
}

size_t access_line_calls(const struct access_line *line, const char *under, struct names *known,
                         struct charter_message *m, bool *ret_user)
{
    char on[1024];
    *ret_user = false;
    (void)snprintf(on, sizeof on, "%s/%s", under, line->account);
    switch ((enum op)line->op) {
    case OP_account_open:
        call(m, "account.open_sub", under);
        charter_arg_text(m, "name", line->account);
        return 1;
    case OP_account_close: call(m, "account.close", on); return 1;
    case OP_member_add: return member_add(line, on, known, m, ret_user);
    case OP_member_role:
        call(m, "share.set_role", on);
        charter_arg_text(m, "user", line->user);
        if (strcmp(line->role, "admin") == 0) charter_arg_text(m, "role", "account_manager");
        return 1;
    case OP_member_remove:
        call(m, "share.end", on);
        charter_arg_text(m, "user", line->user);
        return 1;
    case OP_group_create: return group_create(line, on, m);
    case OP_group_move:
        group_call(line, "group.move", on, m);
        if (line->parent != NULL) charter_arg_text(m, "parent", line->parent);
        return 1;
    case OP_group_delete: group_call(line, "group.delete", on, m); return 1;
    case OP_group_add:
    case OP_group_remove:
        group_call(line, line->op == OP_group_add ? "group.add" : "group.remove", on, m);
        charter_arg_text(m, "user", line->user);
        return 1;
    case OP_grant_set:
    case OP_grant_revoke:
        call(m, line->op == OP_grant_set ? "share.grant" : "share.revoke", on);
        grant(line, m);
        return 1;
    case OPS: break;
    }
    return 0;
}
