/* What Grype 0.121's commands, flags, variables (GRYPE_*) and keys (.grype.yaml) mean here: see peer.h.
 * Must never let a filter or target that was asked for and is not here pass in silence. */
#include "advisory/db.h"
#include "base/base.h"
#include "base/fs.h"
#include "base/log.h"
#include "cmd/peer.h"
#include "cmd/peer_grype_rows.h"
#include "config.h"
#include "policy/policy.h"
#include "report/formats.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AGE_SECONDS_MAX_DEFAULT (120 * 3600u) /* Grype's five days */

/* --- output ------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *theirs, *ours; /* NULL: not here */
} formats[] = {
	{ "table", "table" },
	{ "json", "grype-json" },
	{ "sarif", "sarif" },
	{ "cyclonedx-json", "cyclonedx" },
	{ "embedded-cyclonedx-vex-json", "cyclonedx" },
	{ "template", "template" },
	{ "cyclonedx", NULL }, /* in XML */
	{ "cyclonedx-xml", NULL },
	{ "embedded-cyclonedx-vex-xml", NULL },
}, templates[] = {
	{ "csv.tmpl", "csv" },
	{ "html.tmpl", "html" },
	{ "junit.tmpl", "junit" },
	{ "markdown.tmpl", "markdown" },
	{ "table.tmpl", "table" },
};

static int take_template(struct peer_call *c, const char **ret, struct err *err)
{
	const struct option_value *v = peer_value(c, "template");
	struct str base = str_sub(v->text, (size_t)(str_rfind(v->text, '/') + 1), v->text.len);
	if (v->text.len == 0)
		return err_set(err, ERR_USAGE, "-o template wants --template FILE");
	for (size_t i = 0; i < COUNT_OF(templates); i++)
		if (str_eq(base, str_from(templates[i].theirs)))
			return *ret = templates[i].ours, 0;
	if (access(str_cstr(c->arena, v->text), R_OK) != 0)
		return err_set(err, ERR_USAGE, "the template %.*s cannot be read: %m", STR_ARG(v->text));
	return peer_put(c, "template", arena_printf(c->arena, "@%.*s", STR_ARG(v->text)), v->origin, err);
}

static int find_format(struct peer_call *c, struct str name, const struct option_value *v, const char **ret, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		if (!str_eq_nocase(name, str_from(formats[i].theirs)))
			continue;
		*ret = formats[i].ours;
		if (*ret && str_eq(str_from(*ret), STR("template")))
			rc = take_template(c, ret, err);
		if (rc == 0 && (!*ret || !report_format_find(str_from(*ret))))
			rc = err_set(err, ERR_UNSUPPORTED, "%.*s: the format %.*s cannot be given its meaning: this version does not write "
			                                   "it%s",
			             STR_ARG(v->origin), STR_ARG(name), *ret ? "" : " as XML; cyclonedx-json is there");
		return rc;
	}
	return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is no format of grype", STR_ARG(v->origin), STR_ARG(name));
}

/* "~/x"; the folders on the way are made. */
static int output_path(struct peer_call *c, struct str path, struct str *ret, struct err *err)
{
	const char *home = getenv("HOME");
	if (str_starts(path, STR("~/")) && home)
		path = arena_printf(c->arena, "%s%.*s", home, STR_ARG(str_sub(path, 1, path.len)));
	ptrdiff_t slash = str_rfind(path, '/');
	*ret = path;
	return slash > 0 ? fs_make_dirs(str_cstr(c->arena, str_sub(path, 0, (size_t)slash)), 0777, err) : 0;
}

static int add_output(struct peer_call *c, struct str text, const struct option_value *v, struct err *err)
{
	struct str rest = str_trim(text), name, path = peer_value(c, "file")->text;
	const char *format = NULL;
	bool named = str_find(rest, '=') >= 0;
	(void)str_cut(&rest, '=', &name);
	if (named)
		path = rest;
	int rc = find_format(c, name.len ? name : STR("table"), v, &format, err);
	if (rc == 0 && path.len)
		rc = output_path(c, path, &path, err);
	if (rc == 0)
		*vec_push(c->arena, &c->outputs) =
		        arena_printf(c->arena, "%s=%.*s", format, STR_ARG(path.len ? path : STR("-")));
	return rc;
}

