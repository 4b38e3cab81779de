/* The table proper: a heading and one row (with its ids beside or below it) per source package. */
#ifndef PLIMSOLL_REPORT_GRID_H
#define PLIMSOLL_REPORT_GRID_H

#include "report/rows.h"
#include "report/term.h"

/* Draws nothing without rows. */
void grid_draw(struct term *t, const struct row_list *rows);

#endif
