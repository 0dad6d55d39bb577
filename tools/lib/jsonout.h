/* jsonout: the JSON that a program prints. SPDX-License-Identifier: MIT
 * A tree for which there was no memory is NULL, and stays NULL whatever is put into it; printing it
 * is an error that is told. So only the end need be checked. */
#ifndef CH_LIB_JSONOUT_H
#define CH_LIB_JSONOUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct json_t;

/* A string of any bytes: what is not UTF-8 in it, such as a file's name, stands as '?'. */
struct json_t *jsonout_text(const char *ptr, size_t len);
/* The same of a text that ends with NUL. */
struct json_t *jsonout_string(const char *text);

/* Puts a member into the object *tree, or an item at the end of the list *list; takes it over.
 * take: NULL: there was no memory for it */
void jsonout_put(struct json_t **tree, const char *name, struct json_t *take);
void jsonout_add(struct json_t **list, struct json_t *take);

/* Prints the tree as a line, or as several where flags (of jansson) indent it, and lets go of it.
 * program: before what is told on standard error
 * returns: false: it could not be printed, and that is told */
bool jsonout_print(const char *program, FILE *out, struct json_t *take, size_t flags);
#endif
