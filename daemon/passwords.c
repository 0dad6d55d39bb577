/* passwords: messages with passwords leave the line for Argon2id and come back; see line.h.
 * SPDX-License-Identifier: MIT
 * A message with a call that holds a password waits in the pool after it was authenticated. When it
 * is done the message is taken again from its beginning, and what the pool found is put beside each
 * password, in their order: nothing else of them is kept, so what was true of the state before is
 * judged anew. A present password is compared with the one that the user had when the message came;
 * `of` says which, and core sees whether it still is.
 * A user who is not there, or has no password, takes as long as any other. */
#include "daemon/line.h"

#include <stdlib.h>

#include "daemon/log/digest.h"
#include "daemon/log/password.h"
#include "schema/cursor.h"
#include "schema/limits.h"

/* A message that waits in the pool: the job's `arg`. */
struct ch_entered {
    struct ch_ingress_arrival arrival;
    uint8_t id[16];
};

static bool is_password(const struct ch_field *field, const void *args)
{
    if (field->kind != CH_KIND_password && field->kind != CH_KIND_own_password) return false;
    CH_CHECK(!field->list);
    return ch_field_present(field, args);
}

/* Calls fn for each password of the request, in order; returns how many there are. */
static uint32_t each_password(const struct ch_request *request,
                              void (*fn)(void *arg, uint32_t number, const struct ch_call *call,
                                         const struct ch_field *field),
                              void *arg)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why != NULL) continue;
        const struct ch_record *record = &ch_calls[call->type].args;
        for (uint16_t f = 0; f < record->count; f++) {
            if (!is_password(&record->fields[f], call->args)) continue;
            if (fn != NULL) fn(arg, count, call, &record->fields[f]);
            count++;
        }
    }
    return count;
}

static struct ch_secret *secret_at(const struct ch_call *call, const struct ch_field *field)
{
    return (struct ch_secret *)(void *)((uint8_t *)call->args + field->offset);
}

/* Whose password it is: the user that the call names, else the one who acts. Row; 0: nobody's. */
static uint32_t whose(const struct ch_state *state, const struct ch_moment *moment,
                      const struct ch_call *call)
{
    const struct ch_record *record = &ch_calls[call->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_user_ref || !ch_field_present(field, call->args)) continue;
        return ch_find_user_ref(state, ch_field_at(field, call->args));
    }
    return moment->user_row;
}

/* The verifier that an event set, where the directory could open it. */
static void find_verifier(const struct ch_state *state, uint64_t seq, char ret[CH_VERIFIER_BYTES])
{
    uint8_t plain[2048];
    const uint32_t sealed = seq == 0 ? 0 : ch_find_sealed(state, seq);
    const uint32_t opened = sealed == 0 ? 0 : ch_find_opened(state, sealed);
    if (opened == 0) return;
    const uint32_t chain = ch_opened_row(state, opened)->plain;
    struct ch_cursor c = ch_cursor_of(
        (struct ch_bytes){plain, ch_chain_get(state, CH_T_PLAIN, chain, plain, sizeof plain)});
    (void)ch_read_array(&c);
    const struct ch_text text = ch_read_text(&c);
    if (c.err == CH_OK && text.len < CH_VERIFIER_BYTES) memcpy(ret, text.ptr, text.len);
    ch_wipe(plain, sizeof plain);
}

struct filling {
    const struct ch_state *state;
    const struct ch_moment *moment;
    struct ch_password_job *job;
};

static void fill(void *arg, uint32_t number, const struct ch_call *call,
                 const struct ch_field *field)
{
    const struct filling *filling = arg;
    const struct ch_secret *secret = secret_at(call, field);
    struct ch_password *password = &filling->job->passwords[number];
    CH_CHECK(secret->text.len <= sizeof password->text);
    password->len = secret->text.len;
    memcpy(password->text, secret->text.ptr, secret->text.len);
    password->compare = field->kind == CH_KIND_own_password;
    const uint32_t user = password->compare ? whose(filling->state, filling->moment, call) : 0;
    if (user == 0) return;
    password->of = ch_user_row(filling->state, user)->password_seq;
    find_verifier(filling->state, password->of, password->verifier);
}

