/* Reading options: see options.h. */
#include "cmd/options.h"

#include "base/base.h"
#include "base/fs.h"
#include "base/yaml.h"
#include "cmd/peer.h"

#define CONFIG_DEFAULT ".plimsoll.yaml"
#define CONFIG_IGNORE_KEY "ignore"

static bool applies(const struct option_row *row, enum command_id command)
{
	return row->commands & 1u << command;
}

static const struct option_row *find_name(enum command_id command, struct str name)
{
	for (size_t i = 0; i < option_row_count; i++)
		if (applies(&option_rows[i], command) && str_eq(name, str_from(option_rows[i].name)))
			return &option_rows[i];
	return NULL;
}

static const struct option_row *find_letter(enum command_id command, char letter)
{
	for (size_t i = 0; i < option_row_count; i++)
		if (applies(&option_rows[i], command) && option_rows[i].letter == letter)
			return &option_rows[i];
	return NULL;
}

struct str option_variable(struct arena *a, const struct option_row *row)
{
	struct str name = arena_printf(a, "PLIMSOLL_%s", row->name);
	char *p = str_cstr(a, name);
	for (size_t i = 0; i < name.len; i++)
		p[i] = p[i] == '-' ? '_' : ascii_lower(p[i]) ? (char)(p[i] - 32) : p[i];
	return (struct str){ p, name.len };
}

static int parse_bool(struct str text, struct str origin, bool *ret, struct err *err)
{
	static const char *const yes[] = { "true", "1", "yes", "on", "t" },
	                        *const no[] = { "false", "0", "no", "off", "f", "" };
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		if (str_eq_nocase(text, str_from(yes[i])))
			return *ret = true, 0;
	for (size_t i = 0; i < COUNT_OF(no); i++)
		if (str_eq_nocase(text, str_from(no[i])))
			return *ret = false, 0;
	return err_set(err, ERR_USAGE, "%.*s wants true or false, not \"%.*s\"", STR_ARG(origin), STR_ARG(text));
}

int option_value_put(struct arena *a, enum option_kind kind, struct option_value *v, struct str text, struct str origin,
                     struct err *err)
{
	v->origin = origin;
	v->text = text;
	v->set = true;
	if (kind == OPTION_FLAG)
		return parse_bool(text, origin, &v->flag, err);
	if (kind == OPTION_REPEAT)
		*vec_push(a, &v->list) = text;
	if (kind == OPTION_LIST)
		for (struct str item, rest = text; str_cut(&rest, ',', &item);)
			if (str_trim(item).len)
				*vec_push(a, &v->list) = str_trim(item);
	return 0;
}

static int put_value(struct options *o, const struct option_row *row, struct str text, struct str origin, struct err *err)
{
	return option_value_put(o->arena, row->kind, &o->values[row->id], text, origin, err);
}

int option_put(struct options *o, enum option_id id, struct str text, struct str origin, struct err *err)
{
	return put_value(o, option_row(id), text, origin, err);
}

const struct option_row *option_find(enum command_id command, struct str name)
{
	return find_name(command, name);
}

static int unknown(struct arena *a, struct str shown, struct str name, struct err *err)
{
	const char *hint = peer_flag_hint(a, name);
	if (hint)
		return err_set(err, ERR_USAGE, "%.*s is no flag here: %s", STR_ARG(shown), hint);
	return err_set(err, ERR_USAGE, "unknown flag %.*s; --help lists them", STR_ARG(shown));
}

/* One long option; *at stands on it. */
static int take_long(struct options *o, int argc, char **argv, int *at, struct err *err)
{
	struct str whole = str_from(argv[*at]), rest = str_sub(whole, 2, whole.len), name;
	bool has_value = str_find(rest, '=') >= 0;
	(void)str_cut(&rest, '=', &name);
	struct str origin = arena_printf(o->arena, "--%.*s", STR_ARG(name));
	const struct option_row *row = find_name(o->command, name);
	if (!row)
		return unknown(o->arena, origin, name, err);
	if (row->kind == OPTION_FLAG)
		return put_value(o, row, has_value ? rest : STR("true"), origin, err);
	if (!has_value) {
		if (*at + 1 >= argc)
			return err_set(err, ERR_USAGE, "%.*s wants a value: %s", STR_ARG(origin), row->value);
		rest = str_from(argv[++*at]);
	}
	return put_value(o, row, rest, origin, err);
}

