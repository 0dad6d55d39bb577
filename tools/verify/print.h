/* print: results, for people and as JSON. SPDX-License-Identifier: MIT */
#ifndef CH_VERIFY_PRINT_H
#define CH_VERIFY_PRINT_H
#include "tools/verify/options.h"

/* Says what was checked, or what is false; and what the program ends with. */
enum exit_code print_report(const struct options *options, const struct ch_verify_report *report);
#endif
