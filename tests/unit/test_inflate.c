/* Inflating streams. What concerns gzip runs over both engines (ISA-L where the build has it, zlib), which must give
 * the same results to the byte; everything runs through sources and buffers of odd sizes. Independent witnesses: the
 * gzip, zstd, xz and bzip2 programs over every compressed file of the shared data. */
#include "base/base.h"

#include "base/inflate.h"
#include "base/tar.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

/* --- reading --- */

/* A source that gives at most `step` bytes at once. */
struct slow {
	struct str rest;
	size_t step;
};

static ssize_t slow_read(void *ctx, void *p, size_t n)
{
	struct slow *s = ctx;
	n = n < s->step ? n : s->step;
	n = n < s->rest.len ? n : s->rest.len;
	if (n)
		memcpy(p, s->rest.ptr, n);
	s->rest = str_sub(s->rest, n, s->rest.len);
	return (ssize_t)n;
}

struct outcome {
	struct buf out;
	int code; /* 0, or that of the open or the read that failed */
	uint64_t stored, trailing;
	enum inflate_form form;
	struct err err;
};

static struct outcome run(struct str bytes, enum inflate_engine engine, size_t step, size_t n)
{
	struct outcome o = { 0 };
	struct slow slow = { bytes, step };
	buf_init(&o.out, 256 * MIB);
	struct inflate *s = inflate_open_engine((struct source){ slow_read, &slow }, engine, &o.err);
	if (!s) {
		o.code = o.err.code;
		return o;
	}
	char *p = xmalloc(n);
	ssize_t got;
	while ((got = inflate_read(s, p, n, &o.err)) > 0)
		buf_put_mem(&o.out, p, (size_t)got);
	o.code = (int)got;
	/* What has ended stays ended. */
	assert_int_equal(inflate_read(s, p, n, &o.err), got);
	free(p);
	o.stored = inflate_stored(s);
	o.trailing = inflate_trailing(s);
	o.form = inflate_form(s);
	inflate_close(s);
	return o;
}

static void check_same(struct outcome *a, struct outcome *b, const char *what)
{
	if (a->code != b->code || a->stored != b->stored || a->trailing != b->trailing || a->form != b->form ||
	    !str_eq(buf_view(&a->out), buf_view(&b->out)))
		fail_msg("%s: %d, %zu bytes, %llu trailing (%s) and %d, %zu bytes, %llu trailing (%s)", what, a->code,
			 a->out.len, (unsigned long long)a->trailing, a->err.text, b->code, b->out.len,
			 (unsigned long long)b->trailing, b->err.text);
}

static bool has_isal(void)
{
	struct str empty = { 0 };
	struct inflate *s = inflate_open_engine(source_of_str(&empty), INFLATE_ENGINE_ISAL, NULL);
	inflate_close(s);
	return s != NULL;
}

/* In every way that should not matter; fails where it does. */
static struct outcome run_all(struct str bytes)
{
	static const size_t steps[] = { 1, 3, 13, 4096, SIZE_MAX };
	static const size_t sizes[] = { 1, 7, 4096, 1 << 20 };
	struct outcome first = run(bytes, INFLATE_ENGINE_ZLIB, SIZE_MAX, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(steps) * COUNT_OF(sizes) * 2; i++) {
		size_t step = steps[i % COUNT_OF(steps)], n = sizes[i / COUNT_OF(steps) % COUNT_OF(sizes)];
		bool isal = i >= COUNT_OF(steps) * COUNT_OF(sizes);
		/* Small steps over much cost minutes: ISA-L copies its history in each. */
		bool slow = (first.out.len > 20000 && n < 4096) || (bytes.len > 20000 && step < 4096);
		if ((isal && !has_isal()) || slow)
			continue;
		struct outcome o = run(bytes, isal ? INFLATE_ENGINE_ISAL : INFLATE_ENGINE_ZLIB, step, n);
		/* How much comes out before an error is seen may differ between the engines. */
		if (first.code < 0)
			o.out.len = first.out.len = 0, o.stored = first.stored;
		check_same(&first, &o, isal ? "ISA-L" : "zlib");
		buf_done(&o.out);
	}
	return first;
}

