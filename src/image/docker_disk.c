/* Docker's store on disk, opened and handed out: see docker_disk.h. Parses nothing but ids of fixed form; what is JSON goes
 * to a worker as it is. */
#include "image/docker_disk.h"

#include "base/base.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/docker_find.h"
#include "image/docker_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IMAGES "image/overlay2/imagedb/content/sha256"
#define PARENTS "image/overlay2/imagedb/metadata/sha256"
#define LAYERS "image/overlay2/layerdb/sha256"
#define MOUNTS "image/overlay2/layerdb/mounts"
#define REPOSITORIES "image/overlay2/repositories.json"

struct docker_disk {
	int root; /* O_PATH */
	struct str path;
	struct str image, container; /* of the origin */
	struct str *chains;          /* of the image's layers, once complete has run */
	struct str *placed;          /* the cache ids under which they were found */
	struct str upper[2];         /* cache ids of the container's init and own layer */
	size_t chain_count, upper_count;
};

/* --- files below the root ------------------------------------------------------------------------------------------ */

/* Opens what `path` names, one component after the other, without following a link. */
static int open_below(const struct docker_disk *d, struct str path, int flags, int *ret, struct err *err)
{
	struct str rest = path, part;
	int at = d->root;
	while (str_cut(&rest, '/', &part)) {
		char name[NAME_MAX + 1];
		if (part.len == 0 || part.len > NAME_MAX)
			break;
		memcpy(name, part.ptr, part.len);
		name[part.len] = '\0';
		int fd = openat(at, name, O_NOFOLLOW | O_CLOEXEC | (rest.len ? O_PATH | O_DIRECTORY : flags));
		int saved = errno;
		if (at != d->root)
			(void)close(at);
		errno = saved;
		at = fd;
		if (fd < 0 || rest.len == 0)
			break;
	}
	if (at < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ERR_NOT_FOUND, "%.*s/%.*s: %m", STR_ARG(d->path), STR_ARG(path));
	if (at < 0)
		return err_set(err, errno == EACCES || errno == EPERM ? ERR_ACCESS : ERR_IO, "%.*s/%.*s: %m", STR_ARG(d->path),
		               STR_ARG(path));
	*ret = at;
	return 0;
}

