/* What the tests of rpm databases share: see rpm_check.h. */
#include "rpm_check.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"

const struct rpm_form rpm_forms[FORM_COUNT] = {
	{ "sqlite", rpm_sqlite_parse, rpm_sqlite_sniff },
	{ "ndb", rpm_ndb_parse, rpm_ndb_sniff },
	{ "bdb", rpm_bdb_parse, rpm_bdb_sniff },
};

const char *const rpm_lists[] = {
	"centos-5",         "centos-6-devtools", "centos-6-many",    "centos-6-plain",    "centos-7-devtools",
	"centos-7-httpd24", "centos-7-many",     "centos-7-plain",   "centos-7-python35", "centos-8-modular",
	"rhel-8-ubi-s390x", "sles-15-bci",       "fedora-35-sqlite", "fedora-35-mongodb", "rocky-9",
};

const size_t rpm_list_count = COUNT_OF(rpm_lists);

static char temp[] = "/tmp/plimsoll-rpm-XXXXXX";

void rpm_run(const char *format, ...)
{
	char command[2048];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static void remove_temp(void)
{
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", temp);
	(void)!system(command);
}

const char *rpm_temp(void)
{
	static bool made;
	if (!made) {
		assert_non_null(mkdtemp(temp));
		made = true;
		(void)atexit(remove_temp);
	}
	return temp;
}

struct str rpm_inventory(struct arena *a, const char *path)
{
	const char *shared = getenv("PLIMSOLL_SHARED");
	struct str text;
	if (!shared || access(shared, R_OK) != 0) {
		print_message("skipped: no PLIMSOLL_SHARED\n");
		skip();
	}
	if (!test_file_read(a, str_cstr(a, arena_printf(a, "%s/inventories/%s", shared, path)), &text))
		fail_msg("no %s", path);
	return text;
}

int rpm_setup(void **state)
{
	*state = arena_new();
	return 0;
}

int rpm_teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static int compare(const void *a, const void *b) { return package_cmp(a, b); }

static void check_sink(const struct package_sink *s, const char *what)
{
	if (s->bad_records)
		fail_msg("%s: %llu bad records, first: %.*s", what, (unsigned long long)s->bad_records,
			 STR_ARG(s->diagnostics[0]));
	for (size_t i = 0; i < s->list.len; i++) {
		assert_int_equal(s->list.ptr[i].type, PACKAGE_RPM);
		assert_true(str_eq(s->list.ptr[i].db_path, STR("db")));
	}
}

static struct package_list read_content(struct arena *a, enum form form, const struct content *c, struct str bytes)
{
	struct package_sink sink = { .arena = a };
	struct err err;
	for (enum form f = 0; f < FORM_COUNT; f++)
		assert_int_equal(rpm_forms[f].sniff(STR("db"), str_sub(bytes, 0, 64)), f == form);
	if (rpm_forms[form].parse(c, STR("db"), &sink, &err) != 0)
		fail_msg("%s: %s", rpm_forms[form].name, err.text);
	check_sink(&sink, rpm_forms[form].name);
	if (sink.list.len)
		qsort(sink.list.ptr, sink.list.len, sizeof(struct package), compare);
	return sink.list;
}

/* Both ways of holding the content give the same list. */
struct package_list rpm_read_db(struct arena *a, enum form form, struct str bytes)
{
	char *path = str_cstr(a, arena_printf(a, "%s/content", rpm_temp()));
	struct content mem = { .mem = bytes, .fd = -1, .size = bytes.len };
	assert_true(test_file_write(path, bytes));
	struct content file = { .fd = open(path, O_RDONLY), .size = bytes.len };
	assert_true(file.fd >= 0);
	struct package_list list = read_content(a, form, &mem, bytes), other = read_content(a, form, &file, bytes);
	close(file.fd);
	assert_int_equal(list.len, other.len);
	for (size_t i = 0; i < list.len; i++)
		assert_int_equal(package_cmp(&list.ptr[i], &other.ptr[i]), 0);
	return list;
}

/* What a row must become, worked out apart from the reader: the source's name is its file's name without the version,
 * release and suffix that all source packages have. */
static struct package expected(struct arena *a, const struct rpm_row *row)
{
	bool epoch = row->epoch.len && !str_eq(row->epoch, STR("0"));
	struct str prefix = epoch ? arena_printf(a, "%.*s:", STR_ARG(row->epoch)) : STR("");
	struct package p = { .type = PACKAGE_RPM,
			     .name = row->name,
			     .arch = row->arch,
			     .vendor = row->vendor,
			     .module = row->module,
			     .db_path = STR("db") };
	p.version = arena_printf(a, "%.*s%.*s-%.*s", STR_ARG(prefix), STR_ARG(row->version), STR_ARG(row->release));
	p.source_name = row->name;
	p.source_version = p.version;
	if (row->source_rpm.len == 0)
		return p;
	struct str parts[32], rest = row->source_rpm;
	size_t n = 0;
	assert_true(str_ends(rest, STR(".src.rpm")));
	rest.len -= 8;
	while (str_cut(&rest, '-', &parts[n]))
		assert_true(++n < COUNT_OF(parts));
	assert_true(n >= 3);
	size_t tail = parts[n - 1].len + parts[n - 2].len + 2;
	p.source_name = str_sub(row->source_rpm, 0, row->source_rpm.len - 8 - tail);
	p.source_version =
	    arena_printf(a, "%.*s%.*s-%.*s", STR_ARG(prefix), STR_ARG(parts[n - 2]), STR_ARG(parts[n - 1]));
	return p;
}

void rpm_check_list(struct arena *a, const char *what, const struct package_list *got, const struct rpm_rows *rows)
{
	struct package *want = arena_array(a, rows->len, sizeof(*want));
	for (size_t i = 0; i < rows->len; i++)
		want[i] = expected(a, &rows->ptr[i]);
	qsort(want, rows->len, sizeof(*want), compare);
	if (got->len != rows->len)
		fail_msg("%s: %zu packages, not %zu", what, got->len, rows->len);
	for (size_t i = 0; i < rows->len; i++)
		if (package_cmp(&want[i], &got->ptr[i]) != 0)
			fail_msg("%s: %.*s %.*s (source %.*s %.*s), not %.*s %.*s", what, STR_ARG(got->ptr[i].name),
				 STR_ARG(got->ptr[i].version), STR_ARG(got->ptr[i].source_name),
				 STR_ARG(got->ptr[i].source_version), STR_ARG(want[i].name), STR_ARG(want[i].version));
}

struct str rpm_write_db(struct arena *a, enum form form, const struct rpm_blobs *blobs, unsigned page_size, bool odd)
{
	char *path = str_cstr(a, arena_printf(a, "%s/written", rpm_temp()));
	struct str bytes;
	(void)unlink(path);
	if (form == NDB)
		return rpm_write_ndb(a, blobs, odd);
	if (form == SQLITE)
		assert_true(rpm_write_sqlite(path, blobs, page_size));
	else
		assert_true(rpm_write_bdb(path, blobs, page_size, odd));
	assert_true(test_file_read(a, path, &bytes));
	return bytes;
}
