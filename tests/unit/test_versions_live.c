/* Our comparers against the living tools, on random versions: dpkg (the C program, and Dpkg::Version where Perl has it),
 * rpm (its Lua), and apk-tools 2.10 out of the public Alpine image in PLIMSOLL_SHARED. What is missing is skipped, and
 * said. The tools get their versions through files that this test writes into a folder of its own. */
#include "base/base.h"
#include "version/versions.h"
#include "versions_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/plimsoll-versions-XXXXXX";

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

static void write_file(const char *name, const char *text)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

typedef bool (*wanted_fn)(struct str v);

/* A file of `count` pairs that both are wanted. */
static void write_pairs(const char *scheme, size_t count, wanted_fn wanted)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/pairs", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	uint64_t seed = 2024;
	while (count) {
		char text[2][RANDOM_VERSION_MAX];
		struct str a, b;
		random_version(&seed, scheme, (struct str){ 0 }, text[0], &a);
		random_version(&seed, scheme, a, text[1], &b);
		if (!wanted(a) || !wanted(b))
			continue;
		(void)fprintf(f, "%.*s %.*s\n", STR_ARG(a), STR_ARG(b));
		count--;
	}
	assert_int_equal(fclose(f), 0);
}

/* The file `answers` has one of <, =, > for each line of `pairs`; any other answer is a pair that the tool refused. */
static void check_answers(const char *scheme, size_t count_min)
{
	char path[256], line[512], answer[64];
	(void)snprintf(path, sizeof(path), "%s/pairs", folder);
	FILE *pairs = fopen(path, "r");
	(void)snprintf(path, sizeof(path), "%s/answers", folder);
	FILE *answers = fopen(path, "r");
	assert_true(pairs && answers);
	const struct version_scheme *s = version_scheme_find(str_from(scheme));
	size_t count = 0, wrong = 0, differ = 0;
	while (fgets(line, sizeof(line), pairs)) {
		assert_non_null(fgets(answer, sizeof(answer), answers));
		struct str rest = str_trim(str_from(line)), a;
		(void)str_cut(&rest, ' ', &a);
		if (!strchr("<=>", answer[0]))
			continue;
		int c = s->compare(a, rest);
		count++;
		differ += c != 0;
		if ((c < 0 ? '<' : c > 0 ? '>' : '=') != answer[0] && wrong++ < 10)
			print_error("%s: %.*s %.*s: the tool says %s", scheme, STR_ARG(a), STR_ARG(rest), answer);
	}
	fclose(pairs);
	fclose(answers);
	print_message("%zu pairs, %zu of them unequal\n", count, differ);
	assert_true(count >= count_min);
	assert_int_equal(wrong, 0);
}

static bool not_an_option(struct str v)
{
	return v.len && v.ptr[0] != '-';
}

static void against_dpkg(void **state)
{
	(void)state;
	if (run("dpkg --version >/dev/null 2>&1") != 0) {
		print_message("skipped: no dpkg here\n");
		skip();
	}
	write_pairs("debian", 400, not_an_option);
	int rc = run("cd %s && while read -r a b; do"
	             " if dpkg --compare-versions \"$a\" lt \"$b\"; then echo '<';"
	             " elif dpkg --compare-versions \"$a\" eq \"$b\"; then echo =;"
	             " elif dpkg --compare-versions \"$a\" gt \"$b\"; then echo '>'; else echo '?'; fi;"
	             " done <pairs >answers 2>/dev/null",
	             folder);
	assert_int_equal(rc, 0);
	check_answers("debian", 200);
}

/* Dpkg::Version takes numbers as Perl does, exact below 2^53. */
static bool small_and_valid(struct str v)
{
	size_t run_len = 0;
	for (size_t i = 0; i < v.len; i++) {
		run_len = ascii_digit(v.ptr[i]) ? run_len + 1 : 0;
		if (run_len > 15)
			return false;
	}
	return dpkg_version_valid(v);
}

