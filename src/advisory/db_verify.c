/* Does an advisory file hold what its header promises: digests, zeros between sections, every record and every fact;
 * and, where somebody asks, the detached signature over the header. */
#include "advisory/db_internal.h"

#include "base/base.h"
#include "base/fs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#define ED25519_SIZE 64u
#define PUBLIC_KEY_SIZE_MAX (64 * KIB)

static const char *const section_names[DB_SECTION_COUNT] = {
	"sources",          "platforms",          "packages",      "slots",       "facts",
	"shapes",           "vulnerabilities",    "CWE lists",     "pool of ids", "pool of names",
	"pool of versions", "pool of advisories", "pool of words",
};

static int verify_digests(struct str bytes, struct err *err)
{
	struct db again = { 0 };
	struct sha256 want[DB_SECTION_COUNT + 1];
	int rc = db_header_parse(bytes, &again, want, err);
	if (rc != 0)
		return rc;
	struct sha256 got = sha256_of(str_sub(bytes, 0, DB_HEADER_SIZE - SHA256_SIZE));
	if (!sha256_eq(&got, &want[DB_SECTION_COUNT]))
		return err_set(err, ERR_DIGEST, "the header does not match its digest");
	size_t at = DB_HEADER_SIZE;
	for (unsigned i = 0; i < DB_SECTION_COUNT; i++) {
		for (; at % DB_ALIGN != 0; at++)
			if (bytes.ptr[at] != 0)
				return err_set(err, ERR_FORMAT, "offset %zu: not zero between sections", at);
		got = sha256_of(again.section[i]);
		if (!sha256_eq(&got, &want[i]))
			return err_set(err, ERR_DIGEST, "section \"%s\" does not match its digest", section_names[i]);
		at += again.section[i].len;
	}
	return 0;
}

static int verify_sizes(const struct db *db, struct err *err)
{
	static const struct {
		enum db_section section;
		uint32_t size;
	} rows[] = { { DB_SOURCES, DB_SOURCE_SIZE },   { DB_PLATFORMS, DB_PLATFORM_SIZE },
		     { DB_PACKAGES, DB_PACKAGE_SIZE }, { DB_SLOTS, DB_SLOT_SIZE },
		     { DB_SHAPES, DB_SHAPE_SIZE },     { DB_VULNS, DB_VULN_SIZE } };
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (db->section[rows[i].section].len % rows[i].size != 0)
			return err_set(err, ERR_FORMAT, "section \"%s\" is no whole number of records",
				       section_names[rows[i].section]);
	return 0;
}

static int verify_pools(const struct db *db, struct err *err)
{
	for (unsigned i = 0; i < DB_POOL_COUNT; i++) {
		bool sorted = i + DB_POOL_FIRST < DB_POOL_VERSIONS;
		struct str before = { 0 }, s;
		for (uint32_t j = 0; j < db->pool[i].count; j++) {
			bool good = db_pool_get(&db->pool[i], j, &s) &&
				    (j == 0 ? sorted || s.len == 0 : !sorted || str_cmp(before, s) < 0);
			if (!good)
				return err_set(err, ERR_FORMAT, "%s: string %u", section_names[DB_POOL_FIRST + i], j);
			before = s;
		}
	}
	return 0;
}

static int verify_package(const struct db *db, const struct db_platform *p, uint64_t index, uint64_t *facts,
			  struct err *err)
{
	struct str name;
	struct db_iter it, found;
	struct db_fact f;
	struct db_source s;
	if (!db_package_at(db, p, index, &name, &it) || db_lookup(db, p, name, &found, err) != 0 || found.at != it.at)
		return err_set(err, ERR_FORMAT, "%.*s: package %llu is not found by its name", STR_ARG(p->name),
			       (unsigned long long)index);
	uint64_t left = it.left;
	for (; db_next(&it, &f); left--, (*facts)++)
		if (!db_source(db, f.source, &s))
			break;
	return left == 0
		   ? 0
		   : err_set(err, ERR_FORMAT, "%.*s: a fact of %.*s leads nowhere", STR_ARG(p->name), STR_ARG(name));
}

