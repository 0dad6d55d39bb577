/* proto: see proto.h. SPDX-License-Identifier: MIT */
#include "tools/bench/proto.h"

#include "tools/bench/bare_log.h"
#include "tools/bench/group_commit.h"
#include "tools/bench/rep.h"
#include "tools/bench/child.h"

/* First the new work, so that the commit thread does not wait for the sending of the old answers.
 */
static void turn(void *context, struct ch_rep_list *arrived)
{
    struct ch_group_commit *group = context;
    ch_group_commit_give(group, arrived);
    struct ch_rep_list durable;
    ch_group_commit_take(group, &durable);
    ch_rep_answer(&durable);
}

enum ch_err ch_proto_serve(const char *url, uint32_t contexts, const char *dir, size_t record_bytes,
                           struct ch_why *why)
{
    struct ch_bare_log log = {0};
    struct ch_rep rep = {.ring_fd = -1};
    struct ch_group_commit group;
    enum ch_err err = ch_bare_log_open(&log, dir, why);
    if (err != CH_OK) return err;
    err = ch_rep_open(&rep, url, contexts, turn, &group, why);
    if (err != CH_OK) goto out;
    /* A request may already wait; it is taken at the first turn, so after the thread exists. */
    err = ch_group_commit_start(&group, &log, &rep, record_bytes, why);
    if (err != CH_OK) goto out;
    ch_child_ready();
    ch_rep_run(&rep);
    ch_group_commit_stop(&group);
out:
    ch_rep_close(&rep);
    ch_bare_log_close(&log);
    return err;
}
