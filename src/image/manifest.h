/* From manifests to one image: docker-archive's manifest.json, OCI indexes and manifests, and the image's config.
 * Runs in a worker on hostile JSON; the store is asked for small files by name, so that the same code serves archives
 * (members) and layout folders (files that the parent hands over).
 * Specifications: OCI image-spec 1.1 (image-layout, index, manifest, config), Docker's image spec 1.2. */
#ifndef PLIMSOLL_IMAGE_MANIFEST_H
#define PLIMSOLL_IMAGE_MANIFEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/reader.h"
#include "model/report.h"

struct image_layer {
	struct str path;       /* its blob in the store: "blobs/sha256/..." or "HEX/layer.tar", cleaned */
	struct str digest;     /* of the blob, as the manifest claims; empty for docker-archive's old layout */
	struct str diff_id;    /* as the config claims */
	struct str created_by; /* from the config's history */
	uint64_t size;         /* of the blob, as the manifest claims; 0: not told */
	struct str unreadable; /* why it cannot be read (encrypted, foreign); empty: it can */
};

struct image_desc {
	struct str name;     /* reference found in the store; may be empty */
	struct str digest;   /* of the manifest, else of the config */
	struct str platform; /* os/architecture[/variant] */
	struct image_layer *layers;
	size_t layer_count;
	struct image_config config; /* what the image says of itself; `digests` and further tags are for who knows them */
	struct str note; /* something to tell: "attestation manifests were passed over"; may be empty */
};

struct image_store {
	/* The whole of a small file (at most size_max) in the arena; ERR_NOT_FOUND if there is none. */
	int (*read)(void *ctx, struct arena *a, struct str path, size_t size_max, struct str *ret, struct err *err);
	void *ctx;
};

struct image_choice {
	struct str reference; /* empty: there must be only one */
	struct str platform;  /* "linux/arm64", empty: this machine's if there are several */
	bool prefer_oci;      /* index.json before manifest.json where both exist */
};

/* ERR_USAGE where the choice is not clear (the text lists what there is), ERR_NOT_FOUND, ERR_FORMAT, ERR_DIGEST, ERR_LIMIT. */
int image_resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                  struct image_desc *ret, struct err *err);

void image_desc_encode(struct buf *out, const struct image_desc *d);
void image_desc_decode(struct arena *a, struct reader *r, struct image_desc *ret);

/* Whether what a user wrote names what the store says: equal, or equal once "docker.io/", "library/" and ":latest" have
 * been filled in, or the tag alone. */
bool image_reference_matches(struct arena *a, struct str wanted, struct str stored);

#endif
