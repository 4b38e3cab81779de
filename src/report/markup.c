/* Words and escapes that several formats share: see markup.h. */
#include "report/markup.h"

#include "base/base.h"
#include "base/hash.h"
#include "report/text.h"

#include <time.h>

void markup_put(FILE *out, struct arena *a, struct str text)
{
	struct str clean = text_clean(a, text);
	size_t from = 0;
	for (size_t i = 0; i < clean.len; i++) {
		static const char special[] = "&<>\"'";
		static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
		const char *found = clean.ptr[i] ? strchr(special, clean.ptr[i]) : NULL;
		if (!found)
			continue;
		(void)fwrite(clean.ptr + from, 1, i - from, out);
		fputs(names[found - special], out);
		from = i + 1;
	}
	if (from < clean.len)
		(void)fwrite(clean.ptr + from, 1, clean.len - from, out);
}

const char *severity_title(enum severity s)
{
	static const char *const titles[SEVERITY_COUNT] = { "Unknown", "Info", "Low", "Medium", "High", "Critical" };
	return (unsigned)s < SEVERITY_COUNT ? titles[s] : titles[0];
}

struct str finding_place(const struct finding *f)
{
	return f->package ? f->package->name : f->location.path.len ? f->location.path : f->subject;
}

struct str brief(struct arena *a, struct str text, size_t max) { return text_cut(a, text_clean(a, text), max); }

struct str hash_of(struct arena *a, const struct str *parts, size_t count)
{
	struct buf BUF_AUTO b = { 0 };
	char text[DIGEST_TEXT_LEN + 1];
	buf_init(&b, 64 * MIB);
	for (size_t i = 0; i < count; i++) {
		buf_put(&b, parts[i]);
		buf_byte(&b, 0xff); /* which no text holds */
	}
	struct sha256 d = sha256_of(buf_view(&b));
	struct str whole = sha256_text(&d, text);
	return str_dup(a, str_sub(whole, 7, whole.len));
}

struct str uuid_of(struct arena *a, const struct str *parts, size_t count)
{
	struct str hex = hash_of(a, parts, count);
	return arena_printf(a, "%.8s-%.4s-8%.3s-a%.3s-%.12s", hex.ptr, hex.ptr + 8, hex.ptr + 13, hex.ptr + 17, hex.ptr + 20);
}

static bool digits_at(struct str s, size_t at, size_t len, int *ret)
{
	uint64_t n;
	if (s.len < at + len || !str_to_u64(str_sub(s, at, at + len), &n))
		return false;
	*ret = (int)n;
	return true;
}

struct str time_moved(struct arena *a, struct str s, uint64_t seconds)
{
	struct tm t = { 0 };
	char text[40];
	bool ok = digits_at(s, 0, 4, &t.tm_year) && digits_at(s, 5, 2, &t.tm_mon) && digits_at(s, 8, 2, &t.tm_mday) &&
	          digits_at(s, 11, 2, &t.tm_hour) && digits_at(s, 14, 2, &t.tm_min) && digits_at(s, 17, 2, &t.tm_sec);
	t.tm_year -= 1900;
	t.tm_mon--;
	time_t when = ok ? timegm(&t) : 0;
	when += (time_t)(seconds < UINT32_MAX ? seconds : 0);
	if (!gmtime_r(&when, &t) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &t) != 19)
		return STR("1970-01-01T00:00:00");
	return str_dup(a, str_from(text));
}
