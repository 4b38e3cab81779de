/* Tokens into the tree of a template: see internal.h. Knows every function and variable by the time it ends, so that a
 * misspelt one is found before anything runs. Nesting is capped: the tree is walked by recursion. */
#include "report/template/internal.h"

#include "base/base.h"
#include "base/number.h"

#include <math.h>

struct parser {
	struct arena *arena;
	struct lexer lexer;
	struct token token; /* the one at hand */
	struct template *template;
	struct err *err;
	unsigned depth, ranges;
	VEC(struct str) variables;
};

/* How a list of nodes ended. */
enum list_end { LIST_END_EOF, LIST_END_END, LIST_END_ELSE };

static int fail(struct parser *p, struct place at, const char *what, struct str detail)
{
	return err_set(p->err, ERR_USAGE, "%u:%u: %s%s%.*s%s", at.line, at.column, what, detail.len ? " \"" : "",
	               STR_ARG(detail), detail.len ? "\"" : "");
}

static int next(struct parser *p)
{
	return lex_next(&p->lexer, &p->token);
}

static int next_word(struct parser *p)
{
	int rc = next(p);
	while (rc == 0 && p->token.kind == TOKEN_SPACE)
		rc = next(p);
	return rc;
}

static int enter(struct parser *p)
{
	if (++p->depth > TEMPLATE_NESTING_MAX)
		return err_set(p->err, ERR_LIMIT, "%u:%u: nested too deep (TEMPLATE_NESTING_MAX)", p->token.at.line,
		               p->token.at.column);
	return 0;
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_IDENT && str_eq(p->token.text, str_from(word));
}

/* --- constants --- */

static struct str without_underscores(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.len);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '_')
			out[n++] = s.ptr[i];
	return (struct str){ out, n };
}

