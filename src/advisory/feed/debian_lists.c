/* The lists of the Debian security tracker's repository: data/DSA/list, data/DLA/list, data/DTSA/list and, where it is
 * there, data/CVE/list with data/config.json.
 *
 * Of a vulnerability CVE/list names the version that fixes it in unstable ("- src version"), and for releases what
 * differs from that ("[bookworm] - src version", or a state). A release without a word of its own inherits unstable's
 * version: older ones are affected, but no package of that release is said to have the fix (db_fact.unreleased). DSA
 * and DLA name the versions that fix it in stable releases; they are read first. */
#include "advisory/feed/feed.h"

#include "base/base.h"
#include "base/json.h"
#include "base/map.h"

#define RELEASES_MAX 32u
#define ENTRY_LINES_MAX 4096u

struct lists {
	struct feed_sink *sink;
	struct arena *a;
	uint32_t source;
	struct map said;               /* "CVE src platform" of DSA and DLA -> 1 */
	struct map platforms;          /* met -> 1 */
	struct str live[RELEASES_MAX]; /* platforms that inherit from unstable */
	size_t live_count;
	int64_t newest;
	bool has_cve_list;
};

/* "xorg-server 2:1.20.11-1+deb11u1", "ceph <unfixed> (low; bug #1)" */
struct state {
	struct str package, version;
	struct db_fact fact;
	bool nothing; /* a state that says nothing about anybody's package: <itp> */
	bool removed; /* from this release; older ones still have it */
	bool malformed;
};

static enum severity note_severity(struct str notes)
{
	struct str word;
	(void)str_skip(&notes, STR("("));
	while (str_cut(&notes, ';', &word)) {
		word = str_trim(word);
		(void)str_drop(&word, STR(")"));
		enum severity s = feed_severity(word);
		if (s != SEVERITY_UNKNOWN)
			return s;
	}
	return SEVERITY_UNKNOWN;
}

static void take_tag(struct state *s, struct str tag)
{
	static const struct {
		struct str tag;
		enum fix_status status;
	} tags[] = {
		{ STR_INIT("<unfixed>"), STATUS_AFFECTED },
		{ STR_INIT("<no-dsa>"), STATUS_AFFECTED },
		{ STR_INIT("<removed>"), STATUS_AFFECTED },
		{ STR_INIT("<not-affected>"), STATUS_NOT_AFFECTED },
		{ STR_INIT("<ignored>"), STATUS_WILL_NOT_FIX },
		{ STR_INIT("<postponed>"), STATUS_FIX_DEFERRED },
		{ STR_INIT("<end-of-life>"), STATUS_END_OF_LIFE },
		{ STR_INIT("<undetermined>"), STATUS_UNDER_INVESTIGATION },
	};
	s->nothing = str_eq(tag, STR("<itp>"));
	s->removed = str_eq(tag, STR("<removed>"));
	s->malformed = !s->nothing;
	for (size_t i = 0; i < COUNT_OF(tags); i++) {
		if (str_eq(tag, tags[i].tag)) {
			s->fact.status = tags[i].status;
			s->malformed = false;
		}
	}
	s->fact.range = s->fact.status == STATUS_NOT_AFFECTED ? DB_RANGE_NONE : DB_RANGE_SPAN;
}

/* line stands behind "- " */
static struct state parse_state(struct str line, uint32_t source)
{
	struct state s = { .fact = { .source = source, .range = DB_RANGE_SPAN, .status = STATUS_AFFECTED } };
	struct str rest = str_trim(line), word;
	if (!str_cut(&rest, ' ', &s.package) || s.package.len == 0)
		s.malformed = true;
	rest = str_trim(rest);
	if (!str_cut(&rest, ' ', &word))
		word = STR("<unfixed>"); /* the old lists leave it out */
	s.fact.severity = note_severity(str_trim(rest));
	if (str_starts(word, STR("<")))
		take_tag(&s, word);
	else if (str_eq(word, STR("0")))
		take_tag(&s, STR("<not-affected>"));
	else if (feed_version(word) && ascii_alnum(word.ptr[0]))
		s.version = s.fact.fixed = word;
	else
		s.malformed = true;
	return s;
}

