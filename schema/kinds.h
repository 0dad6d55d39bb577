/* kinds: the C types behind the kinds of types.def, and the enums. SPDX-License-Identifier: MIT */
#ifndef CH_SCHEMA_KINDS_H
#define CH_SCHEMA_KINDS_H
#include "schema/base/bytes.h"

/* Integers on the wire stay below 2^53, so that every JSON reader holds them exactly. */
#define CH_MAX_INTEGER 9007199254740991u
/* Nanoseconds since 1970 UTC up to the year 2262. */
#define CH_MAX_TIME 9223372036854775807u
#define CH_MAX_SCOPE 127u
enum { CH_KEYED_HASH_BYTES = 16 };

/* Ids are the seq of the event that made the thing; 0 means none. */
struct ch_account_id {
    uint64_t seq;
};
struct ch_user_id {
    uint64_t seq;
};
struct ch_share_id {
    uint64_t seq;
};
struct ch_group_id {
    uint64_t seq;
};
struct ch_role_id {
    uint64_t seq;
};
struct ch_page_id {
    uint64_t seq;
};

struct ch_key_id {
    uint64_t seq;
};
struct ch_session_id {
    uint64_t seq;
};
struct ch_plan_id {
    uint64_t seq;
};
struct ch_request_id {
    uint64_t seq;
};
struct ch_submission_id {
    uint64_t seq;
};
struct ch_reservation_id {
    uint64_t seq;
};

/* A secret in a request. What core needs of it is filled in by the line: of a token or key, `hash`
 * is the BLAKE2b-256 of the text; of a new password, `verifier` is its Argon2id string; of a
 * present one, `good` says whether it is the password that the event `of` set. */
struct ch_secret {
    struct ch_text text;
    struct ch_text verifier;
    uint8_t hash[32];
    bool good;
    uint64_t of;
};

/* A thing named in a request: by id, or by a name that is resolved before decide.
 * `hash` is the keyed hash of `name` where the kind is user_ref; filled by the pipeline. */
struct ch_ref {
    uint64_t id;
    struct ch_text name;
    uint8_t hash[CH_KEYED_HASH_BYTES];
};

/* A personal text in canonical form and its keyed hash, filled by the pipeline. */
struct ch_named {
    struct ch_text text;
    uint8_t hash[CH_KEYED_HASH_BYTES];
};

/* A set of scopes; bit n of word n / 64 is scope number n. */
struct ch_scopes {
    uint64_t words[2];
};

/* enum ch_channel { CH_channel_web = 1, ... } and so on. */
#define ENUM_BEGIN(name, text)                                                                     \
    enum ch_##name                                                                                 \
    {
#define ENUM_VALUE(name, number, value, text) CH_##name##_##value = (number),
#define ENUM_END(name)                                                                             \
    CH_##name##_end_ = 0xff                                                                        \
    }                                                                                              \
    ;
#include "schema/enums.def"

#define KIND(name, type, form, least, most, text) typedef type ch_kind_##name;
#include "schema/types.def"
/* One byte on every enum field, so that a struct's layout is the same with every compiler. */
#define ENUM_BEGIN(name, text) typedef uint8_t ch_kind_##name;
#define ENUM_VALUE(name, number, value, text)
#define ENUM_END(name)
#include "schema/enums.def"

enum ch_scope {
#define SCOPE(number, ident, name, kind, text) CH_SCOPE_##ident = (number),
#include "schema/scopes.def"
};

enum ch_rejection_code {
    CH_REJ_none = 0,
#define REJECTION(name, number, class, text) CH_REJ_##name = (number),
#include "schema/rejections.def"
};

static inline bool ch_scopes_has(struct ch_scopes set, uint8_t scope)
{
    return (set.words[scope / 64] >> (scope % 64) & 1) != 0;
}

static inline void ch_scopes_add(struct ch_scopes *set, uint8_t scope)
{
    set->words[scope / 64] |= (uint64_t)1 << (scope % 64);
}

static inline struct ch_scopes ch_scopes_or(struct ch_scopes a, struct ch_scopes b)
{
    return (struct ch_scopes){{a.words[0] | b.words[0], a.words[1] | b.words[1]}};
}

static inline struct ch_scopes ch_scopes_and(struct ch_scopes a, struct ch_scopes b)
{
    return (struct ch_scopes){{a.words[0] & b.words[0], a.words[1] & b.words[1]}};
}

/* What is in a and not in b. */
static inline struct ch_scopes ch_scopes_but(struct ch_scopes a, struct ch_scopes b)
{
    return (struct ch_scopes){{a.words[0] & ~b.words[0], a.words[1] & ~b.words[1]}};
}

static inline bool ch_scopes_empty(struct ch_scopes set)
{
    return (set.words[0] | set.words[1]) == 0;
}

static inline bool ch_scopes_equal(struct ch_scopes a, struct ch_scopes b)
{
    return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

static inline struct ch_scopes ch_scopes_of(uint8_t scope)
{
    struct ch_scopes set = {{0, 0}};
    ch_scopes_add(&set, scope);
    return set;
}
#endif
