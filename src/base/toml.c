/* TOML: see toml.h. A cursor over the text; what each table may still take (by which kind of line it came to be) is kept
 * beside the tree. Look-ups go through one hash table, so that a file with many keys is not quadratic. */
#include "base/toml.h"
#include "base/base.h"
#include "base/toml_scalar.h"
#include "base/utf8.h"

/* How a table or list came to be. */
enum origin {
	ORIGIN_HEADER = 1,   /* [a] or [[a]]: it may not be named by a header again */
	ORIGIN_IMPLICIT = 2, /* on the way of a header */
	ORIGIN_DOTTED = 4,   /* on the way of a dotted key */
	ORIGIN_CLOSED = 8,   /* inline table, list of values: takes nothing more */
};

struct parser {
	struct arena *a;
	struct str text;
	size_t at;
	uint32_t line;
	unsigned depth;
	struct value *root, *table;
	struct map entries; /* table's address and key -> value's address */
	struct map origins; /* value's address -> enum origin */
	struct err *err;
};

struct key {
	struct str parts[VALUE_DEPTH_MAX / 2];
	size_t len;
};

static int fail(struct parser *p, const char *what)
{
	return err_set(p->err, ERR_FORMAT, "line %u: %s", p->line, what);
}

/* --- the cursor --- */

static int peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->text.len ? (unsigned char)p->text.ptr[p->at + ahead] : -1;
}

static bool take(struct parser *p, const char *what)
{
	struct str rest = str_sub(p->text, p->at, p->text.len), w = str_from(what);
	if (!str_starts(rest, w))
		return false;
	p->at += w.len;
	return true;
}

static void skip_blanks(struct parser *p)
{
	while (peek(p, 0) == ' ' || peek(p, 0) == '\t')
		p->at++;
}

static bool take_newline(struct parser *p)
{
	if (!take(p, "\n") && !take(p, "\r\n"))
		return false;
	p->line++;
	return true;
}

static bool control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

static int skip_comment(struct parser *p)
{
	if (peek(p, 0) != '#')
		return 0;
	while (peek(p, 0) >= 0 && peek(p, 0) != '\n' && !(peek(p, 0) == '\r' && peek(p, 1) == '\n')) {
		if (control(peek(p, 0)))
			return fail(p, "a control character in a comment");
		p->at++;
	}
	return 0;
}

static int end_line(struct parser *p)
{
	skip_blanks(p);
	if (skip_comment(p) < 0)
		return ERR_FORMAT;
	return peek(p, 0) < 0 || take_newline(p) ? 0 : fail(p, "something stands behind the end of an entry");
}

static int skip_lines(struct parser *p)
{
	do {
		skip_blanks(p);
		if (skip_comment(p) < 0)
			return ERR_FORMAT;
	} while (take_newline(p));
	return 0;
}

/* --- strings --- */

static void put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		(void)buf_byte(b, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		(void)buf_byte(b, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			(void)buf_byte(b, (uint8_t)(0xe0 | c >> 12));
		} else {
			(void)buf_byte(b, (uint8_t)(0xf0 | c >> 18));
			(void)buf_byte(b, (uint8_t)(0x80 | (c >> 12 & 63)));
		}
		(void)buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 63)));
	}
	(void)buf_byte(b, (uint8_t)(0x80 | (c & 63)));
}

static int take_unicode(struct parser *p, size_t digits, struct buf *b)
{
	uint64_t c;
	struct str hex = str_sub(p->text, p->at, p->at + digits);
	if (hex.len != digits || !str_to_u64_base(hex, 16, &c) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return fail(p, "an escape that is no character");
	p->at += digits;
	put_utf8(b, (uint32_t)c);
	return 0;
}

/* A backslash at the end of a line swallows it and the white space that follows. */
static bool take_line_end(struct parser *p)
{
	size_t at = p->at;
	uint32_t line = p->line;
	skip_blanks(p);
	if (!take_newline(p)) {
		p->at = at;
		p->line = line;
		return false;
	}
	do
		skip_blanks(p);
	while (take_newline(p));
	return true;
}

static int take_escape(struct parser *p, bool multi, struct buf *b)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	if (multi && take_line_end(p))
		return 0;
	int c = peek(p, 0);
	const char *found = c > 0 ? strchr(from, c) : NULL;
	p->at++;
	if (found)
		return buf_byte(b, (uint8_t)to[found - from]) ? 0 : fail(p, "too long");
	if (c == 'u' || c == 'U')
		return take_unicode(p, c == 'u' ? 4 : 8, b);
	return fail(p, "an escape that is not known");
}

