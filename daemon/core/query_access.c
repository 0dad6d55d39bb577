/* query_access: who may do what, and why; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

enum {
    FACTS_MOST = 1024,     /* as in queries.def */
    FACT_TEXT_BYTES = 640, /* a role's name, three ids and eight scopes' names */
    SCOPES_NAMED = 8,
};

/* A sentence being made; what no longer fits is left out. */
struct sentence {
    size_t len;
    char chars[FACT_TEXT_BYTES];
};

static void say(struct sentence *s, struct ch_text words)
{
    if (words.len > sizeof s->chars - s->len) return;
    memcpy(s->chars + s->len, words.ptr, words.len);
    s->len += words.len;
}

static void say_words(struct sentence *s, const char *words)
{
    say(s, ch_text_of(words));
}

static void say_number(struct sentence *s, const char *noun, uint64_t number)
{
    char digits[20];
    size_t len = 0;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    say_words(s, noun);
    say(s, (struct ch_text){digits + sizeof digits - len, len});
}

static void say_scopes(struct sentence *s, struct ch_scopes scopes)
{
    uint32_t count = 0;
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (!ch_scopes_has(scopes, (uint8_t)scope)) continue;
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (++count > SCOPES_NAMED) continue;
        if (count > 1) say_words(s, ", ");
        if (row->name != NULL) {
            say(s, (struct ch_text){row->name, row->name_len});
        } else {
            say_number(s, "scope ", scope);
        }
    }
    if (count <= SCOPES_NAMED) return;
    say_number(s, " and ", count - SCOPES_NAMED);
    say_words(s, " more");
}

static void say_role(const struct ch_state *state, struct sentence *s, uint32_t share)
{
    const uint32_t role = ch_share_row(state, share)->role;
    if (role == 0) {
        say_words(s, "no role");
        return;
    }
    char name[128];
    const size_t len =
        ch_chain_get(state, CH_T_TEXT, ch_role_row(state, role)->name, name, sizeof name);
    say_words(s, "role ");
    say(s, (struct ch_text){name, len});
}

static void say_share(const struct ch_state *state, struct sentence *s, uint32_t share)
{
    say_number(s, "share ", ch_share_row(state, share)->id);
}

static void say_owner(const struct ch_state *state, struct sentence *s, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(state, row);
    if (share->subject_kind == CH_subject_kind_user) {
        say_number(s, ": user ", ch_user_row(state, share->subject)->id);
    } else {
        say_number(s, ": group ", ch_group_row(state, share->subject)->id);
    }
    say_number(s, " on account ", ch_account_row(state, share->account)->id);
}

static void say_taken(struct sentence *s, struct ch_scopes scopes)
{
    say_words(s, " takes ");
    say_scopes(s, scopes);
    say_words(s, " away");
}

/* What the state of an account takes away. */
static void tell_taken(const struct ch_state *state, struct sentence *s,
                       const struct ch_evidence *fact)
{
    const char *what = fact->kind == CH_fact_guardrail        ? "the guardrail of account "
                       : fact->kind == CH_fact_content_lock   ? "the content lock of account "
                       : fact->kind == CH_fact_suspended      ? "the suspension of account "
                       : fact->kind == CH_fact_stream_stopped ? "a stopped stream of account "
                                                              : "the unpaid plan of account ";
    say_number(s, what, ch_account_row(state, fact->account)->id);
    say_taken(s, fact->scopes);
}

/* Why a share does not count. */
static void tell_uncounted(const struct ch_state *state, struct sentence *s,
                           const struct ch_evidence *fact)
{
    say_share(state, s, fact->share);
    say_words(s, fact->kind == CH_fact_share_inactive  ? " is inactive and does not count"
                 : fact->kind == CH_fact_share_expired ? " has expired and does not count"
                 : fact->kind == CH_fact_share_pending
                     ? " is pending and does not count"
                     : " is an other login and works over the web only");
}

/* A fact about an API key. */
static void tell_key(const struct ch_state *state, struct sentence *s,
                     const struct ch_evidence *fact)
{
    const struct ch_row_key *key = ch_key_row(state, fact->key);
    if (fact->kind == CH_fact_master_key) say_words(s, "the kind of ");
    say_number(s, "key ", key->id);
    if (fact->kind == CH_fact_key_expired) {
        say_words(s, " has expired");
    } else if (fact->kind == CH_fact_master_key) {
        say_taken(s, fact->scopes);
    } else {
        say_number(s, " of account ", ch_account_row(state, key->account)->id);
        say_words(s, " gives ");
        say_scopes(s, fact->scopes);
    }
}

