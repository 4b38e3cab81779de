/* What a plain scalar of YAML means: see yaml.h. Apart from yaml.c, so that it can be tested by itself. */
#ifndef PLIMSOLL_BASE_SCALAR_H
#define PLIMSOLL_BASE_SCALAR_H

#include "base/value.h"

/* Sets kind and content of *v: NULL, BOOL, INT, UINT, DOUBLE or STRING (pointing to text). */
void scalar_resolve(struct str text, struct value *v);
/* RFC 4648 base64 with white space between; false if it is none. */
bool scalar_base64(struct arena *a, struct str text, struct str *ret);

#endif
