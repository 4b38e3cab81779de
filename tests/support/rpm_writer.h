/* Writes rpm databases for tests, in the three forms, out of package lists: so that lists whose database is not at
 * hand can be read back. It shares no code with the readers. Berkeley DB files are made by db5.3_load, SQLite's by the
 * library; both and rpm itself can therefore say whether what is written here is right. */
#ifndef PLIMSOLL_TESTS_RPM_WRITER_H
#define PLIMSOLL_TESTS_RPM_WRITER_H

#include "base/buf.h"
#include "base/vec.h"

/* A line of packages.tsv: name, epoch, version, release, arch, sourcerpm, vendor, modularity. */
struct rpm_row {
	struct str name, epoch, version, release, arch, source_rpm, vendor, module;
};

struct rpm_rows {
	struct rpm_row *ptr;
	size_t len, cap;
};

struct rpm_blobs {
	struct str *ptr;
	size_t len, cap;
};

/* The rows of a list with its line of titles. Slices point into text. */
struct rpm_rows rpm_rows_of(struct arena *a, struct str text);

/* One header, as rpm stores an installed package: a region, then what installation added. `seed` varies what must not
 * matter: the length of the texts (10 bytes to 20 KB), whether an epoch of 0 is written or left out. */
struct str rpm_write_header(struct arena *a, const struct rpm_row *row, unsigned seed);
struct rpm_blobs rpm_write_headers(struct arena *a, const struct rpm_rows *rows);

/* path must not exist. */
bool rpm_write_sqlite(const char *path, const struct rpm_blobs *blobs, unsigned page_size);
/* With `holes`, every seventh slot stays empty, as after removals. */
struct str rpm_write_ndb(struct arena *a, const struct rpm_blobs *blobs, bool holes);
/* False where db5.3_load is missing or fails. big: big-endian, as on s390x. */
bool rpm_write_bdb(const char *path, const struct rpm_blobs *blobs, unsigned page_size, bool big);
bool rpm_have_db_load(void);

/* Whole files, for tests. A missing file gives false. */
bool test_file_read(struct arena *a, const char *path, struct str *ret);
bool test_file_write(const char *path, struct str bytes);

#endif
