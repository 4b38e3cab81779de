/* Zip: every member is walked and read. What is read must have the stated size, and all members together stay under
 * what their bytes can inflate to. */
#include "base/zip.h"
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_member(struct zip *z, const struct zip_member *m)
{
	struct buf BUF_AUTO out = { 0 };
	struct err err = { 0 };
	buf_init(&out, 4 * MIB);
	(void)buf_put(&out, STR("kept"));
	int r = zip_read(z, m, &out, &err);
	size_t want = r == 0 ? 4 + (size_t)m->size : 4;
	if (out.len != want || memcmp(out.ptr, "kept", 4) != 0 || (r != 0 && err.text[0] == '\0'))
		abort();
	return out.len - 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zip z;
	struct zip_member m;
	struct err err = { 0 };
	uint64_t total = 0;
	if (zip_open((struct str){ (const char *)data, size }, &z, &err) != 0)
		return 0;
	while (zip_next(&z, &m, &err) == 1)
		total += read_member(&z, &m);
	if (total > 1033 * (uint64_t)size)
		abort();
	zip_close(&z);
	return 0;
}
