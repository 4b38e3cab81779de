/* What a worker that has gone over to the enemy might answer: the facts of a layer, read and used by the parent. */
#include "base/base.h"
#include "image/merge.h"
#include "scan/collect.h"
#include "scan/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct reader r = reader_of((struct str){ (const char *)data, size });
	struct layer_facts f;
	layer_facts_decode(a, &r, &f);
	if (r.bad)
		return 0;
	const struct layer_facts *stack[2] = { &f, &f };
	struct merged merged = { stack, 2 };
	struct inventory_options options = { 0 };
	struct inventory_wishes wishes;
	struct target target = { 0 };
	*vec_push(a, &target.layers) = (struct layer){ .diff_id = STR("lower") };
	*vec_push(a, &target.layers) = (struct layer){ .diff_id = STR("upper") };
	inventory_take(a, &merged, &options, &target, &wishes);
	return 0;
}
