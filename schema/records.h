/* records: the structs of every command, query, answer, nested record and event, from the .def
 * rows, and the tables that describe them to the codec, the command line and the documents.
 * SPDX-License-Identifier: MIT
 * A row FIELD(rec, kind, name, doc) gives the member `ch_kind_<kind> name`; FIELD_OPT adds
 * `bool has_<name>`; FIELD_LIST gives `const ch_kind_<kind> *name` and `uint32_t <name>_len`. */
#ifndef CH_SCHEMA_RECORDS_H
#define CH_SCHEMA_RECORDS_H
#include "schema/kinds.h"

#define RECORD_BEGIN(name, doc) struct ch_rec_##name {
#define RECORD_END(name)                                                                           \
    }                                                                                              \
    ;
#include "schema/words_struct.h"
#include "schema/records.def"
/* C has no empty struct: what has no fields has a byte that nobody uses. */
#define COMMAND_BEGIN(ident, type, who, scope, on, doc) struct ch_cmd_##ident {
#define COMMAND_END(ident)                                                                         \
    bool unused_;                                                                                  \
    }                                                                                              \
    ;
#include "schema/words_struct.h"
#include "schema/commands.def"
#define QUERY_BEGIN(ident, type, who, scope, on, from, doc) struct ch_qry_##ident {
#define QUERY_END(ident)                                                                           \
    bool unused_;                                                                                  \
    }                                                                                              \
    ;
#define RESULT_BEGIN(ident) struct ch_qry_##ident##_result {
#define RESULT_END(ident)                                                                          \
    }                                                                                              \
    ;
#include "schema/words_struct.h"
#include "schema/queries.def"
#define EVENT_BEGIN(name, tag, makes, doc) struct ch_ev_##name {
#define EVENT_END(name)                                                                            \
    bool unused_;                                                                                  \
    }                                                                                              \
    ;
#include "schema/words_struct.h"
#include "schema/events.def"

enum ch_event_tag {
    CH_EV_none = 0,
#define EVENT_BEGIN(name, tag, makes, doc) CH_EV_##name = (tag),
#define EVENT_END(name)
#include "schema/words_none.h"
#include "schema/events.def"
};
enum { CH_EVENT_TAGS = 256 }; /* tags are below this */

/* Commands first, then queries; the number is internal and may change with every build. */
enum ch_call_type {
#define COMMAND_BEGIN(ident, type, who, scope, on, doc) CH_CMD_##ident,
#define COMMAND_END(ident)
#include "schema/words_none.h"
#include "schema/commands.def"
    CH_COMMANDS,
    CH_CALL_before_queries_ = CH_COMMANDS - 1,
#define QUERY_BEGIN(ident, type, who, scope, on, from, doc) CH_QRY_##ident,
#define QUERY_END(ident)
#define RESULT_BEGIN(ident)
#define RESULT_END(ident)
#include "schema/words_none.h"
#include "schema/queries.def"
    CH_CALL_TYPES,
};

/* Who may send a call. */
enum ch_who { CH_WHO_OPERATOR, CH_WHO_SERVICE, CH_WHO_SCOPE, CH_WHO_SELF, CH_WHO_ANYONE };

/* The sort of secret that a command is given before it is decided, one for each account it names in
 * a list, else one. */
enum ch_mint { CH_MINT_nothing, CH_MINT_token, CH_MINT_key, CH_MINT_session };

/* How a field is read and written. */
enum ch_form {
    CH_FORM_FLAG,
    CH_FORM_UINT,
    CH_FORM_MOMENT,
    CH_FORM_TEXT,
    CH_FORM_NAME,
    CH_FORM_NAMED,
    CH_FORM_SECRET,
    CH_FORM_ID,
    CH_FORM_REF,
    CH_FORM_SCOPE,
    CH_FORM_SCOPES,
    CH_FORM_BYTES,
    CH_FORM_VALUE,
    CH_FORM_ENUM,
    CH_FORM_RECORD,
};

