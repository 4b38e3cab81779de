/* One rpm header and the package that is made of it. */
#include "package/rpm_header.h"

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct rpm_header h;
	struct package p;
	if (rpm_header_parse((struct str){ (const char *)data, size }, &h, NULL) != 0)
		return 0;
	rpm_header_package(a, &h, &p);
	if (p.name.len == 0 || p.version.len == 0 || p.source_name.len == 0 || p.source_version.len == 0)
		abort();
	return 0;
}
