/* Between the files of the template interpreter: tree, context, values. */
#ifndef PLIMSOLL_REPORT_TEMPLATE_INTERNAL_H
#define PLIMSOLL_REPORT_TEMPLATE_INTERNAL_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "report/template/template.h"

struct place {
	uint32_t line, column;
};

/* --- tokens (lex.c) --- */

enum token_kind {
	TOKEN_END,
	TOKEN_TEXT,
	TOKEN_OPEN,  /* {{ */
	TOKEN_CLOSE, /* }} */
	TOKEN_SPACE,
	TOKEN_IDENT,
	TOKEN_FIELD,    /* .Name: text is the name */
	TOKEN_VARIABLE, /* $name: text with the $ */
	TOKEN_DOT,
	TOKEN_NIL,
	TOKEN_BOOL,
	TOKEN_STRING, /* text is unquoted */
	TOKEN_CHAR,
	TOKEN_NUMBER,
	TOKEN_PIPE,
	TOKEN_LEFT,
	TOKEN_RIGHT,
	TOKEN_COMMA,
	TOKEN_DECLARE, /* := */
	TOKEN_ASSIGN,  /* = */
};

struct token {
	enum token_kind kind;
	struct str text;
	int64_t number; /* CHAR */
	struct place at;
};

struct lexer {
	struct arena *arena;
	struct str text;
	size_t at;
	struct place place;
	bool inside;    /* an action */
	bool trim_next; /* the last action ended with a trim marker */
	struct err *err;
};

int lex_next(struct lexer *l, struct token *ret);

/* --- tree (parse.c) --- */

struct pipe;
struct tfunc;

enum operand_kind { OPERAND_DOT, OPERAND_NIL, OPERAND_CONSTANT, OPERAND_VARIABLE, OPERAND_FUNCTION, OPERAND_PIPE };

/* What stands in a command, and the fields asked of it: ".A.B" is the dot with two fields. */
struct operand {
	enum operand_kind kind;
	struct place at;
	struct str name; /* VARIABLE, FUNCTION */
	struct tv constant;
	const struct tfunc *function;
	const struct pipe *pipe;
	struct {
		struct str *ptr;
		size_t len, cap;
	} fields;
};

struct command {
	struct operand *ptr;
	size_t len, cap;
};

struct pipe {
	struct place at;
	struct str variables[2];
	size_t variable_count;
	bool assigns;
	struct {
		struct command *ptr;
		size_t len, cap;
	} commands;
};

enum node_kind {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE
};

struct node;

struct node_list {
	struct node *ptr;
	size_t len, cap;
};

struct node {
	enum node_kind kind;
	struct place at;
	struct str text; /* TEXT; TEMPLATE: its name */
	const struct pipe *pipe; /* may be NULL for TEMPLATE */
	struct node_list body, otherwise;
};

struct template {
	struct node_list body;
	struct map by_name; /* -> index of bodies */
	struct {
		struct node_list *ptr;
		size_t len, cap;
	} bodies;
};

/* --- running (exec.c) --- */

struct run {
	struct arena *arena;
	const struct template *template;
	const struct template_env *env;
	FILE *out;
	struct err *err;
	struct place at; /* of what is being evaluated, for messages */
	uint64_t steps, written;
	unsigned depth;
	struct {
		struct run_variable {
			struct str name;
			struct tv value;
		} *ptr;
		size_t len, cap;
	} variables;
};

struct tv_pair {
	struct str key;
	struct tv value;
};

struct tv_map {
	struct tv_pair *ptr;
	size_t len, cap;
};

/* Words an error with its place; returns the code. */
int run_fail(struct run *r, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One more step, or ERR_LIMIT. */
int run_step(struct run *r);

/* --- functions --- */

struct tfunc {
	const char *name;
	int min, max; /* arguments; max < 0: any number */
	int (*call)(struct run *r, const struct tv *args, size_t count, struct tv *ret);
};

extern const struct tfunc functions_go[], functions_text[], functions_data[], functions_misc[]; /* end with a NULL name */
const struct tfunc *function_find(struct str name);

/* --- values (value.c) --- */

struct tv tv_bool(bool v);
struct tv tv_int(int64_t v);
struct tv tv_float(double v);
struct tv tv_str(struct str v);
struct tv tv_strings(struct arena *a, const struct str *ptr, size_t len); /* a list of strings */
struct tv tv_list(const struct tv *items, size_t len);                    /* of anything */
struct tv tv_map(struct arena *a);
void tv_map_set(struct arena *a, struct tv_map *m, struct str key, struct tv value);
const struct tv *tv_map_get(const struct tv_map *m, struct str key);
bool tv_map_unset(struct tv_map *m, struct str key);

bool tv_truth(const struct tv *v);
/* A field of a struct or a map's key; false: there is no such field. */
bool tv_field(struct arena *a, const struct tv *v, struct str name, struct tv *ret);
struct tv tv_zero(enum tv_kind kind, const struct tv_type *type);
/* "string", "int", "[]interface {}", as Go's %T; and its kind: "slice", "map", "struct". */
struct str tv_type_name(struct arena *a, const struct tv *v);
const char *tv_kind_name(const struct tv *v);
bool tv_equal(const struct tv *a, const struct tv *b); /* reflect.DeepEqual */

/* What sprig makes of any value where it wants a text, a whole number, a number. */
struct str tv_text(struct arena *a, const struct tv *v);
int64_t tv_to_int(const struct tv *v);
double tv_to_float(const struct tv *v);

/* Arguments of a fixed type: ERR_USAGE naming the function's argument. */
int want_str(struct run *r, const struct tv *v, struct str *ret);
int want_int(struct run *r, const struct tv *v, int64_t *ret);
int want_list(struct run *r, const struct tv *v);
int want_map(struct run *r, const struct tv *v);
/* ERR_LIMIT where a text or a list of that size may not be made. */
int want_room(struct run *r, size_t bytes);

/* --- text (format.c, time.c, regex.c) --- */

/* As fmt.Sprint of one value, fmt.Sprintf, strconv.Quote. */
void format_value(struct arena *a, struct buf *out, const struct tv *v);
void format_printf(struct arena *a, struct buf *out, struct str format, const struct tv *args, size_t count);
void format_quote(struct buf *out, struct str s);
struct str format_float(struct arena *a, double v, char verb, int precision);

/* A layout of Go's time package ("2006-01-02"), in UTC. */
void format_time(struct buf *out, int64_t t, struct str layout);
extern const char time_layout_default[]; /* as a time prints */

/* RE2's syntax, linear time. */
struct regex;
int regex_compile(struct arena *a, struct str pattern, struct regex **ret, struct err *err);
/* The leftmost match at or after `from`; groups[2 * i] and [2 * i + 1] are where group i begins and ends, -1 for none. */
#define REGEX_GROUPS_MAX 16
bool regex_match(struct arena *a, const struct regex *re, struct str text, size_t from, ptrdiff_t groups[2 * REGEX_GROUPS_MAX]);
size_t regex_group_count(const struct regex *re);
struct str regex_group_name(const struct regex *re, size_t i);

#endif
