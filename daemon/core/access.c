/* access: see access.h. SPDX-License-Identifier: MIT */
#include "daemon/core/access.h"

#include "daemon/core/reputation.h"
#include "schema/limits.h"

enum { PATH_MOST = 16 };

struct walk {
    const struct ch_state *state;
    const struct ch_question *q;
    struct ch_answer *ret;
    ch_fact_fn *fact;
    void *arg;
    uint32_t member;      /* by which the shares looked at are met; 0: they are the user's own */
    uint32_t through_own; /* the user's own share that was noted last as one that is needed */
    uint32_t path[PATH_MOST]; /* [0]: the account asked about, then the accounts above it */
    uint32_t path_len;
    struct ch_scopes wanted;   /* what is asked, and what would imply it */
    struct ch_scopes given;    /* by any share that counts, guardrails taken off */
    struct ch_scopes promised; /* the same before guardrails */
    struct ch_scopes denied;
    struct ch_scopes locked;    /* what content locks took */
    struct ch_scopes suspended; /* what the masks of account status and plan take */
    struct ch_scopes unpaid;
    struct ch_scopes stopped;   /* what the masks of stopped streams of mail take */
    struct ch_scopes login;     /* what an other login never has */
    struct ch_scopes kind_took; /* what the kind of a key takes */
    bool wrong_channel;
    bool inactive;
};

static void saw(struct walk *w, uint64_t seq)
{
    if (seq > w->ret->read_seq) w->ret->read_seq = seq;
}

static void tell(const struct walk *w, enum ch_fact kind, uint64_t seq, uint32_t share,
                 uint32_t group, uint32_t account, struct ch_scopes scopes)
{
    if (w->fact == NULL) return;
    const struct ch_evidence fact = {.kind = (uint8_t)kind,
                                     .seq = seq,
                                     .share = share,
                                     .member = w->member,
                                     .group = group,
                                     .account = account,
                                     .scopes = scopes};
    w->fact(w->arg, &fact);
}

static const struct ch_scopes no_scopes = {{0, 0}};

/* Whether the share is taken for one that is active and has no end. */
static bool is_taken(const struct walk *w, uint32_t row)
{
    return w->q->all_counted || row == w->q->counted[0] || row == w->q->counted[1];
}

/* Whether a share is in use at the question's moment, over its channel. */
static bool counts(struct walk *w, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(w->state, row);
    saw(w, share->changed);
    if (share->status != CH_share_status_active && !is_taken(w, row)) {
        const bool pending = share->status == CH_share_status_pending;
        w->inactive = true;
        tell(w, pending ? CH_fact_share_pending : CH_fact_share_inactive,
             ch_status_seq(w->state, share), row, 0, share->account, no_scopes);
        return false;
    }
    const uint64_t end = ch_terms_of(w->state, share)->expires_at;
    if (end != 0 && (end > w->q->now || !is_taken(w, row))) {
        if (end <= w->q->now) {
            w->inactive = true;
            const uint64_t set_seq = ch_terms_of(w->state, share)->expiry_seq;
            tell(w, CH_fact_share_expired, set_seq, row, 0, share->account, no_scopes);
            return false;
        }
        if (w->ret->valid_until == 0 || end < w->ret->valid_until) w->ret->valid_until = end;
    }
    if (share->kind == CH_share_kind_login && w->q->channel != CH_channel_web) {
        w->wrong_channel = true;
        tell(w, CH_fact_channel, share->id, row, 0, share->account, no_scopes);
        return false;
    }
    return true;
}

/* Those of `scopes` that take resources of `kind`. */
static struct ch_scopes of_kind(const struct walk *w, struct ch_scopes scopes, uint8_t kind)
{
    struct ch_scopes some = no_scopes;
    const uint8_t *kinds = ch_meta(w->state)->scope_kinds;
    for (uint32_t word = 0; word < 2; word++) {
        for (uint64_t bits = scopes.words[word]; bits != 0; bits &= bits - 1) {
            uint32_t scope = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (kinds[scope] == kind) ch_scopes_add(&some, (uint8_t)scope);
        }
    }
    return some;
}