static void expect(struct str bytes, struct str want, uint64_t trailing, enum inflate_form form)
{
	struct outcome o = run_all(bytes);
	if (o.code || !str_eq(buf_view(&o.out), want) || o.trailing != trailing || o.form != form ||
	    o.stored != bytes.len)
		fail_msg("%d (%s), %zu bytes, %llu trailing, form %d, %llu of %zu stored", o.code, o.err.text,
			 o.out.len, (unsigned long long)o.trailing, o.form, (unsigned long long)o.stored, bytes.len);
	buf_done(&o.out);
}

/* In four ways only, for the many. */
static void expect_cut(struct str bytes)
{
	for (int i = 0; i < 4; i++) {
		bool isal = i & 1, slow = i & 2;
		if (isal && !has_isal())
			continue;
		struct outcome o =
		    run(bytes, isal ? INFLATE_ENGINE_ISAL : INFLATE_ENGINE_ZLIB, slow ? 1 : SIZE_MAX, slow ? 7 : MIB);
		if (o.code != ERR_FORMAT || !str_contains(str_from(o.err.text), STR("ends inside a member")))
			fail_msg("cut at %zu: %d (%s), %zu bytes", bytes.len, o.code, o.err.text, o.out.len);
		buf_done(&o.out);
	}
}

static void expect_error(struct str bytes, int code, const char *why)
{
	struct outcome o = run_all(bytes);
	if (o.code != code || !str_contains(str_from(o.err.text), str_from(why)))
		fail_msg("%d (%s), not %d (%s)", o.code, o.err.text, code, why);
	buf_done(&o.out);
}

/* --- writing --- */

enum { HCRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16 };

static void put_gzip_header(struct buf *b, unsigned flags)
{
	size_t start = b->len;
	buf_put(b, STR("\x1f\x8b\x08"));
	buf_byte(b, (uint8_t)flags);
	buf_put(b, STR("\1\2\3\4\0\3"));
	if (flags & EXTRA)
		buf_put(b, STR("\5\0abcde"));
	if (flags & NAME)
		buf_put(b, STR("layer.tar\0"));
	if (flags & COMMENT)
		buf_put(b, STR("no comment\0"));
	if (flags & HCRC) {
		uint32_t crc = (uint32_t)crc32(0, (const Bytef *)b->ptr + start, (unsigned)(b->len - start));
		buf_byte(b, (uint8_t)crc);
		buf_byte(b, (uint8_t)(crc >> 8));
	}
}

static void put_deflate(struct buf *b, struct str content, int level, int strategy)
{
	z_stream z = { 0 };
	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 9, strategy), Z_OK);
	size_t bound = deflateBound(&z, content.len) + 1000;
	assert_true(buf_reserve(b, bound));
	z.next_in = (Bytef *)(uintptr_t)content.ptr;
	z.avail_in = (unsigned)content.len;
	z.next_out = (Bytef *)b->ptr + b->len;
	z.avail_out = (unsigned)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->len += bound - z.avail_out;
	deflateEnd(&z);
}

static void put_trailer(struct buf *b, struct str content)
{
	buf_u32(b, (uint32_t)crc32(0, (const Bytef *)content.ptr, (unsigned)content.len));
	buf_u32(b, (uint32_t)content.len);
}

static void put_gzip(struct buf *b, struct str content, int level)
{
	put_gzip_header(b, 0);
	put_deflate(b, content, level, Z_DEFAULT_STRATEGY);
	put_trailer(b, content);
}

static void put_zstd(struct buf *b, struct str content, bool checksum)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
	size_t bound = ZSTD_compressBound(content.len);
	assert_true(buf_reserve(b, bound));
	size_t n = ZSTD_compress2(c, b->ptr + b->len, bound, content.ptr, content.len);
	assert_false(ZSTD_isError(n));
	b->len += n;
	ZSTD_freeCCtx(c);
}

static void put_skippable(struct buf *b, uint8_t nibble, struct str content)
{
	buf_u32(b, 0x184d2a50u | nibble);
	buf_u32(b, (uint32_t)content.len);
	buf_put(b, content);
}

static void put_xz(struct buf *b, struct str content, lzma_check check)
{
	size_t bound = lzma_stream_buffer_bound(content.len);
	assert_true(buf_reserve(b, bound));
	size_t at = 0;
	assert_int_equal(lzma_easy_buffer_encode(1, check, NULL, (const uint8_t *)content.ptr, content.len,
						 (uint8_t *)b->ptr + b->len, &at, bound),
			 LZMA_OK);
	b->len += at;
}