static int take_outputs(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "output");
	int rc = 0;
	if (v->list.len == 0)
		return add_output(c, STR("table"), v, err);
	for (size_t i = 0; rc == 0 && i < v->list.len; i++)
		rc = add_output(c, v->list.ptr[i], v, err);
	return rc;
}

/* --- what counts -------------------------------------------------------------------------------------------------- */

static int take_fail_on(struct peer_call *c, struct err *err)
{
	static const char *const known[] = { "negligible", "low", "medium", "high", "critical" };
	const struct option_value *v = peer_value(c, "fail-on");
	if (!v->set || v->text.len == 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_eq_nocase(v->text, str_from(known[i]))) {
			int rc = peer_put(c, "fail-on", i ? str_from(known[i]) : STR("info"), v->origin, err);
			return rc < 0 ? rc : peer_put(c, "unrated", STR("unknown"), v->origin, err);
		}
	return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is no severity of grype", STR_ARG(v->origin), STR_ARG(v->text));
}

/* Into the policy: rules of the files, then the states that flags ignore. Called by the scan. */
static int add_ignores(const void *ctx, struct arena *a, struct policy *p, struct err *err)
{
	const struct peer_call *c = ctx;
	const struct option_value *states = peer_value(c, "ignore-states");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->configs.len; i++) {
		rc = policy_add_grype_rules(a, p, c->config_files.ptr[i], value_get(c->configs.ptr[i], "ignore"), err);
		*vec_push(a, &p->files) = c->config_files.ptr[i];
	}
	if (rc == 0 && peer_value(c, "only-fixed")->flag)
		rc = policy_add_fix_states(a, p, FIX_NOT_FIXED | FIX_WONT_FIX | FIX_UNKNOWN, STR("--only-fixed"), err);
	if (rc == 0 && peer_value(c, "only-notfixed")->flag)
		rc = policy_add_fix_states(a, p, FIX_FIXED, STR("--only-notfixed"), err);
	for (struct str rest = states->text, word; rc == 0 && str_cut(&rest, ',', &word);)
		if (str_trim(word).len)
			rc = policy_add_fix_states(a, p, policy_fix_state_parse(str_trim(word)), STR("--ignore-states"), err);
	return rc;
}

static int check_states(const struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "ignore-states");
	for (struct str rest = v->text, word; str_cut(&rest, ',', &word);)
		if (str_trim(word).len && !policy_fix_state_parse(str_trim(word)))
			return err_set(err, ERR_USAGE, "unknown fix state %.*s was supplied for --ignore-states", STR_ARG(word));
	return 0;
}

static int take_policy(struct peer_call *c, struct err *err)
{
	const struct option_value *headers = peer_key_value(c, "match-upstream-kernel-headers");
	int rc = check_states(c, err);
	if (rc == 0)
		rc = take_fail_on(c, err);
	if (rc == 0 && headers->flag)
		rc = peer_put(c, "no-builtin-ignores", STR("true"), headers->origin, err);
	/* .trivyignore is another peer's. */
	if (rc == 0)
		rc = peer_put(c, "ignorefile", (struct str){ 0 }, STR("grype"), err);
	c->ours.swap.add_ignores = add_ignores;
	c->ours.swap.ctx = c;
	return rc;
}

/* "debian:12", "debian@12", "debian-12" */
static int take_distro(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "distro");
	size_t at = 0;
	if (!v->set || v->text.len == 0)
		return 0;
	while (at < v->text.len && v->text.ptr[at] != ':' && v->text.ptr[at] != '@' && v->text.ptr[at] != '-')
		at++;
	return peer_put(c, "distro",
	                arena_printf(c->arena, "%.*s:%.*s", STR_ARG(str_sub(v->text, 0, at)),
	                             STR_ARG(str_sub(v->text, at + 1, v->text.len))),
	                v->origin, err);
}

