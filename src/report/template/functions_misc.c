/* The rest of sprig's functions: defaults and types, JSON, encodings and digests, times, paths, regular expressions, the
 * environment. What would need a network, a key or chance (getHostByName, genPrivateKey, randAlpha, uuidv4) is not here:
 * a report is the same each time. */
#include "report/template/internal.h"

#include "base/base.h"
#include "base/hash.h"
#include "base/json.h"
#include "report/text.h"

#include <openssl/evp.h>

typedef const struct tv *args_t;

static int give(struct run *r, struct buf *out, struct tv *ret)
{
	*ret = tv_str(str_dup(r->arena, buf_view(out)));
	return want_room(r, out->overflow ? SIZE_MAX : 0);
}

/* --- defaults and types --- */

static int fn_default(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)r;
	*ret = count == 1 || !tv_truth(&args[1]) ? args[0] : args[1];
	return 0;
}

static int fn_empty(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_bool(!tv_truth(&args[0])), 0;
}


static int fn_coalesce(struct run *r, args_t args, size_t count, struct tv *ret)
{
	(void)r;
	for (size_t i = 0; i < count; i++)
		if (tv_truth(&args[i])) {
			*ret = args[i];
			return 0;
		}
	*ret = (struct tv){ 0 };
	return 0;
}

static size_t true_count(args_t args, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += tv_truth(&args[i]);
	return n;
}

static int fn_all(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)r, *ret = tv_bool(true_count(args, n) == n), 0; }
static int fn_any(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)r, *ret = tv_bool(true_count(args, n) > 0), 0; }

static int fn_ternary(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)n;
	if (args[2].kind != TV_BOOL)
		return run_fail(r, ERR_USAGE, "ternary: true or false is wanted");
	*ret = args[2].boolean ? args[0] : args[1];
	return 0;
}

static int fn_type_of(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)n, *ret = tv_str(tv_type_name(r->arena, &args[0])), 0;
}

static int fn_kind_of(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_str(str_from(tv_kind_name(&args[0]))), 0;
}

static int fn_type_is(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str name;
	(void)n;
	int rc = want_str(r, &args[0], &name);
	*ret = tv_bool(rc == 0 && str_eq(name, tv_type_name(r->arena, &args[1])));
	return rc;
}

static int fn_kind_is(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str name;
	(void)n;
	int rc = want_str(r, &args[0], &name);
	*ret = tv_bool(rc == 0 && str_eq(name, str_from(tv_kind_name(&args[1]))));
	return rc;
}

static int fn_deep_equal(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)r, (void)n, *ret = tv_bool(tv_equal(&args[0], &args[1])), 0;
}

static int fn_same(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)r, (void)n, *ret = args[0], 0; }

static int fn_fail(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)n, (void)ret;
	return run_fail(r, ERR_USAGE, "the template says: %.*s", STR_ARG(tv_text(r->arena, &args[0])));
}

/* --- JSON --- */

static struct value *to_value(struct arena *a, const struct tv *v, unsigned depth)
{
	struct value *out;
	if (depth > VALUE_DEPTH_MAX - 2)
		return value_new_null(a);
	switch (v->kind) {
	case TV_BOOL:
		return value_new_bool(a, v->boolean);
	case TV_INT:
		return value_new_int(a, v->integer);
	case TV_FLOAT:
		return value_new_double(a, v->number);
	case TV_STRING:
		return value_new_str(a, v->string);
	case TV_TIME:
		return value_new_str(a, tv_text(a, v));
	case TV_LIST:
		out = value_new_list(a);
		for (size_t i = 0; i < v->list.len; i++)
			value_add(a, out, to_value(a, &v->list.items[i], depth + 1));
		return out;
	case TV_MAP:
		out = value_new_map(a);
		for (size_t i = 0; i < v->map->len; i++)
			value_set(a, out, v->map->ptr[i].key, to_value(a, &v->map->ptr[i].value, depth + 1));
		return out;
	default:
		return value_new_null(a);
	}
}

/* Go escapes <, > and & in JSON unless told not to, and writes whole doubles without a point. */
static void put_json(struct arena *a, struct buf *out, const struct value *v, unsigned indent, unsigned level, bool raw);

