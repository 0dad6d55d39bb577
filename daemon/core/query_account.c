/* query_account: accounts, one or many, and the settings of the installation; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

/* The account and everything below it. */
static bool add_tree(struct ch_asking *q, struct ch_rows *rows, uint32_t top)
{
    uint32_t at = top;
    for (;;) {
        const struct ch_row_account *row = ch_account_row(q->state, at);
        ch_saw(q, row->changed);
        if (!ch_rows_add(q, rows, at)) return false;
        if (row->first_child != 0) {
            at = row->first_child;
            continue;
        }
        while (at != top && ch_account_row(q->state, at)->next_sibling == 0) {
            at = ch_account_row(q->state, at)->parent;
        }
        if (at == top) return true;
        at = ch_account_row(q->state, at)->next_sibling;
    }
}

static bool add_led_by(struct ch_asking *q, struct ch_rows *rows, uint32_t share)
{
    const struct ch_row_share *row = ch_share_row(q->state, share);
    ch_saw(q, row->changed);
    if (row->reach == CH_reach_subtree) return add_tree(q, rows, row->account);
    return ch_rows_add(q, rows, row->account);
}

/* Every account that a key leads to. */
static bool add_led_by_key(struct ch_asking *q, struct ch_rows *rows, const struct ch_row_key *key)
{
    if (key->kind == CH_key_kind_master) return add_tree(q, rows, key->account);
    return ch_rows_add(q, rows, key->account);
}

/* Every account that some share of the user may lead to. */
static bool add_accounts_of(struct ch_asking *q, struct ch_rows *rows, uint32_t user)
{
    const struct ch_state *state = q->state;
    for (uint32_t s = ch_user_row(state, user)->first_share; s != 0;
         s = ch_share_row(state, s)->next_of_subject) {
        if (!add_led_by(q, rows, s)) return false;
        for (uint32_t m = ch_share_row(state, s)->first_member; m != 0;
             m = ch_member_row(state, m)->next_of_share) {
            for (uint32_t g = ch_member_row(state, m)->group; g != 0;
                 g = ch_group_row(state, g)->parent) {
                ch_saw(q, ch_group_row(state, g)->changed);
                for (uint32_t t = ch_group_row(state, g)->first_share; t != 0;
                     t = ch_share_row(state, t)->next_of_subject) {
                    if (!add_led_by(q, rows, t)) return false;
                }
            }
        }
    }
    return true;
}

/* Whether the account is one of those asked for. */
static bool is_wanted(struct ch_asking *q, uint32_t account)
{
    const struct ch_qry_account_list *args = q->call->args;
    const struct ch_row_account *row = ch_account_row(q->state, account);
    ch_saw(q, row->changed);
    const bool suspended = (row->suspended_seq[0] | row->suspended_seq[1]) != 0;
    if (args->has_status && row->status != args->status) return false;
    if (args->has_suspended && args->suspended != suspended) return false;
    return !args->has_asks_master || args->asks_master == (row->master_asked_seq != 0);
}

/* The next page of the accounts that exist; one more than the page holds shows that there is more.
 * After so many rows looked at the page ends, however few it holds. */
static bool add_page_of_all(struct ch_asking *q, struct ch_rows *rows, struct ch_page page,
                            uint32_t *ret_next)
{
    const struct ch_store *store = &q->state->store;
    uint32_t looked = 0;
    if (page.after >= store->tables[CH_T_ACCOUNT].used) return true;
    for (uint32_t a = ch_row_next(store, CH_T_ACCOUNT, (uint32_t)page.after); a != 0;
         a = ch_row_next(store, CH_T_ACCOUNT, a)) {
        if (is_wanted(q, a) && !ch_rows_add(q, rows, a)) return false;
        if (rows->count > page.limit) return true;
        if (++looked < LIMIT_LIST_SCAN) continue;
        *ret_next = a;
        return true;
    }
    return true;
}

static bool add_children(struct ch_asking *q, struct ch_rows *rows, uint32_t parent)
{
    ch_saw(q, ch_account_row(q->state, parent)->changed);
    for (uint32_t a = ch_account_row(q->state, parent)->first_child; a != 0;
         a = ch_account_row(q->state, a)->next_sibling) {
        if (is_wanted(q, a) && !ch_rows_add(q, rows, a)) return false;
    }
    return true;
}

/* Leaves those that the asker is led to and that stand right below `below`, where that is given. */
static void keep_led(struct ch_asking *q, struct ch_rows *rows, uint32_t below)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        const uint32_t account = rows->row[i];
        if (below != 0 && ch_account_row(q->state, account)->parent != below) continue;
        if (!is_wanted(q, account)) continue;
        if (ch_actor_is_led(q, account)) rows->row[kept++] = account;
    }
    rows->count = kept;
}

