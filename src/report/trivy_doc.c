/* Objects of Trivy's JSON report: see trivy.h. Every key is one of Trivy's, with its type; nothing is invented: a text that
 * Plimsoll has in its own words (title, evidence) stands where Trivy has a feed's. Never writes the name of Trivy as the
 * program that made the report. */
#include "report/trivy.h"

#include "base/base.h"
#include "base/hash.h"

static void set(struct arena *a, struct value *map, const char *key, struct value *v) { value_set(a, map, str_from(key), v); }

static void set_str(struct arena *a, struct value *map, const char *key, struct str s)
{
	if (s.len)
		set(a, map, key, value_new_str(a, s));
}

static void set_int(struct arena *a, struct value *map, const char *key, uint64_t n)
{
	if (n)
		set(a, map, key, value_new_int(a, n > INT64_MAX ? INT64_MAX : (int64_t)n));
}

static struct value *strings(struct arena *a, const struct str_list *list)
{
	struct value *out = value_new_list(a);
	for (size_t i = 0; i < list->len; i++)
		value_add(a, out, value_new_str(a, list->ptr[i]));
	return out;
}

static void set_strings(struct arena *a, struct value *map, const char *key, const struct str_list *list)
{
	if (list->len)
		set(a, map, key, strings(a, list));
}

/* {"80/tcp": {}} */
static void set_keys(struct arena *a, struct value *map, const char *key, const struct str_list *list)
{
	struct value *out = value_new_map(a);
	for (size_t i = 0; i < list->len; i++)
		value_set(a, out, list->ptr[i], value_new_map(a));
	if (list->len)
		set(a, map, key, out);
}

/* A digest of texts, each ended by a byte that none of them can hold as UTF-8. */
static struct str digest_of(struct arena *a, const struct str *parts, size_t count)
{
	struct buf BUF_AUTO b = { 0 };
	char text[DIGEST_TEXT_LEN + 1];
	buf_init(&b, 64 * MIB);
	for (size_t i = 0; i < count; i++) {
		buf_put(&b, parts[i]);
		buf_byte(&b, 0xff);
	}
	struct sha256 d = sha256_of(buf_view(&b));
	return str_dup(a, sha256_text(&d, text));
}

/* --- names --- */

/* Trivy's families, where they are not os-release's ID. */
static struct str family_of(const struct target *t)
{
	static const struct {
		struct str id, family;
	} names[] = {
		{ STR_INIT("almalinux"), STR_INIT("alma") },
		{ STR_INIT("amzn"), STR_INIT("amazon") },
		{ STR_INIT("ol"), STR_INIT("oracle") },
		{ STR_INIT("rhel"), STR_INIT("redhat") },
		{ STR_INIT("mariner"), STR_INIT("cbl-mariner") },
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(t->os.id, names[i].id))
			return names[i].family;
	return t->os.id;
}

static struct str severity_of(enum severity s)
{
	static const struct str names[SEVERITY_COUNT] = { STR_INIT("UNKNOWN"), STR_INIT("LOW"),  STR_INIT("LOW"),
		                                          STR_INIT("MEDIUM"),  STR_INIT("HIGH"), STR_INIT("CRITICAL") };
	return (unsigned)s < SEVERITY_COUNT ? names[s] : names[0]; /* Trivy has no "info" */
}

struct version_parts {
	uint64_t epoch;
	struct str version, release;
};

/* As Trivy takes versions apart: deb and rpm have an epoch and a release behind the last dash, apk has neither. */
static struct version_parts split_version(enum package_type type, struct str whole)
{
	struct version_parts v = { .version = whole };
	struct str epoch;
	if (type == PACKAGE_APK)
		return v;
	ptrdiff_t colon = str_find(whole, ':');
	if (colon > 0) {
		epoch = str_sub(whole, 0, (size_t)colon);
		if (str_to_u64(epoch, &v.epoch))
			v.version = str_sub(whole, (size_t)colon + 1, whole.len);
	}
	ptrdiff_t dash = str_rfind(v.version, '-');
	if (dash > 0) {
		v.release = str_sub(v.version, (size_t)dash + 1, v.version.len);
		v.version = str_sub(v.version, 0, (size_t)dash);
	}
	return v;
}

