/* tree: see tree.h. SPDX-License-Identifier: MIT
 * Each fact stands below what it hangs on, with the event that set it, its time, and who did it:
 *
 *     way 1 of 1: suffices
 *       the user's own share of account agency is in use  [408, 2020-01-02T00:00:00Z, ann]
 *         the user is a member of group writers  [409, 2020-01-02T00:00:00Z, ann] */
#include "tools/charter/tree.h"

#include <stdio.h>

#include "schema/cursor.h"
#include "schema/records.h"
#include "tools/lib/clean.h"

enum { INDENT = 2 };

static struct ch_text text_of(struct charter_bytes object, const char *name)
{
    struct charter_text text = {"", 0};
    (void)charter_get_text(object, name, &text);
    return (struct ch_text){text.ptr, text.len};
}

static void put(struct ch_text text)
{
    clean_print(stdout, text);
}

static void put_fact(struct charter_bytes fact, int indent)
{
    uint64_t seq = 0;
    const struct ch_text at = text_of(fact, "at");
    const struct ch_text by = text_of(fact, "by");
    const struct ch_text kind = text_of(fact, "actor_kind");
    (void)charter_get_uint(fact, "seq", &seq);
    (void)printf("%*s", indent, "");
    put(text_of(fact, "text"));
    (void)printf("  [%llu", (unsigned long long)seq);
    if (at.len > 0) (void)printf(", ");
    put(at);
    if (kind.len > 0) (void)printf(", ");
    put(by.len > 0 ? by : kind);
    (void)printf("]\n");
}

/* A list's items, one by one. */
struct items {
    struct ch_cursor cursor;
    uint32_t left;
};

static struct items items_of(struct charter_bytes object, const char *name)
{
    struct charter_bytes list;
    struct items items = {0};
    if (!charter_get(object, name, &list)) return items;
    items.cursor = ch_cursor_of((struct ch_bytes){list.ptr, list.len});
    items.left = ch_read_array(&items.cursor);
    return items;
}

static bool next(struct items *items, struct charter_bytes *ret)
{
    if (items->left == 0 || items->cursor.err != CH_OK) return false;
    items->left--;
    const struct ch_bytes value = ch_read_value(&items->cursor);
    *ret = (struct charter_bytes){value.ptr, value.len};
    return items->cursor.err == CH_OK;
}

/* deeper: each fact hangs on the one before it. */
static void put_facts(struct charter_bytes object, const char *name, const char *heading,
                      int indent, bool deeper)
{
    struct charter_bytes fact;
    struct items items = items_of(object, name);
    if (items.left > 0 && heading != NULL) (void)printf("%*s%s\n", indent, "", heading);
    if (heading != NULL) indent += INDENT;
    while (next(&items, &fact)) {
        put_fact(fact, indent);
        if (deeper) indent += INDENT;
    }
}

static void put_way(struct charter_bytes way, uint64_t number, uint64_t count)
{
    bool open = false;
    (void)charter_get_bool(way, "open", &open);
    (void)printf("\nway %llu of %llu, to ", (unsigned long long)number, (unsigned long long)count);
    put(text_of(way, "scope"));
    (void)printf("%s\n", open ? ": suffices" : ": denied");
    put_facts(way, "facts", NULL, INDENT, /* deeper= */ true);
    put_facts(way, "denies", "denied on this way by", INDENT, /* deeper= */ false);
}

static void put_steps(struct charter_bytes page)
{
    static const char *const who[] = {"who has the right to", "the operator", "the user", "nobody"};
    struct charter_bytes step;
    struct items items = items_of(page, "steps");
    uint32_t number = 0;
    bool by_some = false;
    if (items.left > 0) (void)printf("\nthe least change that would allow it\n");
    while (next(&items, &step)) {
        const int by = ch_enum_find(CH_KIND_step_by, text_of(step, "by"));
        (void)printf("%*s%u. ", INDENT, "", ++number);
        put(text_of(step, "text"));
        (void)printf("  [%s]\n", by < 0 || by > 3 ? "?" : who[by]);
        by_some = by_some || by == CH_step_by_rights || by == CH_step_by_operator;
    }
    if (by_some) (void)printf("who may make it: charter access remedy, asked the same\n");
}

static const char *reason_text(struct ch_text name)
{
    for (const struct ch_enum_value *v = ch_kinds[CH_KIND_reason].values; v->name != NULL; v++) {
        if (ch_text_is(name, v->name)) return v->text;
    }
    return "";
}

void tree_print(const struct charter_bytes *pages, size_t count)
{
    const struct charter_bytes page = pages[count - 1];
    const struct ch_text reason = text_of(page, "reason");
    const struct ch_text decision = text_of(page, "decision");
    const struct ch_text until = text_of(page, "valid_until");
    uint64_t ways = 0, number = 0, revision = 0;
    struct charter_bytes way;
    bool lacking = false;
    (void)charter_get_uint(page, "way_count", &ways);
    (void)charter_get_uint(page, "revision", &revision);
    (void)charter_get_bool(page, "lacking", &lacking);
    const struct ch_text subject = text_of(page, "subject");
    put(subject);
    if (subject.len > 0) (void)printf(": ");
    (void)printf("%s: %s (", ch_text_is(decision, "allowed") ? "allowed" : "denied",
                 reason_text(reason));
    put(decision);
    (void)printf(", ");
    put(reason);
    (void)printf(")\nknown up to seq %llu", (unsigned long long)revision);
    if (until.len > 0) (void)printf("; time alone changes nothing before ");
    put(until);
    (void)printf("\n");
    for (size_t i = 0; i < count; i++) {
        struct items items = items_of(pages[i], "ways");
        while (next(&items, &way)) {
            put_way(way, ++number, ways);
        }
    }
    if (lacking) (void)printf("\nnothing gives it\n");
    struct charter_bytes some;
    if (charter_get(page, "denies", &some)) (void)printf("\n");
    put_facts(page, "denies", "denied whatever gives it, by", 0, /* deeper= */ false);
    if (charter_get(page, "uncounted", &some)) (void)printf("\n");
    put_facts(page, "uncounted", "does not count", 0, /* deeper= */ false);
    put_steps(page);
}
