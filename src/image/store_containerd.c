/* Images in containerd's store, read as they lie on disk, without the daemon: see origin.h and containerd.h. The parent's
 * side: it opens files and folders whose names it makes itself, from checked digests and numbers, and parses nothing.
 *
 * A layer is its committed snapshot of the overlayfs snapshotter, in place; else its blob; else its snapshot of the native
 * snapshotter, a whole tree. Where trusted attributes cannot be seen, blobs come first. */
#include "base/base.h"
#include "base/fs.h"
#include "base/hash.h"
#include "image/containerd.h"
#include "image/stores.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTENT "io.containerd.content.v1.content/"
#define SEPARATOR STR("//")

enum plan_kind { PLAN_NONE, PLAN_BLOB, PLAN_FOLDER };

struct plan {
	enum plan_kind kind;
	int snapshotter;
	uint64_t number;
	struct str elsewhere;
};

struct store {
	struct arena *arena;
	struct containerd_root root;
	struct str space;
	struct containerd_container *container; /* NULL: an image */
	struct containerd_snapshot *snapshots;  /* of the layers, lowest first */
	struct plan *plans;
	size_t plan_count;
	bool sees_trusted;
};

/* --- what was asked for ----------------------------------------------------------------------------------------- */

/* "NAME", "NAMESPACE//NAME", "/ROOT//NAME", "/ROOT//NAMESPACE//NAME": no name of an image has an empty part, so the two
 * slashes cannot be a part of one. */
struct wanted {
	struct str root, space, name;
};

static struct wanted wanted_of(struct str reference)
{
	struct wanted w = { .name = reference };
	ptrdiff_t at;
	if (str_starts(w.name, STR("/")) && (at = str_find_str(w.name, SEPARATOR)) > 0) {
		w.root = str_sub(w.name, 0, (size_t)at);
		w.name = str_sub(w.name, (size_t)at + SEPARATOR.len, w.name.len);
	}
	if ((at = str_find_str(w.name, SEPARATOR)) > 0) {
		w.space = str_sub(w.name, 0, (size_t)at);
		w.name = str_sub(w.name, (size_t)at + SEPARATOR.len, w.name.len);
	} else {
		w.space = str_from(getenv("CONTAINERD_NAMESPACE"));
	}
	return w;
}

static bool has_sys_admin(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	return syscall(SYS_capget, &head, data) == 0 && (data[0].effective & (1u << CAP_SYS_ADMIN));
}

/* --- documents and blobs ---------------------------------------------------------------------------------------- */

/* "blobs/sha256/HEX" and nothing else becomes a path. */
static bool blob_name_ok(struct str name)
{
	if (!str_skip(&name, STR("blobs/sha256/")) || name.len != 64)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_digit(name.ptr[i]) && !(name.ptr[i] >= 'a' && name.ptr[i] <= 'f'))
			return false;
	return true;
}

static int open_blob(const struct store *s, struct str name, int *ret, struct err *err)
{
	char path[sizeof(CONTENT) + 128];
	struct stat st;
	if (!blob_name_ok(name))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no name of a blob", STR_ARG(name));
	(void)snprintf(path, sizeof(path), CONTENT "%.*s", STR_ARG(name));
	int fd = openat(s->root.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_ACCESS : ERR_IO, "%s: %m", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_FORMAT, "%s is no file", path);
	}
	*ret = fd;
	return 0;
}

static int read_document(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	const struct store *s = ctx;
	int fd;
	int rc = open_blob(s, name, &fd, err);
	if (rc < 0)
		return rc;
	rc = fs_read_fd(a, fd, size_max, ret, err);
	close(fd);
	return rc < 0 ? (err_wrap(err, "%.*s", STR_ARG(name)), rc) : 0;
}

static bool blob_exists(const struct store *s, struct str name)
{
	struct err ignored = { 0 };
	int fd;
	if (open_blob(s, name, &fd, &ignored) < 0)
		return false;
	close(fd);
	return true;
}

