/* Manifests, indexes, configs: see manifest.h. Believes nothing: every count has a cap, every digest of a small blob is
 * checked, every missing piece is named. */
#include "image/manifest.h"

#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/config.h"
#include "image/oci.h"

/* Fill in what Docker's short names leave out: "nginx" is docker.io/library/nginx:latest. */
static struct str full_reference(struct arena *a, struct str ref)
{
	(void)str_skip(&ref, STR("index.docker.io/"));
	ptrdiff_t slash = str_find(ref, '/');
	struct str host = str_sub(ref, 0, slash < 0 ? 0 : (size_t)slash);
	bool has_host = host.len && (str_find(host, '.') >= 0 || str_find(host, ':') >= 0 || str_eq(host, STR("localhost")));
	if (!has_host)
		ref = arena_printf(a, "docker.io/%s%.*s", slash < 0 ? "library/" : "", STR_ARG(ref));
	struct str last = str_sub(ref, (size_t)(str_rfind(ref, '/') + 1), ref.len);
	if (str_find(last, ':') < 0 && str_find(last, '@') < 0)
		ref = arena_printf(a, "%.*s:latest", STR_ARG(ref));
	return ref;
}

bool image_reference_matches(struct arena *a, struct str wanted, struct str stored)
{
	if (stored.len == 0)
		return false;
	if (str_eq(wanted, stored))
		return true;
	if (str_find(wanted, '/') < 0 && str_find(wanted, ':') < 0) {
		ptrdiff_t colon = str_rfind(stored, ':');
		ptrdiff_t slash = str_rfind(stored, '/');
		if (colon > slash && str_eq(str_sub(stored, (size_t)colon + 1, stored.len), wanted))
			return true;
	}
	return str_eq(full_reference(a, wanted), full_reference(a, stored));
}

int image_read_json(struct arena *a, const struct image_store *store, struct str path, struct str *ret_text,
                    struct value **ret, struct err *err)
{
	struct str text;
	int rc = store->read(store->ctx, a, path, MANIFEST_SIZE_MAX, &text, err);
	if (rc < 0)
		return rc;
	rc = json_parse(a, text, ret, err);
	if (rc < 0)
		return err_wrap(err, "%.*s", STR_ARG(path)), rc;
	if (ret_text)
		*ret_text = text;
	return 0;
}

struct str image_platform(struct arena *a, const struct value *v)
{
	struct str os = value_str(value_get(v, "os"));
	struct str arch = value_str(value_get(v, "architecture"));
	struct str variant = value_str(value_get(v, "variant"));
	if (os.len == 0 || arch.len == 0)
		return (struct str){ 0 };
	return arena_printf(a, "%.*s/%.*s%s%.*s", STR_ARG(os), STR_ARG(arch), variant.len ? "/" : "", STR_ARG(variant));
}

static size_t steps_with_layers(const struct value *history)
{
	size_t n = 0;
	for (size_t i = 0; i < value_len(history); i++)
		n += !value_bool(value_get(value_at(history, i), "empty_layer"));
	return n;
}

/* The commands that made the layers: history has an entry a step, those without a layer are marked. Where it has fewer
 * steps than there are layers, it tells of the upper ones: a base without a history was built upon. */
static void take_history(const struct value *config, struct image_desc *d)
{
	const struct value *history = value_get(config, "history");
	size_t steps = steps_with_layers(history), layer = steps < d->layer_count ? d->layer_count - steps : 0;
	for (size_t i = 0; i < value_len(history) && layer < d->layer_count; i++) {
		const struct value *step = value_at(history, i);
		if (value_bool(value_get(step, "empty_layer")))
			continue;
		d->layers[layer++].created_by = value_str(value_get(step, "created_by"));
	}
}

int image_take_config(struct arena *a, const struct value *config, struct image_desc *d, struct err *err)
{
	const struct value *ids = value_get(value_get(config, "rootfs"), "diff_ids");
	if (value_len(ids) != d->layer_count)
		return err_set(err, ERR_FORMAT, "the config names %zu layers, the manifest %zu", value_len(ids), d->layer_count);
	for (size_t i = 0; i < d->layer_count; i++) {
		struct sha256 digest;
		struct str id = value_str(value_at(ids, i));
		if (!sha256_parse(id, &digest))
			return err_set(err, ERR_FORMAT, "diff ID %zu of the config is no sha256 digest: \"%.*s\"", i, STR_ARG(id));
		d->layers[i].diff_id = id;
	}
	d->platform = image_platform(a, config);
	take_history(config, d);
	image_config_take(a, config, &d->config);
	return 0;
}