/* The job owns what the pool made as long as the message is on the line. */
static void take_over(void *arg, uint32_t number, const struct ch_call *call,
                      const struct ch_field *field)
{
    const struct ch_password_job *job = arg;
    CH_CHECK(number < job->count);
    const struct ch_password *password = &job->passwords[number];
    struct ch_secret *secret = secret_at(call, field);
    secret->good = password->good;
    secret->of = password->of;
    if (!password->compare) secret->verifier = ch_text_of(password->verifier);
}

static enum ch_err make(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                        const struct ch_request *request, const struct ch_moment *moment,
                        uint32_t count, struct ch_password_job **ret, struct ch_why *why)
{
    struct ch_entered *entered = calloc(1, sizeof *entered);
    struct ch_password_job *job = ch_password_job_create(count);
    if (entered == NULL || job == NULL) {
        free(entered);
        ch_password_job_destroy(job);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a password");
    }
    entered->arrival = *arrival;
    memcpy(entered->id, request->id, sizeof entered->id);
    job->arg = entered;
    struct filling filling = {.state = line->state, .moment = moment, .job = job};
    (void)each_password(request, fill, &filling);
    *ret = job;
    return CH_OK;
}

bool ch_passwords_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                       const struct ch_request *request, const struct ch_moment *moment)
{
    if (line->entered != NULL) {
        (void)each_password(request, take_over, line->entered);
        return false;
    }
    const uint32_t count = each_password(request, NULL, NULL);
    if (count == 0) return false;
    struct ch_why why = {0};
    struct ch_password_job *job = NULL;
    enum ch_err err = CH_OK;
    const uint32_t quarter = ch_ingress_slots(line->ingress) / 4;
    const uint64_t most = quarter < LIMIT_PASSWORD_QUEUE ? quarter : LIMIT_PASSWORD_QUEUE;
    if (count > LIMIT_PASSWORDS_A_MESSAGE) {
        err = ch_fail_field(&why, CH_ERR_OUT_OF_BOUNDS, "calls",
                            "calls: at most %llu passwords in one message",
                            (unsigned long long)LIMIT_PASSWORDS_A_MESSAGE);
    } else if (line->password_jobs >= (most == 0 ? 1 : most)) {
        line->busy_answers++;
        err = ch_fail(&why, CH_ERR_BUSY, 0, "too many passwords wait; try again");
    } else {
        err = make(line, arrival, request, moment, count, &job, &why);
    }
    if (err != CH_OK) {
        ch_line_refuse(line, arrival, request->id, &why);
        return true;
    }
    line->password_jobs++;
    ch_password_submit(line->password_pool, job);
    return true;
}

static void destroy(struct ch_password_job *job)
{
    free(job->arg);
    ch_password_job_destroy(job);
}

bool ch_passwords_collect(struct ch_pipeline *line, struct ch_ingress_arrival *ret)
{
    if (line->entered != NULL) destroy(line->entered);
    line->entered = NULL;
    if (line->password_pool == NULL) return false;
    struct ch_password_job *job = ch_password_collect(line->password_pool);
    for (; job != NULL; job = ch_password_collect(line->password_pool)) {
        const struct ch_entered *entered = job->arg;
        line->password_jobs--;
        if (job->err == CH_OK) {
            line->passwords += job->count;
            line->entered = job;
            *ret = entered->arrival;
            return true;
        }
        ch_line_refuse(line, &entered->arrival, entered->id, &job->why);
        destroy(job);
    }
    return false;
}

enum ch_err ch_passwords_start(struct ch_pipeline *line, void (*on_done)(void *arg), void *arg,
                               struct ch_why *why)
{
    const struct ch_password_cost cost = {.kib = line->config->password_kib,
                                          .passes = line->config->password_passes};
    return ch_password_pool_start((uint32_t)LIMIT_PASSWORD_THREADS, cost, on_done, arg,
                                  &line->password_pool, why);
}
