/* The Debian security tracker's JSON (data/json): package, vulnerability, release -> status. Also the file of the same
 * form that is made from the changelogs of one release's packages, which knows fixed states of the packages it names
 * and nothing else; an empty object there says "looked at". */
#include "advisory/feed/feed.h"

#include "base/base.h"
#include "base/map.h"

struct tracker {
	struct feed_sink *sink;
	uint32_t source;
	struct map releases; /* codenames met -> 1 */
};

static enum fix_status open_status(const struct value *release)
{
	struct str reason = value_str(value_get(release, "nodsa_reason"));
	if (str_eq(value_str(value_get(release, "urgency")), STR("end-of-life")))
		return STATUS_END_OF_LIFE;
	if (str_eq(reason, STR("ignored")))
		return STATUS_WILL_NOT_FIX;
	return str_eq(reason, STR("postponed")) ? STATUS_FIX_DEFERRED : STATUS_AFFECTED;
}

/* "medium", or "medium**" where a machine said so. */
static enum severity urgency(const struct value *release)
{
	struct str word = value_str(value_get(release, "urgency"));
	while (str_drop(&word, STR("*")))
		;
	return feed_severity(word);
}

/* False for a state that cannot be read. */
static bool fact_of(const struct value *release, struct db_fact *f)
{
	struct str status = value_str(value_get(release, "status"));
	struct str fixed = value_str(value_get(release, "fixed_version"));
	f->severity = urgency(release);
	f->range = DB_RANGE_SPAN;
	if (fixed.len && !feed_version(fixed))
		return false;
	if (str_eq(status, STR("resolved"))) {
		bool never = str_eq(fixed, STR("0"));
		f->range = never ? DB_RANGE_NONE : DB_RANGE_SPAN;
		f->status = never ? STATUS_NOT_AFFECTED : STATUS_AFFECTED;
		f->fixed = never ? STR("") : fixed;
		return fixed.len > 0;
	}
	if (str_eq(status, STR("open"))) {
		f->status = open_status(release);
		f->fixed = fixed;
		f->unreleased = fixed.len > 0;
		return true;
	}
	f->status = STATUS_UNDER_INVESTIGATION;
	return str_eq(status, STR("undetermined"));
}

static void take_vuln(struct tracker *t, struct str package, struct str id, const struct value *vuln)
{
	const struct value *releases = value_get(vuln, "releases");
	if (id.len == 0 || !value_is(releases, VALUE_MAP)) {
		t->sink->skipped++;
		return;
	}
	t->sink->records++;
	for (size_t i = 0; i < value_len(releases); i++) {
		struct str platform = feed_debian_platform(releases->map.pairs[i].key);
		struct db_fact f = { .id = id, .source = t->source };
		if (platform.len == 0)
			t->sink->left_out++;
		else if (fact_of(releases->map.pairs[i].value, &f))
			t->sink->fact(t->sink->ctx, platform, package, &f);
		else
			t->sink->skipped++;
	}
}

static void find_releases(struct tracker *t, const struct value *root, struct arena *a)
{
	for (size_t i = 0; i < value_len(root); i++) {
		const struct value *vulns = root->map.pairs[i].value;
		for (size_t j = 0; value_is(vulns, VALUE_MAP) && j < value_len(vulns); j++) {
			const struct value *r = value_get(vulns->map.pairs[j].value, "releases");
			for (size_t k = 0; value_is(r, VALUE_MAP) && k < value_len(r); k++)
				if (feed_debian_platform(r->map.pairs[k].key).len)
					*map_put(a, &t->releases, r->map.pairs[k].key, NULL) = 1;
		}
	}
}

static void take_packages(struct tracker *t, const struct value *root)
{
	for (size_t i = 0; i < value_len(root); i++) {
		struct str package = root->map.pairs[i].key;
		const struct value *vulns = root->map.pairs[i].value;
		if (package.len == 0 || !value_is(vulns, VALUE_MAP)) {
			t->sink->skipped++;
			continue;
		}
		for (size_t k = 0; k < t->releases.len; k++)
			t->sink->package(t->sink->ctx, feed_debian_platform(t->releases.entries[k].key), package);
		for (size_t j = 0; j < value_len(vulns); j++)
			take_vuln(t, package, vulns->map.pairs[j].key, vulns->map.pairs[j].value);
	}
}

static void take_doc(struct feed_input *in, const struct feed_doc *doc, struct feed_sink *sink)
{
	const struct value *root = feed_json(doc);
	if (!value_is(root, VALUE_MAP)) {
		sink->skipped++;
		return;
	}
	bool changelogs = str_contains(in->path, STR("from-changelogs"));
	struct feed_words words = { .name = "debian-tracker",
				    .licence = "none stated",
				    .attribution = "Debian security tracker",
				    .coverage = "complete" };
	if (changelogs)
		words = (struct feed_words){
			.name = "debian-changelogs",
			.licence = "facts",
			.attribution = "derived from the changelogs of Debian's packages",
			.coverage =
			    arena_printf(doc->arena, "partial: fixed states only, of the %zu source packages named",
					 value_len(root))
				.ptr,
		};
	struct tracker t = { .sink = sink };
	t.source = feed_source(in, sink, &words, FEED_NO_DATE);
	find_releases(&t, root, doc->arena);
	for (size_t i = 0; i < t.releases.len; i++)
		feed_platform(sink, feed_debian_platform(t.releases.entries[i].key), !changelogs, !changelogs,
			      changelogs ? words.coverage : "", t.source);
	take_packages(&t, root);
}

int import_debian_json(struct feed_input *in, struct feed_sink *sink, struct err *err)
{
	struct feed_doc doc;
	int rc;
	while ((rc = feed_next(in, NULL, &doc, err)) > 0)
		take_doc(in, &doc, sink);
	return rc;
}
