/* Regular expressions in RE2's syntax: see internal.h. A pattern becomes a program that is run over the text once, all
 * threads side by side (Pike's machine), so that no pattern and no text cost more than their product. Leftmost-first, as
 * Go's regexp. Classes are of code points; Unicode classes (\p) are not known and are refused. */
#include "report/template/internal.h"

#include "base/base.h"
#include "report/text.h"

enum op { OP_CHAR, OP_ANY, OP_CLASS, OP_SPLIT, OP_JUMP, OP_SAVE, OP_BEGIN, OP_END, OP_BOL, OP_EOL, OP_WORD, OP_NOT_WORD, OP_MATCH };

struct range {
	uint32_t from, to;
};

struct class {
	struct range *ptr;
	size_t len, cap;
	bool negated;
};

struct op_row {
	enum op op;
	uint32_t code; /* CHAR; SAVE: slot */
	bool fold, newline; /* CHAR: either case; ANY: also a line break */
	size_t x, y;   /* SPLIT, JUMP: targets, x first */
	const struct class *class;
};

struct regex {
	struct op_row *ptr;
	size_t len, cap;
	size_t groups;
	struct str names[REGEX_GROUPS_MAX];
};

struct flags {
	bool fold, dot_all, lines, lazy;
};

struct parse {
	struct arena *arena;
	struct regex *re;
	struct str rest;
	struct flags flags;
	struct err *err;
	unsigned depth;
};

static int bad(struct parse *p, const char *what) { return err_set(p->err, ERR_USAGE, "%s", what); }

static int emit(struct parse *p, struct op_row row, size_t *ret_at)
{
	if (p->re->len >= REGEX_SIZE_MAX)
		return err_set(p->err, ERR_LIMIT, "it is too large (REGEX_SIZE_MAX)");
	if (ret_at)
		*ret_at = p->re->len;
	*vec_push(p->arena, p->re) = row;
	return 0;
}

/* Make room for one row at `at`: targets behind it move on. */
static int insert(struct parse *p, size_t at, struct op_row row)
{
	int rc = emit(p, row, NULL);
	if (rc < 0)
		return rc;
	memmove(&p->re->ptr[at + 1], &p->re->ptr[at], (p->re->len - 1 - at) * sizeof(*p->re->ptr));
	p->re->ptr[at] = row;
	for (size_t i = at + 1; i < p->re->len; i++) {
		struct op_row *r = &p->re->ptr[i];
		if (r->op == OP_SPLIT || r->op == OP_JUMP) {
			r->x += r->x >= at;
			r->y += r->y >= at;
		}
	}
	return 0;
}

/* --- classes --- */

static void add(struct parse *p, struct class *c, uint32_t from, uint32_t to)
{
	*vec_push(p->arena, c) = (struct range){ from, to };
}

static void add_negated(struct parse *p, struct class *c, const struct range *ranges, size_t count)
{
	uint32_t at = 0;
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].from > at)
			add(p, c, at, ranges[i].from - 1);
		at = ranges[i].to + 1;
	}
	add(p, c, at, 0x10ffff);
}

/* \d \w \s and their opposites; false: none of them. */
static bool add_perl(struct parse *p, struct class *c, char letter)
{
	static const struct range digits[] = { { '0', '9' } }, words[] = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } },
	                          spaces[] = { { '\t', '\n' }, { '\f', '\r' }, { ' ', ' ' } };
	const struct range *set = NULL;
	size_t count = 0;
	if (ascii_tolower(letter) == 'd')
		set = digits, count = COUNT_OF(digits);
	else if (ascii_tolower(letter) == 'w')
		set = words, count = COUNT_OF(words);
	else if (ascii_tolower(letter) == 's')
		set = spaces, count = COUNT_OF(spaces);
	if (!set)
		return false;
	if (ascii_upper(letter))
		add_negated(p, c, set, count);
	for (size_t i = 0; i < count && ascii_lower(letter); i++)
		add(p, c, set[i].from, set[i].to);
	return true;
}

