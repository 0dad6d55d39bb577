/* serve: see serve.h. SPDX-License-Identifier: MIT */
#include "tools/bench/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/echo.h"
#include "tools/bench/proto.h"

enum { ARGS = 7 }; /* program, --serve, kind, url, dir, contexts, record bytes */

static const char *const kind_names[] = {
    [CH_SERVE_ECHO_CALLBACK] = "echo-callback",
    [CH_SERVE_ECHO_LOOP] = "echo-loop",
    [CH_SERVE_PROTO] = "prototype",
};

enum ch_err ch_serve_start(const struct ch_serve *serve, struct ch_child *ret, struct ch_why *why)
{
    char kind[16];
    char url[128];
    char dir[128];
    char contexts[16];
    char record_bytes[24];
    char program[] = "charter-bench";
    char option[] = "--serve";
    (void)snprintf(kind, sizeof kind, "%s", kind_names[serve->kind]);
    (void)snprintf(url, sizeof url, "%s", serve->url);
    (void)snprintf(dir, sizeof dir, "%s", serve->dir);
    (void)snprintf(contexts, sizeof contexts, "%" PRIu32, serve->contexts);
    (void)snprintf(record_bytes, sizeof record_bytes, "%zu", serve->record_bytes);
    char *const argv[] = {program, option, kind, url, dir, contexts, record_bytes, NULL};
    return ch_child_start("/proc/self/exe", argv, /* log= */ NULL, /* waits_ready= */ true, ret,
                          why);
}

int ch_serve_main(int argc, char **argv)
{
    if (argc != ARGS) return EXIT_FAILURE; /* only the bench itself calls this */
    const char *url = argv[3];
    uint32_t contexts = (uint32_t)strtoul(argv[5], NULL, 10);
    size_t record_bytes = strtoul(argv[6], NULL, 10);
    if (contexts == 0 || record_bytes == 0) return EXIT_FAILURE;
    struct ch_why why = {0};
    enum ch_err err;
    if (strcmp(argv[2], kind_names[CH_SERVE_PROTO]) == 0) {
        err = ch_proto_serve(url, contexts, argv[4], record_bytes, &why);
    } else {
        bool in_loop = strcmp(argv[2], kind_names[CH_SERVE_ECHO_LOOP]) == 0;
        err = ch_echo_serve(url, contexts, in_loop, &why);
    }
    if (err == CH_OK) return EXIT_SUCCESS;
    (void)fprintf(stderr, "charter-bench: server %s: %s\n", argv[2], why.text);
    return EXIT_FAILURE;
}
