/* plimsoll db: build, status, verify, compare; and where the database is. */
#include "advisory/build.h"
#include "base/base.h"
#include "base/log.h"
#include "cache/cache.h"
#include "cmd/commands.h"
#include "config.h"
#include "sandbox/worker.h"
#include "scan/scan.h"
#include "version/versions.h"

#include <time.h>
#include <unistd.h>

#define DB_FILE COMMAND_DB_FILE

const char *command_cache_dir(struct arena *a, const struct options *o)
{
	struct str given = option_text(o, OPT_CACHE_DIR, (struct str){ 0 });
	return given.len ? str_cstr(a, given) : cache_default_dir(a);
}

/* BUILD/plimsoll beside BUILD/build.ninja: the source tree's own database. NULL where the program is installed. */
static const char *source_tree_db(struct arena *a)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	struct str path = { exe, (size_t)n };
	struct str folder = str_sub(path, 0, (size_t)(str_rfind(path, '/') < 0 ? 0 : str_rfind(path, '/')));
	if (access(arena_printf(a, "%.*s/build.ninja", STR_ARG(folder)).ptr, F_OK) != 0)
		return NULL;
	return arena_printf(a, "%.*s/../data/%s", STR_ARG(folder), DB_FILE).ptr;
}

static int64_t built_at(const struct db *db)
{
	struct db_info info;
	db_info(db, &info);
	return info.built;
}

struct db *command_open_db(struct arena *a, const struct options *o, struct str *ret_path, struct err *err)
{
	struct str given = option_text(o, OPT_DB, (struct str){ 0 });
	const char *cache = command_cache_dir(a, o);
	const char *paths[] = {
		cache ? arena_printf(a, "%s/%s", cache, DB_FILE).ptr : NULL,
		source_tree_db(a),
		PLIMSOLL_DATA_DIR "/" DB_FILE,
		DB_EMBEDDED_NAME,
	};
	struct db *best = NULL;
	if (given.len) {
		*ret_path = given;
		if (db_open(str_cstr(a, given), &best, err) < 0)
			return NULL;
		return best;
	}
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct db *db;
		struct err why = { 0 };
		if (!paths[i])
			continue;
		int rc = i + 1 == COUNT_OF(paths) ? db_open_embedded(&db, &why) : db_open(paths[i], &db, &why);
		if (rc < 0) {
			if (rc != ERR_NOT_FOUND)
				log_warn("%s", why.text);
			continue;
		}
		/* Equally new: the one named first. */
		if (best && built_at(db) <= built_at(best)) {
			db_close(db);
			continue;
		}
		db_close(best);
		best = db;
		*ret_path = str_from(paths[i]);
	}
	if (!best)
		err_set(err, ERR_NOT_FOUND, "there is no advisory database: name one with --db, or build one with \"plimsoll db build\"");
	return best;
}

/* What became of each feed is the command's output, so that a build's log can be kept and compared. */
static void print_log(const void *ctx, const char *line)
{
	const struct options *o = ctx;
	if (!option_flag(o, OPT_QUIET))
		printf("%s\n", line);
}

int command_db_build(const struct options *o)
{
	struct err err = { 0 };
	struct str feeds = option_text(o, OPT_FEEDS, (struct str){ 0 });
	struct str output = option_text(o, OPT_DB_OUTPUT, (struct str){ 0 });
	struct str manifest = option_text(o, OPT_MANIFEST, (struct str){ 0 });
	if (o->args.len)
		return command_failed((err_set(&err, ERR_USAGE, "db build takes no argument (\"%s\")", o->args.ptr[0]), &err));
	if (feeds.len == 0 || output.len == 0)
		return command_failed((err_set(&err, ERR_USAGE, "db build wants --feeds DIR and -o FILE"), &err));
	sandbox_setup(!option_flag(o, OPT_NO_SANDBOX));
	struct db_build_options build = {
		.feeds = str_cstr(o->arena, feeds),
		.manifest = manifest.len ? str_cstr(o->arena, manifest) : NULL,
		.output = str_cstr(o->arena, output),
		.log = print_log,
		.log_ctx = o,
	};
	return db_build_feeds(&build, &err) < 0 ? command_failed(&err) : EXIT_DONE;
}

static void print_sources(struct arena *a, const struct db *db, uint64_t count)
{
	printf("\nSources:\n");
	for (uint32_t i = 0; i < count; i++) {
		struct db_source s;
		if (!db_source(db, i, &s))
			break;
		printf("  %-20.*s %.*s  %7ju advisories  %8ju facts  %.*s\n", STR_ARG(s.name), STR_ARG(scan_date(a, s.updated)),
		       (uintmax_t)s.advisories, (uintmax_t)s.facts, STR_ARG(s.licence));
		printf("  %-20s %.*s\n", "", STR_ARG(s.coverage));
	}
}

static void print_platforms(struct arena *a, const struct db *db, uint64_t count)
{
	printf("\nDistributions and ecosystems:\n");
	for (uint32_t i = 0; i < count; i++) {
		struct db_platform p;
		if (!db_platform_at(db, i, &p))
			break;
		printf("  %-20.*s %.*s  %7ju packages    %.*s\n", STR_ARG(p.name), STR_ARG(scan_date(a, p.updated)),
		       (uintmax_t)p.package_count, STR_ARG(p.coverage.len ? p.coverage : STR("complete")));
	}
}

int command_db_status(const struct options *o)
{
	struct err err = { 0 };
	struct str path;
	struct db *db = command_open_db(o->arena, o, &path, &err);
	if (!db)
		return command_failed(&err);
	struct db_info info;
	db_info(db, &info);
	printf("%.*s\n", STR_ARG(path));
	printf("built %.*s (%jd days ago), schema %u, %ju bytes\n", STR_ARG(scan_time(o->arena, info.built)),
	       ((intmax_t)time(NULL) - info.built) / 86400, info.schema, (uintmax_t)info.size);
	printf("%ju facts of %ju packages, %ju vulnerabilities\n", (uintmax_t)info.fact_count, (uintmax_t)info.package_count,
	       (uintmax_t)info.vuln_count);
	print_sources(o->arena, db, info.source_count);
	print_platforms(o->arena, db, info.platform_count);
	bool broken = db_broken(db);
	db_close(db);
	if (!broken)
		return EXIT_DONE;
	log_error("the database is damaged");
	return EXIT_FAILED;
}

int command_db_verify(const struct options *o)
{
	struct err err = { 0 };
	struct str path;
	struct db *db = command_open_db(o->arena, o, &path, &err);
	if (!db)
		return command_failed(&err);
	int rc = db_verify(db, &err);
	db_close(db);
	if (rc < 0)
		return err_wrap(&err, "%.*s", STR_ARG(path)), command_failed(&err);
	printf("%.*s: all sections and records are sound\n", STR_ARG(path));
	return EXIT_DONE;
}

int command_db_compare(const struct options *o)
{
	struct err err = { 0 };
	if (o->args.len != 1)
		return command_failed((err_set(&err, ERR_USAGE, "db compare wants one ecosystem: debian, alpine, redhat"), &err));
	const struct version_scheme *scheme = version_scheme_find(str_from(o->args.ptr[0]));
	if (!scheme)
		return command_failed(
		        (err_set(&err, ERR_USAGE, "\"%s\" is no ecosystem: debian, alpine, redhat", o->args.ptr[0]), &err));
	if (versions_compare_stream(scheme, stdin, stdout, &err) < 0)
		return command_failed(&err);
	return EXIT_DONE;
}
