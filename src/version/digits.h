/* Runs of decimal digits as numbers of any size: versions hold time stamps and build numbers over 64 bits, and none
 * may wrap or saturate. */
#ifndef PLIMSOLL_VERSION_DIGITS_H
#define PLIMSOLL_VERSION_DIGITS_H

#include "base/str.h"

#include <string.h>

/* Takes the digits off the front of *s. */
static inline struct str digits_take(struct str *s)
{
	size_t n = 0;
	while (n < s->len && ascii_digit(s->ptr[n]))
		n++;
	struct str run = { s->ptr, n };
	if (n) {
		s->ptr += n;
		s->len -= n;
	}
	return run;
}

/* Both hold digits only; the empty run is 0. */
static inline int digits_compare(struct str a, struct str b)
{
	while (a.len && a.ptr[0] == '0') {
		a.ptr++;
		a.len--;
	}
	while (b.len && b.ptr[0] == '0') {
		b.ptr++;
		b.len--;
	}
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

#endif
