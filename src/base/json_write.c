/* JSON printer and streaming writer: see json.h.
 * What is written is always well-formed UTF-8 and safe on a terminal: control characters are escaped, C1 and DEL
 * too (a raw U+009B steers some terminals), and bytes that are no UTF-8 become U+FFFD. */
#include "base/base.h"
#include "base/json.h"
#include "base/number.h"
#include "base/utf8.h"

#include <math.h>

/* --- pieces that both share --- */

static inline bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static struct str escape_code(uint32_t code, char out[8])
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *simple = code ? strchr(from, (int)code) : NULL;
	if (simple) {
		out[0] = '\\';
		out[1] = to[simple - from];
		return (struct str){ out, 2 };
	}
	int n = snprintf(out, 8, "\\u%04x", code & 0xffff);
	return (struct str){ out, (size_t)n };
}

/* Takes the next piece off *rest (not empty): a run that stands for itself, or one character escaped into out. */
static struct str next_piece(struct str *rest, char out[8])
{
	const uint8_t *s = (const uint8_t *)rest->ptr;
	size_t i = 0, n = 1;
	while (i < rest->len && is_plain(s[i]))
		i++;
	while (i < rest->len) {
		n = s[i] < 0x80 ? is_plain(s[i]) : utf8_len(s + i, rest->len - i);
		if (n == 0 || (s[i] == 0xc2 && s[i + 1] < 0xa0))
			break;
		i += n;
	}
	if (i > 0) {
		struct str plain = str_sub(*rest, 0, i);
		*rest = str_sub(*rest, i, rest->len);
		return plain;
	}
	if (n == 2) {
		*rest = str_sub(*rest, 2, rest->len);
		return escape_code(s[1], out);
	}
	*rest = str_sub(*rest, 1, rest->len);
	return s[0] < 0x80 ? escape_code(s[0], out) : STR("\xef\xbf\xbd");
}

/* With a point or an exponent, so that it is read as a double again. JSON has no infinity and no NaN: null. */
static bool put_double(struct buf *out, double v)
{
	char tmp[NUMBER_TEXT_MAX];
	if (!isfinite(v))
		return buf_put(out, STR("null"));
	struct str text = number_shortest(v, tmp);
	bool marked = str_find(text, '.') >= 0 || str_find(text, 'e') >= 0;
	return buf_put(out, text) && (marked || buf_put(out, STR(".0")));
}

/* --- tree into a buffer --- */

static bool put_string(struct buf *out, struct str s)
{
	char tmp[8];
	bool ok = buf_byte(out, '"');
	while (ok && s.len > 0)
		ok = buf_put(out, next_piece(&s, tmp));
	return ok && buf_byte(out, '"');
}

/* RFC 4648 section 4, as CEL's JSON form of bytes. */
static bool put_base64(struct buf *out, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	bool ok = buf_byte(out, '"');
	for (size_t i = 0; ok && i < s.len; i += 3) {
		size_t n = s.len - i < 3 ? s.len - i : 3;
		uint32_t v = 0;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (uint8_t)s.ptr[i + k] : 0);
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63], digits[v & 63] };
		for (size_t k = n + 1; k < 4; k++)
			four[k] = '=';
		ok = buf_put_mem(out, four, 4);
	}
	return ok && buf_byte(out, '"');
}

static bool new_line(struct buf *out, unsigned spaces)
{
	bool ok = buf_byte(out, '\n');
	for (unsigned i = 0; ok && i < spaces; i++)
		ok = buf_byte(out, ' ');
	return ok;
}

static bool put_value(struct buf *out, const struct value *v, unsigned indent, unsigned depth);

static bool put_children(struct buf *out, const struct value *v, unsigned indent, unsigned depth)
{
	bool is_map = v->kind == VALUE_MAP;
	size_t len = value_len(v);
	bool ok = buf_byte(out, is_map ? '{' : '[');
	for (size_t i = 0; ok && i < len; i++) {
		ok = (i == 0 || buf_byte(out, ',')) && (indent == 0 || new_line(out, indent * (depth + 1)));
		if (ok && is_map)
			ok = put_string(out, v->map.pairs[i].key) && buf_put(out, indent ? STR(": ") : STR(":"));
		if (ok)
			ok = put_value(out, is_map ? v->map.pairs[i].value : v->list.items[i], indent, depth + 1);
	}
	if (ok && indent && len > 0)
		ok = new_line(out, indent * depth);
	return ok && buf_byte(out, is_map ? '}' : ']');
}

static bool put_value(struct buf *out, const struct value *v, unsigned indent, unsigned depth)
{
	switch (v->kind) {
	case VALUE_NULL: return buf_put(out, STR("null"));
	case VALUE_BOOL: return buf_put(out, v->boolean ? STR("true") : STR("false"));
	case VALUE_INT: return buf_printf(out, "%lld", (long long)v->integer);
	case VALUE_UINT: return buf_printf(out, "%llu", (unsigned long long)v->uinteger);
	case VALUE_DOUBLE: return put_double(out, v->number);
	case VALUE_STRING: return put_string(out, v->string);
	case VALUE_BYTES: return put_base64(out, v->string);
	case VALUE_LIST: case VALUE_MAP: return put_children(out, v, indent, depth);
	}
	return false;
}

