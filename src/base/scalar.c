/* Plain scalars: see scalar.h. YAML 1.2.2 section 10.3.2 (core schema), and octal numbers as YAML 1.1 writes them. */
#include "base/scalar.h"
#include "base/base.h"
#include "base/number.h"

#include <math.h>

static bool is_one_of(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(text, str_from(words[i])))
			return true;
	return false;
}

static bool set_word(struct str text, struct value *v)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	static const char *const yes[] = { "true", "True", "TRUE" };
	static const char *const no[] = { "false", "False", "FALSE" };
	if (text.len > 5)
		return false;
	if (is_one_of(text, nulls, COUNT_OF(nulls))) {
		v->kind = VALUE_NULL;
		return true;
	}
	v->boolean = is_one_of(text, yes, COUNT_OF(yes));
	if (!v->boolean && !is_one_of(text, no, COUNT_OF(no)))
		return false;
	v->kind = VALUE_BOOL;
	return true;
}

static void set_u64(uint64_t u, struct value *v)
{
	if (u <= INT64_MAX) {
		v->kind = VALUE_INT;
		v->integer = (int64_t)u;
	} else {
		v->kind = VALUE_UINT;
		v->uinteger = u;
	}
}

/* 0o17, 0x1f, 017: no sign. */
static bool set_based(struct str text, struct value *v)
{
	uint64_t u;
	bool hex = str_skip(&text, STR("0x"));
	bool octal = !hex && (str_skip(&text, STR("0o")) || (text.len > 1 && str_skip(&text, STR("0"))));
	if ((!hex && !octal) || !str_to_u64_base(text, hex ? 16 : 8, &u))
		return false;
	set_u64(u, v);
	return true;
}

/* Cuts leading digits off *s and returns how many. */
static size_t skip_digits(struct str *s)
{
	size_t n = 0;
	while (n < s->len && ascii_digit(s->ptr[n]))
		n++;
	*s = str_sub(*s, n, s->len);
	return n;
}

static bool skip_sign(struct str *s)
{
	return str_skip(s, STR("-")) || str_skip(s, STR("+"));
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? ; *whole: no point and no exponent. */
static bool is_number(struct str text, bool *whole)
{
	struct str rest = text;
	(void)skip_sign(&rest);
	size_t before = skip_digits(&rest);
	bool point = str_skip(&rest, STR("."));
	size_t after = point ? skip_digits(&rest) : 0;
	if (before + after == 0)
		return false;
	bool exponent = str_skip(&rest, STR("e")) || str_skip(&rest, STR("E"));
	if (exponent) {
		(void)skip_sign(&rest);
		if (skip_digits(&rest) == 0)
			return false;
	}
	*whole = !point && !exponent;
	return rest.len == 0;
}

static bool set_decimal(struct str text, struct value *v)
{
	bool whole, negative = str_starts(text, STR("-"));
	uint64_t u;
	struct str digits = text;
	if (!is_number(text, &whole))
		return false;
	(void)skip_sign(&digits);
	if (whole && str_to_u64(digits, &u) && (!negative || u <= (uint64_t)1 << 63)) {
		if (negative) {
			v->kind = VALUE_INT;
			v->integer = (int64_t)(0 - u);
		} else {
			set_u64(u, v);
		}
		return true;
	}
	v->kind = VALUE_DOUBLE;
	v->number = number_from_text(text);
	return true;
}

static bool set_special(struct str text, struct value *v)
{
	static const char *const infinity[] = { ".inf", ".Inf", ".INF" };
	static const char *const nan[] = { ".nan", ".NaN", ".NAN" };
	struct str unsigned_text = text;
	bool negative = str_starts(text, STR("-"));
	(void)skip_sign(&unsigned_text);
	if (is_one_of(unsigned_text, infinity, COUNT_OF(infinity)))
		v->number = negative ? -(double)INFINITY : (double)INFINITY;
	else if (is_one_of(text, nan, COUNT_OF(nan)))
		v->number = (double)NAN;
	else
		return false;
	v->kind = VALUE_DOUBLE;
	return true;
}

void scalar_resolve(struct str text, struct value *v)
{
	if (set_word(text, v) || set_based(text, v) || set_decimal(text, v) || set_special(text, v))
		return;
	v->kind = VALUE_STRING;
	v->string = text;
}

static int base64_digit(char c)
{
	if (ascii_upper(c))
		return c - 'A';
	if (ascii_lower(c))
		return c - 'a' + 26;
	if (ascii_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool scalar_base64(struct arena *a, struct str text, struct str *ret)
{
	char *out = arena_alloc(a, text.len / 4 * 3 + 3);
	size_t len = 0, digits = 0, pads = 0;
	uint32_t bits = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (ascii_space(text.ptr[i]))
			continue;
		int d = base64_digit(text.ptr[i]);
		if (text.ptr[i] == '=')
			pads++;
		else if (d < 0 || pads > 0)
			return false;
		else
			digits++;
		bits = bits << 6 | (d < 0 ? 0 : (uint32_t)d);
		if ((digits + pads) % 4 == 0)
			for (size_t k = 0; k < 3 && k + pads < 3; k++)
				out[len++] = (char)(bits >> (16 - 8 * k) & 0xff);
	}
	if ((digits + pads) % 4 != 0 || pads > 2)
		return false;
	*ret = (struct str){ out, len };
	return true;
}
