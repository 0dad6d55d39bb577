/* promise: see promise.h. SPDX-License-Identifier: MIT */
#include "schema/promise.h"

#include "schema/base/check.h"

struct promise {
    const char *type;   /* the command's */
    const char *events; /* names, with ", " between them; NULL: the row does not say */
    const char *rejections;
    const char *resource;
};

/* clang-format off */
static const struct promise promises[CH_COMMANDS] = {
#define COMMAND_BEGIN(ident, shown, by, needs, with, text) [CH_CMD_##ident] = {.type = (shown),
#define COMMAND_END(ident) },
#include "schema/words_none.h"
#undef EVENTS
#undef MAY
#undef ON_RESOURCE
#define EVENTS(ident, ...) .events = #__VA_ARGS__,
#define MAY(ident, ...) .rejections = #__VA_ARGS__,
#define ON_RESOURCE(ident, field) .resource = #field,
#include "schema/commands.def"
};
/* clang-format on */

/* Whether a name stands in a list of names. */
static bool names(const char *list, const char *name)
{
    const size_t len = strlen(name);
    while (list != NULL && *list != '\0') {
        const size_t word = strcspn(list, ", ");
        if (word == len && memcmp(list, name, len) == 0) return true;
        list += word;
        list += strspn(list, ", ");
    }
    return false;
}

bool ch_promise_is_told(int type)
{
    CH_CHECK(type >= 0 && type < CH_COMMANDS);
    return promises[type].events != NULL;
}

bool ch_promise_event(int type, uint16_t tag)
{
    CH_CHECK(type >= 0 && type < CH_COMMANDS);
    CH_CHECK(tag < CH_EVENT_TAGS && ch_events[tag].record.name != NULL);
    return names(promises[type].events, ch_events[tag].record.name);
}

bool ch_promise_rule(int type, int code)
{
    CH_CHECK(type >= 0 && type < CH_COMMANDS);
    CH_CHECK(code > 0 && (size_t)code < ch_rejection_count);
    return names(promises[type].rejections, ch_rejections[code].name);
}

/* Whether the call names something that may not be there: an account, a user, a role, a page … */
static bool refers(const struct ch_call_row *row)
{
    if (row->on) return true;
    for (uint16_t i = 0; i < row->args.count; i++) {
        if (ch_kinds[row->args.fields[i].kind].form == CH_FORM_REF) return true;
    }
    return false;
}

bool ch_promise_admission(int type, int code)
{
    const struct ch_call_row *row = &ch_calls[type];
    switch (code) {
    case CH_REJ_not_found: return refers(row);
    case CH_REJ_operator_only: return row->who == CH_WHO_OPERATOR || row->who == CH_WHO_SCOPE;
    case CH_REJ_service_only: return row->who == CH_WHO_SERVICE;
    case CH_REJ_user_locked:
    case CH_REJ_not_accepted:
    case CH_REJ_self_only: return row->who == CH_WHO_SELF;
    case CH_REJ_not_allowed: return row->who == CH_WHO_SCOPE;
    case CH_REJ_import_running:
    case CH_REJ_id_reused:
    case CH_REJ_rejected_before:
    case CH_REJ_time_goes_back:
    case CH_REJ_limit_reached: return true; /* MESSAGE_EVENTS */
    case CH_REJ_on_behalf_missing:
    case CH_REJ_access_revoked:
    case CH_REJ_conflict:
    case CH_REJ_account_closed: return row->on;
    default: return false;
    }
}

const struct ch_field *ch_call_resource(int type)
{
    CH_CHECK(type >= 0 && type < CH_CALL_TYPES);
    const char *name = type < CH_COMMANDS ? promises[type].resource : NULL;
    const struct ch_record *args = &ch_calls[type].args;
    for (uint16_t i = 0; name != NULL && i < args->count; i++) {
        if (strcmp(args->fields[i].name, name) == 0) return &args->fields[i];
    }
    CH_CHECK(name == NULL);
    return NULL;
}
