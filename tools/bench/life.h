/* life: what happens to people in years of a platform, by chance of a seed.
 * SPDX-License-Identifier: MIT
 * A seat is a place for one person on one account: empty, taken, or taken by one who was
 * deactivated. A turn looks at a seat: into an empty one somebody joins, for a while or for good;
 * who sits there gets and loses grants and groups, has another role, moves to another account,
 * leaves, or is the subject of a mistake that is taken back when the seat is looked at again.
 * The daemon's clock is a manual one and moves on by weeks, so that what was for a while expires.
 * Messages can overtake each other on their way, so a seat rests after a turn until what it got is
 * answered. Threads: none. */
#ifndef CH_BENCH_LIFE_H
#define CH_BENCH_LIFE_H
#include "tools/bench/chance.h"
#include "tools/bench/feed.h"

enum { CH_LIFE_GROUPS_MOST = 50 };

struct ch_life_account {
    uint64_t id;
    uint64_t first_seat; /* its place among all seats */
    uint64_t seats;      /* for different people: users first_user, first_user + 1, … */
    uint32_t first_user;
    uint32_t groups_len;
    uint64_t groups[CH_LIFE_GROUPS_MOST]; /* ids */
};

struct ch_life_seat {
    uint64_t turn; /* the last; 0: none yet */
    uint32_t account;
    uint32_t user;
    uint32_t grant;  /* the list of the last grant, from 1; 0: none, or taken back */
    uint16_t grants; /* that the share has now, as far as can be told without asking */
    uint8_t state;   /* enum of life.c */
    uint8_t role;
    uint8_t mistaken; /* the role before a mistake, from 1; 0: none */
    uint8_t group;    /* from 1; 0: in none */
    bool restricted;
};

/* Who came for a while. */
struct ch_life_stay {
    uint64_t seat;
    uint64_t until_s;
};

struct ch_life {
    struct charter *connection;
    struct ch_feed *feed;
    struct ch_chance chance;
    struct ch_life_account *accounts;
    uint64_t *users; /* ids */
    struct ch_life_seat *seats;
    struct ch_life_stay *stays; /* by when they end: a ring with room for every seat */
    uint64_t seats_len;
    uint64_t stays_first, stays_len;
    uint64_t lists;
    uint64_t turns;
    uint64_t now_s; /* of the daemon's clock, Unix time */
    uint32_t accounts_len, users_len;
    /* what came of it */
    uint64_t joined, left, moved, mistakes, expired;
};

/* One turn, or more commands where one needs another. errors: those of ch_feed_call */
CH_MUST_USE enum ch_err ch_life_turn(struct ch_life *life, struct ch_why *why);

/* A week passes. Waits for all answers first. errors: those of ch_feed_finish */
CH_MUST_USE enum ch_err ch_life_week(struct ch_life *life, struct ch_why *why);

/* Grants that shares have. */
uint64_t ch_life_grants(const struct ch_life *life);
#endif
