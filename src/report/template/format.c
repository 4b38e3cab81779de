/* fmt as templates use it: %v of every kind of value, Printf with its verbs and flags, strconv.Quote. Verbs that do not fit
 * a value write "%!d(string=x)" as Go does, so that a template's mistake is seen in its output. */
#include "report/template/internal.h"

#include "base/base.h"
#include "base/number.h"
#include "base/utf8.h"
#include "report/text.h"

#include <math.h>

#define WIDTH_MAX 100000

/* --- numbers --- */

/* Digits and exponent of a double as %e would have them; precision < 0: the shortest that reads back. */
static void decimal_parts(double v, int precision, char digits[40], size_t *ret_len, int *ret_exponent)
{
	char text[64];
	int n = 0;
	for (int p = precision < 0 ? 0 : precision; p <= (precision < 0 ? 17 : precision); p++) {
		n = snprintf(text, sizeof(text), "%.*e", p > 36 ? 36 : p, v);
		if (precision < 0) {
			char *end;
			double back = strtod(text, &end);
			if (!(back < v) && !(back > v))
				break;
		}
	}
	size_t len = 0;
	int i = 0;
	for (; i < n && text[i] != 'e'; i++)
		if (ascii_digit(text[i]) && len < 39)
			digits[len++] = text[i];
	uint64_t exponent = 0;
	(void)str_to_u64(str_from(text + i + 2), &exponent);
	*ret_len = len;
	*ret_exponent = text[i + 1] == '-' ? -(int)exponent : (int)exponent;
}

static struct str exponent_form(struct arena *a, const char *digits, size_t len, int exponent, char verb)
{
	bool json = verb == 'j';
	return arena_printf(a, "%c%s%.*s%c%c%0*d", digits[0], len > 1 ? "." : "", (int)len - 1, digits + 1, json ? 'e' : verb,
	                    exponent < 0 ? '-' : '+', json ? 1 : 2, exponent < 0 ? -exponent : exponent);
}

static struct str plain_form(struct arena *a, const char *digits, size_t len, int exponent)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 1024);
	if (exponent < 0)
		buf_put(&out, STR("0."));
	for (int i = -1; i > exponent; i--)
		buf_byte(&out, '0');
	for (size_t i = 0; i < len || (int)i <= exponent; i++) {
		if (i > 0 && (int)i == exponent + 1)
			buf_byte(&out, '.');
		buf_byte(&out, (uint8_t)(i < len ? digits[i] : '0'));
	}
	return str_dup(a, buf_view(&out));
}

/* verb: 'e', 'f', 'g' (and 'v', the same), in either case, or 'j', as encoding/json chooses. No sign is written for positive values. */
struct str format_float(struct arena *a, double v, char verb, int precision)
{
	char digits[40] = "", fixed[NUMBER_TEXT_MAX];
	size_t len;
	int exponent;
	if (isnan(v))
		return STR("NaN");
	if (isinf(v))
		return v > 0 ? STR("+Inf") : STR("-Inf");
	if (signbit(v))
		return arena_printf(a, "-%.*s", STR_ARG(format_float(a, -v, verb, precision)));
	if (ascii_tolower(verb) == 'f' && precision >= 0)
		return str_dup(a, number_fixed(v, precision > 17 ? 17 : precision, fixed));
	if (ascii_tolower(verb) == 'e') {
		decimal_parts(v, precision, digits, &len, &exponent);
		return exponent_form(a, digits, len, exponent, verb);
	}
	decimal_parts(v, precision < 0 ? -1 : precision > 0 ? precision - 1 : 0, digits, &len, &exponent);
	while (precision >= 0 && len > 1 && digits[len - 1] == '0')
		len--;
	int threshold = verb == 'j' ? 21 : precision < 0 ? 6 : precision == 0 ? 1 : precision;
	if (verb != 'f' && (exponent < (verb == 'j' ? -6 : -4) || exponent >= threshold))
		return exponent_form(a, digits, len, exponent, verb == 'G' ? 'E' : verb == 'j' ? 'j' : 'e');
	return plain_form(a, digits, len, exponent);
}

