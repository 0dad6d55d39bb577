/* rows: what charterd knows, as fixed-size rows. SPDX-License-Identifier: MIT
 * Rows refer to each other by row number (0: none), never by pointer. No row has padding, and
 * numbers are little-endian in memory, so a row's bytes are its canonical form (dump.h). `id` is
 * the seq of the event that made the thing. `changed` is the last seq that changed the row or what
 * hangs on it, so that an answer that read it can be held until that seq is durable. */
#ifndef CH_CORE_ROWS_H
#define CH_CORE_ROWS_H
#include "schema/base/bytes.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are dumped as they lie in memory");
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* The one row of what moves with seq. */
struct ch_row_meta {
    uint32_t live;
    uint32_t next_user_number; /* vault slots; 0 is the installation's */
    uint64_t head;             /* last seq applied */
    uint64_t last_at;          /* that event's time; no event's lies before it */
    uint64_t own_at;           /* last time made by the daemon's own clock */
    uint64_t ids_kept;         /* accepted messages remembered; from limit_defined */
    uint64_t ids_count;        /* accepted messages ever */
    uint64_t import_line;
    uint64_t import_seq; /* the last import event */
    uint32_t importing;
    uint32_t dues; /* rows of the heap of what is due */
    uint8_t import_digest[32];
    uint8_t scope_kinds[128]; /* resource kind of each scope, as declared in the log */
    uint64_t bounce_ppm;      /* of reputation, from limit_defined; 0: a log without them */
    uint64_t complaint_ppm;
    uint64_t rate_volume;
    uint64_t rate_days;
    uint64_t series_days;
};

/* Bytes of any length over chained rows; the first row holds the length of all. */
struct ch_row_chain {
    uint32_t live;
    uint32_t next;
    uint32_t len;
    uint32_t refs; /* of an interned text; else 1 */
    uint8_t bytes[48];
};

/* An interned scope set. */
struct ch_row_scopes {
    uint32_t live;
    uint32_t refs;
    uint64_t words[2];
};

struct ch_row_declared {
    uint32_t live;
    uint32_t category;
    uint64_t number;
    uint64_t seq;
};

struct ch_row_account {
    uint32_t live;
    uint32_t parent;
    uint64_t id;
    uint64_t changed;
    uint64_t last_seq; /* the last event whose account this is */
    uint64_t set_seq;  /* the last of them that is no traffic; for expect */
    uint64_t guardrail_seq;
    uint64_t closed_seq;
    uint64_t suspended_seq[2]; /* by the customer, by the operator; 0: not suspended */
    uint64_t standing_seq[2];  /* what each of them said last, which holds the reason */
    uint64_t standing_at[2];
    uint64_t closed_at;
    uint64_t closed_act;       /* first event of the command that closed it */
    uint64_t reopen_until;     /* of a closed one; 0: it is not, or it is dissolved */
    uint64_t content_lock_seq; /* 0: its people may change its content */
    uint64_t unpaid_seq;       /* of a root: its plan is not paid; 0: it is, or it has none */
    uint64_t master_asked_seq; /* the open request for master status; 0: none */
    uint64_t master_asked_at;
    uint64_t master_declined_seq; /* its refusal, until it is asked for again */
    uint64_t master_declined_at;
    uint32_t name;      /* text */
    uint32_t guardrail; /* scopes; 0: none */
    uint32_t depth;     /* 0: a root */
    uint32_t sub_depth; /* levels below that the operator allowed it itself */
    uint32_t status;    /* enum ch_account_status */
    uint32_t first_child;
    uint32_t next_sibling;
    uint32_t prev_sibling;
    uint32_t open_children;
    uint32_t first_share;
    uint32_t share_count;
    uint32_t first_group;
    uint32_t group_count;
    uint32_t first_role;
    uint32_t settings;    /* row of its settings; 0: nothing was ever set */
    uint32_t from_domain; /* text; 0: none of its own */
    uint32_t owner;       /* of a root: its owner's share; 0: none */
    uint32_t first_seat;  /* newest first */
    uint32_t seat_count;
    uint32_t first_request;
    uint32_t first_submission;
    uint32_t submission_count;
    uint32_t due;   /* place in the heap of what is due: its dissolution; 0: none */
    uint32_t offer; /* of a root: its open offer of ownership; 0: none */
    uint32_t first_stream;
    uint32_t stream_count;
    uint32_t stopped;      /* bit of each mail_stream of the account that is stopped */
    uint32_t stopped_keys; /* streams of its keys that are stopped */
    uint32_t first_key;
    uint32_t key_count;
};

