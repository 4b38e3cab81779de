/* sprig's functions of texts (and Trivy's few): arguments stand in sprig's order, the text last, so that pipes read well.
 * Lengths and cuts are in bytes where Go counts bytes, in characters where it counts runes. */
#include "report/template/internal.h"

#include "base/base.h"
#include "report/text.h"

typedef const struct tv *args_t;

static int give_buf(struct run *r, struct buf *out, struct tv *ret)
{
	if (out->overflow)
		return run_fail(r, ERR_LIMIT, "a value is too long (TEMPLATE_TEXT_MAX)");
	*ret = tv_str(str_dup(r->arena, buf_view(out)));
	return want_room(r, 0);
}

/* The arguments from `first` on as texts, strictly. */
static int texts(struct run *r, args_t args, size_t count, struct str *ret)
{
	for (size_t i = 0; i < count; i++) {
		int rc = want_str(r, &args[i], &ret[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- case: ASCII letters, and two-byte ones that are simply paired (Latin-1, Greek, Cyrillic) --- */

enum letter_case { CASE_UPPER, CASE_LOWER, CASE_SWAP };

static uint32_t upper_of(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
	    (c >= 0x430 && c <= 0x44f))
		return c - 0x20;
	return c >= 0x450 && c <= 0x45f ? c - 0x50 : c;
}

static uint32_t lower_of(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) ||
	    (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	return c >= 0x400 && c <= 0x40f ? c + 0x50 : c;
}

static void put_code(struct buf *out, uint32_t code, struct str raw)
{
	if (code < 0x80)
		buf_byte(out, (uint8_t)code);
	else if (code < 0x800) {
		buf_byte(out, (uint8_t)(0xc0 | code >> 6));
		buf_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
	} else {
		buf_put(out, raw);
	}
}

static int change_case(struct run *r, args_t args, enum letter_case how, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		uint32_t up = upper_of(code), low = lower_of(code);
		put_code(&out, how == CASE_UPPER ? up : how == CASE_LOWER ? low : up != code ? up : low, str_sub(s, i, i + n));
	}
	return give_buf(r, &out, ret);
}

static int fn_upper(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, change_case(r, args, CASE_UPPER, ret); }
static int fn_lower(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, change_case(r, args, CASE_LOWER, ret); }
static int fn_swapcase(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, change_case(r, args, CASE_SWAP, ret); }

/* title: the first letter of each word; untitle the other way. */
static int each_word(struct run *r, args_t args, bool up, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	bool begin = true;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		put_code(&out, !begin ? code : up ? upper_of(code) : lower_of(code), str_sub(s, i, i + n));
		/* As strings.Title: letters, digits, the underscore and the apostrophe's absence make a word. */
		begin = up ? code < 0x80 && !ascii_alnum((char)code) && code != '_' : code == ' ' || (code >= '\t' && code <= '\r');
	}
	return give_buf(r, &out, ret);
}

static int fn_title(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, each_word(r, args, true, ret); }
static int fn_untitle(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, each_word(r, args, false, ret); }

/* --- cutting --- */

static int fn_trim(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	*ret = tv_str(str_trim(s));
	return rc;
}

static bool is_in(char c, struct str set) { return str_find(set, c) >= 0; }

static int fn_trim_all(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s[2];
	int rc = texts(r, args, count, s);
	if (rc < 0)
		return rc;
	while (s[1].len && is_in(s[1].ptr[0], s[0]))
		s[1] = str_sub(s[1], 1, s[1].len);
	while (s[1].len && is_in(s[1].ptr[s[1].len - 1], s[0]))
		s[1].len--;
	*ret = tv_str(s[1]);
	return 0;
}

static int fn_trim_prefix(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s[2];
	int rc = texts(r, args, count, s);
	if (rc < 0)
		return rc;
	(void)str_skip(&s[1], s[0]);
	*ret = tv_str(s[1]);
	return 0;
}

static int fn_trim_suffix(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s[2];
	int rc = texts(r, args, count, s);
	if (rc < 0)
		return rc;
	(void)str_drop(&s[1], s[0]);
	*ret = tv_str(s[1]);
	return 0;
}

static int fn_nospace(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_space(s.ptr[i]))
			buf_byte(&out, (uint8_t)s.ptr[i]);
	return give_buf(r, &out, ret);
}

/* trunc 5 "text", trunc -5 "text": bytes. */
static int fn_trunc(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	int64_t n;
	(void)count;
	int rc = want_int(r, &args[0], &n);
	if (rc < 0 || (rc = want_str(r, &args[1], &s)) < 0)
		return rc;
	if (n < 0 && s.len > 0 - (uint64_t)n)
		s = str_sub(s, s.len - (size_t)(0 - (uint64_t)n), s.len);
	else if (n >= 0 && s.len > (uint64_t)n)
		s = str_sub(s, 0, (size_t)n);
	*ret = tv_str(s);
	return 0;
}

