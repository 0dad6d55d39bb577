/* main: charter-verify, which checks a log, a bundle or a proof and trusts none.
 * SPDX-License-Identifier: MIT */
#include <sodium.h>
#include <stdio.h>

#include "tools/lib/file.h"
#include "tools/verify/proof_file.h"
#include "tools/verify/receipt_file.h"
#include "tools/verify/run.h"

int main(int argc, char **argv)
{
    struct options options;
    enum exit_code code = EXIT_USAGE;
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "charter-verify: libsodium does not start\n");
        return EXIT_FAILED;
    }
    if (!options_read(argc, argv, &options)) {
        code = EXIT_USAGE;
    } else if (options.help) {
        options_help();
        code = EXIT_GOOD;
    } else if (options.version) {
        (void)printf("charter-verify %s\n", CH_VERSION);
        code = EXIT_GOOD;
    } else if (options.what == VERIFY_DIR || options.what == VERIFY_BUNDLE) {
        code = run_log(&options);
    } else if (options.what == VERIFY_PROOF) {
        code = proof_file_inclusion(&options);
    } else if (options.what == VERIFY_RECEIPT) {
        code = receipt_file(&options);
    } else {
        code = proof_file_consistency(&options);
    }
    options_deinit(&options);
    if (!file_printed("charter-verify") && code == EXIT_GOOD) code = EXIT_FAILED;
    return (int)code;
}
