/* words_none: the words of a .def file that say nothing, for expansions of its BEGIN rows only.
 * SPDX-License-Identifier: MIT
 * Included before each .def file, which undefines them at its end; so there is no include guard. */
#define FIELD(rec, kind, name, doc)
#define FIELD_OPT(rec, kind, name, doc)
#define FIELD_LIST(rec, kind, name, max, doc)
#define FIELD_PERSONAL(rec, kind, name, doc)
#define RECORD(rec, sub, name, doc)
#define RECORD_LIST(rec, sub, name, max, doc)
#define MINTS(ident, what)
#define ACTIVITY(event, path, object)
#define TRAFFIC(event)
#define EVENTS(ident, ...)
#define MAY(ident, ...)
#define ON_RESOURCE(ident, field)
