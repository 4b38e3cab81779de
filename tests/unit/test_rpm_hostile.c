/* Rpm databases from an enemy: truncated, corrupted, circular, lying about counts and sizes. Each must end soon, with
 * an error or a diagnostic, and never with fewer packages in silence. The last test reads real ones where every open
 * kills. */
#include "../support/rpm_check.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define SECONDS_MAX 2.0 /* of processor time, sanitizers included */
#define ROWS 60

struct outcome {
	int rc;
	size_t packages;
	uint64_t bad;
	struct err err;
	struct str first; /* diagnostic */
};

static struct outcome run_content(struct arena *a, enum form form, const struct content *c)
{
	struct package_sink sink = { .arena = a };
	struct outcome o = { 0 };
	clock_t start = clock();
	o.rc = rpm_forms[form].parse(c, STR("db"), &sink, &o.err);
	double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	if (seconds > SECONDS_MAX)
		fail_msg("%s took %.1f s", rpm_forms[form].name, seconds);
	o.packages = sink.list.len;
	o.bad = sink.bad_records;
	if (sink.diagnostic_count)
		o.first = sink.diagnostics[0];
	return o;
}

/* From an exact copy on the heap, so that the sanitizer sees the first byte that is read behind it. */
static struct outcome run(struct arena *a, enum form form, struct str bytes)
{
	char *copy = xmalloc(bytes.len);
	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	struct content c = { .mem = { copy, bytes.len }, .fd = -1, .size = bytes.len };
	struct outcome o = run_content(a, form, &c);
	free(copy);
	return o;
}

static void expect(const struct outcome *o, int rc, const char *text)
{
	struct str said = o->rc ? str_from(o->err.text) : o->first;
	if (o->rc != rc || !str_contains(said, str_from(text)))
		fail_msg("%d \"%.*s\", not %d \"%s\"", o->rc, STR_ARG(said), rc, text);
}

static struct rpm_blobs sample(struct arena *a, size_t rows)
{
	struct rpm_rows list = { 0 };
	for (size_t i = 0; i < rows; i++) {
		struct rpm_row r = {
			.epoch = STR("0"), .version = STR("1"), .release = STR("2"), .arch = STR("x86_64")
		};
		r.name = arena_printf(a, "package-%03zu", i);
		r.source_rpm = STR("source-1-2.src.rpm");
		*vec_push(a, &list) = r;
	}
	return rpm_write_headers(a, &list);
}

static char *copy_of(struct arena *a, struct str bytes)
{
	char *p = arena_alloc(a, bytes.len);
	memcpy(p, bytes.ptr, bytes.len);
	return p;
}

static void put32(char *p, size_t at, uint32_t v, bool big)
{
	for (size_t i = 0; i < 4; i++)
		p[at + i] = (char)(v >> (8 * (big ? 3 - i : i)));
}

static uint32_t get32(const char *p, size_t at)
{
	struct reader r = reader_of((struct str){ p + at, 4 });
	return read_u32le(&r);
}

static struct str written(struct arena *a, enum form form, size_t rows, unsigned page_size)
{
	if (form == BDB && !rpm_have_db_load()) {
		print_message("skipped: no db5.3_load (package db5.3-util)\n");
		skip();
	}
	struct rpm_blobs blobs = sample(a, rows);
	return rpm_write_db(a, form, &blobs, page_size, false);
}

static void never_fewer_in_silence(struct arena *a, enum form form)
{
	struct str whole = written(a, form, ROWS, 512);
	assert_int_equal(run(a, form, whole).packages, ROWS);
	for (size_t n = 0; n < whole.len; n += n < 1024 ? 7 : 1009) {
		struct arena *ARENA_AUTO one = arena_new();
		struct outcome o = run(one, form, str_sub(whole, 0, n));
		if (o.packages < ROWS && o.rc == 0 && o.bad == 0)
			fail_msg("%s cut at %zu: %zu packages and not a word", rpm_forms[form].name, n, o.packages);
	}
}

