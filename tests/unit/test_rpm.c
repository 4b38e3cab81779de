/* Rpm databases: known answers. Real databases against their lists; lists without a database after they have been
 * written in each form (support/rpm_writer); each from memory and from a descriptor. */
#include "../support/rpm_check.h"

#include "base/base.h"

static void real_sqlite(void **state)
{
	struct arena *a = *state;
	struct package_list list = rpm_read_db(a, SQLITE, rpm_inventory(a, "mariner-2.0/var/lib/rpm/rpmdb.sqlite"));
	assert_int_equal(list.len, 129);
	for (size_t i = 0; i < list.len; i++)
		assert_true(str_eq(list.ptr[i].vendor, STR("Microsoft Corporation")) || list.ptr[i].arch.len == 0);
}

static void real_ndb(void **state)
{
	struct arena *a = *state;
	struct package_list list =
	    rpm_read_db(a, NDB, rpm_inventory(a, "sles-15-bci/usr/lib/sysimage/rpm/Packages.db"));
	struct rpm_rows rows = rpm_rows_of(a, rpm_inventory(a, "sles-15-bci/packages.tsv"));
	assert_int_equal(rows.len, 35);
	rpm_check_list(a, "sles-15-bci", &list, &rows);
}

static void real_bdb(void **state)
{
	struct arena *a = *state;
	static const struct {
		const char *path, *row;
	} cases[] = {
		{ "bdb-libuuid",
		  "libuuid\t0\t2.32.1\t42.el8_8\tx86_64\tutil-linux-2.32.1-42.el8_8.src.rpm\tRed Hat, Inc.\t\n" },
		{ "bdb-epoch", "hello\t1\t0.0.1\trls\tx86_64\thello-0.0.1-rls.src.rpm\t\t\n" },
		{ "bdb-small", "dive\t0\t0.9.2\t1\tx86_64\tdive-0.9.2-1.src.rpm\t\t\n" },
		{ "bdb-sles", "dive\t0\t0.9.2\t1\tx86_64\tdive-0.9.2-1.src.rpm\t\t\n" },
		{ "bdb-centos", "dive\t0\t0.9.2\t1\tx86_64\tdive-0.9.2-1.src.rpm\t\t\n" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *path = str_cstr(a, arena_printf(a, "%s/var/lib/rpm/Packages", cases[i].path));
		struct package_list list = rpm_read_db(a, BDB, rpm_inventory(a, path));
		struct rpm_rows rows = rpm_rows_of(a, arena_printf(a, "\n%s", cases[i].row));
		rpm_check_list(a, cases[i].path, &list, &rows);
	}
}

static void a_database_without_the_table_is_an_error(void **state)
{
	struct arena *a = *state;
	struct str bytes = rpm_inventory(a, "sqlite-no-packages/var/lib/rpm/rpmdb.sqlite");
	struct content c = { .mem = bytes, .fd = -1, .size = bytes.len };
	struct package_sink sink = { .arena = a };
	struct err err;
	assert_int_equal(rpm_sqlite_parse(&c, STR("db"), &sink, &err), ERR_FORMAT);
	assert_string_equal(err.text, "no table Packages");
	assert_int_equal(sink.list.len, 0);
}

/* Small and large pages, and the odd variant of a form (ndb: holes; Berkeley DB: the other byte order) by turns. */
static void written(struct arena *a, enum form form)
{
	static const unsigned page_sizes[] = { 4096, 512, 65536, 1024 };
	size_t packages = 0;
	for (size_t i = 0; i < rpm_list_count; i++) {
		/* May skip, which leaves without cleaning up. */
		struct str text = rpm_inventory(a, str_cstr(a, arena_printf(a, "%s/packages.tsv", rpm_lists[i])));
		struct arena *ARENA_AUTO list_arena = arena_new();
		struct rpm_rows rows = rpm_rows_of(list_arena, text);
		struct rpm_blobs blobs = rpm_write_headers(list_arena, &rows);
		bool odd = i % 2 == 1 || str_eq(str_from(rpm_lists[i]), STR("rhel-8-ubi-s390x"));
		struct str bytes = rpm_write_db(list_arena, form, &blobs, page_sizes[i % COUNT_OF(page_sizes)], odd);
		struct package_list list = rpm_read_db(list_arena, form, bytes);
		rpm_check_list(list_arena, rpm_lists[i], &list, &rows);
		packages += rows.len;
	}
	print_message("%s: %zu lists, %zu packages written and read\n", rpm_forms[form].name, rpm_list_count, packages);
	assert_int_equal(packages, RPM_LISTS_PACKAGES);
}

static void written_sqlite(void **state) { written(*state, SQLITE); }
static void written_ndb(void **state) { written(*state, NDB); }

static void written_bdb(void **state)
{
	if (!rpm_have_db_load()) {
		print_message("skipped: no db5.3_load (package db5.3-util)\n");
		skip();
	}
	written(*state, BDB);
}

static void an_empty_database_has_no_packages(void **state)
{
	struct arena *a = *state;
	struct rpm_blobs none = { 0 };
	for (enum form f = 0; f < FORM_COUNT; f++)
		if (f != BDB || rpm_have_db_load())
			assert_int_equal(rpm_read_db(a, f, rpm_write_db(a, f, &none, 4096, false)).len, 0);
}

/* The row of the table that takes a file; a place of rpm's is never passed over in silence. */
static const char *row_of(const char *path, struct str head)
{
	for (size_t i = 0; i < package_format_count; i++)
		for (const char *const *p = package_formats[i].paths; *p; p++)
			if (str_eq(str_from(*p), str_from(path)) &&
			    (!package_formats[i].sniff || package_formats[i].sniff(str_from(path), head)))
				return package_formats[i].name;
	return "none";
}

static void the_table_finds_them(void **state)
{
	static const struct {
		const char *place, *row;
		struct str head;
	} cases[] = {
		{ "var/lib/rpm/rpmdb.sqlite", "rpm-sqlite", STR_INIT("SQLite format 3\0....") },
		{ "usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm-sqlite", STR_INIT("SQLite format 3\0") },
		{ "usr/share/rpm/rpmdb.sqlite", "rpm-sqlite", STR_INIT("SQLite format 3\0") },
		{ "usr/lib/sysimage/rpm/Packages.db", "rpm-ndb", STR_INIT("RpmP") },
		{ "var/lib/rpm/Packages.db", "rpm-ndb", STR_INIT("RpmP....") },
		{ "var/lib/rpm/Packages", "rpm-bdb", STR_INIT("0123456789ab\x61\x15\x06\0....") },
		{ "var/lib/rpm/Packages", "rpm-bdb", STR_INIT("0123456789ab\0\x06\x15\x61") },
		{ "usr/share/rpm/Packages", "rpm-bdb", STR_INIT("0123456789ab\x62\x31\x05\0") },
		{ "var/lib/rpm/Packages", "rpm", STR_INIT("0123456789ab\x61\x15\x06") },
		{ "var/lib/rpm/Packages.db", "rpm", STR_INIT("Rpm") },
		{ "var/lib/rpm/rpmdb.sqlite", "rpm", STR_INIT("SQLite format 3") },
		{ "var/lib/rpm/rpmdb.sqlite", "rpm", STR_INIT("") },
		{ "var/lib/rpm/Name", "none", STR_INIT("0123456789ab\x61\x15\x06\0") },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(row_of(cases[i].place, cases[i].head), cases[i].row);
	struct package_sink sink = { .arena = *state };
	struct err err;
	struct content empty = { .fd = -1 }, other = { .mem = STR("x"), .fd = -1, .size = 1 };
	assert_int_equal(rpm_other_parse(&empty, STR("db"), &sink, &err), ERR_FORMAT);
	assert_int_equal(rpm_other_parse(&other, STR("db"), &sink, &err), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RPM_TEST(real_sqlite),
		RPM_TEST(real_ndb),
		RPM_TEST(real_bdb),
		RPM_TEST(a_database_without_the_table_is_an_error),
		RPM_TEST(written_sqlite),
		RPM_TEST(written_ndb),
		RPM_TEST(written_bdb),
		RPM_TEST(an_empty_database_has_no_packages),
		RPM_TEST(the_table_finds_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
