/* Whether a finding is what an ignore of Trivy's or Grype's form asks for. Texts of the finding come from an image: they
 * are compared, never parsed as patterns. */
#include "base/base.h"
#include "policy/policy.h"

struct str policy_literal(struct arena *a, struct str id)
{
	char *out = arena_alloc(a, id.len * 2 + 1);
	size_t n = 0;
	for (size_t i = 0; i < id.len; i++) {
		if (id.ptr[i] == '*' || id.ptr[i] == '?' || id.ptr[i] == '[' || id.ptr[i] == '\\')
			out[n++] = '\\';
		out[n++] = id.ptr[i];
	}
	return (struct str){ out, n };
}

/* --- Grype's words ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *word;
	unsigned bit;
} fix_words[] = { { "unknown", FIX_UNKNOWN }, { "fixed", FIX_FIXED }, { "not-fixed", FIX_NOT_FIXED }, { "wont-fix", FIX_WONT_FIX } };

unsigned policy_fix_state_parse(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(fix_words); i++)
		if (str_eq(word, str_from(fix_words[i].word)))
			return fix_words[i].bit;
	return 0;
}

/* A vendor that puts a fix off has said that there will be no advisory for now: Grype's wont-fix. */
static unsigned fix_state(const struct finding *f)
{
	if (f->fixed_version.len)
		return FIX_FIXED;
	switch (f->status) {
	case STATUS_WILL_NOT_FIX:
	case STATUS_FIX_DEFERRED:
	case STATUS_END_OF_LIFE:
		return FIX_WONT_FIX;
	case STATUS_AFFECTED:
	case STATUS_UNDER_INVESTIGATION:
		return FIX_NOT_FIXED;
	default:
		return FIX_UNKNOWN;
	}
}

const char *policy_fix_state(const struct finding *f)
{
	unsigned state = fix_state(f);
	for (size_t i = 0; i < COUNT_OF(fix_words); i++)
		if (fix_words[i].bit == state)
			return fix_words[i].word;
	return "unknown";
}

struct str policy_grype_namespace(struct arena *a, const struct os *os)
{
	static const struct {
		const char *id, *name, *version; /* version: NULL, the release's own; else how much of it: "8", or a word */
	} rows[] = {
		{ "debian", "debian", "major" },      { "ubuntu", "ubuntu", NULL },          { "alpine", "alpine", "minor" },
		{ "wolfi", "wolfi", "rolling" },      { "chainguard", "chainguard", "rolling" }, { "rhel", "redhat", "major" },
		{ "centos", "redhat", "major" },      { "rocky", "redhat", "major" },         { "almalinux", "redhat", "major" },
		{ "amzn", "amazonlinux", "major" },   { "ol", "oraclelinux", "major" },       { "sles", "sles", NULL },
		{ "azurelinux", "azurelinux", NULL }, { "mariner", "mariner", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str version = os->version, rest = os->version, part, minor;
		if (!str_eq(os->id, str_from(rows[i].id)))
			continue;
		if (rows[i].version && str_eq(str_from(rows[i].version), STR("rolling")))
			version = STR("rolling");
		else if (rows[i].version && str_cut(&rest, '.', &part)) {
			version = part;
			if (str_eq(str_from(rows[i].version), STR("minor")) && str_cut(&rest, '.', &minor))
				version = arena_printf(a, "%.*s.%.*s", STR_ARG(part), STR_ARG(minor));
		}
		bool amazon = str_eq(os->id, STR("amzn")), oracle = str_eq(os->id, STR("ol"));
		return arena_printf(a, "%s:distro:%s:%.*s", amazon ? "amazon" : oracle ? "oracle" : rows[i].name, rows[i].name,
		                    STR_ARG(version));
	}
	return (struct str){ 0 };
}

/* --- package URLs ------------------------------------------------------------------------------------------------- */

struct purl {
	struct str type, path, version; /* path: namespace and name; version with its epoch */
	struct str qualifiers;
};

static int hex_digit(char c)
{
	return ascii_digit(c) ? c - '0' : ascii_hex(c) ? ascii_tolower(c) - 'a' + 10 : -1;
}

static struct str percent_decoded(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '%' && i + 2 < s.len && hex_digit(s.ptr[i + 1]) >= 0 && hex_digit(s.ptr[i + 2]) >= 0) {
			out[n++] = (char)(hex_digit(s.ptr[i + 1]) * 16 + hex_digit(s.ptr[i + 2]));
			i += 2;
		} else {
			out[n++] = s.ptr[i];
		}
	}
	return (struct str){ out, n };
}

