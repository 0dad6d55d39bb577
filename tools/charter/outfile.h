/* outfile: bytes to a file or to standard output. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_OUTFILE_H
#define CH_CHARTER_OUTFILE_H
#include "tools/charter/options.h"

/* NULL, and "-" as everywhere else. */
bool outfile_is_stdout(const char *path);

/* A file takes its name only when all of it is durable; what had the name before stays until then.
 * What is no regular file, such as a device or a pipe, is written to as it is.
 * path:    what outfile_is_stdout says is standard output
 * returns: EXIT_DONE or EXIT_FAILED, told on standard error */
enum exit_code outfile_write(const char *path, const void *ptr, size_t len);
#endif