enum { CH_SWITCHES = 5 };                                          /* of enum ch_setting_switch */
enum ch_text_setting { CH_TEXT_HEADER, CH_TEXT_FOOTER, CH_TEXTS }; /* places of text settings */

/* What an account has set of its own; made with the first of it. */
struct ch_row_settings {
    uint32_t live;
    uint32_t account;
    uint32_t switches;         /* bit n: switch n of enum ch_setting_switch is on */
    uint32_t text[CH_TEXTS];   /* passages; 0: none */
    uint32_t first_suppressed; /* its unsubscribe list, the newest first */
    uint32_t suppressed_count;
    uint32_t first_feed; /* content that it feeds to accounts below */
    uint32_t feed_count;
    uint32_t review_days; /* its shares are to be certified that often; 0: it says nothing */
    uint64_t review_seq;
    uint64_t text_seq[CH_TEXTS];
    uint64_t switch_seq[CH_SWITCHES]; /* 0: never set */
    uint64_t lists_seq; /* last change of its own list, or of one below that counts for it */
};

/* Content that an account feeds to accounts right below it. */
struct ch_row_feed {
    uint32_t live;
    uint32_t account; /* whose it is */
    uint32_t kind;    /* enum ch_resource_kind */
    uint32_t resource;
    uint32_t to; /* the account below; 0: all whose switch is on */
    uint32_t next;
    uint32_t prev;
    uint32_t spare;
    uint64_t seq;
};

/* An address on an account's unsubscribe list. There may be millions: a row is 48 bytes, and one
 * index leads to the first of an address in a tree of accounts. */
struct ch_row_suppressed {
    uint32_t live;
    uint32_t account;
    uint64_t seq;
    uint8_t hash[16]; /* keyed; the address itself is not known */
    uint32_t same;    /* the next one of this address in the tree */
    uint32_t next;    /* in the account's list */
    uint32_t prev;
    uint16_t hash_key;
    uint8_t reason; /* enum ch_suppression_reason */
    uint8_t spare;
};

/* A key that addresses on unsubscribe lists are hashed with; its row number is its number. Number 1
 * is made of the installation's own key; its row comes with the first address, or with number 2. */
struct ch_row_hash_key {
    uint32_t live;
    uint32_t spare;
    uint64_t seq; /* the event that made it; of number 1: 0 */
    uint64_t changed;
    uint64_t slot;        /* of the vault; of number 1: 0, the installation's */
    uint64_t addresses;   /* on lists, hashed with it */
    uint64_t retired_seq; /* 0: in use */
};

struct ch_row_user {
    uint32_t live;
    uint32_t number; /* vault slot */
    uint64_t id;
    uint64_t changed;
    uint64_t profile_seq; /* the event that holds the sealed names */
    uint64_t status_seq;
    uint64_t password_seq;  /* the event that holds the sealed verifier; 0: no password */
    uint64_t last_login_at; /* nanoseconds; 0: never */
    uint32_t status;        /* enum ch_user_status */
    uint32_t first_share;
    uint32_t share_count;
    uint32_t first_request;
    uint32_t request_count;
    uint32_t first_session;
    uint32_t session_count;
    uint32_t is_login;     /* made as an other login, to be deleted with its share */
    uint32_t made;         /* shares, grants and keys that they made, also by keys of theirs */
    uint32_t first_sealed; /* what state keeps sealed under their key */
};

/* A user's place in the list of an account's users: one row for a user and an account, whatever
 * happens between them. It outlives the share, so that the list shows everybody who was ever
 * active, and so that of an invitation's token it can be told what became of it. */
