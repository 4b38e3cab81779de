/* Parts of the man pages, as scdoc text: options, commands, examples, and what the tables of formats, feeds and version
 * schemes know. The templates are doc/plimsoll*.scd. */
#include "tools/gen.h"

#include "advisory/feed/feed.h"
#include "base/base.h"
#include "cmd/peer.h"
#include "package/formats.h"
#include "report/formats.h"
#include "version/versions.h"

/* scdoc gives * and _ (at a word's edge) a meaning, and \ takes it away. */
static void put_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '*' || s.ptr[i] == '_' || s.ptr[i] == '\\')
			putchar('\\');
		putchar(s.ptr[i]);
	}
}

static void put(const char *text)
{
	put_text(str_from(text));
}

static void put_bold(const char *text)
{
	putchar('*');
	put(text);
	putchar('*');
}

static void put_capital(const char *text)
{
	struct str s = str_from(text);
	printf("%c", s.ptr[0] - (ascii_lower(s.ptr[0]) ? 32 : 0));
	put_text(str_sub(s, 1, s.len));
}

static bool help_says_choices(const struct option_row *row)
{
	struct str rest = str_from(row->choices), first = { 0 };
	(void)str_cut(&rest, ' ', &first);
	return str_contains(str_from(row->help), first);
}

static void option(const struct option_row *row)
{
	row = gen_filled(row);
	if (row->letter)
		printf("*-%c*, ", row->letter);
	printf("*--%s*", row->name);
	if (row->value) {
		printf(" _");
		put(row->value);
		printf("_");
	}
	printf("\n\t");
	put_capital(row->help);
	printf(".");
	if (row->choices && row->choices[0] != '@' && !help_says_choices(row)) {
		printf(" Values: ");
		put(row->choices);
		printf(".");
	}
	printf("\n\n");
}

/* Options of the command, under the headings of --help. */
static void options(struct str argument)
{
	const struct command *c = gen_command(argument);
	size_t group = 0;
	bool titled = false;
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_listed(&option_rows[i], c->id)) {
			if (!titled)
				printf("## %s\n\n", option_groups[group].title);
			titled = true;
			option(&option_rows[i]);
		}
		if (option_rows[i].id == option_groups[group].last && group + 1 < option_group_count) {
			group++;
			titled = false;
		}
	}
}

/* Its options without those that every command has. */
static void options_short(struct str argument)
{
	const struct command *c = gen_command(argument);
	for (size_t i = 0; i < option_row_count; i++)
		if (option_listed(&option_rows[i], c->id) && option_rows[i].id != OPT_CONFIG && option_rows[i].id != OPT_HELP &&
		    option_rows[i].id != OPT_VERSION && option_rows[i].id != OPT_QUIET && option_rows[i].id != OPT_VERBOSE &&
		    option_rows[i].id != OPT_NO_COLOR)
			option(&option_rows[i]);
}

static void put_sentence(const char *text)
{
	put_capital(text);
	printf(".\n\n");
}

static void summary(struct str argument)
{
	const struct command *c = gen_command(argument);
	put_sentence(c->summary);
	if (c->details) {
		put(c->details);
		printf("\n\n");
	}
}

static void examples(struct str argument)
{
	struct str rest = str_from(gen_command(argument)->examples), line, command;
	while (str_cut(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		(void)str_cut(&line, '\t', &command);
		printf("*");
		put_text(command);
		printf("*\n\t");
		put_text(line);
		printf("\n\n");
	}
}

static void all_commands(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < command_count; i++) {
		put_bold(commands[i].name);
		if (commands[i].args) {
			printf(" _");
			put(commands[i].args);
			printf("_");
		}
		printf("\n\t");
		put_sentence(commands[i].summary);
	}
}

static bool is_flag(enum option_kind kind)
{
	return kind == OPTION_FLAG;
}

static bool is_text(enum option_kind kind)
{
	return kind == OPTION_TEXT;
}

static bool is_list(enum option_kind kind)
{
	return kind == OPTION_LIST || kind == OPTION_REPEAT;
}

static bool is_key(size_t at)
{
	const struct option_row *row = &option_rows[at];
	if (row->id == OPT_CONFIG || row->id == OPT_HELP || row->id == OPT_VERSION || row->help[0] == '(')
		return false;
	for (size_t k = 0; k < at; k++)
		if (str_eq(str_from(option_rows[k].name), str_from(row->name)))
			return false;
	return true;
}

