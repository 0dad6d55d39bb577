/* decide_review: rules of access reviews, and what checks used; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "daemon/core/use.h"
#include "schema/limits.h"

/* Whether a time in days may be set; refuses otherwise. */
static bool is_some_days(struct ch_case *c, uint64_t days, const char *field)
{
    if (days == 0) return ch_reject(c, CH_REJ_amount_zero, field) == CH_REJ_none;
    if (days <= LIMIT_SETTING_DAYS) return true;
    return ch_reject_limit(c, "SETTING_DAYS", field) == CH_REJ_none;
}

enum ch_rejection_code ch_decide_access_set_review(struct ch_case *c)
{
    const struct ch_cmd_access_set_review *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    const uint64_t now =
        account->settings == 0 ? 0 : ch_settings_row(c->state, account->settings)->review_days;
    if (args->has_every_days && !is_some_days(c, args->every_days, "every_days")) {
        return CH_REJ_none;
    }
    if (now == (args->has_every_days ? args->every_days : 0)) return CH_REJ_none;
    struct ch_ev_review_set *body = ch_emit(c, CH_EV_review_set, account->id);
    if (body == NULL) return CH_REJ_none;
    body->has_every_days = args->has_every_days;
    body->every_days = args->every_days;
    return CH_REJ_none;
}

/* The shares that a command lists, ascending by id, each once. */
struct listed {
    uint32_t *row;
    uint32_t count;
};

/* False after refusing: one of them is not there, or not of this account. */
static bool find_listed(struct ch_case *c, const struct ch_share_id *ids, uint32_t count,
                        struct listed *ret)
{
    ret->row = ch_arena_take(c->arena, ((size_t)count + 1) * sizeof *ret->row);
    ret->count = 0;
    c->ret->no_memory = ret->row == NULL;
    for (uint32_t i = 0; ret->row != NULL && i < count; i++) {
        const uint32_t row = ch_find_share_id(c->state, ids[i].seq);
        if (row == 0 || ch_share_row(c->state, row)->account != c->on) {
            return ch_reject(c, CH_REJ_not_found, "shares") == CH_REJ_none;
        }
        uint32_t at = ret->count; /* insertion: lists come in order, or are short */
        while (at > 0 && ch_share_row(c->state, ret->row[at - 1])->id > ids[i].seq) {
            at--;
        }
        if (at > 0 && ret->row[at - 1] == row) continue;
        memmove(&ret->row[at + 1], &ret->row[at], (ret->count - at) * sizeof *ret->row);
        ret->row[at] = row;
        ret->count++;
    }
    return ret->row != NULL;
}

/* The rules that both certifying and ending meet, up to what the actor must have themselves. */
static bool is_theirs_to_judge(struct ch_case *c, const struct listed *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (ch_share_row(c->state, l->row[i])->status != CH_share_status_pending) continue;
        return ch_reject(c, CH_REJ_not_accepted, "shares") == CH_REJ_none;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        const struct ch_row_share *share = ch_share_row(c->state, l->row[i]);
        if (!ch_is_own(c, share->subject_kind, share->subject)) continue;
        return ch_reject(c, CH_REJ_own_rights, "shares") == CH_REJ_none;
    }
    return true;
}

static bool covers(struct ch_case *c, struct ch_scopes missing)
{
    if (ch_scopes_empty(missing)) return true;
    return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "shares", missing) == CH_REJ_none;
}

static bool has_no_owners(struct ch_case *c, const struct listed *l)
{
    const uint32_t owner = ch_account_row(c->state, c->on)->owner;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->row[i] == owner) return ch_reject(c, CH_REJ_owner_share, "shares") == CH_REJ_none;
    }
    return true;
}

enum ch_rejection_code ch_decide_access_certify(struct ch_case *c)
{
    const struct ch_cmd_access_certify *args = c->call->args;
    struct listed l;
    struct ch_scopes missing = {{0, 0}};
    if (!find_listed(c, args->shares, args->shares_len, &l)) return CH_REJ_none;
    if (!is_theirs_to_judge(c, &l)) return CH_REJ_none;
    for (uint32_t i = 0; i < l.count; i++) {
        missing = ch_scopes_or(missing, ch_uncovered_share(c, l.row[i]));
        missing = ch_scopes_or(missing, ch_uncovered_memberships(c, l.row[i]));
    }
    if (!covers(c, missing) || !has_no_owners(c, &l)) return CH_REJ_none;
    if (l.count == 0) return ch_reject(c, CH_REJ_nothing_to_set, "shares");
    struct ch_share_id *ids = ch_arena_take(c->arena, l.count * sizeof *ids);
    struct ch_ev_access_certified *body =
        ch_emit(c, CH_EV_access_certified, ch_account_row(c->state, c->on)->id);
    c->ret->no_memory = c->ret->no_memory || ids == NULL;
    if (body == NULL || ids == NULL) return CH_REJ_none;
    for (uint32_t i = 0; i < l.count; i++) {
        ids[i].seq = ch_share_row(c->state, l.row[i])->id;
    }
    body->shares = ids;
    body->shares_len = l.count;
    return CH_REJ_none;
}

