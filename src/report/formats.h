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
	struct str template; /* of the format "template": its text */
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

int report_trivy_json_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_gitlab_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_codequality_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_asff_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_junit_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_csv_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_markdown_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_html_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);
int report_template_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err);

/* ERR_USAGE where the text is no template, before a scan is made for it. */
int report_template_check(struct str text, struct err *err);
/* For --template @.../NAME.tpl where there is no such file: the format of ours that stands for the template of that name
 * which Trivy ships (html, junit, gitlab, gitlab-codequality, asff), or NULL. */
const struct report_format *report_format_for_template(struct str path);
/* "table, json, ... or html" (separator ", " and last " or "), or set apart by blanks. */
struct str report_format_names(struct arena *a, const char *separator, const char *last);

/* Where a finding is explained: its first web reference, else the CVE's record; empty: nowhere. Safe in markup once it is
 * escaped: it begins with http:// or https:// and holds no blank or control character. */
struct str report_finding_url(struct arena *a, const struct finding *f);

/* How every format ends: what has been written has reached the file, or ERR_IO. */
int report_written(FILE *out, const char *format, struct err *err);

/* The reason with its share where one is known: "no data (95 of 476)". */
struct str report_reason(struct arena *a, const struct not_assessed *n);

#endif