/* What a share's role gives of the wanted scopes, for the resource asked about. */
static struct ch_scopes role_gives(struct walk *w, uint32_t row, const struct ch_row_share *share)
{
    if (share->role == 0) return no_scopes;
    const struct ch_row_role *role = ch_role_row(w->state, share->role);
    saw(w, role->changed);
    struct ch_scopes gives = ch_scopes_and(ch_scopes_at(w->state, role->scopes), w->wanted);
    const struct ch_row_terms *terms = ch_terms_of(w->state, share);
    for (uint32_t kinds = terms->limited_kinds; kinds != 0; kinds &= kinds - 1) {
        const uint8_t kind = (uint8_t)__builtin_ctz(kinds);
        bool stays = w->q->any;
        if (w->q->has_resource) {
            stays = ch_is_limited_to(w->state, row, kind, w->q->resource);
        } else if (w->q->any) {
            stays = false;
            for (uint32_t l = terms->first_limited; l != 0; l = ch_limited_row(w->state, l)->next) {
                stays = stays || ch_limited_row(w->state, l)->kind == kind;
            }
        }
        if (stays) continue;
        const struct ch_scopes lost = of_kind(w, gives, kind);
        gives = ch_scopes_but(gives, lost);
        if (ch_scopes_empty(lost)) continue;
        tell(w, CH_fact_limited_out, terms->limited_seq[kind - 1], row, 0, share->account, lost);
    }
    if (!ch_scopes_empty(gives)) {
        uint64_t seq = role->changed > share->role_seq ? role->changed : share->role_seq;
        tell(w, CH_fact_role, seq, row, 0, share->account, gives);
    }
    return gives;
}

/* What a share gives on every resource beside its role; the role's limits do not bind it. */
static struct ch_scopes own_scopes_give(const struct walk *w, uint32_t row,
                                        const struct ch_row_share *share)
{
    const struct ch_row_terms *terms = ch_terms_of(w->state, share);
    if (terms->own == 0) return no_scopes;
    const struct ch_scopes gives = ch_scopes_and(ch_scopes_at(w->state, terms->own), w->wanted);
    if (!ch_scopes_empty(gives)) {
        tell(w, CH_fact_own_scopes, terms->own_seq, row, 0, share->account, gives);
    }
    return gives;
}

static struct ch_scopes one_grant(struct walk *w, uint32_t row, uint32_t grant_row)
{
    const struct ch_row_grant *grant = ch_grant_row(w->state, grant_row);
    struct ch_scopes gives = ch_scopes_and(ch_scopes_at(w->state, grant->scopes), w->wanted);
    if (w->fact != NULL && !ch_scopes_empty(gives)) {
        const struct ch_evidence fact = {.kind = CH_fact_grant,
                                         .seq = grant->seq,
                                         .share = row,
                                         .member = w->member,
                                         .account = ch_share_row(w->state, row)->account,
                                         .grant = grant_row,
                                         .scopes = gives};
        w->fact(w->arg, &fact);
    }
    return gives;
}

static struct ch_scopes grants_give(struct walk *w, uint32_t row, const struct ch_row_share *share)
{
    struct ch_scopes gives = no_scopes;
    if (share->grant_count == 0) return gives;
    if (w->q->any && !w->q->has_resource) {
        for (uint32_t g = share->first_grant; g != 0; g = ch_grant_row(w->state, g)->next) {
            gives = ch_scopes_or(gives, one_grant(w, row, g));
        }
        return gives;
    }
    if (!w->q->has_resource || w->q->resource == 0) return gives;
    for (uint32_t k = CH_resource_kind_list; k <= CH_resource_kind_template; k++) {
        const uint8_t kind = (uint8_t)k;
        if (w->q->resource_kind != 0 && w->q->resource_kind != kind) continue;
        uint32_t grant = ch_find_grant(w->state, row, kind, w->q->resource);
        if (grant != 0) gives = ch_scopes_or(gives, one_grant(w, row, grant));
    }
    return gives;
}

/* What an account takes from what a share or key gives there. */
static void tell_bound(const struct walk *w, uint32_t share, uint32_t account, enum ch_fact kind,
                       uint64_t seq, struct ch_scopes gives, struct ch_scopes taken)
{
    const struct ch_scopes some = ch_scopes_and(gives, taken);
    if (w->fact == NULL || ch_scopes_empty(some)) return;
    const struct ch_evidence fact = {.kind = (uint8_t)kind,
                                     .seq = seq,
                                     .share = share,
                                     .member = w->member,
                                     .account = account,
                                     .key = share == 0 ? w->q->key : 0,
                                     .scopes = some};
    w->fact(w->arg, &fact);
}

