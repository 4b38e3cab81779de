/* Archives of images (docker-archive, oci-archive): outer tars whose members are manifests, configs and layers.
 * Runs in a bytes worker. A tar in a file is indexed by its headers alone; a stream (standard input, or an archive
 * that is itself compressed) is read once, every member that is no JSON being taken for a layer until the manifest,
 * which may come last, says which are. */
#ifndef PLIMSOLL_IMAGE_ARCHIVE_H
#define PLIMSOLL_IMAGE_ARCHIVE_H

#include "base/inflate.h"
#include "base/map.h"
#include "base/tar.h"
#include "image/layer.h"
#include "image/manifest.h"

struct archive_member {
	enum tar_type type;  /* TAR_FILE, TAR_SYMLINK, TAR_HARDLINK */
	struct str link;     /* cleaned for hard links, as stored for symbolic ones */
	uint64_t offset, size; /* of the content in the archive */
	struct str text;     /* streams: content of a JSON member */
	struct layer_facts *layer; /* streams: what it is as a layer, or NULL */
	struct str why_not;  /* streams: why it is no layer */
};

struct archive {
	struct arena *arena;
	struct map names; /* cleaned path -> index into members */
	struct {
		struct archive_member *ptr;
		size_t len, cap;
	} members;
	int fd;           /* files: where contents are read from; -1 for streams */
	uint64_t json_size;
};

/* Index a tar by its headers. */
int archive_index(struct arena *a, int fd, uint64_t size, struct archive *ret, struct err *err);
/* Read a stream to its end. layer is the recipe for members that may be layers: source, file and hash_stored are set
 * here. */
int archive_stream(struct arena *a, struct source src, const struct layer_input *layer, struct archive *ret,
                   struct err *err);

/* The member at path, links followed inside the archive; NULL if there is none. */
const struct archive_member *archive_find(const struct archive *ar, struct str path);
/* The archive as a store of small files. */
struct image_store archive_store(struct archive *ar);

#endif
