/* JSON parser (RFC 8259): see json.h.
 * One pass, no recursion: open lists and maps are frames on a fixed stack, their children wait in two scratch arrays
 * and are copied into the arena to measure when the list or map closes. Every read is bounded by `end`; nothing
 * relies on a terminator. It must never accept what the RFC does not (a checker that reads more than the others can
 * be fooled). */
#include "base/json.h"
#include "base/base.h"
#include "base/number.h"
#include "base/pairs.h"
#include "base/utf8.h"

#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct frame {
	bool is_map;
	uint32_t line, column;
	size_t first; /* of its children in the scratch array */
};

struct parser {
	const char *at, *end;
	const char *line_start;
	uint32_t line;
	unsigned depth;
	struct arena *arena;
	struct value *nodes; /* a run of unused nodes */
	size_t nodes_left, nodes_run, nodes_total;
	struct value **items; /* children of open lists */
	size_t items_len, items_cap;
	struct value_pair *pairs; /* children of open maps */
	size_t pairs_len, pairs_cap;
	struct keyset keys;
	struct err *err;
	struct frame frames[VALUE_DEPTH_MAX];
};

#define NODES_RUN_MIN ((size_t)16)
#define NODES_RUN_MAX ((size_t)1024)

static uint32_t column_of(const struct parser *p, const char *at)
{
	size_t column = (size_t)(at - p->line_start) + 1;
	return column > UINT32_MAX ? UINT32_MAX : (uint32_t)column;
}

static __attribute__((cold)) int fail_at(struct parser *p, const char *at, int code, const char *what)
{
	return err_set(p->err, code, "line %u, column %u: %s", p->line, column_of(p, at), what);
}

static __attribute__((cold)) int fail(struct parser *p, const char *what)
{
	return fail_at(p, p->at, ERR_FORMAT, p->at == p->end ? "the text ends too early" : what);
}

/* A node at the current place, its content still to be set; NULL over JSON_NODES_MAX. */
static struct value *new_node(struct parser *p, enum value_kind kind)
{
	if (p->nodes_left == 0) {
		if (p->nodes_total >= JSON_NODES_MAX) {
			(void)fail_at(p, p->at, ERR_LIMIT, "more values than JSON_NODES_MAX");
			return NULL;
		}
		p->nodes = arena_array(p->arena, p->nodes_run, sizeof(*p->nodes));
		p->nodes_left = p->nodes_run;
		p->nodes_total += p->nodes_run;
		if (p->nodes_run < NODES_RUN_MAX)
			p->nodes_run *= 2;
	}
	struct value *v = p->nodes++;
	p->nodes_left--;
	v->kind = kind;
	v->line = p->line;
	v->column = column_of(p, p->at);
	return v;
}

/* Runs of spaces are indentation: eight at a time. */
static inline void skip_spaces(struct parser *p)
{
	while (p->end - p->at >= 8) {
		uint64_t word;
		memcpy(&word, p->at, sizeof(word));
		if (word != 0x2020202020202020u)
			return;
		p->at += 8;
	}
}

static inline void skip_blank(struct parser *p)
{
	for (; p->at < p->end; p->at++) {
		char c = *p->at;
		if (c == '\n') {
			p->line++;
			p->line_start = p->at + 1;
			if (p->end - p->at > 8) {
				p->at++;
				skip_spaces(p);
				p->at--;
			}
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return;
		}
	}
}

/* --- strings --- */

#ifdef __SSE2__
/* Bits of the bytes that a string may not simply hold: the quote, the backslash, controls, and all over 0x7f. */
static inline unsigned special_16(const char *s)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)s);
	__m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	__m128i limit = _mm_set1_epi8(0x1f);
	__m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, limit), limit);
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), _mm_or_si128(control, bytes)));
}

