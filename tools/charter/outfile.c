/* outfile: see outfile.h. SPDX-License-Identifier: MIT */
#include "tools/charter/outfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum exit_code outfile_write(const char *path, const void *ptr, size_t len)
{
    FILE *file = path == NULL ? stdout : fopen(path, "we");
    bool good = file != NULL && fwrite(ptr, 1, len, file) == len;
    int problem = good ? 0 : errno;
    if (file != NULL && path != NULL && fclose(file) != 0 && good) {
        good = false;
        problem = errno;
    }
    if (good) return EXIT_DONE;
    if (file != NULL && path != NULL) (void)unlink(path);
    (void)fprintf(stderr, "charter: failed: %s: %s\n", path == NULL ? "standard output" : path,
                  strerror(problem));
    return EXIT_FAILED;
}
