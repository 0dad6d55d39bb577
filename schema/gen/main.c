/* main: prints a generated page from the tables. SPDX-License-Identifier: MIT
 *     charter-gen > schema/REFERENCE.md
 *     charter-gen commands > schema/COMMANDS.md
 *     charter-gen scopes > schema/SCOPES.md
 * The test golden.reference compares. */
#include <stdio.h>
#include <stdlib.h>

#include "schema/base/err.h"
#include "schema/gen/print.h"

int main(int argc, char **argv)
{
    const struct ch_text page = ch_text_of(argc > 1 ? argv[1] : "reference");
    if (argc <= 2 && ch_text_is(page, "reference")) {
        print_reference();
    } else if (argc <= 2 && ch_text_is(page, "commands")) {
        print_commands();
    } else if (argc <= 2 && ch_text_is(page, "scopes")) {
        print_scopes();
    } else {
        (void)fprintf(stderr, "usage: charter-gen [reference | commands | scopes]\n");
        return EXIT_FAILURE;
    }
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