static struct str whole_in_base(struct arena *a, uint64_t v, unsigned base, bool upper)
{
	const char *names = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char out[64];
	size_t n = sizeof(out);
	do {
		out[--n] = names[v % base];
		v /= base;
	} while (v);
	return str_dup(a, (struct str){ out + n, sizeof(out) - n });
}

/* --- quotes --- */

/* strconv.IsPrint, in the large: controls, format characters, blanks other than the space, private use. */
static bool is_print(uint32_t c)
{
	static const uint32_t ranges[][2] = { { 0, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c },
		                              { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x1680, 0x1680 }, { 0x180e, 0x180e },
		                              { 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },
		                              { 0x3000, 0x3000 }, { 0xd800, 0xf8ff }, { 0xfeff, 0xfeff },
		                              { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff } };
	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return false;
	return true;
}

static void quote_code(struct buf *out, uint32_t code)
{
	static const char from[] = "\a\b\f\n\r\t\v", to[] = "abfnrtv";
	const char *simple = code && code < 0x80 ? strchr(from, (int)code) : NULL;
	if (simple)
		buf_printf(out, "\\%c", to[simple - from]);
	else if (code < 0x80)
		buf_printf(out, "\\x%02x", (unsigned)code);
	else
		buf_printf(out, code < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)code);
}

void format_quote(struct buf *out, struct str s)
{
	buf_byte(out, '"');
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		if (code == UINT32_MAX)
			buf_printf(out, "\\x%02x", (unsigned)(uint8_t)s.ptr[i]);
		else if (code == '"' || code == '\\')
			buf_printf(out, "\\%c", (char)code);
		else if (is_print(code))
			buf_put(out, str_sub(s, i, i + n));
		else
			quote_code(out, code);
	}
	buf_byte(out, '"');
}

/* --- %v --- */

enum style { STYLE_V, STYLE_PLUS, STYLE_S, STYLE_Q };

static void put_in(struct arena *a, struct buf *out, const struct tv *v, enum style style, unsigned depth);

static void put_struct(struct arena *a, struct buf *out, const struct tv *v, enum style style, unsigned depth)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < v->type->field_count; i++) {
		struct tv field = { 0 };
		(void)tv_field(a, v, str_from(v->type->fields[i].name), &field);
		if (i)
			buf_byte(out, ' ');
		if (style == STYLE_PLUS)
			buf_printf(out, "%s:", v->type->fields[i].name);
		put_in(a, out, &field, style, depth);
	}
	buf_byte(out, '}');
}

static void put_in(struct arena *a, struct buf *out, const struct tv *v, enum style style, unsigned depth)
{
	if (depth++ > VALUE_DEPTH_MAX)
		return (void)buf_put(out, STR("..."));
	switch (v->kind) {
	case TV_NONE:
		buf_put(out, STR("<nil>"));
		break;
	case TV_BOOL:
		buf_put(out, v->boolean ? STR("true") : STR("false"));
		break;
	case TV_INT:
		buf_printf(out, "%jd", (intmax_t)v->integer);
		break;
	case TV_FLOAT:
		buf_put(out, format_float(a, v->number, 'v', -1));
		break;
	case TV_STRING:
		if (style == STYLE_Q)
			format_quote(out, v->string);
		else
			buf_put(out, v->string);
		break;
	case TV_LIST:
		buf_byte(out, '[');
		for (size_t i = 0; i < v->list.len && !out->overflow; i++) {
			if (i)
				buf_byte(out, ' ');
			put_in(a, out, &v->list.items[i], style, depth);
		}
		buf_byte(out, ']');
		break;
	case TV_MAP:
		buf_put(out, STR("map["));
		for (size_t i = 0; i < v->map->len && !out->overflow; i++) {
			buf_printf(out, "%s%.*s:", i ? " " : "", STR_ARG(v->map->ptr[i].key));
			put_in(a, out, &v->map->ptr[i].value, style, depth);
		}
		buf_byte(out, ']');
		break;
	case TV_STRUCT:
		put_struct(a, out, v, style, depth);
		break;
	case TV_TIME:
		format_time(out, v->integer, str_from(time_layout_default));
		break;
	}
}

