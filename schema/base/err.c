/* err: see err.h. SPDX-License-Identifier: MIT */
#include "schema/base/err.h"

#include <stdarg.h>
#include <stdio.h>

static void fill(struct ch_why *why, enum ch_err err, int code, const char *field,
                 const char *format, va_list args)
{
    why->err = err;
    why->code = code;
    (void)snprintf(why->field, sizeof why->field, "%s", field);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
}

enum ch_err ch_fail(struct ch_why *why, enum ch_err err, int code, const char *format, ...)
{
    if (why == NULL) return err;
    va_list args;
    va_start(args, format);
    fill(why, err, code, "", format, args);
    va_end(args);
    return err;
}

enum ch_err ch_fail_field(struct ch_why *why, enum ch_err err, const char *field,
                          const char *format, ...)
{
    if (why == NULL) return err;
    va_list args;
    va_start(args, format);
    fill(why, err, 0, field, format, args);
    va_end(args);
    return err;
}

/* The formatter takes an #include inside a switch for a part of the macro above it. */
/* clang-format off */
/* clang-format off */
const char *ch_err_code(enum ch_err err)
{
    switch (err) {
    case CH_OK: return "ok";
#define FAILURE(name, number, http, code, text) case CH_ERR_##name: return code;
#include "schema/failures.def"
    }
    return "unknown";
}

const char *ch_err_text(enum ch_err err)
{
    switch (err) {
    case CH_OK: return "";
#define FAILURE(name, number, http, code, text) case CH_ERR_##name: return text;
#include "schema/failures.def"
    }
    return "unknown failure";
}

int ch_err_http(enum ch_err err)
{
    switch (err) {
    case CH_OK: return 200;
#define FAILURE(name, number, http, code, text) case CH_ERR_##name: return http;
#include "schema/failures.def"
    }
    return 500;
}
/* clang-format on */
