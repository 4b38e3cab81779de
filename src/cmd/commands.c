/* Which command, and help: see commands.h. */
#include "cmd/commands.h"

#include "base/base.h"
#include "base/log.h"
#include "config.h"

const struct command commands[] = {
	{ CMD_IMAGE, "image", "TARGET...", "scan container images",
	  "A target is docker-archive:FILE[:NAME], oci-archive:FILE[:TAG|@DIGEST], oci:DIR[:TAG|@DIGEST], - for an archive on "
	  "standard input, or the path of an archive or layout without a prefix. This version reads files; it uses no engine "
	  "and no network.",
	  command_image },
	{ CMD_FS, "fs", "DIR...", "scan folders that hold a root file system",
	  "A folder is taken for the root of a system: an unpacked image, a chroot, a mounted disk, or /.", command_fs },
	{ CMD_DB_BUILD, "db build", NULL, "build an advisory database from the vendors' feeds",
	  "Feeds are recognised by path and content. With --manifest only those are taken that it names.", command_db_build },
	{ CMD_DB_STATUS, "db status", NULL, "say what the advisory database holds", NULL, command_db_status },
	{ CMD_DB_VERIFY, "db verify", NULL, "check every byte of the advisory database", NULL, command_db_verify },
	{ CMD_DB_COMPARE, "db compare", "ECOSYSTEM", "compare versions: reads lines \"A B\", prints <, = or >",
	  "Ecosystems: debian, alpine, redhat.", command_db_compare },
	{ CMD_HELP, "help", "[COMMAND]", "show help", NULL, command_help_page },
	{ CMD_VERSION, "version", NULL, "show the version", NULL, command_version },
};
const size_t command_count = COUNT_OF(commands);

/* Commands of the plan that are not in this version: the name is known, so say so. */
static const char *const planned[] = { "sbom", "config", "engine", "host", "k8s", "harden", "watch", "guard",
	                               "verify", "serve", "report", "rules", "facts" };

/* Words of text from column `at` on, wrapped at 80 and indented by `indent`. */
static void print_wrapped(FILE *out, const char *text, unsigned indent, unsigned at)
{
	struct str rest = str_from(text), word;
	fprintf(out, "%*s", (int)(indent - at), "");
	unsigned column = indent;
	while (str_cut(&rest, ' ', &word)) {
		if (column > indent && column + word.len + 1 > 80) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		fprintf(out, "%s%.*s", column > indent ? " " : "", STR_ARG(word));
		column += (unsigned)word.len + (column > indent ? 1 : 0);
	}
	fputc('\n', out);
}

#define HELP_COLUMN 30u

static void print_option(FILE *out, const struct option_row *row)
{
	char short_form[4] = "   ";
	if (row->letter)
		(void)snprintf(short_form, sizeof(short_form), "-%c,", row->letter);
	int n = fprintf(out, "  %s --%s%s%s", short_form, row->name, row->value ? " " : "", row->value ? row->value : "");
	if (n < 0 || (unsigned)n + 2 > HELP_COLUMN) {
		fputc('\n', out);
		n = 0;
	}
	print_wrapped(out, row->help, HELP_COLUMN, (unsigned)n);
}

void command_help(const struct command *c, FILE *out)
{
	if (!c) {
		fprintf(out, "Usage: plimsoll COMMAND [OPTION...]\n\nTells whether a container is safe to run.\n\nCommands:\n");
		for (size_t i = 0; i < command_count; i++) {
			char left[32];
			(void)snprintf(left, sizeof(left), "%s%s%s", commands[i].name, commands[i].args ? " " : "",
			               commands[i].args ? commands[i].args : "");
			fprintf(out, "  %-22s %s\n", left, commands[i].summary);
		}
		fprintf(out, "\n\"plimsoll COMMAND --help\" shows a command's options. Every option --name is also read from\n"
		             "the variable PLIMSOLL_NAME and from the key name in ./.plimsoll.yaml.\n\n"
		             "Exit codes: 0 done; 1 the gate failed; 2 wrong usage; 3 not all could be assessed (--strict);\n"
		             "4 it could not be done.\n");
		return;
	}
	fprintf(out, "Usage: plimsoll %s [OPTION...]%s%s\n\n", c->name, c->args ? " " : "", c->args ? c->args : "");
	fprintf(out, "%c%s.\n", c->summary[0] - (ascii_lower(c->summary[0]) ? 32 : 0), c->summary + 1);
	if (c->details) {
		fputc('\n', out);
		print_wrapped(out, c->details, 0, 0);
	}
	fprintf(out, "\nOptions:\n");
	for (size_t i = 0; i < option_row_count; i++)
		if (option_rows[i].commands & 1u << c->id)
			print_option(out, &option_rows[i]);
}

