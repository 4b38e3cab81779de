/* SARIF rules and words: see sarif.h. What GitHub shows of an alert comes from here (rule's help, severity, tags).
 * Must never let an image's text become markup: it is escaped for messages (SARIF 2.1.0, 3.11) and for Markdown. */
#include "report/sarif.h"

#include "base/base.h"
#include "report/text.h"

#define HELP_PACKAGES_MAX 10u
#define TAG_CWES_MAX 8u /* GitHub takes 20 tags a rule */

const char *sarif_level(enum severity s)
{
	switch (s) {
	case SEVERITY_CRITICAL:
	case SEVERITY_HIGH:
		return "error";
	case SEVERITY_LOW:
	case SEVERITY_INFO:
		return "note";
	default:
		return "warning";
	}
}

/* Backslash before each of `set`, a second of each brace. */
static struct str escape(struct arena *a, struct str text, struct str set)
{
	struct str plain = text_clean(a, text);
	char *out = arena_alloc(a, plain.len * 2 + 1);
	size_t len = 0;
	for (size_t i = 0; i < plain.len; i++) {
		char c = plain.ptr[i];
		if (c == '{' || c == '}')
			out[len++] = c;
		else if (str_find(set, c) >= 0)
			out[len++] = '\\';
		out[len++] = c;
	}
	return (struct str){ out, len };
}

struct str sarif_message(struct arena *a, struct str text) { return escape(a, text, STR("[]\\")); }

static struct str markdown(struct arena *a, struct str text) { return escape(a, text, STR("\\`*_[]()<>#!|&~$")); }

static void put_uri_byte(struct buf *out, char c)
{
	if (ascii_alnum(c) || c == '.' || c == '-' || c == '_' || c == '~')
		buf_byte(out, (uint8_t)c);
	else
		buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
}

struct str sarif_relative_uri(struct arena *a, struct str path, struct str otherwise)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, TAR_PATH_MAX * 3);
	for (struct str part; str_cut(&path, '/', &part);) {
		if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			continue;
		if (out.len)
			buf_byte(&out, '/');
		for (size_t i = 0; i < part.len; i++)
			put_uri_byte(&out, part.ptr[i]);
	}
	return out.len && !out.overflow ? str_dup(a, buf_view(&out)) : otherwise;
}

static bool is_cve(struct str id)
{
	if (!str_skip(&id, STR("CVE-")) || id.len < 6 || id.len > 32)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!ascii_digit(id.ptr[i]) && id.ptr[i] != '-')
			return false;
	return true;
}

static bool is_plain_https(struct str url)
{
	if (!str_starts(url, STR("https://")) || url.len > 2000)
		return false;
	for (size_t i = 0; i < url.len; i++)
		if (!ascii_alnum(url.ptr[i]) && str_find(STR("-._~:/?#@!$&'()*+,;=%"), url.ptr[i]) < 0)
			return false;
	return true;
}

static struct str help_uri(struct arena *a, const struct finding *f)
{
	if (is_cve(f->id))
		return arena_printf(a, "https://www.cve.org/CVERecord?id=%.*s", STR_ARG(f->id));
	for (size_t i = 0; i < f->references.len; i++)
		if (is_plain_https(f->references.ptr[i]))
			return f->references.ptr[i];
	return (struct str){ 0 };
}

/* GitHub sorts by this number alone. It follows the severity that the report gives (the vendor's first): the CVSS
 * score where it lies in that band, else the middle of the band. Not rated: none, GitHub then shows the level. */
static struct str security_severity(struct arena *a, const struct finding *f)
{
	static const char *const middle[SEVERITY_COUNT] = { "", "1.0", "2.0", "5.5", "8.0", "9.5" };
	if (f->severity == SEVERITY_UNKNOWN || (unsigned)f->severity >= SEVERITY_COUNT)
		return (struct str){ 0 };
	if (f->cvss_score > 0 && f->cvss_score <= 10 && severity_of_cvss(f->cvss_score) == f->severity)
		return text_decimal(a, f->cvss_score, 1);
	return str_from(middle[f->severity]);
}

static int refs_by_id_cmp(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;
	int c = str_cmp(a->id, b->id);
	return c ? c : finding_identity_cmp(a, b);
}

void sarif_rules_collect(struct arena *a, const struct finding_refs *findings, struct sarif_rule_list *ret)
{
	*ret = (struct sarif_rule_list){ 0 };
	const struct finding **sorted = arena_array(a, findings->len, sizeof(*sorted));
	if (findings->len == 0)
		return;
	memcpy(sorted, findings->ptr, findings->len * sizeof(*sorted));
	qsort(sorted, findings->len, sizeof(*sorted), refs_by_id_cmp);
	for (size_t i = 0; i < findings->len; i++) {
		if (i == 0 || !str_eq(sorted[i]->id, sorted[i - 1]->id)) {
			*map_put(a, &ret->by_id, sorted[i]->id, NULL) = ret->len;
			vec_push(a, ret)->worst = sorted[i];
		}
		struct sarif_rule *rule = &ret->ptr[ret->len - 1];
		*vec_push(a, &rule->findings) = sorted[i];
		if (finding_urgency_cmp(sorted[i], rule->worst) < 0)
			rule->worst = sorted[i];
	}
}

static void put_text(struct json_writer *w, const char *key, struct str text)
{
	json_key(w, key);
	json_begin_map(w);
	json_key(w, "text");
	json_str(w, text);
	json_end_map(w);
}

