/* What Trivy 0.76's commands, flags, variables (TRIVY_*) and keys (trivy.yaml) mean here: see peer.h. To give a setting
 * its meaning, change its row; to have a scanner run, its row in scanners[].
 * Must never let a scanner, package type or filter that was asked for and is not here pass in silence. */
#include "advisory/db.h"
#include "base/base.h"
#include "base/log.h"
#include "cmd/peer.h"
#include "cmd/peer_trivy_rows.h"
#include "config.h"
#include "report/formats.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- scanners and package types ----------------------------------------------------------------------------------- */

static const struct part {
	const char *name;    /* Trivy's */
	const char *what;    /* for the report */
	bool here;           /* this version does it */
	bool standard;       /* Trivy does it unless told otherwise: asking for it in words asks for no more */
} scanners[] = {
	{ "vuln", "vulnerabilities", true, true },
	{ "secret", "secrets", false, true },
	{ "misconfig", "configuration", false, false },
	{ "config", "configuration", false, false }, /* its name before 0.37 */
	{ "license", "licenses", false, false },
	{ "crypto", "cryptographic material", false, false },
}, pkg_types[] = {
	{ "os", "packages of the system", true, true },
	{ "library", "packages of programming languages", false, true },
};

static const struct option_value *first_set(const struct peer_call *c, const char *name, const char *old_name)
{
	const struct option_value *v = peer_value(c, name);
	return v->set ? v : peer_value(c, old_name);
}

static bool listed(const struct option_value *v, const char *name)
{
	for (size_t i = 0; i < v->list.len; i++)
		if (str_eq(v->list.ptr[i], str_from(name)))
			return true;
	return false;
}

/* What is asked for, in words or by default, and is not here: refused where nothing would be left or where Trivy does it
 * only on request, else named in the report and, always, on standard error. */
static int take_parts(struct peer_call *c, const struct option_value *v, const struct part *parts, size_t count, struct err *err)
{
	bool any = false;
	for (size_t i = 0; i < count; i++)
		any = any || (parts[i].here && (v->set ? listed(v, parts[i].name) : parts[i].standard));
	for (size_t i = 0; i < count; i++) {
		const struct part *p = &parts[i];
		if (p->here || !(v->set ? listed(v, p->name) : p->standard))
			continue;
		if (!p->standard || !any)
			return err_set(err, ERR_UNSUPPORTED, "%.*s: \"%s\" cannot be given its meaning: this version does not look for %s",
			               STR_ARG(v->origin), p->name, p->what);
		*vec_push(c->arena, &c->ours.swap.not_assessed) =
		        arena_printf(c->arena, "%s\ttrivy looks for them by default, this version does not", p->what).ptr;
	}
	if (!any)
		return err_set(err, ERR_UNSUPPORTED, "%.*s: nothing is left to look for", STR_ARG(v->origin));
	return 0;
}

static bool is_sbom(struct str format)
{
	return str_eq(format, STR("cyclonedx")) || str_starts(format, STR("spdx")) || str_eq(format, STR("github"));
}

static int take_scanners(struct peer_call *c, struct err *err)
{
	const struct option_value *v = first_set(c, "scanners", "security-checks");
	struct str format = peer_value(c, "format")->text;
	/* An SBOM has no findings unless they are asked for. */
	if (is_sbom(format) && !(v->set && listed(v, "vuln")))
		c->ours.swap.packages_only = true;
	else if (take_parts(c, v, scanners, COUNT_OF(scanners), err) < 0)
		return err->code;
	return take_parts(c, first_set(c, "pkg-types", "vuln-type"), pkg_types, COUNT_OF(pkg_types), err);
}

/* --- formats ------------------------------------------------------------------------------------------------------ */

/* "@FILE", or the template's own text. */
static int take_template(struct peer_call *c, struct str *ret_format, struct err *err)
{
	const struct option_value *v = peer_value(c, "template");
	struct str path = v->text;
	if (path.len == 0)
		return err_set(err, ERR_USAGE, "--format template wants --template");
	bool is_file = str_skip(&path, STR("@"));
	bool there = is_file && access(str_cstr(c->arena, path), R_OK) == 0;
	/* The templates that Trivy brings with it are formats of ours; one of the user's own, whatever its name, is run. */
	const struct report_format *ours = is_file && !there ? report_format_for_template(path) : NULL;
	if (ours) {
		*ret_format = str_from(ours->name);
		return 0;
	}
	if (is_file && !there)
		return err_set(err, ERR_USAGE, "the template %.*s cannot be read: %m", STR_ARG(path));
	*ret_format = STR("template");
	return peer_put(c, "template", v->text, v->origin, err);
}

