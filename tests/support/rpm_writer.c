/* Rpm databases for tests: see rpm_writer.h. Trusts its input; never part of the program. */
#include "rpm_writer.h"

#include <sqlite3.h>
#include <unistd.h>
#include <zlib.h>

#include "base/base.h"

struct rpm_rows rpm_rows_of(struct arena *a, struct str text)
{
	struct rpm_rows rows = { 0 };
	struct str line, title;
	(void)str_cut(&text, '\n', &title);
	while (str_cut(&text, '\n', &line)) {
		if (line.len == 0)
			continue;
		struct rpm_row r;
		struct str *const cells[] = { &r.name, &r.epoch,      &r.version, &r.release,
					      &r.arch, &r.source_rpm, &r.vendor,  &r.module };
		for (size_t i = 0; i < COUNT_OF(cells); i++)
			(void)str_cut(&line, '\t', cells[i]);
		*vec_push(a, &rows) = r;
	}
	return rows;
}

enum { INT32 = 4, STRING = 6, BIN = 7, STRINGS = 8, I18N = 9 };

struct draft {
	struct buf index, store;
	uint32_t entries;
};

static void put_be(struct buf *b, uint32_t v)
{
	buf_byte(b, (uint8_t)(v >> 24));
	buf_byte(b, (uint8_t)(v >> 16));
	buf_byte(b, (uint8_t)(v >> 8));
	buf_byte(b, (uint8_t)v);
}

static void put_entry(struct draft *d, uint32_t tag, uint32_t type, uint32_t offset, uint32_t count)
{
	put_be(&d->index, tag);
	put_be(&d->index, type);
	put_be(&d->index, offset);
	put_be(&d->index, count);
	d->entries++;
}

static void put_string(struct draft *d, uint32_t tag, uint32_t type, struct str s)
{
	if (s.len == 0)
		return;
	put_entry(d, tag, type, (uint32_t)d->store.len, 1);
	buf_put(&d->store, s);
	buf_byte(&d->store, 0);
}

static void put_int(struct draft *d, uint32_t tag, uint32_t v)
{
	while (d->store.len % 4)
		buf_byte(&d->store, 0);
	put_entry(d, tag, INT32, (uint32_t)d->store.len, 1);
	put_be(&d->store, v);
}

/* Lengths from a few bytes to 20 KB: inline, one overflow page, many. */
static struct str filler(struct arena *a, unsigned seed)
{
	static const size_t lengths[] = { 10, 300, 1500, 3000, 4096, 9000, 20000 };
	size_t len = lengths[seed % COUNT_OF(lengths)] + seed % 13;
	char *p = arena_alloc(a, len);
	for (size_t i = 0; i < len; i++)
		p[i] = (char)('a' + (i + seed) % 26);
	return (struct str){ p, len };
}

static void put_tags(struct arena *a, struct draft *d, const struct rpm_row *row, unsigned seed)
{
	uint64_t epoch = 0;
	(void)str_to_u64(row->epoch, &epoch);
	bool key = str_eq(row->name, STR("gpg-pubkey"));
	put_string(d, 100, STRINGS, STR("C"));
	put_string(d, 1000, STRING, row->name);
	put_string(d, 1001, STRING, row->version);
	put_string(d, 1002, STRING, row->release);
	if (epoch || seed % 2)
		put_int(d, 1003, (uint32_t)epoch);
	put_string(d, 1004, I18N, STR("A package"));
	put_string(d, 1005, I18N, filler(a, seed));
	put_int(d, 1009, 4711 + seed);
	put_string(d, 1011, STRING, row->vendor);
	put_string(d, 1014, STRING, STR("None"));
	put_string(d, 1021, STRING, STR("linux"));
	put_string(d, 1022, STRING, row->arch);
	put_string(d, 1044, STRING, key && row->source_rpm.len == 0 ? STR("(none)") : row->source_rpm);
	put_string(d, 5096, STRING, row->module);
}

struct str rpm_write_header(struct arena *a, const struct rpm_row *row, unsigned seed)
{
	struct draft d = { 0 };
	struct buf BUF_AUTO out = { 0 };
	buf_init(&d.index, 1 * MIB);
	buf_init(&d.store, 1 * MIB);
	buf_init(&out, 2 * MIB);
	put_tags(a, &d, row, seed);
	uint32_t region = (uint32_t)d.store.len, span = (d.entries + 1) * 16;
	put_be(&d.store, 63);
	put_be(&d.store, BIN);
	put_be(&d.store, 0u - span);
	put_be(&d.store, 16);
	/* What installation adds, outside the region: time, colour, transaction. (A well-known reader in Go overlooks a
	 * single one.) */
	put_int(&d, 1008, 1600000000);
	put_int(&d, 1127, 0);
	put_int(&d, 1128, 1600000001);
	put_be(&out, d.entries + 1);
	put_be(&out, (uint32_t)d.store.len);
	put_be(&out, 63);
	put_be(&out, BIN);
	put_be(&out, region);
	put_be(&out, 16);
	buf_put(&out, buf_view(&d.index));
	buf_put(&out, buf_view(&d.store));
	buf_done(&d.index);
	buf_done(&d.store);
	return str_dup(a, buf_view(&out));
}

struct rpm_blobs rpm_write_headers(struct arena *a, const struct rpm_rows *rows)
{
	struct rpm_blobs blobs = { 0 };
	for (size_t i = 0; i < rows->len; i++)
		*vec_push(a, &blobs) = rpm_write_header(a, &rows->ptr[i], (unsigned)i);
	return blobs;
}

