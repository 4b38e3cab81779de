/* Go's predefined functions of templates, and the printing and quoting ones. `and` and `or` are the interpreter's. */
#include "report/template/internal.h"

#include "base/base.h"
#include "base/utf8.h"
#include "report/text.h"

typedef const struct tv *args_t;

static int no_call(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)args, (void)count, (void)ret;
	return run_fail(r, ERR_USAGE, "it needs an argument"); /* and, or without any; the interpreter does the rest */
}

static int fn_not(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)r, (void)count;
	*ret = tv_bool(!tv_truth(&args[0]));
	return 0;
}

static int fn_len(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	if (args[0].kind == TV_STRING)
		*ret = tv_int((int64_t)args[0].string.len);
	else if (args[0].kind == TV_LIST)
		*ret = tv_int((int64_t)args[0].list.len);
	else if (args[0].kind == TV_MAP)
		*ret = tv_int((int64_t)args[0].map->len);
	else
		return run_fail(r, ERR_USAGE, "len of a %.*s", STR_ARG(tv_type_name(r->arena, &args[0])));
	return 0;
}

static int index_once(struct run *r, const struct tv *v, const struct tv *key, struct tv *ret)
{
	size_t len = v->kind == TV_LIST ? v->list.len : v->kind == TV_STRING ? v->string.len : 0;
	if (v->kind == TV_MAP) {
		if (key->kind != TV_STRING)
			return run_fail(r, ERR_USAGE, "index: a map's key is a string, not %.*s", STR_ARG(tv_type_name(r->arena, key)));
		(void)tv_field(r->arena, v, key->string, ret);
		return 0;
	}
	if (v->kind != TV_LIST && v->kind != TV_STRING)
		return run_fail(r, ERR_USAGE, "index: a %.*s has no items", STR_ARG(tv_type_name(r->arena, v)));
	if (key->kind != TV_INT)
		return run_fail(r, ERR_USAGE, "index: a number is wanted, not %.*s", STR_ARG(tv_type_name(r->arena, key)));
	if (key->integer < 0 || (uint64_t)key->integer >= len)
		return run_fail(r, ERR_USAGE, "index out of range: %jd", (intmax_t)key->integer);
	*ret = v->kind == TV_LIST ? v->list.items[key->integer] : tv_int((uint8_t)v->string.ptr[key->integer]);
	return 0;
}

