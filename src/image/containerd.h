/* containerd's metadata: what store_containerd.c asks of meta.db and the snapshotters' metadata.db. The files are parsed
 * in a bytes worker (image names and labels come from strangers); the parent sees the answers below, whose texts are the
 * worker's word: for words only, but for digests (checked) and snapshot numbers (numbers).
 *
 * meta.db: v1/NAMESPACE/images/NAME/target{digest,mediatype}, .../containers/ID{image,snapshotter,snapshotKey,labels},
 * .../snapshots/SNAPSHOTTER/KEY{name,parent}, where KEY is a chain ID for what was unpacked. metadata.db of a snapshotter:
 * v1/snapshots/NAME{id,kind,parent}. */
#ifndef PLIMSOLL_IMAGE_CONTAINERD_H
#define PLIMSOLL_IMAGE_CONTAINERD_H

#include "base/content.h"
#include "image/manifest.h"
#include "image/origin.h"

/* The snapshotters whose folders are read; an index into containerd_snapshotters. */
enum { SNAPSHOTTER_OVERLAYFS, SNAPSHOTTER_NATIVE, SNAPSHOTTER_COUNT };
struct containerd_snapshotter {
	const char *name;
	const char *database;
	const char *folder, *files; /* a snapshot is folder, its number, files */
	enum layer_folder_form form;
};
extern const struct containerd_snapshotter containerd_snapshotters[SNAPSHOTTER_COUNT];

/* One daemon's files, open. Databases that are not there are -1. */
struct containerd_root {
	int fd;
	const char *path;
	int meta_fd;
	int snapshot_fds[SNAPSHOTTER_COUNT];
};

/* How well a record fits what was asked for; the best ones alone count. */
enum containerd_fit { FIT_NAME, FIT_SHORT_NAME, FIT_DIGEST, FIT_PREFIX, FIT_NONE };

struct containerd_image {
	struct str space; /* namespace */
	struct str name;
	struct str digest, media; /* of the target */
	enum containerd_fit fit;
};

struct containerd_images {
	struct containerd_image *ptr;
	size_t len, cap;
	struct str spaces; /* the namespaces that were looked at, ", "-separated */
};

/* A snapshot: its key (a chain ID, or whatever a container's is called) and its number in each snapshotter. */
struct containerd_snapshot {
	struct str key;
	bool found[SNAPSHOTTER_COUNT];
	uint64_t number[SNAPSHOTTER_COUNT];
	struct str elsewhere; /* a snapshotter that has it and is not read; may be empty */
};

struct containerd_container {
	struct str space, id;
	struct str title; /* "NAMESPACE/POD/NAME" of a pod's container, or empty */
	struct str image, snapshotter;
	struct str digest, media; /* of the image's target; empty where the image is gone */
	enum containerd_fit fit;
	/* Of a single best one: its own snapshot first, then its parents down to the lowest layer. */
	struct containerd_snapshot *chain;
	size_t chain_len;
};

struct containerd_containers {
	struct containerd_container *ptr;
	size_t len, cap;
	struct str spaces;
};

/* wanted empty: all. space empty: all namespaces. */
int containerd_ask_images(struct arena *a, const struct containerd_root *root, struct str space, struct str wanted,
                          struct containerd_images *ret, struct err *err);
int containerd_ask_containers(struct arena *a, const struct containerd_root *root, struct str space, struct str wanted,
                              struct containerd_containers *ret, struct err *err);
/* Fills the rest for each key, committed snapshots alone. */
int containerd_ask_snapshots(struct arena *a, const struct containerd_root *root, struct str space,
                             struct containerd_snapshot *ptr, size_t len, struct err *err);

/* The questions themselves, as they run in the worker (and under the fuzzer), and the answers' decoding. */
enum containerd_ask { ASK_IMAGES, ASK_CONTAINERS, ASK_SNAPSHOTS };
struct containerd_question {
	enum containerd_ask ask;
	struct content meta;
	struct content snapshots[SNAPSHOTTER_COUNT];
	bool have[SNAPSHOTTER_COUNT];
	struct str space, wanted;
	const struct containerd_snapshot *keys;
	size_t key_count;
};
int containerd_answer(struct arena *a, const struct containerd_question *q, struct buf *out, struct err *err);
/* How well an image's name or digest fits a reference. */
enum containerd_fit containerd_image_fit(struct arena *a, struct str wanted, struct str name, struct str digest);

/* In the worker: image_origin.resolve. choice.reference is "DIGEST MEDIATYPE NAME", or "- - NAME" where only a
 * container's snapshots are left. */
int containerd_resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                       struct image_desc *ret, struct err *err);

/* Where daemons have their files, whether these exist or not. A root in `only` is the only one. */
struct containerd_places {
	const char **ptr;
	size_t len, cap;
};
void containerd_places(struct arena *a, struct str only, struct containerd_places *ret);
/* The root of a config.toml; empty where it says nothing. */
struct str containerd_config_root(struct arena *a, struct str toml);
/* ERR_ABSENT, ERR_ACCESS, ERR_IO. */
int containerd_root_open(struct arena *a, const char *path, struct containerd_root *ret, struct err *err);
void containerd_root_close(struct containerd_root *r);

#endif
