/* strand_gather: which events a strand is made of; see strand.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/strand_impl.h"

#include "daemon/core/use.h"
#include "daemon/log/reader.h"
#include "daemon/log/streams.h"
#include "daemon/replay/touched.h"
#include "schema/cursor.h"

#include <stdlib.h>

enum {
    RECORDS_MOST = 256 << 20, /* bytes of records in memory at once */
    SHARE = 255,              /* the kind of a lead to whoever has the share */
};

static uint8_t kind_of(uint64_t key)
{
    return (uint8_t)(key >> 56);
}

static void add_stream(struct ch_strand *strand, enum ch_touch kind, uint64_t id, bool deep)
{
    const uint64_t key = ch_stream_key((uint8_t)kind, id);
    for (uint32_t i = 0; i < strand->streams; i++) {
        struct ch_strand_stream *known = &strand->stream[i];
        if (known->key != key) continue;
        if (!deep || known->deep) return;
        *known = (struct ch_strand_stream){.key = key, .deep = true}; /* read again */
        strand->grown = strand->widened = true;
        return;
    }
    strand->too_many = strand->too_many || strand->streams == CH_STRAND_STREAMS;
    if (strand->too_many) return;
    strand->stream[strand->streams++] = (struct ch_strand_stream){.key = key, .deep = deep};
    strand->grown = strand->widened = true;
}

bool ch_strand_follows(const struct ch_strand *strand, uint8_t kind, uint64_t id)
{
    const uint64_t key = ch_stream_key(kind, id);
    uint32_t i = 0;
    while (i < strand->streams && strand->stream[i].key != key) {
        i++;
    }
    return i < strand->streams;
}

const struct ch_strand_place *ch_strand_find_place(const struct ch_strand *strand, uint64_t account)
{
    for (uint32_t i = 0; i < strand->places; i++) {
        if (strand->place[i].id == account) return &strand->place[i];
    }
    return NULL;
}

static struct ch_strand_place *place_of(struct ch_strand *strand, uint64_t account)
{
    for (uint32_t i = 0; i < strand->places; i++) {
        if (strand->place[i].id == account) return &strand->place[i];
    }
    return NULL;
}

static struct ch_strand_node *node_of(struct ch_strand *strand, uint64_t account)
{
    for (uint32_t i = 0; i < strand->nodes; i++) {
        if (strand->node[i].id == account) return &strand->node[i];
    }
    return NULL;
}

uint64_t ch_strand_dissolved(const struct ch_strand *strand, uint64_t account)
{
    const struct ch_strand_place *place = ch_strand_find_place(strand, account);
    if (place != NULL) return place->dissolved_seq;
    for (uint32_t i = 0; i < strand->nodes; i++) {
        if (strand->node[i].id == account) return strand->node[i].dissolved_seq;
    }
    return 0;
}

static bool is_by(const struct ch_strand *strand, uint32_t by)
{
    return (strand->roots.by & by) != 0;
}

/* Something is asked about the account: with what that needs of it, and of those above it. */
static void ask_about(struct ch_strand *strand, struct ch_strand_place *place)
{
    for (; place != NULL && !place->asked; place = place_of(strand, place->parent)) {
        place->asked = true;
        if (is_by(strand, CH_BY_SETTINGS)) {
            add_stream(strand, CH_TOUCH_SETTINGS, place->id, /* deep= */ false);
        }
        if (is_by(strand, CH_BY_ABOVE)) {
            add_stream(strand, CH_TOUCH_PEOPLE, place->id, /* deep= */ false);
        }
        if (!place->read_opened) return; /* then its parent is asked about, too */
        if (place->parent == 0 && is_by(strand, CH_BY_CREDITS)) {
            add_stream(strand, CH_TOUCH_CREDITS, place->id, /* deep= */ false);
        }
    }
}

