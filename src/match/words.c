/* The sentences of a finding, made from facts alone: no text from advisories is stored or shown. Never decides. */
#include "match/words.h"

#include "base/base.h"

#include <time.h>

struct str words_date(struct arena *a, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	if (when == 0 || !gmtime_r(&t, &tm))
		return STR("an unknown date");
	return arena_printf(a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static const char *without_fix(enum fix_status s)
{
	switch (s) {
	case STATUS_WILL_NOT_FIX:
		return "will not be fixed";
	case STATUS_FIX_DEFERRED:
		return "fix deferred";
	case STATUS_END_OF_LIFE:
		return "package is past its support";
	case STATUS_UNDER_INVESTIGATION:
		return "under investigation";
	default:
		return "no fix yet";
	}
}

struct str words_title(struct arena *a, const struct words *w)
{
	const struct verdict *v = w->verdict;
	if (v->fixed.len)
		return arena_printf(a, "%.*s: %.*s (fixed in %.*s)", STR_ARG(w->package->name), STR_ARG(w->id),
		                    STR_ARG(v->fixed));
	return arena_printf(a, "%.*s: %.*s (%s)", STR_ARG(w->package->name), STR_ARG(w->id), without_fix(v->status));
}

struct str words_fix(struct arena *a, const struct words *w)
{
	const struct package *p = w->package;
	if (w->verdict->fixed.len == 0)
		return (struct str){ 0 };
	if (str_eq(p->name, w->subject.name))
		return arena_printf(a, "Upgrade %.*s to %.*s or later.", STR_ARG(p->name), STR_ARG(w->verdict->fixed));
	return arena_printf(a, "Upgrade %.*s to the build of %.*s %.*s or later.", STR_ARG(p->name),
	                    STR_ARG(w->subject.name), STR_ARG(w->verdict->fixed));
}

/* "libssl3 3.0.11-1 (source openssl)", the source's version only where it is another one. */
static struct str subject(struct arena *a, const struct words *w)
{
	const struct package *p = w->package;
	struct str text = arena_printf(a, "%.*s %.*s", STR_ARG(p->name), STR_ARG(p->version));
	if (!w->distro->by_source) {
		if (p->module.len == 0)
			return text;
		struct str stream = judge_stream(p->module);
		return arena_printf(a, "%.*s (module %.*s)", STR_ARG(text), STR_ARG(stream));
	}
	bool same_version = str_eq(w->subject.version, p->version);
	if (same_version && str_eq(w->subject.name, p->name))
		return text;
	if (same_version)
		return arena_printf(a, "%.*s (source %.*s)", STR_ARG(text), STR_ARG(w->subject.name));
	return arena_printf(a, "%.*s (source %.*s %.*s)", STR_ARG(text), STR_ARG(w->subject.name),
	                    STR_ARG(w->subject.version));
}

static struct str range(struct arena *a, const struct words *w, const struct db_fact *f)
{
	struct str said = arena_printf(a, "%.*s states for %.*s", STR_ARG(w->source), STR_ARG(w->platform));
	if (f->range == DB_RANGE_EXACT)
		return arena_printf(a, "is %.*s, an affected version that %.*s", STR_ARG(f->introduced), STR_ARG(said));
	bool from = f->introduced.len && !str_eq(f->introduced, STR("0"));
	struct str since = from ? arena_printf(a, "is not before %.*s and ", STR_ARG(f->introduced)) : STR("");
	if (f->fixed.len && f->unreleased)
		return arena_printf(a, "%.*sis before %.*s, a fixed version that this release does not have yet, as %.*s",
		                    STR_ARG(since), STR_ARG(f->fixed), STR_ARG(said));
	if (f->fixed.len)
		return arena_printf(a, "%.*sis before %.*s, the fixed version that %.*s", STR_ARG(since),
		                    STR_ARG(f->fixed), STR_ARG(said));
	if (f->last.len)
		return arena_printf(a, "%.*sis not after %.*s, the last affected version that %.*s", STR_ARG(since),
		                    STR_ARG(f->last), STR_ARG(said));
	return arena_printf(a, "%.*sis affected as %.*s, with no fixed version (%s)", STR_ARG(since), STR_ARG(said),
	                    status_name(w->verdict->status));
}

struct str words_evidence(struct arena *a, const struct words *w)
{
	const struct db_fact *f = w->verdict->by;
	struct str who = subject(a, w), what = range(a, w, f);
	if (f->advisory.len && !str_eq(f->advisory, w->id))
		return arena_printf(a, "%.*s %.*s (%.*s)", STR_ARG(who), STR_ARG(what), STR_ARG(f->advisory));
	return arena_printf(a, "%.*s %.*s", STR_ARG(who), STR_ARG(what));
}

/* Only what looks like an id may become part of an address. */
static bool is_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!ascii_alnum(id.ptr[i]) && id.ptr[i] != '-' && id.ptr[i] != ':' && id.ptr[i] != '.')
			return false;
	return id.len > 0 && id.len <= 64;
}

static void put_page(struct arena *a, struct str_list *ret, const char *page, struct str id)
{
	*vec_push(a, ret) = arena_printf(a, "%s%.*s", page, STR_ARG(id));
}

/* errata.almalinux.org/8/ALSA-2024-1234.html */
static void put_alma(struct arena *a, const struct words *w, struct str_list *ret, struct str id)
{
	struct str major = w->platform, head = { 0 }, tail = id;
	(void)str_skip(&major, STR("almalinux:"));
	(void)str_cut(&tail, ':', &head);
	*vec_push(a, ret) = arena_printf(a, "https://errata.almalinux.org/%.*s/%.*s-%.*s.html", STR_ARG(major),
	                                 STR_ARG(head), STR_ARG(tail));
}

static void put_known(struct arena *a, const struct words *w, struct str_list *ret, struct str id)
{
	if (!is_id(id))
		return;
	if (str_starts(id, STR("CVE-")))
		put_page(a, ret, "https://nvd.nist.gov/vuln/detail/", id);
	else if (str_starts(id, STR("GHSA-")))
		put_page(a, ret, "https://github.com/advisories/", id);
	else if (str_starts(id, STR("USN-")))
		put_page(a, ret, "https://ubuntu.com/security/notices/", id);
	else if (str_starts(id, STR("DSA-")) || str_starts(id, STR("DLA-")))
		put_page(a, ret, "https://security-tracker.debian.org/tracker/", id);
	else if (w->distro->modules && str_starts(id, STR("AL")) && str_find(id, ':') > 0)
		put_alma(a, w, ret, id);
}

#define REFERENCES_MAX 6

void words_references(struct arena *a, const struct words *w, const struct str_list *aliases, struct str_list *ret)
{
	if (w->distro->tracker.len && is_id(w->id))
		*vec_push(a, ret) = arena_printf(a, "%.*s%.*s", STR_ARG(w->distro->tracker), STR_ARG(w->id));
	for (size_t i = 0; i < aliases->len && ret->len < REFERENCES_MAX; i++)
		put_known(a, w, ret, aliases->ptr[i]);
	put_known(a, w, ret, w->id);
}
