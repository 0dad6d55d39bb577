/* charter: the client of charterd. SPDX-License-Identifier: MIT
 *
 *     struct charter *c = NULL;
 *     struct charter_error error;
 *     if (charter_connect("ipc:///run/charterd/charterd.ipc", NULL, &c, &error) != 0) ...
 *     struct charter_message *m = charter_message_create(NULL);
 *     charter_message_call(m, &(struct charter_call_head){.type = "check", .on = "agency/shop"});
 *     charter_arg_text(m, "user", "eve");
 *     charter_arg_texts(m, "scopes", (const char *const[]){"contacts.export"}, 1);
 *     struct charter_reply *reply = NULL;
 *     if (charter_call(c, m, &reply, &error) == 0) ... charter_reply_result(reply, 0) ...
 *
 * Functions that can fail return 0, or the wire number of a failure (schema/REFERENCE.md,
 * "Failures") that `error` tells more about. A rejection is no failure: it is a result.
 * Threads: one at a time for each struct charter; messages and replies likewise.
 * Texts and bytes of a reply live as long as the reply. */
#ifndef CHARTER_CHARTER_H
#define CHARTER_CHARTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct charter;         /* a connection */
struct charter_message; /* what is asked, and its id */
struct charter_reply;   /* what was answered */

/* Not NUL-terminated. */
struct charter_text {
    const char *ptr;
    size_t len;
};

struct charter_bytes {
    const uint8_t *ptr;
    size_t len;
};

struct charter_error {
    int number;     /* the failure's wire number; 0: none */
    char code[32];  /* its name: "busy", "net_io" */
    char field[96]; /* the field at fault, or empty */
    char text[320]; /* what happened, for people */
};

/* ---- connection --------------------------------------------------------------------------- */

struct charter_options { /* 0 everywhere: the defaults */
    unsigned in_flight;  /* messages sent and not yet collected; 1 to 256; default 32 */
    unsigned timeout_ms; /* for each message, resends and busy answers included; default 30,000 */
    unsigned resend_ms;  /* a message unanswered for so long is sent again; default 5,000 */
};

/* Connects to a URL of nng: ipc://PATH, tcp://HOST:PORT, tls+tcp://HOST:PORT. A connection that is
 * lost later is made again by itself, and what waits for an answer is sent again with the same id,
 * so that it is done once.
 * options: NULL or borrowed for the call
 * ret:     the caller's, release with charter_close; untouched on failure
 * fails:   net_io (nothing listens there), out_of_memory, config (bad URL or options) */
int charter_connect(const char *url, const struct charter_options *options, struct charter **ret,
                    struct charter_error *error);
/* NULL is a no-op. What is in flight is given up, after at most a second's wait for its answers. */
void charter_close(struct charter *c);

/* ---- message ------------------------------------------------------------------------------ */

struct charter_head {       /* 0 and NULL everywhere: the peer itself, mode "all", now */
    const char *as_user;    /* acts for this user: name */
    uint64_t as_user_id;    /* or id */
    uint64_t as_key_id;     /* acts for this API key */
    const char *key;        /* or as this key: its secret; over any transport */
    const char *session;    /* or as this session's user: its secret */
    const char *channel;    /* how the act came, where a service says it */
    bool each;              /* mode "each": every call stands for itself */
    bool dry_run;           /* decided, answered, undone */
    uint64_t at_least;      /* answer with what is known at this seq at least */
    uint64_t as_of_seq;     /* answer with what was known at this seq */
    const char *as_of_time; /* or at this time, RFC 3339 */
    const char *at;         /* an import's time, RFC 3339 */
    const uint8_t *id;      /* 16 bytes; NULL: fresh and random */
    bool has_as_of;         /* as_of_seq stands also where it is 0: before the first event */
};

struct charter_call_head {
    const char *type; /* "share.give" */
    const char *on;   /* the account: path of names; or */
    uint64_t on_id;   /* its id; neither: the call takes none */
    bool has_expect;
    uint64_t expect;  /* refuse if the account changed after this seq */
    const char *note; /* kept with the events; NULL: none */
};

/* A message without calls; it copies everything. NULL when out of memory. Its id is 16 random
 * bytes and stays the same however often it is sent: a repeat of an accepted message is answered
 * from its events. The functions that add to it have a sticky failure, told when it is sent. */
struct charter_message *charter_message_create(const struct charter_head *head);
void charter_message_destroy(struct charter_message *m); /* NULL is a no-op */

/* Begins the next call; the arguments that follow are its. */
void charter_message_call(struct charter_message *m, const struct charter_call_head *head);
void charter_arg_text(struct charter_message *m, const char *name, const char *text);
void charter_arg_texts(struct charter_message *m, const char *name, const char *const *texts,
                       size_t count);
void charter_arg_uint(struct charter_message *m, const char *name, uint64_t value);
void charter_arg_bool(struct charter_message *m, const char *name, bool value);
void charter_arg_bytes(struct charter_message *m, const char *name, const void *ptr, size_t len);
/* All arguments of the call at once: a JSON object (bytes as hexadecimal text), or a msgpack map
 * of so many pairs without its head. */
void charter_args_json(struct charter_message *m, const char *json);
void charter_args_pairs(struct charter_message *m, const void *pairs, size_t len, size_t count);

/* So far: how many calls, how many bytes (the limit of one message is 1,048,576), and the id. */
size_t charter_message_calls(const struct charter_message *m);
size_t charter_message_bytes(const struct charter_message *m);
const uint8_t *charter_message_id(const struct charter_message *m); /* 16 bytes */

