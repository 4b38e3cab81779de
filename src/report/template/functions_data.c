/* sprig's functions of numbers, lists and dictionaries. Lists are never changed in place, dictionaries are (set, unset,
 * merge), as in sprig. */
#include "report/template/internal.h"

#include "base/base.h"

#include <math.h>

typedef const struct tv *args_t;

/* --- numbers: any value counts as one, as sprig casts it --- */

enum sum { SUM_ADD, SUM_SUB, SUM_MUL, SUM_MAX, SUM_MIN };

static int64_t combine(enum sum how, int64_t x, int64_t y)
{
	uint64_t a = (uint64_t)x, b = (uint64_t)y; /* Go's integers wrap */
	switch (how) {
	case SUM_ADD: return (int64_t)(a + b);
	case SUM_SUB: return (int64_t)(a - b);
	case SUM_MUL: return (int64_t)(a * b);
	case SUM_MAX: return x > y ? x : y;
	case SUM_MIN: return x < y ? x : y;
	}
	return 0;
}

static int fold(args_t args, size_t count, enum sum how, int64_t start, struct tv *ret)
{
	for (size_t i = 0; i < count; i++)
		start = combine(how, start, tv_to_int(&args[i]));
	*ret = tv_int(start);
	return 0;
}

static int fn_add(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)r, fold(args, n, SUM_ADD, 0, ret); }
static int fn_add1(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)r, fold(args, n, SUM_ADD, 1, ret); }

static int fn_sub(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, fold(args + 1, n - 1, SUM_SUB, tv_to_int(&args[0]), ret);
}

static int fn_mul(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, fold(args + 1, n - 1, SUM_MUL, tv_to_int(&args[0]), ret);
}

static int fn_max(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, fold(args + 1, n - 1, SUM_MAX, tv_to_int(&args[0]), ret);
}

static int fn_min(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, fold(args + 1, n - 1, SUM_MIN, tv_to_int(&args[0]), ret);
}

static int divide(struct run *r, args_t args, bool rest, struct tv *ret)
{
	int64_t x = tv_to_int(&args[0]), y = tv_to_int(&args[1]);
	if (y == 0)
		return run_fail(r, ERR_USAGE, "division by zero");
	*ret = y == -1 ? tv_int(rest ? 0 : combine(SUM_SUB, 0, x)) : tv_int(rest ? x % y : x / y);
	return 0;
}

static int fn_div(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, divide(r, args, false, ret); }
static int fn_mod(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, divide(r, args, true, ret); }

static int fn_floor(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_float(floor(tv_to_float(&args[0]))), 0;
}

static int fn_ceil(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_float(ceil(tv_to_float(&args[0]))), 0;
}

static int fn_round(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)r;
	double power = pow(10, (double)tv_to_int(&args[1])), digit = power * tv_to_float(&args[0]);
	double limit = n > 2 ? tv_to_float(&args[2]) : 0.5, whole, part = modf(digit, &whole);
	*ret = tv_float((part >= limit ? ceil(digit) : floor(digit)) / power);
	return 0;
}

static int fn_int(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_int(tv_to_int(&args[0])), 0;
}

static int fn_float64(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_float(tv_to_float(&args[0])), 0;
}

static int counted(struct run *r, int64_t start, int64_t stop, int64_t step, struct tv *ret)
{
	VEC(struct tv) items = { 0 };
	if (step == 0 || (step > 0 && stop < start) || (step < 0 && stop > start)) {
		*ret = tv_list(NULL, 0);
		return 0;
	}
	for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
		if (items.len >= TEMPLATE_LIST_MAX)
			return run_fail(r, ERR_LIMIT, "a list is too long (TEMPLATE_LIST_MAX)");
		*vec_push(r->arena, &items) = tv_int(i);
		if (step > 0 ? i > INT64_MAX - step : i < INT64_MIN - step)
			break;
	}
	*ret = tv_list(items.ptr, items.len);
	ret->item = TV_INT;
	return 0;
}

static int fn_until(struct run *r, args_t args, size_t count, struct tv *ret)
{
	int64_t n;
	(void)count;
	int rc = want_int(r, &args[0], &n);
	return rc < 0 ? rc : counted(r, 0, n, n < 0 ? -1 : 1, ret);
}

