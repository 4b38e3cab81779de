/* The table of options: see options.h. Names and meanings are those that users know from Trivy, then Grype. */
#include "base/base.h"
#include "cmd/options.h"
#include "report/formats.h"

#define SCAN (1u << CMD_IMAGE | 1u << CMD_FS)
#define IMAGE (1u << CMD_IMAGE)
#define DB_READ (1u << CMD_DB_STATUS | 1u << CMD_DB_VERIFY)
#define BUILD (1u << CMD_DB_BUILD)
#define UPDATE (1u << CMD_DB_UPDATE)
#define REPORT (1u << CMD_REPORT)
#define ALL ((1u << CMD_COUNT) - 1)

const struct option_row option_rows[] = {
	{ OPT_FORMAT, "format", 'f', OPTION_TEXT, "FORMAT", OPTION_FORMATS, OPTION_FORMATS, SCAN | REPORT },
	{ OPT_TEMPLATE, "template", 't', OPTION_TEXT, "TEXT|@FILE", "@file",
	  "template in Go's language for -f template, as Trivy takes it; @html.tpl and other names that Trivy ships stand for "
	  "our own formats where there is no such file",
	  SCAN | REPORT },
	{ OPT_OUTPUT, "output", 'o', OPTION_REPEAT, "[FORMAT=]FILE", "@file",
	  "write to FILE; may be repeated, as -o table=- -o sarif=out.sarif", SCAN | REPORT },
	{ OPT_SEVERITY, "severity", 's', OPTION_LIST, "LIST", "critical high medium low info unknown",
	  "show only these severities; the gate still sees all", SCAN | REPORT },
	{ OPT_IGNORE_UNFIXED, "ignore-unfixed", 0, OPTION_FLAG, NULL, NULL, "show only what a fixed version exists for",
	  SCAN | REPORT },
	{ OPT_IGNORE_STATUS, "ignore-status", 0, OPTION_LIST, "LIST",
	  "affected will_not_fix fix_deferred end_of_life under_investigation fixed",
	  "do not show findings without a fix in these states: affected, will_not_fix, fix_deferred, end_of_life, "
	  "under_investigation; fixed: those with a fix",
	  SCAN | REPORT },
	{ OPT_LIST_ALL_PKGS, "list-all-pkgs", 0, OPTION_FLAG, NULL, NULL, "also list the packages (json, table)", SCAN | REPORT },
	{ OPT_SHOW_SUPPRESSED, "show-suppressed", 0, OPTION_FLAG, NULL, NULL, "also show what was ignored, and by what",
	  SCAN | REPORT },
	{ OPT_FAIL_ON, "fail-on", 0, OPTION_TEXT, "SEVERITY", "critical high medium low info unknown",
	  "exit 1 if a finding that is not ignored is as severe as this, or more", SCAN | REPORT },
	{ OPT_FAIL_ON_IN_USE, "fail-on-in-use", 0, OPTION_FLAG, NULL, NULL,
	  "the gate passes over packages that are known not to be in use (--in-use)", SCAN | REPORT },
	{ OPT_UNRATED, "unrated", 0, OPTION_TEXT, "SEVERITY", "critical high medium low info unknown",
	  "what a finding without a severity counts as at the gate; high by default", SCAN | REPORT },
	{ OPT_EXIT_CODE, "exit-code", 0, OPTION_TEXT, "N", NULL, "exit N if any finding is shown", SCAN | REPORT },
	{ OPT_EXIT_ON_EOL, "exit-on-eol", 0, OPTION_TEXT, "N", NULL, "exit N if the release is past its support",
	  SCAN | REPORT },
	{ OPT_STRICT, "strict", 0, OPTION_FLAG, NULL, NULL, "exit 3 if something could not be assessed, or a feed not updated",
	  SCAN | REPORT | UPDATE },
	{ OPT_SCANNERS, "scanners", 0, OPTION_LIST, "LIST", "vuln", "what to look for; this version knows vuln", SCAN },
	{ OPT_PKG_TYPES, "pkg-types", 0, OPTION_LIST, "LIST", "os", "kinds of packages; this version knows os", SCAN },
	{ OPT_PLATFORM, "platform", 0, OPTION_TEXT, "OS/ARCH", "linux/amd64 linux/arm64",
	  "which image of several, as linux/arm64; this machine's by default", IMAGE },
	{ OPT_DISTRO, "distro", 0, OPTION_TEXT, "ID:VERSION", NULL, "take it for this distribution, as debian:12", SCAN },
	{ OPT_IN_USE, "in-use", 0, OPTION_FLAG, NULL, NULL,
	  "of a running container or this host (fs /): mark packages whose files processes have mapped, and show them first", SCAN },
	{ OPT_ALL, "all", 0, OPTION_FLAG, NULL, NULL, "all images of this machine's engines and stores", IMAGE },
	{ OPT_FROM_FILE, "from-file", 0, OPTION_TEXT, "FILE", "@file", "images named in FILE, one a line; - for standard input",
	  IMAGE },
	{ OPT_SKIP_DIRS, "skip-dirs", 0, OPTION_LIST, "GLOB", "@dir", "pass over these folders of the target", SCAN },
	{ OPT_SKIP_FILES, "skip-files", 0, OPTION_LIST, "GLOB", "@file", "pass over these files of the target", SCAN },
	{ OPT_IGNOREFILE, "ignorefile", 0, OPTION_TEXT, "FILE", "@file",
	  "ignore list instead of ./.trivyignore; a .yaml file has the form of .plimsoll.yaml", SCAN | REPORT },
	{ OPT_IGNORE, "ignore", 0, OPTION_REPEAT, "CONDITION", NULL, "(conditions come with the rule book: not in this version)",
	  SCAN | REPORT },
	{ OPT_NO_BUILTIN_IGNORES, "no-builtin-ignores", 0, OPTION_FLAG, NULL, NULL,
	  "count kernel headers in an image like other packages", SCAN | REPORT },
	{ OPT_VEX, "vex", 0, OPTION_REPEAT, "FILE", "@file", "(not in this version)", SCAN | REPORT },
	{ OPT_FEED, "feed", 0, OPTION_LIST, "LIST", "all", "these feeds alone; all: those too that are not taken by default", UPDATE },
	{ OPT_FROM, "from", 0, OPTION_TEXT, "DIR|FILE", "@file",
	  "no network: a folder or archive laid out as a mirror, one feed, or an advisory file", UPDATE },
	{ OPT_MIRROR, "mirror", 0, OPTION_REPEAT, "URL", NULL,
	  "fetch from URL/NAME/FILE; may be repeated, tried in order; \"publisher\" stands for the feed's own address", UPDATE },
	{ OPT_FEED_TIMEOUT, "feed-timeout", 0, OPTION_TEXT, "TIME", NULL, "give up on a file after TIME; 20m by default", UPDATE },
	{ OPT_FORCE, "force", 0, OPTION_FLAG, NULL, NULL, "also take what is older than before, or much smaller", UPDATE },
	{ OPT_LIST, "list", 0, OPTION_FLAG, NULL, NULL, "list the feeds, with the dates of what is here, and do nothing", UPDATE },
	{ OPT_FEEDS, "feeds", 0, OPTION_TEXT, "DIR", "@dir", "folder with the vendors' feeds", BUILD },
	{ OPT_MANIFEST, "manifest", 0, OPTION_TEXT, "FILE", "@file", "take only the feeds that this list names", BUILD },
	{ OPT_DB_OUTPUT, "output", 'o', OPTION_TEXT, "FILE", "@file", "where to write the database", BUILD | UPDATE },
	{ OPT_DB, "db", 0, OPTION_TEXT, "FILE", "@file", "advisory database to use", SCAN | DB_READ },
	{ OPT_DB_MAX_AGE, "db-max-age", 0, OPTION_TEXT, "DAYS", NULL, "when the database counts as old; 5 by default", SCAN | DB_READ },
	{ OPT_CACHE_DIR, "cache-dir", 0, OPTION_TEXT, "DIR", "@dir", "where results are kept; ~/.cache/plimsoll by default",
	  SCAN | DB_READ | UPDATE },
	{ OPT_NO_CACHE, "no-cache", 0, OPTION_FLAG, NULL, NULL, "neither use nor write the cache", SCAN },
	{ OPT_HOST, "host", 'H', OPTION_TEXT, "ENDPOINT", NULL,
	  "the engine to ask: unix://PATH, tcp://HOST:PORT, ssh://[USER@]HOST; DOCKER_HOST or the current context by default",
	  IMAGE },
	{ OPT_USERNAME, "username", 0, OPTION_TEXT, "NAME", NULL, "who to be at the registry; with --password-stdin", IMAGE },
	{ OPT_PASSWORD, "password", 0, OPTION_TEXT, "TEXT", NULL,
	  "password or token of a registry; others of this machine can see a flag: better PLIMSOLL_PASSWORD or --password-stdin",
	  IMAGE },
	{ OPT_PASSWORD_STDIN, "password-stdin", 0, OPTION_FLAG, NULL, NULL, "read the password or token from standard input", IMAGE },
	{ OPT_INSECURE, "insecure", 0, OPTION_FLAG, NULL, NULL, "registries without a checked certificate, or without TLS", IMAGE },
	{ OPT_CACERT, "cacert", 0, OPTION_TEXT, "FILE", "@file", "authorities (PEM) that servers are checked against, too",
	  IMAGE | UPDATE },
	{ OPT_OFFLINE, "offline", 0, OPTION_FLAG, NULL, NULL, "never use the network: no registries, no remote engines",
	  SCAN | UPDATE },
	{ OPT_NO_SANDBOX, "no-sandbox", 0, OPTION_FLAG, NULL, NULL, "parse without confinement; the report says so",
	  SCAN | REPORT | BUILD | UPDATE },
	{ OPT_TIMEOUT, "timeout", 0, OPTION_TEXT, "TIME", NULL, "give up after TIME, as 90s, 5m or 1h; no limit by default",
	  SCAN | REPORT },
	{ OPT_CONFIG, "config", 'c', OPTION_TEXT, "FILE", "@file", "configuration instead of ./.plimsoll.yaml", ALL },
	{ OPT_NO_COLOR, "no-color", 0, OPTION_FLAG, NULL, NULL, "no colours, also where the terminal has them", ALL },
	{ OPT_QUIET, "quiet", 'q', OPTION_FLAG, NULL, NULL, "no warnings, no progress", ALL },
	{ OPT_VERBOSE, "verbose", 'v', OPTION_FLAG, NULL, NULL, "say more", ALL },
	{ OPT_HELP, "help", 'h', OPTION_FLAG, NULL, NULL, "show this help", ALL },
	{ OPT_VERSION, "version", 'V', OPTION_FLAG, NULL, NULL, "show the version", ALL },
};
const size_t option_row_count = COUNT_OF(option_rows);

