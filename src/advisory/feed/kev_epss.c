/* CISA's Known Exploited Vulnerabilities (JSON and CSV) and FIRST's EPSS scores (CSV). Both speak of CVE ids alone. */
#include "advisory/feed/csv.h"
#include "advisory/feed/feed.h"

#include "base/base.h"

static const struct feed_words kev_words = {
	.name = "cisa-kev",
	.licence = "CC0-1.0",
	.attribution = "CISA Known Exploited Vulnerabilities Catalog",
	.coverage = "complete",
};

static int64_t take_kev(struct str id, struct str added, uint32_t source, struct feed_sink *sink)
{
	int64_t date = feed_date(added);
	if (!feed_is_cve(id)) {
		sink->skipped++;
		return 0;
	}
	struct db_vuln v = feed_vuln_none();
	v.severity_source = STR("cisa-kev");
	v.kev = true;
	v.kev_added = date;
	sink->records++;
	sink->vuln(sink->ctx, source, id, &v);
	return date;
}

static int64_t kev_json(const struct feed_doc *doc, uint32_t source, struct feed_sink *sink)
{
	const struct value *root = feed_json(doc), *list = value_get(root, "vulnerabilities");
	int64_t newest = 0;
	if (!value_is(list, VALUE_LIST))
		sink->skipped++;
	for (size_t i = 0; i < value_len(list); i++) {
		const struct value *v = value_at(list, i);
		int64_t date =
		    take_kev(value_str(value_get(v, "cveID")), value_str(value_get(v, "dateAdded")), source, sink);
		newest = date > newest ? date : newest;
	}
	int64_t released = feed_date(value_str(value_get(root, "dateReleased")));
	return released ? released : newest;
}

static int64_t kev_csv(const struct feed_doc *doc, uint32_t source, struct feed_sink *sink)
{
	struct str rest = doc->text, f[CSV_FIELDS_MAX];
	size_t n, id = CSV_FIELDS_MAX, added = CSV_FIELDS_MAX;
	int64_t newest = 0;
	(void)str_skip(&rest, STR("\xef\xbb\xbf"));
	if (csv_next(doc->arena, &rest, f, &n)) {
		id = csv_column(f, n, STR("cveID"));
		added = csv_column(f, n, STR("dateAdded"));
	}
	while (csv_next(doc->arena, &rest, f, &n)) {
		if (id >= n || added >= n) {
			sink->skipped++;
			continue;
		}
		int64_t date = take_kev(f[id], f[added], source, sink);
		newest = date > newest ? date : newest;
	}
	return newest;
}

int import_kev(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	uint32_t source = feed_source(in, sink, &kev_words, 0);
	int rc;
	while ((rc = feed_next(in, NULL, &doc, err)) > 0) {
		struct str head = str_trim(str_sub(doc.text, 0, 64));
		int64_t date = str_starts(head, STR("{")) ? kev_json(&doc, source, sink) : kev_csv(&doc, source, sink);
		(void)feed_source(in, sink, &kev_words, date ? date : FEED_NO_DATE);
	}
	return rc;
}

static const struct feed_words epss_words = {
	.name = "epss",
	.licence = "free to use (FIRST)",
	.attribution = "EPSS, FIRST.org (https://www.first.org/epss)",
	.coverage = "complete",
};

/* "0.00043", with up to nine digits behind the point. */
static bool take_probability(struct str s, double *ret)
{
	struct str whole, rest = s;
	uint64_t w, f = 0, unit = 1;
	if (!str_cut(&rest, '.', &whole) || !str_to_u64(whole, &w) || w > 1)
		return false;
	rest = str_sub(rest, 0, 9);
	if (rest.len && !str_to_u64(rest, &f))
		return false;
	for (size_t i = 0; i < rest.len; i++)
		unit *= 10;
	double v = (double)w + (double)f / (double)unit;
	if (v > 1)
		return false;
	*ret = v;
	return true;
}

/* "#model_version:v2023.03.01,score_date:2023-03-07T00:00:00+0000"; the first files had no such line. */
static int64_t score_date(struct str line)
{
	ptrdiff_t at = str_find_str(line, STR("score_date:"));
	return at < 0 ? 0 : feed_date(str_sub(line, (size_t)at + 11, line.len));
}

/* "epss_scores-2021-04-14.csv.gz" */
static int64_t name_date(struct str path)
{
	ptrdiff_t at = str_find_str(path, STR("epss_scores-"));
	return at < 0 ? 0 : feed_date(str_sub(path, (size_t)at + 12, path.len));
}

static int64_t epss_csv(const struct feed_doc *doc, uint32_t source, struct feed_sink *sink)
{
	struct str rest = doc->text, line, f[CSV_FIELDS_MAX];
	size_t n, id = CSV_FIELDS_MAX, score = CSV_FIELDS_MAX;
	int64_t date = 0;
	while (str_starts(rest, STR("#")) && str_cut(&rest, '\n', &line))
		date = date ? date : score_date(line);
	if (csv_next(doc->arena, &rest, f, &n)) {
		id = csv_column(f, n, STR("cve"));
		score = csv_column(f, n, STR("epss"));
	}
	while (csv_next(doc->arena, &rest, f, &n)) {
		struct db_vuln v = feed_vuln_none();
		if (id >= n || score >= n || !feed_is_cve(f[id]) || !take_probability(f[score], &v.epss)) {
			sink->skipped++;
			continue;
		}
		v.severity_source = STR("epss");
		sink->records++;
		sink->vuln(sink->ctx, source, f[id], &v);
	}
	return date;
}

int import_epss(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	uint32_t source = feed_source(in, sink, &epss_words, 0);
	int rc;
	while ((rc = feed_next(in, NULL, &doc, err)) > 0) {
		int64_t date = epss_csv(&doc, source, sink);
		date = date ? date : name_date(in->path);
		(void)feed_source(in, sink, &epss_words, date ? date : FEED_NO_DATE);
	}
	return rc;
}