static bool whole_number(struct str digits, bool negative, int64_t *ret)
{
	static const struct {
		const char *prefix;
		unsigned base;
	} bases[] = { { "0x", 16 }, { "0X", 16 }, { "0o", 8 }, { "0O", 8 }, { "0b", 2 }, { "0B", 2 } };
	uint64_t v = 0;
	unsigned base = digits.len > 1 && digits.ptr[0] == '0' ? 8 : 10;
	for (size_t i = 0; i < COUNT_OF(bases); i++)
		if (str_skip(&digits, str_from(bases[i].prefix)))
			base = bases[i].base;
	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		char c = ascii_tolower(digits.ptr[i]);
		unsigned d = ascii_digit(c) ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	if (v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static bool is_decimal(struct str s)
{
	size_t i = 0, digits = 0;
	for (; i < s.len && (ascii_digit(s.ptr[i]) || s.ptr[i] == '.'); i++)
		digits += ascii_digit(s.ptr[i]);
	if (digits == 0 || str_find(s, '.') != str_rfind(str_sub(s, 0, i), '.'))
		return false;
	if (i == s.len)
		return true;
	if (s.ptr[i] != 'e' && s.ptr[i] != 'E')
		return false;
	struct str power = str_sub(s, i + 1, s.len);
	(void)(str_skip(&power, STR("-")) || str_skip(&power, STR("+")));
	for (i = 0; i < power.len; i++)
		if (!ascii_digit(power.ptr[i]))
			return false;
	return power.len > 0 && power.len < 10;
}

static int parse_number(struct parser *p, struct tv *ret)
{
	struct str text = without_underscores(p->arena, p->token.text), digits = text;
	bool negative = str_skip(&digits, STR("-"));
	int64_t whole;
	if (!negative)
		(void)str_skip(&digits, STR("+"));
	if (whole_number(digits, negative, &whole)) {
		*ret = tv_int(whole);
		return 0;
	}
	if (!is_decimal(digits) || (str_find(digits, '.') < 0 && str_find(digits, 'e') < 0 && str_find(digits, 'E') < 0))
		return fail(p, p->token.at, "bad number", p->token.text);
	double v = number_from_text(digits);
	if (!isfinite(v))
		return fail(p, p->token.at, "a number that is too large", p->token.text);
	*ret = tv_float(negative ? -v : v);
	return 0;
}

/* --- pipelines --- */

static int parse_pipe(struct parser *p, enum token_kind end, struct pipe **ret);

static int check_variable(struct parser *p)
{
	for (size_t i = p->variables.len; i-- > 0;)
		if (str_eq(p->variables.ptr[i], p->token.text))
			return 0;
	return fail(p, p->token.at, "undefined variable", p->token.text);
}

static int parse_function(struct parser *p, struct operand *o)
{
	o->kind = OPERAND_FUNCTION;
	o->name = p->token.text;
	o->function = function_find(o->name);
	return o->function ? 0 : fail(p, p->token.at, "there is no function", o->name);
}

static int parse_parentheses(struct parser *p, struct operand *o)
{
	struct pipe *inner;
	int rc = enter(p);
	if (rc < 0 || (rc = parse_pipe(p, TOKEN_RIGHT, &inner)) < 0)
		return rc;
	p->depth--;
	o->kind = OPERAND_PIPE;
	o->pipe = inner;
	return 0;
}

/* The token at hand begins an operand; fields that follow it without a space belong to it. */
static int parse_operand(struct parser *p, struct operand *o, bool *ret_is)
{
	int rc = 0;
	*o = (struct operand){ .kind = OPERAND_CONSTANT, .at = p->token.at };
	*ret_is = true;
	switch ((int)p->token.kind) {
	case TOKEN_DOT:
		o->kind = OPERAND_DOT;
		break;
	case TOKEN_FIELD:
		o->kind = OPERAND_DOT;
		*vec_push(p->arena, &o->fields) = p->token.text;
		break;
	case TOKEN_VARIABLE:
		o->kind = OPERAND_VARIABLE;
		o->name = p->token.text;
		rc = check_variable(p);
		break;
	case TOKEN_NIL:
		o->kind = OPERAND_NIL;
		break;
	case TOKEN_BOOL:
		o->constant = tv_bool(p->token.text.ptr[0] == 't');
		break;
	case TOKEN_STRING:
		o->constant = tv_str(p->token.text);
		break;
	case TOKEN_CHAR:
		o->constant = tv_int(p->token.number);
		break;
	case TOKEN_NUMBER:
		rc = parse_number(p, &o->constant);
		break;
	case TOKEN_IDENT:
		rc = parse_function(p, o);
		break;
	case TOKEN_LEFT:
		rc = parse_parentheses(p, o);
		break;
	default:
		*ret_is = false;
		return 0;
	}
	if (rc == 0)
		rc = next(p);
	while (rc == 0 && p->token.kind == TOKEN_FIELD) {
		if (o->kind == OPERAND_CONSTANT || o->kind == OPERAND_NIL)
			return fail(p, p->token.at, "a constant has no field", p->token.text);
		*vec_push(p->arena, &o->fields) = p->token.text;
		rc = next(p);
	}
	return rc;
}

/* Operands, set apart by spaces, up to a pipe or the end. */
static int parse_command(struct parser *p, enum token_kind end, struct pipe *pipe)
{
	struct command *c = vec_push(p->arena, &pipe->commands);
	for (;;) {
		struct operand o;
		bool is;
		int rc = p->token.kind == TOKEN_SPACE ? next_word(p) : 0;
		if (rc < 0 || (rc = parse_operand(p, &o, &is)) < 0)
			return rc;
		if (is) {
			*vec_push(p->arena, c) = o;
			if (p->token.kind == TOKEN_SPACE)
				continue;
		}
		if (p->token.kind == end || p->token.kind == TOKEN_PIPE)
			break;
		return fail(p, p->token.at, "unexpected word in an action", p->token.text);
	}
	if (c->len == 0)
		return fail(p, p->token.at, "a value is missing", (struct str){ 0 });
	if (pipe->commands.len > 1 && (c->ptr[0].kind == OPERAND_CONSTANT || c->ptr[0].kind == OPERAND_NIL))
		return fail(p, c->ptr[0].at, "a constant cannot take what a pipe brings", (struct str){ 0 });
	if (c->len == 1 && c->ptr[0].kind == OPERAND_NIL)
		return fail(p, c->ptr[0].at, "nil is not a command", (struct str){ 0 });
	return 0;
}

/* "$x := ", "$x = ", "$i, $x := ": looked for by trying, and taken back where there is none. */
static int parse_declaration(struct parser *p, struct pipe *pipe, bool in_range)
{
	struct lexer lexer_before = p->lexer;
	struct token token_before = p->token;
	struct str names[2] = { p->token.text };
	size_t count = 1;
	int rc = next_word(p);
	if (rc == 0 && in_range && p->token.kind == TOKEN_COMMA) {
		if ((rc = next_word(p)) < 0)
			return rc;
		if (p->token.kind != TOKEN_VARIABLE)
			return fail(p, p->token.at, "a second variable is missing", (struct str){ 0 });
		names[count++] = p->token.text;
		rc = next_word(p);
	}
	if (rc < 0)
		return rc;
	if (p->token.kind != TOKEN_DECLARE && p->token.kind != TOKEN_ASSIGN) {
		p->lexer = lexer_before;
		p->token = token_before;
		return count > 1 ? fail(p, p->token.at, "two variables without :=", (struct str){ 0 }) : 0;
	}
	pipe->assigns = p->token.kind == TOKEN_ASSIGN;
	pipe->variable_count = count;
	memcpy(pipe->variables, names, sizeof(names));
	for (size_t i = 0; pipe->assigns && i < count; i++) {
		struct token now = p->token;
		p->token.text = names[i];
		if ((rc = check_variable(p)) < 0)
			return rc;
		p->token = now;
	}
	return next_word(p);
}

static int parse_pipe_in(struct parser *p, enum token_kind end, bool in_range, struct pipe **ret)
{
	struct pipe *pipe = ARENA_NEW(p->arena, struct pipe);
	int rc = next_word(p);
	pipe->at = p->token.at;
	if (rc == 0 && p->token.kind == TOKEN_VARIABLE && end == TOKEN_CLOSE)
		rc = parse_declaration(p, pipe, in_range);
	while (rc == 0) {
		if ((rc = parse_command(p, end, pipe)) < 0)
			return rc;
		if (p->token.kind == end)
			break;
		rc = next_word(p);
	}
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < pipe->variable_count && !pipe->assigns; i++)
		*vec_push(p->arena, &p->variables) = pipe->variables[i];
	*ret = pipe;
	return 0;
}

static int parse_pipe(struct parser *p, enum token_kind end, struct pipe **ret)
{
	return parse_pipe_in(p, end, false, ret);
}

/* --- nodes --- */

static int parse_list(struct parser *p, struct node_list *list, enum list_end *ret_end);

static int expect_close(struct parser *p)
{
	int rc = next_word(p);
	if (rc == 0 && p->token.kind != TOKEN_CLOSE)
		return fail(p, p->token.at, "unexpected word in an action", p->token.text);
	return rc;
}

/* if, range, with: the word has been passed; the pipeline, the body, and what follows else. */
static int parse_control(struct parser *p, struct node *n)
{
	struct pipe *pipe;
	enum list_end end;
	size_t outside = p->variables.len;
	int rc = enter(p);
	if (rc < 0 || (rc = parse_pipe_in(p, TOKEN_CLOSE, n->kind == NODE_RANGE, &pipe)) < 0)
		return rc;
	n->pipe = pipe;
	p->ranges += n->kind == NODE_RANGE;
	rc = parse_list(p, &n->body, &end);
	p->ranges -= n->kind == NODE_RANGE;
	if (rc < 0)
		return rc;
	if (end == LIST_END_ELSE) {
		/* "else if" and "else with" are another control within, which takes the end for both. */
		rc = next_word(p);
		bool nested = rc == 0 && ((n->kind == NODE_IF && is_word(p, "if")) || (n->kind == NODE_WITH && is_word(p, "with")));
		if (nested) {
			struct node *inner = vec_push(p->arena, &n->otherwise);
			*inner = (struct node){ .kind = n->kind, .at = p->token.at };
			rc = parse_control(p, inner);
		} else if (rc == 0) {
			if (p->token.kind != TOKEN_CLOSE)
				return fail(p, p->token.at, "unexpected word behind else", p->token.text);
			rc = parse_list(p, &n->otherwise, &end);
			if (rc == 0 && end == LIST_END_ELSE)
				return fail(p, p->token.at, "a second else", (struct str){ 0 });
		}
	}
	if (rc == 0 && end == LIST_END_EOF)
		return fail(p, n->at, "this has no end", (struct str){ 0 });
	p->variables.len = outside;
	p->depth--;
	return rc;
}

static int parse_name(struct parser *p, struct str *ret)
{
	int rc = next_word(p);
	if (rc == 0 && p->token.kind != TOKEN_STRING)
		return fail(p, p->token.at, "the name of a template is missing", (struct str){ 0 });
	*ret = p->token.text;
	return rc;
}

/* The body of define and block: a template of its own, with its own variables. */
static int parse_body(struct parser *p, struct str name, struct place at)
{
	struct node_list body = { 0 };
	enum list_end end;
	size_t ranges = p->ranges;
	struct str *before = p->variables.ptr;
	size_t len = p->variables.len, cap = p->variables.cap;
	p->variables.ptr = NULL;
	p->variables.len = p->variables.cap = 0;
	*vec_push(p->arena, &p->variables) = STR("$");
	p->ranges = 0;
	int rc = parse_list(p, &body, &end);
	p->variables.ptr = before;
	p->variables.len = len;
	p->variables.cap = cap;
	p->ranges = (unsigned)ranges;
	if (rc < 0)
		return rc;
	if (end != LIST_END_END)
		return fail(p, at, "this definition has no end", name);
	uint64_t *slot = map_put(p->arena, &p->template->by_name, name, NULL);
	*slot = p->template->bodies.len;
	*vec_push(p->arena, &p->template->bodies) = body;
	return 0;
}

static int parse_define(struct parser *p, struct place at)
{
	struct str name = { 0 };
	int rc = enter(p);
	if (rc < 0 || (rc = parse_name(p, &name)) < 0 || (rc = expect_close(p)) < 0 || (rc = parse_body(p, name, at)) < 0)
		return rc;
	p->depth--;
	return 0;
}

/* {{template "x"}}, {{template "x" pipeline}}; block also defines it. */
static int parse_template(struct parser *p, struct node *n, bool block)
{
	struct lexer before;
	struct pipe *pipe = NULL;
	int rc = enter(p);
	if (rc < 0 || (rc = parse_name(p, &n->text)) < 0)
		return rc;
	before = p->lexer;
	if ((rc = next_word(p)) < 0)
		return rc;
	if (p->token.kind != TOKEN_CLOSE) {
		p->lexer = before;
		if ((rc = parse_pipe(p, TOKEN_CLOSE, &pipe)) < 0)
			return rc;
		n->pipe = pipe;
	}
	if (block && (rc = parse_body(p, n->text, n->at)) < 0)
		return rc;
	p->depth--;
	return 0;
}

/* One action, whose opening has been passed. *ret_end: it ends the list. */
static int parse_action(struct parser *p, struct node_list *list, bool *ret_ends, enum list_end *ret_end)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} controls[] = { { "if", NODE_IF }, { "range", NODE_RANGE }, { "with", NODE_WITH } };
	struct lexer before = p->lexer;
	struct place at = p->token.at;
	int rc = next_word(p);
	if (rc < 0)
		return rc;
	*ret_ends = false;
	if (is_word(p, "end") || is_word(p, "else")) {
		*ret_ends = true;
		*ret_end = is_word(p, "end") ? LIST_END_END : LIST_END_ELSE;
		return *ret_end == LIST_END_END ? expect_close(p) : 0;
	}
	if (is_word(p, "define"))
		return parse_define(p, at);
	struct node n = { .at = p->token.at };
	for (size_t i = 0; i < COUNT_OF(controls); i++)
		if (is_word(p, controls[i].word)) {
			n.kind = controls[i].kind;
			rc = parse_control(p, &n);
			*vec_push(p->arena, list) = n;
			return rc;
		}
	if (is_word(p, "template") || is_word(p, "block")) {
		n.kind = NODE_TEMPLATE;
		rc = parse_template(p, &n, is_word(p, "block"));
	} else if (is_word(p, "break") || is_word(p, "continue")) {
		n.kind = is_word(p, "break") ? NODE_BREAK : NODE_CONTINUE;
		if (p->ranges == 0)
			return fail(p, n.at, "outside of range:", p->token.text);
		rc = expect_close(p);
	} else {
		struct pipe *pipe;
		n.kind = NODE_ACTION;
		p->lexer = before;
		rc = parse_pipe(p, TOKEN_CLOSE, &pipe);
		n.pipe = rc == 0 ? pipe : NULL;
	}
	*vec_push(p->arena, list) = n;
	return rc;
}

