/* See credential.h. Must never put a secret into words, and never run a helper whose name could be a path. */
#include "net/credential.h"
#include "base/base.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/scalar.h"
#include "net/helper.h"
#include "net/reference.h"

/* --- keys of auths --- */

/* "https://index.docker.io/v1/" is docker.io, "quay.io/org" stays: host and path. */
static void key_parts(struct arena *a, struct str key, struct str *ret_host, struct str *ret_path)
{
	if (!str_skip(&key, STR("https://")))
		(void)str_skip(&key, STR("http://"));
	ptrdiff_t slash = str_find(key, '/');
	struct str path = slash < 0 ? (struct str){ 0 } : str_sub(key, (size_t)slash + 1, key.len);
	while (str_drop(&path, STR("/")))
		;
	if (str_eq(path, STR("v1")) || str_eq(path, STR("v2")))
		path.len = 0;
	*ret_host = reference_host_canonical(a, slash < 0 ? key : str_sub(key, 0, (size_t)slash));
	*ret_path = path;
}

/* The path of the key is that of the image or of a folder above it; the length says which is nearest. */
static bool key_covers(struct arena *a, struct str key, struct str host, struct str path, size_t *ret_depth)
{
	struct str key_host, key_path;
	key_parts(a, key, &key_host, &key_path);
	if (!str_eq(key_host, host))
		return false;
	*ret_depth = key_path.len;
	return key_path.len == 0 ||
	       (str_starts(path, key_path) && (path.len == key_path.len || path.ptr[key_path.len] == '/'));
}

static const struct value *best_key(struct arena *a, const struct value *map, struct str host, struct str path)
{
	const struct value *best = NULL;
	size_t best_depth = 0, depth = 0;
	for (size_t i = 0; value_is(map, VALUE_MAP) && i < map->map.len; i++) {
		const struct value_pair *p = &map->map.pairs[i];
		if (key_covers(a, p->key, host, path, &depth) && (!best || depth > best_depth)) {
			best = p->value;
			best_depth = depth;
		}
	}
	return best;
}

/* --- an entry --- */

/* base64 of "name:password"; old files end it in NULs. */
static bool take_auth(struct arena *a, struct str auth, struct credential *ret)
{
	struct str plain, name;
	if (auth.len == 0 || !scalar_base64(a, auth, &plain))
		return false;
	while (str_drop(&plain, STR("\0")))
		;
	if (str_find(plain, ':') < 0 || !str_cut(&plain, ':', &name))
		return false;
	ret->username = name;
	ret->secret = plain;
	ret->kind = CREDENTIAL_PASSWORD;
	return true;
}

static bool take_entry(struct arena *a, const struct value *entry, struct credential *ret)
{
	struct str identity = value_str(value_get(entry, "identitytoken"));
	struct str bearer = value_str(value_get(entry, "registrytoken"));
	struct str username = value_str(value_get(entry, "username"));
	(void)take_auth(a, value_str(value_get(entry, "auth")), ret);
	if (ret->kind == CREDENTIAL_NONE && username.len) {
		ret->kind = CREDENTIAL_PASSWORD;
		ret->username = username;
		ret->secret = value_str(value_get(entry, "password"));
	}
	if (bearer.len) {
		ret->kind = CREDENTIAL_BEARER;
		ret->secret = bearer;
	} else if (identity.len) {
		ret->kind = CREDENTIAL_IDENTITY;
		ret->secret = identity;
	}
	return ret->kind != CREDENTIAL_NONE;
}

bool credential_in_file(struct arena *a, struct str text, struct str host, struct str path, struct credential *ret,
                        struct str *ret_helper)
{
	struct value *root;
	struct err err = { 0 };
	*ret = (struct credential){ 0 };
	*ret_helper = (struct str){ 0 };
	if (json_parse(a, text, &root, &err) < 0) {
		ret->trouble = arena_printf(a, "it is no JSON: %s", err.text);
		return false;
	}
	const struct value *helper = best_key(a, value_get(root, "credHelpers"), host, path);
	if (value_str(helper).len) {
		*ret_helper = value_str(helper);
		return true;
	}
	if (take_entry(a, best_key(a, value_get(root, "auths"), host, path), ret))
		return true;
	*ret_helper = value_str(value_get(root, "credsStore"));
	return ret_helper->len > 0;
}