static void put_bzip2(struct buf *b, struct str content)
{
	unsigned n = (unsigned)content.len * 2 + 1000;
	assert_true(buf_reserve(b, n));
	assert_int_equal(BZ2_bzBuffToBuffCompress(b->ptr + b->len, &n, (char *)(uintptr_t)content.ptr,
						  (unsigned)content.len, 9, 0, 0),
			 BZ_OK);
	b->len += n;
}

static struct buf new_buf(void)
{
	struct buf b;
	buf_init(&b, 256 * MIB);
	return b;
}

/* Text-like content: repeats near and far, and some noise. */
static struct buf sample(size_t n)
{
	struct buf b = new_buf();
	uint32_t x = 12345;
	while (b.len < n) {
		x = x * 1664525 + 1013904223;
		if (b.len > 40000 && x % 3 == 0) {
			char copy[200];
			memcpy(copy, b.ptr + b.len - 1 - (x >> 8) % 32768, x >> 24 & 127);
			buf_put_mem(&b, copy, x >> 24 & 127);
		} else {
			buf_printf(&b, "line %u of %s\n", x >> 20, x & 64 ? "something" : "nothing");
		}
	}
	b.len = n;
	return b;
}

/* --- gzip --- */

static void gzip_of_every_make(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 300, 70000, 700000 };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct buf content = sample(sizes[i]);
		for (int level = 0; level <= 9; level += 3)
			for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; strategy++) {
				struct buf b = new_buf();
				put_gzip_header(&b, 0);
				put_deflate(&b, buf_view(&content), level, strategy);
				put_trailer(&b, buf_view(&content));
				expect(buf_view(&b), buf_view(&content), 0, INFLATE_GZIP);
				buf_done(&b);
			}
		buf_done(&content);
	}
}

static void gzip_headers(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 32; flags++) {
		struct buf b = new_buf();
		put_gzip_header(&b, flags);
		size_t header = b.len;
		put_deflate(&b, STR("content"), 6, Z_DEFAULT_STRATEGY);
		put_trailer(&b, STR("content"));
		expect(buf_view(&b), STR("content"), 0, INFLATE_GZIP);
		if (flags & HCRC) {
			b.ptr[header - 1] ^= 1;
			expect_error(buf_view(&b), ERR_FORMAT, "checksum of the header");
		}
		buf_done(&b);
	}
	for (unsigned flags = 32; flags < 256; flags += 32) {
		struct buf b = new_buf();
		put_gzip(&b, STR("content"), 6);
		b.ptr[3] = (char)flags;
		expect_error(buf_view(&b), ERR_FORMAT, "reserved header flags");
		b.ptr[3] = 0;
		b.ptr[2] = 7;
		expect_error(buf_view(&b), ERR_FORMAT, "unknown compression method 7");
		buf_done(&b);
	}
}

static void gzip_members_and_what_follows(void **state)
{
	(void)state;
	struct buf b = new_buf();
	put_gzip(&b, STR("one "), 6);
	put_gzip(&b, STR(""), 0);
	put_gzip(&b, STR("two"), 9);
	size_t end = b.len;
	expect(buf_view(&b), STR("one two"), 0, INFLATE_GZIP);
	/* Zeros: the filling of a tape, or of a file system's block. */
	for (size_t n = 1; n < 400000; n *= 3) {
		while (b.len < end + n)
			buf_byte(&b, 0);
		expect(buf_view(&b), STR("one two"), 0, INFLATE_GZIP);
	}
	/* Behind zeros nothing is a member any more. */
	size_t garbage = b.len;
	put_gzip(&b, STR("three"), 6);
	expect(buf_view(&b), STR("one two"), b.len - garbage, INFLATE_GZIP);
	b.len = end;
	buf_put(&b, STR("garbage\0\0"));
	expect(buf_view(&b), STR("one two"), 9, INFLATE_GZIP);
	/* A second member that is cut, or is none but looks so, is an error, not the end. */
	b.len = end;
	put_gzip(&b, STR("three"), 6);
	size_t whole = b.len;
	for (size_t n = end + 1; n < whole; n++)
		expect_cut(str_sub(buf_view(&b), 0, n));
	b.ptr[end + 2] = 1;
	expect_error(buf_view(&b), ERR_FORMAT, "unknown compression method");
	buf_done(&b);
}

