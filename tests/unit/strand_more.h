/* strand_more: random settings, credits and logins, and the questions about users, shares, settings
 * and credits, for test_strand. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_STRAND_MORE_H
#define CH_TESTS_STRAND_MORE_H
#include "tests/unit/explain_history.h"

enum { RESERVED_MOST = 8 };

struct more {
    uint64_t reserved[RESERVED_MOST];
    uint32_t reservations;
};

static const struct ch_named more_reason = {.text = {"because", 7}};

static inline int settings_step(struct world *w, const struct people *p, struct chance *c,
                                uint64_t on)
{
    char text[24];
    const struct ch_ref sub = {.id = p->account[1 + below(c, ACCOUNTS - 1)]};
    (void)snprintf(text, sizeof text, "text %u", below(c, 1000));
    switch (below(c, 4)) {
    case 0:
    case 1:
        return RUN(w, OPERATOR, settings_set, on, .has_header = below(c, 2) == 0,
                   .header = ch_text_of(below(c, 4) == 0 ? "" : text),
                   .has_footer = below(c, 2) == 0, .footer = ch_text_of(text));
    case 2:
        return RUN(w, OPERATOR, account_set_switches, sub.id == w->low ? w->mid : w->top,
                   .account = sub, .has_use_master_header_footer = below(c, 2) == 0,
                   .use_master_header_footer = below(c, 2) == 0,
                   .has_use_master_unsubscribe_list = below(c, 2) == 0,
                   .use_master_unsubscribe_list = below(c, 2) == 0,
                   .has_honour_list_in_master = true, .honour_list_in_master = below(c, 3) != 0);
    default:
        return RUN(w, OPERATOR, access_set_review, on, .has_every_days = below(c, 4) != 0,
                   .every_days = 1 + below(c, 90));
    }
}

static inline int allocation_step(struct world *w, const struct people *p, struct chance *c)
{
    const uint64_t to = p->account[1 + below(c, ACCOUNTS - 1)];
    const uint64_t on = below(c, 4) == 0 ? w->mid : w->top;
    const uint8_t type = (uint8_t)below(c, 3);
    if (below(c, 4) == 0) return RUN(w, OPERATOR, credits_withdraw, on, .account = {.id = to});
    return RUN(w, OPERATOR, credits_allocate, on, .account = {.id = to}, .type = type,
               .has_total = type != CH_allocation_type_unlimited, .total = 1 + below(c, 400),
               .has_reset_frequency = type == CH_allocation_type_recurring,
               .reset_frequency = (uint8_t)below(c, 3));
}

static inline int separation_step(struct world *w, const struct people *p, struct chance *c)
{
    const uint64_t on = p->account[1 + below(c, ACCOUNTS - 1)];
    switch (below(c, 5)) {
    case 0:
    case 1:
        return RUN(w, below(c, 2) == 0 ? OPERATOR : w->owner, billing_request_separation, on,
                   .has_reason = true, .reason = more_reason);
    case 2:
        return RUN(w, OPERATOR, billing_grant_separation, on, .name = TEXT("Own"),
                   .total = 1 + below(c, 500), .has_period = true, .period = (uint8_t)below(c, 3));
    case 3: return RUN(w, OPERATOR, billing_refuse_separation, on, .reason = more_reason);
    default: return run(w, OPERATOR, CH_CMD_billing_end_separation, on, NULL);
    }
}

static inline int credits_step(struct world *w, const struct people *p, struct chance *c,
                               struct more *more, uint64_t on)
{
    const uint32_t which = more->reservations == 0 ? 0 : below(c, more->reservations);
    const struct ch_reservation_id reserved = {more->reserved[which]};
    const uint64_t amount = 1 + below(c, 60);
    switch (below(c, 10)) {
    case 0:
    case 1:
    case 2: return allocation_step(w, p, c);
    case 3:
    case 4: return RUN(w, SERVICE, credits_spend, on, .amount = amount);
    case 5:
    case 6:
        if (more->reservations == RESERVED_MOST ||
            RUN(w, SERVICE, credits_reserve, on, .amount = amount, .has_reference = true,
                .reference = ch_text_of(below(c, 2) == 0 ? "one" : "two")) != CH_REJ_none) {
            return 0;
        }
        more->reserved[more->reservations++] = w->made;
        return 0;
    case 7:
        if (more->reservations == 0) return 0;
        more->reserved[which] = more->reserved[--more->reservations];
        if (below(c, 2) == 0) {
            return RUN(w, SERVICE, credits_settle, 0, .reservation = reserved, .used = 1);
        }
        return below(c, 2) == 0 ? 0 : RUN(w, SERVICE, credits_release, 0, .reservation = reserved);
    case 8:
        return RUN(w, OPERATOR, plan_change, w->top, .has_total = below(c, 2) == 0,
                   .total = 600 + below(c, 900), .has_next_total = below(c, 2) == 0,
                   .next_total = 300 + below(c, 900), .has_period = below(c, 4) == 0,
                   .period = (uint8_t)below(c, 3));
    default: return separation_step(w, p, c);
    }
}

static inline int more_step(struct world *w, const struct people *p, struct chance *c,
                            struct more *more)
{
    const uint64_t on = p->account[below(c, ACCOUNTS)];
    const struct ch_ref user = {.id = p->user[below(c, PEOPLE)]};
    switch (below(c, 8)) {
    case 0:
    case 1: return settings_step(w, p, c, on);
    case 2: {
        const uint32_t row = ch_find_user(&w->state, user.id);
        const uint64_t password = row == 0 ? 0 : ch_user_row(&w->state, row)->password_seq;
        return RUN(w, SERVICE, session_log_in, 0, .user = user,
                   .password = {.good = true, .of = password});
    }
    case 3:
        return RUN(w, OPERATOR, user_set_password, 0, .has_user = true, .user = user,
                   .password = {.verifier = ch_text_of("v")});
    case 4:
        if (p->keys == 0) return 0;
        return RUN(w, OPERATOR, key_rotate, on, .key = {p->key[below(c, p->keys)]});
    default: return credits_step(w, p, c, more, on);
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

static const int more_types[] = {CH_QRY_user_show,         CH_QRY_user_list,
                                 CH_QRY_login_list,        CH_QRY_share_show,
                                 CH_QRY_share_list,        CH_QRY_group_list,
                                 CH_QRY_group_members,     CH_QRY_key_list,
                                 CH_QRY_key_show,          CH_QRY_key_scopes,
                                 CH_QRY_settings_show,     CH_QRY_account_switches,
                                 CH_QRY_credits_show,      CH_QRY_credits_list,
                                 CH_QRY_billing_statement, CH_QRY_billing_separation,
                                 CH_QRY_plan_show,         CH_QRY_access_who,
                                 CH_QRY_access_holders,    CH_QRY_credits_reservations};
enum { MORE_TYPES = sizeof more_types / sizeof more_types[0] };

union more_args {
    struct ch_qry_user_show user_show;
    struct ch_qry_user_list user_list;
    struct ch_qry_login_list login_list;
    struct ch_qry_share_show share_show;
    struct ch_qry_share_list share_list;
    struct ch_qry_group_list group_list;
    struct ch_qry_group_members group_members;
    struct ch_qry_key_list key_list;
    struct ch_qry_key_show key_show;
    struct ch_qry_key_scopes key_scopes;
    struct ch_qry_settings_show settings_show;
    struct ch_qry_account_switches account_switches;
    struct ch_qry_credits_show credits_show;
    struct ch_qry_credits_list credits_list;
    struct ch_qry_credits_reservations credits_reservations;
    struct ch_qry_plan_show plan_show;
    struct ch_qry_billing_statement billing_statement;
    struct ch_qry_billing_separation billing_separation;
    struct ch_qry_access_who access_who;
    struct ch_qry_access_holders access_holders;
};

/* What is named in it. */
struct more_named {
    struct ch_ref user;
    struct ch_ref group;
    uint64_t key;
    uint8_t scope;
    bool of_group;
    uint64_t after, limit; /* limit 0: the whole list */
};

