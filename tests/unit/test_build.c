/* `db build` as a whole: what it takes and passes over, a feed that fails, manifests, the shipped database. */
#include "advisory/build.h"
#include "advisory/feed_files.h"

#include "base/base.h"
#include "base/fs.h"
#include "sandbox/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/plimsoll-build-XXXXXX";
static struct arena *a;

static const char *in_folder(const char *name) { return arena_printf(a, "%s/%s", folder, name).ptr; }

static void put(const char *name, struct str text)
{
	struct err err = { 0 };
	struct str path = arena_printf(a, "%s/%s", folder, name);
	ptrdiff_t slash = str_rfind(path, '/');
	const char *parent = str_cstr(a, str_sub(path, 0, (size_t)slash));
	assert_int_equal(fs_make_dirs(parent, 0700, &err), 0);
	assert_int_equal(fs_replace(path.ptr, text, 0600, &err), 0);
}

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	sandbox_setup(true);
	if (!mkdtemp(folder))
		return -1;
	put("feeds/secdb/v3.11/main.json",
	    STR("{\"urlprefix\":\"http://"
		"x.alpinelinux.org\",\"distroversion\":\"v3.11\",\"packages\":[{\"pkg\":{\"name\":\"x\","
		"\"secfixes\":{\"1-r0\":[\"CVE-2020-1111\"]}}}]}"));
	put("feeds/secdb/v3.12/main.json", STR("{\"urlprefix\":\"broken"));
	put("feeds/samples/secdb/v3.13/main.json",
	    STR("{\"urlprefix\":\"http://x.alpinelinux.org\",\"distroversion\":\"v3.13\",\"packages\":[]}"));
	put("feeds/README.md", STR("nothing"));
	put("feeds/osv/bomb/all.zip", STR("PK\3\4 no zip at all"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	const char *command = arena_printf(a, "rm -rf '%s'", folder).ptr;
	int rc = system(command);
	arena_free(a);
	return rc;
}

static struct buf *the_log;

static void keep_line(const void *ctx, const char *line)
{
	(void)ctx;
	buf_printf(the_log, "%s\n", line);
}

static int build(const char *feeds, const char *manifest, const char *out, struct buf *log, struct err *err)
{
	struct db_build_options o = {
		.feeds = feeds, .manifest = manifest, .output = out, .built = 1700000000, .log = keep_line
	};
	buf_init(log, 1 * MIB);
	the_log = log;
	return db_build_feeds(&o, err);
}

static bool has(const struct buf *log, const char *words) { return str_contains(buf_view(log), str_from(words)); }

static void a_feed_that_fails_leaves_the_others_alone(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct buf BUF_AUTO log = { 0 };
	struct db *db;
	struct db_platform p;
	assert_int_equal(build(in_folder("feeds"), NULL, in_folder("a.db"), &log, &err), 0);
	assert_true(has(&log, "secdb/v3.11/main.json: secdb, 1 records (0 left out, 0 malformed), 1 facts"));
	assert_true(has(&log, "secdb/v3.12/main.json: left out: "));
	assert_true(has(&log, "osv/bomb/all.zip: left out: "));
	assert_false(has(&log, "samples") || has(&log, "README"));
	assert_int_equal(db_open(in_folder("a.db"), &db, &err), 0);
	assert_int_equal(db_verify(db, &err), 0);
	assert_int_equal(db_platform(db, STR("alpine:3.11"), &p, &err), 0);
	assert_int_equal(db_platform(db, STR("alpine:3.12"), &p, &err), ERR_NOT_FOUND);
	assert_int_equal(db_platform(db, STR("alpine:3.13"), &p, &err), ERR_NOT_FOUND);
	db_close(db);
}

static void samples_are_read_where_asked_for(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct buf BUF_AUTO log = { 0 };
	assert_int_equal(build(in_folder("feeds/samples"), NULL, in_folder("b.db"), &log, &err), 0);
	assert_true(has(&log, "secdb/v3.13/main.json: secdb, 0 records"));
}

static void nothing_to_build_from_is_an_error(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct buf BUF_AUTO log = { 0 };
	assert_int_equal(build(in_folder("feeds/osv"), NULL, in_folder("c.db"), &log, &err), ERR_NOT_FOUND);
	buf_done(&log);
	assert_int_equal(build(in_folder("none"), NULL, in_folder("c.db"), &log, &err), ERR_NOT_FOUND);
	assert_int_not_equal(access(in_folder("c.db"), F_OK), 0);
}

static void manifests(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		int rc;
	} cases[] = {
		{ STR_INIT("# words\n\nsecdb/v3.11/main.json | MIT | me | 2024-02-03\n"), 0 },
		{ STR_INIT("secdb/v3.11/main.json | MIT | me\n"), ERR_FORMAT },
		{ STR_INIT("secdb/v3.11/main.json | MIT | me | 2024-02-03 | more\n"), ERR_FORMAT },
		{ STR_INIT("secdb/v3.11/main.json | MIT | me | yesterday\n"), ERR_FORMAT },
		{ STR_INIT("secdb/v3.11/main.json | | me | 2024-02-03\n"), ERR_FORMAT },
		{ STR_INIT("/etc/passwd | MIT | me | 2024-02-03\n"), ERR_FORMAT },
		{ STR_INIT("../x | MIT | me | 2024-02-03\n"), ERR_FORMAT },
		{ STR_INIT("secdb/v3.11/main.json | MIT | me | 2024-02-03\nsecdb/none.json | MIT | me | 2024-02-03\n"),
		  ERR_FORMAT },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };
		struct buf BUF_AUTO log = { 0 };
		put("manifest", cases[i].text);
		int rc = build(in_folder("feeds"), in_folder("manifest"), in_folder("m.db"), &log, &err);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %d %s", i, rc, err.text);
	}
	struct err err = { 0 };
	struct db *db;
	struct db_source s;
	assert_int_equal(db_open(in_folder("m.db"), &db, &err), 0);
	assert_true(db_source(db, 0, &s) && str_eq(s.licence, STR("MIT")) && str_eq(s.attribution, STR("me")));
	assert_int_equal(s.updated, 1706918400);
	db_close(db);
}

