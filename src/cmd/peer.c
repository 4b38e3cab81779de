/* A peer's command line, variables and configuration files, read by its table: see peer.h. Knows no peer by name, gives no
 * setting a meaning but those that are our options under another name. */
#include "cmd/peer.h"

#include "base/base.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/yaml.h"

#include <unistd.h>

/* What our scan exits with for --exit-code and --exit-on-eol of a peer, which may be any number: no code of ours. */
enum { FOUND = 100, PAST_SUPPORT = 101 };

const struct peer *const peers[] = { &peer_trivy, &peer_grype };
const size_t peer_count = COUNT_OF(peers);

const struct peer *peer_of(const char *argv0)
{
	struct str name = str_from(argv0);
	name = str_sub(name, (size_t)(str_rfind(name, '/') + 1), name.len);
	for (size_t i = 0; i < peer_count; i++)
		if (str_eq(name, str_from(peers[i]->name)))
			return peers[i];
	return NULL;
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static uint32_t command_bit(const struct peer_call *c)
{
	return c->command ? 1u << (c->command - c->peer->commands) : UINT32_MAX;
}

static const struct peer_row *find_flag(const struct peer_call *c, struct str name, char letter)
{
	for (size_t i = 0; i < c->peer->row_count; i++) {
		const struct peer_row *row = &c->peer->rows[i];
		if (!(row->commands & command_bit(c)))
			continue;
		if (letter ? row->letter == letter : row->name && str_eq(name, str_from(row->name)))
			return row;
	}
	return NULL;
}

static struct option_value *value_of(const struct peer_call *c, const struct peer_row *row)
{
	return &c->values[row - c->peer->rows];
}

const struct option_value *peer_value(const struct peer_call *c, const char *name)
{
	for (size_t i = 0; i < c->peer->row_count; i++)
		if (c->peer->rows[i].name && str_eq(str_from(name), str_from(c->peer->rows[i].name)))
			return &c->values[i];
	abort();
}

const struct option_value *peer_key_value(const struct peer_call *c, const char *key)
{
	for (size_t i = 0; i < c->peer->row_count; i++)
		if (c->peer->rows[i].key && str_eq(str_from(key), str_from(c->peer->rows[i].key)))
			return &c->values[i];
	abort();
}

struct str peer_variable(struct arena *a, const struct peer *p, const struct peer_row *row)
{
	const char *from = p->variables_from_keys ? row->key : row->name;
	if (!from)
		return (struct str){ 0 };
	struct str name = arena_printf(a, "%s%s", p->prefix, from);
	char *text = str_cstr(a, name);
	for (size_t i = 0; i < name.len; i++)
		text[i] = text[i] == '-' || text[i] == '.' ? '_' : ascii_lower(text[i]) ? (char)(text[i] - 32) : text[i];
	return (struct str){ text, name.len };
}

static bool has_choice(const char *choices, struct str text)
{
	for (struct str rest = str_from(choices), word; str_cut(&rest, ' ', &word);)
		if (str_eq(word, text))
			return true;
	return false;
}

bool peer_is_standard(const struct peer_row *row, const struct option_value *v)
{
	struct str standard = str_from(row->standard), word;
	size_t n = 0;
	if (!v->set)
		return true;
	if (row->kind == OPTION_FLAG)
		return v->flag == str_eq(standard, STR("true"));
	if (row->kind == OPTION_TEXT)
		return str_eq(v->text, standard);
	for (struct str rest = standard; rest.len && str_cut(&rest, ',', &word); n++)
		if (n >= v->list.len || !str_eq(v->list.ptr[n], word))
			return false;
	return n == v->list.len || (v->list.len == 1 && v->list.ptr[0].len == 0);
}

/* --- command line ------------------------------------------------------------------------------------------------- */

static int put(struct peer_call *c, const struct peer_row *row, struct str text, struct str origin, struct err *err)
{
	struct option_value *v = value_of(c, row);
	size_t before = v->list.len;
	int rc = option_value_put(c->arena, row->kind, v, text, origin, err);
	if (rc < 0 || !row->choices)
		return rc;
	if (row->kind == OPTION_TEXT && text.len && !has_choice(row->choices, text))
		return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is none of: %s", STR_ARG(origin), STR_ARG(text), row->choices);
	for (size_t i = before; i < v->list.len; i++)
		if (!has_choice(row->choices, v->list.ptr[i]))
			return err_set(err, ERR_USAGE, "%.*s: \"%.*s\" is none of: %s", STR_ARG(origin), STR_ARG(v->list.ptr[i]),
			               row->choices);
	return 0;
}

static int take_long(struct peer_call *c, int argc, char **argv, int *at, struct err *err)
{
	struct str rest = str_from(argv[*at] + 2), name;
	bool has_value = str_find(rest, '=') >= 0;
	(void)str_cut(&rest, '=', &name);
	const struct peer_row *row = find_flag(c, name, 0);
	struct str origin = arena_printf(c->arena, "--%.*s", STR_ARG(name));
	if (!row)
		return err_set(err, ERR_USAGE, "unknown flag %.*s of %s", STR_ARG(origin), c->peer->name);
	if (row->kind == OPTION_FLAG)
		return put(c, row, has_value ? rest : STR("true"), origin, err);
	if (!has_value && *at + 1 >= argc)
		return err_set(err, ERR_USAGE, "%.*s wants a value", STR_ARG(origin));
	return put(c, row, has_value ? rest : str_from(argv[++*at]), origin, err);
}

static int take_letters(struct peer_call *c, int argc, char **argv, int *at, struct err *err)
{
	struct str letters = str_from(argv[*at] + 1);
	while (letters.len) {
		struct str origin = arena_printf(c->arena, "-%c", letters.ptr[0]);
		const struct peer_row *row = find_flag(c, (struct str){ 0 }, letters.ptr[0]);
		letters = str_sub(letters, 1, letters.len);
		if (!row)
			return err_set(err, ERR_USAGE, "unknown flag %.*s of %s", STR_ARG(origin), c->peer->name);
		if (row->kind != OPTION_FLAG) {
			if (letters.len == 0 && *at + 1 >= argc)
				return err_set(err, ERR_USAGE, "%.*s wants a value", STR_ARG(origin));
			if (letters.len)
				(void)str_skip(&letters, STR("="));
			else
				letters = str_from(argv[++*at]);
			return put(c, row, letters, origin, err);
		}
		bool has_value = str_skip(&letters, STR("="));
		int rc = put(c, row, has_value ? letters : STR("true"), origin, err);
		if (rc < 0 || has_value)
			return rc;
	}
	return 0;
}

static bool is_command(const struct peer_command *command, struct str word)
{
	return word.len == 0 ? command->names[0] == '\0' : has_choice(command->names, word);
}

/* The first word that is no flag; a peer without such a command takes it as a target. Flags before it are those of any
 * command: they are asked again once the command is known. */
static int choose_command(struct peer_call *c, const char *word, struct err *err)
{
	const struct peer_command *otherwise = NULL;
	for (size_t i = 0; i < c->peer->command_count; i++) {
		const struct peer_command *command = &c->peer->commands[i];
		if (command->names[0] == '\0')
			otherwise = command;
		else if (is_command(command, str_from(word)))
			c->command = command;
	}
	if (c->command && !c->command->run)
		return err_set(err, ERR_UNSUPPORTED, "%s %s cannot be given its meaning: %s", c->peer->name, word, c->command->words);
	if (c->command)
		return 0;
	c->command = otherwise;
	if (!otherwise)
		return err_set(err, ERR_USAGE, "%s has no command \"%s\"", c->peer->name, word);
	*vec_push(c->arena, &c->args) = word;
	return 0;
}

static int take_arguments(struct peer_call *c, int argc, char **argv, struct err *err)
{
	bool only_args = false;
	int rc = 0;
	for (int i = 0; rc == 0 && i < argc; i++) {
		struct str arg = str_from(argv[i]);
		bool is_flag = !only_args && arg.len >= 2 && arg.ptr[0] == '-';
		if (is_flag && str_eq(arg, STR("--")))
			only_args = true;
		else if (is_flag)
			rc = arg.ptr[1] == '-' ? take_long(c, argc, argv, &i, err) : take_letters(c, argc, argv, &i, err);
		else if (!c->command)
			rc = choose_command(c, argv[i], err);
		else
			*vec_push(c->arena, &c->args) = argv[i];
	}
	for (size_t i = 0; rc == 0 && i < c->peer->row_count; i++)
		if (c->values[i].set && !(c->peer->rows[i].commands & command_bit(c)))
			rc = err_set(err, ERR_USAGE, "%.*s is no flag of this command of %s", STR_ARG(c->values[i].origin), c->peer->name);
	return rc;
}

/* --- variables and files ------------------------------------------------------------------------------------------ */

static int take_environment(struct peer_call *c, struct err *err)
{
	for (size_t i = 0; i < c->peer->row_count; i++) {
		const struct peer_row *row = &c->peer->rows[i];
		if (!(row->commands & command_bit(c)) || c->values[i].set)
			continue;
		struct str variable = peer_variable(c->arena, c->peer, row);
		const char *text = variable.len ? getenv(variable.ptr) : NULL;
		int rc = text && text[0] ? put(c, row, str_from(text), variable, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static const struct value *at_key(const struct value *map, const char *key)
{
	for (struct str rest = str_from(key), word; map && str_cut(&rest, '.', &word);)
		map = value_get_str(map, word);
	return map && !value_is(map, VALUE_NULL) ? map : NULL;
}

/* Of one setting the file that comes first counts; lists that a peer joins, it joins by asking c->configs itself. */
static int take_map(struct peer_call *c, const struct value *map, struct str file, struct err *err)
{
	for (size_t i = 0; i < c->peer->row_count; i++) {
		const struct peer_row *row = &c->peer->rows[i];
		const struct value *document = row->key ? at_key(map, row->key) : NULL;
		if (!document || value_is(document, VALUE_MAP) || !(row->commands & command_bit(c)) || c->values[i].set)
			continue;
		struct option_value read = { 0 };
		struct str origin = arena_printf(c->arena, "%.*s:%u", STR_ARG(file), document->line);
		int rc = option_value_put_document(c->arena, row->kind, &read, document, origin, err);
		if (rc < 0)
			return rc;
		if (!read.set)
			continue;
		/* Through the choices, one value after the other. */
		if (read.list.len == 0)
			rc = put(c, row, read.text, origin, err);
		for (size_t k = 0; rc == 0 && k < read.list.len; k++)
			rc = put(c, row, read.list.ptr[k], origin, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int take_file(struct peer_call *c, const char *path, bool wanted, struct err *err)
{
	struct str text, why;
	struct value *documents = NULL;
	int rc = fs_read(c->arena, path, YAML_SIZE_MAX, &text, err);
	if (rc == ERR_NOT_FOUND && !wanted)
		return 0;
	if (rc == 0)
		rc = yaml_parse(c->arena, text, &documents, err);
	if (rc < 0) {
		why = str_dup(c->arena, str_from(err->text));
		return err_set(err, ERR_USAGE, "the configuration %s cannot be read: %.*s", path, STR_ARG(why));
	}
	const struct value *map = value_at(documents, 0);
	if (!map || value_is(map, VALUE_NULL))
		return 0;
	if (!value_is(map, VALUE_MAP) || value_len(documents) != 1)
		return err_set(err, ERR_USAGE, "%s: one map of keys is wanted", path);
	*vec_push(c->arena, &c->configs) = map;
	*vec_push(c->arena, &c->config_files) = str_from(path);
	return take_map(c, map, str_from(path), err);
}

static int take_files(struct peer_call *c, struct err *err)
{
	const struct option_value *named = peer_value(c, "config");
	const char *path;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < named->list.len; i++)
		rc = take_file(c, str_cstr(c->arena, named->list.ptr[i]), true, err);
	if (named->list.len == 0 && named->text.len) /* a peer with one file; empty: none is read */
		rc = take_file(c, str_cstr(c->arena, named->text), true, err);
	for (unsigned n = 0; rc == 0 && !named->set && (path = c->peer->config_file(c->arena, n)); n++)
		rc = take_file(c, path, false, err);
	return rc;
}

/* --- meaning ------------------------------------------------------------------------------------------------------ */

int peer_put(struct peer_call *c, const char *ours, struct str text, struct str origin, struct err *err)
{
	const struct option_row *row = option_find(c->ours.command, str_from(ours));
	if (!row)
		return err_set(err, ERR_UNSUPPORTED, "%.*s cannot be given its meaning: this version has no --%s", STR_ARG(origin),
		               ours);
	return option_put(&c->ours, row->id, text, origin, err);
}

static int put_all(struct peer_call *c, const struct peer_row *row, const struct option_value *v, struct err *err)
{
	int rc = 0;
	if (row->kind != OPTION_LIST && row->kind != OPTION_REPEAT)
		return peer_put(c, row->ours, row->kind == OPTION_FLAG ? v->flag ? STR("true") : STR("false") : v->text, v->origin,
		                err);
	for (size_t i = 0; rc == 0 && i < v->list.len; i++)
		rc = peer_put(c, row->ours, v->list.ptr[i], v->origin, err);
	return rc;
}

/* The rows that need no function of the peer. */
static int give_meaning(struct peer_call *c, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->peer->row_count; i++) {
		const struct peer_row *row = &c->peer->rows[i];
		const struct option_value *v = &c->values[i];
		if (peer_is_standard(row, v))
			continue;
		if (row->meaning == PEER_REFUSED)
			rc = err_set(err, ERR_UNSUPPORTED, "%.*s of %s cannot be given its meaning: %s", STR_ARG(v->origin),
			             c->peer->name, row->words);
		else if (row->meaning == PEER_OURS)
			rc = put_all(c, row, v, err);
		else if (row->meaning == PEER_ACCEPTED)
			log_verbose("%.*s: accepted; %s", STR_ARG(v->origin), row->words);
	}
	return rc;
}

/* What belongs to the installation and has no name with any peer is still taken from our own variables. */
static int take_own(struct peer_call *c, struct err *err)
{
	static const enum option_id ids[] = { OPT_DB, OPT_DB_MAX_AGE, OPT_NO_CACHE, OPT_NO_SANDBOX, OPT_NO_COLOR };
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct str variable = option_variable(c->arena, option_row(ids[i]));
		const char *text = getenv(variable.ptr);
		int rc = text && text[0] ? option_put(&c->ours, ids[i], str_from(text), variable, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int peer_code(const struct peer_call *c, int code)
{
	switch (code) {
	case EXIT_GATE:
		return c->peer->gate_code;
	case EXIT_FAILED:
	case EXIT_NOT_ASSESSED:
		return 1;
	case FOUND:
		return (int)c->found_code;
	case PAST_SUPPORT:
		return (int)c->eol_code;
	default:
		return code;
	}
}

int peer_scan(struct peer_call *c, enum command_id command, const char *target, struct err *err)
{
	struct options *o = &c->ours;
	int rc = give_meaning(c, err);
	if (rc == 0 && c->found_code)
		rc = option_put(o, OPT_EXIT_CODE, arena_printf(c->arena, "%d", FOUND), STR("--exit-code"), err);
	if (rc == 0 && c->eol_code)
		rc = option_put(o, OPT_EXIT_ON_EOL, arena_printf(c->arena, "%d", PAST_SUPPORT), STR("--exit-on-eol"), err);
	for (size_t i = 0; rc == 0 && i < c->outputs.len; i++)
		rc = option_put(o, OPT_OUTPUT, c->outputs.ptr[i], STR("--output"), err);
	if (rc < 0)
		return rc;
	o->command = command;
	o->swap.timed_out_code = 1;
	*vec_push(c->arena, &o->args) = target;
	return peer_code(c, command == CMD_FS ? command_fs(o) : command_image(o));
}

bool peer_duration(struct str s, uint64_t *ret_seconds)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "ms", 1e-3 }, { "us", 1e-6 }, { "ns", 1e-9 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } };
	double total = 0;
	if (str_eq(s, STR("0")))
		return *ret_seconds = 0, true;
	if (s.len == 0)
		return false;
	while (s.len) {
		double n = 0, scale = 1;
		size_t digits = 0, i = 0, k = 0;
		for (; i < s.len && ascii_digit(s.ptr[i]); i++, digits++)
			n = n * 10 + (s.ptr[i] - '0');
		if (i < s.len && s.ptr[i] == '.')
			for (i++; i < s.len && ascii_digit(s.ptr[i]); i++, digits++)
				n += (s.ptr[i] - '0') * (scale /= 10);
		s = str_sub(s, i, s.len);
		while (k < COUNT_OF(units) && !str_skip(&s, str_from(units[k].unit)))
			k++;
		if (digits == 0 || k == COUNT_OF(units))
			return false;
		total += n * units[k].seconds;
		if (total > 1e9)
			return false;
	}
	*ret_seconds = (uint64_t)total + ((double)(uint64_t)total < total);
	return true;
}

/* --- the run ------------------------------------------------------------------------------------------------------ */

static int failed(const struct err *err)
{
	log_error("%s", err->text);
	return err->code == ERR_UNSUPPORTED ? EXIT_USAGE : 1;
}

static void print_help(const struct peer_call *c)
{
	const struct peer *p = c->peer;
	printf("Usage: %s, through a link to plimsoll: the surface of %s %s\n\n", p->name, p->title, p->version);
	for (size_t i = 0; !c->command && i < p->command_count; i++)
		printf("  %-26s %s%s\n", p->commands[i].names, p->commands[i].run ? "" : "(exits 2) ", p->commands[i].words);
	for (size_t i = 0; i < p->row_count; i++) {
		const struct peer_row *row = &p->rows[i];
		if (c->command && row->name && (row->commands & command_bit(c)) && row->meaning != PEER_REFUSED)
			printf("  --%s%s%s\n", row->name, row->kind == OPTION_FLAG ? "" : " VALUE",
			       row->meaning == PEER_ACCEPTED ? "   (accepted, has no meaning here)" : "");
	}
	printf("\nplimsoll-swap(7) says what each of them means here.\n");
}

static int run(struct peer_call *c, int argc, char **argv, struct err *err)
{
	int rc = take_arguments(c, argc, argv, err);
	if (rc < 0)
		return rc;
	if (peer_value(c, "help")->flag) {
		print_help(c);
		return EXIT_DONE;
	}
	for (size_t i = 0; !c->command && i < c->peer->command_count; i++)
		if (is_command(&c->peer->commands[i], peer_value(c, "version")->flag ? STR("version") : STR("")))
			c->command = &c->peer->commands[i];
	if (!c->command) {
		print_help(c);
		return EXIT_DONE;
	}
	if ((rc = take_own(c, err)) < 0 || (rc = take_environment(c, err)) < 0 || (rc = take_files(c, err)) < 0)
		return rc;
	log_setup(peer_value(c, "quiet")->flag ? LOG_QUIET : peer_value(c, c->peer->verbose)->flag ? LOG_VERBOSE : LOG_NORMAL);
	return c->command->run(c, err);
}

int peer_run(const struct peer *p, int argc, char **argv)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct peer_call c = { .peer = p, .arena = a, .values = arena_array(a, p->row_count, sizeof(struct option_value)) };
	struct err err = { 0 };
	c.ours = (struct options){ .arena = a, .command = CMD_IMAGE };
	int code = run(&c, argc - 1, argv + 1, &err);
	return code < 0 ? failed(&err) : code;
}

/* --- typed to the program itself ---------------------------------------------------------------------------------- */

const char *peer_flag_hint(struct arena *a, struct str name)
{
	for (size_t i = 0; i < peer_count; i++)
		for (size_t k = 0; k < peers[i]->row_count; k++) {
			const struct peer_row *row = &peers[i]->rows[k];
			if (!row->name || !str_eq(name, str_from(row->name)))
				continue;
			if (row->ours && !str_eq(name, str_from(row->ours)))
				return arena_printf(a, str_find(str_from(row->ours), ' ') < 0 ? "use --%s" : "%s", row->ours).ptr;
			if (row->ours)
				return NULL;
			if (row->meaning == PEER_ACCEPTED)
				return arena_printf(a, "not needed: %s", row->words).ptr;
			return row->words;
		}
	return NULL;
}
