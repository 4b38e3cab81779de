/* See toml_scalar.h. The grammar is checked here; the value of a double is left to number.h. */
#include "base/toml_scalar.h"
#include "base/base.h"
#include "base/number.h"

/* --- numbers --- */

static bool base_digit(char c, unsigned base)
{
	if (base == 16)
		return ascii_hex(c);
	return c >= '0' && c < (char)('0' + base);
}

/* Digits with single underscores between them, copied without those. */
static bool take_digits(struct str *s, unsigned base, struct buf *out)
{
	size_t n = 0;
	while (n < s->len) {
		if (base_digit(s->ptr[n], base))
			(void)buf_byte(out, (uint8_t)s->ptr[n++]);
		else if (s->ptr[n] == '_' && n > 0 && n + 1 < s->len && s->ptr[n - 1] != '_' && base_digit(s->ptr[n + 1], base))
			n++;
		else
			break;
	}
	*s = str_sub(*s, n, s->len);
	return n > 0;
}

static bool whole_number(struct str digits, unsigned base, bool negative, struct value *ret)
{
	uint64_t v;
	if (!str_to_u64_base(digits, base, &v) || v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	ret->kind = VALUE_INT;
	ret->integer = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static bool prefixed(struct str s, struct value *ret)
{
	unsigned base = s.ptr[1] == 'x' ? 16 : s.ptr[1] == 'o' ? 8 : 2;
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 256);
	s = str_sub(s, 2, s.len);
	if (!take_digits(&s, base, &b) || s.len || b.overflow)
		return false;
	if (base != 2)
		return whole_number(buf_view(&b), base, false, ret);
	uint64_t v = 0;
	for (size_t i = 0; i < b.len; i++) {
		if (v >> 62)
			return false;
		v = v << 1 | (b.ptr[i] == '1');
	}
	ret->kind = VALUE_INT;
	ret->integer = (int64_t)v;
	return true;
}

static bool exponent(struct str *s, struct buf *b)
{
	if (!str_skip(s, STR("e")) && !str_skip(s, STR("E")))
		return true;
	(void)buf_byte(b, 'e');
	if (str_skip(s, STR("-")))
		(void)buf_byte(b, '-');
	else
		(void)str_skip(s, STR("+"));
	return take_digits(s, 10, b);
}

static bool number(struct str s, struct value *ret)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, 2048);
	if (s.len > 2 && s.ptr[0] == '0' && (s.ptr[1] == 'x' || s.ptr[1] == 'o' || s.ptr[1] == 'b'))
		return prefixed(s, ret);
	bool negative = str_skip(&s, STR("-"));
	if (!negative)
		(void)str_skip(&s, STR("+"));
	if (str_eq(s, STR("inf")) || str_eq(s, STR("nan"))) {
		ret->kind = VALUE_DOUBLE;
		ret->number = s.ptr[0] == 'i' ? __builtin_inf() : __builtin_nan("");
		ret->number = negative ? -ret->number : ret->number;
		return true;
	}
	if (s.len > 1 && s.ptr[0] == '0' && (ascii_digit(s.ptr[1]) || s.ptr[1] == '_'))
		return false;
	if (!take_digits(&s, 10, &b))
		return false;
	if (s.len == 0)
		return !b.overflow && whole_number(buf_view(&b), 10, negative, ret);
	if (str_skip(&s, STR("."))) {
		(void)buf_byte(&b, '.');
		if (!take_digits(&s, 10, &b))
			return false;
	}
	if (!exponent(&s, &b) || s.len || b.overflow)
		return false;
	ret->kind = VALUE_DOUBLE;
	ret->number = number_from_text(buf_view(&b));
	ret->number = negative ? -ret->number : ret->number;
	return true;
}

/* --- dates and times --- */

static bool two(struct str *s, unsigned max, unsigned *ret)
{
	if (s->len < 2 || !ascii_digit(s->ptr[0]) || !ascii_digit(s->ptr[1]))
		return false;
	*ret = (unsigned)(s->ptr[0] - '0') * 10 + (unsigned)(s->ptr[1] - '0');
	*s = str_sub(*s, 2, s->len);
	return *ret <= max;
}

static bool date(struct str *s)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned century, year, month, day;
	if (!two(s, 99, &century) || !two(s, 99, &year) || !str_skip(s, STR("-")) || !two(s, 12, &month) ||
	    !str_skip(s, STR("-")) || !two(s, 31, &day) || month == 0 || day == 0)
		return false;
	year += century * 100;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool clock_time(struct str *s)
{
	unsigned hour, minute, second;
	if (!two(s, 23, &hour) || !str_skip(s, STR(":")) || !two(s, 59, &minute) || !str_skip(s, STR(":")) || !two(s, 60, &second))
		return false;
	if (!str_skip(s, STR(".")))
		return true;
	size_t n = 0;
	while (n < s->len && ascii_digit(s->ptr[n]))
		n++;
	*s = str_sub(*s, n, s->len);
	return n > 0;
}

static bool offset(struct str *s)
{
	unsigned hour, minute;
	if (s->len == 0 || str_skip(s, STR("Z")) || str_skip(s, STR("z")))
		return true;
	if (!str_skip(s, STR("+")) && !str_skip(s, STR("-")))
		return false;
	return two(s, 23, &hour) && str_skip(s, STR(":")) && two(s, 59, &minute);
}

static bool moment(struct str s)
{
	struct str t = s;
	if (clock_time(&t) && t.len == 0)
		return true;
	if (!date(&s))
		return false;
	if (s.len == 0)
		return true;
	if (s.ptr[0] != 'T' && s.ptr[0] != 't' && s.ptr[0] != ' ')
		return false;
	s = str_sub(s, 1, s.len);
	return clock_time(&s) && offset(&s) && s.len == 0;
}

bool toml_is_date(struct str word)
{
	return date(&word) && word.len == 0;
}

bool toml_scalar(struct arena *a, struct str word, struct value *ret)
{
	if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
		ret->kind = VALUE_BOOL;
		ret->boolean = word.len == 4;
		return true;
	}
	if (!moment(word))
		return word.len > 0 && number(word, ret);
	char *text = str_cstr(a, word);
	for (size_t i = 0; i < word.len; i++)
		text[i] = text[i] == 't' || text[i] == ' ' ? 'T' : text[i] == 'z' ? 'Z' : text[i];
	ret->kind = VALUE_STRING;
	ret->string = (struct str){ text, word.len };
	return true;
}
