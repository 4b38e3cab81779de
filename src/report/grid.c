/* Columns and rows of the table: see grid.h. Columns are as wide as what stands in them; where the terminal is too
 * narrow, the widest of the three text columns gives way first and is cut with an ellipsis, so that numbers never
 * are. The ids stand in the row where at least three fit, else in a line of their own below it. */
#include "report/grid.h"

#include "base/base.h"

#define IDS_MAX 5u
#define IDS_INLINE_WIDTH_MIN 56u /* three CVE ids, the gaps and "+99 more" */
#define TEXT_WIDTH_MIN 8u
#define TEXT_WIDTH_MAX 48u /* of one text column: beyond it only hostile names go */

enum { TEXT_NAME, TEXT_INSTALLED, TEXT_FIX, TEXT_COUNT };

struct cells {
	const struct row *row;
	struct str text[TEXT_COUNT];
	struct str severity[SEVERITY_COUNT];
	struct str epss;
};

struct columns {
	size_t text[TEXT_COUNT];
	size_t severity[SEVERITY_COUNT]; /* 0: not shown */
	size_t epss;                     /* 0: not shown */
	size_t kev;                      /* 0: not shown */
	size_t gap;
	size_t ids; /* room for ids in the row; 0: below it */
	bool long_heads;
};

static const char *const text_heads[TEXT_COUNT][2] = {
	{ "Source", "Source package" },
	{ "Installed", "Installed" },
	{ "Fixed by", "Fixed by" },
};

static const char *severity_head(unsigned s, bool long_heads)
{
	static const char *const heads[SEVERITY_COUNT][2] = {
		{ "?", "Unrated" }, { "I", "Info" }, { "L", "Low" }, { "M", "Med" }, { "H", "High" }, { "C", "Crit" },
	};
	return heads[s][long_heads];
}

static struct str no_fix_text(enum fix_status s)
{
	switch (s) {
	case STATUS_WILL_NOT_FIX:
		return STR("will not fix");
	case STATUS_FIX_DEFERRED:
		return STR("deferred");
	case STATUS_END_OF_LIFE:
		return STR("end of life");
	case STATUS_UNDER_INVESTIGATION:
		return STR("in question");
	default:
		return STR("none yet");
	}
}

/* A probability as people read it: 94%, 1.2%, <0.1%. */
static struct str epss_text(struct arena *a, double epss)
{
	if (epss < 0)
		return (struct str){ 0 };
	unsigned permille = (unsigned)((epss > 1 ? 1 : epss) * 1000 + 0.5);
	if (permille == 0)
		return STR("<0.1%");
	if (permille >= 100)
		return arena_printf(a, "%u%%", (permille + 5) / 10);
	return arena_printf(a, "%.*s%%", STR_ARG(text_decimal(a, epss * 100, 1)));
}

static struct cells *make_cells(struct arena *a, const struct row_list *rows)
{
	struct cells *cells = arena_array(a, rows->len, sizeof(*cells));
	for (size_t i = 0; i < rows->len; i++) {
		const struct row *r = &rows->ptr[i];
		struct cells *c = &cells[i];
		c->row = r;
		c->text[TEXT_NAME] = text_clean(a, r->name);
		c->text[TEXT_INSTALLED] = text_clean(a, r->installed);
		c->text[TEXT_FIX] = r->fix.len ? text_clean(a, r->fix) : no_fix_text(r->status);
		for (unsigned s = 0; s < SEVERITY_COUNT; s++)
			c->severity[s] = r->by_severity[s] ? text_count(a, r->by_severity[s]) : STR("\xc2\xb7");
		c->epss = epss_text(a, r->epss);
	}
	return cells;
}

static void widen(size_t *width, size_t to)
{
	if (to > *width)
		*width = to;
}