/* What is left of what a share or key of the account `own` gives. A guardrail binds what stands
 * below its account, a content lock that of its own account too; so the people of the account above
 * keep their rights. share: 0 for a key */
static struct ch_scopes bind(struct walk *w, uint32_t share, uint32_t own, struct ch_scopes gives)
{
    const struct ch_scopes given = gives;
    for (uint32_t a = own; a != 0; a = ch_account_row(w->state, a)->parent) {
        const struct ch_row_account *account = ch_account_row(w->state, a);
        saw(w, account->changed);
        if (account->guardrail != 0 && a != own) {
            const struct ch_scopes guardrail = ch_scopes_at(w->state, account->guardrail);
            tell_bound(w, share, a, CH_fact_guardrail, account->guardrail_seq, given, guardrail);
            gives = ch_scopes_but(gives, guardrail);
        }
        if (account->content_lock_seq != 0) {
            const struct ch_scopes lock = ch_mask(w->state, CH_mask_kind_content_lock);
            w->locked = ch_scopes_or(w->locked, ch_scopes_and(gives, lock));
            tell_bound(w, share, a, CH_fact_content_lock, account->content_lock_seq, given, lock);
            gives = ch_scopes_but(gives, lock);
        }
    }
    return gives;
}

static void add_through(struct walk *w, uint32_t row)
{
    struct ch_through *through = &w->ret->through;
    if (through->count < CH_THROUGH_MOST) through->share[through->count] = row;
    if (through->count < w->q->through_room) w->q->through[through->count] = row;
    through->count++;
}

/* What gives is needed, and of a group's share the one that makes the user a member. The shares of
 * all groups that one share leads to follow each other, so each is noted once. */
static void note_through(struct walk *w, uint32_t row)
{
    const uint32_t own = w->member == 0 ? row : ch_member_row(w->state, w->member)->share;
    if (own != w->through_own) add_through(w, own);
    w->through_own = own;
    if (row != own) add_through(w, row);
}

/* Adds what a share that counts gives and takes. */
static void collect(struct walk *w, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(w->state, row);
    w->ret->led = true;
    tell(w, CH_fact_share, share->id, row, 0, share->account, no_scopes);
    struct ch_scopes gives = ch_scopes_or(role_gives(w, row, share), grants_give(w, row, share));
    gives = ch_scopes_or(gives, own_scopes_give(w, row, share));
    w->promised = ch_scopes_or(w->promised, gives);
    gives = bind(w, row, share->account, gives);
    w->given = ch_scopes_or(w->given, gives);
    if (!ch_scopes_empty(gives)) note_through(w, row);
    if (share->kind == CH_share_kind_login) {
        w->login = ch_scopes_and(ch_mask(w->state, CH_mask_kind_login), w->wanted);
        if (!ch_scopes_empty(w->login)) {
            tell(w, CH_fact_other_login, share->id, row, 0, share->account, w->login);
        }
    }
    const struct ch_row_terms *terms = ch_terms_of(w->state, share);
    if (terms->denied == 0) return;
    struct ch_scopes denied = ch_scopes_and(ch_scopes_at(w->state, terms->denied), w->wanted);
    w->denied = ch_scopes_or(w->denied, denied);
    if (!ch_scopes_empty(denied)) {
        tell(w, CH_fact_restriction, terms->denied_seq, row, 0, share->account, denied);
    }
}

static bool reaches(const struct walk *w, const struct ch_row_share *share)
{
    if (share->account == w->path[0] && !w->q->subtree_only) return true;
    if (share->reach != CH_reach_subtree) return false;
    for (uint32_t i = 0; i < w->path_len; i++) {
        if (w->path[i] == share->account) return true;
    }
    return false;
}

/* Whether the group has a share that reaches the account asked about, in use or not. */
static bool leads(const struct walk *w, const struct ch_row_group *group)
{
    uint32_t row = group->first_share;
    while (row != 0 && !reaches(w, ch_share_row(w->state, row))) {
        row = ch_share_row(w->state, row)->next_of_subject;
    }
    return row != 0;
}