/* The fact in words. */
static void tell(const struct ch_state *state, struct sentence *s, const struct ch_evidence *fact)
{
    switch ((enum ch_fact)fact->kind) {
    case CH_fact_share:
        say_share(state, s, fact->share);
        say_owner(state, s, fact->share);
        say_words(s, ", ");
        say_role(state, s, fact->share);
        break;
    case CH_fact_membership:
        say_number(s, "the user is a member of group ", ch_group_row(state, fact->group)->id);
        break;
    case CH_fact_parent_group:
        say_number(s, "group ", ch_group_row(state, fact->group)->id);
        say_words(s, " stands above a group of the user");
        break;
    case CH_fact_role:
        say_role(state, s, fact->share);
        say_words(s, " of ");
        say_share(state, s, fact->share);
        say_words(s, " gives ");
        say_scopes(s, fact->scopes);
        break;
    case CH_fact_grant:
        say_words(s, "a grant of ");
        say_share(state, s, fact->share);
        say_words(s, " gives ");
        say_scopes(s, fact->scopes);
        break;
    case CH_fact_own_scopes:
        say_words(s, "the own scopes of ");
        say_share(state, s, fact->share);
        say_words(s, " give ");
        say_scopes(s, fact->scopes);
        break;
    case CH_fact_restriction:
        say_words(s, "the restriction of ");
        say_share(state, s, fact->share);
        say_taken(s, fact->scopes);
        break;
    case CH_fact_guardrail:
    case CH_fact_suspended:
    case CH_fact_content_lock:
    case CH_fact_stream_stopped:
    case CH_fact_unpaid: tell_taken(state, s, fact); break;
    case CH_fact_account_closed:
        say_number(s, "account ", ch_account_row(state, fact->account)->id);
        say_words(s, " is closed");
        break;
    case CH_fact_user_locked: say_words(s, "the user is locked"); break;
    case CH_fact_not_accepted: say_words(s, "the user has accepted nothing yet"); break;
    case CH_fact_share_inactive:
    case CH_fact_share_expired:
    case CH_fact_share_pending:
    case CH_fact_channel: tell_uncounted(state, s, fact); break;
    case CH_fact_other_login:
        say_share(state, s, fact->share);
        say_words(s, " is an other login, which");
        say_taken(s, fact->scopes);
        break;
    case CH_fact_fed:
        say_number(s, "account ", ch_account_row(state, fact->account)->id);
        say_words(s, " feeds it");
        break;
    case CH_fact_key:
    case CH_fact_master_key:
    case CH_fact_key_expired: tell_key(state, s, fact); break;
    case CH_fact_end_: CH_CHECK(fact->kind != CH_fact_end_); break;
    }
}

/* Facts as they are met. */
struct facts {
    struct ch_asking *q;
    struct ch_rec_fact_row *row;
    uint32_t count;
    uint32_t room;
    uint64_t beyond; /* met when the list was full */
};

static bool make_room(struct facts *f)
{
    if (f->count < f->room) return true;
    const uint32_t room = f->room == 0 ? 16 : 2 * f->room;
    struct ch_rec_fact_row *more = ch_take(f->q, room, sizeof *more);
    if (more == NULL) return false;
    if (f->count > 0) memcpy(more, f->row, f->count * sizeof *more);
    f->row = more;
    f->room = room;
    return true;
}

static struct ch_text keep(struct ch_asking *q, const struct sentence *s)
{
    char *chars = ch_arena_copy(q->arena, s->chars, s->len);
    if (chars == NULL) {
        q->ret->no_memory = true;
        return (struct ch_text){"", 0};
    }
    return (struct ch_text){chars, s->len};
}

static void take_fact(void *arg, const struct ch_evidence *fact)
{
    struct facts *f = arg;
    if (f->count == FACTS_MOST) {
        f->beyond++;
        return;
    }
    if (!make_room(f)) return;
    struct sentence s = {0};
    tell(f->q->state, &s, fact);
    f->row[f->count++] =
        (struct ch_rec_fact_row){.fact = fact->kind, .seq = fact->seq, .text = keep(f->q, &s)};
}

/* A list that could not hold all says so in its last row, which gives its place to the count. */
static void close_facts(struct facts *f)
{
    if (f->beyond == 0) return;
    struct sentence s = {0};
    say_number(&s, "this and ", f->beyond);
    say_words(&s, " more facts are not listed");
    f->row[f->count - 1].text = keep(f->q, &s);
}

/* Who may ask about this user here; refuses otherwise. */
static bool may_ask(struct ch_asking *q, uint32_t user)
{
    if (user != 0 && user == q->moment->user_row) return true;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_access_explain);
    if (ch_actor_has(q, q->on, wanted)) return true;
    return ch_refuse_scopes(q, CH_REJ_not_allowed, "user", wanted);
}