static int alloc_layers(struct arena *a, size_t count, struct image_desc *d, struct err *err)
{
	if (count > LAYER_COUNT_MAX)
		return err_set(err, ERR_LIMIT, "%zu layers, over LAYER_COUNT_MAX (%u)", count, LAYER_COUNT_MAX);
	d->layers = arena_array(a, count, sizeof(*d->layers));
	d->layer_count = count;
	return 0;
}

int image_alloc_layers(struct arena *a, size_t count, struct image_desc *d, struct err *err)
{
	return alloc_layers(a, count, d, err);
}

/* --- docker-archive ------------------------------------------------------------------------------------------- */

static int clean_member(struct arena *a, struct str path, struct str *ret, struct err *err)
{
	char *out = arena_alloc(a, TAR_PATH_MAX);
	if (path.len >= TAR_PATH_MAX || !tar_clean_path(path, out, ret) || ret->len == 0)
		return err_set(err, ERR_FORMAT, "manifest.json names an impossible path: \"%.*s\"", STR_ARG(path));
	return 0;
}

/* One entry of manifest.json, whose Config and Layers are members of the archive. */
static int take_docker_entry(struct arena *a, const struct image_store *store, const struct value *entry,
                             struct image_desc *ret, struct err *err)
{
	struct image_desc d = { 0 };
	const struct value *layers = value_get(entry, "Layers");
	struct value *config;
	struct str config_path, text;
	struct sha256 claimed;
	int rc = clean_member(a, value_str(value_get(entry, "Config")), &config_path, err);
	if (rc < 0 || (rc = alloc_layers(a, value_len(layers), &d, err)) < 0)
		return rc;
	if ((rc = image_read_json(a, store, config_path, &text, &config, err)) < 0)
		return rc;

	/* The config's name is its digest: "HEX.json", or a blob. */
	struct str hex = str_sub(config_path, (size_t)(str_rfind(config_path, '/') + 1), config_path.len);
	(void)str_drop(&hex, STR(".json"));
	char digest_text[DIGEST_TEXT_LEN + 1];
	struct sha256 digest = sha256_of(text);
	if (sha256_parse(arena_printf(a, "sha256:%.*s", STR_ARG(hex)), &claimed) && !sha256_eq(&digest, &claimed))
		return err_set(err, ERR_DIGEST, "the config %.*s has another digest: %.*s", STR_ARG(config_path),
		               STR_ARG(sha256_text(&digest, digest_text)));
	d.digest = str_dup(a, sha256_text(&digest, digest_text));
	d.config.id = d.digest;
	for (size_t i = 0; i < value_len(value_get(entry, "RepoTags")) && i < IMAGE_CONFIG_ITEMS_MAX; i++)
		*vec_push(a, &d.config.tags) = value_str(value_at(value_get(entry, "RepoTags"), i));
	d.name = value_str(value_at(value_get(entry, "RepoTags"), 0));
	for (size_t i = 0; i < d.layer_count; i++) {
		if ((rc = clean_member(a, value_str(value_at(layers, i)), &d.layers[i].path, err)) < 0)
			return rc;
		struct str blob = d.layers[i].path;
		if (str_skip(&blob, STR("blobs/sha256/")))
			d.layers[i].digest = arena_printf(a, "sha256:%.*s", STR_ARG(blob));
	}
	if ((rc = image_take_config(a, config, &d, err)) < 0)
		return rc;
	*ret = d;
	return 0;
}

static bool docker_entry_matches(struct arena *a, const struct value *entry, struct str wanted)
{
	const struct value *tags = value_get(entry, "RepoTags");
	for (size_t i = 0; i < value_len(tags); i++)
		if (image_reference_matches(a, wanted, value_str(value_at(tags, i))))
			return true;
	struct str config = value_str(value_get(entry, "Config"));
	(void)str_skip(&wanted, STR("sha256:"));
	return wanted.len >= 12 && str_contains(config, wanted);
}

static void list_docker_entry(struct buf *out, const struct value *entry)
{
	struct str tag = value_str(value_at(value_get(entry, "RepoTags"), 0));
	struct str config = value_str(value_get(entry, "Config"));
	(void)str_skip(&config, STR("blobs/sha256/"));
	if (tag.len == 0)
		tag = str_sub(config, 0, 12);
	buf_printf(out, "%s%.*s", out->len ? ", " : "", STR_ARG(tag));
}

