/* password: Argon2id, on threads of its own. SPDX-License-Identifier: MIT
 * A new password becomes a verifier, the string of libsodium's crypto_pwhash_str (Argon2id, its
 * salt and its cost inside); a present one is compared with one. Each takes a tenth of a second and
 * much memory on purpose, so nothing of it happens on the loop.
 * Threads: one thread makes a pool, submits and collects; on_done is called on the pool's own. */
#ifndef CH_LOG_PASSWORD_H
#define CH_LOG_PASSWORD_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

enum { CH_VERIFIER_BYTES = 128, CH_PASSWORD_BYTES = 256 };

/* What one password costs. */
struct ch_password_cost {
    uint64_t kib;    /* memory; at least 8 */
    uint64_t passes; /* over that memory; at least 1 */
};

struct ch_password {
    bool compare;                 /* else a verifier is made */
    bool good;                    /* of one compared: it is the verifier's */
    size_t len;                   /* of text */
    uint64_t of;                  /* the caller's */
    char text[CH_PASSWORD_BYTES]; /* wiped as soon as it is not needed */
    char verifier
        [CH_VERIFIER_BYTES]; /* NUL-terminated; given or made. One compared with an empty one
                                         is not good, and takes as long as if there were one */
};

/* The passwords of one message. Its memory is locked and guarded, and wiped when it is let go. */
struct ch_password_job {
    struct ch_password_job *next; /* the pool's */
    void *arg;                    /* the caller's */
    enum ch_err err;              /* CH_ERR_NO_MEMORY, CH_ERR_STOPPED */
    struct ch_why why;
    uint32_t count;
    struct ch_password passwords[];
};

/* NULL when out of memory. count: of the passwords, zeroed */
struct ch_password_job *ch_password_job_create(uint32_t count);
void ch_password_job_destroy(struct ch_password_job *job); /* NULL is a no-op */

struct ch_password_pool; /* opaque */

/* on_done: called on a thread of the pool when there is something to collect
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_password_pool_start(uint32_t threads, struct ch_password_cost cost,
                                               void (*on_done)(void *arg), void *arg,
                                               struct ch_password_pool **ret, struct ch_why *why);
/* Ends the threads; what they had not begun ends with CH_ERR_STOPPED. Collect until NULL, then
 * destroy. NULL is a no-op. */
void ch_password_pool_stop(struct ch_password_pool *pool);
void ch_password_pool_destroy(struct ch_password_pool *pool); /* stopped before; NULL is a no-op */

/* The job is the pool's until it is collected. */
void ch_password_submit(struct ch_password_pool *pool, struct ch_password_job *job);
/* A job that is done, or NULL. */
struct ch_password_job *ch_password_collect(struct ch_password_pool *pool);

/* What a thread does with one password; errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_password_work(struct ch_password *password, struct ch_password_cost cost,
                                         struct ch_why *why);
#endif
