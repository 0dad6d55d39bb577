/* difference: see difference.h. SPDX-License-Identifier: MIT */
#include "tools/charter/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cursor.h"

enum { SIGN, SUBJECT, SCOPE, ACCOUNT, RESOURCE, COLUMNS };

/* One right that is gained (+), lost (-), or stays though the others of its kind do not (=). */
struct right {
    char sign[2];
    bool key; /* whose it is, is an API key */
    char resource[96];
    struct charter_text cells[COLUMNS];
};

static const char key_mark[] = " (key)"; /* a user may be called as the key is */

struct rights {
    struct right *right;
    size_t count;
    size_t cap;
};

static struct ch_cursor cursor_of(struct charter_bytes value)
{
    return ch_cursor_of((struct ch_bytes){value.ptr, value.len});
}

/* Calls fn with each record of a list, on all pages; false as soon as fn does. */
static bool each(const struct charter_bytes *pages, size_t count, const char *list,
                 bool (*fn)(void *arg, struct charter_bytes row), void *arg)
{
    for (size_t i = 0; i < count; i++) {
        struct charter_bytes rows;
        if (!charter_get(pages[i], list, &rows)) continue;
        struct ch_cursor c = cursor_of(rows);
        const uint32_t items = ch_read_array(&c);
        for (uint32_t k = 0; k < items && c.err == CH_OK; k++) {
            const struct ch_bytes row = ch_read_value(&c);
            if (!fn(arg, (struct charter_bytes){row.ptr, row.len})) return false;
        }
    }
    return true;
}

static struct charter_text text_of(struct charter_bytes row, const char *name, const char *other)
{
    struct charter_text text = {other, strlen(other)};
    (void)charter_get_text(row, name, &text);
    return text;
}

static uint64_t number_of(struct charter_bytes row, const char *name)
{
    uint64_t number = 0;
    (void)charter_get_uint(row, name, &number);
    return number;
}

static bool add_rights(struct rights *rights, struct charter_bytes row, const char *set, char sign)
{
    struct charter_bytes scopes;
    if (!charter_get(row, set, &scopes)) return true;
    struct ch_cursor c = cursor_of(scopes);
    const uint32_t items = ch_read_array(&c);
    for (uint32_t i = 0; i < items && c.err == CH_OK; i++) {
        if (rights->count == rights->cap) {
            const size_t cap = rights->cap == 0 ? 64 : 2 * rights->cap;
            struct right *more = realloc(rights->right, cap * sizeof *more);
            if (more == NULL) return false;
            rights->right = more;
            rights->cap = cap;
        }
        const struct ch_text scope = ch_read_text(&c);
        const struct charter_text kind = text_of(row, "kind", "all");
        const struct charter_text resource = text_of(row, "resource", "");
        struct right *right = &rights->right[rights->count++];
        uint64_t key = 0;
        *right = (struct right){.sign = {sign, '\0'}, .key = charter_get_uint(row, "key", &key)};
        (void)snprintf(right->resource, sizeof right->resource, "%.*s%s%.*s", (int)kind.len,
                       kind.ptr, resource.len > 0 ? " " : "", (int)resource.len, resource.ptr);
        right->cells[SUBJECT] = text_of(row, "subject", "?");
        right->cells[SCOPE] = (struct charter_text){scope.ptr, scope.len};
        right->cells[ACCOUNT] = text_of(row, "path", "?");
    }
    return true;
}

static bool add_flip(void *arg, struct charter_bytes row)
{
    return add_rights(arg, row, "gained", '+') && add_rights(arg, row, "lost", '-') &&
           add_rights(arg, row, "same", '=');
}

static size_t width_of(struct charter_text text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++) {
        width += ((uint8_t)text.ptr[i] & 0xc0) != 0x80;
    }
    return width;
}

/* What stands behind a cell: of a key's name that it is one. */
static const char *mark_of(const struct right *right, size_t column)
{
    return column == SUBJECT && right->key ? key_mark : "";
}

static void print_cell(struct charter_text text, const char *mark, size_t width)
{
    const size_t taken = width_of(text) + strlen(mark);
    (void)printf("%.*s%s%*s", (int)text.len, text.ptr, mark,
                 (int)(width > taken ? width - taken : 0), "");
}