static int parse_list(struct parser *p, struct node_list *list, enum list_end *ret_end)
{
	for (;;) {
		bool ends = false;
		int rc = next(p);
		if (rc < 0)
			return rc;
		if (p->token.kind == TOKEN_END) {
			*ret_end = LIST_END_EOF;
			return 0;
		}
		if (p->token.kind == TOKEN_TEXT) {
			if (p->token.text.len)
				*vec_push(p->arena, list) =
				        (struct node){ .kind = NODE_TEXT, .at = p->token.at, .text = p->token.text };
			continue;
		}
		if ((rc = parse_action(p, list, &ends, ret_end)) < 0 || ends)
			return rc;
	}
}

int template_parse(struct arena *a, struct str text, struct template **ret, struct err *err)
{
	struct parser p = { .arena = a, .err = err };
	enum list_end end;
	if (text.len > TEMPLATE_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "a template of %zu bytes, over TEMPLATE_SIZE_MAX", text.len);
	p.template = ARENA_NEW(a, struct template);
	p.lexer = (struct lexer){ .arena = a, .text = text, .place = { 1, 1 }, .err = err };
	*vec_push(a, &p.variables) = STR("$");
	int rc = parse_list(&p, &p.template->body, &end);
	if (rc < 0)
		return rc;
	if (end != LIST_END_EOF)
		return fail(&p, p.token.at, "unexpected end or else", (struct str){ 0 });
	*ret = p.template;
	return 0;
}
