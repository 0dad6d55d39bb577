/* resolve: names to ids, call by call; see decide.h. SPDX-License-Identifier: MIT */
#include "daemon/core/decide.h"

#include "schema/text.h"

static uint64_t account_id(const struct ch_state *state, const struct ch_ref *ref)
{
    uint32_t row =
        ref->id != 0 ? ch_find_account(state, ref->id) : ch_find_account_path(state, ref->name);
    return row == 0 ? 0 : ch_account_row(state, row)->id;
}

static uint64_t user_id(const struct ch_state *state, const struct ch_ref *ref)
{
    uint32_t row = 0;
    if (ref->id != 0) {
        row = ch_find_user(state, ref->id);
    } else {
        const bool email = memchr(ref->name.ptr, '@', ref->name.len) != NULL;
        row = ch_find_user_hash(state, email ? CH_KIND_email : CH_KIND_username, ref->hash);
    }
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

/* Whether any share still leads the user there. */
static bool is_led(const struct ch_state *state, const struct ch_moment *moment, uint32_t account,
                   uint64_t *read_seq)
{
    const struct ch_question question = {.user = moment->user_row,
                                         .account = account,
                                         .channel = moment->channel,
                                         .now = moment->now};
    struct ch_answer answer;
    ch_access(state, &question, &answer, NULL, NULL);
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

bool ch_resolve(const struct ch_state *state, struct ch_call *call, struct ch_reject *ret)
{
    uint32_t on = 0;
    if (call->has_on) {
        call->on.id = account_id(state, &call->on);
        if (call->on.id == 0) {
            *ret = (struct ch_reject){.code = CH_REJ_not_found, .field = "on"};
            return false;
        }
        on = ch_find_account(state, call->on.id);
    }
    const struct ch_record *record = &ch_calls[call->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (ch_kinds[field->kind].form != CH_FORM_REF || !ch_field_present(field, call->args)) {
            continue;
        }
        struct ch_ref *refs;
        uint32_t count = 1;
        if (field->list) {
            memcpy(&refs, ch_field_at(field, call->args), sizeof refs);
            count = ch_field_items(field, call->args);
        } else {
            refs = (struct ch_ref *)(void *)((uint8_t *)call->args + field->offset);
        }
        for (uint32_t item = 0; item < count; item++) {
            refs[item].id = find(state, on, field->kind, &refs[item]);
            if (refs[item].id != 0 || call->type == CH_CMD_session_log_in) continue;
            *ret = (struct ch_reject){.code = CH_REJ_not_found, .field = field->name};
            return false;
        }
    }
    return true;
}
