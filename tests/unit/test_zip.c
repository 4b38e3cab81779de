/* Zip: every member of the public feeds, and archives made here: stored, deflated, zip64, bytes in front, and lies about
 * offsets, sizes, counts, CRC, encryption, overlaps. */
#include "base/zip.h"
#include "shared_data.h"

#include <dirent.h>
#include <libdeflate.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* --- building --- */

struct part {
	struct str name, stored;
	uint64_t size;
	uint64_t compressed_size;
	uint64_t offset;
	uint32_t crc;
	uint16_t method, flags;
	bool zip64;
};

static void put16(struct buf *b, unsigned v)
{
	(void)buf_byte(b, (uint8_t)v);
	(void)buf_byte(b, (uint8_t)(v >> 8));
}

static struct part part_of(struct str name, struct str content)
{
	return (struct part){
		.name = name,
		.stored = content,
		.size = content.len,
		.compressed_size = content.len,
		.crc = libdeflate_crc32(0, content.ptr, content.len),
	};
}

static void deflate_part(struct arena *a, struct part *p)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	size_t max = libdeflate_deflate_compress_bound(c, p->stored.len);
	char *out = arena_alloc(a, max);
	size_t n = libdeflate_deflate_compress(c, p->stored.ptr, p->stored.len, out, max);
	libdeflate_free_compressor(c);
	p->stored = (struct str){ out, n };
	p->compressed_size = n;
	p->method = 8;
}

static void put_local(struct buf *b, struct part *p)
{
	p->offset = b->len;
	buf_u32(b, 0x04034b50);
	put16(b, 20);
	put16(b, p->flags);
	put16(b, p->method);
	buf_u32(b, 0);
	buf_u32(b, p->crc);
	buf_u32(b, (uint32_t)p->compressed_size);
	buf_u32(b, (uint32_t)p->size);
	put16(b, (unsigned)p->name.len);
	put16(b, 4);
	buf_put(b, p->name);
	buf_put(b, STR("\x99\x99\0\0")); /* an extra field that only the local header has */
	buf_put(b, p->stored);
}

static void put_central(struct buf *b, const struct part *p)
{
	buf_u32(b, 0x02014b50);
	put16(b, 45);
	put16(b, 45);
	put16(b, p->flags);
	put16(b, p->method);
	buf_u32(b, 0);
	buf_u32(b, p->crc);
	buf_u32(b, p->zip64 ? 0xffffffff : (uint32_t)p->compressed_size);
	buf_u32(b, p->zip64 ? 0xffffffff : (uint32_t)p->size);
	put16(b, (unsigned)p->name.len);
	put16(b, p->zip64 ? 33 : 0);
	put16(b, 3);
	buf_u32(b, 0);
	buf_u32(b, 0);
	buf_u32(b, p->zip64 ? 0xffffffff : (uint32_t)p->offset);
	buf_put(b, p->name);
	if (p->zip64) {
		buf_put(b, STR("\x55\x54\x01\0x"));
		put16(b, 1);
		put16(b, 24);
		buf_u64(b, p->size);
		buf_u64(b, p->compressed_size);
		buf_u64(b, p->offset);
	}
	buf_put(b, STR("end"));
}

static void put_end(struct buf *b, uint64_t count, uint64_t size, uint64_t offset, struct str comment)
{
	buf_u32(b, 0x06054b50);
	buf_u32(b, 0);
	put16(b, (unsigned)count);
	put16(b, (unsigned)count);
	buf_u32(b, (uint32_t)size);
	buf_u32(b, (uint32_t)offset);
	put16(b, (unsigned)comment.len);
	buf_put(b, comment);
}

static void put_directory(struct buf *b, struct part *parts, size_t count, uint64_t stated)
{
	uint64_t offset = b->len;
	for (size_t i = 0; i < count; i++)
		put_central(b, &parts[i]);
	put_end(b, stated, b->len - offset, offset, STR(""));
}

static void build(struct buf *b, struct part *parts, size_t count)
{
	buf_init(b, 256 * MIB);
	for (size_t i = 0; i < count; i++)
		put_local(b, &parts[i]);
	put_directory(b, parts, count, count);
}

/* --- reading --- */

struct result {
	int open, walk, read; /* the first error of each */
	unsigned members, good;
	struct err err;
};

