/* One file per output format behind one table. To add one: a file here, a row in formats.c, a golden test.
 * A format writes what the report holds and decides nothing. Text that came from an image loses its control
 * characters on the way to a terminal, and is escaped as the format demands elsewhere. */
#ifndef PLIMSOLL_REPORT_FORMATS_H
#define PLIMSOLL_REPORT_FORMATS_H

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"

#include <stdio.h>

struct report_options {
	bool list_all_pkgs;
	bool show_suppressed;
	bool color;     /* the caller has looked at the terminal, NO_COLOR and --no-color */
	unsigned width; /* columns; 0: not a terminal (the table then uses 100) */
	int64_t now;    /* Unix time, for serial numbers and dates */
	bool verbose;
};

struct report_format {
	const char *name;    /* as in --format */
	const char *summary; /* one line for --help */
	int (*write)(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
};

extern const struct report_format report_formats[];
extern const size_t report_format_count;
const struct report_format *report_format_find(struct str name);

int report_table_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_json_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_sarif_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_grype_json_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_cyclonedx_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);

/* How every format ends: what has been written has reached the file, or ERR_IO. */
int report_written(FILE *out, const char *format, struct err *err);

/* The reason with its share where one is known: "no data (95 of 476)". */
struct str report_reason(struct arena *a, const struct not_assessed *n);

#endif