static struct str package_id(struct arena *a, const struct package *p)
{
	struct str version = p->version;
	if (p->type != PACKAGE_RPM)
		return arena_printf(a, "%.*s@%.*s", STR_ARG(p->name), STR_ARG(version));
	ptrdiff_t colon = str_find(version, ':');
	version = str_sub(version, colon < 0 ? 0 : (size_t)colon + 1, version.len);
	return arena_printf(a, "%.*s@%.*s.%.*s", STR_ARG(p->name), STR_ARG(version), STR_ARG(p->arch));
}

static struct value *identifier(struct arena *a, const struct target *t, const struct package *p)
{
	struct value *out = value_new_map(a);
	struct str family = family_of(t);
	const struct str parts[] = { str_from(package_type_name(p->type)), p->name, p->version, p->arch, p->source_name, p->db_path };
	struct str digest = digest_of(a, parts, COUNT_OF(parts));
	set_str(a, out, "PURL", package_purl(a, p, family, t->os.version));
	set_str(a, out, "UID", str_sub(digest, 7, 7 + 16));
	return out;
}

static const struct layer *layer_of(const struct target *t, struct str diff_id)
{
	for (size_t i = 0; diff_id.len && i < t->layers.len; i++)
		if (str_eq(t->layers.ptr[i].diff_id, diff_id))
			return &t->layers.ptr[i];
	return NULL;
}

static void set_layer(struct arena *a, struct value *map, const struct target *t, struct str diff_id)
{
	const struct layer *l = layer_of(t, diff_id);
	struct value *out = value_new_map(a);
	if (diff_id.len == 0)
		return;
	if (l)
		set_str(a, out, "Digest", l->digest);
	set_str(a, out, "DiffID", diff_id);
	set(a, map, "Layer", out);
}

struct value *trivy_package(struct arena *a, const struct target *t, const struct package *p)
{
	static const char *const analyzers[PACKAGE_TYPE_COUNT] = { "dpkg", "opkg", "apk", "rpm" };
	struct value *out = value_new_map(a);
	struct version_parts v = split_version(p->type, p->version), source = split_version(p->type, p->source_version);
	set_str(a, out, "ID", package_id(a, p));
	set_str(a, out, "Name", p->name);
	set(a, out, "Identifier", identifier(a, t, p));
	set_str(a, out, "Version", v.version);
	set_str(a, out, "Release", v.release);
	set_int(a, out, "Epoch", v.epoch);
	set_str(a, out, "Arch", p->arch);
	set_str(a, out, "SrcName", p->source_name);
	set_str(a, out, "SrcVersion", source.version);
	set_str(a, out, "SrcRelease", source.release);
	set_int(a, out, "SrcEpoch", source.epoch);
	set_str(a, out, "Maintainer", p->vendor);
	set_str(a, out, "Modularitylabel", p->module);
	set_layer(a, out, t, p->layer);
	set_str(a, out, "AnalyzedBy", str_from(analyzers[p->type]));
	return out;
}

/* --- findings --- */

static struct str status_of(const struct finding *f)
{
	if (f->fixed_version.len)
		return STR("fixed");
	return f->status == STATUS_NONE ? STR("affected") : str_from(status_name(f->status));
}

static void set_cvss(struct arena *a, struct value *map, const struct finding *f)
{
	struct value *one = value_new_map(a), *out = value_new_map(a);
	bool v3 = str_starts(f->cvss_vector, STR("CVSS:3")), v4 = str_starts(f->cvss_vector, STR("CVSS:4"));
	bool v2 = f->cvss_vector.len && !v3 && !v4;
	set_str(a, one, v4 ? "V40Vector" : v2 ? "V2Vector" : "V3Vector", f->cvss_vector);
	if (f->cvss_score > 0)
		set(a, one, v4 ? "V40Score" : v2 ? "V2Score" : "V3Score", value_new_double(a, f->cvss_score));
	if (one->map.len == 0)
		return;
	/* Who made the vector is known where the rating came from it; NVD's is what readers look for. */
	set(a, out, str_eq(f->severity_source, STR("cisa-adp")) ? "cisa-adp" : "nvd", one);
	set(a, map, "CVSS", out);
}

