/* test_rows: rows that only some things have: made when they are first needed, given back with what
 * they are of, gone with a rollback, the same after a dump was read back.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"
#include "daemon/core/dump.h"
#include "daemon/core/invariant.h"
#include "daemon/core/load.h"
#include "schema/base/buf.h"
#include "schema/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* Every seq of the world, by what it made. */
enum {
    ACCOUNT = 1,
    ANNA,
    BERT,
    ANNA_SHARE,
    HEAD = ANNA_SHARE,
    LATER = 5000000, /* nanoseconds; no event of these tests is so late */
};

static const uint8_t tokens[2][32] = {{1, 2, 3}, {4, 5, 6}};

/* Applies the event with the room that the daemon gives a call; returns its seq. */
static uint64_t happen_by(struct ch_state *state, uint64_t user, enum ch_event_tag tag,
                          const void *body)
{
    const uint64_t seq = ch_meta(state)->head + 1;
    struct ch_event event = {.seq = seq,
                             .at = seq * 10,
                             .tag = (uint16_t)tag,
                             .actor = {.kind = CH_actor_kind_operator},
                             .account = tag == CH_EV_user_created ? 0 : ACCOUNT,
                             .body = body};
    if (user != 0) event.actor = (struct ch_actor){.kind = CH_actor_kind_user, .id = user};
    assert_true(ch_apply_reserve(state, &event));
    assert_true(ch_state_reserve(state, 4, 0, 64));
    ch_apply(state, &event);
    const char *broken = ch_invariant_broken(state);
    if (broken != NULL) fail_msg("after seq %llu: %s", (unsigned long long)seq, broken);
    return seq;
}

static uint64_t happen(struct ch_state *state, enum ch_event_tag tag, const void *body)
{
    return happen_by(state, /* user= */ 0, tag, body);
}

static void make_world(struct ch_state *state)
{
    assert_true(ch_state_init(state));
    const struct ch_ev_account_opened account = {.name = ch_text_of("acme")};
    happen(state, CH_EV_account_opened, &account);
    struct ch_ev_user_created person = {.number = 1};
    happen(state, CH_EV_user_created, &person);
    person.number = 2;
    happen(state, CH_EV_user_created, &person);
    const struct ch_ev_share_given share = {.subject_kind = CH_subject_kind_user, .subject = ANNA};
    happen(state, CH_EV_share_given, &share);
    assert_int_equal(ch_meta(state)->head, HEAD);
}

static void collect(void *arg, const void *ptr, size_t len)
{
    ch_buf_put(arg, ptr, len);
}

static void assert_dumps(const struct ch_state *state, const struct ch_buf *as)
{
    struct ch_buf now = {0};
    ch_dump(state, collect, &now);
    assert_int_equal(now.len, as->len);
    assert_memory_equal(now.ptr, as->ptr, as->len);
    ch_buf_deinit(&now);
}

/* A dump read back is the same state, and its indexes lead to the same rows. */
static void assert_loads(const struct ch_state *state)
{
    struct ch_state again;
    struct ch_load load;
    struct ch_buf dump = {0};
    ch_dump(state, collect, &dump);
    assert_true(ch_state_init(&again));
    ch_load_begin(&load, &again, dump.len);
    assert_true(ch_load_more(&load, dump.ptr, dump.len));
    assert_true(ch_load_end(&load) && ch_load_index(&load));
    assert_null(ch_invariant_broken(&again));
    assert_dumps(&again, &dump);
    ch_state_deinit(&again);
    ch_buf_deinit(&dump);
}

/* Takes everything since `mark` back; the state must then be as it was dumped. */
static void assert_taken_back(struct ch_state *state, struct ch_mark mark, struct ch_buf *before)
{
    ch_store_rollback(&state->store, mark);
    assert_null(ch_invariant_broken(state));
    assert_dumps(state, before);
    ch_buf_deinit(before);
}

static struct ch_mark begin(struct ch_state *state, struct ch_buf *ret_before)
{
    assert_true(ch_store_journal(&state->store, true));
    *ret_before = (struct ch_buf){0};
    ch_dump(state, collect, ret_before);
    return ch_store_mark(&state->store);
}