static void truncated_sqlite(void **state) { never_fewer_in_silence(*state, SQLITE); }
static void truncated_ndb(void **state) { never_fewer_in_silence(*state, NDB); }
static void truncated_bdb(void **state) { never_fewer_in_silence(*state, BDB); }

/* Bytes changed all over: one at a time, then a hundred at once. */
static void scrambled(struct arena *a, enum form form)
{
	struct str whole = written(a, form, ROWS, 1024);
	uint64_t random = 88172645463325252u;
	for (size_t i = 0; i < 600; i++) {
		struct arena *ARENA_AUTO one = arena_new();
		char *p = copy_of(one, whole);
		for (size_t k = 0; k < (i % 2 ? 100u : 1u); k++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			size_t at = (random >> 8) % (i % 3 ? whole.len : 2048);
			p[at] = (char)(random & 1 ? random >> 56 : 0xff);
		}
		(void)run(one, form, (struct str){ p, whole.len });
	}
}

static void scrambled_sqlite(void **state) { scrambled(*state, SQLITE); }
static void scrambled_ndb(void **state) { scrambled(*state, NDB); }
static void scrambled_bdb(void **state) { scrambled(*state, BDB); }

/* Nothing but the magic, and noise behind it. */
static void right_magic_and_garbage(void **state)
{
	struct arena *a = *state;
	static const struct {
		enum form form;
		size_t at;
		struct str magic;
	} cases[] = {
		{ SQLITE, 0, STR_INIT("SQLite format 3\0\x10\0\x02\x02\0\x40\x20\x20") },
		{ NDB, 0, STR_INIT("RpmP\0\0\0\0\1\0\0\0\1\0\0\0") },
		{ BDB, 12, STR_INIT("\x61\x15\x06\0\x09\0\0\0\0\x10\0\0\0\x08\0\0") },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t fill = 0; fill < 3; fill++) {
			size_t n = 256 * KIB;
			char *p = arena_alloc(a, n);
			for (size_t k = 0; k < n; k++)
				p[k] = (char)(fill == 0 ? 0 : fill == 1 ? 0xff : (k * 2654435761u) >> 13);
			memcpy(p + cases[i].at, cases[i].magic.ptr, cases[i].magic.len);
			struct outcome o = run(a, cases[i].form, (struct str){ p, n });
			assert_int_equal(o.packages, 0);
			if (o.rc == 0 && o.bad == 0 && cases[i].form != BDB)
				fail_msg("%s, garbage %zu: clean", rpm_forms[cases[i].form].name, fill);
		}
}