int command_failed(const struct err *err)
{
	log_error("%s", err->text);
	return err->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

int command_version(const struct options *o)
{
	(void)o;
	printf("plimsoll %s\n", PLIMSOLL_VERSION);
	return EXIT_DONE;
}

/* The command whose words argv begins with; *ret_words is how many they are. */
static const struct command *find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < command_count; i++) {
		struct str rest = str_from(commands[i].name), word;
		int n = 0;
		bool match = true;
		while (match && str_cut(&rest, ' ', &word)) {
			match = n < argc && str_eq(word, str_from(argv[n]));
			n++;
		}
		if (match) {
			*ret_words = n;
			return &commands[i];
		}
	}
	return NULL;
}

int command_help_page(const struct options *o)
{
	int words;
	char **argv = arena_array(o->arena, o->args.len + 1, sizeof(char *));
	for (size_t i = 0; i < o->args.len; i++)
		argv[i] = str_cstr(o->arena, str_from(o->args.ptr[i]));
	const struct command *c = o->args.len ? find((int)o->args.len, argv, &words) : NULL;
	if (o->args.len && !c) {
		log_error("there is no command \"%s\"", o->args.ptr[0]);
		return EXIT_USAGE;
	}
	command_help(c, stdout);
	return EXIT_DONE;
}

static int no_such_command(int argc, char **argv)
{
	for (size_t i = 0; i < COUNT_OF(planned); i++)
		if (argc && str_eq(str_from(argv[0]), str_from(planned[i]))) {
			log_error("\"%s\" is not in this version", argv[0]);
			return EXIT_USAGE;
		}
	if (argc && str_eq(str_from(argv[0]), STR("db")))
		log_error("db wants one of: build, status, verify, compare");
	else if (argc)
		log_error("there is no command \"%s\"; plimsoll --help lists them", argv[0]);
	else
		command_help(NULL, stderr);
	return EXIT_USAGE;
}

static int finish_output(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("standard output cannot be written: %m");
		return code == EXIT_USAGE ? code : EXIT_FAILED;
	}
	return code;
}

int commands_run(int argc, char **argv)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct options o;
	struct err err = { 0 };
	int words = 0;
	argc--;
	argv++;
	if (argc && (str_eq(str_from(argv[0]), STR("--help")) || str_eq(str_from(argv[0]), STR("-h")))) {
		command_help(NULL, stdout);
		return finish_output(EXIT_DONE);
	}
	if (argc && (str_eq(str_from(argv[0]), STR("--version")) || str_eq(str_from(argv[0]), STR("-V"))))
		return finish_output(command_version(NULL));
	const struct command *c = find(argc, argv, &words);
	if (!c)
		return no_such_command(argc, argv);
	if (options_parse(a, c->id, argc - words, argv + words, &o, &err) < 0)
		return command_failed(&err);
	log_setup(option_flag(&o, OPT_QUIET) ? LOG_QUIET : option_flag(&o, OPT_VERBOSE) ? LOG_VERBOSE : LOG_NORMAL);
	if (option_flag(&o, OPT_HELP)) {
		command_help(c, stdout);
		return finish_output(EXIT_DONE);
	}
	if (option_flag(&o, OPT_VERSION))
		return finish_output(command_version(&o));
	return finish_output(c->run(&o));
}
