/* main: charter-keep, which does `charter backup`, `restore` and `export`.
 * SPDX-License-Identifier: MIT
 * A program of its own, because it works on the files of a data directory, with charterd or without
 * it, and so is built of the daemon's libraries, which the command line proper is not. */
#include <sodium.h>
#include <stdio.h>

#include "tools/keep/backup.h"
#include "tools/keep/restore.h"
#include "tools/lib/file.h"

int main(int argc, char **argv)
{
    struct options options;
    enum exit_code code = EXIT_USAGE;
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "charter: libsodium does not start\n");
        return EXIT_FAILED;
    }
    if (!options_read(argc, argv, &options)) {
        code = EXIT_USAGE;
    } else if (options.version) {
        (void)printf("charter-keep %s\n", CH_VERSION);
        code = EXIT_DONE;
    } else if (options.help) {
        options_help(options.what);
        code = EXIT_DONE;
    } else {
        code = options.what == KEEP_RESTORE ? restore_run(&options) : backup_run(&options);
    }
    if (!file_printed("charter") && code == EXIT_DONE) code = EXIT_FAILED;
    return (int)code;
}
