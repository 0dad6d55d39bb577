/* event: the log's record of one event, as a struct and as bytes. SPDX-License-Identifier: MIT
 * source: schema/README.md, "Events" */
#ifndef CH_SCHEMA_EVENT_H
#define CH_SCHEMA_EVENT_H
#include "schema/codec.h"

struct ch_actor {
    uint8_t kind; /* enum ch_actor_kind */
    bool has_via; /* a service acts for the actor; via is its uid */
    uint64_t id;
    uint64_t via;
};

enum ch_cause_kind { CH_CAUSE_NONE, CH_CAUSE_COMMAND, CH_CAUSE_EVENT };

/* Of a command's first event: the message's id, the call's place in it and the message's
 * fingerprint; of its other events: the first one's seq. */
struct ch_cause {
    enum ch_cause_kind kind;
    uint8_t id[16];
    uint32_t index;
    uint8_t fingerprint[8];
    uint64_t first;
};

enum { CH_NONCE_BYTES = 24, CH_SEAL_BYTES = 16 };

/* The personal part, sealed under the key of user number `number` (0: the installation's). */
struct ch_sealed {
    bool present;
    uint64_t number;
    uint8_t nonce[CH_NONCE_BYTES];
    struct ch_bytes cipher;
};

struct ch_event {
    uint64_t seq;
    uint64_t at;  /* nanoseconds since 1970 UTC */
    uint16_t tag; /* enum ch_event_tag */
    uint8_t channel;
    struct ch_actor actor;
    uint64_t account; /* 0: none */
    struct ch_cause cause;
    const void *body; /* struct ch_ev_<tag> */
    struct ch_sealed personal;
    struct ch_text note; /* free text of the command; live only, it goes into `personal` */
};

/* Room for the body of any event. */
union ch_event_body {
    uint64_t align;
#define EVENT_BEGIN(name, tag, makes, doc) struct ch_ev_##name name;
#define EVENT_END(name)
#include "schema/words_none.h"
#include "schema/events.def"
};

/* Appends the record's canonical bytes. */
void ch_event_encode(struct ch_buf *buf, const struct ch_event *event);

/* Reads a record, which must be canonical and of a known tag.
 * body:   filled and pointed at by ret->body; arena holds its lists; texts are borrowed from
 * `bytes` errors: CH_ERR_LOG_CORRUPT */
CH_MUST_USE enum ch_err ch_event_decode(struct ch_bytes bytes, struct ch_arena *arena,
                                        union ch_event_body *body, struct ch_event *ret,
                                        struct ch_why *why);

/* The plain text of the personal part: an array of the personal fields in row order (nil: absent),
 * then the note, if there is one. Empty if the event has neither. */
void ch_event_personal(struct ch_buf *buf, const struct ch_event *event);

/* Puts an opened plain text back into the body's personal fields and `note`; views into `plain`.
 * errors: CH_ERR_SEAL_BROKEN if it has another form */
CH_MUST_USE enum ch_err ch_event_open(struct ch_bytes plain, union ch_event_body *body,
                                      struct ch_event *event, struct ch_why *why);
#endif
