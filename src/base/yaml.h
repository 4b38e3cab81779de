/* YAML through libyaml's events into the document tree, with the core schema of YAML 1.2 for plain scalars (yes, no, on
 * and off are strings; 0o17 octal, 0x1f; .inf, .nan; ~ and null), except that 017 is octal, too: the readers of
 * Kubernetes and compose files take it so (a file mode 0644 is 420).
 * Every node carries line and column (in characters); what an alias stands for carries the place of its anchor, and
 * is the same node.
 * Merge keys (<<) are applied: the map's own keys first, then those of the merged maps, of which the first counts.
 * A repeated key is an error, as in Kubernetes. Keys that are no strings keep their source text (80: is "80"); keys
 * that are lists or maps are ERR_UNSUPPORTED. !!str, !!int, !!float, !!bool, !!null and !!binary (BYTES) hold; a
 * scalar with any other tag is a string, and tags of lists and maps are passed over.
 * Caps: YAML_SIZE_MAX, VALUE_DEPTH_MAX, YAML_NODES_MAX (counted as if each alias were written out, for all who walk the
 * tree meet it so). An alias inside its own anchor is an error. */
#ifndef PLIMSOLL_BASE_YAML_H
#define PLIMSOLL_BASE_YAML_H

#include "base/value.h"

/* All documents of a stream, as a list (an empty stream gives an empty list). text need not outlive the call.
 * ERR_FORMAT, ERR_LIMIT or ERR_UNSUPPORTED, with line and column. */
int yaml_parse(struct arena *a, struct str text, struct value **ret_documents, struct err *err);

#endif