/* The shares of a group and of the groups above it. */
static void collect_group(struct walk *w, uint32_t member_row)
{
    const struct ch_row_member *member = ch_member_row(w->state, member_row);
    uint32_t below = 0;
    for (uint32_t g = member->group; g != 0; g = ch_group_row(w->state, g)->parent) {
        const struct ch_row_group *group = ch_group_row(w->state, g);
        saw(w, group->changed);
        if (w->fact != NULL && leads(w, group)) {
            if (below == 0) {
                tell(w, CH_fact_membership, member->seq, 0, g, group->account, no_scopes);
            } else {
                tell(w, CH_fact_parent_group, ch_group_row(w->state, below)->parent_seq, 0, g,
                     group->account, no_scopes);
            }
        }
        for (uint32_t s = group->first_share; s != 0;
             s = ch_share_row(w->state, s)->next_of_subject) {
            if (reaches(w, ch_share_row(w->state, s)) && counts(w, s)) collect(w, s);
        }
        below = g;
    }
}

/* What the state of an account on the path takes away from everybody, here and below. */
static void take_masks(struct walk *w, const struct ch_row_account *account, uint32_t row)
{
    for (uint32_t authority = 0; authority < 2; authority++) {
        if (account->suspended_seq[authority] == 0) continue;
        w->suspended = ch_scopes_and(ch_mask(w->state, CH_mask_kind_suspended), w->wanted);
        tell(w, CH_fact_suspended, account->suspended_seq[authority], 0, 0, row, w->suspended);
    }
    if (account->unpaid_seq == 0) return;
    w->unpaid = ch_scopes_and(ch_mask(w->state, CH_mask_kind_unpaid), w->wanted);
    if (ch_scopes_empty(w->unpaid)) return;
    tell(w, CH_fact_unpaid, account->unpaid_seq, 0, 0, row, w->unpaid);
}

/* What one stopped stream of mail takes away. */
static void take_stream(struct walk *w, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(w->state, row);
    const struct ch_scopes mask =
        ch_scopes_and(ch_mask(w->state, stream->stream == CH_mail_stream_marketing
                                            ? CH_mask_kind_marketing_stopped
                                            : CH_mask_kind_transactional_stopped),
                      w->q->wanted);
    saw(w, stream->changed);
    w->stopped = ch_scopes_or(w->stopped, mask);
    if (ch_scopes_empty(mask)) return;
    for (uint32_t authority = 0; authority < 2; authority++) {
        const struct ch_evidence fact = {.kind = CH_fact_stream_stopped,
                                         .seq = stream->stopped_seq[authority],
                                         .account = stream->account,
                                         .stream = row,
                                         .scopes = mask};
        if (fact.seq != 0 && w->fact != NULL) w->fact(w->arg, &fact);
    }
}

/* The stopped streams of the account asked about: those of the accounts above it and below it are
 * other mail. */
static void take_streams(struct walk *w, const struct ch_row_account *account, uint32_t row)
{
    if (w->q->granting) return;
    for (uint8_t kind = 0; kind < 2; kind++) {
        if ((account->stopped >> kind & 1) == 0) continue;
        take_stream(w, ch_find_stream(w->state, row, /* key= */ 0, kind));
    }
}

/* The accounts from the one asked about to the root. False if one of them is closed. */
static bool find_path(struct walk *w)
{
    bool open = true;
    for (uint32_t a = w->q->account; a != 0; a = ch_account_row(w->state, a)->parent) {
        const struct ch_row_account *account = ch_account_row(w->state, a);
        CH_CHECK(w->path_len < PATH_MOST);
        w->path[w->path_len++] = a;
        saw(w, account->changed);
        if (account->status != CH_account_status_open) {
            open = false;
            tell(w, CH_fact_account_closed, account->closed_seq, 0, 0, a, no_scopes);
        }
        take_masks(w, account, a);
        if (a == w->q->account && account->stopped != 0) take_streams(w, account, a);
    }
    return open;
}

static void deny(struct walk *w, enum ch_decision decision, enum ch_reason reason)
{
    w->ret->decision = (uint8_t)decision;
    w->ret->reason = (uint8_t)reason;
}

/* Whether what is missing would be there but for `taken`. */
static bool took(const struct walk *w, struct ch_scopes missing, struct ch_scopes taken)
{
    return !ch_scopes_empty(ch_scopes_and(ch_scopes_and(missing, w->promised), taken));
}

static enum ch_reason why_taken(const struct walk *w, struct ch_scopes missing)
{
    if (took(w, missing, w->suspended)) return CH_reason_suspended;
    if (took(w, missing, w->unpaid)) return CH_reason_unpaid;
    if (took(w, missing, w->stopped)) return CH_reason_stream_stopped;
    if (took(w, missing, w->login)) return CH_reason_other_login;
    if (took(w, missing, w->kind_took)) return CH_reason_master_key;
    if (took(w, ch_scopes_and(missing, w->given), w->denied)) return CH_reason_restricted;
    if (took(w, missing, w->locked)) return CH_reason_content_locked;
    return CH_reason_guardrail;
}

