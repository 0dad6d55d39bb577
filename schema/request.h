/* request: one message to the daemon, as a struct and as bytes. SPDX-License-Identifier: MIT
 * {v: 1, id: bin16, auth: [kind, ...], channel?, calls: [{on?, type, args, expect?, note?}],
 *  mode: "all" | "each", at_least?, as_of?, at?, dry_run?, trace?}
 * source: schema/README.md, "Requests" */
#ifndef CH_SCHEMA_REQUEST_H
#define CH_SCHEMA_REQUEST_H
#include "schema/codec.h"

enum ch_mode { CH_MODE_ALL, CH_MODE_EACH };
enum ch_as_of { CH_AS_OF_NOW, CH_AS_OF_SEQ, CH_AS_OF_TIME };

/* How the sender says who acts: ["peer"], ["as", "user", id or name], ["as", "key", id],
 * ["key", secret] or ["session", secret]. */
enum ch_auth_kind { CH_AUTH_PEER, CH_AUTH_AS_USER, CH_AUTH_AS_KEY, CH_AUTH_KEY, CH_AUTH_SESSION };

struct ch_call {
    int type; /* enum ch_call_type; -1: not known, then `why` says so */
    bool has_on;
    struct ch_ref on;
    void *args; /* struct ch_cmd_<ident> or ch_qry_<ident>, in the arena */
    bool has_expect;
    uint64_t expect;
    struct ch_text note;
    struct ch_why *why; /* not NULL: the call could not be read; its failure */
};

struct ch_request {
    bool has_id;
    uint8_t id[16];
    enum ch_auth_kind auth;
    struct ch_ref auth_user;
    uint64_t auth_key;            /* of ["as", "key", id] */
    struct ch_secret auth_secret; /* of a key or a session */
    bool has_channel;
    uint8_t channel;
    enum ch_mode mode;
    enum ch_as_of as_of_kind;
    uint64_t as_of;
    bool has_at_least;
    uint64_t at_least;
    bool has_at;
    uint64_t at;
    bool dry_run;
    struct ch_text trace;
    struct ch_call *calls;
    uint32_t call_count;
    struct ch_bytes spans[12]; /* the raw value of each key, in the order of the struct comment */
};

/* Reads a request. A call that cannot be read carries its own failure in `why`; the rest is still
 * good. ret:    views into `bytes` and the arena; has_id may be set even on failure, so a reply can
 * name it errors: as ch_decode_map, and BAD_VERSION, AUTH_UNSUPPORTED */
CH_MUST_USE enum ch_err ch_request_decode(struct ch_bytes bytes, struct ch_arena *arena,
                                          struct ch_request *ret, struct ch_why *why);

/* The bytes that an idempotency fingerprint covers: every present key but auth and trace, in a
 * fixed order. Appends them to buf. */
void ch_request_fingerprint(struct ch_buf *buf, const struct ch_request *request);

/* Writes the part of a request before its calls, and then each call; for clients. The caller writes
 * `args` by ch_encode_map, or as raw msgpack. */
struct ch_request_head {
    const uint8_t *id;      /* 16 bytes */
    struct ch_text as_user; /* empty: ["peer"] */
    uint64_t as_user_id;    /* not 0: instead of the text */
    uint64_t as_key_id;     /* not 0: ["as", "key", id] */
    struct ch_text key;     /* not empty: ["key", secret] */
    struct ch_text session; /* not empty: ["session", secret] */
    struct ch_text channel; /* empty: none */
    bool each;              /* mode "each" instead of "all" */
    bool dry_run;
    uint64_t at_least;         /* 0: none */
    bool has_as_of;            /* as_of_seq stands, also 0: before the first event */
    uint64_t as_of_seq;        /* 0: none, unless has_as_of */
    struct ch_text as_of_time; /* RFC 3339; empty: none */
    struct ch_text at;         /* import time; empty: none */
};
void ch_request_begin(struct ch_buf *buf, const struct ch_request_head *head, uint32_t calls);

struct ch_call_head {
    struct ch_text type;
    struct ch_text on_name; /* both empty and 0: no `on` */
    uint64_t on_id;
    bool has_expect;
    uint64_t expect;
    struct ch_text note; /* empty: none */
};
/* Writes everything of a call but the value of `args`, which must follow. */
void ch_request_call(struct ch_buf *buf, const struct ch_call_head *head);
#endif
