/* A whole layer, as a worker reads it: inflate, tar, whiteouts and links, package databases; then its wire form, and
 * look-ups in it as one of two layers. */
#include "base/base.h"
#include "base/hash.h"
#include "image/merge.h"
#include "scan/collect.h"
#include "scan/inventory.h"

#include <pthread.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *consume(void *ring)
{
	ring_consume(ring);
	return NULL;
}

static void look_around(struct arena *a, const struct layer_facts *f)
{
	const struct layer_facts *stack[2] = { f, f };
	struct merged merged = { stack, 2 };
	struct inventory_options options = { 0 };
	struct inventory_wishes wishes;
	struct target target = { 0 };
	*vec_push(a, &target.layers) = (struct layer){ .diff_id = STR("lower") };
	*vec_push(a, &target.layers) = (struct layer){ .diff_id = STR("upper") };
	inventory_take(a, &merged, &options, &target, &wishes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	struct str bytes = { (const char *)data, size };
	struct layer_facts facts, again;
	pthread_t thread;
	if (hash_setup(&err) < 0)
		abort();
	struct ring *ring = ring_new();
	if (pthread_create(&thread, NULL, consume, ring) != 0)
		abort();
	struct layer_input in = {
		.source = source_of_str(&bytes), .hash_stored = true, .ring = ring, .collector = collect_collector(NULL),
	};
	int rc = layer_read(a, &in, &facts, &err);
	ring_close(ring);
	pthread_join(thread, NULL);
	ring_free(ring);
	if (rc < 0)
		return 0;
	struct buf BUF_AUTO wire = { 0 };
	buf_init(&wire, FRAME_SIZE_MAX);
	layer_facts_encode(&facts, &wire);
	struct reader r = reader_of(buf_view(&wire));
	layer_facts_decode(a, &r, &again);
	if (r.bad || again.entry_count != facts.entry_count)
		abort();
	look_around(a, &again);
	return 0;
}
