/* What is asked of a store's JSON, in a worker: which image or container, which layers, which diff IDs. See containers.h.
 * Believes nothing: ids have a shape, chains have a length, manifests and configs have the digests that name them, and
 * the diff IDs that the store noted when it unpacked the layers must be those of the config. */
#include "image/containers.h"

#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/oci.h"

#include <sys/utsname.h>

#define NAMES_SHOWN_SIZE 400

/* The JSON of one store; read when it is first asked for. */
struct papers {
	struct str driver;
	struct value *images;        /* a list, or NULL: none */
	bool layers_read;
	struct map layer_index;      /* id -> index in layers */
	VEC(const struct value *) layers;
};

struct work {
	struct arena *arena;
	const struct image_store *store;
	const struct containers_request *request;
	struct papers *papers;
	size_t count;
	struct err *err;
	unsigned manifest_lists; /* on the way to the image */
};

/* An image or a container, and where it was found. */
struct found {
	size_t store;
	const struct value *value;
};

/* --- documents ---------------------------------------------------------------------------------------------------- */

/* The whole of a JSON list, piece by piece; NULL where there is none. An empty file is an empty list, as for Podman. */
static int read_list(struct work *w, size_t store, const char *file, struct value **ret)
{
	struct buf BUF_AUTO all = { 0 };
	struct str piece = { 0 };
	buf_init(&all, CONTAINERS_JSON_SIZE_MAX);
	for (size_t i = 0; i == 0 || piece.len == CONTAINERS_PIECE_SIZE; i++) {
		struct arena *ARENA_AUTO tmp = arena_new();
		struct err why = { 0 };
		int rc = w->store->read(w->store->ctx, tmp, arena_printf(tmp, "%zu/%s/%zu", store, file, i), MANIFEST_SIZE_MAX,
		                        &piece, &why);
		if (rc == ERR_NOT_FOUND && i == 0)
			piece.len = 0;
		else if (rc < 0)
			return err_set(w->err, rc, "%s: %s", file, why.text);
		if (!buf_put(&all, piece))
			return err_set(w->err, ERR_LIMIT, "%s passes CONTAINERS_JSON_SIZE_MAX", file);
	}
	*ret = NULL;
	if (str_trim(buf_view(&all)).len == 0)
		return 0;
	int rc = json_parse(w->arena, str_dup(w->arena, buf_view(&all)), ret, w->err);
	if (rc == 0 && value_is(*ret, VALUE_NULL))
		*ret = NULL;
	else if (rc == 0 && !value_is(*ret, VALUE_LIST))
		rc = err_set(w->err, ERR_FORMAT, "it is no list");
	return rc < 0 ? (err_wrap(w->err, "%s", file), rc) : 0;
}

static int read_data(struct work *w, size_t store, struct str id, struct str key, struct str *ret)
{
	struct str name = arena_printf(w->arena, "%zu/data/%.*s/%.*s", store, STR_ARG(id), STR_ARG(key));
	int rc = w->store->read(w->store->ctx, w->arena, name, MANIFEST_SIZE_MAX, ret, w->err);
	/* Not "no such image": the store is broken. */
	if (rc == ERR_NOT_FOUND)
		return err_set(w->err, ERR_FORMAT, "the image's document \"%.*s\" is missing", STR_ARG(key));
	return rc < 0 ? (err_wrap(w->err, "document \"%.*s\" of the image", STR_ARG(key)), rc) : 0;
}

static int read_stores(struct work *w)
{
	struct str text, line;
	int rc = w->store->read(w->store->ctx, w->arena, STR("stores"), MANIFEST_SIZE_MAX, &text, w->err);
	if (rc < 0)
		return rc;
	w->papers = arena_array(w->arena, CONTAINERS_STORES_MAX, sizeof(*w->papers));
	for (struct str rest = text; w->count < CONTAINERS_STORES_MAX && str_cut(&rest, '\n', &line);)
		if (line.len)
			w->papers[w->count++].driver = line;
	for (size_t i = 0; rc == 0 && i < w->count; i++)
		rc = read_list(w, i, "images.json", &w->papers[i].images);
	return rc;
}

static int index_layers(struct work *w, struct papers *p, size_t store, const char *file)
{
	struct value *list;
	int rc = read_list(w, store, file, &list);
	for (size_t i = 0; rc == 0 && i < value_len(list); i++) {
		const struct value *layer = value_at(list, i);
		bool fresh;
		uint64_t *at = map_put(w->arena, &p->layer_index, value_str(value_get(layer, "id")), &fresh);
		if (!fresh)
			continue;
		*at = p->layers.len;
		*vec_push(w->arena, &p->layers) = layer;
	}
	return rc;
}

