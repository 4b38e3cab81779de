/* The set of all paths of a layer, as 64-bit hashes with a bit that tells folders from the rest: enough to know that a
 * path below is hidden because something above put a file in a folder's place, at 8 bytes a path instead of 80. */
#ifndef PLIMSOLL_IMAGE_PATHS_H
#define PLIMSOLL_IMAGE_PATHS_H

#include "base/buf.h"

enum path_kind { PATH_NONE, PATH_FOLDER, PATH_OTHER };

struct path_set {
	uint64_t *slots;
	size_t slot_count, used;
	bool full; /* LAYER_ENTRIES_MAX was reached: later paths are missing */
};

void path_set_done(struct path_set *s);
/* Put a path; the last kind put wins. Returns what was there before. */
enum path_kind path_set_put(struct path_set *s, struct str path, enum path_kind kind);
/* Every folder on the way to path, there only because something lies in it: does not replace what is known.
 * One pass over the path, however deep. */
void path_set_imply_parents(struct path_set *s, struct str path);

/* Wire form: the hashes sorted, 8 bytes each, little-endian; searched as it is. */
void path_set_encode(const struct path_set *s, struct buf *out);
enum path_kind path_set_find(struct str encoded, struct str path);
bool path_set_valid(struct str encoded);

#endif
