/* verify_half: two halves of a log at the same time; see verify_impl.h.
 * SPDX-License-Identifier: MIT
 * The second half takes for granted what a snapshot near the middle says: the state there, and the
 * root, which the stored tiles must give. The first half ends there and proves both, as it would in
 * one run: it compares its state with the snapshot's bytes and its tree with the root. Nothing that
 * the second half found counts before that. Where it cannot begin, or the first half ends
 * otherwise, the log is gone through in one run: that costs time only, and only where something is
 * false. */
#include "daemon/replay/verify_impl.h"

#include <stdlib.h>

#include "daemon/log/thread.h"
#include "daemon/replay/resume.h"

struct ch_verify_half {
    struct ch_verifying v; /* of the second half; its lists are parts of the first one's */
    struct ch_verify_report report;
    struct ch_hash root;               /* of what comes before */
    uint64_t joint;                    /* the snapshot's seq */
    uint8_t hash[CH_STATE_HASH_BYTES]; /* of the state there, which the first half proves */
    size_t all_roots, all_states;
    size_t first_states;
    enum ch_err err;
    struct ch_why why;
    atomic_bool unwanted;
    pthread_t thread;
};

/* ---- the second half ---------------------------------------------------------------------- */

static bool go_on(void *arg, uint64_t seq)
{
    (void)seq;
    return !ch_verify_told_to_stop(arg);
}

static enum ch_err load(struct ch_verify_half *half, struct ch_why *why)
{
    struct ch_verifying *v = &half->v;
    struct ch_snapshot_reader *reader = NULL;
    struct ch_snapshot head;
    enum ch_err err = ch_snapshot_open(v->options->dir, half->joint, &reader, &head, why);
    ch_snapshot_close(reader);
    if (err == CH_OK && memcmp(head.hash, half->hash, sizeof half->hash) != 0) {
        err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "another snapshot took its place");
    }
    if (err == CH_OK) err = ch_follower_open(&v->follower, v->log, NULL, why);
    if (err != CH_OK) return err;
    v->follower.before = ch_verify_before;
    v->follower.before_arg = v;
    v->follower.alone = true;
    return ch_resume_load(&v->follower, v->options->dir, &head, go_on, v, why);
}

static enum ch_err begin(struct ch_verify_half *half, struct ch_why *why)
{
    struct ch_verifying *v = &half->v;
    enum ch_err err = ch_verify_tree_create(v->log, CH_TILES_STORED, &v->expected,
                                            /* threads= */ 1, &v->tree, why);
    if (err == CH_OK) err = ch_verify_tree_behind(v->tree, v->log, half->joint, &half->root, why);
    return err == CH_OK ? load(half, why) : err;
}

static void *run(void *arg)
{
    struct ch_verify_half *half = arg;
    half->err = begin(half, &half->why);
    if (half->err == CH_OK) half->err = ch_verify_go(&half->v, &half->why);
    return NULL;
}

/* ---- where it begins ---------------------------------------------------------------------- */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* The snapshot nearest to the middle, but in the middle half; NULL: none. */
static const struct ch_expected_state *joint_of(const struct ch_verifying *v)
{
    const struct ch_expected_state *best = NULL;
    const uint64_t middle = v->to / 2;
    for (size_t i = 0; i < v->expected.state_count; i++) {
        const struct ch_expected_state *state = &v->expected.states[i];
        if (state->part != CH_VERIFY_SNAPSHOT || distance(state->seq, middle) > v->to / 4) continue;
        if (best == NULL || distance(state->seq, middle) < distance(best->seq, middle)) {
            best = state;
        }
    }
    return best;
}

