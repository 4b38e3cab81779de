/* dpkg, opkg and apk databases: every public inventory with its count and, package by package, against an independent
 * reading of the same file (dpkg-query, apk, awk); the forms that trip readers; hostile files; speed. */
#include "base/base.h"
#include "package/formats.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

typedef int (*parse_fn)(const struct content *c, struct str path, struct package_sink *sink, struct err *err);

static char folder[] = "/tmp/plimsoll-package-XXXXXX";
static struct arena *arena;

static const char *shared(void)
{
	const char *s = getenv("PLIMSOLL_SHARED");
	return s ? s : ".";
}

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
	char command[8192];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

static bool read_whole(const char *path, struct str *ret)
{
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	struct buf b;
	buf_init(&b, 64 * MIB);
	while (buf_reserve(&b, 1 << 16)) {
		size_t n = fread(b.ptr + b.len, 1, 1 << 16, f);
		if (n == 0)
			break;
		b.len += n;
	}
	fclose(f);
	*ret = str_dup(arena, buf_view(&b));
	buf_done(&b);
	return true;
}

static struct package_sink parse(parse_fn fn, struct str text, const char *path, int want_rc)
{
	struct package_sink sink = { .arena = arena };
	struct content c = { .mem = text, .fd = -1, .size = text.len };
	struct err err = { 0 };
	int rc = fn(&c, str_from(path), &sink, &err);
	if (rc != want_rc)
		fail_msg("%s: %d %s", path, rc, err.text);
	return sink;
}

static void assert_str(struct str got, const char *want)
{
	if (!str_eq(got, str_from(want)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), want);
}

/* name, version, architecture, source, version of the source: one line a package, for sort(1). */
static void write_list(const struct package_sink *sink)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/ours", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (size_t i = 0; i < sink->list.len; i++) {
		const struct package *p = &sink->list.ptr[i];
		(void)fprintf(f, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", STR_ARG(p->name), STR_ARG(p->version),
		              STR_ARG(p->arch), STR_ARG(p->source_name),
		              STR_ARG(p->source_version));
	}
	assert_int_equal(fclose(f), 0);
}

static void compare_lists(const char *what)
{
	if (run("cd %s && LC_ALL=C sort -o ours ours && LC_ALL=C sort -o theirs theirs && diff ours theirs | head -20 >&2;"
	        " cmp -s ours theirs",
	        folder) != 0)
		fail_msg("%s: another reading of it gives other packages", what);
}

/* An independent reading in awk of what is well formed in these files. */
static const char apk_awk[] =
	"BEGIN{RS=\"\";FS=\"\\n\"}{p=v=a=o=\"\";for(i=1;i<=NF;i++){k=substr($i,1,2);x=substr($i,3);"
	"if(k==\"F:\")break;if(k==\"P:\")p=x;if(k==\"V:\")v=x;if(k==\"A:\")a=x;if(k==\"o:\")o=x}"
	"if(p!=\"\"&&v!=\"\")print p\"\\t\"v\"\\t\"a\"\\t\"(o==\"\"?p:o)\"\\t\"v}";
static const char deb_awk[] =
	"BEGIN{RS=\"\";FS=\"\\n\"}{p=v=a=s=t=\"\";for(i=1;i<=NF;i++){n=index($i,\": \");k=substr($i,1,n-1);x=substr($i,n+2);"
	"if(k==\"Package\")p=x;if(k==\"Version\")v=x;if(k==\"Architecture\")a=x;if(k==\"Source\")s=x;if(k==\"Status\")t=x}"
	"if(t~/config-files/)next;sv=v;if(s~/ \\(/){sv=s;sub(/.*\\(/,\"\",sv);sub(/\\)/,\"\",sv);sub(/ \\(.*/,\"\",s)}"
	"if(p!=\"\"&&v!=\"\")print p\"\\t\"v\"\\t\"a\"\\t\"(s==\"\"?p:s)\"\\t\"sv}";

