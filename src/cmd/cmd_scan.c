/* plimsoll image and plimsoll fs: targets in, reports out. */
#include "base/base.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "cmd/commands.h"
#include "cmd/outcome.h"
#include "image/stores.h"
#include "sandbox/worker.h"
#include "scan/scan.h"

#include <time.h>
#include <unistd.h>

#define DB_AGE_DAYS_DEFAULT 5

struct run {
	const struct options *options;
	struct arena *arena;
	struct outcome outcome;
	struct scan_options scan;
	struct image_access access;
	struct str_list targets;
	struct report report;
	int64_t db_age_days_max;
};

/* --- options ------------------------------------------------------------------------------------------------------ */

static int only_known(const struct options *o, enum option_id id, const char *known, struct err *err)
{
	const struct option_value *v = &o->values[id];
	for (size_t i = 0; i < v->list.len; i++)
		if (!str_eq(v->list.ptr[i], str_from(known)))
			return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is not in this version, which knows %s", STR_ARG(v->origin),
			               STR_ARG(v->list.ptr[i]), known);
	return 0;
}

/* Skipped folders become globs over the paths of what lies in them. */
static void take_skips(struct run *r)
{
	static const enum option_id ids[] = { OPT_SKIP_DIRS, OPT_SKIP_FILES };
	for (size_t k = 0; k < COUNT_OF(ids); k++) {
		const struct option_value *v = &r->options->values[ids[k]];
		for (size_t i = 0; i < v->list.len; i++) {
			struct str glob = v->list.ptr[i];
			while (str_skip(&glob, STR("/")) || str_skip(&glob, STR("./")))
				;
			while (str_drop(&glob, STR("/")))
				;
			*vec_push(r->arena, &r->scan.skip) =
			        ids[k] == OPT_SKIP_DIRS ? arena_printf(r->arena, "%.*s/**", STR_ARG(glob)) : glob;
		}
	}
}

/* To its end, without the newline that echo puts there. */
static int take_password(struct run *r, struct err *err)
{
	struct str text, password = option_text(r->options, OPT_PASSWORD, (struct str){ 0 });
	bool wanted = option_flag(r->options, OPT_PASSWORD_STDIN);
	if (wanted && password.len)
		return err_set(err, ERR_USAGE, "--password and --password-stdin exclude each other");
	if ((wanted || password.len) != (r->access.username.len > 0))
		return err_set(err, ERR_USAGE, "--username and a password (--password-stdin) go together");
	r->access.password = password;
	if (!wanted)
		return 0;
	if (str_eq(option_text(r->options, OPT_FROM_FILE, (struct str){ 0 }), STR("-")))
		return err_set(err, ERR_USAGE, "standard input cannot be both the password and --from-file");
	for (size_t i = 0; i < r->options->args.len; i++)
		if (str_eq(str_from(r->options->args.ptr[i]), STR("-")))
			return err_set(err, ERR_USAGE, "standard input cannot be both the password and the image");
	if (isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE, "standard input is a terminal; pipe the password into --password-stdin");
	if (fs_read_fd(r->arena, STDIN_FILENO, PASSWORD_SIZE_MAX, &text, err) < 0)
		return err_set(err, ERR_USAGE, "no password can be read from standard input");
	if (str_drop(&text, STR("\n")))
		(void)str_drop(&text, STR("\r"));
	r->access.password = text;
	return 0;
}

static int take_access(struct run *r, struct err *err)
{
	struct str cacert = option_text(r->options, OPT_CACERT, (struct str){ 0 });
	r->access.offline = option_flag(r->options, OPT_OFFLINE);
	r->access.insecure = option_flag(r->options, OPT_INSECURE);
	r->access.username = option_text(r->options, OPT_USERNAME, (struct str){ 0 });
	r->access.cacert = cacert.len ? str_cstr(r->arena, cacert) : NULL;
	return take_password(r, err);
}

