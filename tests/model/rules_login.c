/* rules_login: other logins in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

static struct ch_scopes restricted(struct o_case *k)
{
    struct ch_scopes set = {{0, 0}};
    for (uint32_t i = 0; i < O_RESTRICTIONS; i++) {
        if ((k->c->restrictions >> i & 1) == 0) continue;
        const struct o_page *page = o_page_named(k->w, o_restrictions[i]);
        CH_CHECK(page != NULL);
        set = ch_scopes_or(set, page->scopes);
    }
    return set;
}

/* Never beyond one's own rights; what no login has needs nobody's. */
static bool covers_login(struct o_case *k, uint8_t reach, struct ch_scopes gets)
{
    return o_covers(k, k->on->id, reach, ch_scopes_but(gets, o_never_a_logins()), NULL);
}

static void create_login(struct o_case *k)
{
    const struct o_command *c = k->c;
    const struct o_role *full = o_built_in(k->w, "full");
    const struct ch_scopes denied = restricted(k);
    o_break_if(k, !covers_login(k, CH_reach_account, ch_scopes_but(full->scopes, denied)),
               CH_REJ_uncovered_scopes);
    o_break_if(k, o_username_taken(k->w, c->login), CH_REJ_username_taken);
    o_break_if(k, c->has_expiry && c->expires_at <= c->now, CH_REJ_in_the_past);
    if (k->code != 0) return;
    struct o_user *u = o_new_user(k, CH_EV_login_created, k->on->id);
    memcpy(u->username, c->login, sizeof u->username);
    if (c->has_full_name) memcpy(u->full_name, c->full_name, sizeof u->full_name);
    u->login = true;
    const struct o_share made = {.account = k->on->id,
                                 .subject_kind = CH_subject_kind_user,
                                 .subject = u->id,
                                 .kind = CH_share_kind_login,
                                 .role = full->id,
                                 .denied = denied,
                                 .expires_at = c->has_expiry ? c->expires_at : 0};
    (void)o_new_share(k, &made, o_event(k, CH_EV_share_given, k->on->id));
    if (!ch_scopes_empty(denied)) o_event(k, CH_EV_share_restricted, k->on->id);
    if (c->has_password) o_set_password(k, u, k->on->id, 0);
}

static void edit_login(struct o_case *k, struct o_share *s)
{
    const struct ch_scopes denied = restricted(k);
    o_break_if(k, !covers_login(k, s->reach, ch_scopes_but(s->denied, denied)),
               CH_REJ_uncovered_scopes);
    if (k->code != 0 || ch_scopes_equal(s->denied, denied)) return;
    o_event(k, CH_EV_share_restricted, k->on->id);
    s->denied = denied;
}

/* The login and nothing else; one who has other shares is a person elsewhere, and stays. */
static void delete_login(struct o_case *k, struct o_share *s)
{
    struct o_user *u = o_user(k->w, s->subject);
    o_break_if(k, !o_may_go(k, s), CH_REJ_uncovered_scopes);
    if (k->code != 0) return;
    o_event(k, CH_EV_share_ended, k->on->id);
    o_end_share(k->w, s);
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *other = &k->w->shares[i];
        if (other->id == 0 || other->subject_kind != CH_subject_kind_user) continue;
        if (other->subject == u->id) return;
    }
    if (!u->login) return;
    o_event(k, CH_EV_login_deleted, k->on->id);
    if (u->status != CH_user_status_erased) u->status = CH_user_status_deleted;
    memset(u->username, 0, sizeof u->username);
    memset(u->email, 0, sizeof u->email);
}

void o_login_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_login_create) create_login(k);
    if (type != CH_CMD_login_edit && type != CH_CMD_login_delete) return;
    struct o_share *s = o_share_to_change(k, CH_subject_kind_user, k->user->id);
    o_break_if(k, s != NULL && s->kind != CH_share_kind_login, CH_REJ_not_a_login);
    if (k->code != 0) return;
    CH_CHECK(s != NULL);
    if (type == CH_CMD_login_edit) {
        edit_login(k, s);
    } else {
        delete_login(k, s);
    }
}