static int read_below(const struct docker_disk *d, struct arena *a, struct str path, size_t size_max, struct str *ret,
                      struct err *err)
{
	struct stat st;
	int fd;
	int rc = open_below(d, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = err_set(err, ERR_FORMAT, "no regular file");
	else
		rc = fs_read_fd(a, fd, size_max, ret, err);
	(void)close(fd);
	return rc < 0 ? (err_wrap(err, "%.*s/%.*s", STR_ARG(d->path), STR_ARG(path)), rc) : 0;
}

/* Names of 64 digits in a folder, sorted. A folder that is not there is empty. */
static int compare_names(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int list_below(const struct docker_disk *d, struct arena *a, struct str path, size_t count_max,
                      const char *count_max_name, struct str_list *ret, struct err *err)
{
	struct dirent *e;
	int fd;
	int rc = open_below(d, path, O_RDONLY | O_DIRECTORY, &fd, err);
	if (rc < 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return err_set(err, ERR_IO, "%.*s/%.*s: %m", STR_ARG(d->path), STR_ARG(path));
	}
	while (rc == 0 && (e = readdir(dir))) {
		struct str name = str_from(e->d_name);
		if (docker_hex_ok(name))
			*vec_push(a, ret) = str_dup(a, name);
		if (ret->len > count_max)
			rc = err_set(err, ERR_LIMIT, "%.*s/%.*s holds more than %s", STR_ARG(d->path), STR_ARG(path), count_max_name);
	}
	(void)closedir(dir);
	if (rc == 0 && ret->len)
		qsort(ret->ptr, ret->len, sizeof(*ret->ptr), compare_names);
	return rc;
}

static struct str join(struct arena *a, const char *folder, struct str id, const char *file)
{
	return arena_printf(a, "%s/%.*s%s%s", folder, STR_ARG(id), file[0] ? "/" : "", file);
}

/* A file that holds one id and nothing else. */
static int read_id(const struct docker_disk *d, struct arena *a, struct str path, struct str *ret, struct err *err)
{
	int rc = read_below(d, a, path, DOCKER_ID_SIZE_MAX, ret, err);
	*ret = rc == 0 ? str_trim(*ret) : (struct str){ 0 };
	return rc;
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

bool docker_disk_allowed(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	struct arena *ARENA_AUTO a = arena_new();
	struct str map, from, to;
	if (syscall(SYS_capget, &head, data) != 0 || !(data[0].effective & 1u << CAP_SYS_ADMIN))
		return false;
	/* In a user namespace of its own the capability is there and the attributes are not. The first one maps all ids to
	 * themselves; a kernel without namespaces has no such file. */
	if (fs_read(a, "/proc/self/uid_map", KIB, &map, NULL) < 0)
		return true;
	map = str_trim(map);
	(void)str_cut(&map, ' ', &from);
	map = str_trim(map);
	(void)str_cut(&map, ' ', &to);
	return str_eq(from, STR("0")) && str_eq(to, STR("0")) && str_eq(str_trim(map), STR("4294967295"));
}

int docker_disk_open(struct arena *a, const char *root, struct docker_disk **ret, struct err *err)
{
	struct docker_disk *d = arena_alloc(a, sizeof(*d));
	int store = -1;
	d->path = str_dup(a, str_from(root));
	d->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->root < 0 && errno == EACCES)
		return err_set(err, ERR_ACCESS, "Docker's store in %s may not be read by this user: %m", root);
	if (d->root < 0)
		return err_set(err, ERR_ABSENT, "no Docker store in %s: %m", root);
	int rc = open_below(d, STR("image/overlay2/layerdb"), O_RDONLY | O_DIRECTORY, &store, err);
	if (store >= 0)
		(void)close(store);
	if (rc == 0) {
		*ret = d;
		return 0;
	}
	docker_disk_close(d);
	if (rc == ERR_ACCESS)
		return err_set(err, rc, "Docker's store in %s may not be read by this user", root);
	return rc == ERR_NOT_FOUND ? err_set(err, ERR_ABSENT, "no overlay2 store of Docker in %s", root) : rc;
}

void docker_disk_close(struct docker_disk *d)
{
	if (d && d->root >= 0)
		(void)close(d->root);
	if (d)
		d->root = -1;
}

/* data-root (before 17.05: graph) and userns-remap of the engine's configuration, which is root's own. */
static struct str configured_root(struct arena *a, bool *ret_remapped)
{
	struct value *top;
	struct str text;
	*ret_remapped = false;
	if (fs_read(a, "/etc/docker/daemon.json", DOCKER_CONFIG_SIZE_MAX, &text, NULL) < 0 || json_parse(a, text, &top, NULL) < 0)
		return (struct str){ 0 };
	*ret_remapped = value_str(value_get(top, "userns-remap")).len > 0;
	struct str root = value_str(value_get(top, "data-root"));
	if (root.len == 0)
		root = value_str(value_get(top, "graph"));
	return str_starts(root, STR("/")) && str_find(root, '\0') < 0 ? root : (struct str){ 0 };
}

/* "165536.165536": with userns-remap the engine keeps its store in a folder of that name. The one that is there; of
 * several the first by name. */
static struct str remapped_root(struct arena *a, const char *root)
{
	struct str best = { 0 };
	struct dirent *e;
	DIR *dir = opendir(root);
	while (dir && (e = readdir(dir))) {
		struct str gid = str_from(e->d_name), uid;
		uint64_t n;
		(void)str_cut(&gid, '.', &uid);
		if (str_to_u64(uid, &n) && str_to_u64(gid, &n) && (best.len == 0 || str_cmp(str_from(e->d_name), best) < 0))
			best = str_dup(a, str_from(e->d_name));
	}
	if (dir)
		(void)closedir(dir);
	return best.len ? arena_printf(a, "%s/%.*s", root, STR_ARG(best)) : best;
}

static int open_root(struct arena *a, const char *root, bool remapped, struct docker_disk **ret, struct err *err)
{
	struct str inner = remapped_root(a, root);
	if (remapped && inner.len)
		return docker_disk_open(a, inner.ptr, ret, err);
	int rc = docker_disk_open(a, root, ret, err);
	/* dockerd --userns-remap=default on the command line: only the remapped store is there. */
	if (rc == ERR_ABSENT && inner.len)
		return docker_disk_open(a, inner.ptr, ret, err);
	return rc;
}

int docker_disk_open_default(struct arena *a, struct docker_disk **ret, struct err *err)
{
	static const char *const usual[] = { "/var/lib/docker", "/var/snap/docker/common/var-lib-docker" };
	bool remapped;
	struct str configured = configured_root(a, &remapped);
	if (configured.len)
		return open_root(a, str_cstr(a, configured), remapped, ret, err);
	for (size_t i = 0; i < COUNT_OF(usual); i++) {
		int rc = open_root(a, usual[i], remapped, ret, err);
		if (rc != ERR_ABSENT)
			return rc;
	}
	return err_set(err, ERR_ABSENT, "no overlay2 store of Docker in %s", usual[0]);
}

/* --- finding ------------------------------------------------------------------------------------------------------- */

bool docker_disk_has_image(struct docker_disk *d, struct str id)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	int fd;
	if (!docker_hex_ok(id) || open_below(d, join(tmp, IMAGES, id, ""), O_PATH, &fd, NULL) < 0)
		return false;
	(void)close(fd);
	return true;
}

bool docker_disk_has_container(struct docker_disk *d, struct str id)
{
	struct arena *ARENA_AUTO tmp = arena_new();
	int fd;
	if (!docker_hex_ok(id) || open_below(d, join(tmp, MOUNTS, id, "mount-id"), O_PATH, &fd, NULL) < 0)
		return false;
	(void)close(fd);
	return true;
}

static bool hex_prefix_ok(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_hex(s.ptr[i]))
			return false;
	return s.len > 0 && s.len <= (size_t)2 * SHA256_SIZE;
}