static void measure(struct columns *col, const struct cells *cells, size_t count)
{
	bool seen[SEVERITY_COUNT] = {
		[SEVERITY_LOW] = true, [SEVERITY_MEDIUM] = true, [SEVERITY_HIGH] = true, [SEVERITY_CRITICAL] = true
	};
	for (unsigned k = 0; k < TEXT_COUNT; k++)
		col->text[k] = str_from(text_heads[k][col->long_heads]).len;
	for (size_t i = 0; i < count; i++) {
		for (unsigned k = 0; k < TEXT_COUNT; k++)
			widen(&col->text[k], text_width(cells[i].text[k]));
		for (unsigned s = 0; s < SEVERITY_COUNT; s++) {
			seen[s] |= cells[i].row->by_severity[s] > 0;
			widen(&col->severity[s], text_width(cells[i].severity[s]));
		}
		widen(&col->epss, cells[i].epss.len);
		if (cells[i].row->kev)
			col->kev = 3;
	}
	for (unsigned k = 0; k < TEXT_COUNT; k++)
		if (col->text[k] > TEXT_WIDTH_MAX)
			col->text[k] = TEXT_WIDTH_MAX;
	for (unsigned s = 0; s < SEVERITY_COUNT; s++) {
		widen(&col->severity[s], str_from(severity_head(s, col->long_heads)).len);
		if (!seen[s])
			col->severity[s] = 0;
	}
	if (col->epss)
		widen(&col->epss, 4);
}

static size_t total_width(const struct columns *col)
{
	size_t total = col->kev ? col->kev + col->gap : 0;
	for (unsigned k = 0; k < TEXT_COUNT; k++)
		total += col->text[k] + (k ? col->gap : 0);
	for (unsigned s = 0; s < SEVERITY_COUNT; s++)
		if (col->severity[s])
			total += col->severity[s] + col->gap;
	return total + (col->epss ? col->epss + col->gap : 0);
}

static void narrow(struct columns *col, size_t width)
{
	static const unsigned order[TEXT_COUNT] = { TEXT_INSTALLED, TEXT_NAME, TEXT_FIX }; /* who gives way at a tie */
	while (total_width(col) > width) {
		unsigned widest = order[0];
		for (unsigned k = 1; k < TEXT_COUNT; k++)
			if (col->text[order[k]] > col->text[widest])
				widest = order[k];
		if (col->text[widest] <= TEXT_WIDTH_MIN)
			return;
		col->text[widest]--;
	}
}

static struct columns lay_out(const struct cells *cells, size_t count, size_t width)
{
	struct columns col = { .gap = 2, .long_heads = true };
	measure(&col, cells, count);
	if (total_width(&col) > width) {
		col = (struct columns){ .gap = 1, .long_heads = false };
		measure(&col, cells, count);
		col.gap = total_width(&col) + TEXT_COUNT + SEVERITY_COUNT <= width ? 2 : 1;
		narrow(&col, width);
	}
	size_t used = total_width(&col) + col.gap;
	if (width >= used + IDS_INLINE_WIDTH_MIN)
		col.ids = width - used;
	return col;
}

static void draw_heads(struct term *t, const struct columns *col)
{
	if (col->kev)
		term_spaces(t, col->kev + col->gap);
	for (unsigned k = 0; k < TEXT_COUNT; k++) {
		term_spaces(t, k ? col->gap : 0);
		term_cell(t, STYLE_BOLD, ALIGN_LEFT, col->text[k], str_from(text_heads[k][col->long_heads]));
	}
	for (unsigned s = SEVERITY_COUNT; s-- > 0;) {
		if (!col->severity[s])
			continue;
		term_spaces(t, col->gap);
		term_cell(t, STYLE_BOLD, ALIGN_RIGHT, col->severity[s], str_from(severity_head(s, col->long_heads)));
	}
	if (col->epss) {
		term_spaces(t, col->gap);
		term_cell(t, STYLE_BOLD, ALIGN_RIGHT, col->epss, STR("EPSS"));
	}
	if (col->ids) {
		term_spaces(t, col->gap);
		term_put(t, STYLE_BOLD, STR("Vulnerabilities"));
	}
	fputc('\n', t->out);
}

