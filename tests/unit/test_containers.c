/* Where stores of containers/storage are, by storage.conf and environment; which image a reference means; which names of
 * documents and layers become paths. */
#include "base/base.h"
#include "base/fs.h"
#include "base/json.h"
#include "image/containers.h"
#include "image/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

/* --- places --------------------------------------------------------------------------------------------------------- */

static const char *variables[16]; /* name, value, ... */

static const char *env(const char *name)
{
	for (size_t i = 0; i + 1 < COUNT_OF(variables) && variables[i]; i += 2)
		if (str_eq(str_from(name), str_from(variables[i])))
			return variables[i + 1];
	return NULL;
}

static void set_env(const char *const *pairs)
{
	size_t i = 0;
	for (; pairs[i]; i++)
		variables[i] = pairs[i];
	variables[i] = NULL;
}
#define ENV(...) set_env((const char *const[]){ __VA_ARGS__, NULL })

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/plimsoll-containers-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];
	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static const char *put(struct arena *a, const char *path, const char *text)
{
	struct err err = { 0 };
	struct str whole = arena_printf(a, "%s/%s", folder, path);
	const char *file = str_cstr(a, whole);
	assert_int_equal(fs_make_dirs(str_cstr(a, str_sub(whole, 0, (size_t)str_rfind(whole, '/'))), 0755, &err), 0);
	assert_int_equal(fs_replace(file, str_from(text), 0644, &err), 0);
	return file;
}

static void take_away(struct arena *a, const char *path)
{
	assert_int_equal(unlink(str_cstr(a, arena_printf(a, "%s/%s", folder, path))), 0);
}

/* "ROOT(DRIVER) ROOT(DRIVER)", the test's folder cut off; or the error. */
static const char *places(struct arena *a, unsigned uid)
{
	struct containers_system sys = { .env = env, .root = folder, .uid = uid };
	struct containers_places p;
	struct err err = { 0 };
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 4096);
	if (containers_places(a, &sys, &p, &err) < 0) {
		struct str text = str_from(err.text);
		(void)str_skip(&text, str_from(folder));
		return str_cstr(a, text);
	}
	for (size_t i = 0; i < p.len; i++) {
		struct str root = p.ptr[i].root;
		(void)str_skip(&root, str_from(folder));
		buf_printf(&b, "%s%.*s(%.*s)", i ? " " : "", STR_ARG(root), STR_ARG(p.ptr[i].driver));
	}
	if (p.mount_program)
		buf_printf(&b, " fuse");
	return str_cstr(a, buf_view(&b));
}

static void test_places_of_root(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	(void)state;
	ENV("HOME", "/root");
	assert_string_equal(places(a, 0), "/var/lib/containers/storage()");
	put(a, "usr/share/containers/storage.conf", "[storage]\ndriver = \"overlay2\"\n");
	assert_string_equal(places(a, 0), "/var/lib/containers/storage(overlay)");
	/* The administrator's file stands instead of it. */
	put(a, "etc/containers/storage.conf",
	    "[storage]\ngraphroot = '/srv/pods/' # slash\nimagestore=\"/srv/images\"\n[storage.options]\n"
	    "additionalimagestores = [ \"/a\", # one\n\n '/b' ]\nmount_program = \"/usr/bin/fuse-overlayfs\"\n");
	assert_string_equal(places(a, 0), "/srv/pods() /srv/images() /a() /b() fuse");
	ENV("HOME", "/root", "STORAGE_DRIVER", "vfs");
	assert_string_equal(places(a, 0), "/srv/pods(vfs) /srv/images(vfs) /a(vfs) /b(vfs) fuse");
	ENV("HOME", "/root", "CONTAINERS_STORAGE_CONF", put(a, "own.conf", "storage.graphroot = \"/own\"\n"));
	assert_string_equal(places(a, 0), "/own()");
	take_away(a, "etc/containers/storage.conf");
	take_away(a, "usr/share/containers/storage.conf");
}

