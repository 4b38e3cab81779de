/* Between the two files that write SARIF: the words and rules of it (sarif_rule.c), and runs and results (sarif.c). */
#ifndef PLIMSOLL_REPORT_SARIF_H
#define PLIMSOLL_REPORT_SARIF_H

#include "base/json.h"
#include "base/map.h"
#include "report/order.h"

/* What all findings of one id in a run have in common. */
struct sarif_rule {
	struct finding_refs findings;
	const struct finding *worst;
};

struct sarif_rule_list {
	struct sarif_rule *ptr;
	size_t len, cap;
	struct map by_id; /* id -> index */
};

/* One rule an id, in order of id: GitHub refuses a file that names one twice. */
void sarif_rules_collect(struct arena *a, const struct finding_refs *findings, struct sarif_rule_list *ret);
void sarif_rule_write(struct arena *a, struct json_writer *w, const struct sarif_rule *rule);

/* "error", "warning" or "note". */
const char *sarif_level(enum severity s);
/* Text as a SARIF message string (3.11.5, 3.11.6): braces doubled, what would begin a link escaped, one line. */
struct str sarif_message(struct arena *a, struct str text);
/* A relative URI reference from a path or an image's name: no root, no "..", everything odd percent-encoded. Never
 * empty: what leaves nothing becomes `otherwise`. */
struct str sarif_relative_uri(struct arena *a, struct str path, struct str otherwise);

#endif
