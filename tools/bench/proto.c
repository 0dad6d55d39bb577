/* proto: see proto.h. SPDX-License-Identifier: MIT */
#include "tools/bench/proto.h"

#include "tools/bench/bare_log.h"
#include "tools/bench/committer.h"
#include "tools/bench/rep.h"
#include "tools/bench/serve.h"

/* First the new work, so that the commit thread does not wait for the sending of the old answers.
 */
static void turn(void *context, struct ch_rep_list *arrived)
{
    struct ch_committer *committer = context;
    ch_committer_give(committer, arrived);
    struct ch_rep_list durable;
    ch_committer_take(committer, &durable);
    ch_rep_answer(&durable);
}

enum ch_err ch_proto_serve(const char *url, uint32_t contexts, const char *dir, size_t record_bytes,
                           struct ch_why *why)
{
    struct ch_bare_log log = {0};
    struct ch_rep rep = {.ring_fd = -1};
    struct ch_committer committer;
    enum ch_err err = ch_bare_log_open(&log, dir, why);
    if (err != CH_OK) return err;
    err = ch_rep_open(&rep, url, contexts, turn, &committer, why);
    if (err != CH_OK) goto out;
    /* A request may already wait; it is taken at the first turn, so after the thread exists. */
    err = ch_committer_start(&committer, &log, &rep, record_bytes, why);
    if (err != CH_OK) goto out;
    ch_serve_ready();
    ch_rep_run(&rep);
    ch_committer_stop(&committer);
out:
    ch_rep_close(&rep);
    ch_bare_log_close(&log);
    return err;
}
