/* TOML 1.0 into the document tree. Strict as the specification: what defines a table or key twice is an error. Dates and
 * times become strings (RFC 3339, with 'T' and upper case). Every node carries its line.
 * Caps: TOML_SIZE_MAX, VALUE_DEPTH_MAX. */
#ifndef PLIMSOLL_BASE_TOML_H
#define PLIMSOLL_BASE_TOML_H

#include "base/value.h"

/* text must live as long as the tree. ERR_FORMAT or ERR_LIMIT, with the line. The root is a map. */
int toml_parse(struct arena *a, struct str text, struct value **ret, struct err *err);

#endif
