/* What Docker's store on disk says, read from its JSON: which image a reference names, which container a name, which
 * layers a config has. Everything here runs in a bytes worker on documents that images and whoever could write to the
 * store have shaped; the parent hands them over and believes nothing but ids in their fixed form.
 * Facts: moby's image/ and reference/ stores (repositories.json, imagedb), container/config.v2.json. */
#ifndef PLIMSOLL_IMAGE_DOCKER_FIND_H
#define PLIMSOLL_IMAGE_DOCKER_FIND_H

#include "image/manifest.h"
#include "model/report.h"

/* 64 digits of lower-case hexadecimal, which is all that may become a name in the store. */
bool docker_hex_ok(struct str hex);

/* "nginx" -> "nginx:latest", "docker.io/library/nginx:1" -> "nginx:1", "r.io/a:1@sha256:D" -> "r.io/a@sha256:D": the form
 * in which the store and the engine name images. ERR_NOT_FOUND for what is no reference at all. */
int docker_familiar(struct arena *a, struct str reference, struct str *ret, struct err *err);

/* The image (64 digits) that repositories.json gives a familiar reference; ERR_NOT_FOUND, ERR_FORMAT. */
int docker_find_image(struct arena *a, struct str repositories, struct str familiar, struct str *ret_hex, struct err *err);

/* All tags, sorted, "TAG\0HEX" by pairs: names[i] names ids[i]. An image with several tags has several. */
int docker_find_tags(struct arena *a, struct str repositories, struct str_list *names, struct str_list *ids, struct err *err);

/* One container's config.v2.json. Name without its slash; image as 64 digits. */
struct docker_container {
	struct str name, image, driver;
};
int docker_container_parse(struct arena *a, struct str config, struct docker_container *ret, struct err *err);

/* origin.resolve: choice.reference is "sha256:HEX", store.read knows "sha256:HEX" as a name of a config. layers[].path is
 * empty: where a layer lies follows from the diff IDs. */
int docker_resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                   struct image_desc *ret, struct err *err);

#endif
