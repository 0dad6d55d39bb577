/* test_strand: what a strand answers about the past is what the whole state of then answers.
 * SPDX-License-Identifier: MIT
 * The seed is CH_TEST_SEED from the environment, or a fixed one; it is printed. A random history of
 * all that bears on rights is stored as a log and replayed; on the way, at random moments, random
 * questions are asked of the state there and of the strand: the same answer, byte for byte, and
 * whoever is told of in it has the same names. Strands are used in any order, so they also go on
 * and begin anew. */
#include "daemon/core/query.h"
#include "daemon/log/reader.h"
#include "daemon/replay/strand.h"
#include "daemon/replay/touched.h"
#include "schema/codec.h"
#include "tests/unit/log_scratch.h"
#include "tests/unit/strand_other.h"
#include "tests/unit/strand_people.h"

#include <stdlib.h>

enum {
    STEPS = 5000,
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

/* ---- the history ----------------------------------------------------------------------------- */

static void step(struct test *t)
{
    struct world *w = &t->w;
    struct chance *c = &t->c;
    const uint64_t on = t->p.account[below(c, ACCOUNTS)];
    const uint64_t actor = below(c, 3) != 0 ? OPERATOR : t->p.user[below(c, PEOPLE)];
    switch (below(c, 11)) {
    case 8:
    case 9:
    case 10: (void)other_step(w, &t->p, c, &t->other); break;
    case 6:
    case 7: (void)more_step(w, &t->p, c, &t->more); break;
    case 0: (void)invitation_step(w, c, on); break;
    case 1:
    case 2: (void)account_and_user_step(w, &t->p, c, on); break;
    default: (void)history_step(w, &t->p, c, actor); break;
    }
    if (below(c, 8) == 0) pass_time(w, UINT64_C(3600000000000) * below(c, 60));
}

/* An account with so many people that it is dissolved in several steps, with and without what comes
 * between them. */
static void dissolve_crowd(struct test *t)
{
    struct world *w = &t->w;
    const uint64_t on = add_sub(w, w->top, "crowd");
    for (uint32_t i = 0; i < CROWD; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "crowd%u", i);
        const uint64_t user = add_user(w, name);
        GIVE(w, on, USER(user), ROLE("user"));
    }
    heal(w, &t->p);
    assert_int_equal(RUN(w, owner_of(w), account_close, on, .has_below = false), CH_REJ_none);
    pass_time(w, UINT64_C(86400000000000) * 120);
}

static void play(struct test *t)
{
    world_log = &t->log;
    start_world(&t->w);
    make_people(&t->w, &t->p);
    t->over_all = add_user(&t->w, "zoe");
    GIVE(&t->w, t->w.top, USER(t->over_all), ROLE("account_manager"), SUBTREE);
    for (int i = 0; i < STEPS; i++) {
        step(t);
        if (i % 100 == 0) heal(&t->w, &t->p);
        if (i == STEPS / 2) dissolve_crowd(t);
        if (i == STEPS / 3) many_requests(&t->w, &t->p, &t->c, &t->other);
    }
    world_log = NULL;
}

/* ---- its log --------------------------------------------------------------------------------- */

static bool mark_of(void *arg, uint64_t seq, uint32_t *ret)
{
    (void)arg;
    (void)seq;
    (void)ret;
    return false;
}

static void store(struct test *t)
{
    struct ch_bytes records[TOGETHER];
    struct ch_why why;
    size_t at = 0;
    uint64_t first = 1;
    scratch_make(&t->scratch);
    t->evlog = scratch_open(&t->scratch, 64 << 20);
    while (at < t->log.len) {
        size_t count = 0;
        for (; at < t->log.len && count < TOGETHER; count++) {
            size_t len;
            memcpy(&len, t->log.ptr + at, sizeof len);
            records[count] = (struct ch_bytes){t->log.ptr + at + sizeof len, len};
            at += sizeof len + len;
        }
        assert_int_equal(ch_evlog_append(t->evlog, first, records, count, first, &why), CH_OK);
        first += count;
    }
    t->actor_of = test_calloc(first + 1, sizeof *t->actor_of);
    t->actor_kind = test_calloc(first + 1, 1);
    assert_int_equal(ch_reader_open(t->evlog, &t->reader, &why), CH_OK);
    assert_int_equal(ch_streams_open(t->scratch.dir, 0, mark_of, NULL, &t->streams, &why), CH_OK);
}

/* Words sealed under a key that is destroyed by now; names are told until they were erased, which
 * asks more of a strand. */
