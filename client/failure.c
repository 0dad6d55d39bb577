/* failure: see failure.h. SPDX-License-Identifier: MIT */
#include "client/failure.h"

#include <stdio.h>

int ch_client_fail(struct charter_error *error, const struct ch_why *why)
{
    if (error == NULL) return (int)why->err;
    *error = (struct charter_error){.number = (int)why->err};
    (void)snprintf(error->code, sizeof error->code, "%s", ch_err_code(why->err));
    (void)snprintf(error->field, sizeof error->field, "%s", why->field);
    (void)snprintf(error->text, sizeof error->text, "%s",
                   why->text[0] == '\0' ? ch_err_text(why->err) : why->text);
    return error->number;
}

static enum ch_err number_of(struct ch_text code)
{
    static const enum ch_err all[] = {
#define FAILURE(name, number, http, code, text) CH_ERR_##name,
#include "schema/failures.def"
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (ch_text_is(code, ch_err_code(all[i]))) return all[i];
    }
    return CH_ERR_NET_IO;
}

static void copy(char *out, size_t size, struct ch_text text)
{
    (void)snprintf(out, size, "%.*s", text.len > size ? (int)size : (int)text.len,
                   text.len == 0 ? "" : text.ptr);
}

int ch_client_fail_no(struct charter_error *error, const struct ch_reply_no *no)
{
    const int number = (int)number_of(no->code);
    if (error == NULL) return number;
    *error = (struct charter_error){.number = number};
    copy(error->code, sizeof error->code, no->code);
    copy(error->field, sizeof error->field, no->field);
    copy(error->text, sizeof error->text, no->text);
    return number;
}
