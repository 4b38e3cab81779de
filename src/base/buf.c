/* Bounded buffer: see buf.h. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t size_max)
{
	*b = (struct buf){ .max = size_max };
}

void buf_done(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

bool buf_reserve(struct buf *b, size_t n)
{
	size_t need;
	if (b->overflow || __builtin_add_overflow(b->len, n, &need) || need > b->max) {
		b->overflow = true;
		return false;
	}
	if (need <= b->cap)
		return true;
	size_t cap = b->cap < 256 ? 256 : b->cap;
	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	b->ptr = xrealloc(b->ptr, cap);
	b->cap = cap;
	return true;
}

bool buf_put_mem(struct buf *b, const void *p, size_t n)
{
	if (!buf_reserve(b, n))
		return false;
	if (n)
		memcpy(b->ptr + b->len, p, n);
	b->len += n;
	return true;
}

bool buf_put(struct buf *b, struct str s)
{
	return buf_put_mem(b, s.ptr, s.len);
}

bool buf_byte(struct buf *b, uint8_t v)
{
	return buf_put_mem(b, &v, 1);
}

bool buf_u32(struct buf *b, uint32_t v)
{
	uint8_t p[4];
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	return buf_put_mem(b, p, sizeof(p));
}

bool buf_u64(struct buf *b, uint64_t v)
{
	return buf_u32(b, (uint32_t)v) && buf_u32(b, (uint32_t)(v >> 32));
}

bool buf_varint(struct buf *b, uint64_t v)
{
	uint8_t p[10];
	size_t n = 0;
	do {
		p[n] = (uint8_t)(v & 0x7f);
		v >>= 7;
		if (v)
			p[n] |= 0x80;
		n++;
	} while (v);
	return buf_put_mem(b, p, n);
}

bool buf_str(struct buf *b, struct str s)
{
	return buf_varint(b, s.len) && buf_put(b, s);
}

bool buf_vprintf(struct buf *b, const char *format, va_list args)
{
	char small[256];
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(small, sizeof(small), format, args);
	bool ok = n >= 0;
	if (ok && (size_t)n < sizeof(small)) {
		ok = buf_put_mem(b, small, (size_t)n);
	} else if (ok && (ok = buf_reserve(b, (size_t)n + 1))) {
		(void)vsnprintf(b->ptr + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return ok;
}

bool buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	bool ok = buf_vprintf(b, format, args);
	va_end(args);
	return ok;
}

struct str buf_view(const struct buf *b)
{
	return (struct str){ b->ptr, b->len };
}
