/* The only way in which hostile bytes are read: a cursor over a slice that checks every length and, once a read
 * has failed, goes on failing (`bad` sticks, values are 0 and slices empty). Read freely, look at `bad` at the end
 * and before anything is allocated from a count. */
#ifndef PLIMSOLL_BASE_READER_H
#define PLIMSOLL_BASE_READER_H

#include "base/str.h"

struct reader {
	const uint8_t *ptr;
	size_t len;
	size_t at;
	bool bad;
};

struct reader reader_of(struct str bytes);
size_t reader_left(const struct reader *r);

uint8_t read_u8(struct reader *r);
uint16_t read_u16le(struct reader *r);
uint16_t read_u16be(struct reader *r);
uint32_t read_u32le(struct reader *r);
uint32_t read_u32be(struct reader *r);
uint64_t read_u64le(struct reader *r);
uint64_t read_u64be(struct reader *r);
uint64_t read_varint(struct reader *r);   /* LEB128, at most 10 bytes */
struct str read_bytes(struct reader *r, size_t n);
struct str read_str(struct reader *r);    /* varint length, then the bytes (twin of buf_str) */
/* A varint count of elements that take at least size_min bytes each: bad if the rest cannot hold so many. */
size_t read_count(struct reader *r, size_t size_min);
void read_skip(struct reader *r, size_t n);
void read_seek(struct reader *r, size_t at); /* absolute; at == len is fine */
/* Up to and without a NUL; bad if there is none. */
struct str read_cstr(struct reader *r);

#endif
