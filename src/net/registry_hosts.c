/* From a name to the places it is asked for: see registry_hosts.h. */
#include "net/registry_hosts.h"
#include "base/base.h"
#include "net/registry_files.h"

#include <unistd.h>

struct planning {
	struct arena *a;
	const struct registry_rules *rules;
	struct registry_files files;
	struct registry_plan *plan;
};

/* --- one endpoint --- */

static bool loopback(struct str host)
{
	ptrdiff_t colon = host.len && host.ptr[0] == '[' ? str_find(host, ']') + 1 : str_find(host, ':');
	struct str name = colon > 0 ? str_sub(host, 0, (size_t)colon) : host;
	return str_eq(name, STR("localhost")) || str_eq(name, STR("[::1]")) ||
	       (str_starts(name, STR("127.")) && ascii_digit(name.ptr[name.len - 1]));
}

/* daemon.json's insecure-registries: hosts, and networks of addresses. */
static bool address_in(struct str network, struct str host)
{
	uint32_t parts[2] = { 0, 0 };
	struct str both[2] = { 0 }, rest = network;
	uint64_t bits;
	if (!str_cut(&rest, '/', &both[0]) || !str_to_u64(rest, &bits) || bits > 32)
		return false;
	(void)str_cut(&host, ':', &both[1]);
	for (int i = 0; i < 2; i++) {
		struct str part;
		int count = 0;
		for (uint64_t v; str_cut(&both[i], '.', &part); count++) {
			if (!str_to_u64(part, &v) || v > 255)
				return false;
			parts[i] = parts[i] << 8 | (uint32_t)v;
		}
		if (count != 4)
			return false;
	}
	return bits == 0 || (parts[0] ^ parts[1]) >> (32 - bits) == 0;
}

static bool named_insecure(const struct planning *p, struct str host)
{
	const struct value *list = value_get(p->files.daemon.root, "insecure-registries");
	for (size_t i = 0; i < value_len(list); i++)
		if (str_eq_nocase(value_str(value_at(list, i)), host) || address_in(value_str(value_at(list, i)), host))
			return true;
	return false;
}

/* Docker Hub's API has another name than its images. */
static struct str api_host(struct str host)
{
	return str_eq(host, STR("docker.io")) ? STR("registry-1.docker.io") : host;
}

static int add(struct planning *p, struct registry_endpoint e, bool insecure, struct err *err)
{
	if (p->plan->count == REGISTRY_ENDPOINTS_MAX)
		return 0;
	if (!reference_host_valid(e.host) || !reference_path_valid(e.path))
		return err_set(err, ERR_FORMAT, "%.*s: \"%.*s/%.*s\" is no place for images", STR_ARG(p->plan->said), STR_ARG(e.host),
		               STR_ARG(e.path));
	registry_certificates(p->a, p->rules, &e);
	e.host = api_host(e.host);
	if (e.prefix.len == 0)
		e.prefix = STR("/v2");
	e.insecure = e.insecure || insecure || p->rules->insecure || named_insecure(p, e.host);
	e.loopback = loopback(e.host);
	e.plain_http = e.insecure || e.loopback;
	if (p->rules->ca_file)
		e.ca_file = p->rules->ca_file;
	e.name = e.mirror ? arena_printf(p->a, "mirror %.*s", STR_ARG(e.host)) : arena_printf(p->a, "registry %.*s", STR_ARG(e.host));
	p->plan->endpoints[p->plan->count++] = e;
	return 0;
}

/* "host:port/path" and what follows. */
static struct registry_endpoint endpoint_of(struct planning *p, struct str location, struct str rest)
{
	struct str whole = arena_printf(p->a, "%.*s%.*s", STR_ARG(location), STR_ARG(rest)), host;
	struct registry_endpoint e = { 0 };
	(void)str_cut(&whole, '/', &host);
	e.host = reference_host_canonical(p->a, host);
	e.path = whole;
	return e;
}

/* --- the files --- */

