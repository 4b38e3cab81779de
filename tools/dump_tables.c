/* The program's tables as JSON, for the test that asks of every row its tests, its fuzz target and its page
 * (tools/check_tables.py). */
#include "advisory/feed/feed.h"
#include "base/base.h"
#include "base/json.h"
#include "cmd/commands.h"
#include "package/formats.h"
#include "report/formats.h"
#include "version/versions.h"

static void option(struct json_writer *w, struct arena *a, const struct option_row *row)
{
	json_begin_map(w);
	json_key(w, "name");
	json_cstr(w, row->name);
	if (row->letter) {
		char letter[2] = { row->letter, '\0' };
		json_key(w, "letter");
		json_cstr(w, letter);
	}
	json_key(w, "variable");
	json_str(w, option_variable(a, row));
	json_key(w, "takes_value");
	json_bool(w, row->kind != OPTION_FLAG);
	json_key(w, "commands");
	json_begin_list(w);
	for (size_t i = 0; i < command_count; i++)
		if (option_listed(row, commands[i].id))
			json_cstr(w, commands[i].name);
	json_end_list(w);
	json_end_map(w);
}

int main(void)
{
	struct arena *ARENA_AUTO a = arena_new();
	struct json_writer w;
	json_writer_init(&w, stdout, 1);
	json_begin_map(&w);
#define NAMES(table, rows, count)                        \
	json_key(&w, table);                             \
	json_begin_list(&w);                             \
	for (size_t i = 0; i < (count); i++)             \
		json_cstr(&w, (rows)[i].name);           \
	json_end_list(&w)
	NAMES("package", package_formats, package_format_count);
	NAMES("version", version_schemes, version_scheme_count);
	NAMES("report", report_formats, report_format_count);
	NAMES("feed", feeds, feed_count);
	NAMES("command", commands, command_count);
#undef NAMES
	json_key(&w, "options");
	json_begin_list(&w);
	for (size_t i = 0; i < option_row_count; i++)
		option(&w, a, &option_rows[i]);
	json_end_list(&w);
	json_end_map(&w);
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 1;
}