/* The one id that begins with these digits. */
static int find_prefix(const struct docker_disk *d, const struct str_list *ids, struct str prefix, const char *what,
                       struct str *ret, struct err *err)
{
	size_t found = 0;
	for (size_t i = 0; hex_prefix_ok(prefix) && i < ids->len; i++)
		if (str_starts(ids->ptr[i], prefix)) {
			*ret = ids->ptr[i];
			found++;
		}
	if (found > 1)
		return err_set(err, ERR_USAGE, "%zu %ss have ids that begin with %.*s", found, what, STR_ARG(prefix));
	return found ? 0 : err_set(err, ERR_NOT_FOUND, "no %s %.*s in Docker's store in %.*s", what, STR_ARG(prefix), STR_ARG(d->path));
}

int docker_disk_find_image(struct docker_disk *d, struct arena *a, struct str reference, struct str *ret_id, struct err *err)
{
	struct str familiar, hex = reference, repositories;
	bool digest = str_skip(&hex, STR("sha256:"));
	if (docker_disk_has_image(d, hex)) {
		*ret_id = hex;
		return 0;
	}
	if (!digest) {
		int rc = docker_familiar(a, reference, &familiar, err);
		if (rc == 0)
			rc = read_below(d, a, STR(REPOSITORIES), DOCKER_REPOSITORIES_SIZE_MAX, &repositories, err);
		if (rc == 0)
			rc = docker_look_image(a, repositories, familiar, ret_id, err);
		if (rc != ERR_NOT_FOUND)
			return rc;
	}
	struct str_list ids = { 0 };
	int rc = list_below(d, a, STR(IMAGES), ENGINE_IMAGES_MAX, "ENGINE_IMAGES_MAX", &ids, err);
	return rc < 0 ? rc : find_prefix(d, &ids, hex, "image", ret_id, err);
}

