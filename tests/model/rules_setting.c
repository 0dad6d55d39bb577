/* rules_setting: texts, feeds, unsubscribe lists, in the oracle. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

static void set_texts(struct o_case *k)
{
    const struct o_command *c = k->c;
    bool differs = false;
    o_break_if(k, !c->has_text[0] && !c->has_text[1], CH_REJ_nothing_to_set);
    for (int i = 0; i < 2; i++) {
        if (!c->has_text[i] || strcmp(c->text[i], k->on->text[i]) == 0) continue;
        differs = true;
        memcpy(k->on->text[i], c->text[i], sizeof k->on->text[i]);
    }
    if (k->code == 0 && differs) o_event(k, CH_EV_settings_set, k->on->id);
}

/* The sub-account right below that is named. */
static void named_sub(struct o_case *k)
{
    const bool child = k->below->parent == k->on->id;
    o_break_if(k, !child && !o_is_led(k, k->below->id), CH_REJ_not_found);
    o_break_if(k, k->below->closed, CH_REJ_account_closed);
    o_break_if(k, !child, CH_REJ_not_a_sub_account);
}

static struct o_feed *find_feed(struct o_case *k, uint64_t to)
{
    for (size_t i = 0; i < O_FEEDS; i++) {
        struct o_feed *f = &k->w->feeds[i];
        if (f->account == k->on->id && f->to == to && f->kind == k->c->resource_kind &&
            f->resource == k->c->resource) {
            return f;
        }
    }
    return NULL;
}

static void feed(struct o_case *k)
{
    const uint8_t kind = k->c->resource_kind;
    const uint64_t to = k->below == NULL ? 0 : k->below->id;
    if (k->below != NULL) named_sub(k);
    if (k->code != 0) return;
    o_break_if(k, k->below == NULL && o_levels_left(k->w, k->on->id) == 0, CH_REJ_not_a_master);
    o_break_if(k,
               kind != CH_resource_kind_campaign && kind != CH_resource_kind_automation &&
                   kind != CH_resource_kind_template,
               CH_REJ_wrong_resource);
    o_break_if(k, k->below != NULL && !k->below->switches[CH_setting_switch_feed_from_master],
               CH_REJ_feed_off);
    if (k->code != 0 || find_feed(k, to) != NULL) return;
    for (size_t i = 0; i < O_FEEDS; i++) {
        if (k->w->feeds[i].account != 0) continue;
        o_event(k, CH_EV_content_fed, k->on->id);
        k->w->feeds[i] = (struct o_feed){
            .account = k->on->id, .to = to, .kind = kind, .resource = k->c->resource};
        return;
    }
    CH_CHECK(false);
}

/* Also from one that takes nothing any more, or is closed. */
static void unfeed(struct o_case *k)
{
    struct o_feed *f = find_feed(k, k->below == NULL ? 0 : k->below->id);
    if (k->below != NULL && k->below->parent != k->on->id) named_sub(k);
    o_break_if(k, f == NULL, CH_REJ_not_fed);
    if (k->code != 0) return;
    CH_CHECK(f != NULL);
    o_event(k, CH_EV_content_unfed, k->on->id);
    memset(f, 0, sizeof *f);
}

static void suppress(struct o_case *k, bool add)
{
    struct o_world *w = k->w;
    struct o_suppressed *known = NULL, *unused = NULL;
    const int there = o_may_there(k, k->on->id, CH_SCOPE_suppressions_update);
    o_break_if(k, there != 0, there);
    for (size_t i = 0; i < O_SUPPRESSED; i++) {
        struct o_suppressed *s = &w->suppressed[i];
        if (s->account == 0) unused = s;
        if (s->account == k->on->id && strcmp(s->address, k->c->email) == 0) known = s;
    }
    o_break_if(k, !add && known == NULL, CH_REJ_not_suppressed);
    if (k->code != 0 || (add && known != NULL)) return;
    o_event(k, add ? CH_EV_suppression_added : CH_EV_suppression_removed, k->on->id);
    if (!add) {
        memset(known, 0, sizeof *known);
        return;
    }
    CH_CHECK(unused != NULL);
    unused->account = k->on->id;
    unused->key = w->hash_keys;
    memcpy(unused->address, k->c->email, sizeof unused->address);
}

/* Addresses stay under the key they came with; what comes now is hashed with the newest. */
static void rotate_key(struct o_case *k)
{
    uint32_t in_use = 0;
    for (uint32_t i = 1; i <= k->w->hash_keys; i++) {
        in_use += !k->w->retired[i];
    }
    o_break_if(k, in_use >= LIMIT_HASH_KEYS, CH_REJ_limit_reached);
    if (k->code != 0) return;
    CH_CHECK(k->w->hash_keys < O_HASH_KEYS);
    o_event(k, CH_EV_hash_key_made, 0);
    k->w->hash_keys++;
}

static void retire_key(struct o_case *k)
{
    const uint64_t key = k->c->thing;
    const bool known = key > 0 && key <= k->w->hash_keys && !k->w->retired[key];
    o_break_if(k, !known, CH_REJ_not_found);
    if (k->code != 0) return;
    o_break_if(k, key == k->w->hash_keys, CH_REJ_key_in_use);
    for (size_t i = 0; i < O_SUPPRESSED; i++) {
        const struct o_suppressed *s = &k->w->suppressed[i];
        o_break_if(k, s->account != 0 && s->key == key, CH_REJ_key_in_use);
    }
    if (k->code != 0) return;
    o_event(k, CH_EV_hash_key_retired, 0);
    k->w->retired[key] = true;
}

void o_setting_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_settings_set) set_texts(k);
    if (type == CH_CMD_content_feed) feed(k);
    if (type == CH_CMD_content_unfeed) unfeed(k);
    if (type == CH_CMD_suppression_add) suppress(k, true);
    if (type == CH_CMD_suppression_remove) suppress(k, false);
    if (type == CH_CMD_suppression_rotate_key) rotate_key(k);
    if (type == CH_CMD_suppression_retire_key) retire_key(k);
}