/* --- the real feeds --- */

static const char *feeds_folder(void)
{
	const char *shared = getenv("PLIMSOLL_SHARED");
	const char *feeds = arena_printf(a, "%s/feeds", shared ? shared : "../shared").ptr;
	if (access(feeds, R_OK) != 0) {
		print_message("%s is missing: skipped\n", feeds);
		skip();
	}
	return feeds;
}

static void the_shipped_database_is_what_its_manifest_makes(void **state)
{
	(void)state;
	const char *feeds = feeds_folder();
	const char *data = arena_printf(a, "%s/data", getenv("PLIMSOLL_SOURCE")).ptr;
	const char *shipped = arena_printf(a, "%s/advisories.plimsoll", data).ptr;
	struct err err = { 0 };
	struct buf BUF_AUTO log = { 0 };
	struct db *db;
	struct db_info info;
	assert_int_equal(db_open(shipped, &db, &err), 0);
	assert_int_equal(db_verify(db, &err), 0);
	db_info(db, &info);
	db_close(db);
	struct db_build_options o = { .feeds = feeds,
				      .manifest = arena_printf(a, "%s/feeds.manifest", data).ptr,
				      .output = in_folder("shipped.db"),
				      .built = info.built,
				      .log = keep_line };
	buf_init(&log, 1 * MIB);
	the_log = &log;
	if (db_build_feeds(&o, &err) != 0)
		fail_msg("%s", err.text);
	struct str was, is;
	assert_int_equal(fs_read(a, shipped, 64 * MIB, &was, &err), 0);
	assert_int_equal(fs_read(a, in_folder("shipped.db"), 64 * MIB, &is, &err), 0);
	assert_true(str_eq(was, is));
	assert_true(was.len < 2 * MIB);
	static const struct str never[] = {
		STR_INIT("samples"), STR_INIT("osv-sampled"), STR_INIT("osv-derived"),
		STR_INIT("ubuntu"),  STR_INIT("alpine"),      STR_INIT("security-tracker")
	};
	for (size_t i = 0; i < COUNT_OF(never); i++)
		assert_false(str_contains(buf_view(&log), never[i]));
}

static void all_feeds_in_time(void **state)
{
	(void)state;
	const char *feeds = feeds_folder();
	struct err err = { 0 };
	struct buf BUF_AUTO log = { 0 };
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (build(feeds, NULL, in_folder("all.db"), &log, &err) != 0)
		fail_msg("%s", err.text);
	clock_gettime(CLOCK_MONOTONIC, &to);
	struct db *db;
	struct db_info info;
	assert_int_equal(db_open(in_folder("all.db"), &db, &err), 0);
	db_info(db, &info);
	print_message("%llu facts in %ld s, %.2f bytes a fact\n", (unsigned long long)info.fact_count,
		      (long)(to.tv_sec - from.tv_sec), (double)info.size / (double)info.fact_count);
	assert_true(info.fact_count > 600000 && info.size < 7 * info.fact_count);
	assert_false(has(&log, "samples"));
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_feed_that_fails_leaves_the_others_alone),
		cmocka_unit_test(samples_are_read_where_asked_for),
		cmocka_unit_test(nothing_to_build_from_is_an_error),
		cmocka_unit_test(manifests),
		cmocka_unit_test(the_shipped_database_is_what_its_manifest_makes),
		cmocka_unit_test(all_feeds_in_time),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
