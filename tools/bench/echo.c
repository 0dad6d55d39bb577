/* echo: see echo.h. SPDX-License-Identifier: MIT */
#include "tools/bench/echo.h"

#include "tools/bench/rep.h"
#include "tools/bench/child.h"

static void turn(void *context, struct ch_rep_list *arrived)
{
    (void)context;
    ch_rep_answer(arrived);
}

enum ch_err ch_echo_serve(const char *url, uint32_t contexts, bool in_loop, struct ch_why *why)
{
    struct ch_rep rep;
    enum ch_err err = ch_rep_open(&rep, url, contexts, in_loop ? turn : NULL, NULL, why);
    if (err == CH_OK) {
        ch_child_ready();
        ch_rep_run(&rep);
    }
    ch_rep_close(&rep);
    return err;
}