static int fn_index(struct run *r, args_t args, size_t count, struct tv *ret)
{
	*ret = args[0];
	for (size_t i = 1; i < count; i++) {
		struct tv v = *ret;
		int rc = index_once(r, &v, &args[i], ret);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int fn_slice(struct run *r, args_t args, size_t count, struct tv *ret)
{
	size_t len = args[0].kind == TV_LIST ? args[0].list.len : args[0].kind == TV_STRING ? args[0].string.len : 0;
	size_t ends[2] = { 0, len };
	if (args[0].kind != TV_LIST && args[0].kind != TV_STRING)
		return run_fail(r, ERR_USAGE, "slice of a %.*s", STR_ARG(tv_type_name(r->arena, &args[0])));
	if (count > 3)
		return run_fail(r, ERR_USAGE, "slice with a capacity is not known here");
	for (size_t i = 1; i < count; i++) {
		int64_t n;
		int rc = want_int(r, &args[i], &n);
		if (rc < 0)
			return rc;
		if (n < 0 || (uint64_t)n > len)
			return run_fail(r, ERR_USAGE, "index out of range: %jd", (intmax_t)n);
		ends[i - 1] = (size_t)n;
	}
	if (ends[0] > ends[1])
		return run_fail(r, ERR_USAGE, "invalid slice index: %zu > %zu", ends[0], ends[1]);
	*ret = args[0];
	if (ret->kind == TV_STRING) {
		ret->string = str_sub(ret->string, ends[0], ends[1]);
	} else {
		ret->list.items += ends[0];
		ret->list.len = ends[1] - ends[0];
	}
	return 0;
}

/* --- comparing --- */

static bool is_basic(const struct tv *v)
{
	return v->kind == TV_BOOL || v->kind == TV_INT || v->kind == TV_FLOAT || v->kind == TV_STRING;
}

static int fn_eq(struct run *r, args_t args, size_t count, struct tv *ret)
{
	*ret = tv_bool(false);
	if (count < 2)
		return run_fail(r, ERR_USAGE, "eq wants something to compare with");
	for (size_t i = 0; i < count; i++)
		if (args[i].kind == TV_LIST || args[i].kind == TV_MAP)
			return run_fail(r, ERR_USAGE, "a %.*s cannot be compared", STR_ARG(tv_type_name(r->arena, &args[i])));
	for (size_t i = 1; i < count; i++) {
		if (args[0].kind != args[i].kind && is_basic(&args[0]) && is_basic(&args[i]))
			return run_fail(r, ERR_USAGE, "incompatible types for comparison");
		if (tv_equal(&args[0], &args[i])) {
			*ret = tv_bool(true);
			return 0;
		}
	}
	return 0;
}

static int fn_ne(struct run *r, args_t args, size_t count, struct tv *ret)
{
	int rc = fn_eq(r, args, count, ret);
	if (rc == 0)
		*ret = tv_bool(!ret->boolean);
	return rc;
}

static int fn_lt(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count;
	if (args[0].kind != args[1].kind || !is_basic(&args[0]) || args[0].kind == TV_BOOL)
		return run_fail(r, ERR_USAGE, "incompatible types for comparison");
	if (args[0].kind == TV_INT)
		*ret = tv_bool(args[0].integer < args[1].integer);
	else if (args[0].kind == TV_FLOAT)
		*ret = tv_bool(args[0].number < args[1].number);
	else
		*ret = tv_bool(str_cmp(args[0].string, args[1].string) < 0);
	return 0;
}

static int fn_gt(struct run *r, args_t args, size_t count, struct tv *ret)
{
	const struct tv turned[2] = { args[1], args[0] };
	return fn_lt(r, turned, count, ret);
}

static int negate(int rc, struct tv *ret)
{
	if (rc == 0)
		*ret = tv_bool(!ret->boolean);
	return rc;
}

static int fn_ge(struct run *r, args_t args, size_t count, struct tv *ret) { return negate(fn_lt(r, args, count, ret), ret); }

static int fn_le(struct run *r, args_t args, size_t count, struct tv *ret) { return negate(fn_gt(r, args, count, ret), ret); }

/* --- printing --- */

static int give(struct run *r, struct buf *out, struct tv *ret)
{
	if (out->overflow)
		return run_fail(r, ERR_LIMIT, "a value is too long (TEMPLATE_TEXT_MAX)");
	*ret = tv_str(str_dup(r->arena, buf_view(out)));
	return want_room(r, 0);
}

static int fn_print(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (i && args[i].kind != TV_STRING && args[i - 1].kind != TV_STRING)
			buf_byte(&out, ' ');
		format_value(r->arena, &out, &args[i]);
	}
	return give(r, &out, ret);
}

static int fn_println(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_byte(&out, ' ');
		format_value(r->arena, &out, &args[i]);
	}
	buf_byte(&out, '\n');
	return give(r, &out, ret);
}

static int fn_printf(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str format;
	int rc = want_str(r, &args[0], &format);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	format_printf(r->arena, &out, format, args + 1, count - 1);
	return give(r, &out, ret);
}

/* --- quoting: html, js, urlquery, and Trivy's escapeXML and escapeString --- */

enum markup { MARKUP_TEMPLATE, MARKUP_XML, MARKUP_HTML };

static void put_markup(struct buf *out, uint32_t code, struct str raw, enum markup markup)
{
	bool no_xml = code == UINT32_MAX || (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || code == 0xfffe ||
	              code == 0xffff;
	if (code == '<')
		buf_put(out, STR("&lt;"));
	else if (code == '>')
		buf_put(out, STR("&gt;"));
	else if (code == '&')
		buf_put(out, STR("&amp;"));
	else if (code == '"')
		buf_put(out, STR("&#34;"));
	else if (code == '\'')
		buf_put(out, STR("&#39;"));
	else if (markup == MARKUP_XML && (code == '\t' || code == '\n' || code == '\r'))
		buf_put(out, code == '\t' ? STR("&#x9;") : code == '\n' ? STR("&#xA;") : STR("&#xD;"));
	else if ((markup == MARKUP_XML && no_xml) || (markup == MARKUP_TEMPLATE && code == 0))
		buf_put(out, STR("\xef\xbf\xbd"));
	else
		buf_put(out, raw);
}

static int markup(struct run *r, struct str s, enum markup kind, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		put_markup(&out, code, str_sub(s, i, i + n), kind);
	}
	return give(r, &out, ret);
}