/* Who may send campaigns to a list may choose it: see its name and size. */
static struct ch_scopes with_implied(struct ch_scopes scopes)
{
    if (ch_scopes_has(scopes, CH_SCOPE_campaigns_send)) {
        ch_scopes_add(&scopes, CH_SCOPE_lists_select);
    }
    return scopes;
}

/* What is asked, and what would imply it. */
static struct ch_scopes with_implying(struct ch_scopes scopes)
{
    if (ch_scopes_has(scopes, CH_SCOPE_lists_select)) {
        ch_scopes_add(&scopes, CH_SCOPE_campaigns_send);
    }
    return scopes;
}

static void conclude(struct walk *w)
{
    const struct ch_scopes wanted = w->q->wanted;
    const struct ch_scopes masks = ch_scopes_or(ch_scopes_or(w->suspended, w->unpaid), w->login);
    const struct ch_scopes left = ch_scopes_but(ch_scopes_but(w->given, w->denied), masks);
    /* A stopped stream takes last: whose sending is stopped may still see the lists. */
    w->ret->given = ch_scopes_but(ch_scopes_and(with_implied(left), wanted), w->stopped);
    struct ch_scopes missing = ch_scopes_but(wanted, w->ret->given);
    if (ch_scopes_empty(missing)) {
        deny(w, CH_decision_allowed, CH_reason_granted);
        return;
    }
    if (!w->ret->led) {
        deny(w, CH_decision_implicit_deny,
             w->wrong_channel                ? CH_reason_channel
             : w->q->key != 0 && w->inactive ? CH_reason_key_expired
                                             : CH_reason_no_share);
        return;
    }
    if (!ch_scopes_empty(ch_scopes_but(wanted, with_implied(w->promised)))) {
        deny(w, CH_decision_implicit_deny, CH_reason_not_granted);
        return;
    }
    missing = with_implying(missing); /* what took the one took the other */
    deny(w, CH_decision_explicit_deny, why_taken(w, missing));
}

/* What a share of the account, or the key, would give. */
static void suppose(struct walk *w, uint32_t account)
{
    w->ret->led = true;
    w->promised = ch_scopes_or(w->promised, w->wanted);
    w->given = ch_scopes_or(w->given, bind(w, /* share= */ 0, account, w->wanted));
}

/* Whether a share is one of those that are passed over. */
static bool is_left_out(const struct walk *w, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(w->state, row);
    if (row == w->q->without_share) return true;
    if (w->q->without_maker == 0 || share->made_by != w->q->without_maker) return false;
    if (row == ch_account_row(w->state, share->account)->owner) return false;
    uint32_t a = share->account;
    while (a != 0 && a != w->q->without_in) {
        a = ch_account_row(w->state, a)->parent;
    }
    return a != 0;
}

/* The user's share of the account that is gone because its date came. */
static void tell_over(struct walk *w, uint32_t user, uint32_t account)
{
    const uint32_t row = ch_find_seat(w->state, user, account);
    if (row == 0 || !ch_seat_row(w->state, row)->by_date) return;
    const uint64_t seq = ch_seat_row(w->state, row)->status_seq;
    saw(w, seq);
    tell(w, CH_fact_share_ended_by_date, seq, 0, 0, account, no_scopes);
}

/* The shares of a user and of the groups they are in. */
static void collect_user(struct walk *w, uint32_t user)
{
    for (uint32_t i = 0; i < w->path_len; i++) {
        uint32_t row = ch_find_share(w->state, CH_subject_kind_user, user, w->path[i]);
        const bool supposes = w->q->as_given && i == 0;
        if (row == 0 && supposes) suppose(w, w->path[0]);
        if (row == 0 && w->fact != NULL) tell_over(w, user, w->path[i]);
        if (row == 0 || is_left_out(w, row) || !counts(w, row)) continue;
        if (supposes) suppose(w, w->path[0]);
        const struct ch_row_share *share = ch_share_row(w->state, row);
        if (reaches(w, share)) collect(w, row);
        for (uint32_t m = share->first_member; m != 0;
             m = ch_member_row(w->state, m)->next_of_share) {
            if (m == w->q->without_member) continue;
            w->member = m;
            collect_group(w, m);
            w->member = 0;
        }
    }
}

