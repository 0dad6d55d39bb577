/* generate_mail: arguments of commands about campaigns, content, mail and the installation.
 * SPDX-License-Identifier: MIT */
#include "tests/model/generate_impl.h"

#include <stdio.h>

static const char *const texts[] = {"", "hello", "kind regards", "sent by us"};
static const char *const limits[] = {"INVITATION_DAYS", "OFFER_DAYS", "CLOSE_GRACE_DAYS",
                                     "RATE_DAYS", "NO_SUCH_LIMIT"};
static const char *const new_roles[] = {"writer", "reader", "lead", "owner", "boss"};

static void fill_campaign(struct m_random *random, struct o_world *w, struct o_command *c)
{
    c->resource = (uint8_t)m_below(random, O_RESOURCES);
    c->list = (uint8_t)m_below(random, O_RESOURCES);
    c->content = (uint8_t)m_below(random, 3);
    if (c->type == CH_CMD_campaign_submit) return;
    if (m_chance(random, 10)) return;
    for (EACH(i, random, w->submissions)) {
        const struct o_submission *s = &w->submissions[i];
        if (s->id == 0) continue;
        c->resource = s->campaign;
        if (m_chance(random, c->type == CH_CMD_campaign_edit ? 30 : 85)) c->content = s->content;
        c->has_thing = c->type == CH_CMD_campaign_approve && m_chance(random, 30);
        c->thing = m_chance(random, 90) ? s->id : NOBODY;
        m_go_to(c, s->account);
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, s->account), c);
        }
        if (m_chance(random, 8) && s->person != 0) m_act_as(c, CH_actor_kind_user, s->person);
        if (m_chance(random, 8) && o_key(w, s->key) != NULL) {
            m_act_as(c, CH_actor_kind_key, s->key);
        }
        return;
    }
}

static void pick_child(struct m_random *random, struct o_world *w, const struct o_account *on,
                       struct o_command *c)
{
    (void)m_pick_account(random, w, &c->below);
    for (int i = 0; i < 60 && on != NULL && !m_chance(random, 2); i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        if (a->parent != on->id) continue;
        m_pick_id(&c->below, a->id);
        return;
    }
}

static void fill_feed(struct m_random *random, struct o_world *w, const struct o_account *on,
                      struct o_command *c)
{
    static const uint8_t kinds[] = {CH_resource_kind_campaign, CH_resource_kind_template,
                                    CH_resource_kind_automation, CH_resource_kind_list};
    if (m_chance(random, 60)) pick_child(random, w, on, c);
    c->resource_kind = kinds[m_below(random, m_chance(random, 5) ? 4 : 3)];
    c->resource = (uint8_t)m_below(random, O_RESOURCES);
    if (c->type == CH_CMD_content_feed) return;
    if (m_chance(random, 10)) return;
    for (EACH(i, random, w->feeds)) {
        const struct o_feed *f = &w->feeds[i];
        if (f->account == 0) continue;
        m_go_to(c, f->account);
        c->resource_kind = f->kind;
        c->resource = f->resource;
        c->below = (struct o_pick){.given = f->to != 0, .id = f->to};
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, f->account), c);
        }
        return;
    }
}

static void fill_suppression(struct m_random *random, struct o_world *w, struct o_command *c)
{
    snprintf(c->email, sizeof c->email, "%s@example.com", m_people[m_below(random, 4)]);
    if (c->type == CH_CMD_suppression_add) return;
    if (m_chance(random, 10)) return;
    for (EACH(i, random, w->suppressed)) {
        const struct o_suppressed *s = &w->suppressed[i];
        if (s->account == 0) continue;
        m_put(c->email, sizeof c->email, s->address);
        m_go_to(c, s->account);
        return;
    }
}

static void fill_stream(struct m_random *random, struct o_world *w, const struct o_account *on,
                        struct o_command *c)
{
    c->stream = (uint8_t)m_below(random, 2);
    for (int i = 0; i < 100 && on != NULL && m_chance(random, 97); i++) {
        const struct o_key *key = &w->keys[m_below(random, O_KEYS)];
        if (key->id == 0 || (key->account != on->id && !m_chance(random, 1))) continue;
        c->has_thing = m_chance(random, 35);
        c->thing = key->id;
        break;
    }
    if (c->type == CH_CMD_stats_add) {
        if (m_chance(random, 3)) return;
        c->wholes[0] = m_below(random, 1500);
        c->parts[0] = m_below(random, m_chance(random, 20) ? 200 : 40);
        c->wholes[1] = c->wholes[0] - m_below(random, (uint32_t)c->wholes[0] + 1) / 10;
        c->parts[1] = m_below(random, 3);
        return;
    }
    if (c->type != CH_CMD_stream_resume || m_chance(random, 10)) return;
    for (EACH(i, random, w->streams)) {
        const struct o_stream *s = &w->streams[i];
        if (s->account == 0 || !(s->stopped[0] || s->stopped[1])) continue;
        m_go_to(c, s->account);
        c->stream = s->stream;
        c->has_thing = s->key != 0;
        c->thing = s->key;
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, s->account), c);
        }
        return;
    }
}

