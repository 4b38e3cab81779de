/* What registries' names, challenges, tokens, credentials and this machine's files come to; the protocol itself is tested
 * on the whole program (e2e registry). */
#include "base/base.h"
#include "net/challenge.h"
#include "net/credential.h"
#include "net/reference.h"
#include "net/registry_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void references(void **state)
{
	(void)state;
	static const struct {
		const char *text, *whole; /* NULL: refused */
	} cases[] = {
		{ "nginx", "docker.io/library/nginx:latest" },
		{ "nginx:1.25", "docker.io/library/nginx:1.25" },
		{ "org/app", "docker.io/org/app:latest" },
		{ "docker.io/nginx", "docker.io/library/nginx:latest" },
		{ "index.docker.io/nginx", "docker.io/library/nginx:latest" },
		{ "registry-1.docker.io/org/a", "docker.io/org/a:latest" },
		{ "QUAY.io/org/a/b:V1", "quay.io/org/a/b:V1" },
		{ "localhost/a", "localhost/a:latest" },
		{ "localhost:5000/a", "localhost:5000/a:latest" },
		{ "[::1]:5000/a:x", "[::1]:5000/a:x" },
		{ "a@sha256:" HEX64, "docker.io/library/a@sha256:" HEX64 },
		{ "h.io/a:1@sha256:" HEX64, "h.io/a:1@sha256:" HEX64 },
		{ "a__b/c--d/e.f", "docker.io/a__b/c--d/e.f:latest" },
		{ "", NULL }, { "/", NULL }, { "a/", NULL }, { "/a", NULL }, { "a//b", NULL }, { "A", NULL }, { "Host/a", NULL }, { "a..b", NULL },
		{ "a___b", NULL }, { "-a", NULL }, { "a-", NULL }, { "a:", NULL }, { "a:-x", NULL }, { "a b", NULL },
		{ "h.io:99999/a", NULL }, { "h.io:/a", NULL }, { "../a", NULL }, { "h.io/../a", NULL }, { "h.io/a?x", NULL },
		{ "a@sha256:12", NULL }, { "a@md5:" HEX64, NULL }, { "user@h.io/a", NULL }, { "h.io/a#b", NULL }, { "[x]:1/a", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct reference r;
		struct err err = { 0 };
		int rc = reference_parse(a, str_from(cases[i].text), &r, &err);
		struct str whole = rc == 0 ? reference_text(a, &r) : (struct str){ 0 };
		if (!str_eq(whole, str_from(cases[i].whole)))
			print_error("\"%s\" is %.*s (%s)\n", cases[i].text, STR_ARG(whole), err.text);
		assert_true(str_eq(whole, str_from(cases[i].whole)));
	}
}

static void challenges(void **state)
{
	(void)state;
	struct challenge c[CHALLENGES_MAX];
	assert_int_equal(challenge_parse(a, STR("Bearer realm=\"https://a/t\",service=\"s \\\"q\\\"\",scope=\"repository:x:pull,push\""),
	                                 c, CHALLENGES_MAX), 1);
	assert_true(str_eq(c[0].realm, STR("https://a/t")));
	assert_true(str_eq(c[0].service, STR("s \"q\"")));
	assert_true(str_eq(c[0].scope, STR("repository:x:pull,push")));
	assert_int_equal(challenge_parse(a, STR("Negotiate abc==, Basic realm=x , bearer realm = \"y\""), c, CHALLENGES_MAX), 3);
	assert_true(str_eq(c[1].scheme, STR("Basic")) && str_eq(c[1].realm, STR("x")));
	assert_true(str_eq(c[2].realm, STR("y")));
	assert_int_equal(challenge_parse(a, STR("Basic"), c, CHALLENGES_MAX), 1);
	assert_int_equal(challenge_parse(a, STR("Bearer realm=\"open"), c, CHALLENGES_MAX), 1);
	assert_int_equal(c[0].realm.len, 0);
	assert_int_equal(challenge_parse(a, STR("=,,\"\"="), c, CHALLENGES_MAX), 0);
	assert_int_equal(challenge_parse(a, STR("a,b,c,d,e"), c, 2), 2);
}

static void credentials_of_a_file(void **state)
{
	(void)state;
	struct credential c;
	struct str helper;
	struct str text = STR("{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"Ym9iOnM6Yw==\"},"
	                      "\"quay.io\":{\"auth\":\"YTpi\"},\"quay.io/org\":{\"identitytoken\":\"tok\"},"
	                      "\"https://old.io/v2/\":{\"username\":\"u\",\"password\":\"p\"},\"broken.io\":{\"auth\":\"@@\"}},"
	                      "\"credHelpers\":{\"gcr.io\":\"gcloud\"}}");
	assert_true(credential_in_file(a, text, STR("docker.io"), STR("library/nginx"), &c, &helper));
	assert_true(c.kind == CREDENTIAL_PASSWORD && str_eq(c.username, STR("bob")) && str_eq(c.secret, STR("s:c")));
	assert_true(credential_in_file(a, text, STR("quay.io"), STR("org/app"), &c, &helper));
	assert_true(c.kind == CREDENTIAL_IDENTITY && str_eq(c.secret, STR("tok")));
	assert_true(credential_in_file(a, text, STR("quay.io"), STR("organ/app"), &c, &helper));
	assert_true(str_eq(c.username, STR("a")));
	assert_true(credential_in_file(a, text, STR("old.io"), STR("x"), &c, &helper));
	assert_true(str_eq(c.username, STR("u")));
	assert_true(credential_in_file(a, text, STR("gcr.io"), STR("x"), &c, &helper));
	assert_true(str_eq(helper, STR("gcloud")) && c.kind == CREDENTIAL_NONE);
	assert_false(credential_in_file(a, text, STR("broken.io"), STR("x"), &c, &helper));
	assert_false(credential_in_file(a, text, STR("other.io"), STR("x"), &c, &helper));
	assert_false(credential_in_file(a, STR("nothing"), STR("quay.io"), STR("x"), &c, &helper));
	assert_true(c.trouble.len > 0);
	assert_true(str_eq(credential_basic(a, STR("Aladdin"), STR("open sesame")), STR("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
	assert_true(str_eq(credential_basic(a, STR("a"), STR("b")), STR("Basic YTpi")));
}

static void tokens_and_words(void **state)
{
	(void)state;
	struct str token;
	assert_true(registry_token_of(a, STR("{\"token\":\"x\",\"access_token\":\"y\"}"), &token) && str_eq(token, STR("x")));
	assert_true(registry_token_of(a, STR("{\"access_token\":\"y\"}"), &token) && str_eq(token, STR("y")));
	assert_false(registry_token_of(a, STR("{\"token\":5}"), &token));
	assert_false(registry_token_of(a, STR("<html>"), &token));
	assert_true(str_eq(registry_error_words(a, STR("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}")), STR("DENIED: no")));
	assert_true(registry_error_words(a, STR("<html>")).len > 0);
}

/* --- files of a machine --- */

static char root[] = "/tmp/plimsoll-registry-XXXXXX";

static void put(const char *name, const char *text)
{
	struct str path = arena_printf(a, "%s/%s", root, name);
	char *p = str_cstr(a, path);
	for (size_t i = strlen(root) + 1; i < path.len; i++)
		if (p[i] == '/') {
			p[i] = '\0';
			(void)mkdir(p, 0755);
			p[i] = '/';
		}
	FILE *f = fopen(p, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct registry_plan plan_of(const char *name, int expect)
{
	struct registry_rules rules = { .etc = root };
	struct registry_plan plan = { 0 };
	struct err err = { 0 };
	int rc = registry_plan(a, str_from(name), &rules, &plan, &err);
	if (rc != expect)
		print_error("%s: %d %s\n", name, rc, err.text);
	assert_int_equal(rc, expect);
	return plan;
}

static void plain_plans(void **state)
{
	(void)state;
	struct registry_plan p = plan_of("nginx", 0);
	assert_int_equal(p.count, 1);
	assert_true(str_eq(p.endpoints[0].host, STR("registry-1.docker.io")) && str_eq(p.endpoints[0].path, STR("library/nginx")));
	assert_false(p.endpoints[0].plain_http);
	assert_true(plan_of("127.0.0.1:5000/a", 0).endpoints[0].plain_http);
	assert_true(plan_of("[::1]:5000/a", 0).endpoints[0].plain_http);
	assert_true(plan_of("localhost:5000/a", 0).endpoints[0].plain_http);
	assert_false(plan_of("127.0.0.1.evil.io/a", 0).endpoints[0].plain_http);
	assert_false(plan_of("localhost.io/a", 0).endpoints[0].plain_http);
}

static void plans_by_hosts_toml(void **state)
{
	(void)state;
	put("containerd/certs.d/quay.io/hosts.toml",
	    "server = \"https://quay.example\"\n[host.\"http://10.0.0.1:5000\"]\n  capabilities = [\"pull\"]\n"
	    "[host.\"https://mirror.example/some/where\"]\n  skip_verify = true\n  ca = \"ca.crt\"\n  override_path = true\n"
	    "  client = [[\"c.cert\", \"/k.key\"]]\n[host.\"https://mirror.example/some/where\".header]\n  x-custom = [\"yes\"]\n"
	    "[host.\"https://push.example\"]\n  capabilities = [\"push\"]\n");
	struct registry_plan p = plan_of("quay.io/org/app:1", 0);
	assert_int_equal(p.count, 3);
	assert_true(p.endpoints[0].only_http && p.endpoints[0].blobs_only && str_eq(p.endpoints[0].host, STR("10.0.0.1:5000")));
	assert_true(str_eq(p.endpoints[0].prefix, STR("/v2")));
	const struct registry_endpoint *e = &p.endpoints[1];
	assert_true(str_eq(e->prefix, STR("/some/where")) && e->insecure && !e->blobs_only && e->header_count == 1);
	assert_true(str_ends(str_from(e->ca_file), STR("/certs.d/quay.io/ca.crt")));
	assert_string_equal(e->client_key, "/k.key");
	assert_true(str_eq(p.endpoints[2].host, STR("quay.example")) && !p.endpoints[2].mirror);
	put("containerd/certs.d/own.io_5000_/hosts.toml", "server = \"http://own.io:5001\"\n");
	assert_true(plan_of("own.io:5000/a", 0).endpoints[0].only_http);
	put("containerd/certs.d/bad.io/hosts.toml", "[host.\"https://a b\"]\n");
	(void)plan_of("bad.io/a", ERR_FORMAT);
}

static void plans_by_other_files(void **state)
{
	(void)state;
	put("docker/daemon.json", "{\"registry-mirrors\":[\"https://m.example/\"],\"insecure-registries\":[\"in.example\",\"10.1.0.0/16\"]}");
	struct registry_plan p = plan_of("nginx", 0);
	assert_true(p.count == 2 && p.endpoints[0].mirror && str_eq(p.endpoints[0].host, STR("m.example")));
	assert_int_equal(plan_of("other.io/a", 0).count, 1);
	assert_true(plan_of("in.example/a", 0).endpoints[0].insecure);
	assert_true(plan_of("10.1.2.3:5000/a", 0).endpoints[0].insecure);
	assert_false(plan_of("10.2.2.3:5000/a", 0).endpoints[0].insecure);
	put("containers/registries.conf", "[[registry]]\nlocation=\"wide.io\"\n[[registry]]\nprefix=\"*.wild.io\"\nblocked=true\n"
	                                  "[[registry]]\nprefix=\"wide.io/deep\"\nlocation=\"narrow.io/x\"\ninsecure=true\n"
	                                  "[[registry.mirror]]\nlocation=\"tags.io\"\npull-from-mirror=\"tag-only\"\n"
	                                  "[[registry.mirror]]\nlocation=\"digests.io\"\npull-from-mirror=\"digest-only\"\n");
	put("containers/registries.conf.d/a.conf", "[aliases]\n\"app\" = \"wide.io/app\"\n");
	p = plan_of("wide.io/deep/a:1", 0);
	assert_true(p.count == 2 && str_eq(p.endpoints[0].host, STR("tags.io")) && str_eq(p.endpoints[0].path, STR("a")));
	assert_true(str_eq(p.endpoints[1].host, STR("narrow.io")) && str_eq(p.endpoints[1].path, STR("x/a")) && p.endpoints[1].insecure);
	p = plan_of("wide.io/deep/a@sha256:" HEX64, 0);
	assert_true(p.count == 2 && str_eq(p.endpoints[0].host, STR("digests.io")));
	assert_true(str_eq(plan_of("wide.io/deeper/a", 0).endpoints[0].host, STR("wide.io")));
	(void)plan_of("x.wild.io/a", ERR_ACCESS);
	p = plan_of("app:7", 0);
	assert_true(str_eq(p.endpoints[0].host, STR("wide.io")) && str_eq(p.reference.tag, STR("7")));
	put("docker/certs.d/wide.io/ca.crt", "x");
	put("docker/certs.d/wide.io/me.cert", "x");
	put("docker/certs.d/wide.io/me.key", "x");
	const struct registry_endpoint e = plan_of("wide.io/a", 0).endpoints[0];
	assert_true(e.ca_file && e.client_cert && str_ends(str_from(e.client_key), STR("/me.key")));
	put("docker/daemon.json", "{");
	(void)plan_of("nginx", ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references), cmocka_unit_test(challenges), cmocka_unit_test(credentials_of_a_file),
		cmocka_unit_test(tokens_and_words), cmocka_unit_test(plain_plans), cmocka_unit_test(plans_by_hosts_toml),
		cmocka_unit_test(plans_by_other_files),
	};
	(void)unsetenv("CONTAINERS_REGISTRIES_CONF");
	if (!mkdtemp(root))
		return 1;
	int rc = cmocka_run_group_tests(tests, setup, teardown);
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) || rc;
}