static int take_options(struct run *r, struct err *err)
{
	int rc = only_known(r->options, OPT_SCANNERS, "vuln", err);
	if (rc == 0)
		rc = only_known(r->options, OPT_PKG_TYPES, "os", err);
	if (rc == 0)
		rc = outcome_take(r->arena, r->options, &r->outcome, err);
	if (rc == 0)
		rc = option_number(r->options, OPT_DB_MAX_AGE, 0, 36500, DB_AGE_DAYS_DEFAULT, &r->db_age_days_max, err);
	take_skips(r);
	r->scan.in_use = option_flag(r->options, OPT_IN_USE) || option_flag(r->options, OPT_FAIL_ON_IN_USE);
	r->scan.platform = option_text(r->options, OPT_PLATFORM, (struct str){ 0 });
	r->scan.distro = option_text(r->options, OPT_DISTRO, (struct str){ 0 });
	if (r->options->values[OPT_HOST].set)
		r->access.host = str_cstr(r->arena, option_text(r->options, OPT_HOST, (struct str){ 0 }));
	return rc < 0 ? rc : take_access(r, err);
}

/* --- targets ------------------------------------------------------------------------------------------------------ */

/* A name a line; empty lines and what begins with # are passed over. */
static int take_file_of_targets(struct run *r, struct err *err)
{
	struct str path = option_text(r->options, OPT_FROM_FILE, (struct str){ 0 }), rest, line;
	int rc = 0;
	if (path.len == 0)
		return 0;
	if (str_eq(path, STR("-")))
		rc = fs_read_fd(r->arena, STDIN_FILENO, TARGET_LIST_SIZE_MAX, &rest, err);
	else
		rc = fs_read(r->arena, str_cstr(r->arena, path), TARGET_LIST_SIZE_MAX, &rest, err);
	if (rc < 0)
		return err_set(err, ERR_USAGE, "--from-file %.*s cannot be read", STR_ARG(path));
	while (str_cut(&rest, '\n', &line)) {
		line = str_trim(line);
		if (line.len && line.ptr[0] != '#')
			*vec_push(r->arena, &r->targets) = line;
	}
	return 0;
}

static int take_all_images(struct run *r, struct err *err)
{
	struct image_options o = { .access = &r->access, .now = r->scan.now };
	struct str_list notes = { 0 };
	if (!option_flag(r->options, OPT_ALL))
		return 0;
	int rc = stores_list(r->arena, &o, &r->targets, &notes, err);
	for (size_t i = 0; i < notes.len; i++)
		log_warn("%.*s", STR_ARG(notes.ptr[i]));
	return rc;
}

/* As they were named, each once: stores list an image under each of its names, which is worth a report each. */
static void drop_repeated_targets(struct run *r)
{
	struct map seen = { 0 };
	size_t kept = 0;
	for (size_t i = 0; i < r->targets.len; i++) {
		bool fresh;
		(void)map_put(r->arena, &seen, r->targets.ptr[i], &fresh);
		if (fresh)
			r->targets.ptr[kept++] = r->targets.ptr[i];
	}
	r->targets.len = kept;
}

static int take_targets(struct run *r, struct err *err)
{
	const struct options *o = r->options;
	for (size_t i = 0; i < o->args.len; i++)
		*vec_push(r->arena, &r->targets) = str_from(o->args.ptr[i]);
	int rc = take_file_of_targets(r, err);
	if (rc == 0)
		rc = take_all_images(r, err);
	drop_repeated_targets(r);
	if (rc == 0 && r->targets.len == 0 && (o->values[OPT_FROM_FILE].set || option_flag(o, OPT_ALL)))
		return err_set(err, ERR_NOT_FOUND, "no image is named there");
	if (rc == 0 && r->targets.len == 0)
		rc = err_set(err, ERR_USAGE, "what is to be scanned? plimsoll %s --help shows how to say it",
		             o->command == CMD_FS ? "fs" : "image");
	return rc;
}

/* --- the run ------------------------------------------------------------------------------------------------------ */

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
	progress_set(ctx, done, total);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Ignores that did nothing or have run out: they belong to the user's files, not to the image. */
static void say_policy_notes(const struct run *r)
{
	struct str_list notes = { 0 };
	policy_notes(r->arena, &r->outcome.policy, scan_date(r->arena, r->scan.now), &r->report, &notes);
	for (size_t i = 0; i < notes.len; i++)
		log_verbose("%.*s", STR_ARG(notes.ptr[i]));
}

