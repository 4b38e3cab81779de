/* Which distribution a root is: the files that real images carry, what stands in for a missing os-release, the quoting
 * of os-release, hostile text. */
#include "base/base.h"
#include "package/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct file {
	const char *path, *text;
};

struct root {
	struct file files[4];
};

static bool get(void *ctx, const char *path, struct str *ret)
{
	const struct root *root = ctx;
	for (size_t i = 0; i < COUNT_OF(root->files); i++)
		if (root->files[i].path && str_eq(str_from(root->files[i].path), str_from(path))) {
			*ret = str_from(root->files[i].text);
			return true;
		}
	return false;
}

#define REPO "https://dl-cdn.alpinelinux.org/alpine/"

static const struct {
	const char *what;
	struct root root;
	const char *id, *version, *codename, *evidence, *branch;
} cases[] = {
	{ "Debian 12", { { { "etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
	                                       "VERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n" },
	                   { "etc/debian_version", "12.4\n" } } },
	  "debian", "12", "bookworm", "etc/os-release", "" },
	{ "Debian testing and sid", { { { "usr/lib/os-release", "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\n"
	                                                        "VERSION_CODENAME=trixie\nID=debian\n" },
	                                { "etc/debian_version", "trixie/sid\n" } } },
	  "debian", "", "trixie", "usr/lib/os-release", "" },
	{ "Debian without VERSION_ID", { { { "etc/os-release", "ID=debian\n" }, { "etc/debian_version", "11.9\n" } } },
	  "debian", "11", "", "etc/os-release", "" },
	{ "Debian by debian_version", { { { "etc/debian_version", "12.4\n" } } }, "debian", "12", "", "etc/debian_version", "" },
	{ "sid by debian_version", { { { "etc/debian_version", "bookworm/sid\n" } } }, "debian", "", "bookworm",
	  "etc/debian_version", "" },
	{ "Debian by lsb-release", { { { "etc/lsb-release", "DISTRIB_ID=Debian\nDISTRIB_RELEASE=12.4\n" } } }, "debian", "12",
	  "", "etc/lsb-release", "" },
	{ "distroless", { { { "etc/os-release", "PRETTY_NAME=\"Distroless\"\nNAME=\"Debian GNU/Linux\"\nID=\"debian\"\n"
	                                        "VERSION_ID=\"9\"\nVERSION=\"Debian GNU/Linux 9 (stretch)\"\n" } } },
	  "debian", "9", "", "etc/os-release", "" },
	{ "Ubuntu", { { { "etc/os-release", "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\n"
	                                    "ID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=jammy\n" },
	                { "etc/debian_version", "bookworm/sid\n" } } },
	  "ubuntu", "22.04", "jammy", "etc/os-release", "" },
	{ "Ubuntu by lsb-release", { { { "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n"
	                                                    "DISTRIB_DESCRIPTION=\"Ubuntu 14.04.6 LTS\"\n" },
	                             { "etc/debian_version", "jessie/sid\n" } } },
	  "ubuntu", "14.04", "trusty", "etc/lsb-release", "" },
	{ "Alpine", { { { "etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\n" },
	                { "etc/apk/repositories", REPO "v3.19/main\n" REPO "v3.19/community\n" } } },
	  "alpine", "3.19.1", "", "etc/os-release", "v3.19" },
	{ "Alpine edge", { { { "etc/os-release", "ID=alpine\nVERSION_ID=3.20.0_alpha20240329\n" },
	                     { "etc/apk/repositories", "#" REPO "v3.18/main\n" REPO "edge/main\n" REPO "v3.19/main" } } },
	  "alpine", "3.20.0_alpha20240329", "", "etc/os-release", "edge" },
	{ "Alpine with a tagged repository", { { { "etc/os-release", "ID=alpine\nVERSION_ID=3.9.4\n" },
	                                         { "etc/apk/repositories", "/media/cdrom/apks\n" REPO "v3.9/main\r\n"
	                                                                   "@edge " REPO "edge/testing\n" } } },
	  "alpine", "3.9.4", "", "etc/os-release", "v3.9" },
	{ "Alpine, the higher branch", { { { "etc/os-release", "ID=alpine\nVERSION_ID=3.9.4\n" },
	                                   { "etc/apk/repositories", REPO "v3.10/main\n" REPO "v3.9/community\n" } } },
	  "alpine", "3.9.4", "", "etc/os-release", "v3.10" },
	{ "Alpine by alpine-release", { { { "etc/alpine-release", "3.2.3\n" } } }, "alpine", "3.2.3", "", "etc/alpine-release", "" },
	{ "Alpine by its repositories", { { { "etc/apk/repositories", "http://mirror/alpine/v3.5/main\n" } } }, "alpine", "3.5",
	  "", "etc/apk/repositories", "v3.5" },
	{ "no branch", { { { "etc/os-release", "ID=alpine\nVERSION_ID=3.9.4\n" },
	                   { "etc/apk/repositories", "https://x/alpine/v3/main\nhttps://x/alpine/v3.x/main\n/edge/other\nmain\n" } } },
	  "alpine", "3.9.4", "", "etc/os-release", "" },
	{ "Wolfi", { { { "etc/os-release", "ID=wolfi\nNAME=\"Wolfi\"\nPRETTY_NAME=\"Wolfi\"\nVERSION_ID=\"20230201\"\n" },
	               { "etc/apk/repositories", "https://packages.wolfi.dev/os\n" } } },
	  "wolfi", "20230201", "", "etc/os-release", "" },
	{ "Wolfi by its repositories", { { { "etc/apk/repositories", "https://packages.wolfi.dev/os\n" } } }, "wolfi", "", "",
	  "etc/apk/repositories", "" },
	{ "Chainguard", { { { "etc/os-release", "ID=chainguard\nVERSION_ID=\"20230214\"\n" } } }, "chainguard", "20230214", "",
	  "etc/os-release", "" },
	{ "AlmaLinux", { { { "etc/os-release", "NAME=\"AlmaLinux\"\nVERSION=\"9.4 (Seafoam Ocelot)\"\nID=\"almalinux\"\n"
	                                       "ID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n" } } },
	  "almalinux", "9.4", "", "etc/os-release", "" },
	{ "AlmaLinux by its file", { { { "etc/almalinux-release", "AlmaLinux release 8.5 (Arctic Sphynx)\n" },
	                               { "etc/redhat-release", "AlmaLinux release 8.5 (Arctic Sphynx)\n" } } },
	  "almalinux", "8.5", "", "etc/almalinux-release", "" },
	{ "CentOS 6", { { { "etc/centos-release", "CentOS release 6.10 (Final)\n" } } }, "centos", "6.10", "",
	  "etc/centos-release", "" },
	{ "CentOS 5", { { { "etc/redhat-release", "CentOS release 5.11 (Final)\n" } } }, "centos", "5.11", "",
	  "etc/redhat-release", "" },
	{ "CentOS 7", { { { "etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n" } } }, "centos", "7.9.2009", "",
	  "etc/redhat-release", "" },
	{ "RHEL 6", { { { "etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n" } } }, "rhel", "6.10",
	  "", "etc/redhat-release", "" },
	{ "Oracle Linux is not RHEL", { { { "etc/redhat-release", "Red Hat Enterprise Linux release 8.5 (Ootpa)\n" },
	                                  { "etc/oracle-release", "Oracle Linux Server release 8.5\n" } } },
	  "ol", "8.5", "", "etc/oracle-release", "" },
	{ "Rocky", { { { "etc/rocky-release", "Rocky Linux release 8.5 (Green Obsidian)\n" } } }, "rocky", "8.5", "",
	  "etc/rocky-release", "" },
	{ "Fedora", { { { "etc/fedora-release", "Fedora release 35 (Thirty Five)\n" } } }, "fedora", "35", "",
	  "etc/fedora-release", "" },
	{ "Amazon 1", { { { "etc/system-release", "Amazon Linux AMI release 2018.03\n" } } }, "amzn", "2018.03", "",
	  "etc/system-release", "" },
	{ "Photon", { { { "etc/photon-release", "VMware Photon OS 3.0\nPHOTON_BUILD_NUMBER=a0f216d\n" } } }, "photon", "3.0", "",
	  "etc/photon-release", "" },
	{ "Mariner", { { { "etc/mariner-release", "CBL-Mariner 2.0.20220226\nMARINER_BUILD_NUMBER=1\n" } } }, "mariner",
	  "2.0.20220226", "", "etc/mariner-release", "" },
	{ "SLES 11", { { { "etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 3\n" } } },
	  "sles", "11.3", "", "etc/SuSE-release", "" },
	{ "openSUSE", { { { "etc/SuSE-release", "openSUSE 13.2 (x86_64)\nVERSION = 13.2\n" } } }, "opensuse", "13.2", "",
	  "etc/SuSE-release", "" },
	{ "Leap", { { { "etc/os-release", "ID=\"opensuse-leap\"\nVERSION_ID=\"15.1\"\n" } } }, "opensuse-leap", "15.1", "",
	  "etc/os-release", "" },
	{ "nothing", { { { "etc/passwd", "root\n" } } }, "", "", "", "", "" },
	{ "an empty os-release", { { { "etc/os-release", "" }, { "usr/lib/os-release", "ID=fedora\nVERSION_ID=40\n" } } },
	  "fedora", "40", "", "usr/lib/os-release", "" },
	{ "an id that is none", { { { "etc/os-release", "ID=\"../../x\"\nVERSION_ID=1\n" } } }, "", "", "", "", "" },
	{ "something unknown", { { { "etc/os-release", "ID=MyOS\nVERSION_ID='1 beta'\n" } } }, "myos", "1 beta", "",
	  "etc/os-release", "" },
	{ "a release file of words", { { { "etc/redhat-release", "Something else\n" }, { "etc/debian_version", "rolling\n" } } }, "",
	  "", "", "", "" },
	{ "quotes, comments, CRLF, no last newline, the last one counts",
	  { { { "etc/os-release", "#ID=no\r\n  ID='deb'\"ian\"  \r\nID_LIKE=x\r\nVERSION_ID=11\r\nXVERSION_ID=9\r\nVERSION_ID=\\1\"2\"" } } },
	  "debian", "12", "", "etc/os-release", "" },
	{ "unclosed quotes", { { { "etc/os-release", "ID=\"debian\nVERSION_ID='12" } } }, "debian", "12", "", "etc/os-release", "" },
};

