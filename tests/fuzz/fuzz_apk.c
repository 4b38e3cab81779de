/* apk's installed database. Whatever comes out must have a name, a version and a source. */
#include "base/base.h"
#include "package/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_sink sink = { .arena = arena_new() };
	struct content c = { .mem = { (const char *)data, size }, .fd = -1, .size = size };
	struct err err = { 0 };
	(void)apk_parse(&c, STR("lib/apk/db/installed"), &sink, &err);
	for (size_t i = 0; i < sink.list.len; i++) {
		const struct package *p = &sink.list.ptr[i];
		if (!p->name.len || !p->version.len || !p->source_name.len || !p->source_version.len)
			abort();
	}
	arena_free(sink.arena);
	return 0;
}
