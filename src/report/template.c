/* The format "template": the user's text/template over the results of the report as Trivy has them, which is what
 * templates written for Trivy expect. The interpreter is in template/. */
#include "report/trivy.h"

#include "base/base.h"

int report_template_check(struct str text, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct template *t;
	int rc = template_parse(a, text, &t, err);
	return rc < 0 ? (err_wrap(err, "the template"), rc) : 0;
}

static struct value *results_of(struct arena *a, const struct report *r, const struct report_options *o)
{
	struct trivy_result_list results;
	struct value *list = value_new_list(a);
	/* Trivy gives its templates all packages and what was ignored. */
	struct report_options all = *o;
	all.list_all_pkgs = all.show_suppressed = true;
	trivy_results(a, r, &all, &results);
	for (size_t i = 0; i < results.len; i++) {
		const struct trivy_result *result = &results.ptr[i];
		struct value *one = trivy_result_head(a, result), *packages = value_new_list(a), *findings = value_new_list(a);
		struct value *suppressed = value_new_list(a);
		for (size_t k = 0; k < result->package_count; k++)
			value_add(a, packages, trivy_package(a, result->target, result->packages[k]));
		for (size_t k = 0; k < result->findings.len; k++)
			value_add(a, findings, trivy_finding(a, result, result->findings.ptr[k]));
		for (size_t k = 0; k < result->suppressed.len; k++)
			value_add(a, suppressed, trivy_suppressed(a, result, result->suppressed.ptr[k]));
		value_set(a, one, STR("Packages"), packages);
		value_set(a, one, str_from(trivy_findings_key(result->class)), findings);
		value_set(a, one, STR("ExperimentalModifiedFindings"), suppressed);
		value_add(a, list, one);
	}
	return list;
}

int report_template_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct template_env env = { .app_version = r->tool_version, .now = o->now, .terminal = o->width > 0 };
	struct template *t;
	int rc = template_parse(a, o->template, &t, err);
	if (rc == 0)
		rc = template_run(a, t, template_value(a, results_of(a, r, o), &trivy_results_shape), &env, out, err);
	return rc < 0 ? (err_wrap(err, "the template"), rc) : report_written(out, "template", err);
}
