/* Ignores and the files that they come from: the `ignore:` list of .plimsoll.yaml and .trivyignore. A file that says
 * something which is not understood is an error, never half an ignore: what was meant would be guessed. */
#include "policy/policy.h"

#include "base/base.h"
#include "base/value.h"

bool policy_is_date(struct str s)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t year, month, day;
	if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-')
		return false;
	if (!str_to_u64(str_sub(s, 0, 4), &year) || !str_to_u64(str_sub(s, 5, 7), &month) ||
	    !str_to_u64(str_sub(s, 8, 10), &day) || month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] + (uint64_t)(month == 2 && leap);
}

int policy_add_ignore(struct arena *a, struct policy *p, const struct ignore *ignore, struct err *err)
{
	if (p->ignores.len >= IGNORES_MAX)
		return err_set(err, ERR_LIMIT, "more than %u ignores (IGNORES_MAX)", IGNORES_MAX);
	if (ignore->id.len == 0 && ignore->package.len == 0 && ignore->path.len == 0 && ignore->subject.len == 0 && !ignore->peer)
		return err_set(err, ERR_USAGE, "an ignore needs one of id, package, path, subject");
	if (ignore->until.len && !policy_is_date(ignore->until))
		return err_set(err, ERR_USAGE, "'%.*s' is no date (YYYY-MM-DD)", STR_ARG(ignore->until));
	struct ignore *added = vec_push(a, &p->ignores);
	*added = *ignore;
	if (added->origin.len == 0) /* an empty one would read as "not suppressed" */
		added->origin = STR("--ignore");
	return 0;
}

static const struct {
	const char *key;
	size_t offset;
} ignore_keys[] = {
	{ "id", offsetof(struct ignore, id) },           { "package", offsetof(struct ignore, package) },
	{ "path", offsetof(struct ignore, path) },       { "subject", offsetof(struct ignore, subject) },
	{ "reason", offsetof(struct ignore, reason) },   { "until", offsetof(struct ignore, until) },
};

static int set_key(struct ignore *ignore, struct str key, const struct value *v, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(ignore_keys); i++) {
		if (!str_eq(key, str_from(ignore_keys[i].key)))
			continue;
		if (!value_is(v, VALUE_STRING))
			return err_set(err, ERR_USAGE, "%u:%u: %s must be text", v->line, v->column, ignore_keys[i].key);
		/* Empty would mean "not asked", and the ignore would take more than was written. */
		if (str_trim(v->string).len == 0)
			return err_set(err, ERR_USAGE, "%u:%u: %s is empty", v->line, v->column, ignore_keys[i].key);
		struct str *field = (struct str *)(void *)((char *)ignore + ignore_keys[i].offset);
		*field = v->string;
		return 0;
	}
	return err_set(err, ERR_USAGE, "%u:%u: unknown key '%.*s' (known: id, package, path, subject, reason, until)",
	               v->line, v->column, STR_ARG(key));
}

static int add_entry(struct arena *a, struct policy *p, struct str file, const struct value *entry, struct err *err)
{
	struct ignore ignore = { .origin = arena_printf(a, "%.*s:%u", STR_ARG(file), entry->line) };
	if (!value_is(entry, VALUE_MAP))
		return err_set(err, ERR_USAGE, "%u:%u: an ignore must be a map", entry->line, entry->column);
	for (size_t i = 0; i < entry->map.len; i++) {
		int code = set_key(&ignore, entry->map.pairs[i].key, entry->map.pairs[i].value, err);
		if (code < 0)
			return code;
	}
	if (policy_add_ignore(a, p, &ignore, err) < 0)
		return err_wrap(err, "%u:%u", entry->line, entry->column);
	return 0;
}

/* File and line are part of every message: "file:line:column: what". */
static int in_file(struct err *err, struct str file)
{
	struct err inner = *err;
	return err_set(err, inner.code, "%.*s:%s", STR_ARG(file), inner.text);
}

int policy_add_yaml(struct arena *a, struct policy *p, struct str file, const struct value *list, struct err *err)
{
	struct err local = { 0 };
	size_t before = p->ignores.len;
	int code = 0;
	if (!list || value_is(list, VALUE_NULL))
		return 0;
	if (!value_is(list, VALUE_LIST))
		code = err_set(&local, ERR_USAGE, "%u:%u: ignore must be a list", list->line, list->column);
	for (size_t i = 0; code == 0 && i < list->list.len; i++)
		code = add_entry(a, p, file, list->list.items[i], &local);
	if (code == 0)
		return 0;
	p->ignores.len = before;
	code = in_file(&local, file);
	if (err)
		*err = local;
	return code;
}

static struct str next_word(struct str *rest)
{
	size_t from = 0, to;
	while (from < rest->len && ascii_space(rest->ptr[from]))
		from++;
	for (to = from; to < rest->len && !ascii_space(rest->ptr[to]); to++)
		;
	struct str word = str_sub(*rest, from, to);
	*rest = str_sub(*rest, to, rest->len);
	return word;
}

/* As Trivy has it: on the day itself it has run out. */
static const struct ignore_peer trivy_line = { .ends_with_until = true };

/* `ID exp:2026-12-31 any words`, without the comment. */
static int add_line(struct arena *a, struct policy *p, struct str line, struct ignore *ignore, struct err *err)
{
	struct str words = { 0 };
	ignore->id = policy_literal(a, next_word(&line));
	ignore->peer = &trivy_line;
	for (struct str word; (word = next_word(&line)).len;) {
		if (str_skip(&word, STR("exp:"))) {
			if (word.len == 0)
				return err_set(err, ERR_USAGE, "exp: without a date");
			ignore->until = word;
			continue;
		}
		words = words.len ? (struct str){ words.ptr, (size_t)(word.ptr + word.len - words.ptr) } : word;
	}
	if (words.len)
		ignore->reason = words;
	return policy_add_ignore(a, p, ignore, err);
}

/* A comment begins a line or follows a space. */
static struct str cut_comment(struct str line, struct str *ret_comment)
{
	*ret_comment = (struct str){ 0 };
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] == '#' && (i == 0 || ascii_space(line.ptr[i - 1]))) {
			*ret_comment = str_trim(str_sub(line, i + 1, line.len));
			return str_trim(str_sub(line, 0, i));
		}
	return line;
}

int policy_add_trivyignore(struct arena *a, struct policy *p, struct str file, struct str text, struct err *err)
{
	struct str rest = text, raw, above = { 0 };
	size_t before = p->ignores.len;
	unsigned number = 0;
	(void)str_skip(&rest, STR("\xef\xbb\xbf"));
	while (str_cut(&rest, '\n', &raw)) {
		struct str comment, line = cut_comment(str_trim(raw), &comment);
		number++;
		if (line.len == 0) {
			above = comment; /* an empty line clears it */
			continue;
		}
		struct ignore ignore = { .reason = comment.len ? comment : above };
		ignore.origin = arena_printf(a, "%.*s:%u", STR_ARG(file), number);
		int code = add_line(a, p, line, &ignore, err);
		if (code < 0) {
			p->ignores.len = before;
			return err_wrap(err, "%.*s:%u", STR_ARG(file), number), code;
		}
	}
	return 0;
}
