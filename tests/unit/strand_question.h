/* strand_question: what test_strand knows, and the questions that it asks.
 * SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_STRAND_QUESTION_H
#define CH_TESTS_STRAND_QUESTION_H
#include "tests/unit/log_scratch.h"
#include "tests/unit/strand_other.h"
#include "tests/unit/strand_people.h"

/* The release build does more of the same; then every type of question has told something. */
#ifdef CH_SLOW_CHECKS
enum { STEPS = 3000 };
#else
enum { STEPS = 5000 };
#endif

enum {
    FILLED_FROM = 5000,
    CROWD = 70,
    MADE_MOST = 4096,
    TOGETHER = 512,
    TYPES = 4,
    FILLED_LEAST = 1,
    NO_LIMIT = 1 << 30,
};

struct ids {
    uint64_t id[MADE_MOST];
    uint32_t count;
};

struct test {
    struct world w;
    struct people p;
    struct scratch scratch;
    struct ch_buf log;
    struct ch_evlog *evlog;
    struct ch_reader *reader;
    struct ch_streams *streams;
    struct ch_strands *strands;
    uint64_t over_all;     /* a user who has one share, of the whole tree */
    struct ch_state whole; /* replayed so far */
    uint64_t at;           /* the last event's time, and account */
    uint64_t dissolved;
    struct ch_arena arena;
    struct ch_arena decoded;
    struct chance c;
    struct ids users, keys, accounts, groups;
    struct ids asked_for; /* requests, as far as it was replayed */
    struct more more;
    struct other other;
    uint64_t filled[CH_CALL_TYPES];   /* how often a strand gave a result that tells something */
    uint64_t told[CH_CALL_TYPES];     /* how often a strand gave a result */
    uint64_t whole_of[CH_CALL_TYPES]; /* and how often the whole log is needed */
    uint64_t *actor_of;               /* by seq: who caused it; 0: no person and no key */
    uint8_t *actor_kind;
    struct ch_buf asked; /* struct asked */
    struct ch_buf answers;
    uint64_t by_strand, by_whole, answered, fed, told_filled, named, half;
};

/* ---- questions ------------------------------------------------------------------------------- */

struct question {
    int type;
    uint64_t actor;
    uint8_t channel;
    struct ch_ref on;
    struct ch_ref user;
    uint64_t key; /* 0: about the user */
    struct ch_scopes scopes;
    uint8_t scope;
    bool has_resource, any, explain, both;
    bool fed;                 /* content of the account above, which may be fed */
    struct other_named other; /* likewise */
    struct more_named named;  /* of a question of another sort; the user is the one above */
    char path[64], name[64];
};

/* The account's path as it is now, or was when the other state stood. */
static inline void name_on(struct question *q, const struct ch_state *state, uint64_t id)
{
    const uint32_t row = ch_find_account(state, id);
    size_t len = 0;
    uint32_t up[8], depth = 0;
    q->on = (struct ch_ref){.id = row == 0 ? id : 0};
    for (uint32_t a = row; a != 0; a = ch_account_row(state, a)->parent) {
        up[depth++] = a;
    }
    while (depth > 0) {
        depth--;
        if (len > 0) q->path[len++] = '/';
        len += ch_chain_get(state, CH_T_TEXT, ch_account_row(state, up[depth])->name, q->path + len,
                            sizeof q->path - len - 1);
    }
    if (row != 0) q->on.name = (struct ch_text){q->path, len};
}

static inline void name_user(struct test *t, struct question *q, const struct ch_state *state,
                             uint64_t id)
{
    struct ch_text texts[3];
    const uint32_t row = ch_find_user(state, id);
    q->user = (struct ch_ref){.id = id};
    if (row == 0) return;
    assert_true(ch_opened_read(state, ch_user_row(state, row)->profile_seq, &t->arena, texts, 3));
    const struct ch_text name = texts[0].len > 0 ? texts[0] : texts[1];
    if (name.len == 0 || name.len >= sizeof q->name) return;
    memcpy(q->name, name.ptr, name.len);
    q->user = (struct ch_ref){.name = {q->name, name.len}};
    ch_put_be64(q->user.hash, ch_hash_bytes(name.ptr, name.len));
}

