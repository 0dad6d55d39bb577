/* ask: see ask.h. SPDX-License-Identifier: MIT */
#include "tools/charter/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/json.h"
#include "tools/charter/ref.h"

static const char default_url[] = "ipc:///run/charterd/charterd.ipc";

/* What to do next, for codes whose text does not say it. */
static const struct {
    const char *code;
    const char *next;
    const char *field; /* only for this one; NULL: for any that has no row before this one */
} hints[] = {
    {"net_io",
     "is charterd running there? start it with: charterd --data DIR --listen URL, and "
     "name it with --connect URL or CHARTER_URL",
     NULL},
    {"auth_refused",
     "run charter as the user charterd runs as, or name your uid in its "
     "configuration",
     NULL},
    {"busy", "wait a little and try again, or raise --timeout", NULL},
    {"not_yet", "--as-of takes a time that has come, or a seq up to the revision of charter status",
     "as_of"},
    {"not_yet", "ask again later, or without --at-least", NULL},
    {"out_of_bounds", "the command's --help says what each option takes", NULL},
    {"wrong_kind", "the command's --help says what each option takes", NULL},
    {"missing_field", "the command's --help says what it needs", NULL},
    {"not_found", "see the checkpoints that there are: charter checkpoint list", "size"},
    {"not_found", "see the checkpoints that there are: charter checkpoint list", "to"},
    {"not_found", "see what there is: charter account list, user list, group list, role list",
     NULL},
    {"not_allowed",
     "who has the right access.explain there sees why: charter explain --user U "
     "--scope S --on ACCOUNT",
     NULL},
    {"operator_only", "run it as the user charterd runs as, without --as", NULL},
    {"share_exists", "see: charter share set-role --help", NULL},
    {"wrong_resource", "charter help scopes lists which kind each scope takes", NULL},
    {"time_goes_back", "a history comes before everything else: import it into a new log", NULL},
    {"uncovered_scopes", "let somebody do it who has them", NULL},
};

static bool is(struct charter_text text, const char *word)
{
    return ch_text_is((struct ch_text){text.ptr, text.len}, word);
}

static void tell_hint(struct charter_text code, struct charter_text field)
{
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (!is(code, hints[i].code)) continue;
        if (hints[i].field != NULL && !is(field, hints[i].field)) continue;
        (void)fprintf(stderr, "  next: %s\n", hints[i].next);
        return;
    }
}

enum exit_code ask_tell_error(const struct charter_error *error)
{
    (void)fprintf(stderr, "charter: failed: %s: %s\n", error->code, error->text);
    if (error->field[0] != '\0') (void)fprintf(stderr, "  field: %s\n", error->field);
    tell_hint((struct charter_text){error->code, strlen(error->code)},
              (struct charter_text){error->field, strlen(error->field)});
    return EXIT_FAILED;
}

enum exit_code ask_tell_no(const struct charter_result *result)
{
    const bool rejection = result->outcome == CHARTER_REJECTION;
    (void)fprintf(stderr, "charter: %s: %.*s: %.*s\n", rejection ? "refused" : "failed",
                  (int)result->code.len, result->code.ptr, (int)result->text.len, result->text.ptr);
    if (result->field.len > 0) {
        (void)fprintf(stderr, "  field: %.*s\n", (int)result->field.len, result->field.ptr);
    }
    if (result->detail.len > 0) {
        char *detail = charter_json(result->detail, 0);
        (void)fprintf(stderr, "  detail: %s\n", detail == NULL ? "?" : detail);
        free(detail);
    }
    tell_hint(result->code, result->field);
    return rejection ? EXIT_REJECTED : EXIT_FAILED;
}

const char *ask_url(const struct options *o)
{
    const char *url = o->url;
    if (url == NULL) url = getenv("CHARTER_URL");
    return url == NULL || url[0] == '\0' ? default_url : url;
}

enum exit_code ask_connect(const struct options *o, unsigned in_flight, struct charter **ret)
{
    const char *url = ask_url(o);
    struct charter_error error;
    const struct charter_options options = {.in_flight = in_flight == 0 ? 1 : in_flight,
                                            .timeout_ms = o->timeout_ms};
    if (charter_connect(url, &options, ret, &error) == 0) return EXIT_DONE;
    return ask_tell_error(&error);
}

/* The environment's word; NULL: none, or an empty one. */
static const char *set_in(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

void ask_as_of(struct charter_head *head, const char *as_of)
{
    head->as_of_seq = 0;
    head->has_as_of = option_number(as_of, &head->as_of_seq);
    head->as_of_time = head->has_as_of ? NULL : as_of;
}

struct charter_head ask_head(const struct options *o)
{
    struct charter_head head = {.channel = o->channel,
                                .dry_run = o->dry_run,
                                .at_least = o->at_least,
                                .at = o->at,
                                .id = o->has_id ? o->id : NULL};
    head.key = o->key;
    head.session = o->session;
    if (o->as == NULL && o->key == NULL && o->session == NULL) {
        head.key = set_in("CHARTER_KEY");
        if (head.key == NULL) head.session = set_in("CHARTER_SESSION");
    }
    if (o->as != NULL) {
        const struct ref user = ref_of(CH_KIND_user_ref, o->as);
        head.as_user_id = user.id;
        head.as_user = user.name;
    }
    if (o->as_of != NULL) ask_as_of(&head, o->as_of);
    return head;
}

static void tell_again(const struct charter_message *m)
{
    struct ch_buf hex = {0};
    ch_hex_write(&hex, (struct ch_bytes){charter_message_id(m), 16});
    (void)fprintf(stderr, "  next: the same command again, with --id %.*s, is done once only\n",
                  (int)hex.len, (const char *)hex.ptr);
    ch_buf_deinit(&hex);
}

enum exit_code ask_call(struct charter *c, const struct options *o, const char *type, bool on,
                        const struct ch_buf *pairs, size_t count, struct charter_reply **ret)
{
    const struct charter_head head = ask_head(o);
    struct charter_error error = {0};
    struct charter_message *m = charter_message_create(&head);
    if (m == NULL) {
        (void)fprintf(stderr, "charter: failed: out of memory\n");
        return EXIT_FAILED;
    }
    struct charter_call_head call = {
        .type = type, .has_expect = o->has_expect, .expect = o->expect, .note = o->note};
    if (on && o->on != NULL) {
        const struct ref account = ref_of(CH_KIND_account_ref, o->on);
        call.on_id = account.id;
        call.on = account.name;
    }
    charter_message_call(m, &call);
    charter_args_pairs(m, pairs->ptr, pairs->len, count);
    enum exit_code code = EXIT_DONE;
    struct charter_reply *reply = NULL;
    if (charter_call(c, m, &reply, &error) != 0) {
        code = ask_tell_error(&error);
        if (strcmp(error.code, "timed_out") == 0) tell_again(m);
    } else if (charter_reply_result(reply, 0)->outcome != CHARTER_RESULT) {
        code = ask_tell_no(charter_reply_result(reply, 0));
        charter_reply_destroy(reply);
    } else {
        *ret = reply;
    }
    charter_message_destroy(m);
    return code;
}
