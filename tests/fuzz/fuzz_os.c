/* What names a distribution. The input is several files, parted by NUL: the n-th is that of the n-th row of os_files,
 * the last stands for all that follow. What comes out holds no control characters. */
#include "base/base.h"
#include "package/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool get(void *ctx, const char *path, struct str *ret)
{
	struct str rest = *(struct str *)ctx, part = { 0 };
	for (size_t i = 0; os_files[i]; i++) {
		if (rest.len)
			(void)str_cut(&rest, '\0', &part);
		if (str_eq(str_from(os_files[i]), str_from(path)))
			break;
	}
	*ret = part;
	return part.len > 0;
}

static void check(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = { (const char *)data, size };
	struct arena *a = arena_new();
	struct os os;
	os_detect(a, get, &input, &os);
	check(os.id);
	check(os.version);
	check(os.name);
	check(os.codename);
	check(os.id_like);
	check(os.apk_branch);
	if (os.id.len && (os.evidence.len == 0 || os.name.len == 0))
		abort();
	arena_free(a);
	return 0;
}