/* "[bookworm] - src ..." or "- src ...": the platform, and what follows the dash. */
static bool package_line(struct str line, struct str *ret_platform, struct str *ret_rest)
{
	struct str release = { 0 };
	if (str_skip(&line, STR("["))) {
		if (!str_cut(&line, ']', &release))
			return false;
		line = str_trim(line);
	}
	if (!str_skip(&line, STR("- ")))
		return false;
	*ret_platform = release.len ? feed_debian_platform(release) : STR("debian:sid");
	*ret_rest = line;
	return true;
}

static void say(struct lists *l, struct str platform, const struct state *s, struct str id, struct str advisory)
{
	struct db_fact f = s->fact;
	f.id = id;
	f.advisory = str_eq(id, advisory) ? STR("") : advisory;
	(void)map_put(l->a, &l->platforms, platform, NULL);
	l->sink->fact(l->sink->ctx, platform, s->package, &f);
}

static struct str said_key(struct arena *a, struct str id, struct str package, struct str platform)
{
	return arena_printf(a, "%.*s %.*s %.*s", STR_ARG(id), STR_ARG(package), STR_ARG(platform));
}

/* --- DSA, DLA, DTSA --- */

static unsigned month_of(struct str name)
{
	static const struct str months[] = { STR_INIT("jan"), STR_INIT("feb"), STR_INIT("mar"), STR_INIT("apr"),
					     STR_INIT("may"), STR_INIT("jun"), STR_INIT("jul"), STR_INIT("aug"),
					     STR_INIT("sep"), STR_INIT("oct"), STR_INIT("nov"), STR_INIT("dec") };
	for (unsigned i = 0; i < COUNT_OF(months); i++)
		if (str_eq_nocase(str_sub(name, 0, 3), months[i]))
			return i + 1;
	return 0;
}

/* "29 Mar 2023"; the DTSA list has "August 26th, 2005", which is as old as that and does not date anything. */
static int64_t list_date(struct str s)
{
	struct str day, month;
	uint64_t d, y;
	if (!str_cut(&s, ' ', &day) || !str_cut(&s, ' ', &month) || !str_to_u64(day, &d) || !str_to_u64(s, &y))
		return 0;
	return y > 9999 || d > 31 ? 0 : feed_day((unsigned)y, month_of(month), (unsigned)d);
}

struct advisory {
	struct str id;
	bool no_vulnerability; /* where it names no CVE: an update of an update (DSA-5356-2), or of something else */
	struct str cves[512];
	size_t cve_count;
};

/* "libdatetime-timezone-perl - new timezone database" */
static bool is_other_kind(struct arena *a, struct str title)
{
	static const struct str marks[] = {
		STR_INIT("new upstream"),    STR_INIT("new timezone"), STR_INIT("new package"),
		STR_INIT("database update"), STR_INIT("bugfix"),       STR_INIT("regression"),
		STR_INIT("end of life"),     STR_INIT("end-of-life"),  STR_INIT("end of support"),
		STR_INIT("switch to"),
	};
	struct str low = str_lower(a, title);
	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (str_contains(low, marks[i]))
			return true;
	return str_ends(low, STR(" - update"));
}

/* "[29 Mar 2023] DSA-5380-1 xorg-server - security update" */
static bool advisory_head(struct lists *l, struct str line, struct advisory *ret)
{
	struct str date, rest;
	if (!str_skip(&line, STR("[")) || !str_cut(&line, ']', &date))
		return false;
	rest = str_trim(line);
	ret->cve_count = 0;
	if (!str_cut(&rest, ' ', &ret->id) || ret->id.len < 5)
		return false;
	int64_t day = list_date(date);
	l->newest = day > l->newest ? day : l->newest;
	ptrdiff_t first = str_find(ret->id, '-'), last = str_rfind(ret->id, '-');
	bool again = first != last && !str_eq(str_sub(ret->id, (size_t)last + 1, ret->id.len), STR("1"));
	ret->no_vulnerability = again || is_other_kind(l->a, rest);
	return true;
}

