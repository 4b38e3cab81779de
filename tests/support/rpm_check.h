/* What the tests of rpm databases share: the three forms, reading one in every way, comparing with a list. */
#ifndef PLIMSOLL_TESTS_RPM_CHECK_H
#define PLIMSOLL_TESTS_RPM_CHECK_H

#include "package/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "rpm_writer.h"

enum form { SQLITE, NDB, BDB, FORM_COUNT };

struct rpm_form {
	const char *name;
	int (*parse)(const struct content *c, struct str path, struct package_sink *sink, struct err *err);
	bool (*sniff)(struct str path, struct str head);
};
extern const struct rpm_form rpm_forms[FORM_COUNT];

/* The packages.tsv lists of the inventories. */
extern const char *const rpm_lists[];
extern const size_t rpm_list_count;
#define RPM_LISTS_PACKAGES 3077

/* A folder of this run, made at first use and removed at exit with all in it. */
const char *rpm_temp(void);
/* PATH below the inventories; the test is skipped where they are missing. */
struct str rpm_inventory(struct arena *a, const char *path);
/* `what` runs as a shell command that ends well. */
void rpm_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The packages of a database, sorted, after checks: only this form's sniff says yes, no bad record, and the same from
 * memory as from a descriptor. */
struct package_list rpm_read_db(struct arena *a, enum form form, struct str bytes);
/* Write in a form; odd: holes in ndb, the other byte order in Berkeley DB. */
struct str rpm_write_db(struct arena *a, enum form form, const struct rpm_blobs *blobs, unsigned page_size, bool odd);
/* Every field of every package equals what the rows say. */
void rpm_check_list(struct arena *a, const char *what, const struct package_list *got, const struct rpm_rows *rows);

int rpm_setup(void **state);
int rpm_teardown(void **state);
#define RPM_TEST(f) cmocka_unit_test_setup_teardown(f, rpm_setup, rpm_teardown)

#endif