/* The strand's streams of one kind of thing are those of the thing with the id. */
static void add_where(struct ch_strand *strand, uint32_t by, enum ch_touch kind, uint64_t id)
{
    if (is_by(strand, by)) add_stream(strand, kind, id, /* deep= */ false);
}

static void add_place(struct ch_strand *strand, uint64_t account, bool asked)
{
    if (account == 0) return;
    if (place_of(strand, account) == NULL) {
        strand->too_many = strand->too_many || strand->places == CH_STRAND_PLACES;
        if (strand->too_many) return;
        strand->place[strand->places++] = (struct ch_strand_place){.id = account};
        add_stream(strand, CH_TOUCH_PLACE, account, /* deep= */ true);
    }
    if (asked) ask_about(strand, place_of(strand, account));
}

/* Whether the account is one that is asked about. */
static bool is_root(const struct ch_strand *strand, uint64_t account)
{
    const struct ch_strand_roots *roots = &strand->roots;
    uint32_t i = 0;
    while (i < roots->accounts && roots->account[i] != account) {
        i++;
    }
    return i < roots->accounts;
}

/* Whether something is asked about an account above the node. */
static bool is_below_asked(struct ch_strand *strand, const struct ch_strand_node *node)
{
    while (node != NULL && !is_root(strand, node->parent)) {
        node = node_of(strand, node->parent);
    }
    return node != NULL;
}

static void add_node(struct ch_strand *strand, uint64_t account, uint64_t parent)
{
    struct ch_strand_node *node = node_of(strand, account);
    if (node != NULL) return;
    strand->too_many = strand->too_many || strand->nodes == CH_STRAND_NODES;
    if (strand->too_many) return;
    node = &strand->node[strand->nodes++];
    *node = (struct ch_strand_node){.id = account, .parent = parent};
    if (is_by(strand, CH_BY_MAIL_BELOW) && is_below_asked(strand, node)) {
        add_stream(strand, CH_TOUCH_MAIL, account, /* deep= */ false);
    }
}

static void begin_asker(struct ch_strand *strand, uint64_t asker)
{
    add_stream(strand, CH_TOUCH_RIGHTS, asker, is_by(strand, CH_BY_GROUPS));
    add_where(strand, CH_BY_OFFERS, CH_TOUCH_OFFERS, asker);
    add_where(strand, CH_BY_SESSIONS, CH_TOUCH_SESSIONS, asker);
    if (is_by(strand, CH_BY_ASKER)) {
        add_where(strand, CH_BY_REQUESTS, CH_TOUCH_REQUESTS, asker);
    }
}

void ch_strand_begin(struct ch_strand *strand)
{
    const struct ch_strand_roots *roots = &strand->roots;
    strand->streams = strand->places = strand->nodes = 0;
    strand->events = 0;
    strand->too_many = false;
    add_stream(strand, CH_TOUCH_SYSTEM, 1, /* deep= */ false);
    add_where(strand, CH_BY_LIMITS, CH_TOUCH_LIMITS, 1);
    for (uint32_t i = 0; i < roots->accounts; i++) {
        const uint64_t account = roots->account[i];
        add_place(strand, account, /* asked= */ true);
        add_where(strand, CH_BY_PEOPLE, CH_TOUCH_PEOPLE, account);
        add_where(strand, CH_BY_BELOW, CH_TOUCH_BELOW, account);
        add_where(strand, CH_BY_SET, CH_TOUCH_SET, account);
        add_where(strand, CH_BY_REQUESTS, CH_TOUCH_REQUESTS, account);
        add_where(strand, CH_BY_CAMPAIGNS, CH_TOUCH_CAMPAIGNS, account);
        add_where(strand, CH_BY_MAIL, CH_TOUCH_MAIL, account);
        add_where(strand, CH_BY_FEEDS, CH_TOUCH_FEEDS, account);
        add_where(strand, CH_BY_LIST, CH_TOUCH_LIST, account);
        add_where(strand, CH_BY_USES, CH_TOUCH_USES, account);
        add_where(strand, CH_BY_USES, CH_TOUCH_OVERUSED, account);
    }
    for (uint32_t i = 0; i < roots->subjects; i++) {
        add_stream(strand, CH_TOUCH_RIGHTS, roots->subject[i], /* deep= */ true);
        add_where(strand, CH_BY_MADE, CH_TOUCH_MADE, roots->subject[i]);
    }
    if (roots->asker != 0) begin_asker(strand, roots->asker);
}

