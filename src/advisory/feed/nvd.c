/* NVD's feed and API, form 2.0: severity, CVSS and CWE. NVD's own analysis is "nvd"; what it passes on from a CNA is
 * "cna". CPE configurations are not taken, so a file that holds nothing else (nvd-data-overrides) gives nothing. */
#include "advisory/feed/feed.h"

#include "base/base.h"

static bool from_nvd(const struct value *metric)
{
	return str_eq(value_str(value_get(metric, "source")), STR("nvd@nist.gov"));
}

static bool take_metric(const struct value *metric, struct db_vuln *v)
{
	const struct value *cvss = value_get(metric, "cvssData");
	double score;
	if (!value_double(value_get(cvss, "baseScore"), &score) || score < 0 || score > 10)
		return false;
	/* Version 2 has the word beside its data. */
	struct str word = value_str(value_get(cvss, "baseSeverity"));
	v->severity = feed_severity(word.len ? word : value_str(value_get(metric, "baseSeverity")));
	if (v->severity == SEVERITY_UNKNOWN)
		v->severity = severity_of_cvss(score);
	v->cvss_score = score;
	v->cvss_vector = str_sub(value_str(value_get(cvss, "vectorString")), 0, 256);
	return true;
}

static bool take_metrics(const struct value *metrics, bool nvd, struct db_vuln *v)
{
	static const char *const versions[] = { "cvssMetricV31", "cvssMetricV30", "cvssMetricV40", "cvssMetricV2" };
	for (size_t k = 0; k < COUNT_OF(versions); k++) {
		const struct value *list = value_get(metrics, versions[k]);
		for (size_t i = 0; i < value_len(list); i++)
			if (from_nvd(value_at(list, i)) == nvd && take_metric(value_at(list, i), v))
				return true;
	}
	return false;
}

static void take_weaknesses(const struct value *weaknesses, bool nvd, struct db_vuln *v)
{
	for (size_t i = 0; i < value_len(weaknesses); i++) {
		const struct value *w = value_at(weaknesses, i), *d = value_get(w, "description");
		for (size_t j = 0; from_nvd(w) == nvd && j < value_len(d); j++)
			feed_add_cwe(v, value_str(value_get(value_at(d, j), "value")));
	}
}

static void take_cve(const struct value *cve, uint32_t source, struct feed_sink *sink)
{
	struct str id = value_str(value_get(cve, "id"));
	if (!feed_is_cve(id)) {
		sink->skipped++;
		return;
	}
	sink->records++;
	if (str_eq(value_str(value_get(cve, "vulnStatus")), STR("Rejected"))) {
		sink->left_out++;
		return;
	}
	for (int nvd = 0; nvd < 2; nvd++) {
		struct db_vuln v = feed_vuln_none();
		v.severity_source = nvd ? STR("nvd") : STR("cna");
		v.published = feed_date(value_str(value_get(cve, "published")));
		bool rated = take_metrics(value_get(cve, "metrics"), nvd, &v);
		take_weaknesses(value_get(cve, "weaknesses"), nvd, &v);
		if (rated || v.cwe_count > 0)
			sink->vuln(sink->ctx, source, id, &v);
	}
}

static bool is_json(struct str name) { return str_ends(name, STR(".json")); }

static const struct feed_words words = {
	.name = "nvd",
	.licence = "public domain",
	.attribution = "This product uses data from the NVD but is not endorsed or certified by the NVD.",
	.coverage = "severity, CVSS and CWE only",
};

int import_nvd(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	uint32_t source = feed_source(in, sink, &words, 0);
	int64_t updated = FEED_NO_DATE;
	int rc;
	while ((rc = feed_next(in, is_json, &doc, err)) > 0) {
		const struct value *root = feed_json(&doc), *list = value_get(root, "vulnerabilities");
		if (!value_is(list, VALUE_LIST)) {
			/* One record a file, as the overrides have it. */
			if (value_get(root, "cve"))
				take_cve(value_get(root, "cve"), source, sink);
			else
				sink->skipped++;
			continue;
		}
		int64_t date = feed_date(value_str(value_get(root, "timestamp")));
		updated = date > updated && date > 0 ? date : updated;
		for (size_t i = 0; i < value_len(list); i++)
			take_cve(value_get(value_at(list, i), "cve"), source, sink);
	}
	(void)feed_source(in, sink, &words, updated);
	return rc;
}
