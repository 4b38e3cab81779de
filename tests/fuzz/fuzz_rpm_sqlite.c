/* A rpm database in SQLite form: SQLite itself on hostile bytes. */
#include "package/formats.h"

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct package_sink sink = { .arena = a };
	struct content c = { .mem = { (const char *)data, size }, .fd = -1, .size = size };
	(void)rpm_sqlite_parse(&c, STR("db"), &sink, NULL);
	return 0;
}
