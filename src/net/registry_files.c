/* See registry_files.h. Opens files of this machine by names that are made of a host: which is why that was checked. */
#include "net/registry_files.h"
#include "base/base.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/toml.h"

#include <dirent.h>
#include <unistd.h>

/* --- reading --- */

/* 1: read; 0: not there. */
static int read_one(struct arena *a, struct str path, bool toml, struct registry_file *ret, struct err *err)
{
	struct str text;
	struct value *root;
	int rc = fs_read(a, str_cstr(a, path), REGISTRY_CONF_SIZE_MAX, &text, err);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc == 0)
		rc = toml ? toml_parse(a, text, &root, err) : json_parse(a, text, &root, err);
	if (rc < 0)
		return err_wrap(err, "%.*s", STR_ARG(path));
	*ret = (struct registry_file){ .path = path, .root = root };
	return 1;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static int read_folder(struct arena *a, struct str folder, struct registry_files *f, struct err *err)
{
	DIR *d = opendir(str_cstr(a, folder));
	VEC(struct str) names = { 0 };
	int rc = 0;
	for (struct dirent *e; d && (e = readdir(d)) && names.len < REGISTRY_CONF_FILES_MAX;)
		if (str_ends(str_from(e->d_name), STR(".conf")))
			*vec_push(a, &names) = str_dup(a, str_from(e->d_name));
	if (d)
		closedir(d);
	if (names.len)
		qsort(names.ptr, names.len, sizeof(*names.ptr), by_name);
	for (size_t i = 0; i < names.len && rc >= 0; i++) {
		struct registry_file file;
		rc = read_one(a, arena_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(names.ptr[i])), true, &file, err);
		if (rc > 0)
			*vec_push(a, &f->conf) = file;
	}
	return rc < 0 ? rc : 0;
}

/* One main file: the variable's, else the user's, else the system's; then the folders, the system's first. */
static int read_conf(struct arena *a, const struct registry_rules *rules, struct registry_files *f, struct err *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
	struct str system = arena_printf(a, "%s/containers/registries.conf", rules->etc);
	struct str user = rules->home ? arena_printf(a, "%s/.config/containers/registries.conf", rules->home) : (struct str){ 0 };
	struct registry_file file = { 0 };
	int rc = 0;
	if (named && *named)
		rc = read_one(a, str_from(named), true, &file, err);
	else if (user.len)
		rc = read_one(a, user, true, &file, err);
	if (rc == 0 && !(named && *named))
		rc = read_one(a, system, true, &file, err);
	if (rc < 0)
		return rc;
	if (rc > 0)
		*vec_push(a, &f->conf) = file;
	rc = read_folder(a, arena_printf(a, "%.*s.d", STR_ARG(system)), f, err);
	if (rc == 0 && user.len)
		rc = read_folder(a, arena_printf(a, "%.*s.d", STR_ARG(user)), f, err);
	return rc;
}

/* containerd writes "HOST:PORT" as it is or as HOST_PORT_, and _default for all. */
static int read_hosts(struct arena *a, const struct registry_rules *rules, struct str host, struct registry_files *f, struct err *err)
{
	ptrdiff_t colon = str_rfind(host, ':');
	struct str names[3] = { host, host, STR("_default") };
	if (colon > 0 && host.ptr[host.len - 1] != ']')
		names[1] = arena_printf(a, "%.*s_%.*s_", STR_ARG(str_sub(host, 0, (size_t)colon)),
		                        STR_ARG(str_sub(host, (size_t)colon + 1, host.len)));
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(names) && rc == 0; i++)
		rc = read_one(a, arena_printf(a, "%s/containerd/certs.d/%.*s/hosts.toml", rules->etc, STR_ARG(names[i])), true,
		              &f->hosts, err);
	return rc < 0 ? rc : 0;
}

