/* strand: see strand.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/strand.h"

#include "daemon/core/apply.h"
#include "daemon/core/ledger.h"
#include "daemon/core/use.h"
#include "daemon/log/streams.h"
#include "daemon/replay/strand_impl.h"
#include "daemon/replay/touched.h"
#include "schema/base/check.h"

#include <stdlib.h>

enum {
    STATE_MOST = 64 << 20,   /* bytes of rows of a state that is kept */
    RECORDS_KEPT = 32 << 20, /* bytes of memory for records, likewise */
    SHARES_NAMED = 1024,     /* by one event, as in events.def */
};

/* ---- what is applied ------------------------------------------------------------------------- */

/* Not about the part, or about it; LOST: it should have been, and what it names is not there. */
enum fit { OUT, FITS, LOST };

/* Whether what one field names is there. */
static enum fit fits_field(const struct ch_state *state, const struct ch_event *event,
                           const struct ch_field *field, uint64_t id)
{
    const bool above = strcmp(field->name, "parent") == 0;
    if (event->tag == CH_EV_session_opened && field->kind == CH_KIND_account) return FITS;
    switch (field->kind) {
    case CH_KIND_account: return ch_find_account(state, id) != 0 ? FITS : above ? LOST : OUT;
    case CH_KIND_group: return ch_find_group(state, id) != 0 ? FITS : above ? LOST : OUT;
    case CH_KIND_role: return ch_find_role(state, id) != 0 ? FITS : LOST;
    case CH_KIND_user: return ch_find_user(state, id) != 0 ? FITS : OUT;
    case CH_KIND_key:
        if (ch_touched_is_of_mail(event->tag)) return FITS;
        return ch_find_key(state, id) != 0 ? FITS : OUT;
    case CH_KIND_share:
        if (event->tag == CH_EV_ownership_transferred) return FITS; /* the former owner's */
        return ch_find_share_id(state, id) != 0 ? FITS : OUT;
    default: return FITS;
    }
}

static bool has_reservation(const struct ch_state *state, struct ch_reservation_id id)
{
    return ch_find_reservation(state, id.seq) != 0;
}

static bool has_submission(const struct ch_state *state, uint32_t account, struct ch_text campaign)
{
    return ch_find_submission(state, account, campaign) != 0;
}

