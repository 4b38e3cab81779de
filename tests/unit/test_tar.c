/* Tar by all of its faces: every archive here is read by pull (with and without skipping) and by push (chunks of many
 * sizes, holes both ways, passing over), and all must tell the same. Archives come from GNU tar and Python (with
 * Python's reader as witness), from Go's test data (with Go's reader as witness), and hostile ones from the builder
 * below. */
#include "base/base.h"

#include "base/inflate.h"
#include "tests/tar_transcript.h"
#include "tests/unit/tar_build.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

/* --- all ways of reading --- */

static void same(const char *how, struct transcript *got, const struct transcript *want)
{
	if (!str_eq(buf_view(&got->out), buf_view(&want->out)))
		fail_msg("%s tells:\n%.*s\nthe first way told:\n%.*s", how, STR_ARG(buf_view(&got->out)),
			 STR_ARG(buf_view(&want->out)));
	buf_done(&got->out);
}

/* Reads tar in every way, fails where they differ, gives the transcript of one into *ret. */
static void read_all_ways(struct str tar, bool want, uint64_t size_max, struct transcript *ret)
{
	static const size_t chunks[] = { 1, 7, 511, 512, 513, 4096, 1 << 20 };
	struct err err = { 0 };
	struct transcript t;
	transcript_init(ret, want, size_max);
	transcript_pull(ret, tar, SIZE_MAX, false, &err);
	for (size_t i = 0; i < COUNT_OF(chunks); i++) {
		if (chunks[i] < 500 && tar.len > 256 * KIB)
			continue; /* slow, and nothing new */
		for (int flags = 0; flags < 4; flags++) {
			transcript_init(&t, want, size_max);
			transcript_push(&t, tar, chunks[i], flags & 1, flags & 2, &err);
			same("push", &t, ret);
		}
		transcript_init(&t, want, size_max);
		transcript_pull(&t, tar, chunks[i], false, &err);
		same("pull", &t, ret);
		transcript_init(&t, want, size_max);
		transcript_pull(&t, tar, chunks[i], true, &err);
		same("pull that skips", &t, ret);
	}
}

static void expect(struct build *b, const char *want)
{
	struct transcript t;
	read_all_ways(buf_view(&b->out), true, 64 * KIB, &t);
	if (!str_eq(buf_view(&t.out), str_from(want)))
		fail_msg("got:\n%.*s\nnot:\n%s", STR_ARG(buf_view(&t.out)), want);
	buf_done(&t.out);
	/* The same with nothing wanted: the same entries, the same end. */
	read_all_ways(buf_view(&b->out), false, 64 * KIB, &t);
	buf_done(&t.out);
	buf_done(&b->out);
}

/* --- the plain things --- */

static void an_empty_archive(void **state)
{
	(void)state;
	struct build b = build_new();
	expect(&b, "end 0 unterminated\n");
	b = build_new();
	build_end(&b);
	expect(&b, "end 0\n");
	/* One zero block, then nothing. */
	b = build_new();
	build_bytes(&b, STR(""), 512);
	expect(&b, "end 0 unterminated\n");
	/* Headers for an entry that never comes: cut off, unless the archive says that it ends. */
	b = build_new();
	BUILD_PAX(&b, 'x', "path=pax");
	expect(&b, "end -3\n");
	b = build_new();
	BUILD_PAX(&b, 'x', "path=pax");
	build_end(&b);
	expect(&b, "end 0\n");
}

static void every_type(void **state)
{
	(void)state;
	struct build b = build_new();
	/* Links, folders and devices have no content, whatever their size says. */
	build_header(&b, (struct head){ .name = "dir/", .type = '5', .size = "00000001000" });
	build_header(&b, (struct head){ .name = "hard", .type = '1', .link = "dir/f", .size = "00000001000" });
	build_header(&b, (struct head){ .name = "sym", .type = '2', .link = "../x", .size = "00000001000" });
	build_header(&b, (struct head){ .name = "chr", .type = '3' });
	build_header(&b, (struct head){ .name = "blk", .type = '4' });
	build_header(&b, (struct head){ .name = "fifo", .type = '6' });
	build_file(&b, "cont", '7', STR("abc"));
	build_file(&b, "old", 0, STR("abc"));
	build_header(&b, (struct head){ .name = "olddir/", .type = 0 });
	build_file(&b, "volume", 'V', STR("passed over"));
	build_file(&b, "dump", 'D', STR("passed over"));
	build_end(&b);
	expect(&b, "d 0 644 0 0 0 dir\n"
		   "h 0 644 0 0 0 hard -> dir/f\n"
		   "l 0 644 0 0 0 sym -> ../x\n"
		   "c 0 644 0 0 0 0,0 chr\n"
		   "b 0 644 0 0 0 0,0 blk\n"
		   "p 0 644 0 0 0 fifo\n"
		   "f 3 644 0 0 0 cont\n  352441c2\n"
		   "f 3 644 0 0 0 old\n  352441c2\n"
		   "d 0 644 0 0 0 olddir\n"
		   "o 11 644 0 0 0 volume\n"
		   "o 11 644 0 0 0 dump\n"
		   "end 0\n");
}

