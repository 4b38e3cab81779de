/* Drawing for the table: see term.h. Plain SGR, and none of it without colour. */
#include "report/term.h"

#include "base/base.h"

static const char *const sgr[STYLE_COUNT] = { "", "1", "2", "31", "1;31", "33", "32", "34", "35" };

enum style style_of_severity(enum severity s)
{
	static const enum style styles[SEVERITY_COUNT] = { STYLE_MAGENTA, STYLE_PLAIN, STYLE_BLUE,
							   STYLE_YELLOW,  STYLE_RED,   STYLE_RED_BOLD };
	return (unsigned)s < SEVERITY_COUNT ? styles[s] : STYLE_PLAIN;
}

void term_put(struct term *t, enum style style, struct str text)
{
	if (text.len == 0)
		return;
	bool color = t->color && style != STYLE_PLAIN;
	if (color)
		fprintf(t->out, "\x1b[%sm", sgr[style]);
	fwrite(text.ptr, 1, text.len, t->out);
	if (color)
		fputs("\x1b[0m", t->out);
}

void term_spaces(struct term *t, size_t n)
{
	while (n--)
		fputc(' ', t->out);
}

void term_cell(struct term *t, enum style style, enum align align, size_t width, struct str text)
{
	struct str cut = text_cut(t->arena, text, width);
	size_t used = text_width(cut);
	size_t pad = width > used ? width - used : 0;
	if (align == ALIGN_RIGHT)
		term_spaces(t, pad);
	term_put(t, style, cut);
	if (align == ALIGN_LEFT)
		term_spaces(t, pad);
}

struct para para_begin(struct term *t, enum style style, const char *label)
{
	if (t->gap)
		fputc('\n', t->out);
	t->gap = false;
	term_cell(t, style, ALIGN_LEFT, PARA_LABEL_WIDTH, str_from(label));
	return (struct para){ .term = t, .indent = PARA_LABEL_WIDTH, .col = PARA_LABEL_WIDTH, .fresh = true };
}

void para_break(struct para *p)
{
	fputc('\n', p->term->out);
	term_spaces(p->term, p->indent);
	p->col = p->indent;
	p->fresh = true;
}

/* The text where the paragraph stands, broken only where no line could hold it. */
static void put_unit(struct para *p, enum style style, struct str text)
{
	while (text.len) {
		size_t room = p->term->width > p->col ? p->term->width - p->col : 1;
		struct str part = text_fit(text, room);
		term_put(p->term, style, part);
		p->col += text_width(part);
		p->fresh = false;
		text = str_sub(text, part.len, text.len);
		if (text.len)
			para_break(p);
	}
}

void para_item(struct para *p, enum style style, const char *sep, struct str text)
{
	if (text.len == 0)
		return;
	struct str between = str_from(sep);
	if (!p->fresh) {
		if (p->col + text_width(between) + text_width(text) > p->term->width) {
			if (sep[0] == ',')
				fputc(',', p->term->out);
			para_break(p);
		} else {
			term_put(p->term, sep[0] == ' ' && sep[1] ? STYLE_DIM : STYLE_PLAIN, between);
			p->col += text_width(between);
		}
	}
	put_unit(p, style, text);
}

void para_text(struct para *p, enum style style, struct str text)
{
	struct str word;
	while (str_cut(&text, ' ', &word))
		para_item(p, style, " ", word);
}

void para_end(struct para *p) { fputc('\n', p->term->out); }
