/* The command table: drives main, --help, the man pages and the shells' completions. One file per command: options in,
 * exit code out. */
#ifndef PLIMSOLL_CMD_COMMANDS_H
#define PLIMSOLL_CMD_COMMANDS_H

#include "cmd/options.h"

#include <stdio.h>

/* Exit codes (DESIGN 1); where several apply: 2, then 4, then 1 or the N of --exit-code, then 3. */
enum exit_code { EXIT_DONE = 0, EXIT_GATE = 1, EXIT_USAGE = 2, EXIT_NOT_ASSESSED = 3, EXIT_FAILED = 4 };

struct command {
	enum command_id id;
	const char *name;    /* "image", "db build" */
	const char *args;    /* "TARGET..." */
	const char *summary; /* one line */
	const char *details; /* a paragraph for --help and the man page; may be NULL */
	const char *examples; /* lines "COMMAND LINE\tWHAT IT DOES"; may be NULL */
	int (*run)(const struct options *o);
};

extern const struct command commands[];
extern const size_t command_count;

/* argv[0] is the program. Returns the exit code. */
int commands_run(int argc, char **argv);

/* Exit code that goes with an error, which is printed. */
int command_failed(const struct err *err);
/* Help for one command; NULL: for the program. */
void command_help(const struct command *c, FILE *out);
/* The commands whose first word is this ("db"). False where there are none. */
bool command_group_help(struct str first_word, FILE *out);

int command_image(const struct options *o);
int command_fs(const struct options *o);
int command_report(const struct options *o);
int command_db_update(const struct options *o);
int command_db_build(const struct options *o);
int command_db_status(const struct options *o);
int command_db_verify(const struct options *o);
int command_db_compare(const struct options *o);
int command_help_page(const struct options *o);
int command_version(const struct options *o);

/* The database to use: --db or PLIMSOLL_DB, else the newer of the cache folder's and the installed one; run from a build
 * folder, the source tree's. NULL with err where there is none. */
struct db;
struct db *command_open_db(struct arena *a, const struct options *o, struct str *ret_path, struct err *err);
/* The database's name in its folders. */
#define COMMAND_DB_FILE "advisories.plimsoll"
/* --cache-dir or the default; NULL: none. */
const char *command_cache_dir(struct arena *a, const struct options *o);

#endif
