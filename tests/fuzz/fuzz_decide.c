/* fuzz_decide: any bytes as commands that are decided and applied upon a small world.
 * SPDX-License-Identifier: MIT
 * Eight bytes are a command: its type (2), who sends it, on which account, and a number of which
 * its arguments are made by chance (4); ids are brought to things that exist, so that the rules
 * behind "is there such a thing" are reached. After every command all invariants hold, and it came
 * to nothing that its row does not promise; then all of it is taken back. */
#include "tests/fuzz/_fuzz.h"
#include "tests/unit/core_world.h"
#include "tests/unit/schema_samples.h"

const unsigned ch_fuzz_weight = 40;

enum { STEP_BYTES = 8, STEPS_MOST = 24, SEED_STEPS = 6, MINTS_MOST = 4 /* as RUN */ };

static struct world *world(void)
{
    static struct world one;
    if (one.now != 0) return &one;
    start_world(&one);
    struct world *w = &one;
    const uint64_t team = add_group(w, w->top, 0, "team");
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->mid, USER(w->bob), ROLE("developer"));
    GIVE(w, w->low, USER(w->bob), ROLE("user"));
    join(w, w->mid, w->bob, add_group(w, w->mid, 0, "desk"));
    GIVE(w, w->low, GROUP(team), ROLE("watcher"));
    return w;
}

bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    struct sampler s = {.state = at};
    if (at >= CH_COMMANDS) return false;
    for (size_t i = 0; i < SEED_STEPS; i++) {
        uint8_t step[STEP_BYTES];
        ch_put_le64(step, sample_next(&s));
        if (i % 2 == 0) {
            step[0] = (uint8_t)at;
            step[1] = (uint8_t)(at >> 8);
        }
        step[2] = (uint8_t)(i % 3 == 0 ? 0 : step[2]); /* often the operator, who may most */
        ch_buf_put(out, step, sizeof step);
    }
    return true;
}

/* The id of something that may be of this kind. */
static uint64_t near(const struct world *w, uint8_t kind, uint64_t id)
{
    const uint64_t accounts[] = {w->top, w->mid, w->low, w->side};
    const uint64_t users[] = {w->owner, w->ann, w->bob, w->cy};
    const uint64_t head = ch_meta(&w->state)->head;
    if (id % 16 == 0) return id + 1; /* most likely nothing */
    if (kind == CH_KIND_account || kind == CH_KIND_account_ref) return accounts[id % 4];
    if (kind == CH_KIND_user || kind == CH_KIND_user_ref) return users[id % 4];
    return head - id % 48; /* what was made lately */
}

/* What the line fills in before a command is decided, and ids that may exist. */
static void prepare_value(struct world *w, uint8_t number, void *at)
{
    const struct ch_kind *kind = &ch_kinds[number];
    if (kind->form == CH_FORM_ID) {
        uint64_t id;
        memcpy(&id, at, sizeof id);
        id = near(w, number, id);
        memcpy(at, &id, sizeof id);
    } else if (kind->form == CH_FORM_REF) {
        struct ch_ref *ref = at;
        if (ref->id != 0) ref->id = near(w, number, ref->id);
        ch_put_be64(ref->hash, ch_hash_bytes(ref->name.ptr, ref->name.len));
    } else if (kind->form == CH_FORM_NAMED) {
        struct ch_named *named = at;
        ch_put_be64(named->hash, ch_hash_bytes(named->text.ptr, named->text.len));
    } else if (kind->form == CH_FORM_SECRET) {
        struct ch_secret *secret = at;
        ch_put_be64(secret->hash, ch_hash_bytes(secret->text.ptr, secret->text.len));
        secret->verifier = ch_text_of("verifier");
        secret->good = secret->text.len % 2 == 0;
    }
}

/* False: more secrets than there is room for. */
static bool prepare(struct world *w, const struct ch_record *record, void *args)
{
    w->mints = 1; /* or one for each account that is named */
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!ch_field_present(field, args)) continue;
        uint8_t *at = (uint8_t *)args + field->offset;
        if (!field->list) {
            prepare_value(w, field->kind, at);
            continue;
        }
        uint8_t *list; /* in the request's arena */
        memcpy(&list, at, sizeof list);
        const uint32_t items = ch_field_items(field, args);
        for (size_t k = 0; k < items; k++) {
            prepare_value(w, field->kind, list + k * ch_kinds[field->kind].size);
        }
        if (field->kind == CH_KIND_account_ref && items > 0) w->mints = items;
    }
    return w->mints <= MINTS_MOST;
}

static void run_step(struct world *w, struct sampler *s, const uint8_t step[STEP_BYTES])
{
    const uint64_t senders[] = {OPERATOR, SERVICE, w->owner, w->ann, w->bob, w->cy};
    const int type = (step[0] | step[1] << 8) % CH_COMMANDS;
    const struct ch_call_row *row = &ch_calls[type];
    union {
        uint64_t align;
        uint8_t bytes[4096];
    } args;
    CH_CHECK(row->args.size <= sizeof args);
    s->state = ch_get_le32(step + 4);
    ch_arena_reset(&s->arena);
    sample_record(s, &row->args, &args);
    if (!prepare(w, &row->args, &args)) return;
    const uint64_t on = row->on ? near(w, CH_KIND_account, step[3]) : 0;
    (void)run(w, senders[step[2] % (sizeof senders / sizeof senders[0])], type, on, &args);
    if (step[3] % 32 == 31) pass_time(w, (step[4] + UINT64_C(1)) * UINT64_C(86400000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world();
    const struct world before = *w;
    struct sampler s = {.wire = true};
    const struct ch_mark mark = ch_store_mark(&w->state.store);
    for (size_t i = 0; i < STEPS_MOST && (i + 1) * STEP_BYTES <= size; i++) {
        run_step(w, &s, data + i * STEP_BYTES);
    }
    ch_store_rollback(&w->state.store, mark);
    w->now = before.now;
    w->messages = before.messages;
    ch_arena_deinit(&s.arena);
    return 0;
}