static const struct known {
	const char *path; /* below inventories/ */
	const char *image_path;
	parse_fn fn;
	size_t packages, bad;
	bool dpkg_reads; /* dpkg-query accepts the file */
} inventories[] = {
	{ "debian-12/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 915, 0, true },
	{ "dpkg-texlive/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 357, 0, true },
	/* 91 stanzas, one of them deinstalled but for its configuration */
	{ "dpkg-fanal/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 90, 0, true },
	{ "dpkg-postgresql/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 3, 0, true },
	{ "dpkg-debian-only/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 1, 0, true },
	/* 24 stanzas, nine of them features of a package, without a version */
	{ "dpkg-vcpkg/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 15, 9, false },
	/* one package, then lines of a log */
	{ "dpkg-fanal-apt/var/lib/dpkg/status", "var/lib/dpkg/status", dpkg_parse, 1, 1, false },
	{ "dpkg-cases/valid", "var/lib/dpkg/status", dpkg_parse, 7, 0, true },
	{ "dpkg-cases/trailingnewlines", "var/lib/dpkg/status", dpkg_parse, 1, 0, true },
	{ "dpkg-cases/transitional_dummy", "var/lib/dpkg/status", dpkg_parse, 1, 0, true },
	{ "dpkg-cases/nopackage", "var/lib/dpkg/status", dpkg_parse, 2, 1, false },
	{ "dpkg-cases/noversion", "var/lib/dpkg/status", dpkg_parse, 2, 1, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/coreutils-relationships", "var/lib/dpkg/status.d/coreutils",
	  dpkg_parse, 9, 0, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/multiple", "var/lib/dpkg/status.d/multiple", dpkg_parse, 2, 2, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/single", "var/lib/dpkg/status.d/single", dpkg_parse, 1, 0, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/deinstall", "var/lib/dpkg/status.d/deinstall", dpkg_parse, 1, 0, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/installed-size-4KB", "var/lib/dpkg/status.d/4", dpkg_parse, 1, 0, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/libpam-runtime", "var/lib/dpkg/status.d/p", dpkg_parse, 1, 5, false },
	{ "dpkg-status.d/var/lib/dpkg/status.d/doc-examples", "var/lib/dpkg/status.d/d", dpkg_parse, 5, 11, false },
	{ "opkg/var/lib/opkg/status", "var/lib/opkg/status", opkg_parse, 3, 0, false },
	{ "apk-multiple/lib/apk/db/installed", "lib/apk/db/installed", apk_parse, 14, 0, false },
	{ "apk-scalibr/lib/apk/db/installed", "lib/apk/db/installed", apk_parse, 15, 0, false },
	/* 16 and 12 records, one of each has no version */
	{ "apk-trivy/lib/apk/db/installed", "lib/apk/db/installed", apk_parse, 15, 1, false },
	{ "apk-stackrox/lib/apk/db/installed", "usr/lib/apk/db/installed", apk_parse, 11, 1, false },
};

static void check_inventory(const struct known *k, bool have_dpkg)
{
	char path[4096];
	struct str text;
	(void)snprintf(path, sizeof(path), "%s/inventories/%s", shared(), k->path);
	if (!read_whole(path, &text))
		fail_msg("no %s", path);
	struct package_sink sink = parse(k->fn, text, k->image_path, 0);
	if (sink.list.len != k->packages || sink.bad_records != k->bad)
		fail_msg("%s: %zu packages, %d bad", k->path, sink.list.len, (int)sink.bad_records);
	assert_str(sink.list.ptr[0].db_path, k->image_path);
	write_list(&sink);
	const char *script = k->fn == apk_parse ? apk_awk : deb_awk;
	assert_int_equal(run("awk '%s' '%s' >%s/theirs", script, path, folder), 0);
	compare_lists(k->path);
	if (!k->dpkg_reads || !have_dpkg)
		return;
	write_list(&sink);
	assert_int_equal(run("cd %s && rm -rf db && mkdir -p db/updates db/info && cp '%s' db/status && "
	                     "dpkg-query --admindir=db -W -f '${db:Status-Status} ${Package}\\t${Version}\\t"
	                     "${Architecture}\\t${source:Package}\\t${source:Version}\\n' 2>/dev/null | "
	                     "sed -n 's/^installed //p' >theirs",
	                     folder, path),
	                 0);
	compare_lists(k->path);
}

static void known_answers(void **state)
{
	(void)state;
	if (run("test -d '%s/inventories'", shared()) != 0) {
		print_message("skipped: no %s/inventories\n", shared());
		skip();
	}
	bool have_dpkg = run("dpkg-query --version >/dev/null 2>&1") == 0;
	if (!have_dpkg)
		print_message("no dpkg-query here: compared with awk alone\n");
	for (size_t i = 0; i < COUNT_OF(inventories); i++)
		check_inventory(&inventories[i], have_dpkg);
}

static void this_host(void **state)
{
	(void)state;
	struct str text;
	if (!read_whole("/var/lib/dpkg/status", &text) || run("dpkg-query --version >/dev/null 2>&1") != 0) {
		print_message("skipped: this host has no dpkg\n");
		skip();
	}
	struct package_sink sink = parse(dpkg_parse, text, "var/lib/dpkg/status", 0);
	write_list(&sink);
	/* What is not plainly installed is compared too: every state with files on disk. */
	assert_int_equal(run("cd %s && dpkg-query -W -f '${db:Status-Status} ${Package}\\t${Version}\\t"
	                     "${Architecture}\\t${source:Package}\\t${source:Version}\\n' | "
	                     "grep -vE '^(config-files|not-installed) ' | sed 's/^[^ ]* //' >theirs",
	                     folder),
	                 0);
	compare_lists("this host");
	print_message("%zu packages\n", sink.list.len);
	assert_int_equal(sink.bad_records, 0);
}

/* The Alpine image's database: names and origins against the list in packages.json (of an earlier build of the image, so
 * without versions), names and versions against the image's own apk. */
static void alpine_image(void **state)
{
	(void)state;
	if (run("cd %s && tar xzf '%s/inventories/alpine-3.10/image.tar.gz' 2>/dev/null && mkdir -p root && "
	        "tar xf */layer.tar -C root 2>/dev/null",
	        folder, shared()) != 0) {
		print_message("skipped: no Alpine image\n");
		skip();
	}
	char path[256];
	struct str text;
	(void)snprintf(path, sizeof(path), "%s/root/lib/apk/db/installed", folder);
	assert_true(read_whole(path, &text));
	struct package_sink sink = parse(apk_parse, text, "lib/apk/db/installed", 0);
	assert_int_equal(sink.list.len, 14);
	write_list(&sink);
	assert_int_equal(run("awk -F'\"' '$2==\"Name\"{n=$4}$2==\"SrcName\"{print n\"\\t\"$4}' "
	                     "'%s/inventories/alpine-3.10/packages.json' >%s/theirs",
	                     shared(), folder),
	                 0);
	assert_int_equal(run("cd %s && cut -f1,4 ours >x && mv x ours", folder), 0);
	compare_lists("packages.json of Alpine 3.10");
	if (run("cd %s && root/lib/ld-musl-x86_64.so.1 --library-path root/lib root/sbin/apk --root root info -v "
	        "2>/dev/null >theirs && test -s theirs",
	        folder) != 0)
		return;
	write_list(&sink);
	assert_int_equal(run("cd %s && cut -f1,2 ours | tr '\\t' - >x && mv x ours", folder), 0);
	compare_lists("apk info");
}

static void states(void **state)
{
	(void)state;
	static const struct {
		const char *status;
		size_t packages, bad;
	} cases[] = {
		{ "install ok installed", 1, 0 },       { "hold ok installed", 1, 0 },
		{ "deinstall ok installed", 1, 0 },     { "purge ok installed", 1, 0 },
		{ "deinstall reinstreq installed", 1, 0 }, { "install ok unpacked", 1, 0 },
		{ "install ok half-configured", 1, 0 }, { "install reinstreq half-installed", 1, 0 },
		{ "install ok triggers-awaited", 1, 0 }, { "install ok triggers-pending", 1, 0 },
		{ "install user installed", 1, 0 },     { "Install OK Installed", 1, 0 },
		{ "deinstall ok config-files", 0, 0 },  { "purge ok not-installed", 0, 0 },
		{ "unknown ok not-installed", 0, 0 },   { "install ok", 0, 1 },
		{ "install ok elsewhere", 0, 1 },       { "", 0, 1 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str text = arena_printf(arena, "Package: a\nStatus: %s\nVersion: 1\n", cases[i].status);
		struct package_sink sink = parse(dpkg_parse, text, "var/lib/dpkg/status", 0);
		if (sink.list.len != cases[i].packages || sink.bad_records != cases[i].bad)
			fail_msg("%s: %zu, %d bad", cases[i].status, sink.list.len, (int)sink.bad_records);
	}
	/* dpkg holds what has no Status for not installed; in status.d there is none, and all is installed. */
	struct str text = STR("Package: a\nVersion: 1\n");
	assert_int_equal(parse(dpkg_parse, text, "var/lib/dpkg/status", 0).bad_records, 1);
	assert_int_equal(parse(dpkg_parse, text, "var/lib/dpkg/status.d/a", 0).list.len, 1);
	text = STR("Package: a\nVersion: 1\nStatus: deinstall ok config-files\n");
	assert_int_equal(parse(dpkg_parse, text, "var/lib/dpkg/status.d/a", 0).list.len, 0);
}

#define OK "Status: install ok installed\n"

static void forms_of_a_stanza(void **state)
{
	(void)state;
	struct package_sink s = parse(dpkg_parse,
	                              STR("PACKAGE :  a\t\r\nversion:1:2-3\r\nSTATUS: install ok installed\r\n"
	                                  "architecture: amd64\r\nSource: src  ( 4-5 )\r\n"
	                                  "Description: x\r\n Package: not-one\r\n\tVersion: 9\r\n .\r\n"
	                                  "Maintainer: M <m@x>\r\n\r\n\r\n"
	                                  "Package: b\n" OK "Version: 2\nSource: bsrc\nno colon here\n\n"
	                                  "Package: b\n" OK "Version: 2\nArchitecture: i386\nSource: (1)"),
	                              "var/lib/dpkg/status", 0);
	assert_int_equal(s.list.len, 3);
	assert_int_equal(s.bad_records, 0);
	const struct package *p = s.list.ptr;
	assert_str(p->name, "a");
	assert_str(p->version, "1:2-3");
	assert_str(p->arch, "amd64");
	assert_str(p->source_name, "src");
	assert_str(p->source_version, "4-5");
	assert_str(p->vendor, "M <m@x>");
	assert_int_equal(p->type, PACKAGE_DEB);
	assert_str(p[1].source_name, "bsrc");
	assert_str(p[1].source_version, "2");
	assert_str(p[1].arch, "");
	assert_str(p[2].arch, "i386");
	assert_str(p[2].source_name, "b");
	assert_str(p[2].source_version, "1");
}

static void a_lost_empty_line_hides_no_package(void **state)
{
	(void)state;
	struct package_sink s = parse(dpkg_parse,
	                              STR("Package: a\n" OK "Version: 1\n \nPackage: b\n" OK "Version: 2\n"
	                                  "Package: c\n" OK "Version: 3\n"),
	                              "var/lib/dpkg/status", 0);
	assert_int_equal(s.list.len, 3);
	assert_str(s.list.ptr[2].name, "c");
	s = parse(dpkg_parse, STR("Package: a\r\n" OK "Version: 1\r\n\r\nVersion: 2\r\n" OK "Package: b\r\n"),
	          "var/lib/dpkg/status", 0);
	assert_int_equal(s.list.len, 2);
	assert_str(s.list.ptr[0].version, "1");
	assert_str(s.list.ptr[1].version, "2");
	s = parse(apk_parse, STR("C:x\nP:a\nV:1\nF:bin\nR:sh\nC:y\nP:b\nV:2\nP:c\nV:3\n"), "lib/apk/db/installed", 0);
	assert_int_equal(s.list.len, 3);
	assert_str(s.list.ptr[1].name, "b");
	assert_str(s.list.ptr[2].version, "3");
	s = parse(apk_parse, STR("C:x\nP:a\nV:1\nF:bin\nV:9\nC:y\nV:2\nP:b\n"), "lib/apk/db/installed", 0);
	assert_int_equal(s.list.len, 2);
	assert_str(s.list.ptr[0].version, "1");
	assert_str(s.list.ptr[1].version, "2");
}

static void forms_of_an_apk_record(void **state)
{
	(void)state;
	struct package_sink s = parse(apk_parse,
	                              STR("\n\nC:Q1=\r\nP:a\r\nV:1.2-r3\r\nA:x86_64\r\no:src\r\nm:M <m@x>\r\n"
	                                  "F:etc\r\nM:0:0:1777\r\nR:V:9\r\na:0:0:755\r\n\r\n"
	                                  "P:a\nV:1.2-r4\nA:noarch\nV\n\n\nV:1\n\nP:x\n\nP:.build-deps\nV:0"),
	                              "usr/lib/apk/db/installed", 0);
	assert_int_equal(s.list.len, 3);
	assert_int_equal(s.bad_records, 2);
	assert_str(s.list.ptr[0].source_name, "src");
	assert_str(s.list.ptr[0].source_version, "1.2-r3");
	assert_str(s.list.ptr[0].arch, "x86_64");
	assert_str(s.list.ptr[0].vendor, "M <m@x>");
	assert_str(s.list.ptr[1].version, "1.2-r4");
	assert_str(s.list.ptr[1].source_name, "a");
	assert_str(s.list.ptr[2].name, ".build-deps");
	assert_int_equal(s.list.ptr[0].type, PACKAGE_APK);
}

static void bad_text_is_a_bad_record(void **state)
{
	(void)state;
	struct package_sink s = parse(dpkg_parse,
	                              ((struct str)STR_INIT("Package: a\x1b[31m\n" OK "Version: 1\n\n"
	                                                    "Package: b\n" OK "Version: 1\0002\n\n"
	                                                    "Package: c\n" OK "Version: 3\nMaintainer: \x1b]0;x\a\n")),
	                              "var/lib/dpkg/status", 0);
	assert_int_equal(s.list.len, 1);
	assert_int_equal(s.bad_records, 2);
	assert_str(s.diagnostics[0], "package \"a?[31m\" \"1\": control characters");
}

/* size bytes of filler behind head. */
static struct str filled(const char *head, char filler, size_t size)
{
	char *p = arena_alloc(arena, size);
	memset(p, filler, size);
	memcpy(p, head, strlen(head));
	return (struct str){ p, size };
}

static void huge_and_hostile(void **state)
{
	(void)state;
	const char *status = "var/lib/dpkg/status", *apk = "lib/apk/db/installed";
	struct str big = filled("Package: ", 'a', 31 * MIB);
	assert_int_equal(parse(dpkg_parse, big, status, 0).bad_records, 1);
	assert_int_equal(parse(apk_parse, big, apk, 0).bad_records, 1);
	assert_int_equal(parse(dpkg_parse, filled("", '\0', MIB), status, 0).bad_records, 1);
	struct package_sink s = parse(dpkg_parse, filled("Package: a\n" OK "Version: 1\nMaintainer: ", 'm', 10 * MIB),
	                              status, 0);
	assert_int_equal(s.list.len, 1);
	assert_int_equal(s.list.ptr[0].vendor.len, PACKAGE_FIELD_MAX);
	s = parse(dpkg_parse, filled("Package: a\n" OK "Version: ", '1', 10 * MIB), status, 0);
	assert_int_equal(s.list.len, 0);
	assert_true(s.diagnostics[0].len < 256);
	assert_int_equal(parse(dpkg_parse, filled("", '\n', MIB), status, 0).bad_records, 0);
	assert_int_equal(parse(dpkg_parse, (struct str){ 0 }, status, 0).list.len, 0);
	assert_int_equal(parse(apk_parse, (struct str){ 0 }, apk, 0).list.len, 0);
	assert_int_equal(parse(apk_parse, filled("", '\n', MIB), apk, 0).bad_records, 0);
	(void)parse(dpkg_parse, filled("", 'x', DPKG_STATUS_SIZE_MAX + 1), status, ERR_LIMIT);
	(void)parse(apk_parse, filled("", 'x', APK_INSTALLED_SIZE_MAX + 1), apk, ERR_LIMIT);
}

static struct str repeated(const char *text, size_t count)
{
	size_t len = strlen(text);
	char *p = arena_alloc(arena, len * count);
	for (size_t i = 0; i < count; i++)
		memcpy(p + i * len, text, len);
	return (struct str){ p, len * count };
}

static void a_million_records(void **state)
{
	(void)state;
	struct package_sink s = parse(dpkg_parse, repeated("Package:\n\n", 1000000), "var/lib/dpkg/status", 0);
	assert_int_equal(s.bad_records, 1000000);
	assert_int_equal(s.diagnostic_count, DIAGNOSTICS_WORDED_MAX);
	s = parse(apk_parse, repeated("P:a\nV:1\n\n", PACKAGES_MAX), "lib/apk/db/installed", 0);
	assert_int_equal(s.list.len, PACKAGES_MAX);
	s = parse(apk_parse, repeated("P:a\nV:1\n\n", PACKAGES_MAX + 1), "lib/apk/db/installed", ERR_LIMIT);
	assert_int_equal(s.list.len, PACKAGES_MAX);
}

static void every_cut_of_a_file_is_read(void **state)
{
	(void)state;
	struct str deb = STR("Package: a\n" OK "Version: 1\nSource: s (2)\n\nPackage: b\n" OK "Version: 1\n");
	struct str apk = STR("C:x\nP:a\nV:1\no:s\nF:bin\nR:sh\n\nP:b\nV:2\n\n");
	for (size_t n = 0; n <= deb.len; n++)
		assert_true(parse(dpkg_parse, str_sub(deb, 0, n), "var/lib/dpkg/status", 0).list.len <= 2);
	for (size_t n = 0; n <= apk.len; n++)
		assert_true(parse(apk_parse, str_sub(apk, 0, n), "lib/apk/db/installed", 0).list.len <= 2);
}

static void content_in_a_file(void **state)
{
	(void)state;
	char path[256], byte[4];
	(void)snprintf(path, sizeof(path), "%s/content", folder);
	assert_int_equal(run("printf 'P:a\\nV:1\\n' >%s", path), 0);
	struct package_sink sink = { .arena = arena };
	struct content c = { .fd = open(path, O_RDONLY | O_CLOEXEC), .size = 8 };
	assert_int_equal(apk_parse(&c, STR("lib/apk/db/installed"), &sink, NULL), 0);
	assert_int_equal(sink.list.len, 1);
	assert_int_equal(content_read(&c, 4, byte, 4, NULL), 0);
	assert_memory_equal(byte, "V:1\n", 4);
	assert_int_equal(content_read(&c, 5, byte, 4, NULL), ERR_FORMAT);
	assert_int_equal(content_read(&c, UINT64_MAX, byte, 4, NULL), ERR_FORMAT);
	assert_int_equal(content_read(&c, 8, byte, 0, NULL), 0);
	/* A file that is shorter than it was said to be. */
	c.size = 100;
	assert_int_equal(apk_parse(&c, STR("lib/apk/db/installed"), &sink, NULL), ERR_FORMAT);
	close(c.fd);
	struct content m = { .mem = STR("abc"), .fd = -1 };
	assert_int_equal(content_read(&m, 1, byte, 2, NULL), 0);
	assert_memory_equal(byte, "bc", 2);
	assert_int_equal(content_read(&m, 2, byte, 2, NULL), ERR_FORMAT);
	assert_int_equal(content_read(&m, UINT64_MAX, byte, 2, NULL), ERR_FORMAT);
}

static const struct package_format *format_of(const char *path, struct str head)
{
	for (size_t i = 0; i < package_format_count; i++)
		for (const char *const *p = package_formats[i].paths; *p; p++)
			if (str_glob(str_from(*p), str_from(path)) &&
			    (!package_formats[i].sniff || package_formats[i].sniff(str_from(path), head)))
				return &package_formats[i];
	return NULL;
}

static void the_table_finds_its_places(void **state)
{
	(void)state;
	struct str head = STR("Package: a\n");
	assert_string_equal(format_of("var/lib/dpkg/status", head)->name, "dpkg-status");
	assert_string_equal(format_of("var/lib/dpkg/status.d/base-files", head)->name, "dpkg-status.d");
	assert_string_equal(format_of("var/lib/dpkg/status.d/x", STR("\nSource: a\n"))->name, "dpkg-status.d");
	assert_null(format_of("var/lib/dpkg/status.d/base.md5sums", head));
	assert_null(format_of("var/lib/dpkg/status.d/base", STR("d41d8cd98f00b204e9800998ecf8427e  usr/bin/x\n")));
	assert_null(format_of("var/lib/dpkg/status.d/base", STR("")));
	assert_null(format_of("var/lib/dpkg/status.d/base", STR(": x")));
	assert_null(format_of("var/lib/dpkg/status.d/a/b", head));
	assert_null(format_of("var/lib/dpkg/status-old", head));
	assert_string_equal(format_of("usr/lib/opkg/status", head)->name, "opkg");
	assert_string_equal(format_of("opt/lib/opkg/status", head)->name, "opkg");
	assert_string_equal(format_of("lib/apk/db/installed", head)->name, "apk");
	assert_string_equal(format_of("usr/lib/apk/db/installed", head)->name, "apk");
	for (size_t i = 0; i < package_format_count; i++)
		assert_true(package_formats[i].parse && package_formats[i].size_max && package_formats[i].size_max_name);
}

static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A megabyte in under 5 ms; here a wide bound, for sanitizers and loaded machines, and the figure is printed. */
static void fast(void **state)
{
	(void)state;
	struct str text = repeated("Package: some-package\nStatus: install ok installed\nPriority: optional\n"
	                           "Section: libs\nInstalled-Size: 123\nMaintainer: Some One <some@example.org>\n"
	                           "Architecture: amd64\nSource: src (1.2-3)\nVersion: 1.2-3+b1\n"
	                           "Depends: libc6 (>= 2.34), libm (>= 1)\nDescription: some package\n"
	                           " A longer text that says what this package is for and why one wants it,\n"
	                           " over more than one line.\n\n",
	                           8 * MIB / 460);
	double best = 1e9;
	for (int i = 0; i < 5; i++) {
		double start = seconds();
		struct package_sink s = parse(dpkg_parse, text, "var/lib/dpkg/status", 0);
		double taken = seconds() - start;
		assert_true(s.list.len > 10000);
		best = taken < best ? taken : best;
	}
	double ms = best * 1e3 * (double)MIB / (double)text.len;
	print_message("%.2f ms a megabyte\n", ms);
	assert_true(ms < 100);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return run("rm -rf %s", folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(this_host),
		cmocka_unit_test(alpine_image),
		cmocka_unit_test(states),
		cmocka_unit_test(forms_of_a_stanza),
		cmocka_unit_test(a_lost_empty_line_hides_no_package),
		cmocka_unit_test(forms_of_an_apk_record),
		cmocka_unit_test(bad_text_is_a_bad_record),
		cmocka_unit_test(huge_and_hostile),
		cmocka_unit_test(a_million_records),
		cmocka_unit_test(every_cut_of_a_file_is_read),
		cmocka_unit_test(content_in_a_file),
		cmocka_unit_test(the_table_finds_its_places),
		cmocka_unit_test(fast),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
