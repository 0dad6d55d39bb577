/* failure: the library's own failures, told through the public struct. SPDX-License-Identifier: MIT
 */
#ifndef CH_CLIENT_FAILURE_H
#define CH_CLIENT_FAILURE_H
#include "client/include/charter/charter.h"
#include "schema/base/err.h"
#include "schema/reply.h"

/* Fills error (NULL is allowed) from `why`; returns the wire number. */
int ch_client_fail(struct charter_error *error, const struct ch_why *why);

/* From a failure as the daemon tells it; an unknown code has the number of net_io. */
int ch_client_fail_no(struct charter_error *error, const struct ch_reply_no *no);
#endif
