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
static uint64_t happen(struct ch_state *state, enum ch_event_tag tag, const void *body)
{
    const uint64_t seq = ch_meta(state)->head + 1;
    struct ch_event event = {.seq = seq,
                             .at = seq * 10,
                             .tag = (uint16_t)tag,
                             .actor = {.kind = CH_actor_kind_operator},
                             .account = tag == CH_EV_user_created ? 0 : ACCOUNT,
                             .body = body};
    assert_true(ch_apply_reserve(state, &event));
    assert_true(ch_state_reserve(state, 4, 0, 64));
    ch_apply(state, &event);
    const char *broken = ch_invariant_broken(state);
    if (broken != NULL) fail_msg("after seq %llu: %s", (unsigned long long)seq, broken);
    return seq;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_was_invited_has_an_invitation),
        cmocka_unit_test(an_invitation_goes_with_its_seat_and_not_before),
        cmocka_unit_test(an_invitation_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