/* Reads from an exact copy, so that the sanitizer sees the first byte behind the end. */
static struct result read_all(struct str text, struct buf *content)
{
	struct result r = { 0 };
	struct zip z;
	struct zip_member m;
	char *copy = xmalloc(text.len);
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	r.open = zip_open((struct str){ copy, text.len }, &z, &r.err);
	if (r.open == 0) {
		while ((r.walk = zip_next(&z, &m, &r.err)) == 1) {
			struct err err = { 0 };
			int one = zip_read(&z, &m, content, &err);
			r.members++;
			r.good += one == 0;
			if (one != 0 && r.read == 0) {
				r.read = one;
				r.err = err;
			}
		}
		zip_close(&z);
	}
	free(copy);
	return r;
}

static struct result read_buf(const struct buf *b)
{
	struct buf BUF_AUTO content = { 0 };
	buf_init(&content, 256 * MIB);
	return read_all(buf_view(b), &content);
}

static void assert_read_error(struct part p, int code, const char *words)
{
	struct buf BUF_AUTO b = { 0 };
	build(&b, &p, 1);
	struct result r = read_buf(&b);
	if (r.open != 0 || r.walk != 0 || r.read != code || !strstr(r.err.text, words))
		fail_msg("open %d walk %d read %d: %s, wanted %s", r.open, r.walk, r.read, r.err.text, words);
}

static void stored_deflated_and_zip64(void **state)
{
	(void)state;
	struct arena ARENA_AUTO *a = arena_new();
	struct part parts[] = { part_of(STR("a"), STR("alpha")), part_of(STR("d/"), STR("")),
		                part_of(STR("b"), STR("beta beta beta beta beta beta")), part_of(STR("c"), STR("")) };
	deflate_part(a, &parts[2]);
	deflate_part(a, &parts[3]);
	parts[2].zip64 = true;
	struct buf BUF_AUTO b = { 0 }, content = { 0 };
	build(&b, parts, COUNT_OF(parts));
	buf_init(&content, 34); /* exactly what is needed */
	struct result r = read_all(buf_view(&b), &content);
	assert_true(r.open == 0 && r.walk == 0 && r.members == 4 && r.good == 4);
	assert_true(str_eq(buf_view(&content), STR("alphabeta beta beta beta beta beta")));
}

static void a_content_over_the_callers_maximum(void **state)
{
	(void)state;
	struct part parts[] = { part_of(STR("a"), STR("alpha")), part_of(STR("b"), STR("beta")) };
	struct buf BUF_AUTO b = { 0 }, content = { 0 };
	build(&b, parts, 2);
	buf_init(&content, 4);
	struct result r = read_all(buf_view(&b), &content);
	assert_true(r.read == ERR_LIMIT && r.members == 2);
	assert_int_equal(content.len, 0);
}

static void zip64_end_record(void **state)
{
	(void)state;
	struct part p = part_of(STR("a"), STR("alpha"));
	for (int in_front = 0; in_front < 2; in_front++) {
		struct buf BUF_AUTO b = { 0 }, whole = { 0 };
		buf_init(&b, MIB);
		put_local(&b, &p);
		uint64_t offset = b.len;
		put_central(&b, &p);
		uint64_t size = b.len - offset, end_at = b.len;
		buf_u32(&b, 0x06064b50);
		buf_u64(&b, 44);
		put16(&b, 45);
		put16(&b, 45);
		buf_u64(&b, 0);
		buf_u64(&b, 1);
		buf_u64(&b, 1);
		buf_u64(&b, size);
		buf_u64(&b, offset);
		buf_u32(&b, 0x07064b50);
		buf_u32(&b, 0);
		buf_u64(&b, end_at);
		buf_u32(&b, 1);
		put_end(&b, 0xffff, 0xffffffff, 0xffffffff, STR("comment"));
		buf_init(&whole, MIB);
		if (in_front)
			buf_put(&whole, STR("#!/bin/sh\nexec java -jar \"$0\"\n"));
		buf_put(&whole, buf_view(&b));
		struct result r = read_buf(&whole);
		assert_true(r.open == 0 && r.walk == 0 && r.good == 1);
	}
}

static void bytes_in_front_and_behind(void **state)
{
	(void)state;
	struct part p = part_of(STR("a"), STR("alpha"));
	struct buf BUF_AUTO b = { 0 }, whole = { 0 };
	build(&b, &p, 1);
	buf_init(&whole, MIB);
	buf_put(&whole, STR("#!/bin/sh\nPK\5\6 not yet\n"));
	buf_put(&whole, buf_view(&b));
	buf_put(&whole, STR("trailing"));
	struct result r = read_buf(&whole);
	assert_true(r.open == 0 && r.walk == 0 && r.good == 1);
}

static void an_empty_archive(void **state)
{
	(void)state;
	struct buf BUF_AUTO b = { 0 };
	build(&b, NULL, 0);
	struct result r = read_buf(&b);
	assert_true(r.open == 0 && r.walk == 0 && r.members == 0);
}

