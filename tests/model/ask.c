/* ask: see ask.h. SPDX-License-Identifier: MIT */
#include "tests/model/ask.h"

#include "daemon/core/query.h"
#include "tests/model/live.h"
#include "tests/model/rules.h"

static const void *ask(const struct ch_state *state, struct ch_arena *arena, int type, uint64_t on,
                       void *args, uint64_t now)
{
    const struct ch_moment moment = {
        .now = now, .actor = {.kind = CH_actor_kind_operator}, .channel = CH_channel_operator};
    struct ch_call call = {.type = type, .has_on = true, .on = {.id = on}, .args = args};
    struct ch_query_answer answer = {0};
    uint64_t read_seq = 0;
    M_CHECK(ch_enter(state, &moment, &call, &read_seq, &answer.reject));
    ch_query(state, &moment, &call, arena, &answer);
    M_CHECK(!answer.no_memory && answer.reject.code == CH_REJ_none && answer.result != NULL);
    return answer.result;
}

static bool may(struct o_world *w, uint64_t user, uint64_t account, uint8_t scope, uint64_t now,
                const uint8_t *resource, bool any)
{
    struct o_question q = {.user = user,
                           .account = account,
                           .wanted = ch_scopes_of(scope),
                           .has_resource = resource != NULL,
                           .any = any,
                           .channel = CH_channel_web,
                           .now = now};
    struct o_answer answer;
    if (resource != NULL) q.resource = *resource;
    o_access(w, &q, &answer);
    return answer.decision == CH_decision_allowed;
}

/* Whether the person has all that approving gives. */
static bool covers(struct o_world *w, const struct o_request *r, uint64_t user, uint64_t now)
{
    const struct o_command c = {
        .actor_kind = CH_actor_kind_user, .actor = user, .channel = CH_channel_web, .now = now};
    const struct o_case k = {.w = w, .c = &c};
    const struct o_share *s = o_share(w, CH_subject_kind_user, r->user, r->account);
    return o_covers(&k, r->account, s == NULL ? (uint8_t)CH_reach_account : s->reach, r->scopes,
                    r->kind == 0 ? NULL : &r->resource);
}

static void check_request(const struct ch_state *state, struct ch_arena *arena, struct o_world *w,
                          const struct o_request *r, uint64_t now)
{
    struct ch_qry_access_deciders args = {.request = {r->id}, .has_limit = true, .limit = 1000};
    const struct ch_qry_access_deciders_result *told =
        ask(state, arena, CH_QRY_access_deciders, r->account, &args, now);
    for (size_t i = 0; i < w->user_count; i++) {
        const uint64_t user = w->users[i].id;
        const struct ch_rec_decider_row *row = NULL;
        for (uint32_t n = 0; n < told->users_len; n++) {
            if (told->users[n].user.seq == user) row = &told->users[n];
        }
        const bool decides =
            user != r->user && may(w, user, r->account, CH_SCOPE_access_decide, now, NULL, false);
        if ((row != NULL) != decides ||
            (row != NULL && row->may_approve != covers(w, r, user, now))) {
            m_fail("request %llu at %llu: user %llu is told of: %d (may approve: %d), decides: %d",
                   (unsigned long long)r->id, (unsigned long long)now, (unsigned long long)user,
                   row != NULL, row != NULL && row->may_approve, decides);
        }
    }
}

static void check_submission(const struct ch_state *state, struct ch_arena *arena,
                             struct o_world *w, const struct o_submission *s, uint64_t now)
{
    struct ch_qry_campaign_approvers args = {
        .campaign = ch_text_of(o_resources[s->campaign]), .has_limit = true, .limit = 1000};
    const struct ch_qry_campaign_approvers_result *told =
        ask(state, arena, CH_QRY_campaign_approvers, s->account, &args, now);
    for (size_t i = 0; i < w->user_count; i++) {
        const uint64_t user = w->users[i].id;
        bool is_told = false;
        for (uint32_t n = 0; n < told->users_len; n++) {
            is_told = is_told || told->users[n].user.seq == user;
        }
        const bool own = s->person == user;
        const bool decides =
            !own &&
            may(w, user, s->account, CH_SCOPE_campaigns_approve, now, &s->campaign, false) &&
            may(w, user, s->account, CH_SCOPE_campaigns_send, now, NULL, true);
        if (is_told != decides) {
            m_fail("submission %llu: user %llu is told of: %d, decides: %d",
                   (unsigned long long)s->id, (unsigned long long)user, is_told, decides);
        }
    }
}

void m_check_deciders(const struct ch_state *state, struct o_world *w, uint64_t now)
{
    struct ch_arena arena = {0};
    for (size_t i = 0; i < w->request_count; i++) {
        const struct o_request *r = &w->requests[i];
        if (r->status != CH_request_status_pending) continue;
        ch_arena_reset(&arena);
        check_request(state, &arena, w, r, now);
    }
    for (size_t i = 0; i < O_SUBMISSIONS; i++) {
        const struct o_submission *s = &w->submissions[i];
        if (s->id == 0) continue;
        ch_arena_reset(&arena);
        check_submission(state, &arena, w, s, now);
    }
    ch_arena_deinit(&arena);
}
