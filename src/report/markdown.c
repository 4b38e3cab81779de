/* Markdown (GitHub's flavour: tables) for merge requests and job summaries: the verdict, one row per source package, then
 * what is no vulnerability of a package, what was ignored, what was not assessed. Every text that came from a target stands
 * in a code span, in which nothing is markup, a mention or an address; the words around it are ours. */
#include "report/markup.h"

#include "base/base.h"
#include "report/rows.h"
#include "report/text.h"

#define IDS_SHOWN 5

struct md {
	FILE *out;
	struct arena *arena;
	const struct report *report;
	const struct report_options *options;
};

/* A code span: fenced by more backticks than any run within; a bar would end the cell of a table even there. */
static void put_code(struct md *m, struct str text)
{
	struct str s = str_trim(text_clean(m->arena, text));
	size_t run = 0, longest = 0;
	if (s.len == 0) {
		fputs("\xe2\x80\x93", m->out);
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		run = s.ptr[i] == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (size_t i = 0; i <= longest; i++)
		fputc('`', m->out);
	if (longest)
		fputc(' ', m->out);
	for (size_t i = 0; i < s.len; i++)
		fputs(s.ptr[i] == '|' ? "\\|" : (char[]){ s.ptr[i], '\0' }, m->out);
	if (longest)
		fputc(' ', m->out);
	for (size_t i = 0; i <= longest; i++)
		fputc('`', m->out);
}

static void put_id(struct md *m, const struct finding *f)
{
	struct str url = report_finding_url(m->arena, f);
	if (url.len)
		fputc('[', m->out);
	put_code(m, f->id);
	if (url.len) {
		fputs("](<", m->out);
		for (size_t i = 0; i < url.len; i++)
			fputs(url.ptr[i] == '|' ? "%7C" : (char[]){ url.ptr[i], '\0' }, m->out);
		fputs(">)", m->out);
	}
}

static void put_row(struct md *m, const struct row *row)
{
	static const enum severity columns[] = { SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_LOW, SEVERITY_UNKNOWN };
	fputs("| ", m->out);
	put_code(m, row->name);
	fputs(" | ", m->out);
	put_code(m, row->installed);
	fputs(" | ", m->out);
	put_code(m, row->fix);
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		uint64_t n = row->by_severity[columns[i]] + (columns[i] == SEVERITY_LOW ? row->by_severity[SEVERITY_INFO] : 0);
		if (n)
			fprintf(m->out, " | %llu", (unsigned long long)n);
		else
			fputs(" | ", m->out);
	}
	fputs(" | ", m->out);
	if (row->kev)
		fputs("**KEV** ", m->out);
	for (size_t i = 0; i < row->ids.len && i < IDS_SHOWN; i++) {
		if (i)
			fputs(" ", m->out);
		put_id(m, row->ids.ptr[i]);
	}
	if (row->ids.len > IDS_SHOWN)
		fprintf(m->out, " +%zu more", row->ids.len - IDS_SHOWN);
	fputs(" |\n", m->out);
}

static void put_rows(struct md *m, const struct target *t)
{
	struct row_list rows = { 0 };
	rows_collect(m->arena, t, finding_is_shown, &rows);
	if (rows.len == 0) {
		if (!m->report->database.present)
			fputs("\nNothing can be said about vulnerabilities: there was no advisory database.\n", m->out);
		else if (t->not_assessed.len)
			fputs("\nNo known vulnerabilities are shown in what could be assessed.\n", m->out);
		else
			fputs("\nNo known vulnerabilities are shown.\n", m->out);
		return;
	}
	fputs("\n| Source package | Installed | Fixed in | Critical | High | Medium | Low | Unrated | Vulnerabilities |\n"
	      "|---|---|---|--:|--:|--:|--:|--:|---|\n",
	      m->out);
	for (size_t i = 0; i < rows.len; i++)
		put_row(m, &rows.ptr[i]);
}

