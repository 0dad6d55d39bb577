/* receipt_file: a receipt, checked with the log's key alone. SPDX-License-Identifier: MIT
 * source: daemon/log/receipt.h */
#ifndef CH_VERIFY_RECEIPT_FILE_H
#define CH_VERIFY_RECEIPT_FILE_H
#include "tools/verify/options.h"

/* Did the log's daemon answer this, and are the events it names in its log? */
enum exit_code receipt_file(const struct options *options);
#endif