static uint32_t live(const struct ch_state *state, uint32_t table)
{
    return ch_table_live(&state->store, table);
}

static struct ch_bytes token(int number)
{
    return (struct ch_bytes){tokens[number], sizeof tokens[number]};
}

static uint64_t invite(struct ch_state *state)
{
    const struct ch_ev_share_invited invited = {
        .user = {BERT}, .token_hash = token(0), .open_until = LATER};
    return happen(state, CH_EV_share_invited, &invited);
}

/* ---- invitations ----------------------------------------------------------------------------- */

static void only_who_was_invited_has_an_invitation(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    assert_int_equal(live(&state, CH_T_SEAT), 1);
    assert_int_equal(live(&state, CH_T_INVITATION), 0);
    const uint32_t seat = ch_find_seat(&state, ch_find_user(&state, ANNA), 1);
    assert_int_equal(ch_invitation_of(&state, seat)->status, CH_invitation_none);
    const uint64_t share = invite(&state);
    assert_int_equal(live(&state, CH_T_INVITATION), 1);
    const uint32_t row = ch_find_token(&state, tokens[0]);
    assert_int_not_equal(row, 0);
    assert_int_equal(ch_invitation_row(&state, row)->seat,
                     ch_find_seat(&state, ch_find_user(&state, BERT), 1));
    assert_loads(&state);
    const struct ch_ev_invitation_sent sent = {
        .share = {share}, .token_hash = token(1), .open_until = LATER + 1};
    happen(&state, CH_EV_invitation_sent, &sent); /* the same row, found by the new token alone */
    assert_int_equal(live(&state, CH_T_INVITATION), 1);
    assert_int_equal(ch_find_token(&state, tokens[0]), 0);
    assert_int_equal(ch_find_token(&state, tokens[1]), row);
    assert_int_equal(ch_invitation_row(&state, row)->invited_at, share * 10);
    assert_int_equal(ch_due_first(&state)->row, row);
    assert_loads(&state);
    ch_state_deinit(&state);
}

static void an_invitation_goes_with_its_seat_and_not_before(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    const struct ch_ev_invitation_declined declined = {.share = {invite(&state)}};
    happen(&state, CH_EV_invitation_declined, &declined);
    const uint32_t row = ch_find_token(&state, tokens[0]);
    assert_int_not_equal(row, 0); /* whoever comes with the token is told what became of it */
    assert_int_equal(ch_invitation_row(&state, row)->status, CH_invitation_declined);
    assert_null(ch_due_first(&state));
    assert_loads(&state);
    const struct ch_ev_account_closed closed = {.account = {ACCOUNT}, .until = LATER};
    happen(&state, CH_EV_account_closed, &closed);
    const struct ch_ev_account_dissolved dissolved = {.account = {ACCOUNT}, .parts = 64};
    happen(&state, CH_EV_account_dissolved, &dissolved);
    assert_int_equal(live(&state, CH_T_SEAT), 0);
    assert_int_equal(live(&state, CH_T_INVITATION), 0);
    assert_int_equal(ch_find_token(&state, tokens[0]), 0);
    assert_loads(&state);
    ch_state_deinit(&state);
}

static void an_invitation_is_taken_back(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_buf before;
    make_world(&state);
    struct ch_mark mark = begin(&state, &before);
    invite(&state);
    assert_taken_back(&state, mark, &before);
    assert_int_equal(live(&state, CH_T_INVITATION), 0);
    assert_int_equal(ch_find_token(&state, tokens[0]), 0);
    const uint64_t share = invite(&state);
    mark = begin(&state, &before);
    const struct ch_ev_invitation_sent sent = {
        .share = {share}, .token_hash = token(1), .open_until = LATER + 1};
    const struct ch_ev_invitation_accepted accepted = {.share = {share}, .user = {BERT}};
    happen(&state, CH_EV_invitation_sent, &sent);
    happen(&state, CH_EV_invitation_accepted, &accepted);
    assert_taken_back(&state, mark, &before);
    assert_int_not_equal(ch_find_token(&state, tokens[0]), 0);
    assert_int_equal(ch_find_token(&state, tokens[1]), 0);
    ch_state_deinit(&state);
}

/* ---- terms ----------------------------------------------------------------------------------- */