static void numbers_of_every_kind(void **state)
{
	(void)state;
	struct build b = build_new();
	build_header(&b, (struct head){ .name = "spaces", .type = '0', .size = "          0 " });
	build_header(&b, (struct head){ .name = "base-256", .type = '5', .mtime = "\x80\0\0\0\0\0\0\1\0\0\0\0" });
	build_header(&b, (struct head){ .name = "negative",
					.type = '5',
					.mtime = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe" });
	build_header(&b, (struct head){ .name = "garbage", .type = '5', .mtime = "zzzzzzzzzzz" });
	build_header(
	    &b,
	    (struct head){ .name = "over", .type = '5', .mtime = "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" });
	build_header(&b, (struct head){ .name = "signed sum", .type = '5', .link = "\xff\xfe", .signed_sum = true });
	build_end(&b);
	expect(&b, "f 0 644 0 0 0 spaces\n  00000000\n"
		   "d 0 644 0 0 4294967296 base-256\n"
		   "d 0 644 0 0 -2 negative\n"
		   "d 0 644 0 0 0 garbage\n"
		   "d 0 644 0 0 0 over\n"
		   "d 0 644 0 0 0 signed\\040sum\n"
		   "end 0\n");
}

static void names_from_all_places(void **state)
{
	(void)state;
	struct build b = build_new();
	build_header(&b, (struct head){ .name = "name", .type = '0', .prefix = "prefix" });
	build_header(&b, (struct head){ .name = "v7", .type = '0', .prefix = "none", .magic = BUILD_V7 });
	build_header(&b, (struct head){ .name = "gnu", .type = '0', .magic = BUILD_GNU });
	/* Go before 1.8: a prefix where GNU has times. */
	build_header(&b, (struct head){ .name = "gnu", .type = '0', .prefix = "go17", .magic = BUILD_GNU });
	build_meta(&b, 'L', STR("long/gnu\0tail"));
	BUILD_PAX(&b, 'x', "path=pax");
	build_header(&b, (struct head){ .name = "short", .type = '0' });
	BUILD_PAX(&b, 'x', "path=one");
	BUILD_PAX(&b, 'x', "comment=a");
	build_header(&b, (struct head){ .name = "the last x alone counts", .type = '0' });
	BUILD_PAX(&b, 'x', "path=two");
	BUILD_PAX(&b, 'g', "path=all");
	build_header(&b, (struct head){ .name = "a g header undoes", .type = '0' });
	build_meta(&b, 'K', STR("long target"));
	build_header(&b, (struct head){ .name = "l", .type = '2', .link = "short" });
	BUILD_PAX(&b, 'x', "path=", "linkpath=pax target");
	build_header(&b, (struct head){ .name = "empty says nothing", .type = '2', .link = "short" });
	build_end(&b);
	expect(&b, "f 0 644 0 0 0 prefix/name\n  00000000\n"
		   "f 0 644 0 0 0 v7\n  00000000\n"
		   "f 0 644 0 0 0 gnu\n  00000000\n"
		   "f 0 644 0 0 0 go17/gnu\n  00000000\n"
		   "f 0 644 0 0 0 long/gnu\n  00000000\n"
		   "f 0 644 0 0 0 the\\040last\\040x\\040alone\\040counts\n  00000000\n"
		   "f 0 644 0 0 0 a\\040g\\040header\\040undoes\n  00000000\n"
		   "l 0 644 0 0 0 l -> long\\040target\n"
		   "l 0 644 0 0 0 empty\\040says\\040nothing -> pax\\040target\n"
		   "end 0\n");
}

static void pax_sizes_and_times(void **state)
{
	(void)state;
	struct build b = build_new();
	BUILD_PAX(&b, 'x', "size=3", "mtime=-1.5", "uid=65536", "gid=1000");
	build_header(&b, (struct head){ .name = "f", .type = '0', .size = "00000000000" });
	build_bytes(&b, STR("abc"), 512);
	build_end(&b);
	expect(&b, "f 3 644 65536 1000 -1 f\n  352441c2\nend 0\n");
}

/* --- hostile --- */

struct broken {
	const char *what;
	struct head head;
	char meta;
	const char *records;
	const char *why; /* found in the error's words */
};

static const struct broken broken_cases[] = {
	{ "negative size",
	  { .name = "f", .type = '0', .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
	  0,
	  NULL,
	  "bad size" },
	{ "size 2^63",
	  { .name = "f", .type = '0', .size = "\x80\0\0\0\x80\0\0\0\0\0\0\0" },
	  0,
	  NULL,
	  "bad size" },
	{ "size 2^90",
	  { .name = "f", .type = '0', .size = "\x84\0\0\0\0\0\0\0\0\0\0\0" },
	  0,
	  NULL,
	  "bad size" },
	{ "size no number", { .name = "f", .type = '0', .size = "0000000x000" }, 0, NULL, "bad size" },
	{ "size 8", { .name = "f", .type = '0', .size = "8" }, 0, NULL, "bad size" },
	{ "checksum", { .name = "f", .type = '0', .bad_sum = true }, 0, NULL, "wrong checksum" },
	{ "record too long", { .name = "f" }, 'x', "13 path=two\n", "bad pax record" },
	{ "record too short", { .name = "f" }, 'x', "11 path=two\n", "bad pax record" },
	{ "record of 2^64", { .name = "f" }, 'x', "18446744073709551616 path=two\n", "bad pax record" },
	{ "record of nearly 2^64", { .name = "f" }, 'x', "18446744073709551615 path=two\n", "bad pax record" },
	{ "record of 0", { .name = "f" }, 'x', "0 path=two\n", "bad pax record" },
	{ "record of 2", { .name = "f" }, 'x', "2 path=two\n", "bad pax record" },
	{ "negative record", { .name = "f" }, 'x', "-12 path=two\n", "bad pax record" },
	{ "record without =", { .name = "f" }, 'x', "12 path-two\n", "bad pax record" },
	{ "record without key", { .name = "f" }, 'x', "6 =ab\n", "bad pax record" },
	{ "record without newline", { .name = "f" }, 'x', "12 path=twoX", "bad pax record" },
	{ "record without space", { .name = "f" }, 'x', "12path=two\n", "bad pax record" },
	{ "no records at all", { .name = "f" }, 'x', "\n\n\n", "bad pax record" },
	{ "pax size negative", { .name = "f" }, 'x', "11 size=-1\n", "bad pax size" },
	{ "pax size 2^63", { .name = "f" }, 'x', "28 size=9223372036854775808\n", "bad pax size" },
	{ "sparse without count",
	  { .name = "f" },
	  'x',
	  "22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n",
	  "no count" },
	{ "sparse count lies",
	  { .name = "f" },
	  'x',
	  "26 GNU.sparse.numblocks=2\n22 GNU.sparse.map=0,0\n",
	  "the count is not" },
	{ "sparse half a pair",
	  { .name = "f" },
	  'x',
	  "26 GNU.sparse.numblocks=1\n23 GNU.sparse.offset=0\n",
	  "do not pair" },
	{ "sparse two offsets",
	  { .name = "f" },
	  'x',
	  "23 GNU.sparse.offset=0\n23 GNU.sparse.offset=0\n",
	  "do not pair" },
	{ "sparse map of words",
	  { .name = "f" },
	  'x',
	  "26 GNU.sparse.numblocks=1\n22 GNU.sparse.map=a,b\n",
	  "bad number" },
	{ "sparse map, one number",
	  { .name = "f" },
	  'x',
	  "26 GNU.sparse.numblocks=1\n20 GNU.sparse.map=0\n",
	  "bad number" },
	{ "sparse folder",
	  { .name = "f", .type = '5' },
	  'x',
	  "26 GNU.sparse.numblocks=1\n22 GNU.sparse.map=0,0\n",
	  "without content" },
	{ "sparse 1.0, no map",
	  { .name = "f", .type = '0' },
	  'x',
	  "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n",
	  "longer than the content" },
	{ "old sparse in ustar", { .name = "f", .type = 'S' }, 0, NULL, "not GNU's" },
};

static void what_lies_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken_cases); i++) {
		const struct broken *c = &broken_cases[i];
		struct build b = build_new();
		if (c->meta)
			build_meta(&b, c->meta, str_from(c->records));
		struct head h = c->head;
		h.type = h.type ? h.type : '0';
		build_header(&b, h);
		build_end(&b);
		struct transcript t;
		read_all_ways(buf_view(&b.out), true, 64 * KIB, &t);
		if (!str_eq(buf_view(&t.out), STR("end -3\n")))
			fail_msg("%s: %.*s", c->what, STR_ARG(buf_view(&t.out)));
		buf_done(&t.out);
		struct err err = { 0 };
		transcript_init(&t, false, 0);
		transcript_pull(&t, buf_view(&b.out), SIZE_MAX, false, &err);
		if (!str_contains(str_from(err.text), str_from(c->why)))
			fail_msg("%s: %s", c->what, err.text);
		buf_done(&t.out);
		buf_done(&b.out);
	}
}

