/* What the fuzz targets of feeds share: one file's bytes under a fixed name through an importer, its facts over the
 * wire into a builder, as `db build` does it. */
#ifndef PLIMSOLL_TESTS_FEED_FUZZ_H
#define PLIMSOLL_TESTS_FEED_FUZZ_H

#include "advisory/wire.h"

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void feed_fuzz_send(void *ctx, struct str payload)
{
	struct err err;
	/* What our own end says must be understood. */
	if (wire_read(ctx, payload, &err) != 0)
		abort();
}

static inline void feed_fuzz(const char *path, const uint8_t *data, size_t size)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct feed_input in = { .path = str_from(path), .bytes = { (const char *)data, size }, .arena = a };
	const struct feed *f = feed_recognise(&in);
	struct db_builder *b = db_builder_new();
	struct wire_reader r;
	struct wire_writer w;
	struct err err;
	wire_reader_init(&r, b);
	wire_writer_init(&w, feed_fuzz_send, &r);
	struct feed_sink sink = wire_sink(&w);
	if (f)
		(void)f->import(&in, &sink, &err);
	feed_done(&in);
	wire_writer_flush(&w);
	wire_writer_done(&w);
	wire_reader_done(&r);
	db_builder_free(b);
}

#endif
