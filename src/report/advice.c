/* What to upgrade first: see advice.h. The line to copy is made of names that an image brought, so a name with
 * anything that a shell could take as more than a word is never put there. */
#include "report/advice.h"

#include "base/base.h"

#define UPGRADES_SHOWN 5u
/* A longer list of names is no line to copy any more: then the package manager's own "everything" is given. */
#define COMMAND_LINES_MAX 12u
#define COMMAND_INDENT 4u

struct manager {
	const char *some; /* in front of names */
	const char *all;
};

static const struct manager managers[PACKAGE_TYPE_COUNT] = {
	[PACKAGE_DEB] = { "apt-get update && apt-get install --only-upgrade -y",
			  "apt-get update && apt-get upgrade -y" },
	[PACKAGE_OPKG] = { "opkg update && opkg upgrade", NULL },
	[PACKAGE_APK] = { "apk upgrade --no-cache", "apk upgrade --no-cache" },
	[PACKAGE_RPM] = { "dnf upgrade -y", "dnf upgrade -y" },
};

bool advice_name_is_safe(struct str name)
{
	if (name.len == 0 || !ascii_alnum(name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!ascii_alnum(c) && c != '.' && c != '-' && c != '+' && c != '_')
			return false;
	}
	return true;
}

static void draw_upgrades(struct term *t, const struct upgrade_list *list, size_t shown)
{
	size_t name = 0, to = 0, count = 0;
	size_t room = t->width - PARA_LABEL_WIDTH;
	for (size_t i = 0; i < shown; i++) {
		const struct upgrade *u = &list->ptr[i];
		size_t w[] = { text_width(text_clean(t->arena, u->package)), text_width(text_clean(t->arena, u->to)),
			       text_count(t->arena, u->removes).len };
		name = w[0] > name ? w[0] : name;
		to = w[1] > to ? w[1] : to;
		count = w[2] > count ? w[2] : count;
	}
	size_t fixed = count + 11; /* the gaps, " gone", and the arrow */
	while (name + to + fixed > room && (name > 8 || to > 8))
		*(name > to ? &name : &to) -= 1;
	for (size_t i = 0; i < shown; i++) {
		const struct upgrade *u = &list->ptr[i];
		term_cell(t, STYLE_BOLD, ALIGN_LEFT, PARA_LABEL_WIDTH, i == 0 ? STR("Do first") : STR(""));
		term_cell(t, STYLE_PLAIN, ALIGN_LEFT, name, text_clean(t->arena, u->package));
		term_put(t, STYLE_DIM, STR(" \xe2\x86\x92 "));
		term_cell(t, STYLE_GREEN, ALIGN_LEFT, to, text_clean(t->arena, u->to));
		term_spaces(t, 2);
		term_cell(t, STYLE_PLAIN, ALIGN_RIGHT, count, text_count(t->arena, u->removes));
		term_put(t, STYLE_PLAIN, STR(" gone"));
		fputc('\n', t->out);
	}
}

/* "Upgrade these 5 of 17 sources: 2,800 of 2,938 findings gone; all 17: 2,938." */
static void draw_sum(struct term *t, const struct upgrade_list *list, size_t shown, uint64_t findings)
{
	uint64_t first = 0, all = 0;
	for (size_t i = 0; i < list->len; i++) {
		all += list->ptr[i].removes;
		first += i < shown ? list->ptr[i].removes : 0;
	}
	struct arena *a = t->arena;
	struct str total = text_count(a, findings);
	struct para p = para_begin(t, STYLE_BOLD, "");
	if (shown < list->len)
		para_text(&p, STYLE_PLAIN,
			  arena_printf(a,
				       "Upgrade these %zu: %.*s of %.*s findings gone; all %.*s sources: %.*s of %.*s.",
				       shown, STR_ARG(text_count(a, first)), STR_ARG(total),
				       STR_ARG(text_count(a, list->len)), STR_ARG(text_count(a, all)), STR_ARG(total)));
	else
		para_text(&p, STYLE_PLAIN,
			  arena_printf(a, "Upgrade %s: %.*s of %.*s findings gone.",
				       shown == 1 ? "it" : arena_printf(a, "these %zu sources", shown).ptr,
				       STR_ARG(text_count(a, all)), STR_ARG(total)));
	para_end(&p);
}

struct names {
	struct str *ptr;
	size_t len, cap;
};