/* Often about what is there: the key's account, the group's, one with a plan. */
static inline void aim(struct test *t, struct question *q)
{
    const struct ch_state *state = &t->whole;
    const uint32_t key = ch_find_key(state, q->named.key);
    uint32_t group = ch_find_group(state, q->named.group.id);
    uint32_t on = 0;
    if (below(&t->c, 4) == 0) return;
    if (q->type == CH_QRY_key_show || q->type == CH_QRY_key_scopes) {
        for (uint32_t k = 0; k < 8 && ch_find_key(state, q->named.key) == 0; k++) {
            q->named.key = some(&t->c, t->keys.id, t->keys.count);
        }
        const uint32_t row = key != 0 ? key : ch_find_key(state, q->named.key);
        if (row != 0) on = ch_key_row(state, row)->account;
    }
    const uint32_t used = state->store.tables[CH_T_MEMBER].used;
    const uint32_t member = ch_row_next(&state->store, CH_T_MEMBER, below(&t->c, used + 1));
    if (q->type == CH_QRY_group_members && member != 0 && below(&t->c, 2) == 0) {
        group = ch_member_row(state, member)->group;
        q->named.group = (struct ch_ref){.id = ch_group_row(state, group)->id};
    }
    if (q->type == CH_QRY_group_members && group != 0) on = ch_group_row(state, group)->account;
    if (on != 0) q->on = (struct ch_ref){.id = ch_account_row(state, on)->id};
    if (q->type == CH_QRY_plan_show || q->type == CH_QRY_credits_list) {
        q->on = (struct ch_ref){.id = t->w.top};
    }
    const uint32_t reserved = ch_row_next(&state->store, CH_T_RESERVATION, 0);
    if (q->type == CH_QRY_credits_reservations && reserved != 0) {
        on = ch_reservation_row(state, reserved)->account;
        q->on = (struct ch_ref){.id = ch_account_row(state, on)->id};
    }
    if (q->type == CH_QRY_share_show) q->user = (struct ch_ref){.id = t->p.user[below(&t->c, 4)]};
}

static inline void aim_at_request(const struct test *t, struct question *q, uint32_t row)
{
    const bool about = q->type == CH_QRY_access_deciders || q->type == CH_QRY_access_requests;
    if (row == 0 || !about) return;
    const uint32_t account = ch_request_row(&t->whole, row)->account;
    q->on = (struct ch_ref){.id = ch_account_row(&t->whole, account)->id};
}

/* Content of another account, often of the one above, which feeds it. */
static inline void aim_at_fed(struct test *t, struct question *q)
{
    const uint64_t on = t->p.account[1 + below(&t->c, ACCOUNTS - 1)];
    const uint64_t of = below(&t->c, 4) == 0 ? t->p.account[below(&t->c, ACCOUNTS)]
                        : on == t->w.low     ? t->w.mid
                                             : t->w.top;
    q->on = (struct ch_ref){.id = on};
    q->other.account = (struct ch_ref){.id = of};
    q->fed = q->has_resource = true;
    q->scopes = below(&t->c, 2) == 0 ? SCOPE(campaigns_send) : SCOPE(campaigns_update);
    q->user = (struct ch_ref){.id = t->p.user[below(&t->c, PEOPLE)]};
}

/* Often a key of which something was counted, and its account. */
static inline void aim_at_key(struct test *t, struct question *q)
{
    const struct ch_store *store = &t->whole.store;
    uint32_t row = below(&t->c, store->tables[CH_T_STREAM].used + 1);
    row = store->tables[CH_T_STREAM].used == 0 ? 0 : ch_row_next(store, CH_T_STREAM, row);
    if (row == 0 || ch_stream_row(&t->whole, row)->key == 0) return;
    q->other.key = ch_stream_row(&t->whole, row)->key;
    const uint32_t account = ch_stream_row(&t->whole, row)->account;
    q->on = (struct ch_ref){.id = ch_account_row(&t->whole, account)->id};
}