static inline const char *skip_plain(const char *s, const char *end)
{
	while (end - s >= 16) {
		unsigned special = special_16(s);
		if (special)
			return s + __builtin_ctz(special);
		s += 16;
	}
	while (s < end && *s != '"' && *s != '\\' && (unsigned char)*s >= 0x20 && (unsigned char)*s < 0x80)
		s++;
	return s;
}
#else
#define EACH_BYTE(v) (0x0101010101010101u * (v))
/* Non-zero where a byte of the word is zero; a false alarm only above a true one. */
static inline uint64_t zero_byte(uint64_t word)
{
	return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

static inline const char *skip_plain(const char *s, const char *end)
{
	for (; end - s >= 8; s += 8) {
		uint64_t word;
		memcpy(&word, s, sizeof(word));
		if (zero_byte(word ^ EACH_BYTE('"')) | zero_byte(word ^ EACH_BYTE('\\')) |
		    ((word - EACH_BYTE(0x20)) & EACH_BYTE(0x80)) | (word & EACH_BYTE(0x80)))
			break;
	}
	while (s < end && *s != '"' && *s != '\\' && (unsigned char)*s >= 0x20 && (unsigned char)*s < 0x80)
		s++;
	return s;
}
#endif

static bool read_hex4(const char *s, const char *end, uint32_t *ret)
{
	uint64_t v;
	if (end - s < 4 || !str_to_u64_base((struct str){ s, 4 }, 16, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* *at stands behind "\u"; a pair of surrogates is one code point (RFC 8259 section 7). */
static bool read_unicode(const char **at, const char *end, uint32_t *ret)
{
	uint32_t code, low;
	if (!read_hex4(*at, end, &code))
		return false;
	*at += 4;
	if (code >= 0xd800 && code < 0xdc00) {
		if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !read_hex4(*at + 2, end, &low) ||
		    low < 0xdc00 || low > 0xdfff)
			return false;
		*at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return false;
	}
	*ret = code;
	return true;
}

static char simple_escape(char c)
{
	switch (c) {
	case '"': case '\\': case '/': return c;
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return 0;
	}
}

/* What stands between the quotes, decoded; never longer than it was. */
static int unescape(struct parser *p, struct str raw, struct str *ret)
{
	char *out = arena_alloc(p->arena, raw.len), *to = out;
	const char *s = raw.ptr, *end = raw.ptr + raw.len;
	while (s < end) {
		const char *slash = memchr(s, '\\', (size_t)(end - s));
		size_t plain = (size_t)((slash ? slash : end) - s);
		memcpy(to, s, plain);
		to += plain;
		s += plain;
		if (!slash)
			break;
		uint32_t code = 0;
		s += 2; /* the scan saw a byte behind every backslash */
		if (s[-1] == 'u' ? !read_unicode(&s, end, &code) : !(code = (uint32_t)simple_escape(s[-1])))
			return fail_at(p, slash, ERR_FORMAT, "bad escape in a string");
		to += utf8_put(to, code);
	}
	*ret = (struct str){ out, (size_t)(to - out) };
	return 0;
}

/* At the opening quote; leaves the place behind the closing one. */
static int read_string(struct parser *p, struct str *ret)
{
	const char *start = p->at + 1, *s = start, *end = p->end;
	bool escaped = false;
	for (;;) {
		s = skip_plain(s, end);
		if (s == end)
			return fail_at(p, p->at, ERR_FORMAT, "a string without its end");
		if (*s == '"')
			break;
		if (*s == '\\') {
			escaped = true;
			s += end - s > 1 ? 2 : 1;
			continue;
		}
		if ((unsigned char)*s < 0x20)
			return fail_at(p, s, ERR_FORMAT, "a control character in a string");
		do {
			size_t n = utf8_len((const uint8_t *)s, (size_t)(end - s));
			if (n == 0)
				return fail_at(p, s, ERR_FORMAT, "bytes that are no UTF-8");
			s += n;
		} while (s < end && (unsigned char)*s >= 0x80);
	}
	struct str raw = { start, (size_t)(s - start) };
	if (!escaped)
		*ret = raw;
	else if (unescape(p, raw, ret) != 0)
		return ERR_FORMAT;
	p->at = s + 1;
	return 0;
}

/* --- numbers --- */

struct number {
	bool negative, whole;
	uint64_t digits;       /* the first 19 significant ones as one number */
	size_t digit_count;    /* significant ones in all */
	int64_t exponent;      /* of ten, for `digits` read as a whole number */
};

/* Exponents beyond this are zero or infinity whatever the digits (which are fewer than JSON_SIZE_MAX). */
#define EXPONENT_CLAMP ((int64_t)1 << 40)

static const char *read_digits(struct number *n, const char *s, const char *end, bool fraction)
{
	for (; s < end && ascii_digit(*s); s++) {
		if (n->digit_count > 0 || *s != '0')
			n->digit_count++;
		if (n->digit_count <= 19)
			n->digits = n->digits * 10 + (uint64_t)(*s - '0');
		n->exponent -= fraction;
	}
	return s;
}

static const char *read_exponent(struct number *n, const char *s, const char *end)
{
	bool negative = s < end && *s == '-';
	int64_t e = 0;
	if (s < end && (*s == '-' || *s == '+'))
		s++;
	if (s == end || !ascii_digit(*s))
		return NULL;
	for (; s < end && ascii_digit(*s); s++)
		if (e < EXPONENT_CLAMP)
			e = e * 10 + (*s - '0');
	n->exponent += negative ? -e : e;
	return s;
}

/* The grammar of RFC 8259 section 6; the end of the number, or NULL. */
static const char *scan_number(struct number *n, const char *s, const char *end)
{
	*n = (struct number){ .whole = true };
	if (*s == '-') {
		n->negative = true;
		s++;
	}
	if (s == end || !ascii_digit(*s))
		return NULL;
	const char *first = s;
	s = read_digits(n, s, end, false);
	if (*first == '0' && s - first > 1)
		return NULL;
	if (s < end && *s == '.') {
		n->whole = false;
		first = ++s;
		s = read_digits(n, s, end, true);
		if (s == first)
			return NULL;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		n->whole = false;
		s = read_exponent(n, s + 1, end);
	}
	return s;
}

static double to_double(const struct number *n, struct str text)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	/* Both operands are exact, so one rounding gives the right answer (if doubles are computed as doubles). */
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ == 0
	if (n->digit_count <= 19 && n->digits <= (uint64_t)1 << 53 && n->exponent >= -22 && n->exponent <= 22) {
		double d = (double)n->digits;
		d = n->exponent < 0 ? d / powers[-n->exponent] : d * powers[n->exponent];
		return n->negative ? -d : d;
	}
#endif
	return number_from_text(text);
}

static bool set_whole(struct value *v, const struct number *n, struct str text)
{
	uint64_t u = n->digits;
	if (n->digit_count > 20 || (n->digit_count == 20 && (n->negative || !str_to_u64(text, &u))))
		return false;
	if (n->negative && u > (uint64_t)1 << 63)
		return false;
	if (n->negative) {
		v->kind = VALUE_INT;
		v->integer = (int64_t)(0 - u);
	} else if (u <= INT64_MAX) {
		v->kind = VALUE_INT;
		v->integer = (int64_t)u;
	} else {
		v->kind = VALUE_UINT;
		v->uinteger = u;
	}
	return true;
}

static struct value *parse_number(struct parser *p)
{
	struct number n;
	const char *end = scan_number(&n, p->at, p->end);
	if (!end) {
		(void)fail_at(p, p->at, ERR_FORMAT, "bad number");
		return NULL;
	}
	struct value *v = new_node(p, VALUE_INT);
	if (!v)
		return NULL;
	struct str text = { p->at, (size_t)(end - p->at) };
	if (!n.whole || !set_whole(v, &n, text)) {
		v->kind = VALUE_DOUBLE;
		v->number = to_double(&n, text);
		if (!isfinite(v->number)) {
			(void)fail_at(p, p->at, ERR_FORMAT, "a number too large for a double");
			return NULL;
		}
	}
	p->at = end;
	return v;
}

/* --- values --- */

static struct value *parse_word(struct parser *p, struct str word, enum value_kind kind, bool boolean)
{
	if ((size_t)(p->end - p->at) < word.len || memcmp(p->at, word.ptr, word.len) != 0) {
		(void)fail_at(p, p->at, ERR_FORMAT, "unknown word");
		return NULL;
	}
	struct value *v = new_node(p, kind);
	if (!v)
		return NULL;
	v->boolean = boolean;
	p->at += word.len;
	return v;
}

/* A string, number or word; NULL with the error set. */
static struct value *parse_scalar(struct parser *p)
{
	switch (*p->at) {
	case '"': {
		struct value *v = new_node(p, VALUE_STRING);
		return v && read_string(p, &v->string) == 0 ? v : NULL;
	}
	case 't': return parse_word(p, STR("true"), VALUE_BOOL, true);
	case 'f': return parse_word(p, STR("false"), VALUE_BOOL, false);
	case 'n': return parse_word(p, STR("null"), VALUE_NULL, false);
	case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
		return parse_number(p);
	default: (void)fail(p, "expected a value"); return NULL;
	}
}

static int open_frame(struct parser *p, bool is_map)
{
	if (p->depth == VALUE_DEPTH_MAX)
		return fail_at(p, p->at, ERR_LIMIT, "nested deeper than VALUE_DEPTH_MAX");
	p->frames[p->depth++] = (struct frame){
		.is_map = is_map,
		.line = p->line,
		.column = column_of(p, p->at),
		.first = is_map ? p->pairs_len : p->items_len,
	};
	p->at++;
	skip_blank(p);
	return 0;
}

/* A key and its colon; the value is put in later. */
static int read_key(struct parser *p)
{
	struct str key;
	if (p->at == p->end || *p->at != '"')
		return fail(p, "expected a key in double quotes");
	if (read_string(p, &key) != 0)
		return ERR_FORMAT;
	skip_blank(p);
	if (p->at == p->end || *p->at != ':')
		return fail(p, "expected ':'");
	p->at++;
	if (p->pairs_len == p->pairs_cap) {
		p->pairs_cap = p->pairs_cap ? p->pairs_cap * 2 : 64;
		p->pairs = xrealloc(p->pairs, p->pairs_cap * sizeof(*p->pairs));
	}
	p->pairs[p->pairs_len++] = (struct value_pair){ key, NULL };
	return 0;
}

static void attach(struct parser *p, struct value *v)
{
	if (p->frames[p->depth - 1].is_map) {
		p->pairs[p->pairs_len - 1].value = v;
		return;
	}
	if (p->items_len == p->items_cap) {
		p->items_cap = p->items_cap ? p->items_cap * 2 : 64;
		p->items = xrealloc(p->items, p->items_cap * sizeof(struct value *));
	}
	p->items[p->items_len++] = v;
}

static void take_pairs(struct parser *p, struct value *v, size_t first)
{
	struct value_pair *pairs = p->pairs ? p->pairs + first : NULL; /* NULL + 0 is undefined: "{}" first of all */
	size_t len = p->pairs_len - first;
	if (len > 1 && pairs_repeat(pairs, len, &p->keys) != len)
		len = pairs_unite(pairs, len, PAIRS_LAST, &p->keys);
	v->map.pairs = arena_grow(p->arena, pairs, len, len, sizeof(*pairs));
	v->map.len = len;
	p->pairs_len = first;
}

/* At the closing bracket of the innermost frame. */
static struct value *close_frame(struct parser *p)
{
	const struct frame *f = &p->frames[--p->depth];
	struct value *v = new_node(p, f->is_map ? VALUE_MAP : VALUE_LIST);
	if (!v)
		return NULL;
	v->line = f->line;
	v->column = f->column;
	if (f->is_map) {
		take_pairs(p, v, f->first);
	} else {
		v->list.len = p->items_len - f->first;
		v->list.items =
		        arena_grow(p->arena, p->items ? p->items + f->first : NULL, v->list.len, v->list.len, sizeof(struct value *));
		p->items_len = f->first;
	}
	p->at++;
	return v;
}

/* The next whole value: a scalar, or a list or map that closes at once. *ret is NULL where a list or map was opened
 * that has children: the next value is its first. */
static int parse_step(struct parser *p, struct value **ret)
{
	*ret = NULL;
	skip_blank(p);
	if (p->at == p->end)
		return fail(p, "");
	if (*p->at != '{' && *p->at != '[') {
		*ret = parse_scalar(p);
		return *ret ? 0 : ERR_FORMAT;
	}
	bool is_map = *p->at == '{';
	int r = open_frame(p, is_map);
	if (r != 0)
		return r;
	if (p->at < p->end && *p->at == (is_map ? '}' : ']')) {
		*ret = close_frame(p);
		return *ret ? 0 : ERR_LIMIT;
	}
	return is_map ? read_key(p) : 0;
}

/* After a value: closes what closes here. *ret becomes the outermost value when all is closed, else NULL and the
 * next value follows. */
static int finish_value(struct parser *p, struct value **ret)
{
	while (p->depth > 0) {
		bool is_map = p->frames[p->depth - 1].is_map;
		attach(p, *ret);
		skip_blank(p);
		if (p->at == p->end)
			return fail(p, "");
		if (*p->at == ',') {
			*ret = NULL;
			p->at++;
			skip_blank(p);
			return is_map ? read_key(p) : 0;
		}
		if (*p->at != (is_map ? '}' : ']'))
			return fail(p, is_map ? "expected ',' or '}'" : "expected ',' or ']'");
		*ret = close_frame(p);
		if (!*ret)
			return ERR_LIMIT;
	}
	return 0;
}

static int parse_text(struct parser *p, struct value **ret)
{
	struct value *v = NULL;
	while (!v) {
		int r = parse_step(p, &v);
		if (r == 0 && v)
			r = finish_value(p, &v);
		if (r != 0)
			return r;
	}
	skip_blank(p);
	if (p->at != p->end)
		return fail(p, "more text after the value");
	*ret = v;
	return 0;
}

int json_parse(struct arena *a, struct str text, struct value **ret, struct err *err)
{
	struct err own = { 0 };
	if (text.len > JSON_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "JSON of %zu bytes is over JSON_SIZE_MAX", text.len);
	(void)str_skip(&text, STR("\xef\xbb\xbf"));
	struct parser p = {
		.at = text.ptr,
		.end = text.len ? text.ptr + text.len : text.ptr,
		.line_start = text.ptr,
		.line = 1,
		.arena = a,
		.nodes_run = NODES_RUN_MIN,
		.err = err ? err : &own,
	};
	int r = parse_text(&p, ret);
	free(p.items);
	free(p.pairs);
	keyset_done(&p.keys);
	return r == 0 ? 0 : p.err->code;
}
