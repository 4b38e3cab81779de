/* plimsoll db update: options in, exit code out; a line for each feed. What is fetched and built is done in advisory/. */
#include "advisory/db.h"
#include "advisory/feed_sources.h"
#include "advisory/update.h"
#include "base/base.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "config.h"
#include "sandbox/worker.h"
#include "scan/scan.h"

#include <sys/stat.h>
#include <unistd.h>

static struct str size_text(struct arena *a, uint64_t n)
{
	if (n < 1000)
		return arena_printf(a, "%llu B", (unsigned long long)n);
	if (n < 1000000)
		return arena_printf(a, "%.1f kB", (double)n / 1e3);
	return n < 1000000000 ? arena_printf(a, "%.1f MB", (double)n / 1e6) : arena_printf(a, "%.2f GB", (double)n / 1e9);
}

static struct str date_or(struct arena *a, int64_t t, const char *otherwise)
{
	return t > 0 ? scan_date(a, t) : str_from(otherwise);
}

/* --- --list --- */

static int64_t date_of(const struct db *db, const char *source)
{
	struct db_source s;
	for (uint32_t i = 0; db && db_source(db, i, &s); i++)
		if (str_eq(s.name, str_from(source)))
			return s.updated;
	return 0;
}

static void print_row(struct arena *a, const struct feed_row *row, const struct db *db)
{
	struct feed_row_file f;
	struct str url;
	printf("%-15s %-10s %.*s  %s, %s; %s\n", row->name, row->standard ? "standard" : "by name",
	       STR_ARG(date_or(a, date_of(db, row->source), "-         ")), row->packing, row->size, row->cadence);
	printf("%15s licence: %s; %s\n", "", row->licence, row->attribution);
	if (row->why_not)
		printf("%15s not by default: %s\n", "", row->why_not);
	if (!feed_row_file(row, 0, &f))
		return;
	size_t files = feed_row_files(row);
	for (size_t i = 0; (url = feed_row_url(a, row, &f, i)).len; i++)
		printf("%15s %.*s%s\n", "", STR_ARG(url), files > 1 ? " ..." : "");
}

static int list(const struct options *o)
{
	struct str path;
	struct err err = { 0 };
	struct db *db = command_open_db(o->arena, o, &path, &err);
	printf("Feeds, and the dates of what %.*s has of them:\n\n", STR_ARG(db ? path : STR("no database")));
	for (size_t i = 0; i < feed_row_count; i++)
		print_row(o->arena, &feed_rows[i], db);
	db_close(db);
	return EXIT_DONE;
}

/* --- the run --- */

static void progress(void *ctx, const char *what, uint64_t done, uint64_t size)
{
	(void)ctx;
	progress_set(what, done, size);
}

static const char *state_word(enum update_state state)
{
	switch (state) {
	case UPDATE_NEW:
		return "new";
	case UPDATE_UNCHANGED:
		return "unchanged";
	case UPDATE_KEPT:
	case UPDATE_LOST:
		return "failed";
	}
	return "?";
}

static void print_feed(struct arena *a, const struct update_feed *f)
{
	printf("%-15.*s %-10s", STR_ARG(f->name), state_word(f->state));
	if (f->state == UPDATE_KEPT)
		printf("kept from %.*s: %s\n", STR_ARG(date_or(a, f->date, "before")), f->why.text);
	else if (f->state == UPDATE_LOST)
		printf("nothing is known of it: %s\n", f->why.text);
	else
		printf("%.*s %8llu advisories %10.*s %6.1f s\n", STR_ARG(date_or(a, f->date, "-         ")),
		       (unsigned long long)f->advisories, STR_ARG(size_text(a, f->size)), f->seconds);
}

static void print_result(const struct options *o, const struct update_options *u, const struct update_result *r)
{
	if (option_flag(o, OPT_QUIET))
		return;
	size_t others = 0;
	for (size_t i = 0; i < r->count; i++) {
		bool quiet = r->feeds[i].other && r->feeds[i].state == UPDATE_NEW;
		others += quiet;
		if (!quiet)
			print_feed(o->arena, &r->feeds[i]);
	}
	if (others)
		printf("%zu file%s of other feeds\n", others, others == 1 ? "" : "s");
	if (r->carried)
		printf("%zu other source%s as before\n", r->carried, r->carried == 1 ? "" : "s");
	printf("%s%s: %llu facts, %llu vulnerabilities, %.*s\n", r->installed ? "taken as it is: " : "", u->output,
	       (unsigned long long)r->facts, (unsigned long long)r->vulns, STR_ARG(size_text(o->arena, r->size)));
}

