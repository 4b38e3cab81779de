/* Which findings count: ignores, display filters, the gate (DESIGN 1, 2). Findings are never removed here, only marked. */
#ifndef PLIMSOLL_POLICY_POLICY_H
#define PLIMSOLL_POLICY_POLICY_H

#include "base/err.h"
#include "model/report.h"
#include "policy/pattern.h"

/* One ignore: all that is given must match (empty: not asked). id, package, path and subject are globs (str_glob);
 * id matches the finding's id or one of its aliases, package the binary or the source name, path the location's path
 * (of a package: its database). */
struct ignore {
	struct str id, package, path, subject;
	struct str reason;
	struct str until;  /* YYYY-MM-DD: the last day on which it holds; empty: for ever */
	struct str origin; /* ".plimsoll.yaml:12" */
	const struct ignore_peer *peer; /* what only peers' files ask; may be NULL */
};

enum fix_state_bit { FIX_UNKNOWN = 1, FIX_FIXED = 2, FIX_NOT_FIXED = 4, FIX_WONT_FIX = 8 };

/* Conditions of Trivy's and Grype's ignore files; empty, NULL, 0: not asked. */
struct ignore_peer {
	unsigned kinds;              /* bit per finding_kind */
	bool own_id;                 /* an alias does not count */
	bool ends_with_until;        /* no longer holds on the day itself */
	struct str purl;             /* all that it says must be so of the package's */
	const struct pattern *name, *source; /* source: only where it has another name than the package */
	struct str name_text, source_text;   /* without a pattern: exactly */
	struct str version, type;    /* exactly; type as package_type_name */
	struct str name_space;       /* Grype's: "debian:distro:debian:12" */
	unsigned fix_states;         /* fix_state_bit */
	enum { MATCHED_ANYHOW, MATCHED_DIRECTLY, MATCHED_BY_SOURCE } matched;
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
	bool status_ignored[STATUS_COUNT]; /* --ignore-status; see policy_parse_statuses */
	bool gate;                      /* --fail-on was given */
	enum severity fail_on;
	bool gate_in_use;               /* what is known not to be in use does not fail it */
	enum severity unrated;          /* what a finding without a severity counts as at the gate; default HIGH */
	struct str_list files;          /* policy files that were read */
};

void policy_init(struct policy *p); /* everything shown, built-ins on, no gate */
/* The ignore list of a .plimsoll.yaml (its `ignore:` key; other keys belong to the configuration reader) from parsed
 * documents; wrong types and unknown keys of an entry are ERR_USAGE with line and column. NULL or null: no entries.
 * On an error nothing is added. */
struct value;
int policy_add_yaml(struct arena *a, struct policy *p, struct str file, const struct value *ignore_list, struct err *err);
/* .trivyignore: `ID [exp:YYYY-MM-DD]` a line, # comments; it no longer holds on that day.
 * The id is taken literally. What else stands on the line or in
 * the comment above it becomes the reason. On an error (ERR_USAGE: a date that is none) nothing is added. */
int policy_add_trivyignore(struct arena *a, struct policy *p, struct str file, struct str text, struct err *err);
/* .trivyignore.yaml, from its parsed document: lists vulnerabilities, misconfigurations, secrets, licenses of id, paths,
 * purls, expired_at, statement. ERR_USAGE as above. */
int policy_add_trivyignore_yaml(struct arena *a, struct policy *p, struct str file, const struct value *map, struct err *err);
bool policy_is_trivyignore_yaml(const struct value *map);
/* Grype's ignore rules, the list `ignore` of a .grype.yaml. What can never hold here (a programming language, a match by
 * CPE, a rule for VEX documents) is passed over. ERR_USAGE, ERR_UNSUPPORTED as above. */
int policy_add_grype_rules(struct arena *a, struct policy *p, struct str file, const struct value *list, struct err *err);
/* All findings in these fix states (fix_state_bit), as --only-fixed of Grype means it: they leave the gate, too. */
int policy_add_fix_states(struct arena *a, struct policy *p, unsigned states, struct str origin, struct err *err);
/* Grype's word for a state of a fix, in both directions. 0: no such word. */
unsigned policy_fix_state_parse(struct str word);
const char *policy_fix_state(const struct finding *f);
/* Grype's name for a distribution's advisories: "debian:distro:debian:12". Empty: it has none. */
struct str policy_grype_namespace(struct arena *a, const struct os *os);

/* Whether what only peers ask is so. */
bool ignore_peer_matches(struct arena *a, const struct ignore *ignore, const struct target *t, const struct finding *f);

/* One ignore from elsewhere (--ignore). ERR_USAGE if it asks nothing or its date is no date. */
int policy_add_ignore(struct arena *a, struct policy *p, const struct ignore *ignore, struct err *err);

/* "high,CRITICAL" (--severity): sets shown[] for those and clears it for the others. ERR_USAGE names what is wrong. */
int policy_parse_severities(struct str list, bool shown[SEVERITY_COUNT], struct err *err);
/* "will_not_fix,fixed" (--ignore-status), as Trivy means it: `fixed` is every finding with a fixed version, the other
 * words only those without one. ignored[STATUS_NONE] stands for `fixed`. */
int policy_parse_statuses(struct str list, bool ignored[STATUS_COUNT], struct err *err);

/* Marks findings of all targets (suppressed, hidden), then fills report->summary whole, gate included. today: YYYY-MM-DD (UTC).
 * An ignore that has run out and would have matched is said in the target's notes. */
void policy_apply(struct arena *a, const struct policy *p, struct str today, struct report *report);
/* After policy_apply: what a user should know about the ignores themselves (suppressed nothing, ran out). */
void policy_notes(struct arena *a, const struct policy *p, struct str today, const struct report *report,
                  struct str_list *ret);

/* Quoted, so that it stands for itself in a glob. */
struct str policy_literal(struct arena *a, struct str id);
/* A day of the calendar, written YYYY-MM-DD. */
bool policy_is_date(struct str s);

#endif
