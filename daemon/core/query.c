/* query: see query.h. Dispatch, and what all answers are made of. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"

#include "schema/limits.h"

void ch_saw(struct ch_asking *q, uint64_t seq)
{
    if (seq > q->ret->read_seq) q->ret->read_seq = seq;
}

void ch_saw_account(struct ch_asking *q, uint32_t account)
{
    for (uint32_t a = account; a != 0; a = ch_account_row(q->state, a)->parent) {
        ch_saw(q, ch_account_row(q->state, a)->changed);
        ch_saw(q, ch_account_row(q->state, a)->last_seq);
    }
}

bool ch_refuse(struct ch_asking *q, enum ch_rejection_code code, const char *field)
{
    q->ret->reject = (struct ch_reject){.code = code, .field = field};
    q->ret->result = NULL;
    return false;
}

bool ch_refuse_scopes(struct ch_asking *q, enum ch_rejection_code code, const char *field,
                      struct ch_scopes scopes)
{
    (void)ch_refuse(q, code, field);
    q->ret->reject.scopes = scopes;
    return false;
}

bool ch_refuse_limit(struct ch_asking *q, const char *limit, const char *field)
{
    (void)ch_refuse(q, CH_REJ_limit_reached, field);
    q->ret->reject.limit = limit;
    return false;
}

void *ch_take(struct ch_asking *q, size_t count, size_t bytes)
{
    void *taken = ch_arena_take(q->arena, count == 0 ? bytes : count * bytes);
    if (taken == NULL) q->ret->no_memory = true;
    return taken;
}

struct ch_text ch_copy_text(struct ch_asking *q, uint32_t text)
{
    const size_t len = ch_chain_len(q->state, CH_T_TEXT, text);
    char *chars = ch_take(q, len + 1, 1);
    if (chars == NULL) return (struct ch_text){"", 0};
    const size_t got = ch_chain_get(q->state, CH_T_TEXT, text, chars, len);
    return (struct ch_text){chars, got};
}

struct ch_rec_account_row ch_account_record(struct ch_asking *q, uint32_t account)
{
    const struct ch_row_account *row = ch_account_row(q->state, account);
    ch_saw(q, row->changed);
    ch_saw(q, row->last_seq);
    struct ch_rec_account_row record = {.name = ch_copy_text(q, row->name),
                                        .status = (uint8_t)row->status,
                                        .suspended = ch_is_suspended(q->state, account),
                                        .sub_depth = ch_levels_below(q->state, account),
                                        .sub_accounts = row->open_children,
                                        .guardrail = ch_scopes_at(q->state, row->guardrail),
                                        .changed = row->set_seq};
    record.account.seq = row->id;
    record.has_parent = row->parent != 0;
    if (row->parent != 0) record.parent.seq = ch_account_row(q->state, row->parent)->id;
    return record;
}

void ch_opened_texts(struct ch_asking *q, uint64_t seq, struct ch_text *ret, uint32_t count)
{
    if (!ch_opened_read(q->state, seq, q->arena, ret, count)) q->ret->no_memory = true;
}

/* Whether a person or a key asks; what the activity log tells asks nobody in particular. */
static bool is_asked_by_bound(const struct ch_asking *q)
{
    return q->moment != NULL && ch_is_bound(q->moment);
}

bool ch_is_veiled(struct ch_asking *q, uint32_t user)
{
    if (!is_asked_by_bound(q) || user == q->moment->user_row) return false;
    if (ch_user_row(q->state, user)->status == CH_user_status_invited) return false;
    bool waits = false;
    for (uint32_t a = q->on; a != 0; a = ch_account_row(q->state, a)->parent) {
        const uint32_t seat = ch_find_seat(q->state, user, a);
        const uint32_t share = ch_find_share(q->state, CH_subject_kind_user, user, a);
        if (seat != 0 && ch_seat_row(q->state, seat)->first_at != 0) return false;
        if (share == 0) continue;
        if (ch_share_row(q->state, share)->status != CH_share_status_pending) return false;
        waits = true;
    }
    return waits;
}

/* Shares of the user, to a person only those in the tree asked about. */
static uint64_t shares_of(const struct ch_asking *q, uint32_t user)
{
    const struct ch_row_user *row = ch_user_row(q->state, user);
    if (!is_asked_by_bound(q) || q->on == 0) return row->share_count;
    const uint32_t root = ch_root_of(q->state, q->on);
    uint64_t count = 0;
    for (uint32_t s = row->first_share; s != 0; s = ch_share_row(q->state, s)->next_of_subject) {
        count += ch_root_of(q->state, ch_share_row(q->state, s)->account) == root;
    }
    return count;
}