static int find_layer_in(struct work *w, size_t store, struct str id, const struct value **ret)
{
	struct papers *p = &w->papers[store];
	int rc = 0;
	if (!p->layers_read) {
		rc = index_layers(w, p, store, "layers.json");
		if (rc == 0)
			rc = index_layers(w, p, store, "volatile-layers.json");
		p->layers_read = rc == 0;
	}
	const uint64_t *at = rc == 0 ? map_get(&p->layer_index, id) : NULL;
	*ret = at ? p->layers.ptr[*at] : NULL;
	return rc;
}

/* In the store where its child is, else in another of the same driver (additional stores share layers with the first). */
static int find_layer(struct work *w, size_t near, struct str id, struct found *ret)
{
	const struct value *layer = NULL;
	int rc = find_layer_in(w, near, id, &layer);
	size_t store = near;
	for (size_t i = 0; rc == 0 && !layer && i < w->count; i++)
		if (i != near && str_eq(w->papers[i].driver, w->papers[near].driver)) {
			rc = find_layer_in(w, i, id, &layer);
			store = i;
		}
	if (rc < 0)
		return rc;
	if (!layer)
		return err_set(w->err, ERR_FORMAT, "the layer %.*s is not in layers.json", STR_ARG(str_sub(id, 0, 64)));
	if (value_bool(value_get(value_get(layer, "flags"), "incomplete")))
		return err_set(w->err, ERR_FORMAT, "the layer %.12s is incomplete: it is being pulled, or that was broken off",
		               id.ptr);
	*ret = (struct found){ store, layer };
	return 0;
}

/* --- layers --------------------------------------------------------------------------------------------------------- */

struct chain {
	VEC(struct found) layers; /* the top first */
};

static int walk_chain(struct work *w, size_t store, struct str top, struct chain *ret)
{
	struct found f = { .store = store };
	for (struct str id = top; id.len; id = value_str(value_get(f.value, "parent"))) {
		if (!containers_is_id(id))
			return err_set(w->err, ERR_FORMAT, "\"%.*s\" is no layer's id", STR_ARG(str_sub(id, 0, 80)));
		if (ret->layers.len == LAYER_COUNT_MAX)
			return err_set(w->err, ERR_LIMIT, "more layers on each other than LAYER_COUNT_MAX, or in a circle");
		int rc = find_layer(w, f.store, id, &f);
		if (rc < 0)
			return rc;
		*vec_push(w->arena, &ret->layers) = f;
	}
	return 0;
}

static struct str layer_path(struct work *w, const struct found *f)
{
	return arena_printf(w->arena, "%zu/%.*s", f->store, STR_ARG(value_str(value_get(f->value, "id"))));
}

/* The store's layers under the diff IDs of the config. */
static int join_chain(struct work *w, const struct chain *c, struct image_desc *d)
{
	size_t unknown = 0;
	if (c->layers.len != d->layer_count)
		return err_set(w->err, ERR_FORMAT, "the config names %zu layers, the store has %zu", d->layer_count,
		               c->layers.len);
	for (size_t i = 0; c->layers.ptr && i < d->layer_count; i++) {
		const struct found *f = &c->layers.ptr[d->layer_count - 1 - i];
		struct str noted = value_str(value_get(f->value, "diff-digest"));
		d->layers[i].path = layer_path(w, f);
		unknown += noted.len == 0;
		if (noted.len && !str_eq(noted, d->layers[i].diff_id))
			return err_set(w->err, ERR_DIGEST, "layer %zu of %zu was unpacked from %.*s, not from the config's diff ID",
			               i + 1, d->layer_count, STR_ARG(str_sub(noted, 0, DIGEST_TEXT_LEN)));
	}
	if (unknown)
		d->note = arena_printf(w->arena, "of %zu layers the store has noted no digest (they were pulled in parts): that "
		                       "they are the config's could not be checked", unknown);
	return 0;
}

/* --- the image ------------------------------------------------------------------------------------------------------ */

static const struct value *image_at(const struct work *w, size_t store, size_t i)
{
	return value_at(w->papers[store].images, i);
}

