/* Docker's overlay2 store read from the engine's own folder, whether the engine runs or not: the parent's side, which
 * opens, reads whole small files and parses no JSON (that is docker_find.c, in a worker).
 *
 * ROOT/image/overlay2/repositories.json         names -> ids
 * ROOT/image/overlay2/imagedb/content/sha256/ID the config, whose SHA-256 is its name (checked)
 * ROOT/image/overlay2/layerdb/sha256/CHAIN      diff (checked against the config's), cache-id
 * ROOT/image/overlay2/layerdb/mounts/ID         of a container: parent, init-id, mount-id
 * ROOT/overlay2/CACHEID/diff                    the layer's files: taken as they are, no digest of them is known
 * ROOT/containers/ID/config.v2.json             name and image of a container
 * Names below ROOT are fixed words and ids of fixed form; no symbolic link below ROOT is followed. tar-split is not read. */
#ifndef PLIMSOLL_IMAGE_DOCKER_DISK_H
#define PLIMSOLL_IMAGE_DOCKER_DISK_H

#include "image/origin.h"

struct docker_disk;

/* Whether this process may read such a store: trusted.* attributes are seen in the first user namespace with
 * CAP_SYS_ADMIN alone, and without them opaque folders look empty. */
bool docker_disk_allowed(void);

/* ERR_ABSENT: no overlay2 store there; ERR_ACCESS: not for this user. root may be a link. */
int docker_disk_open(struct arena *a, const char *root, struct docker_disk **ret, struct err *err);
void docker_disk_close(struct docker_disk *d); /* NULL is fine */

/* Where the store is looked for without an engine's word: data-root of daemon.json, else the usual places. Opens the
 * first that is there. ERR_ABSENT names the places. */
int docker_disk_open_default(struct arena *a, struct docker_disk **ret, struct err *err);

/* By name, id or the beginning of one. *ret_id has 64 digits. ERR_NOT_FOUND; ERR_USAGE where the beginning fits several. */
int docker_disk_find_image(struct docker_disk *d, struct arena *a, struct str reference, struct str *ret_id, struct err *err);
int docker_disk_find_container(struct docker_disk *d, struct arena *a, struct str name, struct str *ret_id,
                               struct str *ret_image, struct err *err);
/* Whether the image with this id is in this store (an engine may live in another world than its client). */
bool docker_disk_has_image(struct docker_disk *d, struct str id);
bool docker_disk_has_container(struct docker_disk *d, struct str id);
/* All names, sorted, then the ids of images without one. Steps of builds that have become an image's parent are left out. */
int docker_disk_list(struct docker_disk *d, struct arena *a, struct str_list *ret, struct err *err);

/* Fill in the origin, which owns d from now on. container_id empty: the image alone. */
void docker_disk_origin(struct docker_disk *d, struct arena *a, struct str image_id, struct str container_id,
                        struct image_origin *ret);

#endif
