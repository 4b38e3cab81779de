/* Alpine versions: number{.number}...{letter}{_suffix{number}}...{~hash}{-r#}, apk-package(5), ordered as apk-tools 3
 * orders them (apk-tools 2 differs in numbers with leading zeros, and in what is not valid).
 *
 * A version is a row of tokens; the first that differs decides, by value when both are of one kind, else by kind. Text
 * that cannot go on gives one last INVALID token, which sorts before the end of a version but after a pre-release
 * suffix. apk 3 calls two versions equal that turn invalid at the same place; where apk 2 read on (a number is missing,
 * as in "a" and "0..1", or follows the letter, as in opensmtpd's "6.0.2p1-r4" of old), two versions that both do so are
 * read on here too, so that p1 comes before p2. That refines apk 3's order and contradicts it nowhere: it stays an
 * order. */
#include "version/versions.h"

#include "base/base.h"
#include "version/digits.h"

/* In apk's order: where two versions differ in kind, the one with the higher kind is the lower version. */
enum kind {
	FIRST_NUMBER,
	NUMBER,
	LETTER,
	SUFFIX,
	SUFFIX_NUMBER,
	HASH,
	REVISION,
	END,
	/* All of these are INVALID to apk 3, and sort as that against those above. */
	NO_NUMBER,   /* a number without digits */
	LATE_NUMBER, /* a number right after the letter */
	INVALID,
};

/* Suffixes up to the release itself, and after it, in order. */
static const struct {
	struct str word;
	int weight;
} suffixes[] = {
	{ STR_INIT("alpha"), -4 }, { STR_INIT("beta"), -3 }, { STR_INIT("pre"), -2 },
	{ STR_INIT("rc"), -1 },    { STR_INIT("cvs"), 1 },   { STR_INIT("svn"), 2 },
	{ STR_INIT("git"), 3 },    { STR_INIT("hg"), 4 },    { STR_INIT("p"), 5 },
};

struct token {
	enum kind kind;
	struct str value; /* digits, the letter, the hash */
	int weight;       /* of a suffix; negative: before the release */
};

static void take_number(struct token *t, struct str *rest, enum kind kind)
{
	t->value = digits_take(rest);
	t->kind = t->value.len ? kind : INVALID;
}

static void take_suffix(struct token *t, struct str *rest)
{
	size_t n = 0;
	while (n < rest->len && ascii_lower(rest->ptr[n]))
		n++;
	struct str word = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->len);
	t->kind = INVALID;
	for (size_t i = 0; i < COUNT_OF(suffixes); i++)
		if (str_eq(word, suffixes[i].word)) {
			t->kind = SUFFIX;
			t->weight = suffixes[i].weight;
		}
}

static void take_hash(struct token *t, struct str *rest)
{
	size_t n = 0;
	while (n < rest->len && ascii_hex(rest->ptr[n]) && !ascii_upper(rest->ptr[n]))
		n++;
	t->value = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->len);
	t->kind = n ? HASH : INVALID;
}

static void take_version_number(struct token *t, struct str *rest, enum kind kind)
{
	take_number(t, rest, kind);
	if (t->kind == INVALID)
		t->kind = NO_NUMBER;
}

/* Replaces *t by the token after it. */
static void next(struct token *t, struct str *rest)
{
	enum kind before = t->kind == NO_NUMBER || t->kind == LATE_NUMBER ? NUMBER : t->kind;
	*t = (struct token){ .kind = END };
	if (rest->len == 0)
		return;
	char c = rest->ptr[0];
	t->kind = INVALID;
	if (ascii_lower(c) && before <= NUMBER) {
		t->kind = LETTER;
		t->value = str_sub(*rest, 0, 1);
		*rest = str_sub(*rest, 1, rest->len);
	} else if (c == '.' && before <= NUMBER) {
		*rest = str_sub(*rest, 1, rest->len);
		take_version_number(t, rest, NUMBER);
	} else if (ascii_digit(c) && (before == SUFFIX || before == LETTER)) {
		take_number(t, rest, before == SUFFIX ? SUFFIX_NUMBER : LATE_NUMBER);
	} else if (c == '_' && before <= SUFFIX_NUMBER) {
		*rest = str_sub(*rest, 1, rest->len);
		take_suffix(t, rest);
	} else if (c == '~' && before < HASH) {
		*rest = str_sub(*rest, 1, rest->len);
		take_hash(t, rest);
	} else if (before < REVISION && str_skip(rest, STR("-r"))) {
		take_number(t, rest, REVISION);
	}
}

/* Of two tokens of one kind. */
static int value_compare(const struct token *a, const struct token *b)
{
	switch (a->kind) {
	case NUMBER:
		/* apk: a leading zero makes it a decimal fraction, as in Gentoo: 1.010 < 1.09 */
		if (a->value.ptr[0] == '0' || b->value.ptr[0] == '0')
			return str_cmp(a->value, b->value);
		return digits_compare(a->value, b->value);
	case FIRST_NUMBER:
	case SUFFIX_NUMBER:
	case LATE_NUMBER:
	case REVISION:
		return digits_compare(a->value, b->value);
	case SUFFIX:
		return a->weight - b->weight;
	case LETTER:
	case HASH:
		return str_cmp(a->value, b->value);
	default:
		return 0;
	}
}

int apk_version_compare(struct str a, struct str b)
{
	struct token ta = { 0 }, tb = { 0 };
	take_version_number(&ta, &a, FIRST_NUMBER);
	take_version_number(&tb, &b, FIRST_NUMBER);
	while (ta.kind == tb.kind) {
		if (ta.kind == END || ta.kind == INVALID)
			return 0;
		int c = value_compare(&ta, &tb);
		if (c != 0)
			return c;
		next(&ta, &a);
		next(&tb, &b);
	}
	if (ta.kind == SUFFIX && ta.weight < 0)
		return -1;
	if (tb.kind == SUFFIX && tb.weight < 0)
		return 1;
	return ta.kind > tb.kind ? -1 : 1;
}

bool apk_version_valid(struct str v)
{
	struct token t = { 0 };
	take_version_number(&t, &v, FIRST_NUMBER);
	while (t.kind < END)
		next(&t, &v);
	return t.kind == END;
}
