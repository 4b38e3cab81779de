/* SHA-256 through OpenSSL, fetched once (hash_setup) because the first fetch opens OpenSSL's configuration, which a
 * confined worker may not. */
#ifndef PLIMSOLL_BASE_HASH_H
#define PLIMSOLL_BASE_HASH_H

#include "base/err.h"

#define SHA256_SIZE 32
#define DIGEST_TEXT_LEN 71 /* "sha256:" and 64 hexadecimal digits */

struct sha256 {
	uint8_t bytes[SHA256_SIZE];
};

struct hasher; /* one running digest */

/* Call once per process before confinement (a fork inherits it). */
int hash_setup(struct err *err);

struct hasher *hasher_new(void);
void hasher_free(struct hasher *h);
void hasher_add(struct hasher *h, const void *p, size_t n);
/* Ends the digest and makes the hasher ready for the next. */
struct sha256 hasher_take(struct hasher *h);

struct sha256 sha256_of(struct str bytes);
bool sha256_eq(const struct sha256 *a, const struct sha256 *b);
/* "sha256:HEX" exactly; false for anything else. */
bool sha256_parse(struct str text, struct sha256 *ret);
/* Writes DIGEST_TEXT_LEN bytes and a NUL; returns the slice over them. */
struct str sha256_text(const struct sha256 *d, char out[DIGEST_TEXT_LEN + 1]);

#endif