/* Through a peer's link: what the peer would have looked for and this version does not is said of each target. False:
 * there is nothing in one that this version could have judged, so its "no findings" would be a lie. */
static bool add_swap_notes(struct run *r)
{
	const struct swap_asks *swap = &r->options->swap;
	bool judged = true;
	for (size_t i = 0; i < r->report.targets.len; i++) {
		struct target *t = &r->report.targets.ptr[i];
		for (size_t k = 0; k < swap->not_assessed.len; k++) {
			struct str what, reason = str_from(swap->not_assessed.ptr[k]);
			(void)str_cut(&reason, '\t', &what);
			*vec_push(r->arena, &t->not_assessed) = (struct not_assessed){ .what = what, .reason = reason };
			log_error("%.*s: not assessed: %.*s: %.*s", STR_ARG(t->name), STR_ARG(what), STR_ARG(reason));
		}
		if (swap->packages_only)
			t->findings.len = 0;
		if (swap->refuse_empty && t->packages.len == 0) {
			log_error("%.*s: there is no package in it that this version can read", STR_ARG(t->name));
			judged = false;
		}
	}
	return judged;
}

static int scan_targets(struct run *r, uint64_t start_ms)
{
	int failed = EXIT_DONE;
	for (size_t i = 0; i < r->targets.len; i++) {
		const char *target = str_cstr(r->arena, r->targets.ptr[i]);
		struct err err = { 0 };
		r->scan.progress_ctx = str_cstr(r->arena, r->targets.ptr[i]);
		int rc = r->options->command == CMD_FS ? scan_folder(r->arena, &r->scan, target, &r->report, &err)
		                                       : scan_image(r->arena, &r->scan, target, &r->report, &err);
		progress_end();
		if (rc < 0) {
			int code = command_failed(&err);
			failed = failed == EXIT_USAGE ? failed : code;
		}
	}
	if (r->report.targets.len == 0)
		return failed;
	struct err err = { 0 };
	if (!add_swap_notes(r))
		failed = EXIT_USAGE;
	scan_finish(r->arena, &r->outcome.policy, now_ms() - start_ms, &r->report);
	say_policy_notes(r);
	if (outcome_write(&r->outcome, &r->report, r->scan.now, &err) < 0)
		failed = command_failed(&err);
	struct outcome_facts facts = outcome_facts_of(&r->report);
	return failed ? failed : outcome_verdict(&r->outcome, &facts);
}

static int scan(const struct options *o)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct run r = { .options = o, .arena = a };
	struct err err = { 0 };
	struct str db_path;
	uint64_t start_ms = now_ms();
	r.scan.now = (int64_t)time(NULL);
	if (take_options(&r, &err) < 0)
		return command_failed(&err);
	sandbox_setup(!option_flag(o, OPT_NO_SANDBOX));
	if (take_targets(&r, &err) < 0)
		return command_failed(&err);
	struct db *db = command_open_db(a, o, &db_path, &err);
	if (!db)
		return command_failed(&err);
	struct cache *cache = cache_open(option_flag(o, OPT_NO_CACHE) ? NULL : command_cache_dir(a, o));
	r.scan.db = db;
	r.scan.cache = cache;
	r.scan.access = &r.access;
	r.scan.plain_names = o->swap.plain_names;
	r.scan.memo = image_memo_new();
	r.scan.progress = show_progress;
	scan_begin(a, r.scan.now, &r.report);
	scan_describe_db(a, db, str_cstr(a, db_path), r.scan.now, r.db_age_days_max, &r.report);
	int code = scan_targets(&r, start_ms);
	if (db_broken(db)) {
		log_error("the database %.*s is damaged; \"plimsoll db verify\" says where", STR_ARG(db_path));
		code = EXIT_FAILED;
	}
	image_memo_free(r.scan.memo);
	cache_close(cache);
	db_close(db);
	return code;
}

int command_image(const struct options *o)
{
	return scan(o);
}

int command_fs(const struct options *o)
{
	return scan(o);
}
