/* Which command is meant, and running it: see commands.h. */
#include "cmd/commands.h"

#include "base/base.h"
#include "base/log.h"
#include "cmd/peer.h"
#include "config.h"

#include <unistd.h>

#define OUTPUT_BUFFER_SIZE (64 * KIB)

#include <unistd.h>

const struct command commands[] = {
	{ CMD_IMAGE, "image", "TARGET...", "scan container images and containers",
	  "A target is a path, or the name of an image. A path: an image archive (docker save, podman save, OCI; also compressed), "
	  "an OCI layout folder, or - for an archive on standard input. docker-archive:FILE[:NAME], oci-archive:FILE[:TAG|@DIGEST] "
	  "and oci:DIR[:TAG|@DIGEST] say which form it is and choose one image of several. A name is looked for in Docker, Podman, "
	  "containerd and then its registry; docker:NAME, podman:NAME, containerd:NAME and registry:NAME ask one of them, "
	  "reference:NAME all of them even where a path of that name exists. container:NAME is a container, running or not, with "
	  "what it has written. As root, engines' stores are read in place and nothing is exported.",
	  "plimsoll image nginx:1.25\tfrom the engine, or else from its registry\n"
	  "plimsoll image app.tar --fail-on high\ta gate for a build: exits 1, and says why\n"
	  "plimsoll image container:web\ta container, with what it has written\n"
	  "plimsoll image --all -f json -o all.json\tevery image of this machine\n"
	  "docker save app:1 | plimsoll image -\tan archive from a pipe\n"
	  "plimsoll image app.tar -o table=- -o sarif=out.sarif\tseveral reports from one scan\n",
	  command_image },
	{ CMD_FS, "fs", "DIR...", "scan folders that hold a root file system",
	  "A folder is taken for the root of a system: an unpacked image, a chroot, a mounted disk, or /.",
	  "plimsoll fs /\tthis system\n"
	  "plimsoll fs /mnt/disk -f json --list-all-pkgs\tall that is known of another one\n",
	  command_fs },
	{ CMD_REPORT, "report", "FILE", "render a stored report in another form",
	  "FILE is what -f json wrote, or - for standard input. Filters, ignores and the gate are asked again of what is in it; "
	  "what a filter hid when it was stored is not.",
	  "plimsoll report scan.json\tthe table for people\n"
	  "plimsoll report scan.json -f html -o scan.html\tone page\n"
	  "plimsoll report scan.json -o sarif=app.sarif -o junit=app.xml\tseveral from one\n"
	  "plimsoll report - --fail-on high <scan.json\ta gate, asked later\n",
	  command_report },
	{ CMD_DB_UPDATE, "db update", NULL, "bring the advisory database up to date",
	  "Fetches the publishers' feeds (or those of a mirror, a folder or a file), asking only for what has changed, and builds "
	  "the database anew. A feed that fails keeps its old facts and date, and is said. Whenever it ends, a whole database is "
	  "there: the old one or the new one.",
	  "plimsoll db update\tthe standard feeds\n"
	  "plimsoll db update --list\twhich those are, their licences and dates\n"
	  "plimsoll db update --feed cisa-kev,osv/Go\tthese alone; the rest stays as it is\n"
	  "plimsoll db update --mirror https://mirror.example/feeds\tfrom a mirror\n"
	  "plimsoll db update --from /media/usb/feeds\twithout a network\n",
	  command_db_update },
	{ CMD_DB_BUILD, "db build", NULL, "build an advisory database from the vendors' feeds",
	  "Feeds are recognised by path and content. With --manifest only those are taken that it names.",
	  "plimsoll db build --feeds feeds -o advisories.plimsoll\tall that is recognised below feeds/\n", command_db_build },
	{ CMD_DB_STATUS, "db status", NULL, "say what the advisory database holds, and how old it is", NULL, NULL,
	  command_db_status },
	{ CMD_DB_VERIFY, "db verify", NULL, "check every byte of the advisory database", NULL, NULL, command_db_verify },
	{ CMD_DB_COMPARE, "db compare", "ECOSYSTEM", "compare versions as a distribution does",
	  "Reads lines of two versions from standard input and prints <, = or > for each. Ecosystems: debian, alpine, redhat.",
	  "echo 1.0~rc1 1.0 | plimsoll db compare debian\tprints <\n", command_db_compare },
	{ CMD_HELP, "help", "[COMMAND]", "show help", NULL, NULL, command_help_page },
	{ CMD_VERSION, "version", NULL, "show the version", NULL, NULL, command_version },
};
const size_t command_count = COUNT_OF(commands);

/* Commands of the plan that are not in this version: the name is known, so say so. */
static const char *const planned[] = { "sbom", "config", "engine", "host", "k8s", "harden", "watch", "guard",
	                               "verify", "serve", "rules", "facts" };

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
	if (c || o->args.len == 0) {
		command_help(c, stdout);
		return EXIT_DONE;
	}
	if (command_group_help(str_from(o->args.ptr[0]), stdout))
		return EXIT_DONE;
	log_error("there is no command \"%s\"", o->args.ptr[0]);
	return EXIT_USAGE;
}

static bool is_help(const char *arg)
{
	return str_eq(str_from(arg), STR("--help")) || str_eq(str_from(arg), STR("-h"));
}

/* What looks like a target and no command. */
static bool is_target(const char *arg)
{
	struct str s = str_from(arg);
	return str_find(s, ':') >= 0 || str_find(s, '/') >= 0 || str_eq(s, STR("-")) || access(arg, F_OK) == 0;
}

static int no_such_command(int argc, char **argv)
{
	if (argc == 0)
		return command_help(NULL, stderr), EXIT_USAGE;
	struct str word = str_from(argv[0]);
	for (size_t i = 0; i < COUNT_OF(planned); i++)
		if (str_eq(word, str_from(planned[i]))) {
			log_error("\"%s\" is not in this version", argv[0]);
			return EXIT_USAGE;
		}
	bool asked = argc > 1 && is_help(argv[1]);
	if (command_group_help(word, asked ? stdout : stderr))
		return asked ? EXIT_DONE : EXIT_USAGE;
	if (is_target(argv[0]))
		log_error("there is no command \"%s\"; to scan an image: plimsoll image %s", argv[0], argv[0]);
	else
		log_error("there is no command \"%s\"; plimsoll --help lists them", argv[0]);
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
	/* Reports have megabytes; into a pipe or file they go in pieces of a fair size. */
	if (!isatty(STDOUT_FILENO))
		(void)setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER_SIZE);
	const struct peer *peer = argc ? peer_of(argv[0]) : NULL;
	if (peer)
		return finish_output(peer_run(peer, argc, argv));
	argc--;
	argv++;
	if (argc && is_help(argv[0])) {
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