/* Each length but that of the whole file fails. (Nothing at all is an empty plain stream.) */
static void gzip_cut_at_every_byte(void **state)
{
	(void)state;
	struct buf content = sample(3000);
	for (int level = 0; level <= 9; level += 3) {
		struct buf b = new_buf();
		put_gzip_header(&b, EXTRA | NAME | COMMENT | HCRC);
		put_deflate(&b, buf_view(&content), level, level == 3 ? Z_FIXED : Z_DEFAULT_STRATEGY);
		put_trailer(&b, buf_view(&content));
		for (size_t n = 1; n < b.len; n++)
			expect_cut(str_sub(buf_view(&b), 0, n));
		expect(buf_view(&b), buf_view(&content), 0, INFLATE_GZIP);
		buf_done(&b);
	}
	expect(STR(""), STR(""), 0, INFLATE_PLAIN);
	buf_done(&content);
}

/* No changed bit gives other content without an error. */
static void gzip_with_a_changed_bit(void **state)
{
	(void)state;
	struct buf content = sample(2000);
	struct buf b = new_buf();
	unsigned refused = 0;
	put_gzip(&b, buf_view(&content), 6);
	for (size_t i = 8 * 10; i < 8 * b.len; i++) {
		b.ptr[i / 8] ^= (char)(1 << i % 8);
		for (int isal = 0; isal <= has_isal(); isal++) {
			struct outcome o =
			    run(buf_view(&b), isal ? INFLATE_ENGINE_ISAL : INFLATE_ENGINE_ZLIB, SIZE_MAX, 1000);
			if (o.code == 0 && !str_eq(buf_view(&o.out), buf_view(&content)))
				fail_msg("bit %zu changed the content unseen", i);
			refused += o.code == ERR_FORMAT;
			buf_done(&o.out);
		}
		b.ptr[i / 8] ^= (char)(1 << i % 8);
	}
	assert_true(refused >= (8 * b.len - 80) * (has_isal() ? 2 : 1) - 16);
	buf_done(&content);
	buf_done(&b);
}

static void gzip_trailers_are_verified(void **state)
{
	(void)state;
	struct buf b = new_buf();
	put_gzip(&b, STR("content"), 6);
	b.ptr[b.len - 8] ^= 1;
	expect_error(buf_view(&b), ERR_FORMAT, "CRC-32");
	b.ptr[b.len - 8] ^= 1;
	b.ptr[b.len - 1] ^= 1;
	expect_error(buf_view(&b), ERR_FORMAT, "length");
	buf_done(&b);
}

/* Distances that reach before the first byte: memory of the process must not come out. */
static void gzip_that_looks_before_its_start(void **state)
{
	(void)state;
	struct buf b = new_buf();
	put_gzip_header(&b, 0);
	/* Fixed codes: literal 'a', then a match of length 3 at distance 2, end of block. */
	buf_put(&b, STR("\x4b\x04\x12\x00"));
	put_trailer(&b, STR("aaaa"));
	struct outcome o = run_all(buf_view(&b));
	assert_int_equal(o.code, ERR_FORMAT);
	buf_done(&o.out);
	buf_done(&b);
}

/* --- the other forms --- */

static void zstd_frames(void **state)
{
	(void)state;
	struct buf content = sample(300000);
	for (int checksum = 0; checksum < 2; checksum++) {
		struct buf b = new_buf();
		put_skippable(&b, 0, STR("at the front"));
		put_zstd(&b, STR("one "), checksum);
		put_skippable(&b, 15, STR(""));
		put_zstd(&b, STR(""), checksum);
		put_zstd(&b, STR("two"), checksum);
		put_skippable(&b, 7, STR("a table of contents at the end"));
		expect(buf_view(&b), STR("one two"), 0, INFLATE_ZSTD);
		buf_put(&b, STR("\0\0\0garbage"));
		expect(buf_view(&b), STR("one two"), 7, INFLATE_ZSTD);
		b.len = 0;
		put_zstd(&b, buf_view(&content), checksum);
		expect(buf_view(&b), buf_view(&content), 0, INFLATE_ZSTD);
		if (checksum) {
			b.ptr[b.len - 1] ^= 1;
			expect_error(buf_view(&b), ERR_FORMAT, "checksum");
		}
		buf_done(&b);
	}
	buf_done(&content);
}

