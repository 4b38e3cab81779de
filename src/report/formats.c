/* The table of output formats: see formats.h. */
#include "report/formats.h"

#include "base/base.h"

const struct report_format report_formats[] = {
	{ "table", "for people: by source package, what to upgrade first", report_table_write },
	{ "json", "everything, as plimsoll.report/v1 (doc/report.schema.json)", report_json_write },
	{ "sarif", "SARIF 2.1.0, for GitHub code scanning and editors", report_sarif_write },
	{ "cyclonedx", "CycloneDX 1.6 JSON: packages and their vulnerabilities", report_cyclonedx_write },
	{ "grype-json", "what reads Grype's JSON reads this", report_grype_json_write },
	{ "trivy-json", "in the shape of Trivy's JSON report, for what reads that", report_trivy_json_write },
	{ "gitlab", "GitLab's container scanning report, schema 15", report_gitlab_write },
	{ "gitlab-codequality", "GitLab's code quality report", report_codequality_write },
	{ "asff", "AWS Security Finding Format, for Security Hub (AWS_REGION, AWS_ACCOUNT_ID)", report_asff_write },
	{ "junit", "JUnit XML: a test case for each finding", report_junit_write },
	{ "csv", "comma-separated values (RFC 4180), one finding a line", report_csv_write },
	{ "markdown", "Markdown with tables, for merge requests and job summaries", report_markdown_write },
	{ "html", "one page of HTML that needs no other file", report_html_write },
	{ "template", "what --template says, in Go's template language", report_template_write },
};
const size_t report_format_count = COUNT_OF(report_formats);

const struct report_format *report_format_find(struct str name)
{
	for (size_t i = 0; i < report_format_count; i++)
		if (str_eq(name, str_from(report_formats[i].name)))
			return &report_formats[i];
	return NULL;
}

const struct report_format *report_format_for_template(struct str path)
{
	static const char *const names[] = { "html", "junit", "gitlab", "gitlab-codequality", "asff" };
	struct str name = str_sub(path, (size_t)(str_rfind(path, '/') + 1), path.len);
	(void)str_skip(&name, STR("@"));
	if (!str_drop(&name, STR(".tpl")))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(name, str_from(names[i])))
			return report_format_find(name);
	return NULL;
}

struct str report_format_names(struct arena *a, const char *separator, const char *last)
{
	struct str all = { 0 };
	for (size_t i = 0; i < report_format_count; i++)
		all = arena_printf(a, "%.*s%s%s", STR_ARG(all),
		                   i == 0                         ? ""
		                   : i + 1 == report_format_count ? last
		                                                  : separator,
		                   report_formats[i].name);
	return all;
}

static bool is_web_address(struct str url)
{
	if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
		return false;
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= 0x20 || (unsigned char)url.ptr[i] >= 0x7f || strchr("<>\"`\\^{}|", url.ptr[i]))
			return false;
	return url.len > 8 && url.len <= 2000;
}

struct str report_finding_url(struct arena *a, const struct finding *f)
{
	for (size_t i = 0; i < f->references.len; i++)
		if (is_web_address(f->references.ptr[i]))
			return f->references.ptr[i];
	struct str url = arena_printf(a, "https://www.cve.org/CVERecord?id=%.*s", STR_ARG(f->id));
	return str_starts(f->id, STR("CVE-")) && is_web_address(url) ? url : (struct str){ 0 };
}

int report_written(FILE *out, const char *format, struct err *err)
{
	if (fflush(out) != 0 || ferror(out))
		return err_set(err, ERR_IO, "write %s report: %m", format);
	return 0;
}

struct str report_reason(struct arena *a, const struct not_assessed *n)
{
	if (n->count == 0 || n->of == 0)
		return n->reason;
	return arena_printf(a, "%.*s (%llu of %llu)", STR_ARG(n->reason), (unsigned long long)n->count,
			    (unsigned long long)n->of);
}