static int one_line(struct parser *p, char quote, struct buf *b)
{
	for (;;) {
		int c = peek(p, 0);
		if (c < 0 || control(c))
			return fail(p, "a string that does not end on its line, or with a control character in it");
		p->at++;
		if (c == quote)
			return 0;
		if (c == '\\' && quote == '"') {
			if (take_escape(p, false, b) < 0)
				return ERR_FORMAT;
		} else {
			(void)buf_byte(b, (uint8_t)c);
		}
	}
}

/* Up to two quotes may stand before the three that end it. */
static int many_lines(struct parser *p, char quote, struct buf *b)
{
	const char three[4] = { quote, quote, quote, '\0' };
	(void)take_newline(p);
	for (;;) {
		int c = peek(p, 0);
		if (take(p, three)) {
			for (int i = 0; i < 2 && peek(p, 0) == quote; i++, p->at++)
				(void)buf_byte(b, (uint8_t)quote);
			return 0;
		}
		if (c == '\n' || (c == '\r' && peek(p, 1) == '\n')) {
			(void)take_newline(p);
			(void)buf_byte(b, '\n');
			continue;
		}
		if (c < 0 || control(c))
			return fail(p, "a string that does not end, or with a control character in it");
		p->at++;
		if (c == '\\' && quote == '"') {
			if (take_escape(p, true, b) < 0)
				return ERR_FORMAT;
		} else {
			(void)buf_byte(b, (uint8_t)c);
		}
	}
}

static int take_string(struct parser *p, bool may_be_long, struct str *ret)
{
	struct buf BUF_AUTO b = { 0 };
	buf_init(&b, TOML_SIZE_MAX);
	char quote = (char)peek(p, 0);
	const char three[4] = { quote, quote, quote, '\0' };
	int rc;
	if (may_be_long && take(p, three)) {
		rc = many_lines(p, quote, &b);
	} else {
		p->at++;
		rc = one_line(p, quote, &b);
	}
	if (rc == 0)
		*ret = str_dup(p->a, buf_view(&b));
	return rc;
}

/* --- keys --- */

static bool bare(int c)
{
	return c == '_' || c == '-' || (c > 0 && c < 0x80 && ascii_alnum((char)c));
}

static int take_key_part(struct parser *p, struct str *ret)
{
	size_t start = p->at;
	if (peek(p, 0) == '"' || peek(p, 0) == '\'')
		return take_string(p, false, ret);
	while (bare(peek(p, 0)))
		p->at++;
	*ret = str_sub(p->text, start, p->at);
	return ret->len ? 0 : fail(p, "no key where one should stand");
}

static int take_key(struct parser *p, struct key *ret)
{
	ret->len = 0;
	do {
		if (ret->len == COUNT_OF(ret->parts))
			return err_set(p->err, ERR_LIMIT, "line %u: a key of more than %zu parts", p->line, COUNT_OF(ret->parts));
		skip_blanks(p);
		if (take_key_part(p, &ret->parts[ret->len++]) < 0)
			return ERR_FORMAT;
		skip_blanks(p);
	} while (take(p, "."));
	return 0;
}

/* --- tables --- */

static struct str address_key(struct parser *p, const struct value *v, struct str name)
{
	char *k = arena_alloc(p->a, sizeof(v) + name.len);
	memcpy(k, &v, sizeof(v));
	if (name.len)
		memcpy(k + sizeof(v), name.ptr, name.len);
	return (struct str){ k, sizeof(v) + name.len };
}

static void set_origin(struct parser *p, const struct value *v, enum origin o)
{
	*map_put(p->a, &p->origins, address_key(p, v, (struct str){ 0 }), NULL) |= (uint64_t)o;
}

static bool has_origin(struct parser *p, const struct value *v, unsigned any)
{
	const uint64_t *o = map_get(&p->origins, address_key(p, v, (struct str){ 0 }));
	return o && (*o & any);
}