static void more_than_65535_members_without_zip64(void **state)
{
	(void)state;
	size_t count = 70000;
	struct part *parts = xcalloc(count, sizeof(*parts));
	for (size_t i = 0; i < count; i++)
		parts[i] = part_of(STR("n"), STR("x"));
	struct buf BUF_AUTO b = { 0 };
	build(&b, parts, count); /* the stated count is cut to 16 bits */
	struct result r = read_buf(&b);
	assert_true(r.open == 0 && r.walk == 0 && r.good == 70000);
	free(parts);
}

/* --- hostile --- */

static void lies_about_a_member(void **state)
{
	(void)state;
	struct arena ARENA_AUTO *a = arena_new();
	struct part p = part_of(STR("m"), STR("some text some text some text some text")), q = p, d = p;
	deflate_part(a, &d);
	q.crc ^= 1;
	assert_read_error(q, ERR_FORMAT, "CRC mismatch");
	q = p;
	q.size++;
	assert_read_error(q, ERR_FORMAT, "impossible size");
	q = d;
	q.size--;
	assert_read_error(q, ERR_FORMAT, "not the size");
	q = d;
	q.size++;
	assert_read_error(q, ERR_FORMAT, "not the size");
	q = d;
	q.size = 60 * MIB; /* memory is not taken for what cannot be */
	assert_read_error(q, ERR_FORMAT, "impossible size");
	q = d;
	q.compressed_size--;
	q.stored.len--;
	assert_read_error(q, ERR_FORMAT, "does not inflate");
	q = p;
	q.flags = 1;
	assert_read_error(q, ERR_UNSUPPORTED, "encrypted");
	q = p;
	q.method = 12;
	assert_read_error(q, ERR_UNSUPPORTED, "method 12");
	q = d;
	q.zip64 = true;
	q.size = UINT64_MAX;
	assert_read_error(q, ERR_LIMIT, "ZIP_MEMBER_SIZE_MAX");
}

static struct result read_with_offset(uint64_t offset, uint64_t compressed_size, bool zip64)
{
	struct part p = part_of(STR("m"), STR("text"));
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MIB);
	put_local(&b, &p);
	p.offset = offset;
	p.size = p.compressed_size = compressed_size;
	p.zip64 = zip64;
	put_directory(&b, &p, 1, 1);
	return read_buf(&b);
}

static void bad_offsets(void **state)
{
	(void)state;
	static const uint64_t offsets[] = { 1, 20, 100, 1000, 0xfffffffe, UINT64_MAX, UINT64_MAX - 20, INT64_MAX };
	for (size_t i = 0; i < COUNT_OF(offsets); i++)
		assert_int_equal(read_with_offset(offsets[i], 4, offsets[i] >= 0xffffffff).read, ERR_FORMAT);
	assert_int_equal(read_with_offset(0, UINT64_MAX, true).walk, ERR_FORMAT);
	assert_int_equal(read_with_offset(0, 1000, false).walk, ERR_FORMAT);
	assert_int_equal(read_with_offset(0, 4, true).good, 1);
}

static void a_directory_that_lies(void **state)
{
	(void)state;
	struct part p[2] = { part_of(STR("a"), STR("alpha")), part_of(STR("b"), STR("beta")) };
	for (uint64_t stated = 0; stated < 5; stated++) {
		struct buf BUF_AUTO b = { 0 };
		buf_init(&b, MIB);
		put_local(&b, &p[0]);
		put_local(&b, &p[1]);
		put_directory(&b, p, 2, stated);
		struct result r = read_buf(&b);
		if (stated == 2)
			assert_true(r.open == 0 && r.walk == 0 && r.good == 2);
		else /* members are never passed over without a word */
			assert_true(r.open == ERR_FORMAT || r.walk == ERR_FORMAT);
	}
	static const uint64_t places[][2] = { { 1000, 0 }, { 0, 1000 }, { UINT32_MAX, UINT32_MAX }, { 49, 1 }, { 1, 49 } };
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct buf BUF_AUTO b = { 0 };
		buf_init(&b, MIB);
		put_central(&b, &p[0]);
		put_end(&b, 1, places[i][0], places[i][1], STR(""));
		struct result r = read_buf(&b);
		assert_true(r.open == ERR_FORMAT || r.walk == ERR_FORMAT || r.read == ERR_FORMAT);
	}
}

