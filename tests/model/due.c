/* due: what happens by itself in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

/* What is due first; where several are at one time, the one that `wanted` names. */
struct first {
    uint64_t at; /* 0: none yet */
    struct o_due due;
    const struct o_due *wanted;
};

static void offer(struct first *f, uint64_t at, uint64_t now, uint16_t tag, uint64_t id)
{
    if (at == 0 || at > now || (f->at != 0 && at > f->at)) return;
    const bool wanted = f->wanted->tag == tag && f->wanted->id == id;
    if (f->at == at && !wanted) return;
    f->at = at;
    f->due = (struct o_due){.tag = tag, .id = id};
}

static void people(struct o_world *w, uint64_t now, struct first *f)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id != 0) offer(f, s->expires_at, now, CH_EV_share_expired, s->id);
    }
    for (size_t i = 0; i < O_SEATS; i++) {
        const struct o_seat *s = &w->seats[i];
        if (s->user == 0 || s->invitation != CH_invitation_open) continue;
        const struct o_share *share = o_share(w, CH_subject_kind_user, s->user, s->account);
        CH_CHECK(share != NULL);
        /* One that ends at once, with no days given, is due from the first moment on. */
        offer(f, s->open_until, now, CH_EV_invitation_expired, share->id);
    }
    for (size_t i = 0; i < O_KEYS; i++) {
        const struct o_key *key = &w->keys[i];
        if (key->id != 0) offer(f, key->expires_at, now, CH_EV_key_expired, key->id);
    }
    for (size_t i = 0; i < O_SESSIONS; i++) {
        const struct o_session *s = &w->sessions[i];
        if (s->id != 0) offer(f, s->expires_at, now, CH_EV_session_expired, s->id);
    }
    for (size_t i = 0; i < w->request_count; i++) {
        const struct o_request *r = &w->requests[i];
        if (r->status != CH_request_status_pending) continue;
        offer(f, r->expires_at, now, CH_EV_access_request_expired, r->id);
    }
}

static void accounts(struct o_world *w, uint64_t now, struct first *f)
{
    for (size_t i = 0; i < w->account_count; i++) {
        const struct o_account *a = &w->accounts[i];
        if (a->closed && !a->dissolved) {
            offer(f, a->reopen_until, now, CH_EV_account_dissolved, a->id);
        }
        if (a->offered_to != 0) {
            offer(f, a->offered_until, now, CH_EV_ownership_offer_expired, a->id);
        }
    }
    for (size_t i = 0; i < w->plan_count; i++) {
        const struct o_plan *p = &w->plans[i];
        if (p->id != 0) offer(f, o_next_end(w, p), now, CH_EV_period_closed, p->account);
    }
    for (size_t i = 0; i < w->taking_count; i++) {
        const struct o_taking *t = &w->takings[i];
        if (t->id != 0) offer(f, t->expires_at, now, CH_EV_reservation_expired, t->id);
    }
}

/* Nobody is known to have been there any more, nor any invitation. */
static void forget_people(struct o_world *w, uint64_t account)
{
    for (size_t i = 0; i < O_SEATS; i++) {
        struct o_seat *s = &w->seats[i];
        if (s->user != 0 && s->account == account) memset(s, 0, sizeof *s);
    }
    for (size_t u = 0; u < O_USERS; u++) {
        w->sat[u][o_account(w, account) - w->accounts] = false;
    }
}

/* All shares of the account end, and its groups with theirs; keys, the list of its users, its
 * allocation and its plan; the name is free. */
static uint64_t dissolve(struct o_world *w, uint64_t account)
{
    struct o_account *a = o_account(w, account);
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0 && s->account == account) o_end_share(w, s);
    }
    for (size_t i = 0; i < O_GROUPS; i++) {
        if (w->groups[i].id != 0 && w->groups[i].account == account) o_end_group(w, &w->groups[i]);
    }
    for (size_t i = 0; i < O_KEYS; i++) {
        if (w->keys[i].account == account) memset(&w->keys[i], 0, sizeof w->keys[i]);
    }
    forget_people(w, account);
    if (o_holding(w, account)->plan != 0) o_drop_holding(w, account);
    if (o_plan_of(w, account) != NULL) o_drop_plan(w, o_plan_of(w, account));
    memset(a->name, 0, sizeof a->name);
    a->dissolved = true;
    a->reopen_until = 0;
    return account;
}

/* Takes the effect; gives the account of the event. */
static uint64_t take(struct o_world *w, const struct o_due *due, uint64_t now)
{
    uint64_t account = 0;
    if (due->tag == CH_EV_share_expired) {
        struct o_share *s = o_share_id(w, due->id);
        account = s->account;
        o_end_share(w, s);
    } else if (due->tag == CH_EV_invitation_expired) {
        const struct o_share *s = o_share_id(w, due->id);
        account = s->account;
        o_seat(w, s->subject, account)->invitation = CH_invitation_expired;
    } else if (due->tag == CH_EV_key_expired) {
        struct o_key *key = o_key(w, due->id);
        account = key->account;
        memset(key, 0, sizeof *key);
    } else if (due->tag == CH_EV_session_expired) {
        struct o_session *s = o_session(w, due->id);
        memset(s, 0, sizeof *s);
    } else if (due->tag == CH_EV_account_dissolved) {
        account = dissolve(w, due->id);
    } else if (due->tag == CH_EV_ownership_offer_expired) {
        account = due->id;
        o_account(w, account)->offered_to = 0;
    } else if (due->tag == CH_EV_period_closed) {
        account = due->id;
        (void)o_turn(w, o_plan_of(w, account), now);
    }
    for (size_t i = 0; i < w->request_count && due->tag == CH_EV_access_request_expired; i++) {
        if (w->requests[i].id != due->id) continue;
        w->requests[i].status = CH_request_status_expired;
        account = w->requests[i].account;
    }
    for (size_t i = 0; i < w->taking_count && due->tag == CH_EV_reservation_expired; i++) {
        struct o_taking *t = &w->takings[i];
        if (t->id != due->id) continue;
        account = t->account;
        t->id = 0;
        t->amount = 0;
    }
    return account;
}

bool o_due(struct o_world *w, uint64_t now, struct o_due *due)
{
    struct first f = {.wanted = due};
    people(w, now, &f);
    accounts(w, now, &f);
    if (f.at == 0) return false;
    *due = f.due;
    const uint64_t account = take(w, due, now);
    w->head++;
    if (account != 0 && !o_is_traffic(due->tag)) o_account(w, account)->last_seq = w->head;
    return true;
}