/* abbrev 20 "text": at most so many bytes, three of them dots. */
static int fn_abbrev(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	int64_t width;
	(void)count;
	int rc = want_int(r, &args[0], &width);
	if (rc < 0 || (rc = want_str(r, &args[1], &s)) < 0)
		return rc;
	if (width >= 4 && s.len > (uint64_t)width)
		s = arena_printf(r->arena, "%.*s...", (int)(width - 3), s.ptr);
	*ret = tv_str(s);
	return 0;
}

static int fn_substr(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	int64_t from, to;
	(void)count;
	int rc = want_int(r, &args[0], &from);
	if (rc < 0 || (rc = want_int(r, &args[1], &to)) < 0 || (rc = want_str(r, &args[2], &s)) < 0)
		return rc;
	if (from > (int64_t)s.len || (from >= 0 && to >= 0 && to < from))
		return run_fail(r, ERR_USAGE, "substr: out of range");
	size_t begin = from < 0 ? 0 : (size_t)from;
	size_t end = to < 0 || to > (int64_t)s.len ? s.len : (size_t)to;
	*ret = tv_str(str_sub(s, begin, end));
	return 0;
}

/* --- asking --- */

static int fn_contains(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s[2];
	int rc = texts(r, args, count, s);
	*ret = tv_bool(rc == 0 && str_contains(s[1], s[0]));
	return rc;
}

static int fn_has_prefix(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s[2];
	int rc = texts(r, args, count, s);
	*ret = tv_bool(rc == 0 && str_starts(s[1], s[0]));
	return rc;
}

static int fn_has_suffix(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s[2];
	int rc = texts(r, args, count, s);
	*ret = tv_bool(rc == 0 && str_ends(s[1], s[0]));
	return rc;
}

/* --- making --- */

static int fn_repeat(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	int64_t n;
	(void)count;
	int rc = want_int(r, &args[0], &n);
	if (rc < 0 || (rc = want_str(r, &args[1], &s)) < 0)
		return rc;
	if (n < 0)
		return run_fail(r, ERR_USAGE, "repeat: a negative count");
	if (s.len && (uint64_t)n > TEMPLATE_TEXT_MAX / s.len)
		return want_room(r, SIZE_MAX);
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (int64_t i = 0; s.len && i < n; i++)
		buf_put(&out, s);
	return give_buf(r, &out, ret);
}

static int fn_replace(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s[3] = { { 0 } };
	int rc = texts(r, args, count, s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	if (s[0].len == 0) { /* before every character, and at the end */
		for (size_t i = 0, n; i < s[2].len; i += n) {
			(void)text_decode(str_sub(s[2], i, s[2].len), &n);
			buf_put(&out, s[1]);
			buf_put(&out, str_sub(s[2], i, i + n));
		}
		buf_put(&out, s[1]);
		return give_buf(r, &out, ret);
	}
	for (ptrdiff_t at; (at = str_find_str(s[2], s[0])) >= 0; s[2] = str_sub(s[2], (size_t)at + s[0].len, s[2].len)) {
		buf_put(&out, str_sub(s[2], 0, (size_t)at));
		buf_put(&out, s[1]);
	}
	buf_put(&out, s[2]);
	return give_buf(r, &out, ret);
}

static int indent(struct run *r, args_t args, bool new_line, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	int64_t n;
	int rc = want_int(r, &args[0], &n);
	if (rc < 0 || (rc = want_str(r, &args[1], &s)) < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	if (new_line)
		buf_byte(&out, '\n');
	for (size_t i = 0; i <= s.len && !out.overflow; i++) {
		if (i == 0 || s.ptr[i - 1] == '\n')
			for (int64_t k = 0; k < n && buf_byte(&out, ' '); k++)
				;
		if (i < s.len)
			buf_byte(&out, (uint8_t)s.ptr[i]);
	}
	return give_buf(r, &out, ret);
}

static int fn_indent(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, indent(r, args, false, ret); }
static int fn_nindent(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, indent(r, args, true, ret); }

static int fn_quote(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	bool any = false;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (args[i].kind == TV_NONE)
			continue;
		if (any)
			buf_byte(&out, ' ');
		format_quote(&out, tv_text(r->arena, &args[i]));
		any = true;
	}
	return give_buf(r, &out, ret);
}

static int fn_squote(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	bool any = false;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (args[i].kind == TV_NONE)
			continue;
		buf_printf(&out, "%s'", any ? " " : "");
		buf_put(&out, tv_text(r->arena, &args[i]));
		buf_byte(&out, '\'');
		any = true;
	}
	return give_buf(r, &out, ret);
}

static int fn_cat(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	bool any = false;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (args[i].kind == TV_NONE)
			continue;
		if (any)
			buf_byte(&out, ' ');
		format_value(r->arena, &out, &args[i]);
		any = true;
	}
	return give_buf(r, &out, ret);
}

