/* oracle: what charterd should know and answer, as arrays and loops. SPDX-License-Identifier: MIT
 * Written from the texts of commands.def, rejections.def and the page of rules in access.h, apart
 * from core, and so slow and plain that it can be read against them: no index, no cascade lists, no
 * journal. A whole world is one struct, so a copy of it is a snapshot. */
#ifndef CH_TESTS_MODEL_ORACLE_H
#define CH_TESTS_MODEL_ORACLE_H
#include "schema/records.h"

enum {
    O_ACCOUNTS = 40,
    O_USERS = 16,
    O_SHARES = 200,
    O_GROUPS = 64,
    O_MEMBERS = 256,
    O_ROLES = 64,
    O_PAGES = 16,
    O_NAME = 40,
    O_KINDS = 6,
    O_RESOURCES = 4,
    O_EVENTS = 64,
    O_PICKED_PAGES = 3,
};

struct o_account {
    uint64_t id;
    uint64_t parent; /* 0: a root */
    char name[O_NAME];
    uint64_t sub_depth;
    bool closed;
    uint64_t closed_act; /* the first event of the command that closed it */
    bool suspended[2];   /* by the customer, by the operator */
    bool asks_master;
    uint64_t offered_to;      /* whose ownership of the tree is offered; 0: nobody's */
    char from_domain[O_NAME]; /* empty: none */
    struct ch_scopes guardrail;
    bool content_locked, takes_feeds; /* two of its switches */
    uint64_t last_seq;
};

struct o_user {
    uint64_t id;
    char username[O_NAME]; /* folded; empty: none */
    char email[O_NAME];
    bool locked;
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
    struct ch_scopes own;
    struct ch_scopes denied;
    bool limited[O_KINDS];
    uint8_t chosen[O_KINDS]; /* bit r: resource r is among the chosen ones */
    bool granted[O_KINDS][O_RESOURCES];
    struct ch_scopes grant[O_KINDS][O_RESOURCES];
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

struct o_world {
    uint64_t head;
    struct o_account accounts[O_ACCOUNTS];
    struct o_user users[O_USERS];
    struct o_share shares[O_SHARES];
    struct o_group groups[O_GROUPS];
    struct o_member members[O_MEMBERS];
    struct o_role roles[O_ROLES];
    struct o_page pages[O_PAGES];
    struct ch_scopes suspension; /* what it takes away */
    size_t account_count, user_count, role_count, page_count;
    bool sat[O_USERS][O_ACCOUNTS]; /* by place: who ever had a share of an account */
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
    uint8_t actor_kind;
    uint64_t actor;
    uint8_t channel;
    uint64_t now;
    bool has_expect;
    uint64_t expect;
    struct o_pick on;
    struct o_pick below; /* another account: the sub-account whose switches are set */
    bool has_lock, lock, has_take, take;
    struct o_pick user; /* or the owner */
    struct o_pick group;
    struct o_pick parent;
    struct o_pick account; /* of a command that has no `on` */
    struct o_pick role;
    char name[O_NAME]; /* or the username */
    char email[O_NAME];
    char domain[O_NAME]; /* empty: none */
    bool has_name, has_email, has_full_name;
    bool has_depth;
    uint64_t depth;
    bool has_flag, flag; /* below, all */
    bool has_reach;
    uint8_t reach;
    bool has_share_kind;
    uint8_t share_kind;
    bool has_expiry;
    uint64_t expires_at;
    uint8_t resource_kind;
    uint8_t resource;  /* place among the resources */
    uint8_t resources; /* bits */
    bool has_scopes;
    struct ch_scopes scopes;
    struct o_pick pages[O_PICKED_PAGES];
    uint32_t page_count;
};

/* What a command should come to. */
struct o_outcome {
    int code; /* CH_REJ_none: accepted, with these events */
    uint32_t count;
    uint16_t tags[O_EVENTS];
    uint64_t accounts[O_EVENTS];
};

struct o_question {
    uint64_t user;
    uint64_t account;
    struct ch_scopes wanted;
    bool has_resource;
    uint8_t resource; /* O_RESOURCES: one never named */
    bool any;
    bool subtree_only; /* only shares that reach the whole subtree */
    uint8_t channel;
    uint64_t now;
};

struct o_answer {
    bool led;
    uint8_t decision; /* enum ch_decision */
    struct ch_scopes given;
};

extern const char *const o_resources[O_RESOURCES];

void o_start(struct o_world *w);

/* Finders; NULL: none. */
struct o_account *o_account(struct o_world *w, uint64_t id);
struct o_user *o_user(struct o_world *w, uint64_t id);
struct o_group *o_group(struct o_world *w, uint64_t id);
struct o_role *o_role(struct o_world *w, uint64_t id);
struct o_share *o_share(struct o_world *w, uint8_t subject_kind, uint64_t subject,
                        uint64_t account);
bool o_is_member(const struct o_world *w, uint64_t user, uint64_t group);
/* Whether `above` is the account itself or stands above it. */
bool o_stands_in(struct o_world *w, uint64_t account, uint64_t above);
bool o_closed(struct o_world *w, uint64_t account);
bool o_group_in(struct o_world *w, uint64_t group, uint64_t above);

/* What a share that counts takes: its restrictions, and what an other login never has. */
struct ch_scopes o_denies(const struct o_share *s);
void o_access(struct o_world *w, const struct o_question *q, struct o_answer *ret);

/* Decides, and where accepted takes the effect; the first event's seq is head + 1. */
void o_command(struct o_world *w, const struct o_command *c, struct o_outcome *ret);

/* The share that is due at `now`, first by time; its end then takes effect. false: none is.
 * ret_share: on entry the share to take where several end at one time */
bool o_expire(struct o_world *w, uint64_t now, uint64_t *ret_share);

/* A logged refusal: it changes nothing that `expect` guards. */
void o_refused(struct o_world *w);

/* Effects with which a command ends things. */
void o_end_share(struct o_world *w, struct o_share *s);
void o_end_group(struct o_world *w, struct o_group *g);
#endif
