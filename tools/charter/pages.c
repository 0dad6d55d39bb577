/* pages: see pages.h. SPDX-License-Identifier: MIT */
#include "tools/charter/pages.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/json.h"

void pages_deinit(struct pages *pages)
{
    for (size_t i = 0; i < pages->count; i++) {
        charter_reply_destroy(pages->replies[i]);
    }
    free(pages->replies);
    free(pages->values);
    *pages = (struct pages){.count = 0};
}

static bool has_room(struct pages *pages)
{
    struct charter_reply **replies =
        realloc(pages->replies, (pages->count + 1) * sizeof(struct charter_reply *));
    if (replies != NULL) pages->replies = replies;
    struct charter_bytes *values =
        realloc(pages->values, (pages->count + 1) * sizeof(struct charter_bytes));
    if (values != NULL) pages->values = values;
    return replies != NULL && values != NULL;
}

bool pages_add(struct pages *pages, struct charter_reply *reply, size_t place)
{
    if (pages->count < PAGES_MOST && has_room(pages)) {
        pages->replies[pages->count] = reply;
        pages->values[pages->count++] = charter_reply_result(reply, place)->value;
        return true;
    }
    charter_reply_destroy(reply);
    if (pages->count < PAGES_MOST) {
        (void)fprintf(stderr, "charter: failed: out of memory\n");
    } else {
        (void)fprintf(stderr,
                      "charter: failed: the answer goes on behind %d pages; ask for a part of it\n",
                      PAGES_MOST);
    }
    return false;
}

/* Takes what another page says into the whole. False: out of memory */
static bool take_in(json_t *whole, json_t *page)
{
    const char *key;
    json_t *item;
    bool good = true;
    json_object_foreach(page, key, item)
    {
        json_t *before = json_object_get(whole, key);
        const bool lists = json_is_array(before) && json_is_array(item);
        good = good &&
               (lists ? json_array_extend(before, item) : json_object_set(whole, key, item)) == 0;
    }
    if (json_object_get(page, "next") == NULL) (void)json_object_del(whole, "next");
    return good;
}

json_t *pages_join(const struct pages *pages)
{
    json_t *whole = NULL;
    for (size_t i = 0; i < pages->count; i++) {
        json_t *page = NULL;
        const struct ch_bytes value = {pages->values[i].ptr, pages->values[i].len};
        bool good = ch_json_tree(value, &page, NULL) == CH_OK;
        if (good && whole == NULL) {
            whole = page;
            continue;
        }
        good = good && take_in(whole, page);
        json_decref(page);
        if (!good) {
            json_decref(whole);
            return NULL;
        }
    }
    return whole;
}