static void put_facts(struct arena *a, struct buf *out, const struct finding *f, const char *eol)
{
	buf_printf(out, "Severity: %s", severity_name(f->severity));
	if (f->severity_source.len)
		buf_printf(out, " (%.*s)", STR_ARG(f->severity_source));
	if (f->cvss_score >= 0)
		buf_printf(out, "%sCVSS: %.*s", eol, STR_ARG(text_decimal(a, f->cvss_score, 1)));
	if (f->epss >= 0)
		buf_printf(out, "%sEPSS: %.*s%%", eol, STR_ARG(text_decimal(a, f->epss * 100, 2)));
	if (f->kev)
		buf_printf(out, "%sKnown to be exploited (CISA KEV)", eol);
}

/* The packages of the rule, each name once: "libssl3: fixed in 3.0.17". */
static void put_packages(struct arena *a, struct buf *out, const struct sarif_rule *rule, bool md)
{
	struct map seen = { 0 };
	for (size_t i = 0; i < rule->findings.len; i++) {
		const struct finding *f = rule->findings.ptr[i];
		bool fresh;
		if (!f->package)
			continue;
		(void)map_put(a, &seen, f->package->name, &fresh);
		if (!fresh || seen.len > HELP_PACKAGES_MAX)
			continue;
		struct str name = md ? markdown(a, f->package->name) : sarif_message(a, f->package->name);
		struct str fixed = md ? markdown(a, f->fixed_version) : sarif_message(a, f->fixed_version);
		buf_printf(out, "%s%.*s: ", md ? "\n- " : "\n", STR_ARG(name));
		if (fixed.len)
			buf_printf(out, "fixed in %.*s", STR_ARG(fixed));
		else
			buf_printf(out, "no fix yet");
	}
	if (seen.len > HELP_PACKAGES_MAX)
		buf_printf(out, "%sand %zu more", md ? "\n- " : "\n", seen.len - HELP_PACKAGES_MAX);
}

static struct str help(struct arena *a, const struct sarif_rule *rule, bool md)
{
	struct buf BUF_AUTO out = { 0 };
	buf_init(&out, 1 * MIB);
	const struct finding *f = rule->worst;
	struct str id = md ? markdown(a, f->id) : sarif_message(a, f->id);
	buf_printf(&out, "%s%.*s%s", md ? "**" : "", STR_ARG(id), md ? "**\n\n" : "\n");
	put_facts(a, &out, f, md ? "  \n" : "\n");
	if (f->fix_text.len) {
		struct str fix = md ? markdown(a, f->fix_text) : sarif_message(a, f->fix_text);
		buf_printf(&out, "%s%.*s", md ? "\n\n" : "\n", STR_ARG(fix));
	}
	buf_printf(&out, "\n");
	put_packages(a, &out, rule, md);
	return str_dup(a, buf_view(&out));
}

static void put_tags(struct arena *a, struct json_writer *w, const struct finding *f)
{
	json_key(w, "tags");
	json_begin_list(w);
	json_cstr(w, "security");
	json_cstr(w, finding_kind_name(f->kind));
	json_cstr(w, f->severity == SEVERITY_UNKNOWN ? "unrated" : severity_name(f->severity));
	if (f->kev)
		json_cstr(w, "kev");
	for (size_t i = 0; i < f->cwes.len && i < TAG_CWES_MAX; i++)
		json_str(w, arena_printf(a, "external/cwe/%.*s", STR_ARG(str_lower(a, text_clean(a, f->cwes.ptr[i])))));
	json_end_list(w);
}

/* SARIF 2012: rule names are one word each, so that they can be spoken of in code. */
static const char *rule_name(enum finding_kind k)
{
	switch (k) {
	case FINDING_VULNERABILITY:
		return "VulnerablePackage";
	case FINDING_SECRET:
		return "Secret";
	case FINDING_LICENSE:
		return "License";
	case FINDING_MALWARE:
		return "Malware";
	case FINDING_PROVENANCE:
		return "Provenance";
	default:
		return "Configuration";
	}
}

void sarif_rule_write(struct arena *a, struct json_writer *w, const struct sarif_rule *rule)
{
	const struct finding *f = rule->worst;
	struct str id = sarif_message(a, f->id);
	json_begin_map(w);
	json_key(w, "id");
	json_str(w, f->id);
	json_key(w, "name");
	json_cstr(w, rule_name(f->kind));
	put_text(w, "shortDescription",
		 f->kind == FINDING_VULNERABILITY ? arena_printf(a, "Vulnerability %.*s.", STR_ARG(id))
						  : sarif_message(a, f->title));
	put_text(w, "fullDescription",
		 f->kind == FINDING_VULNERABILITY
		     ? arena_printf(a, "Installed packages are affected by vulnerability %.*s.", STR_ARG(id))
		     : sarif_message(a, f->title));
	json_key(w, "help");
	json_begin_map(w);
	json_key(w, "text");
	json_str(w, help(a, rule, false));
	json_key(w, "markdown");
	json_str(w, help(a, rule, true));
	json_end_map(w);
	json_key_str(w, "helpUri", help_uri(a, f));
	json_key(w, "defaultConfiguration");
	json_begin_map(w);
	json_key(w, "level");
	json_cstr(w, sarif_level(f->severity));
	json_end_map(w);
	json_key(w, "properties");
	json_begin_map(w);
	put_tags(a, w, f);
	json_key(w, "precision");
	json_cstr(w, "very-high");
	json_key_str(w, "security-severity", security_severity(a, f));
	json_end_map(w);
	json_end_map(w);
}
