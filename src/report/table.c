/* The report for people (DESIGN 4): what was looked at, one row per source package, then what the eye should meet at
 * the bottom of a terminal: what was found, what to do first, what was left out and why, the gate's verdict.
 * Must never print a byte of the image's text that a terminal obeys, and never call clean what was not looked at. */
#include "report/advice.h"
#include "report/formats.h"
#include "report/grid.h"

#include "base/base.h"

#define WIDTH_PIPED 100u
#define WIDTH_MIN 60u
#define WIDTH_MAX 240u       /* wider, and the eye loses the row */
#define NOT_ASSESSED_MAX 10u /* more are counted, or shown with -v */
#define OTHERS_MAX 50u
#define DIGEST_SHORT_LEN 19u /* "sha256:" and twelve digits, as docker prints them */

struct table {
	struct term term;
	const struct report *report;
	const struct report_options *options;
};

static struct str clean(struct table *t, struct str s) { return text_clean(t->term.arena, s); }

static void draw_name(struct table *t, const struct target *target)
{
	struct arena *a = t->term.arena;
	char *label = str_cstr(a, str_from(target->kind == TARGET_FS ? "folder" : target_kind_name(target->kind)));
	if (ascii_lower(label[0]))
		label[0] = (char)(label[0] - 32);
	struct para p = para_begin(&t->term, STYLE_BOLD, label);
	para_text(&p, STYLE_BOLD, clean(t, target->name));
	if (target->digest.len || target->platform.len || target->layers.len) {
		para_break(&p);
		para_item(&p, STYLE_PLAIN, "",
			  text_cut(a, str_sub(clean(t, target->digest), 0, DIGEST_SHORT_LEN), DIGEST_SHORT_LEN));
		para_item(&p, STYLE_PLAIN, " \xc2\xb7 ", clean(t, target->platform));
		if (target->layers.len)
			para_item(&p, STYLE_PLAIN, " \xc2\xb7 ",
				  text_counted(a, target->layers.len, "layer", "layers"));
	}
	para_end(&p);
}

static void draw_system(struct table *t, const struct target *target)
{
	struct arena *a = t->term.arena;
	const struct os *os = &target->os;
	struct para p = para_begin(&t->term, STYLE_BOLD, "System");
	struct str name = os->name;
	if (name.len == 0)
		name = os->version.len ? arena_printf(a, "%.*s %.*s", STR_ARG(os->id), STR_ARG(os->version)) : os->id;
	if (os->id.len == 0)
		para_item(&p, STYLE_YELLOW, "", STR("no distribution recognised"));
	else
		para_text(&p, STYLE_PLAIN, clean(t, name));
	if (target->os_eol) {
		struct str date = clean(t, target->os_eol_date);
		para_item(&p, STYLE_RED_BOLD, " \xc2\xb7 ",
			  date.len ? arena_printf(a, "END OF LIFE since %.*s", STR_ARG(date)) : STR("END OF LIFE"));
	}
	if (os->id.len && !target->os_supported && t->report->database.present)
		para_item(&p, STYLE_YELLOW, " \xc2\xb7 ", STR("not in the advisory database"));
	para_item(&p, STYLE_PLAIN, " \xc2\xb7 ", text_counted(a, target_package_count(target), "package", "packages"));
	para_end(&p);
}

static struct str age_text(struct arena *a, int64_t days)
{
	if (days < 0)
		return STR("dated in the future");
	if (days == 0)
		return STR("of today");
	return arena_printf(a, "%.*s old", STR_ARG(text_counted(a, (uint64_t)days, "day", "days")));
}

