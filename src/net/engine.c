/* Requests to an engine: see engine.h. Must never send anything but GET, and never follow an answer's word to another
 * place than the one it was asked of. */
#include "net/engine.h"

#include "base/base.h"
#include "base/json.h"

/* The oldest that is spoken: Docker 1.12 of 2016. */
#define API_MINOR_MIN 24
/* From here on an image can be asked for by platform. */
#define API_MINOR_PLATFORM 48
#define ENGINE_WORDS_MAX 300

struct engine {
	struct arena *arena;
	struct http *http;
	const struct endpoint *endpoint;
	struct str api; /* "1.41"; empty before the engine has said it */
	uint64_t minor;
};

int engine_open(struct arena *a, const struct endpoint *e, int connected_fd, unsigned stall_seconds, struct engine **ret,
                struct err *err)
{
	struct engine *g = arena_alloc(a, sizeof(*g));
	struct http_options o = {
		.unix_socket = e->kind == ENDPOINT_UNIX && connected_fd == 0 ? e->socket : NULL,
		.connected_fd = connected_fd,
		.ca_only = e->ca,
		.client_cert = e->cert,
		.client_key = e->key,
		.insecure = e->insecure,
		.proxy = e->kind == ENDPOINT_TCP ? NULL : "",
		.stall_seconds = stall_seconds,
		.tries = 1,
	};
	int rc = http_open(&o, &g->http, err);
	if (rc < 0)
		return rc;
	g->arena = a;
	g->endpoint = e;
	*ret = g;
	return 0;
}

void engine_close(struct engine *g)
{
	if (g)
		http_close(g->http);
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

/* Names stand in paths: what is not plain there is written as %XX. */
static struct str escape(struct arena *a, struct str s)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 3 * REFERENCE_LEN_MAX);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (ascii_alnum(c) || memchr("-._~/:@", c, 7))
			buf_byte(&b, (uint8_t)c);
		else
			buf_printf(&b, "%%%02X", (unsigned)(unsigned char)c);
	}
	return str_dup(a, buf_view(&b));
}

static const char *url_of(const struct engine *g, const char *path)
{
	if (g->api.len == 0)
		return arena_printf(g->arena, "%s%s", g->endpoint->base_url, path).ptr;
	return arena_printf(g->arena, "%s/v%.*s%s", g->endpoint->base_url, STR_ARG(g->api), path).ptr;
}

/* {"message": "..."} of an error, or the beginning of whatever came. */
static struct str error_words(struct arena *a, struct str body)
{
	struct value *top;
	struct str words = str_trim(body);
	if (json_parse(a, body, &top, NULL) == 0 && value_str(value_get(top, "message")).len)
		words = value_str(value_get(top, "message"));
	else if (str_starts(words, STR("<")))
		words = (struct str){ 0 };
	return str_sub(words, 0, ENGINE_WORDS_MAX);
}

static int status_error(struct arena *a, unsigned status, struct str body, struct err *err)
{
	struct str words = error_words(a, body);
	int code = ERR_NET;
	if (status == 404)
		code = ERR_NOT_FOUND;
	else if (status == 401 || status == 403)
		code = ERR_ACCESS;
	else if (status == 400)
		code = ERR_UNSUPPORTED;
	return err_set(err, code, "the engine says %u%s%.*s", status, words.len ? ": " : "", STR_ARG(words));
}

static int get(struct engine *g, const char *path, struct http_response *ret, struct err *err)
{
	struct http_request r = { .method = HTTP_GET, .url = url_of(g, path) };
	int rc = http_fetch(g->http, g->arena, &r, ENGINE_JSON_SIZE_MAX, ret, err);
	if (rc < 0)
		return rc;
	if (ret->status != 200)
		return status_error(g->arena, ret->status, ret->body, err);
	return 0;
}

bool engine_version_ok(struct str version, uint64_t *ret_minor)
{
	return str_skip(&version, STR("1.")) && version.len <= 3 && str_to_u64(version, ret_minor);
}

