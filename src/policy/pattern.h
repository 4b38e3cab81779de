/* Regular expressions of users' ignore rules, in the part of Go's syntax (RE2) that names of packages need: literals, .,
 * classes, \d \w \s, groups, |, * + ? {m,n} (lazy forms too, which find the same), ^ $, a leading (?i). Matched without
 * backtracking, in time linear in the text: a rule cannot hang a scan. Bytes, not characters. What is not in this part
 * is an error, never taken for something else. */
#ifndef PLIMSOLL_POLICY_PATTERN_H
#define PLIMSOLL_POLICY_PATTERN_H

#include "base/arena.h"
#include "base/err.h"

struct pattern;

/* ERR_USAGE with the place where it is wrong, ERR_UNSUPPORTED, ERR_LIMIT (PATTERN_STATES_MAX). */
int pattern_compile(struct arena *a, struct str text, struct pattern **ret, struct err *err);
/* Whether it is found anywhere in the text. Not for two threads at once. */
bool pattern_find(const struct pattern *p, struct str text);

#endif