static void put_json_text(struct buf *out, struct str s, bool raw)
{
	buf_byte(out, '"');
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = text_decode(str_sub(s, i, s.len), &n);
		static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
		const char *simple = code && code < 0x80 ? strchr(from, (int)code) : NULL;
		if (simple)
			buf_printf(out, "\\%c", to[simple - from]);
		else if (code < 0x20 || code == 0x2028 || code == 0x2029 || (!raw && (code == '<' || code == '>' || code == '&')))
			buf_printf(out, "\\u%04x", (unsigned)code);
		else if (code == UINT32_MAX)
			buf_put(out, STR("\\ufffd"));
		else
			buf_put(out, str_sub(s, i, i + n));
	}
	buf_byte(out, '"');
}

static void json_line(struct buf *out, unsigned indent, unsigned level)
{
	if (indent == 0)
		return;
	buf_byte(out, '\n');
	for (unsigned i = 0; i < indent * level; i++)
		buf_byte(out, ' ');
}

static void put_json_items(struct arena *a, struct buf *out, const struct value *v, unsigned indent, unsigned level, bool raw)
{
	bool is_map = v->kind == VALUE_MAP;
	size_t len = value_len(v);
	buf_byte(out, is_map ? '{' : '[');
	for (size_t i = 0; i < len; i++) {
		if (i)
			buf_byte(out, ',');
		json_line(out, indent, level + 1);
		if (is_map) {
			put_json_text(out, v->map.pairs[i].key, raw);
			buf_put(out, indent ? STR(": ") : STR(":"));
		}
		put_json(a, out, is_map ? v->map.pairs[i].value : v->list.items[i], indent, level + 1, raw);
	}
	if (len)
		json_line(out, indent, level);
	buf_byte(out, is_map ? '}' : ']');
}

static void put_json(struct arena *a, struct buf *out, const struct value *v, unsigned indent, unsigned level, bool raw)
{
	if (v->kind == VALUE_STRING)
		put_json_text(out, v->string, raw);
	else if (v->kind == VALUE_LIST || v->kind == VALUE_MAP)
		put_json_items(a, out, v, indent, level, raw);
	else if (v->kind == VALUE_DOUBLE)
		buf_put(out, format_float(a, v->number, 'j', -1));
	else
		(void)json_print(out, v, 0);
}

static int json_of(struct run *r, args_t args, unsigned indent, bool raw, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	const struct value *v = args[0].kind == TV_STRUCT && args[0].object ? args[0].object : to_value(r->arena, &args[0], 0);
	buf_init(&out, TEMPLATE_TEXT_MAX);
	put_json(r->arena, &out, v, indent, 0, raw);
	return give(r, &out, ret);
}

static int fn_to_json(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, json_of(r, args, 0, false, ret); }
static int fn_to_pretty_json(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, json_of(r, args, 2, false, ret); }
static int fn_to_raw_json(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, json_of(r, args, 0, true, ret); }

static int fn_from_json(struct run *r, args_t args, size_t n, struct tv *ret)
{
	static const struct tv_field any = { .kind = TV_NONE };
	struct str text;
	struct value *v;
	(void)n;
	int rc = want_str(r, &args[0], &text);
	if (rc < 0)
		return rc;
	*ret = (struct tv){ 0 };
	if (json_parse(r->arena, text, &v, NULL) == 0)
		*ret = template_value(r->arena, v, &any);
	return 0;
}

/* --- encodings and digests --- */

static int fn_b64enc(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str s;
	(void)n;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0 || (rc = want_room(r, s.len * 2)) < 0)
		return rc;
	unsigned char *out = arena_alloc(r->arena, s.len / 3 * 4 + 8);
	int len = EVP_EncodeBlock(out, (const unsigned char *)s.ptr, (int)s.len);
	*ret = tv_str((struct str){ (const char *)out, (size_t)len });
	return 0;
}

static int fn_b64dec(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str s;
	(void)n;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0 || (rc = want_room(r, s.len)) < 0)
		return rc;
	unsigned char *out = arena_alloc(r->arena, s.len + 4);
	int len = s.len % 4 ? -1 : EVP_DecodeBlock(out, (const unsigned char *)s.ptr, (int)s.len);
	if (len < 0)
		return run_fail(r, ERR_USAGE, "b64dec: this is no base64");
	size_t padding = s.len > 1 && s.ptr[s.len - 2] == '=' ? 2 : s.len > 0 && s.ptr[s.len - 1] == '=' ? 1 : 0;
	*ret = tv_str((struct str){ (const char *)out, (size_t)len - padding });
	return 0;
}

