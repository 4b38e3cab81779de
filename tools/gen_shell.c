/* Tables for the shells' completions, which the templates in tools/completions/ read. Every command and every listed
 * option is in them; values are offered where the table of options knows them. */
#include "tools/gen.h"

#include "base/base.h"
#include "version/versions.h"

/* In single quotes, as every shell here reads them. */
static void put_quoted(const char *text)
{
	putchar('\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*p);
	}
	putchar('\'');
}

static void put_schemes(void)
{
	for (size_t i = 0; i < version_scheme_count; i++)
		printf("%s%s", i ? " " : "", version_schemes[i].name);
}

/* "one", "list", "file", "dir", "any", "none": how a value is completed. */
static const char *kind(const struct option_row *row)
{
	if (row->kind == OPTION_FLAG)
		return "none";
	if (!row->choices)
		return "any";
	row = gen_filled(row);
	if (row->choices[0] == '@')
		return row->choices + 1;
	return row->kind == OPTION_LIST ? "list" : "one";
}

static const char *values(const struct option_row *row)
{
	row = gen_filled(row);
	return row->choices && row->choices[0] != '@' ? row->choices : "";
}

/* First words of commands, each once. */
static void put_commands(const char *separator, bool described)
{
	struct str before = { 0 }, rest;
	for (size_t i = 0; i < command_count; i++) {
		struct str word = gen_first_word(commands[i].name, &rest);
		if (!str_eq(word, before)) {
			printf("%s%.*s", i ? separator : "", STR_ARG(word));
			if (described)
				printf(":%s", rest.len ? "the advisory database" : commands[i].summary);
		}
		before = word;
	}
}

/* --- bash: case branches that set variables ------------------------------------------------------------------------ */

static void bash_commands(struct str argument)
{
	(void)argument;
	printf("\tcommands='");
	put_commands(" ", false);
	printf("'\n\tschemes='");
	put_schemes();
	printf("'\n");
}

/* What may follow a first word. */
static void bash_second(struct str argument)
{
	(void)argument;
	struct str before = { 0 }, rest;
	for (size_t i = 0; i < command_count; i++) {
		struct str word = gen_first_word(commands[i].name, &rest);
		if (rest.len == 0)
			continue;
		if (!str_eq(word, before))
			printf("%s\t%.*s) second='", before.len ? "' ;;\n" : "", STR_ARG(word));
		printf("%.*s ", STR_ARG(rest));
		before = word;
	}
	printf("' ;;\n");
}

static void bash_options(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < command_count; i++) {
		printf("\t'%s') options='", commands[i].name);
		for (size_t k = 0; k < option_row_count; k++) {
			if (!option_listed(&option_rows[k], commands[i].id))
				continue;
			if (option_rows[k].letter)
				printf("-%c ", option_rows[k].letter);
			printf("--%s ", option_rows[k].name);
		}
		printf("' ;;\n");
	}
}

static void bash_values(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < command_count; i++)
		for (size_t k = 0; k < option_row_count; k++) {
			const struct option_row *row = &option_rows[k];
			if (!option_listed(row, commands[i].id) || row->kind == OPTION_FLAG)
				continue;
			printf("\t'%s --%s'", commands[i].name, row->name);
			if (row->letter)
				printf(" | '%s -%c'", commands[i].name, row->letter);
			printf(") kind=%s values='%s' ;;\n", kind(row), values(row));
		}
}

/* --- zsh: arguments of _arguments ---------------------------------------------------------------------------------- */

static void zsh_commands(struct str argument)
{
	(void)argument;
	printf("\t\t'");
	put_commands("'\n\t\t'", true);
	printf("'\n");
}

static void zsh_second(struct str argument)
{
	struct str rest;
	for (size_t i = 0; i < command_count; i++)
		if (str_eq(gen_first_word(commands[i].name, &rest), argument) && rest.len) {
			printf("\t\t'%.*s:", STR_ARG(rest));
			for (const char *p = commands[i].summary; *p; p++)
				printf(*p == '\'' ? "'\\''" : "%c", *p);
			printf("'\n");
		}
}

static void zsh_explanation(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", stdout);
		else if (*p == '[' || *p == ']' || *p == ':')
			printf("\\%c", *p);
		else
			putchar(*p);
	}
}

