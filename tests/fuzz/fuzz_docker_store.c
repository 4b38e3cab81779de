/* Documents of Docker's store: the first byte says which. What is found in them has the form that the parent relies on. */
#include "base/base.h"
#include "base/hash.h"
#include "image/docker_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_config(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	(void)a;
	(void)name;
	(void)size_max;
	(void)err;
	*ret = *(const struct str *)ctx;
	return 0;
}

static void config(struct arena *a, struct str text, struct err *err)
{
	struct image_store store = { .read = read_config, .ctx = &text };
	struct sha256 digest = sha256_of(text), parsed;
	char id[DIGEST_TEXT_LEN + 1];
	struct image_choice choice = { .reference = sha256_text(&digest, id) };
	struct image_desc d;
	if (docker_resolve(a, &store, &choice, &d, err) < 0)
		return;
	for (size_t i = 0; i < d.layer_count; i++)
		if (!sha256_parse(d.layers[i].diff_id, &parsed))
			abort();
}

static void repositories(struct arena *a, struct str text, struct err *err)
{
	struct str_list names = { 0 }, ids = { 0 };
	struct str hex;
	if (docker_find_tags(a, text, &names, &ids, err) < 0)
		return;
	for (size_t i = 0; i < names.len; i++)
		if (!docker_hex_ok(ids.ptr[i]) || names.ptr[i].len > REFERENCE_LEN_MAX)
			abort();
	if (docker_find_image(a, text, STR("a:1"), &hex, err) == 0 && !docker_hex_ok(hex))
		abort();
}

static void familiar(struct arena *a, struct str text, struct err *err)
{
	struct str name;
	if (docker_familiar(a, text, &name, err) == 0 &&
	    (!ascii_alnum(name.ptr[0]) || name.len > REFERENCE_LEN_MAX || str_contains(name, STR("..")) || str_find(name, '\n') >= 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct docker_container c;
	struct err err = { 0 };
	if (size == 0 || size > 65536 || hash_setup(&err) < 0)
		return 0;
	struct str text = { (const char *)data + 1, size - 1 };
	switch (data[0] & 3) {
	case 0:
		config(a, text, &err);
		break;
	case 1:
		repositories(a, text, &err);
		break;
	case 2:
		if (docker_container_parse(a, text, &c, &err) == 0 && !docker_hex_ok(c.image))
			abort();
		break;
	default:
		familiar(a, text, &err);
	}
	return 0;
}
