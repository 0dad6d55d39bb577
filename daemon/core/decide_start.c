/* decide_start: what a log must hold before the first request, and the room that a call needs; see
 * decide.h. SPDX-License-Identifier: MIT
 * The log carries its own schema: every tag, enum, scope and rejection of this daemon that it lacks
 * is declared. Limits that decide, built-in roles and pages are defined once, in a new log; a later
 * version's text changes nothing by itself. */
#include "daemon/core/apply.h"
#include "daemon/core/decide_plan.h"
#include "schema/limits.h"

/* Declares (category, number) unless the log has it; parts may be NULL. */
static void declare(struct ch_case *c, enum ch_declared category, uint64_t number,
                    const char *token, const struct ch_text *parts, uint32_t count)
{
    if (ch_find_declared(c->state, category, number) != 0 || c->ret->no_memory) return;
    struct ch_ev_schema_declared *body = ch_emit(c, CH_EV_schema_declared, /* account= */ 0);
    if (body == NULL) return;
    body->category = (uint8_t)category;
    body->number = number;
    body->token = ch_text_of(token);
    body->parts = parts;
    body->parts_len = count;
}

/* "name:kind", or "number=name"; NULL when out of memory. */
static struct ch_text joined(struct ch_arena *arena, struct ch_text a, char sign, struct ch_text b)
{
    char *text = ch_arena_take(arena, a.len + b.len + 1);
    if (text == NULL || a.ptr == NULL || b.ptr == NULL) return (struct ch_text){0};
    memcpy(text, a.ptr, a.len);
    text[a.len] = sign;
    memcpy(text + a.len + 1, b.ptr, b.len);
    return (struct ch_text){text, a.len + b.len + 1};
}

static struct ch_text number_text(struct ch_arena *arena, uint32_t number)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[sizeof digits - ++count] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    const char *text = ch_arena_copy(arena, digits + sizeof digits - count, count);
    return (struct ch_text){text, text == NULL ? 0 : count};
}

static void declare_events(struct ch_case *c)
{
    for (uint32_t tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const struct ch_record *record = &ch_events[tag].record;
        if (record->name == NULL) continue;
        struct ch_text *parts = ch_arena_take(c->arena, record->count * sizeof *parts);
        if (parts == NULL) continue;
        for (uint32_t i = 0; i < record->count; i++) {
            const struct ch_field *field = &record->fields[i];
            struct ch_text kind = ch_text_of(ch_kinds[field->kind].name);
            if (field->list) kind = joined(c->arena, kind, ' ', ch_text_of("list"));
            if (field->optional) kind = joined(c->arena, kind, ' ', ch_text_of("or nil"));
            if (field->personal) kind = joined(c->arena, kind, ' ', ch_text_of("sealed"));
            parts[i] = joined(c->arena, ch_text_of(field->name), ':', kind);
        }
        declare(c, CH_declared_event, tag, record->name, parts, record->count);
    }
}

static void declare_enums(struct ch_case *c)
{
    for (uint32_t kind = 0; kind < CH_KINDS; kind++) {
        const struct ch_enum_value *values = ch_kinds[kind].values;
        if (values == NULL) continue;
        uint32_t count = 0;
        while (values[count].name != NULL) {
            count++;
        }
        struct ch_text *parts = ch_arena_take(c->arena, count * sizeof *parts);
        if (parts == NULL) continue;
        for (uint32_t i = 0; i < count; i++) {
            parts[i] = joined(c->arena, number_text(c->arena, values[i].number), '=',
                              ch_text_of(values[i].name));
        }
        /* An enum that got a value more is declared anew. */
        const uint64_t number = (uint64_t)(kind - CH_KIND_channel) << 8 | count;
        declare(c, CH_declared_enumeration, number, ch_kinds[kind].name, parts, count);
    }
}

static void declare_kinds(struct ch_case *c)
{
    for (uint32_t kind = 0; kind < CH_KIND_channel; kind++) {
        struct ch_text *text = ch_arena_take(c->arena, sizeof *text);
        if (text == NULL) continue;
        *text = ch_text_of(ch_kinds[kind].text);
        declare(c, CH_declared_kind, kind, ch_kinds[kind].name, text, 1);
    }
}

static void declare_scopes(struct ch_case *c)
{
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (row->name == NULL) continue;
        struct ch_text *kind = ch_arena_take(c->arena, sizeof *kind);
        if (kind == NULL) continue;
        *kind = ch_text_of(ch_enum_name(CH_KIND_resource_kind, row->resource_kind));
        declare(c, CH_declared_scope, scope, row->name, kind, 1);
    }
}

