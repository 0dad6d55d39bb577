/* words_struct: the words of a .def file as the members of a struct; see records.h.
 * SPDX-License-Identifier: MIT
 * Included before each .def file, which undefines them at its end; so there is no include guard. */
#define FIELD(rec, kind, name, doc) ch_kind_##kind name;
#define FIELD_OPT(rec, kind, name, doc)                                                            \
    bool has_##name;                                                                               \
    ch_kind_##kind name;
#define FIELD_LIST(rec, kind, name, max, doc)                                                      \
    const ch_kind_##kind *name;                                                                    \
    uint32_t name##_len;
#define FIELD_PERSONAL(rec, kind, name, doc)                                                       \
    bool has_##name;                                                                               \
    ch_kind_##kind name;
#define RECORD(rec, sub, name, doc) struct ch_rec_##sub name;
#define RECORD_LIST(rec, sub, name, max, doc)                                                      \
    const struct ch_rec_##sub *name;                                                               \
    uint32_t name##_len;
#define MINTS(ident, what)
#define ACTIVITY(event, path, object)
#define TRAFFIC(event)
#define EVENTS(ident, ...)
#define MAY(ident, ...)
#define ON_RESOURCE(ident, field)
