/* JSON: whatever parses is printed, read again and printed once more: both texts must be the same, and so must the
 * indented form once it is read. */
#include "base/json.h"
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct arena *a, struct str text, struct str want)
{
	struct value *v = NULL;
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 64 * MIB);
	if (json_parse(a, text, &v, NULL) != 0 || !json_print(&out, v, 0) || !str_eq(buf_view(&out), want))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena ARENA_AUTO *a = arena_new();
	struct value *v = NULL;
	struct err err = { 0 };
	struct buf BUF_AUTO flat = { 0 }, deep = { 0 };
	buf_init(&flat, 64 * MIB);
	buf_init(&deep, 256 * MIB);
	if (json_parse(a, (struct str){ (const char *)data, size }, &v, &err) == 0) {
		if (!json_print(&flat, v, 0) || !json_print(&deep, v, 2))
			abort();
		check_again(a, buf_view(&flat), buf_view(&flat));
		check_again(a, buf_view(&deep), buf_view(&flat));
	} else if (err.text[0] == '\0' || v) {
		abort();
	}
	return 0;
}
