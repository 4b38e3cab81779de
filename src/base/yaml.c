/* YAML: see yaml.h. libyaml gives events; open lists and maps are frames on a fixed stack, their children wait in one
 * scratch array. Aliases share the node of their anchor, but each counts as if it were written out, so that a small
 * file cannot make a tree that takes for ever to walk. Nothing recurses. */
#include "base/yaml.h"
#include "base/base.h"
#include "base/pairs.h"
#include "base/scalar.h"

#include <stdarg.h>
#include <yaml.h>

/* A finished node and what it weighs when it is written out. */
struct node {
	struct value *value;
	struct str text;  /* of a scalar: for keys */
	uint64_t nodes;   /* itself and all below, aliases expanded */
	unsigned height;  /* levels of lists and maps in it; 0 for a scalar */
	bool plain_merge; /* the plain scalar << */
};

struct frame {
	struct value *value;
	yaml_mark_t at;
	struct str anchor;
	size_t first;    /* of its children in the scratch array */
	uint64_t nodes;
	unsigned height;
	bool has_key;    /* of a map: the key stands in the scratch array and waits for its value */
	bool merge;      /* that key is << */
	struct value *merged; /* the value of the map's <<, or NULL */
};

struct parser {
	yaml_parser_t yaml;
	struct arena *arena;
	struct err *err;
	struct frame frames[VALUE_DEPTH_MAX];
	unsigned depth;
	struct value_pair *children; /* of lists only the value is used */
	yaml_mark_t *places;         /* of their keys (or themselves) */
	size_t len, cap;
	struct keyset keys;
	uint64_t nodes; /* of all documents so far, expanded */
	struct map anchors; /* of the current document: index into known */
	VEC(struct node) known;
	VEC(struct value *) documents;
};

static __attribute__((format(printf, 4, 5))) int fail_at(struct parser *p, int code, const yaml_mark_t *at,
                                                        const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(p->err, code, "line %zu, column %zu: %s", at->line + 1, at->column + 1, text);
}

/* --- nodes --- */

