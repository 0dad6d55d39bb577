/* reply: the daemon's answer to one message. SPDX-License-Identifier: MIT
 * {id (nil if undecodable), ok, seq, error?: failure, results?: [{ok, result | rejection |
 * failure}]} rejection: {reason, text, field?, detail?}; failure: {code, text, field?, retry_ms?}
 * source: schema/README.md, "Replies" */
#ifndef CH_SCHEMA_REPLY_H
#define CH_SCHEMA_REPLY_H
#include "schema/base/buf.h"
#include "schema/cursor.h"
#include "schema/kinds.h"

/* The domain's "no" to one call. */
struct ch_reject {
    enum ch_rejection_code code; /* CH_REJ_none: not refused */
    const char *field;           /* the argument at fault, or NULL; a static text */
    struct ch_scopes scopes;     /* detail of uncovered_scopes, not_allowed, wrong_resource */
    const char *limit;           /* detail of limit_reached: the limit's name, or NULL */
    uint64_t thing;              /* detail of in_use: the id of the thing; 0: none */
};

/* Writing: begin (or error), then the results in order. `ok` of the reply is that of all results.
 */
void ch_reply_begin(struct ch_buf *buf, const uint8_t id[16], bool ok, uint64_t seq,
                    uint32_t results);
/* id: NULL where it could not be read. */
void ch_reply_error(struct ch_buf *buf, const uint8_t *id, uint64_t seq, const struct ch_why *why);
void ch_reply_result_head(struct ch_buf *buf); /* the value of `result` must follow */
void ch_reply_rejection(struct ch_buf *buf, const struct ch_reject *reject);
void ch_reply_failure(struct ch_buf *buf, const struct ch_why *why);

/* Reading; views into the reply's bytes. */
struct ch_reply {
    bool has_id;
    uint8_t id[16];
    bool ok;
    uint64_t seq;
    bool failed; /* `failure` holds why; no results then */
    struct ch_bytes failure;
    uint32_t result_count;
    struct ch_bytes results; /* the results' array, to be walked with ch_reply_next */
};

enum ch_outcome { CH_OUTCOME_RESULT, CH_OUTCOME_REJECTION, CH_OUTCOME_FAILURE };

struct ch_reply_result {
    enum ch_outcome outcome;
    struct ch_bytes value; /* of result, rejection or failure: a msgpack map */
};

/* A rejection's or a failure's map, read. */
struct ch_reply_no {
    struct ch_text code; /* reason or code */
    struct ch_text text;
    struct ch_text field;   /* empty: none */
    struct ch_bytes detail; /* msgpack; empty: none */
    uint64_t retry_ms;
};

CH_MUST_USE enum ch_err ch_reply_decode(struct ch_bytes bytes, struct ch_reply *ret,
                                        struct ch_why *why);
/* The next result of the cursor over reply->results; its array head was read by ch_reply_walk. */
struct ch_cursor ch_reply_walk(const struct ch_reply *reply);
CH_MUST_USE enum ch_err ch_reply_next(struct ch_cursor *c, struct ch_reply_result *ret,
                                      struct ch_why *why);
CH_MUST_USE enum ch_err ch_reply_read_no(struct ch_bytes value, struct ch_reply_no *ret,
                                         struct ch_why *why);
#endif