static void advisory_cves(struct str line, struct advisory *adv)
{
	struct str word;
	(void)str_skip(&line, STR("{"));
	(void)str_drop(&line, STR("}"));
	while (str_cut(&line, ' ', &word))
		if (feed_is_cve(word) && adv->cve_count < COUNT_OF(adv->cves))
			adv->cves[adv->cve_count++] = word;
}

/* An advisory that names no CVE stands for itself, if it is about a vulnerability at all. */
static void advisory_package(struct lists *l, const struct advisory *adv, struct str platform, struct str rest)
{
	struct state s = parse_state(rest, l->source);
	if (adv->id.len == 0 || s.malformed) {
		l->sink->skipped++;
		return;
	}
	if (platform.len == 0 || s.nothing || (adv->cve_count == 0 && adv->no_vulnerability)) {
		l->sink->left_out++;
		return;
	}
	if (adv->cve_count == 0)
		say(l, platform, &s, adv->id, adv->id);
	for (size_t i = 0; i < adv->cve_count; i++) {
		say(l, platform, &s, adv->cves[i], adv->id);
		if (l->has_cve_list)
			*map_put(l->a, &l->said, said_key(l->a, adv->cves[i], s.package, platform), NULL) = 1;
	}
}

static void take_advisories(struct lists *l, struct str text)
{
	struct advisory *adv = arena_alloc(l->a, sizeof(*adv));
	struct str line, platform, rest;
	while (str_cut(&text, '\n', &line)) {
		if (line.len == 0)
			continue;
		if (!ascii_space(line.ptr[0])) {
			if (advisory_head(l, line, adv)) {
				l->sink->records++;
			} else {
				adv->id = (struct str){ 0 };
				l->sink->skipped++;
			}
			continue;
		}
		line = str_trim(line);
		if (str_starts(line, STR("{")))
			advisory_cves(line, adv);
		else if (package_line(line, &platform, &rest))
			advisory_package(l, adv, platform, rest);
	}
}

/* --- CVE/list --- */

struct entry_state {
	struct str platform;
	struct state state;
};

struct entry {
	struct str id;
	VEC(struct entry_state) lines;
};

static bool has_word(const struct lists *l, const struct entry *e, struct str package, struct str platform,
		     struct arena *a)
{
	for (size_t i = 0; i < e->lines.len; i++)
		if (str_eq(e->lines.ptr[i].platform, platform) && str_eq(e->lines.ptr[i].state.package, package))
			return true;
	return map_get(&l->said, said_key(a, e->id, package, platform)) != NULL;
}

/* What unstable's line means for a release that has none. */
static void inherit(struct lists *l, const struct entry *e, const struct state *sid, struct str platform)
{
	struct state s = *sid;
	if (s.fact.status == STATUS_NOT_AFFECTED)
		return;
	s.fact.unreleased = s.version.len > 0;
	say(l, platform, &s, e->id, e->id);
}

static void finish_entry(struct lists *l, struct entry *e)
{
	struct arena *a ARENA_AUTO = arena_new();
	for (size_t i = 0; i < e->lines.len; i++) {
		const struct state *s = &e->lines.ptr[i].state;
		bool sid = str_eq(e->lines.ptr[i].platform, STR("debian:sid"));
		/* Gone from unstable: nobody has it there. Gone from a stable release: whoever has it keeps it unfixed.
		 */
		if (!(sid && s->removed))
			say(l, e->lines.ptr[i].platform, s, e->id, e->id);
		for (size_t k = 0; sid && k < l->live_count; k++)
			if (!has_word(l, e, s->package, l->live[k], a))
				inherit(l, e, s, l->live[k]);
	}
	e->lines.len = 0;
}

static void entry_line(struct lists *l, struct entry *e, struct str line)
{
	struct str platform, rest;
	if (!package_line(line, &platform, &rest))
		return;
	struct state s = parse_state(rest, l->source);
	if (e->id.len == 0 || platform.len == 0 || s.nothing) {
		l->sink->left_out++;
	} else if (s.malformed || e->lines.len == ENTRY_LINES_MAX) {
		l->sink->skipped++;
	} else {
		*vec_push(l->a, &e->lines) = (struct entry_state){ platform, s };
	}
}

