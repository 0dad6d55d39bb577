/* query_review: shares to be looked at again, and who could end them; see query.h.
 * SPDX-License-Identifier: MIT
 * The list goes account by account, as they stand in the tree, and in each from the newest share to
 * the oldest. The cursor is what was looked at last: a share's id, or an account's, all of whose
 * shares were. A page looks at so much only, whatever it finds. */
#include "daemon/core/decide_impl.h"
#include "daemon/core/query_impl.h"
#include "daemon/core/use.h"
#include "schema/limits.h"

enum {
    DECIDERS_NAMED = 16, /* as in records.def */
    PEOPLE_NAMED = 1000, /* as in queries.def */
    ACCOUNT_COSTS = 8,   /* of what a page looks at; a share costs one, a decider one for each */
};

struct review {
    struct ch_asking *q;
    struct ch_asking there; /* the same question on the account looked at */
    const struct ch_qry_access_review *args;
    struct ch_rec_review_row *row;
    uint32_t count;
    uint32_t limit;
    uint64_t looked;
    uint64_t last; /* the cursor */
    bool full;
    /* of the account looked at */
    uint32_t every_days;
    bool may_end;      /* the asker has shares.delete there */
    bool has_deciders; /* they are gathered */
    struct ch_rows deciders;
    struct ch_rows people; /* deciders named so far */
};

static bool is_within(const struct ch_state *state, uint32_t account, uint32_t top)
{
    while (account != 0 && account != top) {
        account = ch_account_row(state, account)->parent;
    }
    return account != 0;
}

/* Users who may end shares of the account at all, gathered with the first share that needs them. */
static bool gather_deciders(struct review *r)
{
    struct ch_rows users = {0};
    uint32_t kept = 0;
    if (r->has_deciders) return true;
    if (!ch_rows_users(&r->there, &users, 0)) return false;
    for (uint32_t i = 0; i < users.count; i++) {
        const struct ch_question question = {.user = users.row[i],
                                             .account = r->there.on,
                                             .wanted = ch_scopes_of(CH_SCOPE_shares_delete),
                                             .channel = CH_channel_web,
                                             .now = r->q->moment->now};
        struct ch_answer answer;
        ch_access(r->q->state, &question, &answer, NULL, NULL);
        if (answer.decision == CH_decision_allowed) users.row[kept++] = users.row[i];
    }
    r->looked += users.count;
    users.count = kept;
    r->deciders = users;
    r->has_deciders = true;
    return true;
}

/* Whether who acts so would be refused to end the share for its own sake: the rules of share.end
 * behind the scope. */
static bool ends(const struct review *r, const struct ch_moment *moment, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(r->q->state, row);
    struct ch_case c = {.state = r->q->state, .moment = moment, .on = share->account};
    if (row == ch_account_row(r->q->state, share->account)->owner) return false;
    if (ch_is_own(&c, share->subject_kind, share->subject)) return false;
    return ch_scopes_empty(ch_lifted_by_share(&c, row));
}

static void name_person(struct review *r, uint32_t user)
{
    for (uint32_t i = 0; i < r->people.count; i++) {
        if (r->people.row[i] == user) return;
    }
    (void)ch_rows_add(r->q, &r->people, user);
}

static void fill_deciders(struct review *r, uint32_t row, struct ch_rec_review_row *ret)
{
    struct ch_user_id *named = ch_take(r->q, DECIDERS_NAMED, sizeof *named);
    if (named == NULL || !gather_deciders(r)) return;
    for (uint32_t i = 0; i < r->deciders.count; i++) {
        const uint32_t user = r->deciders.row[i];
        const uint64_t id = ch_user_row(r->q->state, user)->id;
        const struct ch_moment moment = {.now = r->q->moment->now,
                                         .actor = {.kind = CH_actor_kind_user, .id = id},
                                         .channel = CH_channel_web,
                                         .user_row = user};
        if (!ends(r, &moment, row) || ret->decider_count++ >= DECIDERS_NAMED) continue;
        named[ret->deciders_len++].seq = id;
        name_person(r, user);
    }
    r->looked += r->deciders.count;
    ret->deciders = named;
}

/* Days as they are said: their beginning. */
static uint64_t day_at(uint32_t day)
{
    return day * CH_DAY_NS;
}

static void add_row(struct review *r, uint32_t share, bool unused, uint32_t due_day)
{
    const struct ch_row_share *row = ch_share_row(r->q->state, share);
    const struct ch_rec_share_row told = ch_share_record(&r->there, share);
    struct ch_rec_review_row *ret = &r->row[r->count++];
    *ret = (struct ch_rec_review_row){.share = told.share,
                                      .account = told.account,
                                      .account_name = told.account_name,
                                      .subject_kind = told.subject_kind,
                                      .subject = told.subject,
                                      .subject_name = told.subject_name,
                                      .has_role = told.has_role,
                                      .role = told.role,
                                      .reach = told.reach,
                                      .status = told.status,
                                      .unused_days = ch_unused_days(row, r->q->moment->now),
                                      .has_due_from = due_day != 0,
                                      .due_from = day_at(due_day),
                                      .unused = unused};
    ret->has_last_used = (row->used_day & CH_DAY_GIVEN) == 0;
    if (ret->has_last_used) ret->last_used = day_at(row->used_day);
    ret->has_certified = (row->certified_day & CH_DAY_GIVEN) == 0;
    if (ret->has_certified) ret->certified = day_at(row->certified_day);
    const uint32_t certified_by = ch_terms_of(r->q->state, row)->certified_by;
    ret->has_certified_by = certified_by != 0;
    if (ret->has_certified_by) ret->certified_by = ch_user_name(&r->there, certified_by);
    ret->due = due_day != 0 && due_day <= ch_day_of(r->q->moment->now);
    ret->owner = share == ch_account_row(r->q->state, row->account)->owner;
    ret->may_end = r->may_end && ends(r, r->q->moment, share);
    fill_deciders(r, share, ret);
}

