/* Which image of a store a reference means, as Podman sees it: whole ids, names with what short ones leave out, digests,
 * and at last the first digits of ids. Runs in a worker. See containers.h. */
#include "image/containers.h"

#include "base/base.h"
#include "base/hash.h"

/* As few digits of an id as are still meant as such. */
#define ID_PREFIX_LEN_MIN 4

bool containers_is_id(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_digit(text.ptr[i]) && !(text.ptr[i] >= 'a' && text.ptr[i] <= 'f'))
			return false;
	return text.len == 64;
}

static bool all_hex(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_digit(text.ptr[i]) && !(text.ptr[i] >= 'a' && text.ptr[i] <= 'f'))
			return false;
	return text.len > 0;
}

struct str containers_wanted_digest(struct str wanted)
{
	struct sha256 ignored;
	struct str digest = str_sub(wanted, (size_t)(str_rfind(wanted, '@') + 1), wanted.len);
	return sha256_parse(digest, &ignored) ? digest : (struct str){ 0 };
}

bool containers_has_digest(const struct value *image, struct str digest)
{
	const struct value *data = value_get(image, "big-data-digests");
	if (str_eq(value_str(value_get(image, "digest")), digest))
		return true;
	for (size_t i = 0; value_is(data, VALUE_MAP) && i < data->map.len; i++)
		if (str_starts(data->map.pairs[i].key, STR("manifest")) && str_eq(value_str(data->map.pairs[i].value), digest))
			return true;
	return false;
}

/* A reference in its parts: "quay.io/a/b:1@sha256:..." */
struct parts {
	struct str repository, tag;
	bool has_host;
};

static struct parts take_apart(struct str reference)
{
	struct parts p = { .repository = reference };
	ptrdiff_t at = str_find(reference, '@');
	if (at >= 0)
		p.repository = str_sub(reference, 0, (size_t)at);
	ptrdiff_t slash = str_rfind(p.repository, '/');
	ptrdiff_t colon = str_rfind(p.repository, ':');
	if (colon > slash) {
		p.tag = str_sub(p.repository, (size_t)colon + 1, p.repository.len);
		p.repository = str_sub(p.repository, 0, (size_t)colon);
	}
	slash = str_find(p.repository, '/');
	struct str host = str_sub(p.repository, 0, slash < 0 ? 0 : (size_t)slash);
	p.has_host = host.len && (str_find(host, '.') >= 0 || str_find(host, ':') >= 0 || str_eq(host, STR("localhost")));
	return p;
}

/* docker.io/nginx is docker.io/library/nginx. */
static struct str whole_repository(struct arena *a, struct str repository)
{
	if (str_starts(repository, STR("index.docker.io/")))
		(void)str_skip(&repository, STR("index."));
	struct str rest = repository;
	if (str_skip(&rest, STR("docker.io/")) && str_find(rest, '/') < 0)
		return arena_printf(a, "docker.io/library/%.*s", STR_ARG(rest));
	return repository;
}

static enum containers_fit fit_repository(struct arena *a, const struct parts *w, struct str stored)
{
	struct str rest = stored;
	if (w->has_host)
		return str_eq(whole_repository(a, w->repository), whole_repository(a, stored)) ? FIT_NAME : FIT_NONE;
	if (str_eq(stored, w->repository) || (str_skip(&rest, STR("localhost/")) && str_eq(rest, w->repository)))
		return FIT_NAME;
	if (str_eq(stored, whole_repository(a, arena_printf(a, "docker.io/%.*s", STR_ARG(w->repository)))))
		return FIT_DOCKER_IO;
	rest = stored;
	if (str_drop(&rest, w->repository) && str_ends(rest, STR("/")))
		return FIT_ANY_REGISTRY;
	return FIT_NONE;
}

static enum containers_fit fit_name(struct arena *a, struct str wanted, struct str digest, struct str name,
                                    const struct value *image)
{
	struct parts w = take_apart(wanted), s = take_apart(name);
	if (name.len == 0)
		return FIT_NONE;
	if (str_eq(wanted, name))
		return FIT_NAME;
	enum containers_fit fit = fit_repository(a, &w, s.repository);
	if (fit == FIT_NONE)
		return fit;
	/* With a digest the tag says nothing, as for Podman. */
	if (digest.len)
		return containers_has_digest(image, digest) ? FIT_DIGEST : FIT_NONE;
	if (s.tag.len == 0)
		return FIT_NONE;
	return str_eq(w.tag.len ? w.tag : STR("latest"), s.tag) ? fit : FIT_NONE;
}

enum containers_fit containers_fit(struct arena *a, struct str wanted, const struct value *image)
{
	struct str id = value_str(value_get(image, "id")), hex = wanted;
	struct str digest = containers_wanted_digest(wanted);
	const struct value *names = value_get(image, "names");
	enum containers_fit best = FIT_NONE;
	bool by_digest = str_skip(&hex, STR("sha256:"));
	if (containers_is_id(hex) && str_eq(hex, id))
		return FIT_ID;
	if (by_digest)
		return containers_has_digest(image, wanted) ? FIT_DIGEST : FIT_NONE;
	for (size_t i = 0; i < value_len(names); i++) {
		enum containers_fit fit = fit_name(a, wanted, digest, value_str(value_at(names, i)), image);
		if (fit > best)
			best = fit;
	}
	if (best == FIT_NONE && hex.len >= ID_PREFIX_LEN_MIN && all_hex(hex) && str_starts(id, hex))
		best = FIT_ID_PREFIX;
	return best;
}
