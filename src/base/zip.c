/* Zip archives: see zip.h. The central directory is the truth, found from the end; local headers only tell where the
 * content starts. All reads go through base/reader; sizes are checked against what the bytes could give before
 * memory is taken. Nothing here writes to disk or follows a name. */
#include "base/zip.h"
#include "base/base.h"

#include <libdeflate.h>

#define SIGN_LOCAL 0x04034b50u
#define SIGN_CENTRAL 0x02014b50u
#define SIGN_END 0x06054b50u
#define SIGN_END64 0x06064b50u
#define SIGN_LOCATOR64 0x07064b50u

#define CENTRAL_SIZE 46u
#define LOCAL_SIZE 30u
#define END_SIZE 22u
#define END64_SIZE 56u
#define LOCATOR64_SIZE 20u
#define COMMENT_MAX 65535u

/* Deflate gives at most 258 bytes for two bits (RFC 1951): what states more lies. The 64 is for tiny members. */
#define DEFLATE_RATIO_MAX 1032u

struct end_record {
	uint64_t at; /* of the first byte behind the directory */
	uint64_t members;
	uint64_t size, offset; /* of the directory */
	uint32_t disk, directory_disk;
};

static struct reader reader_at(struct str bytes, uint64_t at)
{
	struct reader r = reader_of(bytes);
	if (at > bytes.len)
		r.bad = true;
	else
		read_seek(&r, (size_t)at);
	return r;
}

static bool is_signed(struct str bytes, uint64_t at, uint32_t sign)
{
	struct reader r = reader_at(bytes, at);
	return read_u32le(&r) == sign && !r.bad;
}

/* The last end record whose comment reaches exactly to the end; else (bytes were appended) the last whose comment
 * stays inside. Readers that take another one see another archive, but there is no rule to decide. */
static bool find_end(struct str bytes, size_t *ret)
{
	bool found = false;
	size_t span = END_SIZE + COMMENT_MAX;
	size_t lowest = bytes.len > span ? bytes.len - span : 0;
	if (bytes.len < END_SIZE)
		return false;
	for (size_t at = bytes.len - END_SIZE + 1; at-- > lowest;) {
		if (bytes.ptr[at] != 'P' || !is_signed(bytes, at, SIGN_END))
			continue;
		struct reader r = reader_at(bytes, at + END_SIZE - 2);
		size_t comment = read_u16le(&r);
		size_t room = bytes.len - at - END_SIZE;
		if (comment > room || (found && comment != room))
			continue;
		*ret = at;
		found = true;
		if (comment == room)
			return true;
	}
	return found;
}

static int read_end64(struct str bytes, size_t locator_at, struct end_record *end, struct err *err)
{
	struct reader r = reader_at(bytes, locator_at + 8);
	uint64_t at = read_u64le(&r);
	/* With bytes in front of the archive the stated offset is short; the record then stands before its locator. */
	if (!is_signed(bytes, at, SIGN_END64) && locator_at >= END64_SIZE)
		at = locator_at - END64_SIZE;
	if (!is_signed(bytes, at, SIGN_END64))
		return err_set(err, ERR_FORMAT, "zip64 end record not found");
	r = reader_at(bytes, at + 16);
	end->at = at;
	end->disk = read_u32le(&r);
	end->directory_disk = read_u32le(&r);
	read_skip(&r, 8);
	end->members = read_u64le(&r);
	end->size = read_u64le(&r);
	end->offset = read_u64le(&r);
	return r.bad ? err_set(err, ERR_FORMAT, "zip64 end record is cut off") : 0;
}

static int read_end(struct str bytes, struct end_record *end, struct err *err)
{
	size_t at;
	if (!find_end(bytes, &at))
		return err_set(err, ERR_FORMAT, "no zip archive: its end record is missing");
	struct reader r = reader_at(bytes, at + 4);
	end->at = at;
	end->disk = read_u16le(&r);
	end->directory_disk = read_u16le(&r);
	read_skip(&r, 2);
	end->members = read_u16le(&r);
	end->size = read_u32le(&r);
	end->offset = read_u32le(&r);
	bool large = end->members == 0xffff || end->size == 0xffffffff || end->offset == 0xffffffff;
	if (large && at >= LOCATOR64_SIZE && is_signed(bytes, at - LOCATOR64_SIZE, SIGN_LOCATOR64))
		return read_end64(bytes, at - LOCATOR64_SIZE, end, err);
	return 0;
}