/* A glob may mean a file or a folder with all that is in it. */
static int take_excludes(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "exclude");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < v->list.len; i++) {
		rc = peer_put(c, "skip-files", v->list.ptr[i], v->origin, err);
		if (rc == 0)
			rc = peer_put(c, "skip-dirs", v->list.ptr[i], v->origin, err);
	}
	return rc;
}

/* Grype ends where its database is too old. Ours may be one that came with the program: only who asks for the check in
 * words has it. */
static int check_age(struct peer_call *c, struct err *err)
{
	const struct option_value *check = peer_key_value(c, "db.validate-age");
	const struct option_value *age = peer_key_value(c, "db.max-allowed-built-age");
	uint64_t seconds = AGE_SECONDS_MAX_DEFAULT;
	struct db_info info;
	struct str path;
	if ((!check->set && !age->set) || (check->set && !check->flag))
		return 0;
	if (age->set && !peer_duration(age->text, &seconds))
		return err_set(err, ERR_USAGE, "%.*s wants a duration as 120h", STR_ARG(age->origin));
	struct db *db = command_open_db(c->arena, &c->ours, &path, err);
	if (!db)
		return err->code;
	db_info(db, &info);
	db_close(db);
	if ((int64_t)time(NULL) - info.built > (int64_t)seconds)
		return err_set(err, ERR_IO, "the vulnerability database is older than %ju hours", (uintmax_t)(seconds / 3600));
	return 0;
}

/* --- targets ------------------------------------------------------------------------------------------------------ */

enum target_form { FORM_IMAGE_FILE, FORM_IMAGE_STORE, FORM_FOLDER, FORM_ABSENT };

static const struct {
	const char *scheme, *ours, *what; /* what: of FORM_ABSENT */
	enum target_form form;
} schemes[] = {
	{ "docker-archive:", "docker-archive:", NULL, FORM_IMAGE_FILE },
	{ "oci-archive:", "oci-archive:", NULL, FORM_IMAGE_FILE },
	{ "oci-dir:", "oci:", NULL, FORM_IMAGE_FILE },
	{ "docker:", "docker:", NULL, FORM_IMAGE_STORE },
	{ "podman:", "podman:", NULL, FORM_IMAGE_STORE },
	{ "containerd:", "containerd:", NULL, FORM_IMAGE_STORE },
	{ "containers-storage:", "podman:", NULL, FORM_IMAGE_STORE },
	{ "registry:", "registry:", NULL, FORM_IMAGE_STORE },
	{ "dir:", "", NULL, FORM_FOLDER },
	{ "file:", NULL, "single files", FORM_ABSENT },
	{ "sbom:", NULL, "SBOMs", FORM_ABSENT },
	{ "singularity:", NULL, "Singularity images", FORM_ABSENT },
	{ "snap:", NULL, "snaps", FORM_ABSENT },
	{ "oci-model:", NULL, "models", FORM_ABSENT },
	{ "zarf:", NULL, "Zarf packages", FORM_ABSENT },
	{ "purl:", NULL, "lists of package URLs", FORM_ABSENT },
	{ "pkg:", NULL, "package URLs", FORM_ABSENT },
	{ "cpes:", NULL, "lists of CPEs", FORM_ABSENT },
	{ "cpe:", NULL, "CPEs", FORM_ABSENT },
};

static int absent(const char *target, const char *what, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "%s cannot be given its meaning: %s are not read by this version", target, what);
}

/* Credentials and certificates: of no use, and so no harm, with files. */
static int take_access(struct peer_call *c, struct err *err)
{
	static const struct {
		const char *key, *ours;
	} rows[] = { { "registry.insecure-skip-tls-verify", "insecure" }, { "registry.insecure-use-http", "insecure" },
		     { "registry.ca-cert", "cacert" },                    { "registry.auth.username", "username" },
		     { "registry.auth.password", "password" },            { "registry.auth.token", "registry-token" } };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(rows); i++) {
		const struct option_value *v = peer_key_value(c, rows[i].key);
		if (v->set && v->text.len && !str_eq(v->text, STR("false")))
			rc = peer_put(c, rows[i].ours, v->text, v->origin, err);
	}
	for (size_t i = 0; rc == 0 && i < c->configs.len; i++)
		if (value_len(value_get(value_get(c->configs.ptr[i], "registry"), "auth")))
			rc = err_set(err, ERR_UNSUPPORTED, "%.*s: registry.auth cannot be given its meaning: use docker login",
			             STR_ARG(c->config_files.ptr[i]));
	return rc;
}

