/* difference: see difference.h. SPDX-License-Identifier: MIT */
#include "daemon/core/difference.h"

#include <stdlib.h>

#include "daemon/core/query_impl.h"

/* What the asker may see on an account. */
struct sight {
    bool led;
    bool explains;
    bool bills;
};

struct ch_made_thing {
    uint64_t id;
    struct ch_text name; /* of an account its path */
    struct sight sight;  /* of an account */
    uint64_t above;      /* of an account: the nearest one above it that is there before; 0: none */
};

/* Somebody who gains, once or more often. */
struct gainer {
    uint64_t is_key;
    uint64_t id;
    uint64_t account; /* where they were met first */
    uint64_t gained;
};

struct telling {
    struct ch_asking q;
    struct ch_query_answer answer;
    struct ch_difference *d;
    struct ch_page page;
    uint64_t place; /* in the whole list: flips, moves, gainers */
    uint32_t shown;
    struct ch_qry_whatif_result *ret;
    struct ch_rec_flip_row *flips;
    struct ch_rec_credit_move_row *moves;
    struct ch_rec_widened_row *people;
    uint64_t account; /* the one looked at last, its row, and what is seen of it */
    uint32_t row;
    struct sight sight;
};

static struct ch_asking asking_of(const struct ch_state *state, const struct ch_moment *moment,
                                  struct ch_arena *arena, struct ch_query_answer *answer)
{
    return (struct ch_asking){.state = state, .moment = moment, .arena = arena, .ret = answer};
}

static uint64_t count_of(struct ch_scopes scopes)
{
    uint64_t count = 0;
    for (uint32_t word = 0; word < 2; word++) {
        for (uint64_t bits = scopes.words[word]; bits != 0; bits &= bits - 1) {
            count++;
        }
    }
    return count;
}

static struct sight sight_of(struct ch_asking *q, uint32_t account)
{
    struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_access_explain);
    if (!ch_is_bound(q->moment)) return (struct sight){true, true, true};
    ch_scopes_add(&wanted, CH_SCOPE_billing_read);
    const struct ch_answer answer = ch_ask_actor(q, account, wanted);
    return (struct sight){.led = answer.led,
                          .explains = ch_scopes_has(answer.given, CH_SCOPE_access_explain),
                          .bills = ch_scopes_has(answer.given, CH_SCOPE_billing_read)};
}

/* The whole path only to whom the root is no news. */
static struct ch_text path_of(struct ch_asking *q, uint32_t account)
{
    return ch_actor_is_led(q, ch_root_of(q->state, account))
               ? ch_path_of(q, account)
               : ch_copy_text(q, ch_account_row(q->state, account)->name);
}

/* ---- what the commands make ------------------------------------------------------------------ */

static int by_id(const void *one, const void *two)
{
    const struct ch_made_thing *a = one, *b = two;
    return a->id < b->id ? -1 : a->id > b->id;
}

static const struct ch_made_thing *find_made(const struct ch_difference *d, uint64_t id)
{
    const struct ch_made_thing wanted = {.id = id};
    return bsearch(&wanted, d->made, d->made_count, sizeof wanted, by_id);
}

static void add_made(struct ch_difference *d, uint64_t id)
{
    if (id > d->head) d->made[d->made_count++] = (struct ch_made_thing){.id = id};
}

static void name_made(struct ch_asking *q, const struct ch_difference *d,
                      struct ch_made_thing *thing)
{
    const uint32_t account = ch_find_account(q->state, thing->id);
    const uint32_t user = ch_find_user(q->state, thing->id);
    const uint32_t key = ch_find_key(q->state, thing->id);
    if (account != 0) {
        thing->name = path_of(q, account);
        thing->sight = sight_of(q, account);
        for (uint32_t a = account; a != 0 && thing->above == 0;
             a = ch_account_row(q->state, a)->parent) {
            const uint64_t id = ch_account_row(q->state, a)->id;
            if (id <= d->head) thing->above = id;
        }
    } else if (user != 0) {
        thing->name = ch_user_name(q, user);
    } else if (key != 0) {
        thing->name = ch_copy_text(q, ch_key_row(q->state, key)->name);
    }
}

