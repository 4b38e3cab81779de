/* Parsing into a tree, the tree into states, the states followed all at once (Thompson): see pattern.h. */
#include "policy/pattern.h"

#include "base/base.h"

#include <limits.h>

enum node_kind { NODE_EMPTY, NODE_SET, NODE_BEGIN, NODE_END, NODE_JOIN, NODE_EITHER, NODE_REPEAT };

struct set {
	uint64_t bits[4];
};

struct node {
	enum node_kind kind;
	struct set set;
	const struct node *left, *right;
	unsigned min, max; /* REPEAT; max UINT_MAX: any */
};

enum state_kind { STATE_SET, STATE_BEGIN, STATE_END, STATE_SPLIT, STATE_FOUND };

struct state {
	enum state_kind kind;
	struct set set;
	unsigned next, other; /* other: SPLIT */
};

struct pattern {
	struct state *states;
	unsigned count, start;
	unsigned *now, *then, *seen, *stack; /* scratch, `count` each */
	unsigned mark;
};

struct parser {
	struct arena *arena;
	struct err *err;
	struct str text;
	size_t at;
	unsigned depth;
	bool fold; /* (?i) */
};

static void add_byte(struct set *s, unsigned char c)
{
	s->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

static bool has_byte(const struct set *s, unsigned char c)
{
	return s->bits[c >> 6] >> (c & 63) & 1;
}

static void add_range(struct set *s, unsigned from, unsigned to)
{
	for (unsigned c = from; c <= to; c++)
		add_byte(s, (unsigned char)c);
}

static void invert(struct set *s)
{
	for (size_t i = 0; i < COUNT_OF(s->bits); i++)
		s->bits[i] = ~s->bits[i];
}

static void fold_case(struct set *s)
{
	for (unsigned c = 'a'; c <= 'z'; c++)
		if (has_byte(s, (unsigned char)c) || has_byte(s, (unsigned char)(c - 32))) {
			add_byte(s, (unsigned char)c);
			add_byte(s, (unsigned char)(c - 32));
		}
}

static struct node *node(struct parser *p, enum node_kind kind, const struct node *left, const struct node *right)
{
	struct node *n = arena_array(p->arena, 1, sizeof(*n));
	*n = (struct node){ .kind = kind, .left = left, .right = right };
	return n;
}

static int wrong(struct parser *p, int code, const char *what)
{
	return err_set(p->err, code, "\"%.*s\": %s at character %zu", STR_ARG(p->text), what, p->at + 1);
}

static bool ends(const struct parser *p)
{
	return p->at >= p->text.len;
}

static char peek(const struct parser *p)
{
	return ends(p) ? '\0' : p->text.ptr[p->at];
}

static bool take(struct parser *p, char c)
{
	if (ends(p) || peek(p) != c)
		return false;
	p->at++;
	return true;
}

/* \d and its like; false: no class. */
static bool named_class(char c, struct set *s)
{
	*s = (struct set){ 0 };
	switch (ascii_tolower(c)) {
	case 'd':
		add_range(s, '0', '9');
		break;
	case 'w':
		add_range(s, '0', '9');
		add_range(s, 'a', 'z');
		add_range(s, 'A', 'Z');
		add_byte(s, '_');
		break;
	case 's':
		add_byte(s, ' ');
		add_range(s, '\t', '\n');
		add_range(s, '\f', '\r');
		break;
	default:
		return false;
	}
	if (ascii_upper(c))
		invert(s);
	return true;
}

/* After the backslash: a class, or one byte. */
static int take_escape(struct parser *p, struct set *ret)
{
	static const char letters[] = "tnrfv", bytes[] = "\t\n\r\f\v";
	if (ends(p))
		return wrong(p, ERR_USAGE, "nothing follows the backslash");
	char c = p->text.ptr[p->at];
	if (!named_class(c, ret)) {
		const char *letter = memchr(letters, c, sizeof(letters) - 1);
		if (ascii_alnum(c) && !letter)
			return wrong(p, ERR_UNSUPPORTED, "this escape is not known here");
		*ret = (struct set){ 0 };
		add_byte(ret, (unsigned char)(letter ? bytes[letter - letters] : c));
	}
	p->at++;
	return 0;
}

/* One byte of a class, or a class of its own (then *ret_single is false). */
static int take_member(struct parser *p, struct set *ret, unsigned char *ret_byte, bool *ret_single)
{
	*ret = (struct set){ 0 };
	*ret_single = true;
	if (take(p, '\\')) {
		int rc = take_escape(p, ret);
		unsigned n = 0;
		for (unsigned c = 0; rc == 0 && c < 256; c++)
			if (has_byte(ret, (unsigned char)c)) {
				*ret_byte = (unsigned char)c;
				n++;
			}
		*ret_single = n == 1;
		return rc;
	}
	if (peek(p) == '[' && p->at + 1 < p->text.len && p->text.ptr[p->at + 1] == ':')
		return wrong(p, ERR_UNSUPPORTED, "classes as [:alpha:] are not known here");
	*ret_byte = (unsigned char)p->text.ptr[p->at++];
	add_byte(ret, *ret_byte);
	return 0;
}

static int take_class(struct parser *p, struct set *ret)
{
	bool negated = take(p, '^'), first = true;
	*ret = (struct set){ 0 };
	for (; !ends(p) && (first || peek(p) != ']'); first = false) {
		struct set member, last;
		unsigned char from, to;
		bool single;
		int rc = take_member(p, &member, &from, &single);
		if (rc < 0)
			return rc;
		if (single && peek(p) == '-' && p->at + 1 < p->text.len && p->text.ptr[p->at + 1] != ']') {
			p->at++;
			rc = take_member(p, &last, &to, &single);
			if (rc < 0)
				return rc;
			if (!single || to < from)
				return wrong(p, ERR_USAGE, "this range of a class is none");
			add_range(&member, from, to);
		}
		for (size_t i = 0; i < COUNT_OF(member.bits); i++)
			ret->bits[i] |= member.bits[i];
	}
	if (!take(p, ']'))
		return wrong(p, ERR_USAGE, "a class is not closed");
	if (p->fold)
		fold_case(ret);
	if (negated)
		invert(ret);
	return 0;
}

static int take_either(struct parser *p, const struct node **ret);

static int take_group(struct parser *p, const struct node **ret)
{
	if (take(p, '?') && !take(p, ':'))
		return wrong(p, ERR_UNSUPPORTED, "groups with (? other than (?: are not known here");
	if (++p->depth > PATTERN_DEPTH_MAX)
		return wrong(p, ERR_LIMIT, "groups lie too deep (PATTERN_DEPTH_MAX)");
	int rc = take_either(p, ret);
	p->depth--;
	if (rc == 0 && !take(p, ')'))
		rc = wrong(p, ERR_USAGE, "a group is not closed");
	return rc;
}

static int take_atom(struct parser *p, const struct node **ret)
{
	struct set s = { 0 };
	char c = p->text.ptr[p->at++];
	int rc = 0;
	if (c == '(')
		return take_group(p, ret);
	if (c == '^' || c == '$')
		return *ret = node(p, c == '^' ? NODE_BEGIN : NODE_END, NULL, NULL), 0;
	if (c == '*' || c == '+' || c == '?')
		return p->at--, wrong(p, ERR_USAGE, "there is nothing to repeat");
	if (c == '.') {
		add_byte(&s, '\n');
		invert(&s);
	} else if (c == '[') {
		rc = take_class(p, &s);
	} else if (c == '\\') {
		rc = take_escape(p, &s);
	} else {
		add_byte(&s, (unsigned char)c);
	}
	if (rc < 0)
		return rc;
	if (p->fold && c != '[')
		fold_case(&s);
	struct node *n = node(p, NODE_SET, NULL, NULL);
	n->set = s;
	*ret = n;
	return 0;
}

/* "{2}", "{2,}", "{2,5}"; anything else in braces stands for itself, as in Go. */
static bool take_counts(struct parser *p, unsigned *min, unsigned *max)
{
	struct str rest = str_sub(p->text, p->at, p->text.len), inner, low;
	uint64_t a, b;
	ptrdiff_t end = str_find(rest, '}');
	if (!str_skip(&rest, STR("{")) || end < 0)
		return false;
	inner = str_sub(rest, 0, (size_t)end - 1);
	bool comma = str_find(inner, ',') >= 0;
	(void)str_cut(&inner, ',', &low);
	if (!str_to_u64(low, &a) || a > PATTERN_REPEAT_MAX)
		return false;
	b = a;
	if (comma && inner.len == 0)
		b = UINT_MAX;
	else if (comma && (!str_to_u64(inner, &b) || b > PATTERN_REPEAT_MAX || b < a))
		return false;
	*min = (unsigned)a;
	*max = (unsigned)b;
	p->at += (size_t)end + 1;
	return true;
}

static int take_repeated(struct parser *p, const struct node **ret)
{
	int rc = take_atom(p, ret);
	while (rc == 0 && !ends(p)) {
		unsigned min = 0, max = UINT_MAX;
		if (take(p, '+'))
			min = 1;
		else if (take(p, '?'))
			max = 1;
		else if (!take(p, '*') && !take_counts(p, &min, &max))
			break;
		(void)take(p, '?'); /* lazy */
		struct node *n = node(p, NODE_REPEAT, *ret, NULL);
		n->min = min;
		n->max = max;
		*ret = n;
	}
	return rc;
}

static int take_either(struct parser *p, const struct node **ret)
{
	const struct node *all = NULL, *one = NULL;
	do {
		const struct node *branch = node(p, NODE_EMPTY, NULL, NULL);
		while (!ends(p) && peek(p) != '|' && peek(p) != ')') {
			int rc = take_repeated(p, &one);
			if (rc < 0)
				return rc;
			branch = node(p, NODE_JOIN, branch, one);
		}
		all = all ? node(p, NODE_EITHER, all, branch) : branch;
	} while (take(p, '|'));
	*ret = all;
	return 0;
}

/* --- states ------------------------------------------------------------------------------------------------------- */

struct builder {
	struct arena *arena;
	struct {
		struct state *ptr;
		size_t len, cap;
	} states;
};

/* Built from the end: what follows is known. PATTERN_STATES_MAX: there are too many. */
static unsigned add_state(struct builder *b, const struct state *s)
{
	if (b->states.len >= PATTERN_STATES_MAX)
		return PATTERN_STATES_MAX;
	*vec_push(b->arena, &b->states) = *s;
	return (unsigned)b->states.len - 1;
}

static unsigned add_node(struct builder *b, const struct node *n, unsigned next);

static unsigned add_repeat(struct builder *b, const struct node *n, unsigned next)
{
	unsigned at = next;
	if (n->max == UINT_MAX) {
		at = add_state(b, &(struct state){ .kind = STATE_SPLIT, .other = next });
		unsigned body = add_node(b, n->left, at);
		if (at < PATTERN_STATES_MAX && body < PATTERN_STATES_MAX)
			b->states.ptr[at].next = body;
		else
			at = PATTERN_STATES_MAX;
	}
	for (unsigned i = n->min; n->max != UINT_MAX && i < n->max && at < PATTERN_STATES_MAX; i++)
		at = add_state(b, &(struct state){ .kind = STATE_SPLIT, .next = add_node(b, n->left, at), .other = next });
	for (unsigned i = 0; i < n->min && at < PATTERN_STATES_MAX; i++) {
		unsigned before = at;
		at = add_node(b, n->left, at);
		if (at == before) /* nothing, however often: (((){1000}){1000}){1000} must end */
			break;
	}
	return at;
}

/* As deep as groups lie and as branches and parts are many: both are capped by the pattern's length. */
static unsigned add_node(struct builder *b, const struct node *n, unsigned next)
{
	unsigned left, right;
	if (next >= PATTERN_STATES_MAX)
		return next;
	switch (n->kind) {
	case NODE_SET:
		return add_state(b, &(struct state){ .kind = STATE_SET, .set = n->set, .next = next });
	case NODE_BEGIN:
		return add_state(b, &(struct state){ .kind = STATE_BEGIN, .next = next });
	case NODE_END:
		return add_state(b, &(struct state){ .kind = STATE_END, .next = next });
	case NODE_JOIN:
		return add_node(b, n->left, add_node(b, n->right, next));
	case NODE_EITHER:
		left = add_node(b, n->left, next);
		right = add_node(b, n->right, next);
		if (left >= PATTERN_STATES_MAX || right >= PATTERN_STATES_MAX)
			return PATTERN_STATES_MAX;
		return add_state(b, &(struct state){ .kind = STATE_SPLIT, .next = left, .other = right });
	case NODE_REPEAT:
		return add_repeat(b, n, next);
	default:
		return next;
	}
}

int pattern_compile(struct arena *a, struct str text, struct pattern **ret, struct err *err)
{
	struct parser p = { .arena = a, .err = err, .text = text };
	struct builder b = { .arena = a };
	const struct node *tree;
	if (text.len > PATTERN_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "a pattern is longer than %u bytes (PATTERN_SIZE_MAX)", PATTERN_SIZE_MAX);
	struct str head = text;
	if (str_skip(&head, STR("(?i)"))) {
		p.fold = true;
		p.at = text.len - head.len;
	} else if (str_skip(&head, STR("^(?i)"))) { /* with an anchor put in front */
		p.fold = true;
		p.text = arena_printf(a, "^%.*s", STR_ARG(head));
	}
	int rc = take_either(&p, &tree);
	if (rc == 0 && !ends(&p))
		rc = wrong(&p, ERR_USAGE, "a group is closed that was not opened");
	if (rc < 0)
		return rc;
	unsigned found = add_state(&b, &(struct state){ .kind = STATE_FOUND });
	unsigned start = add_node(&b, tree, found);
	if (start >= PATTERN_STATES_MAX)
		return err_set(err, ERR_LIMIT, "\"%.*s\" has too many states (PATTERN_STATES_MAX)", STR_ARG(text));
	struct pattern *pattern = arena_array(a, 1, sizeof(*pattern));
	*pattern = (struct pattern){ .states = b.states.ptr, .count = (unsigned)b.states.len, .start = start };
	unsigned **scratch[] = { &pattern->now, &pattern->then, &pattern->seen, &pattern->stack };
	for (size_t i = 0; i < COUNT_OF(scratch); i++)
		*scratch[i] = arena_array(a, pattern->count, sizeof(unsigned));
	*ret = pattern;
	return 0;
}

/* --- following ---------------------------------------------------------------------------------------------------- */

/* A state and all that it leads to without a byte, into list; true where that is the end. */
static bool follow(struct pattern *p, unsigned from, bool begin, bool end, unsigned *list, unsigned *len)
{
	unsigned depth = 0;
	if (p->seen[from] == p->mark)
		return false;
	p->seen[from] = p->mark;
	p->stack[depth++] = from;
	while (depth) {
		const struct state *s = &p->states[p->stack[--depth]];
		unsigned to[2] = { s->next, s->other }, n = 0;
		switch (s->kind) {
		case STATE_FOUND:
			return true;
		case STATE_SET:
			list[(*len)++] = (unsigned)(s - p->states);
			break;
		case STATE_BEGIN:
			n = begin;
			break;
		case STATE_END:
			n = end;
			break;
		case STATE_SPLIT:
			n = 2;
			break;
		}
		/* Marked when put there: the stack never holds more than there are states. */
		for (unsigned i = 0; i < n; i++)
			if (p->seen[to[i]] != p->mark) {
				p->seen[to[i]] = p->mark;
				p->stack[depth++] = to[i];
			}
	}
	return false;
}

bool pattern_find(const struct pattern *pattern, struct str text)
{
	struct pattern *p = (struct pattern *)(uintptr_t)pattern; /* scratch */
	unsigned now = 0;
	p->mark = 0;
	memset(p->seen, 0, p->count * sizeof(*p->seen));
	for (size_t i = 0; i <= text.len; i++) {
		unsigned then = 0;
		if (i == 0)
			p->mark++;
		if (follow(p, p->start, i == 0, i == text.len, p->now, &now))
			return true;
		if (i == text.len)
			break;
		p->mark++;
		for (unsigned k = 0; k < now; k++) {
			const struct state *s = &p->states[p->now[k]];
			if (has_byte(&s->set, (unsigned char)text.ptr[i]) &&
			    follow(p, s->next, false, i + 1 == text.len, p->then, &then))
				return true;
		}
		unsigned *swap = p->now;
		p->now = p->then;
		p->then = swap;
		now = then;
	}
	return false;
}