static void test_places_of_users(void **state)
{
	struct arena *ARENA_AUTO a = arena_new();
	(void)state;
	const char *home = str_cstr(a, arena_printf(a, "%s/ann", folder));
	ENV("HOME", home, "USER", "ann");
	assert_string_equal(places(a, 1000), "/ann/.local/share/containers/storage()");
	ENV("HOME", home, "XDG_DATA_HOME", "/data");
	assert_string_equal(places(a, 1000), "/data/containers/storage()");
	/* The machine's graphroot is root's. */
	put(a, "etc/containers/storage.conf", "[storage]\ngraphroot = \"/srv/only\"\ndriver=\"overlay\"\n");
	ENV("HOME", home, "USER", "ann");
	assert_string_equal(places(a, 1000), "/ann/.local/share/containers/storage(overlay)");
	put(a, "etc/containers/storage.conf", "[storage]\nrootless_storage_path = \"/pods/$USER/${UID}/$NONE-$UID\"\n");
	assert_string_equal(places(a, 1000), "/pods/ann/1000/-1000()");
	put(a, "ann/.config/containers/storage.conf", "[storage]\ngraphroot = \"$HOME/mine\"\n");
	assert_string_equal(places(a, 1000), "/ann/mine()");
	put(a, "ann/.config/containers/storage.conf", "[storage]\nrunroot = \"/x\"\n");
	assert_string_equal(places(a, 1000), "/pods/ann/1000/-1000()");
	/* Root in a user's namespace is that user. */
	ENV("HOME", home, "USER", "ann", "_CONTAINERS_USERNS_CONFIGURED", "done");
	put(a, "ann/.config/containers/storage.conf", "[storage]\ngraphroot = \"$HOME/mine\"\n");
	assert_string_equal(places(a, 0), "/ann/mine()");
	/* What the environment names is read by old and new versions in two ways. */
	ENV("HOME", home, "CONTAINERS_STORAGE_CONF", put(a, "own.conf", "[storage]\ngraphroot = \"/own\"\n"));
	assert_string_equal(places(a, 1000), "/own() /ann/.local/share/containers/storage()");
	take_away(a, "ann/.config/containers/storage.conf");
	take_away(a, "etc/containers/storage.conf");
	ENV("USER", "ann");
	assert_string_equal(places(a, 1000), "no store is named: HOME is not set");
}

static void test_a_storage_conf_that_is_not_understood(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "[storage]\n\ndriver = \"\"\"x\"\"\"\n", ":3: strings over several lines are not read" },
		{ "[storage\n", ":1: a table's name without end" },
		{ "[storage] x\n", ":1: something stands behind the value" },
		{ "[storage]\ngraphroot = [\"a\"]\n", ":2: the value should be a string" },
		{ "[storage]\ngraphroot = true\n", ":2: the value should be a string" },
		{ "[storage.options]\nadditionalimagestores = \"/a\"\n", ":2: the value should be a list" },
		{ "[storage]\ngraphroot = \"\\t\"\n", ":2: of escapes only \\\" and \\\\ are read" },
		{ "[storage]\ngraphroot = \"/a\n", ":2: the string has no end" },
		{ "[storage]\ngraphroot = {}\n", ":2: a value that is neither string, number nor list of them" },
		{ "[storage]\ngraphroot = \"/a\" \"/b\"\n", ":2: something stands behind the value" },
		{ "[storage]\na = [1 2]\n", ":2: a list with neither comma nor end" },
		{ "[storage]\na = [\n", ":3: a value that is neither string, number nor list of them" },
		{ "a = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", ":1: lists inside lists" },
		{ "= 1", ":1: this is no key" },
		{ "a.b.", ":1: this is no key" },
		{ "a", ":1: a key without \"=\"" },
	};
	struct arena *ARENA_AUTO a = arena_new();
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ENV("HOME", "/root", "CONTAINERS_STORAGE_CONF", put(a, "c", cases[i].text));
		assert_string_equal(places(a, 0), str_cstr(a, arena_printf(a, "/c%s", cases[i].error)));
	}
	/* Every beginning of a good one is read or refused. */
	struct str good = STR("# c\n[storage]\ndriver = \"overlay\"\n[storage.options]\nadditionalimagestores = [ 'a', ]\n"
	                      "[[x.\"y z\"]]\nk = -1.5e3\nd = 1979-05-27T07:32:00Z\n");
	for (size_t i = 0; i < good.len; i++) {
		ENV("HOME", "/root", "CONTAINERS_STORAGE_CONF", put(a, "c", str_cstr(a, str_sub(good, 0, i))));
		(void)places(a, 0);
	}
}