static void put_others(struct md *m, const struct target *t)
{
	struct finding_refs refs;
	bool any = false;
	order_findings(m->arena, t, &refs);
	for (size_t i = 0; i < refs.len; i++) {
		const struct finding *f = refs.ptr[i];
		if (!finding_is_shown(f) || (f->kind == FINDING_VULNERABILITY && f->package))
			continue;
		if (!any)
			fputs("\n| Severity | Finding | Where | What |\n|---|---|---|---|\n", m->out);
		any = true;
		fprintf(m->out, "| %s | ", severity_title(f->severity));
		put_id(m, f);
		fputs(" | ", m->out);
		put_code(m, finding_place(f));
		fputs(" | ", m->out);
		put_code(m, f->title);
		fputs(" |\n", m->out);
	}
}

static void put_suppressed(struct md *m, const struct target *t)
{
	struct finding_refs refs;
	size_t count = 0;
	order_findings(m->arena, t, &refs);
	for (size_t i = 0; i < refs.len; i++)
		count += finding_is_suppressed(refs.ptr[i]);
	if (count == 0)
		return;
	fprintf(m->out, "\n%zu ignored.\n", count);
	if (!m->options->show_suppressed)
		return;
	fputs("\n| Ignored | Package | By | Reason |\n|---|---|---|---|\n", m->out);
	for (size_t i = 0; i < refs.len; i++) {
		const struct finding *f = refs.ptr[i];
		if (!finding_is_suppressed(f))
			continue;
		fputs("| ", m->out);
		put_id(m, f);
		fputs(" | ", m->out);
		put_code(m, finding_place(f));
		fputs(" | ", m->out);
		put_code(m, f->suppressed.by);
		fputs(" | ", m->out);
		put_code(m, f->suppressed.reason);
		fputs(" |\n", m->out);
	}
}

static void put_not_assessed(struct md *m, const struct target *t)
{
	if (t->not_assessed.len)
		fputs("\n**Not assessed:**\n\n", m->out);
	for (size_t i = 0; i < t->not_assessed.len; i++) {
		fputs("- ", m->out);
		put_code(m, t->not_assessed.ptr[i].what);
		fputs(": ", m->out);
		put_code(m, report_reason(m->arena, &t->not_assessed.ptr[i]));
		fputc('\n', m->out);
	}
}

static void put_target(struct md *m, const struct target *t)
{
	fputs("\n## ", m->out);
	put_code(m, t->name);
	fputs("\n\n", m->out);
	if (t->os.id.len)
		put_code(m, t->os.name.len ? t->os.name : t->os.id);
	else
		fputs("No distribution recognised", m->out);
	if (t->os_eol)
		fputs(", **end of life**", m->out);
	fprintf(m->out, ", %.*s\n", STR_ARG(text_counted(m->arena, target_package_count(t), "package", "packages")));
	put_rows(m, t);
	put_others(m, t);
	put_suppressed(m, t);
	put_not_assessed(m, t);
}

static void put_verdict(struct md *m)
{
	const struct report *r = m->report;
	bool any = false;
	fputs("# Plimsoll report\n\n", m->out);
	for (unsigned s = SEVERITY_COUNT; s-- > 0;) {
		if (r->summary.by_severity[s])
			fprintf(m->out, "%s%s %llu", any ? ", " : "", severity_title((enum severity)s),
			        (unsigned long long)r->summary.by_severity[s]);
		any = any || r->summary.by_severity[s];
	}
	fputs(any ? ".\n" : "No findings are shown.\n", m->out);
	if (r->summary.gate.asked.len) {
		fprintf(m->out, "\n**Gate %s:** ", r->summary.gate.failed ? "failed" : "passed");
		put_code(m, r->summary.gate.by);
		fputc('\n', m->out);
	}
}

int report_markdown_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct md m = { .out = out, .arena = a, .report = r, .options = o };
	put_verdict(&m);
	for (size_t i = 0; i < r->targets.len; i++)
		put_target(&m, &r->targets.ptr[i]);
	fputs("\n---\n\nPlimsoll ", out);
	put_code(&m, r->tool_version);
	fputs(", ", out);
	put_code(&m, r->started);
	if (r->database.present) {
		fputs(", advisories of ", out);
		put_code(&m, str_sub(r->database.built, 0, 10));
	}
	fputc('\n', out);
	return report_written(out, "markdown", err);
}
