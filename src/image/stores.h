/* The places where images lie, in the order in which a name without a prefix is looked for, and the search. */
#ifndef PLIMSOLL_IMAGE_STORES_H
#define PLIMSOLL_IMAGE_STORES_H

#include "image/image.h"
#include "image/origin.h"

extern const struct image_opener store_registry; /* registry.c; asked last */
extern const struct image_opener store_podman; /* containers/storage: Podman, Buildah, Skopeo */
extern const struct image_opener store_containerd;

/* The target's own store, or the first that has it. Where none has, the error says what each of them answered. */
int stores_open(struct arena *a, const struct image_target *t, const struct image_options *o, struct image_origin *ret,
                struct err *err);

/* "docker:REF" of every image in every local store, for image_target_parse. Stores that are not there or may not be read
 * are left out; ret_notes says of the latter why. ERR_ABSENT where there is no store at all. */
int stores_list(struct arena *a, const struct image_options *o, struct str_list *ret, struct str_list *ret_notes,
                struct err *err);

#endif
