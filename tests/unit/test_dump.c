/* test_dump: the dump, the invariants and the answers, over one small world.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"
#include "daemon/core/dump.h"
#include "daemon/core/invariant.h"
#include "daemon/core/load.h"
#include "daemon/core/query.h"
#include "schema/base/arena.h"
#include "schema/base/buf.h"
#include "schema/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SUB_NAME "a name that is longer than the bytes of one row of a chain"

/* Every seq of the world, by what it made. */
enum {
    ROLE = 3,
    MASTER,
    SUB,
    ANNA,
    BERT,
    ANNA_SHARE,
    BERT_SHARE,
    TEAM,
    BERT_MEMBER,
    TEAM_SHARE,
    GRANT,
    GUARDRAIL,
    LIMITED,
    HEAD = LIMITED,
    EXPIRES_AT = 5000,
};

static void happen(struct ch_state *state, enum ch_event_tag tag, uint64_t account,
                   const void *body)
{
    const uint64_t seq = ch_meta(state)->head + 1;
    struct ch_event event = {.seq = seq,
                             .at = seq * 10,
                             .tag = (uint16_t)tag,
                             .channel = CH_channel_operator,
                             .actor = {.kind = CH_actor_kind_operator},
                             .account = account,
                             .body = body};
    event.cause.kind = CH_CAUSE_COMMAND;
    ch_put_le64(event.cause.id, seq);
    if (seq == ANNA && tag == CH_EV_user_created &&
        ((const struct ch_ev_user_created *)body)->number == 1) { /* who has names */
        static const uint8_t sealed[CH_SEAL_BYTES + 8] = {7};
        event.personal =
            (struct ch_sealed){.present = true, .number = 1, .cipher = {sealed, sizeof sealed}};
    }
    assert_true(ch_apply_reserve(state, &event));
    ch_apply(state, &event);
    const char *broken = ch_invariant_broken(state);
    if (broken != NULL) fail_msg("after seq %llu: %s", (unsigned long long)seq, broken);
}

static struct ch_scopes three_scopes(void)
{
    struct ch_scopes scopes = ch_scopes_of(CH_SCOPE_lists_read);
    ch_scopes_add(&scopes, CH_SCOPE_campaigns_read);
    ch_scopes_add(&scopes, CH_SCOPE_users_read);
    return scopes;
}

static void make_people(struct ch_state *state)
{
    struct ch_ev_user_created person = {.number = 1};
    happen(state, CH_EV_user_created, 0, &person);
    person.number = 2;
    happen(state, CH_EV_user_created, 0, &person);
    struct ch_ev_share_given share = {.subject_kind = CH_subject_kind_user,
                                      .subject = ANNA,
                                      .has_role = true,
                                      .role = {ROLE},
                                      .reach = CH_reach_subtree};
    happen(state, CH_EV_share_given, MASTER, &share);
    share = (struct ch_ev_share_given){.subject_kind = CH_subject_kind_user,
                                       .subject = BERT,
                                       .has_expires_at = true,
                                       .expires_at = EXPIRES_AT};
    happen(state, CH_EV_share_given, MASTER, &share);
}