static void every_form_cut_at_every_byte(void **state)
{
	(void)state;
	struct buf content = sample(1500);
	for (int form = INFLATE_ZSTD; form <= INFLATE_BZIP2; form++) {
		struct buf b = new_buf();
		/* Below this the bytes could be anything. */
		size_t from = form == INFLATE_ZSTD ? 2 : form == INFLATE_XZ ? 1 : 4;
		for (int twice = 0; twice < 2; twice++) {
			size_t start = b.len;
			if (form == INFLATE_ZSTD)
				put_zstd(&b, buf_view(&content), true);
			else if (form == INFLATE_XZ)
				put_xz(&b, buf_view(&content), LZMA_CHECK_CRC64);
			else
				put_bzip2(&b, buf_view(&content));
			for (size_t n = start + from; n < b.len; n++)
				expect_cut(str_sub(buf_view(&b), 0, n));
		}
		struct outcome o = run_all(buf_view(&b));
		assert_int_equal(o.code, 0);
		assert_int_equal(o.out.len, 2 * content.len);
		buf_done(&o.out);
		buf_done(&b);
	}
	buf_done(&content);
}

/* A frame by hand: a window of 2^log bytes, one raw block. */
static struct buf zstd_window(unsigned log)
{
	struct buf b = new_buf();
	buf_u32(&b, 0xfd2fb528u);
	buf_byte(&b, 0);
	buf_byte(&b, (uint8_t)((log - 10) << 3));
	buf_put(&b, STR("\x19\0\0abc"));
	return b;
}

static void zstd_windows(void **state)
{
	(void)state;
	struct buf b = zstd_window(27);
	expect(buf_view(&b), STR("abc"), 0, INFLATE_ZSTD);
	buf_done(&b);
	b = zstd_window(28);
	expect_error(buf_view(&b), ERR_LIMIT, "ZSTD_WINDOW_LOG_MAX");
	buf_done(&b);
	b = zstd_window(41);
	expect_error(buf_view(&b), ERR_LIMIT, "ZSTD_WINDOW_LOG_MAX");
	buf_done(&b);
}

static void xz_streams(void **state)
{
	(void)state;
	struct buf b = new_buf();
	put_xz(&b, STR("one "), LZMA_CHECK_CRC64);
	put_xz(&b, STR("two"), LZMA_CHECK_SHA256);
	buf_put(&b, STR("\0\0\0\0\0\0\0\0"));
	put_xz(&b, STR(" three"), LZMA_CHECK_NONE);
	expect(buf_view(&b), STR("one two three"), 0, INFLATE_XZ);
	buf_put(&b, STR("\0\0\0\0garbage"));
	expect(buf_view(&b), STR("one two three"), 7, INFLATE_XZ);
	b.len = 0;
	put_xz(&b, STR("content"), LZMA_CHECK_CRC32);
	/* The block's header, 12 bytes in: the dictionary of its LZMA2 filter made 4 GiB, its CRC right again. */
	size_t size = ((uint8_t)b.ptr[12] + 1u) * 4;
	ptrdiff_t lzma2 = str_find_str(str_sub(buf_view(&b), 14, 12 + size), STR("\x21\x01"));
	assert_true(lzma2 >= 0);
	b.ptr[14 + lzma2 + 2] = 40;
	uint32_t crc = lzma_crc32((const uint8_t *)b.ptr + 12, size - 4, 0);
	for (size_t i = 0; i < 4; i++)
		b.ptr[12 + size - 4 + i] = (char)(crc >> (8 * i));
	expect_error(buf_view(&b), ERR_LIMIT, "XZ_MEMORY_MAX");
	b.len = 0;
	put_xz(&b, STR("content"), LZMA_CHECK_CRC32);
	b.ptr[7] = 2; /* a check that nobody has defined */
	crc = lzma_crc32((const uint8_t *)b.ptr + 6, 2, 0);
	for (size_t i = 0; i < 4; i++)
		b.ptr[8 + i] = (char)(crc >> (8 * i));
	expect_error(buf_view(&b), ERR_UNSUPPORTED, "check");
	buf_done(&b);
}

