/* compare: see compare.h. SPDX-License-Identifier: MIT */
#include "tests/model/compare.h"

#include "daemon/core/ledger.h"
#include "daemon/core/reputation.h"
#include "tests/model/call.h"
#include "tests/model/live.h"
#include "tests/model/rules.h"

static bool scopes_are(const struct ch_state *state, uint32_t row, struct ch_scopes wanted)
{
    return ch_scopes_equal(ch_scopes_at(state, row), wanted);
}

static void compare_users(const struct ch_state *state, struct o_world *w)
{
    uint32_t live = 0;
    for (size_t i = 0; i < w->user_count; i++) {
        const struct o_user *u = &w->users[i];
        const uint32_t row = ch_find_user(state, u->id);
        M_CHECK(row != 0);
        M_CHECK(ch_user_row(state, row)->status == u->status);
        M_CHECK(ch_user_row(state, row)->password_seq == u->password_seq);
        live++;
    }
    M_CHECK(ch_table_live(&state->store, CH_T_USER) == live);
}

static void compare_shares(const struct ch_state *state, struct o_world *w)
{
    uint32_t live = 0;
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id == 0) continue;
        const uint32_t row = ch_find_share_id(state, s->id);
        M_CHECK(row != 0);
        const struct ch_row_share *share = ch_share_row(state, row);
        const uint64_t role = share->role == 0 ? 0 : ch_role_row(state, share->role)->id;
        M_CHECK(share->status == s->status && share->kind == s->kind && share->reach == s->reach);
        const struct ch_row_terms *terms = ch_terms_of(state, share);
        M_CHECK(role == s->role && terms->expires_at == s->expires_at);
        M_CHECK(share->used_day == (s->used_day | (s->used ? 0 : CH_DAY_GIVEN)));
        M_CHECK(share->certified_day == (s->certified_day | (s->certified ? 0 : CH_DAY_GIVEN)));
        M_CHECK(terms->certified_by ==
                (s->certified_by == 0 ? 0 : ch_find_user(state, s->certified_by)));
        M_CHECK(scopes_are(state, terms->own, s->own) &&
                scopes_are(state, terms->denied, s->denied));
        live++;
    }
    M_CHECK(ch_table_live(&state->store, CH_T_SHARE) == live);
}

static void compare_seats(const struct ch_state *state, const struct o_world *w)
{
    for (size_t i = 0; i < O_SEATS; i++) {
        const struct o_seat *s = &w->seats[i];
        if (s->user == 0) continue;
        const uint32_t row =
            ch_find_seat(state, ch_find_user(state, s->user), ch_find_account(state, s->account));
        M_CHECK(row != 0);
        M_CHECK(ch_invitation_of(state, row)->status == s->invitation);
        M_CHECK(ch_invitation_of(state, row)->open_until == s->open_until);
    }
}

/* A master key never transmits, wherever it leads. */
static void compare_keys(const struct ch_state *state, struct o_world *w)
{
    uint32_t live = 0;
    for (size_t i = 0; i < O_KEYS; i++) {
        const struct o_key *key = &w->keys[i];
        if (key->id == 0) continue;
        const uint32_t row = ch_find_key(state, key->id);
        M_CHECK(row != 0);
        const struct ch_row_key *known = ch_key_row(state, row);
        M_CHECK(known->kind == key->kind && known->expires_at == key->expires_at);
        M_CHECK(ch_account_row(state, known->account)->id == key->account);
        M_CHECK(scopes_are(state, known->scopes, key->scopes));
        live++;
        for (size_t a = 0; a < w->account_count && key->kind == CH_key_kind_master; a++) {
            const struct o_question q = {.key = key->id,
                                         .account = w->accounts[a].id,
                                         .wanted = o_transmits(),
                                         .any = true,
                                         .channel = CH_channel_api};
            struct ch_answer answer;
            m_ask(state, &q, &answer);
            M_CHECK(ch_scopes_empty(answer.given));
        }
    }
    M_CHECK(ch_table_live(&state->store, CH_T_KEY) == live);
}

static void compare_sessions(const struct ch_state *state, const struct o_world *w)
{
    uint32_t live = 0;
    for (size_t i = 0; i < O_SESSIONS; i++) {
        const struct o_session *s = &w->sessions[i];
        if (s->id == 0) continue;
        const uint32_t row = ch_find_session(state, s->id);
        M_CHECK(row != 0);
        const uint32_t account = ch_session_row(state, row)->account;
        M_CHECK((account == 0 ? 0 : ch_account_row(state, account)->id) == s->current);
        M_CHECK(ch_session_row(state, row)->expires_at == s->expires_at);
        live++;
    }
    M_CHECK(ch_table_live(&state->store, CH_T_SESSION) == live);
}

