/* A hostile advisory file: opened, every fact and vulnerability of it read, and looked up again. */
#include "advisory/db_internal.h"

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 4096u

static void walk(const struct db *db)
{
	struct db_source s;
	struct db_platform p;
	struct db_iter it, found;
	struct db_fact f;
	struct db_vuln v;
	struct str name;
	struct err err;
	unsigned steps = 0;
	for (uint32_t i = 0; steps < STEPS_MAX && db_source(db, i, &s); i++)
		steps++;
	for (uint32_t i = 0; steps < STEPS_MAX && db_platform_at(db, i, &p); i++) {
		(void)db_platform(db, p.name, &p, &err);
		for (uint64_t j = 0; steps++ < STEPS_MAX && db_package_at(db, &p, j, &name, &it); j++) {
			(void)db_lookup(db, &p, name, &found, &err);
			while (steps++ < STEPS_MAX && db_next(&it, &f))
				(void)db_vuln(db, f.id, &v);
		}
	}
	for (uint64_t i = 0; steps++ < STEPS_MAX * 2 && db_vuln_at(db, i, &name, &v); i++)
		;
	(void)db_broken(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct db *db;
	struct err err;
	/* Packages may share one stream of facts, so that a walk is quadratic in the file's size. */
	if (size > 256 * KIB || db_open_memory((struct str){ (const char *)data, size }, &db, &err) != 0)
		return 0;
	walk(db);
	if (size < 16 * KIB)
		(void)db_verify_records(db, &err);
	db_close(db);
	return 0;
}