/* Whether the question may be about a resource of `of`: content has a kind and an id, and the
 * account above is known to those of the account, every other one only to whom it is shown. */
static bool may_be_of(struct ch_asking *q, const struct ch_qry_check *args, uint32_t of)
{
    const struct ch_scopes asked = args->scopes;
    if (of == q->on) return true;
    if (ch_root_of(q->state, of) != ch_root_of(q->state, q->on) ||
        (of != ch_account_row(q->state, q->on)->parent && !ch_actor_is_led(q, of))) {
        return ch_refuse(q, CH_REJ_not_found, "of");
    }
    if (!args->has_resource) return ch_refuse(q, CH_REJ_wrong_resource, "resource");
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const uint8_t kind = ch_meta(q->state)->scope_kinds[scope];
        if (!ch_scopes_has(asked, (uint8_t)scope) || ch_is_content(kind)) continue;
        return ch_refuse_scopes(q, CH_REJ_wrong_resource, "scopes", ch_scopes_of((uint8_t)scope));
    }
    return true;
}

/* What the rights on the account come to for content of another one: it must be fed, and then it is
 * used here, and changed only where it comes from. To whom nothing is given nothing is told. */
static void judge_fed(struct ch_asking *q, const struct ch_qry_check *args, uint32_t of,
                      struct ch_answer *answer, struct facts *facts)
{
    const uint32_t text = ch_text_find(q->state, args->resource);
    const struct ch_scopes edits =
        ch_scopes_and(args->scopes, ch_mask(q->state, CH_mask_kind_content_lock));
    ch_saw_account(q, q->on);
    if (!answer->led) return;
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (!ch_scopes_has(args->scopes, (uint8_t)scope)) continue;
        const uint8_t kind = ch_meta(q->state)->scope_kinds[scope];
        const uint32_t feed = ch_fed_by(q->state, q->on, kind, text);
        if (feed == 0 || ch_feed_row(q->state, feed)->account != of) {
            answer->decision = CH_decision_implicit_deny;
            answer->reason = CH_reason_not_fed;
            return;
        }
        const struct ch_evidence fact = {
            .kind = CH_fact_fed, .seq = ch_feed_row(q->state, feed)->seq, .account = of};
        if (args->has_explain && args->explain) take_fact(facts, &fact);
    }
    if (answer->decision != CH_decision_allowed || ch_scopes_empty(edits)) return;
    answer->decision = CH_decision_explicit_deny;
    answer->reason = CH_reason_fed_content;
}

/* The key asked about, where the actor may ask: about itself, or with api_keys.read. 0 after
 * refusing. */
static uint32_t key_asked(struct ch_asking *q, struct ch_key_id id)
{
    const uint32_t own = q->moment->key_row;
    if (own != 0 && ch_key_row(q->state, own)->id == id.seq) return own;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_api_keys_read);
    if (ch_actor_has(q, q->on, wanted)) return ch_key_asked(q, id);
    (void)ch_refuse_scopes(q, CH_REJ_not_allowed, "key", wanted);
    return 0;
}

/* The user asked about, where the actor may ask. 0 after refusing. */
static uint32_t user_asked(struct ch_asking *q, const struct ch_ref *ref)
{
    const uint32_t user = ch_find_user(q->state, ref->id);
    if (!ch_is_known_here(q, user)) {
        (void)ch_refuse(q, CH_REJ_not_found, "user");
        return 0;
    }
    return may_ask(q, user) ? user : 0;
}

void ch_query_check(struct ch_asking *q)
{
    const struct ch_qry_check *args = q->call->args;
    if (args->has_user == args->has_key) {
        (void)ch_refuse(q, CH_REJ_one_subject, "user");
        return;
    }
    const uint32_t user = args->has_user ? user_asked(q, &args->user) : 0;
    const uint32_t key = args->has_key ? key_asked(q, args->key) : 0;
    if (user == 0 && key == 0) return;
    if (ch_scopes_empty(args->scopes)) {
        (void)ch_refuse(q, CH_REJ_wrong_resource, "scopes");
        return;
    }
    const uint32_t of = args->has_of ? ch_find_account(q->state, args->of.id) : q->on;
    if (!may_be_of(q, args, of)) return;
    const struct ch_question question = {
        .user = user,
        .key = key,
        .account = q->on,
        .wanted = args->scopes,
        .has_resource = args->has_resource,
        .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
        .any = args->has_any && args->any,
        .channel = args->has_channel ? args->channel : (uint8_t)CH_channel_api,
        .now = q->moment->now};
    struct facts facts = {.q = q};
    const bool explain = args->has_explain && args->explain;
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, explain ? take_fact : NULL, &facts);
    ch_saw(q, answer.read_seq);
    if (of != q->on) judge_fed(q, args, of, &answer, &facts);
    close_facts(&facts);
    struct ch_qry_check_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->decision = answer.decision;
    result->reason = answer.reason;
    result->revision = ch_meta(q->state)->head;
    result->has_valid_until = answer.valid_until != 0;
    result->valid_until = answer.valid_until;
    result->facts = facts.row;
    result->facts_len = facts.count;
    q->ret->result = result;
}

