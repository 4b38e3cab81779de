/* Running a template: see template.h. Walks the tree; every node, command and call is a step, and steps, depth, output
 * and memory are capped. Evaluation errors carry the place of the word that failed. */
#include "report/template/internal.h"

#include "base/base.h"
#include "report/text.h"

/* What a list of nodes ended with. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

int run_fail(struct run *r, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str words = arena_vprintf(r->arena, format, args);
	va_end(args);
	return err_set(r->err, code, "%u:%u: %.*s", r->at.line, r->at.column, STR_ARG(words));
}

int run_step(struct run *r)
{
	if (++r->steps > TEMPLATE_STEPS_MAX)
		return run_fail(r, ERR_LIMIT, "the template takes too many steps (TEMPLATE_STEPS_MAX)");
	if (arena_used(r->arena) > TEMPLATE_MEMORY_MAX)
		return run_fail(r, ERR_LIMIT, "the template takes too much memory (TEMPLATE_MEMORY_MAX)");
	return 0;
}

static int put(struct run *r, struct str s)
{
	r->written += s.len;
	if (r->written > TEMPLATE_OUTPUT_MAX)
		return run_fail(r, ERR_LIMIT, "the template writes too much (TEMPLATE_OUTPUT_MAX)");
	if (r->env->terminal) {
		for (size_t i = 0, n; i < s.len; i += n) {
			uint32_t code = text_decode(str_sub(s, i, s.len), &n);
			bool bad = code == UINT32_MAX || (code < 0x20 && code != '\n' && code != '\t') ||
			           (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
			           (code >= 0x2066 && code <= 0x2069);
			if (bad)
				fputs("\xef\xbf\xbd", r->out);
			else
				fwrite(s.ptr + i, 1, n, r->out);
		}
	} else if (s.len) {
		fwrite(s.ptr, 1, s.len, r->out);
	}
	return 0;
}

/* --- values --- */

static int eval_pipe(struct run *r, const struct pipe *pipe, const struct tv *dot, struct tv *ret);

static struct run_variable *find_variable(struct run *r, struct str name)
{
	for (size_t i = r->variables.len; i-- > 0;)
		if (str_eq(r->variables.ptr[i].name, name))
			return &r->variables.ptr[i];
	abort(); /* the parser has seen its declaration */
}

static void push_variable(struct run *r, struct str name, struct tv value)
{
	*vec_push(r->arena, &r->variables) = (struct run_variable){ name, value };
}

static int no_field(struct run *r, const struct tv *v, struct str name)
{
	if (v->kind == TV_NONE)
		return run_fail(r, ERR_USAGE, "there is no value to take the field %.*s of", STR_ARG(name));
	return run_fail(r, ERR_USAGE, "%.*s has no field %.*s", STR_ARG(tv_type_name(r->arena, v)), STR_ARG(name));
}

/* Methods of a time, the one value that has any. */
static int time_method(struct run *r, const struct tv *v, struct str name, const struct tv *args, size_t count,
                       struct tv *ret)
{
	struct str layout = { 0 };
	if (str_eq(name, STR("Format"))) {
		struct buf BUF_AUTO out = { 0 };
		if (count != 1 || args[0].kind != TV_STRING)
			return run_fail(r, ERR_USAGE, "Format wants a layout");
		buf_init(&out, TEMPLATE_TEXT_MAX);
		layout = args[0].string;
		format_time(&out, v->integer, layout);
		*ret = tv_str(str_dup(r->arena, buf_view(&out)));
		return 0;
	}
	if (count)
		return run_fail(r, ERR_USAGE, "%.*s takes no argument", STR_ARG(name));
	if (str_eq(name, STR("UTC")) || str_eq(name, STR("Local")))
		*ret = *v;
	else if (str_eq(name, STR("Unix")))
		*ret = tv_int(v->integer);
	else
		return no_field(r, v, name);
	return 0;
}