const struct option_group option_groups[] = {
	{ "Report", OPT_SHOW_SUPPRESSED },
	{ "Gate and exit code", OPT_STRICT },
	{ "What is scanned", OPT_SKIP_FILES },
	{ "Ignores", OPT_VEX },
	{ "Feeds", OPT_DB_OUTPUT },
	{ "Database and cache", OPT_NO_CACHE },
	{ "Engines, registries, network", OPT_OFFLINE },
	{ "Limits", OPT_TIMEOUT },
	{ "General", OPT_VERSION },
};
const size_t option_group_count = COUNT_OF(option_groups);

const char *option_help(struct arena *a, const struct option_row *row)
{
	if (!str_eq(str_from(row->help), STR(OPTION_FORMATS)))
		return row->help;
	return arena_printf(a, "%.*s; table by default%c", STR_ARG(report_format_names(a, ", ", " or ")), '\0').ptr;
}

const char *option_choices(struct arena *a, const struct option_row *row)
{
	if (!row->choices || !str_eq(str_from(row->choices), STR(OPTION_FORMATS)))
		return row->choices;
	return arena_printf(a, "%.*s%c", STR_ARG(report_format_names(a, " ", " ")), '\0').ptr;
}

bool option_listed(const struct option_row *row, enum command_id command)
{
	return (row->commands & 1u << command) && row->help[0] != '(';
}

const struct option_row *option_row(enum option_id id)
{
	for (size_t i = 0; i < option_row_count; i++)
		if (option_rows[i].id == id)
			return &option_rows[i];
	abort();
}