static bool is_lost(const struct test *t, const struct ch_event *event)
{
    if (!event->personal.present || ch_events[event->tag].makes == CH_KIND_user ||
        event->tag == CH_EV_profile_changed) {
        return false;
    }
    const uint32_t user = ch_find_user_number(&t->w.state, event->personal.number);
    return user != 0 && ch_user_row(&t->w.state, user)->status == CH_user_status_erased;
}

/* What the worker does with what was sealed. */
static enum ch_err learn(void *arg, struct ch_state *state, const struct ch_event *event,
                         struct ch_why *why)
{
    union ch_event_body body;
    struct ch_event opened = *event;
    if (arg != NULL && is_lost(arg, event)) return CH_OK;
    if (!event->personal.present) return CH_OK;
    const struct ch_bytes plain = {event->personal.cipher.ptr,
                                   event->personal.cipher.len - CH_SEAL_BYTES};
    memcpy(&body, event->body, ch_events[event->tag].record.size);
    opened.body = &body;
    assert_int_equal(ch_event_open(plain, &body, &opened, why), CH_OK);
    const struct ch_record *row = &ch_events[event->tag].record;
    for (uint16_t i = 0; i < row->count; i++) {
        const struct ch_field *field = &row->fields[i];
        if (!field->personal || !ch_field_present(field, &body)) continue;
        struct ch_named *named = (struct ch_named *)(void *)((uint8_t *)&body + field->offset);
        ch_put_be64(named->hash, ch_hash_bytes(named->text.ptr, named->text.len));
    }
    assert_true(learn_names(state, &opened, plain));
    return CH_OK;
}

static void note(struct ids *ids, uint64_t id)
{
    assert_true(ids->count < MADE_MOST);
    ids->id[ids->count++] = id;
}

/* The next event into a state that follows the log; returns its tag. */
static uint16_t replay_one(struct test *t, struct ch_state *state, uint64_t seq, bool indexed)
{
    struct ch_log_record record;
    union ch_event_body body;
    struct ch_event event;
    struct ch_why why;
    uint64_t keys[CH_STREAMS_KEYS];
    ch_arena_reset(&t->decoded);
    assert_int_equal(ch_reader_read(t->reader, seq, &record, &why), CH_OK);
    assert_int_equal(ch_event_decode(record.bytes, &t->decoded, &body, &event, &why), CH_OK);
    if (indexed) {
        const size_t count = ch_touched(state, &event, keys);
        assert_int_equal(ch_streams_add(t->streams, seq, record.bytes, keys, count, &why), CH_OK);
        const uint8_t kind = event.actor.kind;
        const bool person = kind == CH_actor_kind_user || kind == CH_actor_kind_key;
        if (person) t->actor_of[seq] = event.actor.id;
        t->actor_kind[seq] = kind;
        const uint8_t makes = ch_events[event.tag].makes;
        if (makes == CH_KIND_user) note(&t->users, seq);
        if (makes == CH_KIND_key) note(&t->keys, seq);
        if (makes == CH_KIND_account) note(&t->accounts, seq);
        if (makes == CH_KIND_group) note(&t->groups, seq);
    }
    assert_true(ch_apply_reserve(state, &event));
    ch_apply(state, &event);
    assert_int_equal(learn(t, state, &event, &why), CH_OK);
    if (!indexed && event.tag == CH_EV_access_requested) note(&t->asked_for, seq);
    t->at = event.at;
    t->dissolved = event.account;
    return event.tag;
}

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
static void name_on(struct question *q, const struct ch_state *state, uint64_t id)
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

static void name_user(struct test *t, struct question *q, const struct ch_state *state, uint64_t id)
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
static void aim(struct test *t, struct question *q)
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

static void aim_at_request(const struct test *t, struct question *q, uint32_t row)
{
    const bool about = q->type == CH_QRY_access_deciders || q->type == CH_QRY_access_requests;
    if (row == 0 || !about) return;
    const uint32_t account = ch_request_row(&t->whole, row)->account;
    q->on = (struct ch_ref){.id = ch_account_row(&t->whole, account)->id};
}

