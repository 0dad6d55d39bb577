/* strand_impl: what the strand_* files share. SPDX-License-Identifier: MIT */
#ifndef CH_REPLAY_STRAND_IMPL_H
#define CH_REPLAY_STRAND_IMPL_H
#include "daemon/replay/strand.h"
#include "schema/base/arena.h"
#include "schema/base/buf.h"

/* Of what is asked about; of streams followed; of accounts among them; of other accounts. */
enum {
    CH_STRAND_ROOTS = 24,
    CH_STRAND_STREAMS = 1024,
    CH_STRAND_PLACES = 128,
    CH_STRAND_NODES = 4096,
    CH_STRAND_TOGETHER = 32 /* events for which room is made at once */
};

/* What a question's answer is decided by, beside whoever asks and the accounts that it is on, with
 * those above them. A set of these; nothing: the whole state. strand_ask.c has it for every
 * query. */
enum ch_strand_by {
    CH_BY_WHOLE = 0,
    CH_BY_SUBJECT = 1 << 0,   /* whom it names: a user, a key, a group; or nobody */
    CH_BY_FACTS = 1 << 1,     /* and who caused what it tells */
    CH_BY_ELSEWHERE = 1 << 2, /* and the shares that users have anywhere */
    CH_BY_SETTINGS = 1 << 3,
    CH_BY_BELOW = 1 << 8, /* the accounts right below it */
    CH_BY_CREDITS = 1 << 4,
    CH_BY_PEOPLE = 1 << 5, /* who and what has shares and keys of the account */
    CH_BY_ABOVE = 1 << 6,  /* and of those above it */
    CH_BY_LOGINS = 1 << 7, /* and when these users logged in last */
    CH_BY_GROUPS = 1 << 9, /* and what they have elsewhere by groups */
    CH_BY_LOG = 1 << 10,   /* what holds for the whole log; it need not be about anything */
    CH_BY_LIMITS = 1 << 11,
    CH_BY_ASKER = 1 << 12,      /* who asks is whom it is about */
    CH_BY_SET = 1 << 13,        /* the last event of the account */
    CH_BY_OWNER = 1 << 14,      /* whose the tree is, and to whom it is offered */
    CH_BY_OFFERS = 1 << 15,     /* made to the asker */
    CH_BY_SESSIONS = 1 << 16,   /* of the asker */
    CH_BY_REQUESTS = 1 << 17,   /* for access: of the account, and of an asker it is about */
    CH_BY_CAMPAIGNS = 1 << 18,  /* that were submitted, and by whom */
    CH_BY_TREE = 1 << 19,       /* every account of the tree */
    CH_BY_MAIL = 1 << 20,       /* what was counted of the account's */
    CH_BY_MAIL_BELOW = 1 << 21, /* and of those below it; with CH_BY_TREE */
    CH_BY_FEEDS = 1 << 22,      /* what the account feeds */
    CH_BY_FED = 1 << 23,        /* what the one above it feeds */
    CH_BY_LIST = 1 << 24,       /* its unsubscribe list */
    CH_BY_LISTS = 1 << 25,      /* and those of the one above it and right below it */
    CH_BY_MADE = 1 << 26,       /* what the subject made */
    CH_BY_USES = 1 << 27,       /* when shares of the account were used and certified */
};

/* One stream that is followed. */
struct ch_strand_stream {
    uint64_t key;
    uint64_t to;  /* gathered so far */
    bool deep;    /* what its events name is followed, too */
    bool invited; /* of a user: they have accepted nothing yet */
};

/* An account whose shares and groups are of the strand. */
struct ch_strand_place {
    uint64_t id;
    uint64_t parent;        /* 0: none, or not known yet */
    uint64_t dissolved_seq; /* the last part of it that ended; 0: none did */
    uint64_t set_seq;       /* its last event, where that is asked for; 0: it is not */
    bool asked;             /* something is asked about it, or about one below it */
    bool read_opened;       /* its opening was read, so that `parent` is known */
};