static void a_lone_zero_block_hides_nothing(void **state)
{
	(void)state;
	struct build b = build_new();
	build_bytes(&b, STR(""), 512);
	build_file(&b, "behind", '0', STR("abc"));
	build_end(&b);
	expect(&b, "end -3\n");
}

static void nothing_behind_the_end_is_an_entry(void **state)
{
	(void)state;
	struct build b = build_new();
	build_file(&b, "f", '0', STR("abc"));
	build_end(&b);
	build_file(&b, "behind", '0', STR("abc"));
	struct err err = { 0 };
	struct transcript t;
	transcript_init(&t, true, 100);
	struct tar_push *p =
	    tar_push_new((struct tar_sink){ transcript_on_entry, transcript_on_data, NULL, transcript_on_end, &t });
	assert_int_equal(tar_push_feed(p, b.out.ptr, 1500, &err), 0);
	assert_false(tar_push_ended(p));
	assert_int_equal(tar_push_feed(p, b.out.ptr + 1500, b.out.len - 1500, &err), 0);
	assert_true(tar_push_ended(p));
	assert_int_equal(tar_push_finish(p, &err), 0);
	assert_int_equal(tar_push_trailing(p), 1024);
	tar_push_free(p);
	buf_done(&t.out);
	expect(&b, "f 3 644 0 0 0 f\n  352441c2\nend 0\n");
}