void format_value(struct arena *a, struct buf *out, const struct tv *v) { put_in(a, out, v, STYLE_V, 0); }

/* --- Printf --- */

struct verb {
	bool plus, minus, sharp, space, zero;
	int width, precision; /* -1: none */
	char letter;
};

static size_t rune_count(struct str s)
{
	size_t count = 0;
	for (size_t i = 0, n; i < s.len; i += n, count++)
		(void)text_decode(str_sub(s, i, s.len), &n);
	return count;
}

static void pad(struct buf *out, const struct verb *v, struct str text)
{
	size_t have = rune_count(text), want = v->width > 0 ? (size_t)v->width : 0;
	for (size_t i = have; i < want && !v->minus; i++)
		buf_byte(out, v->zero ? '0' : ' ');
	buf_put(out, text);
	for (size_t i = have; i < want && v->minus; i++)
		buf_byte(out, ' ');
}

/* A number: zeros stand between its sign and its digits. */
static void pad_number(struct buf *out, const struct verb *v, struct str text)
{
	bool negative = str_skip(&text, STR("-")), sign = negative || v->plus || v->space;
	(void)str_skip(&text, STR("+"));
	char mark = negative ? '-' : v->plus ? '+' : ' ';
	if (sign && v->zero && !v->minus) {
		struct verb rest = *v;
		buf_byte(out, (uint8_t)mark);
		rest.width = v->width > 0 ? v->width - 1 : v->width;
		pad(out, &rest, text);
		return;
	}
	struct buf BUF_AUTO whole = { 0 };
	buf_init(&whole, text.len + 1);
	if (sign)
		buf_byte(&whole, (uint8_t)mark);
	buf_put(&whole, text);
	pad(out, v, buf_view(&whole));
}

static void put_bad_verb(struct arena *a, struct buf *out, char letter, const struct tv *v)
{
	if (v->kind == TV_NONE) {
		buf_printf(out, "%%!%c(<nil>)", letter);
		return;
	}
	buf_printf(out, "%%!%c(%.*s=", letter, STR_ARG(tv_type_name(a, v)));
	put_in(a, out, v, STYLE_V, 0);
	buf_byte(out, ')');
}

static bool put_whole(struct arena *a, struct buf *out, const struct verb *v, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	const char *prefix = "";
	struct str digits;
	unsigned base = v->letter == 'b' ? 2 : v->letter == 'o' || v->letter == 'O' ? 8 : ascii_tolower(v->letter) == 'x' ? 16 : 10;
	char utf8[4];
	if (v->letter == 'c' || v->letter == 'q' || v->letter == 'U') {
		uint32_t code = value < 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0xfffd : (uint32_t)value;
		struct str text = { utf8, utf8_put(utf8, code) };
		if (v->letter == 'q')
			text = arena_printf(a, "'%.*s'", STR_ARG(text));
		if (v->letter == 'U')
			text = arena_printf(a, "U+%04X", (unsigned)value);
		pad(out, v, text);
		return true;
	}
	if (!strchr("vdboOxX", v->letter))
		return false;
	digits = whole_in_base(a, size, base, v->letter == 'X');
	if (v->sharp)
		prefix = base == 16 ? (v->letter == 'X' ? "0X" : "0x") : base == 8 ? "0" : base == 2 ? "0b" : "";
	if (v->letter == 'O')
		prefix = "0o";
	while (v->precision > 0 && digits.len < (size_t)v->precision && digits.len < 500)
		digits = arena_printf(a, "0%.*s", STR_ARG(digits));
	struct verb w = *v;
	w.zero = v->zero && v->precision < 0;
	pad_number(out, &w, arena_printf(a, "%s%s%.*s", value < 0 ? "-" : "", prefix, STR_ARG(digits)));
	return true;
}