static void draw_database(struct table *t)
{
	struct arena *a = t->term.arena;
	const struct report *r = t->report;
	struct para p = para_begin(&t->term, STYLE_BOLD, "Advisories");
	if (!r->database.present) {
		para_text(&p, STYLE_RED, STR("no advisory database: nothing was compared with any"));
		para_end(&p);
		return;
	}
	enum style style = r->database.stale ? STYLE_YELLOW : STYLE_PLAIN;
	para_item(&p, style, "", str_sub(clean(t, r->database.built), 0, 10));
	para_item(&p, style, ", ", age_text(a, r->database.age_days));
	if (r->database.stale)
		para_text(&p, STYLE_YELLOW, STR("(older than --db-max-age allows: plimsoll db build)"));
	for (size_t i = 0; t->options->verbose && i < r->database.sources.len; i++) {
		const struct report_source *s = &r->database.sources.ptr[i];
		para_break(&p);
		para_item(&p, STYLE_PLAIN, "", clean(t, s->name));
		para_item(&p, STYLE_DIM, " \xc2\xb7 ", str_sub(clean(t, s->updated), 0, 10));
		para_item(&p, STYLE_DIM, " \xc2\xb7 ", text_counted(a, s->advisories, "advisory", "advisories"));
		para_text(&p, STYLE_DIM, clean(t, s->coverage));
	}
	para_end(&p);
}

static void draw_head(struct table *t, const struct target *target)
{
	draw_name(t, target);
	draw_system(t, target);
	draw_database(t);
	if (!str_eq(t->report->sandbox, STR("full"))) {
		struct para p = para_begin(&t->term, STYLE_BOLD, "Sandbox");
		para_text(&p, STYLE_YELLOW, t->report->sandbox.len ? clean(t, t->report->sandbox) : STR("not known"));
		para_end(&p);
	}
	for (size_t i = 0; i < target->notes.len; i++) {
		struct para p = para_begin(&t->term, STYLE_BOLD, i == 0 ? "Note" : "");
		para_text(&p, STYLE_PLAIN, clean(t, target->notes.ptr[i]));
		para_end(&p);
	}
	fputc('\n', t->term.out);
}

static int urgency_cmp(const void *a, const void *b)
{
	const struct finding *fa = *(const struct finding *const *)a, *fb = *(const struct finding *const *)b;
	int c = finding_urgency_cmp(fa, fb);
	return c ? c : finding_identity_cmp(fa, fb);
}

/* Shown findings that have no row: other kinds, or no package. */
static struct finding_refs collect_others(struct arena *a, const struct target *target)
{
	struct finding_refs refs = { 0 };
	for (size_t i = 0; i < target->findings.len; i++) {
		const struct finding *f = &target->findings.ptr[i];
		if (finding_is_shown(f) && (f->kind != FINDING_VULNERABILITY || !f->package))
			*vec_push(a, &refs) = f;
	}
	if (refs.len)
		qsort(refs.ptr, refs.len, sizeof(*refs.ptr), urgency_cmp);
	return refs;
}

static void draw_others(struct table *t, const struct finding_refs *refs)
{
	struct arena *a = t->term.arena;
	size_t shown = refs->len <= OTHERS_MAX || t->options->verbose ? refs->len : OTHERS_MAX;
	for (size_t i = 0; i < shown; i++) {
		const struct finding *f = refs->ptr[i];
		struct para p = para_begin(&t->term, style_of_severity(f->severity), severity_name(f->severity));
		para_text(&p, STYLE_BOLD, clean(t, f->id));
		para_text(&p, STYLE_PLAIN, clean(t, f->title));
		struct str place = clean(t, f->location.path);
		if (place.len && f->location.line)
			place = arena_printf(a, "%.*s:%u", STR_ARG(place), f->location.line);
		para_item(&p, STYLE_DIM, " \xc2\xb7 ", place);
		para_item(&p, STYLE_DIM, " \xc2\xb7 ", clean(t, f->subject));
		para_end(&p);
	}
	if (shown < refs->len)
		fprintf(t->term.out, "%*s+%zu more (-v shows them)\n", (int)PARA_LABEL_WIDTH, "", refs->len - shown);
	if (shown)
		fputc('\n', t->term.out);
}

struct totals {
	uint64_t by_severity[SEVERITY_COUNT];
	uint64_t vulnerabilities, findings, fixable, kev;
	uint64_t hidden, hidden_unknown, suppressed;
};

