/* Go's layouts of times, in UTC: the reference time is Mon Jan 2 15:04:05 MST 2006. */
#include "report/template/internal.h"

#include "base/base.h"

#include <time.h>

const char time_layout_default[] = "2006-01-02 15:04:05 -0700 MST";

static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
	                              "July",    "August",   "September", "October", "November", "December" };
static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

enum part {
	PART_YEAR, PART_YEAR2, PART_MONTH_NAME, PART_MONTH_SHORT, PART_MONTH, PART_MONTH2, PART_DAY_NAME, PART_DAY_SHORT,
	PART_YEAR_DAY, PART_DAY, PART_DAY2, PART_DAY_BLANK, PART_HOUR24, PART_HOUR, PART_HOUR2, PART_MINUTE, PART_MINUTE2,
	PART_SECOND, PART_SECOND2, PART_PM, PART_PM_SMALL, PART_ZONE, PART_OFFSET, PART_OFFSET_COLON, PART_OFFSET_Z, PART_NONE
};

/* Longer ones first: the first that fits counts. */
static const struct {
	struct str text;
	enum part part;
} parts[] = {
	{ STR_INIT("January"), PART_MONTH_NAME }, { STR_INIT("Jan"), PART_MONTH_SHORT }, { STR_INIT("Monday"), PART_DAY_NAME },
	{ STR_INIT("Mon"), PART_DAY_SHORT },      { STR_INIT("MST"), PART_ZONE },        { STR_INIT("2006"), PART_YEAR },
	{ STR_INIT("002"), PART_YEAR_DAY },       { STR_INIT("01"), PART_MONTH2 },       { STR_INIT("02"), PART_DAY2 },
	{ STR_INIT("03"), PART_HOUR2 },           { STR_INIT("04"), PART_MINUTE2 },      { STR_INIT("05"), PART_SECOND2 },
	{ STR_INIT("06"), PART_YEAR2 },           { STR_INIT("15"), PART_HOUR24 },       { STR_INIT("_2006"), PART_NONE },
	{ STR_INIT("_2"), PART_DAY_BLANK },       { STR_INIT("PM"), PART_PM },           { STR_INIT("pm"), PART_PM_SMALL },
	{ STR_INIT("-07:00"), PART_OFFSET_COLON }, { STR_INIT("-0700"), PART_OFFSET },   { STR_INIT("Z07:00"), PART_OFFSET_Z },
	{ STR_INIT("Z0700"), PART_OFFSET_Z },     { STR_INIT("1"), PART_MONTH },         { STR_INIT("2"), PART_DAY },
	{ STR_INIT("3"), PART_HOUR },             { STR_INIT("4"), PART_MINUTE },        { STR_INIT("5"), PART_SECOND },
};

static void put_name(struct buf *out, const char *name, bool is_short)
{
	struct str s = str_from(name);
	buf_put(out, is_short ? str_sub(s, 0, 3) : s);
}

static void put_part(struct buf *out, const struct tm *t, enum part part)
{
	int hour12 = t->tm_hour % 12 ? t->tm_hour % 12 : 12;
	switch (part) {
	case PART_YEAR: buf_printf(out, "%04d", t->tm_year + 1900); break;
	case PART_YEAR2: buf_printf(out, "%02d", t->tm_year % 100); break;
	case PART_MONTH_NAME:
	case PART_MONTH_SHORT: put_name(out, months[t->tm_mon], part == PART_MONTH_SHORT); break;
	case PART_MONTH: buf_printf(out, "%d", t->tm_mon + 1); break;
	case PART_MONTH2: buf_printf(out, "%02d", t->tm_mon + 1); break;
	case PART_DAY_NAME:
	case PART_DAY_SHORT: put_name(out, days[t->tm_wday], part == PART_DAY_SHORT); break;
	case PART_YEAR_DAY: buf_printf(out, "%03d", t->tm_yday + 1); break;
	case PART_DAY: buf_printf(out, "%d", t->tm_mday); break;
	case PART_DAY2: buf_printf(out, "%02d", t->tm_mday); break;
	case PART_DAY_BLANK: buf_printf(out, "%2d", t->tm_mday); break;
	case PART_HOUR24: buf_printf(out, "%02d", t->tm_hour); break;
	case PART_HOUR: buf_printf(out, "%d", hour12); break;
	case PART_HOUR2: buf_printf(out, "%02d", hour12); break;
	case PART_MINUTE: buf_printf(out, "%d", t->tm_min); break;
	case PART_MINUTE2: buf_printf(out, "%02d", t->tm_min); break;
	case PART_SECOND: buf_printf(out, "%d", t->tm_sec); break;
	case PART_SECOND2: buf_printf(out, "%02d", t->tm_sec); break;
	case PART_PM: buf_put(out, t->tm_hour >= 12 ? STR("PM") : STR("AM")); break;
	case PART_PM_SMALL: buf_put(out, t->tm_hour >= 12 ? STR("pm") : STR("am")); break;
	case PART_ZONE: buf_put(out, STR("UTC")); break;
	case PART_OFFSET: buf_put(out, STR("+0000")); break;
	case PART_OFFSET_COLON: buf_put(out, STR("+00:00")); break;
	case PART_OFFSET_Z: buf_put(out, STR("Z")); break;
	case PART_NONE: break;
	}
}

/* ".000" gives zeros, ".999" nothing: times here have whole seconds. Only behind the seconds. */
static bool put_fraction(struct buf *out, struct str *layout)
{
	size_t n = 1;
	char digit = layout->len > 1 ? layout->ptr[1] : ' ';
	if ((layout->ptr[0] != '.' && layout->ptr[0] != ',') || (digit != '0' && digit != '9'))
		return false;
	while (n < layout->len && layout->ptr[n] == digit)
		n++;
	if (n < layout->len && ascii_digit(layout->ptr[n]))
		return false;
	if (digit == '0')
		buf_put(out, str_sub(*layout, 0, n));
	*layout = str_sub(*layout, n, layout->len);
	return true;
}

void format_time(struct buf *out, int64_t when, struct str layout)
{
	struct tm t;
	time_t seconds = (time_t)when;
	if (!gmtime_r(&seconds, &t))
		return;
	while (layout.len) {
		size_t i = 0;
		while (i < COUNT_OF(parts) && !str_starts(layout, parts[i].text))
			i++;
		/* "Month" holds no "Mon", nor "Janet" a "Jan". */
		bool is_short = i < COUNT_OF(parts) && (parts[i].part == PART_DAY_SHORT || parts[i].part == PART_MONTH_SHORT);
		bool inside = is_short && layout.len > 3 && ascii_lower(layout.ptr[3]);
		if (i < COUNT_OF(parts) && parts[i].part != PART_NONE && !inside) {
			put_part(out, &t, parts[i].part);
			layout = str_sub(layout, parts[i].text.len, layout.len);
			continue;
		}
		if (put_fraction(out, &layout))
			continue;
		buf_byte(out, (uint8_t)layout.ptr[0]);
		layout = str_sub(layout, 1, layout.len);
	}
}