static void ndb_that_lies(void **state)
{
	struct arena *a = *state;
	struct str whole = written(a, NDB, ROWS, 0);
	static const struct {
		size_t at; /* in the head or in the slot of the first header, at 32 */
		uint32_t value;
		int rc;
		const char *text;
	} cases[] = {
		{ 4, 1, ERR_UNSUPPORTED, "ndb version 1" },
		{ 12, 0, ERR_FORMAT, "no slot pages" },
		{ 12, 0xffffffff, ERR_LIMIT, "RPM_NDB_SLOT_PAGES_MAX" },
		{ 12, 4096, ERR_FORMAT, "slot page 1" },
		{ 12, 2, 0, "a bad slot" },
		{ 32, 0, ERR_FORMAT, "holds something else" },
		{ 36, 0, 0, "a bad slot" },
		{ 36, 77, 0, "points to no blob" },
		{ 40, 2, 0, "a bad slot" },
		{ 40, 0xffffffff, 0, "outside the file" },
		{ 40, 257, 0, "points to no blob" },
		{ 44, 0xffffffff, 0, "outside the file" },
		{ 44, 0, 0, "outside the file" },
		{ 44, 1, 0, "outside the file" },
		{ 44, 3, 0, "points to no blob" },
		{ 4096, 0, 0, "points to no blob" },
		{ 4096 + 12, 0xffffffff, 0, "points to no blob" },
		{ 4096 + 12, 0x40000000, 0, "points to no blob" },
		{ 4096 + 16, 0xffffffff, 0, "RPM_TAGS_MAX" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *p = copy_of(a, whole);
		put32(p, cases[i].at, cases[i].value, false);
		struct outcome o = run(a, NDB, (struct str){ p, whole.len });
		expect(&o, cases[i].rc, cases[i].text);
	}
	/* rpm lists a header with a wrong checksum, and so do we. */
	char *p = copy_of(a, whole);
	size_t tail = (get32(p, 40) + get32(p, 44)) * 16 - 12;
	put32(p, tail, 0, false);
	assert_int_equal(run(a, NDB, (struct str){ p, whole.len }).packages, ROWS);
}

/* Every slot of many pages names the same blob. */
static void ndb_with_one_blob_for_all(void **state)
{
	struct arena *a = *state;
	size_t pages = 64, slots = pages * 256;
	struct rpm_blobs blobs = sample(a, 7);
	struct rpm_blobs one = { .ptr = blobs.ptr + 6, .len = 1 }; /* 20 KB */
	struct str whole = rpm_write_ndb(a, &one, false);
	size_t size = pages * 4096 + whole.len - 4096;
	char *p = arena_alloc(a, size);
	memcpy(p, whole.ptr, 32);
	memcpy(p + pages * 4096, whole.ptr + 4096, whole.len - 4096);
	put32(p, 12, (uint32_t)pages, false);
	for (size_t i = 2; i < slots; i++) {
		memcpy(p + i * 16, whole.ptr + 32, 16);
		put32(p, i * 16 + 8, (uint32_t)(pages * 256), false);
	}
	struct outcome o = run(a, NDB, (struct str){ p, size });
	assert_int_equal(o.rc, 0);
	assert_true(o.packages < 20 && str_contains(o.first, STR("more bytes than the file has")));
}

/* The first page of a type, and every page of it made to point to itself. */
static size_t find_page(struct str bytes, size_t page_size, uint8_t type, size_t from)
{
	for (size_t at = from; at + page_size <= bytes.len; at += page_size)
		if (bytes.ptr[at + 25] == (char)type)
			return at;
	return 0;
}

static void bdb_pages_in_circles(void **state)
{
	struct arena *a = *state;
	struct str whole = written(a, BDB, ROWS, 512);
	static const uint8_t types[] = { 13, 7 };
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		char *p = copy_of(a, whole);
		size_t count = 0;
		for (size_t at = 512; (at = find_page(whole, 512, types[i], at)) != 0; at += 512, count++)
			put32(p, at + 16, (uint32_t)(at / 512), false);
		assert_true(count > 1);
		struct outcome o = run(a, BDB, (struct str){ p, whole.len });
		expect(&o, 0, "is in two places");
	}
	/* All overflow pages lead to the first one. */
	char *p = copy_of(a, whole);
	size_t first = find_page(whole, 512, 7, 512);
	for (size_t at = 512; (at = find_page(whole, 512, 7, at)) != 0; at += 512)
		put32(p, at + 16, (uint32_t)(first / 512), false);
	struct outcome o = run(a, BDB, (struct str){ p, whole.len });
	assert_true(o.rc == 0 && o.bad > 0 && o.packages < ROWS);
}