/* Those of the known scopes that take `kind`, or, with kind 0, all. */
static struct ch_scopes known_scopes(const struct ch_state *state, uint8_t kind)
{
    struct ch_scopes some = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name == NULL) continue;
        if (kind != 0 && ch_meta(state)->scope_kinds[scope] != kind) continue;
        ch_scopes_add(&some, (uint8_t)scope);
    }
    return some;
}

/* The channel asked over, where that is a user's; else the platform's API, as in check. */
static uint8_t user_channel(const struct ch_asking *q)
{
    const uint8_t channel = q->moment->channel;
    const bool own =
        channel == CH_channel_web || channel == CH_channel_smtp || channel == CH_channel_ftp;
    return own ? channel : (uint8_t)CH_channel_api;
}

/* A resource stands for the scopes of its kind; of the others those that hold for all are given. */
void ch_query_access_scopes(struct ch_asking *q)
{
    const struct ch_qry_access_scopes *args = q->call->args;
    const uint32_t user = ch_find_user(q->state, args->user.id);
    if (!ch_is_known_here(q, user)) {
        (void)ch_refuse(q, CH_REJ_not_found, "user");
        return;
    }
    const uint8_t kind = args->has_kind ? args->kind : (uint8_t)CH_resource_kind_none;
    struct ch_question question = {.user = user,
                                   .account = q->on,
                                   .wanted = known_scopes(q->state, 0),
                                   .channel = user_channel(q),
                                   .now = q->moment->now};
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    struct ch_scopes given = answer.given;
    if (args->has_resource) {
        question.wanted = known_scopes(q->state, kind);
        question.has_resource = true;
        question.resource_kind = kind;
        question.resource = ch_text_find(q->state, args->resource);
        ch_access(q->state, &question, &answer, NULL, NULL);
        given = ch_scopes_or(ch_scopes_but(given, question.wanted), answer.given);
    }
    struct ch_qry_access_scopes_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->scopes = given;
    result->revision = ch_meta(q->state)->head;
    q->ret->result = result;
}

bool ch_rows_users(struct ch_asking *q, struct ch_rows *rows, uint32_t after)
{
    ch_saw_account(q, q->on);
    for (uint32_t a = q->on; a != 0; a = ch_account_row(q->state, a)->parent) {
        for (uint32_t s = ch_account_row(q->state, a)->first_share; s != 0;
             s = ch_share_row(q->state, s)->next_of_account) {
            const struct ch_row_share *share = ch_share_row(q->state, s);
            if (share->subject_kind != CH_subject_kind_user || share->subject <= after) continue;
            if (!ch_rows_add(q, rows, share->subject)) return false;
        }
    }
    ch_rows_sort(rows);
    return true;
}

void ch_query_access_who(struct ch_asking *q)
{
    const struct ch_qry_access_who *args = q->call->args;
    if (ch_scopes_empty(args->scopes)) {
        (void)ch_refuse(q, CH_REJ_wrong_resource, "scopes");
        return;
    }
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    struct ch_rows rows = {0};
    if (!ch_rows_users(q, &rows, page.after)) return;
    struct ch_question question = {
        .account = q->on,
        .wanted = args->scopes,
        .has_resource = args->has_resource,
        .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
        .channel = user_channel(q),
        .now = q->moment->now};
    uint32_t found = 0; /* one more than the page holds shows that there is more */
    for (uint32_t i = 0; i < rows.count && found <= page.limit; i++) {
        question.user = rows.row[i];
        struct ch_answer answer;
        ch_access(q->state, &question, &answer, NULL, NULL);
        ch_saw(q, answer.read_seq);
        if (answer.decision == CH_decision_allowed) rows.row[found++] = rows.row[i];
    }
    rows.count = found;
    struct ch_qry_access_who_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_cut(&rows, page, &result->has_next, &result->next);
    struct ch_rec_user_row *users = ch_take(q, rows.count, sizeof *users);
    if (users == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        users[i] = ch_user_record(q, rows.row[i]);
    }
    result->users = users;
    result->users_len = rows.count;
    result->revision = ch_meta(q->state)->head;
    q->ret->result = result;
}