/* All that the worker needs to look for a name: the configs of all containers. One that is just being made or removed has
 * none. */
static int read_containers(struct docker_disk *d, struct arena *a, const struct str_list *ids, struct str **ret, struct err *err)
{
	struct str *texts = arena_array(a, ids->len, sizeof(*texts));
	size_t size = 0;
	for (size_t i = 0; i < ids->len; i++) {
		int rc = read_below(d, a, join(a, "containers", ids->ptr[i], "config.v2.json"), DOCKER_CONTAINERS_SIZE_MAX - size,
		                    &texts[i], err);
		if (rc < 0 && rc != ERR_NOT_FOUND)
			return rc;
		size += texts[i].len;
	}
	*ret = texts;
	return 0;
}

int docker_disk_find_container(struct docker_disk *d, struct arena *a, struct str name, struct str *ret_id,
                               struct str *ret_image, struct err *err)
{
	struct str_list ids = { 0 };
	struct str *texts, id = { 0 };
	size_t at = 0;
	int rc = list_below(d, a, STR("containers"), ENGINE_CONTAINERS_MAX, "ENGINE_CONTAINERS_MAX", &ids, err);
	if (rc < 0 || (rc = read_containers(d, a, &ids, &texts, err)) < 0)
		return rc;
	(void)str_skip(&name, STR("/"));
	/* As the engine does: a whole id, then a name, then the beginning of an id. */
	rc = docker_hex_ok(name) ? find_prefix(d, &ids, name, "container", &id, err) : ERR_NOT_FOUND;
	if (rc == ERR_NOT_FOUND)
		rc = docker_look_container(a, texts, ids.len, name, &at, ret_image, err);
	if (rc == 0 && id.len == 0) {
		*ret_id = ids.ptr[at];
		return 0;
	}
	if (rc == ERR_NOT_FOUND)
		rc = find_prefix(d, &ids, name, "container", &id, err);
	for (size_t i = 0; rc == 0 && i < ids.len; i++)
		if (str_eq(ids.ptr[i], id)) {
			*ret_id = id;
			return docker_look_container(a, &texts[i], 1, (struct str){ 0 }, &at, ret_image, err);
		}
	return rc;
}

/* --- listing ------------------------------------------------------------------------------------------------------- */

/* Marks the images from which another one was built. */
static void mark_parents(struct docker_disk *d, struct arena *a, const struct str_list *ids, struct map *seen)
{
	for (size_t i = 0; i < ids->len; i++) {
		struct str parent;
		if (read_id(d, a, join(a, PARENTS, ids->ptr[i], "parent"), &parent, NULL) == 0 && str_skip(&parent, STR("sha256:")))
			*map_put(a, seen, parent, NULL) = 1;
	}
}