int engine_negotiate(struct engine *g, struct engine_facts *f, struct err *err)
{
	struct http_response ping, version;
	int rc = get(g, "/_ping", &ping, err);
	if (rc < 0 && rc != ERR_NOT_FOUND && rc != ERR_UNSUPPORTED)
		return rc;
	if (rc == 0) {
		f->fact[ENGINE_API] = http_header(&ping, "api-version");
		f->fact[ENGINE_SERVER] = http_header(&ping, "server");
	}
	if (f->fact[ENGINE_API].len == 0) {
		rc = get(g, "/version", &version, err);
		if (rc == 0)
			rc = engine_parse_version(g->arena, version.body, f, err);
		if (rc == ERR_NOT_FOUND)
			return err_set(err, ERR_UNSUPPORTED, "what listens there is no engine");
		if (rc < 0)
			return rc;
	}
	if (!engine_version_ok(f->fact[ENGINE_API], &g->minor))
		return err_set(err, ERR_UNSUPPORTED, "the engine speaks version \"%.*s\" of the API, which is none",
		               STR_ARG(str_sub(f->fact[ENGINE_API], 0, 40)));
	if (g->minor < API_MINOR_MIN)
		return err_set(err, ERR_UNSUPPORTED, "the engine speaks version %.*s of the API; from 1.%u on it is understood",
		               STR_ARG(f->fact[ENGINE_API]), API_MINOR_MIN);
	g->api = f->fact[ENGINE_API];
	return 0;
}

static int ask(struct engine *g, const char *path,
               int (*parse)(struct arena *, struct str, struct engine_facts *, struct err *), struct engine_facts *f,
               struct err *err)
{
	struct http_response r;
	int rc = get(g, path, &r, err);
	if (rc == 0 && (rc = parse(g->arena, r.body, f, err)) < 0)
		err_wrap(err, "the engine's answer to %s", path);
	return rc;
}

int engine_image(struct engine *g, struct str reference, struct engine_facts *f, struct err *err)
{
	struct str name = escape(g->arena, reference);
	return ask(g, arena_printf(g->arena, "/images/%.*s/json", STR_ARG(name)).ptr, engine_parse_image, f, err);
}

int engine_container(struct engine *g, struct str name, struct engine_facts *f, struct err *err)
{
	name = escape(g->arena, name);
	return ask(g, arena_printf(g->arena, "/containers/%.*s/json", STR_ARG(name)).ptr, engine_parse_container, f, err);
}

int engine_root(struct engine *g, struct engine_facts *f, struct err *err)
{
	return ask(g, "/info", engine_parse_info, f, err);
}

int engine_images(struct engine *g, struct engine_facts *f, struct err *err)
{
	return ask(g, "/images/json", engine_parse_images, f, err);
}

/* {"os":"linux","architecture":"arm64","variant":"v8"}, escaped. */
static struct str platform_query(struct arena *a, struct str platform)
{
	static const char *const keys[] = { "os", "architecture", "variant" };
	struct buf BUF_AUTO b = { 0 };
	struct str part;
	if (str_find(platform, '/') < 0)
		platform = arena_printf(a, "linux/%.*s", STR_ARG(platform));
	buf_init(&b, 1024);
	buf_printf(&b, "{");
	for (size_t i = 0; i < COUNT_OF(keys) && str_cut(&platform, '/', &part); i++) {
		for (size_t k = 0; k < part.len; k++)
			if (!ascii_alnum(part.ptr[k]) && part.ptr[k] != '_' && part.ptr[k] != '.')
				return (struct str){ 0 };
		buf_printf(&b, "%s\"%s\":\"%.*s\"", i ? "," : "", keys[i], STR_ARG(part));
	}
	buf_printf(&b, "}");
	return escape(a, buf_view(&b));
}

