/* The document tree: see value.h.
 * Look-ups take whatever they are given, for documents come from strangers: a wrong kind is an answer, never a crash. */
#include "base/value.h"
#include "base/base.h"

bool value_is(const struct value *v, enum value_kind kind)
{
	return v && v->kind == kind;
}

const struct value *value_get_str(const struct value *map, struct str key)
{
	if (!value_is(map, VALUE_MAP))
		return NULL;
	for (size_t i = 0; i < map->map.len; i++)
		if (str_eq(map->map.pairs[i].key, key))
			return map->map.pairs[i].value;
	return NULL;
}

const struct value *value_get(const struct value *map, const char *key)
{
	return value_get_str(map, str_from(key));
}

const struct value *value_at(const struct value *list, size_t index)
{
	return value_is(list, VALUE_LIST) && index < list->list.len ? list->list.items[index] : NULL;
}

size_t value_len(const struct value *list_or_map)
{
	if (value_is(list_or_map, VALUE_LIST))
		return list_or_map->list.len;
	return value_is(list_or_map, VALUE_MAP) ? list_or_map->map.len : 0;
}

struct str value_str(const struct value *v)
{
	return value_is(v, VALUE_STRING) ? v->string : (struct str){ 0 };
}

bool value_bool(const struct value *v)
{
	return value_is(v, VALUE_BOOL) && v->boolean;
}

bool value_int(const struct value *v, int64_t *ret)
{
	if (value_is(v, VALUE_INT)) {
		*ret = v->integer;
		return true;
	}
	/* Both bounds are exact doubles; the upper one is the first value that does not fit. */
	if (!value_is(v, VALUE_DOUBLE) || !(v->number >= -9223372036854775808.0 && v->number < 9223372036854775808.0))
		return false;
	int64_t whole = (int64_t)v->number;
	if ((double)whole != v->number)
		return false;
	*ret = whole;
	return true;
}

bool value_double(const struct value *v, double *ret)
{
	if (value_is(v, VALUE_INT))
		*ret = (double)v->integer;
	else if (value_is(v, VALUE_UINT))
		*ret = (double)v->uinteger;
	else if (value_is(v, VALUE_DOUBLE))
		*ret = v->number;
	else
		return false;
	return true;
}

static struct value *new_kind(struct arena *a, enum value_kind kind)
{
	struct value *v = ARENA_NEW(a, struct value);
	v->kind = kind;
	return v;
}

struct value *value_new_null(struct arena *a)
{
	return new_kind(a, VALUE_NULL);
}

struct value *value_new_bool(struct arena *a, bool b)
{
	struct value *v = new_kind(a, VALUE_BOOL);
	v->boolean = b;
	return v;
}

struct value *value_new_int(struct arena *a, int64_t i)
{
	struct value *v = new_kind(a, VALUE_INT);
	v->integer = i;
	return v;
}

struct value *value_new_double(struct arena *a, double d)
{
	struct value *v = new_kind(a, VALUE_DOUBLE);
	v->number = d;
	return v;
}

struct value *value_new_str(struct arena *a, struct str s)
{
	struct value *v = new_kind(a, VALUE_STRING);
	v->string = s;
	return v;
}

struct value *value_new_list(struct arena *a)
{
	return new_kind(a, VALUE_LIST);
}

struct value *value_new_map(struct arena *a)
{
	return new_kind(a, VALUE_MAP);
}

/* An array that a parser made to measure has cap 0 and is copied at the first addition. */
static uint32_t next_cap(size_t len)
{
	size_t cap = len < 2 ? 4 : len * 2;
	if (cap > UINT32_MAX)
		abort();
	return (uint32_t)cap;
}

void value_add(struct arena *a, struct value *list, struct value *item)
{
	if (list->kind != VALUE_LIST)
		abort();
	size_t len = list->list.len;
	if (len >= list->cap) {
		list->cap = next_cap(len);
		list->list.items = arena_grow(a, list->list.items, len, list->cap, sizeof(*list->list.items));
	}
	list->list.items[list->list.len++] = item;
}

void value_set(struct arena *a, struct value *map, struct str key, struct value *v)
{
	if (map->kind != VALUE_MAP)
		abort();
	size_t len = map->map.len;
	for (size_t i = 0; i < len; i++) {
		if (str_eq(map->map.pairs[i].key, key)) {
			map->map.pairs[i].value = v;
			return;
		}
	}
	if (len >= map->cap) {
		map->cap = next_cap(len);
		map->map.pairs = arena_grow(a, map->map.pairs, len, map->cap, sizeof(*map->map.pairs));
	}
	map->map.pairs[map->map.len++] = (struct value_pair){ key, v };
}
