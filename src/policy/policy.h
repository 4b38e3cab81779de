/* Which findings count: ignores, display filters, the gate (DESIGN 1, 2). Findings are never removed here, only marked. */
#ifndef PLIMSOLL_POLICY_POLICY_H
#define PLIMSOLL_POLICY_POLICY_H

#include "model/report.h"

/* One ignore: all that is given must match (empty: not asked). id, package, path and subject are globs (str_glob);
 * package matches the binary or the source name. */
struct ignore {
	struct str id, package, path, subject;
	struct str reason;
	struct str until;  /* YYYY-MM-DD: the last day on which it holds; empty: for ever */
	struct str origin; /* ".plimsoll.yaml:12" */
};

struct ignore_list {
	struct ignore *ptr;
	size_t len, cap;
};

struct policy {
	struct ignore_list ignores;
	bool builtin_ignores;           /* kernel headers in images */
	bool severity_shown[SEVERITY_COUNT];
	bool ignore_unfixed;
	bool status_ignored[STATUS_COUNT]; /* --ignore-status */
	bool gate;                      /* --fail-on was given */
	enum severity fail_on;
	enum severity unrated;          /* what a finding without a severity counts as at the gate; default HIGH */
	struct str_list files;          /* policy files that were read */
};

void policy_init(struct policy *p); /* everything shown, built-ins on, no gate */
/* The ignore list of a .plimsoll.yaml (its `ignore:` key; other keys belong to the configuration reader) from parsed
 * documents; wrong types and unknown keys of an entry are ERR_USAGE with line and column. */
struct value;
int policy_add_yaml(struct arena *a, struct policy *p, struct str file, const struct value *ignore_list, struct err *err);
/* .trivyignore: `ID [exp:YYYY-MM-DD]` a line, # comments. */
int policy_add_trivyignore(struct arena *a, struct policy *p, struct str file, struct str text, struct err *err);

/* Marks findings of all targets (suppressed, hidden), then fills report->summary whole, gate included. today: YYYY-MM-DD (UTC). */
void policy_apply(struct arena *a, const struct policy *p, struct str today, struct report *report);

#endif