int docker_disk_list(struct docker_disk *d, struct arena *a, struct str_list *ret, struct err *err)
{
	struct str_list ids = { 0 }, names = { 0 }, name_ids = { 0 };
	struct map seen = { 0 };
	struct str repositories;
	int rc = list_below(d, a, STR(IMAGES), ENGINE_IMAGES_MAX, "ENGINE_IMAGES_MAX", &ids, err);
	if (rc == 0)
		rc = read_below(d, a, STR(REPOSITORIES), DOCKER_REPOSITORIES_SIZE_MAX, &repositories, err);
	if (rc == 0)
		rc = docker_look_tags(a, repositories, &names, &name_ids, err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		return rc;
	for (size_t i = 0; i < names.len; i++) {
		(void)map_put(a, &seen, name_ids.ptr[i], NULL);
		*vec_push(a, ret) = names.ptr[i];
	}
	mark_parents(d, a, &ids, &seen);
	for (size_t i = 0; i < ids.len; i++)
		if (!map_get(&seen, ids.ptr[i]))
			*vec_push(a, ret) = arena_printf(a, "sha256:%.*s", STR_ARG(ids.ptr[i]));
	return 0;
}

/* --- origin -------------------------------------------------------------------------------------------------------- */

/* The worker asks for the one config that it was told of. Its digest is computed here: what a parser says of a digest
 * names nothing. */
static int disk_read(void *ctx, struct arena *a, struct str name, size_t size_max, struct str *ret, struct err *err)
{
	struct docker_disk *d = ctx;
	struct sha256 wanted;
	struct str text;
	char is_text[DIGEST_TEXT_LEN + 1];
	if (!str_eq(name, arena_printf(a, "sha256:%.*s", STR_ARG(d->image))) || !sha256_parse(name, &wanted))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is not the image that was asked for", STR_ARG(name));
	int rc = read_below(d, a, join(a, IMAGES, d->image, ""), size_max, &text, err);
	if (rc < 0)
		return rc;
	struct sha256 is = sha256_of(text);
	if (!sha256_eq(&is, &wanted))
		return err_set(err, ERR_DIGEST, "the config of image %.*s in %.*s has another digest: %.*s", STR_ARG(d->image),
		               STR_ARG(d->path), STR_ARG(sha256_text(&is, is_text)));
	*ret = text;
	return 0;
}

/* A layer's name in layerdb: its diff ID for the first, then the digest of "PARENT DIFFID". */
static int chain_ids(struct docker_disk *d, struct arena *a, const struct image_desc *desc, struct err *err)
{
	struct str chain = { 0 };
	d->chains = arena_array(a, desc->layer_count, sizeof(*d->chains));
	d->placed = arena_array(a, desc->layer_count, sizeof(*d->placed));
	for (size_t i = 0; i < desc->layer_count; i++) {
		struct sha256 digest;
		char text[DIGEST_TEXT_LEN + 1];
		if (!sha256_parse(desc->layers[i].diff_id, &digest))
			return err_set(err, ERR_WORKER, "layer %zu has an impossible diff ID", i + 1);
		if (i) {
			struct str both = arena_printf(a, "%.*s %.*s", STR_ARG(chain), STR_ARG(desc->layers[i].diff_id));
			digest = sha256_of(both);
		}
		chain = str_dup(a, sha256_text(&digest, text));
		d->chains[i] = str_sub(chain, 7, chain.len);
	}
	d->chain_count = desc->layer_count;
	return 0;
}

static bool cache_id_ok(struct str id)
{
	(void)str_drop(&id, STR("-init"));
	return docker_hex_ok(id);
}

static int read_cache_id(const struct docker_disk *d, struct arena *a, struct str path, struct str *ret, struct err *err)
{
	int rc = read_id(d, a, path, ret, err);
	if (rc == 0 && !cache_id_ok(*ret))
		return err_set(err, ERR_FORMAT, "%.*s/%.*s holds no id", STR_ARG(d->path), STR_ARG(path));
	return rc;
}

/* The container's own two layers: what the engine made before its start (mount points, which may hide a link of the
 * image), and what has been written since. They must stand on this image. */
static int add_upper(struct docker_disk *d, struct arena *a, struct image_desc *desc, struct err *err)
{
	static const char *const files[] = { "init-id", "mount-id" };
	static const struct str words[] = { STR_INIT("(made by Docker before the start)"), STR_INIT("(the running container)") };
	struct str parent = { 0 };
	int rc = read_id(d, a, join(a, MOUNTS, d->container, "parent"), &parent, err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		return rc;
	(void)str_skip(&parent, STR("sha256:"));
	struct str top = desc->layer_count ? d->chains[desc->layer_count - 1] : (struct str){ 0 };
	if (!str_eq(parent, top))
		return err_set(err, ERR_FORMAT, "the container does not stand on the layers of its image");
	struct image_layer *layers = arena_array(a, desc->layer_count + COUNT_OF(files), sizeof(*layers));
	if (desc->layer_count)
		memcpy(layers, desc->layers, desc->layer_count * sizeof(*layers));
	desc->layers = layers;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct str *id = &d->upper[d->upper_count];
		rc = read_cache_id(d, a, join(a, MOUNTS, d->container, files[i]), id, err);
		if (rc == ERR_NOT_FOUND && i == 0)
			continue;
		if (rc < 0)
			return rc;
		layers[desc->layer_count++] = (struct image_layer){ .diff_id = STR("container"), .created_by = words[i] };
		d->upper_count++;
	}
	return 0;
}

static int disk_complete(void *ctx, struct arena *a, struct image_desc *desc, struct err *err)
{
	struct docker_disk *d = ctx;
	d->upper_count = 0;
	int rc = chain_ids(d, a, desc, err);
	return rc == 0 && d->container.len ? add_upper(d, a, desc, err) : rc;
}

static int layer_cache_id(const struct docker_disk *d, struct arena *a, const struct image_desc *desc, size_t layer,
                          struct str *ret, struct err *err)
{
	struct str diff;
	if (layer >= d->chain_count) {
		if (layer - d->chain_count >= d->upper_count)
			return err_set(err, ERR_WORKER, "there is no such layer");
		*ret = d->upper[layer - d->chain_count];
		return 0;
	}
	int rc = read_id(d, a, join(a, LAYERS, d->chains[layer], "diff"), &diff, err);
	if (rc < 0)
		return rc;
	if (!str_eq(diff, desc->layers[layer].diff_id))
		return err_set(err, ERR_DIGEST, "the store's diff ID is %.*s, the config's %.*s", STR_ARG(diff),
		               STR_ARG(desc->layers[layer].diff_id));
	return read_cache_id(d, a, join(a, LAYERS, d->chains[layer], "cache-id"), ret, err);
}

static int disk_place(void *ctx, struct arena *a, const struct image_desc *desc, size_t layer, struct layer_place *ret,
                      struct err *err)
{
	struct docker_disk *d = ctx;
	struct layer_place p = { .kind = PLACE_FOLDER, .fd = -1, .form = FOLDER_OVERLAY, .needs_trusted = true };
	struct str id;
	int rc = layer_cache_id(d, a, desc, layer, &id, err);
	if (rc == 0)
		rc = open_below(d, join(a, "overlay2", id, "diff"), O_RDONLY | O_DIRECTORY, &p.fd, err);
	if (rc < 0)
		return err_wrap(err, "layer %zu of %zu", layer + 1, desc->layer_count), rc == ERR_NOT_FOUND ? ERR_IO : rc;
	p.share = join(a, "overlay2", id, "");
	if (layer < d->chain_count)
		d->placed[layer] = id;
	*ret = p;
	return 0;
}

/* An engine that removes a layer renames its entry first and empties its folder then: while the entry stands, the folder
 * was whole. */
static int disk_settled(void *ctx, struct err *err)
{
	const struct docker_disk *d = ctx;
	struct arena *ARENA_AUTO a = arena_new();
	for (size_t i = 0; i < d->chain_count; i++) {
		struct str id;
		struct err why = { 0 };
		if (d->placed[i].len == 0)
			continue;
		if (read_cache_id(d, a, join(a, LAYERS, d->chains[i], "cache-id"), &id, &why) < 0 || !str_eq(id, d->placed[i]))
			return err_set(err, ERR_NOT_FOUND, "layer %zu of %zu was removed by the engine while it was read", i + 1,
			               d->chain_count);
	}
	return 0;
}

static void disk_close(void *ctx)
{
	docker_disk_close(ctx);
}

void docker_disk_origin(struct docker_disk *d, struct arena *a, struct str image_id, struct str container_id,
                        struct image_origin *ret)
{
	d->image = str_dup(a, image_id);
	d->container = str_dup(a, container_id);
	*ret = (struct image_origin){
		.source = arena_printf(a, "Docker's overlay2 store in %.*s", STR_ARG(d->path)),
		.ctx = d,
		.resolve = docker_resolve,
		.reference = arena_printf(a, "sha256:%.*s", STR_ARG(image_id)),
		.read = disk_read,
		.complete = disk_complete,
		.place = disk_place,
		.settled = disk_settled,
		.close = disk_close,
	};
	*vec_push(a, &ret->notes) =
	        STR("read in place: the config and the chain of its layers were checked, digests of file contents were not");
}
