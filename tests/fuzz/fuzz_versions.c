/* The version comparers and `db compare`'s stream. Two lines are two versions: each scheme must be antisymmetric and hold a
 * version equal to itself; the whole input is read as a stream too. */
#include "base/base.h"
#include "version/versions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct version_scheme *s, struct str a, struct str b)
{
	int ab = s->compare(a, b), ba = s->compare(b, a);
	if ((ab < 0) != (ba > 0) || (ab > 0) != (ba < 0) || s->compare(a, a) != 0)
		abort();
	(void)s->valid(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str b = { (const char *)data, size }, a;
	(void)str_cut(&b, '\n', &a);
	for (size_t i = 0; i < version_scheme_count; i++) {
		check(&version_schemes[i], a, b);
		if (size == 0)
			continue;
		char out[4096];
		struct err err = { 0 };
		FILE *in = fmemopen(NULL, size + 1, "w+"), *sink = fmemopen(out, sizeof(out), "w");
		if (!in || !sink)
			abort();
		(void)fwrite(data, 1, size, in);
		rewind(in);
		(void)versions_compare_stream(&version_schemes[i], in, sink, &err);
		fclose(in);
		fclose(sink);
	}
	return 0;
}