static int take_fields(struct run *r, const struct operand *o, size_t count, struct tv *v)
{
	for (size_t i = 0; i < count; i++) {
		struct str name = o->fields.ptr[i];
		struct tv out;
		if (v->kind == TV_TIME) {
			int rc = time_method(r, v, name, NULL, 0, &out);
			if (rc < 0)
				return rc;
		} else if (!tv_field(r->arena, v, name, &out)) {
			return no_field(r, v, name);
		}
		*v = out;
	}
	return 0;
}

/* The value of an operand that is no call. */
static int eval_operand(struct run *r, const struct operand *o, const struct tv *dot, struct tv *ret)
{
	int rc = run_step(r);
	if (rc < 0)
		return rc;
	r->at = o->at;
	switch (o->kind) {
	case OPERAND_DOT:
		*ret = *dot;
		break;
	case OPERAND_NIL:
		*ret = (struct tv){ 0 };
		return 0;
	case OPERAND_CONSTANT:
		*ret = o->constant;
		return 0;
	case OPERAND_VARIABLE:
		*ret = find_variable(r, o->name)->value;
		break;
	case OPERAND_FUNCTION:
		if (o->function->min > 0)
			return run_fail(r, ERR_USAGE, "%s wants %d arguments and has none", o->function->name, o->function->min);
		rc = o->function->call(r, NULL, 0, ret);
		break;
	case OPERAND_PIPE:
		rc = eval_pipe(r, o->pipe, dot, ret);
		r->at = o->at;
		break;
	}
	return rc < 0 ? rc : take_fields(r, o, o->fields.len, ret);
}

/* and, or: the first value that decides; what stands behind it is not evaluated. */
static int eval_short_cut(struct run *r, const struct command *c, const struct tv *dot, const struct tv *last, bool is_and,
                          struct tv *ret)
{
	for (size_t i = 1; i < c->len; i++) {
		int rc = eval_operand(r, &c->ptr[i], dot, ret);
		if (rc < 0 || tv_truth(ret) != is_and)
			return rc;
	}
	if (last)
		*ret = *last;
	return 0;
}

static int call_function(struct run *r, const struct command *c, const struct tv *dot, const struct tv *last, struct tv *ret)
{
	const struct operand *o = &c->ptr[0];
	const struct tfunc *f = o->function;
	size_t count = c->len - 1 + (last != NULL);
	bool is_and = str_eq(o->name, STR("and"));
	if (count < (size_t)f->min || (f->max >= 0 && count > (size_t)f->max)) {
		r->at = o->at;
		return run_fail(r, ERR_USAGE, "%s wants %s%d arguments, not %zu", f->name,
		                f->max < 0 ? "at least " : "", count < (size_t)f->min ? f->min : f->max, count);
	}
	if (is_and || str_eq(o->name, STR("or")))
		return eval_short_cut(r, c, dot, last, is_and, ret);
	struct tv *args = arena_array(r->arena, count + 1, sizeof(*args));
	for (size_t i = 1; i < c->len; i++) {
		int rc = eval_operand(r, &c->ptr[i], dot, &args[i - 1]);
		if (rc < 0)
			return rc;
	}
	if (last)
		args[count - 1] = *last;
	r->at = o->at;
	return f->call(r, args, count, ret);
}

/* A method with arguments: only times have any. */
static int call_method(struct run *r, const struct command *c, const struct tv *dot, const struct tv *last, struct tv *ret)
{
	const struct operand *o = &c->ptr[0];
	struct operand owner = *o;
	struct tv object = { 0 }, args[2];
	size_t count = c->len - 1 + (last != NULL);
	if (o->fields.len == 0) {
		r->at = o->at;
		return run_fail(r, ERR_USAGE, "arguments are given to what is no function");
	}
	struct str name = o->fields.ptr[o->fields.len - 1];
	owner.fields.len--;
	int rc = eval_operand(r, &owner, dot, &object);
	if (rc < 0)
		return rc;
	if (object.kind != TV_TIME || count > COUNT_OF(args))
		return run_fail(r, ERR_USAGE, "%.*s is no function and takes no argument", STR_ARG(name));
	for (size_t i = 1; i < c->len; i++)
		if ((rc = eval_operand(r, &c->ptr[i], dot, &args[i - 1])) < 0)
			return rc;
	if (last)
		args[count - 1] = *last;
	r->at = o->at;
	return time_method(r, &object, name, args, count, ret);
}