static void bdb_that_lies(void **state)
{
	struct arena *a = *state;
	struct str whole = written(a, BDB, ROWS, 512);
	size_t hash = find_page(whole, 512, 13, 512), overflow = find_page(whole, 512, 7, 512);
	while (get32(whole.ptr, overflow + 16) == 0) /* one that goes on */
		overflow = find_page(whole, 512, 7, overflow + 512);
	const struct {
		size_t at;
		uint32_t value;
		int rc;
		const char *text;
	} cases[] = {
		{ 16, 7, ERR_UNSUPPORTED, "hash version 7" },
		{ 16, 11, ERR_UNSUPPORTED, "hash version 11" },
		{ 20, 0, ERR_FORMAT, "page size 0" },
		{ 20, 513, ERR_FORMAT, "page size 513" },
		{ 20, 0x80000000, ERR_FORMAT, "page size" },
		{ 20, 65536, 0, "" },
		{ 24, 0x00000801, ERR_UNSUPPORTED, "encrypted" },
		{ 24, 0x00010800, ERR_UNSUPPORTED, "checksums" },
		{ 24, 0x00000900, ERR_FORMAT, "type 9" },
		{ 72, 0xffffffff, ERR_FORMAT, "buckets" },
		{ 96, 0xffffffff, 0, "outside the file" },
		{ 96, 0, 0, "outside the file" },
		{ hash + 8, 0, 0, "no hash page" },
		{ hash + 16, 0xffffffff, 0, "outside the file" },
		{ hash + 16, (uint32_t)(overflow / 512), 0, "" },
		{ hash + 20, 0xffffffff, 0, "bad offsets" },
		{ hash + 24, 0x00000501, 0, "no hash page (type 5)" },
		{ hash + 26, 0xffffffff, 0, "bad offsets" },
		{ hash + 26, 0, 0, "bad offsets" },
		{ hash + 26, 20u << 16 | 505, 0, "item 0: bad offsets" },
		{ hash + 30, 400u << 16 | 508, 0, "item 2: bad offsets" },
		{ overflow + 8, 99, 0, "no overflow page" },
		{ overflow + 20, 0, 0, "no overflow page" },
		{ overflow + 20, 0xffff0000, 0, "no overflow page" },
		{ overflow + 16, 0, 0, "" },
		{ overflow + 24, 0x00000d00, 0, "no overflow page" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *p = copy_of(a, whole);
		put32(p, cases[i].at, cases[i].value, false);
		struct outcome o = run(a, BDB, (struct str){ p, whole.len });
		if (cases[i].text[0])
			expect(&o, cases[i].rc, cases[i].text);
		else if (o.rc == 0 && o.bad == 0)
			fail_msg("case %zu: not a word", i);
	}
}

/* Each item claims a header of 1 GB. */
static void bdb_with_giant_claims(void **state)
{
	struct arena *a = *state;
	struct str whole = written(a, BDB, ROWS, 512);
	char *p = copy_of(a, whole);
	for (size_t at = 512; (at = find_page(whole, 512, 13, at)) != 0; at += 512)
		for (size_t i = 0; i < (get32(p, at + 20) & 0xffff); i++) {
			size_t item = at + (get32(p, at + 26 + 2 * i) & 0xffff);
			if (p[item] == 3)
				put32(p, item + 8, 1u << 30, false);
		}
	struct outcome o = run(a, BDB, (struct str){ p, whole.len });
	assert_true(o.rc == ERR_FORMAT || o.bad > 0);
	expect(&o, ERR_FORMAT, "more bytes than the file has");
}

static void other_kinds_of_berkeley_db_are_named(void **state)
{
	struct arena *a = *state;
	static const struct {
		const char *header, *text;
	} cases[] = {
		{ "type=btree", "a Berkeley DB btree" },
		{ "type=btree\ndb_lorder=4321", "a Berkeley DB btree" },
		{ "type=hash\nchksum=1", "checksums" },
	};
	if (!rpm_have_db_load())
		skip();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *path = str_cstr(a, arena_printf(a, "%s/other", rpm_temp()));
		struct str bytes;
		rpm_run("rm -f '%s'; printf 'VERSION=3\\nformat=bytevalue\\n%s\\nHEADER=END\\n 01\\n 02\\nDATA=END\\n' "
			"| db5.3_load '%s'",
			path, cases[i].header, path);
		assert_true(test_file_read(a, path, &bytes));
		assert_true(rpm_bdb_sniff(STR("x"), str_sub(bytes, 0, 64)));
		struct outcome o = run(a, BDB, bytes);
		expect(&o, ERR_UNSUPPORTED, cases[i].text);
	}
}

