/* From merged layers to packages and the distribution: which databases are seen at their canonical places, in which
 * layer each package came, what could not be read. */
#ifndef PLIMSOLL_SCAN_INVENTORY_H
#define PLIMSOLL_SCAN_INVENTORY_H

#include "image/merge.h"
#include "model/report.h"

struct inventory_options {
	bool owners;                 /* dpkg's lists of files were collected: mark packages by them */
	const struct str_list *skip; /* globs over canonical paths (--skip-dirs, --skip-files), without leading slash; may be NULL */
};

/* A path that must be read in a second pass before the inventory is whole. */
struct inventory_wish {
	size_t layer;
	struct str path;
};
struct inventory_wishes {
	struct inventory_wish *ptr;
	size_t len, cap;
};

/* Fills target->os, ->packages (sorted; with layer where target->layers are given) and ->not_assessed. Wishes are
 * files whose content nobody kept; where there are any, read them and call again on a fresh target. */
void inventory_take(struct arena *a, const struct merged *m, const struct inventory_options *o, struct target *target,
                    struct inventory_wishes *ret_wishes);

#endif