void ch_query_account_list(struct ch_asking *q)
{
    const struct ch_qry_account_list *args = q->call->args;
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    const uint32_t below = args->has_below ? ch_find_account(q->state, args->below.id) : 0;
    const bool bound = ch_is_bound(q->moment);
    struct ch_rows rows = {0};
    uint32_t next = 0;
    bool room = true;
    if (below != 0 && !ch_actor_is_led(q, below)) {
        (void)ch_refuse(q, CH_REJ_not_found, "below");
        return;
    }
    if (q->moment->key_row != 0) {
        room = add_led_by_key(q, &rows, ch_key_row(q->state, q->moment->key_row));
    } else if (bound && q->moment->user_row == 0) {
        room = true; /* they were not there then */
    } else if (bound) {
        ch_saw(q, ch_user_row(q->state, q->moment->user_row)->changed);
        room = add_accounts_of(q, &rows, q->moment->user_row);
    } else if (below != 0) {
        room = add_children(q, &rows, below);
    } else {
        room = add_page_of_all(q, &rows, page, &next);
    }
    struct ch_qry_account_list_result *result = room ? ch_take(q, 1, sizeof *result) : NULL;
    if (result == NULL) return;
    ch_rows_sort(&rows);
    if (bound) keep_led(q, &rows, below);
    ch_rows_cut(&rows, page, &result->has_next, &result->next);
    if (next != 0 && !result->has_next) {
        result->has_next = true;
        result->next = next;
    }
    struct ch_rec_account_row *accounts = ch_take(q, rows.count, sizeof *accounts);
    if (accounts == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        accounts[i] = ch_account_record(q, rows.row[i]);
    }
    result->accounts = accounts;
    result->accounts_len = rows.count;
    q->ret->result = result;
}

/* Whether the asker has the scope on the account; the operator and services have. */
static bool may(struct ch_asking *q, uint8_t scope)
{
    return ch_actor_has(q, q->on, ch_scopes_of(scope));
}

struct ch_text ch_path_of(struct ch_asking *q, uint32_t account)
{
    size_t len = 0;
    for (uint32_t a = account; a != 0; a = ch_account_row(q->state, a)->parent) {
        len += ch_chain_len(q->state, CH_T_TEXT, ch_account_row(q->state, a)->name) + 1;
    }
    char *chars = ch_take(q, len, 1);
    if (chars == NULL) return (struct ch_text){"", 0};
    size_t at = len - 1;
    for (uint32_t a = account; a != 0; a = ch_account_row(q->state, a)->parent) {
        const uint32_t name = ch_account_row(q->state, a)->name;
        const size_t part = ch_chain_len(q->state, CH_T_TEXT, name);
        at -= part;
        (void)ch_chain_get(q->state, CH_T_TEXT, name, chars + at, part);
        if (at > 0) chars[--at] = '/';
    }
    return (struct ch_text){chars, len - 1};
}

/* A sealed reason, where the directory could open it. */
static bool opened_reason(struct ch_asking *q, uint64_t seq, struct ch_text *ret)
{
    ch_opened_texts(q, seq, ret, 1);
    return ret->len > 0;
}

static void show_owner(struct ch_asking *q, struct ch_qry_account_show_result *result)
{
    const uint32_t share = ch_owner_share(q->state, q->on);
    result->has_owner = share != 0;
    if (share == 0) return;
    const struct ch_rec_user_row owner = ch_user_record(q, ch_share_row(q->state, share)->subject);
    result->owner = owner.user;
    if (!may(q, CH_SCOPE_users_read)) return;
    result->has_owner_name = owner.has_username || owner.has_email;
    result->owner_name = owner.has_username ? owner.username : owner.email;
}

static void show_offer(struct ch_asking *q, struct ch_qry_account_show_result *result)
{
    const uint32_t row = ch_account_row(q->state, ch_root_of(q->state, q->on))->offer;
    if (row == 0 || !may(q, CH_SCOPE_account_transfer)) return;
    const struct ch_row_offer *offer = ch_offer_row(q->state, row);
    if (offer->until <= q->moment->now) return;
    result->has_offered_to = true;
    result->offered_to.seq = ch_user_row(q->state, offer->user)->id;
    result->has_offered_until = true;
    result->offered_until = offer->until;
}

static uint64_t seq_of_offer(const struct ch_state *state, uint32_t row)
{
    return ch_offer_row(state, row)->seq;
}

