/* OCI layouts: indexes inside indexes, platforms, attestations, manifests. The part of manifest.h that speaks OCI. */
#ifndef PLIMSOLL_IMAGE_OCI_H
#define PLIMSOLL_IMAGE_OCI_H

#include "base/tar.h"
#include "base/value.h"
#include "image/manifest.h"

int image_resolve_oci(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                      const struct value *index, struct image_desc *ret, struct err *err);
/* "linux/arm64" matches "linux/arm64/v8"; "arm64" alone means linux. */
bool image_platform_matches(struct str wanted, struct str stored);

/* Shared with manifest.c. */
int image_read_json(struct arena *a, const struct image_store *store, struct str path, struct str *ret_text,
                    struct value **ret, struct err *err);
struct str image_platform(struct arena *a, const struct value *v);
int image_take_config(struct arena *a, const struct value *config, struct image_desc *d, struct err *err);
int image_alloc_layers(struct arena *a, size_t count, struct image_desc *d, struct err *err);

#endif