static void define_limits(struct ch_case *c)
{
    for (size_t i = 0; i < ch_limit_count; i++) {
        const struct ch_text name = ch_text_of(ch_limits[i].name);
        if (!ch_limits[i].logged || ch_find_bound(c->state, name) != 0) continue;
        struct ch_ev_limit_defined *body = ch_emit(c, CH_EV_limit_defined, /* account= */ 0);
        if (body == NULL) return;
        body->token = name;
        body->value = ch_limits[i].value;
    }
}

static void define_roles(struct ch_case *c)
{
    for (size_t i = 0; i < ch_role_count(); i++) {
        const struct ch_set_row row = ch_role_at(i);
        if (ch_find_role_name(c->state, 0, ch_text_of(row.name)) != 0) continue;
        struct ch_ev_role_defined *body = ch_emit(c, CH_EV_role_defined, /* account= */ 0);
        if (body == NULL) return;
        body->name = ch_text_of(row.name);
        body->scopes = row.scopes;
    }
}

static void define_pages(struct ch_case *c)
{
    for (size_t i = 0; i < ch_page_count(); i++) {
        const struct ch_set_row row = ch_page_at(i);
        if (ch_find_page_name(c->state, ch_text_of(row.name)) != 0) continue;
        struct ch_ev_page_defined *body = ch_emit(c, CH_EV_page_defined, /* account= */ 0);
        if (body == NULL) return;
        body->name = ch_text_of(row.name);
        body->scopes = row.scopes;
    }
}

static void define_masks(struct ch_case *c)
{
    for (uint32_t i = 0; i < ch_mask_count(); i++) {
        const bool has_row = i < c->state->store.tables[CH_T_MASK].used;
        if (has_row && ch_mask_row(c->state, i + 1)->seq != 0) continue;
        if (ch_mask_at(i).name == NULL) continue;
        struct ch_ev_mask_defined *body = ch_emit(c, CH_EV_mask_defined, /* account= */ 0);
        if (body == NULL) return;
        body->kind = (uint8_t)(i + 1);
        body->scopes = ch_mask_at(i).scopes;
    }
}

void ch_decide_start(const struct ch_state *state, struct ch_arena *arena, struct ch_verdict *ret)
{
    *ret = (struct ch_verdict){0};
    const struct ch_moment moment = {.now = ch_meta(state)->last_at};
    struct ch_case c = {.state = state, .moment = &moment, .arena = arena, .ret = ret};
    declare_events(&c);
    declare_kinds(&c);
    declare_enums(&c);
    declare_scopes(&c);
    for (size_t i = 1; i < ch_rejection_count; i++) {
        if (ch_rejections[i].name == NULL) continue;
        declare(&c, CH_declared_rejection, i, ch_rejections[i].name, NULL, 0);
    }
    define_limits(&c);
    define_roles(&c);
    define_pages(&c);
    define_masks(&c);
}

void ch_decide_start_erased(const struct ch_state *state, const uint32_t *users, size_t count,
                            struct ch_arena *arena, struct ch_verdict *ret)
{
    *ret = (struct ch_verdict){0};
    const struct ch_moment moment = {.now = ch_meta(state)->last_at};
    struct ch_case c = {.state = state, .moment = &moment, .arena = arena, .ret = ret};
    for (size_t i = 0; i < count; i++) {
        struct ch_ev_user_erased *body = ch_emit(&c, CH_EV_user_erased, /* account= */ 0);
        if (body == NULL) return;
        body->user.seq = ch_user_row(state, users[i])->id;
    }
}

/* Accounts that a call closes or reopens, at most; each takes or gives a place in the heap of what
 * is due, its plan another, and moves others there. */
enum { CLOSING_ROWS = 24 };

static size_t accounts_of(const struct ch_state *state, const struct ch_call *call)
{
    if (call->type != CH_CMD_account_close && call->type != CH_CMD_account_reopen) return 0;
    const uint32_t on = ch_find_account(state, call->on.id);
    const struct ch_cmd_account_close *args = call->args;
    if (on == 0 || !args->has_below || !args->below) return on == 0 ? 0 : 1;
    return ch_accounts_below(state, on, LIMIT_MESSAGE_EVENTS + 1);
}
_Static_assert(sizeof(struct ch_cmd_account_close) == sizeof(struct ch_cmd_account_reopen),
               "account.close and account.reopen have the same fields");