int registry_files_read(struct arena *a, const struct registry_rules *rules, struct str host, struct registry_files *ret,
                        struct err *err)
{
	struct registry_files f = { 0 };
	int rc = read_conf(a, rules, &f, err);
	if (rc == 0)
		rc = read_hosts(a, rules, host, &f, err);
	if (rc == 0)
		rc = read_one(a, arena_printf(a, "%s/docker/daemon.json", rules->etc), false, &f.daemon, err);
	if (rc == 0 && rules->home)
		rc = read_one(a, arena_printf(a, "%s/.config/docker/daemon.json", rules->home), false, &f.daemon, err);
	if (rc < 0)
		return rc;
	*ret = f;
	return 0;
}

/* --- looking up --- */

struct str registry_alias(const struct registry_files *f, struct str name, struct str *ret_path)
{
	for (size_t i = f->conf.len; i-- > 0;) {
		const struct value *to = value_get_str(value_get(f->conf.ptr[i].root, "aliases"), name);
		if (value_is(to, VALUE_STRING)) { /* an empty one undoes those before it */
			*ret_path = f->conf.ptr[i].path;
			return value_str(to);
		}
	}
	return (struct str){ 0 };
}

/* "host", "host/path" or "*.domain"; a prefix ends where a part of the name ends. */
bool registry_prefix_covers(struct str prefix, struct str name, struct str *ret_rest)
{
	struct str p = prefix;
	if (str_skip(&p, STR("*"))) {
		ptrdiff_t slash = str_find(name, '/');
		struct str host = str_sub(name, 0, slash < 0 ? name.len : (size_t)slash);
		if (!str_starts(p, STR(".")) || !str_ends(host, p))
			return false;
		*ret_rest = str_sub(name, host.len, name.len);
		return true;
	}
	if (p.len == 0 || !str_starts(name, p))
		return false;
	*ret_rest = str_sub(name, p.len, name.len);
	return ret_rest->len == 0 || ret_rest->ptr[0] == '/';
}

const struct value *registry_entry(const struct registry_files *f, struct str name, struct str *ret_rest, struct str *ret_path)
{
	const struct value *best = NULL;
	size_t best_len = 0;
	struct str rest;
	for (size_t i = 0; i < f->conf.len; i++) {
		const struct value *list = value_get(f->conf.ptr[i].root, "registry");
		for (size_t k = 0; k < value_len(list); k++) {
			const struct value *entry = value_at(list, k);
			struct str prefix = value_str(value_get(entry, "prefix"));
			if (prefix.len == 0)
				prefix = value_str(value_get(entry, "location"));
			if (!registry_prefix_covers(prefix, name, &rest) || (best && prefix.len < best_len))
				continue;
			best = entry;
			best_len = prefix.len;
			*ret_rest = rest;
			*ret_path = f->conf.ptr[i].path;
		}
	}
	return best;
}

/* --- certificates --- */

static bool readable(const char *path)
{
	return access(path, R_OK) == 0;
}

static void certificates_in(struct arena *a, struct str folder, struct registry_endpoint *e)
{
	DIR *d = opendir(str_cstr(a, folder));
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct str name = str_from(entry->d_name), stem = name;
		char *path = str_cstr(a, arena_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name)));
		if (str_ends(name, STR(".crt")) && !e->ca_file && readable(path))
			e->ca_file = path;
		if (!str_drop(&stem, STR(".cert")) || e->client_cert)
			continue;
		char *key = str_cstr(a, arena_printf(a, "%.*s/%.*s.key", STR_ARG(folder), STR_ARG(stem)));
		if (readable(path) && readable(key)) {
			e->client_cert = path;
			e->client_key = key;
		}
	}
	if (d)
		closedir(d);
}

void registry_certificates(struct arena *a, const struct registry_rules *rules, struct registry_endpoint *e)
{
	struct str host = e->host;
	if (rules->home) {
		certificates_in(a, arena_printf(a, "%s/.config/containers/certs.d/%.*s", rules->home, STR_ARG(host)), e);
		certificates_in(a, arena_printf(a, "%s/.config/docker/certs.d/%.*s", rules->home, STR_ARG(host)), e);
	}
	certificates_in(a, arena_printf(a, "%s/containers/certs.d/%.*s", rules->etc, STR_ARG(host)), e);
	certificates_in(a, arena_printf(a, "%s/docker/certs.d/%.*s", rules->etc, STR_ARG(host)), e);
}
