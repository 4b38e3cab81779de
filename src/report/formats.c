/* The table of output formats: see formats.h. */
#include "report/formats.h"

#include "base/base.h"

const struct report_format report_formats[] = {
	{ "table", "for people: by source package, what to upgrade first", report_table_write },
	{ "json", "everything, as plimsoll.report/v1 (doc/report.schema.json)", report_json_write },
	{ "sarif", "SARIF 2.1.0, for GitHub code scanning and editors", report_sarif_write },
	{ "cyclonedx", "CycloneDX 1.6 JSON: packages and their vulnerabilities", report_cyclonedx_write },
	{ "grype-json", "what reads Grype's JSON reads this", report_grype_json_write },
};
const size_t report_format_count = COUNT_OF(report_formats);

const struct report_format *report_format_find(struct str name)
{
	for (size_t i = 0; i < report_format_count; i++)
		if (str_eq(name, str_from(report_formats[i].name)))
			return &report_formats[i];
	return NULL;
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
