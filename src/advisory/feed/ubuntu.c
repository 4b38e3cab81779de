/* Ubuntu's CVE tracker: one text file a vulnerability below active/, retired/ and ignored/. The lines that count are
 * "RELEASE_PACKAGE: STATE (WORDS)" and "Priority[_PACKAGE[_RELEASE]]: WORD".
 * States: released (fixed), pending (fixed, not published), needed, deferred, needs-triage; ignored is read by its
 * words (what Ubuntu gave up counts, what it found to be nothing does not); DNE and not-affected say nothing. */
#include "advisory/feed/feed.h"

#include "base/base.h"
#include "base/map.h"

struct cve {
	struct feed_sink *sink;
	uint32_t source;
	struct str id, text;
	enum severity severity;
	struct map *platforms; /* met so far, whatever the state */
	struct arena *job;
};

/* --- words behind "ignored" --- */

/* Somebody looked and there is nothing, or nothing of this release's own. */
static bool is_nothing(struct str words)
{
	static const struct str marks[] = {
		STR_INIT("not compiled"),      STR_INIT("not-compiled"),   STR_INIT("not-present"),
		STR_INIT("not present"),       STR_INIT("not affected"),   STR_INIT("not-affected"),
		STR_INIT("not vulnerable"),    STR_INIT("not an issue"),   STR_INIT("no security impact"),
		STR_INIT("duplicate"),         STR_INIT("rejected"),       STR_INIT("reject "),
		STR_INIT("not configured"),    STR_INIT("specific"),       STR_INIT("not possible"),
		STR_INIT("is not used"),       STR_INIT("not a security"), STR_INIT("uses system"),
		STR_INIT("no security issue"), STR_INIT("supplied by"),    STR_INIT("does not process"),
		STR_INIT("no longer process"),
	};
	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (str_contains(words, marks[i]))
			return true;
	return false;
}

static bool is_end_of_life(struct str words)
{
	static const struct str marks[] = {
		STR_INIT("end-of-life"),      STR_INIT("end of life"),  STR_INIT("eol"),
		STR_INIT("standard support"), STR_INIT("esm criteria"), STR_INIT("out of support"),
		STR_INIT("end of support"),
	};
	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (str_contains(words, marks[i]))
			return true;
	return false;
}

/* --- states --- */

/* "released (1.2-3)": the first word in the parentheses, where it looks like a version ("[1.2-3]" and "(1.2-3)words"
 * were met). */
static struct str version_in(struct str words)
{
	size_t n = 0;
	(void)str_skip(&words, STR("["));
	while (n < words.len && !ascii_space(words.ptr[n]) && words.ptr[n] != ')' && words.ptr[n] != ']' &&
	       words.ptr[n] != ',')
		n++;
	struct str word = str_sub(words, 0, n);
	bool digit = false;
	for (size_t i = 0; i < word.len; i++)
		digit |= ascii_digit(word.ptr[i]);
	return digit && feed_version(word) ? word : (struct str){ 0 };
}

enum answer { ANSWER_FACT, ANSWER_NOTHING, ANSWER_MALFORMED };

static enum answer ignored(struct str words, struct arena *a, struct db_fact *f)
{
	struct str low = str_lower(a, words);
	if (is_end_of_life(low))
		f->status = STATUS_END_OF_LIFE;
	else if (is_nothing(low))
		return ANSWER_NOTHING;
	else
		f->status = STATUS_WILL_NOT_FIX;
	return ANSWER_FACT;
}

static enum answer state_of(struct str state, struct str words, struct arena *a, struct db_fact *f)
{
	static const struct {
		struct str state;
		enum fix_status status;
	} plain[] = {
		{ STR_INIT("needed"), STATUS_AFFECTED },
		{ STR_INIT("active"), STATUS_AFFECTED },
		{ STR_INIT("in-progress"), STATUS_AFFECTED },
		{ STR_INIT("deferred"), STATUS_FIX_DEFERRED },
		{ STR_INIT("needs-triage"), STATUS_UNDER_INVESTIGATION },
	};
	f->range = DB_RANGE_SPAN;
	f->status = STATUS_AFFECTED;
	if (str_eq(state, STR("DNE")) || str_eq(state, STR("not-affected")))
		return ANSWER_NOTHING;
	if (str_eq(state, STR("ignored")))
		return ignored(words, a, f);
	if (str_eq(state, STR("released"))) {
		f->fixed = version_in(words);
		return f->fixed.len ? ANSWER_FACT : ANSWER_MALFORMED;
	}
	if (str_eq(state, STR("pending"))) {
		f->fixed = version_in(words);
		f->unreleased = f->fixed.len > 0;
		return ANSWER_FACT;
	}
	for (size_t i = 0; i < COUNT_OF(plain); i++) {
		if (str_eq(state, plain[i].state)) {
			f->status = plain[i].status;
			return ANSWER_FACT;
		}
	}
	return ANSWER_MALFORMED;
}

/* --- lines --- */