/* ---- what an event leads to ------------------------------------------------------------------ */

/* One stream being read. */
struct reading {
    struct ch_strands *strands;
    struct ch_strand *strand;
    uint32_t place; /* among the streams */
    uint64_t most;
};

static struct ch_strand_stream *stream_of(const struct reading *r)
{
    return &r->strand->stream[r->place];
}

/* account: 0: in any case */
static void lead(const struct reading *r, uint64_t account, uint64_t id, bool deep)
{
    const struct ch_strand_lead to = {
        .account = account, .key = ch_stream_key(CH_TOUCH_RIGHTS, id), .deep = deep};
    if (id != 0) ch_buf_put(&r->strands->leads, &to, sizeof to);
}

/* With the root of a tree, what is of all of it. */
static void lead_from_root(const struct reading *r, const struct ch_strand_place *place)
{
    if (place->asked) add_where(r->strand, CH_BY_CREDITS, CH_TOUCH_CREDITS, place->id);
    add_where(r->strand, CH_BY_TREE, CH_TOUCH_TREE, place->id);
}

/* With an account that is asked about, what the one above it has for it. */
static void lead_to_above(const struct reading *r, uint64_t above)
{
    add_where(r->strand, CH_BY_FED, CH_TOUCH_FEEDS, above);
    add_where(r->strand, CH_BY_LISTS, CH_TOUCH_LIST, above);
}

static void lead_from_place(const struct reading *r, const struct ch_event *event)
{
    const bool told = is_by(r->strand, CH_BY_FACTS | CH_BY_OWNER);
    struct ch_strand_place *place = place_of(r->strand, stream_of(r)->key & (UINT64_MAX >> 8));
    if (event->tag == CH_EV_account_opened) {
        const struct ch_ev_account_opened *opened = event->body;
        const bool asked = place->asked;
        place->parent = opened->has_parent ? opened->parent.seq : 0;
        place->read_opened = true;
        if (opened->has_parent) {
            add_place(r->strand, opened->parent.seq, asked);
            if (is_root(r->strand, place->id)) lead_to_above(r, opened->parent.seq);
        } else {
            lead_from_root(r, place);
        }
    } else if (event->tag == CH_EV_account_dissolved) {
        place->dissolved_seq = event->seq;
    } else if (event->tag == CH_EV_share_given && told) { /* the owner's */
        const struct ch_ev_share_given *given = event->body;
        lead(r, 0, given->subject, /* deep= */ false);
    } else if (event->tag == CH_EV_ownership_transferred) {
        const struct ch_ev_ownership_transferred *passed = event->body;
        lead(r, 0, passed->user.seq, /* deep= */ false);
    } else if (event->tag == CH_EV_ownership_offered && is_by(r->strand, CH_BY_OWNER)) {
        const struct ch_ev_ownership_offered *offered = event->body;
        lead(r, 0, offered->user.seq, /* deep= */ false);
    }
}

static void lead_to_node(const struct reading *r, const struct ch_event *event)
{
    const struct ch_ev_account_opened *opened = event->body;
    const uint64_t parent = opened->has_parent ? opened->parent.seq : 0;
    add_node(r->strand, event->seq, parent);
    if (is_root(r->strand, parent)) add_where(r->strand, CH_BY_LISTS, CH_TOUCH_LIST, event->seq);
}

