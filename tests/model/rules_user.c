/* rules_user: people, their names and passwords, in the oracle. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

bool o_username_taken(const struct o_world *w, const char *name)
{
    for (size_t i = 0; i < w->user_count; i++) {
        if (strcmp(w->users[i].username, name) == 0) return true;
    }
    return false;
}

struct o_user *o_new_user(struct o_case *k, uint16_t tag, uint64_t account)
{
    CH_CHECK(k->w->user_count < O_USERS);
    struct o_user *u = &k->w->users[k->w->user_count++];
    *u = (struct o_user){.id = o_event(k, tag, account)};
    return u;
}

/* With another password every session ends, but the one in which it was set. */
void o_set_password(struct o_case *k, struct o_user *user, uint64_t account, uint64_t stays)
{
    user->password_seq = o_event(k, CH_EV_password_set, account);
    o_end_sessions(k->w, user->id, stays);
}

static void names_of_others(struct o_case *k, uint64_t but)
{
    const struct o_command *c = k->c;
    for (size_t i = 0; i < k->w->user_count; i++) {
        const struct o_user *u = &k->w->users[i];
        if (u->id == but) continue;
        o_break_if(k, c->has_name && strcmp(u->username, c->name) == 0, CH_REJ_username_taken);
        o_break_if(k, c->has_email && strcmp(u->email, c->email) == 0, CH_REJ_email_taken);
    }
}

static void put_names(const struct o_command *c, struct o_user *u)
{
    if (c->has_name) memcpy(u->username, c->name, sizeof u->username);
    if (c->has_email) memcpy(u->email, c->email, sizeof u->email);
    if (c->has_full_name) memcpy(u->full_name, c->full_name, sizeof u->full_name);
}

static void create_user(struct o_case *k)
{
    names_of_others(k, 0);
    o_break_if(k, !k->c->has_name && !k->c->has_email, CH_REJ_name_missing);
    if (k->code == 0) put_names(k->c, o_new_user(k, CH_EV_user_created, 0));
}

static void update_profile(struct o_case *k)
{
    struct o_user *u = o_user(k->w, k->c->actor);
    struct o_user now = *u;
    names_of_others(k, u->id);
    put_names(k->c, &now);
    const bool same = strcmp(now.username, u->username) == 0 && strcmp(now.email, u->email) == 0 &&
                      strcmp(now.full_name, u->full_name) == 0;
    if (k->code != 0 || same) return;
    o_event(k, CH_EV_profile_changed, 0);
    *u = now;
}

static void lock_user(struct o_case *k, bool lock)
{
    const uint8_t other = lock ? CH_user_status_active : CH_user_status_locked;
    const uint8_t wanted = lock ? CH_user_status_locked : CH_user_status_active;
    o_break_if(k, lock && k->user->status != other && k->user->status != wanted,
               CH_REJ_not_accepted);
    if (k->code != 0 || k->user->status != other) return;
    o_event(k, lock ? CH_EV_user_locked : CH_EV_user_unlocked, 0);
    k->user->status = wanted;
}

/* Of an erased person nothing is left but their number and their shares. */
static void erase_user(struct o_case *k)
{
    struct o_user *u = k->user;
    if (k->code != 0 || u->status == CH_user_status_erased) return;
    o_event(k, CH_EV_user_erased, 0);
    o_end_sessions(k->w, u->id, 0);
    u->status = CH_user_status_erased;
    u->password_seq = 0;
    memset(u->username, 0, sizeof u->username);
    memset(u->email, 0, sizeof u->email);
    memset(u->full_name, 0, sizeof u->full_name);
}

/* Their own, or, by the platform, a first one for another. */
static void set_password(struct o_case *k)
{
    const struct o_command *c = k->c;
    const bool service = c->actor_kind == CH_actor_kind_service;
    if (o_is_person(k)) {
        struct o_user *self = o_user(k->w, c->actor);
        o_break_if(k, k->user != NULL && k->user != self, CH_REJ_not_found);
        o_break_if(k, self->status == CH_user_status_locked, CH_REJ_user_locked);
        const bool proves = c->has_old && c->old_good && c->old_of == self->password_seq;
        o_break_if(k, self->password_seq != 0 && !proves, CH_REJ_wrong_credentials);
        if (k->code == 0) o_set_password(k, self, 0, c->session);
        return;
    }
    o_break_if(k, o_is_bound(k), CH_REJ_self_only);
    if (k->code != 0) return;
    o_break_if(k, k->user == NULL, CH_REJ_not_found);
    o_break_if(k, k->user != NULL && service && k->user->password_seq != 0, CH_REJ_password_known);
    if (k->code == 0) o_set_password(k, k->user, 0, 0);
}

void o_user_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_user_create) create_user(k);
    if (type == CH_CMD_user_update_profile) update_profile(k);
    if (type == CH_CMD_user_lock || type == CH_CMD_user_unlock) {
        lock_user(k, type == CH_CMD_user_lock);
    }
    if (type == CH_CMD_user_erase) erase_user(k);
    if (type == CH_CMD_user_set_password) set_password(k);
}