/* What follows the first `shown` ids: "+3 more, 2 unfixed". */
static struct str ids_tail(struct arena *a, const struct row *row, size_t shown)
{
	size_t more = row->ids.len - shown;
	size_t unfixed = row->fix.len ? row->unfixed : 0; /* where nothing is fixed, the column says so */
	struct str more_text = text_count(a, more), unfixed_text = text_count(a, unfixed);
	if (more && unfixed)
		return arena_printf(a, "+%.*s more, %.*s without a fix", STR_ARG(more_text), STR_ARG(unfixed_text));
	if (more)
		return arena_printf(a, "+%.*s more", STR_ARG(more_text));
	if (unfixed)
		return arena_printf(a, "(%.*s without a fix)", STR_ARG(unfixed_text));
	return (struct str){ 0 };
}

static void draw_ids(struct term *t, const struct row *row, size_t room)
{
	size_t width[IDS_MAX] = { 0 };
	struct str text[IDS_MAX] = { { 0 } };
	size_t shown = row->ids.len < IDS_MAX ? row->ids.len : IDS_MAX;
	const struct str mark = STR("in use");
	if (row->used && room > mark.len + 2) {
		term_put(t, STYLE_BOLD, mark);
		term_spaces(t, 2);
		room -= mark.len + 2;
	}
	for (size_t i = 0; i < shown; i++) {
		text[i] = text_cut(t->arena, text_clean(t->arena, row->ids.ptr[i]->id), room);
		width[i] = text_width(text[i]);
	}
	struct str tail;
	for (;; shown--) {
		tail = ids_tail(t->arena, row, shown);
		size_t need = tail.len; /* ASCII */
		for (size_t i = 0; i < shown; i++)
			need += width[i] + (i + 1 < shown || tail.len ? 2 : 0);
		if (need <= room || shown == 1)
			break;
	}
	for (size_t i = 0; i < shown; i++) {
		term_put(t, row->ids.ptr[i]->kev ? STYLE_RED_BOLD : STYLE_DIM, text[i]);
		term_spaces(t, i + 1 < shown || tail.len ? 2 : 0);
	}
	term_put(t, STYLE_DIM, tail);
}

static void draw_row(struct term *t, const struct columns *col, const struct cells *c)
{
	size_t indent = col->kev ? col->kev + col->gap : 0;
	if (col->kev)
		term_cell(t, STYLE_RED_BOLD, ALIGN_LEFT, indent, c->row->kev ? STR("KEV") : STR(""));
	for (unsigned k = 0; k < TEXT_COUNT; k++) {
		enum style style = k == TEXT_NAME ? STYLE_BOLD : STYLE_PLAIN;
		if (k == TEXT_FIX)
			style = c->row->fix.len ? STYLE_GREEN : STYLE_DIM;
		term_spaces(t, k ? col->gap : 0);
		term_cell(t, style, ALIGN_LEFT, col->text[k], c->text[k]);
	}
	for (unsigned s = SEVERITY_COUNT; s-- > 0;) {
		if (!col->severity[s])
			continue;
		enum style style = c->row->by_severity[s] ? style_of_severity((enum severity)s) : STYLE_DIM;
		term_spaces(t, col->gap);
		term_cell(t, style, ALIGN_RIGHT, col->severity[s], c->severity[s]);
	}
	if (col->epss && (c->epss.len || col->ids)) {
		term_spaces(t, col->gap);
		term_cell(t, c->row->epss >= 0.1 ? STYLE_BOLD : STYLE_PLAIN, ALIGN_RIGHT, col->epss, c->epss);
	}
	if (col->ids) {
		term_spaces(t, col->gap);
		draw_ids(t, c->row, col->ids);
	} else {
		fputc('\n', t->out);
		term_spaces(t, indent + 2);
		draw_ids(t, c->row, t->width - indent - 2);
	}
	fputc('\n', t->out);
}

void grid_draw(struct term *t, const struct row_list *rows)
{
	if (rows->len == 0)
		return;
	struct cells *cells = make_cells(t->arena, rows);
	struct columns col = lay_out(cells, rows->len, t->width);
	draw_heads(t, &col);
	for (size_t i = 0; i < rows->len; i++)
		draw_row(t, &col, &cells[i]);
}