static void set_vendor_ids(struct arena *a, struct value *map, const struct finding *f)
{
	struct str_list ids = { 0 };
	for (size_t i = 0; i < f->aliases.len; i++)
		if (!str_starts(f->aliases.ptr[i], STR("CVE-")))
			*vec_push(a, &ids) = f->aliases.ptr[i];
	set_strings(a, map, "VendorIDs", &ids);
}

static struct value *vulnerability(struct arena *a, const struct trivy_result *r, const struct finding *f)
{
	struct value *out = value_new_map(a), *source = value_new_map(a);
	const struct package *p = f->package;
	struct str id = p ? package_id(a, p) : (struct str){ 0 };
	const struct str parts[] = { r->artifact_id, r->name, id, f->id };
	set_str(a, out, "VulnerabilityID", f->id);
	set_vendor_ids(a, out, f);
	if (p) {
		set_str(a, out, "PkgID", id);
		set_str(a, out, "PkgName", p->name);
		set(a, out, "PkgIdentifier", identifier(a, r->target, p));
		set_str(a, out, "InstalledVersion", p->version);
	}
	set_str(a, out, "FixedVersion", f->fixed_version);
	set_str(a, out, "Status", status_of(f));
	set_layer(a, out, r->target, p ? p->layer : f->location.layer);
	set_str(a, out, "SeveritySource", f->severity_source);
	set_str(a, out, "PrimaryURL", report_finding_url(a, f));
	set_str(a, source, "ID", f->source);
	set_str(a, source, "Name", f->source);
	if (f->source.len)
		set(a, out, "DataSource", source);
	set_str(a, out, "Fingerprint", digest_of(a, parts, COUNT_OF(parts)));
	set_str(a, out, "Title", f->title);
	set_str(a, out, "Description", f->evidence);
	set_str(a, out, "Severity", severity_of(f->severity));
	set_strings(a, out, "CweIDs", &f->cwes);
	set_cvss(a, out, f);
	set_strings(a, out, "References", &f->references);
	return out;
}

static struct value *secret(struct arena *a, const struct trivy_result *r, const struct finding *f)
{
	struct value *out = value_new_map(a), *code = value_new_map(a);
	set_str(a, out, "RuleID", f->id);
	set(a, out, "Category", value_new_str(a, STR("Secret")));
	set_str(a, out, "Severity", severity_of(f->severity));
	set_str(a, out, "Title", f->title);
	set(a, out, "StartLine", value_new_int(a, f->location.line));
	set(a, out, "EndLine", value_new_int(a, f->location.line));
	set(a, code, "Lines", value_new_null(a));
	set(a, out, "Code", code);
	set(a, out, "Match", value_new_str(a, f->evidence));
	set_layer(a, out, r->target, f->location.layer);
	return out;
}

static struct value *misconfiguration(struct arena *a, const struct trivy_result *r, const struct finding *f)
{
	struct value *out = value_new_map(a), *cause = value_new_map(a), *code = value_new_map(a);
	set_str(a, out, "Type", str_from(finding_kind_name(f->kind)));
	set_str(a, out, "ID", f->id);
	set_str(a, out, "Title", f->title);
	set_str(a, out, "Description", f->evidence);
	set_str(a, out, "Message", f->evidence);
	set_str(a, out, "Resolution", f->fix_text);
	set_str(a, out, "Severity", severity_of(f->severity));
	set_str(a, out, "PrimaryURL", report_finding_url(a, f));
	set_strings(a, out, "References", &f->references);
	set_str(a, out, "Status", STR("FAIL"));
	set_layer(a, out, r->target, f->location.layer);
	set_str(a, cause, "Resource", f->subject);
	set_int(a, cause, "StartLine", f->location.line);
	set_int(a, cause, "EndLine", f->location.line);
	set(a, code, "Lines", value_new_null(a));
	set(a, cause, "Code", code);
	set(a, out, "CauseMetadata", cause);
	return out;
}