static int read_manifest(struct work *w, const struct found *image, struct value **ret, struct str *ret_digest)
{
	struct str id = value_str(value_get(image->value, "id")), text;
	char digest_text[DIGEST_TEXT_LEN + 1];
	if (!containers_is_id(id))
		return err_set(w->err, ERR_FORMAT, "\"%.*s\" is no image's id", STR_ARG(str_sub(id, 0, 80)));
	int rc = read_data(w, image->store, id, STR("manifest"), &text);
	if (rc < 0)
		return rc;
	struct sha256 digest = sha256_of(text);
	*ret_digest = str_dup(w->arena, sha256_text(&digest, digest_text));
	if (!str_eq(value_str(value_get(value_get(image->value, "big-data-digests"), "manifest")), *ret_digest) &&
	    !str_eq(value_str(value_get(image->value, "digest")), *ret_digest))
		return err_set(w->err, ERR_DIGEST, "the manifest has another digest than images.json says: %.*s",
		               STR_ARG(*ret_digest));
	rc = json_parse(w->arena, text, ret, w->err);
	return rc < 0 ? (err_wrap(w->err, "manifest"), rc) : 0;
}

/* An image was asked for by a digest that is not its manifest's: that of the index through which it was pulled, which
 * is kept too, and must name it. */
static int check_index(struct work *w, const struct found *image, struct str wanted, struct str digest)
{
	struct str text, id = value_str(value_get(image->value, "id"));
	struct value *index;
	/* "sha256:" may also stand in front of an id. */
	if (wanted.len == 0 || str_eq(wanted, digest) || !containers_has_digest(image->value, wanted))
		return 0;
	int rc = read_data(w, image->store, id, arena_printf(w->arena, "manifest-%.*s", STR_ARG(wanted)), &text);
	if (rc < 0)
		return rc;
	char digest_text[DIGEST_TEXT_LEN + 1];
	struct sha256 found = sha256_of(text);
	if (!str_eq(wanted, sha256_text(&found, digest_text)))
		return err_set(w->err, ERR_DIGEST, "the index has another digest: %.*s", STR_ARG(sha256_text(&found, digest_text)));
	if ((rc = json_parse(w->arena, text, &index, w->err)) < 0)
		return err_wrap(w->err, "index"), rc;
	const struct value *manifests = value_get(index, "manifests");
	for (size_t i = 0; i < value_len(manifests); i++)
		if (str_eq(value_str(value_get(value_at(manifests, i), "digest")), digest))
			return 0;
	return err_set(w->err, ERR_DIGEST, "the index %.*s does not name the image's manifest", STR_ARG(wanted));
}

static int read_config(struct work *w, const struct found *image, const struct value *manifest, struct value **ret)
{
	struct str digest = value_str(value_get(value_get(manifest, "config"), "digest")), text;
	char digest_text[DIGEST_TEXT_LEN + 1];
	struct sha256 claimed;
	int64_t version = 0;
	if (value_int(value_get(manifest, "schemaVersion"), &version) && version == 1)
		return err_set(w->err, ERR_UNSUPPORTED, "its manifest has schema version 1, which has no diff IDs");
	if (!sha256_parse(digest, &claimed))
		return err_set(w->err, ERR_FORMAT, "the manifest names no config");
	int rc = read_data(w, image->store, value_str(value_get(image->value, "id")), digest, &text);
	if (rc < 0)
		return rc;
	struct sha256 found = sha256_of(text);
	if (!sha256_eq(&found, &claimed))
		return err_set(w->err, ERR_DIGEST, "the config has another digest than the manifest says: %.*s",
		               STR_ARG(sha256_text(&found, digest_text)));
	rc = json_parse(w->arena, text, ret, w->err);
	return rc < 0 ? (err_wrap(w->err, "config"), rc) : 0;
}

/* Digests of the blobs that the layers came from; the manifest may be silent. */
static void take_blobs(const struct value *manifest, struct image_desc *d)
{
	const struct value *layers = value_get(manifest, "layers");
	for (size_t i = 0; value_len(layers) == d->layer_count && i < d->layer_count; i++)
		d->layers[i].digest = value_str(value_get(value_at(layers, i), "digest"));
}

static int check_platform(struct work *w, const struct image_desc *d)
{
	struct str wanted = w->request->platform;
	if (wanted.len == 0 || d->platform.len == 0 || image_platform_matches(wanted, d->platform))
		return 0;
	return err_set(w->err, ERR_NOT_FOUND, "the image is for %.*s, not for %.*s", STR_ARG(d->platform), STR_ARG(wanted));
}

