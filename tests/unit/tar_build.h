/* Builds tars, right and wrong ones, header by header. */
#ifndef PLIMSOLL_TESTS_UNIT_TAR_BUILD_H
#define PLIMSOLL_TESTS_UNIT_TAR_BUILD_H

#include "base/base.h"

struct build {
	struct buf out;
};

enum build_magic { BUILD_USTAR, BUILD_GNU, BUILD_V7 };

/* size and mtime are the fields themselves, 12 bytes or a shorter string; NULL: zero. */
struct head {
	const char *name, *link, *prefix, *size, *mtime;
	char type;
	enum build_magic magic;
	bool bad_sum, signed_sum;
};

static struct build build_new(void)
{
	struct build b;
	buf_init(&b.out, 64 * MIB);
	return b;
}

/* s, then zeros up to the next multiple of `align`; at least one block. */
static void build_bytes(struct build *b, struct str s, size_t align)
{
	size_t want = (s.len + align - 1) / align * align;
	buf_put(&b->out, s);
	for (size_t i = s.len; i < (want ? want : align); i++)
		buf_byte(&b->out, 0);
}

/* A number field: binary where its first byte says so (then all of its bytes), else text. */
static void build_number(uint8_t *field, const char *value)
{
	if ((uint8_t)value[0] & 0x80)
		memcpy(field, value, 12);
	else
		memcpy(field, value, str_from(value).len);
}

static void build_sum(uint8_t *block, bool as_signed)
{
	int sum = 0;
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += as_signed ? (int8_t)block[i] : block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", (unsigned)sum & 0777777);
}

static void build_text(uint8_t *field, const char *text)
{
	if (text)
		memcpy(field, text, str_from(text).len);
}

static void build_block(const struct head *h, uint8_t block[512])
{
	memset(block, 0, 512);
	build_text(block, h->name);
	build_text(block + 100, "0000644");
	build_text(block + 108, "0000000");
	build_text(block + 116, "0000000");
	build_number(block + 124, h->size ? h->size : "00000000000");
	build_number(block + 136, h->mtime ? h->mtime : "00000000000");
	block[156] = (uint8_t)h->type;
	build_text(block + 157, h->link);
	if (h->magic == BUILD_USTAR)
		memcpy(block + 257, "ustar\00000", 8);
	else if (h->magic == BUILD_GNU)
		memcpy(block + 257, "ustar  \0", 8);
	build_text(block + 345, h->prefix);
	build_sum(block, h->signed_sum);
	if (h->bad_sum)
		block[148] ^= 1;
}

static void build_header(struct build *b, struct head h)
{
	uint8_t block[512];
	build_block(&h, block);
	buf_put_mem(&b->out, block, sizeof(block));
}

static void build_content(struct build *b, struct head h, struct str content)
{
	char size[13];
	(void)snprintf(size, sizeof(size), "%011zo", content.len);
	h.size = size;
	build_header(b, h);
	if (content.len)
		build_bytes(b, content, 512);
}

static void build_file(struct build *b, const char *name, char type, struct str content)
{
	build_content(b, (struct head){ .name = name, .type = type }, content);
}

/* An 'x', 'g', 'L' or 'K' header and what it holds. */
static void build_meta(struct build *b, char type, struct str content)
{
	build_content(b, (struct head){ .name = "meta", .type = type }, content);
}

/* Pax records with their right lengths: "key=value", ..., NULL. */
static void build_pax(struct build *b, char type, const char *const *records)
{
	struct buf BUF_AUTO text;
	buf_init(&text, MIB);
	for (; *records; records++) {
		size_t body = str_from(*records).len + 2, n = body + 1;
		while (n != body + (size_t)snprintf(NULL, 0, "%zu", n))
			n++;
		buf_printf(&text, "%zu %s\n", n, *records);
	}
	build_meta(b, type, buf_view(&text));
}
#define BUILD_PAX(b, type, ...) build_pax((b), (type), (const char *const[]){ __VA_ARGS__, NULL })

static void build_pair(uint8_t *field, uint64_t at, uint64_t len)
{
	memset(field, 0, 24);
	for (int i = 0; i < 8; i++) {
		field[11 - i] = (uint8_t)(at >> (8 * i));
		field[23 - i] = (uint8_t)(len >> (8 * i));
	}
	field[0] = field[12] = 0x80;
}

/* Old GNU: up to 4 parts (offset, length) in the header. */
static void build_old_sparse(struct build *b, const char *name, uint64_t size, unsigned stored, const uint64_t *parts,
			     size_t count)
{
	uint8_t block[512], pair[24];
	char stored_text[13];
	(void)snprintf(stored_text, sizeof(stored_text), "%011o", stored);
	build_block(&(struct head){ .name = name, .type = 'S', .size = stored_text, .magic = BUILD_GNU }, block);
	for (size_t i = 0; i < count; i++)
		build_pair(block + 386 + 24 * i, parts[2 * i], parts[2 * i + 1]);
	build_pair(pair, size, 0);
	memcpy(block + 483, pair, 12);
	build_sum(block, false);
	buf_put_mem(&b->out, block, sizeof(block));
}

/* Old GNU with its map in continuation blocks: so many empty parts. */
static void build_long_old_sparse(struct build *b, const char *name, size_t parts)
{
	uint8_t block[512];
	build_block(&(struct head){ .name = name, .type = 'S', .magic = BUILD_GNU }, block);
	for (size_t i = 0; i < 4; i++)
		build_pair(block + 386 + 24 * i, 0, 0);
	block[482] = 1;
	build_sum(block, false);
	buf_put_mem(&b->out, block, sizeof(block));
	for (size_t left = parts - 4; left;) {
		size_t n = left < 21 ? left : 21;
		memset(block, 0, sizeof(block));
		for (size_t i = 0; i < n; i++)
			build_pair(block + 24 * i, 0, 0);
		left -= n;
		block[504] = left > 0;
		buf_put_mem(&b->out, block, sizeof(block));
	}
}

static void build_end(struct build *b) { build_bytes(b, STR(""), 1024); }

#endif
