/* invariant_key: what must hold of keys; see invariant.h. SPDX-License-Identifier: MIT */
#include "daemon/core/invariant_impl.h"

/* The keys of one account. */
static const char *keys_of(struct tally *t, uint32_t account, uint64_t *sum)
{
    const struct ch_state *s = t->state;
    static const uint8_t none[32] = {0};
    struct short_text space;
    uint32_t count = 0;
    uint32_t before = 0;
    const struct ch_row_account *owner = ch_account_row(s, account);
    for (uint32_t k = owner->first_key; k != 0; k = ch_key_row(s, k)->next_of_account) {
        HOLDS(live(s, CH_T_KEY, k) && count++ < owner->key_count, "an account counts its keys");
        const struct ch_row_key *key = ch_key_row(s, k);
        HOLDS(key->account == account && key->prev_of_account == before,
              "an account's keys are linked both ways");
        HOLDS(count_text(t, key->name) && count_scopes(t, key->scopes), "a key has a name");
        HOLDS(ch_find_key(s, key->id) == k, "a key is found by id");
        HOLDS(ch_find_key_name(s, account, text_at(s, key->name, &space)) == k,
              "an account's keys differ in name");
        HOLDS(ch_find_key_secret(s, key->hash, 0) == k, "no two keys share a secret");
        HOLDS(key->old_until == 0 || memcmp(key->old_hash, none, sizeof none) != 0,
              "a secret that works yet has a hash");
        HOLDS((key->expires_at != 0) == (key->due != 0), "a key that ends is in the heap");
        t->dues += key->due != 0;
        t->olds += memcmp(key->old_hash, none, sizeof none) != 0;
        before = k;
    }
    HOLDS(count == owner->key_count, "an account counts its keys");
    *sum += count;
    return NULL;
}

const char *ch_keys_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t sum = 0;
    for (uint32_t row = next(s, CH_T_ACCOUNT, 0); row != 0; row = next(s, CH_T_ACCOUNT, row)) {
        const char *broken = keys_of(t, row, &sum);
        if (broken != NULL) return broken;
    }
    HOLDS(sum == live_rows(s, CH_T_KEY), "every key is in its account's list");
    return NULL;
}

const char *ch_sessions_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t sum = 0;
    for (uint32_t row = next(s, CH_T_USER, 0); row != 0; row = next(s, CH_T_USER, row)) {
        uint32_t count = 0;
        uint32_t before = 0;
        const struct ch_row_user *user = ch_user_row(s, row);
        for (uint32_t k = user->first_session; k != 0; k = ch_session_row(s, k)->next_of_user) {
            HOLDS(live(s, CH_T_SESSION, k) && count++ < user->session_count,
                  "a user counts their sessions");
            const struct ch_row_session *session = ch_session_row(s, k);
            HOLDS(session->user == row && session->prev_of_user == before,
                  "a user's sessions are linked both ways");
            HOLDS(ch_find_session(s, session->id) == k, "a session is found by id");
            HOLDS(ch_find_session_secret(s, session->hash) == k, "no two sessions share a secret");
            HOLDS(session->account == 0 || live(s, CH_T_ACCOUNT, session->account),
                  "a session's current account is there");
            HOLDS(session->due != 0, "a session is in the heap");
            t->dues++;
            before = k;
        }
        HOLDS(count == user->session_count, "a user counts their sessions");
        sum += count;
    }
    HOLDS(sum == live_rows(s, CH_T_SESSION), "every session is in its user's list");
    return NULL;
}

/* Users know how much is of their making. */
const char *ch_made_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    for (uint32_t row = next(s, CH_T_SHARE, 0); row != 0; row = next(s, CH_T_SHARE, row)) {
        t->made[ch_share_row(s, row)->made_by]++;
    }
    for (uint32_t row = next(s, CH_T_GRANT, 0); row != 0; row = next(s, CH_T_GRANT, row)) {
        t->made[ch_grant_row(s, row)->made_by]++;
    }
    for (uint32_t row = next(s, CH_T_KEY, 0); row != 0; row = next(s, CH_T_KEY, row)) {
        t->made[ch_key_row(s, row)->person]++;
    }
    for (uint32_t row = next(s, CH_T_USER, 0); row != 0; row = next(s, CH_T_USER, row)) {
        HOLDS(ch_user_row(s, row)->made == t->made[row], "a user counts what they made");
    }
    return NULL;
}
