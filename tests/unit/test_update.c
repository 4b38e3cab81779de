/* What `db update` is made of: the table of feeds, facts carried over from an older database, files kept in the cache. */
#include "advisory/carry.h"
#include "advisory/feed/feed.h"
#include "advisory/feed_fetch.h"
#include "advisory/feed_store.h"

#include "base/base.h"
#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <unistd.h>

static struct arena *a;
static char folder[] = "/tmp/plimsoll-update-XXXXXX";

static const char *in_folder(const char *name) { return arena_printf(a, "%s/%s", folder, name).ptr; }

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	int rc = system(arena_printf(a, "rm -rf '%s'", folder).ptr);
	arena_free(a);
	return rc;
}

static const char *shipped_path(void)
{
	return arena_printf(a, "%s/data/advisories.plimsoll", getenv("PLIMSOLL_SOURCE")).ptr;
}

static struct str bytes_of(const char *path)
{
	struct str s;
	struct err err = { 0 };
	if (fs_read(a, path, 64 * MIB, &s, &err) != 0)
		fail_msg("%s", err.text);
	return s;
}

static void carry_shipped(struct db_builder *b, const char *but)
{
	struct db *db;
	struct err err = { 0 };
	struct db_source s;
	enum carry want[64] = { 0 };
	assert_int_equal(db_open(shipped_path(), &db, &err), 0);
	for (uint32_t i = 0; db_source(db, i, &s); i++)
		want[i] = !but || !str_eq(s.name, str_from(but)) ? CARRY_ALL : CARRY_NOT;
	assert_int_equal(db_carry(db, want, b, &err), 0);
	db_close(db);
}

/* The strongest equality there is: the shipped database, carried over whole, gives the same bytes. */
static void carried_whole_it_is_the_same_file(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct db *db;
	struct db_info info;
	assert_int_equal(db_open(shipped_path(), &db, &err), 0);
	db_info(db, &info);
	db_close(db);
	struct db_builder *b = db_builder_new();
	carry_shipped(b, NULL);
	assert_int_equal(db_builder_write(b, info.built, in_folder("whole.db"), &err), 0);
	db_builder_free(b);
	struct str old = bytes_of(shipped_path()), new = bytes_of(in_folder("whole.db"));
	assert_int_equal(old.len, new.len);
	assert_true(str_eq(old, new));
}

struct counts {
	uint64_t facts, advisories;
	int64_t date;
};

static struct counts counts_of(const struct db *db, const char *source)
{
	struct db_source s;
	for (uint32_t i = 0; db_source(db, i, &s); i++)
		if (str_eq(s.name, str_from(source)))
			return (struct counts){ s.facts, s.advisories, s.updated };
	return (struct counts){ 0 };
}

/* What other sources say is not touched by leaving one out, and nothing of that one is left. */
static void carried_without_one(void **state)
{
	(void)state;
	static const char *const names[] = { "almalinux", "wolfi", "debian-changelogs", "cisa-kev", "cve" };
	struct err err = { 0 };
	struct db *old, *new;
	assert_int_equal(db_open(shipped_path(), &old, &err), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct db_builder *b = db_builder_new();
		carry_shipped(b, names[i]);
		assert_int_equal(db_builder_write(b, 1, in_folder("part.db"), &err), 0);
		db_builder_free(b);
		assert_int_equal(db_open(in_folder("part.db"), &new, &err), 0);
		assert_int_equal(db_verify(new, &err), 0);
		for (size_t j = 0; j < COUNT_OF(names); j++) {
			struct counts was = counts_of(old, names[j]), is = counts_of(new, names[j]);
			assert_int_equal(is.facts, i == j ? 0 : was.facts);
			assert_int_equal(is.advisories, i == j ? 0 : was.advisories);
			assert_int_equal(is.date, i == j ? 0 : was.date);
		}
		struct db_vuln v;
		bool kev = db_vuln(new, STR("CVE-2021-44228"), &v) && v.kev;
		assert_int_equal(kev, !str_eq(str_from(names[i]), STR("cisa-kev")));
		db_close(new);
	}
	db_close(old);
}

