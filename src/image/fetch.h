/* Reading the layers of one image side by side: each by a reader and, unless its digest is known, a process that only
 * hashes it. Used by image.c alone. */
#ifndef PLIMSOLL_IMAGE_FETCH_H
#define PLIMSOLL_IMAGE_FETCH_H

#include "image/image.h"
#include "sandbox/worker.h"

#include <time.h>

#define FETCH_PARALLEL_MAX 16

struct layer_job {
	const struct image_layer *layer;
	size_t index;       /* in the image */
	int fd;             /* where the blob lies, [at, end) */
	uint64_t at, end;
	struct stat st;     /* of fd, taken before anything was read ... */
	struct timespec opened; /* ... and when (CLOCK_REALTIME) */
	/* private */
	struct worker *reader, *hasher;
	bool hashed, read, done, from_cache;
	int64_t verified_at; /* not 0: the digest was computed then */
	struct sha256 digest;
	struct str encoded;
	struct layer_facts facts;
	uint64_t progress;
};

struct fetch {
	struct arena *arena;
	const struct image_options *options;
	const struct layer_extra *extra; /* NULL: an ordinary first look, which may be cached */
	struct layer_job *jobs;
	size_t job_count;
	size_t layer_count; /* of the image, for messages */
	uint64_t total;     /* stored bytes of all jobs */
};

/* All jobs done, or the first error, with the layer named. No worker is left behind. */
int fetch_layers(struct fetch *f, struct err *err);
/* Size and times are equal. */
bool fetch_same_file(const struct stat *a, const struct stat *b);

#endif
