/* gains: see gains.h. SPDX-License-Identifier: MIT */
#include "tests/model/gains.h"

#include "tests/model/live.h"

static struct ch_scopes rights_of(const struct ch_state *state, uint64_t user, uint64_t key,
                                  uint64_t account, bool granting, const struct o_command *c,
                                  uint32_t form)
{
    const struct o_question q = {.user = user,
                                 .key = key,
                                 .account = account,
                                 .wanted = {{UINT64_MAX, UINT64_MAX}},
                                 .any = form == 0,
                                 .has_resource = form > 1,
                                 .resource = form > 1 ? (uint8_t)(form - 2) : 0,
                                 .granting = granting,
                                 .channel = CH_channel_web,
                                 .now = c->now};
    struct ch_answer answer;
    m_ask(state, &q, &answer);
    return answer.given;
}

void m_rights_take(struct m_rights *rights, const struct ch_state *state, const struct o_world *w,
                   const struct o_command *c, uint32_t form)
{
    const bool key = c->actor_kind == CH_actor_kind_key;
    const bool there = !key || ch_find_key(state, c->actor) != 0; /* it may have ended itself */
    rights->users = w->user_count;
    rights->accounts = w->account_count;
    for (size_t a = 0; a < w->account_count; a++) {
        const uint64_t account = w->accounts[a].id;
        for (size_t u = 0; u < w->user_count; u++) {
            rights->has[u][a] = rights_of(state, w->users[u].id, 0, account, false, c, form);
        }
        if (!there) continue;
        rights->actor[a] =
            rights_of(state, key ? 0 : c->actor, key ? c->actor : 0, account, true, c, form);
    }
}

/* Those by which one takes what was given before, or by which a state of things ends that took from
 * all; and a root of one's own. */
static bool gives_what_was_given(int type)
{
    return type == CH_CMD_invitation_accept || type == CH_CMD_ownership_accept ||
           type == CH_CMD_account_resume || type == CH_CMD_stream_resume ||
           type == CH_CMD_account_open_own;
}

void m_rights_compare(const struct m_rights *before, const struct m_rights *after,
                      const struct o_world *w, const struct o_command *c)
{
    const struct ch_scopes none = {{0, 0}};
    if (gives_what_was_given(c->type)) return;
    for (size_t a = 0; a < after->accounts; a++) {
        /* On an account that was opened just now people have what shares above it give them; who is
         * new there, too, has what the actor has there. */
        const bool fresh = a >= before->accounts;
        const struct ch_scopes may_give = fresh ? after->actor[a] : before->actor[a];
        for (size_t u = 0; u < after->users; u++) {
            if (fresh && u < before->users) continue;
            const bool known = u < before->users;
            const bool self = c->actor_kind == CH_actor_kind_user && w->users[u].id == c->actor;
            const struct ch_scopes gained =
                ch_scopes_but(after->has[u][a], known ? before->has[u][a] : none);
            const struct ch_scopes beyond =
                self && !fresh ? gained : ch_scopes_but(gained, may_give);
            if (ch_scopes_empty(beyond)) continue;
            m_fail("user %llu gained %016llx%016llx on %llu, beyond what the actor has",
                   (unsigned long long)w->users[u].id, (unsigned long long)beyond.words[1],
                   (unsigned long long)beyond.words[0], (unsigned long long)w->accounts[a].id);
        }
    }
}