/* Content of another account, often of the one above, which feeds it. */
static void aim_at_fed(struct test *t, struct question *q)
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
static void aim_at_key(struct test *t, struct question *q)
{
    const struct ch_store *store = &t->whole.store;
    uint32_t row = below(&t->c, store->tables[CH_T_STREAM].used + 1);
    row = store->tables[CH_T_STREAM].used == 0 ? 0 : ch_row_next(store, CH_T_STREAM, row);
    if (row == 0 || ch_stream_row(&t->whole, row)->key == 0) return;
    q->other.key = ch_stream_row(&t->whole, row)->key;
    const uint32_t account = ch_stream_row(&t->whole, row)->account;
    q->on = (struct ch_ref){.id = ch_account_row(&t->whole, account)->id};
}

/* One about what strand_other.h makes happen. */
static void other_question(struct test *t, struct question *q)
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
    if (q->type == CH_QRY_campaign_send_check) {
        q->user = (struct ch_ref){.id = t->p.user[below(c, PEOPLE)]};
        if (below(c, 2) == 0) q->actor = t->p.user[below(c, PEOPLE)];
    }
}

static void some_question(struct test *t, struct question *q)
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
    if (q->type == CH_QRY_check && below(c, 3) == 0) aim_at_fed(t, q);
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

static bool is_more(int type)
{
    return type != CH_QRY_check && type != CH_QRY_access_explain && type != CH_QRY_access_scopes &&
           type != CH_QRY_access_origins;
}

static void make_call(const struct question *q, union args *args, struct ch_call *call)
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

static uint64_t subject_of(const struct question *q, const union args *args)
{
    return q->type == CH_QRY_check            ? args->check.user.id
           : q->type == CH_QRY_access_scopes  ? args->scopes.user.id
           : q->type == CH_QRY_access_explain ? args->explain.user.id
                                              : args->origins.user.id;
}

static struct ch_moment moment_of(const struct test *t, const struct question *q,
                                  const struct ch_state *state, uint64_t now)
{
    struct ch_moment moment = {.now = now, .channel = q->channel};
    moment.actor.id = q->actor;
    moment.actor.kind = (uint8_t)(q->actor == OPERATOR  ? CH_actor_kind_operator
                                  : q->actor == SERVICE ? CH_actor_kind_service
                                                        : CH_actor_kind_user);
    if (q->actor <= SERVICE) return moment;
    if (ch_find_user(&t->w.state, q->actor) == 0) moment.actor.kind = CH_actor_kind_key;
    moment.user_row = ch_find_user(state, q->actor);
    moment.key_row = ch_find_key(state, q->actor);
    return moment;
}

/* The names of a user, behind each other. */
static void put_names(struct test *t, const struct ch_state *state, uint64_t id, struct ch_buf *ret)
{
    struct ch_text texts[3];
    const uint32_t row = ch_find_user(state, id);
    ch_buf_put(ret, row == 0 ? "-" : "+", 1);
    if (row == 0) return;
    assert_true(ch_opened_read(state, ch_user_row(state, row)->profile_seq, &t->arena, texts, 3));
    for (uint32_t i = 0; i < 3; i++) {
        ch_buf_put(ret, texts[i].ptr, texts[i].len);
        ch_buf_put(ret, "|", 1);
    }
    t->named += texts[0].len + texts[1].len > 0;
}

/* Who caused what a fact tells, as the worker would name them. */
static void put_actors(struct test *t, const struct ch_state *state,
                       const struct ch_rec_fact_row *facts, uint32_t count, struct ch_buf *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t actor = t->actor_of[facts[i].seq];
        if (actor == 0) continue;
        if (t->actor_kind[facts[i].seq] == CH_actor_kind_user) {
            put_names(t, state, actor, ret);
            continue;
        }
        char name[128];
        const uint32_t key = ch_find_key(state, actor);
        if (key == 0) continue;
        ch_buf_put(ret, name,
                   ch_chain_get(state, CH_T_TEXT, ch_key_row(state, key)->name, name, sizeof name));
    }
}

static void put_told(struct test *t, const struct question *q, const struct ch_state *state,
                     const void *result, struct ch_buf *ret)
{
    if (q->type == CH_QRY_check) {
        const struct ch_qry_check_result *told = result;
        t->fed += q->fed &&
                  (told->reason == CH_reason_fed_content || told->decision == CH_decision_allowed);
        put_actors(t, state, told->facts, told->facts_len, ret);
    }
    if (q->type != CH_QRY_access_explain) return;
    const struct ch_qry_access_explain_result *told = result;
    put_actors(t, state, told->denies, told->denies_len, ret);
    put_actors(t, state, told->uncounted, told->uncounted_len, ret);
    for (uint32_t i = 0; i < told->ways_len; i++) {
        put_actors(t, state, told->ways[i].facts, told->ways[i].facts_len, ret);
        put_actors(t, state, told->ways[i].denies, told->ways[i].denies_len, ret);
    }
}

