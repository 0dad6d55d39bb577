/* outcome: see outcome.h. SPDX-License-Identifier: MIT */
#include "daemon/outcome.h"

#include "schema/pack.h"

void ch_outcome_rejected(struct ch_outcome_of_call *outcome, const struct ch_reject *reject)
{
    outcome->kind = CH_CALL_REJECTED;
    outcome->reject = *reject;
}

void ch_outcome_failed(struct ch_outcome_of_call *outcome, struct ch_arena *arena, enum ch_err err,
                       const char *field, const char *text)
{
    static const struct ch_why no_memory = {.err = CH_ERR_NO_MEMORY, .text = "no memory"};
    struct ch_why *why = ch_arena_take(arena, sizeof *why);
    outcome->kind = CH_CALL_FAILED;
    outcome->why = why == NULL ? &no_memory : why;
    if (why != NULL) (void)ch_fail_field(why, err, field, "%s", text);
}

/* Whether a query is answered about what is not there, and then the user it is about, if any. */
static bool can_be_absent(const struct ch_call *call, const struct ch_ref **ret_user)
{
    static const struct ch_ref none = {.id = 0};
    *ret_user = &none;
    if (call->type == CH_QRY_check) {
        *ret_user = &((const struct ch_qry_check *)call->args)->user;
    } else if (call->type == CH_QRY_access_receipt) {
        *ret_user = &((const struct ch_qry_access_receipt *)call->args)->user;
    } else if (call->type == CH_QRY_access_explain) {
        *ret_user = &((const struct ch_qry_access_explain *)call->args)->user;
    } else {
        return false;
    }
    return true;
}

bool ch_outcome_absent(struct ch_outcome_of_call *outcome, const struct ch_call *call,
                       const struct ch_reject *reject, struct ch_arena *arena,
                       const struct ch_state *state)
{
    const struct ch_ref *named;
    if (reject->field == NULL || !can_be_absent(call, &named)) return false;
    const bool user = strcmp(reject->field, "user") == 0;
    if (!user && strcmp(reject->field, "on") != 0) return false;
    const bool by_name = (user ? named->name.len : call->on.name.len) > 0;
    if (by_name && call->type == CH_QRY_access_explain) return false;
    struct ch_qry_check_result *result = ch_arena_take(arena, sizeof *result);
    struct ch_qry_access_receipt_result *receipt = ch_arena_take(arena, sizeof *receipt);
    struct ch_qry_access_explain_result *explained = ch_arena_take(arena, sizeof *explained);
    if (result == NULL || receipt == NULL || explained == NULL) return false;
    result->decision = receipt->decision = explained->decision = CH_decision_implicit_deny;
    result->reason = receipt->reason = explained->reason =
        by_name ? CH_reason_unknown_name : CH_reason_did_not_exist;
    result->revision = receipt->revision = explained->revision = ch_meta(state)->head;
    result->has_field = true;
    result->field = ch_text_of(user ? "user" : "on");
    outcome->kind = CH_CALL_ANSWERED;
    outcome->type = call->type;
    outcome->absent = true;
    outcome->result = result;
    if (call->type == CH_QRY_access_receipt) outcome->result = receipt;
    if (call->type == CH_QRY_access_explain) outcome->result = explained;
    return true;
}

/* How many things of a kind were made. */
static uint32_t made_of(const struct ch_outcome_of_call *outcome, uint32_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < outcome->events; i++) {
        count += ch_events[outcome->tags[i]].makes == kind;
    }
    return count;
}

/* The kind and the id of what was made; of several of a kind a list, under its plural. */
static void pack_made(struct ch_buf *reply, const struct ch_outcome_of_call *outcome, uint32_t kind,
                      uint32_t count)
{
    char plural[64];
    const char *name = ch_kinds[kind].name;
    const size_t len = strlen(name);
    CH_CHECK(len + 1 < sizeof plural);
    memcpy(plural, name, len); /* NOLINT(bugprone-not-null-terminated-result): has a length */
    plural[len] = 's';
    ch_pack_text(reply, (struct ch_text){plural, count > 1 ? len + 1 : len});
    if (count > 1) ch_pack_array(reply, count);
    for (uint32_t i = 0; i < outcome->events; i++) {
        if (ch_events[outcome->tags[i]].makes != kind) continue;
        ch_pack_uint(reply, outcome->first_seq + i);
    }
}

/* {seq, events, and for each thing made its kind and id}; a dry run has no ids. */
static void pack_done(struct ch_buf *reply, const struct ch_outcome_of_call *outcome, bool dry_run)
{
    size_t made = 0;
    for (uint32_t kind = 0; !dry_run && kind < CH_KINDS; kind++) {
        made += made_of(outcome, kind) > 0;
    }
    const bool secret = !dry_run && outcome->events > 0 && outcome->secret.len > 0;
    ch_pack_map(reply, (dry_run ? 1 : 2) + made + (secret || outcome->secret_gone ? 1 : 0) +
                           (outcome->result != NULL));
    if (!dry_run) {
        ch_pack_chars(reply, "seq");
        ch_pack_uint(reply, outcome->first_seq);
    }
    ch_pack_chars(reply, "events");
    ch_pack_uint(reply, outcome->events);
    for (uint32_t kind = 0; !dry_run && kind < CH_KINDS; kind++) {
        const uint32_t count = made_of(outcome, kind);
        if (count > 0) pack_made(reply, outcome, kind, count);
    }
    if (outcome->secret_gone) {
        ch_pack_chars(reply, "secret_gone");
        ch_pack_bool(reply, true);
    }
    if (outcome->result != NULL) {
        ch_pack_chars(reply, "made");
        ch_encode_map(reply, &ch_calls[CH_QRY_access_orphans].result, outcome->result);
    }
    if (!secret) return;
    ch_pack_chars(reply, "secret");
    ch_pack_text(reply, outcome->secret);
}

static void pack_outcome(struct ch_buf *reply, const struct ch_outcome_of_call *outcome,
                         bool dry_run)
{
    switch (outcome->kind) {
    case CH_CALL_DONE:
        ch_reply_result_head(reply);
        pack_done(reply, outcome, dry_run);
        break;
    case CH_CALL_ANSWERED:
        ch_reply_result_head(reply);
        ch_encode_map(reply, &ch_calls[outcome->type].result, outcome->result);
        break;
    case CH_CALL_RAW:
        ch_reply_result_head(reply);
        ch_buf_put(reply, outcome->raw.ptr, outcome->raw.len);
        break;
    case CH_CALL_REJECTED: ch_reply_rejection(reply, &outcome->reject); break;
    case CH_CALL_FAILED: ch_reply_failure(reply, outcome->why); break;
    }
}

void ch_outcomes_reply(struct ch_buf *reply, const struct ch_request *request,
                       const struct ch_outcome_of_call *outcomes, uint64_t seq)
{
    bool ok = true;
    for (uint32_t i = 0; i < request->call_count; i++) {
        ok = ok && outcomes[i].kind != CH_CALL_REJECTED && outcomes[i].kind != CH_CALL_FAILED;
    }
    ch_reply_begin(reply, request->id, ok, seq, request->call_count);
    for (uint32_t i = 0; i < request->call_count; i++) {
        pack_outcome(reply, &outcomes[i], request->dry_run);
    }
}
