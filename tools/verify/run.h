/* run: verifying a data directory or a bundle in a process of its own. SPDX-License-Identifier: MIT
 * A damaged LMDB file can crash liblmdb, and a forged record can break an assertion: then the
 * process that reads dies, and this one tells near which record. */
#ifndef CH_VERIFY_RUN_H
#define CH_VERIFY_RUN_H
#include "tools/verify/options.h"

/* Checks the directory or the bundle, shows progress, prints what was found. */
enum exit_code run_log(const struct options *options);
#endif
