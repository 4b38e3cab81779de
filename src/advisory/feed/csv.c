/* RFC 4180: see csv.h. An unclosed quote runs to the end of the text, which is then one field. */
#include "advisory/feed/csv.h"

#include "base/base.h"

static struct str undouble(struct arena *a, struct str s)
{
	if (!str_contains(s, STR("\"\"")))
		return s;
	char *out = arena_alloc(a, s.len);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		out[n++] = s.ptr[i];
		if (s.ptr[i] == '"' && i + 1 < s.len && s.ptr[i + 1] == '"')
			i++;
	}
	return (struct str){ out, n };
}

/* A quoted field; *rest stands behind the opening quote and is left behind the closing one. */
static struct str quoted(struct arena *a, struct str *rest)
{
	size_t i = 0;
	while (i < rest->len) {
		if (rest->ptr[i] == '"') {
			if (i + 1 >= rest->len || rest->ptr[i + 1] != '"')
				break;
			i++;
		}
		i++;
	}
	struct str field = str_sub(*rest, 0, i);
	*rest = str_sub(*rest, i + 1, rest->len);
	return undouble(a, field);
}

static struct str plain(struct str *rest)
{
	size_t i = 0;
	while (i < rest->len && rest->ptr[i] != ',' && rest->ptr[i] != '\n')
		i++;
	struct str field = str_sub(*rest, 0, i);
	*rest = str_sub(*rest, i, rest->len);
	(void)str_drop(&field, STR("\r"));
	return field;
}

bool csv_next(struct arena *a, struct str *rest, struct str fields[CSV_FIELDS_MAX], size_t *ret_count)
{
	size_t n = 0;
	if (rest->len == 0)
		return false;
	for (;;) {
		struct str field = str_skip(rest, STR("\"")) ? quoted(a, rest) : plain(rest);
		if (n < CSV_FIELDS_MAX)
			fields[n++] = field;
		(void)str_skip(rest, STR("\r"));
		if (str_skip(rest, STR(",")))
			continue;
		/* What stands between a closing quote and the next comma belongs to no field. */
		while (rest->len && rest->ptr[0] != '\n')
			*rest = str_sub(*rest, 1, rest->len);
		(void)str_skip(rest, STR("\n"));
		break;
	}
	*ret_count = n;
	return true;
}

size_t csv_column(const struct str *head, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(head[i], name))
			return i;
	return CSV_FIELDS_MAX;
}
