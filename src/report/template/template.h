/* Go's text/template, as far as templates for reports need it, over values of our own: actions, pipelines, variables,
 * if, with, range (with else, break, continue), define, template, block, comments and trim markers, Go's predefined
 * functions, the sprig functions that make sense without a network, and Trivy's own. What is not known (a function, a
 * field) is an error with line and column, never silence.
 *
 * The template is its user's, the data are an image's: a template may loop, so steps, depth, output and memory are capped
 * (TEMPLATE_* in limits.h); nothing that it does reaches a file, a process or the network. It may read environment
 * variables (`env`, `getEnv`), as Trivy's own templates do.
 *
 * Data are Go values: a struct has fixed fields with types, so that a field without a value prints as its zero value and
 * one that does not exist is an error; maps made by the template (dict) give "<no value>" instead. */
#ifndef PLIMSOLL_REPORT_TEMPLATE_H
#define PLIMSOLL_REPORT_TEMPLATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#include <stdio.h>

enum tv_kind { TV_NONE, TV_BOOL, TV_INT, TV_FLOAT, TV_STRING, TV_LIST, TV_MAP, TV_STRUCT, TV_TIME };

struct tv_type;

/* One field of a struct type: its Go name, the key under which the document has it, and its shape. */
struct tv_field {
	const char *name;
	const char *key;            /* NULL: as the name */
	enum tv_kind kind;
	enum tv_kind item;          /* of a LIST or MAP */
	const struct tv_type *type; /* of a STRUCT, or of the items; NULL: the document's own shapes */
	bool embedded;              /* its fields are also those of the struct around it, and lie in the same object */
	bool pointer;               /* absent: nil, not a zero struct */
};

struct tv_type {
	const char *name; /* for typeOf and messages: "types.Result" */
	const struct tv_field *fields;
	size_t field_count;
};

struct tv;

struct tv_map; /* in order of key */

struct tv {
	enum tv_kind kind;
	enum tv_kind item;          /* of LIST and MAP, TV_NONE: any */
	const struct tv_type *type; /* of STRUCT, or of the items */
	union {
		bool boolean;
		int64_t integer; /* INT; TIME: Unix seconds, UTC */
		double number;
		struct str string;
		struct {
			const struct tv *items;
			size_t len;
		} list;
		struct tv_map *map;
		const struct value *object; /* STRUCT: may be NULL (all zero) */
	};
};

struct template;

struct template_env {
	struct str app_version;
	int64_t now; /* Unix time */
	bool terminal; /* the output goes to one: control characters are left out */
};

/* ERR_USAGE with "line:column: what is wrong". The template keeps slices of text. */
int template_parse(struct arena *a, struct str text, struct template **ret, struct err *err);

/* A document as the template's dot: kind, type and items as a field of that shape would have. */
struct tv template_value(struct arena *a, const struct value *v, const struct tv_field *shape);

/* ERR_USAGE for what the template does wrong, ERR_LIMIT for a cap; what was written before stays written. */
int template_run(struct arena *a, const struct template *t, struct tv dot, const struct template_env *env, FILE *out,
                 struct err *err);

/* Names of all functions, for the page and the tests; NULL at the end. */
const char *template_function_name(size_t index);

#endif
