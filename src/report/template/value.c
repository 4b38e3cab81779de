/* Values of templates: see internal.h. A struct's fields are read off the document when they are asked for; absent ones
 * are zero values of their type, as in Go. */
#include "report/template/internal.h"

#include "base/base.h"

#include <math.h>

struct tv tv_bool(bool v) { return (struct tv){ .kind = TV_BOOL, .boolean = v }; }
struct tv tv_int(int64_t v) { return (struct tv){ .kind = TV_INT, .integer = v }; }
struct tv tv_float(double v) { return (struct tv){ .kind = TV_FLOAT, .number = v }; }
struct tv tv_str(struct str v) { return (struct tv){ .kind = TV_STRING, .string = v }; }

struct tv tv_list(const struct tv *items, size_t len)
{
	return (struct tv){ .kind = TV_LIST, .list = { items, len } };
}

struct tv tv_strings(struct arena *a, const struct str *ptr, size_t len)
{
	struct tv *items = arena_array(a, len, sizeof(*items));
	for (size_t i = 0; i < len; i++)
		items[i] = tv_str(ptr[i]);
	return (struct tv){ .kind = TV_LIST, .item = TV_STRING, .list = { items, len } };
}

struct tv tv_map(struct arena *a)
{
	return (struct tv){ .kind = TV_MAP, .map = ARENA_NEW(a, struct tv_map) };
}