static struct value *find(struct parser *p, const struct value *table, struct str name)
{
	const uint64_t *found = map_get(&p->entries, address_key(p, table, name));
	return found ? (struct value *)(uintptr_t)*found : NULL;
}

static struct value *new_value(struct parser *p, enum value_kind kind)
{
	struct value *v = ARENA_NEW(p->a, struct value);
	v->kind = kind;
	v->line = p->line;
	return v;
}

static void put(struct parser *p, struct value *table, struct str name, struct value *v)
{
	if (table->map.len == table->cap) {
		uint32_t cap = table->cap ? table->cap * 2 : 8;
		table->map.pairs = arena_grow(p->a, table->map.pairs, table->map.len, cap, sizeof(*table->map.pairs));
		table->cap = cap;
	}
	table->map.pairs[table->map.len++] = (struct value_pair){ .key = name, .value = v };
	*map_put(p->a, &p->entries, address_key(p, table, name), NULL) = (uintptr_t)v;
}

/* One step on the way of a header or a dotted key. */
static struct value *step(struct parser *p, struct value *table, struct str name, enum origin made_by)
{
	struct value *v = find(p, table, name);
	if (!v) {
		v = new_value(p, VALUE_MAP);
		set_origin(p, v, made_by);
		put(p, table, name, v);
		return v;
	}
	if (has_origin(p, v, ORIGIN_CLOSED))
		return NULL;
	if (v->kind == VALUE_LIST && made_by == ORIGIN_IMPLICIT)
		return v->list.items[v->list.len - 1];
	if (v->kind != VALUE_MAP)
		return NULL;
	/* What a header made, a dotted key elsewhere may not add to. */
	return made_by == ORIGIN_DOTTED && !has_origin(p, v, ORIGIN_DOTTED) ? NULL : v;
}

static struct value *walk(struct parser *p, struct value *from, const struct key *k, enum origin made_by)
{
	for (size_t i = 0; from && i + 1 < k->len; i++)
		from = step(p, from, k->parts[i], made_by);
	return from;
}

static int table_header(struct parser *p, const struct key *k)
{
	struct value *in = walk(p, p->root, k, ORIGIN_IMPLICIT);
	struct str name = k->parts[k->len - 1];
	struct value *v = in ? find(p, in, name) : NULL;
	if (!in)
		return fail(p, "a table below something that is none");
	if (!v) {
		v = new_value(p, VALUE_MAP);
		put(p, in, name, v);
	} else if (v->kind != VALUE_MAP || has_origin(p, v, ORIGIN_HEADER | ORIGIN_DOTTED | ORIGIN_CLOSED)) {
		return fail(p, "a table that is there already");
	}
	set_origin(p, v, ORIGIN_HEADER);
	p->table = v;
	return 0;
}

static int list_header(struct parser *p, const struct key *k)
{
	struct value *in = walk(p, p->root, k, ORIGIN_IMPLICIT);
	struct str name = k->parts[k->len - 1];
	struct value *list = in ? find(p, in, name) : NULL;
	if (!in)
		return fail(p, "a table below something that is none");
	if (!list) {
		list = new_value(p, VALUE_LIST);
		put(p, in, name, list);
	} else if (list->kind != VALUE_LIST || has_origin(p, list, ORIGIN_CLOSED)) {
		return fail(p, "a list of tables where something else is");
	}
	struct value *v = new_value(p, VALUE_MAP);
	set_origin(p, v, ORIGIN_HEADER);
	value_add(p->a, list, v);
	p->table = v;
	return 0;
}

static int header(struct parser *p)
{
	struct key k = { 0 };
	bool list = take(p, "[[");
	if (!list)
		(void)take(p, "[");
	int rc = take_key(p, &k);
	if (rc < 0)
		return rc;
	if (!take(p, list ? "]]" : "]"))
		return fail(p, "a header that does not end");
	rc = list ? list_header(p, &k) : table_header(p, &k);
	return rc < 0 ? rc : end_line(p);
}

/* --- values --- */

static int take_value(struct parser *p, struct value **ret);

