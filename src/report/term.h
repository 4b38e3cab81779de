/* What the table draws with: styles, cells of a fixed width, and paragraphs that wrap behind a label.
 * Takes clean text only (text.h). */
#ifndef PLIMSOLL_REPORT_TERM_H
#define PLIMSOLL_REPORT_TERM_H

#include "model/severity.h"
#include "report/text.h"

#include <stdio.h>

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_RED,
	STYLE_RED_BOLD,
	STYLE_YELLOW,
	STYLE_GREEN,
	STYLE_BLUE,
	STYLE_MAGENTA
};
#define STYLE_COUNT 9

struct term {
	FILE *out;
	struct arena *arena;
	bool color;
	size_t width;
	bool gap; /* an empty line is due before whatever paragraph comes next, if one comes */
};

enum align { ALIGN_LEFT, ALIGN_RIGHT };

enum style style_of_severity(enum severity s);

/* The text alone, in its style. */
void term_put(struct term *t, enum style style, struct str text);
void term_spaces(struct term *t, size_t n);
/* The text cut and padded to width columns. */
void term_cell(struct term *t, enum style style, enum align align, size_t width, struct str text);

/* A paragraph: a label in the margin, then words that wrap at the terminal's width, lines after the first indented
 * to where the words began. */
struct para {
	struct term *term;
	size_t indent;
	size_t col;
	bool fresh; /* nothing stands on this line yet */
};

#define PARA_LABEL_WIDTH 14

struct para para_begin(struct term *t, enum style style, const char *label);
/* All words of the text. */
void para_text(struct para *p, enum style style, struct str text);
/* One unit that is not broken if a line can hold it, set apart from the unit before it by sep (" · ", ", "). */
void para_item(struct para *p, enum style style, const char *sep, struct str text);
/* Go on in a new line of the same paragraph. */
void para_break(struct para *p);
void para_end(struct para *p);

#endif
