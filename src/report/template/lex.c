/* Templates into tokens: see internal.h. Text outside of actions, trim markers, comments, and the words inside, as
 * text/template/parse has them (Go 1.26). Reads nothing but its slice, never past it. */
#include "report/template/internal.h"

#include "base/base.h"
#include "base/utf8.h"

static int lex_fail(struct lexer *l, struct place at, const char *what)
{
	return err_set(l->err, ERR_USAGE, "%u:%u: %s", at.line, at.column, what);
}

static char peek(const struct lexer *l, size_t ahead)
{
	return l->at + ahead < l->text.len ? l->text.ptr[l->at + ahead] : '\0';
}

static bool at_end(const struct lexer *l)
{
	return l->at >= l->text.len;
}

static void advance(struct lexer *l, size_t n)
{
	for (; n > 0 && !at_end(l); n--) {
		if (l->text.ptr[l->at++] == '\n') {
			l->place.line++;
			l->place.column = 1;
		} else {
			l->place.column++;
		}
	}
}

static bool looking_at(const struct lexer *l, struct str word)
{
	return str_starts(str_sub(l->text, l->at, l->text.len), word);
}

static bool is_word(char c)
{
	return ascii_alnum(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Text up to the next action, without what trim markers take away. */
static int lex_text(struct lexer *l, struct token *ret)
{
	ptrdiff_t open = str_find_str(str_sub(l->text, l->at, l->text.len), STR("{{"));
	size_t end = open < 0 ? l->text.len : l->at + (size_t)open;
	struct str text = str_sub(l->text, l->at, end);
	*ret = (struct token){ .kind = TOKEN_TEXT, .at = l->place };
	if (l->trim_next)
		while (text.len && is_blank(text.ptr[0]))
			text = str_sub(text, 1, text.len);
	l->trim_next = false;
	if (open >= 0 && end + 3 < l->text.len && l->text.ptr[end + 2] == '-' && is_blank(l->text.ptr[end + 3]))
		while (text.len && is_blank(text.ptr[text.len - 1]))
			text = str_sub(text, 0, text.len - 1);
	advance(l, end - l->at);
	ret->text = text;
	return 0;
}

/* Behind "{{": the marker, and comments, which are whole actions. */
static int lex_open(struct lexer *l, struct token *ret)
{
	*ret = (struct token){ .kind = TOKEN_OPEN, .at = l->place };
	struct place start = l->place;
	advance(l, 2);
	if (peek(l, 0) == '-' && is_blank(peek(l, 1)))
		advance(l, 2);
	if (!looking_at(l, STR("/*"))) {
		l->inside = true;
		return 0;
	}
	ptrdiff_t close = str_find_str(str_sub(l->text, l->at, l->text.len), STR("*/"));
	if (close < 0)
		return lex_fail(l, start, "unclosed comment");
	advance(l, (size_t)close + 2);
	if (is_blank(peek(l, 0)) && peek(l, 1) == '-' && peek(l, 2) == '}' && peek(l, 3) == '}') {
		advance(l, 4);
		l->trim_next = true;
	} else if (looking_at(l, STR("}}"))) {
		advance(l, 2);
	} else {
		return lex_fail(l, l->place, "a comment ends before its closing delimiter");
	}
	ret->kind = TOKEN_TEXT;
	ret->text = (struct str){ 0 };
	return 0;
}

static int put_code(struct lexer *l, struct buf *out, struct place at, unsigned digits, size_t skip)
{
	uint64_t code;
	char utf8[4];
	if (!str_to_u64_base(str_sub(l->text, l->at + skip, l->at + skip + digits), 16, &code) ||
	    l->at + skip + digits > l->text.len || code > 0x10ffff || (code >= 0xd800 && code < 0xe000 && digits > 2))
		return lex_fail(l, at, "bad escape in a quoted text");
	if (digits == 2)
		buf_byte(out, (uint8_t)code);
	else
		buf_put_mem(out, utf8, utf8_put(utf8, (uint32_t)code));
	advance(l, skip + digits);
	return 0;
}

/* Behind a backslash that has been seen but not passed. */
static int lex_escape(struct lexer *l, struct buf *out, char quote, struct place at)
{
	static const char names[] = "abfnrtv\\", codes[] = "\a\b\f\n\r\t\v\\";
	char c = peek(l, 1);
	const char *name = c ? strchr(names, c) : NULL;
	uint64_t code;
	if (name || c == quote) {
		buf_byte(out, (uint8_t)(name ? codes[name - names] : quote));
		advance(l, 2);
		return 0;
	}
	if (c == 'x' || c == 'u' || c == 'U')
		return put_code(l, out, at, c == 'x' ? 2 : c == 'u' ? 4 : 8, 2);
	if (str_to_u64_base(str_sub(l->text, l->at + 1, l->at + 4), 8, &code) && code < 256 && l->at + 4 <= l->text.len) {
		buf_byte(out, (uint8_t)code);
		advance(l, 4);
		return 0;
	}
	return lex_fail(l, at, "bad escape in a quoted text");
}

static int lex_quoted(struct lexer *l, char quote, struct token *ret)
{
	struct buf BUF_AUTO out = { 0 };
	struct place at = l->place;
	buf_init(&out, l->text.len + 1);
	advance(l, 1);
	while (peek(l, 0) != quote || at_end(l)) {
		if (at_end(l) || peek(l, 0) == '\n')
			return lex_fail(l, at, "unterminated quoted text");
		if (peek(l, 0) != '\\') {
			buf_byte(&out, (uint8_t)peek(l, 0));
			advance(l, 1);
			continue;
		}
		int rc = lex_escape(l, &out, quote, at);
		if (rc < 0)
			return rc;
	}
	advance(l, 1);
	ret->text = str_dup(l->arena, buf_view(&out));
	return 0;
}

static int lex_char(struct lexer *l, struct token *ret)
{
	static const uint32_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	struct place at = l->place;
	int rc = lex_quoted(l, '\'', ret);
	if (rc < 0)
		return rc;
	const uint8_t *p = (const uint8_t *)ret->text.ptr;
	size_t n = utf8_len(p, ret->text.len);
	if (n == 0 || n != ret->text.len)
		return lex_fail(l, at, "a character constant holds one character");
	uint32_t code = p[0] & first_bits[n];
	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	ret->kind = TOKEN_CHAR;
	ret->number = code;
	return 0;
}

static int lex_raw(struct lexer *l, struct token *ret)
{
	struct place at = l->place;
	advance(l, 1);
	ptrdiff_t close = str_find(str_sub(l->text, l->at, l->text.len), '`');
	if (close < 0)
		return lex_fail(l, at, "unterminated raw text");
	ret->text = str_sub(l->text, l->at, l->at + (size_t)close);
	advance(l, (size_t)close + 1);
	return 0;
}

static struct str take_word(struct lexer *l, size_t from)
{
	size_t n = from;
	while (l->at + n < l->text.len && is_word(l->text.ptr[l->at + n]))
		n++;
	struct str word = str_sub(l->text, l->at, l->at + n);
	advance(l, n);
	return word;
}

static void lex_word(struct lexer *l, struct token *ret)
{
	ret->kind = TOKEN_IDENT;
	ret->text = take_word(l, 0);
	if (str_eq(ret->text, STR("true")) || str_eq(ret->text, STR("false")))
		ret->kind = TOKEN_BOOL;
	else if (str_eq(ret->text, STR("nil")))
		ret->kind = TOKEN_NIL;
}

static void lex_number(struct lexer *l, struct token *ret)
{
	size_t n = 0;
	for (char c; (c = peek(l, n)) != '\0'; n++) {
		bool sign = (c == '+' || c == '-') &&
		            (n == 0 || strchr("eEpP", peek(l, n - 1)));
		if (!sign && !is_word(c) && c != '.')
			break;
	}
	ret->kind = TOKEN_NUMBER;
	ret->text = str_sub(l->text, l->at, l->at + n);
	advance(l, n);
}

static int lex_dot(struct lexer *l, struct token *ret)
{
	if (ascii_digit(peek(l, 1)))
		return lex_number(l, ret), 0;
	advance(l, 1);
	ret->kind = TOKEN_DOT;
	if (is_word(peek(l, 0))) {
		ret->kind = TOKEN_FIELD;
		ret->text = take_word(l, 0);
	}
	return 0;
}

static bool lex_sign(struct lexer *l, struct token *ret)
{
	static const struct {
		const char *sign;
		enum token_kind kind;
	} signs[] = { { ":=", TOKEN_DECLARE }, { "=", TOKEN_ASSIGN }, { "|", TOKEN_PIPE },
		      { "(", TOKEN_LEFT },     { ")", TOKEN_RIGHT },  { ",", TOKEN_COMMA } };
	for (size_t i = 0; i < COUNT_OF(signs); i++) {
		struct str sign = str_from(signs[i].sign);
		if (!looking_at(l, sign))
			continue;
		ret->kind = signs[i].kind;
		ret->text = sign;
		advance(l, sign.len);
		return true;
	}
	return false;
}

static int lex_inside(struct lexer *l, struct token *ret)
{
	char c = peek(l, 0);
	*ret = (struct token){ .at = l->place };
	if (at_end(l))
		return lex_fail(l, l->place, "unclosed action");
	bool trims = is_blank(c) && peek(l, 1) == '-' && peek(l, 2) == '}' && peek(l, 3) == '}';
	if (trims || looking_at(l, STR("}}"))) {
		advance(l, trims ? 4 : 2);
		ret->kind = TOKEN_CLOSE;
		l->inside = false;
		l->trim_next = trims;
		return 0;
	}
	if (is_blank(c)) {
		while (is_blank(peek(l, 0)) && !(peek(l, 1) == '-' && peek(l, 2) == '}' && peek(l, 3) == '}'))
			advance(l, 1);
		ret->kind = TOKEN_SPACE;
		return 0;
	}
	ret->kind = TOKEN_STRING;
	if (c == '"')
		return lex_quoted(l, '"', ret);
	if (c == '`')
		return lex_raw(l, ret);
	if (c == '\'')
		return lex_char(l, ret);
	if (c == '.')
		return lex_dot(l, ret);
	if (c == '$') {
		ret->kind = TOKEN_VARIABLE;
		ret->text = take_word(l, 1);
		return 0;
	}
	if (ascii_digit(c) || ((c == '+' || c == '-') && (ascii_digit(peek(l, 1)) || peek(l, 1) == '.')))
		return lex_number(l, ret), 0;
	if (is_word(c))
		return lex_word(l, ret), 0;
	if (lex_sign(l, ret))
		return 0;
	return lex_fail(l, l->place, "a character that has no meaning in an action");
}

int lex_next(struct lexer *l, struct token *ret)
{
	if (l->inside)
		return lex_inside(l, ret);
	if (at_end(l)) {
		*ret = (struct token){ .kind = TOKEN_END, .at = l->place };
		return 0;
	}
	return looking_at(l, STR("{{")) ? lex_open(l, ret) : lex_text(l, ret);
}
