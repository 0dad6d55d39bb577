/* err: failures of the world, as return values. SPDX-License-Identifier: MIT
 * The place that first sees a failure fills struct ch_why through ch_fail(); everyone above only
 * returns the code. Libraries never log; the top of a call chain does, once. */
#ifndef CH_BASE_ERR_H
#define CH_BASE_ERR_H

#define CH_MUST_USE __attribute__((warn_unused_result))
#define CH_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

enum ch_err {
    CH_OK = 0,
#define FAILURE(name, number, http, code, text) CH_ERR_##name = (number),
#include "schema/failures.def"
};

enum { CH_WHY_TEXT_BYTES = 320, CH_WHY_FIELD_BYTES = 96 };

/* Why a call failed. `code` is errno, an MDB_ or an nng code, as the text says; 0 if none. */
struct ch_why {
    enum ch_err err;
    int code;
    char field[CH_WHY_FIELD_BYTES]; /* the field at fault, as a path "calls[2].args.name"; or empty
                                     */
    char text[CH_WHY_TEXT_BYTES];
};

/* Fills `why` (NULL is allowed) and returns `err`, so that a failing place is one statement. */
enum ch_err ch_fail(struct ch_why *why, enum ch_err err, int code, const char *format, ...)
    CH_PRINTF(4, 5);

/* The same, naming the field at fault. */
enum ch_err ch_fail_field(struct ch_why *why, enum ch_err err, const char *field,
                          const char *format, ...) CH_PRINTF(4, 5);

/* The wire code ("busy"), the text and the HTTP status of a failure; for CH_OK "ok", "", 200. */
const char *ch_err_code(enum ch_err err);
const char *ch_err_text(enum ch_err err);
int ch_err_http(enum ch_err err);
#endif
