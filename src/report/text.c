/* Text for terminals: see text.h. Must never let through a byte that a terminal obeys. */
#include "report/text.h"

#include "base/base.h"
#include "base/utf8.h"

struct range {
	uint32_t first, last;
};

/* General categories Mn and Me, in short: what sits on the character before it. */
static const struct range zero_width[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 },   { 0x0591, 0x05bd },   { 0x05bf, 0x05bf }, { 0x05c1, 0x05c2 },
	{ 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 },   { 0x0610, 0x061a },   { 0x064b, 0x065f }, { 0x0670, 0x0670 },
	{ 0x06d6, 0x06dc }, { 0x06df, 0x06e4 },   { 0x06e7, 0x06e8 },   { 0x06ea, 0x06ed }, { 0x0711, 0x0711 },
	{ 0x0730, 0x074a }, { 0x07a6, 0x07b0 },   { 0x0816, 0x082d },   { 0x0859, 0x085b }, { 0x08d3, 0x0902 },
	{ 0x093a, 0x093a }, { 0x093c, 0x093c },   { 0x0941, 0x0948 },   { 0x094d, 0x094d }, { 0x0951, 0x0957 },
	{ 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },   { 0x0e47, 0x0e4e },   { 0x0eb1, 0x0eb1 }, { 0x0eb4, 0x0ebc },
	{ 0x0ec8, 0x0ece }, { 0x1160, 0x11ff },   { 0x1ab0, 0x1aff },   { 0x1dc0, 0x1dff }, { 0x20d0, 0x20f0 },
	{ 0x2de0, 0x2dff }, { 0x302a, 0x302d },   { 0x3099, 0x309a },   { 0xa66f, 0xa672 }, { 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f }, { 0x1d167, 0x1d169 }, { 0xe0100, 0xe01ef },
};

/* East_Asian_Width W and F, and emoji that terminals draw so. */
static const struct range double_width[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },   { 0x23e9, 0x23ec },   { 0x23f0, 0x23f0 },
	{ 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },   { 0x2648, 0x2653 },   { 0x267f, 0x267f },
	{ 0x2693, 0x2693 },   { 0x26a1, 0x26a1 },   { 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },
	{ 0x26ce, 0x26ce },   { 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },   { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },   { 0x270a, 0x270b },   { 0x2728, 0x2728 },
	{ 0x274c, 0x274c },   { 0x274e, 0x274e },   { 0x2753, 0x2755 },   { 0x2757, 0x2757 },   { 0x2795, 0x2797 },
	{ 0x27b0, 0x27b0 },   { 0x27bf, 0x27bf },   { 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },
	{ 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },   { 0x4e00, 0xa4cf },   { 0xa960, 0xa97c },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6f },   { 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 },   { 0x16fe0, 0x18cff }, { 0x1b000, 0x1b2ff }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf },
	{ 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 },
	{ 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e },
	{ 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f },
	{ 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6d7 }, { 0x1f6dc, 0x1f6df },
	{ 0x1f6eb, 0x1f6ec }, { 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7eb }, { 0x1f7f0, 0x1f7f0 }, { 0x1f90c, 0x1f93a },
	{ 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

/* Never shown: controls; marks and overrides of direction; joiners, separators and fillers that cannot be seen, so
 * that two names that look alike are alike; tags; private use at the top, where terminals keep their own things. */
static const struct range forbidden[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },   { 0x034f, 0x034f },    { 0x061c, 0x061c },
	{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },   { 0x200b, 0x200f },    { 0x2028, 0x202e },
	{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xd800, 0xdfff },   { 0xfeff, 0xfeff },    { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffc }, { 0xfffe, 0xffff }, { 0xe0000, 0xe00ff }, { 0xf0000, 0x10ffff },
};

