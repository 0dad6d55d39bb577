/* fact: see fact.h. SPDX-License-Identifier: MIT */
#include "daemon/core/fact.h"

enum { SCOPES_NAMED = 8 };

void ch_say_text(struct ch_sentence *s, struct ch_text words)
{
    if (words.len > sizeof s->chars - s->len) return;
    if (words.len > 0) memcpy(s->chars + s->len, words.ptr, words.len);
    s->len += words.len;
}

void ch_say(struct ch_sentence *s, const char *words)
{
    ch_say_text(s, ch_text_of(words));
}

void ch_say_number(struct ch_sentence *s, const char *noun, uint64_t number)
{
    char digits[20];
    size_t len = 0;
    do {
        digits[sizeof digits - ++len] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    ch_say(s, noun);
    ch_say_text(s, (struct ch_text){digits + sizeof digits - len, len});
}

void ch_say_scopes(struct ch_sentence *s, struct ch_scopes scopes)
{
    uint32_t count = 0;
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (!ch_scopes_has(scopes, (uint8_t)scope)) continue;
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (++count > SCOPES_NAMED) continue;
        if (count > 1) ch_say(s, ", ");
        if (row->name != NULL) {
            ch_say_text(s, (struct ch_text){row->name, row->name_len});
        } else {
            ch_say_number(s, "scope ", scope);
        }
    }
    if (count <= SCOPES_NAMED) return;
    ch_say_number(s, " and ", count - SCOPES_NAMED);
    ch_say(s, " more");
}

static void say_chain(const struct ch_state *state, struct ch_sentence *s, uint32_t text)
{
    char name[128];
    const size_t len = ch_chain_get(state, CH_T_TEXT, text, name, sizeof name);
    ch_say_text(s, (struct ch_text){name, len});
}

/* Whether the asker may learn of the account beside the one asked about. */
static bool may_name(struct ch_asking *q, uint32_t account)
{
    return account == q->on || ch_actor_is_led(q, account);
}

void ch_say_account(struct ch_asking *q, struct ch_sentence *s, uint32_t account)
{
    if (may_name(q, account)) {
        ch_say(s, "account ");
        say_chain(q->state, s, ch_account_row(q->state, account)->name);
    } else {
        ch_say(s, "an account above");
    }
}

static void say_group(struct ch_asking *q, struct ch_sentence *s, uint32_t group)
{
    const struct ch_row_group *row = ch_group_row(q->state, group);
    if (may_name(q, row->account)) {
        ch_say(s, "group ");
        say_chain(q->state, s, row->name);
    } else {
        ch_say(s, "a group of an account above");
    }
}

void ch_say_share(struct ch_asking *q, struct ch_sentence *s, uint32_t share)
{
    const struct ch_row_share *row = ch_share_row(q->state, share);
    if (row->subject_kind == CH_subject_kind_user) {
        ch_say(s, "the user's own share of ");
    } else {
        say_group(q, s, row->subject);
        ch_say(s, "'s share of ");
    }
    ch_say_account(q, s, row->account);
}

static void say_role(const struct ch_state *state, struct ch_sentence *s, uint32_t role)
{
    ch_say(s, "role ");
    say_chain(state, s, ch_role_row(state, role)->name);
}

static void say_taken(struct ch_sentence *s, struct ch_scopes scopes)
{
    ch_say(s, " takes ");
    ch_say_scopes(s, scopes);
    ch_say(s, " away");
}

/* What the state of an account takes away. */
static void tell_taken(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    const struct ch_row_account *account = ch_account_row(q->state, fact->account);
    const bool by_operator = account->suspended_seq[CH_authority_operator] == fact->seq;
    switch (fact->kind) {
    case CH_fact_guardrail: ch_say(s, "the guardrail of "); break;
    case CH_fact_content_lock: ch_say(s, "the content lock of "); break;
    case CH_fact_suspended:
        ch_say(s, by_operator ? "the operator's suspension of " : "the customer's suspension of ");
        break;
    default: ch_say(s, "the unpaid plan of "); break;
    }
    ch_say_account(q, s, fact->account);
    say_taken(s, fact->scopes);
}

static void tell_stream(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    const struct ch_row_stream *stream = ch_stream_row(q->state, fact->stream);
    const bool by_operator = stream->stopped_seq[CH_authority_operator] == fact->seq;
    ch_say(s, by_operator ? "the operator stopped the " : "the customer stopped the ");
    ch_say(s, stream->stream == CH_mail_stream_marketing ? "marketing mail of "
                                                         : "transactional mail of ");
    if (stream->key != 0) ch_say_number(s, "key ", stream->key);
    if (stream->key == 0) ch_say_account(q, s, fact->account);
    ch_say(s, ", which");
    say_taken(s, fact->scopes);
}