static int fn_until_step(struct run *r, args_t args, size_t count, struct tv *ret)
{
	int64_t n[3] = { 0 };
	for (size_t i = 0; i < count && i < COUNT_OF(n); i++) {
		int rc = want_int(r, &args[i], &n[i]);
		if (rc < 0)
			return rc;
	}
	return counted(r, n[0], n[1], n[2], ret);
}

/* --- lists --- */

static int fn_list(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct tv *items = arena_array(r->arena, count, sizeof(*items));
	if (count)
		memcpy(items, args, count * sizeof(*items));
	*ret = tv_list(items, count);
	return 0;
}

static int fn_first(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	int rc = want_list(r, &args[0]);
	if (rc == 0)
		*ret = args[0].list.len ? args[0].list.items[0] : (struct tv){ 0 };
	return rc;
}

static int fn_last(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	int rc = want_list(r, &args[0]);
	if (rc == 0)
		*ret = args[0].list.len ? args[0].list.items[args[0].list.len - 1] : (struct tv){ 0 };
	return rc;
}

/* A part of a list; sprig gives interfaces. */
static int part(struct run *r, const struct tv *v, size_t from, size_t to, struct tv *ret)
{
	int rc = want_list(r, v);
	if (rc < 0)
		return rc;
	size_t end = to > v->list.len ? v->list.len : to;
	*ret = from >= end ? tv_list(NULL, 0) : tv_list(v->list.items + from, end - from);
	return 0;
}

static int fn_rest(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, part(r, &args[0], 1, SIZE_MAX, ret); }

static int fn_initial(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)n;
	size_t len = args[0].kind == TV_LIST ? args[0].list.len : 0;
	return part(r, &args[0], 0, len ? len - 1 : 0, ret);
}

static int fn_concat(struct run *r, args_t args, size_t count, struct tv *ret)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++) {
		int rc = want_list(r, &args[i]);
		if (rc < 0)
			return rc;
		total += args[i].list.len;
	}
	int rc = want_room(r, 0);
	struct tv *items = arena_array(r->arena, total, sizeof(*items));
	for (size_t i = 0, at = 0; i < count; at += args[i++].list.len)
		if (args[i].list.len)
			memcpy(items + at, args[i].list.items, args[i].list.len * sizeof(*items));
	*ret = tv_list(items, total);
	return rc;
}

static int fn_append(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct tv both[2] = { args[0], tv_list(&args[1], 1) };
	return fn_concat(r, both, count, ret);
}

static int fn_prepend(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct tv both[2] = { tv_list(&args[1], 1), args[0] };
	int rc = want_list(r, &args[0]);
	return rc < 0 ? rc : fn_concat(r, both, count, ret);
}

static int fn_reverse(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	int rc = want_list(r, &args[0]);
	if (rc < 0)
		return rc;
	size_t len = args[0].list.len;
	struct tv *items = arena_array(r->arena, len, sizeof(*items));
	for (size_t i = 0; i < len; i++)
		items[i] = args[0].list.items[len - 1 - i];
	*ret = tv_list(items, len);
	return 0;
}

static bool holds(const struct tv *items, size_t len, const struct tv *v)
{
	for (size_t i = 0; i < len; i++)
		if (tv_equal(&items[i], v))
			return true;
	return false;
}

static int fn_has(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	int rc = args[1].kind == TV_NONE ? 0 : want_list(r, &args[1]);
	*ret = tv_bool(rc == 0 && args[1].kind == TV_LIST && holds(args[1].list.items, args[1].list.len, &args[0]));
	return rc;
}

/* uniq, without, compact: what is kept of a list. */
static int keep(struct run *r, const struct tv *v, const struct tv *not, size_t not_count, bool uniq, bool compact, struct tv *ret)
{
	VEC(struct tv) items = { 0 };
	int rc = want_list(r, v);
	for (size_t i = 0; rc == 0 && i < v->list.len; i++) {
		const struct tv *item = &v->list.items[i];
		if ((rc = run_step(r)) < 0)
			return rc;
		r->steps += uniq ? items.len : not_count;
		if (holds(not, not_count, item) || (uniq && holds(items.ptr, items.len, item)) || (compact && !tv_truth(item)))
			continue;
		*vec_push(r->arena, &items) = *item;
	}
	*ret = tv_list(items.ptr, items.len);
	return rc;
}

