/* Policy, outputs and exit code out of options: see outcome.h. Reads ignore files and templates of the user; nothing of
 * a target. */
#include "cmd/outcome.h"

#include "base/base.h"
#include "base/fs.h"
#include "base/yaml.h"
#include "cmd/commands.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --- policy ------------------------------------------------------------------------------------------------------- */

static int not_in_this_version(const struct options *o, struct err *err)
{
	if (o->values[OPT_IGNORE].set)
		return err_set(err, ERR_USAGE, "%.*s: conditions come with the rule book and are not in this version; use the ignore "
		                               "list in .plimsoll.yaml",
		               STR_ARG(o->values[OPT_IGNORE].origin));
	if (o->values[OPT_VEX].set)
		return err_set(err, ERR_USAGE, "%.*s is not in this version", STR_ARG(o->values[OPT_VEX].origin));
	return 0;
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
static int take_filters(struct outcome *c, struct err *err)
{
	const struct option_value *severity = &c->options->values[OPT_SEVERITY];
	const struct option_value *status = &c->options->values[OPT_IGNORE_STATUS];
	int rc = 0;
	if (severity->set && (rc = policy_parse_severities(join(c->arena, severity), c->policy.severity_shown, err)) < 0)
		return err_wrap(err, "%.*s", STR_ARG(severity->origin)), rc;
	if (status->set && (rc = policy_parse_statuses(join(c->arena, status), c->policy.status_ignored, err)) < 0)
		err_wrap(err, "%.*s", STR_ARG(status->origin));
	return rc;
}

static int take_gate(struct outcome *c, struct err *err)
{
	const struct option_value *gate = &c->options->values[OPT_FAIL_ON], *unrated = &c->options->values[OPT_UNRATED];
	if (unrated->set && !severity_parse(unrated->text, &c->policy.unrated))
		return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is no severity", STR_ARG(unrated->origin), STR_ARG(unrated->text));
	if (!gate->set && option_flag(c->options, OPT_FAIL_ON_IN_USE))
		return err_set(err, ERR_USAGE, "--fail-on-in-use wants --fail-on SEVERITY");
	if (!gate->set)
		return 0;
	c->policy.gate = true;
	c->policy.gate_in_use = option_flag(c->options, OPT_FAIL_ON_IN_USE);
	if (!severity_parse(gate->text, &c->policy.fail_on))
		return err_set(err, ERR_USAGE,
		               "%.*s: \"%.*s\" is no severity; conditions come with the rule book and are not in this version",
		               STR_ARG(gate->origin), STR_ARG(gate->text));
	return 0;
}

/* The ignore lists: of the configuration, and --ignorefile or ./.trivyignore. */
static int take_ignores(struct outcome *c, struct err *err)
{
	const struct option_value *v = &c->options->values[OPT_IGNOREFILE];
	struct str name = v->set ? v->text : STR(".trivyignore");
	struct str text;
	struct value *documents;
	int rc = 0;
	if (c->options->ignore_list)
		rc = policy_add_yaml(c->arena, &c->policy, c->options->config_file, c->options->ignore_list, err);
	if (rc == 0 && c->options->swap.add_ignores)
		rc = c->options->swap.add_ignores(c->options->swap.ctx, c->arena, &c->policy, err);
	if (rc < 0 || (v->set && v->text.len == 0))
		return rc;
	rc = fs_read(c->arena, str_cstr(c->arena, name), YAML_SIZE_MAX, &text, err);
	if (rc == ERR_NOT_FOUND && !v->set)
		return 0;
	if (rc < 0)
		return err_set(err, ERR_USAGE, "the ignore file %.*s cannot be read", STR_ARG(name));
	*vec_push(c->arena, &c->policy.files) = name;
	if (!str_ends(name, STR(".yaml")) && !str_ends(name, STR(".yml")))
		return policy_add_trivyignore(c->arena, &c->policy, name, text, err);
	if (yaml_parse(c->arena, text, &documents, err) < 0)
		return err_wrap(err, "%.*s", STR_ARG(name)), ERR_USAGE;
	const struct value *top = value_at(documents, 0);
	if (policy_is_trivyignore_yaml(top))
		return policy_add_trivyignore_yaml(c->arena, &c->policy, name, top, err);
	const struct value *list = value_is(top, VALUE_MAP) ? value_get(top, "ignore") : top;
	if (!list)
		return err_set(err, ERR_USAGE, "%.*s: no ignore list in it", STR_ARG(name));
	return policy_add_yaml(c->arena, &c->policy, name, list, err);
}

static int take_policy(struct outcome *c, struct err *err)
{
	policy_init(&c->policy);
	c->policy.builtin_ignores = !option_flag(c->options, OPT_NO_BUILTIN_IGNORES);
	c->policy.ignore_unfixed = option_flag(c->options, OPT_IGNORE_UNFIXED);
	if (c->options->config_file.len)
		*vec_push(c->arena, &c->policy.files) = c->options->config_file;
	int rc = take_filters(c, err);
	if (rc == 0)
		rc = take_gate(c, err);
	return rc == 0 ? take_ignores(c, err) : rc;
}

/* --- outputs ------------------------------------------------------------------------------------------------------ */

/* --template TEXT or @FILE. *ret_format: a format of ours that stands for a template that Trivy ships. */
static int take_template(struct outcome *c, const struct report_format **ret_format, struct err *err)
{
	const struct option_value *v = &c->options->values[OPT_TEMPLATE];
	struct str path = v->text;
	if (!v->set)
		return err_set(err, ERR_USAGE, "-f template wants --template TEXT or --template @FILE");
	if (!str_skip(&path, STR("@"))) {
		c->template = v->text;
		return report_template_check(c->template, err) < 0 ? ERR_USAGE : 0;
	}
	int rc = fs_read(c->arena, str_cstr(c->arena, path), TEMPLATE_SIZE_MAX, &c->template, err);
	if (rc == ERR_NOT_FOUND && report_format_for_template(path)) {
		*ret_format = report_format_for_template(path);
		return 0;
	}
	if (rc < 0)
		return err_set(err, ERR_USAGE, "%.*s: the template cannot be read: %s", STR_ARG(v->origin),
		               str_cstr(c->arena, str_from(err->text)));
	return report_template_check(c->template, err) < 0 ? (err_wrap(err, "%.*s", STR_ARG(path)), ERR_USAGE) : 0;
}

static int find_format(struct outcome *c, struct str name, const struct report_format **ret, struct err *err)
{
	*ret = report_format_find(name);
	if (!*ret)
		return err_set(err, ERR_USAGE, "\"%.*s\" is no format: %.*s", STR_ARG(name),
		               STR_ARG(report_format_names(c->arena, ", ", " or ")));
	return str_eq(name, STR("template")) ? take_template(c, ret, err) : 0;
}

static int take_output(struct outcome *c, struct str path, const struct report_format *format, struct err *err)
{
	struct str rest = path, head;
	struct output out = { .format = format };
	if (str_find(rest, '=') > 0 && str_cut(&rest, '=', &head) && report_format_find(head)) {
		int rc = find_format(c, head, &out.format, err);
		if (rc < 0)
			return rc;
		path = rest;
	}
	if (path.len == 0)
		return err_set(err, ERR_USAGE, "%.*s: the file's name is empty", STR_ARG(c->options->values[OPT_OUTPUT].origin));
	if (!str_eq(path, STR("-")))
		out.path = str_cstr(c->arena, path);
	*vec_push(c->arena, &c->outputs) = out;
	return 0;
}

static bool asks_for_template(const struct outcome *c)
{
	for (size_t i = 0; i < c->outputs.len; i++)
		if (str_eq(str_from(c->outputs.ptr[i].format->name), STR("template")))
			return true;
	return false;
}

static int take_outputs(struct outcome *c, struct err *err)
{
	const struct option_value *v = &c->options->values[OPT_OUTPUT];
	const struct report_format *format = NULL;
	int rc = find_format(c, option_text(c->options, OPT_FORMAT, STR("table")), &format, err);
	bool named = format && format != report_format_find(STR("template")) &&
	             str_eq(option_text(c->options, OPT_FORMAT, STR("")), STR("template"));
	for (size_t i = 0; rc == 0 && i < v->list.len; i++)
		rc = take_output(c, v->list.ptr[i], format, err);
	if (rc == 0 && v->list.len == 0)
		*vec_push(c->arena, &c->outputs) = (struct output){ .format = format };
	if (rc == 0 && c->options->values[OPT_TEMPLATE].set && !named && !asks_for_template(c))
		return err_set(err, ERR_USAGE, "%.*s is for -f template", STR_ARG(c->options->values[OPT_TEMPLATE].origin));
	return rc;
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

static int take_timeout(struct outcome *c, struct err *err)
{
	uint64_t seconds;
	int rc = option_seconds(c->options, OPT_TIMEOUT, 0, &seconds, err);
	if (c->options->swap.timed_out_code)
		timed_out_code = c->options->swap.timed_out_code;
	if (rc == 0 && seconds) {
		signal(SIGALRM, timed_out);
		alarm((unsigned)seconds);
	}
	return rc;
}

int outcome_take(struct arena *a, const struct options *o, struct outcome *ret, struct err *err)
{
	*ret = (struct outcome){ .options = o, .arena = a };
	int rc = not_in_this_version(o, err);
	if (rc == 0)
		rc = take_policy(ret, err);
	if (rc == 0)
		rc = take_outputs(ret, err);
	if (rc == 0)
		rc = option_number(o, OPT_EXIT_CODE, 0, 255, 0, &ret->exit_code, err);
	if (rc == 0)
		rc = option_number(o, OPT_EXIT_ON_EOL, 0, 255, 0, &ret->exit_on_eol, err);
	return rc == 0 ? take_timeout(ret, err) : rc;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

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

struct report_options outcome_report_options(const struct outcome *c, const struct output *output, int64_t now)
{
	bool terminal = !output->path;
	return (struct report_options){
		.list_all_pkgs = option_flag(c->options, OPT_LIST_ALL_PKGS),
		.show_suppressed = option_flag(c->options, OPT_SHOW_SUPPRESSED),
		.color = terminal && wants_color(c->options, STDOUT_FILENO),
		.width = terminal ? terminal_width(STDOUT_FILENO) : 0,
		.now = now,
		.verbose = option_flag(c->options, OPT_VERBOSE),
		.template = c->template,
	};
}

/* What is no regular file (/dev/stdout, a fifo) is written to as it is. */
int outcome_store(const struct output *o, struct str text, struct err *err)
{
	struct stat st;
	if (o->path && (stat(o->path, &st) != 0 || S_ISREG(st.st_mode)))
		return fs_replace(o->path, text, 0666, err);
	FILE *f = o->path ? fopen(o->path, "w") : stdout;
	bool ok = f && fwrite(text.ptr ? text.ptr : "", 1, text.len, f) == text.len;
	if (f && o->path && fclose(f) != 0)
		ok = false;
	return ok ? 0 : err_set(err, ERR_IO, "%s: %m", o->path ? o->path : "standard output");
}

/* Into memory first, so that a file is replaced whole or not at all. */
static int write_file(const struct outcome *c, const struct output *o, const struct report *report, int64_t now, struct err *err)
{
	struct report_options options = outcome_report_options(c, o, now);
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return err_set(err, ERR_IO, "%s: %m", o->path);
	int rc = o->format->write(report, &options, f, err);
	if (fclose(f) != 0 && rc == 0)
		rc = err_set(err, ERR_IO, "%s: %m", o->path);
	if (rc == 0)
		rc = outcome_store(o, (struct str){ text, size }, err);
	free(text);
	return rc;
}

int outcome_write(const struct outcome *c, const struct report *report, int64_t now, struct err *err)
{
	for (size_t i = 0; i < c->outputs.len; i++) {
		const struct output *o = &c->outputs.ptr[i];
		struct report_options options = outcome_report_options(c, o, now);
		int rc = o->path ? write_file(c, o, report, now, err) : o->format->write(report, &options, stdout, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- the exit code ------------------------------------------------------------------------------------------------ */

struct outcome_facts outcome_facts_of(const struct report *report)
{
	struct outcome_facts f = { .not_assessed = report->summary.not_assessed,
		                   .gate_failed = report->summary.gate.failed,
		                   .stale = report->database.stale };
	for (unsigned i = 0; i < SEVERITY_COUNT; i++)
		f.shown += report->summary.by_severity[i];
	for (size_t i = 0; i < report->targets.len; i++)
		f.eol = f.eol || report->targets.ptr[i].os_eol;
	return f;
}

int outcome_verdict(const struct outcome *c, const struct outcome_facts *f)
{
	/* In Trivy's order: a release past its support beats findings. */
	if (c->exit_on_eol && f->eol)
		return (int)c->exit_on_eol;
	if (c->exit_code && f->shown)
		return (int)c->exit_code;
	if (f->gate_failed)
		return EXIT_GATE;
	if (option_flag(c->options, OPT_STRICT) && (f->not_assessed || f->stale))
		return EXIT_NOT_ASSESSED;
	return EXIT_DONE;
}
