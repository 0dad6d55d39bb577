/* oracle: what charterd should know and answer, as arrays and loops. SPDX-License-Identifier: MIT
 * Written from the texts of commands.def, rejections.def and the page of rules in access.h, apart
 * from core, and so slow and plain that it can be read against them: no index, no cascade lists, no
 * journal. A whole world is one struct, so a copy of it is a snapshot. */
#ifndef CH_TESTS_MODEL_ORACLE_H
#define CH_TESTS_MODEL_ORACLE_H
#include "schema/records.h"

enum {
    O_ACCOUNTS = 40,
    O_USERS = 48,
    O_SHARES = 200,
    O_GROUPS = 64,
    O_MEMBERS = 256,
    O_ROLES = 64,
    O_PAGES = 16,
    O_NAME = 40,
    O_KINDS = 6,
    O_RESOURCES = 4,
    O_EVENTS = 80,
    O_PICKED_PAGES = 3,
    O_PICKED_ACCOUNTS = 3,
    O_SWITCHES = 5,
    O_RESTRICTIONS = 11,
    O_SEATS = 256,
    O_KEYS = 96,
    O_SESSIONS = 64,
    O_REQUESTS = 160,
    O_SUBMISSIONS = 64,
    O_FEEDS = 64,
    O_SUPPRESSED = 64,
    O_STREAMS = 128,
    O_COUNTED = 160,
    O_PLANS = 24,
    O_TAKINGS = 320,
    O_MEASURES = 2,
    O_HASH_KEYS = 32,
};
#define O_DAY_NS UINT64_C(86400000000000)

struct o_account {
    uint64_t id;
    uint64_t parent;   /* 0: a root */
    char name[O_NAME]; /* empty: dissolved, and the name is free */
    uint64_t sub_depth;
    bool closed;
    bool dissolved;
    uint64_t closed_act; /* the first event of the command that closed it */
    uint64_t reopen_until;
    bool suspended[2]; /* by the customer, by the operator */
    bool asks_master;
    uint64_t offered_to; /* whose ownership of the tree is offered; 0: nobody's */
    uint64_t offered_until;
    char from_domain[O_NAME]; /* empty: none */
    struct ch_scopes guardrail;
    bool switches[O_SWITCHES];
    char text[2][O_NAME]; /* header, footer */
    bool owned;           /* it had an owner when that was looked at last */
    uint64_t review_days; /* 0: it says nothing */
    uint8_t separation;   /* enum ch_separation_status */
    bool has_thresholds;
    bool own_threshold[3];
    uint64_t threshold[3]; /* bounces, complaints, volume */
    uint64_t last_seq;     /* of the last event but what only passes through */
};

struct o_user {
    uint64_t id;
    char username[O_NAME]; /* folded; empty: none */
    char email[O_NAME];
    char full_name[O_NAME];
    uint8_t status;
    bool login;            /* made as an other login */
    uint64_t password_seq; /* of the event that set it; 0: none */
};

struct o_share {
    uint64_t id; /* 0: the place is free */
    uint64_t account;
    uint8_t subject_kind;
    uint64_t subject;
    uint8_t kind;
    uint8_t status;
    uint8_t reach;
    uint64_t expires_at; /* 0: none */
    uint64_t role;       /* 0: none */
    uint64_t made_by;    /* the person; 0: none */
    bool used;           /* since it was given or made active */
    bool certified;
    uint64_t used_day;      /* or the day of that */
    uint64_t certified_day; /* or the day it was given */
    uint64_t certified_by;
    struct ch_scopes own;
    struct ch_scopes denied;
    bool limited[O_KINDS];
    uint8_t chosen[O_KINDS]; /* bit r: resource r is among the chosen ones */
    bool granted[O_KINDS][O_RESOURCES];
    struct ch_scopes grant[O_KINDS][O_RESOURCES];
    uint64_t grant_by[O_KINDS][O_RESOURCES];
};

struct o_group {
    uint64_t id;
    uint64_t account;
    uint64_t parent;
    char name[O_NAME];
};

struct o_member {
    uint64_t group; /* 0: the place is free */
    uint64_t user;
};

struct o_role {
    uint64_t id;
    uint64_t account; /* 0: built in */
    char name[O_NAME];
    struct ch_scopes scopes;
};

struct o_page {
    uint64_t id;
    char name[O_NAME];
    struct ch_scopes scopes;
};

/* The last invitation of a user to an account. */
struct o_seat {
    uint64_t user; /* 0: the place is free */
    uint64_t account;
    uint8_t invitation; /* enum ch_invitation */
    uint64_t token;
    uint64_t open_until;
};

struct o_key {
    uint64_t id; /* 0: the place is free */
    uint64_t account;
    uint8_t kind;
    char name[O_NAME];
    struct ch_scopes scopes;
    uint64_t expires_at;
    uint64_t person; /* who made it, or made the key that did; 0: nobody in person */
};

struct o_session {
    uint64_t id;
    uint64_t user;
    uint64_t current;
    uint64_t expires_at;
};

