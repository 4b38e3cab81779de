/* dpkg's status, status.d and opkg's status. Whatever comes out must be a package that the wire form can carry. */
#include "base/base.h"
#include "package/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(int (*parse)(const struct content *, struct str, struct package_sink *, struct err *), const char *path,
                 struct str text)
{
	struct package_sink sink = { .arena = arena_new() };
	struct content c = { .mem = text, .fd = -1, .size = text.len };
	struct err err = { 0 };
	(void)parse(&c, str_from(path), &sink, &err);
	for (size_t i = 0; i < sink.list.len; i++) {
		struct buf b;
		struct package back;
		buf_init(&b, MIB);
		package_encode(&b, &sink.list.ptr[i]);
		struct reader r = reader_of(buf_view(&b));
		package_decode(&r, &back);
		if (r.bad || back.name.len == 0 || back.version.len == 0 || back.source_name.len == 0 ||
		    back.source_version.len == 0)
			abort();
		buf_done(&b);
	}
	arena_free(sink.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	(void)dpkg_sniff(STR("var/lib/dpkg/status.d/x"), str_sub(text, 0, 64));
	feed(dpkg_parse, "var/lib/dpkg/status", text);
	feed(dpkg_parse, "var/lib/dpkg/status.d/x", text);
	feed(opkg_parse, "usr/lib/opkg/status", text);
	return 0;
}