/* --from, and default-image-pull-source for a name without a prefix. */
static int store_target(struct peer_call *c, struct str name, const char **ret, struct err *err)
{
	const struct option_value *from = peer_value(c, "from"), *usual = peer_key_value(c, "default-image-pull-source");
	struct str source = from->list.len ? from->list.ptr[0] : usual->text;
	*ret = str_cstr(c->arena, name);
	if (from->list.len > 1)
		return err_set(err, ERR_UNSUPPORTED, "%.*s cannot be given its meaning: name one source", STR_ARG(from->origin));
	for (size_t i = 0; source.len && i < COUNT_OF(schemes); i++) {
		struct str scheme = str_from(schemes[i].scheme);
		(void)str_drop(&scheme, STR(":"));
		if (!str_eq(source, scheme) || !schemes[i].ours)
			continue;
		*ret = arena_printf(c->arena, "%s%.*s", schemes[i].ours, STR_ARG(name)).ptr;
		return take_access(c, err);
	}
	if (source.len)
		return err_set(err, ERR_UNSUPPORTED, "the source %.*s cannot be given its meaning here", STR_ARG(source));
	return take_access(c, err);
}

static bool is_oci_layout(struct arena *a, const char *folder)
{
	return access(arena_printf(a, "%s/oci-layout", folder).ptr, F_OK) == 0 ||
	       access(arena_printf(a, "%s/index.json", folder).ptr, F_OK) == 0;
}

static int choose_target(struct peer_call *c, const char *text, enum command_id *ret_command, const char **ret, struct err *err)
{
	struct str rest = str_from(text);
	struct stat st;
	*ret_command = CMD_IMAGE;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (!str_skip(&rest, str_from(schemes[i].scheme)))
			continue;
		if (schemes[i].form == FORM_ABSENT)
			return absent(text, schemes[i].what, err);
		*ret = arena_printf(c->arena, "%s%.*s", schemes[i].ours, STR_ARG(rest)).ptr;
		*ret_command = schemes[i].form == FORM_FOLDER ? CMD_FS : CMD_IMAGE;
		return schemes[i].form == FORM_IMAGE_STORE ? take_access(c, err) : 0;
	}
	*ret = text;
	if (peer_value(c, "from")->list.len || stat(text, &st) < 0)
		return store_target(c, rest, ret, err);
	if (S_ISDIR(st.st_mode) && !is_oci_layout(c->arena, text))
		*ret_command = CMD_FS;
	return 0;
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

static int run_scan(struct peer_call *c, struct err *err)
{
	enum command_id command = CMD_IMAGE;
	const char *target = NULL;
	if (c->args.len == 0 && !isatty(STDIN_FILENO) && lseek(STDIN_FILENO, 0, SEEK_CUR) < 0)
		return absent("standard input", "SBOMs and lists of packages", err);
	if (c->args.len != 1)
		return err_set(err, ERR_USAGE, "grype wants one target: an image, an archive or a folder");
	int rc = choose_target(c, c->args.ptr[0], &command, &target, err);
	c->ours.command = command;
	if (rc == 0)
		rc = take_outputs(c, err);
	if (rc == 0)
		rc = take_policy(c, err);
	if (rc == 0)
		rc = take_distro(c, err);
	if (rc == 0)
		rc = take_excludes(c, err);
	if (rc == 0)
		rc = check_age(c, err);
	*vec_push(c->arena, &c->ours.swap.not_assessed) =
	        "packages of programming languages\tgrype looks for them, this version does not";
	c->ours.swap.refuse_empty = true;
	return rc == 0 ? peer_scan(c, command, target, err) : rc;
}

static bool wants_json(const struct peer_call *c)
{
	const struct option_value *v = peer_value(c, "output");
	return v->list.len && str_eq(v->list.ptr[v->list.len - 1], STR("json"));
}