static int take_output(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "format"), *out = peer_value(c, "output");
	struct str format = v->text.len ? v->text : STR("table");
	int rc = 0;
	if (str_eq(format, STR("json")))
		format = STR("trivy-json");
	else if (str_eq(format, STR("template")))
		rc = take_template(c, &format, err);
	if (rc < 0)
		return rc;
	if (!report_format_find(format))
		return err_set(err, ERR_UNSUPPORTED, "%.*s cannot be given its meaning: this version has no format %.*s",
		               STR_ARG(v->origin), STR_ARG(format));
	if (str_starts(out->text, STR("plugin=")))
		return err_set(err, ERR_UNSUPPORTED, "%.*s cannot be given its meaning: there are no plugins here",
		               STR_ARG(out->origin));
	*vec_push(c->arena, &c->outputs) =
	        arena_printf(c->arena, "%.*s=%.*s", STR_ARG(format), STR_ARG(out->text.len ? out->text : STR("-")));
	const struct option_value *all = peer_value(c, "list-all-pkgs");
	if (str_eq(format, STR("trivy-json")) && (!all->set || all->flag))
		return peer_put(c, "list-all-pkgs", STR("true"), all->origin, err);
	return 0;
}

/* --- filters and exit codes --------------------------------------------------------------------------------------- */

/* Below LOW Trivy knows nothing: what is rated lower here is LOW there. */
static int take_severity(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "severity");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < v->list.len; i++) {
		rc = peer_put(c, "severity", str_lower(c->arena, v->list.ptr[i]), v->origin, err);
		if (rc == 0 && str_eq(v->list.ptr[i], STR("LOW")))
			rc = peer_put(c, "severity", STR("info"), v->origin, err);
	}
	return rc;
}

/* "unknown" is no state of a finding here. */
static int take_statuses(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "ignore-status");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < v->list.len; i++)
		if (!str_eq(v->list.ptr[i], STR("unknown")))
			rc = peer_put(c, "ignore-status", v->list.ptr[i], v->origin, err);
	return rc;
}

static int take_code(const struct option_value *v, int64_t *ret, struct err *err)
{
	struct str text = v->text;
	uint64_t n = 0;
	bool negative = str_skip(&text, STR("-"));
	if (v->set && (!str_to_u64(text, &n) || n > INT32_MAX))
		return err_set(err, ERR_USAGE, "%.*s wants a number, not \"%.*s\"", STR_ARG(v->origin), STR_ARG(v->text));
	*ret = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* Absent where it was not named: no list; empty: none is read. */
static int take_ignorefile(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "ignorefile");
	if (v->set && v->text.len && access(str_cstr(c->arena, v->text), F_OK) != 0)
		return err_set(err, ERR_USAGE, "%.*s: the ignore file %.*s is not there", STR_ARG(v->origin), STR_ARG(v->text));
	return v->set ? peer_put(c, "ignorefile", v->text, v->origin, err) : 0;
}

static int take_timeout(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "timeout");
	uint64_t seconds;
	if (!v->set)
		return 0;
	if (!peer_duration(v->text, &seconds))
		return err_set(err, ERR_USAGE, "%.*s wants a duration as 5m0s, not \"%.*s\"", STR_ARG(v->origin), STR_ARG(v->text));
	return peer_put(c, "timeout", arena_printf(c->arena, "%ju", (uintmax_t)seconds), v->origin, err);
}

/* Ours lies inside of it, and the database of our own folder keeps its place. */
static int take_cache_dir(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "cache-dir");
	struct err why = { 0 };
	struct str path;
	if (!v->set || v->text.len == 0)
		return 0;
	if (!c->ours.values[OPT_DB].set) {
		struct db *db = command_open_db(c->arena, &c->ours, &path, &why);
		if (db && option_put(&c->ours, OPT_DB, str_dup(c->arena, path), STR("the database"), err) < 0)
			return err->code;
		db_close(db);
	}
	return peer_put(c, "cache-dir", arena_printf(c->arena, "%.*s/plimsoll", STR_ARG(v->text)), v->origin, err);
}

/* "debian/12" */
static int take_distro(struct peer_call *c, struct err *err)
{
	const struct option_value *v = peer_value(c, "distro");
	struct str rest = v->text, family;
	if (!v->set || v->text.len == 0)
		return 0;
	(void)str_cut(&rest, '/', &family);
	return peer_put(c, "distro", arena_printf(c->arena, "%.*s:%.*s", STR_ARG(family), STR_ARG(rest)), v->origin, err);
}