static bool put_text(struct arena *a, struct buf *out, const struct verb *v, struct str s)
{
	struct buf BUF_AUTO text = { 0 };
	if (v->letter == 'x' || v->letter == 'X') {
		buf_init(&text, 2 * TEMPLATE_TEXT_MAX);
		for (size_t i = 0; i < s.len; i++)
			buf_printf(&text, v->letter == 'x' ? "%s%02x" : "%s%02X", i && v->space ? " " : "", (unsigned)(uint8_t)s.ptr[i]);
		pad(out, v, buf_view(&text));
		return true;
	}
	if (!strchr("vsq", v->letter))
		return false;
	if (v->precision >= 0) {
		size_t at = 0, n;
		for (int i = 0; i < v->precision && at < s.len; i++, at += n)
			(void)text_decode(str_sub(s, at, s.len), &n);
		s = str_sub(s, 0, at);
	}
	buf_init(&text, 4 * TEMPLATE_TEXT_MAX);
	if (v->letter == 'q' && v->sharp && str_find(s, '`') < 0 && str_find(s, '\n') < 0)
		buf_printf(&text, "`%.*s`", STR_ARG(s));
	else if (v->letter == 'q' || (v->letter == 'v' && v->sharp))
		format_quote(&text, s);
	else
		buf_put(&text, s);
	(void)a;
	pad(out, v, buf_view(&text));
	return true;
}

static bool put_float(struct arena *a, struct buf *out, const struct verb *v, double value)
{
	if (!strchr("vgGeEfF", v->letter))
		return false;
	bool fixed = strchr("eEfF", v->letter) != NULL;
	char letter = v->letter == 'F' ? 'f' : v->letter;
	int precision = v->precision < 0 && fixed ? 6 : v->precision;
	pad_number(out, v, format_float(a, value, letter, precision));
	return true;
}

/* Lists and maps: the verb is asked of each item. */
static void put_one(struct arena *a, struct buf *out, const struct verb *v, const struct tv *value);

static void put_items(struct arena *a, struct buf *out, const struct verb *v, const struct tv *value)
{
	buf_put(out, value->kind == TV_MAP ? STR("map[") : STR("["));
	size_t count = value->kind == TV_MAP ? value->map->len : value->list.len;
	for (size_t i = 0; i < count && !out->overflow; i++) {
		if (i)
			buf_byte(out, ' ');
		if (value->kind == TV_MAP) {
			struct tv key = tv_str(value->map->ptr[i].key);
			put_one(a, out, v, &key);
			buf_byte(out, ':');
		}
		put_one(a, out, v, value->kind == TV_MAP ? &value->map->ptr[i].value : &value->list.items[i]);
	}
	buf_byte(out, ']');
}

static void put_one(struct arena *a, struct buf *out, const struct verb *v, const struct tv *value)
{
	bool ok = false;
	if (v->letter == 'T') {
		pad(out, v, tv_type_name(a, value));
		return;
	}
	if (v->letter == 'v' && (value->kind == TV_NONE || value->kind == TV_STRUCT || value->kind == TV_TIME ||
	                         value->kind == TV_LIST || value->kind == TV_MAP)) {
		struct buf BUF_AUTO text = { 0 };
		buf_init(&text, TEMPLATE_TEXT_MAX);
		put_in(a, &text, value, v->plus ? STYLE_PLUS : STYLE_V, 0);
		pad(out, v, buf_view(&text));
		return;
	}
	if (value->kind == TV_LIST || value->kind == TV_MAP) {
		put_items(a, out, v, value);
		return;
	}
	if (value->kind == TV_BOOL && (v->letter == 't' || v->letter == 'v')) {
		pad(out, v, value->boolean ? STR("true") : STR("false"));
		ok = true;
	}
	if (value->kind == TV_INT)
		ok = put_whole(a, out, v, value->integer);
	if (value->kind == TV_FLOAT)
		ok = put_float(a, out, v, value->number);
	if (value->kind == TV_STRING)
		ok = put_text(a, out, v, value->string);
	if (value->kind == TV_TIME && v->letter == 's')
		ok = put_text(a, out, v, tv_text(a, value));
	if (!ok)
		put_bad_verb(a, out, v->letter, value);
}

struct arguments {
	const struct tv *ptr;
	size_t count, at;
	bool reordered;
};

