/* The primitives that take hostile text: globs and numbers. The first line is the pattern, the rest the text. */
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, pattern;
	uint64_t v;
	(void)str_to_u64(rest, &v);
	if (size < 4096 && str_cut(&rest, '\n', &pattern))
		(void)str_glob(pattern, rest);
	return 0;
}
