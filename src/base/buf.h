/* A growing buffer of bytes with a maximum that its owner must state. What would pass the maximum is not
 * written and sets `overflow`, which stays: write freely, look once at the end. */
#ifndef PLIMSOLL_BASE_BUF_H
#define PLIMSOLL_BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct buf {
	char *ptr;
	size_t len;
	size_t cap;
	size_t max;
	bool overflow;
};

void buf_init(struct buf *b, size_t size_max);
void buf_done(struct buf *b); /* frees; a zeroed or done buf is fine */
#define BUF_AUTO __attribute__((cleanup(buf_done)))
void buf_clear(struct buf *b); /* keeps the memory; clears overflow */

/* All return false once the buffer has overflown. */
bool buf_put(struct buf *b, struct str s);
bool buf_put_mem(struct buf *b, const void *p, size_t n);
bool buf_byte(struct buf *b, uint8_t v);
bool buf_u32(struct buf *b, uint32_t v); /* little-endian */
bool buf_u64(struct buf *b, uint64_t v);
bool buf_varint(struct buf *b, uint64_t v); /* LEB128 */
bool buf_str(struct buf *b, struct str s);  /* varint length, then the bytes */
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Room for n more bytes at ptr + len, for read(2); the caller adds to len. False: over the maximum. */
bool buf_reserve(struct buf *b, size_t n);

struct str buf_view(const struct buf *b); /* valid until the next write */

#endif
