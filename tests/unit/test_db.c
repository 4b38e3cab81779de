/* The advisory file: what goes in comes out; the same facts in another order give the same bytes; a file with any byte
 * changed, or cut off anywhere, is refused or gives less, and never makes the reader look outside its map. */
#include "advisory/build.h"

#include "advisory/db_format.h"
#include "base/base.h"
#include "base/fs.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/plimsoll-db-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	turn ^= 1;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	static const char *const names[] = { "a.db", "b.db", "a.db.sig", "key.pem", "other.pem" };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlink(in_folder(names[i]));
	return rmdir(folder);
}

struct row {
	const char *platform, *package;
	struct db_fact fact;
};

#define FACT(id_, fixed_, ...)                                                                                         \
	{                                                                                                              \
		.id = STR_INIT(id_), .fixed = STR_INIT(fixed_), .status = STATUS_AFFECTED, __VA_ARGS__                 \
	}
static const struct row rows[] = {
	{ "debian:12", "openssl", FACT("CVE-2023-0001", "3.0.1-1", .severity = SEVERITY_HIGH) },
	{ "debian:12", "openssl", FACT("CVE-2023-0001", "3.0.2-1", .advisory = STR_INIT("DSA-1-1")) },
	{ "debian:12", "openssl", { .id = STR_INIT("CVE-2023-10000"), .status = STATUS_WILL_NOT_FIX } },
	{ "debian:12", "openssl", FACT("CVE-2024-5", "3.0.9-1", .unreleased = true) },
	{ "debian:12",
	  "openssl",
	  { .id = STR_INIT("CVE-2024-6"), .range = DB_RANGE_NONE, .status = STATUS_NOT_AFFECTED } },
	{ "debian:12", "zlib", FACT("CVE-2018-25032", "1:1.2.11") },
	{ "debian:13", "zlib", FACT("CVE-2018-25032", "1:1.2.11") },
	{ "PyPI", "jinja2", FACT("CVE-2019-10906", "2.10.1", .introduced = STR_INIT("2.0"), .source = 1) },
	{ "PyPI", "jinja2",
	  FACT("CVE-2019-10906", "", .introduced = STR_INIT("1.0"), .last = STR_INIT("1.5"), .source = 1) },
	{ "PyPI",
	  "jinja2",
	  { .id = STR_INIT("MAL-1"), .range = DB_RANGE_EXACT, .introduced = STR_INIT("9.9"), .source = 1 } },
	{ "almalinux:9", "nodejs",
	  FACT("CVE-2024-1", "1:18.1-1", .advisory = STR_INIT("ALSA-2024:1"), .module = STR_INIT("nodejs:18"),
	       .arch = STR_INIT("x86_64"), .source = 1) },
};

static struct db_builder *fill(bool backwards)
{
	struct db_builder *b = db_builder_new();
	struct db_source s[] = {
		{ .name = STR("debian"), .licence = STR("facts"), .coverage = STR("partial"), .updated = 86400 },
		{ .name = STR("osv"), .licence = STR("MIT"), .attribution = STR("x"), .updated = 172800 }
	};
	assert_int_equal(db_builder_source(b, &s[0]), 0);
	assert_int_equal(db_builder_source(b, &s[1]), 1);
	struct db_platform p = { .name = STR("debian:12"), .complete = true, .unfixed = true };
	db_builder_platform(b, &p, 0);
	p = (struct db_platform){ .name = STR("debian:12"), .coverage = STR("partial: a few") };
	db_builder_platform(b, &p, 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[backwards ? COUNT_OF(rows) - 1 - i : i];
		db_builder_fact(b, str_from(r->platform), str_from(r->package), &r->fact);
	}
	db_builder_package(b, STR("debian:12"), STR("looked-at"));
	struct db_vuln v = { .severity = SEVERITY_HIGH,
			     .severity_source = STR("cna"),
			     .cvss_score = 7.5,
			     .epss = -1,
			     .cvss_vector = STR("CVSS:3.1/AV:N"),
			     .cwe_count = 2,
			     .cwes = { 79, 1021 } };
	db_builder_vuln(b, 1, STR("CVE-2023-0001"), &v);
	v = (struct db_vuln){ .severity = SEVERITY_CRITICAL,
			      .severity_source = STR("nvd"),
			      .cvss_score = 9.8,
			      .epss = 0.97567,
			      .cvss_vector = STR("CVSS:3.1/AV:L"),
			      .published = 1700000000 };
	db_builder_vuln(b, 1, STR("CVE-2023-0001"), &v);
	v = (struct db_vuln){ .cvss_score = -1, .epss = -1, .kev = true, .kev_added = 1650000000 };
	db_builder_vuln(b, 0, STR("CVE-2018-25032"), &v);
	return b;
}

