/* Engines' addresses: see endpoint.h. Documents read here are the user's own; they are bounded and checked all the same. */
#include "net/endpoint.h"

#include "base/base.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/var/run/docker.sock"

/* --- one text ------------------------------------------------------------------------------------------------------ */

static bool text_ok(struct str s, const char *marks)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && (s.ptr[i] == '\0' || !strchr(marks, s.ptr[i])))
			return false;
	return s.len > 0;
}

static int parse_unix(struct arena *a, struct str path, struct endpoint *e, struct err *err)
{
	/* sun_path has 108 bytes, the last for the NUL. */
	if (!str_starts(path, STR("/")) || str_find(path, '\0') >= 0 || path.len > 107)
		return err_set(err, ERR_USAGE, "\"%.*s\" is no path of a socket", STR_ARG(path));
	e->kind = ENDPOINT_UNIX;
	e->socket = str_cstr(a, path);
	e->base_url = "http://docker";
	return 0;
}

/* HOST[:PORT], HOST perhaps in brackets. */
static int split_host(struct str text, struct str *host, struct str *port, struct err *err)
{
	ptrdiff_t colon = str_rfind(text, ':'), bracket = str_rfind(text, ']');
	uint64_t n;
	*host = text;
	*port = (struct str){ 0 };
	if (colon > bracket) {
		*host = str_sub(text, 0, (size_t)colon);
		*port = str_sub(text, (size_t)colon + 1, text.len);
		if (!str_to_u64(*port, &n) || n == 0 || n > 65535)
			return err_set(err, ERR_USAGE, "\"%.*s\" is no port", STR_ARG(*port));
	}
	struct str bare = *host;
	bool brackets = str_skip(&bare, STR("[")) && str_drop(&bare, STR("]"));
	if (!text_ok(bare, brackets ? ".:%-_" : ".-_") || bare.ptr[0] == '-')
		return err_set(err, ERR_USAGE, "\"%.*s\" is no host", STR_ARG(*host));
	return 0;
}

static int parse_tcp(struct arena *a, struct str text, bool tls, struct endpoint *e, struct err *err)
{
	ptrdiff_t slash = str_find(text, '/');
	struct str prefix = slash < 0 ? (struct str){ 0 } : str_sub(text, (size_t)slash, text.len), host, port;
	if (slash >= 0)
		text = str_sub(text, 0, (size_t)slash);
	while (str_drop(&prefix, STR("/")))
		;
	if (text.len == 0)
		text = STR("localhost");
	int rc = split_host(text, &host, &port, err);
	if (rc < 0)
		return rc;
	if (prefix.len && (!text_ok(prefix, "._-/~") || str_contains(prefix, STR(".."))))
		return err_set(err, ERR_USAGE, "\"%.*s\" is no path of an engine", STR_ARG(prefix));
	e->kind = ENDPOINT_TCP;
	e->base_url = arena_printf(a, "%s://%.*s:%.*s%.*s", tls ? "https" : "http", STR_ARG(host),
	                           STR_ARG(port.len ? port : tls ? STR("2376") : STR("2375")), STR_ARG(prefix)).ptr;
	return 0;
}

static int parse_ssh(struct arena *a, struct str text, struct endpoint *e, struct err *err)
{
	ptrdiff_t slash = str_find(text, '/');
	struct str path = slash < 0 ? (struct str){ 0 } : str_sub(text, (size_t)slash, text.len), host, port, user = { 0 };
	if (slash >= 0)
		text = str_sub(text, 0, (size_t)slash);
	ptrdiff_t at = str_rfind(text, '@');
	if (at >= 0) {
		user = str_sub(text, 0, (size_t)at);
		text = str_sub(text, (size_t)at + 1, text.len);
		if (str_find(user, ':') >= 0)
			return err_set(err, ERR_USAGE, "a password has no place in an ssh address; ssh asks for it, or uses a key");
		if (!text_ok(user, "._-+\\@") || user.ptr[0] == '-')
			return err_set(err, ERR_USAGE, "\"%.*s\" is no user", STR_ARG(user));
	}
	int rc = split_host(text, &host, &port, err);
	if (rc < 0)
		return rc;
	if (str_skip(&host, STR("[")))
		(void)str_drop(&host, STR("]"));
	if (path.len > 1 && !text_ok(path, "._-/+@"))
		return err_set(err, ERR_USAGE, "\"%.*s\" is no path of a socket", STR_ARG(path));
	e->kind = ENDPOINT_SSH;
	e->base_url = "http://docker";
	e->ssh_host = str_cstr(a, host);
	e->ssh_user = user.len ? str_cstr(a, user) : NULL;
	e->ssh_port = port.len ? str_cstr(a, port) : NULL;
	e->socket = path.len > 1 ? str_cstr(a, path) : NULL;
	return 0;
}

