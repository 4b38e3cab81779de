/* What `db update` is made of: the table of feeds, facts carried over from an older database, files kept in the cache. */
#include "advisory/carry.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carried_whole_it_is_the_same_file),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