/* Accounts of the tree, and whose words are kept with their credits. */
static void lead_from_tree(const struct reading *r, const struct ch_event *event)
{
    struct ch_strand_node *node;
    switch (event->tag) {
    case CH_EV_account_opened: lead_to_node(r, event); return;
    case CH_EV_account_dissolved:
        node = node_of(r->strand, event->account);
        if (node != NULL) node->dissolved_seq = event->seq;
        return;
    case CH_EV_separation_requested:
        lead(r, 0, ((const struct ch_ev_separation_requested *)event->body)->user.seq, false);
        return;
    case CH_EV_separation_refused:
        lead(r, 0, ((const struct ch_ev_separation_refused *)event->body)->user.seq, false);
        return;
    default: return;
    }
}

/* Whoever asked for access, and where. */
static void lead_from_requests(const struct reading *r, const struct ch_event *event)
{
    if (event->tag != CH_EV_access_requested) return;
    const struct ch_ev_access_requested *requested = event->body;
    const uint64_t id = stream_of(r)->key & (UINT64_MAX >> 8);
    if (requested->user.seq != id && event->account != id) return; /* it is forgotten elsewhere */
    lead(r, 0, requested->user.seq, /* deep= */ false);
    add_place(r->strand, event->account, /* asked= */ false);
}

/* Who submitted a campaign, and whose right an approval stands on. */
static void lead_from_campaigns(const struct reading *r, const struct ch_event *event)
{
    const uint8_t kind = event->actor.kind;
    if (kind != CH_actor_kind_user && kind != CH_actor_kind_key) return;
    if (event->tag == CH_EV_campaign_submitted) lead(r, 0, event->actor.id, /* deep= */ false);
    if (event->tag == CH_EV_campaign_approved) lead(r, 0, event->actor.id, /* deep= */ true);
}

static void lead_to_share(const struct reading *r, uint64_t share)
{
    const struct ch_strand_lead to = {.key = ch_stream_key(SHARE, share)};
    ch_buf_put(&r->strands->leads, &to, sizeof to);
}

/* Whoever has what the subject made; whether it is there yet is told by what they have. */
static void lead_from_made(const struct reading *r, const struct ch_event *event)
{
    add_place(r->strand, event->account, /* asked= */ false);
    if (event->tag == CH_EV_share_given) {
        lead(r, 0, ((const struct ch_ev_share_given *)event->body)->subject, /* deep= */ false);
    } else if (event->tag == CH_EV_share_invited) {
        lead(r, 0, ((const struct ch_ev_share_invited *)event->body)->user.seq, /* deep= */ false);
    } else if (event->tag == CH_EV_key_created) {
        lead(r, 0, event->seq, /* deep= */ false);
    } else if (event->tag == CH_EV_grant_set) {
        lead_to_share(r, ((const struct ch_ev_grant_set *)event->body)->share.seq);
    }
}

/* The accounts that were current ones. */
static void lead_from_sessions(const struct reading *r, const struct ch_event *event)
{
    if (event->tag == CH_EV_session_opened) {
        const struct ch_ev_session_opened *opened = event->body;
        if (opened->has_current) add_place(r->strand, opened->current.seq, /* asked= */ false);
    } else if (event->tag == CH_EV_session_moved) {
        const struct ch_ev_session_moved *moved = event->body;
        add_place(r->strand, moved->current.seq, /* asked= */ false);
    }
}

/* Whoever has to do with the account, and when they logged in. */
static void lead_to_subject(const struct reading *r, uint8_t kind, uint64_t id)
{
    lead(r, 0, id, is_by(r->strand, CH_BY_GROUPS));
    if (kind == CH_KIND_user && id != 0 && is_by(r->strand, CH_BY_LOGINS)) {
        add_stream(r->strand, CH_TOUCH_LOGINS, id, /* deep= */ false);
    }
}