static int eval_command(struct run *r, const struct command *c, const struct tv *dot, const struct tv *last, struct tv *ret)
{
	int rc = run_step(r);
	if (rc < 0)
		return rc;
	/* "now.Format layout": what follows is for the method. */
	if (c->ptr[0].kind == OPERAND_FUNCTION && c->ptr[0].fields.len == 0)
		return call_function(r, c, dot, last, ret);
	if (c->len > 1 || last)
		return call_method(r, c, dot, last, ret);
	return eval_operand(r, &c->ptr[0], dot, ret);
}

static int eval_pipe(struct run *r, const struct pipe *pipe, const struct tv *dot, struct tv *ret)
{
	struct tv value = { 0 };
	for (size_t i = 0; i < pipe->commands.len; i++) {
		struct tv out = { 0 };
		int rc = eval_command(r, &pipe->commands.ptr[i], dot, i ? &value : NULL, &out);
		if (rc < 0)
			return rc;
		value = out;
	}
	for (size_t i = 0; i < pipe->variable_count; i++) {
		if (pipe->assigns)
			find_variable(r, pipe->variables[i])->value = value;
		else
			push_variable(r, pipe->variables[i], value);
	}
	*ret = value;
	return 0;
}

/* --- nodes --- */

static int run_list(struct run *r, const struct node_list *list, const struct tv *dot, enum flow *ret_flow);

static int run_action(struct run *r, const struct node *n, const struct tv *dot)
{
	struct tv v;
	struct buf BUF_AUTO out = { 0 };
	int rc = eval_pipe(r, n->pipe, dot, &v);
	if (rc < 0 || n->pipe->variable_count)
		return rc;
	if (v.kind == TV_STRING)
		return put(r, v.string);
	if (v.kind == TV_NONE)
		return put(r, STR("<no value>"));
	buf_init(&out, TEMPLATE_TEXT_MAX);
	format_value(r->arena, &out, &v);
	if (out.overflow)
		return run_fail(r, ERR_LIMIT, "a value is too long to print (TEMPLATE_TEXT_MAX)");
	return put(r, buf_view(&out));
}

static int run_if(struct run *r, const struct node *n, const struct tv *dot, enum flow *ret_flow)
{
	struct tv v;
	size_t outside = r->variables.len;
	int rc = eval_pipe(r, n->pipe, dot, &v);
	if (rc < 0)
		return rc;
	bool truth = tv_truth(&v);
	rc = run_list(r, truth ? &n->body : &n->otherwise, truth && n->kind == NODE_WITH ? &v : dot, ret_flow);
	r->variables.len = outside;
	return rc;
}

/* One round; *ret_stop after a break. */
static int run_round(struct run *r, const struct node *n, const struct tv *key, const struct tv *item, size_t base,
                     bool *ret_stop)
{
	const struct pipe *p = n->pipe;
	enum flow flow = FLOW_ON;
	r->variables.len = base;
	if (p->variable_count) {
		struct tv values[2] = { p->variable_count == 2 ? *key : *item, *item };
		for (size_t i = 0; i < p->variable_count; i++) {
			if (p->assigns)
				find_variable(r, p->variables[i])->value = values[i];
			else
				push_variable(r, p->variables[i], values[i]);
		}
	}
	int rc = run_list(r, &n->body, item, &flow);
	r->variables.len = base;
	*ret_stop = flow == FLOW_BREAK;
	return rc;
}