static void make_world(struct ch_state *state)
{
    assert_true(ch_state_init(state));
    const struct ch_text list = ch_text_of("list");
    const struct ch_ev_schema_declared scope = {.category = CH_declared_scope,
                                                .number = CH_SCOPE_lists_read,
                                                .token = ch_text_of("lists.read"),
                                                .parts = &list,
                                                .parts_len = 1};
    happen(state, CH_EV_schema_declared, 0, &scope);
    const struct ch_ev_limit_defined kept = {.token = ch_text_of("IDS_KEPT"), .value = 4};
    happen(state, CH_EV_limit_defined, 0, &kept);
    const struct ch_ev_role_defined role = {.name = ch_text_of("reader"), .scopes = three_scopes()};
    happen(state, CH_EV_role_defined, 0, &role);
    struct ch_ev_account_opened account = {.name = ch_text_of("acme"), .sub_depth = 1};
    happen(state, CH_EV_account_opened, MASTER, &account);
    account = (struct ch_ev_account_opened){
        .name = ch_text_of(SUB_NAME), .has_parent = true, .parent = {MASTER}};
    happen(state, CH_EV_account_opened, SUB, &account);
    make_people(state);
    const struct ch_ev_group_created team = {.name = ch_text_of("team")};
    happen(state, CH_EV_group_created, MASTER, &team);
    const struct ch_ev_group_member_added member = {.group = {TEAM}, .user = {BERT}};
    happen(state, CH_EV_group_member_added, MASTER, &member);
    const struct ch_ev_share_given share = {
        .subject_kind = CH_subject_kind_group, .subject = TEAM, .has_role = true, .role = {ROLE}};
    happen(state, CH_EV_share_given, SUB, &share);
    const struct ch_ev_grant_set grant = {.share = {BERT_SHARE},
                                          .kind = CH_resource_kind_list,
                                          .resource = ch_text_of("news"),
                                          .scopes = ch_scopes_of(CH_SCOPE_lists_read)};
    happen(state, CH_EV_grant_set, MASTER, &grant);
    const struct ch_ev_guardrail_set rail = {.denied = ch_scopes_of(CH_SCOPE_campaigns_read)};
    happen(state, CH_EV_guardrail_set, MASTER, &rail);
    const struct ch_text news = ch_text_of("news");
    const struct ch_ev_share_limited limited = {.share = {TEAM_SHARE},
                                                .kind = CH_resource_kind_list,
                                                .resources = &news,
                                                .resources_len = 1};
    happen(state, CH_EV_share_limited, SUB, &limited);
    assert_int_equal(ch_meta(state)->head, HEAD);
}

static void collect(void *arg, const void *ptr, size_t len)
{
    ch_buf_put(arg, ptr, len);
}

static struct ch_buf dump_of(const struct ch_state *state)
{
    struct ch_buf buf = {0};
    ch_dump(state, collect, &buf);
    return buf;
}

static void assert_same(struct ch_buf *a, struct ch_buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->ptr, b->ptr, a->len);
    ch_buf_deinit(a);
    ch_buf_deinit(b);
}

static void the_same_log_gives_the_same_dump(void **unused)
{
    (void)unused;
    struct ch_state one;
    struct ch_state two;
    make_world(&one);
    make_world(&two);
    struct ch_buf a = dump_of(&one);
    struct ch_buf b = dump_of(&two);
    assert_int_equal(ch_get_le32(a.ptr), CH_DUMP_VERSION);
    assert_int_equal(ch_get_le32(a.ptr + 4), 4);
    assert_memory_equal(a.ptr + 8, "meta", 4);
    assert_int_equal(ch_get_le32(a.ptr + 12), sizeof(struct ch_row_meta));
    assert_same(&a, &b);
    ch_state_deinit(&one);
    ch_state_deinit(&two);
}

static void a_dump_has_every_chunk_of_a_table(void **unused)
{
    (void)unused;
    struct ch_state state;
    assert_true(ch_state_init(&state));
    struct ch_buf before = dump_of(&state);
    enum { PEOPLE = 3 * CH_CHUNK_ROWS + 1 };
    for (uint64_t n = 1; n <= PEOPLE; n++) {
        const struct ch_ev_user_created person = {.number = n};
        happen(&state, CH_EV_user_created, 0, &person);
    }
    struct ch_buf after = dump_of(&state);
    assert_int_equal(after.len - before.len, PEOPLE * sizeof(struct ch_row_user));
    ch_buf_deinit(&before);
    ch_buf_deinit(&after);
    ch_state_deinit(&state);
}

static void the_directory_is_outside_the_dump(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    struct ch_buf before = dump_of(&state);
    const uint8_t hash[16] = {1};
    assert_true(ch_state_reserve(&state, 0, 64, 0));
    ch_directory_add(&state, ANNA,
                     (struct ch_bytes){(const uint8_t *)"\x93\xa4"
                                                        "anna\xc0\xc0",
                                       8},
                     ch_find_user(&state, ANNA), hash, NULL);
    assert_null(ch_invariant_broken(&state));
    struct ch_buf after = dump_of(&state);
    assert_same(&before, &after);
    ch_state_deinit(&state);
}

