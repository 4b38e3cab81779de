/* OCI layouts: see oci.h. The index is flattened into candidates, the user's words choose among them. */
#include "image/oci.h"

#include "base/base.h"
#include "base/hash.h"

#include <sys/utsname.h>

struct candidate {
	struct str name;     /* of the top-level entry that led here; may be empty */
	struct str digest;   /* of the manifest */
	struct str platform; /* as the descriptor says; may be empty */
};

struct candidates {
	VEC(struct candidate) list;
	size_t seen;         /* descriptors, for the cap */
	size_t attestations; /* passed over */
	size_t artifacts;
};

static bool media_is_index(struct str media)
{
	return str_eq(media, STR("application/vnd.oci.image.index.v1+json")) ||
	       str_eq(media, STR("application/vnd.docker.distribution.manifest.list.v2+json"));
}

static bool media_is_manifest(struct str media)
{
	return media.len == 0 || str_eq(media, STR("application/vnd.oci.image.manifest.v1+json")) ||
	       str_eq(media, STR("application/vnd.docker.distribution.manifest.v2+json"));
}

static bool is_attestation(const struct value *descriptor)
{
	const struct value *platform = value_get(descriptor, "platform");
	return value_str(value_get(value_get(descriptor, "annotations"), "vnd.docker.reference.type")).len > 0 ||
	       (str_eq(value_str(value_get(platform, "os")), STR("unknown")) &&
	        str_eq(value_str(value_get(platform, "architecture")), STR("unknown")));
}

/* A blob by its digest, checked. */
static int read_blob(struct arena *a, const struct image_store *store, struct str digest, struct value **ret,
                     struct err *err)
{
	struct sha256 claimed;
	struct str hex = digest, text;
	if (!sha256_parse(digest, &claimed) || !str_skip(&hex, STR("sha256:")))
		return err_set(err, ERR_UNSUPPORTED, "digest \"%.*s\": only sha256 is read", STR_ARG(digest));
	int rc = image_read_json(a, store, arena_printf(a, "blobs/sha256/%.*s", STR_ARG(hex)), &text, ret, err);
	if (rc < 0)
		return rc;
	struct sha256 is = sha256_of(text);
	char is_text[DIGEST_TEXT_LEN + 1];
	if (!sha256_eq(&is, &claimed))
		return err_set(err, ERR_DIGEST, "blob %.*s has another digest: %.*s", STR_ARG(digest),
		               STR_ARG(sha256_text(&is, is_text)));
	return 0;
}

static struct str reference_of(const struct value *descriptor)
{
	const struct value *notes = value_get(descriptor, "annotations");
	/* containerd and Docker put the full name beside, the tag alone in ref.name. */
	struct str full = value_str(value_get(notes, "io.containerd.image.name"));
	return full.len ? full : value_str(value_get(notes, "org.opencontainers.image.ref.name"));
}

static int flatten(struct arena *a, const struct image_store *store, const struct value *index, struct str name,
                   unsigned depth, struct candidates *out, struct err *err)
{
	const struct value *list = value_get(index, "manifests");
	if (depth > INDEX_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "indexes lie deeper than INDEX_DEPTH_MAX (%u)", INDEX_DEPTH_MAX);
	for (size_t i = 0; i < value_len(list); i++) {
		const struct value *d = value_at(list, i);
		struct str media = value_str(value_get(d, "mediaType"));
		struct str digest = value_str(value_get(d, "digest"));
		struct str own = reference_of(d);
		if (++out->seen > ARCHIVE_IMAGES_MAX)
			return err_set(err, ERR_LIMIT, "more than ARCHIVE_IMAGES_MAX (%u) manifests", ARCHIVE_IMAGES_MAX);
		if (is_attestation(d)) {
			out->attestations++;
		} else if (media_is_index(media)) {
			struct value *inner;
			int rc = read_blob(a, store, digest, &inner, err);
			if (rc < 0 || (rc = flatten(a, store, inner, own.len ? own : name, depth + 1, out, err)) < 0)
				return rc;
		} else if (!media_is_manifest(media) || value_str(value_get(d, "artifactType")).len) {
			out->artifacts++;
		} else {
			*vec_push(a, &out->list) = (struct candidate){
				.name = own.len ? own : name,
				.digest = digest,
				.platform = image_platform(a, value_get(d, "platform")),
			};
		}
	}
	return 0;
}

bool image_platform_matches(struct str wanted, struct str stored)
{
	struct str w, s;
	if (str_find(wanted, '/') < 0)
		(void)str_cut(&stored, '/', &s);
	while (str_cut(&wanted, '/', &w))
		if (!str_cut(&stored, '/', &s) || !str_eq_nocase(w, s))
			return false;
	return true;
}