static int digest(struct run *r, args_t args, const EVP_MD *kind, struct tv *ret)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	if (!EVP_Digest(s.ptr ? s.ptr : "", s.len, bytes, &size, kind, NULL))
		return run_fail(r, ERR_UNSUPPORTED, "this digest is not to be had here");
	buf_init(&out, 256);
	for (unsigned i = 0; i < size; i++)
		buf_printf(&out, "%02x", bytes[i]);
	return give(r, &out, ret);
}

static int fn_sha1sum(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, digest(r, args, EVP_sha1(), ret); }
static int fn_sha256sum(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, digest(r, args, EVP_sha256(), ret); }
static int fn_sha512sum(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, digest(r, args, EVP_sha512(), ret); }

/* --- times --- */

static int fn_now(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)args, (void)n;
	*ret = (struct tv){ .kind = TV_TIME, .integer = r->env->now };
	return 0;
}

static int date(struct run *r, struct str layout, const struct tv *v, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, TEMPLATE_TEXT_MAX);
	format_time(&out, v->kind == TV_TIME || v->kind == TV_INT ? v->integer : r->env->now, layout);
	return give(r, &out, ret);
}

static int fn_date(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str layout;
	(void)n;
	int rc = want_str(r, &args[0], &layout);
	return rc < 0 ? rc : date(r, layout, &args[1], ret);
}

static int fn_date_in_zone(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str layout, zone;
	(void)n;
	int rc = want_str(r, &args[0], &layout);
	if (rc < 0 || (rc = want_str(r, &args[2], &zone)) < 0)
		return rc;
	if (!str_eq(zone, STR("UTC")) && !str_eq(zone, STR("GMT")) && zone.len)
		return run_fail(r, ERR_UNSUPPORTED, "dateInZone: UTC is the only zone here");
	return date(r, layout, &args[1], ret);
}

static int fn_html_date(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)n, date(r, STR("2006-01-02"), &args[0], ret);
}

static int fn_unix_epoch(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)n;
	return *ret = tv_str(arena_printf(r->arena, "%jd", (intmax_t)args[0].integer)), 0;
}

static int fn_current_time(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct tv now;
	(void)fn_now(r, args, n, &now);
	return date(r, STR("2006-01-02T15:04:05Z07:00"), &now, ret);
}

static int fn_app_version(struct run *r, args_t args, size_t n, struct tv *ret)
{
	(void)args, (void)n;
	*ret = tv_str(r->env->app_version);
	return 0;
}

static int fn_env(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str name;
	(void)n;
	int rc = want_str(r, &args[0], &name);
	if (rc == 0)
		*ret = tv_str(str_dup(r->arena, str_from(getenv(str_cstr(r->arena, name)))));
	return rc;
}

/* --- paths --- */

static int fn_base(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str s;
	(void)n;
	int rc = want_str(r, &args[0], &s);
	while (s.len > 1 && str_drop(&s, STR("/")))
		;
	*ret = tv_str(s.len == 0 ? STR(".") : s.len == 1 ? s : str_sub(s, (size_t)(str_rfind(s, '/') + 1), s.len));
	return rc;
}

static int fn_dir(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str s;
	(void)n;
	int rc = want_str(r, &args[0], &s);
	ptrdiff_t slash = rc == 0 ? str_rfind(s, '/') : -1;
	s = slash < 0 ? STR(".") : slash == 0 ? STR("/") : str_sub(s, 0, (size_t)slash);
	while (s.len > 1 && str_drop(&s, STR("/")))
		;
	*ret = tv_str(s);
	return rc;
}

static int fn_ext(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct str s;
	(void)n;
	int rc = want_str(r, &args[0], &s);
	ptrdiff_t dot = rc == 0 ? str_rfind(s, '.') : -1;
	*ret = tv_str(dot > str_rfind(s, '/') ? str_sub(s, (size_t)dot, s.len) : STR(""));
	return rc;
}

/* --- regular expressions --- */

static int compile(struct run *r, const struct tv *pattern, struct regex **ret)
{
	struct err err = { 0 };
	struct str text;
	int rc = want_str(r, pattern, &text);
	if (rc < 0)
		return rc;
	rc = regex_compile(r->arena, text, ret, &err);
	return rc < 0 ? run_fail(r, rc, "a bad regular expression: %s", err.text) : 0;
}

struct matches {
	struct regex *re;
	struct str text;
	size_t at;
	bool done;
	ptrdiff_t groups[2 * REGEX_GROUPS_MAX], last_end;
};