static int fn_uniq(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)n, keep(r, &args[0], NULL, 0, true, false, ret);
}

static int fn_compact(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)n, keep(r, &args[0], NULL, 0, false, true, ret);
}

static int fn_without(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return keep(r, &args[0], args + 1, n - 1, false, false, ret);
}


/* sprig's strslice: anything becomes a list of texts. */
static int as_texts(struct run *r, const struct tv *v, struct str **ret, size_t *ret_len)
{
	size_t len = v->kind == TV_LIST ? v->list.len : v->kind == TV_NONE ? 0 : 1, n = 0;
	struct str *out = arena_array(r->arena, len, sizeof(*out));
	for (size_t i = 0; i < len; i++) {
		const struct tv *item = v->kind == TV_LIST ? &v->list.items[i] : v;
		if (item->kind != TV_NONE)
			out[n++] = tv_text(r->arena, item);
	}
	*ret = out;
	*ret_len = n;
	return want_room(r, 0);
}

static int fn_join(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str sep, *items;
	size_t len;
	(void)count;
	int rc = want_str(r, &args[0], &sep);
	if (rc < 0 || (rc = as_texts(r, &args[1], &items, &len)) < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < len; i++) {
		if (i)
			buf_put(&out, sep);
		buf_put(&out, items[i]);
	}
	*ret = tv_str(str_dup(r->arena, buf_view(&out)));
	return out.overflow ? want_room(r, SIZE_MAX) : want_room(r, 0);
}