static void write_db(const char *path, bool backwards)
{
	struct err err = { 0 };
	struct db_builder *b = fill(backwards);
	int rc = db_builder_write(b, 1700000000, path, &err);
	db_builder_free(b);
	if (rc != 0)
		fail_msg("%s", err.text);
}

static bool same_fact(const struct db_fact *a, const struct db_fact *b)
{
	return str_eq(a->id, b->id) && str_eq(a->advisory, b->advisory) && str_eq(a->introduced, b->introduced) &&
	       str_eq(a->fixed, b->fixed) && str_eq(a->last, b->last) && str_eq(a->arch, b->arch) &&
	       str_eq(a->module, b->module) && a->source == b->source && a->range == b->range &&
	       a->status == b->status && a->severity == b->severity && a->unreleased == b->unreleased;
}

static bool holds(const struct db *db, const struct row *r)
{
	struct db_platform p;
	struct db_iter it;
	struct db_fact f;
	struct err err;
	assert_int_equal(db_platform(db, str_from(r->platform), &p, &err), 0);
	assert_int_equal(db_lookup(db, &p, str_from(r->package), &it, &err), 0);
	bool found = false;
	struct str before = { 0 };
	while (db_next(&it, &f)) {
		assert_true(str_cmp(before, f.id) <= 0);
		before = f.id;
		found |= same_fact(&f, &r->fact);
	}
	return found;
}

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct db *db;
	write_db(in_folder("a.db"), false);
	assert_int_equal(db_open(in_folder("a.db"), &db, &err), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_true(holds(db, &rows[i]));
	struct db_info info;
	db_info(db, &info);
	assert_int_equal(info.fact_count, COUNT_OF(rows));
	assert_int_equal(info.built, 1700000000);
	assert_int_equal(info.package_count, 6);
	assert_int_equal(db_verify(db, &err), 0);
	db_close(db);
}

static void platforms_and_sources(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct db *db;
	struct db_platform p;
	struct db_source s;
	struct db_iter it;
	struct db_fact f;
	assert_int_equal(db_open(in_folder("a.db"), &db, &err), 0);
	assert_int_equal(db_platform(db, STR("debian:12"), &p, &err), 0);
	assert_true(p.complete && p.unfixed && p.coverage.len == 0 && p.package_count == 3);
	assert_int_equal(p.updated, 172800);
	assert_int_equal(db_platform(db, STR("debian:99"), &p, &err), ERR_NOT_FOUND);
	/* Facts alone promise nothing. */
	assert_int_equal(db_platform(db, STR("PyPI"), &p, &err), 0);
	assert_false(p.complete);
	assert_int_equal(db_platform(db, STR("debian:12"), &p, &err), 0);
	assert_int_equal(db_lookup(db, &p, STR("looked-at"), &it, &err), 0);
	assert_false(db_next(&it, &f));
	assert_int_equal(db_lookup(db, &p, STR("jinja2"), &it, &err), ERR_NOT_FOUND);
	assert_true(db_source(db, 0, &s) && str_eq(s.name, STR("debian")) && s.facts == 7 && s.advisories == 5);
	assert_true(db_source(db, 1, &s) && str_eq(s.name, STR("osv")) && s.facts == 4 && s.advisories == 4);
	assert_false(db_source(db, 2, &s));
	assert_false(db_broken(db));
	db_close(db);
}

static void vulnerabilities_are_joined_by_rank(void **state)
{
	(void)state;
	struct err err = { 0 };
	struct db *db;
	struct db_vuln v;
	assert_int_equal(db_open(in_folder("a.db"), &db, &err), 0);
	assert_true(db_vuln(db, STR("CVE-2023-0001"), &v));
	assert_int_equal(v.severity, SEVERITY_CRITICAL);
	assert_true(str_eq(v.severity_source, STR("nvd")) && str_eq(v.cvss_vector, STR("CVSS:3.1/AV:L")));
	assert_true(v.cvss_score > 9.79 && v.cvss_score < 9.81 && v.epss > 0.975669 && v.epss < 0.975671);
	assert_true(v.cwe_count == 2 && v.cwes[0] == 79 && v.cwes[1] == 1021 && !v.kev);
	assert_int_equal(v.published, 1700000000 / 86400 * 86400);
	assert_true(db_vuln(db, STR("CVE-2018-25032"), &v));
	assert_true(v.kev && v.kev_added == 1650000000 / 86400 * 86400 && v.cvss_score < 0 && v.epss < 0);
	assert_int_equal(v.severity, SEVERITY_UNKNOWN);
	assert_false(db_vuln(db, STR("CVE-2023-10000"), &v));
	assert_false(db_vuln(db, STR("CVE-9999-1"), &v));
	db_close(db);
}

