/* plimsoll image and plimsoll fs: targets in, reports out. */
#include "base/base.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/yaml.h"
#include "cmd/commands.h"
#include "image/stores.h"
#include "report/formats.h"
#include "sandbox/worker.h"
#include "scan/scan.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DB_AGE_DAYS_DEFAULT 5

struct output {
	const struct report_format *format;
	const char *path; /* NULL: standard output */
};

struct run {
	const struct options *options;
	struct arena *arena;
	struct policy policy;
	struct scan_options scan;
	struct image_access access;
	struct str_list targets;
	struct report report;
	VEC(struct output) outputs;
	int64_t exit_code, exit_on_eol, db_age_days_max;
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

static int not_in_this_version(const struct options *o, struct err *err)
{
	if (o->values[OPT_IGNORE].set)
		return err_set(err, ERR_USAGE, "%.*s: conditions come with the rule book and are not in this version; use the ignore "
		                               "list in .plimsoll.yaml",
		               STR_ARG(o->values[OPT_IGNORE].origin));
	if (o->values[OPT_VEX].set)
		return err_set(err, ERR_USAGE, "%.*s is not in this version", STR_ARG(o->values[OPT_VEX].origin));
	int rc = only_known(o, OPT_SCANNERS, "vuln", err);
	return rc < 0 ? rc : only_known(o, OPT_PKG_TYPES, "os", err);
}

/* A list, wherever it came from, as one text. */
static struct str join(struct arena *a, const struct option_value *v)
{
	struct str all = { 0 };
	for (size_t i = 0; i < v->list.len; i++)
		all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i ? "," : "", STR_ARG(v->list.ptr[i]));
	return all;
}

/* --severity and --ignore-status: what is shown. */
static int take_filters(struct run *r, struct err *err)
{
	const struct option_value *severity = &r->options->values[OPT_SEVERITY];
	const struct option_value *status = &r->options->values[OPT_IGNORE_STATUS];
	int rc = 0;
	if (severity->set && (rc = policy_parse_severities(join(r->arena, severity), r->policy.severity_shown, err)) < 0)
		return err_wrap(err, "%.*s", STR_ARG(severity->origin)), rc;
	if (status->set && (rc = policy_parse_statuses(join(r->arena, status), r->policy.status_ignored, err)) < 0)
		err_wrap(err, "%.*s", STR_ARG(status->origin));
	return rc;
}

static int take_gate(struct run *r, struct err *err)
{
	const struct option_value *gate = &r->options->values[OPT_FAIL_ON], *unrated = &r->options->values[OPT_UNRATED];
	if (unrated->set && !severity_parse(unrated->text, &r->policy.unrated))
		return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is no severity", STR_ARG(unrated->origin), STR_ARG(unrated->text));
	if (!gate->set)
		return 0;
	r->policy.gate = true;
	if (!severity_parse(gate->text, &r->policy.fail_on))
		return err_set(err, ERR_USAGE,
		               "%.*s: \"%.*s\" is no severity; conditions come with the rule book and are not in this version",
		               STR_ARG(gate->origin), STR_ARG(gate->text));
	return 0;
}