static int names_cmp(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

/* Which package manager a binary package belongs to. */
static struct map types_by_binary(struct arena *a, const struct target *target)
{
	struct map m = { 0 };
	for (size_t i = 0; i < target->findings.len; i++)
		if (target->findings.ptr[i].package)
			*map_put(a, &m, target->findings.ptr[i].package->name, NULL) =
			    target->findings.ptr[i].package->type;
	return m;
}

/* Binary packages of one type to upgrade, sorted, each once; *ret_unsafe counts those that may not be printed. */
static struct names collect_names(struct arena *a, const struct target *target, const struct map *types,
				  enum package_type type, size_t *ret_unsafe)
{
	struct names names = { 0 };
	*ret_unsafe = 0;
	for (size_t i = 0; i < target->upgrades.len; i++) {
		const struct upgrade *u = &target->upgrades.ptr[i];
		for (size_t k = 0; k < u->binaries.len; k++) {
			const uint64_t *of = map_get(types, u->binaries.ptr[k]);
			if (!of || *of != (uint64_t)type)
				continue;
			if (advice_name_is_safe(u->binaries.ptr[k]))
				*vec_push(a, &names) = u->binaries.ptr[k];
			else
				*ret_unsafe += 1;
		}
	}
	if (names.len == 0)
		return names;
	qsort(names.ptr, names.len, sizeof(*names.ptr), names_cmp);
	size_t kept = 1;
	for (size_t i = 1; i < names.len; i++)
		if (!str_eq(names.ptr[i], names.ptr[kept - 1]))
			names.ptr[kept++] = names.ptr[i];
	names.len = kept;
	return names;
}

/* The command with its names, wrapped with backslashes; returns the lines that it takes. Draws only if asked to. */
static size_t put_command(struct term *t, const char *command, const struct names *names, bool draw)
{
	size_t col = COMMAND_INDENT + str_from(command).len, lines = 1;
	if (draw) {
		term_spaces(t, COMMAND_INDENT);
		term_put(t, STYLE_PLAIN, str_from(command));
	}
	for (size_t i = 0; i < names->len; i++) {
		size_t need = names->ptr[i].len + 1;
		bool fresh = false;
		if (col + need + 2 > t->width) {
			lines++;
			col = COMMAND_INDENT + 4;
			fresh = true;
			if (draw) {
				fputs(" \\\n", t->out);
				term_spaces(t, col);
			}
		}
		if (draw)
			fprintf(t->out, "%s%.*s", fresh ? "" : " ", STR_ARG(names->ptr[i]));
		col += need;
	}
	if (draw)
		fputc('\n', t->out);
	return lines;
}

static void draw_command(struct term *t, const struct target *target, const struct map *types, enum package_type type)
{
	size_t unsafe;
	const struct manager *m = &managers[type];
	struct names names = collect_names(t->arena, target, types, type, &unsafe);
	if (names.len == 0 && unsafe == 0)
		return;
	if (names.len) {
		fputc('\n', t->out);
		if (m->all && put_command(t, m->some, &names, false) > COMMAND_LINES_MAX) {
			fprintf(t->out, "%*s# %zu packages, too many to name: upgrade everything\n%*s%s\n",
				(int)COMMAND_INDENT, "", names.len, (int)COMMAND_INDENT, "", m->all);
		} else {
			(void)put_command(t, m->some, &names, true);
		}
	}
	if (unsafe) {
		struct para p = para_begin(t, STYLE_YELLOW, "");
		para_text(&p, STYLE_YELLOW,
			  arena_printf(t->arena, "%.*s left out of that line: a shell might not read %s as one.",
				       STR_ARG(text_counted(t->arena, unsafe, "name is", "names are")),
				       unsafe == 1 ? "it" : "them"));
		para_end(&p);
	}
}

void advice_draw(struct term *t, const struct target *target, const struct row_list *rows)
{
	uint64_t findings = 0;
	for (size_t i = 0; i < rows->len; i++)
		findings += rows->ptr[i].findings;
	if (target->upgrades.len == 0) {
		struct para p = para_begin(t, STYLE_BOLD, "Do first");
		para_text(&p, STYLE_PLAIN, STR("Nothing can be upgraded yet: no fix is known for any of these."));
		para_end(&p);
		return;
	}
	size_t shown = target->upgrades.len < UPGRADES_SHOWN ? target->upgrades.len : UPGRADES_SHOWN;
	draw_upgrades(t, &target->upgrades, shown);
	draw_sum(t, &target->upgrades, shown, findings);
	struct map types = types_by_binary(t->arena, target);
	for (unsigned type = 0; type < PACKAGE_TYPE_COUNT; type++)
		draw_command(t, target, &types, (enum package_type)type);
	t->gap = true;
}