/* Letters: -qf json, -fjson, -f json. */
static int take_short(struct options *o, int argc, char **argv, int *at, struct err *err)
{
	struct str letters = str_from(argv[*at] + 1);
	while (letters.len) {
		struct str origin = arena_printf(o->arena, "-%c", letters.ptr[0]);
		const struct option_row *row = find_letter(o->command, letters.ptr[0]);
		letters = str_sub(letters, 1, letters.len);
		if (!row)
			return unknown(o->arena, origin, (struct str){ 0 }, err);
		if (row->kind == OPTION_FLAG) {
			int rc = put_value(o, row, STR("true"), origin, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (letters.len == 0) {
			if (*at + 1 >= argc)
				return err_set(err, ERR_USAGE, "%.*s wants a value: %s", STR_ARG(origin), row->value);
			letters = str_from(argv[++*at]);
		} else {
			(void)str_skip(&letters, STR("="));
		}
		return put_value(o, row, letters, origin, err);
	}
	return 0;
}

static int take_arguments(struct options *o, int argc, char **argv, struct err *err)
{
	bool only_args = false;
	for (int i = 0; i < argc; i++) {
		int rc = 0;
		struct str arg = str_from(argv[i]);
		if (only_args || arg.len < 2 || arg.ptr[0] != '-')
			*vec_push(o->arena, &o->args) = argv[i];
		else if (str_eq(arg, STR("--")))
			only_args = true;
		else
			rc = arg.ptr[1] == '-' ? take_long(o, argc, argv, &i, err) : take_short(o, argc, argv, &i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int take_environment(struct options *o, struct err *err)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		if (!applies(row, o->command) || o->values[row->id].set)
			continue;
		struct str variable = option_variable(o->arena, row);
		const char *text = getenv(variable.ptr);
		int rc = text && text[0] ? put_value(o, row, str_from(text), variable, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int scalar_text(struct arena *a, const struct value *v, struct str origin, struct str *ret, struct err *err)
{
	int64_t number;
	double real;
	if (value_is(v, VALUE_STRING))
		*ret = value_str(v);
	else if (value_is(v, VALUE_BOOL))
		*ret = value_bool(v) ? STR("true") : STR("false");
	else if (value_int(v, &number))
		*ret = arena_printf(a, "%jd", (intmax_t)number);
	else if (value_double(v, &real))
		*ret = arena_printf(a, "%g", real);
	else
		return err_set(err, ERR_USAGE, "%.*s: a text, a number or true/false is wanted", STR_ARG(origin));
	return 0;
}

int option_value_put_document(struct arena *a, enum option_kind kind, struct option_value *v, const struct value *document,
                              struct str origin, struct err *err)
{
	struct str text;
	int rc = 0;
	if (!value_is(document, VALUE_LIST)) {
		rc = scalar_text(a, document, origin, &text, err);
		return rc < 0 ? rc : option_value_put(a, kind, v, text, origin, err);
	}
	if (kind != OPTION_LIST && kind != OPTION_REPEAT)
		return err_set(err, ERR_USAGE, "%.*s: one value is wanted, not a list", STR_ARG(origin));
	for (size_t i = 0; rc == 0 && i < value_len(document); i++) {
		rc = scalar_text(a, value_at(document, i), origin, &text, err);
		if (rc == 0)
			rc = option_value_put(a, kind, v, text, origin, err);
	}
	return rc;
}

static int take_config_pair(struct options *o, const struct value_pair *pair, struct err *err)
{
	struct str origin = arena_printf(o->arena, "%.*s:%u", STR_ARG(o->config_file), pair->value->line);
	if (str_eq(pair->key, STR(CONFIG_IGNORE_KEY))) {
		o->ignore_list = pair->value;
		return 0;
	}
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		if (!str_eq(pair->key, str_from(row->name)) || row->id == OPT_CONFIG)
			continue;
		/* A key of another command is fine: the file serves them all. */
		if (!applies(row, o->command) || o->values[row->id].set)
			return 0;
		return option_value_put_document(o->arena, row->kind, &o->values[row->id], pair->value, origin, err);
	}
	return err_set(err, ERR_USAGE, "%.*s: unknown key \"%.*s\"", STR_ARG(origin), STR_ARG(pair->key));
}

static int take_config(struct options *o, struct err *err)
{
	struct option_value *named = &o->values[OPT_CONFIG];
	const char *path = named->set ? str_cstr(o->arena, named->text) : CONFIG_DEFAULT;
	struct str text;
	struct value *documents;
	int rc = fs_read(o->arena, path, YAML_SIZE_MAX, &text, err);
	if (rc == ERR_NOT_FOUND && !named->set)
		return 0;
	if (rc < 0)
		return err_set(err, ERR_USAGE, "the configuration cannot be read: %s", str_cstr(o->arena, str_from(err->text)));
	o->config_file = str_from(path);
	if (yaml_parse(o->arena, text, &documents, err) < 0)
		return err_set(err, ERR_USAGE, "%s: %s", path, str_cstr(o->arena, str_from(err->text)));
	const struct value *map = value_at(documents, 0);
	if (!map || value_is(map, VALUE_NULL))
		return 0;
	if (!value_is(map, VALUE_MAP) || value_len(documents) != 1)
		return err_set(err, ERR_USAGE, "%s: one map of keys is wanted", path);
	for (size_t i = 0; i < map->map.len; i++)
		if ((rc = take_config_pair(o, &map->map.pairs[i], err)) < 0)
			return rc;
	return 0;
}

int options_parse(struct arena *a, enum command_id command, int argc, char **argv, struct options *ret, struct err *err)
{
	*ret = (struct options){ .arena = a, .command = command };
	int rc = take_arguments(ret, argc, argv, err);
	if (rc < 0 || ret->values[OPT_HELP].flag)
		return rc;
	if ((rc = take_environment(ret, err)) < 0)
		return rc;
	return take_config(ret, err);
}

bool option_flag(const struct options *o, enum option_id id)
{
	return o->values[id].flag;
}

struct str option_text(const struct options *o, enum option_id id, struct str otherwise)
{
	return o->values[id].set ? o->values[id].text : otherwise;
}

int option_number(const struct options *o, enum option_id id, int64_t min, int64_t max, int64_t otherwise, int64_t *ret,
                  struct err *err)
{
	const struct option_value *v = &o->values[id];
	uint64_t n;
	if (!v->set) {
		*ret = otherwise;
		return 0;
	}
	if (!str_to_u64(v->text, &n) || n > (uint64_t)max || (int64_t)n < min)
		return err_set(err, ERR_USAGE, "%.*s wants a number from %jd to %jd, not \"%.*s\"", STR_ARG(v->origin), (intmax_t)min,
		               (intmax_t)max, STR_ARG(v->text));
	*ret = (int64_t)n;
	return 0;
}

#define SECONDS_MAX (7 * 24 * UINT64_C(3600))

int option_seconds(const struct options *o, enum option_id id, uint64_t otherwise, uint64_t *ret, struct err *err)
{
	const struct option_value *v = &o->values[id];
	struct str text = v->text;
	uint64_t n = otherwise, unit = 1;
	if (v->set) {
		if (str_drop(&text, STR("m")))
			unit = 60;
		else if (str_drop(&text, STR("h")))
			unit = 3600;
		else
			(void)str_drop(&text, STR("s"));
		if (!str_to_u64(text, &n) || n > SECONDS_MAX / unit)
			return err_set(err, ERR_USAGE, "%.*s wants a time as 90s, 5m or 1h, not \"%.*s\"",
			               STR_ARG(v->origin), STR_ARG(v->text));
	}
	*ret = n * unit;
	return 0;
}
