/* The generators: what stands in a template as a line "@NAME ARGUMENT@" is made from the program's own tables, so that
 * man pages and completions cannot say what the program does not do. They run at build time alone. */
#ifndef PLIMSOLL_TOOLS_GEN_H
#define PLIMSOLL_TOOLS_GEN_H

#include "cmd/commands.h"

struct generator {
	const char *name;
	void (*write)(struct str argument); /* to standard output */
};

extern const struct generator shell_generators[], page_generators[]; /* both end with a row without a name */

/* The row with the formats' names in its help and choices. */
const struct option_row *gen_filled(const struct option_row *row);
/* Of "db build" gives "db", and "build" in ret_rest. */
struct str gen_first_word(const char *name, struct str *ret_rest);
/* The command of that name; ends the program where there is none. */
const struct command *gen_command(struct str name);

#endif
