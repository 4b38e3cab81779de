/* Bounded cursor: see reader.h. No casts of bytes to structs. */
#include "base/base.h"

#include <string.h>

struct reader reader_of(struct str bytes)
{
	return (struct reader){ .ptr = (const uint8_t *)bytes.ptr, .len = bytes.len };
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : r->len - r->at;
}

static const uint8_t *take(struct reader *r, size_t n)
{
	if (r->bad || r->len - r->at < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->ptr + r->at;
	r->at += n;
	return p;
}

static uint64_t take_le(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	uint64_t v = 0;
	for (size_t i = 0; p && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint64_t take_be(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	uint64_t v = 0;
	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t read_u8(struct reader *r) { return (uint8_t)take_le(r, 1); }
uint16_t read_u16le(struct reader *r) { return (uint16_t)take_le(r, 2); }
uint16_t read_u16be(struct reader *r) { return (uint16_t)take_be(r, 2); }
uint32_t read_u32le(struct reader *r) { return (uint32_t)take_le(r, 4); }
uint32_t read_u32be(struct reader *r) { return (uint32_t)take_be(r, 4); }
uint64_t read_u64le(struct reader *r) { return take_le(r, 8); }
uint64_t read_u64be(struct reader *r) { return take_be(r, 8); }

uint64_t read_varint(struct reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = read_u8(r);
		if (r->bad)
			return 0;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

struct str read_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	return p ? (struct str){ (const char *)p, n } : (struct str){ 0 };
}

struct str read_str(struct reader *r)
{
	uint64_t n = read_varint(r);
	if (n > reader_left(r)) {
		r->bad = true;
		return (struct str){ 0 };
	}
	return read_bytes(r, (size_t)n);
}

size_t read_count(struct reader *r, size_t size_min)
{
	uint64_t n = read_varint(r);
	if (n > reader_left(r) / (size_min ? size_min : 1)) {
		r->bad = true;
		return 0;
	}
	return (size_t)n;
}

void read_skip(struct reader *r, size_t n)
{
	(void)take(r, n);
}

void read_seek(struct reader *r, size_t at)
{
	if (r->bad || at > r->len)
		r->bad = true;
	else
		r->at = at;
}

struct str read_cstr(struct reader *r)
{
	const uint8_t *p = r->ptr + r->at;
	const uint8_t *end = r->bad || r->len == r->at ? NULL : memchr(p, 0, r->len - r->at);
	if (!end) {
		r->bad = true;
		return (struct str){ 0 };
	}
	r->at += (size_t)(end - p) + 1;
	return (struct str){ (const char *)p, (size_t)(end - p) };
}