/* The name that image platforms use for this machine's processor. */
static struct str machine_platform(struct arena *a)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "386" },        { "i386", "386" },
		{ "armv7l", "arm" },   { "riscv64", "riscv64" }, { "ppc64le", "ppc64le" }, { "s390x", "s390x" },
	};
	struct utsname u;
	if (uname(&u) == 0)
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (str_eq(str_from(u.machine), str_from(names[i][0])))
				return arena_printf(a, "linux/%s", names[i][1]);
	return STR("linux/amd64");
}

/* Those that the user's reference names; all where there is none. */
static void keep_named(struct arena *a, struct candidates *c, struct str wanted)
{
	size_t kept = 0;
	for (size_t i = 0; wanted.len && i < c->list.len; i++) {
		struct candidate *k = &c->list.ptr[i];
		if (image_reference_matches(a, wanted, k->name) || str_eq(wanted, k->digest) ||
		    (wanted.len >= 12 && str_contains(k->digest, wanted)))
			c->list.ptr[kept++] = *k;
	}
	if (wanted.len)
		c->list.len = kept;
}

/* One manifest named twice (two tags) is one. */
static void drop_repeated(struct candidates *c)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->list.len; i++) {
		bool repeated = false;
		for (size_t j = 0; j < kept; j++)
			repeated = repeated || str_eq(c->list.ptr[j].digest, c->list.ptr[i].digest);
		if (!repeated)
			c->list.ptr[kept++] = c->list.ptr[i];
	}
	c->list.len = kept;
}

static bool several_names(const struct candidates *c)
{
	for (size_t i = 1; i < c->list.len; i++)
		if (!str_eq(c->list.ptr[i].name, c->list.ptr[0].name))
			return true;
	return false;
}

static void list_candidates(struct buf *out, const struct candidates *c, bool platforms)
{
	for (size_t i = 0; i < c->list.len; i++) {
		const struct candidate *k = &c->list.ptr[i];
		struct str name = platforms && k->platform.len ? k->platform : k->name.len ? k->name : k->digest;
		buf_printf(out, "%s%.*s", i ? ", " : "", STR_ARG(name));
	}
}

/* A manifest whose descriptor does not name a platform: its config does. */
static void learn_platforms(struct arena *a, const struct image_store *store, struct candidates *c)
{
	for (size_t i = 0; i < c->list.len; i++) {
		struct candidate *k = &c->list.ptr[i];
		struct value *manifest, *config;
		struct err ignored = { 0 };
		if (k->platform.len == 0 && read_blob(a, store, k->digest, &manifest, &ignored) == 0 &&
		    read_blob(a, store, value_str(value_get(value_get(manifest, "config"), "digest")), &config, &ignored) == 0)
			k->platform = image_platform(a, config);
	}
}

static int choose_platform(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                           struct candidates *c, struct err *err)
{
	if (c->list.len == 1 && choice->platform.len == 0)
		return 0;
	struct str wanted = choice->platform.len ? choice->platform : machine_platform(a);
	struct buf BUF_AUTO names = { 0 };
	buf_init(&names, 512);
	learn_platforms(a, store, c);
	list_candidates(&names, c, true);
	size_t kept = 0;
	for (size_t i = 0; i < c->list.len; i++)
		if (image_platform_matches(wanted, c->list.ptr[i].platform))
			c->list.ptr[kept++] = c->list.ptr[i];
	if (kept == 0 && choice->platform.len)
		return err_set(err, ERR_NOT_FOUND, "no image for %.*s; there is %.*s", STR_ARG(wanted), STR_ARG(buf_view(&names)));
	if (kept != 1)
		return err_set(err, ERR_USAGE, "%zu images, choose one by --platform or by its name: %.*s", c->list.len,
		               STR_ARG(buf_view(&names)));
	c->list.len = 1;
	return 0;
}

static int choose(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                  struct candidates *c, struct err *err)
{
	struct buf BUF_AUTO names = { 0 };
	buf_init(&names, 512);
	list_candidates(&names, c, false);
	if (c->list.len == 0)
		return err_set(err, ERR_NOT_FOUND, "index.json lists no image%s",
		               c->artifacts || c->attestations ? ", only artifacts or attestations" : "");
	keep_named(a, c, choice->reference);
	if (c->list.len == 0)
		return err_set(err, ERR_NOT_FOUND, "no image \"%.*s\"; there is %.*s", STR_ARG(choice->reference),
		               STR_ARG(buf_view(&names)));
	drop_repeated(c);
	if (several_names(c))
		return err_set(err, ERR_USAGE, "%zu images, choose one by its name: %.*s", c->list.len, STR_ARG(buf_view(&names)));
	return choose_platform(a, store, choice, c, err);
}