static int check(const struct options *o, struct err *err)
{
	if (o->args.len)
		return err_set(err, ERR_USAGE, "db update takes no argument (\"%s\"); --from names a folder or file", o->args.ptr[0]);
	if (option_flag(o, OPT_OFFLINE) && !o->values[OPT_FROM].set)
		return err_set(err, ERR_USAGE, "%.*s: feeds are not fetched; --from takes them from a folder or file",
		               STR_ARG(o->values[OPT_OFFLINE].origin));
	if (o->values[OPT_FROM].set && o->values[OPT_MIRROR].set)
		return err_set(err, ERR_USAGE, "--from and --mirror say two different things");
	const struct option_value *m = &o->values[OPT_MIRROR];
	for (size_t i = 0; i < m->list.len; i++) {
		struct str url = m->list.ptr[i];
		bool http = str_skip(&url, STR("https://")) || str_skip(&url, STR("http://"));
		struct str host;
		(void)str_cut(&url, '/', &host);
		if (!str_eq(m->list.ptr[i], STR("publisher")) && (!http || host.len == 0 || str_find(host, '@') >= 0))
			return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is not http://HOST/... or https://HOST/..., without a user name",
			               STR_ARG(m->origin), STR_ARG(m->list.ptr[i]));
	}
	return 0;
}

/* What there is already: the file that is to be replaced, else the newest database that a scan would take. */
static const char *find_old(const struct options *o, const char *output)
{
	struct err err = { 0 };
	struct str path;
	struct stat st;
	if (o->values[OPT_DB_OUTPUT].set && stat(output, &st) == 0)
		return output;
	struct db *db = command_open_db(o->arena, o, &path, &err);
	db_close(db);
	return db ? str_cstr(o->arena, path) : NULL;
}

static int prepare(const struct options *o, struct update_options *u, struct err *err)
{
	uint64_t seconds;
	int rc = check(o, err);
	rc = rc ? rc : option_seconds(o, OPT_FEED_TIMEOUT, 0, &seconds, err);
	if (rc != 0)
		return rc;
	struct str output = option_text(o, OPT_DB_OUTPUT, (struct str){ 0 });
	*u = (struct update_options){
		.cache = command_cache_dir(o->arena, o),
		.from = o->values[OPT_FROM].set ? str_cstr(o->arena, o->values[OPT_FROM].text) : NULL,
		.feeds = o->values[OPT_FEED].list.ptr,
		.feed_count = o->values[OPT_FEED].list.len,
		.mirrors = o->values[OPT_MIRROR].list.ptr,
		.mirror_count = o->values[OPT_MIRROR].list.len,
		.ca_file = o->values[OPT_CACERT].set ? str_cstr(o->arena, o->values[OPT_CACERT].text) : NULL,
		.seconds_max = (unsigned)seconds,
		.force = option_flag(o, OPT_FORCE),
		.progress = progress,
	};
	if (output.len)
		u->output = str_cstr(o->arena, output);
	else if (u->cache)
		u->output = arena_printf(o->arena, "%s/%s", u->cache, COMMAND_DB_FILE).ptr;
	else
		return err_set(err, ERR_USAGE, "there is no cache folder for the database: name one with --cache-dir, or a file with -o");
	u->old = find_old(o, u->output);
	return 0;
}

int command_db_update(const struct options *o)
{
	struct err err = { 0 };
	struct update_options u;
	struct update_result result = { 0 };
	if (option_flag(o, OPT_LIST))
		return list(o);
	if (prepare(o, &u, &err) != 0)
		return command_failed(&err);
	sandbox_setup(!option_flag(o, OPT_NO_SANDBOX));
	int rc = db_update(&u, o->arena, &result, &err);
	progress_end();
	if (result.note.len)
		log_warn("%.*s", STR_ARG(result.note));
	if (rc != 0) {
		for (size_t i = 0; i < result.count && err.code != ERR_USAGE; i++)
			if (result.feeds[i].why.code)
				log_warn("%.*s: %s", STR_ARG(result.feeds[i].name), result.feeds[i].why.text);
		return command_failed(&err);
	}
	print_result(o, &u, &result);
	if (result.failed)
		log_warn("%zu of %zu feeds could not be updated", result.failed, result.count);
	return result.failed && option_flag(o, OPT_STRICT) ? EXIT_NOT_ASSESSED : EXIT_DONE;
}