/* Where the key is, or would be. */
static size_t map_place(const struct tv_map *m, struct str key)
{
	size_t low = 0, high = m->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (str_cmp(m->ptr[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct tv *tv_map_get(const struct tv_map *m, struct str key)
{
	size_t at = map_place(m, key);
	return at < m->len && str_eq(m->ptr[at].key, key) ? &m->ptr[at].value : NULL;
}

void tv_map_set(struct arena *a, struct tv_map *m, struct str key, struct tv value)
{
	size_t at = map_place(m, key);
	if (at < m->len && str_eq(m->ptr[at].key, key)) {
		m->ptr[at].value = value;
		return;
	}
	(void)vec_push(a, m);
	memmove(&m->ptr[at + 1], &m->ptr[at], (m->len - 1 - at) * sizeof(*m->ptr));
	m->ptr[at] = (struct tv_pair){ key, value };
}

bool tv_map_unset(struct tv_map *m, struct str key)
{
	size_t at = map_place(m, key);
	if (at >= m->len || !str_eq(m->ptr[at].key, key))
		return false;
	memmove(&m->ptr[at], &m->ptr[at + 1], (m->len - 1 - at) * sizeof(*m->ptr));
	m->len--;
	return true;
}

/* --- from documents --- */

struct tv tv_zero(enum tv_kind kind, const struct tv_type *type)
{
	static struct tv_map nothing;
	struct tv v = { .kind = kind, .type = type };
	if (kind == TV_MAP)
		v.map = &nothing;
	return v;
}

static struct tv of_document(struct arena *a, const struct value *v, enum tv_kind kind, enum tv_kind item,
                             const struct tv_type *type);

/* A part of the document whose shape nobody has declared. */
static struct tv of_any(struct arena *a, const struct value *v)
{
	double number;
	int64_t whole;
	if (value_is(v, VALUE_BOOL))
		return tv_bool(value_bool(v));
	if (value_is(v, VALUE_STRING))
		return tv_str(value_str(v));
	if (value_is(v, VALUE_INT) && value_int(v, &whole))
		return tv_int(whole);
	if (value_double(v, &number))
		return tv_float(number);
	if (value_is(v, VALUE_LIST))
		return of_document(a, v, TV_LIST, TV_NONE, NULL);
	if (value_is(v, VALUE_MAP))
		return of_document(a, v, TV_MAP, TV_NONE, NULL);
	return (struct tv){ 0 };
}

static struct tv of_list(struct arena *a, const struct value *v, enum tv_kind item, const struct tv_type *type)
{
	size_t len = value_is(v, VALUE_LIST) ? value_len(v) : 0;
	struct tv *items = arena_array(a, len, sizeof(*items));
	for (size_t i = 0; i < len; i++)
		items[i] = of_document(a, value_at(v, i), item, TV_NONE, type);
	return (struct tv){ .kind = TV_LIST, .item = item, .type = type, .list = { items, len } };
}

static struct tv of_map(struct arena *a, const struct value *v, enum tv_kind item, const struct tv_type *type)
{
	struct tv out = tv_map(a);
	out.item = item;
	out.type = type;
	for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.len; i++)
		tv_map_set(a, out.map, v->map.pairs[i].key, of_document(a, v->map.pairs[i].value, item, TV_NONE, type));
	return out;
}

static struct tv of_document(struct arena *a, const struct value *v, enum tv_kind kind, enum tv_kind item,
                             const struct tv_type *type)
{
	int64_t whole = 0;
	double number = 0;
	switch (kind) {
	case TV_BOOL:
		return tv_bool(value_bool(v));
	case TV_INT:
		(void)value_int(v, &whole);
		return tv_int(whole);
	case TV_FLOAT:
		(void)value_double(v, &number);
		return tv_float(number);
	case TV_STRING:
		return tv_str(value_str(v));
	case TV_LIST:
		return of_list(a, v, item, type);
	case TV_MAP:
		return of_map(a, v, item, type);
	case TV_STRUCT:
		return (struct tv){ .kind = TV_STRUCT, .type = type, .object = v };
	default:
		return of_any(a, v);
	}
}

struct tv template_value(struct arena *a, const struct value *v, const struct tv_field *shape)
{
	return of_document(a, v, shape->kind, shape->item, shape->type);
}

static bool struct_field(struct arena *a, const struct tv *v, struct str name, struct tv *ret)
{
	const struct tv_type *type = v->type;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct tv_field *f = &type->fields[i];
		if (!str_eq(name, str_from(f->name)))
			continue;
		const struct value *member = f->embedded ? v->object : value_get(v->object, f->key ? f->key : f->name);
		*ret = f->pointer && !member ? (struct tv){ 0 } : of_document(a, member, f->kind, f->item, f->type);
		return true;
	}
	for (size_t i = 0; i < type->field_count; i++) {
		struct tv inner = { .kind = TV_STRUCT, .type = type->fields[i].type, .object = v->object };
		if (type->fields[i].embedded && struct_field(a, &inner, name, ret))
			return true;
	}
	return false;
}

bool tv_field(struct arena *a, const struct tv *v, struct str name, struct tv *ret)
{
	if (v->kind == TV_STRUCT)
		return struct_field(a, v, name, ret);
	if (v->kind != TV_MAP)
		return false;
	const struct tv *found = tv_map_get(v->map, name);
	*ret = found ? *found : v->item != TV_NONE ? tv_zero(v->item, v->type) : (struct tv){ 0 };
	return true;
}

/* --- what Go says of them --- */

bool tv_truth(const struct tv *v)
{
	switch (v->kind) {
	case TV_BOOL:
		return v->boolean;
	case TV_INT:
		return v->integer != 0;
	case TV_FLOAT:
		return !(v->number >= 0 && v->number <= 0);
	case TV_STRING:
		return v->string.len > 0;
	case TV_LIST:
		return v->list.len > 0;
	case TV_MAP:
		return v->map->len > 0;
	case TV_STRUCT:
	case TV_TIME:
		return true;
	case TV_NONE:
		break;
	}
	return false;
}

static struct str item_name(struct arena *a, const struct tv *v)
{
	struct tv item = tv_zero(v->item, v->type);
	return v->item == TV_NONE ? STR("interface {}") : tv_type_name(a, &item);
}

struct str tv_type_name(struct arena *a, const struct tv *v)
{
	switch (v->kind) {
	case TV_BOOL:
		return STR("bool");
	case TV_INT:
		return STR("int");
	case TV_FLOAT:
		return STR("float64");
	case TV_STRING:
		return STR("string");
	case TV_LIST:
		return arena_printf(a, "[]%.*s", STR_ARG(item_name(a, v)));
	case TV_MAP:
		return arena_printf(a, "map[string]%.*s", STR_ARG(item_name(a, v)));
	case TV_STRUCT:
		return str_from(v->type->name);
	case TV_TIME:
		return STR("time.Time");
	case TV_NONE:
		break;
	}
	return STR("<nil>");
}

const char *tv_kind_name(const struct tv *v)
{
	static const char *const names[] = { "invalid", "bool", "int", "float64", "string", "slice", "map", "struct", "struct" };
	return names[v->kind];
}

static bool equal_in(const struct tv *x, const struct tv *y, unsigned depth);

static bool equal_maps(const struct tv_map *x, const struct tv_map *y, unsigned depth)
{
	if (x->len != y->len)
		return false;
	for (size_t i = 0; i < x->len; i++)
		if (!str_eq(x->ptr[i].key, y->ptr[i].key) || !equal_in(&x->ptr[i].value, &y->ptr[i].value, depth))
			return false;
	return true;
}

/* A map may have been put into itself. */
static bool equal_in(const struct tv *x, const struct tv *y, unsigned depth)
{
	if (x->kind != y->kind || depth++ > VALUE_DEPTH_MAX)
		return false;
	switch (x->kind) {
	case TV_BOOL:
		return x->boolean == y->boolean;
	case TV_INT:
	case TV_TIME:
		return x->integer == y->integer;
	case TV_FLOAT:
		return !(x->number < y->number) && !(x->number > y->number) && !isnan(x->number) && !isnan(y->number);
	case TV_STRING:
		return str_eq(x->string, y->string);
	case TV_LIST:
		if (x->list.len != y->list.len)
			return false;
		for (size_t i = 0; i < x->list.len; i++)
			if (!equal_in(&x->list.items[i], &y->list.items[i], depth))
				return false;
		return true;
	case TV_MAP:
		return equal_maps(x->map, y->map, depth);
	case TV_STRUCT:
		return x->type == y->type && x->object == y->object;
	case TV_NONE:
		break;
	}
	return true;
}

bool tv_equal(const struct tv *x, const struct tv *y) { return equal_in(x, y, 0); }

/* --- what sprig makes of them --- */

struct str tv_text(struct arena *a, const struct tv *v)
{
	struct buf BUF_AUTO out = { 0 };
	if (v->kind == TV_STRING)
		return v->string;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	format_value(a, &out, v);
	return str_dup(a, buf_view(&out));
}

static int64_t double_to_int(double v)
{
	return v >= -9.2e18 && v <= 9.2e18 ? (int64_t)v : 0;
}

int64_t tv_to_int(const struct tv *v)
{
	if (v->kind == TV_INT || v->kind == TV_TIME)
		return v->integer;
	if (v->kind == TV_FLOAT)
		return double_to_int(v->number);
	if (v->kind == TV_BOOL)
		return v->boolean;
	return v->kind == TV_STRING ? double_to_int(tv_to_float(v)) : 0;
}

double tv_to_float(const struct tv *v)
{
	struct str text = v->string;
	uint64_t whole;
	if (v->kind == TV_FLOAT)
		return v->number;
	if (v->kind != TV_STRING)
		return (double)tv_to_int(v);
	bool negative = str_skip(&text, STR("-"));
	if (!negative)
		(void)str_skip(&text, STR("+"));
	struct str left = text, right = { 0 };
	ptrdiff_t dot = str_find(text, '.');
	if (dot >= 0) {
		left = str_sub(text, 0, (size_t)dot);
		right = str_sub(text, (size_t)dot + 1, text.len);
	}
	double out = 0;
	if (!str_to_u64(left, &whole))
		return 0;
	out = (double)whole;
	if (right.len) {
		if (right.len > 18 || !str_to_u64(right, &whole))
			return 0;
		out += (double)whole / pow(10, (double)right.len);
	}
	return negative ? -out : out;
}

/* --- arguments --- */

static int wrong(struct run *r, const struct tv *v, const char *wanted)
{
	return run_fail(r, ERR_USAGE, "wrong type of argument: %s is wanted, not %.*s", wanted,
	                STR_ARG(tv_type_name(r->arena, v)));
}

int want_str(struct run *r, const struct tv *v, struct str *ret)
{
	if (v->kind != TV_STRING)
		return wrong(r, v, "string");
	*ret = v->string;
	return 0;
}

int want_int(struct run *r, const struct tv *v, int64_t *ret)
{
	if (v->kind != TV_INT)
		return wrong(r, v, "int");
	*ret = v->integer;
	return 0;
}

int want_list(struct run *r, const struct tv *v) { return v->kind == TV_LIST ? 0 : wrong(r, v, "a list"); }

int want_map(struct run *r, const struct tv *v) { return v->kind == TV_MAP ? 0 : wrong(r, v, "a map"); }

int want_room(struct run *r, size_t bytes)
{
	if (bytes > TEMPLATE_TEXT_MAX)
		return run_fail(r, ERR_LIMIT, "a value is too long (TEMPLATE_TEXT_MAX)");
	if (arena_used(r->arena) > TEMPLATE_MEMORY_MAX)
		return run_fail(r, ERR_LIMIT, "the template takes too much memory (TEMPLATE_MEMORY_MAX)");
	return 0;
}