static int describe_image(struct work *w, const struct found *image, struct image_desc *ret);

static struct str own_platform(struct arena *a)
{
	static const char *const names[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" },
		                                { "i686", "386" } };
	struct utsname u;
	if (uname(&u) < 0)
		return STR("linux/amd64");
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(str_from(u.machine), str_from(names[i][0])))
			return arena_printf(a, "linux/%s", names[i][1]);
	return arena_printf(a, "linux/%s", u.machine);
}

/* A list of images for several platforms ("podman manifest create"): the one for the platform, if the store has it. */
static int describe_listed(struct work *w, const struct value *manifests, struct image_desc *ret)
{
	struct str platform = w->request->platform.len ? w->request->platform : own_platform(w->arena);
	if (w->manifest_lists++ >= INDEX_DEPTH_MAX || value_len(manifests) > ARCHIVE_IMAGES_MAX)
		return err_set(w->err, ERR_LIMIT, "a list of manifests is over INDEX_DEPTH_MAX or ARCHIVE_IMAGES_MAX");
	for (size_t i = 0; i < value_len(manifests); i++) {
		const struct value *descriptor = value_at(manifests, i);
		struct str digest = value_str(value_get(descriptor, "digest"));
		if (!image_platform_matches(platform, image_platform(w->arena, value_get(descriptor, "platform"))))
			continue;
		for (size_t s = 0; s < w->count; s++)
			for (size_t k = 0; k < value_len(w->papers[s].images); k++)
				if (containers_has_digest(image_at(w, s, k), digest))
					return describe_image(w, &(struct found){ s, image_at(w, s, k) }, ret);
		return err_set(w->err, ERR_NOT_FOUND, "it is a list of images, of which that for %.*s is not in the store",
		               STR_ARG(platform));
	}
	return err_set(w->err, ERR_NOT_FOUND, "it is a list of images, of which none is for %.*s", STR_ARG(platform));
}

static int describe_image(struct work *w, const struct found *image, struct image_desc *ret)
{
	struct image_desc d = { 0 };
	struct value *manifest, *config;
	struct chain chain = { 0 };
	int rc = read_manifest(w, image, &manifest, &d.digest);
	if (rc == 0 && value_is(value_get(manifest, "manifests"), VALUE_LIST))
		return describe_listed(w, value_get(manifest, "manifests"), ret);
	if (rc == 0 && w->request->ask == ASK_IMAGE && w->manifest_lists == 0)
		rc = check_index(w, image, containers_wanted_digest(w->request->name), d.digest);
	if (rc == 0)
		rc = read_config(w, image, manifest, &config);
	if (rc == 0)
		rc = walk_chain(w, image->store, value_str(value_get(image->value, "layer")), &chain);
	if (rc == 0)
		rc = image_alloc_layers(w->arena, value_len(value_get(value_get(config, "rootfs"), "diff_ids")), &d, w->err);
	if (rc == 0)
		rc = image_take_config(w->arena, config, &d, w->err);
	if (rc == 0)
		rc = join_chain(w, &chain, &d);
	if (rc == 0)
		rc = check_platform(w, &d);
	if (rc < 0)
		return rc;
	take_blobs(manifest, &d);
	d.name = value_str(value_at(value_get(image->value, "names"), 0));
	*ret = d;
	return 0;
}

/* --- which image, which container ----------------------------------------------------------------------------------- */

/* The best so far, and others that are as good. */
struct search {
	struct found best;
	enum containers_fit fit;
	bool several;
	struct buf names;
};

static void consider(struct search *s, size_t store, const struct value *v, enum containers_fit fit)
{
	struct str id = value_str(value_get(v, "id"));
	struct str name = value_str(value_at(value_get(v, "names"), 0));
	if (fit == FIT_NONE || fit < s->fit)
		return;
	if (fit > s->fit) {
		s->best = (struct found){ store, v };
		s->fit = fit;
		s->several = false;
		buf_clear(&s->names);
	} else if (str_eq(value_str(value_get(s->best.value, "id")), id) || fit >= FIT_DOCKER_IO) {
		/* The same image in a second store; or the same name, of which the first store's counts. */
		return;
	} else {
		s->several = true;
	}
	if (name.len == 0)
		name = str_sub(id, 0, 12);
	(void)buf_printf(&s->names, "%s%.*s", s->names.len ? ", " : "", STR_ARG(name));
}

