/* proof_file: proofs in files, checked with the log's key alone. SPDX-License-Identifier: MIT
 * source: C2SP tlog-proof, tlog-witness (the body of add-checkpoint) */
#ifndef CH_VERIFY_PROOF_FILE_H
#define CH_VERIFY_PROOF_FILE_H
#include "tools/verify/options.h"

/* Is the event in the log, at its place? */
enum exit_code proof_file_inclusion(const struct options *options);
/* Does the log of the file's checkpoint begin with that of the one it is compared with? */
enum exit_code proof_file_consistency(const struct options *options);
#endif
