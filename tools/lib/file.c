/* file: see file.h. SPDX-License-Identifier: MIT */
#include "tools/lib/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "schema/base/lines.h"

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

/* Of what `charter checkpoint key` prints, one name and value a line, the value of "key:". */
static struct ch_text first_word(struct ch_text text)
{
    struct ch_text rest = text;
    struct ch_text line;
    while (ch_text_take_line(&rest, &line)) {
        if (!ch_text_take_prefix(&line, "key:")) continue;
        while (line.len > 0 && *line.ptr == ' ') {
            line = (struct ch_text){line.ptr + 1, line.len - 1};
        }
        text = line;
        break;
    }
    size_t len = 0;
    while (len < text.len && (unsigned char)text.ptr[len] > ' ') {
        len++;
    }
    return (struct ch_text){text.ptr, len};
}

bool file_word(const char *program, const char *name, struct ch_buf *space, struct ch_text *ret)
{
    *ret = ch_text_of(name);
    if (access(name, F_OK) != 0) return true;
    if (!file_read(program, name, WORD_FILE_MOST, space)) return false;
    *ret = first_word((struct ch_text){(const char *)space->ptr, space->len});
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
