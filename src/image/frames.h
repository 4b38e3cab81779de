/* What image workers and their parent say to each other, and the workers' work orders. */
#ifndef PLIMSOLL_IMAGE_FRAMES_H
#define PLIMSOLL_IMAGE_FRAMES_H

#include "image/image.h"
#include "sandbox/worker.h"

enum image_frame {
	FRAME_ERROR = 1,   /* varint of the negated code, text */
	FRAME_WANT_FILE,   /* worker asks: a path in the layout folder */
	FRAME_FILE,        /* parent answers: varint of the negated code, then the content or the error's text */
	FRAME_DESC,        /* byte: facts follow (stream); image_desc; places (byte found, u64 offset, u64 size) unless a stream */
	FRAME_FACTS,       /* varint index of the layer; string: why it could not be read; layer_facts */
	FRAME_PROGRESS,    /* varint stored bytes */
	FRAME_DIGEST,      /* 32 bytes */
};

/* One order for all kinds; each worker uses its part. */
struct image_order {
	int fd;                        /* archive, blob, or standard input; -1: ask the parent for documents */
	int out;                       /* the tee: where the bytes go on to */
	uint64_t at, end;              /* part of fd; the tee: end is the most that may come, 0: any */
	bool seekable;
	struct image_choice choice;
	/* NULL: image_resolve */
	int (*resolve)(struct arena *a, const struct image_store *store, const struct image_choice *choice,
	               struct image_desc *ret, struct err *err);
	enum layer_folder_form form;   /* a store's folder */
	bool needs_trusted;
	struct layer_collector collector;
	struct layer_extra extra;
	struct folder_paths paths;     /* folders */
	struct ring *ring;             /* made by image_order_prepare */
	struct worker_io *io;          /* set by run, for progress */
};

int image_order_prepare(void *order, struct err *err);
void image_order_thread(void *order); /* feeds digests */
int image_hash_prepare(void *order, struct err *err);

int image_run_resolve(struct worker_io *io, void *order); /* archives, layouts */
int image_run_layer(struct worker_io *io, void *order);
int image_run_hash(struct worker_io *io, void *order);
int image_run_folder(struct worker_io *io, void *order);
int image_run_tree(struct worker_io *io, void *order); /* a layer that is a folder */
int image_run_tee(struct worker_io *io, void *order);  /* hashes a pipe and passes it on */

/* Worker: send an error and give the exit code that goes with it (0: the error was told). */
int image_send_error(struct worker_io *io, const struct err *err);
/* Parent: the error in a FRAME_ERROR's payload. */
int image_take_error(struct str payload, struct err *err);

#endif
