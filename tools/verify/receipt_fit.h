/* receipt_fit: whether an event says what an explanation says of it. SPDX-License-Identifier: MIT
 * An event that set a fact names things: the account, share, group, role or key. None that the fact
 * names may be another than those. Which kind of event can set which fact is the rules' business:
 * only replay shows that; of those that give, receipt_sense knows. */
#ifndef CH_VERIFY_RECEIPT_FIT_H
#define CH_VERIFY_RECEIPT_FIT_H
#include "tools/verify/receipt_read.h"

/* What is wrong; NULL: nothing.
 * groups: of the subject, as memberships in the explanation say; ids */
const char *receipt_misfit(const struct statement *statement, const struct fact *fact,
                           const struct ch_event *event, const uint64_t *groups,
                           size_t group_count);
#endif
