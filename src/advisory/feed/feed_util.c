/* What importers share: dates, severities, ids, sources. See feed.h. */
#include "advisory/feed/feed.h"

#include "base/base.h"

uint32_t feed_source(const struct feed_input *in, struct feed_sink *sink, const struct feed_words *w, int64_t updated)
{
	if (in->latest > 0 && updated > in->latest)
		updated = FEED_NO_DATE;
	struct db_source s = {
		.name = str_from(w->name),
		.licence = in->licence.len ? in->licence : str_from(w->licence),
		.attribution = in->attribution.len ? in->attribution : str_from(w->attribution),
		.coverage = str_from(w->coverage),
		.updated = updated == FEED_NO_DATE ? in->updated : updated,
	};
	return sink->source(sink->ctx, &s);
}

void feed_platform(struct feed_sink *sink, struct str name, bool complete, bool unfixed, const char *coverage,
		   uint32_t source)
{
	struct db_platform p = {
		.name = name,
		.complete = complete,
		.unfixed = unfixed,
		.coverage = str_from(coverage),
	};
	sink->platform(sink->ctx, &p, source);
}

static bool digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

bool feed_is_cve(struct str s)
{
	if (!str_skip(&s, STR("CVE-")) || s.len < 9 || s.len > 24 || s.ptr[4] != '-')
		return false;
	return digits(str_sub(s, 0, 4)) && digits(str_sub(s, 5, s.len));
}

struct db_vuln feed_vuln_none(void) { return (struct db_vuln){ .cvss_score = -1, .epss = -1 }; }

/* Days from 1970 by the usual count of 400-year cycles, which starts the year in March. */
int64_t feed_day(unsigned year, unsigned month, unsigned day)
{
	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return 0;
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = y / 400, of_era = y % 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
	return days * 86400;
}

int64_t feed_date(struct str s)
{
	uint64_t year, month, day;
	if (s.len < 10 || s.ptr[4] != s.ptr[7] || (s.ptr[4] != '-' && s.ptr[4] != '.'))
		return 0;
	if (!str_to_u64(str_sub(s, 0, 4), &year) || !str_to_u64(str_sub(s, 5, 7), &month) ||
	    !str_to_u64(str_sub(s, 8, 10), &day))
		return 0;
	return feed_day((unsigned)year, (unsigned)month, (unsigned)day);
}

void feed_add_cwe(struct db_vuln *v, struct str s)
{
	uint64_t n;
	(void)str_skip(&s, STR("CWE-"));
	if (!str_to_u64(s, &n) || n == 0 || n > UINT32_MAX)
		return;
	for (uint32_t i = 0; i < v->cwe_count; i++)
		if (v->cwes[i] == n)
			return;
	if (v->cwe_count < COUNT_OF(v->cwes))
		v->cwes[v->cwe_count++] = (uint32_t)n;
}

enum severity feed_severity(struct str word)
{
	static const struct {
		struct str word;
		enum severity severity;
	} words[] = {
		{ STR_INIT("critical"), SEVERITY_CRITICAL }, { STR_INIT("important"), SEVERITY_HIGH },
		{ STR_INIT("high"), SEVERITY_HIGH },         { STR_INIT("moderate"), SEVERITY_MEDIUM },
		{ STR_INIT("medium"), SEVERITY_MEDIUM },     { STR_INIT("low"), SEVERITY_LOW },
		{ STR_INIT("negligible"), SEVERITY_INFO },   { STR_INIT("unimportant"), SEVERITY_INFO },
		{ STR_INIT("minor"), SEVERITY_LOW },         { STR_INIT("informational"), SEVERITY_INFO },
	};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq_nocase(word, words[i].word))
			return words[i].severity;
	return SEVERITY_UNKNOWN;
}

bool feed_version(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.ptr[i] <= ' ' || (uint8_t)s.ptr[i] == 0x7f)
			return false;
	return s.len > 0 && s.len <= VERSION_LEN_MAX;
}

static uint32_t null_source(void *ctx, const struct db_source *s)
{
	(void)ctx;
	(void)s;
	return 0;
}

static void null_platform(void *ctx, const struct db_platform *p, uint32_t source)
{
	(void)ctx;
	(void)p;
	(void)source;
}

static void null_package(void *ctx, struct str platform, struct str package)
{
	(void)ctx;
	(void)platform;
	(void)package;
}

static void null_fact(void *ctx, struct str platform, struct str package, const struct db_fact *f)
{
	(void)ctx;
	(void)platform;
	(void)package;
	(void)f;
}

static void null_vuln(void *ctx, uint32_t source, struct str id, const struct db_vuln *v)
{
	(void)ctx;
	(void)source;
	(void)id;
	(void)v;
}

struct feed_sink feed_sink_null(void)
{
	return (struct feed_sink){
		.source = null_source,
		.platform = null_platform,
		.package = null_package,
		.fact = null_fact,
		.vuln = null_vuln,
	};
}