/* Why a layer cannot be read; empty: it can (what it is made of is seen by its magic). */
static struct str why_unreadable(struct arena *a, const struct value *layer, struct str media)
{
	if (str_ends(media, STR("+encrypted")))
		return arena_printf(a, "the layer is encrypted (%.*s)", STR_ARG(media));
	/* Its place is elsewhere, and registries mostly do not have it. */
	if ((str_contains(media, STR(".foreign.")) || str_contains(media, STR(".nondistributable."))) &&
	    value_len(value_get(layer, "urls")))
		return arena_printf(a, "a foreign layer, which lies outside registries (%.*s)", STR_ARG(media));
	return (struct str){ 0 };
}

/* What looks like an image and holds no file system: signatures, attestations, modules, charts, models. */
static struct str artifact_type(const struct value *manifest)
{
	struct str type = value_str(value_get(manifest, "artifactType"));
	const struct value *layers = value_get(manifest, "layers");
	for (size_t i = 0; type.len == 0 && i < value_len(layers); i++) {
		struct str media = value_str(value_get(value_at(layers, i), "mediaType"));
		if (media.len && !str_contains(media, STR(".tar")))
			type = media;
	}
	return type;
}

static bool media_is_config(struct str media)
{
	return media.len == 0 || str_eq(media, STR("application/vnd.oci.image.config.v1+json")) ||
	       str_eq(media, STR("application/vnd.docker.container.image.v1+json"));
}

static int take_manifest(struct arena *a, const struct image_store *store, const struct value *manifest,
                         struct image_desc *d, struct err *err)
{
	const struct value *layers = value_get(manifest, "layers");
	const struct value *config_ref = value_get(manifest, "config");
	struct str media = value_str(value_get(config_ref, "mediaType"));
	int64_t version = 0;
	struct value *config;
	if (value_int(value_get(manifest, "schemaVersion"), &version) && version != 2)
		return err_set(err, ERR_UNSUPPORTED, "manifest schema %jd is not read", (intmax_t)version);
	if (!media_is_config(media))
		return err_set(err, ERR_UNSUPPORTED, "this is an artifact, not an image: its config is %.*s", STR_ARG(media));
	if (artifact_type(manifest).len)
		return err_set(err, ERR_UNSUPPORTED, "this is an artifact, not an image: it holds %.*s", STR_ARG(artifact_type(manifest)));
	int rc = image_alloc_layers(a, value_len(layers), d, err);
	if (rc < 0 || (rc = read_blob(a, store, value_str(value_get(config_ref, "digest")), &config, err)) < 0)
		return rc < 0 ? (err_wrap(err, "the image's config"), rc) : rc;
	for (size_t i = 0; i < d->layer_count; i++) {
		const struct value *l = value_at(layers, i);
		struct str hex = value_str(value_get(l, "digest"));
		struct sha256 digest;
		d->layers[i].digest = hex;
		if (!sha256_parse(hex, &digest) || !str_skip(&hex, STR("sha256:")))
			return err_set(err, ERR_UNSUPPORTED, "layer %zu: digest \"%.*s\": only sha256 is read", i, STR_ARG(hex));
		d->layers[i].path = arena_printf(a, "blobs/sha256/%.*s", STR_ARG(hex));
		d->layers[i].unreadable = why_unreadable(a, l, value_str(value_get(l, "mediaType")));
		int64_t size = 0;
		if (value_int(value_get(l, "size"), &size) && size > 0)
			d->layers[i].size = (uint64_t)size;
	}
	d->config.id = value_str(value_get(config_ref, "digest"));
	/* A bare tag names no repository. */
	if (str_find(d->name, '/') >= 0 || str_find(d->name, ':') >= 0)
		*vec_push(a, &d->config.tags) = d->name;
	return image_take_config(a, config, d, err);
}

int image_resolve_oci(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                      const struct value *index, struct image_desc *ret, struct err *err)
{
	struct candidates c = { 0 };
	struct image_desc d = { 0 };
	struct value *manifest;
	int rc = flatten(a, store, index, (struct str){ 0 }, 0, &c, err);
	if (rc < 0 || (rc = choose(a, store, choice, &c, err)) < 0)
		return rc;
	const struct candidate *chosen = &c.list.ptr[0];
	if ((rc = read_blob(a, store, chosen->digest, &manifest, err)) < 0)
		return err_wrap(err, "the image's manifest"), rc;
	d.name = chosen->name;
	d.digest = chosen->digest;
	if ((rc = take_manifest(a, store, manifest, &d, err)) < 0)
		return rc;
	*ret = d;
	return 0;
}
