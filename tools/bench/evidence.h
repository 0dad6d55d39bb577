/* evidence: what proving a long log costs. SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_EVIDENCE_H
#define CH_BENCH_EVIDENCE_H
#include "tools/bench/options.h"

extern const char ch_evidence_help[];
/* errors: CH_ERR_CONFIG, CH_ERR_STOPPED, those of ch_history_make and of the rows */
CH_MUST_USE enum ch_err ch_evidence_run(const struct ch_options *options, struct ch_why *why);
#endif
