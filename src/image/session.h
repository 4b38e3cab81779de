/* One image on its way from its place to its layers' facts: the parent's state. Internal to image.c, resolve.c and
 * fetch.c. */
#ifndef PLIMSOLL_IMAGE_SESSION_H
#define PLIMSOLL_IMAGE_SESSION_H

#include "image/frames.h"
#include "image/image.h"
#include "image/origin.h"

#include <sys/stat.h>

/* Where a layer lies in an archive. */
struct archive_place {
	bool found;
	uint64_t offset, size;
};

struct image_session {
	struct arena *arena;
	const struct image_options *options;
	struct image_target target;
	/* Either an archive: a file, whose parts are read by offset, or a stream ... */
	int fd;      /* -1: none (anymore) */
	bool file;
	struct stat st;
	struct worker *filler; /* who writes the stream, where an origin gave it */
	/* ... or documents and layers that somebody hands out. */
	bool has_origin;
	struct image_origin origin;
	/* What resolution found. */
	struct image_desc desc;
	bool have_desc, stream;
	struct archive_place *places;
	struct layer_facts *facts; /* streams */
	struct str *why_not;
	size_t facts_taken;
};

/* Which image, which layers: in a worker. extra: for streams, whose layers are read on the way; may be NULL. */
int session_resolve(struct image_session *s, const struct layer_extra *extra, struct err *err);
/* The layer of a stream against what the image says of it. */
int session_check_stream_layer(const struct image_session *s, size_t layer, struct err *err);

/* A layout folder as an origin; takes the descriptor. */
void layout_origin(struct arena *a, int folder, struct str name, struct image_origin *ret);

/* After something failed that reads from a pipe: the words of the worker that fills it, if it has any, for a pipe that
 * broke off looks like a broken archive from the other end. Kills the worker. */
void filler_words(struct worker *filler, struct err *err);

#endif
