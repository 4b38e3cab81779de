/* A report in the shape of Trivy's JSON report (SchemaVersion 2): what reads Trivy's reads ours. Between trivy_doc.c, which
 * makes its objects, and their users: the format trivy-json, and templates, whose dot is the list of results. Keys and
 * types are Trivy 0.76's; what Plimsoll does not know is left out, as Trivy leaves out what it does not know. */
#ifndef PLIMSOLL_REPORT_TRIVY_H
#define PLIMSOLL_REPORT_TRIVY_H

#include "base/value.h"
#include "report/formats.h"
#include "report/order.h"
#include "report/template/template.h"

enum trivy_class { TRIVY_OS_PACKAGES, TRIVY_SECRETS, TRIVY_CONFIG };

/* One of "Results": what belongs to one target and class. */
struct trivy_result {
	const struct target *target;
	enum trivy_class class;
	struct str name;                /* "app:1 (debian 12)", or a path */
	struct str artifact_id;         /* of the target, for fingerprints */
	struct finding_refs findings;   /* shown */
	struct finding_refs suppressed; /* with show_suppressed */
	const struct package **packages;
	size_t package_count; /* 0 without list_all_pkgs */
};

struct trivy_result_list {
	struct trivy_result *ptr;
	size_t len, cap;
};

void trivy_results(struct arena *a, const struct report *r, const struct report_options *o, struct trivy_result_list *ret);

/* The object's keys that stand before its lists: Target, Class, Type. */
struct value *trivy_result_head(struct arena *a, const struct trivy_result *r);
struct value *trivy_package(struct arena *a, const struct target *t, const struct package *p);
/* A member of the list that goes with the class. */
struct value *trivy_finding(struct arena *a, const struct trivy_result *r, const struct finding *f);
const char *trivy_findings_key(enum trivy_class class); /* "Vulnerabilities" */
struct value *trivy_suppressed(struct arena *a, const struct trivy_result *r, const struct finding *f);
/* Everything before "Results". */
struct value *trivy_head(struct arena *a, const struct report *r);

/* Go's types of the list of results, for templates. */
extern const struct tv_field trivy_results_shape;

#endif
