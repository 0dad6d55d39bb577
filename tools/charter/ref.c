/* ref: see ref.h. SPDX-License-Identifier: MIT */
#include "tools/charter/ref.h"

#include "schema/text.h"
#include "tools/charter/options.h"

static const struct {
    const char *name;
    const char *prefix;
    uint8_t id_kind;
    uint8_t ref_kind;
} prefixes[] = {
    {"account", "acc", CH_KIND_account, CH_KIND_account_ref},
    {"user", "usr", CH_KIND_user, CH_KIND_user_ref},
    {"share", "shr", CH_KIND_share, CH_KINDS},
    {"group", "grp", CH_KIND_group, CH_KIND_group_ref},
    {"role", "rol", CH_KIND_role, CH_KIND_role_ref},
    {"page", "pag", CH_KIND_page, CH_KIND_page_ref},
    {"key", "key", CH_KIND_key, CH_KINDS},
    {"session", "ses", CH_KIND_session, CH_KINDS},
    {"plan", "pln", CH_KIND_plan, CH_KINDS},
    {"request", "req", CH_KIND_request, CH_KINDS},
    {"submission", "sub", CH_KIND_submission, CH_KINDS},
    {"reservation", "res", CH_KIND_reservation, CH_KINDS},
};
enum { PREFIXES = sizeof prefixes / sizeof prefixes[0] };

const char *ref_prefix(uint8_t kind)
{
    for (size_t i = 0; i < PREFIXES; i++) {
        if (prefixes[i].id_kind == kind || prefixes[i].ref_kind == kind) return prefixes[i].prefix;
    }
    return NULL;
}

const char *ref_prefix_of(struct ch_text name)
{
    for (size_t i = 0; i < PREFIXES; i++) {
        if (ch_text_is(name, prefixes[i].name)) return prefixes[i].prefix;
    }
    return NULL;
}

struct ref ref_of(uint8_t kind, const char *text)
{
    const char *prefix = ref_prefix(kind);
    uint64_t id;
    if (text[0] == '=') return (struct ref){.name = text + 1};
    if (prefix != NULL && ch_id_read(prefix, ch_text_of(text), &id)) return (struct ref){.id = id};
    if (option_number(text, &id) && id != 0) return (struct ref){.id = id};
    return (struct ref){.name = text};
}
