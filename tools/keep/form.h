/* form: the two ways in which a log is written out. SPDX-License-Identifier: MIT
 * Each function appends to a buffer, whose `failed` says that memory was lacking; some of it waits
 * in the form until the next ones. */
#ifndef CH_KEEP_FORM_H
#define CH_KEEP_FORM_H
#include "daemon/log/bundle.h"
#include "daemon/log/note.h"
#include "daemon/log/stored.h"

struct ch_evlog;
struct form; /* opaque */

/* lines: JSON lines, not a bundle. NULL: no memory */
struct form *form_create(bool lines);
void form_destroy(struct form *form); /* NULL is a no-op */

/* log: borrowed until form_let_go; has the tiles that a bundle takes along
 * errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err form_begin(struct form *form, struct ch_buf *out, struct ch_evlog *log,
                                   uint64_t size, struct ch_why *why);
void form_key(struct form *form, struct ch_buf *out, const struct ch_verifier *key);
void form_checkpoint(struct form *form, struct ch_buf *out, const struct ch_stored *stored);
/* errors: CH_ERR_LOG_IO, CH_ERR_LOG_CORRUPT (a tile cannot be read), CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err form_record(struct form *form, struct ch_buf *out, uint64_t seq,
                                    struct ch_bytes record, struct ch_why *why);
/* The log goes; only the end may follow. */
void form_let_go(struct form *form);
void form_end(struct form *form, struct ch_buf *out, const struct ch_bundle_end *end);
#endif