/* What belongs to the first half goes up to the joint, and is as a list what it was before. */
static void divide(struct ch_verify_half *half, struct ch_verifying *v)
{
    struct ch_expected *first = &v->expected;
    struct ch_expected *second = &half->v.expected;
    size_t roots = 0;
    size_t states = 0;
    half->all_roots = first->root_count;
    half->all_states = first->state_count;
    for (; roots < first->root_count && first->roots[roots].size <= half->joint; roots++) {
        const struct ch_expected_root *root = &first->roots[roots];
        if (root->part == CH_VERIFY_SNAPSHOT && root->size == half->joint) half->root = root->root;
    }
    while (states < first->state_count && first->states[states].seq <= half->joint) {
        states++;
    }
    *second = (struct ch_expected){.roots = first->roots + roots,
                                   .root_count = first->root_count - roots,
                                   .states = first->states + states,
                                   .state_count = first->state_count - states};
    half->first_states = states;
    first->root_count = roots;
    first->state_count = states;
    v->to = half->joint;
}

/* As it was. */
static void undivide(struct ch_verify_half *half, struct ch_verifying *v)
{
    v->expected.root_count = half->all_roots;
    v->expected.state_count = half->all_states;
    v->to = half->v.to;
}

struct ch_verify_half *ch_verify_half_start(struct ch_verifying *v)
{
    const struct ch_verify_options *options = v->options;
    const bool wanted = options->halves_from > 0 && v->to >= options->halves_from &&
                        options->threads > 1 && options->replay && options->copy == NULL;
    const struct ch_expected_state *joint = wanted ? joint_of(v) : NULL;
    struct ch_verify_half *half = joint == NULL ? NULL : calloc(1, sizeof *half);
    if (half == NULL) return NULL;
    half->joint = joint->seq;
    memcpy(half->hash, joint->hash, sizeof half->hash);
    half->report.records = joint->seq;
    half->v = (struct ch_verifying){.options = options,
                                    .report = &half->report,
                                    .log = v->log,
                                    .to = v->to,
                                    .half = true,
                                    .unwanted = &half->unwanted};
    divide(half, v);
    v->half = true;
    if (ch_thread_start(&half->thread, "second half", run, half) == 0) return half;
    undivide(half, v);
    v->half = false;
    free(half);
    return NULL;
}

/* ---- the end ------------------------------------------------------------------------------ */

/* All up to the joint is proven. */
static bool is_proven(const struct ch_verify_half *half, const struct ch_verifying *v)
{
    return !ch_verify_over(v) && !v->newer && v->report->records == half->joint &&
           ch_verify_tree_settle(v->tree) == half->joint && !ch_verify_tree_is_over(v->tree);
}

/* What the second half found is what one run would have found. */
static enum ch_err take(struct ch_verify_half *half, struct ch_verifying *v, struct ch_why *why)
{
    const struct ch_verify_report *found = &half->report;
    struct ch_verify_report *report = v->report;
    struct ch_verify_progress *progress = v->options->progress;
    const enum ch_err err = ch_verify_end_tree(v, CH_OK, why);
    report->records = found->records;
    report->bytes += found->bytes;
    report->states += found->states;
    report->snapshots += found->snapshots; /* less those that were deleted meanwhile */
    report->newer = found->newer;
    report->in_halves = true;
    report->part = found->part;
    report->number = found->number;
    memcpy(report->text, found->text, sizeof report->text);
    v->tree = half->v.tree;
    v->tree_over = half->v.tree_over;
    v->newer = half->v.newer;
    v->last_at = half->v.last_at;
    v->next_state = half->first_states + half->v.next_state;
    half->v.tree = NULL;
    if (progress != NULL) atomic_store(&progress->done, report->records);
    return ch_verify_end_tree(v, err, why); /* its list of roots goes with the half */
}

enum ch_err ch_verify_half_join(struct ch_verify_half *half, struct ch_verifying *v,
                                enum ch_err err, struct ch_why *why)
{
    const bool proven = err == CH_OK && is_proven(half, v);
    if (!proven) atomic_store(&half->unwanted, true);
    CH_CHECK(pthread_join(half->thread, NULL) == 0);
    const bool taken = proven && half->err == CH_OK;
    undivide(half, v);
    v->half = false;
    if (taken) {
        err = take(half, v, why);
    } else if (err == CH_OK && !ch_verify_over(v)) {
        err = ch_verify_go(v, why);
    }
    ch_verify_tree_destroy(half->v.tree);
    ch_follower_close(&half->v.follower);
    ch_arena_deinit(&half->v.arena);
    free(half);
    return err;
}
