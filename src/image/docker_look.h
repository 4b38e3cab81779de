/* Questions to documents of Docker's store, put by the parent and answered by a bytes worker that parses them
 * (docker_find.h). What comes back are ids in their fixed form, places in a list, and names for people. */
#ifndef PLIMSOLL_IMAGE_DOCKER_LOOK_H
#define PLIMSOLL_IMAGE_DOCKER_LOOK_H

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"

int docker_look_image(struct arena *a, struct str repositories, struct str familiar, struct str *ret_hex, struct err *err);
int docker_look_tags(struct arena *a, struct str repositories, struct str_list *names, struct str_list *ids, struct err *err);
/* The first of the configs whose container has this name (empty: any), and its image. A config that cannot be read is
 * passed over, unless it is the only one. ERR_NOT_FOUND. */
int docker_look_container(struct arena *a, const struct str *configs, size_t count, struct str name, size_t *ret_at,
                          struct str *ret_image, struct err *err);

#endif