struct value *trivy_finding(struct arena *a, const struct trivy_result *r, const struct finding *f)
{
	return r->class == TRIVY_OS_PACKAGES ? vulnerability(a, r, f)
	       : r->class == TRIVY_SECRETS   ? secret(a, r, f)
	                                     : misconfiguration(a, r, f);
}

struct value *trivy_suppressed(struct arena *a, const struct trivy_result *r, const struct finding *f)
{
	static const struct str types[] = { STR_INIT("vulnerability"), STR_INIT("secret"), STR_INIT("misconfiguration") };
	struct value *out = value_new_map(a);
	set(a, out, "Type", value_new_str(a, types[r->class]));
	set(a, out, "Status", value_new_str(a, STR("ignored")));
	set(a, out, "Statement", value_new_str(a, f->suppressed.reason));
	set(a, out, "Source", value_new_str(a, f->suppressed.by));
	set(a, out, "Finding", trivy_finding(a, r, f));
	return out;
}

const char *trivy_findings_key(enum trivy_class class)
{
	return class == TRIVY_OS_PACKAGES ? "Vulnerabilities" : class == TRIVY_SECRETS ? "Secrets" : "Misconfigurations";
}

/* --- results --- */

struct value *trivy_result_head(struct arena *a, const struct trivy_result *r)
{
	static const struct str classes[] = { STR_INIT("os-pkgs"), STR_INIT("secret"), STR_INIT("config") };
	struct value *out = value_new_map(a);
	struct str type = family_of(r->target);
	if (r->class == TRIVY_OS_PACKAGES && type.len == 0 && r->target->packages.len)
		type = str_from(package_type_name(r->target->packages.ptr[0].type));
	set(a, out, "Target", value_new_str(a, r->name));
	set(a, out, "Class", value_new_str(a, classes[r->class]));
	if (r->class == TRIVY_CONFIG)
		type = str_from(target_kind_name(r->target->kind));
	if (r->class != TRIVY_SECRETS)
		set_str(a, out, "Type", type);
	return out;
}

static enum trivy_class class_of(const struct finding *f)
{
	return f->kind == FINDING_VULNERABILITY ? TRIVY_OS_PACKAGES : f->kind == FINDING_SECRET ? TRIVY_SECRETS : TRIVY_CONFIG;
}

static struct str artifact_id(struct arena *a, const struct target *t)
{
	const struct str parts[] = { t->image.id.len ? t->image.id : t->digest, t->image.tags.len ? t->image.tags.ptr[0] : t->name };
	return digest_of(a, parts, COUNT_OF(parts));
}

static void add_result(struct arena *a, const struct target *t, const struct report_options *o, enum trivy_class class,
                       struct str name, struct trivy_result_list *ret)
{
	struct trivy_result *r = vec_push(a, ret);
	*r = (struct trivy_result){ .target = t, .class = class, .name = name, .artifact_id = artifact_id(a, t) };
	if (class == TRIVY_OS_PACKAGES && o->list_all_pkgs) {
		r->packages = order_packages(a, t);
		r->package_count = t->packages.len;
	}
}

/* Findings that belong to files: one result a class and path. */
static struct trivy_result *result_of(struct arena *a, const struct target *t, const struct report_options *o,
                                      const struct finding *f, size_t first, struct trivy_result_list *ret)
{
	enum trivy_class class = class_of(f);
	struct str name = f->location.path.len ? f->location.path : f->subject.len ? f->subject : t->name;
	for (size_t i = first; i < ret->len; i++)
		if (ret->ptr[i].class == class && (class == TRIVY_OS_PACKAGES || str_eq(ret->ptr[i].name, name)))
			return &ret->ptr[i];
	add_result(a, t, o, class, name, ret);
	return &ret->ptr[ret->len - 1];
}