static const struct {
	struct str name;
	struct range ranges[4];
	size_t count;
} posix[] = {
	{ STR_INIT("[:alnum:]"), { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } }, 3 },
	{ STR_INIT("[:alpha:]"), { { 'A', 'Z' }, { 'a', 'z' } }, 2 },
	{ STR_INIT("[:ascii:]"), { { 0, 0x7f } }, 1 },
	{ STR_INIT("[:blank:]"), { { '\t', '\t' }, { ' ', ' ' } }, 2 },
	{ STR_INIT("[:cntrl:]"), { { 0, 0x1f }, { 0x7f, 0x7f } }, 2 },
	{ STR_INIT("[:digit:]"), { { '0', '9' } }, 1 },
	{ STR_INIT("[:graph:]"), { { '!', '~' } }, 1 },
	{ STR_INIT("[:lower:]"), { { 'a', 'z' } }, 1 },
	{ STR_INIT("[:print:]"), { { ' ', '~' } }, 1 },
	{ STR_INIT("[:punct:]"), { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } }, 4 },
	{ STR_INIT("[:space:]"), { { '\t', '\r' }, { ' ', ' ' } }, 2 },
	{ STR_INIT("[:upper:]"), { { 'A', 'Z' } }, 1 },
	{ STR_INIT("[:word:]"), { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } }, 4 },
	{ STR_INIT("[:xdigit:]"), { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } }, 3 },
};

static uint32_t take_code(struct parse *p)
{
	size_t n;
	uint32_t code = text_decode(p->rest, &n);
	p->rest = str_sub(p->rest, n, p->rest.len);
	return code;
}

/* Behind a backslash: one character. */
static int take_escape(struct parse *p, uint32_t *ret)
{
	static const char names[] = "afnrtv", codes[] = "\a\f\n\r\t\v";
	uint64_t code;
	if (p->rest.len == 0)
		return bad(p, "it ends with a backslash");
	uint32_t c = take_code(p);
	const char *name = c && c < 0x80 ? strchr(names, (int)c) : NULL;
	if (name) {
		*ret = (uint32_t)codes[name - names];
		return 0;
	}
	if (c == 'x') {
		struct str digits = str_sub(p->rest, 0, 2);
		size_t len = 2;
		if (str_starts(p->rest, STR("{")) && str_find(p->rest, '}') > 0) {
			len = (size_t)str_find(p->rest, '}') + 1;
			digits = str_sub(p->rest, 1, len - 1);
		}
		if (!str_to_u64_base(digits, 16, &code) || code > 0x10ffff || p->rest.len < len)
			return bad(p, "a bad \\x");
		p->rest = str_sub(p->rest, len, p->rest.len);
		*ret = (uint32_t)code;
		return 0;
	}
	if (c < 0x80 && ascii_alnum((char)c))
		return bad(p, "an escape that is not known");
	*ret = c;
	return 0;
}

/* One member of a bracket: its code, or a whole class (*ret_is_class). */
static int take_member(struct parse *p, struct class *c, uint32_t *ret, bool *ret_is_class)
{
	*ret_is_class = true;
	for (size_t i = 0; i < COUNT_OF(posix); i++)
		if (str_skip(&p->rest, posix[i].name)) {
			for (size_t k = 0; k < posix[i].count; k++)
				add(p, c, posix[i].ranges[k].from, posix[i].ranges[k].to);
			return 0;
		}
	if (str_starts(p->rest, STR("\\")) && p->rest.len > 1 && add_perl(p, c, p->rest.ptr[1])) {
		p->rest = str_sub(p->rest, 2, p->rest.len);
		return 0;
	}
	*ret_is_class = false;
	if (str_skip(&p->rest, STR("\\")))
		return take_escape(p, ret);
	*ret = take_code(p);
	return 0;
}

static void add_folded(struct parse *p, struct class *c, uint32_t from, uint32_t to)
{
	add(p, c, from, to);
	for (uint32_t k = from; p->flags.fold && k <= to && k < 0x80; k++)
		if (ascii_alpha((char)k))
			add(p, c, k ^ 0x20, k ^ 0x20);
}

