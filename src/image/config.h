/* What an image's configuration says of the image itself, for reports: read in the worker, carried to the parent. */
#ifndef PLIMSOLL_IMAGE_CONFIG_H
#define PLIMSOLL_IMAGE_CONFIG_H

#include "base/buf.h"
#include "base/reader.h"
#include "base/value.h"
#include "model/report.h"

/* From the parsed configuration; wrong types are empty, what is over IMAGE_CONFIG_ITEMS_MAX in one list is left out.
 * id, tags and digests are not touched. Slices point into the document. */
void image_config_take(struct arena *a, const struct value *config, struct image_config *ret);

void image_config_encode(struct buf *out, const struct image_config *c);
/* Sets r->bad on anything wrong; slices point into the reader's bytes. */
void image_config_decode(struct arena *a, struct reader *r, struct image_config *ret);

#endif
