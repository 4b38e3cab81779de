/* What containerd's store makes of names, of config.toml and of its metadata: the databases of the fuzz corpus, which bbolt
 * wrote. The store as a whole is tested on a living containerd (e2e). */
#include "image/containerd.h"
#include "base/base.h"
#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void fits(void **state)
{
	static const struct { const char *wanted, *name; enum containerd_fit fit; } cases[] = {
		{ "docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25", FIT_NAME },
		{ "nginx:1.25", "docker.io/library/nginx:1.25", FIT_SHORT_NAME },
		{ "nginx", "docker.io/library/nginx:latest", FIT_SHORT_NAME },
		{ "nginx", "docker.io/library/nginx:1.25", FIT_NONE },
		{ "latest", "docker.io/library/nginx:latest", FIT_NONE },
		{ "nginx", "docker.io/library/other:nginx", FIT_NONE },
		{ "library/nginx", "docker.io/library/nginx:latest", FIT_SHORT_NAME },
		{ "quay.io/nginx", "docker.io/library/nginx:latest", FIT_NONE },
		{ "localhost:5000/a", "localhost:5000/a:latest", FIT_SHORT_NAME },
		{ "sha256:" HEX, "docker.io/library/nginx:1.25", FIT_DIGEST },
		{ HEX, "docker.io/library/nginx:1.25", FIT_DIGEST },
		{ "sha256:0123456789ab", "docker.io/library/nginx:1.25", FIT_PREFIX },
		{ "0123456789ab", "docker.io/library/nginx:1.25", FIT_PREFIX },
		{ "0123456789a", "docker.io/library/nginx:1.25", FIT_NONE },
		{ "sha256:1123456789ab", "docker.io/library/nginx:1.25", FIT_NONE },
		{ "ffff56789abc", "sha256:ffff56789abcdef0", FIT_PREFIX },
		{ "sha256:ffff56789abcdef0", "sha256:ffff56789abcdef0", FIT_NAME },
		{ "nginx@sha256:" HEX, "docker.io/library/nginx:1.25", FIT_DIGEST },
		{ "nginx:1.24@sha256:" HEX, "docker.io/library/nginx@sha256:" HEX, FIT_DIGEST },
		{ "apache@sha256:" HEX, "docker.io/library/nginx:1.25", FIT_NONE },
		{ "nginx@sha256:f" HEX, "docker.io/library/nginx:1.25", FIT_NONE },
		{ "deadbeefcafe", "docker.io/library/deadbeefcafe:latest", FIT_SHORT_NAME },
		{ "nginx", "", FIT_NONE },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *ARENA_AUTO a = arena_new();
		enum containerd_fit fit =
			containerd_image_fit(a, str_from(cases[i].wanted), str_from(cases[i].name), STR("sha256:" HEX));
		if (fit != cases[i].fit)
			fail_msg("%s, %s: %d, not %d", cases[i].wanted, cases[i].name, fit, cases[i].fit);
	}
}

static void config_roots(void **state)
{
	static const struct { const char *toml, *root; } cases[] = {
		{ "", "" },
		{ "version = 2\nroot = \"/srv/containerd\"\n", "/srv/containerd" },
		{ "root='/srv/c'", "/srv/c" },
		{ "  root\t=  \"/a b\" # here\n", "/a b" },
		{ "#root = \"/no\"\n", "" },
		{ "rootless = \"/no\"\nroot = \"/yes\"", "/yes" },
		{ "[plugins.\"io.containerd.internal.v1.opt\"]\nroot = \"/no\"\n", "" },
		{ "root = \"relative\"", "" },
		{ "root = \"/unfinished", "" },
		{ "root = ", "" },
		{ "root = \"\"", "" },
		{ "root = \"/a\\tb\"", "" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *ARENA_AUTO a = arena_new();
		if (!str_eq(containerd_config_root(a, str_from(cases[i].toml)), str_from(cases[i].root)))
			fail_msg("%s", cases[i].toml);
	}
}

/* --- questions --- */

static struct content file_of(struct arena *a, const char *name)
{
	struct err err = { 0 };
	struct str text;
	const char *source = getenv("PLIMSOLL_SOURCE");
	struct str path = arena_printf(a, "%s/tests/fuzz/corpus/bolt/%s", source ? source : ".", name);
	if (fs_read(a, str_cstr(a, path), MIB, &text, &err) < 0)
		fail_msg("%s", err.text);
	return content_of(text);
}

/* The answer's bytes hold the text so many times. */
static size_t count_in(struct str haystack, const char *needle)
{
	size_t n = 0;
	for (ptrdiff_t at; (at = str_find_str(haystack, str_from(needle))) >= 0; n++)
		haystack = str_sub(haystack, (size_t)at + 1, haystack.len);
	return n;
}

static struct str answer(struct arena *a, struct containerd_question *q)
{
	struct buf BUF_AUTO out = { 0 };
	struct err err = { 0 };
	q->meta = file_of(a, "meta");
	q->snapshots[SNAPSHOTTER_OVERLAYFS] = file_of(a, "snapshots");
	q->have[SNAPSHOTTER_OVERLAYFS] = true;
	buf_init(&out, MIB);
	if (containerd_answer(a, q, &out, &err) < 0)
		fail_msg("%s", err.text);
	return str_dup(a, buf_view(&out));
}

static void questions(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	(void)state;
	struct containerd_question all = { .ask = ASK_IMAGES };
	struct str got = answer(a, &all);
	assert_true(str_contains(got, STR("default, k8s.io")));
	assert_int_equal(count_in(got, "docker.io/library/nginx:1.25"), 2);
	assert_int_equal(count_in(got, "registry.k8s.io/pause"), 2);
	struct containerd_question one = { .ask = ASK_IMAGES, .space = STR("k8s.io"), .wanted = STR("nginx:1.25") };
	got = answer(a, &one);
	assert_int_equal(count_in(got, "docker.io/library/nginx:1.25"), 1);
	assert_int_equal(count_in(got, "pause"), 0);
	assert_false(str_contains(got, STR("default")));
	struct containerd_question box = { .ask = ASK_CONTAINERS, .space = STR("k8s.io"), .wanted = STR("web-1/web") };
	got = answer(a, &box);
	assert_int_equal(count_in(got, "k8s.io/web-1/web"), 1);
	/* Its own snapshot, 301, and the two below, 300 and 1, each found in the first snapshotter only. */
	assert_true(str_contains(got, STR("\3box\1\255\2\0\0")));
	assert_true(str_contains(got, STR("\1\254\2\0\0")));
	assert_true(str_contains(got, STR("\1\1\0\0")));
}

/* A chain ID is believed only where its snapshot lies on the one before it. */
static void chains(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct containerd_snapshot keys[] = {
		{ .key = STR("sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb") },
		{ .key = STR("box") },
		{ .key = STR("") },
		{ .key = STR("sha256:none") },
	};
	struct containerd_question q = { .ask = ASK_SNAPSHOTS, .space = STR("default"), .keys = keys, .key_count = COUNT_OF(keys) };
	(void)state;
	struct str got = answer(a, &q);
	assert_true(str_contains(got, STR("afee48bb\1\1\0\0\0")));
	assert_true(str_contains(got, STR("\3box\0\0\0\0\0")));       /* not committed, and on another one */
	assert_true(str_contains(got, STR("\0\0\0\0\0\0\13sha256:none\0\0\0\0\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits),
		cmocka_unit_test(config_roots),
		cmocka_unit_test(questions),
		cmocka_unit_test(chains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