static struct str content(struct arena *a, const char *path)
{
	struct str s;
	struct err err;
	assert_int_equal(fs_read(a, path, 16 * MIB, &s, &err), 0);
	return s;
}

static void the_order_of_facts_does_not_show(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	write_db(in_folder("b.db"), true);
	assert_true(str_eq(content(a, in_folder("a.db")), content(a, in_folder("b.db"))));
}

static size_t walk(const struct db *db)
{
	struct db_platform p;
	struct db_source s;
	struct db_iter it, found;
	struct db_fact f;
	struct db_vuln v;
	struct str name;
	struct err err;
	size_t sum = 0;
	for (uint32_t i = 0; i < 64 && db_source(db, i, &s); i++)
		sum += s.name.len + s.coverage.len;
	for (uint32_t i = 0; i < 64 && db_platform_at(db, i, &p); i++) {
		for (uint64_t j = 0; j < 64 && db_package_at(db, &p, j, &name, &it); j++) {
			(void)db_lookup(db, &p, name, &found, &err);
			for (unsigned k = 0; k < 64 && db_next(&it, &f); k++) {
				sum +=
				    f.id.len + f.fixed.len + (f.fixed.len ? (uint8_t)f.fixed.ptr[f.fixed.len - 1] : 0);
				(void)db_vuln(db, f.id, &v);
			}
		}
	}
	(void)db_verify(db, &err);
	return sum;
}

/* Written as it is, without the builder's care. */
static void put(const char *path, struct str s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, s.ptr, s.len), (ssize_t)s.len);
	close(fd);
}

static void any_byte_changed_is_noticed(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct str good = content(a, in_folder("a.db"));
	char *bytes = arena_alloc(a, good.len);
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	for (size_t i = 0; i < good.len; i++) {
		for (size_t k = 0; k < COUNT_OF(flips); k++) {
			struct db *db;
			struct err err = { 0 };
			memcpy(bytes, good.ptr, good.len);
			bytes[i] = (char)(bytes[i] ^ flips[k]);
			put(in_folder("b.db"), (struct str){ bytes, good.len });
			if (db_open(in_folder("b.db"), &db, &err) != 0)
				continue;
			(void)walk(db);
			int rc = db_verify(db, &err);
			/* Every byte is under some digest. */
			assert_true(rc == ERR_DIGEST || rc == ERR_FORMAT);
			db_close(db);
		}
	}
}

static void cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct str good = content(a, in_folder("a.db"));
	for (size_t n = 0; n < good.len; n++) {
		struct db *db;
		struct err err = { 0 };
		put(in_folder("b.db"), str_sub(good, 0, n));
		assert_int_not_equal(db_open(in_folder("b.db"), &db, &err), 0);
	}
	struct db *db;
	struct err err = { 0 };
	struct str more = { memcpy(arena_alloc(a, good.len + 1), good.ptr, good.len), good.len + 1 };
	put(in_folder("b.db"), more);
	assert_int_equal(db_open(in_folder("b.db"), &db, &err), ERR_FORMAT);
	assert_int_equal(db_open(in_folder("none.db"), &db, &err), ERR_NOT_FOUND);
	assert_int_equal(db_open(folder, &db, &err), ERR_FORMAT);
}

static void another_schema_says_both_numbers(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct str good = content(a, in_folder("a.db"));
	char *bytes = memcpy(arena_alloc(a, good.len), good.ptr, good.len);
	bytes[8] = 77;
	put(in_folder("b.db"), (struct str){ bytes, good.len });
	struct db *db;
	struct err err = { 0 };
	assert_int_equal(db_open(in_folder("b.db"), &db, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "schema 77"));
	assert_non_null(strstr(err.text, "schema 1"));
}

static void write_keys(const char *public_path, EVP_PKEY **ret)
{
	*ret = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *f = fopen(public_path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PUBKEY(f, *ret), 1);
	fclose(f);
}