/* Who gets a tree loses every other share in it. */
static size_t cascade_of_transfer(const struct ch_state *state, const struct ch_call *call,
                                  uint32_t on)
{
    uint32_t root = on;
    uint32_t user = 0;
    if (call->type == CH_CMD_ownership_assign) {
        const struct ch_cmd_ownership_assign *args = call->args;
        user = ch_find_user(state, args->user.id);
    } else {
        const struct ch_cmd_ownership_accept *args = call->args;
        root = ch_find_account(state, args->account.id);
        const uint32_t offer = root == 0 ? 0 : ch_account_row(state, root)->offer;
        if (offer != 0) user = ch_offer_row(state, offer)->user;
    }
    size_t rows = CH_PLACE_ROWS;
    if (user == 0 || root == 0) return rows;
    for (uint32_t s = ch_user_row(state, user)->first_share; s != 0;
         s = ch_share_row(state, s)->next_of_subject) {
        if (ch_root_of(state, ch_share_row(state, s)->account) == root) {
            rows += ch_cascade_of_share(state, s);
        }
    }
    return rows;
}

static size_t cascade_of(const struct ch_state *state, const struct ch_call *call)
{
    /* Every session of a user may end. */
    if (call->type == CH_CMD_user_set_password || call->type == CH_CMD_session_log_out) {
        return LIMIT_SESSIONS_OF_USER + 4;
    }
    if (call->type == CH_CMD_user_erase) {
        const struct ch_cmd_user_erase *args = call->args;
        const uint32_t user = ch_find_user(state, args->user.id);
        return LIMIT_SESSIONS_OF_USER + 4 + (user == 0 ? 0 : ch_cascade_of_sealed(state, user));
    }
    const uint32_t on = call->has_on ? ch_find_account(state, call->on.id) : 0;
    if (call->type == CH_CMD_ownership_accept || call->type == CH_CMD_ownership_assign) {
        return cascade_of_transfer(state, call, on);
    }
    if (call->type == CH_CMD_access_review_end) return ch_cascade_of_review(state, call);
    const size_t credits = ch_cascade_of_credits(state, call);
    const size_t people = ch_cascade_of_people(state, call);
    if (on == 0 || credits != 0 || people != 0) return credits + people;
    if (call->type == CH_CMD_account_close || call->type == CH_CMD_account_reopen) {
        return CLOSING_ROWS * accounts_of(state, call);
    }
    if (call->type == CH_CMD_settings_set) return ch_cascade_of_settings(state, on);
    if (call->type == CH_CMD_role_delete) {
        const struct ch_cmd_role_delete *args = call->args;
        const uint32_t role = ch_find_role(state, args->role.id);
        return role == 0 ? 0 : ch_role_row(state, role)->version;
    }
    if (call->type == CH_CMD_group_delete) {
        const struct ch_cmd_group_delete *args = call->args;
        uint32_t group = ch_find_group(state, args->group.id);
        return group == 0 ? 0 : ch_cascade_of_group(state, group);
    }
    if (call->type == CH_CMD_reputation_set_thresholds) {
        /* Each of its rates may alert or recover: five writes. */
        return (size_t)ch_account_row(state, on)->stream_count;
    }
    if (call->type == CH_CMD_share_end || call->type == CH_CMD_share_limit) {
        /* Both begin with the subject. */
        const struct ch_cmd_share_end *args = call->args;
        const uint8_t kind = args->has_user ? CH_subject_kind_user : CH_subject_kind_group;
        uint32_t subject = args->has_user ? ch_find_user(state, args->user.id)
                                          : ch_find_group(state, args->group.id);
        uint32_t share = subject == 0 ? 0 : ch_find_share(state, kind, subject, on);
        return share == 0 ? 0 : ch_cascade_of_share(state, share);
    }
    return 0;
}
_Static_assert(offsetof(struct ch_cmd_share_end, group) ==
                   offsetof(struct ch_cmd_share_limit, group),
               "share.end and share.limit begin with the same fields");

/* Personal texts and their seals: 446 bytes of names, a note of 1,024, and what seals them. */
enum { TEXT_BYTES_A_CALL = 2048 };

bool ch_decide_reserve(struct ch_state *state, const struct ch_call *call)
{
    size_t items = accounts_of(state, call);
    size_t bytes = TEXT_BYTES_A_CALL;
    const struct ch_record *record = &ch_calls[call->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->list) items += ch_field_items(field, call->args);
        if (field->kind == CH_KIND_passage) {
            const struct ch_text *text = ch_field_at(field, call->args);
            bytes += text->len;
        }
    }
    return ch_state_reserve(state, items, bytes + items * 64, cascade_of(state, call));
}