static void lead_from_people(const struct reading *r, const struct ch_event *event)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_user && field->kind != CH_KIND_group) continue;
        if (field->list || !ch_field_present(field, event->body)) continue;
        uint64_t id; /* every id is a struct of one number */
        memcpy(&id, ch_field_at(field, event->body), sizeof id);
        lead_to_subject(r, field->kind, id);
    }
    if (event->tag != CH_EV_share_given) return;
    const struct ch_ev_share_given *given = event->body;
    const bool user = given->subject_kind == CH_subject_kind_user;
    lead_to_subject(r, (uint8_t)(user ? CH_KIND_user : CH_KIND_group), given->subject);
}

/* Until somebody has accepted anything, it matters whether they have any share at all: with the
 * last one their names go. */
static void lead_from_invited(const struct reading *r, const struct ch_event *event)
{
    struct ch_strand_stream *stream = stream_of(r);
    switch (event->tag) {
    case CH_EV_user_invited: stream->invited = true; return;
    case CH_EV_invitation_accepted:
    case CH_EV_user_locked:
    case CH_EV_user_unlocked:
    case CH_EV_user_erased:
    case CH_EV_login_deleted: stream->invited = false; return;
    default: break;
    }
    const bool share = ch_events[event->tag].makes == CH_KIND_share;
    const bool all = stream->invited || is_by(r->strand, CH_BY_ELSEWHERE);
    if (all && share) add_place(r->strand, event->account, /* asked= */ false);
}

/* Who acted: the person behind a key, who certified. */
static void lead_to_maker(const struct reading *r, const struct ch_event *event)
{
    const uint8_t kind = event->actor.kind;
    const bool bound = kind == CH_actor_kind_user || kind == CH_actor_kind_key;
    if (bound) lead(r, 0, event->actor.id, /* deep= */ false);
}

static void lead_from_rights(const struct reading *r, const struct ch_event *event)
{
    const bool deep = stream_of(r)->deep;
    lead_from_invited(r, event);
    if (event->tag == CH_EV_key_created) {
        add_place(r->strand, event->account, /* asked= */ false);
        if (is_by(r->strand, CH_BY_CAMPAIGNS | CH_BY_USES)) lead_to_maker(r, event);
    } else if (event->tag == CH_EV_group_created) {
        const struct ch_ev_group_created *created = event->body;
        if (created->has_parent) lead(r, 0, created->parent.seq, deep);
    } else if (event->tag == CH_EV_group_moved) {
        const struct ch_ev_group_moved *moved = event->body;
        if (moved->has_parent) lead(r, 0, moved->parent.seq, deep);
    } else if (event->tag == CH_EV_group_member_added && deep) {
        const struct ch_ev_group_member_added *added = event->body;
        lead(r, event->account, added->group.seq, /* deep= */ true);
    }
}

/* Where a share was used from, and who certified one. */
static void lead_from_uses(const struct reading *r, const struct ch_event *event)
{
    if (event->tag == CH_EV_access_certified) lead_to_maker(r, event);
    add_place(r->strand, ch_account_meant(event), /* asked= */ false);
}