static const struct ch_row_share *share_of(const struct ch_state *state, uint64_t id)
{
    return ch_share_row(state, ch_find_share_id(state, id));
}

static void restrict_it(struct ch_state *state, struct ch_scopes denied)
{
    const struct ch_ev_share_restricted body = {.share = {ANNA_SHARE}, .denied = denied};
    happen(state, CH_EV_share_restricted, &body);
}

static void set_own(struct ch_state *state, struct ch_scopes scopes)
{
    const struct ch_ev_share_scopes_set body = {.share = {ANNA_SHARE}, .scopes = scopes};
    happen(state, CH_EV_share_scopes_set, &body);
}

static void set_end(struct ch_state *state, bool ends)
{
    const struct ch_ev_share_expiry_set body = {
        .share = {ANNA_SHARE}, .has_expires_at = ends, .expires_at = ends ? LATER : 0};
    happen(state, CH_EV_share_expiry_set, &body);
}

static void limit_it(struct ch_state *state, uint8_t kind, bool all)
{
    const struct ch_text names[2] = {ch_text_of("news"), ch_text_of("sales")};
    const struct ch_ev_share_limited body = {.share = {ANNA_SHARE},
                                             .kind = kind,
                                             .all = all,
                                             .resources = names,
                                             .resources_len = all ? 0 : 2};
    happen(state, CH_EV_share_limited, &body);
}

static const struct ch_scopes nothing = {{0, 0}};

/* Sets or takes back the n-th of what stands in the terms. */
static void set_one(struct ch_state *state, int number, bool on)
{
    const struct ch_scopes some = ch_scopes_of(CH_SCOPE_lists_read);
    switch (number) {
    case 0: restrict_it(state, on ? some : nothing); return;
    case 1: set_own(state, on ? some : nothing); return;
    case 2: set_end(state, on); return;
    case 3: limit_it(state, CH_resource_kind_template, !on); return;
    default: limit_it(state, CH_resource_kind_list, !on); return;
    }
}
enum { TERMS = 5 };

/* Every set of them, one set and taken back after another: a row is there while one of them is. */
static void a_share_has_a_row_of_terms_while_it_has_terms(void **unused)
{
    (void)unused;
    struct ch_state state;
    uint32_t set = 0;
    make_world(&state);
    assert_ptr_equal(ch_terms_of(&state, share_of(&state, ANNA_SHARE)), &ch_no_terms);
    for (uint32_t step = 1; step < 1u << TERMS; step++) { /* Gray code: each changes one */
        const int number = __builtin_ctz(step);
        set ^= 1u << number;
        set_one(&state, number, (set >> number & 1) != 0);
        assert_int_equal(live(&state, CH_T_TERMS), set != 0);
        const struct ch_row_terms *terms = ch_terms_of(&state, share_of(&state, ANNA_SHARE));
        assert_int_equal(terms->denied != 0, set & 1);
        assert_int_equal(terms->own != 0, set >> 1 & 1);
        assert_int_equal(terms->expires_at, (set >> 2 & 1) != 0 ? LATER : 0);
        assert_int_equal(terms->limited_count, 2u * ((set >> 3 & 1) + (set >> 4 & 1)));
        assert_int_equal(ch_due_first(&state) != NULL, set >> 2 & 1);
        assert_loads(&state);
    }
    for (int number = 0; number < TERMS; number++) { /* what is not set is taken back once more */
        set_one(&state, number, false);
    }
    assert_int_equal(live(&state, CH_T_TERMS), 0);
    assert_int_equal(live(&state, CH_T_LIMITED), 0);
    ch_state_deinit(&state);
}

static void terms_are_taken_back(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_buf before;
    make_world(&state);
    for (int had = 0; had < 2; had++) {
        for (int number = 0; number < TERMS; number++) {
            const struct ch_mark mark = begin(&state, &before);
            set_one(&state, number, had == 0);
            assert_int_equal(live(&state, CH_T_TERMS), 1); /* the others are still there */
            assert_taken_back(&state, mark, &before);
            assert_int_equal(live(&state, CH_T_TERMS), had);
        }
        const struct ch_mark mark = begin(&state, &before);
        const struct ch_ev_share_ended ended = {.share = {ANNA_SHARE}};
        for (int number = 0; number < TERMS; number++) {
            set_one(&state, number, true);
        }
        happen(&state, CH_EV_share_ended, &ended); /* and with all of them */
        assert_int_equal(live(&state, CH_T_TERMS), 0);
        assert_taken_back(&state, mark, &before);
        for (int number = 0; number < TERMS; number++) {
            set_one(&state, number, true);
        }
    }
    ch_state_deinit(&state);
}

