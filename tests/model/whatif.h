/* whatif: what a list of commands would change, against what it changes. SPDX-License-Identifier:
 * MIT */
#ifndef CH_TESTS_MODEL_WHATIF_H
#define CH_TESTS_MODEL_WHATIF_H
#include "tests/model/live.h"

enum { M_LIST_MOST = 8, M_SUBJECTS = O_USERS + 2 * O_KEYS, M_RIGHTS = 2 + O_RESOURCES };

/* The commands, all at one moment, and who and what there is before or after them. */
struct m_list {
    struct o_command commands[M_LIST_MOST];
    size_t count;
    uint64_t now;
    struct {
        uint64_t user;
        uint64_t key;
    } subjects[M_SUBJECTS];
    size_t subject_count;
    uint64_t accounts[O_ACCOUNTS];
    size_t account_count;
};

/* Everybody's rights everywhere: about all resources, about each, and about one never named. */
struct m_everything {
    struct ch_scopes rights[M_SUBJECTS][O_ACCOUNTS][M_RIGHTS];
    struct {
        bool plan, allocation;
        uint64_t figures[9];
    } ledgers[O_ACCOUNTS];
};

/* Fills in the subjects and accounts of the worlds before and after. */
void m_list_about(struct m_list *list, const struct o_world *before, const struct o_world *after);
void m_everything_take(struct m_everything *all, const struct ch_state *state,
                       const struct m_list *list);

/* Has core say what the commands would change; ends the program where that is not, line for line,
 * the difference of the two. Returns how many lines there were. */
size_t m_what_if(struct m_live *live, const struct m_list *list, const struct m_everything *before,
                 const struct m_everything *after, size_t most);
#endif
