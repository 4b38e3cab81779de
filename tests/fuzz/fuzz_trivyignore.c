/* .trivyignore from anywhere: each ignore that comes out has an id and, if any, a real date; none leaks out of a file
 * that is refused. */
#include "base/base.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct policy p;
	struct err err = { 0 };
	policy_init(&p);
	int code = policy_add_trivyignore(a, &p, STR("f"), (struct str){ (const char *)data, size }, &err);
	if (code < 0 && p.ignores.len)
		abort();
	for (size_t i = 0; i < p.ignores.len; i++) {
		const struct ignore *g = &p.ignores.ptr[i];
		if (g->id.len == 0 || (g->until.len && !policy_is_date(g->until)))
			abort();
	}
	arena_free(a);
	return 0;
}