static int resolve_docker(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                          const struct value *manifest, struct image_desc *ret, struct err *err)
{
	const struct value *found = NULL;
	struct buf BUF_AUTO names = { 0 };
	buf_init(&names, 512);
	size_t count = value_len(manifest), matches = 0;
	if (!value_is(manifest, VALUE_LIST) || count == 0)
		return err_set(err, ERR_FORMAT, "manifest.json lists no image");
	if (count > ARCHIVE_IMAGES_MAX)
		return err_set(err, ERR_LIMIT, "%zu images, over ARCHIVE_IMAGES_MAX", count);
	for (size_t i = 0; i < count; i++) {
		const struct value *entry = value_at(manifest, i);
		list_docker_entry(&names, entry);
		if (choice->reference.len && !docker_entry_matches(a, entry, choice->reference))
			continue;
		/* The same image twice is one image. */
		if (found && str_eq(value_str(value_get(found, "Config")), value_str(value_get(entry, "Config"))))
			continue;
		matches++;
		found = entry;
	}
	if (matches == 0)
		return err_set(err, ERR_NOT_FOUND, "no image \"%.*s\" in the archive; it holds %.*s", STR_ARG(choice->reference),
		               STR_ARG(buf_view(&names)));
	if (matches > 1)
		return err_set(err, ERR_USAGE, "the archive holds %zu images, choose one by its name: %.*s", matches,
		               STR_ARG(buf_view(&names)));
	int rc = take_docker_entry(a, store, found, ret, err);
	if (rc == 0 && choice->platform.len && ret->platform.len && !image_platform_matches(choice->platform, ret->platform))
		return err_set(err, ERR_NOT_FOUND, "the image is for %.*s, not for %.*s", STR_ARG(ret->platform),
		               STR_ARG(choice->platform));
	return rc;
}

int image_resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                  struct image_desc *ret, struct err *err)
{
	struct value *docker = NULL, *index = NULL;
	struct err docker_err = { 0 }, oci_err = { 0 };
	int rc_docker = choice->prefer_oci ? ERR_NOT_FOUND
	                                   : image_read_json(a, store, STR("manifest.json"), NULL, &docker, &docker_err);
	if (rc_docker == 0)
		return resolve_docker(a, store, choice, docker, ret, err);
	if (rc_docker != ERR_NOT_FOUND)
		return err_set(err, rc_docker, "%s", docker_err.text);
	int rc = image_read_json(a, store, STR("index.json"), NULL, &index, &oci_err);
	if (rc == 0)
		return image_resolve_oci(a, store, choice, index, ret, err);
	if (rc != ERR_NOT_FOUND)
		return err_set(err, rc, "%s", oci_err.text);
	if (choice->prefer_oci && image_read_json(a, store, STR("manifest.json"), NULL, &docker, &docker_err) == 0)
		return resolve_docker(a, store, choice, docker, ret, err);
	return err_set(err, ERR_FORMAT, "no image here: neither manifest.json nor index.json");
}

/* --- wire form ------------------------------------------------------------------------------------------------ */

void image_desc_encode(struct buf *out, const struct image_desc *d)
{
	buf_str(out, d->name);
	buf_str(out, d->digest);
	buf_str(out, d->platform);
	buf_str(out, d->note);
	image_config_encode(out, &d->config);
	buf_varint(out, d->layer_count);
	for (size_t i = 0; i < d->layer_count; i++) {
		buf_str(out, d->layers[i].path);
		buf_str(out, d->layers[i].digest);
		buf_str(out, d->layers[i].diff_id);
		buf_str(out, d->layers[i].created_by);
		buf_str(out, d->layers[i].unreadable);
		buf_varint(out, d->layers[i].size);
	}
}

void image_desc_decode(struct arena *a, struct reader *r, struct image_desc *ret)
{
	*ret = (struct image_desc){ 0 };
	ret->name = read_str(r);
	ret->digest = read_str(r);
	ret->platform = read_str(r);
	ret->note = read_str(r);
	image_config_decode(a, r, &ret->config);
	ret->layer_count = read_count(r, 6);
	if (ret->layer_count > LAYER_COUNT_MAX)
		r->bad = true;
	if (r->bad) {
		ret->layer_count = 0;
		return;
	}
	ret->layers = arena_array(a, ret->layer_count, sizeof(*ret->layers));
	for (size_t i = 0; i < ret->layer_count; i++) {
		ret->layers[i].path = read_str(r);
		ret->layers[i].digest = read_str(r);
		ret->layers[i].diff_id = read_str(r);
		ret->layers[i].created_by = read_str(r);
		ret->layers[i].unreadable = read_str(r);
		ret->layers[i].size = read_varint(r);
	}
}
