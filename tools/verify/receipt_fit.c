/* receipt_fit: see receipt_fit.h. SPDX-License-Identifier: MIT */
#include "tools/verify/receipt_fit.h"

#include <string.h>

#include "schema/codec.h"
#include "schema/text.h"

/* Whether the event names things of the kind, and this one among them. */
struct named {
    bool any;
    bool it;
};

static void note(struct named *named, uint64_t id, uint64_t wanted)
{
    if (id == 0) return;
    named->any = true;
    named->it = named->it || id == wanted;
}

static struct named names(const struct ch_event *event, uint8_t kind, uint64_t wanted)
{
    struct named named = {false, false};
    const struct ch_record *record = &ch_events[event->tag].record;
    if (ch_events[event->tag].makes == kind) note(&named, event->seq, wanted);
    if (kind == CH_KIND_account) note(&named, event->account, wanted);
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        uint64_t id;
        if (field->kind != kind || field->list || !ch_field_present(field, event->body)) continue;
        memcpy(&id, ch_field_at(field, event->body), sizeof id); /* every id is one number */
        note(&named, id, wanted);
    }
    return named;
}

static bool contradicts(const struct ch_event *event, uint8_t kind, uint64_t claimed)
{
    const struct named named = names(event, kind, claimed);
    return claimed != 0 && named.any && !named.it;
}

/* Whose share it is: the subject's, or that of a group of theirs. Memberships stand before the
 * group's share that is in use; of one that does not count they are not told. */
static bool is_foreign(const struct statement *statement, const struct fact *fact,
                       const struct ch_ev_share_given *given, const uint64_t *groups, size_t count)
{
    if (given->subject_kind == CH_subject_kind_user) {
        return statement->by_key || given->subject != statement->subject;
    }
    if (!ch_text_is(fact->name, "share")) return false;
    for (size_t i = 0; i < count; i++) {
        if (groups[i] == given->subject) return false;
    }
    return true;
}

/* Whether it is about the subject in person. */
static bool is_of_user(const struct fact *fact)
{
    static const char *const names[] = {"membership", "user_locked", "user_erased", "login_deleted",
                                        "not_accepted"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ch_text_is(fact->name, names[i])) return true;
    }
    return false;
}

const char *receipt_misfit(const struct statement *statement, const struct fact *fact,
                           const struct ch_event *event, const uint64_t *groups, size_t group_count)
{
    char at[CH_TIME_TEXT_BYTES];
    const bool role = ch_text_is(fact->name, "role") || ch_text_is(fact->name, "role_version");
    (void)ch_time_write(event->at, at);
    if (event->seq != fact->seq) return "the record is of another event";
    if (event->seq > statement->seq) return "the event came after the answer";
    if (!ch_text_is(fact->at, at)) return "the event was at another time";
    if (!ch_text_is(fact->by_kind, ch_enum_name(CH_KIND_actor_kind, event->actor.kind)) ||
        fact->by != event->actor.id) {
        return "somebody else caused the event";
    }
    /* A role may be of an account above. */
    if (!role && contradicts(event, CH_KIND_account, fact->ids[CLAIM_account])) {
        return "the event is about another account";
    }
    if (contradicts(event, CH_KIND_share, fact->ids[CLAIM_share])) {
        return "the event is about another share";
    }
    if (contradicts(event, CH_KIND_group, fact->ids[CLAIM_group])) {
        return "the event is about another group";
    }
    if (contradicts(event, CH_KIND_role, fact->ids[CLAIM_role])) {
        return "the event is about another role";
    }
    if (contradicts(event, CH_KIND_key, fact->ids[CLAIM_key])) {
        return "the event is about another key";
    }
    if (is_of_user(fact) &&
        (statement->by_key || contradicts(event, CH_KIND_user, statement->subject))) {
        return "the event is about another user";
    }
    if (event->tag == CH_EV_share_given && fact->ids[CLAIM_share] == event->seq &&
        is_foreign(statement, fact, event->body, groups, group_count)) {
        return "the share is somebody else's";
    }
    return NULL;
}
