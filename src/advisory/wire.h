/* Facts between a feed's worker and the builder, as frames. The worker keeps a number for each string and sends it
 * once; the parent believes nothing: a number that was not said, a string too long, an unknown kind end the feed. */
#ifndef PLIMSOLL_ADVISORY_WIRE_H
#define PLIMSOLL_ADVISORY_WIRE_H

#include "advisory/builder.h"
#include "advisory/feed/feed.h"
#include "base/buf.h"

/* Frames of a feed's worker. */
enum wire_frame { WIRE_FACTS = 1, WIRE_DONE };

struct wire_writer {
	void (*send)(void *ctx, struct str payload); /* one WIRE_FACTS frame */
	void *ctx;
	struct buf out;
	struct arena *arena;
	struct map strings;
};

void wire_writer_init(struct wire_writer *w, void (*send)(void *ctx, struct str payload), void *ctx);
void wire_writer_flush(struct wire_writer *w);
void wire_writer_done(struct wire_writer *w);
struct feed_sink wire_sink(struct wire_writer *w);

struct wire_reader {
	struct db_builder *b;
	struct arena *arena;
	VEC(uint32_t) strings; /* the worker's number -> the builder's */
	VEC(uint32_t) sources;
};

void wire_reader_init(struct wire_reader *r, struct db_builder *b);
void wire_reader_done(struct wire_reader *r);
/* The payload of one WIRE_FACTS frame. ERR_FORMAT; what stood before the wrong byte has been taken. */
int wire_read(struct wire_reader *r, struct str payload, struct err *err);

#endif