struct ch_row_seat {
    uint32_t live;
    uint32_t account;
    uint32_t user;
    uint32_t holds;           /* row of the share; see ch_seat_share and ch_seat_role_name */
    uint64_t status_seq : 56; /* since when the share stands as it does, or has ended */
    uint64_t kind : 6;        /* enum ch_share_kind, of an ended share */
    uint64_t by_date : 1;     /* of an ended share: because its date came */
    uint64_t ended : 1;       /* holds: text, what the role was called; 0: it had none */
    uint64_t first_at;        /* nanoseconds: first active; 0: never */
    uint32_t invitation;      /* row of the last one; 0: there was none */
    uint32_t next_of_account;
};

/* The row of its share; 0: it has ended. */
static inline uint32_t ch_seat_share(const struct ch_row_seat *seat)
{
    return seat->ended ? 0 : seat->holds;
}

/* The text row of what the role of an ended share was called; 0: it had none. */
static inline uint32_t ch_seat_role_name(const struct ch_row_seat *seat)
{
    return seat->ended ? seat->holds : 0;
}

/* The last invitation to a seat; as long as the seat. */
struct ch_row_invitation {
    uint32_t live;
    uint32_t seat;
    uint64_t invited_at; /* when it was sent first */
    uint64_t open_until; /* from then on it cannot be accepted */
    uint32_t status;     /* enum ch_invitation */
    uint32_t due;        /* place in the heap of what is due; 0: none */
    uint8_t token_hash[32];
};

/* A campaign that was submitted and not sent yet: its last submission. The submitter's remark is
 * kept under its id, the reason of a rejection under decided_seq. */
struct ch_row_submission {
    uint32_t live;
    uint32_t account;
    uint32_t campaign; /* text */
    uint32_t status;   /* enum ch_submission_status */
    uint64_t id;
    uint64_t changed;
    uint64_t decided_seq;  /* 0: nobody decided it, and its content was not changed */
    uint64_t decided_by;   /* the actor's id */
    uint32_t decided_kind; /* enum ch_actor_kind */
    uint32_t user;         /* who submitted it, or made the key that did; 0: nobody in person */
    uint64_t key;          /* id of the key that submitted it; 0: none */
    uint32_t next_of_account;
    uint32_t prev_of_account;
    uint8_t content_hash[32];
};

/* A request for access; its note is kept under its id, the reason of a denial under decided_seq. */
struct ch_row_request {
    uint32_t live;
    uint32_t account;
    uint32_t user;
    uint32_t status; /* enum ch_request_status */
    uint64_t id;
    uint64_t changed;
    uint64_t decided_seq;
    uint64_t decided_by; /* the user's id; 0: nobody, or no user */
    uint64_t expires_at;
    uint32_t scopes;
    uint32_t kind;     /* of the resource; 0: none */
    uint32_t resource; /* text */
    uint32_t next_of_account;
    uint32_t prev_of_account;
    uint32_t next_of_user; /* the newest first */
    uint32_t prev_of_user;
    uint32_t due;
};

/* A session of a user. Of its secret there is the hash only. */
struct ch_row_session {
    uint32_t live;
    uint32_t user;
    uint64_t id;
    uint64_t changed;
    uint64_t expires_at;
    uint32_t account; /* the current one; 0: none */
    uint32_t due;
    uint32_t next_of_user; /* the newest first */
    uint32_t prev_of_user;
    uint8_t hash[32];
};

/* An API key. Of its secret there is the hash only. */
struct ch_row_key {
    uint32_t live;
    uint32_t account;
    uint64_t id;
    uint64_t changed;
    uint64_t secret_seq; /* the event that set its present secret */
    uint64_t expires_at; /* 0: no end */
    uint64_t old_until;  /* until then the secret before works, too; 0: it does not */
    uint64_t made_by;    /* the id of the actor who made it */
    uint32_t person;     /* row of the user who made it, also by way of other keys; 0: nobody */
    uint8_t made_by_kind;
    uint8_t kind; /* enum ch_key_kind */
    uint8_t spare[2];
    uint32_t name; /* text */
    uint32_t scopes;
    uint32_t due; /* place in the heap of what is due; 0: none */
    uint32_t next_of_account;
    uint32_t prev_of_account;
    uint32_t spare_too;
    uint8_t hash[32];
    uint8_t old_hash[32]; /* of the secret before; zeros: none */
};

