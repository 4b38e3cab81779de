/* Doubles to and from text in the C locale, whatever the process or the thread has set. For json and yaml. */
#ifndef PLIMSOLL_BASE_NUMBER_H
#define PLIMSOLL_BASE_NUMBER_H

#include "base/str.h"

/* The text must be a decimal number as strtod reads it (the caller has checked its grammar); correctly rounded. */
double number_from_text(struct str text);

#define NUMBER_TEXT_MAX 400u /* -DBL_MAX has 310 characters before its point, and 17 decimals follow at most */
/* The shortest text that reads back as the same double ("0.1", "3", "1e+23"); finite numbers only. */
struct str number_shortest(double v, char out[NUMBER_TEXT_MAX]);
/* Fixed point, 0 to 17 decimals; finite numbers only. */
struct str number_fixed(double v, int decimals, char out[NUMBER_TEXT_MAX]);

#endif