static int search_end(struct work *w, struct search *s, const char *what, struct found *ret)
{
	int rc = 0;
	if (s->fit == FIT_NONE)
		rc = err_set(w->err, ERR_NOT_FOUND, "no such %s", what);
	else if (s->several)
		rc = err_set(w->err, ERR_USAGE, "several of the store's %ss could be meant: %.*s%s", what,
		             STR_ARG(buf_view(&s->names)), s->names.overflow ? " ..." : "");
	*ret = s->best;
	buf_done(&s->names);
	return rc;
}

static int find_image(struct work *w, struct str wanted, struct found *ret)
{
	struct search s = { 0 };
	buf_init(&s.names, NAMES_SHOWN_SIZE);
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < value_len(w->papers[i].images); k++) {
			struct arena *ARENA_AUTO tmp = arena_new();
			consider(&s, i, image_at(w, i, k), containers_fit(tmp, wanted, image_at(w, i, k)));
		}
	return search_end(w, &s, "image", ret);
}

static enum containers_fit fit_container(struct str wanted, const struct value *container)
{
	struct str id = value_str(value_get(container, "id"));
	const struct value *names = value_get(container, "names");
	for (size_t i = 0; i < value_len(names); i++)
		if (str_eq(value_str(value_at(names, i)), wanted))
			return FIT_NAME;
	if (str_eq(wanted, id))
		return FIT_ID;
	return wanted.len >= 4 && str_starts(id, wanted) ? FIT_ID_PREFIX : FIT_NONE;
}

static int find_container(struct work *w, struct found *ret)
{
	static const char *const files[] = { "containers.json", "volatile-containers.json" };
	struct search s = { 0 };
	buf_init(&s.names, NAMES_SHOWN_SIZE);
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < COUNT_OF(files); k++) {
			struct value *list;
			int rc = read_list(w, i, files[k], &list);
			if (rc < 0) {
				buf_done(&s.names);
				return rc;
			}
			for (size_t n = 0; n < value_len(list); n++)
				consider(&s, i, value_at(list, n), fit_container(w->request->name, value_at(list, n)));
		}
	return search_end(w, &s, "container", ret);
}

/* --- containers ----------------------------------------------------------------------------------------------------- */

/* The container's layer lies on its image's, or on a copy of it whose owners are shifted. */
static bool lies_on(const struct value *layer, const struct value *image)
{
	struct str parent = value_str(value_get(layer, "parent"));
	const struct value *mapped = value_get(image, "mapped-layers");
	if (str_eq(parent, value_str(value_get(image, "layer"))))
		return true;
	for (size_t i = 0; i < value_len(mapped); i++)
		if (str_eq(parent, value_str(value_at(mapped, i))))
			return true;
	return false;
}

/* Its image is gone or is none that can be read: the layers as the store knows them. */
static int describe_chain(struct work *w, const struct found *layer, struct image_desc *ret)
{
	struct image_desc d = { 0 };
	struct chain chain = { 0 };
	int rc = walk_chain(w, layer->store, value_str(value_get(layer->value, "parent")), &chain);
	if (rc == 0)
		rc = image_alloc_layers(w->arena, chain.layers.len, &d, w->err);
	for (size_t i = 0; rc == 0 && chain.layers.ptr && i < d.layer_count; i++) {
		const struct found *f = &chain.layers.ptr[d.layer_count - 1 - i];
		struct sha256 ignored;
		d.layers[i].path = layer_path(w, f);
		d.layers[i].diff_id = value_str(value_get(f->value, "diff-digest"));
		if (!sha256_parse(d.layers[i].diff_id, &ignored))
			rc = err_set(w->err, ERR_UNSUPPORTED, "its image is not in the store, and of a layer no digest is noted");
	}
	if (rc < 0)
		return rc;
	if (d.layer_count)
		d.note = STR("the container's image is no longer in the store: its layers are named as the store noted them");
	*ret = d;
	return 0;
}

static void add_container_layer(struct work *w, const struct found *container, const struct found *layer,
                                struct image_desc *d)
{
	struct image_layer *layers = arena_grow(w->arena, d->layers, d->layer_count, d->layer_count + 1, sizeof(*layers));
	layers[d->layer_count++] = (struct image_layer){
		.path = layer_path(w, layer),
		.diff_id = STR("container"),
		.created_by = STR("what was written in the container"),
	};
	d->layers = layers;
	d->name = value_str(value_at(value_get(container->value, "names"), 0));
}