/* As is_ready, of requests, sessions and campaigns. */
static bool is_ready_for_asked(const struct ch_state *state, const struct ch_event *event,
                               uint32_t account)
{
    switch (event->tag) {
    case CH_EV_access_approved:
    case CH_EV_access_denied:
    case CH_EV_access_withdrawn:
    case CH_EV_access_request_expired: /* each names it first */
        return ch_find_request(state, ((const struct ch_request_id *)event->body)->seq) != 0;
    case CH_EV_session_moved:
    case CH_EV_session_closed:
    case CH_EV_session_expired:
        return ch_find_session(state, ((const struct ch_session_id *)event->body)->seq) != 0;
    case CH_EV_campaign_approved:
        return has_submission(state, account,
                              ((const struct ch_ev_campaign_approved *)event->body)->campaign);
    case CH_EV_campaign_rejected:
        return has_submission(state, account,
                              ((const struct ch_ev_campaign_rejected *)event->body)->campaign);
    case CH_EV_campaign_edited:
        return has_submission(state, account,
                              ((const struct ch_ev_campaign_edited *)event->body)->campaign);
    case CH_EV_campaign_sent:
        return has_submission(state, account,
                              ((const struct ch_ev_campaign_sent *)event->body)->campaign);
    default: return true;
    }
}
#define NAMED_FIRST(name, field)                                                                   \
    _Static_assert(offsetof(struct ch_ev_##name, field) == 0, "named first")
NAMED_FIRST(access_approved, request);
NAMED_FIRST(access_denied, request);
NAMED_FIRST(access_withdrawn, request);
NAMED_FIRST(access_request_expired, request);
NAMED_FIRST(session_moved, session);
NAMED_FIRST(session_closed, session);
NAMED_FIRST(session_expired, session);

static bool has_stream(const struct ch_state *state, uint32_t account, bool has_key, uint64_t key,
                       uint8_t stream)
{
    return ch_find_stream(state, account, has_key ? key : 0, stream) != 0;
}

/* As is_ready, of mail, feeds and unsubscribe lists. */
static bool is_ready_for_mail(const struct ch_state *state, const struct ch_event *event,
                              uint32_t account)
{
    switch (event->tag) {
    case CH_EV_stream_resumed: {
        const struct ch_ev_stream_resumed *body = event->body;
        return has_stream(state, account, body->has_key, body->key.seq, body->stream);
    }
    case CH_EV_reputation_alert: {
        const struct ch_ev_reputation_alert *body = event->body;
        return has_stream(state, account, body->has_key, body->key.seq, body->stream);
    }
    case CH_EV_reputation_recovered: {
        const struct ch_ev_reputation_recovered *body = event->body;
        return has_stream(state, account, body->has_key, body->key.seq, body->stream);
    }
    case CH_EV_content_unfed: {
        const struct ch_ev_content_unfed *body = event->body;
        const uint32_t to = body->has_to ? ch_find_account(state, body->to.seq) : 0;
        const uint32_t text = ch_text_find(state, body->resource);
        return text != 0 && ch_find_feed(state, account, body->kind, text, to) != 0;
    }
    case CH_EV_suppression_removed: {
        const struct ch_ev_suppression_removed *body = event->body;
        return ch_find_suppressed(state, account, body->hash.ptr) != 0;
    }
    default: return true;
    }
}

/* As is_ready. What is used of a plan of which not all is in the part is not in it at all. */
static bool is_ready_for_credits(const struct ch_state *state, const struct ch_event *event,
                                 uint32_t account)
{
    switch (event->tag) {
    case CH_EV_plan_changed:
    case CH_EV_plan_ended:
    case CH_EV_period_closed:
    case CH_EV_credits_allocated: return ch_find_plan(state, account) != 0;
    case CH_EV_credits_spent:
    case CH_EV_credits_reserved: return ch_plan_over(state, account) != 0;
    case CH_EV_credits_settled:
        return has_reservation(state,
                               ((const struct ch_ev_credits_settled *)event->body)->reservation);
    case CH_EV_credits_released:
        return has_reservation(state,
                               ((const struct ch_ev_credits_released *)event->body)->reservation);
    case CH_EV_reservation_expired:
        return has_reservation(
            state, ((const struct ch_ev_reservation_expired *)event->body)->reservation);
    case CH_EV_allocation_withdrawn: {
        const struct ch_ev_allocation_withdrawn *withdrawn = event->body;
        return ch_find_allocation(state, ch_find_account(state, withdrawn->to.seq)) != 0;
    }
    default: return true;
    }
}

/* Whether what the event takes away or changes is there, too; it always should be. */
static bool is_ready(const struct ch_state *state, const struct ch_event *event)
{
    const uint32_t account = ch_find_account(state, event->account);
    if (event->tag == CH_EV_grant_revoked) {
        const struct ch_ev_grant_revoked *revoked = event->body;
        const uint32_t text = ch_text_find(state, revoked->resource);
        const uint32_t share = ch_find_share_id(state, revoked->share.seq);
        return text != 0 && ch_find_grant(state, share, revoked->kind, text) != 0;
    }
    if (event->tag == CH_EV_group_member_added || event->tag == CH_EV_group_member_removed) {
        const struct ch_ev_group_member_added *member = event->body;
        const uint32_t user = ch_find_user(state, member->user.seq);
        const uint32_t group = ch_find_group(state, member->group.seq);
        const uint32_t share =
            ch_find_share(state, CH_subject_kind_user, user, ch_group_row(state, group)->account);
        if (share == 0 || event->tag == CH_EV_group_member_added) return share != 0;
        return ch_find_member(state, share, group) != 0;
    }
    return is_ready_for_credits(state, event, account) &&
           is_ready_for_asked(state, event, account) && is_ready_for_mail(state, event, account);
}
_Static_assert(offsetof(struct ch_ev_group_member_added, user) ==
                       offsetof(struct ch_ev_group_member_removed, user) &&
                   offsetof(struct ch_ev_group_member_added, group) ==
                       offsetof(struct ch_ev_group_member_removed, group),
               "both name the same");

static enum fit fits_subject(const struct ch_state *state, const struct ch_ev_share_given *given)
{
    const uint32_t row = given->subject_kind == CH_subject_kind_user
                             ? ch_find_user(state, given->subject)
                             : ch_find_group(state, given->subject);
    return row == 0 ? OUT : FITS;
}

/* Whether the event's account is one of which the part has such events. */
static bool is_here(const struct ch_strand *strand, const struct ch_event *event)
{
    if (event->account == 0 || ch_touched_is_of_user(event->tag)) return true;
    if (event->tag == CH_EV_access_requested) return true;           /* cut_requested */
    if (ch_events[event->tag].makes == CH_KIND_account) return true; /* its own */
    if (ch_find_account(&strand->state, event->account) == 0) return false;
    return ch_touched_is_of_tree(event->tag) ||
           ch_strand_find_place(strand, event->account) != NULL;
}

static enum fit fits(const struct ch_strand *strand, const struct ch_event *event)
{
    const struct ch_state *state = &strand->state;
    const struct ch_event_row *row = &ch_events[event->tag];
    enum fit fit = FITS;
    if (!is_here(strand, event)) return OUT;
    for (uint16_t i = 0; i < row->record.count; i++) {
        const struct ch_field *field = &row->record.fields[i];
        if (field->list || ch_kinds[field->kind].form != CH_FORM_ID) continue;
        if (!ch_field_present(field, event->body)) continue;
        uint64_t id; /* every id is a struct of one number */
        memcpy(&id, ch_field_at(field, event->body), sizeof id);
        const enum fit one = fits_field(state, event, field, id);
        if (one == OUT) return OUT;
        if (one == LOST) fit = LOST;
    }
    if (event->tag == CH_EV_share_given) {
        const enum fit one = fits_subject(state, event->body);
        return one == OUT ? OUT : fit;
    }
    return fit == FITS && !is_ready(state, event) ? LOST : fit;
}

/* One step of a dissolution. How much of the account is in the part is another matter: with the
 * last step all of it goes. When its credits went between the first and the last only the whole
 * state knows. */
static enum fit cut_dissolved(const struct ch_strand *strand, const struct ch_event *event,
                              struct ch_ev_account_dissolved *body)
{
    if (ch_strand_dissolved(strand, event->account) == event->seq) {
        body->parts = UINT64_MAX;
        return FITS;
    }
    const uint32_t account = ch_find_account(&strand->state, event->account);
    const bool holds = ch_find_plan(&strand->state, account) != 0 ||
                       ch_find_allocation(&strand->state, account) != 0;
    return holds && (strand->roots.by & CH_BY_CREDITS) != 0 ? LOST : OUT;
}

/* A new request, for which an older one is forgotten: either may be what the part is about. */
static enum fit cut_requested(struct ch_strand *strand, const struct ch_event *event,
                              struct ch_ev_access_requested *body)
{
    const uint32_t row = body->has_forgets ? ch_find_request(&strand->state, body->forgets.seq) : 0;
    body->has_forgets = row != 0;
    if (ch_strand_follows(strand, CH_TOUCH_REQUESTS, event->account) ||
        ch_strand_follows(strand, CH_TOUCH_REQUESTS, body->user.seq)) {
        return FITS;
    }
    if (row != 0) ch_forget_request(&strand->state, row);
    return OUT;
}

/* Leaves the shares that are in the part. */
static uint32_t cut_shares(const struct ch_strand *strand, const struct ch_share_id *shares,
                           uint32_t count, struct ch_share_id *ret)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ch_find_share_id(&strand->state, shares[i].seq) != 0) ret[kept++] = shares[i];
    }
    return kept;
}

