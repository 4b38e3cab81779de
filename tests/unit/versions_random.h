/* Random versions out of the pieces that decide in each scheme; deterministic from the seed. */
#ifndef PLIMSOLL_TESTS_VERSIONS_RANDOM_H
#define PLIMSOLL_TESTS_VERSIONS_RANDOM_H

#include "base/base.h"

#define RANDOM_VERSION_MAX 96

static inline uint32_t random_below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}

static inline const char *random_piece(uint64_t *seed, const char *scheme)
{
	static const char *const debian[] = { "0", "1", "2", "9", "10", "01", "00", "a", "b", "Z", "~", "~", "+", "-", ".",
		                              ".", ":", "rc", "deb12u1", "~~", "20230101123456789012", "+b1" };
	static const char *const alpine[] = { "0", "1", "2", "9", "10", "01", "00", "a", "b", "z", ".", ".", ".", "_alpha",
		                              "_beta", "_pre", "_rc", "_cvs", "_svn", "_git", "_hg", "_p", "-r", "-r1",
		                              "~ab", "~0c", "_", "-", "_foo", "A", "~", "20230101123456789012" };
	static const char *const redhat[] = { "0", "1", "2", "9", "10", "01", "00", "a", "b", "Z", "~", "^", "+", "_", ".",
		                              ".", "el8", "rc", "^git", "~rc", "20230101123456789012", "..", "%" };
	if (scheme[0] == 'd')
		return debian[random_below(seed, COUNT_OF(debian))];
	if (scheme[0] == 'a')
		return alpine[random_below(seed, COUNT_OF(alpine))];
	return redhat[random_below(seed, COUNT_OF(redhat))];
}

/* A version that mostly begins with a digit; where like is given, mostly one that begins as like does. */
static inline void random_version(uint64_t *seed, const char *scheme, struct str like, char out[RANDOM_VERSION_MAX],
                                  struct str *ret)
{
	size_t n = 0;
	if (like.len && random_below(seed, 4)) {
		n = random_below(seed, (uint32_t)like.len + 1);
		memcpy(out, like.ptr, n);
	}
	if (n == 0 && random_below(seed, 8))
		out[n++] = (char)('0' + random_below(seed, 3));
	for (uint32_t pieces = random_below(seed, 5) + (n == 0); pieces; pieces--) {
		const char *p = random_piece(seed, scheme);
		size_t len = strlen(p);
		if (n + len + 8 > RANDOM_VERSION_MAX)
			break;
		memcpy(out + n, p, len);
		n += len;
	}
	*ret = (struct str){ out, n };
}

#endif
