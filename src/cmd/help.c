/* --help, from the tables of commands and options, at 80 columns. Prints; decides nothing. */
#include "base/base.h"
#include "cmd/commands.h"

#define WIDTH         80u
#define OPTION_COLUMN 30u

/* Words of text from column `at` on, wrapped and indented by `indent`. */
static void print_wrapped(FILE *out, const char *text, unsigned indent, unsigned at)
{
	struct str rest = str_from(text), word;
	fprintf(out, "%*s", (int)(indent - at), "");
	unsigned column = indent;
	while (str_cut(&rest, ' ', &word)) {
		if (column > indent && column + word.len + 1 > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		fprintf(out, "%s%.*s", column > indent ? " " : "", STR_ARG(word));
		column += (unsigned)word.len + (column > indent ? 1 : 0);
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct option_row *row)
{
	struct arena *ARENA_AUTO a = arena_new();
	char short_form[4] = "   ";
	if (row->letter)
		(void)snprintf(short_form, sizeof(short_form), "-%c,", row->letter);
	int n = fprintf(out, "  %s --%s%s%s", short_form, row->name, row->value ? " " : "", row->value ? row->value : "");
	if (n < 0 || (unsigned)n + 2 > OPTION_COLUMN) {
		fputc('\n', out);
		n = 0;
	}
	print_wrapped(out, option_help(a, row), OPTION_COLUMN, (unsigned)n);
}

static void print_options(FILE *out, enum command_id command)
{
	size_t group = 0;
	bool titled = false;
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_listed(&option_rows[i], command)) {
			if (!titled)
				fprintf(out, "\n%s:\n", option_groups[group].title);
			titled = true;
			print_option(out, &option_rows[i]);
		}
		if (option_rows[i].id == option_groups[group].last && group + 1 < option_group_count) {
			group++;
			titled = false;
		}
	}
}

static void print_examples(FILE *out, const char *examples)
{
	struct str rest = str_from(examples), line, command;
	fprintf(out, "\nExamples:\n");
	while (str_cut(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		(void)str_cut(&line, '\t', &command);
		fprintf(out, "  %.*s\n      %.*s\n", STR_ARG(command), STR_ARG(line));
	}
}

static void print_commands(FILE *out, struct str first_word)
{
	for (size_t i = 0; i < command_count; i++) {
		char left[32];
		struct str rest = str_from(commands[i].name), word;
		(void)str_cut(&rest, ' ', &word);
		if (first_word.len && (rest.len == 0 || !str_eq(word, first_word)))
			continue;
		(void)snprintf(left, sizeof(left), "%s%s%s", commands[i].name, commands[i].args ? " " : "",
		               commands[i].args ? commands[i].args : "");
		fprintf(out, "  %-22s ", left);
		print_wrapped(out, commands[i].summary, 25, 25);
	}
}

static void program_help(FILE *out)
{
	fprintf(out, "Usage: plimsoll COMMAND [OPTION...]\n\n"
	             "Tells whether a container is safe to run: what in its image is vulnerable, why,\n"
	             "and what to upgrade first.\n\nCommands:\n");
	print_commands(out, (struct str){ 0 });
	fprintf(out, "\nExamples:\n"
	             "  plimsoll image app.tar                    an image archive or OCI layout\n"
	             "  plimsoll image app.tar --fail-on high     a gate for a build: exits 1\n"
	             "  plimsoll fs /                             this system\n"
	             "  plimsoll report scan.json -f html         a stored report, in another form\n"
	             "\n\"plimsoll COMMAND --help\" shows a command's options. Every option --name is also\n"
	             "read from the variable PLIMSOLL_NAME and from the key name in ./.plimsoll.yaml.\n\n"
	             "Exit codes: 0 done; 1 the gate failed; 2 wrong usage; 3 not all could be\n"
	             "assessed (--strict); 4 it could not be done.\n");
}

void command_help(const struct command *c, FILE *out)
{
	if (!c) {
		program_help(out);
		return;
	}
	fprintf(out, "Usage: plimsoll %s [OPTION...]%s%s\n\n", c->name, c->args ? " " : "", c->args ? c->args : "");
	fprintf(out, "%c%s.\n", c->summary[0] - (ascii_lower(c->summary[0]) ? 32 : 0), c->summary + 1);
	if (c->details) {
		fputc('\n', out);
		print_wrapped(out, c->details, 0, 0);
	}
	if (c->examples)
		print_examples(out, c->examples);
	print_options(out, c->id);
}

bool command_group_help(struct str first_word, FILE *out)
{
	bool any = false;
	for (size_t i = 0; i < command_count; i++) {
		struct str rest = str_from(commands[i].name), word;
		any = any || (str_cut(&rest, ' ', &word) && rest.len && str_eq(word, first_word));
	}
	if (!any)
		return false;
	fprintf(out, "Usage: plimsoll %.*s COMMAND [OPTION...]\n\nCommands:\n", STR_ARG(first_word));
	print_commands(out, first_word);
	return true;
}