struct ch_rec_user_row ch_user_record(struct ch_asking *q, uint32_t user)
{
    const struct ch_row_user *row = ch_user_row(q->state, user);
    ch_saw(q, row->changed);
    struct ch_rec_user_row record = {.status = (uint8_t)row->status,
                                     .shares = shares_of(q, user),
                                     .has_password = row->password_seq != 0};
    record.user.seq = row->id;
    struct ch_text texts[3];
    ch_opened_texts(q, row->profile_seq, texts, 3);
    record.has_username = texts[0].len > 0;
    record.username = texts[0];
    record.has_email = texts[1].len > 0;
    record.email = texts[1];
    record.has_full_name = texts[2].len > 0;
    record.full_name = texts[2];
    if (ch_is_veiled(q, user)) {
        record.has_username = record.has_full_name = record.has_password = false;
        record.username = record.full_name = (struct ch_text){"", 0};
    }
    return record;
}

/* "user 415" by id, for one without a name; "erased user #7" by number, as facts tell it. */
static struct ch_text unnamed_user(struct ch_asking *q, uint64_t id)
{
    const struct ch_row_user *row = ch_user_row(q->state, ch_find_user(q->state, id));
    const bool erased = row->status == CH_user_status_erased;
    const struct ch_text word = ch_text_of(erased ? "erased user #" : "user ");
    uint64_t number = erased ? row->number : id;
    char digits[20];
    size_t len = 0;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    char *chars = ch_take(q, word.len + len, 1);
    if (chars == NULL) return (struct ch_text){"", 0};
    memcpy(chars, word.ptr, word.len);
    memcpy(chars + word.len, digits + sizeof digits - len, len);
    return (struct ch_text){chars, word.len + len};
}

static struct ch_text name_in(struct ch_asking *q, const struct ch_rec_user_row *user)
{
    if (user->has_username) return user->username;
    return user->has_email ? user->email : unnamed_user(q, user->user.seq);
}

struct ch_text ch_user_name(struct ch_asking *q, uint32_t user)
{
    const struct ch_rec_user_row record = ch_user_record(q, user);
    return name_in(q, &record);
}

struct ch_rec_share_row ch_share_record(struct ch_asking *q, uint32_t share)
{
    const struct ch_row_share *row = ch_share_row(q->state, share);
    ch_saw(q, row->changed);
    const struct ch_row_account *account = ch_account_row(q->state, row->account);
    const struct ch_row_terms *terms = ch_terms_of(q->state, row);
    struct ch_rec_share_row record = {.account_name = ch_copy_text(q, account->name),
                                      .subject_kind = row->subject_kind,
                                      .reach = row->reach,
                                      .kind = row->kind,
                                      .status = row->status,
                                      .has_expires_at = terms->expires_at != 0,
                                      .expires_at = terms->expires_at,
                                      .scopes = ch_scopes_at(q->state, terms->own),
                                      .denied = ch_scopes_at(q->state, terms->denied),
                                      .grants = row->grant_count};
    record.share.seq = row->id;
    record.account.seq = account->id;
    if (row->subject_kind == CH_subject_kind_group) {
        const struct ch_row_group *group = ch_group_row(q->state, row->subject);
        ch_saw(q, group->changed);
        record.subject = group->id;
        record.subject_name = ch_copy_text(q, group->name);
    } else {
        const struct ch_rec_user_row user = ch_user_record(q, row->subject);
        record.subject = user.user.seq;
        record.subject_name = name_in(q, &user);
    }
    record.has_role = row->role != 0;
    if (row->role != 0) {
        const struct ch_row_role *role = ch_role_row(q->state, row->role);
        ch_saw(q, role->changed);
        record.role = ch_copy_text(q, role->name);
    }
    return record;
}

bool ch_rows_add(struct ch_asking *q, struct ch_rows *rows, uint32_t row)
{
    if (rows->count == rows->room) {
        const uint32_t room = rows->room == 0 ? 64 : 2 * rows->room;
        uint32_t *more = ch_take(q, room, sizeof *more);
        if (more == NULL) return false;
        if (rows->count > 0) memcpy(more, rows->row, rows->count * sizeof *more);
        rows->row = more;
        rows->room = room;
    }
    rows->row[rows->count++] = row;
    return true;
}

