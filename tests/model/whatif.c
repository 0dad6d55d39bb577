/* whatif: see whatif.h. SPDX-License-Identifier: MIT */
#include "tests/model/whatif.h"

#include <stdio.h>

#include "daemon/core/flips.h"
#include "daemon/core/ledger.h"
#include "schema/base/arena.h"

/* ---- everything, asked one by one ------------------------------------------------------------ */

static void add_subject(struct m_list *list, uint64_t user, uint64_t key)
{
    for (size_t i = 0; i < list->subject_count; i++) {
        if (list->subjects[i].user == user && list->subjects[i].key == key) return;
    }
    M_CHECK(list->subject_count < M_SUBJECTS);
    list->subjects[list->subject_count].user = user;
    list->subjects[list->subject_count++].key = key;
}

void m_list_about(struct m_list *list, const struct o_world *before, const struct o_world *after)
{
    list->subject_count = list->account_count = 0;
    for (size_t u = 0; u < after->user_count; u++) {
        add_subject(list, after->users[u].id, 0);
    }
    for (size_t k = 0; k < O_KEYS; k++) {
        if (before->keys[k].id != 0) add_subject(list, 0, before->keys[k].id);
        if (after->keys[k].id != 0) add_subject(list, 0, after->keys[k].id);
    }
    for (size_t a = 0; a < after->account_count; a++) {
        list->accounts[list->account_count++] = after->accounts[a].id;
    }
}

static struct ch_scopes right_of(const struct ch_state *state, const struct m_list *list,
                                 size_t subject, size_t account, uint32_t form)
{
    const struct o_question q = {.user = list->subjects[subject].user,
                                 .key = list->subjects[subject].key,
                                 .account = list->accounts[account],
                                 .wanted = {{UINT64_MAX, UINT64_MAX}},
                                 .has_resource = form > 0,
                                 .resource = form > 0 ? (uint8_t)(form - 1) : 0,
                                 .channel = CH_channel_web,
                                 .now = list->now};
    struct ch_answer answer = {0};
    const bool there = ch_find_account(state, q.account) != 0 &&
                       (q.user != 0 ? ch_find_user(state, q.user) : ch_find_key(state, q.key)) != 0;
    if (there) m_ask(state, &q, &answer);
    return answer.given;
}

void m_everything_take(struct m_everything *all, const struct ch_state *state,
                       const struct m_list *list)
{
    memset(all, 0, sizeof *all);
    for (size_t a = 0; a < list->account_count; a++) {
        for (size_t s = 0; s < list->subject_count; s++) {
            for (uint32_t form = 0; form < M_RIGHTS; form++) {
                all->rights[s][a][form] = right_of(state, list, s, a, form);
            }
            const struct ch_scopes *rights = all->rights[s][a];
            if (!ch_scopes_equal(rights[0], rights[M_RIGHTS - 1])) {
                m_fail("a resource that nothing names is answered otherwise than all");
            }
        }
        const uint32_t row = ch_find_account(state, list->accounts[a]);
        const uint32_t plan = row == 0 ? 0 : ch_find_plan(state, row);
        const uint32_t allocation = row == 0 ? 0 : ch_find_allocation(state, row);
        uint64_t *figures = all->ledgers[a].figures;
        all->ledgers[a].plan = plan != 0;
        all->ledgers[a].allocation = allocation != 0;
        if (plan != 0) {
            const struct ch_row_plan *p = ch_plan_row(state, plan);
            figures[0] = p->total;
            figures[1] = p->used;
            figures[2] = p->reserved;
            figures[3] = p->remain;
        }
        if (allocation == 0) continue;
        const struct ch_row_allocation *h = ch_allocation_row(state, allocation);
        figures[4] = h->total;
        figures[5] = h->used;
        figures[6] = h->reserved;
        figures[7] = h->remain;
        figures[8] = h->type;
    }
}

/* ---- what core says -------------------------------------------------------------------------- */