static void terms_go_with_their_share(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    for (int number = 0; number < TERMS; number++) {
        set_one(&state, number, true);
    }
    const struct ch_ev_share_expired expired = {.share = {ANNA_SHARE}};
    happen(&state, CH_EV_share_expired, &expired);
    assert_int_equal(live(&state, CH_T_TERMS), 0);
    assert_int_equal(live(&state, CH_T_LIMITED), 0);
    assert_int_equal(live(&state, CH_T_SCOPES), 0);
    assert_null(ch_due_first(&state));
    const struct ch_ev_share_given again = {.subject_kind = CH_subject_kind_user, .subject = ANNA};
    const uint64_t share = happen(&state, CH_EV_share_given, &again);
    assert_ptr_equal(ch_terms_of(&state, share_of(&state, share)), &ch_no_terms);
    assert_loads(&state);
    ch_state_deinit(&state);
}

static void who_certified_a_share_is_in_its_terms(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    const struct ch_share_id shares[1] = {{ANNA_SHARE}};
    const struct ch_ev_access_certified body = {.shares = shares, .shares_len = 1};
    happen(&state, CH_EV_access_certified, &body); /* by the operator: nobody in person */
    assert_int_equal(live(&state, CH_T_TERMS), 0);
    happen_by(&state, BERT, CH_EV_access_certified, &body);
    assert_int_equal(ch_terms_of(&state, share_of(&state, ANNA_SHARE))->certified_by,
                     ch_find_user(&state, BERT));
    assert_int_equal(live(&state, CH_T_TERMS), 1);
    restrict_it(&state, nothing);
    assert_int_equal(live(&state, CH_T_TERMS), 1);
    assert_loads(&state);
    happen(&state, CH_EV_access_certified, &body);
    assert_int_equal(live(&state, CH_T_TERMS), 0);
    ch_state_deinit(&state);
}

/* Of a user's share in the seat, which outlives it; of a group's in the terms. */
static void a_share_knows_since_when_it_stands_as_it_does(void **unused)
{
    (void)unused;
    struct ch_state state;
    make_world(&state);
    const struct ch_ev_group_created team = {.name = ch_text_of("team")};
    struct ch_ev_share_given given = {.subject_kind = CH_subject_kind_group};
    given.subject = happen(&state, CH_EV_group_created, &team);
    const uint64_t shares[2] = {ANNA_SHARE, happen(&state, CH_EV_share_given, &given)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ch_status_seq(&state, share_of(&state, shares[i])), shares[i]);
        const struct ch_ev_share_deactivated off = {.share = {shares[i]}};
        const struct ch_ev_share_activated on = {.share = {shares[i]}};
        uint64_t seq = happen(&state, CH_EV_share_deactivated, &off);
        assert_int_equal(ch_status_seq(&state, share_of(&state, shares[i])), seq);
        seq = happen(&state, CH_EV_share_activated, &on);
        assert_int_equal(ch_status_seq(&state, share_of(&state, shares[i])), seq);
        assert_int_equal(live(&state, CH_T_TERMS), i);
    }
    const uint64_t invited = invite(&state);
    assert_int_equal(ch_status_seq(&state, share_of(&state, invited)), invited);
    const struct ch_ev_invitation_expired expired = {.share = {invited}};
    happen(&state, CH_EV_invitation_expired, &expired); /* it is pending, as before */
    assert_int_equal(ch_status_seq(&state, share_of(&state, invited)), invited);
    const struct ch_ev_invitation_sent sent = {
        .share = {invited}, .token_hash = token(1), .open_until = LATER};
    uint64_t seq = happen(&state, CH_EV_invitation_sent, &sent);
    assert_int_equal(ch_status_seq(&state, share_of(&state, invited)), seq);
    const struct ch_ev_invitation_accepted accepted = {.share = {invited}, .user = {BERT}};
    seq = happen(&state, CH_EV_invitation_accepted, &accepted);
    assert_int_equal(ch_status_seq(&state, share_of(&state, invited)), seq);
    assert_loads(&state);
    ch_state_deinit(&state);
}

