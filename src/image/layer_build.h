/* What is kept of a layer while it is read, whatever it is read from: a tar (layer.c) or a folder (layer_tree.c). Wanted
 * files with what the collector said, links, whiteouts, opaque folders, and a hash of every path; caps hold here. */
#ifndef PLIMSOLL_IMAGE_LAYER_BUILD_H
#define PLIMSOLL_IMAGE_LAYER_BUILD_H

#include "base/map.h"
#include "base/vec.h"
#include "image/layer.h"

struct layer_build {
	struct arena *arena;
	const struct layer_collector *collector;
	const struct layer_extra *extra;
	struct layer_facts *facts; /* refused and dropped are counted there; finish fills the rest */
	struct path_set paths;
	struct map nodes; /* path -> index + 1 into entries, for FILE and links */
	VEC(struct layer_entry) entries;
	struct buf last_parent;
	size_t used_before; /* of the arena, which in a stream also holds the layers before this one */
};

void layer_build_init(struct layer_build *b, struct arena *a, const struct layer_collector *collector,
                      const struct layer_extra *extra, struct layer_facts *facts);
void layer_build_done(struct layer_build *b);

/* An entry; of FILE, SYMLINK and HARDLINK the last one at a path counts. NULL: over a cap, counted. */
struct layer_entry *layer_build_keep(struct layer_build *b, enum layer_entry_kind kind, struct str path, struct str link);
/* Something else stands at this path now: the entry that was kept loses its path and is left out at the end. */
void layer_build_forget(struct layer_build *b, struct str path);
/* The folders on the way to path are there. */
void layer_build_parents(struct layer_build *b, struct str path);
/* ".wh..wh..opq" and ".wh.NAME"; true if the path was such a mark. */
bool layer_build_mark(struct layer_build *b, struct str path);
bool layer_build_extra(const struct layer_build *b, struct str path);
/* Keep the path, with what the collector says of its content (or, where content is NULL, of the reason why not). */
void layer_build_file(struct layer_build *b, struct str path, const struct content *content, const struct err *why);
/* The facts' entries and paths. */
void layer_build_finish(struct layer_build *b);

#endif