int engine_save(struct engine *g, struct str reference, struct str platform, const struct http_sink *sink, struct err *err)
{
	struct str name = escape(g->arena, reference), query = { 0 };
	if (platform.len && g->minor >= API_MINOR_PLATFORM)
		query = platform_query(g->arena, platform);
	const char *path = arena_printf(g->arena, "/images/%.*s/get%s%.*s", STR_ARG(name), query.len ? "?platform=" : "",
	                                STR_ARG(query)).ptr;
	struct http_request r = { .method = HTTP_GET, .url = url_of(g, path) };
	struct http_response response = { 0 };
	int rc = http_stream(g->http, g->arena, &r, sink, &response, err);
	if (rc < 0)
		return err_wrap(err, "the engine's stream of the image"), rc;
	return response.status == 200 ? 0 : status_error(g->arena, response.status, response.body, err);
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static int parse_map(struct arena *a, struct str json, struct value **ret, struct err *err)
{
	int rc = json_parse(a, json, ret, err);
	if (rc == 0 && !value_is(*ret, VALUE_MAP))
		rc = err_set(err, ERR_FORMAT, "it is no JSON object");
	return rc;
}

/* "sha256:HEX" or HEX of 64 digits -> HEX. */
static int take_id(struct str id, const char *what, struct str *ret, struct err *err)
{
	struct str hex = id;
	(void)str_skip(&hex, STR("sha256:"));
	bool ok = hex.len == 64;
	for (size_t i = 0; i < hex.len; i++)
		ok = ok && ascii_hex(hex.ptr[i]) && !ascii_upper(hex.ptr[i]);
	if (!ok)
		return err_set(err, ERR_FORMAT, "%s is no id: \"%.*s\"", what, STR_ARG(str_sub(id, 0, 100)));
	*ret = hex;
	return 0;
}

static void take_driver(const struct value *top, struct engine_facts *f)
{
	const struct value *driver = value_get(top, "GraphDriver");
	f->fact[ENGINE_DRIVER] = value_str(value_get(driver, "Name"));
	f->fact[ENGINE_UPPER] = value_str(value_get(value_get(driver, "Data"), "UpperDir"));
}

static bool is_tag(struct str tag)
{
	return tag.len > 0 && tag.len <= REFERENCE_LEN_MAX && !str_contains(tag, STR("<none>"));
}

int engine_parse_image(struct arena *a, struct str json, struct engine_facts *f, struct err *err)
{
	struct value *top;
	int rc = parse_map(a, json, &top, err);
	if (rc == 0)
		rc = take_id(value_str(value_get(top, "Id")), "Id", &f->fact[ENGINE_ID], err);
	if (rc < 0)
		return rc;
	struct str tag = value_str(value_at(value_get(top, "RepoTags"), 0));
	if (is_tag(tag))
		f->fact[ENGINE_NAME] = tag;
	take_driver(top, f);
	return 0;
}

int engine_parse_container(struct arena *a, struct str json, struct engine_facts *f, struct err *err)
{
	struct value *top;
	int rc = parse_map(a, json, &top, err);
	if (rc == 0)
		rc = take_id(value_str(value_get(top, "Id")), "Id", &f->fact[ENGINE_ID], err);
	if (rc == 0)
		rc = take_id(value_str(value_get(top, "Image")), "Image", &f->fact[ENGINE_IMAGE], err);
	if (rc < 0)
		return rc;
	struct str name = value_str(value_get(top, "Name"));
	(void)str_skip(&name, STR("/"));
	f->fact[ENGINE_NAME] = name;
	take_driver(top, f);
	return 0;
}

/* The image store of containerd names itself in DriverStatus, a list of pairs; the driver's name alone does not tell. */
static bool containerd_store(const struct value *info)
{
	const struct value *status = value_get(info, "DriverStatus");
	for (size_t i = 0; i < value_len(status); i++)
		if (str_eq(value_str(value_at(value_at(status, i), 0)), STR("driver-type")) &&
		    str_starts(value_str(value_at(value_at(status, i), 1)), STR("io.containerd.snapshotter.")))
			return true;
	return false;
}

int engine_parse_info(struct arena *a, struct str json, struct engine_facts *f, struct err *err)
{
	struct value *top;
	int rc = parse_map(a, json, &top, err);
	if (rc < 0)
		return rc;
	f->fact[ENGINE_ROOT] = value_str(value_get(top, "DockerRootDir"));
	f->fact[ENGINE_DRIVER] = containerd_store(top) ? STR("containerd") : value_str(value_get(top, "Driver"));
	return 0;
}

int engine_parse_version(struct arena *a, struct str json, struct engine_facts *f, struct err *err)
{
	struct value *top;
	int rc = parse_map(a, json, &top, err);
	if (rc < 0)
		return rc;
	f->fact[ENGINE_API] = value_str(value_get(top, "ApiVersion"));
	if (f->fact[ENGINE_API].len == 0)
		return err_set(err, ERR_FORMAT, "it names no version of its API");
	if (f->fact[ENGINE_SERVER].len == 0)
		f->fact[ENGINE_SERVER] = arena_printf(a, "Docker/%.*s", STR_ARG(value_str(value_get(top, "Version"))));
	return 0;
}

int engine_parse_images(struct arena *a, struct str json, struct engine_facts *f, struct err *err)
{
	struct value *top;
	int rc = json_parse(a, json, &top, err);
	if (rc < 0)
		return rc;
	if (!value_is(top, VALUE_LIST))
		return err_set(err, ERR_FORMAT, "it is no list");
	if (value_len(top) > ENGINE_IMAGES_MAX)
		return err_set(err, ERR_LIMIT, "more than ENGINE_IMAGES_MAX (%u) images", ENGINE_IMAGES_MAX);
	for (size_t i = 0; i < value_len(top); i++) {
		const struct value *image = value_at(top, i);
		const struct value *tags = value_get(image, "RepoTags");
		struct str hex;
		bool named = false;
		for (size_t k = 0; k < value_len(tags) && f->images.len < ENGINE_IMAGES_MAX; k++) {
			struct str tag = value_str(value_at(tags, k));
			if (is_tag(tag))
				*vec_push(a, &f->images) = tag;
			named = named || is_tag(tag);
		}
		if (named)
			continue;
		if ((rc = take_id(value_str(value_get(image, "Id")), "Id", &hex, err)) < 0)
			return rc;
		*vec_push(a, &f->images) = arena_printf(a, "sha256:%.*s", STR_ARG(hex));
	}
	if (f->images.len >= ENGINE_IMAGES_MAX)
		return err_set(err, ERR_LIMIT, "more than ENGINE_IMAGES_MAX (%u) names of images", ENGINE_IMAGES_MAX);
	return 0;
}

/* --- wire form ----------------------------------------------------------------------------------------------------- */

void engine_facts_encode(struct buf *out, const struct engine_facts *f)
{
	/* What could be no path and no name is no fact. */
	for (size_t i = 0; i < ENGINE_FACTS; i++) {
		bool fit = f->fact[i].len <= ENGINE_FACT_MAX && str_find(f->fact[i], '\0') < 0;
		buf_str(out, fit ? f->fact[i] : (struct str){ 0 });
	}
	buf_varint(out, f->images.len);
	for (size_t i = 0; i < f->images.len; i++)
		buf_str(out, f->images.ptr[i]);
}

void engine_facts_decode(struct arena *a, struct reader *r, struct engine_facts *ret)
{
	*ret = (struct engine_facts){ 0 };
	for (size_t i = 0; i < ENGINE_FACTS; i++) {
		ret->fact[i] = read_str(r);
		if (ret->fact[i].len > ENGINE_FACT_MAX || str_find(ret->fact[i], '\0') >= 0)
			r->bad = true;
	}
	size_t n = read_count(r, 1);
	if (n > ENGINE_IMAGES_MAX)
		r->bad = true;
	for (size_t i = 0; i < n && !r->bad; i++) {
		struct str name = read_str(r);
		r->bad = r->bad || name.len > REFERENCE_LEN_MAX;
		*vec_push(a, &ret->images) = name;
	}
}