/* The directory ends where its end record begins, whatever stands in front of the archive; only where there is none
 * at that place is the stated offset believed. */
static int place_directory(struct zip *z, const struct end_record *end, struct err *err)
{
	bool fits = end->size <= end->at;
	uint64_t at = fits ? end->at - end->size : 0;
	if (fits && at >= end->offset && (end->size == 0 || is_signed(z->bytes, at, SIGN_CENTRAL))) {
		z->shift = at - end->offset;
	} else if (end->offset <= end->at && end->size <= end->at - end->offset) {
		at = end->offset;
		z->shift = 0;
	} else {
		return err_set(err, ERR_FORMAT, "zip directory lies outside the archive");
	}
	z->directory_at = at;
	z->directory_end = at + end->size;
	z->space_left = at;
	return 0;
}

int zip_open(struct str bytes, struct zip *ret, struct err *err)
{
	struct zip z = { .bytes = bytes };
	struct end_record end = { 0 };
	int r = read_end(bytes, &end, err);
	if (r != 0)
		return r;
	if (end.disk != end.directory_disk)
		return err_set(err, ERR_UNSUPPORTED, "zip archive split over several files");
	z.split = end.disk != 0;
	if (end.members > ZIP_MEMBERS_MAX)
		return err_set(err, ERR_LIMIT, "zip archive with more members than ZIP_MEMBERS_MAX");
	if (end.members > end.size / CENTRAL_SIZE)
		return err_set(err, ERR_FORMAT, "zip directory too small for its members");
	r = place_directory(&z, &end, err);
	if (r != 0)
		return r;
	z.left = end.members;
	z.inflater = libdeflate_alloc_decompressor();
	if (!z.inflater)
		abort();
	*ret = z;
	return 0;
}

void zip_close(struct zip *z)
{
	if (z->inflater)
		libdeflate_free_decompressor(z->inflater);
	*z = (struct zip){ 0 };
}

/* APPNOTE 4.5.3: of the three values only those stand in the extra field whose place in the header is all ones. */
static bool read_extra64(struct str extra, struct zip_member *m)
{
	struct reader r = reader_of(extra);
	bool wanted = m->size == 0xffffffff || m->compressed_size == 0xffffffff || m->header_offset == 0xffffffff;
	while (wanted && reader_left(&r) >= 4) {
		uint16_t id = read_u16le(&r);
		struct reader field = reader_of(read_bytes(&r, read_u16le(&r)));
		if (r.bad || id != 1)
			continue;
		if (m->size == 0xffffffff)
			m->size = read_u64le(&field);
		if (m->compressed_size == 0xffffffff)
			m->compressed_size = read_u64le(&field);
		if (m->header_offset == 0xffffffff)
			m->header_offset = read_u64le(&field);
		return !field.bad;
	}
	/* Without the field, all ones are a size like any other; the bounds decide. */
	return true;
}

static bool read_central(struct zip *z, struct zip_member *m)
{
	struct reader r = reader_at(str_sub(z->bytes, 0, (size_t)z->directory_end), z->directory_at);
	if (read_u32le(&r) != SIGN_CENTRAL)
		return false;
	read_skip(&r, 4);
	m->flags = read_u16le(&r);
	m->method = read_u16le(&r);
	read_skip(&r, 4);
	m->crc = read_u32le(&r);
	m->compressed_size = read_u32le(&r);
	m->size = read_u32le(&r);
	size_t name_len = read_u16le(&r);
	size_t extra_len = read_u16le(&r);
	size_t comment_len = read_u16le(&r);
	read_skip(&r, 8);
	m->header_offset = read_u32le(&r);
	m->name = read_bytes(&r, name_len);
	struct str extra = read_bytes(&r, extra_len);
	read_skip(&r, comment_len);
	z->directory_at = r.at;
	return !r.bad && read_extra64(extra, m);
}

/* Each member takes its own header, name and content out of what stands before the directory. */
static bool claim_space(struct zip *z, const struct zip_member *m)
{
	uint64_t need = LOCAL_SIZE + m->name.len;
	if (m->compressed_size > z->space_left || need > z->space_left - m->compressed_size)
		return false;
	z->space_left -= need + m->compressed_size;
	return true;
}