void ch_difference_note(struct ch_difference *d, const struct ch_state *after,
                        const struct ch_moment *moment)
{
    struct ch_query_answer answer = {0};
    struct ch_asking q = asking_of(after, moment, d->arena, &answer);
    d->made = ch_take(&q, 2 * d->flips->flip_count + d->flips->move_count, sizeof *d->made);
    d->no_memory = d->made == NULL;
    if (d->no_memory) return;
    for (size_t i = 0; i < d->flips->flip_count; i++) {
        const struct ch_flip *flip = &d->flips->flip[i];
        add_made(d, flip->account);
        add_made(d, flip->user != 0 ? flip->user : flip->key);
    }
    for (size_t i = 0; i < d->flips->move_count; i++) {
        add_made(d, d->flips->move[i].account);
    }
    size_t kept = 0;
    if (d->made_count > 1) qsort(d->made, d->made_count, sizeof *d->made, by_id);
    for (size_t i = 0; i < d->made_count; i++) {
        if (kept > 0 && d->made[kept - 1].id == d->made[i].id) continue;
        d->made[kept] = d->made[i];
        name_made(&q, d, &d->made[kept++]);
    }
    d->made_count = kept;
    d->no_memory = answer.no_memory;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* Looks at an account; q.on is it, or, where the commands make it, the nearest above. */
static void look_at(struct telling *t, uint64_t account)
{
    if (t->account == account) return;
    const struct ch_made_thing *made = find_made(t->d, account);
    t->account = account;
    t->row = made == NULL ? ch_find_account(t->q.state, account) : 0;
    t->sight = made == NULL ? sight_of(&t->q, t->row) : made->sight;
    t->q.on = made == NULL ? t->row : ch_find_account(t->q.state, made->above);
}

static struct ch_text account_name(struct telling *t)
{
    return t->row != 0 ? path_of(&t->q, t->row) : find_made(t->d, t->account)->name;
}

/* Whom a row is about, by name; an id only for who is there before. */
static struct ch_text subject_name(struct telling *t, bool is_key, uint64_t id)
{
    const struct ch_made_thing *made = find_made(t->d, id);
    if (made != NULL) return made->name;
    if (!is_key) return ch_user_name(&t->q, ch_find_user(t->q.state, id));
    return ch_copy_text(&t->q, ch_key_row(t->q.state, ch_find_key(t->q.state, id))->name);
}

/* Whether the next thing of the list stands on the page. */
static bool is_shown(struct telling *t)
{
    const uint64_t place = t->place++;
    if (place < t->page.after) return false;
    if (t->shown == t->page.limit) {
        t->ret->has_next = true;
        return false;
    }
    t->shown++;
    t->ret->next = place + 1;
    return true;
}

static void tell_flip(struct telling *t, const struct ch_flip *flip)
{
    const bool is_key = flip->key != 0;
    const uint64_t id = is_key ? flip->key : flip->user;
    if (!is_shown(t)) return;
    t->flips[t->ret->flips_len++] =
        (struct ch_rec_flip_row){.has_user = !is_key && id <= t->d->head,
                                 .user.seq = flip->user,
                                 .has_key = is_key && id <= t->d->head,
                                 .key.seq = flip->key,
                                 .subject = subject_name(t, is_key, id),
                                 .has_account = t->row != 0,
                                 .account.seq = flip->account,
                                 .path = account_name(t),
                                 .has_kind = flip->kind != 0,
                                 .kind = flip->kind,
                                 .has_resource = flip->kind != 0,
                                 .resource = flip->resource,
                                 .has_gained = !ch_scopes_empty(flip->gained),
                                 .gained = flip->gained,
                                 .has_lost = !ch_scopes_empty(flip->lost),
                                 .lost = flip->lost,
                                 .has_same = !ch_scopes_empty(flip->same),
                                 .same = flip->same};
}

static void tell_flips(struct telling *t, struct gainer *gainers, size_t *ret_count)
{
    const struct ch_moment *moment = t->q.moment;
    for (size_t i = 0; i < t->d->flips->flip_count; i++) {
        const struct ch_flip *flip = &t->d->flips->flip[i];
        const uint64_t gained = count_of(flip->gained);
        const uint64_t lost = count_of(flip->lost);
        look_at(t, flip->account);
        const bool self =
            moment->actor.kind == CH_actor_kind_user && moment->actor.id == flip->user;
        if (!t->sight.led) continue;
        if (!t->sight.explains && !self) {
            t->ret->hidden += gained + lost;
            continue;
        }
        t->ret->gained += gained;
        t->ret->lost += lost;
        if (gained > 0) {
            gainers[(*ret_count)++] = (struct gainer){.is_key = flip->key != 0,
                                                      .id = flip->key != 0 ? flip->key : flip->user,
                                                      .account = flip->account,
                                                      .gained = gained};
        }
        tell_flip(t, flip);
    }
}

static void tell_moves(struct telling *t)
{
    for (size_t i = 0; i < t->d->flips->move_count; i++) {
        const struct ch_ledger_move *move = &t->d->flips->move[i];
        const struct ch_ledger_side *had = &move->had, *has = &move->has;
        look_at(t, move->account);
        if (!t->sight.led) continue;
        if (!t->sight.bills) {
            t->ret->hidden++;
            continue;
        }
        t->ret->moved++;
        if (!is_shown(t)) continue;
        t->moves[t->ret->credits_len++] =
            (struct ch_rec_credit_move_row){.has_account = t->row != 0,
                                            .account.seq = move->account,
                                            .path = account_name(t),
                                            .pool = move->pool,
                                            .has_before_type = had->there && !move->pool,
                                            .before_type = had->type,
                                            .has_before_total = had->there,
                                            .before_total = had->total,
                                            .has_before_used = had->there,
                                            .before_used = had->used,
                                            .has_before_reserved = had->there,
                                            .before_reserved = had->reserved,
                                            .has_before_remain = had->there,
                                            .before_remain = had->remain,
                                            .has_after_type = has->there && !move->pool,
                                            .after_type = has->type,
                                            .has_after_total = has->there,
                                            .after_total = has->total,
                                            .has_after_used = has->there,
                                            .after_used = has->used,
                                            .has_after_reserved = has->there,
                                            .after_reserved = has->reserved,
                                            .has_after_remain = has->there,
                                            .after_remain = has->remain};
    }
}

static int by_gainer(const void *one, const void *two)
{
    const struct gainer *a = one, *b = two;
    if (a->is_key != b->is_key) return a->is_key < b->is_key ? -1 : 1;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    return a->account < b->account ? -1 : a->account > b->account;
}

static void tell_gainers(struct telling *t, struct gainer *gainers, size_t count)
{
    if (count > 1) qsort(gainers, count, sizeof *gainers, by_gainer);
    for (size_t i = 0; i < count;) {
        const struct gainer *first = &gainers[i];
        uint64_t gained = 0;
        for (; i < count && gainers[i].id == first->id; i++) {
            gained += gainers[i].gained;
        }
        t->ret->widened++;
        if (!is_shown(t)) continue;
        look_at(t, first->account);
        t->people[t->ret->people_len++] =
            (struct ch_rec_widened_row){.has_user = first->is_key == 0 && first->id <= t->d->head,
                                        .user.seq = first->id,
                                        .has_key = first->is_key != 0 && first->id <= t->d->head,
                                        .key.seq = first->id,
                                        .subject = subject_name(t, first->is_key != 0, first->id),
                                        .gained = gained};
    }
}

const struct ch_qry_whatif_result *ch_difference_tell(struct ch_difference *d,
                                                      const struct ch_state *before,
                                                      const struct ch_moment *moment,
                                                      const struct ch_qry_whatif *args)
{
    struct telling t = {
        .d = d, .page = ch_page_of(args->has_after, args->after, args->has_limit, args->limit)};
    t.q = asking_of(before, moment, d->arena, &t.answer);
    t.ret = ch_take(&t.q, 1, sizeof *t.ret);
    t.flips = ch_take(&t.q, t.page.limit, sizeof *t.flips);
    t.moves = ch_take(&t.q, t.page.limit, sizeof *t.moves);
    t.people = ch_take(&t.q, t.page.limit, sizeof *t.people);
    struct gainer *gainers = ch_take(&t.q, d->flips->flip_count, sizeof *gainers);
    size_t count = 0;
    if (t.answer.no_memory || d->no_memory) return NULL;
    tell_flips(&t, gainers, &count);
    tell_moves(&t);
    tell_gainers(&t, gainers, count);
    t.ret->flips = t.flips;
    t.ret->credits = t.moves;
    t.ret->people = t.people;
    t.ret->uncompared = d->flips->uncompared;
    t.ret->revision = d->revision;
    return t.answer.no_memory ? NULL : t.ret;
}