static void check(struct str got, const char *want, const char *what, const char *field)
{
	if (!str_eq(got, str_from(want)))
		fail_msg("%s: %s \"%.*s\", not \"%s\"", what, field, STR_ARG(got), want);
}

static void distributions(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct os os;
		struct root root = cases[i].root;
		os_detect(a, get, &root, &os);
		check(os.id, cases[i].id, cases[i].what, "id");
		check(os.version, cases[i].version, cases[i].what, "version");
		check(os.codename, cases[i].codename, cases[i].what, "codename");
		check(os.evidence, cases[i].evidence, cases[i].what, "evidence");
		check(os.apk_branch, cases[i].branch, cases[i].what, "branch");
		assert_true((os.name.len > 0) == (os.id.len > 0));
	}
	arena_free(a);
}

static void names(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct os os;
	struct root root = { { { "etc/os-release", "ID=x\nPRETTY_NAME=\"a \\\"b\\\" \\$c \\n \x1b[31m'd'\"\nID_LIKE=\"y z\"\n" } } };
	os_detect(a, get, &root, &os);
	check(os.name, "a \"b\" $c \\n [31m'd'", "quoting", "name");
	check(os.id_like, "y z", "quoting", "id_like");
	struct root bare = { { { "etc/os-release", "ID=x\nVERSION_ID=3\nPRETTY_NAME=Not quoted at all\n" } } };
	os_detect(a, get, &bare, &os);
	check(os.name, "Not quoted at all", "no quotes", "name");
	struct root none = { { { "etc/os-release", "ID=x\nVERSION_ID=3\n" } } };
	os_detect(a, get, &none, &os);
	check(os.name, "x 3", "no name", "name");
	arena_free(a);
}