int zip_next(struct zip *z, struct zip_member *ret, struct err *err)
{
	if (z->directory_at >= z->directory_end) {
		/* Writers without zip64 count modulo 65,536. */
		return (z->left & 0xffff) == 0 ? 0 : err_set(err, ERR_FORMAT, "zip directory with fewer members than stated");
	}
	struct zip_member m = { 0 };
	uint64_t at = z->directory_at;
	if (z->given >= ZIP_MEMBERS_MAX)
		return err_set(err, ERR_LIMIT, "zip archive with more members than ZIP_MEMBERS_MAX");
	if (!read_central(z, &m))
		return err_set(err, ERR_FORMAT, "bad zip directory entry at offset %llu", (unsigned long long)at);
	if (!claim_space(z, &m))
		return err_set(err, ERR_FORMAT, "zip member %.*s overlaps others", STR_ARG(m.name));
	z->given++;
	z->left--; /* wraps below zero where the count was taken modulo 65,536 */
	*ret = m;
	return 1;
}

static int find_content(const struct zip *z, const struct zip_member *m, struct str *ret, struct err *err)
{
	uint64_t at;
	struct reader r = reader_of(z->bytes);
	if (__builtin_add_overflow(z->shift, m->header_offset, &at))
		r.bad = true;
	else
		r = reader_at(z->bytes, at);
	if (read_u32le(&r) != SIGN_LOCAL)
		return err_set(err, ERR_FORMAT, "zip member %.*s: no header at its offset", STR_ARG(m->name));
	read_skip(&r, 22);
	size_t name_len = read_u16le(&r);
	size_t extra_len = read_u16le(&r);
	read_skip(&r, name_len);
	read_skip(&r, extra_len);
	if (r.bad || m->compressed_size > reader_left(&r))
		return err_set(err, ERR_FORMAT, "zip member %.*s reaches behind the archive", STR_ARG(m->name));
	*ret = read_bytes(&r, (size_t)m->compressed_size);
	return 0;
}

static int check_member(const struct zip *z, const struct zip_member *m, struct err *err)
{
	if (z->split)
		return err_set(err, ERR_UNSUPPORTED, "zip archive split over several files");
	if (m->flags & (1u << 0 | 1u << 6 | 1u << 13))
		return err_set(err, ERR_UNSUPPORTED, "zip member %.*s is encrypted", STR_ARG(m->name));
	if (m->method != 0 && m->method != 8)
		return err_set(err, ERR_UNSUPPORTED, "zip member %.*s: compression method %u", STR_ARG(m->name), m->method);
	if (m->size > ZIP_MEMBER_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "zip member %.*s is larger than ZIP_MEMBER_SIZE_MAX", STR_ARG(m->name));
	bool possible = m->method == 0 ? m->size == m->compressed_size
	                               : m->size / DEFLATE_RATIO_MAX <= m->compressed_size;
	if (!possible)
		return err_set(err, ERR_FORMAT, "zip member %.*s states an impossible size", STR_ARG(m->name));
	return 0;
}

static int inflate_member(const struct zip *z, const struct zip_member *m, struct str from, char *to, struct err *err)
{
	size_t size = (size_t)m->size;
	if (m->method == 0) {
		if (size)
			memcpy(to, from.ptr, size);
		return 0;
	}
	size_t got = 0;
	enum libdeflate_result r = libdeflate_deflate_decompress(z->inflater, from.ptr, from.len, to, size, &got);
	if (r == LIBDEFLATE_INSUFFICIENT_SPACE || (r == LIBDEFLATE_SUCCESS && got != size))
		return err_set(err, ERR_FORMAT, "zip member %.*s has not the size that it states", STR_ARG(m->name));
	if (r != LIBDEFLATE_SUCCESS)
		return err_set(err, ERR_FORMAT, "zip member %.*s does not inflate", STR_ARG(m->name));
	return 0;
}

int zip_read(struct zip *z, const struct zip_member *m, struct buf *out, struct err *err)
{
	struct str from = { 0 };
	int r = check_member(z, m, err);
	if (r == 0)
		r = find_content(z, m, &from, err);
	if (r != 0)
		return r;
	if (!buf_reserve(out, (size_t)m->size))
		return err_set(err, ERR_LIMIT, "zip member %.*s is too large for its reader", STR_ARG(m->name));
	char nothing = 0; /* libdeflate wants a pointer for an empty member, too */
	char *to = m->size ? out->ptr + out->len : &nothing;
	r = inflate_member(z, m, from, to, err);
	if (r != 0)
		return r;
	if (libdeflate_crc32(0, to, (size_t)m->size) != m->crc)
		return err_set(err, ERR_FORMAT, "zip member %.*s: CRC mismatch", STR_ARG(m->name));
	out->len += (size_t)m->size;
	return 0;
}