static struct str sqlite_of(struct arena *a, const char *sql)
{
	sqlite3 *db;
	struct str bytes;
	char *path = str_cstr(a, arena_printf(a, "%s/sql", rpm_temp())), *message = NULL;
	(void)unlink(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_true(test_file_read(a, path, &bytes));
	return bytes;
}

#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"
#define SCHEMA "PRAGMA writable_schema=1; INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql) VALUES"

static void schemas_that_set_traps(void **state)
{
	struct arena *a = *state;
	static const struct {
		const char *sql;
		int rc;
		const char *text;
	} cases[] = {
		{ "CREATE VIEW Packages AS " ENDLESS " SELECT x AS hnum, zeroblob(1000) AS blob FROM c", ERR_FORMAT,
		  "no table Packages" },
		{ "CREATE TABLE bait(a); CREATE VIEW Packages AS " ENDLESS " SELECT x AS rowid, 1 AS blob FROM c;"
		  "PRAGMA writable_schema=1; UPDATE sqlite_master SET name='Packages' WHERE name='bait'",
		  ERR_FORMAT, "malformed database schema" },
		{ SCHEMA "('table','Packages','Packages',0,'CREATE VIRTUAL TABLE Packages USING dbstat')", ERR_FORMAT,
		  "no such module" },
		{ SCHEMA "('table','Packages','Packages',0,'CREATE VIRTUAL TABLE Packages USING fts5(blob)')",
		  ERR_FORMAT, "no such module" },
		{ SCHEMA
		  "('table','Packages','Packages',1,'CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB)')",
		  ERR_FORMAT, "SQLite: " },
		{ SCHEMA
		  "('table','Packages','Packages',999,'CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB)')",
		  ERR_FORMAT, "SQLite: " },
		{ SCHEMA "('table','Packages','Packages',2,'garbage')", ERR_FORMAT, "SQLite: " },
		{ "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob BLOB AS (zeroblob(1000000000)))", 0, "" },
		{ "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, x, blob BLOB AS (zeroblob(1000000000))); INSERT "
		  "INTO Packages(x) VALUES(1)",
		  0, "header 1: SQLite: " },
		{ "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY); INSERT INTO Packages VALUES(1)", 0,
		  "header 1: SQLite: " },
		{ "CREATE TABLE Packages(hnum TEXT PRIMARY KEY, blob) WITHOUT ROWID; INSERT INTO Packages VALUES(1,1)",
		  ERR_FORMAT, "SQLite: " },
		{ "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob); INSERT INTO Packages "
		  "VALUES(1,NULL),(2,3),(3,'x'),(-4,x'')",
		  0, "header -4: a header of 0 bytes" },
		{ "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob); INSERT INTO Packages "
		  "VALUES(1,zeroblob(40000000))",
		  0, "RPM_HEADER_SIZE_MAX" },
		{ "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob);" ENDLESS
		  "INSERT INTO Packages SELECT x, x'00' FROM c LIMIT 200001",
		  ERR_LIMIT, "PACKAGES_MAX" },
		{ SCHEMA ENDLESS " SELECT 'table','t'||x,'t'||x,2,'CREATE TABLE t'||x||'(a "
				 "/*'||hex(zeroblob(1900))||'*/)' FROM c LIMIT 20000",
		  ERR_LIMIT, "RPM_SQLITE_SCHEMA_STEPS_MAX" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *at = strstr(cases[i].sql, "VALUESWITH"); /* a SELECT takes the place of VALUES */
		char *sql = str_cstr(a, str_from(cases[i].sql));
		if (at)
			memset(sql + (at - cases[i].sql), ' ', 6);
		struct outcome o = run(a, SQLITE, sqlite_of(a, sql));
		assert_int_equal(o.packages, 0);
		expect(&o, cases[i].rc, cases[i].text);
	}
}

/* What is wrong with one row does not cost the next. */
static void a_bad_row_among_good_ones(void **state)
{
	struct arena *a = *state;
	struct rpm_blobs good = sample(a, 1);
	char *sql = arena_alloc(a, good.ptr[0].len * 2 + 200);
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 1 * MIB);
	for (size_t i = 0; i < good.ptr[0].len; i++)
		buf_printf(&b, "%02x", (unsigned)(uint8_t)good.ptr[0].ptr[i]);
	buf_byte(&b, 0);
	(void)snprintf(sql, good.ptr[0].len * 2 + 200,
		       "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob);"
		       "INSERT INTO Packages VALUES(1,x'%s'),(2,NULL),(3,x'00'),(4,NULL);"
		       "INSERT INTO Packages SELECT 9, blob FROM Packages WHERE hnum=1",
		       b.ptr);
	struct outcome o = run(a, SQLITE, sqlite_of(a, sql));
	expect(&o, 0, "header 2: SQLite: ");
	assert_int_equal(o.packages, 2);
	assert_int_equal(o.bad, 3);
}

static uint32_t root_of_packages(struct arena *a, struct str bytes)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	char *path = str_cstr(a, arena_printf(a, "%s/root", rpm_temp()));
	assert_true(test_file_write(path, bytes));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_master WHERE name='Packages'", -1, &s, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	uint32_t root = (uint32_t)sqlite3_column_int(s, 0);
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	return root;
}