static void a_signature_fits_its_file_and_key(void **state)
{
	(void)state;
	struct arena *a ARENA_AUTO = arena_new();
	struct err err = { 0 };
	EVP_PKEY *key, *other;
	char db_path[256], public[256], strange[256], side[256];
	(void)snprintf(db_path, sizeof(db_path), "%s/a.db", folder);
	(void)snprintf(public, sizeof(public), "%s/key.pem", folder);
	(void)snprintf(strange, sizeof(strange), "%s/other.pem", folder);
	(void)snprintf(side, sizeof(side), "%s/a.db.sig", folder);
	write_keys(public, &key);
	write_keys(strange, &other);
	assert_int_equal(db_verify_signature(db_path, public, &err), ERR_NOT_FOUND);
	struct str header = str_sub(content(a, db_path), 0, DB_HEADER_SIZE);
	unsigned char sig[64];
	size_t len = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len, (const unsigned char *)header.ptr, header.len), 1);
	EVP_MD_CTX_free(ctx);
	put(side, (struct str){ (const char *)sig, len });
	assert_int_equal(db_verify_signature(db_path, public, &err), 0);
	assert_int_equal(db_verify_signature(db_path, strange, &err), ERR_DIGEST);
	sig[7] ^= 1;
	put(side, (struct str){ (const char *)sig, len });
	assert_int_equal(db_verify_signature(db_path, public, &err), ERR_DIGEST);
	put(side, (struct str){ (const char *)sig, 63 });
	assert_int_equal(db_verify_signature(db_path, public, &err), ERR_FORMAT);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* --- many --- */

#define MANY_PACKAGES 20000u
#define MANY_FACTS 12u

static void many_path(char *path, size_t n) { (void)snprintf(path, n, "%s/b.db", folder); }

static void build_many(void)
{
	struct db_builder *b = db_builder_new();
	struct db_source s = { .name = STR("many") };
	uint32_t source = db_builder_source(b, &s);
	char name[32], id[32], version[32], path[256];
	for (unsigned i = 0; i < MANY_PACKAGES; i++) {
		for (unsigned k = 0; k < MANY_FACTS; k++) {
			(void)snprintf(name, sizeof(name), "package-%u", i * 2654435761u);
			(void)snprintf(id, sizeof(id), "CVE-20%02u-%u", k, 1000 + (i * 7 + k) % 30000);
			(void)snprintf(version, sizeof(version), "%u.%u-%u", i % 9, k, i % 100);
			struct db_fact f = { .id = str_from(id),
					     .fixed = str_from(version),
					     .source = source,
					     .status = STATUS_AFFECTED };
			db_builder_fact(b, STR("test:1"), str_from(name), &f);
		}
	}
	struct err err = { 0 };
	many_path(path, sizeof(path));
	assert_int_equal(db_builder_write(b, 1, path, &err), 0);
	db_builder_free(b);
}

static void *read_many(void *arg)
{
	struct db *db = arg;
	struct db_platform p;
	struct err err;
	size_t facts = 0;
	if (db_platform(db, STR("test:1"), &p, &err) != 0)
		return NULL;
	for (unsigned i = 0; i < MANY_PACKAGES; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "package-%u", i * 2654435761u);
		struct db_iter it;
		struct db_fact f;
		if (db_lookup(db, &p, str_from(name), &it, &err) != 0)
			return NULL;
		while (db_next(&it, &f))
			facts += f.id.len > 8 && f.fixed.len > 0;
	}
	return facts == (size_t)MANY_PACKAGES * MANY_FACTS ? db : NULL;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void several_threads_read_at_once(void **state)
{
	(void)state;
	build_many();
	char path[256];
	many_path(path, sizeof(path));
	struct err err = { 0 };
	struct db *db;
	double t0 = seconds();
	assert_int_equal(db_open(path, &db, &err), 0);
	double opened = seconds() - t0;
	pthread_t t[4];
	for (size_t i = 0; i < COUNT_OF(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_many, db), 0);
	for (size_t i = 0; i < COUNT_OF(t); i++) {
		void *ok;
		pthread_join(t[i], &ok);
		assert_ptr_equal(ok, db);
	}
	t0 = seconds();
	assert_ptr_equal(read_many(db), db);
	double each = (seconds() - t0) / MANY_PACKAGES;
	struct db_info info;
	db_info(db, &info);
	print_message("open %.3f ms; look-up and %u facts %.2f us; %.2f bytes a fact\n", opened * 1e3, MANY_FACTS,
		      each * 1e6, (double)info.size / (double)info.fact_count);
	/* A goal, with room for sanitizers and a loaded machine. */
	assert_true(each < 200e-6);
	assert_int_equal(db_verify(db, &err), 0);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(platforms_and_sources),
		cmocka_unit_test(vulnerabilities_are_joined_by_rank),
		cmocka_unit_test(the_order_of_facts_does_not_show),
		cmocka_unit_test(any_byte_changed_is_noticed),
		cmocka_unit_test(cut_off_anywhere_is_refused),
		cmocka_unit_test(another_schema_says_both_numbers),
		cmocka_unit_test(a_signature_fits_its_file_and_key),
		cmocka_unit_test(several_threads_read_at_once),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