/* One match after another, an empty one not right behind another match: as Go's FindAll. */
static bool next_match(struct run *r, struct matches *m)
{
	while (!m->done && m->at <= m->text.len) {
		r->steps += 1 + (m->text.len - m->at) / 16;
		if (!regex_match(r->arena, m->re, m->text, m->at, m->groups)) {
			m->done = true;
			return false;
		}
		size_t end = (size_t)m->groups[1], n = 1;
		bool empty = m->groups[0] == m->groups[1], wanted = !empty || m->groups[0] != m->last_end;
		if (empty && end < m->text.len)
			(void)text_decode(str_sub(m->text, end, m->text.len), &n);
		m->at = empty ? end + n : end;
		m->last_end = m->groups[1];
		if (wanted)
			return true;
	}
	return false;
}

static int begin_matches(struct run *r, const struct tv *pattern, const struct tv *text, struct matches *ret)
{
	*ret = (struct matches){ .last_end = -1 };
	int rc = want_str(r, text, &ret->text);
	return rc < 0 ? rc : compile(r, pattern, &ret->re);
}

static struct str matched(const struct matches *m) { return str_sub(m->text, (size_t)m->groups[0], (size_t)m->groups[1]); }

static int fn_regex_match(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct matches m;
	(void)n;
	int rc = begin_matches(r, &args[0], &args[1], &m);
	*ret = tv_bool(rc == 0 && next_match(r, &m));
	return rc;
}

static int fn_regex_find(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct matches m;
	(void)n;
	int rc = begin_matches(r, &args[0], &args[1], &m);
	*ret = tv_str(rc == 0 && next_match(r, &m) ? matched(&m) : STR(""));
	return rc;
}

static int fn_regex_find_all(struct run *r, args_t args, size_t n, struct tv *ret)
{
	VEC(struct str) found = { 0 };
	struct matches m;
	int64_t most;
	(void)n;
	int rc = begin_matches(r, &args[0], &args[1], &m);
	if (rc < 0 || (rc = want_int(r, &args[2], &most)) < 0)
		return rc;
	while ((most < 0 || found.len < (uint64_t)most) && next_match(r, &m)) {
		*vec_push(r->arena, &found) = matched(&m);
		if ((rc = run_step(r)) < 0)
			return rc;
	}
	*ret = tv_strings(r->arena, found.ptr, found.len);
	return 0;
}

/* "$1", "${1}", "${name}", "$$". */
static void expand(struct buf *out, const struct matches *m, struct str with)
{
	while (with.len) {
		struct str name;
		if (!str_skip(&with, STR("$"))) {
			buf_byte(out, (uint8_t)with.ptr[0]);
			with = str_sub(with, 1, with.len);
			continue;
		}
		if (str_skip(&with, STR("$"))) {
			buf_byte(out, '$');
			continue;
		}
		bool braces = str_skip(&with, STR("{"));
		size_t len = 0, group = REGEX_GROUPS_MAX;
		uint64_t number;
		while (len < with.len && (ascii_alnum(with.ptr[len]) || with.ptr[len] == '_'))
			len++;
		name = str_sub(with, 0, len);
		if (len == 0) {
			buf_put(out, braces ? STR("${") : STR("$"));
			continue;
		}
		with = str_sub(with, len, with.len);
		if (braces)
			(void)str_skip(&with, STR("}"));
		if (str_to_u64(name, &number))
			group = number < REGEX_GROUPS_MAX ? (size_t)number : REGEX_GROUPS_MAX;
		for (size_t i = 1; i <= regex_group_count(m->re) && group == REGEX_GROUPS_MAX; i++)
			if (str_eq(regex_group_name(m->re, i), name))
				group = i;
		if (group < REGEX_GROUPS_MAX && m->groups[2 * group] >= 0)
			buf_put(out, str_sub(m->text, (size_t)m->groups[2 * group], (size_t)m->groups[2 * group + 1]));
	}
}