static int verify_facts(const struct db *db, struct err *err)
{
	struct db_platform p;
	uint64_t facts = 0, packages = 0;
	for (uint32_t i = 0; db_platform_at(db, i, &p); i++) {
		for (uint64_t j = 0; j < p.package_count; j++, packages++) {
			int rc = verify_package(db, &p, j, &facts, err);
			if (rc != 0)
				return rc;
		}
	}
	if (facts != db->fact_count || packages != db_records(db, DB_PACKAGES, DB_PACKAGE_SIZE))
		return err_set(err, ERR_FORMAT, "%llu facts of %llu packages, which is not what the header says",
			       (unsigned long long)facts, (unsigned long long)packages);
	return 0;
}

static int verify_rest(const struct db *db, struct err *err)
{
	struct db_source s;
	for (uint32_t i = 0; db_source(db, i, &s); i++)
		if (s.name.len == 0)
			return err_set(err, ERR_FORMAT, "source %u has no name", i);
	struct db_vuln v;
	struct str name;
	uint64_t count = db_records(db, DB_VULNS, DB_VULN_SIZE);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t id = db_u32(db, DB_VULNS, i * DB_VULN_SIZE);
		bool order = i == 0 || id > db_u32(db, DB_VULNS, (i - 1) * DB_VULN_SIZE);
		if (!order || !db_vuln_at(db, i, &name, &v) || name.len == 0)
			return err_set(err, ERR_FORMAT, "vulnerability record %llu", (unsigned long long)i);
	}
	return db_broken(db) ? err_set(err, ERR_FORMAT, "an offset leads nowhere") : 0;
}

int db_verify_records(const struct db *db, struct err *err)
{
	int rc = verify_sizes(db, err);
	rc = rc ? rc : verify_pools(db, err);
	rc = rc ? rc : verify_facts(db, err);
	return rc ? rc : verify_rest(db, err);
}

int db_verify(const struct db *db, struct err *err)
{
	int rc = hash_setup(err);
	rc = rc ? rc : verify_digests(db->map, err);
	return rc ? rc : db_verify_records(db, err);
}

static int read_key(struct arena *a, const char *path, EVP_PKEY **ret, struct err *err)
{
	struct str text;
	int rc = fs_read(a, path, PUBLIC_KEY_SIZE_MAX, &text, err);
	if (rc != 0)
		return rc;
	BIO *bio = BIO_new_mem_buf(text.ptr, str_len_int(text));
	*ret = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (!*ret || EVP_PKEY_get_base_id(*ret) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(*ret);
		return err_set(err, ERR_FORMAT, "%s: not an Ed25519 public key in PEM form", path);
	}
	return 0;
}

static bool signature_fits(EVP_PKEY *key, struct str signature, struct str header)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
				     (const unsigned char *)header.ptr, header.len) == 1;
	EVP_MD_CTX_free(ctx);
	return fits;
}

/* The opened map is what gets verified: a file that is replaced meanwhile changes nothing. */
int db_verify_signature(const char *path, const char *public_key_path, struct err *err)
{
	struct arena *a ARENA_AUTO = arena_new();
	struct str signature;
	EVP_PKEY *key = NULL;
	struct db *db = NULL;
	const char *side = arena_printf(a, "%s.sig", path).ptr;
	int rc = fs_read(a, side, ED25519_SIZE, &signature, err);
	if (rc == 0 && signature.len != ED25519_SIZE)
		rc = err_set(err, ERR_FORMAT, "%s: not a signature of %u bytes", side, ED25519_SIZE);
	rc = rc ? rc : read_key(a, public_key_path, &key, err);
	rc = rc ? rc : db_open(path, &db, err);
	if (rc == 0 && !signature_fits(key, signature, str_sub(db->map, 0, DB_HEADER_SIZE)))
		rc = err_set(err, ERR_DIGEST, "%s does not fit %s and this key", side, path);
	if (rc == 0 && (rc = hash_setup(err)) == 0 && (rc = verify_digests(db->map, err)) != 0)
		(void)err_wrap(err, "%s", path);
	EVP_PKEY_free(key);
	db_close(db);
	return rc;
}
