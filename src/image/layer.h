/* One layer, read once from its stored bytes: which paths it holds, which it hides, and what a collector made of the
 * files that it wanted. The result is the same for a layer in an archive, a layout folder or a stream; its wire form is
 * also what the cache keeps.
 *
 * What is kept of a layer: the wanted files (what the collector said of them, not their content), symbolic and hard
 * links, whiteouts, opaque folders, and a hash of every path (paths.h). Nothing else, so memory does not grow with
 * the layer.
 * Specification: OCI image-spec 1.1 layer.md; AUFS metadata files (".wh..wh.plnk" ...) are passed over. */
#ifndef PLIMSOLL_IMAGE_LAYER_H
#define PLIMSOLL_IMAGE_LAYER_H

#include "base/arena.h"
#include "base/content.h"
#include "base/inflate.h"
#include "base/reader.h"
#include "image/paths.h"
#include "image/ring.h"

/* Changes when what is kept changes its meaning or form: older cache entries are then not found. The collector's own
 * version is added by the caller. */
#define LAYER_VERSION 2u

enum layer_entry_kind {
	ENTRY_FILE,     /* wanted; payload is the collector's */
	ENTRY_SYMLINK,  /* link: target as stored */
	ENTRY_HARDLINK, /* link: cleaned path in the image */
	ENTRY_WHITEOUT, /* path is gone from the layers below */
	ENTRY_OPAQUE,   /* the folder hides what the layers below have in it */
};
#define ENTRY_KIND_COUNT 5

struct layer_entry {
	enum layer_entry_kind kind;
	struct str path; /* clean, relative */
	struct str link;
	struct str payload;
};

struct layer_facts {
	bool plain;            /* the blob is the tar itself: its digest is the diff ID */
	bool has_stored;       /* stored was computed here (streams) */
	struct sha256 diff_id; /* set unless plain (where it is `stored`, or the caller's digest of the blob) */
	struct sha256 stored;
	uint64_t size;         /* inflated bytes */
	uint64_t trailing;     /* bytes behind the compressed data */
	uint64_t refused;      /* entries with impossible names ("..", NUL, too long) */
	uint64_t dropped;      /* entries over LAYER_ENTRIES_MAX, LAYER_NAMES_SIZE_MAX or (folders) TREE_DEPTH_MAX */
	uint64_t closed;       /* folders: what this user may not read */
	uint64_t redirected;   /* folders: what overlay has moved here from another path, by a mark that is not followed */
	bool in_place;         /* read as a folder: no digest was computed. Not in the wire form: the parent knows */
	struct layer_entry *entries; /* sorted by path, then kind; a path has at most one of FILE, SYMLINK, HARDLINK */
	size_t entry_count;
	struct str paths; /* path_set's wire form */
};

/* How a store lays a layer out as a folder. */
enum layer_folder_form {
	FOLDER_OVERLAY, /* whiteouts are character devices 0:0, opaque folders have trusted.overlay.opaque or user.overlay.opaque */
	FOLDER_FUSE,    /* besides: files .wh.NAME, .wh..wh..opq, user.fuseoverlayfs.opaque */
	FOLDER_WHOLE,   /* the whole tree up to this layer (vfs): hides all below it */
};

/* What to do with files; calls come from the thread that reads. */
enum layer_want { WANT_NO, WANT_YES, WANT_REFUSED };

struct layer_collector {
	/* Is the file at path (clean, relative) wanted, from its name and size? REFUSED: yes, but it cannot be read, for the
	 * reason that is put into *why. */
	enum layer_want (*want)(void *ctx, struct str path, uint64_t size, struct err *why);
	/* Still wanted, after its first bytes (64, or all of a shorter file)? */
	bool (*sniff)(void *ctx, struct str path, struct str head);
	/* Here it is: append to payload what is to be kept of it. */
	void (*collect)(void *ctx, struct str path, const struct content *c, struct buf *payload);
	/* It is there but was not read: append to payload what says so. */
	void (*refuse)(void *ctx, struct str path, const struct err *why, struct buf *payload);
	void *ctx;
};

/* Exact paths that are wanted whatever the collector says of their names: targets of links, found out in a first pass. */
struct layer_extra {
	const struct str *paths;
	size_t count;
};

struct layer_input {
	struct source source;   /* stored bytes */
	struct source_file *file; /* the same as a file, where it is one: a plain layer is then read by headers alone */
	bool hash_stored;       /* nobody else hashes the stored bytes */
	struct ring *ring;      /* its consumer runs in another thread */
	struct layer_collector collector;
	struct layer_extra extra;
	void (*progress)(void *ctx, uint64_t stored); /* may be NULL */
	void *progress_ctx;
};

/* ERR_FORMAT (with the offset) for what is no whole tar, ERR_LIMIT over LAYER_SIZE_MAX. *ret lives in the arena. */
int layer_read(struct arena *a, const struct layer_input *in, struct layer_facts *ret, struct err *err);

/* The same of a layer that lies as a folder in a store (layer_tree.c); runs in a tree worker whose folder it is. Sees
 * trusted.* attributes only where the worker does. ERR_IO where the folder itself cannot be read. */
int layer_read_tree(struct arena *a, int root_fd, enum layer_folder_form form, const struct layer_collector *collector,
                    const struct layer_extra *extra, struct layer_facts *ret, struct err *err);

void layer_facts_encode(const struct layer_facts *f, struct buf *out);
/* Slices point into the reader's bytes; r->bad on anything that could not have been written by encode. */
void layer_facts_decode(struct arena *a, struct reader *r, struct layer_facts *ret);

/* The entry of that kind at path, or NULL; layer_node: the one that is a file or link. */
const struct layer_entry *layer_find(const struct layer_facts *f, struct str path, enum layer_entry_kind kind);
const struct layer_entry *layer_node(const struct layer_facts *f, struct str path);
/* Index of the first entry at path or behind it (entry_count: none). */
size_t layer_first_at(const struct layer_facts *f, struct str path);

#endif