static int fn_plural(struct run *r, args_t args, size_t count, struct tv *ret)
{
	int64_t n;
	(void)count;
	int rc = want_int(r, &args[2], &n);
	*ret = n == 1 ? args[0] : args[1];
	return rc;
}

static int fn_initials(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_space(s.ptr[i]) && (i == 0 || ascii_space(s.ptr[i - 1])))
			buf_byte(&out, (uint8_t)s.ptr[i]);
	return give_buf(r, &out, ret);
}

/* snakecase and kebabcase of names in camel case. */
static int join_words(struct run *r, args_t args, char sign, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool before = i && (ascii_lower(s.ptr[i - 1]) || ascii_digit(s.ptr[i - 1]));
		bool last = i && ascii_upper(s.ptr[i - 1]) && i + 1 < s.len && ascii_lower(s.ptr[i + 1]);
		if (c == ' ' || c == '_' || c == '-') {
			buf_byte(&out, (uint8_t)sign);
			continue;
		}
		if (ascii_upper(c) && (before || last))
			buf_byte(&out, (uint8_t)sign);
		buf_byte(&out, (uint8_t)ascii_tolower(c));
	}
	return give_buf(r, &out, ret);
}

static int fn_snakecase(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, join_words(r, args, '_', ret); }
static int fn_kebabcase(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, join_words(r, args, '-', ret); }

static int fn_wrap_with(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s, line = STR("\n"), word;
	int64_t width;
	size_t column = 0;
	int rc = want_int(r, &args[0], &width);
	if (rc == 0 && count == 3)
		rc = want_str(r, &args[1], &line);
	if (rc < 0 || (rc = want_str(r, &args[count - 1], &s)) < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	while (str_cut(&s, ' ', &word)) {
		if (column && column + 1 + word.len > (uint64_t)(width < 1 ? 1 : width)) {
			buf_put(&out, line);
			column = 0;
		} else if (column) {
			buf_byte(&out, ' ');
			column++;
		}
		buf_put(&out, word);
		column += word.len;
	}
	return give_buf(r, &out, ret);
}

/* --- Trivy's --- */

static int fn_end_with_period(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	if (rc == 0)
		*ret = tv_str(str_ends(s, STR(".")) ? s : arena_printf(r->arena, "%.*s.", STR_ARG(s)));
	return rc;
}

/* filepath.ToSlash after Clean of what stands before a bracket, as old templates use it. */
static int fn_to_path_uri(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	if (rc == 0)
		(void)str_skip(&s, STR("./"));
	*ret = tv_str(s);
	return rc;
}

static int fn_same_text(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	*ret = tv_str(s);
	return rc;
}

static int fn_to_string(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	*ret = tv_str(tv_text(r->arena, &args[0]));
	return 0;
}

const struct tfunc functions_text[] = {
	{ "abbrev", 2, 2, fn_abbrev },
	{ "cat", 0, -1, fn_cat },
	{ "contains", 2, 2, fn_contains },
	{ "endWithPeriod", 1, 1, fn_end_with_period },
	{ "hasPrefix", 2, 2, fn_has_prefix },
	{ "hasSuffix", 2, 2, fn_has_suffix },
	{ "indent", 2, 2, fn_indent },
	{ "initials", 1, 1, fn_initials },
	{ "kebabcase", 1, 1, fn_kebabcase },
	{ "lower", 1, 1, fn_lower },
	{ "nindent", 2, 2, fn_nindent },
	{ "nospace", 1, 1, fn_nospace },
	{ "plural", 3, 3, fn_plural },
	{ "quote", 0, -1, fn_quote },
	{ "repeat", 2, 2, fn_repeat },
	{ "replace", 3, 3, fn_replace },
	{ "snakecase", 1, 1, fn_snakecase },
	{ "sourceID", 1, 1, fn_same_text },
	{ "squote", 0, -1, fn_squote },
	{ "substr", 3, 3, fn_substr },
	{ "swapcase", 1, 1, fn_swapcase },
	{ "title", 1, 1, fn_title },
	{ "toLower", 1, 1, fn_lower },
	{ "toPathUri", 1, 1, fn_to_path_uri },
	{ "toString", 1, 1, fn_to_string },
	{ "trim", 1, 1, fn_trim },
	{ "trimAll", 2, 2, fn_trim_all },
	{ "trimall", 2, 2, fn_trim_all },
	{ "trimPrefix", 2, 2, fn_trim_prefix },
	{ "trimSuffix", 2, 2, fn_trim_suffix },
	{ "trunc", 2, 2, fn_trunc },
	{ "untitle", 1, 1, fn_untitle },
	{ "upper", 1, 1, fn_upper },
	{ "wrap", 2, 2, fn_wrap_with },
	{ "wrapWith", 3, 3, fn_wrap_with },
	{ NULL, 0, 0, NULL },
};