static void an_extended_header_over_the_cap(void **state)
{
	(void)state;
	for (const char *type = "xLK"; *type; type++) {
		struct build b = build_new();
		char size[12];
		(void)snprintf(size, sizeof(size), "%011o", (unsigned)(TAR_PAX_SIZE_MAX + 1));
		build_header(&b, (struct head){ .name = "m", .type = *type, .size = size });
		expect(&b, "end -4\n");
	}
	struct build b = build_new();
	/* The size that a 64-bit reader could take for all of memory. */
	build_header(&b,
		     (struct head){ .name = "m", .type = 'x', .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff" });
	expect(&b, "end -4\n");
}

static void paths_over_the_cap_are_passed_over_and_counted(void **state)
{
	(void)state;
	struct build b = build_new();
	struct buf deep;
	buf_init(&deep, MIB);
	for (int i = 0; i < 10000; i++)
		buf_put(&deep, STR("d/"));
	build_meta(&b, 'L', buf_view(&deep));
	build_file(&b, "cut", '0', STR("content"));
	deep.len = TAR_PATH_MAX;
	build_meta(&b, 'L', buf_view(&deep));
	build_header(&b, (struct head){ .name = "just fits", .type = '6' });
	build_meta(&b, 'K', STR("x"));
	build_file(&b, "next", '0', STR("abc"));
	build_end(&b);
	struct transcript t;
	read_all_ways(buf_view(&b.out), true, KIB, &t);
	struct str text = buf_view(&t.out);
	assert_true(str_starts(text, STR("p 0 644 0 0 0 d/d/d/d/d")));
	assert_true(str_ends(text, STR("d/\nf 3 644 0 0 0 next\n  352441c2\nend 0 too long 1\n")));
	buf_done(&t.out);
	buf_done(&b.out);
	buf_done(&deep);
}

/* --- sparse --- */

static void sparse_maps_of_every_kind(void **state)
{
	(void)state;
	/* A file of 1300 bytes: "ab" at 2, "cd" at 1200. crc32 of that, by Python. */
	static const char want[] = "f 1300 644 0 0 0 f\n  346f3c2e\nend 0\n";
	struct build b = build_new();
	build_old_sparse(&b, "f", 1300, 4, (const uint64_t[]){ 2, 2, 1200, 2 }, 2);
	build_bytes(&b, STR("abcd"), 512);
	build_end(&b);
	expect(&b, want);
	b = build_new();
	BUILD_PAX(&b, 'x', "GNU.sparse.size=1300", "GNU.sparse.numblocks=2", "GNU.sparse.offset=2",
		  "GNU.sparse.numbytes=2", "GNU.sparse.offset=1200", "GNU.sparse.numbytes=2");
	build_file(&b, "f", '0', STR("abcd"));
	build_end(&b);
	expect(&b, want);
	b = build_new();
	BUILD_PAX(&b, 'x', "GNU.sparse.size=1300", "GNU.sparse.numblocks=2", "GNU.sparse.map=2,2,1200,2",
		  "GNU.sparse.name=f");
	build_file(&b, "GNUSparseFile.0/f", '0', STR("abcd"));
	build_end(&b);
	expect(&b, want);
	b = build_new();
	BUILD_PAX(&b, 'x', "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=1300", "GNU.sparse.name=f");
	build_header(&b, (struct head){ .name = "GNUSparseFile.0/f", .type = '0', .size = "00000001004" });
	build_bytes(&b, STR("2\n2\n2\n1200\n2\n"), 512);
	build_bytes(&b, STR("abcd"), 512);
	build_end(&b);
	expect(&b, want);
}

static void hostile_sparse_maps(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint64_t size;
		unsigned stored;
		uint64_t map[8];
		size_t parts;
	} cases[] = {
		{ "overlapping", 1000, 8, { 0, 4, 3, 4 }, 2 },
		{ "descending", 1000, 8, { 100, 4, 50, 4 }, 2 },
		{ "past the end", 1000, 8, { 0, 4, 998, 4 }, 2 },
		{ "begins past the end", 1000, 4, { 0, 4, 2000, 0 }, 2 },
		{ "2^60 bytes of data in 8", 1ULL << 62, 8, { 0, 1ULL << 60 }, 1 },
		{ "sum that wraps", INT64_MAX, 8, { 0, INT64_MAX, INT64_MAX, 0 }, 2 },
		{ "less data than stored", 1000, 8, { 0, 4 }, 1 },
		{ "more data than stored", 1000, 4, { 0, 8 }, 1 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct build b = build_new();
		build_old_sparse(&b, "f", cases[i].size, cases[i].stored, cases[i].map, cases[i].parts);
		build_bytes(&b, STR("contents"), 512);
		build_end(&b);
		struct transcript t;
		read_all_ways(buf_view(&b.out), true, KIB, &t);
		if (!str_eq(buf_view(&t.out), STR("end -3\n")))
			fail_msg("%s: %.*s", cases[i].what, STR_ARG(buf_view(&t.out)));
		buf_done(&t.out);
		buf_done(&b.out);
	}
}

/* A hole of 2^62 bytes costs nothing where it is not wanted, and only what the reader takes where it is. */
static void a_file_of_exabytes(void **state)
{
	(void)state;
	struct build b = build_new();
	build_old_sparse(&b, "huge", 1ULL << 62, 2, (const uint64_t[]){ 1ULL << 61, 2 }, 1);
	build_bytes(&b, STR("ab"), 512);
	build_file(&b, "next", '0', STR("abc"));
	build_end(&b);
	expect(&b, "f 4611686018427387904 644 0 0 0 huge\n  d7978eeb\nf 3 644 0 0 0 next\n  352441c2\nend 0\n");
}

static void a_map_of_too_many_parts(void **state)
{
	(void)state;
	struct build b = build_new();
	build_long_old_sparse(&b, "f", TAR_SPARSE_PARTS_MAX + 1);
	build_end(&b);
	struct transcript t;
	transcript_init(&t, true, KIB);
	transcript_push(&t, buf_view(&b.out), MIB, true, true, NULL);
	assert_true(str_eq(buf_view(&t.out), STR("end -4\n")));
	buf_done(&t.out);
	buf_done(&b.out);
	b = build_new();
	build_long_old_sparse(&b, "f", 1000);
	build_end(&b);
	expect(&b, "f 0 644 0 0 0 f\n  00000000\nend 0\n");
}

/* --- truncation --- */

/* At each length the archive either is refused, or stops just where a header or the filling behind content would be. */
static void truncated_at_every_byte(void **state)
{
	(void)state;
	struct build b = build_new();
	build_file(&b, "first", '0', STR("abc"));
	size_t after_first = b.out.len;
	build_meta(&b, 'x', STR("12 path=pax\n"));
	build_file(&b, "second", '0', STR("content of the second"));
	size_t after_second = b.out.len;
	build_meta(&b, 'L', STR("long"));
	build_old_sparse(&b, "third", 1300, 4, (const uint64_t[]){ 2, 2, 1200, 2 }, 2);
	build_bytes(&b, STR("abcd"), 512);
	size_t after_third = b.out.len;
	build_end(&b);
	for (size_t n = 0; n < b.out.len; n++) {
		bool fine = n == 0 || (n >= 512 + 3 && n <= after_first) ||
			    (n >= after_second - 512 + 21 && n <= after_second) ||
			    (n >= after_third - 512 + 4 && n <= after_third) || n == after_third + 512;
		struct transcript t;
		transcript_init(&t, true, KIB);
		transcript_push(&t, str_sub(buf_view(&b.out), 0, n), 700, true, false, NULL);
		if (str_ends(buf_view(&t.out), STR("end -3\n")) == fine)
			fail_msg("cut at %zu: %.*s", n, STR_ARG(buf_view(&t.out)));
		struct transcript pull;
		transcript_init(&pull, true, KIB);
		transcript_pull(&pull, str_sub(buf_view(&b.out), 0, n), 700, true, NULL);
		same("pull", &pull, &t);
		buf_done(&t.out);
	}
	buf_done(&b.out);
}

/* In a file, what is passed over is not read; that the file ends there must still be seen. */
static void a_file_cut_inside_content_that_is_skipped(void **state)
{
	(void)state;
	char path[] = "/tmp/plimsoll-tar-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	struct build b = build_new();
	build_header(&b, (struct head){ .name = "large", .type = '0', .size = "00004000000" }); /* 1 MiB */
	assert_int_equal(write(fd, b.out.ptr, b.out.len), b.out.len);
	static const struct {
		uint64_t length, end;
		int code;
	} cases[] = { { 512 + MIB, UINT64_MAX, 0 },
		      { 512 + MIB, 512 + MIB, 0 },
		      { 512 + MIB - 1, UINT64_MAX, ERR_FORMAT },
		      { 512 + MIB - 1, 512 + MIB, ERR_FORMAT },
		      { 512 + MIB, 512 + MIB - 1, ERR_FORMAT },
		      { 512, 4096, ERR_FORMAT } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(ftruncate(fd, (off_t)cases[i].length), 0);
		struct tar_file f = { .file = { fd, 0, cases[i].end } };
		struct tar *t = tar_open(tar_input_of_file(&f));
		struct tar_entry e;
		struct err err = { 0 };
		assert_int_equal(tar_next(t, &e, &err), 1);
		assert_int_equal(tar_next(t, &e, &err), cases[i].code);
		tar_close(t);
	}
	close(fd);
	buf_done(&b.out);
}

/* --- sinks --- */

static int refuse_entry(void *ctx, const struct tar_entry *e, struct err *err)
{
	(void)e;
	(*(int *)ctx)++;
	return err_set(err, ERR_LIMIT, "enough");
}

static void an_error_of_the_sink_stays(void **state)
{
	(void)state;
	struct build b = build_new();
	build_file(&b, "f", '0', STR("abc"));
	build_end(&b);
	int calls = 0;
	struct err err = { 0 };
	struct tar_push *p = tar_push_new((struct tar_sink){ .on_entry = refuse_entry, .ctx = &calls });
	assert_int_equal(tar_push_feed(p, b.out.ptr, b.out.len, &err), ERR_LIMIT);
	assert_int_equal(tar_push_feed(p, b.out.ptr, b.out.len, &err), ERR_LIMIT);
	assert_int_equal(tar_push_finish(p, &err), ERR_LIMIT);
	assert_string_equal(err.text, "enough");
	assert_int_equal(calls, 1);
	tar_push_free(p);
	buf_done(&b.out);
}

static int count_data(void *ctx, struct str piece, struct err *err)
{
	(void)piece;
	(void)err;
	(*(int *)ctx)++;
	return TAR_SKIP;
}

static int want_entry(void *ctx, const struct tar_entry *e, struct err *err)
{
	(void)ctx;
	(void)e;
	(void)err;
	return TAR_WANT;
}

static int end_is_not_called(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	fail_msg("on_end after TAR_SKIP");
	return 0;
}

static void a_sink_that_has_enough_is_left_alone(void **state)
{
	(void)state;
	struct build b = build_new();
	build_old_sparse(&b, "holes as data", 1ULL << 62, 2, (const uint64_t[]){ 1ULL << 61, 2 }, 1);
	build_bytes(&b, STR("ab"), 512);
	build_file(&b, "f", '0', STR("abc"));
	build_end(&b);
	int calls = 0;
	struct err err = { 0 };
	struct tar_push *p = tar_push_new((struct tar_sink){ want_entry, count_data, NULL, end_is_not_called, &calls });
	for (size_t i = 0; i < b.out.len; i++)
		assert_int_equal(tar_push_feed(p, b.out.ptr + i, 1, &err), 0);
	assert_int_equal(tar_push_finish(p, &err), 0);
	assert_int_equal(calls, 2);
	tar_push_free(p);
	buf_done(&b.out);
}

/* --- names --- */

static void names_made_clean(void **state)
{
	(void)state;
	static const struct {
		struct str path;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ STR_INIT("./a//b/"), "a/b" },
		{ STR_INIT("/etc/passwd"), "etc/passwd" },
		{ STR_INIT("/"), "" },
		{ STR_INIT("./"), "" },
		{ STR_INIT("."), "" },
		{ STR_INIT("a/.."), "" },
		{ STR_INIT("a/../b"), "b" },
		{ STR_INIT("a/b/../../c/./d"), "c/d" },
		{ STR_INIT("//a"), "a" },
		{ STR_INIT("..."), "..." },
		{ STR_INIT("a/..b"), "a/..b" },
		{ STR_INIT(" "), " " },
		{ STR_INIT(".wh..wh..opq"), ".wh..wh..opq" },
		{ STR_INIT(""), NULL },
		{ STR_INIT(".."), NULL },
		{ STR_INIT("../a"), NULL },
		{ STR_INIT("/../a"), NULL },
		{ STR_INIT("a/../../b"), NULL },
		{ STR_INIT("a/b/../../.."), NULL },
		{ STR_INIT("a\0b"), NULL },
		{ STR_INIT("\0"), NULL },
	};
	char out[TAR_PATH_MAX];
	struct str got;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool ok = tar_clean_path(cases[i].path, out, &got);
		if (ok != (cases[i].want != NULL) || (ok && !str_eq(got, str_from(cases[i].want))))
			fail_msg("%.*s", STR_ARG(cases[i].path));
	}
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, MIB);
	while (b.len < TAR_PATH_MAX)
		buf_put(&b, STR("d/"));
	assert_true(tar_clean_path(buf_view(&b), out, &got) && got.len == TAR_PATH_MAX - 1);
	buf_put(&b, STR("x"));
	assert_false(tar_clean_path(buf_view(&b), out, &got));
}