static void test_stores_in_brackets(void **state)
{
	static const struct {
		const char *text, *root, *driver, *rest;
	} cases[] = {
		{ "nginx:1", NULL, NULL, "nginx:1" },
		{ "containers-storage:nginx", NULL, NULL, "nginx" },
		{ "[/a]x", "/a", "", "x" },
		{ "[overlay2@/a+/run:overlay.mount_program=/x]q/y:1@z", "/a", "overlay", "q/y:1@z" },
		{ "containers-storage:[vfs@/a:o=1]x", "/a", "vfs", "x" },
		{ "[/a]", "/a", "", "" },
		{ "[", NULL, NULL, NULL },
		{ "[]x", NULL, NULL, NULL },
		{ "[a]x", NULL, NULL, NULL },
		{ "[vfs@]x", NULL, NULL, NULL },
	};
	struct arena *ARENA_AUTO a = arena_new();
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str text = str_from(cases[i].text);
		struct containers_places p;
		struct err err = { 0 };
		int rc = containers_place_of_reference(a, &text, &p, &err);
		assert_int_equal(rc, cases[i].rest ? 0 : ERR_USAGE);
		if (!cases[i].rest)
			continue;
		assert_string_equal(str_cstr(a, text), cases[i].rest);
		assert_int_equal(p.len, cases[i].root ? 1 : 0);
		if (cases[i].root) {
			assert_string_equal(str_cstr(a, p.ptr[0].root), cases[i].root);
			assert_string_equal(str_cstr(a, p.ptr[0].driver), cases[i].driver);
		}
	}
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_which_image_a_reference_means(void **state)
{
	static const struct {
		const char *wanted;
		enum containers_fit fit;
	} cases[] = {
		{ HEX, FIT_ID },
		{ "sha256:" HEX, FIT_ID },
		{ "0123", FIT_ID_PREFIX },
		{ "012", FIT_NONE },
		{ "0124", FIT_NONE },
		{ "localhost/own:1", FIT_NAME },
		{ "own:1", FIT_NAME },
		{ "own", FIT_NONE },
		{ "nginx", FIT_DOCKER_IO },
		{ "nginx:latest", FIT_DOCKER_IO },
		{ "library/nginx", FIT_DOCKER_IO },
		{ "docker.io/nginx", FIT_NAME },
		{ "index.docker.io/nginx", FIT_NAME },
		{ "index.quay.io/team/app:2", FIT_NONE },
		{ "quay.io/team/app:2", FIT_NAME },
		{ "team/app:2", FIT_ANY_REGISTRY },
		{ "app:2", FIT_ANY_REGISTRY },
		{ "pp:2", FIT_NONE },
		{ "app", FIT_NONE },
		{ "2", FIT_NONE },
		{ "registry:5000/a/b:3", FIT_NAME },
		{ "registry:5000/a/b", FIT_NONE },
		{ "app@sha256:" HEX, FIT_DIGEST },
		{ "app:9@sha256:" HEX, FIT_DIGEST },
		{ "app2@sha256:" HEX, FIT_NONE },
		{ "app@sha256:1", FIT_NONE },
		{ "", FIT_NONE },
		{ ":", FIT_NONE },
		{ "@", FIT_NONE },
		{ "/", FIT_NONE },
	};
	struct arena *ARENA_AUTO a = arena_new();
	struct err err = { 0 };
	struct value *image;
	(void)state;
	assert_int_equal(json_parse(a, STR("{\"id\":\"" HEX "\",\"digest\":\"sha256:" HEX "\",\"names\":[\"localhost/own:1\","
	                                   "\"docker.io/library/nginx:latest\",\"quay.io/team/app:2\","
	                                   "\"registry:5000/a/b:3\",7,null]}"),
	                            &image, &err), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (containers_fit(a, str_from(cases[i].wanted), image) != cases[i].fit)
			fail_msg("\"%s\": %d", cases[i].wanted, (int)containers_fit(a, str_from(cases[i].wanted), image));
}

/* --- documents and folders ------------------------------------------------------------------------------------------ */

static void test_names_that_become_paths(void **state)
{
	static const char *const refused[] = {
		"", "0", "0/", "images.json", "0/images.json", "0/images.json/", "0/images.json/x", "0/images.json/0/0",
		"0/images.lock/0", "1/images.json/0", "00000/images.json/0", "-1/images.json/0", "0/../images.json/0",
		"0/data/" HEX, "0/data/" HEX "/", "0/data/x/manifest", "0/data/" HEX "/other", "0/data/../manifest",
		"0/data/" HEX "/manifest-", "0/data/" HEX "/sha256:x", "0/data/" HEX "/../../x", "0/data/" HEX "/manifest/..",
	};
	static const char *const layers[] = { "", "0", "0/", "1/" HEX, "0/" HEX "/", "0/x", "0/../" HEX, "x/" HEX, HEX };
	struct arena *ARENA_AUTO a = arena_new();
	struct containers_places places = { 0 };
	struct containers_stores stores;
	struct layer_place place;
	struct err err = { 0 };
	struct str text;
	(void)state;
	put(a, "store/overlay-images/images.json", "[]");
	put(a, "store/overlay-images/" HEX "/manifest", "{}");
	put(a, "store/overlay-images/" HEX "/=c2hhMjU2OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	       "ODlhYmNkZWY=", "config");
	*vec_push(a, &places) = (struct containers_place){ .root = arena_printf(a, "%s/store", folder) };
	assert_int_equal(containers_open(a, &places, &stores, &err), 0);
	assert_int_equal(stores.len, 1);
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (containers_read(&stores, a, str_from(refused[i]), MIB, &text, &err) != ERR_FORMAT)
			fail_msg("\"%s\"", refused[i]);
	for (size_t i = 0; i < COUNT_OF(layers); i++)
		if (containers_folder(&stores, a, str_from(layers[i]), false, &place, &err) != ERR_FORMAT)
			fail_msg("\"%s\"", layers[i]);
	assert_int_equal(containers_read(&stores, a, STR("stores"), MIB, &text, &err), 0);
	assert_string_equal(str_cstr(a, text), "overlay\n");
	assert_int_equal(containers_read(&stores, a, STR("0/images.json/0"), MIB, &text, &err), 0);
	assert_string_equal(str_cstr(a, text), "[]");
	assert_int_equal(containers_read(&stores, a, STR("0/images.json/1"), MIB, &text, &err), 0);
	assert_int_equal(text.len, 0);
	assert_int_equal(containers_read(&stores, a, STR("0/images.json/18446744073709551615"), MIB, &text, &err), 0);
	assert_int_equal(text.len, 0);
	assert_int_equal(containers_read(&stores, a, STR("0/images.json/0"), 1, &text, &err), ERR_LIMIT);
	assert_int_equal(containers_read(&stores, a, STR("0/layers.json/0"), MIB, &text, &err), ERR_NOT_FOUND);
	assert_int_equal(containers_read(&stores, a, STR("0/data/" HEX "/manifest"), MIB, &text, &err), 0);
	assert_int_equal(containers_read(&stores, a, STR("0/data/" HEX "/sha256:" HEX), MIB, &text, &err), 0);
	assert_string_equal(str_cstr(a, text), "config");
	containers_close(&stores);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_of_root),
		cmocka_unit_test(test_places_of_users),
		cmocka_unit_test(test_a_storage_conf_that_is_not_understood),
		cmocka_unit_test(test_stores_in_brackets),
		cmocka_unit_test(test_which_image_a_reference_means),
		cmocka_unit_test(test_names_that_become_paths),
	};
	return cmocka_run_group_tests_name("containers", tests, make_folder, remove_folder);
}
