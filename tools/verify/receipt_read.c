/* receipt_read: see receipt_read.h. SPDX-License-Identifier: MIT */
#include "tools/verify/receipt_read.h"

#include <string.h>

#include "daemon/log/checkpoint.h"
#include "schema/base/lines.h"

const char *const said_words[SAIDS] = {
    [SAID_log] = "log",
    [SAID_made] = "made",
    [SAID_seq] = "seq",
    [SAID_moment] = "moment",
    [SAID_account] = "account",
    [SAID_account_path] = "account-path",
    [SAID_account_name] = "account-name",
    [SAID_subject] = "subject",
    [SAID_subject_name] = "subject-name",
    [SAID_scope] = "scope",
    [SAID_resource] = "resource",
    [SAID_any] = "any",
    [SAID_channel] = "channel",
    [SAID_decision] = "decision",
    [SAID_reason] = "reason",
    [SAID_valid_until] = "valid-until",
};

const char *const claim_words[CLAIMS] = {
    [CLAIM_account] = "account", [CLAIM_share] = "share",     [CLAIM_group] = "group",
    [CLAIM_role] = "role",       [CLAIM_version] = "version", [CLAIM_key] = "key",
};

/* All before the next space, or all; the space goes with it. */
static struct ch_text take_token(struct ch_text *text)
{
    const char *end = text->len == 0 ? NULL : memchr(text->ptr, ' ', text->len);
    const struct ch_text token = {text->ptr, end == NULL ? text->len : (size_t)(end - text->ptr)};
    const size_t taken = token.len + (end == NULL ? 0 : 1);
    text->ptr += taken;
    text->len -= taken;
    return token;
}

static bool take_number(struct ch_text *text, uint64_t *ret)
{
    return ch_decimal_read(take_token(text), ret);
}

/* ---- the statement ------------------------------------------------------------------------ */

static bool read_subject(struct ch_text text, struct statement *ret)
{
    const struct ch_text kind = take_token(&text);
    ret->by_key = ch_text_is(kind, "key");
    return (ret->by_key || ch_text_is(kind, "user")) && take_number(&text, &ret->subject) &&
           text.len == 0 && ret->subject != 0;
}

static bool has_all(const struct statement *statement)
{
    static const enum said needed[] = {SAID_log,   SAID_made,    SAID_seq,      SAID_moment,
                                       SAID_scope, SAID_channel, SAID_decision, SAID_reason};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (statement->said[needed[i]].ptr == NULL) return false;
    }
    return (statement->said[SAID_account].ptr == NULL) !=
               (statement->said[SAID_account_path].ptr == NULL) &&
           (statement->said[SAID_subject].ptr != NULL ||
            statement->said[SAID_subject_name].ptr != NULL);
}

bool receipt_read_statement(struct ch_text text, struct statement *ret)
{
    struct ch_text line;
    *ret = (struct statement){.seq = 0};
    while (ch_text_take_line(&text, &line)) {
        const struct ch_text word = take_token(&line);
        int place = 0;
        while (place < SAIDS && !ch_text_is(word, said_words[place])) {
            place++;
        }
        if (place == SAIDS || ret->said[place].ptr != NULL) return false;
        ret->said[place] = line;
    }
    if (text.len != 0 || !has_all(ret)) return false;
    return ch_decimal_read(ret->said[SAID_seq], &ret->seq) &&
           (ret->said[SAID_account].ptr == NULL ||
            ch_decimal_read(ret->said[SAID_account], &ret->account)) &&
           (ret->said[SAID_subject].ptr == NULL || read_subject(ret->said[SAID_subject], ret));
}

/* ---- the explanation ---------------------------------------------------------------------- */

static bool read_fact(struct ch_text text, struct fact *ret)
{
    const char *end = memmem(text.ptr, text.len, ": ", 2);
    *ret = (struct fact){.seq = 0};
    if (end == NULL) return false;
    struct ch_text head = {text.ptr, (size_t)(end - text.ptr)};
    ret->words = (struct ch_text){end + 2, text.len - head.len - 2};
    ret->name = take_token(&head);
    if (ret->name.len == 0 || !take_number(&head, &ret->seq)) return false;
    ret->has_event = ch_receipt_word(&head, "at");
    if (ret->has_event) {
        ret->at = take_token(&head);
        if (!ch_receipt_word(&head, "by")) return false;
        ret->by_kind = take_token(&head);
        if (!take_number(&head, &ret->by)) return false;
    }
    for (int i = 0; i < CLAIMS; i++) {
        if (ch_receipt_word(&head, claim_words[i]) && !take_number(&head, &ret->ids[i])) {
            return false;
        }
    }
    return head.len == 0;
}

bool receipt_read_line(struct ch_text *text, struct line *ret)
{
    static const char *const facts[] = {"needs", "way-denied-by", "denied-by", "uncounted"};
    static const char *const others[] = {"way", "by-name", "more-ways", "nothing-gives-it"};
    *ret = (struct line){.is_fact = false};
    if (!ch_text_take_line(text, &ret->rest)) return false;
    ret->word = take_token(&ret->rest);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (!ch_text_is(ret->word, facts[i])) continue;
        ret->is_fact = true;
        return read_fact(ret->rest, &ret->fact);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (ch_text_is(ret->word, others[i])) return true;
    }
    return false;
}