/* The ignore lists: of the configuration, and --ignorefile or ./.trivyignore. */
static int take_ignores(struct run *r, struct err *err)
{
	const struct option_value *v = &r->options->values[OPT_IGNOREFILE];
	struct str name = v->set ? v->text : STR(".trivyignore");
	struct str text;
	struct value *documents;
	int rc = 0;
	if (r->options->ignore_list)
		rc = policy_add_yaml(r->arena, &r->policy, r->options->config_file, r->options->ignore_list, err);
	if (rc == 0 && r->options->swap.add_ignores)
		rc = r->options->swap.add_ignores(r->options->swap.ctx, r->arena, &r->policy, err);
	if (rc < 0 || (v->set && v->text.len == 0))
		return rc;
	rc = fs_read(r->arena, str_cstr(r->arena, name), YAML_SIZE_MAX, &text, err);
	if (rc == ERR_NOT_FOUND && !v->set)
		return 0;
	if (rc < 0)
		return err_set(err, ERR_USAGE, "the ignore file %.*s cannot be read", STR_ARG(name));
	*vec_push(r->arena, &r->policy.files) = name;
	if (!str_ends(name, STR(".yaml")) && !str_ends(name, STR(".yml")))
		return policy_add_trivyignore(r->arena, &r->policy, name, text, err);
	if (yaml_parse(r->arena, text, &documents, err) < 0)
		return err_wrap(err, "%.*s", STR_ARG(name)), ERR_USAGE;
	const struct value *top = value_at(documents, 0);
	if (policy_is_trivyignore_yaml(top))
		return policy_add_trivyignore_yaml(r->arena, &r->policy, name, top, err);
	const struct value *list = value_is(top, VALUE_MAP) ? value_get(top, "ignore") : top;
	if (!list)
		return err_set(err, ERR_USAGE, "%.*s: no ignore list in it", STR_ARG(name));
	return policy_add_yaml(r->arena, &r->policy, name, list, err);
}

static int take_policy(struct run *r, struct err *err)
{
	policy_init(&r->policy);
	r->policy.builtin_ignores = !option_flag(r->options, OPT_NO_BUILTIN_IGNORES);
	r->policy.ignore_unfixed = option_flag(r->options, OPT_IGNORE_UNFIXED);
	if (r->options->config_file.len)
		*vec_push(r->arena, &r->policy.files) = r->options->config_file;
	int rc = take_filters(r, err);
	if (rc == 0)
		rc = take_gate(r, err);
	return rc == 0 ? take_ignores(r, err) : rc;
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

static int take_outputs(struct run *r, struct err *err)
{
	const struct option_value *v = &r->options->values[OPT_OUTPUT];
	struct str name = option_text(r->options, OPT_FORMAT, STR("table"));
	const struct report_format *format = report_format_find(name);
	if (!format)
		return err_set(err, ERR_USAGE, "\"%.*s\" is no format: table, json, sarif, cyclonedx", STR_ARG(name));
	for (size_t i = 0; i < v->list.len; i++) {
		struct str path = v->list.ptr[i], head;
		struct str rest = path;
		struct output out = { .format = format };
		if (str_find(rest, '=') > 0 && str_cut(&rest, '=', &head) && report_format_find(head)) {
			out.format = report_format_find(head);
			path = rest;
		}
		if (path.len == 0)
			return err_set(err, ERR_USAGE, "%.*s: the file's name is empty", STR_ARG(v->origin));
		if (!str_eq(path, STR("-")))
			out.path = str_cstr(r->arena, path);
		*vec_push(r->arena, &r->outputs) = out;
	}
	if (v->list.len == 0)
		*vec_push(r->arena, &r->outputs) = (struct output){ .format = format };
	return 0;
}

static int timed_out_code = EXIT_FAILED;

static void timed_out(int sig)
{
	static const char words[] = "plimsoll: given up: --timeout has passed\n";
	(void)sig;
	ssize_t ignored = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)ignored;
	/* Workers die with their parent. */
	_exit(timed_out_code);
}

static int take_timeout(struct run *r, struct err *err)
{
	uint64_t seconds;
	int rc = option_seconds(r->options, OPT_TIMEOUT, 0, &seconds, err);
	if (r->options->swap.timed_out_code)
		timed_out_code = r->options->swap.timed_out_code;
	if (rc == 0 && seconds) {
		signal(SIGALRM, timed_out);
		alarm((unsigned)seconds);
	}
	return rc;
}