static void a_closed_account_taken_back_leaves_the_same_dump(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    struct ch_buf before = dump_of(&state);
    assert_true(ch_store_journal(&state.store, true));
    const uint32_t master = ch_find_account(&state, MASTER);
    const size_t cascade = ch_cascade_of_parts(&state, master, 64);
    assert_true(ch_state_reserve(&state, 0, 1024, 4 * cascade + 64));
    const struct ch_mark mark = ch_store_mark(&state.store);
    const struct ch_ev_account_closed sub = {.account = {SUB}, .until = EXPIRES_AT};
    const struct ch_ev_account_closed closed = {.account = {MASTER}, .until = EXPIRES_AT};
    const struct ch_ev_account_dissolved one = {.account = {SUB}, .parts = 1};
    const struct ch_ev_account_dissolved most = {.account = {MASTER}, .parts = 64};
    happen(&state, CH_EV_account_closed, SUB, &sub);
    happen(&state, CH_EV_account_closed, MASTER, &closed);
    assert_true(ch_table_live(&state.store, CH_T_SHARE) > 2);
    happen(&state, CH_EV_account_dissolved, SUB, &one);
    happen(&state, CH_EV_account_dissolved, MASTER, &most);
    assert_int_equal(ch_table_live(&state.store, CH_T_SHARE), 0);
    assert_int_equal(ch_table_live(&state.store, CH_T_GROUP), 0);
    ch_store_rollback(&state.store, mark);
    assert_null(ch_invariant_broken(&state));
    struct ch_buf after = dump_of(&state);
    assert_same(&before, &after);
    ch_state_deinit(&state);
}

/* ---- read back ---------------------------------------------------------------------------- */

/* Gives a dump to the loader in pieces; what is wrong with it, NULL: nothing. */
static const char *load_it(struct ch_bytes dump, size_t piece, struct ch_state *ret)
{
    struct ch_load load;
    assert_true(ch_state_init(ret));
    ch_load_begin(&load, ret, dump.len);
    bool good = true;
    for (size_t at = 0; good && at < dump.len; at += piece) {
        const size_t left = dump.len - at;
        good = ch_load_more(&load, dump.ptr + at, left < piece ? left : piece);
    }
    good = good && ch_load_end(&load) && ch_load_index(&load);
    assert_false(load.no_memory);
    assert_int_equal(good, load.wrong == NULL);
    return load.wrong;
}

static void assert_loads(const struct ch_state *state, size_t piece)
{
    struct ch_state again;
    struct ch_buf dump = dump_of(state);
    assert_int_equal(dump.len, ch_dump_bytes(state));
    assert_null(load_it(ch_buf_view(&dump), piece, &again));
    assert_null(ch_invariant_broken(&again));
    struct ch_buf back = dump_of(&again);
    assert_same(&dump, &back);
    ch_state_deinit(&again);
}

static void a_dump_is_read_back_in_any_pieces(void **unused)
{
    (void)unused;
    struct ch_state state;
    assert_true(ch_state_init(&state));
    assert_loads(&state, 3); /* an empty one */
    ch_state_deinit(&state);
    make_world(&state);
    for (size_t piece = 1; piece < 600; piece += 37) {
        assert_loads(&state, piece);
    }
    assert_loads(&state, SIZE_MAX);
    for (uint64_t n = 3; n <= 4 * CH_CHUNK_ROWS; n++) { /* several chunks */
        const struct ch_ev_user_created person = {.number = n};
        happen(&state, CH_EV_user_created, 0, &person);
    }
    assert_loads(&state, 1000);
    assert_loads(&state, SIZE_MAX);
    ch_state_deinit(&state);
}

static void a_dump_is_given_piece_by_piece(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    struct ch_buf whole = dump_of(&state);
    for (size_t most = 1; most < 3000; most += 331) {
        struct ch_buf pieces = {0};
        struct ch_dump_place place = {.begun = false};
        size_t before = 0;
        while (ch_dump_some(&state, &place, most, collect, &pieces)) {
            assert_true(pieces.len - before <= most + sizeof(struct ch_row_meta) + 4096);
            before = pieces.len;
        }
        assert_int_equal(pieces.len, whole.len);
        assert_memory_equal(pieces.ptr, whole.ptr, whole.len);
        ch_buf_deinit(&pieces);
    }
    ch_buf_deinit(&whole);
    ch_state_deinit(&state);
}

