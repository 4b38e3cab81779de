/* The living rpm as a witness: what it lists is what we read. It reads the databases that our writer made (so the
 * writer, too, is right), the real ones, and ones that it made itself out of packages and a key. Debian's rpm knows
 * SQLite and, for reading, Berkeley DB, but not ndb. */
#include "../support/rpm_check.h"

#include <unistd.h>

#include "base/base.h"

#define QUERY                                                                                                          \
	"%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t%{VENDOR}\\t%{MODULARITYLABEL}\\n"

static const char key[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
			  "\n"
			  "mDMEawX5JRYJKwYBBAHaRw8BAQdAMtZieHKERmC+zF921APUO3IgAtwBo0CuiZF0\n"
			  "hple1iS0IFBsaW1zb2xsIHRlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJAEExYIADgW\n"
			  "IQRaD3xdSgcGQ5Eg9gj9wwsP8KpXpwUCawX5JQIbAwULCQgHAgYVCgkICwIEFgID\n"
			  "AQIeAQIXgAAKCRD9wwsP8KpXp/wwAQDE1s0ORe4nR9KpnruTDycGegVq0Uz2Lhjv\n"
			  "jlcvnz3xjAD9G4MjFztqRbeoExtZfzWQGy03t0q3QF/CLXQFXWJgygU=\n"
			  "=xNbt\n"
			  "-----END PGP PUBLIC KEY BLOCK-----\n";

static const char spec[] = "Name: plimsoll-tiny\n"
			   "Version: 1.0~rc1\n"
			   "Release: 2.el9\n"
			   "Epoch: 3\n"
			   "Summary: s\n"
			   "License: MIT\n"
			   "Vendor: Acme, Inc.\n"
			   "BuildArch: noarch\n"
			   "ModularityLabel: tiny:1:20200101:deadbeef\n"
			   "%description\n"
			   "d\n"
			   "%package -n other-tiny-libs\n"
			   "Summary: o\n"
			   "Epoch: 0\n"
			   "%description -n other-tiny-libs\n"
			   "%files\n"
			   "%files -n other-tiny-libs\n";

static void need_rpm(void)
{
	if (access("/usr/bin/rpm", X_OK) != 0 || access("/usr/bin/rpmbuild", X_OK) != 0) {
		print_message("skipped: no rpm\n");
		skip();
	}
}

/* An empty folder for a database. */
static char *make_dir(struct arena *a, const char *name)
{
	char *dir = str_cstr(a, arena_printf(a, "%s/%s", rpm_temp(), name));
	rpm_run("rm -rf '%s' && mkdir '%s'", dir, dir);
	return dir;
}

static struct str without_none(struct str s) { return str_eq(s, STR("(none)")) ? (struct str){ 0 } : s; }

/* `rpm -qa` of the database in dir. */
static struct rpm_rows ask_rpm(struct arena *a, const char *dir, const char *backend)
{
	struct str text;
	char *out = str_cstr(a, arena_printf(a, "%s/answer", rpm_temp()));
	rpm_run("LC_ALL=C rpm --define '_db_backend %s' --dbpath '%s' -qa --qf '%s' >'%s' 2>'%s.err'", backend, dir,
		QUERY, out, out);
	assert_true(test_file_read(a, out, &text));
	struct rpm_rows rows = rpm_rows_of(a, arena_printf(a, "\n%.*s", STR_ARG(text)));
	for (size_t i = 0; i < rows.len; i++) {
		struct rpm_row *r = &rows.ptr[i];
		struct str *const cells[] = { &r->arch, &r->source_rpm, &r->vendor, &r->module };
		for (size_t k = 0; k < COUNT_OF(cells); k++)
			*cells[k] = without_none(*cells[k]);
	}
	return rows;
}

/* rpm gets a copy: it may write to what it opens. */
static size_t agree(struct arena *a, enum form form, const char *what, struct str bytes)
{
	char *dir = make_dir(a, "db");
	char *file = str_cstr(a, arena_printf(a, "%s/%s", dir, form == BDB ? "Packages" : "rpmdb.sqlite"));
	assert_true(test_file_write(file, bytes));
	if (form == SQLITE) /* adds the index tables that our writer leaves out and rpm insists on */
		rpm_run("rpm --dbpath '%s' --initdb 2>/dev/null", dir);
	struct rpm_rows rows = ask_rpm(a, dir, form == BDB ? "bdb_ro" : "sqlite");
	struct package_list list = rpm_read_db(a, form, bytes);
	rpm_check_list(a, what, &list, &rows);
	return list.len;
}

static void real_databases(void **state)
{
	struct arena *a = *state;
	static const char *const bdb[] = { "bdb-libuuid", "bdb-epoch", "bdb-small", "bdb-sles", "bdb-centos" };
	need_rpm();
	for (size_t i = 0; i < COUNT_OF(bdb); i++) {
		char *path = str_cstr(a, arena_printf(a, "%s/var/lib/rpm/Packages", bdb[i]));
		assert_int_equal(agree(a, BDB, bdb[i], rpm_inventory(a, path)), 1);
	}
	assert_int_equal(agree(a, SQLITE, "mariner-2.0", rpm_inventory(a, "mariner-2.0/var/lib/rpm/rpmdb.sqlite")),
			 129);
}

static void written_databases(struct arena *a, enum form form)
{
	size_t packages = 0;
	for (size_t i = 0; i < rpm_list_count; i++) {
		struct arena *ARENA_AUTO list_arena = arena_new();
		char *path = str_cstr(a, arena_printf(a, "%s/packages.tsv", rpm_lists[i]));
		struct rpm_rows rows = rpm_rows_of(list_arena, rpm_inventory(a, path));
		struct rpm_blobs blobs = rpm_write_headers(list_arena, &rows);
		packages +=
		    agree(list_arena, form, rpm_lists[i], rpm_write_db(list_arena, form, &blobs, 4096, i % 2 == 1));
	}
	assert_int_equal(packages, RPM_LISTS_PACKAGES);
}

static void written_sqlite(void **state)
{
	need_rpm();
	written_databases(*state, SQLITE);
}

static void written_bdb(void **state)
{
	need_rpm();
	if (!rpm_have_db_load()) {
		print_message("skipped: no db5.3_load (package db5.3-util)\n");
		skip();
	}
	written_databases(*state, BDB);
}

static void packages_and_a_key_that_rpm_installed(void **state)
{
	struct arena *a = *state;
	need_rpm();
	char *dir = make_dir(a, "installed"), *top = make_dir(a, "build");
	assert_true(test_file_write(str_cstr(a, arena_printf(a, "%s/key", top)), str_from(key)));
	assert_true(test_file_write(str_cstr(a, arena_printf(a, "%s/tiny.spec", top)), str_from(spec)));
	rpm_run("rpmbuild --define '_topdir %s' -bb '%s/tiny.spec' >/dev/null 2>&1", top, top);
	rpm_run(
	    "rpm --dbpath '%s' --initdb && rpm --dbpath '%s' --justdb --nodeps -i '%s'/RPMS/noarch/*.rpm 2>/dev/null",
	    dir, dir, top);
	rpm_run("rpm --dbpath '%s' --import '%s/key'", dir, top);
	struct rpm_rows rows = ask_rpm(a, dir, "sqlite");
	struct str bytes;
	assert_int_equal(access(str_cstr(a, arena_printf(a, "%s/rpmdb.sqlite-wal", dir)), F_OK), 0);
	assert_true(test_file_read(a, str_cstr(a, arena_printf(a, "%s/rpmdb.sqlite", dir)), &bytes));
	struct package_list list = rpm_read_db(a, SQLITE, bytes);
	rpm_check_list(a, "installed", &list, &rows);
	assert_int_equal(list.len, 3);
	assert_true(str_eq(list.ptr[0].name, STR("gpg-pubkey")) && list.ptr[0].arch.len == 0);
	assert_true(str_eq(list.ptr[1].name, STR("other-tiny-libs")));
	assert_true(str_eq(list.ptr[1].version, STR("1.0~rc1-2.el9")));
	assert_true(str_eq(list.ptr[1].source_name, STR("plimsoll-tiny")));
	assert_true(str_eq(list.ptr[2].version, STR("3:1.0~rc1-2.el9")));
	assert_true(str_eq(list.ptr[2].module, STR("tiny:1:20200101:deadbeef")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RPM_TEST(real_databases),
		RPM_TEST(written_sqlite),
		RPM_TEST(written_bdb),
		RPM_TEST(packages_and_a_key_that_rpm_installed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
