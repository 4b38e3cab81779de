/* Comma-separated values: a head line, then one finding a line; suppressed ones with --show-suppressed. Every text cell is
 * quoted, and one that a spreadsheet would take for a formula (= + - @) begins with an apostrophe: the texts are an
 * image's. */
#include "report/markup.h"

#include "base/base.h"
#include "report/text.h"

static const char *const head = "Target,Kind,ID,Severity,Severity source,Package,Installed,Fixed,Status,Source package,Type,"
                                "Architecture,CVSS,EPSS,KEV,Title,URL,Path,Layer,Ignored by,Ignored because,Evidence\n";

static void put_cell(FILE *out, struct arena *a, struct str text, const char *end)
{
	struct str clean = text_clean(a, text), trimmed = str_trim(clean);
	fputc('"', out);
	if (trimmed.len && strchr("=+-@", trimmed.ptr[0]))
		fputc('\'', out);
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.ptr[i] == '"')
			fputc('"', out);
		fputc(clean.ptr[i], out);
	}
	fprintf(out, "\"%s", end);
}

static void put_number(FILE *out, struct arena *a, double v, unsigned decimals)
{
	if (v >= 0)
		fprintf(out, "%.*s", STR_ARG(text_decimal(a, v, decimals)));
	fputc(',', out);
}

static void put_finding(FILE *out, struct arena *a, const struct target *t, const struct finding *f)
{
	static const struct package none;
	const struct package *p = f->package ? f->package : &none;
	put_cell(out, a, t->name, ",");
	put_cell(out, a, str_from(finding_kind_name(f->kind)), ",");
	put_cell(out, a, f->id, ",");
	put_cell(out, a, str_from(severity_name(f->severity)), ",");
	put_cell(out, a, f->severity_source, ",");
	put_cell(out, a, p->name, ",");
	put_cell(out, a, p->version, ",");
	put_cell(out, a, f->fixed_version, ",");
	put_cell(out, a, str_from(status_name(f->status)), ",");
	put_cell(out, a, p->source_name, ",");
	put_cell(out, a, f->package ? str_from(package_type_name(p->type)) : STR(""), ",");
	put_cell(out, a, p->arch, ",");
	put_number(out, a, f->cvss_score, 1);
	put_number(out, a, f->epss, 5);
	put_cell(out, a, f->kev ? STR("yes") : STR(""), ",");
	put_cell(out, a, f->title, ",");
	put_cell(out, a, report_finding_url(a, f), ",");
	put_cell(out, a, f->location.path.len ? f->location.path : p->db_path, ",");
	put_cell(out, a, f->location.layer.len ? f->location.layer : p->layer, ",");
	put_cell(out, a, f->suppressed.by, ",");
	put_cell(out, a, f->suppressed.reason, ",");
	put_cell(out, a, f->evidence, "\n");
}

int report_csv_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	fputs(head, out);
	for (size_t i = 0; i < r->targets.len; i++) {
		struct arena *ARENA_AUTO a = arena_new();
		struct finding_refs refs;
		order_findings(a, &r->targets.ptr[i], &refs);
		for (size_t k = 0; k < refs.len; k++) {
			struct arena *ARENA_AUTO scratch = arena_new();
			if (finding_is_shown(refs.ptr[k]) || o->show_suppressed)
				put_finding(out, scratch, &r->targets.ptr[i], refs.ptr[k]);
		}
	}
	return report_written(out, "csv", err);
}
