/* words_rows: the words of a .def file as rows of its field tables; see records.c.
 * SPDX-License-Identifier: MIT
 * Included before each .def file, which undefines them at its end; so there is no include guard. */
/* clang-format off */
#ifndef ROW
/* One row of a field table. OF(rec) names the struct that the rows of a file stand for. */
#define ROW(rec, id, field) .name = #field, .name_len = sizeof #field - 1, .kind = CH_KIND_##id,   \
                            .offset = offsetof(struct OF(rec), field)
#define HAS(rec, member) .has_offset = offsetof(struct OF(rec), member)
#endif
#define FIELD(rec, id, field, text) {ROW(rec, id, field), .doc = (text)},
#define FIELD_OPT(rec, id, field, text)                                                            \
    {ROW(rec, id, field), HAS(rec, has_##field), .optional = true, .doc = (text)},
#define FIELD_PERSONAL(rec, id, field, text)                                                       \
    {ROW(rec, id, field), HAS(rec, has_##field), .optional = true, .personal = true, .doc = (text)},
#define FIELD_LIST(rec, id, field, most, text)                                                     \
    {ROW(rec, id, field), HAS(rec, field##_len), .list = true, .max = (most), .doc = (text)},
#define RECORD(rec, sub, field, text)                                                              \
    {ROW(rec, record, field), .record = &record_##sub, .doc = (text)},
#define RECORD_LIST(rec, sub, field, most, text)                                                   \
    {ROW(rec, record, field), HAS(rec, field##_len), .list = true, .max = (most),                  \
     .record = &record_##sub, .doc = (text)},
#define MINTS(ident, what)
#define ACTIVITY(event, path, object)
#define TRAFFIC(event)
#define EVENTS(ident, ...)
#define MAY(ident, ...)
#define ON_RESOURCE(ident, field)
/* clang-format on */