/* Who made a grant, or something else, and where. */
static inline void aim_at_made(struct test *t, struct question *q)
{
    const struct ch_state *state = &t->whole;
    const uint32_t used = state->store.tables[CH_T_GRANT].used;
    uint32_t row = ch_row_next(&state->store, CH_T_GRANT, below(&t->c, used + 1));
    while (row != 0 && ch_grant_row(state, row)->made_by == 0) {
        row = ch_row_next(&state->store, CH_T_GRANT, row);
    }
    q->user = (struct ch_ref){.id = t->over_all};
    if (row == 0 || below(&t->c, 3) == 0) return;
    const struct ch_row_grant *grant = ch_grant_row(state, row);
    const uint32_t account = ch_share_row(state, grant->share)->account;
    q->user = (struct ch_ref){.id = ch_user_row(state, grant->made_by)->id};
    q->on = (struct ch_ref){.id = ch_account_row(state, account)->id};
}

/* One about what strand_other.h makes happen. */
static inline void other_question(struct test *t, struct question *q)
{
    struct chance *c = &t->c;
    q->type = other_types[below(c, OTHER_TYPES)];
    if (is_self(q->type)) q->actor = t->p.user[below(c, PEOPLE)];
    if (q->type == CH_QRY_session_accounts && below(c, 3) == 0) q->actor = t->over_all;
    q->other = (struct other_named){
        .account = {.id = below(c, 4) == 0 ? some(c, t->accounts.id, t->accounts.count)
                                           : t->p.account[below(c, ACCOUNTS)]},
        .key = some(c, t->keys.id, t->keys.count),
        .now = t->at,
        .seed = chance_next(c)};
    if (t->asked_for.count > 0) {
        q->other.request = some(c, t->asked_for.id, t->asked_for.count);
        aim_at_request(t, q, ch_find_request(&t->whole, q->other.request));
    }
    const uint32_t offer = ch_row_next(&t->whole.store, CH_T_OFFER, 0);
    if (q->type == CH_QRY_ownership_offers && offer != 0) {
        q->actor = ch_user_row(&t->whole, ch_offer_row(&t->whole, offer)->user)->id;
    }
    if (q->type == CH_QRY_stats_show || q->type == CH_QRY_stats_series) aim_at_key(t, q);
    if (q->type == CH_QRY_access_orphans) aim_at_made(t, q);
    const uint32_t submitted = ch_row_next(&t->whole.store, CH_T_SUBMISSION, below(c, 3));
    if (q->type == CH_QRY_campaign_approvers && submitted != 0 && below(c, 2) == 0) {
        const uint32_t account = ch_submission_row(&t->whole, submitted)->account;
        q->on = (struct ch_ref){.id = ch_account_row(&t->whole, account)->id};
    }
    if (q->type == CH_QRY_campaign_send_check) {
        q->user = (struct ch_ref){.id = t->p.user[below(c, PEOPLE)]};
        if (below(c, 2) == 0) q->actor = t->p.user[below(c, PEOPLE)];
    }
}

static inline void some_question(struct test *t, struct question *q)
{
    static const int types[TYPES] = {CH_QRY_check, CH_QRY_access_explain, CH_QRY_access_scopes,
                                     CH_QRY_access_origins};
    struct chance *c = &t->c;
    *q = (struct question){.type = types[below(c, TYPES)],
                           .channel = below(c, 2) == 0 ? CH_channel_api : CH_channel_web,
                           .scopes = some_scopes(c),
                           .scope = met[below(c, METS)],
                           .has_resource = below(c, 2) == 0,
                           .any = below(c, 4) == 0,
                           .explain = below(c, 2) == 0,
                           .both = below(c, 40) == 0};
    const uint64_t on = below(c, 5) == 0 ? some(c, t->accounts.id, t->accounts.count)
                                         : t->p.account[below(c, ACCOUNTS)];
    const uint64_t user =
        below(c, 2) == 0 ? some(c, t->users.id, t->users.count) : t->p.user[below(c, PEOPLE)];
    q->on.id = on;
    q->user.id = below(c, 30) == 0 ? 999999 : user;
    ch_arena_reset(&t->arena);
    if (below(c, 4) == 0) name_on(q, below(c, 2) == 0 ? &t->whole : &t->w.state, on);
    if (below(c, 4) == 0) name_user(t, q, below(c, 2) == 0 ? &t->whole : &t->w.state, user);
    if (below(c, 4) == 0 && t->keys.count > 0) q->key = some(c, t->keys.id, t->keys.count);
    const uint32_t who = below(c, 6);
    q->actor = who < 3 ? OPERATOR : who == 3 ? SERVICE : some(c, t->users.id, t->users.count);
    if (who == 4 && t->keys.count > 0) q->actor = some(c, t->keys.id, t->keys.count);
    if (q->type == CH_QRY_check && below(c, 2) == 0) {
        aim_at_fed(t, q);
        return;
    }
    const uint32_t sort = below(c, 5);
    if (sort == 0) return;
    if (sort > 2) {
        other_question(t, q);
        return;
    }
    q->type = more_types[below(c, MORE_TYPES)];
    q->named = (struct more_named){.key = some(c, t->keys.id, t->keys.count),
                                   .scope = q->scope,
                                   .of_group = below(c, 3) == 0,
                                   .after = below(c, 2) == 0 ? 0 : below(c, 2000),
                                   .limit = below(c, 2) == 0 ? 0 : 1 + below(c, 4)};
    q->named.group.id =
        below(c, 2) == 0 ? some(c, t->groups.id, t->groups.count) : t->p.group[below(c, GROUPS)];
    aim(t, q);
    if (below(c, 3) != 0) return;
    static const char *const names[] = {"writers", "editors", "juniors", "guests", "n3", "n7"};
    q->named.group = (struct ch_ref){.name = ch_text_of(names[below(c, 6)])};
}