/* --- witnesses --- */

static struct buf load(const char *path)
{
	struct buf b;
	buf_init(&b, 512 * MIB);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s", path);
	for (size_t n = 1; n && buf_reserve(&b, 65536); b.len += n)
		n = fread(b.ptr + b.len, 1, 65536, f);
	(void)fclose(f);
	return b;
}

static struct str without_end(struct str text)
{
	ptrdiff_t at = str_find_str(text, STR("\nend "));
	return at < 0 ? text : str_sub(text, 0, (size_t)at + 1);
}

static void compare_file(const char *folder, struct str name)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%.*s.tar", folder, STR_ARG(name));
	struct buf tar = load(path);
	(void)snprintf(path, sizeof(path), "%s/%.*s.list", folder, STR_ARG(name));
	struct buf list = load(path);
	struct transcript t;
	read_all_ways(buf_view(&tar), true, 64 * MIB, &t);
	struct str got = without_end(buf_view(&t.out));
	if (!str_eq(got, buf_view(&list)))
		fail_msg("%.*s: got:\n%.*s\nthe witness:\n%.*s", STR_ARG(name), STR_ARG(got), STR_ARG(buf_view(&list)));
	assert_true(got.len > 100);
	buf_done(&t.out);
	buf_done(&tar);
	buf_done(&list);
}