/* Whether what the command says of a share holds of it now. */
static bool is_idle(const struct ch_case *c, uint32_t row, uint32_t every_days)
{
    const struct ch_cmd_access_review_end *args = c->call->args;
    const uint32_t unused = ch_unused_days(ch_share_row(c->state, row), c->moment->now);
    const uint32_t due = ch_due_day(c->state, row, every_days);
    if (args->has_unused_days && unused >= args->unused_days) return true;
    return args->has_due && args->due && due != 0 && due <= ch_day_of(c->moment->now);
}

/* A share is judged as share.end judges it, each by itself: what a group's share denies must be
 * covered whoever would gain by its end, and a user has one share of the account, so several ends
 * together give nobody back what one of them would not. */
enum ch_rejection_code ch_decide_access_review_end(struct ch_case *c)
{
    const struct ch_cmd_access_review_end *args = c->call->args;
    struct listed l;
    struct ch_scopes missing = {{0, 0}};
    if (!find_listed(c, args->shares, args->shares_len, &l)) return CH_REJ_none;
    if (!is_theirs_to_judge(c, &l)) return CH_REJ_none;
    for (uint32_t i = 0; i < l.count; i++) {
        missing = ch_scopes_or(missing, ch_lifted_by_share(c, l.row[i]));
    }
    if (!covers(c, missing) || !has_no_owners(c, &l)) return CH_REJ_none;
    if (!args->has_unused_days && !(args->has_due && args->due)) {
        return ch_reject(c, CH_REJ_fields_disagree, "unused_days");
    }
    if (args->has_unused_days && !is_some_days(c, args->unused_days, "unused_days")) {
        return CH_REJ_none;
    }
    if (l.count == 0) return ch_reject(c, CH_REJ_nothing_to_set, "shares");
    const uint32_t every_days = ch_review_days(c->state, c->on);
    for (uint32_t i = 0; i < l.count; i++) {
        if (is_idle(c, l.row[i], every_days)) continue;
        (void)ch_reject(c, CH_REJ_in_use, "shares");
        c->ret->reject.thing = ch_share_row(c->state, l.row[i])->id;
        return CH_REJ_in_use;
    }
    for (uint32_t i = 0; i < l.count; i++) {
        struct ch_ev_share_ended *body =
            ch_emit(c, CH_EV_share_ended, ch_account_row(c->state, c->on)->id);
        if (body != NULL) body->share.seq = ch_share_row(c->state, l.row[i])->id;
    }
    return CH_REJ_none;
}

size_t ch_cascade_of_review(const struct ch_state *state, const struct ch_call *call)
{
    const struct ch_cmd_access_review_end *args = call->args;
    size_t rows = 0;
    for (uint32_t i = 0; i < args->shares_len; i++) {
        const uint32_t share = ch_find_share_id(state, args->shares[i].seq);
        if (share != 0) rows += ch_cascade_of_share(state, share);
    }
    return rows;
}

void ch_decide_used(const struct ch_state *state, uint64_t now, uint64_t day_at,
                    const struct ch_share_id *shares, uint32_t count, uint64_t unnoted,
                    struct ch_arena *arena, struct ch_verdict *ret)
{
    const struct ch_moment moment = {.now = now};
    struct ch_case c = {.state = state, .moment = &moment, .arena = arena, .ret = ret};
    *ret = (struct ch_verdict){0};
    struct ch_ev_access_used *body = ch_emit(&c, CH_EV_access_used, /* account= */ 0);
    if (body == NULL) return;
    body->day = day_at;
    body->shares = shares;
    body->shares_len = count;
    body->unnoted = unnoted;
}

/* One edit of a share's row for each of them; a row of a cascade has room for ten of any table. */
bool ch_used_reserve(struct ch_state *state, uint32_t count)
{
    return ch_state_reserve(state, 0, 0, (size_t)count / 10 + 1);
}