union args {
    struct ch_qry_check check;
    struct ch_qry_access_explain explain;
    struct ch_qry_access_scopes scopes;
    struct ch_qry_access_origins origins;
    union more_args more;
    union other_args other;
};

static inline bool is_more(int type)
{
    return type != CH_QRY_check && type != CH_QRY_access_explain && type != CH_QRY_access_scopes &&
           type != CH_QRY_access_origins;
}

static inline void make_call(const struct question *q, union args *args, struct ch_call *call)
{
    const struct ch_text what = ch_text_of("L1");
    const struct ch_key_id key = {q->key};
    const bool has_user = q->key == 0 || q->both;
    memset(args, 0, sizeof *args);
    *call = (struct ch_call){
        .type = q->type, .has_on = ch_calls[q->type].on, .on = q->on, .args = args};
    if (is_other(q->type)) {
        struct other_named other = q->other;
        other.user = q->user;
        other_call(q->type, &other, &args->other);
    } else if (is_more(q->type)) {
        struct more_named named = q->named;
        named.user = q->user;
        more_call(q->type, &named, &args->more);
    } else if (q->type == CH_QRY_check) {
        args->check = (struct ch_qry_check){.has_user = has_user,
                                            .user = q->user,
                                            .has_key = q->key != 0,
                                            .key = key,
                                            .scopes = q->scopes,
                                            .has_resource = q->has_resource,
                                            .resource = what,
                                            .has_of = q->fed,
                                            .of = q->other.account,
                                            .has_any = true,
                                            .any = q->any,
                                            .has_explain = true,
                                            .explain = q->explain};
    } else if (q->type == CH_QRY_access_explain) {
        args->explain = (struct ch_qry_access_explain){.has_user = has_user,
                                                       .user = q->user,
                                                       .has_key = q->key != 0,
                                                       .key = key,
                                                       .scope = q->scope,
                                                       .has_resource = q->has_resource,
                                                       .resource = what,
                                                       .has_channel = true,
                                                       .channel = q->channel};
    } else if (q->type == CH_QRY_access_scopes) {
        args->scopes = (struct ch_qry_access_scopes){
            .user = q->user, .has_resource = q->has_resource, .resource = what};
    } else {
        args->origins = (struct ch_qry_access_origins){.has_user = has_user,
                                                       .user = q->user,
                                                       .has_key = q->key != 0,
                                                       .key = key,
                                                       .has_resource = q->has_resource,
                                                       .resource = what};
    }
}

static inline uint64_t subject_of(const struct question *q, const union args *args)
{
    return q->type == CH_QRY_check            ? args->check.user.id
           : q->type == CH_QRY_access_scopes  ? args->scopes.user.id
           : q->type == CH_QRY_access_explain ? args->explain.user.id
                                              : args->origins.user.id;
}
#endif
