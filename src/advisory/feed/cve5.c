/* CVE records, JSON 5: severity, CVSS and CWE from the CNA and from the ADP containers (CISA's vulnrichment).
 * Versions in these records follow no ecosystem's order and are not taken. */
#include "advisory/feed/feed.h"

#include "base/base.h"

static bool set_cvss(struct db_vuln *v, const struct value *cvss)
{
	double score;
	struct str vector = value_str(value_get(cvss, "vectorString"));
	if (!value_double(value_get(cvss, "baseScore"), &score) || score < 0 || score > 10 || vector.len > 256)
		return false;
	struct str word = value_str(value_get(cvss, "baseSeverity"));
	v->cvss_score = score;
	v->cvss_vector = vector;
	v->severity = feed_severity(word);
	/* Version 2 has no word of its own, and "NONE" is a score of 0. */
	if (v->severity == SEVERITY_UNKNOWN)
		v->severity = severity_of_cvss(score);
	return true;
}

/* The versions that tools have agreed to compare by come first; 4.0 is still rare, 2.0 is old. */
static void take_metrics(struct db_vuln *v, const struct value *metrics)
{
	static const char *const versions[] = { "cvssV3_1", "cvssV3_0", "cvssV4_0", "cvssV2_0" };
	for (size_t k = 0; k < COUNT_OF(versions); k++)
		for (size_t i = 0; i < value_len(metrics); i++)
			if (set_cvss(v, value_get(value_at(metrics, i), versions[k])))
				return;
}

static void take_cwes(struct db_vuln *v, const struct value *problems)
{
	for (size_t i = 0; i < value_len(problems); i++) {
		const struct value *d = value_get(value_at(problems, i), "descriptions");
		for (size_t j = 0; j < value_len(d); j++)
			feed_add_cwe(v, value_str(value_get(value_at(d, j), "cweId")));
	}
}

static void take_container(const struct value *c, struct str who, struct str id, int64_t published, uint32_t source,
			   struct feed_sink *sink)
{
	struct db_vuln v = feed_vuln_none();
	v.severity_source = who;
	take_metrics(&v, value_get(c, "metrics"));
	take_cwes(&v, value_get(c, "problemTypes"));
	v.published = published;
	if (v.cvss_score >= 0 || v.cwe_count > 0 || v.published > 0)
		sink->vuln(sink->ctx, source, id, &v);
}

static void take_record(const struct value *record, uint32_t source, struct feed_sink *sink, struct arena *a)
{
	const struct value *meta = value_get(record, "cveMetadata"), *all = value_get(record, "containers");
	struct str id = value_str(value_get(meta, "cveId"));
	if (!feed_is_cve(id) || !value_is(all, VALUE_MAP)) {
		sink->skipped++;
		return;
	}
	sink->records++;
	if (!str_eq(value_str(value_get(meta, "state")), STR("PUBLISHED"))) {
		sink->left_out++;
		return;
	}
	int64_t published = feed_date(value_str(value_get(meta, "datePublished")));
	take_container(value_get(all, "cna"), STR("cna"), id, published, source, sink);
	const struct value *adp = value_get(all, "adp");
	for (size_t i = 0; i < value_len(adp); i++) {
		const struct value *c = value_at(adp, i);
		struct str name = value_str(value_get(value_get(c, "providerMetadata"), "shortName"));
		struct str who = str_lower(a, str_sub(name, 0, 32));
		if (!str_ends(who, STR("-adp")))
			who = arena_printf(a, "%.*s-adp", STR_ARG(who));
		take_container(c, who, id, 0, source, sink);
	}
}

static bool is_record(struct str name)
{
	ptrdiff_t slash = str_rfind(name, '/');
	struct str base = str_sub(name, (size_t)(slash + 1), name.len);
	return str_starts(base, STR("CVE-")) && str_ends(base, STR(".json"));
}

static const struct feed_words words = {
	.name = "cve",
	.licence = "CC0-1.0",
	.attribution = "CVE Program; CISA Vulnrichment",
	.coverage = "severity, CVSS and CWE only",
};

int import_cve5(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	uint32_t source = feed_source(in, sink, &words, 0);
	int64_t updated = FEED_NO_DATE;
	int rc;
	while ((rc = feed_next(in, is_record, &doc, err)) > 0) {
		const struct value *record = feed_json(&doc);
		int64_t date = feed_date(value_str(value_get(value_get(record, "cveMetadata"), "dateUpdated")));
		updated = date > updated && date > 0 ? date : updated;
		take_record(record, source, sink, doc.arena);
	}
	(void)feed_source(in, sink, &words, updated);
	return rc;
}
