/* Docker's documents: see docker_find.h. Believes nothing: ids are taken in their fixed form only, counts have caps.
 * Must never be called in the parent but for the functions on references, which come from the user. */
#include "image/docker_find.h"

#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/oci.h"

bool docker_hex_ok(struct str hex)
{
	if (hex.len != (size_t)2 * SHA256_SIZE)
		return false;
	for (size_t i = 0; i < hex.len; i++)
		if (!ascii_hex(hex.ptr[i]) || ascii_upper(hex.ptr[i]))
			return false;
	return true;
}

/* The digits of "sha256:HEX". */
static bool digest_hex(struct str digest, struct str *ret)
{
	if (!str_skip(&digest, STR("sha256:")) || !docker_hex_ok(digest))
		return false;
	*ret = digest;
	return true;
}

/* --- references ---------------------------------------------------------------------------------------------------- */

static bool reference_ok(struct str ref)
{
	static const char marks[] = "._-/:@";
	if (ref.len == 0 || ref.len > REFERENCE_LEN_MAX || str_contains(ref, STR("..")) || str_contains(ref, STR("//")))
		return false;
	for (size_t i = 0; i < ref.len; i++)
		if (!ascii_alnum(ref.ptr[i]) && !memchr(marks, ref.ptr[i], sizeof(marks) - 1))
			return false;
	return ascii_alnum(ref.ptr[0]) && ascii_alnum(ref.ptr[ref.len - 1]);
}

static int no_reference(struct str reference, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "\"%.*s\" is no name of an image", STR_ARG(reference));
}

int docker_familiar(struct arena *a, struct str reference, struct str *ret, struct err *err)
{
	struct str name = reference, digest = { 0 };
	if (!reference_ok(reference))
		return no_reference(reference, err);
	ptrdiff_t at = str_find(name, '@');
	if (at >= 0) {
		digest = str_sub(name, (size_t)at, name.len);
		name = str_sub(name, 0, (size_t)at);
	}
	if (!str_skip(&name, STR("docker.io/")))
		(void)str_skip(&name, STR("index.docker.io/"));
	/* "library/x" is "x", but "library/x/y" is a name of its own. */
	struct str rest = name;
	if (str_skip(&rest, STR("library/")) && str_find(rest, '/') < 0)
		name = rest;
	ptrdiff_t colon = str_rfind(name, ':');
	bool tagged = colon > str_rfind(name, '/');
	struct str full = arena_printf(a, "%.*s%s", STR_ARG(name), tagged ? "" : ":latest");
	/* A digest decides; a tag beside it is decoration. */
	if (digest.len)
		full = arena_printf(a, "%.*s%.*s", STR_ARG(tagged ? str_sub(name, 0, (size_t)colon) : name), STR_ARG(digest));
	if (!reference_ok(full))
		return no_reference(reference, err);
	*ret = full;
	return 0;
}

/* --- repositories.json --------------------------------------------------------------------------------------------- */

static int parse_repositories(struct arena *a, struct str text, const struct value **ret, struct err *err)
{
	struct value *top;
	int rc = json_parse(a, text, &top, err);
	if (rc < 0)
		return err_wrap(err, "repositories.json"), rc;
	*ret = value_get(top, "Repositories");
	if (*ret && !value_is(*ret, VALUE_MAP) && !value_is(*ret, VALUE_NULL))
		return err_set(err, ERR_FORMAT, "repositories.json: Repositories is no map");
	return 0;
}

int docker_find_image(struct arena *a, struct str repositories, struct str familiar, struct str *ret_hex, struct err *err)
{
	const struct value *all;
	int rc = parse_repositories(a, repositories, &all, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.len; i++) {
		struct str id = value_str(value_get_str(all->map.pairs[i].value, familiar));
		if (id.len == 0)
			continue;
		if (!digest_hex(id, ret_hex))
			return err_set(err, ERR_FORMAT, "repositories.json: the id of %.*s is \"%.*s\"", STR_ARG(familiar), STR_ARG(id));
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "no image %.*s", STR_ARG(familiar));
}