static void count_row(struct totals *sum, const struct row *row)
{
	for (unsigned s = 0; s < SEVERITY_COUNT; s++)
		sum->by_severity[s] += row->by_severity[s];
	sum->vulnerabilities += row->ids.len;
	sum->findings += row->findings;
	sum->fixable += row->ids.len - row->unfixed;
	for (size_t i = 0; i < row->ids.len; i++)
		sum->kev += row->ids.ptr[i]->kev;
}

static struct totals count_all(const struct target *target, const struct row_list *rows)
{
	struct totals sum = { 0 };
	for (size_t i = 0; i < rows->len; i++)
		count_row(&sum, &rows->ptr[i]);
	for (size_t i = 0; i < target->findings.len; i++) {
		const struct finding *f = &target->findings.ptr[i];
		if (finding_is_suppressed(f)) {
			sum.suppressed++;
		} else if (f->hidden) {
			sum.hidden++;
			sum.hidden_unknown += f->severity == SEVERITY_UNKNOWN;
		}
	}
	return sum;
}

/* No row at all: said plainly, but never as if all had been looked at when it was not. */
static void draw_nothing_found(struct table *t, const struct target *target, const struct totals *sum)
{
	struct arena *a = t->term.arena;
	struct para p = para_begin(&t->term, STYLE_BOLD, "Found");
	struct str packages = text_counted(a, target_package_count(target), "package", "packages");
	if (!t->report->database.present) {
		para_text(&p, STYLE_RED, STR("Nothing can be said: there is no advisory database."));
	} else if (target_package_count(target) == 0) {
		para_text(&p, STYLE_YELLOW, STR("No packages, so there was nothing to look up."));
	} else if (sum->suppressed + sum->hidden > 0) {
		para_text(&p, STYLE_PLAIN,
			  arena_printf(a, "Nothing to show in %.*s: what was found is ignored or hidden, see below.",
				       STR_ARG(packages)));
	} else if (target->not_assessed.len) {
		para_text(
		    &p, STYLE_YELLOW,
		    arena_printf(
			a, "No known vulnerabilities in what could be assessed of %.*s; what could not is named below.",
			STR_ARG(packages)));
	} else {
		para_text(&p, STYLE_GREEN, arena_printf(a, "No known vulnerabilities in %.*s.", STR_ARG(packages)));
	}
	para_end(&p);
}

static void draw_found(struct table *t, const struct totals *sum, size_t sources)
{
	struct arena *a = t->term.arena;
	struct para p = para_begin(&t->term, STYLE_BOLD, "Found");
	para_text(&p, STYLE_BOLD, text_counted(a, sum->vulnerabilities, "vulnerability", "vulnerabilities"));
	para_text(&p, STYLE_PLAIN,
		  arena_printf(a, "in %.*s:", STR_ARG(text_counted(a, sources, "source package", "source packages"))));
	const char *sep = " ";
	for (unsigned s = SEVERITY_COUNT; s-- > 0;) {
		if (!sum->by_severity[s])
			continue;
		const char *name = s == SEVERITY_UNKNOWN ? "unrated" : severity_name((enum severity)s);
		para_item(&p, style_of_severity((enum severity)s), sep,
			  arena_printf(a, "%.*s %s", STR_ARG(text_count(a, sum->by_severity[s])), name));
		sep = ", ";
	}
	para_break(&p);
	if (sum->kev)
		para_item(&p, STYLE_RED_BOLD, "",
			  arena_printf(a, "%.*s exploited in the wild (KEV)", STR_ARG(text_count(a, sum->kev))));
	para_item(&p, STYLE_PLAIN, " \xc2\xb7 ",
		  arena_printf(a, "%.*s with a fix", STR_ARG(text_count(a, sum->fixable))));
	if (sum->findings != sum->vulnerabilities)
		para_item(&p, STYLE_PLAIN, " \xc2\xb7 ",
			  arena_printf(a, "%.*s findings, counted per binary package",
				       STR_ARG(text_count(a, sum->findings))));
	para_end(&p);
}

/* Findings that one origin (file or flag, with its reason) ignores. */
struct origin {
	const struct finding *example;
	uint64_t count;
};

struct origin_list {
	struct origin *ptr;
	size_t len, cap;
};