static unsigned compare_folder(const char *folder)
{
	DIR *d = opendir(folder);
	assert_non_null(d);
	unsigned count = 0;
	for (struct dirent *e; (e = readdir(d));) {
		struct str name = str_from(e->d_name);
		if (!str_drop(&name, STR(".tar")))
			continue;
		compare_file(folder, name);
		count++;
	}
	closedir(d);
	return count;
}

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
	char command[2048];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

static void what_gnu_tar_and_python_write(void **state)
{
	(void)state;
	const char *source = getenv("PLIMSOLL_SOURCE");
	if (!source || shell("command -v python3 tar >/dev/null") != 0) {
		print_message("skipped: needs python3 and tar\n");
		skip();
	}
	char folder[] = "/tmp/plimsoll-tar-XXXXXX";
	assert_non_null(mkdtemp(folder));
	int r = shell("python3 '%s/tests/witness/tar_witness.py' make %s", source, folder);
	unsigned count = r == 0 ? compare_folder(folder) : 0;
	(void)shell("rm -rf %s", folder);
	assert_int_equal(r, 0);
	assert_int_equal(count, 15);
	print_message("%u archives of GNU tar and Python agree with Python's reader\n", count);
}

/* Where Go's reader refuses and ours reads on, or the other way, on purpose. */
static const char *const other_than_go[] = {
	"pax-bad-mtime-file", /* a time decides nothing */
	"pax-nul-path",       /* given as it is; tar_clean_path refuses it */
	"pax-nul-xattrs",     /* not read */
	"pax-path-hdr",       /* an extended header, and then nothing: truncated */
};