/* What the public Debian 12 inventory has. */
static bool get_inventory(void *ctx, const char *path, struct str *ret)
{
	static char text[4096];
	char full[4096];
	(void)snprintf(full, sizeof(full), "%s/inventories/debian-12/%s", (const char *)ctx, path);
	FILE *f = fopen(full, "r");
	if (!f)
		return false;
	*ret = (struct str){ text, fread(text, 1, sizeof(text), f) };
	fclose(f);
	return true;
}

static void a_real_system(void **state)
{
	(void)state;
	char *shared = getenv("PLIMSOLL_SHARED");
	struct str text;
	if (!shared || !get_inventory(shared, "etc/os-release", &text)) {
		print_message("skipped: no PLIMSOLL_SHARED\n");
		skip();
	}
	struct arena *a = arena_new();
	struct os os;
	os_detect(a, get_inventory, shared, &os);
	check(os.id, "debian", "debian-12", "id");
	check(os.version, "12", "debian-12", "version");
	check(os.name, "Debian GNU/Linux 12 (bookworm)", "debian-12", "name");
	arena_free(a);
}

struct hostile {
	struct str text;
};

static bool get_hostile(void *ctx, const char *path, struct str *ret)
{
	(void)path;
	*ret = ((struct hostile *)ctx)->text;
	return true;
}

/* Every file says the same hostile thing: NULs, no newline, 10 MB, only quotes. */
static void hostile(void **state)
{
	(void)state;
	static const char fillers[] = { 'A', '\0', '"', '\\', '\n', '=', '/', (char)0xff };
	static const char *const heads[] = { "", "ID=", "ID=a\nVERSION_ID=\"", "9", "CentOS release 1", "http://x/alpine/v9" };
	struct arena *a = arena_new();
	char *p = arena_alloc(a, 10 * MIB);
	for (size_t i = 0; i < COUNT_OF(fillers); i++)
		for (size_t h = 0; h < COUNT_OF(heads); h++) {
			memset(p, fillers[i], 10 * MIB);
			memcpy(p, heads[h], strlen(heads[h]));
			struct hostile ctx = { { p, 10 * MIB } };
			struct os os;
			os_detect(a, get_hostile, &ctx, &os);
			assert_true(os.version.len <= VERSION_LEN_MAX && os.name.len <= 2 * VERSION_LEN_MAX);
		}
	assert_true(arena_used(a) < 10 * MIB + 64 * MIB);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distributions),
		cmocka_unit_test(names),
		cmocka_unit_test(a_real_system),
		cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