static int parse(struct arena *a, struct str text, bool tls, struct endpoint *e, struct err *err)
{
	struct str rest = text;
	if (str_skip(&rest, STR("unix://")))
		return parse_unix(a, rest, e, err);
	if (str_starts(rest, STR("/")))
		return parse_unix(a, rest, e, err);
	if (str_skip(&rest, STR("tcp://")))
		return parse_tcp(a, rest, tls, e, err);
	if (str_skip(&rest, STR("http://")))
		return parse_tcp(a, rest, false, e, err);
	if (str_skip(&rest, STR("https://")))
		return parse_tcp(a, rest, true, e, err);
	if (str_skip(&rest, STR("ssh://")))
		return parse_ssh(a, rest, e, err);
	ptrdiff_t scheme = str_find_str(rest, STR("://"));
	if (scheme > 0)
		return err_set(err, ERR_UNSUPPORTED, "%.*s:// is not spoken here: unix://, tcp://, https://, ssh://",
		               STR_ARG(str_sub(rest, 0, (size_t)scheme)));
	return parse_tcp(a, rest, tls, e, err);
}

int endpoint_parse(struct arena *a, struct str text, bool tls, struct endpoint *ret, struct err *err)
{
	struct endpoint e = { 0 };
	int rc = parse(a, text, tls, &e, err);
	if (rc < 0)
		return err_wrap(err, "the engine's address \"%.*s\"", STR_ARG(text)), rc;
	e.name = e.kind == ENDPOINT_UNIX ? arena_printf(a, "unix://%s", e.socket) : str_dup(a, text);
	*ret = e;
	return 0;
}

/* --- files of the user --------------------------------------------------------------------------------------------- */

/* DOCKER_CONFIG, else ~/.docker; NULL without a home. */
static const char *config_folder(struct arena *a)
{
	const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	if (folder && folder[0])
		return folder;
	return home && home[0] ? arena_printf(a, "%s/.docker", home).ptr : NULL;
}

/* The file, or NULL where it is not there. */
static const char *pem(struct arena *a, const char *folder, const char *name)
{
	const char *path = arena_printf(a, "%s/%s", folder, name).ptr;
	return access(path, F_OK) == 0 ? path : NULL;
}

static void take_pems(struct arena *a, const char *folder, struct endpoint *e)
{
	e->ca = pem(a, folder, "ca.pem");
	e->cert = pem(a, folder, "cert.pem");
	e->key = pem(a, folder, "key.pem");
}

int endpoint_context_parse(struct arena *a, struct str meta, struct endpoint_context *ret, struct err *err)
{
	struct value *top;
	int rc = json_parse(a, meta, &top, err);
	if (rc < 0)
		return rc;
	const struct value *docker = value_get(value_get(top, "Endpoints"), "docker");
	if (!docker)
		return err_set(err, ERR_USAGE, "it has no endpoint for docker");
	ret->host = value_str(value_get(docker, "Host"));
	ret->skip_verify = value_bool(value_get(docker, "SkipTLSVerify"));
	return 0;
}

static int read_context(struct arena *a, const char *folder, struct str id, struct endpoint_context *ret, struct err *err)
{
	struct str meta;
	int rc = fs_read(a, arena_printf(a, "%s/contexts/meta/%.*s/meta.json", folder, STR_ARG(id)).ptr, DOCKER_CONFIG_SIZE_MAX,
	                 &meta, err);
	if (rc == ERR_NOT_FOUND)
		return err_set(err, ERR_USAGE, "there is no such context in %s", folder);
	return rc < 0 ? rc : endpoint_context_parse(a, meta, ret, err);
}

