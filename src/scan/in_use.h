/* --in-use: which packages have a file that a running process has mapped. Looks at processes when the target's own folder
 * is known and before its databases are read, so that these are asked about those files alone. */
#ifndef PLIMSOLL_SCAN_IN_USE_H
#define PLIMSOLL_SCAN_IN_USE_H

#include "host/mapped.h"
#include "model/report.h"
#include "package/wish.h"

struct in_use {
	struct arena *arena;
	struct file_wish wish;
	struct mapped_files files;
	bool looked, known;
	struct str why_not; /* where it is not known */
};

/* The folder whose processes count: a container's own layer, or a root file system. ctx is the struct in_use. */
void in_use_look(void *ctx, int folder_fd);
/* After the inventory: what came of it, in the target's words; where nothing is known, no package is marked. */
void in_use_describe(struct arena *a, const struct in_use *u, struct target *t);

#endif