static int entry(struct parser *p, struct value *table)
{
	struct key k = { 0 };
	struct value *v;
	int rc = take_key(p, &k);
	if (rc < 0)
		return rc;
	if (!take(p, "="))
		return fail(p, "no '=' behind a key");
	skip_blanks(p);
	struct value *in = walk(p, table, &k, ORIGIN_DOTTED);
	struct str name = k.parts[k.len - 1];
	if (!in || find(p, in, name))
		return fail(p, "a key that is there already");
	rc = take_value(p, &v);
	if (rc == 0)
		put(p, in, name, v);
	return rc;
}

static int take_list(struct parser *p, struct value **ret)
{
	struct value *list = new_value(p, VALUE_LIST), *item;
	p->at++;
	set_origin(p, list, ORIGIN_CLOSED);
	for (;;) {
		if (skip_lines(p) < 0)
			return ERR_FORMAT;
		if (take(p, "]"))
			break;
		int rc = take_value(p, &item);
		if (rc < 0)
			return rc;
		value_add(p->a, list, item);
		if (skip_lines(p) < 0)
			return ERR_FORMAT;
		if (!take(p, ",") && peek(p, 0) != ']')
			return fail(p, "a list that does not end");
	}
	*ret = list;
	return 0;
}

static int take_inline(struct parser *p, struct value **ret)
{
	struct value *table = new_value(p, VALUE_MAP);
	p->at++;
	skip_blanks(p);
	while (!take(p, "}")) {
		int rc = entry(p, table);
		if (rc < 0)
			return rc;
		skip_blanks(p);
		if (take(p, ",")) {
			skip_blanks(p);
			if (peek(p, 0) == '}')
				return fail(p, "a comma before the end of an inline table");
		} else if (peek(p, 0) != '}') {
			return fail(p, "an inline table that does not end on its line");
		}
	}
	set_origin(p, table, ORIGIN_CLOSED);
	*ret = table;
	return 0;
}

static bool word_char(int c)
{
	return bare(c) || c == '.' || c == '+' || c == ':';
}

static int take_word(struct parser *p, struct value **ret)
{
	size_t start = p->at;
	while (word_char(peek(p, 0)))
		p->at++;
	/* "1979-05-27 07:32:00": one value. */
	if (toml_is_date(str_sub(p->text, start, p->at)) && peek(p, 0) == ' ' && peek(p, 1) >= '0' && peek(p, 1) <= '9') {
		p->at++;
		while (word_char(peek(p, 0)))
			p->at++;
	}
	struct value *v = new_value(p, VALUE_NULL);
	if (!toml_scalar(p->a, str_sub(p->text, start, p->at), v))
		return fail(p, "no value, number, date or time");
	*ret = v;
	return 0;
}

static int take_value(struct parser *p, struct value **ret)
{
	int c = peek(p, 0), rc;
	if (c == '"' || c == '\'') {
		struct value *v = new_value(p, VALUE_STRING);
		rc = take_string(p, true, &v->string);
		*ret = v;
		return rc;
	}
	if (c != '[' && c != '{')
		return take_word(p, ret);
	if (++p->depth > VALUE_DEPTH_MAX / 2)
		return err_set(p->err, ERR_LIMIT, "line %u: nested deeper than VALUE_DEPTH_MAX allows", p->line);
	rc = c == '[' ? take_list(p, ret) : take_inline(p, ret);
	p->depth--;
	return rc;
}

static bool is_utf8(struct str s)
{
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_len((const uint8_t *)s.ptr + i, s.len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

int toml_parse(struct arena *a, struct str text, struct value **ret, struct err *err)
{
	struct parser p = { .a = a, .text = text, .line = 1, .err = err };
	int rc = 0;
	if (text.len > TOML_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "larger than TOML_SIZE_MAX (%zu bytes)", TOML_SIZE_MAX);
	if (!is_utf8(text))
		return err_set(err, ERR_FORMAT, "it is no UTF-8");
	(void)take(&p, "\xef\xbb\xbf");
	p.root = p.table = new_value(&p, VALUE_MAP);
	while (rc == 0) {
		rc = skip_lines(&p);
		if (rc < 0 || peek(&p, 0) < 0)
			break;
		if (peek(&p, 0) == '[') {
			rc = header(&p);
		} else {
			rc = entry(&p, p.table);
			if (rc == 0)
				rc = end_line(&p);
		}
	}
	if (rc == 0)
		*ret = p.root;
	return rc;
}
