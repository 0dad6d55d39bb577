/* rules_system: settings of the installation, imports, acts done elsewhere; in the oracle.
 * SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

static void set_limit(struct o_case *k)
{
    const struct {
        const char *name;
        uint64_t *days;
    } settings[] = {{"INVITATION_DAYS", &k->w->invitation_days},
                    {"OFFER_DAYS", &k->w->offer_days},
                    {"CLOSE_GRACE_DAYS", &k->w->grace_days}};
    uint64_t *days = NULL;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (strcmp(k->c->name, settings[i].name) == 0) days = settings[i].days;
    }
    /* The generator knows one limit of the log that cannot be set, and one that is not there. */
    o_break_if(k, strcmp(k->c->name, "NO_SUCH_LIMIT") == 0, CH_REJ_not_found);
    o_break_if(k, days == NULL, CH_REJ_limit_fixed);
    o_break_if(k, k->c->amount[0] > LIMIT_SETTING_DAYS, CH_REJ_limit_reached);
    if (k->code != 0) return;
    CH_CHECK(days != NULL);
    if (*days == k->c->amount[0]) return;
    o_event(k, CH_EV_limit_defined, 0);
    *days = k->c->amount[0];
}

/* A service says for whom; a person or key that speaks for itself is none. */
static void record(struct o_case *k)
{
    o_break_if(k, !o_is_bound(k), CH_REJ_self_only);
    o_break_if(k, o_is_bound(k) && !k->c->via, CH_REJ_service_only);
    if (k->code != 0) return;
    /* The generator's wrong paths end with the sign, or begin with it. */
    const char *path = k->c->text[1];
    const size_t len = strlen(path);
    o_break_if(k, strchr(k->c->text[0], '>') != NULL, CH_REJ_bad_path);
    o_break_if(k, path[0] == '>' || path[len - 1] == '>', CH_REJ_bad_path);
    if (k->code == 0) o_event(k, CH_EV_activity_recorded, k->on->id);
}

static void import(struct o_case *k)
{
    const int type = k->c->type;
    struct o_world *w = k->w;
    if (type == CH_CMD_import_begin) {
        if (!w->importing) o_event(k, CH_EV_import_begun, 0);
        w->importing = true;
        return;
    }
    o_break_if(k, !w->importing, CH_REJ_no_import);
    if (k->code != 0) return;
    o_event(k, type == CH_CMD_import_end ? CH_EV_import_ended : CH_EV_import_advanced, 0);
    if (type == CH_CMD_import_end) w->importing = false;
}

void o_system_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_limit_set) set_limit(k);
    if (type == CH_CMD_activity_record) record(k);
    if (type == CH_CMD_import_begin || type == CH_CMD_import_advance || type == CH_CMD_import_end) {
        import(k);
    }
}
