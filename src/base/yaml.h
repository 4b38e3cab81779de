/* YAML 1.1 through libyaml's events into the document tree, YAML 1.2 core schema for plain scalars (yes, no, on and
 * off are strings; 0o17 octal, 0x1f; .inf, .nan; ~ and null). Every node carries line and column.
 * Merge keys (<<) are applied. Aliases are expanded under YAML_NODES_MAX; a repeated key is an error, as in
 * Kubernetes. Size: YAML_SIZE_MAX. */
#ifndef PLIMSOLL_BASE_YAML_H
#define PLIMSOLL_BASE_YAML_H

#include "base/value.h"

/* All documents of a stream, as a list (an empty stream gives an empty list). */
int yaml_parse(struct arena *a, struct str text, struct value **ret_documents, struct err *err);

#endif