static int compare_texts(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

static int fn_sort_alpha(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str *items;
	size_t len;
	(void)count;
	int rc = as_texts(r, &args[0], &items, &len);
	if (rc == 0 && len)
		qsort(items, len, sizeof(*items), compare_texts);
	if (rc == 0)
		*ret = tv_strings(r->arena, items, len);
	return rc;
}

static int fn_to_strings(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str *items;
	size_t len;
	(void)count;
	int rc = as_texts(r, &args[0], &items, &len);
	if (rc == 0)
		*ret = tv_strings(r->arena, items, len);
	return rc;
}

static int pieces(struct run *r, struct str sep, struct str s, uint64_t most, struct str **ret, size_t *ret_len)
{
	VEC(struct str) out = { 0 };
	for (ptrdiff_t at; out.len + 1 < most && sep.len && (at = str_find_str(s, sep)) >= 0;) {
		if (out.len >= TEMPLATE_LIST_MAX)
			return run_fail(r, ERR_LIMIT, "a list is too long (TEMPLATE_LIST_MAX)");
		*vec_push(r->arena, &out) = str_sub(s, 0, (size_t)at);
		s = str_sub(s, (size_t)at + sep.len, s.len);
	}
	for (; sep.len == 0 && s.len > 1 && out.len + 1 < most && out.len < TEMPLATE_LIST_MAX; s = str_sub(s, 1, s.len))
		*vec_push(r->arena, &out) = str_sub(s, 0, 1);
	*vec_push(r->arena, &out) = s;
	*ret = out.ptr;
	*ret_len = out.len;
	return 0;
}

static int fn_split_list(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str sep, s, *out = NULL;
	size_t len = 0;
	(void)count;
	int rc = want_str(r, &args[0], &sep);
	if (rc < 0 || (rc = want_str(r, &args[1], &s)) < 0 || (rc = pieces(r, sep, s, UINT64_MAX, &out, &len)) < 0)
		return rc;
	*ret = tv_strings(r->arena, out, len);
	return 0;
}

/* split and splitn give a dictionary: _0, _1 ... */
static int numbered(struct run *r, struct str sep, struct str s, uint64_t most, struct tv *ret)
{
	struct str *out = NULL;
	size_t len = 0;
	int rc = pieces(r, sep, s, most, &out, &len);
	if (rc < 0)
		return rc;
	*ret = tv_map(r->arena);
	ret->item = TV_STRING;
	for (size_t i = 0; i < len; i++)
		tv_map_set(r->arena, ret->map, arena_printf(r->arena, "_%zu", i), tv_str(out[i]));
	return 0;
}

static int fn_split(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str sep, s;
	(void)count;
	int rc = want_str(r, &args[0], &sep);
	if (rc < 0 || (rc = want_str(r, &args[1], &s)) < 0)
		return rc;
	return numbered(r, sep, s, UINT64_MAX, ret);
}

static int fn_splitn(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str sep, s;
	int64_t n;
	(void)count;
	int rc = want_str(r, &args[0], &sep);
	if (rc < 0 || (rc = want_int(r, &args[1], &n)) < 0 || (rc = want_str(r, &args[2], &s)) < 0)
		return rc;
	return numbered(r, sep, s, n < 0 ? UINT64_MAX : (uint64_t)n, ret);
}

/* --- dictionaries --- */

static int fn_dict(struct run *r, args_t args, size_t count, struct tv *ret)
{
	*ret = tv_map(r->arena);
	for (size_t i = 0; i < count; i += 2)
		tv_map_set(r->arena, ret->map, tv_text(r->arena, &args[i]), i + 1 < count ? args[i + 1] : tv_str(STR("")));
	return 0;
}

static int map_and_key(struct run *r, args_t args, struct str *ret_key)
{
	int rc = want_map(r, &args[0]);
	return rc < 0 ? rc : want_str(r, &args[1], ret_key);
}

static int fn_get(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str key;
	(void)count;
	int rc = map_and_key(r, args, &key);
	if (rc < 0)
		return rc;
	const struct tv *found = tv_map_get(args[0].map, key);
	*ret = found ? *found : tv_str(STR(""));
	return 0;
}

static int fn_set(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str key;
	(void)count;
	int rc = map_and_key(r, args, &key);
	if (rc == 0)
		tv_map_set(r->arena, args[0].map, key, args[2]);
	*ret = args[0];
	return rc;
}

static int fn_unset(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str key;
	(void)count;
	int rc = map_and_key(r, args, &key);
	if (rc == 0)
		(void)tv_map_unset(args[0].map, key);
	*ret = args[0];
	return rc;
}

static int fn_has_key(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str key;
	(void)count;
	int rc = map_and_key(r, args, &key);
	*ret = tv_bool(rc == 0 && tv_map_get(args[0].map, key));
	return rc;
}

static int fn_keys(struct run *r, args_t args, size_t count, struct tv *ret)
{
	VEC(struct str) keys = { 0 };
	for (size_t i = 0; i < count; i++) {
		int rc = want_map(r, &args[i]);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < args[i].map->len; k++)
			*vec_push(r->arena, &keys) = args[i].map->ptr[k].key;
	}
	*ret = tv_strings(r->arena, keys.ptr, keys.len);
	return 0;
}

static int fn_values(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	int rc = want_map(r, &args[0]);
	size_t len = rc == 0 ? args[0].map->len : 0;
	struct tv *items = arena_array(r->arena, len, sizeof(*items));
	for (size_t i = 0; i < len; i++)
		items[i] = args[0].map->ptr[i].value;
	*ret = tv_list(items, len);
	return rc;
}

static int fn_pluck(struct run *r, args_t args, size_t count, struct tv *ret)
{
	VEC(struct tv) items = { 0 };
	struct str key;
	int rc = want_str(r, &args[0], &key);
	for (size_t i = 1; rc == 0 && i < count; i++) {
		if ((rc = want_map(r, &args[i])) < 0)
			return rc;
		const struct tv *found = tv_map_get(args[i].map, key);
		if (found)
			*vec_push(r->arena, &items) = *found;
	}
	*ret = tv_list(items.ptr, items.len);
	return rc;
}

