/* /proc/PID/maps and mountinfo with names that others chose, and the worker's answer: only clean paths, only whole answers. */
#include "base/base.h"
#include "host/mapped_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct str text = { (const char *)data, size };
	struct mapped_set s = { .arena = a };
	struct mapped_mount m, again;
	struct buf BUF_AUTO b = { 0 };
	mapped_set_maps(&s, STR("/"), text);
	mapped_set_maps(&s, STR("/srv"), text);
	for (size_t i = 0; i < s.paths.len; i++)
		if (!mapped_path_clean(s.paths.entries[i].key))
			abort();
	mapped_mount_parse(a, text, &m);
	(void)mapped_unescape_upper(a, m.upper);
	buf_init(&b, 64 * MIB);
	mapped_mount_encode(&m, &b);
	struct reader r = reader_of(buf_view(&b));
	mapped_mount_decode(&r, &again);
	if (r.bad || !str_eq(again.upper, m.upper) || again.found != m.found)
		abort();
	r = reader_of(text);
	mapped_mount_decode(&r, &again);
	return 0;
}
