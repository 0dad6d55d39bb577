/* query_session: sessions, and where one can switch to; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"

void ch_query_session_list(struct ch_asking *q)
{
    const struct ch_row_user *user = ch_user_row(q->state, q->moment->user_row);
    struct ch_qry_session_list_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_session_row *rows = ch_take(q, user->session_count, sizeof *rows);
    if (result == NULL || rows == NULL) return;
    ch_saw(q, user->changed);
    uint32_t count = 0;
    for (uint32_t s = user->first_session; s != 0; s = ch_session_row(q->state, s)->next_of_user) {
        const struct ch_row_session *session = ch_session_row(q->state, s);
        ch_saw(q, session->changed);
        if (session->expires_at <= q->moment->now) continue;
        struct ch_rec_session_row *row = &rows[count++];
        row->session.seq = session->id;
        row->expires_at = session->expires_at;
        const uint32_t current = ch_session_account(q->state, s);
        row->has_current = current != 0;
        if (current != 0) row->current.seq = ch_account_row(q->state, current)->id;
        row->used = s == q->moment->session_row;
    }
    result->sessions = rows;
    result->sessions_len = count;
    q->ret->result = result;
}

static bool add_below(struct ch_asking *q, struct ch_rows *rows, uint32_t account, bool subtree)
{
    ch_saw(q, ch_account_row(q->state, account)->changed);
    if (!ch_rows_add(q, rows, account)) return false;
    if (!subtree) return true;
    for (uint32_t a = ch_account_row(q->state, account)->first_child; a != 0;
         a = ch_account_row(q->state, a)->next_sibling) {
        if (!add_below(q, rows, a, true)) return false; /* LIMIT_ACCOUNT_DEPTH deep at most */
    }
    return true;
}

/* Every account that a share of the asker, or of a group of theirs, may lead to. */
static bool add_places(struct ch_asking *q, struct ch_rows *rows)
{
    const struct ch_state *state = q->state;
    for (uint32_t s = ch_user_row(state, q->moment->user_row)->first_share; s != 0;
         s = ch_share_row(state, s)->next_of_subject) {
        const struct ch_row_share *share = ch_share_row(state, s);
        ch_saw(q, share->changed);
        if (!add_below(q, rows, share->account, share->reach == CH_reach_subtree)) return false;
        for (uint32_t m = share->first_member; m != 0; m = ch_member_row(state, m)->next_of_share) {
            for (uint32_t g = ch_member_row(state, m)->group; g != 0;
                 g = ch_group_row(state, g)->parent) {
                ch_saw(q, ch_group_row(state, g)->changed);
                for (uint32_t t = ch_group_row(state, g)->first_share; t != 0;
                     t = ch_share_row(state, t)->next_of_subject) {
                    const struct ch_row_share *of = ch_share_row(state, t);
                    if (!add_below(q, rows, of->account, of->reach == CH_reach_subtree)) {
                        return false;
                    }
                }
            }
        }
    }
    return true;
}

/* Leaves those that one can switch to, and those of one's own share that was revoked. */
static void keep_places(struct ch_asking *q, struct ch_rows *rows)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        const uint32_t account = rows->row[i];
        const uint32_t own =
            ch_find_share(q->state, CH_subject_kind_user, q->moment->user_row, account);
        const bool inactive =
            own != 0 && ch_share_row(q->state, own)->status == CH_share_status_inactive;
        if (inactive || ch_actor_has(q, account, ch_scopes_of(CH_SCOPE_account_switch))) {
            rows->row[kept++] = account;
        }
    }
    rows->count = kept;
}

void ch_query_session_accounts(struct ch_asking *q)
{
    const struct ch_qry_session_accounts *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw(q, ch_user_row(q->state, q->moment->user_row)->changed);
    if (!add_places(q, &rows)) return;
    ch_rows_sort(&rows);
    keep_places(q, &rows);
    struct ch_qry_session_accounts_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 ch_id_of_account, &result->has_next, &result->next);
    struct ch_rec_place_row *places = ch_take(q, rows.count, sizeof *places);
    if (places == NULL) return;
    const uint32_t session = q->moment->session_row;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_account *account = ch_account_row(q->state, rows.row[i]);
        const bool led = ch_actor_is_led(q, rows.row[i]);
        places[i].account.seq = account->id;
        places[i].name = ch_copy_text(q, account->name);
        places[i].has_parent = account->parent != 0 && ch_actor_is_led(q, account->parent);
        if (places[i].has_parent) {
            places[i].parent.seq = ch_account_row(q->state, account->parent)->id;
        }
        places[i].current =
            session != 0 && ch_session_row(q->state, session)->account == rows.row[i];
        places[i].revoked = !led;
    }
    result->accounts = places;
    result->accounts_len = rows.count;
    q->ret->result = result;
}
