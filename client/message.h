/* message: the inside of a message that is being built. SPDX-License-Identifier: MIT */
#ifndef CH_CLIENT_MESSAGE_H
#define CH_CLIENT_MESSAGE_H
#include "client/include/charter/charter.h"
#include "schema/base/buf.h"
#include "schema/base/err.h"

/* Appends the whole request.
 * errors: the sticky one of building; CH_ERR_TOO_LARGE, NO_MEMORY, MISSING_FIELD (no calls) */
CH_MUST_USE enum ch_err ch_message_write(struct charter_message *m, struct ch_buf *ret,
                                         struct ch_why *why);
#endif