void trivy_results(struct arena *a, const struct report *r, const struct report_options *o, struct trivy_result_list *ret)
{
	*ret = (struct trivy_result_list){ 0 };
	for (size_t i = 0; i < r->targets.len; i++) {
		const struct target *t = &r->targets.ptr[i];
		struct finding_refs refs;
		size_t first = ret->len;
		struct str name = t->name;
		order_findings(a, t, &refs);
		if (t->os.id.len)
			name = arena_printf(a, "%.*s (%.*s%s%.*s)", STR_ARG(t->name), STR_ARG(family_of(t)),
			                    t->os.version.len ? " " : "", STR_ARG(t->os.version));
		if (t->os.id.len || target_package_count(t))
			add_result(a, t, o, TRIVY_OS_PACKAGES, name, ret);
		for (size_t k = 0; k < refs.len; k++) {
			const struct finding *f = refs.ptr[k];
			if (finding_is_suppressed(f) && !o->show_suppressed)
				continue;
			struct trivy_result *result = result_of(a, t, o, f, first, ret);
			*vec_push(a, finding_is_suppressed(f) ? &result->suppressed : &result->findings) = f;
		}
	}
}

/* --- the head --- */

static struct value *image_config(struct arena *a, const struct target *t)
{
	const struct image_config *c = &t->image;
	struct value *out = value_new_map(a), *history = value_new_list(a), *rootfs = value_new_map(a), *run = value_new_map(a);
	struct value *diff_ids = value_new_list(a), *labels = value_new_map(a);
	struct str rest = t->platform, os, arch;
	(void)str_cut(&rest, '/', &os);
	(void)str_cut(&rest, '/', &arch);
	set(a, out, "architecture", value_new_str(a, arch));
	set_str(a, out, "author", c->author);
	set(a, out, "created", value_new_str(a, c->created.len ? c->created : STR("0001-01-01T00:00:00Z")));
	for (size_t i = 0; i < c->history.len; i++) {
		const struct image_step *s = &c->history.ptr[i];
		struct value *step = value_new_map(a);
		set_str(a, step, "created", s->created);
		set_str(a, step, "created_by", s->created_by);
		set_str(a, step, "comment", s->comment);
		if (s->empty_layer)
			set(a, step, "empty_layer", value_new_bool(a, true));
		value_add(a, history, step);
	}
	if (c->history.len)
		set(a, out, "history", history);
	set(a, out, "os", value_new_str(a, os));
	for (size_t i = 0; i < t->layers.len; i++)
		value_add(a, diff_ids, value_new_str(a, t->layers.ptr[i].diff_id));
	set(a, rootfs, "type", value_new_str(a, STR("layers")));
	set(a, rootfs, "diff_ids", diff_ids);
	set(a, out, "rootfs", rootfs);
	set_strings(a, run, "Cmd", &c->cmd);
	set_strings(a, run, "Entrypoint", &c->entrypoint);
	for (size_t i = 0; i + 1 < c->labels.len; i += 2)
		value_set(a, labels, c->labels.ptr[i], value_new_str(a, c->labels.ptr[i + 1]));
	if (c->labels.len)
		set(a, run, "Labels", labels);
	set_str(a, run, "User", c->user);
	set_keys(a, run, "Volumes", &c->volumes);
	set_str(a, run, "WorkingDir", c->working_dir);
	set_keys(a, run, "ExposedPorts", &c->exposed_ports);
	set_str(a, run, "StopSignal", c->stop_signal);
	set(a, out, "config", run);
	return out;
}

/* Trivy gives sizes of layers as they are when inflated: known where a blob is stored as it is. */
static bool size_is_known(const struct layer *l) { return l->digest.len == 0 || str_eq(l->digest, l->diff_id); }

