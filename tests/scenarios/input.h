/* input: bad input for every command and every query, made from the rows of the schema.
 * SPDX-License-Identifier: MIT
 * For each call there is in input_base.c at least one line that charterd takes as it stands; and
 * all lines of a call together name each of its arguments, or the test fails. Then each argument in
 * turn is given every bad value of its kind (input_values.c), and what comes back must name it.
 * Commands are tried with dry_run, so the world of the file that the test begins with, which has
 * two tenants north and south, stays as it is. */
#ifndef CH_SCENARIO_INPUT_H
#define CH_SCENARIO_INPUT_H
#include "schema/records.h"
#include "tests/scenarios/world.h"

/* What may come of a value. */
enum input_expect {
    INPUT_FAILS,   /* the call cannot be read: this failure, at this field */
    INPUT_REFUSED, /* this rejection, of this field */
    INPUT_EITHER,  /* taken, or refused with a field named */
};

struct input_value {
    const char *what;
    struct ch_bytes value; /* msgpack */
    enum input_expect expect;
    const char *code; /* of the failure or the rejection */
};

/* Calls `try_one` for each bad value of a field. */
typedef void input_try_fn(void *arg, const struct input_value *value);
void input_values(const struct ch_field *field, input_try_fn *try_one, void *arg);
/* The same for `on`. */
void input_values_of_on(input_try_fn *try_one, void *arg);

/* One line that is taken as it stands. */
enum {
    BASE_WORLDLY = 1,  /* is no dry run: what it asks changes nothing as it stands */
    BASE_SILENT = 2,   /* tells nobody what was wrong: refusals name no field (a log-in) */
    BASE_REFUSED = 16, /* is refused as it stands: why it cannot be taken, stands beside the line */
};
struct input_base {
    const char *line;
    unsigned flags;
};
extern const struct input_base input_bases[];
extern const size_t input_base_count;

/* Things of the other tenant by kind: what the world's labels and names call them. NULL: none */
const char *input_foreign_label(uint8_t kind);
const char *input_foreign_name(uint8_t kind);

/* Things of the first tenant by kind that are closed, late, used up or gone: labels and names,
 * ended by NULL. */
const char *const *input_states(uint8_t kind);

/* What this call says of an id of nothing in this argument instead of `usual`. */
const char *input_other_reason(int type, const char *key, const char *usual);

/* path: of the world; true if all is as it should be */
bool input_run(struct world *w, const char *path);
#endif