static uint32_t clamp32(size_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static struct value *new_value(struct parser *p, enum value_kind kind, const yaml_mark_t *at)
{
	struct value *v = ARENA_NEW(p->arena, struct value);
	v->kind = kind;
	v->line = clamp32(at->line + 1);
	v->column = clamp32(at->column + 1);
	return v;
}

static int count_nodes(struct parser *p, uint64_t nodes, const yaml_mark_t *at)
{
	p->nodes += nodes;
	if (p->nodes > YAML_NODES_MAX)
		return fail_at(p, ERR_LIMIT, at, "more nodes than YAML_NODES_MAX");
	return 0;
}

static void push_child(struct parser *p, struct value_pair child, const yaml_mark_t *at)
{
	if (p->len == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->children = xrealloc(p->children, p->cap * sizeof(*p->children));
		p->places = xrealloc(p->places, p->cap * sizeof(*p->places));
	}
	p->places[p->len] = *at;
	p->children[p->len++] = child;
}

static struct str copy_cstr(struct parser *p, const yaml_char_t *s)
{
	return s ? str_dup(p->arena, str_from((const char *)s)) : (struct str){ 0 };
}

static void remember(struct parser *p, struct str anchor, const struct node *n)
{
	if (anchor.len == 0)
		return;
	*map_put(p->arena, &p->anchors, anchor, NULL) = p->known.len;
	*vec_push(p->arena, &p->known) = *n;
}

/* --- maps --- */

static int take_key(struct parser *p, struct frame *f, const struct node *n, const yaml_mark_t *at)
{
	if (n->height > 0)
		return fail_at(p, ERR_UNSUPPORTED, at, "a key that is a list or a map");
	f->has_key = true;
	f->merge = n->plain_merge;
	if (f->merge && f->merged)
		return fail_at(p, ERR_FORMAT, at, "repeated key \"%.*s\"", STR_ARG(n->text));
	if (!f->merge)
		push_child(p, (struct value_pair){ n->text, NULL }, at);
	return 0;
}

static bool can_merge(const struct value *v)
{
	if (v->kind == VALUE_MAP)
		return true;
	if (v->kind != VALUE_LIST)
		return false;
	for (size_t i = 0; i < v->list.len; i++)
		if (v->list.items[i]->kind != VALUE_MAP)
			return false;
	return true;
}

static int take_value(struct parser *p, struct frame *f, const struct node *n, const yaml_mark_t *at)
{
	f->has_key = false;
	if (!f->merge) {
		p->children[p->len - 1].value = n->value;
		return 0;
	}
	if (!can_merge(n->value))
		return fail_at(p, ERR_FORMAT, at, "<< takes a map or a list of maps");
	f->merged = n->value;
	return 0;
}

static void push_pairs(struct parser *p, const struct value *map)
{
	const yaml_mark_t nowhere = { 0 };
	for (size_t i = 0; i < map->map.len; i++)
		push_child(p, map->map.pairs[i], &nowhere);
}

/* The merged maps' pairs behind the map's own; their nodes were counted when the value of << was met. */
static void merge(struct parser *p, const struct frame *f)
{
	const struct value *m = f->merged;
	if (m->kind == VALUE_MAP)
		push_pairs(p, m);
	else
		for (size_t i = 0; i < m->list.len; i++)
			push_pairs(p, m->list.items[i]);
	p->len = f->first + pairs_unite(p->children + f->first, p->len - f->first, PAIRS_FIRST, &p->keys);
}

static int finish_map(struct parser *p, struct frame *f)
{
	struct value_pair *pairs = p->children + f->first;
	size_t len = p->len - f->first;
	size_t repeated = pairs_repeat(pairs, len, &p->keys);
	if (repeated != len)
		return fail_at(p, ERR_FORMAT, &p->places[f->first + repeated], "repeated key \"%.*s\"",
		               STR_ARG(pairs[repeated].key));
	if (f->merged)
		merge(p, f);
	len = p->len - f->first;
	f->value->map.pairs = arena_grow(p->arena, p->children + f->first, len, len, sizeof(struct value_pair));
	f->value->map.len = len;
	return 0;
}

static void finish_list(struct parser *p, struct frame *f)
{
	size_t len = p->len - f->first;
	struct value **items = arena_array(p->arena, len, sizeof(struct value *));
	for (size_t i = 0; i < len; i++)
		items[i] = p->children[f->first + i].value;
	f->value->list.items = items;
	f->value->list.len = len;
}

/* --- events --- */

/* A finished node goes to where it belongs: the innermost open list or map, or the documents. */
static int attach(struct parser *p, const struct node *n, const yaml_mark_t *at)
{
	if (p->depth == 0) {
		*vec_push(p->arena, &p->documents) = n->value;
		return 0;
	}
	struct frame *f = &p->frames[p->depth - 1];
	f->nodes += n->nodes;
	if (n->height >= f->height)
		f->height = n->height + 1;
	if (f->value->kind == VALUE_MAP)
		return f->has_key ? take_value(p, f, n, at) : take_key(p, f, n, at);
	push_child(p, (struct value_pair){ .value = n->value }, at);
	return 0;
}

/* The part of a tag that names a type of YAML's own, or the tag itself. */
static int resolve_tag(struct parser *p, struct str tag, struct node *n, const yaml_mark_t *at)
{
	struct value *v = n->value;
	struct value plain = { 0 };
	double d;
	v->kind = VALUE_STRING;
	v->string = n->text;
	if (!str_skip(&tag, STR("tag:yaml.org,2002:")) || str_eq(tag, STR("str")))
		return 0;
	scalar_resolve(n->text, &plain);
	bool ok = true;
	if (str_eq(tag, STR("binary"))) {
		v->kind = VALUE_BYTES;
		ok = scalar_base64(p->arena, n->text, &v->string);
	} else if (str_eq(tag, STR("null"))) {
		ok = plain.kind == VALUE_NULL;
		v->kind = VALUE_NULL;
	} else if (str_eq(tag, STR("bool"))) {
		ok = plain.kind == VALUE_BOOL;
		v->kind = VALUE_BOOL;
		v->boolean = plain.boolean;
	} else if (str_eq(tag, STR("int"))) {
		ok = plain.kind == VALUE_INT || plain.kind == VALUE_UINT;
		v->kind = plain.kind;
		v->uinteger = plain.uinteger;
	} else if (str_eq(tag, STR("float"))) {
		ok = value_double(&plain, &d);
		v->kind = VALUE_DOUBLE;
		v->number = ok ? d : 0;
	}
	return ok ? 0 : fail_at(p, ERR_FORMAT, at, "the text does not fit its tag !!%.*s", STR_ARG(tag));
}

static int on_scalar(struct parser *p, const yaml_event_t *e)
{
	const yaml_mark_t *at = &e->start_mark;
	struct str tag = str_from((const char *)e->data.scalar.tag);
	struct str raw = { (const char *)e->data.scalar.value, e->data.scalar.length };
	bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && tag.len == 0;
	struct node n = { .value = new_value(p, VALUE_STRING, at), .text = str_dup(p->arena, raw), .nodes = 1 };
	int r = count_nodes(p, 1, at);
	if (r == 0 && plain)
		scalar_resolve(n.text, n.value);
	else if (r == 0)
		r = resolve_tag(p, tag, &n, at);
	if (r != 0)
		return r;
	n.plain_merge = plain && str_eq(n.text, STR("<<"));
	remember(p, copy_cstr(p, e->data.scalar.anchor), &n);
	return attach(p, &n, at);
}

static int on_alias(struct parser *p, const yaml_event_t *e)
{
	struct str name = str_from((const char *)e->data.alias.anchor);
	const uint64_t *index = map_get(&p->anchors, name);
	if (!index)
		return fail_at(p, ERR_FORMAT, &e->start_mark, "alias *%.*s without an anchor before it", STR_ARG(name));
	struct node n = p->known.ptr[*index];
	n.plain_merge = false;
	if (p->depth + n.height > VALUE_DEPTH_MAX)
		return fail_at(p, ERR_LIMIT, &e->start_mark, "alias *%.*s nests deeper than VALUE_DEPTH_MAX", STR_ARG(name));
	int r = count_nodes(p, n.nodes, &e->start_mark);
	return r == 0 ? attach(p, &n, &e->start_mark) : r;
}

static int on_start(struct parser *p, const yaml_event_t *e, enum value_kind kind, const yaml_char_t *anchor)
{
	if (p->depth == VALUE_DEPTH_MAX)
		return fail_at(p, ERR_LIMIT, &e->start_mark, "nested deeper than VALUE_DEPTH_MAX");
	p->frames[p->depth++] = (struct frame){
		.value = new_value(p, kind, &e->start_mark),
		.at = e->start_mark,
		.anchor = copy_cstr(p, anchor),
		.first = p->len,
		.nodes = 1,
		.height = 1,
	};
	return count_nodes(p, 1, &e->start_mark);
}

static int on_end(struct parser *p)
{
	struct frame *f = &p->frames[p->depth - 1];
	if (f->value->kind == VALUE_MAP) {
		int r = finish_map(p, f);
		if (r != 0)
			return r;
	} else {
		finish_list(p, f);
	}
	p->len = f->first;
	p->depth--;
	struct node n = { .value = f->value, .nodes = f->nodes, .height = f->height };
	remember(p, f->anchor, &n);
	return attach(p, &n, &f->at);
}

static int on_event(struct parser *p, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		p->anchors = (struct map){ 0 };
		p->known.len = 0;
		return 0;
	case YAML_SCALAR_EVENT: return on_scalar(p, e);
	case YAML_ALIAS_EVENT: return on_alias(p, e);
	case YAML_SEQUENCE_START_EVENT: return on_start(p, e, VALUE_LIST, e->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT: return on_start(p, e, VALUE_MAP, e->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_end(p);
	default: return 0;
	}
}

/* libyaml's own error: a scanner's or parser's has a mark, a reader's (UTF-8, control characters) an offset. */
static int libyaml_error(struct parser *p)
{
	const yaml_parser_t *y = &p->yaml;
	const char *what = y->problem ? y->problem : "bad YAML";
	if (y->error == YAML_MEMORY_ERROR)
		abort();
	if (y->error == YAML_READER_ERROR)
		return err_set(p->err, ERR_FORMAT, "at byte %zu: %s", y->problem_offset, what);
	return err_set(p->err, ERR_FORMAT, "line %zu, column %zu: %s", y->problem_mark.line + 1,
	               y->problem_mark.column + 1, what);
}

static int parse_stream(struct parser *p)
{
	for (bool end = false; !end;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&p->yaml, &e))
			return libyaml_error(p);
		int r = on_event(p, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
		if (r != 0)
			return r;
	}
	return 0;
}

int yaml_parse(struct arena *a, struct str text, struct value **ret_documents, struct err *err)
{
	if (text.len > YAML_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "YAML of %zu bytes is over YAML_SIZE_MAX", text.len);
	struct parser p = { .arena = a, .err = err };
	if (!yaml_parser_initialize(&p.yaml))
		abort();
	yaml_parser_set_input_string(&p.yaml, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
	int r = parse_stream(&p);
	yaml_parser_delete(&p.yaml);
	free(p.children);
	free(p.places);
	keyset_done(&p.keys);
	if (r != 0)
		return r;
	struct value *list = value_new_list(a);
	list->list.items = p.documents.ptr;
	list->list.len = p.documents.len;
	*ret_documents = list;
	return 0;
}