static void lead_on(const struct reading *r, const struct ch_event *event)
{
    const struct ch_strand_stream *stream = stream_of(r);
    switch (kind_of(stream->key)) {
    case CH_TOUCH_PLACE: lead_from_place(r, event); break;
    case CH_TOUCH_RIGHTS: lead_from_rights(r, event); break;
    case CH_TOUCH_PEOPLE: lead_from_people(r, event); break;
    case CH_TOUCH_BELOW:
    case CH_TOUCH_TREE:
    case CH_TOUCH_CREDITS: lead_from_tree(r, event); break;
    case CH_TOUCH_REQUESTS: lead_from_requests(r, event); break;
    case CH_TOUCH_CAMPAIGNS: lead_from_campaigns(r, event); break;
    case CH_TOUCH_SESSIONS: lead_from_sessions(r, event); break;
    case CH_TOUCH_MADE: lead_from_made(r, event); break;
    case CH_TOUCH_USES: lead_from_uses(r, event); break;
    case CH_TOUCH_OFFERS: add_place(r->strand, event->account, /* asked= */ false); break;
    default: break;
    }
    if (!is_by(r->strand, CH_BY_FACTS) || !stream_of(r)->deep) return;
    const struct ch_actor *actor = &event->actor; /* told with the facts that the event set */
    if (actor->kind != CH_actor_kind_user && actor->kind != CH_actor_kind_key) return;
    const bool anywhere = ch_touched_is_of_user(event->tag);
    lead(r, anywhere ? 0 : event->account, actor->id, /* deep= */ false);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Whether events of the tag lead on by themselves, whoever caused them: as lead_on. */
static bool may_lead(uint64_t tag)
{
    switch (tag) {
    case CH_EV_account_opened:
    case CH_EV_account_dissolved:
    case CH_EV_ownership_transferred:
    case CH_EV_separation_requested:
    case CH_EV_separation_refused:
    case CH_EV_share_given:
    case CH_EV_share_invited:
    case CH_EV_invitation_accepted:
    case CH_EV_user_invited:
    case CH_EV_user_locked:
    case CH_EV_user_unlocked:
    case CH_EV_user_erased:
    case CH_EV_login_deleted:
    case CH_EV_group_created:
    case CH_EV_group_moved:
    case CH_EV_group_member_added:
    case CH_EV_ownership_offered:
    case CH_EV_access_requested:
    case CH_EV_campaign_submitted:
    case CH_EV_campaign_approved:
    case CH_EV_session_opened:
    case CH_EV_session_moved:
    case CH_EV_access_certified:
    case CH_EV_key_created: return true;
    default: return false;
    }
}

/* The event's tag; 0: it is not what it should be. source: event.h, the record's form */
static uint64_t tag_of(const struct ch_log_record *record)
{
    struct ch_cursor c = ch_cursor_of(record->bytes);
    (void)ch_read_array(&c);
    const uint64_t seq = ch_read_uint(&c);
    (void)ch_read_uint(&c); /* at */
    const uint64_t tag = ch_read_uint(&c);
    return c.err != CH_OK || seq != record->seq ? 0 : tag;
}

/* Whether it tells of the use of shares itself; whatever else somebody does is one. */
static bool is_about_uses(const struct ch_log_record *record)
{
    const uint64_t tag = tag_of(record);
    return tag == CH_EV_access_used || tag == CH_EV_access_certified;
}

/* The most are read whole only when they are applied. */
static bool looks_on(const struct reading *r, const struct ch_log_record *record)
{
    const uint64_t tag = tag_of(record);
    return tag == 0 || may_lead(tag) || (is_by(r->strand, CH_BY_FACTS) && stream_of(r)->deep) ||
           kind_of(stream_of(r)->key) == CH_TOUCH_PEOPLE ||
           kind_of(stream_of(r)->key) == CH_TOUCH_MADE ||
           kind_of(stream_of(r)->key) == CH_TOUCH_USES;
}

static bool take_record(const struct reading *r, const struct ch_log_record *record)
{
    struct ch_strands *strands = r->strands;
    union ch_event_body body;
    struct ch_event event;
    struct ch_why why;
    if (looks_on(r, record)) {
        ch_arena_reset(&strands->arena);
        const enum ch_err err =
            ch_event_decode(record->bytes, &strands->arena, &body, &event, &why);
        if (err != CH_OK || event.seq != record->seq) return false;
        lead_on(r, &event);
    }
    const bool uses = kind_of(stream_of(r)->key) == CH_TOUCH_USES;
    const struct ch_strand_entry entry = {.seq = record->seq,
                                          .at = strands->records.len,
                                          .len = (uint32_t)record->bytes.len,
                                          .uses = uses,
                                          .applies = !uses || is_about_uses(record)};
    ch_buf_put(&strands->records, record->bytes.ptr, record->bytes.len);
    ch_buf_put(&strands->entries, &entry, sizeof entry);
    return !strands->records.failed && !strands->entries.failed && !strands->leads.failed &&
           strands->records.len <= RECORDS_MOST && ch_strand_entries(strands) <= r->most;
}

/* Of logins the last alone: they replace each other. */
static bool read_last(const struct reading *r, uint64_t to)
{
    struct ch_strands *strands = r->strands;
    uint64_t seqs[CH_READER_SOME];
    struct ch_log_record record;
    struct ch_why why;
    size_t count = CH_READER_SOME;
    uint64_t last = 0;
    uint64_t from = stream_of(r)->to + 1;
    while (count == CH_READER_SOME && from <= to) {
        if (ch_streams_find_to(strands->options.streams, stream_of(r)->key, from, to, seqs,
                               CH_READER_SOME, &count, &why) != CH_OK) {
            return false;
        }
        if (count > 0) last = seqs[count - 1];
        from = last + 1;
    }
    stream_of(r)->to = to;
    if (last == 0) return true;
    return ch_reader_read_these(strands->options.reader, &last, 1, &record, &why) == CH_OK &&
           take_record(r, &record);
}

/* Of what an account's set-up is, only when it changed last, which no record is read for. */
static bool read_set(const struct reading *r, uint64_t to)
{
    const uint64_t key = stream_of(r)->key;
    struct ch_strand_place *place = place_of(r->strand, key & (UINT64_MAX >> 8));
    struct ch_why why;
    uint64_t last;
    size_t count = 0;
    if (ch_streams_find_last(r->strands->options.streams, key, to + 1, &last, 1, &count, &why) !=
        CH_OK) {
        return false;
    }
    if (count > 0) place->set_seq = last;
    stream_of(r)->to = to;
    return true;
}

static bool read_stream(const struct reading *r, uint64_t to)
{
    struct ch_strands *strands = r->strands;
    uint64_t seqs[CH_READER_SOME];
    struct ch_log_record records[CH_READER_SOME];
    struct ch_why why;
    size_t count = CH_READER_SOME;
    uint64_t from = stream_of(r)->to + 1;
    while (count == CH_READER_SOME && from <= to) {
        if (ch_streams_find_to(strands->options.streams, stream_of(r)->key, from, to, seqs,
                               CH_READER_SOME, &count, &why) != CH_OK) {
            return false;
        }
        if (count == 0) break;
        if (ch_reader_read_these(strands->options.reader, seqs, count, records, &why) != CH_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!take_record(r, &records[i])) return false;
        }
        from = seqs[count - 1] + 1;
    }
    stream_of(r)->to = to;
    return true;
}