enum ch_kind_number {
#define KIND(name, type, form, least, most, text) CH_KIND_##name,
#include "schema/types.def"
#define ENUM_BEGIN(name, text) CH_KIND_##name,
#define ENUM_VALUE(name, number, value, text)
#define ENUM_END(name)
#include "schema/enums.def"
    CH_KIND_record,
    CH_KINDS,
};

/* Which of a user's names a text is: no username has an @. */
static inline uint8_t ch_user_name_kind(struct ch_text name)
{
    return memchr(name.ptr, '@', name.len) != NULL ? CH_KIND_email : CH_KIND_username;
}

struct ch_enum_value {
    uint8_t number;
    const char *name;
    uint8_t name_len;
    const char *text;
};

struct ch_kind {
    const char *name;
    enum ch_form form;
    uint64_t least;
    uint64_t most;
    size_t size;                        /* of the C type */
    const char *text;                   /* what stands on the wire */
    const struct ch_enum_value *values; /* an enum's, ended by a NULL name */
};

struct ch_record;

struct ch_field {
    const char *name;
    uint8_t name_len;
    uint8_t kind; /* enum ch_kind_number */
    bool optional;
    bool list;
    bool personal;
    uint16_t offset;
    uint16_t has_offset;            /* of has_<name>, or of <name>_len */
    uint32_t max;                   /* items of a list */
    const struct ch_record *record; /* of a nested record */
    const char *doc;
};

struct ch_record {
    const char *name; /* "share.give", "share_given", "share_row" */
    const struct ch_field *fields;
    uint16_t count;
    uint16_t required; /* fields that must be present */
    uint32_t size;     /* of the struct */
    const char *doc;
};

struct ch_call_row {
    struct ch_record args;
    struct ch_record result; /* of a query; a command's has no fields */
    enum ch_who who;
    uint8_t scope;
    bool on; /* the request names an account */
    bool query;
    bool daemon; /* a query that is not answered from the state */
};

struct ch_event_row {
    struct ch_record record;
    uint8_t makes; /* kind number of the thing made; CH_KINDS: nothing */
    bool traffic;  /* it changes nothing that `expect` guards */
};

struct ch_scope_row {
    const char *name; /* NULL: no scope has this number */
    uint8_t name_len;
    const char *ident;
    uint8_t resource_kind;
    const char *text;
};

struct ch_rejection_row {
    const char *name;
    uint8_t rank; /* place in the order of precedence, from 1; numbers stand in the log and stay */
    bool rights;  /* the actor lacks a right */
    const char *text;
};

struct ch_set_row {
    const char *name;
    struct ch_scopes scopes;
    const char *text;
};

struct ch_limit_row {
    const char *name;
    uint64_t value;
    const char *unit;
    bool logged;
    const char *text;
};

extern const struct ch_kind ch_kinds[CH_KINDS];
extern const struct ch_call_row ch_calls[CH_CALL_TYPES];
extern const struct ch_event_row ch_events[CH_EVENT_TAGS]; /* by tag; a NULL name: no such tag */
extern const struct ch_scope_row ch_scopes_table[CH_MAX_SCOPE + 1];
extern const struct ch_rejection_row ch_rejections[]; /* by number; [0] is empty */
extern const size_t ch_rejection_count;               /* numbers are below this */
extern const struct ch_limit_row ch_limits[];
extern const size_t ch_limit_count;

/* The built-in roles, pages and masks, as sets; made by walking the rows of their .def files. */
size_t ch_role_count(void);
struct ch_set_row ch_role_at(size_t place);
size_t ch_mask_count(void);
struct ch_set_row ch_mask_at(size_t place); /* number place + 1; a NULL name: there is none such */
size_t ch_page_count(void);
struct ch_set_row ch_page_at(size_t place);

enum ch_mint ch_call_mints(int type);

/* Numbers from names; -1 if there is none such. */
int ch_call_find(struct ch_text type);
int ch_event_find(struct ch_text name);
int ch_scope_find(struct ch_text name);
int ch_enum_find(uint8_t kind, struct ch_text name);
const char *ch_enum_name(uint8_t kind, uint8_t number); /* "?" if there is none such */
#endif
