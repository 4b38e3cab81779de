/* Reading the layers of one image side by side: each by a reader and, unless its digest is known, a process that only
 * hashes it. Used by image.c alone. */
#ifndef PLIMSOLL_IMAGE_FETCH_H
#define PLIMSOLL_IMAGE_FETCH_H

#include "image/image.h"
#include "image/origin.h"
#include "sandbox/worker.h"

#include <time.h>

#define FETCH_PARALLEL_MAX 16

struct layer_job {
	const struct image_layer *layer;
	size_t index;           /* in the image */
	struct layer_place place;
	struct stat st;         /* PLACE_PART: of the file, taken before anything was read ... */
	struct timespec opened; /* ... and when (CLOCK_REALTIME) */
	/* private */
	struct worker *reader, *hasher;
	struct worker *filler;  /* PLACE_STREAM: who writes the pipe that hasher reads */
	bool hashed, read, done, from_cache;
	int64_t verified_at;    /* not 0: the digest was computed then */
	struct sha256 digest;
	struct str encoded;
	struct layer_facts facts;
	uint64_t progress;
};

struct image_session;

struct fetch {
	struct arena *arena;
	const struct image_options *options;
	struct image_session *session;
	const struct layer_extra *extra; /* NULL: an ordinary first look, which may be cached */
	struct layer_job *jobs;
	size_t job_count;
	uint64_t total;     /* stored bytes of all jobs */
};

/* Stored bytes, 0: not known. */
uint64_t fetch_size(const struct layer_job *j);
/* All jobs done, or the first error, with the layer named. No worker is left behind. */
int fetch_layers(struct fetch *f, struct err *err);
/* Size and times are equal. */
bool fetch_same_file(const struct stat *a, const struct stat *b);

#endif
