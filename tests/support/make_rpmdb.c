/* make_rpmdb sqlite|ndb|bdb PACKAGES.tsv OUT: a rpm database out of a list, for tests that want one in a file. */
#include "base/base.h"

#include "rpm_writer.h"

int main(int argc, char **argv)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct str text, form;
	if (argc != 4 || !test_file_read(a, argv[2], &text)) {
		fprintf(stderr, "usage: make_rpmdb sqlite|ndb|bdb PACKAGES.tsv OUT\n");
		return 2;
	}
	struct rpm_rows rows = rpm_rows_of(a, text);
	struct rpm_blobs blobs = rpm_write_headers(a, &rows);
	bool ok = false;
	form = str_from(argv[1]);
	(void)remove(argv[3]);
	if (str_eq(form, STR("sqlite")))
		ok = rpm_write_sqlite(argv[3], &blobs, 4096);
	else if (str_eq(form, STR("ndb")))
		ok = test_file_write(argv[3], rpm_write_ndb(a, &blobs, false));
	else if (str_eq(form, STR("bdb")))
		ok = rpm_write_bdb(argv[3], &blobs, 4096, false);
	if (!ok)
		fprintf(stderr, "%s: not written\n", argv[3]);
	return ok ? 0 : 1;
}