bool credential_of_helper(struct arena *a, struct str output, struct credential *ret)
{
	struct value *root;
	if (json_parse(a, output, &root, NULL) < 0)
		return false;
	ret->username = value_str(value_get(root, "Username"));
	ret->secret = value_str(value_get(root, "Secret"));
	if (ret->secret.len == 0)
		return false;
	ret->kind = str_eq(ret->username, STR("<token>")) ? CREDENTIAL_IDENTITY : CREDENTIAL_PASSWORD;
	return true;
}

struct str credential_basic(struct arena *a, struct str username, struct str secret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct str plain = arena_printf(a, "%.*s:%.*s", STR_ARG(username), STR_ARG(secret));
	size_t size = (plain.len + 2) / 3 * 4;
	char *out = arena_alloc(a, size);
	for (size_t i = 0, o = 0; i < plain.len; i += 3) {
		uint32_t three = 0;
		size_t n = plain.len - i < 3 ? plain.len - i : 3;
		for (size_t k = 0; k < 3; k++)
			three = three << 8 | (k < n ? (unsigned char)plain.ptr[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			out[o++] = k <= n ? digits[three >> (18 - 6 * k) & 63] : '=';
	}
	return arena_printf(a, "Basic %.*s", STR_ARG(((struct str){ out, size })));
}

/* --- files and helpers of this machine --- */

static struct str in_folder(struct arena *a, const char *variable, const char *rest)
{
	const char *folder = getenv(variable);
	return folder && *folder ? arena_printf(a, "%s%s", folder, rest) : (struct str){ 0 };
}

/* What it is stored under: Docker's own name for Docker Hub. */
static void ask_helper(struct arena *a, struct str helper, struct str host, struct credential *ret)
{
	struct str server = str_eq(host, STR("docker.io")) ? STR("https://index.docker.io/v1/") : host, output;
	struct err err = { 0 };
	if (helper_get(a, helper, server, &output, &err) < 0)
		ret->trouble = arena_printf(a, "docker-credential-%.*s: %s", STR_ARG(helper), err.text);
	else
		(void)credential_of_helper(a, output, ret);
}

static bool look_in(struct arena *a, struct str file, struct str host, struct str path, struct credential *ret)
{
	struct str text, helper;
	struct err err = { 0 };
	struct credential c = { 0 };
	int rc = file.len ? fs_read(a, str_cstr(a, file), CREDENTIAL_FILE_SIZE_MAX, &text, &err) : ERR_NOT_FOUND;
	if (rc == ERR_NOT_FOUND)
		return false;
	if (rc < 0)
		c.trouble = str_dup(a, str_from(err.text));
	else if (credential_in_file(a, text, host, path, &c, &helper) && helper.len)
		ask_helper(a, helper, host, &c);
	c.origin = rc == 0 && helper.len && c.kind != CREDENTIAL_NONE
	                   ? arena_printf(a, "docker-credential-%.*s, named in %.*s", STR_ARG(helper), STR_ARG(file))
	                   : file;
	if (c.trouble.len)
		c.trouble = arena_printf(a, "%.*s: %.*s", STR_ARG(file), STR_ARG(c.trouble));
	if (c.trouble.len == 0)
		c.trouble = ret->trouble;
	*ret = c;
	return c.kind != CREDENTIAL_NONE;
}

void credential_find(struct arena *a, struct str host, struct str path, struct credential *ret)
{
	const struct str files[] = {
		in_folder(a, "REGISTRY_AUTH_FILE", ""),
		in_folder(a, "DOCKER_CONFIG", "/config.json"),
		in_folder(a, "XDG_RUNTIME_DIR", "/containers/auth.json"),
		in_folder(a, getenv("XDG_CONFIG_HOME") ? "XDG_CONFIG_HOME" : "HOME",
		          getenv("XDG_CONFIG_HOME") ? "/containers/auth.json" : "/.config/containers/auth.json"),
		in_folder(a, "HOME", "/.docker/config.json"),
	};
	*ret = (struct credential){ 0 };
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (look_in(a, files[i], host, path, ret))
			return;
	ret->origin = (struct str){ 0 };
}