/* A fact about the key that is asked about. */
static void tell_key(const struct walk *w, enum ch_fact kind, uint64_t seq, struct ch_scopes scopes)
{
    if (w->fact == NULL) return;
    const struct ch_evidence fact = {
        .kind = (uint8_t)kind, .seq = seq, .key = w->q->key, .scopes = scopes};
    w->fact(w->arg, &fact);
}

/* What a key gives, if it leads to the account. */
static void collect_key(struct walk *w, uint32_t row)
{
    const struct ch_row_key *key = ch_key_row(w->state, row);
    const bool master = key->kind == CH_key_kind_master;
    saw(w, key->changed);
    const bool leads = ch_key_leads(w->state, row, w->q->account);
    const bool expired = key->expires_at != 0 && key->expires_at <= w->q->now;
    if (w->q->as_given && (!leads || expired)) suppose(w, w->q->account); /* another key does */
    if (!leads || (w->q->subtree_only && !master)) return;
    if (expired) {
        w->inactive = true;
        tell_key(w, CH_fact_key_expired, key->id, no_scopes);
        return;
    }
    if (key->expires_at != 0) w->ret->valid_until = key->expires_at;
    w->ret->led = true;
    struct ch_scopes gives = ch_scopes_and(ch_scopes_at(w->state, key->scopes), w->wanted);
    tell_key(w, CH_fact_key, key->id, gives);
    if (w->q->as_given) gives = w->wanted;
    w->promised = gives;
    if (master) {
        const struct ch_scopes mask = ch_mask(w->state, CH_mask_kind_master_key);
        w->kind_took = ch_scopes_and(gives, mask);
        if (!ch_scopes_empty(w->kind_took)) {
            tell_key(w, CH_fact_master_key, ch_mask_row(w->state, CH_mask_kind_master_key)->seq,
                     w->kind_took);
        }
    }
    w->given = ch_scopes_but(bind(w, /* share= */ 0, key->account, gives), w->kind_took);
    for (uint8_t kind = 0; kind < 2 && !w->q->granting; kind++) {
        const uint32_t stream = ch_find_stream(w->state, key->account, key->id, kind);
        if (stream == 0) continue;
        const uint64_t *stopped = ch_stream_row(w->state, stream)->stopped_seq;
        if (stopped[0] != 0 || stopped[1] != 0) take_stream(w, stream);
    }
}

/* Who is not active has nothing. */
static void stop_user(struct walk *w, const struct ch_row_user *user)
{
    enum ch_fact fact = CH_fact_not_accepted;
    enum ch_reason reason = CH_reason_not_accepted;
    if (user->status == CH_user_status_locked) {
        fact = CH_fact_user_locked;
        reason = CH_reason_user_locked;
    } else if (user->status == CH_user_status_erased) {
        fact = CH_fact_user_erased;
        reason = CH_reason_user_erased;
    } else if (user->status == CH_user_status_deleted) {
        fact = CH_fact_login_deleted;
        reason = CH_reason_login_deleted;
    }
    tell(w, fact, user->status_seq, 0, 0, 0, no_scopes);
    w->ret->given = no_scopes;
    if (w->ret->decision == CH_decision_allowed) deny(w, CH_decision_explicit_deny, reason);
}

void ch_access(const struct ch_state *state, const struct ch_question *question,
               struct ch_answer *ret, ch_fact_fn *fact, void *arg)
{
    *ret = (struct ch_answer){0};
    struct walk w = {.state = state,
                     .q = question,
                     .wanted = with_implying(question->wanted),
                     .ret = ret,
                     .fact = fact,
                     .arg = arg};
    const struct ch_row_user *user = NULL;
    if (question->user != 0) user = ch_user_row(state, question->user);
    if (user != NULL) saw(&w, user->changed);
    const bool open = find_path(&w);
    if (user != NULL) {
        collect_user(&w, question->user);
    } else if (question->key != 0) {
        collect_key(&w, question->key);
    } else if (question->as_given) {
        suppose(&w, question->account);
    }
    conclude(&w);
    if (user != NULL && user->status != CH_user_status_active) {
        stop_user(&w, user);
    } else if (!open) {
        ret->given = no_scopes;
        deny(&w, CH_decision_explicit_deny, CH_reason_account_closed);
    }
}
