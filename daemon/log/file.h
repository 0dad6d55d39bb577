/* file: whole reads and writes at a place in a file. SPDX-License-Identifier: MIT
 * Each returns 0 or an errno; goes on after signals and short counts. Threads: any. */
#ifndef CH_LOG_FILE_H
#define CH_LOG_FILE_H
#include "schema/base/bytes.h"

int ch_file_write(int fd, uint64_t at, const void *ptr, size_t len);

/* ret_len: how much there was; less than len at the end of the file */
int ch_file_read(int fd, uint64_t at, void *ptr, size_t len, size_t *ret_len);

/* Makes the entry of a file in the directory that `path` lies in durable. */
int ch_file_sync_parent(const char *path);
#endif
