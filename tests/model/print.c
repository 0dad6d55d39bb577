/* print: a command of the model in words. SPDX-License-Identifier: MIT */
#include "tests/model/call.h"

#include <stdio.h>

static void print_pick(const char *what, const struct o_pick *pick)
{
    if (!pick->given) return;
    if (pick->id != 0) {
        printf(" %s=%llu", what, (unsigned long long)pick->id);
    } else {
        printf(" %s=\"%s\"", what, pick->name);
    }
}

void m_print(const struct o_command *c)
{
    printf("  %s by %s %llu over %s at %llu", ch_calls[c->type].args.name,
           ch_enum_name(CH_KIND_actor_kind, c->actor_kind), (unsigned long long)c->actor,
           ch_enum_name(CH_KIND_channel, c->channel), (unsigned long long)c->now);
    print_pick("on", &c->on);
    print_pick("below", &c->below);
    if (c->session != 0) printf(" session=%llu", (unsigned long long)c->session);
    for (uint32_t i = 0; i < O_SWITCHES; i++) {
        if (c->has_switch[i]) printf(" switch%u=%d", i, c->switch_on[i]);
    }
    for (uint32_t i = 0; i < c->account_count; i++) {
        print_pick("accounts", &c->accounts[i]);
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (c->has_amount[i]) printf(" amount%u=%llu", i, (unsigned long long)c->amount[i]);
    }
    for (uint32_t i = 0; i < c->listed_count; i++) {
        printf(" share=%llu", (unsigned long long)c->listed[i]);
    }
    if (c->has_thing) printf(" thing=%llu", (unsigned long long)c->thing);
    if (c->token != 0) printf(" token=%llu", (unsigned long long)c->token);
    if (c->login[0] != 0) printf(" login=%s", c->login);
    print_pick("page", &c->page);
    printf(" via=%d import=%d mailer=%d password=%d old=%d:%d:%llu list=%d content=%d stream=%d",
           c->via, c->imported, c->mailer, c->has_password, c->has_old, c->old_good,
           (unsigned long long)c->old_of, c->list, c->content, c->stream);
    printf(" chosen=%x,%x,%x,%x,%x has=%d,%d allocation=%d frequency=%d:%d restrictions=%x",
           c->chosen[1], c->chosen[2], c->chosen[3], c->chosen[4], c->chosen[5], c->has_kind,
           c->has_resource, c->allocation, c->has_frequency, c->frequency, c->restrictions);
    print_pick("user", &c->user);
    print_pick("account", &c->account);
    print_pick("group", &c->group);
    print_pick("parent", &c->parent);
    print_pick("role", &c->role);
    for (uint32_t i = 0; i < c->page_count; i++) {
        print_pick("page", &c->pages[i]);
    }
    if (c->name[0] != 0) printf(" name=%s", c->name);
    if (c->has_email) printf(" email=%s", c->email);
    if (c->has_depth) printf(" depth=%llu", (unsigned long long)c->depth);
    if (c->has_flag) printf(" flag=%d", c->flag);
    if (c->has_reach) printf(" reach=%d", c->reach);
    if (c->has_share_kind) printf(" share_kind=%d", c->share_kind);
    if (c->has_expiry) printf(" expires_at=%llu", (unsigned long long)c->expires_at);
    if (c->has_expect) printf(" expect=%llu", (unsigned long long)c->expect);
    printf(" kind=%d resource=%d resources=%x scopes=%d:%016llx%016llx\n", c->resource_kind,
           c->resource, c->resources, c->has_scopes, (unsigned long long)c->scopes.words[1],
           (unsigned long long)c->scopes.words[0]);
}