static int all_text(struct run *r, args_t args, size_t count, struct str *ret)
{
	struct tv text = { 0 };
	int rc = fn_print(r, args, count, &text);
	*ret = text.string;
	return rc;
}

static int fn_html(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s = { 0 };
	int rc = all_text(r, args, count, &s);
	return rc < 0 ? rc : markup(r, s, MARKUP_TEMPLATE, ret);
}

static int fn_escape_xml(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	return rc < 0 ? rc : markup(r, s, MARKUP_XML, ret);
}

static int fn_escape_string(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct str s;
	(void)count;
	int rc = want_str(r, &args[0], &s);
	return rc < 0 ? rc : markup(r, s, MARKUP_HTML, ret);
}

static void put_js(struct buf *out, uint32_t code, struct str raw)
{
	if (code == '\\' || code == '\'' || code == '"')
		buf_printf(out, "\\%c", (char)code);
	else if (code == '<' || code == '>' || code == '&' || code == '=' || code < 0x20)
		buf_printf(out, "\\u%04X", (unsigned)code);
	else if (code < 0x7f)
		buf_put(out, raw);
	else if (code == UINT32_MAX)
		buf_put(out, STR("\xef\xbf\xbd"));
	else if (code < 0xa0 || code == 0xad || (code >= 0x2000 && code <= 0x200f) || (code >= 0x2028 && code <= 0x202f) ||
	         (code >= 0xe000 && code <= 0xf8ff))
		buf_printf(out, "\\u%04X", (unsigned)code);
	else
		buf_put(out, raw);
}

static int fn_js(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s = { 0 };
	int rc = all_text(r, args, count, &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		put_js(&out, code, str_sub(s, i, i + n));
	}
	return give(r, &out, ret);
}

static int fn_urlquery(struct run *r, args_t args, size_t count, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s = { 0 };
	int rc = all_text(r, args, count, &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == ' ')
			buf_byte(&out, '+');
		else if (ascii_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
			buf_byte(&out, (uint8_t)c);
		else
			buf_printf(&out, "%%%02X", (unsigned)(uint8_t)c);
	}
	return give(r, &out, ret);
}

static int fn_call(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)count, (void)ret;
	return run_fail(r, ERR_USAGE, "call: a %.*s is no function", STR_ARG(tv_type_name(r->arena, &args[0])));
}

const struct tfunc functions_go[] = {
	{ "and", 1, -1, no_call },
	{ "call", 1, -1, fn_call },
	{ "eq", 1, -1, fn_eq },
	{ "escapeString", 1, 1, fn_escape_string },
	{ "escapeXML", 1, 1, fn_escape_xml },
	{ "ge", 2, 2, fn_ge },
	{ "gt", 2, 2, fn_gt },
	{ "html", 0, -1, fn_html },
	{ "index", 1, -1, fn_index },
	{ "js", 0, -1, fn_js },
	{ "le", 2, 2, fn_le },
	{ "len", 1, 1, fn_len },
	{ "lt", 2, 2, fn_lt },
	{ "ne", 2, 2, fn_ne },
	{ "not", 1, 1, fn_not },
	{ "or", 1, -1, no_call },
	{ "print", 0, -1, fn_print },
	{ "printf", 1, -1, fn_printf },
	{ "println", 0, -1, fn_println },
	{ "slice", 1, -1, fn_slice },
	{ "urlquery", 0, -1, fn_urlquery },
	{ NULL, 0, 0, NULL },
};

static const struct tfunc *const tables[] = { functions_go, functions_text, functions_data, functions_misc };

const struct tfunc *function_find(struct str name)
{
	for (size_t t = 0; t < COUNT_OF(tables); t++)
		for (const struct tfunc *f = tables[t]; f->name; f++)
			if (str_eq(name, str_from(f->name)))
				return f;
	return NULL;
}

const char *template_function_name(size_t index)
{
	for (size_t t = 0; t < COUNT_OF(tables); t++)
		for (const struct tfunc *f = tables[t]; f->name; f++)
			if (index-- == 0)
				return f->name;
	return NULL;
}