static int replace_all(struct run *r, args_t args, bool literal, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct matches m;
	struct str with;
	size_t at = 0;
	int rc = begin_matches(r, &args[0], &args[1], &m);
	if (rc < 0 || (rc = want_str(r, &args[2], &with)) < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	while (next_match(r, &m)) {
		if ((rc = run_step(r)) < 0)
			return rc;
		buf_put(&out, str_sub(m.text, at, (size_t)m.groups[0]));
		if (literal)
			buf_put(&out, with);
		else
			expand(&out, &m, with);
		at = (size_t)m.groups[1];
	}
	buf_put(&out, str_sub(m.text, at, m.text.len));
	return give(r, &out, ret);
}

static int fn_regex_replace(struct run *r, args_t args, size_t n, struct tv *ret) { return (void)n, replace_all(r, args, false, ret); }
static int fn_regex_replace_literal(struct run *r, args_t args, size_t n, struct tv *ret)
{
	return (void)n, replace_all(r, args, true, ret);
}


static int fn_regex_split(struct run *r, args_t args, size_t n, struct tv *ret)
{
	VEC(struct str) out = { 0 };
	struct matches m;
	int64_t most;
	size_t at = 0;
	(void)n;
	int rc = begin_matches(r, &args[0], &args[1], &m);
	if (rc < 0 || (rc = want_int(r, &args[2], &most)) < 0)
		return rc;
	while ((most < 0 || out.len + 1 < (uint64_t)most) && next_match(r, &m)) {
		if ((rc = run_step(r)) < 0)
			return rc;
		if (m.groups[1] == 0)
			continue;
		*vec_push(r->arena, &out) = str_sub(m.text, at, (size_t)m.groups[0]);
		at = (size_t)m.groups[1];
	}
	if (most != 0 && (at != m.text.len || m.groups[0] != m.groups[1] || out.len == 0))
		*vec_push(r->arena, &out) = str_sub(m.text, at, m.text.len);
	*ret = tv_strings(r->arena, out.ptr, out.len);
	return 0;
}

static int fn_regex_quote(struct run *r, args_t args, size_t n, struct tv *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct str s;
	(void)n;
	int rc = want_str(r, &args[0], &s);
	if (rc < 0)
		return rc;
	buf_init(&out, TEMPLATE_TEXT_MAX);
	for (size_t i = 0; i < s.len; i++)
		buf_printf(&out, s.ptr[i] && strchr("\\.+*?()|[]{}^$", s.ptr[i]) ? "\\%c" : "%c", s.ptr[i]);
	return give(r, &out, ret);
}

const struct tfunc functions_misc[] = {
	{ "all", 0, -1, fn_all },
	{ "any", 0, -1, fn_any },
	{ "appVersion", 0, 0, fn_app_version },
	{ "b64dec", 1, 1, fn_b64dec },
	{ "b64enc", 1, 1, fn_b64enc },
	{ "base", 1, 1, fn_base },
	{ "coalesce", 0, -1, fn_coalesce },
	{ "date", 2, 2, fn_date },
	{ "dateInZone", 3, 3, fn_date_in_zone },
	{ "date_in_zone", 3, 3, fn_date_in_zone },
	{ "deepCopy", 1, 1, fn_same },
	{ "deepEqual", 2, 2, fn_deep_equal },
	{ "default", 1, 2, fn_default },
	{ "dir", 1, 1, fn_dir },
	{ "empty", 1, 1, fn_empty },
	{ "env", 1, 1, fn_env },
	{ "ext", 1, 1, fn_ext },
	{ "fail", 1, 1, fn_fail },
	{ "fromJson", 1, 1, fn_from_json },
	{ "getCurrentTime", 0, 0, fn_current_time },
	{ "getEnv", 1, 1, fn_env },
	{ "htmlDate", 1, 1, fn_html_date },
	{ "kindIs", 2, 2, fn_kind_is },
	{ "kindOf", 1, 1, fn_kind_of },
	{ "now", 0, 0, fn_now },
	{ "regexFind", 2, 2, fn_regex_find },
	{ "regexFindAll", 3, 3, fn_regex_find_all },
	{ "regexMatch", 2, 2, fn_regex_match },
	{ "regexQuoteMeta", 1, 1, fn_regex_quote },
	{ "regexReplaceAll", 3, 3, fn_regex_replace },
	{ "regexReplaceAllLiteral", 3, 3, fn_regex_replace_literal },
	{ "regexSplit", 3, 3, fn_regex_split },
	{ "sha1sum", 1, 1, fn_sha1sum },
	{ "sha256sum", 1, 1, fn_sha256sum },
	{ "sha512sum", 1, 1, fn_sha512sum },
	{ "ternary", 3, 3, fn_ternary },
	{ "toJson", 1, 1, fn_to_json },
	{ "toPrettyJson", 1, 1, fn_to_pretty_json },
	{ "toRawJson", 1, 1, fn_to_raw_json },
	{ "typeIs", 2, 2, fn_type_is },
	{ "typeOf", 1, 1, fn_type_of },
	{ "unixEpoch", 1, 1, fn_unix_epoch },
	{ NULL, 0, 0, NULL },
};