static int describe_container(struct work *w, const struct found *container, struct image_desc *ret)
{
	struct str image_id = value_str(value_get(container->value, "image"));
	struct str layer_id = value_str(value_get(container->value, "layer"));
	struct found layer, image = { 0 };
	struct image_desc d = { 0 };
	struct err ignored = { 0 }, *err = w->err;
	if (layer_id.len == 0)
		return err_set(w->err, ERR_UNSUPPORTED, "it has no layer in the store (made with --rootfs): plimsoll fs FOLDER");
	if (!containers_is_id(layer_id))
		return err_set(w->err, ERR_FORMAT, "\"%.*s\" is no layer's id", STR_ARG(str_sub(layer_id, 0, 80)));
	int rc = find_layer(w, container->store, layer_id, &layer);
	if (rc < 0)
		return rc;
	w->err = &ignored;
	int rc_image = containers_is_id(image_id) ? find_image(w, image_id, &image) : ERR_NOT_FOUND;
	w->err = err;
	if (rc_image == 0 && lies_on(layer.value, image.value))
		rc = describe_image(w, &image, &d);
	else
		rc = describe_chain(w, &layer, &d);
	if (rc < 0)
		return rc;
	if (d.layer_count >= LAYER_COUNT_MAX)
		return err_set(w->err, ERR_LIMIT, "more layers than LAYER_COUNT_MAX");
	add_container_layer(w, container, &layer, &d);
	*ret = d;
	return 0;
}

/* --- lists ---------------------------------------------------------------------------------------------------------- */

/* Names go to a terminal and come back as targets. */
static bool plain_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_alnum(name.ptr[i]) && !memchr("._-/:@+", name.ptr[i], 7))
			return false;
	return name.len > 0 && name.len <= PACKAGE_FIELD_MAX;
}

/* A list for several platforms holds no files; its images are entries of their own. */
static bool is_manifest_list(const struct value *image)
{
	const struct value *names = value_get(image, "big-data-names");
	for (size_t i = 0; i < value_len(names); i++)
		if (str_eq(value_str(value_at(names, i)), STR("instances.json")))
			return true;
	return false;
}

static void list_images(struct work *w, struct containers_answer *ret)
{
	struct map seen = { 0 };
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < value_len(w->papers[i].images); k++) {
			const struct value *image = image_at(w, i, k);
			struct str id = value_str(value_get(image, "id")), name = value_str(value_at(value_get(image, "names"), 0));
			bool fresh;
			(void)map_put(w->arena, &seen, id, &fresh);
			if (!fresh || is_manifest_list(image))
				continue;
			if (!plain_name(name))
				name = id;
			if (plain_name(name))
				*vec_push(w->arena, &ret->names) = name;
			else
				ret->nameless++;
		}
}

int containers_ask(struct arena *a, const struct image_store *store, const struct containers_request *q,
                   struct containers_answer *ret, struct err *err)
{
	struct containers_answer answer = { 0 };
	struct err own = { 0 };
	struct work w = { .arena = a, .store = store, .request = q, .err = err ? err : &own };
	struct found f = { 0 };
	int rc = read_stores(&w);
	if (rc < 0)
		return rc;
	if (q->ask == ASK_LIST) {
		list_images(&w, &answer);
	} else if (q->ask == ASK_IMAGE) {
		rc = find_image(&w, q->name, &f);
		if (rc == 0)
			rc = describe_image(&w, &f, &answer.desc);
	} else {
		rc = find_container(&w, &f);
		if (rc == 0)
			rc = describe_container(&w, &f, &answer.desc);
	}
	if (rc < 0)
		return rc;
	answer.store = f.store;
	*ret = answer;
	return 0;
}

void containers_answer_encode(struct buf *out, const struct containers_answer *w)
{
	buf_varint(out, w->store);
	buf_varint(out, w->nameless);
	buf_varint(out, w->names.len);
	for (size_t i = 0; i < w->names.len; i++)
		buf_str(out, w->names.ptr[i]);
	image_desc_encode(out, &w->desc);
}

void containers_answer_decode(struct arena *a, struct reader *r, struct containers_answer *ret)
{
	*ret = (struct containers_answer){ 0 };
	ret->store = read_varint(r);
	ret->nameless = read_varint(r);
	size_t n = read_count(r, 1);
	for (size_t i = 0; !r->bad && i < n; i++) {
		struct str name = read_str(r);
		r->bad = r->bad || !plain_name(name);
		*vec_push(a, &ret->names) = name;
	}
	image_desc_decode(a, r, &ret->desc);
}