static void answer(struct test *t, const struct question *q, const struct ch_state *state,
                   uint64_t now, struct ch_buf *ret)
{
    union args args;
    struct ch_call call;
    struct ch_query_answer told = {0};
    uint64_t read_seq = 0;
    make_call(q, &args, &call);
    struct ch_moment moment = moment_of(t, q, state, now);
    const struct ch_moment then = moment_of(t, q, &t->w.state, t->w.now);
    const struct ch_judge judge = {
        .state = &t->w.state, .user_row = then.user_row, .key_row = then.key_row, .now = t->w.now};
    if (ch_is_bound(&moment)) moment.judge = &judge;
    ch_arena_reset(&t->arena);
    if (ch_is_bound(&moment) && then.user_row + then.key_row == 0) return; /* a key that is gone */
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    learn_address(state, &call, &moment, hashes);
    if (ch_enter(state, &moment, &call, &read_seq, &told.reject)) {
        told.reject.code = CH_REJ_none;
        ch_query(state, &moment, &call, &t->arena, &told);
    }
    assert_false(told.no_memory);
    if (told.result != NULL) {
        ch_encode_map(ret, &ch_calls[q->type].result, told.result);
        put_told(t, q, state, told.result, ret);
        if (q->key == 0 && !is_more(q->type)) put_names(t, state, subject_of(q, &args), ret);
        t->answered++;
        t->told_filled += is_filled(q->type, told.result);
        return;
    }
    const uint64_t code = (uint64_t)told.reject.code;
    const char *field = told.reject.field == NULL ? "" : told.reject.field;
    ch_buf_put(ret, &code, sizeof code);
    ch_buf_put(ret, &told.reject.scopes, sizeof told.reject.scopes);
    ch_buf_put(ret, field, strlen(field));
}

/* A question that was asked of the whole state. */
struct asked {
    struct question q;
    uint64_t seq;
    uint64_t now;
    size_t answer_at;
    size_t answer_len;
};

/* Asks again, of a strand. True: there was one. */
static bool ask_strand(struct test *t, const struct asked *a)
{
    union args args;
    struct ch_call call;
    struct ch_buf again = {0};
    make_call(&a->q, &args, &call);
    const struct ch_request request = {.calls = &call, .call_count = 1};
    const struct ch_strand_asked asked = {.request = &request,
                                          .asker = moment_of(t, &a->q, &t->w.state, a->now).actor};
    const struct ch_state *part = ch_strands_at(t->strands, &asked, &t->w.state, a->seq, NO_LIMIT);
    t->by_strand += part != NULL;
    t->by_whole += part == NULL;
    t->whole_of[a->q.type] += part == NULL;
    if (part == NULL) return false;
    assert_int_equal(ch_meta(part)->head, a->seq);
    const uint64_t answered = t->answered;
    const uint64_t filled = t->told_filled;
    answer(t, &a->q, part, a->now, &again);
    t->told[a->q.type] += t->answered - answered;
    t->filled[a->q.type] += t->told_filled - filled;
    if (again.len != a->answer_len ||
        (again.len > 0 && memcmp(again.ptr, t->answers.ptr + a->answer_at, again.len) != 0)) {
        fail_msg(
            "%s at %llu by %llu about %llu or key %llu on %llu: a strand of %llu events answers"
            " otherwise",
            ch_calls[a->q.type].args.name, (unsigned long long)a->seq,
            (unsigned long long)a->q.actor, (unsigned long long)a->q.user.id,
            (unsigned long long)a->q.key, (unsigned long long)a->q.on.id,
            (unsigned long long)ch_strands_events(t->strands));
    }
    ch_buf_deinit(&again);
    return true;
}

/* The name in a copy of a question is the copy's own. */
static void own_names(struct asked *a)
{
    if (a->q.on.id == 0) a->q.on.name.ptr = a->q.path;
    if (a->q.user.id == 0) a->q.user.name.ptr = a->q.name;
}

static void asked_at(const struct test *t, size_t i, struct asked *ret)
{
    memcpy(ret, t->asked.ptr + i * sizeof *ret, sizeof *ret);
    own_names(ret);
}

