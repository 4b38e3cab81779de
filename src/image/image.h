/* From a target to the facts of its layers: opens files, starts workers, checks digests, uses the cache. The parent's
 * side: it parses nothing that comes from the image but the workers' frames.
 *
 * Layers lie in files, in folders of a store, or come over a network (origin.h).
 *
 * Digests: the blob of every layer that is not a folder is hashed by a process that does nothing else, beside the worker that reads it; the
 * worker hashes what it inflates. A blob that does not match the manifest's digest, or a tar that does not match the
 * config's diff ID, ends the scan with ERR_DIGEST. */
#ifndef PLIMSOLL_IMAGE_IMAGE_H
#define PLIMSOLL_IMAGE_IMAGE_H

#include "cache/cache.h"
#include "image/layer.h"
#include "image/manifest.h"
#include "image/target.h"
#include "model/report.h"

struct image_access;

/* What this run has read before, so that images that share layers read them once: facts by digest or, for folders of a
 * store, by folder. Bounded by IMAGE_MEMO_SIZE_MAX; not shared between threads. */
struct image_memo;
struct image_memo *image_memo_new(void);
void image_memo_free(struct image_memo *m);

struct image_options {
	struct str platform;
	const struct image_access *access; /* how to get at engines and registries; may be NULL */
	const struct cache *cache;
	struct image_memo *memo;           /* may be NULL */
	struct layer_collector collector;  /* runs in workers */
	/* Called with the top layer where that lies as a folder, before layers are read: the collector's ctx may be filled
	 * then. NULL: not wanted. */
	void (*top_folder)(void *ctx, int fd);
	void *top_folder_ctx;
	unsigned collector_version;        /* part of the cache's version */
	unsigned parallel;                 /* layers read at once; 0: one a processor */
	int64_t now;                       /* Unix time */
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* stored bytes; total 0: not known. May be NULL */
	void *progress_ctx;
};

struct image_session;

struct image {
	struct image_desc desc;
	struct layer_facts *layers; /* desc.layer_count; those that are unreadable are empty */
	uint64_t *layer_sizes;      /* of the blobs as stored; 0: not known */
	int64_t verified_at;        /* not 0: digests were not computed now but then, and the file has not changed since */
	size_t cached_count;        /* layers that were not fetched, because the cache had them */
	struct str source;          /* where it was found, in words; empty where the user named the file */
	struct str_list notes;      /* of that place */
	struct image_session *session; /* what is open for a second look; image_close */
};

int image_load(struct arena *a, const struct image_target *target, const struct image_options *o, struct image *ret,
               struct err *err);
/* Everything in the arena stays good. */
void image_close(struct image *image);

/* A second look at one layer for paths that nobody knew were wanted (targets of links): reads it again and gives new
 * facts, not cached. ERR_UNSUPPORTED where the image came from a stream that cannot be had again. */
int image_reload_layer(struct image *image, size_t layer, const struct layer_extra *extra, struct layer_facts *ret,
                       struct err *err);

/* A folder (a root file system) as if it were one layer that holds only the canonical paths asked for, links resolved
 * inside the folder. paths: NULL-terminated, "DIR/" + "*" lists a folder. In a tree worker. */
struct folder_paths {
	const char *const *ptr;
	size_t count;
};
int image_load_folder(struct arena *a, const char *path, const struct image_options *o, const struct folder_paths *paths,
                      struct layer_facts *ret, struct err *err);

#endif