/* Of a package that the new feed speaks of the old facts are gone; of another they stay. */
static void the_rest_is_carried_by_package(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct db *db;
	struct db_platform p;
	struct db_iter it;
	struct db_builder *old = db_builder_new(), *b = db_builder_new();
	struct db_source s = { .name = STR("alpine"), .licence = STR("x"), .updated = 100 };
	struct db_platform at = { .name = STR("alpine:3.19"), .complete = true };
	struct db_fact f = { .id = STR("CVE-2024-1111"), .fixed = STR("1-r0") };
	uint32_t n = db_builder_source(old, &s);
	db_builder_platform(old, &at, n);
	db_builder_fact(old, at.name, STR("main-a"), &f);
	db_builder_fact(old, at.name, STR("community-b"), &f);
	assert_int_equal(db_builder_write(old, 1, in_folder("old.db"), &err), 0);
	s.updated = 200;
	n = db_builder_source(b, &s);
	db_builder_platform(b, &at, n);
	f.fixed = STR("1-r1");
	db_builder_fact(b, at.name, STR("main-a"), &f);
	assert_int_equal(db_open(in_folder("old.db"), &db, &err), 0);
	const enum carry rest[] = { CARRY_REST };
	assert_int_equal(db_carry(db, rest, b, &err), 0);
	db_close(db);
	assert_int_equal(db_builder_write(b, 1, in_folder("new.db"), &err), 0);
	assert_int_equal(db_open(in_folder("new.db"), &db, &err), 0);
	assert_int_equal(db_platform(db, at.name, &p, &err), 0);
	assert_int_equal(db_lookup(db, &p, STR("main-a"), &it, &err), 0);
	assert_int_equal(it.left, 1);
	assert_true(db_next(&it, &f));
	assert_true(str_eq(f.fixed, STR("1-r1")));
	assert_int_equal(db_lookup(db, &p, STR("community-b"), &it, &err), 0);
	assert_true(db_next(&it, &f));
	assert_true(str_eq(f.fixed, STR("1-r0")));
	assert_int_equal(counts_of(db, "alpine").date, 200);
	db_close(db);
	db_builder_free(old);
	db_builder_free(b);
}

/* A row whose files the importers would not look at, or whose form does not exist, would never work. */
static void the_table_of_feeds(void **state)
{
	(void)state;
	struct map keys = { 0 };
	for (size_t i = 0; i < feed_row_count; i++) {
		const struct feed_row *row = &feed_rows[i];
		const struct feed *form = feed_by_name(str_from(row->form));
		struct feed_row_file f;
		bool new;
		assert_non_null(form);
		assert_ptr_equal(feed_row_find(str_from(row->name)), row);
		assert_true(row->standard != (row->why_not != NULL));
		assert_true(row->licence && row->attribution && row->cadence && row->size && row->size_max);
		assert_true(feed_row_files(row) > 0);
		for (size_t j = 0; feed_row_file(row, j, &f); j++) {
			struct str path = feed_row_path(a, row, &f), low = str_lower(a, path);
			bool fits = false;
			size_t file;
			for (size_t k = 0; k < COUNT_OF(form->paths) && form->paths[k]; k++)
				fits = fits || str_glob(str_from(form->paths[k]), low);
			if (!fits)
				fail_msg("%.*s is nothing for %s", STR_ARG(path), row->form);
			assert_ptr_equal(feed_row_of_path(path, &file), row);
			assert_int_equal(file, j);
			assert_ptr_equal(feed_row_of_path(arena_printf(a, "x/y/%.*s", STR_ARG(path)), &file), row);
			assert_null(feed_row_of_path(arena_printf(a, "x%.*s", STR_ARG(path)), &file));
			(void)map_put(a, &keys, feed_store_key(a, row, &f), &new);
			assert_true(new);
			struct str url = feed_row_url(a, row, &f, 0);
			assert_true(row->bases ? str_starts(url, STR("https://")) : url.len == 0);
		}
	}
	struct feed_row_file f;
	assert_true(feed_row_file(feed_row_find(STR("debian")), 0, &f));
	assert_true(str_eq(feed_row_url(a, feed_row_find(STR("debian")), &f, 0),
			   STR("https://security-tracker.debian.org/tracker/data/json")));
	assert_true(str_eq(feed_row_mirror_url(a, STR("http://m/x//"), feed_row_find(STR("debian")), &f),
			   STR("http://m/x/debian/tracker.json")));
}

