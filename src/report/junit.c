/* JUnit XML (the form that Jenkins, GitLab and others read): a suite a target, a failed case for each finding, skipped cases
 * for what was ignored (with --show-suppressed) and for what was not assessed. A target with nothing to say has one case
 * that passed, because readers take a suite without cases for an error. */
#include "report/markup.h"

#include "base/base.h"
#include "report/text.h"

static void put_attribute(FILE *out, struct arena *a, const char *name, struct str text)
{
	fprintf(out, " %s=\"", name);
	markup_put(out, a, text);
	fputc('"', out);
}

static void begin_case(FILE *out, struct arena *a, struct str class, struct str name)
{
	fputs("    <testcase", out);
	put_attribute(out, a, "classname", class);
	put_attribute(out, a, "name", name);
	fputs(" time=\"0\"", out);
}

static struct str class_of(struct arena *a, const struct finding *f)
{
	if (f->package)
		return arena_printf(a, "%.*s-%.*s", STR_ARG(f->package->name), STR_ARG(f->package->version));
	return finding_place(f);
}

static struct str details(struct arena *a, const struct finding *f)
{
	struct str fix = f->fixed_version.len ? arena_printf(a, "Fixed in %.*s. ", STR_ARG(f->fixed_version)) : f->fix_text;
	return arena_printf(a, "%.*s%.*s%s%.*s", STR_ARG(fix), STR_ARG(f->evidence), f->evidence.len ? " " : "",
	                    STR_ARG(report_finding_url(a, f)));
}

static void put_finding(FILE *out, struct arena *a, const struct finding *f)
{
	bool suppressed = finding_is_suppressed(f);
	begin_case(out, a, class_of(a, f), arena_printf(a, "[%s] %.*s", severity_name(f->severity), STR_ARG(f->id)));
	if (suppressed) {
		fputs(">\n      <skipped", out);
		put_attribute(out, a, "message",
		              arena_printf(a, "%.*s: %.*s", STR_ARG(f->suppressed.by), STR_ARG(f->suppressed.reason)));
		fputs("/>\n    </testcase>\n", out);
		return;
	}
	fputs(">\n      <failure", out);
	put_attribute(out, a, "message", f->title.len ? f->title : f->id);
	fprintf(out, " type=\"%s\">", severity_name(f->severity));
	markup_put(out, a, details(a, f));
	fputs("</failure>\n    </testcase>\n", out);
}

static void put_not_assessed(FILE *out, struct arena *a, const struct not_assessed *n)
{
	begin_case(out, a, STR("not assessed"), n->what);
	fputs(">\n      <skipped", out);
	put_attribute(out, a, "message", report_reason(a, n));
	fputs("/>\n    </testcase>\n", out);
}

struct counts {
	size_t tests, failures, skipped;
};

static struct counts count(const struct target *t, const struct report_options *o)
{
	struct counts c = { .skipped = t->not_assessed.len };
	for (size_t i = 0; i < t->findings.len; i++) {
		c.failures += finding_is_shown(&t->findings.ptr[i]);
		c.skipped += finding_is_suppressed(&t->findings.ptr[i]) && o->show_suppressed;
	}
	c.tests = c.failures + c.skipped;
	c.tests += c.tests == 0;
	return c;
}

static void put_suite(FILE *out, const struct report *r, const struct target *t, const struct report_options *o)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct counts c = count(t, o);
	struct finding_refs refs;
	fputs("  <testsuite", out);
	put_attribute(out, a, "name", t->name);
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\"", c.tests, c.failures, c.skipped);
	put_attribute(out, a, "timestamp", time_moved(a, r->started, 0));
	fputs(">\n    <properties>\n      <property name=\"type\"", out);
	put_attribute(out, a, "value", t->os.id.len ? t->os.id : str_from(target_kind_name(t->kind)));
	fputs("/>\n    </properties>\n", out);
	order_findings(a, t, &refs);
	for (size_t i = 0; i < refs.len; i++) {
		struct arena *ARENA_AUTO scratch = arena_new();
		if (finding_is_shown(refs.ptr[i]) || o->show_suppressed)
			put_finding(out, scratch, refs.ptr[i]);
	}
	for (size_t i = 0; i < t->not_assessed.len; i++)
		put_not_assessed(out, a, &t->not_assessed.ptr[i]);
	if (c.failures + c.skipped == 0) {
		begin_case(out, a, str_from(target_kind_name(t->kind)), STR("nothing found"));
		fputs("/>\n", out);
	}
	fputs("  </testsuite>\n", out);
}

int report_junit_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct counts all = { 0 };
	for (size_t i = 0; i < r->targets.len; i++) {
		struct counts c = count(&r->targets.ptr[i], o);
		all.tests += c.tests;
		all.failures += c.failures;
		all.skipped += c.skipped;
	}
	fprintf(out,
	        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"plimsoll\" tests=\"%zu\" failures=\"%zu\" "
	        "errors=\"0\" time=\"%llu.%03llu\">\n",
	        all.tests, all.failures, (unsigned long long)r->duration_ms / 1000, (unsigned long long)r->duration_ms % 1000);
	for (size_t i = 0; i < r->targets.len; i++)
		put_suite(out, r, &r->targets.ptr[i], o);
	fputs("</testsuites>\n", out);
	return report_written(out, "junit", err);
}