static bool qualifier(struct arena *a, struct str qualifiers, struct str key, struct str *ret)
{
	for (struct str rest = qualifiers, pair, name; str_cut(&rest, '&', &pair);) {
		(void)str_cut(&pair, '=', &name);
		if (str_eq(name, key))
			return *ret = percent_decoded(a, pair), true;
	}
	return false;
}

/* pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS#SUBPATH */
static bool purl_read(struct arena *a, struct str text, struct purl *ret)
{
	struct str rest = text, head, epoch;
	*ret = (struct purl){ 0 };
	if (!str_skip(&rest, STR("pkg:")))
		return false;
	while (str_skip(&rest, STR("/")))
		;
	(void)str_cut(&rest, '#', &head);
	rest = head;
	(void)str_cut(&rest, '?', &head);
	ret->qualifiers = rest;
	rest = head;
	if (!str_cut(&rest, '/', &ret->type) || rest.len == 0)
		return false;
	ptrdiff_t at = str_rfind(rest, '@');
	if (at > 0) {
		ret->version = percent_decoded(a, str_sub(rest, (size_t)at + 1, rest.len));
		rest = str_sub(rest, 0, (size_t)at);
	}
	ret->path = percent_decoded(a, rest);
	if (ret->version.len && qualifier(a, ret->qualifiers, STR("epoch"), &epoch) && !str_eq(epoch, STR("0")))
		ret->version = arena_printf(a, "%.*s:%.*s", STR_ARG(epoch), STR_ARG(ret->version));
	return true;
}

static bool purl_matches(struct arena *a, struct str wanted, struct str found)
{
	struct purl w, f;
	struct str value;
	if (!purl_read(a, wanted, &w) || !purl_read(a, found, &f))
		return false;
	if (!str_eq_nocase(w.type, f.type) || !str_eq(w.path, f.path) || (w.version.len && !str_eq(w.version, f.version)))
		return false;
	for (struct str rest = w.qualifiers, pair, key; str_cut(&rest, '&', &pair);) {
		(void)str_cut(&pair, '=', &key);
		if (key.len && !str_eq(key, STR("epoch")) &&
		    (!qualifier(a, f.qualifiers, key, &value) || !str_eq(value, percent_decoded(a, pair))))
			return false;
	}
	return true;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool name_matches(const struct pattern *pattern, struct str text, struct str name)
{
	return pattern ? pattern_find(pattern, name) : text.len == 0 || str_eq(text, name);
}

static bool package_matches(struct arena *a, const struct ignore_peer *w, const struct target *t, const struct package *p)
{
	bool by_source = !str_eq(p->name, p->source_name);
	if (!name_matches(w->name, w->name_text, p->name))
		return false;
	if ((w->source || w->source_text.len) && (!by_source || !name_matches(w->source, w->source_text, p->source_name)))
		return false;
	if (w->matched != MATCHED_ANYHOW && (w->matched == MATCHED_BY_SOURCE) != by_source)
		return false;
	if (w->version.len && !str_eq(w->version, p->version))
		return false;
	if (w->type.len && !str_eq(w->type, str_from(package_type_name(p->type))))
		return false;
	return w->purl.len == 0 || purl_matches(a, w->purl, package_purl(a, p, t->os.id, t->os.version));
}

bool ignore_peer_matches(struct arena *a, const struct ignore *ignore, const struct target *t, const struct finding *f)
{
	const struct ignore_peer *w = ignore->peer;
	if (w->kinds && !(w->kinds & 1u << f->kind))
		return false;
	if (w->own_id && ignore->id.len && !str_glob(ignore->id, f->id))
		return false;
	if (w->fix_states && (f->kind != FINDING_VULNERABILITY || !(w->fix_states & fix_state(f))))
		return false;
	if (w->name_space.len && !str_eq(w->name_space, policy_grype_namespace(a, &t->os)))
		return false;
	if (f->package)
		return package_matches(a, w, t, f->package);
	return !w->name && !w->source && w->name_text.len == 0 && w->source_text.len == 0 && w->version.len == 0 &&
	       w->type.len == 0 && w->purl.len == 0 && w->matched == MATCHED_ANYHOW;
}
