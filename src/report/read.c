/* A stored report back into memory: see read.h. Believes no type and no count; a finding's package is that of the list
 * where the list has an equal one. */
#include "report/read.h"

#include "base/base.h"

struct reading {
	struct arena *arena;
	struct err *err;
	struct map packages; /* key -> index in the target's list */
};

static uint64_t count_of(const struct value *v)
{
	int64_t n;
	return value_int(v, &n) && n > 0 ? (uint64_t)n : 0;
}

static uint32_t small_of(const struct value *v)
{
	uint64_t n = count_of(v);
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static struct str text_of(const struct value *map, const char *key) { return value_str(value_get(map, key)); }

static int too_many(struct reading *r, const char *what, size_t count, size_t max, const char *cap)
{
	return count > max ? err_set(r->err, ERR_LIMIT, "%zu %s, over %s", count, what, cap) : 0;
}

static void read_strings(struct reading *r, const struct value *list, struct str_list *ret)
{
	for (size_t i = 0; i < value_len(list) && i < REPORT_LIST_MAX; i++)
		if (value_is(value_at(list, i), VALUE_STRING))
			*vec_push(r->arena, ret) = value_str(value_at(list, i));
}

/* --- names of kinds --- */

static bool finding_kind_of(struct str name, enum finding_kind *ret)
{
	for (unsigned k = FINDING_VULNERABILITY; k <= FINDING_PROVENANCE; k++)
		if (str_eq(name, str_from(finding_kind_name((enum finding_kind)k))))
			return *ret = (enum finding_kind)k, true;
	return false;
}

static bool target_kind_of(struct str name, enum target_kind *ret)
{
	for (unsigned k = TARGET_IMAGE; k <= TARGET_CLUSTER; k++)
		if (str_eq(name, str_from(target_kind_name((enum target_kind)k))))
			return *ret = (enum target_kind)k, true;
	return false;
}

static bool package_type_of(struct str name, enum package_type *ret)
{
	for (unsigned k = 0; k < PACKAGE_TYPE_COUNT; k++)
		if (str_eq(name, str_from(package_type_name((enum package_type)k))))
			return *ret = (enum package_type)k, true;
	return false;
}

/* --- packages --- */

static struct str key_of(struct arena *a, const struct package *p)
{
	return arena_printf(a, "%d\xff%.*s\xff%.*s\xff%.*s\xff%.*s\xff%.*s\xff%.*s\xff%.*s", (int)p->type, STR_ARG(p->name),
	                    STR_ARG(p->version), STR_ARG(p->arch), STR_ARG(p->source_name), STR_ARG(p->source_version),
	                    STR_ARG(p->layer), STR_ARG(p->db_path));
}

static int read_package(struct reading *r, const struct value *v, struct package *ret)
{
	*ret = (struct package){
		.name = text_of(v, "name"),
		.version = text_of(v, "version"),
		.arch = text_of(v, "arch"),
		.source_name = text_of(v, "source_name"),
		.source_version = text_of(v, "source_version"),
		.vendor = text_of(v, "vendor"),
		.module = text_of(v, "module"),
		.db_path = value_str(value_at(value_get(v, "paths"), 0)),
		.layer = text_of(v, "layer"),
	};
	const struct value *use = value_get(v, "in_use");
	if (value_is(use, VALUE_BOOL))
		ret->use = value_bool(use) ? USE_YES : USE_NO;
	if (!package_type_of(text_of(v, "type"), &ret->type))
		return err_set(r->err, ERR_FORMAT, "%u:%u: a package of a kind that is not known", v->line, v->column);
	struct str *names[] = { &ret->name, &ret->version, &ret->arch, &ret->source_name, &ret->source_version };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		*names[i] = str_sub(*names[i], 0, PACKAGE_FIELD_MAX);
	return 0;
}

static void add_package(struct reading *r, struct target *t, const struct package *p)
{
	bool new;
	uint64_t *slot = map_put(r->arena, &r->packages, key_of(r->arena, p), &new);
	if (new)
		*slot = t->packages.len;
	*vec_push(r->arena, &t->packages) = *p;
}

static int read_packages(struct reading *r, const struct value *v, struct target *t)
{
	const struct value *list = value_get(v, "packages");
	int rc = too_many(r, "packages", value_len(list), PACKAGES_MAX, "PACKAGES_MAX");
	t->package_count = count_of(value_get(v, "package_count"));
	for (size_t i = 0; rc == 0 && i < value_len(list); i++) {
		struct package p;
		rc = read_package(r, value_at(list, i), &p);
		if (rc == 0)
			add_package(r, t, &p);
	}
	return rc;
}

/* Packages that only findings name come into the list before any finding points into it. */
static int add_packages_of_findings(struct reading *r, const struct value *findings, struct target *t)
{
	for (size_t i = 0; i < value_len(findings); i++) {
		const struct value *v = value_get(value_at(findings, i), "package");
		struct package p;
		int rc = v ? read_package(r, v, &p) : 0;
		if (rc < 0)
			return rc;
		if (v && !map_get(&r->packages, key_of(r->arena, &p)))
			add_package(r, t, &p);
	}
	if (t->package_count <= t->packages.len)
		t->package_count = 0;
	return too_many(r, "packages", t->packages.len, PACKAGES_MAX, "PACKAGES_MAX");
}

/* --- findings --- */

static double number_of(const struct value *v, double max)
{
	double n;
	return value_double(v, &n) && n >= 0 && n <= max ? n : -1;
}

static void read_location(const struct value *v, struct finding *f)
{
	f->location.path = text_of(v, "path");
	f->location.line = small_of(value_get(v, "line"));
	f->location.column = small_of(value_get(v, "column"));
	f->location.layer = text_of(v, "layer");
	f->location.instruction = text_of(v, "instruction");
}

static void read_suppressed(const struct value *v, struct finding *f)
{
	if (!value_is(v, VALUE_MAP))
		return;
	f->suppressed.by = text_of(v, "by");
	if (f->suppressed.by.len == 0)
		f->suppressed.by = STR("the stored report");
	f->suppressed.reason = text_of(v, "reason");
	f->suppressed.until = text_of(v, "until");
}

static int read_finding(struct reading *r, const struct value *v, const struct target *t, struct finding *f)
{
	const struct value *package = value_get(v, "package"), *cvss = value_get(v, "cvss"), *fix = value_get(v, "fix");
	*f = (struct finding){
		.id = text_of(v, "id"),
		.severity_source = text_of(v, "severity_source"),
		.title = text_of(v, "title"),
		.fixed_version = text_of(v, "fixed_version"),
		.cvss_vector = text_of(cvss, "vector"),
		.cvss_score = number_of(value_get(cvss, "score"), 10),
		.epss = number_of(value_get(v, "epss"), 1),
		.kev = value_bool(value_get(v, "kev")),
		.subject = text_of(v, "subject"),
		.evidence = text_of(v, "evidence"),
		.source = text_of(v, "source"),
		.fix_text = text_of(fix, "text"),
		.fix_diff = text_of(fix, "diff"),
	};
	if (!finding_kind_of(text_of(v, "kind"), &f->kind) || !severity_parse(text_of(v, "severity"), &f->severity) || f->id.len == 0)
		return err_set(r->err, ERR_FORMAT, "a finding without an id, or of a kind or severity that is not known");
	(void)status_parse(text_of(v, "status"), &f->status);
	read_strings(r, value_get(v, "aliases"), &f->aliases);
	read_strings(r, value_get(v, "cwes"), &f->cwes);
	read_strings(r, value_get(v, "references"), &f->references);
	read_location(value_get(v, "location"), f);
	read_suppressed(value_get(v, "suppressed"), f);
	struct package p;
	int rc = package ? read_package(r, package, &p) : 0;
	if (rc == 0 && package)
		f->package = &t->packages.ptr[*map_get(&r->packages, key_of(r->arena, &p))];
	return rc;
}

static int read_findings(struct reading *r, const struct value *list, struct target *t)
{
	int rc = too_many(r, "findings", value_len(list), FINDINGS_MAX, "FINDINGS_MAX");
	if (rc == 0)
		rc = add_packages_of_findings(r, list, t);
	for (size_t i = 0; rc == 0 && i < value_len(list); i++) {
		rc = read_finding(r, value_at(list, i), t, vec_push(r->arena, &t->findings));
		if (rc < 0)
			err_wrap(r->err, "finding %zu", i + 1);
	}
	return rc;
}

/* --- targets --- */

static void read_os(const struct value *v, struct target *t)
{
	t->os.id = text_of(v, "id");
	t->os.version = text_of(v, "version");
	t->os.name = text_of(v, "name");
	t->os_supported = value_bool(value_get(v, "supported"));
	t->os_eol = value_bool(value_get(v, "eol"));
	t->os_eol_date = text_of(v, "eol_date");
}

static void read_image(struct reading *r, const struct value *v, struct image_config *c)
{
	const struct value *history = value_get(v, "history");
	c->id = text_of(v, "id");
	c->created = text_of(v, "created");
	c->author = text_of(v, "author");
	c->user = text_of(v, "user");
	c->working_dir = text_of(v, "working_dir");
	c->stop_signal = text_of(v, "stop_signal");
	read_strings(r, value_get(v, "tags"), &c->tags);
	read_strings(r, value_get(v, "digests"), &c->digests);
	read_strings(r, value_get(v, "cmd"), &c->cmd);
	read_strings(r, value_get(v, "entrypoint"), &c->entrypoint);
	read_strings(r, value_get(v, "exposed_ports"), &c->exposed_ports);
	read_strings(r, value_get(v, "volumes"), &c->volumes);
	read_strings(r, value_get(v, "labels"), &c->labels);
	c->labels.len -= c->labels.len % 2;
	for (size_t i = 0; i < value_len(history) && i < IMAGE_CONFIG_ITEMS_MAX; i++) {
		const struct value *s = value_at(history, i);
		*vec_push(r->arena, &c->history) = (struct image_step){ text_of(s, "created"), text_of(s, "created_by"),
			                                                text_of(s, "comment"),
			                                                value_bool(value_get(s, "empty_layer")) };
	}
}

static void read_layers(struct reading *r, const struct value *list, struct target *t)
{
	for (size_t i = 0; i < value_len(list) && i < LAYER_COUNT_MAX; i++) {
		const struct value *v = value_at(list, i);
		*vec_push(r->arena, &t->layers) = (struct layer){ .diff_id = text_of(v, "diff_id"),
			                                          .digest = text_of(v, "digest"),
			                                          .size = count_of(value_get(v, "size")),
			                                          .created_by = text_of(v, "created_by") };
	}
}

static void read_not_assessed(struct reading *r, const struct value *list, struct target *t)
{
	for (size_t i = 0; i < value_len(list) && i < REPORT_LIST_MAX; i++) {
		const struct value *v = value_at(list, i);
		struct not_assessed *n = vec_push(r->arena, &t->not_assessed);
		*n = (struct not_assessed){ .what = text_of(v, "what"),
			                    .reason = text_of(v, "reason"),
			                    .count = count_of(value_get(v, "count")),
			                    .of = count_of(value_get(v, "of")) };
		/* The reason was stored with its share. */
		if (n->of)
			(void)str_drop(&n->reason, arena_printf(r->arena, " (%llu of %llu)", (unsigned long long)n->count,
			                                        (unsigned long long)n->of));
	}
}

static int read_target(struct reading *r, const struct value *v, struct target *t)
{
	if (!target_kind_of(text_of(v, "kind"), &t->kind))
		return err_set(r->err, ERR_FORMAT, "a target of a kind that is not known");
	r->packages = (struct map){ 0 };
	t->name = text_of(v, "name");
	t->digest = text_of(v, "digest");
	t->platform = text_of(v, "platform");
	read_os(value_get(v, "os"), t);
	read_image(r, value_get(v, "image"), &t->image);
	read_layers(r, value_get(v, "layers"), t);
	read_not_assessed(r, value_get(v, "not_assessed"), t);
	read_strings(r, value_get(v, "notes"), &t->notes);
	int rc = read_packages(r, v, t);
	return rc < 0 ? rc : read_findings(r, value_get(v, "findings"), t);
}

/* --- the head and the summary --- */

static void read_database(struct reading *r, const struct value *v, struct report *report)
{
	const struct value *sources = value_get(v, "sources");
	if (!value_is(v, VALUE_MAP))
		return;
	report->database.present = true;
	report->database.built = text_of(v, "built");
	(void)value_int(value_get(v, "age_days"), &report->database.age_days);
	report->database.stale = value_bool(value_get(v, "stale"));
	for (size_t i = 0; i < value_len(sources) && i < DB_SOURCES_MAX; i++) {
		const struct value *s = value_at(sources, i);
		*vec_push(r->arena, &report->database.sources) = (struct report_source){
			.name = text_of(s, "name"),
			.updated = text_of(s, "updated"),
			.advisories = count_of(value_get(s, "advisories")),
			.coverage = text_of(s, "coverage"),
		};
	}
}

static void read_summary(struct reading *r, const struct value *v, struct report *report)
{
	const struct value *gate = value_get(v, "gate");
	report->summary.gate.asked = text_of(gate, "asked");
	report->summary.gate.failed = str_eq(text_of(gate, "result"), STR("fail"));
	report->summary.gate.by = text_of(gate, "by");
	report->summary.hidden = count_of(value_get(v, "hidden"));
	report->summary.hidden_unknown = count_of(value_get(v, "hidden_unknown"));
	read_strings(r, value_get(v, "policy_files"), &report->summary.policy_files);
}

int report_read(struct arena *a, const struct value *document, struct report *ret, struct err *err)
{
	struct reading r = { .arena = a, .err = err };
	struct report report = { .started = text_of(document, "started"), .sandbox = text_of(document, "sandbox"),
		                 .duration_ms = count_of(value_get(document, "duration_ms")),
		                 .tool_version = text_of(value_get(document, "tool"), "version") };
	struct str schema = text_of(document, "schema");
	const struct value *targets = value_get(document, "targets");
	if (schema.len == 0)
		return err_set(err, ERR_FORMAT, "this is no report of plimsoll (-f json)");
	if (!str_eq(schema, STR("plimsoll.report/v1")))
		return err_set(err, ERR_UNSUPPORTED, "a report of the schema \"%.*s\": this version reads plimsoll.report/v1",
		               STR_ARG(schema));
	int rc = too_many(&r, "targets", value_len(targets), REPORT_TARGETS_MAX, "REPORT_TARGETS_MAX");
	for (size_t i = 0; rc == 0 && i < value_len(targets); i++) {
		rc = read_target(&r, value_at(targets, i), vec_push(a, &report.targets));
		if (rc < 0)
			err_wrap(err, "target %zu", i + 1);
	}
	if (rc < 0)
		return rc;
	read_database(&r, value_get(document, "database"), &report);
	read_summary(&r, value_get(document, "summary"), &report);
	*ret = report;
	return 0;
}
