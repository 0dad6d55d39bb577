/* file: see file.h. SPDX-License-Identifier: MIT */
#include "tools/lib/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORD_FILE_MOST = 4096 };

bool file_read(const char *program, const char *path, size_t most, struct ch_buf *ret)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    bool good = file != NULL && ch_buf_reserve(ret, most + 1);
    if (good) ret->len = fread(ret->ptr, 1, most + 1, file);
    good = good && ferror(file) == 0;
    if (!good) {
        (void)fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
    } else if (ret->len > most) {
        (void)fprintf(stderr, "%s: %s: larger than %zu bytes\n", program, path, most);
        good = false;
    }
    if (file != NULL && file != stdin) (void)fclose(file);
    return good;
}

bool file_word(const char *program, const char *name, struct ch_buf *space, struct ch_text *ret)
{
    *ret = ch_text_of(name);
    if (access(name, F_OK) != 0) return true;
    if (!file_read(program, name, WORD_FILE_MOST, space)) return false;
    *ret = (struct ch_text){(const char *)space->ptr, 0};
    while (ret->len < space->len && (unsigned char)ret->ptr[ret->len] > ' ') {
        ret->len++;
    }
    return true;
}

bool file_printed(const char *program)
{
    const bool failed = ferror(stdout) != 0; /* before: what it was is not known any more */
    errno = 0;
    if (fflush(stdout) == 0 && !failed) return true;
    (void)fprintf(stderr, "%s: failed: standard output: %s\n", program,
                  errno != 0 ? strerror(errno) : "not all could be written");
    return false;
}