static void bzip2_streams(void **state)
{
	(void)state;
	struct buf b = new_buf();
	put_bzip2(&b, STR("one "));
	put_bzip2(&b, STR(""));
	put_bzip2(&b, STR("two"));
	expect(buf_view(&b), STR("one two"), 0, INFLATE_BZIP2);
	buf_put(&b, STR("\0BZh"));
	expect(buf_view(&b), STR("one two"), 3, INFLATE_BZIP2);
	b.len = 0;
	put_bzip2(&b, STR(""));
	expect(buf_view(&b), STR(""), 0, INFLATE_BZIP2);
	buf_done(&b);
}

static void what_is_no_magic_is_plain(void **state)
{
	(void)state;
	static const struct str texts[] = { STR_INIT("a"),        STR_INIT("BZh9 is what bzip2 begins with"),
					    STR_INIT("B"),        STR_INIT("("),
					    STR_INIT("BZ"),       STR_INIT("P*M"),
					    STR_INIT("\x8b\x1f"), STR_INIT("7zXZ"),
					    STR_INIT("PK\3\4") };
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		expect(texts[i], texts[i], 0, INFLATE_PLAIN);
	struct buf b = sample(1000000);
	expect(buf_view(&b), buf_view(&b), 0, INFLATE_PLAIN);
	buf_done(&b);
}

/* --- sources --- */

static ssize_t failing_read(void *ctx, void *p, size_t n)
{
	struct str *s = ctx;
	if (s->len)
		return source_of_str(s).read(s, p, n);
	errno = EIO;
	return -1;
}

static void a_source_that_fails(void **state)
{
	(void)state;
	struct buf b = new_buf(), content = sample(700000);
	struct err err = { 0 };
	struct str none = { 0 };
	assert_null(inflate_open((struct source){ failing_read, &none }, &err));
	assert_int_equal(err.code, ERR_IO);
	put_gzip(&b, buf_view(&content), 1);
	char *p = xmalloc(1 << 20);
	for (int plain = 0; plain < 2; plain++) {
		struct str half = str_sub(plain ? buf_view(&content) : buf_view(&b), 0, b.len / 2);
		struct inflate *s = inflate_open((struct source){ failing_read, &half }, &err);
		assert_non_null(s);
		ssize_t n;
		while ((n = inflate_read(s, p, 1 << 20, &err)) > 0)
			;
		assert_int_equal(n, ERR_IO);
		inflate_close(s);
	}
	free(p);
	buf_done(&b);
	buf_done(&content);
}

static void a_part_of_a_file_and_a_pipe(void **state)
{
	(void)state;
	struct buf b = new_buf();
	struct err err = { 0 };
	char path[] = "/tmp/plimsoll-inflate-XXXXXX", out[100];
	int fd = mkstemp(path), ends[2];
	assert_true(fd >= 0);
	unlink(path);
	put_gzip(&b, STR("the part"), 6);
	assert_int_equal(pwrite(fd, "before", 6, 0), 6);
	assert_int_equal(pwrite(fd, b.ptr, b.len, 6), b.len);
	assert_int_equal(pwrite(fd, "behind", 6, (off_t)(6 + b.len)), 6);
	struct source_file f = { fd, 6, 6 + b.len };
	struct inflate *s = inflate_open(source_of_file(&f), &err);
	assert_int_equal(inflate_read(s, out, sizeof(out), &err), 8);
	assert_int_equal(inflate_read(s, out, sizeof(out), &err), 0);
	assert_int_equal(inflate_trailing(s), 0);
	inflate_close(s);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], b.ptr, b.len), b.len);
	close(ends[1]);
	s = inflate_open(source_of_fd(&ends[0]), &err);
	assert_int_equal(inflate_read(s, out, sizeof(out), &err), 8);
	assert_int_equal(inflate_read(s, out, sizeof(out), &err), 0);
	inflate_close(s);
	close(ends[0]);
	buf_done(&b);
}

/* --- bombs --- */

/* A tar with one file of many zeros as one gzip member, made from one piece of deflate repeated. */
struct bomb {
	struct buf head, piece, tail;
	uint64_t pieces, piece_size;
	uint64_t at; /* place in the whole */
};