static void dates_of_servers(void **state)
{
	(void)state;
	assert_int_equal(feed_http_date(STR("Sun, 06 Nov 1994 08:49:37 GMT")), 784111777);
	static const char *const bad[] = { "", "Sun, 06 Nov 1994 08:49:37 UTC", "Sunday, 06-Nov-94 08:49:37 GMT",
					   "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
					   "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(feed_http_date(str_from(bad[i])), 0);
}

/* --- the store --- */

static struct feed_store *store(void)
{
	struct feed_store *s;
	struct err err = { 0 };
	if (feed_store_open(in_folder("cache"), &s, &err) != 0)
		fail_msg("%s", err.text);
	return s;
}

static const struct str key = STR_INIT("cisa-kev.known_exploited_vulnerabilities.json");

static void put_part(struct feed_store *s, const char *bytes, bool complete)
{
	struct err err = { 0 };
	int fd;
	struct feed_entry e = { .url = STR("http://x/"), .etag = STR("\"1\""), .date = 5, .complete = complete };
	assert_int_equal(feed_store_write(s, key, true, &fd, &err), 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	assert_int_equal(feed_store_note(fd, &e, &err), 0);
	assert_int_equal(feed_store_begin(s, key, &err), 0);
	close(fd);
}

static void the_store_believes_only_whole_files(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct feed_entry e;
	struct feed_store *s = store();
	put_part(s, "some", false);
	feed_store_look(s, a, key, FEED_PART, &e);
	assert_true(e.there && !e.complete && e.size == 4 && str_eq(e.etag, STR("\"1\"")));
	put_part(s, "something", true);
	feed_store_look(s, a, key, FEED_PART, &e);
	assert_true(e.complete && e.size == 9 && e.date == 5);
	assert_int_equal(feed_store_keep(s, key, &err), 0);
	feed_store_look(s, a, key, FEED_PART, &e);
	assert_false(e.there);
	/* Cut at any place, or with a bit turned anywhere, it is nothing, and goes. */
	const char *path = feed_store_path(s, a, key, FEED_KEPT);
	struct str good = bytes_of(path);
	for (size_t i = 0; i < good.len + 40; i++) {
		char *bad = str_cstr(a, good);
		size_t len = i < good.len ? good.len : i - good.len + FEED_STORE_HEAD - 20;
		if (i < good.len)
			bad[i] = (char)(bad[i] ^ 1);
		if ((i > 200 && i < FEED_STORE_HEAD) || len == good.len + 9)
			continue; /* filling between the words and the bytes */
		assert_int_equal(fs_replace_unsynced(path, (struct str){ bad, len }, 0600, &err), 0);
		feed_store_look(s, a, key, FEED_KEPT, &e);
		bool words = i < 200 && i > 16; /* of the address or the validators, which are but hints */
		assert_true(!e.there || words || len == good.len);
		if (i >= FEED_STORE_HEAD)
			assert_true(!e.there || len == good.len);
	}
	feed_store_close(s);
}

static void words_of_servers_are_kept_short(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct feed_store *s = store();
	struct feed_entry e = { .url = STR("http://x/"), .etag = STR("\"1\"\nsize: 4"), .modified = STR("\x1b[31m"), .date = 5 }, got;
	int fd;
	assert_int_equal(feed_store_write(s, key, true, &fd, &err), 0);
	assert_int_equal(feed_store_note(fd, &e, &err), 0);
	assert_int_equal(feed_store_begin(s, key, &err), 0);
	close(fd);
	feed_store_look(s, a, key, FEED_PART, &got);
	assert_true(got.there && got.etag.len == 0 && got.modified.len == 0 && !got.complete);
	feed_store_close(s);
}

static void one_update_at_a_time(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct feed_store *s = store(), *other;
	assert_int_equal(feed_store_open(in_folder("cache"), &other, &err), ERR_LIMIT);
	feed_store_close(s);
	assert_int_equal(feed_store_open(in_folder("cache"), &other, &err), 0);
	/* What is of no feed, or had just begun, goes. */
	assert_int_equal(fs_replace(in_folder("cache/feeds/gone.x.feed"), STR("x"), 0600, &err), 0);
	assert_int_equal(fs_replace(in_folder("cache/feeds/gone.next"), STR("x"), 0600, &err), 0);
	feed_store_close(other);
	feed_store_close(store());
	assert_int_not_equal(access(in_folder("cache/feeds/gone.x.feed"), F_OK), 0);
	assert_int_not_equal(access(in_folder("cache/feeds/gone.next"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carried_whole_it_is_the_same_file),
		cmocka_unit_test(carried_without_one),
		cmocka_unit_test(the_rest_is_carried_by_package),
		cmocka_unit_test(the_table_of_feeds),
		cmocka_unit_test(dates_of_servers),
		cmocka_unit_test(the_store_believes_only_whole_files),
		cmocka_unit_test(words_of_servers_are_kept_short),
		cmocka_unit_test(one_update_at_a_time),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