bool json_print(struct buf *out, const struct value *v, unsigned indent)
{
	return put_value(out, v, indent, 0);
}

/* --- streaming writer --- */

/* One thread writes a report: stdio's lock at every comma would cost a third of the time. */
static void write_raw(struct json_writer *w, struct str s)
{
	(void)fwrite_unlocked(s.ptr, 1, s.len, w->out);
}

static void write_new_line(struct json_writer *w)
{
	if (w->indent == 0)
		return;
	(void)putc_unlocked('\n', w->out);
	static const char spaces[] = "                                ";
	for (size_t left = (size_t)w->indent * w->depth; left > 0;) {
		size_t n = left < sizeof(spaces) - 1 ? left : sizeof(spaces) - 1;
		(void)fwrite_unlocked(spaces, 1, n, w->out);
		left -= n;
	}
}

/* What stands between the last thing written and the next item or key. */
static void write_lead(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (!w->first)
		(void)putc_unlocked(',', w->out);
	if (w->depth > 0)
		write_new_line(w);
	w->first = false;
}

static void write_begin(struct json_writer *w, char bracket)
{
	write_lead(w);
	(void)putc_unlocked(bracket, w->out);
	w->depth++;
	w->first = true;
}

static void write_end(struct json_writer *w, char bracket)
{
	if (w->depth == 0)
		abort();
	w->depth--;
	if (!w->first)
		write_new_line(w);
	(void)putc_unlocked(bracket, w->out);
	w->first = false;
}

static void write_string(struct json_writer *w, struct str s)
{
	char tmp[8];
	(void)putc_unlocked('"', w->out);
	while (s.len > 0)
		write_raw(w, next_piece(&s, tmp));
	(void)putc_unlocked('"', w->out);
}

void json_writer_init(struct json_writer *w, FILE *out, unsigned indent)
{
	*w = (struct json_writer){ .out = out, .indent = indent, .first = true };
}

void json_begin_map(struct json_writer *w) { write_begin(w, '{'); }
void json_end_map(struct json_writer *w) { write_end(w, '}'); }
void json_begin_list(struct json_writer *w) { write_begin(w, '['); }
void json_end_list(struct json_writer *w) { write_end(w, ']'); }

/* What stands before a key, and a key that needs no escapes, at once: reports are mostly keys. 0: not in this way. */
static size_t key_text(const struct json_writer *w, struct str key, char *out, size_t size)
{
	size_t spaces = w->depth > 0 ? (size_t)w->indent * w->depth : 0, n = 0;
	if (w->after_key || spaces + key.len + 8 > size)
		return 0;
	if (!w->first)
		out[n++] = ',';
	if (spaces)
		out[n++] = '\n';
	memset(out + n, ' ', spaces);
	n += spaces;
	out[n++] = '"';
	for (size_t i = 0; i < key.len; i++) {
		if (!is_plain((unsigned char)key.ptr[i]))
			return 0;
		out[n++] = key.ptr[i];
	}
	out[n++] = '"';
	out[n++] = ':';
	if (w->indent)
		out[n++] = ' ';
	return n;
}

void json_key(struct json_writer *w, const char *key)
{
	char text[128];
	size_t n = key_text(w, str_from(key), text, sizeof(text));
	if (n) {
		(void)fwrite_unlocked(text, 1, n, w->out);
		w->first = false;
	} else {
		write_lead(w);
		write_string(w, str_from(key));
		write_raw(w, w->indent ? STR(": ") : STR(":"));
	}
	w->after_key = true;
}

void json_key_text(struct json_writer *w, struct str key)
{
	write_lead(w);
	write_string(w, key);
	write_raw(w, w->indent ? STR(": ") : STR(":"));
	w->after_key = true;
}

void json_str(struct json_writer *w, struct str s)
{
	write_lead(w);
	write_string(w, s);
}

void json_cstr(struct json_writer *w, const char *s)
{
	json_str(w, str_from(s));
}

void json_int(struct json_writer *w, int64_t v)
{
	write_lead(w);
	(void)fprintf(w->out, "%lld", (long long)v);
}

void json_double(struct json_writer *w, double v, int decimals)
{
	char tmp[NUMBER_TEXT_MAX];
	write_lead(w);
	write_raw(w, isfinite(v) ? number_fixed(v, decimals, tmp) : STR("null"));
}

void json_bool(struct json_writer *w, bool v)
{
	write_lead(w);
	write_raw(w, v ? STR("true") : STR("false"));
}

void json_null(struct json_writer *w)
{
	write_lead(w);
	write_raw(w, STR("null"));
}

void json_key_str(struct json_writer *w, const char *key, struct str s)
{
	if (s.len == 0)
		return;
	json_key(w, key);
	json_str(w, s);
}
