/* JSON (RFC 8259) into the document tree, and out of it; and a writer that streams.
 * Strict: one value, UTF-8 checked, no comments, no trailing commas, lone surrogates refused, a repeated key keeps
 * its first place and its last value; one byte order mark in front is passed over. Numbers: whole numbers (no point,
 * no exponent) become INT or UINT where they fit, else DOUBLE, correctly rounded in any locale (an overflow to infinity
 * is an error). Every node carries line and column. Iterative: hostile depth costs no stack.
 * Caps: VALUE_DEPTH_MAX, JSON_SIZE_MAX, JSON_NODES_MAX. */
#ifndef PLIMSOLL_BASE_JSON_H
#define PLIMSOLL_BASE_JSON_H

#include "base/buf.h"
#include "base/value.h"

#include <stdio.h>

/* text must live as long as the tree (strings without escapes point into it). ERR_FORMAT or ERR_LIMIT, with line and
 * column in bytes. */
int json_parse(struct arena *a, struct str text, struct value **ret, struct err *err);

/* The tree as JSON; indent 0 for one line. Text that is no UTF-8 becomes U+FFFD; control characters, DEL and C1 are
 * escaped; BYTES are base64; infinity and NaN are null. A double reads back as the same double. Recursive. False once
 * the buffer has overflown. */
bool json_print(struct buf *out, const struct value *v, unsigned indent);

/* Streaming writer: keeps commas, indentation and escapes; the caller keeps begin and end paired. Writes to a FILE
 * (whose error flag tells of trouble at the end). */
struct json_writer {
	FILE *out;
	unsigned indent; /* spaces a level, 0: one line */
	unsigned depth;
	bool first;
	bool after_key;
};

void json_writer_init(struct json_writer *w, FILE *out, unsigned indent);
void json_begin_map(struct json_writer *w);
void json_end_map(struct json_writer *w);
void json_begin_list(struct json_writer *w);
void json_end_list(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_text(struct json_writer *w, struct str key); /* a key that is no literal of ours */
void json_str(struct json_writer *w, struct str s);
void json_cstr(struct json_writer *w, const char *s);
void json_int(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v, int decimals); /* fixed point, at most 17 decimals, no locale */
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
/* key and value at once, the value left out altogether where it is empty. */
void json_key_str(struct json_writer *w, const char *key, struct str s);

#endif
