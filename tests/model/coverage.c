/* coverage: see coverage.h. SPDX-License-Identifier: MIT */
#include "tests/model/coverage.h"

#include "schema/event.h"
#include "schema/request.h"

#include <stdio.h>

/* What cannot be met, and why. */
static bool is_idle_only(int type)
{
    /* The log began with this version's text of every role and page. */
    return type == CH_CMD_role_publish;
}

/* Events that no command of a running daemon appends: those a log begins with, what hangs on a text
 * of a later version, and what the daemon tells of checks. */
static bool is_out_of_reach(int tag)
{
    return tag == CH_EV_schema_declared || tag == CH_EV_page_defined || tag == CH_EV_page_changed ||
           tag == CH_EV_mask_defined || tag == CH_EV_access_used;
}

/* What a tree is administered with by API. */
static bool is_administration(int type)
{
    return type == CH_CMD_account_open_sub || type == CH_CMD_account_set_switches ||
           type == CH_CMD_key_create || type == CH_CMD_share_invite ||
           type == CH_CMD_group_create || type == CH_CMD_content_feed;
}

void m_cover(struct m_coverage *coverage, struct o_world *w, const struct o_command *c,
             const struct o_outcome *o)
{
    coverage->codes[o->code]++;
    if (o->code != 0) {
        coverage->refused[c->type]++;
        return;
    }
    coverage->accepted[c->type] += o->count > 0;
    coverage->idle[c->type] += o->count == 0;
    const bool key = o->count > 0 && c->actor_kind == CH_actor_kind_key;
    const struct o_key *actor = key ? o_key(w, c->actor) : NULL; /* NULL: it ended itself */
    const bool master = actor != NULL && actor->kind == CH_key_kind_master;
    coverage->by_key[c->type] += key && !master;
    coverage->by_master[c->type] += master;
    for (uint32_t i = 0; i < o->count; i++) {
        coverage->tags[o->tags[i]]++;
    }
}

void m_print_coverage(const struct m_coverage *coverage)
{
    for (size_t i = 1; i < ch_rejection_count; i++) {
        if (coverage->codes[i] == 0) continue;
        printf("  %-22s %llu\n", ch_rejections[i].name, (unsigned long long)coverage->codes[i]);
    }
    printf("  %-28s %8s %8s %8s %8s %8s\n", "", "accepted", "idle", "refused", "by keys",
           "masters");
    for (int i = 0; i < CH_COMMANDS; i++) {
        const uint64_t any = coverage->accepted[i] + coverage->idle[i] + coverage->refused[i];
        if (any == 0) continue;
        printf("  %-28s %8llu %8llu %8llu %8llu %8llu\n", ch_calls[i].args.name,
               (unsigned long long)coverage->accepted[i], (unsigned long long)coverage->idle[i],
               (unsigned long long)coverage->refused[i], (unsigned long long)coverage->by_key[i],
               (unsigned long long)coverage->by_master[i]);
    }
}

bool m_is_covered(const struct m_coverage *coverage)
{
    bool all = true;
    for (int i = 0; i < CH_COMMANDS; i++) {
        const bool accepted =
            coverage->accepted[i] > 0 || (is_idle_only(i) && coverage->idle[i] > 0);
        if (!accepted) printf("never accepted: %s\n", ch_calls[i].args.name);
        if (coverage->refused[i] == 0) printf("never refused: %s\n", ch_calls[i].args.name);
        all = all && accepted && coverage->refused[i] > 0;
        if (!is_administration(i) || coverage->by_master[i] > 0) continue;
        printf("never accepted from a master key: %s\n", ch_calls[i].args.name);
        all = false;
    }
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        if (ch_events[tag].record.name == NULL || is_out_of_reach(tag)) continue;
        if (tag == CH_EV_command_refused || coverage->tags[tag] > 0) continue;
        printf("never appended: %s\n", ch_events[tag].record.name);
        all = false;
    }
    return all;
}