static void compare_requests(const struct ch_state *state, const struct o_world *w)
{
    for (size_t i = 0; i < w->request_count; i++) {
        const struct o_request *r = &w->requests[i];
        const uint32_t row = ch_find_request(state, r->id);
        if (row == 0) continue; /* an old one gave its place to a new one */
        M_CHECK(ch_request_row(state, row)->status == r->status);
        M_CHECK(scopes_are(state, ch_request_row(state, row)->scopes, r->scopes));
    }
}

static void compare_submissions(const struct ch_state *state, const struct o_world *w)
{
    uint32_t live = 0;
    for (size_t i = 0; i < O_SUBMISSIONS; i++) {
        const struct o_submission *s = &w->submissions[i];
        if (s->id == 0) continue;
        const uint32_t row = ch_find_submission(state, ch_find_account(state, s->account),
                                                ch_text_of(o_resources[s->campaign]));
        M_CHECK(row != 0);
        M_CHECK(ch_submission_row(state, row)->id == s->id);
        M_CHECK(ch_submission_row(state, row)->status == s->status);
        /* Whoever approved it is somebody else. */
        M_CHECK(s->status != CH_submission_status_approved ||
                s->decided_kind != CH_actor_kind_user || s->decided_by != s->person);
        live++;
    }
    M_CHECK(ch_table_live(&state->store, CH_T_SUBMISSION) == live);
}

static void compare_streams(const struct ch_state *state, const struct o_world *w)
{
    for (size_t i = 0; i < O_STREAMS; i++) {
        const struct o_stream *s = &w->streams[i];
        if (s->account == 0) continue;
        const uint32_t row =
            ch_find_stream(state, ch_find_account(state, s->account), s->key, s->stream);
        M_CHECK(row != 0);
        const struct ch_row_stream *stream = ch_stream_row(state, row);
        for (uint32_t n = 0; n < 2; n++) {
            M_CHECK((stream->stopped_seq[n] != 0) == s->stopped[n]);
            M_CHECK((stream->alert_seq[n] != 0) == s->alerted[n]);
        }
    }
}

/* Plan total = pool used + reserved + remain + the finite allocations' totals. */
static void compare_plan(const struct ch_state *state, struct o_world *w, struct o_plan *p)
{
    const uint32_t row = ch_find_plan(state, ch_find_account(state, p->account));
    M_CHECK(row != 0);
    const struct ch_row_plan *plan = ch_plan_row(state, row);
    M_CHECK(plan->id == p->id && (plan->paid != 0) == p->paid);
    M_CHECK(plan->total == p->total && plan->next_total == p->next_total);
    M_CHECK(plan->used == o_taken(w, p->id, 0, false));
    M_CHECK(plan->reserved == o_taken(w, p->id, 0, true));
    M_CHECK(plan->remain == o_remains(w, p, 0));
    uint64_t sum = plan->used + plan->reserved + plan->remain;
    for (size_t i = 0; i < w->account_count; i++) {
        const struct o_holding *h = &w->holdings[i];
        const uint64_t account = w->accounts[i].id;
        if (h->plan != p->id) continue;
        const uint32_t found = ch_find_allocation(state, ch_find_account(state, account));
        M_CHECK(found != 0);
        const struct ch_row_allocation *a = ch_allocation_row(state, found);
        M_CHECK(a->plan == row && a->type == h->type);
        if (h->type == CH_allocation_type_unlimited) continue;
        M_CHECK(a->total == h->total && a->used == o_taken(w, p->id, account, false));
        M_CHECK(a->reserved == o_taken(w, p->id, account, true));
        M_CHECK(a->remain == o_remains(w, p, account));
        M_CHECK((a->is_short != 0) == h->is_short);
        sum += a->total;
    }
    M_CHECK(sum == p->total);
}