static bool compare_with_go(const char *folder, const char *base)
{
	char path[512];
	for (size_t i = 0; i < COUNT_OF(other_than_go); i++)
		if (str_eq(str_from(base), str_from(other_than_go[i])))
			return false;
	(void)snprintf(path, sizeof(path), "%s/%s.tar", folder, base);
	struct buf tar = load(path);
	(void)snprintf(path, sizeof(path), "%s/%s.go", folder, base);
	struct buf go = load(path);
	struct transcript t;
	read_all_ways(buf_view(&tar), true, 64 * KIB, &t);
	buf_done(&t.out);
	transcript_init(&t, true, 1 * GIB); /* one of these holds half of that, sparse */
	transcript_pull(&t, buf_view(&tar), SIZE_MAX, false, NULL);
	struct str got = buf_view(&t.out), want = buf_view(&go);
	bool refused = str_ends(want, STR("end -3\n"));
	bool same_end = refused == !str_contains(got, STR("end 0"));
	if (!same_end || !(str_eq(without_end(got), without_end(want)) || refused))
		fail_msg("%s: got:\n%.*s\nGo:\n%.*s", base, STR_ARG(got), STR_ARG(want));
	buf_done(&t.out);
	buf_done(&tar);
	buf_done(&go);
	return true;
}

