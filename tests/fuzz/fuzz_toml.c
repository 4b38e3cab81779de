/* TOML from anywhere: a tree that JSON can show, or an error in words. */
#include "base/base.h"
#include "base/json.h"
#include "base/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct value *v = NULL;
	struct err err = { 0 };
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 64 * MIB);
	int rc = toml_parse(a, (struct str){ (const char *)data, size }, &v, &err);
	if (rc == 0 && (!value_is(v, VALUE_MAP) || !json_print(&b, v, 0)))
		abort();
	if (rc < 0 && err.text[0] == '\0')
		abort();
	arena_free(a);
	return 0;
}
