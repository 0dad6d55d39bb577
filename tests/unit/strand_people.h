/* strand_people: random invitations, accounts that come and go, logins, roles and owners, for
 * test_strand. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_STRAND_PEOPLE_H
#define CH_TESTS_STRAND_PEOPLE_H
#include "tests/unit/explain_history.h"

static const char *const mails[] = {"i1@x.org", "i2@x.org", "i3@x.org", "i4@x.org", "i5@x.org"};
enum { MAILS = sizeof mails / sizeof mails[0] };

/* Who closes accounts; their tree may have passed to another. */
static inline uint64_t owner_of(const struct world *w)
{
    const struct ch_state *state = &w->state;
    const uint32_t share = ch_owner_share(state, ch_find_account(state, w->top));
    return share == 0 ? w->owner : ch_user_row(state, ch_share_row(state, share)->subject)->id;
}

static inline uint64_t some(struct chance *c, const uint64_t *ids, uint32_t count)
{
    return ids[below(c, count)];
}

static inline int invitation_step(struct world *w, struct chance *c, uint64_t on)
{
    static const uint8_t zeros[32];
    const struct ch_named mail = person_name(mails[below(c, MAILS)]);
    const struct ch_ref who = {.name = mail.text};
    struct ch_ref user = who;
    memcpy(user.hash, mail.hash, sizeof user.hash);
    struct ch_secret token = {.verifier = ch_text_of("v")};
    memcpy(token.hash, below(c, 8) == 0 ? zeros : w->secret, sizeof token.hash);
    switch (below(c, 7)) {
    case 0:
    case 1:
        if (RUN(w, OPERATOR, share_invite, on, .email = mail, ROLE("user"), .has_reach = true,
                .reach = (uint8_t)below(c, 2)) != CH_REJ_none) {
            return 0;
        }
        memcpy(token.hash, w->secret, sizeof token.hash);
        if (below(c, 2) == 0) return 0;
        return RUN(w, SERVICE, invitation_accept, 0, .token = token, .has_password = true,
                   .password = {.verifier = ch_text_of("v")});
    case 2: return RUN(w, OPERATOR, invitation_cancel, on, .user = user);
    case 3: return RUN(w, OPERATOR, invitation_resend, on, .user = user);
    case 4: return RUN(w, SERVICE, invitation_decline, 0, .token = token);
    case 5:
        return RUN(w, SERVICE, invitation_accept, 0, .token = token, .has_password = true,
                   .password = {.verifier = ch_text_of("v")});
    default: {
        const uint32_t row =
            ch_find_user_hash(&w->state, CH_KIND_email, mail.hash); /* has a share elsewhere */
        if (row == 0) return 0;
        return RUN(w, OPERATOR, share_give, on, .has_user = true,
                   .user = {.id = ch_user_row(&w->state, row)->id, .name = who.name},
                   ROLE("watcher"));
    }
    }
}

/* A group that was deleted is made anew. */
static inline int regroup(struct world *w, struct people *p, struct chance *c, const char *name)
{
    const uint32_t which = below(c, GROUPS);
    const uint64_t place = which == 0 ? w->top : w->mid;
    if (ch_find_group(&w->state, p->group[which]) != 0) return 0;
    const int code = RUN(w, OPERATOR, group_create, place, .name = ch_text_of(name));
    if (code == CH_REJ_none) p->group[which] = w->made;
    return code;
}

static inline int account_and_user_step(struct world *w, struct people *p, struct chance *c,
                                        uint64_t on)
{
    char name[24];
    (void)snprintf(name, sizeof name, "n%u", below(c, 40));
    const uint64_t user = p->user[below(c, PEOPLE)];
    const struct ch_ref role = {.name = ch_text_of(below(c, 2) == 0 ? "crew" : "team")};
    switch (below(c, 16)) {
    case 0: return RUN(w, OPERATOR, account_rename, on, .name = ch_text_of(name));
    case 1:
        return below(c, 4) == 0
                   ? RUN(w, OPERATOR, ownership_assign, w->top, .user = {.id = user})
                   : RUN(w, owner_of(w), ownership_offer, w->top, .user = {.id = user});
    case 2: return RUN(w, user, ownership_accept, 0, .account = {.id = w->top});
    case 3:
        return RUN(w, OPERATOR, login_create, on, .username = person_name(name),
                   .has_password = true, .password = {.verifier = ch_text_of("v")});
    case 4: {
        struct ch_ref login = {.name = ch_text_of(name)};
        const struct ch_named named = person_name(name);
        memcpy(login.hash, named.hash, sizeof login.hash);
        return RUN(w, OPERATOR, login_delete, on, .user = login);
    }
    case 5:
        return RUN(w, user, user_update_profile, 0, .has_full_name = true,
                   .full_name = person_name(name));
    case 6:
        return RUN(w, user, user_update_profile, 0, .has_username = true,
                   .username = person_name(name));
    case 7: return RUN(w, OPERATOR, role_define, on, .name = role.name, .scopes = some_scopes(c));
    case 8: return RUN(w, OPERATOR, role_delete, on, .role = role);
    case 9:
        return RUN(w, OPERATOR, role_rename, on, .role = role,
                   .name = ch_text_of(below(c, 2) == 0 ? "crew" : "team"));
    case 10:
        return below(c, 3) != 0 ? 0
                                : RUN(w, OPERATOR, group_delete, on,
                                      .group = {.id = p->group[below(c, GROUPS)]});
    case 11: return regroup(w, p, c, name);
    case 12:
        return RUN(w, OPERATOR, share_set_expiry, on, USER(user), .has_expires_at = true,
                   .expires_at = w->now + UINT64_C(3600000000000) * (1 + below(c, 200)));
    case 13: /* an account that comes, and soon is closed for good */
        if (RUN(w, OPERATOR, account_open_sub, w->top, .name = ch_text_of(name)) != CH_REJ_none) {
            return 0;
        }
        return RUN(w, OPERATOR, share_give, w->made - 1, USER(user), ROLE("user"));
    case 14: {
        const uint32_t row =
            ch_find_account_name(&w->state, ch_find_account(&w->state, w->top), ch_text_of(name));
        if (row == 0) return 0;
        const uint64_t id = ch_account_row(&w->state, row)->id;
        for (int i = 0; i < ACCOUNTS; i++) {
            if (id == p->account[i]) return 0;
        }
        return RUN(w, owner_of(w), account_close, id, .has_below = false);
    }
    default:
        return below(c, 12) != 0 ? 0 : RUN(w, OPERATOR, user_erase, 0, .user = {.id = p->user[6]});
    }
}
#endif
