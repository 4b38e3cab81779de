/* plimsoll.report/v1 (DESIGN 4, doc/report.schema.json): everything that the report holds, for machines. Keys stand in
 * the order of the schema, what is optional and not known is left out, packages and findings are sorted: equal reports
 * are equal bytes. Findings that a display filter hides are not written; suppressed ones always are, marked.
 * Must never drop a finding for any other reason. */
#include "report/formats.h"
#include "report/order.h"

#include "base/base.h"
#include "base/json.h"

struct ctx {
	struct json_writer w;
	struct arena *arena; /* of one target */
	const struct report_options *options;
	const struct target *purls_of;
	struct str *purls; /* of purls_of->packages, made at first use: a package may have hundreds of findings */
};

static void put_str(struct json_writer *w, const char *key, struct str s)
{
	json_key(w, key);
	json_str(w, s);
}

static void put_cstr(struct json_writer *w, const char *key, const char *s)
{
	json_key(w, key);
	json_cstr(w, s);
}

static void put_count(struct json_writer *w, const char *key, uint64_t n)
{
	json_key(w, key);
	json_int(w, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static void put_bool(struct json_writer *w, const char *key, bool v)
{
	json_key(w, key);
	json_bool(w, v);
}

static void put_list(struct json_writer *w, const char *key, const struct str_list *list)
{
	json_key(w, key);
	json_begin_list(w);
	for (size_t i = 0; i < list->len; i++)
		json_str(w, list->ptr[i]);
	json_end_list(w);
}

static void put_tool(struct json_writer *w, const struct report *r)
{
	put_cstr(w, "schema", "plimsoll.report/v1");
	json_key(w, "tool");
	json_begin_map(w);
	put_cstr(w, "name", "plimsoll");
	put_str(w, "version", r->tool_version);
	json_end_map(w);
	put_str(w, "started", r->started);
	put_count(w, "duration_ms", r->duration_ms);
	put_str(w, "sandbox", r->sandbox);
}

static void put_database(struct json_writer *w, const struct report *r)
{
	if (!r->database.present)
		return;
	json_key(w, "database");
	json_begin_map(w);
	put_str(w, "built", r->database.built);
	json_key(w, "age_days");
	json_int(w, r->database.age_days);
	if (r->database.stale)
		put_bool(w, "stale", true);
	json_key(w, "sources");
	json_begin_list(w);
	for (size_t i = 0; i < r->database.sources.len; i++) {
		const struct report_source *s = &r->database.sources.ptr[i];
		json_begin_map(w);
		put_str(w, "name", s->name);
		put_str(w, "updated", s->updated);
		put_count(w, "advisories", s->advisories);
		put_str(w, "coverage", s->coverage);
		json_end_map(w);
	}
	json_end_list(w);
	json_end_map(w);
}

static void put_os(struct json_writer *w, const struct target *t)
{
	if (t->os.id.len == 0)
		return;
	json_key(w, "os");
	json_begin_map(w);
	put_str(w, "id", t->os.id);
	put_str(w, "version", t->os.version);
	put_str(w, "name", t->os.name);
	put_bool(w, "supported", t->os_supported);
	put_bool(w, "eol", t->os_eol);
	json_key_str(w, "eol_date", t->os_eol_date);
	json_end_map(w);
}

static void put_list_if_any(struct json_writer *w, const char *key, const struct str_list *list)
{
	if (list->len)
		put_list(w, key, list);
}

static void put_history(struct json_writer *w, const struct image_config *c)
{
	if (c->history.len == 0)
		return;
	json_key(w, "history");
	json_begin_list(w);
	for (size_t i = 0; i < c->history.len; i++) {
		const struct image_step *s = &c->history.ptr[i];
		json_begin_map(w);
		json_key_str(w, "created", s->created);
		json_key_str(w, "created_by", s->created_by);
		json_key_str(w, "comment", s->comment);
		if (s->empty_layer)
			put_bool(w, "empty_layer", true);
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_image(struct json_writer *w, const struct image_config *c)
{
	if (c->id.len == 0)
		return;
	json_key(w, "image");
	json_begin_map(w);
	put_str(w, "id", c->id);
	put_list_if_any(w, "tags", &c->tags);
	put_list_if_any(w, "digests", &c->digests);
	json_key_str(w, "created", c->created);
	json_key_str(w, "author", c->author);
	put_history(w, c);
	json_key_str(w, "user", c->user);
	json_key_str(w, "working_dir", c->working_dir);
	json_key_str(w, "stop_signal", c->stop_signal);
	put_list_if_any(w, "cmd", &c->cmd);
	put_list_if_any(w, "entrypoint", &c->entrypoint);
	put_list_if_any(w, "exposed_ports", &c->exposed_ports);
	put_list_if_any(w, "volumes", &c->volumes);
	if (c->labels.len > 1) {
		json_key(w, "labels");
		json_begin_list(w); /* of pairs: a label's name may be anything */
		for (size_t i = 0; i < c->labels.len; i++)
			json_str(w, c->labels.ptr[i]);
		json_end_list(w);
	}
	json_end_map(w);
}

static void put_layers(struct json_writer *w, const struct layer_list *layers)
{
	if (layers->len == 0)
		return;
	json_key(w, "layers");
	json_begin_list(w);
	for (size_t i = 0; i < layers->len; i++) {
		const struct layer *l = &layers->ptr[i];
		json_begin_map(w);
		put_str(w, "diff_id", l->diff_id);
		json_key_str(w, "digest", l->digest);
		put_count(w, "size", l->size);
		put_str(w, "created_by", l->created_by);
		json_end_map(w);
	}
	json_end_list(w);
}

static struct str purl_of(struct ctx *c, const struct package *p, const struct target *t)
{
	size_t at = (size_t)(p - t->packages.ptr);
	if (t->packages.len == 0 || p < t->packages.ptr || at >= t->packages.len)
		return package_purl(c->arena, p, t->os.id, t->os.version);
	if (c->purls_of != t) {
		c->purls_of = t;
		c->purls = arena_array(c->arena, t->packages.len, sizeof(*c->purls));
	}
	if (c->purls[at].len == 0)
		c->purls[at] = package_purl(c->arena, p, t->os.id, t->os.version);
	return c->purls[at];
}

static void put_package_fields(struct ctx *c, const struct package *p, const struct target *t)
{
	struct json_writer *w = &c->w;
	put_cstr(w, "type", package_type_name(p->type));
	put_str(w, "name", p->name);
	put_str(w, "version", p->version);
	json_key_str(w, "arch", p->arch);
	put_str(w, "source_name", p->source_name);
	put_str(w, "source_version", p->source_version);
	put_str(w, "purl", purl_of(c, p, t));
	json_key_str(w, "layer", p->layer);
	if (p->use != USE_UNKNOWN)
		put_bool(w, "in_use", p->use == USE_YES);
	if (p->db_path.len) {
		json_key(w, "paths");
		json_begin_list(w);
		json_str(w, p->db_path);
		json_end_list(w);
	}
}

static void put_packages(struct ctx *c, const struct target *t)
{
	struct json_writer *w = &c->w;
	if (!c->options->list_all_pkgs) {
		put_count(w, "package_count", target_package_count(t));
		return;
	}
	if (t->package_count > t->packages.len)
		put_count(w, "package_count", t->package_count);
	const struct package **sorted = order_packages(c->arena, t);
	json_key(w, "packages");
	json_begin_list(w);
	for (size_t i = 0; i < t->packages.len; i++) {
		json_begin_map(w);
		put_package_fields(c, sorted[i], t);
		json_key_str(w, "vendor", sorted[i]->vendor);
		json_key_str(w, "module", sorted[i]->module);
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_ratings(struct json_writer *w, const struct finding *f)
{
	if (f->cvss_vector.len || f->cvss_score >= 0) {
		json_key(w, "cvss");
		json_begin_map(w);
		json_key_str(w, "vector", f->cvss_vector);
		if (f->cvss_score >= 0) {
			json_key(w, "score");
			json_double(w, f->cvss_score, 1);
		}
		json_end_map(w);
	}
	if (f->epss >= 0) {
		json_key(w, "epss");
		json_double(w, f->epss, 5);
	}
	if (f->kev)
		put_bool(w, "kev", true);
}

static void put_location(struct json_writer *w, const struct finding *f)
{
	if (f->location.path.len == 0)
		return;
	json_key(w, "location");
	json_begin_map(w);
	put_str(w, "path", f->location.path);
	if (f->location.line)
		put_count(w, "line", f->location.line);
	if (f->location.column)
		put_count(w, "column", f->location.column);
	json_key_str(w, "layer", f->location.layer);
	json_key_str(w, "instruction", f->location.instruction);
	json_end_map(w);
}

static void put_verdict(struct json_writer *w, const struct finding *f)
{
	put_str(w, "evidence", f->evidence);
	if (f->fix_text.len || f->fix_diff.len) {
		json_key(w, "fix");
		json_begin_map(w);
		put_str(w, "text", f->fix_text);
		json_key_str(w, "diff", f->fix_diff);
		json_end_map(w);
	}
	put_list(w, "references", &f->references);
	json_key(w, "standards"); /* only rules name any, and they come with the rule book */
	json_begin_map(w);
	json_end_map(w);
	if (finding_is_suppressed(f)) {
		json_key(w, "suppressed");
		json_begin_map(w);
		put_str(w, "by", f->suppressed.by);
		put_str(w, "reason", f->suppressed.reason);
		json_key_str(w, "until", f->suppressed.until);
		json_end_map(w);
	}
}

static void put_finding(struct ctx *c, const struct finding *f, const struct target *t)
{
	struct json_writer *w = &c->w;
	json_begin_map(w);
	put_str(w, "id", f->id);
	put_cstr(w, "kind", finding_kind_name(f->kind));
	put_cstr(w, "severity", severity_name(f->severity));
	put_str(w, "severity_source", f->severity_source);
	put_str(w, "title", f->title);
	put_list(w, "aliases", &f->aliases);
	put_list_if_any(w, "cwes", &f->cwes);
	if (f->package) {
		json_key(w, "package");
		json_begin_map(w);
		put_package_fields(c, f->package, t);
		json_end_map(w);
	}
	json_key_str(w, "fixed_version", f->fixed_version);
	json_key_str(w, "status", str_from(status_name(f->status)));
	put_ratings(w, f);
	put_location(w, f);
	json_key_str(w, "subject", f->subject);
	json_key_str(w, "source", f->source);
	put_verdict(w, f);
	json_end_map(w);
}

static void put_notes(struct ctx *c, const struct target *t)
{
	struct json_writer *w = &c->w;
	if (t->notes.len == 0)
		return;
	json_key(w, "notes");
	json_begin_list(w);
	for (size_t i = 0; i < t->notes.len; i++)
		json_str(w, t->notes.ptr[i]);
	json_end_list(w);
}

static void put_not_assessed(struct ctx *c, const struct target *t)
{
	struct json_writer *w = &c->w;
	json_key(w, "not_assessed");
	json_begin_list(w);
	for (size_t i = 0; i < t->not_assessed.len; i++) {
		const struct not_assessed *n = &t->not_assessed.ptr[i];
		json_begin_map(w);
		put_str(w, "what", n->what);
		if (n->count)
			put_count(w, "count", n->count);
		if (n->of)
			put_count(w, "of", n->of);
		put_str(w, "reason", report_reason(c->arena, n));
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_target(struct ctx *c, const struct target *t)
{
	struct json_writer *w = &c->w;
	json_begin_map(w);
	put_cstr(w, "kind", target_kind_name(t->kind));
	put_str(w, "name", t->name);
	json_key_str(w, "digest", t->digest);
	json_key_str(w, "platform", t->platform);
	put_os(w, t);
	put_image(w, &t->image);
	put_layers(w, &t->layers);
	put_packages(c, t);
	struct finding_refs refs;
	order_findings(c->arena, t, &refs);
	json_key(w, "findings");
	json_begin_list(w);
	for (size_t i = 0; i < refs.len; i++)
		put_finding(c, refs.ptr[i], t);
	json_end_list(w);
	put_not_assessed(c, t);
	put_notes(c, t);
	json_end_map(w);
}

static void put_upgrades(struct json_writer *w, const struct report *r)
{
	json_key(w, "upgrades");
	json_begin_list(w);
	for (size_t i = 0; i < r->targets.len; i++) {
		const struct upgrade_list *list = &r->targets.ptr[i].upgrades;
		for (size_t k = 0; k < list->len; k++) {
			json_begin_map(w);
			put_str(w, "package", list->ptr[k].package);
			put_str(w, "to", list->ptr[k].to);
			put_count(w, "removes", list->ptr[k].removes);
			json_end_map(w);
		}
	}
	json_end_list(w);
}

static void put_summary(struct json_writer *w, const struct report *r)
{
	json_key(w, "summary");
	json_begin_map(w);
	for (unsigned s = SEVERITY_COUNT; s-- > 0;)
		put_count(w, severity_name((enum severity)s), r->summary.by_severity[s]);
	put_count(w, "passed", 0); /* checks: they come with the rule book */
	put_count(w, "not_assessed", r->summary.not_assessed);
	put_count(w, "distinct", r->summary.distinct);
	put_count(w, "fixable", r->summary.fixable);
	put_count(w, "kev", r->summary.kev);
	put_upgrades(w, r);
	if (r->summary.hidden) {
		put_count(w, "hidden", r->summary.hidden);
		put_count(w, "hidden_unknown", r->summary.hidden_unknown);
	}
	if (r->summary.gate.asked.len) {
		json_key(w, "gate");
		json_begin_map(w);
		put_str(w, "asked", r->summary.gate.asked);
		put_cstr(w, "result", r->summary.gate.failed ? "fail" : "pass");
		put_str(w, "by", r->summary.gate.by);
		json_end_map(w);
	}
	put_list(w, "policy_files", &r->summary.policy_files);
	json_end_map(w);
}

int report_json_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct ctx c = { .options = o };
	json_writer_init(&c.w, out, 2);
	json_begin_map(&c.w);
	put_tool(&c.w, r);
	put_database(&c.w, r);
	json_key(&c.w, "targets");
	json_begin_list(&c.w);
	for (size_t i = 0; i < r->targets.len; i++) {
		struct arena *ARENA_AUTO a = arena_new();
		c.arena = a;
		put_target(&c, &r->targets.ptr[i]);
	}
	json_end_list(&c.w);
	put_summary(&c.w, r);
	json_end_map(&c.w);
	fputc('\n', out);
	return report_written(out, "json", err);
}
