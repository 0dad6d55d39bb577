/* resolve: names to ids, call by call; see decide.h. SPDX-License-Identifier: MIT */
#include "daemon/core/decide.h"

#include "schema/text.h"

static uint64_t account_id(const struct ch_state *state, const struct ch_ref *ref)
{
    const uint32_t row = ch_find_account_ref(state, ref);
    return row == 0 ? 0 : ch_account_row(state, row)->id;
}

static uint64_t user_id(const struct ch_state *state, const struct ch_ref *ref)
{
    const uint32_t row = ch_find_user_ref(state, ref);
    return row == 0 ? 0 : ch_user_row(state, row)->id;
}

/* A group is looked for in the account, then in the accounts above it, whose groups may be given
 * shares of it. */
static uint64_t group_id(const struct ch_state *state, uint32_t on, const struct ch_ref *ref)
{
    uint32_t row = ref->id != 0 ? ch_find_group(state, ref->id) : 0;
    for (uint32_t a = on; ref->id == 0 && row == 0 && a != 0;
         a = ch_account_row(state, a)->parent) {
        row = ch_find_group_name(state, a, ref->name);
    }
    if (row == 0) return 0;
    const uint32_t owner = ch_group_row(state, row)->account;
    for (uint32_t a = on; a != 0; a = ch_account_row(state, a)->parent) {
        if (a == owner) return ch_group_row(state, row)->id;
    }
    return 0;
}

static uint64_t role_id(const struct ch_state *state, uint32_t on, const struct ch_ref *ref)
{
    uint32_t row = ref->id != 0 ? ch_find_role(state, ref->id) : 0;
    if (ref->id == 0 && on != 0) row = ch_find_role_name(state, on, ref->name);
    if (ref->id == 0 && row == 0) row = ch_find_role_name(state, 0, ref->name);
    if (row == 0) return 0;
    const struct ch_row_role *role = ch_role_row(state, row);
    return role->account == 0 || role->account == on ? role->id : 0;
}

static uint64_t page_id(const struct ch_state *state, const struct ch_ref *ref)
{
    const uint32_t row =
        ref->id != 0 ? ch_find_page(state, ref->id) : ch_find_page_name(state, ref->name);
    return row == 0 ? 0 : ch_page_row(state, row)->id;
}

static uint64_t find(const struct ch_state *state, uint32_t on, uint8_t kind,
                     const struct ch_ref *ref)
{
    switch (kind) {
    case CH_KIND_account_ref: return account_id(state, ref);
    case CH_KIND_user_ref: return user_id(state, ref);
    case CH_KIND_group_ref: return group_id(state, on, ref);
    case CH_KIND_role_ref: return role_id(state, on, ref);
    default: return page_id(state, ref);
    }
}

/* Whether any share still leads the user there, or the key. */
static bool is_led(const struct ch_state *state, const struct ch_moment *moment, uint32_t account,
                   uint64_t *read_seq)
{
    const struct ch_question question = {.account = account};
    struct ch_answer answer;
    ch_actor_access(state, moment, &question, &answer);
    if (answer.read_seq > *read_seq) *read_seq = answer.read_seq;
    return answer.led;
}

bool ch_default_on(const struct ch_state *state, const struct ch_moment *moment,
                   struct ch_call *call, uint64_t *read_seq, struct ch_reject *ret)
{
    if (!ch_calls[call->type].on || call->has_on) return true;
    uint32_t account = 0;
    if (moment->key_row != 0) {
        const struct ch_row_key *key = ch_key_row(state, moment->key_row);
        if (key->kind == CH_key_kind_account) account = key->account;
    } else if (moment->session_row != 0) {
        account = ch_session_account(state, moment->session_row);
    }
    if (account == 0) {
        *ret = (struct ch_reject){.code = CH_REJ_on_behalf_missing, .field = "on"};
        return false;
    }
    /* Who was there knows of it, so they are told what became of it. */
    if (moment->session_row != 0 && !is_led(state, moment, account, read_seq)) {
        *ret = (struct ch_reject){.code = CH_REJ_access_revoked, .field = "on"};
        return false;
    }
    call->has_on = true;
    call->on = (struct ch_ref){.id = ch_account_row(state, account)->id};
    return true;
}

/* Who asks, and on which account: what is not shown to them answers as if it were not there. */
struct asker {
    const struct ch_state *state;
    const struct ch_moment *moment; /* NULL: all is shown */
    uint64_t *read_seq;
    int type;
    uint32_t on;
};

static void saw(const struct asker *asker, uint64_t seq)
{
    if (seq > *asker->read_seq) *asker->read_seq = seq;
}

/* An account is shown to whom some share leads to it, and to those of the account right above, or
 * above that. Two calls are about one that another rule shows. */
static bool account_is_shown(const struct asker *asker, uint32_t account)
{
    const struct ch_state *state = asker->state;
    if (asker->type == CH_CMD_ownership_accept || asker->type == CH_CMD_ownership_decline) {
        return true; /* to whom it is offered; their own rule says so */
    }
    const bool above = asker->on != 0 && ch_account_row(state, asker->on)->parent == account;
    if (above && asker->type == CH_QRY_check) return true; /* it may feed the account */
    for (uint32_t a = account; a != 0 && asker->on != 0; a = ch_account_row(state, a)->parent) {
        if (a == asker->on) return true;
    }
    return is_led(asker->state, asker->moment, account, asker->read_seq);
}

/* Whether the tree is offered to the user, and the call takes that back. */
static bool is_offered(const struct asker *asker, uint32_t user)
{
    if (asker->type != CH_CMD_ownership_withdraw) return false;
    const uint32_t offer = ch_account_row(asker->state, asker->on)->offer;
    return offer != 0 && ch_offer_row(asker->state, offer)->user == user;
}

