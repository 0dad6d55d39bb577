/* records: see records.h. The tables, by expanding every .def file once more.
 * SPDX-License-Identifier: MIT */
#include "schema/records.h"

#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Every list ends in a row without a name, so that none is empty; it is not counted. */
#define ENUM_BEGIN(name, doc) static const struct ch_enum_value values_##name[] = {
#define ENUM_VALUE(set, num, value, doc)                                                           \
    {.number = (num), .name = #value, .name_len = sizeof #value - 1, .text = (doc)},
#define ENUM_END(set)                                                                              \
    {                                                                                              \
        .name = NULL                                                                               \
    }                                                                                              \
    }                                                                                              \
    ;
#include "schema/enums.def"

/* clang-format off */
const struct ch_kind ch_kinds[CH_KINDS] = {
#define KIND(id, type, how, low, high, doc)                                                        \
    [CH_KIND_##id] = {.name = #id, .form = CH_FORM_##how, .least = (low), .most = (high),          \
                      .size = sizeof(type), .text = (doc)},
#include "schema/types.def"
#define ENUM_BEGIN(id, doc)                                                                        \
    [CH_KIND_##id] = {.name = #id, .form = CH_FORM_ENUM, .most = 254, .size = 1, .text = (doc),    \
                      .values = values_##id},
#define ENUM_VALUE(name, number, value, text)
#define ENUM_END(name)
#include "schema/enums.def"
    [CH_KIND_record] = {.name = "record", .form = CH_FORM_RECORD,
                        .text = "map, as the record says"},
};

#define ROWS_END {.name = NULL}};
#define RECORD_OF(prefix, rec, shown, text)                                                        \
    {.name = (shown), .fields = fields_##prefix##_##rec,                                           \
     .count = COUNT_OF(fields_##prefix##_##rec) - 1, .size = sizeof(struct ch_##prefix##_##rec),   \
     .doc = (text)}

#define OF(rec) ch_rec_##rec
#define RECORD_BEGIN(rec, text)                                                                    \
    static const char doc_rec_##rec[] = text;                                                      \
    static const struct ch_field fields_rec_##rec[] = {
#define RECORD_END(id) ROWS_END                                                                    \
    static const struct ch_record record_##id = RECORD_OF(rec, id, #id, doc_rec_##id);
#include "schema/words_rows.h"
#include "schema/records.def"
#undef OF

#define OF(rec) ch_cmd_##rec
#define COMMAND_BEGIN(ident, type, who, scope, on, text)                                           \
    static const struct ch_field fields_cmd_##ident[] = {
#define COMMAND_END(ident) ROWS_END
#include "schema/words_rows.h"
#include "schema/commands.def"
#undef OF

#define OF(rec) ch_qry_##rec
#define QUERY_BEGIN(ident, type, who, scope, on, from, text)                                       \
    static const struct ch_field fields_qry_##ident[] = {
#define QUERY_END(ident) ROWS_END
#define RESULT_BEGIN(ident) static const struct ch_field fields_qry_##ident##_result[] = {
#define RESULT_END(ident) ROWS_END
#include "schema/words_rows.h"
#include "schema/queries.def"
#undef OF

#define OF(rec) ch_ev_##rec
#define EVENT_BEGIN(name, tag, makes, text) static const struct ch_field fields_ev_##name[] = {
#define EVENT_END(name) ROWS_END
#include "schema/words_rows.h"
#include "schema/events.def"
#undef OF

static const struct ch_field fields_none[] = {{.name = NULL}};

#define FROM_STATE false
#define FROM_DAEMON true
#define ON true
#define NO_ON false
const struct ch_call_row ch_calls[CH_CALL_TYPES] = {
#define COMMAND_BEGIN(ident, type, by, needs, with, text)                                          \
    [CH_CMD_##ident] = {.args = RECORD_OF(cmd, ident, type, text),                                 \
                        .result = {.name = type, .fields = fields_none},                           \
                        .who = CH_WHO_##by, .scope = CH_SCOPE_##needs, .on = (with)},
#define COMMAND_END(ident)
#include "schema/words_none.h"
#include "schema/commands.def"
#define QUERY_BEGIN(ident, type, by, needs, with, from, text)                                      \
    [CH_QRY_##ident] = {.args = RECORD_OF(qry, ident, type, text),                                 \
                        .result = RECORD_OF(qry, ident##_result, type, text),                      \
                        .who = CH_WHO_##by, .scope = CH_SCOPE_##needs, .on = (with), .query = true,\
                        .daemon = FROM_##from},
#define QUERY_END(ident)
#define RESULT_BEGIN(ident)
#define RESULT_END(ident)
#include "schema/words_none.h"
#include "schema/queries.def"
};
#undef FROM_STATE
#undef FROM_DAEMON
#undef ON
#undef NO_ON

static const uint8_t mints[CH_CALL_TYPES + 1] = {
    [CH_CALL_TYPES] = CH_MINT_nothing,
#define COMMAND_BEGIN(ident, type, by, needs, with, text)
#define COMMAND_END(ident)
#include "schema/words_none.h"
#undef MINTS
#define MINTS(ident, what) [CH_CMD_##ident] = CH_MINT_##what,
#include "schema/commands.def"
};

enum ch_mint ch_call_mints(int type)
{
    return (enum ch_mint)mints[type];
}

enum { CH_KIND_nothing = CH_KINDS };
const struct ch_event_row ch_events[CH_EVENT_TAGS] = {
#define EVENT_BEGIN(name, tag, thing, text)                                                        \
    [tag] = {.record = RECORD_OF(ev, name, #name, text), .makes = CH_KIND_##thing,
#define EVENT_END(name) },
#include "schema/words_none.h"
#undef TRAFFIC
#define TRAFFIC(name) .traffic = true,
#include "schema/events.def"
};

const struct ch_scope_row ch_scopes_table[CH_MAX_SCOPE + 1] = {
#define SCOPE(number, id, shown, kind, doc)                                                        \
    [number] = {.name = (shown), .name_len = sizeof(shown) - 1, .ident = #id,                      \
                .resource_kind = CH_resource_kind_##kind, .text = (doc)},
#include "schema/scopes.def"
};

enum { REJECTION_plain = 0, REJECTION_rights = 1 };
enum rejection_rank {
    RANK_none,
#define REJECTION(id, number, class, doc) RANK_##id,
#include "schema/rejections.def"
};
const struct ch_rejection_row ch_rejections[] = {
    [0] = {.name = "none", .text = ""},
#define REJECTION(id, number, class, doc)                                                          \
    [number] = {.name = #id, .rank = RANK_##id, .rights = REJECTION_##class, .text = (doc)},
#include "schema/rejections.def"
};
const size_t ch_rejection_count = COUNT_OF(ch_rejections);

const struct ch_limit_row ch_limits[] = {
#define LIMIT(id, number, counted, doc)                                                            \
    {.name = #id, .value = (number), .unit = (counted), .text = (doc)},
#define LIMIT_LOGGED(id, number, counted, doc)                                                     \
    {.name = #id, .value = (number), .unit = (counted), .logged = true, .text = (doc)},
#include "schema/limits.def"
};
const size_t ch_limit_count = COUNT_OF(ch_limits);
/* clang-format on */