static int by_registries_conf(struct planning *p, bool *ret_found, struct err *err)
{
	const struct reference *r = &p->plan->reference;
	struct str name = arena_printf(p->a, "%.*s/%.*s", STR_ARG(r->host), STR_ARG(r->path)), rest, path;
	const struct value *entry = registry_entry(&p->files, name, &rest, &path);
	*ret_found = entry != NULL;
	if (!entry)
		return 0;
	if (value_bool(value_get(entry, "blocked")))
		return err_set(err, ERR_ACCESS, "%.*s is blocked by %.*s", STR_ARG(name), STR_ARG(path));
	const struct value *mirrors = value_get(entry, "mirror");
	bool digests_only = value_bool(value_get(entry, "mirror-by-digest-only"));
	int rc = 0;
	p->plan->said = path;
	for (size_t i = 0; i < value_len(mirrors) && rc == 0; i++) {
		const struct value *m = value_at(mirrors, i);
		struct str pull = value_str(value_get(m, "pull-from-mirror"));
		struct registry_endpoint e = endpoint_of(p, value_str(value_get(m, "location")), rest);
		e.mirror = true;
		if (r->digest.len ? str_eq(pull, STR("tag-only")) : digests_only || str_eq(pull, STR("digest-only")))
			continue;
		rc = add(p, e, value_bool(value_get(m, "insecure")), err);
	}
	struct str location = value_str(value_get(entry, "location"));
	struct registry_endpoint e = { .host = r->host, .path = r->path };
	if (location.len)
		e = endpoint_of(p, location, rest);
	return rc < 0 ? rc : add(p, e, value_bool(value_get(entry, "insecure")), err);
}

/* A URL's host, and where paths begin. */
static bool take_url(struct str url, bool override_path, struct registry_endpoint *e)
{
	if (str_skip(&url, STR("http://")))
		e->only_http = true;
	else
		(void)str_skip(&url, STR("https://"));
	while (str_drop(&url, STR("/")))
		;
	ptrdiff_t slash = str_find(url, '/');
	e->host = slash < 0 ? url : str_sub(url, 0, (size_t)slash);
	struct str path = slash < 0 ? (struct str){ 0 } : str_sub(url, (size_t)slash, url.len);
	for (size_t i = 0; i < path.len; i++)
		if (!ascii_alnum(path.ptr[i]) && !memchr("/._~-", path.ptr[i], 5))
			return false;
	if (override_path || str_ends(path, STR("/v2")))
		e->prefix = path.len ? path : STR("/v2");
	else
		e->prefix = path; /* "/v2" comes behind it */
	return reference_host_valid(e->host);
}

static int by_url(struct planning *p, struct str url, bool override_path, struct registry_endpoint *e, struct err *err)
{
	if (!take_url(url, override_path, e))
		return err_set(err, ERR_FORMAT, "%.*s: \"%.*s\" is no address of a registry", STR_ARG(p->plan->said), STR_ARG(url));
	if (!override_path && !str_ends(e->prefix, STR("/v2")))
		e->prefix = arena_printf(p->a, "%.*s/v2", STR_ARG(e->prefix));
	e->path = p->plan->reference.path;
	return 0;
}

static bool has_capability(const struct value *host, struct str wanted)
{
	const struct value *list = value_get(host, "capabilities");
	for (size_t i = 0; i < value_len(list); i++)
		if (str_eq(value_str(value_at(list, i)), wanted))
			return true;
	return !list;
}

/* A path in hosts.toml begins where the file lies. */
static const char *beside(struct planning *p, struct str path)
{
	struct str file = p->files.hosts.path;
	if (path.len == 0)
		return NULL;
	if (path.ptr[0] == '/')
		return str_cstr(p->a, path);
	return str_cstr(p->a, arena_printf(p->a, "%.*s/%.*s", STR_ARG(str_sub(file, 0, (size_t)str_rfind(file, '/'))), STR_ARG(path)));
}

static struct str first_of(const struct value *v)
{
	return value_is(v, VALUE_LIST) ? value_str(value_at(v, 0)) : value_str(v);
}

static void take_host_settings(struct planning *p, const struct value *host, struct registry_endpoint *e)
{
	const struct value *client = value_get(host, "client"), *headers = value_get(host, "header");
	const struct value *pair = value_is(client, VALUE_LIST) ? value_at(client, 0) : NULL;
	e->insecure = value_bool(value_get(host, "skip_verify"));
	e->blobs_only = !has_capability(host, STR("resolve"));
	e->ca_file = beside(p, first_of(value_get(host, "ca")));
	if (value_is(pair, VALUE_LIST)) {
		e->client_cert = beside(p, value_str(value_at(pair, 0)));
		e->client_key = beside(p, value_str(value_at(pair, 1)));
	} else {
		e->client_cert = beside(p, first_of(client));
	}
	for (size_t i = 0; value_is(headers, VALUE_MAP) && i < headers->map.len && e->header_count < COUNT_OF(e->headers); i++)
		e->headers[e->header_count++] =
			(struct http_header){ headers->map.pairs[i].key, first_of(headers->map.pairs[i].value) };
}

