/* An OCI layout folder as an origin: documents and blobs by their names in the layout, looked up inside the folder. Names
 * come from a worker and are believed only where they look like a layout's. */
#include "base/base.h"
#include "base/fs.h"
#include "image/session.h"

#include <unistd.h>

struct layout {
	int folder;
};

static bool path_ok(struct str path)
{
	static const char *const roots[] = { "index.json", "manifest.json", "oci-layout" };
	for (size_t i = 0; i < COUNT_OF(roots); i++)
		if (str_eq(path, str_from(roots[i])))
			return true;
	if (!str_skip(&path, STR("blobs/sha256/")) || path.len != 64)
		return false;
	for (size_t i = 0; i < path.len; i++)
		if (!ascii_hex(path.ptr[i]))
			return false;
	return true;
}

static int read_document(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	struct layout *l = ctx;
	int fd;
	if (!path_ok(name))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no name of a layout", STR_ARG(name));
	int rc = tree_open(l->folder, name, false, &fd, err);
	if (rc < 0)
		return rc;
	rc = fs_read_fd(a, fd, size_max, ret, err);
	close(fd);
	return rc < 0 ? (err_wrap(err, "%.*s", STR_ARG(name)), rc) : 0;
}

static int place(void *ctx, struct arena *a, const struct image_desc *d, size_t layer, struct layer_place *ret,
                 struct err *err)
{
	struct layout *l = ctx;
	struct stat st;
	int fd;
	(void)a;
	if (!path_ok(d->layers[layer].path))
		return err_set(err, ERR_FORMAT, "it has an impossible name");
	int rc = tree_open(l->folder, d->layers[layer].path, false, &fd, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return err_set(err, ERR_IO, "%m");
	}
	*ret = (struct layer_place){ .kind = PLACE_PART, .fd = fd, .end = (uint64_t)st.st_size };
	return 0;
}

static void layout_close(void *ctx)
{
	struct layout *l = ctx;
	close(l->folder);
}

void layout_origin(struct arena *a, int folder, struct str name, struct image_origin *ret)
{
	struct layout *l = ARENA_NEW(a, struct layout);
	l->folder = folder;
	*ret = (struct image_origin){
		.source = arena_printf(a, "OCI layout %.*s", STR_ARG(name)),
		.ctx = l,
		.read = read_document,
		.place = place,
		.close = layout_close,
	};
}