static int origins_cmp(const void *pa, const void *pb)
{
	const struct origin *a = pa, *b = pb;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	int c = str_cmp(a->example->suppressed.by, b->example->suppressed.by);
	return c ? c : str_cmp(a->example->suppressed.reason, b->example->suppressed.reason);
}

/* Not by printf: a reason may hold a NUL. */
static struct str origin_key(struct arena *a, const struct finding *f)
{
	struct str by = f->suppressed.by, reason = f->suppressed.reason;
	char *key = arena_alloc(a, by.len + 1 + reason.len);
	memcpy(key, by.ptr, by.len);
	if (reason.len)
		memcpy(key + by.len + 1, reason.ptr, reason.len);
	return (struct str){ key, by.len + 1 + reason.len };
}

static struct origin_list collect_origins(struct arena *a, const struct target *target)
{
	struct origin_list list = { 0 };
	struct map seen = { 0 };
	for (size_t i = 0; i < target->findings.len; i++) {
		const struct finding *f = &target->findings.ptr[i];
		if (!finding_is_suppressed(f))
			continue;
		bool fresh;
		uint64_t *at = map_put(a, &seen, origin_key(a, f), &fresh);
		if (fresh) {
			*at = list.len;
			*vec_push(a, &list) = (struct origin){ .example = f };
		}
		list.ptr[*at].count++; /* NOLINT: pushed when its key was fresh */
	}
	if (list.len)
		qsort(list.ptr, list.len, sizeof(*list.ptr), origins_cmp);
	return list;
}

static void draw_ignored(struct table *t, const struct target *target)
{
	struct arena *a = t->term.arena;
	struct origin_list list = collect_origins(a, target);
	for (size_t i = 0; i < list.len; i++) {
		const struct finding *f = list.ptr[i].example;
		struct para p = para_begin(&t->term, STYLE_BOLD, i == 0 ? "Ignored" : "");
		struct str counted = text_counted(a, list.ptr[i].count, "finding", "findings");
		para_text(&p, STYLE_PLAIN,
			  f->suppressed.reason.len ? arena_printf(a, "%.*s:", STR_ARG(counted)) : counted);
		para_text(&p, STYLE_PLAIN, clean(t, f->suppressed.reason));
		struct str by = clean(t, f->suppressed.by), until = clean(t, f->suppressed.until);
		para_text(&p, STYLE_DIM,
			  until.len ? arena_printf(a, "(%.*s, until %.*s)", STR_ARG(by), STR_ARG(until))
				    : arena_printf(a, "(%.*s)", STR_ARG(by)));
		para_end(&p);
	}
	if (list.len && !t->options->show_suppressed && t->options->verbose) {
		struct para p = para_begin(&t->term, STYLE_BOLD, "");
		para_text(&p, STYLE_DIM, STR("(--show-suppressed lists them)"));
		para_end(&p);
	}
}

static void draw_hidden(struct table *t, const struct totals *sum)
{
	if (sum->hidden == 0)
		return;
	struct arena *a = t->term.arena;
	struct para p = para_begin(&t->term, STYLE_BOLD, "Hidden");
	para_text(&p, STYLE_PLAIN, text_counted(a, sum->hidden, "finding", "findings"));
	para_text(&p, STYLE_PLAIN, STR("by display filters,"));
	if (sum->hidden_unknown)
		para_text(&p, STYLE_MAGENTA,
			  arena_printf(a, "%.*s of them unrated,", STR_ARG(text_count(a, sum->hidden_unknown))));
	para_text(&p, STYLE_PLAIN, STR("which a gate counts all the same"));
	para_end(&p);
}