static void fill_thresholds(struct m_random *random, struct o_command *c)
{
    static const uint64_t values[] = {0, 100, 20000, 50000, 1000000, 1000001};
    for (uint32_t i = 0; i < 3; i++) {
        c->has_amount[i] = m_chance(random, 60);
        c->amount[i] = c->has_amount[i] ? values[m_below(random, COUNT(values))] : 0;
    }
    if (c->has_amount[2]) c->amount[2] = 100 * m_below(random, 20);
}

static void fill_role(struct m_random *random, struct o_world *w, const struct o_account *on,
                      struct o_command *c)
{
    m_put(c->name, sizeof c->name, new_roles[m_below(random, COUNT(new_roles))]);
    if (c->type == CH_CMD_role_publish) {
        const uint32_t way = m_below(random, 20);
        if (way < 10 || way == 19) m_pick_role(random, w, NULL, &c->role);
        if (way >= 10 && way < 18) m_pick_name(&c->page, m_pages[m_below(random, M_PAGES)]);
        if (way == 19) m_pick_name(&c->page, m_pages[0]);
        return;
    }
    m_pick_role(random, w, on, &c->role);
    for (int i = 0; i < 60 && m_chance(random, 97); i++) {
        const struct o_role *r = &w->roles[m_below(random, (uint32_t)w->role_count)];
        if (r->id == 0 || r->account == 0) continue;
        m_pick_id(&c->role, r->id);
        m_go_to(c, r->account);
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, r->account), c);
        }
        return;
    }
}

static void fill_activity(struct m_random *random, struct o_command *c)
{
    static const char *const paths[] = {"Spring sale > Edited", "Opened", "> Edited",
                                        "Spring sale >"};
    m_put(c->text[0], sizeof c->text[0], m_chance(random, 95) ? "Campaigns" : "A > B");
    m_put(c->text[1], sizeof c->text[1], paths[m_below(random, m_chance(random, 10) ? 4 : 2)]);
}

static void fill_limit(struct m_random *random, struct o_command *c)
{
    static const uint64_t days[] = {0, 1, 3, 7, 30, 3650, 3651};
    m_put(c->name, sizeof c->name,
          limits[m_below(random, m_chance(random, 80) ? 3 : COUNT(limits))]);
    c->amount[0] = days[1 + m_below(random, 4)];
    if (m_chance(random, 10)) c->amount[0] = days[m_below(random, COUNT(days))];
}

void m_fill_mail(struct m_random *random, struct o_world *w, const struct o_account *on,
                 struct o_command *c)
{
    switch (c->type) {
    case CH_CMD_campaign_submit:
    case CH_CMD_campaign_approve:
    case CH_CMD_campaign_reject:
    case CH_CMD_campaign_edit:
    case CH_CMD_campaign_send: fill_campaign(random, w, c); break;
    case CH_CMD_content_feed:
    case CH_CMD_content_unfeed: fill_feed(random, w, on, c); break;
    case CH_CMD_suppression_add:
    case CH_CMD_suppression_remove: fill_suppression(random, w, c); break;
    case CH_CMD_suppression_retire_key:
        c->has_thing = true;
        c->thing = m_below(random, w->hash_keys + 2);
        break;
    case CH_CMD_stats_add:
    case CH_CMD_stream_stop:
    case CH_CMD_stream_resume: fill_stream(random, w, on, c); break;
    case CH_CMD_reputation_set_thresholds: fill_thresholds(random, c); break;
    case CH_CMD_role_rename:
    case CH_CMD_role_delete:
    case CH_CMD_role_publish: fill_role(random, w, on, c); break;
    case CH_CMD_activity_record: fill_activity(random, c); break;
    case CH_CMD_limit_set: fill_limit(random, c); break;
    case CH_CMD_settings_set:
        for (uint32_t i = 0; i < 2; i++) {
            c->has_text[i] = m_chance(random, 60);
            m_put(c->text[i], sizeof c->text[i], texts[m_below(random, COUNT(texts))]);
        }
        break;
    default: break;
    }
}