/* Many entries of the directory name one kernel of zeros. */
static void overlapping_members_are_refused(void **state)
{
	(void)state;
	struct arena ARENA_AUTO *a = arena_new();
	struct part p = part_of(STR("m"), (struct str){ arena_alloc(a, MIB), MIB });
	deflate_part(a, &p);
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 16 * MIB);
	put_local(&b, &p);
	uint64_t offset = b.len;
	for (int i = 0; i < 1000; i++)
		put_central(&b, &p);
	put_end(&b, 1000, b.len - offset, offset, STR(""));
	struct result r = read_buf(&b);
	assert_int_equal(r.walk, ERR_FORMAT);
	assert_true(strstr(r.err.text, "overlaps") != NULL);
	assert_int_equal(r.members, 1);
}

static void a_bomb_is_stopped_by_its_cap(void **state)
{
	(void)state;
	struct arena ARENA_AUTO *a = arena_new();
	size_t size = ZIP_MEMBER_SIZE_MAX + 1;
	struct part p = part_of(STR("zeros"), (struct str){ arena_alloc(a, size), size });
	deflate_part(a, &p);
	assert_true(p.stored.len < 128 * KIB);
	assert_read_error(p, ERR_LIMIT, "ZIP_MEMBER_SIZE_MAX");
}

static void every_cut_and_every_flipped_byte(void **state)
{
	(void)state;
	struct arena ARENA_AUTO *a = arena_new();
	struct part parts[] = { part_of(STR("a"), STR("alpha")), part_of(STR("b"), STR("beta beta beta beta beta")) };
	deflate_part(a, &parts[1]);
	parts[0].zip64 = true;
	struct buf BUF_AUTO b = { 0 };
	build(&b, parts, 2);
	for (size_t n = 0; n < b.len; n++) {
		struct buf BUF_AUTO content = { 0 };
		buf_init(&content, MIB);
		assert_int_equal(read_all((struct str){ b.ptr, n }, &content).open, ERR_FORMAT);
	}
	for (size_t i = 0; i < b.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b.ptr[i] ^= (char)(1 << bit);
			(void)read_buf(&b);
			b.ptr[i] ^= (char)(1 << bit);
		}
	}
	assert_int_equal(read_buf(&b).good, 2);
}

/* --- the public feeds --- */

static uint64_t unzip_count(struct arena *a, const char *path)
{
	uint64_t n = 0;
	char line[64] = "";
	FILE *f = popen(arena_printf(a, "python3 -c 'import zipfile,sys;print(len(zipfile.ZipFile(sys.argv[1])"
	                                ".infolist()))' '%s' 2>/dev/null", path).ptr, "r");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		(void)str_to_u64(str_trim(str_from(line)), &n);
	(void)pclose(f);
	return n;
}

static void public_feeds(void **state)
{
	(void)state;
	struct arena ARENA_AUTO *a = arena_new();
	const char *folder = shared_path(a, "feeds/osv");
	DIR *d = folder ? opendir(folder) : NULL;
	uint64_t archives = 0, members = 0, bytes = 0;
	if (!d) {
		arena_free(a); /* skip leaves without cleaning up */
		skip();
	}
	for (struct dirent *e; (e = readdir(d));) {
		const char *path = arena_printf(a, "%s/%s/all.zip", folder, e->d_name).ptr;
		if (e->d_name[0] == '.' || access(path, R_OK) != 0)
			continue;
		struct buf BUF_AUTO content = { 0 };
		buf_init(&content, 512 * MIB);
		struct str text = slurp(path);
		struct result r = read_all(text, &content);
		free((char *)(uintptr_t)text.ptr);
		uint64_t witness = unzip_count(a, path);
		if (r.open != 0 || r.walk != 0 || r.good != r.members || (witness && witness != r.members))
			fail_msg("%s: %u of %u members, the witness has %u: %s", path, r.good, r.members, (unsigned)witness,
			         r.err.text);
		archives++;
		members += r.members;
		bytes += content.len;
	}
	closedir(d);
	print_message("%llu archives, %llu members, %llu bytes\n", (unsigned long long)archives,
	              (unsigned long long)members, (unsigned long long)bytes);
	assert_true(archives >= 10 && members > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_deflated_and_zip64),
		cmocka_unit_test(a_content_over_the_callers_maximum),
		cmocka_unit_test(zip64_end_record),
		cmocka_unit_test(bytes_in_front_and_behind),
		cmocka_unit_test(an_empty_archive),
		cmocka_unit_test(more_than_65535_members_without_zip64),
		cmocka_unit_test(lies_about_a_member),
		cmocka_unit_test(bad_offsets),
		cmocka_unit_test(a_directory_that_lies),
		cmocka_unit_test(overlapping_members_are_refused),
		cmocka_unit_test(a_bomb_is_stopped_by_its_cap),
		cmocka_unit_test(every_cut_and_every_flipped_byte),
		cmocka_unit_test(public_feeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
