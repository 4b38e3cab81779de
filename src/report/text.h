/* Text from strangers made fit for a terminal: valid UTF-8, no control characters (C0, C1, DEL), nothing that turns
 * the direction of writing or has no width of its own to be seen by, and never more than a few combining marks in a
 * row. All other functions here expect text that text_clean has returned. No locale: the widths are a table of ours
 * (Unicode 15: combining marks 0, East Asian wide and emoji 2, everything else 1). */
#ifndef PLIMSOLL_REPORT_TEXT_H
#define PLIMSOLL_REPORT_TEXT_H

#include "base/arena.h"

/* One line: line breaks and tabs become spaces, what may not be shown becomes U+FFFD. */
struct str text_clean(struct arena *a, struct str s);
/* Columns on a terminal. */
size_t text_width(struct str clean);
/* At most width columns: cut with an ellipsis where it is longer. width 0 gives nothing. */
struct str text_cut(struct arena *a, struct str clean, size_t width);
/* The longest prefix of at most width columns, at least one character (for breaking words that fit no line). */
struct str text_fit(struct str clean, size_t width);

/* 2938 -> "2,938". */
struct str text_count(struct arena *a, uint64_t n);
/* 1, "finding" -> "1 finding"; 2,938 -> "2,938 findings". */
struct str text_counted(struct arena *a, uint64_t n, const char *one, const char *many);

/* Fixed point with up to 6 decimals, rounded, with a point whatever the locale; for what lies in [0, 10^9]. */
struct str text_decimal(struct arena *a, double v, unsigned decimals);

/* One character off the front of bytes that may be anything: its code point, or UINT32_MAX for one byte that starts
 * none. *ret_len is how many bytes it takes, at least 1. s may not be empty. */
uint32_t text_decode(struct str s, size_t *ret_len);

#endif