struct running {
    struct m_live *live;
    const struct m_list *list;
    uint32_t times;
    uint32_t told;
};

static bool run_list(void *arg)
{
    struct running *r = arg;
    m_live_cut(r->live, m_live_head(r->live));
    r->times++;
    for (size_t i = 0; i < r->list->count; i++) {
        struct o_outcome outcome;
        m_live_command(r->live, &r->list->commands[i], /* log_refusal= */ false, &outcome);
    }
    return true;
}

static void count_told(void *arg, const struct ch_flips *found)
{
    struct running *r = arg;
    (void)found;
    r->told++;
}

static struct ch_scopes of_kind(struct ch_scopes scopes, uint8_t kind)
{
    struct ch_scopes some = {{0, 0}};
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_has(scopes, scope) && ch_scopes_table[scope].resource_kind == kind) {
            ch_scopes_add(&some, scope);
        }
    }
    return some;
}

struct line {
    struct ch_scopes gained, lost, same;
};

/* The line that there should be of a subject, an account and a form; of form 0 for all kinds. */
static struct line line_of(const struct m_everything *before, const struct m_everything *after,
                           size_t s, size_t a, uint32_t form, uint8_t kind)
{
    const struct ch_scopes had = before->rights[s][a][form], has = after->rights[s][a][form];
    const struct ch_scopes had_all = before->rights[s][a][0], has_all = after->rights[s][a][0];
    struct line line = {{{0, 0}}, {{0, 0}}, {{0, 0}}};
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const bool was = ch_scopes_has(had, scope), is = ch_scopes_has(has, scope);
        const bool was_all = ch_scopes_has(had_all, scope), is_all = ch_scopes_has(has_all, scope);
        const bool told = form > 0 && was == was_all && is == is_all;
        if (told) continue;
        if (!was && is && (form == 0 || was_all == is_all)) ch_scopes_add(&line.gained, scope);
        if (was && !is && (form == 0 || was_all == is_all)) ch_scopes_add(&line.lost, scope);
        if (was == is && was_all != is_all) ch_scopes_add(&line.same, scope);
        if (form > 0 && was != is && was_all != is_all)
            m_fail("scope %u: all flip %d %d, one resource %d %d", scope, was_all, is_all, was, is);
    }
    if (form == 0) return line;
    return (struct line){of_kind(line.gained, kind), of_kind(line.lost, kind),
                         of_kind(line.same, kind)};
}

static bool is_empty(struct line line)
{
    return ch_scopes_empty(line.gained) && ch_scopes_empty(line.lost) && ch_scopes_empty(line.same);
}

static _Noreturn void tell_flip(const char *what, uint64_t user, uint64_t key, uint64_t account,
                                uint32_t form, uint8_t kind)
{
    m_fail("%s: user %llu, key %llu on %llu, resource %d of kind %u", what,
           (unsigned long long)user, (unsigned long long)key, (unsigned long long)account,
           (int)form - 1, kind);
}

/* Whether core's lines hold this one: at most once, and as it should be. */
static bool holds(const struct ch_flips *flips, const struct m_list *list, size_t s, size_t a,
                  uint32_t form, uint8_t kind, struct line line)
{
    const struct ch_text resource =
        form == 0 ? (struct ch_text){0} : ch_text_of(o_resources[form - 1]);
    bool found = false;
    for (size_t i = 0; i < flips->flip_count; i++) {
        const struct ch_flip *flip = &flips->flip[i];
        if (flip->account != list->accounts[a] || flip->user != list->subjects[s].user ||
            flip->key != list->subjects[s].key || flip->kind != kind ||
            !ch_text_equal(flip->resource, resource)) {
            continue;
        }
        if (found) tell_flip("told twice", flip->user, flip->key, flip->account, form, kind);
        found = true;
        if (ch_scopes_equal(flip->gained, line.gained) && ch_scopes_equal(flip->lost, line.lost) &&
            ch_scopes_equal(flip->same, line.same)) {
            continue;
        }
        tell_flip("told otherwise", flip->user, flip->key, flip->account, form, kind);
    }
    return found;
}

