/* decide_user: rules of users, settings and imports; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

enum ch_rejection_code ch_decide_user_create(struct ch_case *c)
{
    const struct ch_cmd_user_create *args = c->call->args;
    if (args->has_username &&
        ch_find_user_hash(c->state, CH_KIND_username, args->username.hash) != 0) {
        return ch_reject(c, CH_REJ_username_taken, "username");
    }
    if (args->has_email && ch_find_user_hash(c->state, CH_KIND_email, args->email.hash) != 0) {
        return ch_reject(c, CH_REJ_email_taken, "email");
    }
    if (!args->has_username && !args->has_email)
        return ch_reject(c, CH_REJ_name_missing, "username");
    struct ch_ev_user_created *body = ch_emit(c, CH_EV_user_created, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    body->number = ch_meta(c->state)->next_user_number;
    body->has_username = args->has_username;
    body->username = args->username;
    body->has_email = args->has_email;
    body->email = args->email;
    body->has_full_name = args->has_full_name;
    body->full_name = args->full_name;
    return CH_REJ_none;
}

/* The hash under which a name of the user is found: 0 username, 1 e-mail address. */
static void keep_hash(const struct ch_state *state, uint64_t seq, uint32_t which,
                      struct ch_named *named)
{
    const uint32_t sealed = ch_find_sealed(state, seq);
    const uint32_t opened = sealed == 0 ? 0 : ch_find_opened(state, sealed);
    const uint32_t name = opened == 0 ? 0 : ch_opened_row(state, opened)->name[which];
    if (name != 0) memcpy(named->hash, ch_name_row(state, name)->hash, sizeof named->hash);
}

/* Whether another user has the name. */
static bool is_taken(const struct ch_case *c, uint8_t kind, const struct ch_named *named)
{
    const uint32_t user = ch_find_user_hash(c->state, kind, named->hash);
    return user != 0 && user != c->moment->user_row;
}

/* What is not said stays, so the event holds all names, and the one before can be forgotten. */
enum ch_rejection_code ch_decide_user_update_profile(struct ch_case *c)
{
    const struct ch_cmd_user_update_profile *args = c->call->args;
    const struct ch_row_user *user = ch_user_row(c->state, c->moment->user_row);
    if (args->has_username && is_taken(c, CH_KIND_username, &args->username)) {
        return ch_reject(c, CH_REJ_username_taken, "username");
    }
    if (args->has_email && is_taken(c, CH_KIND_email, &args->email)) {
        return ch_reject(c, CH_REJ_email_taken, "email");
    }
    struct ch_text now[3];
    if (!ch_opened_read(c->state, user->profile_seq, c->arena, now, 3)) {
        c->ret->no_memory = true;
        return CH_REJ_none;
    }
    const bool same = (!args->has_username || ch_text_equal(args->username.text, now[0])) &&
                      (!args->has_email || ch_text_equal(args->email.text, now[1])) &&
                      (!args->has_full_name || ch_text_equal(args->full_name.text, now[2]));
    if (same) return CH_REJ_none;
    struct ch_ev_profile_changed *body = ch_emit(c, CH_EV_profile_changed, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    body->user.seq = user->id;
    body->username.text = now[0];
    body->email.text = now[1];
    body->full_name.text = now[2];
    keep_hash(c->state, user->profile_seq, 0, &body->username);
    keep_hash(c->state, user->profile_seq, 1, &body->email);
    if (args->has_username) body->username = args->username;
    if (args->has_email) body->email = args->email;
    if (args->has_full_name) body->full_name = args->full_name;
    body->has_username = body->username.text.len > 0;
    body->has_email = body->email.text.len > 0;
    body->has_full_name = body->full_name.text.len > 0;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_user_lock(struct ch_case *c)
{
    const struct ch_cmd_user_lock *args = c->call->args;
    uint32_t user = ch_find_user(c->state, args->user.id);
    if (ch_user_row(c->state, user)->status == CH_user_status_locked) return CH_REJ_none;
    if (ch_user_row(c->state, user)->status != CH_user_status_active) {
        return ch_reject(c, CH_REJ_not_accepted, "user"); /* they may do nothing as it is */
    }
    struct ch_ev_user_locked *body = ch_emit(c, CH_EV_user_locked, /* account= */ 0);
    if (body != NULL) body->user.seq = args->user.id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_user_unlock(struct ch_case *c)
{
    const struct ch_cmd_user_unlock *args = c->call->args;
    uint32_t user = ch_find_user(c->state, args->user.id);
    if (ch_user_row(c->state, user)->status != CH_user_status_locked) return CH_REJ_none;
    struct ch_ev_user_unlocked *body = ch_emit(c, CH_EV_user_unlocked, /* account= */ 0);
    if (body != NULL) body->user.seq = args->user.id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_user_erase(struct ch_case *c)
{
    const struct ch_cmd_user_erase *args = c->call->args;
    const uint32_t user = ch_find_user(c->state, args->user.id);
    if (ch_user_row(c->state, user)->status == CH_user_status_erased) return CH_REJ_none;
    struct ch_ev_user_erased *body = ch_emit(c, CH_EV_user_erased, /* account= */ 0);
    if (body != NULL) body->user.seq = args->user.id;
    return CH_REJ_none;
}

/* Limits that may change while the log goes on. */
static const char *const settings[] = {"CLOSE_GRACE_DAYS", "OFFER_DAYS", "INVITATION_DAYS"};

enum ch_rejection_code ch_decide_limit_set(struct ch_case *c)
{
    const struct ch_cmd_limit_set *args = c->call->args;
    const uint32_t row = ch_find_bound(c->state, args->name);
    if (row == 0) return ch_reject(c, CH_REJ_not_found, "name");
    bool free = false; /* how the log is read hangs on the others */
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        free = free || ch_text_is(args->name, settings[i]);
    }
    if (!free) return ch_reject(c, CH_REJ_limit_fixed, "name");
    if (args->value > LIMIT_SETTING_DAYS) return ch_reject_limit(c, "SETTING_DAYS", "value");
    if (ch_bound_row(c->state, row)->value == args->value) return CH_REJ_none;
    struct ch_ev_limit_defined *body = ch_emit(c, CH_EV_limit_defined, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    body->token = args->name;
    body->value = args->value;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_import_begin(struct ch_case *c)
{
    const struct ch_cmd_import_begin *args = c->call->args;
    if (ch_meta(c->state)->importing != 0) return CH_REJ_none; /* it goes on where it was */
    struct ch_ev_import_begun *body = ch_emit(c, CH_EV_import_begun, /* account= */ 0);
    if (body != NULL) body->format = args->format;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_import_advance(struct ch_case *c)
{
    const struct ch_cmd_import_advance *args = c->call->args;
    if (ch_meta(c->state)->importing == 0) return ch_reject(c, CH_REJ_no_import, NULL);
    struct ch_ev_import_advanced *body = ch_emit(c, CH_EV_import_advanced, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    body->digest = args->digest;
    body->line = args->line;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_import_end(struct ch_case *c)
{
    const struct ch_cmd_import_end *args = c->call->args;
    if (ch_meta(c->state)->importing == 0) return ch_reject(c, CH_REJ_no_import, NULL);
    struct ch_ev_import_ended *body = ch_emit(c, CH_EV_import_ended, /* account= */ 0);
    if (body != NULL) body->line = args->line;
    return CH_REJ_none;
}