static void put_flushed(struct buf *b, struct str content, int flush)
{
	z_stream z = { 0 };
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
	size_t bound = deflateBound(&z, content.len) + 100;
	assert_true(buf_reserve(b, bound));
	z.next_in = (Bytef *)(uintptr_t)content.ptr;
	z.avail_in = (unsigned)content.len;
	z.next_out = (Bytef *)b->ptr + b->len;
	z.avail_out = (unsigned)bound;
	assert_true(deflate(&z, flush) >= 0);
	b->len += bound - z.avail_out;
	deflateEnd(&z);
}

static void bomb_init(struct bomb *m, uint64_t size)
{
	*m = (struct bomb){ .piece_size = 16 * MIB, .pieces = size / (16 * MIB) };
	m->head = new_buf();
	m->piece = new_buf();
	m->tail = new_buf();
	uint8_t block[512] = "zeros";
	char *zeros = xcalloc(1, m->piece_size);
	unsigned sum = 0;
	block[124] = 0x80; /* size in base 256 */
	for (size_t i = 0; i < 8; i++)
		block[135 - i] = (uint8_t)(m->pieces * m->piece_size >> (8 * i));
	memset(block + 148, ' ', 8);
	block[156] = '0';
	for (size_t i = 0; i < sizeof(block); i++)
		sum += block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", sum);
	put_gzip_header(&m->head, 0);
	put_flushed(&m->head, (struct str){ (char *)block, 512 }, Z_FULL_FLUSH);
	put_flushed(&m->piece, (struct str){ zeros, m->piece_size }, Z_FULL_FLUSH);
	put_flushed(&m->tail, (struct str){ zeros, 1024 }, Z_FINISH);
	uint32_t crc = (uint32_t)crc32(0, block, 512),
		 piece = (uint32_t)crc32(0, (Bytef *)zeros, (unsigned)m->piece_size);
	for (uint64_t i = 0; i < m->pieces; i++)
		crc = (uint32_t)crc32_combine(crc, piece, (off_t)m->piece_size);
	crc = (uint32_t)crc32_combine(crc, crc32(0, (Bytef *)zeros, 1024), 1024);
	buf_u32(&m->tail, crc);
	buf_u32(&m->tail, (uint32_t)(m->pieces * m->piece_size + 512 + 1024));
	free(zeros);
}

static ssize_t bomb_read(void *ctx, void *p, size_t n)
{
	struct bomb *m = ctx;
	uint64_t body = m->pieces * m->piece.len;
	struct str part;
	if (m->at < m->head.len)
		part = str_sub(buf_view(&m->head), (size_t)m->at, m->head.len);
	else if (m->at < m->head.len + body)
		part = str_sub(buf_view(&m->piece), (size_t)((m->at - m->head.len) % m->piece.len), m->piece.len);
	else
		part = str_sub(buf_view(&m->tail), (size_t)(m->at - m->head.len - body), m->tail.len);
	n = n < part.len ? n : part.len;
	if (n)
		memcpy(p, part.ptr, n);
	m->at += n;
	return (ssize_t)n;
}

static int bomb_entry(void *ctx, const struct tar_entry *e, struct err *err)
{
	(void)err;
	*(uint64_t *)ctx += e->size;
	return TAR_SKIP;
}