/* ---- sending ------------------------------------------------------------------------------ */

/* Sends the message and waits for its reply. Busy answers are retried, waiting longer each time,
 * until the timeout.
 * ret:   the caller's, release with charter_reply_destroy; untouched on failure
 * fails: too_large and what the message's sticky failure was (nothing was sent); net_io (no
 *        connection; it was not sent); timed_out (it may have been done: send it again);
 *        whatever the daemon answered to the message as a whole */
int charter_call(struct charter *c, struct charter_message *m, struct charter_reply **ret,
                 struct charter_error *error);

/* The same in two steps, so that several messages are in flight. Submit never waits.
 * tag:   comes back with the reply
 * fails: busy (as many as options.in_flight are submitted already: collect one first), too_large */
int charter_submit(struct charter *c, struct charter_message *m, uint64_t tag,
                   struct charter_error *error);

/* Waits for any one of the submitted messages; *ret_tag says which, also on failure.
 * fails: as charter_call; config (nothing is in flight) */
int charter_collect(struct charter *c, uint64_t *ret_tag, struct charter_reply **ret,
                    struct charter_error *error);
unsigned charter_in_flight(const struct charter *c);

/* ---- reply -------------------------------------------------------------------------------- */

enum charter_outcome {
    CHARTER_RESULT,    /* done: `value` is the result */
    CHARTER_REJECTION, /* the domain says no */
    CHARTER_FAILURE,   /* this call could not be decided */
};

struct charter_result {
    enum charter_outcome outcome;
    struct charter_bytes value;  /* msgpack map */
    struct charter_text code;    /* a rejection's reason or a failure's code; else empty */
    struct charter_text text;    /* the same for people */
    struct charter_text field;   /* the argument at fault, or empty */
    struct charter_bytes detail; /* msgpack, or empty */
};

void charter_reply_destroy(struct charter_reply *reply);  /* NULL is a no-op */
bool charter_reply_ok(const struct charter_reply *reply); /* all results are */
uint64_t charter_reply_seq(const struct charter_reply *reply);
size_t charter_reply_count(const struct charter_reply *reply);
/* place: below the count */
const struct charter_result *charter_reply_result(const struct charter_reply *reply, size_t place);

/* A value of a msgpack map by its name; false if there is none of that kind. Texts are enum values
 * and times too. */
bool charter_get_text(struct charter_bytes map, const char *name, struct charter_text *ret);
bool charter_get_uint(struct charter_bytes map, const char *name, uint64_t *ret);
bool charter_get_bool(struct charter_bytes map, const char *name, bool *ret);
bool charter_get_bytes(struct charter_bytes map, const char *name, struct charter_bytes *ret);
/* Whatever it is, as msgpack. */
bool charter_get(struct charter_bytes map, const char *name, struct charter_bytes *ret);

/* Any msgpack value as JSON text, NUL-terminated; release with free(). NULL when it has no JSON
 * form, or out of memory. indent: spaces for each level; 0: one line. */
char *charter_json(struct charter_bytes value, unsigned indent);

/* ---- events ------------------------------------------------------------------------------- */

struct charter_event {
    uint64_t seq;
    struct charter_text at;      /* RFC 3339 */
    struct charter_text type;    /* "share_given" */
    uint64_t account;            /* 0: none */
    struct charter_bytes record; /* msgpack map: all of it, with actor, channel and fields */
};

/* Called with each event in order; false stops. The event's views end with the call. */
typedef bool charter_event_fn(void *context, const struct charter_event *event);

struct charter_events_options {
    uint64_t from;                /* first seq; 0: 1 */
    const char *type;             /* only of this type; NULL: all */
    const char *account;          /* only of this account, by path; or */
    uint64_t account_id;          /* by id */
    unsigned page;                /* events asked for at once; 0: 1,000 */
    bool follow;                  /* wait for more at the end, until told to stop */
    unsigned wait_ms;             /* of one such wait; 0: 1,000 */
    bool (*go_on)(void *context); /* asked between pages, so once in wait_ms; NULL: always */
    const char *as_user;          /* for whom; NULL: the peer itself; or */
    uint64_t as_user_id;          /* by id */
    const char *key;              /* or a key's secret */
    const char *session;          /* or a session's */
};

/* Reads events without gaps, page by page, to the end or for ever.
 * c:        nothing may be in flight on it
 * ret_next: the seq to go on from, also after a failure; NULL is allowed
 * fails:    as charter_call, and with a rejection's reason as error->code and number -1 */
int charter_events(struct charter *c, const struct charter_events_options *options,
                   charter_event_fn *fn, void *context, uint64_t *ret_next,
                   struct charter_error *error);

/* ---- import ------------------------------------------------------------------------------- */

enum { CHARTER_DIGEST_BYTES = 32 };

/* The digest that import.advance takes: BLAKE2b-256 of all lines, newlines included. */
struct charter_digest;
struct charter_digest *charter_digest_create(void); /* of nothing yet; NULL when out of memory */
void charter_digest_destroy(struct charter_digest *digest); /* NULL is a no-op */
void charter_digest_reset(struct charter_digest *digest);   /* of nothing again */
void charter_digest_add(struct charter_digest *digest, const void *ptr, size_t len);
/* Of what was added so far; more can be added behind it. */
void charter_digest_value(const struct charter_digest *digest, uint8_t out[CHARTER_DIGEST_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
