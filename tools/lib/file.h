/* file: whole small files, and words in them. SPDX-License-Identifier: MIT
 * program: before what is told on standard error. */
#ifndef CH_LIB_FILE_H
#define CH_LIB_FILE_H
#include "schema/base/buf.h"

/* A whole file of at most `most` bytes. path: "-" is standard input. False: told. */
bool file_read(const char *program, const char *path, size_t most, struct ch_buf *ret);

/* The first word of the file that is called so, or the one behind a line's "key:", as `charter
 * checkpoint key` prints it; where there is no such file, the name itself.
 * space: zeroed; deinit it when the word is not needed any more. False: told. */
bool file_word(const char *program, const char *name, struct ch_buf *space, struct ch_text *ret);

/* At a program's end: whether all that was printed on standard output has left. False: told. */
bool file_printed(const char *program);
#endif
