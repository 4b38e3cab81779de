/* Flags, environment variables and configuration keys from one table: every flag --name has PLIMSOLL_NAME (upper case,
 * '-' as '_') and the key `name` in .plimsoll.yaml. The flag wins over the variable, the variable over the file; of a
 * list the winner's values alone count. Nothing else in the program parses options.
 * The same table makes --help, the man pages and the shells' completions. */
#ifndef PLIMSOLL_CMD_OPTIONS_H
#define PLIMSOLL_CMD_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

enum command_id {
	CMD_IMAGE,
	CMD_FS,
	CMD_DB_UPDATE,
	CMD_REPORT,
	CMD_DB_BUILD,
	CMD_DB_STATUS,
	CMD_DB_VERIFY,
	CMD_DB_COMPARE,
	CMD_HELP,
	CMD_VERSION,
	CMD_COUNT,
};

enum option_id {
	OPT_FORMAT,
	OPT_TEMPLATE,
	OPT_OUTPUT,
	OPT_SEVERITY,
	OPT_IGNORE_UNFIXED,
	OPT_IGNORE_STATUS,
	OPT_FAIL_ON,
	OPT_FAIL_ON_IN_USE,
	OPT_UNRATED,
	OPT_EXIT_CODE,
	OPT_EXIT_ON_EOL,
	OPT_STRICT,
	OPT_SCANNERS,
	OPT_PKG_TYPES,
	OPT_HOST,
	OPT_PLATFORM,
	OPT_DISTRO,
	OPT_IN_USE,
	OPT_ALL,
	OPT_FROM_FILE,
	OPT_SKIP_DIRS,
	OPT_SKIP_FILES,
	OPT_IGNOREFILE,
	OPT_IGNORE,
	OPT_NO_BUILTIN_IGNORES,
	OPT_VEX,
	OPT_LIST_ALL_PKGS,
	OPT_SHOW_SUPPRESSED,
	OPT_DB,
	OPT_DB_MAX_AGE,
	OPT_CACHE_DIR,
	OPT_NO_CACHE,
	OPT_USERNAME,
	OPT_PASSWORD,
	OPT_PASSWORD_STDIN,
	OPT_INSECURE,
	OPT_CACERT,
	OPT_OFFLINE,
	OPT_NO_SANDBOX,
	OPT_TIMEOUT,
	OPT_CONFIG,
	OPT_NO_COLOR,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
	/* db update */
	OPT_FEED,
	OPT_MIRROR,
	OPT_FROM,
	OPT_LIST,
	OPT_FORCE,
	OPT_FEED_TIMEOUT,
	/* db build */
	OPT_FEEDS,
	OPT_MANIFEST,
	OPT_DB_OUTPUT,
	OPT_COUNT,
};

enum option_kind {
	OPTION_FLAG,   /* no value: --name; variable and key hold true or false */
	OPTION_TEXT,   /* one value, the last one counts */
	OPTION_LIST,   /* repeatable, and each value may be a comma-separated list */
	OPTION_REPEAT, /* repeatable, a value is taken as it is */
};

struct option_row {
	enum option_id id;
	const char *name; /* without the dashes */
	char letter;      /* short form, or 0 */
	enum option_kind kind;
	const char *value;  /* what --help calls the value: "FILE" */
	const char *choices; /* space-separated values for completion, "@file", "@dir" for paths; may be NULL */
	const char *help;
	uint32_t commands; /* bit per command_id */
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* In `choices` and `help`: the names of the output formats, from their own table. */
#define OPTION_FORMATS "@formats"
/* A row's help and choices with the formats' names filled in. */
const char *option_help(struct arena *a, const struct option_row *row);
const char *option_choices(struct arena *a, const struct option_row *row);

/* Headings of --help and of the man pages: the rows up to and including `last`, in the table's order. */
struct option_group {
	const char *title;
	enum option_id last;
};
extern const struct option_group option_groups[];
extern const size_t option_group_count;

/* Whether --help, the man pages and the completions name the row for this command. One whose help stands in brackets is
 * known, refused with words, and not advertised. */
bool option_listed(const struct option_row *row, enum command_id command);

struct option_value {
	bool set;
	struct str origin; /* "--format", "PLIMSOLL_FORMAT", ".plimsoll.yaml:3": for messages */
	struct str text;   /* last value */
	struct {
		struct str *ptr;
		size_t len, cap;
	} list;
	bool flag;
};

/* What a run through a peer's link (cmd/peer.h) asks of a scan besides. */
struct policy;
struct swap_asks {
	/* Ignores of the peer's own form. */
	int (*add_ignores)(const void *ctx, struct arena *a, struct policy *policy, struct err *err);
	const void *ctx;
	/* What the peer would have looked for and this version does not: said of every target. "WHAT\tREASON" */
	struct {
		const char **ptr;
		size_t len, cap;
	} not_assessed;
	bool packages_only;  /* an SBOM without findings */
	bool plain_names;    /* a target is called by its reference alone, without "docker:" */
	bool refuse_empty;   /* exit 2 where a target has no package that this version can read */
	int timed_out_code;  /* 0: ours */
};

struct options {
	struct arena *arena;
	enum command_id command;
	struct option_value values[OPT_COUNT];
	struct {
		const char **ptr;
		size_t len, cap;
	} args;                  /* what is no option */
	struct str config_file;  /* that was read; empty: none */
	const struct value *ignore_list; /* its `ignore` key, or NULL */
	struct swap_asks swap;           /* all zero but where a peer's link asks for more than options can say */
};

/* argv without the program's and the command's names. ERR_USAGE with words for the user. */
int options_parse(struct arena *a, enum command_id command, int argc, char **argv, struct options *ret, struct err *err);

bool option_flag(const struct options *o, enum option_id id);
struct str option_text(const struct options *o, enum option_id id, struct str otherwise);
/* A whole number from min to max; ERR_USAGE otherwise; `otherwise` where it was not given. */
int option_number(const struct options *o, enum option_id id, int64_t min, int64_t max, int64_t otherwise, int64_t *ret,
                  struct err *err);

/* "90", "90s", "5m", "1h" -> seconds; ERR_USAGE for anything else; `otherwise` where it was not given. */
int option_seconds(const struct options *o, enum option_id id, uint64_t otherwise, uint64_t *ret, struct err *err);

const struct option_row *option_row(enum option_id id);
/* The option of that name that the command has, or NULL. */
const struct option_row *option_find(enum command_id command, struct str name);
/* As if it had stood on the command line; origin is for messages. */
int option_put(struct options *o, enum option_id id, struct str text, struct str origin, struct err *err);
/* The same into any value, from text or from a configuration's document. ERR_USAGE. */
int option_value_put(struct arena *a, enum option_kind kind, struct option_value *v, struct str text, struct str origin,
                     struct err *err);
struct value;
int option_value_put_document(struct arena *a, enum option_kind kind, struct option_value *v, const struct value *document,
                              struct str origin, struct err *err);
/* PLIMSOLL_NAME of a row. */
struct str option_variable(struct arena *a, const struct option_row *row);

#endif
