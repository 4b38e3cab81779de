/* Layers seen as one tree, by overlay's rules: an upper entry hides a lower one, a whiteout removes it, an opaque
 * folder hides all that lies in it below, and a change of type hides the subtree. Nothing is built: paths that somebody
 * asks for are looked up in the layers. */
#ifndef PLIMSOLL_IMAGE_MERGE_H
#define PLIMSOLL_IMAGE_MERGE_H

#include "image/layer.h"

struct merged {
	const struct layer_facts *const *layers; /* bottom first */
	size_t layer_count;                      /* how many of them are seen: fewer give the tree of an earlier state */
};

enum merged_kind {
	MERGED_NONE,    /* nothing is there */
	MERGED_FILE,    /* a wanted file: entry and layer are set */
	MERGED_UNKEPT,  /* a file is there whose content nobody kept: path and layer say where, for a second pass */
	MERGED_FOLDER,
	MERGED_LOOP,    /* more than SYMLINKS_MAX links */
};

struct merged_node {
	enum merged_kind kind;
	const struct layer_entry *entry;
	size_t layer;    /* index */
	struct str path; /* the real path, links resolved; in the arena */
};

void merged_find(struct arena *a, const struct merged *m, struct str path, struct merged_node *ret);

/* The names of kept files right below a folder (links resolved), sorted, without repeats: each may be asked for by
 * merged_find with folder/name (some are hidden and then give MERGED_NONE). */
struct merged_names {
	struct str *ptr;
	size_t len, cap;
};
void merged_list(struct arena *a, const struct merged *m, struct str folder, struct merged_names *ret);

#endif