static int run_items(struct run *r, const struct node *n, const struct tv *v, size_t base, size_t *ret_count)
{
	bool stop = false;
	int rc = 0;
	size_t count = v->kind == TV_LIST ? v->list.len : v->kind == TV_MAP ? v->map->len : v->integer > 0 ? (size_t)v->integer : 0;
	*ret_count = count;
	for (size_t i = 0; rc == 0 && !stop && i < count; i++) {
		struct tv key = tv_int((int64_t)i), item = key;
		if ((rc = run_step(r)) < 0)
			return rc;
		if (v->kind == TV_LIST)
			item = v->list.items[i];
		if (v->kind == TV_MAP) {
			if (i >= v->map->len)
				break;
			key = tv_str(v->map->ptr[i].key);
			item = v->map->ptr[i].value;
		}
		rc = run_round(r, n, &key, &item, base, &stop);
	}
	return rc;
}

static int run_range(struct run *r, const struct node *n, const struct tv *dot, enum flow *ret_flow)
{
	struct tv v = { 0 };
	size_t base = r->variables.len, count = 0;
	struct pipe bare = *n->pipe;
	bare.variable_count = 0;
	int rc = eval_pipe(r, &bare, dot, &v);
	if (rc < 0)
		return rc;
	if (v.kind != TV_NONE) {
		if (v.kind != TV_LIST && v.kind != TV_MAP && v.kind != TV_INT) {
			r->at = n->pipe->at;
			return run_fail(r, ERR_USAGE, "range cannot go over a %s", tv_kind_name(&v));
		}
		if ((rc = run_items(r, n, &v, base, &count)) < 0)
			return rc;
	}
	if (count == 0) {
		for (size_t i = 0; i < n->pipe->variable_count && !n->pipe->assigns; i++)
			push_variable(r, n->pipe->variables[i], v);
		rc = run_list(r, &n->otherwise, dot, ret_flow);
	}
	r->variables.len = base;
	return rc;
}

static int run_template(struct run *r, const struct node *n, const struct tv *dot)
{
	struct tv v = { 0 };
	enum flow flow;
	const uint64_t *index = map_get(&r->template->by_name, n->text);
	r->at = n->at;
	if (!index)
		return run_fail(r, ERR_USAGE, "there is no template \"%.*s\"", STR_ARG(n->text));
	if (r->depth >= TEMPLATE_DEPTH_MAX)
		return run_fail(r, ERR_LIMIT, "templates call each other too deep (TEMPLATE_DEPTH_MAX)");
	int rc = n->pipe ? eval_pipe(r, n->pipe, dot, &v) : 0;
	if (rc < 0)
		return rc;
	/* A template sees its own variables only: those before it stay, under names that it cannot ask for. */
	size_t outside = r->variables.len;
	push_variable(r, STR("$"), v);
	r->depth++;
	rc = run_list(r, &r->template->bodies.ptr[*index], &v, &flow);
	r->depth--;
	r->variables.len = outside;
	return rc;
}

static int run_node(struct run *r, const struct node *n, const struct tv *dot, enum flow *ret_flow)
{
	switch (n->kind) {
	case NODE_TEXT:
		return put(r, n->text);
	case NODE_ACTION:
		return run_action(r, n, dot);
	case NODE_IF:
	case NODE_WITH:
		return run_if(r, n, dot, ret_flow);
	case NODE_RANGE:
		return run_range(r, n, dot, ret_flow);
	case NODE_TEMPLATE:
		return run_template(r, n, dot);
	case NODE_BREAK:
		*ret_flow = FLOW_BREAK;
		return 0;
	case NODE_CONTINUE:
		*ret_flow = FLOW_CONTINUE;
		return 0;
	}
	return 0;
}

static int run_list(struct run *r, const struct node_list *list, const struct tv *dot, enum flow *ret_flow)
{
	*ret_flow = FLOW_ON;
	for (size_t i = 0; i < list->len && *ret_flow == FLOW_ON; i++) {
		int rc = run_step(r);
		if (rc == 0)
			rc = run_node(r, &list->ptr[i], dot, ret_flow);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int template_run(struct arena *a, const struct template *t, struct tv dot, const struct template_env *env, FILE *out,
                 struct err *err)
{
	struct run r = { .arena = a, .template = t, .env = env, .out = out, .err = err };
	enum flow flow;
	push_variable(&r, STR("$"), dot);
	return run_list(&r, &t->body, &dot, &flow);
}
