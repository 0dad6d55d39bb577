/* refused: see refused.h. SPDX-License-Identifier: MIT */
#include "tools/charter/refused.h"

#include <jansson.h>

bool refused_open(struct refused *refused, const char *path, bool append)
{
    refused->file = fopen(path, append ? "ae" : "we");
    return refused->file != NULL;
}

bool refused_close(struct refused *refused)
{
    if (refused->file == NULL) return true;
    const bool failed = ferror(refused->file) != 0 || refused->write_failed;
    const bool closed = fclose(refused->file) == 0;
    refused->file = NULL;
    return closed && !failed;
}

static void count_reason(struct refused *refused, struct ch_text reason)
{
    refused->count++;
    for (size_t i = 0; i < refused->reason_count; i++) {
        if (!ch_text_is(reason, refused->reasons[i].name)) continue;
        refused->reasons[i].count++;
        return;
    }
    if (refused->reason_count == REFUSED_REASONS) return;
    (void)snprintf(refused->reasons[refused->reason_count].name,
                   sizeof refused->reasons[refused->reason_count].name, "%.*s", (int)reason.len,
                   reason.ptr);
    refused->reasons[refused->reason_count++].count = 1;
}

static json_t *json_of(struct ch_text text)
{
    return json_stringn(text.len == 0 ? "" : text.ptr, text.len);
}

/* {"line": 7, "reason": "not_a_member", "text": ..., "field": ..., "source": the line} */
static bool write_line(struct refused *refused, uint64_t line, struct ch_text reason,
                       struct ch_text text, struct ch_text field, struct ch_text source)
{
    json_t *object = json_object();
    json_t *original = json_loadb(source.len == 0 ? "" : source.ptr, source.len, 0, NULL);
    if (original == NULL) original = json_of(source);
    if (original == NULL) original = json_null(); /* not UTF-8 */
    bool good = json_object_set_new(object, "line", json_integer((json_int_t)line)) == 0;
    good = json_object_set_new(object, "reason", json_of(reason)) == 0 && good;
    good = json_object_set_new(object, "text", json_of(text)) == 0 && good;
    if (field.len > 0) good = json_object_set_new(object, "field", json_of(field)) == 0 && good;
    good = json_object_set_new(object, "source", original) == 0 && good;
    good = json_dumpf(object, refused->file, JSON_COMPACT) == 0 && good;
    good = fputc('\n', refused->file) != EOF && good;
    json_decref(object);
    return good;
}

void refused_add(struct refused *refused, uint64_t line, struct ch_text reason, struct ch_text text,
                 struct ch_text field, struct ch_text source)
{
    count_reason(refused, reason);
    if (refused->count <= REFUSED_SHOWN) {
        (void)fprintf(stderr, "%scharter: line %llu refused: %.*s: %.*s\n",
                      refused->before == NULL ? "" : refused->before, (unsigned long long)line,
                      (int)reason.len, reason.ptr, (int)text.len, text.ptr);
    } else if (refused->count == REFUSED_SHOWN + 1) {
        (void)fprintf(stderr, "charter: more lines are refused; --rejects FILE keeps them all\n");
    }
    if (refused->file == NULL) return;
    if (!write_line(refused, line, reason, text, field, source)) refused->write_failed = true;
}