static long peak_kib(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* PLIMSOLL_SLOW=1 makes it the full 10 GiB in 10 MB; else a tenth of that. */
static void a_bomb_streams_in_flat_memory(void **state)
{
	(void)state;
	struct bomb m;
	uint64_t size = getenv("PLIMSOLL_SLOW") ? 10 * GIB : GIB;
	char *p = xmalloc(1 << 20);
	for (int isal = 0; isal <= has_isal(); isal++) {
		bomb_init(&m, size);
		long before = peak_kib();
		uint64_t seen = 0, bytes = 0;
		struct err err = { 0 };
		struct inflate *s = inflate_open_engine((struct source){ bomb_read, &m },
							isal ? INFLATE_ENGINE_ISAL : INFLATE_ENGINE_ZLIB, &err);
		struct tar_push *t = tar_push_new((struct tar_sink){ .on_entry = bomb_entry, .ctx = &seen });
		ssize_t n;
		for (; (n = inflate_read(s, p, 1 << 20, &err)) > 0; bytes += (uint64_t)n)
			assert_int_equal(tar_push_feed(t, p, (size_t)n, &err), 0);
		assert_int_equal(n, 0);
		assert_int_equal(tar_push_finish(t, &err), 0);
		assert_true(tar_push_ended(t) && seen == size && bytes == size + 1536);
		assert_true(inflate_stored(s) < size / 900);
		assert_true(peak_kib() - before < 4096);
		tar_push_free(t);
		inflate_close(s);
		buf_done(&m.head);
		buf_done(&m.piece);
		buf_done(&m.tail);
	}
	free(p);
}

/* --- witnesses --- */

static bool compare_with_program(const char *path, const char *program)
{
	char command[1024], a[65536], b[65536];
	(void)snprintf(command, sizeof(command), "%s '%s' 2>/dev/null", program, path);
	FILE *f = popen(command, "r");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct source_file file = { fd, 0, UINT64_MAX };
	struct err err = { 0 };
	assert_true(f && fd >= 0);
	struct inflate *s = inflate_open(source_of_file(&file), &err);
	if (!s)
		fail_msg("%s: %s", path, err.text);
	uint64_t bytes = 0;
	for (;;) {
		ssize_t n = inflate_read(s, a, sizeof(a), &err);
		if (n < 0)
			fail_msg("%s: %s", path, err.text);
		size_t m = fread(b, 1, n ? (size_t)n : 1, f);
		if (m != (size_t)n || memcmp(a, b, m) != 0)
			fail_msg("%s: not what %s says near byte %llu", path, program, (unsigned long long)bytes);
		bytes += m;
		if (n == 0)
			break;
	}
	bool inflated = inflate_form(s) != INFLATE_PLAIN && inflate_trailing(s) == 0;
	inflate_close(s);
	close(fd);
	return pclose(f) == 0 && inflated;
}

static void real_files(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *program, *probe;
	} kinds[] = {
		{ "*.gz", "gzip -dc", "command -v gzip" },
		{ "*.zst", "zstd -dc --long=27", "command -v zstd" },
		{ "*.xz", "xz -dc", "command -v xz" },
		{ "*.bz2", "bzip2 -dc", "command -v bzip2" },
	};
	static const char *const folders[] = { "feeds/*", "feeds/*/*", "inventories/*" };
	const char *shared = getenv("PLIMSOLL_SHARED");
	unsigned count = 0;
	for (size_t i = 0; shared && i < COUNT_OF(kinds) * COUNT_OF(folders); i++) {
		char pattern[1024];
		(void)snprintf(pattern, sizeof(pattern), "%s/%s/%s", shared, folders[i / COUNT_OF(kinds)],
			       kinds[i % COUNT_OF(kinds)].pattern);
		(void)snprintf(pattern + 512, 512, "%s >/dev/null", kinds[i % COUNT_OF(kinds)].probe);
		glob_t g;
		if (system(pattern + 512) != 0 || glob(pattern, 0, NULL, &g) != 0)
			continue;
		for (size_t k = 0; k < g.gl_pathc; k++, count++)
			if (!compare_with_program(g.gl_pathv[k], kinds[i % COUNT_OF(kinds)].program))
				fail_msg("%s was not inflated", g.gl_pathv[k]);
		globfree(&g);
	}
	if (!count) {
		print_message("skipped: no shared data\n");
		skip();
	}
	print_message("%u files are what their own programs say\n", count);
}

int main(void)
{
	if (!has_isal())
		print_message("this build has no ISA-L: zlib alone is tested\n");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_of_every_make),
		cmocka_unit_test(gzip_headers),
		cmocka_unit_test(gzip_members_and_what_follows),
		cmocka_unit_test(gzip_cut_at_every_byte),
		cmocka_unit_test(gzip_with_a_changed_bit),
		cmocka_unit_test(gzip_trailers_are_verified),
		cmocka_unit_test(gzip_that_looks_before_its_start),
		cmocka_unit_test(zstd_frames),
		cmocka_unit_test(every_form_cut_at_every_byte),
		cmocka_unit_test(zstd_windows),
		cmocka_unit_test(xz_streams),
		cmocka_unit_test(bzip2_streams),
		cmocka_unit_test(what_is_no_magic_is_plain),
		cmocka_unit_test(a_source_that_fails),
		cmocka_unit_test(a_part_of_a_file_and_a_pipe),
		cmocka_unit_test(a_bomb_streams_in_flat_memory),
		cmocka_unit_test(real_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