struct o_request {
    uint64_t id;
    uint64_t account;
    uint64_t user;
    struct ch_scopes scopes;
    uint8_t kind;
    uint8_t resource;
    uint8_t status;
    uint64_t expires_at;
};

struct o_submission {
    uint64_t id;
    uint64_t account;
    uint8_t campaign;
    uint8_t content;
    uint64_t person; /* who submitted it, or made the key that did; 0: nobody in person */
    uint64_t key;    /* by which it was submitted; 0: none */
    uint8_t status;
    uint8_t decided_kind;
    uint64_t decided_by;
};

struct o_feed {
    uint64_t account; /* 0: the place is free */
    uint64_t to;      /* 0: all that take feeds */
    uint8_t kind;
    uint8_t resource;
};

struct o_suppressed {
    uint64_t account;
    uint32_t key; /* number of the key that it is hashed with */
    char address[O_NAME];
};

struct o_stream {
    uint64_t account; /* 0: the place is free */
    uint64_t key;     /* 0: the account's own */
    uint8_t stream;
    bool stopped[2];
    bool alerted[O_MEASURES];
};

/* One stats.add. */
struct o_counted {
    uint64_t account;
    uint64_t key;
    uint8_t stream;
    uint64_t day;
    uint64_t part[O_MEASURES];  /* bounced, complained */
    uint64_t whole[O_MEASURES]; /* sent, delivered */
};

struct o_holding {
    uint64_t plan; /* 0: the account has no allocation */
    uint8_t type;
    uint64_t grant, total;
    uint8_t frequency;
    bool is_short;
};

struct o_plan {
    uint64_t id;
    uint64_t account;
    char name[O_NAME];
    bool paid;
    uint64_t total, next_total, anchor;
    uint8_t frequency;
    uint64_t since[3]; /* ends of days, weeks, months are counted from then */
    bool rated;        /* it has a rate, from 0 on */
    uint64_t price;
};

/* Credits that somebody used or reserved. */
struct o_taking {
    uint64_t id; /* of a reservation; 0: used */
    uint64_t plan;
    uint64_t amount;
    uint64_t expires_at;
    uint64_t account;
    bool counts;     /* in the present period's ledger */
    uint64_t holder; /* in whose allocation; 0: in the pool */
};

struct o_world {
    uint64_t head;
    struct o_account accounts[O_ACCOUNTS];
    struct o_user users[O_USERS];
    struct o_share shares[O_SHARES];
    struct o_group groups[O_GROUPS];
    struct o_member members[O_MEMBERS];
    struct o_role roles[O_ROLES];
    struct o_page pages[O_PAGES];
    struct o_seat seats[O_SEATS];
    struct o_key keys[O_KEYS];
    struct o_session sessions[O_SESSIONS];
    struct o_request requests[O_REQUESTS];
    struct o_submission submissions[O_SUBMISSIONS];
    struct o_feed feeds[O_FEEDS];
    struct o_suppressed suppressed[O_SUPPRESSED];
    struct o_stream streams[O_STREAMS];
    struct o_counted counted[O_COUNTED];
    struct o_plan plans[O_PLANS];
    struct o_holding holdings[O_ACCOUNTS]; /* by the account's place */
    struct o_taking takings[O_TAKINGS];
    struct ch_scopes masks[8]; /* by enum ch_mask_kind */
    uint64_t invitation_days, offer_days, grace_days;
    bool importing;
    uint32_t hash_keys;            /* made, in all */
    bool retired[O_HASH_KEYS + 1]; /* by number, from 1 */
    bool sat[O_USERS][O_ACCOUNTS]; /* by place: who ever had a share of an account */
    size_t account_count, user_count, role_count, page_count, request_count, counted_count,
        plan_count, taking_count;
};

/* Something named in a command: by id, or, where that is 0, by name. */
struct o_pick {
    bool given;
    uint64_t id;
    char name[3 * O_NAME];
};