/* An account of which only that it is there is of the strand, and its credits or switches. */
struct ch_strand_node {
    uint64_t id;
    uint64_t parent; /* 0: none */
    uint64_t dissolved_seq;
};

/* A stream that is followed as soon as the account is of the strand. */
struct ch_strand_lead {
    uint64_t account;
    uint64_t key;
    bool deep;
};

/* An event to be applied; its record is in `records`. */
struct ch_strand_entry {
    uint64_t seq;
    size_t at;
    uint32_t len;
    uint16_t uses;    /* 1: by it shares of the account asked about may be used */
    uint16_t applies; /* 0: beside that it is not about the part */
};

/* What makes a strand what it is. Zeroed before it is filled, so that two can be compared. */
struct ch_strand_roots {
    uint64_t account[CH_STRAND_ROOTS];
    uint64_t subject[CH_STRAND_ROOTS]; /* users, keys and groups */
    uint64_t asker;                    /* a person or a key; 0: neither */
    uint32_t accounts, subjects;
    uint32_t by; /* a set of enum ch_strand_by, of all calls */
    uint32_t spare;
};

struct ch_strand {
    struct ch_strand_roots roots;
    struct ch_state state;
    bool open;     /* the state is */
    uint64_t seq;  /* where it stands */
    uint64_t used; /* when, for which is forgotten first */
    struct ch_strand_stream stream[CH_STRAND_STREAMS];
    struct ch_strand_place place[CH_STRAND_PLACES];
    struct ch_strand_node node[CH_STRAND_NODES];
    uint32_t streams, places, nodes;
    uint64_t events; /* of its streams */
    bool grown;      /* a stream was added since the last pass over them */
    bool widened;    /* a stream was added since it was begun or went on */
    bool too_many;
};

struct ch_strand_decoded {
    struct ch_event event;
    union ch_event_body body;
};

struct ch_strands {
    struct ch_strands_options options;
    struct ch_strand *kept[4];
    uint64_t clock;
    uint64_t events, read; /* of the last answer */
    struct ch_arena arena; /* of one event, or some that are applied */
    struct ch_strand_decoded decoded[CH_STRAND_TOGETHER];
    struct ch_buf leads;   /* struct ch_strand_lead; of one gathering, as what follows */
    struct ch_buf entries; /* struct ch_strand_entry */
    struct ch_buf records;
};

/* strand_ask.c. What the request is about; false: it is not answered from a strand. */
bool ch_strand_roots(const struct ch_strand_asked *asked, const struct ch_state *head,
                     struct ch_strand_roots *ret);
/* Whether the part of the state answers the request as the whole one would. */
bool ch_strand_answers(const struct ch_strand_asked *asked, const struct ch_strand_roots *roots,
                       const struct ch_state *part);

/* strand_gather.c. Begins with the streams of its roots. */
void ch_strand_begin(struct ch_strand *strand);
/* Finds what is to be applied up to `to`, sorted; follows what it names.
 * most: beyond so many events it gives up
 * false: gave up, or something could not be read */
bool ch_strand_gather(struct ch_strands *strands, struct ch_strand *strand, uint64_t to,
                      uint64_t most);
const struct ch_strand_place *ch_strand_find_place(const struct ch_strand *strand,
                                                   uint64_t account);
/* Whether the stream is one that is followed. */
bool ch_strand_follows(const struct ch_strand *strand, uint8_t kind, uint64_t id);
/* The event with the last part of a dissolved account of the strand; 0: it was not dissolved. */
uint64_t ch_strand_dissolved(const struct ch_strand *strand, uint64_t account);

static inline size_t ch_strand_entries(const struct ch_strands *strands)
{
    return strands->entries.len / sizeof(struct ch_strand_entry);
}

static inline struct ch_strand_entry *ch_strand_entry(const struct ch_strands *strands, size_t i)
{
    return (struct ch_strand_entry *)(void *)strands->entries.ptr + i;
}
#endif
