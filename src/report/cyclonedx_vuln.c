/* CycloneDX vulnerabilities: findings of all targets gathered by id and by what policy says of them, for one entry has
 * one analysis. The built-in ignore is "not affected" (its reason is that the code does not run from there); a user's
 * ignore is a decision not to act, which says nothing about exploitability, so no state is claimed for it. */
#include "report/cyclonedx.h"

#include "base/base.h"
#include "report/text.h"

#define RECOMMENDATIONS_MAX 5u

struct entry {
	const struct finding *finding;
	const struct cdx_target *target;
};

struct entries {
	struct entry *ptr;
	size_t len, cap;
};

/* Same id, same treatment. */
static int group_cmp(const struct finding *a, const struct finding *b)
{
	int c = str_cmp(a->id, b->id);
	if (c == 0)
		c = str_cmp(a->suppressed.by, b->suppressed.by);
	if (c == 0)
		c = str_cmp(a->suppressed.reason, b->suppressed.reason);
	return c ? c : str_cmp(a->suppressed.until, b->suppressed.until);
}

static int entries_cmp(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int c = group_cmp(a->finding, b->finding);
	if (c == 0)
		c = (a->target > b->target) - (a->target < b->target);
	return c ? c : finding_identity_cmp(a->finding, b->finding);
}

static void put_source(struct json_writer *w, struct str name)
{
	if (name.len == 0)
		return;
	json_key(w, "source");
	json_begin_map(w);
	cdx_str(w, "name", name);
	json_end_map(w);
}

static const char *cvss_method(struct str vector)
{
	if (str_starts(vector, STR("CVSS:4.0/")))
		return "CVSSv4";
	if (str_starts(vector, STR("CVSS:3.1/")))
		return "CVSSv31";
	if (str_starts(vector, STR("CVSS:3.0/")))
		return "CVSSv3";
	return str_starts(vector, STR("AV:")) ? "CVSSv2" : "other";
}

static void put_cvss(struct json_writer *w, const struct finding *f)
{
	json_begin_map(w);
	if (f->cvss_score >= 0) {
		json_key(w, "score");
		json_double(w, f->cvss_score, 1);
		cdx_str(w, "severity", str_from(severity_name(severity_of_cvss(f->cvss_score))));
	}
	cdx_str(w, "method", str_from(cvss_method(f->cvss_vector)));
	json_key_str(w, "vector", f->cvss_vector);
	json_end_map(w);
}

/* Each severity that somebody gives it, with his name, and the CVSS of it; each once. */
static void put_ratings(struct arena *a, struct json_writer *w, const struct entry *e, size_t count)
{
	struct map seen = { 0 };
	json_key(w, "ratings");
	json_begin_list(w);
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = e[i].finding;
		bool fresh;
		(void)map_put(a, &seen, arena_printf(a, "%d %.*s", (int)f->severity, STR_ARG(f->severity_source)),
			      &fresh);
		if (fresh) {
			json_begin_map(w);
			put_source(w, f->severity_source);
			cdx_str(w, "severity", str_from(severity_name(f->severity)));
			json_end_map(w);
		}
		if (f->cvss_score < 0 && f->cvss_vector.len == 0)
			continue;
		(void)map_put(a, &seen,
			      arena_printf(a, "cvss %.*s %.*s", STR_ARG(text_decimal(a, f->cvss_score, 1)),
					   STR_ARG(f->cvss_vector)),
			      &fresh);
		if (fresh)
			put_cvss(w, f);
	}
	json_end_list(w);
}

static void put_cwes(struct json_writer *w, const struct finding *f)
{
	bool open = false;
	for (size_t i = 0; i < f->cwes.len; i++) {
		struct str digits = f->cwes.ptr[i];
		uint64_t number;
		if (!str_skip(&digits, STR("CWE-")) || !str_to_u64(digits, &number) || number < 1 || number > INT32_MAX)
			continue;
		if (!open) {
			json_key(w, "cwes");
			json_begin_list(w);
			open = true;
		}
		json_int(w, (int64_t)number);
	}
	if (open)
		json_end_list(w);
}

