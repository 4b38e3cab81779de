/* What a user may name as an image: "oci:DIR[:TAG|@DIGEST]", "docker-archive:FILE[:REF]", "oci-archive:FILE[:TAG|@DIGEST]",
 * "-", a path without a prefix, or a reference to an engine or registry, which this version does not read. */
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
};

struct image_target {
	enum image_source source;
	const char *path;     /* NULL for standard input */
	struct str reference; /* tag, name or digest chosen by the user; may be empty */
};

/* ERR_UNSUPPORTED for engines and registries, ERR_NOT_FOUND for a path that does not exist, ERR_USAGE for no target. */
int image_target_parse(struct arena *a, const char *text, struct image_target *ret, struct err *err);

#endif