/* What was not noted only the whole state tells. */
static bool has_none(const struct reading *r, uint64_t to)
{
    struct ch_why why;
    uint64_t one;
    size_t count = 0;
    const enum ch_err err = ch_streams_find_to(r->strands->options.streams, stream_of(r)->key,
                                               stream_of(r)->to + 1, to, &one, 1, &count, &why);
    stream_of(r)->to = to;
    return err == CH_OK && count == 0;
}

static bool read_some(const struct reading *r, uint64_t to)
{
    switch (kind_of(stream_of(r)->key)) {
    case CH_TOUCH_LOGINS: return read_last(r, to);
    case CH_TOUCH_SET: return read_set(r, to);
    case CH_TOUCH_OVERUSED: return has_none(r, to);
    default: return read_stream(r, to);
    }
}

static int by_key(const void *a, const void *b)
{
    const struct ch_strand_lead *one = a;
    const struct ch_strand_lead *two = b;
    return (one->key > two->key) - (one->key < two->key);
}

/* Whoever has the share: a share's id is the seq of the event that made it, which says so. */
static bool follow_share(struct ch_strands *strands, struct ch_strand *strand, uint64_t share)
{
    struct ch_log_record record;
    union ch_event_body body;
    struct ch_event event;
    struct ch_why why;
    ch_arena_reset(&strands->arena);
    if (ch_reader_read_these(strands->options.reader, &share, 1, &record, &why) != CH_OK ||
        ch_event_decode(record.bytes, &strands->arena, &body, &event, &why) != CH_OK) {
        return false;
    }
    const uint64_t subject = event.tag == CH_EV_share_given     ? body.share_given.subject
                             : event.tag == CH_EV_share_invited ? body.share_invited.user.seq
                             : event.tag == CH_EV_ownership_transferred
                                 ? body.ownership_transferred.user.seq
                                 : 0;
    if (subject != 0) add_stream(strand, CH_TOUCH_RIGHTS, subject, /* deep= */ false);
    return subject != 0;
}

