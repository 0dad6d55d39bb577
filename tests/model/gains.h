/* gains: by what somebody did nobody has more than they had. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_GAINS_H
#define CH_TESTS_MODEL_GAINS_H
#include "daemon/core/state.h"
#include "tests/model/oracle.h"

struct m_rights {
    size_t users, accounts;
    struct ch_scopes has[O_USERS][O_ACCOUNTS];
    struct ch_scopes actor[O_ACCOUNTS]; /* what the one who acts may give on */
};

/* The rights of everybody everywhere, as core answers them at the command's moment.
 * form: on at least one resource (0), on all (1), on one of O_RESOURCES (from 2) */
enum { M_FORMS = 2 + O_RESOURCES };
void m_rights_take(struct m_rights *rights, const struct ch_state *state, const struct o_world *w,
                   const struct o_command *c, uint32_t form);

/* After a person's or a key's command: what anybody gained the actor had, and a person gained
 * nothing by what they did themselves. */
void m_rights_compare(const struct m_rights *before, const struct m_rights *after,
                      const struct o_world *w, const struct o_command *c);
#endif