static void sift_down(uint32_t *row, uint32_t place, uint32_t count)
{
    for (;;) {
        uint32_t most = place;
        for (uint32_t child = 2 * place + 1; child <= 2 * place + 2 && child < count; child++) {
            if (row[child] > row[most]) most = child;
        }
        if (most == place) return;
        const uint32_t held = row[place];
        row[place] = row[most];
        row[most] = held;
        place = most;
    }
}

/* Heapsort: no memory, no recursion, and no worse on any order of the links. */
void ch_rows_sort(struct ch_rows *rows)
{
    if (rows->count < 2) return;
    for (uint32_t place = rows->count / 2; place > 0; place--) {
        sift_down(rows->row, place - 1, rows->count);
    }
    for (uint32_t last = rows->count - 1; last > 0; last--) {
        const uint32_t held = rows->row[0];
        rows->row[0] = rows->row[last];
        rows->row[last] = held;
        sift_down(rows->row, 0, last);
    }
    uint32_t kept = 1;
    for (uint32_t i = 1; i < rows->count; i++) {
        if (rows->row[i] != rows->row[kept - 1]) rows->row[kept++] = rows->row[i];
    }
    rows->count = kept;
}

struct ch_page ch_page_of(bool has_after, uint64_t after, bool has_limit, uint64_t limit)
{
    struct ch_page page = {.after = 0, .limit = 100};
    if (has_after) page.after = after;
    if (has_limit && limit != 0) {
        page.limit = (uint32_t)(limit > LIMIT_LIST_ITEMS ? LIMIT_LIST_ITEMS : limit);
    }
    return page;
}

void ch_rows_cut(struct ch_rows *rows, struct ch_page page, bool *has_next, uint64_t *next)
{
    uint32_t first = 0;
    while (first < rows->count && rows->row[first] <= page.after) {
        first++;
    }
    if (first > 0) rows->row += first;
    rows->count -= first;
    rows->room = rows->count;
    *has_next = rows->count > page.limit;
    if (!*has_next) return;
    rows->count = page.limit;
    *next = rows->row[page.limit - 1];
}

/* ---- by id ----------------------------------------------------------------------------------- */

uint64_t ch_id_of_account(const struct ch_state *state, uint32_t row)
{
    return ch_account_row(state, row)->id;
}

uint64_t ch_id_of_user(const struct ch_state *state, uint32_t row)
{
    return ch_user_row(state, row)->id;
}

uint64_t ch_id_of_share(const struct ch_state *state, uint32_t row)
{
    return ch_share_row(state, row)->id;
}

uint64_t ch_id_of_group(const struct ch_state *state, uint32_t row)
{
    return ch_group_row(state, row)->id;
}

uint64_t ch_id_of_key(const struct ch_state *state, uint32_t row)
{
    return ch_key_row(state, row)->id;
}

uint64_t ch_id_of_grant(const struct ch_state *state, uint32_t row)
{
    return ch_grant_row(state, row)->seq;
}

struct numbered {
    uint64_t id;
    uint32_t row;
};

/* A heap with the largest id first. */
static void sink(struct numbered *heap, uint32_t place, uint32_t count)
{
    for (;;) {
        uint32_t most = place;
        for (uint32_t child = 2 * place + 1; child <= 2 * place + 2 && child < count; child++) {
            if (heap[child].id > heap[most].id) most = child;
        }
        if (most == place) return;
        const struct numbered held = heap[place];
        heap[place] = heap[most];
        heap[most] = held;
        place = most;
    }
}

static void make_heap(struct numbered *heap, uint32_t count)
{
    for (uint32_t place = count / 2; place > 0; place--) {
        sink(heap, place - 1, count);
    }
}

/* Keeps the `most` smallest ids above `after` on the way, so that a page of a long list costs one
 * pass over it. Gives how many there are of them. */
static uint32_t keep_smallest(const struct ch_state *state, const struct ch_rows *rows,
                              uint64_t after, ch_id_fn *id_of, struct numbered *heap, uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct numbered one = {.id = id_of(state, rows->row[i]), .row = rows->row[i]};
        if (one.id <= after) continue;
        if (count < most) {
            heap[count++] = one;
            if (count == most) make_heap(heap, count);
        } else if (one.id < heap[0].id) {
            heap[0] = one;
            sink(heap, 0, count);
        }
    }
    if (count < most) make_heap(heap, count);
    return count;
}

