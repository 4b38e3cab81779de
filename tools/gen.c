/* gen TEMPLATE: prints the template with its "@NAME ARGUMENT@" lines replaced; see gen.h. An unknown name ends the build,
 * with its line. */
#include "tools/gen.h"

#include "base/base.h"

#define TEMPLATE_LINE_MAX 1024

const struct option_row *gen_filled(const struct option_row *row)
{
	static struct arena *rows; /* until the program ends */
	if (!rows)
		rows = arena_new();
	struct option_row *filled = ARENA_NEW(rows, struct option_row);
	*filled = *row;
	filled->help = option_help(rows, row);
	filled->choices = option_choices(rows, row);
	return filled;
}

struct str gen_first_word(const char *name, struct str *ret_rest)
{
	struct str word = { 0 };
	*ret_rest = str_from(name);
	(void)str_cut(ret_rest, ' ', &word);
	return word;
}

const struct command *gen_command(struct str name)
{
	for (size_t i = 0; i < command_count; i++)
		if (str_eq(name, str_from(commands[i].name)))
			return &commands[i];
	fprintf(stderr, "gen: there is no command \"%.*s\"\n", STR_ARG(name));
	exit(1);
}

static bool generate(const struct generator *table, struct str name, struct str argument)
{
	for (size_t i = 0; table[i].name; i++)
		if (str_eq(name, str_from(table[i].name))) {
			table[i].write(argument);
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	char buffer[TEMPLATE_LINE_MAX];
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
	if (!f) {
		fprintf(stderr, argc == 2 ? "gen: %s cannot be read\n" : "usage: gen TEMPLATE\n", argv[argc - 1]);
		return 1;
	}
	for (unsigned number = 1; fgets(buffer, sizeof(buffer), f); number++) {
		struct str line = str_trim(str_from(buffer)), name;
		if (line.len < 3 || line.ptr[0] != '@' || line.ptr[line.len - 1] != '@') {
			fputs(buffer, stdout);
			continue;
		}
		line = str_sub(line, 1, line.len - 1);
		(void)str_cut(&line, ' ', &name);
		if (!generate(shell_generators, name, line) && !generate(page_generators, name, line)) {
			fprintf(stderr, "%s:%u: there is no generator \"%.*s\"\n", argv[1], number, STR_ARG(name));
			return 1;
		}
	}
	fclose(f);
	return fflush(stdout) == 0 ? 0 : 1;
}