static int by_hosts_toml(struct planning *p, struct err *err)
{
	const struct value *root = p->files.hosts.root, *hosts = value_get(root, "host");
	struct str server = value_str(value_get(root, "server"));
	int rc = 0;
	p->plan->said = p->files.hosts.path;
	for (size_t i = 0; value_is(hosts, VALUE_MAP) && i < hosts->map.len && rc == 0; i++) {
		const struct value *h = hosts->map.pairs[i].value;
		struct registry_endpoint e = { .mirror = true };
		if (!has_capability(h, STR("pull")))
			continue;
		rc = by_url(p, hosts->map.pairs[i].key, value_bool(value_get(h, "override_path")), &e, err);
		take_host_settings(p, h, &e);
		if (rc == 0)
			rc = add(p, e, false, err);
	}
	struct registry_endpoint e = { .host = p->plan->reference.host, .path = p->plan->reference.path };
	if (rc == 0 && server.len) {
		rc = by_url(p, server, value_bool(value_get(root, "override_path")), &e, err);
		take_host_settings(p, root, &e);
	}
	return rc < 0 ? rc : add(p, e, false, err);
}

/* Docker's own mirrors are for Docker Hub alone. */
static int by_daemon_json(struct planning *p, struct err *err)
{
	const struct value *mirrors = value_get(p->files.daemon.root, "registry-mirrors");
	bool hub = str_eq(p->plan->reference.host, STR("docker.io"));
	int rc = 0;
	if (hub && value_len(mirrors))
		p->plan->said = p->files.daemon.path;
	for (size_t i = 0; hub && i < value_len(mirrors) && rc == 0; i++) {
		struct registry_endpoint e = { .mirror = true };
		rc = by_url(p, value_str(value_at(mirrors, i)), false, &e, err);
		if (rc == 0)
			rc = add(p, e, false, err);
	}
	struct registry_endpoint own = { .host = p->plan->reference.host, .path = p->plan->reference.path };
	return rc < 0 ? rc : add(p, own, false, err);
}

/* --- all of it --- */

struct registry_rules registry_rules_here(void)
{
	const char *home = getenv("HOME");
	return (struct registry_rules){ .etc = "/etc", .home = home && *home ? home : NULL };
}

/* "nginx:1" by the alias of nginx. */
static int by_alias(struct planning *p, struct str name, struct err *err)
{
	struct reference *r = &p->plan->reference;
	struct str stem = str_sub(name, 0, name.len), path, rest;
	ptrdiff_t at = str_find(stem, '@');
	stem = at < 0 ? stem : str_sub(stem, 0, (size_t)at);
	ptrdiff_t colon = str_rfind(stem, ':');
	stem = colon < 0 ? stem : str_sub(stem, 0, (size_t)colon);
	struct str to = registry_alias(&p->files, stem, &path);
	if (to.len == 0)
		return 0;
	rest = str_sub(name, stem.len, name.len);
	int rc = reference_parse(p->a, arena_printf(p->a, "%.*s%.*s", STR_ARG(to), STR_ARG(rest)), r, err);
	return rc < 0 ? err_wrap(err, "%.*s: alias of \"%.*s\"", STR_ARG(path), STR_ARG(stem)) : 0;
}

int registry_plan(struct arena *a, struct str name, const struct registry_rules *rules, struct registry_plan *ret, struct err *err)
{
	struct registry_plan plan = { .endpoints = arena_array(a, REGISTRY_ENDPOINTS_MAX, sizeof(*plan.endpoints)) };
	struct planning p = { .a = a, .rules = rules, .plan = &plan };
	bool found = false;
	int rc = reference_parse(a, name, &plan.reference, err);
	if (rc == 0)
		rc = registry_files_read(a, rules, plan.reference.host, &p.files, err);
	if (rc == 0 && plan.reference.short_name) {
		struct str host = plan.reference.host;
		rc = by_alias(&p, name, err);
		if (rc == 0 && !str_eq(host, plan.reference.host))
			rc = registry_files_read(a, rules, plan.reference.host, &p.files, err);
	}
	if (rc == 0)
		rc = by_registries_conf(&p, &found, err);
	if (rc == 0 && !found)
		rc = p.files.hosts.root ? by_hosts_toml(&p, err) : by_daemon_json(&p, err);
	if (rc == 0)
		*ret = plan;
	return rc;
}