/* To its end, without the newline that echo puts there. */
static int take_password(struct run *r, struct err *err)
{
	struct str text;
	bool wanted = option_flag(r->options, OPT_PASSWORD_STDIN);
	if (wanted != (r->access.username.len > 0))
		return err_set(err, ERR_USAGE, "--username and --password-stdin go together");
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
	int rc = not_in_this_version(r->options, err);
	if (rc == 0)
		rc = take_policy(r, err);
	if (rc == 0)
		rc = take_outputs(r, err);
	if (rc == 0)
		rc = option_number(r->options, OPT_EXIT_CODE, 0, 255, 0, &r->exit_code, err);
	if (rc == 0)
		rc = option_number(r->options, OPT_EXIT_ON_EOL, 0, 255, 0, &r->exit_on_eol, err);
	if (rc == 0)
		rc = option_number(r->options, OPT_DB_MAX_AGE, 0, 36500, DB_AGE_DAYS_DEFAULT, &r->db_age_days_max, err);
	if (rc == 0)
		rc = take_timeout(r, err);
	take_skips(r);
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

/* --- output ------------------------------------------------------------------------------------------------------- */

static bool wants_color(const struct options *o, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	return !option_flag(o, OPT_NO_COLOR) && !(no_color && no_color[0]) && isatty(fd) && term &&
	       !str_eq(str_from(term), STR("dumb"));
}

static unsigned terminal_width(int fd)
{
	struct winsize size;
	uint64_t columns;
	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return str_to_u64(str_from(getenv("COLUMNS")), &columns) && columns < 1000 ? (unsigned)columns : 80;
}

static struct report_options report_options_of(const struct run *r, bool terminal)
{
	return (struct report_options){
		.list_all_pkgs = option_flag(r->options, OPT_LIST_ALL_PKGS),
		.show_suppressed = option_flag(r->options, OPT_SHOW_SUPPRESSED),
		.color = terminal && wants_color(r->options, STDOUT_FILENO),
		.width = terminal ? terminal_width(STDOUT_FILENO) : 0,
		.now = r->scan.now,
		.verbose = option_flag(r->options, OPT_VERBOSE),
	};
}

/* Into memory first, so that a file is replaced whole or not at all; what is no regular file (/dev/stdout, a fifo) is
 * written to as it is. */
static int write_file(const struct run *r, const struct output *o, struct err *err)
{
	struct report_options options = report_options_of(r, false);
	char *text = NULL;
	size_t size = 0;
	struct stat st;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return err_set(err, ERR_IO, "%s: %m", o->path);
	int rc = o->format->write(&r->report, &options, f, err);
	if (fclose(f) != 0 && rc == 0)
		rc = err_set(err, ERR_IO, "%s: %m", o->path);
	if (rc == 0 && stat(o->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		f = fopen(o->path, "w");
		bool ok = f && fwrite(text, 1, size, f) == size;
		if ((f && fclose(f) != 0) || !ok)
			rc = err_set(err, ERR_IO, "%s: %m", o->path);
	} else if (rc == 0) {
		rc = fs_replace(o->path, (struct str){ text, size }, 0666, err);
	}
	free(text);
	return rc;
}

static int write_outputs(const struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->outputs.len; i++) {
		const struct output *o = &r->outputs.ptr[i];
		struct report_options options = report_options_of(r, true);
		int rc = o->path ? write_file(r, o, err) : o->format->write(&r->report, &options, stdout, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static uint64_t shown_count(const struct report *report)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < SEVERITY_COUNT; i++)
		n += report->summary.by_severity[i];
	return n;
}

static int verdict(const struct run *r)
{
	bool eol = false;
	for (size_t i = 0; i < r->report.targets.len; i++)
		eol = eol || r->report.targets.ptr[i].os_eol;
	/* In Trivy's order: a release past its support beats findings. */
	if (r->exit_on_eol && eol)
		return (int)r->exit_on_eol;
	if (r->exit_code && shown_count(&r->report))
		return (int)r->exit_code;
	if (r->report.summary.gate.failed)
		return EXIT_GATE;
	if (option_flag(r->options, OPT_STRICT) && (r->report.summary.not_assessed || r->report.database.stale))
		return EXIT_NOT_ASSESSED;
	return EXIT_DONE;
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
	policy_notes(r->arena, &r->policy, scan_date(r->arena, r->scan.now), &r->report, &notes);
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
	scan_finish(r->arena, &r->policy, now_ms() - start_ms, &r->report);
	say_policy_notes(r);
	if (write_outputs(r, &err) < 0)
		failed = command_failed(&err);
	return failed ? failed : verdict(r);
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