/* pick and omit */
static int choose(struct run *r, args_t args, size_t count, bool named, struct tv *ret)
{
	int rc = want_map(r, &args[0]);
	*ret = tv_map(r->arena);
	for (size_t i = 0; rc == 0 && i < args[0].map->len; i++) {
		struct tv key = tv_str(args[0].map->ptr[i].key);
		if (holds(args + 1, count - 1, &key) == named)
			tv_map_set(r->arena, ret->map, key.string, args[0].map->ptr[i].value);
	}
	return rc;
}

static int fn_pick(struct run *r, args_t args, size_t n, struct tv *ret) { return choose(r, args, n, true, ret); }
static int fn_omit(struct run *r, args_t args, size_t n, struct tv *ret) { return choose(r, args, n, false, ret); }

static int merge(struct run *r, args_t args, size_t count, bool overwrite, struct tv *ret)
{
	for (size_t i = 0; i < count; i++) {
		int rc = want_map(r, &args[i]);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < args[i].map->len; k++) {
			const struct tv_pair *p = &args[i].map->ptr[k];
			const struct tv *old = tv_map_get(args[0].map, p->key);
			if (overwrite || !old || !tv_truth(old))
				tv_map_set(r->arena, args[0].map, p->key, p->value);
		}
	*ret = args[0];
	return 0;
}

static int fn_merge(struct run *r, args_t args, size_t n, struct tv *ret) { return merge(r, args, n, false, ret); }
static int fn_merge_over(struct run *r, args_t args, size_t n, struct tv *ret) { return merge(r, args, n, true, ret); }

const struct tfunc functions_data[] = {
	{ "add", 0, -1, fn_add },
	{ "add1", 1, 1, fn_add1 },
	{ "append", 2, 2, fn_append },
	{ "atoi", 1, 1, fn_int },
	{ "biggest", 1, -1, fn_max },
	{ "ceil", 1, 1, fn_ceil },
	{ "compact", 1, 1, fn_compact },
	{ "concat", 0, -1, fn_concat },
	{ "dict", 0, -1, fn_dict },
	{ "div", 2, 2, fn_div },
	{ "first", 1, 1, fn_first },
	{ "float64", 1, 1, fn_float64 },
	{ "floor", 1, 1, fn_floor },
	{ "get", 2, 2, fn_get },
	{ "has", 2, 2, fn_has },
	{ "hasKey", 2, 2, fn_has_key },
	{ "initial", 1, 1, fn_initial },
	{ "int", 1, 1, fn_int },
	{ "int64", 1, 1, fn_int },
	{ "join", 2, 2, fn_join },
	{ "keys", 0, -1, fn_keys },
	{ "last", 1, 1, fn_last },
	{ "list", 0, -1, fn_list },
	{ "max", 1, -1, fn_max },
	{ "merge", 1, -1, fn_merge },
	{ "mergeOverwrite", 1, -1, fn_merge_over },
	{ "min", 1, -1, fn_min },
	{ "mod", 2, 2, fn_mod },
	{ "mul", 1, -1, fn_mul },
	{ "omit", 1, -1, fn_omit },
	{ "pick", 1, -1, fn_pick },
	{ "pluck", 1, -1, fn_pluck },
	{ "prepend", 2, 2, fn_prepend },
	{ "push", 2, 2, fn_append },
	{ "rest", 1, 1, fn_rest },
	{ "reverse", 1, 1, fn_reverse },
	{ "round", 2, 3, fn_round },
	{ "set", 3, 3, fn_set },
	{ "sortAlpha", 1, 1, fn_sort_alpha },
	{ "split", 2, 2, fn_split },
	{ "splitList", 2, 2, fn_split_list },
	{ "splitn", 3, 3, fn_splitn },
	{ "sub", 2, 2, fn_sub },
	{ "sum", 0, -1, fn_add },
	{ "toStrings", 1, 1, fn_to_strings },
	{ "tuple", 0, -1, fn_list },
	{ "uniq", 1, 1, fn_uniq },
	{ "unset", 2, 2, fn_unset },
	{ "until", 1, 1, fn_until },
	{ "untilStep", 3, 3, fn_until_step },
	{ "values", 1, 1, fn_values },
	{ "without", 1, -1, fn_without },
	{ NULL, 0, 0, NULL },
};