static void what_is_loaded_goes_on_as_the_original(void **unused)
{
    (void)unused;
    struct ch_state state, again;
    make_world(&state);
    const struct ch_ev_group_deleted gone = {.group = {TEAM}}; /* leaves free rows */
    happen(&state, CH_EV_group_deleted, MASTER, &gone);
    struct ch_buf dump = dump_of(&state);
    assert_null(load_it(ch_buf_view(&dump), 77, &again));
    struct ch_state *both[2] = {&state, &again};
    for (size_t i = 0; i < 2; i++) {
        const struct ch_ev_group_created group = {.name = ch_text_of("others")};
        const struct ch_ev_account_renamed named = {.account = {SUB},
                                                    .name = ch_text_of("renamed")};
        const struct ch_ev_grant_set grant = {.share = {BERT_SHARE},
                                              .kind = CH_resource_kind_list,
                                              .resource = ch_text_of("old"),
                                              .scopes = ch_scopes_of(CH_SCOPE_lists_read)};
        happen(both[i], CH_EV_group_created, MASTER, &group);
        happen(both[i], CH_EV_account_renamed, SUB, &named);
        happen(both[i], CH_EV_grant_set, MASTER, &grant);
    }
    struct ch_buf one = dump_of(&state);
    struct ch_buf two = dump_of(&again);
    assert_same(&one, &two);
    ch_buf_deinit(&dump);
    ch_state_deinit(&state);
    ch_state_deinit(&again);
}

/* The sanitizers look at some, the release build at all. */
#ifdef CH_SLOW_CHECKS
enum { NEXT_CUT = 3, NEXT_BIT = 3 };
#else
enum { NEXT_CUT = 1, NEXT_BIT = 1 };
#endif

static void a_dump_that_is_cut_is_refused(void **unused)
{
    (void)unused;
    struct ch_state state, again;
    make_world(&state);
    struct ch_buf dump = dump_of(&state);
    for (size_t len = 0; len < dump.len; len += NEXT_CUT) {
        assert_non_null(load_it((struct ch_bytes){dump.ptr, len}, 512, &again));
        ch_state_deinit(&again);
    }
    ch_buf_put(&dump, "", 1);
    assert_non_null(load_it(ch_buf_view(&dump), 512, &again));
    ch_state_deinit(&again);
    ch_buf_deinit(&dump);
    ch_state_deinit(&state);
}

