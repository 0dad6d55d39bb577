/* receipt_read: what a receipt says, read from its lines. SPDX-License-Identifier: MIT
 * source: schema/README.md, "Receipts"; daemon/log/receipt.h */
#ifndef CH_VERIFY_RECEIPT_READ_H
#define CH_VERIFY_RECEIPT_READ_H
#include "daemon/log/receipt.h"
#include "schema/base/arena.h"
#include "schema/event.h"

/* The lines of the statement. */
enum said {
    SAID_log,
    SAID_made,
    SAID_seq,
    SAID_moment,
    SAID_account,
    SAID_account_path,
    SAID_account_name,
    SAID_subject,
    SAID_subject_name,
    SAID_scope,
    SAID_resource,
    SAID_any,
    SAID_channel,
    SAID_decision,
    SAID_reason,
    SAID_valid_until,
    SAIDS
};

enum claimed {
    CLAIM_account,
    CLAIM_share,
    CLAIM_group,
    CLAIM_role,
    CLAIM_version,
    CLAIM_key,
    CLAIMS
};

/* One fact of the explanation. */
struct fact {
    struct ch_text name; /* of enum ch_fact */
    uint64_t seq;
    bool has_event; /* at, by are said */
    struct ch_text at;
    struct ch_text by_kind;
    uint64_t by;
    uint64_t ids[CLAIMS]; /* 0: not said */
    struct ch_text words;
};

/* A line of the explanation. */
struct line {
    struct ch_text word; /* "way", "needs", "denied-by", ... */
    struct ch_text rest; /* of what is no fact */
    bool is_fact;
    struct fact fact;
};

struct statement {
    struct ch_text said[SAIDS]; /* ptr NULL: not said */
    uint64_t seq;
    uint64_t account; /* 0: by a path that nothing had */
    bool by_key;
    uint64_t subject; /* 0: by a name that nobody had */
};

extern const char *const said_words[SAIDS];
extern const char *const claim_words[CLAIMS];

/* False for lines that this program does not know, or one that misses. */
bool receipt_read_statement(struct ch_text text, struct statement *ret);

/* The next line of the explanation, taken off the text. False: another form. */
bool receipt_read_line(struct ch_text *text, struct line *ret);
#endif