/* The sealed part of an event that state keeps: names, reasons. Found by the event's seq. */
struct ch_row_sealed {
    uint32_t live;
    uint32_t cipher; /* chain */
    uint64_t seq;
    uint32_t number; /* whose key: vault slot */
    uint32_t next_of_user;
    uint32_t prev_of_user;
    uint32_t spare;
    uint8_t nonce[24];
};

/* There may be millions, and nearly every event reads one: what most never have is in its terms.
 * The counts are bounded by limits of decide; the order of bits is the ABI's on every machine that
 * is little-endian. */
struct ch_row_share {
    uint32_t live;
    uint32_t account;
    uint32_t subject;         /* row of the user or the group */
    uint8_t subject_kind : 2; /* enum ch_subject_kind */
    uint8_t kind : 2;         /* enum ch_share_kind */
    uint8_t status : 2;       /* enum ch_share_status */
    uint8_t reach : 2;        /* enum ch_reach */
    uint8_t member_count;
    uint16_t grant_count;
    uint64_t id;
    uint64_t changed;
    uint64_t role_seq;
    uint32_t role;
    uint32_t terms;         /* 0: it has none */
    uint32_t used_day;      /* when its subject last used it; see CH_DAY_GIVEN */
    uint32_t certified_day; /* when it was last certified; by whom is in the terms */
    uint32_t first_grant;
    uint32_t first_member; /* memberships of the account's groups; a user's share only */
    uint32_t next_of_subject;
    uint32_t prev_of_subject;
    uint32_t next_of_account;
    uint32_t prev_of_account;
    uint32_t seat;    /* of a user's share */
    uint32_t made_by; /* row of the user who made it; 0: no person */
};

enum { CH_LIMITED_KINDS = 7 }; /* of resources that a share can be limited on; in 8 bits, from 1 */

/* What most shares never have; a row only as long as something of it is set. */
struct ch_row_terms {
    uint32_t live;
    uint32_t share;
    uint64_t denied_seq; /* 0: nothing is denied */
    uint64_t own_seq;    /* 0: it has no scopes of its own */
    uint64_t status_seq; /* of a group's share; 0: as it was made. A user's is in the seat */
    uint64_t expires_at; /* 0: no end */
    uint64_t expiry_seq; /* of the event that set it; 0: no end */
    uint64_t limited_seq[CH_LIMITED_KINDS]; /* of kind k at k - 1; 0: it is not limited on it */
    uint32_t denied;                        /* scopes; 0: none */
    uint32_t own; /* scopes of its own beside the role's, on every resource; 0: none */
    uint32_t limited_kinds : 8; /* bit k: what the role gives on kind k is limited */
    uint32_t limited_count : 24;
    uint32_t first_limited;
    uint32_t due;          /* place in the heap of what is due; 0: none */
    uint32_t certified_by; /* row of the user who did; 0: no person, or nobody yet */
};

/* The days of a share are counted from 1970, UTC. With this bit it was never used, or never
 * certified, and the day is that on which it was given or made active again. */
#define CH_DAY_GIVEN UINT32_C(0x80000000)

/* There are several to a share. The list has no links back: a new grant, which nearly all are,
 * touches none of the others. Where one is revoked, the first of the list moves into its row, so
 * that nothing is looked for and the list's order says nothing. */
struct ch_row_grant {
    uint32_t live;
    uint32_t share;
    uint32_t resource; /* text */
    uint32_t scopes;
    uint32_t next;
    uint32_t made_by;  /* row of the user who set it; 0: no person */
    uint64_t kind : 8; /* enum ch_resource_kind */
    uint64_t seq : 56; /* no number of the wire or the log is larger than CH_MAX_INTEGER */
};

/* A resource that a share's role is limited to. */
struct ch_row_limited {
    uint32_t live;
    uint32_t share;
    uint32_t kind;
    uint32_t resource;
    uint32_t next;
    uint32_t spare;
    uint64_t seq;
};

struct ch_row_group {
    uint32_t live;
    uint32_t account;
    uint64_t id;
    uint64_t changed;
    uint64_t parent_seq;
    uint32_t parent;
    uint32_t name;
    uint32_t first_member;
    uint32_t member_count;
    uint32_t first_share;
    uint32_t share_count;
    uint32_t child_count;
    uint32_t next_of_account;
    uint32_t prev_of_account;
    uint32_t spare;
};

