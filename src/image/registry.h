/* The row of registries in the table of stores (origin.h): "registry:REF", and what a name without a prefix falls back to. */
#ifndef PLIMSOLL_IMAGE_REGISTRY_H
#define PLIMSOLL_IMAGE_REGISTRY_H

#include "image/origin.h"

extern const struct image_opener store_registry;

#endif
