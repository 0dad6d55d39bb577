/* shadow_answer: one question about the past, or about the head, answered; see shadow_impl.h.
 * SPDX-License-Identifier: MIT
 * From a part of the state where that is exact and shorter, else from the follower that is nearer,
 * brought to where the question asks. */
#include "daemon/replay/shadow_impl.h"

#include "daemon/log/vault.h"

enum { LOAD_BYTES = 512 }; /* of a snapshot are loaded in about the time of replaying one event */

void ch_shadow_locate(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    if (job->by_time) {
        job->now_ns = job->as_of;
        job->err = ch_follower_seq_at(&shadow->head, job->as_of, &job->seq, &job->why);
        if (job->err == CH_OK && job->seq > job->durable) job->seq = job->durable;
        return;
    }
    const bool head = job->as_of == UINT64_MAX;
    job->seq = head ? job->durable : job->as_of;
    /* The head may have followed further since; what it applied is durable. */
    if (head && ch_follower_seq(&shadow->head) > job->seq)
        job->seq = ch_follower_seq(&shadow->head);
    if (job->seq == 0) return;
    job->err = ch_follower_time_of(&shadow->head, job->seq, &job->now_ns, &job->why);
}

enum ch_err ch_shadow_load_before(struct ch_shadow *shadow, struct ch_follower *follower,
                                  uint64_t seq, struct ch_why *why)
{
    const struct ch_snapshot *found;
    while ((found = ch_keeper_before(shadow->keeper, seq)) != NULL) {
        const struct ch_snapshot head = *found;
        const enum ch_err err =
            ch_resume_load(follower, shadow->dir, &head, ch_shadow_may_go_on, shadow, why);
        if (err == CH_OK || err == CH_ERR_NO_MEMORY || err == CH_ERR_STOPPED) return err;
        if (!ch_snapshot_is_bad(why)) return CH_OK; /* the long way, then */
        ch_keeper_drop(shadow->keeper, head.seq, why->text);
        ch_shadow_note_facts(shadow);
    }
    return CH_OK;
}

/* Brings the past to where it need only go on: it stays, if no snapshot is a shorter way. */
static enum ch_err move_past(struct ch_shadow *shadow, uint64_t seq, struct ch_why *why)
{
    struct ch_follower *past = &shadow->past;
    const uint64_t at = ch_follower_seq(past);
    const uint64_t from = at > seq ? 0 : at;
    const struct ch_snapshot *near = ch_keeper_before(shadow->keeper, seq);
    if (near != NULL && near->seq > from && near->seq - from > near->bytes / LOAD_BYTES) {
        return ch_shadow_load_before(shadow, past, seq, why);
    }
    return at > seq ? ch_follower_rewind(past, why) : CH_OK;
}

/* The follower that answers for a seq: the head, unless it is beyond. */
static struct ch_follower *follower_for(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    if (job->seq >= ch_follower_seq(&shadow->head)) return &shadow->head;
    if (!shadow->past.open) {
        job->err = ch_follower_open(&shadow->past, shadow->log, shadow->head.directory, &job->why);
        if (job->err == CH_OK) job->err = ch_follower_vouch(&shadow->past, &job->why);
        shadow->past.replay = shadow->replay;
        if (job->err != CH_OK) ch_follower_close(&shadow->past);
    }
    if (job->err == CH_OK) job->err = move_past(shadow, job->seq, &job->why);
    return &shadow->past;
}

enum ch_err ch_shadow_go_to(struct ch_shadow *shadow, struct ch_follower *follower, uint64_t seq,
                            struct ch_why *why)
{
    if (follower == &shadow->head && seq > ch_follower_seq(follower)) {
        ch_keeper_release(shadow->keeper, &shadow->head.state);
    }
    return ch_follower_go(follower, seq, ch_shadow_may_go_on, shadow, why);
}

void ch_shadow_forget_erased(struct ch_shadow *shadow)
{
    const struct ch_directory *directory = shadow->head.directory;
    const uint64_t erasures = directory == NULL ? 0 : ch_vault_erasures(directory->vault);
    if (erasures == shadow->erasures) return;
    shadow->erasures = erasures;
    ch_strands_clear(shadow->strands);
    ch_directory_forget_erased(directory, &shadow->head.state);
    if (shadow->past.open) ch_directory_forget_erased(directory, &shadow->past.state);
}

/* Events that the past is away from a seq, or as long a way by a snapshot. */
static uint64_t way_to(const struct ch_shadow *shadow, uint64_t seq)
{
    const uint64_t at = shadow->past.open ? ch_follower_seq(&shadow->past) : 0;
    const uint64_t way = at > seq ? seq : seq - at;
    const struct ch_snapshot *near = ch_keeper_before(shadow->keeper, seq);
    if (near == NULL) return way;
    const uint64_t from_near = seq - near->seq + near->bytes / LOAD_BYTES;
    return from_near < way ? from_near : way;
}

static void call(struct ch_shadow *shadow, struct ch_shadow_job *job, const struct ch_state *state)
{
    const struct ch_shadow_view view = {.state = state,
                                        .seq = job->seq,
                                        .now_ns = job->now_ns,
                                        .made = ch_keeper_made(shadow->keeper),
                                        .streams = shadow->streams,
                                        .reader = shadow->head.reader,
                                        .head = &shadow->head};
    job->then = 0;
    job->answer(job, &view);
}

/* Answers from a part of the state, if that is exact and the shorter way. Each of its events is
 * looked for alone, which takes longer than reading on. */
static bool serve_part(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    if (job->asked.request == NULL || job->seq >= ch_follower_seq(&shadow->head)) return false;
    shadow->replay.seq = job->seq; /* one up to it */
    ch_check_replaying(&shadow->replay);
    const struct ch_state *part = ch_strands_at(shadow->strands, &job->asked, &shadow->head.state,
                                                job->seq, way_to(shadow, job->seq) / 2);
    ch_check_replaying(NULL);
    if (part == NULL) return false;
    job->by_strand = true;
    call(shadow, job, part);
    return true;
}

void ch_shadow_answer(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    struct ch_follower *follower = NULL;
    ch_shadow_forget_erased(shadow);
    if (job->err == CH_OK && job->judged && ch_follower_seq(&shadow->head) < job->durable) {
        job->err = ch_shadow_go_to(shadow, &shadow->head, job->durable, &job->why);
    }
    if (job->err == CH_OK && serve_part(shadow, job)) return;
    if (job->err == CH_OK) follower = follower_for(shadow, job);
    while (job->err == CH_OK) {
        job->err = ch_shadow_go_to(shadow, follower, job->seq, &job->why);
        if (job->err != CH_OK) break;
        if (ch_follower_seq(follower) != job->seq) {
            job->err = ch_fail_field(&job->why, CH_ERR_NOT_YET, "as_of",
                                     "as_of: the log does not reach event %llu",
                                     (unsigned long long)job->seq);
            break;
        }
        call(shadow, job, &follower->state);
        if (job->then <= job->seq) break;
        job->seq = job->then;
    }
}