bool rpm_write_sqlite(const char *path, const struct rpm_blobs *blobs, unsigned page_size)
{
	sqlite3 *db;
	sqlite3_stmt *s = NULL;
	char pragma[64];
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA page_size=%u", page_size);
	bool ok = sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, pragma, NULL, NULL, NULL) == SQLITE_OK &&
		  sqlite3_exec(db,
			       "PRAGMA journal_mode=WAL;"
			       "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);"
			       "CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL);"
			       "CREATE INDEX 'Name_key_idx' ON 'Name'(key ASC); BEGIN",
			       NULL, NULL, NULL) == SQLITE_OK &&
		  sqlite3_prepare_v2(db, "INSERT INTO Packages (blob) VALUES (?)", -1, &s, NULL) == SQLITE_OK;
	for (size_t i = 0; ok && i < blobs->len; i++) {
		(void)sqlite3_bind_blob64(s, 1, blobs->ptr[i].ptr, blobs->ptr[i].len, SQLITE_STATIC);
		ok = sqlite3_step(s) == SQLITE_DONE;
		(void)sqlite3_reset(s);
	}
	(void)sqlite3_finalize(s);
	ok = ok && sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK;
	return sqlite3_close(db) == SQLITE_OK && ok;
}

static void set_le(struct buf *b, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		b->ptr[at + i] = (char)(v >> (8 * i));
}

static void put_ndb_blob(struct buf *b, uint32_t number, struct str bytes)
{
	size_t start = b->len;
	buf_put(b, STR("BlbS"));
	buf_u32(b, number);
	buf_u32(b, 1);
	buf_u32(b, (uint32_t)bytes.len);
	buf_put(b, bytes);
	while ((b->len + 12) % 16)
		buf_byte(b, 0);
	uint32_t sum = (uint32_t)adler32(1, (const Bytef *)b->ptr + start, (uInt)(b->len - start));
	buf_u32(b, sum);
	buf_u32(b, (uint32_t)bytes.len);
	buf_put(b, STR("BlbE"));
}

struct str rpm_write_ndb(struct arena *a, const struct rpm_blobs *blobs, bool holes)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 256 * MIB);
	size_t wanted = blobs->len + (holes ? blobs->len / 6 + 1 : 0) + 2;
	uint32_t pages = (uint32_t)(wanted / 256 + 1), slot = 2;
	buf_put(&b, STR("RpmP"));
	buf_u32(&b, 0);
	buf_u32(&b, 1);
	buf_u32(&b, pages);
	buf_u32(&b, (uint32_t)blobs->len + 1);
	while (b.len < 32)
		buf_byte(&b, 0);
	while (b.len < pages * 4096) {
		buf_put(&b, STR("Slot"));
		for (int i = 0; i < 12; i++)
			buf_byte(&b, 0);
	}
	for (size_t i = 0; i < blobs->len; i++) {
		if (holes && slot % 7 == 0)
			slot++;
		size_t start = b.len;
		put_ndb_blob(&b, (uint32_t)i + 1, blobs->ptr[i]);
		set_le(&b, slot * 16 + 4, (uint32_t)i + 1);
		set_le(&b, slot * 16 + 8, (uint32_t)(start / 16));
		set_le(&b, slot * 16 + 12, (uint32_t)((b.len - start) / 16));
		slot++;
	}
	return str_dup(a, buf_view(&b));
}

bool rpm_have_db_load(void) { return access("/usr/bin/db5.3_load", X_OK) == 0; }

static void put_hex(FILE *f, const void *p, size_t n)
{
	const uint8_t *bytes = p;
	(void)fputc(' ', f);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%02x", bytes[i]);
	(void)fputc('\n', f);
}

static void put_key(FILE *f, uint32_t number, bool big)
{
	uint8_t key[4];
	for (size_t i = 0; i < 4; i++)
		key[i] = (uint8_t)(number >> (8 * (big ? 3 - i : i)));
	put_hex(f, key, sizeof(key));
}

bool rpm_write_bdb(const char *path, const struct rpm_blobs *blobs, unsigned page_size, bool big)
{
	char command[512];
	if (!rpm_have_db_load())
		return false;
	(void)snprintf(command, sizeof(command), "/usr/bin/db5.3_load '%s'", path);
	FILE *f = popen(command, "w");
	if (!f)
		return false;
	(void)fprintf(f, "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=%u\ndb_lorder=%d\nHEADER=END\n",
		      page_size, big ? 4321 : 1234);
	put_key(f, 0, big);
	put_key(f, (uint32_t)blobs->len + 1, big);
	for (size_t i = 0; i < blobs->len; i++) {
		put_key(f, (uint32_t)i + 1, big);
		put_hex(f, blobs->ptr[i].ptr, blobs->ptr[i].len);
	}
	(void)fprintf(f, "DATA=END\n");
	return pclose(f) == 0;
}

bool test_file_read(struct arena *a, const char *path, struct str *ret)
{
	FILE *f = fopen(path, "rb");
	struct buf BUF_AUTO b = { 0 };
	if (!f)
		return false;
	buf_init(&b, 256 * MIB);
	while (buf_reserve(&b, 65536)) {
		size_t n = fread(b.ptr + b.len, 1, 65536, f);
		if (n == 0)
			break;
		b.len += n;
	}
	(void)fclose(f);
	*ret = str_dup(a, buf_view(&b));
	return !b.overflow;
}

bool test_file_write(const char *path, struct str bytes)
{
	FILE *f = fopen(path, "wb");
	if (!f)
		return false;
	bool ok = bytes.len == 0 || fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len;
	return fclose(f) == 0 && ok;
}