/* Of a list of shares it is about those that are in the part. ids: room for all of them */
static void cut_used(const struct ch_strand *strand, const struct ch_event *event,
                     union ch_event_body *body, struct ch_share_id *ids)
{
    if (event->tag == CH_EV_access_used) {
        struct ch_ev_access_used *used = &body->access_used;
        used->shares_len = cut_shares(strand, used->shares, used->shares_len, ids);
        used->shares = ids;
    } else if (event->tag == CH_EV_access_certified) {
        struct ch_ev_access_certified *certified = &body->access_certified;
        certified->shares_len = cut_shares(strand, certified->shares, certified->shares_len, ids);
        certified->shares = ids;
    }
}

/* Makes of an event what of it is about the part. */
static enum fit cut(struct ch_strand *strand, struct ch_event *event, union ch_event_body *body)
{
    if (event->tag == CH_EV_ownership_transferred) {
        struct ch_ev_ownership_transferred *passed = &body->ownership_transferred;
        if (passed->has_former && ch_find_share_id(&strand->state, passed->former.seq) == 0) {
            passed->has_former = false;
        }
    } else if (event->tag == CH_EV_account_dissolved) {
        return cut_dissolved(strand, event, &body->account_dissolved);
    } else if (event->tag == CH_EV_access_requested) {
        return cut_requested(strand, event, &body->access_requested);
    } else if (event->tag == CH_EV_session_opened && body->session_opened.has_current) {
        const uint64_t current = body->session_opened.current.seq;
        body->session_opened.has_current = ch_find_account(&strand->state, current) != 0;
    }
    return FITS;
}