/* Looks at one share; false where the page is full and it has to wait for the next. */
static bool look_at(struct review *r, uint32_t share)
{
    const struct ch_qry_access_review *args = r->args;
    const struct ch_row_share *row = ch_share_row(r->q->state, share);
    const uint64_t now = r->q->moment->now;
    const bool over = ch_is_over(r->q->state, row, now);
    const bool unused = args->has_unused_days && ch_unused_days(row, now) >= args->unused_days;
    const uint32_t due_day = ch_due_day(r->q->state, share, r->every_days);
    const bool due = args->has_due && args->due && due_day != 0 && due_day <= ch_day_of(now);
    const bool all = !args->has_unused_days && !(args->has_due && args->due);
    r->looked++;
    if (row->status == CH_share_status_pending || over || !(unused || due || all)) return true;
    if (r->count == r->limit || r->people.count + DECIDERS_NAMED > PEOPLE_NAMED) return false;
    add_row(r, share, unused, due_day);
    return true;
}

/* Whether the account's shares are shown: it is in use, and the asker may see its users. */
static bool enter(struct review *r, uint32_t account)
{
    const struct ch_moment *moment = r->q->moment;
    r->there = *r->q;
    r->there.on = account;
    r->has_deciders = false;
    r->every_days = ch_review_days(r->q->state, account);
    r->looked += ACCOUNT_COSTS;
    if (!ch_is_open(r->q->state, account)) return false;
    r->may_end =
        ch_is_bound(moment)
            ? ch_actor_has(r->q, account, ch_scopes_of(CH_SCOPE_shares_delete))
            : moment->actor.kind == CH_actor_kind_operator; /* a service acts as somebody */
    return account == r->q->on || ch_actor_has(r->q, account, ch_scopes_of(CH_SCOPE_users_read));
}

/* From a share of an account on (0: all of them were looked at) until the page is full. */
static void walk(struct review *r, uint32_t account, uint32_t share)
{
    const bool below = r->args->has_below && r->args->below;
    while (account != 0) {
        if (share != 0 && !enter(r, account)) share = 0;
        for (; share != 0; share = ch_share_row(r->q->state, share)->next_of_account) {
            r->full = r->looked >= LIMIT_LIST_SCAN || !look_at(r, share);
            if (r->full) return;
            r->last = ch_share_row(r->q->state, share)->id;
        }
        r->last = ch_account_row(r->q->state, account)->id;
        account = below ? ch_next_in_tree(r->q->state, r->q->on, account) : 0;
        if (account == 0) return;
        r->full = r->looked >= LIMIT_LIST_SCAN;
        if (r->full) return;
        share = ch_account_row(r->q->state, account)->first_share;
        if (share == 0) r->looked++;
    }
}

/* Where the page begins; false after refusing. */
static bool begin(struct review *r, uint32_t *account, uint32_t *share)
{
    const struct ch_state *state = r->q->state;
    const uint64_t after = r->args->has_after ? r->args->after : 0;
    *account = r->q->on;
    *share = ch_account_row(state, r->q->on)->first_share;
    if (after == 0) return true;
    const uint32_t row = ch_find_share_id(state, after);
    *account = row != 0 ? ch_share_row(state, row)->account : ch_find_account(state, after);
    *share = row != 0 ? ch_share_row(state, row)->next_of_account : 0;
    r->last = after;
    const bool below = r->args->has_below && r->args->below;
    if (below ? is_within(state, *account, r->q->on) : *account == r->q->on) return true;
    return ch_refuse(r->q, CH_REJ_list_changed, "after");
}

static bool is_good(struct ch_asking *q, const struct ch_qry_access_review *args)
{
    if (!args->has_unused_days) return true;
    if (args->unused_days == 0) return ch_refuse(q, CH_REJ_amount_zero, "unused_days");
    if (args->unused_days <= LIMIT_SETTING_DAYS) return true;
    return ch_refuse_limit(q, "SETTING_DAYS", "unused_days");
}

void ch_query_access_review(struct ch_asking *q)
{
    const struct ch_qry_access_review *args = q->call->args;
    const struct ch_page page = ch_page_of(false, 0, args->has_limit, args->limit);
    struct review r = {
        .q = q, .args = args, .row = ch_take(q, page.limit, sizeof *r.row), .limit = page.limit};
    struct ch_qry_access_review_result *result = ch_take(q, 1, sizeof *result);
    uint32_t account;
    uint32_t share;
    if (result == NULL || r.row == NULL) return;
    ch_saw(q, ch_meta(q->state)->head); /* use leaves no `changed` */
    if (!is_good(q, args) || !begin(&r, &account, &share)) return;
    walk(&r, account, share);
    struct ch_rec_user_row *people = ch_take(q, r.people.count, sizeof *people);
    if (people == NULL) return;
    for (uint32_t i = 0; i < r.people.count; i++) {
        people[i] = ch_user_record(q, r.people.row[i]);
    }
    result->shares = r.row;
    result->shares_len = r.count;
    result->people = people;
    result->people_len = r.people.count;
    result->every_days = ch_review_days(q->state, q->on);
    result->has_every_days = result->every_days != 0;
    result->has_next = r.full;
    result->next = r.last;
    result->revision = ch_meta(q->state)->head;
    if (!q->ret->no_memory) q->ret->result = result;
}