/* Follows the leads whose account is of the strand. */
static bool follow_leads(struct ch_strands *strands, struct ch_strand *strand)
{
    struct ch_strand_lead *leads = (struct ch_strand_lead *)(void *)strands->leads.ptr;
    const size_t count = strands->leads.len / sizeof *leads;
    size_t kept = 0;
    /* One share may have many grants. */
    if (is_by(strand, CH_BY_MADE) && count > 1) qsort(leads, count, sizeof *leads, by_key);
    for (size_t i = 0; i < count; i++) {
        const struct ch_strand_lead to = leads[i];
        const uint64_t id = to.key & (UINT64_MAX >> 8);
        if (kind_of(to.key) == SHARE) {
            const bool again = i + 1 < count && leads[i + 1].key == to.key;
            if (!again && !follow_share(strands, strand, id)) return false;
        } else if (to.account == 0 || place_of(strand, to.account) != NULL) {
            add_stream(strand, CH_TOUCH_RIGHTS, id, to.deep);
        } else {
            leads[kept++] = to;
        }
    }
    strands->leads.len = kept * sizeof *leads;
    return true;
}

static int by_seq(const void *a, const void *b)
{
    const struct ch_strand_entry *one = a;
    const struct ch_strand_entry *two = b;
    return (one->seq > two->seq) - (one->seq < two->seq);
}

/* Sorted, each once. */
static void sort_entries(struct ch_strands *strands)
{
    const size_t count = ch_strand_entries(strands);
    size_t kept = 0;
    size_t ascending = 1; /* often all: what names a thing is later than what made it */
    while (ascending < count && ch_strand_entry(strands, ascending - 1)->seq <
                                    ch_strand_entry(strands, ascending)->seq) {
        ascending++;
    }
    if (ascending >= count) return;
    qsort(strands->entries.ptr, count, sizeof(struct ch_strand_entry), by_seq);
    for (size_t i = 0; i < count; i++) {
        const struct ch_strand_entry entry = *ch_strand_entry(strands, i);
        if (kept > 0 && ch_strand_entry(strands, kept - 1)->seq == entry.seq) {
            struct ch_strand_entry *same = ch_strand_entry(strands, kept - 1);
            same->uses = same->uses || entry.uses;
            same->applies = same->applies || entry.applies;
            continue;
        }
        *ch_strand_entry(strands, kept++) = entry;
    }
    strands->entries.len = kept * sizeof(struct ch_strand_entry);
}

bool ch_strand_gather(struct ch_strands *strands, struct ch_strand *strand, uint64_t to,
                      uint64_t most)
{
    ch_buf_reset(&strands->leads);
    ch_buf_reset(&strands->entries);
    ch_buf_reset(&strands->records);
    do {
        strand->grown = false;
        for (uint32_t i = 0; i < strand->streams; i++) {
            const struct reading r = {
                .strands = strands, .strand = strand, .place = i, .most = most};
            if (strand->stream[i].to >= to) continue;
            if (!read_some(&r, to)) return false;
        }
        if (!follow_leads(strands, strand)) return false;
    } while (strand->grown && !strand->too_many);
    if (strand->too_many) return false;
    sort_entries(strands);
    return true;
}