/* Unsubscribed addresses and fed content. */
static void compare_lists(const struct ch_state *state, const struct o_world *w)
{
    uint32_t addresses = 0;
    for (size_t i = 0; i < O_SUPPRESSED; i++) {
        const struct o_suppressed *s = &w->suppressed[i];
        uint8_t hash[CH_KEYED_HASH_BYTES];
        if (s->account == 0) continue;
        m_name_hash(s->address, hash);
        hash[0] = (uint8_t)(hash[0] + s->key - 1);
        M_CHECK(ch_find_suppressed(state, ch_find_account(state, s->account), hash) != 0);
        addresses++;
    }
    M_CHECK(ch_table_live(&state->store, CH_T_SUPPRESSED) == addresses);
    uint32_t feeds = 0;
    for (size_t i = 0; i < O_FEEDS; i++) {
        const struct o_feed *f = &w->feeds[i];
        if (f->account == 0) continue;
        const uint32_t text = ch_text_find(state, ch_text_of(o_resources[f->resource]));
        const uint32_t to = f->to == 0 ? 0 : ch_find_account(state, f->to);
        M_CHECK(ch_find_feed(state, ch_find_account(state, f->account), f->kind, text, to) != 0);
        feeds++;
    }
    M_CHECK(ch_table_live(&state->store, CH_T_FEED) == feeds);
}

static void compare_settings(const struct ch_state *state, const struct o_world *w)
{
    for (size_t i = 0; i < w->account_count; i++) {
        const struct o_account *a = &w->accounts[i];
        const struct ch_row_account *row = ch_account_row(state, ch_find_account(state, a->id));
        const uint8_t status = a->dissolved ? CH_account_status_dissolved
                               : a->closed  ? CH_account_status_closed
                                            : CH_account_status_open;
        M_CHECK(row->status == status && row->set_seq == a->last_seq);
        M_CHECK((row->offer != 0) == (a->offered_to != 0));
        M_CHECK((row->suspended_seq[0] != 0) == a->suspended[0]);
        M_CHECK((row->suspended_seq[1] != 0) == a->suspended[1]);
        M_CHECK(scopes_are(state, row->guardrail, a->guardrail));
        for (uint32_t n = 0; n < O_SWITCHES; n++) {
            M_CHECK(ch_is_on(state, ch_find_account(state, a->id), n) == a->switches[n]);
        }
        const uint32_t asked = ch_find_separation(state, ch_find_account(state, a->id));
        M_CHECK((asked == 0 ? 0 : ch_separation_row(state, asked)->status) == a->separation);
    }
}

/* Never more than one owner of a tree, and from the first appointment on exactly one, by a share of
 * the root that reaches all of it. */
static void compare_owners(struct o_world *w)
{
    for (size_t i = 0; i < w->account_count; i++) {
        struct o_account *root = &w->accounts[i];
        uint32_t owners = 0;
        for (size_t n = 0; n < O_SHARES && root->parent == 0; n++) {
            const struct o_share *s = &w->shares[n];
            if (s->id == 0 || s->role != o_built_in(w, "owner")->id) continue;
            if (!o_stands_in(w, s->account, root->id)) continue;
            M_CHECK(s->account == root->id && s->reach == CH_reach_subtree);
            M_CHECK(s->status == CH_share_status_active && s->expires_at == 0);
            owners++;
        }
        M_CHECK(owners <= 1 && (owners == 1 || !root->owned || root->dissolved));
        root->owned = owners == 1;
    }
}

/* Whose share is not active or whose user may not act has no right by it: an open invitation gives
 * nothing, and who was deactivated has nothing, whatever session they have. */
static void what_must_hold(const struct ch_state *state, struct o_world *w)
{
    for (size_t i = 0; i < w->user_count; i++) {
        const struct o_user *u = &w->users[i];
        bool any = false;
        for (size_t n = 0; n < O_SHARES; n++) {
            const struct o_share *s = &w->shares[n];
            any = any || (s->id != 0 && s->subject_kind == CH_subject_kind_user &&
                          s->subject == u->id && s->status == CH_share_status_active);
        }
        if (any && u->status == CH_user_status_active) continue;
        for (size_t a = 0; a < w->account_count; a++) {
            const struct o_question q = {.user = u->id,
                                         .account = w->accounts[a].id,
                                         .wanted = {{UINT64_MAX, UINT64_MAX}},
                                         .any = true,
                                         .channel = CH_channel_web};
            struct ch_answer answer;
            m_ask(state, &q, &answer);
            M_CHECK(ch_scopes_empty(answer.given));
        }
    }
}

void m_compare(const struct ch_state *state, struct o_world *w)
{
    compare_users(state, w);
    compare_shares(state, w);
    compare_seats(state, w);
    compare_keys(state, w);
    compare_sessions(state, w);
    compare_requests(state, w);
    compare_submissions(state, w);
    compare_streams(state, w);
    for (size_t i = 0; i < w->plan_count; i++) {
        if (w->plans[i].id != 0) compare_plan(state, w, &w->plans[i]);
    }
    compare_lists(state, w);
    compare_settings(state, w);
    compare_owners(w);
    what_must_hold(state, w);
}