/* Every option once, by the kind of its value. */
static void keys(struct str argument)
{
	static const struct {
		const char *words;
		bool (*fits)(enum option_kind kind);
	} kinds[] = { { "Those that take true or false", is_flag }, { "One value", is_text }, { "A value or a list", is_list } };
	(void)argument;
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		bool first = true;
		printf("%s: ", kinds[k].words);
		for (size_t i = 0; i < option_row_count; i++) {
			if (!is_key(i) || !kinds[k].fits(option_rows[i].kind))
				continue;
			printf("%s*%s*", first ? "" : ", ", option_rows[i].name);
			first = false;
		}
		printf(".\n\n");
	}
}

/* Whether an earlier row reads the same place: the later one is what is said where none of them fits. */
static bool place_was_named(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(str_from(package_formats[i].paths[0]), str_from(package_formats[at].paths[0])))
			return true;
	return false;
}

static void databases(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < package_format_count; i++) {
		const struct package_format *f = &package_formats[i];
		if (place_was_named(i))
			continue;
		put_bold(f->name);
		printf("\n\t");
		for (const char *const *path = f->paths; *path; path++) {
			printf("%s/", path == f->paths ? "" : ", ");
			put(*path);
		}
		printf("\n\n");
	}
}

static void formats(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < report_format_count; i++) {
		put_bold(report_formats[i].name);
		printf("\n\t");
		put(report_formats[i].summary);
		printf("\n\n");
	}
}

static void schemes(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < version_scheme_count; i++) {
		put_bold(version_schemes[i].name);
		for (const char *const *alias = version_schemes[i].aliases; alias && *alias; alias++)
			printf("%s%s", alias == version_schemes[i].aliases ? " (also: " : ", ", *alias);
		printf("%s%s", version_schemes[i].aliases ? ")" : "", i + 1 < version_scheme_count ? ", " : "\n\n");
	}
}

static void feed_forms(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < feed_count; i++) {
		put_bold(feeds[i].name);
		printf("\n\t");
		put(feeds[i].what);
		printf("\n\n");
	}
}

static const struct peer *find_peer(struct str name)
{
	for (size_t i = 0; i < peer_count; i++)
		if (str_eq(name, str_from(peers[i]->name)))
			return peers[i];
	abort();
}

/* A peer's commands: those that are run here, and those that exit 2. */
static void peer_commands(struct str argument)
{
	const struct peer *p = find_peer(argument);
	for (size_t i = 0; i < p->command_count; i++) {
		const struct peer_command *c = &p->commands[i];
		printf("*%s*", p->name);
		if (c->names[0]) {
			printf(" *");
			put(c->names);
			printf("*");
		} else {
			printf(" _TARGET_");
		}
		printf("\n\t%s", c->run ? "" : "*Exits 2*: ");
		put(c->words);
		printf(".\n\n");
	}
}

/* "--skip-dirs, TRIVY_SKIP_DIRS, scan.skip-dirs" */
static void peer_names(struct arena *a, const struct peer *p, const struct peer_row *row)
{
	struct str variable = peer_variable(a, p, row);
	const char *between = "";
	if (row->letter)
		printf("*-%c*, ", row->letter);
	if (row->name) {
		printf("*--%s*", row->name);
		between = ", ";
	}
	if (row->key) {
		printf("%s*", between);
		put(row->key);
		printf("*");
		between = ", ";
	}
	if (variable.len) {
		printf("%s*", between);
		put_text(variable);
		printf("*");
	}
}

static void peer_rows(const struct peer *p, enum peer_meaning meaning)
{
	struct arena *ARENA_AUTO a = arena_new();
	for (size_t i = 0; i < p->row_count; i++) {
		const struct peer_row *row = &p->rows[i];
		if (row->meaning != meaning)
			continue;
		peer_names(a, p, row);
		printf("\n\t");
		if (meaning == PEER_OURS)
			printf("Our *--%s*", row->ours);
		else
			put_capital(row->words);
		if (meaning == PEER_REFUSED && row->standard) {
			printf("; taken as long as it is ");
			put(row->standard);
		}
		printf(".\n\n");
	}
}

static void peer_meant(struct str argument)
{
	peer_rows(find_peer(argument), PEER_OURS);
	peer_rows(find_peer(argument), PEER_MEANT);
}

static void peer_accepted(struct str argument)
{
	peer_rows(find_peer(argument), PEER_ACCEPTED);
}

static void peer_refused(struct str argument)
{
	peer_rows(find_peer(argument), PEER_REFUSED);
}

const struct generator page_generators[] = {
	{ "options", options },     { "options-short", options_short }, { "summary", summary },  { "examples", examples },
	{ "commands", all_commands }, { "keys", keys },                 { "databases", databases }, { "formats", formats },
	{ "schemes", schemes },     { "feeds", feed_forms },
	{ "peer-commands", peer_commands }, { "peer-meant", peer_meant }, { "peer-accepted", peer_accepted },
	{ "peer-refused", peer_refused }, { NULL, NULL },
};