void ch_query_ownership_offers(struct ch_asking *q)
{
    const struct ch_qry_ownership_offers *args = q->call->args;
    const struct ch_store *store = &q->state->store;
    struct ch_rows rows = {0};
    ch_saw(q, ch_user_row(q->state, q->moment->user_row)->changed);
    for (uint32_t r = ch_row_next(store, CH_T_OFFER, 0); r != 0;
         r = ch_row_next(store, CH_T_OFFER, r)) {
        const struct ch_row_offer *offer = ch_offer_row(q->state, r);
        if (offer->user != q->moment->user_row || offer->until <= q->moment->now) continue;
        if (!ch_rows_add(q, &rows, r)) return;
    }
    struct ch_qry_ownership_offers_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 seq_of_offer, &result->has_next, &result->next);
    struct ch_rec_offer_row *offers = ch_take(q, rows.count, sizeof *offers);
    if (offers == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_offer *offer = ch_offer_row(q->state, rows.row[i]);
        const struct ch_row_account *account = ch_account_row(q->state, offer->account);
        ch_saw(q, account->changed);
        offers[i].account.seq = account->id;
        offers[i].account_name = ch_copy_text(q, account->name);
        offers[i].until = offer->until;
        offers[i].has_owner = account->owner != 0;
        if (account->owner == 0) continue;
        const uint32_t owner = ch_share_row(q->state, account->owner)->subject;
        offers[i].owner.seq = ch_user_row(q->state, owner)->id;
    }
    result->offers = offers;
    result->offers_len = rows.count;
    q->ret->result = result;
}

static void show_master(struct ch_asking *q, const struct ch_qry_account_show *args,
                        struct ch_qry_account_show_result *result)
{
    const struct ch_row_account *row = ch_account_row(q->state, q->on);
    result->has_master_asked_at = row->master_asked_seq != 0;
    result->master_asked_at = row->master_asked_at;
    result->has_master_declined_at = row->master_declined_seq != 0;
    result->master_declined_at = row->master_declined_at;
    if (!args->has_reasons || !args->reasons || !may(q, CH_SCOPE_account_update)) return;
    result->has_master_asked_reason =
        opened_reason(q, row->master_asked_seq, &result->master_asked_reason);
    result->has_master_declined_reason =
        opened_reason(q, row->master_declined_seq, &result->master_declined_reason);
}

static void show_standing(struct ch_asking *q, const struct ch_qry_account_show *args,
                          struct ch_qry_account_show_result *result)
{
    const struct ch_row_account *row = ch_account_row(q->state, q->on);
    const bool reasons = args->has_reasons && args->reasons && may(q, CH_SCOPE_account_suspend);
    struct ch_rec_standing_row *standing = ch_take(q, 2, sizeof *standing);
    if (standing == NULL) return;
    for (uint8_t authority = 0; authority < 2; authority++) {
        struct ch_rec_standing_row *record = &standing[authority];
        record->authority = authority;
        record->suspended = row->suspended_seq[authority] != 0;
        record->has_since = row->standing_seq[authority] != 0;
        record->since = row->standing_at[authority];
        if (reasons) {
            record->has_reason = opened_reason(q, row->standing_seq[authority], &record->reason);
        }
    }
    result->standing = standing;
    result->standing_len = 2;
    result->has_closed_at = row->closed_seq != 0;
    result->closed_at = row->closed_at;
    result->has_reopen_until = row->reopen_until > q->moment->now;
    result->reopen_until = row->reopen_until;
}

void ch_query_account_show(struct ch_asking *q)
{
    const struct ch_row_account *row = ch_account_row(q->state, q->on);
    struct ch_qry_account_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_saw_account(q, q->on);
    result->account = ch_account_record(q, q->on);
    result->has_path = ch_actor_is_led(q, ch_root_of(q->state, q->on));
    if (result->has_path) result->path = ch_path_of(q, q->on);
    result->has_from_domain = row->from_domain != 0;
    if (row->from_domain != 0) result->from_domain = ch_copy_text(q, row->from_domain);
    result->depth = row->depth;
    result->shares = row->share_count;
    result->groups = row->group_count;
    show_owner(q, result);
    show_offer(q, result);
    show_standing(q, q->call->args, result);
    show_master(q, q->call->args, result);
    q->ret->result = result;
}

/* In the order in which each was defined first: the rows', which never go. */
void ch_query_limit_list(struct ch_asking *q)
{
    const struct ch_qry_limit_list *args = q->call->args;
    struct ch_rows rows = {0};
    const struct ch_store *store = &q->state->store;
    for (uint32_t r = ch_row_next(store, CH_T_BOUND, 0); r != 0;
         r = ch_row_next(store, CH_T_BOUND, r)) {
        if (args->has_name && r != ch_find_bound(q->state, args->name)) continue;
        if (!ch_rows_add(q, &rows, r)) return;
    }
    struct ch_qry_limit_list_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_limit_row *limits = ch_take(q, rows.count, sizeof *limits);
    if (result == NULL || limits == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_bound *setting = ch_bound_row(q->state, rows.row[i]);
        ch_saw(q, setting->seq);
        limits[i].name = ch_copy_text(q, setting->name);
        limits[i].value = setting->value;
        limits[i].since = setting->seq;
        for (size_t known = 0; known < ch_limit_count; known++) {
            if (!ch_text_is(limits[i].name, ch_limits[known].name)) continue;
            limits[i].has_unit = true;
            limits[i].unit = ch_text_of(ch_limits[known].unit);
            limits[i].has_text = true;
            limits[i].text = ch_text_of(ch_limits[known].text);
        }
    }
    result->limits = limits;
    result->limits_len = rows.count;
    q->ret->result = result;
}