static void print_rights(struct rights *rights)
{
    static const char *const heads[COLUMNS] = {"", "subject", "scope", "account", "resource"};
    size_t widths[COLUMNS];
    for (size_t k = 0; k < COLUMNS; k++) {
        widths[k] = k == SIGN ? 1 : strlen(heads[k]);
    }
    for (size_t i = 0; i < rights->count; i++) {
        struct right *right = &rights->right[i]; /* it lies still from here on */
        right->cells[SIGN] = (struct charter_text){right->sign, 1};
        right->cells[RESOURCE] = (struct charter_text){right->resource, strlen(right->resource)};
        for (size_t k = 0; k < COLUMNS; k++) {
            const size_t width = width_of(right->cells[k]) + strlen(mark_of(right, k));
            if (width > widths[k]) widths[k] = width;
        }
    }
    for (size_t i = 0; i <= rights->count && rights->count > 0; i++) {
        const struct right *right = i == 0 ? NULL : &rights->right[i - 1];
        for (size_t k = 0; k < COLUMNS; k++) {
            const size_t width = k + 1 == COLUMNS ? 0 : widths[k] + 2;
            if (right == NULL) {
                print_cell((struct charter_text){heads[k], strlen(heads[k])}, "", width);
            } else {
                print_cell(right->cells[k], mark_of(right, k), width);
            }
        }
        (void)printf("\n");
    }
}

/* "remain 30000 -> 25000", and what is not there as "-". */
static void print_figure(struct charter_bytes row, const char *name)
{
    char before[32];
    char after[32];
    uint64_t had = 0;
    uint64_t has = 0;
    (void)snprintf(before, sizeof before, "before_%s", name);
    (void)snprintf(after, sizeof after, "after_%s", name);
    const bool was = charter_get_uint(row, before, &had);
    const bool is = charter_get_uint(row, after, &has);
    if (was == is && had == has) return;
    (void)snprintf(before, sizeof before, "%llu", (unsigned long long)had);
    (void)snprintf(after, sizeof after, "%llu", (unsigned long long)has);
    (void)printf("  %s %s -> %s", name, was ? before : "-", is ? after : "-");
}

static bool print_move(void *arg, struct charter_bytes row)
{
    static const char *const figures[] = {"total", "used", "reserved", "remain"};
    const struct charter_text path = text_of(row, "path", "?");
    const struct charter_text before = text_of(row, "before_type", "-");
    const struct charter_text after = text_of(row, "after_type", "-");
    bool *first = arg;
    bool pool = false;
    (void)charter_get_bool(row, "pool", &pool);
    if (*first) (void)printf("\ncredits\n");
    *first = false;
    (void)printf("~  %.*s, %s:", (int)path.len, path.ptr, pool ? "pool" : "allocation");
    if (before.len != after.len || memcmp(before.ptr, after.ptr, after.len) != 0) {
        (void)printf("  type %.*s -> %.*s", (int)before.len, before.ptr, (int)after.len, after.ptr);
    }
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        print_figure(row, figures[i]);
    }
    (void)printf("\n");
    return true;
}

static bool print_gainer(void *arg, struct charter_bytes row)
{
    const struct charter_text subject = text_of(row, "subject", "?");
    uint64_t key = 0;
    bool *first = arg;
    if (*first) (void)printf("\nwidened\n");
    *first = false;
    (void)printf("+  %.*s%s: %llu\n", (int)subject.len, subject.ptr,
                 charter_get_uint(row, "key", &key) ? key_mark : "",
                 (unsigned long long)number_of(row, "gained"));
    return true;
}

static void print_counts(struct charter_bytes last)
{
    const uint64_t gained = number_of(last, "gained");
    const uint64_t lost = number_of(last, "lost");
    const uint64_t moved = number_of(last, "moved");
    const uint64_t hidden = number_of(last, "hidden");
    const uint64_t uncompared = number_of(last, "uncompared");
    if (gained + lost + moved + hidden + uncompared == 0) {
        (void)printf("nothing would change of what anybody may do, nor of credits\n");
        return;
    }
    (void)printf("%llu gained, %llu lost; %llu widened; %llu of credits\n",
                 (unsigned long long)gained, (unsigned long long)lost,
                 (unsigned long long)number_of(last, "widened"), (unsigned long long)moved);
    if (hidden > 0) {
        (void)printf("%llu more on accounts where you lack access.explain or billing.read\n",
                     (unsigned long long)hidden);
    }
    if (uncompared > 0) {
        (void)printf("not all was compared: %llu questions were left out\n",
                     (unsigned long long)uncompared);
    }
}

bool difference_print(const struct charter_bytes *pages, size_t count)
{
    struct rights rights = {0};
    bool first_move = true;
    bool first_gainer = true;
    const bool good = each(pages, count, "flips", add_flip, &rights);
    if (good) {
        print_rights(&rights);
        (void)each(pages, count, "credits", print_move, &first_move);
        (void)each(pages, count, "people", print_gainer, &first_gainer);
        if (rights.count > 0 || !first_move || !first_gainer) (void)printf("\n");
        print_counts(pages[count - 1]);
    }
    free(rights.right);
    return good;
}