/* A command before it is made into a call. */
struct o_command {
    int type; /* enum ch_call_type */
    uint64_t number;
    uint8_t actor_kind;
    uint64_t actor;
    uint64_t session; /* by which a person acts; 0: none */
    bool via;         /* a service acts for them */
    bool imported;
    bool mailer; /* there is one, to which tokens are sealed */
    uint8_t channel;
    uint64_t now;
    bool has_expect;
    uint64_t expect;
    struct o_pick on;
    struct o_pick below; /* another account: the sub-account that is meant */
    bool has_switch[O_SWITCHES], switch_on[O_SWITCHES];
    struct o_pick user; /* or the owner */
    struct o_pick group;
    struct o_pick parent;
    struct o_pick account; /* of a command that has no `on` */
    struct o_pick accounts[O_PICKED_ACCOUNTS];
    uint32_t account_count;
    struct o_pick role;
    struct o_pick page;
    char name[O_NAME]; /* or the username */
    char email[O_NAME];
    char login[O_NAME]; /* the username of one that is made with something else */
    char full_name[O_NAME];
    char domain[O_NAME]; /* empty: none */
    char text[2][O_NAME];
    bool has_text[2];
    bool has_name, has_email, has_full_name;
    bool has_depth;
    uint64_t depth;
    bool has_flag, flag; /* below, all, end_made */
    bool has_reach;
    uint8_t reach;
    bool has_share_kind;
    uint8_t share_kind; /* or the kind of a key */
    bool has_expiry;
    uint64_t expires_at;
    bool has_kind;
    uint8_t resource_kind;
    bool has_resource;
    uint8_t resource;        /* place among the resources */
    uint8_t list;            /* another one */
    uint8_t resources;       /* bits */
    uint8_t chosen[O_KINDS]; /* bits, by kind */
    bool has_scopes;
    struct ch_scopes scopes;
    struct o_pick pages[O_PICKED_PAGES];
    uint32_t page_count;
    uint32_t restrictions; /* bits */
    bool has_thing;
    uint64_t listed[4]; /* shares */
    uint32_t listed_count;
    uint64_t thing; /* a key, session, request, submission or reservation */
    uint64_t token;
    bool has_password, has_old, old_good;
    uint64_t old_of;
    uint8_t content;
    uint8_t stream;
    bool has_amount[3];
    uint64_t amount[3]; /* credits, seconds, thresholds, days */
    uint64_t parts[O_MEASURES], wholes[O_MEASURES];
    bool has_frequency;
    uint8_t frequency;
    uint8_t allocation;
    bool has_anchor;
    uint64_t anchor;
    uint32_t rates; /* 0: none; 1: a good one; else wrong ones */
    uint64_t price;
};

/* What a command should come to. */
struct o_outcome {
    int code; /* CH_REJ_none: accepted, with these events */
    uint32_t count;
    uint16_t tags[O_EVENTS];
    uint64_t accounts[O_EVENTS];
    bool also[256]; /* other rejections that would be as right: which account comes first is open */
};

struct o_question {
    uint64_t user; /* of user and key one */
    uint64_t key;
    uint64_t account;
    struct ch_scopes wanted;
    bool has_resource;
    uint8_t resource; /* O_RESOURCES: one never named */
    bool any;
    bool granting;     /* whether it may be given on: a stopped stream does not count */
    bool subtree_only; /* only shares that reach the whole subtree */
    uint8_t channel;
    uint64_t now;
};

struct o_answer {
    bool led;
    uint8_t decision; /* enum ch_decision */
    struct ch_scopes given;
};

/* What happens by itself, and to what. */
struct o_due {
    uint16_t tag;
    uint64_t id; /* of the share, key, session …; of the account for its own */
};

extern const char *const o_resources[O_RESOURCES];
extern const char *const o_restrictions[O_RESTRICTIONS];

void o_start(struct o_world *w);

/* Finders; NULL: none. */
struct o_account *o_account(struct o_world *w, uint64_t id);
struct o_user *o_user(struct o_world *w, uint64_t id);
struct o_group *o_group(struct o_world *w, uint64_t id);
struct o_role *o_role(struct o_world *w, uint64_t id);
struct o_key *o_key(struct o_world *w, uint64_t id);
struct o_session *o_session(struct o_world *w, uint64_t id);
struct o_seat *o_seat(struct o_world *w, uint64_t user, uint64_t account);
struct o_share *o_share(struct o_world *w, uint8_t subject_kind, uint64_t subject,
                        uint64_t account);
struct o_share *o_share_id(struct o_world *w, uint64_t id);
struct o_role *o_built_in(struct o_world *w, const char *name);
struct o_page *o_page_named(struct o_world *w, const char *name);
bool o_is_member(const struct o_world *w, uint64_t user, uint64_t group);
/* Whether `above` is the account itself or stands above it. */
bool o_stands_in(struct o_world *w, uint64_t account, uint64_t above);
bool o_closed(struct o_world *w, uint64_t account);
bool o_group_in(struct o_world *w, uint64_t group, uint64_t above);
uint64_t o_levels_left(struct o_world *w, uint64_t account);

/* What a share that counts takes: its restrictions, and what an other login never has. */
struct ch_scopes o_denies(const struct o_world *w, const struct o_share *s);
bool o_counts(const struct o_share *s, uint64_t now);
void o_access(struct o_world *w, const struct o_question *q, struct o_answer *ret);

/* Decides, and where accepted takes the effect; the first event's seq is head + 1. */
void o_command(struct o_world *w, const struct o_command *c, struct o_outcome *ret);

/* Whether something is due at `now`, and what first; its effect is then taken.
 * due: on entry what to take where several are due at one time */
bool o_due(struct o_world *w, uint64_t now, struct o_due *due);

/* A logged refusal: it changes nothing that `expect` guards. */
void o_refused(struct o_world *w);
/* The person behind an actor: who acts, or made the key that does; 0: nobody in person. */
uint64_t o_person(struct o_world *w, uint8_t actor_kind, uint64_t actor);
/* Whether an event only passes through its account: `expect` does not guard against it. */
bool o_is_traffic(uint16_t tag);

/* Effects with which a command ends things. */
void o_end_share(struct o_world *w, struct o_share *s);
void o_end_group(struct o_world *w, struct o_group *g);
void o_end_sessions(struct o_world *w, uint64_t user, uint64_t but);
#endif