static int take_filters(struct peer_call *c, struct err *err)
{
	int rc = take_severity(c, err);
	if (rc == 0)
		rc = take_statuses(c, err);
	if (rc == 0)
		rc = take_code(peer_value(c, "exit-code"), &c->found_code, err);
	if (rc == 0)
		rc = take_code(peer_value(c, "exit-on-eol"), &c->eol_code, err);
	if (rc == 0)
		rc = take_ignorefile(c, err);
	if (rc == 0)
		rc = take_timeout(c, err);
	if (rc == 0)
		rc = take_cache_dir(c, err);
	if (rc == 0)
		rc = take_distro(c, err);
	/* Trivy counts kernel headers like other packages. */
	return rc == 0 ? peer_put(c, "no-builtin-ignores", STR("true"), STR("trivy"), err) : rc;
}

/* --- targets ------------------------------------------------------------------------------------------------------ */

/* A path is a path even where it reads like a prefix. */
static const char *as_path(struct peer_call *c, struct str path)
{
	bool plain = path.len && (path.ptr[0] == '/' || path.ptr[0] == '.');
	return arena_printf(c->arena, "%s%.*s", plain ? "" : "./", STR_ARG(path)).ptr;
}

/* Settings for engines and registries: of no use, and so no harm, with --input. */
static int take_access(struct peer_call *c, struct err *err)
{
	static const struct {
		const char *theirs, *ours;
	} rows[] = { { "docker-host", "host" }, { "username", "username" }, { "password", "password" },
		     { "password-stdin", "password-stdin" }, { "registry-token", "registry-token" }, { "insecure", "insecure" },
		     { "cacert", "cacert" } };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(rows); i++) {
		const struct option_value *v = peer_value(c, rows[i].theirs);
		if (!v->set || v->text.len == 0)
			continue;
		if (v->list.len > 1)
			return err_set(err, ERR_UNSUPPORTED, "%.*s cannot be given its meaning: one value is taken", STR_ARG(v->origin));
		rc = peer_put(c, rows[i].ours, v->text, v->origin, err);
	}
	return rc;
}

/* docker, containerd, podman, remote: one of them is a prefix here; all four are what is done without. */
static int take_sources(struct peer_call *c, struct str reference, const char **ret, struct err *err)
{
	const struct option_value *v = peer_value(c, "image-src");
	*ret = str_cstr(c->arena, reference);
	if (!v->set || v->list.len == 4)
		return 0;
	if (v->list.len != 1)
		return err_set(err, ERR_UNSUPPORTED, "%.*s cannot be given its meaning: name one source, or all four",
		               STR_ARG(v->origin));
	struct str source = v->list.ptr[0];
	if (str_eq(source, STR("remote")))
		source = STR("registry");
	*ret = arena_printf(c->arena, "%.*s:%.*s", STR_ARG(source), STR_ARG(reference)).ptr;
	return 0;
}

static int image_target(struct peer_call *c, const char **ret, struct err *err)
{
	const struct option_value *input = peer_value(c, "input");
	if (c->args.len + (input->set && input->text.len) > 1)
		return err_set(err, ERR_USAGE, "trivy image takes one target");
	if (input->set && input->text.len)
		return *ret = as_path(c, input->text), 0;
	if (c->args.len == 0)
		return err_set(err, ERR_USAGE, "trivy image wants an image's name, or --input FILE");
	struct str reference = str_from(c->args.ptr[0]);
	int rc = take_access(c, err);
	if (rc == 0)
		rc = take_sources(c, reference, ret, err);
	/* Trivy reads no file without --input; ours looks at files first. */
	if (rc == 0 && str_eq(reference, str_from(*ret)))
		*ret = arena_printf(c->arena, "reference:%.*s", STR_ARG(reference)).ptr;
	c->ours.swap.plain_names = true;
	return rc;
}

static int folder_target(struct peer_call *c, const char **ret, struct err *err)
{
	struct stat st;
	if (c->args.len != 1)
		return err_set(err, ERR_USAGE, "one folder is wanted");
	*ret = c->args.ptr[0];
	if (stat(*ret, &st) < 0)
		return err_set(err, ERR_IO, "%s: %m", *ret);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, "%s cannot be given its meaning: this version reads folders, no single files",
		               *ret);
	return 0;
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

static int scan(struct peer_call *c, enum command_id command, struct err *err)
{
	const char *target = NULL;
	c->ours.command = command;
	if (peer_value(c, "download-db-only")->flag || peer_value(c, "download-java-db-only")->flag) {
		log_verbose("nothing to download: the database comes with the program, and from \"plimsoll db update\"");
		return EXIT_DONE;
	}
	int rc = command == CMD_IMAGE ? image_target(c, &target, err) : folder_target(c, &target, err);
	if (rc == 0)
		rc = take_scanners(c, err);
	if (rc == 0)
		rc = take_output(c, err);
	if (rc == 0)
		rc = take_filters(c, err);
	c->ours.swap.refuse_empty = true;
	return rc == 0 ? peer_scan(c, command, target, err) : rc;
}