static bool apply_one(struct ch_strands *strands, struct ch_strand *strand, struct ch_event *event,
                      union ch_event_body *body)
{
    struct ch_share_id ids[SHARES_NAMED];
    struct ch_why why;
    enum fit fit = fits(strand, event);
    if (fit == FITS) fit = cut(strand, event, body);
    if (fit != FITS) return fit == OUT;
    cut_used(strand, event, body, ids);
    ch_apply_part(&strand->state, event);
    if (strands->options.learn == NULL) return true;
    return strands->options.learn(strands->options.arg, &strand->state, event, &why) == CH_OK;
}

/* Events in a row, for which room is made at once: looking at every table takes longer than an
 * event. */
static bool apply_some(struct ch_strands *strands, struct ch_strand *strand, size_t first,
                       size_t count)
{
    struct ch_strand_decoded *decoded = strands->decoded;
    size_t items = 0;
    size_t bytes = 0;
    struct ch_why why;
    ch_arena_reset(&strands->arena);
    for (size_t i = 0; i < count; i++) {
        const struct ch_strand_entry *entry = ch_strand_entry(strands, first + i);
        const struct ch_bytes record = {strands->records.ptr + entry->at, entry->len};
        if (ch_event_decode(record, &strands->arena, &decoded[i].body, &decoded[i].event, &why) !=
            CH_OK) {
            return false;
        }
        ch_apply_needs(&decoded[i].event, &items, &bytes);
    }
    if (!ch_apply_reserve_many(&strand->state, count, items, bytes)) return false;
    for (size_t i = 0; i < count; i++) {
        const struct ch_strand_entry *entry = ch_strand_entry(strands, first + i);
        struct ch_event *event = &decoded[i].event;
        if (entry->applies != 0 && !apply_one(strands, strand, event, &decoded[i].body)) {
            return false;
        }
        if (entry->uses == 0) continue;
        const uint32_t account = ch_find_account(&strand->state, strand->roots.account[0]);
        ch_note_use_of(&strand->state, event, account);
    }
    return true;
}

static bool apply_all(struct ch_strands *strands, struct ch_strand *strand, uint64_t seq)
{
    const size_t count = ch_strand_entries(strands);
    for (size_t at = 0; at < count; at += CH_STRAND_TOGETHER) {
        const size_t left = count - at;
        const size_t some = left < CH_STRAND_TOGETHER ? left : CH_STRAND_TOGETHER;
        if (!apply_some(strands, strand, at, some)) return false;
    }
    strand->events += count;
    strands->read += count;
    if (strands->records.cap > RECORDS_KEPT) ch_buf_deinit(&strands->records);
    ch_apply_part_to(&strand->state, seq);
    for (uint32_t i = 0; i < strand->places; i++) {
        const struct ch_strand_place *place = &strand->place[i];
        if (place->set_seq != 0) ch_apply_part_set(&strand->state, place->id, place->set_seq);
    }
    strand->seq = seq;
    return true;
}

/* ---- one strand ------------------------------------------------------------------------------ */

static bool build(struct ch_strands *strands, struct ch_strand *strand, uint64_t seq, uint64_t most)
{
    /* Most of a small strand's time would be the memory of all the tables. */
    strand->seq = 0;
    if (!strand->open) strand->open = ch_state_init(&strand->state);
    if (!strand->open || !ch_state_reset(&strand->state)) return false;
    ch_strand_begin(strand);
    return ch_strand_gather(strands, strand, seq, most) && apply_all(strands, strand, seq);
}

/* Goes on to a later seq. ret_widened: what came names what went before, so it begins anew. */
static bool go_on(struct ch_strands *strands, struct ch_strand *strand, uint64_t seq, uint64_t most,
                  bool *ret_widened)
{
    strand->widened = false;
    const bool gathered = ch_strand_gather(strands, strand, seq, most);
    *ret_widened = strand->widened;
    return gathered && !strand->widened && apply_all(strands, strand, seq);
}

/* An account that is dissolved in several steps stands between two of them: which of its shares are
 * gone only the whole state knows. */
static bool is_between(const struct ch_strands *strands, const struct ch_state *head,
                       uint64_t account, uint64_t seq)
{
    struct ch_why why;
    uint64_t later;
    size_t count = 0;
    const uint32_t row = ch_find_account(head, account);
    if (row == 0 || ch_account_row(head, row)->status != CH_account_status_dissolved) return true;
    const enum ch_err err =
        ch_streams_find(strands->options.streams, ch_stream_key(CH_TOUCH_PLACE, account), seq + 1,
                        &later, 1, &count, &why);
    return err != CH_OK || count > 0; /* its last event is the last step */
}

