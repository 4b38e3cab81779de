/* Where an image lies: what a store, an engine or a registry must be able to do so that image.c can read an image from
 * it. All of this is the parent's side, except for `resolve`, which runs in a bytes worker on hostile documents.
 *
 * The way of an image: open (find the store, ask whether it knows the reference) -> resolve in a worker, which asks for
 * documents by name; the parent hands them over with `read` -> the description: config, layers, digests -> `complete` ->
 * for each layer `place`: a part of a file, a folder, or bytes that come over a pipe -> workers read them -> close.
 * Or, where all that can be had is an archive (an engine's API): `archive` gives a stream of it, and nothing else is asked. */
#ifndef PLIMSOLL_IMAGE_ORIGIN_H
#define PLIMSOLL_IMAGE_ORIGIN_H

#include "image/layer.h"
#include "image/manifest.h"
#include "model/report.h"

struct image_options;
struct worker;

enum layer_place_kind {
	PLACE_PART,   /* bytes of a file: [at, end) of fd. Hashed beside, cached, as for archives */
	PLACE_FOLDER, /* a folder that holds the layer's files. Not hashed, not cached */
	PLACE_STREAM, /* bytes that come once: `stream` starts them. Hashed on the way, cached, not fetched where cached */
};

struct layer_place {
	enum layer_place_kind kind;
	int fd;           /* PART, FOLDER: O_CLOEXEC; closed by image.c */
	uint64_t at, end; /* PART */
	enum layer_folder_form form;
	bool needs_trusted; /* FOLDER: opaque folders are in trusted.* attributes: without CAP_SYS_ADMIN it cannot be read */
	uint64_t size;    /* STREAM: as the manifest says, 0: unknown; a byte more is an error */
	struct str share; /* FOLDER: names the folder in this run ("overlay2/CACHEID"): two images with it read it once */
};

struct image_origin {
	struct str source; /* for the report, in words: "Docker's overlay2 store in /var/lib/docker", "registry quay.io" */
	void *ctx;
	/* In the worker. NULL: image_resolve. choice.reference is what open left in `reference`. */
	int (*resolve)(struct arena *a, const struct image_store *store, const struct image_choice *choice,
	               struct image_desc *ret, struct err *err);
	struct str reference;
	/* A document by its name, which is the worker's word: check it before it becomes a path or a URL. */
	int (*read)(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err);
	/* After resolve; may check, and may append layers (a container's upper folder: diff_id "container"). May be NULL. */
	int (*complete)(void *ctx, struct arena *a, struct image_desc *d, struct err *err);
	/* d->layers[layer] is the worker's word. */
	int (*place)(void *ctx, struct arena *a, const struct image_desc *d, size_t layer, struct layer_place *ret,
	             struct err *err);
	/* A pipe's reading end and the worker that fills it, which must end well for the bytes to count. Frames of the worker
	 * are ignored but for FRAME_ERROR (image/frames.h). A worker that finds that nobody reads any more (EPIPE) ends without
	 * a word: whoever stopped reading has said why. */
	int (*stream)(void *ctx, const struct image_desc *d, size_t layer, int *ret_fd, struct worker **ret_worker,
	              struct err *err);
	/* A docker-archive or oci-archive as a stream; where set, resolve, read, place are not used. */
	int (*archive)(void *ctx, int *ret_fd, struct worker **ret_worker, struct err *err);
	/* After the layers were read and before their facts count: whether folders that were read in place are still what
	 * they were (a store that cleans up removes files one by one, under a reader's feet). May be NULL. */
	int (*settled)(void *ctx, struct err *err);
	void (*close)(void *ctx);
	struct str_list notes; /* for the report: "digests of file contents were not checked", "credentials of ..." */
};

/* What the user said about how to get at images; all may be empty. */
struct image_access {
	const char *host;            /* -H: unix:///..., tcp://..., ssh://... */
	struct str username, password;
	const char *cacert;
	bool insecure;
	bool offline;                /* no network: registries and remote engines are refused */
};

/* A kind of place that images lie in. The table is image_stores[] in image/stores.c, in the order in which a name without
 * a prefix is looked for. */
struct image_opener {
	const char *prefix; /* "docker": target "docker:REF" */
	const char *title;  /* "Docker" */
	bool remote;        /* a registry: asked last, and not by --all */
	/* ERR_NOT_FOUND: no such image here; ERR_ABSENT: no such store on this machine (the text says what was looked for);
	 * ERR_ACCESS: it is there but may not be read. Other errors end the search. */
	int (*open)(struct arena *a, struct str reference, const struct image_options *o, struct image_origin *ret,
	            struct err *err);
	/* A container by name or id, running or not, its image's layers and its own on top. NULL: has none. */
	int (*open_container)(struct arena *a, struct str name, const struct image_options *o, struct image_origin *ret,
	                      struct err *err);
	/* References of all images (an image without a name: its id). NULL: cannot list. */
	int (*list)(struct arena *a, const struct image_options *o, struct str_list *ret, struct err *err);
};

extern const struct image_opener store_docker;

extern const struct image_opener *const image_stores[];
extern const size_t image_store_count;

#endif