/* "[2]": the argument that comes next. */
static bool take_index(struct str *format, struct arguments *args)
{
	uint64_t n;
	ptrdiff_t close = str_find(*format, ']');
	if (format->len == 0 || format->ptr[0] != '[')
		return true;
	args->reordered = true;
	if (close < 0)
		return false;
	struct str text = str_sub(*format, 1, (size_t)close);
	*format = str_sub(*format, (size_t)close + 1, format->len);
	if (!str_to_u64(text, &n) || n < 1 || n > args->count)
		return false;
	args->at = (size_t)n - 1;
	return true;
}

/* Digits or a star; -1: none, -2: a bad one. */
static int take_number(struct str *format, struct arguments *args)
{
	int n = -1;
	if (str_skip(format, STR("*"))) {
		if (args->at >= args->count || args->ptr[args->at].kind != TV_INT)
			return args->at++, -2;
		int64_t v = args->ptr[args->at++].integer;
		return v < -WIDTH_MAX || v > WIDTH_MAX ? -2 : v < 0 ? -3 - (int)-v : (int)v;
	}
	while (format->len && ascii_digit(format->ptr[0]) && n < WIDTH_MAX) {
		n = (n < 0 ? 0 : n) * 10 + (format->ptr[0] - '0');
		*format = str_sub(*format, 1, format->len);
	}
	return n;
}

static void take_flags(struct str *format, struct verb *v)
{
	for (; format->len; *format = str_sub(*format, 1, format->len)) {
		char c = format->ptr[0];
		if (c == '+')
			v->plus = true;
		else if (c == '-')
			v->minus = true;
		else if (c == '#')
			v->sharp = true;
		else if (c == ' ')
			v->space = true;
		else if (c == '0')
			v->zero = true;
		else
			break;
	}
	v->zero = v->zero && !v->minus;
}

/* Behind "%". */
static void put_directive(struct arena *a, struct buf *out, struct str *format, struct arguments *args)
{
	struct verb v = { .width = -1, .precision = -1 };
	take_flags(format, &v);
	bool good = take_index(format, args);
	v.width = take_number(format, args);
	if (v.width == -2)
		buf_put(out, STR("%!(BADWIDTH)"));
	if (v.width < -2) {
		v.width = -3 - v.width;
		v.minus = true;
		v.zero = false;
	}
	if (str_skip(format, STR("."))) {
		good = take_index(format, args) && good;
		v.precision = take_number(format, args);
		if (v.precision == -2)
			buf_put(out, STR("%!(BADPREC)"));
		if (v.precision < 0)
			v.precision = v.precision == -1 ? 0 : -1;
	}
	good = take_index(format, args) && good;
	if (format->len == 0) {
		buf_put(out, STR("%!(NOVERB)"));
		return;
	}
	v.letter = format->ptr[0];
	*format = str_sub(*format, 1, format->len);
	if (v.letter == '%')
		buf_byte(out, '%');
	else if (!good)
		buf_printf(out, "%%!%c(BADINDEX)", v.letter);
	else if (args->at >= args->count)
		buf_printf(out, "%%!%c(MISSING)", v.letter);
	else
		put_one(a, out, &v, &args->ptr[args->at++]);
}

void format_printf(struct arena *a, struct buf *out, struct str format, const struct tv *ptr, size_t count)
{
	struct arguments args = { .ptr = ptr, .count = count };
	while (format.len && !out->overflow) {
		ptrdiff_t percent = str_find(format, '%');
		size_t plain = percent < 0 ? format.len : (size_t)percent;
		buf_put(out, str_sub(format, 0, plain));
		format = str_sub(format, percent < 0 ? plain : plain + 1, format.len);
		if (percent >= 0)
			put_directive(a, out, &format, &args);
	}
	if (args.reordered || args.at >= count)
		return;
	buf_put(out, STR("%!(EXTRA "));
	for (size_t i = args.at; i < count; i++) {
		if (i > args.at)
			buf_put(out, STR(", "));
		if (ptr[i].kind == TV_NONE) {
			buf_put(out, STR("<nil>"));
			continue;
		}
		buf_printf(out, "%.*s=", STR_ARG(tv_type_name(a, &ptr[i])));
		put_in(a, out, &ptr[i], STYLE_V, 0);
	}
	buf_byte(out, ')');
}