/* Why a share does not count. */
static void tell_uncounted(struct ch_asking *q, struct ch_sentence *s,
                           const struct ch_evidence *fact)
{
    ch_say_share(q, s, fact->share);
    ch_say(s, fact->kind == CH_fact_share_inactive  ? " is inactive and does not count"
              : fact->kind == CH_fact_share_expired ? " has expired and does not count"
              : fact->kind == CH_fact_share_pending
                  ? " is pending and does not count"
                  : " is an other login and works over the web only");
}

/* A fact about an API key. */
static void tell_key(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    const struct ch_row_key *key = ch_key_row(q->state, fact->key);
    if (fact->kind == CH_fact_master_key) ch_say(s, "the kind of ");
    ch_say_number(s, "key ", key->id);
    if (fact->kind == CH_fact_key_expired) {
        ch_say(s, " has expired");
    } else if (fact->kind == CH_fact_master_key) {
        say_taken(s, fact->scopes);
    } else {
        ch_say(s, " of ");
        ch_say_account(q, s, key->account);
        ch_say(s, " gives ");
        ch_say_scopes(s, fact->scopes);
    }
}

/* What of a share gives. */
static void tell_giver(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    const struct ch_state *state = q->state;
    const struct ch_row_share *share = ch_share_row(state, fact->share);
    if (fact->kind == CH_fact_grant) {
        const struct ch_row_grant *grant = ch_grant_row(state, fact->grant);
        ch_say(s, "a grant of ");
        ch_say_share(q, s, fact->share);
        ch_say(s, " on ");
        ch_say(s, ch_enum_name(CH_KIND_resource_kind, (uint8_t)grant->kind));
        ch_say(s, " ");
        say_chain(state, s, grant->resource);
    } else if (fact->kind == CH_fact_own_scopes) {
        ch_say(s, "a permission of ");
        ch_say_share(q, s, fact->share);
        ch_say(s, " beside its role");
    } else {
        say_role(state, s, share->role);
        ch_say(s, " of ");
        ch_say_share(q, s, fact->share);
    }
    ch_say(s, " gives ");
    ch_say_scopes(s, fact->scopes);
}

/* What of a share leads on the way to what gives. A role is told with its version then. */
static void tell_way(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    const struct ch_state *state = q->state;
    const struct ch_row_share *share = ch_share_row(state, fact->share);
    if (fact->kind == CH_fact_role_version) {
        ch_say_number(s, "version ", ch_role_row(state, share->role)->version);
        ch_say(s, " of ");
        say_role(state, s, share->role);
        ch_say(s, " gives ");
        ch_say_scopes(s, fact->scopes);
        return;
    }
    ch_say_share(q, s, fact->share);
    if (fact->kind == CH_fact_reach) {
        ch_say(s, " reaches every account below it");
    } else if (fact->kind == CH_fact_limited) {
        ch_say(s, " is limited to chosen resources, and this is one of them");
    } else if (fact->kind == CH_fact_limited_out) {
        ch_say(s, " is limited to chosen resources, and what is asked is not one of them");
    } else if (fact->kind == CH_fact_share && !ch_scopes_empty(fact->scopes)) {
        ch_say(s, " is in use"); /* its role is told by itself, where it gives */
    } else if (share->role != 0) {
        ch_say(s, ", ");
        say_role(state, s, share->role);
    }
}

static void tell_group(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    if (fact->kind == CH_fact_membership) {
        ch_say(s, "the user is a member of ");
        say_group(q, s, fact->group);
        return;
    }
    say_group(q, s, fact->group);
    ch_say(s, " stands above a group of the user");
}