struct tag {
	struct str name, hex;
};

static int compare_tags(const void *a, const void *b)
{
	return str_cmp(((const struct tag *)a)->name, ((const struct tag *)b)->name);
}

int docker_find_tags(struct arena *a, struct str repositories, struct str_list *names, struct str_list *ids, struct err *err)
{
	const struct value *all;
	VEC(struct tag) tags = { 0 };
	int rc = parse_repositories(a, repositories, &all, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.len; i++) {
		const struct value *refs = all->map.pairs[i].value;
		for (size_t k = 0; value_is(refs, VALUE_MAP) && k < refs->map.len; k++) {
			struct tag t = { .name = refs->map.pairs[k].key };
			/* "name@sha256:..." is what it was pulled by, beside its tags. */
			if (!digest_hex(value_str(refs->map.pairs[k].value), &t.hex) || str_find(t.name, '@') >= 0 ||
			    !reference_ok(t.name))
				continue;
			if (tags.len >= ENGINE_IMAGES_MAX)
				return err_set(err, ERR_LIMIT, "more than ENGINE_IMAGES_MAX (%u) tags", ENGINE_IMAGES_MAX);
			*vec_push(a, &tags) = t;
		}
	}
	if (tags.len)
		qsort(tags.ptr, tags.len, sizeof(*tags.ptr), compare_tags);
	for (size_t i = 0; i < tags.len; i++) {
		*vec_push(a, names) = tags.ptr[i].name;
		*vec_push(a, ids) = tags.ptr[i].hex;
	}
	return 0;
}

/* --- containers, configs ------------------------------------------------------------------------------------------- */

int docker_container_parse(struct arena *a, struct str config, struct docker_container *ret, struct err *err)
{
	struct docker_container c = { 0 };
	struct value *top;
	int rc = json_parse(a, config, &top, err);
	if (rc < 0)
		return err_wrap(err, "config.v2.json"), rc;
	c.name = value_str(value_get(top, "Name"));
	(void)str_skip(&c.name, STR("/"));
	c.driver = value_str(value_get(top, "Driver"));
	struct str image = value_str(value_get(top, "Image"));
	if (!digest_hex(image, &c.image))
		return err_set(err, ERR_FORMAT, "config.v2.json: its image is \"%.*s\"", STR_ARG(image));
	*ret = c;
	return 0;
}

int docker_resolve(struct arena *a, const struct image_store *store, const struct image_choice *choice,
                   struct image_desc *ret, struct err *err)
{
	struct image_desc d = { .digest = choice->reference };
	struct value *config;
	struct str text;
	struct sha256 claimed;
	char is_text[DIGEST_TEXT_LEN + 1];
	if (!sha256_parse(choice->reference, &claimed))
		return err_set(err, ERR_FORMAT, "\"%.*s\" is no id", STR_ARG(choice->reference));
	int rc = image_read_json(a, store, choice->reference, &text, &config, err);
	if (rc < 0)
		return rc;
	struct sha256 is = sha256_of(text);
	if (!sha256_eq(&is, &claimed))
		return err_set(err, ERR_DIGEST, "the config %.*s has another digest: %.*s", STR_ARG(choice->reference),
		               STR_ARG(sha256_text(&is, is_text)));
	const struct value *ids = value_get(value_get(config, "rootfs"), "diff_ids");
	if ((rc = image_alloc_layers(a, value_len(ids), &d, err)) < 0 || (rc = image_take_config(a, config, &d, err)) < 0)
		return rc;
	if (choice->platform.len && d.platform.len && !image_platform_matches(choice->platform, d.platform))
		return err_set(err, ERR_NOT_FOUND, "the image is for %.*s, not for %.*s", STR_ARG(d.platform),
		               STR_ARG(choice->platform));
	*ret = d;
	return 0;
}
