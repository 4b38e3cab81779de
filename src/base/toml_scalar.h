/* Numbers, dates and times of TOML; apart from toml.c, which finds where they end. */
#ifndef PLIMSOLL_BASE_TOML_SCALAR_H
#define PLIMSOLL_BASE_TOML_SCALAR_H

#include "base/value.h"

/* A bare word as true, false, a number, a date or a time; false: it is none. */
bool toml_scalar(struct arena *a, struct str word, struct value *ret);
/* Whether the word so far is a date that a space and a time may follow. */
bool toml_is_date(struct str word);

#endif
