/* jsonout: see jsonout.h. SPDX-License-Identifier: MIT */
#include "tools/lib/jsonout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Bytes of the character that begins with `first`, if it is one; 0: none does. */
static size_t character_len(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool is_character(const char *ptr, size_t len)
{
    json_t *alone = json_stringn(ptr, len);
    json_decref(alone);
    return alone != NULL;
}

/* With '?' for each byte that is part of no character. */
static json_t *cleaned(const char *ptr, size_t len)
{
    char *text = malloc(len);
    if (text == NULL) return NULL;
    for (size_t at = 0; at < len;) {
        const size_t step = character_len((unsigned char)ptr[at]);
        if (step > 0 && step <= len - at && is_character(ptr + at, step)) {
            memcpy(text + at, ptr + at, step);
            at += step;
        } else {
            text[at++] = '?';
        }
    }
    json_t *string = json_stringn(text, len);
    free(text);
    return string;
}

json_t *jsonout_text(const char *ptr, size_t len)
{
    json_t *string = json_stringn(len == 0 ? "" : ptr, len);
    return string != NULL || len == 0 ? string : cleaned(ptr, len);
}

json_t *jsonout_string(const char *text)
{
    return jsonout_text(text, strlen(text));
}

void jsonout_put(json_t **tree, const char *name, json_t *take)
{
    if (json_object_set_new(*tree, name, take) == 0) return;
    json_decref(*tree);
    *tree = NULL;
}

void jsonout_add(json_t **list, json_t *take)
{
    if (json_array_append_new(*list, take) == 0) return;
    json_decref(*list);
    *list = NULL;
}

bool jsonout_print(const char *program, FILE *out, json_t *take, size_t flags)
{
    const bool whole = take != NULL;
    errno = 0;
    const bool good = whole && json_dumpf(take, out, flags) == 0 && fputc('\n', out) != EOF;
    const int code = errno;
    json_decref(take);
    if (good) return true;
    (void)fprintf(stderr, "%s: failed: the answer was not printed: %s\n", program,
                  whole && code != 0 ? strerror(code) : "out of memory");
    return false;
}
