/* Doubles and text: see number.h. A locale object made for the name "C" is a constant of the C library: making one
 * opens no file and allocates nothing, so this works in a confined worker. */
#include "base/number.h"
#include "base/base.h"

#include <locale.h>

static locale_t c_locale(void)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c)
		abort();
	return c;
}

double number_from_text(struct str text)
{
	char small[64];
	char *copy = text.len < sizeof(small) ? small : xmalloc(text.len + 1);
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	locale_t c = c_locale();
	double d = strtod_l(copy, NULL, c);
	freelocale(c);
	if (copy != small)
		free(copy);
	return d;
}

static struct str print(double v, bool fixed, int precision, char out[NUMBER_TEXT_MAX])
{
	locale_t c = c_locale();
	locale_t old = uselocale(c);
	int n = fixed ? snprintf(out, NUMBER_TEXT_MAX, "%.*f", precision, v)
	              : snprintf(out, NUMBER_TEXT_MAX, "%.*g", precision, v);
	(void)uselocale(old);
	freelocale(c);
	if (n < 0 || (size_t)n >= NUMBER_TEXT_MAX)
		abort();
	return (struct str){ out, (size_t)n };
}

struct str number_shortest(double v, char out[NUMBER_TEXT_MAX])
{
	struct str text = { 0 };
	for (int precision = 15; precision <= 17; precision++) {
		text = print(v, false, precision, out);
		if (number_from_text(text) == v)
			break;
	}
	return text;
}

struct str number_fixed(double v, int decimals, char out[NUMBER_TEXT_MAX])
{
	return print(v, true, decimals < 0 ? 0 : decimals > 17 ? 17 : decimals, out);
}
