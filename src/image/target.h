/* What a user may name as an image: "oci:DIR[:TAG|@DIGEST]", "docker-archive:FILE[:REF]", "oci-archive:FILE[:TAG|@DIGEST]",
 * "-", a store's prefix and a reference ("docker:nginx:1.25", "registry:quay.io/a/b"), "container:NAME", or, without a
 * prefix, a path that exists, else a reference that the stores are asked for in turn; "reference:REF" is never a path. */
#ifndef PLIMSOLL_IMAGE_TARGET_H
#define PLIMSOLL_IMAGE_TARGET_H

#include "base/arena.h"
#include "base/err.h"

enum image_source {
	IMAGE_OCI_DIR,
	IMAGE_OCI_ARCHIVE,
	IMAGE_DOCKER_ARCHIVE,
	IMAGE_ARCHIVE, /* a file without a prefix: its content decides */
	IMAGE_STDIN,
	IMAGE_STORE,     /* `store` */
	IMAGE_REFERENCE, /* whichever store has it */
	IMAGE_CONTAINER, /* a container, of whichever engine has it */
};

struct image_opener;

struct image_target {
	enum image_source source;
	const char *name;     /* as the user wrote it */
	const char *path;     /* files and folders; else NULL */
	struct str reference; /* tag, name or digest chosen by the user; may be empty for files */
	const struct image_opener *store;
};

/* ERR_NOT_FOUND for a path that does not exist, ERR_USAGE for no target. */
int image_target_parse(struct arena *a, const char *text, struct image_target *ret, struct err *err);

#endif
