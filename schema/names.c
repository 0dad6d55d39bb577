/* names: numbers from names, and the built-in roles and pages as sets; see records.h.
 * SPDX-License-Identifier: MIT */
#include "schema/records.h"

#include "schema/base/check.h"

int ch_call_find(struct ch_text type)
{
    for (int i = 0; i < CH_CALL_TYPES; i++) {
        if (ch_text_is(type, ch_calls[i].args.name)) return i;
    }
    return -1;
}

int ch_event_find(struct ch_text name)
{
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const char *known = ch_events[tag].record.name;
        if (known != NULL && ch_text_is(name, known)) return tag;
    }
    return -1;
}

int ch_scope_find(struct ch_text name)
{
    for (int i = 0; i <= (int)CH_MAX_SCOPE; i++) {
        const struct ch_scope_row *row = &ch_scopes_table[i];
        if (row->name_len == name.len && name.len > 0 &&
            memcmp(row->name, name.ptr, name.len) == 0) {
            return i;
        }
    }
    return -1;
}

int ch_enum_find(uint8_t kind, struct ch_text name)
{
    CH_CHECK(kind < CH_KINDS && ch_kinds[kind].values != NULL);
    for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
        if (v->name_len == name.len && memcmp(v->name, name.ptr, name.len) == 0) return v->number;
    }
    return -1;
}

const char *ch_enum_name(uint8_t kind, uint8_t number)
{
    CH_CHECK(kind < CH_KINDS && ch_kinds[kind].values != NULL);
    for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
        if (v->number == number) return v->name;
    }
    return "?";
}

/* clang-format off */
enum page_number {
#define PAGE_BEGIN(name, version, text) PAGE_##name,
#define PAGE_SCOPE(page, scope)
#define PAGE_END(page)
#include "schema/pages.def"
    PAGES,
};

size_t ch_page_count(void)
{
    return PAGES;
}

struct ch_set_row ch_page_at(size_t place)
{
    struct ch_set_row rows[PAGES] = {
#define PAGE_BEGIN(page, version, doc) [PAGE_##page] = {.name = #page, .text = (doc)},
#define PAGE_SCOPE(page, scope)
#define PAGE_END(page)
#include "schema/pages.def"
    };
#define PAGE_BEGIN(page, version, text)
#define PAGE_SCOPE(page, scope) ch_scopes_add(&rows[PAGE_##page].scopes, CH_SCOPE_##scope);
#define PAGE_END(page)
#include "schema/pages.def"
    CH_CHECK(place < PAGES);
    return rows[place];
}

enum role_number {
#define ROLE_BEGIN(name, version, text) ROLE_##name,
#define ROLE_ALL(role)
#define ROLE_PAGE(role, page)
#define ROLE_SCOPE(role, scope)
#define ROLE_BUT(role, scope)
#define ROLE_END(role)
#include "schema/roles.def"
    ROLES,
};

size_t ch_role_count(void)
{
    return ROLES;
}

static struct ch_scopes every_scope(void)
{
    struct ch_scopes all = {{0, 0}};
#define SCOPE(number, ident, name, kind, text) ch_scopes_add(&all, (number));
#include "schema/scopes.def"
    return all;
}

struct ch_set_row ch_role_at(size_t place)
{
    struct ch_set_row rows[ROLES] = {
#define ROLE_BEGIN(role, version, doc) [ROLE_##role] = {.name = #role, .text = (doc)},
#define ROLE_ALL(role)
#define ROLE_PAGE(role, page)
#define ROLE_SCOPE(role, scope)
#define ROLE_BUT(role, scope)
#define ROLE_END(role)
#include "schema/roles.def"
    };
#define ROLE_BEGIN(name, version, text)
#define ROLE_ALL(role) rows[ROLE_##role].scopes = every_scope();
#define ROLE_PAGE(role, page)                                                                      \
    rows[ROLE_##role].scopes =                                                                     \
        ch_scopes_or(rows[ROLE_##role].scopes, ch_page_at(PAGE_##page).scopes);
#define ROLE_SCOPE(role, scope) ch_scopes_add(&rows[ROLE_##role].scopes, CH_SCOPE_##scope);
#define ROLE_BUT(role, scope)                                                                      \
    rows[ROLE_##role].scopes =                                                                     \
        ch_scopes_but(rows[ROLE_##role].scopes, ch_scopes_of(CH_SCOPE_##scope));
#define ROLE_END(role)
#include "schema/roles.def"
    CH_CHECK(place < ROLES);
    return rows[place];
}

enum { MASKS = 32 }; /* numbers are at most this */
enum mask_number {
#define MASK_BEGIN(name, number, text) MASK_##name = (number) - 1,
#define MASK_ALL(mask)
#define MASK_PAGE(mask, page)
#define MASK_SCOPE(mask, scope)
#define MASK_BUT(mask, scope)
#define MASK_END(mask)
#include "schema/masks.def"
};

size_t ch_mask_count(void)
{
    return MASKS;
}

struct ch_set_row ch_mask_at(size_t place)
{
    struct ch_set_row rows[MASKS] = {
#define MASK_BEGIN(mask, number, doc) [MASK_##mask] = {.name = #mask, .text = (doc)},
#define MASK_ALL(mask)
#define MASK_PAGE(mask, page)
#define MASK_SCOPE(mask, scope)
#define MASK_BUT(mask, scope)
#define MASK_END(mask)
#include "schema/masks.def"
    };
#define MASK_BEGIN(mask, number, text)                                                             \
    _Static_assert(CH_mask_kind_##mask == (number) && (number) >= 1 && (number) <= MASKS, "bounds");
#define MASK_ALL(mask) rows[MASK_##mask].scopes = every_scope();
#define MASK_PAGE(mask, page)                                                                      \
    rows[MASK_##mask].scopes =                                                                     \
        ch_scopes_or(rows[MASK_##mask].scopes, ch_page_at(PAGE_##page).scopes);
#define MASK_SCOPE(mask, scope) ch_scopes_add(&rows[MASK_##mask].scopes, CH_SCOPE_##scope);
#define MASK_BUT(mask, scope)                                                                      \
    rows[MASK_##mask].scopes =                                                                     \
        ch_scopes_but(rows[MASK_##mask].scopes, ch_scopes_of(CH_SCOPE_##scope));
#define MASK_END(mask)
#include "schema/masks.def"
    CH_CHECK(place < MASKS);
    return rows[place];
}
/* clang-format on */