/* "CVE-2023-XXXX" has no name yet: the tracker makes one up that changes. */
static void take_cves(struct lists *l, struct str text)
{
	struct entry e = { 0 };
	struct str line;
	while (str_cut(&text, '\n', &line)) {
		if (line.len == 0)
			continue;
		if (ascii_space(line.ptr[0])) {
			entry_line(l, &e, str_trim(line));
			continue;
		}
		finish_entry(l, &e);
		struct str id;
		if (!str_cut(&line, ' ', &id) || !feed_is_cve(id)) {
			l->sink->left_out++;
			id = (struct str){ 0 };
		} else {
			l->sink->records++;
		}
		e.id = id;
	}
	finish_entry(l, &e);
}

/* --- the whole --- */

/* The releases that the tracker works on: those with a "release" word (stable, testing, ...). */
static void find_live(struct lists *l, struct str config)
{
	static const struct str usual[] = { STR_INIT("debian:11"), STR_INIT("debian:12"), STR_INIT("debian:13"),
					    STR_INIT("debian:14") };
	struct value *root = NULL;
	struct err err;
	const struct value *list = NULL;
	if (config.len && json_parse(l->a, config, &root, &err) == 0)
		list = value_get(root, "distributions");
	for (size_t i = 0; list && value_is(list, VALUE_MAP) && i < value_len(list); i++) {
		struct str platform = feed_debian_platform(list->map.pairs[i].key);
		bool live = value_str(value_get(list->map.pairs[i].value, "release")).len > 0;
		if (live && platform.len && !str_eq(platform, STR("debian:sid")) && l->live_count < RELEASES_MAX)
			l->live[l->live_count++] = platform;
	}
	if (l->live_count > 0 || list)
		return;
	for (size_t i = 0; i < COUNT_OF(usual); i++)
		l->live[l->live_count++] = usual[i];
}

static bool is_live(const struct lists *l, struct str platform)
{
	for (size_t i = 0; i < l->live_count; i++)
		if (str_eq(platform, l->live[i]))
			return true;
	return str_eq(platform, STR("debian:sid"));
}

static void declare_platforms(struct lists *l)
{
	for (size_t i = 0; l->has_cve_list && i < l->live_count; i++)
		(void)map_put(l->a, &l->platforms, l->live[i], NULL);
	for (size_t i = 0; i < l->platforms.len; i++) {
		struct str name = l->platforms.entries[i].key;
		bool complete = l->has_cve_list && is_live(l, name);
		feed_platform(l->sink, name, complete, complete,
			      complete ? "" : "partial: what DSA and DLA fixed, no unfixed vulnerabilities", l->source);
	}
}

static bool is_list(struct str name)
{
	static const struct str ends[] = { STR_INIT("CVE/list"), STR_INIT("DSA/list"), STR_INIT("DLA/list"),
					   STR_INIT("DTSA/list"), STR_INIT("data/config.json") };
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (str_ends(name, ends[i]))
			return true;
	return false;
}

int import_debian_lists(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct lists l = { .sink = sink, .a = in->arena };
	struct str cves = { 0 }, config = { 0 }, advisories[3] = { 0 };
	size_t advisory_count = 0;
	struct feed_doc doc;
	int rc;
	while ((rc = feed_next(in, is_list, &doc, err)) > 0) {
		struct str text = str_dup(in->arena, doc.text);
		if (str_ends(doc.name, STR("CVE/list")))
			cves = text;
		else if (str_ends(doc.name, STR("config.json")))
			config = text;
		else if (advisory_count < COUNT_OF(advisories))
			advisories[advisory_count++] = text;
	}
	l.has_cve_list = cves.len > 0;
	struct feed_words words = {
		.name = "debian-lists",
		.licence = "none stated",
		.attribution = "Debian security tracker",
		.coverage = l.has_cve_list ? "complete" : "partial: what DSA and DLA fixed, no unfixed vulnerabilities",
	};
	l.source = feed_source(in, sink, &words, 0);
	for (size_t i = 0; i < advisory_count; i++)
		take_advisories(&l, advisories[i]);
	if (l.has_cve_list) {
		find_live(&l, config);
		take_cves(&l, cves);
	}
	declare_platforms(&l);
	(void)feed_source(in, sink, &words, l.newest ? l.newest : FEED_NO_DATE);
	return rc;
}