struct ch_row_member {
    uint32_t live;
    uint32_t share; /* the user's share of the group's account */
    uint32_t group;
    uint32_t next_of_share;
    uint32_t prev_of_share;
    uint32_t next_of_group;
    uint32_t prev_of_group;
    uint32_t spare;
    uint64_t seq;
};

struct ch_row_role {
    uint32_t live;
    uint32_t account; /* 0: built in */
    uint64_t id;
    uint64_t changed; /* the event of its present version or name */
    uint32_t name;
    uint32_t scopes;
    uint32_t version;
    uint32_t next_of_account;
    uint32_t prev_of_account;
    uint32_t last_version;
};

/* What a role gave from some event on. */
struct ch_row_role_version {
    uint32_t live;
    uint32_t role;
    uint32_t version;
    uint32_t scopes;
    uint64_t seq;
    uint32_t before; /* the version before this; 0: it is the first */
    uint32_t spare;
};

struct ch_row_page {
    uint32_t live;
    uint32_t name;
    uint64_t id;
    uint64_t changed; /* the event of its present version */
    uint32_t scopes;
    uint32_t version;
};

/* Scopes taken away by a state of things; row numbers are enum ch_mask_kind. */
struct ch_row_mask {
    uint32_t live;
    uint32_t scopes;
    uint64_t seq;
};

/* A plan: the credits of a period, for an account and all below it that have no plan of their own.
 * total = used + reserved + remain + allocated. */
struct ch_row_plan {
    uint32_t live;
    uint32_t account;
    uint64_t id;
    uint64_t changed;
    uint64_t total;      /* of the present period */
    uint64_t next_total; /* of those to come */
    uint64_t used;       /* these three: the pool's */
    uint64_t reserved;
    uint64_t remain;
    uint64_t allocated; /* totals of its finite allocations */
    uint64_t anchor;
    uint64_t ends[3];      /* of the present day, week and month of the anchor; 0: never */
    uint32_t recurring[3]; /* allocations that begin anew then */
    uint32_t name;         /* text */
    uint32_t paid;
    uint32_t period; /* enum ch_frequency */
    uint32_t first_allocation;
    uint32_t allocation_count;
    uint32_t present; /* period; the newest */
    uint32_t oldest;  /* period */
    uint32_t period_count;
    uint32_t first_reservation;
    uint32_t reservation_count;
    uint32_t due;
};

/* What was used in a period of a plan, and what its rates were. */
struct ch_row_period {
    uint32_t live;
    uint32_t plan;
    uint64_t from;
    uint64_t to; /* 0: never */
    uint64_t changed;
    uint64_t used;     /* of all its accounts together */
    uint64_t reserved; /* by reservations that are still open */
    uint64_t rate_from[8];
    uint64_t rate_price[8];
    uint32_t rate_count;
    uint32_t first_usage;
    uint32_t usage_count;
    uint32_t newer;
    uint32_t older;
    uint32_t spare;
};

/* An open offer of ownership of a tree. */
struct ch_row_offer {
    uint32_t live;
    uint32_t account; /* the root */
    uint32_t user;    /* to whom */
    uint32_t due;     /* place in the heap of what is due */
    uint64_t seq;
    uint64_t until;
};

/* A limit that decides. */
struct ch_row_bound {
    uint32_t live;
    uint32_t name; /* text */
    uint64_t value;
    uint64_t seq;
};

/* How an account below a plan gets its credits. total = used + reserved + remain. A plan's
 * allocations are linked in the order of their rows. */
struct ch_row_allocation {
    uint32_t live;
    uint32_t plan;
    uint64_t changed;
    uint64_t grant; /* what it is given at a reset */
    uint64_t total;
    uint64_t used;
    uint64_t reserved;
    uint64_t remain;
    uint64_t since; /* the event that began it anew; reservations taken from it since say so */
    uint32_t account;
    uint32_t type;      /* enum ch_allocation_type; unlimited: the amounts are 0 */
    uint32_t frequency; /* enum ch_frequency; of a recurring one */
    uint32_t is_short;  /* the pool had less than `grant` at the last reset */
    uint32_t next;
    uint32_t prev;
};

/* What an account used in a period. */
struct ch_row_usage {
    uint32_t live;
    uint32_t period;
    uint32_t account;
    uint32_t next; /* of the period */
    uint64_t used;
    uint64_t reserved; /* by reservations that are still open */
};