static void compare_flips(const struct ch_flips *flips, const struct m_list *list,
                          const struct m_everything *before, const struct m_everything *after)
{
    size_t told = 0;
    for (size_t a = 0; a < list->account_count; a++) {
        for (size_t s = 0; s < list->subject_count; s++) {
            for (uint32_t form = 0; form <= O_RESOURCES; form++) {
                const uint8_t end = form == 0 ? 1 : O_KINDS;
                for (uint8_t kind = form == 0 ? 0 : 1; kind < end; kind++) {
                    const struct line line = line_of(before, after, s, a, form, kind);
                    if (is_empty(line)) continue;
                    const bool found = holds(flips, list, s, a, form, kind, line);
                    told += found;
                    if (found || flips->uncompared > 0) continue;
                    tell_flip("not told", list->subjects[s].user, list->subjects[s].key,
                              list->accounts[a], form, kind);
                }
            }
        }
    }
    if (told == flips->flip_count) return;
    m_fail("%zu lines are told, of which %zu flip", flips->flip_count, told);
}

static void compare_side(const struct ch_ledger_side *side, bool there, const uint64_t figures[4],
                         uint64_t type, uint64_t account)
{
    const bool same = side->there == there && side->total == figures[0] &&
                      side->used == figures[1] && side->reserved == figures[2] &&
                      side->remain == figures[3] && side->type == type;
    if (!same) m_fail("the credits of %llu are told otherwise", (unsigned long long)account);
}

static void compare_moves(const struct ch_flips *flips, const struct m_list *list,
                          const struct m_everything *before, const struct m_everything *after)
{
    size_t told = 0;
    for (size_t a = 0; a < list->account_count; a++) {
        for (uint32_t pool = 0; pool < 2; pool++) {
            const bool had = pool ? before->ledgers[a].plan : before->ledgers[a].allocation;
            const bool has = pool ? after->ledgers[a].plan : after->ledgers[a].allocation;
            const uint64_t *was = &before->ledgers[a].figures[pool ? 0 : 4];
            const uint64_t *is = &after->ledgers[a].figures[pool ? 0 : 4];
            if (had == has && memcmp(was, is, (pool ? 4 : 5) * sizeof *was) == 0) continue;
            bool found = false;
            for (size_t i = 0; i < flips->move_count; i++) {
                const struct ch_ledger_move *move = &flips->move[i];
                if (move->account != list->accounts[a] || move->pool != (pool != 0)) continue;
                found = true;
                told++;
                compare_side(&move->had, had, was, pool ? 0 : was[4], move->account);
                compare_side(&move->has, has, is, pool ? 0 : is[4], move->account);
            }
            if (!found) {
                m_fail("the credits of %llu move untold", (unsigned long long)list->accounts[a]);
            }
        }
    }
    if (told != flips->move_count) m_fail("credits are told to move that do not");
}

size_t m_what_if(struct m_live *live, const struct m_list *list, const struct m_everything *before,
                 const struct m_everything *after, size_t most)
{
    struct ch_arena arena = {0};
    struct running running = {.live = live, .list = list};
    const struct ch_flips_way way = {.now = list->now,
                                     .most = most,
                                     .arena = &arena,
                                     .run = run_list,
                                     .there = count_told,
                                     .arg = &running};
    struct ch_flips flips;
    M_CHECK(ch_flips_find(&live->state, &way, &flips));
    M_CHECK(running.times == 2 && running.told == 1);
    m_live_cut(live, m_live_head(live));
    compare_flips(&flips, list, before, after);
    compare_moves(&flips, list, before, after);
    const size_t lines = flips.flip_count + flips.move_count;
    ch_flips_deinit(&flips);
    ch_arena_deinit(&arena);
    return lines;
}