/* What the sizes and links do not tell is the state hash's to find: then the bytes are as given. */
static void no_flipped_bit_breaks_the_loader(void **unused)
{
    (void)unused;
    struct ch_state state, again;
    uint64_t refused = 0;
    make_world(&state);
    const struct ch_ev_group_deleted gone = {.group = {TEAM}};
    happen(&state, CH_EV_group_deleted, MASTER, &gone);
    struct ch_buf dump = dump_of(&state);
    for (size_t bit = 0; bit < 8 * dump.len; bit += NEXT_BIT) {
        dump.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (load_it(ch_buf_view(&dump), SIZE_MAX, &again) != NULL) {
            refused++;
        } else {
            struct ch_buf back = dump_of(&again);
            assert_int_equal(back.len, dump.len);
            assert_memory_equal(back.ptr, dump.ptr, dump.len);
            ch_buf_deinit(&back);
        }
        ch_state_deinit(&again);
        dump.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* heads, liveness words, free rows, names, parents */
    assert_true(refused * NEXT_BIT > dump.len);
    ch_buf_deinit(&dump);
    ch_state_deinit(&state);
}

static void a_dump_of_another_version_is_refused(void **unused)
{
    (void)unused;
    struct ch_state state, again;
    make_world(&state);
    struct ch_buf dump = dump_of(&state);
    ch_put_le32(dump.ptr, CH_DUMP_VERSION + 1);
    assert_string_equal(load_it(ch_buf_view(&dump), 512, &again), "it has another version");
    ch_state_deinit(&again);
    ch_put_le32(dump.ptr, CH_DUMP_VERSION);
    memcpy(dump.ptr + 8, "metb", 4);
    assert_string_equal(load_it(ch_buf_view(&dump), 512, &again), "there is another table");
    ch_state_deinit(&again);
    memcpy(dump.ptr + 8, "meta", 4);
    ch_put_le32(dump.ptr + 12, sizeof(struct ch_row_meta) + 8);
    assert_string_equal(load_it(ch_buf_view(&dump), 512, &again), "rows of another length");
    ch_state_deinit(&again);
    ch_buf_deinit(&dump);
    ch_state_deinit(&state);
}

static void a_broken_link_breaks_an_invariant(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    struct ch_row_share *share = ch_row_edit(&state.store, CH_T_SHARE, 1);
    const uint32_t held = share->prev_of_account;
    share->prev_of_account = held + 1;
    assert_string_equal(ch_invariant_broken(&state), "an account's shares are linked both ways");
    share->prev_of_account = held;
    assert_null(ch_invariant_broken(&state));
    ch_state_deinit(&state);
}

/* Asks as the operator, or as a user where `user` is an id. */
static struct ch_query_answer ask(const struct ch_state *state, struct ch_arena *arena, int type,
                                  uint64_t user, uint64_t on, void *args)
{
    struct ch_moment moment = {.now = 1000, .channel = CH_channel_web};
    moment.actor.kind = user == 0 ? CH_actor_kind_operator : CH_actor_kind_user;
    moment.actor.id = user;
    moment.user_row = user == 0 ? 0 : ch_find_user(state, user);
    const struct ch_call call = {.type = type, .has_on = on != 0, .on = {.id = on}, .args = args};
    struct ch_query_answer answer;
    ch_query(state, &moment, &call, arena, &answer);
    assert_false(answer.no_memory);
    return answer;
}

static void a_check_is_answered_with_the_facts(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_arena arena = {0};
    make_world(&state);
    struct ch_qry_check args = {.has_user = true,
                                .user = {.id = BERT},
                                .scopes = ch_scopes_of(CH_SCOPE_lists_read),
                                .has_resource = true,
                                .resource = ch_text_of("news"),
                                .has_explain = true,
                                .explain = true};
    struct ch_query_answer answer = ask(&state, &arena, CH_QRY_check, 0, SUB, &args);
    const struct ch_qry_check_result *result = answer.result;
    assert_int_equal(result->decision, CH_decision_allowed);
    assert_int_equal(result->revision, HEAD);
    assert_int_equal(result->valid_until, EXPIRES_AT);
    assert_int_equal(answer.read_seq, LIMITED);
    assert_int_equal(result->facts_len, 3);
    assert_true(ch_text_is(result->facts[0].text, "the user is a member of group team"));
    assert_true(ch_text_is(result->facts[1].text,
                           "group team's share of account " SUB_NAME ", role reader"));
    assert_true(ch_text_is(result->facts[2].text,
                           "role reader of group team's share of account " SUB_NAME
                           " gives lists.read"));
    args.resource = ch_text_of("other");
    result = ask(&state, &arena, CH_QRY_check, BERT, SUB, &args).result;
    assert_int_equal(result->reason, CH_reason_not_granted);
    args.user.id = ANNA; /* stands here too, but Bert may not ask about others */
    answer = ask(&state, &arena, CH_QRY_check, BERT, SUB, &args);
    assert_int_equal(answer.reject.code, CH_REJ_not_allowed);
    args.scopes = (struct ch_scopes){{0, 0}};
    answer = ask(&state, &arena, CH_QRY_check, 0, SUB, &args);
    assert_int_equal(answer.reject.code, CH_REJ_wrong_resource);
    struct ch_qry_access_scopes scopes = {.user = {.id = ANNA}};
    const struct ch_qry_access_scopes_result *all =
        ask(&state, &arena, CH_QRY_access_scopes, 0, MASTER, &scopes).result;
    assert_true(ch_scopes_equal(all->scopes, three_scopes()));
    ch_arena_deinit(&arena);
    ch_state_deinit(&state);
}

static void a_list_is_read_page_by_page(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_arena arena = {0};
    make_world(&state);
    struct ch_qry_share_list args = {.has_limit = true, .limit = 1};
    const struct ch_qry_share_list_result *shares =
        ask(&state, &arena, CH_QRY_share_list, 0, MASTER, &args).result;
    assert_int_equal(shares->shares_len, 1);
    assert_int_equal(shares->shares[0].share.seq, ANNA_SHARE);
    assert_true(shares->has_next);
    assert_true(ch_text_is(shares->shares[0].subject_name, "user 6"));
    args.has_after = true;
    args.after = shares->next;
    shares = ask(&state, &arena, CH_QRY_share_list, 0, MASTER, &args).result;
    assert_int_equal(shares->shares[0].share.seq, BERT_SHARE);
    assert_false(shares->has_next);
    struct ch_qry_access_who who = {.scopes = ch_scopes_of(CH_SCOPE_users_read)};
    const struct ch_qry_access_who_result *those =
        ask(&state, &arena, CH_QRY_access_who, 0, SUB, &who).result;
    assert_int_equal(those->users_len, 2);
    who.has_limit = true;
    who.limit = 1;
    those = ask(&state, &arena, CH_QRY_access_who, 0, SUB, &who).result;
    assert_int_equal(those->users_len, 1);
    assert_true(those->has_next);
    ch_arena_deinit(&arena);
    ch_state_deinit(&state);
}

static void the_asker_sees_the_accounts_that_a_share_leads_to(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_arena arena = {0};
    make_world(&state);
    const struct ch_ev_account_opened other = {.name = ch_text_of("other")};
    happen(&state, CH_EV_account_opened, HEAD + 1, &other);
    struct ch_qry_account_list args = {0};
    const struct ch_qry_account_list_result *seen =
        ask(&state, &arena, CH_QRY_account_list, 0, 0, &args).result;
    assert_int_equal(seen->accounts_len, 3);
    seen = ask(&state, &arena, CH_QRY_account_list, ANNA, 0, &args).result;
    assert_int_equal(seen->accounts_len, 2);
    seen = ask(&state, &arena, CH_QRY_account_list, BERT, 0, &args).result;
    assert_int_equal(seen->accounts_len, 2); /* the sub-account by the group */
    args = (struct ch_qry_account_list){.has_below = true, .below = {.id = HEAD + 1}};
    struct ch_query_answer answer = ask(&state, &arena, CH_QRY_account_list, ANNA, 0, &args);
    assert_int_equal(answer.reject.code, CH_REJ_not_found);
    args.below.id = MASTER;
    seen = ask(&state, &arena, CH_QRY_account_list, BERT, 0, &args).result;
    assert_int_equal(seen->accounts_len, 1);
    assert_int_equal(seen->accounts[0].account.seq, SUB);
    struct ch_qry_group_members members = {.group = {.id = TEAM}};
    const struct ch_qry_group_members_result *in =
        ask(&state, &arena, CH_QRY_group_members, 0, MASTER, &members).result;
    assert_int_equal(in->users_len, 1);
    assert_int_equal(in->users[0].user.seq, BERT);
    struct ch_qry_share_show show = {.has_user = true, .user = {.id = BERT}};
    const struct ch_qry_share_show_result *one =
        ask(&state, &arena, CH_QRY_share_show, 0, MASTER, &show).result;
    assert_int_equal(one->grants_len, 1);
    assert_true(ch_text_is(one->grants[0].resource, "news"));
    ch_arena_deinit(&arena);
    ch_state_deinit(&state);
}

static void names_come_from_the_directory(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_arena arena = {0};
    make_world(&state);
    static const uint8_t plain[] = {0x93, 0xa4, 'a', 'n', 'n', 'a', 0xc0, 0xa1, 'A'};
    const uint8_t hash[16] = {1};
    assert_true(ch_state_reserve(&state, 0, 64, 0));
    ch_directory_add(&state, ANNA, (struct ch_bytes){plain, sizeof plain},
                     ch_find_user(&state, ANNA), hash, NULL);
    struct ch_qry_user_list list = {0};
    const struct ch_qry_user_list_result *users =
        ask(&state, &arena, CH_QRY_user_list, 0, MASTER, &list).result;
    assert_int_equal(users->users_len, 2);
    assert_true(ch_text_is(users->users[0].username, "anna"));
    assert_false(users->users[0].has_email);
    assert_true(ch_text_is(users->users[0].full_name, "A"));
    assert_false(users->users[1].has_username);
    struct ch_qry_user_show show = {.user = {.id = ANNA}};
    const struct ch_qry_user_show_result *one =
        ask(&state, &arena, CH_QRY_user_show, 0, 0, &show).result;
    assert_int_equal(one->shares_len, 1);
    assert_true(ch_text_is(one->shares[0].subject_name, "anna"));
    assert_true(ch_text_is(one->shares[0].role, "reader"));
    ch_arena_deinit(&arena);
    ch_state_deinit(&state);
}

static void groups_roles_and_imports_are_listed(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_arena arena = {0};
    make_world(&state);
    struct ch_qry_group_list group_args = {0};
    const struct ch_qry_group_list_result *groups =
        ask(&state, &arena, CH_QRY_group_list, 0, MASTER, &group_args).result;
    assert_int_equal(groups->groups_len, 1);
    assert_true(ch_text_is(groups->groups[0].name, "team"));
    struct ch_qry_role_list role_args = {0};
    const struct ch_qry_role_list_result *roles =
        ask(&state, &arena, CH_QRY_role_list, 0, 0, &role_args).result;
    assert_int_equal(roles->roles_len, 1);
    role_args = (struct ch_qry_role_list){.has_account = true, .account = {.id = MASTER}};
    struct ch_query_answer answer = ask(&state, &arena, CH_QRY_role_list, ANNA, 0, &role_args);
    assert_int_equal(answer.reject.code, CH_REJ_not_allowed);
    struct ch_qry_import_status import_args = {0};
    const struct ch_qry_import_status_result *import =
        ask(&state, &arena, CH_QRY_import_status, 0, 0, &import_args).result;
    assert_false(import->running);
    assert_false(import->has_digest);
    assert_int_equal(import->at, HEAD * 10);
    ch_arena_deinit(&arena);
    ch_state_deinit(&state);
}

static void a_closed_account_is_not_listed_to_those_above(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    const struct ch_ev_account_closed closed = {.account = {SUB}, .until = EXPIRES_AT};
    happen(&state, CH_EV_account_closed, SUB, &closed);
    struct ch_moment moment = {.now = 1000, .channel = CH_channel_web};
    moment.actor.kind = CH_actor_kind_user;
    moment.actor.id = ANNA;
    moment.user_row = ch_find_user(&state, ANNA);
    struct ch_qry_share_list args = {0};
    const struct ch_call call = {
        .type = CH_QRY_share_list, .has_on = true, .on = {.id = SUB}, .args = &args};
    uint64_t read_seq = 0;
    struct ch_reject reject = {.code = CH_REJ_none};
    assert_false(ch_admit(&state, &moment, &call, &read_seq, &reject));
    assert_int_equal(reject.code, CH_REJ_account_closed);
    ch_state_deinit(&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_log_gives_the_same_dump),
        cmocka_unit_test(a_dump_has_every_chunk_of_a_table),
        cmocka_unit_test(the_directory_is_outside_the_dump),
        cmocka_unit_test(a_closed_account_taken_back_leaves_the_same_dump),
        cmocka_unit_test(a_dump_is_read_back_in_any_pieces),
        cmocka_unit_test(a_dump_is_given_piece_by_piece),
        cmocka_unit_test(what_is_loaded_goes_on_as_the_original),
        cmocka_unit_test(a_dump_that_is_cut_is_refused),
        cmocka_unit_test(no_flipped_bit_breaks_the_loader),
        cmocka_unit_test(a_dump_of_another_version_is_refused),
        cmocka_unit_test(a_broken_link_breaks_an_invariant),
        cmocka_unit_test(a_check_is_answered_with_the_facts),
        cmocka_unit_test(a_list_is_read_page_by_page),
        cmocka_unit_test(the_asker_sees_the_accounts_that_a_share_leads_to),
        cmocka_unit_test(names_come_from_the_directory),
        cmocka_unit_test(groups_roles_and_imports_are_listed),
        cmocka_unit_test(a_closed_account_is_not_listed_to_those_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