/* Other ids of it. */
static void put_aliases(struct json_writer *w, const struct finding *f)
{
	if (f->aliases.len == 0)
		return;
	json_key(w, "references");
	json_begin_list(w);
	for (size_t i = 0; i < f->aliases.len; i++) {
		json_begin_map(w);
		cdx_str(w, "id", f->aliases.ptr[i]);
		put_source(w, f->source.len ? f->source : STR("other"));
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_recommendation(struct arena *a, struct json_writer *w, const struct entry *e, size_t count)
{
	struct buf BUF_AUTO out = { 0 };
	struct map seen = { 0 };
	buf_init(&out, 64 * KIB);
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = e[i].finding;
		if (!f->package || f->fixed_version.len == 0)
			continue;
		bool fresh;
		struct str line =
		    arena_printf(a, "Upgrade %.*s to %.*s.", STR_ARG(text_clean(a, f->package->source_name)),
				 STR_ARG(text_clean(a, f->fixed_version)));
		(void)map_put(a, &seen, line, &fresh);
		if (fresh && seen.len <= RECOMMENDATIONS_MAX) {
			buf_put(&out, out.len ? STR(" ") : STR(""));
			buf_put(&out, line);
		}
	}
	json_key_str(w, "recommendation", buf_view(&out));
}

static void put_advisories(struct json_writer *w, const struct finding *f)
{
	bool open = false;
	for (size_t i = 0; i < f->references.len; i++) {
		struct str url = f->references.ptr[i];
		bool plain = str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
		for (size_t k = 0; plain && k < url.len; k++)
			plain = ascii_alnum(url.ptr[k]) || str_find(STR("-._~:/?#@!$&'()*+,;=%"), url.ptr[k]) >= 0;
		if (!plain)
			continue;
		if (!open) {
			json_key(w, "advisories");
			json_begin_list(w);
			open = true;
		}
		json_begin_map(w);
		cdx_str(w, "url", url);
		json_end_map(w);
	}
	if (open)
		json_end_list(w);
}

static void put_analysis(struct arena *a, struct json_writer *w, const struct finding *f)
{
	if (!finding_is_suppressed(f))
		return;
	json_key(w, "analysis");
	json_begin_map(w);
	if (str_eq(f->suppressed.by, STR("built-in"))) {
		cdx_str(w, "state", STR("not_affected"));
		cdx_str(w, "justification", STR("code_not_present"));
	} else {
		json_key(w, "response");
		json_begin_list(w);
		json_cstr(w, "will_not_fix");
		json_end_list(w);
	}
	struct str until = text_clean(a, f->suppressed.until);
	cdx_str(w, "detail",
		arena_printf(a, "%.*s (ignored by %.*s%s%.*s)", STR_ARG(text_clean(a, f->suppressed.reason)),
			     STR_ARG(text_clean(a, f->suppressed.by)), until.len ? ", until " : "", STR_ARG(until)));
	json_end_map(w);
}

static void put_affects(struct arena *a, struct json_writer *w, const struct entry *e, size_t count)
{
	struct map seen = { 0 };
	json_key(w, "affects");
	json_begin_list(w);
	for (size_t i = 0; i < count; i++) {
		const struct package *p = e[i].finding->package;
		struct str ref = p ? cdx_ref_of(e[i].target, p) : (struct str){ 0 };
		if (ref.len == 0)
			ref = e[i].target->ref; /* the target itself, rather than nothing */
		bool fresh;
		(void)map_put(a, &seen, ref, &fresh);
		if (!fresh)
			continue;
		json_begin_map(w);
		cdx_str(w, "ref", ref);
		if (p) {
			json_key(w, "versions");
			json_begin_list(w);
			json_begin_map(w);
			cdx_str(w, "version", p->version);
			cdx_str(w, "status", STR("affected"));
			json_end_map(w);
			json_end_list(w);
		}
		json_end_map(w);
	}
	json_end_list(w);
}

static void put_properties(struct arena *a, struct json_writer *w, const struct finding *f)
{
	json_key(w, "properties");
	json_begin_list(w);
	cdx_property(w, "plimsoll:status", str_from(status_name(f->status)));
	cdx_property(w, "plimsoll:kev", f->kev ? STR("true") : STR(""));
	if (f->epss >= 0)
		cdx_property(w, "plimsoll:epss", text_decimal(a, f->epss, 5));
	json_end_list(w);
}

static void put_vulnerability(struct cdx *c, const struct entry *e, size_t count)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct json_writer *w = c->w;
	const struct finding *f = e[0].finding;
	json_begin_map(w);
	cdx_str(w, "bom-ref",
		cdx_unique_ref(c, arena_printf(c->arena, "vulnerability:%.*s", STR_ARG(text_clean(a, f->id)))));
	cdx_str(w, "id", f->id);
	put_source(w, f->source);
	put_aliases(w, f);
	put_ratings(a, w, e, count);
	put_cwes(w, f);
	put_recommendation(a, w, e, count);
	put_advisories(w, f);
	put_analysis(a, w, f);
	put_affects(a, w, e, count);
	put_properties(a, w, f);
	json_end_map(w);
}

void cdx_put_vulnerabilities(struct cdx *c)
{
	struct entries all = { 0 };
	for (size_t i = 0; i < c->report->targets.len; i++) {
		struct finding_refs refs;
		order_findings(c->arena, c->targets[i].target, &refs);
		for (size_t k = 0; k < refs.len; k++)
			if (refs.ptr[k]->kind == FINDING_VULNERABILITY)
				*vec_push(c->arena, &all) = (struct entry){ refs.ptr[k], &c->targets[i] };
	}
	if (all.len)
		qsort(all.ptr, all.len, sizeof(*all.ptr), entries_cmp);
	json_key(c->w, "vulnerabilities");
	json_begin_list(c->w);
	for (size_t from = 0, to; from < all.len; from = to) {
		for (to = from + 1; to < all.len; to++)
			if (group_cmp(all.ptr[from].finding, all.ptr[to].finding) != 0)
				break;
		put_vulnerability(c, all.ptr + from, to - from);
	}
	json_end_list(c->w);
}
