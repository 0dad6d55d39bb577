/* strand_ask: which questions a strand answers; see strand.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/strand_impl.h"

#include "daemon/core/decide.h"

#include <stdlib.h>

/* The subject of a call; NULL and 0 where it names none. */
struct subject {
    const struct ch_ref *user;
    uint64_t key;
};

/* What a call asks, if it is of a sort that a strand answers. */
static bool read_call(const struct ch_call *call, struct subject *ret, bool *told)
{
    *ret = (struct subject){0};
    *told = false;
    if (call->type == CH_QRY_check) {
        const struct ch_qry_check *args = call->args;
        if (args->has_user) ret->user = &args->user;
        if (args->has_key) ret->key = args->key.seq;
        *told = args->has_explain && args->explain;
        return !args->has_of; /* what is fed is of another account */
    }
    if (call->type == CH_QRY_access_explain) {
        const struct ch_qry_access_explain *args = call->args;
        if (args->has_user) ret->user = &args->user;
        if (args->has_key) ret->key = args->key.seq;
        *told = true;
        return true;
    }
    if (call->type == CH_QRY_access_receipt) { /* it is explained in the same state */
        const struct ch_qry_access_receipt *args = call->args;
        if (args->has_user) ret->user = &args->user;
        if (args->has_key) ret->key = args->key.seq;
        *told = true;
        return true;
    }
    if (call->type == CH_QRY_access_origins) {
        const struct ch_qry_access_origins *args = call->args;
        if (args->has_user) ret->user = &args->user;
        if (args->has_key) ret->key = args->key.seq;
        return true;
    }
    if (call->type != CH_QRY_access_scopes) return false;
    ret->user = &((const struct ch_qry_access_scopes *)call->args)->user;
    return true;
}

static uint32_t find_user(const struct ch_state *state, const struct ch_ref *ref)
{
    if (ref->id != 0) return ch_find_user(state, ref->id);
    const bool email = memchr(ref->name.ptr, '@', ref->name.len) != NULL;
    return ch_find_user_hash(state, email ? CH_KIND_email : CH_KIND_username, ref->hash);
}

static uint32_t find_on(const struct ch_state *state, const struct ch_call *call)
{
    return call->on.id != 0 ? ch_find_account(state, call->on.id)
                            : ch_find_account_path(state, call->on.name);
}

/* Adds an id, each once; false: too many, or none. */
static bool add(uint64_t *ids, uint32_t *count, uint64_t id)
{
    if (id == 0) return false;
    for (uint32_t i = 0; i < *count; i++) {
        if (ids[i] == id) return true;
    }
    if (*count == CH_STRAND_ROOTS) return false;
    ids[(*count)++] = id;
    return true;
}

static bool add_call(struct ch_strand_roots *roots, const struct ch_state *head,
                     const struct ch_call *call)
{
    struct subject subject;
    bool told = false;
    if (!call->has_on || !read_call(call, &subject, &told)) return false;
    roots->told = roots->told || told;
    /* Who or what is not there now was never there, but under a name it may have been. */
    const uint32_t on = find_on(head, call);
    if (on == 0 && call->on.id == 0) return false;
    const uint64_t account = on == 0 ? call->on.id : ch_account_row(head, on)->id;
    if (!add(roots->account, &roots->accounts, account)) return false;
    if (subject.key != 0 && !add(roots->subject, &roots->subjects, subject.key)) return false;
    if (subject.user == NULL) return true;
    const uint32_t user = find_user(head, subject.user);
    if (user == 0 && subject.user->id == 0) return false;
    const uint64_t id = user == 0 ? subject.user->id : ch_user_row(head, user)->id;
    return add(roots->subject, &roots->subjects, id);
}

static int by_id(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a;
    const uint64_t two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

bool ch_strand_roots(const struct ch_strand_asked *asked, const struct ch_state *head,
                     struct ch_strand_roots *ret)
{
    const struct ch_request *request = asked->request;
    const uint8_t kind = asked->asker.kind;
    memset(ret, 0, sizeof *ret);
    if (kind == CH_actor_kind_user || kind == CH_actor_kind_key) ret->asker = asked->asker.id;
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why == NULL && !add_call(ret, head, call)) return false;
    }
    if (ret->accounts == 0) return false;
    qsort(ret->account, ret->accounts, sizeof *ret->account, by_id);
    qsort(ret->subject, ret->subjects, sizeof *ret->subject, by_id);
    return true;
}

/* Whether the user has to do with the account or one above it, so that nobody who may ask there
 * must look at their shares elsewhere. As user_is_shown in core/resolve.c. */
static bool is_known_on(const struct ch_state *part, uint32_t user, uint32_t on)
{
    if (ch_find_seat(part, user, on) != 0) return true;
    for (uint32_t a = on; a != 0; a = ch_account_row(part, a)->parent) {
        if (ch_find_share(part, CH_subject_kind_user, user, a) != 0) return true;
    }
    return false;
}

static bool is_among(const uint64_t *ids, uint32_t count, uint64_t id)
{
    uint32_t i = 0;
    while (i < count && ids[i] != id) {
        i++;
    }
    return i < count;
}

static bool answers_call(const struct ch_strand_roots *roots, const struct ch_state *part,
                         const struct ch_call *call)
{
    struct subject subject;
    bool told = false;
    if (!read_call(call, &subject, &told)) return false;
    /* A name leads in the part where it led then, or nowhere: the names of whoever is there are as
     * they were, and no two had the same. Now it may lead to somebody else. */
    const uint32_t on = find_on(part, call);
    if (on == 0) return call->on.id != 0;
    if (!is_among(roots->account, roots->accounts, ch_account_row(part, on)->id)) return false;
    if (subject.user == NULL) return true;
    const uint32_t user = find_user(part, subject.user);
    if (user == 0) return subject.user->id != 0;
    const uint64_t id = ch_user_row(part, user)->id;
    if (!is_among(roots->subject, roots->subjects, id)) return false;
    if (roots->asker == 0 || id == roots->asker) return true;
    return is_known_on(part, user, on);
}

bool ch_strand_answers(const struct ch_strand_asked *asked, const struct ch_strand_roots *roots,
                       const struct ch_state *part)
{
    for (uint32_t i = 0; i < asked->request->call_count; i++) {
        const struct ch_call *call = &asked->request->calls[i];
        if (call->why == NULL && !answers_call(roots, part, call)) return false;
    }
    return true;
}
