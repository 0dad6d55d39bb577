/* opening: see opening.h. SPDX-License-Identifier: MIT */
#include "daemon/opening.h"

#include "daemon/batch.h"
#include "daemon/core/apply.h"
#include "daemon/core/decide.h"
#include "daemon/log/digest.h"
#include "schema/event.h"

/* Appends and applies the events of a verdict; returns when they are durable. */
static enum ch_err append(struct ch_evlog *log, struct ch_state *state,
                          const struct ch_verdict *verdict, struct ch_why *why)
{
    struct ch_open_batch batch = {0};
    enum ch_err err = CH_OK;
    for (uint32_t i = 0; i < verdict->count; i++) {
        ch_batch_put(&batch, &verdict->events[i]);
        batch.count++;
        if (!ch_apply_reserve(state, &verdict->events[i])) batch.records.failed = true;
        if (ch_batch_failed(&batch)) break;
        ch_apply(state, &verdict->events[i]);
    }
    if (verdict->no_memory || ch_batch_failed(&batch)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the events of the start");
    } else if (batch.count > 0) {
        err = ch_evlog_append(log, verdict->events[0].seq, ch_batch_views(&batch), batch.count,
                              verdict->events[0].at, why);
    }
    ch_batch_deinit(&batch);
    return err;
}

/* Rows of users whom the vault, but not the log, knows as erased; the keys of the others are
 * destroyed where they are not yet. */
static enum ch_err compare(const struct ch_state *state, struct ch_vault *vault,
                           struct ch_buf *ret_users, uint64_t *ret_lacking, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    *ret_lacking = 0;
    for (uint32_t row = 0;
         err == CH_OK && (row = ch_row_next(&state->store, CH_T_USER, row)) != 0;) {
        uint8_t key[CH_VAULT_KEY_BYTES];
        const struct ch_row_user *user = ch_user_row(state, row);
        const enum ch_vault_state had = ch_vault_get(vault, user->number, key);
        const bool erased = user->status == CH_user_status_erased;
        if (had == CH_VAULT_PRESENT) ch_wipe(key, sizeof key);
        if (erased && had != CH_VAULT_ERASED) err = ch_vault_erase(vault, user->number, why);
        if (!erased && had == CH_VAULT_MISSING) ++*ret_lacking;
        if (!erased && had == CH_VAULT_ERASED) ch_buf_put(ret_users, &row, sizeof row);
    }
    if (err == CH_OK && ret_users->failed) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to compare the log with the vault");
    }
    return err == CH_OK ? ch_vault_sync(vault, why) : err;
}

static enum ch_err settle_erased(struct ch_evlog *log, struct ch_vault *vault,
                                 struct ch_state *state, struct ch_arena *arena,
                                 uint64_t *ret_lacking, struct ch_why *why)
{
    struct ch_buf users = {0};
    enum ch_err err = compare(state, vault, &users, ret_lacking, why);
    if (err == CH_OK && users.len > 0) {
        struct ch_verdict verdict;
        const uint32_t *rows = (const uint32_t *)(const void *)users.ptr;
        ch_decide_start_erased(state, rows, users.len / sizeof *rows, arena, &verdict);
        err = append(log, state, &verdict, why);
    }
    ch_buf_deinit(&users);
    return err;
}

enum ch_err ch_opening_run(struct ch_evlog *log, struct ch_vault *vault, struct ch_state *state,
                           uint64_t *ret_lacking, struct ch_why *why)
{
    struct ch_arena arena = {0};
    struct ch_verdict verdict;
    ch_decide_start(state, &arena, &verdict);
    enum ch_err err = ch_vault_sync(vault, why); /* a new installation's key */
    if (err == CH_OK) err = append(log, state, &verdict, why);
    if (err == CH_OK) err = settle_erased(log, vault, state, &arena, ret_lacking, why);
    ch_arena_deinit(&arena);
    return err;
}