static void draw_not_assessed(struct table *t, const struct target *target)
{
	struct arena *a = t->term.arena;
	size_t len = target->not_assessed.len;
	size_t shown = len <= NOT_ASSESSED_MAX || t->options->verbose ? len : NOT_ASSESSED_MAX;
	for (size_t i = 0; i < shown; i++) {
		const struct not_assessed *n = &target->not_assessed.ptr[i];
		struct para p = para_begin(&t->term, STYLE_YELLOW, i == 0 ? "Not assessed" : "");
		if (n->count && n->of)
			para_text(&p, STYLE_PLAIN,
				  arena_printf(a, "%.*s of %.*s", STR_ARG(text_count(a, n->count)),
					       STR_ARG(text_count(a, n->of))));
		else if (n->count)
			para_text(&p, STYLE_PLAIN, text_count(a, n->count));
		struct str what = clean(t, n->what);
		para_text(&p, STYLE_PLAIN, n->reason.len ? arena_printf(a, "%.*s:", STR_ARG(what)) : what);
		para_text(&p, STYLE_PLAIN, clean(t, n->reason));
		para_end(&p);
	}
	if (shown < len)
		fprintf(t->term.out, "%*s+%zu more (-v shows them)\n", (int)PARA_LABEL_WIDTH, "", len - shown);
}

static void draw_target(struct table *t, const struct target *target)
{
	struct arena *a = t->term.arena;
	struct row_list rows, ignored;
	rows_collect(a, target, finding_is_shown, &rows);
	struct finding_refs others = collect_others(a, target);
	struct totals sum = count_all(target, &rows);

	draw_head(t, target);
	grid_draw(&t->term, &rows);
	if (rows.len)
		fputc('\n', t->term.out);
	draw_others(t, &others);
	if (t->options->show_suppressed) {
		rows_collect(a, target, finding_is_suppressed, &ignored);
		if (ignored.len)
			term_put(&t->term, STYLE_BOLD, STR("Ignored\n"));
		grid_draw(&t->term, &ignored);
		if (ignored.len)
			fputc('\n', t->term.out);
	}
	if (rows.len)
		draw_found(t, &sum, rows.len);
	if (others.len) {
		struct para p = para_begin(&t->term, STYLE_BOLD, rows.len ? "" : "Found");
		para_text(&p, STYLE_PLAIN, text_counted(a, others.len, "other finding", "other findings"));
		para_end(&p);
	}
	if (rows.len)
		advice_draw(&t->term, target, &rows);
	else if (others.len == 0)
		draw_nothing_found(t, target, &sum);
	draw_not_assessed(t, target);
	draw_ignored(t, target);
	draw_hidden(t, &sum);
}

static void draw_policy(struct table *t)
{
	const struct report *r = t->report;
	struct arena *a = t->term.arena;
	if (r->summary.policy_files.len) {
		struct para p = para_begin(&t->term, STYLE_BOLD, "Policy");
		for (size_t i = 0; i < r->summary.policy_files.len; i++)
			para_item(&p, STYLE_PLAIN, ", ", clean(t, r->summary.policy_files.ptr[i]));
		para_end(&p);
	}
	struct str asked = clean(t, r->summary.gate.asked), by = clean(t, r->summary.gate.by);
	if (asked.len == 0)
		return;
	bool failed = r->summary.gate.failed;
	struct para p = para_begin(&t->term, failed ? STYLE_RED_BOLD : STYLE_GREEN, "Gate");
	para_item(&p, failed ? STYLE_RED_BOLD : STYLE_GREEN, "", failed ? STR("FAILED") : STR("passed"));
	para_text(&p, STYLE_PLAIN, arena_printf(a, "(--fail-on %.*s)%s", STR_ARG(asked), by.len ? ":" : ""));
	para_text(&p, STYLE_PLAIN, by);
	para_end(&p);
}

int report_table_write(const struct report *r, const struct report_options *o, FILE *out, struct err *err)
{
	struct arena *ARENA_AUTO a = arena_new();
	size_t width = o->width ? o->width : WIDTH_PIPED;
	width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	struct table t = { .term = { .out = out, .arena = a, .color = o->color, .width = width },
			   .report = r,
			   .options = o };
	for (size_t i = 0; i < r->targets.len; i++) {
		if (i)
			fputs("\n\n", out);
		t.term.gap = false;
		draw_target(&t, &r->targets.ptr[i]);
	}
	t.term.gap |= r->targets.len > 1;
	draw_policy(&t);
	return report_written(out, "table", err);
}