static void set_layers(struct arena *a, struct value *metadata, const struct target *t)
{
	struct value *diff_ids = value_new_list(a), *layers = value_new_list(a);
	uint64_t size = 0;
	bool known = t->layers.len > 0;
	for (size_t i = 0; i < t->layers.len; i++) {
		const struct layer *l = &t->layers.ptr[i];
		struct value *one = value_new_map(a);
		if (size_is_known(l))
			set_int(a, one, "Size", l->size);
		set_str(a, one, "Digest", l->digest);
		set_str(a, one, "DiffID", l->diff_id);
		value_add(a, layers, one);
		value_add(a, diff_ids, value_new_str(a, l->diff_id));
		known = known && size_is_known(l);
		size += l->size;
	}
	if (known)
		set_int(a, metadata, "Size", size);
	if (t->layers.len == 0)
		return;
	set(a, metadata, "DiffIDs", diff_ids);
	set(a, metadata, "Layers", layers);
}

static struct value *metadata(struct arena *a, const struct target *t)
{
	struct value *out = value_new_map(a), *os = value_new_map(a);
	set_str(a, os, "Family", family_of(t));
	if (t->os.id.len)
		set(a, os, "Name", value_new_str(a, t->os.version));
	if (t->os_eol)
		set(a, os, "EOSL", value_new_bool(a, true));
	if (os->map.len)
		set(a, out, "OS", os);
	if (t->kind != TARGET_IMAGE)
		return out;
	set_str(a, out, "ImageID", t->image.id);
	set_layers(a, out, t);
	set_strings(a, out, "RepoTags", &t->image.tags);
	set_strings(a, out, "RepoDigests", &t->image.digests);
	set_str(a, out, "Reference", t->image.tags.len ? t->image.tags.ptr[0] : t->name);
	set(a, out, "ImageConfig", image_config(a, t));
	return out;
}

static struct str artifact_type(const struct target *t)
{
	return t->kind == TARGET_IMAGE ? STR("container_image") : t->kind == TARGET_SBOM ? STR("cyclonedx") : STR("filesystem");
}

/* A UUID made of what the report is about, so that the same report rendered again has the same one. */
static struct str report_id(struct arena *a, const struct report *r)
{
	VEC(struct str) parts = { 0 };
	*vec_push(a, &parts) = r->started;
	for (size_t i = 0; i < r->targets.len; i++) {
		*vec_push(a, &parts) = r->targets.ptr[i].name;
		*vec_push(a, &parts) = r->targets.ptr[i].digest;
	}
	struct str hex = str_sub(digest_of(a, parts.ptr, parts.len), 7, 7 + 32);
	return arena_printf(a, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex.ptr, hex.ptr + 8, hex.ptr + 13, hex.ptr + 17, hex.ptr + 20);
}

struct value *trivy_head(struct arena *a, const struct report *r)
{
	struct value *out = value_new_map(a), *tool = value_new_map(a);
	struct str names = { 0 };
	set(a, out, "SchemaVersion", value_new_int(a, 2));
	set(a, tool, "Version", value_new_str(a, r->tool_version));
	set(a, out, "Plimsoll", tool);
	set_str(a, out, "ReportID", report_id(a, r));
	set_str(a, out, "CreatedAt", r->started);
	if (r->targets.len == 1 && r->targets.ptr[0].kind == TARGET_IMAGE)
		set_str(a, out, "ArtifactID", artifact_id(a, &r->targets.ptr[0]));
	for (size_t i = 0; i < r->targets.len; i++)
		names = arena_printf(a, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "", STR_ARG(r->targets.ptr[i].name));
	set_str(a, out, "ArtifactName", names);
	if (r->targets.len)
		set_str(a, out, "ArtifactType", artifact_type(&r->targets.ptr[0]));
	/* One report of Trivy is about one artifact: of several, each result names its own, and there is no metadata. */
	set(a, out, "Metadata", r->targets.len == 1 ? metadata(a, &r->targets.ptr[0]) : value_new_map(a));
	return out;
}
