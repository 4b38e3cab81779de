/* Docker's documents and addresses, without an engine: names of images, repositories.json, configs of containers, what
 * is read of an engine's answers, endpoints and contexts. */
#include "base/base.h"
#include "base/hash.h"
#include "image/docker_find.h"
#include "net/endpoint.h"
#include "net/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct arena *a;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	a = arena_new();
	err = (struct err){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void assert_str(struct str got, const char *want) { assert_string_equal(str_cstr(a, got), want); }

static void test_familiar_names(void **state)
{
	static const char *const cases[][2] = {
		{ "nginx", "nginx:latest" },
		{ "nginx:1.25", "nginx:1.25" },
		{ "library/nginx", "nginx:latest" },
		{ "docker.io/nginx:1", "nginx:1" },
		{ "docker.io/library/nginx:1", "nginx:1" },
		{ "index.docker.io/library/nginx", "nginx:latest" },
		{ "library/a/b", "library/a/b:latest" },
		{ "me/app", "me/app:latest" },
		{ "host:5000/app", "host:5000/app:latest" },
		{ "host:5000/app:2", "host:5000/app:2" },
		{ "quay.io/a/b@sha256:" A, "quay.io/a/b@sha256:" A },
		{ "docker.io/library/b:1@sha256:" A, "b@sha256:" A },
		{ "host:5000/b@sha256:" A, "host:5000/b@sha256:" A },
	};
	static const char *const bad[] = { "", "-a", "a b", "../a", "a//b", "a\n", "a?b", "a#b", "a%41", "/a", "a/", "a:", ("docker.io/.a@sha256:" A), "docker.io/:1", "library/", "\xc3\xa9" };
	struct str got;
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(docker_familiar(a, str_from(cases[i][0]), &got, &err), 0);
		assert_str(got, cases[i][1]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(docker_familiar(a, str_from(bad[i]), &got, &err), ERR_NOT_FOUND);
}

static void test_images_by_name(void **state)
{
	struct str text = STR("{\"Repositories\":{\"nginx\":{\"nginx:1\":\"sha256:" A "\",\"nginx@sha256:" B "\":\"sha256:" A "\"},"
	                      "\"z\":{\"z:latest\":\"sha256:" B "\",\"z:a\":\"sha256:" B "\"},\"n\":null,\"odd\":{\"odd:1\":7}}}");
	struct str_list names = { 0 }, ids = { 0 };
	struct str hex;
	(void)state;
	assert_int_equal(docker_find_image(a, text, STR("nginx:1"), &hex, &err), 0);
	assert_str(hex, A);
	assert_int_equal(docker_find_image(a, text, STR("nginx@sha256:" B), &hex, &err), 0);
	assert_str(hex, A);
	assert_int_equal(docker_find_image(a, text, STR("nginx:2"), &hex, &err), ERR_NOT_FOUND);
	assert_int_equal(docker_find_image(a, text, STR("odd:1"), &hex, &err), ERR_NOT_FOUND);
	assert_int_equal(docker_find_tags(a, text, &names, &ids, &err), 0);
	assert_int_equal(names.len, 3);
	assert_str(names.ptr[0], "nginx:1");
	assert_str(names.ptr[1], "z:a");
	assert_str(names.ptr[2], "z:latest");
	assert_str(ids.ptr[2], B);
	/* A store in which nothing was ever tagged. */
	assert_int_equal(docker_find_image(a, STR("{\"Repositories\":{}}"), STR("a:1"), &hex, &err), ERR_NOT_FOUND);
	assert_int_equal(docker_find_image(a, STR("{\"Repositories\":null}"), STR("a:1"), &hex, &err), ERR_NOT_FOUND);
	assert_int_equal(docker_find_image(a, STR("{}"), STR("a:1"), &hex, &err), ERR_NOT_FOUND);
	assert_int_equal(docker_find_image(a, STR(""), STR("a:1"), &hex, &err), ERR_FORMAT);
	assert_int_equal(docker_find_image(a, STR("{\"Repositories\":[]}"), STR("a:1"), &hex, &err), ERR_FORMAT);
	static const char *const bad_ids[] = { "sha256:../../x", "sha512:" A, "sha256:" A "a", A, "sha256:A" };
	for (size_t i = 0; i < COUNT_OF(bad_ids); i++) {
		struct str bad = arena_printf(a, "{\"Repositories\":{\"a\":{\"a:1\":\"%s\"}}}", bad_ids[i]);
		assert_int_equal(docker_find_image(a, bad, STR("a:1"), &hex, &err), ERR_FORMAT);
	}
}

static void test_containers(void **state)
{
	struct docker_container c;
	(void)state;
	assert_int_equal(docker_container_parse(a, STR("{\"Name\":\"/web\",\"Image\":\"sha256:" A "\",\"Driver\":\"overlay2\"}"), &c, &err), 0);
	assert_str(c.name, "web");
	assert_str(c.image, A);
	assert_int_equal(docker_container_parse(a, STR("{\"Name\":\"/web\",\"Image\":\"web:1\"}"), &c, &err), ERR_FORMAT);
	assert_int_equal(docker_container_parse(a, STR("{\"Name\":\"/we"), &c, &err), ERR_FORMAT);
}

struct doc {
	struct str text;
};

static int read_doc(void *ctx, struct arena *to, struct str name, size_t size_max, struct str *ret, struct err *e)
{
	const struct doc *d = ctx;
	(void)to;
	(void)name;
	(void)size_max;
	(void)e;
	*ret = d->text;
	return 0;
}

static int resolve(struct str config, struct str id, struct str platform, struct image_desc *ret)
{
	struct doc doc = { config };
	struct image_store store = { .read = read_doc, .ctx = &doc };
	struct image_choice choice = { .reference = id, .platform = platform };
	return docker_resolve(a, &store, &choice, ret, &err);
}

static void test_configs(void **state)
{
	struct str config = STR("{\"os\":\"linux\",\"architecture\":\"arm64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" A
	                        "\",\"sha256:" B "\"]},\"history\":[{\"created_by\":\"one\"},{\"created_by\":\"no\",\"empty_layer\":true},"
	                        "{\"created_by\":\"two\"}]}");
	char text[DIGEST_TEXT_LEN + 1];
	struct image_desc d;
	(void)state;
	assert_int_equal(hash_setup(&err), 0);
	struct sha256 digest = sha256_of(config);
	struct str id = str_dup(a, sha256_text(&digest, text));
	assert_int_equal(resolve(config, id, (struct str){ 0 }, &d), 0);
	assert_int_equal(d.layer_count, 2);
	assert_str(d.layers[1].diff_id, "sha256:" B);
	assert_str(d.layers[1].created_by, "two");
	assert_str(d.digest, id.ptr);
	assert_int_equal(resolve(config, id, STR("linux/arm64"), &d), 0);
	assert_int_equal(resolve(config, id, STR("linux/amd64"), &d), ERR_NOT_FOUND);
	assert_int_equal(resolve(config, STR("sha256:" A), (struct str){ 0 }, &d), ERR_DIGEST);
	assert_int_equal(resolve(config, STR("latest"), (struct str){ 0 }, &d), ERR_FORMAT);
	struct str bad = STR("{\"rootfs\":{\"diff_ids\":[\"../../x\"]}}");
	digest = sha256_of(bad);
	assert_int_equal(resolve(bad, sha256_text(&digest, text), (struct str){ 0 }, &d), ERR_FORMAT);
}

static void test_answers_of_engines(void **state)
{
	struct engine_facts f = { 0 };
	uint64_t minor;
	(void)state;
	assert_int_equal(engine_parse_image(a, STR("{\"Id\":\"sha256:" A "\",\"RepoTags\":[\"a:1\"],\"GraphDriver\":{\"Name\":\"overlay2\","
	                                           "\"Data\":{\"UpperDir\":\"/r/overlay2/x/diff\"}}}"), &f, &err), 0);
	assert_str(f.fact[ENGINE_ID], A);
	assert_str(f.fact[ENGINE_DRIVER], "overlay2");
	assert_str(f.fact[ENGINE_UPPER], "/r/overlay2/x/diff");
	static const char *const none[] = { "", "[]", "null", "{}", "{\"Id\":7}", "{\"Id\":\"sha256:\"}", "{\"Id\":\"" A "/..\"}" };
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(engine_parse_image(a, str_from(none[i]), &f, &err), ERR_FORMAT);
	assert_int_equal(engine_parse_info(a, STR("{\"Driver\":\"overlayfs\",\"DockerRootDir\":\"/r\",\"DriverStatus\":[[\"driver-type\","
	                                          "\"io.containerd.snapshotter.v1\"]]}"), &f, &err), 0);
	assert_str(f.fact[ENGINE_DRIVER], "containerd");
	assert_int_equal(engine_parse_info(a, STR("{\"Driver\":\"overlay2\",\"DriverStatus\":[[],7,[\"driver-type\"],\"x\"]}"), &f, &err), 0);
	assert_str(f.fact[ENGINE_DRIVER], "overlay2");
	f = (struct engine_facts){ 0 };
	assert_int_equal(engine_parse_images(a, STR("[{\"Id\":\"sha256:" A "\",\"RepoTags\":[\"b:1\",\"a:1\"]},"
	                                            "{\"Id\":\"sha256:" B "\",\"RepoTags\":null}]"), &f, &err), 0);
	assert_int_equal(f.images.len, 3);
	assert_str(f.images.ptr[2], "sha256:" B);
	assert_true(engine_version_ok(STR("1.24"), &minor) && minor == 24);
	static const char *const versions[] = { "", "1", "1.", "2.0", "1.2.3", "1.-1", "1.9999", "v1.24", "1.24\n" };
	for (size_t i = 0; i < COUNT_OF(versions); i++)
		assert_false(engine_version_ok(str_from(versions[i]), &minor));
}

static void test_endpoints(void **state)
{
	static const struct {
		const char *text;
		bool tls;
		int rc;
		enum endpoint_kind kind;
		const char *url, *rest;
	} cases[] = {
		{ "unix:///var/run/docker.sock", false, 0, ENDPOINT_UNIX, "http://docker", "/var/run/docker.sock" },
		{ "/run/x.sock", false, 0, ENDPOINT_UNIX, "http://docker", "/run/x.sock" },
		{ "tcp://h", false, 0, ENDPOINT_TCP, "http://h:2375", NULL },
		{ "tcp://h", true, 0, ENDPOINT_TCP, "https://h:2376", NULL },
		{ "tcp://h:1/p/", true, 0, ENDPOINT_TCP, "https://h:1/p", NULL },
		{ "h:77", false, 0, ENDPOINT_TCP, "http://h:77", NULL },
		{ "https://h", false, 0, ENDPOINT_TCP, "https://h:2376", NULL },
		{ "tcp://[::1]:5", false, 0, ENDPOINT_TCP, "http://[::1]:5", NULL },
		{ "tcp://[::1]", false, 0, ENDPOINT_TCP, "http://[::1]:2375", NULL },
		{ "ssh://h", false, 0, ENDPOINT_SSH, "http://docker", "h" },
		{ "ssh://u@h:22/s", false, 0, ENDPOINT_SSH, "http://docker", "h" },
		{ "ssh://[fe80::1]", false, 0, ENDPOINT_SSH, "http://docker", "fe80::1" },
		{ "npipe:////./pipe/x", false, ERR_UNSUPPORTED, 0, NULL, NULL },
		{ "fd://", false, ERR_UNSUPPORTED, 0, NULL, NULL },
		{ "", false, 0, ENDPOINT_TCP, "http://localhost:2375", NULL },
		{ "tcp://h:0", false, ERR_USAGE, 0, NULL, NULL },
		{ "tcp://u@h", false, ERR_USAGE, 0, NULL, NULL },
		{ "tcp://h:1:2", false, ERR_USAGE, 0, NULL, NULL },
		{ "tcp://[::1", false, ERR_USAGE, 0, NULL, NULL },
		{ "ssh://", false, ERR_USAGE, 0, NULL, NULL },
		{ "ssh://-x", false, ERR_USAGE, 0, NULL, NULL },
		{ "ssh://h y", false, ERR_USAGE, 0, NULL, NULL },
		{ "unix://x", false, ERR_USAGE, 0, NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint e;
		assert_int_equal(endpoint_parse(a, str_from(cases[i].text), cases[i].tls, &e, &err), cases[i].rc);
		if (cases[i].rc < 0)
			continue;
		assert_int_equal(e.kind, cases[i].kind);
		assert_string_equal(e.base_url, cases[i].url);
		if (cases[i].rest)
			assert_string_equal(e.kind == ENDPOINT_SSH ? e.ssh_host : e.socket, cases[i].rest);
	}
}

static void test_contexts(void **state)
{
	struct endpoint_context c;
	(void)state;
	assert_int_equal(endpoint_context_parse(a, STR("{\"Name\":\"w\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://h\",\"SkipTLSVerify\":true}}}"),
	                                        &c, &err), 0);
	assert_str(c.host, "tcp://h");
	assert_true(c.skip_verify);
	assert_int_equal(endpoint_context_parse(a, STR("{\"Endpoints\":{\"kubernetes\":{}}}"), &c, &err), ERR_USAGE);
	assert_int_equal(endpoint_context_parse(a, STR("{"), &c, &err), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_familiar_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_images_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_containers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_configs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers_of_engines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_endpoints, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_contexts, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