static bool ask(struct test *t, const struct question *q, uint64_t seq)
{
    struct asked a = {.q = *q,
                      .seq = seq,
                      .now = below(&t->c, 2) == 0 ? t->at : t->at + below(&t->c, 1000),
                      .answer_at = t->answers.len};
    own_names(&a);
    answer(t, &a.q, &t->whole, a.now, &t->answers);
    a.answer_len = t->answers.len - a.answer_at;
    ch_buf_put(&t->asked, &a, sizeof a);
    const bool answered = ask_strand(t, &a);
    if (below(&t->c, 2) == 0) { /* and one from before once more */
        asked_at(t, below(&t->c, (uint32_t)(t->asked.len / sizeof a)), &a);
        (void)ask_strand(t, &a);
    }
    return answered;
}

static void ask_here(struct test *t, uint64_t seq, uint16_t tag)
{
    struct question q;
    const bool dissolved = tag == CH_EV_account_dissolved;
    for (uint32_t i = dissolved ? 12 : 4 * (below(&t->c, 3) == 0); i > 0; i--) {
        some_question(t, &q);
        if (dissolved) q.on = (struct ch_ref){.id = t->dissolved};
        if (tag == CH_EV_credits_reserved) { /* soon none is open */
            q.type = CH_QRY_credits_reservations;
            q.on = (struct ch_ref){.id = t->w.top};
        }
        const bool answered = ask(t, &q, seq);
        t->half += dissolved && !answered;
    }
}

static bool is_asked(int type)
{
    bool asked = is_other(type);
    for (int i = 0; i < MORE_TYPES; i++) {
        asked = asked || more_types[i] == type;
    }
    return asked;
}

static void strands_answer_as_the_whole_log_does(void **unused)
{
    (void)unused;
    struct test *t = test_calloc(1, sizeof *t);
    struct ch_state first;
    struct ch_why why;
    const char *given = getenv("CH_TEST_SEED");
    t->c.state = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20261126);
    print_message("seed %llu\n", (unsigned long long)t->c.state);
    play(t);
    store(t);
    const uint64_t head = ch_meta(&t->w.state)->head;
    assert_true(ch_state_init(&first) && ch_state_init(&t->whole));
    for (uint64_t seq = 1; seq <= head; seq++) {
        (void)replay_one(t, &first, seq, /* indexed= */ true);
    }
    ch_state_deinit(&first);
    const struct ch_strands_options options = {
        .streams = t->streams, .reader = t->reader, .learn = learn, .arg = t};
    assert_int_equal(ch_strands_create(&options, &t->strands, &why), CH_OK);
    for (uint64_t seq = 1; seq <= head; seq++) {
        const uint16_t tag = replay_one(t, &t->whole, seq, /* indexed= */ false);
        ask_here(t, seq, tag);
        if (below(&t->c, 500) == 0) ch_strands_clear(t->strands);
    }
    print_message(
        "%llu events, %zu questions: %llu times a strand answered, %llu times it takes the "
        "whole log, %llu of these at a dissolution\n",
        (unsigned long long)head, t->asked.len / sizeof(struct asked),
        (unsigned long long)t->by_strand, (unsigned long long)t->by_whole,
        (unsigned long long)t->half);
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        if (!is_asked(type)) continue;
        print_message("%s: %llu answers of strands, %llu of them tell something; %llu times the "
                      "whole log\n",
                      ch_calls[type].args.name, (unsigned long long)t->told[type],
                      (unsigned long long)t->filled[type], (unsigned long long)t->whole_of[type]);
    }
    print_message("%llu names, %llu checks of fed content\n", (unsigned long long)t->named,
                  (unsigned long long)t->fed);
    assert_true(t->by_strand > 2 * t->by_whole && t->named > 200 && t->half > 0 && t->fed > 0);
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        if (is_asked(type) && t->filled[type] < FILLED_LEAST) {
            fail_msg("%s: too few answers that tell something", ch_calls[type].args.name);
        }
    }
    ch_strands_destroy(t->strands);
    ch_streams_close(t->streams);
    ch_reader_close(t->reader);
    ch_evlog_close(t->evlog);
    scratch_remove(&t->scratch);
    ch_state_deinit(&t->whole);
    ch_state_deinit(&t->w.state);
    ch_arena_deinit(&t->w.arena);
    ch_arena_deinit(&t->arena);
    ch_arena_deinit(&t->decoded);
    ch_buf_deinit(&t->log);
    ch_buf_deinit(&t->asked);
    ch_buf_deinit(&t->answers);
    test_free(t->actor_of);
    test_free(t->actor_kind);
    test_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strands_answer_as_the_whole_log_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