static void zsh_action(const struct option_row *row)
{
	const char *how = kind(row);
	struct str name = str_from(how);
	/* In front of the colon: what the value is called, where the list of choices is announced. */
	printf(":%s:", row->name);
	if (str_eq(name, STR("list")))
		printf("_values -s , %s %s", row->name, values(row));
	else if (str_eq(name, STR("one")))
		printf("(%s)", values(row));
	else if (str_eq(name, STR("file")))
		printf("_files");
	else if (str_eq(name, STR("dir")))
		printf("_files -/");
	else
		printf(" ");
}

static void zsh_form(const struct option_row *row, bool letter)
{
	const char *more = row->kind == OPTION_REPEAT || row->kind == OPTION_LIST ? "*" : "";
	if (letter)
		printf("\t\t'%s-%c%s[", more, row->letter, row->kind == OPTION_FLAG ? "" : "+");
	else
		printf("\t\t'%s--%s%s[", more, row->name, row->kind == OPTION_FLAG ? "" : "=");
	zsh_explanation(gen_filled(row)->help);
	printf("]");
	if (row->kind != OPTION_FLAG)
		zsh_action(row);
	printf("' \\\n");
}

static void zsh_options(struct str argument)
{
	const struct command *c = gen_command(argument);
	for (size_t i = 0; i < option_row_count; i++) {
		if (!option_listed(&option_rows[i], c->id))
			continue;
		if (option_rows[i].letter)
			zsh_form(&option_rows[i], true);
		zsh_form(&option_rows[i], false);
	}
}

static void zsh_branches(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < command_count; i++) {
		printf("\t'%s')\n\t_arguments -s -S \\\n", commands[i].name);
		zsh_options(str_from(commands[i].name));
		if (commands[i].id == CMD_DB_COMPARE) {
			printf("\t\t'1:ecosystem:(");
			put_schemes();
			printf(")'\n\t;;\n");
		} else if (commands[i].id == CMD_HELP) {
			printf("\t\t'*:command:(");
			put_commands(" ", false);
			printf(")'\n\t;;\n");
		} else {
			printf("\t\t'*:%s:_files%s'\n\t;;\n", commands[i].args ? "target" : "nothing more",
			       commands[i].id == CMD_FS ? " -/" : "");
		}
	}
}

/* --- fish: one complete line each ----------------------------------------------------------------------------------- */

static void fish_commands(struct str argument)
{
	(void)argument;
	struct str before = { 0 }, rest;
	for (size_t i = 0; i < command_count; i++) {
		struct str word = gen_first_word(commands[i].name, &rest);
		if (!str_eq(word, before)) {
			printf("complete -c plimsoll -f -n '__plimsoll_at \"\"' -a %.*s -d ", STR_ARG(word));
			put_quoted(rest.len ? "the advisory database" : commands[i].summary);
			putchar('\n');
		}
		if (rest.len) {
			printf("complete -c plimsoll -f -n '__plimsoll_at %.*s' -a %.*s -d ", STR_ARG(word), STR_ARG(rest));
			put_quoted(commands[i].summary);
			putchar('\n');
		}
		before = word;
	}
	printf("complete -c plimsoll -f -n '__plimsoll_at \"db compare\"' -a '");
	put_schemes();
	printf("'\n");
}

static void fish_options(struct str argument)
{
	(void)argument;
	for (size_t i = 0; i < command_count; i++)
		for (size_t k = 0; k < option_row_count; k++) {
			const struct option_row *row = &option_rows[k];
			if (!option_listed(row, commands[i].id))
				continue;
			printf("complete -c plimsoll -n '__plimsoll_at \"%s\"' -l %s", commands[i].name, row->name);
			if (row->letter)
				printf(" -s %c", row->letter);
			struct str how = str_from(kind(row));
			if (str_eq(how, STR("file")))
				printf(" -r -F");
			else if (str_eq(how, STR("dir")))
				printf(" -x -a '(__fish_complete_directories)'");
			else if (str_eq(how, STR("list")))
				printf(" -x -a '(__plimsoll_list %s)'", values(row));
			else if (str_eq(how, STR("one")))
				printf(" -x -a '%s'", values(row));
			else if (str_eq(how, STR("any")))
				printf(" -x");
			printf(" -d ");
			put_quoted(gen_filled(row)->help);
			putchar('\n');
		}
}

const struct generator shell_generators[] = {
	{ "bash-commands", bash_commands }, { "bash-second", bash_second },   { "bash-options", bash_options },
	{ "bash-values", bash_values },     { "zsh-commands", zsh_commands }, { "zsh-second", zsh_second },
	{ "zsh-branches", zsh_branches },   { "fish-commands", fish_commands }, { "fish-options", fish_options },
	{ NULL, NULL },
};
