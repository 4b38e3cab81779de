/* YAML: whatever parses is printed as JSON, which must be read by both parsers and give the same text again. */
#include "base/json.h"
#include "base/base.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct arena *a, struct str text)
{
	struct value *v = NULL;
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 64 * MIB);
	if (json_parse(a, text, &v, NULL) != 0 || !json_print(&out, v, 0) || !str_eq(buf_view(&out), text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena ARENA_AUTO *a = arena_new();
	struct value *v = NULL;
	struct err err = { 0 };
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 16 * MIB);
	if (yaml_parse(a, (struct str){ (const char *)data, size }, &v, &err) != 0) {
		if (err.text[0] == '\0' || v)
			abort();
		return 0;
	}
	/* The list of documents is one level on top of the deepest document. */
	for (size_t i = 0; i < value_len(v); i++) {
		buf_clear(&out);
		if (json_print(&out, value_at(v, i), 0))
			check_again(a, buf_view(&out));
	}
	return 0;
}