/* "focal", "trusty/esm", "esm-infra/xenial", "esm-apps/xenial". Other folders (fips, realtime, ros-esm, bluefield, the
 * overlays of the phone) hold packages of their own versions. */
static struct str platform_of(struct str release)
{
	bool esm = str_drop(&release, STR("/esm")) || str_skip(&release, STR("esm-infra/")) ||
		   str_skip(&release, STR("esm-apps/"));
	return feed_ubuntu_platform(release, esm);
}

/* "Priority_linux: low", "Priority_linux_xenial: low (words)". The narrowest that fits wins. */
static enum severity priority_of(const struct cve *c, struct str package, struct str release)
{
	struct str rest = c->text, line, key, word;
	enum severity found = c->severity;
	size_t best = 0;
	while (str_cut(&rest, '\n', &line)) {
		if (!str_skip(&line, STR("Priority_")) || !str_cut(&line, ':', &key))
			continue;
		bool whole = str_eq(key, package);
		bool one = key.len == package.len + 1 + release.len && str_starts(key, package) &&
			   key.ptr[package.len] == '_' && str_ends(key, release);
		size_t rank = one ? 2 : whole ? 1 : 0;
		line = str_trim(line);
		if (rank > best && str_cut(&line, ' ', &word)) {
			found = feed_severity(word);
			best = rank;
		}
	}
	return found;
}

static bool has_priorities(const struct cve *c) { return str_contains(c->text, STR("\nPriority_")); }

static void take_state(const struct cve *c, struct str key, struct str value, bool priorities, struct arena *a)
{
	ptrdiff_t at = str_find(key, '_');
	struct str release = str_sub(key, 0, (size_t)at), package = str_sub(key, (size_t)at + 1, key.len), state;
	struct str platform = platform_of(release);
	/* upstream, devel, snap, product, Tags_... and releases with versions of their own. */
	if (platform.len == 0 || package.len == 0)
		return;
	(void)map_put(c->job, c->platforms, platform, NULL);
	struct str words = value;
	if (!str_cut(&words, ' ', &state)) {
		c->sink->skipped++;
		return;
	}
	words = str_trim(words);
	(void)str_skip(&words, STR("("));
	(void)str_drop(&words, STR(")"));
	struct db_fact f = { .id = c->id, .source = c->source };
	switch (state_of(state, words, a, &f)) {
	case ANSWER_FACT:
		f.severity = priorities ? priority_of(c, package, release) : c->severity;
		c->sink->fact(c->sink->ctx, platform, package, &f);
		break;
	case ANSWER_NOTHING:
		c->sink->left_out++;
		break;
	case ANSWER_MALFORMED:
		c->sink->skipped++;
		break;
	}
}

static void take_file(const struct feed_doc *doc, struct cve c, int64_t *newest)
{
	c.text = doc->text;
	struct str rest = doc->text, line, key, word;
	while (str_cut(&rest, '\n', &line)) {
		if (!str_cut(&line, ':', &key))
			continue;
		line = str_trim(line);
		if (str_eq(key, STR("Candidate")))
			c.id = line;
		else if (str_eq(key, STR("Priority")) && str_cut(&line, ' ', &word))
			c.severity = feed_severity(word);
		else if (str_eq(key, STR("PublicDate")) && feed_date(line) > *newest)
			*newest = feed_date(line);
	}
	if (!feed_is_cve(c.id)) {
		c.sink->skipped++;
		return;
	}
	c.sink->records++;
	bool priorities = has_priorities(&c);
	rest = doc->text;
	while (str_cut(&rest, '\n', &line)) {
		if (line.len == 0 || line.ptr[0] == ' ' || line.ptr[0] == '#' || !str_cut(&line, ':', &key))
			continue;
		if (str_find(key, '_') > 0)
			take_state(&c, key, str_trim(line), priorities, doc->arena);
	}
}

static bool is_cve_file(struct str name)
{
	ptrdiff_t slash = str_rfind(name, '/');
	struct str base = str_sub(name, (size_t)(slash + 1), name.len);
	struct str folder = slash > 0 ? str_sub(name, 0, (size_t)slash) : (struct str){ 0 };
	bool place =
	    str_ends(folder, STR("active")) || str_ends(folder, STR("retired")) || str_ends(folder, STR("ignored"));
	return place && feed_is_cve(base);
}

static const struct feed_words words = {
	.name = "ubuntu",
	.licence = "none stated",
	.attribution = "Ubuntu CVE tracker, Canonical Ltd.",
	.coverage = "complete",
};

int import_ubuntu(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	uint32_t source = feed_source(in, sink, &words, 0);
	struct map platforms = { 0 };
	struct cve c = { .sink = sink, .source = source, .platforms = &platforms, .job = in->arena };
	int64_t newest = 0;
	int rc;
	while ((rc = feed_next(in, is_cve_file, &doc, err)) > 0)
		take_file(&doc, c, &newest);
	for (size_t i = 0; i < platforms.len; i++)
		feed_platform(sink, platforms.entries[i].key, true, true, "", source);
	(void)feed_source(in, sink, &words, newest ? newest : FEED_NO_DATE);
	return rc;
}
