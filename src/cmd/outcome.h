/* What image, fs and report have in common once there is a report: the policy that options ask for, where reports are
 * written and in which form, and the exit code. */
#ifndef PLIMSOLL_CMD_OUTCOME_H
#define PLIMSOLL_CMD_OUTCOME_H

#include "cmd/options.h"
#include "policy/policy.h"
#include "report/formats.h"

struct output {
	const struct report_format *format;
	const char *path; /* NULL: standard output */
};

struct outcome {
	const struct options *options;
	struct arena *arena;
	struct policy policy;
	struct {
		struct output *ptr;
		size_t len, cap;
	} outputs; /* at least one */
	struct str template;
	int64_t exit_code, exit_on_eol;
};

/* Reads the options, the ignore files and the template; starts --timeout. ERR_USAGE. */
int outcome_take(struct arena *a, const struct options *o, struct outcome *ret, struct err *err);

/* How the output is to be rendered; standard output may be a terminal. */
struct report_options outcome_report_options(const struct outcome *c, const struct output *output, int64_t now);
/* All outputs. */
int outcome_write(const struct outcome *c, const struct report *report, int64_t now, struct err *err);
/* A rendered report to where the output wants it: a file is replaced whole or not at all. */
int outcome_store(const struct output *output, struct str text, struct err *err);

/* What the exit code is made of. */
struct outcome_facts {
	uint64_t shown, not_assessed;
	bool gate_failed, eol, stale;
};
struct outcome_facts outcome_facts_of(const struct report *report);
int outcome_verdict(const struct outcome *c, const struct outcome_facts *facts);

#endif
