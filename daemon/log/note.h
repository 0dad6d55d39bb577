/* note: signed notes, their keys and signatures. SPDX-License-Identifier: MIT
 * source: C2SP signed-note, tlog-cosignature (v1)
 * A note is text that ends in a line feed, an empty line, and signature lines: an em dash, the
 * key's name, and in base 64 the key's id (4 bytes) and the signature. A verifier key is written
 * NAME+ID+BASE64(type, public key).
 * Ed25519 by libsodium, which takes neither points of small order nor other encodings of the same
 * signature. Threads: any; a struct belongs to one. */
#ifndef CH_LOG_NOTE_H
#define CH_LOG_NOTE_H
#include "schema/base/buf.h"
#include "schema/base/err.h"

enum {
    CH_NOTE_MOST_BYTES = 16384, /* as the kind passage of the schema */
    CH_NOTE_NAME_MOST = 96,
    CH_NOTE_ID_BYTES = 4,
    CH_NOTE_SIGNATURE_BYTES = 64,
    CH_NOTE_PUBLIC_BYTES = 32,
    CH_NOTE_SEED_BYTES = 32,
    CH_VERIFIER_TEXT_BYTES = 160, /* name, +, 8 digits, +, 44 characters, NUL */
};

enum ch_note_type {
    CH_NOTE_ED25519 = 1,     /* the log's own signature over the text */
    CH_NOTE_COSIGNATURE = 4, /* a witness's, over "cosignature/v1\ntime T\n" and the text */
};

/* Whether the signature over the message is this key's; the one place where that is judged. */
bool ch_ed25519_check(const uint8_t public_key[CH_NOTE_PUBLIC_BYTES], struct ch_bytes message,
                      const uint8_t signature[CH_NOTE_SIGNATURE_BYTES]);

/* A public key with its name. */
struct ch_verifier {
    uint8_t type; /* enum ch_note_type */
    uint8_t id[CH_NOTE_ID_BYTES];
    uint8_t public_key[CH_NOTE_PUBLIC_BYTES];
    char name[CH_NOTE_NAME_MOST + 1];
};

/* 1 to CH_NOTE_NAME_MOST bytes of UTF-8 without white space, + and control characters. */
bool ch_note_name_good(struct ch_text name);
/* name: good, see there */
void ch_verifier_make(uint8_t type, struct ch_text name,
                      const uint8_t public_key[CH_NOTE_PUBLIC_BYTES], struct ch_verifier *ret);
/* False for what is no verifier key of a known type, or whose id is not that of its key. */
bool ch_verifier_read(struct ch_text text, struct ch_verifier *ret);
/* The text and a NUL; returns its length. */
size_t ch_verifier_write(const struct ch_verifier *verifier, char out[CH_VERIFIER_TEXT_BYTES]);
bool ch_verifier_equal(const struct ch_verifier *a, const struct ch_verifier *b);

/* A private key. */
struct ch_signer {
    struct ch_verifier verifier; /* of type CH_NOTE_ED25519 */
    uint8_t *secret;             /* libsodium's guarded memory; NULL: none */
};
/* seed: CH_NOTE_SEED_BYTES random bytes; name: good, see there
 * ret: deinit it. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_signer_init(struct ch_text name, const uint8_t seed[CH_NOTE_SEED_BYTES],
                                       struct ch_signer *ret, struct ch_why *why);
void ch_signer_deinit(struct ch_signer *signer); /* NULL and zeroed are no-ops */
void ch_signer_seed(const struct ch_signer *signer, uint8_t ret[CH_NOTE_SEED_BYTES]);
/* Appends the signature line over the text. */
void ch_signer_put_line(const struct ch_signer *signer, struct ch_text text, struct ch_buf *out);

/* A note in its two parts; views. */
struct ch_note {
    struct ch_text text;  /* with its last line feed */
    struct ch_text lines; /* the signature lines */
};
/* False for what is no note: not UTF-8, control characters, no signature, another form. */
bool ch_note_split(struct ch_text whole, struct ch_note *ret);

struct ch_note_line {
    struct ch_text line; /* whole, with its line feed */
    struct ch_text name;
    uint8_t id[CH_NOTE_ID_BYTES];
    struct ch_text signature; /* in base 64, with the id */
};
/* The line at *at, which then is behind it; start with 0. False at the end. */
bool ch_note_next(struct ch_text lines, size_t *at, struct ch_note_line *ret);

enum ch_note_answer {
    CH_NOTE_UNSIGNED, /* no line is of this key */
    CH_NOTE_GOOD,     /* signed by it */
    CH_NOTE_BAD,      /* a line that says to be of this key does not verify: refuse the note */
};
/* ret_time: seconds since 1970 that a cosignature names, else 0; NULL: not wanted */
enum ch_note_answer ch_note_check(struct ch_text text, struct ch_text lines,
                                  const struct ch_verifier *verifier, uint64_t *ret_time);
#endif
