/* One tar header block: its form, its numbers, its names. Knows nothing of what stands before or behind it. Every field
 * is read at its fixed place in a block of TAR_BLOCK_SIZE bytes; none is trusted to be terminated. */
#include "base/tar_core.h"

#include "base/base.h"

/* Places of the fields (POSIX.1-1988; GNU's and star's where they differ). */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_DEV_MAJOR = 329,
	AT_DEV_MINOR = 337,
	AT_PREFIX = 345,
	AT_GNU_ATIME = 345,
	AT_GNU_CTIME = 357,
	AT_STAR_TRAILER = 508,
	LEN_NAME = 100,
	LEN_ID = 8,
	LEN_SIZE = 12,
	LEN_PREFIX = 155,
	LEN_STAR_PREFIX = 131,
	LEN_SPARSE_ENTRY = 24,
};

struct str tar_field(const uint8_t *p, size_t n)
{
	const uint8_t *end = n ? memchr(p, 0, n) : NULL;
	return (struct str){ (const char *)p, end ? (size_t)(end - p) : n };
}

/* Two's complement, big-endian; the first bit only says that the field is of this kind, the second one is the sign. */
static bool base_256(const uint8_t *p, size_t n, int64_t *ret)
{
	const bool negative = p[0] & 0x40;
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t b = negative ? (uint8_t)~p[i] : p[i];
		if (i == 0)
			b &= 0x7f;
		if (v >> 55) /* the next 8 bits would reach the sign */
			return false;
		v = v << 8 | b;
	}
	*ret = negative ? -(int64_t)v - 1 : (int64_t)v;
	return true;
}

static bool blank(char c) { return c == ' ' || c == 0; }

bool tar_number(const uint8_t *p, size_t n, int64_t *ret)
{
	if (n && (p[0] & 0x80))
		return base_256(p, n, ret);
	struct str s = { (const char *)p, n };
	while (s.len && blank(s.ptr[0]))
		s = str_sub(s, 1, s.len);
	s = tar_field((const uint8_t *)s.ptr, s.len);
	while (s.len && blank(s.ptr[s.len - 1]))
		s.len--;
	uint64_t v = 0;
	if ((s.len && !str_to_u64_base(s, 8, &v)) || v > INT64_MAX)
		return false;
	*ret = (int64_t)v;
	return true;
}

static int64_t number_or_0(const uint8_t *block, size_t at, size_t n)
{
	int64_t v = 0;
	return tar_number(block + at, n, &v) ? v : 0;
}

bool tar_block_is_zero(const uint8_t *block)
{
	uint8_t any = 0;
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
		any |= block[i];
	return any == 0;
}

/* Old Sun tars summed signed bytes. */
bool tar_block_checksum_ok(const uint8_t *block)
{
	int64_t want;
	uint32_t sum = 0, high = 0;
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		sum += block[i];
		high += block[i] >> 7;
	}
	for (size_t i = AT_CHECKSUM; i < AT_TYPE; i++) {
		sum -= block[i];
		high -= block[i] >> 7;
	}
	sum += ' ' * (AT_TYPE - AT_CHECKSUM);
	if (!tar_number(block + AT_CHECKSUM, AT_TYPE - AT_CHECKSUM, &want))
		return false;
	return want == (int64_t)sum || want == (int64_t)sum - 256 * (int64_t)high;
}

static bool bytes_at(const uint8_t *block, size_t at, const char *want, size_t n)
{
	return memcmp(block + at, want, n) == 0;
}

/* Go before 1.8 wrote a prefix into GNU headers, where the access and change times are; the engines' reader takes it as
 * a prefix where those are no numbers. */
static bool gnu_with_prefix(const uint8_t *block)
{
	int64_t unused;
	bool times = (!block[AT_GNU_ATIME] || tar_number(block + AT_GNU_ATIME, LEN_SIZE, &unused)) &&
		     (!block[AT_GNU_CTIME] || tar_number(block + AT_GNU_CTIME, LEN_SIZE, &unused));
	if (times)
		return false;
	struct str s = tar_field(block + AT_PREFIX, LEN_PREFIX);
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.ptr[i] >= 0x80)
			return false;
	return true;
}

static void put(char *out, size_t *len, struct str s)
{
	if (s.len)
		memcpy(out + *len, s.ptr, s.len);
	*len += s.len;
}

static void header_names(const uint8_t *block, bool ustar, struct tar_header *ret)
{
	size_t prefix_len = 0;
	if (ustar)
		prefix_len = bytes_at(block, AT_STAR_TRAILER, "tar\0", 4) ? LEN_STAR_PREFIX : LEN_PREFIX;
	else if (ret->gnu && gnu_with_prefix(block))
		prefix_len = LEN_PREFIX;
	struct str prefix = tar_field(block + AT_PREFIX, prefix_len);
	ret->path_len = ret->link_len = 0;
	put(ret->path, &ret->path_len, prefix);
	if (prefix.len)
		put(ret->path, &ret->path_len, STR("/"));
	put(ret->path, &ret->path_len, tar_field(block + AT_NAME, LEN_NAME));
	put(ret->link, &ret->link_len, tar_field(block + AT_LINK, LEN_NAME));
}

void tar_header_parse(const uint8_t *block, struct tar_header *ret)
{
	int64_t size = 0;
	bool ustar = bytes_at(block, AT_MAGIC, "ustar\0", 6);
	ret->gnu = bytes_at(block, AT_MAGIC, "ustar  \0", 8);
	ret->type = (char)block[AT_TYPE];
	ret->size_bad = !tar_number(block + AT_SIZE, LEN_SIZE, &size) || size < 0;
	ret->size = ret->size_bad ? 0 : (uint64_t)size;
	ret->mode = (uint32_t)number_or_0(block, AT_MODE, LEN_ID) & 07777;
	ret->uid = (uint32_t)number_or_0(block, AT_UID, LEN_ID);
	ret->gid = (uint32_t)number_or_0(block, AT_GID, LEN_ID);
	ret->mtime = number_or_0(block, AT_MTIME, LEN_SIZE);
	ret->dev_major = ustar || ret->gnu ? (uint32_t)number_or_0(block, AT_DEV_MAJOR, LEN_ID) : 0;
	ret->dev_minor = ustar || ret->gnu ? (uint32_t)number_or_0(block, AT_DEV_MINOR, LEN_ID) : 0;
	header_names(block, ustar, ret);
}

bool tar_parts_add(struct tar_parts *parts, uint64_t at, uint64_t len)
{
	if (parts->len == TAR_SPARSE_PARTS_MAX)
		return false;
	if (parts->len == parts->cap) {
		parts->cap = parts->cap ? parts->cap * 2 : 8;
		parts->ptr = xrealloc(parts->ptr, parts->cap * sizeof(*parts->ptr));
	}
	parts->ptr[parts->len++] = (struct tar_part){ at, len };
	return true;
}

int tar_sparse_block(const uint8_t *entries, size_t count, struct tar_parts *parts, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *p = entries + i * LEN_SPARSE_ENTRY;
		int64_t at, len;
		if (p[0] == 0)
			return 0;
		if (!tar_number(p, LEN_SIZE, &at) || !tar_number(p + LEN_SIZE, LEN_SIZE, &len) || at < 0 || len < 0)
			return err_set(err, ERR_FORMAT, "sparse map: bad number");
		if (!tar_parts_add(parts, (uint64_t)at, (uint64_t)len))
			return err_set(err, ERR_LIMIT, "sparse file of over TAR_SPARSE_PARTS_MAX parts");
	}
	return 0;
}