enum { GRANTS = 4 };

static const char *const lists[GRANTS] = {"a", "b", "c", "d"};

static void grant(struct ch_state *state, int number, bool set)
{
    const struct ch_ev_grant_set given = {.share = {ANNA_SHARE},
                                          .kind = CH_resource_kind_list,
                                          .resource = ch_text_of(lists[number]),
                                          .scopes = ch_scopes_of(CH_SCOPE_lists_read)};
    const struct ch_ev_grant_revoked revoked = {.share = {ANNA_SHARE},
                                                .kind = CH_resource_kind_list,
                                                .resource = ch_text_of(lists[number])};
    if (set) happen(state, CH_EV_grant_set, &given);
    if (!set) happen(state, CH_EV_grant_revoked, &revoked);
}

static bool is_listed(const struct ch_state *state, int number)
{
    const uint32_t text = ch_text_find(state, ch_text_of(lists[number]));
    const uint32_t found = text == 0 ? 0
                                     : ch_find_grant(state, ch_find_share_id(state, ANNA_SHARE),
                                                     CH_resource_kind_list, text);
    int times = 0;
    for (uint32_t g = share_of(state, ANNA_SHARE)->first_grant; g != 0;
         g = ch_grant_row(state, g)->next) {
        if (g == found) times++;
    }
    assert_int_equal(times, found != 0);
    return found != 0;
}

/* Whichever goes first, second and so on: the list keeps the others, each once, and each is found
 * by its resource. */
static void grants_go_in_any_order(void **unused)
{
    (void)unused;
    struct ch_state state;
    struct ch_buf before;
    make_world(&state);
    for (int n = 0; n < GRANTS; n++) {
        grant(&state, n, true);
    }
    for (int order = 0; order < GRANTS * GRANTS * GRANTS; order++) {
        bool gone[GRANTS] = {false};
        const struct ch_mark mark = begin(&state, &before);
        for (int turn = 0, left = order; turn < GRANTS; turn++, left /= GRANTS) {
            int n = left % GRANTS;
            while (gone[n]) {
                n = (n + 1) % GRANTS;
            }
            grant(&state, n, false);
            gone[n] = true;
            const struct ch_row_share *share = share_of(&state, ANNA_SHARE);
            int count = 0;
            for (uint32_t g = share->first_grant; g != 0; count++) {
                assert_true(count < GRANTS);
                g = ch_grant_row(&state, g)->next;
            }
            assert_int_equal(count, GRANTS - turn - 1);
            assert_int_equal(share->grant_count, count);
            for (int other = 0; other < GRANTS; other++) {
                assert_int_equal(is_listed(&state, other), !gone[other]);
            }
        }
        assert_taken_back(&state, mark, &before);
    }
    assert_loads(&state);
    ch_state_deinit(&state);
}

/* A million of them is what the daemon is measured with. */
static void the_rows_that_there_are_most_of_are_small(void **unused)
{
    (void)unused;
    assert_int_equal(sizeof(struct ch_row_share), 88);
    assert_int_equal(sizeof(struct ch_row_terms), 128);
    assert_int_equal(sizeof(struct ch_row_seat), 40);
    assert_int_equal(sizeof(struct ch_row_invitation), 64);
    assert_int_equal(sizeof(struct ch_row_grant), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_was_invited_has_an_invitation),
        cmocka_unit_test(an_invitation_goes_with_its_seat_and_not_before),
        cmocka_unit_test(an_invitation_is_taken_back),
        cmocka_unit_test(a_share_has_a_row_of_terms_while_it_has_terms),
        cmocka_unit_test(terms_are_taken_back),
        cmocka_unit_test(terms_go_with_their_share),
        cmocka_unit_test(who_certified_a_share_is_in_its_terms),
        cmocka_unit_test(a_share_knows_since_when_it_stands_as_it_does),
        cmocka_unit_test(grants_go_in_any_order),
        cmocka_unit_test(the_rows_that_there_are_most_of_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
