/* Rpm databases: known answers. Real databases against their lists; lists without a database after they have been
 * written in each form (support/rpm_writer); each from memory and from a descriptor. */
#include "package/formats.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "../support/rpm_writer.h"

#include "base/base.h"

typedef int parse_fn(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
typedef bool sniff_fn(struct str path, struct str head);

static const struct {
	const char *name;
	parse_fn *parse;
	sniff_fn *sniff;
} forms[] = {
	{ "sqlite", rpm_sqlite_parse, rpm_sqlite_sniff },
	{ "ndb", rpm_ndb_parse, rpm_ndb_sniff },
	{ "bdb", rpm_bdb_parse, rpm_bdb_sniff },
};
enum form { SQLITE, NDB, BDB, FORM_COUNT };

static char temp[] = "/tmp/plimsoll-rpm-XXXXXX";

static const char *shared(void)
{
	const char *s = getenv("PLIMSOLL_SHARED");
	return s && access(s, R_OK) == 0 ? s : NULL;
}

static struct str inventory(struct arena *a, const char *path)
{
	if (!shared()) {
		print_message("skipped: no PLIMSOLL_SHARED\n");
		skip();
	}
	struct str text;
	if (!test_file_read(a, str_cstr(a, arena_printf(a, "%s/inventories/%s", shared(), path)), &text))
		fail_msg("no %s", path);
	return text;
}

static int compare(const void *a, const void *b)
{
	return package_cmp(a, b);
}

static void check_sink(const struct package_sink *s, const char *what)
{
	if (s->bad_records)
		fail_msg("%s: %llu bad records, first: %.*s", what, (unsigned long long)s->bad_records, STR_ARG(s->diagnostics[0]));
	for (size_t i = 0; i < s->list.len; i++) {
		assert_int_equal(s->list.ptr[i].type, PACKAGE_RPM);
		assert_true(str_eq(s->list.ptr[i].db_path, STR("db")));
	}
}

static struct package_list read_content(struct arena *a, enum form form, const struct content *c, struct str bytes)
{
	struct package_sink sink = { .arena = a };
	struct err err;
	for (enum form f = 0; f < FORM_COUNT; f++)
		assert_int_equal(forms[f].sniff(STR("db"), str_sub(bytes, 0, 64)), f == form);
	if (forms[form].parse(c, STR("db"), &sink, &err) != 0)
		fail_msg("%s: %s", forms[form].name, err.text);
	check_sink(&sink, forms[form].name);
	if (sink.list.len)
		qsort(sink.list.ptr, sink.list.len, sizeof(struct package), compare);
	return sink.list;
}

/* Both ways of holding the content give the same list. */
static struct package_list read_db(struct arena *a, enum form form, struct str bytes)
{
	char *path = str_cstr(a, arena_printf(a, "%s/content", temp));
	struct content mem = { .mem = bytes, .fd = -1, .size = bytes.len };
	assert_true(test_file_write(path, bytes));
	struct content file = { .fd = open(path, O_RDONLY), .size = bytes.len };
	assert_true(file.fd >= 0);
	struct package_list list = read_content(a, form, &mem, bytes), other = read_content(a, form, &file, bytes);
	close(file.fd);
	assert_int_equal(list.len, other.len);
	for (size_t i = 0; i < list.len; i++)
		assert_int_equal(package_cmp(&list.ptr[i], &other.ptr[i]), 0);
	return list;
}

/* What a row must become, worked out apart from the reader: the source's name is its file's name without the version,
 * release and suffix that all source packages have. */
static struct package expected(struct arena *a, const struct rpm_row *row)
{
	bool epoch = row->epoch.len && !str_eq(row->epoch, STR("0"));
	struct str prefix = epoch ? arena_printf(a, "%.*s:", STR_ARG(row->epoch)) : STR("");
	struct package p = { .type = PACKAGE_RPM, .name = row->name, .arch = row->arch, .vendor = row->vendor, .module = row->module, .db_path = STR("db") };
	p.version = arena_printf(a, "%.*s%.*s-%.*s", STR_ARG(prefix), STR_ARG(row->version), STR_ARG(row->release));
	p.source_name = row->name;
	p.source_version = p.version;
	if (row->source_rpm.len == 0)
		return p;
	struct str parts[32], rest = row->source_rpm;
	size_t n = 0;
	assert_true(str_ends(rest, STR(".src.rpm")));
	rest.len -= 8;
	while (str_cut(&rest, '-', &parts[n]))
		assert_true(++n < COUNT_OF(parts));
	assert_true(n >= 3);
	size_t tail = parts[n - 1].len + parts[n - 2].len + 2;
	p.source_name = str_sub(row->source_rpm, 0, row->source_rpm.len - 8 - tail);
	p.source_version = arena_printf(a, "%.*s%.*s-%.*s", STR_ARG(prefix), STR_ARG(parts[n - 2]), STR_ARG(parts[n - 1]));
	return p;
}

static void check_list(struct arena *a, const char *what, const struct package_list *got, const struct rpm_rows *rows)
{
	struct package *want = arena_array(a, rows->len, sizeof(*want));
	for (size_t i = 0; i < rows->len; i++)
		want[i] = expected(a, &rows->ptr[i]);
	qsort(want, rows->len, sizeof(*want), compare);
	if (got->len != rows->len)
		fail_msg("%s: %zu packages, not %zu", what, got->len, rows->len);
	for (size_t i = 0; i < rows->len; i++)
		if (package_cmp(&want[i], &got->ptr[i]) != 0)
			fail_msg("%s: %.*s %.*s (source %.*s %.*s), not %.*s %.*s", what, STR_ARG(got->ptr[i].name),
			         STR_ARG(got->ptr[i].version), STR_ARG(got->ptr[i].source_name), STR_ARG(got->ptr[i].source_version),
			         STR_ARG(want[i].name), STR_ARG(want[i].version));
}

static void real_sqlite(void **state)
{
	struct arena *a = *state;
	struct package_list list = read_db(a, SQLITE, inventory(a, "mariner-2.0/var/lib/rpm/rpmdb.sqlite"));
	assert_int_equal(list.len, 129);
	for (size_t i = 0; i < list.len; i++)
		assert_true(str_eq(list.ptr[i].vendor, STR("Microsoft Corporation")) || list.ptr[i].arch.len == 0);
}

static void real_ndb(void **state)
{
	struct arena *a = *state;
	struct package_list list = read_db(a, NDB, inventory(a, "sles-15-bci/usr/lib/sysimage/rpm/Packages.db"));
	struct rpm_rows rows = rpm_rows_of(a, inventory(a, "sles-15-bci/packages.tsv"));
	assert_int_equal(rows.len, 35);
	check_list(a, "sles-15-bci", &list, &rows);
}

static void real_bdb(void **state)
{
	struct arena *a = *state;
	static const struct {
		const char *path, *row;
	} cases[] = {
		{ "bdb-libuuid", "libuuid\t0\t2.32.1\t42.el8_8\tx86_64\tutil-linux-2.32.1-42.el8_8.src.rpm\tRed Hat, Inc.\t\n" },
		{ "bdb-epoch", "hello\t1\t0.0.1\trls\tx86_64\thello-0.0.1-rls.src.rpm\t\t\n" },
		{ "bdb-small", "dive\t0\t0.9.2\t1\tx86_64\tdive-0.9.2-1.src.rpm\t\t\n" },
		{ "bdb-sles", "dive\t0\t0.9.2\t1\tx86_64\tdive-0.9.2-1.src.rpm\t\t\n" },
		{ "bdb-centos", "dive\t0\t0.9.2\t1\tx86_64\tdive-0.9.2-1.src.rpm\t\t\n" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *path = str_cstr(a, arena_printf(a, "%s/var/lib/rpm/Packages", cases[i].path));
		struct package_list list = read_db(a, BDB, inventory(a, path));
		struct rpm_rows rows = rpm_rows_of(a, arena_printf(a, "\n%s", cases[i].row));
		check_list(a, cases[i].path, &list, &rows);
	}
}

static void a_database_without_the_table_is_an_error(void **state)
{
	struct arena *a = *state;
	struct str bytes = inventory(a, "sqlite-no-packages/var/lib/rpm/rpmdb.sqlite");
	struct content c = { .mem = bytes, .fd = -1, .size = bytes.len };
	struct package_sink sink = { .arena = a };
	struct err err;
	assert_int_equal(rpm_sqlite_parse(&c, STR("db"), &sink, &err), ERR_FORMAT);
	assert_string_equal(err.text, "no table Packages");
	assert_int_equal(sink.list.len, 0);
}

static struct str write_db(struct arena *a, enum form form, const struct rpm_blobs *blobs, unsigned page_size, bool odd)
{
	char *path = str_cstr(a, arena_printf(a, "%s/written", temp));
	struct str bytes;
	(void)unlink(path);
	if (form == NDB)
		return rpm_write_ndb(a, blobs, odd);
	if (form == SQLITE)
		assert_true(rpm_write_sqlite(path, blobs, page_size));
	else
		assert_true(rpm_write_bdb(path, blobs, page_size, odd));
	assert_true(test_file_read(a, path, &bytes));
	return bytes;
}

static const char *const lists[] = {
	"centos-5",         "centos-6-devtools", "centos-6-many",    "centos-6-plain",   "centos-7-devtools",
	"centos-7-httpd24", "centos-7-many",     "centos-7-plain",   "centos-7-python35", "centos-8-modular",
	"rhel-8-ubi-s390x", "sles-15-bci",       "fedora-35-sqlite", "fedora-35-mongodb", "rocky-9",
};

/* Small and large pages, and the odd variant of a form (ndb: holes; Berkeley DB: the other byte order) by turns. */
static void written(struct arena *a, enum form form)
{
	static const unsigned page_sizes[] = { 4096, 512, 65536, 1024 };
	size_t packages = 0;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct arena *ARENA_AUTO list_arena = arena_new();
		struct str text = inventory(a, str_cstr(a, arena_printf(a, "%s/packages.tsv", lists[i])));
		struct rpm_rows rows = rpm_rows_of(list_arena, text);
		struct rpm_blobs blobs = rpm_write_headers(list_arena, &rows);
		bool odd = i % 2 == 1 || str_eq(str_from(lists[i]), STR("rhel-8-ubi-s390x"));
		struct str bytes = write_db(list_arena, form, &blobs, page_sizes[i % COUNT_OF(page_sizes)], odd);
		struct package_list list = read_db(list_arena, form, bytes);
		check_list(list_arena, lists[i], &list, &rows);
		packages += rows.len;
	}
	print_message("%s: %zu lists, %zu packages written and read\n", forms[form].name, COUNT_OF(lists), packages);
	assert_int_equal(packages, 3077);
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
			assert_int_equal(read_db(a, f, write_db(a, f, &none, 4096, false)).len, 0);
}

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(real_sqlite, setup, teardown),
		cmocka_unit_test_setup_teardown(real_ndb, setup, teardown),
		cmocka_unit_test_setup_teardown(real_bdb, setup, teardown),
		cmocka_unit_test_setup_teardown(a_database_without_the_table_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(written_sqlite, setup, teardown),
		cmocka_unit_test_setup_teardown(written_ndb, setup, teardown),
		cmocka_unit_test_setup_teardown(written_bdb, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_database_has_no_packages, setup, teardown),
	};
	if (!mkdtemp(temp))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	char path[64];
	static const char *const left[] = { "content", "written", "written-wal", "written-shm" };
	for (size_t i = 0; i < COUNT_OF(left); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", temp, left[i]);
		(void)unlink(path);
	}
	(void)rmdir(temp);
	return failed;
}