static bool in_ranges(const struct range *r, size_t count, uint32_t c)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (c > r[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < count && c >= r[low].first;
}

static size_t char_width(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (in_ranges(zero_width, COUNT_OF(zero_width), c))
		return 0;
	return in_ranges(double_width, COUNT_OF(double_width), c) ? 2 : 1;
}

uint32_t text_decode(struct str s, size_t *ret_len)
{
	uint8_t p[4] = { 0 };
	memcpy(p, s.ptr, s.len < sizeof(p) ? s.len : sizeof(p));
	size_t n = utf8_len(p, s.len < sizeof(p) ? s.len : sizeof(p));
	*ret_len = n ? n : 1;
	if (n == 0)
		return UINT32_MAX;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || (unsigned char)s.ptr[i] >= 0x7f)
			return false;
	return true;
}

#define MARKS_IN_A_ROW_MAX 3u

struct str text_clean(struct arena *a, struct str s)
{
	if (is_plain(s))
		return s;
	size_t cap = s.len > SIZE_MAX / 3 ? SIZE_MAX : s.len * 3; /* U+FFFD takes three bytes; the arena refuses more */
	char *out = arena_alloc(a, cap);
	size_t len = 0, n = 0;
	unsigned marks = 0;
	for (size_t at = 0; at < s.len; at += n) {
		uint32_t c = text_decode(str_sub(s, at, s.len), &n);
		marks = c != UINT32_MAX && char_width(c) == 0 ? marks + 1 : 0;
		if (c == '\n' || c == '\r' || c == '\t') {
			out[len++] = ' ';
		} else if (c == UINT32_MAX || in_ranges(forbidden, COUNT_OF(forbidden), c)) {
			memcpy(out + len, "\xef\xbf\xbd", 3);
			len += 3;
		} else if (marks <= MARKS_IN_A_ROW_MAX && (marks == 0 || len > 0)) {
			memcpy(out + len, s.ptr + at, n);
			len += n;
		}
	}
	return (struct str){ out, len };
}

size_t text_width(struct str clean)
{
	size_t width = 0, n = 0;
	for (size_t at = 0; at < clean.len; at += n) {
		uint32_t c = text_decode(str_sub(clean, at, clean.len), &n);
		width += c == UINT32_MAX ? 1 : char_width(c);
	}
	return width;
}

/* Bytes of the longest prefix that takes at most width columns. */
static size_t prefix_len(struct str clean, size_t width)
{
	size_t used = 0, at = 0, n = 0;
	for (; at < clean.len; at += n) {
		uint32_t c = text_decode(str_sub(clean, at, clean.len), &n);
		used += c == UINT32_MAX ? 1 : char_width(c);
		if (used > width)
			break;
	}
	return at;
}

struct str text_cut(struct arena *a, struct str clean, size_t width)
{
	if (prefix_len(clean, width) == clean.len)
		return clean;
	if (width == 0)
		return (struct str){ 0 };
	return arena_printf(a, "%.*s\xe2\x80\xa6", STR_ARG(str_sub(clean, 0, prefix_len(clean, width - 1))));
}

struct str text_fit(struct str clean, size_t width)
{
	size_t len = prefix_len(clean, width);
	if (len == 0 && clean.len)
		(void)text_decode(clean, &len);
	return str_sub(clean, 0, len);
}

struct str text_count(struct arena *a, uint64_t n)
{
	char digits[32];
	size_t at = sizeof(digits);
	for (unsigned place = 0; n || place == 0; n /= 10, place++) {
		if (place && place % 3 == 0)
			digits[--at] = ',';
		digits[--at] = (char)('0' + n % 10);
	}
	return str_dup(a, (struct str){ digits + at, sizeof(digits) - at });
}

struct str text_counted(struct arena *a, uint64_t n, const char *one, const char *many)
{
	return arena_printf(a, "%.*s %s", STR_ARG(text_count(a, n)), n == 1 ? one : many);
}

struct str text_decimal(struct arena *a, double v, unsigned decimals)
{
	uint64_t scale = 1;
	for (unsigned i = 0; i < decimals && i < 6; i++)
		scale *= 10;
	double inside = v > 0 ? v < 1e9 ? v : 1e9 : 0;
	uint64_t n = (uint64_t)(inside * (double)scale + 0.5);
	if (scale == 1)
		return arena_printf(a, "%llu", (unsigned long long)n);
	return arena_printf(a, "%llu.%0*llu", (unsigned long long)(n / scale), (int)(decimals < 6 ? decimals : 6),
			    (unsigned long long)(n % scale));
}
