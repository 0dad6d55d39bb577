/* call_mail: commands about mail, content and the installation, for core.
 * SPDX-License-Identifier: MIT */
#include "tests/model/call_impl.h"

/* The hash of a content, which has a number in the model. */
static struct ch_bytes hash_of(uint8_t content, struct ch_arena *arena)
{
    uint8_t *hash = m_take(arena, 32);
    memset(hash, content + 1, 32);
    return (struct ch_bytes){hash, 32};
}

static void *campaign_args(const struct o_command *c, struct ch_arena *arena)
{
    const struct ch_text campaign = ch_text_of(o_resources[c->resource]);
    if (c->type == CH_CMD_campaign_submit) {
        ARGS(campaign_submit);
        args->campaign = campaign;
        args->content_hash = hash_of(c->content, arena);
        args->has_remark = (c->now & 1) != 0;
        args->remark = m_named("please look at it");
        return args;
    }
    if (c->type == CH_CMD_campaign_approve) {
        ARGS(campaign_approve);
        args->campaign = campaign;
        args->content_hash = hash_of(c->content, arena);
        args->has_submission = c->has_thing;
        args->submission.seq = c->thing;
        return args;
    }
    if (c->type == CH_CMD_campaign_reject) {
        ARGS(campaign_reject);
        args->campaign = campaign;
        args->reason = m_named("wrong colour");
        return args;
    }
    if (c->type == CH_CMD_campaign_edit) {
        ARGS(campaign_edit);
        args->campaign = campaign;
        args->content_hash = hash_of(c->content, arena);
        return args;
    }
    if (c->type == CH_CMD_campaign_send) {
        ARGS(campaign_send);
        args->campaign = campaign;
        args->content_hash = hash_of(c->content, arena);
        args->list = ch_text_of(o_resources[c->list]);
        return args;
    }
    return NULL;
}

static void *content_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_settings_set) {
        ARGS(settings_set);
        args->has_header = c->has_text[0];
        args->header = ch_text_of(c->text[0]);
        args->has_footer = c->has_text[1];
        args->footer = ch_text_of(c->text[1]);
        return args;
    }
    if (c->type == CH_CMD_content_feed) {
        ARGS(content_feed);
        args->kind = c->resource_kind;
        args->resource = ch_text_of(o_resources[c->resource]);
        args->has_account = c->below.given;
        args->account = m_ref(&c->below);
        return args;
    }
    if (c->type == CH_CMD_content_unfeed) {
        ARGS(content_unfeed);
        args->kind = c->resource_kind;
        args->resource = ch_text_of(o_resources[c->resource]);
        args->has_account = c->below.given;
        args->account = m_ref(&c->below);
        return args;
    }
    if (c->type == CH_CMD_suppression_add) {
        ARGS(suppression_add);
        args->address = m_named(c->email);
        return args;
    }
    if (c->type == CH_CMD_suppression_rotate_key) return m_take(arena, 1);
    if (c->type == CH_CMD_suppression_retire_key) {
        ARGS(suppression_retire_key);
        args->key = c->thing;
        return args;
    }
    if (c->type == CH_CMD_suppression_remove) {
        ARGS(suppression_remove);
        args->address = m_named(c->email);
        return args;
    }
    return NULL;
}

static void *stream_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_stats_add) {
        ARGS(stats_add);
        args->stream = c->stream;
        args->has_key = c->has_thing;
        args->key.seq = c->thing;
        args->has_sent = args->has_bounced = args->has_delivered = args->has_complained = true;
        args->sent = c->wholes[0];
        args->bounced = c->parts[0];
        args->delivered = c->wholes[1];
        args->complained = c->parts[1];
        return args;
    }
    if (c->type == CH_CMD_reputation_set_thresholds) {
        ARGS(reputation_set_thresholds);
        args->has_bounce_ppm = c->has_amount[0];
        args->bounce_ppm = c->amount[0];
        args->has_complaint_ppm = c->has_amount[1];
        args->complaint_ppm = c->amount[1];
        args->has_volume = c->has_amount[2];
        args->volume = c->amount[2];
        return args;
    }
    if (c->type == CH_CMD_stream_stop) {
        ARGS(stream_stop);
        args->stream = c->stream;
        args->has_key = c->has_thing;
        args->key.seq = c->thing;
        args->reason = m_named("too many bounces");
        return args;
    }
    if (c->type == CH_CMD_stream_resume) {
        ARGS(stream_resume);
        args->stream = c->stream;
        args->has_key = c->has_thing;
        args->key.seq = c->thing;
        args->reason = m_named("clean again");
        return args;
    }
    return NULL;
}

static void *system_args(const struct o_command *c, struct ch_arena *arena)
{
    if (c->type == CH_CMD_limit_set) {
        ARGS(limit_set);
        args->name = ch_text_of(c->name);
        args->value = c->amount[0];
        return args;
    }
    if (c->type == CH_CMD_import_begin) {
        ARGS(import_begin);
        args->format = ch_text_of("model");
        return args;
    }
    if (c->type == CH_CMD_import_advance) {
        ARGS(import_advance);
        args->digest = hash_of(9, arena);
        args->line = 4;
        return args;
    }
    if (c->type == CH_CMD_import_end) {
        ARGS(import_end);
        args->line = 4;
        return args;
    }
    if (c->type == CH_CMD_activity_record) {
        ARGS(activity_record);
        args->section = ch_text_of(c->text[0]);
        args->path = m_named(c->text[1]);
        return args;
    }
    if (c->type == CH_CMD_role_rename) {
        ARGS(role_rename);
        args->role = m_ref(&c->role);
        args->name = ch_text_of(c->name);
        return args;
    }
    if (c->type == CH_CMD_role_delete) {
        ARGS(role_delete);
        args->role = m_ref(&c->role);
        return args;
    }
    if (c->type == CH_CMD_role_publish) {
        ARGS(role_publish);
        args->has_role = c->role.given;
        args->role = m_ref(&c->role);
        args->has_page = c->page.given;
        args->page = m_ref(&c->page);
        return args;
    }
    return NULL;
}

void *m_mail_args(const struct o_command *c, struct ch_arena *arena)
{
    void *args = campaign_args(c, arena);
    if (args == NULL) args = content_args(c, arena);
    if (args == NULL) args = stream_args(c, arena);
    if (args == NULL) args = system_args(c, arena);
    return args;
}