static int run_image(struct peer_call *c, struct err *err)
{
	return scan(c, CMD_IMAGE, err);
}

static int run_folder(struct peer_call *c, struct err *err)
{
	return scan(c, CMD_FS, err);
}

static struct str when(struct arena *a, int64_t seconds, bool json)
{
	char text[64] = "";
	time_t t = (time_t)seconds;
	struct tm tm;
	size_t n = 0;
	if (gmtime_r(&t, &tm))
		n = json ? strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm)
		         : strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S +0000 UTC", &tm);
	return str_dup(a, (struct str){ text, n });
}

/* A version that compares like Trivy's own and says whose work it is. */
static int run_version(struct peer_call *c, struct err *err)
{
	static const char version[] = TRIVY_VERSION "+plimsoll." PLIMSOLL_VERSION;
	const struct option_value *format = peer_value(c, "format");
	struct db_info info = { 0 };
	struct str path;
	struct err why = { 0 };
	struct db *db = command_open_db(c->arena, &c->ours, &path, &why);
	(void)err;
	if (db)
		db_info(db, &info);
	bool json = format->set && str_eq(format->text, STR("json"));
	struct str built = when(c->arena, info.built, json);
	if (json && db)
		printf("{\"Version\":\"%s\",\"VulnerabilityDB\":{\"Version\":2,\"NextUpdate\":\"%.*s\",\"UpdatedAt\":\"%.*s\","
		       "\"DownloadedAt\":\"%.*s\"}}\n",
		       version, STR_ARG(built), STR_ARG(built), STR_ARG(built));
	else if (json)
		printf("{\"Version\":\"%s\"}\n", version);
	else
		printf("Version: %s\n", version);
	if (db && !json)
		printf("Vulnerability DB:\n  Version: 2\n  UpdatedAt: %.*s\n  NextUpdate: %.*s\n  DownloadedAt: %.*s\n", STR_ARG(built),
		       STR_ARG(built), STR_ARG(built));
	db_close(db);
	return EXIT_DONE;
}

static int run_clean(struct peer_call *c, struct err *err)
{
	static const char *const flags[] = { "all", "scan-cache", "vuln-db", "java-db", "checks-bundle", "vex-repo" };
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (peer_value(c, flags[i])->flag) {
			log_verbose("nothing to clean: what the cache holds is named by content and is never stale");
			return EXIT_DONE;
		}
	return err_set(err, ERR_USAGE, "trivy clean: no clean option is specified");
}

/* In the order of the bits in peer_trivy_rows.h. */
static const struct peer_command trivy_commands[] = {
	{ "image i", "an image: plimsoll image", run_image },
	{ "filesystem fs", "a folder: plimsoll fs", run_folder },
	{ "rootfs", "a root file system: plimsoll fs", run_folder },
	{ "version", "the version, in Trivy's form", run_version },
	{ "clean", "accepted: there is nothing to clean", run_clean },
	{ "repository repo", "of a repository Trivy reads packages of programming languages and secrets, which are not in this version",
	  NULL },
	{ "config conf", "the audit of configuration is not in this version", NULL },
	{ "sbom", "SBOMs are not read by this version", NULL },
	{ "convert conv", "Trivy's stored reports are not read by this version", NULL },
	{ "kubernetes k8s", "clusters are not in this version", NULL },
	{ "vm", "images of virtual machines are not read", NULL },
	{ "server s", "there is no server in this version", NULL },
	{ "plugin p", "there are no plugins", NULL },
	{ "module m", "there are no modules", NULL },
	{ "vex", "there are no repositories of VEX documents in this version", NULL },
	{ "registry", "log in with docker login, podman login or skopeo login", NULL },
	{ "completion", "see the completions of plimsoll", NULL },
};

static const char *config_file(struct arena *a, unsigned n)
{
	(void)a;
	return n == 0 ? "trivy.yaml" : NULL;
}

const struct peer peer_trivy = {
	.name = "trivy",
	.title = "Trivy",
	.version = TRIVY_VERSION,
	.prefix = "TRIVY_",
	.rows = trivy_rows,
	.row_count = COUNT_OF(trivy_rows),
	.commands = trivy_commands,
	.command_count = COUNT_OF(trivy_commands),
	.config_file = config_file,
	.verbose = "debug",
	.gate_code = 1,
};
