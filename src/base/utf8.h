/* UTF-8 as in RFC 3629 section 4: no overlong forms, no surrogates, nothing over U+10FFFF. */
#ifndef PLIMSOLL_BASE_UTF8_H
#define PLIMSOLL_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

static inline int utf8_is_tail(uint8_t b) { return (b & 0xc0) == 0x80; }

/* Length (1 to 4) of the well-formed sequence at p, of which n bytes may be read; 0 if there is none. */
static inline size_t utf8_len(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || n < 2 || !utf8_is_tail(p[1]))
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (n < 3 || !utf8_is_tail(p[2]))
		return 0;
	if (p[0] < 0xf0) {
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0))
			return 0;
		return 3;
	}
	if (p[0] > 0xf4 || n < 4 || !utf8_is_tail(p[3]))
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return 4;
}

/* Writes the code point (no surrogate, at most 0x10ffff) and returns the length. */
static inline size_t utf8_put(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

#endif