/* A version that compares like Grype's own and says whose work it is. */
static int run_version(struct peer_call *c, struct err *err)
{
	static const char version[] = GRYPE_VERSION "+plimsoll." PLIMSOLL_VERSION;
	(void)err;
	if (peer_value(c, "version")->flag)
		printf("grype %s\n", version);
	else if (wants_json(c))
		printf("{\n \"application\": \"grype\",\n \"version\": \"%s\",\n \"platform\": \"linux\",\n"
		       " \"supportedDbSchema\": 6\n}\n",
		       version);
	else
		printf("Application:         grype\nVersion:             %s\nPlatform:            linux\n", version);
	return EXIT_DONE;
}

static int db_status(struct peer_call *c, struct err *err)
{
	struct str path;
	struct db_info info;
	char built[32];
	struct tm tm;
	struct db *db = command_open_db(c->arena, &c->ours, &path, err);
	if (!db)
		return err->code;
	db_info(db, &info);
	db_close(db);
	time_t t = (time_t)info.built;
	if (!gmtime_r(&t, &tm) || strftime(built, sizeof(built), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		built[0] = '\0';
	if (wants_json(c))
		printf("{\n \"schemaVersion\": \"plimsoll\",\n \"from\": \"\",\n \"built\": \"%s\",\n \"path\": \"%.*s\",\n"
		       " \"valid\": true\n}\n",
		       built, STR_ARG(path));
	else
		printf("Path:      %.*s\nSchema:    plimsoll\nBuilt:     %s\nStatus:    valid\n", STR_ARG(path), built);
	return EXIT_DONE;
}

static int run_db(struct peer_call *c, struct err *err)
{
	struct str what = str_from(c->args.len ? c->args.ptr[0] : NULL);
	if (str_eq(what, STR("status")))
		return db_status(c, err);
	if (str_eq(what, STR("check")) || str_eq(what, STR("update"))) {
		printf("%s\n", str_eq(what, STR("check")) ? "No update available" : "No vulnerability database update available");
		return EXIT_DONE;
	}
	if (str_eq(what, STR("delete"))) {
		printf("the database comes with plimsoll and is kept\n");
		return EXIT_DONE;
	}
	return err_set(err, ERR_UNSUPPORTED, "grype db %.*s cannot be given its meaning: see plimsoll db", STR_ARG(what));
}

/* In the order of the bits in peer_grype_rows.h. */
static const struct peer_command grype_commands[] = {
	{ "", "a scan: plimsoll image, of a folder plimsoll fs", run_scan },
	{ "version", "the version, in Grype's form", run_version },
	{ "db", "status; check and update find nothing newer; others exit 2", run_db },
	{ "explain", "explanations stand in the reports: the key evidence of plimsoll -f json", NULL },
	{ "completion", "see the completions of plimsoll", NULL },
	{ "config", "configurations are read, not written", NULL },
};

/* The files that a Grype without -c reads, in order of precedence. */
static const char *config_file(struct arena *a, unsigned n)
{
	static const char *const names[] = { ".grype.yaml", ".grype.yml", ".grype/config.yaml", ".grype/config.yml" };
	static const char *const at_home[] = { ".grype.yaml", ".grype.yml" };
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	if (n < COUNT_OF(names))
		return names[n];
	n -= (unsigned)COUNT_OF(names);
	if (n < COUNT_OF(at_home))
		return home && home[0] ? arena_printf(a, "%s/%s", home, at_home[n]).ptr : "";
	if (n > COUNT_OF(at_home))
		return NULL;
	if (xdg && xdg[0])
		return arena_printf(a, "%s/grype/config.yaml", xdg).ptr;
	return home && home[0] ? arena_printf(a, "%s/.config/grype/config.yaml", home).ptr : NULL;
}

const struct peer peer_grype = {
	.name = "grype",
	.title = "Grype",
	.version = GRYPE_VERSION,
	.prefix = "GRYPE_",
	.variables_from_keys = true,
	.rows = grype_rows,
	.row_count = COUNT_OF(grype_rows),
	.commands = grype_commands,
	.command_count = COUNT_OF(grype_commands),
	.config_file = config_file,
	.verbose = "verbose",
	.gate_code = 2,
};