static int parse_bracket(struct parse *p)
{
	struct class *c = ARENA_NEW(p->arena, struct class);
	bool first = true, is_class;
	c->negated = str_skip(&p->rest, STR("^"));
	for (;; first = false) {
		uint32_t from, to;
		if (p->rest.len == 0)
			return bad(p, "a bracket is not closed");
		if (!first && str_skip(&p->rest, STR("]")))
			break;
		int rc = take_member(p, c, &from, &is_class);
		if (rc < 0 || is_class) {
			if (rc < 0)
				return rc;
			continue;
		}
		to = from;
		if (p->rest.len > 1 && p->rest.ptr[0] == '-' && p->rest.ptr[1] != ']') {
			p->rest = str_sub(p->rest, 1, p->rest.len);
			if ((rc = take_member(p, c, &to, &is_class)) < 0)
				return rc;
			if (is_class || to < from)
				return bad(p, "a bad range in a bracket");
		}
		add_folded(p, c, from, to);
	}
	return emit(p, (struct op_row){ .op = OP_CLASS, .class = c }, NULL);
}

/* --- atoms --- */

static int parse_alternatives(struct parse *p);

/* Behind "(?": flags, up to ")" or ":". */
static int parse_flags(struct parse *p, bool *ret_group)
{
	bool on = true;
	while (p->rest.len) {
		char c = p->rest.ptr[0];
		p->rest = str_sub(p->rest, 1, p->rest.len);
		if (c == ')' || c == ':') {
			*ret_group = c == ':';
			return 0;
		}
		if (c == '-')
			on = false;
		else if (c == 'i')
			p->flags.fold = on;
		else if (c == 's')
			p->flags.dot_all = on;
		else if (c == 'm')
			p->flags.lines = on;
		else if (c == 'U')
			p->flags.lazy = on;
		else
			break;
	}
	return bad(p, "a group that is not known");
}

static int parse_group(struct parse *p)
{
	struct flags outside = p->flags;
	bool captures = true, group = true;
	struct str name = { 0 };
	size_t slot = 0;
	int rc = 0;
	if (str_skip(&p->rest, STR("?P<")) || (str_starts(p->rest, STR("?<")) && str_skip(&p->rest, STR("?<")))) {
		if (!str_cut(&p->rest, '>', &name) || name.len == 0)
			return bad(p, "a bad name of a group");
	} else if (str_skip(&p->rest, STR("?"))) {
		captures = false;
		if ((rc = parse_flags(p, &group)) < 0 || !group)
			return rc;
	}
	if (++p->depth > TEMPLATE_NESTING_MAX)
		return bad(p, "it is nested too deep");
	if (captures) {
		slot = ++p->re->groups;
		if (slot >= REGEX_GROUPS_MAX)
			return bad(p, "it has too many groups");
		p->re->names[slot] = name;
		rc = emit(p, (struct op_row){ .op = OP_SAVE, .code = (uint32_t)(2 * slot) }, NULL);
	}
	if (rc < 0 || (rc = parse_alternatives(p)) < 0)
		return rc;
	p->depth--;
	p->flags = outside;
	if (!str_skip(&p->rest, STR(")")))
		return bad(p, "a parenthesis is not closed");
	return captures ? emit(p, (struct op_row){ .op = OP_SAVE, .code = (uint32_t)(2 * slot + 1) }, NULL) : 0;
}