/* A user is shown to themselves; to those of the account, when they have or had a share of it, or
 * have one of an account above; and to whom some share leads to an account they have one of. */
static bool user_is_shown(const struct asker *asker, uint32_t user)
{
    const struct ch_state *state = asker->state;
    if (user == asker->moment->user_row || is_offered(asker, user)) return true;
    saw(asker, ch_user_row(state, user)->changed);
    if (asker->on != 0 && ch_find_seat(state, user, asker->on) != 0) return true;
    for (uint32_t a = asker->on; a != 0; a = ch_account_row(state, a)->parent) {
        if (ch_find_share(state, CH_subject_kind_user, user, a) != 0) return true;
    }
    for (uint32_t s = ch_user_row(state, user)->first_share; s != 0;
         s = ch_share_row(state, s)->next_of_subject) {
        const uint32_t account = ch_share_row(state, s)->account;
        if (is_led(state, asker->moment, account, asker->read_seq)) return true;
    }
    return false;
}

/* Whether no share of the user is of another tree than the account asked about. */
static bool is_of_tree(const struct asker *asker, uint32_t user)
{
    const struct ch_state *state = asker->state;
    const uint32_t root = ch_root_of(state, asker->on);
    for (uint32_t s = ch_user_row(state, user)->first_share; s != 0;
         s = ch_share_row(state, s)->next_of_subject) {
        if (ch_root_of(state, ch_share_row(state, s)->account) != root) return false;
    }
    return true;
}

/* Whether the asker may know that what a reference leads to is there. */
static bool is_shown(const struct asker *asker, uint8_t kind, uint64_t id)
{
    if (asker->moment == NULL) return true;
    if (kind == CH_KIND_account_ref) {
        return account_is_shown(asker, ch_find_account(asker->state, id));
    }
    if (kind != CH_KIND_user_ref) return true; /* found on the account only, or everybody's */
    if (asker->type == CH_QRY_activity_list) return true; /* shows who did something there, too */
    const bool calls_in = asker->type == CH_CMD_share_give || asker->type == CH_CMD_ownership_offer;
    const uint32_t user = ch_find_user(asker->state, id);
    /* Who has to do with no other tree is called in; everybody else is invited. */
    if (calls_in && is_of_tree(asker, user)) return true;
    return user_is_shown(asker, user);
}

static bool resolve_on(const struct ch_state *state, struct ch_call *call, struct ch_reject *ret)
{
    if (!call->has_on) return true;
    call->on.id = account_id(state, &call->on);
    if (call->on.id != 0) return true;
    *ret = (struct ch_reject){.code = CH_REJ_not_found, .field = "on"};
    return false;
}

static struct ch_ref *refs_of(const struct ch_field *field, const struct ch_call *call,
                              uint32_t *ret_count)
{
    struct ch_ref *refs = (struct ch_ref *)(void *)((uint8_t *)call->args + field->offset);
    *ret_count = 1;
    if (field->list) {
        memcpy(&refs, ch_field_at(field, call->args), sizeof refs);
        *ret_count = ch_field_items(field, call->args);
    }
    return refs;
}

static bool resolve_args(const struct asker *asker, struct ch_call *call, struct ch_reject *ret)
{
    const struct ch_record *record = &ch_calls[call->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (ch_kinds[field->kind].form != CH_FORM_REF || !ch_field_present(field, call->args)) {
            continue;
        }
        uint32_t count;
        struct ch_ref *refs = refs_of(field, call, &count);
        for (uint32_t item = 0; item < count; item++) {
            const uint64_t id = find(asker->state, asker->on, field->kind, &refs[item]);
            const bool shown = id != 0 && is_shown(asker, field->kind, id);
            refs[item].id = shown ? id : 0;
            if (shown || call->type == CH_CMD_session_log_in) continue;
            *ret = (struct ch_reject){.code = CH_REJ_not_found, .field = field->name};
            return false;
        }
    }
    return true;
}

static uint32_t on_of(const struct ch_state *state, const struct ch_call *call)
{
    return call->has_on ? ch_find_account(state, call->on.id) : 0;
}

bool ch_resolve(const struct ch_state *state, struct ch_call *call, struct ch_reject *ret)
{
    if (!resolve_on(state, call, ret)) return false;
    uint64_t read_seq = 0;
    const struct asker asker = {
        .state = state, .read_seq = &read_seq, .type = call->type, .on = on_of(state, call)};
    return resolve_args(&asker, call, ret);
}

/* A person or a key is told whether the call is for them before anything of what it names. */
static bool enter_bound(const struct ch_state *state, const struct ch_moment *moment,
                        struct ch_call *call, uint64_t *read_seq, struct ch_reject *ret)
{
    if (!resolve_on(state, call, ret)) return false;
    if (!ch_admit(state, moment, call, read_seq, ret)) return false;
    const struct asker asker = {.state = state,
                                .moment = moment,
                                .read_seq = read_seq,
                                .type = call->type,
                                .on = on_of(state, call)};
    return resolve_args(&asker, call, ret);
}

bool ch_enter(const struct ch_state *state, const struct ch_moment *moment, struct ch_call *call,
              uint64_t *read_seq, struct ch_reject *ret)
{
    const bool entered = ch_is_bound(moment) ? enter_bound(state, moment, call, read_seq, ret)
                                             : ch_resolve(state, call, ret) &&
                                                   ch_admit(state, moment, call, read_seq, ret);
    /* Absence is only as durable as the newest event. */
    if (!entered && ret->code == CH_REJ_not_found) *read_seq = ch_meta(state)->head;
    return entered;
}