struct ch_row_reservation {
    uint32_t live;
    uint32_t plan;
    uint64_t id;
    uint64_t amount;
    uint64_t expires_at;
    uint64_t since;     /* of the allocation it is taken from, as it was then; 0: from the pool */
    uint32_t holder;    /* account whose allocation that is; 0: from the pool */
    uint32_t account;   /* for which it was made */
    uint32_t usage;     /* in whose period it was made */
    uint32_t reference; /* text; 0: none */
    uint32_t next;      /* of the plan */
    uint32_t prev;
    uint32_t due;
    uint32_t spare;
};

/* Whether an account below is billed by itself. */
struct ch_row_separation {
    uint32_t live;
    uint32_t account;
    uint32_t status; /* enum ch_separation_status */
    uint32_t spare;
    uint64_t changed; /* the event that made it so; its reason is kept sealed */
    uint64_t user;    /* who asked: an id; 0: the operator */
};

/* A binary heap by (at, kind, row): rows 1..n are its places. */
struct ch_row_due {
    uint32_t live;
    uint32_t kind; /* enum ch_due_kind: of which table `row` is */
    uint32_t row;
    uint32_t spare;
    uint64_t at;
};

/* An accepted message: its id, and where its events are. Rows form a ring. */
struct ch_row_seen {
    uint32_t live;
    uint32_t actor_kind;
    uint64_t actor_id;
    uint8_t id[16];
    uint8_t fingerprint[8];
    uint64_t first_seq;
    uint64_t count;
};

/* How many refusals of an actor were logged in the hour that began at `since`. */
struct ch_row_refused {
    uint32_t live;
    uint32_t actor_kind;
    uint64_t actor_id;
    uint64_t since;
    uint64_t count;
};

/* What is counted of mail, in the order of stats_added. */
enum {
    CH_COUNT_SENT,
    CH_COUNT_DELIVERED,
    CH_COUNT_BOUNCED,
    CH_COUNT_COMPLAINED,
    CH_COUNT_OPENED,
    CH_COUNT_CLICKED,
    CH_COUNT_UNSUBSCRIBED,
    CH_COUNTS,
};

/* One stream of mail of an account, or of one of its keys; it stays as long as the account. */
struct ch_row_stream {
    uint32_t live;
    uint32_t account;
    uint64_t key; /* id; 0: the whole account's */
    uint64_t changed;
    uint64_t total[CH_COUNTS];
    uint64_t alert_seq[2];   /* by enum ch_measure; 0: no alert */
    uint64_t stopped_seq[2]; /* by the customer, by the operator; 0: not stopped */
    uint32_t stream;         /* enum ch_mail_stream */
    uint32_t first_day;      /* ascending */
    uint32_t last_day;
    uint32_t day_count;
    uint32_t next_of_account;
    uint32_t spare;
};

/* What was counted of a stream on one day. */
struct ch_row_day {
    uint32_t live;
    uint32_t stream;
    uint32_t day; /* since 1970, UTC */
    uint32_t next;
    uint32_t prev;
    uint32_t spare;
    uint64_t count[CH_COUNTS];
};

/* An account's own thresholds of reputation. */
struct ch_row_threshold {
    uint32_t live;
    uint32_t account;
    uint32_t own; /* bit 0, 1, 2: bounce_ppm, complaint_ppm, volume */
    uint32_t spare;
    uint64_t seq;
    uint64_t bounce_ppm;
    uint64_t complaint_ppm;
    uint64_t volume;
};

/* Outside the dump: keyed hash of a username or e-mail address, to the user. */
struct ch_row_name {
    uint32_t live;
    uint32_t user;
    uint32_t kind;   /* enum ch_kind_number: username or email */
    uint32_t sealed; /* where the name stands */
    uint8_t hash[16];
};

/* Outside the dump: a sealed part, opened. */
struct ch_row_opened {
    uint32_t live;
    uint32_t sealed;
    uint32_t plain;   /* chain: the array of personal texts */
    uint32_t name[2]; /* rows of its username and e-mail address; 0: none */
    uint32_t spare;
};
#pragma GCC diagnostic pop
#endif