/* Downloads under way: of the blob, or (an empty hex) of anything. */
static unsigned count_downloads(const struct store *s, struct str hex)
{
	struct arena *ARENA_AUTO a = arena_new();
	unsigned seen = 0, count = 0;
	int fd = openat(s->root.fd, CONTENT "ingest", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return 0;
	for (struct dirent *e; seen < CONTAINERD_INGESTS_MAX && (e = readdir(d));) {
		struct str text = { 0 };
		struct err ignored = { 0 };
		int ref;
		if (e->d_name[0] == '.')
			continue;
		seen++;
		const char *path = str_cstr(a, arena_printf(a, "%s/ref", e->d_name));
		if ((ref = openat(dirfd(d), path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0)
			continue;
		if (fs_read_fd(a, ref, 4 * KIB, &text, &ignored) == 0)
			count += str_contains(text, hex);
		close(ref);
	}
	closedir(d);
	return count;
}

/* --- layers ----------------------------------------------------------------------------------------------------- */

/* Chain IDs, lowest first (OCI image-spec, config.md): the first is the diff ID, each further one the digest of
 * "CHAIN DIFF". What is no digest ends the chain: the keys left are empty and fit nothing. */
static void chain_keys(struct arena *a, const struct image_desc *d, struct containerd_snapshot *ret)
{
	struct str chain = { 0 };
	for (size_t i = 0; i < d->layer_count; i++) {
		struct sha256 digest;
		char text[DIGEST_TEXT_LEN + 1];
		struct str diff = d->layers[i].diff_id;
		if (!sha256_parse(diff, &digest))
			return;
		if (i > 0)
			digest = sha256_of(arena_printf(a, "%.*s %.*s", STR_ARG(chain), STR_ARG(diff)));
		chain = str_dup(a, sha256_text(&digest, text));
		ret[i].key = chain;
	}
}

static struct plan plan_layer(const struct store *s, const struct image_layer *l, const struct containerd_snapshot *snapshot)
{
	struct plan folder = { .kind = PLAN_FOLDER }, blob = { .kind = PLAN_BLOB };
	if (snapshot->found[SNAPSHOTTER_OVERLAYFS] && s->sees_trusted) {
		folder.number = snapshot->number[SNAPSHOTTER_OVERLAYFS];
		return folder;
	}
	if (!l->unreadable.len && blob_exists(s, l->path))
		return blob;
	for (int i = SNAPSHOTTER_COUNT - 1; i >= 0; i--) {
		folder.snapshotter = i;
		folder.number = snapshot->number[i];
		if (snapshot->found[i])
			return folder;
	}
	return (struct plan){ .elsewhere = snapshot->elsewhere };
}

/* What was made of a layer when it was unpacked is there to be read, whatever its blob is (encrypted). */
static void plan_layers(struct store *s, struct image_desc *d)
{
	size_t in_place = 0;
	s->plan_count = d->layer_count;
	s->plans = arena_array(s->arena, d->layer_count + 1, sizeof(*s->plans));
	for (size_t i = 0; i < d->layer_count; i++) {
		s->plans[i] = plan_layer(s, &d->layers[i], &s->snapshots[i]);
		if (s->plans[i].kind == PLAN_FOLDER) {
			d->layers[i].unreadable = (struct str){ 0 };
			in_place++;
		}
	}
	if (in_place)
		d->note = arena_printf(s->arena,
		                       "%.*s%s%zu of %zu layers were read in place from containerd's snapshots: their files' digests "
		                       "were not checked",
		                       STR_ARG(d->note), d->note.len ? "; " : "", in_place, d->layer_count);
}

static bool same_chain(const struct store *s, const struct image_desc *d)
{
	const struct containerd_container *c = s->container;
	if (c->digest.len == 0 || c->chain_len != d->layer_count + 1)
		return false;
	for (size_t i = 0; i < d->layer_count; i++)
		if (!str_eq(s->snapshots[i].key, c->chain[c->chain_len - 1 - i].key))
			return false;
	return true;
}

/* The container's image has gone, or its name means another one by now: what its snapshot lies on is all that is known.
 * A chain ID then stands for each diff ID (of the lowest layer it is the same). */
static void take_chain_alone(struct store *s, struct image_desc *d)
{
	const struct containerd_container *c = s->container;
	struct image_desc alone = { .name = c->image, .layer_count = c->chain_len - 1 };
	alone.layers = arena_array(s->arena, c->chain_len, sizeof(*alone.layers));
	for (size_t i = 0; i < alone.layer_count; i++)
		alone.layers[i].diff_id = c->chain[c->chain_len - 1 - i].key;
	alone.note = arena_printf(s->arena, "the image %.*s is %s: layers are named by their chain IDs", STR_ARG(c->image),
	                          c->digest.len ? "another one now than when the container was made" : "not in the store any more");
	*d = alone;
}

static void append_container(struct store *s, struct image_desc *d)
{
	struct image_layer *layers = arena_array(s->arena, d->layer_count + 1, sizeof(*layers));
	if (d->layer_count)
		memcpy(layers, d->layers, d->layer_count * sizeof(*layers));
	layers[d->layer_count] = (struct image_layer){ .diff_id = STR("container") };
	d->layers = layers;
	d->layer_count++;
}

static int complete_container(struct store *s, struct image_desc *d, struct err *err)
{
	const struct containerd_container *c = s->container;
	if (c->chain_len == 0)
		return err_set(err, ERR_NOT_FOUND, "container %.*s has no snapshot", STR_ARG(c->id));
	if (c->chain[0].elsewhere.len)
		return err_set(err, ERR_UNSUPPORTED, "the files of container %.*s are with the snapshotter %.*s, which is not read",
		               STR_ARG(c->id), STR_ARG(c->chain[0].elsewhere));
	if (!same_chain(s, d))
		take_chain_alone(s, d);
	append_container(s, d);
	s->snapshots = arena_array(s->arena, c->chain_len, sizeof(*s->snapshots));
	for (size_t i = 0; i < c->chain_len; i++)
		s->snapshots[i] = c->chain[c->chain_len - 1 - i];
	return 0;
}

static int complete(void *ctx, struct arena *a, struct image_desc *d, struct err *err)
{
	struct store *s = ctx;
	int rc = 0;
	(void)a;
	s->snapshots = arena_array(s->arena, d->layer_count, sizeof(*s->snapshots));
	chain_keys(s->arena, d, s->snapshots);
	if (s->container)
		rc = complete_container(s, d, err);
	else if (d->layer_count)
		rc = containerd_ask_snapshots(s->arena, &s->root, s->space, s->snapshots, d->layer_count, err);
	if (rc == 0)
		plan_layers(s, d);
	return rc;
}

static int place_folder(const struct store *s, const struct plan *p, struct layer_place *ret, struct err *err)
{
	const struct containerd_snapshotter *from = &containerd_snapshotters[p->snapshotter];
	char path[128];
	struct layer_place place = { .kind = PLACE_FOLDER, .form = from->form };
	(void)snprintf(path, sizeof(path), "%s%ju%s", from->folder, (uintmax_t)p->number, from->files);
	place.fd = openat(s->root.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (place.fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_ACCESS : ERR_IO, "%s/%s: %m", s->root.path,
		               path);
	place.needs_trusted = from->form == FOLDER_OVERLAY;
	place.share = arena_printf(s->arena, "%s/%s", s->root.path, path);
	*ret = place;
	return 0;
}

static int place_blob(const struct store *s, const struct image_layer *l, struct layer_place *ret, struct err *err)
{
	struct layer_place place = { .kind = PLACE_PART };
	struct stat st;
	int rc = open_blob(s, l->path, &place.fd, err);
	if (rc < 0)
		return rc;
	if (fstat(place.fd, &st) < 0) {
		close(place.fd);
		return err_set(err, ERR_IO, "%m");
	}
	place.end = (uint64_t)st.st_size;
	*ret = place;
	return 0;
}

static int say_missing(const struct store *s, const struct image_layer *l, const struct plan *p, struct err *err)
{
	struct str hex = l->digest;
	if (l->unreadable.len)
		return err_set(err, ERR_UNSUPPORTED, "%.*s", STR_ARG(l->unreadable));
	if (str_skip(&hex, STR("sha256:")) && hex.len && count_downloads(s, hex))
		return err_set(err, ERR_NOT_FOUND, "its blob %.*s is being downloaded at the moment", STR_ARG(l->digest));
	if (p->elsewhere.len)
		return err_set(err, ERR_UNSUPPORTED,
		               "its blob was discarded or never fetched, and its snapshot is with the snapshotter %.*s, which is not read",
		               STR_ARG(p->elsewhere));
	return err_set(err, ERR_NOT_FOUND,
	               "neither its blob %.*s nor a snapshot of it is in %s: discarded after it was unpacked, or never pulled whole",
	               STR_ARG(l->digest), s->root.path);
}

static int place(void *ctx, struct arena *a, const struct image_desc *d, size_t layer, struct layer_place *ret,
                 struct err *err)
{
	const struct store *s = ctx;
	(void)a;
	if (layer >= s->plan_count || s->plan_count != d->layer_count)
		return err_set(err, ERR_WORKER, "a layer that was not planned");
	const struct plan *p = &s->plans[layer];
	if (p->kind == PLAN_FOLDER)
		return place_folder(s, p, ret, err);
	if (p->kind == PLAN_BLOB)
		return place_blob(s, &d->layers[layer], ret, err);
	return say_missing(s, &d->layers[layer], p, err);
}

/* --- after reading ---------------------------------------------------------------------------------------------- */

static bool still_there(const struct plan *p, const struct containerd_snapshot *now)
{
	return p->kind != PLAN_FOLDER || (now->found[p->snapshotter] && now->number[p->snapshotter] == p->number);
}

static int settled(void *ctx, struct err *err)
{
	const struct store *s = ctx;
	struct containerd_snapshot *now = arena_array(s->arena, s->plan_count, sizeof(*now));
	bool folders = false;
	for (size_t i = 0; i < s->plan_count; i++) {
		now[i].key = s->snapshots[i].key;
		folders = folders || s->plans[i].kind == PLAN_FOLDER;
	}
	if (!folders)
		return 0;
	if (s->container) {
		struct containerd_containers again = { 0 };
		int rc = containerd_ask_containers(s->arena, &s->root, s->space, s->container->id, &again, err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; again.len == 1 && again.ptr[0].chain_len == s->plan_count && i < s->plan_count; i++)
			now[i] = again.ptr[0].chain[s->plan_count - 1 - i];
	} else {
		int rc = containerd_ask_snapshots(s->arena, &s->root, s->space, now, s->plan_count, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < s->plan_count; i++)
		if (!still_there(&s->plans[i], &now[i]))
			return err_set(err, ERR_IO, "%s was removed from %s while it was read",
			               s->container ? "the container" : "the image", s->root.path);
	return 0;
}

static void close_store(void *ctx)
{
	struct store *s = ctx;
	containerd_root_close(&s->root);
}

/* --- finding ---------------------------------------------------------------------------------------------------- */

/* What a search over all places has met. */
struct search {
	struct arena *arena;
	struct wanted wanted;
	struct containerd_places places;
	struct buf looked; /* words: where, in which namespaces */
	unsigned absent, refused;
	struct err refusal;
	unsigned downloads;
};

static void search_start(struct arena *a, struct str reference, struct search *ret)
{
	*ret = (struct search){ .arena = a, .wanted = wanted_of(reference) };
	buf_init(&ret->looked, 512);
	containerd_places(a, ret->wanted.root, &ret->places);
}

/* Open a place. 1: open; 0: none there, or not to be read. */
static int search_open(struct search *s, const char *place, struct containerd_root *ret, struct err *err)
{
	struct err why = { 0 };
	int rc = containerd_root_open(s->arena, place, ret, &why);
	if (rc == ERR_ABSENT)
		s->absent++;
	else if (rc == ERR_ACCESS) {
		s->refused++;
		s->refusal = why;
	} else if (rc < 0)
		return err_set(err, rc, "%s", why.text);
	return rc == 0 ? 1 : 0;
}

static void search_missed(struct search *s, const struct containerd_root *root, struct str spaces)
{
	const struct store here = { .root = *root };
	struct str space = s->wanted.space;
	s->downloads += count_downloads(&here, (struct str){ 0 });
	(void)buf_printf(&s->looked, "%s%s (%s %.*s)", s->looked.len ? "; " : "", root->path,
	                 spaces.len ? "namespaces" : space.len ? "no namespace" : "empty", STR_ARG(spaces.len ? spaces : space));
}

static int search_failed(struct search *s, const char *what, struct err *err)
{
	struct str where = buf_view(&s->looked);
	if (s->refused)
		return err_set(err, ERR_ACCESS, "%s (containerd's store is root's)", s->refusal.text);
	if (s->absent == s->places.len)
		return err_set(err, ERR_ABSENT, "no containerd: there is no io.containerd.metadata.v1.bolt/meta.db in %s%s",
		               s->places.ptr[0], s->places.len > 1 ? ", nor where Docker, k3s, RKE2, k0s and MicroK8s have one" : "");
	return err_set(err, ERR_NOT_FOUND, "no %s \"%.*s\" in %.*s%s", what, STR_ARG(s->wanted.name), STR_ARG(where),
	               s->downloads ? "; a pull is under way there" : "");
}

static struct store *store_new(struct search *s, const struct containerd_root *root, struct str space)
{
	struct store *st = ARENA_NEW(s->arena, struct store);
	st->arena = s->arena;
	st->root = *root;
	st->space = space;
	st->sees_trusted = has_sys_admin();
	return st;
}

static void give_origin(struct store *st, struct str digest, struct str media, struct str name, struct image_origin *ret)
{
	struct arena *a = st->arena;
	*ret = (struct image_origin){
		.source = arena_printf(a, "containerd's store in %s, namespace %.*s", st->root.path, STR_ARG(st->space)),
		.ctx = st,
		.resolve = containerd_resolve,
		.reference = arena_printf(a, "%.*s %.*s %.*s", STR_ARG(digest.len ? digest : STR("-")),
		                          STR_ARG(media.len ? media : STR("-")), STR_ARG(name)),
		.read = read_document,
		.complete = complete,
		.place = place,
		.settled = settled,
		.close = close_store,
	};
}

/* The best fit, if all of the best are one image. */
static int choose_image(const struct containerd_images *images, const struct wanted *w, const struct containerd_image **ret,
                        struct err *err)
{
	const struct containerd_image *best = &images->ptr[0];
	struct buf BUF_AUTO names = { 0 };
	bool several = false;
	buf_init(&names, 400);
	for (size_t i = 1; i < images->len; i++)
		if (images->ptr[i].fit < best->fit)
			best = &images->ptr[i];
	for (size_t i = 0; i < images->len; i++) {
		const struct containerd_image *m = &images->ptr[i];
		if (m->fit != best->fit)
			continue;
		several = several || !str_eq(m->digest, best->digest);
		(void)buf_printf(&names, "%s%.*s//%.*s", names.len ? ", " : "", STR_ARG(m->space), STR_ARG(m->name));
	}
	if (several)
		return err_set(err, ERR_USAGE,
		               "\"%.*s\" is several images in containerd, choose by NAMESPACE//NAME or CONTAINERD_NAMESPACE: %.*s",
		               STR_ARG(w->name), STR_ARG(buf_view(&names)));
	*ret = best;
	return 0;
}

static int open_image_in(struct search *s, const struct containerd_root *root, struct image_origin *ret, struct err *err)
{
	struct containerd_images images = { 0 };
	const struct containerd_image *best;
	struct sha256 digest;
	int rc = containerd_ask_images(s->arena, root, s->wanted.space, s->wanted.name, &images, err);
	if (rc < 0)
		return rc;
	if (images.len == 0) {
		search_missed(s, root, images.spaces);
		return 0;
	}
	if ((rc = choose_image(&images, &s->wanted, &best, err)) < 0)
		return rc;
	if (!sha256_parse(best->digest, &digest))
		return err_set(err, ERR_UNSUPPORTED, "image %.*s has the digest \"%.*s\": only sha256 is read", STR_ARG(best->name),
		               STR_ARG(best->digest));
	give_origin(store_new(s, root, best->space), best->digest, best->media, best->name, ret);
	return 1;
}

static void list_containers(struct buf *out, const struct containerd_containers *all, enum containerd_fit fit)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct containerd_container *c = &all->ptr[i];
		if (c->fit == fit)
			(void)buf_printf(out, "%s%.*s//%.*s%s%.*s%s", out->len ? ", " : "", STR_ARG(c->space), STR_ARG(c->id),
			                 c->title.len ? " (" : "", STR_ARG(c->title), c->title.len ? ")" : "");
	}
}

static int open_container_in(struct search *s, const struct containerd_root *root, struct image_origin *ret,
                             struct err *err)
{
	struct containerd_containers all = { 0 };
	struct buf BUF_AUTO names = { 0 };
	size_t best = 0, equals = 0;
	buf_init(&names, 400);
	int rc = containerd_ask_containers(s->arena, root, s->wanted.space, s->wanted.name, &all, err);
	if (rc < 0)
		return rc;
	if (all.len == 0) {
		search_missed(s, root, all.spaces);
		return 0;
	}
	for (size_t i = 1; i < all.len; i++)
		if (all.ptr[i].fit < all.ptr[best].fit)
			best = i;
	for (size_t i = 0; i < all.len; i++)
		equals += all.ptr[i].fit == all.ptr[best].fit;
	list_containers(&names, &all, all.ptr[best].fit);
	if (equals > 1)
		return err_set(err, ERR_USAGE, "\"%.*s\" is several containers, choose by id: %.*s", STR_ARG(s->wanted.name),
		               STR_ARG(buf_view(&names)));
	struct containerd_container *c = &all.ptr[best];
	struct store *st = store_new(s, root, c->space);
	st->container = c;
	give_origin(st, c->digest, c->media, c->image, ret);
	return 1;
}

typedef int open_in(struct search *s, const struct containerd_root *root, struct image_origin *ret, struct err *err);

static int search_places(struct arena *a, struct str reference, open_in *open_one, const char *what,
                         struct image_origin *ret, struct err *err)
{
	struct search s;
	int rc = 0;
	search_start(a, reference, &s);
	if (s.wanted.name.len == 0)
		rc = err_set(err, ERR_USAGE, "containerd: no name of %s", what);
	for (size_t i = 0; rc == 0 && i < s.places.len; i++) {
		struct containerd_root root;
		rc = search_open(&s, s.places.ptr[i], &root, err);
		if (rc <= 0)
			continue;
		rc = open_one(&s, &root, ret, err);
		if (rc <= 0)
			containerd_root_close(&root);
	}
	if (rc == 0)
		rc = search_failed(&s, what, err);
	buf_done(&s.looked);
	return rc < 0 ? rc : 0;
}

static int open_image(struct arena *a, struct str reference, const struct image_options *o, struct image_origin *ret,
                      struct err *err)
{
	(void)o;
	return search_places(a, reference, open_image_in, "image", ret, err);
}

static int open_container(struct arena *a, struct str name, const struct image_options *o, struct image_origin *ret,
                          struct err *err)
{
	(void)o;
	return search_places(a, name, open_container_in, "container", ret, err);
}

/* --- all images ------------------------------------------------------------------------------------------------- */

/* The CRI plugin keeps each image under its tag, its digest and its id: the first is for people. */
static int name_rank(struct str name)
{
	if (str_starts(name, STR("sha256:")))
		return 2;
	return str_find(name, '@') >= 0 ? 1 : 0;
}

static void list_root(struct arena *a, const struct containerd_root *root, const struct containerd_images *images,
                      struct map *listed, struct str_list *ret)
{
	struct map best = { 0 };
	bool fresh;
	for (size_t i = 0; i < images->len; i++) {
		const struct containerd_image *m = &images->ptr[i];
		uint64_t *at = map_put(a, &best, arena_printf(a, "%.*s %.*s", STR_ARG(m->space), STR_ARG(m->digest)), &fresh);
		if (fresh || name_rank(m->name) < name_rank(images->ptr[*at].name))
			*at = i;
	}
	for (size_t i = 0; i < best.len; i++) {
		const struct containerd_image *m = &images->ptr[best.entries[i].value];
		struct str reference = arena_printf(a, "%.*s//%.*s", STR_ARG(m->space), STR_ARG(m->name));
		(void)map_put(a, listed, reference, &fresh);
		if (!fresh)
			reference = arena_printf(a, "%s//%.*s", root->path, STR_ARG(reference));
		*vec_push(a, ret) = reference;
	}
}

static int list(struct arena *a, const struct image_options *o, struct str_list *ret, struct err *err)
{
	struct search s;
	struct map listed = { 0 };
	int rc = 0;
	(void)o;
	search_start(a, (struct str){ 0 }, &s);
	for (size_t i = 0; rc >= 0 && i < s.places.len; i++) {
		struct containerd_root root;
		struct containerd_images images = { 0 };
		rc = search_open(&s, s.places.ptr[i], &root, err);
		if (rc <= 0)
			continue;
		rc = containerd_ask_images(a, &root, s.wanted.space, (struct str){ 0 }, &images, err);
		if (rc == 0)
			list_root(a, &root, &images, &listed, ret);
		containerd_root_close(&root);
	}
	if (rc >= 0 && ret->len == 0 && (s.refused || s.absent == s.places.len))
		rc = search_failed(&s, "image", err);
	buf_done(&s.looked);
	return rc < 0 ? rc : 0;
}

const struct image_opener store_containerd = {
	.prefix = "containerd",
	.title = "containerd",
	.open = open_image,
	.open_container = open_container,
	.list = list,
};