static bool is_half_dissolved(const struct ch_strands *strands, const struct ch_strand *strand,
                              const struct ch_state *head)
{
    for (uint32_t i = 0; i < strand->places; i++) {
        const struct ch_strand_place *place = &strand->place[i];
        if (place->dissolved_seq == 0) continue;
        if (is_between(strands, head, place->id, strand->seq)) return true;
    }
    for (uint32_t i = 0; i < strand->nodes; i++) {
        const struct ch_strand_node *node = &strand->node[i];
        if (node->dissolved_seq == 0) continue;
        if (is_between(strands, head, node->id, strand->seq)) return true;
    }
    return false;
}

static bool bring(struct ch_strands *strands, struct ch_strand *strand, uint64_t seq, uint64_t most)
{
    bool widened = true;
    if (strand->open && strand->seq == seq) return true;
    if (strand->open && strand->seq != 0 && strand->seq < seq) {
        if (go_on(strands, strand, seq, most, &widened)) return true;
        if (!widened) return false;
        strands->read = 0;
    }
    return build(strands, strand, seq, most);
}

/* ---- those that are kept --------------------------------------------------------------------- */

static void forget(struct ch_strands *strands, size_t place)
{
    struct ch_strand *strand = strands->kept[place];
    strands->kept[place] = NULL;
    if (strand == NULL) return;
    if (strand->open) ch_state_deinit(&strand->state);
    free(strand);
}

static uint64_t state_bytes(const struct ch_state *state)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < CH_TABLES; i++) {
        bytes += (uint64_t)state->store.tables[i].capacity * state->store.tables[i].def.row_bytes;
    }
    return bytes;
}

/* The kept strand of these roots, or a fresh one in the place of the one not used for longest. */
static size_t place_for(struct ch_strands *strands, const struct ch_strand_roots *roots)
{
    const size_t places = sizeof strands->kept / sizeof strands->kept[0];
    size_t oldest = 0;
    for (size_t i = 0; i < places; i++) {
        const struct ch_strand *known = strands->kept[i];
        if (known != NULL && memcmp(&known->roots, roots, sizeof *roots) == 0) return i;
        const uint64_t used = known == NULL ? 0 : known->used;
        const struct ch_strand *other = strands->kept[oldest];
        if (used < (other == NULL ? 0 : other->used)) oldest = i;
    }
    struct ch_strand *given_up = strands->kept[oldest];
    if (given_up == NULL) return oldest;
    given_up->seq = 0; /* it begins anew, in the memory that it has */
    if (given_up->open && state_bytes(&given_up->state) > STATE_MOST / 4) forget(strands, oldest);
    return oldest;
}

const struct ch_state *ch_strands_at(struct ch_strands *strands,
                                     const struct ch_strand_asked *asked,
                                     const struct ch_state *head, uint64_t seq, uint64_t most)
{
    struct ch_strand_roots roots;
    strands->events = strands->read = 0;
    if (seq == 0 || seq > ch_meta(head)->head) return NULL;
    if (ch_streams_next_seq(strands->options.streams) <= seq) return NULL;
    if (!ch_strand_roots(asked, head, &roots)) return NULL;
    const size_t place = place_for(strands, &roots);
    if (strands->kept[place] == NULL) strands->kept[place] = calloc(1, sizeof(struct ch_strand));
    struct ch_strand *strand = strands->kept[place];
    if (strand == NULL) return NULL;
    strand->roots = roots;
    strand->used = ++strands->clock;
    if (!bring(strands, strand, seq, most) || is_half_dissolved(strands, strand, head) ||
        state_bytes(&strand->state) > STATE_MOST) {
        forget(strands, place);
        return NULL;
    }
    strands->events = strand->events;
    return ch_strand_answers(asked, &roots, &strand->state) ? &strand->state : NULL;
}

uint64_t ch_strands_events(const struct ch_strands *strands)
{
    return strands->events;
}

uint64_t ch_strands_read(const struct ch_strands *strands)
{
    return strands->read;
}

void ch_strands_clear(struct ch_strands *strands)
{
    for (size_t i = 0; i < sizeof strands->kept / sizeof strands->kept[0]; i++) {
        forget(strands, i);
    }
}

enum ch_err ch_strands_create(const struct ch_strands_options *options, struct ch_strands **ret,
                              struct ch_why *why)
{
    struct ch_strands *strands = calloc(1, sizeof *strands);
    if (strands == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for strands");
    strands->options = *options;
    *ret = strands;
    return CH_OK;
}

void ch_strands_destroy(struct ch_strands *strands)
{
    if (strands == NULL) return;
    ch_strands_clear(strands);
    ch_arena_deinit(&strands->arena);
    ch_buf_deinit(&strands->leads);
    ch_buf_deinit(&strands->entries);
    ch_buf_deinit(&strands->records);
    free(strands);
}