static int from_context(struct arena *a, struct str name, struct endpoint *ret, struct err *err)
{
	const char *folder = config_folder(a);
	struct endpoint_context c = { 0 };
	char text[DIGEST_TEXT_LEN + 1];
	struct sha256 digest = sha256_of(name);
	struct str id = str_sub(sha256_text(&digest, text), 7, DIGEST_TEXT_LEN);
	int rc = folder ? read_context(a, folder, id, &c, err) : err_set(err, ERR_USAGE, "there is no home folder to look in");
	struct endpoint tls = { 0 };
	if (rc == 0) {
		take_pems(a, arena_printf(a, "%s/contexts/tls/%.*s/docker", folder, STR_ARG(id)).ptr, &tls);
		rc = endpoint_parse(a, c.host, tls.ca || tls.cert || c.skip_verify, ret, err);
	}
	if (rc < 0)
		return err_wrap(err, "Docker's context \"%.*s\"", STR_ARG(name)), rc;
	ret->ca = tls.ca;
	ret->cert = tls.cert;
	ret->key = tls.key;
	ret->insecure = c.skip_verify;
	ret->said_by = arena_printf(a, "context %.*s", STR_ARG(name));
	return 0;
}

/* currentContext of config.json; empty where there is none. A config that cannot be read is Docker's trouble, not ours. */
static struct str current_context(struct arena *a)
{
	const char *folder = config_folder(a);
	struct value *top;
	struct str text;
	if (!folder ||
	    fs_read(a, arena_printf(a, "%s/config.json", folder).ptr, DOCKER_CONFIG_SIZE_MAX, &text, NULL) < 0 ||
	    json_parse(a, text, &top, NULL) < 0)
		return (struct str){ 0 };
	return value_str(value_get(top, "currentContext"));
}

/* --- which --------------------------------------------------------------------------------------------------------- */

static int from_text(struct arena *a, struct str text, const char *said_by, struct endpoint *ret, struct err *err)
{
	const char *verify = getenv("DOCKER_TLS_VERIFY"), *certs = getenv("DOCKER_CERT_PATH");
	bool tls = verify && verify[0];
	int rc = endpoint_parse(a, text, tls, ret, err);
	if (rc < 0)
		return err_wrap(err, "%s", said_by), rc;
	ret->said_by = str_from(said_by);
	if (ret->kind == ENDPOINT_TCP && str_starts(str_from(ret->base_url), STR("https:"))) {
		const char *folder = certs && certs[0] ? certs : config_folder(a);
		if (folder)
			take_pems(a, folder, ret);
	}
	return 0;
}

static bool is_socket(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int usual(struct arena *a, struct endpoint *ret, struct err *err)
{
	const char *run = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	struct str places[3] = { STR(DEFAULT_SOCKET) };
	if (run && run[0] == '/')
		places[1] = arena_printf(a, "%s/docker.sock", run);
	if (home && home[0] == '/')
		places[2] = arena_printf(a, "%s/.docker/run/docker.sock", home);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (places[i].len && is_socket(places[i].ptr) && endpoint_parse(a, places[i], false, ret, err) == 0)
			return 0;
	return endpoint_parse(a, places[0], false, ret, err);
}

int endpoint_find(struct arena *a, const char *host, struct endpoint *ret, struct err *err)
{
	const char *variable = getenv("DOCKER_HOST"), *context = getenv("DOCKER_CONTEXT");
	struct endpoint e = { 0 };
	struct str name;
	int rc;
	if (host && host[0]) {
		rc = from_text(a, str_from(host), "--host", &e, err);
	} else if (variable && variable[0]) {
		rc = from_text(a, str_from(variable), "DOCKER_HOST", &e, err);
	} else {
		name = context && context[0] ? str_from(context) : current_context(a);
		if (name.len == 0 || str_eq(name, STR("default")))
			return usual(a, ret, err);
		rc = from_context(a, name, &e, err);
	}
	if (rc < 0)
		return rc;
	e.chosen = true;
	*ret = e;
	return 0;
}

bool endpoint_remote(const struct endpoint *e)
{
	return e->kind != ENDPOINT_UNIX;
}