static int parse_backslash(struct parse *p)
{
	static const struct {
		char letter;
		enum op op;
	} places[] = { { 'A', OP_BEGIN }, { 'z', OP_END }, { 'b', OP_WORD }, { 'B', OP_NOT_WORD } };
	struct class *c;
	uint32_t code = 0;
	char letter = p->rest.len ? p->rest.ptr[0] : '\0';
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (letter == places[i].letter) {
			p->rest = str_sub(p->rest, 1, p->rest.len);
			return emit(p, (struct op_row){ .op = places[i].op }, NULL);
		}
	if (str_skip(&p->rest, STR("Q"))) {
		ptrdiff_t end = str_find_str(p->rest, STR("\\E"));
		struct str text = str_sub(p->rest, 0, end < 0 ? p->rest.len : (size_t)end);
		p->rest = str_sub(p->rest, text.len + (end < 0 ? 0 : 2), p->rest.len);
		for (size_t i = 0, n; i < text.len; i += n) {
			code = text_decode(str_sub(text, i, text.len), &n);
			int rc = emit(p, (struct op_row){ .op = OP_CHAR, .code = code, .fold = p->flags.fold }, NULL);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	c = ARENA_NEW(p->arena, struct class);
	if (letter && add_perl(p, c, letter)) {
		p->rest = str_sub(p->rest, 1, p->rest.len);
		return emit(p, (struct op_row){ .op = OP_CLASS, .class = c }, NULL);
	}
	int rc = take_escape(p, &code);
	return rc < 0 ? rc : emit(p, (struct op_row){ .op = OP_CHAR, .code = code, .fold = p->flags.fold }, NULL);
}

static int parse_atom(struct parse *p)
{
	if (str_skip(&p->rest, STR("(")))
		return parse_group(p);
	if (str_skip(&p->rest, STR("[")))
		return parse_bracket(p);
	if (str_skip(&p->rest, STR("\\")))
		return parse_backslash(p);
	if (str_skip(&p->rest, STR(".")))
		return emit(p, (struct op_row){ .op = OP_ANY, .newline = p->flags.dot_all }, NULL);
	if (str_skip(&p->rest, STR("^")))
		return emit(p, (struct op_row){ .op = p->flags.lines ? OP_BOL : OP_BEGIN }, NULL);
	if (str_skip(&p->rest, STR("$")))
		return emit(p, (struct op_row){ .op = p->flags.lines ? OP_EOL : OP_END }, NULL);
	if (strchr("*+?", p->rest.ptr[0]))
		return bad(p, "a repeat of nothing");
	return emit(p, (struct op_row){ .op = OP_CHAR, .code = take_code(p), .fold = p->flags.fold }, NULL);
}

/* --- repeats --- */

static bool take_counts(struct parse *p, size_t *ret_min, size_t *ret_max)
{
	struct str rest = p->rest, inside, left;
	uint64_t min, max;
	if (!str_skip(&rest, STR("{")) || str_find(rest, '}') < 0)
		return false;
	(void)str_cut(&rest, '}', &inside);
	bool comma = str_find(inside, ',') >= 0;
	(void)str_cut(&inside, ',', &left);
	if (!str_to_u64(left, &min))
		return false;
	max = min;
	if (comma && inside.len == 0)
		max = SIZE_MAX;
	else if (comma && !str_to_u64(inside, &max))
		return false;
	p->rest = rest;
	*ret_min = (size_t)min;
	*ret_max = (size_t)max;
	return true;
}

/* The rows from `from` to `to` once more, at the end. */
static int copy_rows(struct parse *p, size_t from, size_t to)
{
	size_t shift = p->re->len - from;
	for (size_t i = from; i < to; i++) {
		struct op_row row = p->re->ptr[i];
		row.x += shift;
		row.y += shift;
		int rc = emit(p, row, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_split(struct parse *p, size_t at, size_t stay, size_t leave, bool lazy)
{
	return insert(p, at, (struct op_row){ .op = OP_SPLIT, .x = lazy ? leave : stay, .y = lazy ? stay : leave });
}

/* The rows from `from` on become optional, or a loop. */
static int make_optional(struct parse *p, size_t from, bool lazy) { return put_split(p, from, from + 1, p->re->len + 1, lazy); }

static int make_star(struct parse *p, size_t from, bool lazy)
{
	int rc = put_split(p, from, from + 1, p->re->len + 2, lazy);
	return rc < 0 ? rc : emit(p, (struct op_row){ .op = OP_JUMP, .x = from, .y = from }, NULL);
}

static int repeat(struct parse *p, size_t from, size_t min, size_t max, bool lazy)
{
	size_t to = p->re->len, size = to - from;
	int rc = 0;
	if (min > 1000 || (max != SIZE_MAX && (max > 1000 || max < min)))
		return bad(p, "a bad count of repeats");
	struct op_row *atom = arena_array(p->arena, size, sizeof(*atom));
	if (size)
		memcpy(atom, &p->re->ptr[from], size * sizeof(*atom));
	for (size_t i = 1; rc == 0 && i < min; i++)
		rc = copy_rows(p, from, to);
	size_t optional = max == SIZE_MAX ? 1 : max - min;
	if (min == 0)
		p->re->len = from;
	/* Each further copy is optional by itself: (x(x(x)?)?)? and x?x?x? match alike. */
	for (size_t i = 0; rc == 0 && i < optional; i++) {
		size_t at = p->re->len;
		for (size_t k = 0; rc == 0 && k < size; k++) {
			struct op_row row = atom[k];
			row.x += at - from;
			row.y += at - from;
			rc = emit(p, row, NULL);
		}
		if (rc == 0)
			rc = max == SIZE_MAX ? make_star(p, at, lazy) : make_optional(p, at, lazy);
	}
	return rc;
}

static int parse_repeat(struct parse *p)
{
	size_t from = p->re->len, min, max;
	int rc = parse_atom(p);
	for (bool again = false; rc == 0 && p->rest.len; again = true) {
		if (str_skip(&p->rest, STR("*")))
			min = 0, max = SIZE_MAX;
		else if (str_skip(&p->rest, STR("+")))
			min = 1, max = SIZE_MAX;
		else if (str_skip(&p->rest, STR("?")))
			min = 0, max = 1;
		else if (!take_counts(p, &min, &max))
			break;
		if (again)
			return bad(p, "a repeat of a repeat");
		bool lazy = str_skip(&p->rest, STR("?")) != p->flags.lazy;
		rc = repeat(p, from, min, max, lazy);
	}
	return rc;
}

static int parse_alternatives(struct parse *p)
{
	size_t from = p->re->len;
	VEC(size_t) jumps = { 0 };
	int rc = 0;
	for (;;) {
		while (rc == 0 && p->rest.len && p->rest.ptr[0] != '|' && p->rest.ptr[0] != ')')
			rc = parse_repeat(p);
		if (rc < 0 || !str_skip(&p->rest, STR("|")))
			break;
		if ((rc = put_split(p, from, from + 1, p->re->len + 2, false)) < 0)
			return rc;
		size_t jump;
		if ((rc = emit(p, (struct op_row){ .op = OP_JUMP }, &jump)) < 0)
			return rc;
		*vec_push(p->arena, &jumps) = jump;
		from = p->re->len;
	}
	for (size_t i = 0; i < jumps.len; i++)
		p->re->ptr[jumps.ptr[i]].x = p->re->ptr[jumps.ptr[i]].y = p->re->len;
	return rc;
}

int regex_compile(struct arena *a, struct str pattern, struct regex **ret, struct err *err)
{
	struct parse p = { .arena = a, .re = ARENA_NEW(a, struct regex), .rest = pattern, .err = err };
	int rc = emit(&p, (struct op_row){ .op = OP_SAVE, .code = 0 }, NULL);
	if (rc == 0)
		rc = parse_alternatives(&p);
	if (rc == 0 && p.rest.len)
		rc = bad(&p, "a parenthesis too many");
	if (rc == 0)
		rc = emit(&p, (struct op_row){ .op = OP_SAVE, .code = 1 }, NULL);
	if (rc == 0)
		rc = emit(&p, (struct op_row){ .op = OP_MATCH }, NULL);
	if (rc == 0)
		*ret = p.re;
	return rc;
}

size_t regex_group_count(const struct regex *re) { return re->groups; }

struct str regex_group_name(const struct regex *re, size_t i) { return i < REGEX_GROUPS_MAX ? re->names[i] : (struct str){ 0 }; }

/* --- running --- */

struct thread {
	size_t at;
	ptrdiff_t groups[2 * REGEX_GROUPS_MAX];
};

struct threads {
	struct thread *ptr;
	size_t len;
	size_t *seen; /* row -> 1 + step in which it was added */
};

struct machine {
	const struct regex *re;
	struct str text;
	size_t step;
	struct {
		size_t *ptr;
		struct thread *saved;
	} stack;
};

static bool is_word_at(struct str s, size_t at) { return at < s.len && (ascii_alnum(s.ptr[at]) || s.ptr[at] == '_'); }

static bool holds_at(const struct machine *m, enum op op, size_t at)
{
	bool boundary = is_word_at(m->text, at) != (at > 0 && is_word_at(m->text, at - 1));
	switch (op) {
	case OP_BEGIN: return at == 0;
	case OP_END: return at == m->text.len;
	case OP_BOL: return at == 0 || m->text.ptr[at - 1] == '\n';
	case OP_EOL: return at == m->text.len || m->text.ptr[at] == '\n';
	case OP_WORD: return boundary;
	case OP_NOT_WORD: return !boundary;
	default: return false;
	}
}

/* Follow what takes no character. Each row is entered once a step, so the stack holds each at most twice. */
static void add_thread(struct machine *m, struct threads *list, size_t row, const ptrdiff_t *groups, size_t at)
{
	size_t top = 0;
	m->stack.saved[top].at = row;
	memcpy(m->stack.saved[top++].groups, groups, sizeof(m->stack.saved[0].groups));
	while (top > 0) {
		struct thread t = m->stack.saved[--top];
		const struct op_row *r = &m->re->ptr[t.at];
		if (list->seen[t.at] == m->step)
			continue;
		list->seen[t.at] = m->step;
		if (r->op == OP_JUMP) {
			t.at = r->x;
			m->stack.saved[top++] = t;
		} else if (r->op == OP_SPLIT) {
			size_t first = r->x;
			t.at = r->y;
			m->stack.saved[top++] = t;
			t.at = first;
			m->stack.saved[top++] = t;
		} else if (r->op == OP_SAVE) {
			t.groups[r->code] = (ptrdiff_t)at;
			t.at++;
			m->stack.saved[top++] = t;
		} else if (r->op >= OP_BEGIN && r->op <= OP_NOT_WORD) {
			t.at++;
			if (holds_at(m, r->op, at))
				m->stack.saved[top++] = t;
		} else {
			list->ptr[list->len++] = t;
		}
	}
}

static bool takes(const struct op_row *r, uint32_t code)
{
	if (r->op == OP_CHAR) {
		bool letters = r->fold && code < 0x80 && r->code < 0x80 && ascii_alpha((char)code);
		return code == r->code || (letters && (code ^ 0x20) == r->code);
	}
	if (r->op == OP_ANY)
		return r->newline || code != '\n';
	if (r->op != OP_CLASS)
		return false;
	bool in = false;
	for (size_t i = 0; i < r->class->len && !in; i++)
		in = code >= r->class->ptr[i].from && code <= r->class->ptr[i].to;
	return in != r->class->negated;
}

/* One character for all threads; the first that has matched ends those behind it. */
static bool step(struct machine *m, struct threads *now, struct threads *next, uint32_t code, size_t at, size_t width,
                 ptrdiff_t *groups)
{
	bool matched = false;
	m->step++;
	next->len = 0;
	for (size_t i = 0; i < now->len; i++) {
		const struct thread *t = &now->ptr[i];
		const struct op_row *r = &m->re->ptr[t->at];
		if (r->op == OP_MATCH) {
			memcpy(groups, t->groups, sizeof(t->groups));
			matched = true;
			break;
		}
		if (width && takes(r, code))
			add_thread(m, next, t->at + 1, t->groups, at + width);
	}
	return matched;
}

bool regex_match(struct arena *a, const struct regex *re, struct str text, size_t from, ptrdiff_t groups[2 * REGEX_GROUPS_MAX])
{
	struct arena *ARENA_AUTO scratch = arena_new();
	struct machine m = { .re = re, .text = text, .step = 1 };
	struct threads lists[2], *now = &lists[0], *next = &lists[1];
	ptrdiff_t none[2 * REGEX_GROUPS_MAX];
	bool matched = false;
	(void)a;
	for (size_t i = 0; i < COUNT_OF(none); i++)
		none[i] = -1;
	for (size_t i = 0; i < 2; i++) {
		lists[i].ptr = arena_array(scratch, re->len, sizeof(struct thread));
		lists[i].seen = arena_array(scratch, re->len, sizeof(size_t));
		lists[i].len = 0;
	}
	m.stack.saved = arena_array(scratch, 2 * re->len + 2, sizeof(struct thread));
	for (size_t at = from;;) {
		size_t width = 0;
		uint32_t code = at < text.len ? text_decode(str_sub(text, at, text.len), &width) : 0;
		if (!matched)
			add_thread(&m, now, 0, none, at);
		if (step(&m, now, next, code == UINT32_MAX ? 0xfffd : code, at, width, groups))
			matched = true;
		struct threads *swap = now;
		now = next;
		next = swap;
		if (width == 0 || (matched && now->len == 0))
			return matched;
		at += width;
	}
}