/* Make every child of an interior page of a table's tree the given page. */
static void redirect(char *page, size_t page_size, uint32_t child)
{
	struct reader r = reader_of((struct str){ page, page_size });
	assert_int_equal(read_u8(&r), 5);
	read_skip(&r, 2);
	uint16_t cells = read_u16be(&r);
	put32(page, 8, child, true);
	for (size_t i = 0; i < cells; i++) {
		read_seek(&r, 12 + i * 2);
		put32(page, read_u16be(&r), child, true);
	}
}

static void sqlite_trees_in_circles(void **state)
{
	struct arena *a = *state;
	struct str whole = written(a, SQLITE, 4000, 512);
	size_t root = (root_of_packages(a, whole) - 1) * 512;
	char *p = copy_of(a, whole);
	redirect(p + root, 512, (uint32_t)(root / 512) + 1);
	struct outcome o = run(a, SQLITE, (struct str){ p, whole.len });
	expect(&o, ERR_FORMAT, "SQLite: ");
	/* All roads lead to the first child, level after level. */
	p = copy_of(a, whole);
	for (size_t at = root, level = 0; p[at] == 5; level++) {
		struct reader r = reader_of((struct str){ p + at, 512 });
		read_seek(&r, 12);
		read_seek(&r, read_u16be(&r));
		uint32_t child = read_u32be(&r);
		redirect(p + at, 512, child);
		at = (child - 1) * 512;
		assert_true(level < 8);
	}
	o = run(a, SQLITE, (struct str){ p, whole.len });
	assert_true(o.rc == 0 && o.packages > 0 && str_contains(o.first, STR("stands behind row")));
	/* Overflow pages, each of which leads to itself: those that are no tree page. */
	p = copy_of(a, whole);
	for (size_t at = 512; at < whole.len; at += 512)
		if (p[at] == 0 && at != root)
			put32(p, at, (uint32_t)(at / 512) + 1, true);
	o = run(a, SQLITE, (struct str){ p, whole.len });
	assert_true(o.rc != 0 || o.bad > 0);
}