/* Go ships the archives of its own tests; its reader, the engines' one, is the witness. Those of many gigabytes are
 * left out. */
static void what_go_reads(void **state)
{
	(void)state;
	const char *source = getenv("PLIMSOLL_SOURCE");
	char folder[] = "/tmp/plimsoll-tar-XXXXXX";
	assert_non_null(mkdtemp(folder));
	int r = !source ? 1
			: shell("cd %s && command -v go >/dev/null && cp \"$(go env "
				"GOROOT)\"/src/archive/tar/testdata/*.tar . && "
				"rm -f writer-big.tar && go build -o witness '%s/tests/witness/tar.go' && "
				"for f in *.tar; do ./witness $f > ${f%%.tar}.go 2>/dev/null; done",
				folder, source);
	unsigned count = 0;
	DIR *d = r == 0 ? opendir(folder) : NULL;
	for (struct dirent *e; d && (e = readdir(d));) {
		struct str name = str_from(e->d_name);
		if (!str_drop(&name, STR(".tar")))
			continue;
		e->d_name[name.len] = 0;
		count += compare_with_go(folder, e->d_name);
	}
	if (d)
		closedir(d);
	(void)shell("rm -rf %s", folder);
	if (r != 0) {
		print_message("skipped: needs Go with its test data\n");
		skip();
	}
	assert_true(count > 20);
	print_message("%u archives of Go's tests agree with Go's reader\n", count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_archive),
		cmocka_unit_test(every_type),
		cmocka_unit_test(numbers_of_every_kind),
		cmocka_unit_test(names_from_all_places),
		cmocka_unit_test(pax_sizes_and_times),
		cmocka_unit_test(what_lies_is_refused),
		cmocka_unit_test(a_lone_zero_block_hides_nothing),
		cmocka_unit_test(nothing_behind_the_end_is_an_entry),
		cmocka_unit_test(an_extended_header_over_the_cap),
		cmocka_unit_test(paths_over_the_cap_are_passed_over_and_counted),
		cmocka_unit_test(sparse_maps_of_every_kind),
		cmocka_unit_test(hostile_sparse_maps),
		cmocka_unit_test(a_file_of_exabytes),
		cmocka_unit_test(a_map_of_too_many_parts),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(a_file_cut_inside_content_that_is_skipped),
		cmocka_unit_test(an_error_of_the_sink_stays),
		cmocka_unit_test(a_sink_that_has_enough_is_left_alone),
		cmocka_unit_test(names_made_clean),
		cmocka_unit_test(what_gnu_tar_and_python_write),
		cmocka_unit_test(what_go_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
