/* proof: charter proof inclusion and proof consistency, as files that others can check.
 * SPDX-License-Identifier: MIT
 * source: C2SP tlog-proof (inclusion; the record is its extra data), tlog-witness (consistency: the
 * body of add-checkpoint) */
#ifndef CH_CHARTER_PROOF_H
#define CH_CHARTER_PROOF_H
#include "client/include/charter/charter.h"
#include "tools/charter/help.h"

extern const struct special proof_special;
/* Whether the words after `proof` are one of the two. */
bool proof_wanted(const struct command_line *line);
enum exit_code proof_run(struct command_line *line);

/* Prints the signed note of an answer as it stands; false if it has none. */
bool proof_print_note(struct charter_bytes answer);
#endif