static void against_perl(void **state)
{
	(void)state;
	if (run("perl -MDpkg::Version -e 1 2>/dev/null") != 0) {
		print_message("skipped: no Dpkg::Version (libdpkg-perl) here\n");
		skip();
	}
	write_pairs("debian", 40000, small_and_valid);
	write_file("pairs.pl", "use Dpkg::Version;\n"
	                       "while (<>) { chomp; my ($a, $b) = split / /; my $r = version_compare($a, $b);\n"
	                       "print $r < 0 ? '<' : $r > 0 ? '>' : '=', \"\\n\"; }\n");
	assert_int_equal(run("cd %s && perl pairs.pl <pairs >answers", folder), 0);
	check_answers("debian", 40000);
}

static bool not_empty(struct str v)
{
	return v.len > 0;
}

static void against_rpm(void **state)
{
	(void)state;
	if (run("test \"$(rpm --eval '%%{lua: print(rpm.vercmp(\"1\", \"2\"))}' 2>/dev/null)\" = -1") != 0) {
		print_message("skipped: no rpm with Lua here\n");
		skip();
	}
	write_pairs("redhat", 40000, not_empty);
	/* Half of them as the version, half as version and release with epochs. */
	assert_int_equal(run("cd %s && sed -i '20001,$s/\\(.*\\) \\(.*\\)/1:\\1-\\2 01:\\2-\\1/' pairs", folder), 0);
	char script[1024];
	(void)snprintf(script, sizeof(script),
	               "local o = io.open('%s/answers', 'w')\n"
	               "local sign = { [-1] = '<', [0] = '=', [1] = '>' }\n"
	               "for line in io.lines('%s/pairs') do\n"
	               "local a, b = line:match('^([^ ]+) ([^ ]+)$')\n"
	               "o:write(sign[rpm.vercmp(a, b)], '\\n') end o:close()\n",
	               folder, folder);
	write_file("pairs.lua", script);
	assert_int_equal(run("rpm --eval '%%{lua: dofile(\"%s/pairs.lua\")}'", folder), 0);
	check_answers("redhat", 40000);
}

/* What apk-tools 2 and 3 agree in: valid, no hash, no leading zeros, numbers that fit an int. */
static bool apk2_and_3_agree(struct str v)
{
	size_t run_len = 0;
	for (size_t i = 0; i < v.len; i++) {
		bool zero_leads = i && v.ptr[i] == '0' && !ascii_digit(v.ptr[i - 1]);
		if (v.ptr[i] == '~' || (zero_leads && i + 1 < v.len && ascii_digit(v.ptr[i + 1])))
			return false;
		run_len = ascii_digit(v.ptr[i]) ? run_len + 1 : 0;
		if (run_len > 9)
			return false;
	}
	return apk_version_valid(v);
}

static void against_apk(void **state)
{
	(void)state;
	const char *shared = getenv("PLIMSOLL_SHARED");
	if (run("cd %s && tar xzf '%s/inventories/alpine-3.10/image.tar.gz' 2>/dev/null && mkdir root && "
	        "tar xf */layer.tar -C root 2>/dev/null && "
	        "root/lib/ld-musl-x86_64.so.1 --library-path root/lib root/sbin/apk --version >/dev/null 2>&1",
	        folder, shared ? shared : ".") != 0) {
		print_message("skipped: no Alpine image in PLIMSOLL_SHARED that runs here\n");
		skip();
	}
	write_pairs("alpine", 800, apk2_and_3_agree);
	assert_int_equal(run("cd %s && while read -r a b; do root/lib/ld-musl-x86_64.so.1 --library-path root/lib "
	                     "root/sbin/apk version -t \"$a\" \"$b\"; done <pairs >answers",
	                     folder),
	                 0);
	check_answers("alpine", 800);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return run("rm -rf %s", folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_dpkg),
		cmocka_unit_test(against_perl),
		cmocka_unit_test(against_rpm),
		cmocka_unit_test(against_apk),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
