/* generate_impl: what the generate_* files share. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_GENERATE_IMPL_H
#define CH_TESTS_MODEL_GENERATE_IMPL_H
#include "tests/model/generate.h"
#include "tests/model/rules.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))
enum { NOBODY = 999999, M_PEOPLE = 8, M_LABELS = 5, M_PAGES = 7, MOST_KEYS = O_KEYS - 8 };

extern const char *const m_people[M_PEOPLE];
extern const char *const m_labels[M_LABELS];
extern const char *const m_pages[M_PAGES]; /* the last is none */

/* Each of an array once, from a random place on. */
#define EACH(at, random, array)                                                                    \
    uint32_t at##_n = 0, at##_first = m_below((random), COUNT(array)), at = at##_first;            \
    at##_n < COUNT(array);                                                                         \
    at##_n++, at = (at##_first + at##_n) % COUNT(array)

struct ch_scopes m_some_scopes(struct m_random *random, uint32_t most);
void m_put(char *out, size_t size, const char *name);
void m_pick_name(struct o_pick *pick, const char *name);
static inline void m_pick_id(struct o_pick *pick, uint64_t id)
{
    *pick = (struct o_pick){.given = true, .id = id};
}
struct o_account *m_pick_account(struct m_random *random, struct o_world *w, struct o_pick *pick);
void m_pick_user(struct m_random *random, struct o_world *w, struct o_pick *pick);
void m_pick_role(struct m_random *random, struct o_world *w, const struct o_account *on,
                 struct o_pick *pick);
void m_some_expiry(struct m_random *random, struct o_command *c);
/* A person whom a share leads to the account, most often, as the actor; false: none was found. */
bool m_person_there(struct m_random *random, struct o_world *w, const struct o_account *on,
                    struct o_command *c);

/* generate_whole.c: any command for which there is room; who sends it; by which session. */
int m_some_command(struct m_random *random, const struct o_world *w);
void m_actor(struct m_random *random, struct o_world *w, const struct o_account *on,
             struct o_command *c);
void m_means(struct m_random *random, struct o_world *w, struct o_command *c);

/* The arguments, where the command is of their sort. */
void m_fill(struct m_random *random, struct o_world *w, const struct o_account *on,
            struct o_command *c);
void m_go_back(struct m_random *random, struct o_world *w, struct o_command *c);
void m_fill_sub(struct m_random *random, struct o_world *w, struct o_command *c);
void m_fill_people(struct m_random *random, struct o_world *w, const struct o_account *on,
                   struct o_command *c);
void m_fill_mail(struct m_random *random, struct o_world *w, const struct o_account *on,
                 struct o_command *c);
void m_fill_billing(struct m_random *random, struct o_world *w, const struct o_account *on,
                    struct o_command *c);

/* Changes `on`, and with it who acts: as the actor of kind and id given, or somebody there. */
void m_go_to(struct o_command *c, uint64_t account);
void m_act_as(struct o_command *c, uint8_t kind, uint64_t id);
#endif
