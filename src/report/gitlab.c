/* GitLab's container scanning report, schema 15.0.7: one vulnerability a binary package and id, at its image. GitLab knows
 * no suppressions in it, so what is ignored is left out; what was not assessed is a warning of the scan. Findings that
 * belong to no package have no place in that report: counted in a warning. Lengths are those of the schema. */
#include "report/markup.h"

#include "base/base.h"
#include "base/json.h"
#include "report/text.h"

#define SCHEMA_VERSION "15.0.7"
#define NAME_MAX_LEN 240      /* of 255 */
#define SOLUTION_MAX_LEN 6000 /* of 7,000 */
#define TEXT_MAX_LEN 60000    /* of 1,048,576 */
#define VECTOR_MIN 32
#define VECTOR_MAX 128

static void put_str(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

static void put_program(struct json_writer *w, const char *key, const struct report *r)
{
	json_key(w, key);
	json_begin_map(w);
	put_str(w, "id", STR("plimsoll"));
	put_str(w, "name", STR("Plimsoll"));
	put_str(w, "version", r->tool_version.len ? r->tool_version : STR("0"));
	json_key(w, "vendor");
	json_begin_map(w);
	put_str(w, "name", STR("Plimsoll"));
	json_end_map(w);
	json_end_map(w);
}

static void put_message(struct json_writer *w, struct str text)
{
	json_begin_map(w);
	put_str(w, "level", STR("warn"));
	put_str(w, "value", text);
	json_end_map(w);
}

static bool belongs(const struct finding *f) { return f->kind == FINDING_VULNERABILITY && f->package; }

static void put_messages(struct arena *a, struct json_writer *w, const struct report *r)
{
	json_key(w, "messages");
	json_begin_list(w);
	for (size_t i = 0; i < r->targets.len; i++) {
		const struct target *t = &r->targets.ptr[i];
		size_t others = 0;
		for (size_t k = 0; k < t->not_assessed.len; k++) {
			const struct not_assessed *n = &t->not_assessed.ptr[k];
			struct str text = arena_printf(a, "%.*s: not assessed: %.*s: %.*s", STR_ARG(t->name), STR_ARG(n->what),
			                               STR_ARG(report_reason(a, n)));
			put_message(w, brief(a, text, TEXT_MAX_LEN));
		}
		for (size_t k = 0; k < t->findings.len; k++)
			others += finding_is_shown(&t->findings.ptr[k]) && !belongs(&t->findings.ptr[k]);
		if (others)
			put_message(w, arena_printf(a, "%zu findings that are no vulnerability of a package are not in this report",
			                            others));
	}
	json_end_list(w);
}

static void put_scan(struct arena *a, struct json_writer *w, const struct report *r)
{
	json_key(w, "scan");
	json_begin_map(w);
	put_program(w, "analyzer", r);
	put_program(w, "scanner", r);
	put_str(w, "type", STR("container_scanning"));
	put_str(w, "start_time", time_moved(a, r->started, 0));
	put_str(w, "end_time", time_moved(a, r->started, (r->duration_ms + 999) / 1000));
	put_str(w, "status", STR("success"));
	put_messages(a, w, r);
	json_end_map(w);
}

/* The schema's pattern of CVSS 3 vectors, metric by metric. */
static bool is_vector(struct str v)
{
	static const struct {
		struct str metric;
		const char *values;
	} metrics[] = {
		{ STR_INIT("AV"), "NALP" },   { STR_INIT("AC"), "LH" },     { STR_INIT("PR"), "NLH" },    { STR_INIT("UI"), "NR" },
		{ STR_INIT("S"), "UC" },      { STR_INIT("C"), "NLH" },     { STR_INIT("I"), "NLH" },     { STR_INIT("A"), "NLH" },
		{ STR_INIT("E"), "XUPFH" },   { STR_INIT("RL"), "XOTWU" },  { STR_INIT("RC"), "XURC" },   { STR_INIT("CR"), "XLMH" },
		{ STR_INIT("IR"), "XLMH" },   { STR_INIT("AR"), "XLMH" },   { STR_INIT("MAV"), "XNALP" }, { STR_INIT("MAC"), "XLH" },
		{ STR_INIT("MPR"), "XNLH" },  { STR_INIT("MUI"), "XNR" },   { STR_INIT("MS"), "XUC" },    { STR_INIT("MC"), "XNLH" },
		{ STR_INIT("MI"), "XNLH" },   { STR_INIT("MA"), "XNLH" },
	};
	struct str part, metric;
	if (v.len < VECTOR_MIN || v.len > VECTOR_MAX || str_ends(v, STR("/")) ||
	    (!str_skip(&v, STR("CVSS:3.0/")) && !str_skip(&v, STR("CVSS:3.1/"))))
		return false;
	while (str_cut(&v, '/', &part)) {
		bool known = false;
		(void)str_cut(&part, ':', &metric);
		for (size_t i = 0; i < COUNT_OF(metrics) && !known; i++)
			known = str_eq(metric, metrics[i].metric) && part.len == 1 && strchr(metrics[i].values, part.ptr[0]);
		if (!known)
			return false;
	}
	return true;
}

static void put_identifiers(struct json_writer *w, struct arena *a, const struct finding *f)
{
	json_key(w, "identifiers");
	json_begin_list(w);
	for (size_t i = 0; i <= f->aliases.len; i++) {
		struct str id = i ? f->aliases.ptr[i - 1] : f->id, url = i ? (struct str){ 0 } : report_finding_url(a, f);
		if (id.len == 0 && i)
			continue;
		id = id.len ? brief(a, id, NAME_MAX_LEN) : STR("unnamed");
		bool cve = str_starts(id, STR("CVE-")), cwe = str_starts(id, STR("CWE-"));
		json_begin_map(w);
		put_str(w, "type", cve ? STR("cve") : cwe ? STR("cwe") : STR("plimsoll"));
		put_str(w, "name", id);
		put_str(w, "value", id);
		json_key_str(w, "url", url);
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_location(struct json_writer *w, struct arena *a, const struct target *t, const struct finding *f)
{
	struct str os = t->os.id;
	if (os.len && t->os.version.len)
		os = arena_printf(a, "%.*s %.*s", STR_ARG(t->os.id), STR_ARG(t->os.version));
	os = brief(a, os, NAME_MAX_LEN);
	struct str image = brief(a, t->name, TEXT_MAX_LEN);
	json_key(w, "location");
	json_begin_map(w);
	json_key(w, "dependency");
	json_begin_map(w);
	json_key(w, "package");
	json_begin_map(w);
	put_str(w, "name", f->package->name);
	json_end_map(w);
	put_str(w, "version", f->package->version);
	json_end_map(w);
	put_str(w, "operating_system", os.len ? os : STR("unknown"));
	put_str(w, "image", image.len ? image : STR("unknown"));
	json_end_map(w);
}

static struct str solution(struct arena *a, const struct finding *f)
{
	if (f->fixed_version.len)
		return brief(a, arena_printf(a, "Upgrade %.*s from %.*s to %.*s", STR_ARG(f->package->name),
		                             STR_ARG(f->package->version), STR_ARG(f->fixed_version)), SOLUTION_MAX_LEN);
	return f->fix_text.len ? brief(a, f->fix_text, SOLUTION_MAX_LEN) : STR("No fixed version is known");
}

static void put_vulnerability(struct json_writer *w, struct arena *a, const struct target *t, const struct finding *f)
{
	const struct str parts[] = { t->name, f->id, f->package->name, f->package->version, f->package->arch, f->package->db_path };
	json_begin_map(w);
	put_str(w, "id", uuid_of(a, parts, COUNT_OF(parts)));
	put_str(w, "name", brief(a, f->title.len ? f->title : f->id, NAME_MAX_LEN));
	put_str(w, "description", brief(a, f->evidence, TEXT_MAX_LEN));
	put_str(w, "severity", str_from(severity_title(f->severity)));
	put_str(w, "solution", solution(a, f));
	put_identifiers(w, a, f);
	if (is_vector(f->cvss_vector)) {
		json_key(w, "cvss_vectors");
		json_begin_list(w);
		json_begin_map(w);
		put_str(w, "vendor", STR("unknown"));
		put_str(w, "vector", f->cvss_vector);
		json_end_map(w);
		json_end_list(w);
	}
	struct str url = report_finding_url(a, f);
	json_key(w, "links");
	json_begin_list(w);
	if (url.len) {
		json_begin_map(w);
		put_str(w, "url", url);
		json_end_map(w);
	}
	json_end_list(w);
	put_location(w, a, t, f);
	json_end_map(w);
}

int report_gitlab_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct json_writer w;
	(void)o;
	json_writer_init(&w, out, 2);
	json_begin_map(&w);
	put_str(&w, "version", STR(SCHEMA_VERSION));
	put_scan(a, &w, r);
	json_key(&w, "vulnerabilities");
	json_begin_list(&w);
	for (size_t i = 0; i < r->targets.len; i++) {
		struct finding_refs refs;
		order_findings(a, &r->targets.ptr[i], &refs);
		for (size_t k = 0; k < refs.len; k++) {
			struct arena *ARENA_AUTO scratch = arena_new();
			if (finding_is_shown(refs.ptr[k]) && belongs(refs.ptr[k]))
				put_vulnerability(&w, scratch, &r->targets.ptr[i], refs.ptr[k]);
		}
	}
	json_end_list(&w);
	json_key(&w, "remediations");
	json_begin_list(&w);
	json_end_list(&w);
	json_end_map(&w);
	fputc('\n', out);
	return report_written(out, "gitlab", err);
}