/* The fact in words. */
static void tell(struct ch_asking *q, struct ch_sentence *s, const struct ch_evidence *fact)
{
    switch ((enum ch_fact)fact->kind) {
    case CH_fact_membership:
    case CH_fact_parent_group: tell_group(q, s, fact); break;
    case CH_fact_role:
        if (ch_scopes_empty(fact->scopes)) {
            ch_say_share(q, s, fact->share);
            ch_say(s, " has ");
            say_role(q->state, s, ch_share_row(q->state, fact->share)->role);
            break;
        }
        tell_giver(q, s, fact);
        break;
    case CH_fact_grant:
    case CH_fact_own_scopes: tell_giver(q, s, fact); break;
    case CH_fact_share:
    case CH_fact_reach:
    case CH_fact_limited:
    case CH_fact_limited_out:
    case CH_fact_role_version: tell_way(q, s, fact); break;
    case CH_fact_restriction:
        ch_say(s, "the restriction of ");
        ch_say_share(q, s, fact->share);
        say_taken(s, fact->scopes);
        break;
    case CH_fact_guardrail:
    case CH_fact_suspended:
    case CH_fact_content_lock:
    case CH_fact_unpaid: tell_taken(q, s, fact); break;
    case CH_fact_stream_stopped: tell_stream(q, s, fact); break;
    case CH_fact_account_closed:
        ch_say_account(q, s, fact->account);
        ch_say(s, " is closed");
        break;
    case CH_fact_user_locked: ch_say(s, "the user is locked"); break;
    case CH_fact_user_erased: ch_say(s, "the user was erased"); break;
    case CH_fact_login_deleted: ch_say(s, "the user's login is deleted"); break;
    case CH_fact_share_ended_by_date:
        ch_say(s, "the user's own share of ");
        ch_say_account(q, s, fact->account);
        ch_say(s, " was ended by its date");
        break;
    case CH_fact_not_accepted: ch_say(s, "the user has accepted nothing yet"); break;
    case CH_fact_share_inactive:
    case CH_fact_share_expired:
    case CH_fact_share_pending:
    case CH_fact_channel: tell_uncounted(q, s, fact); break;
    case CH_fact_other_login:
        ch_say_share(q, s, fact->share);
        ch_say(s, " is an other login, which");
        say_taken(s, fact->scopes);
        break;
    case CH_fact_fed:
        ch_say_account(q, s, fact->account);
        ch_say(s, " feeds it");
        break;
    case CH_fact_key:
    case CH_fact_master_key:
    case CH_fact_key_expired: tell_key(q, s, fact); break;
    case CH_fact_end_: CH_CHECK(fact->kind != CH_fact_end_); break;
    }
}

struct ch_text ch_said(struct ch_asking *q, const struct ch_sentence *s)
{
    char *chars = ch_arena_copy(q->arena, s->chars, s->len);
    if (chars == NULL) {
        q->ret->no_memory = true;
        return (struct ch_text){"", 0};
    }
    return (struct ch_text){chars, s->len};
}

struct ch_rec_fact_row ch_fact_record(struct ch_asking *q, const struct ch_evidence *fact)
{
    struct ch_sentence s;
    s.len = 0;
    tell(q, &s, fact);
    struct ch_rec_fact_row row = {.fact = fact->kind, .seq = fact->seq, .text = ch_said(q, &s)};
    if (fact->share != 0) {
        const struct ch_row_share *share = ch_share_row(q->state, fact->share);
        row.has_share = true;
        row.share.seq = share->id;
        row.has_role = fact->kind == CH_fact_role || fact->kind == CH_fact_role_version;
        if (row.has_role) {
            const struct ch_row_role *role = ch_role_row(q->state, share->role);
            row.role.seq = role->id;
            row.has_version = true;
            row.version = role->version;
        }
    }
    row.has_account = fact->account != 0 && may_name(q, fact->account);
    if (row.has_account) row.account.seq = ch_account_row(q->state, fact->account)->id;
    row.has_group = fact->group != 0;
    if (row.has_group) row.group.seq = ch_group_row(q->state, fact->group)->id;
    row.has_key = fact->key != 0;
    if (row.has_key) row.key.seq = ch_key_row(q->state, fact->key)->id;
    return row;
}

static bool make_room(struct ch_facts *f)
{
    if (f->count < f->room) return true;
    const uint32_t room = f->room == 0 ? 8 : 2 * f->room;
    struct ch_rec_fact_row *more = ch_take(f->q, room, sizeof *more);
    if (more == NULL) return false;
    if (f->count > 0) memcpy(more, f->row, f->count * sizeof *more);
    f->row = more;
    f->room = room;
    return true;
}

void ch_facts_add(struct ch_facts *f, const struct ch_evidence *fact)
{
    if (f->count == f->most) {
        f->beyond++;
        return;
    }
    if (make_room(f)) f->row[f->count++] = ch_fact_record(f->q, fact);
}

void ch_facts_close(struct ch_facts *f)
{
    if (f->beyond == 0) return;
    struct ch_sentence s;
    s.len = 0;
    ch_say_number(&s, "this and ", f->beyond);
    ch_say(&s, " more facts are not listed");
    f->row[f->count - 1].text = ch_said(f->q, &s);
}
