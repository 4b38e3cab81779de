/* The swap: through a link named as a peer the program takes that peer's commands, flags, variables, configuration keys,
 * ignore files, default scanners, formats and exit codes instead of its own. One table a peer (peer_trivy.c,
 * peer_grype.c) says what each of its settings means here; peer.c reads command line, variables and files by it, and
 * fills our own options. What cannot be given its meaning exits 2 and says so: nothing is passed over that could make
 * a pipeline weaker. The same tables say, when a peer's flag is typed to the program itself, how it is called here, and
 * make the page plimsoll-swap(7). */
#ifndef PLIMSOLL_CMD_PEER_H
#define PLIMSOLL_CMD_PEER_H

#include "base/value.h"
#include "cmd/commands.h"
#include "model/report.h"

enum peer_meaning {
	PEER_OURS,    /* our option named in `ours`, which takes the same values */
	PEER_MEANT,   /* the peer's own function gives it its meaning with our options; `words` say which */
	PEER_ACCEPTED, /* has no meaning here, and nothing is weaker without it: said with -v */
	PEER_REFUSED, /* exit 2 unless it has its standard value */
};

struct peer_row {
	const char *name; /* of the flag; NULL: there is none, only variable and key */
	char letter;      /* or 0 */
	enum option_kind kind;
	const char *key;  /* in the configuration: "db.skip-update"; NULL: none */
	uint32_t commands; /* bit per place in peer.commands */
	enum peer_meaning meaning;
	const char *ours;     /* name of our option, or several words: what the program itself answers to the flag */
	const char *words;    /* how it is meant, why it has no meaning, why it is refused */
	const char *standard; /* the value that it has unless set (lists: comma-separated); NULL: false or nothing */
	const char *choices;  /* space-separated; NULL: any */
};

struct peer_call;

struct peer_command {
	const char *names; /* "image i": the first is the proper one; "": what is run without a command's name */
	const char *words; /* what it does here, or why it is not here */
	int (*run)(struct peer_call *c, struct err *err); /* NULL: exit 2 with `words`. Returns the exit code, or an error */
};

struct peer {
	const char *name;    /* of the link */
	const char *title;
	const char *version; /* whose surface this is */
	const char *prefix;  /* of its variables: "TRIVY_" */
	bool variables_from_keys; /* GRYPE_DB_CACHE_DIR is db.cache-dir; else TRIVY_SKIP_DB_UPDATE is --skip-db-update */
	const struct peer_row *rows;
	size_t row_count;
	const struct peer_command *commands;
	size_t command_count;
	/* Files to read where no configuration is named, in order of precedence; one name a call from 0 on, NULL: no more. */
	const char *(*config_file)(struct arena *a, unsigned n);
	const char *verbose; /* its flag for saying more */
	int gate_code;       /* exit code where our gate fails */
};

extern const struct peer *const peers[];
extern const size_t peer_count;

/* One run through a link. */
struct peer_call {
	const struct peer *peer;
	struct arena *arena;
	const struct peer_command *command;
	struct option_value *values; /* one a row of the peer */
	struct {
		const char **ptr;
		size_t len, cap;
	} args;
	struct options ours;     /* what is filled */
	struct {
		const struct value **ptr;
		size_t len, cap;
	} configs; /* the maps of the files, in order of precedence */
	struct str_list config_files; /* their names */
	int64_t found_code, eol_code; /* the peer's exit codes for findings and for a release past its support; 0: none */
	struct {
		struct str *ptr;
		size_t len, cap;
	} outputs; /* FORMAT=FILE */
};

/* The peer whose name argv[0] ends in, or NULL. */
const struct peer *peer_of(const char *argv0);
/* argv[0] is the program. Returns the exit code. */
int peer_run(const struct peer *p, int argc, char **argv);

/* What to say of --NAME, typed to the program itself; NULL: no peer knows it. */
const char *peer_flag_hint(struct arena *a, struct str name);

/* For the peers' own files. */
const struct option_value *peer_value(const struct peer_call *c, const char *name);
const struct option_value *peer_key_value(const struct peer_call *c, const char *key);
/* A peer's value (its row's) as one of our options. ERR_UNSUPPORTED where this version has no option of the name. */
int peer_put(struct peer_call *c, const char *ours, struct str text, struct str origin, struct err *err);
/* The scan, with what was put. Returns the peer's exit code. */
int peer_scan(struct peer_call *c, enum command_id command, const char *target, struct err *err);
/* Go's durations: "5m0s", "1.5h", "300ms". Whole seconds, rounded up. */
bool peer_duration(struct str s, uint64_t *ret_seconds);
/* Whether a value is what it would be unless set. */
bool peer_is_standard(const struct peer_row *row, const struct option_value *v);
/* PREFIX_NAME; empty: no variable. */
struct str peer_variable(struct arena *a, const struct peer *p, const struct peer_row *row);

extern const struct peer peer_trivy, peer_grype;

#endif
