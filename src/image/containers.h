/* containers/storage, the store of Podman, Buildah, Skopeo and CRI-O: what its parts share. Internal to store_containers.c
 * (the parent's side), containers_conf.c (where stores are), containers_store.c (a store's files), containers_work.c
 * and containers_names.c (what runs in a worker, on the store's JSON).
 *
 * A graph root holds for each driver DRIVER-images/images.json (id, digest, names, layer, big-data-names ...), a folder for
 * each image's documents ("big data"), DRIVER-layers/layers.json (id, parent, diff-digest ...), DRIVER-containers/
 * containers.json, and the layers' files in overlay/ID/diff or vfs/dir/ID. Of layers.json and containers.json there is a
 * second file beside, volatile-..., for what need not survive a crash. Facts: github.com/containers/storage. */
#ifndef PLIMSOLL_IMAGE_CONTAINERS_H
#define PLIMSOLL_IMAGE_CONTAINERS_H

#include "base/value.h"
#include "image/manifest.h"
#include "model/report.h"

/* --- where stores are (containers_conf.c) --- */

struct containers_place {
	struct str root;   /* absolute path of a graph root */
	struct str driver; /* that storage.conf or the user names; empty: whichever is there */
};

struct containers_places {
	struct containers_place *ptr;
	size_t len, cap;
	bool mount_program; /* storage.conf has layers mounted by a program (fuse-overlayfs) */
	struct str words;   /* where it was looked, for people */
};

/* What the user and the machine say of stores. Environment by `env`, so that tests need not change their own. */
struct containers_system {
	const char *(*env)(const char *name);
	const char *root; /* in front of /etc and /usr; "" but for tests */
	unsigned uid;
};

/* Graph roots of this user in the order in which Podman asks them. ERR_USAGE for a storage.conf that is not understood:
 * a guess could read another store than the one that is meant. */
int containers_places(struct arena *a, const struct containers_system *sys, struct containers_places *ret, struct err *err);
/* Skopeo's and Podman's way to name a store: "[DRIVER@ROOT+RUNROOT:OPTIONS]REF", all but ROOT optional. Cuts the brackets
 * off *reference; without brackets *ret is empty. */
int containers_place_of_reference(struct arena *a, struct str *reference, struct containers_places *ret, struct err *err);

/* --- one store, open (containers_store.c) --- */

struct containers_driver {
	const char *name;
	bool readable;
};

/* Documents that a worker may ask for by number of the store and name. */
#define CONTAINERS_DOCUMENTS 5
#define CONTAINERS_LOCKS 3

struct containers_store {
	struct str root;
	const struct containers_driver *driver;
	int fd; /* O_PATH, the graph root */
	int documents[CONTAINERS_DOCUMENTS]; /* kept open between pieces: a rename must not mix two versions. -1: not yet */
	int locks[CONTAINERS_LOCKS];
	bool unlocked; /* a lock could not be had in time or may not be opened */
};

struct containers_stores {
	struct containers_store *ptr;
	size_t len, cap;
};

/* Opens what is there of the places. ERR_ABSENT: nothing; ERR_ACCESS: there, and closed to this user. */
int containers_open(struct arena *a, const struct containers_places *places, struct containers_stores *ret, struct err *err);
void containers_close(struct containers_stores *stores);
/* A document by the name that a worker said: "stores" (one driver a line), "N/images.json/PIECE", "N/data/ID/KEY" ...
 * PIECE counts from 0 in steps of CONTAINERS_PIECE_SIZE. */
int containers_read(struct containers_stores *stores, struct arena *a, struct str name, size_t size_max, struct str *ret,
                    struct err *err);
#define CONTAINERS_PIECE_SIZE (4 * MIB)

struct layer_place;
/* The folder of the layer "N/ID". */
int containers_folder(struct containers_stores *stores, struct arena *a, struct str path, bool mount_program,
                      struct layer_place *ret, struct err *err);

bool containers_is_id(struct str text); /* 64 hexadecimal digits, lower case */

/* --- in a worker (containers_work.c, containers_names.c) --- */

enum containers_ask { ASK_IMAGE, ASK_CONTAINER, ASK_LIST };

struct containers_request {
	enum containers_ask ask;
	struct str name;
	struct str platform;
};

struct containers_answer {
	struct image_desc desc; /* ASK_IMAGE, ASK_CONTAINER */
	uint64_t store;         /* that it was found in */
	struct str_list names;  /* ASK_LIST */
	uint64_t nameless;      /* ASK_LIST: images that cannot be named, for they have no proper id */
};

/* The store gives documents as containers_read does. ERR_NOT_FOUND, ERR_USAGE (several fit: the text lists them),
 * ERR_FORMAT, ERR_DIGEST, ERR_UNSUPPORTED, ERR_LIMIT. */
int containers_ask(struct arena *a, const struct image_store *store, const struct containers_request *q,
                   struct containers_answer *ret, struct err *err);
void containers_answer_encode(struct buf *out, const struct containers_answer *w);
void containers_answer_decode(struct arena *a, struct reader *r, struct containers_answer *ret);

/* How well what the user wrote names an image; the better one wins, 0 is not at all. */
enum containers_fit {
	FIT_NONE,
	FIT_ID_PREFIX,
	FIT_ANY_REGISTRY, /* "nginx" and quay.io/x/nginx:latest */
	FIT_DIGEST,
	FIT_DOCKER_IO,    /* "nginx" and docker.io/library/nginx:latest */
	FIT_NAME,         /* the whole name, or localhost/ and it */
	FIT_ID,
};
enum containers_fit containers_fit(struct arena *a, struct str wanted, const struct value *image);
/* "sha256:HEX" at the end of a reference, or empty. */
struct str containers_wanted_digest(struct str wanted);
/* Whether the image has a manifest of that digest. */
bool containers_has_digest(const struct value *image, struct str digest);

#endif