/* The fields `after` and `limit` of a list, where it has them. */
static inline void more_page(int type, const struct more_named *named, void *args)
{
    const struct ch_record *record = &ch_calls[type].args;
    for (uint16_t i = 0; named->limit != 0 && i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        const bool after = strcmp(field->name, "after") == 0;
        const bool limit = strcmp(field->name, "limit") == 0;
        if ((!after || named->after == 0) && !limit) continue;
        memcpy((uint8_t *)args + field->offset, after ? &named->after : &named->limit, 8);
        *((uint8_t *)args + field->has_offset) = 1;
    }
}

static inline void more_call(int type, const struct more_named *named, union more_args *args)
{
    const struct ch_key_id key = {named->key};
    switch (type) {
    case CH_QRY_user_show: args->user_show.user = named->user; break;
    case CH_QRY_share_show:
        args->share_show = (struct ch_qry_share_show){.has_user = !named->of_group,
                                                      .user = named->user,
                                                      .has_group = named->of_group,
                                                      .group = named->group};
        break;
    case CH_QRY_group_members: args->group_members.group = named->group; break;
    case CH_QRY_key_show: args->key_show.key = key; break;
    case CH_QRY_key_scopes:
        args->key_scopes = (struct ch_qry_key_scopes){.has_key = true, .key = key};
        break;
    case CH_QRY_access_who: args->access_who.scopes = ch_scopes_of(named->scope); break;
    case CH_QRY_access_holders: args->access_holders.scope = named->scope; break;
    case CH_QRY_billing_statement:
        args->billing_statement.has_from = named->of_group; /* all periods */
        args->billing_statement.from = 1;
        break;
    default: break;
    }
    more_page(type, named, args);
}
#endif