static void take_page(struct ch_asking *q, struct ch_rows *rows, uint64_t after, uint32_t most,
                      ch_id_fn *id_of)
{
    struct numbered *heap = ch_take(q, most, sizeof *heap);
    const uint32_t count =
        heap == NULL ? 0 : keep_smallest(q->state, rows, after, id_of, heap, most);
    for (uint32_t left = count; left > 0; left--) {
        rows->row[left - 1] = heap[0].row;
        heap[0] = heap[left - 1];
        sink(heap, 0, left - 1);
    }
    rows->count = count;
}

void ch_rows_page(struct ch_asking *q, struct ch_rows *rows, struct ch_page page, ch_id_fn *id_of,
                  bool *has_next, uint64_t *next)
{
    const uint32_t most = rows->count <= page.limit ? rows->count : page.limit + 1;
    *has_next = false;
    if (most > 0) take_page(q, rows, page.after, most, id_of);
    *has_next = rows->count > page.limit;
    if (!*has_next) return;
    rows->count = page.limit;
    *next = id_of(q->state, rows->row[page.limit - 1]);
}

void ch_rows_order(struct ch_asking *q, struct ch_rows *rows, ch_id_fn *id_of)
{
    if (rows->count > 1) take_page(q, rows, /* after= */ 0, rows->count, id_of);
}

struct ch_answer ch_ask(struct ch_asking *q, uint32_t user, uint32_t account,
                        struct ch_scopes wanted)
{
    const struct ch_question question = {.user = user,
                                         .account = account,
                                         .wanted = wanted,
                                         .channel = q->moment->channel,
                                         .now = q->moment->now};
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    return answer;
}

struct ch_answer ch_ask_actor(struct ch_asking *q, uint32_t account, struct ch_scopes wanted)
{
    const struct ch_question question = {.account = account, .wanted = wanted};
    struct ch_answer answer;
    CH_CHECK(ch_is_bound(q->moment));
    ch_actor_access(q->state, q->moment, &question, &answer);
    ch_saw(q, answer.read_seq);
    return answer;
}

bool ch_actor_has(struct ch_asking *q, uint32_t account, struct ch_scopes wanted)
{
    if (!ch_is_bound(q->moment)) return true;
    return ch_ask_actor(q, account, wanted).decision == CH_decision_allowed;
}

bool ch_actor_is_led(struct ch_asking *q, uint32_t account)
{
    if (!ch_is_bound(q->moment)) return true;
    return ch_ask_actor(q, account, (struct ch_scopes){{0, 0}}).led;
}

bool ch_is_known_here(struct ch_asking *q, uint32_t user)
{
    ch_saw(q, ch_user_row(q->state, user)->changed);
    if (!ch_is_bound(q->moment) || user == q->moment->user_row) return true;
    for (uint32_t a = q->on; a != 0; a = ch_account_row(q->state, a)->parent) {
        if (ch_find_share(q->state, CH_subject_kind_user, user, a) != 0) return true;
    }
    return false;
}

/* The answer of each query that state answers: ch_query_<ident>, in the query_ file of its noun. */
#define FROM_STATE(ident) [CH_QRY_##ident] = ch_query_##ident,
#define FROM_DAEMON(ident)
static ch_asked_fn *const asked[CH_CALL_TYPES] = {
#define QUERY_BEGIN(ident, type, who, scope, on, from, text) FROM_##from(ident)
#define QUERY_END(ident)
#define RESULT_BEGIN(ident)
#define RESULT_END(ident)
#include "schema/words_none.h"
#include "schema/queries.def"
};

void ch_query(const struct ch_state *state, const struct ch_moment *moment,
              const struct ch_call *call, struct ch_arena *arena, struct ch_query_answer *ret)
{
    *ret = (struct ch_query_answer){0};
    CH_CHECK(call->type >= 0 && call->type < CH_CALL_TYPES);
    CH_CHECK(asked[call->type] != NULL);
    struct ch_asking q = {.state = state,
                          .moment = moment,
                          .call = call,
                          .arena = arena,
                          .ret = ret,
                          .on = call->has_on ? ch_find_account(state, call->on.id) : 0};
    if (q.on != 0) ch_saw(&q, ch_account_row(state, q.on)->changed);
    asked[call->type](&q);
    if (ret->no_memory) ret->result = NULL;
    CH_CHECK((ret->result != NULL) + (ret->reject.code != CH_REJ_none) + ret->no_memory >= 1);
    CH_CHECK(ret->result == NULL || ret->reject.code == CH_REJ_none);
}
