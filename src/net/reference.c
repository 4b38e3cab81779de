/* Image references: see reference.h. Parses what users, configuration files and helpers write; allocates copies only. */
#include "net/reference.h"
#include "base/base.h"
#include "base/hash.h"

bool reference_host_valid(struct str host)
{
	struct str port = { 0 };
	if (host.len == 0 || host.len > 255)
		return false;
	if (host.ptr[0] == '[') { /* an IPv6 address */
		ptrdiff_t end = str_find(host, ']');
		if (end < 3)
			return false;
		for (size_t i = 1; i < (size_t)end; i++)
			if (!ascii_hex(host.ptr[i]) && host.ptr[i] != ':' && host.ptr[i] != '.')
				return false;
		port = str_sub(host, (size_t)end + 1, host.len);
	} else {
		ptrdiff_t colon = str_find(host, ':');
		struct str name = colon < 0 ? host : str_sub(host, 0, (size_t)colon);
		port = str_sub(host, name.len, host.len);
		if (name.len == 0 || name.ptr[0] == '-' || name.ptr[0] == '.')
			return false;
		for (size_t i = 0; i < name.len; i++)
			if (!ascii_alnum(name.ptr[i]) && name.ptr[i] != '-' && name.ptr[i] != '.' && name.ptr[i] != '_')
				return false;
	}
	uint64_t number;
	return port.len == 0 || (str_skip(&port, STR(":")) && str_to_u64(port, &number) && number > 0 && number < 65536);
}

static bool lower_alnum(char c)
{
	return ascii_lower(c) || ascii_digit(c);
}

/* [a-z0-9]+ parts, between them one of ".", "_", "__" or dashes. */
static bool component_valid(struct str c)
{
	if (c.len == 0 || !lower_alnum(c.ptr[0]) || !lower_alnum(c.ptr[c.len - 1]))
		return false;
	for (size_t i = 0; i < c.len; i++) {
		size_t run = 0;
		char first = c.ptr[i];
		while (i + run < c.len && !lower_alnum(c.ptr[i + run])) {
			if (c.ptr[i + run] != first)
				return false;
			run++;
		}
		if (run == 0)
			continue;
		if ((first == '.' && run > 1) || (first == '_' && run > 2) || (first != '.' && first != '_' && first != '-'))
			return false;
		i += run - 1;
	}
	return true;
}

bool reference_path_valid(struct str path)
{
	if (path.len == 0 || path.len > 255 || path.ptr[path.len - 1] == '/')
		return false;
	for (struct str c; str_cut(&path, '/', &c);)
		if (!component_valid(c))
			return false;
	return true;
}

static bool tag_valid(struct str tag)
{
	if (tag.len == 0 || tag.len > 128 || tag.ptr[0] == '.' || tag.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < tag.len; i++)
		if (!ascii_alnum(tag.ptr[i]) && tag.ptr[i] != '_' && tag.ptr[i] != '.' && tag.ptr[i] != '-')
			return false;
	return true;
}

struct str reference_host_canonical(struct arena *a, struct str host)
{
	struct str h = str_lower(a, host);
	if (str_eq(h, STR("index.docker.io")) || str_eq(h, STR("registry-1.docker.io")))
		return STR("docker.io");
	return h;
}

static bool is_host(struct str first)
{
	for (size_t i = 0; i < first.len; i++)
		if (first.ptr[i] == '.' || first.ptr[i] == ':')
			return true;
	return str_eq(first, STR("localhost"));
}

static int take_digest(struct str *rest, struct reference *r, struct err *err)
{
	struct sha256 digest;
	ptrdiff_t at = str_find(*rest, '@');
	if (at < 0)
		return 0;
	r->digest = str_sub(*rest, (size_t)at + 1, rest->len);
	*rest = str_sub(*rest, 0, (size_t)at);
	if (str_starts(r->digest, STR("sha256:")) && sha256_parse(r->digest, &digest))
		return 0;
	return err_set(err, str_starts(r->digest, STR("sha512:")) ? ERR_UNSUPPORTED : ERR_USAGE,
	               "digest \"%.*s\": it must be sha256: and 64 hexadecimal digits", STR_ARG(r->digest));
}

int reference_parse(struct arena *a, struct str text, struct reference *ret, struct err *err)
{
	struct reference r = { 0 };
	struct str rest = str_dup(a, text);
	if (text.len > 1024)
		return err_set(err, ERR_USAGE, "the name of an image has at most 1024 characters");
	int rc = take_digest(&rest, &r, err);
	if (rc < 0)
		return rc;
	ptrdiff_t colon = str_rfind(rest, ':');
	if (colon >= 0 && colon > str_rfind(rest, '/')) {
		r.tag = str_sub(rest, (size_t)colon + 1, rest.len);
		rest = str_sub(rest, 0, (size_t)colon);
		if (!tag_valid(r.tag))
			return err_set(err, ERR_USAGE, "\"%.*s\": \"%.*s\" is no tag", STR_ARG(text), STR_ARG(r.tag));
	}
	ptrdiff_t slash = str_find(rest, '/');
	struct str first = slash < 0 ? (struct str){ 0 } : str_sub(rest, 0, (size_t)slash);
	r.short_name = !is_host(first);
	r.host = r.short_name ? STR("docker.io") : reference_host_canonical(a, first);
	r.path = r.short_name ? rest : str_sub(rest, (size_t)slash + 1, rest.len);
	if (str_eq(r.host, STR("docker.io")) && str_find(r.path, '/') < 0)
		r.path = arena_printf(a, "library/%.*s", STR_ARG(r.path));
	if (!reference_host_valid(r.host) || !reference_path_valid(r.path))
		return err_set(err, ERR_USAGE, "\"%.*s\" is no name of an image", STR_ARG(text));
	if (r.tag.len == 0 && r.digest.len == 0)
		r.tag = STR("latest");
	*ret = r;
	return 0;
}

struct str reference_text(struct arena *a, const struct reference *r)
{
	return arena_printf(a, "%.*s/%.*s%s%.*s%s%.*s", STR_ARG(r->host), STR_ARG(r->path), r->tag.len ? ":" : "", STR_ARG(r->tag),
	                    r->digest.len ? "@" : "", STR_ARG(r->digest));
}

struct str reference_version(const struct reference *r)
{
	return r->digest.len ? r->digest : r->tag;
}