/* Sizes of a gigabyte in a file that has them, with nothing in it. */
static void a_gigabyte_of_holes(void **state)
{
	struct arena *a = *state;
	static const struct {
		enum form form;
		size_t at, len;
		const char *head;
		uint32_t buckets;
	} cases[] = {
		{ SQLITE, 0, 24, "SQLite format 3\0\x02\0\x02\x02\0\x40\x20\x20", 0 },
		{ NDB, 0, 16, "RpmP\0\0\0\0\1\0\0\0\0\x10\0\0", 0 },
		{ BDB, 12, 16, "\x61\x15\x06\0\x09\0\0\0\0\2\0\0\0\x08\0\0", 1u << 20 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int fd = memfd_create("holes", MFD_CLOEXEC);
		assert_true(fd >= 0 && ftruncate(fd, 1 << 30) == 0);
		assert_int_equal(pwrite(fd, cases[i].head, cases[i].len, (off_t)cases[i].at), cases[i].len);
		assert_int_equal(pwrite(fd, &cases[i].buckets, 4, 72), 4);
		struct content c = { .fd = fd, .size = 1u << 30 };
		struct outcome o = run_content(a, cases[i].form, &c);
		assert_int_equal(o.packages, 0);
		close(fd);
	}
}

/* A real one of each form where opening, creating, linking or looking up any path kills. */
static int read_confined(struct arena *a, enum form form, struct str bytes)
{
	static const int killed[] = { SCMP_SYS(open),           SCMP_SYS(openat),     SCMP_SYS(openat2),
				      SCMP_SYS(creat),          SCMP_SYS(unlink),     SCMP_SYS(unlinkat),
				      SCMP_SYS(stat),           SCMP_SYS(lstat),      SCMP_SYS(newfstatat),
				      SCMP_SYS(statx),          SCMP_SYS(access),     SCMP_SYS(faccessat),
				      SCMP_SYS(readlink),       SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
				      SCMP_SYS(socket),         SCMP_SYS(execve),     SCMP_SYS(fcntl),
				      SCMP_SYS(flock),          SCMP_SYS(getrandom),  SCMP_SYS(nanosleep),
				      SCMP_SYS(clock_nanosleep) };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	for (size_t i = 0; i < COUNT_OF(killed); i++)
		(void)seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, killed[i], 0);
	if (!filter || seccomp_load(filter) != 0)
		return 77;
	struct content c = { .mem = bytes, .fd = -1, .size = bytes.len };
	struct package_sink sink = { .arena = a };
	return rpm_forms[form].parse(&c, STR("db"), &sink, NULL) == 0 && sink.list.len == ROWS ? 0 : 1;
}

static void nothing_is_ever_opened(void **state)
{
	struct arena *a = *state;
	for (enum form f = 0; f < FORM_COUNT; f++) {
		if (f == BDB && !rpm_have_db_load())
			continue;
		struct str bytes = written(a, f, ROWS, 4096);
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(read_confined(a, f, bytes));
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
			print_message("skipped: no seccomp\n");
			skip();
		}
		if (status != 0)
			fail_msg("%s: status %x", rpm_forms[f].name, (unsigned)status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RPM_TEST(truncated_sqlite),
		RPM_TEST(truncated_ndb),
		RPM_TEST(truncated_bdb),
		RPM_TEST(scrambled_sqlite),
		RPM_TEST(scrambled_ndb),
		RPM_TEST(scrambled_bdb),
		RPM_TEST(right_magic_and_garbage),
		RPM_TEST(ndb_that_lies),
		RPM_TEST(ndb_with_one_blob_for_all),
		RPM_TEST(bdb_pages_in_circles),
		RPM_TEST(bdb_that_lies),
		RPM_TEST(bdb_with_giant_claims),
		RPM_TEST(other_kinds_of_berkeley_db_are_named),
		RPM_TEST(schemas_that_set_traps),
		RPM_TEST(a_bad_row_among_good_ones),
		RPM_TEST(sqlite_trees_in_circles),
		RPM_TEST(a_gigabyte_of_holes),
		RPM_TEST(nothing_is_ever_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
