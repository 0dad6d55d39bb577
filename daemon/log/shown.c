/* shown: see shown.h. SPDX-License-Identifier: MIT */
#include "daemon/log/shown.h"

#include <sodium.h>

#include "schema/base/check.h"
#include "schema/limits.h"

enum { SECRET_MOST = 64 };

struct place {
    struct ch_shown_key key;
    uint32_t len; /* 0: empty */
    uint32_t spare;
    char secret[SECRET_MOST];
};

struct ch_shown {
    uint64_t next; /* the place to be taken */
    struct place places[];
};

static bool same(const struct ch_shown_key *a, const struct ch_shown_key *b)
{
    return a->actor_id == b->actor_id && a->actor_kind == b->actor_kind && a->call == b->call &&
           memcmp(a->id, b->id, sizeof a->id) == 0;
}

struct ch_shown *ch_shown_create(void)
{
    struct ch_shown *shown = NULL;
    const size_t bytes = sizeof *shown + LIMIT_SECRETS_KEPT * sizeof shown->places[0];
    shown = sodium_malloc((bytes + 63) / 64 * 64); /* its end lies on a page's */
    if (shown != NULL) memset(shown, 0, bytes);
    return shown;
}

void ch_shown_destroy(struct ch_shown *shown)
{
    sodium_free(shown);
}

void ch_shown_put(struct ch_shown *shown, const struct ch_shown_key *key, struct ch_text secret)
{
    CH_CHECK(secret.len > 0 && secret.len <= SECRET_MOST);
    struct place *place = &shown->places[shown->next % LIMIT_SECRETS_KEPT];
    for (uint64_t i = 0; i < LIMIT_SECRETS_KEPT; i++) {
        if (shown->places[i].len > 0 && same(&shown->places[i].key, key)) place = &shown->places[i];
    }
    if (place == &shown->places[shown->next % LIMIT_SECRETS_KEPT]) shown->next++;
    sodium_memzero(place, sizeof *place);
    place->key = *key;
    place->len = (uint32_t)secret.len;
    memcpy(place->secret, secret.ptr, secret.len);
}

struct ch_text ch_shown_find(const struct ch_shown *shown, const struct ch_shown_key *key)
{
    for (uint64_t i = 0; i < LIMIT_SECRETS_KEPT; i++) {
        const struct place *place = &shown->places[i];
        if (place->len > 0 && same(&place->key, key)) {
            return (struct ch_text){place->secret, place->len};
        }
    }
    return (struct ch_text){"", 0};
}
